"""How far an interrupted pull came, so that the next one asks only for what has not landed yet.

Kept in the state beside the report jobs. It is gone on with only when the same windows are pulled into the same
place, soon, and when that place still knows the run: a sink that was emptied or replaced gets everything anew.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from adnet.models import ReportQuery
from adnet.operations.windows import Left
from adnet.periods import Period
from adnet.sinks import Landed, Sink
from adnet.state import Facts

FRESH_FOR: Final = timedelta(hours=1)
"""A run that began longer ago is not gone on with: what landed then may have been restated since."""


class PullCheckpoint:
    """What one source of one account still needs; a Checkpoint of ``adnet.operations.windows``."""

    def __init__(
        self, facts: Facts, *, scope: str, query: ReportQuery, sink: Sink, pull_id: str, now: datetime
    ) -> None:
        self._facts = facts
        self._scope = scope
        self._name = f"pull.{query.key}.{sink.uri}"
        self._sink = sink
        self._pulls = [pull_id]
        self._began = now
        self._left: Left | None = None
        self.landed: dict[str, list[int]] = {}
        """Table -> rows, new rows and changed rows of this source that landed so far, in this run and those it goes
        on with; another source may feed the same table."""

    async def verify(self) -> None:
        """Read what an earlier run left, and whether it can be gone on with."""
        try:
            data: dict[str, Any] = (
                msgspec.json.decode(self._facts.get(self._scope, self._name) or "null") or {}
            )
            began = datetime.fromisoformat(data["began"])
            left = _left(data["left"])
            pulls, landed = list(data["pulls"]), dict(data["landed"])
        except (msgspec.DecodeError, KeyError, TypeError, ValueError):
            return
        if self._began - began > FRESH_FOR or not all([await self._sink.recorded(pull) for pull in pulls]):
            return
        self._began, self._left, self.landed = began, left, landed
        self._pulls = [*pulls, *self._pulls]

    def load(self) -> Left | None:
        """Return what an earlier run left; None when there is none to go on with."""
        return self._left

    def count(self, table: str, counts: Landed) -> None:
        """Add what one landing of this source did to *table*."""
        before = self.landed.get(table, (0, 0, 0))
        added = (counts.rows, counts.new_rows, counts.changed_rows)
        self.landed[table] = [old + new for old, new in zip(before, added, strict=True)]

    def save(self, left: Left) -> None:
        """Store what is left to land."""
        self._left = left
        data = {
            "began": self._began.isoformat(),
            "pulls": self._pulls,
            "left": {
                "windows": [_ends(period) for period in left.windows],
                "rest": _ends(left.rest),
                "step_s": left.step.total_seconds() if left.step else None,
            },
            "landed": self.landed,
        }
        self._facts.put(self._scope, self._name, msgspec.json.encode(data).decode())

    def settle(self) -> None:
        """Forget a source that has landed whole, now that its run has ended."""
        if self._left is not None and not self._left.windows and self._left.rest is None:
            self._facts.forget(self._scope, self._name)


def _left(data: dict[str, Any]) -> Left:
    step = data["step_s"]
    return Left(
        windows=tuple(map(_period, data["windows"])),
        rest=_period(data["rest"]),
        step=None if step is None else timedelta(seconds=step),
    )


def _period(ends: list[str] | None) -> Period | None:
    if ends is None:
        return None
    return Period(datetime.fromisoformat(ends[0]), datetime.fromisoformat(ends[1]))


def _ends(period: Period | None) -> list[str] | None:
    return None if period is None else [period.since.isoformat(), period.until.isoformat()]
