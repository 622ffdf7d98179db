"""Limits that processes share: uses that survive, places that come back, and never more than is allowed."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adnet.errors import RateLimitError, StateError
from adnet.state.database import Database
from adnet.state.owners import new_owner, retire
from adnet.state.quotas import QuotaStore
from adnet.testing import FakeClock
from adnet.transport.limits import Bucket, Limiter, Window
from tests.transport.limit_worlds import Server, fullest, hammer, run

B = ("b",)
DAY = 86400.0


@pytest.fixture
def store(database: Database, clock) -> QuotaStore:
    return QuotaStore(database, new_owner(), clock)


@pytest.fixture
def neighbour(database: Database, clock) -> QuotaStore:
    """The store as another process of this host has it."""
    return QuotaStore(database, new_owner(), clock)


def use(
    units: int, at: float = 0.0, *, limit: int = 10, welcome: int = 0, key: str = "k", since: float = -DAY
):
    return key, limit, units, max(units, welcome), at, since


# -------------------------------------------------------------------------- uses


def test_a_window_is_used_up_by_all_together(store, neighbour):
    """What one process took is gone for the other, who is told which use has to leave first."""
    store.take([use(6, at=1.0)])
    neighbour.take([use(4, at=2.0)])
    assert neighbour.take([use(7, at=3.0)]) == (None, (0, 2.0))
    assert store.used([("k", -DAY), ("other", -DAY)]) == [10, 0]


def test_all_windows_are_taken_or_none(store):
    """When the day has room and the hour has none, the day stays as it was."""
    store.take([use(10, key="hour")])
    assert store.take([use(1, key="day"), use(1, key="hour")]) == (None, (1, 0.0))
    assert store.used([("day", -DAY)]) == [0]


def test_uses_that_left_their_window_count_no_more(store):
    """The caller says before which instant uses no longer count."""
    store.take([use(10, at=5.0)])
    grants, _ = store.take([use(10, at=20.0, since=6.0)])
    assert (len(grants), store.used([("k", -DAY)])) == (1, [10])


def test_a_block_is_as_large_as_there_is_room(store):
    """Units that are welcome but not needed are granted as far as they go."""
    store.take([use(7)])
    ((_, units),), _ = store.take([use(1, welcome=5)])
    assert units == 3


def test_units_that_come_back_are_free_again(store, neighbour):
    """The rest of a block goes to whoever asks next, also when the same call finds no room elsewhere."""
    ((number, _),), _ = store.take([use(10)])
    store.give_back([(number, 2)])
    assert neighbour.take([use(3)], [(number, 1)])[1] is None
    assert store.used([("k", -DAY)]) == [10]


def test_uses_survive_the_process(path, clock):
    """A file that is opened again knows what was used."""
    with closing(Database.open(path)) as database:
        QuotaStore(database, new_owner(), clock).take([use(8)])
    with closing(Database.open(path)) as database:
        assert QuotaStore(database, new_owner(), clock).used([("k", -DAY)]) == [8]


def test_a_closed_state_says_so(store, database):
    """A store whose file is closed raises the state's error, not the library's."""
    database.close()
    with pytest.raises(StateError):
        store.take([use(1)])


# -------------------------------------------------------------------------- places


def test_places_are_never_more_than_the_cap(store, neighbour):
    """Three of five are held here, so two are left there."""
    assert store.hold("k", cap=5, in_use=0, wanted=3) == 3
    assert neighbour.hold("k", cap=5, in_use=0, wanted=4) == 2


def test_places_that_are_given_back_are_free(store, neighbour):
    """Who wants none holds none."""
    store.hold("k", cap=5, in_use=0, wanted=5)
    store.hold("k", cap=5, in_use=0, wanted=0)
    assert neighbour.hold("k", cap=5, in_use=0, wanted=5) == 5


def test_who_holds_more_than_its_share_gives_way(store, neighbour):
    """Places in use are kept until they are free; then the one who waits gets its half."""
    store.hold("k", cap=4, in_use=0, wanted=4)
    assert neighbour.hold("k", cap=4, in_use=0, wanted=4) == 0
    assert store.hold("k", cap=4, in_use=3, wanted=4) == 3
    assert store.hold("k", cap=4, in_use=1, wanted=4) == 2
    assert neighbour.hold("k", cap=4, in_use=0, wanted=4) == 2


def test_one_place_goes_round(store, neighbour):
    """With fewer places than processes, who has had one steps back for who waits."""
    assert store.hold("k", cap=1, in_use=0, wanted=9) == 1
    assert neighbour.hold("k", cap=1, in_use=0, wanted=9) == 0
    assert store.hold("k", cap=1, in_use=0, wanted=9) == 0
    assert neighbour.hold("k", cap=1, in_use=0, wanted=9) == 1


def test_who_waits_no_longer_is_no_rival(store, neighbour, clock):
    """A process that found no place and does not ask again holds nobody up."""
    store.hold("k", cap=2, in_use=0, wanted=2)
    neighbour.hold("k", cap=2, in_use=0, wanted=2)
    clock.advance(1.5)
    assert store.hold("k", cap=2, in_use=0, wanted=2) == 2


def test_places_of_the_dead_are_free_at_once(database, store, clock):
    """A process that is gone holds nothing."""
    owner = new_owner()
    QuotaStore(database, owner, clock).hold("k", cap=3, in_use=0, wanted=3)
    assert store.hold("k", cap=3, in_use=0, wanted=3) == 0
    retire(owner)
    assert store.hold("k", cap=3, in_use=0, wanted=3) == 3


def test_places_of_another_host_are_free_when_their_lease_ends(database, store, clock):
    """Whether a process elsewhere lives cannot be seen, so its lease has an end."""
    QuotaStore(database, "elsewhere.example:1:5.ab", clock).hold("k", cap=3, in_use=0, wanted=3)
    clock.advance(300)
    early = store.hold("k", cap=3, in_use=0, wanted=3)
    clock.advance(301)
    assert (early, store.hold("k", cap=3, in_use=0, wanted=3)) == (0, 3)


def test_bounds_of_a_clock_are_remembered(store, neighbour):
    """What one process learned of the server's clock the next one knows."""
    assert store.skew("acme") is None
    store.remember_skew("acme", (-0.25, 0.75))
    assert neighbour.skew("acme") == (-0.25, 0.75)


# -------------------------------------------------------------------------- limiters on one state


Make = Callable[..., Limiter]


@pytest.fixture
def make(path: Path) -> Iterator[Make]:
    """Make limiters with one bucket ``b``, each as a process of its own on one state would have it."""
    with ExitStack() as stack:

        def limiter(clock: FakeClock, *windows: Window, concurrency: int | None = None) -> Limiter:
            database = stack.enter_context(closing(Database.open(path)))
            shared = QuotaStore(database, new_owner(), clock)
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


async def test_what_was_never_sent_comes_back_to_all(make):
    """A charge that is taken back is free for other processes with the next call."""
    clock = FakeClock()
    first, second = make(clock, Window(2, DAY)), make(clock, Window(2, DAY))
    (await first.acquire(B)).unsent()
    (await first.acquire(B)).release()
    (await second.acquire(B)).release()
    assert second.state()[0].windows[0].used == 2


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


async def test_a_state_that_fails_is_told_to_the_caller(database):
    """When the state is gone, the call that needs it raises, and nothing stays taken."""
    clock = FakeClock()
    shared = QuotaStore(database, new_owner(), clock)
    limiter = Limiter([Bucket("b", (Window(5, 1.0),), 2)], clock=clock, shared=shared)
    database.close()
    with pytest.raises(StateError):
        await limiter.acquire(B)
    limiter.close()


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
    turns = 20

    async def world(clock: FakeClock) -> Server:
        server = Server(clock, window, skew_s, rtt_s=min(0.04, window.per_s / window.limit))
        with ExitStack() as stack:
            limiters = []
            for _ in range(2):
                database = stack.enter_context(closing(Database.open(path)))
                shared = QuotaStore(database, new_owner(), clock)
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


# -------------------------------------------------------------------------- real processes


CALLER = """
import asyncio, json, sys, time
from pathlib import Path
from adnet.clock import SystemClock
from adnet.errors import RateLimitError
from adnet.state.database import Database
from adnet.state.owners import new_owner
from adnet.state.quotas import QuotaStore
from adnet.transport.limits import Bucket, Limiter, Window

async def call(limit, per_s, seconds):
    clock, database = SystemClock(), Database.open(Path(sys.argv[1]))
    shared = QuotaStore(database, new_owner(), clock)
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


def test_two_processes_never_exceed_a_second(crew, path):
    """In no second do two processes that call as fast as they can send more than is allowed."""
    answers = crew(CALLER, 2, path).ask(json.dumps([20, 0.5, 1.8]))
    times = [(at, 1) for answer in answers for at in json.loads(answer)]
    assert fullest(times, 0.5) <= 20
    assert len(times) >= 60


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
        (used,) = QuotaStore(database, new_owner(), clock).used([("acme/b/3600", 0.0)])
    assert sent <= used <= sent + 10


def test_instants_are_kept_to_the_microsecond(store):
    """An instant of today comes back as it was, so that processes agree where a window ends."""
    now = (timedelta(days=20_000) / timedelta(seconds=1)) + 0.123456
    store.take([use(10, at=now)])
    assert store.take([use(1)]) == (None, (0, now))
