"""A clock whose time is virtual and a transport that follows a script."""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs
import msgspec

from adnet.transport.wire import Request, Response

_IDLE_TURNS: Final = 10
_MOST_TURNS: Final = 5000
_LONG_LEAP_S: Final = 5.0
_BREATH_S: Final = 0.002
"""Really waited before a leap over so much: under load the kernel delivers even to its own machine a little later,
and a leap over a deadline would fail a request whose answer is on its way."""
_START: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FakeClock:
    """Virtual time: nobody waits, and the order of things is that of real time.

    A sleeper is woken when the clock reaches its deadline. The clock moves by :meth:`advance`, and by itself
    when all tasks are idle: after several turns of the event loop in which nothing but sleepers was there,
    it jumps to the earliest deadline. Answers of servers on the same loop arrive before that.

    Args:
        start: The first instant; aware.
        auto: Whether the clock moves by itself.
        grace_s: Real seconds of idleness before each jump, for tests that wait for threads or processes.
    """

    def __init__(self, start: datetime = _START, *, auto: bool = True, grace_s: float = 0.0) -> None:
        if start.tzinfo is None:
            raise ValueError("start has no time zone")
        self.slept: list[float] = []
        """Every wait that was asked for, in seconds, in order; yielding (zero or less) is none."""
        self._start = start.astimezone(UTC)
        self._seconds = 0.0
        self._auto = auto
        self._grace_s = grace_s
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._watched: asyncio.AbstractEventLoop | None = None

    def now(self) -> datetime:
        """Return the present virtual instant, aware, in UTC."""
        return self._start + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        """Return the virtual seconds since the start."""
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has moved *seconds*; zero or less only yields to other tasks."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self.slept.append(seconds)
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        heapq.heappush(self._sleepers, (self._seconds + seconds, next(self._order), woken))
        self._watch(loop)
        await woken

    def advance(self, seconds: float) -> None:
        """Move time by *seconds* and wake whoever slept until then; they run when the caller yields."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._jump(self._seconds + seconds)

    @property
    def sleeping(self) -> int:
        """How many tasks are waiting for this clock."""
        self._forget_cancelled()
        return len(self._sleepers)

    def _jump(self, target: float) -> None:
        self._seconds = target
        while self._sleepers and self._sleepers[0][0] <= target:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done() and not woken.get_loop().is_closed():
                woken.set_result(None)

    def _forget_cancelled(self) -> None:
        kept = [entry for entry in self._sleepers if not entry[2].done()]
        if len(kept) != len(self._sleepers):
            self._sleepers = kept
            heapq.heapify(self._sleepers)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._auto and self._watched is not loop:
            self._watched = loop
            loop.call_soon(self._turn, loop, 0, 0)

    def _turn(self, loop: asyncio.AbstractEventLoop, idle: int, turns: int) -> None:
        """Look once per turn of the loop whether anything but sleepers is left; jump after enough of them."""
        self._forget_cancelled()
        if not self._sleepers:
            self._watched = None
            return
        busy = bool(getattr(loop, "_ready", ()))
        idle = 0 if busy else idle + 1
        if idle < _IDLE_TURNS and turns < _MOST_TURNS:
            loop.call_soon(self._turn, loop, idle, turns + 1)
        elif grace_s := self._grace():
            loop.call_later(grace_s, self._after_grace, loop, len(self.slept))
        else:
            self._leap(loop)

    def _grace(self) -> float:
        """Return the real seconds of idleness before the next jump."""
        long = self._sleepers[0][0] - self._seconds >= _LONG_LEAP_S
        return max(self._grace_s, _BREATH_S) if long else self._grace_s

    def _after_grace(self, loop: asyncio.AbstractEventLoop, slept: int) -> None:
        if len(self.slept) == slept and not getattr(loop, "_ready", ()):
            self._leap(loop)
        else:
            loop.call_soon(self._turn, loop, 0, 0)

    def _leap(self, loop: asyncio.AbstractEventLoop) -> None:
        self._forget_cancelled()
        if self._sleepers:
            self._jump(self._sleepers[0][0])
        loop.call_soon(self._turn, loop, 0, 0)

    def __repr__(self) -> str:
        return f"FakeClock({self.now().isoformat()}, {self.sleeping} sleeping)"


Reply = Response | BaseException
Script = Iterable["Reply | Callable[[Request], Any]"] | Callable[[Request], Any]


def answer(
    status: int = 200, json: Any = None, *, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Response:
    """Return a Response for a script; its URL is filled in with the request's."""
    content = msgspec.json.encode(json) if json is not None else body
    lower = {name.lower(): value for name, value in (headers or {}).items()}
    return Response(status=status, url="", headers=lower, body=content)


class ScriptTransport:
    """A Transport that answers from a script and remembers what was sent.

    Args:
        script: The replies in order, or a function that makes a reply of each request. A reply is a Response
            (see :func:`answer`), an exception to raise, or a function of the request (also an async one)
            that returns either.
    """

    def __init__(self, script: Script = ()) -> None:
        self.sent: list[Request] = []
        """Every request, as signed, in order."""
        self.timeouts: list[float] = []
        """The ``timeout_s`` of every request."""
        self.closed = False
        self._make = script if callable(script) else None
        self._replies = iter(()) if callable(script) else iter(script)

    async def send(self, request: Request, *, timeout_s: float) -> Response:
        """Return or raise the next reply."""
        self.sent.append(request)
        self.timeouts.append(timeout_s)
        reply: Any = self._make or next(self._replies, None)
        if reply is None:
            raise AssertionError(f"the script has no reply left for {request.route.method} {request.url}")
        if callable(reply) and not isinstance(reply, BaseException):
            reply = reply(request)
            if isinstance(reply, Awaitable):
                reply = await reply
        if isinstance(reply, BaseException):
            raise reply
        assert isinstance(reply, Response), f"no reply: {reply!r}"
        return reply if reply.url else attrs.evolve(reply, url=request.url)

    async def close(self) -> None:
        """Take note that it was closed."""
        self.closed = True

    def __repr__(self) -> str:
        return f"ScriptTransport({len(self.sent)} sent)"
