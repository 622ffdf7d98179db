"""Which request meets which fault: a script, strikes and chance, the same again from the same seed."""

from collections.abc import Callable, Iterable, Mapping
from random import Random

import attrs

from adnet.testing._fault_acts import ACTS
from adnet.testing._fault_wire import Asked

Where = Callable[[Asked], bool]
"""Says of a request whether it is meant."""


@attrs.define
class Strike:
    """One fault that is to come."""

    fault: str
    where: Where | None
    times: int | None


class Schedule:
    """Which request meets which fault. Pure: no clock, no I/O.

    Args:
        rates: Fault -> share of requests struck by chance, 0 to 1.
        seed: Two schedules with equal seeds and rates strike alike.
        script: The fault, or None, of the first requests, one after another; strikes and chance come after it.

    Raises:
        ValueError: An unknown fault, or a rate outside 0 to 1.
    """

    def __init__(
        self,
        rates: Mapping[str, float] | None = None,
        *,
        seed: int = 7,
        script: Iterable[str | None] = (),
    ) -> None:
        self._rates = dict(rates or {})
        self._script = list(script)
        self._strikes: list[Strike] = []
        for name, rate in self._rates.items():
            _check(name)
            if not 0 <= rate <= 1:
                raise ValueError(f"the rate of fault {name!r} must be between 0 and 1, not {rate}")
        for fault in self._script:
            _check(fault)
        self._chances = {name: Random(f"{seed}:{name}") for name in self._rates}

    def strike(self, *names: str, where: Where | None = None, times: int | None = 1) -> None:
        """Strike the next requests for which *where* holds, fault after fault, each *times*; None is for ever."""
        for name in names:
            _check(name)
        self._strikes += [Strike(name, where, times) for name in names]

    def calm(self) -> None:
        """Strike nothing any more."""
        self._strikes.clear()
        self._script.clear()
        self._rates.clear()

    def verdict(self, asked: Asked) -> str | None:
        """Return the fault of the next request, and count it."""
        # Drawn for every request, so that a strike in between moves nothing of what chance does.
        drawn = [name for name, rate in self._rates.items() if self._chances[name].random() < rate]
        if self._script:
            return self._script.pop(0)
        for strike in self._strikes:
            if strike.where is None or strike.where(asked):
                return self._hit(strike)
        return drawn[0] if drawn else None

    def refused(self) -> Strike | None:
        """Return the strike that comes next, if it shuts the door whatever is asked."""
        first = self._strikes[0] if self._strikes and not self._script else None
        return first if first and first.fault == "refused" and first.where is None else None

    def settle_refused(self) -> None:
        """Count a time for which the door was shut."""
        if (first := self.refused()) is not None:
            self._hit(first)

    def _hit(self, strike: Strike) -> str:
        if strike.times is not None:
            strike.times -= 1
            if strike.times <= 0:
                self._strikes.remove(strike)
        return strike.fault


def _check(name: str | None) -> None:
    if name is not None and name not in ACTS:
        raise ValueError(f"unknown fault {name!r}; known are: {', '.join(ACTS)}")
