"""What the landed rows say: pure questions to landed tables, answered with frozen rows.

    with open_tables("duckdb:ads.duckdb") as tables:
        for row in profit(tables, Days(date(2026, 1, 1), date(2026, 2, 1))):
            print(row.campaign_name, row.currency, row.profit)

Goals from Yandex Metrica's API come from `adnet.analysis.metrica`.
"""

from adnet.analysis.exports import GoalsFile
from adnet.analysis.facts import ALL_DAYS, Days
from adnet.analysis.income import income
from adnet.analysis.page import page
from adnet.analysis.postclick import GoalRow, PostClickRow, ReadsGoals, post_click
from adnet.analysis.profit import matching, profit
from adnet.analysis.report import profit_report, spend_report
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
from adnet.analysis.sections import Report
from adnet.analysis.spend import spend
from adnet.analysis.tables import Tables, open_tables

__all__ = [
    "ALL_DAYS",
    "Days",
    "EarnedChange",
    "GoalRow",
    "GoalsFile",
    "IncomeRow",
    "LateChange",
    "MatchRow",
    "PostClickRow",
    "ProfitRow",
    "ReadsGoals",
    "Report",
    "SpendChange",
    "SpendRow",
    "Tables",
    "earned_changes",
    "income",
    "late_changes",
    "matching",
    "open_tables",
    "page",
    "post_click",
    "profit",
    "profit_report",
    "spend",
    "spend_changes",
    "spend_report",
]
