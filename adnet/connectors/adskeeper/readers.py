"""Reading Adskeeper's answers into the values of ``rows``.

Source: Adskeeper advertiser API document; where production answers differ from it, both shapes are read.
"""

from collections.abc import Mapping
from typing import Any, Final

from adnet.connectors.adskeeper import shapes
from adnet.connectors.adskeeper.rows import (
    CampaignRow,
    City,
    Client,
    Condition,
    Conversion,
    ConversionTarget,
    Country,
    Filter,
    Geo,
    Limits,
    LocationPrice,
    Named,
    Places,
    TeaserRow,
    Wallet,
    WidgetFilter,
)
from adnet.models import Raw
from adnet.money import currency_or_none

_UNTOLD: Final[Mapping[str, Any]] = {"filterType": None}
"""In place of a filter that an answer leaves out: off would be a guess, and the next edit would replace the list."""


def client(value: Any) -> Client:
    """Return the client that an answer describes."""
    row = shapes.mapping(value, "$")
    wallet = shapes.mapping(row.get("wallet"), "$.wallet")
    return Client(
        id=shapes.identifier(row.get("id"), "$.id"),
        timezone=shapes.text(row.get("timezone")),
        wallet=Wallet(
            balance=shapes.number(wallet.get("balance"), "$.wallet.balance"),
            credit=shapes.number(wallet.get("credit"), "$.wallet.credit"),
            income=shapes.number(wallet.get("income"), "$.wallet.income"),
            currency=currency_or_none(shapes.text(wallet.get("currency"))),
        ),
        raw=Raw(row),
    )


def _named(value: Any, where: str) -> Named:
    """Return an id with its name; a bare number is the id, a bare word the name."""
    if isinstance(value, dict):
        return Named(id=shapes.whole(value.get("id"), f"{where}.id"), name=shapes.text(value.get("name")))
    word = shapes.text(value)
    number = shapes.number_of(word)
    return Named(name=word) if number is None else Named(id=number)


def _kind(row: Mapping[str, Any]) -> str:
    """Return what a filter's list is; an empty filter is off, and of one that is not told it is not known."""
    return (shapes.text(row.get("filterType")) or "") if row else "off"


def _filter(value: Any, where: str, *names: str) -> Filter:
    row = shapes.mapping(value, where)
    members = shapes.items(shapes.first_of(row, *names), f"{where}.{names[0]}")
    return Filter(
        kind=_kind(row),
        members=tuple(found for member in members if (found := shapes.text(member))),
    )


def _widgets(value: Any, where: str) -> WidgetFilter:
    row = shapes.mapping(value, where)
    told = row.get("widgets")
    if isinstance(told, list):
        told = {shapes.identifier(uid, f"{where}.widgets[]"): None for uid in told}
    widgets = shapes.mapping(told, f"{where}.widgets")
    return WidgetFilter(
        kind=_kind(row),
        widgets={uid: shapes.inner_list(subs, f"{where}.widgets.{uid}") for uid, subs in widgets.items()},
    )


def _limits(value: Any, where: str) -> Limits:
    row = shapes.mapping(value, where)
    evenly = shapes.flag(row.get("splitDailyLimitEvenly"))
    return Limits(
        kind=shapes.text(row.get("limitType")),
        daily=shapes.number(row.get("dailyLimit"), f"{where}.dailyLimit"),
        overall=shapes.number(row.get("overallLimit"), f"{where}.overallLimit"),
        split_evenly=None if evenly is None else int(evenly),
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
        ips=_filter(row.get("ipsFilter", _UNTOLD), f"{where}.ipsFilter", "ips"),
        widgets=_widgets(row.get("widgetsFilterUid", _UNTOLD), f"{where}.widgetsFilterUid"),
        sources=_filter(row.get("sourceFilters", _UNTOLD), f"{where}.sourceFilters", "sourcesIds", "sources"),
        domains=_filter(row.get("domainsFilter", _UNTOLD), f"{where}.domainsFilter", "domainsNames"),
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
    targets = shapes.mapping(shapes.part(shapes.mapping(value, "$"), "targets", "$"), "$.targets")
    return Geo(
        actual=_places(shapes.part(targets, "actual", "$.targets"), "$.targets.actual"),
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
    return _words(shapes.part(shapes.mapping(value, "$"), "targets", "$"), "$.targets")


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
