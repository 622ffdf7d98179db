"""Opening accounts: checks what the user gave, and hands a connector its rooms."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs

from adnet import registry
from adnet.client import Account
from adnet.clock import Clock, SystemClock
from adnet.errors import ConfigurationError, CredentialsError
from adnet.hints import hint
from adnet.interface import Connector, Services
from adnet.redact import Hidden, Scrubber
from adnet.state import State
from adnet.state.quotas import QuotaStore
from adnet.transport.aiohttp import AiohttpTransport
from adnet.transport.base import Transport
from adnet.transport.ceilings import Ceilings
from adnet.transport.events import Listener, LoggingListener
from adnet.transport.limits import SET_BY_USER, Bucket, Limiter, Window
from adnet.transport.proxy import Proxy
from adnet.transport.retry import RetryPolicy

T = TypeVar("T")

_UNITS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_UNSENDABLE: Final = re.compile("[\x00-\x1f\x7f\ufeff\ud800-\udfff]")
_LIMIT: Final = re.compile(r"(\d+)\s*(?:/\s*(s|min|h|d))?")


def connect(
    network: str,
    /,
    *,
    base_url: str | None = None,
    state: State | str | Path | None = None,
    limits: Mapping[str, str | int | Bucket] | None = None,
    ceilings: Mapping[str, int] | None = None,
    transport: Transport | None = None,
    proxy: str | None = None,
    clock: Clock | None = None,
    name: str | None = None,
    listeners: Sequence[Listener] = (),
    configured: Collection[str] | None = None,
    **credentials: Any,
) -> "Account":
    """Return an account on *network*; nothing is sent before its first use.

    Use it as an async context manager, or close it.

    Args:
        network: Slug of the network, e.g. ``"targetcircle"``.
        base_url: Where the network is; some have a default.
        state: What outlives the process: a State, ``"sqlite:FILE"`` or a path. None keeps it in memory.
        limits: Bucket -> limit, to be more or less careful than the connector: ``"4/s"``, ``"100/min"``, a
            number of requests in flight, or a Bucket.
        ceilings: What a server may cost, by the names of :class:`adnet.transport.ceilings.Ceilings`, e.g.
            ``{"pages": 500, "body_bytes": 10_000_000}``. A transport of your own has its own ceilings of bytes.
        transport: Sends requests; the default is aiohttp.
        proxy: An HTTP proxy that requests go through, ``"http://USER:PASSWORD@HOST:PORT"``. One that the environment
            names is not used.
        clock: Time; the default is the machine's.
        name: How errors and tables call the account; the network's name by default.
        listeners: Hear what is sent.
        configured: Names of all accounts of the configuration that this one is from, if it is from any.
        credentials: Keys of the network, see ``adnet networks``.

    Raises:
        UnknownNetworkError: No such network.
        CredentialsError: A credential is missing.
        ConfigurationError: A key is not known, or a value is of no use.
    """
    # Reports of errors, as services make them, show the variables of every frame.
    credentials = {
        key: Hidden(value) if isinstance(value, str) else value for key, value in credentials.items()
    }
    proxy = Hidden(proxy) if isinstance(proxy, str) else proxy
    connector = registry.load(network)
    account = name or network
    options = _checked_options(connector, account, credentials)
    bounds = Ceilings.checked(ceilings, account) if ceilings else Ceilings()
    scrubber = Scrubber(str(options[o.name]) for o in connector.options if o.secret and options.get(o.name))
    wire = _wire(transport, proxy, bounds, account, scrubber)
    clock = clock or SystemClock()
    owned = not isinstance(state, State)
    room = state if isinstance(state, State) else State.open(state, clock=clock)

    def limiter(buckets: Sequence[Bucket], scope: str) -> Limiter:
        shared = QuotaStore(room.database, room.owners, clock) if room.shared else None
        known = _overridden(buckets, limits or {}, account)
        return Limiter(known, clock=clock, max_wait_s=bounds.wait_s, scope=scope, shared=shared)

    services = Services(
        account=account,
        clock=clock,
        transport=wire,
        state=room,
        scrubber=scrubber,
        limiter=limiter,
        policy=RetryPolicy(retry_after_ceiling_s=bounds.retry_after_s),
        ceilings=bounds,
        listeners=(LoggingListener(scrubber), *listeners),
        configured=configured,
    )
    try:
        made = _frameless(lambda: connector(services, base_url=base_url, options=_plain(options)), account)
    except BaseException:
        if owned:
            room.close()
        raise
    return Account(made, name=account, clock=clock, state=room, close_state=owned)


def _wire(
    transport: Transport | None, proxy: str | None, bounds: Ceilings, account: str, scrubber: Scrubber
) -> Transport:
    """Return what sends the account's requests; a proxy's password is one of its secrets."""
    if proxy is None:
        return transport or AiohttpTransport(ceilings=bounds)
    if transport is not None:
        raise ConfigurationError(
            f"account {account!r}: a transport of your own takes no proxy: give one of them"
        )
    through = _frameless(lambda: Proxy.checked(proxy, account), account)
    scrubber.learn(through.password)
    return AiohttpTransport(ceilings=bounds, proxy=through)


def _frameless(make: Callable[[], T], account: str) -> T:
    """Return what *make* gives; an error of it comes without its frames, in which secrets stand as they are."""
    try:
        return make()
    except ConfigurationError as error:
        wrong = error.of_account(account)
    raise wrong.with_traceback(None) from wrong.__cause__


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return *options* with plain text: encoders may take no other."""
    return {key: str(value) if isinstance(value, Hidden) else value for key, value in options.items()}


def _checked_options(connector: type[Connector], account: str, given: Mapping[str, Any]) -> dict[str, Any]:
    known = {option.name: option for option in connector.options}
    for key in given:
        if key not in known:
            what = f"account {account!r}: {connector.network} has no key {key!r}"
            raise ConfigurationError(f"{what}; {hint(key, known)}")
    options = {name: given.get(name, option.default) for name, option in known.items()}
    for option in connector.options:
        value = options[option.name]
        if option.required and (value is None or value == ""):
            raise CredentialsError(f"account {account!r}: {option.name} is missing ({option.help})")
        if option.secret and value is not None and value != "":
            options[option.name] = _checked_secret(account, option.name, value)
    return options


def _checked_secret(account: str, name: str, value: object) -> Hidden:
    """Return a secret as text; a number may stand for its digits, as in the configuration.

    What no header can carry is refused here: sent, it would look like a fault of the network.
    """
    what = f"account {account!r}: {name}"
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise CredentialsError(f"{what} must be text, not {type(value).__name__}")
    text = Hidden(value)
    if text.strip() != text:
        raise CredentialsError(f"{what} begins or ends with white space")
    if _UNSENDABLE.search(text):
        raise CredentialsError(
            f"{what} has a line end, another control character or a byte order mark in it, or is not text in UTF-8"
        )
    return text


def _overridden(
    buckets: Sequence[Bucket], limits: Mapping[str, str | int | Bucket], account: str
) -> list[Bucket]:
    known = {bucket.name: bucket for bucket in buckets}
    for name, value in limits.items():
        if name not in known:
            what = f"account {account!r}: there is no limit {name!r}"
            raise ConfigurationError(f"{what}; {hint(name, known)}")
        known[name] = (
            attrs.evolve(value, name=name)
            if isinstance(value, Bucket)
            else _limited(known[name], str(value), account)
        )
    return list(known.values())


def _limited(bucket: Bucket, text: str, account: str) -> Bucket:
    found = _LIMIT.fullmatch(text.strip())
    if found is None or int(found[1]) < 1:
        raise ConfigurationError(
            f'account {account!r}: the limit {bucket.name} = {text!r} is none; write "4/s", "100/min" or a'
            " number of requests in flight"
        )
    if found[2] is None:
        return attrs.evolve(bucket, concurrency=int(found[1]), in_flight_source=SET_BY_USER)
    windows = (Window(int(found[1]), _UNITS[found[2]]),)
    return attrs.evolve(bucket, windows=windows, source=SET_BY_USER, in_flight_source=bucket.source)
