"""One thread for one sink, so that its library is never entered twice at once and the event loop never waits."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from adnet.errors import SinkError

P = ParamSpec("P")
T = TypeVar("T")


class Worker:
    """Runs functions in one thread of its own, in the order in which they were asked for."""

    def __init__(self, name: str) -> None:
        self.backlog = 0
        """How many functions were asked for and have not ended."""
        self._closed = False
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what *function* returns.

        A function under way when the caller is cancelled runs to its end; what is asked for next waits for it.
        """
        return await self.submit(function, *args, **kwargs)

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Ask for *function* and return at once; what it returns or raises is told by the future."""
        self.check_open()
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(self._pool, lambda: function(*args, **kwargs))
        self.backlog += 1
        done.add_done_callback(self._ended)
        return done

    def _ended(self, _: object) -> None:
        self.backlog -= 1

    def check_open(self) -> None:
        """Refuse what comes after the end.

        Raises:
            SinkError: The thread has gone.
        """
        if self._closed:
            raise SinkError("this sink is closed")

    @property
    def closed(self) -> bool:
        """Whether the thread has gone."""
        return self._closed

    async def start(self, first: Callable[[], object], undo: Callable[[], object]) -> None:
        """Run a *first* function; if it fails or the caller is cancelled, *undo* it and let the thread go.

        What was taken is free again before the caller learns of it, so that nobody else meets it as taken.
        """
        try:
            await self.run(first)
        except BaseException:
            self._closed = True
            undone = asyncio.wrap_future(self._pool.submit(undo))
            self._pool.shutdown(wait=False)
            await asyncio.wait([undone])
            undone.exception()  # the first trouble is the one to tell
            raise

    async def finish(self, function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Run a last *function*, to its end even if the caller is cancelled, and let the thread go."""
        if self._closed:
            return
        self._closed = True
        last = asyncio.wrap_future(self._pool.submit(function, *args, **kwargs))
        self._pool.shutdown(wait=False)
        # When the caller is cancelled, nobody is left to hear how it ended.
        last.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(last)
