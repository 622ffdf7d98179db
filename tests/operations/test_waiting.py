"""When to ask again for a report that is not ready."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.operations.jobs import ReportRunner
from adnet.operations.waiting import SHORTEST_POLL_S, JobSettings, poll_delay
from adnet.state import State
from adnet.testing import FakeClock

from .conftest import Network, query

SETTINGS = JobSettings()
JITTERS = st.floats(0, 1)


def polls(takes_s: float, expected_s: float | None, jitters: list[float], **told: float) -> list[float]:
    """Return the moments of the questions until a report that takes so long is ready."""
    moments = [0.0]
    while moments[-1] < takes_s:
        jitter = jitters[len(moments) % len(jitters)]
        moments.append(moments[-1] + poll_delay(moments[-1], expected_s, SETTINGS, jitter=jitter, **told))
    return moments[1:]


@given(st.floats(0.01, 600), st.lists(JITTERS, min_size=1))
def test_few_questions_and_little_lag_whatever_the_report_takes(takes_s, jitters):
    """At most forty questions in ten minutes, and a fifth of the job's length or 0.3 s behind it."""
    moments = polls(takes_s, None, jitters)
    assert len(moments) <= 40
    assert moments[-1] - takes_s <= max(0.2 * takes_s, 0.3) + 1e-9


@given(st.floats(1, 600), st.floats(0.99, 1.0), st.lists(JITTERS, min_size=1))
def test_what_was_learned_makes_the_first_question_the_last(expected_s, share, jitters):
    """A report that takes about as long as its kind did is read almost at once."""
    moments = polls(expected_s * share, expected_s, jitters)
    assert len(moments) <= 6
    assert moments[-1] - expected_s * share <= 0.04 * expected_s + SHORTEST_POLL_S


@given(st.floats(0, 10_000), st.none() | st.floats(0, 10_000), st.none() | st.floats(0, 10_000), JITTERS)
def test_no_delay_is_too_short_or_too_long(elapsed_s, expected_s, told_s, jitter):
    """Never within 0.2 s, never above the cap."""
    delay = poll_delay(elapsed_s, expected_s, SETTINGS, told_s=told_s, jitter=jitter)
    assert SHORTEST_POLL_S <= delay <= SETTINGS.longest_poll_s


@given(st.floats(0.2, 600), st.floats(0.2, 600), st.lists(JITTERS, min_size=1))
def test_what_others_took_costs_a_question_and_no_time(takes_s, told_s, jitters):
    """A report that takes something else entirely is no later by more than that one question could make it."""
    moments = polls(takes_s, None, jitters, told_s=told_s)
    assert len(moments) <= 41
    assert moments[-1] - takes_s <= max(0.2 * takes_s, 0.3) + 1e-9


class Shop(Network):
    """One account of many."""

    def __init__(self, clock, takes_s: float, key: str) -> None:
        super().__init__(clock)
        self.takes_s, self._key = takes_s, key

    @property
    def account_key(self) -> str:
        return self._key


@pytest.fixture
def shops(clock, state):
    """Return a function that makes the runners of accounts whose reports take so long."""

    def make(*lengths_s: float, state: State = state) -> list[tuple[Shop, ReportRunner]]:
        made = []
        for number, takes_s in enumerate(lengths_s):
            shop = Shop(clock, takes_s, f"key{number}")
            made.append((shop, ReportRunner(shop, account=f"shop{number}", clock=clock, state=state)))
        return made

    return make


async def lag_of(shop: Shop, runner: ReportRunner, after_s: float = 0.0) -> float:
    """Return how much later than it was ready a report was known to be, as a share of its length."""
    await shop.clock.sleep(after_s)
    asked = shop.clock.monotonic() + 0.01
    runner.finish(await runner.ready(query()))
    return (shop.clock.monotonic() - asked) / shop.takes_s - 1


async def test_one_report_that_is_ready_brings_the_others_forward(shops, state):
    """Its account knows how long its own take; two hundred others do not, and need not find out one by one."""
    state.facts.put("key0", "report_s.clicks", "60")
    others = shops(*[60.0] * 200)
    lags = await asyncio.gather(
        *(lag_of(*other, after_s=0.02 * number) for number, other in enumerate(others))
    )
    # Told after 61.2 s; whoever would ask within a twentieth of that anyway is not woken.
    assert max(lags) <= 0.075
    assert max(len(shop.polled) for shop, _ in others) <= 31


async def test_who_sleeps_is_woken_by_a_report_that_took_less(shops, clock, state, monkeypatch):
    """Its next question would come after 61 s; it comes just after the 53 s that the other report took."""
    monkeypatch.setattr("random.random", lambda: 0.0)
    state.facts.put("key0", "report_s.clicks", "52")
    (first, one), (second, two) = shops(52.0, 52.0)
    lags = await asyncio.gather(lag_of(first, one), lag_of(second, two, after_s=1.0))
    assert lags == pytest.approx([0.02, 0.04], abs=0.002)


async def test_reports_of_other_lengths_wake_nobody_for_ever(shops):
    """Of eighty reports, each a little longer than the last: the longest is asked for a few times more often."""
    made = shops(*(6 * 1.06**number for number in range(78)), 600.0)
    longest = made[-1][0]
    await asyncio.gather(*(lag_of(*one) for one in made))
    with State.open(clock=longest.clock) as apart:
        alone = shops(600.0, state=apart)
        await lag_of(*alone[0])
    assert len(longest.polled) <= len(alone[0][0].polled) + 8


@pytest.mark.parametrize("at", [0.1, 20.0, 59.0, 61.0, 62.5])
async def test_cancelling_a_wait_that_may_be_woken_leaves_nothing_behind(shops, clock, state, at):
    """Neither a task nor somebody to be woken; and the cancellation is heard."""
    (first, one), (second, two) = shops(60.0, 60.0)
    tasks = [asyncio.create_task(lag_of(first, one)), asyncio.create_task(lag_of(second, two, after_s=8.0))]
    await clock.sleep(at)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert tasks[1].cancelled()
    assert not any(state.lengths._waits.values())
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_asking_once_asks_at_once(runner, network, clock, state):
    """However long such reports usually take: who asks once wants to know now, and nothing is learned from it."""
    state.lengths.learn("memory", "key", "clicks", 40.0)
    network.takes_s = 40.0
    submitted = await runner.submit(query())
    asked = clock.monotonic()
    assert (await runner.poll(submitted)).state == "running"
    assert (await runner.poll(submitted)).state == "running"
    assert clock.monotonic() - asked == pytest.approx(SHORTEST_POLL_S)
    clock.advance(60)
    assert (await runner.poll(submitted)).state == "ready"
    assert state.lengths.usual("key", "clicks") == 40.0


async def test_a_report_of_an_earlier_run_teaches_nothing(network, clock, state):
    """How long it took is not known: it was ready before anybody asked again."""
    first = ReportRunner(network, account="shop", clock=clock, state=state)
    await first.submit(query())
    clock.advance(600)
    later = ReportRunner(network, account="shop", clock=clock, state=state)
    later.finish(await later.ready(query()))
    assert state.lengths.usual("key", "clicks") is None


class SetClock(FakeClock):
    """A clock whose hands somebody moves; what it measures goes on."""

    moved = timedelta()

    def now(self):
        return super().now() + self.moved


@pytest.mark.parametrize("moved", [timedelta(hours=-1), timedelta(seconds=-40), timedelta(hours=1)])
async def test_a_clock_that_is_set_makes_no_flood_of_questions(moved):
    """Nor does a report come later for it, nor is its length learned wrong."""
    clock = SetClock()
    network = Network(clock)
    network.takes_s = 120.0
    with State.open(clock=clock) as state:
        runner = ReportRunner(network, account="shop", clock=clock, state=state)
        waiting = asyncio.create_task(runner.ready(query()))
        await clock.sleep(30)
        clock.moved = moved
        await waiting
        assert len(network.polled) <= 40
        assert network.polled[-1] <= 150
        assert state.lengths.usual("key", "clicks") == pytest.approx(135, abs=20)
