"""The landed tables, opened for reading only: one DuckDB connection with a view for each table.

The views have the columns and types of `adnet.models.tables` whatever landed: a table or a column that an older
adnet did not know is there and empty. Nothing is ever written to the place that is read.
"""
# ruff: noqa: S608  names in these statements are ours, and quoted

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs

from adnet.errors import ConfigurationError, SinkError
from adnet.places import place_of
from adnet.sinks._sql import DUCKDB_TYPES, definitions, literal, one_file, quoted

T = TypeVar("T")
_MEMORY: Final = "1GB"
"""What DuckDB may take before it spills to a folder that is removed in the end."""
_LINE: Final = 100_000_000
"""Bytes of a line of CSV at most. DuckDB before 2.0 would keep sixteen such lines in memory."""
Rows = list[tuple[Any, ...]]


@attrs.frozen
class Tables:
    """Landed tables to ask in SQL (DuckDB's), by their names; histories are ``<table>_history``."""

    uri: str
    _connection: Any = attrs.field(repr=False)
    _kept: dict[str, str] = attrs.field(factory=dict, init=False, repr=False)

    def query(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Rows:
        """Return the rows of a query; money comes as Decimal, days as date, instants as naive datetime in UTC.

        Raises:
            SinkError: What has landed cannot be read.
        """
        with _explained(self.uri):
            return self._connection.execute(sql, parameters).fetchall()  # type: ignore[no-any-return]

    def read(self, make: Callable[..., T], sql: str, parameters: Mapping[str, Any] | None = None) -> list[T]:
        """Return what *make* makes of each row; the columns of the query are its keywords."""
        with _explained(self.uri):
            found = self._connection.execute(sql, parameters or {})
            names = [column[0] for column in found.description]
            return [make(**dict(zip(names, row, strict=True))) for row in found.fetchall()]

    def keep(self, sql: str) -> str:
        """Return the name of a table in memory with the rows of a query, which is asked once however often."""
        if sql not in self._kept:
            name = f"kept_{len(self._kept)}"
            with _explained(self.uri):
                self._connection.execute(f"CREATE TEMP TABLE {name} AS {sql}")
            self._kept[sql] = name
        return self._kept[sql]

    def add(self, name: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> None:
        """Put rows beside the landed ones, in memory, e.g. the goals of a web analytics export."""
        parts = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns.items())
        with _explained(self.uri):
            self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(name)} ({parts})")
            if rows:
                marks = ", ".join("?" for _ in columns)
                self._connection.executemany(f"INSERT INTO {quoted(name)} VALUES ({marks})", rows)


@contextmanager
def open_tables(uri: str) -> Iterator[Tables]:
    """Open what has landed at *uri* for reading: ``duckdb:FILE``, ``parquet:DIR``, ``csv:DIR`` or ``jsonl:DIR``.

    Raises:
        ConfigurationError: No such place, no landed table there, or the library duckdb is not installed.
        SinkError: It is in use, damaged, or not readable.
    """
    scheme, _, rest = uri.partition(":")
    opener = _OPENERS.get(scheme)
    if opener is None or not rest or rest == "-":
        known = ", ".join(f"{name}:PATH" for name in _OPENERS)
        raise ConfigurationError(f"cannot read {uri!r}: rows can be read from {known}")
    path = place_of(rest)
    if not path.exists():
        raise ConfigurationError(
            f"there is nothing at {path}: land something first, with `adnet pull --to {uri}`"
        )
    with tempfile.TemporaryDirectory(prefix="adnet-report-") as spill, _connected(uri, spill) as connection:
        with _explained(uri):
            relations = opener(connection, path)
        if not relations.keys() & definitions(DUCKDB_TYPES).keys():
            raise ConfigurationError(
                f"no pull has landed anything at {uri}: name the place of `adnet pull --to`, with its kind"
            )
        with _explained(uri):
            for name, columns in definitions(DUCKDB_TYPES).items():
                _create_view(connection, name, columns, relations.get(name))
        yield Tables(uri, connection)


@contextmanager
def _connected(uri: str, spill: str) -> Iterator[Any]:
    settings = {"autoinstall_known_extensions": "false", "memory_limit": _MEMORY, "temp_directory": spill}
    with _explained(uri):
        connection = _duckdb().connect(config=settings)
    try:
        yield connection
    finally:
        connection.close()


def _duckdb() -> Any:
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            'reports need the library duckdb, whatever they read: pip install "adnet[duckdb]"'
        ) from error
    return duckdb


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    duckdb = _duckdb()
    try:
        yield
    except duckdb.Error as error:
        text = str(error)
        if "lock on file" in text:
            raise SinkError(
                f"{uri}: is in use by another process: run this again when that has ended"
            ) from error
        if "not a valid DuckDB" in text:
            raise SinkError(f"{uri}: is damaged or no DuckDB database") from error
        first = text.strip().splitlines()[0] if text.strip() else "unknown error"
        raise SinkError(f"{uri}: cannot be read: {first}") from error


def _create_view(connection: Any, name: str, columns: Mapping[str, str], relation: str | None) -> None:
    """Create the view *name* with exactly *columns* over *relation*, which may lack some of them, or be None."""
    there: dict[str, str] = {}
    if relation is not None:
        there = {
            row[0]: row[1] for row in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
        }
    chosen = ", ".join(
        f"CAST({_read(column, there.get(column), kind)} AS {kind}) AS {quoted(column)}"
        for column, kind in columns.items()
    )
    source = f"FROM {relation}" if relation is not None else "WHERE false"
    connection.execute(f"CREATE VIEW {quoted(name)} AS SELECT {chosen} {source}")


def _read(column: str, found: str | None, kind: str) -> str:
    """Return SQL for a *column* of type *found*, or for its absence; a list that is a text is parsed as JSON."""
    if found == "VARCHAR" and kind.endswith("[]"):
        return f"""from_json({quoted(column)}, '["VARCHAR"]')"""
    return "NULL" if found is None else quoted(column)


def _from_duckdb(connection: Any, path: Path) -> dict[str, str]:
    connection.execute(f"ATTACH {literal(str(path))} AS landed (READ_ONLY)")
    names = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'landed' AND schema_name = 'main'"
    ).fetchall()
    return {name: f"landed.main.{quoted(name)}" for (name,) in names}


def _from_parquet(_: Any, path: Path) -> dict[str, str]:
    found = {}
    for name in definitions(DUCKDB_TYPES):
        if parts := sorted((path / name).glob("*.parquet")):
            names = ", ".join(one_file(part) for part in parts)
            found[name] = f"read_parquet([{names}], union_by_name = true)"
    return found


def _from_csv(_: Any, path: Path) -> dict[str, str]:
    return {
        name: f"read_csv({one_file(file)}, header = true, all_varchar = true, delim = ',', quote = '\"', escape = '\"',"
        f" max_line_size = {_LINE}, buffer_size = {_LINE})"
        for name in definitions(DUCKDB_TYPES)
        if (file := path / f"{name}.csv").exists()
    }


def _from_jsonl(_: Any, path: Path) -> dict[str, str]:
    found = {}
    for name, columns in definitions(DUCKDB_TYPES).items():
        if (file := path / f"{name}.jsonl").exists():
            kinds = ", ".join(f"{literal(column)}: {literal(kind)}" for column, kind in columns.items())
            found[name] = (
                f"read_json({one_file(file)}, format = 'newline_delimited', columns = {{{kinds}}},"
                " maximum_object_size = 100000000)"
            )
    return found


_OPENERS: Final[dict[str, Callable[[Any, Path], dict[str, str]]]] = {
    "duckdb": _from_duckdb,
    "parquet": _from_parquet,
    "csv": _from_csv,
    "jsonl": _from_jsonl,
}
"""Scheme -> what gives each landed table a name in SQL."""
