"""Target Circle for the kit: its sandbox's truth as rows of our tables.

Written from the Publisher API Documentation and the words of the tables alone; imports no codec, so that it
cannot agree with a codec's mistakes.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qsl

from adnet.models.words import Level
from adnet.sandbox._targetcircle_catalogue import COUNTRIES, REST_OF_WORLD, catalogue
from adnet.sandbox._targetcircle_rows import BANNERS, code_row
from adnet.sandbox.targetcircle import TargetCircleSandbox

Row = dict[str, Any]

_SEED: Final = 7

_STATUS: Final = {"accepted": "active", "pending": "pending", "rejected": "rejected"}
_SALE_STATUS: Final = {
    "pending": "pending",
    "approved": "approved",
    "approved, invoiced": "approved",
    "approved, paid in": "approved",
    "approved, paid out": "paid",
    "declined": "declined",
    "failed": "declined",
}


def _codes(names: list[str]) -> list[str]:
    return [COUNTRIES.get(name, name) for name in names if name != REST_OF_WORLD]


def _transaction(row: Row) -> Row:
    return {
        "tracking_id": row.get("trackingId") or None,
        "status": _SALE_STATUS.get(row["conversionStatus"], "unknown"),
        "status_raw": row["conversionStatus"],
        "kind": row["transactionType"],
        "product_group": row["productGroupName"],
        "occurred_at": datetime.fromisoformat(row["saved"]),
        "offer_name": row["offerName"],
        "source_name": row["mediaName"],
        "amount": Decimal(row["transactionAmount"]),
        "commission": Decimal(row["commission"]),
        "currency": row["currency"],
        "country": COUNTRIES.get(row["country"]),
        "sub_ids": row["reference"],
        "raw": row,
    }


def _click(row: Row) -> Row:
    return {
        "occurred_at": datetime.fromisoformat(row["clickDate"]),
        "offer_name": row["offerName"],
        "country": COUNTRIES.get(row["country"]),
        "sub_ids": row["reference"],
        "raw": {name: value for name, value in row.items() if name != "ip"},
    }


def _trade(row: Row) -> Row:
    return {
        "trade_id": str(row["id"]),
        "kind": row["type"],
        "status": _STATUS[row["status"]],
        "status_raw": row["status"],
        "source_name": row["adInventory"],
        "offer_slug": row["offer"]["href"].removeprefix("/api/offers/"),
        "offer_name": row["offer"]["name"],
        "provider": row["provider"],
        "category": row["category"],
        "verticals": [vertical for vertical in row["verticals"] if vertical],
        "raw": row,
    }


def _offer(inventory: Row, row: Row) -> Row:
    return {
        "offer_id": str(row["id"]),
        "source_id": str(inventory["id"]),
        "source_name": inventory["name"],
        "name": row["name"],
        "status": _STATUS[row["status"]],
        "status_raw": row["status"],
        "advertiser": row["advertiser"],
        "provider": row["provider"],
        "vertical": row["vertical"] or None,
        "category": row.get("catergory", row.get("category")),
        "starts_on": date.fromisoformat(row["startDate"]),
        "ends_on": date.fromisoformat(row["endDate"]),
        "countries": row["targetedCountries"],
        "currency": row["currency"],
        "highest_payout": Decimal(row["highestPayout"]),
        "raw": row,
    }


def _offer_payouts(inventory: Row, offer: Row) -> list[Row]:
    return [
        {
            "parent": "offer",
            "parent_id": str(offer["id"]),
            "source_id": str(inventory["id"]),
            "line": line,
            "event": row["transactionType"],
            "kind": "percent" if row["commissionType"] == "Percentage" else "fixed",
            "amount": Decimal(row["payout"]),
            "currency": row["currency"],
            "countries": _codes(row["countries"]),
            "raw": row,
        }
        for line, row in enumerate(offer["pricings"])
    ]


def _trade_payouts(trade: Row) -> list[Row]:
    return [
        {
            "parent": "trade",
            "parent_id": str(trade["id"]),
            "source_id": "",
            "line": line,
            "event": row["conversionType"],
            "kind": "percent" if row["commisionType"] == "Percentage" else "fixed",
            "amount": Decimal(row["commision"]),
            "currency": None,
            "countries": _codes(row["offerPricingCountries"]),
            "raw": row,
        }
        for line, row in enumerate(trade["pricings"])
    ]


def _ads(server: TargetCircleSandbox) -> list[Row]:
    found = catalogue(server.seed)
    return [
        {
            "ad_id": ad.slug,
            "campaign_id": offer.slug,
            "title": ad.name,
            "kind": ad.kind.lower(),
            "status": "active",
            "url": ad.target_url,
            "image_url": f"{BANNERS}/{ad.id}/img" if ad.size else None,
        }
        for offer in dict.fromkeys(trade.offer for trade in found.trades)
        for ad in offer.ads
    ]


def expected(
    server: Any,
    table: str,
    since: date | None,
    until: date | None,
    level: Level | None,  # noqa: ARG001
) -> list[Row]:
    """Return the sandbox's truth as rows of *table*."""
    if table == "ads":
        return _ads(server)
    rows = server.truth("offers" if table == "payouts" else table, since, until)
    if table in {"offers", "payouts"}:
        pairs = [(inventory, offer) for inventory in rows for offer in inventory["offers"]]
        if table == "offers":
            return [_offer(*pair) for pair in pairs]
        trades = server.truth("trades")
        offered = [row for pair in pairs for row in _offer_payouts(*pair)]
        return offered + [row for trade in trades for row in _trade_payouts(trade)]
    one = {"transactions": _transaction, "clicks": _click, "trades": _trade}[table]
    return [one(row) for row in rows]


def links(server: Any, url: str) -> list[Row]:
    """Return whose click it is that comes by a URL: none's if no link of the sandbox begins like that."""
    code, _, query = url.partition("?")
    labels = dict(parse_qsl(query))
    deeplink = labels.pop("r", None)
    return [
        {
            "offer_id": str(trade.offer.id),
            "source_id": str(trade.inventory.id),
            "deeplink": deeplink,
            "sub_ids": labels,
        }
        for trade in catalogue(server.seed).trades
        for ad in trade.offer.ads
        if code_row(trade, ad, {}, None)["clickUrl"] == code
    ]


def link_draft(number: int) -> Row:
    """Return what the sandbox makes links for: the keywords of ``list_links``."""
    trade = catalogue(_SEED).accepted[number]
    return {
        "offer_id": str(trade.offer.id),
        "source_id": str(trade.inventory.id),
        "deeplink": f"https://shop.example/boots?n={number}&size=42",
        "sub_ids": {"click_id": f"kit {number}", "ref1": "a&b=ü"},
    }


FACTS: Final = {
    "expected": expected,
    "held": {"links": links},
    "drafts": {"links": link_draft},
    "knobs": {"seed": _SEED, "ready_after_s": 0.0, "per_day": 12},
    "strange": {
        r'"conversionStatus":"[^"]*"': '"conversionStatus":"zzz, unheard of"',
        r'"status":"(accepted|pending|rejected)"': '"status":"zzz"',
        r'"transactionType":"[^"]*"': '"transactionType":"zzz"',
        r'"(commissionType|commisionType|engagementType|conversionType)":"[^"]*"': r'"\1":"zzz"',
        r'"type":"(BANNER|TEXT|legacy)"': '"type":"zzz"',
    },
}
"""What a SandboxHarness takes over."""
