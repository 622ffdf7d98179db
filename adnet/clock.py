"""The one place that knows the time and how to wait."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time and waiting, injected everywhere so that tests own both."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait *seconds*; zero or less only yields to other tasks."""
        ...


class SystemClock:
    """The machine's own clock."""

    __slots__ = ()

    #: Bound once: the limiter asks on every request.
    monotonic = staticmethod(time.monotonic)

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait *seconds*; zero or less only yields to other tasks."""
        await asyncio.sleep(max(0.0, seconds))

    def __repr__(self) -> str:
        return "SystemClock()"
