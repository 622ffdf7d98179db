"""What every request has to know first: asked for once, and a network that is down is told to all at once."""

import asyncio

import pytest

from adnet import AdDraft, Update
from adnet.errors import RequestTimeoutError
from adnet.testing import answer
from adnet.transport.deadline import deadline

from .kit import bench, connector

ASKED = ["throttling.get", "user.get"]


def silent(account, operation: str, clock) -> list[str]:
    """Let nobody answer *operation* any more, and return what is sent of it."""
    inner = connector(account).session._transport._inner
    send, sent = inner.send, []

    async def unanswered(request, *, timeout_s):
        if request.route.operation != operation:
            return await send(request, timeout_s=timeout_s)
        sent.append(operation)
        await clock.sleep(timeout_s)
        raise RequestTimeoutError("no answer")

    inner.send = unanswered
    return sent


@pytest.mark.parametrize("operation", ASKED)
async def test_a_network_that_is_down_holds_up_many_no_longer_than_one(operation):
    """Each in its turn, the last of twenty would be told three quarters of an hour later."""
    took = []
    for number in (1, 20):
        async with bench() as test:
            account = test.account()
            sent = silent(account, operation, test.clock)
            calls = [account.native.packages.list() for _ in range(number)]
            found = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(error) for error in found} == {RequestTimeoutError}
            assert len(set(map(id, found))) == number
            took.append((test.clock.monotonic(), len(sent)))
    (alone_s, once), (together_s, times) = took
    assert (together_s < 1.2 * alone_s, times) == (True, once)


@pytest.mark.parametrize("operation", ASKED)
async def test_a_change_that_waited_for_what_did_not_come_was_not_sent(operation):
    """Nobody has to look whether it was made."""
    async with bench() as test:
        account = test.account()
        number = str(test.sandbox.truth("banners")[0]["id"])
        silent(account, operation, test.clock)
        updated = await account.update_ads([Update(number, {"status": "active"})])
        deleted = await account.delete_ads([number])
        created = await account.create_ads([AdDraft(campaign_id="8800001", title="T")])
        assert [result[0].status for result in (updated, deleted, created)] == ["failed"] * 3
        assert not [request for request in test.sandbox.log if "/banners" in request.path]


@pytest.mark.parametrize("operation", ASKED)
async def test_who_has_little_time_does_not_speak_for_the_others(operation):
    """They ask on their own."""
    async with bench() as test:
        account = test.account()
        sent = silent(account, operation, test.clock)

        async def hurried():
            with deadline(test.clock, 5):
                await account.native.packages.list()

        patient = account.native.packages.list()
        found = await asyncio.gather(hurried(), patient, return_exceptions=True)
        assert {type(error) for error in found} == {RequestTimeoutError}
        assert test.clock.monotonic() > 100
        assert len(sent) > 2


@pytest.mark.parametrize("operation", ASKED)
async def test_who_comes_after_a_failure_asks_anew(operation):
    """The network may be there again."""
    async with bench() as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send
        silent(account, operation, test.clock)
        with pytest.raises(RequestTimeoutError):
            await account.native.packages.list()
        inner.send = send
        assert await account.native.packages.list()


async def test_a_refusal_of_what_comes_before_is_no_refusal_of_a_mass_action():
    """Its objects are not to blame: halves of them would only ask again."""
    async with bench() as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send, refused = inner.send, []

        async def refusing(request, *, timeout_s):
            if request.route.operation != "user.get":
                return await send(request, timeout_s=timeout_s)
            refused.append(request)
            return answer(400, {"error": {"code": "validation_failed", "message": "Validation failed"}})

        inner.send = refusing
        numbers = [str(row["id"]) for row in test.sandbox.truth("banners")[:100]]
        result = await account.update_ads([Update(number, {"status": "paused"}) for number in numbers])
        assert ({outcome.status for outcome in result}, len(refused)) == ({"failed"}, 1)
