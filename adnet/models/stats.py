"""Daily statistics. Ratios are computed here and never stored."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import attrs

from adnet.models._base import raw_field
from adnet.models.words import Level
from adnet.money import Money


def ratio(part: Decimal | int | None, whole: Decimal | int | None) -> Decimal | None:
    """Return *part* divided by *whole*, or None where that means nothing."""
    if part is None or not whole:
        return None
    return Decimal(part) / Decimal(whole)


@attrs.frozen(kw_only=True)
class StatRow:
    """What happened on one of the account's own days to one object."""

    date: date
    level: Level
    object_id: str
    """Id of the campaign, ad or source, by *level*."""
    campaign_id: str | None = None
    impressions: int | None = None
    """None where the network does not count them at this level."""
    clicks: int = 0
    spend: Money | None = None
    conversions: int | None = None
    """Of the last stage, e.g. Adskeeper's ``buy``."""
    revenue: Money | None = None
    currency: str | None = None
    raw: Mapping[str, Any] = raw_field()

    @property
    def ctr(self) -> Decimal | None:
        """Clicks per impression, a share (0.01 is 1 %)."""
        return ratio(self.clicks, self.impressions)

    @property
    def cpc(self) -> Decimal | None:
        """Spend per click, in units of the currency."""
        return None if self.spend is None else ratio(self.spend.amount, self.clicks)

    @property
    def cpm(self) -> Decimal | None:
        """Spend per thousand impressions, in units of the currency."""
        # A Money of nothing is false, and still a price that is known.
        per_impression = None if self.spend is None else ratio(self.spend.amount, self.impressions)
        return None if per_impression is None else per_impression * 1000

    @property
    def roas(self) -> Decimal | None:
        """Revenue per unit of spend."""
        if self.revenue is None or self.spend is None:
            return None
        return ratio(self.revenue.amount, self.spend.amount)
