"""A token endpoint that answers nonsense: what works goes on, what cannot is told with a type, nobody storms it."""

import asyncio

import pytest

import adnet
from adnet.testing import answer
from adnet.transport.wire import Response

from .kit import bench, connector

PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
NONSENSE = {
    "HTML 502": (502, PAGE),
    "HTML 200": (200, PAGE),
    "empty 204": (204, b""),
    "empty 200": (200, b""),
    "a list": (200, b"[]"),
    "null": (200, b"null"),
    "no token": (200, b'{"access_token": null, "expires_in": "None"}'),
    "cut off": (200, b'{"access_token": "at-01234'),
    "no UTF-8": (200, b'{"access_token": "\xff\xfe"}'),
    "deep": (200, b"[" * 100_000),
    "HTML 401": (401, PAGE),
    "HTML 403": (403, PAGE),
}


class Broken:
    """Stands before the transport of an account, and spoils what the token endpoint says."""

    def __init__(self, account, status: int, body: bytes) -> None:
        self.asked = 0
        self.spoils = True
        endpoint = connector(account)._parts.binding.endpoint
        inner = endpoint._session._transport
        send = inner.send
        reply = Response(status=status, body=body, headers={"content-type": "text/html"}, url="http://x/")

        async def spoiled(request, *, timeout_s):
            if self.spoils and request.route.operation.startswith("token."):
                self.asked += 1
                return reply
            return await send(request, timeout_s=timeout_s)

        inner.send = spoiled


@pytest.mark.parametrize("name", NONSENSE)
async def test_a_first_token_that_does_not_come_is_told_with_a_type(name):
    """Fifty callers ask once, or as often as asking again is safe; later it is tried again, and all is well."""
    async with bench() as test:
        account = test.account()
        broken = Broken(account, *NONSENSE[name])
        found = await asyncio.gather(*(account.get_account() for _ in range(50)), return_exceptions=True)
        assert {isinstance(error, adnet.AdnetError) for error in found} == {True}
        assert broken.asked == 1
        broken.spoils = False
        test.clock.advance(301)
        await account.get_account()
        assert test.report()["grants"] == {"client_credentials": 1}


@pytest.mark.parametrize("name", NONSENSE)
async def test_a_refresh_that_fails_ahead_of_time_stops_nobody(name):
    """The token is valid for half an hour more; when the endpoint is well again, it is refreshed, and never lost."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        broken = Broken(account, *NONSENSE[name])
        test.clock.advance(86400 - 1700)
        for _ in range(20):
            await account.get_account()
            await connector(account).tokens.close()
            test.clock.advance(10)
        assert 1 <= broken.asked <= 20 * 5
        broken.spoils = False
        test.clock.advance(301)
        for _ in range(2):
            await account.get_account()
            await connector(account).tokens.close()
            test.clock.advance(5)
        report = test.report()
        assert (report["grants"], report["refreshes"]) == ({"client_credentials": 1}, 1)


async def test_slots_that_are_full_are_asked_about_once_by_many():
    """Four programs on one state, ten callers in each."""
    async with bench() as test:
        for _ in range(5):
            test.sandbox.grant()
        accounts = [test.account() for _ in range(4)]
        calls = (account.get_account() for account in accounts for _ in range(10))
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(error) for error in found} == {adnet.TokenLimitError}
        assert all("adnet auth revoke shop" in error.message for error in found)
        assert test.report()["oauth_errors"] == {"token_limit_exceeded": 1}


async def test_a_network_that_refuses_every_token_is_not_stormed():
    """Not by many callers, over an hour: each round costs a few requests."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        inner = connector(account).session._transport._inner
        send = inner.send
        asked = {"api": 0, "token": 0}

        async def refusing(request, *, timeout_s):
            if request.route.operation.startswith("token."):
                asked["token"] += 1
                return await send(request, timeout_s=timeout_s)
            asked["api"] += 1
            return answer(401, {"error": {"code": "invalid_token", "message": "Unknown access token"}})

        inner.send = refusing
        for _ in range(60):
            calls = (account.native.packages.list() for _ in range(20))
            found = await asyncio.gather(*calls, return_exceptions=True)
            assert {isinstance(error, adnet.AuthenticationError) for error in found} == {True}
            test.clock.advance(60)
        assert asked["token"] <= 180
        assert test.report()["grants"] == {"client_credentials": 1}
