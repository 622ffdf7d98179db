"""Who holds a lease or works on a job, and whether that process still lives.

An owner is the text ``host:pid:mark``. Until it leaves, its process holds the lock on a file of its own beside the
state, ``STATE-owner-MARK``. The system lets go of it when the process dies, so that a death is seen at once: from
another container as well, where pids and names of hosts say nothing, or say the same of two processes. A process
that was forked off lets go of it at once, since it may outlive its parent.
"""

import os
import re
import secrets
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from adnet import open_files
from adnet.errors import StateError
from adnet.locks import is_locked, lock

_MARK: Final = re.compile(r"[0-9a-f]{16}")
_HANDLES: Final[set[int]] = set()
"""Those that hold the locks of this process."""


class Owners:
    """The owners on one state, one of which is this object until it leaves.

    Args:
        state: The state's file; None for a state that no other process can see.

    Raises:
        StateError: There is no place for the owner's file, or it cannot be locked.
    """

    me: str
    """This object's own text."""

    def __init__(self, state: Path | None) -> None:
        # Who opens the state through a link has to find the same files.
        self._stem = None if state is None else f"{os.path.realpath(state)}-owner-"
        mark, self._handle = self._settle()
        self._pid = os.getpid()
        host = socket.gethostname().replace(":", "_")
        self.me = f"{host}:{self._pid}:{mark}"
        self._left = False

    def is_alive(self, owner: str | None) -> bool | None:
        """Say whether *owner* is at work still; None when that cannot be known, as of an older adnet's.

        Nobody (None) is not alive.
        """
        if owner is None:
            return False
        if owner == self.me:
            return not self._left
        if self._stem is None:
            return True  # whoever it is, it is a part of this process
        mark = owner.rpartition(":")[2]
        if not _MARK.fullmatch(mark):
            return None
        try:
            return is_locked(Path(self._stem + mark))
        except OSError:
            return None

    def leave(self) -> None:
        """Be at work no more, although the process goes on; leaving twice is fine."""
        if self._left or self._pid != os.getpid():  # after a fork the lock is still the parent's
            return
        self._left = True
        if self._stem is not None and self._handle is not None:
            _HANDLES.discard(self._handle)
            os.close(self._handle)
            _remove(Path(self._stem + self.me.rpartition(":")[2]))

    def sweep(self) -> None:
        """Remove the files that the dead have left."""
        if self._stem is None:
            return
        stem = Path(self._stem)
        with suppress(OSError):  # a folder may be used without being listed
            for path in stem.parent.iterdir():
                if path.name.startswith(stem.name) and _MARK.fullmatch(path.name[len(stem.name) :]):
                    _remove_unless_held(path)

    def _settle(self) -> tuple[str, int | None]:
        """Make this owner's file and lock it; return its mark, and the descriptor that holds the lock."""
        while True:
            mark = secrets.token_hex(8)
            if self._stem is None:
                return mark, None
            handle = _held(Path(self._stem + mark))
            if handle is not None:
                _HANDLES.add(handle)
                return mark, handle


def _held(path: Path) -> int | None:
    """Make a file and lock it; None when a sweep came between the two."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        remedy = open_files.REMEDY if open_files.ran_out(error) else "check the state's folder"
        raise StateError(f"{path} cannot be made: {error.strerror}: {remedy}") from error
    try:
        lock(handle)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError as error:
        os.close(handle)
        _remove(path)
        raise StateError(
            f"{path} cannot be locked: {error.strerror}: keep the state on a local disk"
        ) from error
    if os.fstat(handle).st_nlink:
        return handle
    os.close(handle)
    return None


def _let_go_of_copies() -> None:
    while _HANDLES:
        os.close(_HANDLES.pop())


if hasattr(os, "register_at_fork"):  # unlike on Windows
    os.register_at_fork(after_in_child=_let_go_of_copies)


def _remove_unless_held(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return
    try:
        lock(handle)
        _remove(path)  # before the lock is gone, so that nobody settles with a file that goes
    except OSError:
        return
    finally:
        os.close(handle)
    if sys.platform == "win32":
        _remove(path)  # where no open file can be removed


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
