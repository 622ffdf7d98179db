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


def test_no_option_is_called_like_a_keyword_of_connect():
    """Its value could not be told from ours; the connector is told as broken, before an account of it fails."""
    parameters = inspect.signature(adnet.connect).parameters.values()
    taken = {one.name for one in parameters if one.kind is not inspect.Parameter.VAR_KEYWORD}
    assert taken | set(config._COMMON) == registry.TAKEN
    options = (*TargetCircle.options, Option("name", "the login's name"))
    named = type("Named", (TargetCircle,), {"network": "named", "options": options})
    assert registry._problem(named, "named").endswith("called like keywords of adnet.connect: name")
    assert registry._problem(TargetCircle, "targetcircle") is None


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
