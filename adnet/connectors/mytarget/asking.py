"""Learning together what every request needs to know first: limits, and whose account it is."""

from collections.abc import Awaitable, Callable

from adnet.clock import Clock
from adnet.errors import AdnetError
from adnet.transport.deadline import current_deadline
from adnet.transport.sign import SingleFlight


class Asking:
    """Asks once for all who wait, and tells all of them of a network that is down.

    If each of them asked in its turn, the last of twenty would be told twenty times as late as the first.
    """

    def __init__(self, clock: Clock, awaited: str) -> None:
        self._flight: SingleFlight[object] = SingleFlight(clock, awaited=awaited)

    async def once(self, ask: Callable[[], Awaitable[object]]) -> None:
        """Ask, or wait for the answer that has been asked for.

        Raises:
            AdnetError: What asking raised.
            RequestTimeoutError: There was no answer before the deadline of this call.
        """
        try:
            await self._flight.run(ask, deadline=current_deadline())
        except AdnetError as error:
            error.maybe_executed = False  # what is asked for here is not what the caller wants to send
            raise

    async def close(self) -> None:
        """Cancel what is still asked for."""
        await self._flight.close()
