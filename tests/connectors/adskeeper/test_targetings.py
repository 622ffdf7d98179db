"""Edits of lists that decide where a campaign runs: none opens it to more than was wished, not even on the way."""

from urllib.parse import parse_qsl

import pytest

from adnet.errors import InvalidRequestError
from adnet.models import Update
from tests.connectors.adskeeper.kit import home, scripted


def form(request):
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def by_sources(row):
    return row.by_sources and not row.dsp and row.own_status in {6, 7}


@pytest.mark.parametrize("kind", ["allowlist", "blocklist"])
async def test_a_source_listed_by_its_id_stays_where_it_is_wished_by_its_name(kind):
    """The network tells ids and takes names: what is wished must not be taken out under its other spelling."""
    async with home() as it:
        row = it.campaign(by_sources)
        row.sources.type, row.sources.items = kind, ["4105"]
        edit = {"targeting": {"sourceFilters": {"sources": ["source5.example"]}}}
        (outcome,) = await it.account.update_campaigns([Update(row.id, edit)])
        assert outcome.error.fields.keys() == {"targeting.sourceFilters.sources"}
        assert it.writes == []
        more = {"targeting": {"sourceFilters": {"sources": ["4105", "source6.example"]}}}
        (outcome,) = await it.account.update_campaigns([Update(row.id, more)])
        assert outcome.status == "done"
        assert it.sandbox.account.campaigns[row.id].sources.items == ["4105", "4106"]


async def test_a_source_listed_by_its_name_stays_where_it_is_wished_by_its_id():
    """A list that is told without ids has the same two spellings."""
    row = {"id": 5, "sourceFilters": {"filterType": "allowlist", "sources": ["a.example"]}}
    async with scripted(row) as (account, _):
        edit = {"targeting": {"sourceFilters": {"sources": ["4105"]}}}
        (outcome,) = await account.update_campaigns([Update("5", edit)])
        assert isinstance(outcome.error, InvalidRequestError)


@pytest.mark.parametrize(
    ("listed", "wished"),
    [("192.0.2.7", "192.0.2.7/32"), ("192.0.2.7/32", "192.0.2.7"), ("192.0.2.0/24", "192.0.2.9/24")],
)
async def test_an_address_in_another_spelling_is_the_same_address(listed, wished):
    """It is there already: taking it out under its first spelling might take it out under both."""
    row = {"id": 5, "ipsFilter": {"filterType": "only", "ips": [listed]}}
    async with scripted(row, {"id": 5}) as (account, wire):
        edit = {"targeting": {"ipsFilter": {"ips": [wished, "198.51.100.1"]}}}
        (outcome,) = await account.update_campaigns([Update("5", edit)])
        assert outcome.status == "done"
        assert form(wire.sent[-1]) == {"ipsFilter": "include,only,198.51.100.1"}


@pytest.mark.parametrize("wished", [["safari", "firefoks"], ["firefoks"]])
async def test_a_browser_that_the_network_refuses_leaves_the_others_targeted(wished):
    """A list that is switched off to be filled again must not stay off because of one misspelt word."""
    async with home() as it:
        row = it.campaign(lambda row: row.browsers == ["chrome", "safari"] and row.own_status != 14)
        (outcome,) = await it.account.update_campaigns([Update(row.id, {"targeting": {"browsers": wished}})])
        assert outcome.status == "failed"
        assert it.sandbox.account.campaigns[row.id].browsers == ["chrome", "safari"]


async def test_a_language_is_replaced_by_another():
    """What is new enters first, then the list is switched off and filled with what is wished."""
    async with home() as it:
        row = it.campaign(lambda row: row.languages and row.own_status != 14)
        new = 3 if 3 not in row.languages else 7
        edit = {"targeting": {"browserslanguage": [new]}}
        (outcome,) = await it.account.update_campaigns([Update(row.id, edit)])
        assert outcome.ok
        sent = [(dict(request.query)["enabledFlag"], dict(request.query)["targets"]) for request in it.writes]
        assert [sent[0], sent[-1]] == [("1", f"include,{new}")] * 2
        assert [flag for flag, _ in sent] == ["1", "0", "1"]
        assert it.sandbox.account.campaigns[row.id].languages == [new]


@pytest.mark.parametrize("widgets", [{"77": "[]"}, {"77": "[]", "88": "[]"}])
async def test_the_widgets_that_are_kept_to_do_not_leave_before_their_sub_sources_enter(widgets):
    """If the second write is refused, or never sent, the list would be empty, which might mean all."""
    row = {"id": 5, "widgetsFilterUid": {"filterType": "only", "widgets": widgets}}
    async with scripted(row) as (account, wire):
        edit = {"targeting": {"widgetsFilterUid": {"widgets": {uid: ["12"] for uid in widgets}}}}
        (outcome,) = await account.update_campaigns([Update("5", edit)])
        assert isinstance(outcome.error, InvalidRequestError)
        assert [request.route.method for request in wire.sent] == ["GET"]


async def test_a_widget_gives_way_to_its_sub_source_while_another_is_kept_to():
    """The list is never empty on the way, and an avoided widget may leave its list at any time."""
    async with home() as it:
        for kind, before in (("only", {"5600001": [], "5600014": []}), ("except", {"5600001": []})):
            row = it.campaign(lambda row: not row.by_sources and not row.dsp and row.own_status in {6, 7})
            held = it.sandbox.account.campaigns[row.id]
            held.widgets_type, held.widgets = kind, dict(before)
            edit = {"targeting": {"widgetsFilterUid": {"widgets": {"5600001": ["12"]}}}}
            (outcome,) = await it.account.update_campaigns([Update(row.id, edit)])
            assert outcome.ok
            assert it.sandbox.account.campaigns[row.id].widgets == before | {"5600001": ["12"]}
