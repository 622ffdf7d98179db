"""Files that only their owner reads, that appear whole or not at all, and a folder's lock."""

import contextlib
import os
import shutil
import sys
from pathlib import Path
from typing import IO

from adnet.errors import SinkError
from adnet.locks import lock


def make_folder(folder: Path, *, private: bool = False) -> None:
    """Create *folder* and those above it.

    Raises:
        SinkError: It cannot be created, or there is something else of that name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o777)
    except (FileExistsError, NotADirectoryError) as error:
        raise SinkError(f"cannot create the folder {folder}: a file is in its place: name another") from error
    except OSError as error:
        raise SinkError(f"cannot create the folder {folder}: {error.strerror or error}") from error


def remove(path: Path) -> None:
    """Remove a file or a folder with all in it; one that is not there is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Make what was written to *path*, a file or a folder, outlive a power cut."""
    if sys.platform == "win32" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if sys.platform != "win32" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class FolderLock:
    """A place taken by one sink alone; a killed process gives it back by dying.

    Args:
        path: The file that is locked.
        of: What is taken with it, for the message.
    """

    def __init__(self, path: Path, *, of: Path) -> None:
        self.path = path
        self._of = of
        self._file: IO[bytes] | None = None

    @property
    def taken(self) -> bool:
        """Whether this object has the place."""
        return self._file is not None

    def take(self) -> None:
        """Take the place; once taken it stays so.

        Raises:
            SinkError: Somebody else has it, or the file cannot be written.
        """
        if self._file is not None:
            return
        try:
            file = os.fdopen(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600), "r+b")
        except OSError as error:
            raise SinkError(f"{self._of} cannot be written: {error.strerror}") from error
        try:
            lock(file.fileno())
            free = self._is(file)
        except BlockingIOError:
            free = False
        except OSError as error:
            file.close()
            raise SinkError(
                f"{self._of} cannot be locked: {error.strerror}: name a place on a local disk"
            ) from error
        if not free:
            file.close()
            raise SinkError(f"{self._of} is in use by another sink: wait until it ends, then run this again")
        self._file = file

    def _is(self, file: IO[bytes]) -> bool:
        """Say whether *file* is still the one of that name: who had it may have removed it in the meantime."""
        try:
            return os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        except FileNotFoundError:
            return False

    def give_back(self) -> None:
        """Give the place back; may be called twice."""
        if self._file is not None:
            self._file.close()
            self._file = None
