"""The state's files are their owner's alone, from their first byte on."""

import os
import stat
from pathlib import Path
from typing import Final

from adnet import open_files
from adnet.errors import StateError

_SIDE_FILES: Final = ("-wal", "-shm", "-journal")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def make_private(path: Path) -> None:
    """Create an empty file 0600, whatever the umask; an empty file is a new database to SQLite.

    An existing file is never opened here: closing it again would drop the locks that another connection of
    this process has on it. A folder made for it is 0700.

    Raises:
        StateError: There is no place for it.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        remedy = open_files.REMEDY if open_files.ran_out(error) else "name another file as state url"
        raise StateError(f"{path} cannot be made: {reason}: {remedy}") from error
    try:
        if os.name == "posix":
            os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def refuse_readable(path: Path) -> None:
    """Look at the state file and those that SQLite puts beside it.

    Raises:
        StateError: One of them can be read or written by others, or is no regular file.
    """
    real = os.path.realpath(path)  # SQLite follows links and puts its files beside the real one
    for name in (path, *(Path(real + suffix) for suffix in _SIDE_FILES)):
        try:
            mode = name.stat().st_mode
        except FileNotFoundError:
            if name == path:
                raise StateError(f"{path} leads nowhere: remove the link or make its target") from None
            continue
        except OSError as error:
            raise StateError(f"{name} cannot be looked at: {error.strerror}: check its folder") from error
        if not stat.S_ISREG(mode):
            raise StateError(f"{name} is not a file: name another one as state url")
        if os.name == "posix" and mode & _OTHERS:
            raise StateError(f"{name} can be read by others: chmod 600 {name}")


def refuse_open_folder(folder: Path) -> None:
    """Look at a folder that is the state's own; a folder that the user chose may well be open to others.

    Raises:
        StateError: Others can read it.
    """
    if os.name == "posix" and folder.is_dir() and folder.stat().st_mode & _OTHERS:
        raise StateError(f"the state folder {folder} can be read by others: chmod 700 {folder}")
