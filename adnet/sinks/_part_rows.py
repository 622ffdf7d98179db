"""The rows of a part: all of them, piece by piece, or some by their numbers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adnet.errors import SinkError
from adnet.sinks._spool import GROUP_BYTES, GROUP_ROWS

T = TypeVar("T")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors of the disk and of Arrow into `SinkError`."""
    try:
        yield
    except OSError as error:
        raise SinkError(f"{path}: {error.strerror or error}") from error
    except pa.ArrowException as error:
        raise SinkError(
            f"{path}: is damaged or no part of this data set: move it away and pull again: {error}"
        ) from error


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open *path* as a Parquet file.

    Raises:
        SinkError: It cannot be read, or is none.
    """
    # Of a name, Arrow would find out first which file system it belongs to: it tries to import one that is not
    # there, each time.
    with explained(path), pa.OSFile(str(path)) as source, pq.ParquetFile(source) as file:
        yield file


def read_rows(
    path: Path, schema: Any, names: Sequence[str] | None = None, groups: Sequence[int] | None = None
) -> Any:
    """Return columns of a part, of all row groups or of some, as an Arrow table.

    Columns that the part does not have, since it was written before they were known, are NULL.
    """
    with opened(path) as file:
        return _rows_of(file, schema, names, groups)


def _rows_of(file: Any, schema: Any, names: Sequence[str] | None, groups: Sequence[int] | None) -> Any:
    wanted = [field for field in schema if names is None or field.name in names]
    there = set(file.schema_arrow.names)
    chosen = range(file.metadata.num_row_groups) if groups is None else groups
    known = [field.name for field in wanted if field.name in there]
    rows = file.read_row_groups(list(chosen), known, use_threads=False)
    columns = [
        rows[field.name].cast(field.type) if field.name in there else pa.nulls(rows.num_rows, field.type)
        for field in wanted
    ]
    return pa.table(columns, schema=pa.schema(wanted))


def runs(items: Iterable[T], size: Callable[[T], tuple[int, int]]) -> Iterator[list[T]]:
    """Yield *items* in runs of together at most one row group, by their rows and bytes; one alone may have more."""
    run: list[T] = []
    rows = taken = 0
    for item in items:
        more_rows, more_bytes = size(item)
        if run and (rows + more_rows > GROUP_ROWS or taken + more_bytes > GROUP_BYTES):
            yield run
            run, rows, taken = [], 0, 0
        run.append(item)
        rows, taken = rows + more_rows, taken + more_bytes
    if run:
        yield run


def read_pieces(path: Path, schema: Any) -> Iterator[Any]:
    """Yield the rows of a part as Arrow tables of about one row group, however small its own are."""
    with opened(path) as file:
        sizes = _group_sizes(file)
        for run in runs(range(len(sizes)), sizes.__getitem__):
            yield _rows_of(file, schema, None, run)


def _group_sizes(file: Any) -> list[tuple[int, int]]:
    """Return the rows of each row group of a part, and the bytes that they take when they are read."""
    groups = [file.metadata.row_group(group) for group in range(file.metadata.num_row_groups)]
    return [(group.num_rows, group.total_byte_size) for group in groups]


class Rows:
    """Rows of a part. Where they are few, all are read together, once; else what is asked for, whenever it is.

    Args:
        path: The part.
        schema: Arrow schema of its table.
    """

    def __init__(self, path: Path, schema: Any) -> None:
        self._path, self._schema = path, schema
        self._sizes: list[tuple[int, int]] | None = None
        """Rows and bytes of each row group, once they are known."""
        self._all: Any = None

    def columns(self, names: Sequence[str]) -> Any:
        """Return columns as an Arrow table."""
        self._look()
        return read_rows(self._path, self._schema, names) if self._all is None else self._all.select(names)

    def take(self, numbers: Any, names: Sequence[str] | None = None) -> Any:
        """Return the rows that have these *numbers*, in their order, as an Arrow table: some columns, or all."""
        sizes = self._look()
        if self._all is not None:
            return (self._all if names is None else self._all.select(names)).take(numbers)
        groups, moved, start, read = [], numbers, 0, 0
        for group, (length, _) in enumerate(sizes):
            inside = pc.and_(pc.greater_equal(numbers, start), pc.less(numbers, start + length))
            if pc.any(inside).as_py():
                moved = pc.if_else(inside, pc.subtract(numbers, start - read), moved)
                groups.append(group)
                read += length
            start += length
        return read_rows(self._path, self._schema, names, groups).take(moved)

    def _look(self) -> list[tuple[int, int]]:
        """Return the sizes of the row groups; the first time, read all rows if they are few."""
        if self._sizes is None:
            with opened(self._path) as file:
                self._sizes = _group_sizes(file)
                rows, taken = (sum(size[place] for size in self._sizes) for place in (0, 1))
                if rows <= GROUP_ROWS and taken <= GROUP_BYTES:
                    self._all = _rows_of(file, self._schema, None, None)
        return self._sizes
