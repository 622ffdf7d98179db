"""Learning together what every request needs to know first: limits, and whose account it is."""

import asyncio
from collections.abc import Awaitable, Callable

from adnet.errors import AdnetError, ServerError, TransportError
from adnet.transport.deadline import current_deadline


class Asking:
    """Lets one ask while the others wait, and tells them of a network that is down, too.

    If each of them asked in its turn, the last of twenty would be told twenty times as late as the first.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._failures = 0
        self._failure: AdnetError | None = None

    async def once(self, known: Callable[[], bool], ask: Callable[[], Awaitable[object]]) -> None:
        """Ask, unless it is *known* by then.

        Raises:
            AdnetError: What asking raised, or what it raised for who asked while this call waited.
        """
        before = self._failures
        async with self._lock:
            if known():
                return
            if self._failure is not None and self._failures > before:
                raise self._failure.copied()
            try:
                await ask()
            except AdnetError as error:
                error.maybe_executed = False  # what is asked for here is not what the caller wants to send
                # With a deadline it may be the end of this caller's time, and not of theirs.
                if isinstance(error, TransportError | ServerError) and current_deadline() is None:
                    self._failures += 1
                    self._failure = error
                raise
            self._failure = None
