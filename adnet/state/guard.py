"""One thread at a time at a connection, none of a forked process, and SQLite's errors in words of ours."""

import os
import sqlite3
import threading
import weakref
from typing import Final, NoReturn

from adnet import open_files
from adnet.errors import StateError

_REMEDIES: Final = {
    sqlite3.SQLITE_BUSY: "is locked by another process: wait for it, or end it, and run again",
    sqlite3.SQLITE_LOCKED: "is locked by another process: wait for it, or end it, and run again",
    sqlite3.SQLITE_PROTOCOL: "is locked by another process: wait for it, or end it, and run again",
    sqlite3.SQLITE_CORRUPT: "is not a state file or damaged: move it away and run again; nothing was deleted",
    sqlite3.SQLITE_NOTADB: "is not a state file or damaged: move it away and run again; nothing was deleted",
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full: free some space and run again",
    sqlite3.SQLITE_READONLY: "cannot be written: check its owner and that of its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that its folder exists and belongs to you",
    sqlite3.SQLITE_IOERR: "cannot be read or written: check its disk",
}
_COPIED_LOCK_S: Final = 0.5
"""After so long a lock is one that a fork has copied, whose holder is in no thread of this process."""

_GUARDS: Final[list["weakref.ref[Guard]"]] = []


class Guard:
    """Lets one thread at a time at the connection, and turns SQLite's errors into ours.

    A class, since it is entered for every statement, and a block of a generator takes three times as long.
    """

    __slots__ = ("__weakref__", "_connection", "_lock", "_name", "_pid", "closed")

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self.closed = False
        _GUARDS.append(weakref.ref(self, _GUARDS.remove))

    def __enter__(self) -> sqlite3.Connection:
        # Asked before the lock: a fork may have copied the lock while another thread held it.
        if self.is_forked():
            raise StateError(
                f"{self._name} was opened before a fork: open the state again in the new process"
            )
        if self.closed:
            raise StateError(f"{self._name} was closed: open the state, or the account that had it, again")
        self._lock.acquire()
        return self._connection

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._lock.release()
        if isinstance(error, sqlite3.Error):
            fail(self._name, error)

    def is_forked(self) -> bool:
        """Whether this is another process than the one that opened the file."""
        return self._pid != os.getpid()

    def disown(self) -> None:
        """Close the copy of a connection that a fork has left in this process; its parent's stays as it is.

        Raises:
            StateError: It was in use just then, and what it had begun is the parent's to end.
        """
        if not self.is_forked() or self.closed:
            return
        free = self._lock.acquire(timeout=_COPIED_LOCK_S)
        if not free or self._connection.in_transaction:
            raise StateError(
                f"{self._name} was in use during the fork that made this process: spawn it instead"
            )
        self.closed = True
        self._connection.close()
        self._lock.release()


def disown_forked() -> None:
    """Close what a fork has left of its parent's connections in this process, before it opens one of its own.

    SQLite would take them all for connections of this process, and let the locks of the first serve the others. They
    were not copied, though: when the parent closed the file, it would remove the log that this process writes to.

    Raises:
        StateError: One of them was in use during the fork.
    """
    for known in tuple(_GUARDS):
        if (guard := known()) is not None:
            guard.disown()


def fail(name: str, error: sqlite3.Error) -> NoReturn:
    """Raise what SQLite says of the file *name* as a StateError with its remedy."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    remedy = _REMEDIES.get(code, f"cannot be used: {error}: move it away and run again")
    if code == sqlite3.SQLITE_CANTOPEN and open_files.none_left():
        remedy = f"cannot be opened: Too many open files: {open_files.REMEDY}"
    raise StateError(f"{name} {remedy}") from error
