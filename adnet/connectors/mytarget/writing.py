"""Changes on their way out: as few requests as the API allows, one outcome for each item, in order.

Status and budgets of several objects go out as mass actions, 200 at a time; everything else is a partial update of
one object. A mass action is all or nothing: the items that the network names are told as failed, and the others are
sent again without them.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from adnet.connectors.mytarget import changes as words
from adnet.connectors.mytarget import codec, routes
from adnet.connectors.mytarget.api import Api
from adnet.connectors.mytarget.change_sets import (
    BEFORE,
    Change,
    Kind,
    attempt,
    blamed,
    by_object,
    complete,
    failed,
    grouped,
    mass_items,
    numbered,
    placeholders,
    removal,
    translated,
    unsent,
    whole,
    without_same_link,
)
from adnet.connectors.mytarget.limits import MASS_LIMIT, PAGE_SIZE
from adnet.connectors.mytarget.native import MyTargetNative
from adnet.connectors.mytarget.native.objects import Objects
from adnet.connectors.mytarget.urls import Registered, UrlBook
from adnet.errors import (
    AdnetError,
    InvalidRequestError,
)
from adnet.models import Outcome, PlannedRequest, Update
from adnet.operations.grouping import cut, in_batches
from adnet.operations.paginate import in_order
from adnet.transport.wire import Request, Route

WIDTH: Final = 8
"""Single requests under way at once; the limits decide how fast they go."""
_OR_POST: Final = "or by POST, if the host refuses PATCH: nobody has tried yet"
"""A plan's note while the verb of updates is a guess; finding it out takes an update, and a plan sends none."""
_ITS_ID: Final = "its id stands in what follows, once the network has checked it"


class Writer:
    """Updates and deletes campaigns and banners.

    Args:
        api: Sends.
        native: The network's own client.
        urls: Registers addresses.
        currency: Tells the account's currency.
    """

    def __init__(
        self,
        api: Api,
        native: MyTargetNative,
        urls: UrlBook,
        currency: Callable[[], Awaitable[str | None]],
    ) -> None:
        self.campaign_field = api.profile.campaign_field
        """A banner's word for the campaign it belongs to."""
        self._api = api
        self._urls = urls
        self._currency = currency
        self.kinds = {
            "campaigns": Kind(name="campaigns", objects=native.campaigns, mass=words.CAMPAIGN_MASS),
            "ads": Kind(name="ads", objects=native.banners, mass=words.BANNER_MASS),
        }

    # ------------------------------------------------------------------ updates

    async def update(self, kind: str, updates: Sequence[Update]) -> list[Outcome]:
        """Send exactly what changes; one outcome for each update, in order."""
        wanted = by_object(updates)
        prepared = await self.prepare(kind, list(wanted.values()), register=self._urls.register)
        outcomes = await self._send(self.kinds[kind], prepared)
        found = {change.id: outcome for change, outcome in zip(prepared, outcomes, strict=True)}
        return [found[update.id] for update in updates]

    async def prepare(
        self,
        kind: str,
        updates: Sequence[Update],
        *,
        register: Callable[[Sequence[str]], Awaitable[Registered]],
    ) -> list[Change]:
        """Return the changes of *updates* as they would be sent; what has to be known for that is read."""
        currency = await self._currency() if kind == "campaigns" else None
        asked = [translated(kind, update, currency) for update in updates]
        stored = await self._stored(self.kinds[kind].objects, asked)
        asked = [without_same_link(change, stored) for change in asked]
        addresses = [c.fields["url"] for c in asked if c.error is None and "url" in c.fields]
        urls = await register(addresses) if addresses else {}
        return [complete(change, stored, urls) for change in asked]

    async def _stored(self, objects: Objects, changes: Sequence[Change]) -> dict[str, Mapping[str, Any]]:
        """Read what has to be completed, many objects in one request."""
        needed = {change.id: words.sections_to_read(change.fields) for change in changes if not change.error}
        ids = [number for number, sections in needed.items() if sections]
        fields = ["id", *sorted(frozenset[str]().union(*needed.values()))]
        found: dict[str, Mapping[str, Any]] = {}
        for part in cut(ids, PAGE_SIZE):
            async for page in objects.list(fields=fields, id__in=part):
                found.update({codec.object_id(row): row for row in page})
        return found

    async def _send(self, kind: Kind, changes: Sequence[Change]) -> list[Outcome]:
        ready = [change for change in changes if change.error is None and change.fields]
        massed = grouped(kind, ready)
        outcomes = dict(
            zip(
                (change.id for change in massed),
                await in_batches(massed, MASS_LIMIT, lambda batch: self._mass(kind, batch)),
                strict=True,
            )
        )
        singles = [change for change in ready if change.id not in outcomes]

        async def one(change: Change) -> Outcome:
            return await attempt(kind.objects.update(change.id, change.fields), change.id)

        done = [outcome async for outcome in in_order(singles, one, width=WIDTH)]
        outcomes.update({change.id: outcome for change, outcome in zip(singles, done, strict=True)})
        return [outcomes.get(change.id) or unsent(change) for change in changes]

    async def _mass(self, kind: Kind, changes: Sequence[Change]) -> list[Outcome]:
        """Send one mass action; what it refuses is told, the rest is sent without it."""
        try:
            await kind.objects.mass_action(mass_items(changes))
        except AdnetError as error:
            if isinstance(error, InvalidRequestError) and error.operation not in BEFORE:
                return await self._without_refused(kind, changes, error)
            return [failed(change.id, error) for change in changes]
        return [Outcome(id=change.id, status="done") for change in changes]

    async def _without_refused(
        self, kind: Kind, changes: Sequence[Change], error: InvalidRequestError
    ) -> list[Outcome]:
        named = blamed(error, changes)
        if len(changes) == 1 or len(named) == len(changes):
            return [failed(change.id, named.get(change.id, error)) for change in changes]
        rest = [change for change in changes if change.id not in named]
        if named:
            parts: list[Sequence[Change]] = [rest]
        else:  # nobody was named: halves find out who it is
            parts = [rest[: len(rest) // 2], rest[len(rest) // 2 :]]
        outcomes = {
            change.id: failed(change.id, named[change.id]) for change in changes if change.id in named
        }
        for part in parts:
            found = await self._mass(kind, part)
            outcomes.update({change.id: outcome for change, outcome in zip(part, found, strict=True)})
        return [outcomes[change.id] for change in changes]

    # ------------------------------------------------------------------ deleting

    async def delete(self, kind: str, ids: Sequence[str]) -> list[Outcome]:
        """Delete objects; several go out as one mass action, since deleted is a status here."""
        chosen = self.kinds[kind]
        changes = [numbered(Change(id=number, fields={"status": "deleted"})) for number in dict.fromkeys(ids)]
        good = [change for change in changes if change.error is None]
        if len(good) == 1:
            outcomes = [await removal(chosen.objects.delete(good[0].id), good[0].id)]
        else:
            outcomes = await in_batches(good, MASS_LIMIT, lambda batch: self._mass(chosen, batch))
        found = {change.id: outcome for change, outcome in zip(good, outcomes, strict=True)}
        found.update({change.id: unsent(change) for change in changes if change.error is not None})
        return [found[number] for number in ids]

    # ------------------------------------------------------------------ plans

    async def express_update(self, kind: str, updates: Sequence[Update]) -> list[PlannedRequest]:
        """Return the requests that *updates* would take; what has to be known for that is read."""
        chosen, wanted = self.kinds[kind], by_object(updates)
        links: list[str] = []

        async def stand_in(addresses: Sequence[str]) -> Registered:
            links.extend(self._urls.fresh(addresses))
            return await placeholders(addresses)

        changes = await self.prepare(kind, list(wanted.values()), register=stand_in)
        for change in changes:
            if change.error is not None:
                raise change.error
        ready = [change for change in changes if change.fields]
        massed = grouped(chosen, ready)
        together = {change.id for change in massed}
        requests = [
            self.planned_url(link, ids=[c.id for c in ready if wanted[c.id].fields.get("url") == link])
            for link in links
        ]
        requests += [
            self.planned(
                chosen.objects.routes.mass,
                ids=[c.id for c in batch],
                **chosen.objects.mass(mass_items(batch)),
            )
            for batch in cut(massed, MASS_LIMIT)
        ]
        route = self._api.update_route(chosen.objects.routes.update)
        singles = [change for change in ready if change.id not in together]
        note = None if self._api.verb_is_certain else _OR_POST
        requests += [
            self.planned(route, ids=[c.id], note=note, path={"id": c.id}, json=c.fields) for c in singles
        ]
        return requests

    def express_delete(self, kind: str, ids: Sequence[str]) -> list[PlannedRequest]:
        """Return the requests that deleting *ids* would take."""
        objects = self.kinds[kind].objects
        items = [{"id": whole(number), "status": "deleted"} for number in dict.fromkeys(ids)]
        if len(items) == 1 and objects.routes.delete is not None:
            return [self.planned(objects.routes.delete, ids=ids[:1], path={"id": ids[0]})]
        return [
            self.planned(objects.routes.mass, ids=[str(item["id"]) for item in batch], **objects.mass(batch))
            for batch in cut(items, MASS_LIMIT)
        ]

    def planned_url(self, address: str, *, ids: Iterable[str] = ()) -> PlannedRequest:
        """Return the request that registers an address, which the banners *ids* are to have."""
        return self.planned(routes.CREATE_URL, ids=ids, note=_ITS_ID, json={"url": address})

    def planned(
        self, route: Route, *, ids: Iterable[str] = (), note: str | None = None, **parts: Any
    ) -> PlannedRequest:
        """Return a request as it would be sent, without credentials; *ids* are what it changes."""
        request: Request = self._api.build(route, **parts)
        body = request.body.decode() if isinstance(request.body, bytes) else None
        return PlannedRequest(method=route.method, url=request.url, body=body, note=note, ids=tuple(ids))
