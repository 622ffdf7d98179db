"""New campaigns and banners: nested where the API nests them, paused unless asked otherwise.

A create whose reply was lost, is unreadable, or came from a gateway that gave up is never sent again: the newest
objects are looked through, and the one with its name is adopted. The network has no key that would make a repeated
create harmless.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from adnet.clock import Clock
from adnet.connectors.mytarget import changes as words
from adnet.connectors.mytarget import codec, routes
from adnet.connectors.mytarget.change_sets import failed, refused
from adnet.connectors.mytarget.errors import invalid
from adnet.connectors.mytarget.native.objects import Objects
from adnet.connectors.mytarget.urls import Registered, UrlBook
from adnet.connectors.mytarget.writing import WIDTH, Writer
from adnet.errors import AdnetError, ServerError
from adnet.models import AdDraft, CampaignDraft, Outcome, PlannedRequest, Raw
from adnet.operations.paginate import in_order

_TOLERANCE: Final = timedelta(seconds=2)
"""The network's clock is known to the second, and dates objects by whole seconds."""
_GATEWAY_TIMEOUT: Final = 504


@attrs.frozen(kw_only=True)
class Lost:
    """A create whose answer was of no use: it may be there."""

    objects: Objects
    body: Mapping[str, Any]
    campaign_id: str | None
    started: float
    """By our monotonic clock: what the network's shows may be known only now."""
    error: AdnetError

    @property
    def over(self) -> bool:
        """Whether nothing more can come of it: what a gateway did not wait for may still be made."""
        return isinstance(self.error, ServerError) and self.error.status != _GATEWAY_TIMEOUT

    @property
    def by_name(self) -> bool:
        """Whether it has a name to be known by."""
        return self.body.get("name") is not None

    @property
    def name(self) -> tuple[object, str | None]:
        """What the newest objects are looked through for."""
        return self.body.get("name"), self.campaign_id


class Creator:
    """Creates campaigns and banners.

    Args:
        writer: Shows plans.
        urls: Registers addresses.
        currency: Tells the account's currency.
        clock: Tells when a create began.
        server_at: Tells what the network's clock showed then, which dates what is created.
    """

    def __init__(
        self,
        writer: Writer,
        urls: UrlBook,
        currency: Callable[[], Awaitable[str | None]],
        clock: Clock,
        server_at: Callable[[float], datetime],
    ) -> None:
        self._writer = writer
        self._campaigns = writer.kinds["campaigns"].objects
        self._banners = writer.kinds["ads"].objects
        self._urls = urls
        self._currency = currency
        self._clock = clock
        self._server_at = server_at
        self._made: set[str] = set()

    async def campaigns(self, drafts: Sequence[CampaignDraft]) -> list[Outcome]:
        """Create campaigns with their ads, each in one request; one outcome for each, in order."""
        currency = await self._currency()
        urls = await self._registered([ad for draft in drafts for ad in draft.ads])

        async def one(draft: CampaignDraft) -> Outcome | Lost:
            try:
                body = campaign_body(draft, currency, urls)
            except AdnetError as error:
                return refused(None, error)
            return await self._create(self._campaigns, body)

        return await self._settled([found async for found in in_order(drafts, one, width=WIDTH)])

    async def ads(self, drafts: Sequence[AdDraft]) -> list[Outcome]:
        """Create banners in campaigns that are there; one outcome for each, in order."""
        urls = await self._registered(drafts)

        async def one(draft: AdDraft) -> Outcome | Lost:
            try:
                body, parent = banner_body(draft, urls), _parent(draft)
            except AdnetError as error:
                return refused(None, error)
            return await self._create(self._banners, body, campaign_id=parent)

        return await self._settled([found async for found in in_order(drafts, one, width=WIDTH)])

    async def express_campaigns(self, drafts: Sequence[CampaignDraft]) -> list[PlannedRequest]:
        """Return the requests that creating *drafts* would take."""
        currency = await self._currency()
        requests, urls = self._planned_urls([ad for draft in drafts for ad in draft.ads])
        for draft in drafts:
            body = campaign_body(draft, currency, urls)
            requests.append(self._writer.planned(routes.CAMPAIGNS.create, json=body))
        return requests

    async def express_ads(self, drafts: Sequence[AdDraft]) -> list[PlannedRequest]:
        """Return the requests that creating *drafts* would take."""
        requests, urls = self._planned_urls(drafts)
        for draft in drafts:
            body, path = banner_body(draft, urls), {"campaign_id": _parent(draft)}
            requests.append(self._writer.planned(routes.BANNERS.create, path=path, json=body))
        return requests

    # ------------------------------------------------------------------ private

    async def _registered(self, ads: Sequence[AdDraft]) -> Registered:
        return await self._urls.register(ad.url for ad in ads if ad.url and "urls" not in ad.extra)

    def _planned_urls(self, ads: Sequence[AdDraft]) -> tuple[list[PlannedRequest], Mapping[str, Any]]:
        addresses = dict.fromkeys(ad.url for ad in ads if ad.url and "urls" not in ad.extra)
        requests = [self._writer.planned_url(address) for address in self._urls.fresh(addresses)]
        return requests, {address: f"<id of {address}>" for address in addresses if address}

    async def _create(
        self, objects: Objects, body: Mapping[str, Any], *, campaign_id: str | None = None
    ) -> Outcome | Lost:
        started = self._clock.monotonic()
        try:
            return self._done(await objects.create(body, campaign_id=campaign_id))
        except AdnetError as error:
            outcome = failed(None, error)
            if outcome.status == "failed":
                return outcome
            return Lost(objects=objects, body=body, campaign_id=campaign_id, started=started, error=error)

    async def _settled(self, results: Sequence[Outcome | Lost]) -> list[Outcome]:
        """Look for what was lost, now that it is known which of the new objects belong to the others."""
        outcomes: list[Outcome] = []
        for position, found in enumerate(results):
            if isinstance(found, Lost):
                alike = sum(isinstance(r, Lost) and r.name == found.name for r in results[position:])
                outcomes.append(await self._adopt(found, alike))
            else:
                outcomes.append(found)
        return outcomes

    def _done(self, made: Raw, *notes: str) -> Outcome:
        number = codec.object_id(made)
        self._made.add(number)
        children = [codec.object_id(row) for row in codec.objects(made, "banners")]
        if children:
            notes = (*notes, f"its ads are {', '.join(children)}")
        return Outcome(id=number, status="done", notes=notes)

    async def _adopt(self, lost: Lost, alike: int) -> Outcome:
        """Look for the object whose creation was not answered; it may be there, so it is not told as failed.

        Args:
            lost: What was to be created.
            alike: How many of its name are looked for, itself included: any of them will do.
        """
        try:
            newest, all_there = await self._newest(lost)
            found = [row for row in newest if self._is_it(row, lost)]
        except AdnetError:
            return Outcome(status="unknown", error=lost.error)
        if 1 <= len(found) <= alike:
            return self._done(found[0], "its creation was not answered; it was found and adopted")
        lost.error.add_note("it could not be told from what is there whether it was created")
        undone = not found and lost.by_name and all_there
        return Outcome(status="failed" if undone and lost.over else "unknown", error=lost.error)

    async def _newest(self, lost: Lost) -> tuple[list[Raw], bool]:
        """Return the newest objects, and whether they are all that were made since *lost* was sent."""
        parent, rows = {self._writer.campaign_field: lost.campaign_id}, dict[str, Raw]()
        fields = ("id", "name", "created")
        while page := await lost.objects.newest(fields=fields, filters=parent, offset=len(rows)):
            before = len(rows)
            rows.update((codec.object_id(row), row) for row in page)
            dates = [created for row in page if (created := codec.instant(row, "created")) is not None]
            if len(rows) == before or len(dates) < len(page):
                return list(rows.values()), False
            if min(dates) < self._since(lost):  # the page may have told the network's time only now
                return list(rows.values()), _newest_first(rows.values())
        return list(rows.values()), True

    def _is_it(self, row: Raw, lost: Lost) -> bool:
        created = codec.instant(row, "created")
        recent = created is not None and created >= self._since(lost)
        return recent and row.get("name") == lost.body.get("name") and codec.object_id(row) not in self._made

    def _since(self, lost: Lost) -> datetime:
        """Return from when on the network dates what *lost* may have made."""
        return self._server_at(lost.started) - _TOLERANCE


def _newest_first(rows: Iterable[Raw]) -> bool:
    """Whether nothing newer can stand on another page. The order of banners is not documented."""
    numbers = [codec.number(row) for row in rows]
    return numbers == sorted(numbers, reverse=True)


def campaign_body(draft: CampaignDraft, currency: str | None, urls: Mapping[str, Any]) -> dict[str, Any]:
    """Return a campaign to create with its ads."""
    body = words.campaign_body(draft, currency)
    if "package_id" not in body:
        raise invalid(
            "a campaign is bought by a package: name one in extra={'package_id': …}; native.packages lists them",
            package_id="required",
        )
    if draft.ads:
        body["banners"] = [banner_body(ad, urls) for ad in draft.ads]
    return body


def banner_body(draft: AdDraft, urls: Mapping[str, Any]) -> dict[str, Any]:
    """Return a banner to create; an address that the network refused raises its error."""
    number = urls.get(draft.url) if draft.url else None
    if isinstance(number, AdnetError):
        raise number
    return words.banner_body(draft, urls)


def _parent(draft: AdDraft) -> str:
    if not draft.campaign_id:
        raise invalid("an ad needs the campaign it belongs to", campaign_id="required")
    return draft.campaign_id
