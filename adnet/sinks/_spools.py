"""All spools of one sink: however many there are, what they hold in memory together is bounded."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Final

import pyarrow as pa

from adnet.sinks._spool import GROUP_BYTES, Spool

HELD_BYTES: Final = 8 * GROUP_BYTES
"""Hundreds of accounts may have a row group half full at the same time: their lists are not read one by one."""


class Spools:
    """The spools of a sink's landings; all of it in the sink's thread."""

    def __init__(self) -> None:
        self._all: set[Spool] = set()

    def add(self, spool: Spool) -> Spool:
        """Return *spool*, which is one of them from now on."""
        self._all.add(spool)
        return spool

    def relieve(self) -> None:
        """Once they hold too much, let the largest wait on the disk, until half of that is left.

        Raises:
            SinkError: There is no room on the disk.
        """
        held = sum(spool.held_bytes for spool in self._all)
        if held <= HELD_BYTES:
            return
        for spool in sorted(self._all, key=attrgetter("held_bytes"), reverse=True):
            if held <= HELD_BYTES // 2:
                break
            held -= spool.held_bytes
            spool.spill()
        pa.default_memory_pool().release_unused()

    def discard(self, spools: Iterable[Spool]) -> None:
        """Forget *spools* and remove those of their files that became no parts of the sink."""
        for spool in spools:
            spool.discard()
            self._all.discard(spool)

    def discard_all(self) -> None:
        """Forget those that are left, when the sink closes."""
        self.discard(list(self._all))
