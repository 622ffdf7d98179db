"""What the myTarget imitation saw of its clients: the certification rules, counted.

The rules are those of the myTarget certification page: which grants, how
often refreshed, limits kept, requests grouped, long statistics at most once a
day, changed fields only.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from html import escape
from typing import Any

import attrs

EXAMPLES = 50
ONCE_PER = timedelta(hours=24)


def _examples() -> deque[dict[str, Any]]:
    return deque(maxlen=EXAMPLES)


@attrs.define
class Ledger:
    """Counts, by the server, of what its clients did."""

    requests: int = 0
    """API calls that reached a handler, refused ones included."""
    statuses: Counter[int] = attrs.field(factory=Counter)
    verbs: Counter[str] = attrs.field(factory=Counter)
    """HTTP methods of partial updates."""
    grants: Counter[str] = attrs.field(factory=Counter)
    grants_by_user: defaultdict[str, Counter[str]] = attrs.field(factory=lambda: defaultdict(Counter))
    refreshes_by_user: Counter[str] = attrs.field(factory=Counter)
    oauth_errors: Counter[str] = attrs.field(factory=Counter)
    unauthorized: Counter[str] = attrs.field(factory=Counter)
    unbound_by_user: Counter[str] = attrs.field(factory=Counter)
    objects: defaultdict[str, Counter[int]] = attrs.field(factory=lambda: defaultdict(Counter))
    long_statistics: int = 0
    repeats: int = 0
    repeat_examples: deque[dict[str, Any]] = attrs.field(factory=_examples)
    updates: int = 0
    unchanged: int = 0
    unchanged_examples: deque[dict[str, Any]] = attrs.field(factory=_examples)
    _asked: dict[tuple[Any, ...], list[tuple[datetime, date, date]]] = attrs.field(factory=dict)

    def granted(self, grant: str, user_id: int) -> None:
        """Note a token that was issued."""
        self.grants[grant] += 1
        self.grants_by_user[str(user_id)][grant] += 1

    def grouped(self, operation: str, count: int) -> None:
        """Note how many objects one request was about."""
        self.objects[operation][count] += 1

    def asked(
        self,
        *,
        user_id: int,
        kind: str,
        metrics: Iterable[str],
        ids: Iterable[int],
        since: date,
        until: date,
        now: datetime,
    ) -> None:
        """
        Note a statistics request; *until* is inclusive.

        It is a repeat when, for the same user, kind, metrics and any of the
        same objects, more than one of its days was asked for by a long
        request within the last 24 hours.
        """
        if until <= since:
            return
        self.long_statistics += 1
        repeated = 0
        words = tuple(sorted(metrics))
        for number in ids:
            key = (user_id, kind, words, number)
            known = [past for past in self._asked.get(key, ()) if now - past[0] < ONCE_PER]
            repeated += any(min(until, b) > max(since, a) for _, a, b in known)
            self._asked[key] = [*known, (now, since, until)]
        if repeated:
            self.repeats += 1
            self.repeat_examples.append(
                {
                    "user_id": user_id,
                    "kind": kind,
                    "metrics": list(words),
                    "objects": repeated,
                    "date_from": since.isoformat(),
                    "date_to": until.isoformat(),
                }
            )

    def updated(self, kind: str, number: int, method: str, unchanged: Iterable[str]) -> None:
        """Note a partial update of one object and the fields it need not have sent."""
        self.updates += 1
        self.verbs[method] += 1
        for field in unchanged:
            self.unchanged += 1
            self.unchanged_examples.append({"object": kind, "id": number, "field": field})

    def summary(self) -> dict[str, Any]:
        """Return the counts as plain JSON values; every key is text."""
        return {
            "requests": self.requests,
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "grants": dict(self.grants),
            "grants_by_user": {user: dict(n) for user, n in self.grants_by_user.items()},
            "refreshes": self.refreshes_by_user.total(),
            "refreshes_by_user": dict(self.refreshes_by_user),
            "oauth_errors": dict(self.oauth_errors),
            "unauthorized": dict(self.unauthorized),
            "unbound_by_user": dict(self.unbound_by_user),
            "objects_per_request": {
                name: {str(size): n for size, n in sorted(sizes.items())}
                for name, sizes in sorted(self.objects.items())
            },
            "long_statistics": self.long_statistics,
            "repeated_statistics": self.repeats,
            "repeated_statistics_examples": list(self.repeat_examples),
            "partial_updates": self.updates,
            "update_verbs": dict(self.verbs),
            "unchanged_fields": self.unchanged,
            "unchanged_fields_examples": list(self.unchanged_examples),
        }


def page(network: str, report: Mapping[str, Any]) -> str:
    """Return the report as one HTML page."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{_cell(value)}</td></tr>"
        for name, value in report.items()
        if name != "windows"
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{escape(network)} sandbox report</title>"
        "<style>body{font:14px sans-serif;margin:2em}th{text-align:left;padding-right:1em;"
        "vertical-align:top}table{border-collapse:collapse}td,th{border-bottom:1px solid #ccc}"
        "</style>"
        f"<h1>{escape(network)} sandbox: what the server saw</h1><table>{rows}</table>"
        f"<h2>Windows</h2>{_windows(report.get('windows', []))}</html>"
    )


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return "<br>".join(f"{escape(str(k))}: {escape(str(v))}" for k, v in value.items())
    if isinstance(value, list):
        return "<br>".join(escape(str(item)) for item in value)
    return escape(str(value))


def _windows(usage: list[dict[str, Any]]) -> str:
    names = (
        "client_id",
        "user_id",
        "resource",
        "version",
        "operation",
        "window_s",
        "limit",
        "used",
        "allowed",
        "share",
        "peak",
        "denied",
        "calls_after_zero",
    )
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(str(row[name]))}</td>" for name in names) + "</tr>" for row in usage
    )
    return f"<table><tr>{head}</tr>{rows}</table>"
