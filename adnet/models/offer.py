"""Affiliate programmes: offers, trades, what they pay, and the links that carry a publisher's labels."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import attrs

from adnet.models._base import raw_field
from adnet.models.words import PayoutKind, Status
from adnet.money import Money


@attrs.frozen(kw_only=True)
class Payout:
    """One line of what an offer or trade pays."""

    event: str | None = None
    """What is paid for: ``lead``, ``sale``, ``install``."""
    engagement: str | None = None
    kind: PayoutKind = "fixed"
    amount: Decimal | None = None
    """Units of *currency* when fixed, per cent of the sale when percent; None when the network does not tell."""
    currency: str | None = None
    countries: tuple[str, ...] = ()
    """ISO 3166-1 alpha-2; empty means everywhere else, or everywhere."""
    product_group: str | None = None
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class Offer:
    """An advertiser's programme, as it is open to one source (ad inventory) of ours."""

    offer_id: str
    source_id: str = ""
    """The ad inventory it is listed for; empty where the network does not tell."""
    source_name: str | None = None
    slug: str | None = None
    name: str
    status: Status = "unknown"
    status_raw: str | None = None
    advertiser: str | None = None
    provider: str | None = None
    vertical: str | None = None
    category: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    countries: tuple[str, ...] = ()
    currency: str | None = None
    highest_payout: Money | None = None
    payouts: tuple[Payout, ...] = ()
    url: str | None = None
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class Trade:
    """The connection of one source of ours with one offer."""

    trade_id: str
    kind: str | None = None
    status: Status = "unknown"
    status_raw: str | None = None
    source_name: str | None = None
    offer_slug: str | None = None
    offer_name: str | None = None
    provider: str | None = None
    category: str | None = None
    verticals: tuple[str, ...] = ()
    payouts: tuple[Payout, ...] = ()
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class Link:
    """A tracking link for one offer and one source."""

    link_id: str
    name: str | None = None
    kind: str | None = None
    """``banner`` or ``text``."""
    click_url: str
    impression_url: str | None = None
    image_url: str | None = None
    width: int | None = None
    """Pixels."""
    height: int | None = None
    """Pixels."""
    size_bytes: int | None = None
    mime_type: str | None = None
    is_default: bool | None = None
    countries: tuple[str, ...] = ()
    raw: Mapping[str, Any] = raw_field()
