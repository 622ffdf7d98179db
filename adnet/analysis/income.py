"""What affiliate networks pay us."""
# ruff: noqa: S608  the columns in these queries are ours

from collections.abc import Sequence

from adnet.analysis.facts import ALL_DAYS, STATUS_SUMS, Days, income_rows
from adnet.analysis.rows import Dimension, IncomeRow
from adnet.analysis.spend import columns_of
from adnet.analysis.tables import Tables


def income(tables: Tables, days: Days = ALL_DAYS, *, by: Sequence[Dimension] = ("offer",)) -> list[IncomeRow]:
    """Return commissions by how far they have come, one row for each currency and combination of *by*.

    By ``sub_id`` a transaction stands under its first sub id. Rows are ordered by day if days are told apart, then
    those that earned most first. Currencies are never added up.

    Raises:
        ConfigurationError: Income cannot be told apart that way.
        SinkError: What has landed cannot be read.
    """
    keys = columns_of(by, IncomeRow, "income")
    return tables.read(
        IncomeRow,
        f"""SELECT {"".join(f"{key}, " for key in keys)}currency, {STATUS_SUMS}
        FROM (SELECT *, sub_ids[1] AS sub_id FROM {income_rows(tables, days)}) GROUP BY {", ".join((*keys, "currency"))}
        ORDER BY {"day, " if "day" in keys else ""}currency, approved + paid DESC, pending DESC,
            {", ".join((*keys, "transactions"))}""",
    )
