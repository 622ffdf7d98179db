"""The only place that prints: results to standard output, everything else to standard error.

A result is data and the way it is shown to people. With ``--json`` the data goes out as one document; else its
blocks do, as tables with styles on a terminal and as plain aligned columns anywhere else. Texts come from networks
and files, so nothing in them is taken for markup or for orders to a terminal.
"""

import contextlib
import io
import json
import logging
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Final, TextIO

import attrs

_GAP: Final = "  "
_LOGGER: Final = logging.getLogger("adnet")


@attrs.frozen
class Table:
    """Rows below the names of their columns; numbers stand to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    title: str = ""
    empty: str = "(none)"
    """What stands in place of rows where there are none."""

    def cells(self) -> list[list[str]]:
        """Return the rows as texts that are safe to show."""
        return [[shown(value) for value in row] for row in self.rows]

    def is_number(self, column: int) -> bool:
        """Say whether a column holds numbers, as far as it holds anything."""
        values = [row[column] for row in self.rows if row[column] is not None]
        return bool(values) and all(isinstance(value, int | float | Decimal) for value in values)


def shown(value: Any) -> str:
    """Return *value* as one line of text without control characters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(shown, value))
    text = str(value.value if isinstance(value, Enum) else value)
    return "".join(char if char.isprintable() else " " for char in text)


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


def plain(table: Table) -> str:
    """Return *table* as aligned columns."""
    cells = table.cells()
    widths = [max(map(len, column)) for column in zip(table.columns, *cells, strict=True)]
    right = [table.is_number(number) for number in range(len(table.columns))]

    def line(texts: Sequence[str]) -> str:
        parts = zip(texts, widths, right, strict=True)
        return _GAP.join(text.rjust(w) if r else text.ljust(w) for text, w, r in parts).rstrip()

    body = [line(row) for row in cells] or [table.empty]
    return "\n".join([*([table.title] if table.title else []), line(table.columns), *body])


def styled(table: Table) -> str:
    """Return *table* as a terminal shows it, with colours unless NO_COLOR is set."""
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    made = RichTable(
        box=None, header_style="bold", pad_edge=False, title=table.title or None, title_justify="left"
    )
    for number, name in enumerate(table.columns):
        made.add_column(name, justify="right" if table.is_number(number) else "left", overflow="fold")
    for row in table.cells():
        made.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=shutil.get_terminal_size().columns)
    console.print(made)
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    return "\n".join([*lines, *([] if table.rows else [table.empty])])


_STYLES: Final = {
    "ok": "green",
    "pass": "green",
    "landed": "green",
    "done": "green",
    "warn": "yellow",
    "partial": "yellow",
    "fail": "red",
    "failed": "red",
    "refused": "red",
}
"""Words that say how it went."""


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
            raise
