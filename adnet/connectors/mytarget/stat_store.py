"""Closed days of statistics in the state: what was answered of each object, and when.

Source of the rule behind it: myTarget certification page (no statistics of more than a day more often than once a
day).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime, timedelta
from typing import Final

import attrs
import msgspec

from adnet.clock import Clock
from adnet.connectors.mytarget import codec
from adnet.periods import ONE_DAY
from adnet.state import State

ONCE: Final = timedelta(hours=24)
METRICS: Final = "base"
_LEASE_S: Final = 3600.0
"""A process that dies gives its lease back at once."""

Found = dict[date, dict[str, msgspec.Raw]]
"""Day -> object -> its row; days on which an object did nothing are left out, unless something was told before."""


class Kept(msgspec.Struct):
    """Rows of one closed day that came at one time; objects without a row did nothing on it."""

    at: datetime
    ids: list[str]
    rows: dict[str, msgspec.Raw]


@attrs.frozen(kw_only=True)
class Span:
    """One request: objects and days that follow each other."""

    ids: Sequence[str]
    first: date
    last: date

    def closed(self, today: date) -> list[date]:
        """Return its days before *today*."""
        number = (min(self.last, today - ONE_DAY) - self.first).days + 1
        return [self.first + timedelta(days=place) for place in range(number)]


class DayStore:
    """Closed days as they were answered: one blob for each day and kind of object."""

    def __init__(self, state: State, key: str, clock: Clock, restated_days: int) -> None:
        self._state = state
        self._key = key
        self._clock = clock
        self._restated = timedelta(days=restated_days)

    def read(self, kind: str, day: date) -> dict[str, msgspec.Raw | None]:
        """Return object -> its row of *day*, None where it did nothing.

        Left out are objects whose row may have been restated since it came: it came before that was over, and more
        than 24 hours ago.
        """
        now = self._clock.now()
        lately = now - ONCE
        known: dict[str, msgspec.Raw | None] = {}
        for kept in self._load(kind, day):
            if kept.at > now:
                continue  # by a clock that was wrong: whether the day was over is not known
            final = kept.at.astimezone(codec.MOSCOW).date() - day >= self._restated
            if final or kept.at > lately:
                known.update(dict.fromkeys(kept.ids))
                known.update(kept.rows)
        return known

    def told(self, kind: str, day: date) -> frozenset[str]:
        """Return the objects of which a row of *day* is kept, however old, and so may have landed."""
        return frozenset().union(*(kept.rows for kept in self._load(kind, day)))

    def alone(self, kind: str) -> AbstractAsyncContextManager[None]:
        """Ask for *kind* alone, over all processes: what one of them fetches, the others need not ask for."""
        return self._state.leases.alone(f"statistics of {kind} {self._key}", most_s=_LEASE_S)

    def keep(self, kind: str, fetched: Sequence[tuple[Span, Found]], today: date) -> None:
        """Store what was fetched of days before *today*."""
        ids: defaultdict[date, list[str]] = defaultdict(list)
        rows: defaultdict[date, dict[str, msgspec.Raw]] = defaultdict(dict)
        for span, found in fetched:
            for day in span.closed(today):
                ids[day].extend(span.ids)
                rows[day].update(found.get(day, {}))
        if not ids:
            return
        now = self._clock.now()
        with self._state.database.transaction():
            for day, fresh in ids.items():
                kept = Kept(at=now, ids=fresh, rows=rows[day])
                body = _ENCODER.encode([*_without(self._load(kind, day), set(fresh)), kept])
                self._state.stats.keep(self._key, _request_key(kind), day, body)

    def _load(self, kind: str, day: date) -> list[Kept]:
        body = self._state.stats.answered(self._key, _request_key(kind), day)
        if body is None:
            return []
        try:
            return _KEPT.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return []  # asked for again


def _without(groups: Iterable[Kept], ids: Collection[str]) -> list[Kept]:
    """Return what is kept of other objects."""
    others = []
    for group in groups:
        left = [number for number in group.ids if number not in ids]
        if left:
            rows = {number: row for number, row in group.rows.items() if number not in ids}
            others.append(Kept(at=group.at, ids=left, rows=rows))
    return others


def _request_key(kind: str) -> str:
    return f"day {kind} {METRICS}"


_KEPT: Final = msgspec.json.Decoder(list[Kept])
_ENCODER: Final = msgspec.json.Encoder()
