"""The access token of one account, refreshed once for all tasks and processes that share a state.

Who needs a new token takes a *lease*, reads the stored token again (another may have been faster), asks, stores
the answer, and only then uses it. Everybody else goes on with the token that is still valid; who has none waits
for what the holder of the lease stores. A refresh begins ahead of the end, by a margin that shrinks with the
token's lifetime.

What this guards against: networks where a refresh ends the previous access token at once and issuing takes one of
few slots, so that two refreshers would kill each other's tokens and a crash loop would use up the slots. A refused
token is therefore looked up in the store before anything is asked, refusals of the endpoint are remembered for all
processes, and a refresh that is under way is never cancelled by those who wait for it.
"""

import asyncio
import contextvars
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final, Generic

from adnet.clock import Clock
from adnet.errors import (
    AdnetError,
    ApiError,
    AuthenticationError,
    ServerError,
    StateError,
    TokenRevokedError,
)
from adnet.redact import Scrubber
from adnet.transport._token_keeper import POLL_S, Keeper
from adnet.transport._token_values import (
    Early,
    Grant,
    Issued,
    L,
    Lease,
    T,
    Token,
    TokenStore,
    is_over,
)
from adnet.transport.deadline import within
from adnet.transport.events import current_meter
from adnet.transport.token_failures import Failures, for_request

__all__ = ["Grant", "Issued", "Lease", "OAuthTokens", "Token", "TokenStore"]

LEASE_S: Final = 60.0
ENDPOINT_S: Final = 45.0
"""For one exchange with the endpoint, retries included; shorter than the lease."""
_LOOK_S: Final = 1.0
_MISTRUST_S: Final = 60.0


class OAuthTokens(Generic[T, L]):
    """A TokenSource for one account. Safe to use from many tasks at once, and from many processes.

    Args:
        key: Of the account, in the store.
        owner: This process, for leases.
        store: Where tokens are shared.
        make: Makes a token of the store's own type from its fields.
        replaced: What the store raises when something newer was stored meanwhile.
        grant: Asks the network.
        clock: The only source of time.
        scrubber: Learns every token, so that none is ever shown.
        credentials: Tells credentials apart without showing them.
    """

    def __init__(
        self,
        *,
        key: str,
        owner: str,
        store: TokenStore[T, L],
        make: Callable[..., T],
        replaced: type[StateError],
        grant: Grant,
        clock: Clock,
        scrubber: Scrubber,
        credentials: str = "",
    ) -> None:
        self._owner = owner
        self._store = store
        self._grant = grant
        self._clock = clock
        self._keeper = Keeper[T, L](
            key=key, store=store, make=make, replaced=replaced, clock=clock, scrubber=scrubber
        )
        self._failures = Failures(store, key, clock, credentials=credentials)
        self._look_at = 0.0
        self._flight: asyncio.Task[T | None] | None = None
        self._early = Early()

    # ------------------------------------------------------------------ what requests ask

    async def token(self, *, deadline: float | None = None) -> str:
        """Return a token that is valid now, or one that still is while another is asked for.

        Raises:
            TokenRevokedError: The user took the permission back; only a login helps.
            TokenLimitError: The network gives no further token.
            AuthenticationError: The credentials were refused, now or lately.
            ConnectError: The token endpoint did not answer; the request was not sent.
            RequestTimeoutError: No token came before *deadline*.
        """
        held = self._keeper.held
        if held is not None and held.access_token != self._keeper.stale:
            now = self._clock.now()
            if now < self._keeper.due_at:
                return held.access_token
            if not is_over(held, now):
                self._refresh_ahead()
                return self._keeper.held.access_token if self._keeper.held else held.access_token
        started = self._clock.monotonic()
        try:
            return (await self._obtain(deadline)).access_token
        finally:
            if (meter := current_meter()) is not None:
                meter.token_s += self._clock.monotonic() - started

    def refused(self, token: str, code: str | None) -> bool:
        """Take note that the network refused *token*; say whether another may be had."""
        held = self._keeper.held
        if held is not None and held.access_token != token:
            return True
        if token != self._keeper.stale:
            self._keeper.stale = token
            self._early.count(held, self._clock)
            if self._early.too_often:
                text = "the network refuses the tokens that it has just given"
                self._failures.remember(AuthenticationError(text, code=code), hold_s=_MISTRUST_S)
        return not self._early.too_often

    def revoked(self, message: str, token: str | None = None) -> None:
        """Stop the account, in all processes: the user took the permission back.

        Stops nothing when a login has stored another token than the one that was refused.

        Args:
            message: The network's words.
            token: What was refused; None for what is held.
        """
        stored, held = self._store.load(self._keeper.key), self._keeper.held
        token = token or (held.access_token if held else None)
        if held is not None and held.access_token == token:
            self._keeper.held = None  # the next request looks for what a login has stored
        if stored is None or token is None or stored.access_token == token:
            self._failures.remember(TokenRevokedError(message, code="revoked_token"))

    # ------------------------------------------------------------------ what logins do

    def stored(self) -> T | None:
        """Return the token as stored, valid or not."""
        return self._store.load(self._keeper.key)

    def failure(self) -> AdnetError | None:
        """Return why no token is to be had at present, where that is known."""
        return self._failures.recall()

    def forgive(self) -> None:
        """Forget why no token was to be had: who logs in has mended it, or wants to know whether it is."""
        self._failures.forget()

    def keep(self, issued: Issued) -> T:
        """Store what a login brought; it counts over everything that is under way."""
        return self._keeper.keep(issued)

    def forget(self, message: str) -> None:
        """Remove the token for good; the account is stopped until a login."""
        self._keeper.forget(self._failures.noted(TokenRevokedError(message)))

    def alone(self) -> AbstractAsyncContextManager[None]:
        """Hold the lease: nobody, in whatever process, asks for a token meanwhile. Not to be used inside."""
        return self._keeper.alone(self._owner, lease_s=LEASE_S, most_s=ENDPOINT_S)

    async def close(self) -> None:
        """Let a refresh that is under way come to its end: cancelling it could lose the only token.

        One that could not be stored before has its last chance now.
        """
        if self._flight is not None and not self._flight.done():
            await asyncio.wait([self._flight])
        with suppress(StateError):  # whoever wanted the token was told
            self._keeper.save_unsaved()

    # ------------------------------------------------------------------ obtaining one

    async def _obtain(self, deadline: float | None) -> T:
        while True:
            failure = self._failures.recall()
            if isinstance(failure, TokenRevokedError):
                raise failure
            found = self._keeper.look() or await within(self._fly(ahead=False), deadline, self._clock)
            if found is not None:
                return found

    def _refresh_ahead(self) -> None:
        now = self._clock.monotonic()
        if now < self._look_at or (self._flight is not None and not self._flight.done()):
            return
        self._look_at = now + min(_LOOK_S, self._keeper.margin_s / 10)
        with suppress(StateError):  # what is held still works
            self._keeper.look()
        if self._clock.now() >= self._keeper.due_at:
            self._flight = self._fly(ahead=True)

    def _fly(self, *, ahead: bool) -> "asyncio.Task[T | None]":
        flight = self._flight
        if flight is None or flight.done():
            # An empty context: neither the deadline nor the meter of whoever happens to be first.
            flight = self._flight = asyncio.get_running_loop().create_task(
                self._renew(ahead=ahead), context=contextvars.Context()
            )
            flight.add_done_callback(lambda task: task.cancelled() or task.exception())
        return flight

    # ------------------------------------------------------------------ one task of one process

    async def _renew(self, *, ahead: bool) -> T | None:
        """Return a new token, ours or another process's; None when the present one will do for now."""
        while (lease := self._store.lease(self._keeper.key, self._owner, LEASE_S)) is None:
            if ahead:
                return None
            await self._clock.sleep(POLL_S)
            if (found := self._keeper.look()) is not None:
                return found
        try:
            return await self._replace(lease, ahead=ahead)
        except AdnetError:
            if ahead:
                return None
            raise
        finally:
            with suppress(StateError):  # it ends by itself
                self._store.release(lease)

    async def _replace(self, lease: L, *, ahead: bool) -> T | None:
        """Read again under the lease, then ask."""
        self._keeper.save_unsaved()
        found = self._keeper.look()
        if found is not None and not (ahead and self._clock.now() >= self._keeper.due_at):
            return found
        if (failure := self._failures.recall()) is not None:
            raise failure
        stored = self._store.load(self._keeper.key)
        try:
            return await self._ask(lease, stored)
        except self._keeper.replaced:
            if (found := self._keeper.look()) is not None:
                return found
            raise
        except StateError:
            raise
        except AdnetError as error:
            found, before = self._keeper.look(), stored.generation if stored else -1
            if found is not None and found.generation > before:
                return found  # a login was faster
            self._failures.remember(error)
            raise for_request(error) from None

    async def _ask(self, lease: L, stored: T | None) -> T:
        asked_at = self._clock.now()
        deadline = self._clock.monotonic() + ENDPOINT_S
        issued = None
        if stored is not None and stored.refresh_token:
            issued = await self._refresh(lease, stored.refresh_token, deadline)
        refreshed = issued is not None
        issued = issued or await self._grant.issue(deadline=deadline)
        token = self._keeper.made(issued, stored, refreshed=refreshed, asked_at=asked_at)
        return self._keeper.hold(await self._keeper.save(lease, token))

    async def _refresh(self, lease: L, refresh_token: str, deadline: float) -> Issued | None:
        self._store.begin_refresh(self._keeper.key, lease.fence)
        try:
            issued = await self._grant.refresh(refresh_token, deadline=deadline)
        except ApiError as error:
            if not isinstance(error, ServerError):
                self._store.end_refresh(self._keeper.key, lease.fence)
            raise
        if issued is None:
            self._store.end_refresh(self._keeper.key, lease.fence)
        return issued

    def __repr__(self) -> str:
        return f"OAuthTokens({self._keeper.key})"
