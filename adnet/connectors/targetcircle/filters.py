"""Which rows of a report were asked for, where the network sends more."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from adnet.connectors.targetcircle import codec
from adnet.connectors.targetcircle.rows import TransactionRow
from adnet.errors import ConfigurationError
from adnet.hints import hint
from adnet.models import ReportQuery
from adnet.models.countries import iso2
from adnet.models.words import STATUSES, TRANSACTION_STATUSES
from adnet.periods import Period

_STATUSES: Final[Mapping[str, tuple[frozenset[str], Mapping[str, str]]]] = {
    "transactions": (TRANSACTION_STATUSES, codec.TRANSACTION_STATUS),
    "trades": (STATUSES, codec.STATUS),
    "offers": (STATUSES, codec.STATUS),
}


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
        if "status" in chosen:
            chosen["status"] = frozenset(word.casefold() for word in chosen["status"])
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
        if (row.status or "").casefold() in self.status:
            return True
        ours = codec.transaction_status if isinstance(row, TransactionRow) else codec.status_of
        return ours(row.status) in self.status


def check_statuses(kind: str, words: Iterable[str]) -> None:
    """Refuse a status that no row of this *kind* can have: without rows it would read as if there were none.

    Raises:
        ConfigurationError: It is neither one of our words nor one of the network's that are known.
    """
    ours, theirs = _STATUSES[kind]
    known = sorted(ours | theirs.keys())
    for word in words:
        if word.casefold() not in known:
            raise ConfigurationError(f"{kind} have no status {word!r}; {hint(word, known)}")
