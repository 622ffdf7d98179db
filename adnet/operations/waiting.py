"""When to ask again for a report that is not ready.

The delay is a share of the time already waited, so that the lag behind the network is a share of the report's length
whatever that is (:func:`poll_delay`). Where earlier reports of the account taught how long its kind takes, the first
question comes just then. A report of another account that becomes ready brings the questions for its like forward.
No report is asked for twice within 0.2 s.
"""

import asyncio
import math
import random
from contextlib import suppress
from functools import partial
from typing import Final

import attrs

from adnet.clock import Clock
from adnet.errors import JobTimeoutError
from adnet.models import ReportJob
from adnet.state import Lengths
from adnet.transport.deadline import current_deadline
from adnet.transport.events import current_meter

SHORTEST_POLL_S: Final = 0.2
_SECOND_POLL_S: Final = 0.3
_JUST_AFTER: Final = 1.02
_WORTH_WAKING_S: Final = 1.0
"""Shorter waits go on to their end: waking would spare less than it costs."""


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


def poll_delay(
    elapsed_s: float,
    expected_s: float | None,
    settings: JobSettings,
    *,
    told_s: float | None = None,
    jitter: float = 0.0,
) -> float:
    """Return the seconds until the next question. Pure.

    Args:
        elapsed_s: Since the report was asked for.
        expected_s: How long such reports took before; None where unknown.
        settings: Growth and cap.
        told_s: How long another account's report has just taken; a question comes just then too.
        jitter: Between 0 and 1; shortens the delay by up to a twentieth.
    """
    if expected_s is not None and elapsed_s < expected_s:
        # Before the expected end, nothing is gained by asking; just after it, almost everything is ready.
        delay = expected_s * _JUST_AFTER - elapsed_s
    elif elapsed_s < SHORTEST_POLL_S:
        delay = SHORTEST_POLL_S
    else:
        delay = max(_SECOND_POLL_S, settings.growth * elapsed_s) * (1.0 - 0.05 * jitter)
    if told_s is not None and elapsed_s < told_s:
        delay = min(delay, told_s * _JUST_AFTER - elapsed_s)
    return min(max(SHORTEST_POLL_S, delay), settings.longest_poll_s)


class Pauses:
    """One account's pauses between its questions about reports."""

    def __init__(self, clock: Clock, lengths: Lengths, settings: JobSettings) -> None:
        self._clock = clock
        self._lengths = lengths
        self._settings = settings
        self._posted: dict[str, float] = {}
        self._asked: dict[str, float] = {}

    def posted(self, job: ReportJob) -> None:
        """Take note that the report of *job* has just been asked for."""
        self._posted[job.job_id] = self._clock.monotonic()

    async def for_another(self, job: ReportJob, begun: float) -> None:
        """Wait a little for another process that is just asking for *job*, which is waited for since *begun*.

        Raises:
            JobTimeoutError: It was waited for long enough: that process hangs, or was stopped on its way.
        """
        now = self._clock.monotonic()
        if now >= min(begun + self._settings.timeout_s, current_deadline() or math.inf):
            raise JobTimeoutError(
                f"another process ({job.owner}) is asking for the {job.query.kind} report, and did not come to an end"
                f" in {now - begun:.0f} s; run again later, or end it if it hangs",
                **job.context,
            )
        await self._sleep(SHORTEST_POLL_S)

    async def until_allowed(self, job: ReportJob) -> None:
        """Wait until the last question about *job* is 0.2 s ago."""
        await self._sleep(self._earliest(job) - self._clock.monotonic())

    async def until_due(self, job: ReportJob, started: float) -> None:
        """Wait until the next question about *job*, which is waited for since *started*.

        Raises:
            JobTimeoutError: It was waited for long enough; it stays in the journal and can be resumed.
        """
        begun, elapsed = self._clock.monotonic(), self._waited(job, started)
        left = min(self._settings.timeout_s - elapsed, (current_deadline() or math.inf) - begun)
        margin = max(SHORTEST_POLL_S, (elapsed + left) / 100)
        if left <= margin:
            raise JobTimeoutError(
                f"the {job.query.kind} report was not ready after {elapsed:.0f} s; run again to go on",
                **job.context,
            )
        # The last question comes while there is still time for its answer, and none after it.
        longest = max(SHORTEST_POLL_S, left - margin / 2)
        delay = max(min(self._delay(job, elapsed), longest), self._earliest(job) - begun)
        if not await self._slept(job, elapsed, delay):
            sooner = begun + min(self._delay(job, elapsed), delay)
            await self._sleep(max(sooner, self._earliest(job)) - self._clock.monotonic())

    def asked(self, job: ReportJob) -> None:
        """Take note of a question about *job*."""
        self._asked[job.job_id] = self._clock.monotonic()

    def ready(self, job: ReportJob, started: float) -> None:
        """Take note that *job* became ready while it was waited for since *started*."""
        waited, posted = self._waited(job, started), self._posted.get(job.job_id, -math.inf)
        if self._clock.monotonic() - posted <= waited + SHORTEST_POLL_S:
            self._lengths.learn(job.network, job.account_key, job.query.kind, waited)

    def forget(self, job: ReportJob) -> None:
        """Nobody will ask about *job* again."""
        self._posted.pop(job.job_id, None)
        self._asked.pop(job.job_id, None)

    def _earliest(self, job: ReportJob) -> float:
        return self._asked.get(job.job_id, -math.inf) + SHORTEST_POLL_S

    def _waited(self, job: ReportJob, started: float) -> float:
        """Seconds of this waiting since the report was asked for: when nobody was there to ask does not count.

        Not by the hands of the clock, which somebody may set meanwhile.
        """
        return self._clock.monotonic() - max(started, self._posted.get(job.job_id, started))

    def _delay(self, job: ReportJob, elapsed: float) -> float:
        kind = job.query.kind
        return poll_delay(
            elapsed,
            self._lengths.usual(job.account_key, kind),
            self._settings,
            told_s=self._lengths.latest(job.network, kind),
            jitter=random.random(),
        )

    async def _slept(self, job: ReportJob, elapsed: float, delay: float) -> bool:
        """Sleep, and say whether it was to the end: a report of the kind that took less ends it."""
        if delay < _WORTH_WAKING_S:
            await self._sleep(delay)
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as alarm:
                with self._lengths.listening(
                    job.network,
                    job.query.kind,
                    asked_s=elapsed,
                    due_s=elapsed + delay,
                    wake=partial(alarm.reschedule, 0.0),
                ):
                    await self._sleep(delay)
        return not alarm.expired()

    async def _sleep(self, seconds: float) -> None:
        begun = self._clock.monotonic()
        try:
            await self._clock.sleep(seconds)
        finally:
            if (meter := current_meter()) is not None:
                meter.poll_s += self._clock.monotonic() - begun
