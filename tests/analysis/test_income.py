"""What affiliate networks pay us."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from adnet.analysis import Days, income, open_tables
from analysis.kit import account, sale


async def test_commissions_stand_by_how_far_they_have_come(land):
    """Approved and paid are earned; the others are not."""
    words = ["pending", "approved", "paid", "declined", "unknown"]
    uri = await land.income([sale(n, str(2**n), word) for n, word in enumerate(words)])
    with open_tables(uri) as tables:
        (row,) = income(tables)
    assert [row.pending, row.approved, row.paid, row.declined, row.unknown] == [1, 2, 4, 8, 16]
    assert (5, Decimal(6), Decimal(6) / Decimal(14)) == (row.transactions, row.earned, row.approval)


async def test_income_is_told_by_offer(land):
    """With its name."""
    uri = await land.income([sale(1, "3"), sale(2, "4", offer_id="8", offer_name="Hats")])
    with open_tables(uri) as tables:
        assert [(row.offer_name, row.earned) for row in income(tables)] == [("Hats", 4), ("Boots", 3)]


@pytest.mark.parametrize(
    ("zone", "day"),
    [("UTC", 14), ("Asia/Tokyo", 15), ("America/New_York", 14), ("Atlantis/Nowhere", 14), (None, 14)],
)
async def test_a_transaction_belongs_to_a_day_of_its_account(land, zone, day):
    """An account's day begins at its own midnight; where that is not known, at that of UTC."""
    at = datetime(2026, 1, 14, 20, tzinfo=UTC)
    uri = await land.income([account(zone), sale(1, "3", occurred_at=at)])
    with open_tables(uri) as tables:
        assert [date(2026, 1, day)] == [row.day for row in income(tables, by=["day"])]
        assert income(tables, Days(date(2026, 1, day + 1))) == []


async def test_income_by_sub_id_stands_under_the_first(land):
    """The first label of a link tells most."""
    uri = await land.income([sale(1, "3", "paid", "red", "x"), sale(2, "1", "paid", "blue"), sale(3, "1")])
    with open_tables(uri) as tables:
        found = {row.sub_id: row.earned for row in income(tables, by=["sub_id"])}
    assert found == {"red": 3, "blue": 1, None: 1}


async def test_a_missing_commission_is_no_money(land):
    """The transaction counts, with nothing."""
    uri = await land.income([sale(1, "3"), sale(2, None)])
    with open_tables(uri) as tables:
        assert [(2, Decimal(3))] == [(row.transactions, row.approved) for row in income(tables)]
