"""The only place that prints: results to standard output, everything else to standard error.

A result is data and the way it is shown to people. With ``--json`` the data goes out as one document; else its
blocks do, as tables with styles on a terminal and as plain aligned columns anywhere else. Texts come from networks
and files, so nothing in them is taken for markup or for orders to a terminal.
"""

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Final, TextIO

from adnet.cli._tables import Table, plain, shown, styled

__all__ = ["Output", "Table", "plain", "shown", "styled"]

_LOGGER: Final = logging.getLogger("adnet")


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a result holds {type(value).__name__}, which has no form in JSON")


class Output:
    """Standard output and standard error of one call."""

    def __init__(self) -> None:
        self.json = False
        self._handler: _Handler | None = None

    @staticmethod
    def styled() -> bool:
        """Whether standard output is a terminal that can show more than text."""
        return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"

    @staticmethod
    def lively() -> bool:
        """Whether standard error is a terminal on which a progress bar can move."""
        return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def result(self, data: Any, *blocks: Table | str, to_stderr: bool = False) -> None:
        """Write a result: *data* with ``--json``, else *blocks*, an empty line between them.

        Args:
            data: Mappings, lists, texts, numbers, dates and decimals.
            blocks: The same for people.
            to_stderr: Whether standard output is taken by something else.
        """
        stream = sys.stderr if to_stderr else sys.stdout
        if self.json:
            _write(stream, json.dumps(data, indent=2, default=_jsonable) + "\n")
            return
        pretty = not to_stderr and self.styled()
        texts = (
            block if isinstance(block, str) else styled(block) if pretty else plain(block) for block in blocks
        )
        _write(stream, "\n\n".join(texts) + "\n")

    def line(self, text: str) -> None:
        """Write one line to standard output, at once."""
        _write(sys.stdout, text + "\n")
        self.flush()

    def note(self, text: str) -> None:
        """Write lines to standard error."""
        with contextlib.suppress(OSError):  # there is no other place to tell it
            _write(sys.stderr, text + "\n")

    def problem(self, text: str) -> None:
        """Write one line to standard error that says what is wrong."""
        self.note(f"adnet: {shown(text)}")

    def problems(self, texts: Iterable[str]) -> None:
        """Write a line for each problem, the same one once."""
        for text in dict.fromkeys(texts):
            self.problem(text)

    def log(self) -> None:
        """Write what adnet logs to standard error until the end; it is free of secrets where it is made."""
        if self._handler is None:
            self._handler = _Handler(_LOGGER)

    @staticmethod
    def flush() -> None:
        """Bring everything out; a reader who has gone is no error.

        Raises:
            OSError: It cannot be written, e.g. because a disk is full.
        """
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                with _tolerant(stream):
                    stream.flush()

    def end(self) -> None:
        """Bring everything out, as far as it can be brought out, and stop logging."""
        with contextlib.suppress(OSError):  # whoever can be told has been told
            self.flush()
        if self._handler is not None:
            self._handler.end()
            self._handler = None


class _Handler(logging.Handler):
    """Writes to whatever standard error is at that moment; a progress bar puts itself in its place."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__()
        self._logger, self._level_before = logger, logger.level
        logger.addHandler(self)
        logger.setLevel(logging.DEBUG)

    def end(self) -> None:
        """Leave the logger as it was found."""
        self._logger.removeHandler(self)
        self._logger.setLevel(self._level_before)

    def emit(self, record: logging.LogRecord) -> None:
        stamp = logging.Formatter().formatTime(record, "%H:%M:%S")
        _write(sys.stderr, f"{stamp}.{record.msecs:03.0f} {record.getMessage()}\n")


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:  # closed by whoever started us
        return
    with _tolerant(stream):
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "replace").decode(encoding))


@contextlib.contextmanager
def _tolerant(stream: TextIO) -> Iterator[None]:
    """Let whoever reads *stream* stop reading: what follows goes nowhere, without a word.

    After any other failure to write, what follows goes nowhere too, and the error rises once.
    """
    try:
        yield
    except OSError as error:
        # What is still held back must not be tried again when the process ends.
        with (
            contextlib.suppress(OSError, ValueError),
            Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        ):
            os.dup2(nowhere.fileno(), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            error.filename = "standard output" if stream is sys.stdout else "standard error"
            raise
