"""Limiters of several processes on one state: together they keep every limit, and use it."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adnet.errors import RateLimitError, StateError
from adnet.state.database import Database
from adnet.state.owners import Owners
from adnet.state.quotas import QuotaStore
from adnet.testing import FakeClock
from adnet.transport.limits import Bucket, Limiter, Window
from tests.faults.tally import tally
from tests.transport.limit_worlds import B, Server, fullest, hammer, run

HOUR, DAY = 3600.0, 86400.0

Make = Callable[..., Limiter]


@pytest.fixture
def make(path: Path) -> Iterator[Make]:
    """Make limiters with one bucket ``b``, each as a process of its own on one state would have it."""
    with ExitStack() as stack:

        def limiter(clock: FakeClock, *windows: Window, concurrency: int | None = None) -> Limiter:
            database = stack.enter_context(closing(Database.open(path)))
            shared = QuotaStore(database, Owners(None), clock)
            return Limiter([Bucket("b", windows, concurrency)], clock=clock, scope="acme", shared=shared)

        yield limiter


async def test_a_days_use_survives_a_restart(make):
    """A new process knows what the last one used, shows it, and refuses what does not fit."""
    clock = FakeClock()
    before = make(clock, Window(10, DAY), concurrency=2)
    for _ in range(10):
        (await before.acquire(B)).release()
    before.close()
    after = make(clock, Window(10, DAY), concurrency=2)
    assert after.state()[0].windows[0].remaining == 0
    with pytest.raises(RateLimitError):
        await after.acquire(B)


async def test_a_new_day_begins_after_a_restart_although_no_reply_told_the_time_yet(make):
    """The server's calendar is remembered, so that yesterday's use is not held against today."""
    clock = FakeClock()
    day = Window(5, DAY, aligned=True)
    before = make(clock, day)
    before.learn_skew(clock.now(), 0.02)
    for _ in range(5):
        (await before.acquire(B)).release()
    before.close()
    clock.advance(12 * 3600 + 10)  # the clock starts at noon
    (await make(clock, day).acquire(B)).release()


async def test_the_rest_of_a_block_comes_back_at_the_end(make, path):
    """A process that ends gives back what it took and did not use."""
    clock = FakeClock()
    limiter = make(clock, Window(10_000, DAY))
    (await limiter.acquire(B)).release()
    taken = limiter.state()[0].windows[0].used
    limiter.close()
    assert (taken, make(clock, Window(10_000, DAY)).state()[0].windows[0].used) == (100, 1)


async def test_a_process_that_calls_rarely_uses_little(make):
    """Blocks that were not used in time come back: sixty calls in an hour use about sixty."""
    clock = FakeClock()
    limiter = make(clock, Window(3600, 3600.0))
    for _ in range(60):
        (await limiter.acquire(B)).release()
        await clock.sleep(59)
    assert limiter.state()[0].windows[0].used <= 60 + 36


async def test_a_block_counts_until_the_end_of_its_time_and_is_not_used_later(make, path):
    """Units may be used for a hundredth of the window after they were taken, and count until then."""
    clock = FakeClock()
    limiter, start = make(clock, Window(1000, 100.0)), clock.now().timestamp()
    (await limiter.acquire(B)).release()
    with closing(Database.open(path)) as database:
        store = QuotaStore(database, Owners(None), clock)
        assert store.used("acme/b/100", start + 0.99) == (10, pytest.approx(start + 1.0))
        assert store.used("acme/b/100", start + 1.01) == (0, None)
        await clock.sleep(50)
        (await limiter.acquire(B)).release()
        assert store.used("acme/b/100", start + 50) == (10, pytest.approx(start + 51.0))


async def test_a_block_does_not_reach_beyond_the_border(make):
    """What is taken just before a calendar border does not count after it."""
    clock = FakeClock()
    limiter = make(clock, Window(1000, 3600.0, aligned=True))
    limiter.learn_skew(clock.now() + timedelta(microseconds=1), 0.001)
    await clock.sleep(3600 - 5)
    (await limiter.acquire(B)).release()
    await clock.sleep(6)
    assert limiter.state()[0].windows[0].used == 0


async def test_what_was_never_sent_comes_back_to_all(make):
    """A charge that is taken back is free for other processes with the next call."""
    clock = FakeClock()
    first, second = make(clock, Window(2, DAY)), make(clock, Window(2, DAY))
    (await first.acquire(B)).unsent()
    (await first.acquire(B)).release()
    (await second.acquire(B)).release()
    assert second.state()[0].windows[0].used == 2


async def test_a_window_that_is_full_is_not_asked_for_again(database):
    """Who knows when a shared window has room again does not trouble the state before."""
    clock = FakeClock()

    class Counting(QuotaStore):
        asked = 0

        def take(self, charges, returned=()):
            self.asked += 1
            return super().take(charges, returned)

    store = Counting(database, Owners(None), clock)
    QuotaStore(database, Owners(None), clock).take([("/b/100", 1, 1, 1, clock.now().timestamp(), 0.0, 4e9)])
    limiter = Limiter([Bucket("b", (Window(1, 100.0),))], clock=clock, shared=store)
    for _ in range(5):
        with pytest.raises(RateLimitError):
            await limiter.acquire(B, deadline=10.0)
    assert store.asked == 1


async def test_places_go_round_between_processes(make):
    """Two processes with a backlog share three places: never more, and each gets on."""
    clock = FakeClock()
    limiters = [make(clock, concurrency=3) for _ in range(2)]
    inside, peak, done = [0], [0], [0, 0]

    async def worker(number: int) -> None:
        while clock.monotonic() < 20:
            with await limiters[number].acquire(B):
                inside[0] += 1
                peak[0] = max(peak[0], inside[0])
                await clock.sleep(0.2)
                inside[0] -= 1
                done[number] += 1

    await asyncio.gather(*(worker(number) for number in (0, 1) for _ in range(5)))
    assert peak == [3]
    assert min(done) > 60


async def test_an_idle_process_lets_its_places_go(make):
    """Who has finished its burst holds nobody up for longer than a moment."""
    clock = FakeClock()
    idle, busy = make(clock, concurrency=2), make(clock, concurrency=2)
    for slot in [await idle.acquire(B), await idle.acquire(B)]:
        slot.release()
    with await busy.acquire(B), await busy.acquire(B):
        assert clock.monotonic() < 1
    await clock.sleep(1)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_process_alone_on_a_bucket_keeps_one_place_in_eight_while_it_is_at_work(make, database):
    """Polls of a report ask the state every ten seconds; nobody else misses more, and not for long."""
    clock = FakeClock()
    asked: list[tuple[int, bool]] = []

    class Noting(QuotaStore):
        def hold(self, key, **how):
            asked.append(super().hold(key, **how))
            return asked[-1]

    shared = Noting(database, Owners(None), clock)
    buckets = [Bucket("b", concurrency=8), Bucket("reports", concurrency=1)]
    first = Limiter(buckets, clock=clock, scope="acme", shared=shared)
    with await first.acquire(("reports",)):
        for _ in range(12):
            (await first.acquire(B)).release()
            await clock.sleep(1)
        assert asked == [(1, True)] * 3, "a report, a poll, and a poll ten seconds later"
        assert asyncio.all_tasks() == {asyncio.current_task()}
        other = make(clock, concurrency=8)
        slots = [await other.acquire(B) for _ in range(7)]
        assert clock.monotonic() == 12.0
    slots.append(await other.acquire(B))
    assert clock.monotonic() < 13.0
    for slot in slots:
        slot.release()
    await clock.sleep(1)
    assert database.rows("SELECT * FROM quota_places") == []


async def test_a_process_that_is_not_alone_keeps_no_place(make):
    """Where another process is on the bucket, places that nobody uses go back within a moment."""
    clock = FakeClock()
    one, other = make(clock, concurrency=8), make(clock, concurrency=8)
    with await other.acquire(B):
        (await one.acquire(B)).release()
        for _ in range(7):
            await other.acquire(B)
    assert clock.monotonic() < 1


async def test_a_state_that_fails_is_told_to_the_caller(database):
    """When the state is gone, the call that needs it raises; a reply and the end do not."""
    clock = FakeClock()
    shared = QuotaStore(database, Owners(None), clock)
    limiter = Limiter([Bucket("b", (Window(5, 1.0),), 2)], clock=clock, shared=shared)
    database.close()
    with pytest.raises(StateError):
        await limiter.acquire(B)
    limiter.learn_skew(clock.now(), 0.02)
    limiter.close()
    assert limiter.charges["b"] == 0


class LockedQuotas(QuotaStore):
    """A store of which another process keeps the lock: each call waits for five seconds, and fails."""

    locked = False
    tries = 0

    def hold(self, key: str, **parts: int) -> tuple[int, bool]:
        if self.locked:
            self.tries += 1
            self._clock.advance(5)
            raise StateError("is locked by another process")
        return super().hold(key, **parts)


async def test_a_locked_state_does_not_keep_an_idle_process_from_everything_else(database):
    """To give places back is tried again after a while in which the event loop is free, once for all buckets."""
    clock = FakeClock()
    shared = LockedQuotas(database, Owners(None), clock)
    names = [str(number) for number in range(5)]
    limiter = Limiter([Bucket(name, (), 20) for name in names], clock=clock, shared=shared)
    slots = [await limiter.acquire((name,)) for name in names]
    shared.locked = True
    for slot in slots:
        slot.release()
    await clock.sleep(60)
    assert 8 <= shared.tries <= 10
    shared.locked = False
    await clock.sleep(2)
    assert database.rows("SELECT * FROM quota_places") == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("state_too", [False, True])
async def test_a_place_that_is_free_after_the_end_goes_back_and_leaves_nothing_behind(make, path, state_too):
    """Requests that were under way end later: nobody looks after their places for ever, with a state or without."""
    clock = FakeClock()
    before = make(clock, concurrency=10)
    slots = [await before.acquire(B) for _ in range(3)]
    before.close()
    if state_too:
        before._share._quota._database.close()
    for slot in slots:
        slot.release()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    with closing(Database.open(path)) as database:
        assert len(database.rows("SELECT * FROM quota_places")) == state_too


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    window=st.one_of(
        st.builds(Window, st.integers(2, 12), st.just(1.0), aligned=st.booleans()),
        st.builds(Window, st.integers(200, 400), st.just(20.0), aligned=st.booleans()),
    ),
    skew_s=st.floats(-3, 3, allow_nan=False),
    callers=st.integers(2, 6),
)
def test_two_processes_together_keep_a_window_and_use_it(tmp_path_factory, window, skew_s, callers):
    """Never more than the limit in any window, and at least 95 % of what is allowed is used."""
    path = tmp_path_factory.mktemp("state") / "state.db"
    turns = 12

    async def world(clock: FakeClock) -> Server:
        server = Server(clock, window, skew_s, rtt_s=min(0.04, window.per_s / window.limit))
        with ExitStack() as stack:
            limiters = []
            for _ in range(2):
                database = stack.enter_context(closing(Database.open(path)))
                shared = QuotaStore(database, Owners(None), clock)
                limiters.append(
                    Limiter([Bucket("b", (window,))], clock=clock, scope=str(path), shared=shared)
                )
            work = (hammer(one, server, callers=callers, until=turns * window.per_s) for one in limiters)
            await asyncio.gather(*work)
        return server

    server = run(world)
    if window.aligned:
        assert max(server.counts.values()) <= window.limit
    else:
        assert fullest([(at, 1) for at in server.times], window.per_s) <= window.limit
    assert len(server.times) >= 0.95 * turns * window.limit
    tally("calls of two on one state counted", len(server.times))


# -------------------------------------------------------------------------- real processes


CALLER = """
import asyncio, json, sys, time
from pathlib import Path
from adnet.clock import SystemClock
from adnet.errors import RateLimitError
from adnet.state.database import Database
from adnet.state.owners import Owners
from adnet.state.quotas import QuotaStore
from adnet.transport.limits import Bucket, Limiter, Window

async def call(limit, per_s, seconds):
    clock, database = SystemClock(), Database.open(Path(sys.argv[1]))
    shared = QuotaStore(database, Owners(None), clock)
    limiter = Limiter([Bucket("b", (Window(limit, per_s),))], clock=clock, scope="acme", shared=shared)
    times, until = [], clock.monotonic() + seconds
    try:
        while True:
            with await limiter.acquire(("b",), deadline=until):
                times.append(time.time())
    except RateLimitError:
        return times

for line in sys.stdin:
    print(json.dumps(asyncio.run(call(*json.loads(line)))), flush=True)
"""


def test_two_processes_keep_a_second_together(crew, path):
    """Two processes that call as fast as they can send no more together than one may.

    The stretch looked at is shorter than the window: on a busy machine a call may leave later than it was let go,
    and one process may begin long after the other.
    """
    answers = crew(CALLER, 2, path).ask(json.dumps([20, 0.5, 1.8]))
    times = [(at, 1) for answer in answers for at in json.loads(answer)]
    assert fullest(times, 0.3) <= 20
    stretch = max(times)[0] - min(times)[0]
    assert 60 <= len(times) <= 20 * (1 + stretch / 0.5)
    tally("calls of two on one state counted", len(times))


def test_processes_use_up_an_hour_and_no_more(crew, path):
    """Three processes take a thousand an hour in blocks: never more, and at least 95 % of it."""
    start = time.monotonic()
    answers = crew(CALLER, 3, path).ask(json.dumps([1000, 3600.0, 0.5]))
    assert 950 <= sum(len(json.loads(answer)) for answer in answers) <= 1000
    assert time.monotonic() - start < 30


def test_a_killed_process_takes_no_more_than_its_block_with_it(crew, path, clock):
    """What a killed process sent stays counted, and at most one per cent is lost."""
    lost = crew(CALLER, 1, path)
    sent = len(json.loads(lost.ask(json.dumps([1000, 3600.0, 0.2]))[0]))
    lost.kill()
    with closing(Database.open(path)) as database:
        used, _ = QuotaStore(database, Owners(None), clock).used("acme/b/3600", 0.0)
    assert sent <= used <= sent + 10


async def test_uses_of_a_clock_that_was_set_back_count_no_longer_than_a_window(make):
    """A machine whose clock was three hours ahead when it started: nobody waits three hours for a second."""
    fast, right = FakeClock(), FakeClock()
    fast.advance(3 * 3600)
    for _ in range(4):
        (await make(fast, Window(4, 1.0)).acquire(B)).release()
    (await make(right, Window(4, 1.0)).acquire(B)).release()
    assert right.monotonic() < 3


async def test_two_windows_of_one_length_count_each_use_once(make):
    """What the user allows in a day holds beside what the network does; together they are no half of it."""
    clock = FakeClock()
    limiter = make(clock, Window(100, DAY, aligned=True), Window(10, DAY))
    for _ in range(10):
        (await limiter.acquire(B, deadline=clock.monotonic() + 1)).release()
    assert [window.used for window in limiter.state()[0].windows] == [10, 10]


class Laptop(FakeClock):
    """A machine that can be put to sleep: only what tells the time of day goes on."""

    slept_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.slept_s)


@pytest.mark.parametrize("slept_s", [600.0, 5400.0, 8.5 * 3600])
async def test_who_slept_takes_nothing_that_another_has_used_since(make, slept_s):
    """Its own idea of the server's calendar stood still, until a reply comes: there a window has just begun."""
    clock, window = Laptop(), Window(10, HOUR, aligned=True)
    busy, idle = make(clock, window), make(clock, window)
    clock.advance(HOUR - 30 - clock.now().timestamp() % HOUR)
    busy.learn_skew(clock.now(), 0.02)
    idle.learn_skew(clock.now(), 0.02)
    clock.slept_s = slept_s
    for _ in range(10):
        (await busy.acquire(B)).release()
        busy.learn_skew(clock.now(), 0.02)
    used_in = clock.now().timestamp() // HOUR
    clock.advance(60)
    assert idle.state()[0].windows[0].remaining == 0
    (await idle.acquire(B, deadline=clock.monotonic() + HOUR)).release()
    assert clock.now().timestamp() // HOUR == used_in + 1
    assert clock.now().timestamp() % HOUR < 1
