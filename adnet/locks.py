"""Locks on files, which end with the process that holds them, however it dies.

They hold between containers too, as long as these see the same file of one machine.
"""

import os
import sys
from pathlib import Path

__all__ = ["is_locked", "lock"]


def is_locked(path: Path) -> bool:
    """Say whether anybody holds the lock on a file; one that is not there is held by nobody.

    Raises:
        OSError: It cannot be opened.
    """
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        _try(handle, shared=True)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def lock(handle: int) -> None:
    """Lock an open file until it is closed.

    Args:
        handle: Its descriptor, open for reading and writing.

    Raises:
        BlockingIOError: Another descriptor has the lock.
        OSError: There are no locks where the file is.
    """
    _try(handle, shared=False)


if sys.platform == "win32":
    import msvcrt

    def _try(handle: int, *, shared: bool) -> None:  # noqa: ARG001 - there is no shared one here
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(*error.args) from error

else:
    import fcntl

    def _try(handle: int, *, shared: bool) -> None:
        # Two that only look do not take each other for the holder.
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
