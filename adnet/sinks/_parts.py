"""The parts of a Parquet data set: their names, what their footers say, and how several change as one.

``DIR/<table>/part-<group>-<id>.parquet`` holds rows of one account (its *group*). Parts are never removed; they are
added, or replaced under their own name. A change of several files is first brought together in one folder (an
*intent*), then done by renames; who opens the data set after a kill finds the intent and does the rest of it.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import pyarrow as pa
import pyarrow.parquet as pq

from adnet.sinks._files import make_folder, remove, sync
from adnet.sinks._part_rows import explained, opened
from adnet.sinks._spool import GROUP_ROWS

PART_ROWS: Final = 6 * GROUP_ROWS
"""Rows of a full part: what a single restated row costs to rewrite, and what a rewrite holds in memory."""
SMALL_ROWS: Final = GROUP_ROWS
"""A part that stays below this takes the new rows of small landings, so that nights do not become files."""
_HOLD: Final = ".adnet"
_DRAFT: Final = "draft"
_INTENT: Final = "intent"
_NAMES: Final = "names.json"

Bounds = Mapping[str, tuple[Any, Any]]
"""Column -> smallest and largest value; a column that is missing here may hold anything."""


@attrs.frozen
class Part:
    """One file of a table."""

    path: Path
    rows: int
    bounds: Bounds

    def may_share_keys(self, bounds: Bounds) -> bool:
        """Return whether rows within *bounds* may have keys that this part has."""
        for name, (low, high) in bounds.items():
            mine = self.bounds.get(name, (low, high))
            # Whoever wrote the part anew may have chosen another type, e.g. instants for days; reading it tells.
            if type(mine[0]) is type(low) and (mine[1] < low or high < mine[0]):
                return False
        return True


def group_of(network: str, account: str) -> str:
    """Return the group of an account; names of accounts may hold what names of files may not."""
    return hashlib.sha256(f"{network}\0{account}".encode()).hexdigest()[:16]


def read_part(path: Path, key: Sequence[str]) -> Part:
    """Return what the footer of *path* says."""
    with opened(path) as file:
        return Part(path, file.metadata.num_rows, _bounds(file.metadata, key))


def _bounds(metadata: Any, key: Sequence[str]) -> dict[str, tuple[Any, Any]]:
    places = {metadata.schema.column(index).path: index for index in range(metadata.num_columns)}
    if missing := [name for name in key if name not in places]:
        raise pa.ArrowInvalid(f"it has no {' and no '.join(missing)}")
    bounds: dict[str, tuple[Any, Any]] = {}
    for name in key:
        found = [
            metadata.row_group(group).column(places[name]).statistics
            for group in range(metadata.num_row_groups)
        ]
        # A group with a NULL in its key, or with values too long for a footer, has no bounds worth trusting.
        if found and all(s is not None and s.has_min_max and not s.null_count for s in found):
            bounds[name] = (min(s.min for s in found), max(s.max for s in found))
    return bounds


class Parts:
    """A folder of tables; it must be taken by this process alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hold = folder / _HOLD
        self._names: dict[str, dict[str, list[str]]] = {}
        self._known: dict[Path, Part] = {}

    def recover(self) -> None:
        """Do the rest of what a killed process had begun to publish, and remove what it had only staged."""
        with explained(self._hold):
            self._finish_intent()
            remove(self._hold)
        make_folder(self._hold, private=True)

    def abandon(self) -> None:
        """Remove what is staged, unless it belongs to an intent that still has to be finished."""
        if not (self._hold / _INTENT).exists():
            remove(self._hold)

    def new_file(self) -> Path:
        """Return the name of a new file to stage rows in."""
        return self._hold / f"{secrets.token_hex(8)}.parquet"

    def new_part(self, table: str, group: str) -> Path:
        """Return the name of a new part."""
        return self.folder / table / f"part-{group}-{secrets.token_hex(8)}.parquet"

    def create_table(self, table: str, schema: Any) -> None:
        """Create the table's folder, and in it a file without rows, so that it can be asked at once."""
        make_folder(self.folder / table)
        path = self.folder / table / "schema.parquet"
        with explained(path):
            if not path.exists() or not pq.read_schema(path).equals(schema):
                staged = self.new_file()
                pq.write_table(schema.empty_table(), staged)
                staged.replace(path)

    def of(self, table: str, group: str, key: Sequence[str]) -> list[Part]:
        """Return the parts of *group*; *key* are the columns whose bounds matter."""
        if table not in self._names:
            self._names[table] = self._list(table)
        found = []
        for name in self._names[table].get(group, ()):
            path = self.folder / table / name
            if path not in self._known:
                self._known[path] = read_part(path, key)
            found.append(self._known[path])
        return found

    def publish(self, files: Mapping[Path, Path]) -> None:
        """Give staged *files* (staged -> part) their names, all of them even if this process dies here.

        The order is kept: who reads meanwhile sees earlier ones first.
        """
        if not files:
            return
        with explained(self.folder):
            try:
                self._write_intent(files)
            finally:
                remove(self._hold / _DRAFT)
            self._finish_intent()
        for path in files.values():
            self._known.pop(path, None)
            self._remember(path)

    def settle(self) -> None:
        """Do the rest of what a failed rename left: the disk may be well again.

        Before anything is compared with what is there, and so before anything else is published.
        """
        if (self._hold / _INTENT).exists():
            with explained(self.folder):
                self._finish_intent()
            self._names.clear()
            self._known.clear()

    def _write_intent(self, files: Mapping[Path, Path]) -> None:
        """Bring the files together in one folder, and let it become the intent by one rename."""
        draft = self._hold / _DRAFT
        draft.mkdir()
        for number, staged in enumerate(files):
            sync(staged)
            staged.replace(draft / str(number))
        names = draft / _NAMES
        names.write_text(json.dumps([path.relative_to(self.folder).as_posix() for path in files.values()]))
        sync(names)
        sync(draft)
        draft.replace(self._hold / _INTENT)
        sync(self._hold)

    def _finish_intent(self) -> None:
        intent = self._hold / _INTENT
        if (intent / _NAMES).exists():
            names = json.loads((intent / _NAMES).read_text(encoding="utf-8"))
            for number, name in enumerate(names):
                if (intent / str(number)).exists():
                    (intent / str(number)).replace(self.folder / name)
            for folder in {(self.folder / name).parent for name in names}:
                sync(folder)
        remove(intent)

    def _list(self, table: str) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        with explained(self.folder / table):
            for name in sorted(path.name for path in (self.folder / table).glob("part-*-*.parquet")):
                groups.setdefault(name.split("-")[1], []).append(name)
        return groups

    def _remember(self, path: Path) -> None:
        names = self._names.get(path.parent.name)
        if names is not None:
            group = names.setdefault(path.name.split("-")[1], [])
            if path.name not in group:
                group.append(path.name)
