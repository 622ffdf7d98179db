"""Campaigns (ad groups), ad plans and banners, in the network's own words.

Source: VK Ads documentation of AdGroups, AdPlans and Banners; fields of myTarget's campaigns as public clients send
them (documented, and seen in working clients).
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Final

from adnet.connectors.mytarget import codec, routes
from adnet.connectors.mytarget.api import Api, joined
from adnet.connectors.mytarget.errors import invalid
from adnet.connectors.mytarget.ledger import field_names
from adnet.connectors.mytarget.limits import MASS_LIMIT
from adnet.connectors.mytarget.routes import ObjectRoutes
from adnet.connectors.mytarget.seen import Seen
from adnet.errors import SchemaError, UnsupportedError
from adnet.models import Raw
from adnet.transport.wire import Lane, Request, Route

_FAILURES: Final = ("error", "errors", "failed")

Filter = str | int | Iterable[str | int]
Rows = list[Raw]
"""Objects in the network's own words."""


def listing(
    fields: Sequence[str] | None, filters: Mapping[str, Filter | None], *, sorting: str | None = None
) -> dict[str, object]:
    """Return the query of a list: ``fields``, ``sorting``, and ``_name`` for each filter."""
    query: dict[str, object] = {"fields": joined(fields) if fields else None, "sorting": sorting}
    for name, value in filters.items():
        if value is not None:
            query[f"_{name}"] = value if isinstance(value, str | int) else joined(value)
    return query


class Objects:
    """One kind of advertising object: lists, single objects, partial updates and mass actions.

    Lists and single objects show few fields unless *fields* names more; a field that the resource does not have
    makes the network refuse the request. Filters are the network's, without the leading underscore:
    ``status__in=["active"]``, ``id__in=[…]``, ``last_updated__gte="2026-01-01 00:00:00"`` (Moscow time).
    """

    def __init__(self, api: Api, kind: ObjectRoutes) -> None:
        self._api = api
        self._seen = Seen(api.clock)
        self.routes = kind

    async def list(
        self,
        *,
        fields: Sequence[str] | None = None,
        sorting: str | None = None,
        lane: Lane = "interactive",
        **filters: Filter | None,
    ) -> AsyncIterator[Rows]:
        """Yield all objects that pass the filters, a page at a time; deleted ones are objects, too."""
        query = listing(fields, filters, sorting=sorting)
        async with aclosing(self._api.pages(self.routes.list, query=query, lane=lane)) as pages:
            async for page in pages:
                self._seen.take(page)
                yield page

    async def newest(
        self, *, fields: Sequence[str], filters: Mapping[str, Filter | None], offset: int = 0
    ) -> Rows:
        """Return the objects that were made last, newest first, one page of them."""
        query = listing(fields, filters, sorting="-id")
        rows, _ = await self._api.page(self.routes.list, query=query, offset=offset)
        self._seen.take(rows)
        return rows

    async def get(self, number: str, *, fields: Sequence[str] | None = None) -> Raw:
        """Return one object. Raises NotFoundError."""
        query = listing(fields, {})
        row = await self._api.one(self.routes.get, path={"id": number}, query=query)
        self._seen.take([row])
        return row

    async def create(self, body: Mapping[str, Any], *, campaign_id: str | None = None) -> Raw:
        """Create an object, with the children that *body* nests, and return its id and theirs.

        The network's own default status is ``active``: it spends at once.

        Args:
            body: The object in the network's words.
            campaign_id: What a banner belongs to.

        Raises:
            InvalidRequestError: With a message for every refused field.
            LostReplyError: It may have been created.
        """
        return await self._api.one(self.routes.create, **self.creation(body, campaign_id=campaign_id))

    def creation(self, body: Mapping[str, Any], *, campaign_id: str | None = None) -> dict[str, Any]:
        """Return the parts of the request that creates *body*."""
        nested = (body.get(name) for name in ("banners", "ad_groups", "campaigns"))
        children = sum(len(rows) for rows in nested if isinstance(rows, list | tuple))
        facts = {"fields": field_names(body)}
        return {
            "path": {"campaign_id": campaign_id},
            "json": body,
            "objects": 1 + children,
            "facts": facts,
        }

    async def update(self, number: str, changes: Mapping[str, Any]) -> None:
        """Send exactly *changes*; no changes send nothing.

        ``content``, ``textblocks`` and ``urls`` of a banner are replaced whole.
        """
        facts = self._seen.compare([(number, changes)]).facts()
        await self._api.update(self.routes.update, changes, path={"id": number}, facts=facts)
        self._seen.wrote([(number, changes)])

    async def delete(self, number: str) -> None:
        """Delete an object; it stays readable with the status ``deleted``."""
        if self.routes.delete is None:
            raise UnsupportedError(f"{self.routes.kind} cannot be deleted; set their status to deleted")
        await self._api.call(self.routes.delete, path={"id": number})

    async def mass_action(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Change up to 200 objects at once, all or none; each item has an ``id`` and its changes.

        Campaigns take ``status``, ``targetings``, ``budget_limit``, ``budget_limit_day``, ``date_start``,
        ``date_end`` and ``max_price``; banners take ``status``.

        Raises:
            InvalidRequestError: Nothing was changed; ``fields`` names the objects, ``"88002.max_price"``.
            SchemaError: The answer tells of failures all the same, so that some may have been changed.
        """
        if len(items) > MASS_LIMIT:
            raise invalid(f"a mass action takes at most {MASS_LIMIT} objects", items="too many")
        if items:
            answer = await self._api.call(self.routes.mass, **self.mass(items))
            with self._api.session.reading(self.routes.mass):
                _check_all_done(answer)
            self._seen.wrote(_by_id(items))

    def mass(self, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the parts of the request that changes *items*."""
        names = {name: None for item in items for name in item if name != "id"}
        facts = {"fields": tuple(names), **self._seen.compare(_by_id(items)).facts()}
        return {"json": list(items), "objects": len(items), "facts": facts}

    def build(self, route: Route, **parts: Any) -> Request:
        """Return a request without sending it, for plans."""
        return self._api.build(route, **parts)


def _by_id(items: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the items of a mass action as (id, changes)."""
    for item in items:
        yield str(item["id"]), {name: value for name, value in item.items() if name != "id"}


def _check_all_done(answer: Any) -> None:
    """See that a mass action names no failures. It is all or nothing, and answered by nothing (documented)."""
    found = answer.get("items", answer) if isinstance(answer, Mapping) else answer
    for row in found if isinstance(found, list) else [found]:
        if isinstance(row, Mapping) and any(row.get(name) for name in _FAILURES):
            raise SchemaError("the mass action was done in part: its answer names failures")


class Banners(Objects):
    """Banners; also what only they have."""

    async def remoderate(self, ids: Iterable[str]) -> dict[str, bool]:
        """Ask the moderators once more about banned banners; return which are looked at again."""
        body = {"banners": [{"id": int(number)} for number in ids]}
        query = {"fields": "id,remoderated"}
        answer = await self._api.call(routes.REMODERATE, json=body, query=query, objects=len(body["banners"]))
        rows = codec.objects(answer, "banners") if isinstance(answer, Mapping) else []
        return {codec.object_id(row): bool(row.get("remoderated")) for row in rows}

    async def mass_replace(self, ids: Iterable[str], *, field: str, change_from: str, change_to: str) -> None:
        """Replace a piece of text in many banners; *field* is ``textblocks`` or ``urls``."""
        numbers = [int(number) for number in ids]
        body = {"ids": numbers, "field": field, "change_from": change_from, "change_to": change_to}
        await self._api.call(routes.MASS_REPLACE, json=body, objects=len(numbers))
