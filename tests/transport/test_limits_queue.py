"""Who goes next, and what a call leaves behind when it is done or cancelled."""

import asyncio

import pytest

from adnet.errors import ConnectError
from adnet.transport.limits import Bucket, Limiter, Window
from tests.transport.limit_worlds import B, limiter_of, settled, times_of, window

# -------------------------------------------------------------------------- order


async def test_places_are_given_in_the_order_of_asking(clock):
    """Who asked first gets the first place that is free."""
    limiter = limiter_of(clock, concurrency=1)
    waited = []

    async def call(number: int) -> None:
        with await limiter.acquire(B) as slot:
            waited.append((number, slot.waited_s))
            await clock.sleep(1)

    await asyncio.gather(*map(call, range(5)))
    assert waited == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]


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


async def test_short_windows_stay_open_while_somebody_waits_for_a_long_one(clock):
    """Whose turn comes in an hour does not hold up those who use what is free again by then."""
    limiter = Limiter([Bucket("hour", (Window(1, 3000),)), Bucket("b", (Window(2, 1.0),))], clock=clock)
    (await limiter.acquire(("hour", "b"))).release()
    waiting = asyncio.create_task(limiter.acquire(("hour", "b")))
    await settled()
    assert await times_of(limiter, clock, 5) == pytest.approx([0, 1, 1, 2, 2], abs=0.1)
    waiting.cancel()


@pytest.mark.parametrize("spare", [0, 1, 3])
async def test_what_a_waiter_will_need_is_kept_for_it(clock, spare):
    """A long window's last units are not taken from a waiter whose other bucket is free only later."""
    buckets = [Bucket("slow", (Window(1, 2.0),)), Bucket("b", (Window(1 + spare, 5000),))]
    limiter = Limiter(buckets, clock=clock, max_wait_s=20_000)
    (await limiter.acquire(("slow",))).release()
    waiting = asyncio.create_task(limiter.acquire(("slow", "b")))
    await settled()
    others = asyncio.create_task(times_of(limiter, clock, spare + 1))
    (await waiting).release()
    assert clock.monotonic() == pytest.approx(2, abs=0.1)
    assert await others == pytest.approx([0] * spare + [5000], abs=30)


async def test_a_place_is_kept_for_who_waits_for_another_one(clock):
    """Who needs two places at once gets them when the first is free, however many want one of them."""
    limiter = Limiter([Bucket(name, concurrency=1) for name in "xy"], clock=clock)

    async def call(*names: str, takes_s: float = 0.7) -> float:
        with await limiter.acquire(names):
            start = clock.monotonic()
            await clock.sleep(takes_s)
            return start

    calls = [asyncio.create_task(call("x", takes_s=1.0))]
    await settled()
    both = asyncio.create_task(call("x", "y"))
    await settled()
    calls += [asyncio.create_task(call(name)) for name in "xy" * 5]
    assert await both == pytest.approx(1.0, abs=0.001)
    await asyncio.gather(*calls)


async def test_who_waits_for_a_bucket_is_overtaken_by_no_other_kind_of_call(clock):
    """A light call that names one bucket more stays behind a heavy one, even where it would do no harm."""
    limiter = Limiter([Bucket("b", (Window(9, 10.0, aligned=True),)), Bucket("c")], clock=clock)
    limiter.learn_skew(clock.now(), 0.01)
    (await limiter.acquire(B)).release()
    heavy = asyncio.create_task(times_of(limiter, clock, 1, cost=9))
    await settled()
    light = await limiter.acquire(("b", "c"))
    light.release()
    assert (await heavy)[0] < clock.monotonic()


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


@pytest.mark.parametrize("windows", [(Window(1, 1000.0),), ()])
async def test_those_who_wait_when_the_account_is_closed_are_told(clock, windows):
    """Nobody would wake them any more; the places of those who are out go back as ever."""
    limiter = limiter_of(clock, *windows, concurrency=1)
    slot = await limiter.acquire(B)
    waiting = [asyncio.create_task(limiter.acquire(B, lane=lane)) for lane in ("interactive", "backfill")]
    await settled()
    limiter.close()
    for one in waiting:
        with pytest.raises(ConnectError, match="the account is closed, and nothing was sent") as caught:
            await one
        assert not caught.value.temporary
    slot.release()
    await settled()
    state = limiter.state()[0]
    assert (state.queued, state.in_flight, limiter.charges["b"]) == (0, 0, 1)
    assert asyncio.all_tasks() == {asyncio.current_task()}
