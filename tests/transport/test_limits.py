"""The limiter, case by case; what holds of all cases is in test_limits_properties."""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from adnet.clock import SystemClock
from adnet.errors import ConfigurationError, QuotaExhaustedError, RateLimitError
from adnet.testing import FakeClock
from adnet.transport.limits import Bucket, Limiter, Window
from tests.transport.limit_worlds import Server, hammer, limiter_of

B = ("b",)


async def times_of(limiter: Limiter, clock: FakeClock, calls: int, **settings) -> list[float]:
    """Return when each of *calls*, all made now, was let in."""

    async def call() -> float:
        with await limiter.acquire(B, **settings):
            return clock.monotonic()

    return await asyncio.gather(*(call() for _ in range(calls)))


async def settled() -> None:
    """Let every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


async def refusal(limiter: Limiter, names=B, **settings) -> RateLimitError:
    with pytest.raises(RateLimitError) as caught:
        await limiter.acquire(names, **settings)
    return caught.value


def window(limiter: Limiter, position: int = 0):
    return limiter.state()[0].windows[position]


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


# -------------------------------------------------------------------------- order


async def test_places_are_given_in_the_order_of_asking(clock):
    """Who asked first gets the first place that is free."""
    limiter = limiter_of(clock, concurrency=1)
    order = []

    async def call(number: int) -> None:
        with await limiter.acquire(B):
            order.append(number)
            await clock.sleep(1)

    await asyncio.gather(*map(call, range(5)))
    assert (order, limiter.waited_s_total) == ([0, 1, 2, 3, 4], 0 + 1 + 2 + 3 + 4)


async def test_an_interactive_call_overtakes_a_backlog(clock):
    """A person waits for one free place, not for the hundred calls of a backfill that stand there."""
    limiter = limiter_of(clock, Window(1, 1.0))
    backlog = [asyncio.create_task(times_of(limiter, clock, 1, lane="backfill")) for _ in range(100)]
    await settled()
    assert await times_of(limiter, clock, 1) == pytest.approx([1], abs=0.1)
    for task in backlog:
        task.cancel()


async def test_a_backlog_is_not_starved_by_interactive_calls(clock):
    """A backlog steps aside for half a minute, not for ever."""
    limiter = limiter_of(clock, Window(1, 1.0))
    await times_of(limiter, clock, 1)
    backlog = asyncio.create_task(times_of(limiter, clock, 1, lane="backfill"))
    await settled()
    people = [asyncio.create_task(times_of(limiter, clock, 1)) for _ in range(20)]

    async def crowd() -> None:
        while True:
            people.append(asyncio.create_task(times_of(limiter, clock, 1)))
            await clock.sleep(0.9)

    crowding = asyncio.create_task(crowd())
    assert 30 <= (await backlog)[0] <= 60
    for task in (crowding, *people):
        task.cancel()


async def test_a_heavy_waiter_is_not_starved_by_light_ones(clock):
    """A request that costs the whole window goes in its turn although light ones keep coming."""
    limiter = limiter_of(clock, Window(10, 1.0))
    light = [asyncio.create_task(times_of(limiter, clock, 1)) for _ in range(15)]
    await settled()
    heavy = asyncio.create_task(times_of(limiter, clock, 1, cost=10))
    await settled()
    light += [asyncio.create_task(times_of(limiter, clock, 1)) for _ in range(50)]
    assert await heavy == pytest.approx([2], abs=0.1)
    await asyncio.gather(*light)


async def test_a_waiter_for_two_buckets_is_not_starved_by_those_for_one(clock):
    """Who needs two full buckets at once goes in its turn although each is asked for all the time."""
    limiter = Limiter([Bucket(name, (Window(2, 1.0),)) for name in "ab"], clock=clock)

    async def call(*names: str) -> float:
        with await limiter.acquire(names):
            return clock.monotonic()

    first = [asyncio.create_task(call(name)) for name in "aaaabb"]
    await settled()
    both = asyncio.create_task(call("a", "b"))
    await settled()
    rest = [asyncio.create_task(call(name)) for name in "ab" * 20]
    assert await both == pytest.approx(2, abs=0.1)
    await asyncio.gather(*first, *rest)


async def test_nobody_waits_for_a_bucket_that_was_not_named(clock):
    """Calls of one bucket go on while another is used up for an hour and its callers share their place."""
    limiter = Limiter(
        [Bucket("hour", (Window(1, 3000),)), Bucket("free"), Bucket("all", concurrency=1)], clock=clock
    )
    (await limiter.acquire(("hour", "all"))).release()
    waiting = asyncio.create_task(limiter.acquire(("hour", "all")))
    await settled()
    for _ in range(10):
        (await limiter.acquire(("free", "all"))).release()
    assert clock.monotonic() == 0.0
    (await waiting).release()
    assert clock.monotonic() == pytest.approx(3000, abs=1)


async def test_what_a_waiter_will_need_is_kept_for_it(clock):
    """A long window's last unit is not taken from a waiter whose other bucket is free only later."""
    limiter = Limiter([Bucket("slow", (Window(1, 2.0),)), Bucket("day", (Window(2, 86400),))], clock=clock)
    (await limiter.acquire(("slow", "day"))).release()
    waiting = asyncio.create_task(limiter.acquire(("slow", "day")))
    await settled()
    error = await refusal(limiter, ("day",), deadline=60.0)
    assert error.free_at is not None
    assert error.free_at > clock.now() + timedelta(hours=23)
    (await waiting).release()
    assert clock.monotonic() == pytest.approx(2, abs=0.1)


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


async def test_a_bucket_of_zeros_is_no_access(clock):
    """A bucket whose windows all allow nothing is refused at once and for good, not waited for."""
    limiter = limiter_of(clock, Window(0, 1.0), Window(0, 3600.0), scope="acme")
    with pytest.raises(QuotaExhaustedError, match="acme/b is closed") as caught:
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


async def test_an_unknown_bucket_is_a_key_error(clock):
    """A name that was never defined is the programmer's mistake."""
    with pytest.raises(KeyError, match="nowhere"):
        await limiter_of(clock).acquire(["b", "nowhere"])


# -------------------------------------------------------------------------- slots and cancelling


async def test_leaving_gives_back_the_place_and_keeps_the_charge(clock):
    """After the block the place is free and the unit stays used; releasing again changes nothing."""
    limiter = limiter_of(clock, Window(5, 1.0), concurrency=1)
    with await limiter.acquire(B) as slot:
        assert (limiter.state()[0].in_flight, slot.waited_s) == (1, 0.0)
    slot.release()
    assert (limiter.state()[0].in_flight, window(limiter).used) == (0, 1)


async def test_what_was_never_sent_is_not_charged(clock):
    """A request that never left gives back place and charge, once."""
    limiter = limiter_of(clock, Window(1, 1000.0))
    slot = await limiter.acquire(B)
    slot.unsent()
    slot.unsent()
    assert (limiter.charges["b"], window(limiter).used) == (0, 0)
    assert await times_of(limiter, clock, 1) == [0.0]


async def test_a_cancelled_waiter_leaves_nothing_and_hands_the_turn_on(clock):
    """The one behind a cancelled heavy waiter goes at once when there is room for it."""
    limiter = limiter_of(clock, Window(2, 10.0))
    (await limiter.acquire(B)).release()
    heavy = asyncio.create_task(limiter.acquire(B, cost=2))
    await settled()
    light = asyncio.create_task(times_of(limiter, clock, 1))
    await settled()
    heavy.cancel()
    assert await light == [0.0]
    assert (limiter.state()[0].queued, window(limiter).used) == (0, 2)


async def test_a_waiter_cancelled_after_its_turn_came_gives_it_back(clock):
    """Between being let in and waking up a call can be cancelled: the place goes to the next, nothing is charged."""
    limiter = limiter_of(clock, Window(9, 1.0), concurrency=1)
    slot = await limiter.acquire(B)
    unlucky = asyncio.create_task(limiter.acquire(B))
    await settled()
    following = asyncio.create_task(times_of(limiter, clock, 1))
    await settled()
    slot.release()
    unlucky.cancel()
    assert await following == [0.0]
    assert (limiter.charges["b"], limiter.state()[0].in_flight) == (2, 0)


async def test_an_empty_queue_leaves_no_task(clock):
    """When nobody waits any more, nothing of the limiter is left on the event loop."""
    limiter = limiter_of(clock, Window(1, 1000.0))
    (await limiter.acquire(B)).release()
    waiting = asyncio.create_task(limiter.acquire(B))
    await settled()
    waiting.cancel()
    await settled()
    assert asyncio.all_tasks() == {asyncio.current_task()}


# -------------------------------------------------------------------------- replies


async def test_a_429_closes_the_buckets_for_as_long_as_the_server_asks(clock):
    """Nobody goes before the server's Retry-After is over."""
    limiter = limiter_of(clock)
    limiter.refused(B, retry_after_s=7)
    assert limiter.state()[0].blocked_until == clock.now() + timedelta(seconds=7)
    assert await times_of(limiter, clock, 2) == pytest.approx([7, 7], abs=0.001)


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
    assert first.resets_at - clock.now() == pytest.approx(timedelta(seconds=10), abs=timedelta(seconds=0.1))
    waiting.cancel()


async def test_an_unhindered_request_costs_microseconds():
    """Acquire and release of a free bucket are cheap (about one microsecond on the machine this was made on)."""
    limiter = Limiter([Bucket("b", (Window(10**9, 1.0),), concurrency=8)], clock=SystemClock())
    costs = []
    for _ in range(7):
        start = time.process_time()
        for _ in range(5000):
            with await limiter.acquire(B):
                pass
        costs.append((time.process_time() - start) / 5000)
    assert min(costs) < 5e-6
