"""The connector's own words: what its native client takes, and how it is made."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from adnet.errors import ConfigurationError, CredentialsError, InvalidRequestError, NotFoundError, OriginError
from adnet.testing import answer

from .kit import BASE, TOKEN, connect

PERIOD = {"from_": datetime(2016, 1, 1, tzinfo=UTC), "to": datetime(2016, 2, 1, tzinfo=UTC)}
READY = {"data": [], "status": "READY", "pagesNumber": 0}


@pytest.mark.parametrize(
    "location",
    ["/api/clicks/u-1", "/api/clicks/u-1?page=7", "/api/clicks/u-1?x=1&page=7", "https://tc.example/api/clicks/u-1",
     "https://tc.example:443/api/clicks/u-1#page"],
)  # fmt: skip
async def test_a_page_is_asked_for_at_its_location(location):
    """The location's own page is replaced, the rest of its query kept."""
    account, wire = connect([answer(200, READY)])
    async with account:
        await account.native.get_clicks_page(location, 3)
    assert "/api/clicks/u-1?" in wire.sent[0].url
    assert wire.sent[0].query["page"] == "3"
    assert ("x" in location.partition("?")[2]) is ("x" in wire.sent[0].query)


@pytest.mark.parametrize(
    "location", ["https://elsewhere.example/api/clicks/u-1", "//elsewhere.example/x", "ftp://x/y"]
)
async def test_a_location_elsewhere_is_refused(location):
    """A location that somebody stored or changed is checked like one that a server gives."""
    account, wire = connect([])
    async with account:
        with pytest.raises(OriginError):
            await account.native.get_clicks_page(location)
    assert wire.sent == []


@pytest.mark.parametrize("kind", ["transactions", "clicks", "trades"])
async def test_a_filter_that_there_is_not_is_a_type_error(kind):
    """A slip in a keyword is told like any other wrong argument, with the right ones."""
    account, wire = connect([])
    arguments = {} if kind == "trades" else PERIOD
    if kind == "transactions":
        arguments = {**arguments, "currency": "EUR"}
    async with account:
        with pytest.raises(TypeError, match="adInventory"):
            await getattr(account.native, f"submit_{kind}")(ad_inventory="x", **arguments)
    assert wire.sent == []


async def test_a_comma_inside_a_value_is_refused():
    """The network would read two values where one was meant."""
    account, wire = connect([])
    async with account:
        with pytest.raises(InvalidRequestError, match="'or'"):
            await account.native.submit_trades(category="Loans, Credit")
    assert wire.sent == []


async def test_instants_are_sent_in_utc_and_whole_seconds():
    """The document prints instants with Z and without fractions."""
    account, wire = connect([answer(202, headers={"Location": "/api/clicks/1"})])
    moment = datetime(2016, 1, 1, 1, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))
    async with account:
        await account.native.submit_clicks(from_=moment, to=moment)
    assert b'"from":"2015-12-31T23:30:00Z"' in wire.sent[0].body


@pytest.mark.parametrize(
    "base", ["https://tc.example", "https://tc.example/", "https://tc.example/api", BASE + "/"]
)
async def test_the_documented_paths_stand_below_api(base):
    """A base URL without a path gets the ``/api`` of the document; one with a path is taken as it is."""
    account, wire = connect([answer(404)], base_url=base)
    async with account:
        with pytest.raises(NotFoundError):
            await account.get_offer("x")
    assert wire.sent[0].url == "https://tc.example/api/offers/x"


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"base_url": None}, ConfigurationError, "needs base_url"),
        ({"base_url": "http://tc.example/api"}, ConfigurationError, "https"),
        ({"dialect": "v1"}, ConfigurationError, "g1"),
        ({"send_nulls": "yes"}, ConfigurationError, "send_nulls must be true or false"),
        ({"token": ""}, CredentialsError, "token is missing"),
        ({"token": f"{TOKEN}\n"}, CredentialsError, "white space"),
        ({"colour": "red"}, ConfigurationError, "colour"),
        ({"limits": {"nothing": "4/s"}}, ConfigurationError, "nothing"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(options, error, text):
    """The message names the thing, and holds no token."""
    with pytest.raises(error, match=text) as caught:
        connect([], **options)
    assert TOKEN not in str(caught.value)


async def test_an_account_s_key_follows_its_credentials_alone():
    """Equal credentials have one key in whatever process; another token or host has another one."""
    keys = []
    for options in ({}, {}, {"token": "another-token"}, {"base_url": "https://other.example/api"}):
        account, _ = connect([], **options)
        async with account:
            keys.append(account.account_id)
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


async def test_one_account_has_one_limiter_however_its_base_url_is_written():
    """Processes that share a state share the limits of an account, as they share its reports."""
    seen = set()
    for base in (
        "https://tc.example",
        "https://tc.example/",
        "https://tc.example/api",
        "https://tc.example/api/",
    ):
        account, _ = connect([], base_url=base)
        async with account:
            seen.add((account.account_id, repr(account.connector.limiter)))
    assert len(seen) == 1


async def test_limits_are_told_with_their_source():
    """The document tells one number; the others are our own caution, and say so."""
    account, _ = connect([])
    async with account:
        facts = {fact.name: (fact.value, fact.source) for fact in account.limits}
    assert facts["rows of a report"][0] == 1000
    assert "documented" in facts["rows of a report"][1]
    assert "our own caution" in facts["requests"][1]
