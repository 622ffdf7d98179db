"""The rooms of buckets, the plans of routes, slots, and those who wait."""

import asyncio
import math
import sys
from collections import OrderedDict
from typing import Final, Protocol, Self

import attrs

from adnet.transport._limit_values import Bucket, Lane
from adnet.transport._limit_window import WindowLog

_FIRST_BACKOFF_S: Final = 1.0
_LONGEST_BACKOFF_S: Final = 64.0
_SUCCESSES_TO_GROW: Final = 20


class Room:
    """One bucket at work: its windows, and who is in."""

    __slots__ = (
        "ahead",
        "blocked_until",
        "bucket",
        "cap",
        "charged",
        "due",
        "failures",
        "held",
        "in_flight",
        "key",
        "lease_at",
        "lease_tries",
        "logs",
        "queued",
        "stale_at",
        "successes",
    )

    def __init__(self, bucket: Bucket, key: str) -> None:
        self.key = key
        self.logs: tuple[WindowLog, ...] = ()
        self.in_flight = 0
        self.queued = 0
        self.ahead: dict[Lane, int] = {"interactive": 0, "backfill": 0}
        """Cost of those who wait, by lane."""
        self.charged = 0
        self.blocked_until = 0.0
        self.failures = 0
        self.successes = 0
        self.held = 0
        """Places leased from those that processes share."""
        self.due = 0.0
        """When places that are free are to be given back; infinite for places that are kept."""
        self.stale_at = math.inf
        """When to look again who else is there, before a place that was kept is used."""
        self.lease_at = 0.0
        """When to ask for one again, after there was none."""
        self.lease_tries = 0
        self.define(bucket)

    def define(self, bucket: Bucket) -> None:
        """Apply a definition; who is in stays in."""
        self.bucket = bucket
        self.cap = bucket.concurrency or sys.maxsize

    def refused(self, now: float, retry_after_s: float | None) -> None:
        """Close after a 429. Those of one volley count as one, however many there are."""
        if now >= self.blocked_until:
            self.failures += 1
            self.successes = 0
            if self.bucket.adaptive and self.bucket.concurrency:
                self.cap = max(1, self.cap // 2)
            if not retry_after_s:  # a part of a second that was cut off, most often
                retry_after_s = min(_FIRST_BACKOFF_S * 2 ** (self.failures - 1), _LONGEST_BACKOFF_S)
        if retry_after_s is not None:
            self.blocked_until = max(self.blocked_until, now + max(retry_after_s, 0.0))

    def succeeded(self, now: float) -> bool:
        """Forget failures, and open one more place after a row of successes; say whether one was opened."""
        if now < self.blocked_until:
            return False  # it was sent before the refusal, and says nothing about now
        self.failures = 0
        if not self.bucket.concurrency or self.cap >= self.bucket.concurrency:
            return False
        self.successes += 1
        if self.successes < _SUCCESSES_TO_GROW:
            return False
        self.successes = 0
        self.cap = self.cap + 1
        return True


class Door(Protocol):
    """The queue, as slots see it."""

    under_way: int
    """Requests that are let in and not released yet."""
    watching: bool
    """Whether a release is of interest to anybody."""

    def released(self, plan: "Plan") -> None:
        """React to places that were given back."""
        ...


class Plan:
    """The rooms that requests of one kind need all at once, and those who wait to enter them."""

    __slots__ = ("lanes", "leased", "logs", "names", "queue", "rooms")

    def __init__(self, names: tuple[str, ...], rooms: tuple[Room, ...], queue: Door) -> None:
        self.names = names
        self.rooms = rooms
        self.queue = queue
        self.lanes: dict[Lane, OrderedDict[Waiter, None]] = {}
        """Filled when somebody waits, which most never have to."""
        self.rewire()

    def rewire(self) -> None:
        """Look up windows and places anew, after a definition changed."""
        self.logs = tuple(log for room in self.rooms for log in room.logs)
        self.leased = tuple(room for room in self.rooms if room.bucket.concurrency)

    def fits(self, cost: int, now: float) -> bool:
        """Say whether a request may leave at once, without overtaking anybody."""
        for room in self.rooms:
            if room.queued or room.in_flight >= room.cap or now < room.blocked_until:
                return False
        for log in self.logs:
            if log.due <= now:
                log.roll(now)
            if log.used + cost > log.limit or now < log.opens_at:
                return False
        return True

    def enter(self, cost: int, now: float) -> None:
        """Charge every window and take a place in every room."""
        self.queue.under_way += 1
        for room in self.rooms:
            room.in_flight += 1
            room.charged += cost
        for log in self.logs:
            log.charge(cost, now)

    def head(self) -> "Waiter | None":
        """Return the first in order of those who wait."""
        firsts = [next(iter(lane)) for lane in self.lanes.values() if lane]
        return min(firsts, key=lambda waiter: waiter.order) if firsts else None


class Slot:
    """The right to send one request; a context manager whose end gives back the places.

    Charges stay, since the request was sent; see ``unsent``.
    """

    __slots__ = ("_at", "_cost", "_open", "_plan", "waited_s")

    waited_s: float
    """Seconds spent in the queue."""

    def __init__(self, plan: Plan, cost: int, at: float, waited_s: float = 0.0) -> None:
        self.waited_s = waited_s
        self._plan = plan
        self._cost = cost
        self._at = at
        self._open = True

    def release(self) -> None:
        """Give back the places; again is fine."""
        if self._open:
            self._open = False
            plan = self._plan
            plan.queue.under_way -= 1
            for room in plan.rooms:
                room.in_flight -= 1
            if plan.queue.watching:
                plan.queue.released(plan)

    def unsent(self) -> None:
        """Give back places and charges: nothing has left. Does nothing once released."""
        if self._open:
            for room in self._plan.rooms:
                room.charged -= self._cost
            for log in self._plan.logs:
                log.refund(self._cost, self._at)
            self.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


@attrs.define(eq=False)
class Waiter:
    """One call that waits."""

    plan: Plan
    cost: int
    lane: Lane
    order: tuple[float, int]
    """Arrival, later by a penalty for a backlog, and a serial number: a total order over all."""
    arrived: float
    give_up: float
    future: asyncio.Future[None]
    slot: Slot | None = None
    error: BaseException | None = None
