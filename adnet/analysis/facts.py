"""The facts behind every report, as named pieces of SQL: what was spent, what came in, and which belongs to which.

Spend. Statistics may have landed at several levels, which tell the same money again; of each account's day only the
coarsest level counts (campaign, else ad, else source). A row without a currency has its campaign's, else its
account's.

Income. A transaction belongs to the day of its account's time zone (UTC where that is not known).

The join. A transaction belongs to the campaign that one of its sub ids leads to:

1. *campaign id*: a sub id is the id of a campaign of an account that spends,
2. *ad id*: else a sub id is the id of an ad, which leads to its campaign,
3. *link label*: else a sub id is the value of a UTM or sub-id parameter in the links of one campaign's ads
   (``utm_campaign``, ``utm_content``, ``utm_term``, ``ref1``…, ``sub_id``…, ``aff_sub``…).

Of several sub ids the first that leads anywhere counts. What would lead to several campaigns leads to none: such
income, and income without any match, stays in the report on a line of its own, so that totals are complete and no
transaction is counted twice. Ids are compared as text, exactly.
"""

from datetime import date
from typing import Final

import attrs

from adnet.errors import ConfigurationError

_ACCOUNTS: Final = """
account_facts AS (
    SELECT network, account, arg_max(currency, fetched_at) AS currency,
        CASE WHEN arg_max(time_zone, fetched_at) IN (SELECT name FROM pg_timezone_names())
            THEN arg_max(time_zone, fetched_at) ELSE 'UTC' END AS zone
    FROM accounts GROUP BY network, account
)"""

_SPEND: Final = """
told AS (
    SELECT network, account, date AS day, level, object_id, currency, impressions, clicks, spend, conversions, revenue,
        coalesce(campaign_id, CASE WHEN level = 'campaign' THEN object_id END) AS campaign_id,
        CASE level WHEN 'campaign' THEN 1 WHEN 'ad' THEN 2 ELSE 3 END AS depth
    FROM stats WHERE {period}
),
priced AS (
    SELECT told.* EXCLUDE (currency), campaigns.name AS campaign_name,
        coalesce(told.currency, campaigns.currency, account_facts.currency) AS currency
    FROM told
    LEFT JOIN campaigns USING (network, account, campaign_id)
    LEFT JOIN account_facts USING (network, account)
),
spend_facts AS (
    SELECT * FROM priced QUALIFY depth = min(depth) OVER (PARTITION BY network, account, day)
)"""

_INCOME: Final = """
income_facts AS (
    SELECT * FROM (
        SELECT network, account, transaction_id, offer_id, offer_name, status, sub_ids,
            coalesce(commission, 0) AS commission, coalesce(t.currency, account_facts.currency) AS currency,
            CAST(timezone(coalesce(zone, 'UTC'), timezone('UTC', occurred_at)) AS DATE) AS day
        FROM transactions AS t LEFT JOIN account_facts USING (network, account)
    ) WHERE {period}
)"""

_MATCHES: Final = r"""
spenders AS (
    SELECT network, account FROM stats UNION SELECT network, account FROM campaigns
),
leads AS (
    SELECT 1 AS rank, 'campaign id' AS how, campaign_id AS label, network, account, campaign_id FROM campaigns
    UNION
    SELECT 1, 'campaign id', coalesce(campaign_id, object_id), network, account, coalesce(campaign_id, object_id)
    FROM stats WHERE campaign_id IS NOT NULL OR level = 'campaign'
    UNION
    SELECT 2, 'ad id', ad_id, network, account, campaign_id
    FROM ads SEMI JOIN spenders USING (network, account) WHERE campaign_id IS NOT NULL
    UNION
    SELECT 2, 'ad id', object_id, network, account, campaign_id
    FROM stats WHERE level = 'ad' AND campaign_id IS NOT NULL
    UNION
    SELECT 3, 'link label', url_decode(replace(value, '+', ' ')), network, account, campaign_id
    FROM (
        SELECT network, account, campaign_id, unnest(regexp_extract_all(url,
            '[?&](utm_campaign|utm_content|utm_term|ref[1-9]|sub_?id[1-9]?|aff_sub[1-9]?)=([^&#{}\[\]]+)', 2)) AS value
        FROM ads SEMI JOIN spenders USING (network, account) WHERE campaign_id IS NOT NULL
    )
),
trails AS (
    SELECT rank, how, label, count(*) AS found,
        any_value(network) AS network, any_value(account) AS account, any_value(campaign_id) AS campaign_id
    FROM (SELECT DISTINCT rank, how, label, network, account, campaign_id FROM leads) GROUP BY rank, how, label
),
signs AS (
    SELECT network, account, transaction_id, label, position FROM (
        SELECT network, account, transaction_id, trim(unnest(sub_ids)) AS label,
            generate_subscripts(sub_ids, 1) AS position
        FROM income_facts
    ) WHERE label <> '' AND {position}
),
matches AS (
    SELECT signs.network, signs.account, signs.transaction_id, label, found,
        CASE WHEN found = 1 THEN how ELSE 'several campaigns' END AS how,
        CASE WHEN found = 1 THEN trails.network END AS to_network,
        CASE WHEN found = 1 THEN trails.account END AS to_account,
        CASE WHEN found = 1 THEN trails.campaign_id END AS to_campaign
    FROM signs JOIN trails USING (label)
    QUALIFY 1 = row_number() OVER (
        PARTITION BY signs.network, signs.account, signs.transaction_id ORDER BY found > 1, rank, position)
),
matched_facts AS (
    SELECT income_facts.*, coalesce(how, 'none') AS how, to_network, to_account, to_campaign, matches.label AS label
    FROM income_facts LEFT JOIN matches USING (network, account, transaction_id)
)"""

STATUS_SUMS: Final = """
    count(*) AS transactions,
    coalesce(sum(commission) FILTER (status = 'pending'), 0) AS pending,
    coalesce(sum(commission) FILTER (status = 'approved'), 0) AS approved,
    coalesce(sum(commission) FILTER (status = 'paid'), 0) AS paid,
    coalesce(sum(commission) FILTER (status = 'declined'), 0) AS declined,
    coalesce(sum(commission) FILTER (status IS NULL
        OR status NOT IN ('pending', 'approved', 'paid', 'declined')), 0) AS unknown"""
"""Columns that tell transactions apart by how far they have come."""


@attrs.frozen
class Days:
    """Days of the accounts, from *since* up to, but without, *until*; None leaves an end open."""

    since: date | None = None
    until: date | None = None

    def __attrs_post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise ConfigurationError(f"since {self.since} is not before until {self.until}")

    def sql(self, column: str) -> str:
        """Return the condition that *column* is one of these days."""
        ends = [
            f"{column} {sign} DATE '{day.isoformat()}'"
            for sign, day in ((">=", self.since), ("<", self.until))
            if day is not None
        ]
        return " AND ".join(ends) or "true"


ALL_DAYS: Final = Days()


def spend_facts(days: Days) -> str:
    """Return the CTEs up to ``spend_facts``: a row per day and object with its money."""
    return f"{_ACCOUNTS},{_SPEND.format(period=days.sql('date'))}"


def income_facts(days: Days) -> str:
    """Return the CTEs up to ``income_facts``: a row per transaction with its day and commission."""
    return f"{_ACCOUNTS},{_INCOME.format(period=days.sql('day'))}"


def matched_facts(days: Days, *, position: int | None = None) -> str:
    """Return the CTEs up to ``spend_facts`` and ``matched_facts``: transactions with the campaign they belong to.

    Args:
        days: Days of spend and of income.
        position: Which sub id may lead to a campaign, counted from 1; None means any.

    Raises:
        ConfigurationError: The position is below 1.
    """
    if position is not None and position < 1:
        raise ConfigurationError(f"sub ids are counted from 1, not from {position}")
    chosen = "true" if position is None else f"position = {position}"
    matches = _MATCHES.replace("{position}", chosen)
    return f"{spend_facts(days)},{_INCOME.format(period=days.sql('day'))},{matches}"
