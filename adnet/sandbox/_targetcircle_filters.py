"""
What callers may ask an imitation Target Circle for, and which rows that leaves.

A filter of several values, separated by commas, means any of them. A value
that holds a comma itself ("approved, paid out", "Korea, Republic of") counts
as one if it is known as a whole. Unknown fields are refused, so that a
client's typing errors show. Refusals are 400 with a text.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from aiohttp import web

from adnet.sandbox._targetcircle_catalogue import (
    COUNTRIES,
    REST_OF_WORLD,
    Ad,
    Catalogue,
    Inventory,
    Offer,
    Trade,
)
from adnet.sandbox._targetcircle_data import FIRST_DAY, LAST_DAY, STATUSES, Click

__all__ = [
    "any_of",
    "check_fields",
    "clicks_wanted",
    "codes_wanted",
    "first_and_last",
    "in_period",
    "limit_of",
    "offers_wanted",
    "statuses_of",
    "trades_wanted",
]

_T = TypeVar("_T")
Values = frozenset[str] | None

MAX_LIMIT = 1000
DEFAULT_LIMIT = 100

_REPORT_FIELDS = {"from", "to", "offer", "adInventory", "country", "reference", "limit"}
_FIELDS: dict[str, set[str]] = {
    "transactions": {*_REPORT_FIELDS, "currency", "status"},
    "clicks": _REPORT_FIELDS,
    "trades": {
        "offer",
        "adInventory",
        "provider",
        "category",
        "conversionType",
        "engagementType",
        "vertical",
        "adType",
        "targetCountries",
        "limit",
    },
    "offers": {
        "limit",
        "offerId",
        "offerName",
        "adInventory",
        "status",
        "startDateFrom",
        "startDateTo",
        "endDateFrom",
        "endDateTo",
        "provider",
        "category",
        "advertiser",
        "vertical",
        "country",
    },
    "codes": {
        "limit",
        "offerId",
        "adInventory",
        "deeplink",
        "type",
        *(f"{end}{measure}" for end in ("min", "max") for measure in ("Height", "Width", "Size")),
        *(f"parameters[{name}]" for name in ("idfa", "gaid", "waid", "click_id", "source_id")),
        *(f"parameters[ref{number}]" for number in range(1, 6)),
    },
}
_REQUIRED: dict[str, tuple[str, ...]] = {
    "transactions": ("from", "to", "currency"),
    "clicks": ("from", "to"),
    "codes": ("offerId", "adInventory"),
}


def check_fields(resource: str, payload: Mapping[str, Any]) -> None:
    """
    Refuse fields that *resource* does not have, and the lack of those it requires.

    Raises:
        HTTPBadRequest: Either.
    """
    for name in payload:
        if name not in _FIELDS[resource]:
            raise web.HTTPBadRequest(text=f"Unknown field {name}")
    for name in _REQUIRED.get(resource, ()):
        if payload.get(name) in (None, ""):
            raise web.HTTPBadRequest(text=f"Field {name} is required")


def limit_of(payload: Mapping[str, Any]) -> int:
    """Return the limit: 100 if none is given, 1000 if more is; below 1 is refused."""
    value = payload.get("limit")
    limit = DEFAULT_LIMIT if value in (None, "") else _whole("limit", value)
    if limit < 1:
        raise web.HTTPBadRequest(text="Field limit must be at least 1")
    return min(limit, MAX_LIMIT)


def first_and_last(payload: Mapping[str, Any]) -> tuple[int, int]:
    """Return `from` and `to`, both inclusive, as Unix seconds."""
    first, last = (_instant(name, payload.get(name)) for name in ("from", "to"))
    if first > last:
        raise web.HTTPBadRequest(text="Field from is after field to")
    return first, last


def in_period(
    of_day: Callable[[date], tuple[_T, ...]],
    moment: Callable[[_T], int],
    period: tuple[int, int],
    *,
    descending: bool = False,
) -> Iterator[_T]:
    """Yield what happened in *period*, day by day, making no more days than are asked for."""
    first, last = period
    day, until = map(_day_of, period)
    if descending:
        day, until = until, day
    step = timedelta(days=-1 if descending else 1)
    while (day >= until) if descending else (day <= until):
        rows = of_day(day)
        yield from (r for r in (reversed(rows) if descending else rows) if first <= moment(r) <= last)
        day += step


def any_of(payload: Mapping[str, Any], name: str, known: Collection[str] = ()) -> Values:
    """Return the values of a filter, None if it is not set."""
    value = payload.get(name)
    if value is None:
        return None
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise web.HTTPBadRequest(text=f"Field {name} must be a string")
    text = str(value).strip()
    if not text:
        return None
    return frozenset({text} if text in known else (part.strip() for part in text.split(",")))


def statuses_of(payload: Mapping[str, Any]) -> Values:
    """Return the statuses wanted."""
    return any_of(payload, "status", STATUSES)


def clicks_wanted(payload: Mapping[str, Any], catalogue: Catalogue) -> Callable[[Click], bool]:
    """Return whether a click is wanted, by offer, ad inventory, country and reference."""
    offers = _offers(payload, "offer", catalogue)
    inventories = _inventories(payload, catalogue)
    countries = any_of(payload, "country", {*COUNTRIES, REST_OF_WORLD})
    references = any_of(payload, "reference")

    def wanted(click: Click) -> bool:
        return (
            (offers is None or click.trade.offer in offers)
            and (inventories is None or click.trade.inventory in inventories)
            and (countries is None or click.country in countries)
            and (references is None or not references.isdisjoint(click.reference))
        )

    return wanted


def trades_wanted(payload: Mapping[str, Any], catalogue: Catalogue) -> list[Trade]:
    """Return the trades wanted, in the catalogue's order."""
    offers = _offers(payload, "offer", catalogue)
    inventories = _inventories(payload, catalogue)
    named: list[tuple[str, Callable[[Offer], Collection[str]]]] = [
        ("provider", lambda offer: (offer.provider,)),
        ("category", lambda offer: (offer.category or "",)),
        ("vertical", lambda offer: offer.verticals),
        ("conversionType", lambda offer: {p.kind for p in offer.pricings}),
        ("engagementType", lambda offer: {p.engagement for p in offer.pricings}),
        ("adType", lambda offer: {ad.kind for ad in offer.ads}),
        ("targetCountries", lambda offer: {n for p in offer.pricings for n in p.countries}),
    ]
    asked = [(any_of(payload, name, {*COUNTRIES, REST_OF_WORLD}), read) for name, read in named]
    return [
        trade
        for trade in catalogue.trades
        if (offers is None or trade.offer in offers)
        and (inventories is None or trade.inventory in inventories)
        and all(values is None or not values.isdisjoint(read(trade.offer)) for values, read in asked)
    ]


def offers_wanted(query: Mapping[str, str], catalogue: Catalogue) -> list[Trade]:
    """Return the offers wanted, each as its tie to an ad inventory."""
    renamed = {"targetCountries": query.get("country")}
    offer_id = query.get("offerId")  # one value, unlike the others
    kept = {name: query.get(name) for name in ("adInventory", "provider", "category", "vertical")}
    names = _offers(query, "offerName", catalogue)
    advertisers, statuses = any_of(query, "advertiser"), any_of(query, "status")
    dates = {name: _date(name, query.get(name)) for name in query if "Date" in name}
    return [
        trade
        for trade in trades_wanted({**kept, **_countries_by_name(renamed)}, catalogue)
        if (not offer_id or offer_id in {str(trade.offer.id), trade.offer.slug})
        and (names is None or trade.offer in names)
        and (advertisers is None or trade.offer.advertiser in advertisers)
        and (statuses is None or trade.status in statuses)
        and _dated(trade.offer, dates)
    ]


def codes_wanted(query: Mapping[str, str], ads: tuple[Ad, ...]) -> list[Ad]:
    """Return the ads wanted; a text link has no measures and fails every bound on them."""
    kinds = any_of(query, "type")
    bounds = {name: _whole(name, query[name]) for name in query if name[:3] in {"min", "max"} and query[name]}
    return [ad for ad in ads if _of_kind(ad, kinds) and all(_fits(ad, b) for b in bounds.items())]


def _of_kind(ad: Ad, kinds: Values) -> bool:
    names = {"banner"} if ad.size else {"text", "text link"}
    return kinds is None or not names.isdisjoint(kinds)


def _fits(ad: Ad, bound: tuple[str, int]) -> bool:
    if ad.size is None:
        return False
    name, limit = bound
    value = {"Width": ad.size[0], "Height": ad.size[1], "Size": ad.file_bytes}[name[3:]]
    return value >= limit if name.startswith("min") else value <= limit


def _offers(payload: Mapping[str, Any], name: str, catalogue: Catalogue) -> set[Offer] | None:
    aliases = {o: {str(o.id), o.slug, o.name} for o in catalogue.offers}
    values = any_of(payload, name, set().union(*aliases.values()))
    return None if values is None else {o for o in aliases if not values.isdisjoint(aliases[o])}


def _inventories(payload: Mapping[str, Any], catalogue: Catalogue) -> set[Inventory] | None:
    values = any_of(payload, "adInventory", {i.name for i in catalogue.inventories})
    if values is None:
        return None
    return {i for i in catalogue.inventories if not values.isdisjoint({str(i.id), i.slug, i.name})}


def _countries_by_name(query: dict[str, str | None]) -> dict[str, str | None]:
    # Offers print ISO codes and reports print names; here either is understood.
    names = {code: name for name, code in COUNTRIES.items()}
    text = query["targetCountries"]
    if text and text not in COUNTRIES:
        text = ",".join(names.get(part.strip(), part) for part in text.split(","))
    return {**query, "targetCountries": text}


def _dated(offer: Offer, dates: Mapping[str, date | None]) -> bool:
    for name, bound in dates.items():
        value = offer.start if name.startswith("start") else offer.end
        if bound and (value < bound if name.endswith("From") else value > bound):
            return False
    return True


def _instant(name: str, value: Any) -> int:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise web.HTTPBadRequest(text=f"Field {name} must be an ISO 8601 instant") from None
    if at.tzinfo is None:
        raise web.HTTPBadRequest(text=f"Field {name} must end with Z")
    return int(at.timestamp())


def _date(name: str, value: str | None) -> date | None:
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        raise web.HTTPBadRequest(text=f"Field {name} must be a date") from None


def _whole(name: str, value: Any) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise web.HTTPBadRequest(text=f"Field {name} must be a whole number") from None


def _day_of(second: int) -> date:
    """Return the day of a second, or the nearest that has rows; an offset leads out of all years."""
    day = date(1970, 1, 1).toordinal() + second // 86_400
    return date.fromordinal(max(FIRST_DAY.toordinal(), min(day, LAST_DAY.toordinal())))
