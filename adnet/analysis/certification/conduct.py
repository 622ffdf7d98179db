"""The technical rules: what an account's lines in the compliance ledger say of how it behaved.

The lines are taken one after the other, so that memory does not grow with their number. What a line cannot prove is
not claimed: an account without lines of a kind has an unknown verdict on it.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol

import attrs

from adnet.analysis.certification.grants import Grants, Tokens
from adnet.analysis.certification.rules import Finding, lines, several
from adnet.connectors.mytarget.changes import BANNER_MASS, CAMPAIGN_MASS
from adnet.connectors.mytarget.limits import STAT_IDS
from adnet.connectors.mytarget.routes import ROUTES
from adnet.periods import ONE_DAY
from adnet.state import LedgerEntry

_MOSCOW: Final = timedelta(hours=3)
_STATISTICS: Final = "statistics."
_LIFE: Final = "statistics.summary"


class Watch(Protocol):
    """Looks at every line of one account, in order, with one rule in mind."""

    def take(self, entry: LedgerEntry) -> None:
        """Look at one line."""
        ...

    def finding(self) -> Finding:
        """Return what the lines taken so far prove."""
        ...


def technical(
    entries: Iterable[LedgerEntry], *, grant: str, lifetime: timedelta | None = None
) -> list[Finding]:
    """Return a finding for each technical rule.

    Args:
        entries: The lines of one account, in the order written.
        grant: How the configuration says that the account comes to a token.
        lifetime: For how long the network gives a token; a day where that is not known.
    """
    watches: list[Watch] = [
        Grants(grant),
        Limits(),
        Tokens(lifetime or ONE_DAY),
        Grouping(),
        Statistics(),
        ChangedFields(),
    ]
    for entry in entries:
        for watch in watches:
            watch.take(entry)
    return [watch.finding() for watch in watches]


def answered(entry: LedgerEntry) -> bool:
    """Say whether the network did what was asked."""
    return entry.status is not None and 200 <= entry.status < 300


# ---------------------------------------------------------------------- limits

_BUCKETS: Final = {route.operation: route.buckets[0] for route in ROUTES}


@attrs.define
class Limits:
    """Whether requests were refused, or made when there was no room left."""

    requests: int = 0
    refused: int = 0
    closed: int = 0
    """Calls of methods that the network has closed to the account."""
    late: int = 0
    """Calls that found no room in a window that an answer before had told to be used up."""
    _spent: dict[str, tuple[datetime, str]] = attrs.field(factory=dict)

    def take(self, entry: LedgerEntry) -> None:
        """Count a request."""
        self.requests += 1
        if entry.event == "no access":
            self.closed += 1
            return
        self.refused += entry.status == 429
        bucket = _BUCKETS.get(entry.operation, entry.operation)
        left, _, window = (entry.headroom or "").partition(" of ")
        if left != "0":
            return
        until, spent = self._spent.get(bucket, (datetime.min.replace(tzinfo=UTC), ""))
        self.late += spent == window and entry.at < until and entry.status != 429
        if (end := _end(window, entry.at)) is not None:
            self._spent[bucket] = end, window

    def finding(self) -> Finding:
        """Fail on any request beyond the limits."""
        beyond = self.refused + self.late
        figure = f"{self.refused:,} answered 429, {self.late:,} without headroom, of {self.requests:,}"
        if self.closed:
            figure += f"; {several(self.closed, 'call')} of closed methods"
        return Finding(
            rule="technical.limits",
            verdict="unknown" if not self.requests else "fail" if beyond else "pass",
            figure=figure if self.requests else None,
            evidence=lines(self.requests, "of requests"),
        )


def _end(window: str, at: datetime) -> datetime | None:
    """Return when a window like ``3600 in 3600 s`` ends on Moscow's calendar.

    None for seconds: when an answer arrives does not tell which second its request was counted in.
    """
    length = window.rpartition(" in ")[2].removesuffix(" s")
    if not length.isdecimal() or int(length) < 60:
        return None
    seconds = int(length)
    local = (at + _MOSCOW).timestamp()
    return datetime.fromtimestamp(local - local % seconds + seconds, UTC) - _MOSCOW


# ---------------------------------------------------------------------- grouping

_ALONE: Final = 10
_BURST: Final = timedelta(seconds=10)
_MASS: Final = {
    "campaigns.update": CAMPAIGN_MASS,
    "ad_plans.update": CAMPAIGN_MASS,
    "banners.update": BANNER_MASS,
}
_GROUPS: Final = ("campaigns.", "ad_plans.", "banners.", "urls.", _STATISTICS)


@attrs.define
class Grouping:
    """How many objects requests were about, of those that can be about many."""

    sizes: Counter[int] = attrs.field(factory=Counter)
    bursts: int = 0
    """Requests for one object that stood beside ten others of their kind within ten seconds."""
    _alone: defaultdict[str, deque[datetime]] = attrs.field(factory=lambda: defaultdict(deque))

    def take(self, entry: LedgerEntry) -> None:
        """Count a request that could have been for many objects."""
        if not _groupable(entry):
            return
        self.sizes[entry.objects] += 1
        if entry.objects > 1:
            return
        recent = self._alone[entry.operation]
        recent.append(entry.at)
        while entry.at - recent[0] > _BURST:
            recent.popleft()
        self.bursts += len(recent) > _ALONE

    def finding(self) -> Finding:
        """Fail on rows of single requests where one for all would have done."""
        requests = self.sizes.total()
        alone = sum(count for size, count in self.sizes.items() if size <= 1)
        mean = sum(size * count for size, count in self.sizes.items()) / max(requests, 1)
        figure = f"{mean:.1f} objects a request; {alone:,} for one alone, {self.bursts:,} of them in bursts"
        return Finding(
            rule="technical.grouping",
            verdict="unknown" if not requests else "fail" if self.bursts else "pass",
            figure=figure if requests else None,
            evidence=lines(requests, f"of requests that take lists (up to {STAT_IDS} objects)"),
        )


def _groupable(entry: LedgerEntry) -> bool:
    name, _, verb = entry.operation.rpartition(".")
    if not f"{name}.".startswith(_GROUPS) or not entry.objects or verb in {"create", "find", "totals"}:
        return False
    if verb == "update":
        return bool(entry.fields) and set(entry.fields) <= _MASS.get(entry.operation, frozenset())
    return True


# ---------------------------------------------------------------------- statistics

_Asked = tuple[datetime, date, date]


@attrs.define
class Statistics:
    """Which days of statistics were asked for again within 24 hours.

    Such is a request over more than a day for objects and metrics of which another such request had brought more
    than one of the same days.
    """

    requests: int = 0
    long: int = 0
    repeats: int = 0
    _known: dict[tuple[str, str | None, str], list[_Asked]] = attrs.field(factory=dict)

    def take(self, entry: LedgerEntry) -> None:
        """Compare a request for statistics with those of the last 24 hours."""
        if not entry.operation.startswith(_STATISTICS) or not answered(entry):
            return
        self.requests += 1
        whole_life = entry.operation == _LIFE
        if not whole_life and (entry.period_days or 0) <= 1:
            return
        self.long += 1
        first = date.min if whole_life or entry.first_day is None else entry.first_day
        last = date.max if first == date.min else first + timedelta(days=(entry.period_days or 1) - 1)
        repeated = [self._again(entry, one, (entry.at, first, last)) for one in entry.ids or ("",)]
        self.repeats += any(repeated)

    def _again(self, entry: LedgerEntry, number: str, asked: _Asked) -> bool:
        at, first, last = asked
        key = entry.operation, entry.request_key, number
        recent = [one for one in self._known.get(key, ()) if at - one[0] < ONE_DAY]
        self._known[key] = [*recent, asked]
        return any(min(last, ended) > max(first, began) for _, began, ended in recent)

    def finding(self) -> Finding:
        """Fail on any repetition."""
        figure = f"{self.repeats:,} repeated, of {several(self.long, 'request')} over more than a day"
        return Finding(
            rule="technical.statistics",
            verdict="unknown" if not self.requests else "fail" if self.repeats else "pass",
            figure=figure if self.requests else None,
            evidence=lines(self.requests, "of statistics"),
        )


# ---------------------------------------------------------------------- changed fields

_READ_ONLY: Final = frozenset({
    "ad_group_id", "campaign_id", "created", "delivery", "id", "issues", "last_updated", "moderation_reasons",
    "moderation_status", "updated", "user_can_request_remoderation", "user_id", "vkads_status",
})  # fmt: skip
"""Fields that only come back with whole objects. Source: VK Ads "AdGroup", "AdPlan", "Banner" (documented)."""
_NO_SUCH_VERB: Final = frozenset({405, 501})
"""The same update follows by another verb."""
_WIDE: Final = 12
"""An update of more fields than this is taken for a whole object; our own caution."""


@attrs.define
class ChangedFields:
    """What updates named, and what came of holding it against what had been read of their objects."""

    updates: int = 0
    fields: int = 0
    widest: int = 0
    whole: int = 0
    """Updates that look like whole objects."""
    compared: int = 0
    """Values that were held against what had been read."""
    same: Counter[str] = attrs.field(factory=Counter)
    """Field -> updates that sent it with the value that it had."""

    def take(self, entry: LedgerEntry) -> None:
        """Count the fields of an update."""
        if not entry.operation.endswith((".update", ".mass_action")) or not entry.fields:
            return
        if entry.status in _NO_SUCH_VERB:
            return
        names = {name.partition(".")[0] for name in entry.fields}
        self.updates += 1
        self.fields += len(entry.fields)
        self.widest = max(self.widest, len(names))
        self.whole += bool(names & _READ_ONLY) or len(names) > _WIDE
        self.compared += entry.compared
        self.same.update(entry.unchanged)

    def finding(self) -> Finding:
        """Fail on whole objects and on unchanged fields; pass if something was compared, and all of it had changed."""
        figure = f"{several(self.fields, 'field')} in {several(self.updates, 'update')}, at most {self.widest:,} in one"
        if self.whole:
            figure += f"; {self.whole:,} sent whole objects"
        if self.same:
            most = ", ".join(f"{name} {count:,}" for name, count in self.same.most_common(3))
            figure += f"; unchanged: {most}"
        compared = f"{several(self.compared, 'value')} held against what had been read before"
        return Finding(
            rule="technical.changed_fields",
            verdict="fail" if self.whole or self.same else "pass" if self.compared else "unknown",
            figure=figure if self.updates else None,
            evidence=f"{lines(self.updates, 'of updates')}, {compared}; names of fields are kept, values are not",
        )
