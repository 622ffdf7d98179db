"""One source of one account on its way into its tables.

A *source* is one thing that is asked of a network (a report, a list); it feeds one or two tables. Each window of a
source is one landing: staged while it streams in, committed as a whole, and only then marked as done in the journal.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from adnet.client import Account
from adnet.errors import AdnetError, JobError, JobExpiredError, PayloadError, SinkError, StateError
from adnet.models import Batch, ModelBatch, ReportJob, ReportQuery
from adnet.models.words import Level
from adnet.operations.jobs import ReportRunner
from adnet.operations.windows import Windows
from adnet.periods import Moment, Period
from adnet.pull.ahead import WriteBehind
from adnet.pull.checkpoint import PullCheckpoint
from adnet.pull.recording import Recorder
from adnet.pull.result import TableResult
from adnet.pull.vanished import count_vanished, stretch_of
from adnet.sinks import Sink
from adnet.transport.events import metered

SOURCES: Final[dict[str, str]] = {
    "accounts": "get_account",
    "campaigns": "list_campaigns",
    "ads": "list_ads",
    "offers": "list_offers",
    "trades": "list_trades",
    "stats": "list_stats",
    "transactions": "list_transactions",
    "clicks": "list_clicks",
}
"""Source -> the Account operation that serves it. ``payouts`` come with offers and trades."""
DATED: Final = frozenset({"stats", "transactions", "clicks"})
READINGS: Final = 8
"""Reports of one network that are read at once: each holds pages, rows and a row group in memory, some 10 MB. To wait
for one costs next to nothing, so that all accounts do that at once; a network that hangs holds up no other."""
LISTED: Final = SOURCES.keys() - DATED - {"accounts"}  # of which there is one
LISTS: Final = 16
"""Lists of objects of one network that are read at once, for the same reason: their pages are large, and each holds one
or two. They have few of them: what is dated takes longer, so that it is read of all accounts at once."""


@attrs.frozen(kw_only=True)
class Progress:
    """News of a run, for a progress bar."""

    account: str
    table: str
    state: str
    """``started``, ``queued``, ``running``, ``reading``, ``landed``, ``ended``."""
    rows: int = 0


def _places(count: int) -> Mapping[str, asyncio.Semaphore]:
    return defaultdict(lambda: asyncio.Semaphore(count))


@attrs.frozen(kw_only=True)
class Run:
    """What all accounts of a run share."""

    sink: Sink
    since: Moment
    until: Moment
    tables: frozenset[str]
    levels: tuple[Level, ...]
    raw: bool
    lookback: timedelta
    tell: Callable[[Progress], None]
    pull_id: str = attrs.field(factory=lambda: uuid.uuid4().hex)
    recorder: Recorder = attrs.field(init=False)
    readings: Mapping[str, asyncio.Semaphore] = attrs.field(factory=lambda: _places(READINGS))
    """Network -> places for reports that are read."""
    lists: Mapping[str, asyncio.Semaphore] = attrs.field(factory=lambda: _places(LISTS))
    """Network -> places for lists of objects."""
    ended: list["Source"] = attrs.field(factory=list)
    """Sources of accounts that have ended."""

    @recorder.default
    def _recorder(self) -> Recorder:
        return Recorder(self.sink, self.pull_id)


class Source:
    """One source of one account on its way into its tables."""

    def __init__(self, run: Run, account: Account, name: str, results: dict[str, TableResult]) -> None:
        self._run = run
        self._account = account
        self._connector: Any = account.connector
        self._name = name
        self._results = results
        for result in results.values():
            result.feeds += 1
        self._units = 0
        self._checkpoints: list[PullCheckpoint] = []

    async def run(self) -> None:
        """Land all windows of the source; what goes wrong with it is noted in its results.

        Raises:
            SinkError: The sink cannot be used.
            StateError: The state cannot.
        """
        self._tell("started")
        with metered(next(iter(self._results.values())).meter):
            try:
                await self._pull()
                await self._count_vanished()
            except (StateError, SinkError):
                raise
            except AdnetError as error:
                self._fail(error)
        self._end()

    def settle(self) -> None:
        """Forget how far the source came, now that the run has ended."""
        for checkpoint in self._checkpoints:
            checkpoint.settle()

    async def _pull(self) -> None:
        runner = getattr(self._connector, "runner", None)
        for level in self._levels:
            if runner is not None and self._name in self._account.capabilities.report_kinds:
                await self._pull_report(runner, level)
            elif level is not None:
                await self._pull_stats(level)
            else:
                await self._pull_list()

    @property
    def _levels(self) -> Sequence[Level | None]:
        """What the source is asked by, one after another; None where there are no levels."""
        if self._name != "stats":
            return (None,)
        return [level for level in self._run.levels if level in self._account.capabilities.levels]

    @property
    def _period(self) -> Period:
        since = self._run.since
        if self._run.lookback:
            # By the account's calendar: not all days have 24 hours, and not all have a midnight.
            if isinstance(since, datetime):
                since = since.astimezone(self._connector.time_zone)
            since -= self._run.lookback
        return self._account.period(since, self._run.until)

    # ------------------------------------------------------------------ reports

    async def _pull_report(self, runner: ReportRunner, level: Level | None) -> None:
        period = self._period if self._name in DATED else None
        query = self._connector.complete_query(ReportQuery(kind=self._name, period=period, level=level))
        checkpoint = PullCheckpoint(
            self._account.state.facts,
            scope=self._connector.account_key,
            query=query,
            sink=self._run.sink,
            pull_id=self._run.pull_id,
            now=self._account.clock.now(),
            lands=(self._account.name, *self._results, "raw" if self._run.raw else "bare"),
        )
        self._checkpoints.append(checkpoint)
        await checkpoint.verify()
        for table, counts in checkpoint.landed.items():
            if table in self._results:
                self._results[table].count(*counts)
                self._units += 1
        windows = Windows(runner, query, checkpoint)
        try:
            while True:
                self._tell("queued")
                try:
                    job = await windows.next()
                    if job is None:
                        return
                    await self._land_report(windows, runner, job)
                except (JobError, PayloadError) as error:
                    # That window is missing and told so; the others may well be had.
                    self._fail(error)
        finally:
            await windows.close()

    async def _land_report(self, windows: Windows, runner: ReportRunner, job: ReportJob) -> None:
        try:
            async with self._run.readings[self._account.network]:
                self._tell("reading")
                rows = await self._land(runner.read(job))
        except JobExpiredError as error:
            windows.again(job, error)
        except AdnetError:
            windows.missed(job.query)
            raise
        else:
            windows.done(job, rows)

    # ------------------------------------------------------------------ lists

    async def _pull_stats(self, level: Level) -> None:
        for unit in self._period.in_days(self._connector.days_at_once, self._connector.time_zone):
            try:
                await self._land(self._connector.list_stats(unit, level=level))
            except PayloadError as error:
                # As with the windows of a report.
                self._fail(error)

    async def _pull_list(self) -> None:
        if self._name not in LISTED:
            await self._land(self._batches())
            return
        self._tell("queued")
        async with self._run.lists[self._account.network]:
            await self._land(self._batches())

    def _batches(self) -> AsyncIterator[Batch]:
        if self._name == "accounts":
            return self._one_account()
        operation = getattr(self._connector, SOURCES[self._name])
        batches: AsyncIterator[Batch] = operation(self._period) if self._name in DATED else operation()
        return batches

    async def _one_account(self) -> AsyncIterator[Batch]:
        yield ModelBatch([await self._connector.get_account()])

    # ------------------------------------------------------------------ landing

    async def _land(self, batches: AsyncIterator[Batch]) -> int:
        """Land one unit, all of it or nothing, and return how many rows came."""
        rows, account = 0, self._account
        landing = self._run.sink.landing(
            network=account.network, account=account.name, fetched_at=account.clock.now()
        )
        meter, monotonic = next(iter(self._results.values())).meter, account.clock.monotonic
        behind = WriteBehind(landing, meter, monotonic)
        try:
            async with aclosing(batches) as stream:  # type: ignore[type-var]
                async for batch in stream:
                    for table in batch.tables():
                        if table in self._results and len(batch):
                            started = monotonic()
                            columns = batch.columns(table, raw=self._run.raw)
                            meter.decode_s += monotonic() - started
                            await behind.write(table, columns)
                            del columns
                    rows += len(batch)
                    self._tell("reading", len(batch))
                    del batch  # so that the next one is decoded in its place
            await behind.settle()
            started = monotonic()
            landed = await landing.commit()
            meter.sink_s += monotonic() - started
        except BaseException:
            await behind.drop()
            await landing.rollback()
            raise
        self._units += 1
        for table, counts in landed.items():
            result = self._results[table]
            result.count(counts.rows, counts.new_rows, counts.changed_rows)
            for checkpoint in self._checkpoints[-1:]:
                checkpoint.count(table, counts)
        self._tell("landed", sum(counts.rows for counts in landed.values()))
        return rows

    async def _count_vanished(self) -> None:
        """Note how many rows of its period the network told no more, if all that it tells has landed."""
        result = self._results.get(self._name)
        if result is not None and not result.errors and self._name in DATED:
            stretch = stretch_of(self._account, self._name, self._period, self._levels)
            result.vanished_rows = await count_vanished(self._run.sink, stretch, result.rows)

    # ------------------------------------------------------------------ news

    def _tell(self, state: str, rows: int = 0) -> None:
        """Report progress."""
        self._run.tell(Progress(account=self._account.name, table=self._name, state=state, rows=rows))

    def _fail(self, error: AdnetError) -> None:
        """Note why something is missing, in each table that this source feeds."""
        account = self._account
        error.add_context(network=account.network, account=account.name, operation=SOURCES[self._name])
        for result in self._results.values():
            result.errors.append(error)

    def _end(self) -> None:
        """Say how it ended. Payouts end with the later of their two sources."""
        now = self._account.clock.now()
        for result in self._results.values():
            result.end(now, landed=self._units > 0 or result.rows > 0)
        self._tell("ended", sum(result.rows for result in self._results.values()))
