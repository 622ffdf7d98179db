"""Never more than a network allows, and hardly less.

A request names *buckets*. A bucket has *windows* (so many units of cost in a second, an hour, a day) and a
*concurrency*; a request leaves when every window of every one of its buckets has room and every concurrency a
place. It is charged when it leaves, never credited, and what a reply says can only lower what is left.

One rule covers all windows: **a request sent now is weighed against every earlier one that may share a window with
it.** In a sliding window those are the requests of the last *per_s* seconds. A window aligned to the server's
calendar is known only within bounds (the Date header has whole seconds, the way there takes time), so that a request
may fall into one of two windows near a border, and then counts in both. Until the bounds are narrow an aligned window
is treated as a sliding one, which is safe for every calendar. So each window is a log of (moment, units), and only
the moment at which an entry expires depends on its kind.

Waiters stand in one total order: arrival, plus thirty seconds for a backlog, so that a person overtakes a
backfill and nobody starves. A waiter that cannot go keeps the rooms that hold it up closed to all behind it, and sets
aside its units in the other rooms where a later use would still count when its turn comes (what batch schedulers call
backfilling). So a waiter that names several buckets is never overtaken to its harm, and nobody waits for a bucket
that was not named. A cancelled waiter leaves nothing behind and hands the turn on.

A wait that would be longer than allowed is refused at once. After a 429 the buckets close for the time the server
asked, or for a back-off that doubles, and an adaptive concurrency is halved. Nothing polls: one alarm sleeps until the
next moment at which anything can change.

Processes on one state share all this through a ``SharedQuota``; large windows are taken from it in small blocks.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import attrs

from adnet.clock import Clock
from adnet.errors import StateError
from adnet.transport._limit_queue import Queue
from adnet.transport._limit_room import Plan, Room, Slot
from adnet.transport._limit_shared import Share
from adnet.transport._limit_values import (
    SET_BY_USER,
    Bucket,
    BucketState,
    Lane,
    SharedQuota,
    Window,
    WindowState,
)
from adnet.transport._limit_window import Calendar, WindowLog

__all__ = [
    "SET_BY_USER",
    "Bucket",
    "BucketState",
    "Lane",
    "Limiter",
    "SharedQuota",
    "Slot",
    "Window",
    "WindowState",
]


class Limiter:
    """The limits of one account. Belongs to one event loop.

    Args:
        buckets: Definitions; more can be added later.
        clock: The only source of time and of waiting.
        max_wait_s: A call that would wait longer is refused at once.
        scope: Whose limits these are, e.g. the network and a key of the account; processes that share a state
            share the limits of equal scopes.
        shared: What processes share; None keeps the limits to this object.
    """

    def __init__(
        self,
        buckets: Iterable[Bucket] = (),
        *,
        clock: Clock,
        max_wait_s: float = 3600,
        scope: str = "",
        shared: SharedQuota | None = None,
    ) -> None:
        self._clock = clock
        self._monotonic = clock.monotonic
        self._scope = scope
        self._calendar = Calendar()
        self._was_refused = False
        self._rooms: dict[str, Room] = {}
        self._plans: dict[Sequence[str], Plan] = {}
        self._share = (
            None if shared is None else Share(shared, clock, self._calendar, scope=scope, rooms=self._rooms)
        )
        self._queue = Queue(clock, max_wait_s=max_wait_s, scope=scope, cover=self._share)
        for bucket in buckets:
            self._place(bucket)

    def add(self, bucket: Bucket) -> None:
        """Add *bucket*, or replace the definition of the one of that name; uses so far and waiters stay."""
        self._place(bucket)
        for plan in set(self._plans.values()):
            plan.rewire()
        self._look()

    def _place(self, bucket: Bucket) -> None:
        room = self._rooms.get(bucket.name)
        if room is None:
            room = self._rooms[bucket.name] = Room(bucket, f"{self._scope}/{bucket.name}")
        else:
            room.define(bucket)
        old = {(log.window.per_s, log.window.aligned): log for log in room.logs}
        room.logs = tuple([self._log(room, window, old) for window in bucket.windows])

    async def acquire(
        self,
        buckets: Sequence[str],
        *,
        cost: int = 1,
        lane: Lane = "interactive",
        deadline: float | None = None,
    ) -> Slot:
        """Wait until a request may be sent, and return the right to send it.

        Safe to cancel at any moment, and to call from many tasks.

        Args:
            buckets: What it counts against; all at once.
            cost: Units it is charged in every window.
            lane: A backlog lets interactive calls go first that come within 30 s after it.
            deadline: Moment of ``clock.monotonic()`` at which it is no longer worth waiting.

        Raises:
            KeyError: A bucket is not known.
            RateLimitError: At once, when the wait would be longer than *max_wait_s* or the deadline; with the
                instant at which there would be room.
            QuotaExhaustedError: A bucket allows nothing at all.
            ConfigurationError: The cost is larger than a window.
        """
        try:
            plan = self._plans[buckets]
        except (KeyError, TypeError):
            plan = self._plan(buckets)
        now = self._monotonic()
        if (
            cost > 0
            and plan.fits(cost, now)
            and (self._share is None or self._share.take(plan, cost, now) <= now)
        ):
            plan.enter(cost, now)
            return Slot(plan, cost, now)
        return await self._queue.enter(plan, cost, lane, deadline)

    def refused(self, buckets: Sequence[str], *, retry_after_s: float | None) -> None:
        """Take in a 429: the *buckets* stay closed for so long, or for a back-off that doubles from 1 s."""
        now = self._monotonic()
        self._was_refused = True
        for name in buckets:
            self._rooms[name].refused(now, retry_after_s)
        self._look()

    def succeeded(self, buckets: Sequence[str]) -> None:
        """Take in a success; adaptive concurrency grows slowly after refusals."""
        if not self._was_refused:
            return
        grown = False
        for name in buckets:
            room = self._rooms[name]
            if room.failures or room.cap < (room.bucket.concurrency or 0):
                grown |= room.succeeded(self._monotonic())
        if grown:
            self._look()

    def learn(
        self,
        bucket: str,
        window_per_s: float,
        *,
        limit: int | None,
        remaining: int | None,
        in_flight: int,
        server_now: datetime | None,
        sent_at: float | None = None,
    ) -> None:
        """Take in what a reply's headers say of one window; it never gets wider by that.

        A lower limit applies at once, a higher one from the next window on. A lower remainder lowers ours, less
        what is *in_flight* beside the reply's own request, since the server may not have counted that yet. What
        was said of an earlier window is of no use any more.

        Args:
            bucket: Its name.
            window_per_s: The window's length; one that was not declared is added when *limit* is given.
            limit: Units in the window, or None.
            remaining: Units left in it, or None.
            in_flight: Other requests of this bucket that are under way.
            server_now: The reply's Date, aware.
            sent_at: Moment of ``clock.monotonic()`` at which its request was sent, to tell late replies.
        """
        room = self._rooms[bucket]
        now = self._monotonic()
        log = next((log for log in room.logs if log.window.per_s == window_per_s), None)
        if log is None:
            if limit is None:
                return
            log = self._declare(room, limit, window_per_s)
        log.roll(now)
        server_s = server_now.timestamp() if server_now is not None else None
        if server_s is None or server_s >= log.told_at:
            log.told_at = server_s or log.told_at
            log.told(limit, now)
        if (
            remaining is not None
            and log.is_current(now, server_s, sent_at)
            and remaining < log.limit - log.used
        ):
            log.lower(remaining - in_flight, now)
        self._look()

    def learn_skew(self, server_now: datetime, rtt_s: float, *, received: float | None = None) -> None:
        """Take in a reply's Date, which places the server's calendar.

        Args:
            server_now: The Date header; whole seconds are taken as cut off.
            rtt_s: Seconds between sending and the reply's headers.
            received: Moment of ``clock.monotonic()`` at which the headers came; now by default.
        """
        resolution_s = 1e-3 if server_now.microsecond else 1.0
        at = self._monotonic() if received is None else received
        self._calendar.learn(server_now.timestamp(), resolution_s, rtt_s=rtt_s, received=at)
        for room in self._rooms.values():
            for log in room.logs:
                if log.window.aligned:
                    log.refresh()
        if self._share is not None:
            self._share.remember(at)
        self._look()

    def state(self) -> list[BucketState]:
        """Return every bucket as it stands, in the order of their definition."""
        now = self._monotonic()
        return [self._bucket_state(room, now) for room in self._rooms.values()]

    def close(self) -> None:
        """Give back what is held of limits shared with other processes, and tell those who wait that it is over."""
        self._queue.close()
        if self._share is not None:
            with suppress(StateError):  # the state may be closed already; leases end by themselves
                self._share.close()

    @property
    def charges(self) -> Counter[str]:
        """Units charged so far, by bucket."""
        return Counter({name: room.charged for name, room in self._rooms.items()})

    def __repr__(self) -> str:
        return f"Limiter({self._scope!r}, {', '.join(self._rooms)})"

    # ------------------------------------------------------------------ private

    def _plan(self, buckets: Sequence[str]) -> Plan:
        names = tuple(dict.fromkeys(buckets))
        plan = self._plans.get(names)
        if plan is None:
            plan = self._plans[names] = Plan(names, tuple(self._rooms[name] for name in names), self._queue)
        if isinstance(buckets, tuple):
            self._plans[buckets] = plan
        return plan

    def _log(self, room: Room, window: Window, old: dict[tuple[float, bool], WindowLog]) -> WindowLog:
        log = old.get((window.per_s, window.aligned))
        if log is None:
            kind = " by the calendar" if window.aligned else ""
            return WindowLog(window, self._calendar, f"{room.key}/{window.per_s:g}{kind}")
        log.define(window)
        return log

    def _declare(self, room: Room, limit: int, per_s: float) -> WindowLog:
        aligned = not room.bucket.windows or any(window.aligned for window in room.bucket.windows)
        shift = next((window.tz_offset_s for window in room.bucket.windows), 0)
        window = Window(limit, per_s, aligned=aligned, tz_offset_s=shift)
        self.add(attrs.evolve(room.bucket, windows=(*room.bucket.windows, window)))
        return room.logs[-1]

    def _look(self) -> None:
        if any(room.queued for room in self._rooms.values()):
            self._queue.turn()

    def _bucket_state(self, room: Room, now: float) -> BucketState:
        return BucketState(
            name=room.bucket.name,
            source=room.bucket.source,
            in_flight_source=room.bucket.in_flight_source or room.bucket.source,
            windows=tuple(self._window_state(log, now) for log in room.logs),
            concurrency=room.cap if room.bucket.concurrency else None,
            in_flight=room.in_flight,
            queued=room.queued,
            blocked_until=self._instant(room.blocked_until, now) if room.blocked_until > now else None,
        )

    def _window_state(self, log: WindowLog, now: float) -> WindowState:
        log.roll(now)
        used, first = log.used, log.expiry(log.entries[0][1]) if log.entries else math.inf
        if self._share is not None:
            shared, earliest = self._share.used(log, now)
            used, first = max(used, shared), min(first, earliest)
        return WindowState(
            per_s=log.window.per_s,
            limit=log.limit,
            used=used,
            remaining=max(log.limit - used, 0),
            resets_at=self._instant(first, now) if first < math.inf else None,
        )

    def _instant(self, at: float, now: float) -> datetime:
        return self._clock.now() + timedelta(seconds=at - now)
