"""SQLite's errors in words that name the file and the remedy."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from adnet.errors import SinkError


@contextmanager
def explained(path: Path | None) -> Iterator[None]:
    """Turn errors of SQLite and of the disk into `SinkError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise SinkError(f"{path or 'the staging area'}: {_reason(str(error))}") from error
    except OSError as error:
        raise SinkError(f"{path or 'the staging area'}: {error.strerror or error}") from error


def _reason(text: str) -> str:
    if "locked" in text:
        return "is in use by another process: wait until it ends, then run this again; nothing is lost"
    if "not a database" in text or "malformed" in text:
        return "is damaged: move its folder away or name another one, and pull again; it was not changed"
    if "full" in text:
        return "the disk is full: make room, then run this again; what had landed before stays"
    return f"cannot be written, what had landed before stays: {text}"
