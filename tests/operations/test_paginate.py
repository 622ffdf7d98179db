"""Pages in parallel, in order."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.operations.paginate import in_order
from adnet.testing import FakeClock


class Pages:
    """Fetches that take as long as told."""

    def __init__(self, *seconds: float) -> None:
        self.clock = FakeClock()
        self.seconds = seconds
        self.running = self.most = 0
        self.started: list[int] = []

    async def __call__(self, page: int) -> int:
        self.started.append(page)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.clock.sleep(self.seconds[page])
        finally:
            self.running -= 1
        if self.seconds[page] == 13:
            raise KeyError(page)
        return page


@given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 5))
def test_pages_come_in_order_whatever_they_take(seconds, width):
    """And never more than *width* are under way."""
    pages = Pages(*seconds)

    async def read() -> list[int]:
        return [page async for page in in_order(range(len(seconds)), pages, width=width)]

    assert asyncio.run(read()) == list(range(len(seconds)))
    assert pages.most <= width


async def test_they_are_fetched_side_by_side():
    """Ten pages of a second each, five at a time, take two seconds."""
    pages = Pages(*[1] * 10)
    assert [page async for page in in_order(range(10), pages, width=5)] == list(range(10))
    assert pages.clock.monotonic() == 2.0


async def test_no_more_is_fetched_than_is_needed():
    """A consumer that stops leaves nothing running."""
    pages = Pages(*[1] * 100)
    stream = in_order(range(100), pages, width=3)
    assert await anext(stream) == 0
    await stream.aclose()
    assert (pages.running, max(pages.started)) == (0, 2)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_failure_rises_in_its_turn_and_cancels_the_rest():
    """The pages before it have been delivered."""
    pages = Pages(1, 13, 1, 1)
    stream = in_order(range(4), pages, width=4)
    assert await anext(stream) == 0
    with pytest.raises(KeyError):
        await anext(stream)
    assert pages.running == 0


async def test_cancelling_the_consumer_cancels_the_fetches():
    """At once."""
    pages = Pages(*[100] * 5)

    async def read() -> list[int]:
        return [page async for page in in_order(range(5), pages, width=5)]

    task = asyncio.create_task(read())
    await pages.clock.sleep(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (pages.running, asyncio.all_tasks()) == (0, {asyncio.current_task()})
