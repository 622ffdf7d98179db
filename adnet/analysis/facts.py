"""The facts behind every report: what was spent, what came in, and which belongs to which.

Spend. Statistics may have landed at several levels, which tell the same money again; of each account's day only the
coarsest level counts (campaign, else ad, else source). A row without a currency has its campaign's, else its
account's; an ad's row without a campaign has the one that the ad landed with.

Income. A transaction belongs to the day of its account's time zone (UTC where that is not known).

The join. A transaction belongs to the campaign that one of its sub ids leads to:

1. *campaign id*: a sub id is the id of a campaign of an account that spends,
2. *ad id*: else a sub id is the id of an ad, which leads to its campaign,
3. *link label*: else a sub id is the value of a UTM or sub-id parameter in the links of one campaign's ads
   (``utm_campaign``, ``utm_content``, ``utm_term``, ``ref1``…, ``sub_id``…, ``aff_sub``…).

Of several sub ids the first that leads anywhere counts. What would lead to several campaigns leads to none: such
income, and income without any match, stays in the report on a line of its own, so that totals are complete and no
transaction is counted twice. Ids are compared as text, exactly.

Each function returns the name of a table in memory, made when it is first asked for.
"""
# ruff: noqa: S608  what these statements are made of is ours

from datetime import date
from typing import Final

import attrs

from adnet.analysis.tables import Tables
from adnet.errors import ConfigurationError

STATUS_SUMS: Final = """
    count(*) AS transactions,
    coalesce(sum(commission) FILTER (status = 'pending'), 0) AS pending,
    coalesce(sum(commission) FILTER (status = 'approved'), 0) AS approved,
    coalesce(sum(commission) FILTER (status = 'paid'), 0) AS paid,
    coalesce(sum(commission) FILTER (status = 'declined'), 0) AS declined,
    coalesce(sum(commission) FILTER (status NOT IN ('pending', 'approved', 'paid', 'declined')), 0) AS unknown"""
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


def accounts(tables: Tables) -> str:
    """Return the currency and the time zone of each account."""
    return tables.keep("""
        SELECT network, account, arg_max(currency, fetched_at) AS currency,
            CASE WHEN arg_max(time_zone, fetched_at) IN (SELECT name FROM pg_timezone_names())
                THEN arg_max(time_zone, fetched_at) ELSE 'UTC' END AS zone
        FROM accounts GROUP BY network, account""")


def levels(tables: Tables, days: Days) -> str:
    """Return statistics of every level with their currency and their campaign's name; levels tell the same again."""
    return tables.keep(f"""
        WITH told AS (
            SELECT stats.network, stats.account, date AS day, level, object_id, stats.currency, impressions, clicks,
                spend, conversions, revenue,
                coalesce(stats.campaign_id, CASE WHEN level = 'campaign' THEN object_id END, ads.campaign_id)
                    AS campaign_id,
                CASE level WHEN 'campaign' THEN 1 WHEN 'ad' THEN 2 ELSE 3 END AS depth
            FROM stats LEFT JOIN ads ON level = 'ad' AND ad_id = object_id
                AND ads.network = stats.network AND ads.account = stats.account
            WHERE {days.sql("date")}
        )
        SELECT told.* EXCLUDE (currency), campaigns.name AS campaign_name,
            coalesce(told.currency, campaigns.currency, account.currency) AS currency
        FROM told
        LEFT JOIN campaigns USING (network, account, campaign_id)
        LEFT JOIN {accounts(tables)} AS account USING (network, account)""")


def spending(tables: Tables, days: Days) -> str:
    """Return a row per day and object with its money, each day of an account at its coarsest level."""
    rows = levels(tables, days)
    return tables.keep(f"""
        SELECT {rows}.* FROM {rows} SEMI JOIN (
            SELECT network, account, day, min(depth) AS depth FROM {rows} GROUP BY network, account, day
        ) USING (network, account, day, depth)""")


def income_rows(tables: Tables, days: Days) -> str:
    """Return a row per transaction with its day and commission."""
    return tables.keep(f"""
        SELECT * FROM (
            SELECT network, account, transaction_id, offer_id, offer_name, coalesce(status, 'unknown') AS status,
                sub_ids, coalesce(commission, 0) AS commission, coalesce(t.currency, a.currency) AS currency,
                CAST(timezone(coalesce(zone, 'UTC'), timezone('UTC', occurred_at)) AS DATE) AS day
            FROM transactions AS t LEFT JOIN {accounts(tables)} AS a USING (network, account)
        ) WHERE {days.sql("day")}""")


def trails(tables: Tables) -> str:
    """Return each label with what it leads to, and to how many: ``rank`` 1 by campaign id, 2 by ad id, 3 by link."""
    return tables.keep(r"""
        WITH spenders AS (
            SELECT network, account FROM stats UNION SELECT network, account FROM campaigns
        ),
        leads AS (
            SELECT 1 AS rank, 'campaign id' AS how, campaign_id AS label, network, account, campaign_id FROM campaigns
            UNION
            SELECT 1, 'campaign id', coalesce(campaign_id, object_id), network, account,
                coalesce(campaign_id, object_id)
            FROM stats WHERE campaign_id IS NOT NULL OR level = 'campaign'
            UNION
            SELECT 2, 'ad id', ad_id, network, account, campaign_id
            FROM ads SEMI JOIN spenders USING (network, account) WHERE campaign_id IS NOT NULL
            UNION
            SELECT 2, 'ad id', object_id, network, account, campaign_id
            FROM stats WHERE level = 'ad' AND campaign_id IS NOT NULL
            UNION
            SELECT 3, 'link label', coalesce(TRY(url_decode(replace(value, '+', ' '))), value), network, account,
                campaign_id -- TRY: an old system's label that is no UTF-8 stands as it is
            FROM (
                SELECT network, account, campaign_id, unnest(regexp_extract_all(url,
                    '[?&](?:utm_campaign|utm_content|utm_term|ref[1-9]|sub_?id[1-9]?|aff_sub[1-9]?)=([^&#{}\[\]]+)',
                    1)) AS value
                FROM ads SEMI JOIN spenders USING (network, account) WHERE campaign_id IS NOT NULL
            )
        )
        SELECT rank, how, label, count(*) AS found, any_value(network) AS network, any_value(account) AS account,
            any_value(campaign_id) AS campaign_id
        FROM leads GROUP BY rank, how, label""")


def signs(tables: Tables, days: Days, position: int | None = None) -> str:
    """Return the sub ids of transactions, one a row.

    Raises:
        ConfigurationError: The position is below 1.
    """
    if position is not None and position < 1:
        raise ConfigurationError(f"sub ids are counted from 1, not from {position}")
    chosen = "true" if position is None else f"position = {position}"
    return tables.keep(f"""
        SELECT * FROM (
            SELECT network, account, transaction_id, trim(unnest(sub_ids)) AS label,
                generate_subscripts(sub_ids, 1) AS position
            FROM {income_rows(tables, days)}
        ) WHERE label <> '' AND {chosen}""")


def matched(tables: Tables, days: Days, position: int | None = None) -> str:
    """Return the rows of income with the campaign of each: ``to_network``, ``to_account``, ``to_campaign``.

    Args:
        tables: What has landed.
        days: Days of the income.
        position: Which sub id may lead to a campaign, counted from 1; None means any.

    Raises:
        ConfigurationError: The position is below 1.
    """
    return tables.keep(f"""
        WITH matches AS (
            SELECT s.network, s.account, s.transaction_id, label, found,
                CASE WHEN found = 1 THEN how ELSE 'several campaigns' END AS how,
                CASE WHEN found = 1 THEN t.network END AS to_network,
                CASE WHEN found = 1 THEN t.account END AS to_account,
                CASE WHEN found = 1 THEN t.campaign_id END AS to_campaign
            FROM {signs(tables, days, position)} AS s JOIN {trails(tables)} AS t USING (label)
            QUALIFY 1 = row_number() OVER (
                PARTITION BY s.network, s.account, s.transaction_id ORDER BY found > 1, rank, position)
        )
        SELECT i.*, coalesce(how, 'none') AS how, to_network, to_account, to_campaign, label
        FROM {income_rows(tables, days)} AS i LEFT JOIN matches USING (network, account, transaction_id)""")
