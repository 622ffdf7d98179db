"""Keys of many rows as 64-bit hashes, eight bytes a row, kept outside memory.

The hashes are Python's own, good for one process only and never stored for another. Where two of them meet, the
keys themselves are compared.
"""

import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from adnet.sinks._files import remove

_BUCKET_ROWS: Final = 200_000
"""How many hashes are looked at together."""
_AT_ONCE: Final = 10_000


def hash_keys(rows: Any, key: Sequence[str]) -> Any:
    """Return one int64 for each row of an Arrow table."""
    hashes = array.array("q")
    for start in range(0, rows.num_rows, _AT_ONCE):
        columns = [rows[name].slice(start, _AT_ONCE).to_pylist() for name in key]
        hashes.extend(map(hash, columns[0]) if len(key) == 1 else map(hash, zip(*columns, strict=True)))
    return pa.array(hashes, pa.int64())


class HashFile:
    """The hashes of several files' rows, one after another."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lengths: list[int] = []

    def add(self, hashes: Any) -> None:
        """Take the hashes of the next file."""
        with self._path.open("ab") as file:
            file.write(hashes.buffers()[1])
        self._lengths.append(len(hashes))

    def chunks(self) -> Iterator[Any]:
        """Yield the hashes file by file, as Arrow arrays."""
        with self._path.open("rb") as file:
            for length in self._lengths:
                yield pa.Array.from_buffers(pa.int64(), length, [None, pa.py_buffer(file.read(8 * length))])

    def repeated(self) -> Any:
        """Return the hashes that occur more than once, as an Arrow array."""
        buckets = 1
        while buckets * _BUCKET_ROWS < sum(self._lengths):
            buckets *= 2
        found = [self._repeated_in(bucket, buckets) for bucket in range(buckets)]
        return pa.concat_arrays(found)

    def _repeated_in(self, bucket: int, buckets: int) -> Any:
        chunks = []
        for chunk in self.chunks():
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
        """Remove the file."""
        remove(self._path)
