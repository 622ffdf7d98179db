"""Numbering rows that agree in all that never changes, page after page."""

import marshal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import chain, takewhile
from operator import ge, le
from typing import Final

from adnet.errors import SchemaError

_MOST_KEYS: Final = 100_000


class Occurrences:
    """Numbers rows that agree in all that never changes, over one report.

    While the rows come in order of time, no key but those of the last instant can come again. The others are put
    aside, up to a bound, for a report that turns out to be in no order; above the bound they are forgotten.
    """

    def __init__(self, bound: int = _MOST_KEYS) -> None:
        self._bound = bound
        self._counts: dict[str, int] = {}
        """Key -> how many rows had it; in order of time those of the last instant only."""
        self._aside: list[bytes] | None = []
        """The keys that came before, page by page; packed, since a hundred thousand texts of which each keeps its
        place scatter all that is decoded afterwards. None once there were too many."""
        self._aside_rows = 0
        self._rising = self._falling = True
        self._last: datetime | None = None

    def number(
        self, moments: Sequence[datetime], keys: Sequence[str], content: Callable[[int], str]
    ) -> Sequence[int]:
        """Return each row's number among the rows with the same key, from 0.

        Args:
            moments: Each row's instant.
            keys: What never changes in each row, the instant included.
            content: Gives the content of the row at an index, to tell rows apart that share a key.

        Raises:
            SchemaError: The report is above the bound and its rows are in no order.
        """
        if not keys:
            return []
        self._watch_order(moments)
        counts = self._counts
        firsts = dict.fromkeys(keys, 1)
        if len(firsts) == len(keys) and counts.keys().isdisjoint(firsts.keys()):
            numbers = [0] * len(keys)
        else:
            numbers, firsts = self._number_repeated(keys, content)
        if self._rising or self._falling:
            self._put_aside(moments, keys, firsts)
        else:
            counts.update(firsts)
        self._last = moments[-1]
        return numbers

    def _number_repeated(
        self, keys: Sequence[str], content: Callable[[int], str]
    ) -> tuple[list[int], dict[str, int]]:
        """Return each row's number, and how often each key has come by now."""
        places: dict[str, list[int]] = {}
        for index, key in enumerate(keys):
            places.setdefault(key, []).append(index)
        numbers = [0] * len(keys)
        counts = {}
        for key, group in places.items():
            start = self._counts.get(key, 0)
            if len(group) > 1:
                group.sort(key=lambda index: (content(index), index))
            for offset, index in enumerate(group, start):
                numbers[index] = offset
            counts[key] = start + len(group)
        return numbers, counts

    def _watch_order(self, moments: Sequence[datetime]) -> None:
        row = moments if self._last is None else [self._last, *moments]
        self._rising = self._rising and all(map(le, row, row[1:]))
        self._falling = self._falling and all(map(ge, row, row[1:]))
        if not (self._rising or self._falling):
            self._call_back()

    def _call_back(self) -> None:
        """Remember all keys again: from now on any of them may come once more."""
        if self._aside is None:
            raise SchemaError(
                f"the report has more than {self._bound} rows in no order of time, so that rows which agree"
                " cannot be told apart; ask for a shorter period"
            )
        if self._aside:
            every = Counter(chain.from_iterable(map(marshal.loads, self._aside)))
            self._counts = dict(every)
            self._aside = []

    def _put_aside(self, moments: Sequence[datetime], keys: Sequence[str], counts: Mapping[str, int]) -> None:
        """Remember *counts*, those of *keys*, as far as they are of the last instant."""
        if self._aside is not None:
            self._aside.append(marshal.dumps(list(keys)))
            self._aside_rows += len(keys)
            if self._aside_rows > self._bound:
                self._aside = None
        last = moments[-1]
        if last != self._last:
            self._counts.clear()
        newest = takewhile(lambda row: row[1] == last, zip(reversed(keys), reversed(moments), strict=True))
        self._counts.update((key, counts[key]) for key, _ in newest)
