"""The two reports: what was spent, and what came of it."""

from collections.abc import Sequence
from typing import Final

import attrs

from adnet.analysis.facts import ALL_DAYS, Days
from adnet.analysis.income import income
from adnet.analysis.postclick import GoalRow, post_click
from adnet.analysis.profit import matching, profit
from adnet.analysis.restated import earned_changes, late_changes, spend_changes
from adnet.analysis.rows import COLUMNS, Dimension, ProfitRow
from adnet.analysis.sections import Column, Report, Section, daily_bars
from adnet.analysis.spend import spend
from adnet.analysis.tables import Tables

_LABELS: Final[dict[str, Column]] = {
    column.name: column
    for column in (
        Column("day", "day", "day"),
        Column("network", "network"),
        Column("account", "account"),
        Column("campaign_id", "campaign"),
        Column("campaign_name", "name", absent="(no campaign)"),
        Column("offer_id", "offer"),
        Column("offer_name", "name"),
        Column("sub_id", "sub id", absent="(no sub id)"),
    )
}
_CURRENCY: Final = Column("currency", "currency")
_INCOME: Final = (
    Column("transactions", "sales", "count"),
    Column("pending", "pending", "money"),
    Column("approved", "approved", "money"),
    Column("paid", "paid", "money"),
    Column("declined", "declined", "money"),
    Column("unknown", "unknown", "money", rare=True),
)
_SPEND: Final = (
    _CURRENCY,
    Column("spend", "spend", "money"),
    Column("impressions", "impressions", "count"),
    Column("clicks", "clicks", "count"),
    Column("ctr", "CTR", "share"),
    Column("cpc", "CPC", "ratio"),
    Column("cpm", "CPM", "ratio"),
    Column("conversions", "conversions", "count"),
    Column("cpa", "CPA", "ratio"),
    Column("revenue", "revenue", "money"),
)
_PROFIT: Final = (
    _CURRENCY,
    Column("spend", "spend", "money"),
    Column("earned", "earned", "money"),
    Column("profit", "profit", "money"),
    Column("roas", "ROAS", "ratio"),
    Column("expected", "with pending", "money"),
    Column("clicks", "clicks", "count"),
    Column("epc", "EPC", "ratio", detail=True),
    Column("transactions", "sales", "count"),
    *(attrs.evolve(column, detail=True) for column in _INCOME[1:]),
)
_OTHER_CURRENCY: Final = "Sales that landed in another currency at first are left out."
_RATIOS: Final = "CTR, CPM and CPA leave out what tells no impressions or no conversions."
_NAMES: Final[dict[Dimension, str]] = {
    "network": "networks",
    "account": "accounts",
    "campaign": "campaigns",
    "offer": "offers",
    "sub_id": "sub_ids",
    "day": "days",
}


def spend_report(
    tables: Tables,
    days: Days = ALL_DAYS,
    *,
    by: Sequence[Dimension] = ("campaign",),
    goals: Sequence[GoalRow] | None = None,
) -> Report:
    """Return what was bought, what it cost, and how much of that was restated later.

    Args:
        tables: What has landed.
        days: Days of the accounts.
        by: What rows are told apart by, beside their currency.
        goals: What visitors did after the click, if that is known.

    Raises:
        ConfigurationError: Spend cannot be told apart that way.
        SinkError: What has landed cannot be read.
    """
    sections = [
        Section(key="totals", title="In all", columns=_SPEND, rows=spend(tables, days, by=()), note=_RATIOS),
        Section(
            key=_NAMES[by[-1]] if len(by) == 1 else "rows",
            title=f"Spend by {_worded(by)}",
            columns=(*_keys(by), *_SPEND),
            rows=spend(tables, days, by=by),
        ),
        *_goals(tables, days, goals),
        _restated_spend(tables, days),
    ]
    daily = spend(tables, days, by=("day",))
    return Report(
        kind="spend",
        title="Spend",
        uri=tables.uri,
        days=days,
        sections=tuple(sections),
        bars=daily_bars("Spend by day", daily, ("spend",)),
    )


def profit_report(
    tables: Tables,
    days: Days = ALL_DAYS,
    *,
    by: Sequence[Dimension] = ("campaign",),
    position: int | None = None,
    goals: Sequence[GoalRow] | None = None,
) -> Report:
    """Return what came of what was spent: profit, how income found its campaign, offers, and late changes.

    Args:
        tables: What has landed.
        days: Days of the accounts, of spend and of income alike.
        by: What rows are told apart by, beside their currency.
        position: Which sub id may lead to a campaign, counted from 1; None means any.
        goals: What visitors did after the click, if that is known.

    Raises:
        ConfigurationError: Profit cannot be told apart that way.
        SinkError: What has landed cannot be read.
    """
    rows = profit(tables, days, by=by, position=position)
    sections = [
        Section(key="totals", title="In all", columns=_PROFIT, rows=profit(tables, days, by=())),
        Section(
            key=_NAMES[by[-1]] if len(by) == 1 else "rows",
            title=f"Profit by {_worded(by)}",
            columns=(*_keys(by), *_PROFIT),
            rows=rows,
            note=_profit_note(rows, by),
        ),
        _matching(tables, days, position),
        Section(
            key="offers",
            title="Income by offer",
            columns=(*_keys(("offer",)), _CURRENCY, *_INCOME, Column("approval", "approval", "share")),
            rows=income(tables, days),
        ),
        *_goals(tables, days, goals),
        *_late(tables, days),
        _restated_spend(tables, days),
    ]
    daily = profit(tables, days, by=("day",), position=position)
    return Report(
        kind="profit",
        title="Profit",
        uri=tables.uri,
        days=days,
        sections=tuple(sections),
        bars=daily_bars("Spend and earned income by day", daily, ("spend", "earned")),
    )


def _profit_note(rows: Sequence[ProfitRow], by: Sequence[Dimension]) -> str:
    notes = ["Earned is what is approved or paid."]
    if "campaign" in by:
        pairs = {(row.network, row.account, row.campaign_id, row.currency) for row in rows if row.campaign_id}
        if len({pair[:3] for pair in pairs}) < len(pairs):
            notes.append("Campaigns that spend in one currency and earn in another have a row for each.")
        lost = [row.account for row in rows if row.campaign_id is None]
        if None in lost:
            notes.append(
                "A row without a campaign and an account is income that no campaign could be found for."
            )
        if any(lost):
            notes.append("A row of an account without a campaign is spend whose campaign did not land.")
    if "sub_id" in by:
        notes.append("Spend is known for sub ids that are a campaign's or an ad's id.")
    return " ".join(notes)


def _matching(tables: Tables, days: Days, position: int | None) -> Section:
    return Section(
        key="matching",
        title="How income found its campaign",
        note="By a sub id that is a campaign's id, an ad's id, or a label in the links of one campaign's ads.",
        columns=(
            Column("how", "by"),
            _CURRENCY,
            Column("transactions", "sales", "count"),
            Column("earned", "earned", "money"),
            Column("pending", "pending", "money"),
        ),
        rows=matching(tables, days, position=position),
    )


def _late(tables: Tables, days: Days) -> list[Section]:
    account = (*_keys(("account",)), _CURRENCY)
    return [
        Section(
            key="earned_changes",
            title="Earned income after its first landing",
            note=_OTHER_CURRENCY,
            columns=(
                *account,
                Column("transactions", "sales", "count"),
                Column("changed", "changed", "count"),
                Column("first", "at first", "money"),
                Column("now", "now", "money"),
                Column("change", "change", "money"),
            ),
            rows=earned_changes(tables, days),
        ),
        Section(
            key="late_changes",
            title="Late changes of status",
            note=f"The change is what it did to earned income. {_OTHER_CURRENCY}",
            columns=(
                *account,
                Column("first_status", "from"),
                Column("status", "to"),
                Column("transactions", "sales", "count"),
                Column("first", "commission then", "money"),
                Column("now", "now", "money"),
                Column("change", "change", "money"),
            ),
            rows=late_changes(tables, days),
        ),
    ]


def _restated_spend(tables: Tables, days: Days) -> Section:
    return Section(
        key="spend_changes",
        title="Spend restated after its first landing",
        note="Rows that landed in another currency at first are left out.",
        columns=(
            *_keys(("account",)),
            _CURRENCY,
            Column("days", "rows", "count"),
            Column("first", "at first", "money"),
            Column("now", "now", "money"),
            Column("change", "change", "money"),
        ),
        rows=spend_changes(tables, days),
    )


def _goals(tables: Tables, days: Days, goals: Sequence[GoalRow] | None) -> list[Section]:
    if goals is None:
        return []
    rows = post_click(tables, goals, days)
    # The only currency beside it would be that of spend.
    strange = any(row.revenue is not None and row.revenue_currency is None for row in rows)
    return [
        Section(
            key="goals",
            title="After the click",
            note="Goals are joined to spend by the UTM labels of links. A campaign's spend and clicks stand beside each"
            " of its goals: they are not to be added up."
            + (" The currency of (?) is not known." if strange else ""),
            columns=(
                Column("network", "network"),
                Column("account", "account"),
                Column("campaign_id", "campaign"),
                Column("name", "name", absent="(no campaign)"),
                Column("goal", "goal", absent="(no goal)"),
                _CURRENCY,
                Column("spend", "spend", "money"),
                Column("clicks", "clicks", "count"),
                Column("visits", "visits", "count"),
                Column("arrival", "arrived", "share"),
                Column("reached", "reached", "count"),
                Column("rate", "rate", "share"),
                Column("cost", "cost", "ratio"),
                Column("revenue", "revenue (?)" if strange else "revenue", "money"),
                Column("revenue_currency", "in"),
            ),
            rows=rows,
        )
    ]


def _keys(by: Sequence[Dimension]) -> tuple[Column, ...]:
    return tuple(_LABELS[name] for name in dict.fromkeys(name for one in by for name in COLUMNS[one]))


def _worded(by: Sequence[Dimension]) -> str:
    return " and ".join(one.replace("_", " ") for one in by)
