"""The windows of one report: split where the network would cut, asked for anew where it forgets."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import attrs

from adnet.errors import JobExpiredError, TruncatedReportError
from adnet.models import Batch, ReportJob, ReportQuery
from adnet.operations.jobs import ReportRunner
from adnet.periods import ONE_SECOND


class Windows:
    """The complete reports that together cover a query, oldest first.

    A report that meets the network's row limit may have been cut: its window is split in two and both halves
    are asked for, down to one second. The next window is asked for while the present one is read.
    """

    def __init__(self, runner: ReportRunner, query: ReportQuery) -> None:
        self._runner = runner
        self._look_ahead = runner.look_ahead
        self._queries: list[ReportQuery] = [query]
        self._tasks: dict[str, asyncio.Task[ReportJob]] = {}
        self._losses: Counter[str] = Counter()

    async def next(self) -> ReportJob | None:
        """Return the next complete report, ready to be read; None when all windows are done.

        Raises:
            TruncatedReportError: A window of one second (or a report without a period) meets the limit. The
                window is dropped; calling again goes on with the next.
            AdnetError: That window could not be had; calling again goes on with the next.
        """
        while self._queries:
            self._start()
            query = self._queries[0]
            try:
                job = await self._tasks[query.key]
            finally:
                self._drop(query)
            if not job.truncated:
                return job
            self._runner.finish(job)
            halves = query.period.split(ONE_SECOND) if query.period else None
            if halves is None:
                raise _truncated(job)
            self._queries[:0] = [attrs.evolve(query, period=half) for half in halves]
        return None

    def again(self, job: ReportJob, error: JobExpiredError) -> None:
        """Ask for a window anew whose report vanished while it was read.

        Raises:
            JobExpiredError: It has vanished too often.
        """
        self._losses[job.query.key] += 1
        if self._losses[job.query.key] > self._runner.settings.losses:
            raise error
        self._queries.insert(0, job.query)

    def _start(self) -> None:
        for query in self._queries[: self._look_ahead]:
            if query.key not in self._tasks:
                self._tasks[query.key] = asyncio.create_task(self._runner.ready(query))

    def _drop(self, query: ReportQuery) -> None:
        self._queries.remove(query)
        self._tasks.pop(query.key, None)

    async def close(self) -> None:
        """Stop asking for windows that nobody will read; what was submitted stays in the journal."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        self._queries.clear()


def _truncated(job: ReportJob) -> TruncatedReportError:
    period = job.query.period
    where = f"the window {period}" if period else f"the {job.query.kind} report, which has no period to split"
    return TruncatedReportError(
        f"{where} has at least {job.rows} rows, which is the network's limit: rows may be missing",
        job_id=job.job_id,
        network=job.network,
        account=job.account,
        since=period.since if period else None,
        until=period.until if period else None,
    )


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
    windows = Windows(runner, query)
    try:
        while (job := await windows.next()) is not None:
            rows = runner.read(job)
            try:
                held = await _hold(rows, hold_rows)
            except JobExpiredError as error:
                windows.again(job, error)
                continue
            finally:
                runner.finish(job)
            for batch in held:
                yield batch
            async for batch in rows:
                yield batch
    finally:
        await windows.close()


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
