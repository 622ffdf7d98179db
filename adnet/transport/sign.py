"""Signing: the last step before the wire, so that no credential goes stale in a queue."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

import attrs

from adnet.clock import Clock, SystemClock
from adnet.errors import AdnetError, RequestTimeoutError
from adnet.redact import Hidden
from adnet.transport.base import account_closed
from adnet.transport.deadline import within, without_deadline
from adnet.transport.token_failures import for_request
from adnet.transport.wire import Request

R = TypeVar("R")


class TokenSource(Protocol):
    """Knows the token to use now."""

    async def token(self, *, deadline: float | None = None) -> str:
        """Return a token that is valid now, refreshing it first if need be.

        Whoever asks a network for it tries again by itself: an error ends the request that wanted the token.
        """
        ...

    def refused(self, token: str, code: str | None) -> bool:
        """Take note that the network refused *token*; say whether another may be had."""
        ...


@attrs.frozen
class StaticToken:
    """A token that the user gave and nobody can refresh."""

    _token: str = attrs.field(repr=False)

    async def token(self, *, deadline: float | None = None) -> str:  # noqa: ARG002
        """Return the token."""
        return self._token

    def refused(self, token: str, code: str | None) -> bool:  # noqa: ARG002
        """Nothing else can be tried."""
        return False


class Signer(Protocol):
    """Adds credentials to a request."""

    async def sign(self, request: Request) -> Request:
        """Return the request with credentials."""
        ...

    def refused(self, signed: Request, code: str | None) -> bool:
        """Take note that the network refused the credentials; say whether others may be had."""
        ...


class UnsignedError(Exception):
    """No credentials were to be had, so that a request was not sent; *error* says why.

    None of ours, which would be tried again: who asks a network for credentials has tried again already, and each
    attempt would be as many of theirs.
    """

    def __init__(self, error: AdnetError) -> None:
        super().__init__()
        self.error = error


async def signed_by(signer: Signer, request: Request) -> Request:
    """Return *request* with the credentials of *signer*.

    Raises:
        UnsignedError: There were none to be had.
    """
    try:
        return await signer.sign(request)
    except AdnetError as error:
        waited = isinstance(error, RequestTimeoutError) and not error.sent
        raise UnsignedError(error if waited else for_request(error)) from None


@attrs.frozen
class HeaderSigner:
    """Puts a token into one header."""

    source: TokenSource
    header: str = "Authorization"
    prefix: str = "Bearer "

    async def sign(self, request: Request) -> Request:
        """Return the request with the header set."""
        token = await self.source.token(deadline=request.deadline)
        return request.changed(headers={**request.headers, self.header: f"{self.prefix}{token}"})

    def refused(self, signed: Request, code: str | None) -> bool:
        """Tell the token source; say whether it may have another token."""
        return self.source.refused(Hidden(signed.headers[self.header].removeprefix(self.prefix)), code)


@attrs.frozen
class NoSigner:
    """Adds nothing; for token endpoints."""

    async def sign(self, request: Request) -> Request:
        """Return the request as it is."""
        return request

    def refused(self, signed: Request, code: str | None) -> bool:  # noqa: ARG002
        """There is nothing else to try."""
        return False


class SingleFlight(Generic[R]):
    """Runs one call for many callers that ask at the same time; each gets its result.

    A caller that is cancelled, or waits no longer, does not cancel the call for the others; nor has the call the
    deadline of whoever happens to be first. What they wait for is told as *awaited*.
    """

    __slots__ = ("_awaited", "_clock", "_task")

    def __init__(self, clock: Clock | None = None, *, awaited: str = "token") -> None:
        self._clock = clock or SystemClock()
        self._awaited = awaited
        self._task: asyncio.Task[R] | None = None

    async def run(self, make: Callable[[], Awaitable[R]], *, deadline: float | None = None) -> R:
        """Return the result of the call under way, or of a new one.

        Raises:
            RequestTimeoutError: There was none before *deadline*.
            ConnectError: The call was ended by ``close``.
        """
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(_call(make), context=without_deadline())
            # When all callers have gone, nobody is left to hear of its failure.
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        call, me = self._task, asyncio.current_task()
        try:
            return await within(call, deadline, self._clock, awaited=self._awaited)
        except asyncio.CancelledError:
            if call.cancelled() and me is not None and not me.cancelling():
                raise account_closed() from None  # who waits was not cancelled, and is not to end as if it were
            raise

    async def close(self) -> None:
        """Cancel a call that is still under way."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


async def _call(make: Callable[[], Awaitable[R]]) -> R:
    return await make()
