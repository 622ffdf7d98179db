"""The upsert of one staged table into DuckDB, in set operations that spill and never need a row's turn.

Rows are matched by a 128-bit digest of their key and compared by a 64-bit fingerprint of what counts, so that a
join of five million rows with five million fits in tens of megabytes. There is no primary key: its index would
live in memory and grow with the table.
"""
# ruff: noqa: S608  names and values in these statements are ours, and quoted

from collections.abc import Iterable
from typing import Any, Final

import attrs

from adnet.models.tables import Table
from adnet.sinks._sql import columns_of, history_of, literal, quoted
from adnet.sinks.base import Landed

_NEW: Final = 0
_CHANGED: Final = 1
_RAW_ONLY: Final = 2
_SLICE: Final = 250_000


@attrs.frozen
class Stage:
    """Staged rows of one table, as DuckDB can read them."""

    table: Table
    relation: str
    """SQL that stands after FROM; has the table's columns and ``file_row_number``, their order of arrival."""
    rows: int
    scope: str
    """Condition that all landed rows of the same origin fulfil, and as few others as possible."""
    distinct: bool = False
    """Whether it is known that no key comes twice."""


def merge(connection: Any, stage: Stage, *, replaced_at: str) -> Landed:
    """Upsert *stage* within the open transaction, and return what it did.

    Args:
        connection: Of DuckDB, inside a transaction.
        stage: What to land.
        replaced_at: SQL literal; the stamp of rows that move to the history.
    """
    losers = _find_repeated(connection, stage)
    rows = stage.rows - losers
    if not losers and not _any(
        connection, f"SELECT 1 FROM {quoted(stage.table.name)} WHERE {stage.scope} LIMIT 1"
    ):
        _insert(connection, stage, whole=True)
        return Landed(rows, rows, 0)
    _match(connection, stage, but_losers=bool(losers))
    counts = dict(connection.execute("SELECT state, count(*) FROM adnet_work GROUP BY state").fetchall())
    new, changed = counts.get(_NEW, 0), counts.get(_CHANGED, 0)
    if new < sum(counts.values()):
        _remove_old(connection, stage.table, replaced_at)
    if counts:
        _insert(connection, stage, whole=new == stage.rows)
    return Landed(rows, new, changed)


def replace(connection: Any, table: Table, relation: str, scope: str) -> None:
    """Put the rows of *relation* in place of those of the same keys, within the open transaction.

    For few rows, of which nobody asks what was new; it takes two statements where `merge` takes seven.

    Args:
        connection: Of DuckDB, inside a transaction.
        table: Where they land.
        relation: SQL that stands after FROM; has the table's columns, and no key twice.
        scope: Condition that all landed rows of the same keys fulfil, and few others.
    """
    names, key, target = columns_of(table.full_columns), columns_of(table.full_key), quoted(table.name)
    connection.execute(f"DELETE FROM {target} WHERE {scope} AND ({key}) IN (SELECT {key} FROM {relation})")
    connection.execute(f"INSERT INTO {target} ({names}) SELECT {names} FROM {relation}")


def _any(connection: Any, query: str) -> bool:
    return connection.execute(query).fetchone() is not None


def _digest(names: Iterable[str]) -> str:
    """Return SQL for 128 bits that tell keys apart; lengths keep ('a', 'bc') from ('ab', 'c')."""
    words = [f"{quoted(name)}::VARCHAR" for name in names]
    return "md5_number(concat({}))".format(", ".join(f"strlen({word}), ':', {word}" for word in words))


def _quick(table: Table) -> str:
    """Return SQL for 64 bits of a key: equal keys have the same, whatever the types that they are read as."""
    return f"hash({', '.join(f'{quoted(name)}::VARCHAR' for name in table.full_key)})"


def _fingerprint(table: Table) -> str:
    # DuckDB hashes an empty list like NULL; their lengths, 0 and NULL, it tells apart.
    lengths = [f"len({quoted(name)})" for name in table.compared if table.columns[name] == "texts"]
    return f"hash({', '.join([columns_of(table.compared), *lengths])})"


def _find_repeated(connection: Any, stage: Stage) -> int:
    """Fill ``adnet_losers`` with the rows whose key comes again later, and return how many they are."""
    key = _digest(stage.table.full_key)
    quick = _quick(stage.table)
    repeated = f"SELECT {quick} AS h FROM {stage.relation} GROUP BY h HAVING count(*) > 1"
    if stage.distinct or not _any(connection, f"{repeated} LIMIT 1"):
        return 0
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE adnet_losers AS SELECT seq FROM"
        f" (SELECT file_row_number AS seq, {key} AS k FROM {stage.relation} WHERE {quick} IN ({repeated}))"
        f" QUALIFY row_number() OVER (PARTITION BY k ORDER BY seq DESC) > 1"
    )
    return int(connection.execute("SELECT count(*) FROM adnet_losers").fetchone()[0])


def _match(connection: Any, stage: Stage, *, but_losers: bool) -> None:
    """Fill ``adnet_work`` with the staged rows that have to land, and the landed row that each replaces.

    Rows that are equal to what has landed do not appear, so that the table is as large as the work. Of the landed
    rows only those are read whole whose key has the hash of a staged one: a night brings few rows, and meets years.
    """
    target, near = quoted(stage.table.name), _quick(stage.table)
    alike = (
        f"SELECT rowid FROM {target} WHERE {stage.scope} AND {near} IN (SELECT {near} FROM {stage.relation})"
    )
    seen = f"{_digest(stage.table.full_key)} AS k, {_fingerprint(stage.table)} AS f, hash(raw) AS g"
    losers = " WHERE file_row_number NOT IN (SELECT seq FROM adnet_losers)" if but_losers else ""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE adnet_work AS SELECT seq, old, state FROM ("
        f" SELECT staged.seq, landed.old, CASE WHEN landed.old IS NULL THEN {_NEW}"
        f" WHEN landed.f <> staged.f THEN {_CHANGED}"
        f" WHEN landed.g <> staged.g AND staged.has_raw THEN {_RAW_ONLY} END AS state"
        f" FROM (SELECT file_row_number AS seq, raw IS NOT NULL AS has_raw, {seen} FROM {stage.relation}{losers})"
        f" AS staged LEFT JOIN"
        f" (SELECT rowid AS old, {seen} FROM {target} WHERE rowid IN ({alike})) AS landed"
        f" ON landed.k = staged.k) WHERE state IS NOT NULL"
    )


def _remove_old(connection: Any, table: Table, replaced_at: str) -> None:
    """Remove the landed rows that are going to be replaced; those that changed go to the history."""
    names, target = columns_of(table.full_columns), quoted(table.name)
    for among in _slices(connection, "old", f"adnet_work WHERE state <> {_NEW}"):
        old = f"rowid {among} AND rowid IN (SELECT old FROM adnet_work WHERE old {among}"
        if table.history:
            connection.execute(
                f"INSERT INTO {quoted(history_of(table))} ({names}, replaced_at)"
                f" SELECT {names}, {replaced_at} FROM {target} WHERE {old} AND state = {_CHANGED})"
            )
        connection.execute(f"DELETE FROM {target} WHERE {old})")


def _insert(connection: Any, stage: Stage, *, whole: bool) -> None:
    """Insert the staged rows that ``adnet_work`` names, or the *whole* stage."""
    names = columns_of(stage.table.full_columns)
    insert = f"INSERT INTO {quoted(stage.table.name)} ({names}) SELECT {names} FROM {stage.relation}"
    if whole:
        connection.execute(insert)
        return
    slices = ["IS NOT NULL"] if stage.rows <= _SLICE else _slices(connection, "seq", "adnet_work")
    for among in slices:
        connection.execute(
            f"{insert} WHERE file_row_number {among}"
            f" AND file_row_number IN (SELECT seq FROM adnet_work WHERE seq {among})"
        )


def _slices(connection: Any, column: str, relation: str) -> list[str]:
    """Return conditions that cut *column* into ranges, those with rows only.

    A join that picks wide rows out of millions would spill all of them; by ranges it picks from few, and DuckDB
    skips the row groups outside.
    """
    query = f"SELECT DISTINCT {column} // {_SLICE} FROM {relation} ORDER BY 1"
    starts = [row[0] * _SLICE for row in connection.execute(query).fetchall()]
    return [f"BETWEEN {start} AND {start + _SLICE - 1}" for start in starts]


def scope_of(network: str, account: str) -> str:
    """Return the condition that rows of one account fulfil."""
    return f"network = {literal(network)} AND account = {literal(account)}"
