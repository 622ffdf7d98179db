"""The ways to a token, their refusals, and how a binding is undone, over HTTP against the sandbox."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

import adnet
from adnet.connectors.mytarget.auth import authorize_url
from adnet.connectors.mytarget.profile import MYTARGET, VKADS
from adnet.errors import (
    AuthenticationError,
    ConfigurationError,
    CredentialsError,
    ServerError,
    TokenRevokedError,
)
from adnet.testing import answer
from adnet.transport.aiohttp import AiohttpTransport
from adnet.transport.wire import Request, Route

from .kit import BUYER, bench, connector

BROWSER = Route(operation="browser", method="GET", path="/", idempotent=True)


async def consented(test, account, state="st") -> dict[str, str]:
    """Go through the browser's page and return what comes back to the redirect address."""
    transport = AiohttpTransport()
    request = Request(route=BROWSER, url=connector(account).login_url(state))
    reply = await transport.send(request, timeout_s=5)
    await transport.close()
    return {name: value[0] for name, value in parse_qs(urlsplit(reply.headers["location"]).query).items()}


# ---------------------------------------------------------------------- grants


async def test_an_own_account_by_client_credentials():
    """One token is issued and used from then on, by other processes on the state, too."""
    async with bench() as test:
        assert (await test.account().get_account()).account_id == str(test.sandbox.user_id)
        await test.account().get_account()
        assert test.report()["grants"] == {"client_credentials": 1}


@pytest.mark.parametrize("named", ["agency_client_name", "agency_client_id"])
async def test_an_agencys_client_by_name_or_id(named):
    """The token is the client's own."""
    async with bench() as test:
        client = test.sandbox.agency_clients[0]
        who = {"agency_client_name": client["username"], "agency_client_id": str(client["id"])}[named]
        account = test.account(grant="agency_client_credentials", **{named: who})
        assert (await account.get_account()).account_id == str(client["id"])
        assert test.report()["grants_by_user"] == {str(client["id"]): {"agency_client_credentials": 1}}


@pytest.mark.parametrize("kind", ["agency_access_token", "agency_refresh_token"])
async def test_a_client_of_an_agency_that_gave_access(kind):
    """Its token is asked for with the agency's own, which is kept and refreshed like any other."""
    async with bench() as test:
        token = test.sandbox.grant(70100)
        given = {"agency_access_token": token["access_token"], "agency_refresh_token": token["refresh_token"]}
        account = test.account(
            grant="agency_client_credentials", agency_client_id="80101", **{kind: given[kind]}
        )
        assert (await account.get_account()).account_id == "80101"


async def test_a_user_who_grants_access_by_code():
    """The code is exchanged once; afterwards the token is only ever refreshed."""
    async with bench() as test:
        test.sandbox.login_as(BUYER)
        account = test.account(grant="authorization_code")
        with pytest.raises(AuthenticationError, match="adnet auth login shop"):
            await account.get_account()
        back = await consented(test, account)
        assert back["state"] == "st"
        assert await connector(account).login(back["code"]) == str(BUYER)
        test.clock.advance(86400)
        assert (await account.get_account()).account_id == str(BUYER)
        assert (test.report()["grants"], test.report()["refreshes"]) == ({"authorization_code": 1}, 1)


async def test_a_login_of_somebody_who_is_logged_in_takes_no_slot():
    """The code is looked at and not used up: the stored token works."""
    async with bench() as test:
        account = test.account(grant="authorization_code")
        for _ in range(3):
            back = await consented(test, account)
            await connector(account).login(back["code"])
        assert test.report()["grants"] == {"authorization_code": 1}


async def test_a_stored_refresh_token_is_enough():
    """As configured after a login elsewhere; it is refreshed, and nothing is issued."""
    async with bench() as test:
        token = test.sandbox.grant(BUYER)
        account = test.account(grant="authorization_code", refresh_token=token["refresh_token"])
        assert (await account.get_account()).account_id == str(BUYER)
        assert (test.report()["grants"], test.report()["refreshes"]) == ({}, 1)


async def test_a_refused_consent_brings_no_code():
    """The page comes back with the refusal."""
    async with bench(consent=False) as test:
        assert (await consented(test, test.account(grant="authorization_code")))["error"] == "access_denied"


async def test_a_code_that_is_none_is_refused():
    """With the network's own words."""
    async with bench() as test:
        account = test.account(grant="authorization_code")
        with pytest.raises(AuthenticationError) as caught:
            await connector(account).login("made-up")
        assert caught.value.code == "invalid_grant"


async def test_one_client_has_one_account():
    """A user who is bound to one account is not bound to a second one."""
    async with bench() as test:
        first, second = (test.account(name, grant="authorization_code") for name in ("one", "two"))
        await connector(first).login((await consented(test, first))["code"])
        with pytest.raises(ConfigurationError, match=r"'one'.*adnet auth revoke one"):
            await connector(second).login((await consented(test, second))["code"])
        assert test.report()["grants"] == {"authorization_code": 1}


async def test_a_login_without_a_browser_issues_once():
    """For the grants that need no code; one that works already is kept."""
    async with bench() as test:
        account = test.account()
        for _ in range(2):
            assert await connector(account).login() == str(test.sandbox.user_id)
        assert test.report()["grants"] == {"client_credentials": 1}
        with pytest.raises(ConfigurationError, match="takes no code"):
            await connector(account).login("code")


# ---------------------------------------------------------------------- credentials


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"grant": "password"}, "there is no grant"),
        ({"grant": "agency_client_credentials"}, "agency_client_name or by agency_client_id"),
        ({"agency_client_name": "x"}, 'needs grant = "agency_client_credentials"'),
        ({"refresh_token": "x"}, 'needs grant = "authorization_code"'),
        (
            {
                "grant": "agency_client_credentials",
                "agency_client_id": "1",
                "agency_access_token": "a",
                "agency_refresh_token": "b",
            },
            "give one of",
        ),
    ],
)
def test_credentials_are_checked_before_anything_is_sent(options, message):
    """The message names the key."""
    with pytest.raises(CredentialsError, match=message):
        adnet.connect("mytarget", client_id="c", client_secret="secret-1", **options)


@pytest.mark.parametrize(
    ("options", "message"), [({"update_verb": "put"}, "auto, patch, post"), ({"restated_days": "x"}, "days")]
)
def test_options_are_checked_before_anything_is_sent(options, message):
    """Likewise."""
    with pytest.raises(ConfigurationError, match=message):
        adnet.connect("mytarget", client_id="c", client_secret="secret-1", **options)


# ---------------------------------------------------------------------- pages and unbinding


def test_the_page_of_mytarget_takes_no_redirect_address():
    """The registered one is used."""
    url = authorize_url(
        MYTARGET, MYTARGET.base_url, client_id="cid", state="s t", redirect_uri="http://127.0.0.1:9/cb"
    )
    assert url == (
        "https://target.my.com/oauth2/authorize?response_type=code&client_id=cid&state=s%20t"
        "&scope=read_ads,read_payments,create_ads"
    )


def test_the_page_of_vk_ads_takes_one():
    """And has an address of its own."""
    url = authorize_url(
        VKADS,
        VKADS.base_url,
        client_id="cid",
        state="st",
        scopes=["read_ads"],
        redirect_uri="http://127.0.0.1:9/cb",
    )
    assert url == (
        "https://ads.vk.com/hq/settings/access?action=oauth2&response_type=code&client_id=cid&state=st"
        "&scope=read_ads&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcb"
    )


@pytest.mark.parametrize("grant", ["client_credentials", "agency_client_credentials", "authorization_code"])
async def test_revoking_removes_the_binding_at_the_network_and_here(grant):
    """All tokens of that user go, nobody else's; the account then needs a new login."""
    async with bench() as test:
        client, other = test.sandbox.agency_clients[0], test.account("other")
        await other.get_account()
        options = {"agency_client_id": str(client["id"])} if grant.startswith("agency") else {}
        account = other if grant == "client_credentials" else test.account(grant=grant, **options)
        if grant == "authorization_code":
            test.sandbox.login_as(BUYER)
            await connector(account).login((await consented(test, account))["code"])
        user_id = (await account.get_account()).account_id
        await account.revoke()
        assert test.report()["unbound_by_user"] == {user_id: 1}
        assert user_id not in test.report()["live_slots"]
        assert test.state.tokens.load(account.account_id) is None
        with pytest.raises(TokenRevokedError, match="new login"):
            await account.get_account()
        if account is not other:
            await other.get_account()


async def test_what_works_while_the_binding_is_removed_gets_no_new_token():
    """Another process is told in the middle of it that its token is none, and must not ask for the next."""
    async with bench() as test:
        account, nightly = test.account(), test.account()
        user_id = (await account.get_account()).account_id
        await nightly.get_account()
        wire = connector(account)._parts.binding.endpoint._session._transport
        send, working = wire.send, []

        async def watched(request, *, timeout_s):
            reply = await send(request, timeout_s=timeout_s)
            if "token/delete" in request.url:
                working.append(asyncio.create_task(nightly.get_account()))
                await test.clock.sleep(1)
            return reply

        wire.send = watched
        await account.revoke()
        with pytest.raises(TokenRevokedError):
            await working[0]
        assert user_id not in test.report()["live_slots"]
        assert test.report()["grants"] == {"client_credentials": 1}
        with pytest.raises(TokenRevokedError, match="new login"):
            await nightly.get_account()


async def test_a_binding_that_could_not_be_removed_stops_nobody():
    """The network did not answer: it is still there, and so is its token."""
    async with bench() as test:
        account, nightly = test.account(), test.account()
        await account.get_account()
        wire = connector(account)._parts.binding.endpoint._session._transport

        async def down(request, *, timeout_s):
            return answer(503)

        send, wire.send = wire.send, down
        with pytest.raises(ServerError):
            await account.revoke()
        wire.send = send
        await nightly.get_account()
        await account.revoke()
        assert test.report()["live_slots"] == {}


async def test_a_login_after_revoking_binds_again():
    """The account is not lost."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        await account.revoke()
        await connector(account).login()
        assert (await account.get_account()).account_id == str(test.sandbox.user_id)


async def test_a_user_who_took_the_permission_back_can_be_forgotten_here():
    """The network need not be asked who it was."""
    async with bench() as test:
        account = test.account(grant="authorization_code")
        test.sandbox.login_as(BUYER)
        await connector(account).login((await consented(test, account))["code"])
        test.sandbox.revoke_user(BUYER)
        with pytest.raises(TokenRevokedError):
            await account.get_account()
        await account.revoke()
        assert test.state.tokens.load(account.account_id) is None


async def test_every_token_event_is_in_the_ledger():
    """Issue, refresh and revocation, each with its line, and none with a secret."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        test.clock.advance(86400)
        await account.get_account()
        await account.revoke()
        lines = list(test.state.ledger.entries("shop"))
        assert [line.event for line in lines if line.event] == [
            "token.issue",
            "token.refresh",
            "token.revoke",
        ]
        secrets = [
            *test.sandbox.credentials.values(),
            *(t["access_token"] for t in test.sandbox.truth("tokens")),
        ]
        assert not any(secret in repr(lines) for secret in secrets)
