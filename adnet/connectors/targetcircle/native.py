"""Target Circle's own client: one method per documented operation, in the network's own words.

Source of all parameters and shapes: "Publisher API Documentation" (gist, 2016), documented.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import attrs
import msgspec

from adnet.connectors.targetcircle import codec, routes
from adnet.connectors.targetcircle.amounts import check_amounts
from adnet.connectors.targetcircle.limits import REPORT_LIMIT
from adnet.connectors.targetcircle.pages import (
    ReportPage,
    Ticket,
    lenient,
    read_list,
    read_page,
    read_ticket,
    stamp,
)
from adnet.connectors.targetcircle.rows import (
    AdRow,
    ClickRow,
    CodeRow,
    InventoryRow,
    OfferDetails,
    TypedCodeRow,
)
from adnet.errors import InvalidRequestError, OriginError
from adnet.models import Ad, Link, Offer
from adnet.operations.links import resolve
from adnet.transport.session import Session
from adnet.transport.wire import Request, Response, Route

ReportKind = Literal["transactions", "clicks", "trades"]
Words = str | Sequence[str] | None
"""One value or several; several mean any of them."""


def joined(name: str, value: Words) -> str | None:
    """Return filter values as the network takes them: joined by commas, which mean "or".

    Raises:
        InvalidRequestError: A value holds a comma itself, which the network would read as "or".
    """
    if value is None:
        return None
    values = [value] if isinstance(value, str) else [str(item) for item in value]
    for item in values:
        if "," in item:
            raise InvalidRequestError(
                f"{name}: {item!r} holds a comma, which this network reads as 'or'; filter by something else",
                fields={name: "must not hold a comma"},
            )
    return ",".join(values) or None


class TargetCircleNative:
    """The eleven documented operations. Returns rows as the network words them, without its tokens."""

    def __init__(self, session: Session, *, send_nulls: bool = False) -> None:
        self._session = session
        self._send_nulls = send_nulls

    # ------------------------------------------------------------------ reports, step A

    async def submit_transactions(
        self, *, from_: datetime, to: datetime, currency: str, limit: int = REPORT_LIMIT, **filters: Words
    ) -> Ticket:
        """Ask for the transactions saved from *from_* to *to*, both included, to the second.

        Filters: ``status``, ``offer``, ``adInventory``, ``country``, ``reference``.
        """
        period = {"from": stamp(from_), "to": stamp(to), "currency": currency}
        names = ("status", "offer", "adInventory", "reference", "country")
        return await self._submit("transactions", period, names, filters, limit)

    async def submit_clicks(
        self, *, from_: datetime, to: datetime, limit: int = REPORT_LIMIT, **filters: Words
    ) -> Ticket:
        """Ask for the clicks from *from_* to *to*, both included, to the second.

        Filters: ``offer``, ``adInventory``, ``country``, ``reference``.
        """
        names = ("adInventory", "country", "offer", "reference")
        return await self._submit("clicks", {"from": stamp(from_), "to": stamp(to)}, names, filters, limit)

    async def submit_trades(self, *, limit: int = REPORT_LIMIT, **filters: Words) -> Ticket:
        """Ask for the trades: connections of our ad inventories with offers.

        Filters: ``offer``, ``adInventory``, ``provider``, ``category``, ``conversionType``,
        ``engagementType``, ``vertical``, ``adType``, ``targetCountries`` (English names).
        """
        names = (
            "offer",
            "adInventory",
            "provider",
            "category",
            "conversionType",
            "engagementType",
            "vertical",
            "adType",
            "targetCountries",
        )
        return await self._submit("trades", {}, names, filters, limit)

    async def _submit(
        self,
        kind: ReportKind,
        fixed: Mapping[str, str],
        names: Sequence[str],
        filters: Mapping[str, Words],
        limit: int,
    ) -> Ticket:
        unknown = filters.keys() - set(names)
        if unknown:
            raise TypeError(f"{kind} have no filter {min(unknown)!r}; there are {', '.join(names)}")
        given = {name: joined(name, filters.get(name)) for name in names}
        if not self._send_nulls:
            given = {name: value for name, value in given.items() if value is not None}
        request = self._session.build(routes.SUBMIT[kind], json={**fixed, **given, "limit": limit})
        response = await self._session.send(request)
        with self._session.reading(request.route):
            ticket = read_ticket(response, request.url, self._session.scrubber)
            self._session.check_origin(ticket.url)
        return ticket

    # ------------------------------------------------------------------ reports, step B

    async def get_transactions_page(self, location: str, page: int = 1) -> ReportPage:
        """Return a page of a transactions report; *location* is a ticket's URL."""
        return await self.get_page("transactions", location, page)

    async def get_clicks_page(self, location: str, page: int = 1) -> ReportPage:
        """Return a page of a clicks report; *location* is a ticket's URL."""
        return await self.get_page("clicks", location, page)

    async def get_trades_page(self, location: str, page: int = 1) -> ReportPage:
        """Return a page of a trades report; *location* is a ticket's URL."""
        return await self.get_page("trades", location, page)

    async def get_page(self, kind: ReportKind, location: str, page: int = 1) -> ReportPage:
        """Return a page of a report of any kind; pages count from 1.

        Raises:
            NotFoundError: The network has forgotten the report.
            OriginError: *location* is on another origin.
        """
        place, report_id = _place(self._session.base_url, location)
        url = self._session.check_origin(f"{place}{page}")
        request = Request(route=routes.PAGE[kind], url=url, headers={"Accept": "application/json"})
        response = await self._session.send(request)
        with self._session.reading(request.route):
            return read_page(response, report_id, page, self._session.scrubber, quoted=kind != "clicks")

    # ------------------------------------------------------------------ direct answers

    async def list_offers(self, *, limit: int = REPORT_LIMIT, **filters: Words) -> list[InventoryRow]:
        """Return our ad inventories with the offers that are open to them.

        Filters: ``offerId``, ``offerName``, ``adInventory``, ``status``, ``startDateFrom``, ``startDateTo``,
        ``endDateFrom``, ``endDateTo``, ``provider``, ``category``, ``advertiser``, ``vertical``, ``country``.
        """
        query = {"limit": limit, **{name: joined(name, value) for name, value in filters.items()}}
        response = await self._get(routes.OFFERS, query=query)
        return [row for row, _ in self._pairs(response, InventoryRow, routes.OFFERS)]

    async def list_codes(
        self,
        *,
        offer_id: str,
        ad_inventory: str,
        deeplink: str | None = None,
        parameters: Mapping[str, str] | None = None,
        limit: int = REPORT_LIMIT,
        **filters: str | int | None,
    ) -> list[Link]:
        """Return tracking codes for an offer and an ad inventory.

        Args:
            offer_id: The offer's id.
            ad_inventory: The ad inventory's id.
            deeplink: Page of the advertiser that the links lead to.
            parameters: Labels, by ``idfa``, ``gaid``, ``waid``, ``click_id``, ``source_id``, ``ref1`` to ``ref5``.
            limit: Codes at most, 1000 at most.
            filters: ``type``, ``maxHeight``, ``minHeight``, ``maxWidth``, ``minWidth``, ``maxSize``, ``minSize``.
        """
        query: list[tuple[str, object]] = [
            ("limit", limit),
            ("offerId", offer_id),
            ("adInventory", ad_inventory),
            ("deeplink", deeplink),
            *((f"parameters[{name}]", value) for name, value in (parameters or {}).items()),
            *filters.items(),
        ]
        response = await self._get(routes.CODES, query=query)
        return [codec.link(row, raw) for row, raw in self._pairs(response, CodeRow, routes.CODES)]

    async def get_offer(self, slug: str) -> Offer:
        """Return an offer's details by its slug. Raises NotFoundError."""
        response = await self._get(routes.OFFER, path={"slug": slug})
        with self._session.reading(routes.OFFER):
            whole = lenient(response, _ANY_OBJECT, self._session.scrubber)
            raw = self._session.scrubber.json(bytes(whole))
            row = lenient(attrs.evolve(response, body=raw), _DETAILS, self._session.scrubber)
        return codec.offer_details(row, raw)

    async def list_offer_ads(self, slug: str) -> list[Ad]:
        """Return the ads of an offer by its slug. Raises NotFoundError."""
        response = await self._get(routes.OFFER_ADS, path={"slug": slug})
        return [
            codec.ad(row, offer_slug=slug, raw=raw)
            for row, raw in self._pairs(response, AdRow, routes.OFFER_ADS)
        ]

    async def create_codes(
        self, kind: Literal["banner", "text"], *, offer: str, ad_inventory: str, ads: Sequence[str]
    ) -> list[Link]:
        """Return tracking codes for certain ads of one kind; offer, ad inventory and ads by their slugs."""
        payload = {"offer": offer, "adInventory": ad_inventory, "ads": list(ads)}
        request = self._session.build(routes.CODES_BY_TYPE, path={"type": kind}, json=payload)
        response = await self._session.send(request)
        return [
            codec.typed_link(row, kind=kind, base_url=request.url, raw=raw)
            for row, raw in self._pairs(response, TypedCodeRow, routes.CODES_BY_TYPE)
        ]

    # ------------------------------------------------------------------ small things

    async def _get(self, route: Route, **parts: Any) -> Response:
        return await self._session.send(self._session.build(route, **parts))

    def _pairs(self, response: Response, kind: type[Any], route: Route) -> list[tuple[Any, bytes]]:
        with self._session.reading(route):
            return read_rows(read_list(response, self._session.scrubber), kind, self._session)


_TOKEN: Final = (
    # a byte that has to be there, and what is looked for if it is; together: all that can spell ``token``
    (b"k", re.compile(rb"oken")),
    (b"K", re.compile(rb"OKEN")),
    (b"\\", re.compile(rb"\\u00[2-7]")),
)
"""Of ``token``, ``accessToken`` and ``TOKEN``, or what is spelled as an escape, a sign of our own token perhaps. To
look for one byte costs a thirtieth of the rest, and three expressions that begin with fixed bytes a tenth of one that
knows them all."""
_ANY_OBJECT: Final = msgspec.json.Decoder(msgspec.Raw)
_DETAILS: Final = msgspec.json.Decoder(OfferDetails)


def read_rows(body: bytes, kind: type[Any], session: Session) -> list[tuple[Any, bytes]]:
    """Return the rows of a JSON list, each with its own bytes, without secrets.

    Raises:
        SchemaError, DecodeError: It cannot be read.
    """
    rows, raws = read_columns(body, kind, session)
    return list(zip(rows, map(bytes, raws), strict=True))


def read_columns(body: bytes, kind: type[Any], session: Session) -> tuple[list[Any], Sequence[codec.RawJson]]:
    """Return the rows of a JSON list and, apart, their own JSON; neither holds a secret.

    Raises:
        SchemaError, DecodeError: It cannot be read.
    """
    page = Response(status=200, url="", body=body)
    quoted = kind is not ClickRow  # which has an address
    raws: list[codec.RawJson] = lenient(page, codec.RAWS, session.scrubber, quoted=quoted)
    if any(byte in body and word.search(body) for byte, word in _TOKEN) or session.scrubber.knows_bytes(body):
        # A token is mentioned, or ours is repeated: rare enough to go through the rows one by one.
        raws = [session.scrubber.json(bytes(raw)) for raw in raws]
        page = attrs.evolve(page, body=b"[" + b",".join(map(bytes, raws)) + b"]")
    rows: list[Any] = lenient(page, codec.list_of(kind), session.scrubber, quoted=quoted)
    check_amounts(rows)
    return rows, raws


@lru_cache(maxsize=4096)
def _place(base_url: str, location: str) -> tuple[str, str]:
    """Return a report's URL up to the number of a page, and the report's id."""
    url = resolve(base_url, location)
    if url is None:
        raise OriginError("the place of the report is no URL; it was not requested")
    parts = urlsplit(url)
    query = [
        (name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "page"
    ]
    url = urlunsplit(parts._replace(query=urlencode([*query, ("page", "")]), fragment=""))
    return url, parts.path.rstrip("/").rpartition("/")[2]
