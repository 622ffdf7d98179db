"""The financial rules: what customers turned over, as far as landed statistics tell.

A customer is an account, unless the configuration says that accounts are clients of one agency. Sums are of what has
landed in rubles, so they can fall short of the truth: where days are missing, or something was spent in another
currency, only what is above a threshold already is claimed.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Final, Self

import attrs

from adnet.analysis.certification.rules import Finding, Verdict, several
from adnet.analysis.facts import Days
from adnet.analysis.spend import spend
from adnet.analysis.tables import Tables
from adnet.periods import ONE_DAY

CURRENCY: Final = "RUB"
TURNOVER: Final = Decimal(4_000_000)
QUALIFIED: Final = Decimal(300_000)
CUSTOMERS: Final = 10
SHARE: Final = Decimal("0.25")
ACTIVE: Final = 20
"""Thresholds of the rules. Source: myTarget certification page (documented)."""
_NAMED: Final = 3
"""Accounts that evidence names."""
FINANCIAL: Final = (
    "financial.turnover",
    "financial.customers",
    "financial.share",
    "financial.active_clients",
)


@attrs.frozen
class Quarter:
    """Three months, told apart by four days."""

    ends: tuple[date, date, date, date]
    """Ascending; each month is from one up to, but without, the next."""

    @classmethod
    def from_day(cls, first: date) -> Self:
        """Return the three months that begin on *first*."""
        return cls((first, shifted(first, 1), shifted(first, 2), shifted(first, 3)))

    @classmethod
    def until_day(cls, end: date) -> Self:
        """Return the three months that end before *end*."""
        return cls((shifted(end, -3), shifted(end, -2), shifted(end, -1), end))

    @property
    def days(self) -> int:
        """How many days there are."""
        return (self.ends[3] - self.ends[0]).days

    def month(self, day: date) -> int:
        """Return which of the months a day of them is in, from 0."""
        return sum(day >= end for end in self.ends[1:3])

    def __str__(self) -> str:
        return f"{self.ends[0]} to {self.ends[3] - ONE_DAY}"


def shifted(day: date, months: int) -> date:
    """Return the same day of another month, or that month's last day."""
    number = day.year * 12 + day.month - 1 + months
    year, month = number // 12, number % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


@attrs.define
class _Turnover:
    """What each customer turned over, and which clients were active in each month."""

    customers: defaultdict[str, Decimal] = attrs.field(factory=lambda: defaultdict(Decimal))
    active: tuple[set[str], set[str], set[str]] = attrs.field(factory=lambda: (set(), set(), set()))
    foreign: set[str] = attrs.field(factory=set)
    """Accounts that spent in another currency."""

    @property
    def total(self) -> Decimal:
        return sum(self.customers.values(), Decimal(0))


def financial(
    tables: Tables | None,
    *,
    network: str,
    quarter: Quarter,
    accounts: Iterable[str] = (),
    customers: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Return a finding for each financial rule; all are unknown without landed statistics.

    Args:
        tables: What has landed.
        network: Whose accounts count.
        quarter: The three months, in days of the accounts.
        accounts: Those of the configuration; of one that was never pulled nothing has landed.
        customers: Account -> customer, where that is not the account itself.

    Raises:
        SinkError: What has landed cannot be read.
    """
    if tables is None:
        needed = "landed statistics are needed: name where they are with --from"
        return [Finding(rule=rule, verdict="unknown", evidence=needed) for rule in FINANCIAL]
    found = _read(tables, network, quarter, customers or {})
    landed = _landed_days(tables, network, quarter, accounts)
    whole = len(_everywhere(landed)) >= quarter.days
    complete = whole and not found.foreign
    evidence = _evidence(tables, found, quarter, landed)
    qualified = sum(amount > QUALIFIED for amount in found.customers.values())
    months = [len(names) for names in found.active]
    return [
        Finding(
            rule="financial.turnover",
            verdict=_reached(found.total > TURNOVER, complete),
            figure=f"{found.total:,.2f} {CURRENCY}",
            evidence=evidence,
        ),
        Finding(
            rule="financial.customers",
            verdict=_reached(qualified >= CUSTOMERS, complete),
            figure=f"{qualified:,} of {several(len(found.customers), 'customer')}",
            evidence=evidence,
        ),
        _share(found, complete, evidence),
        Finding(
            rule="financial.active_clients",
            verdict=_reached(min(months) >= ACTIVE, whole),
            figure=", ".join(f"{count:,}" for count in months),
            evidence=evidence,
        ),
    ]


def _reached(reached: bool, complete: bool) -> Verdict:
    """Return the verdict on a sum that further days can only raise."""
    return "pass" if reached else "fail" if complete else "unknown"


def _share(found: _Turnover, complete: bool, evidence: str) -> Finding:
    rule = "financial.share"
    if not found.total:
        return Finding(rule=rule, verdict="unknown", evidence=evidence)
    name, amount = max(found.customers.items(), key=lambda item: (item[1], item[0]))
    share = amount / found.total
    verdict: Verdict = "unknown" if not complete else "pass" if share <= SHARE else "fail"
    return Finding(rule=rule, verdict=verdict, figure=f"{share:.1%} by {name}", evidence=evidence)


def _read(tables: Tables, network: str, quarter: Quarter, customers: Mapping[str, str]) -> _Turnover:
    found = _Turnover()
    days = Days(quarter.ends[0], quarter.ends[3])
    for row in spend(tables, days, by=["network", "account", "day"]):
        if row.network != network or row.account is None or row.day is None or row.spend <= 0:
            continue
        found.active[quarter.month(row.day)].add(row.account)
        if row.currency != CURRENCY:
            found.foreign.add(row.account)
            continue
        found.customers[customers.get(row.account, row.account)] += row.spend
    return found


def _landed_days(
    tables: Tables, network: str, quarter: Quarter, accounts: Iterable[str]
) -> dict[str, set[date]]:
    """Return account -> days whose statistics have landed, of those days that were over when a pull began.

    An account counts when it is one of *accounts*, or when a pull asked for any of these days of it, whatever came of
    that.
    """
    pulls = tables.query(
        """SELECT account, outcome = 'landed',
                  CAST(timezone('Europe/Moscow', timezone('UTC', since)) AS DATE),
                  CAST(timezone('Europe/Moscow', timezone('UTC', least(until, started_at))) AS DATE),
                  CAST(timezone('Europe/Moscow', timezone('UTC', until)) AS DATE)
        FROM pulls WHERE network = ? AND "table" = 'stats'""",
        [network],
    )
    landed: defaultdict[str, set[date]] = defaultdict(set, {name: set() for name in accounts})
    for account, whole, since, over, until in pulls:
        if _days_of(since, until, quarter):
            landed[account].update(_days_of(since, over, quarter) if whole else ())
    return landed


def _everywhere(landed: Mapping[str, set[date]]) -> set[date]:
    """Return the days that have landed of every account."""
    return set.intersection(*landed.values()) if landed else set()


def _days_of(since: date, until: date, quarter: Quarter) -> list[date]:
    first, end = max(since, quarter.ends[0]), min(until, quarter.ends[3])
    return [date.fromordinal(number) for number in range(first.toordinal(), end.toordinal())]


def _evidence(tables: Tables, found: _Turnover, quarter: Quarter, landed: Mapping[str, set[date]]) -> str:
    known = f"{len(_everywhere(landed)):,} of {quarter.days:,} days landed"
    if missing := sorted(name for name, days in landed.items() if not days):
        known += f", none of {', '.join(missing[:_NAMED])}" + (" and others" if missing[_NAMED:] else "")
    text = f"landed statistics at {tables.uri}, {quarter} ({known})"
    if found.foreign:
        text += f"; spent in another currency than {CURRENCY}: {several(len(found.foreign), 'account')}"
    return text
