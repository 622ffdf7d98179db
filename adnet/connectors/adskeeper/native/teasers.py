"""Operations 35 and 37 to 41: teasers."""

from collections.abc import AsyncIterator, Iterable, Mapping
from decimal import Decimal
from typing import Any, Unpack

from adnet.connectors.adskeeper import forms, readers, routes, shapes
from adnet.connectors.adskeeper.calls import teasers as calls
from adnet.connectors.adskeeper.calls.teasers import TeaserContent
from adnet.connectors.adskeeper.core import Core, Saved
from adnet.connectors.adskeeper.limits import TEASERS_PER_PAGE
from adnet.connectors.adskeeper.paging import Pager
from adnet.connectors.adskeeper.rows import TeaserRow
from adnet.operations.ending import ending


class TeaserGroup:
    """Teasers. Every write raises InvalidRequestError, before sending, where it breaks a documented rule."""

    def __init__(self, core: Core, pager: Pager) -> None:
        self._core = core
        self._pager = pager

    async def list_page(
        self,
        *,
        campaign_id: str | None = None,
        status: Iterable[str] = (),
        fields: Iterable[str] = (),
        limit: int | None = None,
        start: int | None = None,
    ) -> list[TeaserRow]:
        """Return one page of the current teasers (operation 35). What *start* counts depends on the network.

        Args:
            campaign_id: Of one campaign only.
            status: Codes such as ``active`` and ``onModeration``; none means all.
            fields: Names of properties; none means all.
            limit: None means all teasers at once; the network tells how many it gives at most.
            start: Row from 0, or page from 1.
        """
        query = self._query(campaign_id, status, fields) | {"limit": limit, "start": start}
        return _teasers(shapes.numbered(await self._core.read(routes.TEASERS, query=query), "$"))

    def _query(
        self, campaign_id: str | None, status: Iterable[str], fields: Iterable[str]
    ) -> dict[str, object]:
        style = self._core.dialect.list_literals
        lists = {"status": list(status), "fields": list(fields)}
        query: dict[str, object] = {
            name: forms.literal(words, style) for name, words in lists.items() if words
        }
        return query | {"campaign": campaign_id}

    async def list_all(
        self, *, campaign_id: str | None = None, status: Iterable[str] = (), fields: Iterable[str] = ()
    ) -> AsyncIterator[list[TeaserRow]]:
        """Yield the current teasers a page at a time, however this network counts its pages.

        Older teasers are not listed; :meth:`get` still finds them.
        """
        query = self._query(campaign_id, status, fields)

        async def fetch(place: Mapping[str, object]) -> dict[str, dict[str, Any]]:
            return shapes.numbered(await self._core.read(routes.TEASERS, query={**query, **place}), "$")

        async with ending(self._pager.pages("teasers", TEASERS_PER_PAGE, fetch)) as pages:
            async for page in pages:
                yield _teasers(page)

    async def get(self, teaser_id: str, *, fields: Iterable[str] = ()) -> TeaserRow:
        """Return one teaser (operation 35).

        Raises:
            NotFoundError: There is none, or it is in the bin.
        """
        query = self._query(None, (), fields)
        body = shapes.mapping(
            await self._core.read(routes.TEASER, path={"teaser": teaser_id}, query=query), "$"
        )
        return readers.teaser(body[teaser_id] if "id" not in body and teaser_id in body else body)

    async def create(self, *, price_cents: Decimal, **content: Unpack[TeaserContent]) -> Saved:
        """Create a teaser (operation 37); a click costs *price_cents*, with at most one decimal.

        Raises:
            LostReplyError: It may have been created; nothing is sent again.
        """
        return await self._core.save(calls.create(price_cents=price_cents, **content))

    async def edit(self, teaser_id: str, **content: Unpack[TeaserContent]) -> Saved:
        """Replace all of a teaser's content (operation 38), which sends it back to moderation.

        Raises:
            ConflictError: It is on moderation.
            LostReplyError: It may have been edited; nothing is sent again.
        """
        return await self._core.save(calls.edit(teaser_id, **content))

    async def set_price(self, teaser_id: str, price_cents: Decimal) -> Saved:
        """Set the price of a click in all locations (operation 39), in cents with at most one decimal."""
        return await self._core.save(calls.set_price(teaser_id, price_cents))

    async def set_blocked(self, teaser_id: str, *, blocked: bool) -> Saved:
        """Stop or start a teaser (operation 40)."""
        return await self._core.save(calls.set_blocked(teaser_id, blocked=blocked))

    async def delete(self, teaser_id: str) -> Saved:
        """Move a teaser to the bin (operation 41).

        Raises:
            NotFoundError: There is none, or it is there already.
        """
        return await self._core.save(calls.delete(teaser_id))


def _teasers(page: Mapping[str, Mapping[str, Any]]) -> list[TeaserRow]:
    return [readers.teaser({"id": number} | dict(row), f"$.{number}") for number, row in page.items()]
