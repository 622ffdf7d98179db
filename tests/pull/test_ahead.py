"""Writing behind: one write under way, in order, and no failure lost."""

import asyncio

import pytest

from adnet.errors import SinkError
from adnet.pull.ahead import FEW_BYTES, FEW_ROWS, WriteBehind
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


def many(value):
    """Return columns that are worth writing by themselves."""
    return {"a": [value] * FEW_ROWS, "raw": [None] * FEW_ROWS}


def few(*values, raw=None):
    return {"a": list(values), "raw": [raw] * len(values)}


def behind(landing):
    return WriteBehind(landing, Meter(), FakeClock().monotonic)


async def test_first_write_does_not_wait():
    """The caller goes on to the next batch while the sink takes the first."""
    landing = SlowLanding()
    writing = behind(landing)
    await writing.write("clicks", many(1))
    assert landing.taken == []
    landing.let_go.set()
    await writing.settle()
    assert landing.taken == [("clicks", many(1))]


async def test_second_write_waits_for_the_first():
    """One batch at most is under way, so that memory stays flat."""
    landing = SlowLanding()
    writing = behind(landing)
    await writing.write("clicks", many(1))
    second = asyncio.create_task(writing.write("clicks", many(2)))
    await asyncio.sleep(0)
    assert not second.done()
    landing.let_go.set()
    await second
    await writing.settle()
    assert [columns["a"][0] for _, columns in landing.taken] == [1, 2]


async def test_failure_is_told_at_the_end():
    """A write that failed is told before anything is committed."""
    landing = SlowLanding(SinkError("no room"))
    writing = behind(landing)
    await writing.write("clicks", many(1))
    landing.let_go.set()
    with pytest.raises(SinkError, match="no room"):
        await writing.settle()


async def test_drop_swallows_what_was_under_way():
    """Giving up a landing raises no second error, and leaves no task behind."""
    landing = SlowLanding(SinkError("no room"))
    writing = behind(landing)
    await writing.write("clicks", many(1))
    await writing.drop()
    await writing.settle()
    assert landing.taken == []


async def test_small_batches_are_written_together():
    """What a sink does to each column of each batch takes as long as some dozens of values; no row is lost."""
    landing = SlowLanding()
    landing.let_go.set()
    writing = behind(landing)
    for number in range(FEW_ROWS + 10):
        await writing.write("clicks", few(number))
        await writing.write("ads", few(-number, -number))
    await writing.settle()
    await writing.settle()
    sizes = [(table, len(columns["a"])) for table, columns in landing.taken]
    assert sizes == [("ads", FEW_ROWS), ("clicks", FEW_ROWS), ("ads", FEW_ROWS), ("clicks", 10), ("ads", 20)]
    clicks = [value for table, columns in landing.taken if table == "clicks" for value in columns["a"]]
    assert clicks == list(range(FEW_ROWS + 10))


async def test_a_large_batch_comes_behind_the_small_ones():
    """The row of a key that came last is the one that lands."""
    landing = SlowLanding()
    landing.let_go.set()
    writing = behind(landing)
    await writing.write("clicks", few(1))
    await writing.write("clicks", many(2))
    await writing.settle()
    assert [columns["a"][:2] for _, columns in landing.taken] == [[1, 2]]


async def test_few_large_rows_do_not_wait():
    """What waits is bounded in bytes, too: hundreds of accounts are under way at once."""
    landing = SlowLanding()
    landing.let_go.set()
    writing = behind(landing)
    for raw in ("x" * FEW_BYTES, "x" * (FEW_BYTES - 1), "x"):
        await writing.write("ads", few(len(raw), raw=raw))
    await asyncio.sleep(0)
    assert [columns["a"] for _, columns in landing.taken] == [[FEW_BYTES], [FEW_BYTES - 1, 1]]


async def test_what_is_given_up_is_not_written():
    """Small batches that wait are forgotten with their landing."""
    landing = SlowLanding()
    landing.let_go.set()
    writing = behind(landing)
    await writing.write("clicks", few(1))
    await writing.drop()
    await writing.settle()
    assert landing.taken == []
