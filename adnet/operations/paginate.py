"""Pages in parallel, delivered in order: the same rows as one page after another, sooner."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
K = TypeVar("K")


async def in_order(
    keys: Iterable[K], fetch: Callable[[K], Awaitable[T]], *, width: int
) -> AsyncGenerator[T, None]:
    """Yield ``await fetch(key)`` for each key, in the order of *keys*, with up to *width* under way.

    Nothing further is started than the consumer needs, so memory stays flat. When the consumer stops, or one
    fetch fails, the others are cancelled and awaited before the error rises.
    """
    waiting = iter(keys)
    running: deque[asyncio.Task[T]] = deque()

    async def call(key: K) -> T:
        return await fetch(key)

    try:
        while True:
            while len(running) < width and (key := next(waiting, _END)) is not _END:
                running.append(asyncio.create_task(call(key)))  # type: ignore[arg-type]
            if not running:
                return
            await running[0]
            yield running.popleft().result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


_END = object()
