"""Rows into a folder of Parquet files, ``parquet:DIR``.

Each table is a folder; ``DIR/<table>/*.parquet`` is the table, for any reader, at any time: parts appear and change
by renames only, and every key lives in exactly one of them. A landing is written down as an intent before its first
rename, so that a process killed half-way is finished by the next that opens the folder.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from adnet.clock import Clock
from adnet.errors import SinkError
from adnet.models.tables import PULLS, TABLES
from adnet.sinks import _arrow, _values
from adnet.sinks._files import FolderLock, make_folder, remove
from adnet.sinks._keys import Hashes, hash_keys
from adnet.sinks._parquet_merge import Merge, Stage
from adnet.sinks._part_rows import read_rows
from adnet.sinks._parts import PART_ROWS, Parts, group_of
from adnet.sinks._spool import PartFile, Spool
from adnet.sinks._spooling import SpoolingSink
from adnet.sinks._sql import ALL_TABLES, history_of
from adnet.sinks._together import Unit
from adnet.sinks.base import Landed, Stretch


class ParquetSink(SpoolingSink):
    """One folder of tables; it belongs to this process while it is open."""

    scheme = "parquet"
    hashes_keys = True

    def __init__(self, path: Path, *, clock: Clock) -> None:
        super().__init__(path, clock=clock)
        self._lock = FolderLock(path / ".adnet.lock", of=path)
        self._parts = Parts(path)

    def spool(self, table: str) -> Spool:
        """Return a new spool; it is discarded with the sink at the latest."""
        hashes = Hashes(self._parts.new_file())
        return self.spools.add(Spool(TABLES[table], self._parts.new_file, file_rows=PART_ROWS, hashes=hashes))

    def land(self, units: Sequence[Unit]) -> None:
        """Land *units*, whose spools may be finished or not: each as a whole or not at all."""
        ready: list[tuple[Unit, list[Merge], dict[str, Landed]]] = []
        for unit in units:
            try:
                for spool in unit.spools:
                    spool.settle()
                group = group_of(unit.origin.network, unit.origin.account)
                stages = [_stage(spool) for spool in unit.spools]
                ready.append((unit, *self._merged(stages, group, unit.replaced_at)))
            except SinkError as error:  # a part of that account is damaged: the others land
                unit.error = error
        self._publish([merge for _, merges, _ in ready for merge in merges])
        for unit, _, landed in ready:
            unit.landed = landed

    def _merged(
        self, stages: Sequence[Stage], group: str, replaced_at: datetime | None
    ) -> tuple[list[Merge], dict[str, Landed]]:
        """Do all of a landing that nobody sees, and return what it will do to each table."""
        self._parts.settle()
        stamp = _values.instant(replaced_at or self._clock.now())
        merges: list[Merge] = []
        landed: dict[str, Landed] = {}
        try:
            for stage in stages:
                merges.append(Merge(self._parts, stage, group, stamp=stamp))
                landed[stage.table.name] = merges[-1].prepare()
        except BaseException:
            _discard(merges)
            raise
        return merges, landed

    def _publish(self, merges: Sequence[Merge]) -> None:
        """Let everybody see all of *merges* at once."""
        try:
            self._parts.publish({staged: part for merge in merges for staged, part in merge.files.items()})
        finally:
            _discard(merges)

    def _open(self) -> None:
        make_folder(self.path)
        self._lock.take()
        try:
            self._parts.recover()
            for table in ALL_TABLES.values():
                self._parts.create_table(table.name, _arrow.schema(table))
                if table.history:
                    self._parts.create_table(history_of(table), _arrow.schema(table, history=True))
        except BaseException:
            self._lock.give_back()
            raise

    def _close(self) -> None:
        self.spools.discard_all()
        if self._lock.taken:
            self._parts.abandon()
            self._lock.give_back()

    def _recorded(self, pull_id: str) -> bool:
        schema = pa.schema([("pull_id", pa.string())])
        parts = self._parts.of(PULLS.name, "pulls", PULLS.full_key)
        return any(pull_id in read_rows(part.path, schema).column(0).to_pylist() for part in parts)

    def _count(self, stretch: Stretch) -> int:
        self._parts.settle()
        table, ends = TABLES[stretch.table], _values.ends(stretch)
        time, schema = table.time or "", _arrow.schema(table)
        parts = self._parts.of(table.name, group_of(stretch.network, stretch.account), table.key)
        near = [part for part in parts if part.may_share_keys({time: ends})]
        return sum(_inside(read_rows(part.path, schema, [time, "level"]), stretch, ends) for part in near)

    def _record(self, rows: Any) -> None:
        staged, hashes = PartFile(self._parts.new_file(), rows.schema), Hashes(self._parts.new_file())
        try:
            staged.write(rows)
            staged.close()
            hashes.add(pa.chunked_array([hash_keys(rows, PULLS.full_key)]))
            stage = Stage(PULLS, PULLS.full_key, [staged.path], hashes)
            merges, _ = self._merged([stage], "pulls", None)
            self._publish(merges)
        finally:
            hashes.discard()
            remove(staged.path)


def _inside(rows: Any, stretch: Stretch, ends: tuple[Any, Any]) -> int:
    """Return how many of *rows* are of *stretch*."""
    times = rows[TABLES[stretch.table].time]
    since, until = (pa.scalar(end, times.type) for end in ends)
    mask = pc.and_(pc.greater_equal(times, since), pc.less(times, until))
    if stretch.levels:
        mask = pc.and_(mask, pc.is_in(rows["level"], value_set=pa.array(stretch.levels)))
    return pc.sum(mask).as_py() or 0


def _discard(merges: Sequence[Merge]) -> None:
    for merge in merges:
        merge.discard()


def _stage(spool: Spool) -> Stage:
    assert spool.hashes is not None, "all spools of this sink have them"
    return Stage(spool.table, spool.table.key, spool.files, spool.hashes)
