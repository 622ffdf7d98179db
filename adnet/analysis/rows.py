"""What the landed rows say, as frozen rows. Amounts are exact and of one currency each; ratios are computed.

A row stands for everything with its values of the dimensions that were asked for; the other dimensions are None.
"""

from datetime import date
from decimal import Decimal
from typing import Final, Literal, TypeVar

import attrs

from adnet.models.stats import ratio

N = TypeVar("N", int, Decimal)
Dimension = Literal["network", "account", "campaign", "offer", "sub_id", "day"]
"""What rows can be told apart by, beside their currency."""
COLUMNS: Final[dict[Dimension, tuple[str, ...]]] = {
    "network": ("network",),
    "account": ("network", "account"),
    "campaign": ("network", "account", "campaign_id", "campaign_name"),
    "offer": ("network", "account", "offer_id", "offer_name"),
    "sub_id": ("sub_id",),
    "day": ("day",),
}
"""Dimension -> the columns of a row that it fills."""
ZERO: Final = Decimal(0)


@attrs.frozen(kw_only=True)
class SpendRow:
    """What was bought, and what it cost."""

    network: str | None = None
    account: str | None = None
    campaign_id: str | None = None
    campaign_name: str | None = None
    day: date | None = None
    """A day of the account."""
    currency: str | None = None
    """None where neither the statistics nor the campaign nor the account tell it."""
    impressions: int | None = None
    """None where the network does not count them."""
    clicks: int = 0
    spend: Decimal = ZERO
    conversions: int | None = None
    """Of the last stage, as the network counts them."""
    revenue: Decimal | None = None
    """As the network tells it; what affiliate networks pay is income."""
    seen_clicks: int | None = None
    """Of the objects whose impressions are told; None, here and below, stands for all of them."""
    seen_spend: Decimal | None = None
    """Of the same."""
    converting_spend: Decimal | None = None
    """Of the objects whose conversions are told."""
    revenue_spend: Decimal | None = None
    """Of the objects whose revenue is told."""

    @property
    def ctr(self) -> Decimal | None:
        """Clicks per impression, a share."""
        return ratio(_known(self.seen_clicks, self.clicks), self.impressions)

    @property
    def cpc(self) -> Decimal | None:
        """Spend per click."""
        return ratio(self.spend, self.clicks)

    @property
    def cpm(self) -> Decimal | None:
        """Spend per thousand impressions."""
        return ratio(_known(self.seen_spend, self.spend) * 1000, self.impressions)

    @property
    def cpa(self) -> Decimal | None:
        """Spend per conversion."""
        return ratio(_known(self.converting_spend, self.spend), self.conversions)

    @property
    def roas(self) -> Decimal | None:
        """Revenue per unit of spend."""
        return ratio(self.revenue, _known(self.revenue_spend, self.spend))


@attrs.frozen(kw_only=True)
class Commissions:
    """Transactions, and their commissions by how far they have come."""

    transactions: int = 0
    pending: Decimal = ZERO
    approved: Decimal = ZERO
    paid: Decimal = ZERO
    declined: Decimal = ZERO
    unknown: Decimal = ZERO
    """Under a status that adnet does not know."""

    @property
    def earned(self) -> Decimal:
        """What is approved or paid already."""
        return self.approved + self.paid


@attrs.frozen(kw_only=True)
class IncomeRow(Commissions):
    """What affiliate networks pay us, by how far it has come."""

    network: str | None = None
    account: str | None = None
    offer_id: str | None = None
    offer_name: str | None = None
    sub_id: str | None = None
    day: date | None = None
    """A day of the account."""
    currency: str | None = None

    @property
    def approval(self) -> Decimal | None:
        """Of the commission that was decided on, the share that was approved."""
        return ratio(self.earned, self.earned + self.declined)


@attrs.frozen(kw_only=True)
class ProfitRow(Commissions):
    """What was spent and what came of it, in one currency."""

    network: str | None = None
    account: str | None = None
    campaign_id: str | None = None
    """None stands for income that no campaign could be found for; beside an account, for spend of no known campaign."""
    campaign_name: str | None = None
    sub_id: str | None = None
    day: date | None = None
    currency: str | None = None
    clicks: int | None = 0
    """None where they cannot be told, as for a sub id that is no campaign's and no ad's id."""
    spend: Decimal | None = ZERO
    """None where it cannot be told, as for those clicks."""

    @property
    def profit(self) -> Decimal | None:
        """Earned less spend."""
        return None if self.spend is None else self.earned - self.spend

    @property
    def expected(self) -> Decimal | None:
        """Profit if all that is pending were approved."""
        return None if self.profit is None else self.profit + self.pending

    @property
    def roas(self) -> Decimal | None:
        """Earned per unit of spend."""
        return ratio(self.earned, self.spend)

    @property
    def epc(self) -> Decimal | None:
        """Earned per click."""
        return ratio(self.earned, self.clicks)


@attrs.frozen(kw_only=True)
class MatchRow:
    """How much income found its campaign, and by what."""

    how: str
    """``campaign id``, ``ad id``, ``link label``, ``several campaigns`` (so none of them) or ``none``."""
    currency: str | None
    transactions: int
    earned: Decimal
    """Commission, approved or paid."""
    pending: Decimal


@attrs.frozen(kw_only=True)
class LateChange:
    """Transactions that landed with one status and now have another, or another commission."""

    network: str
    account: str
    currency: str | None
    first_status: str
    """At the first landing."""
    status: str
    """Now."""
    transactions: int
    first: Decimal
    """Commission at the first landing, whatever the status."""
    now: Decimal
    """Commission now, whatever the status."""

    @property
    def change(self) -> Decimal:
        """How much earned income these changes brought; below zero when they took some away."""
        return _if_earned(self.status, self.now) - _if_earned(self.first_status, self.first)


@attrs.frozen(kw_only=True)
class EarnedChange:
    """How earned income moved after it had first landed."""

    network: str
    account: str
    currency: str | None
    transactions: int
    """All that landed, but those that landed in another currency at first."""
    changed: int
    """Those whose status or commission is another now."""
    first: Decimal
    """Commission that was approved or paid when it first landed."""
    now: Decimal
    """Commission that is approved or paid now."""

    @property
    def change(self) -> Decimal:
        """Now less first."""
        return self.now - self.first


@attrs.frozen(kw_only=True)
class SpendChange:
    """How spend moved after it had first landed: networks restate their figures."""

    network: str
    account: str
    currency: str | None
    days: int
    """Rows (a day of an object each) whose figures are other ones now."""
    first: Decimal
    now: Decimal

    @property
    def change(self) -> Decimal:
        """Now less first."""
        return self.now - self.first


EARNED: Final = ("approved", "paid")
"""Statuses whose commission counts as earned."""


def _if_earned(status: str, commission: Decimal) -> Decimal:
    return commission if status in EARNED else ZERO


def _known(part: N | None, whole: N) -> N:
    return whole if part is None else part
