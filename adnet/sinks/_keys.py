"""Keys of rows as 64-bit hashes, eight bytes a row, kept outside memory where they are many.

The hashes are Python's own, good for one process only and never stored for another. Where two of them meet, the
keys themselves are compared.
"""

import array
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from adnet.models.tables import Columns, Table
from adnet.sinks._arrow import written
from adnet.sinks._files import remove

HASHES: Final = "adnet_hash"
"""The column of a staged batch with the hashes of its keys; it lands nowhere."""
_BUCKET_ROWS: Final = 200_000
"""How many hashes are looked at together."""
_AT_ONCE: Final = 10_000
_HELD_ROWS: Final = 16_384
"""So many hashes wait in memory: what most landings bring takes no file."""


def hash_keys(rows: Any, key: Sequence[str]) -> Any:
    """Return one int64 for each row of an Arrow table or record batch."""
    hashes = array.array("q")
    for start in range(0, rows.num_rows, _AT_ONCE):
        hashes.extend(_hashes([rows[name].slice(start, _AT_ONCE).to_pylist() for name in key]))
    return pa.Array.from_buffers(pa.int64(), len(hashes), [None, pa.py_buffer(hashes)])


def with_hashes(batch: Any, columns: Columns, table: Table) -> Any:
    """Return a record batch of *table* with the hashes of its keys; *columns* are what it was made of.

    Python remembers the hash of each text that it has ever looked up, and a text of Arrow's would have to be made
    again. But what lands may be another text: half of a character becomes a question mark.
    """
    key = [columns[name] for name in table.key]
    same = all("".join(columns[name]).isascii() for name in table.key if table.columns[name] == "text")
    hashes = pa.array(list(_hashes(key)), pa.int64()) if same else hash_keys(batch, table.key)
    return batch.append_column(HASHES, hashes)


def _hashes(columns: Sequence[Sequence[Any]]) -> Iterable[int]:
    return map(hash, columns[0]) if len(columns) == 1 else map(hash, zip(*columns, strict=True))


class Hashes:
    """The hashes of the rows of several files, one after another; many of them are in a file of their own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows = 0
        self._held = bytearray()

    def add(self, hashes: Any) -> None:
        """Take the hashes of the next rows, a chunked array.

        Raises:
            SinkError: There is no room on the disk.
        """
        for chunk in hashes.chunks:
            self._held += chunk.buffers()[1].slice(8 * chunk.offset, 8 * len(chunk))
        self._rows += len(hashes)
        if self._rows > _HELD_ROWS:
            with written(self._path), self._path.open("ab") as file:
                file.write(self._held)
            self._held.clear()

    def chunks(self, lengths: Iterable[int]) -> Iterator[Any]:
        """Yield the hashes as Arrow arrays of these *lengths*."""
        with self._path.open("rb") if self._rows > _HELD_ROWS else BytesIO(self._held) as file:
            for length in lengths:
                yield pa.Array.from_buffers(pa.int64(), length, [None, pa.py_buffer(file.read(8 * length))])

    def repeated(self) -> Any:
        """Return the hashes that occur more than once, as an Arrow array."""
        buckets = 1
        while buckets * _BUCKET_ROWS < self._rows:
            buckets *= 2
        found = [self._repeated_in(bucket, buckets) for bucket in range(buckets)]
        return pa.concat_arrays(found)

    def _repeated_in(self, bucket: int, buckets: int) -> Any:
        chunks = []
        full, rest = divmod(self._rows, _BUCKET_ROWS)
        for chunk in self.chunks([*[_BUCKET_ROWS] * full, rest]):
            if buckets > 1:
                chosen = pc.equal(pc.bit_wise_and(chunk, buckets - 1), bucket)
                chunks.append(chunk.filter(chosen))
            else:
                chunks.append(chunk)
        hashes = pa.chunked_array(chunks, pa.int64())
        if len(hashes.unique()) == len(hashes):
            return pa.array([], pa.int64())
        counts = hashes.value_counts()
        return counts.field("values").filter(pc.greater(counts.field("counts"), 1))

    def discard(self) -> None:
        """Forget them, and remove the file."""
        self._held.clear()
        if self._rows > _HELD_ROWS:
            remove(self._path)
