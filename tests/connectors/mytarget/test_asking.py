"""What every request has to know first: asked for once, and a network that is down is told to all at once."""

import asyncio

import pytest

from adnet import AdDraft, Update
from adnet.errors import ConnectError, RequestTimeoutError
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
    """Its time ends, whoever asks; the others go on waiting for what was asked."""
    async with bench() as test:
        account = test.account()
        sent = silent(account, operation, test.clock)

        async def hurried(seconds):
            with deadline(test.clock, seconds):
                await account.native.packages.list()

        async def told(call):
            with pytest.raises(RequestTimeoutError) as caught:
                await call
            return caught.value.message, test.clock.monotonic()

        patient = account.native.packages.list()
        calls = map(told, (hurried(5), patient, hurried(9)))
        (first, first_s), (_, patient_s), (last, last_s) = await asyncio.gather(*calls)
        assert (first, last) == (first, first)
        assert first.startswith("no word of")
        assert (first_s < 6, last_s < 10, patient_s > 100) == (True, True, True)
        assert len(sent) > 2


@pytest.mark.parametrize("operation", ASKED)
async def test_closing_ends_what_was_asked_for(operation):
    """Who waits is told why, and nothing goes on."""
    async with bench() as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send, left = inner.send, asyncio.Event()

        async def never(request, *, timeout_s):
            if request.route.operation != operation:
                return await send(request, timeout_s=timeout_s)
            left.set()
            return await asyncio.get_running_loop().create_future()

        inner.send = never
        calls = [asyncio.create_task(account.native.packages.list()) for _ in range(2)]
        await left.wait()
        await account.close()
        for call in calls:
            with pytest.raises(ConnectError, match="the account is closed"):
                await call


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
