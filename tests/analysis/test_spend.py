"""What was bought and what it cost."""

from datetime import date
from decimal import Decimal

import pytest

from adnet.analysis import Days, SpendRow, open_tables, spend
from adnet.errors import ConfigurationError
from adnet.money import Money
from analysis.kit import DAY, account, campaign, stat


async def test_spend_is_told_by_campaign_with_its_name(land):
    """Days of one campaign add up."""
    uri = await land([campaign("1"), stat("1", "2.50"), stat("1", "0.25", day=date(2026, 1, 15))])
    with open_tables(uri) as tables:
        (row,) = spend(tables)
    assert (row.network, row.account, row.campaign_id, row.campaign_name) == (
        "adskeeper",
        "native",
        "1",
        "Shoes",
    )
    assert (row.spend, row.clicks, row.currency, row.day) == (Decimal("2.75"), 20, "USD", None)


async def test_currencies_are_never_added_up(land):
    """Each has a row of its own."""
    uri = await land([stat("1", "2"), stat("2", "3", currency="EUR")])
    with open_tables(uri) as tables:
        rows = spend(tables, by=["network"])
    assert [("EUR", Decimal(3)), ("USD", Decimal(2))] == [(row.currency, row.spend) for row in rows]


async def test_a_day_that_landed_at_several_levels_counts_once(land):
    """They tell the same money again; the coarsest level counts."""
    ads = [
        stat("a1", "1.50", level="ad", campaign_id="1"),
        stat("a2", "0.50", level="ad", campaign_id="1"),
    ]
    uri = await land([stat("1", "2"), *ads, stat("w1", "2", level="source", campaign_id="1")])
    with open_tables(uri) as tables:
        assert [Decimal(2)] == [row.spend for row in spend(tables)]


async def test_a_day_that_landed_at_ad_level_only_counts(land):
    """Ads add up to their campaign."""
    day = date(2026, 1, 15)
    ads = [
        stat("a1", "1", level="ad", campaign_id="1", day=day),
        stat("a2", "4", level="ad", campaign_id="1", day=day),
    ]
    uri = await land([stat("1", "2"), *ads])
    with open_tables(uri) as tables:
        assert {DAY: Decimal(2), day: Decimal(5)} == {row.day: row.spend for row in spend(tables, by=["day"])}


async def test_a_row_without_a_currency_has_its_campaigns_or_its_accounts(land):
    """In this order; nothing is guessed beyond that."""
    rows = [stat("1", "1", currency=None), stat("2", "1", currency=None)]
    uri = await land([account(currency="EUR"), campaign("1"), *rows])
    with open_tables(uri) as tables:
        found = {row.campaign_id: row.currency for row in spend(tables)}
    assert found == {"1": "USD", "2": "EUR"}


async def test_only_the_days_asked_for_count(land):
    """Since is included, until is not."""
    days = [stat("1", "1", day=date(2026, 1, number)) for number in range(10, 20)]
    uri = await land(days)
    with open_tables(uri) as tables:
        rows = spend(tables, Days(date(2026, 1, 12), date(2026, 1, 15)), by=["day"])
    assert [row.day.day for row in rows] == [12, 13, 14]


async def test_ratios_are_computed_from_sums():
    """Not from ratios of days."""
    row = SpendRow(impressions=1000, clicks=20, spend=Decimal(5), conversions=2, revenue=Decimal(20))
    assert (Decimal("0.02"), Decimal("0.25"), Decimal(5)) == (row.ctr, row.cpc, row.cpm)
    assert (Decimal("2.5"), Decimal(4)) == (row.cpa, row.roas)


async def test_what_is_not_counted_has_no_ratio():
    """None is no zero."""
    row = SpendRow(impressions=None, clicks=0, spend=Decimal(5))
    assert [row.ctr, row.cpc, row.cpm, row.cpa, row.roas] == [None] * 5


async def test_what_is_not_told_takes_no_part_in_a_ratio(land):
    """Else a campaign whose conversions nobody counts would make those of all others look dear."""
    counted = stat("1", "4", impressions=1000, conversions=2, revenue=Money(8, "USD"))
    uri = await land([counted, stat("2", "6"), stat("2", "1", day=date(2026, 1, 15))])
    with open_tables(uri) as tables:
        (row,) = spend(tables, by=())
        (whole,) = (one for one in spend(tables) if one.campaign_id == "1")
    assert (row.spend, row.clicks, row.conversions) == (Decimal(11), 30, 2)
    assert (row.ctr, row.cpm, row.cpa, row.roas) == (whole.ctr, whole.cpm, whole.cpa, whole.roas)
    assert (row.ctr, row.cpm, row.cpa, row.roas) == (Decimal("0.01"), 4, 2, 2)


async def test_a_day_without_conversions_has_none_where_other_days_tell_some(land):
    """Its spend brought those of the other days, too."""
    uri = await land([stat("1", "4", conversions=2), stat("1", "6", day=date(2026, 1, 15))])
    with open_tables(uri) as tables:
        (row,) = spend(tables, by=())
    assert row.cpa == Decimal(5)


async def test_spend_has_no_offers(land):
    """What cannot be told apart is refused by name."""
    uri = await land([stat("1", "2")])
    with (
        open_tables(uri) as tables,
        pytest.raises(ConfigurationError, match="spend cannot be told apart by offer"),
    ):
        spend(tables, by=["offer"])


def test_days_end_after_they_begin():
    """A period of nothing is a mistake."""
    with pytest.raises(ConfigurationError, match="is not before"):
        Days(DAY, DAY)
