"""The server's calendar as far as it is known, and the log of one window."""

import math
from collections import deque
from typing import Final

from adnet.transport._limit_values import Window

_LATENCY_S: Final = 0.04
"""How long a request may take to be counted, until a reply has been measured."""
_DRIFT: Final = 20e-6
"""Seconds per second by which two disciplined clocks may part."""
_SLIDING_GUARD: Final = 0.004
"""Share of a window that is added to it: requests do not arrive as evenly as they leave."""
_SLIDING_GUARD_S: Final = 0.1
"""That share is never more than this."""
_CALENDAR_GUARD_S: Final = 0.02
"""Waited after a border on top of what is uncertain: counters and Date headers come from different machines."""
_FINE: Final = 1024
"""Charges of larger windows are merged to about so many entries."""
_SPREAD_FROM_S: Final = 60.0

Bounds = tuple[float, float]


class Calendar:
    """Bounds on the server's time minus our monotonic clock, narrowed by each reply.

    A Date header has whole seconds, so that one reply says little; the intersection of many says more.
    """

    __slots__ = ("_told_at", "earliest", "known", "latency_s", "latest")

    def __init__(self) -> None:
        self.earliest = 0.0
        self.latest = 0.0
        self.known = False
        self.latency_s = _LATENCY_S
        self._told_at = 0.0

    def learn(self, server_s: float, resolution_s: float, *, rtt_s: float, received: float) -> None:
        """Take in a reply that came at *received* and whose server then said *server_s*."""
        rtt_s = max(rtt_s, 0.0)
        self.latency_s = max(rtt_s, self.latency_s + (rtt_s - self.latency_s) / 16) if self.known else rtt_s
        drift = _DRIFT * max(received - self._told_at, 0.0)
        self.assume((server_s - received, server_s + resolution_s - received + rtt_s), drift)
        self._told_at = received

    def assume(self, bounds: Bounds, drift: float = 0.0) -> None:
        """Narrow to *bounds*; those that contradict what is known widen it, until the next reply decides."""
        earliest, latest = bounds
        if not self.known:
            self.earliest, self.latest, self.known = earliest, latest, True
            return
        old = (self.earliest - drift, self.latest + drift)
        narrowed = (max(old[0], earliest), min(old[1], latest))
        if narrowed[0] > narrowed[1]:
            narrowed = (min(old[0], earliest), max(old[1], latest))
        self.earliest, self.latest = narrowed


class WindowLog:
    """The uses of one window that may still share it with a request sent now.

    ``used`` is their sum and ``due`` the moment from which ``roll`` has something to do; both are read directly by
    the fast path. All moments are on our monotonic clock.
    """

    __slots__ = (
        "calendar",
        "credit",
        "credit_at",
        "credit_number",
        "credit_until",
        "due",
        "entries",
        "key",
        "limit",
        "next_limit",
        "next_limit_at",
        "opens_at",
        "quantum",
        "shut_until",
        "spread",
        "told_at",
        "used",
        "window",
    )

    def __init__(self, window: Window, calendar: Calendar, key: str) -> None:
        self.calendar = calendar
        self.key = key
        self.entries: deque[tuple[float, float, int]] = deque()
        """(first use, last use, units), oldest first."""
        self.used = 0
        self.due = math.inf
        self.opens_at = 0.0
        """When the spreading of the last calls lets the next one go."""
        self.shut_until = 0.0
        """Until when the processes that share the window have used it up."""
        self.told_at = 0.0
        """The server's time of the newest header that spoke of the limit."""
        self.credit = 0
        """Units taken from the shared store and not used yet."""
        self.credit_at = math.inf
        self.credit_until = 0.0
        self.credit_number = 0
        self.define(window)

    def define(self, window: Window) -> None:
        """Apply a definition at once; the uses stay."""
        self.window = window
        self.define_limit(window.limit)
        self.refresh()

    def define_limit(self, limit: int) -> None:
        """Apply another limit at once."""
        per_s = self.window.per_s
        self.limit = self.next_limit = limit
        self.next_limit_at = math.inf
        self.quantum = per_s / _FINE if limit > _FINE else 0.0
        self.spread = int(limit * self.window.spread_last) if per_s >= _SPREAD_FROM_S else 0

    def refresh(self) -> None:
        """Compute ``due`` anew, after the calendar or the limit changed."""
        first = self.expiry(self.entries[0][1]) if self.entries else math.inf
        self.due = min(first, self.next_limit_at)

    def expiry(self, at: float, slept_s: float = 0.0) -> float:
        """Return when a request sent then can no longer share a window with one sent *at*.

        *slept_s* is by how much the server's clock went on, since it was last told, while ours stood still.
        """
        per_s, calendar = self.window.per_s, self.calendar
        slid = at + per_s + min(per_s * _SLIDING_GUARD, _SLIDING_GUARD_S)
        if not self.window.aligned:
            return slid
        latency_s, guard, shift = self._margins()
        slid += latency_s
        if not calendar.known:
            return slid
        latest = at + slept_s + calendar.latest + latency_s + guard + shift
        border = (math.floor(latest / per_s) + 1) * per_s - shift
        return min(slid, border - slept_s - calendar.earliest + guard)

    def cutoff(self, now: float, slept_s: float = 0.0) -> float:
        """Return the moment before which a use can share no window with a request sent *now*; see :meth:`expiry`."""
        per_s, calendar = self.window.per_s, self.calendar
        slid = now - per_s - min(per_s * _SLIDING_GUARD, _SLIDING_GUARD_S)
        if not self.window.aligned:
            return slid
        latency_s, guard, shift = self._margins()
        slid -= latency_s
        if not calendar.known:
            return slid
        border = math.floor((now + slept_s + calendar.earliest - guard + shift) / per_s) * per_s - shift
        return max(slid, border - slept_s - calendar.latest - latency_s - guard)

    def safe_until(self, now: float, slept_s: float = 0.0) -> float:
        """Return until when requests surely count in the same windows as one sent *now*; see :meth:`expiry`."""
        if not (self.window.aligned and self.calendar.known):
            return math.inf
        latency_s, guard, shift = self._margins()
        late = slept_s + self.calendar.latest + latency_s + guard + shift
        return (math.floor((now + late) / self.window.per_s) + 1) * self.window.per_s - late

    def _margins(self) -> tuple[float, float, float]:
        """Return how long a request may be under way, the guard at a border, and the calendar's shift."""
        per_s = self.window.per_s
        return (
            min(self.calendar.latency_s, per_s / 4),
            min(_CALENDAR_GUARD_S, per_s / 50),
            self.window.tz_offset_s,
        )

    def roll(self, now: float) -> None:
        """Forget the uses that are out of the window, and let a new limit begin."""
        entries = self.entries
        while entries and self.expiry(entries[0][1]) <= now:
            self.used -= entries.popleft()[2]
        if self.next_limit_at <= now:
            self.define_limit(self.next_limit)
        if self.limit - self.used > self.spread:
            self.opens_at = 0.0
        self.refresh()

    def charge(self, cost: int, now: float) -> None:
        """Count a request sent *now*."""
        self.used += cost
        entries = self.entries
        if not entries:
            entries.append((now, now, cost))
            self.due = min(self.due, self.expiry(now))
        elif self.quantum and now - entries[-1][0] < self.quantum:
            first, _, units = entries[-1]
            entries[-1] = (first, now, units + cost)
            if len(entries) == 1:
                self.refresh()
        else:
            entries.append((now, now, cost))
        if self.spread:
            self._spread_from(now)

    def _spread_from(self, at: float) -> None:
        """Space out the last calls, the newest of which was made *at*."""
        if self.limit - self.used <= self.spread:
            rest = max(self.limit - self.used, 0)
            self.opens_at = at + max(self.expiry(self.entries[0][1]) - at, 0.0) / (rest + 1)

    def refund(self, cost: int, at: float) -> None:
        """Take back the charge made *at*, for a request that never left."""
        for position in range(len(self.entries) - 1, -1, -1):
            first, last, units = self.entries[position]
            if first <= at <= last and units >= cost:
                self.entries[position] = (first, last, units - cost)
                self.used -= cost
                self.opens_at = 0.0
                if self.spread and self.used:
                    self._spread_from(max(last for _, last, units in self.entries if units))
                break
        if at >= self.credit_at:
            self.credit += cost  # of the block it was taken from

    def ready_at(self, need: int, now: float) -> float:
        """Return when *need* units fit if nobody else takes any; infinite when they never will."""
        gate = max(now, self.opens_at, self.shut_until)
        room = self.limit - self.used
        if need <= room:
            return gate
        if need > self.limit:
            return max(gate, self.next_limit_at) if need <= self.next_limit else math.inf
        for _, last, units in self.entries:
            room += units
            if need <= room:
                return max(self.expiry(last), now, self.shut_until)
        return gate

    def estimate(self, ahead: int, cost: int, now: float, enough: float) -> float:
        """Return when *cost* units fit after *ahead* others, at the earliest; not exact when before *enough*."""
        limit = max(self.limit, self.next_limit)
        if limit < cost:
            return math.inf
        turns, rest = divmod(ahead + cost - 1, limit)
        if max(self.shut_until, self.opens_at, self.expiry(now) + (turns + 1) * self.window.per_s) <= enough:
            return now
        first = self.ready_at(min(max(rest + 1, cost), limit), now)
        return first if not turns else self.expiry(first) + (turns - 1) * self.window.per_s

    def told(self, limit: int | None, now: float) -> None:
        """Take in the limit that a reply named: a lower one at once, a higher one from the next window on."""
        if limit is None or limit == self.next_limit:
            return
        if limit < self.limit:
            self.define_limit(limit)
        else:
            self.next_limit = limit
            self.next_limit_at = self.expiry(now) if limit > self.limit else math.inf
        self.refresh()

    def lower(self, remaining: int, now: float) -> None:
        """Leave no more than *remaining* units; never more than there were."""
        extra = self.limit - self.used - max(remaining, 0)
        if extra <= 0:
            return
        # Dated so that it leaves with this window even when a border is near, yet never before what stands.
        at = min(now, self.safe_until(now) - 1e-6)
        at = max(at, self.entries[-1][1]) if self.entries else at
        self.charge(extra, at)

    def is_current(self, now: float, server_s: float | None, sent_at: float | None) -> bool:
        """Say whether a reply can speak of the window that counts now."""
        if not self.window.aligned:
            return sent_at is None or sent_at > now - self.window.per_s
        if sent_at is not None and self.expiry(sent_at) <= now:
            return False
        if server_s is None or not self.calendar.known:
            return True
        per_s, shift = self.window.per_s, self.window.tz_offset_s
        present = math.floor((now + self.calendar.earliest + shift) / per_s)
        return math.floor((server_s + shift) / per_s) >= present
