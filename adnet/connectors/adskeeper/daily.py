"""Daily statistics and clicks. Days are the account's own; several are under way at once, delivered in order.

``campaigns-stat`` totals whatever period it is asked for, so each day is asked for by itself. It also tells which
campaigns had anything, and only those are asked about their sources and clicks: a day without spend has neither.
"""

from collections.abc import AsyncIterator, Collection, Iterator
from datetime import date, timedelta

import attrs

from adnet.clock import Clock
from adnet.connectors.adskeeper import codec
from adnet.connectors.adskeeper.codec import Book
from adnet.connectors.adskeeper.figures import CampaignFigures, TeaserFigures
from adnet.connectors.adskeeper.limits import WIDTH
from adnet.connectors.adskeeper.lists import FEW, found, list_teasers
from adnet.connectors.adskeeper.native import AdskeeperNative
from adnet.errors import NotFoundError
from adnet.models import Batch, Click, ModelBatch, StatRow
from adnet.operations.paginate import in_order
from adnet.periods import Period


@attrs.frozen
class Daily:
    """Reads one account's days."""

    native: AdskeeperNative
    book: Book
    clock: Clock
    hash_key: bytes = attrs.field(repr=False)

    def days(self, period: Period) -> Iterator[date]:
        """Yield the account's days that the period touches and that have begun."""
        today = self.clock.now().astimezone(self.book.zone).date()
        # A day of grace: this machine's clock may be behind the network's.
        return (day for day in period.days(self.book.zone) if day <= today + timedelta(days=1))

    async def _totals(self, day: date) -> tuple[date, list[CampaignFigures]]:
        return day, await self.native.statistics.campaigns(day, day)

    def _each_day(self, period: Period) -> AsyncIterator[tuple[date, list[CampaignFigures]]]:
        return in_order(self.days(period), self._totals, width=WIDTH)

    # ------------------------------------------------------------------ statistics

    async def campaigns(self, period: Period, ids: Collection[str] | None) -> AsyncIterator[Batch]:
        """Yield a row per day and campaign: one request a day."""
        async for day, figures in self._each_day(period):
            rows = (codec.campaign_day(row, day, self.book) for row in figures if _wanted(row, ids))
            if kept := [row for row in rows if row is not None]:
                yield ModelBatch(kept)

    async def ads(self, period: Period, ids: Collection[str] | None) -> AsyncIterator[Batch]:
        """Yield a row per day and ad: one request for each ad.

        Without *ids* these are the current ads of the campaigns that had anything in the period; the network does
        not list older ones.
        """
        days = list(self.days(period))
        if not days:
            return
        owners = await (self._owners(days) if ids is None else self._owners_of(ids))

        async def one(number: str) -> TeaserFigures | None:
            try:
                return await self.native.statistics.teaser(number, days[0], days[-1])
            except NotFoundError:
                return None  # deleted meanwhile

        async for figures in in_order(owners, one, width=WIDTH):
            if figures is None:
                continue
            rows = (codec.ad_day(row, figures, owners[figures.teaser_id], self.book) for row in figures.days)
            if kept := [row for row in rows if row is not None and days[0] <= row.date <= days[-1]]:
                yield ModelBatch(kept)

    async def _owners(self, days: list[date]) -> dict[str, str | None]:
        """Return ad id -> campaign id of all ads of campaigns that had anything."""
        active = [row.campaign_id for row in await self.native.statistics.campaigns(days[0], days[-1])]
        return {row.id: row.campaign_id async for page in list_teasers(self.native, active) for row in page}

    async def _owners_of(self, ids: Collection[str]) -> dict[str, str | None]:
        """Return ad id -> campaign id of chosen ads; those that do not exist are left out."""
        wanted = dict.fromkeys(str(number) for number in ids)
        owners: dict[str, str | None] = {}
        if len(wanted) > FEW:
            async for page in self.native.teasers.list_all(fields=("id", "campaignId")):
                owners.update({row.id: row.campaign_id for row in page if row.id in wanted})
        missing = [number for number in wanted if number not in owners]
        owners.update({row.id: row.campaign_id for row in await found(self.native.teasers.get, missing)})
        return owners

    async def sources(self, period: Period, ids: Collection[str] | None) -> AsyncIterator[Batch]:
        """Yield a row per day, campaign and source: one request for each campaign and day with spend."""
        async for day, figures in self._each_day(period):
            busy = [row.campaign_id for row in figures if _wanted(row, ids) and (row.clicks or row.spent)]

            async def one(campaign_id: str, day: date = day) -> list[StatRow]:
                widgets = await self.native.statistics.quality(campaign_id, day, day)
                rows = (codec.source_days(campaign_id, widget, day, self.book) for widget in widgets)
                return [row for group in rows for row in group]

            async for rows in in_order(busy, one, width=WIDTH):
                if rows:
                    yield ModelBatch(rows)

    # ------------------------------------------------------------------ clicks

    async def clicks(self, period: Period, campaign_ids: Collection[str] | None) -> AsyncIterator[Batch]:
        """Yield the accepted clicks of a period: one request for each campaign and day with clicks."""
        async for day, figures in self._each_day(period):
            busy = [row.campaign_id for row in figures if _wanted(row, campaign_ids) and row.clicks]

            async def one(campaign_id: str, day: date = day) -> list[Click]:
                report = await self.native.statistics.clicks(campaign_id, day)
                # Keys are numbered over the whole day, whatever part of it is asked for.
                return codec.clicks(report, self.book, self.hash_key)

            async for rows in in_order(busy, one, width=WIDTH):
                if kept := [row for row in rows if row.occurred_at in period]:
                    yield ModelBatch(kept)


def _wanted(row: CampaignFigures, ids: Collection[str] | None) -> bool:
    return ids is None or row.campaign_id in {str(number) for number in ids}
