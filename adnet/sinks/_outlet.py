"""New rows of one table and group on their way to parts."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from adnet.sinks._files import remove
from adnet.sinks._part_rows import read_pieces, runs
from adnet.sinks._parts import PART_ROWS, SMALL_ROWS, Part, Parts
from adnet.sinks._spool import GROUP_ROWS, PartFile


class Outlet:
    """Writes staged files and says which parts they become.

    Args:
        parts: The data set.
        table: Name of the table, or of a history.
        group: Whose rows they are.
        schema: Arrow schema of the table.
    """

    def __init__(self, parts: Parts, table: str, group: str, schema: Any) -> None:
        self.files: dict[Path, Path] = {}
        """Staged file -> the part that it becomes."""
        self._parts, self._table, self._group, self._schema = parts, table, group, schema
        self._held: list[Any] = []
        self._held_rows = 0
        self._file: PartFile | None = None

    def adopt(self, staged: Path) -> None:
        """Let a staged file become a part as it is."""
        self.files[staged] = self._parts.new_part(self._table, self._group)

    def rewrite(self, part: Path, tables: Iterable[Any]) -> None:
        """Let *tables* together become the new content of *part*."""
        file = PartFile(self._parts.new_file(), self._schema)
        try:
            for rows in _joined(tables):
                file.write(rows)
            file.close()
        except BaseException:
            file.abandon()
            raise
        before = self._rewritten(part)
        if before is not None:
            del self.files[before]
            remove(before)
        self.files[file.path] = part

    def add(self, rows: Any) -> None:
        """Take rows of no part yet, an Arrow table of at most one row group."""
        if not rows.num_rows:
            return
        self._held.append(rows)
        self._held_rows += rows.num_rows
        if self._held_rows > SMALL_ROWS:
            self._flush()

    def finish(self, small: Part | None) -> None:
        """Write what was added: to *small*, a part of this group, if it is little and fits, else to a new part."""
        if not self._held_rows and self._file is None:
            return
        if self._file is None and small is not None and small.rows + self._held_rows <= SMALL_ROWS:
            source = self._rewritten(small.path) or small.path
            self.rewrite(small.path, itertools.chain(read_pieces(source, self._schema), self._held))
        else:
            self._flush()
            self._close()

    def discard(self) -> None:
        """Remove what was written and not published."""
        if self._file is not None:
            self._file.abandon()
        for path in self.files:
            remove(path)

    def _rewritten(self, part: Path) -> Path | None:
        return next((staged for staged, final in self.files.items() if final == part), None)

    def _flush(self) -> None:
        if not self._held_rows:
            return
        if self._file is None:
            self._file = PartFile(self._parts.new_file(), self._schema)
        for rows in _joined(self._held):
            self._file.write(rows)
        self._held.clear()
        self._held_rows = 0
        if self._file.rows >= PART_ROWS:
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self.adopt(self._file.path)
            self._file = None


def _pieces(rows: Any) -> Iterator[Any]:
    """Yield an Arrow table in pieces of one row group."""
    for start in range(0, rows.num_rows, GROUP_ROWS):
        yield rows.slice(start, GROUP_ROWS)


def _joined(tables: Iterable[Any]) -> Iterator[Any]:
    """Yield the rows of Arrow tables in row groups as large as they may be, however little each table brings.

    A part that takes a few rows at a time would otherwise become a thousand groups, each of which is read by itself.
    """
    pieces = (piece for table in tables for piece in _pieces(table))
    for run in runs(pieces, lambda piece: (piece.num_rows, piece.nbytes)):
        yield pa.concat_tables(run)
