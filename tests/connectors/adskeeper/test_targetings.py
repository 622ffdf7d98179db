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
