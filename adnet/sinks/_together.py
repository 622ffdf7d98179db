"""Landings that are committed together: a commit costs the disk the same, however many rows it has."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

import attrs

from adnet.errors import SinkError
from adnet.sinks._part_rows import runs
from adnet.sinks._spool import Spool
from adnet.sinks._values import Origin
from adnet.sinks.base import Landed


@attrs.define(eq=False)
class Unit:
    """What one landing brings, and what came of it."""

    spools: Sequence[Spool]
    origin: Origin
    replaced_at: datetime | None = None
    landed: dict[str, Landed] | None = None
    """What it did to each table, once it has landed."""
    error: Exception | None = None
    """Why it did not."""

    @property
    def whose(self) -> tuple[str, str]:
        """Network and account."""
        return self.origin.network, self.origin.account

    @property
    def ended(self) -> bool:
        """Whether it has an outcome."""
        return self.landed is not None or self.error is not None

    def outcome(self) -> dict[str, Landed]:
        """Return what it did to each table, or raise why it did nothing."""
        if self.error is not None:
            raise self.error
        assert self.landed is not None, "it has an outcome"
        return self.landed


class Together:
    """The landings of a sink that are ready to land.

    What becomes ready while the sink's thread is busy lands together: small ones, one of each account, up to a row
    group in all. Larger ones land by themselves.

    Args:
        land: Lands units, in the sink's thread; each has its outcome then, or the error that rises is that of those
            that have none.
    """

    def __init__(self, land: Callable[[Sequence[Unit]], None]) -> None:
        self._land = land
        self._ready: deque[Unit] = deque()
        self._lock = threading.Lock()

    def add(self, unit: Unit) -> None:
        """Take a unit, whose rows are all staged."""
        with self._lock:
            self._ready.append(unit)

    def withdraw(self, unit: Unit) -> None:
        """Give a unit up; one that is landing already lands."""
        with self._lock:
            if unit in self._ready:
                self._ready.remove(unit)
                unit.error = SinkError("the landing was given up")

    def land(self, unit: Unit) -> dict[str, Landed]:
        """Return what *unit* did to each table; in the sink's thread.

        Raises:
            SinkError: It could not land.
        """
        while not unit.ended:
            units = self._next()
            try:
                self._land(units)
            except Exception as error:  # noqa: BLE001 - it rises where each of them is waited for
                for one in units:
                    one.error = one.error if one.ended else error
        return unit.outcome()

    def _next(self) -> list[Unit]:
        """Take the units that land next."""
        with self._lock:
            units: dict[tuple[str, str], Unit] = {}
            for unit in next(runs(self._ready, _size)):
                if units.setdefault(unit.whose, unit) is not unit:
                    break  # it has to see what the other of its account does
            for _ in units:
                self._ready.popleft()
        return list(units.values())


def _size(unit: Unit) -> tuple[int, int]:
    return sum(spool.rows for spool in unit.spools), sum(spool.bytes for spool in unit.spools)
