"""One unit of work of one account, whatever its rows wait in: files for some sinks, temporary tables for others."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from adnet.models.tables import Columns
from adnet.sinks._worker import Worker
from adnet.sinks.base import Landed

P = TypeVar("P")
"""Where the rows of one table wait."""


class StagedLanding(ABC, Generic[P]):
    """A landing whose rows wait somewhere until they land together; see `adnet.sinks.base.Landing`.

    The methods that a sink fills in run in its own thread.
    """

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._places: dict[str, P] = {}

    @abstractmethod
    def place(self, table: str) -> P:
        """Return a new, empty place for rows of *table*."""

    @abstractmethod
    def keep(self, table: str, rows: Any, place: P) -> None:
        """Keep *rows* of *table*, as `write` passes them on, in its *place*."""

    @abstractmethod
    def land(self, places: Mapping[str, P]) -> dict[str, Landed]:
        """Land everything that was kept, as a whole or not at all."""

    @abstractmethod
    def forget(self, place: P) -> None:
        """Remove a place and what waits in it."""

    async def write(self, table: str, columns: Columns) -> None:
        """Stage rows of *table*."""
        await self.pass_on(table, columns)

    async def pass_on(self, table: str, rows: Any) -> None:
        """Hand *rows* of *table* to the sink's thread."""
        await self.worker.run(self._write, table, rows)

    async def commit(self) -> dict[str, Landed]:
        """Land what was written."""
        return await self.worker.run(self._commit)

    async def rollback(self) -> None:
        """Forget what was written."""
        if not self.worker.closed:
            await self.worker.run(self._discard)

    def _write(self, table: str, rows: Any) -> None:
        if table not in self._places:
            self._places[table] = self.place(table)
        self.keep(table, rows, self._places[table])

    def _commit(self) -> dict[str, Landed]:
        landed = self.land(self._places)
        self._discard()
        return landed

    def _discard(self) -> None:
        while self._places:
            self.forget(self._places.popitem()[1])
