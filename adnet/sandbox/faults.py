"""
Which requests go wrong: named faults with rates, replayable from a seed.

Every fault name has a random generator of its own, so that raising the rate
of one does not move the strikes of another. What a fault *does* is told in
*base* (the common ones) and in each network's module.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from random import Random

__all__ = ["COMMON_FAULTS", "Faults"]

COMMON_FAULTS = frozenset({"408", "429", "500", "502", "503", "badjson", "half", "reset", "slow"})
"""The faults every sandbox knows."""


class Faults:
    """
    Decide for one request after the other whether it is struck.

    Args:
        rates: Fault name -> share of eligible requests struck, 0 to 1.
        seed: Two instances with equal seeds and rates strike alike.
        known: If given, other names are refused.

    Raises:
        ValueError: An unknown name, or a rate outside 0 to 1.
    """

    rates: dict[str, float]
    """Rates in force; may be changed while the server runs."""
    struck: Counter[str]
    """How often each fault struck so far."""

    def __init__(
        self,
        rates: Mapping[str, float] | None = None,
        *,
        seed: int = 7,
        known: Iterable[str] | None = None,
    ) -> None:
        self._known = None if known is None else frozenset(known)
        self._seed = seed
        self._randoms: dict[str, Random] = {}
        self._certain: Counter[str] = Counter()
        self.struck = Counter()
        self.rates = {}
        self.update(rates or {})

    def update(self, rates: Mapping[str, float]) -> None:
        """Set some rates and leave the others; refuses like the constructor."""
        for name, rate in rates.items():
            self._check(name)
            if not 0 <= rate <= 1:
                raise ValueError(f"the rate of fault {name!r} must be between 0 and 1, not {rate}")
        self.rates.update(rates)

    def once(self, name: str, times: int = 1) -> None:
        """
        Strike the next *times* eligible requests for certain.

        Raises:
            ValueError: The name is unknown.
        """
        self._check(name)
        self._certain[name] += times

    def strikes(self, name: str) -> bool:
        """Return whether the present request is struck by *name*, and count it."""
        if self._certain[name] > 0:
            self._certain[name] -= 1
        elif not self._drawn(name):
            return False
        self.struck[name] += 1
        return True

    def _drawn(self, name: str) -> bool:
        rate = self.rates.get(name, 0.0)
        if rate <= 0:
            return False
        if name not in self._randoms:
            self._randoms[name] = Random(f"{self._seed}:{name}")
        return self._randoms[name].random() < rate

    def _check(self, name: str) -> None:
        if self._known is not None and name not in self._known:
            known = ", ".join(sorted(self._known))
            raise ValueError(f"unknown fault {name!r}; known are: {known}")
