"""Sends the requests of one account: once its client and its limits are known, page by page, by its host's verb."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from decimal import Decimal
from itertools import count as counted
from typing import Any, Final

import msgspec

from adnet.clock import Clock
from adnet.connectors.mytarget import codec, routes
from adnet.connectors.mytarget.asking import Asking
from adnet.connectors.mytarget.identity import Identity
from adnet.connectors.mytarget.ledger import field_names
from adnet.connectors.mytarget.limits import DEFAULT_PAGE_SIZE, PAGE_SIZE
from adnet.connectors.mytarget.listed import Listed
from adnet.connectors.mytarget.profile import Profile
from adnet.connectors.mytarget.seeding import Seeder
from adnet.connectors.mytarget.verbs import UpdateVerb
from adnet.errors import SchemaError
from adnet.models import AccountInfo, Raw
from adnet.operations.paginate import in_order
from adnet.state.facts import Facts
from adnet.transport.decipher import decode
from adnet.transport.session import Session
from adnet.transport.wire import Lane, Request, Response, Route, origin

_WIDTH: Final = 4
_CURRENCY: Final = "currency"
_TELLING: Final = frozenset(routes.USER.values())
"""Requests whose answer tells whose token it is."""


class Page(msgspec.Struct):
    """A collection's answer; version 1 and some resources leave the number out."""

    items: list[dict[str, Any]]
    count: int | None = None


class Api:
    """What all clients of the native API share. Safe to use from many tasks at once.

    Args:
        session: Signs and sends.
        profile: The brand, whose word for campaigns goes into paths.
        seeder: Sees to it that the limits are known.
        identity: Tells whose account it is.
        facts: Where the verb of updates is remembered, by host, and the currency, by account.
        key: The account's key there.
        verb: ``auto``, ``patch`` or ``post``.
    """

    def __init__(
        self,
        session: Session,
        profile: Profile,
        seeder: Seeder,
        identity: Identity,
        facts: Facts,
        *,
        key: str,
        clock: Clock,
        verb: str,
    ) -> None:
        self.session = session
        self.profile = profile
        self.clock = clock
        self.identity = identity
        self._seeder = seeder
        self._facts = facts
        self._key = key
        self.host = origin(session.base_url)
        """Scheme, host and port: what is learnt of a host is remembered under it."""
        self._verb = UpdateVerb(facts, self.host, first=profile.update_verb, wanted=verb)
        self._asking = Asking(clock, "word of whose account it is")

    # ------------------------------------------------------------------ one request

    def build(self, route: Route, *, path: Mapping[str, object] | None = None, **parts: Any) -> Request:
        """Return a request; the brand's word for campaigns is filled in."""
        return self.session.build(route, path={"campaigns": self.profile.campaigns, **(path or {})}, **parts)

    async def send(self, request: Request) -> Response:
        """Return the answer to *request*, once it is known what the limits are and that the account is its client's.

        Raises:
            ConfigurationError: Its client has another account; nothing but the limits was asked for.
            AdnetError: As Session.send.
        """
        if not self._seeder.fresh or not self.identity.certain:
            self.identity.check()  # a client that is known to have another account costs no token
            if not self._seeder.fresh:
                await self._seeder.learn()
            if request.route in _TELLING:
                return self._told(request.route, await self.session.send(request))
            if not (self.identity.certain or self.identity.resume()):
                await self._asking.once(self.account)
        return await self.session.send(request)

    async def close(self) -> None:
        """Cancel what is still asked for before other requests."""
        await self._asking.close()
        await self._seeder.close()

    async def account(self) -> AccountInfo:
        """Return the account as the network tells it; its currency is remembered.

        Raises:
            ConfigurationError: Its client has another account.
        """
        route = routes.USER[self.profile.user_version]
        found = codec.account(await self.one(route, query={"fields": joined(codec.USER_FIELDS)}))
        if found.currency is not None:
            self._facts.put(self._key, _CURRENCY, found.currency)
        return found

    def _told(self, route: Route, response: Response) -> Response:
        """Bind the account to the client whom *response* names, if it does."""
        if (number := codec.text(self._object(route, response), "id")) is not None:
            self.identity.bind(number)
        return response

    async def call(self, route: Route, **parts: Any) -> Any:
        """Return the decoded answer; None for an empty one."""
        response = await self.send(self.build(route, **parts))
        return self.decoded(route, response)

    async def one(self, route: Route, **parts: Any) -> Raw:
        """Return the one object of an answer."""
        return await self.made(self.build(route, **parts))

    async def made(self, request: Request) -> Raw:
        """Return the one object that *request* is answered with."""
        return self._object(request.route, await self.send(request))

    def _object(self, route: Route, response: Response) -> Raw:
        with self.session.reading(route):
            found = decode(response, scrubber=self.session.scrubber, decoder=_OBJECT)
            return Raw(self._clean(found, response))

    def decoded(self, route: Route, response: Response) -> Any:
        """Return the answer's JSON with secrets removed, exact; None when there is no body."""
        if response.status == 204 or not response.body.strip():
            return None
        with self.session.reading(route):
            return self._clean(decode(response, scrubber=self.session.scrubber, decoder=EXACT), response)

    def _page(self, route: Route, response: Response) -> tuple[list[Raw], int | None]:
        with self.session.reading(route):
            page: Page = decode(response, scrubber=self.session.scrubber, decoder=_PAGE)
        return [Raw(item) for item in self._clean(page.items, response)], page.count

    def _clean(self, found: Any, response: Response) -> Any:
        """Return a JSON value without secrets; most answers mention none."""
        scrubber = self.session.scrubber
        return scrubber.payload(found) if scrubber.suspects(response.body) else found

    # ------------------------------------------------------------------ lists

    async def items(self, route: Route, **parts: Any) -> list[Raw]:
        """Return the objects of an answer that is no page of a list."""
        found, count = self._page(route, await self.send(self.build(route, **parts)))
        self._check_whole(route, len(found), count)
        return found

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
        uncounted: bool = False,
        **parts: Any,
    ) -> AsyncGenerator[list[Raw], None]:
        """Yield all pages of a list, in order; those after the first are fetched side by side.

        The network may give fewer objects than asked for, so the first page's size decides about the others.

        All lists take ``limit`` and ``offset``, 20 by default (documented). Whether those do that are documented
        *uncounted* is open: such a one is whole when it gives fewer than 20, more than it was asked for, or the same
        once more.
        """
        first, count = await self.page(route, query=query, lane=lane, **parts)
        listed = Listed()
        if fresh := self._take(route, listed, first):
            yield fresh
        size = len(first)
        if not size:
            self._check_whole(route, len(listed), count)
        if not size or (count is not None and size >= count):
            return
        if count is None:
            if not uncounted or DEFAULT_PAGE_SIZE <= size <= PAGE_SIZE:
                whole = first if uncounted else None
                async for page in self._on(route, listed, size, whole, query=query, **parts):
                    yield page
            return

        self.session.check_pages(route, -(-count // size))

        async def fetch(offset: int) -> list[Raw]:
            found, _ = await self.page(
                route, offset=offset, limit=size, query=query, lane="backfill", **parts
            )
            return found

        async for page in in_order(range(size, count, size), fetch, width=_WIDTH):
            yield self._take(route, listed, page)
        self._check_whole(route, len(listed), count)

    async def _on(
        self, route: Route, listed: Listed, offset: int, whole: list[Raw] | None, **parts: Any
    ) -> AsyncIterator[list[Raw]]:
        """Yield pages one after the other, until one is empty or the *whole* list again: there is no count."""
        for number in counted(2):
            self.session.check_pages(route, number)
            page, _ = await self.page(route, offset=offset, lane="backfill", **parts)
            if not page or page == whole:
                return
            yield self._take(route, listed, page)
            offset += len(page)

    def _take(self, route: Route, listed: Listed, page: list[Raw]) -> list[Raw]:
        with self.session.reading(route):
            return listed.take(page)

    def _check_whole(self, route: Route, told: int, count: int | None) -> None:
        if count is not None and told < count:
            with self.session.reading(route):
                raise SchemaError(f"the list told {told} of {count} objects, so that rows are missing")

    async def all(self, route: Route, **parts: Any) -> list[Raw]:
        """Return all objects of a list."""
        return [item async for page in self.pages(route, **parts) for item in page]

    # ------------------------------------------------------------------ partial updates

    async def update(
        self,
        route: Route,
        fields: Mapping[str, Any],
        *,
        path: Mapping[str, object] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send exactly *fields* to an object, by the verb of the host; nothing is sent for no fields."""
        if not fields:
            return None
        told = {"fields": field_names(fields), **(facts or {})}

        async def send(verb: str) -> Any:
            return await self.call(self.update_route(route, verb), path=path, json=fields, facts=told)

        return await self._verb.use(send)

    @property
    def verb_is_certain(self) -> bool:
        """Whether the verb of updates is known for this host."""
        return self._verb.certain

    def update_route(self, route: Route, verb: str | None = None) -> Route:
        """Return *route* by *verb*, or by the one that an update would take now."""
        return routes.posted(route) if (verb or self._verb.expected) == "post" else route


def joined(ids: Iterable[object]) -> str:
    """Return ids as the network takes lists: joined by commas."""
    return ",".join(str(number) for number in ids)


# Whole and exact at once: what is decoded lazily would fail where nobody expects it.
_PAGE: Final = msgspec.json.Decoder(Page, float_hook=Decimal)
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
EXACT: Final = msgspec.json.Decoder(float_hook=Decimal)
