"""The facets that change: campaigns, ads, sources, and showing changes before they are sent."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from adnet.connectors.adskeeper.base import AdskeeperBase
from adnet.connectors.adskeeper.changes.ads import AdWriter
from adnet.connectors.adskeeper.changes.campaigns import CampaignWriter
from adnet.connectors.adskeeper.changes.sources import SourceWriter
from adnet.errors import UnsupportedError
from adnet.interface import ExpressesChanges, ManagesSources, WritesAds, WritesCampaigns
from adnet.models import AdDraft, CampaignDraft, Outcome, PlannedRequest, Update

_VERBS: Final = frozenset({"create", "update", "delete"})


class AdskeeperWrites(AdskeeperBase, WritesCampaigns, WritesAds, ExpressesChanges, ManagesSources):
    """Changes one client's campaigns, ads and sources."""

    held_words: ClassVar = frozenset({"campaignBlocked"})

    async def _campaigns(self) -> CampaignWriter:
        await self.open()
        return CampaignWriter(self._core, self._native, self._book, self._services.clock)

    async def _ads(self) -> AdWriter:
        await self.open()
        return AdWriter(self._core, self._native, self._book)

    async def _sources(self) -> SourceWriter:
        await self.open()
        return SourceWriter(self._core, self._native)

    async def create_campaigns(self, drafts: Sequence[CampaignDraft]) -> list[Outcome]:
        """Create campaigns and stop them, unless a draft wants it active; without ads they spend nothing yet."""
        return await (await self._campaigns()).create(drafts)

    async def update_campaigns(self, updates: Sequence[Update]) -> list[Outcome]:
        """Send the writes that each update takes; what was saved before one that failed is told in ``notes``."""
        return await (await self._campaigns()).update(updates)

    async def delete_campaigns(self, ids: Sequence[str]) -> list[Outcome]:
        """Move stopped campaigns to the bin; running ones are refused before anything is sent."""
        return await (await self._campaigns()).delete(ids)

    async def create_ads(self, drafts: Sequence[AdDraft]) -> list[Outcome]:
        """Create ads and stop them, unless a draft wants it active; each is on moderation first."""
        return await (await self._ads()).create(drafts)

    async def update_ads(self, updates: Sequence[Update]) -> list[Outcome]:
        """Send the writes that each update takes; new content sends an ad back to moderation."""
        return await (await self._ads()).update(updates)

    async def delete_ads(self, ids: Sequence[str]) -> list[Outcome]:
        """Move ads to the bin."""
        return await (await self._ads()).delete(ids)

    async def block_sources(self, campaign_id: str, ids: Sequence[str]) -> list[Outcome]:
        """Stop showing a campaign on sources, whether it keeps a list of those to avoid or of those to keep to."""
        return await (await self._sources()).set("block", str(campaign_id), ids)

    async def allow_sources(self, campaign_id: str, ids: Sequence[str]) -> list[Outcome]:
        """Show a campaign on sources again."""
        return await (await self._sources()).set("allow", str(campaign_id), ids)

    async def bid_sources(self, campaign_id: str, factors: Mapping[str, Decimal]) -> list[Outcome]:
        """Multiply a campaign's price on sources; ``uid/*`` is a widget with all its sub-sources."""
        return await (await self._sources()).bid(str(campaign_id), factors)

    async def express(self, kind: str, verb: str, items: Sequence[Any]) -> list[PlannedRequest]:
        """Return the exact requests of a change; what is there is read where it decides about them.

        Raises:
            UnsupportedError: There is no such change.
        """
        if kind == "campaigns" and verb in _VERBS:
            return await (await self._campaigns()).express(verb, items)
        if kind == "ads" and verb in _VERBS:
            return await (await self._ads()).express(verb, items)
        if kind == "sources" and verb in {"block", "allow", "bid"}:
            return await (await self._sources()).express(verb, items)
        raise UnsupportedError(f"{self.network} cannot {verb} {kind}", network=self.network)
