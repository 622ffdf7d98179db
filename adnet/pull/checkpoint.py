"""How far an interrupted pull came, so that the next one asks only for what has not landed yet.

Kept in the state beside the report jobs. It is gone on with only when the same windows are pulled into the same
place, soon, and when that place still knows the run: a sink that was emptied or replaced gets everything anew.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, Self

import msgspec

from adnet.models import ReportQuery
from adnet.operations.windows import Left
from adnet.periods import Period, utc
from adnet.sinks import Landed, Sink
from adnet.state import Facts

FRESH_FOR: Final = timedelta(hours=1)
"""A run that began longer ago is not gone on with: what landed then may have been restated since."""


_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_Ends = tuple[_Instant, _Instant]


class _Left(msgspec.Struct):
    """What is left to land, as it is stored."""

    windows: list[_Ends | None]
    rest: _Ends | None
    step_s: float | None

    @classmethod
    def of(cls, left: Left) -> Self:
        step_s = left.step.total_seconds() if left.step else None
        return cls([_ends(window) for window in left.windows], _ends(left.rest), step_s)

    def value(self) -> Left:
        """Return it; raises ValueError or OverflowError where it is none."""
        step = None if self.step_s is None else timedelta(seconds=self.step_s)
        return Left(windows=tuple(map(_period, self.windows)), rest=_period(self.rest), step=step)


class _Kept(msgspec.Struct):
    """One source of an interrupted pull, as it is stored."""

    began: _Instant
    pulls: list[str]
    left: _Left
    landed: dict[str, tuple[int, int, int]]


class PullCheckpoint:
    """What one source of one account still needs; a Checkpoint of ``adnet.operations.windows``.

    Args:
        facts: Where it is kept.
        scope: Whose credentials ask.
        query: What is asked for.
        sink: Where it lands.
        pull_id: The run's.
        now: When the run began.
        lands: What of it lands: the account's name, which is a part of every key, the tables, and how.
    """

    def __init__(
        self,
        facts: Facts,
        *,
        scope: str,
        query: ReportQuery,
        sink: Sink,
        pull_id: str,
        now: datetime,
        lands: Sequence[str],
    ) -> None:
        self._facts = facts
        self._scope = scope
        # What one pull has landed is nothing that another has, if that is another account's, or other tables.
        self._name = f"pull.{query.key}.{msgspec.json.encode(lands).decode()}.{sink.uri}"
        self._period = query.period
        self._sink = sink
        self._pulls = [pull_id]
        self._began = now
        self._left: Left | None = None
        self.landed: dict[str, tuple[int, int, int]] = {}
        """Table -> rows, new rows and changed rows of this source that landed so far, in this run and those it goes
        on with; another source may feed the same table."""

    async def verify(self) -> None:
        """Read what an earlier run left, and whether it can be gone on with."""
        try:
            kept = _KEPT.decode(self._facts.get(self._scope, self._name) or "null")
            left = kept.left.value()
        except (msgspec.DecodeError, ValueError, OverflowError):
            return
        # One that began later than now was written by a clock that was wrong: how old it is cannot be told.
        stale = not timedelta(0) <= self._began - kept.began <= FRESH_FOR
        if self._period is not None:
            stale = stale or self._period.ended_between(kept.began, self._began)
        if stale or not all([await self._sink.recorded(pull) for pull in kept.pulls]):
            return
        self._began, self._left, self.landed = kept.began, left, kept.landed
        self._pulls = [*kept.pulls, *self._pulls]

    def load(self) -> Left | None:
        """Return what an earlier run left; None when there is none to go on with."""
        return self._left

    def count(self, table: str, counts: Landed) -> None:
        """Add what one landing of this source did to *table*."""
        rows, new, changed = self.landed.get(table, (0, 0, 0))
        self.landed[table] = rows + counts.rows, new + counts.new_rows, changed + counts.changed_rows

    def save(self, left: Left) -> None:
        """Store what is left to land."""
        self._left = left
        kept = _Kept(began=self._began, pulls=self._pulls, left=_Left.of(left), landed=self.landed)
        self._facts.put(self._scope, self._name, msgspec.json.encode(kept).decode())

    def settle(self) -> None:
        """Forget a source that has landed whole, now that its run has ended."""
        if self._left is not None and not self._left.windows and self._left.rest is None:
            self._facts.forget(self._scope, self._name)


def _period(ends: _Ends | None) -> Period | None:
    return None if ends is None else Period(utc(ends[0]), utc(ends[1]))


def _ends(period: Period | None) -> _Ends | None:
    return None if period is None else (period.since, period.until)


_KEPT: Final = msgspec.json.Decoder(_Kept)
