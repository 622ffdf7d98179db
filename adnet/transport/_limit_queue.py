"""Who goes next: the rooms of buckets, the plans of routes, the waiters and their one queue."""

import asyncio
import heapq
import itertools
import math
import sys
from collections import OrderedDict
from collections.abc import Iterator
from datetime import timedelta
from typing import Final, Protocol, Self

import attrs

from adnet.clock import Clock
from adnet.errors import ConfigurationError, QuotaExhaustedError, RateLimitError
from adnet.transport._limit_values import Bucket, Lane
from adnet.transport._limit_window import WindowLog

_PENALTY_S: Final[dict[Lane, float]] = {"interactive": 0.0, "backfill": 30.0}
_OVERSHOOT_S: Final = 1e-5
"""Slept on top of each wait, so that rounding never wakes us before the moment we wait for."""
_FIRST_BACKOFF_S: Final = 1.0
_LONGEST_BACKOFF_S: Final = 64.0
_SUCCESSES_TO_GROW: Final = 20
_SPARE_GIVE_UPS: Final = 64


class Room:
    """One bucket at work: its windows, and who is in."""

    __slots__ = (
        "ahead",
        "blocked_until",
        "bucket",
        "cap",
        "charged",
        "failures",
        "held",
        "in_flight",
        "key",
        "logs",
        "places",
        "queued",
        "successes",
        "synced_at",
    )

    def __init__(self, bucket: Bucket, key: str) -> None:
        self.key = key
        self.logs: list[WindowLog] = []
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
        self.synced_at = -math.inf
        self.define(bucket)

    def define(self, bucket: Bucket) -> None:
        """Apply a definition; who is in stays in."""
        self.bucket = bucket
        self.cap = self.places = bucket.concurrency or sys.maxsize

    def refused(self, now: float, retry_after_s: float | None) -> None:
        """Close after a 429. Those of one volley count as one, however many there are."""
        if now >= self.blocked_until:
            self.failures += 1
            self.successes = 0
            if self.bucket.adaptive and self.bucket.concurrency:
                self.cap = self.places = max(1, self.cap // 2)
            if retry_after_s is None:
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
        self.cap = self.places = self.cap + 1
        return True


class Plan:
    """The rooms that requests of one kind need all at once, and those who wait to enter them."""

    __slots__ = ("lanes", "logs", "names", "queue", "rooms")

    def __init__(self, names: tuple[str, ...], rooms: tuple[Room, ...], queue: "Queue") -> None:
        self.names = names
        self.rooms = rooms
        self.queue = queue
        self.lanes: dict[Lane, OrderedDict[Waiter, None]] = {
            "interactive": OrderedDict(),
            "backfill": OrderedDict(),
        }
        self.rewire()

    def rewire(self) -> None:
        """Look up the windows anew, after a definition changed."""
        self.logs = tuple(log for room in self.rooms for log in room.logs)

    def fits(self, cost: int, now: float) -> bool:
        """Say whether a request may leave at once, without overtaking anybody."""
        for room in self.rooms:
            if room.queued or room.in_flight >= room.places or now < room.blocked_until:
                return False
        for log in self.logs:
            if log.due <= now:
                log.roll(now)
            if log.used + cost > log.limit or now < log.opens_at:
                return False
        return True

    def enter(self, cost: int, now: float) -> None:
        """Charge every window and take a place in every room."""
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


class Cover(Protocol):
    """What stands between the queue and the processes that share its limits."""

    def take(self, plan: Plan, cost: int, now: float) -> float:
        """Charge the shared windows and lease places; return *now*, or when to try again after nothing was taken."""
        ...

    def settle(self, now: float) -> float:
        """Give back what is held and not needed; return when to look again, infinite for never."""
        ...


@attrs.define
class _Turn:
    """What earlier waiters keep for themselves during one look at the queue."""

    now: float
    closed: set[Room] = attrs.field(factory=set)
    units: dict[WindowLog, int] = attrs.field(factory=dict)
    places: dict[Room, int] = attrs.field(factory=dict)
    wake: float = math.inf


class Queue:
    """All waiters of one limiter, served in one total order."""

    def __init__(self, clock: Clock, *, max_wait_s: float, scope: str, cover: Cover | None = None) -> None:
        self.clock = clock
        self.max_wait_s = max_wait_s
        self.scope = scope
        self.waited_s = 0.0
        self._cover = cover
        self.watching = cover is not None
        """Whether a release is of interest to anybody."""
        self._numbers = itertools.count()
        self._plans: dict[Plan, None] = {}
        self._waiting = 0
        self._give_ups: list[tuple[float, int, Waiter]] = []
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = math.inf

    async def enter(self, plan: Plan, cost: int, lane: Lane, deadline: float | None) -> Slot:
        """Wait for the turn of a request; see ``Limiter.acquire``."""
        now = self.clock.monotonic()
        if cost < 0:
            raise ValueError("cost is negative")
        self._refuse_impossible(plan, cost)
        give_up = now + self.max_wait_s if deadline is None else min(deadline, now + self.max_wait_s)
        order = (now + _PENALTY_S[lane], next(self._numbers))
        waiter = Waiter(plan, cost, lane, order, now, give_up, asyncio.get_running_loop().create_future())
        self._refuse_hopeless(waiter, now)
        self._join(waiter)
        try:
            if plan.head() is waiter:
                self.turn()
            if waiter.slot is None and waiter.error is None:
                await waiter.future
        except BaseException:
            self._withdraw(waiter)
            raise
        if waiter.error is not None:
            raise waiter.error
        assert waiter.slot is not None
        self.waited_s += waiter.slot.waited_s
        return waiter.slot

    def turn(self) -> None:
        """Let in everybody who may, in order, and set the alarm for the next change."""
        turn = _Turn(self.clock.monotonic())
        if self._cover is not None:
            turn.wake = self._cover.settle(turn.now)
        self._end_waits(turn.now)
        heads = [(head.order, head) for plan in self._plans if (head := plan.head()) is not None]
        heapq.heapify(heads)
        while heads:
            _, waiter = heapq.heappop(heads)
            if self._served(waiter, turn) and (head := waiter.plan.head()) is not None:
                heapq.heappush(heads, (head.order, head))
        while self._give_ups and self._is_over(self._give_ups[0][2]):
            heapq.heappop(self._give_ups)
        if self._give_ups:
            turn.wake = min(turn.wake, self._give_ups[0][0])
        self._set_alarm(turn.wake)

    def released(self, plan: Plan) -> None:
        """React to places that were given back."""
        if self._cover is not None or any(room.queued for room in plan.rooms):
            self.turn()

    def close(self) -> None:
        """Stop the alarm; those who wait are woken by nobody any more."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _served(self, waiter: Waiter, turn: _Turn) -> bool:
        """Let *waiter* in, or refuse it, or keep its place in the order; say whether it has left the queue."""
        plan, now = waiter.plan, turn.now
        if any(room in turn.closed for room in plan.rooms):
            return False
        ready = {room: self._ready(room, waiter.cost, turn) for room in plan.rooms}
        at = max(ready.values(), default=now)
        full = [r for r in plan.rooms if r.in_flight + turn.places.get(r, 0) >= r.places]
        if at <= now and not full:
            try:
                at = now if self._cover is None else self._cover.take(plan, waiter.cost, now)
            except Exception as error:  # noqa: BLE001 - it rises where the caller waits
                return self._leave(waiter, error)
            if at <= now:
                plan.enter(waiter.cost, now)
                waiter.slot = Slot(plan, waiter.cost, now, now - waiter.arrived)
                return self._leave(waiter)
            full = list(plan.rooms)
        if at > waiter.give_up:
            return self._leave(waiter, self._refusal(waiter, at, now))
        turn.wake = min(turn.wake, at if at > now else math.inf)
        self._keep(waiter, turn, ready, full, at)
        return False

    @staticmethod
    def _ready(room: Room, cost: int, turn: _Turn) -> float:
        at = max(turn.now, room.blocked_until)
        for log in room.logs:
            if log.due <= turn.now:
                log.roll(turn.now)
            at = max(at, log.ready_at(min(cost + turn.units.get(log, 0), max(log.limit, cost)), turn.now))
        return at

    @staticmethod
    def _keep(waiter: Waiter, turn: _Turn, ready: dict[Room, float], full: list[Room], at: float) -> None:
        """Keep for *waiter* what it will need, so that nobody behind it can make it wait longer.

        Rooms that make it wait are closed to all behind it. In the others its units are set aside where a
        later use would still count at the time it expects to go; shorter windows stay open to all.
        """
        for room in waiter.plan.rooms:
            if ready[room] > turn.now or (room in full and at <= turn.now):
                turn.closed.add(room)
                continue
            for log in room.logs:
                if log.expiry(turn.now) > at:
                    turn.units[log] = turn.units.get(log, 0) + waiter.cost
            if at <= turn.now:
                turn.places[room] = turn.places.get(room, 0) + 1

    # ------------------------------------------------------------------ joining and leaving

    def _join(self, waiter: Waiter) -> None:
        waiter.plan.lanes[waiter.lane][waiter] = None
        self._plans[waiter.plan] = None
        self._waiting += 1
        self.watching = True
        for room in waiter.plan.rooms:
            room.queued += 1
            room.ahead[waiter.lane] += waiter.cost
        heapq.heappush(self._give_ups, (waiter.give_up, waiter.order[1], waiter))

    def _leave(self, waiter: Waiter, error: BaseException | None = None) -> bool:
        waiter.error = error
        plan = waiter.plan
        del plan.lanes[waiter.lane][waiter]
        if not any(plan.lanes.values()):
            del self._plans[plan]
        self._waiting -= 1
        self.watching = self._cover is not None or self._waiting > 0
        for room in plan.rooms:
            room.queued -= 1
            room.ahead[waiter.lane] -= waiter.cost
        if not waiter.future.done():
            waiter.future.set_result(None)
        if len(self._give_ups) > 2 * self._waiting + _SPARE_GIVE_UPS:
            self._give_ups = [entry for entry in self._give_ups if not self._is_over(entry[2])]
            heapq.heapify(self._give_ups)
        return True

    def _withdraw(self, waiter: Waiter) -> None:
        """Undo everything for a caller that was cancelled, and hand the turn on."""
        if waiter.slot is not None:
            waiter.slot.unsent()
        elif waiter.error is None:
            self._leave(waiter)
        self.turn()

    def _is_over(self, waiter: Waiter) -> bool:
        return waiter not in waiter.plan.lanes[waiter.lane]

    def _end_waits(self, now: float) -> None:
        while self._give_ups and self._give_ups[0][0] <= now:
            waiter = heapq.heappop(self._give_ups)[2]
            if not self._is_over(waiter):
                at = max(self._estimate(waiter, now), now)
                self._leave(waiter, self._refusal(waiter, at, now))

    # ------------------------------------------------------------------ refusing

    def _refuse_impossible(self, plan: Plan, cost: int) -> None:
        for room in plan.rooms:
            scope = self._scope(room)
            limits = [log.limit for log in room.logs]
            if limits and not any(limits):
                raise QuotaExhaustedError(f"{scope} is closed to this account", scope=scope)
            for log in room.logs:
                if max(log.limit, log.next_limit) >= cost:
                    continue
                if log.limit == 0:
                    message = f"{scope} allows nothing in {log.window.per_s:g} s"
                    raise QuotaExhaustedError(message, scope=scope)
                raise ConfigurationError(
                    f"{scope} allows {log.limit} in {log.window.per_s:g} s: a request of cost {cost} never fits"
                )

    def _refuse_hopeless(self, waiter: Waiter, now: float) -> None:
        at = self._estimate(waiter, now)
        if at > waiter.give_up and at > now:
            raise self._refusal(waiter, at, now)

    def _estimate(self, waiter: Waiter, now: float) -> float:
        """Return when *waiter* would be let in at the earliest."""
        at = now
        for room in waiter.plan.rooms:
            at = max(at, room.blocked_until)
            ahead = sum(room.ahead.values()) if waiter.lane == "backfill" else room.ahead["interactive"]
            if waiter.plan.lanes[waiter.lane].get(waiter, 0) is None:
                ahead = 0
            for log in room.logs:
                if log.due <= now:
                    log.roll(now)
                at = max(at, log.estimate(ahead, waiter.cost, now, waiter.give_up))
        return at

    def _refusal(self, waiter: Waiter, at: float, now: float) -> Exception:
        if at == math.inf:
            return QuotaExhaustedError(f"{self._names(waiter)} has no room for this any more")
        wait = at - now
        return RateLimitError(
            f"{self._names(waiter)} would be free in {wait:.1f} s, later than this call may wait",
            retry_after_s=wait,
            free_at=self.clock.now() + timedelta(seconds=wait),
            scope=self._names(waiter),
            waited_s=now - waiter.arrived,
        )

    def _names(self, waiter: Waiter) -> str:
        return ", ".join(self._scope(room) for room in waiter.plan.rooms)

    def _scope(self, room: Room) -> str:
        return f"{self.scope}/{room.bucket.name}" if self.scope else room.bucket.name

    # ------------------------------------------------------------------ waking

    def _set_alarm(self, at: float) -> None:
        if self._alarm is not None and (at >= self._alarm_at and at < math.inf):
            return  # it rings early, looks, and is set again
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if at < math.inf:
            self._alarm_at = at
            self._alarm = asyncio.get_running_loop().create_task(self._ring(at))

    async def _ring(self, at: float) -> None:
        await self.clock.sleep(max(at - self.clock.monotonic(), 0.0) + _OVERSHOOT_S)
        self._alarm = None
        self.turn()

    def waiters(self) -> Iterator[Waiter]:
        """Yield all who wait, plan by plan."""
        for plan in self._plans:
            for lane in plan.lanes.values():
                yield from lane
