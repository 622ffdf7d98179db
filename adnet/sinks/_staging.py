"""A landing whose rows wait in temporary tables of SQLite, which vanish with the process."""

from collections.abc import Callable, Sequence

from adnet.models.tables import TABLES, Columns, Table
from adnet.sinks import _texts
from adnet.sinks._store import Store
from adnet.sinks._values import Origin
from adnet.sinks._worker import Worker
from adnet.sinks.base import Landed

Stages = Sequence[tuple[Table, str]]
"""Tables and the names of the temporary tables with their rows."""


class StoreLanding:
    """One unit of work of one account.

    Args:
        worker: The sink's thread.
        store: Where rows wait.
        origin: What all rows have in common.
        land: Lands temporary tables as one; called in the worker's thread.
    """

    def __init__(
        self, worker: Worker, store: Store, origin: Origin, land: Callable[[Stages], dict[str, Landed]]
    ) -> None:
        self._worker = worker
        self._store = store
        self._origin = origin
        self._land = land
        self._stages: dict[str, str] = {}

    async def write(self, table: str, columns: Columns) -> None:
        """Stage rows of *table*."""
        await self._worker.run(self._write, table, columns)

    async def commit(self) -> dict[str, Landed]:
        """Land what was written."""
        return await self._worker.run(self._commit)

    async def rollback(self) -> None:
        """Forget what was written."""
        if not self._worker.closed:
            await self._worker.run(self._discard)

    def _write(self, table: str, columns: Columns) -> None:
        values = _texts.to_columns(TABLES[table], columns, self._origin)
        if table not in self._stages:
            self._stages[table] = self._store.new_stage(TABLES[table])
        self._store.fill(self._stages[table], values)

    def _commit(self) -> dict[str, Landed]:
        landed = self._land([(TABLES[table], stage) for table, stage in self._stages.items()])
        self._discard()
        return landed

    def _discard(self) -> None:
        while self._stages:
            self._store.drop_stage(self._stages.popitem()[1])
