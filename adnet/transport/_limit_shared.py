"""Between the queue of one process and what all processes on a state share."""

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from adnet.clock import Clock
from adnet.errors import StateError
from adnet.transport._limit_room import Plan, Room
from adnet.transport._limit_values import Charge, SharedQuota, Taken
from adnet.transport._limit_window import Calendar, WindowLog

_BLOCK: Final = 100
"""A block is at most the hundredth part of a window, in units and in time."""
_LINGER_S: Final = 0.1
"""How long free places are kept for the next request before other processes may have them."""
_KEPT_SHARE: Final = 8
"""One place in so many is kept from request to request while the account is at work, where nobody else was in
sight: taking and giving back is what costs."""
_KEPT_S: Final = 10.0
"""How long nobody else counts as in sight, where nobody was."""
_ASK_AGAIN_S: Final = 0.05
_ASK_AGAIN_AT_MOST_S: Final = 0.25
"""No process tells another that a place is free, so that one that waits has to ask."""
_STATE_TROUBLE_S: Final = 1.0
_SKEW_DOUBT_S: Final = 1.0
"""Allowed on both sides of remembered bounds: our own clock may have been set since."""
_REMEMBER_EVERY_S: Final = 600.0
_SOON_S: Final = 1e-3


class Share:
    """Takes for a limiter what its requests need of the shared windows and places."""

    def __init__(
        self,
        quota: SharedQuota,
        clock: Clock,
        calendar: Calendar,
        *,
        scope: str,
        rooms: Mapping[str, Room],
    ) -> None:
        self._quota = quota
        self._clock = clock
        self._calendar = calendar
        self._scope = scope
        self._rooms = rooms
        self._holding: dict[Room, None] = {}
        self._closed = False
        self._untroubled_at = 0.0
        """When to give places back again, after the state was locked."""
        self._remembered = (math.inf, -math.inf)
        """(width, moment) of the bounds last remembered."""
        self._told_at_wall = wall = self._wall()
        """What had to be added to our clock when the server's calendar was last told. When it is more now, the machine
        slept, or somebody set its clock: nobody knows which before the next reply."""
        if (bounds := quota.skew(scope)) is not None:
            calendar.assume((bounds[0] + wall - _SKEW_DOUBT_S, bounds[1] + wall + _SKEW_DOUBT_S))

    def take(self, plan: Plan, cost: int, now: float) -> float:
        """Charge the shared windows and lease places; return *now*, or when to try again after nothing was taken.

        Raises:
            StateError: The state is locked or damaged.
        """
        if self._lacks(plan, cost, now) and (at := self._ask(plan, cost, now)) > now:
            return at
        for log in plan.logs:
            log.credit -= cost
        return now

    @staticmethod
    def _lacks(plan: Plan, cost: int, now: float) -> bool:
        """Say whether the store has to be asked."""
        for room in plan.leased:
            if room.in_flight >= room.held or now >= room.stale_at:
                return True
        return any(log.credit < cost or log.credit_until < now for log in plan.logs)

    def _ask(self, plan: Plan, cost: int, now: float) -> float:
        """Lease a place in each room that has none or a stale one, and charge each window that lacks units.

        Nothing of what the store says is believed before all of it is committed.
        """
        full = [room for room in plan.leased if room.in_flight >= room.held or now >= room.stale_at]
        missing = [log for log in plan.logs if log.credit < cost or log.credit_until < now]
        later = max(*(room.lease_at for room in full), *(log.shut_until for log in missing), now)
        if later > now:
            return later
        wall = self._wall()
        charges = [self._wish(log, cost, now, wall) for log in missing]
        returned = [(log.credit_number, log.credit) for log in missing if log.credit > 0]
        leases: list[tuple[int, bool]] = []
        taken: Taken | None = None
        with self._quota.at_once():
            for room in full:
                leases.append(self._lease(room, max(room.queued, 1)))
                if leases[-1][0] <= room.in_flight:
                    break
            else:
                taken = self._quota.take(charges, returned) if missing else None
        for room, lease in zip(full, leases, strict=False):
            self._note(room, lease, now)
            if room.held <= room.in_flight:
                room.lease_at = now + min(_ASK_AGAIN_S * 2**room.lease_tries, _ASK_AGAIN_AT_MOST_S)
                room.lease_tries = min(room.lease_tries + 1, 10)
                return room.lease_at
            room.lease_tries = 0
        return now if taken is None else self._note_charges(missing, charges, taken, now, wall)

    def settle(self, now: float, *, at_work: bool) -> float:
        """Give back places that nobody needed for a while; return when to look again, infinite for never."""
        wake = math.inf
        for room in tuple(self._holding):
            if room.stale_at < math.inf:  # it is kept
                room.due = math.inf if at_work else min(room.due, now + _LINGER_S)
            if room.held <= room.in_flight:
                continue
            if now >= max(room.due, self._untroubled_at) or self._closed:
                try:
                    self._note(room, self._lease(room, room.queued), now)
                except StateError:  # whoever needs the state will tell; nobody waits for this
                    if self._closed:  # as the state is, most often: leases end by themselves
                        self._holding.clear()
                        return math.inf
                    # From now on: to wait for a lock takes longer, and nothing else goes on meanwhile.
                    self._untroubled_at = self._clock.monotonic() + _STATE_TROUBLE_S
            if room.held > room.in_flight:
                wake = min(wake, max(room.due, self._untroubled_at))
        return wake

    def used(self, log: WindowLog, now: float) -> tuple[int, float]:
        """Return what all processes have used of a window, and when the first of it is free again; else infinite."""
        wall = self._wall()
        units, first = self._quota.used(log.key, self._since(log, now, wall))
        return units, math.inf if first is None else self._free_at(log, first, wall)

    def remember(self, now: float) -> None:
        """Remember the server's calendar for the processes that come after, when it became clearer or is old."""
        calendar, self._told_at_wall = self._calendar, self._wall()
        width, at = calendar.latest - calendar.earliest, self._remembered[1]
        if width < self._remembered[0] / 2 or now > at + _REMEMBER_EVERY_S:
            wall = self._told_at_wall
            with suppress(StateError):  # a reply is in hand; whoever needs the state will tell
                self._quota.remember_skew(self._scope, (calendar.earliest - wall, calendar.latest - wall))
            self._remembered = (width, now)

    def close(self) -> None:
        """Give back everything that is not in use, and from now on each place as soon as it is free."""
        self._closed = True
        unused = []
        for room in self._rooms.values():
            unused += [(log.credit_number, log.credit) for log in room.logs if log.credit > 0]
            for log in room.logs:
                log.credit = 0
        if unused or self._holding:
            with self._quota.at_once():
                self._quota.give_back(unused)
                leases = [(room, self._lease(room, 0)) for room in self._holding]
            for room, lease in leases:
                self._note(room, lease, self._clock.monotonic())

    def _wall(self) -> float:
        """Return what to add to our monotonic clock to get seconds since 1970."""
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _lease(self, room: Room, more: int) -> tuple[int, bool]:
        """Lease places for what is in flight and *more*."""
        wanted = min(room.in_flight + more, room.cap)
        return self._quota.hold(room.key, cap=room.cap, in_use=room.in_flight, wanted=wanted)

    def _note(self, room: Room, lease: tuple[int, bool], now: float) -> None:
        room.held, alone = lease
        kept = alone and room.held <= room.cap // _KEPT_SHARE
        room.due, room.stale_at = (math.inf, now + _KEPT_S) if kept else (now + _LINGER_S, math.inf)
        if room.held:
            self._holding[room] = None
        else:
            self._holding.pop(room, None)

    def _note_charges(
        self, logs: list[WindowLog], charges: list[Charge], taken: Taken, now: float, wall: float
    ) -> float:
        grants, short = taken
        for log in logs:
            log.credit = 0
        if grants is None:
            assert short is not None
            position, at = short
            log = logs[position]
            log.shut_until = max(now + _SOON_S, now + 1.0 if at is None else self._free_at(log, at, wall))
            return log.shut_until
        for log, charge, (number, units) in zip(logs, charges, grants, strict=True):
            log.credit, log.credit_number = units, number
            log.credit_at, log.credit_until = now, charge[4] - wall
        return now

    def _since(self, log: WindowLog, now: float, wall: float) -> float:
        """Return the instant before which no use counts any more, whether or not the machine slept."""
        return min(log.cutoff(now), log.cutoff(now, wall - self._told_at_wall)) + wall

    def _free_at(self, log: WindowLog, at: float, wall: float) -> float:
        """Return the moment from which a use *at* that instant counts no more, whether or not the machine slept."""
        return max(log.expiry(at - wall), log.expiry(at - wall, wall - self._told_at_wall))

    def _wish(self, log: WindowLog, cost: int, now: float, wall: float) -> Charge:
        block = max(cost, log.limit // _BLOCK)
        safe_until = min(log.safe_until(now), log.safe_until(now, wall - self._told_at_wall))
        until = min(now + log.window.per_s / _BLOCK, safe_until - _SOON_S)
        if block == cost or until <= now:
            block, until = cost, now
        latest = now + 2 * log.window.per_s
        since = self._since(log, now, wall)
        return log.key, log.limit, cost, block, until + wall, since, latest + wall
