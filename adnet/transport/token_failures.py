"""What a token endpoint refused, remembered for every process that shares the state, so that it is not stormed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

from adnet.clock import Clock
from adnet.errors import (
    AccessDeniedError,
    AdnetError,
    ApiError,
    AuthenticationError,
    ConnectError,
    InvalidRequestError,
    LostReplyError,
    PayloadError,
    RateLimitError,
    ServerError,
    TokenLimitError,
    TokenRevokedError,
    TransportError,
)

_FOREVER_S: Final = 3650 * 86400.0
_HELD_S: Final[tuple[tuple[type[AdnetError], float], ...]] = (
    (TokenRevokedError, _FOREVER_S),
    (TokenLimitError, 3600.0),
    (AuthenticationError, 300.0),
    (LostReplyError, 300.0),
    (PayloadError, 60.0),
    (ServerError, 5.0),
    (RateLimitError, 5.0),
    (TransportError, 5.0),
    (ApiError, 60.0),
)
"""How long the endpoint is left alone after each kind of failure; the first kind that fits counts.

A reply that was lost may have brought a token that nobody has, and there are few of them.
"""
_LONGEST: Final = timedelta(hours=1)

_KINDS: Final[Mapping[str, type[AdnetError]]] = {
    kind.__name__: kind
    for kind in (
        TokenRevokedError,
        TokenLimitError,
        AuthenticationError,
        AccessDeniedError,
        InvalidRequestError,
        ApiError,
        ConnectError,
        PayloadError,
    )
}
_LASTING: Final = (TokenRevokedError, TokenLimitError)
"""Failures that another client secret would not heal."""


class FailureStore(Protocol):
    """Where failures are kept, by the token's key."""

    def note_failure(self, key: str, error_text: str, until: datetime) -> None:
        """Remember a failure until then."""
        ...

    def failure(self, key: str) -> tuple[str, datetime] | None:
        """Return the failure that still holds, and until when, or None."""
        ...


class Failures:
    """The failures of one token's endpoint.

    Args:
        credentials: Tells credentials apart without showing them: what was refused to wrong ones does not hold
            for others.
    """

    def __init__(self, store: FailureStore, key: str, clock: Clock, *, credentials: str) -> None:
        self._store = store
        self._key = key
        self._clock = clock
        self._credentials = credentials

    def remember(self, error: AdnetError, *, hold_s: float | None = None) -> None:
        """Let nobody ask again for a while; how long depends on the kind of *error*."""
        self._store.note_failure(self._key, *self.noted(error, hold_s=hold_s))

    def noted(self, error: AdnetError, *, hold_s: float | None = None) -> tuple[str, datetime]:
        """Return *error* as it is kept, and until when it holds."""
        if hold_s is None:
            hold_s = next((seconds for kind, seconds in _HELD_S if isinstance(error, kind)), 5.0)
        seen = for_request(error)
        words = (_name(seen), self._credentials, seen.code or "", seen.message)
        return "|".join(words), self._clock.now() + timedelta(seconds=hold_s)

    def forget(self) -> None:
        """Let the endpoint be asked again."""
        if self._store.failure(self._key) is not None:
            self._store.note_failure(self._key, "", self._clock.now())

    def recall(self) -> AdnetError | None:
        """Return the failure that still holds, as an error to raise."""
        found = self._store.failure(self._key)
        if found is None:
            return None
        text, until = found
        name, credentials, code, message = (*text.split("|", 3), "", "", "", "")[:4]
        kind = _KINDS.get(name, AuthenticationError)
        if not issubclass(kind, TokenRevokedError) and until - self._clock.now() > _LONGEST:
            return None  # our clock was set back since
        if credentials != self._credentials and not issubclass(kind, _LASTING):
            return None
        error = kind(message or "the network gave no token", code=code or None)
        if not issubclass(kind, TokenRevokedError):
            error.add_note(f"remembered: the network is not asked again before {until:%Y-%m-%d %H:%M:%S} UTC")
        return error


def for_request(error: AdnetError) -> AdnetError:
    """Return what a request without a token shall raise: whatever failed, the request itself was never sent."""
    if not isinstance(error, TransportError | ServerError | RateLimitError) or isinstance(
        error, ConnectError
    ):
        return error
    seen = ConnectError(f"no token could be had ({error.message}); nothing was sent", code=error.code)
    seen.__cause__ = error
    return seen


def _name(error: AdnetError) -> str:
    return next((name for name, kind in _KINDS.items() if isinstance(error, kind)), "AuthenticationError")
