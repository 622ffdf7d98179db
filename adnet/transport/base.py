"""The seam between adnet and the network: one method, so that tests and others can put their own in."""

import os
from typing import Protocol

from adnet.errors import ConnectError
from adnet.transport.wire import Request, Response


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
        """
        ...

    async def close(self) -> None:
        """Close connections; further sending is an error."""
        ...


def account_closed() -> ConnectError:
    """Return the error of a request that an account has after it was closed."""
    return ConnectError("the account is closed, and nothing was sent: open it again", temporary=False)


def in_words(error: OSError) -> str:
    """Return the system's own words for why there is no connection.

    asyncio puts its own sentence, with the address in it, where they would stand; errors of name look-ups have
    numbers below zero and bring their words along.
    """
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
