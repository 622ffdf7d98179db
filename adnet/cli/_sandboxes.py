"""Imitation networks for the commands that start them, and the configuration that leads to them."""

import contextlib
import json
import os
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adnet import registry
from adnet.errors import ConfigurationError
from adnet.places import at_home
from adnet.sandbox import SANDBOXES, load

if TYPE_CHECKING:
    from adnet.sandbox.base import Sandbox

_MARK: Final = "# Made by adnet for imitation networks on this machine; it is replaced without asking."
_LIMITS: Final[Mapping[str, Mapping[str, str]]] = {
    # The real network is treated with more care; an imitation on this machine needs none.
    "adskeeper": {"api": "200/s"},
    "mgid": {"api": "200/s"},
    "targetcircle": {"api": "200/s", "reports": "8"},
}


SMALL: Final[Mapping[str, Mapping[str, Any]]] = {
    "adskeeper": {"campaigns": 140},
    "mgid": {"campaigns": 140},
    "mytarget": {"campaigns": 60, "banners": 180},
    "vkads": {"campaigns": 60, "banners": 180},
    "targetcircle": {"page_size": 100},
}
"""Settings of imitations that are pulled in seconds: fewer campaigns, and larger pages."""
_BUYING: Final = ("adskeeper", "mgid")
"""Imitations whose campaigns the imitation affiliate network has its clicks from."""
_CURRENCY: Final = "EUR"
"""That of the imitation affiliate network: no rate is applied between what is earned and what was spent."""


def connectable() -> list[str]:
    """Return the networks that have both an imitation and a connector that can be used."""
    return [found.network for found in registry.discover() if found.connector and found.network in SANDBOXES]


def known_faults(networks: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the names of the faults that each imitation knows."""
    return {network: load(network).fault_names for network in networks}


@contextlib.asynccontextmanager
async def serving(
    networks: Sequence[str],
    *,
    seed: int,
    faults: Mapping[str, float],
    knobs: Mapping[str, Mapping[str, Any]] | None = None,
) -> AsyncIterator[list["Sandbox"]]:
    """Serve imitations on this machine until the end of the block.

    Args:
        networks: Slugs.
        seed: Decides every row and every secret.
        faults: Name -> rate; an imitation gets those that it knows.
        knobs: Further settings by network.
    """
    async with contextlib.AsyncExitStack() as stack:
        started = []
        for network in networks:
            kind = load(network)
            rates = {name: rate for name, rate in faults.items() if name in kind.fault_names}
            sandbox = kind(
                seed=seed, faults=rates, **_joined(network, seed), **(knobs or {}).get(network, {})
            )
            started.append(await stack.enter_async_context(sandbox))
        yield started


def _joined(network: str, seed: int) -> dict[str, Any]:
    """Return settings by which what is sold comes from what was bought, whichever of them are served."""
    if network in _BUYING:
        return {"currency": _CURRENCY}
    if network != "targetcircle":
        return {}
    # Larger accounts begin with the same campaigns.
    sources = [load(name)(seed=seed, **SMALL[name]) for name in _BUYING]
    return {"sub_ids": [number for source in sources for number in source.bought]}


def config_text(sandboxes: Iterable["Sandbox"]) -> str:
    """Return a configuration with one account for each imitation, named like its network."""
    return "\n".join([_MARK, "", "[state]", 'url = "sqlite:state.db"', *_sections(sandboxes), ""])


def _sections(sandboxes: Iterable["Sandbox"]) -> Iterator[str]:
    usable = connectable()
    for sandbox in sandboxes:
        if sandbox.network not in usable:
            yield f"\n# {sandbox.network} is served at {sandbox.base_url}, but its connector cannot be used here."
            continue
        keys = {"network": sandbox.network, "base_url": sandbox.base_url}
        keys |= sandbox.credentials | sandbox.account_options
        yield f"\n[accounts.{sandbox.network}]"
        for key, value in keys.items():
            yield f"{key} = {_text(value)}"
        if limits := _LIMITS.get(sandbox.network):
            yield f"limits = {{ {', '.join(f'{bucket} = {_text(limit)}' for bucket, limit in limits.items())} }}"


def _text(value: str) -> str:
    # A JSON string is a TOML string as well.
    return json.dumps(value, ensure_ascii=False)


def write_config(path: Path, text: str) -> None:
    """Write a configuration that only its owner can read, in one step.

    Raises:
        ConfigurationError: Another configuration is there, or the folder cannot be written.
    """
    path = at_home(path).absolute()
    try:
        if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(_MARK):
            raise ConfigurationError(f"{path} is there already and was not made by adnet: name another file")
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, text)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
