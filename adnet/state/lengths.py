"""How long reports take: what each account's have taught, and what one that is ready tells those still waited for."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import attrs

from adnet.state.facts import Facts

_WORTH: Final = 1.05
"""News that differs by less, or would spare less, is no news."""


@attrs.frozen(eq=False)
class _Wait:
    """Somebody who sleeps between two questions about a report, in seconds since it was asked for."""

    asked_s: float
    due_s: float
    wake: Callable[[], None]

    def gains_by(self, told_s: float) -> bool:
        return self.asked_s < told_s and told_s * _WORTH < self.due_s


class Lengths:
    """How long reports take, in seconds.

    By account and kind over the days, for reports to come: an average that favours the present. By network and kind
    in this process, for reports under way: hundreds of accounts that are asked for the same at the same time mostly
    get it after the same time.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._usual: dict[tuple[str, str], float | None] = {}
        self._latest: dict[tuple[str, str], float] = {}
        self._waits: defaultdict[tuple[str, str], set[_Wait]] = defaultdict(set)

    def usual(self, account_key: str, kind: str) -> float | None:
        """Return how long an account's reports of a kind took before; None where that is not known."""
        key = (account_key, kind)
        if key not in self._usual:
            known = self._facts.get(account_key, f"report_s.{kind}")
            self._usual[key] = float(known) if known else None
        return self._usual[key]

    def latest(self, network: str, kind: str) -> float | None:
        """Return what was last told of a network's reports of a kind in this process, whatever the account."""
        return self._latest.get((network, kind))

    def learn(self, network: str, account_key: str, kind: str, seconds: float) -> None:
        """Take note that a report became ready after *seconds*, and wake who sleeps beyond that."""
        known = self.usual(account_key, kind)
        mean = seconds if known is None else 0.5 * known + 0.5 * seconds
        self._usual[account_key, kind] = mean
        self._facts.put(account_key, f"report_s.{kind}", f"{mean:.3f}")
        self._tell((network, kind), seconds)

    def _tell(self, key: tuple[str, str], seconds: float) -> None:
        known = self._latest.get(key)
        if known is not None and known <= seconds * _WORTH and seconds <= known * _WORTH:
            return
        self._latest[key] = seconds
        for wait in [wait for wait in self._waits[key] if wait.gains_by(seconds)]:
            self._waits[key].discard(wait)
            wait.wake()

    @contextmanager
    def listening(
        self, network: str, kind: str, *, asked_s: float, due_s: float, wake: Callable[[], None]
    ) -> Iterator[None]:
        """Call *wake*, at most once, when a report takes longer than *asked_s* and clearly less than *due_s*."""
        waits, mine = self._waits[network, kind], _Wait(asked_s, due_s, wake)
        waits.add(mine)
        try:
            yield
        finally:
            waits.discard(mine)
