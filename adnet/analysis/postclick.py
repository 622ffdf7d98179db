"""Post-click analysis: what visitors did after the click, joined to what the click cost.

Web analytics know visits and goals by the UTM labels of a link; networks know spend by campaign and ad. Whoever can
tell goals is a :class:`ReadsGoals`: files exported from Google Analytics 4 or Yandex Metrica
(`adnet.analysis.exports`), Metrica's reporting API (`adnet.analysis.metrica`), or a class of your own. The join is the
one of `adnet.analysis.facts`, with ``utm_campaign`` and ``utm_content`` in place of sub ids.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal

import attrs

from adnet.analysis.facts import ALL_DAYS, Days, levels, spending, trails
from adnet.analysis.rows import ZERO
from adnet.analysis.tables import Tables
from adnet.models.stats import ratio


@attrs.frozen(kw_only=True)
class GoalRow:
    """How often one goal was reached by visitors who came over links with these labels."""

    utm_campaign: str | None = None
    utm_content: str | None = None
    goal: str
    """Its name, or its id where the source tells no name."""
    visits: int | None = None
    """All visits with these labels, whether they reached the goal or not; None where the source does not tell."""
    reached: int | Decimal = 0
    """How often the goal was reached; a fraction where the source shares one goal out among several visits."""
    revenue: Decimal | None = None
    currency: str | None = None
    """Of the revenue."""


class ReadsGoals(ABC):
    """Knows what visitors did on the pages that campaigns lead to."""

    @abstractmethod
    async def read_goals(self, days: Days) -> Sequence[GoalRow]:
        """Return goals by labels, one row for each goal and pair of labels, in any order.

        Args:
            days: Days of the web analytics' own time zone.

        Raises:
            AdnetError: They cannot be told.
        """


@attrs.frozen(kw_only=True)
class PostClickRow:
    """What was spent on a campaign or ad, and one goal that its visitors reached."""

    network: str | None = None
    account: str | None = None
    campaign_id: str | None = None
    """None stands for labels that no campaign could be found for."""
    ad_id: str | None = None
    """Only where ads were asked for."""
    name: str | None = None
    """Of the campaign."""
    goal: str | None = None
    """None where money was spent and no goal is known."""
    currency: str | None = None
    """Of the spend."""
    clicks: int = 0
    spend: Decimal = ZERO
    visits: int | None = None
    reached: int = 0
    revenue: Decimal | None = None
    revenue_currency: str | None = None

    @property
    def cost(self) -> Decimal | None:
        """Spend per goal reached; None where no spend is known, as for goals of no campaign."""
        return ratio(self.spend, self.reached) if self.spend or self.currency else None

    @property
    def rate(self) -> Decimal | None:
        """Goals reached per visit, a share."""
        return ratio(self.reached, self.visits)

    @property
    def arrival(self) -> Decimal | None:
        """Visits per click: the share of clicks that arrived."""
        return ratio(self.visits, self.clicks)

    @property
    def roas(self) -> Decimal | None:
        """Revenue per unit of spend, where both are of one currency."""
        return ratio(self.revenue, self.spend) if self.currency == self.revenue_currency else None


_COLUMNS: Final = {
    "number": "BIGINT",
    "utm_campaign": "VARCHAR",
    "utm_content": "VARCHAR",
    "goal": "VARCHAR",
    "visits": "BIGINT",
    "reached": "DECIMAL(18,6)",
    "revenue": "DECIMAL(18,6)",
    "currency": "VARCHAR",
}
_LABELS: Final = """
WITH goal_signs AS (
    SELECT number, trim(utm_campaign) AS label, 1 AS place FROM goals WHERE trim(utm_campaign) <> ''
    UNION ALL
    SELECT number, trim(utm_content), 2 FROM goals WHERE trim(utm_content) <> ''
)"""
_CAMPAIGNS: Final = """
places AS (
    SELECT rank, label, found, network, account, campaign_id, NULL AS ad_id FROM {trails}
),
bought AS (
    SELECT network, account, campaign_id, NULL AS ad_id, currency, sum(clicks)::BIGINT AS clicks,
        coalesce(sum(spend), 0) AS spend
    FROM {spending} GROUP BY network, account, campaign_id, currency
)"""
_ADS: Final = """
places AS (
    SELECT rank, label, found, network, account, campaign_id, label AS ad_id FROM {trails} WHERE rank = 2
),
bought AS (
    SELECT network, account, campaign_id, object_id AS ad_id, currency, sum(clicks)::BIGINT AS clicks,
        coalesce(sum(spend), 0) AS spend
    FROM {levels} WHERE level = 'ad' GROUP BY network, account, campaign_id, object_id, currency
)"""
_JOIN: Final = """
goal_places AS (
    SELECT number, network, account, campaign_id, ad_id FROM goal_signs JOIN places USING (label)
    WHERE found = 1 QUALIFY 1 = row_number() OVER (PARTITION BY number ORDER BY rank, place)
),
brought AS (
    SELECT network, account, campaign_id, ad_id, goal, goals.currency AS revenue_currency,
        sum(visits)::BIGINT AS visits, round(sum(reached))::BIGINT AS reached, sum(revenue) AS revenue
    FROM goals LEFT JOIN goal_places USING (number)
    GROUP BY network, account, campaign_id, ad_id, goal, goals.currency
)
SELECT coalesce(brought.network, bought.network) AS network, coalesce(brought.account, bought.account) AS account,
    coalesce(brought.campaign_id, bought.campaign_id) AS campaign_id, coalesce(brought.ad_id, bought.ad_id) AS ad_id,
    campaigns.name AS name, goal, bought.currency AS currency, coalesce(clicks, 0) AS clicks,
    coalesce(spend, 0) AS spend, visits, coalesce(reached, 0) AS reached, revenue, revenue_currency
FROM brought FULL JOIN bought ON brought.network = bought.network AND brought.account = bought.account
    AND brought.campaign_id IS NOT DISTINCT FROM bought.campaign_id
    AND brought.ad_id IS NOT DISTINCT FROM bought.ad_id
LEFT JOIN campaigns ON campaigns.network = coalesce(brought.network, bought.network)
    AND campaigns.account = coalesce(brought.account, bought.account)
    AND campaigns.campaign_id = coalesce(brought.campaign_id, bought.campaign_id)
ORDER BY spend DESC, network, account, campaign_id, ad_id, goal, currency, revenue_currency"""


def post_click(
    tables: Tables,
    goals: Sequence[GoalRow],
    days: Days = ALL_DAYS,
    *,
    by: Literal["campaign", "ad"] = "campaign",
) -> list[PostClickRow]:
    """Return spend beside the goals that its visitors reached, the dearest first.

    A label leads to a campaign by its id, by an ad's id, or because it stands in one campaign's links only; of two
    labels ``utm_campaign`` counts first. Goals whose labels lead nowhere, or to several campaigns, stand under no
    campaign; campaigns without goals stay in the list. Spend and goals of a campaign that spends in two currencies
    meet in two rows.

    Args:
        tables: What has landed.
        goals: As a ReadsGoals tells them, for the same days.
        days: Days of spend.
        by: ``ad`` joins on ids of ads, with spend from statistics of level ``ad``.

    Raises:
        SinkError: What has landed cannot be read.
    """
    tables.add("goals", _COLUMNS, [(number, *attrs.astuple(goal)) for number, goal in enumerate(goals)])
    places = (_CAMPAIGNS if by == "campaign" else _ADS).format(
        trails=trails(tables), spending=spending(tables, days), levels=levels(tables, days)
    )
    return tables.read(PostClickRow, f"{_LABELS},{places},{_JOIN}")
