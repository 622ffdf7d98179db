"""What a place to land rows promises.

A *sink* is one place (a file, a folder, a stream); a *landing* is one unit of work of one account in it: written
in as many pieces as the caller likes, then committed as a whole or not at all.

What every sink does alike, with the tables of `adnet.models.tables`:

- A row is known by network, account and its table's key. Its first landing inserts it.
- A row whose compared columns are all equal to what has landed is left alone, down to its ``fetched_at``; if only
  ``raw`` is another, ``raw`` and ``fetched_at`` are replaced, unless the landing has no ``raw`` at all.
- Any other difference replaces the row; in tables with a history the old row moves to ``<table>_history`` and is
  stamped there with ``replaced_at``.
- Rows that are not in a landing stay; `count` lets a pull find out that there are some.
- A key that comes twice in one landing lands as it came last.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol, Self

import attrs

from adnet.models.tables import Columns


@attrs.frozen
class Landed:
    """What one landing did to one table."""

    rows: int
    """Rows of the landing, each key counted once."""
    new_rows: int
    """Rows whose key had not landed before."""
    changed_rows: int
    """Rows that replaced a different one; those that differ in ``raw`` only do not count."""


@attrs.frozen(kw_only=True)
class Stretch:
    """Rows of one table of one account whose time lies in ``[since, until)``."""

    network: str
    account: str
    table: str
    """The name of one that has a column of time."""
    since: date
    """A day where the table knows its rows by the day, else an aware instant; likewise *until*."""
    until: date
    levels: tuple[str, ...] = ()
    """Of statistics; without any, rows of all of them."""


class Landing(Protocol):
    """One unit of work of one account: all of it lands, or nothing."""

    async def write(self, table: str, columns: Columns) -> None:
        """Stage rows of *table*; memory does not grow with what was staged before.

        Args:
            table: A name of `adnet.models.TABLES`.
            columns: Every column of the table and ``raw``; network, account and fetched_at are added here.

        Raises:
            PayloadError: A value does not fit its column, or a row has no key: this landing is of no use, the sink is.
            SinkError: There is no room to stage these rows or earlier ones: a sink may be a little behind, and tells
                of it with the commit at the latest.
        """
        ...

    async def commit(self) -> dict[str, Landed]:
        """Land what was written, atomically, and return what it did to each table.

        When a caller is cancelled here, the landing has happened as a whole or not at all.

        Raises:
            SinkError: Nothing of this landing has landed; the same rows can be landed again.
        """
        ...

    async def rollback(self) -> None:
        """Forget what was written and leave nothing behind; may be called at any time, also twice."""
        ...


class Sink(Protocol):
    """One place to land rows; use it as an async context manager, which is there for who inherits from this."""

    @property
    def uri(self) -> str:
        """The URI it was opened by, e.g. ``"duckdb:ads.duckdb"``."""
        ...

    async def open(self) -> None:
        """Create what is missing, take the place for this process alone, and finish what a kill cut short.

        Raises:
            SinkError: The place is in use, damaged, or not writable; the message names it and the remedy.
        """
        ...

    def landing(
        self, *, network: str, account: str, fetched_at: datetime, replaced_at: datetime | None = None
    ) -> Landing:
        """Return a new landing; several may be under way, their commits follow one another.

        Args:
            network: The network's slug, for every row.
            account: The account's name in the configuration, for every row.
            fetched_at: Aware; when the network gave these rows.
            replaced_at: Aware; the stamp of rows that move to a history table. By default the instant of commit.
        """
        ...

    async def record(self, pulls: Sequence[Mapping[str, Any]]) -> None:
        """Land rows of the ``pulls`` table, an upsert on its key.

        Args:
            pulls: Each with ``network``, ``account`` and columns of `adnet.models.tables.PULLS`; those that are
                not given are NULL.

        Raises:
            SinkError: As for a landing.
        """
        ...

    async def recorded(self, pull_id: str) -> bool:
        """Say whether a run has been recorded here: only then may another run go on where it was cut short."""
        ...

    async def count(self, stretch: Stretch) -> int | None:  # noqa: ARG002 - for those who can tell
        """Return how many rows of *stretch* have landed here so far; None where the place cannot tell.

        Raises:
            SinkError: The place cannot be read.
        """
        return None

    async def close(self) -> None:
        """Finish and release the place; may be called twice."""
        ...

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
