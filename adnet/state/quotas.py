"""What processes on one state share of a network's limits: uses of windows, and places in flight.

A use is a row with the instant until which it may be made; the caller says which instants no longer count, since only
it knows the network's calendar. A large window is taken from in blocks, whose rest comes back, so that a process
that dies wastes little. Places are leases: what a dead process held is free at once where its death can be seen,
else after a while.
"""

import itertools
import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager
from sqlite3 import Connection
from typing import Final

from adnet.clock import Clock
from adnet.state.database import Database
from adnet.state.owners import Owners

_LEASE_S: Final = 3600.0
"""Longer than a report is under way: a lease is renewed when places change hands, not by a heartbeat. The dead
are seen at once."""
_WANT_S: Final = 1.0
"""How long a process that found no place counts as waiting; it asks again sooner than that."""

_TABLES: Final = (
    """CREATE TABLE IF NOT EXISTS quota_uses (
        number INTEGER PRIMARY KEY, key TEXT NOT NULL, until REAL NOT NULL, units INTEGER NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS quota_uses_key ON quota_uses (key, until, units)",
    """CREATE TABLE IF NOT EXISTS quota_places (
        key TEXT NOT NULL, owner TEXT NOT NULL, part INTEGER NOT NULL, held INTEGER NOT NULL,
        renewed REAL NOT NULL, wanted REAL NOT NULL, PRIMARY KEY (key, owner, part)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS quota_skews (
        scope TEXT PRIMARY KEY, earliest REAL NOT NULL, latest REAL NOT NULL) WITHOUT ROWID""",
)

_PARTS: Final = itertools.count(1)


class QuotaStore:
    """The limits of all processes on one state; each call is one short transaction.

    Instants are seconds since 1970. Every method raises StateError when the state is locked or damaged.

    Args:
        database: The state's file.
        owners: Say who this process is, and whether others live.
        clock: Dates leases.
    """

    def __init__(self, database: Database, owners: Owners, clock: Clock) -> None:
        self._database = database
        self._owners = owners
        self._part = next(_PARTS)  # one process may hold several limiters of one account
        self._clock = clock
        database.define(*_TABLES)

    def take(
        self,
        charges: Sequence[tuple[str, int, int, int, float, float, float]],
        returned: Sequence[tuple[int, int]] = (),
    ) -> tuple[Sequence[tuple[int, int]], None] | tuple[None, tuple[int, float | None]]:
        """Take all *charges* or none, after giving back what is *returned*.

        Args:
            charges: For each window its key, its limit, the units needed, the units welcome, the instant until
                which they may be used, and the instant before which older uses no longer count.
            returned: Numbers of earlier grants, and their units that were never used.

        Returns:
            A number and the units granted for each charge; or the position of the first charge without room and
            the instant of the use that has to leave its window before (None when it can never fit).
        """
        grants: list[tuple[int, int]] = []
        with self._database.transaction() as connection:
            _give_back(connection, returned)
            for position, (key, limit, needed, _, _, since, latest) in enumerate(charges):
                connection.execute(
                    "DELETE FROM quota_uses WHERE key = ? AND (until < ? OR until > ?)", (key, since, latest)
                )
                room = limit - _sum(connection, key, since)
                if room < needed:
                    return None, (position, _first_to_leave(connection, key, needed - room))
                grants.append((secrets.randbits(62), min(room, charges[position][3])))
            connection.executemany(
                "INSERT INTO quota_uses (number, key, until, units) VALUES (?, ?, ?, ?)",
                [
                    (number, charge[0], charge[4], units)
                    for charge, (number, units) in zip(charges, grants, strict=True)
                ],
            )
        return grants, None

    def give_back(self, returned: Sequence[tuple[int, int]]) -> None:
        """Give back units that were taken and never used: numbers of grants, and their units."""
        if returned:
            with self._database.transaction() as connection:
                _give_back(connection, returned)

    def used(self, key: str, since: float) -> tuple[int, float | None]:
        """Return the units used since an instant, and the instant of the first such use; None where there is none."""
        sql = "SELECT COALESCE(SUM(units), 0), MIN(until) FROM quota_uses WHERE key = ? AND until >= ? AND units > 0"
        units, first = self._database.rows(sql, key, since)[0]
        return int(units), first

    def at_once(self) -> AbstractContextManager[object]:
        """Return a context in which all calls are one transaction."""
        return self._database.transaction()

    def hold(self, key: str, *, cap: int, in_use: int, wanted: int) -> tuple[int, bool]:
        """Lease places of a bucket; return how many we hold from now on, and whether nobody else has or wants any.

        Never more than *cap* over all processes. Who holds more than its share while another one waits gets only
        what is *in_use*, until it is down to its share.

        Args:
            key: The bucket.
            cap: Places over all processes.
            in_use: Those of ours that are taken.
            wanted: Those we would like to hold, the ones in use included; 0 gives all back.
        """
        now = self._clock.now().timestamp()
        with self._database.transaction() as connection:
            mine, others, active, rivals = self._survey(connection, key, now)
            share = cap
            if rivals:
                # With fewer places than processes they take turns: who has had one steps back.
                share = -(-cap // active) if cap >= active else int(mine == 0)
            held = max(in_use, min(wanted, cap - others, share))
            self._lease(connection, key, held, now, waits=wanted > held)
        return held, active == 1

    def skew(self, scope: str) -> tuple[float, float] | None:
        """Return the remembered bounds of the server's clock minus ours, in seconds; None when unknown."""
        rows = self._database.rows("SELECT earliest, latest FROM quota_skews WHERE scope = ?", scope)
        return (float(rows[0][0]), float(rows[0][1])) if rows else None

    def remember_skew(self, scope: str, bounds: tuple[float, float]) -> None:
        """Remember the bounds of the server's clock minus ours, in seconds."""
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO quota_skews VALUES (?, ?, ?)", (scope, *bounds))

    def __repr__(self) -> str:
        return f"QuotaStore({self._database.name!r})"

    def _survey(self, connection: Connection, key: str, now: float) -> tuple[int, int, int, bool]:
        """Return our places, those of others, how many processes want any, and whether another one waits."""
        mine, others, active, rivals = 0, 0, 1, False
        rows = connection.execute("SELECT * FROM quota_places WHERE key = ?", (key,)).fetchall()
        # Most parts are often of this process, which lives; to ask takes longer than all the rest.
        dead = {
            one
            for one in {row["owner"] for row in rows} - {self._owners.me}
            if self._owners.is_alive(one) is False
        }
        for row in rows:
            if (row["owner"], row["part"]) == (self._owners.me, self._part):
                mine = row["held"]
                continue
            waits = row["wanted"] > now - _WANT_S
            if row["renewed"] < now - _LEASE_S or row["owner"] in dead:
                connection.execute(
                    "DELETE FROM quota_places WHERE key = ? AND owner = ? AND part = ?",
                    (key, row["owner"], row["part"]),
                )
                continue
            others += row["held"]
            active += bool(row["held"] or waits)
            rivals = rivals or waits
        return mine, others, active, rivals

    def _lease(self, connection: Connection, key: str, held: int, now: float, *, waits: bool) -> None:
        if held or waits:
            connection.execute(
                "INSERT OR REPLACE INTO quota_places VALUES (?, ?, ?, ?, ?, ?)",
                (key, self._owners.me, self._part, held, now, now if waits else 0.0),
            )
        else:
            connection.execute(
                "DELETE FROM quota_places WHERE key = ? AND owner = ? AND part = ?",
                (key, self._owners.me, self._part),
            )


def _sum(connection: Connection, key: str, since: float) -> int:
    sql = "SELECT COALESCE(SUM(units), 0) FROM quota_uses WHERE key = ? AND until >= ?"
    return int(connection.execute(sql, (key, since)).fetchone()[0])


def _give_back(connection: Connection, returned: Sequence[tuple[int, int]]) -> None:
    connection.executemany(
        "UPDATE quota_uses SET units = units - ? WHERE number = ?",
        [(units, number) for number, units in returned],
    )


def _first_to_leave(connection: Connection, key: str, missing: int) -> float | None:
    """Return the instant of the use whose leaving makes up for *missing* units."""
    for row in connection.execute("SELECT until, units FROM quota_uses WHERE key = ? ORDER BY until", (key,)):
        missing -= row["units"]
        if missing <= 0:
            return float(row["until"])
    return None
