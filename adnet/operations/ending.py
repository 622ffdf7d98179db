"""Iterators inside iterators: whoever stops early stops those inside too."""

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen
class ending(Generic[T]):  # noqa: N801 - used like contextlib.aclosing
    """Give *source* for the length of a block, and end it with the block where it can be ended.

    No generator itself: an event loop that ends closes all of those at once, and Python prints a traceback where one
    that waits in such a block finds this one closed.
    """

    source: AsyncIterator[T]

    async def __aenter__(self) -> AsyncIterator[T]:
        return self.source

    async def __aexit__(self, *_: object) -> None:
        if (close := getattr(self.source, "aclose", None)) is not None:
            await close()
