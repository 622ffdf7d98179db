"""Who goes next: the one queue of all who wait."""

import asyncio
import heapq
import itertools
import math
from collections import OrderedDict
from typing import Final, Protocol

import attrs

from adnet.clock import Clock
from adnet.transport._limit_refusal import Refusals
from adnet.transport._limit_room import Plan, Room, Slot, Waiter
from adnet.transport._limit_values import Lane
from adnet.transport._limit_window import WindowLog
from adnet.transport.base import account_closed

_PENALTY_S: Final[dict[Lane, float]] = {"interactive": 0.0, "backfill": 30.0}
_OVERSHOOT_S: Final = 1e-5
"""Slept on top of each wait, so that rounding never wakes us before the moment we wait for."""
_SPARE_GIVE_UPS: Final = 64


class Cover(Protocol):
    """What stands between the queue and the processes that share its limits."""

    def take(self, plan: Plan, cost: int, now: float) -> float:
        """Charge the shared windows and lease places; return *now*, or when to try again after nothing was taken."""
        ...

    def settle(self, now: float, *, at_work: bool) -> float:
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
        self.under_way = 0
        self._cover = cover
        self._refusals = Refusals(clock, scope)
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
        self._refusals.check(plan, cost)
        give_up = now + self.max_wait_s if deadline is None else min(deadline, now + self.max_wait_s)
        order = (now + _PENALTY_S[lane], next(self._numbers))
        waiter = Waiter(plan, cost, lane, order, now, give_up, asyncio.get_running_loop().create_future())
        if (at := self._refusals.estimate(waiter, now)) > max(give_up, now):
            raise self._refusals.error(waiter, at, now)
        self._join(waiter)
        try:
            if plan.head() is waiter:
                self.turn()
            else:
                self._set_alarm(give_up)
            if waiter.slot is None and waiter.error is None:
                await waiter.future
        except BaseException:
            self._withdraw(waiter)
            raise
        if waiter.error is not None:
            raise waiter.error
        assert waiter.slot is not None
        return waiter.slot

    def turn(self) -> None:
        """Let in everybody who may, in order, and set the alarm for the next change."""
        turn = _Turn(self.clock.monotonic())
        if self._cover is not None:
            # Before our own: others may wait for what has become free.
            self._cover.settle(turn.now, at_work=self.under_way > 0)
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
        if self._cover is not None:
            turn.wake = min(turn.wake, self._cover.settle(turn.now, at_work=self.under_way > 0))
        self._set_alarm(turn.wake)

    def released(self, plan: Plan) -> None:
        """React to places that were given back."""
        idle = not self.under_way and self._alarm_at == math.inf
        for room in plan.leased:
            room.lease_at = 0.0
            idle = idle or (room.held > room.in_flight and room.due < self._alarm_at)
        if self._waiting and any(room.queued for room in plan.rooms):
            self.turn()
        elif idle and self._cover is not None:
            at = self._cover.settle(self.clock.monotonic(), at_work=self.under_way > 0)
            self._set_alarm(min(at, self._alarm_at))

    def close(self) -> None:
        """Stop the alarm, and tell those who wait: nobody would wake them any more."""
        for plan in tuple(self._plans):
            for waiter in [waiter for lane in plan.lanes.values() for waiter in lane]:
                self._leave(waiter, account_closed())
        self._set_alarm(math.inf)

    def _served(self, waiter: Waiter, turn: _Turn) -> bool:
        """Let *waiter* in, or refuse it, or keep its place in the order; say whether it has left the queue."""
        plan, now = waiter.plan, turn.now
        if any(room in turn.closed for room in plan.rooms):
            return False
        ready = {room: self._ready(room, waiter.cost, turn) for room in plan.rooms}
        at = max(ready.values(), default=now)
        full = [r for r in plan.rooms if r.in_flight + turn.places.get(r, 0) >= r.cap]
        if at <= now and not full:
            try:
                at = now if self._cover is None else self._cover.take(plan, waiter.cost, now)
            except Exception as error:  # noqa: BLE001 - it rises where the caller waits
                return self._leave(waiter, error)
            if at <= now:
                plan.enter(waiter.cost, now)
                waiter.slot = Slot(plan, waiter.cost, now, now - waiter.arrived)
                return self._leave(waiter)
            ready = {room: self._ready(room, waiter.cost, turn) for room in plan.rooms}
        if at > waiter.give_up:
            return self._leave(waiter, self._refusals.error(waiter, at, now))
        turn.wake = min(turn.wake, at if at > now else math.inf)
        self._keep(waiter, turn, ready, full, at)
        return False

    @staticmethod
    def _ready(room: Room, cost: int, turn: _Turn) -> float:
        now = turn.now
        at = max(now, room.blocked_until, room.lease_at)
        for log in room.logs:
            if log.due <= now:
                log.roll(now)
            need = cost + turn.units.get(log, 0)
            # Where those ahead take all of it, not before their uses leave the window.
            alone = need <= log.limit or need == cost
            at = max(at, log.ready_at(need, now) if alone else log.expiry(now))
        return at

    @staticmethod
    def _keep(waiter: Waiter, turn: _Turn, ready: dict[Room, float], full: list[Room], at: float) -> None:
        """Keep for *waiter* what it will need, so that nobody behind it can make it wait longer.

        The rooms it waits for longest, or whose places it waits for, are closed to all behind it. In the
        others its units are set aside where a use of now would still count at the time it expects to go;
        shorter windows stay open to all. So are places, unless it only waits for another place.
        """
        for room in waiter.plan.rooms:
            if (room in full) if at <= turn.now else (ready[room] >= at):
                turn.closed.add(room)
                continue
            for log in room.logs:
                if log.expiry(turn.now) > at:
                    turn.units[log] = turn.units.get(log, 0) + waiter.cost
            if at <= turn.now:
                turn.places[room] = turn.places.get(room, 0) + 1

    # ------------------------------------------------------------------ joining and leaving

    def _join(self, waiter: Waiter) -> None:
        waiter.plan.lanes.setdefault(waiter.lane, OrderedDict())[waiter] = None
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
        return waiter not in waiter.plan.lanes.get(waiter.lane, ())

    def _end_waits(self, now: float) -> None:
        while self._give_ups and self._give_ups[0][0] <= now:
            waiter = heapq.heappop(self._give_ups)[2]
            if not self._is_over(waiter):
                at = max(self._refusals.estimate(waiter, now), now)
                self._leave(waiter, self._refusals.error(waiter, at, now))

    # ------------------------------------------------------------------ waking

    def _set_alarm(self, at: float) -> None:
        if self._alarm is not None:
            if self._alarm_at <= at < math.inf and not self._alarm.done():
                return  # it rings early, looks, and is set again
            self._alarm.cancel()
            self._alarm = None
        self._alarm_at = at
        if at < math.inf:
            self._alarm = asyncio.get_running_loop().create_task(self._ring(at))

    async def _ring(self, at: float) -> None:
        await self.clock.sleep(max(at - self.clock.monotonic(), 0.0) + _OVERSHOOT_S)
        self._alarm, self._alarm_at = None, math.inf
        self.turn()
