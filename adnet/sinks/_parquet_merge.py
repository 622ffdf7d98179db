"""The upsert of staged files into the parts of one account.

Every key lives in one part. A part that has keys of the landing is compared with it and, where something differs,
rewritten as a whole; what is new becomes new parts, or goes to a small one. No more than one part, and the staged
rows that belong to it, are in memory.
"""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from adnet.models.tables import Table
from adnet.sinks import _arrow
from adnet.sinks._keys import Hashes, hash_keys
from adnet.sinks._outlet import Outlet
from adnet.sinks._parquet_match import Match, Staged, differing, differing_raw
from adnet.sinks._part_rows import Rows, read_pieces
from adnet.sinks._parts import SMALL_ROWS, Part, Parts, read_part
from adnet.sinks._spool import GROUP_ROWS
from adnet.sinks._sql import history_of
from adnet.sinks.base import Landed

_FEW_ROWS: Final = 20_000
"""So few keys are looked up in a part by their columns, which is faster than hashing the part's."""


@attrs.frozen
class Stage:
    """Staged rows of one table."""

    table: Table
    key: Sequence[str]
    """The columns that tell rows apart."""
    files: Sequence[Path]
    hashes: Hashes
    """Of all rows' keys, file after file."""


class Merge:
    """One table of one landing on its way into the parts of its group.

    Args:
        parts: The data set.
        stage: What lands.
        group: Whose rows they are.
        stamp: What ``replaced_at`` says in the history: a naive datetime, UTC.
    """

    def __init__(self, parts: Parts, stage: Stage, group: str, *, stamp: Any) -> None:
        self._parts, self._stage, self._group = parts, stage, group
        self._table, self._key, self._hashes = stage.table, list(stage.key), stage.hashes
        table = self._table
        self._stamp = pa.scalar(stamp, _arrow.TYPES["instant"])
        self._schema = _arrow.schema(table)
        self._outlet = Outlet(parts, table.name, group, self._schema)
        self._history = Outlet(parts, history_of(table), group, _arrow.schema(table, history=True))
        self._staged: list[Staged] = []
        self._few: dict[str, Any] | None = None

    @property
    def files(self) -> dict[Path, Path]:
        """Staged file -> the part that it becomes; the history comes first."""
        return {**self._history.files, **self._outlet.files}

    def prepare(self) -> Landed:
        """Write everything that landing takes, publish nothing, and return what it will do."""
        found = (read_part(path, self._key) for path in self._stage.files)
        self._staged = [Staged.of(part, self._schema) for part in found if part.rows]
        rows = sum(staged.part.rows for staged in self._staged)
        if not rows:
            return Landed(0, 0, 0)
        rows -= self._outdate()
        parts = self._parts.of(self._table.name, self._group, self._key)
        changed = sum(self._land_in(part) for part in parts)
        new = sum(staged.part.rows - staged.taken_rows for staged in self._staged)
        self._add_new(new, _smallest(parts))
        if changed and self._table.history:
            self._history.finish(_smallest(self._parts.of(history_of(self._table), self._group, ())))
        self._staged, self._few = [], None  # nothing of it is needed while others get ready
        return Landed(rows, new, changed)

    def discard(self) -> None:
        """Remove what was written and not published."""
        self._outlet.discard()
        self._history.discard()

    def _hashed(self) -> Iterator[tuple[Staged, Any]]:
        """Yield the staged files, each with its hashes."""
        lengths = [staged.part.rows for staged in self._staged]
        return zip(self._staged, self._hashes.chunks(lengths), strict=True)

    def _outdate(self) -> int:
        """Mark the rows whose key comes again later, and return how many they are."""
        repeated = self._hashes.repeated()
        if not len(repeated):
            return 0
        last: dict[tuple[Any, ...], tuple[Staged, int]] = {}
        before = 0
        for staged, hashes in self._hashed():
            rows = pc.indices_nonzero(pc.is_in(hashes, value_set=repeated))
            keys = staged.rows.take(rows, self._key)
            for row, *key in zip(
                rows.to_pylist(), *(keys[name].to_pylist() for name in self._key), strict=True
            ):
                if (older := last.get(tuple(key))) is not None:
                    older[0].take([older[1]])
                    before += 1
                last[tuple(key)] = (staged, row)
        return before

    def _land_in(self, part: Part) -> int:
        """Bring staged rows whose keys are in *part* there, and return how many rows changed."""
        replaced: list[Match] = []
        changed: list[Any] = []
        for match in self._match(part):
            match.staged.take(match.staged_rows.to_pylist())
            for piece in match.cut(GROUP_ROWS):
                restated = differing(piece, self._table, self._table.compared)
                another = pc.or_(restated, differing_raw(piece))
                if pc.any(another).as_py():
                    replaced.append(piece.where(another))
                    changed.append(piece.landed_rows.filter(restated))
                pa.default_memory_pool().release_unused()
        if replaced:
            self._replace(part, replaced, pa.concat_arrays(changed))
        return sum(map(len, changed))

    def _match(self, part: Part) -> Iterator[Match]:
        """Yield which rows of *part* have keys of which staged rows."""
        if not any(part.may_share_keys(staged.part.bounds) for staged in self._staged):
            return
        there = Rows(part.path, self._schema)
        keys = there.columns(self._key)
        numbers = self._candidates(keys)
        hashes = hash_keys(keys.take(numbers), self._key)
        for staged, chunk in self._hashed():
            free = pc.if_else(staged.free(), chunk, None) if staged.taken_rows else chunk
            where = pc.index_in(hashes, value_set=free)
            met = pc.indices_nonzero(pc.is_valid(where))
            match = Match(there, staged, numbers.take(met), where.take(met))
            if len(match):  # hashes met; keys decide
                yield match.where(pc.invert(differing(match, self._table, self._key)))

    def _candidates(self, keys: Any) -> Any:
        """Return the numbers of the part's rows that may have a staged key."""
        if sum(staged.part.rows for staged in self._staged) > _FEW_ROWS:
            return pa.array(range(keys.num_rows))
        if self._few is None:
            rows = pa.concat_tables([staged.rows.columns(self._key) for staged in self._staged])
            self._few = {name: rows[name].combine_chunks().unique() for name in self._key}
        mask = pa.repeat(pa.scalar(True), keys.num_rows)
        for name, values in self._few.items():
            mask = pc.and_(mask, pc.is_in(keys[name].combine_chunks(), value_set=values))
        return pc.indices_nonzero(mask)

    def _replace(self, part: Part, replaced: Sequence[Match], changed: Any) -> None:
        """Rewrite *part* with the staged rows of *replaced*; the *changed* ones also go to the history."""
        gone = pa.concat_arrays([match.landed_rows for match in replaced])
        arrived = (match.arrived() for match in replaced)
        self._outlet.rewrite(part.path, itertools.chain(self._rest(part, gone, changed), arrived))

    def _rest(self, part: Part, gone: Any, changed: Any) -> Iterator[Any]:
        """Yield the rows of *part* that stay, piece by piece, and keep the changed ones in the history."""
        start = 0
        for rows in read_pieces(part.path, self._schema):
            numbers = pa.array(range(start, start + rows.num_rows), gone.type)
            if self._table.history:
                old = rows.filter(pc.is_in(numbers, value_set=changed))
                self._history.add(old.append_column("replaced_at", pa.repeat(self._stamp, old.num_rows)))
            yield rows.filter(pc.invert(pc.is_in(numbers, value_set=gone)))
            start += rows.num_rows
            pa.default_memory_pool().release_unused()

    def _add_new(self, new: int, small: Part | None) -> None:
        """Bring the staged rows that met no landed one to parts."""
        fits = small is not None and small.rows + new <= SMALL_ROWS
        for staged in self._staged:
            free = staged.part.rows - staged.taken_rows
            if free == staged.part.rows and not fits:
                self._outlet.adopt(staged.part.path)
            elif free:
                for rows in self._free_rows(staged):
                    self._outlet.add(rows)
        self._outlet.finish(small)

    def _free_rows(self, staged: Staged) -> Iterator[Any]:
        """Yield the rows that are not spoken for, piece by piece."""
        free, start = staged.free(), 0
        for rows in read_pieces(staged.part.path, self._schema):
            yield rows.filter(free.slice(start, rows.num_rows))
            start += rows.num_rows


def _smallest(parts: Sequence[Part]) -> Part | None:
    return min(parts, key=lambda part: part.rows, default=None)
