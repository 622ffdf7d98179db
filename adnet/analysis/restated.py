"""How landed figures moved after their first landing: what the history tables are kept for."""

from typing import Final

from adnet.analysis.facts import ALL_DAYS, Days, income_rows, spending
from adnet.analysis.rows import EarnedChange, LateChange, SpendChange
from adnet.analysis.tables import Tables

_FIRST: Final = """
WITH firsts AS (
    SELECT network, account, transaction_id, status AS first_status, coalesce(commission, 0) AS first_commission,
        currency AS first_currency
    FROM transactions_history
    QUALIFY 1 = row_number() OVER (
        PARTITION BY network, account, transaction_id ORDER BY replaced_at, fetched_at)
),
pairs AS (
    SELECT network, account, transaction_id, coalesce(first_status, status) AS first_status, status,
        coalesce(first_commission, commission) AS first, commission AS now,
        currency
    FROM {rows} LEFT JOIN firsts USING (network, account, transaction_id)
    -- An amount that landed in another currency at first tells nothing about a change.
    WHERE first_currency IS NULL OR first_currency IS NOT DISTINCT FROM currency
)"""


def late_changes(tables: Tables, days: Days = ALL_DAYS) -> list[LateChange]:
    """Return what transactions landed as and what they are now, where that is another status or commission.

    Those that landed in another currency at first are left out.
    """
    return tables.read(
        LateChange,
        f"""{_FIRST.format(rows=income_rows(tables, days))}
        SELECT network, account, currency, first_status, status, count(*) AS transactions,
            sum(first) AS first, sum(now) AS now
        FROM pairs WHERE first_status <> status OR first <> now
        GROUP BY network, account, currency, first_status, status
        ORDER BY network, account, currency, transactions DESC, first_status, status""",  # noqa: S608
    )


def earned_changes(tables: Tables, days: Days = ALL_DAYS) -> list[EarnedChange]:
    """Return how much earned income (approved or paid) each account had at the first landing, and has now."""
    return tables.read(
        EarnedChange,
        f"""{_FIRST.format(rows=income_rows(tables, days))}
        SELECT network, account, currency, count(*) AS transactions,
            count(*) FILTER (first_status <> status OR first <> now) AS changed,
            coalesce(sum(first) FILTER (first_status IN ('approved', 'paid')), 0) AS first,
            coalesce(sum(now) FILTER (status IN ('approved', 'paid')), 0) AS now
        FROM pairs GROUP BY network, account, currency ORDER BY network, account, currency""",  # noqa: S608
    )


def spend_changes(tables: Tables, days: Days = ALL_DAYS) -> list[SpendChange]:
    """Return how much spend was restated after its first landing; accounts without a change are left out."""
    return tables.read(
        SpendChange,
        f"""WITH firsts AS (
            SELECT network, account, date AS day, level, object_id, coalesce(spend, 0) AS first,
                currency AS first_currency
            FROM stats_history
            QUALIFY 1 = row_number() OVER (
                PARTITION BY network, account, date, level, object_id ORDER BY replaced_at, fetched_at)
        )
        SELECT network, account, currency, count(*) AS days, sum(first) AS first,
            sum(coalesce(spend, 0)) AS now
        FROM {spending(tables, days)} JOIN firsts USING (network, account, day, level, object_id)
        WHERE first <> coalesce(spend, 0)
            AND (first_currency IS NULL OR first_currency IS NOT DISTINCT FROM currency)
        GROUP BY network, account, currency ORDER BY network, account, currency""",  # noqa: S608
    )
