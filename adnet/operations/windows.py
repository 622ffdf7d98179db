"""The windows of one report: split where the network would cut, asked for anew where it forgets."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import attrs

from adnet.errors import AdnetError, ConfigurationError, JobExpiredError, StateError
from adnet.models import Batch, ReportJob, ReportQuery
from adnet.operations.ending import ending
from adnet.operations.jobs import ReportRunner, truncated
from adnet.periods import ONE_DAY, ONE_SECOND, Moment, Period, instant

_FULL: Final = 0.8
"""How full a window is meant to be: emptier ones cost requests, fuller ones risk being asked for twice."""
_NARROWER: Final = "narrow it by filters that the network itself applies"
_GROWTH: Final = 4
"""How much longer than the last window the next may be."""
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Where computers begin to count, so that people write it for "all there is"; no network has anything older."""


@attrs.frozen
class Left:
    """What is left to be read of a query."""

    windows: tuple[Period | None, ...]
    """Windows to ask for, as they were cut; a query without a period is one window, None."""
    rest: Period | None = None
    """What has not been cut into windows yet."""
    step: timedelta | None = None
    """How long the next window shall be; None until a window has been read."""


class Checkpoint(Protocol):
    """Where it is kept what is left to be read, so that another process can go on."""

    def load(self) -> Left | None:
        """Return what an earlier run left; None when there is none to go on with."""
        ...

    def save(self, left: Left) -> None:
        """Store what is left, before it is asked for; no windows and no rest mean that all is done."""
        ...


class Windows:
    """The complete reports that together cover a query, oldest first.

    A report that meets the network's row limit may have been cut: half of its window is asked for, down to one
    second. How dense the rows are is learnt on the way, and the windows to come are cut to size. Once that is
    known, the next window is asked for while the present one is read.
    """

    def __init__(
        self, runner: ReportRunner, query: ReportQuery, checkpoint: Checkpoint | None = None
    ) -> None:
        self._runner = runner
        self._query = query
        self._checkpoint = checkpoint
        left = (checkpoint and checkpoint.load()) or Left((query.period,))
        self._queries = [attrs.evolve(query, period=period) for period in left.windows]
        self._missed: list[ReportQuery] = []
        self._rest = left.rest
        self._step = left.step
        self._tasks: dict[str, asyncio.Task[ReportJob]] = {}
        self._losses: Counter[str] = Counter()

    async def next(self) -> ReportJob | None:
        """Return the next complete report, ready to be read; None when all windows are done.

        Raises:
            TruncatedReportError: A window of one second (or a report without a period) meets the limit. The
                window is dropped; calling again goes on with the next.
            AdnetError: That window could not be had; calling again goes on with the next.
        """
        while self._start():
            query = self._queries[0]
            try:
                job = await (self._tasks.get(query.key) or self._runner.ready(query))
            except AdnetError:
                self._drop(query)
                self.missed(query)
                raise
            if not job.truncated:
                return job
            self._drop(query)
            with self._runner.state.database.transaction():
                self._runner.finish(job)
                halved = self._halve(job)
                self._save()
            if not halved:  # told outside: an error would undo what was just noted
                raise truncated(job, _NARROWER)
        return None

    def missed(self, query: ReportQuery) -> None:
        """Take note that a window could not be had: a later run asks for it again."""
        self._drop(query)
        self._missed.append(query)
        self._save()

    def done(self, job: ReportJob, rows: int) -> None:
        """Take note that a window has been read, or landed, and how many rows it had."""
        self._drop(job.query)
        self._learn(job, rows)
        with self._runner.state.database.transaction():
            self._runner.finish(job)
            self._save()

    def again(self, job: ReportJob, error: JobExpiredError) -> None:
        """Ask for a window anew whose report vanished while it was read.

        Raises:
            JobExpiredError: It has vanished too often.
        """
        self._losses[job.query.key] += 1
        self._runner.finish(job)
        self._tasks.pop(job.query.key, None)
        if self._losses[job.query.key] > self._runner.settings.losses:
            self.missed(job.query)
            raise error

    def _drop(self, query: ReportQuery) -> None:
        self._tasks.pop(query.key, None)
        if query in self._queries:
            self._queries.remove(query)

    def _save(self) -> None:
        """Store what is left: missed windows, those under way, and what is not cut yet."""
        if self._checkpoint is not None:
            windows = tuple(query.period for query in (*self._missed, *self._queries))
            self._checkpoint.save(Left(windows, self._rest, self._step))

    def _learn(self, job: ReportJob, rows: int) -> None:
        """Cut the next window to the measure of this one."""
        if job.query.period is None or job.row_limit is None:
            return
        length = job.query.period.length
        rows = max(rows, job.rows or 0)  # of which a filter may have left some out
        factor = _FULL * job.row_limit / rows if rows else float(_GROWTH)
        self._step = max(ONE_SECOND, length * min(factor, float(_GROWTH)))

    def _start(self) -> bool:
        """Ask for the windows after the next one, which needs no task of its own; say whether there are any."""
        ahead = 1 if self._step is None else max(1, self._runner.look_ahead)
        while self._rest is not None and len(self._queries) < ahead:
            self._queries.append(self._cut(self._rest))
            self._save()
        for query in self._queries[1:ahead]:
            if query.key not in self._tasks:
                self._tasks[query.key] = asyncio.create_task(self._runner.ready(query))
        return bool(self._queries)

    def _cut(self, rest: Period) -> ReportQuery:
        """Return the next window of *rest*, and keep what is left of it."""
        step = self._step or rest.length
        seconds = max(1, int(step.total_seconds()))
        if rest.length <= timedelta(seconds=seconds * 1.25):
            self._rest = None
            return attrs.evolve(self._query, period=rest)
        middle = rest.since + timedelta(seconds=seconds)
        self._rest = Period(middle, rest.until)
        return attrs.evolve(self._query, period=Period(rest.since, middle))

    def _halve(self, job: ReportJob) -> bool:
        """Put both halves of a window that was cut in its place; False, and it is missing, if it has none."""
        halves = job.query.period.split(ONE_SECOND) if job.query.period else None
        if halves is None:
            self._missed.append(job.query)
            return False
        first, second = halves
        self._step = self._step and min(self._step, first.length)
        if not self._queries and (self._rest is None or self._rest.since == second.until):
            self._rest = Period(second.since, self._rest.until if self._rest else second.until)
            self._queries.append(attrs.evolve(job.query, period=first))
        else:
            self._queries[:0] = [attrs.evolve(job.query, period=half) for half in halves]
        return True

    async def close(self) -> None:
        """Stop asking for windows that nobody will read; what was submitted stays in the journal."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        self._queries.clear()
        self._rest = None


async def stream_rows(
    runner: ReportRunner, query: ReportQuery, *, hold_rows: int = 1000
) -> AsyncIterator[Batch]:
    """Yield all rows of *query*, window after window, each from one report id only.

    Up to *hold_rows* rows of a window are held back until it is known that the report can be read: a report
    that vanishes before that is asked for anew, one that vanishes later raises, since its rows are out.

    Raises:
        TruncatedReportError: A window cannot be had whole.
        JobExpiredError: A large report vanished in mid reading.
    """
    if query.asks_for_nothing:
        return
    windows = Windows(runner, query)
    try:
        while (job := await windows.next()) is not None:
            async with ending(runner.read(job)) as rows:
                try:
                    held = await _hold(rows, hold_rows)
                except JobExpiredError as error:
                    windows.again(job, error)
                    continue
                except BaseException:
                    runner.finish(job)
                    raise
                count = 0
                try:
                    while held:
                        count += len(held[0])
                        yield held.pop(0)
                    async for batch in rows:
                        count += len(batch)
                        yield batch
                        del batch  # so that the next one is decoded in its place
                except GeneratorExit:
                    # The reader has gone, and perhaps closed the state before this was collected.
                    with suppress(StateError):
                        runner.finish(job)
                    raise
                except BaseException:
                    runner.finish(job)
                    raise
                windows.done(job, count)
    finally:
        await windows.close()


async def read_whole(runner: ReportRunner, job: ReportJob) -> AsyncIterator[Batch]:
    """Yield a ready report's rows, and take note when all have been read: who asks later gets a report of then."""
    async with ending(runner.read(job)) as batches:
        async for batch in batches:
            yield batch
            del batch  # so that the next one is decoded in its place
    runner.finish(job)


async def _hold(batches: AsyncIterator[Batch], rows: int) -> list[Batch]:
    """Return the first batches: all of them, or as many as hold more than *rows* rows."""
    held: list[Batch] = []
    count = 0
    async for batch in batches:
        held.append(batch)
        count += len(batch)
        if count > rows:
            break
    return held


def check_order(since: Moment, until: Moment) -> None:
    """Refuse a period that ends before it begins, where that can be told without a time zone, or begins too early.

    A day and an instant may be in order in the account's own zone alone: shortly after midnight in Moscow it is still
    yesterday in UTC. Networks that tell a day at a time would be asked for hundreds of thousands of days on which
    nothing can have been.

    Raises:
        ConfigurationError: *since* is not before *until*, or before there was anything to report.
    """
    try:
        begins, ends = instant(since), instant(until)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    told = isinstance(since, datetime) == isinstance(until, datetime)
    if begins >= ends + (timedelta(0) if told else ONE_DAY):
        raise ConfigurationError(f"since {since} is not before until {until}")
    if begins < EARLIEST:
        what = f"since {since} is before {EARLIEST:%Y-%m-%d}"
        raise ConfigurationError(f"{what}, when no network had anything to report; begin then or later")
