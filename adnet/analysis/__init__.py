"""What the landed rows say: pure questions to landed tables, answered with frozen rows."""

from adnet.analysis.facts import ALL_DAYS, Days
from adnet.analysis.income import income
from adnet.analysis.profit import matching, profit
from adnet.analysis.restated import earned_changes, late_changes, spend_changes
from adnet.analysis.rows import (
    EarnedChange,
    IncomeRow,
    LateChange,
    MatchRow,
    ProfitRow,
    SpendChange,
    SpendRow,
)
from adnet.analysis.spend import spend
from adnet.analysis.tables import Tables, open_tables

__all__ = [
    "ALL_DAYS",
    "Days",
    "EarnedChange",
    "IncomeRow",
    "LateChange",
    "MatchRow",
    "ProfitRow",
    "SpendChange",
    "SpendRow",
    "Tables",
    "earned_changes",
    "income",
    "late_changes",
    "matching",
    "open_tables",
    "profit",
    "spend",
    "spend_changes",
]
