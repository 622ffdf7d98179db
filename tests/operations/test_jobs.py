"""Report jobs: asked for, waited for, asked for anew."""

import asyncio
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from adnet.errors import (
    AccessDeniedError,
    ConfigurationError,
    ConnectError,
    JobExpiredError,
    JobFailedError,
    JobTimeoutError,
)
from adnet.interface import Connector
from adnet.models import ReportJob, ReportQuery
from adnet.operations.jobs import ReportRunner, next_step
from adnet.operations.waiting import SHORTEST_POLL_S, JobSettings
from adnet.periods import Period
from adnet.state import State
from adnet.transport.events import Meter, metered

from .conftest import query

SETTINGS = JobSettings()


def job(state: str = "submitted", **parts: object) -> ReportJob:
    """Return a job in some state."""
    return ReportJob(network="memory", account="shop", account_key="key", query=query(), state=state, **parts)


@pytest.mark.parametrize(
    ("state", "attempts", "step"),
    [("intended", 0, "submit"), ("intended", 9, "submit"), ("submitted", 1, "poll"), ("running", 1, "poll"),
     ("ready", 1, "read"), ("done", 1, "read"), ("failed", 1, "submit"), ("failed", 2, "submit"),
     ("failed", 3, "give up"), ("cancelled", 1, "give up")],
)  # fmt: skip
def test_the_next_step_follows_from_the_job_alone(state, attempts, step):
    """A report that failed is asked for again at most twice."""
    assert next_step(job(state, attempts=attempts), SETTINGS) == step


async def test_a_report_is_asked_for_waited_for_and_read(runner, network, state):
    """One POST, some polls, all rows in order; then the journal knows it is done."""
    ready = await runner.ready(query())
    rows = [row for batch in [b async for b in runner.read(ready)] for row in batch.models()]
    runner.finish(ready)
    assert rows == network.rows
    assert (len(network.submitted), ready.attempts) == (1, 1)
    assert [stored.state for stored in state.jobs.all()] == ["done"]


async def test_the_intent_is_written_before_the_post(runner, network, state):
    """So that a process that dies in between is known to have asked at most once."""
    seen = []
    network.submit_report = watching(network.submit_report, lambda: seen.extend(state.jobs.all()))
    await runner.submit(query())
    assert [(stored.state, stored.attempts) for stored in seen] == [("intended", 1)]


def watching(call, look):
    """Return *call* with a look before it."""

    async def watched(*args):
        look()
        return await call(*args)

    return watched


async def test_progress_is_told_state_by_state(runner):
    """The last one can be read."""
    states = [latest.state async for latest in runner.follow(await runner.submit(query()))]
    assert states[-1] == "ready"
    assert set(states[:-1]) == {"running"}


async def test_who_leaves_after_the_state_was_closed_leaves_in_peace(network, clock):
    """A generator that was broken out of is closed when it is collected, by when its account may be closed."""
    with State.open(clock=clock) as state:
        runner = ReportRunner(network, account="shop", clock=clock, state=state)
        news = runner.follow(await runner.submit(query()))
        assert (await anext(news)).state == "running"
    await news.aclose()


async def test_no_report_is_polled_twice_within_two_tenths(runner, network):
    """Not even by several tasks that wait for it."""
    network.takes_s = 3.0
    submitted = await runner.submit(query())
    await asyncio.gather(*(runner.wait(submitted) for _ in range(5)))
    gaps = [later - sooner for sooner, later in zip(network.polled, network.polled[1:], strict=False)]
    assert min(gaps) >= SHORTEST_POLL_S - 1e-9


async def test_polling_writes_nothing_until_the_report_is_ready(runner, network, state):
    """A report may be polled for minutes."""
    saves, save = [], state.jobs.save

    def noted(*args, **changes):
        saves.append(save(*args, **changes))
        return saves[-1]

    state.jobs.save = noted
    network.takes_s = 60.0
    await runner.ready(query())
    assert [saved.state for saved in saves] == ["submitted", "ready"]
    assert len(network.polled) > 10


async def test_two_callers_share_one_report(runner, network):
    """The same query at the same time is one POST; another query is another report."""
    same = await asyncio.gather(*(runner.ready(query()) for _ in range(5)))
    assert len({ready.report_id for ready in same}) == 1
    assert len(network.submitted) == 1
    await runner.ready(query(60))
    assert len(network.submitted) == 2


async def test_a_failed_report_is_asked_for_again_at_most_twice(runner, network):
    """The third may be good."""
    network.failing = 2
    assert (await runner.ready(query())).attempts == 3
    assert len(network.submitted) == 3


async def test_a_network_that_fails_is_given_time(runner, network, clock):
    """What made a report fail is seldom over at once: each time twice as long is waited before asking again."""
    asked = []
    network.submit_report = watching(network.submit_report, lambda: asked.append(clock.monotonic()))
    network.failing, network.takes_s = 2, 0.0
    await runner.ready(query())
    first, second, third = asked
    assert 1.0 <= second - first < 2.0 <= third - second < 3.0


@pytest.mark.parametrize("apart", [False, True])
async def test_while_a_network_is_given_time_nobody_else_asks(runner, network, clock, state, tmp_path, apart):
    """Neither another task nor another process: both get the report that is asked for after the wait."""
    shared = State.open(tmp_path / "state.db", clock=clock)
    other = State.open(tmp_path / "state.db", clock=clock) if apart else shared
    with shared, other:
        one = ReportRunner(network, account="shop", clock=clock, state=shared)
        another = ReportRunner(network, account="shop", clock=clock, state=other) if apart else one
        network.failing, network.takes_s = 1, 0.0
        first = asyncio.create_task(one.ready(query()))
        await clock.sleep(0.5)
        assert (len(network.polled), len(network.submitted)) == (1, 1), "it has failed by now"
        second = await another.ready(query())
        assert (await first).report_id == second.report_id == "r2"


async def test_a_job_cancelled_while_a_network_is_given_time_is_not_asked_for(runner, network, clock, state):
    """Whoever gave it up wants no further report."""
    network.failing, network.takes_s = 1, 0.0
    task = asyncio.create_task(runner.ready(query()))
    await clock.sleep(0.5)
    (waiting,) = state.jobs.unfinished()
    assert (waiting.state, waiting.attempts, len(network.submitted)) == ("intended", 1, 1)
    state.jobs.cancel(waiting.job_id)
    with pytest.raises(JobFailedError):
        await task
    assert len(network.submitted) == 1


async def test_a_wait_that_is_cancelled_is_no_attempt(runner, network, clock):
    """What was not asked for is not counted: two that failed, and the third."""
    network.failing, network.takes_s = 2, 0.0
    for _ in range(2):
        task = asyncio.create_task(runner.ready(query()))
        await clock.sleep(0.5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert ((await runner.ready(query())).attempts, len(network.submitted)) == (3, 3)


async def test_a_report_that_fails_each_time_is_an_error(runner, network):
    """Which says how often it was asked for."""
    network.failing = 9
    with pytest.raises(JobFailedError, match="no clicks report, asked 3 times") as caught:
        await runner.ready(query())
    assert len(network.submitted) == 3
    assert caught.value.job_id


async def test_a_lost_report_is_asked_for_anew(runner, network):
    """The network forgets reports after a while."""
    network.losing = 1
    assert (await runner.ready(query())).report_id == "r2"


async def test_a_report_that_is_lost_again_and_again_is_an_error(runner, network):
    """There is an end to it."""
    network.losing = 99
    with pytest.raises(JobExpiredError, match=r"vanished .*; run again later"):
        await runner.ready(query())
    assert len(network.submitted) <= SETTINGS.losses + 1


async def test_waiting_ends_when_the_report_takes_too_long(network, clock, state):
    """The job stays in the journal, and a later run goes on with it."""
    network.takes_s = 100.0
    impatient = ReportRunner(
        network, account="shop", clock=clock, state=state, settings=JobSettings(timeout_s=30)
    )
    with pytest.raises(JobTimeoutError, match="run again to go on"):
        await impatient.ready(query())
    assert len(state.jobs.unfinished("key")) == 1
    patient = ReportRunner(network, account="shop", clock=clock, state=state)
    await patient.ready(query())
    assert len(network.submitted) == 1


async def test_a_job_of_an_earlier_process_is_taken_up(network, clock, state):
    """It was submitted, so that nothing is asked for again."""
    first = ReportRunner(network, account="shop", clock=clock, state=state)
    submitted = await first.submit(query())
    later = ReportRunner(network, account="shop", clock=clock, state=state)
    assert (await later.ready(query())).job_id == submitted.job_id
    assert len(network.submitted) == 1


async def test_an_old_report_is_not_taken_up(runner, network, clock):
    """The network has forgotten it by then, or its rows are old."""
    await runner.submit(query())
    clock.advance(SETTINGS.fresh_for_s + 1)
    await runner.ready(query())
    assert len(network.submitted) == 2


async def test_how_long_reports_take_is_learned(runner, network, clock, state):
    """The second report of a kind is polled once or twice."""
    network.takes_s = 40.0
    runner.finish(await runner.ready(query()))
    assert float(state.facts.get("key", "report_s.clicks")) == pytest.approx(40, rel=0.2)
    network.polled.clear()
    asked = clock.monotonic()
    runner.finish(await runner.ready(query()))
    assert len(network.polled) <= 3
    assert clock.monotonic() - asked <= 40 * 1.2 * 1.03  # what was learned, and a little later


@pytest.mark.parametrize(
    ("error", "state_after"), [(ConnectError("down"), "intended"), (AccessDeniedError("no"), "failed")]
)
async def test_a_refused_post_leaves_a_journal_that_says_so(runner, network, state, error, state_after):
    """A temporary refusal leaves the intent, for the next run; another ends the job."""
    network.refusal = error
    with pytest.raises(type(error)):
        await runner.ready(query())
    assert [stored.state for stored in state.jobs.all()] == [state_after]
    network.refusal = None
    assert (await runner.ready(query())).state == "ready"
    assert len(network.submitted) == 2


async def test_a_cancelled_job_is_not_polled_on(runner, network, state):
    """Somebody gave it up in the journal while we waited: that is told, and not that the network failed."""
    network.takes_s = 3.0
    submitted = await runner.submit(query())

    async def give_up() -> None:
        await network.clock.sleep(1.0)
        state.jobs.cancel(submitted.job_id)

    with pytest.raises(JobFailedError, match="was given up in the journal; ask anew"):
        await asyncio.gather(runner.wait(submitted), give_up())
    assert state.jobs.get(submitted.job_id).state == "cancelled"


@pytest.mark.parametrize("at", [0.0, 0.005, 0.1, 3.0, 5.0])
async def test_cancelling_leaves_nothing_behind(runner, network, clock, at):
    """Neither a place in the limiter nor a lock: the next caller goes on at once."""
    task = asyncio.create_task(runner.ready(query()))
    if at:
        await clock.sleep(at)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [bucket.in_flight + bucket.queued for bucket in network.limiter.state()] == [0]
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert (await runner.ready(query())).state == "ready"


async def test_waiting_is_metered(runner):
    """As time spent waiting for reports."""
    with metered(Meter()) as meter:
        await runner.ready(query())
    assert 4.0 <= meter.poll_s <= 7.0


async def test_polling_once_asks_once(runner, network):
    """And a report that is ready is not asked about."""
    submitted = await runner.submit(query())
    assert (await runner.poll(submitted)).state == "running"
    ready = await runner.wait(submitted)
    count = len(network.polled)
    assert await runner.poll(ready) == ready
    assert len(network.polled) == count


async def test_a_report_that_is_lost_while_it_is_polled_for_is_asked_for_anew(runner, network):
    """Whoever polls until it is ready would else poll for ever, and let no other task have a turn."""
    job = await runner.submit(query())
    network.losing = 1
    for _ in range(100):
        if (job := await runner.poll(job)).state == "ready":
            break
        await network.clock.sleep(1)
    assert (job.state, job.report_id, job.attempts) == ("ready", "r2", 2)


async def test_a_report_that_was_lost_for_another_runner_is_asked_for_anew_by_polling(
    runner, network, clock, state
):
    """The job that somebody stored says so, and whoever polls is the one to ask."""
    lost = attrs.evolve(await runner.submit(query()), state="intended", report_id=None)
    job = await ReportRunner(network, account="shop", clock=clock, state=state).poll(lost)
    assert (job.state, job.report_id) == ("submitted", "r2")


def test_a_connector_without_reports_has_no_runner(clock, state):
    """That is a programming error."""

    class Plain(Connector):
        def __init__(self) -> None: ...

    with pytest.raises(TypeError, match="Plain makes no reports"):
        ReportRunner(Plain(), account="shop", clock=clock, state=state)


async def test_two_processes_share_one_report(network, clock, tmp_path):
    """One of them asks, the other waits for it."""
    with (
        State.open(tmp_path / "state.db", clock=clock) as one,
        State.open(tmp_path / "state.db", clock=clock) as two,
    ):
        runners = [ReportRunner(network, account="shop", clock=clock, state=state) for state in (one, two)]
        ready = await asyncio.gather(*(runner.ready(query()) for runner in runners))
    assert len(network.submitted) == 1
    assert ready[0].report_id == ready[1].report_id


@pytest.mark.parametrize("how", ["ready", "submit"])
async def test_a_process_that_hangs_while_it_asks_is_waited_for_no_longer_than_a_report(
    network, clock, tmp_path, how
):
    """It lives, so that nobody knows whether the network was asked; once it is gone, its intent is taken over."""
    settings = JobSettings(timeout_s=60.0)
    fresh = ReportJob(network="memory", account="shop", account_key="key", query=query())
    with State.open(tmp_path / "state.db", clock=clock) as mine:
        with State.open(tmp_path / "state.db", clock=clock) as hanging:
            hanging.jobs.claim(fresh)
            runner = ReportRunner(network, account="shop", clock=clock, state=mine, settings=settings)
            with pytest.raises(JobTimeoutError, match=rf"{hanging.owner}.* end it if it hangs"):
                await getattr(runner, how)(query())
            assert 60.0 <= clock.monotonic() < 61.0
            assert not network.submitted
        assert (await runner.ready(query())).attempts == 2


def test_settings_are_a_value():
    """One changed setting leaves the others."""
    assert attrs.evolve(SETTINGS, attempts=1).losses == SETTINGS.losses


async def test_a_report_asked_for_before_its_end_is_not_taken_up_after_it(runner, network, clock):
    """Who looked at today in the evening must not decide what the night finds of it."""
    end = clock.now() + timedelta(seconds=60)
    asked = ReportQuery(kind="clicks", period=Period(datetime(2026, 1, 1, tzinfo=UTC), end))
    await runner.submit(asked)
    assert (
        (await runner.ready(asked)).attempts == len(network.submitted) == 1
    )  # still the same unfinished day
    clock.advance(60)
    await runner.ready(asked)
    assert len(network.submitted) == 2


@pytest.mark.parametrize("how", ["ready", "follow", "poll"])
@pytest.mark.parametrize("later_s", [60, 901, 1800, 3590])
async def test_a_report_of_a_killed_run_is_asked_after_however_long_ago_it_was_asked_for(
    network, clock, state, later_s, how
):
    """It is taken up for an hour: that nobody was there to read it does not mean that it took too long."""
    submitted = await ReportRunner(network, account="shop", clock=clock, state=state).submit(query())
    clock.advance(later_s)
    later = ReportRunner(network, account="shop", clock=clock, state=state)
    if how == "follow":
        *_, found = [news async for news in later.follow(submitted)]
    else:
        found = await (later.poll(submitted) if how == "poll" else later.ready(query()))
    assert (found.state, found.report_id, len(network.submitted)) == ("ready", submitted.report_id, 1)


async def test_a_report_of_nothing_is_refused_before_any_request(runner, network):
    """The network would be sent no filter, and report on all."""
    with pytest.raises(
        ConfigurationError, match=r"the filter 'offer' names nothing.*leave the filter out for all"
    ):
        await runner.submit(ReportQuery(kind="clicks", filters={"offer": []}))
    assert not network.submitted
