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

_SAME: Final = 0
_RAW_ONLY: Final = 1
_CHANGED: Final = 2


@attrs.frozen
class Stage:
    """Staged rows of one table, as DuckDB can read them."""

    table: Table
    relation: str
    """SQL that stands after FROM; has the table's columns and ``file_row_number``, their order of arrival."""
    rows: int
    scope: str
    """Condition that all landed rows of the same origin fulfil, and as few others as possible."""


def merge(connection: Any, stage: Stage, *, replaced_at: str) -> Landed:
    """Upsert *stage* within the open transaction, and return what it did.

    Args:
        connection: Of DuckDB, inside a transaction.
        stage: What to land.
        replaced_at: SQL literal; the stamp of rows that move to the history.
    """
    losers = _drop_repeated(connection, stage)
    rows = stage.rows - losers
    target = quoted(stage.table.name)
    if not _any(connection, f"SELECT 1 FROM {target} WHERE {stage.scope} LIMIT 1"):
        _insert(connection, stage, "adnet_losers" if losers else None)
        return Landed(rows, rows, 0)
    _match(connection, stage, skip_losers=bool(losers))
    counts = dict(connection.execute("SELECT state, count(*) FROM adnet_match GROUP BY state").fetchall())
    new, changed = rows - sum(counts.values()), counts.get(_CHANGED, 0)
    if changed and stage.table.history:
        _keep_history(connection, stage.table, replaced_at)
    if changed or counts.get(_RAW_ONLY, 0):
        connection.execute(
            f"DELETE FROM {target} WHERE rowid IN (SELECT old FROM adnet_match WHERE state <> {_SAME})"
        )
    if new or changed or counts.get(_RAW_ONLY, 0):
        connection.execute(f"DELETE FROM adnet_match WHERE state <> {_SAME}")
        if losers:
            connection.execute("INSERT INTO adnet_match SELECT NULL, seq, 0 FROM adnet_losers")
        _insert(connection, stage, "adnet_match")
    return Landed(rows, new, changed)


def _any(connection: Any, query: str) -> bool:
    return connection.execute(query).fetchone() is not None


def _digest(names: Iterable[str]) -> str:
    """Return SQL for 128 bits that tell keys apart; lengths keep ('a', 'bc') from ('ab', 'c')."""
    words = [f"{quoted(name)}::VARCHAR" for name in names]
    return "md5_number(concat({}))".format(", ".join(f"strlen({word}), ':', {word}" for word in words))


def _fingerprint(table: Table) -> str:
    # DuckDB hashes an empty list like NULL; their lengths, 0 and NULL, it tells apart.
    lengths = [f"len({quoted(name)})" for name in table.compared if table.columns[name] == "texts"]
    return f"hash({', '.join([columns_of(table.compared), *lengths])})"


def _drop_repeated(connection: Any, stage: Stage) -> int:
    """Fill ``adnet_losers`` with the rows whose key comes again later, and return how many they are."""
    key = _digest(stage.table.full_key)
    quick = f"hash({columns_of(stage.table.full_key)})"
    repeated = f"SELECT {quick} AS h FROM {stage.relation} GROUP BY h HAVING count(*) > 1"
    if stage.rows < 2 or not _any(connection, f"{repeated} LIMIT 1"):
        return 0
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE adnet_losers AS SELECT seq FROM"
        f" (SELECT file_row_number AS seq, {key} AS k FROM {stage.relation} WHERE {quick} IN ({repeated}))"
        f" QUALIFY row_number() OVER (PARTITION BY k ORDER BY seq DESC) > 1"
    )
    return int(connection.execute("SELECT count(*) FROM adnet_losers").fetchone()[0])


def _match(connection: Any, stage: Stage, *, skip_losers: bool) -> None:
    """Fill ``adnet_match`` with the landed row, the staged row and how they differ, for keys that are in both."""
    seen = f"{_digest(stage.table.full_key)} AS k, {_fingerprint(stage.table)} AS f, hash(raw) AS g"
    losers = " WHERE file_row_number NOT IN (SELECT seq FROM adnet_losers)" if skip_losers else ""
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE adnet_match AS"
        f" SELECT landed.old, staged.seq, CASE WHEN landed.f <> staged.f THEN {_CHANGED}"
        f" WHEN landed.g <> staged.g AND staged.has_raw THEN {_RAW_ONLY} ELSE {_SAME} END AS state"
        f" FROM (SELECT rowid AS old, {seen} FROM {quoted(stage.table.name)} WHERE {stage.scope}) AS landed"
        f" JOIN (SELECT file_row_number AS seq, raw IS NOT NULL AS has_raw, {seen} FROM {stage.relation}{losers})"
        f" AS staged ON landed.k = staged.k"
    )


def _keep_history(connection: Any, table: Table, replaced_at: str) -> None:
    names = columns_of(table.full_columns)
    connection.execute(
        f"INSERT INTO {quoted(history_of(table))} ({names}, replaced_at)"
        f" SELECT {names}, {replaced_at} FROM {quoted(table.name)}"
        f" WHERE rowid IN (SELECT old FROM adnet_match WHERE state = {_CHANGED})"
    )


def _insert(connection: Any, stage: Stage, skip: str | None) -> None:
    """Insert the staged rows but those that *skip* names."""
    names = columns_of(stage.table.full_columns)
    but = f" WHERE file_row_number NOT IN (SELECT seq FROM {skip})" if skip else ""
    connection.execute(
        f"INSERT INTO {quoted(stage.table.name)} ({names}) SELECT {names} FROM {stage.relation}{but}"
    )


def scope_of(network: str, account: str) -> str:
    """Return the condition that rows of one account fulfil."""
    return f"network = {literal(network)} AND account = {literal(account)}"
