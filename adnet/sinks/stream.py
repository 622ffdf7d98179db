"""Rows as lines of JSON on a stream, ``jsonl:-``.

A stream cannot be upserted: every row of a landing is new to it. A landing's rows come when it is committed, so that
what is rolled back never shows. Each line begins with ``"table"``; rows of ``pulls`` do not come, since they have a
column of that name and tell what standard error tells.
"""

import codecs
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO

from adnet.clock import Clock
from adnet.errors import SinkError
from adnet.sinks import _texts
from adnet.sinks._sql import columns_of, quoted
from adnet.sinks._staging import Stages, StoreLanding
from adnet.sinks._store import Store
from adnet.sinks._values import Origin
from adnet.sinks._worker import Worker
from adnet.sinks.base import Landed, Sink


class StreamSink(Sink):
    """A text stream, standard output unless another is given; it is flushed and never closed.

    Raises:
        SinkError: It is closed already.
    """

    uri = "jsonl:-"

    def __init__(self, stream: TextIO | None = None, *, clock: Clock) -> None:
        del clock  # nothing here has a time of its own
        # Python has no standard output where whoever started it had closed that.
        chosen: TextIO | None = sys.stdout if stream is None else stream
        if chosen is None or getattr(chosen, "closed", False):
            raise SinkError(
                "the stream is closed, so that rows have nowhere to go; name a folder, like jsonl:rows"
            )
        self._stream = chosen
        self._worker = Worker("adnet-stream")
        self._store = Store(None)

    async def open(self) -> None:
        """Prepare a place to stage rows."""
        await self._worker.start(self._store.open, self._store.close)

    def landing(
        self, *, network: str, account: str, fetched_at: datetime, replaced_at: datetime | None = None
    ) -> StoreLanding:
        """Return a new landing of one account; *replaced_at* means nothing here."""
        del replaced_at
        return StoreLanding(self._worker, self._store, Origin(network, account, fetched_at), self._emit)

    async def record(self, pulls: Sequence[Mapping[str, Any]]) -> None:
        """Do nothing: rows of ``pulls`` do not come on a stream."""

    async def recorded(self, pull_id: str) -> bool:  # noqa: ARG002
        """Say no: what went down a stream cannot be gone on with."""
        return False

    async def close(self) -> None:
        """Forget what was staged."""
        await self._worker.finish(self._store.close)

    def _is_utf8(self) -> bool:
        """Whether the stream writes UTF-8, as JSON does; to another, letters beyond ASCII go escaped."""
        return codecs.lookup(getattr(self._stream, "encoding", None) or "utf-8").name == "utf-8"

    def _emit(self, stages: Stages) -> dict[str, Landed]:
        """Write staged rows to the stream; in the worker's thread."""
        landed: dict[str, Landed] = {}
        for table, stage in stages:
            relation = f"temp.{quoted(stage)}"
            rows = self._store.count(relation)
            encode = _texts.json_encoder(table.full_columns, ascii_only=not self._is_utf8(), table=table.name)
            try:
                self._stream.writelines(
                    map(encode, self._store.rows(relation, columns_of(table.full_columns)))
                )
                self._stream.flush()
            except OSError as error:
                raise SinkError(f"the stream takes no more rows: {error.strerror or error}") from error
            landed[table.name] = Landed(rows, rows, 0)
        return landed
