"""Single reads of one tick as one request, and batches with an outcome for each item."""

import asyncio

import pytest

from adnet.errors import InvalidRequestError, ServerError
from adnet.models import Outcome
from adnet.operations.grouping import GroupedReads, cut, in_batches


class Fetch:
    """Answers with the square of each key; knows no key above 90."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.error: BaseException | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.cancelled = 0

    async def __call__(self, keys):
        self.asked.append(list(keys))
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return {key: key * key for key in keys if key <= 90}


@pytest.fixture
def fetch() -> Fetch:
    return Fetch()


@pytest.mark.parametrize(
    ("items", "maximum", "pieces"),
    [
        ([], 3, []),
        ([1, 2, 3], 3, [[1, 2, 3]]),
        ([1, 2, 3, 4], 3, [[1, 2, 3], [4]]),
        ("abc", 1, ["a", "b", "c"]),
    ],
)
def test_items_are_cut_in_order(items, maximum, pieces):
    """The last piece may be shorter; nothing makes no piece."""
    assert list(cut(items, maximum)) == pieces


async def test_reads_of_one_tick_are_one_request(fetch):
    """Each caller gets its own object; equal keys are asked for once."""
    reads = GroupedReads(fetch, maximum=50)
    found = await asyncio.gather(*(reads.get(key) for key in (3, 1, 3, 2)))
    assert (found, fetch.asked) == ([9, 1, 9, 4], [[3, 1, 2]])


async def test_a_request_has_at_most_so_many_keys(fetch):
    """The rest goes side by side with it."""
    reads = GroupedReads(fetch, maximum=2)
    assert await asyncio.gather(*(reads.get(key) for key in range(5))) == [0, 1, 4, 9, 16]
    assert fetch.asked == [[0, 1], [2, 3], [4]]


async def test_a_later_read_is_a_request_of_its_own(fetch):
    """Nobody waits for others who may come."""
    reads = GroupedReads(fetch, maximum=50)
    assert [await reads.get(2), await reads.get(2)] == [4, 4]
    assert fetch.asked == [[2], [2]]


async def test_what_is_not_there_is_none(fetch):
    """For those who asked for it only."""
    reads = GroupedReads(fetch, maximum=50)
    assert await asyncio.gather(reads.get(1), reads.get(99)) == [1, None]


async def test_an_error_is_everybodys_and_each_has_its_own_copy(fetch):
    """Callers write their own context into it."""
    fetch.error = ServerError("down")
    reads = GroupedReads(fetch, maximum=50)
    found = await asyncio.gather(*(reads.get(key) for key in (1, 2, 2)), return_exceptions=True)
    assert [type(error) for error in found] == [ServerError] * 3
    assert len({id(error) for error in found}) == 3


async def test_an_error_that_is_a_bug_is_not_swallowed(fetch):
    """It reaches the callers as it is."""
    fetch.error = ZeroDivisionError("oops")
    with pytest.raises(ZeroDivisionError):
        await GroupedReads(fetch, maximum=50).get(1)


async def test_who_is_cancelled_harms_nobody_else(fetch):
    """The others get what they wait for."""
    reads = GroupedReads(fetch, maximum=50)
    fetch.open.clear()
    first, second = (asyncio.ensure_future(reads.get(key)) for key in (1, 2))
    await asyncio.sleep(0.01)
    first.cancel()
    fetch.open.set()
    assert (await second, fetch.cancelled) == (4, 0)


async def test_a_request_for_nobody_is_cancelled(fetch):
    """Also one that has not left yet: it never does."""
    reads = GroupedReads(fetch, maximum=50)
    fetch.open.clear()
    tasks = [asyncio.ensure_future(reads.get(key)) for key in (1, 2)]
    await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.sleep(0.01)
    assert fetch.cancelled == 1
    early = asyncio.ensure_future(reads.get(3))
    await asyncio.sleep(0)
    early.cancel()
    await asyncio.sleep(0.01)
    assert fetch.asked == [[1, 2]]


async def test_closing_cancels_what_is_under_way(fetch):
    """Those who wait are told by a cancellation."""
    reads = GroupedReads(fetch, maximum=50)
    fetch.open.clear()
    waiting = asyncio.ensure_future(reads.get(1))
    await asyncio.sleep(0.01)
    await reads.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert fetch.cancelled == 1


async def test_outcomes_come_back_in_the_order_of_the_items():
    """However the batches finish."""
    ends = [0.02, 0.0, 0.01]

    async def send(batch):
        await asyncio.sleep(ends[batch[0] // 2])
        return [Outcome(id=str(item), status="done") for item in batch]

    found = await in_batches(range(6), 2, send)
    assert [outcome.id for outcome in found] == ["0", "1", "2", "3", "4", "5"]


async def test_a_batch_that_is_refused_fails_its_own_items_only():
    """The others are done."""

    async def send(batch):
        if 2 in batch:
            raise InvalidRequestError("no")
        return [Outcome(status="done") for _ in batch]

    found = await in_batches([0, 1, 2, 3, 4], 2, send)
    assert [outcome.status for outcome in found] == ["done", "done", "failed", "failed", "done"]
    assert isinstance(found[2].error, InvalidRequestError)
