"""
What an imitation Target Circle account sells: offers, ads, ad inventories, trades.

Everything follows from the seed. The awkward is on purpose: names with a
comma, verticals that hold one empty string, missing categories, countries
whose names no two tables spell alike. Values only; their shapes on the wire
are in `_targetcircle_rows`.
"""

from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random

import attrs

from adnet.sandbox.base import random_of

__all__ = [
    "ACCEPTED",
    "COUNTRIES",
    "REST_OF_WORLD",
    "Ad",
    "Catalogue",
    "Inventory",
    "Offer",
    "Pricing",
    "Trade",
    "catalogue",
]

REST_OF_WORLD = "Rest of World"
"""Stands where a country is expected, for all that a price list does not name."""

ACCEPTED = "accepted"
"""The status of a trade that may be promoted."""

COUNTRIES: dict[str, str] = {
    "Austria": "AT",
    "Bosnia and Herzegovina": "BA",
    "Côte d'Ivoire": "CI",
    "Czech Republic": "CZ",
    "Denmark": "DK",
    "Finland": "FI",
    "France": "FR",
    "Germany": "DE",
    "Italy": "IT",
    "Korea, Republic of": "KR",
    "Macedonia, the Former Yugoslav Republic of": "MK",
    "Moldova, Republic of": "MD",
    "Netherlands": "NL",
    "Norway": "NO",
    "Poland": "PL",
    "Russian Federation": "RU",
    "Spain": "ES",
    "Sweden": "SE",
    "Switzerland": "CH",
    "Taiwan, Province of China": "TW",
    "Turkey": "TR",
    "United Kingdom": "GB",
    "United States": "US",
    "Viet Nam": "VN",
}
"""English name, as reports print it -> ISO 3166-1 alpha-2, as offers print it."""

_INVENTORIES = ("zedge.net", "Sparegrisen.no", "Blåbær & Sønn", "Deal Finder App")
_FIRST_NAMES = ("Diamond Digger Saga (iPhone)", "Shoes, Bags & More", "AwesomeStuff.no")
_BRANDS = ("Fjord", "Kaffe", "Nordlys", "Polar", "Trek", "Volt", "Zen", "Aqua", "Bike", "Casa")
_ENDINGS = ("shop.com", "lån.no", "mobil.se", "reise.dk", "games (Android)", "fit.de", "care.pl")
_PROVIDERS = ("Target Circle AS", "Target Circle", "Some Provider")
_CATEGORIES = ("Games", "Camping", "Fashion", "Loans", None)
_VERTICALS = ("Services", "Travel", "Retail", "Finance")
_SIZES = ((297, 297), (728, 90), (300, 250), (160, 600))
_KINDS = ("sale", "lead", "Install")
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


@attrs.frozen(eq=False, kw_only=True)
class Inventory:
    """A place of the publisher's where ads are shown: a site, an app."""

    id: int
    slug: str
    name: str


@attrs.frozen(eq=False, kw_only=True)
class Pricing:
    """What one kind of event pays in some countries."""

    id: int
    countries: tuple[str, ...]
    """Names, or *Rest of World* alone."""
    product_group: str
    kind: str
    """`sale`, `lead` or `Install`."""
    engagement: str
    fixed: bool
    payout: Decimal
    """Money in the offer's currency if fixed, else per cent of the amount."""


@attrs.frozen(eq=False, kw_only=True)
class Ad:
    """A banner or a text link of one offer."""

    id: int
    slug: str
    name: str | None
    target_url: str | None
    is_default: bool | None
    size: tuple[int, int] | None
    """Width and height in pixels; None for a text link."""
    file_bytes: int
    mime: str

    @property
    def kind(self) -> str:
        """`BANNER` or `TEXT`."""
        return "TEXT" if self.size is None else "BANNER"


@attrs.frozen(eq=False, kw_only=True)
class Offer:
    """What an advertiser pays for."""

    id: int
    slug: str
    name: str
    provider: str
    advertiser: str
    category: str | None
    verticals: tuple[str, ...]
    """May hold one empty string."""
    start: date
    end: date
    currency: str
    deeplinking: bool
    cookie_hours: int
    forbidden: str
    """The name of the one policy that is not permitted."""
    pricings: tuple[Pricing, ...]
    ads: tuple[Ad, ...]
    prices: dict[str, tuple[Pricing, ...]]
    """Every country in which somebody may convert -> what applies there."""

    @property
    def countries(self) -> list[str]:
        """The targeted countries by name, *Rest of World* left out."""
        found = dict.fromkeys(name for pricing in self.pricings for name in pricing.countries)
        found.pop(REST_OF_WORLD, None)
        return list(found)


@attrs.frozen(eq=False, kw_only=True)
class Trade:
    """The tie of one offer to one ad inventory."""

    id: int
    offer: Offer
    inventory: Inventory
    status: str


@attrs.frozen(eq=False, kw_only=True)
class Catalogue:
    """All of it."""

    inventories: tuple[Inventory, ...]
    offers: tuple[Offer, ...]
    trades: tuple[Trade, ...]

    @property
    def accepted(self) -> tuple[Trade, ...]:
        """The trades that get clicks."""
        return tuple(trade for trade in self.trades if trade.status == ACCEPTED)


@lru_cache(maxsize=16)
def catalogue(seed: int, offers: int = 60) -> Catalogue:
    """Return the account's catalogue; the same object for the same arguments."""
    rng = random_of("targetcircle", seed, "catalogue")
    slugs = _Slugs(rng)
    inventories = tuple(
        Inventory(id=122 + index, slug=slugs.next(), name=name) for index, name in enumerate(_INVENTORIES)
    )
    made = tuple(_offer(rng, slugs, index) for index in range(offers))
    return Catalogue(inventories=inventories, offers=made, trades=_trades(rng, made, inventories))


class _Slugs:
    """Six characters each, none twice."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._given: set[str] = set()

    def next(self) -> str:
        while (slug := "".join(self._rng.choices(_ALPHABET, k=6))) in self._given:
            pass
        self._given.add(slug)
        return slug


def _offer(rng: Random, slugs: _Slugs, index: int) -> Offer:
    pricings = _pricings(rng, index)
    start = date(2015, 1, 1) + timedelta(days=rng.randrange(365))
    return Offer(
        id=11014 + index,
        slug=slugs.next(),
        name=_name(index),
        provider=rng.choice(_PROVIDERS),
        advertiser=f"{rng.choice(_BRANDS)} Limited",
        category=_CATEGORIES[index % len(_CATEGORIES)],
        verticals=_verticals(rng, index),
        start=start,
        end=start + timedelta(days=365 * rng.randint(15, 30)),
        currency=("EUR", "USD", "NOK")[index % 3],
        deeplinking=rng.random() < 0.8,
        cookie_hours=rng.choice((0, 24, 720)),
        forbidden=rng.choice(("Incentivised traffic", "Brand bidding")),
        pricings=pricings,
        ads=tuple(_ad(rng, slugs, 1000 + 10 * index + number) for number in range(2 + index % 4)),
        prices=_prices(rng, pricings),
    )


def _name(index: int) -> str:
    if index < len(_FIRST_NAMES):
        return _FIRST_NAMES[index]
    return _BRANDS[index % len(_BRANDS)] + _ENDINGS[index // len(_BRANDS) % len(_ENDINGS)]


def _verticals(rng: Random, index: int) -> tuple[str, ...]:
    return ("",) if index % 5 == 0 else tuple(rng.sample(_VERTICALS, 1 + index % 2))


def _pricings(rng: Random, index: int) -> tuple[Pricing, ...]:
    kind, names = _KINDS[index % 3], rng.sample(list(COUNTRIES), rng.randint(1, 4))
    # Countries stand alone in most price lists and together in some.
    markets: list[tuple[str, ...]] = [tuple(names)] if index % 4 == 3 else [(n,) for n in names]
    if index % 3 != 1:
        markets.append((REST_OF_WORLD,))
    groups = ("Default", "New customers") if index % 2 else ("Default",)
    fixed = kind != "sale" or index % 4 == 0
    return tuple(
        Pricing(
            id=100 * (index + 1) + number,
            countries=market,
            product_group=group,
            kind=kind,
            engagement="Post click" if number % 5 else "Post view",
            fixed=fixed,
            payout=_payout(rng, fixed=fixed),
        )
        for number, (group, market) in enumerate((g, m) for g in groups for m in markets)
    )


def _payout(rng: Random, *, fixed: bool) -> Decimal:
    if not fixed:
        return Decimal(rng.choice(("3.0", "7.5", "12.25", "0.1")))
    cents = Decimal(rng.randrange(10, 9000)) / 100
    return Decimal(rng.choice(("0.1", "25.0", "12.345678", str(cents))))


def _prices(rng: Random, pricings: tuple[Pricing, ...]) -> dict[str, tuple[Pricing, ...]]:
    named = {name for pricing in pricings for name in pricing.countries}
    if REST_OF_WORLD in named:
        # A visitor from elsewhere is priced as the rest; some stay unnamed altogether.
        others = rng.sample([name for name in COUNTRIES if name not in named], 3)
        named.update(others)
    return {name: _matching(pricings, name) for name in sorted(named)}


def _matching(pricings: tuple[Pricing, ...], country: str) -> tuple[Pricing, ...]:
    exact = tuple(pricing for pricing in pricings if country in pricing.countries)
    return exact or tuple(p for p in pricings if REST_OF_WORLD in p.countries)


def _ad(rng: Random, slugs: _Slugs, number: int) -> Ad:
    banner = number % 10 % 2 == 0
    return Ad(
        id=number,
        slug=slugs.next(),
        name=rng.choice(("Summer sale 2016", "VC Blog", "Main Page", None)),
        target_url=rng.choice((None, "http://www.awesome-page.example")),
        is_default=rng.choice((True, False, None)),
        size=rng.choice(_SIZES) if banner else None,
        file_bytes=rng.randrange(5_000, 90_000) if banner else 0,
        mime=rng.choice(("image/jpeg", "image/png", "image/gif")) if banner else "",
    )


def _trades(rng: Random, offers: tuple[Offer, ...], inventories: tuple[Inventory, ...]) -> tuple[Trade, ...]:
    pairs = [
        (offer, inventory)
        for offer in offers
        for inventory in rng.sample(inventories, rng.randint(1, len(inventories)))
    ]
    return tuple(
        # The first ten are accepted, so that there is always something to promote.
        Trade(
            id=50_001 + number,
            offer=offer,
            inventory=inventory,
            status=ACCEPTED if number < 10 else _trade_status(rng),
        )
        for number, (offer, inventory) in enumerate(pairs)
    )


def _trade_status(rng: Random) -> str:
    return rng.choices((ACCEPTED, "pending", "rejected"), (8, 1, 1))[0]
