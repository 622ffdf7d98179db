"""The base of every connector: identity, options, what it is given, open and close."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any, ClassVar

import attrs

from adnet.clock import Clock
from adnet.interface.capabilities import Capabilities, LimitFact, capabilities_of
from adnet.redact import Scrubber
from adnet.state import State
from adnet.transport.base import Transport
from adnet.transport.ceilings import Ceilings
from adnet.transport.events import Listener
from adnet.transport.limits import Bucket, Limiter
from adnet.transport.retry import RetryPolicy

INTERFACE_VERSION = 1
"""Version of the facets; a connector built for another one is refused when it is loaded."""


@attrs.frozen
class Option:
    """One key that a connector takes, as data: configuration, help and errors come from here."""

    name: str
    help: str
    required: bool = False
    secret: bool = False
    default: str | None = None


@attrs.frozen(kw_only=True)
class Services:
    """What a connector is given; it makes none of these itself."""

    account: str
    """Name in the configuration, or the network's name for an account opened in code."""
    clock: Clock
    transport: Transport
    state: State
    scrubber: Scrubber
    limiter: Callable[[Sequence[Bucket], str], Limiter]
    """Makes the account's limiter from its buckets and a scope that names whose limits they are."""
    policy: RetryPolicy = attrs.field(factory=RetryPolicy)
    ceilings: Ceilings = attrs.field(factory=Ceilings)
    listeners: Sequence[Listener] = ()
    configured: Collection[str] | None = None
    """Names of all accounts of the configuration that the account is from; None for one opened in code."""


class Connector:
    """One account on one network. Subclasses add the facets that they can serve.

    Constructed without I/O; *options* holds what the subclass declared in ``options``, checked by the caller.
    """

    network: ClassVar[str] = ""
    """Lower-case slug, e.g. ``"targetcircle"``."""
    title: ClassVar[str] = ""
    """Name for people."""
    interface_version: ClassVar[int] = INTERFACE_VERSION
    options: ClassVar[tuple[Option, ...]] = ()
    limit_facts: ClassVar[tuple[LimitFact, ...]] = ()
    paid_extra: ClassVar[Collection[str]] = ()
    """Keys of ``extra`` that move what is paid, an amount or factors (source -> factor): plans count them."""

    time_zone: tzinfo = UTC
    """The zone of the account's days; UTC where the network does not tell."""

    def __init__(self, services: Services, *, base_url: str | None, options: Mapping[str, Any]) -> None:
        raise NotImplementedError

    @property
    def account_key(self) -> str:
        """Text that is equal for equal accounts and tells no secret; jobs and tokens are kept under it."""
        raise NotImplementedError

    @property
    def native(self) -> Any:
        """The network's own typed client, one method per documented operation."""
        raise NotImplementedError

    @property
    def limiter(self) -> Limiter:
        """The account's limiter."""
        raise NotImplementedError

    def recall_limits(self) -> None:
        """Let the limiter know what the state remembers of limits that only the network tells; nothing is sent."""

    @property
    def requests(self) -> int:
        """Physical sends so far."""
        raise NotImplementedError

    async def open(self) -> None:
        """Learn what has to be known first (the time zone, stored facts); called before the first use."""

    async def close(self) -> None:
        """Give back connections and tasks."""

    @classmethod
    def capabilities(cls) -> Capabilities:
        """Return what this connector can do, derived from its facets."""
        return capabilities_of(cls)  # type: ignore[arg-type]
