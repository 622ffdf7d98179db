"""Opening an account leaves nothing behind when it fails."""

import asyncio
import gc
import inspect
from datetime import date

import pytest

import adnet
from adnet import config, registry
from adnet.connectors.targetcircle import TargetCircle
from adnet.interface import Option
from adnet.sandbox.targetcircle import TargetCircleSandbox
from adnet.testing import ScriptTransport, answer
from adnet.transport.limits import Bucket, Window


async def test_a_failed_opening_closes_the_transport():
    """``async with`` never reaches its end then, so it is done at its beginning."""
    transport = ScriptTransport([answer(401, body=b'{"errors":"The token is not valid"}')])
    with pytest.raises(adnet.AuthenticationError):
        async with adnet.connect("adskeeper", client_id="1", token="a" * 32, transport=transport):
            pass
    assert transport.closed


@pytest.mark.parametrize(
    ("network", "keys", "words"),
    [
        ("targetcircle", {"token": "t", "base_url": "http://example.com"}, "https://"),
        ("targetcircle", {"token": "t"}, "base_url"),
        ("targetcircle", {"base_url": "https://x.example"}, "token is missing"),
        ("targetcircle", {"base_url": "https://x.example", "token": "t", "curency": "EUR"}, "currency"),
        ("targetcircl", {}, "targetcircle"),
    ],
)
def test_nonsense_is_one_clear_error(network, keys, words):
    """It names the thing and the remedy."""
    with pytest.raises(adnet.ConfigurationError, match=words):
        adnet.connect(network, **keys)


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("abcdefgh\n", "begins or ends with white space"),
        ("abcd\nefgh", "line end"),
        ("abcd\refgh", "line end"),
        ("abcd\0efgh", "control character"),
        ("\ufeffabcdefgh", "byte order mark"),
        ("abcd\udce9efgh", "not text in UTF-8"),
        (b"abcdefgh", "must be text"),
        (["abcdefgh"], "must be text"),
        (True, "must be text"),
    ],
)
@pytest.mark.parametrize(
    ("network", "key"), [("targetcircle", "token"), ("adskeeper", "password"), ("mytarget", "client_secret")]
)
def test_a_secret_that_no_request_can_carry_is_refused(network, key, token, words):
    """Before anything is sent: the network would be blamed, five times over, for what it never got to see."""
    with pytest.raises(adnet.CredentialsError, match=f"{key}.* {words}") as caught:
        adnet.connect(network, base_url="https://x.example/api", **{key: token, **NEEDED[network]})
    assert "bcd" not in f"{caught.value!r} {caught.value.__context__!r}"


NEEDED = {
    "targetcircle": {},
    "adskeeper": {"email": "me@x.example"},
    "mytarget": {"client_id": 1},
}
"""What the accounts of each network need beside a secret."""


async def test_a_secret_of_digits_may_be_a_number():
    """As in the configuration."""
    transport = ScriptTransport([answer(200, {"data": []})])
    async with adnet.connect(
        "targetcircle", base_url="https://x.example", token=12345678, transport=transport
    ) as account:
        await account.get_account()
        assert account.connector.session.scrubber.text("12345678") == "***"
    assert transport.sent[0].headers["X-Api-Token"] == "12345678"


async def test_a_bucket_stands_for_the_limit_that_it_is_given_for():
    """Whatever it is called: routes know limits by their own names."""
    transport = ScriptTransport([answer(200, {"data": []})])
    async with adnet.connect(
        "targetcircle", base_url="https://x.example", token="t" * 8, transport=transport,
        limits={"api": Bucket("mine", windows=(Window(1, 60.0),))},
    ) as account:  # fmt: skip
        await account.get_account()
        states = {state.name: state for state in account.connector.limiter.state()}
    assert [(window.limit, window.remaining) for window in states["api"].windows] == [(1, 0)]


def test_no_option_is_called_like_a_keyword_of_connect():
    """Its value could not be told from ours; the connector is told as broken, before an account of it fails."""
    parameters = inspect.signature(adnet.connect).parameters.values()
    taken = {one.name for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD}
    assert taken | set(config._COMMON) == registry.TAKEN
    options = (*TargetCircle.options, Option("name", "the login's name"))
    named = type("Named", (TargetCircle,), {"network": "named", "options": options})
    assert registry._problem(named, "named").endswith("called like keywords of adnet.connect: name")
    assert registry._problem(TargetCircle, "targetcircle") is None


async def test_an_end_that_is_cancelled_closes_the_state():
    """Connections take their time to close; whoever has none left ends the rest all the same."""

    class Slow(ScriptTransport):
        async def close(self):
            await asyncio.sleep(60)

    account = adnet.connect("targetcircle", base_url="https://x.example", token="t" * 8, transport=Slow([]))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await account.close()
    with pytest.raises(adnet.StateError, match="closed"):
        account.state.database.rows("SELECT 1")


async def test_a_reader_may_walk_away(caplog):
    """A ``break`` and the end of the account leave nothing to complain about, whenever Python collects them."""
    async with TargetCircleSandbox(seed=7, ready_after_s=0.0) as sandbox:
        async with adnet.connect(
            "targetcircle", base_url=sandbox.base_url, currency="EUR", **sandbox.credentials
        ) as account:
            async for _ in account.list_transactions(since=date(2026, 1, 1), until=date(2026, 1, 3)):
                break
        gc.collect()
        await asyncio.sleep(0.01)
    assert "never retrieved" not in caplog.text
    assert "error" not in caplog.text.lower()
