"""The facets that read: the account, campaigns, ads, statistics, clicks."""

from collections.abc import AsyncIterator, Collection
from typing import Any, ClassVar

from adnet.connectors.adskeeper import codec, lists
from adnet.connectors.adskeeper.base import AdskeeperBase
from adnet.connectors.adskeeper.daily import Daily
from adnet.errors import UnsupportedError
from adnet.interface import ReadsAccounts, ReadsAds, ReadsCampaigns, ReadsClicks, ReadsStats
from adnet.models import AccountInfo, Ad, Batch, Campaign
from adnet.models.words import Level
from adnet.periods import Period


class AdskeeperReads(AdskeeperBase, ReadsAccounts, ReadsCampaigns, ReadsAds, ReadsStats, ReadsClicks):
    """Reads one client's account."""

    levels: ClassVar[tuple[Level, ...]] = ("campaign", "ad", "source")

    async def get_account(self) -> AccountInfo:
        """Return the client; its balance is the wallet's own, without the credit, and may be negative."""
        client = await self._native.client.get()
        self._learn(client)
        return codec.account(client, self._core.dialect.wallet_divisor)

    def list_campaigns(
        self, *, ids: Collection[str] | None = None, status: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        """Yield campaigns, deleted ones too."""
        return self._opened(lambda: lists.list_campaigns(self._native, self._book, ids, status))

    async def get_campaign(self, campaign_id: str) -> Campaign:
        """Return one campaign with all its targetings."""
        await self.open()
        return await lists.get_campaign(self._native, self._book, campaign_id)

    def list_ads(
        self, *, campaign_ids: Collection[str] | None = None, status: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        """Yield the current ads; older ones are found only by their ids."""
        return self._opened(lambda: lists.list_ads(self._native, self._book, campaign_ids, status))

    async def get_ad(self, ad_id: str) -> Ad:
        """Return one ad, an older one too."""
        await self.open()
        return codec.ad(await self._native.teasers.get(ad_id), self._book)

    @property
    def _daily(self) -> Daily:
        services = self._services
        return Daily(self._native, self._book, services.clock, services.state.secret_key)

    def list_stats(
        self, period: Period, *, level: Level = "campaign", ids: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        """Yield one row per day and object.

        ``campaign`` takes a request a day, ``ad`` one for each ad, ``source`` one for each campaign and day with
        anything. A source is ``campaign:uid`` or ``campaign:uid/sub``; a widget and its sub-sources are never counted
        twice, and impressions of sources are not told.

        Ads that the network lists no more come only by their ids. Whether it counts video campaigns here is not
        documented: ``native.statistics.videos`` tells them by themselves.
        """
        names = {"campaign": "campaigns", "ad": "ads", "source": "sources"}
        return self._opened(lambda: getattr(self._daily, names[level])(period, ids))

    def list_clicks(self, period: Period, **filters: Any) -> AsyncIterator[Batch]:
        """Yield the accepted clicks of a period.

        Filters: ``campaign_ids``, one or several.

        Raises:
            UnsupportedError: There is no such filter.
        """
        if unknown := filters.keys() - {"campaign_ids"}:
            raise UnsupportedError(
                f"{self.network} cannot filter clicks by {min(unknown)!r}; it can by campaign_ids",
                network=self.network,
                account=self._services.account,
            )
        ids = filters.get("campaign_ids")
        chosen: Collection[str] | None = [str(ids)] if isinstance(ids, str | int) else ids
        return self._opened(lambda: self._daily.clicks(period, chosen))
