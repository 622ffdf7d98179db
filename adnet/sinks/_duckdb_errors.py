"""DuckDB's errors in words that name the file and the remedy."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from adnet.errors import SinkError


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of DuckDB into `SinkError`."""
    try:
        yield
    except duckdb.Error as error:
        raise SinkError(f"{path}: {_reason(str(error))}") from error
    except OSError as error:
        raise SinkError(f"{path}: {error.strerror or error}") from error


def _reason(text: str) -> str:
    if "lock on file" in text or "already attached" in text or "different configuration" in text:
        holder = re.search(r"\(PID (\d+)\)", text)
        who = f"process {holder[1]}" if holder else "this very process"
        return f"is in use by {who}: close it there, then run this again; nothing is lost"
    if "not a valid DuckDB" in text or "orrupt" in text:
        return (
            "is damaged or no DuckDB database: move it away or name another file, and pull again;"
            " it was not changed"
        )
    if "version number" in text:
        return "was written by a newer DuckDB: upgrade with `pip install --upgrade duckdb`"
    first = text.strip().splitlines()[0] if text.strip() else "unknown error"
    return f"cannot be written, what had landed before stays: {first}"
