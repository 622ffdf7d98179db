"""Writing behind: one write under way, in order, and no failure lost."""

import asyncio

import pytest

from adnet.errors import SinkError
from adnet.pull.ahead import WriteBehind
from adnet.testing.fakes import FakeClock
from adnet.transport.events import Meter


class SlowLanding:
    """A landing whose writes wait until they are let go, and note what they took."""

    def __init__(self, failure: SinkError | None = None) -> None:
        self.taken = []
        self.let_go = asyncio.Event()
        self.failure = failure

    async def write(self, table, columns):
        await self.let_go.wait()
        if self.failure is not None:
            raise self.failure
        self.taken.append((table, columns))


def behind(landing):
    return WriteBehind(landing, Meter(), FakeClock().monotonic)


async def test_first_write_does_not_wait():
    """The caller goes on to the next batch while the sink takes the first."""
    landing = SlowLanding()
    writing = behind(landing)
    await writing.write("clicks", {"a": [1]})
    assert landing.taken == []
    landing.let_go.set()
    await writing.settle()
    assert landing.taken == [("clicks", {"a": [1]})]


async def test_second_write_waits_for_the_first():
    """One batch at most is under way, so that memory stays flat."""
    landing = SlowLanding()
    writing = behind(landing)
    await writing.write("clicks", {"a": [1]})
    second = asyncio.create_task(writing.write("clicks", {"a": [2]}))
    await asyncio.sleep(0)
    assert not second.done()
    landing.let_go.set()
    await second
    await writing.settle()
    assert [columns["a"] for _, columns in landing.taken] == [[1], [2]]


async def test_failure_is_told_at_the_end():
    """A write that failed is told before anything is committed."""
    landing = SlowLanding(SinkError("no room"))
    writing = behind(landing)
    await writing.write("clicks", {"a": [1]})
    landing.let_go.set()
    with pytest.raises(SinkError, match="no room"):
        await writing.settle()


async def test_drop_swallows_what_was_under_way():
    """Giving up a landing raises no second error, and leaves no task behind."""
    landing = SlowLanding(SinkError("no room"))
    writing = behind(landing)
    await writing.write("clicks", {"a": [1]})
    await writing.drop()
    await writing.settle()
    assert landing.taken == []
