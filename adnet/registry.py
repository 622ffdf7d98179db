"""Finding connectors: a literal table for those that come with adnet, entry points for all others.

Both are imported only when they are used. A connector of a third party is a package with an entry point in
the group ``adnet.connectors`` whose name is the network's slug and whose object is the Connector class.
"""

import os
import re
import sys
from collections.abc import Collection, Iterator
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import attrs

from adnet.errors import ConfigurationError, UnknownNetworkError
from adnet.hints import hint
from adnet.interface import FACETS, Capabilities, Connector, LimitFact, Option
from adnet.interface.connector import INTERFACE_VERSION

GROUP: Final = "adnet.connectors"
BUILT_IN: Final[dict[str, str]] = {
    "adskeeper": "adnet.connectors.adskeeper:Adskeeper",
    "mgid": "adnet.connectors.mgid:Mgid",
    "mytarget": "adnet.connectors.mytarget:MyTarget",
    "targetcircle": "adnet.connectors.targetcircle:TargetCircle",
    "vkads": "adnet.connectors.vkads:VkAds",
}
"""Network -> "module:Class", alphabetical."""
_OF_ALL: Final = ("__init__", "account_key", "native", "limiter", "requests")
"""What every connector has of its own, whatever its facets."""
_SEVERAL: Final[dict[str, type]] = {
    "options": Option,
    "limit_facts": LimitFact,
    "levels": str,
    "report_kinds": str,
    "paid_extra": str,
}
"""What a class has any number of. Everything that asks all connectors goes through these, so they are read first; and
the safety catch of plans looks for each of ``paid_extra``, not for its letters."""
TAKEN: Final = frozenset({
    "base_url", "ceilings", "clock", "configured", "limits", "listeners", "name", "network", "proxy", "state",
    "transport",
})  # fmt: skip
"""Keywords of ``adnet.connect`` and keys of every account in the configuration: no option can be called so."""


@attrs.frozen
class Found:
    """One connector that is there, loaded or broken."""

    network: str
    source: str
    """``adnet`` or the distribution that brings it."""
    connector: type[Connector] | None
    problem: str | None = None
    """Why it cannot be used."""


def names() -> tuple[str, ...]:
    """Return the slugs of all connectors that are there, broken ones included."""
    return tuple(sorted({*BUILT_IN, *(point.name for point in _points())}))


def load(network: str) -> type[Connector]:
    """Return the connector class for *network*.

    Raises:
        UnknownNetworkError: There is none; the message lists near names and broken packages.
        ConfigurationError: Two packages claim the name, or the one that has it is broken.
    """
    claims = _claims(network)
    if not claims:
        raise _unknown(network)
    if len(claims) > 1:
        raise ConfigurationError(
            f"the network {network!r} is claimed by {' and '.join(sorted(claims))}; uninstall all but one"
        )
    ((source, target),) = claims.items()
    return _checked(network, source, target)


def discover() -> Iterator[Found]:
    """Yield every connector that is there, loaded; a broken one is told and harms no other."""
    for network in names():
        source = " and ".join(sorted(_claims(network)))
        try:
            yield Found(network, source, load(network))
        except ConfigurationError as error:
            yield Found(network, source, None, error.message)


def strangers() -> dict[str, str]:
    """Return the top-level packages that bring connectors, ours left out, each with its distribution."""
    found = ((re.split("[.:]", point.value)[0].strip(), _distribution(point)) for point in _points())
    return {package: name for package, name in found if name}


def supporting(operation: str, *, kind: str | None = None, level: str | None = None) -> tuple[str, ...]:
    """Return the networks that can serve an Account operation, for this *kind* of report and *level* of statistics."""
    return tuple(
        found.network
        for found in discover()
        if found.connector is not None
        and capabilities(found.connector).supports(operation, kind=kind, level=level)
    )


def capabilities(connector: type[Connector]) -> Capabilities:
    """Return what a connector class can do."""
    return connector.capabilities()


def _points() -> tuple[EntryPoint, ...]:
    return _points_in(tuple((place, _modified(place)) for place in sys.path))


@lru_cache(maxsize=4)
def _points_in(places: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:
    """Return the entry points of *places*; reading them takes milliseconds, and a thousand accounts ask."""
    del places
    return tuple(entry_points(group=GROUP))


def _modified(place: str) -> int:
    """Return when something was last put into or taken out of a folder."""
    try:
        return os.stat(place or ".").st_mtime_ns  # noqa: PTH116 - a tenth of the time
    except OSError:
        return 0


def _claims(network: str) -> dict[str, str | EntryPoint]:
    claims: dict[str, str | EntryPoint] = {}
    if network in BUILT_IN:
        claims["adnet"] = BUILT_IN[network]
    for point in _points():
        if point.name == network:
            claims[_distribution(point) or point.value] = point
    return claims


def _distribution(point: EntryPoint) -> str | None:
    """Return whose entry point it is; one that was taken away by half has lost its name."""
    return point.dist.name if point.dist else None


def _checked(network: str, source: str, target: str | EntryPoint) -> type[Connector]:
    try:
        if isinstance(target, EntryPoint):
            found = target.load()
        else:
            module, _, name = target.partition(":")
            found = getattr(import_module(module), name)
    except (Exception, SystemExit) as error:  # a stranger's package may raise anything while it is imported
        raise ConfigurationError(
            f"the connector {network!r} of {source} cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    if problem := _problem(found, network):
        raise ConfigurationError(f"the connector {network!r} of {source} cannot be used: {problem}")
    return found  # type: ignore[no-any-return]


def _problem(found: object, network: str) -> str | None:
    if not (isinstance(found, type) and issubclass(found, Connector)):
        return "its entry point is no subclass of adnet.interface.Connector"
    if found.interface_version != INTERFACE_VERSION:
        return f"it is made for interface {found.interface_version}, this adnet has {INTERFACE_VERSION}"
    if found.network != network:
        return f"its class says network {found.network!r}"
    if not issubclass(found, FACETS):
        return "it inherits no facet, so it can do nothing"
    for name, kind in _SEVERAL.items():
        if not _is_several(getattr(found, name, ()), kind):
            return f"its {name} are no collection of {kind.__name__}; is a comma missing?"
    if taken := sorted(TAKEN.intersection(option.name for option in found.options)):
        return f"options of it are called like keywords of adnet.connect: {', '.join(taken)}"
    missing = sorted(getattr(found, "__abstractmethods__", ()))
    missing += [name for name in _OF_ALL if getattr(found, name) is getattr(Connector, name)]
    return f"it lacks {', '.join(missing)}" if missing else None


def _is_several(value: object, kind: type) -> bool:
    if isinstance(value, str) or not isinstance(value, Collection):
        return False
    return all(isinstance(one, kind) for one in value)


def _unknown(network: str) -> UnknownNetworkError:
    broken = [f"{found.network} ({found.problem})" for found in discover() if found.problem]
    told = f"; broken: {'; '.join(broken)}" if broken else ""
    return UnknownNetworkError(f"unknown network {network!r}{told}; {hint(str(network), names())}")
