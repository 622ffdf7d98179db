"""Campaigns and ads of advertiser networks, and the drafts to create them from."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import attrs

from adnet.models._base import raw_field, words_field
from adnet.models.words import Status
from adnet.money import Money


@attrs.frozen(kw_only=True)
class Campaign:
    """A campaign: Adskeeper campaign, myTarget campaign, VK Ads ad group."""

    campaign_id: str
    name: str
    status: Status = "unknown"
    status_raw: str | None = None
    """The network's own word or id."""
    daily_budget: Money | None = None
    total_budget: Money | None = None
    daily_clicks: int | None = None
    """Daily limit where the network counts clicks instead of money."""
    total_clicks: int | None = None
    bid: Money | None = None
    """Price for one event, where it is a campaign's property."""
    currency: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    targeting: Mapping[str, Any] = words_field()
    """Who sees it, in the network's own words; nested, and diffed at any depth."""
    tracking: Mapping[str, Any] = words_field()
    """UTM labels and the like."""
    extra: Mapping[str, Any] = words_field()
    """Further writable settings in the network's own words."""
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class Ad:
    """An ad: Adskeeper teaser, myTarget banner, Target Circle ad."""

    ad_id: str
    campaign_id: str | None = None
    title: str | None = None
    text: str | None = None
    kind: str | None = None
    """What the ad is made of: ``banner``, ``text``, ``teaser``, ``video``."""
    status: Status = "unknown"
    status_raw: str | None = None
    url: str | None = None
    image_url: str | None = None
    bid: Money | None = None
    """Price of a click; the highest where it differs by location."""
    currency: str | None = None
    extra: Mapping[str, Any] = words_field()
    """Further writable settings in the network's own words."""
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class CampaignDraft:
    """A campaign to be created. It is created paused where the network allows."""

    name: str
    daily_budget: Money | None = None
    total_budget: Money | None = None
    daily_clicks: int | None = None
    total_clicks: int | None = None
    bid: Money | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    targeting: Mapping[str, Any] = words_field()
    tracking: Mapping[str, Any] = words_field()
    status: Status = "paused"
    """``active`` starts spending as soon as the network has accepted it."""
    ads: tuple["AdDraft", ...] = ()
    """Ads to create with it, where the network nests them."""
    extra: Mapping[str, Any] = words_field()
    """What only that network has, in its own words."""


@attrs.frozen(kw_only=True)
class AdDraft:
    """An ad to be created. It is created paused where the network allows."""

    campaign_id: str | None = None
    """None only inside a CampaignDraft."""
    title: str | None = None
    text: str | None = None
    url: str | None = None
    image_url: str | None = None
    bid: Money | Decimal | None = None
    status: Status = "paused"
    extra: Mapping[str, Any] = words_field()
    """What only that network has, in its own words."""
