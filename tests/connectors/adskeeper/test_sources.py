"""Blocking, allowing and bidding: the right edit of the right kind of list, and an outcome for each source."""

import asyncio
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

import adnet
from adnet.connectors.adskeeper.changes.targetings import widget_edits
from adnet.errors import InvalidRequestError, NotFoundError
from adnet.models import Update
from tests.connectors.adskeeper.kit import SINCE, UNTIL, WIDE, home, rows, scripted

W1, W2, W3 = "5600001", "5600014", "5600027"


def form(request):
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


async def prepared(it, kind, widgets):
    """Give a campaign a list of widgets, past the API."""
    row = it.campaign(lambda row: not row.by_sources and not row.dsp and row.own_status in {6, 7})
    held = it.sandbox.account.campaigns[row.id]
    held.widgets_type, held.widgets = kind, dict(widgets)
    return str(row.id)


CASES = [
    # verb, kind of list, list, sources, sent, list afterwards, statuses
    ("block", "off", {}, [W1], "include,except,{W1}", {W1: []}, ["done"]),
    ("block", "except", {W1: []}, [W1, W2], "include,except,{W2}", {W1: [], W2: []}, ["unchanged", "done"]),
    ("block", "except", {W1: ["12"]}, [f"{W1}/12", f"{W1}/34"], "include,except,{W1}s34", {W1: ["12", "34"]},
     ["unchanged", "done"]),
    ("block", "except", {W1: ["12"]}, [W1], "include,except,{W1}", {W1: []}, ["done"]),
    ("block", "except", {W1: []}, [f"{W1}/12"], None, {W1: []}, ["unchanged"]),
    ("block", "only", {W1: [], W2: []}, [W1, W3], "exclude,only,{W1}", {W2: []}, ["done", "unchanged"]),
    ("block", "only", {W1: ["12", "34"]}, [f"{W1}s12"], "exclude,only,{W1}s12", {W1: ["34"]}, ["done"]),
    ("block", "only", {W1: []}, [f"{W1}/12"], None, {W1: []}, ["failed"]),
    ("allow", "off", {}, [W1], None, {}, ["unchanged"]),
    ("allow", "except", {W1: [], W2: []}, [W1, W3], "exclude,except,{W1}", {W2: []}, ["done", "unchanged"]),
    ("allow", "except", {W1: ["12", "34"]}, [W1], "exclude,except,{W1}s12,{W1}s34", {}, ["done"]),
    ("allow", "except", {W1: []}, [f"{W1}/12"], None, {W1: []}, ["failed"]),
    ("allow", "only", {W1: []}, [W1, f"{W2}/9"], "include,only,{W2}s9", {W1: [], W2: ["9"]}, ["unchanged", "done"]),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "kind", "before", "ids", "sent", "after", "statuses"), CASES)
async def test_the_list_decides_about_the_edit(verb, kind, before, ids, sent, after, statuses):
    """Blocking adds to a list of the avoided and takes out of one of the allowed; allowing the other way round."""
    async with home() as it:
        campaign = await prepared(it, kind, before)
        found = await getattr(it.account, f"{verb}_sources")(campaign, ids)
        assert [outcome.status for outcome in found] == statuses
        assert found.ids == tuple(ids)
        told = [form(request)["widgetsFilterUid"] for request in it.writes]
        assert told == ([] if sent is None else [sent.format(W1=W1, W2=W2)])
        assert it.sandbox.account.campaigns[int(campaign)].widgets == after


@pytest.mark.parametrize(
    ("data", "statuses"),
    [
        (["77"], ["done", "failed"]),
        ([" 123S45 "], ["failed", "done"]),
        (["123(45)"], ["unknown", "unknown"]),
        (["77", "45"], ["unknown", "failed"]),
        ([], ["failed", "failed"]),
        (None, ["failed", "failed"]),
    ],
)
async def test_what_is_rejected_under_another_name_is_not_told_as_done(data, statuses):
    """Which of the sources a word stands for cannot be told then, and none may pass for blocked that is not."""
    answer = {"id": 510, "errors": "[WIDGETS_WITH_THESE_IDS_DO_NOT_EXIST]", "data": data}
    async with scripted({"id": 510, "widgetsFilterUid": []}, answer) as (account, _):
        found = await account.block_sources("510", ["123/45", "77"])
        assert [outcome.status for outcome in found] == statuses
        assert all(outcome.error for outcome in found if outcome.status != "done")


@pytest.mark.parametrize(
    ("before", "ids", "last"),
    [
        ({W1: []}, [W1], [W1]),
        ({W1: ["12"], W2: []}, [W2, f"{W1}/12", W3], [W2, f"{W1}/12"]),
        ({W1: ["12", "34"]}, [W1], [W1]),
    ],
)
async def test_no_campaign_loses_the_last_source_that_it_keeps_to(before, ids, last):
    """What an empty list means is not documented; if it means no list, the campaign would run everywhere."""
    async with home() as it:
        campaign = await prepared(it, "only", before)
        found = await it.account.block_sources(campaign, ids)
        assert [outcome.id for outcome in found if not outcome.ok] == last
        assert "pause the campaign" in found.failed[0].error.message
        assert it.writes == []
        with pytest.raises(InvalidRequestError, match="pause the campaign"):
            await it.connector.express("sources", "block", [(campaign, ids)])


async def test_two_blocks_at_once_leave_the_last_source_that_a_campaign_keeps_to():
    """Each of them alone leaves one; together they must as well."""
    async with home() as it:
        campaign = await prepared(it, "only", {W1: [], W2: []})
        one, two = await asyncio.gather(*(it.account.block_sources(campaign, [uid]) for uid in (W1, W2)))
        assert sorted([one[0].status, two[0].status]) == ["done", "failed"]
        assert it.sandbox.account.campaigns[int(campaign)].widgets == {W2: []}


async def test_two_processes_leave_the_last_source_that_a_campaign_keeps_to(tmp_path):
    """A nightly run and an application each take one out of the same list: together they must leave one as well."""
    state = f"sqlite:{tmp_path / 'state.db'}"
    async with home(options={"state": state}) as it:
        campaign = await prepared(it, "only", {W1: [], W2: []})
        options = {
            "limits": WIDE,
            "clock": it.connector.session.clock,
            "state": state,
            **it.sandbox.credentials,
        }
        async with adnet.connect("adskeeper", base_url=it.sandbox.base_url, **options) as other:
            one, two = await asyncio.gather(
                it.account.block_sources(campaign, [W1]), other.block_sources(campaign, [W2])
            )
        assert sorted([one[0].status, two[0].status]) == ["done", "failed"]
        assert it.sandbox.account.campaigns[int(campaign)].widgets


async def test_a_block_and_an_edit_at_once_leave_the_last_source_that_a_campaign_keeps_to():
    """Both read the list before they change it, and neither may read it while the other is about to."""
    async with home() as it:
        campaign = await prepared(it, "only", {W1: [], W2: []})
        edit = Update(campaign, {"targeting": {"widgetsFilterUid": {"widgets": {W1: None}}}})
        one, two = await asyncio.gather(
            it.account.update_campaigns([edit]), it.account.block_sources(campaign, [W2])
        )
        assert sorted([one[0].status, two[0].status]) == ["done", "failed"]
        assert it.sandbox.account.campaigns[int(campaign)].widgets


@pytest.mark.parametrize("verb", ["block", "allow"])
@pytest.mark.parametrize(
    ("told", "source"),
    [
        ({"widgetsFilterUid": {"filterType": "allowlist", "widgets": {"1": "[]"}}}, "77"),
        ({"sourceFilters": {"filterType": "only", "sources": ["a.example"]}}, "source:b.example"),
    ],
)
async def test_a_list_of_an_unknown_type_is_left_alone(verb, told, source):
    """An edit of the wrong kind would replace it; whether it is kept to or avoided cannot be told."""
    async with scripted({"id": 5, **told}) as (account, wire):
        (outcome,) = await getattr(account, f"{verb}_sources")("5", [source])
        assert isinstance(outcome.error, InvalidRequestError)
        assert [request.route.method for request in wire.sent] == ["GET"]


async def test_no_campaign_loses_the_last_source_in_the_networks_sense():
    """Whether it is named by its name or by its id."""
    async with home() as it:
        row = it.campaign(lambda row: row.by_sources and not row.dsp and row.own_status in {6, 7})
        held = it.sandbox.account.campaigns[row.id]
        held.sources.type, held.sources.items = "allowlist", ["4105", "4106"]
        (outcome,) = await it.account.block_sources(row.id, ["source:4105"])
        kept = it.sandbox.account.campaigns[row.id].sources
        assert (outcome.status, kept.items) == ("done", ["4106"])
        (outcome,) = await it.account.block_sources(row.id, ["source:source6.example"])
        assert isinstance(outcome.error, InvalidRequestError)
        assert len(it.writes) == 1


async def test_sources_are_named_as_statistics_name_them():
    """An object_id of the source level blocks that source, and one of another campaign is refused."""
    async with home() as it:
        found = await rows(it.account.list_stats(since=SINCE, until=UNTIL, level="source"))
        row = next(row for row in found if "/" in row.object_id)
        it.sandbox.account.campaigns[int(row.campaign_id)].widgets_type = "off"
        (outcome,) = await it.account.block_sources(row.campaign_id, [row.object_id])
        assert outcome.status == "done"
        uid, _, sub = row.object_id.partition(":")[2].partition("/")
        assert it.sandbox.account.campaigns[int(row.campaign_id)].widgets[uid] == [sub]
        (outcome,) = await it.account.block_sources(row.campaign_id, ["7:123"])
        assert isinstance(outcome.error, InvalidRequestError)


@pytest.mark.parametrize("variant", [{}, {"validation_status": 400}], ids=str)
async def test_unknown_sources_fail_by_themselves(variant):
    """Some bad ones are rejected while the good ones are saved; only bad ones fail all; words are refused unsent."""
    async with home(**variant) as it:
        campaign = await prepared(it, "off", {})
        found = await it.account.block_sources(campaign, [W1, "77", "not a uid", f"{W2}/*"])
        assert [outcome.status for outcome in found] == ["done", "failed", "failed", "failed"]
        assert [type(outcome.error) for outcome in found[1:3]] == [NotFoundError, InvalidRequestError]
        found = await it.account.block_sources(campaign, ["77", "78"])
        assert {type(outcome.error) for outcome in found} == {NotFoundError}
        assert it.sandbox.account.campaigns[int(campaign)].widgets == {W1: []}


async def test_an_unknown_campaign_fails_every_source():
    """Each source has its outcome, whatever went wrong."""
    async with home() as it:
        found = await it.account.block_sources("7", [W1, W2])
        assert [type(outcome.error) for outcome in found] == [NotFoundError, NotFoundError]


async def test_sources_in_the_networks_sense():
    """Campaigns with the optimisation by sources keep a blocklist of names and ids."""
    async with home() as it:
        row = it.campaign(lambda row: row.by_sources and not row.dsp and row.own_status in {6, 7})
        held = it.sandbox.account.campaigns[row.id]
        held.sources.type, held.sources.items = "blocklist", ["4101"]
        names = ["source:4105", "source:source6.example", "source:nobody"]
        found = await it.account.block_sources(row.id, names)
        assert [outcome.status for outcome in found] == ["done", "done", "failed"]
        assert it.sandbox.account.campaigns[row.id].sources.items == ["4101", "4105", "4106"]
        (outcome,) = await it.account.allow_sources(row.id, ["source:4101"])
        assert outcome.ok
        assert it.sandbox.account.campaigns[row.id].sources.items == ["4105", "4106"]
        it.sandbox.account.campaigns[row.id].sources.type = "off"
        (outcome,) = await it.account.allow_sources(row.id, ["source:4101"])
        assert outcome.status == "unchanged"


async def test_bids_go_where_they_belong():
    """Widgets and sub-sources in one write, widgets with all their sub-sources in another."""
    async with home() as it:
        campaign = await prepared(it, "off", {})
        factors = {W1: Decimal("1.3"), f"{W2}/9": Decimal("0.5"), f"{W3}/*": Decimal(2), "odd": Decimal(1)}
        found = await it.account.bid_sources(campaign, factors)
        assert [outcome.status for outcome in found] == ["done", "done", "done", "failed"]
        assert [form(request) for request in it.writes] == [
            {"widgetQualityFactor": f'{{"{W3}":2}}'},
            {"qualityFactor": f'{{"{W1}":1.3,"{W2}s9":0.5}}'},
        ]
        held = it.sandbox.account.campaigns[int(campaign)].quality
        assert (held[W1], held[f"{W2}s9"], held[W3]) == (Decimal("1.3"), Decimal("0.5"), Decimal(2))


async def test_a_bid_on_a_part_outlasts_one_on_the_whole():
    """A factor for all sub-sources replaces theirs, so that those which are named by themselves come after it."""
    async with home() as it:
        campaign = await prepared(it, "off", {})
        widgets = it.sandbox.account.widgets.items()
        uid, (sub, other, *_) = next((uid, subs) for uid, subs in widgets if len(subs) > 1)
        factors = {f"{uid}/{sub}": Decimal(2), f"{uid}/*": Decimal("0.5"), uid: Decimal(3)}
        found = await it.account.bid_sources(campaign, factors)
        assert [outcome.status for outcome in found] == ["done"] * 3
        held = it.sandbox.account.campaigns[int(campaign)].quality
        assert (held[f"{uid}s{sub}"], held[f"{uid}s{other}"], held[uid]) == (2, Decimal("0.5"), 3)


async def test_one_source_may_be_spelt_twice():
    """Spellings of one source are one member, and each has its outcome; two factors for it are refused."""
    async with home() as it:
        campaign = await prepared(it, "only", {W1: ["12"], W2: []})
        spellings = [f"{W1}/12", f"{W1}s12", f"{campaign}:{W1}/12", W1]
        found = await it.account.block_sources(campaign, spellings)
        assert [outcome.status for outcome in found] == ["done"] * 4
        assert form(it.writes[0]) == {"widgetsFilterUid": f"exclude,only,{W1}s12"}
        factors = {f"{W1}/12": Decimal(2), f"{W1}s12": Decimal(2), f"{campaign}:{W1}/12": Decimal(3)}
        found = await it.account.bid_sources(campaign, factors)
        assert [outcome.status for outcome in found] == ["done", "done", "failed"]


async def test_a_factor_is_a_number_above_zero():
    """A factor of no use fails without a request."""
    async with home() as it:
        campaign = await prepared(it, "off", {})
        found = await it.account.bid_sources(campaign, {W1: Decimal(0)})
        assert isinstance(found[0].error, InvalidRequestError)
        assert it.writes == []


async def test_bids_on_sources_in_the_networks_sense():
    """``source:`` bids need the optimisation by sources, and the others must not have it."""
    async with home() as it:
        row = it.campaign(lambda row: row.by_sources and not row.dsp and row.own_status in {6, 7})
        found = await it.account.bid_sources(row.id, {"source:4105": Decimal("1.5"), W1: Decimal(2)})
        assert [outcome.status for outcome in found] == ["done", "failed"]
        assert "OPTIMIZATION" in found[1].error.message


async def test_long_lists_go_in_several_requests():
    """A thousand sources are two requests, and each has its outcome."""
    async with home() as it:
        campaign = await prepared(it, "off", {})
        every = list(it.sandbox.account.widgets) + [f"{W1}/{sub}" for sub in range(500)]
        found = await it.account.block_sources(campaign, every)
        assert len(found) == len(every)
        assert len(it.writes) == 2


async def test_the_requests_can_be_shown():
    """``express`` gives what would be sent, and refuses what would be."""
    async with home() as it:
        campaign = await prepared(it, "only", {W1: [], W2: []})
        (planned,) = await it.connector.express("sources", "block", [(campaign, [W1])])
        assert planned.body == f"widgetsFilterUid=exclude%2Conly%2C{W1}"
        (planned,) = await it.connector.express("sources", "bid", [(campaign, {W1: Decimal("1.5")})])
        assert planned.method == "PATCH"
        assert await it.connector.express("sources", "allow", [(campaign, [W1])]) == []
        with pytest.raises(InvalidRequestError):
            await it.connector.express("sources", "allow", [(campaign, ["odd"])])
        assert it.writes == []


EDITS = [
    ({}, {"1": []}, ([], ["1"], [])),
    ({"1": []}, {}, ([], [], ["1"])),
    ({"1": []}, {"1": ["2"]}, (["1"], ["1s2"], [])),
    ({"1": ["2"]}, {"1": []}, ([], ["1"], [])),
    ({"1": ["2", "3"]}, {"1": ["3", "4"]}, ([], ["1s4"], ["1s2"])),
    ({"1": ["2"]}, {}, ([], [], ["1s2"])),
    ({"1": [], "2": ["5"]}, {"1": [], "2": ["5"]}, ([], [], [])),
]


@pytest.mark.parametrize(("now", "wished", "expected"), EDITS)
def test_one_list_of_widgets_becomes_another(now, wished, expected):
    """A widget that is listed whole leaves before its sub-sources enter; the rest is a difference."""
    assert widget_edits(now, wished) == expected
