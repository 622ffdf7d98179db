"""Values in several shapes, and shapes that are none: typed errors, never a KeyError."""

import contextlib
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.connectors.adskeeper import figures, readers, shapes
from adnet.errors import PayloadError, SchemaError

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.decimals(allow_nan=False, places=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)
READERS = [
    readers.client,
    readers.campaign,
    readers.teaser,
    readers.geo,
    readers.targets,
    lambda value: readers.conversion(value, "$"),
    lambda value: readers.conversion_target("buy", value, "$"),
    lambda value: readers.city(value, "$"),
    lambda value: figures.places(value, "510"),
    lambda value: figures.teaser_figures("9", value),
    lambda value: figures.click_report("510", value),
    lambda value: [
        figures.campaign_figures(k, v) for k, v in figures.unwrapped(value, "campaigns-stat").items()
    ],
]
FIELDS = [
    "id", "name", "status", "statistics", "limitsFilter", "widgetsFilterUid", "widgets", "ipsFilter", "targets",
    "category", "510", "clicks", "spent", "sources", "teaser-stat", "date", "acceptedClicks", "time", "price",
    "campaigns-stat", "wallet", "balance", "priceOfClickByLocations", "priceOfClick", "countries", "cities", "actual",
]  # fmt: skip


@pytest.mark.parametrize("read", READERS)
@given(value=st.dictionaries(st.sampled_from(FIELDS), ANYTHING) | ANYTHING)
def test_no_answer_raises_anything_but_ours(read, value):
    """Whatever an answer holds, it is read or it is a SchemaError."""
    with contextlib.suppress(SchemaError):
        read(value)


def test_an_error_of_shape_says_where():
    """The path is in the network's own words."""
    with pytest.raises(SchemaError) as caught:
        readers.campaign({"id": 1, "statistics": {"clicks": "many"}}, "$.1")
    assert caught.value.paths == ("$.1.statistics.clicks",)


@pytest.mark.parametrize(
    ("sent", "read"),
    [(0, 0), ("1", 1), (True, 1), (False, 0), (None, None), ("", None), ("even", None)],
)
def test_a_switch_that_nobody_reads_hides_no_campaign(sent, read):
    """How splitDailyLimitEvenly is told is not documented: a boolean or a word is no reason to refuse the list."""
    row = readers.campaign({"id": 1, "limitsFilter": {"dailyLimit": "50.00", "splitDailyLimitEvenly": sent}})
    assert (row.limits.split_evenly, row.limits.daily) == (read, Decimal("50.00"))


@pytest.mark.parametrize("answer", [{"511": {}}, {"quality-analysis": {"510": {}}}, {"message": "later"}])
def test_figures_of_something_else_are_not_taken_for_none(answer):
    """An answer that does not hold the campaign is no campaign without figures."""
    with pytest.raises(SchemaError) as caught:
        figures.places(answer, "510")
    assert caught.value.paths == ("$.510",)


@pytest.mark.parametrize("answer", [{}, [], None, {"510": []}, {"510": None}, {"510": {"all": []}}])
def test_a_campaign_without_figures_is_empty(answer):
    """In all shapes that emptiness has."""
    assert figures.places(answer, "510") == ()


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ({" 12": "[3, 4]", "5": "[]", "6": None}, {"12": ("3", "4"), "5": (), "6": ()}),
        (["12", 5], {"12": (), "5": ()}),
        ([], {}),
    ],
)
def test_widgets_are_a_map_or_a_list_of_whole_ones(told, read):
    """A list of uids (a client in production reads one) lists no sub-sources."""
    row = readers.campaign({"id": 1, "widgetsFilterUid": {"filterType": "except", "widgets": told}})
    assert (row.widgets.kind, row.widgets.widgets) == ("except", read)


def test_an_empty_map_is_a_list_or_nothing():
    """``[]``, ``null``, ``""`` and ``false`` are empty maps and lists; other things than maps are no maps."""
    assert [shapes.mapping(value, "$") for value in ([], None, "", {}, False)] == [{}] * 5
    assert [shapes.items(value, "$") for value in ([], None, "", {}, False)] == [[]] * 5
    for value in ([1], 0, True, "x"):
        with pytest.raises(PayloadError):
            shapes.mapping(value, "$")


def test_rows_may_be_a_list_that_tells_its_ids():
    """A list of objects is a map of objects by id."""
    assert shapes.rows([{"id": 7, "x": 1}], "$") == {"7": {"id": 7, "x": 1}}
    assert shapes.rows({" 7": {"x": 1}}, "$") == {"7": {"x": 1}}


def test_two_rows_of_one_id_are_none_of_them():
    """A list can hold what a map cannot: figures of one widget in two rows, of which the first would be lost."""
    one, other = {"uid": 77, "clicks": 3, "spent": "0.3"}, {"uid": "77", "clicks": 4, "spent": "0.4"}
    with pytest.raises(SchemaError) as caught:
        figures.places({"510": {"d": [one, other]}}, "510")
    assert caught.value.paths == ("$.510.d[].uid",)
    assert len(figures.places({"510": {"d": [one, dict(one)]}}, "510")) == 1


def test_ids_are_text():
    """Numbers and texts are the same id."""
    assert {shapes.text(7), shapes.text("7"), shapes.text(" 7 ")} == {"7"}
    with pytest.raises(SchemaError):
        shapes.identifier(None, "$.id")


def test_numbers_keep_their_digits():
    """Texts and numbers are exact, and what is no number says so."""
    assert shapes.number("0.10", "$") == Decimal("0.10")
    assert shapes.count(None, "$") == 0
    for wrong in ("plenty", "NaN", True, [], "1e999999", "1.5e99"):
        with pytest.raises(SchemaError):
            shapes.number(wrong, "$.clicks")
    with pytest.raises(SchemaError, match=r"\$\.clicks"):
        shapes.whole("1.5", "$.clicks")


def test_sub_sources_are_text_that_looks_like_a_list():
    """``"[12, 34]"``, ``"[]"``, null and a real list."""
    assert shapes.inner_list("[12, 34]", "$") == ("12", "34")
    assert shapes.inner_list("[]", "$") == shapes.inner_list(None, "$") == ()
    assert shapes.inner_list([12, "34"], "$") == ("12", "34")


def test_days_and_instants_are_on_the_accounts_clock():
    """A zero date is none, and a time is an instant of the account's zone."""
    assert shapes.day("0000-00-00") is None
    assert shapes.day("2026-01-05 10:00:00") == date(2026, 1, 5)
    found = shapes.moment("2026-01-05 10:00:00", ZoneInfo("America/Los_Angeles"))
    assert found == datetime(2026, 1, 5, 18, tzinfo=UTC)
    assert shapes.moment("yesterday", UTC) is None


def test_statistics_are_wrapped_or_bare():
    """``campaigns-stat`` stands within an object of its name or bare, in two spellings."""
    row = {"campaignId": 5, "clicks": 1, "spent": "0.5", "buying": 2}
    old = {"campaign_id": 5, "clicks": 1, "spent": 0, "buy": 2}
    wrapped = figures.unwrapped({"dateInterval": "x", "campaigns-stat": {"5": row}}, "campaigns-stat")
    assert figures.campaign_figures("5", wrapped["5"]).stages.buy == 2
    assert figures.unwrapped({"dateInterval": "x", "campaigns-stat": []}, "campaigns-stat") == {}
    bare = figures.unwrapped({"5": old}, "campaigns-stat")
    assert figures.campaign_figures("5", bare["5"]).campaign_id == "5"
    assert figures.campaign_figures("5", bare["5"]).stages.buy == 2


def test_the_documents_sample_adds_up():
    """A teaser's row of the document: money as printed, nothing computed from its mixed units."""
    day = {"date": "2021-01-11", "clicks": 47, "shows": 33289, "spent": Decimal("0.157888"), "buy": 11}
    (found,) = figures.teaser_figures("9", {"teaser-stat": {"2021-01-11": day}}).days
    assert (found.spent, found.stages.buy) == (Decimal("0.157888"), 11)
    assert round(found.spent / found.clicks * 100, 6) == Decimal("0.335932")


def test_several_periods_in_place_of_one_are_an_error():
    """A widget would have two rows of one day, of which one replaces the other."""
    day = {"77": {"clicks": 3}}
    with pytest.raises(SchemaError) as caught:
        figures.places({"510": {"2026-09-01": day, "2026-09-02": day}}, "510")
    assert caught.value.paths == ("$.510",)


def test_the_period_of_quality_analysis_is_read_whatever_its_name():
    """The key of the period is whatever single one is there."""
    value = {"510": {"lastMonth": {"77": {"clicks": "3", "sources": []}}}}
    (found,) = figures.places(value, "510")
    assert (found.uid, found.clicks, found.spent, found.sources) == ("77", 3, Decimal(0), ())
