"""Reports of networks that answer at once: jobs that are born ready and read a list."""

from collections.abc import AsyncIterator, Callable
from inspect import signature
from typing import Any, Final

from adnet.clock import Clock
from adnet.errors import UnsupportedError
from adnet.interface import (
    Connector,
    ReadsAds,
    ReadsCampaigns,
    ReadsClicks,
    ReadsOffers,
    ReadsStats,
    ReadsTrades,
    ReadsTransactions,
)
from adnet.models import Batch, ReportJob, ReportQuery
from adnet.periods import Period

_APART: Final = frozenset({"period", "level", "currency"})
"""What a query has beside its filters; lists take it by these names."""


class InstantReports:
    """Gives a connector's lists the shape of report jobs."""

    def __init__(self, connector: Connector, *, account: str, clock: Clock) -> None:
        self._connector = connector
        self._account = account
        self._clock = clock

    def submit(self, query: ReportQuery) -> ReportJob:
        """Return a job that is ready at once.

        Raises:
            UnsupportedError: The network has no such list, or not by such a filter, or in no such currency.
        """
        self._list(query)
        now = self._clock.now()
        return ReportJob(
            network=self._connector.network,
            account=self._account,
            account_key=self._connector.account_key,
            query=query,
            state="ready",
            created_at=now,
            submitted_at=now,
            ready_at=now,
        )

    def read(self, job: ReportJob) -> AsyncIterator[Batch]:
        """Yield the rows; the network is asked now."""
        return self._list(job.query)()

    def _list(self, query: ReportQuery) -> Callable[[], AsyncIterator[Batch]]:
        found = self._found(query)
        self._check(query)
        return found

    def _check(self, query: ReportQuery) -> None:
        """Refuse what the list would not take, or would leave out without a word."""
        takes = signature(getattr(self._connector, f"list_{query.kind}")).parameters
        free = any(one.kind is one.VAR_KEYWORD for one in takes.values())
        told = [name for name, one in takes.items() if one.kind is not one.VAR_KEYWORD and name not in _APART]
        what = f"{self._connector.network} cannot filter {query.kind} by"
        for name in query.filters:
            if name in _APART or not (free or name in told):
                raise self._refused(f"{what} {name!r}" + (f"; it can by {', '.join(told)}" if told else ""))
        if query.currency is not None and "currency" not in takes:
            own = f"{self._connector.network} tells {query.kind} in no other currency than its own"
            raise self._refused(f"{own}; leave currency out")

    def _found(self, query: ReportQuery) -> Callable[[], AsyncIterator[Batch]]:
        connector: Any = self._connector
        filters: dict[str, Any] = dict(query.filters)
        period = query.period
        if query.kind == "campaigns" and isinstance(connector, ReadsCampaigns):
            return lambda: connector.list_campaigns(**filters)
        if query.kind == "ads" and isinstance(connector, ReadsAds):
            return lambda: connector.list_ads(**filters)
        if query.kind == "offers" and isinstance(connector, ReadsOffers):
            return lambda: connector.list_offers(**filters)
        if query.kind == "trades" and isinstance(connector, ReadsTrades):
            return lambda: connector.list_trades(**filters)
        if period is not None:
            return self._dated(query, period, filters)
        raise self._unsupported(query)

    def _dated(
        self, query: ReportQuery, period: Period, filters: dict[str, Any]
    ) -> Callable[[], AsyncIterator[Batch]]:
        connector: Any = self._connector
        if query.kind == "stats" and isinstance(connector, ReadsStats):
            level = query.level or "campaign"
            return lambda: connector.list_stats(period, level=level, **filters)
        if query.kind == "transactions" and isinstance(connector, ReadsTransactions):
            return lambda: connector.list_transactions(period, currency=query.currency, **filters)
        if query.kind == "clicks" and isinstance(connector, ReadsClicks):
            return lambda: connector.list_clicks(period, **filters)
        raise self._unsupported(query)

    def _unsupported(self, query: ReportQuery) -> UnsupportedError:
        return self._refused(
            f"{self._connector.network} has no {query.kind} report"
            + ("" if query.period else "; a period may be missing")
        )

    def _refused(self, why: str) -> UnsupportedError:
        return UnsupportedError(why, network=self._connector.network, account=self._account)
