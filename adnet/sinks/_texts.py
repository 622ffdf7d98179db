"""Columns as the text that stands in CSV and JSON."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from adnet.models.tables import PULLS, Columns, ColumnType, Table
from adnet.sinks import _values
from adnet.sinks._values import Origin

_NONE: Final = type(None)


def money(value: Decimal) -> str:
    """Return the digits of *value*, without exponent and without zeros at the end."""
    return format(value.normalize(), "f") if value else "0"


def instant(value: datetime) -> str:
    """Return a naive datetime, UTC, as ISO 8601 with Z."""
    return value.isoformat() + "Z"


def texts(value: Sequence[str]) -> str:
    """Return *value* as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_FORMAT: Final[Mapping[ColumnType, Callable[[Any], Any]]] = {
    "money": money,
    "instant": instant,
    "texts": texts,
    "date": lambda value: value.isoformat(),
}


def to_texts(table: str, column: str, kind: ColumnType, values: Sequence[Any]) -> Sequence[Any]:
    """Return *values* as SQLite keeps them: text, int or None.

    Raises:
        PayloadError: A value does not fit; names the table and the column.
    """
    if kind == "text" and _is_plain(values):
        return values
    fitting = _values.convert(table, column, kind, values)
    if kind not in _FORMAT:
        return fitting
    form = _FORMAT[kind]
    return [None if value is None else form(value) for value in fitting]


def _is_plain(values: Sequence[Any]) -> bool:
    """Return whether all *values* are text that UTF-8 can hold, or None."""
    if not set(map(type, values)) <= {str, _NONE}:
        return False
    try:
        "".join(filter(None, values)).encode()
    except UnicodeEncodeError:
        return False
    return True


def to_columns(table: Table, columns: Columns, origin: Origin) -> list[Sequence[Any]]:
    """Return all columns of the landed table, in order, as SQLite keeps them.

    Raises:
        PayloadError: A value does not fit, or a row has no key.
        SinkError: The columns are not those of the table.
    """
    rows = _values.check_shape(table, columns)
    fetched_at = instant(_values.instant(origin.fetched_at))
    shared = {"network": origin.network, "account": origin.account, "fetched_at": fetched_at}
    return [
        [shared[name]] * rows if name in shared else to_texts(table.name, name, kind, columns[name])
        for name, kind in table.full_columns.items()
    ]


def pull_columns(rows: Sequence[Mapping[str, Any]]) -> list[Sequence[Any]]:
    """Return rows of the ``pulls`` table as columns, as SQLite keeps them."""
    return [
        to_texts(PULLS.name, name, kind, [row[name] for row in rows])
        for name, kind in PULLS.full_columns.items()
    ]


def json_encoder(
    columns: Mapping[str, ColumnType], *, ascii_only: bool = False, **first: str
) -> Callable[[Sequence[Any]], str]:
    """Return a function that makes a row of *columns* a line of JSON, which begins with *first*.

    Amounts stay texts: a reader that takes JSON's numbers for floats would change them.
    """
    names = tuple(columns)
    lists = [name for name, kind in columns.items() if kind == "texts"]
    encode = json.JSONEncoder(ensure_ascii=ascii_only).encode

    def line(row: Sequence[Any]) -> str:
        values = {**first, **dict(zip(names, row, strict=True))}
        for name in lists:
            if values[name] is not None:
                values[name] = json.loads(values[name])
        return encode(values) + "\n"

    return line
