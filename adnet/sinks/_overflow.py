"""Rows of a row group that is not full yet, on the disk while others need the memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from adnet.errors import SinkError
from adnet.sinks._arrow import written
from adnet.sinks._files import remove


class Overflow:
    """Arrow record batches of one schema in a file, which is open only while it is written or read.

    Thousands of them may be under way, more than a process may have files open.
    """

    def __init__(self, path: Path, schema: Any) -> None:
        self._path = path
        self._schema = schema
        self._batches = 0
        self._size = 0

    def add(self, batches: Sequence[Any]) -> None:
        """Take record batches, all of them or, where it fails, none.

        Raises:
            SinkError: There is no room on the disk.
        """
        size = self._size
        with written(self._path), self._path.open("r+b" if self._batches else "wb") as file:
            file.seek(size)  # and not at the end, which an earlier failure may have left behind
            for batch in batches:
                size += file.write(batch.serialize())
        self._batches, self._size = self._batches + len(batches), size

    def batches(self) -> list[Any]:
        """Return all record batches, in order.

        Raises:
            SinkError: They cannot be read any more.
        """
        try:
            with pa.OSFile(str(self._path)) as file:
                return [
                    pa.ipc.read_record_batch(pa.ipc.read_message(file), self._schema)
                    for _ in range(self._batches)
                ]
        except (OSError, EOFError, pa.ArrowException) as error:
            raise SinkError(
                f"cannot read {self._path}: {error}: run this again; what had landed stays"
            ) from error

    def discard(self) -> None:
        """Remove the file."""
        remove(self._path)
