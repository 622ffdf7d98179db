"""Limits: learnt from the network, never exceeded, and hardly less than used up. The server's own count decides."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from adnet.connectors.mytarget.errors import is_closed, windows_of
from adnet.connectors.mytarget.limits import _LIVE, headroom, server_time, told
from adnet.errors import QuotaExhaustedError, RateLimitError
from adnet.state import State
from adnet.testing import answer
from adnet.transport.limits import SET_BY_USER

from .kit import bench, connector

HOURLY = {"USER": {"v2": {"READ": {3600: 100}}}}


async def ask(account, number: int) -> None:
    """Make so many requests at once."""
    await asyncio.gather(*(account.native.user.get() for _ in range(number)))


def counted(test, seconds: int) -> list[int]:
    """Return what the server counted in each window of *seconds*, one after the other."""
    rows = [row for row in test.report()["windows"] if row["resource"] == "USER"]
    tightest = max((row for row in rows if row["window_s"] == seconds), key=lambda row: row["share"])
    return [used for _, used in tightest["recent"]]


@pytest.mark.parametrize(
    ("windows", "calls", "seconds"),
    [
        ({"v2": {"READ": {1: 5}}}, 100, 1),
        ({"v2": {"READ": {1: 5, 60: 120}}, "all": {"READ": {1: 7, 60: 200}}}, 600, 60),
        ({"v2": {"READ": {1: 9}}, "all": {"READ": {1: 4}}}, 80, 1),
        ({"v2": {"": {1: 3, 60: 60}}}, 240, 60),
        ({"v2": {"READ": {1: 4, 60: 60, 3600: 120}}}, 140, 3600),
    ],
)
async def test_no_429_and_hardly_less_than_allowed(windows, calls, seconds):
    """Second, minute and hour windows, of one version and of all: at least 95 % of each but the last is used."""
    async with bench(limits={"USER": windows}) as test:
        await ask(test.account(), calls)
        limit = min(w.get(seconds, 10**9) for ops in windows.values() for w in ops.values())
        used = counted(test, seconds)[:-1]
        assert test.report()["rate_limited"] == 0
        assert sum(used) >= 0.95 * limit * len(used)


@pytest.mark.parametrize("skew_s", [-41.7, 37.4, 3601.0])
async def test_a_clock_that_goes_wrong_costs_no_429(skew_s):
    """The server's calendar counts; its Date header tells where it stands."""
    async with bench(limits={"USER": {"v2": {"READ": {1: 5, 60: 100}}}}, clock_skew_s=skew_s) as test:
        await ask(test.account(), 400)
        assert (test.report()["rate_limited"], max(counted(test, 60))) == (0, 100)


async def test_the_last_calls_of_a_window_are_spread():
    """A long window is not left without a call for most of it."""
    async with bench(limits=HOURLY) as test:
        times = []

        async def one(account):
            await account.native.user.get()
            times.append(test.clock.monotonic())

        account = test.account()
        await asyncio.gather(*(one(account) for _ in range(100)))
        assert times[85] < 60
        assert times[99] - times[91] > 600


# ---------------------------------------------------------------------- where the numbers come from


async def test_what_others_have_used_is_known_from_the_start():
    """``throttling.json`` counts the calls of every program of the account."""
    async with bench(limits=HOURLY) as test:
        await ask(test.account(), 80)
        with State.open(clock=test.clock) as elsewhere:
            await ask(test.account("other", state=elsewhere), 40)
        assert (test.report()["rate_limited"], counted(test, 3600)) == (0, [100, 20])


async def test_what_others_use_meanwhile_is_known_from_the_headers():
    """Two programs that know nothing of each other share the limit; each learns of its end by one 429 at most."""
    async with bench(limits=HOURLY) as test:
        with State.open(clock=test.clock) as elsewhere:
            accounts = (test.account(), test.account("other", state=elsewhere))
            for _ in range(60):
                for account in accounts:
                    await ask(account, 1)
        assert counted(test, 3600) == [100, 20]
        assert test.report()["rate_limited"] <= 2


async def test_use_survives_a_restart(tmp_path):
    """The state counts for the program that comes next; the limits are not asked for again within the hour."""
    async with bench(limits=HOURLY, state=f"sqlite:{tmp_path / 's.db'}") as test:
        for _ in range(2):
            account = test.account()
            await ask(account, 60)
            await account.close()
        assert (test.report()["rate_limited"], counted(test, 3600)) == (0, [100, 20])
        asked = [line for line in test.state.ledger.entries() if line.operation == "throttling.get"]
        assert len(asked) == 1


@pytest.mark.parametrize(("later_s", "waits"), [(10.0, True), (2400.0, False)])
async def test_what_was_left_of_a_window_that_is_over_is_not_believed(later_s, waits, tmp_path):
    """What others had used up by the end of one hour says nothing of the next, in which a program starts anew."""
    async with bench(limits=HOURLY, state=f"sqlite:{tmp_path / 's.db'}") as test:
        await test.clock.sleep(1500)  # 9:55
        with State.open(clock=test.clock) as elsewhere:
            other = test.account("other", state=elsewhere)
            for _ in range(100):
                await other.native.user.get()
        first = test.account()
        await connector(first)._parts.api._seeder.learn()  # 9:59
        await first.close()
        await test.clock.sleep(later_s)
        before = test.clock.monotonic()
        await ask(test.account(), 1)
        assert (test.clock.monotonic() - before > 1) == waits


async def test_limits_that_change_are_taken_in():
    """A lower one at once, from the headers; a higher one from the next window on."""
    async with bench(limits={"USER": {"v2": {"READ": {60: 100}}}}) as test:
        account = test.account()
        await ask(account, 30)
        test.sandbox.set_limits({"USER": {"v2": {"READ": {60: 50}}}})
        await ask(account, 1)
        await ask(account, 60)
        assert (test.report()["rate_limited"], counted(test, 60)) == (0, [50, 41])


async def test_what_the_user_sets_holds_beside_the_networks_own():
    """The tighter of both counts."""
    async with bench(limits={"USER": {"v2": {"READ": {1: 50}}}}) as test:
        await ask(test.account(limits={"USER/v2/READ": "2/s"}), 21)
        assert test.clock.monotonic() == pytest.approx(10, abs=0.5)


async def test_what_the_user_allows_in_flight_stays_when_limits_are_learnt():
    """The network tells requests in a time only; a bound of those under way is the user's own."""
    async with bench(limits={"USER": {"v2": {"READ": {1: 50}}}}) as test:
        account = test.account(limits={"USER/v2/READ": 2})
        await ask(account, 5)
        (bucket,) = (one for one in account.connector.limiter.state() if one.name == "USER/v2/READ")
        assert (bucket.concurrency, [window.limit for window in bucket.windows]) == (2, [50])
        assert (bucket.source, bucket.in_flight_source) == (_LIVE, SET_BY_USER)


@pytest.mark.parametrize(
    "refusal",
    [
        answer(404, {"error": {"code": "not_found", "message": "Resource not found"}}),
        answer(200, body=b"<html>maintenance</html>"),
        answer(200, body=b'{"USER":{"v2":{"READ":'),
        answer(200, []),
        answer(204),
    ],
    ids=["refused", "a page", "cut", "a list", "empty"],
)
async def test_limits_that_cannot_be_learnt_make_it_careful(refusal):
    """One request a second of each kind, until headers tell more."""
    async with bench() as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def refusing(request, *, timeout_s):
            if request.route.operation == "throttling.get":
                return refusal
            return await send(request, timeout_s=timeout_s)

        inner.send = refusing
        await ask(account, 11)
        assert test.clock.monotonic() == pytest.approx(10, abs=0.5)


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, {}), (429, {"remaining": {"3600": 0}, "limits": {"3600": 0}})],
    ids=["headers", "no access"],
)
async def test_what_limits_the_question_for_limits_limits_nothing_else(status, body):
    """It is a method like any other: its headers, and its being closed, are its own."""
    headers = {"X-RateLimit-Hourly-Limit": "5", "X-RateLimit-Hourly-Remaining": "4"}
    async with bench() as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def limited(request, *, timeout_s):
            if request.route.operation == "throttling.get":
                return answer(status, body, headers=headers)
            return await send(request, timeout_s=timeout_s)

        inner.send = limited
        await ask(account, 11)
        assert test.clock.monotonic() < 11


# ---------------------------------------------------------------------- no access


async def test_limits_of_zero_are_no_access():
    """Known from ``throttling.json``: nothing is sent."""
    async with bench(limits={"USER": {"v2": {"READ": {1: 0, 3600: 0}}}}) as test:
        account = test.account()
        for _ in range(3):
            with pytest.raises(QuotaExhaustedError, match="closed to this account"):
                await account.native.user.get()
        assert (test.report()["no_access"], test.clock.slept) == (0, [])


async def test_a_429_with_limits_of_zero_is_never_tried_again():
    """It is believed for the following calls, too."""
    async with bench() as test:
        account = test.account()
        await ask(account, 1)
        test.sandbox.set_limits({"USER": {"v2": {"READ": {1: 0}}}})
        for _ in range(3):
            with pytest.raises(QuotaExhaustedError):
                await account.native.user.get()
        assert test.report()["no_access"] == 1


# ---------------------------------------------------------------------- 429 after all


async def test_a_429_waits_for_its_window_and_loses_nothing():
    """Its map says which window is used up; the request is executed once, when that begins anew."""
    async with bench() as test:
        account = test.account()
        await ask(account, 1)
        test.sandbox.faults.once("429")
        before = test.clock.monotonic()
        await ask(account, 1)
        assert 0 < test.clock.monotonic() - before <= 1.1


async def test_a_wait_that_is_too_long_says_until_when():
    """A caller with a deadline is told at once."""
    from adnet.transport.deadline import deadline

    async with bench(limits=HOURLY) as test:
        account = test.account()
        await ask(account, 85)
        with deadline(test.clock, 5), pytest.raises(RateLimitError) as caught:
            await ask(account, 40)
        assert caught.value.free_at > test.clock.now()


async def test_days_begin_at_midnight_in_moscow():
    """That is 21:00 in UTC."""
    async with bench(limits={"USER": {"v2": {"READ": {86400: 9}}}}) as test:
        account = test.account()
        await ask(account, 9)
        with pytest.raises(RateLimitError) as caught:
            await ask(account, 1)
        assert abs(caught.value.free_at - datetime(2026, 9, 15, 21, tzinfo=UTC)) < timedelta(seconds=5)


async def test_an_interactive_call_is_not_stuck_behind_a_backfill():
    """It overtakes what can wait."""
    async with bench(limits={"CAMPAIGN": {"v2": {"READ": {1: 1}}}}) as test:
        account = test.account()
        pages = connector(account).native.campaigns

        async def backfill():
            async for _ in pages.list(fields=("id",), lane="backfill", id__in=["8800001"]):
                pass

        await account.get_account()
        backlog = [asyncio.ensure_future(backfill()) for _ in range(40)]
        for _ in range(5):  # so that all of it is in the queue
            await asyncio.sleep(0)
        before = test.clock.monotonic()
        await account.get_campaign("8800001")
        assert test.clock.monotonic() - before < 3
        await asyncio.gather(*backlog)


# ---------------------------------------------------------------------- pure parts


def test_a_window_map_is_read_with_care():
    """What is no number of calls in a number of seconds is left out."""
    body = {
        "limits": {"1": 5, "3600": 100, "x": 1, "0": 1, "60": True, "86400": "7"},
        "remaining": {"1": 0, "3600": -1},
    }
    assert windows_of(body) == {1: (5, 0)}
    assert [windows_of(strange) for strange in (None, [], "", {"limits": 3}, {"remaining": {"1": 0}})] == [
        {}
    ] * 5


@pytest.mark.parametrize(
    ("limits", "closed"),
    [({"1": 0}, True), ({"1": 0, "3600": 0}, True), ({"1": 0, "3600": 5}, False), ({}, False)],
)
def test_only_limits_that_are_all_zero_are_no_access(limits, closed):
    """A single zero is not, and neither is silence."""
    assert is_closed({"limits": limits, "remaining": dict.fromkeys(limits, 0)}) is closed


def test_headers_tell_windows_and_the_tightest_of_them():
    """Half-told ones are left out, and so is what is no number."""
    headers = {
        "x-ratelimit-rps-limit": "5",
        "x-ratelimit-rps-remaining": "4",
        "x-ratelimit-hourly-limit": "100",
        "x-ratelimit-hourly-remaining": "10",
        "x-ratelimit-daily-limit": "1000",
        "x-ratelimit-minutely-remaining": "x",
    }
    assert told(headers) == {1: (5, 4), 3600: (100, 10)}
    assert (headroom(headers), headroom({})) == ("10 of 100 in 3600 s", None)


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Tue, 15 Sep 2026 09:30:00 GMT", datetime(2026, 9, 15, 9, 30, tzinfo=UTC)),
        ("nonsense", None),
        ("Tue, 15 Sep 2026 09:30:00", None),
    ],
)
def test_the_date_header_is_read_with_care(date, moment):
    """Without a zone it says nothing."""
    assert server_time({"date": date}) == moment
    assert server_time({}) is None
