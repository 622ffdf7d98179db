"""Stored answers to statistics of closed days, so that no long period is asked for twice a day.

Source: myTarget certification page (no statistics for more than one past day more often than once a day).
"""

import zlib
from datetime import date, datetime, timedelta
from typing import Final

from adnet.clock import Clock
from adnet.state.database import Database, to_us

PRUNE_AFTER_S: Final = 30 * 86400.0

_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS stats_answers (
        account_key TEXT, request_key TEXT, day TEXT, fetched_us INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (account_key, request_key, day))""",
    "CREATE INDEX IF NOT EXISTS stats_fetched ON stats_answers (fetched_us)",
)
# Answers are repetitive JSON: the fastest level already makes them about eight times smaller.
_LEVEL: Final = 1


class StatsGuard:
    """Answers by account, request (objects and metrics) and day.

    Only closed days belong here, which is for the caller to see to: the day's end depends on the account's
    time zone. Every call raises :class:`StateError` when the file is locked or damaged.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        database.define(*_SCHEMA)

    def answered(self, account_key: str, request_key: str, day: date) -> bytes | None:
        """Return the stored answer for *day*, or None."""
        rows = self._database.rows(
            "SELECT body FROM stats_answers WHERE account_key = ? AND request_key = ? AND day = ?",
            account_key,
            request_key,
            _day(day),
        )
        try:
            return zlib.decompress(rows[0][0]) if rows else None
        except zlib.error:
            return None  # a damaged answer is asked for again

    def keep(
        self, account_key: str, request_key: str, day: date, body: bytes, fetched_at: datetime | None = None
    ) -> None:
        """Store the answer for *day*, in place of an older one. *fetched_at* is now where it is not given."""
        fetched_us = to_us(fetched_at or self._clock.now())
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO stats_answers VALUES (?, ?, ?, ?, ?)",
                (account_key, request_key, _day(day), fetched_us, zlib.compress(body, _LEVEL)),
            )

    def prune(self, older_than_s: float = PRUNE_AFTER_S) -> int:
        """Delete the answers fetched longer than *older_than_s* seconds ago; return how many."""
        limit = to_us(self._clock.now() - timedelta(seconds=older_than_s))
        with self._database.transaction() as connection:
            return connection.execute("DELETE FROM stats_answers WHERE fetched_us < ?", (limit,)).rowcount


def _day(day: date) -> str:
    # A datetime is a date too, and would make another key of the same day.
    return day.strftime("%Y-%m-%d")
