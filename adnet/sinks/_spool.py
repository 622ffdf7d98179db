"""Rows on their way: in memory while they are few, in hidden Parquet files from then on.

Writing Parquet costs half a microsecond a row and nothing in memory, a tenth of what a temporary table of DuckDB
costs once it spills; and a finished file can become a part of a data set by being renamed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from adnet.models.tables import Table
from adnet.sinks._arrow import schema, written
from adnet.sinks._files import remove
from adnet.sinks._keys import HASHES, Hashes
from adnet.sinks._overflow import Overflow

GROUP_ROWS: Final = 16_384
"""Rows of one row group; with the next, the bound of what is held in memory."""
GROUP_BYTES: Final = 8 << 20
"""Where rows are large: of what they take in memory."""
UNLIKE: Final = frozenset({"raw", "transaction_id", "tracking_id", "click_key", "ip_hash"})
"""Columns whose values hardly ever come twice."""


class Spool:
    """Rows of one table and one landing, in the order in which they came."""

    def __init__(
        self,
        table: Table,
        name_file: Callable[[], Path],
        *,
        file_rows: int | None = None,
        hashes: Hashes | None = None,
    ) -> None:
        self.table = table
        self.hashes = hashes
        """Where the column HASHES of the batches goes, if they have one."""
        self.rows = self.bytes = 0
        """What it took, and what that takes in memory."""
        self.files: list[Path] = []
        """Finished files; each but the last holds exactly *file_rows* rows."""
        self._name_file = name_file
        self._file_rows = file_rows
        self.held_bytes = 0
        """What it holds takes in memory."""
        self._held: list[Any] = []
        self._held_rows = 0
        self._group_bytes = 0
        self._overflow: Overflow | None = None
        self._file: PartFile | None = None

    def add(self, batch: Any) -> None:
        """Take rows: an Arrow record batch with all columns of the landed table, and HASHES where they are kept.

        Raises:
            SinkError: There is no room on the disk.
        """
        start = 0
        while start < batch.num_rows:
            piece = batch.slice(start, min(GROUP_ROWS - self._held_rows, self._room()))
            self._hold(piece)
            start += piece.num_rows
        self.rows += batch.num_rows

    def held(self) -> Any:
        """Return the rows that are in no file, as an Arrow table; all of them unless there are many."""
        spilled = [] if self._overflow is None else self._overflow.batches()
        batches = [*spilled, *self._held]
        return pa.Table.from_batches(batches, schema=None if batches else schema(self.table))

    def spill(self) -> None:
        """Let what is held wait on the disk, until its row group is full or the spool is finished.

        Raises:
            SinkError: There is no room on the disk.
        """
        if not self._held:
            return
        if self._overflow is None:
            self._overflow = Overflow(self._name_file(), self._held[0].schema)
        self._overflow.add(self._held)
        self._held.clear()
        self.held_bytes = 0

    def finish(self) -> None:
        """Bring what is held to the file, if there is one."""
        if self._file is not None:
            self._flush()
            self._close_file()

    def settle(self) -> None:
        """Bring all rows to files, however few."""
        if self._held_rows:
            self._flush()
        self.finish()

    def discard(self) -> None:
        """Forget all rows and remove the files."""
        self._release()
        if self._file is not None:
            self._file.abandon()
            self._file = None
        if self.hashes is not None:
            self.hashes.discard()
        for path in self.files:
            remove(path)
        self.files.clear()

    def _room(self) -> int:
        """Return how many more rows the present file may take, with those held."""
        if self._file_rows is None:
            return GROUP_ROWS
        written = 0 if self._file is None else self._file.rows
        return self._file_rows - written - self._held_rows

    def _hold(self, piece: Any) -> None:
        self._held.append(piece)
        self._held_rows += piece.num_rows
        size = piece.get_total_buffer_size()
        self.bytes += size
        self.held_bytes += size
        self._group_bytes += size
        if self._held_rows >= GROUP_ROWS or self._group_bytes >= GROUP_BYTES or not self._room():
            self._flush()

    def _flush(self) -> None:
        if self._file is None:
            self._file = PartFile(self._name_file(), schema(self.table))
        if self._held_rows:
            rows = self.held()
            if self.hashes is not None:
                self.hashes.add(rows[HASHES])
                rows = rows.drop_columns([HASHES])
            self._file.write(rows)
            self._release()
        if self._file.rows == self._file_rows:
            self._close_file()

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
            pa.default_memory_pool().release_unused()
            self.files.append(self._file.path)
            self._file = None

    def _release(self) -> None:
        self._held.clear()
        self._held_rows = self.held_bytes = self._group_bytes = 0
        if self._overflow is not None:
            self._overflow.discard()
            self._overflow = None


def _repetitive(columns: Any) -> list[str]:
    """Return the columns that are worth a dictionary, as Parquet names them; for the others it costs time only."""
    return [
        f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name
        for field in columns
        if field.name not in UNLIKE
    ]


class PartFile:
    """A Parquet file that is being written."""

    def __init__(self, path: Path, columns: Any) -> None:
        self.path = path
        self.rows = 0
        with written(path):
            path.open("xb").close()
            # Arrow's own: a file of Python's would ask for the interpreter at every write, and wait for it.
            self._raw = pa.OSFile(str(path), "wb")
            self._writer = pq.ParquetWriter(
                self._raw,
                columns,
                compression="zstd",
                compression_level=1,
                use_dictionary=_repetitive(columns),
                write_statistics=[name for name in columns.names if name != "raw"],
            )

    def write(self, rows: Any) -> None:
        """Write *rows*, an Arrow table, as one row group."""
        with written(self.path):
            self._writer.write_table(rows, row_group_size=max(rows.num_rows, 1))
        self.rows += rows.num_rows

    def close(self) -> None:
        """Write the file's end."""
        with written(self.path):
            self._writer.close()
            self._raw.close()

    def abandon(self) -> None:
        """Give the file up and remove it."""
        for close in (self._writer.close, self._raw.close):
            try:
                close()
            except (OSError, pa.ArrowException):
                continue
        remove(self.path)
