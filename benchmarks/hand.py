"""The floor: what a careful user would write by hand for exactly this job, with aiohttp and msgspec.

No limits, no retries, no journal, no proof that the pages belong together, no tokens kept out of ``raw``.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any

import aiohttp
import attrs
import msgspec

from adnet.models import Raw, Transaction
from adnet.models.countries import iso2
from adnet.money import Money


class Row(msgspec.Struct, gc=False):
    """A row, typed: exact amounts and an aware instant."""

    tracking_id: str = msgspec.field(name="trackingId")
    status: str = msgspec.field(name="conversionStatus")
    kind: str = msgspec.field(name="transactionType")
    product_group: str | None = msgspec.field(name="productGroupName")
    occurred_at: datetime = msgspec.field(name="saved")
    offer_name: str = msgspec.field(name="offerName")
    source_name: str = msgspec.field(name="mediaName")
    amount: Decimal = msgspec.field(name="transactionAmount")
    commission: Decimal
    currency: str
    country: str
    reference: tuple[str, ...]


class Page(msgspec.Struct):
    """A page whose rows are typed."""

    data: list[Row]
    pages: int = msgspec.field(name="pagesNumber")


class RawPage(msgspec.Struct):
    """The same page again: each row's own bytes."""

    data: list[msgspec.Raw]


@attrs.frozen
class Flat:
    """The plainest typed row: no Money, no status of ours, no raw."""

    tracking_id: str
    status: str
    kind: str
    product_group: str | None
    occurred_at: datetime
    offer_name: str
    source_name: str
    amount: Decimal
    commission: Decimal
    currency: str
    country: str
    reference: tuple[str, ...]


_FLAT = attrgetter(*(field.name for field in attrs.fields(Flat)))
_PAGE = msgspec.json.Decoder(Page)
_RAWS = msgspec.json.Decoder(RawPage)


@lru_cache
def _status(raw: str) -> str:
    return {"approved": "approved", "approved, paid out": "paid"}.get(raw, "unknown")


def transactions(body: bytes) -> list[Transaction]:
    """Return a page as the models that ``list_transactions`` gives, built by their own constructors."""
    return [
        Transaction(
            transaction_id=f"{row.occurred_at}|{row.tracking_id}|{row.kind}|{row.product_group}|0",
            tracking_id=row.tracking_id,
            status=_status(row.status),
            status_raw=row.status,
            kind=row.kind,
            product_group=row.product_group,
            occurred_at=row.occurred_at,
            offer_name=row.offer_name,
            source_name=row.source_name,
            amount=Money(row.amount, row.currency),
            commission=Money(row.commission, row.currency),
            currency=row.currency,
            country=iso2(row.country),
            sub_ids=row.reference,
            raw=Raw(raw),
        )
        for row, raw in zip(_PAGE.decode(body).data, _RAWS.decode(body).data, strict=True)
    ]


def flat(body: bytes) -> list[Flat]:
    """Return a page as plain attrs rows."""
    return [Flat(*_FLAT(row)) for row in _PAGE.decode(body).data]


async def pages(base: str, count: int, *, width: int = 32) -> AsyncIterator[bytes]:
    """Yield the pages of a report in order, *width* in flight."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100)) as session:

        async def fetch(number: int) -> bytes:
            async with session.get(f"{base}/api/transactions/hand?page={number}") as answer:
                return await answer.read()

        waiting = iter(range(1, count + 1))
        running: deque[asyncio.Task[bytes]] = deque()
        while True:
            for number in waiting:
                running.append(asyncio.create_task(fetch(number)))
                if len(running) >= width:
                    break
            if not running:
                return
            yield await running.popleft()


async def each_row(base: str, count: int, build: Callable[[bytes], list[Any]]) -> int:
    """Go through all rows of a report, and return how many there were."""
    rows = 0
    async for body in pages(base, count):
        for _row in build(body):
            rows += 1
    return rows


async def each_report_row(base: str, count: int) -> int:
    """Ask for a report, ask once whether it is ready (it is), and go through its rows."""
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{base}/api/transactions", json={}) as answer:
            place = answer.headers["Location"]
        async with session.get(f"{base}{place}") as answer:
            await answer.read()
    return await each_row(base, count, transactions)


async def dropped(base: str, count: int, *, width: int = 32) -> int:
    """Read all pages and drop them; return their bytes."""
    size = 0
    async for body in pages(base, count, width=width):
        size += len(body)
    return size


async def to_parquet(base: str, count: int, path: Path) -> int:
    """Write a report's rows to one Parquet file, page by page, by hand with pyarrow."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    money, instant = pa.decimal128(18, 6), pa.timestamp("us", "UTC")
    kinds = {"amount": money, "commission": money, "occurred_at": instant, "reference": pa.list_(pa.string())}
    names = [field.name for field in attrs.fields(Flat)]
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in names] + [("raw", pa.string())])
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
        async for body in pages(base, count):
            found = _PAGE.decode(body).data
            columns = zip(*map(_FLAT, found), strict=True)
            raws = [bytes(raw).decode() for raw in _RAWS.decode(body).data]
            arrays = [
                pa.array(values, kind) for values, kind in zip([*columns, raws], schema.types, strict=True)
            ]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
            rows += len(found)
    return rows
