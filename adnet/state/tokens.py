"""Tokens that many processes share, and the lease that lets only one of them refresh at a time.

The life of a refresh: :meth:`TokenStore.lease`, read the token again (another may have been faster),
:meth:`~TokenStore.begin_refresh`, the request, :meth:`~TokenStore.save`, :meth:`~TokenStore.release`. A kill
after ``begin_refresh`` leaves a mark, so that the next holder knows that the stored token may be used up.

Each lease has a number, its fence, that only grows. A lease that ran out can be taken by another, and the
first holder may still come back from the network: with rotating refresh tokens it then has the only pair that
works. So what counts is not who holds the lease, but what was stored: a save is refused when one of a later
lease, a login or a deletion came before it.
"""

import sqlite3
from datetime import datetime, timedelta
from typing import Any, Final

import attrs
import msgspec

from adnet.clock import Clock
from adnet.errors import StateError
from adnet.periods import utc
from adnet.redact import Scrubber
from adnet.state.cipher import Cipher
from adnet.state.database import Database, from_us, to_us
from adnet.state.owners import Owners

_SCHEMA: Final = """CREATE TABLE IF NOT EXISTS tokens (
    key TEXT PRIMARY KEY, body BLOB, generation INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0, saved_fence INTEGER NOT NULL DEFAULT 0,
    lease_owner TEXT, lease_until_us INTEGER, pending_us INTEGER, pending_fence INTEGER,
    failure TEXT, failure_until_us INTEGER)"""
_SCRUBBER: Final = Scrubber()
_BRACE: Final = b"{"


class LeaseLostError(StateError):
    """Another holder's token, a login or a deletion came first: read the token again."""


@attrs.frozen(kw_only=True)
class StoredToken:
    """One account's tokens and what is known about them."""

    access_token: str = attrs.field(repr=False)
    refresh_token: str | None = attrs.field(default=None, repr=False)
    expires_at: datetime | None = attrs.field(default=None, converter=attrs.converters.optional(utc))
    """None for a token that does not expire, or whose end is not known."""
    issued_at: datetime = attrs.field(converter=utc)
    """When the access token was given, by this machine's clock."""
    granted_at: datetime | None = attrs.field(default=None, converter=attrs.converters.optional(utc))
    """When it was issued, before any refresh; None where that is not known."""
    scope: str | None = None
    generation: int = 0
    """Grows by one with every save; tells a token from the one before it."""
    refreshes: int = 0
    """How often it was refreshed since it was issued."""
    issues: int = 0
    """How often a token was issued, rather than refreshed, for this account."""


@attrs.frozen(kw_only=True)
class Lease:
    """The right to refresh one token, until it ends or its process dies."""

    key: str
    owner: str
    fence: int
    """Number of the lease; only grows."""
    expires_at: datetime


class TokenStore:
    """Tokens by key, one for each account.

    Every call raises :class:`StateError` when the file is locked or damaged. Saving waits for the disk, since
    a rotated refresh token that is lost costs a login.

    Args:
        owners: Say whether the holder of a lease lives.
        cipher: Encrypts token texts; those stored in clear before are encrypted at once.
    """

    def __init__(
        self, database: Database, clock: Clock, owners: Owners, cipher: Cipher | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._owners = owners
        self._cipher = cipher
        database.define(_SCHEMA)
        if cipher:
            self._seal_clear_ones(cipher)

    def load(self, key: str) -> StoredToken | None:
        """Return the stored token, or None.

        Raises:
            StateError: It cannot be read, or was encrypted with another key.
        """
        rows = self._database.rows(
            "SELECT CAST(body AS BLOB) FROM tokens WHERE key = ? AND body IS NOT NULL", key
        )
        return self._decode(key, rows[0][0]) if rows else None

    def save(self, key: str, token: StoredToken, *, fence: int | None = None) -> StoredToken:
        """Store *token* and return it with its generation; clears pending refreshes and the noted failure.

        A refresh gives its lease's *fence*. Without one, as after a login, refreshes under way become void.

        Raises:
            LeaseLostError: Something newer was stored, or the token was deleted, since the lease was given.
        """
        with self._database.transaction(durable=True) as connection:
            row = _row(connection, key)
            if fence is not None and not row["saved_fence"] <= fence <= row["fence"]:
                raise LeaseLostError(f"the token of {key} was replaced during the refresh: read it again")
            token = attrs.evolve(token, generation=row["generation"] + 1)
            if fence is None:
                fence = row["fence"] + 1
                _update(connection, key, fence=fence, lease_owner=None)
            if row["pending_fence"] is not None and row["pending_fence"] <= fence:
                _update(connection, key, pending_us=None, pending_fence=None)
            _update(
                connection, key, body=self._encode(token), generation=token.generation, saved_fence=fence,
                failure=None, failure_until_us=None,
            )  # fmt: skip
        return token

    def delete(self, key: str, *, failure: tuple[str, datetime] | None = None) -> None:
        """Remove the token, so that no refresh under way can bring it back; *failure* is noted in its place.

        At once: between the two another process could ask for a token, whose save would clear the note.
        """
        with self._database.transaction(durable=True) as connection:
            fence = _row(connection, key)["fence"] + 1
            _update(
                connection, key, body=None, fence=fence, saved_fence=fence, lease_owner=None,
                pending_us=None, pending_fence=None, failure=None, failure_until_us=None,
            )  # fmt: skip
            if failure is not None:
                self.note_failure(key, *failure)

    def lease(self, key: str, owner: str, ttl_s: float = 30) -> Lease | None:
        """Take the right to refresh for *ttl_s* seconds; None while another has it, the same owner too.

        A lease that ran out, or whose process died, can be taken.
        """
        now = self._clock.now()
        with self._database.transaction() as connection:
            row = _row(connection, key)
            holder, until_us = row["lease_owner"], row["lease_until_us"] or 0
            if holder is not None and to_us(now) < until_us and self._owners.is_alive(holder) is not False:
                return None
            lease = Lease(
                key=key, owner=owner, fence=row["fence"] + 1, expires_at=now + timedelta(seconds=ttl_s)
            )
            until_us = to_us(lease.expires_at)
            _update(connection, key, fence=lease.fence, lease_owner=owner, lease_until_us=until_us)
        return lease

    def release(self, lease: Lease) -> None:
        """Give the lease back; one that was lost already is no error."""
        with self._database.transaction() as connection:
            if _row(connection, lease.key)["fence"] == lease.fence:
                _update(connection, lease.key, lease_owner=None)

    def begin_refresh(self, key: str, fence: int) -> None:
        """Note that a refresh is about to be sent.

        Raises:
            LeaseLostError: The lease is no longer the current one; nothing may be sent.
        """
        with self._database.transaction() as connection:
            if _row(connection, key)["fence"] != fence:
                raise LeaseLostError(f"the lease on the token of {key} was lost: read the token again")
            _update(connection, key, pending_us=to_us(self._clock.now()), pending_fence=fence)

    def end_refresh(self, key: str, fence: int) -> None:
        """Note that the refresh begun with *fence* is known not to have changed anything, e.g. refused."""
        with self._database.transaction() as connection:
            if _row(connection, key)["pending_fence"] == fence:
                _update(connection, key, pending_us=None, pending_fence=None)

    def pending_refresh(self, key: str) -> datetime | None:
        """Return when a refresh was begun whose end is not known, or None."""
        rows = self._database.rows("SELECT pending_us FROM tokens WHERE key = ?", key)
        return from_us(rows[0][0]) if rows and rows[0][0] is not None else None

    def note_failure(self, key: str, error_text: str, until: datetime) -> None:
        """Remember that the token endpoint refused, so that no process asks it again before *until*."""
        text = _SCRUBBER.text(error_text)
        with self._database.transaction() as connection:
            _row(connection, key)
            _update(connection, key, failure=text, failure_until_us=to_us(until))

    def failure(self, key: str) -> tuple[str, datetime] | None:
        """Return the failure that still holds, and until when, or None."""
        rows = self._database.rows(
            "SELECT failure, failure_until_us FROM tokens WHERE key = ? AND failure_until_us > ?",
            key,
            to_us(self._clock.now()),
        )
        return (str(rows[0][0]), from_us(rows[0][1])) if rows else None

    def _encode(self, token: StoredToken) -> bytes:
        body = msgspec.json.encode(token)
        return self._cipher.seal(body) if self._cipher else body

    def _decode(self, key: str, body: bytes) -> StoredToken:
        clear = body.startswith(_BRACE)
        if not clear and self._cipher is None:
            raise StateError(f"the token of {key} is encrypted: configure the state's key")
        text = self._cipher.unseal(body) if self._cipher and not clear else body
        try:
            return msgspec.json.decode(text, type=StoredToken)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # Not the decoder's words: they could quote the token.
            raise StateError(f"the token of {key} cannot be read: log in again") from None

    def _seal_clear_ones(self, cipher: Cipher) -> None:
        # After a key was configured for the first time, or a process without one has written.
        clear = "SELECT key, body FROM tokens WHERE substr(body, 1, 1) = ?"
        if not self._database.rows(clear, _BRACE):
            return
        with self._database.transaction(durable=True) as connection:
            for row in connection.execute(clear, (_BRACE,)).fetchall():
                _update(connection, row["key"], body=cipher.seal(row["body"]))
        # The write-ahead log still holds the clear texts; this empties it unless another process reads.
        self._database.rows("PRAGMA wal_checkpoint(TRUNCATE)")


def _row(connection: sqlite3.Connection, key: str) -> sqlite3.Row:
    connection.execute("INSERT OR IGNORE INTO tokens (key) VALUES (?)", (key,))
    row: sqlite3.Row = connection.execute("SELECT * FROM tokens WHERE key = ?", (key,)).fetchone()
    return row


def _update(connection: sqlite3.Connection, key: str, **values: Any) -> None:
    names = ", ".join(f"{name} = ?" for name in values)
    connection.execute(f"UPDATE tokens SET {names} WHERE key = ?", (*values.values(), key))  # noqa: S608
