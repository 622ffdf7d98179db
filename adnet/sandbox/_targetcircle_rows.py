"""
How an imitation Target Circle prints its things: one function a shape on the wire.

Field names, their order and their typing errors are those of the Target
Circle publisher API gist (2016), sections 1 to 6. Money is a Decimal with one
to six decimals.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from adnet.sandbox._targetcircle_catalogue import (
    COUNTRIES,
    REST_OF_WORLD,
    Ad,
    Catalogue,
    Inventory,
    Offer,
    Pricing,
    Trade,
)
from adnet.sandbox._targetcircle_data import Click, Transaction, to_six_places
from adnet.sandbox.base import secret

__all__ = [
    "BANNERS",
    "RATES",
    "ad_row",
    "click_row",
    "code_row",
    "instant",
    "inventory_row",
    "made_code",
    "offer_details",
    "trade_row",
    "transaction_row",
]

Row = dict[str, Any]

BANNERS = "http://127.0.0.1:8001/banners"
"""Where banners are shown from: the sample's own loopback address, wherever the imitation is served."""

RATES: dict[str, Decimal] = {
    "EUR": Decimal(1),
    "USD": Decimal("0.92"),
    "GBP": Decimal("1.17"),
    "NOK": Decimal("0.085"),
    "SEK": Decimal("0.088"),
    "PLN": Decimal("0.23"),
}
"""Currency -> euros for one; rates never move here."""

_CLICK_HOST = "https://c.trackmytarget.example"
_IMPRESSION_HOST = "https://i.trackmytarget.example"
_POLICIES = ("Deeplinking", "Custom creatives", "Incentivised traffic", "Brand bidding")


def transaction_row(row: Transaction, status: str, currency: str) -> Row:
    """Return a transaction with its money in *currency*, one of RATES."""
    offer = row.offer
    commission = _converted(row.commission, offer.currency, currency)
    tracking = {} if row.tracking_id is None else {"trackingId": row.tracking_id}
    return {
        "conversionStatus": status,
        "slug": offer.slug,
        "offerName": offer.name,
        "mediaName": row.click.trade.inventory.name,
        "productGroupName": row.pricing.product_group,
        "transactionType": row.pricing.kind,
        "trackingMethod": row.method,
        **tracking,
        "adLinkName": row.click.ad.name,
        "reference": list(row.click.reference),
        "transactionAmount": _converted(row.amount, offer.currency, currency),
        "currency": currency,
        "commission": commission,
        "commissionRep": commission,
        "country": row.click.country,
        "saved": instant(row.saved),
    }


def click_row(click: Click) -> Row:
    """Return a click."""
    return {
        "slug": click.trade.offer.slug,
        "mediaName": click.trade.inventory.name,
        "offerName": click.trade.offer.name,
        "reference": list(click.reference),
        "country": click.country,
        "ip": click.ip,
        "clickDate": instant(click.at),
    }


def trade_row(trade: Trade, *, typos: bool) -> Row:
    """Return a trade with the whole price list of its offer."""
    offer = trade.offer
    return {
        "id": trade.id,
        "type": "legacy",
        "status": trade.status,
        "adInventory": trade.inventory.name,
        "offer": {"name": offer.name, "href": f"/api/offers/{offer.slug}"},
        "category": offer.category,
        "provider": offer.provider,
        "verticals": list(offer.verticals),
        "pricings": [_trade_pricing(pricing, typos=typos) for pricing in offer.pricings],
    }


def inventory_row(inventory: Inventory, trades: list[Trade], *, typos: bool) -> Row:
    """Return an ad inventory with its offers, as the offers report groups them."""
    return {
        "id": inventory.id,
        "name": inventory.name,
        "offers": [_offer(trade, typos=typos) for trade in trades],
    }


def offer_details(offer: Offer, catalogue: Catalogue) -> Row:
    """Return the details of one offer; countries by name here."""
    return {
        "slug": offer.slug,
        "name": offer.name,
        "targetUrl": f"http://www.{offer.slug}.example",
        "general": {
            "adInventory": [
                {"name": trade.inventory.name, "slug": trade.inventory.slug}
                for trade in catalogue.trades
                if trade.offer is offer
            ],
            "provider": offer.provider,
            "advertiser": offer.advertiser,
            "vertical": offer.verticals[0],
            "category": offer.category,
        },
        "tracking": _tracking(offer),
        "policies": _policies(offer),
        "targetedCountries": offer.countries,
    }


def ad_row(ad: Ad) -> Row:
    """Return an ad."""
    banner = ad.size and {
        "url": f"{BANNERS}/{ad.id}/img",
        "dimensions": f"{ad.size[0]}x{ad.size[1]}",
        "size": {"value": to_six_places(Decimal(ad.file_bytes) / 1000), "unit": "kB"},
    }
    return {
        "slug": ad.slug,
        "name": ad.name,
        "targetUrl": ad.target_url,
        "type": ad.kind,
        "bannerDetails": banner,
    }


def code_row(trade: Trade, ad: Ad, labels: dict[str, str], deeplink: str | None) -> Row:
    """Return a code of the codes report; *labels* and *deeplink* end up in its click URL."""
    query = {**labels, **({"r": deeplink} if deeplink else {})}
    name = _code(trade, ad)
    banner = ad.size and {
        "impressionUrl": f"{_IMPRESSION_HOST}/{name}",
        "height": ad.size[1],
        "width": ad.size[0],
        "fileSize": ad.file_bytes,
        "fileType": ad.mime,
    }
    return {
        "id": ad.slug,
        "name": ad.name,
        "type": "banner" if ad.size else "text link",
        "isDefault": ad.is_default,
        "targetedCountries": _codes_of(tuple(trade.offer.countries)),
        "clickUrl": f"{_CLICK_HOST}/{name}" + (f"?{urlencode(query)}" if query else ""),
        "bannerDetails": banner,
    }


def made_code(trade: Trade, ad: Ad) -> Row:
    """Return a code made on demand. Of text codes no sample exists: these have no picture."""
    name = _code(trade, ad)
    width, height = ad.size or (None, None)
    picture = {
        "height": height,
        "width": width,
        "dimension": f"{width}x{height}",
        "fileSize": ad.file_bytes,
        "type": ad.mime,
    }
    return {
        "id": ad.id,
        "slug": ad.slug,
        "name": ad.name,
        **(picture if ad.size else {}),
        "targetUrl": ad.target_url,
        "isDefault": ad.is_default,
        **({"imgUrl": f"/banners/{ad.id}/img"} if ad.size else {}),
        "impressionUrl": f"{_IMPRESSION_HOST}/{name}",
        "clickUrl": f"{_CLICK_HOST}/{name}",
    }


def instant(second: int) -> str:
    """Return a Unix second as `2015-12-29T22:37:58Z`."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _converted(value: Decimal, have: str, want: str) -> Decimal:
    return to_six_places(value if have == want else value * RATES[have] / RATES[want])


def _trade_pricing(pricing: Pricing, *, typos: bool) -> Row:
    commission = "commision" if typos else "commission"
    return {
        "id": pricing.id,
        commission: to_six_places(pricing.payout),
        f"{commission}Type": _commission_type(pricing),
        "conversionType": pricing.kind,
        "engagementType": pricing.engagement,
        "productGroup": pricing.product_group,
        "offerPricingCountries": list(pricing.countries),
    }


def _offer(trade: Trade, *, typos: bool) -> Row:
    offer = trade.offer
    return {
        "id": offer.id,
        "name": offer.name,
        "status": trade.status,
        "startDate": offer.start.isoformat(),
        "endDate": offer.end.isoformat(),
        "provider": offer.provider,
        "advertiser": offer.advertiser,
        "vertical": offer.verticals[0],
        "catergory" if typos else "category": offer.category,
        "tracking": _tracking(offer),
        "targetedCountries": _codes_of(tuple(offer.countries)),
        "policies": _policies(offer),
        "termsAndConditions": "- No Incent - No Adult",
        "currency": offer.currency,
        "highestPayout": to_six_places(max(pricing.payout for pricing in offer.pricings)),
        "pricings": [_offer_pricing(pricing, offer.currency) for pricing in offer.pricings],
    }


def _offer_pricing(pricing: Pricing, currency: str) -> Row:
    return {
        "countries": _codes_of(pricing.countries),
        "productGroup": pricing.product_group,
        "transactionType": pricing.kind,
        "engagementType": pricing.engagement,
        "commissionType": _commission_type(pricing),
        "currency": currency,
        "payout": to_six_places(pricing.payout),
    }


def _codes_of(names: tuple[str, ...]) -> list[str]:
    # The rest of the world has no ISO code; what the vendor prints for it is not known.
    return [COUNTRIES[name] for name in names if name != REST_OF_WORLD]


def _commission_type(pricing: Pricing) -> str:
    return "Fixed" if pricing.fixed else "Percentage"


def _tracking(offer: Offer) -> Row:
    return {
        "deeplinking": offer.deeplinking,
        "cookieExpiration": {"value": offer.cookie_hours, "unit": "hours"},
        "fingerprintExpiration": {"value": 24 if offer.cookie_hours else 0, "unit": "hours"},
        "impressionExpiration": {"value": 0, "unit": "hours"},
    }


def _policies(offer: Offer) -> list[Row]:
    return [
        {
            "name": name,
            "group": "forbidden" if name == offer.forbidden else "permitted",
            "note": "Ask first." if name == offer.forbidden else None,
        }
        for name in _POLICIES
    ]


def _code(trade: Trade, ad: Ad) -> str:
    return secret("code", trade.id, ad.slug, length=6)
