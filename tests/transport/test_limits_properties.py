"""What holds of the limiter whatever the callers, the replies and their order."""

import asyncio
import itertools
from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adnet.errors import RateLimitError
from adnet.transport.limits import Bucket, Limiter, Window
from tests.transport.limit_worlds import Call, Server, fullest, hammer, limiter_of, play, run

lively = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

LIMITS = st.integers(2, 6)
WINDOWS = st.lists(
    st.builds(Window, LIMITS, st.sampled_from([0.5, 1.0, 3.0, 20.0])), max_size=3, unique_by=lambda w: w.per_s
)
BUCKETS = st.tuples(
    *(
        st.builds(
            Bucket,
            st.just(name),
            WINDOWS.map(tuple),
            st.none() | st.integers(1, 3),
            adaptive=st.booleans(),
        )
        for name in "abc"
    )
)
TIMES = st.floats(0, 10, allow_nan=False)
CALLS = st.lists(
    st.builds(
        Call,
        TIMES,
        st.sets(st.sampled_from("abc"), min_size=1).map(lambda names: tuple(sorted(names))),
        cost=st.integers(1, 2),
        lane=st.sampled_from(["interactive", "backfill"]),
        takes_s=st.sampled_from([0.0, 0.01, 0.3, 2.0]),
        cancelled_after=st.none() | st.none() | st.floats(0, 5, allow_nan=False),
    ),
    min_size=1,
    max_size=40,
)


@lively
@given(BUCKETS, CALLS)
def test_no_window_is_ever_overfilled_and_everybody_is_served(buckets, calls):
    """No window of any bucket sees more than its limit, nobody waits for ever, and nothing is left behind."""

    async def world(clock):
        limiter = Limiter(buckets, clock=clock)
        sent = await play(limiter, clock, calls)
        return sent, limiter

    sent, limiter = run(world)
    for bucket in buckets:
        mine = [(at, call.cost) for at, call in sent if bucket.name in call.names]
        assert [fullest(mine, w.per_s) <= w.limit for w in bucket.windows] == [True] * len(bucket.windows)
        assert limiter.charges[bucket.name] == sum(cost for _, cost in mine)
    assert [(state.in_flight, state.queued) for state in limiter.state()] == [(0, 0)] * 3
    missing = Counter(call for call in calls if call.cancelled_after is None) - Counter(c for _, c in sent)
    assert not missing


@lively
@given(CALLS, st.integers(1, 3))
def test_places_are_never_overfilled(calls, concurrency):
    """At no moment are more requests under way than a bucket allows, cancelled ones included."""

    async def world(clock):
        limiter = Limiter([Bucket(name, concurrency=concurrency) for name in "abc"], clock=clock)
        peak = 0

        async def watch():
            nonlocal peak
            for _ in range(300):
                peak = max(peak, *(state.in_flight for state in limiter.state()))
                await clock.sleep(0.1)

        await asyncio.gather(play(limiter, clock, calls), watch())
        return peak

    assert run(world) <= concurrency


@lively
@given(CALLS)
def test_calls_of_one_kind_and_lane_go_in_the_order_they_came(calls):
    """Within a lane nobody overtakes who asks for the same buckets."""

    async def world(clock):
        limiter = Limiter([Bucket(name, (Window(3, 1.0),), 2) for name in "abc"], clock=clock)
        return await play(limiter, clock, calls)

    kinds: dict[Any, list[float]] = {}
    for _, call in run(world):
        kinds.setdefault((call.names, call.lane), []).append(call.at)
    assert [times == sorted(times) for times in kinds.values()] == [True] * len(kinds)


@lively
@given(
    limit=st.integers(1, 8),
    skew_s=st.floats(-5000, 5000, allow_nan=False),
    rtt_s=st.floats(0.001, 0.2, allow_nan=False),
    delays=st.lists(st.floats(0, 1, allow_nan=False), min_size=1, max_size=9),
    callers=st.integers(1, 12),
    tz_offset_s=st.sampled_from([0, 10800]),
)
def test_a_calendar_window_is_never_overfilled(limit, skew_s, rtt_s, delays, callers, tz_offset_s):
    """Whatever the skew of the server's clock and the way of each request, no calendar second sees too many."""

    async def world(clock):
        window = Window(limit, 1.0, aligned=True, tz_offset_s=tz_offset_s)
        server = Server(clock, window, skew_s, rtt_s, itertools.cycle(delays))
        await hammer(limiter_of(clock, window), server, callers=callers, until=20.0)
        return max(server.counts.values())

    assert run(world) <= limit


@lively
@given(skew_s=st.floats(-5000, 5000, allow_nan=False), per_s=st.sampled_from([1.0, 7.0, 60.0]))
def test_a_calendar_that_is_not_known_is_never_overfilled(skew_s, per_s):
    """A server that tells no Date is treated as if any moment could be the border."""

    async def world(clock):
        window = Window(3, per_s, aligned=True)
        server = Server(clock, window, skew_s, 0.04, itertools.cycle([0.0, 1.0, 0.3]))
        await hammer(limiter_of(clock, window), server, callers=4, until=10 * per_s, tells=False)
        return max(server.counts.values()), sum(server.counts.values()) / (3 * 10)

    peak, share = run(world)
    assert peak <= 3
    assert share >= 0.95


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["call", "wait", "header"]),
        st.integers(0, 12),  # remaining
        st.integers(0, 4),  # in flight
        st.none() | st.integers(1, 12),  # limit
        st.sampled_from([0.0, -3.0, -12.0, None]),  # how late the reply is
    ),
    max_size=60,
)


@lively
@given(HEADERS, st.booleans())
def test_no_reply_raises_a_budget(steps, aligned):
    """Whatever headers say, in whatever order, what is left of the present window never grows by them."""

    async def world(clock):
        server = Server(clock, Window(10, 10.0, aligned=aligned))
        limiter = limiter_of(clock, server.window)
        limiter.learn_skew(server.date(), 0.02)
        for kind, remaining, in_flight, limit, late in steps:
            before = limiter.state()[0].windows[0].remaining
            if kind == "wait":
                await clock.sleep(remaining / 2)
            elif kind == "call" and before:
                (await limiter.acquire(("b",), deadline=clock.monotonic())).release()
            elif kind == "header":
                date = None if late is None else server.date() + timedelta(seconds=late)
                limiter.learn(
                    "b", 10.0, limit=limit, remaining=remaining, in_flight=in_flight, server_now=date
                )
                assert limiter.state()[0].windows[0].remaining <= before

    run(world)


@lively
@given(
    st.integers(1, 9),
    st.lists(st.tuples(st.floats(0, 0.9), st.integers(0, 9), st.integers(0, 3)), max_size=6),
)
def test_a_lower_remainder_binds_until_the_window_ends(limit, headers):
    """After a reply has left *r* with *f* others under way, at most r - f more go in that window."""

    async def world(clock):
        limiter = limiter_of(clock, Window(limit, 10.0))
        left = limit
        for pause, remaining, in_flight in headers:
            await clock.sleep(pause)
            limiter.learn("b", 10.0, limit=None, remaining=remaining, in_flight=in_flight, server_now=None)
            left = left if remaining >= left else min(left, max(remaining - in_flight, 0))
            try:
                (await limiter.acquire(("b",), deadline=clock.monotonic())).release()
                left -= 1
            except RateLimitError:
                assert left == 0
            assert left >= 0

    run(world)


@lively
@given(
    st.builds(Window, st.integers(1, 40), st.sampled_from([0.5, 1.0, 10.0, 60.0])),
    st.integers(1, 5),
)
def test_nearly_all_of_a_sliding_window_is_used(window, callers):
    """When there is work, at least 99 % of what a sliding window allows is used."""

    async def world(clock):
        limiter = limiter_of(clock, window)
        turns = 50
        server = Server(clock, window, rtt_s=window.per_s / window.limit / 4)
        await hammer(limiter, server, callers=callers, until=turns * window.per_s, tells=False)
        return limiter.charges["b"] / (turns * window.limit)

    assert run(world) >= 0.99


@lively
@given(
    limit=st.integers(1, 8),
    skew_s=st.floats(-3, 3, allow_nan=False),
    rtt_s=st.floats(0.001, 0.04, allow_nan=False),
)
def test_nearly_all_of_a_calendar_window_is_used(limit, skew_s, rtt_s):
    """When there is work, at least 95 % of what calendar seconds allow is used, the learning included."""

    async def world(clock):
        window = Window(limit, 1.0, aligned=True)
        server = Server(clock, window, skew_s, rtt_s)
        await hammer(limiter_of(clock, window), server, callers=limit, until=100.0)
        return sum(server.counts.values()) / (100 * limit)

    assert run(world) >= 0.95
