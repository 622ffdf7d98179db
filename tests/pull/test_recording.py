"""Rows of `pulls` on their way: together while the sink is busy, none lost."""

import asyncio
from datetime import UTC, datetime

import pytest

from adnet.errors import AccessDeniedError, SinkError
from adnet.pull.recording import Recorder
from adnet.pull.result import TableResult


class SlowSink:
    """Takes rows when it is let go, and notes what came together."""

    def __init__(self):
        self.taken = []
        self.let_go = asyncio.Event()
        self.failing = 0

    async def record(self, pulls):
        await self.let_go.wait()
        if self.failing:
            self.failing -= 1
            raise SinkError("no room")
        self.taken.append([(row["account"], row["rows"]) for row in pulls])


@pytest.fixture
def sink():
    return SlowSink()


@pytest.fixture
def recorder(sink):
    return Recorder(sink, "p1")


def result(account, rows=0):
    """Return a result of one account's table."""
    started = datetime(2026, 10, 1, tzinfo=UTC)
    made = TableResult(network="net", account=account, table="clicks", period=None, started_at=started)
    made.count(rows, rows, 0)
    return made


def recording(recorder, *results):
    """Return tasks that record a result each, as far as they come by themselves."""
    return [asyncio.create_task(recorder.record([one])) for one in results]


async def test_what_comes_meanwhile_goes_together(sink, recorder):
    """A thousand accounts take two changes of the sink, not a thousand."""
    tasks = recording(recorder, *(result(f"acc{number}") for number in range(1000)))
    await asyncio.sleep(0)
    sink.let_go.set()
    await asyncio.gather(*tasks)
    assert [len(rows) for rows in sink.taken] == [1, 999]
    await recorder.record([result("late")])
    assert sink.taken[2:] == [[("late", 0)]]


async def test_nobody_returns_before_its_rows_are_there(sink, recorder):
    """Also who comes while another's are on their way."""
    (first,) = recording(recorder, result("a"))
    await asyncio.sleep(0)
    (second,) = recording(recorder, result("b"))
    await asyncio.sleep(0)
    assert not first.done()
    assert not second.done()
    sink.let_go.set()
    await first
    assert sink.taken[0] == [("a", 0)]
    await second
    assert sink.taken == [[("a", 0)], [("b", 0)]]


async def test_the_last_of_a_table_counts(sink, recorder):
    """Its row is told once."""
    (blocking,) = recording(recorder, result("other"))
    await asyncio.sleep(0)
    tasks = recording(recorder, result("a", 1), result("a", 2))
    await asyncio.sleep(0)
    sink.let_go.set()
    await asyncio.gather(blocking, *tasks)
    assert sink.taken == [[("other", 0)], [("a", 2)]]


async def test_nothing_is_no_change(sink, recorder):
    """An account that serves none of the tables asks for none."""
    await recorder.record([])
    assert sink.taken == []


async def test_a_failure_is_told_to_the_one_and_the_next_tries_again(sink, recorder):
    """Rows that went together with it are in the sink, or their own caller is told that they are not."""
    sink.failing = 2
    tasks = recording(recorder, result("alone"), result("a"), result("b"))
    await asyncio.sleep(0)
    sink.let_go.set()
    *refused, taken = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in refused] == [SinkError, SinkError]
    assert taken is None
    assert sink.taken == [[("a", 0), ("b", 0)]]


async def test_who_is_cancelled_takes_nobody_along(sink, recorder):
    """The others' rows come to the sink all the same."""
    tasks = recording(recorder, result("a"), result("b"), result("c"))
    await asyncio.sleep(0)
    tasks[0].cancel()
    tasks[1].cancel()
    sink.let_go.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [task.cancelled() for task in tasks] == [True, True, False]
    assert ("c", 0) in sink.taken[-1]


@pytest.mark.parametrize("landed", [(True, False), (False, True)])
def test_what_one_of_two_sources_landed_is_partial_whichever_ended_last(landed):
    """Payouts of trades that tell none have landed, though those of offers could not be had."""
    payouts = result("shop")
    payouts.feeds, payouts.errors = 2, [AccessDeniedError("no")]
    for one in landed:
        payouts.end(payouts.started_at, landed=one)
    assert payouts.outcome == "partial"
