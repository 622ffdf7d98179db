"""Opening an account leaves nothing behind when it fails."""

import pytest

import adnet
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
