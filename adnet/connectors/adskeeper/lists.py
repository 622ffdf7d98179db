"""Reading campaigns and ads, all of them or some."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Any, Final, TypeVar

import attrs

from adnet.connectors.adskeeper import codec
from adnet.connectors.adskeeper.codec import Book
from adnet.connectors.adskeeper.limits import WIDTH
from adnet.connectors.adskeeper.native import AdskeeperNative
from adnet.connectors.adskeeper.rows import TeaserRow
from adnet.errors import ApiError, AuthenticationError, NotFoundError, RateLimitError, ServerError
from adnet.models import Batch, Campaign, ModelBatch
from adnet.operations.ending import ending
from adnet.operations.paginate import in_order

T = TypeVar("T")

FEW: Final = 20
"""Up to so many objects are asked for one by one; for more, all are listed."""


async def found(read: Callable[[str], Awaitable[T]], ids: Collection[str]) -> list[T]:
    """Return the objects of *ids* that exist, in order."""

    async def one(number: str) -> T | None:
        try:
            return await read(number)
        except NotFoundError:
            return None

    return [row async for row in in_order(dict.fromkeys(ids), one, width=WIDTH) if row is not None]


async def list_campaigns(
    native: AdskeeperNative, book: Book, ids: Collection[str] | None, status: Collection[str] | None
) -> AsyncIterator[Batch]:
    """Yield campaigns a page at a time; a status is compared here, since the network cannot filter by it."""
    wanted = None if ids is None else {str(number) for number in ids}
    if wanted is not None and len(wanted) <= FEW:
        rows = await found(native.campaigns.get, sorted(wanted))
        chosen = [codec.campaign(row, book) for row in rows]
        if kept := [model for model in chosen if status is None or model.status in status]:
            yield ModelBatch(kept)
        return
    async with ending(native.campaigns.list_all()) as pages:
        async for page in pages:
            models = [codec.campaign(row, book) for row in page if wanted is None or row.id in wanted]
            if kept := [model for model in models if status is None or model.status in status]:
                yield ModelBatch(kept)


async def get_campaign(native: AdskeeperNative, book: Book, campaign_id: str) -> Campaign:
    """Return one campaign with the targetings that the network tells apart from it.

    Raises:
        NotFoundError: There is none.
    """
    row = await native.campaigns.get(campaign_id)
    more: dict[str, Any] = {"geo": codec.geo(await native.targetings.get_geo(campaign_id))}
    try:
        more["phonePriceRange"] = list(await native.targetings.get_phone_prices(campaign_id))
    except (AuthenticationError, RateLimitError, ServerError):
        raise
    except ApiError:
        pass  # newer editions have dropped this targeting
    return codec.campaign(row, book, more)


async def list_teasers(
    native: AdskeeperNative, campaign_ids: Collection[str] | None
) -> AsyncIterator[list[TeaserRow]]:
    """Yield the current teasers, of some campaigns or of all."""
    wanted = None if campaign_ids is None else dict.fromkeys(str(number) for number in campaign_ids)
    if wanted is None or len(wanted) > FEW:
        async with ending(native.teasers.list_all()) as pages:
            async for page in pages:
                yield [row for row in page if wanted is None or row.campaign_id in wanted]
        return
    for campaign_id in wanted:
        async with ending(native.teasers.list_all(campaign_id=campaign_id)) as pages:
            async for page in pages:
                rows = (attrs.evolve(row, campaign_id=row.campaign_id or campaign_id) for row in page)
                yield [row for row in rows if row.campaign_id == campaign_id]


async def list_ads(
    native: AdskeeperNative,
    book: Book,
    campaign_ids: Collection[str] | None,
    status: Collection[str] | None,
) -> AsyncIterator[Batch]:
    """Yield ads a page at a time."""
    async with ending(list_teasers(native, campaign_ids)) as pages:
        async for page in pages:
            models = [codec.ad(row, book) for row in page]
            if kept := [model for model in models if status is None or model.status in status]:
                yield ModelBatch(kept)
