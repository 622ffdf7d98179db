"""Rows of ``pulls`` on their way to the sink."""

import asyncio
from collections.abc import Iterable
from typing import Any

import attrs

from adnet.pull.result import TableResult
from adnet.sinks import Sink

_Key = tuple[str, str, str]


@attrs.define(eq=False)
class _Batch:
    """What goes to the sink together: the latest row of each table of each account."""

    rows: dict[_Key, dict[str, Any]] = attrs.field(factory=dict)
    recorded: bool = False


class Recorder:
    """Records what came of tables; those that come while the sink is busy go there together.

    Hundreds of accounts begin and end at the same time, and each change of ``pulls`` costs a sink as much as a small
    landing, however many rows it has.
    """

    def __init__(self, sink: Sink, pull_id: str) -> None:
        self._sink = sink
        self._pull_id = pull_id
        self._next = _Batch()
        self._busy = asyncio.Lock()

    async def record(self, results: Iterable[TableResult]) -> None:
        """Return once *results*, as they are now, are in the sink.

        Raises:
            SinkError: They are not; they can be recorded again.
        """
        mine = self._next
        mine.rows.update(
            ((result.network, result.account, result.table), result.row(self._pull_id)) for result in results
        )
        async with self._busy:
            if mine.recorded or not mine.rows:
                return
            if mine is self._next:
                self._next = _Batch()
            await self._sink.record(list(mine.rows.values()))
            mine.recorded = True
