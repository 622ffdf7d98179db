"""Worlds for the limiter: callers, a server with a calendar of its own, and the counting of what it sees."""

import asyncio
import itertools
import math
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from adnet.testing import FakeClock
from adnet.transport.limits import Bucket, Lane, Limiter, Window, WindowState
from tests.faults.tally import tally

B = ("b",)
"""The one bucket of most worlds."""
Send = tuple[float, int]
"""The moment of a send and its cost."""


def run(world: Callable[[FakeClock], Coroutine[Any, Any, Any]]) -> Any:
    """Play *world* in virtual time and return its result; nothing may be left behind on the loop."""
    tally("schedules of calls tried", 1)

    async def play() -> Any:
        result = await world(FakeClock())
        for _ in range(3):
            await asyncio.sleep(0)  # cancelled alarms end
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return result

    return asyncio.run(play())


def fullest(sends: Sequence[Send], per_s: float) -> int:
    """Return the most units in any half-open stretch of *per_s* seconds."""
    return max(
        (sum(cost for at, cost in sends if start <= at < start + per_s) for start, _ in sends), default=0
    )


@attrs.frozen
class Call:
    """One call of a schedule."""

    at: float
    names: tuple[str, ...]
    cost: int = 1
    lane: Lane = "interactive"
    takes_s: float = 0.0
    cancelled_after: float | None = None


async def play(limiter: Limiter, clock: FakeClock, calls: Sequence[Call]) -> list[tuple[float, Call]]:
    """Make *calls* at their times and return what was sent, in order; each is cancelled when its time comes."""
    sent: list[tuple[float, Call]] = []

    async def make(call: Call) -> None:
        await clock.sleep(call.at)
        with await limiter.acquire(call.names, cost=call.cost, lane=call.lane):
            sent.append((clock.monotonic(), call))
            await clock.sleep(call.takes_s)

    async def cancel(task: asyncio.Task[None], call: Call) -> None:
        if call.cancelled_after is not None:
            await clock.sleep(call.at + call.cancelled_after)
            task.cancel()

    tasks = [asyncio.create_task(make(call)) for call in calls]
    await asyncio.gather(*(cancel(task, call) for task, call in zip(tasks, calls, strict=True)))
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    cancelled = [call.cancelled_after is not None for call in calls]
    assert not [end for end, ok in zip(ends, cancelled, strict=True) if end is not None and not ok]
    return sent


@attrs.define
class Server:
    """Counts calls in the windows of its own calendar, and answers with its Date in whole seconds.

    A request is counted up to *rtt_s* after it was sent, by turns given in *delays* as shares of that.
    """

    clock: FakeClock
    window: Window
    skew_s: float = 0.0
    rtt_s: float = 0.02
    delays: Iterator[float] = attrs.field(factory=lambda: itertools.repeat(0.5))
    counts: Counter[int] = attrs.field(factory=Counter)
    times: list[float] = attrs.field(factory=list)
    """When each request was sent."""

    def now(self) -> float:
        """Return the server's time, in seconds since 1970."""
        return self.clock.now().timestamp() + self.skew_s

    def index(self) -> int:
        """Return the number of the window that the server is in."""
        return math.floor((self.now() + self.window.tz_offset_s) / self.window.per_s)

    def date(self) -> datetime:
        """Return the Date header."""
        return datetime.fromtimestamp(math.floor(self.now()), UTC)

    async def call(self, cost: int = 1) -> datetime:
        """Take one request, from its send to its reply, and return the reply's Date."""
        self.times.append(self.clock.monotonic())
        delay = self.rtt_s * next(self.delays)
        await self.clock.sleep(delay)
        self.counts[self.index()] += cost
        date = self.date()
        await self.clock.sleep(self.rtt_s - delay)
        return date


async def hammer(limiter: Limiter, server: Server, *, callers: int, until: float, tells: bool = True) -> None:
    """Call *server* without a pause from several tasks until a moment, letting the limiter see each Date."""
    clock = server.clock

    async def caller() -> None:
        while clock.monotonic() < until:
            with await limiter.acquire(("b",)):
                if clock.monotonic() >= until:
                    return
                date = await server.call()
                if tells:
                    limiter.learn_skew(date, server.rtt_s)

    await asyncio.gather(*(caller() for _ in range(callers)))


def limiter_of(
    clock: FakeClock, *windows: Window, concurrency: int | None = None, **settings: Any
) -> Limiter:
    """Return a limiter with the one bucket ``b``."""
    return Limiter([Bucket("b", windows, concurrency)], clock=clock, **settings)


async def times_of(limiter: Limiter, clock: FakeClock, calls: int, **settings: Any) -> list[float]:
    """Return when each of *calls*, all made now, was let in."""

    async def call() -> float:
        with await limiter.acquire(B, **settings):
            return clock.monotonic()

    return await asyncio.gather(*(call() for _ in range(calls)))


async def settled() -> None:
    """Let every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


def window(limiter: Limiter, position: int = 0) -> WindowState:
    """Return a window of the first bucket as it stands."""
    return limiter.state()[0].windows[position]
