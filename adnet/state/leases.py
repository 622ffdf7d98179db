"""Who is alone at something, over all processes on one state."""

import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

from adnet.clock import Clock
from adnet.errors import StateError
from adnet.state.database import Database, to_us
from adnet.state.owners import Owners

_POLL_S: Final = 0.2
"""No process tells another that it is done, so that one that waits has to ask."""

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS leases (name TEXT PRIMARY KEY, number INTEGER NOT NULL, owner TEXT NOT NULL, "
    "until_us INTEGER NOT NULL) WITHOUT ROWID"
)


class Leases:
    """Leases by name. One that ran out, or whose process died, can be taken by the next."""

    def __init__(self, database: Database, clock: Clock, owners: Owners) -> None:
        self._database = database
        self._clock = clock
        self._owners = owners
        self._held: set[str] = set()
        """Names whose block is under way here; whatever the clock says, nobody else of this state enters it."""
        database.define(_SCHEMA)

    @asynccontextmanager
    async def alone(self, name: str, *, most_s: float) -> AsyncIterator[None]:
        """Wait until nobody else has the lease *name*, and hold it for the block. Not to be nested for one name.

        Args:
            name: What for.
            most_s: After so many seconds other processes no longer wait for the block's end, by the machine's clock.

        Raises:
            StateError: The state is locked or damaged; the block was not entered.
        """
        while (number := self._taken(name, most_s)) is None:
            await self._clock.sleep(_POLL_S)
        self._held.add(name)
        try:
            yield
        finally:
            self._held.discard(name)
            with suppress(StateError):  # it ends by itself
                self._give_back(name, number)

    def prune(self) -> None:
        """Delete the leases that ran out; those of the dead do in time."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM leases WHERE until_us <= ?", (to_us(self._clock.now()),))

    def _taken(self, name: str, most_s: float) -> int | None:
        """Take a lease, unless another has it; return its number."""
        if name in self._held:
            return None
        now, most = self._clock.now(), timedelta(seconds=most_s)
        number = secrets.randbits(62)
        with self._database.transaction() as connection:
            row = connection.execute("SELECT * FROM leases WHERE name = ?", (name,)).fetchone()
            if row and row["owner"] != self._owners.me and self._holds(row, now, most):
                return None
            connection.execute(
                "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)",
                (name, number, self._owners.me, to_us(now + most)),
            )
        return number

    def _holds(self, row: sqlite3.Row, now: datetime, most: timedelta) -> bool:
        # A clock may be set while a lease is held; one that ends much too late was given by a clock that was wrong.
        in_time = to_us(now) < row["until_us"] <= to_us(now + 2 * most)
        return in_time and self._owners.is_alive(row["owner"]) is not False

    def _give_back(self, name: str, number: int) -> None:
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM leases WHERE name = ? AND number = ?", (name, number))
