"""Report jobs: asked for, waited for, read, and asked for anew when the network loses them.

A job is a frozen value. What to do with it next is a pure function of that value (:func:`next_step`), and
when to ask again is one of elapsed time (:func:`poll_delay`). The runner does what they say and stores the
job on every change of state, the intent before the POST, so that a process that dies anywhere leaves a
journal from which the next one goes on. At most one POST per death is repeated.

Waiting: the delay is a share of the time already waited, so that the lag behind the network is a share of the
job's length whatever that is; where earlier jobs of the kind taught how long it takes, the first question
comes just then. No job is asked after twice within 0.2 s.
"""

import asyncio
import math
import random
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

import attrs

from adnet.clock import Clock
from adnet.errors import (
    AdnetError,
    ConfigurationError,
    JobExpiredError,
    JobFailedError,
    JobTimeoutError,
    TruncatedReportError,
)
from adnet.interface import Connector, QueuesReports
from adnet.models import Batch, ReportJob, ReportQuery
from adnet.state import State
from adnet.transport.deadline import current_deadline, deadline
from adnet.transport.events import current_meter

Step = Literal["submit", "poll", "read", "give up"]
SHORTEST_POLL_S: Final = 0.2
_SECOND_POLL_S: Final = 0.3


@attrs.frozen(kw_only=True)
class JobSettings:
    """How patient to be; a value."""

    growth: float = 0.2
    """Next delay as a share of the time waited so far."""
    longest_poll_s: float = 120.0
    timeout_s: float = 900.0
    """From asking for a report to its being ready."""
    attempts: int = 3
    """How often a report that FAILED is asked for in all."""
    failed_wait_s: float = 1.0
    """Before a report that FAILED is asked for again; twice as long each further time."""
    losses: int = 5
    """How often a report that vanished is asked for anew."""
    fresh_for_s: float = 3600.0
    """A report submitted longer ago than this is not taken up again."""


def next_step(job: ReportJob, settings: JobSettings) -> Step:
    """Return what to do with *job* next. Pure."""
    if job.state == "intended":
        return "submit"
    if job.state in {"submitted", "running"}:
        return "poll"
    if job.state == "failed" and job.attempts < settings.attempts:
        return "submit"
    return "read" if job.state in {"ready", "done"} else "give up"


def poll_delay(
    elapsed_s: float, expected_s: float | None, settings: JobSettings, *, jitter: float = 0.0
) -> float:
    """Return the seconds until the next question. Pure.

    Args:
        elapsed_s: Since the report was asked for.
        expected_s: How long such reports took before; None where unknown.
        settings: Growth and cap.
        jitter: Between 0 and 1; shortens the delay by up to a twentieth.
    """
    if expected_s is not None and elapsed_s < expected_s:
        # Before the expected end, nothing is gained by asking; just after it, almost everything is ready.
        delay = (expected_s - elapsed_s) * 1.02
    elif elapsed_s < SHORTEST_POLL_S:
        delay = SHORTEST_POLL_S
    else:
        delay = max(_SECOND_POLL_S, settings.growth * elapsed_s) * (1.0 - 0.05 * jitter)
    return min(max(SHORTEST_POLL_S, delay), settings.longest_poll_s)


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
        self._polled: dict[str, float] = {}
        self._lengths: dict[str, float | None] = {}
        # One POST of an account at a time, so that a death leaves at most one of unknown outcome.
        self._posting = asyncio.Lock()

    # ------------------------------------------------------------------ asking

    async def submit(self, query: ReportQuery) -> ReportJob:
        """Ask for a report, or share the one that is under way for the same query.

        Raises:
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
        async with self._lock(query.key):
            while True:
                async with self._posting:
                    job = self._state.jobs.claim(fresh, fresh_for_s=self.settings.fresh_for_s)
                    if job.state != "intended":
                        return job
                    if job.owner == self._state.owner:
                        return await self._post(job)
                await self._clock.sleep(SHORTEST_POLL_S)  # another process is just asking for it

    @contextmanager
    def _given_up_if_left(self, job: ReportJob) -> Iterator[None]:
        """Leave no intent behind in this process's name when whoever had it is cancelled or goes.

        Whoever asks next, in whatever process, need not wait for this one then.
        """
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
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
        return self._save(submitted, submitted_at=self._clock.now())

    async def _post_again(self, job: ReportJob) -> ReportJob:
        """Ask anew for a report that failed, after a while, or that vanished."""
        if job.state == "failed":
            await self._clock.sleep(self.settings.failed_wait_s * 2 ** (job.attempts - 1))
        again = {"state": "intended", "attempts": job.attempts + 1, "owner": self._state.owner, "error": None}
        with self._given_up_if_left(job):
            async with self._posting:
                return await self._post(self._save(job, **again))

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
                    return await self._poll(job, started)
                case "read":
                    return job
        raise JobFailedError(
            f"the network made no {job.query.kind} report, asked {job.attempts} times",
            **job.context,
        )

    async def poll(self, job: ReportJob) -> ReportJob:
        """Ask once how far *job* is, not sooner than 0.2 s after the last question; store a change of state."""
        async with self._lock(job.job_id):
            job = self._latest.get(job.job_id, job)
            return (
                await self._poll(job, self._clock.monotonic())
                if next_step(job, self.settings) == "poll"
                else job
            )

    async def _poll(self, job: ReportJob, started: float) -> ReportJob:
        now = self._clock.monotonic()
        elapsed = self._waited(job, started)
        left = min(self.settings.timeout_s - elapsed, (current_deadline() or math.inf) - now)
        margin = max(SHORTEST_POLL_S, (elapsed + left) / 100)
        if left <= margin:
            raise JobTimeoutError(
                f"the {job.query.kind} report was not ready after {elapsed:.0f} s; run again to go on",
                **job.context,
            )
        delay = poll_delay(elapsed, self._expected(job.query.kind), self.settings, jitter=random.random())
        # The last question comes while there is still time for its answer, and none after it.
        await self._pause(job, min(delay, max(SHORTEST_POLL_S, left - margin / 2)))
        try:
            polled = await self._queue.poll_report(job)
        except JobExpiredError:
            return self._lost(job)
        finally:
            self._polled[job.job_id] = self._clock.monotonic()
        if polled.state == "ready":
            with self._state.database.transaction():
                self._learn(polled.query.kind, self._waited(polled, started))
                return self._save(polled, ready_at=self._clock.now())
        # That it is still running is worth no write: whoever goes on with it asks, as after it was submitted.
        return self._remember(polled) if polled.state == "running" else self._save(polled)

    async def _pause(self, job: ReportJob, delay: float) -> None:
        last = self._polled.get(job.job_id)
        if last is not None:
            delay = max(delay, last + SHORTEST_POLL_S - self._clock.monotonic())
        await self._clock.sleep(delay)
        if (meter := current_meter()) is not None:
            meter.poll_s += delay

    def _waited(self, job: ReportJob, started: float) -> float:
        """Seconds of this waiting since the report was asked for: when nobody was there to ask does not count."""
        here_s = self._clock.monotonic() - started
        if job.submitted_at is None:
            return here_s
        return max(0.0, min((self._clock.now() - job.submitted_at).total_seconds(), here_s))

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
        self._polled.pop(job.job_id, None)
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

    def _expected(self, kind: str) -> float | None:
        """Return how long reports of this kind took before, in seconds."""
        if kind not in self._lengths:
            known = self._state.facts.get(self._connector.account_key, f"report_s.{kind}")
            self._lengths[kind] = float(known) if known else None
        return self._lengths[kind]

    def _learn(self, kind: str, seconds: float) -> None:
        """Remember how long this kind of report takes: a moving average that favours the present."""
        known = self._expected(kind)
        mean = seconds if known is None else 0.5 * known + 0.5 * seconds
        self._lengths[kind] = mean
        self._state.facts.put(self._connector.account_key, f"report_s.{kind}", f"{mean:.3f}")


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
