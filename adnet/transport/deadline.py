"""One deadline through limiter, token, retry and poll, however deep the call."""

import asyncio
import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from adnet.clock import Clock
from adnet.errors import AdnetError, RequestTimeoutError

R = TypeVar("R")
_DEADLINE: contextvars.ContextVar[float | None] = contextvars.ContextVar("adnet_deadline", default=None)


def current_deadline() -> float | None:
    """Return the monotonic instant after which nobody waits any more, or None."""
    return _DEADLINE.get()


@contextmanager
def deadline(clock: Clock, seconds: float) -> Iterator[float]:
    """Give everything inside *seconds* in all; a deadline further out does not widen a nearer one."""
    mine = clock.monotonic() + seconds
    outer = _DEADLINE.get()
    token = _DEADLINE.set(mine if outer is None else min(mine, outer))
    try:
        yield mine if outer is None else min(mine, outer)
    finally:
        _DEADLINE.reset(token)


def without_deadline() -> contextvars.Context:
    """Return the present context without its deadline, for work that others wait for, too."""
    context = contextvars.copy_context()
    context.run(_DEADLINE.set, None)
    return context


async def within(
    flight: "asyncio.Task[R]", until: float | None, clock: Clock, *, awaited: str = "token"
) -> R:
    """Return what *flight* gives to the many who wait for it; it goes on when one of them waits no longer.

    What they wait for is told as *awaited*.

    Raises:
        RequestTimeoutError: It gave nothing before *until*.
        AdnetError: What it failed with: to each its own, since each will write its own context into it.
    """
    try:
        if until is None:
            return await asyncio.shield(flight)
        alarm = asyncio.ensure_future(clock.sleep(max(until - clock.monotonic(), 0.0)))
        try:
            await asyncio.wait([flight, alarm], return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
        if not flight.done():
            raise RequestTimeoutError(f"no {awaited} came before the deadline; nothing was sent", sent=False)
        return flight.result()
    except AdnetError as error:
        raise error.copied() from error.__cause__
