"""What came of what was spent. How income finds its campaign is told in `adnet.analysis.facts`."""
# ruff: noqa: S608  the columns in these queries are ours

from collections.abc import Sequence
from typing import Final

from adnet.analysis.facts import ALL_DAYS, STATUS_SUMS, Days, levels, matched, signs, spending, trails
from adnet.analysis.rows import Dimension, MatchRow, ProfitRow
from adnet.analysis.spend import columns_of
from adnet.analysis.tables import Tables
from adnet.errors import ConfigurationError

_SUMS: Final = STATUS_SUMS.replace("count(*)", "sum(sales)::BIGINT")


def profit(
    tables: Tables,
    days: Days = ALL_DAYS,
    *,
    by: Sequence[Dimension] = ("campaign",),
    position: int | None = None,
) -> list[ProfitRow]:
    """Return spend beside the income it brought, one row for each currency and combination of *by*.

    Income that no campaign could be found for stands under no network, account and campaign. Spend and income of one
    campaign in two currencies are two rows: no rate is applied. Rows are ordered by day if days are told apart, then
    by profit, the best first.

    Args:
        tables: What has landed.
        days: Days of spend and of income alike.
        by: ``network``, ``account``, ``campaign`` and ``day``; or ``sub_id`` alone.
        position: Which sub id may lead to a campaign, counted from 1; None means any.

    Raises:
        ConfigurationError: Profit cannot be told apart that way.
        SinkError: What has landed cannot be read.
    """
    keys = columns_of(by, ProfitRow, "profit")
    if "sub_id" in by:
        if len(by) > 1:
            raise ConfigurationError("profit by sub_id cannot be told apart further")
        return _by_sub_id(tables, days, position)
    return tables.read(
        ProfitRow,
        f"""SELECT * FROM (
            SELECT {"".join(f"{key}, " for key in keys)}currency, coalesce(sum(clicks), 0)::BIGINT AS clicks,
                coalesce(sum(spend), 0) AS spend, {_SUMS}
            FROM {_together(tables, days, position)} GROUP BY {", ".join((*keys, "currency"))}
        ) WHERE clicks > 0 OR spend <> 0 OR transactions > 0
        ORDER BY {"day, " if "day" in keys else ""}currency, approved + paid - spend DESC,
            {", ".join((*keys, "transactions"))}""",
    )


def _together(tables: Tables, days: Days, position: int | None) -> str:
    """Return rows of spend and rows of income as one table, each under its campaign."""
    return tables.keep(f"""
        SELECT network, account, campaign_id, campaign_name, day, currency, clicks, spend, 0 AS sales,
            NULL AS status, CAST(0 AS DECIMAL(18,6)) AS commission
        FROM {spending(tables, days)}
        UNION ALL
        SELECT to_network, to_account, to_campaign, campaigns.name, day, income.currency, 0,
            CAST(0 AS DECIMAL(18,6)), 1, income.status, commission
        FROM {matched(tables, days, position)} AS income LEFT JOIN campaigns
            ON campaigns.network = to_network AND campaigns.account = to_account
            AND campaigns.campaign_id = to_campaign""")


def _by_sub_id(tables: Tables, days: Days, position: int | None) -> list[ProfitRow]:
    """Return a row for each sub id that brought transactions, with the spend of the campaign or ad of that id.

    A sub id that is neither has clicks and a spend of its own that nobody knows: None.
    """
    return tables.read(
        ProfitRow,
        f"""WITH bought AS (
            SELECT 1 AS rank, network, account, campaign_id AS label, currency, sum(clicks) AS clicks,
                sum(spend) AS spend
            FROM {spending(tables, days)} WHERE campaign_id IS NOT NULL
            GROUP BY network, account, campaign_id, currency
            UNION ALL
            SELECT 2, network, account, object_id, currency, sum(clicks), sum(spend)
            FROM {levels(tables, days)} WHERE level = 'ad' GROUP BY network, account, object_id, currency
        ),
        known AS (
            SELECT label, currency, clicks, spend FROM bought
            JOIN {trails(tables)} AS t USING (rank, network, account, label) WHERE found = 1
            QUALIFY 1 = row_number() OVER (PARTITION BY label, currency ORDER BY rank)
        ),
        first_signs AS (
            SELECT network, account, transaction_id, arg_min(label, position) AS first_label
            FROM {signs(tables, days, position)} GROUP BY network, account, transaction_id
        ),
        brought AS (
            SELECT coalesce(label, first_label) AS sub_id, currency, {STATUS_SUMS}
            FROM {matched(tables, days, position)} LEFT JOIN first_signs USING (network, account, transaction_id)
            GROUP BY coalesce(label, first_label), currency
        )
        SELECT sub_id, brought.currency, clicks::BIGINT AS clicks, spend,
            brought.* EXCLUDE (sub_id, currency)
        FROM brought LEFT JOIN known ON label = sub_id AND known.currency IS NOT DISTINCT FROM brought.currency
        ORDER BY brought.currency, approved + paid - coalesce(spend, 0) DESC, sub_id""",
    )


def matching(tables: Tables, days: Days = ALL_DAYS, *, position: int | None = None) -> list[MatchRow]:
    """Return how much income found its campaign, and by what; the surest way first."""
    return tables.read(
        MatchRow,
        f"""SELECT how, currency, count(*) AS transactions,
            coalesce(sum(commission) FILTER (status IN ('approved', 'paid')), 0) AS earned,
            coalesce(sum(commission) FILTER (status = 'pending'), 0) AS pending
        FROM {matched(tables, days, position)} GROUP BY how, currency
        ORDER BY list_position(['campaign id', 'ad id', 'link label', 'several campaigns', 'none'], how), currency""",
    )
