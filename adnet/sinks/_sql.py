"""What the SQL sinks say alike: quoted names and the tables' definitions."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from adnet.models.tables import PULLS, TABLES, ColumnType, Table
from adnet.sinks.base import Stretch

ALL_TABLES: Final[Mapping[str, Table]] = {**TABLES, PULLS.name: PULLS}
"""Every table that lands."""

DUCKDB_TYPES: Final[Mapping[ColumnType, str]] = {
    "text": "VARCHAR",
    "money": "DECIMAL(18,6)",
    "instant": "TIMESTAMP",
    "date": "DATE",
    "int": "BIGINT",
    "texts": "VARCHAR[]",
}
SQLITE_TYPES: Final[Mapping[ColumnType, str]] = {
    "text": "TEXT",
    "money": "TEXT",  # SQLite has no exact decimals
    "instant": "TEXT",
    "date": "TEXT",
    "int": "INTEGER",
    "texts": "TEXT",
}


def quoted(name: str) -> str:
    """Return *name* as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Return *value* as an SQL text."""
    return "'" + value.replace("'", "''") + "'"


def one_file(path: Path) -> str:
    """Return a file's name in SQL, for this file only: DuckDB would read every file that a star in it matches."""
    return literal("".join(f"[{char}]" if char in "*?[" else char for char in str(path)))


def columns_of(names: Iterable[str], alias: str = "") -> str:
    """Return *names* as a list of columns, of *alias* if given."""
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + quoted(name) for name in names)


def history_of(table: Table) -> str:
    """Return the name of the table's history."""
    return f"{table.name}_history"


def definitions(types: Mapping[ColumnType, str]) -> dict[str, dict[str, str]]:
    """Return the columns and SQL types of every table and history, by name."""
    found: dict[str, dict[str, str]] = {}
    for table in ALL_TABLES.values():
        columns = {name: types[kind] for name, kind in table.full_columns.items()}
        found[table.name] = columns
        if table.history:
            found[history_of(table)] = {**columns, "replaced_at": types["instant"]}
    return found


def within(stretch: Stretch, time: str, ends: Iterable[Any]) -> tuple[str, list[Any]]:
    """Return the condition that rows of *stretch* fulfil, and its parameters.

    Args:
        stretch: The rows.
        time: SQL for a row's time.
        ends: Where *stretch* begins and ends, in the form of *time*.
    """
    condition = f"network = ? AND account = ? AND {time} >= ? AND {time} < ?"
    if stretch.levels:
        condition += f" AND level IN ({', '.join('?' * len(stretch.levels))})"
    return condition, [stretch.network, stretch.account, *ends, *stretch.levels]


def create(
    name: str, columns: Mapping[str, str], *, primary_key: Iterable[str] = (), temp: bool = False
) -> str:
    """Return the statement that creates a table unless it is there."""
    parts = [f"{quoted(column)} {kind}" for column, kind in columns.items()]
    if key := columns_of(primary_key):
        parts.append(f"PRIMARY KEY ({key})")
    return f"CREATE {'TEMP ' if temp else ''}TABLE IF NOT EXISTS {quoted(name)} ({', '.join(parts)})"
