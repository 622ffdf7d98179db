"""
What the Adskeeper imitation knows and changes: campaigns, teasers, filters.

Values only; the words and shapes of the wire are in *_adskeeper_shapes*, the
rules of each change with its handler.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs

from adnet.sandbox._adskeeper_stats import Book

__all__ = [
    "BLOCKED",
    "DELETED",
    "RUNNING",
    "Account",
    "Campaign",
    "Condition",
    "Filter",
    "Geo",
    "Limits",
    "Stage",
    "Target",
    "Teaser",
]

BLOCKED = 4
DELETED = 14
RUNNING = frozenset({6, 7, 8})
"""Status ids of a campaign that may be shown now."""

Geo = dict[str, frozenset[int]]
"""Country code -> chosen city ids; no ids means the whole country; empty means no geo targeting."""


@attrs.define
class Filter:
    """A list of things and what the list is."""

    type: str = "off"
    items: list[str] = attrs.Factory(list)


@attrs.define
class Limits:
    """Limits of a campaign; clicks are whole numbers, budgets in the account's currency."""

    type: str | None = None
    daily: Decimal | None = None
    overall: Decimal | None = None
    evenly: bool = False


@attrs.define
class Stage:
    """One conversion stage of one campaign."""

    target: int
    cpa: Decimal | None
    unique: bool


@attrs.frozen
class Condition:
    """When a conversion target counts."""

    type: str
    value: str


@attrs.frozen(kw_only=True)
class Target:
    """A conversion target of the client; campaigns refer to it by id."""

    id: int
    stage: str
    type: str
    category: int
    condition: Condition | None
    cpa: Decimal | None
    unique: bool


@attrs.define(kw_only=True)
class Campaign:
    """One campaign and all its settings."""

    id: int
    name: str
    type: str
    language: int
    category: int
    own_status: int
    """The status it has while the client does not block it."""
    when_add: str
    advertiser: str = ""
    keyword: str = ""
    start: date | None = None
    end: date | None = None
    blocked: bool = False
    dsp: bool = False
    by_sources: bool = False
    """Whether the optimisation by sources is on."""
    foreign_conversions: bool = False
    """Whether conversions come from an outside counter."""
    limits: Limits = attrs.Factory(Limits)
    utm: dict[str, str] = attrs.Factory(dict)
    ips: Filter = attrs.Factory(Filter)
    domains: Filter = attrs.Factory(Filter)
    widgets_type: str = "off"
    widgets: dict[str, list[str]] = attrs.Factory(dict)
    """Widget uid -> sub-sources; none means the whole widget."""
    sources: Filter = attrs.Factory(Filter)
    quality: dict[str, Decimal] = attrs.Factory(dict)
    """Widget uid, or uid + "s" + sub-source -> factor."""
    source_quality: dict[str, Decimal] = attrs.Factory(dict)
    browsers: list[str] = attrs.Factory(list)
    systems: list[str] = attrs.Factory(list)
    languages: list[int] = attrs.Factory(list)
    """Browser language ids."""
    prices: list[int] = attrs.Factory(list)
    """Phone price range ids."""
    geo: Geo = attrs.Factory(dict)
    geo_wanted: Geo = attrs.Factory(dict)
    conversions: dict[str, Stage] = attrs.Factory(dict)

    @property
    def status(self) -> int:
        """The status id as the network shows it."""
        if self.blocked and self.own_status != DELETED:
            return BLOCKED
        return self.own_status


@attrs.define(kw_only=True)
class Teaser:
    """One teaser."""

    id: int
    campaign: int
    title: str
    text: str
    url: str
    image: str
    category: int
    price: Decimal
    """Cents per click, for all locations."""
    own_status: str
    blocked: bool = False
    reason: str | None = None
    """Why moderation rejected it."""
    good_price: str | None = None
    good_old_price: str | None = None
    currency: int | None = None
    home: int = attrs.field(default=attrs.Factory(lambda self: self.campaign, takes_self=True))
    """The campaign it was made in, which its figures are booked under wherever it moves."""
    listed: bool = True
    """False for an old teaser that only the single route still shows."""


@attrs.define(kw_only=True)
class Account:
    """One client's whole account."""

    client_id: str
    timezone: str
    currency: str
    balance_cents: int
    credit_cents: int
    income_cents: int
    campaigns: dict[int, Campaign]
    teasers: dict[int, Teaser]
    widgets: Mapping[str, tuple[str, ...]]
    """Widget uid -> its sub-sources."""
    sources: Mapping[int, str]
    """Source id -> name."""
    targets: dict[int, Target]
    book: Book
    last_id: int
    """Ids of what is created go on from here."""

    def next_id(self) -> int:
        """Return an id never given before."""
        self.last_id += 1
        return self.last_id

    def local(self, now: datetime) -> datetime:
        """Return *now* on the account's clock."""
        return now.astimezone(ZoneInfo(self.timezone))

    def teaser_status(self, teaser: Teaser) -> str:
        """Return the status code as the network shows it; a blocked campaign hides its teasers."""
        if teaser.blocked:
            return "blocked"
        campaign = self.campaigns.get(teaser.campaign)
        hidden = campaign is not None and campaign.status == BLOCKED
        if hidden and teaser.own_status not in {"onModeration", "rejected"}:
            return "campaignBlocked"
        return teaser.own_status
