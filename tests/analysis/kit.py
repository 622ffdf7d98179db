"""Rows to land, in few words, and the places they land in."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from adnet.clock import SystemClock
from adnet.models import AccountInfo, Ad, Campaign, ModelBatch, StatRow, Transaction
from adnet.money import Money
from adnet.sinks import open_sink

DAY = date(2026, 1, 14)
NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)
FIRST = datetime(2026, 1, 15, 6, tzinfo=UTC)
LATER = datetime(2026, 2, 15, 6, tzinfo=UTC)


def campaign(campaign_id: str, name: str = "Shoes", **rest: Any) -> Campaign:
    """Return a campaign in dollars."""
    return Campaign(**{"campaign_id": campaign_id, "name": name, "currency": "USD", **rest})


def ad(ad_id: str, campaign_id: str, url: str = "https://shop.example/") -> Ad:
    """Return an ad."""
    return Ad(ad_id=ad_id, campaign_id=campaign_id, url=url)


def stat(object_id: str, spend: str, *, day: date = DAY, level: str = "campaign", **rest: Any) -> StatRow:
    """Return a day of ten clicks; *spend* is an amount in dollars."""
    row = {"clicks": 10, "currency": "USD", "spend": Money(Decimal(spend), "USD"), **rest}
    if level == "campaign":
        row.setdefault("campaign_id", object_id)
    return StatRow(date=day, level=level, object_id=object_id, **row)


def sale(
    number: int, commission: str | None, status: str = "approved", *sub_ids: str, **rest: Any
) -> Transaction:
    """Return a sale of offer 7 in dollars."""
    row = {
        "occurred_at": NOON,
        "offer_id": "7",
        "offer_name": "Boots",
        "currency": "USD",
        "commission": None if commission is None else Money(Decimal(commission), rest.get("currency", "USD")),
        **rest,
    }
    return Transaction(transaction_id=f"tx-{number}", status=status, sub_ids=sub_ids, **row)


def account(zone: str = "UTC", currency: str = "USD") -> AccountInfo:
    """Return who an account belongs to."""
    return AccountInfo(account_id="1", currency=currency, time_zone=zone)


class Land:
    """Lands models at one place; awaiting it is one pull."""

    def __init__(self, scheme: str, folder: Path) -> None:
        self.uri = f"{scheme}:{folder / ('ads.duckdb' if scheme == 'duckdb' else scheme)}"

    async def __call__(
        self,
        models: Sequence[Any],
        *,
        network: str = "adskeeper",
        name: str = "native",
        at: datetime = FIRST,
    ) -> str:
        """Land *models* of one account, and return the URI they landed at."""
        batch = ModelBatch(models)
        async with open_sink(self.uri, clock=SystemClock()) as sink:
            landing = sink.landing(network=network, account=name, fetched_at=at, replaced_at=at)
            for table in batch.tables():
                await landing.write(table, batch.columns(table))
            await landing.commit()
        return self.uri

    async def income(self, models: Sequence[Any], *, at: datetime = FIRST) -> str:
        """Land *models* of an affiliate account."""
        return await self(models, network="targetcircle", name="partner", at=at)
