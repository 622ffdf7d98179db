"""A landing whose rows wait in spools: for sinks that take files of Arrow's."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs
import pyarrow as pa

from adnet.clock import Clock
from adnet.models.tables import TABLES, Columns
from adnet.sinks._arrow import pulls_table, to_batch
from adnet.sinks._keys import with_hashes
from adnet.sinks._landing import StagedLanding
from adnet.sinks._spool import Spool
from adnet.sinks._spools import Spools
from adnet.sinks._together import Together, Unit
from adnet.sinks._values import Origin
from adnet.sinks._worker import Worker
from adnet.sinks.base import Landed, Sink, Stretch

_ROWS: Final = 2_048
_BYTES: Final = 2 << 20
"""So many rows or bytes go to the sink's thread together."""
_TOGETHER_BYTES: Final = 16 * _BYTES
"""Once as much as this waits for the sink's thread, over all landings, each page goes there by itself."""
_BACKLOG: Final = 4
"""How far the sink's thread may be behind. A row group takes it as long as two of these take to come, and it does most
of that without the interpreter: on a second core, while the next pages are decoded."""


@attrs.define
class _Waiting:
    """Rows that the sink's thread has not been given yet."""

    batches: list[Any] = attrs.field(factory=list)
    rows: int = 0
    bytes: int = 0

    def add(self, batch: Any, size: int) -> None:
        self.batches.append(batch)
        self.rows += batch.num_rows
        self.bytes += size

    @property
    def enough(self) -> bool:
        return self.rows >= _ROWS or self.bytes >= _BYTES


class SpoolingSink(Sink, ABC):
    """A sink whose landings wait in spools; it belongs to this process while it is open.

    The methods that a sink fills in run in its own thread.
    """

    scheme: ClassVar[str]
    """The scheme of its URI."""
    hashes_keys: ClassVar[bool]
    """Whether batches come with the hashes of their keys; see `adnet.sinks._keys`."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self.path = path
        self.worker = Worker(f"adnet-{self.scheme}")
        self.spools = Spools()
        self.together = Together(self.land)
        self.waiting_bytes = 0
        """What the sink's thread has not staged yet, over all landings, which count it."""
        self._clock = clock

    @property
    def uri(self) -> str:
        """The URI of this sink."""
        return f"{self.scheme}:{self.path}"

    async def open(self) -> None:
        """Take the place, finish what a killed process had begun, and create what is missing."""
        await self.worker.start(self._open, self._close)

    def landing(
        self, *, network: str, account: str, fetched_at: datetime, replaced_at: datetime | None = None
    ) -> "SpoolLanding":
        """Return a new landing of one account."""
        return SpoolLanding(self, Origin(network, account, fetched_at), replaced_at)

    async def record(self, pulls: Sequence[Mapping[str, Any]]) -> None:
        """Upsert rows of the ``pulls`` table."""
        rows = pulls_table(pulls, self._clock.now())
        if rows.num_rows:
            await self.worker.run(self._record, rows)

    async def recorded(self, pull_id: str) -> bool:
        """Say whether a run has been recorded here."""
        return await self.worker.run(self._recorded, pull_id)

    async def count(self, stretch: Stretch) -> int:
        """Return how many rows of *stretch* have landed."""
        return await self.worker.run(self._count, stretch)

    async def close(self) -> None:
        """Remove what was only staged and give the place back."""
        await self.worker.finish(self._close)

    @abstractmethod
    def spool(self, table: str) -> Spool:
        """Return a new spool; it is discarded with the sink at the latest."""

    @abstractmethod
    def land(self, units: Sequence[Unit]) -> None:
        """Land *units*, whose spools may be finished or not: each as a whole or not at all.

        They share a commit, and each is told its outcome. An error that rises is that of those that have none.
        """

    @abstractmethod
    def _open(self) -> None:
        """Open the place."""

    @abstractmethod
    def _close(self) -> None:
        """Let go of the place; also after it could not be opened, and twice."""

    @abstractmethod
    def _record(self, rows: Any) -> None:
        """Land an Arrow table of rows of ``pulls``."""

    @abstractmethod
    def _recorded(self, pull_id: str) -> bool:
        """Say whether ``pulls`` has a row of this run."""

    @abstractmethod
    def _count(self, stretch: Stretch) -> int:
        """Return how many rows of *stretch* have landed."""


class SpoolLanding(StagedLanding[Spool]):
    """One unit of work of one account; its places are spools."""

    def __init__(self, sink: SpoolingSink, origin: Origin, replaced_at: datetime | None) -> None:
        super().__init__(sink.worker)
        self._sink = sink
        self._origin = origin
        self._replaced_at = replaced_at
        self._waiting: dict[str, _Waiting] = {}
        self._passed_on: deque[asyncio.Future[None]] = deque()
        self._unit: Unit

    async def write(self, table: str, columns: Columns) -> None:
        """Stage rows of *table*.

        They become Arrow's in the thread that made them: their values are still in its core's cache, and two
        threads that take turns at the interpreter need longer than one. What is left for the sink's thread does
        without the interpreter, and it is not asked for every page.
        """
        self.worker.check_open()
        batch = to_batch(TABLES[table], columns, self._origin)
        if self._sink.hashes_keys:
            batch = with_hashes(batch, columns, TABLES[table])
        size = batch.get_total_buffer_size()
        waiting = self._waiting.setdefault(table, _Waiting())
        waiting.add(batch, size)
        self._sink.waiting_bytes += size
        if waiting.enough or self._sink.waiting_bytes > _TOGETHER_BYTES:
            await self.pass_on(table, self._waiting.pop(table))

    async def pass_on(self, table: str, rows: _Waiting) -> None:
        """Hand *rows* of *table* to the sink's thread, and wait while it is too far behind.

        What it fails at is told by the next that waits, the commit at the latest.
        """
        staged = self.worker.submit(self._write, table, rows.batches)
        staged.add_done_callback(lambda _: self._count_off(rows))
        self._passed_on.append(staged)
        while self._passed_on and self.worker.backlog > _BACKLOG:
            await self._catch_up()

    def _count_off(self, rows: _Waiting) -> None:
        """Take note that *rows* wait no longer."""
        self._sink.waiting_bytes -= rows.bytes

    async def _catch_up(self) -> None:
        """Wait for the first that is under way; it stays the first until it has ended well."""
        # The sink's thread does it all the same if who waits is cancelled.
        await asyncio.shield(self._passed_on[0])
        del self._passed_on[0]

    async def commit(self) -> dict[str, Landed]:
        """Land what was written."""
        while self._waiting:
            await self.pass_on(*self._waiting.popitem())
        while self._passed_on:
            await self._catch_up()
        # Of this thread's own: landing takes the most memory of all, and each thread keeps what it has freed.
        pa.default_memory_pool().release_unused()
        self._unit = Unit(list(self._places.values()), self._origin, self._replaced_at)
        self._sink.together.add(self._unit)
        try:
            return await super().commit()
        except BaseException:
            self._sink.together.withdraw(self._unit)
            raise

    async def rollback(self) -> None:
        """Forget what was written."""
        while self._waiting:
            self._count_off(self._waiting.popitem()[1])
        await asyncio.gather(*self._passed_on, return_exceptions=True)
        self._passed_on.clear()
        await super().rollback()

    def place(self, table: str) -> Spool:
        """Return a new spool."""
        return self._sink.spool(table)

    def keep(self, table: str, rows: Any, place: Spool) -> None:  # noqa: ARG002 - a spool knows its table
        """Stage record batches."""
        for batch in rows:
            place.add(batch)
        self._sink.spools.relieve()

    def land(self, places: Mapping[str, Spool]) -> dict[str, Landed]:  # noqa: ARG002 - the unit has them
        """Land all spools as one, together with those of other landings."""
        return self._sink.together.land(self._unit)

    def forget(self, place: Spool) -> None:
        """Remove a spool and its files."""
        self._sink.spools.discard([place])
