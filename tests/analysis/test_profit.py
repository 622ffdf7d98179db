"""What came of what was spent, and which income belongs to which campaign."""

from datetime import date
from decimal import Decimal

import pytest

from adnet.analysis import matching, open_tables, profit, profit_report
from adnet.errors import ConfigurationError
from analysis.kit import NOON, ad, campaign, sale, stat


async def joined(land, sales, *, campaigns=("100", "200"), ads=()):
    """Land campaigns that spent 2 dollars each, their ads and sales; return the rows by campaign."""
    spent = [campaign(number, f"Campaign {number}") for number in campaigns]
    await land([*spent, *ads, *(stat(number, "2") for number in campaigns)])
    uri = await land.income(sales)
    with open_tables(uri) as tables:
        rows = {row.campaign_id: row for row in profit(tables)}
        ways = {row.how: row.transactions for row in matching(tables)}
    return rows, ways


async def test_a_sub_id_that_is_a_campaign_id_joins_income_and_spend(land):
    """In the campaign's own row."""
    rows, ways = await joined(land, [sale(1, "5", "approved", "x", "100")])
    assert (Decimal(2), Decimal(5), Decimal(3)) == (rows["100"].spend, rows["100"].earned, rows["100"].profit)
    assert (Decimal("2.5"), Decimal("0.5")) == (rows["100"].roas, rows["100"].epc)
    assert ways == {"campaign id": 1}


async def test_a_sub_id_that_is_an_ad_id_leads_to_its_campaign(land):
    """Whether the ad landed or only its statistics."""
    rows, ways = await joined(land, [sale(1, "5", "paid", "9001")], ads=[ad("9001", "200")])
    assert (Decimal(5), {"ad id": 1}) == (rows["200"].earned, ways)


async def test_a_sub_id_that_stands_in_an_ads_link_leads_to_its_campaign(land):
    """As its UTM label, percent-encoded there."""
    link = ad("9001", "200", "https://shop.example/?utm_source=ak&utm_campaign=Gr%C3%B6%C3%9Fe+7#top")
    rows, ways = await joined(land, [sale(1, "5", "paid", "Größe 7"), sale(2, "1", "paid", "ak")], ads=[link])
    assert (Decimal(5), {"link label": 1, "none": 1}) == (rows["200"].earned, ways)


async def test_an_id_counts_before_a_label(land):
    """The surest way wins, whatever its place among the sub ids."""
    link = ad("9001", "200", "https://shop.example/?ref1=red")
    rows, _ = await joined(land, [sale(1, "5", "paid", "red", "100")], ads=[link])
    assert (Decimal(5), Decimal(0)) == (rows["100"].earned, rows["200"].earned)


async def test_what_leads_to_several_campaigns_leads_to_none(land):
    """Nothing is counted twice, nothing is guessed, and nothing is lost."""
    links = [ad("1", "100", "https://a.example/?ref1=red"), ad("2", "200", "https://a.example/?ref1=red")]
    rows, ways = await joined(land, [sale(1, "5", "paid", "red")], ads=links)
    assert (Decimal(5), None, None) == (rows[None].earned, rows[None].network, rows[None].campaign_name)
    assert ways == {"several campaigns": 1}


async def test_one_id_on_two_accounts_is_ambiguous(land):
    """An id is unique on its own network only."""
    await land([campaign("100"), stat("100", "2")], name="other")
    rows, ways = await joined(land, [sale(1, "5", "paid", "100")])
    assert (Decimal(5), {"several campaigns": 1}) == (rows[None].earned, ways)


async def test_income_without_a_campaign_stays_in_the_totals(land):
    """On a line of its own."""
    rows, ways = await joined(land, [sale(1, "5", "paid"), sale(2, "1", "paid", "somewhere else")])
    assert (Decimal(6), 2) == (rows[None].profit, rows[None].transactions)
    assert ways == {"none": 2}


async def test_two_currencies_of_one_campaign_are_two_rows(land):
    """No rate is applied."""
    await land([stat("100", "2")])
    uri = await land.income([sale(1, "5", "paid", "100", currency="EUR")])
    with open_tables(uri) as tables:
        rows = [(row.currency, row.campaign_id, row.spend, row.earned) for row in profit(tables)]
    assert rows == [("EUR", "100", 0, 5), ("USD", "100", 2, 0)]


async def test_pending_income_is_expected_and_declined_is_not(land):
    """Profit counts what is earned."""
    rows, _ = await joined(land, [sale(1, "5", "pending", "100"), sale(2, "9", "declined", "100")])
    assert (Decimal(-2), Decimal(3)) == (rows["100"].profit, rows["100"].expected)


async def test_profit_by_day_joins_days_of_both(land):
    """The day of the spend and the day of the sale."""
    await land([stat("100", "2"), stat("100", "1", day=date(2026, 1, 15))])
    uri = await land.income([sale(1, "5", "paid", "100")])
    with open_tables(uri) as tables:
        rows = [(row.day, row.profit) for row in profit(tables, by=["day"])]
    assert [(NOON.date(), Decimal(3)), (date(2026, 1, 15), Decimal(-1))] == rows


async def test_one_position_of_the_sub_ids_may_be_chosen(land):
    """Where only one of them carries the id."""
    await land([stat("100", "2"), stat("200", "2")])
    uri = await land.income([sale(1, "5", "paid", "100", "200")])
    with open_tables(uri) as tables:
        found = {row.campaign_id: row.earned for row in profit(tables, position=2)}
    assert found == {"100": 0, "200": 5}


async def test_profit_by_sub_id_knows_the_spend_of_campaigns_and_ads(land):
    """Other labels have a spend and clicks that nobody knows."""
    ads = [stat("9001", "0.75", level="ad", campaign_id="100"), ad("9001", "100")]
    await land([stat("100", "2"), *ads])
    sales = [sale(1, "5", "paid", "100"), sale(2, "1", "paid", "9001"), sale(3, "1", "paid", "", "red")]
    uri = await land.income(sales)
    with open_tables(uri) as tables:
        rows = profit(tables, by=["sub_id"])
    found = {row.sub_id: (row.spend, row.profit, row.clicks) for row in rows}
    assert {
        "100": (2, 3, 10), "9001": (Decimal("0.75"), Decimal("0.25"), 10), "red": (None, None, None)
    } == found  # fmt: skip


async def test_profit_by_sub_id_leaves_out_the_ads_of_that_id_on_other_accounts(land):
    """An ad whose campaign is not known is none that a sub id can lead to."""
    await land([stat("9", "50", level="ad")], name="other")
    await land([stat("9", "1", level="ad", campaign_id="100")])
    uri = await land.income([sale(1, "5", "paid", "9")])
    with open_tables(uri) as tables:
        assert [(row.sub_id, row.spend, row.clicks) for row in profit(tables, by=["sub_id"])] == [
            ("9", 1, 10)
        ]


async def test_an_affiliate_networks_own_ads_lead_nowhere(land):
    """Their ids are no ads that we pay for."""
    await land([stat("100", "2")])
    uri = await land.income([ad("9001", "boots"), sale(1, "5", "paid", "9001")])
    with open_tables(uri) as tables:
        assert [row.how for row in matching(tables)] == ["none"]


async def test_spend_without_a_campaign_is_not_called_income(land):
    """Each note stands only where there is such a row."""
    spent, earned = "is spend whose campaign did not land", "is income that no campaign could be found for"
    with open_tables(await land([stat("9", "50", level="ad")])) as tables:
        note = profit_report(tables).sections[1].note
    assert (spent in note, earned in note) == (True, False)
    with open_tables(await land.income([sale(1, "5", "paid")])) as tables:
        note = profit_report(tables).sections[1].note
    assert (spent in note, earned in note) == (True, True)


@pytest.mark.parametrize("by", [["offer"], ["sub_id", "day"]])
async def test_profit_refuses_what_it_cannot_tell_apart(land, by):
    """Offers have no spend, and sub ids are told alone."""
    uri = await land([stat("100", "2")])
    with open_tables(uri) as tables, pytest.raises(ConfigurationError, match="profit"):
        profit(tables, by=by)


async def test_sub_ids_are_counted_from_one(land):
    """Not from zero."""
    uri = await land([stat("100", "2")])
    with open_tables(uri) as tables, pytest.raises(ConfigurationError, match="counted from 1"):
        profit(tables, position=0)


async def test_a_link_that_is_not_utf_8_harms_no_other(land):
    """Old systems write labels in windows-1251 or Latin 1; such a label is taken as it stands."""
    await land([
        campaign("1"),
        ad("9", "1", "https://shop.example/?utm_campaign=%E9t%E9&utm_content=a%20b"),
        stat("1", "3"),
    ])  # fmt: skip
    uri = await land.income([sale(1, "5", "approved", "a b"), sale(2, "7", "approved", "%E9t%E9")])
    with open_tables(uri) as tables:
        assert [(row.how, row.earned) for row in matching(tables)] == [("link label", Decimal(12))]
        assert [(row.campaign_id, row.profit) for row in profit(tables)] == [("1", Decimal(9))]
