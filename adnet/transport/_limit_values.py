"""The values of the limiter: what a network allows, what is used of it, and what processes share."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final, Literal, Protocol, TypeAlias

import attrs

Lane: TypeAlias = Literal["interactive", "backfill"]
"""Who waits: somebody at a screen, or a backlog that can step aside for a while."""


@attrs.frozen
class Window:
    """At most *limit* units of cost in a stretch of time."""

    limit: int = attrs.field(validator=attrs.validators.ge(0))
    """Units allowed; 0 closes the bucket."""
    per_s: float = attrs.field(validator=attrs.validators.gt(0))
    """Length in seconds."""
    aligned: bool = False
    """Whether the window starts anew at each multiple of its length on the server's calendar; else it slides."""
    tz_offset_s: int = 0
    """Seconds that calendar is ahead of UTC: when its days begin."""
    spread_last: float = attrs.field(default=0.0, validator=[attrs.validators.ge(0), attrs.validators.le(1)])
    """Share of the calls, the last ones, that are spread over the rest of the window; from a minute on."""


SET_BY_USER: Final = "set by the user"
"""The source of limits that are not the connector's own."""


@attrs.frozen
class Bucket:
    """What is counted together: windows that all hold at once, and requests in flight."""

    name: str
    """How routes name it, e.g. ``"CAMPAIGN/v2/READ"``."""
    windows: tuple[Window, ...] = ()
    concurrency: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.ge(1))
    )
    """Requests in flight at most; None sets no limit."""
    adaptive: bool = False
    """Whether a 429 halves the concurrency, which then grows again with each row of successes."""
    source: str = ""
    """Where the numbers come from."""
    in_flight_source: str = ""
    """Where the concurrency comes from, if from elsewhere than the rest."""


@attrs.frozen
class WindowState:
    """One window at one moment."""

    per_s: float
    limit: int
    used: int
    """Units that count at this moment, those of other users of the account included where a reply told."""
    remaining: int
    resets_at: datetime | None
    """When units become free again, aware, in UTC; None while all are."""


@attrs.frozen
class BucketState:
    """One bucket at one moment."""

    name: str
    source: str
    in_flight_source: str
    windows: tuple[WindowState, ...]
    concurrency: int | None
    """How many may be in flight now; an adaptive bucket may be below its definition."""
    in_flight: int
    queued: int
    blocked_until: datetime | None
    """Until when a 429 keeps it closed, aware, in UTC."""


Charge: TypeAlias = tuple[str, int, int, int, float, float, float]
"""What one request takes of one shared window: key, limit, units needed, units welcome (more than needed to spare
the next requests the trip), the instant until which they may be used, the instant before which older charges no
longer count, and the instant after which there can be none, unless our clock was set back. Instants are seconds since
1970."""

Grant: TypeAlias = tuple[int, int]
"""A taken charge: its number in the store, and its units."""

Taken: TypeAlias = tuple[Sequence[Grant], None] | tuple[None, tuple[int, float | None]]
"""The grants, in the order of the charges; or the position of a charge without room and the instant of the use that
must leave its window first (None when the charge is larger than the window)."""


class SharedQuota(Protocol):
    """What processes that share a state share; each call is a short transaction, its own or that of ``at_once``."""

    def take(self, charges: Sequence[Charge], returned: Sequence[Grant] = ()) -> Taken:
        """Take all *charges* or none, after giving back what is *returned*."""
        ...

    def give_back(self, returned: Sequence[Grant]) -> None:
        """Give back units that were taken and never used."""
        ...

    def used(self, key: str, since: float) -> tuple[int, float | None]:
        """Return the units that all processes have used since an instant, and the instant of the first use."""
        ...

    def at_once(self) -> AbstractContextManager[object]:
        """Return a context in which all calls are one transaction."""
        ...

    def hold(self, key: str, *, cap: int, in_use: int, wanted: int) -> tuple[int, bool]:
        """Lease places of a bucket, *wanted* in all, of which *in_use* are taken already.

        Never more than *cap* over all processes; when several want them, each gets its share.

        Returns:
            How many we hold, and whether no other process has or wants any.
        """
        ...

    def skew(self, scope: str) -> tuple[float, float] | None:
        """Return the bounds of the server's clock minus ours, in seconds, as last remembered."""
        ...

    def remember_skew(self, scope: str, bounds: tuple[float, float]) -> None:
        """Remember the bounds of the server's clock minus ours, in seconds."""
        ...
