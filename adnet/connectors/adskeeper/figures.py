"""Adskeeper's statistics, in its own words and units.

Money called *spent* and everything ending in *cost* is in the account's currency. A teaser's ``cpc`` is in cents and
its ``ctr`` in percent (both inferred from the document's own sample, exactly); neither is read here, since clicks,
shows and spent say the same without a unit to mistake. All of it stays in ``raw``.
Source: Adskeeper advertiser API document; wrappers and spellings of production observed in several clients.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import attrs

from adnet.connectors.adskeeper import shapes
from adnet.connectors.adskeeper.rows import raw_field
from adnet.models import Raw
from adnet.money import currency_or_none


@attrs.frozen(kw_only=True)
class Stages:
    """How often each conversion stage was reached; None where the answer does not tell."""

    buy: int | None = None
    decision: int | None = None
    interest: int | None = None


@attrs.frozen(kw_only=True)
class CampaignFigures:
    """One campaign over a whole period. Operation 5."""

    campaign_id: str
    impressions: int
    clicks: int
    spent: Decimal
    stages: Stages
    """None where the campaign has no such conversion."""
    revenue: Decimal | None
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class VideoFigures:
    """One video campaign over a whole period. Operation 6; the quartiles stay in ``raw``."""

    campaign_id: str
    impressions: int
    complete: int
    clicks: int
    spent: Decimal
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class PlaceFigures:
    """A widget, or one of its sub-sources, over a whole period. Operation 3; impressions are not told there."""

    uid: str
    sub: str | None
    """None for the widget; ``"0"`` is its own traffic, told beside its sub-sources."""
    clicks: int
    spent: Decimal
    stages: Stages
    quality_factor: Decimal | None
    sources: tuple["PlaceFigures", ...] = ()
    """A widget's parts; its own figures are their total."""
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class TeaserDay:
    """One teaser on one day. Operation 36."""

    date: date
    shows: int
    clicks: int
    spent: Decimal
    stages: Stages
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class TeaserFigures:
    """One teaser day by day. Operation 36."""

    teaser_id: str
    currency: str | None
    """ISO 4217."""
    status: str | None
    days: tuple[TeaserDay, ...]


@attrs.frozen(kw_only=True)
class ClickRow:
    """One accepted click. Operation 4. It has no id of its own, and its address is personal data."""

    time: str
    """On the account's clock."""
    ip: str | None = attrs.field(repr=False)
    referer: str | None
    teaser_id: str | None
    uid: str | None
    sub: str | None
    country: str | None
    region: str | None
    price: Decimal | None
    raw: Mapping[str, Any] = raw_field()
    """Without the address."""


@attrs.frozen(kw_only=True)
class ClickReport:
    """The clicks of one campaign on one day. Operation 4."""

    campaign_id: str
    clicks: tuple[ClickRow, ...]
    spent: Decimal | None
    """Of all accepted clicks, in the account's currency (``fundsEarned``)."""
    summary: Mapping[str, Any]


def _stages(row: Mapping[str, Any], where: str) -> Stages:
    return Stages(
        buy=shapes.whole(shapes.first_of(row, "buying", "buy"), f"{where}.buy"),
        decision=shapes.whole(row.get("decision"), f"{where}.decision"),
        interest=shapes.whole(row.get("interest"), f"{where}.interest"),
    )


def unwrapped(value: Any, name: str) -> dict[str, dict[str, Any]]:
    """Return rows by id, which stand within an object of their name (observed) or bare (documented)."""
    body = shapes.mapping(value, "$")
    if name in body:
        return shapes.numbered(body[name], f"$.{name}", key="campaignId")
    return shapes.numbered(body, "$")


def campaign_figures(number: str, row: Mapping[str, Any]) -> CampaignFigures:
    """Return one row of campaigns-stat."""
    where = f"$.campaigns-stat.{number}"
    return CampaignFigures(
        campaign_id=shapes.text(shapes.first_of(row, "campaignId", "campaign_id")) or number,
        impressions=shapes.count(row.get("imps"), f"{where}.imps"),
        clicks=shapes.count(row.get("clicks"), f"{where}.clicks"),
        spent=shapes.amount(row.get("spent"), f"{where}.spent"),
        stages=_stages(row, where),
        revenue=shapes.number(row.get("revenue"), f"{where}.revenue"),
        raw=Raw(row),
    )


def video_figures(number: str, row: Mapping[str, Any]) -> VideoFigures:
    """Return one row of campaigns-video-stat."""
    where = f"$.campaigns-video-stat.{number}"
    return VideoFigures(
        campaign_id=shapes.text(shapes.first_of(row, "campaignId", "campaign_id")) or number,
        impressions=shapes.count(row.get("impressions"), f"{where}.impressions"),
        complete=shapes.count(row.get("complete"), f"{where}.complete"),
        clicks=shapes.count(row.get("clicks"), f"{where}.clicks"),
        spent=shapes.amount(row.get("spent"), f"{where}.spent"),
        raw=Raw(row),
    )


def places(value: Any, campaign_id: str) -> tuple[PlaceFigures, ...]:
    """Return the widgets of one campaign; the period's key is whatever single one is there."""
    body = shapes.mapping(value, "$")
    periods = shapes.mapping(shapes.part(body, campaign_id, "$"), f"$.{campaign_id}")
    if len(periods) > 1:
        raise shapes.wrong(f"$.{campaign_id}", "the one period that was asked for", periods)
    found = []
    for period, widgets in periods.items():
        where = f"$.{campaign_id}.{period}"
        for uid, row in shapes.rows(widgets, where, key="uid").items():
            found.append(_widget(uid, row, f"{where}.{uid}"))
    return tuple(found)


def _widget(uid: str, row: Mapping[str, Any], where: str) -> PlaceFigures:
    parts = shapes.rows(shapes.counted(row.get("sources")), f"{where}.sources")
    sources = tuple(
        _place(uid, shapes.text(part.get("sourceId")) or sub, part, f"{where}.sources.{sub}")
        for sub, part in parts.items()
    )
    own = {name: item for name, item in row.items() if name != "sources"}
    return attrs.evolve(_place(uid, None, own, where), sources=sources)


def _place(uid: str, sub: str | None, row: Mapping[str, Any], where: str) -> PlaceFigures:
    return PlaceFigures(
        uid=uid,
        sub=sub,
        clicks=shapes.count(row.get("clicks"), f"{where}.clicks"),
        spent=shapes.amount(row.get("spent"), f"{where}.spent"),
        stages=_stages(row, where),
        quality_factor=shapes.number(row.get("qualityFactor"), f"{where}.qualityFactor"),
        raw=Raw(row),
    )


def teaser_figures(teaser_id: str, value: Any) -> TeaserFigures:
    """Return a teaser's days, oldest first."""
    body = shapes.mapping(value, "$")
    days = shapes.rows(shapes.part(body, "teaser-stat", "$"), "$.teaser-stat", key="date")
    return TeaserFigures(
        teaser_id=teaser_id,
        currency=currency_or_none(shapes.text(body.get("currency"))),
        status=shapes.text(body.get("status")),
        days=tuple(_teaser_day(key, row) for key, row in sorted(days.items())),
    )


def _teaser_day(key: str, row: Mapping[str, Any]) -> TeaserDay:
    where = f"$.teaser-stat.{key}"
    return TeaserDay(
        date=shapes.day_of(row.get("date", key), f"{where}.date"),
        shows=shapes.count(row.get("shows"), f"{where}.shows"),
        clicks=shapes.count(row.get("clicks"), f"{where}.clicks"),
        spent=shapes.amount(row.get("spent"), f"{where}.spent"),
        stages=_stages(row, where),
        raw=Raw(row),
    )


def click_report(campaign_id: str, value: Any) -> ClickReport:
    """Return one day's clicks of a campaign."""
    statistics = shapes.mapping(shapes.part(shapes.mapping(value, "$"), "statistics", "$"), "$.statistics")
    summary = shapes.mapping(statistics.get("summary"), "$.statistics.summary")
    told = shapes.part(statistics, "acceptedClicks", "$.statistics")
    clicks = shapes.items(told, "$.statistics.acceptedClicks")
    return ClickReport(
        campaign_id=campaign_id,
        clicks=tuple(_click(item, f"$.statistics.acceptedClicks[{i}]") for i, item in enumerate(clicks)),
        spent=shapes.number(summary.get("fundsEarned"), "$.statistics.summary.fundsEarned"),
        summary=summary,
    )


def _click(value: Any, where: str) -> ClickRow:
    row = shapes.mapping(value, where)
    country = (shapes.text(row.get("country")) or "").upper()
    return ClickRow(
        time=shapes.identifier(row.get("time"), f"{where}.time"),
        ip=shapes.text(row.get("ip")),
        referer=shapes.text(row.get("referer")),
        teaser_id=shapes.text(row.get("teaserId")),
        uid=shapes.text(row.get("informerUid")),
        sub=shapes.text(row.get("sourceId")),
        country=country or None,
        region=shapes.text(row.get("region")),
        price=shapes.number(row.get("price"), f"{where}.price"),
        raw=Raw({name: item for name, item in row.items() if name != "ip"}),
    )
