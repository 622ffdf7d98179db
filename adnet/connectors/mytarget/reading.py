"""Lists and single objects: single reads of one moment become one list request."""

import asyncio
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Final

from adnet.connectors.mytarget import codec
from adnet.connectors.mytarget.api import Api
from adnet.connectors.mytarget.limits import PAGE_SIZE
from adnet.connectors.mytarget.native import MyTargetNative
from adnet.connectors.mytarget.native.objects import Filter, Objects, Rows
from adnet.errors import InvalidRequestError, NotFoundError
from adnet.models import AccountInfo, Ad, Batch, Campaign, ModelBatch, Raw
from adnet.operations.grouping import GroupedReads, cut
from adnet.state.facts import Facts
from adnet.transport.wire import Lane

_WORDS: Final[Mapping[str, str]] = {"active": "active", "paused": "blocked", "deleted": "deleted"}
_UNKNOWN_FIELDS: Final = re.compile(r"unknown fields?:\s*([\w, ]+)", re.IGNORECASE)


class Reader:
    """Reads the account, its campaigns and its banners.

    Args:
        api: Sends.
        native: The network's own client.
        facts: Where the account's currency and id are remembered.
        key: The account's key there.
    """

    def __init__(self, api: Api, native: MyTargetNative, facts: Facts, key: str) -> None:
        self._api = api
        self._native = native
        self._facts = facts
        self._key = key
        self._learning = asyncio.Lock()
        self._campaign_fields = codec.campaign_fields(api.profile)
        self._banner_fields = codec.banner_fields(api.profile)
        self._campaigns = GroupedReads(self._some_campaigns, maximum=PAGE_SIZE)
        self._banners = GroupedReads(self._some_banners, maximum=PAGE_SIZE)

    # ------------------------------------------------------------------ account

    async def account(self) -> AccountInfo:
        """Return the account; its client and currency are remembered."""
        return await self._api.account()

    async def currency(self) -> str | None:
        """Return the account's currency, asked for once in the life of the state."""
        known = self._facts.get(self._key, "currency")
        if known is None:
            async with self._learning:
                known = self._facts.get(self._key, "currency") or (await self.account()).currency
        return known

    # ------------------------------------------------------------------ campaigns

    async def campaigns(
        self, *, ids: Collection[str] | None, status: Collection[str] | None
    ) -> AsyncIterator[Batch]:
        """Yield campaigns, a page at a time."""
        wanted = _words(status)
        if wanted == []:
            return
        currency = await self.currency()
        fields = self._campaign_fields
        for part in _parts(ids):
            pages = self.pages(
                self._native.campaigns, fields, sorting="id", filters={"id__in": part, "status__in": wanted}
            )
            async for page in pages:
                rows = (codec.campaign(row, currency) for row in page)
                yield ModelBatch([row for row in rows if status is None or row.status in status])

    async def campaign(self, campaign_id: str) -> Campaign:
        """Return one campaign. Raises NotFoundError."""
        row = await self._campaigns.get(campaign_id) if campaign_id.isdecimal() else None
        if row is None:
            raise NotFoundError(f"there is no campaign {campaign_id}", network=self._api.profile.network)
        return codec.campaign(row, await self.currency())

    async def _some_campaigns(self, ids: Sequence[str]) -> Mapping[str, Raw]:
        return await self._some(self._native.campaigns, self._campaign_fields, ids)

    # ------------------------------------------------------------------ banners

    async def ads(
        self, *, campaign_ids: Collection[str] | None, status: Collection[str] | None
    ) -> AsyncIterator[Batch]:
        """Yield banners, a page at a time."""
        wanted = _words(status, moderated=True)
        if wanted == []:
            return
        currency = await self.currency()
        name = f"{self._api.profile.campaign_field}__in"
        for part in _parts(campaign_ids):
            filters = {name: part, "status__in": wanted}
            async for page in self.pages(self._native.banners, self._banner_fields, filters=filters):
                rows = (codec.ad(row, currency, self._api.profile) for row in page)
                yield ModelBatch([row for row in rows if status is None or row.status in status])

    async def ad(self, ad_id: str) -> Ad:
        """Return one banner. Raises NotFoundError."""
        row = await self._banners.get(ad_id) if ad_id.isdecimal() else None
        if row is None:
            raise NotFoundError(f"there is no ad {ad_id}", network=self._api.profile.network)
        return codec.ad(row, await self.currency(), self._api.profile)

    async def _some_banners(self, ids: Sequence[str]) -> Mapping[str, Raw]:
        return await self._some(self._native.banners, self._banner_fields, ids)

    # ------------------------------------------------------------------ both

    async def _some(self, objects: Objects, fields: Sequence[str], ids: Sequence[str]) -> Mapping[str, Raw]:
        """Return the objects of *ids* that there are, in one request."""
        if len(ids) == 1:
            known = self._known(objects, fields)
            try:
                return {ids[0]: await objects.get(ids[0], fields=known)}
            except NotFoundError:
                return {}
            except InvalidRequestError as error:
                if not self._learn_fields(objects, known, error):
                    raise
        return {
            codec.object_id(row): row
            async for page in self.pages(objects, fields, filters={"id__in": ids})
            for row in page
        }

    async def pages(
        self,
        objects: Objects,
        fields: Sequence[str],
        *,
        filters: Mapping[str, Filter | None],
        sorting: str | None = None,
        lane: Lane = "interactive",
    ) -> AsyncIterator[Rows]:
        """Yield pages with *fields*, without those that this host does not have: one would fail them all."""
        known = self._known(objects, fields)
        begun = False
        try:
            async for page in objects.list(fields=known, sorting=sorting, lane=lane, **filters):
                begun = True
                yield page
        except InvalidRequestError as error:
            if begun or not self._learn_fields(objects, known, error):
                raise
        else:
            return
        async for page in self.pages(objects, fields, filters=filters, sorting=sorting, lane=lane):
            yield page

    def _known(self, objects: Objects, fields: Sequence[str]) -> list[str]:
        missing = (self._facts.get(self._host, f"missing.{objects.routes.kind}") or "").split(",")
        return [name for name in fields if name not in missing]

    def _learn_fields(self, objects: Objects, asked: Sequence[str], error: InvalidRequestError) -> bool:
        """Remember the fields that a refusal calls unknown; say whether there were any."""
        found = _UNKNOWN_FIELDS.search(" ".join((error.message, *error.fields.values())))
        named = {word.strip() for word in found[1].split(",")} if found else set()
        gone = (named & set(asked)) - {"id"}
        if gone:
            name = f"missing.{objects.routes.kind}"
            before = set(filter(None, (self._facts.get(self._host, name) or "").split(",")))
            self._facts.put(self._host, name, ",".join(sorted(before | gone)))
        return bool(gone)

    @property
    def _host(self) -> str:
        return self._api.host

    async def close(self) -> None:
        """Cancel reads that are still under way."""
        await self._campaigns.close()
        await self._banners.close()


def _parts(ids: Collection[str] | None) -> list[Sequence[str] | None]:
    """Return ids in pieces that one request takes; None, which means all, as it is."""
    return [None] if ids is None else list(cut(list(dict.fromkeys(ids)), PAGE_SIZE))


def _words(status: Collection[str] | None, *, moderated: bool = False) -> list[str] | None:
    """Return the network's words to filter by; None for no filter, an empty list when nothing can match.

    The moderation of a banner decides about our word, so that a filter on it needs all banners.
    """
    if status is None or "unknown" in status or (moderated and {"pending", "rejected"} & set(status)):
        return None
    return [_WORDS[word] for word in dict.fromkeys(status) if word in _WORDS]
