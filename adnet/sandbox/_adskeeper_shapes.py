"""
How the Adskeeper imitation writes campaigns and teasers down.

The shapes are those observed in production where they differ from the
document: an empty map is a list, a teaser's status an object, the sub-sources
of a widget a text that looks like a list.

Source: Adskeeper advertiser API document; field reports of several open-source
clients of the same API.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from adnet.sandbox._adskeeper_call import Call
from adnet.sandbox._adskeeper_state import DELETED, Campaign, Geo, Limits, Teaser
from adnet.sandbox._adskeeper_stats import Totals, money
from adnet.sandbox._adskeeper_values import (
    CAMPAIGN_STATUSES,
    CATEGORIES,
    CITIES,
    COUNTRIES,
    OPERATING_SYSTEMS,
    TEASER_STATUSES,
)

__all__ = ["campaign_shape", "client_shape", "conversion_list", "geo_shape", "teaser_shape"]

LOCATIONS = (("1", "Tier 1"), ("2", "Rest of the world"))
"""Geo groups of a teaser's price."""

Writer = Callable[[Call, Campaign], Any]


def client_shape(call: Call) -> dict[str, Any]:
    """Return the client; money in cents."""
    account = call.account
    wallet = {
        "balance": account.balance_cents,
        "credit": account.credit_cents,
        "income": account.income_cents,
        "currency": account.currency,
    }
    return {"id": account.client_id, "timezone": account.timezone, "wallet": wallet}


def campaign_shape(call: Call, campaign: Campaign, fields: Collection[str] = ()) -> dict[str, Any]:
    """Return a campaign, whole or only *fields*; the id is always there, unknown fields never."""
    chosen = [name for name in CAMPAIGN_FIELDS if name == "id" or name in fields]
    names = chosen if fields else CAMPAIGN_FIELDS
    return {name: CAMPAIGN_FIELDS[name](call, campaign) for name in names}


def _status(_call: Call, campaign: Campaign) -> dict[str, Any]:
    number = campaign.status
    name = "active" if number in {6, 7, 8} else "deleted" if number == DELETED else "blocked"
    return {"id": number, "name": name, "reason": CAMPAIGN_STATUSES.get(number, "")}


def _widgets(call: Call, campaign: Campaign) -> dict[str, Any]:
    # A whole widget is "[]" or null: both were observed, and so both are served.
    widgets = {
        uid: "[" + ", ".join(subs) + "]" if subs or int(uid) % 2 else None
        for uid, subs in campaign.widgets.items()
    }
    return {"filterType": campaign.widgets_type, "widgets": call.dialect.mapping(widgets)}


def _sources(call: Call, campaign: Campaign) -> dict[str, Any]:
    numbers = [int(item) for item in campaign.sources.items]
    names = [call.account.sources[number] for number in numbers]
    return {"filterType": campaign.sources.type, "sources": names, "sourcesIds": numbers}


def _limits(call: Call, campaign: Campaign) -> dict[str, Any]:
    limits = campaign.limits
    return {
        "limitType": limits.type,
        "dailyLimit": _limit(limits, limits.daily),
        "overallLimit": _limit(limits, limits.overall),
        "splitDailyLimitEvenly": call.dialect.evenly_flag(on=limits.evenly),
    }


def _limit(limits: Limits, value: Decimal | None) -> float | int | None:
    if value is None:
        return None
    return int(value) if limits.type == "clicks_limits" else float(value)


def _today(call: Call, campaign: Campaign) -> dict[str, Any]:
    totals = call.book.total(campaign.id, call.today, call.today) or Totals()
    return {"clicks": totals.clicks, "wages": money(totals.spent)}


def _category(number: int) -> dict[str, str]:
    return {"id": str(number), "name": CATEGORIES[number].name}


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _systems(call: Call, campaign: Campaign) -> Mapping[str, Any] | list[Any]:
    return call.dialect.mapping({str(OPERATING_SYSTEMS[code]): code for code in campaign.systems})


CAMPAIGN_FIELDS: Mapping[str, Writer] = {
    "id": lambda _call, campaign: campaign.id,
    "language": lambda _call, campaign: campaign.language,
    "name": lambda _call, campaign: campaign.name,
    "status": _status,
    "domainsFilter": lambda _call, campaign: {
        "filterType": campaign.domains.type,
        "domainsNames": campaign.domains.items,
    },
    "ipsFilter": lambda _call, campaign: {
        "filterType": campaign.ips.type,
        "ips": campaign.ips.items,
    },
    "widgetsFilterUid": _widgets,
    "statistics": _today,
    "category": lambda _call, campaign: _category(campaign.category),
    "sourceFilters": _sources,
    "sourcesOptimization": lambda _call, campaign: int(campaign.by_sources),
    "limitsFilter": _limits,
    "trackingOptions": lambda call, campaign: call.dialect.mapping(campaign.utm),
    "targets": _systems,
    "languageTargeting": lambda _call, campaign: campaign.languages,
    "browserTargeting": lambda _call, campaign: campaign.browsers,
    "whenAdd": lambda _call, campaign: campaign.when_add,
    "campaignType": lambda _call, campaign: campaign.type,
    "advertiserName": lambda _call, campaign: campaign.advertiser,
    "startDate": lambda _call, campaign: _day(campaign.start),
    "endDate": lambda _call, campaign: _day(campaign.end),
}
"""Every field of a campaign, in the order it is written."""


def teaser_shape(call: Call, teaser: Teaser, fields: Collection[str] = ()) -> dict[str, Any]:
    """Return a teaser, whole or only *fields*; its statistics are those of its whole life."""
    lifetime, today, yesterday = _teaser_totals(call, teaser)
    shape: dict[str, Any] = {
        "id": str(teaser.id),
        "title": teaser.title,
        "advertText": teaser.text,
        "url": teaser.url,
        "imageLink": teaser.image,
        "cropLeft": "0",
        "cropTop": "0",
        "cropWidth": "492",
        "priceOfClickByLocations": [
            {"locationId": key, "locationName": name, "priceOfClick": f"{teaser.price:f}"}
            for key, name in LOCATIONS
        ],
        "goodPrice": teaser.good_price,
        "goodOldPrice": teaser.good_old_price,
        "currency": teaser.currency,
        "category": _category(teaser.category),
        "campaignId": teaser.campaign,
        "status": _teaser_status(call, teaser),
        "statistics": _teaser_statistics(lifetime, today, yesterday),
        "conversion": _teaser_conversion(lifetime, yesterday),
    }
    if teaser.reason is not None and teaser.own_status == "rejected":
        shape["reason_if_drop_karantin"] = teaser.reason
    if not fields:
        return shape
    return {name: value for name, value in shape.items() if name == "id" or name in fields}


def _teaser_status(call: Call, teaser: Teaser) -> dict[str, str] | str:
    code = call.account.teaser_status(teaser)
    return {"code": code, "name": TEASER_STATUSES[code]} if call.dialect.status_object else code


def _teaser_totals(call: Call, teaser: Teaser) -> tuple[Totals, Totals, Totals]:
    def on(day: date) -> Totals:
        sums = call.book.sums(teaser.home, day, day, lambda cell: cell.teaser)
        return sums.get(teaser.id) or Totals()

    lifetime = call.book.lifetime(teaser.home, teaser.id, call.today)
    return lifetime, on(call.today), on(call.today - timedelta(days=1))


def _teaser_statistics(lifetime: Totals, today: Totals, yesterday: Totals) -> dict[str, Any]:
    return {
        "clicks": lifetime.clicks,
        "clicks_today": today.clicks,
        "clicks_yesterday": yesterday.clicks,
        "hits": lifetime.shows,
        "hits_today": today.shows,
        "hits_yesterday": yesterday.shows,
        "spent": money(lifetime.spent),
        "spent_today": money(today.spent),
        "spent_yesterday": money(yesterday.spent),
        "ctr": f"{lifetime.ctr:f}",
        "ctr_by_locations": [
            {"locationId": key, "locationName": name, "ctr": f"{lifetime.ctr:f}"} for key, name in LOCATIONS
        ],
    }


def _teaser_conversion(lifetime: Totals, yesterday: Totals) -> dict[str, int]:
    return {
        "interest_all": lifetime.interest,
        "decision_all": lifetime.decision,
        "buying_all": lifetime.buy,
        "interest_yesterday": yesterday.interest,
        "decision_yesterday": yesterday.decision,
        "buying_yesterday": yesterday.buy,
    }


def geo_shape(call: Call, geo: Geo) -> dict[str, Any]:
    """Return chosen countries with their chosen cities, each a map by key."""
    countries = {
        code: {
            "code": code,
            "name": COUNTRIES[code],
            "cities": call.dialect.mapping({str(city): _city(city) for city in sorted(cities)}),
        }
        for code, cities in sorted(geo.items())
    }
    return {"countries": call.dialect.mapping(countries)}


def _city(number: int) -> dict[str, Any]:
    city = CITIES[number]
    return {"id": number, "name": city.name, "normalizedName": city.normalized_name}


def conversion_list(call: Call, campaign: Campaign) -> list[dict[str, Any]]:
    """Return the conversion settings in the words of reading, which are not those of writing."""
    rows = []
    for name, stage in campaign.conversions.items():
        target = call.account.targets[stage.target]
        condition = target.condition
        conditions = [{"type": condition.type, "value": condition.value}] if condition else []
        rows.append(
            {
                "stage": name,
                "target_id": target.id,
                "type": target.type,
                "conditions": conditions,
                "price": float(stage.cpa or 0),
            }
        )
    return rows
