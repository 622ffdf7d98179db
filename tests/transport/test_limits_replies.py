"""What the limiter does with replies: refusals, headers, new definitions."""

import asyncio
from datetime import timedelta

import pytest

from adnet.errors import RateLimitError
from adnet.transport.limits import Bucket, Limiter, Window
from tests.transport.limit_worlds import B, limiter_of, settled, times_of, window


async def test_a_429_closes_the_buckets_for_as_long_as_the_server_asks(clock):
    """Nobody goes before the server's Retry-After is over."""
    limiter = limiter_of(clock)
    limiter.refused(B, retry_after_s=7)
    assert limiter.state()[0].blocked_until == clock.now() + timedelta(seconds=7)
    assert await times_of(limiter, clock, 2) == pytest.approx([7, 7], abs=0.001)


async def test_who_cannot_wait_for_the_end_of_a_429_is_told_at_once(clock):
    """A waiting call whose deadline a refusal has made impossible does not wait for its deadline."""
    limiter = limiter_of(clock, concurrency=1)
    with await limiter.acquire(B):
        waiting = asyncio.create_task(limiter.acquire(B, deadline=10.0))
        await settled()
        limiter.refused(B, retry_after_s=60)
        with pytest.raises(RateLimitError):
            await waiting
    assert clock.monotonic() == 0.0


async def test_429s_without_a_time_double_the_pause_and_a_success_ends_that(clock):
    """One second, then two, then four; one success and it is one second again."""
    limiter = limiter_of(clock)
    pauses = []
    for good in (False, False, False, True, False):
        start = clock.monotonic()
        if good:
            limiter.succeeded(B)
            continue
        limiter.refused(B, retry_after_s=None)
        await times_of(limiter, clock, 1)
        pauses.append(clock.monotonic() - start)
    assert pauses == pytest.approx([1, 2, 4, 1], abs=0.001)


async def test_a_volley_of_429s_counts_once(clock):
    """Eight refusals of eight requests in flight halve an adaptive concurrency once and pause one second."""
    limiter = Limiter([Bucket("b", concurrency=8, adaptive=True)], clock=clock)
    for _ in range(8):
        limiter.refused(B, retry_after_s=None)
    assert limiter.state()[0].concurrency == 4
    assert await times_of(limiter, clock, 1) == pytest.approx([1], abs=0.001)


async def test_adaptive_concurrency_comes_back_slowly(clock):
    """After a halving a row of successes opens one place, up to the definition and not beyond."""
    limiter = Limiter([Bucket("b", concurrency=2, adaptive=True)], clock=clock)
    for _ in range(3):
        limiter.refused(B, retry_after_s=1)
        await clock.sleep(2)
    seen = []
    for _ in range(60):
        limiter.succeeded(B)
        seen.append(limiter.state()[0].concurrency)
    assert (seen[0], seen[-1]) == (1, 2)
    assert 5 < seen.count(1) < 50


async def test_a_reply_in_time_lowers_what_is_left(clock):
    """Others use the account too: three left, one of ours under way, so two may go."""
    limiter = limiter_of(clock, Window(10, 100.0))
    limiter.learn("b", 100.0, limit=10, remaining=3, in_flight=1, server_now=None)
    assert (await times_of(limiter, clock, 3)) == pytest.approx([0, 0, 100], abs=1)


async def test_replies_that_agree_with_our_own_count_cost_nothing(clock):
    """Where nobody else uses the account, requests in flight are not counted twice."""
    limiter = limiter_of(clock, Window(10, 100.0))
    await times_of(limiter, clock, 4)
    limiter.learn("b", 100.0, limit=10, remaining=6, in_flight=3, server_now=None)
    assert window(limiter).remaining == 6


async def test_a_reply_of_an_earlier_window_is_not_believed(clock):
    """What a late reply says of the last calendar window does not bind the present one."""
    limiter = limiter_of(clock, Window(5, 10.0, aligned=True))
    limiter.learn_skew(clock.now() + timedelta(microseconds=1), 0.01)
    date = clock.now()
    await clock.sleep(11)
    limiter.learn("b", 10.0, limit=None, remaining=0, in_flight=0, server_now=date)
    limiter.learn("b", 10.0, limit=None, remaining=0, in_flight=0, server_now=None, sent_at=2.0)
    assert window(limiter).remaining == 5


async def test_a_lower_limit_applies_at_once_and_a_higher_one_from_the_next_window(clock):
    """Five become three now; three become eight when the present window is over."""
    limiter = limiter_of(clock, Window(5, 10.0))
    limiter.learn("b", 10.0, limit=3, remaining=None, in_flight=0, server_now=None)
    lower = window(limiter).limit
    limiter.learn("b", 10.0, limit=8, remaining=None, in_flight=0, server_now=None)
    same = window(limiter).limit
    await clock.sleep(10.1)
    assert (lower, same, window(limiter).limit) == (3, 3, 8)


async def test_an_older_reply_does_not_bring_back_an_older_limit(clock):
    """Replies overtake each other; the limit of the newest Date stands."""
    limiter = limiter_of(clock, Window(5, 10.0))
    limiter.learn("b", 10.0, limit=3, remaining=None, in_flight=0, server_now=clock.now())
    earlier = clock.now() - timedelta(seconds=2)
    limiter.learn("b", 10.0, limit=5, remaining=None, in_flight=0, server_now=earlier)
    await clock.sleep(30)
    assert window(limiter).limit == 3


async def test_a_window_that_only_replies_know_is_obeyed(clock):
    """A header may tell of a window that was never declared."""
    limiter = limiter_of(clock)
    (await limiter.acquire(B)).release()
    limiter.learn("b", 60.0, limit=2, remaining=1, in_flight=0, server_now=None)
    assert await times_of(limiter, clock, 2) == pytest.approx([0, 60], abs=5)


async def test_what_replies_leave_out_changes_nothing(clock):
    """A header without a limit for a window that is not known says nothing that could be kept."""
    limiter = limiter_of(clock, Window(5, 10.0))
    limiter.learn("b", 60.0, limit=None, remaining=1, in_flight=0, server_now=None)
    limiter.learn("b", 10.0, limit=None, remaining=None, in_flight=0, server_now=None)
    assert [(w.per_s, w.remaining) for w in limiter.state()[0].windows] == [(10.0, 5)]


async def test_a_new_definition_keeps_what_was_used(clock):
    """After the network's own table of limits was read, earlier uses still count."""
    limiter = limiter_of(clock, Window(5, 10.0))
    await times_of(limiter, clock, 4)
    limiter.add(Bucket("b", (Window(6, 10.0), Window(100, 3600.0)), source="throttling.json"))
    assert (window(limiter).remaining, limiter.state()[0].source) == (2, "throttling.json")


async def test_a_wider_definition_wakes_those_who_wait(clock):
    """Who waits for a place goes as soon as there are more of them."""
    limiter = limiter_of(clock, concurrency=1)
    with await limiter.acquire(B):
        waiting = asyncio.create_task(times_of(limiter, clock, 1))
        await settled()
        limiter.add(Bucket("b", concurrency=2))
        assert await waiting == [0.0]
