"""Looking for secrets wherever something of adnet shows: texts, objects, errors, files, command lines."""

import base64
import contextlib
import gc
import json
import logging
import os
import pickle
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, quote_plus

import duckdb

from adnet.errors import AdnetError

HERE = Path(__file__).parent.parent
BESIDE = ("sandbox", "testing")
"""Rooms that know the secrets of imitations on purpose."""


class Scanner:
    """Knows the secrets of a test, in every form in which they could show.

    Args:
        secrets: Name -> value.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms: dict[bytes, str] = {}
        self.looked_at = 0
        """Bytes that were searched."""
        for name, value in secrets.items():
            self.learn(name, value)

    def learn(self, name: str, value: str) -> None:
        """Take in one more secret."""
        assert len(value) >= 8, f"{name} is too short to be searched for"
        for form in {
            value,
            quote(value),
            quote(value, safe=""),
            quote_plus(value),
            json.dumps(value)[1:-1],
            value.replace("/", "\\/"),
            base64.b64encode(value.encode()).decode().rstrip("="),
        }:
            self._forms[form.encode()] = name

    def leaks(self, found: str | bytes) -> list[str]:
        """Return the names of the secrets that show in a text."""
        data = found.encode("utf-8", "replace") if isinstance(found, str) else found
        self.looked_at += len(data)
        return sorted({name for form, name in self._forms.items() if form in data})

    def check(self, where: str, found: str | bytes) -> None:
        """Fail if a secret shows; the failure shows none."""
        if leaks := self.leaks(found):
            raise AssertionError(f"{where} shows {', '.join(leaks)}")

    def check_error(self, where: str, error: BaseException) -> None:
        """Look at everything that is told about an error: text, notes, attributes, pickle, frames with their locals."""
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        _without_tests(told)
        attributes = {
            name: getattr(error, name, None) for name in dir(type(error)) if not name.startswith("__")
        }
        self.check(f"{where}: str", f"{error} {error!r} {error.args!r}")
        self.check(f"{where}: attributes", f"{vars(error)!r} {attributes!r}")
        self.check(f"{where}: notes", repr(getattr(error, "__notes__", ())))
        self.check(f"{where}: traceback", "".join(told.format()))
        if isinstance(error, AdnetError):
            self.check(f"{where}: pickle", pickle.dumps(error))

    def check_objects(self, where: str) -> int:
        """Look at ``repr`` and ``str`` of every living object of adnet; return how many there were."""
        count = 0
        for thing in ours():
            count += 1
            self.check(f"{where}: repr of {type(thing).__qualname__}", f"{thing!r} {thing}")
        return count

    def check_files(self, folder: Path, without: Iterable[str] = ()) -> int:
        """Look at every file below *folder*, and into databases; return how many there were."""
        files = [
            path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in set(without)
        ]
        for path in files:
            self.check(f"the file {path.name}", path.read_bytes())
            if path.suffix == ".duckdb":
                self.check(f"the rows of {path.name}", _rows(str(path)))
            elif path.suffix == ".parquet":
                self.check(f"the rows of {path.name}", _parquet(path))
        return len(files)


def _without_tests(told: traceback.TracebackException | None) -> None:
    """Leave out the frames of tests, whose locals hold secrets on purpose."""
    if told is None:
        return
    told.stack[:] = [frame for frame in told.stack if not Path(frame.filename).is_relative_to(HERE)]
    for chained in (told.__cause__, told.__context__, *(told.exceptions or ())):
        _without_tests(chained)


def ours() -> list[Any]:
    """Return every living object of a class of adnet, imitations and fixtures left out."""
    found = []
    for thing in gc.get_objects():
        module = getattr(type(thing), "__module__", "")
        if isinstance(module, str) and module.startswith("adnet.") and module.split(".")[1] not in BESIDE:
            found.append(thing)
    return found


def _rows(path: str) -> str:
    with duckdb.connect(path, read_only=True) as connection:
        tables = [row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        return "".join(str(connection.execute(f'SELECT * FROM "{table}"').fetchall()) for table in tables)


def _parquet(path: Path) -> str:
    with duckdb.connect() as connection:
        return str(connection.execute(f"SELECT * FROM read_parquet('{path}')").fetchall())


class _Keeper(logging.Handler):
    """Keeps what is logged, with arguments and tracebacks."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self.lines.append(f"{record.name} {record.getMessage()} {record.args!r} {trace}")


@contextmanager
def logged() -> Iterator[list[str]]:
    """Collect everything that any logger says, at DEBUG; servers of tests left out."""
    keeper, root = _Keeper(), logging.getLogger()
    before = root.level
    root.addHandler(keeper)
    root.setLevel(logging.DEBUG)
    try:
        yield keeper.lines
    finally:
        root.removeHandler(keeper)
        root.setLevel(before)


class CommandLines:
    """Collects the command lines of this process and of all that descend from it, while it is entered."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            for number in _family():
                with contextlib.suppress(OSError):  # it has gone
                    self.seen.add(Path(f"/proc/{number}/cmdline").read_bytes())


def _family() -> set[int]:
    """Return the numbers of this process and of its descendants; others end while they are looked at."""
    parents = {}
    # Not by glob: where a process ends between two of its steps it raises ProcessLookupError, once in a long while.
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            with contextlib.suppress(OSError, IndexError):
                text = (place / "stat").read_text(errors="replace")
                parents[int(place.name)] = int(text.rpartition(")")[2].split()[1])
    family = {os.getpid()}
    while more := {number for number, parent in parents.items() if parent in family} - family:
        family |= more
    return family
