"""Rows into folders of text files: ``csv:DIR`` and ``jsonl:DIR``.

What has landed is kept in ``DIR/.adnet-landing.db`` and exported from there, each file as a whole and by one rename,
when the sink closes and every few seconds before. A file that a killed process could not export is exported by the
next one that opens the folder.
"""

import csv
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final, TextIO

from adnet.clock import Clock
from adnet.errors import SinkError
from adnet.models.tables import PULLS, TABLES, ColumnType, Table
from adnet.sinks import _texts, _values
from adnet.sinks._files import make_folder, remove, sync
from adnet.sinks._sql import ALL_TABLES, columns_of, history_of, quoted, within
from adnet.sinks._sqlite_errors import explained
from adnet.sinks._staging import StoreLanding
from adnet.sinks._store import Store
from adnet.sinks._values import Origin
from adnet.sinks._worker import Worker
from adnet.sinks.base import Landed, Sink, Stretch

_EXPORT_EVERY_S: Final = 5.0
_EXPORT_SHARE: Final = 10.0
"""An export that takes long is done so much less often."""
# What spreadsheets take for the start of a formula, or skip before looking for one: = + - @ tab, CR, LF.
_FORMULA: Final = ", ".join(f"char({ord(sign)})" for sign in "=+-@\t\r\n")


class TextSink(Sink, ABC):
    """One folder of text files; it belongs to this process while it is open."""

    scheme: ClassVar[str]
    """The scheme of its URI, which is also the ending of its files."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self.path = path
        self._worker = Worker(f"adnet-{self.scheme}")
        self._store = Store(path / ".adnet-landing.db")
        self._clock = clock
        self._next_export_s = 0.0
        self._open_now = False

    @property
    def uri(self) -> str:
        """The URI of this sink."""
        return f"{self.scheme}:{self.path}"

    async def open(self) -> None:
        """Open the folder, or create it."""
        await self._worker.start(self._open, self._close)

    def landing(
        self, *, network: str, account: str, fetched_at: datetime, replaced_at: datetime | None = None
    ) -> StoreLanding:
        """Return a new landing of one account."""
        origin = Origin(network, account, fetched_at)
        return StoreLanding(self._worker, self._store, origin, lambda stages: self._land(stages, replaced_at))

    async def record(self, pulls: Sequence[Mapping[str, Any]]) -> None:
        """Upsert rows of the ``pulls`` table."""
        rows = _values.pull_rows(pulls, self._clock.now())
        if rows:
            await self._worker.run(self._record, rows)

    async def recorded(self, pull_id: str) -> bool:
        """Say whether a run has been recorded here."""
        return await self._worker.run(self._store.has, PULLS.name, "pull_id", pull_id)

    async def count(self, stretch: Stretch) -> int:
        """Return how many rows of *stretch* have landed."""
        return await self._worker.run(self._count, stretch)

    async def close(self) -> None:
        """Export what is not exported yet and give the folder back."""
        await self._worker.finish(self._close)

    @abstractmethod
    def _write(self, file: TextIO, table: str, columns: Mapping[str, ColumnType]) -> None:
        """Write all rows of *table* to *file*."""

    # From here on: in the worker's thread.

    def _open(self) -> None:
        make_folder(self.path)
        with explained(self.path):
            if not self._store.exists():
                self._refuse_foreign_files()
        self._store.open()
        self._open_now = True

    def _refuse_foreign_files(self) -> None:
        found = [path.name for name in EXPORTS if (path := self._file(name)).exists()]
        if found:
            raise SinkError(
                f"{self.path} has {', '.join(found)} but no {self._store.name}, so they would be overwritten:"
                " move them away or name another folder"
            )

    def _land(self, stages: Sequence[tuple[Table, str]], replaced_at: datetime | None) -> dict[str, Landed]:
        stamp = _texts.instant(_values.instant(replaced_at or self._clock.now()))
        landed = self._store.land(stages, stamp)
        if self._clock.monotonic() >= self._next_export_s:
            with suppress(
                SinkError
            ):  # these rows have landed: what is wrong with a file is told at the close
                self._export_due()
        return landed

    def _count(self, stretch: Stretch) -> int:
        table = TABLES[stretch.table]
        # Without its Z an instant comes before the same one with a fraction, as text, too.
        time, ends = f"rtrim({quoted(table.time or '')}, 'Z')", _values.ends(stretch)
        condition, values = within(stretch, time, [end.isoformat() for end in ends])
        return self._store.count(quoted(table.name), condition, values)

    def _record(self, rows: Sequence[Mapping[str, Any]]) -> None:
        stage = self._store.new_stage(PULLS)
        try:
            self._store.fill(stage, _texts.pull_columns(rows))
            self._land([(PULLS, stage)], None)
        finally:
            self._store.drop_stage(stage)

    def _close(self) -> None:
        try:
            if self._open_now:
                self._open_now = False
                self._export_due()
        finally:
            self._store.close()

    def _file(self, table: str) -> Path:
        return self.path / f"{table}.{self.scheme}"

    def _export_due(self) -> None:
        """Write the files that do not show what has landed."""
        start = self._clock.monotonic()
        try:
            for table, columns in EXPORTS.items():
                path, version = self._file(table), self._store.version(table)
                if self._store.exported(path.name) != version or not path.exists():
                    with explained(path):
                        self._export(path, table, columns)
                    self._store.set_exported(path.name, version)
        finally:
            took = self._clock.monotonic() - start
            self._next_export_s = start + took + max(_EXPORT_EVERY_S, _EXPORT_SHARE * took)

    def _export(self, path: Path, table: str, columns: Mapping[str, ColumnType]) -> None:
        draft = path.with_name(f".tmp-{path.name}")
        try:
            with draft.open("w", encoding="utf-8", newline="") as file:
                self._write(file, table, columns)
            sync(draft)
            draft.replace(path)
        finally:
            remove(draft)


class CsvSink(TextSink):
    """One CSV file a table: UTF-8, a header always, quoted by RFC 4180, an empty cell for NULL.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """

    scheme = "csv"

    def _write(self, file: TextIO, table: str, columns: Mapping[str, ColumnType]) -> None:
        writer = csv.writer(file)
        writer.writerow(columns)
        cells = ", ".join(_cell(name, kind) for name, kind in columns.items())
        writer.writerows(self._store.rows(quoted(table), cells))


class JsonLinesSink(TextSink):
    """One file of JSON lines a table; amounts are texts, so that no reader makes floats of them."""

    scheme = "jsonl"

    def _write(self, file: TextIO, table: str, columns: Mapping[str, ColumnType]) -> None:
        encode = _texts.json_encoder(columns)
        file.writelines(map(encode, self._store.rows(quoted(table), columns_of(columns))))


def _cell(name: str, kind: ColumnType) -> str:
    """Return SQL for a cell of a CSV file."""
    column = quoted(name)
    if kind not in {"text", "texts"}:
        return column
    return f"CASE WHEN substr({column}, 1, 1) IN ({_FORMULA}) THEN char(39) || {column} ELSE {column} END"


def _exports() -> dict[str, dict[str, ColumnType]]:
    found: dict[str, dict[str, ColumnType]] = {}
    for table in ALL_TABLES.values():
        found[table.name] = table.full_columns
        if table.history:
            found[history_of(table)] = {**table.full_columns, "replaced_at": "instant"}
    return found


EXPORTS: Final = _exports()
"""Every table and history, with its columns."""
