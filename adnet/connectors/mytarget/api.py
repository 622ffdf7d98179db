"""Sends the requests of one account: after its limits are known, page by page, by the verb that its host takes."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from adnet.clock import Clock
from adnet.connectors.mytarget import routes
from adnet.connectors.mytarget.limits import PAGE_SIZE, Quotas
from adnet.connectors.mytarget.profile import Profile
from adnet.connectors.mytarget.seeding import Seeder
from adnet.errors import ApiError
from adnet.models import Raw
from adnet.operations.paginate import in_order
from adnet.state.facts import Facts
from adnet.transport.decipher import decode
from adnet.transport.session import Session
from adnet.transport.wire import Lane, Request, Response, Route, origin

_WIDTH: Final = 4
_VERB: Final = "update_verb"
_NO_SUCH_VERB: Final = frozenset({405, 501})


class Page(msgspec.Struct):
    """A collection's answer; version 1 and some resources leave the numbers out."""

    items: list[dict[str, Any]]
    count: int | None = None
    offset: int | None = None
    limit: int | None = None


class Api:
    """What all clients of the native API share. Safe to use from many tasks at once.

    Args:
        session: Signs and sends.
        profile: The brand, whose word for campaigns goes into paths.
        quotas: Learns the limits.
        facts: Where the verb of updates is remembered, by host, and the limits, by account.
        key: The account's key there.
        verb: ``auto``, ``patch`` or ``post``.
    """

    def __init__(
        self,
        session: Session,
        profile: Profile,
        quotas: Quotas,
        facts: Facts,
        *,
        key: str,
        clock: Clock,
        verb: str,
    ) -> None:
        self.session = session
        self.profile = profile
        self.clock = clock
        self._seeder = Seeder(session, quotas, facts, key, clock)
        self._facts = facts
        self._verb = verb if verb != "auto" else None
        self.host = origin(session.base_url)
        """Scheme, host and port: what is learnt of a host is remembered under it."""
        self._finding = asyncio.Lock()

    # ------------------------------------------------------------------ one request

    def build(self, route: Route, *, path: Mapping[str, object] | None = None, **parts: Any) -> Request:
        """Return a request; the brand's word for campaigns is filled in."""
        return self.session.build(route, path={"campaigns": self.profile.campaigns, **(path or {})}, **parts)

    async def send(self, request: Request) -> Response:
        """Return the answer to *request*, after the limits are known.

        Raises:
            AdnetError: As Session.send.
        """
        if not self._seeder.fresh:
            await self._seeder.learn()
        return await self.session.send(request)

    async def call(self, route: Route, **parts: Any) -> Any:
        """Return the decoded answer; None for an empty one."""
        response = await self.send(self.build(route, **parts))
        return self.decoded(route, response)

    async def one(self, route: Route, **parts: Any) -> Raw:
        """Return the one object of an answer."""
        return await self.made(self.build(route, **parts))

    async def made(self, request: Request) -> Raw:
        """Return the one object that *request* is answered with."""
        response = await self.send(request)
        with self.session.reading(request.route):
            return Raw(
                self._clean(decode(response, scrubber=self.session.scrubber, decoder=_OBJECT), response)
            )

    def decoded(self, route: Route, response: Response) -> Any:
        """Return the answer's JSON with secrets removed, exact; None when there is no body."""
        if response.status == 204 or not response.body.strip():
            return None
        with self.session.reading(route):
            return self._clean(decode(response, scrubber=self.session.scrubber, decoder=_EXACT), response)

    def _page(self, route: Route, response: Response) -> tuple[list[Raw], int | None]:
        with self.session.reading(route):
            page: Page = decode(response, scrubber=self.session.scrubber, decoder=_PAGE)
        return [Raw(self._clean(item, response)) for item in page.items], page.count

    def _clean(self, found: Any, response: Response) -> Any:
        """Return a JSON value without secrets; most answers mention none."""
        body = response.body
        if b"oken" in body or self.session.scrubber.knows_bytes(body):
            return self.session.scrubber.payload(found)
        return found

    # ------------------------------------------------------------------ lists

    async def items(self, route: Route, **parts: Any) -> list[Raw]:
        """Return the objects of a list that has no pages."""
        return self._page(route, await self.send(self.build(route, **parts)))[0]

    async def page(
        self,
        route: Route,
        *,
        offset: int = 0,
        limit: int = PAGE_SIZE,
        query: Mapping[str, object] | None = None,
        lane: Lane = "interactive",
        **parts: Any,
    ) -> tuple[list[Raw], int | None]:
        """Return one page, and how many objects there are in all, where that is told."""
        asked = {**(query or {}), "limit": limit, "offset": offset or None}
        request = self.build(route, query=asked, lane=lane, objects=limit, **parts)
        return self._page(route, await self.send(request))

    async def pages(
        self,
        route: Route,
        *,
        query: Mapping[str, object] | None = None,
        lane: Lane = "interactive",
        **parts: Any,
    ) -> AsyncIterator[list[Raw]]:
        """Yield all pages of a list, in order; those after the first are fetched side by side.

        The network may give fewer objects than asked for, so the first page's size decides about the others.
        """
        first, count = await self.page(route, query=query, lane=lane, **parts)
        if first:
            yield first
        size = len(first)
        if not size or (count is not None and size >= count):
            return
        if count is None:
            async for page in self._on(route, size, query=query, **parts):
                yield page
            return

        async def fetch(offset: int) -> list[Raw]:
            found, _ = await self.page(
                route, offset=offset, limit=size, query=query, lane="backfill", **parts
            )
            return found

        async for page in in_order(range(size, count, size), fetch, width=_WIDTH):
            yield page

    async def _on(
        self, route: Route, offset: int, *, query: Mapping[str, object] | None, **parts: Any
    ) -> AsyncIterator[list[Raw]]:
        """Yield pages one after the other, until one is empty: there is no count."""
        while True:
            page, _ = await self.page(route, offset=offset, query=query, lane="backfill", **parts)
            if not page:
                return
            yield page
            offset += len(page)

    async def all(self, route: Route, **parts: Any) -> list[Raw]:
        """Return all objects of a list."""
        return [item async for page in self.pages(route, **parts) for item in page]

    # ------------------------------------------------------------------ partial updates

    def update_verb(self) -> str | None:
        """Return ``patch`` or ``post`` where it is fixed or known for this host; None while nobody has tried."""
        return self._verb or self._facts.get(self.host, _VERB)

    async def update(
        self, route: Route, fields: Mapping[str, Any], *, path: Mapping[str, object] | None = None
    ) -> Any:
        """Send exactly *fields* to an object, by the verb of the host; nothing is sent for no fields.

        Tried first is the profile's verb; a 405 or 501 to PATCH switches the host to POST for good.
        Source: VK Ads API overview: updates are POST to the object's URL (documented).
        """
        if not fields:
            return None
        if self.update_verb() is not None:
            return await self._by_known_verb(route, fields, path)
        async with self._finding:  # one request finds out, the others wait for what it finds
            if self.update_verb() is None:
                answer = await self._by_verb(route, self.profile.update_verb, fields, path)
                if self.update_verb() is None:
                    self._facts.put(self.host, _VERB, self.profile.update_verb)
                return answer
        return await self._by_known_verb(route, fields, path)

    async def _by_known_verb(
        self, route: Route, fields: Mapping[str, Any], path: Mapping[str, object] | None
    ) -> Any:
        return await self._by_verb(route, self.update_verb() or self.profile.update_verb, fields, path)

    async def _by_verb(
        self, route: Route, verb: str, fields: Mapping[str, Any], path: Mapping[str, object] | None
    ) -> Any:
        try:
            return await self._update(route, verb, fields, path)
        except ApiError as error:
            if verb != "patch" or self._verb is not None or error.status not in _NO_SUCH_VERB:
                raise
        answer = await self._update(route, "post", fields, path)
        self._facts.put(self.host, _VERB, "post")
        return answer

    async def _update(
        self, route: Route, verb: str, fields: Mapping[str, Any], path: Mapping[str, object] | None
    ) -> Any:
        return await self.call(
            self.update_route(route, verb), path=path, json=fields, facts={"fields": field_names(fields)}
        )

    def update_route(self, route: Route, verb: str | None = None) -> Route:
        """Return *route* with the verb that an update would take now."""
        verb = verb or self.update_verb() or self.profile.update_verb
        return routes.posted(route) if verb == "post" else route


def field_names(fields: Mapping[str, Any], prefix: str = "") -> tuple[str, ...]:
    """Return the names of the fields of an update, nested ones by path; for the ledger, without values."""
    names: list[str] = []
    for name, value in fields.items():
        if isinstance(value, Mapping) and value and not prefix:
            names.extend(field_names(value, f"{name}."))
        else:
            names.append(prefix + name)
    return tuple(names)


def joined(ids: Iterable[object]) -> str:
    """Return ids as the network takes lists: joined by commas."""
    return ",".join(str(number) for number in ids)


# Whole and exact at once: what is decoded lazily would fail where nobody expects it.
_PAGE: Final = msgspec.json.Decoder(Page, float_hook=Decimal)
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_EXACT: Final = msgspec.json.Decoder(float_hook=Decimal)
