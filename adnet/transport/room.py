"""Room for connections: all accounts of a process share what it may have open, and no connection serves two accounts.

A server that answers twice would otherwise answer one account's request with another's rows. So each account has
connections of its own; where there would be too many, accounts at which nothing is under way give theirs up, the one
that has rested longest first, and then the others those that they do not use just now.
"""

import asyncio
from collections.abc import Awaitable, Callable

import attrs


@attrs.define(eq=False)
class Guest:
    """Somebody with connections of its own."""

    leave: Callable[[], Callable[[], Awaitable[None]] | None]
    """Gives what closes all of them, or None where whoever could has gone: who rests here is not kept alive by it."""
    shed: Callable[[], Callable[[], None] | None] = lambda: None
    """Gives what closes those that nothing is under way on, likewise."""
    busy: int = 0
    """Requests under way."""
    connections: int = 0
    """As many as were ever busy at once: it may have fewer, not more."""


class Room:
    """What all guests on one event loop may have open together.

    Args:
        most: Connections, as long as any of them rest.
        busiest: Requests under way, and so connections when none rests. Who has to wait for one to end has been counted
            by its limits before, so that this is for times when hardly any answer comes.
    """

    def __init__(self, most: int, busiest: int) -> None:
        self._most = most
        self._places = asyncio.Semaphore(busiest)
        self._open = 0
        self._resting: dict[Guest, None] = {}
        self._spare: dict[Guest, None] = {}
        """Those who are busy, and have been busier."""

    async def enter(self, guest: Guest, timeout_s: float) -> float:
        """Wait for a place for one request, and return for how many seconds.

        Where it takes one connection too many, what rests is closed.

        Raises:
            TimeoutError: There was none in time.
        """
        waited_s = await self._place(timeout_s)
        guest.busy += 1
        self._note(guest)
        if guest.busy > guest.connections:
            await self._one_more(guest)
        return waited_s

    async def _place(self, timeout_s: float) -> float:
        if not self._places.locked():
            await self._places.acquire()
            return 0.0
        now = asyncio.get_running_loop().time
        began = now()
        async with asyncio.timeout(timeout_s):
            await self._places.acquire()
        return now() - began

    async def _one_more(self, guest: Guest) -> None:
        guest.connections += 1
        self._open += 1
        try:
            while self._open > self._most and (self._resting or self._spare):
                await self._less()
        except BaseException:
            self.give_back(guest)
            raise

    async def _less(self) -> None:
        """Close what somebody has and does not use."""
        if self._resting:
            longest = next(iter(self._resting))
            self.forget(longest)
            if (close := longest.leave()) is not None:
                await close()
            return
        longest = next(iter(self._spare))
        self._open -= longest.connections - longest.busy
        longest.connections = longest.busy
        self._note(longest)
        if (shed := longest.shed()) is not None:
            shed()

    def give_back(self, guest: Guest) -> None:
        """Give the place of one request back; the connection stays."""
        guest.busy -= 1
        self._note(guest)
        self._places.release()

    def forget(self, guest: Guest) -> None:
        """Take note that *guest* has no connections any more."""
        self._open -= guest.connections
        guest.connections = 0
        self._note(guest)

    def _note(self, guest: Guest) -> None:
        self._resting.pop(guest, None)
        self._spare.pop(guest, None)
        if guest.connections > guest.busy:
            (self._spare if guest.busy else self._resting)[guest] = None
