"""Half-open periods of aware UTC instants, and days as an account counts them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice, pairwise
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

ONE_SECOND = timedelta(seconds=1)
ONE_DAY = timedelta(days=1)

Moment = date | datetime
"""What callers may give as an end of a period: a day of the account, or an aware instant."""


def utc(value: datetime) -> datetime:
    """Return *value* in UTC.

    Raises:
        ValueError: If it has no time zone, or is before the year 1 or after the year 9999 there.
    """
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no time zone; give an aware datetime or a date")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{value.isoformat()} is no instant between the years 1 and 9999") from None


def zone(name: str | None) -> tzinfo:
    """Return the time zone called *name*; UTC where it is unknown or not given."""
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def instant(value: Moment, tz: tzinfo = UTC) -> datetime:
    """Return *value* as an aware UTC instant; a day begins at midnight in *tz*."""
    if isinstance(value, datetime):
        return utc(value)
    return utc(datetime.combine(value, time.min, tz))


@attrs.frozen(order=True)
class Period:
    """All instants from *since* up to, but without, *until*. Both are aware UTC."""

    since: datetime = attrs.field(converter=utc)
    until: datetime = attrs.field(converter=utc)

    def __attrs_post_init__(self) -> None:
        if self.until <= self.since:
            raise ValueError(f"since {self.since.isoformat()} is not before until {self.until.isoformat()}")

    @classmethod
    def of(cls, since: Moment, until: Moment, tz: tzinfo = UTC) -> Self:
        """Return the period from *since* to *until*; days are days in *tz*."""
        return cls(instant(since, tz), instant(until, tz))

    def __contains__(self, moment: datetime) -> bool:
        return self.since <= moment < self.until

    @property
    def length(self) -> timedelta:
        """How long the period is."""
        return self.until - self.since

    def ended_between(self, before: datetime, now: datetime) -> bool:
        """Whether it was not over at *before* and is *now*: what was told of it then lacks what came until its end."""
        return before < self.until <= now

    def split(self, unit: timedelta = ONE_SECOND) -> "tuple[Period, Period] | None":
        """Return two halves that meet at a whole *unit*, or None when it is too short for that."""
        units = -(-self.length // unit)
        if units < 2:
            return None
        middle = self.since + (units // 2) * unit
        return Period(self.since, middle), Period(middle, self.until)

    def days(self, tz: tzinfo = UTC) -> Iterator[date]:
        """Yield every day of *tz* that the period touches, oldest first."""
        day = self.since.astimezone(tz).date()
        while datetime.combine(day, time.min, tz) < self.until:
            yield day
            if day == date.max:
                return
            day += ONE_DAY

    def in_days(self, count: int, tz: tzinfo = UTC) -> "list[Period]":
        """Return pieces of at most *count* days of *tz*, which meet at its midnights: no day is in two of them."""
        starts = {instant(day, tz) for day in islice(self.days(tz), count, None, count)}
        return [Period(*ends) for ends in pairwise([self.since, *sorted(starts), self.until])]

    def __str__(self) -> str:
        return f"{self.since.isoformat()}/{self.until.isoformat()}"
