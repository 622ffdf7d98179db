"""What the ledger says of how an account comes to its tokens: by which grants, and how often."""

from collections import Counter, deque
from datetime import datetime, timedelta
from typing import Final

import attrs

from adnet.analysis.certification.rules import Finding, Verdict, lines
from adnet.periods import ONE_DAY
from adnet.state import LedgerEntry

OWN: Final = "client_credentials"
"""Opens nobody's account but that of the application's owner."""
BY_CODE: Final = "authorization_code"
GRANTS: Final = (BY_CODE, "agency_client_credentials", OWN)
_DAY_S: Final = ONE_DAY.total_seconds()


@attrs.define
class Grants:
    """Which grants brought tokens."""

    configured: str
    issued: Counter[str] = attrs.field(factory=Counter)
    served: int = 0
    """Calls that a token opened, and refreshes of one."""

    def take(self, entry: LedgerEntry) -> None:
        """Count a token that was issued, and what shows that there is one."""
        answered = entry.event is None and entry.status is not None and entry.status < 400
        self.served += answered or entry.event == "token.refresh"
        if entry.event == "token.issue":
            self.issued[entry.grant or self.configured] += 1

    def finding(self) -> Finding:
        """Pass on grants that the rule names, or that open nobody's account but the application's own."""
        rule = "technical.grants"
        counted = self.issued.total()
        evidence = lines(counted, "of tokens issued") if counted else "the configuration; no token was issued"
        if not (counted or self.served):
            return Finding(
                rule=rule, verdict="unknown", evidence=lines(0, "of a token that was issued or used")
            )
        found = self.issued or Counter({self.configured: 0})
        figure = ", ".join(f"{name}{' (own account)' if name == OWN else ''}" for name in found)
        verdict: Verdict = "pass" if set(found) <= set(GRANTS) else "fail"
        return Finding(rule=rule, verdict=verdict, figure=figure, evidence=evidence)


@attrs.define
class Tokens:
    """How often tokens were issued and refreshed.

    A second token is excused where the first was of no more use: its binding was removed, its refresh was refused,
    or (where only the user can grant another) calls were refused with 401. A token that was of use before the first
    line about any is the first one.
    """

    lifetime: timedelta
    issues: int = 0
    refreshes: int = 0
    revokes: int = 0
    unexcused: int = 0
    busiest: int = 0
    """The most refreshes within 24 hours."""
    _excused: bool = True
    """Whether there is no token of use, as far as is known."""
    _begun: bool = False
    """Whether a line told how there came to be a token, or none."""
    _unauthorized: bool = False
    _day: deque[datetime] = attrs.field(factory=deque)

    def take(self, entry: LedgerEntry) -> None:
        """Count a token event."""
        if entry.event is None:
            self._unauthorized |= entry.status == 401
            self._excused &= self._begun or entry.status is None or entry.status >= 300
        elif entry.event == "token.issue":
            excused = self._excused or (self._unauthorized and entry.grant == BY_CODE)
            self.issues += 1
            self.unexcused += not excused
            self._excused = self._unauthorized = False
            self._begun = True
        elif entry.event == "token.refresh":
            self._excused = self._unauthorized = False
            self._refreshed(entry.at)
        elif entry.event == "token.revoke":
            self.revokes += 1
            self._excused = self._begun = True
        elif entry.event == "token.refresh refused":
            self._begun = True
            self._excused |= entry.status is not None and 400 <= entry.status < 500 and entry.status != 429

    def _refreshed(self, at: datetime) -> None:
        self.refreshes += 1
        self._day.append(at)
        while self._day and at - self._day[0] >= ONE_DAY:
            self._day.popleft()
        self.busiest = max(self.busiest, len(self._day))

    @property
    def allowed(self) -> int:
        """Refreshes within 24 hours that tokens of such a lifetime need: they begin in its last tenth."""
        return int(_DAY_S / max(self.lifetime.total_seconds() * 0.9, 0.001)) + 1

    def finding(self) -> Finding:
        """Fail on a token that was not needed, or on refreshes more often than tokens end."""
        seen = self.issues + self.refreshes + self.revokes
        good = self.unexcused == 0 and self.busiest <= self.allowed
        figure = (
            f"{self.issues:,} issued, {self.refreshes:,} refreshed, at most {self.busiest:,} within 24 hours"
        )
        if self.unexcused:
            figure += f"; {self.unexcused:,} issued without need"
        return Finding(
            rule="technical.tokens",
            verdict="unknown" if not seen else "pass" if good else "fail",
            figure=figure if seen else None,
            evidence=f"{lines(seen, 'of token events')}; tokens live {_span(self.lifetime)}",
        )


def _span(length: timedelta) -> str:
    seconds = length.total_seconds()
    return f"{seconds / 3600:g} hours" if seconds >= 3600 else f"{seconds:g} seconds"
