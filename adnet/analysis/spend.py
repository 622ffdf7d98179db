"""What was bought and what it cost."""
# ruff: noqa: S608  the columns in these queries are ours

from collections.abc import Sequence

from adnet.analysis.facts import ALL_DAYS, Days, spending
from adnet.analysis.rows import COLUMNS, Dimension, SpendRow
from adnet.analysis.tables import Tables
from adnet.errors import ConfigurationError


def spend(
    tables: Tables, days: Days = ALL_DAYS, *, by: Sequence[Dimension] = ("campaign",)
) -> list[SpendRow]:
    """Return spend and what it bought, one row for each currency and combination of *by*.

    Rows are ordered by day if days are told apart, then the dearest first. Currencies are never added up. What an
    object tells on no day at all (some have no conversions) is not told of it; else a day without it is one of none.

    Raises:
        ConfigurationError: Spend cannot be told apart that way.
        SinkError: What has landed cannot be read.
    """
    keys = columns_of(by, SpendRow, "spend")
    return tables.read(
        SpendRow,
        f"""SELECT {"".join(f"{key}, " for key in keys)}currency, sum(impressions)::BIGINT AS impressions,
            coalesce(sum(clicks), 0)::BIGINT AS clicks, coalesce(sum(spend), 0) AS spend,
            sum(conversions)::BIGINT AS conversions, sum(revenue) AS revenue,
            coalesce(sum(clicks) FILTER (sees), 0)::BIGINT AS seen_clicks,
            coalesce(sum(spend) FILTER (sees), 0) AS seen_spend,
            coalesce(sum(spend) FILTER (converts), 0) AS converting_spend,
            coalesce(sum(spend) FILTER (earns), 0) AS revenue_spend
        FROM (
            SELECT *, bool_or(impressions IS NOT NULL) OVER object AS sees,
                bool_or(conversions IS NOT NULL) OVER object AS converts,
                bool_or(revenue IS NOT NULL) OVER object AS earns
            FROM {spending(tables, days)} WINDOW object AS (PARTITION BY network, account, level, object_id)
        ) GROUP BY {", ".join((*keys, "currency"))}
        ORDER BY {"day, " if "day" in keys else ""}currency, spend DESC, {", ".join((*keys, "clicks"))}""",
    )


def columns_of(by: Sequence[Dimension], row: type, what: str) -> list[str]:
    """Return the columns that tell *by* apart.

    Raises:
        ConfigurationError: A *row* has no such column.
    """
    keys = list(dict.fromkeys(column for dimension in by for column in COLUMNS[dimension]))
    known = {field.name for field in row.__attrs_attrs__}  # type: ignore[attr-defined]
    if missing := [dimension for dimension in by if not known.issuperset(COLUMNS[dimension])]:
        possible = ", ".join(name for name, columns in COLUMNS.items() if known.issuperset(columns))
        raise ConfigurationError(f"{what} cannot be told apart by {missing[0]}; it can by {possible}")
    return keys
