"""The limiter, case by case; what holds of all cases is in test_limits_properties."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from adnet.errors import ConfigurationError, QuotaExhaustedError, RateLimitError
from adnet.transport.limits import Bucket, Limiter, Window
from tests.transport.limit_worlds import B, Server, hammer, limiter_of, settled, times_of, window


async def refusal(limiter: Limiter, names=B, **settings) -> RateLimitError:
    with pytest.raises(RateLimitError) as caught:
        await limiter.acquire(names, **settings)
    return caught.value


# -------------------------------------------------------------------------- windows


async def test_a_sliding_window_lets_the_next_go_when_the_first_leaves_it(clock):
    """Five a second: the sixth of a burst goes one second after the first, with a little added."""
    times = await times_of(limiter_of(clock, Window(5, 1.0)), clock, 11)
    assert times == pytest.approx([0.0] * 5 + [1.0] * 5 + [2.0], abs=0.01)
    assert times[5] > 1.0


async def test_all_windows_hold_at_once(clock):
    """Two a second and three in ten seconds: the fourth waits for the longer window."""
    times = await times_of(limiter_of(clock, Window(2, 1.0), Window(3, 10.0)), clock, 4)
    assert times == pytest.approx([0, 0, 1, 10], abs=0.05)


async def test_a_cost_is_charged_in_units(clock):
    """A request of cost three takes three units, and the next waits for what it lacks."""
    limiter = limiter_of(clock, Window(4, 1.0))
    await times_of(limiter, clock, 1, cost=3)
    assert await times_of(limiter, clock, 2) == pytest.approx([0, 1], abs=0.01)
    assert limiter.charges == Counter(b=5)


async def test_a_calendar_window_starts_at_the_servers_border(clock):
    """With a clock known to be 0.4 s ahead, the next second's calls go just after the server's second begins."""
    limiter = limiter_of(clock, Window(2, 1.0, aligned=True))
    limiter.learn_skew(clock.now() + timedelta(seconds=0.4), 0.01)
    times = await times_of(limiter, clock, 5)
    assert times == pytest.approx([0, 0, 0.6, 0.6, 1.6], abs=0.06)
    assert times[2] > 0.6


async def test_a_day_begins_where_the_network_is(clock):
    """A day that is counted in Moscow ends at 21:00 UTC."""
    limiter = limiter_of(clock, Window(1, 86400, aligned=True, tz_offset_s=3 * 3600))
    limiter.learn_skew(clock.now() + timedelta(microseconds=1), 0.0)
    (await limiter.acquire(B)).release()
    error = await refusal(limiter)
    assert error.free_at is not None
    assert abs(error.free_at - datetime(2026, 3, 1, 21, tzinfo=UTC)) < timedelta(seconds=1)


async def test_whole_seconds_of_many_replies_place_the_calendar(clock):
    """After replies at many moments the border is known far better than a Date header tells."""
    server = Server(clock, Window(5, 1.0, aligned=True), skew_s=1234.567, rtt_s=0.02)
    limiter = limiter_of(clock, server.window)
    await hammer(limiter, server, callers=5, until=30.0)
    server.counts.clear()
    start = server.index() + 1
    await hammer(limiter, server, callers=5, until=60.0)
    assert [server.counts[start + n] for n in range(28)] == [5] * 28


async def test_a_date_that_contradicts_all_others_is_distrusted_for_one_reply(clock):
    """A reply from a machine with a wrong clock makes the limiter careful, and the next one mends it."""
    limiter = limiter_of(clock, Window(2, 1.0, aligned=True))
    right = timedelta(microseconds=1)
    limiter.learn_skew(clock.now() + right, 0.01)
    limiter.learn_skew(clock.now() + timedelta(hours=1), 0.01)
    assert (await times_of(limiter, clock, 3))[2] == pytest.approx(1.014, abs=0.01)
    limiter.learn_skew(clock.now() + right, 0.01)
    await clock.sleep(1.0)
    assert (await times_of(limiter, clock, 3))[2] % 1 == pytest.approx(0.04, abs=0.03)


async def test_the_last_calls_of_a_long_window_are_spread(clock):
    """The last fifth of ten an hour goes evenly over the rest of the hour."""
    limiter = limiter_of(clock, Window(10, 3600, spread_last=0.2), max_wait_s=4000)
    times = await times_of(limiter, clock, 11)
    assert times == pytest.approx([0] * 8 + [1200, 2400, 3600], rel=0.01)


async def test_what_was_never_sent_holds_up_none_of_the_last_calls(clock):
    """They are spread from the last request that left: who waited for a token is let in twice."""
    limiter = limiter_of(clock, Window(10, 3600, spread_last=0.2), max_wait_s=4000)
    await times_of(limiter, clock, 8)
    await clock.sleep(2000)
    for _ in range(2):
        (await limiter.acquire(B)).unsent()
    assert await times_of(limiter, clock, 1) == [2000.0]


async def test_a_large_window_is_counted_in_little_memory(clock):
    """Uses of a window of a hundred thousand are merged, and none is forgotten before its time."""
    limiter = limiter_of(clock, Window(100_000, 1000.0))
    for _ in range(50):
        for _ in range(100):
            (await limiter.acquire(B)).release()
        await clock.sleep(0.01)
    (log,) = limiter._rooms["b"].logs
    assert (len(log.entries) < 10, window(limiter).used) == (True, 5000)


async def test_a_clock_that_rounds_never_spins(clock):
    """Each change of a window wakes the queue once: twenty waits of 5 a second are three sleeps."""
    await times_of(limiter_of(clock, Window(5, 1.0)), clock, 20)
    assert len(clock.slept) == 3


# -------------------------------------------------------------------------- refusing


async def test_a_wait_that_would_be_too_long_is_refused_at_once(clock):
    """Beyond max_wait_s the call is refused without waiting, with the time at which there is room."""
    limiter = limiter_of(clock, Window(1, 3600.0), max_wait_s=60, scope="acme/partner")
    (await limiter.acquire(B)).release()
    error = await refusal(limiter)
    assert (clock.monotonic(), error.scope, error.temporary) == (0.0, "acme/partner/b", True)
    assert error.retry_after_s == pytest.approx(3600, abs=1)
    assert error.free_at == clock.now() + timedelta(seconds=error.retry_after_s or 0)


async def test_the_queue_ahead_counts_for_the_refusal(clock):
    """With a hundred waiting at one a second, a call that may wait ten seconds is refused at once."""
    limiter = limiter_of(clock, Window(1, 1.0))
    queue = [asyncio.create_task(times_of(limiter, clock, 1)) for _ in range(100)]
    await settled()
    error = await refusal(limiter, deadline=10.0)
    assert error.retry_after_s == pytest.approx(100, abs=2)
    assert limiter.state()[0].queued == 99
    for task in queue:
        task.cancel()


async def test_a_place_that_does_not_come_is_given_up_at_the_deadline(clock):
    """How long others keep their places is not known; the deadline ends the wait and leaves nothing."""
    limiter = limiter_of(clock, concurrency=1)
    with await limiter.acquire(B):
        error = await refusal(limiter, deadline=5.0)
    assert (clock.monotonic(), error.waited_s) == pytest.approx((5.0, 5.0), abs=0.001)
    assert (limiter.state()[0].queued, limiter.state()[0].in_flight) == (0, 0)


async def test_who_stands_further_back_is_given_up_at_its_own_deadline(clock):
    """A deadline ends a wait wherever in the queue it is met."""
    limiter = limiter_of(clock, concurrency=1)
    with await limiter.acquire(B):
        first = asyncio.create_task(times_of(limiter, clock, 1, deadline=100.0))
        await settled()
        await refusal(limiter, deadline=5.0)
        assert clock.monotonic() == pytest.approx(5, abs=0.001)
    assert await first == [clock.monotonic()]


async def test_a_bucket_of_zeros_is_no_access(clock):
    """A bucket whose windows all allow nothing is refused at once and for good, not waited for."""
    limiter = limiter_of(clock, Window(0, 1.0), Window(0, 3600.0), scope="acme")
    with pytest.raises(QuotaExhaustedError, match=r"^b is closed") as caught:
        await limiter.acquire(B)
    assert (caught.value.resets_at, caught.value.temporary) == (None, False)


async def test_those_who_wait_are_told_when_a_bucket_closes(clock):
    """A limit that a reply sets to nothing ends the waits for it."""
    limiter = limiter_of(clock, Window(1, 1.0))
    (await limiter.acquire(B)).release()
    waiting = asyncio.create_task(limiter.acquire(B))
    await settled()
    limiter.learn("b", 1.0, limit=0, remaining=0, in_flight=0, server_now=None)
    with pytest.raises(QuotaExhaustedError):
        await waiting


@pytest.mark.parametrize("cost", [6, -1])
async def test_a_cost_that_never_fits_is_a_mistake(clock, cost):
    """A cost above the window, or below nothing, is refused as wrong."""
    with pytest.raises(ConfigurationError):
        await limiter_of(clock, Window(5, 1.0)).acquire(B, cost=cost)


async def test_a_bucket_that_is_named_twice_counts_once(clock):
    """Names may come as any sequence; each bucket is charged once."""
    limiter = limiter_of(clock)
    for names in (["b"], ("b", "b"), ["b", "b"]):
        (await limiter.acquire(names)).release()
    assert limiter.charges == Counter(b=3)


async def test_an_unknown_bucket_is_a_key_error(clock):
    """A name that was never defined is the programmer's mistake."""
    with pytest.raises(KeyError, match="nowhere"):
        await limiter_of(clock).acquire(["b", "nowhere"])


# -------------------------------------------------------------------------- what it tells, what it costs


async def test_the_state_tells_limits_uses_and_who_waits(clock):
    """For every bucket: its windows with what is left and until when, who is in, and who waits."""
    limiter = limiter_of(clock, Window(2, 10.0), concurrency=4)
    await limiter.acquire(B, cost=2)
    waiting = asyncio.create_task(limiter.acquire(B))
    await settled()
    (state,) = limiter.state()
    (first,) = state.windows
    assert (state.name, state.in_flight, state.queued, state.concurrency) == ("b", 1, 1, 4)
    assert (first.limit, first.used, first.remaining, first.per_s) == (2, 2, 0, 10.0)
    assert first.resets_at is not None
    assert timedelta(seconds=10) <= first.resets_at - clock.now() < timedelta(seconds=10.1)
    waiting.cancel()


async def test_a_refusal_names_the_buckets_that_bound_it(clock):
    """Those alone, and as routes name them; whose limits they are tells ``scope``."""
    buckets = [Bucket("free"), Bucket("hourly", (Window(1, 3600.0),)), Bucket("few", concurrency=9)]
    limiter = Limiter(buckets, clock=clock, scope="0a1b2c3d", max_wait_s=60)
    names = [bucket.name for bucket in buckets]
    with await limiter.acquire(names):
        pass
    with pytest.raises(RateLimitError) as caught:
        await limiter.acquire(names)
    assert caught.value.message.startswith("hourly will have room in 3600.")
    assert caught.value.scope == "0a1b2c3d/hourly"
