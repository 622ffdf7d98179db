"""What the sandbox does not show: units that have to be found out, totals that do not add up."""

from datetime import UTC, date
from decimal import Decimal

import pytest

from adnet.connectors.adskeeper import clicks, codec, figures, readers
from adnet.connectors.adskeeper.codec import Book
from adnet.errors import SchemaError
from adnet.money import Money

BOOK = Book(currency="USD", zone=UTC)
DAY = date(2026, 9, 1)


def widget(total, **sources):
    parts = {sub: {"clicks": n, "spent": spent, "buy": buy} for sub, (n, spent, buy) in sources.items()}
    count, spent, buy = total
    row = {
        "clicks": count,
        "spent": spent,
        "buy": buy,
        "sources": {k.strip("_"): v for k, v in parts.items()},
    }
    (found,) = figures.places({"510": {"d": {"77": row}}}, "510")
    return {
        row.object_id: (row.clicks, str(row.spend.amount), row.conversions)
        for row in codec.source_days("510", found, DAY, BOOK)
    }


def test_sources_stand_for_their_widget():
    """Where the parts are the whole, the widget is no row of its own; source 0 is its own traffic."""
    assert widget((10, "1.0", 1), _0=(4, "0.4", 1), _12=(6, "0.6", 0)) == {
        "510:77": (4, "0.4", 1),
        "510:77/12": (6, "0.6", 0),
    }


def test_two_keys_of_a_widgets_own_traffic_are_one_row_with_both():
    """No name and "0" both mean no sub-source: neither replaces the other, and the rest comes to them."""
    parts = {"_": (4, "0.4", 1), "_0": (5, "0.5", 1)}
    assert widget((9, "0.9", 2), **parts) == {"510:77": (9, "0.9", 2)}
    assert widget((10, "1.0", 3), **parts) == {"510:77": (10, "1.0", 3)}


@pytest.mark.parametrize(
    ("sources", "rows"),
    [
        ([{"clicks": 2, "spent": "0.2"}], {"510:77": (2, "0.2", 0)}),
        (
            [{"clicks": 1, "spent": "0.1"}, {"clicks": 1, "spent": "0.1"}],
            {"510:77": (1, "0.1", 0), "510:77/1": (1, "0.1", 0)},
        ),
        ([{"sourceId": 12, "clicks": 2, "spent": "0.2"}], {"510:77/12": (2, "0.2", 0)}),
    ],
)
def test_sources_that_count_from_zero_are_a_list(sources, rows):
    """As an empty map arrives as an empty list, one whose only key is 0 arrives as a list of one: own traffic."""
    row = {"clicks": 2, "spent": "0.2", "sources": sources}
    (found,) = figures.places({"510": {"d": {"77": row}}}, "510")
    assert rows == {
        row.object_id: (row.clicks, str(row.spend.amount), row.conversions)
        for row in codec.source_days("510", found, DAY, BOOK)
    }


def test_what_no_source_tells_is_the_widgets_own():
    """A total beyond its sources loses nothing."""
    assert widget((10, "1.0", 2), _12=(6, "0.6", 1)) == {"510:77/12": (6, "0.6", 1), "510:77": (4, "0.4", 1)}
    assert widget((10, "1.0", 0), _0=(1, "0.1", 0), _12=(6, "0.6", 0)) == {
        "510:77": (4, "0.4", 0),
        "510:77/12": (6, "0.6", 0),
    }


@pytest.mark.parametrize("spent", ["0.30000000000000004", "0.3000004", "0.29999999999999999"])
def test_what_a_sum_of_floats_has_too_much_is_no_traffic(spent):
    """A network adds up in binary: a rest that no table keeps is no row of the widget's own."""
    assert widget((10, spent, 0), _12=(4, "0.1", 0), _13=(6, "0.2", 0)) == {
        "510:77/12": (4, "0.1", 0),
        "510:77/13": (6, "0.2", 0),
    }
    assert widget((10, "0.300001", 0), _12=(4, "0.1", 0), _13=(6, "0.2", 0))["510:77"] == (0, "0.000001", 0)


def test_sources_beyond_their_widget_count_as_they_are():
    """A widget that is less than its sources is no total of them."""
    assert widget((1, "0.1", 0), _12=(6, "0.6", 0)) == {"510:77/12": (6, "0.6", 0)}


def test_nothing_is_no_row():
    """A source without clicks, spend and conversions did not happen; nor did such a day of an ad or campaign."""
    assert widget((0, "0", 0), _12=(0, "0", 0)) == {}
    assert codec.campaign_day(figures.campaign_figures("5", {"clicks": 0, "imps": 0}), DAY, BOOK) is None
    found = figures.teaser_figures("9", {"teaser-stat": {"2026-09-01": {"clicks": 0, "shows": 0}}})
    assert codec.ad_day(found.days[0], found, "5", BOOK) is None


@pytest.mark.parametrize(
    ("told", "read"), [("eur", "EUR"), ("usd", "USD"), (None, "USD"), ("$", "USD"), (5, "USD")]
)
def test_an_ad_s_figures_are_in_the_currency_that_they_tell(told, read):
    """The account's currency is for what tells none."""
    answer = {"currency": told, "teaser-stat": {"2026-09-01": {"clicks": 1, "spent": "0.5"}}}
    found = figures.teaser_figures("9", answer)
    row = codec.ad_day(found.days[0], found, "5", BOOK)
    assert (row.spend, row.currency) == (Money("0.5", read), read)


def report(prices, earned):
    rows = [{"time": "2026-09-01 04:00:00", "price": price, "informerUid": "77"} for price in prices]
    value = {"statistics": {"summary": {"fundsEarned": earned}, "acceptedClicks": rows}}
    return clicks.clicks(figures.click_report("510", value), BOOK, b"key")


def test_prices_of_clicks_are_in_the_unit_that_adds_up():
    """The document does not say whether they are cents; the summary's total tells."""
    assert [row.cost for row in report(["0.10", "0.20"], "0.30")] == [
        Money("0.10", "USD"),
        Money("0.20", "USD"),
    ]
    assert [row.cost for row in report(["10", "20"], "0.30")] == [Money("0.1", "USD"), Money("0.2", "USD")]
    assert [row.cost for row in report(["0"], None)] == [Money("0", "USD")]


@pytest.mark.parametrize(
    ("prices", "earned", "cost"),
    [
        (["10", "20"], "10", "10"),
        (["10"], "30", "10"),
        (["10", "20"], "0.10", "0.1"),
        (["10"], "0.30", "0.1"),
    ],
)
def test_clicks_taken_back_or_missing_do_not_change_the_unit(prices, earned, cost):
    """Sums drift apart when a network takes clicks back; a price is not a hundredth for that."""
    assert report(prices, earned)[0].cost == Money(cost, "USD")


@pytest.mark.parametrize("earned", [None, "0", "1", "0.01"])
def test_a_price_of_an_unknown_unit_is_no_cost(earned):
    """Ten may be dollars or cents: it stays in ``raw``."""
    (row,) = report(["10"], earned)
    assert (row.cost, row.raw["price"]) == (None, "10")


def test_equal_clicks_are_numbered_whatever_their_order():
    """Clicks that agree in all get keys of their own, the same ones in any order."""
    one = report(["0.1", "0.1", "0.2"], "0.4")
    other = report(["0.2", "0.1", "0.1"], "0.4")
    assert {(row.click_key, row.cost) for row in one} == {(row.click_key, row.cost) for row in other}
    assert len({row.click_key for row in one}) == 3


def test_a_click_without_a_time_is_another_shape():
    """A time that cannot be read is a SchemaError."""
    rows = [{"time": "soon"}]
    value = {"statistics": {"acceptedClicks": rows}}
    with pytest.raises(SchemaError, match="time"):
        clicks.clicks(figures.click_report("510", value), BOOK, b"key")


def test_without_a_currency_amounts_stay_in_raw():
    """Money needs its currency; where the network does not tell it, none is made up."""
    row = figures.campaign_figures("5", {"clicks": 1, "spent": Decimal("0.5")})
    found = codec.campaign_day(row, DAY, Book())
    assert (found.spend, found.currency, found.raw["spent"]) == (None, None, Decimal("0.5"))


def test_a_status_may_be_a_word():
    """Where no id comes, the one word that was seen counts, and others stay readable."""
    active = readers.campaign({"id": 1, "status": "active"})
    odd = readers.campaign({"id": 1, "status": {"name": "sleeping"}})
    assert codec.campaign_status(active) == "active"
    assert codec.campaign(odd, BOOK).status_raw == "sleeping"
    assert codec.campaign(odd, BOOK).status == "unknown"


def test_the_bid_is_the_highest_price():
    """Prices are cents by location; without any there is no bid."""
    prices = [{"locationId": 1, "priceOfClick": "1.5"}, {"locationId": 2, "priceOfClick": 12}, {}]
    found = readers.teaser({"id": 9, "priceOfClickByLocations": prices})
    assert codec.ad(found, BOOK).bid == Money("0.12", "USD")
    assert codec.ad(readers.teaser({"id": 9}), BOOK).bid is None


def test_geo_is_what_was_asked_for_last():
    """A pending change counts; where none is pending, what holds does."""
    us = {"countries": {"US": {"code": "US", "cities": []}}}
    de = {"countries": {"DE": {"code": "DE", "cities": {"6": {"id": 6}}}}}
    none = {"countries": []}
    asked = readers.geo({"targets": {"actual": us, "requested": de}})
    held = readers.geo({"targets": {"actual": us, "request": none}})
    assert codec.geo(asked) == {"countries": [], "cities": ["6"]}
    assert codec.geo(held) == {"countries": ["US"], "cities": []}
