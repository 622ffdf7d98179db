"""Fake rows, a clock that stands, and readers that look at what landed without the sinks' code."""

import csv
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from adnet.models.tables import PULLS, TABLES, Columns
from adnet.sinks import Landed, Sink, open_sink

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)
ALL = {**TABLES, PULLS.name: PULLS}


@attrs.define
class StillClock:
    """A clock whose hands a test moves."""

    instant: datetime = START
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def transactions(count: int, *, start: int = 0, **changes: Any) -> Columns:
    """Return *count* transactions; a keyword gives a column's value in every row."""
    numbers = range(start, start + count)
    columns: Columns = {
        "transaction_id": [f"tx-{n:06}" for n in numbers],
        "tracking_id": [f"track-{n}" for n in numbers],
        "status": ["pending"] * count,
        "status_raw": ["Pending"] * count,
        "kind": ["sale"] * count,
        "product_group": [None] * count,
        "occurred_at": [START + timedelta(seconds=n) for n in numbers],
        "offer_id": [str(n % 7) for n in numbers],
        "offer_name": [f"Offer, “{n % 7}”" for n in numbers],
        "source_name": ["Site"] * count,
        "amount": [Decimal(n) / 4 for n in numbers],
        "commission": [Decimal(n) / 100 for n in numbers],
        "currency": ["EUR"] * count,
        "country": [None if n % 3 else "DE" for n in numbers],
        "sub_ids": [[f"a{n}", "b"] if n % 2 else [] for n in numbers],
        "raw": [f'{{"n": {n}}}' for n in numbers],
    }
    for name, value in changes.items():
        columns[name] = [value] * count
    return columns


def stats(count: int, **changes: Any) -> Columns:
    """Return *count* rows of statistics, one a day."""
    days = range(count)
    columns: Columns = {
        "date": [date(2026, 1, 1) + timedelta(days=n) for n in days],
        "level": ["campaign"] * count,
        "object_id": ["c1"] * count,
        "campaign_id": ["c1"] * count,
        "impressions": [None if n == 0 else 2**40 + n for n in days],
        "clicks": list(days),
        "spend": [Decimal("12.345678")] * count,
        "conversions": [0] * count,
        "revenue": [None] * count,
        "currency": ["USD"] * count,
        "raw": [None] * count,
    }
    for name, value in changes.items():
        columns[name] = [value] * count
    return columns


def _value(kind: str, cell: Any) -> Any:
    """Return a cell of a text file as what it means."""
    if cell is None:
        return None
    if kind == "money":
        return Decimal(cell)
    if kind == "int":
        return int(cell)
    if kind == "date":
        return date.fromisoformat(cell)
    if kind == "instant":
        assert cell.endswith("Z")
        return datetime.fromisoformat(cell).replace(tzinfo=None)
    if kind == "texts":
        return json.loads(cell) if isinstance(cell, str) else cell
    return cell


def _kinds(table: str) -> dict[str, str]:
    known = ALL[table.removesuffix("_history")]
    extra = {"replaced_at": "instant"} if table.endswith("_history") else {}
    return {**known.full_columns, **extra}


def _from_duckdb(relation: str, database: str = ":memory:") -> list[dict[str, Any]]:
    import duckdb

    with duckdb.connect(database) as connection:
        found = connection.execute(f"SELECT * FROM {relation}")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@attrs.define
class Place:
    """One kind of sink, at a place of its own, and what can be read there by other means."""

    scheme: str
    path: Path
    clock: StillClock

    @property
    def uri(self) -> str:
        return f"{self.scheme}:{self.path}"

    def sink(self) -> Sink:
        return open_sink(self.uri, clock=self.clock)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Sink]:
        sink = self.sink()
        await sink.open()
        try:
            yield sink
        finally:
            await sink.close()

    async def land(
        self,
        columns: Columns,
        table: str = "transactions",
        *,
        fetched_at: datetime = START,
        account: str = "acc",
    ) -> Landed:
        """Open, land one unit, close."""
        async with self.opened() as sink:
            landing = sink.landing(network="net", account=account, fetched_at=fetched_at)
            await landing.write(table, columns)
            return (await landing.commit())[table]

    def rows(self, table: str = "transactions") -> list[dict[str, Any]]:
        """Return what landed, in the order of the key, as plain values."""
        rows = self._read(table)
        key = ALL[table.removesuffix("_history")].full_key
        return sorted(rows, key=lambda row: [str(row[name]) for name in (*key, "fetched_at")])

    def column(self, name: str, table: str = "transactions") -> list[Any]:
        return [row[name] for row in self.rows(table)]

    def staged(self) -> list[str]:
        """Return the files in which rows wait for their commit."""
        found = [path for path in self.path.parent.rglob("*") if path.is_file() and path.name != "lock"]
        return [path.name for path in found if ".tmp-" in path.name or ".adnet/" in path.as_posix()]

    def leftovers(self) -> list[str]:
        """Return files that a closed sink should not leave."""
        logs = [
            path.name for path in self.path.parent.rglob("*") if path.suffix in {".wal", "-wal", "-journal"}
        ]
        return [*self.staged(), *logs]

    def _read(self, table: str) -> list[dict[str, Any]]:
        if self.scheme == "duckdb":
            return _from_duckdb(f'"{table}"', str(self.path))
        if self.scheme == "parquet":
            return _from_duckdb(f"read_parquet('{self.path}/{table}/*.parquet')")
        kinds = _kinds(table)
        if self.scheme == "csv":
            with (self.path / f"{table}.csv").open(encoding="utf-8", newline="") as file:
                cells = [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(file)]
        else:
            # Not splitlines, which knows eight more line ends than this format.
            lines = (self.path / f"{table}.jsonl").read_text(encoding="utf-8").split("\n")
            cells = [json.loads(line) for line in lines if line]
        return [{name: _value(kinds[name], cell) for name, cell in row.items()} for row in cells]
