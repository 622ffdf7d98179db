"""Rows that the sink's thread has not staged yet: how many they may be, and what becomes of them."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from sink_kit import START, transactions

from adnet.errors import SinkError
from adnet.sinks import _spooling
from adnet.sinks._spooling import _BACKLOG, _ROWS, SpoolLanding
from adnet.sinks._together import Together, Unit
from adnet.sinks._values import Origin
from adnet.sinks._worker import Worker
from adnet.sinks.base import Landed


class SlowSink:
    """A sink whose thread stages nothing until it is let go, and lands what was staged."""

    hashes_keys = False

    def __init__(self, failure: SinkError | None = None) -> None:
        self.worker = Worker("slow")
        self.spools = self
        self.waiting_bytes = 0
        self.together = Together(self.land)
        self.go = threading.Event()
        self.failure = failure
        self.staged = self.rows = self.bytes = 0

    def spool(self, table: str) -> "SlowSink":
        return self

    def add(self, batch: Any) -> None:
        self.go.wait(10)
        if self.failure is not None and self.staged:
            raise self.failure
        self.staged += batch.num_rows

    def land(self, units: Sequence[Unit]) -> None:
        for unit in units:
            unit.landed = {"transactions": Landed(self.staged, self.staged, 0)}

    def relieve(self) -> None:
        """Hold nothing that could wait elsewhere."""

    def discard(self, spools: Any) -> None:
        self.staged = 0


def landing_in(sink: SlowSink) -> SpoolLanding:
    return SpoolLanding(sink, Origin("net", "acc", START), None)  # type: ignore[arg-type]


async def test_thread_may_be_behind_but_not_far():
    """Who writes goes on while the sink's thread is at work, and waits once it is too far behind."""
    sink = SlowSink()
    landing = landing_in(sink)
    for _ in range(_BACKLOG):
        await landing.write("transactions", transactions(_ROWS))
    assert sink.staged == 0
    one_more = asyncio.create_task(landing.write("transactions", transactions(_ROWS)))
    await asyncio.sleep(0.05)
    assert not one_more.done()
    sink.go.set()
    await one_more
    rows = (_BACKLOG + 1) * _ROWS
    assert await landing.commit() == {"transactions": Landed(rows, rows, 0)}


async def test_late_failure_is_told_by_commit_each_time():
    """What could not be staged is told before anything lands, also to who tries again."""
    sink = SlowSink(SinkError("no room"))
    landing = landing_in(sink)
    for _ in range(3):
        await landing.write("transactions", transactions(_ROWS))
    sink.go.set()
    for _ in range(2):
        with pytest.raises(SinkError, match="no room"):
            await landing.commit()
    await landing.rollback()
    assert sink.staged == 0


async def test_cancelled_write_leaves_its_rows_in():
    """Who is cancelled while waiting and goes on all the same lands every row that was taken."""
    sink = SlowSink()
    landing = landing_in(sink)
    for _ in range(_BACKLOG):
        await landing.write("transactions", transactions(_ROWS))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(landing.write("transactions", transactions(_ROWS)), 0.05)
    sink.go.set()
    rows = (_BACKLOG + 1) * _ROWS
    assert await landing.commit() == {"transactions": Landed(rows, rows, 0)}


async def test_what_waits_is_bounded_over_all_landings(monkeypatch):
    """Once much waits for the sink's thread, what comes next goes there page by page, and nothing is left counted."""
    sink = SlowSink()
    sink.go.set()
    landings = [landing_in(sink) for _ in range(20)]
    await landings[0].write("transactions", transactions(100))
    page = sink.waiting_bytes
    monkeypatch.setattr(_spooling, "_TOGETHER_BYTES", 3 * page)
    for landing in landings[1:]:
        await landing.write("transactions", transactions(100))
    await sink.worker.run(int)  # whatever was passed on came before this
    assert (sink.waiting_bytes, sink.staged) == (3 * page, 1700)
    for landing in landings[:2]:
        await landing.rollback()
    for landing in landings[2:]:
        await landing.commit()
    assert sink.waiting_bytes == 0
