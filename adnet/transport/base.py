"""The seam between adnet and the network: one method, so that tests and others can put their own in."""

import os
from collections.abc import AsyncIterator
from typing import Protocol, Self

from adnet.errors import AdnetError, ConnectError, InvalidRequestError
from adnet.transport.wire import BodyStream, Request, Response


class Transport(Protocol):
    """Sends one request once. Never retries, never follows a redirect, never waits for a limit."""

    async def send(self, request: Request, *, timeout_s: float) -> Response:
        """Return the whole answer, whatever its status.

        Raises:
            ConnectError: No connection was made; the request was not executed.
            RequestTimeoutError: No answer within *timeout_s* seconds.
            IncompleteBodyError: The answer ended before its end.
            TransportError: The connection broke before an answer came.
            TooLargeError: The answer is above a ceiling.
            InvalidRequestError: The request's body could not be read; it was not sent whole.
        """
        ...

    async def close(self) -> None:
        """Close connections; further sending is an error."""
        ...


class SentBody:
    """A streamed body on its way, which remembers why its end never came."""

    def __init__(self, body: BodyStream) -> None:
        self._parts: AsyncIterator[bytes] = aiter(body())
        self._error: Exception | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._parts)
        except StopAsyncIteration:
            raise
        except Exception as error:
            self._error = error
            raise

    def check(self) -> None:
        """Raise what is wrong with the body itself, which is no trouble of the connection's.

        Raises:
            InvalidRequestError: It could not be read to its end, so that nobody has the whole request.
            AdnetError: What whoever makes it has raised.
        """
        if self._error is None:
            return
        if isinstance(self._error, AdnetError):
            raise self._error
        why = in_words(self._error) if isinstance(self._error, OSError) else type(self._error).__name__
        raise InvalidRequestError(
            f"its body could not be read to the end ({why}); it was not sent whole"
        ) from self._error


def account_closed() -> ConnectError:
    """Return the error of a request that an account has after it was closed."""
    return ConnectError("the account is closed, and nothing was sent: open it again", temporary=False)


def in_words(error: OSError) -> str:
    """Return the system's own words for why there is no connection.

    asyncio puts its own sentence, with the address in it, where they would stand; errors of name look-ups have
    numbers below zero and bring their words along.
    """
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
