"""Adskeeper and MGID for the kit: their sandbox's truth as rows of our tables.

Written from the Adskeeper advertiser API document and the words of the tables alone; imports no codec, so that
it cannot agree with a codec's mistakes.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from adnet.models import AdDraft, CampaignDraft
from adnet.models.words import Level
from adnet.money import Money
from adnet.testing.harness import Change

Row = dict[str, Any]

_CAMPAIGN: Final = {
    "active": (6, 7, 8),
    "limited": (2, 3, 5, 9, 10, 11),
    "ended": (1,),
    "paused": (4, 12, 15),
    "blocked": (13,),
    "deleted": (14,),
    "rejected": (19,),
}
_TEASER: Final = {
    "active": ("active", "new", "goodPerformance"),
    "limited": ("badPerformance",),
    "pending": ("onModeration",),
    "rejected": ("rejected",),
    "paused": ("blocked", "campaignBlocked"),
}


def _word(table: Mapping[str, tuple[Any, ...]], raw: Any) -> str:
    return next((word for word, raws in table.items() if raw in raws), "unknown")


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _instant(server: Any, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(server.account.timezone)).astimezone(UTC)


def _campaign(server: Any, row: Row) -> Row:
    limits = row["limitsFilter"]
    in_money = limits["limitType"] == "budget_limits"
    return {
        "campaign_id": str(row["id"]),
        "name": row["name"],
        "status": _word(_CAMPAIGN, row["status"]["id"]),
        "status_raw": str(row["status"]["id"]),
        "daily_budget": limits["dailyLimit"] if in_money else None,
        "total_budget": limits["overallLimit"] if in_money else None,
        "currency": server.account.currency,
        "starts_on": _day(row["startDate"]),
        "ends_on": _day(row["endDate"]),
        "created_at": _instant(server, row["whenAdd"]),
    }


def _ad(server: Any, row: Row) -> Row:
    prices = [Decimal(place["priceOfClick"]) for place in row["priceOfClickByLocations"]]
    return {
        "ad_id": row["id"],
        "campaign_id": str(row["campaignId"]),
        "title": row["title"],
        "kind": "teaser",
        "status": _word(_TEASER, row["status"]["code"]),
        "status_raw": row["status"]["code"],
        "url": row["url"],
        "image_url": row["imageLink"],
        "bid": max(prices) / 100,
        "currency": server.account.currency,
    }


def _stat(server: Any, row: Row, level: Level, object_id: str) -> Row:
    return {
        "date": row["date"],
        "level": level,
        "object_id": object_id,
        "campaign_id": str(row["campaignId"]),
        "impressions": row.get("imps", row.get("shows")),
        "clicks": row["clicks"],
        "spend": Decimal(row["spent"]),
        "conversions": row["buy"],
        "revenue": Decimal(row["revenue"]) if "revenue" in row else None,
        "currency": server.account.currency,
    }


def _campaign_stat(server: Any, row: Row) -> Row:
    found = _stat(server, row, "campaign", str(row["campaignId"]))
    # What a campaign has no target for the network does not count.
    values = server.account.book.profiles[row["campaignId"]].values
    return {
        **found,
        "conversions": found["conversions"] if "buy" in values else None,
        "revenue": found["revenue"] if values else None,
    }


def _stats(server: Any, since: date | None, until: date | None, level: Level | None) -> list[Row]:
    if level == "campaign":
        return [_campaign_stat(server, row) for row in server.truth("stats", since, until)]
    if level == "ad":
        rows = server.truth("teaser_stats", since, until)
        return [_stat(server, row, level, str(row["teaserId"])) for row in rows]
    # A widget's total has no source; the sum of its sources is the same, and source 0 is the widget itself.
    parts = [row for row in server.truth("widget_stats", since, until) if row["sourceId"] is not None]
    found = []
    for row in parts:
        place = row["uid"] if row["sourceId"] in {"", "0"} else f"{row['uid']}/{row['sourceId']}"
        if row["clicks"] or Decimal(row["spent"]) or row["buy"]:
            found.append(_stat(server, row, "source", f"{row['campaignId']}:{place}"))
    return found


def _click(server: Any, row: Row) -> Row:
    own = row["sourceId"] in {None, "", "0"}
    return {
        "occurred_at": _instant(server, row["time"]),
        "campaign_id": str(row["campaignId"]),
        "ad_id": row["teaserId"],
        "source_id": row["informerUid"] if own else f"{row['informerUid']}/{row['sourceId']}",
        "country": row["country"],
        "cost": Decimal(row["price"]),
        "currency": server.account.currency,
    }


def expected(
    server: Any, table: str, since: date | None, until: date | None, level: Level | None
) -> list[Row]:
    """Return the sandbox's truth as rows of *table*."""
    if table == "campaigns":
        return [_campaign(server, row) for row in server.truth("campaigns")]
    if table == "ads":
        listed = server.account.teasers
        return [_ad(server, row) for row in server.truth("teasers") if listed[int(row["id"])].listed]
    if table == "clicks":
        return [_click(server, row) for row in server.truth("clicks", since, until)]
    return _stats(server, since, until, level)


def found(server: Any, kind: str, object_id: str) -> Mapping[str, Any] | None:
    """Return a campaign or teaser as the sandbox holds it, without figures; None if it is in the bin."""
    rows = server.truth("campaigns" if kind == "campaigns" else "teasers")
    row = next((row for row in rows if str(row["id"]) == object_id), None)
    if row is None or (kind == "campaigns" and row["status"]["id"] == 14):
        return None
    return {name: value for name, value in row.items() if name != "statistics"}


def sources(server: Any, campaign_id: str) -> list[Row]:
    """Return the factors of a campaign that optimises by widgets: of sub-sources, then of the widgets themselves."""
    campaign, widgets = server.account.campaigns[int(campaign_id)], server.account.widgets
    parts = [(f"{uid}/{sub}", f"{uid}s{sub}", uid, sub) for uid, subs in widgets.items() for sub in subs]
    return [
        {
            "source_id": source,
            "factor": campaign.quality.get(key, Decimal(1)) if _shown(campaign, uid, sub) else Decimal(0),
        }
        for source, key, uid, sub in [*parts, *((uid, uid, uid, None) for uid in widgets)]
    ]


def _shown(campaign: Any, uid: str, sub: str | None) -> bool:
    listed = uid in campaign.widgets and (not campaign.widgets[uid] or sub in campaign.widgets[uid])
    return bool(campaign.widgets_type == "off" or listed == (campaign.widgets_type == "only"))


def campaign_draft(number: int) -> CampaignDraft:
    """Return a campaign that the sandbox accepts."""
    return CampaignDraft(
        name=f"Kit {number}", daily_budget=Money("20", "USD"), targeting={"geo": {"countries": ["DE"]}}
    )


def ad_draft(number: int, campaign_id: str) -> AdDraft:
    """Return an ad that the sandbox accepts."""
    return AdDraft(
        campaign_id=campaign_id,
        title=f"Kit {number}",
        text="Read more",
        url=f"https://shop.example/?n={number}",
        image_url=f"https://images.example/{number}.jpg",
        bid=Money("0.25", "USD"),
        extra={"category": 180},
    )


FACTS: Final = {
    "expected": expected,
    "found": found,
    "held": {"sources": sources},
    "period": (date(2026, 2, 24), date(2026, 2, 26)),
    "knobs": {"campaigns": 30, "days": 60},
    "strange": {r'"status":\{"id":\d+': '"status":{"id":977', r'"code":"[a-zA-Z]+"': '"code":"zzz"'},
    "drafts": {"campaigns": campaign_draft, "ads": ad_draft},
    "changes": {
        "campaigns": {
            "daily_budget": Change(Money("33.5", "USD"), ("limitsFilter",)),
            "status": Change("active", ("status",)),
        },
        "ads": {"bid": Change(Money("0.31", "USD"), ("priceOfClickByLocations",))},
    },
}
"""What a SandboxHarness takes over."""
