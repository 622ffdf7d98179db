"""What a pull brought: one result for each account and table, and what they amount to."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import attrs

from adnet.errors import AdnetError
from adnet.periods import Period
from adnet.transport.events import Meter

Outcome = Literal["landed", "partial", "failed", "interrupted"]


@attrs.define(kw_only=True)
class TableResult:
    """One account's table in one run; a row of ``pulls``."""

    network: str
    account: str
    table: str
    period: Period | None
    started_at: datetime
    finished_at: datetime | None = None
    outcome: Outcome = "interrupted"
    """``interrupted`` until it has ended otherwise, so that a killed run tells the truth."""
    feeds: int = 0
    """Sources that feed it and have not ended."""
    any_landed: bool = False
    """Whether a unit of a source that has ended has landed, though it may have had no rows."""
    rows: int = 0
    new_rows: int = 0
    changed_rows: int = 0
    vanished_rows: int = 0
    """Rows of the period that have landed before, and that the network told no more. They stay, and count in every
    sum; only told of tables that landed whole, into places that keep what lands."""
    meter: Meter = attrs.field(factory=Meter)
    errors: list[AdnetError] = attrs.field(factory=list)
    """Why windows are missing, or all of it."""

    def count(self, rows: int, new_rows: int, changed_rows: int) -> None:
        """Add what one landing did."""
        self.rows += rows
        self.new_rows += new_rows
        self.changed_rows += changed_rows

    def end(self, at: datetime, *, landed: bool) -> None:
        """Say how a source of it ended: *landed* tells whether any unit of that has landed."""
        self.any_landed = self.any_landed or landed
        self.feeds -= 1
        if self.feeds > 0:
            return
        self.finished_at = at
        if not self.errors:
            self.outcome = "landed"
        else:
            self.outcome = "partial" if self.any_landed else "failed"

    def row(self, pull_id: str) -> dict[str, Any]:
        """Return it as a row of the ``pulls`` table."""
        return {
            "network": self.network,
            "account": self.account,
            "pull_id": pull_id,
            "table": self.table,
            "since": self.period.since if self.period else None,
            "until": self.period.until if self.period else None,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "outcome": self.outcome,
            "rows": self.rows,
            "new_rows": self.new_rows,
            "changed_rows": self.changed_rows,
            "requests": self.meter.requests,
            "waited_s": round(Decimal(self.meter.waited_s), 6),
        }


@attrs.frozen(kw_only=True)
class PullResult:
    """What one run of ``pull`` brought."""

    pull_id: str
    to: str
    tables: tuple[TableResult, ...]
    failures: tuple[tuple[str, AdnetError], ...] = ()
    """Accounts of which nothing could be asked, and why; each of their tables has failed."""

    @property
    def ok(self) -> bool:
        """Whether everything asked for has landed whole."""
        return not self.failures and all(table.outcome == "landed" for table in self.tables)

    @property
    def landed(self) -> bool:
        """Whether anything has landed."""
        return any(table.outcome in {"landed", "partial"} for table in self.tables)

    @property
    def errors(self) -> tuple[AdnetError, ...]:
        """All errors, in the order of the tables."""
        every = [error for table in self.tables for error in table.errors]
        told = set(every)
        return (*every, *(error for _, error in self.failures if error not in told))

    @property
    def rows(self) -> int:
        """Rows that landed, over all tables."""
        return sum(table.rows for table in self.tables)
