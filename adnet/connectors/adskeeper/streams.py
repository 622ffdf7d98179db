"""Iterators inside iterators: whoever stops early stops those inside too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

T = TypeVar("T")


@asynccontextmanager
async def ending(source: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Give *source* for the length of a block, and end it with the block."""
    try:
        yield source
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()
