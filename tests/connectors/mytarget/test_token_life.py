"""How long tokens live, how the network refuses them, and what that costs: never a storm, never a lost login."""

import pytest

import adnet
from adnet.connectors.mytarget.auth import read_issued, seconds
from adnet.errors import AuthenticationError, SchemaError, TokenLimitError, TokenRevokedError

from .kit import bench, connector

# ---------------------------------------------------------------------- lifetimes


@pytest.mark.parametrize(
    ("told", "life"),
    [(86400, 86400.0), ("86400", 86400.0), ("2.5", 2.5), (None, None), ("None", None), ("", None), (0, None),
     (-1, None), (True, None), ([], None), ("nan", None), (1e300, 315360000.0)],
)  # fmt: skip
def test_lifetimes_come_in_many_types(told, life):
    """What is no time means that the end is not known."""
    assert seconds(told) == life


@pytest.mark.parametrize("style", ["int", "text", "null"])
async def test_a_day_passes_with_one_refresh(style):
    """However the network words ``expires_in``; without it the refusal of the token tells."""
    async with bench(expires_in_style=style) as test:
        account = test.account()
        await account.get_account()
        test.clock.advance(86400)
        await account.get_account()
        assert (test.report()["grants"], test.report()["refreshes"]) == ({"client_credentials": 1}, 1)


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": None}, {"access_token": 7}])
def test_an_answer_without_a_token_is_another_shape(body):
    """It is told by the network's own key."""
    with pytest.raises(SchemaError) as caught:
        read_issued(body)
    assert caught.value.paths == ("$.access_token",)


def test_scopes_come_as_a_list_or_as_text():
    """Or not at all."""
    bodies = ({"scope": ["read_ads", "create_ads"]}, {"scope": "read_ads"}, {}, {"scope": None})
    found = [read_issued({"access_token": "x", **body}).scope for body in bodies]
    assert found == ["read_ads,create_ads", "read_ads", None, None]


# ---------------------------------------------------------------------- 401 in three shapes


@pytest.mark.parametrize("shape", ["nested", "flat", "header"])
async def test_an_expired_token_is_refreshed_once(shape):
    """Also when the 401 has no body: the header tells what is wrong."""
    async with bench(error_shape=shape, expires_in_style="null") as test:
        account = test.account()
        await account.get_account()
        test.clock.advance(86401)
        await account.get_account()
        report = test.report()
        assert (report["refreshes"], report["unauthorized"]) == (1, {"expired_token": 1})


@pytest.mark.parametrize("shape", ["nested", "flat", "header"])
async def test_an_unknown_token_is_looked_up_in_the_state_first(shape):
    """Another process has refreshed it: nothing is asked of the token endpoint."""
    async with bench(error_shape=shape) as test:
        first, second = test.account(), test.account()
        await first.get_account()
        await second.get_account()
        test.clock.advance(86400 - 1700)
        await first.get_account()
        await connector(first).tokens.close()
        await second.get_account()
        assert (test.report()["refreshes"], test.report()["grants"]) == (1, {"client_credentials": 1})


@pytest.mark.parametrize("shape", ["nested", "flat", "header"])
async def test_a_revoked_token_stops_the_account(shape):
    """One request finds out; no process asks for anything after that."""
    async with bench(error_shape=shape) as test:
        account = test.account()
        await account.get_account()
        test.sandbox.revoke_user()
        for one in (account, account, test.account()):
            with pytest.raises(TokenRevokedError):
                await one.get_account()
        assert test.report()["unauthorized"] == {"revoked_token": 1}


async def test_a_blocked_user_is_refused_without_a_storm():
    """Its token is neither refreshed nor issued anew."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        test.sandbox.block_user()
        for _ in range(3):
            with pytest.raises(AuthenticationError, match="blocked") as caught:
                await account.get_account()
        assert caught.value.code == "invalid_user"
        assert (test.report()["refreshes"], test.report()["grants"]) == (0, {"client_credentials": 1})


# ---------------------------------------------------------------------- refusals of the token endpoint


async def test_a_wrong_secret_is_asked_about_once():
    """The refusal is remembered by all processes, for this secret only."""
    async with bench() as test:
        for _ in range(3):
            with pytest.raises(AuthenticationError) as caught:
                await test.account(client_secret="not-the-secret").get_account()
        assert (caught.value.code, test.report()["oauth_errors"]) == ("invalid_client", {"invalid_client": 1})
        await test.account().get_account()


async def test_full_slots_say_what_to_do():
    """The network is asked once, and its five slots stay five."""
    async with bench() as test:
        for _ in range(5):
            test.sandbox.grant()
        for _ in range(3):
            with pytest.raises(TokenLimitError, match="adnet auth revoke shop"):
                await test.account().get_account()
        report = test.report()
        assert (report["live_slots"], report["oauth_errors"]) == ({"70001": 5}, {"token_limit_exceeded": 1})


async def test_a_lost_reply_to_a_refresh_costs_no_login():
    """The refresh is asked for again: it takes no slot."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        test.clock.advance(86400)
        test.sandbox.faults.once("lost-token")
        await account.get_account()
        assert (test.report()["grants"], test.report()["refreshes"]) == ({"client_credentials": 1}, 2)


async def test_a_lost_reply_to_an_issue_is_not_sent_again_by_itself():
    """Each issue takes one of five slots."""
    async with bench() as test:
        test.sandbox.faults.once("lost-token")
        account = test.account()
        with pytest.raises(adnet.ConnectError, match="nothing was sent"):
            await connector(account).tokens.token()
        assert test.report()["grants"] == {"client_credentials": 1}


@pytest.mark.parametrize("fault", ["lost-token", "html502"])
async def test_a_token_that_may_be_lost_is_not_asked_for_again_for_minutes(fault):
    """Each takes one of five slots: a call that waits and tries again on its own would use them up."""
    async with bench() as test:
        account = test.account()
        test.sandbox.faults.update({fault: 1.0})
        for _ in range(5):
            with pytest.raises(adnet.ConnectError, match="no token could be had"):
                await account.get_account()
        test.sandbox.faults.update({fault: 0.0})
        test.clock.advance(240)
        with pytest.raises(adnet.ConnectError, match="no token could be had"):
            await test.account().get_account()
        assert sum(request.path.endswith("/token.json") for request in test.sandbox.log) == 1
        test.clock.advance(60)
        await account.get_account()


async def test_a_login_does_not_wait_for_that():
    """Whoever logs in wants to know now."""
    async with bench() as test:
        test.sandbox.faults.once("lost-token")
        with pytest.raises(adnet.ConnectError):
            await test.account().get_account()
        assert await connector(test.account()).login() == str(test.sandbox.user_id)
