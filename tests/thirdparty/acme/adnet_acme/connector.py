"""Acme Ads behind the common facets."""

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

import msgspec

from adnet.errors import ConfigurationError
from adnet.interface import Connector, LimitFact, Option, ReadsAccounts, ReadsCampaigns, ReadsStats, Services
from adnet.models import AccountInfo, Batch, Campaign, ModelBatch, Raw, StatRow
from adnet.models.words import Level
from adnet.money import Money
from adnet.periods import Period
from adnet.redact import keyed_hash
from adnet.transport.decipher import Decipherer, decode
from adnet.transport.limits import Bucket, Limiter, Window
from adnet.transport.session import Session
from adnet.transport.sign import HeaderSigner, StaticToken
from adnet.transport.wire import Route

_SOURCE: Final = "Acme API, page 1 (invented)"
ME: Final = Route(operation="me.get", method="GET", path="/me", idempotent=True, source=_SOURCE)
CAMPAIGNS: Final = Route(
    operation="campaigns.list", method="GET", path="/campaigns", idempotent=True, source=_SOURCE
)
CAMPAIGN: Final = Route(
    operation="campaigns.get", method="GET", path="/campaigns/{id}", idempotent=True, source=_SOURCE
)
STATS: Final = Route(operation="stats.list", method="GET", path="/stats", idempotent=True, source=_SOURCE)

_STATUS: Final = {"on": "active", "off": "paused"}


class _Me(msgspec.Struct):
    id: str
    currency: str


class _CampaignRow(msgspec.Struct):
    id: str
    name: str
    status: str
    cents: int
    since: date


class _StatRow(msgspec.Struct):
    day: date
    campaign: str
    shows: int
    clicks: int
    cents: int


class Acme(Connector, ReadsAccounts, ReadsCampaigns, ReadsStats):
    """One account on Acme Ads."""

    network = "acme"
    title = "Acme Ads"
    options = (Option("key", "the API key, from the account's settings", required=True, secret=True),)
    limit_facts = (LimitFact("requests", 10, "per second", _SOURCE),)
    levels: ClassVar[tuple[Level, ...]] = ("campaign",)

    def __init__(self, services: Services, *, base_url: str | None, options: Mapping[str, Any]) -> None:
        if not base_url:
            raise ConfigurationError(f"account {services.account!r}: acme needs base_url")
        services.scrubber.learn(options["key"])
        self._key = keyed_hash(b"acme account", f"{base_url} {options['key']}")
        bucket = Bucket("api", windows=(Window(10, 1.0),), concurrency=4, source=_SOURCE)
        self._session = Session(
            network=self.network,
            account=services.account,
            base_url=base_url,
            transport=services.transport,
            limiter=services.limiter([bucket], self._key),
            signer=HeaderSigner(StaticToken(options["key"]), header="X-Key", prefix=""),
            decipherer=Decipherer(network=self.network, scrubber=services.scrubber),
            clock=services.clock,
            scrubber=services.scrubber,
            policy=services.policy,
            ceilings=services.ceilings,
            listeners=services.listeners,
        )

    @property
    def account_key(self) -> str:
        return self._key

    @property
    def native(self) -> Session:
        return self._session

    @property
    def limiter(self) -> Limiter:
        return self._session.limiter

    @property
    def requests(self) -> int:
        return self._session.meter.requests

    async def close(self) -> None:
        await self._session.close()

    async def get_account(self) -> AccountInfo:
        (me, raw) = await self._one(ME, _Me)
        return AccountInfo(account_id=me.id, currency=me.currency, raw=raw)

    async def list_campaigns(
        self, *, ids: Collection[str] | None = None, status: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        page = 1
        while rows := await self._rows(CAMPAIGNS, _CampaignRow, page=page):
            found = [_campaign(row, raw) for row, raw in rows]
            yield ModelBatch(
                campaign
                for campaign in found
                if (ids is None or campaign.campaign_id in ids)
                and (status is None or campaign.status in status)
            )
            page += 1

    async def get_campaign(self, campaign_id: str) -> Campaign:
        return _campaign(*await self._one(CAMPAIGN, _CampaignRow, path={"id": campaign_id}))

    async def list_stats(
        self, period: Period, *, level: Level = "campaign", ids: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        for day in period.days(UTC):
            rows = await self._rows(STATS, _StatRow, day=day)
            yield ModelBatch(_stat(row, raw) for row, raw in rows if ids is None or row.campaign in ids)

    async def _one(self, route: Route, kind: type[Any], **parts: Any) -> tuple[Any, Raw]:
        answer = await self._session.send(self._session.build(route, **parts))
        with self._session.reading(route):
            clean = self._session.clean(answer)
            return decode(clean, kind, scrubber=self._session.scrubber), Raw(clean.body)

    async def _rows(self, route: Route, kind: type[Any], **query: Any) -> list[tuple[Any, Raw]]:
        answer = await self._session.send(self._session.build(route, query=query))
        with self._session.reading(route):
            clean = self._session.clean(answer)
            rows = decode(clean, list[kind], scrubber=self._session.scrubber)
            raws = decode(clean, list[msgspec.Raw], scrubber=self._session.scrubber)
        return [(row, Raw(bytes(raw))) for row, raw in zip(rows, raws, strict=True)]


def _money(cents: int) -> Money:
    return Money(Decimal(cents) / 100, "NOK")


def _campaign(row: _CampaignRow, raw: Raw) -> Campaign:
    return Campaign(
        campaign_id=row.id,
        name=row.name,
        status=_STATUS.get(row.status, "unknown"),
        status_raw=row.status,
        daily_budget=_money(row.cents),
        currency="NOK",
        created_at=datetime(row.since.year, row.since.month, row.since.day, tzinfo=UTC),
        raw=raw,
    )


def _stat(row: _StatRow, raw: Raw) -> StatRow:
    return StatRow(
        date=row.day,
        level="campaign",
        object_id=row.campaign,
        campaign_id=row.campaign,
        impressions=row.shows,
        clicks=row.clicks,
        spend=_money(row.cents),
        currency="NOK",
        raw=raw,
    )
