"""The token that one process holds, and how it is read from and written to the store that processes share."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic

from adnet.clock import Clock
from adnet.errors import StateError
from adnet.redact import Scrubber
from adnet.transport._token_values import Issued, L, T, TokenStore, is_over, margin_of
from adnet.transport.deadline import deadline

POLL_S: Final = 0.05
"""How often who waits for the lease looks whether it is free."""
_SAVE_PAUSES_S: Final = (0.1, 0.3, 1.0, 3.0)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Keeper(Generic[T, L]):
    """One process's copy of the stored token.

    Args:
        key: Of the account, in the store.
        store: Where tokens are shared.
        make: Makes a token of the store's own type from its fields.
        replaced: What the store raises when something newer was stored meanwhile.
        clock: The only source of time.
        scrubber: Learns every token, so that none is ever shown.
    """

    def __init__(
        self,
        *,
        key: str,
        store: TokenStore[T, L],
        make: Callable[..., T],
        replaced: type[StateError],
        clock: Clock,
        scrubber: Scrubber,
    ) -> None:
        self.key = key
        self.store = store
        self.replaced = replaced
        self.held: T | None = None
        self.due_at = _NEVER
        """When the held token is to be refreshed."""
        self.margin_s = 0.0
        """How long before its end that is."""
        self.stale: str | None = None
        """An access token that the network has refused."""
        self._make = make
        self._clock = clock
        self._scrubber = scrubber
        self._unsaved: tuple[T, int] | None = None
        """A token that could not be stored, and the fence of the lease under which it was had."""

    def look(self) -> T | None:
        """Return the stored token if it is of use, and hold it."""
        stored = self.store.load(self.key)
        if stored is None or stored.access_token == self.stale or is_over(stored, self._clock.now()):
            return None
        return self.hold(stored)

    def hold(self, token: T) -> T:
        """Take *token* as the present one."""
        self._scrubber.learn(token.access_token)
        self._scrubber.learn(token.refresh_token)
        if token.access_token == self.stale:  # given anew: the network takes it again, or refuses it again
            self.stale = None
        self.held = token
        margin = margin_of(token)
        self.margin_s = margin.total_seconds()
        self.due_at = _NEVER if token.expires_at is None else token.expires_at - margin
        return token

    def made(self, issued: Issued, stored: T | None, *, refreshed: bool, asked_at: datetime) -> T:
        """Return what was *issued* as a token to be stored in place of *stored*."""
        life_s = issued.expires_in_s
        kept: dict[str, Any] = {"granted_at": asked_at}
        if refreshed and stored is not None:
            kept = {name: getattr(stored, name) for name in ("refresh_token", "scope", "granted_at")}
        return self._make(
            access_token=issued.access_token,
            refresh_token=issued.refresh_token or kept.get("refresh_token"),
            expires_at=None if life_s is None else asked_at + timedelta(seconds=life_s),
            issued_at=asked_at,
            granted_at=kept["granted_at"],
            scope=issued.scope or kept.get("scope"),
            refreshes=stored.refreshes + 1 if refreshed and stored else 0,
            issues=(stored.issues if stored else 0) + (not refreshed),
        )

    async def save(self, lease: L, token: T) -> T:
        """Store *token* before anybody uses it; a file that is locked is waited for, since it is the only one.

        Raises:
            StateError: It could not be stored; it is not lost, see ``save_unsaved``.
        """
        for pause_s in _SAVE_PAUSES_S:
            try:
                return self.store.save(self.key, token, fence=lease.fence)
            except self.replaced:
                raise
            except StateError:
                await self._clock.sleep(pause_s)
        self._unsaved = token, lease.fence
        return self._saved_late(token, lease.fence)

    def save_unsaved(self) -> None:
        """Store what could not be stored before, unless something newer is there."""
        if self._unsaved is not None:
            with suppress(self.replaced):
                self._saved_late(*self._unsaved)
            self._unsaved = None

    def _saved_late(self, token: T, fence: int) -> T:
        saved = self.store.save(self.key, token, fence=fence)
        self._unsaved = None
        return saved

    def keep(self, issued: Issued) -> T:
        """Store what a login brought; it counts over everything that is under way."""
        stored = self.store.load(self.key)
        token = self.made(issued, stored, refreshed=False, asked_at=self._clock.now())
        return self.hold(self.store.save(self.key, token))

    @asynccontextmanager
    async def alone(self, owner: str, *, lease_s: float, most_s: float) -> AsyncIterator[None]:
        """Hold the lease for *lease_s*: nobody asks for a token meanwhile. What is sent inside has *most_s* in all."""
        while (lease := self.store.lease(self.key, owner, lease_s)) is None:
            await self._clock.sleep(POLL_S)
        try:
            with deadline(self._clock, most_s):
                yield
        finally:
            with suppress(StateError):  # it ends by itself
                self.store.release(lease)

    def forget(self, failure: tuple[str, datetime]) -> None:
        """Remove the token for good, and note *failure* in its place."""
        self.store.delete(self.key, failure=failure)
        self.held = self._unsaved = None
