"""Tables, as plain aligned columns or as a terminal shows them.

Texts come from networks and files, so nothing in them is taken for markup or for orders to a terminal.
"""

import io
import shutil
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import attrs

_GAP: Final = "  "
_LONG: Final = 24
"""Texts wider than this may be folded."""


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

    def widths(self) -> list[int]:
        """Return how many places each column takes on a terminal."""
        return [max(map(_width, column)) for column in zip(self.columns, *self.cells(), strict=True)]

    def filled(self) -> "Table":
        """Return the table without those columns in which nothing stands."""
        cells = self.cells()
        kept = [number for number in range(len(self.columns)) if any(row[number] for row in cells)]
        rows = [[row[number] for number in kept] for row in self.rows]
        return attrs.evolve(self, columns=[self.columns[number] for number in kept], rows=rows)

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


def _width(text: str) -> int:
    """Return how many places *text* takes on a terminal: wide letters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )


def plain(table: Table) -> str:
    """Return *table* as aligned columns."""
    widths = table.widths()
    right = [table.is_number(number) for number in range(len(table.columns))]

    def line(texts: Sequence[str]) -> str:
        parts = ((text, " " * (w - _width(text)), r) for text, w, r in zip(texts, widths, right, strict=True))
        return _GAP.join(blanks + text if r else text + blanks for text, blanks, r in parts).rstrip()

    body = [line(row) for row in table.cells()] or [table.empty]
    return "\n".join([*([table.title] if table.title else []), line(table.columns), *body])


def styled(table: Table) -> str:
    """Return *table* as a terminal shows it, with colours unless NO_COLOR is set.

    Where it is too wide it loses its empty columns, then columns of long texts are folded; where that does not do,
    each row stands by itself, a line for each of its values.
    """
    width = shutil.get_terminal_size().columns
    if table.rows and _room(table.widths()) > width:
        table = table.filled()
        if _room([min(column, _LONG) for column in table.widths()]) > width:
            return _upright(table, width)
    return _laid_out(table, width)


def _room(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _upright(table: Table, width: int) -> str:
    """Return *table* turned: a line for each value, an empty line between its rows."""
    left = max(map(len, table.columns))
    turned = (
        [(f"{name:{left}}", value) for name, value in zip(table.columns, row, strict=True) if shown(value)]
        for row in table.rows
    )
    rows = (_laid_out(Table(("", ""), row), width) for row in turned)
    return "\n\n".join([*([table.title] if table.title else []), *rows])


def _laid_out(table: Table, width: int) -> str:
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    made = RichTable(
        box=None,
        header_style="bold",
        pad_edge=False,
        show_header=any(table.columns),
        title=table.title or None,
        title_justify="left",
    )
    turned = not any(table.columns)
    for number, (name, room) in enumerate(zip(table.columns, table.widths(), strict=True)):
        side: Any = "right" if table.is_number(number) else "left"
        # What may not be folded is cut where there is no room: an amount without its last digits is another one.
        made.add_column(
            name, justify=side, overflow="fold", no_wrap=room <= _LONG and not (turned and number)
        )
    for row in table.cells():
        made.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=width)
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
