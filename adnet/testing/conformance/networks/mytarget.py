"""myTarget and VK Ads for the kit: their sandbox's truth as rows of our tables.

Written from the networks' help pages and the words of the tables alone; imports no codec, so that it cannot agree
with a codec's mistakes.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from adnet.models import AdDraft, AudienceDraft, CampaignDraft
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


def audiences(server: Any, _: str) -> list[Row]:
    """Return every audience with what it is made of: a list's ids as a file, sorted; a segment's relations."""
    world, relations = server.world, server.truth("relations")
    return [
        {
            "audience_id": _audience(row)["audience_id"],
            "kind": row["kind"],
            "name": row["name"],
            "type": row.get("type"),
            "file": b"".join(line + b"\n" for line in sorted(world.audiences.entries[row["id"]]))
            if row["kind"] == "users_list"
            else None,
            "pass_condition": row.get("pass_condition"),
            "relations": [
                {"object_type": part["object_type"], "params": part["params"]}
                for part in relations
                if row["kind"] == "segment" and part["segment_id"] == row["id"]
            ],
        }
        for row in server.truth("audiences")
    ]


def aims(server: Any, campaign_id: str) -> list[Row]:
    """Return the segments that a campaign takes; those that it leaves out have a minus."""
    (campaign,) = [row for row in server.truth("campaigns") if str(row["id"]) == campaign_id]
    return [{"audience_id": str(number)} for number in campaign["targetings"].get("segments") or ()]


def shares(server: Any, _: str) -> list[Row]:
    """Return the account's keys; the sandbox's prices are in units, as its account options say."""
    told = {(mail["to"], mail["about"]) for mail in server.truth("emails")}
    return [_share(row, told) for row in server.truth("sharing_keys")]


def _share(row: Row, told: set[tuple[str, str]]) -> Row:
    users = sorted(user["username"] for user in row["users"])
    return {
        "key": row["sharing_key"],
        "audiences": sorted((part["object_type"], str(part["object_id"])) for part in row["sources"]),
        "users": users,
        "payment": row["payment_type"],
        "price": Money(row["price"], _CURRENCY) if row["payment_type"] == "fixed_cpm" else None,
        "notify": any((user, f"sharing key {row['sharing_key']}") in told for user in users),
    }


def opened(server: Any, key: str) -> list[Row]:
    """Return what users of a key have activated."""
    found = server.world.audiences.opened
    return [
        {"kind": kind, "audience_id": str(number)}
        for (kind, number), users in found.items()
        if any(key in keys for keys in users.values())
    ]


def tokens(server: Any, _: str) -> list[Row]:
    """Return the tokens of the main account."""
    return server.truth("tokens")  # type: ignore[no-any-return]


def audience_draft(number: int) -> AudienceDraft:
    """Return an audience that the sandbox accepts: a list of phones for even numbers, a segment for odd ones."""
    if number % 2 == 0:
        phones = b"".join(b"7%03d%07d\n" % (900 + number, n) for n in range(2000))
        return AudienceDraft(
            kind="users_list", name=f"Kit {number}", extra={"type": "phones", "file": phones}
        )
    relations = [
        {"object_type": "remarketing_vk_group", "params": {"source_id": 500 + n, "type": kind}}
        for n, kind in enumerate(("positive", "negative"), number)
    ]
    return AudienceDraft(
        kind="segment", name=f"Kit {number}", extra={"pass_condition": 2, "relations": relations}
    )


def aimed_draft(number: int, audience_id: str) -> CampaignDraft:
    """Return a campaign for a segment."""
    return CampaignDraft(
        name=f"Kit {number}",
        targeting={"segments": [int(audience_id)]},
        extra={"package_id": 811, "price": "5.4"},
    )


def share_draft(number: int) -> Row:
    """Return how the sandbox lets an audience be shared: for a price, then for nothing."""
    buyer = {"users": ["buyer@example.test"], "notify": number == 1}
    if number == 1:
        return {**buyer, "payment": "fixed_cpm", "price": Money("12.50", _CURRENCY)}
    return {**buyer, "payment": "free", "price": None}


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
    "held": {"audiences": audiences, "aims": aims, "shares": shares, "opened": opened, "tokens": tokens},
    # A client of the main account's, which is an agency.
    "guest": {"grant": "agency_client_credentials", "agency_client_id": "80001"},
    "period": (date(2026, 2, 24), date(2026, 2, 26)),
    # A review that ends between two looks would change an ad that nobody touched.
    "knobs": {"campaigns": 30, "banners": 60, "limits": "none", "moderation_s": 86400.0},
    "strange": {r'"(moderation_status|status)":"(active|blocked|allowed|pending|banned)"': r'"\1":"zzz"'},
    "drafts": {
        "campaigns": campaign_draft,
        "ads": ad_draft,
        "audiences": audience_draft,
        "aimed": aimed_draft,
        "shares": share_draft,
    },
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
