"""Reports as values: sections of rows with what their columns mean, for whoever shows them."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, Literal

import attrs

from adnet.analysis.facts import Days
from adnet.analysis.rows import ZERO, ProfitRow, SpendRow
from adnet.periods import ONE_DAY

Amounts = tuple[Decimal, ...]
_SMALL: Final = Decimal("0.1")
_MOST_DAYS: Final = 1000
ColumnKind = Literal["text", "day", "count", "money", "share", "ratio"]


@attrs.frozen
class Column:
    """One column of a section."""

    name: str
    """The attribute of a row, stored or computed."""
    label: str
    kind: ColumnKind = "text"
    """``money`` is of the row's ``currency``, ``share`` is 0.25 for a quarter, ``ratio`` any other quotient."""
    absent: str = ""
    """What people are shown where a row has no value."""
    detail: bool = False
    """Whether it is left out where there is little room."""
    rare: bool = False
    """Whether people are not shown it where it is zero throughout."""

    def of(self, row: Any) -> Any:
        """Return the column's value of a row."""
        return attrgetter(self.name)(row)


@attrs.frozen(kw_only=True)
class Section:
    """One answer."""

    key: str
    """For machines, e.g. ``"campaigns"``."""
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Any]
    note: str = ""
    """What has to be known to read it."""

    @property
    def shown(self) -> tuple[Column, ...]:
        """The columns in which anything stands; all of them where there are no rows."""
        return tuple(column for column in self.columns if not self.rows or self._tells(column))

    def _tells(self, column: Column) -> bool:
        values = (column.of(row) for row in self.rows)
        return any(value for value in values) if column.rare else any(v is not None for v in values)

    def digits(self, column: Column) -> int:
        """Return how many decimals a column's quotients are read with: four where some are small."""
        values = [abs(value) for row in self.rows if column.kind == "ratio" and (value := column.of(row))]
        return 4 if values and min(values) < _SMALL else 2


@attrs.frozen(kw_only=True)
class Bars:
    """Amounts by day in one currency, to be drawn."""

    title: str
    currency: str | None
    series: tuple[str, ...]
    """What each amount of a day is."""
    days: Sequence[tuple[date, Amounts]]
    """Days in order, each with an amount for each of the series."""


@attrs.frozen(kw_only=True)
class Report:
    """What the landed rows say."""

    kind: Literal["profit", "spend"]
    title: str
    uri: str
    """Where they landed."""
    days: Days
    sections: tuple[Section, ...]
    bars: tuple[Bars, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing has landed that it could tell about."""
        return not any(section.rows for section in self.sections)


def daily_bars(title: str, rows: Sequence[SpendRow | ProfitRow], series: tuple[str, ...]) -> tuple[Bars, ...]:
    """Return the daily amounts of each currency; currencies in which there is nothing are left out."""
    found = []
    for currency in dict.fromkeys(row.currency for row in rows):
        amounts = {
            row.day: tuple(getattr(row, name) for name in series)
            for row in rows
            if row.currency == currency and row.day is not None
        }
        if any(map(any, amounts.values())):
            days = _filled(amounts, (ZERO,) * len(series))
            found.append(Bars(title=title, currency=currency, series=series, days=days))
    return tuple(found)


def _filled(
    amounts: Mapping[date, tuple[Decimal, ...]], nothing: tuple[Decimal, ...]
) -> list[tuple[date, tuple[Decimal, ...]]]:
    """Return every day from the first to the last, those without amounts too, so that gaps are seen."""
    first, last = min(amounts), max(amounts)
    count = (last - first).days + 1
    if count > _MOST_DAYS:
        return sorted(amounts.items())
    return [(day, amounts.get(day, nothing)) for n in range(count) for day in [first + n * ONE_DAY]]
