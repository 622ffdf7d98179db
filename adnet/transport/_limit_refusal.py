"""Saying no: at once, with the reason and the time at which there is room."""

import math
from collections.abc import Sequence
from datetime import timedelta

from adnet.clock import Clock
from adnet.errors import ConfigurationError, QuotaExhaustedError, RateLimitError
from adnet.transport._limit_room import Plan, Room, Waiter


class Refusals:
    """Finds out who need not wait at all, and makes the errors.

    Args:
        clock: Dates the errors.
        scope: Whose limits these are.
    """

    def __init__(self, clock: Clock, scope: str) -> None:
        self._clock = clock
        self._scope = scope

    def check(self, plan: Plan, cost: int) -> None:
        """Refuse what would never fit.

        Raises:
            QuotaExhaustedError: A bucket or one of its windows allows nothing.
            ConfigurationError: The cost is larger than a window, or negative.
        """
        if cost < 0:
            raise ConfigurationError(f"the cost of a request is {cost}; it must not be negative")
        for room in plan.rooms:
            name, scope = room.bucket.name, self._scoped([room])
            if room.logs and not any(log.limit for log in room.logs):
                raise QuotaExhaustedError(f"{name} is closed to this account", scope=scope)
            for log in room.logs:
                if max(log.limit, log.next_limit) >= cost:
                    continue
                allows = f"{name} allows {log.limit} in {log.window.per_s:g} s"
                if log.limit == 0:
                    raise QuotaExhaustedError(allows, scope=scope)
                raise ConfigurationError(f"{allows}: a request of cost {cost} never fits")

    def estimate(self, waiter: Waiter, now: float) -> float:
        """Return when *waiter* can be let in at the earliest, given those ahead of it."""
        at = now
        joined = waiter in waiter.plan.lanes.get(waiter.lane, ())
        for room in waiter.plan.rooms:
            at = max(at, room.blocked_until)
            ahead = sum(room.ahead.values()) if waiter.lane == "backfill" else room.ahead["interactive"]
            for log in room.logs:
                if log.due <= now:
                    log.roll(now)
                at = max(at, log.estimate(0 if joined else ahead, waiter.cost, now, waiter.give_up))
        return at

    def error(self, waiter: Waiter, at: float, now: float) -> Exception:
        """Return the error for *waiter*, who would be let in *at* that moment."""
        rooms = [room for room in waiter.plan.rooms if _binds(room, now)] or list(waiter.plan.rooms)
        names, scope = ", ".join(room.bucket.name for room in rooms), self._scoped(rooms)
        waited = now - waiter.arrived
        if at == math.inf:
            return QuotaExhaustedError(f"{names} has no room for this any more", scope=scope)
        wait = at - now
        if wait <= 0:
            message = f"{names} had no place for this in {waited:.1f} s, and it may wait no longer"
            return RateLimitError(message, scope=scope, waited_s=waited)
        return RateLimitError(
            f"{names} will have room in {wait:.1f} s, later than this call may wait",
            retry_after_s=wait,
            free_at=self._clock.now() + timedelta(seconds=wait),
            scope=scope,
            waited_s=waited,
        )

    def _scoped(self, rooms: Sequence[Room]) -> str:
        """Return the names of buckets with whose they are, which a message for people leaves out."""
        prefix = f"{self._scope}/" if self._scope else ""
        return ", ".join(f"{prefix}{room.bucket.name}" for room in rooms)


def _binds(room: Room, now: float) -> bool:
    """Whether a bucket has a limit that may make someone wait now."""
    return bool(room.logs) or now < room.blocked_until or room.in_flight >= room.cap
