"""Rows in SQLite: where the text sinks keep what has landed, since a CSV file cannot be upserted.

Values are kept as the text that is exported later: amounts in plain digits, instants in ISO 8601 with Z, lists as
JSON. The upsert is by primary key, and a landing is one transaction.
"""
# ruff: noqa: S608  names in these statements are ours, and quoted; values are bound

import itertools
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from adnet.models.tables import Table
from adnet.sinks._sql import ALL_TABLES, SQLITE_TYPES, columns_of, create, definitions, history_of, quoted
from adnet.sinks._sqlite_errors import explained
from adnet.sinks.base import Landed

T = TypeVar("T")

_SETTINGS: Final = (
    "PRAGMA locking_mode = EXCLUSIVE",  # this process alone, until it closes
    "PRAGMA journal_mode = TRUNCATE",
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = FILE",
    "PRAGMA main.cache_size = -32000",
    "PRAGMA temp.cache_size = -16000",
)


class Store:
    """One SQLite file, for its owner's eyes only; without a path, a place to stage rows and no more."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._numbers = itertools.count()
        self._connection: sqlite3.Connection | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The open connection."""
        assert self._connection is not None, "the sink is open"
        return self._connection

    @property
    def name(self) -> str:
        """The name of the file."""
        return self._path.name if self._path else ""

    def exists(self) -> bool:
        """Return whether the file is there."""
        return self._path is not None and self._path.exists()

    def open(self) -> None:
        """Open the file, or create it with all its tables, and take it for this process alone."""
        if self._path is not None and not self._path.exists():
            with explained(self._path):
                self._path.touch(mode=0o600)
        with explained(self._path):
            # Every call comes from the sink's one thread, which is not the one that made this object.
            self._connection = sqlite3.connect(
                self._path or "", isolation_level=None, check_same_thread=False, timeout=0
            )
            try:
                self._prepare()
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Release the file; may be called twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with explained(self._path):
                connection.close()

    def new_stage(self, table: Table) -> str:
        """Create a temporary table for rows of *table* and return its name; a repeated key replaces."""
        name = f"stage_{next(self._numbers)}"
        columns = {column: SQLITE_TYPES[kind] for column, kind in table.full_columns.items()}
        with explained(self._path):
            self.connection.execute(create(name, columns, primary_key=table.full_key, temp=True))
        return name

    def drop_stage(self, name: str) -> None:
        """Remove a temporary table."""
        if self._connection is not None:
            with explained(self._path):
                self._connection.execute(f"DROP TABLE IF EXISTS temp.{quoted(name)}")

    def fill(self, stage: str, columns: Sequence[Sequence[Any]]) -> None:
        """Add rows, given as columns in the table's order, to a temporary table."""
        marks = ", ".join("?" * len(columns))
        insert = f"INSERT OR REPLACE INTO temp.{quoted(stage)} VALUES ({marks})"
        with explained(self._path):
            self._transact(lambda: self.connection.executemany(insert, zip(*columns, strict=True)))

    def count(self, relation: str, condition: str = "true", values: Sequence[Any] = ()) -> int:
        """Return how many rows a table has, or how many of them fulfil *condition*."""
        with explained(self._path):
            sql = f"SELECT count(*) FROM {relation} WHERE {condition}"
            return int(self.connection.execute(sql, values).fetchone()[0])

    def has(self, relation: str, column: str, value: str) -> bool:
        """Say whether a table has a row with *value* in *column*."""
        with explained(self._path):
            sql = f"SELECT EXISTS (SELECT 1 FROM {relation} WHERE {column} = ?)"
            return bool(self.connection.execute(sql, (value,)).fetchone()[0])

    def rows(self, relation: str, expressions: str) -> Iterator[tuple[Any, ...]]:
        """Yield *expressions* of each row, in the order in which the rows came."""
        with explained(self._path):
            yield from self.connection.execute(f"SELECT {expressions} FROM {relation} ORDER BY rowid")

    def land(self, stages: Sequence[tuple[Table, str]], replaced_at: str) -> dict[str, Landed]:
        """Upsert temporary tables, in one transaction, and return what it did to each table."""
        with explained(self._path):
            return self._transact(
                lambda: {table.name: self._merge(table, stage, replaced_at) for table, stage in stages}
            )

    def version(self, table: str) -> int:
        """Return a number that grows with every landing that changed *table*."""
        return self._number("adnet_versions", table)

    def exported(self, file: str) -> int:
        """Return the version that *file* shows."""
        return self._number("adnet_exports", file)

    def set_exported(self, file: str, version: int) -> None:
        """Remember that *file* shows *version*."""
        with explained(self._path):
            self.connection.execute("INSERT OR REPLACE INTO adnet_exports VALUES (?, ?)", (file, version))

    def _transact(self, work: Callable[[], T]) -> T:
        """Return what *work* returns; what it did happens as a whole or not at all."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            result = work()
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise
        return result

    def _prepare(self) -> None:
        for setting in _SETTINGS:
            self.connection.execute(setting)
        if self._path is not None:
            self._transact(self._create_tables)

    def _create_tables(self) -> None:
        for name in ("adnet_versions", "adnet_exports"):
            self.connection.execute(
                f"CREATE TABLE IF NOT EXISTS {name} (name TEXT PRIMARY KEY, version INTEGER)"
            )
        keys = {table.name: table.full_key for table in ALL_TABLES.values()}
        for name, columns in definitions(SQLITE_TYPES).items():
            self.connection.execute(create(name, columns, primary_key=keys.get(name, ())))
            there = {row[1] for row in self.connection.execute(f"PRAGMA table_info({quoted(name)})")}
            for column in columns.keys() - there:  # not known to the version of adnet that made the file
                self.connection.execute(
                    f"ALTER TABLE {quoted(name)} ADD COLUMN {quoted(column)} {columns[column]}"
                )
                self._mark(name)

    def _number(self, table: str, name: str) -> int:
        with explained(self._path):
            found = self.connection.execute(f"SELECT version FROM {table} WHERE name = ?", (name,)).fetchone()
        return int(found[0]) if found else 0

    def _merge(self, table: Table, stage: str, replaced_at: str) -> Landed:
        target, names = quoted(table.name), columns_of(table.full_columns)
        keys = " AND ".join(f"old.{quoted(name)} = new.{quoted(name)}" for name in table.full_key)
        changed, another = _changed(table, "new"), _other_raw("new")
        pairs = f"temp.{quoted(stage)} AS new {{}} JOIN main.{target} AS old ON {keys}"
        rows, met, restated, other = self.connection.execute(
            f"SELECT count(*), count(old.rowid), count(*) FILTER (WHERE old.rowid IS NOT NULL AND ({changed})),"
            f" count(*) FILTER (WHERE old.rowid IS NOT NULL AND {another}) FROM {pairs.format('LEFT')}"
        ).fetchone()
        if restated and table.history:
            self.connection.execute(
                f"INSERT INTO {quoted(history_of(table))} ({names}, replaced_at)"
                f" SELECT {columns_of(table.full_columns, 'old')}, ? FROM {pairs.format('')} WHERE {changed}",
                (replaced_at,),
            )
            self._mark(history_of(table))
        if met < rows or restated or other:
            values = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in table.full_columns)
            self.connection.execute(
                f"INSERT INTO {target} AS old ({names}) SELECT {names} FROM temp.{quoted(stage)} WHERE true"
                f" ON CONFLICT ({columns_of(table.full_key)}) DO UPDATE SET {values}"
                f" WHERE {_changed(table, 'excluded')} OR {_other_raw('excluded')}"
            )
            self._mark(table.name)
        return Landed(rows, rows - met, restated)

    def _mark(self, name: str) -> None:
        self.connection.execute(
            "INSERT INTO adnet_versions VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET version = version + 1",
            (name,),
        )


def _changed(table: Table, new: str) -> str:
    return " OR ".join(f"old.{quoted(name)} IS NOT {new}.{quoted(name)}" for name in table.compared)


def _other_raw(new: str) -> str:
    return f"({new}.raw IS NOT NULL AND old.raw IS NOT {new}.raw)"
