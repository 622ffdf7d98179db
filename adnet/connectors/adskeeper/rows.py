"""What Adskeeper tells about clients, campaigns, teasers, targetings and conversions, in its own words and units.

Each value is read from one object of an answer and keeps that object in ``raw``. What the network did not send
(because only some fields were asked for, or because there is none) is None or empty.
Source: Adskeeper advertiser API document; where production answers differ from it, both shapes are read.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import attrs

from adnet.connectors.adskeeper import shapes
from adnet.models import Raw


def raw_field() -> Any:
    """Return the field that keeps the network's own object; it takes no part in comparing or printing."""
    return attrs.field(factory=Raw, eq=False, repr=False)


@attrs.frozen(kw_only=True)
class Wallet:
    """The client's money, in the network's units: cents, by the document."""

    balance: Decimal | None
    """May be negative."""
    credit: Decimal | None
    income: Decimal | None
    """All that was ever paid in."""
    currency: str | None
    """ISO 4217."""

    @property
    def available(self) -> Decimal | None:
        """What can still be spent: balance and credit."""
        return None if self.balance is None else self.balance + (self.credit or Decimal(0))


@attrs.frozen(kw_only=True)
class Client:
    """One client. Operation 1."""

    id: str
    timezone: str | None
    """IANA name; all days and times of answers are on this clock."""
    wallet: Wallet
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class Named:
    """An id with its name."""

    id: int | None = None
    name: str | None = None


@attrs.frozen(kw_only=True)
class Filter:
    """A list of things, and what the list is."""

    kind: str = "off"
    """``off``; ``except`` or ``only`` of widgets and addresses; ``blocklist`` or ``allowlist`` of sources."""
    members: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class WidgetFilter:
    """A list of widgets, and what the list is."""

    kind: str = "off"
    widgets: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    """Uid -> its listed sub-sources; none means the whole widget."""


@attrs.frozen(kw_only=True)
class Limits:
    """Limits of a campaign: whole clicks, or a budget in the account's currency."""

    kind: str | None = None
    """``clicks_limits``, ``budget_limits`` or None."""
    daily: Decimal | None = None
    overall: Decimal | None = None
    split_evenly: int | None = None
    """As sent: what 0 and 1 mean differs between editions."""


@attrs.frozen(kw_only=True)
class CampaignRow:
    """One campaign. Operation 2."""

    id: str
    name: str | None
    status: Named
    reason: str | None
    """Why it has that status."""
    language: int | None
    category: Named
    campaign_type: str | None
    advertiser: str | None
    limits: Limits
    utm: Mapping[str, str]
    ips: Filter
    widgets: WidgetFilter
    sources: Filter
    """Members are ids where the network tells them, else names."""
    domains: Filter
    by_sources: bool | None
    """Whether the optimisation by sources is on."""
    operating_systems: tuple[str, ...]
    languages: tuple[int, ...]
    browsers: tuple[str, ...]
    clicks_today: int | None
    spent_today: Decimal | None
    """In the account's currency."""
    start: date | None
    end: date | None
    added: str | None
    """On the account's clock."""
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class LocationPrice:
    """What a click costs in one group of countries."""

    location_id: str | None
    name: str | None
    price: Decimal | None
    """In cents."""


@attrs.frozen(kw_only=True)
class TeaserRow:
    """One teaser. Operation 35."""

    id: str
    campaign_id: str | None
    title: str | None
    text: str | None
    url: str | None
    image: str | None
    status: str | None
    reason: str | None
    """Why moderation rejected it."""
    category: Named
    prices: tuple[LocationPrice, ...]
    good_price: Decimal | None
    good_old_price: Decimal | None
    currency: int | None
    """Id of the currency of the advertised product's price."""
    clicks: int | None
    """Of its whole life; so are shows and spent."""
    shows: int | None
    spent: Decimal | None
    raw: Mapping[str, Any] = raw_field()

    @property
    def price(self) -> Decimal | None:
        """The highest price over all locations, in cents."""
        return max((row.price for row in self.prices if row.price is not None), default=None)


@attrs.frozen(kw_only=True)
class Country:
    """A country for geo targeting."""

    code: str
    name: str | None = None


@attrs.frozen(kw_only=True)
class City:
    """A region or city for geo targeting."""

    id: str
    name: str | None = None
    latin_name: str | None = None
    country: str | None = None


@attrs.frozen(kw_only=True)
class Places:
    """Country code -> the chosen cities; none means the whole country."""

    countries: Mapping[str, tuple[City, ...]] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Geo:
    """Geo targeting as it holds, and as it was last asked for; a change may apply at once or the next day."""

    actual: Places
    requested: Places
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class Condition:
    """When a conversion counts."""

    kind: str | None
    value: str | None


@attrs.frozen(kw_only=True)
class Conversion:
    """One conversion stage of a campaign. Operation 16."""

    stage: str
    target_id: str | None
    kind: str | None
    """``url``, ``event``, ``visited``, ``regexp`` or ``postback``."""
    conditions: tuple[Condition, ...]
    price: Decimal | None
    """In the account's currency; 0 where none is set."""
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class ConversionTarget:
    """A conversion target of the client. Operation 15, which tells no ids."""

    stage: str
    cpa: Decimal | None
    unique: bool | None
    kind: str | None
    category: int | None
    condition: Condition
    raw: Mapping[str, Any] = raw_field()


def client(value: Any) -> Client:
    """Return the client that an answer describes."""
    row = shapes.mapping(value, "$")
    wallet = shapes.mapping(row.get("wallet"), "$.wallet")
    currency = (shapes.text(wallet.get("currency")) or "").upper()
    return Client(
        id=shapes.identifier(row.get("id"), "$.id"),
        timezone=shapes.text(row.get("timezone")),
        wallet=Wallet(
            balance=shapes.number(wallet.get("balance"), "$.wallet.balance"),
            credit=shapes.number(wallet.get("credit"), "$.wallet.credit"),
            income=shapes.number(wallet.get("income"), "$.wallet.income"),
            currency=currency if len(currency) == 3 and currency.isascii() and currency.isalpha() else None,
        ),
        raw=Raw(row),
    )


def _named(value: Any, where: str) -> Named:
    """Return an id with its name; a bare number is the id, a bare word the name."""
    if isinstance(value, dict):
        return Named(id=shapes.whole(value.get("id"), f"{where}.id"), name=shapes.text(value.get("name")))
    word = shapes.text(value)
    return Named(id=int(word)) if word and word.isdigit() and len(word) < 10 else Named(name=word)


def _filter(value: Any, where: str, *names: str) -> Filter:
    row = shapes.mapping(value, where)
    members = shapes.items(shapes.first_of(row, *names), f"{where}.{names[0]}")
    return Filter(
        kind=shapes.text(row.get("filterType")) or "off",
        members=tuple(found for member in members if (found := shapes.text(member))),
    )


def _widgets(value: Any, where: str) -> WidgetFilter:
    row = shapes.mapping(value, where)
    widgets = shapes.mapping(row.get("widgets"), f"{where}.widgets")
    return WidgetFilter(
        kind=shapes.text(row.get("filterType")) or "off",
        widgets={uid: shapes.inner_list(subs, f"{where}.widgets.{uid}") for uid, subs in widgets.items()},
    )


def _limits(value: Any, where: str) -> Limits:
    row = shapes.mapping(value, where)
    return Limits(
        kind=shapes.text(row.get("limitType")),
        daily=shapes.number(row.get("dailyLimit"), f"{where}.dailyLimit"),
        overall=shapes.number(row.get("overallLimit"), f"{where}.overallLimit"),
        split_evenly=shapes.whole(row.get("splitDailyLimitEvenly"), f"{where}.splitDailyLimitEvenly"),
    )


def campaign(value: Any, where: str = "$") -> CampaignRow:
    """Return the campaign that an object describes, whole or in part."""
    row = shapes.mapping(value, where)
    today = shapes.mapping(row.get("statistics"), f"{where}.statistics")
    status = row.get("status")
    return CampaignRow(
        id=shapes.identifier(row.get("id"), f"{where}.id"),
        name=shapes.text(row.get("name")),
        status=_named(status, f"{where}.status"),
        reason=shapes.text(status.get("reason")) if isinstance(status, dict) else None,
        language=shapes.whole(row.get("language"), f"{where}.language"),
        category=_named(row.get("category"), f"{where}.category"),
        campaign_type=shapes.text(row.get("campaignType")),
        advertiser=shapes.text(row.get("advertiserName")),
        limits=_limits(row.get("limitsFilter"), f"{where}.limitsFilter"),
        utm=_texts(row.get("trackingOptions"), f"{where}.trackingOptions"),
        ips=_filter(row.get("ipsFilter"), f"{where}.ipsFilter", "ips"),
        widgets=_widgets(row.get("widgetsFilterUid"), f"{where}.widgetsFilterUid"),
        sources=_filter(row.get("sourceFilters"), f"{where}.sourceFilters", "sourcesIds", "sources"),
        domains=_filter(row.get("domainsFilter"), f"{where}.domainsFilter", "domainsNames"),
        by_sources=shapes.flag(row.get("sourcesOptimization")),
        operating_systems=_words(row.get("targets"), f"{where}.targets"),
        languages=_numbers(row.get("languageTargeting"), f"{where}.languageTargeting"),
        browsers=_words(row.get("browserTargeting"), f"{where}.browserTargeting"),
        clicks_today=shapes.whole(today.get("clicks"), f"{where}.statistics.clicks"),
        spent_today=shapes.number(today.get("wages"), f"{where}.statistics.wages"),
        start=shapes.day(row.get("startDate")),
        end=shapes.day(row.get("endDate")),
        added=shapes.text(row.get("whenAdd")),
        raw=Raw(row),
    )


def _texts(value: Any, where: str) -> dict[str, str]:
    return {
        name: found for name, item in shapes.mapping(value, where).items() if (found := shapes.text(item))
    }


def _words(value: Any, where: str) -> tuple[str, ...]:
    return tuple(found for item in shapes.items(value, where) if (found := shapes.text(item)))


def _numbers(value: Any, where: str) -> tuple[int, ...]:
    found = (shapes.whole(item, where) for item in shapes.items(value, where))
    return tuple(number for number in found if number is not None)


def teaser(value: Any, where: str = "$") -> TeaserRow:
    """Return the teaser that an object describes, whole or in part."""
    row = shapes.mapping(value, where)
    life = shapes.mapping(row.get("statistics"), f"{where}.statistics")
    prices = shapes.items(row.get("priceOfClickByLocations"), f"{where}.priceOfClickByLocations")
    status = row.get("status")
    return TeaserRow(
        id=shapes.identifier(row.get("id"), f"{where}.id"),
        campaign_id=shapes.text(row.get("campaignId")),
        title=shapes.text(row.get("title")),
        text=shapes.text(row.get("advertText")),
        url=shapes.text(row.get("url")),
        image=shapes.text(row.get("imageLink")),
        status=shapes.text(status.get("code") if isinstance(status, dict) else status),
        reason=shapes.text(row.get("reason_if_drop_karantin")),
        category=_named(row.get("category"), f"{where}.category"),
        prices=tuple(_price(item, f"{where}.priceOfClickByLocations[{i}]") for i, item in enumerate(prices)),
        good_price=shapes.number(row.get("goodPrice"), f"{where}.goodPrice"),
        good_old_price=shapes.number(row.get("goodOldPrice"), f"{where}.goodOldPrice"),
        currency=_named(row.get("currency"), f"{where}.currency").id,
        clicks=shapes.whole(life.get("clicks"), f"{where}.statistics.clicks"),
        shows=shapes.whole(life.get("hits"), f"{where}.statistics.hits"),
        spent=shapes.number(life.get("spent"), f"{where}.statistics.spent"),
        raw=Raw(row),
    )


def _price(value: Any, where: str) -> LocationPrice:
    row = shapes.mapping(value, where)
    return LocationPrice(
        location_id=shapes.text(row.get("locationId")),
        name=shapes.text(row.get("locationName")),
        price=shapes.number(row.get("priceOfClick"), f"{where}.priceOfClick"),
    )


def country(value: Any, where: str) -> Country:
    """Return one country of the dictionary."""
    row = shapes.mapping(value, where)
    code = shapes.identifier(row.get("code"), f"{where}.code")
    return Country(code=code, name=shapes.text(row.get("name")))


def city(value: Any, where: str) -> City:
    """Return one region or city."""
    row = shapes.mapping(value, where)
    return City(
        id=shapes.identifier(row.get("id"), f"{where}.id"),
        name=shapes.text(row.get("name")),
        latin_name=shapes.text(row.get("normalizedName")),
        country=shapes.text(row.get("countryCode")),
    )


def geo(value: Any) -> Geo:
    """Return geo targeting; the document's text calls the second section ``request``."""
    targets = shapes.mapping(shapes.mapping(value, "$").get("targets"), "$.targets")
    return Geo(
        actual=_places(targets.get("actual"), "$.targets.actual"),
        requested=_places(shapes.first_of(targets, "requested", "request"), "$.targets.requested"),
        raw=Raw(targets),
    )


def _places(value: Any, where: str) -> Places:
    countries = shapes.rows(shapes.mapping(value, where).get("countries"), f"{where}.countries", key="code")
    chosen = {}
    for code, row in countries.items():
        cities = shapes.items(row.get("cities"), f"{where}.countries.{code}.cities")
        chosen[code] = tuple(city(item, f"{where}.countries.{code}.cities") for item in cities)
    return Places(countries=chosen)


def targets(value: Any) -> tuple[str, ...]:
    """Return what one of the four alike targetings aims at, as text."""
    return _words(shapes.mapping(value, "$").get("targets"), "$.targets")


def _condition(value: Any, where: str) -> Condition:
    row = shapes.mapping(value, where)
    return Condition(kind=shapes.text(row.get("type")), value=shapes.text(row.get("value")))


def conversion(value: Any, where: str) -> Conversion:
    """Return one conversion stage of a campaign."""
    row = shapes.mapping(value, where)
    conditions = shapes.items(row.get("conditions"), f"{where}.conditions")
    return Conversion(
        stage=shapes.identifier(row.get("stage"), f"{where}.stage"),
        target_id=shapes.text(row.get("target_id")),
        kind=shapes.text(row.get("type")),
        conditions=tuple(_condition(item, f"{where}.conditions") for item in conditions),
        price=shapes.number(row.get("price"), f"{where}.price"),
        raw=Raw(row),
    )


def conversion_target(stage: str, value: Any, where: str) -> ConversionTarget:
    """Return one conversion target of the client."""
    row = shapes.mapping(value, where)
    return ConversionTarget(
        stage=stage,
        cpa=shapes.number(row.get("cpa"), f"{where}.cpa"),
        unique=shapes.flag(row.get("unique")),
        kind=shapes.text(row.get("targetType")),
        category=shapes.whole(row.get("categoryId"), f"{where}.categoryId"),
        condition=_condition(row.get("condition"), f"{where}.condition"),
        raw=Raw(row),
    )
