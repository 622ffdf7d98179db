"""What visitors did after the click, joined to what the click cost."""

from datetime import date
from decimal import Decimal

import pytest

from adnet.analysis import Days, open_tables
from adnet.analysis.postclick import GoalRow, post_click
from analysis.kit import ad, campaign, stat


def goal(utm_campaign=None, utm_content=None, **rest):
    return GoalRow(
        utm_campaign=utm_campaign,
        utm_content=utm_content,
        **{"goal": "buy", "visits": 8, "reached": 2, **rest},
    )


@pytest.fixture
async def tables(land):
    """Land two campaigns that spent 3 and 2 dollars on ten clicks each; the first with an ad that spent 1."""
    ads = [ad("9001", "100", "https://a.example/?utm_content=red"), ad("9002", "200")]
    spent = [stat("100", "3"), stat("200", "2"), stat("9001", "1", level="ad", campaign_id="100")]
    uri = await land([campaign("100", "One"), campaign("200", "Two"), *ads, *spent])
    with open_tables(uri) as tables:
        yield tables


@pytest.mark.parametrize(
    "labels", [("100", "x"), ("x", "9001"), (None, "red"), (" 100 ", None), ("100", "9002")]
)
async def test_labels_lead_to_their_campaign(tables, labels):
    """By its id, by an ad's id, or because they stand in its links only; ids of campaigns count first."""
    first, second = post_click(tables, [goal(*labels)])
    assert (first.campaign_id, first.name, first.goal, first.reached) == ("100", "One", "buy", 2)
    assert (first.spend, first.cost, first.rate, first.arrival) == (
        3,
        Decimal("1.5"),
        Decimal("0.25"),
        Decimal("0.8"),
    )
    assert (second.campaign_id, second.goal, second.cost) == ("200", None, None)


async def test_labels_of_one_campaign_add_up(tables):
    """By goal."""
    rows = post_click(tables, [goal("100"), goal(None, "9001"), goal("100", goal="call", visits=None)])
    assert [(row.goal, row.visits, row.reached) for row in rows[:2]] == [("buy", 16, 4), ("call", None, 2)]


async def test_goals_that_are_shared_out_add_up_before_they_are_rounded(tables):
    """Two halves of a goal are one."""
    (row, _) = post_click(tables, [goal("100", reached=Decimal("0.5")), goal("100", reached=Decimal("0.5"))])
    assert (row.reached, type(row.reached)) == (1, int)


async def test_goals_without_a_campaign_are_told(tables):
    """With nothing spent."""
    found = {row.campaign_id: row for row in post_click(tables, [goal("elsewhere"), goal()])}
    assert (found[None].reached, found[None].spend, found[None].network) == (4, 0, None)
    assert (found["100"].reached, found["100"].spend) == (0, 3)


async def test_goals_of_unknown_spend_cost_what_nobody_knows(tables):
    """Not nothing: no campaign is known, or nothing of it has landed for these days."""
    rows = post_click(tables, [goal("elsewhere"), goal("100")], Days(date(2030, 1, 1)))
    assert {(row.campaign_id, row.reached, row.cost) for row in rows} == {(None, 2, None), ("100", 2, None)}


async def test_goals_are_joined_to_ads_by_their_ids(tables):
    """With the spend of the ad."""
    rows = post_click(tables, [goal("100", "9001"), goal("100", "red")], by="ad")
    assert [(row.ad_id, row.campaign_id, row.spend, row.reached) for row in rows] == [
        ("9001", "100", 1, 2),
        (None, None, 0, 2),
    ]


async def test_revenue_of_another_currency_has_no_roas(tables):
    """No rate is applied."""
    rows = post_click(tables, [goal("100", revenue=Decimal(9), currency="USD")])
    assert (rows[0].roas, rows[0].revenue_currency) == (3, "USD")
    rows = post_click(tables, [goal("100", revenue=Decimal(9), currency="EUR")])
    assert (rows[0].roas, rows[0].revenue) == (None, 9)


async def test_without_goals_spend_stays(tables):
    """Nothing was reached."""
    assert [(row.campaign_id, row.reached) for row in post_click(tables, [])] == [("100", 0), ("200", 0)]
