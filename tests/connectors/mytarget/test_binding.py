"""What a login may bind, and what it leaves behind when it cannot be finished."""

import asyncio

import attrs
import pytest

from adnet.connectors.mytarget.auth import OAuthEndpoint
from adnet.errors import ConfigurationError, ConnectError, ServerError, TokenLimitError

from .kit import BUYER, bench, connector
from .test_login import consented


def binding(account):
    """Return the binding behind an account."""
    return connector(account)._parts.binding


async def code_for(test, account) -> str:
    """Return a code of the user at the browser."""
    return (await consented(test, account))["code"]


async def test_a_token_is_stored_before_it_is_used():
    """A login that is cut off while it is proven has not lost its token."""
    async with bench() as test:
        account = test.account(grant="authorization_code")

        async def lost() -> str:
            raise ConnectError("gone")

        with pytest.raises(ConnectError):
            await attrs.evolve(binding(account), who=lost).login(await code_for(test, account))
        assert await connector(account).login(await code_for(test, account)) == str(test.sandbox.user_id)
        assert test.report()["grants"] == {"authorization_code": 1}


async def test_a_failing_server_costs_no_second_token():
    """Whether the stored one works cannot be told then."""
    async with bench() as test:
        account = test.account()
        await connector(account).login()
        test.sandbox.faults.update({"503": 1.0})
        with pytest.raises(ServerError):
            await connector(account).login()
        assert test.report()["grants"] == {"client_credentials": 1}


async def test_a_code_of_another_user_is_refused():
    """The account would change hands; nothing is exchanged."""
    async with bench() as test:
        account = test.account(grant="authorization_code")
        await connector(account).login(await code_for(test, account))
        test.sandbox.login_as(BUYER)
        with pytest.raises(
            ConfigurationError, match=f"this login is of client {BUYER}.*adnet auth revoke shop"
        ):
            await connector(account).login(await code_for(test, account))
        assert test.report()["grants"] == {"authorization_code": 1}


async def test_where_codes_tell_no_user_the_token_does(monkeypatch):
    """The token of a second binding stays in the state, so that it takes one slot however often it is tried."""

    async def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(OAuthEndpoint, "code_info", nothing)
    async with bench() as test:
        first, second = (test.account(name, grant="authorization_code") for name in ("one", "two"))
        await connector(first).login(await code_for(test, first))
        for _ in range(3):
            with pytest.raises(ConfigurationError, match="bound to the account 'one' already"):
                await connector(second).login(await code_for(test, second))
        with pytest.raises(ConfigurationError, match="adnet auth revoke one"):
            await second.get_account()
        await first.get_account()
        assert test.report()["grants"] == {"authorization_code": 2}


async def test_an_agencys_token_events_are_its_own_in_the_ledger():
    """They would count as its client's otherwise."""
    async with bench() as test:
        token = test.sandbox.grant(70100)
        options = {"agency_client_id": "80101", "agency_refresh_token": token["refresh_token"]}
        await test.account(grant="agency_client_credentials", **options).get_account()
        events = [
            (line.account, line.event, line.grant) for line in test.state.ledger.entries() if line.event
        ]
        assert events == [
            ("agency of shop", "token.refresh", "refresh_token"),
            ("shop", "token.issue", "agency_client_credentials"),
        ]


async def test_two_logins_at_once_take_one_slot():
    """Of two programs that share the state one asks; the other takes what that stores."""
    async with bench() as test:
        logins = (connector(test.account()).login() for _ in range(3))
        assert await asyncio.gather(*logins) == [str(test.sandbox.user_id)] * 3
        assert test.report()["grants"] == {"client_credentials": 1}


async def test_a_login_asks_again_though_a_refusal_is_remembered():
    """Who logs in has mended what was wrong, or wants to know whether it is."""
    async with bench() as test:
        for _ in range(5):
            test.sandbox.grant()
        account = test.account()
        for _ in range(2):
            with pytest.raises(TokenLimitError, match="adnet auth revoke shop"):
                await connector(account).login()
        assert test.report()["oauth_errors"] == {"token_limit_exceeded": 2}
        await account.revoke()
        await connector(account).login()
        assert test.report()["live_slots"] == {str(test.sandbox.user_id): 1}
