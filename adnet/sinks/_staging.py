"""A landing whose rows wait in temporary tables of SQLite, which vanish with the process."""

from collections.abc import Callable, Mapping, Sequence

from adnet.models.tables import TABLES, Columns, Table
from adnet.sinks import _texts
from adnet.sinks._landing import StagedLanding
from adnet.sinks._store import Store
from adnet.sinks._values import Origin
from adnet.sinks._worker import Worker
from adnet.sinks.base import Landed

Stages = Sequence[tuple[Table, str]]
"""Tables and the names of the temporary tables with their rows."""


class StoreLanding(StagedLanding[str]):
    """One unit of work of one account; its places are names of temporary tables.

    Args:
        worker: The sink's thread.
        store: Where rows wait.
        origin: What all rows have in common.
        land: Lands temporary tables as one; called in the worker's thread.
    """

    def __init__(
        self, worker: Worker, store: Store, origin: Origin, land: Callable[[Stages], dict[str, Landed]]
    ) -> None:
        super().__init__(worker)
        self._store = store
        self._origin = origin
        self._land = land

    def place(self, table: str) -> str:
        """Return a new temporary table."""
        return self._store.new_stage(TABLES[table])

    def keep(self, table: str, rows: Columns, place: str) -> None:
        """Fill rows in."""
        self._store.fill(place, _texts.to_columns(TABLES[table], rows, self._origin))

    def land(self, places: Mapping[str, str]) -> dict[str, Landed]:
        """Land all temporary tables as one."""
        return self._land([(TABLES[table], stage) for table, stage in places.items()])

    def forget(self, place: str) -> None:
        """Drop a temporary table."""
        self._store.drop_stage(place)
