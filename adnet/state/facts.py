"""Small things learned about an account or a host: update verb, paging mode, how long a report takes."""

from typing import Final

from adnet.clock import Clock
from adnet.state.database import Database, to_us

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS facts (scope TEXT, name TEXT, value TEXT NOT NULL, "
    "updated_us INTEGER NOT NULL, PRIMARY KEY (scope, name)) WITHOUT ROWID"
)


class Facts:
    """Texts by scope (an account's key or a host) and name; losing one only costs learning it again.

    Every call raises :class:`StateError` when the file is locked or damaged.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        database.define(_SCHEMA)

    def get(self, scope: str, name: str) -> str | None:
        """Return what was learned, or None."""
        rows = self._database.rows("SELECT value FROM facts WHERE scope = ? AND name = ?", scope, name)
        return str(rows[0][0]) if rows else None

    def put(self, scope: str, name: str, value: str) -> None:
        """Remember *value*, in place of what was learned before; the same value again writes nothing."""
        if self.get(scope, name) == value:
            return
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO facts VALUES (?, ?, ?, ?)",
                (scope, name, value, to_us(self._clock.now())),
            )

    def swap(self, scope: str, name: str, value: str, *, before: str | None) -> bool:
        """Remember *value* if *before* is still what is known; say whether it was. Of several processes one wins."""
        now = to_us(self._clock.now())
        with self._database.transaction() as connection:
            if before is None:
                done = connection.execute(
                    "INSERT OR IGNORE INTO facts VALUES (?, ?, ?, ?)", (scope, name, value, now)
                )
            else:
                done = connection.execute(
                    "UPDATE facts SET value = ?, updated_us = ? WHERE scope = ? AND name = ? AND value = ?",
                    (value, now, scope, name, before),
                )
        return done.rowcount == 1

    def forget(self, scope: str, name: str | None = None) -> None:
        """Drop one fact, or all of a scope."""
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM facts WHERE scope = ? AND name = coalesce(?, name)", (scope, name)
            )
