"""One deadline through limiter, token, retry and poll, however deep the call."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager

from adnet.clock import Clock

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
