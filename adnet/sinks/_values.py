"""One value at a time, on its way into a column: the careful path, when a library's bulk path refuses."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any, Final

import attrs

from adnet.errors import PayloadError, SinkError
from adnet.models.tables import PULLS, TABLES, Columns, ColumnType, Table
from adnet.sinks.base import Stretch

_SIX_DIGITS: Final = Decimal("0.000001")
_CEILING: Final = Decimal(10) ** 12
_CONTEXT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_INT64: Final = 2**63


@attrs.frozen
class Origin:
    """What all rows of one landing have in common."""

    network: str
    account: str
    fetched_at: datetime
    """Aware; when the network gave these rows."""


def money(value: object) -> Decimal:
    """Return *value* with six fraction digits, rounded half even; what DECIMAL(18,6) cannot hold is refused."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise ValueError(f"money is a Decimal, not {type(value).__name__}")  # noqa: TRY004
    try:
        number = Decimal(value).quantize(_SIX_DIGITS, context=_CONTEXT)
        fits = -_CEILING < number < _CEILING
    except InvalidOperation:
        fits = False
    if not fits:
        raise ValueError("no finite amount, or too large for DECIMAL(18,6)")
    return number


def text(value: object) -> str:
    """Return *value*; half of a surrogate pair, which no UTF-8 file can hold, becomes a question mark."""
    if not isinstance(value, str):
        raise ValueError(f"text is str, not {type(value).__name__}")  # noqa: TRY004
    return value.encode("utf-8", "replace").decode("utf-8")


def texts(value: object) -> list[str]:
    """Return *value* as a list of texts."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"texts are a list, not {type(value).__name__}")  # noqa: TRY004
    return [text(item) for item in value]


def instant(value: object) -> datetime:
    """Return *value* as a naive datetime in UTC; a naive one is taken as UTC."""
    if not isinstance(value, datetime):
        raise ValueError(f"an instant is a datetime, not {type(value).__name__}")  # noqa: TRY004
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def day(value: object) -> date:
    """Return *value* as a date."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError(f"a day is a date, not {type(value).__name__}")  # noqa: TRY004
    return value


def whole(value: object) -> int:
    """Return *value* as an int of 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"a count is an int, not {type(value).__name__}")  # noqa: TRY004
    if not -_INT64 <= value < _INT64:
        raise ValueError("too large for BIGINT")
    return value


CONVERT: Final[Mapping[ColumnType, Callable[[object], Any]]] = {
    "text": text,
    "money": money,
    "instant": instant,
    "date": day,
    "int": whole,
    "texts": texts,
}
"""Type of a column -> what makes a value fit it, or raises ValueError."""


def convert(table: str, column: str, kind: ColumnType, values: Iterable[object]) -> list[Any]:
    """Return *values* made to fit; None stays None.

    Raises:
        PayloadError: A value does not fit; names the table, the column and the place of the row, not the value.
    """
    fit = CONVERT[kind]
    done: list[Any] = []
    for index, value in enumerate(values):
        try:
            done.append(None if value is None else fit(value))
        except (ValueError, OverflowError) as error:
            raise PayloadError(f"{table}.{column}: row {index} of this batch does not fit: {error}") from None
    return done


def check_shape(table: Table, columns: Columns) -> int:
    """Return how many rows *columns* hold.

    Raises:
        PayloadError: A row has no key.
        SinkError: Columns are missing, unknown, or of different lengths.
    """
    expected = {*table.columns, "raw"}
    if columns.keys() != expected:
        odd = ", ".join(sorted(columns.keys() ^ expected))
        raise SinkError(f"{table.name}: these columns are missing or unknown: {odd}")
    for name in table.key:
        if None in columns[name]:
            raise PayloadError(
                f"{table.name}.{name}: row {columns[name].index(None)} of this batch has no key"
            )
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise SinkError(f"{table.name}: columns have different lengths: {sorted(lengths)}")
    return lengths.pop()


def ends(stretch: Stretch) -> tuple[Any, Any]:
    """Return where *stretch* begins and ends, as values of its table's column of time."""
    table = TABLES[stretch.table]
    fit = CONVERT[table.columns[table.time or ""]]
    return fit(stretch.since), fit(stretch.until)


def pull_rows(pulls: Iterable[Mapping[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Return rows of the ``pulls`` table with every column, the last of each key.

    Args:
        pulls: Each with network, account and columns of PULLS; seconds may be a float here, they are no money.
        now: Aware; fetched_at of rows that do not say it.

    Raises:
        SinkError: A row has no key.
    """
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for pull in pulls:
        row = {name: pull.get(name) for name in PULLS.full_columns}
        if missing := [name for name in PULLS.full_key if row[name] is None]:
            raise SinkError(f"pulls: a row has no {' and no '.join(missing)}")
        if isinstance(row["waited_s"], float):
            row["waited_s"] = Decimal(repr(row["waited_s"]))
        row["fetched_at"] = row["fetched_at"] or now
        rows[tuple(row[name] for name in PULLS.full_key)] = row
    return list(rows.values())
