"""Which rows of a report were asked for, where the network sends more."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import attrs

from adnet.connectors.targetcircle import codec
from adnet.connectors.targetcircle.rows import TransactionRow
from adnet.models import ReportQuery
from adnet.models.countries import iso2
from adnet.periods import Period


@attrs.frozen(kw_only=True)
class RowFilter:
    """What is compared here because the network's own filter cannot say it, and the exact period."""

    period: Period | None
    currency: str | None = None
    """That of amounts which name none: the report was asked for in it."""
    status: frozenset[str] = frozenset()
    country: frozenset[str] = frozenset()
    reference: frozenset[str] = frozenset()

    @classmethod
    def of(cls, query: ReportQuery, local: Iterable[str]) -> "RowFilter":
        """Return the filter for a query."""
        chosen = {name: frozenset(query.filters.get(name, ())) for name in local}
        if "country" in chosen:
            chosen["country"] = frozenset(iso2(name) or name for name in chosen["country"])
        return cls(period=query.period, currency=query.currency, **chosen)

    def kept(self, rows: Sequence[Any], moments: Sequence[datetime]) -> list[int] | None:
        """Return the places of the rows that are asked for; None means all of them."""
        period = self.period
        inside = period is None or not moments or (min(moments) in period and max(moments) in period)
        if inside and not (self.status or self.country or self.reference):
            return None
        return [
            index
            for index, row in enumerate(rows)
            if (inside or period is None or moments[index] in period) and self._keeps(row)
        ]

    def _keeps(self, row: Any) -> bool:
        if self.status and not self._status_matches(row):
            return False
        if self.country and (iso2(row.country) or row.country) not in self.country:
            return False
        return not self.reference or not self.reference.isdisjoint(codec.labels(row.reference))

    def _status_matches(self, row: Any) -> bool:
        if isinstance(row, TransactionRow):
            return row.status in self.status or codec.transaction_status(row.status) in self.status
        return row.status in self.status or codec.status_of(row.status) in self.status
