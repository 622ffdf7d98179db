"""How landed figures moved after their first landing."""

from decimal import Decimal

import attrs

from adnet.analysis import (
    earned_changes,
    late_changes,
    open_tables,
    profit_report,
    spend_changes,
    spend_report,
)
from adnet.money import Money
from analysis.kit import FIRST, LATER, sale, stat


async def test_earned_income_is_compared_with_its_first_landing(land):
    """However often it changed in between."""
    await land.income([sale(1, "5", "pending"), sale(2, "3", "approved"), sale(3, "1", "paid")])
    await land.income([sale(1, "5", "approved")], at=FIRST.replace(day=20))
    uri = await land.income([sale(1, "6", "paid"), sale(2, "3", "declined")], at=LATER)
    with open_tables(uri) as tables:
        (row,) = earned_changes(tables)
    assert (Decimal(4), Decimal(7), Decimal(3)) == (row.first, row.now, row.change)
    assert (row.transactions, row.changed) == (3, 2)


async def test_late_changes_tell_from_which_status_to_which(land):
    """With what that did to earned income."""
    await land.income([sale(1, "5", "pending"), sale(2, "3", "approved"), sale(3, "1", "paid")])
    uri = await land.income([sale(1, "5", "paid"), sale(2, "3", "declined")], at=LATER)
    with open_tables(uri) as tables:
        found = [(row.first_status, row.status, row.change) for row in late_changes(tables)]
    assert [("approved", "declined", Decimal(-3)), ("pending", "paid", Decimal(5))] == found


async def test_a_change_of_another_column_is_no_late_change(land):
    """The status and the commission are what counts."""
    await land.income([sale(1, "5", source_name="a")])
    uri = await land.income([sale(1, "5", source_name="b")], at=LATER)
    with open_tables(uri) as tables:
        assert (late_changes(tables), [row.changed for row in earned_changes(tables)]) == ([], [0])


async def test_amounts_in_another_currency_are_not_compared(land):
    """They were asked for anew, not restated."""
    await land.income([sale(1, "5"), sale(2, "1")])
    uri = await land.income([sale(1, "50", currency="SEK")], at=LATER)
    with open_tables(uri) as tables:
        assert [(row.currency, row.transactions) for row in earned_changes(tables)] == [("USD", 1)]


async def test_restated_spend_is_compared_with_its_first_landing(land):
    """Rows that were never restated do not count."""
    await land([stat("1", "2"), stat("2", "9")])
    uri = await land([stat("1", "1.50")], at=LATER)
    with open_tables(uri) as tables:
        (row,) = spend_changes(tables)
    assert (1, Decimal(2), Decimal("1.50"), Decimal("-0.50")) == (row.days, row.first, row.now, row.change)


async def test_each_table_says_what_it_leaves_out(land):
    """Its figures differ from the totals by that."""
    await land.income([sale(1, "5")])
    uri = await land.income([sale(1, "50", currency="SEK")], at=LATER)
    with open_tables(uri) as tables:
        sections = {one.key: one for one in (*profit_report(tables).sections, *spend_report(tables).sections)}
    for key in ("earned_changes", "late_changes", "spend_changes"):
        assert "in another currency at first are left out" in sections[key].note


async def test_spend_in_another_currency_is_not_compared(land):
    """It was told anew, not restated; no rate is applied."""
    rubles = {"currency": "RUB", "spend": Money(Decimal(9000), "RUB")}
    await land([attrs.evolve(stat("1", "1"), **rubles), stat("2", "2")])
    uri = await land([stat("1", "100"), stat("2", "3")], at=LATER)
    with open_tables(uri) as tables:
        assert [(row.currency, row.days, row.change) for row in spend_changes(tables)] == [
            ("USD", 1, Decimal(1))
        ]
