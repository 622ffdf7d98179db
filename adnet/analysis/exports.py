"""Goals from files: CSV exports of Google Analytics 4 and of Yandex Metrica.

Neither vendor documents these files as a format. What is relied on was seen in exports: lines that begin with ``#``
before the table (GA4), one row of names, then rows, several tables one after another with empty lines between them.
Names of columns depend on the language and on the report; the ones known here are defaults, and every one can be
set.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeVar

import attrs

from adnet.analysis.facts import Days
from adnet.analysis.postclick import GoalRow, ReadsGoals
from adnet.errors import ConfigurationError, DecodeError
from adnet.money import exact

_T = TypeVar("_T")

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "utm_campaign": (
        "session campaign",
        "session manual campaign name",
        "sessioncampaignname",
        "first user campaign",
        "campaign",
        "utm campaign",
        "utm_campaign",
    ),
    "utm_content": (
        "session manual ad content",
        "sessionmanualadcontent",
        "manual ad content",
        "first user manual ad content",
        "utm content",
        "utm_content",
    ),
    "goal": ("event name", "eventname", "goal", "цель"),
    "visits": ("sessions", "visits", "визиты"),
    "reached": ("key events", "keyevents", "conversions", "event count", "goal reaches", "достижения цели"),
    "revenue": ("total revenue", "totalrevenue", "purchase revenue", "revenue", "доход"),
    "date": ("date", "дата визита", "date of visit"),
}
"""What a column is -> the names it may have, in lower case; the first that is there counts."""
WIDE: Final = (
    r"(?:goal reaches|goal completions|conversions|достижения цели)\s*[:(«\"]\s*(?P<goal>.+?)\s*[)»\"]?"
)
"""A column of this name holds how often that goal was reached, as where each goal has a column of its own."""

_TOTALS: Final = frozenset({"grand total", "total", "totals", "итого", "итого и средние"})
_UNSET: Final = frozenset({"", "(not set)", "(none)", "(direct)", "(organic)", "(referral)", "не определено"})
_GROUPED: Final = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+")
_POINTED: Final = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+")
_DELIMITERS: Final = ",;\t"


@attrs.frozen(kw_only=True)
class GoalsFile(ReadsGoals):
    """A CSV export with goals by UTM labels: a row for each goal, or a column for each goal."""

    path: Path
    currency: str | None = None
    """Of revenue, which the files do not tell."""
    columns: Mapping[str, Sequence[str]] = attrs.field(factory=dict)
    """Names that win over COLUMNS, e.g. ``{"goal": ["Ereignisname"]}``."""
    wide: str = WIDE
    """Pattern for the columns of goals, with a group ``goal``; letters of any case."""

    async def read_goals(self, days: Days) -> list[GoalRow]:
        """Return the file's goals, of *days* where it has a column of dates, else all that it holds.

        Raises:
            ConfigurationError: The file cannot be read, or has no column of labels or of goals.
            DecodeError: A cell that should hold a number or a day does not.
        """
        header, rows = self._table()
        found = {what: place for what in COLUMNS if (place := self._place(what, header)) is not None}
        goals = self._goal_columns(header, found)
        if not goals:
            raise ConfigurationError(
                f"{self.path}: no column tells how often a goal was reached; name it in columns, e.g."
                ' {"reached": ["Key events"]}'
            )
        read = _Reader(self.path, found, self.currency)
        return [goal for row in rows if read.is_of(row, days) for goal in read.goals(row, goals)]

    def _table(self) -> tuple[list[str], list[list[str]]]:
        """Return the names and rows of the first table that has a column of labels."""
        for table in _tables(_text(self.path)):
            header = [name.strip() for name in table[0]]
            if (
                self._place("utm_campaign", header) is not None
                or self._place("utm_content", header) is not None
            ):
                return header, [row for row in table[1:] if not _is_total(row)]
        raise ConfigurationError(
            f"{self.path}: no table has a column of campaigns or ad content; name it in columns, e.g."
            ' {"utm_campaign": ["Session campaign"]}'
        )

    def _place(self, what: str, header: Sequence[str]) -> int | None:
        names = [*(name.lower() for name in self.columns.get(what, ())), *COLUMNS[what]]
        known = [name.lower() for name in header]
        return next((known.index(name) for name in names if name in known), None)

    def _goal_columns(self, header: Sequence[str], found: Mapping[str, int]) -> dict[int, str | None]:
        """Return column -> the goal whose reaches it holds; None where another column names the goal."""
        pattern = re.compile(self.wide, re.IGNORECASE)
        wide = {
            place: match["goal"] for place, name in enumerate(header) if (match := pattern.fullmatch(name))
        }
        if wide:
            return dict(wide)
        return {found["reached"]: None} if "reached" in found else {}


@attrs.frozen
class _Reader:
    """Makes goals of the rows of one table."""

    path: Path
    places: Mapping[str, int]
    currency: str | None

    def is_of(self, row: Sequence[str], days: Days) -> bool:
        text = self._cell(row, "date")
        if not text:
            return True
        day = self._number(row, "date", _day)
        return (days.since is None or day >= days.since) and (days.until is None or day < days.until)

    def goals(self, row: Sequence[str], goals: Mapping[int, str | None]) -> Iterator[GoalRow]:
        revenue = (
            self._number(row, "revenue", number) if self._cell(row, "revenue") and len(goals) == 1 else None
        )
        visits = self._number(row, "visits", whole) if self._cell(row, "visits") else None
        for place, name in goals.items():
            reached = row[place].strip() if place < len(row) else ""
            yield GoalRow(
                utm_campaign=self._label(row, "utm_campaign"),
                utm_content=self._label(row, "utm_content"),
                goal=name or self._cell(row, "goal") or "all goals",
                visits=visits,
                reached=self._read(reached, "reached", number) if reached else 0,
                revenue=revenue,
                currency=self.currency if revenue is not None else None,
            )

    def _cell(self, row: Sequence[str], what: str) -> str:
        place = self.places.get(what)
        return row[place].strip() if place is not None and place < len(row) else ""

    def _label(self, row: Sequence[str], what: str) -> str | None:
        text = self._cell(row, what)
        return None if text.lower() in _UNSET else text

    def _number(self, row: Sequence[str], what: str, convert: Callable[[str], _T]) -> _T:
        return self._read(self._cell(row, what), what, convert)

    def _read(self, text: str, what: str, convert: Callable[[str], _T]) -> _T:
        try:
            return convert(text)
        except ValueError:
            raise DecodeError(f"{self.path}: {text[:40]!r} is no value for {what}") from None


def number(text: str) -> Decimal:
    """Return a number as a spreadsheet writes it: grouped by spaces or commas, with a point or a comma.

    A single comma that groups three digits is taken to group (1,234 is more than a thousand).

    Raises:
        ValueError: It is none.
    """
    plain = re.sub(r"[\s\u00a0\u202f%]", "", text)
    if "," in plain and "." in plain:
        group, point = (",", ".") if plain.rindex(".") > plain.rindex(",") else (".", ",")
        plain = plain.replace(group, "").replace(point, ".")
    elif _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    return exact(plain.replace(",", "."))


def whole(text: str) -> int:
    """Return a whole number; where points group its thousands they cannot begin a fraction.

    Raises:
        ValueError: It is none.
    """
    plain = text.strip()
    found = exact(plain.replace(".", "")) if _POINTED.fullmatch(plain) else number(text)
    if found != found.to_integral_value():
        raise ValueError(f"not a whole number: {text!r}")
    return int(found)


def _day(text: str) -> date:
    return date.fromisoformat(text) if "-" in text else date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _text(path: Path) -> str:
    """Return a file's text, whichever of the usual encodings it has."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror or error}") from error
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")


def _tables(text: str) -> Iterator[list[list[str]]]:
    """Yield the tables of a file: rows between empty lines, remarks left out."""
    for block in _blocks(text.splitlines()):
        delimiter = max(_DELIMITERS, key=block[0].count)
        rows = [row for row in csv.reader(block, delimiter=delimiter) if row]
        if rows:
            yield rows


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    block: list[str] = []
    for line in lines:
        if not block and line.startswith("#"):
            continue  # further down it is a row whose first label begins so
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _is_total(row: Sequence[str]) -> bool:
    return any(cell.strip().lower() in _TOTALS for cell in (row[0], row[-1]))
