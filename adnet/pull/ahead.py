"""Writing one batch behind: while the sink's thread takes a batch, the next one is fetched and decoded."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from adnet.models import Columns
from adnet.sinks import Landing
from adnet.transport.events import Meter

FEW_ROWS: Final = 256
FEW_BYTES: Final = 64 << 10
"""A batch of fewer rows, with fewer bytes of ``raw``, waits for its like: what a sink does to each column of each batch
takes as long as some dozens of values."""


class _Few:
    """Columns of small batches of one table, until together they are worth writing."""

    def __init__(self) -> None:
        self._columns: defaultdict[str, list[Any]] = defaultdict(list)
        self._rows = self._bytes = 0

    def add(self, columns: Columns) -> Columns | None:
        """Return *columns* behind those that waited; None where they wait, too."""
        rows = len(columns["raw"])
        size = sum(len(text) for text in columns["raw"] if text) if rows < FEW_ROWS else 0
        if not self._rows and (rows >= FEW_ROWS or size >= FEW_BYTES):
            return columns
        for name, values in columns.items():
            self._columns[name] += values
        self._rows += rows
        self._bytes += size
        return self.take() if self._rows >= FEW_ROWS or self._bytes >= FEW_BYTES else None

    def take(self) -> Columns | None:
        """Return what waits, and forget it; None if nothing does."""
        taken = dict(self._columns) if self._rows else None
        self._columns.clear()
        self._rows = self._bytes = 0
        return taken


class WriteBehind:
    """Brings columns to a landing, in order; one write at most is under way, so memory stays flat."""

    def __init__(self, landing: Landing, meter: Meter, monotonic: Callable[[], float]) -> None:
        self._landing = landing
        self._meter = meter
        self._monotonic = monotonic
        self._few: defaultdict[str, _Few] = defaultdict(_Few)
        self._under_way: asyncio.Task[None] | None = None

    async def write(self, table: str, columns: Columns) -> None:
        """Begin to write, once the write before has ended; small batches are written together.

        Raises:
            PayloadError: The write before had a value that fits no column.
            SinkError: The write before failed.
        """
        if (together := self._few[table].add(columns)) is not None:
            await self._begin(table, together)

    async def _begin(self, table: str, columns: Columns) -> None:
        await self._settle()
        self._under_way = asyncio.create_task(self._write(table, columns))
        # It begins now, before the next page is decoded: a sink converts values while they are still in the cache.
        await asyncio.sleep(0)

    async def settle(self) -> None:
        """Write what waits, and wait for what is under way.

        Raises:
            PayloadError: It had a value that fits no column.
            SinkError: It failed.
        """
        for table, few in self._few.items():
            if (columns := few.take()) is not None:
                await self._begin(table, columns)
        await self._settle()

    async def _settle(self) -> None:
        if (task := self._under_way) is not None:
            await task
            self._under_way = None

    async def drop(self) -> None:
        """Wait for what is under way without asking what came of it: the landing is given up."""
        self._few.clear()
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
