"""Writing one batch behind: while the sink's thread takes a batch, the next one is fetched and decoded."""

import asyncio
from collections.abc import Callable

from adnet.models import Columns
from adnet.sinks import Landing
from adnet.transport.events import Meter


class WriteBehind:
    """Brings columns to a landing, in order; one write at most is under way, so memory stays flat."""

    def __init__(self, landing: Landing, meter: Meter, monotonic: Callable[[], float]) -> None:
        self._landing = landing
        self._meter = meter
        self._monotonic = monotonic
        self._under_way: asyncio.Task[None] | None = None

    async def write(self, table: str, columns: Columns) -> None:
        """Begin to write, once the write before has ended.

        Raises:
            PayloadError: The write before had a value that fits no column.
            SinkError: The write before failed.
        """
        await self.settle()
        self._under_way = asyncio.create_task(self._write(table, columns))
        # It begins now, before the next page is decoded: a sink converts values while they are still in the cache.
        await asyncio.sleep(0)

    async def settle(self) -> None:
        """Wait for what is under way.

        Raises:
            PayloadError: It had a value that fits no column.
            SinkError: It failed.
        """
        if (task := self._under_way) is not None:
            await task
            self._under_way = None

    async def drop(self) -> None:
        """Wait for what is under way without asking what came of it: the landing is given up."""
        if (task := self._under_way) is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._under_way = None

    async def _write(self, table: str, columns: Columns) -> None:
        started = self._monotonic()
        try:
            await self._landing.write(table, columns)
        finally:
            self._meter.sink_s += self._monotonic() - started
