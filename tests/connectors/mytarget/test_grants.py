"""What the sandbox's token endpoint does not do, played from a script."""

from contextlib import ExitStack
from urllib.parse import parse_qs

import pytest

import adnet
from adnet.errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidRequestError,
    SchemaError,
    TokenRevokedError,
)
from adnet.state import State
from adnet.testing import FakeClock, ScriptTransport, answer

from .kit import connector
from .samples_kit import GIVEN

USER = {"id": 70001, "username": "adv@example.test", "currency": "RUB"}
CODE = {"grant": "authorization_code"}


def token(access="at-0123456789", **more):
    return answer(
        200, {"access_token": access, "refresh_token": "rt-0123456789", "expires_in": 86400, **more}
    )


def refusal(error, status=401):
    return answer(status, {"error": error, "error_description": error})


class Played:
    """An account on a scripted wire; remembers the forms that were sent."""

    def __init__(self, *replies, **options) -> None:
        self.wire = ScriptTransport(replies)
        self.state = State.open(clock=FakeClock())
        given = {"transport": self.wire, "clock": FakeClock(), "state": self.state, **GIVEN, **options}
        self.account = adnet.connect("mytarget", **given)

    async def login(self, *args):
        return await self.account.connector.login(*args)

    @property
    def forms(self) -> list[dict[str, str]]:
        forms = [request.body for request in self.wire.sent if "oauth2" in request.url]
        return [{name: value[0] for name, value in parse_qs(body.decode()).items()} for body in forms]


@pytest.fixture
def play():
    """Make accounts on scripted wires."""
    with ExitStack() as stack:

        def played(*replies, **options) -> Played:
            made = Played(*replies, **options)
            stack.callback(made.state.close)
            return made

        yield played


async def test_an_exchange_carries_no_secret_unless_it_is_wanted(play):
    """The document shows none; a network that refuses that is given it."""
    info = answer(200, {"user": {"id": 70001}})
    played = play(info, refusal("invalid_client"), token(), answer(404), answer(200, USER), **CODE)
    assert await played.login("code-1") == "70001"
    assert ["client_secret" in form for form in played.forms] == [True, False, True]


async def test_a_network_that_cannot_tell_whose_code_it_is_is_believed_later(play):
    """The token itself tells."""
    played = play(answer(404), token(), answer(404), answer(200, USER), **CODE)
    assert await played.login("code-1") == "70001"


async def test_a_code_of_another_user_takes_no_token(play):
    """The account is bound already."""
    first = answer(200, {"user": {"id": 70001}})
    other = answer(200, {"user": {"id": 70002}})
    played = play(first, token(), answer(404), answer(200, USER), other, **CODE)
    await played.login("code-1")
    with pytest.raises(ConfigurationError, match="bound to client 70001"):
        await played.login("code-2")
    assert [form.get("grant_type") for form in played.forms] == [None, "authorization_code", None]


async def test_an_agencys_token_that_has_ended_is_refreshed_on_the_way(play):
    """The client's token is asked for again, once."""
    options = {
        "grant": "agency_client_credentials",
        "agency_client_id": "80101",
        "agency_refresh_token": "agency-rt-1",
    }
    replies = (token("agency-1"), refusal("expired_token"), token("agency-2"), token("client-1"), answer(404))
    played = play(*replies, answer(200, USER), **options)
    assert (await played.account.get_account()).account_id == "70001"
    assert [form.get("access_token") for form in played.forms] == [None, "agency-1", None, "agency-2"]


async def test_an_agencys_fixed_token_cannot_be_refreshed(play):
    """Its refusal is told."""
    options = {
        "grant": "agency_client_credentials",
        "agency_client_id": "80101",
        "agency_access_token": "agency-at",
    }
    played = play(refusal("invalid_token"), **options)
    with pytest.raises(AuthenticationError):
        await played.account.get_account()
    assert len(played.forms) == 1


async def test_a_refresh_token_that_is_not_told_anew_is_kept(play):
    """By default it stays the same, so that an answer may well leave it out."""
    played = play(
        token(refresh_token=None), answer(404), answer(200, USER), refresh_token="rt-elsewhere", **CODE
    )
    await played.account.get_account()
    stored = played.state.tokens.load(played.account.account_id)
    assert (stored.access_token, stored.refresh_token) == ("at-0123456789", "rt-elsewhere")


async def test_a_permission_that_was_taken_back_is_not_replaced_by_another_token(play):
    """Not even where another would be given: only a login says that the user wants it again."""
    played = play(token(), answer(404), answer(200, USER), refusal("revoked_token"))
    await played.account.get_account()
    played.account.clock.advance(2 * 86_400)
    for _ in range(2):
        with pytest.raises(TokenRevokedError):
            await played.account.get_account()
    assert [form["grant_type"] for form in played.forms] == ["client_credentials", "refresh_token"]


async def test_a_refresh_with_a_wrong_secret_keeps_the_login(play):
    """The refresh token is not to blame, and nothing is issued instead."""
    played = play(refusal("invalid_client"), refresh_token="rt-elsewhere", **CODE)
    with pytest.raises(AuthenticationError) as caught:
        await played.account.get_account()
    assert (caught.value.code, len(played.forms)) == ("invalid_client", 1)


async def test_an_answer_without_a_token_is_told_and_not_asked_for_again_at_once(play):
    """It names what is missing."""
    played = play(answer(200, {"expires_in": 5}))
    with pytest.raises(SchemaError, match="no access token"):
        await played.account.get_account()
    with pytest.raises(adnet.AdnetError):
        await played.account.get_account()
    assert len(played.forms) == 1


async def test_no_secret_is_in_any_error(play, caplog):
    """Not even when the network repeats it."""
    played = play(refusal(GIVEN["client_secret"], 400))
    with pytest.raises(adnet.AdnetError) as caught:
        await played.account.get_account()
    assert GIVEN["client_secret"] not in str(caught.value) + repr(caught.value.__dict__) + caplog.text


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize(
    "body",
    [
        {"error": "invalid_request", "error_description": "Unknown refresh token"},
        {"error": "unknown_refresh_token"},
        {"error": {"code": "not_found", "message": "Unknown refresh token"}},
    ],
)
async def test_an_unknown_refresh_token_is_known_by_its_words(play, status, body):
    """Its status and its code are not documented; who takes it for another refusal never comes to a token again."""
    played = play(answer(status, body))
    assert await connector(played.account)._parts.binding.endpoint.refresh("rt-0123456789") is None


@pytest.mark.parametrize("error", ["unsupported_grant_type", "invalid_request"])
async def test_another_refusal_says_nothing_of_the_refresh_token(play, error):
    """It stays for the next time."""
    played = play(refusal(error, 400))
    with pytest.raises(InvalidRequestError):
        await connector(played.account)._parts.binding.endpoint.refresh("rt-0123456789")
