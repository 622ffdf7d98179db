"""One physical client has one account: whichever way a second one comes to a token, it does no work."""

from pathlib import Path

import pytest

import adnet
from adnet.errors import ConfigurationError

from .kit import BUYER, bench, connector
from .test_login import consented

AGENCY = {"grant": "agency_client_credentials"}
HARMLESS = {"/api/v2/throttling.json", "/api/v2/user.json", "/api/v2/oauth2/token.json"}
"""What tells limits and the client; everything else is work."""


def first_client(test) -> dict:
    """Return a client of the sandbox's agency."""
    return test.sandbox.agency_clients[0]


def by_code(test, user: int = BUYER) -> dict[str, str]:
    """Return the options of an account whose user granted access elsewhere."""
    return {"grant": "authorization_code", "refresh_token": test.sandbox.grant(user)["refresh_token"]}


async def refused(account, first: str) -> None:
    """See that *account* is refused, by any way in, and that both are named with the remedy."""
    calls = (account.get_account, account.native.packages.list, lambda: anext(account.list_campaigns()))
    for call in calls:
        with pytest.raises(ConfigurationError, match=rf"'{first}'.*`adnet auth revoke {first}`") as caught:
            await call()
        assert repr(account.name) in caught.value.message


# ---------------------------------------------------------------------- which are refused


async def test_the_same_application_twice():
    """Nothing at all is sent for the second account, which needs no token to be known."""
    async with bench() as test:
        own, again = (test.account(name, configured=("own", "again")) for name in ("own", "again"))
        await own.get_account()
        before = len(test.sandbox.log)
        await refused(again, "own")
        assert len(test.sandbox.log) == before


async def test_an_agencys_client_by_name_and_by_id():
    """Whose token it is is known with the first answer that names the client; nothing else is asked with it."""
    async with bench() as test:
        client = first_client(test)
        await test.account("one", **AGENCY, agency_client_id=str(client["id"])).get_account()
        before = len(test.sandbox.log)
        await refused(test.account("two", **AGENCY, agency_client_name=client["username"]), "one")
        assert {request.path for request in test.sandbox.log[before:]} <= HARMLESS
        assert test.report()["grants"] == {"agency_client_credentials": 2}


async def test_a_client_that_the_configuration_names_costs_no_token():
    """Its id is told before anything is asked."""
    async with bench() as test:
        client = first_client(test)
        await test.account("one", **AGENCY, agency_client_name=client["username"]).get_account()
        await refused(test.account("two", **AGENCY, agency_client_id=str(client["id"])), "one")
        assert test.report()["grants"] == {"agency_client_credentials": 1}


async def test_a_refresh_token_of_a_client_who_is_bound_elsewhere():
    """Its token stays in the state, so that asking again takes no further slot."""
    async with bench() as test:
        await test.account("one", **by_code(test)).get_account()
        before = len(test.sandbox.log)
        second = test.account("two", **by_code(test))
        await refused(second, "one")
        assert {request.path for request in test.sandbox.log[before:]} <= HARMLESS
        slots = test.report()["live_slots"]
        await refused(test.account("two", **by_code(test)), "one")
        assert (
            test.report()["live_slots"][str(BUYER)] == slots[str(BUYER)] + 1
        )  # the grant of the test itself


async def test_the_owner_of_the_application_by_a_login():
    """It is the client that counts, not how the account comes to its token."""
    async with bench() as test:
        await test.account("own").get_account()
        await refused(test.account("consented", **by_code(test, test.sandbox.user_id)), "own")


async def test_a_login_finds_the_other_account_without_a_code():
    """The account was used, and never logged in."""
    async with bench() as test:
        await test.account("own").get_account()
        with pytest.raises(ConfigurationError, match="'own'"):
            await connector(test.account("again", configured=("own", "again"))).login()
        assert test.report()["grants"] == {"client_credentials": 1}


async def test_an_account_does_not_change_hands():
    """Rows of two clients would land under one name; here its login ended, and the configuration names another's."""
    async with bench() as test:
        account = test.account("shop", **by_code(test))
        await account.get_account()
        test.clock.advance(40 * 86400)
        again = test.account("shop", **by_code(test, test.sandbox.user_id))
        with pytest.raises(ConfigurationError, match=f"bound to client {BUYER}.*`adnet auth revoke shop`"):
            await again.get_account()
        with pytest.raises(ConfigurationError, match=f"bound to client {BUYER}"):
            await again.native.packages.list()


# ---------------------------------------------------------------------- which are not


async def test_an_agency_has_many_clients():
    """One application, one grant, several clients: each has its account."""
    async with bench() as test:
        for client in test.sandbox.agency_clients[:2]:
            account = test.account(f"c{client['id']}", **AGENCY, agency_client_id=str(client["id"]))
            assert (await account.get_account()).account_id == str(client["id"])


async def test_an_application_has_many_users():
    """Likewise those who granted access."""
    async with bench() as test:
        for user in (BUYER, test.sandbox.user_id):
            found = await test.account(f"u{user}", **by_code(test, user)).get_account()
            assert found.account_id == str(user)


async def test_one_account_may_be_configured_anew():
    """By another grant for the same client: it is still one account, and what it left can be had by another."""
    async with bench() as test:
        one, two = test.sandbox.agency_clients[:2]
        await test.account("client", **AGENCY, agency_client_id=str(one["id"])).get_account()
        await test.account("client", **AGENCY, agency_client_name=one["username"]).get_account()
        await test.account("client", **AGENCY, agency_client_id=str(two["id"])).get_account()
        await test.account("other", **AGENCY, agency_client_id=str(one["id"])).get_account()


async def test_after_revoking_another_account_can_have_the_client():
    """The remedy works; the second account itself has nothing to revoke, and ends nobody's binding."""
    async with bench() as test:
        first, second = (test.account(name, configured=("own", "again")) for name in ("own", "again"))
        await first.get_account()
        with pytest.raises(ConfigurationError, match="'own'"):
            await second.revoke()
        await first.get_account()
        await first.revoke()
        await connector(second).login()
        await second.get_account()


async def test_a_refused_account_can_be_logged_in_as_another_client():
    """It was never bound."""
    async with bench() as test:
        await test.account("own").get_account()
        await refused(test.account("shop", **by_code(test, test.sandbox.user_id)), "own")
        test.sandbox.login_as(BUYER)
        shop = test.account("shop", grant="authorization_code")
        assert await connector(shop).login((await consented(test, shop))["code"]) == str(BUYER)
        assert (await shop.get_account()).account_id == str(BUYER)


async def test_another_name_of_one_account_in_code_is_no_second_account():
    """Its credentials, its token and its limits are the same."""
    async with bench() as test:
        for name in ("shop", "mytarget", "shop"):
            await test.account(name).get_account()
        assert test.report()["grants"] == {"client_credentials": 1}


def configuration(test, folder: Path, *names: str) -> Path:
    """Write accounts of the sandbox's owner."""
    file = folder / "adnet.toml"
    keys = {"network": "mytarget", "base_url": test.sandbox.base_url, **test.sandbox.credentials}
    lines = [f'{name} = "{value}"' for name, value in keys.items()]
    sections = ["\n".join([f"[accounts.{name}]", *lines]) for name in names]
    file.write_text("\n".join(['[state]\nurl = "sqlite:s.db"', *sections]))
    file.chmod(0o600)
    return file


async def test_an_account_may_be_renamed(tmp_path):
    """What is in the configuration no more is nobody's rival."""
    async with bench() as test:
        for name in ("before", "after"):
            async with adnet.open(configuration(test, tmp_path, name)) as accounts:
                await accounts[name].get_account()
        assert test.report()["grants"] == {"client_credentials": 1}


async def test_two_accounts_of_one_configuration_are_told(tmp_path):
    """Also when only one of them is opened."""
    async with bench() as test:
        file = configuration(test, tmp_path, "one", "two")
        async with adnet.open(file, only=["one"]) as accounts:
            await accounts["one"].get_account()
        async with adnet.open(file, only=["two"]) as accounts:
            await refused(accounts["two"], "one")
