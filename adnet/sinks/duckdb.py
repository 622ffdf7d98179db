"""Rows into a DuckDB file, ``duckdb:FILE``.

Rows are staged outside the database and merged in one transaction, so that a process killed at any moment leaves
the file as it was before the landing or as it is after it. Memory is bounded: DuckDB may take 64 MB and spills
beyond that; only what cannot spill is tried again with more.
"""

import contextlib
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs
import duckdb

from adnet.clock import Clock
from adnet.errors import SinkError
from adnet.models.tables import PULLS, TABLES
from adnet.sinks import _values
from adnet.sinks._arrow import last_of_each, numbered
from adnet.sinks._duckdb_errors import explained
from adnet.sinks._duckdb_merge import Stage, merge, replace, scope_of
from adnet.sinks._files import FolderLock, make_folder, remove, sync
from adnet.sinks._spool import UNLIKE, Spool
from adnet.sinks._spooling import SpoolingSink
from adnet.sinks._sql import DUCKDB_TYPES, create, definitions, literal, one_file, quoted, within
from adnet.sinks._together import Unit
from adnet.sinks.base import Landed, Stretch

T = TypeVar("T")

_PACKING: Final = (1, 2)
"""The first format of files that can pack texts with zstd."""
_OLD: Final = duckdb.__version__.startswith(("0.", "1."))
_FORMAT: Final = {"storage_compatibility_version": "v1.2.0"} if _OLD else {}
"""How new files are made: DuckDB before 2.0 would choose a format that cannot."""
_MEMORY_MB: Final = (64, 128, 256, 1024, 4096)
"""What DuckDB may take; the next figure is for a landing that the one before was too little for."""


@attrs.frozen
class _Work:
    """What lands of one account."""

    stages: Sequence[Stage]
    replaced_at: datetime

    @property
    def stamp(self) -> str:
        """The stamp of rows that move to the history, as SQL."""
        return f"TIMESTAMP {literal(str(_values.instant(self.replaced_at)))}"


class DuckDbSink(SpoolingSink):
    """One DuckDB file; it belongs to this process while it is open."""

    scheme = "duckdb"
    hashes_keys = False  # it hashes them itself

    def __init__(self, path: Path, *, clock: Clock) -> None:
        super().__init__(path, clock=clock)
        self._folder = path.with_name(f".{path.name}.adnet")
        self._lock = FolderLock(self._folder / "lock", of=path)
        self._numbers = itertools.count()
        self._connection: Any = None

    def _open(self) -> None:
        with explained(self.path):
            if self.path.is_dir():
                raise SinkError(f"{self.path}: is a folder: name a file, like {self.path / 'ads.duckdb'}")
        make_folder(self.path.parent)
        try:
            # Before DuckDB comes: it may spill there as it reads the log of a process that died.
            make_folder(self._folder, private=True)
            self._lock.take()
            self._clear()
            with explained(self.path):
                if not self.path.exists():
                    self._create()
                self._connection = duckdb.connect(str(self.path), config=self._settings())
                self._transact(self._create_tables)
        except BaseException:
            self._close()
            raise

    def _create(self) -> None:
        """Make the file, whole or not at all: DuckDB begins with an empty one, which it refuses to open later."""
        draft = self._folder / "new.duckdb"
        duckdb.connect(str(draft), config=self._settings() | _FORMAT).close()
        sync(draft)
        if not self.path.exists():  # no other program was quicker
            draft.rename(self.path)

    def _settings(self) -> dict[str, str]:
        return {
            "memory_limit": f"{_MEMORY_MB[0]}MB",
            "temp_directory": str(self._folder / "spill"),
            # A second one takes a third more CPU, since its half of an insert has to be joined with the other.
            "threads": "1",
            "preserve_insertion_order": "false",
            # Some small landings would bring a checkpoint each time, which writes row groups anew; the log of a process
            # that was killed takes less than a second to read.
            "wal_autocheckpoint": "256MB",
            "autoinstall_known_extensions": "false",
        }

    def _create_tables(self) -> None:
        rows = self._connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name ="
            " current_database() AND schema_name = 'main'"
        ).fetchall()
        there: dict[str, dict[str, str]] = {}
        for table, column, kind in rows:
            there.setdefault(table, {})[column] = kind
        for table, columns in definitions(DUCKDB_TYPES).items():
            if table not in there:
                self._create_table(table, columns)
            else:
                self._complete(table, columns, there[table])

    def _create_table(self, table: str, columns: Mapping[str, str]) -> None:
        if self._format() >= _PACKING:
            # What DuckDB itself would choose for them takes up to twice the time and three times the room.
            packed = {name: f"{columns[name]} USING COMPRESSION zstd" for name in columns if name in UNLIKE}
            columns = {**columns, **packed}
        self._connection.execute(create(table, columns))

    def _format(self) -> tuple[int, ...]:
        """Return the version of the file's format, which an older DuckDB may have made; () if it does not tell."""
        (tags,) = self._connection.execute(
            "SELECT tags FROM duckdb_databases() WHERE database_name = current_database()"
        ).fetchone()
        return tuple(map(int, re.findall(r"\d+", tags.get("storage_version", ""))))

    def _complete(self, table: str, columns: Mapping[str, str], there: Mapping[str, str]) -> None:
        """Add columns that an older version of adnet did not know."""
        for column, kind in columns.items():
            if column not in there:
                self._connection.execute(f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(column)} {kind}")
            elif there[column] != kind:
                raise SinkError(
                    f"{self.path}: {table}.{column} is {there[column]} and should be {kind}: rename that table or"
                    " choose another file"
                )

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        self.spools.discard_all()
        try:
            if connection is not None:
                with explained(self.path):
                    connection.close()
        finally:
            self._leave()

    def _leave(self) -> None:
        """Remove the folder, and only then give the lock back: whoever has it next would lose what waits there."""
        if self._lock.taken:
            self._clear()
            remove(self._folder)
            self._lock.give_back()

    def _clear(self) -> None:
        for path in self._folder.glob("*"):
            if path != self._lock.path:
                remove(path)

    def spool(self, table: str) -> Spool:
        """Return a new spool; it is discarded with the sink at the latest."""
        return self.spools.add(Spool(TABLES[table], lambda: self._folder / f"{next(self._numbers)}.parquet"))

    def _record(self, rows: Any) -> None:
        ids = ", ".join(literal(pull) for pull in rows["pull_id"].unique().to_pylist())
        with explained(self.path), self._readable(rows) as relation:
            self._transact(lambda: replace(self._connection, PULLS, relation, f"pull_id IN ({ids})"))

    def _recorded(self, pull_id: str) -> bool:
        with explained(self.path):
            rows = self._connection.execute("SELECT 1 FROM pulls WHERE pull_id = ? LIMIT 1", [pull_id])
            return bool(rows.fetchall())

    def _count(self, stretch: Stretch) -> int:
        table = TABLES[stretch.table]
        condition, values = within(stretch, quoted(table.time or ""), _values.ends(stretch))
        query = f"SELECT count(*) FROM {quoted(table.name)} WHERE {condition}"  # noqa: S608 - names are ours
        with explained(self.path):
            ((count,),) = self._connection.execute(query, values).fetchall()
            return int(count)

    def land(self, units: Sequence[Unit]) -> None:
        """Land *units*, whose spools may be finished or not: each as a whole or not at all."""
        try:
            self._land_in_one(units)
        except SinkError:
            if len(units) == 1:
                raise
            for unit in units:  # nothing has landed: whatever one of them met, the others may not
                try:
                    self._land_in_one([unit])
                except SinkError as error:
                    unit.error = error

    def _land_in_one(self, units: Sequence[Unit]) -> None:
        """Land *units* in one transaction."""
        with contextlib.ExitStack() as readable:
            works = []
            for unit in units:
                scope = scope_of(unit.origin.network, unit.origin.account)
                stages = [self._stage(spool, scope, readable) for spool in unit.spools]
                works.append(_Work(stages, unit.replaced_at or self._clock.now()))
            for unit, landed in zip(units, self._land(works), strict=True):
                unit.landed = landed

    def _stage(self, spool: Spool, scope: str, readable: contextlib.ExitStack) -> Stage:
        """Return the rows of *spool* as DuckDB can read them while *readable* is open."""
        spool.finish()
        if spool.files:
            relation = f"read_parquet({one_file(spool.files[0])}, file_row_number = true)"
            return Stage(spool.table, relation, spool.rows, scope)
        rows = last_of_each(spool.held(), spool.table.key)
        relation = readable.enter_context(self._readable(rows))
        return Stage(spool.table, relation, rows.num_rows, scope, distinct=True)

    @contextlib.contextmanager
    def _readable(self, rows: Any) -> Iterator[str]:
        """Give the Arrow table *rows* a name in SQL."""
        name = f"adnet_rows_{next(self._numbers)}"
        self._connection.register(name, numbered(rows))
        try:
            yield name
        finally:
            self._connection.unregister(name)

    def _land(self, works: Sequence[_Work]) -> list[dict[str, Landed]]:
        """Merge *works* in one transaction, with more memory if it has to be, and return what each did."""
        with explained(self.path):
            try:
                return self._transact(lambda: self._merge_all(works))
            except duckdb.OutOfMemoryException:
                return self._land_with_more(works)

    def _land_with_more(self, works: Sequence[_Work]) -> list[dict[str, Landed]]:
        *steps, most = _MEMORY_MB[1:]
        try:
            for megabytes in steps:
                self._allow(megabytes)
                with contextlib.suppress(duckdb.OutOfMemoryException):
                    return self._transact(lambda: self._merge_all(works))
            self._allow(most)
            return self._transact(lambda: self._merge_all(works))
        finally:
            self._allow(_MEMORY_MB[0])

    def _allow(self, megabytes: int) -> None:
        with contextlib.suppress(duckdb.Error):  # it keeps for now what it cannot free
            self._connection.execute(f"SET memory_limit = '{megabytes}MB'")

    def _merge_all(self, works: Sequence[_Work]) -> list[dict[str, Landed]]:
        return [
            {
                stage.table.name: merge(self._connection, stage, replaced_at=work.stamp)
                for stage in work.stages
            }
            for work in works
        ]

    def _transact(self, work: Callable[[], T]) -> T:
        """Return what *work* returns; what it did happens as a whole or not at all."""
        self._connection.execute("BEGIN")
        try:
            result = work()
            self._connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(duckdb.Error):  # a failed COMMIT has rolled back by itself
                self._connection.execute("ROLLBACK")
            raise
        return result
