"""What the token source works with: answers of a token endpoint, stored tokens, and what processes share."""

from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

import attrs

from adnet.clock import Clock
from adnet.transport.token_failures import FailureStore

LONGEST_MARGIN: Final = timedelta(minutes=30)
"""How long before its end a token is refreshed at the earliest."""
MARGIN_SHARE: Final = 10
"""A token is refreshed in the last tenth of its life, if that is shorter."""
_EARLY_S: Final = 600.0


@attrs.frozen(kw_only=True)
class Issued:
    """What a token endpoint answered."""

    access_token: str = attrs.field(repr=False)
    refresh_token: str | None = attrs.field(default=None, repr=False)
    """None where the network keeps the one we have."""
    expires_in_s: float | None = None
    """None for a token without an end, or whose end is not told."""
    scope: str | None = None


class Grant(Protocol):
    """How an account comes to a token."""

    async def issue(self, *, deadline: float) -> Issued:
        """Return a new token. Raises AuthenticationError where only the user can bring one about."""
        ...

    async def refresh(self, refresh_token: str, *, deadline: float) -> Issued | None:
        """Return the refreshed token; None when the network does not know *refresh_token* any more."""
        ...


class Token(Protocol):
    """A stored token."""

    @property
    def access_token(self) -> str:
        """What is sent."""
        ...

    @property
    def refresh_token(self) -> str | None:
        """What the next one is asked for with."""
        ...

    @property
    def expires_at(self) -> datetime | None:
        """When it ends; None when that is not known."""
        ...

    @property
    def issued_at(self) -> datetime:
        """When it was given."""
        ...

    @property
    def granted_at(self) -> datetime | None:
        """When it was issued, before any refresh; None where that is not known."""
        ...

    @property
    def scope(self) -> str | None:
        """What it is good for."""
        ...

    @property
    def generation(self) -> int:
        """Grows with every save."""
        ...

    @property
    def refreshes(self) -> int:
        """How often it was refreshed since it was issued."""
        ...

    @property
    def issues(self) -> int:
        """How often one was issued for this account."""
        ...


class Lease(Protocol):
    """The right to refresh."""

    @property
    def fence(self) -> int:
        """Number of the lease; only grows."""
        ...


T = TypeVar("T", bound=Token)
L = TypeVar("L", bound=Lease)


class TokenStore(FailureStore, Protocol[T, L]):
    """What processes share; see :class:`adnet.state.tokens.TokenStore`."""

    def load(self, key: str) -> T | None:
        """Return the stored token, or None."""
        ...

    def save(self, key: str, token: T, *, fence: int | None = None) -> T:
        """Store a token; refused when something newer was stored since the lease was given."""
        ...

    def delete(self, key: str, *, failure: tuple[str, datetime] | None = None) -> None:
        """Remove the token for good, and note a failure in its place, see note_failure."""
        ...

    def lease(self, key: str, owner: str, ttl_s: float = ...) -> L | None:
        """Take the right to refresh; None while another has it."""
        ...

    def release(self, lease: L) -> None:
        """Give it back."""
        ...

    def begin_refresh(self, key: str, fence: int) -> None:
        """Note that a refresh is about to be sent."""
        ...

    def end_refresh(self, key: str, fence: int) -> None:
        """Note that it has changed nothing."""
        ...


class Early:
    """Counts tokens that were refused soon after they were given, so that a mad server is not refreshed at."""

    def __init__(self) -> None:
        self._number = 0
        self._last = 0.0

    @property
    def too_often(self) -> bool:
        """Whether there is no sense in asking for another now."""
        return self._number >= 2

    def count(self, token: Token | None, clock: Clock) -> None:
        """Take in a refusal of *token*."""
        if token is None:
            return
        age = clock.now() - token.issued_at
        half = (token.expires_at - token.issued_at) / 2 if token.expires_at else timedelta(minutes=1)
        early = abs(age) < half  # one of long after now was given before our clock was set back
        now = clock.monotonic()
        if not early or now - self._last > _EARLY_S:
            self._number = 0
        self._number += early
        self._last = now


def margin_of(token: Token) -> timedelta:
    """Return how long before its end *token* is refreshed."""
    if token.expires_at is None:
        return timedelta(0)
    return min(LONGEST_MARGIN, max(token.expires_at - token.issued_at, timedelta(0)) / MARGIN_SHARE)


def is_over(token: Token, now: datetime) -> bool:
    """Say whether *token* has ended, by our clock."""
    return token.expires_at is not None and now >= token.expires_at
