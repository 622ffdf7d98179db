"""Report jobs: asked for, waited for, read, and asked for anew when the network loses them.

A job is a frozen value. What to do with it next is a pure function of that value (:func:`next_step`), and when to ask
again is one of elapsed time (:mod:`adnet.operations.waiting`). The runner does what they say and stores the job on each
change of state, the intent before the POST, so that a process that dies anywhere leaves a journal from which the next
one goes on. At most one POST per death is repeated.
"""

import asyncio
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal

from adnet.clock import Clock
from adnet.errors import (
    AdnetError,
    ConfigurationError,
    JobExpiredError,
    JobFailedError,
    StateError,
    TruncatedReportError,
)
from adnet.interface import Connector, QueuesReports
from adnet.models import Batch, ReportJob, ReportQuery
from adnet.operations.waiting import JobSettings, Pauses
from adnet.state import State
from adnet.transport.deadline import deadline

Step = Literal["submit", "poll", "read", "give up"]


def next_step(job: ReportJob, settings: JobSettings) -> Step:
    """Return what to do with *job* next. Pure."""
    if job.state == "intended":
        return "submit"
    if job.state in {"submitted", "running"}:
        return "poll"
    if job.state == "failed" and job.attempts < settings.attempts:
        return "submit"
    return "read" if job.state in {"ready", "done"} else "give up"


class ReportRunner:
    """Runs one account's reports. Safe to use from many tasks at once."""

    def __init__(
        self,
        connector: Connector,
        *,
        account: str,
        clock: Clock,
        state: State,
        settings: JobSettings | None = None,
    ) -> None:
        if not isinstance(connector, QueuesReports):
            raise TypeError(f"{type(connector).__name__} makes no reports on request")
        self.settings = settings or JobSettings()
        self._connector = connector
        self._queue: QueuesReports = connector
        self.look_ahead = connector.look_ahead
        self._account = account
        self._clock = clock
        self._state = state
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._latest: dict[str, ReportJob] = {}
        self._pauses = Pauses(clock, state.lengths, self.settings)
        # One POST of an account at a time, so that a death leaves at most one of unknown outcome.
        self._posting = asyncio.Lock()

    # ------------------------------------------------------------------ asking

    async def submit(self, query: ReportQuery) -> ReportJob:
        """Ask for a report, or share the one that is under way for the same query.

        Raises:
            JobTimeoutError: Another process is asking for it, and has not come to an end in time.
            ConfigurationError: A filter names nothing, so that the report would be of all.
            AdnetError: The network refused, or could not be reached; the intent stays in the journal.
        """
        if query.asks_for_nothing:
            name = next(name for name, values in query.filters.items() if not values)
            raise ConfigurationError(
                f"the filter {name!r} names nothing, and the network would report on all: leave the filter out for all,"
                " and the report for nothing",
                network=self._connector.network,
                account=self._account,
            )
        fresh = ReportJob(
            network=self._connector.network,
            account=self._account,
            account_key=self._connector.account_key,
            query=query,
        )
        begun = self._clock.monotonic()
        async with self._lock(query.key):
            while True:
                async with self._posting:
                    job = self._state.jobs.claim(fresh, fresh_for_s=self.settings.fresh_for_s)
                    if job.state != "intended":
                        return job
                    if job.owner == self._state.owner:
                        return await self._post(job)
                await self._pauses.for_another(job, begun)

    @contextmanager
    def _given_up_if_left(self, job: ReportJob) -> Iterator[None]:
        """Leave no intent behind in this process's name when whoever had it is cancelled or goes.

        Whoever asks next, in whatever process, need not wait for this one then.
        """
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            # Whoever goes perhaps closed the state before this was collected.
            with suppress(StateError):
                self._state.jobs.release(job)
            raise

    async def _post(self, job: ReportJob) -> ReportJob:
        """Ask for a report whose intent is in the journal."""
        try:
            with self._given_up_if_left(job):
                submitted = await self._queue.submit_report(job)
        except AdnetError as error:
            if error.temporary:
                self._state.jobs.release(job)
            else:
                self._save(job, state="failed", error=str(error))
            raise
        self._pauses.posted(job)
        return self._save(submitted, submitted_at=self._clock.now())

    async def _post_again(self, job: ReportJob) -> ReportJob:
        """Ask anew for a report that failed, after a while, or that vanished; nobody else asks meanwhile."""
        async with self._lock(job.query.key):
            job = self._latest.get(job.job_id, job)
            if next_step(job, self.settings) != "submit":
                return job  # another task of ours has asked
            waiting = self._save(job, state="intended", owner=self._state.owner, error=None)
            with self._given_up_if_left(waiting):
                if job.state == "failed":
                    await self._clock.sleep(self.settings.failed_wait_s * 2 ** (job.attempts - 1))
                again = self._save(waiting, attempts=job.attempts + 1)
                if again.state == "cancelled":
                    return again
                async with self._posting:
                    return await self._post(again)

    # ------------------------------------------------------------------ waiting

    async def ready(self, query: ReportQuery) -> ReportJob:
        """Ask for a report and wait until it can be read."""
        slot = await self._connector.limiter.acquire((self._queue.report_bucket,))
        with slot, deadline(self._clock, self.settings.timeout_s):
            return await self.wait(await self.submit(query))

    async def wait(self, job: ReportJob) -> ReportJob:
        """Wait until *job* can be read; ask again when the network failed or lost it.

        Raises:
            JobFailedError: The network said FAILED each time.
            JobTimeoutError: Not ready in time; it stays in the journal and can be resumed.
        """
        started, lock = self._clock.monotonic(), self._lock(job.job_id)
        job = await self._advance(job, lock, started)
        while next_step(job, self.settings) != "read":
            job = await self._advance(job, lock, started)
        return job

    async def follow(self, job: ReportJob) -> AsyncIterator[ReportJob]:
        """Yield the job each time something about it is known, until it is ready.

        Raises:
            JobFailedError: The network said FAILED each time.
            JobTimeoutError: Not ready in time; it stays in the journal and can be resumed.
        """
        started, lock = self._clock.monotonic(), self._lock(job.job_id)
        while True:
            job = await self._advance(job, lock, started)
            with self._given_up_if_left(job):
                yield job
            if next_step(job, self.settings) == "read":
                return

    async def _advance(self, job: ReportJob, lock: asyncio.Lock, started: float) -> ReportJob:
        """Do what is next for *job*, and return what it is then.

        Raises:
            JobFailedError: Nothing is to be done any more.
        """
        async with lock:
            job = self._latest.get(job.job_id, job)
            match next_step(job, self.settings):
                case "submit":
                    return await self._post_again(job)
                case "poll":
                    await self._pauses.until_due(job, started)
                    return await self._ask(job, started)
                case "read":
                    return job
        why = f"the network made no {job.query.kind} report, asked {job.attempts} times"
        if job.state == "cancelled":
            why = f"the {job.query.kind} report was given up in the journal; ask anew for another"
        raise JobFailedError(why, **job.context)

    async def poll(self, job: ReportJob) -> ReportJob:
        """Ask once how far *job* is, not sooner than 0.2 s after the last question; store a change of state.

        One that the network has lost is asked for anew: nobody else would, and its intent keeps others waiting.

        Raises:
            JobExpiredError: It was lost too often.
        """
        async with self._lock(job.job_id):
            job = self._latest.get(job.job_id, job)
            if next_step(job, self.settings) == "poll":
                await self._pauses.until_allowed(job)
                job = await self._ask(job)
            return await self._post_again(job) if job.state == "intended" else job

    async def _ask(self, job: ReportJob, started: float | None = None) -> ReportJob:
        """Ask how far *job* is; learn from how long it took where it was waited for since *started*."""
        try:
            polled = await self._queue.poll_report(job)
        except JobExpiredError:
            return self._lost(job)
        finally:
            self._pauses.asked(job)
        if polled.state == "ready":
            with self._state.database.transaction():
                if started is not None:
                    self._pauses.ready(polled, started)
                return self._save(polled, ready_at=self._clock.now())
        # That it is still running is worth no write: whoever goes on with it asks, as after it was submitted.
        return self._remember(polled) if polled.state == "running" else self._save(polled)

    # ------------------------------------------------------------------ reading

    def read(self, job: ReportJob) -> AsyncIterator[Batch]:
        """Yield a ready report's rows in order; see ``QueuesReports.read_report``.

        Raises:
            TruncatedReportError: The network has cut it: a job cannot be split, and rows may be missing.
        """
        if job.truncated:
            raise truncated(job, "ask for a shorter period, or with run_report for all of it")
        return self._queue.read_report(job)

    @property
    def state(self) -> State:
        """Where jobs are stored."""
        return self._state

    def finish(self, job: ReportJob) -> ReportJob:
        """Take note that the report has been read, or landed, or is of no use any more."""
        self._pauses.forget(job)
        done = self._state.jobs.save(job, state="done")
        self._latest.pop(job.job_id, None)
        return done

    def _lost(self, job: ReportJob) -> ReportJob:
        """Go back to the intent: the network has forgotten the report."""
        if job.attempts > self.settings.losses:
            raise JobExpiredError(
                f"the {job.query.kind} report vanished {job.attempts} times before it was read; run again later",
                **job.context,
            )
        fresh = {"report_id": None, "location": None, "pages": None, "rows": None, "submitted_at": None}
        return self._save(job, state="intended", owner=self._state.owner, **fresh)

    # ------------------------------------------------------------------ small things

    def _lock(self, key: str) -> asyncio.Lock:
        # Kept alive by whoever holds or awaits it; nobody else needs it.
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = asyncio.Lock()
        return lock

    def _save(self, job: ReportJob, **changes: Any) -> ReportJob:
        return self._remember(self._state.jobs.save(job, **changes))

    def _remember(self, job: ReportJob) -> ReportJob:
        self._latest[job.job_id] = job
        return job


def truncated(job: ReportJob, remedy: str) -> TruncatedReportError:
    """Return the error for a report that the network has cut."""
    period = job.query.period
    where = f"the window {period}" if period else f"the {job.query.kind} report, which has no period to split"
    return TruncatedReportError(
        f"{where} has at least {job.rows} rows, which is the network's limit: rows may be missing; {remedy}",
        **job.context,
        since=period.since if period else None,
        until=period.until if period else None,
    )
