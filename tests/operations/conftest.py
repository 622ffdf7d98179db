"""A network in memory that makes reports, and what the tests of report jobs share."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from adnet.errors import AdnetError, JobExpiredError
from adnet.interface import Connector, QueuesReports
from adnet.models import Batch, Click, ModelBatch, ReportJob, ReportQuery
from adnet.operations.jobs import ReportRunner
from adnet.periods import Period
from adnet.state import State
from adnet.testing import FakeClock
from adnet.transport.limits import Bucket, Limiter

START = datetime(2026, 3, 1, tzinfo=UTC)


def clicks(*seconds: float) -> list[Click]:
    """Return one click at each of some seconds after START."""
    return [
        Click(click_key=str(number), occurred_at=START + timedelta(seconds=second))
        for number, second in enumerate(seconds)
    ]


def query(seconds: float = 3600, **parts: object) -> ReportQuery:
    """Return a query for the clicks of the first *seconds*."""
    period = Period(START, START + timedelta(seconds=seconds))
    return ReportQuery(kind="clicks", period=period, **parts)


@attrs.define
class Report:
    """A report at the network."""

    rows: list[Click]
    ready_at: float
    fails: bool = False


class Network(Connector, QueuesReports):
    """Makes reports of its clicks, each after *takes_s* seconds; cuts them at *row_limit* rows."""

    network = "memory"
    report_kinds = frozenset({"clicks"})

    def __init__(self, clock: FakeClock, rows: list[Click] | None = None) -> None:
        self.clock = clock
        self.rows = rows if rows is not None else clicks(1, 2, 3)
        self.takes_s = 5.0
        self.row_limit = 1000
        self.page = 2
        self.failing = 0
        """How many of the next reports will fail."""
        self.losing = 0
        """How many of the next reports are gone when they are polled."""
        self.losing_pages = 0
        """How many of the next readings lose the report after a page."""
        self.refusal: AdnetError | None = None
        self.submitted: list[ReportQuery] = []
        self.polled: list[float] = []
        self.reading = 0
        self._reports: dict[str, Report] = {}
        self._limiter = Limiter([Bucket("reports", concurrency=10)], clock=clock)

    @property
    def account_key(self) -> str:
        return "key"

    @property
    def limiter(self) -> Limiter:
        return self._limiter

    async def submit_report(self, job: ReportJob) -> ReportJob:
        self.submitted.append(job.query)
        await self.clock.sleep(0.01)
        if self.refusal is not None:
            raise self.refusal
        rows = [row for row in self.rows if row.occurred_at in job.query.period][: self.row_limit]
        name = f"r{len(self.submitted)}"
        self._reports[name] = Report(rows, self.clock.monotonic() + self.takes_s, self.failing > 0)
        self.failing = max(0, self.failing - 1)
        return attrs.evolve(job, state="submitted", report_id=name, location=f"/reports/{name}")

    async def poll_report(self, job: ReportJob) -> ReportJob:
        self.polled.append(self.clock.monotonic())
        report = self._reports[job.report_id]
        if self.losing:
            self.losing -= 1
            raise JobExpiredError("gone")
        if self.clock.monotonic() < report.ready_at:
            return attrs.evolve(job, state="running")
        if report.fails:
            return attrs.evolve(job, state="failed")
        return attrs.evolve(job, state="ready", rows=len(report.rows), row_limit=self.row_limit)

    async def read_report(self, job: ReportJob) -> AsyncIterator[Batch]:
        rows = self._reports[job.report_id].rows
        self.reading += 1
        try:
            for start in range(0, len(rows), self.page):
                await self.clock.sleep(0.01)
                if start and self.losing_pages:
                    self.losing_pages -= 1
                    raise JobExpiredError("gone")
                yield ModelBatch(rows[start : start + self.page])
        finally:
            self.reading -= 1


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START + timedelta(days=1))


@pytest.fixture
def state(clock: FakeClock) -> Iterator[State]:
    with State.open(clock=clock) as opened:
        yield opened


@pytest.fixture
def network(clock: FakeClock) -> Network:
    return Network(clock)


@pytest.fixture
def runner(network: Network, clock: FakeClock, state: State) -> ReportRunner:
    return ReportRunner(network, account="shop", clock=clock, state=state)
