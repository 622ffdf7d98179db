"""Answers with status 200 that do not hold what they should: taken neither for success nor for emptiness."""

from functools import partial

import pytest

from adnet.connectors.adskeeper import figures, readers
from adnet.errors import InvalidRequestError, SchemaError
from adnet.models import Update
from adnet.testing.fakes import answer
from tests.connectors.adskeeper.kit import SINCE, TOKEN, UNTIL, rows, scripted

UNSAVED = [{"success": False}, {"error": "try later"}, {"id": None, "message": "no"}, False]


@pytest.mark.parametrize("said", UNSAVED)
async def test_a_stop_is_not_done_because_no_error_was_told(said):
    """Clients in production look for the id: a campaign that may still run is not told as paused."""
    async with scripted(said) as (account, _):
        (outcome,) = await account.update_campaigns([Update("5", {"status": "paused"})])
    assert outcome.status == "unknown"
    assert isinstance(outcome.error, SchemaError)
    assert outcome.error.operation == "campaigns.set_blocked"


@pytest.mark.parametrize("said", [*UNSAVED, [], None])
async def test_a_price_is_not_set_because_no_error_was_told(said):
    """Its answer is documented with an id, so that even an empty one is none."""
    async with scripted(answer(200, said)) as (account, _):
        with pytest.raises(SchemaError, match="neither an id nor errors"):
            await account.native.teasers.set_price("9", 12)


async def test_what_was_said_in_place_of_an_id_is_told_without_secrets():
    """So that a user sees why."""
    async with scripted({"message": f"no {TOKEN} please"}) as (account, _):
        with pytest.raises(SchemaError, match="please") as caught:
            await account.native.campaigns.set_blocked("5", blocked=True)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("said", [{}, [], answer(200)])
async def test_operations_without_a_documented_answer_may_answer_nothing(said):
    """The document shows none for stopping a campaign."""
    async with scripted(said) as (account, _):
        saved = await account.native.campaigns.set_blocked("5", blocked=True)
    assert (saved.id, saved.error) == (None, None)


@pytest.mark.parametrize(
    "read",
    [
        lambda account: rows(account.list_campaigns()),
        lambda account: rows(account.list_ads()),
        lambda account: rows(account.list_stats(since=SINCE, until=UNTIL)),
        lambda account: account.native.statistics.quality("5", SINCE, SINCE),
        lambda account: account.native.targetings.get_browsers("5"),
        lambda account: account.native.conversions.list_stages("5"),
    ],
)
async def test_false_is_no_empty_answer(read):
    """It is what a network says that failed to make one: rows would be missing without a word."""
    async with scripted(False, False, False) as (account, _):
        with pytest.raises(SchemaError, match="false") as caught:
            await read(account)
    assert caught.value.operation


UNTOLD = [
    ({"widgetsFilterUid": {"widgets": {"9": None}}}, "77"),
    ({"sourceFilters": {"sources": ["a.example"]}}, "source:b.example"),
    ({}, "77"),
    ({}, "source:b.example"),
]


@pytest.mark.parametrize(("told", "source"), UNTOLD)
async def test_a_list_that_is_not_told_is_not_taken_for_none(told, source):
    """A list of those to avoid would replace one of those to keep to, and the campaign would be shown everywhere."""
    async with scripted({"id": 5, "name": "Sleep", **told}) as (account, wire):
        (outcome,) = await account.block_sources("5", [source])
        assert isinstance(outcome.error, InvalidRequestError)
        assert [request.route.method for request in wire.sent] == ["GET"]


EDITS = [
    ("widgetsFilterUid", {"widgets": {"77": []}}, {"widgets": {"9": None}}),
    ("ipsFilter", {"ips": ["192.0.2.7"]}, {"ips": ["192.0.2.1"]}),
    ("sourceFilters", {"sources": ["b.example"]}, {"sources": ["a.example"]}),
]


@pytest.mark.parametrize(("name", "edit", "present"), EDITS)
async def test_a_type_that_is_not_told_has_to_be_named(name, edit, present):
    """Without it nothing is sent; with it the list is what was named."""
    update = Update("5", {"targeting": {name: edit}})
    for told in ({}, {name: present}):
        async with scripted({"id": 5, **told}) as (account, wire):
            (outcome,) = await account.update_campaigns([update])
            assert outcome.error.fields.keys() == {f"targeting.{name}.filterType"}
            assert [request.route.method for request in wire.sent] == ["GET"]


@pytest.mark.parametrize("nothing", [[], {}, None])
def test_an_empty_filter_is_off(nothing):
    """The network writes an empty map as a list."""
    row = readers.campaign(
        {"id": 5, "ipsFilter": nothing, "widgetsFilterUid": nothing, "sourceFilters": nothing}
    )
    assert (row.ips.kind, row.widgets.kind, row.sources.kind) == ("off", "off", "off")


LATER = {"message": "later"}


@pytest.mark.parametrize(
    ("read", "said", "path"),
    [
        (partial(figures.teaser_figures, "9"), LATER, "$.teaser-stat"),
        (partial(figures.teaser_figures, "9"), {"status": "active", "currency": "usd"}, "$.teaser-stat"),
        (partial(figures.click_report, "5"), LATER, "$.statistics"),
        (
            partial(figures.click_report, "5"),
            {"id": 5, "statistics": {"summary": {}}},
            "$.statistics.acceptedClicks",
        ),
        (partial(figures.unwrapped, name="campaigns-stat"), {"dateInterval": "x"}, "$.dateInterval"),
        (partial(figures.unwrapped, name="campaigns-stat"), {"rows": {"5": {"clicks": 1}}}, "$.rows"),
        (readers.targets, LATER, "$.targets"),
        (readers.geo, LATER, "$.targets"),
        (readers.geo, {"targets": LATER}, "$.targets.actual"),
    ],
)
def test_an_answer_about_something_else_is_not_empty(read, said, path):
    """Rows would be missing without a word, and an edit would begin from a list that is not there."""
    with pytest.raises(SchemaError) as caught:
        read(said)
    assert caught.value.paths == (path,)


async def test_conversion_targets_of_something_else_are_not_none():
    """An answer that holds no stages is not one of a client without targets; one with none, or empty, is."""
    async with scripted(LATER, {"stages": []}, []) as (account, _):
        with pytest.raises(SchemaError, match=r"\$\.stages"):
            await account.native.conversions.list_targets()
        assert await account.native.conversions.list_targets() == []
        assert await account.native.conversions.list_targets() == []


@pytest.mark.parametrize("nothing", [[], {}, None])
def test_what_is_empty_is_empty_at_every_level(nothing):
    """In all shapes that emptiness has."""
    assert figures.teaser_figures("9", nothing).days == ()
    assert figures.teaser_figures("9", {"teaser-stat": nothing}).days == ()
    assert figures.click_report("5", nothing).clicks == ()
    assert figures.click_report("5", {"statistics": nothing}).clicks == ()
    assert figures.unwrapped(nothing, "campaigns-stat") == {}
    assert readers.targets({"targets": nothing}) == ()
    assert readers.geo({"targets": nothing}).actual.countries == {}


@pytest.mark.parametrize("kind", ["list_campaigns", "list_ads"])
async def test_a_list_in_an_unknown_wrapper_is_no_list_of_one(kind):
    """What holds the rows would pass for a row, and the rows be lost."""
    async with scripted({"data": {"510": {"id": 510}}, "meta": {"count": 1}}) as (account, _):
        with pytest.raises(SchemaError, match=r"at \$\.data"):
            await rows(getattr(account, kind)())
