"""Adskeeper's rows to models: statuses, units, days and identities. Nothing else knows what they mean to us."""

from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from datetime import date as Day  # noqa: N812 - a model's field is called date
from decimal import Decimal
from typing import Any, Final

import attrs

from adnet.connectors.adskeeper import shapes
from adnet.connectors.adskeeper.figures import (
    CampaignFigures,
    PlaceFigures,
    Stages,
    TeaserDay,
    TeaserFigures,
)
from adnet.connectors.adskeeper.rows import CampaignRow, Client, Geo, TeaserRow
from adnet.models import AccountInfo, Ad, Campaign, StatRow
from adnet.models.words import Status
from adnet.money import Money

CAMPAIGN_STATUS: Final[Mapping[int, Status]] = {
    1: "ended",
    2: "limited",
    3: "limited",
    4: "paused",
    5: "limited",
    6: "active",
    7: "active",
    8: "active",
    9: "limited",
    10: "limited",
    11: "limited",
    12: "paused",
    13: "blocked",
    14: "deleted",
    15: "paused",
    19: "rejected",
}
"""Status id -> our word. Source: Adskeeper advertiser API document, table of statuses (documented)."""

TEASER_STATUS: Final[Mapping[str, Status]] = {
    "active": "active",
    "new": "active",
    "goodPerformance": "active",
    "badPerformance": "limited",
    "onModeration": "pending",
    "rejected": "rejected",
    "blocked": "paused",
    "campaignBlocked": "paused",
}

CENTS: Final = 100
OWN_TRAFFIC: Final = "0"
"""Under this id a widget's own traffic stands beside that of its sub-sources."""
_NOISE: Final = Decimal("0.0000005")
"""Half of the last digit that tables keep of an amount. A rest below it comes of a network's adding up in binary."""


@attrs.frozen(kw_only=True)
class Book:
    """What has to be known about an account to read its rows."""

    currency: str | None = None
    """ISO 4217; without it amounts cannot be told and stay in ``raw``."""
    zone: tzinfo = UTC
    """Of all days and times in answers."""

    def money(self, value: Decimal | None) -> Money | None:
        """Return an amount in the account's currency."""
        return None if value is None or self.currency is None else Money(value, self.currency)


def account(client: Client, divisor: Decimal) -> AccountInfo:
    """Return the account; its balance is the wallet's own, without the credit, and may be negative."""
    wallet = client.wallet
    balance = None
    if wallet.balance is not None and wallet.currency is not None:
        balance = Money(wallet.balance / divisor, wallet.currency)
    return AccountInfo(
        account_id=client.id,
        currency=wallet.currency,
        time_zone=client.timezone,
        balance=balance,
        raw=client.raw,
    )


def campaign_status(row: CampaignRow) -> Status:
    """Return our word for a campaign's status; ids that the document leaves out are ``unknown``."""
    if row.status.id is not None:
        return CAMPAIGN_STATUS.get(row.status.id, "unknown")
    return "active" if (row.status.name or "").lower() == "active" else "unknown"


def campaign(row: CampaignRow, book: Book, more: Mapping[str, Any] | None = None) -> Campaign:
    """Return a campaign; *more* are targetings that are told apart from it."""
    budget, clicks = row.limits.kind == "budget_limits", row.limits.kind == "clicks_limits"
    # Nothing, and a limit of nothing, are no limit.
    daily, total = row.limits.daily or None, row.limits.overall or None
    return Campaign(
        campaign_id=row.id,
        name=row.name or "",
        status=campaign_status(row),
        status_raw=str(row.status.id) if row.status.id is not None else row.status.name,
        daily_budget=book.money(daily) if budget else None,
        total_budget=book.money(total) if budget else None,
        daily_clicks=int(daily) if clicks and daily is not None else None,
        total_clicks=int(total) if clicks and total is not None else None,
        currency=book.currency,
        starts_on=row.start,
        ends_on=row.end,
        created_at=shapes.moment(row.added, book.zone),
        targeting={**targeting(row), **(more or {})},
        tracking=dict(row.utm),
        raw=row.raw,
    )


def targeting(row: CampaignRow) -> dict[str, Any]:
    """Return a campaign's targetings and filters under the network's own names, as updates take them."""
    return {
        "browsers": list(row.browsers),
        "operatingsystems": list(row.operating_systems),
        "browserslanguage": list(row.languages),
        "ipsFilter": {"filterType": row.ips.kind or None, "ips": list(row.ips.members)},
        "widgetsFilterUid": {
            "filterType": row.widgets.kind or None,
            "widgets": {uid: list(subs) for uid, subs in row.widgets.widgets.items()},
        },
        "sourceFilters": {"filterType": row.sources.kind or None, "sources": list(row.sources.members)},
    }


def geo(found: Geo) -> dict[str, list[str]]:
    """Return the places that hold or will hold: what was asked for last, where the network still tells it."""
    chosen = (found.requested.countries or found.actual.countries).items()
    return {
        "countries": [code for code, cities in chosen if not cities],
        "cities": [city.id for _, cities in chosen for city in cities],
    }


def ad(row: TeaserRow, book: Book) -> Ad:
    """Return an ad; its bid is the highest price over all locations."""
    price = row.price
    extra = {
        "category": row.category.id,
        "goodPrice": row.good_price,
        "goodOldPrice": row.good_old_price,
        "currency": row.currency,
    }
    return Ad(
        ad_id=row.id,
        campaign_id=row.campaign_id,
        title=row.title,
        text=row.text,
        kind="teaser",
        status=TEASER_STATUS.get(row.status or "", "unknown"),
        status_raw=row.status,
        url=row.url,
        image_url=row.image,
        bid=book.money(None if price is None else price / CENTS),
        currency=book.currency,
        extra={name: value for name, value in extra.items() if value is not None},
        raw=row.raw,
    )


def campaign_day(row: CampaignFigures, day: Day, book: Book) -> StatRow | None:
    """Return a campaign's day, or None when nothing happened on it."""
    if not (row.impressions or row.clicks or row.spent or row.stages.buy or row.revenue):
        return None
    return StatRow(
        date=day,
        level="campaign",
        object_id=row.campaign_id,
        campaign_id=row.campaign_id,
        impressions=row.impressions,
        clicks=row.clicks,
        spend=book.money(row.spent),
        conversions=row.stages.buy,
        revenue=book.money(row.revenue),
        currency=book.currency,
        raw=row.raw,
    )


def ad_day(row: TeaserDay, figures: TeaserFigures, campaign_id: str | None, book: Book) -> StatRow | None:
    """Return a teaser's day, or None when nothing happened on it; its answer tells its own currency."""
    book = attrs.evolve(book, currency=figures.currency or book.currency)
    if not (row.shows or row.clicks or row.spent or row.stages.buy):
        return None
    return StatRow(
        date=row.date,
        level="ad",
        object_id=figures.teaser_id,
        campaign_id=campaign_id,
        impressions=row.shows,
        clicks=row.clicks,
        spend=book.money(row.spent),
        conversions=row.stages.buy or 0,
        currency=book.currency,
        raw=row.raw,
    )


def source_id(uid: str, sub: str | None) -> str:
    """Return ``uid``, or ``uid/sub`` for a sub-source. A widget's own traffic goes under its uid."""
    return uid if sub in {None, "", OWN_TRAFFIC} else f"{uid}/{sub}"


def _added(place: PlaceFigures, clicks: int, spent: Decimal, buy: int | None) -> PlaceFigures:
    """Return a place's figures with more of the same place."""
    stages = attrs.evolve(place.stages, buy=(place.stages.buy or 0) + (buy or 0))
    return attrs.evolve(place, clicks=place.clicks + clicks, spent=place.spent + spent, stages=stages)


def source_days(campaign_id: str, widget: PlaceFigures, day: Day, book: Book) -> Iterable[StatRow]:
    """Yield the rows of one widget on one day; together they are the widget's total, each click in one of them.

    The network tells a widget with its sources among it. Where there are any they stand for the widget, and what
    its total has beyond them is its own traffic. A row's object is ``campaign:uid`` or ``campaign:uid/sub``: the
    same widget serves many campaigns, and rows that land are told apart by day, level and object.
    """
    parts: dict[str, PlaceFigures] = {}
    for part in widget.sources:
        name = source_id(widget.uid, part.sub)
        # Own traffic has several keys, and a widget's figures are the total of them all.
        parts[name] = _added(parts[name], part.clicks, part.spent, part.stages.buy) if name in parts else part
    rest_clicks = widget.clicks - sum(part.clicks for part in widget.sources)
    rest_spent = widget.spent - sum((part.spent for part in widget.sources), Decimal(0))
    if widget.sources and rest_spent < _NOISE:
        rest_spent = Decimal(0)
    rest_buy = (widget.stages.buy or 0) - sum(part.stages.buy or 0 for part in widget.sources)
    if not parts or rest_clicks > 0 or rest_spent > 0 or rest_buy > 0:
        own = parts.get(widget.uid) or attrs.evolve(widget, clicks=0, spent=Decimal(0), stages=Stages())
        rest = max(rest_clicks, 0), max(rest_spent, Decimal(0)), max(rest_buy, 0)
        parts[widget.uid] = _added(own, *rest)
    for name, part in parts.items():
        if part.clicks or part.spent or part.stages.buy:
            yield StatRow(
                date=day,
                level="source",
                object_id=f"{campaign_id}:{name}",
                campaign_id=campaign_id,
                clicks=part.clicks,
                spend=book.money(part.spent),
                conversions=part.stages.buy or 0,
                currency=book.currency,
                raw=part.raw,
            )
