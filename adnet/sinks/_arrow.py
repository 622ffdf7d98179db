"""Columns as Arrow arrays: the one place that says which Arrow type a column has."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from adnet import open_files
from adnet.errors import SinkError
from adnet.models.tables import PULLS, Columns, ColumnType, RawColumn, Table
from adnet.sinks import _values
from adnet.sinks._values import Origin

# Instants are naive on purpose: DuckDB reads them as TIMESTAMP, so that a day of the table is a day in UTC
# wherever the reader sits. With a zone in the type they would turn to the reader's own.
TYPES: Final[Mapping[ColumnType, Any]] = {
    "text": pa.string(),
    "money": pa.decimal128(18, 6),
    "instant": pa.timestamp("us"),
    "date": pa.date32(),
    "int": pa.int64(),
    "texts": pa.list_(pa.string()),
}
_NONE: Final = type(None)
# Arrow takes more than it should, e.g. a text as a list of its letters; any other type takes the careful path.
_TYPES: Final[Mapping[ColumnType, set[type]]] = {
    "text": {str, _NONE},
    "money": {Decimal, int, _NONE},
    "instant": {datetime, _NONE},
    "date": {date, _NONE},
    "int": {int, _NONE},
    "texts": {list, tuple, _NONE},
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_REFUSALS = (pa.ArrowException, UnicodeError, OverflowError, TypeError, ValueError)


def schema(table: Table, *, history: bool = False) -> Any:
    """Return the Arrow schema of the landed *table*, or of its history."""
    fields = [(name, TYPES[kind]) for name, kind in table.full_columns.items()]
    return pa.schema([*fields, ("replaced_at", TYPES["instant"])] if history else fields)


def to_array(table: str, column: str, kind: ColumnType, values: Sequence[Any]) -> Any:
    """Return *values* as an Arrow array.

    Raises:
        PayloadError: A value does not fit; names the table and the column.
    """
    try:
        if isinstance(values, RawColumn):
            return _in_one_piece(values)
        if set(map(type, values)) <= _TYPES[kind]:
            return _instants(values) if kind == "instant" else pa.array(values, TYPES[kind])
    except _REFUSALS:
        pass
    # Once more by hand: amounts with too many digits are rounded, what cannot land is named.
    return pa.array(_values.convert(table, column, kind, values), TYPES[kind])


def _in_one_piece(values: RawColumn) -> Any:
    """Return *values* as an Arrow array that shares their bytes. Raises UnicodeDecodeError."""
    data, places = values.joined()
    if not data.isascii():
        data.decode()  # rows begin and end with ASCII: together they are UTF-8 if each of them is
    return pa.StringArray.from_buffers(
        len(values), pa.array(places, pa.int32()).buffers()[1], pa.py_buffer(data)
    )


def _instants(values: Sequence[datetime | None]) -> Any:
    """Return aware *values* as an Arrow array.

    Arrow takes differences four times as fast as instants, each of which it asks for its zone.
    """
    since = [None if value is None else value - _EPOCH for value in values]
    return pa.array(since, pa.duration("us")).view(TYPES["instant"])


def to_batch(table: Table, columns: Columns, origin: Origin) -> Any:
    """Return *columns* as one record batch with all columns of the landed table.

    Raises:
        PayloadError: A value does not fit, or a row has no key.
        SinkError: The columns are not those of the table.
    """
    rows = _values.check_shape(table, columns)
    shared = {
        "network": origin.network,
        "account": origin.account,
        "fetched_at": _values.instant(origin.fetched_at),
    }
    arrays = [
        pa.repeat(pa.scalar(shared[name], TYPES[kind]), rows)
        if name in shared
        else to_array(table.name, name, kind, columns[name])
        for name, kind in table.full_columns.items()
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema(table))


def pulls_table(pulls: Sequence[Mapping[str, Any]], now: datetime) -> Any:
    """Return rows of the ``pulls`` table as an Arrow table; see `adnet.sinks._values.pull_rows`."""
    rows = _values.pull_rows(pulls, now)
    arrays = [
        to_array(PULLS.name, name, kind, [row[name] for row in rows])
        for name, kind in PULLS.full_columns.items()
    ]
    return pa.Table.from_arrays(arrays, schema=schema(PULLS))


def numbered(rows: Any) -> Any:
    """Return the Arrow table *rows* with ``file_row_number``, which counts them from 0."""
    return rows.append_column("file_row_number", pa.array(range(rows.num_rows), pa.int64()))


def last_of_each(rows: Any, key: Sequence[str]) -> Any:
    """Return the Arrow table *rows* without those whose key comes again later; meant for few rows."""
    keys = zip(*(rows[name].to_pylist() for name in key), strict=True)
    last = {value: place for place, value in enumerate(keys)}
    return rows if len(last) == rows.num_rows else rows.take(pa.array(sorted(last.values()), pa.int64()))


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Turn what goes wrong while the file *path* is written into `SinkError`."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or error
        remedy = open_files.REMEDY if open_files.ran_out(error) else "look after its disk"
        raise SinkError(
            f"cannot write {path}: {reason}: {remedy}, then run this again; what had landed stays"
        ) from error
