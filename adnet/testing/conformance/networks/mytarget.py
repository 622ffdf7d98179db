"""myTarget and VK Ads for the kit: their sandbox's truth as rows of our tables.

Written from the networks' help pages and the words of the tables alone; imports no codec, so that it cannot agree
with a codec's mistakes.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from adnet.models import AdDraft, CampaignDraft
from adnet.models.words import Level
from adnet.money import Money
from adnet.testing.harness import Change

Row = dict[str, Any]

_MOSCOW: Final = timezone(timedelta(hours=3))
_STATUS: Final = {"active": "active", "blocked": "paused", "deleted": "deleted"}
_MODERATION: Final = {"pending": "pending", "banned": "rejected"}
_CURRENCY: Final = "RUB"


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=_MOSCOW).astimezone(UTC)


def _amount(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None


def _campaign(row: Row) -> Row:
    return {
        "campaign_id": str(row["id"]),
        "name": row["name"],
        "status": _STATUS[row["status"]],
        "status_raw": row["status"],
        "daily_budget": _amount(row["budget_limit_day"]),
        "total_budget": _amount(row["budget_limit"]),
        "currency": _CURRENCY,
        "starts_on": _day(row["date_start"]),
        "ends_on": _day(row["date_end"]),
        "created_at": _instant(row["created"]),
        "updated_at": _instant(row["updated"]),
    }


def _ad(row: Row) -> Row:
    pictures = [part["variants"]["original"]["url"] for part in row["content"].values()]
    return {
        "ad_id": str(row["id"]),
        "campaign_id": str(row.get("campaign_id", row.get("ad_group_id"))),
        "title": row["name"],
        "status": _MODERATION.get(row["moderation_status"], _STATUS[row["status"]]),
        "status_raw": row["status"],
        "url": row["urls"]["primary"]["url"],
        "image_url": pictures[0] if pictures else None,
        "bid": None,
    }


def _stat(row: Row, level: Level, parents: Mapping[str, str]) -> Row:
    object_id = str(row["campaign_id"] if level == "campaign" else row["banner_id"])
    return {
        "date": row["date"],
        "level": level,
        "object_id": object_id,
        "campaign_id": parents.get(object_id, object_id),
        "impressions": row["shows"],
        "clicks": row["clicks"],
        "spend": Decimal(row["spent"]),
        "conversions": row["goals"],
        "currency": _CURRENCY,
    }


def _audience(row: Row) -> Row:
    # Paths, goals and keys go by a counter's counter_id; its id is of no use.
    return {"audience_id": str(row.get("counter_id", row["id"])), "kind": row["kind"], "name": row["name"]}


def expected(
    server: Any, table: str, since: date | None, until: date | None, level: Level | None
) -> list[Row]:
    """Return the sandbox's truth as rows of *table*."""
    if table == "campaigns":
        return [_campaign(row) for row in server.truth("campaigns")]
    ads = [_ad(row) for row in server.truth("banners")]
    if table == "ads":
        return ads
    if table == "audiences":
        return [_audience(row) for row in server.truth("audiences")]
    name = "stats" if level == "campaign" else "banner_stats"
    parents = {row["ad_id"]: row["campaign_id"] for row in ads} if level == "ad" else {}
    return [_stat(row, level or "campaign", parents) for row in server.truth(name, since, until)]


def found(server: Any, kind: str, object_id: str) -> Mapping[str, Any] | None:
    """Return a campaign or banner as the sandbox holds it; None if it is deleted."""
    rows = server.truth("campaigns" if kind == "campaigns" else "banners")
    row = next((row for row in rows if str(row["id"]) == object_id), None)
    return None if row is None or row["status"] == "deleted" else row


def campaign_draft(number: int) -> CampaignDraft:
    """Return a campaign that the sandbox accepts."""
    return CampaignDraft(name=f"Kit {number}", extra={"package_id": 811, "price": "5.4"})


def ad_draft(number: int, campaign_id: str) -> AdDraft:
    """Return an ad that the sandbox accepts."""
    return AdDraft(
        campaign_id=campaign_id,
        title=f"Kit {number}",
        text="Warm boots",
        url=f"https://shop.example.test/{number}",
    )


_ALWAYS: Final = ("updated", "last_updated", "delivery", "issues")
"""What the network changes by itself whenever something changes."""

FACTS: Final = {
    "expected": expected,
    "found": found,
    "period": (date(2026, 2, 24), date(2026, 2, 26)),
    # A review that ends between two looks would change an ad that nobody touched.
    "knobs": {"campaigns": 30, "banners": 60, "limits": "none", "moderation_s": 86400.0},
    "strange": {r'"(moderation_status|status)":"(active|blocked|allowed|pending|banned)"': r'"\1":"zzz"'},
    "drafts": {"campaigns": campaign_draft, "ads": ad_draft},
    "changes": {
        "campaigns": {
            "name": Change("Other", ("name", *_ALWAYS)),
            "daily_budget": Change(Money("1500", _CURRENCY), ("budget_limit_day", *_ALWAYS)),
            "status": Change("active", ("status", *_ALWAYS)),
        },
        # Moderation hides the status of new banners.
        "ads": {"title": Change("Other", ("name", *_ALWAYS))},
    },
}
"""What a SandboxHarness takes over."""
