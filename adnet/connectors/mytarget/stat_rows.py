"""Rows of statistics as the network writes them, read strictly: money as text, days as days."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from adnet.errors import SchemaError
from adnet.money import exact


class VkFigures(msgspec.Struct):
    """Where VK Ads counts conversions."""

    goals: int | None = None


class Figures(msgspec.Struct):
    """The set ``base`` of one day; money as text."""

    shows: int | None
    clicks: int | None
    spent: Decimal | None
    goals: int | None = None
    vk: VkFigures | None = None

    def __post_init__(self) -> None:
        """Refuse what is no amount: a text like "Infinity", which is read as a Decimal, too; null of what was shown."""
        if self.spent is not None:
            exact(self.spent)
        elif self.shows or self.clicks:
            raise ValueError("what was spent is null beside shows or clicks")


class Day(msgspec.Struct):
    """One row."""

    date: str
    base: Figures


class Item(msgspec.Struct):
    """One object's days."""

    id: int
    rows: list[Day]


class Answer(msgspec.Struct):
    """What ``day.json`` answers."""

    items: list[Item]


class RawItem(msgspec.Struct):
    """One object's days, as they are written."""

    rows: list[msgspec.Raw] = []


class RawAnswer(msgspec.Struct):
    """The same answer, as it is written."""

    items: list[RawItem]


def read_day(raw: msgspec.Raw) -> Day:
    """Return one row.

    Raises:
        SchemaError: It has another shape.
    """
    try:
        return _DAY.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SchemaError(f"a row of statistics cannot be read: {error}") from None


def day_of(row: Day) -> date:
    """Return the day of a row.

    Raises:
        SchemaError: It is none.
    """
    try:
        return date.fromisoformat(row.date)
    except ValueError:
        raise SchemaError(f"$.date is no day: {row.date[:20]!r}", paths=("$.date",)) from None


def conversions(base: Figures) -> int:
    """Return the conversions; VK Ads counts them apart and leaves the others at zero."""
    if base.vk is not None and base.vk.goals is not None:
        return base.vk.goals
    return base.goals or 0


def happened(row: Day) -> bool:
    """Whether anything happened on that day; a day on which nothing did is no row."""
    base = row.base
    return bool(base.shows or base.clicks or base.spent or conversions(base))


def check_whole(answer: Answer, ids: Iterable[str], days: Iterable[date]) -> None:
    """See that every object has one row of every day, as the network writes them, empty ones too (observed).

    Raises:
        SchemaError: One is missing, which is no day on which nothing happened, or is there twice.
    """
    wanted = {day.isoformat() for day in days}
    if len({item.id for item in answer.items}) < len(answer.items):
        raise SchemaError("the answer holds the statistics of an object twice", paths=("$.items",))
    for item in answer.items:
        told = {row.date for row in item.rows}
        if len(told) < len(item.rows):
            raise SchemaError(f"the statistics of {item.id} hold a day twice", paths=("$.items",))
        if missing := wanted - told:
            raise SchemaError(
                f"the statistics of {item.id} have no row of {min(missing)}", paths=("$.items",)
            )
    if absent := set(ids) - {str(item.id) for item in answer.items}:
        raise SchemaError(f"the answer holds no statistics of {min(absent)}", paths=("$.items",))


ANSWER: Final = msgspec.json.Decoder(Answer)
_DAY: Final = msgspec.json.Decoder(Day)
RAW_ANSWER: Final = msgspec.json.Decoder(RawAnswer)
