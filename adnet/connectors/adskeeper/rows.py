"""What Adskeeper tells about clients, campaigns, teasers, targetings and conversions, in its own words and units.

Each value is read from one object of an answer and keeps that object in ``raw``. What the network did not send
(because only some fields were asked for, or because there is none) is None or empty.
Source: Adskeeper advertiser API document; where production answers differ from it, both shapes are read.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import attrs

from adnet.models import Raw


def raw_field() -> Any:
    """Return the field that keeps the network's own object; it takes no part in comparing or printing."""
    return attrs.field(factory=Raw, eq=False, repr=False)


@attrs.frozen(kw_only=True)
class Wallet:
    """The client's money, in the network's units: cents, by the document."""

    balance: Decimal | None
    """May be negative."""
    credit: Decimal | None
    income: Decimal | None
    """All that was ever paid in."""
    currency: str | None
    """ISO 4217."""

    @property
    def available(self) -> Decimal | None:
        """What can still be spent: balance and credit."""
        return None if self.balance is None else self.balance + (self.credit or Decimal(0))


@attrs.frozen(kw_only=True)
class Client:
    """One client. Operation 1."""

    id: str
    timezone: str | None
    """IANA name; all days and times of answers are on this clock."""
    wallet: Wallet
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class Named:
    """An id with its name."""

    id: int | None = None
    name: str | None = None


@attrs.frozen(kw_only=True)
class Filter:
    """A list of things, and what the list is."""

    kind: str = "off"
    """``off``; ``except`` or ``only`` of widgets and addresses; ``blocklist`` or ``allowlist`` of sources; empty where
    the network does not tell."""
    members: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class WidgetFilter:
    """A list of widgets, and what the list is."""

    kind: str = "off"
    """As of a :class:`Filter`."""
    widgets: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    """Uid -> its listed sub-sources; none means the whole widget."""


@attrs.frozen(kw_only=True)
class Limits:
    """Limits of a campaign: whole clicks, or a budget in the account's currency."""

    kind: str | None = None
    """``clicks_limits``, ``budget_limits`` or None."""
    daily: Decimal | None = None
    overall: Decimal | None = None
    split_evenly: int | None = None
    """As sent: what 0 and 1 mean differs between editions."""


@attrs.frozen(kw_only=True)
class CampaignRow:
    """One campaign. Operation 2."""

    id: str
    name: str | None
    status: Named
    reason: str | None
    """Why it has that status."""
    language: int | None
    category: Named
    campaign_type: str | None
    advertiser: str | None
    limits: Limits
    utm: Mapping[str, str]
    ips: Filter
    widgets: WidgetFilter
    sources: Filter
    """Members are ids where the network tells them, else names."""
    domains: Filter
    by_sources: bool | None
    """Whether the optimisation by sources is on."""
    operating_systems: tuple[str, ...]
    languages: tuple[int, ...]
    browsers: tuple[str, ...]
    clicks_today: int | None
    spent_today: Decimal | None
    """In the account's currency."""
    start: date | None
    end: date | None
    added: str | None
    """On the account's clock."""
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class LocationPrice:
    """What a click costs in one group of countries."""

    location_id: str | None
    name: str | None
    price: Decimal | None
    """In cents."""


@attrs.frozen(kw_only=True)
class TeaserRow:
    """One teaser. Operation 35."""

    id: str
    campaign_id: str | None
    title: str | None
    text: str | None
    url: str | None
    image: str | None
    status: str | None
    reason: str | None
    """Why moderation rejected it."""
    category: Named
    prices: tuple[LocationPrice, ...]
    good_price: Decimal | None
    good_old_price: Decimal | None
    currency: int | None
    """Id of the currency of the advertised product's price."""
    clicks: int | None
    """Of its whole life; so are shows and spent."""
    shows: int | None
    spent: Decimal | None
    raw: Mapping[str, Any] = raw_field()

    @property
    def price(self) -> Decimal | None:
        """The highest price over all locations, in cents."""
        return max((row.price for row in self.prices if row.price is not None), default=None)


@attrs.frozen(kw_only=True)
class Country:
    """A country for geo targeting."""

    code: str
    name: str | None = None


@attrs.frozen(kw_only=True)
class City:
    """A region or city for geo targeting."""

    id: str
    name: str | None = None
    latin_name: str | None = None
    country: str | None = None


@attrs.frozen(kw_only=True)
class Places:
    """Country code -> the chosen cities; none means the whole country."""

    countries: Mapping[str, tuple[City, ...]] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Geo:
    """Geo targeting as it holds, and as it was last asked for; a change may apply at once or the next day."""

    actual: Places
    requested: Places
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class Condition:
    """When a conversion counts."""

    kind: str | None
    value: str | None


@attrs.frozen(kw_only=True)
class Conversion:
    """One conversion stage of a campaign. Operation 16."""

    stage: str
    target_id: str | None
    kind: str | None
    """``url``, ``event``, ``visited``, ``regexp`` or ``postback``."""
    conditions: tuple[Condition, ...]
    price: Decimal | None
    """In the account's currency; 0 where none is set."""
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class ConversionTarget:
    """A conversion target of the client. Operation 15, which tells no ids."""

    stage: str
    cpa: Decimal | None
    unique: bool | None
    kind: str | None
    category: int | None
    condition: Condition
    raw: Mapping[str, Any] = raw_field()
