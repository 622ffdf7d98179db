"""The compliance ledger: one line for every request, from which `adnet certify` proves the network's rules.

Lines are buffered, since a transaction for each would be the slowest part of a request. A kill loses at most
the last second or the last 50 lines; token events are written at once.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

import attrs
import msgspec

from adnet.clock import Clock
from adnet.errors import StateError
from adnet.periods import utc
from adnet.state.database import Database, to_us

FLUSH_LINES: Final = 50
FLUSH_S: Final = 1.0
CEILING: Final = 5000
"""Lines held while the file is locked, before that becomes an error."""

PRUNE_AFTER_S: Final = 100 * 86400.0
"""Certification looks three months back."""

_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS ledger (
        seq INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, account TEXT NOT NULL, body BLOB NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS ledger_at ON ledger (at_us)",
)
_CHUNK: Final = 500


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """One request as the rules look at it; never a secret, a name or a value that was sent."""

    at: datetime = attrs.field(converter=utc)
    account: str
    """Name in the configuration."""
    network: str
    operation: str
    """The route's operation, e.g. ``"campaigns.list"``."""
    method: str = ""
    status: int | None = None
    """HTTP status; None when no answer came."""
    objects: int = 0
    """How many objects the request was about."""
    period_days: int | None = None
    """Days of statistics it asked for."""
    event: str | None = None
    """``token.issue``, ``token.refresh``, ``token.revoke``, …; ``no access`` for a method that is closed to us."""
    fields: tuple[str, ...] = ()
    """Names of the fields it sent in an update."""
    headroom: str | None = None
    """What the tightest window had left."""
    request_key: str | None = None
    """Equal for requests for the same kind of objects and the same metrics; for the same objects and days, too,
    unless *ids* and *first_day* tell them."""
    first_day: date | None = None
    """Where the days of statistics begin, if there is more than one."""
    ids: tuple[str, ...] = ()
    """The objects of statistics over more than a day."""
    grant: str | None = None
    """How a token was issued."""
    compared: int = 0
    """Values of an update that were held against what had been read of its objects."""
    unchanged: tuple[str, ...] = ()
    """Names of the fields whose value was the same there."""


class Ledger:
    """The ledger of every process that shares the state."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._held: list[tuple[int, str, bytes]] = []
        self._flush_at = 0.0
        database.define(*_SCHEMA)

    def append(self, entry: LedgerEntry) -> None:
        """Note one request.

        A file that is locked does not fail the request: lines are held and written later.

        Raises:
            StateError: Too many lines are held.
        """
        now = self._clock.monotonic()
        if not self._held:
            self._flush_at = now + FLUSH_S
        self._held.append((to_us(entry.at), entry.account, msgspec.json.encode(entry)))
        if len(self._held) % FLUSH_LINES and now < self._flush_at and entry.event is None:
            return
        try:
            self.flush()
        except StateError:
            # From now on: to wait for a lock takes longer than that, and nothing else goes on meanwhile.
            self._flush_at = self._clock.monotonic() + FLUSH_S
            if len(self._held) >= CEILING:
                raise

    def flush(self) -> None:
        """Write all held lines in one transaction.

        Raises:
            StateError: The file is locked or damaged; the lines are still held.
        """
        lines, self._held = self._held, []
        if not lines:
            return
        try:
            with self._database.transaction() as connection:
                connection.executemany("INSERT INTO ledger (at_us, account, body) VALUES (?, ?, ?)", lines)
        except BaseException:
            self._held = lines + self._held
            raise

    def entries(self, account: str | None = None, since: datetime | None = None) -> Iterator[LedgerEntry]:
        """Yield the lines in the order written, of one account or of all, from *since* on.

        Memory does not grow with their number, and no lock is held between them.

        Raises:
            StateError: The file is locked or damaged.
        """
        self.flush()
        seq, since_us = 0, 0 if since is None else to_us(since)
        while rows := self._database.rows(
            "SELECT seq, body FROM ledger WHERE seq > ? AND at_us >= ? AND account = coalesce(?, account) "
            "ORDER BY seq LIMIT ?",
            seq,
            since_us,
            account,
            _CHUNK,
        ):
            for row in rows:
                yield _load(row["body"])
            seq = rows[-1]["seq"]

    def prune(self, older_than_s: float = PRUNE_AFTER_S) -> int:
        """Delete the lines older than *older_than_s* seconds; return how many."""
        limit = to_us(self._clock.now() - timedelta(seconds=older_than_s))
        with self._database.transaction() as connection:
            return connection.execute("DELETE FROM ledger WHERE at_us < ?", (limit,)).rowcount


def _load(body: bytes) -> LedgerEntry:
    try:
        return msgspec.json.decode(body, type=LedgerEntry)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateError(f"a line of the ledger cannot be read: {error}: move the state file away") from None
