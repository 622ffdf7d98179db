"""Daily statistics and clicks. Days are the account's own; several are under way at once, delivered in order.

``campaigns-stat`` totals whatever period it is asked for, so each day is asked for by itself. It also tells which
campaigns had anything, and only those are asked about their sources and clicks. A conversion may come days after its
click, on a day without any.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import date, timedelta
from typing import TypeVar

import attrs

from adnet.clock import Clock
from adnet.connectors.adskeeper import clicks, codec
from adnet.connectors.adskeeper.codec import Book
from adnet.connectors.adskeeper.figures import CampaignFigures, TeaserFigures
from adnet.connectors.adskeeper.limits import WIDTH
from adnet.connectors.adskeeper.lists import FEW, found, list_teasers
from adnet.connectors.adskeeper.native import AdskeeperNative
from adnet.errors import NotFoundError
from adnet.models import Batch, Click, ModelBatch, StatRow
from adnet.operations.ending import ending
from adnet.operations.paginate import in_order
from adnet.periods import Period

T = TypeVar("T")


@attrs.frozen
class Chosen:
    """Campaigns that are asked about: some, or all."""

    ids: frozenset[str] | None

    @classmethod
    def of(cls, ids: Collection[str] | None) -> "Chosen":
        """Return the choice of *ids*; None means all."""
        return cls(None if ids is None else frozenset(map(str, ids)))

    def has(self, row: CampaignFigures) -> bool:
        """Whether a campaign is among them."""
        return self.ids is None or row.campaign_id in self.ids


@attrs.frozen
class Daily:
    """Reads one account's days."""

    native: AdskeeperNative
    book: Book
    clock: Clock
    hash_key: bytes = attrs.field(repr=False)

    def days(self, period: Period) -> list[date]:
        """Return the account's days that the period touches and that have begun, oldest first."""
        # A day of grace: this machine's clock may be behind the network's.
        last = self.clock.now().astimezone(self.book.zone).date() + timedelta(days=1)
        return [day for day in period.days(self.book.zone) if day <= last]

    async def _totals(self, day: date) -> tuple[date, list[CampaignFigures]]:
        return day, await self.native.statistics.campaigns(day, day)

    # ------------------------------------------------------------------ statistics

    async def campaigns(self, period: Period, ids: Collection[str] | None) -> AsyncIterator[Batch]:
        """Yield a row per day and campaign: one request a day."""
        chosen = Chosen.of(ids)
        async with ending(in_order(self.days(period), self._totals, width=WIDTH)) as days:
            async for day, figures in days:
                rows = (codec.campaign_day(row, day, self.book) for row in figures if chosen.has(row))
                if kept := [row for row in rows if row is not None]:
                    yield ModelBatch(kept)

    async def ads(self, period: Period, ids: Collection[str] | None) -> AsyncIterator[Batch]:
        """Yield a row per day and ad: one request for each ad.

        Without *ids* these are the current ads of the campaigns that had anything in the period; the network does
        not list older ones.
        """
        days = self.days(period)
        if not days:
            return
        first, last = days[0], days[-1]
        owners = await (self._owners(first, last) if ids is None else self._owners_of(ids))

        async def one(number: str) -> TeaserFigures | None:
            try:
                return await self.native.statistics.teaser(number, first, last)
            except NotFoundError:
                return None  # deleted meanwhile

        async with ending(in_order(owners, one, width=WIDTH)) as ads:
            async for figures in ads:
                if figures is None:
                    continue
                owner = owners[figures.teaser_id]
                rows = (codec.ad_day(row, figures, owner, self.book) for row in figures.days)
                if kept := [row for row in rows if row is not None and first <= row.date <= last]:
                    yield ModelBatch(kept)

    async def _owners(self, first: date, last: date) -> dict[str, str | None]:
        """Return ad id -> campaign id of all ads of campaigns that had anything."""
        active = [row.campaign_id for row in await self.native.statistics.campaigns(first, last)]
        return {row.id: row.campaign_id async for page in list_teasers(self.native, active) for row in page}

    async def _owners_of(self, ids: Collection[str]) -> dict[str, str | None]:
        """Return ad id -> campaign id of chosen ads; None for those that are in the bin, or never were."""
        wanted = dict.fromkeys(map(str, ids))
        owners: dict[str, str | None] = {}
        if len(wanted) > FEW:
            async for page in self.native.teasers.list_all(fields=("id", "campaignId")):
                owners.update({row.id: row.campaign_id for row in page if row.id in wanted})
        missing = [number for number in wanted if number not in owners]
        owners.update({row.id: row.campaign_id for row in await found(self.native.teasers.get, missing)})
        return {number: owners.get(number) for number in wanted}

    async def sources(self, period: Period, ids: Collection[str] | None) -> AsyncIterator[Batch]:
        """Yield a row per day, campaign and source: one request for each campaign and day with anything."""

        async def one(campaign_id: str, day: date) -> list[StatRow]:
            widgets = await self.native.statistics.quality(campaign_id, day, day)
            rows = (codec.source_days(campaign_id, widget, day, self.book) for widget in widgets)
            return [row for group in rows for row in group]

        def busy(row: CampaignFigures) -> bool:
            return bool(row.clicks or row.spent or row.stages.buy)

        async with ending(self._each(period, ids, busy, one)) as groups:
            async for rows in groups:
                if rows:
                    yield ModelBatch(rows)

    # ------------------------------------------------------------------ clicks

    async def clicks(self, period: Period, campaign_ids: Collection[str] | None) -> AsyncIterator[Batch]:
        """Yield the accepted clicks of a period: one request for each campaign and day with clicks."""

        async def one(campaign_id: str, day: date) -> list[Click]:
            report = await self.native.statistics.clicks(campaign_id, day)
            # Keys are numbered over the whole day, whatever part of it is asked for.
            return clicks.clicks(report, self.book, self.hash_key)

        def busy(row: CampaignFigures) -> bool:
            return bool(row.clicks)

        async with ending(self._each(period, campaign_ids, busy, one)) as groups:
            async for rows in groups:
                if kept := [row for row in rows if row.occurred_at in period]:
                    yield ModelBatch(kept)

    async def _each(
        self,
        period: Period,
        ids: Collection[str] | None,
        busy: Callable[[CampaignFigures], bool],
        ask: Callable[[str, date], Awaitable[T]],
    ) -> AsyncIterator[T]:
        """Yield what *ask* gives for every chosen campaign that was *busy* on a day, day after day."""
        chosen = Chosen.of(ids)

        async def keys_of(day: date) -> list[tuple[str, date]]:
            _, figures = await self._totals(day)
            return [(row.campaign_id, day) for row in figures if chosen.has(row) and busy(row)]

        async def one(key: tuple[str, date]) -> T:
            return await ask(*key)

        async with ending(in_order(self.days(period), keys_of, width=WIDTH)) as days:
            async for keys in days:
                async with ending(in_order(keys, one, width=WIDTH)) as groups:
                    async for rows in groups:
                        yield rows
