"""A sink in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from adnet.clock import Clock, SystemClock
from adnet.errors import AdnetError
from adnet.models.tables import PULLS, TABLES, Columns, Table
from adnet.sinks.base import Landed, Sink, Stretch

Row = dict[str, Any]


class MemorySink(Sink):
    """A Sink that keeps its rows in memory, with the same rules as all others.

    Args:
        clock: Gives ``replaced_at`` where a landing names none.
    """

    uri = "memory:"

    def __init__(self, clock: Clock | None = None) -> None:
        self.refusal: AdnetError | None = None
        """Set it, and the next commit raises it and lands nothing."""
        self._clock: Clock = clock or SystemClock()
        self._tables: dict[str, dict[tuple[Any, ...], Row]] = {}
        self._histories: dict[str, list[Row]] = {}

    def rows(self, table: str) -> list[Row]:
        """Return what has landed in *table*, ordered by key."""
        landed = self._tables.get(table, {})
        return [landed[key] for key in sorted(landed, key=str)]

    def history(self, table: str) -> list[Row]:
        """Return the rows of *table* that were replaced, in the order of their going."""
        return list(self._histories.get(table, ()))

    async def open(self) -> None:
        """Nothing has to be made."""

    def landing(
        self, *, network: str, account: str, fetched_at: datetime, replaced_at: datetime | None = None
    ) -> "MemoryLanding":
        """Return a new landing."""
        stamp = {"network": network, "account": account, "fetched_at": fetched_at}
        return MemoryLanding(self, stamp, replaced_at)

    async def record(self, pulls: Sequence[Mapping[str, Any]]) -> None:
        """Land rows of the ``pulls`` table."""
        landed = self._tables.setdefault("pulls", {})
        for pull in pulls:
            key = tuple(pull[name] for name in PULLS.full_key)
            landed[key] = {**landed.get(key, {}), **pull}

    async def recorded(self, pull_id: str) -> bool:
        """Say whether a run has been recorded here."""
        return any(row["pull_id"] == pull_id for row in self._tables.get("pulls", {}).values())

    async def count(self, stretch: Stretch) -> int:
        """Return how many rows of *stretch* have landed."""
        time, whose = TABLES[stretch.table].time or "", (stretch.network, stretch.account)
        return sum(
            (row["network"], row["account"]) == whose
            and (not stretch.levels or row["level"] in stretch.levels)
            and stretch.since <= row[time] < stretch.until
            for row in self._tables.get(stretch.table, {}).values()
        )

    async def close(self) -> None:
        """Nothing has to be given back; what has landed stays readable."""

    def land(self, table: Table, rows: Mapping[tuple[Any, ...], Row], replaced_at: datetime | None) -> Landed:
        """Merge a landing's *rows* into *table*; used by its commit."""
        landed = self._tables.setdefault(table.name, {})
        new = changed = 0
        for key, row in rows.items():
            old = landed.get(key)
            if old is None:
                landed[key], new = row, new + 1
            elif any(old[name] != row[name] for name in table.compared):
                changed += 1
                if table.history:
                    gone = {**old, "replaced_at": replaced_at or self._clock.now()}
                    self._histories.setdefault(table.name, []).append(gone)
                landed[key] = row
            elif row["raw"] not in {None, old["raw"]}:
                landed[key] = {**old, "raw": row["raw"], "fetched_at": row["fetched_at"]}
        return Landed(rows=len(rows), new_rows=new, changed_rows=changed)


class MemoryLanding:
    """One unit of work in a MemorySink; made by :meth:`MemorySink.landing`."""

    def __init__(self, sink: MemorySink, stamp: Row, replaced_at: datetime | None) -> None:
        self._sink = sink
        self._stamp = stamp
        self._replaced_at = replaced_at
        self._staged: dict[str, dict[tuple[Any, ...], Row]] = {}

    async def write(self, table: str, columns: Columns) -> None:
        """Stage rows of *table*."""
        staged = self._staged.setdefault(table, {})
        for values in zip(*columns.values(), strict=True):
            row = {**self._stamp, **dict(zip(columns, values, strict=True))}
            staged[tuple(row[name] for name in TABLES[table].full_key)] = row

    async def commit(self) -> dict[str, Landed]:
        """Land what was written, as a whole; raise the sink's ``refusal`` if one is set."""
        if (refusal := self._sink.refusal) is not None:
            self._sink.refusal = None
            raise refusal
        staged, self._staged = self._staged, {}
        return {name: self._sink.land(TABLES[name], rows, self._replaced_at) for name, rows in staged.items()}

    async def rollback(self) -> None:
        """Forget what was written."""
        self._staged.clear()
