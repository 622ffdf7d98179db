"""The limits of myTarget and VK Ads: per user, resource, operation and version, on Moscow's calendar.

Nothing is hard-wired but the shape: numbers come from ``throttling.json`` before the first request, from the
``X-RateLimit-*`` headers of every answer, and from the window map of a 429. The documents say to rely on live values
only. Source: myTarget help "API arrangement", VK Ads API overview (documented).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from adnet.clock import Clock
from adnet.connectors.mytarget import routes
from adnet.connectors.mytarget.errors import count_in, is_closed, windows_of
from adnet.interface import LimitFact
from adnet.transport.base import Transport
from adnet.transport.limits import SET_BY_USER, Bucket, Limiter, Window
from adnet.transport.wire import Request, Response

PAGE_SIZE: Final = 50
DEFAULT_PAGE_SIZE: Final = 20
MASS_LIMIT: Final = 200
STAT_IDS: Final = 200
URLS_AT_ONCE: Final = 50
TOKEN_SLOTS: Final = 5
LIST_BYTES: Final = 128 * 1024 * 1024

_DOC: Final = "VK Ads API documentation (documented)"
FACTS: Final = (
    LimitFact("objects of a list page", PAGE_SIZE, "objects", _DOC),
    LimitFact("changes of a mass action", MASS_LIMIT, "objects", _DOC),
    LimitFact("ids of a statistics request", STAT_IDS, "ids", _DOC),
    LimitFact("live tokens of an account", TOKEN_SLOTS, "tokens", _DOC),
    LimitFact("requests", "live", "per throttling.json", "myTarget help, API arrangement (documented)"),
)

MOSCOW_OFFSET_S: Final = 3 * 3600
"""By how much the days of the network's windows begin before those of UTC."""
_SPREAD_LAST: Final = 0.1
_CAUTION: Final = "our own caution; throttling.json could not be read"
_LIVE: Final = "throttling.json and X-RateLimit headers"
_HEADERS: Final = {"rps": 1, "minutely": 60, "hourly": 3600, "daily": 86400}
_SHORT_S: Final = 60
"""What remains of a shorter window is news of the past when it arrives."""


def _names() -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for route in routes.ROUTES for name in route.buckets))


BUCKETS: Final = tuple(Bucket(name, source=_LIVE) for name in _names())
"""Every bucket that a route names; their windows come from the network."""


def window(limit: int, seconds: int) -> Window:
    """Return a window of the network's calendar, whose days begin in Moscow."""
    return Window(limit, float(seconds), aligned=True, tz_offset_s=MOSCOW_OFFSET_S, spread_last=_SPREAD_LAST)


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """Return what the Date header says, aware; None when it says nothing of use."""
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None


def told(headers: Mapping[str, str]) -> dict[int, tuple[int, int]]:
    """Return seconds -> (limit, remaining) as the answer's headers tell them; half-told windows are left out."""
    found = {}
    for word, seconds in _HEADERS.items():
        limit = count_in(headers.get(f"x-ratelimit-{word}-limit", ""))
        remaining = count_in(headers.get(f"x-ratelimit-{word}-remaining", ""))
        if limit is not None and remaining is not None:
            found[seconds] = (limit, remaining)
    return found


def headroom(headers: Mapping[str, str]) -> str | None:
    """Return what the tightest window has left, e.g. ``"12 of 3600 in 3600 s"``."""
    windows = [(left / limit, left, limit, s) for s, (limit, left) in told(headers).items() if limit]
    if not windows:
        return None
    _, left, limit, seconds = min(windows)
    return f"{left} of {limit} in {seconds} s"


class Quotas:
    """Feeds the limiter with what the network says of its limits."""

    def __init__(self, limiter: Limiter, clock: Clock) -> None:
        self._limiter = limiter
        self._clock = clock
        states = limiter.state()
        self._fixed = {
            state.name: tuple(Window(w.limit, w.per_s) for w in state.windows)
            for state in states
            if state.source == SET_BY_USER
        }
        """What the user set; the network's own limits hold beside it."""
        self._caps = {state.name: (state.concurrency, state.in_flight_source) for state in states}
        """Requests in flight, which the network does not speak of."""
        self._known: dict[str, dict[int, Window]] = {state.name: {} for state in states}
        self._in_flight: Counter[str] = Counter()
        self._told: tuple[datetime, float] | None = None
        """What the network's clock showed in the newest answer, and our monotonic clock then."""

    def server_at(self, moment: float) -> datetime:
        """Return a moment of our monotonic clock as the network's clock showed it, or ours before its first answer.

        Counted by a clock that nobody sets, so that what is created can be told from what was there.
        """
        shown, at = self._told or (self._clock.now(), self._clock.monotonic())
        return shown + timedelta(seconds=moment - at)

    def seed(self, body: bytes, server_now: datetime | None, *, age_s: float | None = 0.0) -> bool:
        """Take in ``throttling.json``, if that is what it is. Resources that it does not list have no limits.

        Args:
            body: What it said.
            server_now: What the network's clock showed then, where that is of use.
            age_s: How long ago that was: of windows that have begun since it does not tell what is left. None: of
                all of them.
        """
        resources = _decoded(body)
        if not isinstance(resources, Mapping):
            return False
        for name, windows in _listed(resources):
            if name not in self._known:
                continue
            self._define(name, {s: window(limit, s) for s, (limit, _) in windows.items()})
            for seconds, (limit, remaining) in windows.items():
                if age_s is not None and seconds >= _SHORT_S and age_s <= self._begun_s(seconds):
                    self._learn(name, seconds, limit, remaining, server_now, None)
        return True

    def _begun_s(self, seconds: int) -> float:
        """Return how long ago the present window of that length began, by our clock."""
        return (self._clock.now().timestamp() + MOSCOW_OFFSET_S) % seconds

    def caution(self) -> None:
        """Go carefully where limits could not be learnt: one request a second of each kind."""
        for name, windows in self._known.items():
            if "/all/" in name and not name.endswith("/") and not windows:
                self._define(name, {1: window(1, 1)}, source=_CAUTION)

    def sent(self, request: Request) -> None:
        """Count a request that is leaving."""
        self._in_flight[request.route.buckets[0]] += 1

    def ended(self, request: Request) -> None:
        """Count a request that has ended, however it did."""
        self._in_flight[request.route.buckets[0]] -= 1

    def read(self, request: Request, response: Response, sent_at: float) -> None:
        """Take in what an answer's headers say of the clock and of the limits."""
        server_now = server_time(response.headers)
        if server_now is not None:
            now = self._clock.monotonic()
            self._told = server_now, now
            self._limiter.learn_skew(server_now, now - sent_at, received=now)
        windows = told(response.headers)
        if response.status == 429:
            body = _decoded(response.body)
            if is_closed(body):
                name = request.route.buckets[0]
                self._define(name, {seconds: window(0, seconds) for seconds in windows_of(body)})
                return
            windows |= windows_of(body)
        for seconds, (limit, left) in windows.items():
            self._learn(self._bucket(request, seconds), seconds, limit, left, server_now, sent_at)

    def _bucket(self, request: Request, seconds: int) -> str:
        """Return the bucket that headers speak of: the version's own, unless only ``all`` has such a window."""
        names = request.route.buckets
        return next((name for name in names if seconds in self._known.get(name, ())), names[0])

    def _learn(
        self,
        name: str,
        seconds: int,
        limit: int,
        left: int,
        server_now: datetime | None,
        sent_at: float | None,
    ) -> None:
        if name not in self._known:
            return
        if seconds not in self._known[name]:
            self._define(name, self._known[name] | {seconds: window(limit, seconds)})
        self._limiter.learn(
            name,
            float(seconds),
            limit=limit,
            remaining=left,
            in_flight=self._in_flight[name],
            server_now=server_now,
            sent_at=sent_at,
        )

    def _define(self, name: str, windows: dict[int, Window], *, source: str = _LIVE) -> None:
        if self._known.get(name) == windows:
            return
        self._known[name] = windows
        fixed = self._fixed.get(name, ())
        concurrency, said_by = self._caps.get(name, (None, ""))
        self._limiter.add(
            Bucket(
                name,
                windows=(*windows.values(), *fixed),
                concurrency=concurrency,
                source=SET_BY_USER if fixed else source,
                in_flight_source=said_by,
            )
        )


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _listed(resources: Mapping[str, Any]) -> Iterator[tuple[str, dict[int, tuple[int, int]]]]:
    """Yield (bucket name, windows) of ``throttling.json``; what has another shape is left out."""
    for resource, versions in resources.items():
        for version, operations in versions.items() if isinstance(versions, Mapping) else ():
            for operation, found in operations.items() if isinstance(operations, Mapping) else ():
                if windows := windows_of(found):
                    yield f"{resource}/{version}/{operation}", windows


class MeteredTransport:
    """A transport that tells the quotas of every request on its way, and of every answer's headers."""

    def __init__(self, inner: Transport, quotas: Quotas, clock: Clock) -> None:
        self._inner = inner
        self._quotas = quotas
        self._clock = clock

    async def send(self, request: Request, *, timeout_s: float) -> Response:
        """Return the whole answer; see :class:`adnet.transport.base.Transport`."""
        sent_at = self._clock.monotonic()
        self._quotas.sent(request)
        try:
            response = await self._inner.send(request, timeout_s=timeout_s)
        finally:
            self._quotas.ended(request)
        self._quotas.read(request, response, sent_at)
        return response

    async def close(self) -> None:
        """Close the transport."""
        await self._inner.close()
