"""One SQLite file that several processes share and that a kill at any moment leaves whole.

The file is in WAL mode: readers never wait for the writer, a transaction is in the file whole or not at all,
and a process that dies in the middle of one leaves nothing to repair by hand. The rooms that keep something
(tokens, jobs, quotas, …) bring their own tables through :meth:`Database.define`; what is here knows no table
but ``meta``.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

from adnet.errors import StateError
from adnet.periods import utc
from adnet.state.files import make_private, refuse_readable
from adnet.state.guard import Guard, disown_forked, fail

APPLICATION_ID: Final = 0x61646E74
"""Marks the file as ours in its header ("adnt"), so that no other database is ever taken for a state."""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    ("CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",),
)
"""Statements that lead from format n to n + 1. New tables need none, see :meth:`Database.define`."""

FORMAT: Final = len(MIGRATIONS)
"""Format this adnet writes; kept in ``PRAGMA user_version``."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_us(moment: datetime) -> int:
    """Return *moment* as whole microseconds since 1970 (UTC), which is how instants are stored.

    Raises:
        ValueError: If it has no time zone.
    """
    return (utc(moment) - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Return the aware UTC instant that :func:`to_us` turned into *microseconds*."""
    return _EPOCH + microseconds * _MICROSECOND


class Database:
    """One connection to the state file; safe to use from several threads, not across a fork.

    Never await inside :meth:`transaction`: other processes wait for its end, and other tasks would join it.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self.path = path
        self._connection = connection
        self._guard = Guard(connection, self.name)
        self._defined: set[str] = set()

    @classmethod
    def open(cls, path: Path | None, *, busy_timeout_s: float = 5.0) -> Self:
        """Open the state file at *path*, making it and its folder (owner-only) where missing.

        Args:
            path: None for a private database in memory.
            busy_timeout_s: How long a call waits for the lock of another process, in seconds.

        Raises:
            StateError: The file is readable by others, damaged, locked, of a newer format, no state file,
                or cannot be made. Nothing is changed or deleted then.
        """
        disown_forked()
        if path is not None:
            make_private(path)
            refuse_readable(path)
        name = ":memory:" if path is None else str(path)
        try:
            connection = sqlite3.connect(
                name, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            fail(name, error)
        connection.row_factory = sqlite3.Row
        database = cls(connection, path)
        try:
            database._prepare()
        except BaseException:
            connection.close()
            raise
        return database

    @property
    def name(self) -> str:
        """The path, or ``:memory:``."""
        return ":memory:" if self.path is None else str(self.path)

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """Hold the write lock, commit at the end of the block, and roll back when it raises.

        A transaction inside another one on the same thread is part of the outer one.

        Args:
            durable: Also survive a loss of power, at the price of waiting for the disk. A killed process
                never loses what was committed, durable or not.

        Raises:
            StateError: Another process holds the lock, or the file cannot be written or is damaged.
        """
        with self._guard as connection:
            if connection.in_transaction:
                yield connection
                return
            if durable:
                connection.execute("PRAGMA synchronous=FULL")
            try:
                # A signal that comes while the lock is waited for is heard once the transaction has begun.
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                _roll_back(connection)
                raise
            finally:
                if durable:
                    connection.execute("PRAGMA synchronous=NORMAL")

    def rows(self, sql: str, *params: Any) -> list[sqlite3.Row]:
        """Return all rows of a query; inside a transaction it sees what that has written.

        Raises:
            StateError: The file is locked or damaged.
        """
        with self._guard as connection:
            return connection.execute(sql, params).fetchall()

    def define(self, *statements: str) -> None:
        """Make a room's tables and indexes where missing; each statement says ``IF NOT EXISTS``.

        Raises:
            StateError: The file is locked or damaged.
        """
        with self._guard as connection:
            for statement in statements:
                if statement not in self._defined:
                    # Without a transaction around them, statements that find their table take no write lock.
                    connection.execute(statement)
                    self._defined.add(statement)

    def meta(self, name: str) -> bytes | None:
        """Return what :meth:`keep_once` stored under *name*, or None."""
        rows = self.rows("SELECT value FROM meta WHERE name = ?", name)
        return bytes(rows[0][0]) if rows else None

    def keep_once(self, name: str, value: bytes) -> bytes:
        """Store *value* for good unless something is there, and return what is there."""
        stored = self.meta(name)
        if stored is not None:
            return stored
        with self.transaction(durable=True) as connection:
            connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (name, value))
            return self.meta(name) or value

    def close(self) -> None:
        """Close the connection; closing twice is fine. In a forked child it is left to its parent."""
        if not self._guard.is_forked():
            self._guard.closed = True
            self._connection.close()

    def __repr__(self) -> str:
        return f"Database({self.name!r})"

    def _prepare(self) -> None:
        with self._guard as connection:
            # One transaction, so that mark, format and tables are read as of the same moment.
            connection.execute("BEGIN")
            try:
                version = self._version()
            finally:
                _roll_back(connection)
            self._use_wal()
            # secure_delete: a removed token must not stay behind in a free page.
            for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
                connection.execute(f"PRAGMA {pragma}")
        if version < FORMAT:
            self._migrate()

    def _version(self) -> int:
        mark = int(self.rows("PRAGMA application_id")[0][0])
        version = int(self.rows("PRAGMA user_version")[0][0])
        new = not self.rows("SELECT 1 FROM sqlite_master LIMIT 1")
        if mark != APPLICATION_ID and not (new and mark == 0 and version == 0):
            raise StateError(f"{self.name} is no state file of adnet: name another file as state url")
        if version > FORMAT:
            raise StateError(
                f"{self.name} has format {version}, this adnet reads up to {FORMAT}: upgrade adnet"
            )
        return version

    def _use_wal(self) -> None:
        if self.path is None:
            return
        mode = None
        for _ in range(100):
            try:
                mode = self.rows("PRAGMA journal_mode=WAL")[0][0]
                break
            except StateError:
                # SQLite does not wait for its lock here, so two processes that make the file at the same
                # moment meet. An empty transaction waits, up to the busy timeout, or tells what is wrong.
                with self.transaction():
                    continue
        if mode != "wal":
            raise StateError(f"{self.name} cannot be shared on this file system: keep it on a local disk")

    def _migrate(self) -> None:
        with self.transaction() as connection:
            # Another process may have been faster since the version was read.
            for statements in MIGRATIONS[self._version() :]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={FORMAT}")


def _roll_back(connection: sqlite3.Connection) -> None:
    # SQLite itself has rolled back after some errors, such as a full disk.
    if connection.in_transaction:
        connection.execute("ROLLBACK")
