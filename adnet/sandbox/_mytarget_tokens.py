"""
The token records of the myTarget imitation: issue, refresh, expire, delete.

Source: myTarget help "API authorization", VK Ads "Authorization" (documented):
five records per client and user whatever their state; a refresh replaces the
access token within its record and uses no slot; a record idle for a month goes.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import attrs

from adnet.sandbox._mytarget_wire import Refused
from adnet.sandbox.base import secret

ExpiresStyle: TypeAlias = Literal["int", "text", "null"]

SLOTS = 5
CODE_LIFE = timedelta(hours=1)
IDLE_LIFE = timedelta(days=30)
LIMIT_TEXT = (
    "Active access token limit reached. Please contact support_target@corp.my.com "
    "and provide your client id in the message."
)


@attrs.define(kw_only=True)
class Token:
    """One token record: it holds a slot until it is deleted."""

    client_id: str
    user_id: int
    grant: str
    scope: tuple[str, ...]
    access: str
    refresh: str
    expires_at: datetime | None
    """None for a permanent token."""
    used_at: datetime
    revoked: bool = False
    refreshes: int = 0


@attrs.frozen(kw_only=True)
class Code:
    """An authorization code, good for one exchange."""

    client_id: str
    user_id: int
    scope: tuple[str, ...]
    expires_at: datetime


def oauth_refused(status: int, error: str, description: str) -> Refused:
    """Return the flat answer of the token endpoint."""
    return Refused(status, {"error": error, "error_description": description})


@attrs.define(kw_only=True)
class TokenBook:
    """All token records and codes; secrets depend on the seed and a running number."""

    seed: int
    lifetime: timedelta
    rotate_refresh: bool
    tokens: list[Token] = attrs.field(factory=list)
    codes: dict[str, Code] = attrs.field(factory=dict)
    _by_access: dict[str, Token] = attrs.field(factory=dict)
    _by_refresh: dict[str, Token] = attrs.field(factory=dict)
    _issued: int = 0

    def of(self, client_id: str, user_id: int) -> list[Token]:
        """Return the records of one client and user: its used slots."""
        return [t for t in self.tokens if (t.client_id, t.user_id) == (client_id, user_id)]

    def issue(
        self,
        *,
        client_id: str,
        user_id: int,
        grant: str,
        scope: tuple[str, ...],
        now: datetime,
        permanent: bool = False,
    ) -> Token:
        """Take a slot; the sixth is refused with 403."""
        self._drop_idle(now)
        if len(self.of(client_id, user_id)) >= SLOTS:
            raise oauth_refused(403, "token_limit_exceeded", LIMIT_TEXT)
        token = Token(
            client_id=client_id,
            user_id=user_id,
            grant=grant,
            scope=scope,
            access=self._word("access"),
            refresh=self._word("refresh"),
            expires_at=None if permanent else now + self.lifetime,
            used_at=now,
        )
        self.tokens.append(token)
        self._by_access[token.access] = self._by_refresh[token.refresh] = token
        return token

    def refresh(self, *, client_id: str, refresh: str, now: datetime) -> Token:
        """Replace the access token of a record; the old one is unknown from now on."""
        self._drop_idle(now)
        token = self._by_refresh.get(refresh)
        if token is None or token.client_id != client_id:
            raise oauth_refused(401, "invalid_grant", "Unknown refresh token")
        if token.revoked:
            raise oauth_refused(401, "revoked_token", "Access token has been revoked")
        del self._by_access[token.access]
        token.access = self._word("access")
        self._by_access[token.access] = token
        if token.expires_at is not None:
            token.expires_at = now + self.lifetime
        token.used_at = now
        token.refreshes += 1
        if self.rotate_refresh:
            del self._by_refresh[token.refresh]
            token.refresh = self._word("refresh")
            self._by_refresh[token.refresh] = token
        return token

    def find(self, access: str, now: datetime) -> Token | None:
        """Return the record of an access token; expired and revoked ones, too."""
        token = self._by_access.get(access)
        if token is None:
            return None
        if now - token.used_at > IDLE_LIFE:
            self._drop(token)
            return None
        token.used_at = max(token.used_at, now)
        return token

    def delete(self, client_id: str, user_id: int) -> int:
        """Remove all records of a client and user; returns how many."""
        found = self.of(client_id, user_id)
        for token in found:
            self._drop(token)
        return len(found)

    def revoke(self, user_id: int) -> None:
        """Mark every record of a user as revoked; they go on holding their slots."""
        for token in self.tokens:
            if token.user_id == user_id:
                token.revoked = True

    def new_code(self, *, client_id: str, user_id: int, scope: tuple[str, ...], now: datetime) -> str:
        """Return a code for the redirect; it lives one hour."""
        word = self._word("code")[:20]
        self.codes[word] = Code(client_id=client_id, user_id=user_id, scope=scope, expires_at=now + CODE_LIFE)
        return word

    def look(self, code: str, client_id: str, now: datetime) -> Code:
        """Return what stands behind a code, which stays usable."""
        found = self.codes.get(code)
        if found is None or found.client_id != client_id or found.expires_at <= now:
            raise oauth_refused(400, "invalid_grant", "Unknown or expired code")
        return found

    def slots(self) -> Iterator[tuple[str, int, int]]:
        """Yield client, user and the number of slots in use."""
        pairs = sorted({(token.client_id, token.user_id) for token in self.tokens})
        for client_id, user_id in pairs:
            yield client_id, user_id, len(self.of(client_id, user_id))

    def _word(self, kind: str) -> str:
        self._issued += 1
        return secret(self.seed, "mytarget", kind, self._issued, length=64)

    def _drop_idle(self, now: datetime) -> None:
        for token in [t for t in self.tokens if now - t.used_at > IDLE_LIFE]:
            self._drop(token)

    def _drop(self, token: Token) -> None:
        self.tokens.remove(token)
        self._by_access.pop(token.access, None)
        self._by_refresh.pop(token.refresh, None)
