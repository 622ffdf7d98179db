"""Which staged rows belong to which rows of a part, and how they differ."""

import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from adnet.models.tables import Table
from adnet.sinks._part_rows import Rows
from adnet.sinks._parts import Part


@attrs.define(eq=False)
class Staged:
    """One staged file and which of its rows are spoken for."""

    part: Part
    rows: Rows
    taken: bytearray
    """One byte a row: 1 where the row meets a landed one, or is outdated by a later one."""
    taken_rows: int = 0

    @classmethod
    def of(cls, part: Part, schema: Any) -> "Staged":
        """Return a staged file whose rows are all free."""
        return cls(part, Rows(part.path, schema), bytearray(part.rows))

    def take(self, rows: Iterable[int]) -> None:
        """Mark *rows*, none of them marked before."""
        for row in rows:
            self.taken[row] = 1
            self.taken_rows += 1

    def free(self) -> Any:
        """Return a mask of the rows that are not spoken for."""
        return pc.equal(pa.array(array.array("B", self.taken)), 0)


@attrs.frozen
class Match:
    """Rows of a part and rows of one staged file that have the same keys, in pairs."""

    there: Rows
    """The part's."""
    staged: Staged
    landed_rows: Any
    """Their numbers in the part."""
    staged_rows: Any
    """Their numbers in the staged file."""

    def __len__(self) -> int:
        return len(self.landed_rows)

    def landed(self, names: Sequence[str]) -> Any:
        """Return columns of the part's rows."""
        return self.there.take(self.landed_rows, names)

    def arrived(self, names: Sequence[str] | None = None) -> Any:
        """Return columns of the staged rows, or all."""
        return self.staged.rows.take(self.staged_rows, names)

    def where(self, mask: Any) -> "Match":
        """Return the pairs of *mask* only."""
        return attrs.evolve(
            self, landed_rows=self.landed_rows.filter(mask), staged_rows=self.staged_rows.filter(mask)
        )

    def cut(self, length: int) -> Iterator["Match"]:
        """Yield the pairs in matches of at most *length*."""
        for start in range(0, len(self), length):
            yield attrs.evolve(
                self,
                landed_rows=self.landed_rows.slice(start, length),
                staged_rows=self.staged_rows.slice(start, length),
            )


def differing(match: Match, table: Table, names: Sequence[str]) -> Any:
    """Return a mask of the pairs that differ in any column of *names*; NULL equals NULL only."""
    landed, arrived = match.landed(names), match.arrived(names)
    mask = pa.repeat(pa.scalar(False), len(match))
    for name in names:
        old, new = landed[name].combine_chunks(), arrived[name].combine_chunks()
        if not old.equals(new):
            differ = _lists_differ if table.full_columns[name] == "texts" else _differ
            mask = pc.or_(mask, differ(old, new))
    return mask


def differing_raw(match: Match) -> Any:
    """Return a mask of the pairs whose staged row has another ``raw``; one without is not another."""
    old = match.landed(["raw"])["raw"].combine_chunks()
    new = match.arrived(["raw"])["raw"].combine_chunks()
    return pc.and_(_differ(old, new), pc.is_valid(new))


def _differ(old: Any, new: Any) -> Any:
    values = pc.fill_null(pc.not_equal(old, new), False)
    return pc.or_(values, pc.xor(pc.is_null(old), pc.is_null(new)))


def _lists_differ(old: Any, new: Any) -> Any:
    pairs = zip(old.to_pylist(), new.to_pylist(), strict=True)
    return pa.array([before != after for before, after in pairs], pa.bool_())
