"""What was last read of objects, so that an update can be held against it: evidence that it names changed fields only.

Our own memory, no truth: it is of this process, of the objects read last, and of the last minute. Who else changes
an object meanwhile is not seen, so nothing is decided by it; the ledger tells what was compared and what came of it.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, Final

import attrs

from adnet.clock import Clock
from adnet.connectors.mytarget import codec
from adnet.connectors.mytarget.changes import TARGETINGS, current
from adnet.money import exact

MOST: Final = 2000
"""Objects that are remembered, of all accounts together: each takes some kilobytes, and a night reads those of hundreds
of accounts, of which it changes none."""
FRESH_S: Final = 60.0
"""For how long; our own caution, since others change objects, too."""
_NAMES: Final = frozenset({"name", "utm"})
"""Texts that may look like numbers, and are not equal for equal numbers."""


_ALL: Final[OrderedDict[tuple[int, str], tuple[float, Mapping[str, Any]]]] = OrderedDict()
"""(Whose, id) -> when it was read, and what was read, the oldest first."""
_marks: Final = count(1)


@attrs.frozen
class Compared:
    """What came of holding updates against what was read."""

    fields: int = 0
    """Values that could be compared."""
    unchanged: tuple[str, ...] = ()
    """Names of those that were the same."""

    def facts(self) -> dict[str, Any]:
        """Return it as facts of a request."""
        return {"compared": self.fields, "unchanged": self.unchanged}


class Seen:
    """The last known values of one kind of object, by id."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mark = next(_marks)

    def take(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Remember what *rows* say of their objects, beside what is known of them already."""
        now = self._clock.monotonic()
        for row in rows:
            if (number := codec.text(row, "id")) is not None:
                _, before = _ALL.pop((self._mark, number), (now, {}))
                _ALL[self._mark, number] = now, {**before, **row} if before else row
                if len(_ALL) > MOST:
                    _ALL.popitem(last=False)

    def __del__(self) -> None:
        """Let go of what nobody can ask for any more."""
        for key in [key for key in list(_ALL) if key[0] == self._mark]:
            _ALL.pop(key, None)

    def compare(self, items: Iterable[tuple[str, Mapping[str, Any]]]) -> Compared:
        """Hold updates (id, fields) against what is known of their objects."""
        verdicts = [pair for number, fields in items for pair in _pairs(self._known(number), fields)]
        same = dict.fromkeys(name for name, is_same in verdicts if is_same)
        return Compared(len(verdicts), tuple(same))

    def wrote(self, items: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Remember what was just changed (id, fields) of objects that are known."""
        for number, fields in items:
            if row := self._known(number):
                both = {**current(row, TARGETINGS), **fields.get(TARGETINGS, {})}
                after = {**fields, TARGETINGS: both} if TARGETINGS in fields else fields
                self.take([{"id": number, **after}])

    def _known(self, number: str) -> Mapping[str, Any]:
        at, row = _ALL.get((self._mark, number), (0.0, {}))
        return row if self._clock.monotonic() - at <= FRESH_S else {}


def _pairs(row: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterable[tuple[str, bool]]:
    """Yield (name, whether it is the same) for every value that can be compared; targetings one by one."""
    for name, value in fields.items():
        if name not in row:
            continue
        if not isinstance(value, Mapping):
            yield name, _equal(row[name], value, exactly=name in _NAMES)
        elif name == TARGETINGS:
            before = current(row, name)
            yield from ((f"{name}.{key}", _equal(before.get(key), part)) for key, part in value.items())
        else:
            yield name, _equal(current(row, name), value)


def _equal(before: Any, after: Any, *, exactly: bool = False) -> bool:
    """Say whether two values are one to the network, which writes amounts as numbers and as texts."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.keys() == after.keys() and all(_equal(before[key], after[key]) for key in after)
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        return len(before) == len(after) and all(map(_equal, before, after))
    if before == after or exactly:
        return bool(before == after)
    try:
        return exact(before) == exact(after)
    except ValueError:
        return False
