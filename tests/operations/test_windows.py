"""The windows of a report: split where the network cuts, asked for anew where it forgets."""

import asyncio
from datetime import UTC, date, datetime

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adnet.errors import AccessDeniedError, ConfigurationError, JobExpiredError, TruncatedReportError
from adnet.models import ReportQuery
from adnet.operations.jobs import ReportRunner
from adnet.operations.windows import Left, Windows, check_order, stream_rows
from adnet.state import State
from adnet.testing import FakeClock

from .conftest import START, Network, clicks, query


async def all_rows(runner: ReportRunner, asked: ReportQuery, **parts: object) -> list:
    """Return the rows of a query, in the order of their coming."""
    return [row async for batch in stream_rows(runner, asked, **parts) for row in batch.models()]


async def test_a_report_below_the_limit_is_one_window(runner, network, state):
    """Asked for once, read once, done."""
    assert await all_rows(runner, query()) == network.rows
    assert len(network.submitted) == 1
    assert state.jobs.unfinished() == []


async def test_no_rows_are_no_rows(runner, network):
    """An empty report is complete."""
    network.rows = []
    assert await all_rows(runner, query()) == []


async def test_rows_equal_to_the_limit_split_the_window(runner, network):
    """Nothing is silently cut: all rows come, once and in order."""
    network.rows, network.row_limit = clicks(*range(0, 3600, 60)), 10
    assert await all_rows(runner, query()) == network.rows
    assert all(len(window.filters) == 0 for window in network.submitted)


@pytest.mark.parametrize("look_ahead", [0, 1, 2, 5])
async def test_however_far_is_looked_ahead_no_window_is_left_out(network, clock, state, look_ahead):
    """A connector that wants no window asked for before its turn may well say 0."""
    network.rows, network.row_limit, network.look_ahead = clicks(*range(0, 3600, 60)), 10, look_ahead
    runner = ReportRunner(network, account="shop", clock=clock, state=state)
    assert await all_rows(runner, query()) == network.rows


async def test_splitting_goes_down_to_one_second(runner, network):
    """A burst in one second is told from its neighbours."""
    network.rows, network.row_limit = clicks(10, 10.2, 10.9, 11, 11.5, 12), 4
    assert await all_rows(runner, query()) == network.rows


async def test_a_second_that_meets_the_limit_is_an_error(runner, network):
    """With the window that does not fit; it is never taken for complete."""
    network.rows, network.row_limit = clicks(1, *(100 + number / 10 for number in range(8)), 3000), 4
    with pytest.raises(TruncatedReportError, match="at least 4 rows") as caught:
        await all_rows(runner, query())
    assert (caught.value.since - START).total_seconds() == 100
    assert (caught.value.until - caught.value.since).total_seconds() == 1


async def test_a_report_without_a_period_cannot_be_split(runner, network):
    """At the limit it may be cut, and is refused."""
    network.row_limit = 3
    network.rows = clicks(1, 2, 3)
    asked = ReportQuery(kind="clicks")
    network.submit_report = without_period(network)
    with pytest.raises(TruncatedReportError, match="no period to split"):
        await all_rows(runner, asked)


def without_period(network: Network):
    """Return a submit that gives all rows to a query without a period."""
    plain = network.submit_report

    async def submit(job):
        submitted = await plain(attrs.evolve(job, query=query()))
        return attrs.evolve(submitted, query=job.query)

    return submit


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 7199), unique=True, max_size=120).map(sorted),
    st.integers(2, 12),
)
def test_however_rows_lie_all_come_once_and_in_order(seconds, limit):
    """As long as no second holds as many as the limit."""
    clock = FakeClock()
    network = Network(clock, clicks(*seconds))
    network.row_limit, network.takes_s = limit, 0.5
    with State.open(clock=clock) as state:
        runner = ReportRunner(network, account="shop", clock=clock, state=state)
        assert asyncio.run(all_rows(runner, query(7200))) == network.rows
        assert state.jobs.unfinished() == []


async def test_a_report_that_vanishes_early_is_asked_for_anew(runner, network):
    """Rows that were held back are dropped: no row of two reports is mixed."""
    network.rows, network.losing_pages = clicks(*range(9)), 1
    assert await all_rows(runner, query()) == network.rows
    assert len(network.submitted) == 2


async def test_a_report_that_vanishes_late_is_an_error(runner, network):
    """Its rows are out already."""
    network.rows, network.losing_pages = clicks(*range(9)), 1
    with pytest.raises(JobExpiredError):
        await all_rows(runner, query(), hold_rows=1)


async def test_a_report_that_always_vanishes_is_an_error(runner, network):
    """After a few tries."""
    network.rows, network.losing_pages = clicks(*range(9)), 99
    with pytest.raises(JobExpiredError):
        await all_rows(runner, query())
    assert len(network.submitted) == runner.settings.losses + 1


async def test_the_next_window_is_asked_for_while_one_is_read(runner, network, clock):
    """Once it is known how dense the rows lie."""
    network.rows, network.row_limit, network.takes_s = clicks(*range(0, 3600, 30)), 20, 10.0
    await all_rows(runner, query())
    reports = len(network.submitted)
    assert clock.monotonic() < reports * network.takes_s


async def test_a_window_that_cannot_be_had_leaves_the_others(runner, network):
    """The error names it; calling again goes on with the next."""
    network.rows, network.row_limit = clicks(1, *(100 + number / 10 for number in range(8)), 3000), 4
    windows, rows, errors = Windows(runner, query()), [], []
    while True:
        try:
            job = await windows.next()
        except TruncatedReportError as error:
            errors.append(error)
            continue
        if job is None:
            break
        batches = [batch async for batch in runner.read(job)]
        rows += [row for batch in batches for row in batch.models()]
        windows.done(job, sum(map(len, batches)))
    await windows.close()
    assert [row.click_key for row in rows] == ["0", "9"]
    assert len(errors) == 1


async def test_a_report_that_is_of_no_use_is_not_kept_for_later(runner, network, state):
    """Its window is asked for anew by who goes on, and the journal names no report that nobody will read."""
    network.rows, network.row_limit = clicks(*(number / 10 for number in range(8))), 4
    notebook = Notebook()
    for run in (1, 2):
        with pytest.raises(TruncatedReportError):
            await Windows(runner, query(1), notebook).next()
        assert len(network.submitted) == run
        assert notebook.left == Left((query(1).period,))
        assert state.jobs.unfinished() == []


class Notebook:
    """A checkpoint in memory."""

    def __init__(self) -> None:
        self.left: Left | None = None

    def load(self) -> Left | None:
        return self.left

    def save(self, left: Left) -> None:
        self.left = left


async def test_what_is_left_is_stored_and_gone_on_with(runner, network, clock, state):
    """Killed after any window, the next run reads the rest and nothing twice."""
    network.rows, network.row_limit = clicks(*range(0, 3600, 60)), 10
    notebook, rows = Notebook(), []
    for _ in range(100):
        windows = Windows(ReportRunner(network, account="shop", clock=clock, state=state), query(), notebook)
        job = await windows.next()
        if job is None:
            break
        batches = [batch async for batch in runner.read(job)]
        rows += [row for batch in batches for row in batch.models()]
        windows.done(job, sum(map(len, batches)))
        await windows.close()
    assert sorted(rows, key=lambda row: row.occurred_at) == network.rows
    assert notebook.left == Left((), None, notebook.left.step)


async def test_an_error_of_the_network_rises(runner, network, state):
    """And leaves no report under way."""
    network.refusal = AccessDeniedError("no")
    with pytest.raises(AccessDeniedError):
        await all_rows(runner, query())
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("at", [0, 0.005, 3, 6, 20])
async def test_cancelling_leaves_no_task_reading_or_place(runner, network, clock, at):
    """At any moment."""
    network.rows, network.row_limit = clicks(*range(0, 3600, 60)), 10
    task = asyncio.create_task(all_rows(runner, query()))
    await clock.sleep(at)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert [bucket.in_flight + bucket.queued for bucket in network.limiter.state()] == [0]
    assert network.reading == 0


async def test_stopping_early_stops_asking(runner, network):
    """Whoever breaks out of the loop leaves nothing running."""
    network.rows = clicks(*range(9))
    stream = stream_rows(runner, query(), hold_rows=1)
    async for _ in stream:
        assert network.reading == 1
        break
    await stream.aclose()
    assert network.reading == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (date(2026, 3, 2), datetime(2026, 3, 1, 22, tzinfo=UTC)),  # one o'clock on that day in Moscow
        (datetime(2026, 3, 2, 1, tzinfo=UTC), date(2026, 3, 2)),  # the evening before in New York
    ],
)
def test_a_day_and_an_instant_are_put_in_order_by_the_accounts_zone(since, until):
    """What has begun there may not have begun in UTC."""
    check_order(since, until)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (date(2026, 3, 2), date(2026, 3, 2)),
        (date(2026, 3, 3), datetime(2026, 3, 1, 22, tzinfo=UTC)),
        (datetime(2026, 3, 3, 1, tzinfo=UTC), date(2026, 3, 2)),
    ],
)
def test_what_is_in_order_in_no_zone_is_refused(since, until):
    """Before any account is asked for its own."""
    with pytest.raises(ConfigurationError, match="is not before until"):
        check_order(since, until)
