"""The journal of report jobs: what was asked for, how far it came, and who works on it.

A job is written down before its report is asked for and at every change of its state, so that a run that is
killed anywhere is taken up by the next one. Rows are the versioned JSON of :class:`ReportJob` beside the few
columns that are searched. An ``intended`` job whose owner died may or may not have reached the network: its
``attempts`` say how many times at most.
"""

import sqlite3
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from adnet.clock import Clock
from adnet.errors import StateError
from adnet.models import ReportJob
from adnet.redact import MASK, Scrubber, is_secret_key
from adnet.state.database import Database, to_us
from adnet.state.owners import Owners

FRESH_FOR_S: Final = 3600.0
"""How long a report that was asked for is expected to be kept by the network, in seconds."""

QUIET_FOR_S: Final = 120.0
"""After this many seconds without a word an owner of whom nothing can be known counts as dead."""

ABANDONED_AFTER_S: Final = 3600.0
"""No request takes that many seconds: the task was cancelled, although its process lives on."""

PRUNE_AFTER_S: Final = 30 * 86400.0

_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS jobs (
        job_id TEXT PRIMARY KEY, account_key TEXT NOT NULL, query_key TEXT NOT NULL, state TEXT NOT NULL,
        finished INTEGER NOT NULL, updated_us INTEGER NOT NULL, body TEXT NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS jobs_open ON jobs (account_key, query_key) WHERE finished = 0",
    "CREATE INDEX IF NOT EXISTS jobs_updated ON jobs (updated_us)",
)
_PUT: Final = (
    "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job_id) DO UPDATE SET state = excluded.state, "
    "finished = excluded.finished, updated_us = excluded.updated_us, body = excluded.body "
    "WHERE account_key = excluded.account_key AND (state != 'cancelled' OR excluded.state = 'done') AND CASE "
    "WHEN json_valid(jobs.body) THEN coalesce(json_extract(jobs.body, '$.version'), 0) "
    "<= json_extract(excluded.body, '$.version') ELSE 0 END"
)
"""Another account's job, one that was cancelled, a newer adnet's and one that cannot be read are left as they are."""
_SCRUBBER: Final = Scrubber()


class JobJournal:
    """The report jobs of every process that shares the state.

    Every call raises :class:`StateError` when the file is locked or damaged.

    Args:
        owners: Say who this process is, and whether others live.
    """

    def __init__(self, database: Database, clock: Clock, owners: Owners) -> None:
        self._database = database
        self._clock = clock
        self._owners = owners
        database.define(*_SCHEMA)

    def claim(self, job: ReportJob, *, fresh_for_s: float = FRESH_FOR_S) -> ReportJob:
        """Return the job to go on with for this account and query, so that two callers share one report.

        That is an unfinished job that is still usable: one whose report was asked for within *fresh_for_s*
        seconds, or an intended one whose owner lives. An intended one whose owner died is taken over, with
        its id and attempts. Otherwise *job* is stored as intended. Reports asked for longer ago are marked
        as failed with the error ``stale``. Atomic over all processes.

        Whoever gets an intended job with its own owner asks for the report, and that is counted as one more
        attempt already; with another's, it claims again until the other has asked. Tasks of one process have
        one owner, and take turns by their own means.

        Raises:
            StateError: A stored job for this query is of a newer format or damaged.
        """
        now, fresh_for = self._clock.now(), timedelta(seconds=fresh_for_s)
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT job_id, body FROM jobs WHERE account_key = ? AND query_key = ? AND finished = 0 "
                "ORDER BY updated_us DESC",
                (job.account_key, job.query.key),
            ).fetchall()
            for stored in map(_load, rows):
                if stored.state == "intended":
                    if stored.owner != self._owners.me and self._is_worked_on(stored, now):
                        return stored
                    return self._take(connection, stored, now)
                asked = stored.submitted_at or _heard_at(stored, now)
                period = stored.query.period
                ended = period is not None and period.ended_between(asked, now)
                if now - asked <= fresh_for and not ended:
                    return stored
                stale = stored.changed(state="failed", error="stale", updated_at=now)
                _put(connection, stale, now)
            return self._take(connection, job, now)

    def release(self, job: ReportJob) -> None:
        """Give up an intended job: the next claim takes it over at once, although this process lives."""
        with self._database.transaction() as connection:
            stored = self._get(connection, job.job_id)
            if stored and stored.state == "intended" and stored.owner == job.owner:
                _put(connection, stored.changed(owner=None), self._clock.now())

    def save(self, job: ReportJob, **changes: Any) -> ReportJob:
        """Store *job* with these *changes* and return it as stored, with its time.

        A job that somebody cancelled stays cancelled unless it is done: the cancelled one is returned, and
        its runner stops.

        Raises:
            StateError: A job with this id belongs to another account, is of a newer format or damaged.
        """
        now = self._clock.now()
        saved = job.changed(**{"updated_at": now, "created_at": job.created_at or now} | changes)
        with self._database.transaction() as connection:
            if _put(connection, saved, now):
                return saved
            stored = self._get(connection, job.job_id)
        if stored is None or stored.account_key != job.account_key:
            raise StateError(f"job {job.job_id} is another account's: go on with the account that made it")
        return stored

    def get(self, job_id: str) -> ReportJob | None:
        """Return one job, or None.

        Raises:
            StateError: It is of a newer format or damaged.
        """
        rows = self._database.rows("SELECT job_id, body FROM jobs WHERE job_id = ?", job_id)
        return _load(rows[0]) if rows else None

    def unfinished(self, account_key: str | None = None) -> list[ReportJob]:
        """Return the jobs that are not done, failed or cancelled, of one account or of all, oldest first.

        Raises:
            StateError: One of them is of a newer format or damaged.
        """
        rows = self._database.rows(
            "SELECT job_id, body FROM jobs WHERE finished = 0 AND account_key = coalesce(?, account_key) "
            "ORDER BY updated_us, rowid",
            account_key,
        )
        return [_load(row) for row in rows]

    def all(self, limit: int = 200) -> list[ReportJob]:
        """Return the *limit* jobs that changed last, newest first.

        Raises:
            StateError: One of them is of a newer format or damaged.
        """
        rows = self._database.rows(
            "SELECT job_id, body FROM jobs ORDER BY updated_us DESC, rowid DESC LIMIT ?", limit
        )
        return [_load(row) for row in rows]

    def cancel(self, job_id: str) -> bool:
        """Mark a job as cancelled and say whether it was unfinished; one that cannot be read is deleted."""
        now = self._clock.now()
        with self._database.transaction() as connection:
            try:
                job = self._get(connection, job_id)
            except StateError:
                connection.execute("DELETE FROM jobs WHERE job_id = ?", (job_id,))
                return True
            if job is None or job.finished:
                return False
            _put(connection, job.changed(state="cancelled", updated_at=now), now)
        return True

    def prune(self, older_than_s: float = PRUNE_AFTER_S) -> int:
        """Delete the jobs that did not change for *older_than_s* seconds; return how many."""
        limit = to_us(self._clock.now() - timedelta(seconds=older_than_s))
        with self._database.transaction() as connection:
            return connection.execute("DELETE FROM jobs WHERE updated_us < ?", (limit,)).rowcount

    def _take(self, connection: sqlite3.Connection, job: ReportJob, now: datetime) -> ReportJob:
        job = job.changed(
            state="intended",
            attempts=job.attempts + 1,
            owner=self._owners.me,
            created_at=job.created_at or now,
            updated_at=now,
        )
        _put(connection, job, now)
        return job

    def _is_worked_on(self, job: ReportJob, now: datetime) -> bool:
        alive = self._owners.is_alive(job.owner)
        silence_s = (now - _heard_at(job, now)).total_seconds()
        return alive is not False and silence_s < (ABANDONED_AFTER_S if alive else QUIET_FOR_S)

    @staticmethod
    def _get(connection: sqlite3.Connection, job_id: str) -> ReportJob | None:
        row = connection.execute("SELECT job_id, body FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
        return _load(row) if row else None


def _load(row: sqlite3.Row) -> ReportJob:
    try:
        return ReportJob.from_json(row["body"])
    except StateError as error:
        raise StateError(
            f"job {row['job_id']}: {error.message}, or give it up with `adnet jobs cancel {row['job_id']}`"
        ) from None


def _put(connection: sqlite3.Connection, job: ReportJob, now: datetime) -> bool:
    """Write *job* unless what is stored has to stay; say whether it was written."""
    error = _SCRUBBER.text(job.error) if job.error else job.error
    location = _without_secrets(job.location) if job.location else job.location
    if (error, location) == (job.error, job.location):
        body = job.to_json()
    else:
        body = job.changed(error=error, location=location).to_json()
    key = job.query.key
    values = (job.job_id, job.account_key, key, job.state, job.finished, to_us(now), body)
    return connection.execute(_PUT, values).rowcount == 1


def _heard_at(job: ReportJob, now: datetime) -> datetime:
    return job.updated_at or job.created_at or now


@lru_cache(maxsize=4096)
def _without_secrets(location: str) -> str:
    """Mask secret values in a query; a report behind such a location is asked for again after a kill."""
    path, mark, query = location.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    if not any(is_secret_key(name) for name, _ in pairs):
        return location
    return path + mark + urlencode([(name, MASK if is_secret_key(name) else value) for name, value in pairs])
