"""Operations 2, 7 to 14, 20, 26 and 29: campaigns and their settings."""

from collections.abc import AsyncIterator, Iterable, Mapping
from decimal import Decimal
from typing import Any, Unpack

from adnet.connectors.adskeeper import forms, readers, routes, shapes
from adnet.connectors.adskeeper.calls import campaigns as calls
from adnet.connectors.adskeeper.calls import sources as source_calls
from adnet.connectors.adskeeper.calls.campaigns import (
    BasicSettings,
    CampaignSettings,
    LimitType,
)
from adnet.connectors.adskeeper.calls.sources import IpFilter, SourceFilter
from adnet.connectors.adskeeper.core import Core, Saved
from adnet.connectors.adskeeper.forms import Method
from adnet.connectors.adskeeper.limits import CAMPAIGNS_PER_PAGE
from adnet.connectors.adskeeper.paging import Pager
from adnet.connectors.adskeeper.rows import CampaignRow
from adnet.operations.ending import ending


class CampaignGroup:
    """Campaigns. Every write raises InvalidRequestError, before sending, where it breaks a documented rule."""

    def __init__(self, core: Core, pager: Pager) -> None:
        self._core = core
        self._pager = pager

    async def list_page(
        self, *, fields: Iterable[str] = (), limit: int | None = None, start: int | None = None
    ) -> list[CampaignRow]:
        """Return one page (operation 2). What *start* counts depends on the network; see :meth:`list_all`.

        Args:
            fields: Names of properties; none means all. The id always comes.
            limit: At most 500. More than 500 campaigns come only in pages.
            start: Row from 0, or page from 1.
        """
        query: dict[str, object] = {"fields": self._fields(fields), "limit": limit, "start": start}
        answer = shapes.numbered(await self._core.read(routes.CAMPAIGNS, query=query), "$")
        return [readers.campaign({"id": number} | row, f"$.{number}") for number, row in answer.items()]

    def _fields(self, fields: Iterable[str]) -> str | None:
        names = list(fields)
        return forms.literal(names, self._core.dialect.list_literals) if names else None

    async def list_all(self, *, fields: Iterable[str] = ()) -> AsyncIterator[list[CampaignRow]]:
        """Yield all campaigns, deleted ones too, a page at a time; however this network counts its pages."""
        chosen = self._fields(fields)

        async def fetch(place: Mapping[str, object]) -> dict[str, dict[str, Any]]:
            query = {"fields": chosen, **place}
            return shapes.numbered(await self._core.read(routes.CAMPAIGNS, query=query), "$")

        async with ending(self._pager.pages("campaigns", CAMPAIGNS_PER_PAGE, fetch)) as pages:
            async for page in pages:
                yield [readers.campaign({"id": number} | row, f"$.{number}") for number, row in page.items()]

    async def get(self, campaign_id: str, *, fields: Iterable[str] = ()) -> CampaignRow:
        """Return one campaign (operation 2).

        Raises:
            NotFoundError: There is none.
        """
        query = {"fields": self._fields(fields)}
        answer = await self._core.read(routes.CAMPAIGN, path={"campaign": campaign_id}, query=query)
        body = shapes.mapping(answer, "$")
        # Bare, as observed; within a map by its id, as the list is.
        row = body[campaign_id] if "id" not in body and campaign_id in body else body
        return readers.campaign(row)

    async def get_created(self, campaign_id: str) -> str | None:
        """Return when a campaign was created (operation 12), on the account's clock."""
        query = {"fields": self._fields(["whenAdd"])}
        answer = await self._core.read(routes.CAMPAIGN_DATE, path={"campaign": campaign_id}, query=query)
        return shapes.text(shapes.mapping(answer, "$").get("whenAdd"))

    async def create(self, **settings: Unpack[CampaignSettings]) -> Saved:
        """Create a campaign with all settings (operation 7).

        Raises:
            ConflictError: The name is taken.
            LostReplyError: It may have been created; nothing is sent again.
        """
        return await self._core.save(calls.create(self._core.dialect, **settings))

    async def create_basic(self, **settings: Unpack[BasicSettings]) -> Saved:
        """Create a campaign without limits, marks and targets (operation 8).

        Raises:
            ConflictError: The name is taken.
            LostReplyError: It may have been created; nothing is sent again.
        """
        return await self._core.save(calls.create_basic(self._core.dialect, **settings))

    async def set_utm(self, campaign_id: str, marks: Mapping[str, str]) -> Saved:
        """Set ``utm_source``, ``utm_campaign``, ``utm_medium`` (together) and ``utm_custom`` (operation 9)."""
        return await self._core.save(calls.set_utm(campaign_id, marks))

    async def set_limits(
        self,
        campaign_id: str,
        *,
        limit_type: LimitType,
        daily: Decimal | int | str | None = None,
        overall: Decimal | int | str | None = None,
        split_evenly: bool | None = None,
    ) -> Saved:
        """Set limits (operation 10): clicks, or a budget in the account's currency; ``""`` lifts one.

        Raises:
            ConfigurationError: *split_evenly* is given, and the account's dialect does not say how it is meant.
        """
        call = calls.set_limits(
            self._core.dialect,
            campaign_id,
            limit_type=limit_type,
            daily=daily,
            overall=overall,
            split_evenly=split_evenly,
        )
        return await self._core.save(call)

    async def set_blocked(self, campaign_id: str, *, blocked: bool) -> Saved:
        """Stop or start a campaign (operation 11)."""
        return await self._core.save(calls.set_blocked(campaign_id, blocked=blocked))

    async def set_quality_factors(self, campaign_id: str, factors: Mapping[str, Any]) -> Saved:
        """Set factors by widget (operation 13): ``{"123": Decimal("1.3"), "123s45": 2}``."""
        return await self._core.save(source_calls.set_quality_factors(campaign_id, factors))

    async def set_source_factors(self, campaign_id: str, factors: Mapping[str, Any]) -> Saved:
        """Set factors by source name or id (operation 13), where the optimisation by sources is on."""
        return await self._core.save(source_calls.set_source_factors(campaign_id, factors))

    async def set_widget_factors(self, campaign_id: str, factors: Mapping[str, Any]) -> Saved:
        """Set factors of widgets for all their sub-sources (operation 14)."""
        return await self._core.save(source_calls.set_widget_factors(campaign_id, factors))

    async def edit_ips(
        self, campaign_id: str, method: Method, kind: IpFilter, addresses: Iterable[str] = ()
    ) -> Saved:
        """Include addresses and networks in a filter or exclude them from it (operation 26)."""
        return await self._core.save(source_calls.edit_ips(campaign_id, method, kind, addresses))

    async def edit_widgets(
        self,
        campaign_id: str,
        method: Method,
        kind: IpFilter,
        uids: Iterable[str] = (),
        *,
        priority: bool = False,
    ) -> Saved:
        """Include widgets in a filter or exclude them from it (operation 29).

        ``include, except`` blocks, ``exclude, except`` unblocks, ``include, only`` allows, ``exclude, only``
        takes out of the allowed ones. Unknown uids are told as ``rejected`` while the others are saved.

        Raises:
            NotFoundError: None of the uids exists.
        """
        return await self._core.save(
            source_calls.edit_widgets(campaign_id, method, kind, uids, priority=priority)
        )

    async def edit_sources(
        self, campaign_id: str, method: Method, kind: SourceFilter, sources: Iterable[str] = ()
    ) -> Saved:
        """Include sources in a filter or exclude them from it (operation 29), by name or id.

        Only where the optimisation by sources is on. Unknown ones are told as ``rejected``.
        """
        return await self._core.save(source_calls.edit_sources(campaign_id, method, kind, sources))

    async def delete(self, campaign_id: str) -> Saved:
        """Move a stopped campaign to the bin (operation 20)."""
        return await self._core.save(calls.delete(campaign_id))
