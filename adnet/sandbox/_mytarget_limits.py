"""
Request limits on calendar windows, counted exactly.

A bucket is (resource, version, operation); the version `all` counts every
version. Windows are Moscow's seconds, minutes, hours and days. A refused call
counts in no window.

Source: myTarget help "API arrangement" and the VK Ads API overview
(documented); the 429 body as captured by four public clients.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import attrs

LimitsKnob: TypeAlias = Mapping[str, Mapping[str, Mapping[str, Mapping[int | str, int]]] | None]

HEADER_WORDS = {1: "RPS", 60: "Minutely", 3600: "Hourly", 86400: "Daily"}
_MOSCOW_OFFSET_S = 3 * 3600
_READ = {1: 5, 3600: 3600, 86400: 86400}
_WRITE = {1: 2, 3600: 1800, 86400: 43200}
_STATISTICS = {1: 3, 3600: 2000, 86400: 48000}


def _both(version: str, operations: dict[str, dict[int, int]]) -> Any:
    return {version: operations, "all": operations}


_OBJECTS = _both("v2", {"READ": _READ, "CREATE": _WRITE, "UPDATE": _WRITE, "DELETE": _WRITE})
_SLOW_UPLOADS = {"READ": {1: 2, 3600: 3600}, "CREATE": {3600: 10}}
_OPERATIONS = ("READ", "CREATE", "UPDATE", "DELETE")
_TWO_A_SECOND = {operation: {1: 2, 3600: 3600} for operation in _OPERATIONS}
_ONE_A_SECOND = {operation: {1: 1, 3600: 3600} for operation in _OPERATIONS}

DEFAULT_LIMITS: Any = {
    "AD_PLAN": _OBJECTS,
    "BANNER": _OBJECTS,
    "CAMPAIGN": _OBJECTS,
    "REMARKETINGUSERSLIST": {"v2": _SLOW_UPLOADS, "v3": _SLOW_UPLOADS, "all": _SLOW_UPLOADS},
    "SEGMENT": _both("v2", _TWO_A_SECOND),
    "SHARINGKEY": _both("v2", _ONE_A_SECOND),
    # The operation of version 3 is the empty word on the real server, too.
    "statapid_generic": {"v2": {"READ": _STATISTICS}, "v3": {"": _STATISTICS}},
}
"""What the vendor's documents and captures make plausible; none is a promise of theirs."""

Bucket: TypeAlias = tuple[str, str, str]
Who: TypeAlias = tuple[str, int]


@attrs.define
class Window:
    """One calendar window of one bucket of one user of one client."""

    limit: int
    index: int = -1
    used: int = 0
    told_zero: int = -1
    """Index of the window in which an answer said that nothing remains."""
    total: int = 0
    peak: int = 0
    first: int = -1
    denied: int = 0
    after_zero: int = 0
    seen: int = 0
    recent: deque[tuple[int, int]] = attrs.field(factory=lambda: deque(maxlen=500))

    @property
    def remaining(self) -> int:
        return max(self.limit - self.used, 0)

    def roll(self, index: int) -> None:
        """Enter the window *index*; time going back keeps the present one."""
        if index <= self.index:
            return
        if self.used:
            self.recent.append((self.index, self.used))
        self.index, self.used = index, 0

    def take(self) -> None:
        if not self.used:
            self.seen += 1
        if self.first < 0:
            self.first = self.index
        self.used += 1
        self.total += 1
        self.peak = max(self.peak, self.used)

    def refuse(self) -> None:
        if self.remaining:
            return
        self.denied += 1
        if self.told_zero == self.index:
            self.after_zero += 1


@attrs.frozen(kw_only=True)
class Verdict:
    """What the limits say of one call."""

    allowed: bool
    headers: dict[str, str]
    body: dict[str, dict[str, int]] | None = None
    """The window map of the bucket that fired."""
    spent: tuple[Window, ...] = ()
    """Windows of which the answer says that nothing remains."""

    def told(self) -> None:
        """Note that the answer is on its way: whoever calls now could have known."""
        for window in self.spent:
            window.told_zero = window.index


class RateBook:
    """
    Counts calls per (client, user), resource, operation and version.

    Args:
        limits: Replaces the default entry of each resource it names; None there
            lifts that resource's limits. "none" lifts all.
    """

    def __init__(self, limits: LimitsKnob | Literal["none"] | None = None) -> None:
        self.refusals = 0
        """Answers 429."""
        self.no_access = 0
        """Those of them because every limit of the bucket is zero."""
        self.after_zero = 0
        """Calls that came though an answer had said that nothing remains."""
        self._windows: dict[tuple[Who, Bucket, int], Window] = {}
        self._limits: dict[Bucket, dict[int, int]] = {}
        self.configure(limits)

    def configure(self, limits: LimitsKnob | Literal["none"] | None) -> None:
        """Set the limits in force; what was used in the present windows stays used."""
        table: dict[str, Any] = dict(DEFAULT_LIMITS) if limits != "none" else {}
        if limits is not None and limits != "none":
            table.update(limits)
        self._limits = dict(_flat(table))
        for (_, bucket, seconds), window in self._windows.items():
            window.limit = self._limits.get(bucket, {}).get(seconds, window.limit)

    def take(self, who: Who, bucket: Bucket, moment: float) -> Verdict:
        """Count one call at *moment* (seconds since 1970) if all its buckets allow it."""
        held = [(name, self._held(who, name, moment)) for name in self._applying(bucket)]
        for _, windows in held:
            if any(not window.remaining for window in windows.values()):
                return self._refuse(held, windows)
        for _, windows in held:
            for window in windows.values():
                window.take()
        return Verdict(allowed=True, headers=_headers(held), spent=_spent(held))

    def state(self, who: Who, moment: float) -> dict[str, Any]:
        """Return what `throttling.json` shows one user."""
        found: dict[str, Any] = {}
        for name in self._limits:
            resource, version, operation = name
            windows = self._held(who, name, moment)
            found.setdefault(resource, {}).setdefault(version, {})[operation] = _map(windows)
        return found

    def usage(self) -> list[dict[str, Any]]:
        """Return one row per window that was ever used: used, allowed in that span, peak."""
        return [
            _usage(*key, window)
            for key, window in sorted(self._windows.items())
            if window.total or window.denied
        ]

    def _refuse(self, held: list[tuple[Bucket, dict[int, Window]]], fired: dict[int, Window]) -> Verdict:
        self.refusals += 1
        closed = not any(window.limit for window in fired.values())
        self.no_access += closed
        told = any(w.told_zero == w.index and not w.remaining for w in fired.values())
        self.after_zero += told and not closed
        for window in fired.values():
            window.refuse()
        return Verdict(allowed=False, headers=_headers(held), body=_map(fired), spent=_spent(held))

    def _applying(self, bucket: Bucket) -> Iterator[Bucket]:
        resource, version, operation = bucket
        for scope in (version, "all"):
            for word in (operation, ""):
                if (resource, scope, word) in self._limits:
                    yield (resource, scope, word)
                    break

    def _held(self, who: Who, bucket: Bucket, moment: float) -> dict[int, Window]:
        windows = {}
        for seconds, limit in self._limits[bucket].items():
            key = (who, bucket, seconds)
            window = self._windows.get(key)
            if window is None:
                window = self._windows[key] = Window(limit)
            window.roll(int((moment + _MOSCOW_OFFSET_S) // seconds))
            windows[seconds] = window
        return windows


def _flat(table: Mapping[str, Any]) -> Iterator[tuple[Bucket, dict[int, int]]]:
    for resource, versions in sorted(table.items()):
        for version, operations in (versions or {}).items():
            for operation, windows in operations.items():
                limits = {int(seconds): limit for seconds, limit in windows.items()}
                yield (resource, version, operation), limits


def _spent(held: list[tuple[Bucket, dict[int, Window]]]) -> tuple[Window, ...]:
    return tuple(
        window for _, windows in held for window in windows.values() if window.limit and not window.remaining
    )


def _map(windows: Mapping[int, Window]) -> dict[str, dict[str, int]]:
    return {
        "remaining": {str(seconds): window.remaining for seconds, window in windows.items()},
        "limits": {str(seconds): window.limit for seconds, window in windows.items()},
    }


def _headers(held: list[tuple[Bucket, dict[int, Window]]]) -> dict[str, str]:
    tightest: dict[int, Window] = {}
    for _, windows in held:
        for seconds, window in windows.items():
            other = tightest.get(seconds)
            if other is None or window.remaining < other.remaining:
                tightest[seconds] = window
    headers = {}
    for seconds, window in sorted(tightest.items()):
        word = HEADER_WORDS.get(seconds)
        if word is not None:
            headers[f"X-RateLimit-{word}-Limit"] = str(window.limit)
            headers[f"X-RateLimit-{word}-Remaining"] = str(window.remaining)
    return headers


def _usage(who: Who, bucket: Bucket, seconds: int, window: Window) -> dict[str, Any]:
    spanned = window.index - window.first + 1 if window.total else 0
    allowed = window.limit * spanned
    resource, version, operation = bucket
    begins = [
        [index * seconds - _MOSCOW_OFFSET_S, used]
        for index, used in (*window.recent, (window.index, window.used))
    ]
    return {
        "client_id": who[0],
        "user_id": who[1],
        "resource": resource,
        "version": version,
        "operation": operation,
        "window_s": seconds,
        "limit": window.limit,
        "windows_used": window.seen,
        "windows_spanned": spanned,
        "used": window.total,
        "allowed": allowed,
        "share": round(window.total / allowed, 4) if allowed else 0.0,
        "peak": window.peak,
        "denied": window.denied,
        "calls_after_zero": window.after_zero,
        "recent": begins,
    }
