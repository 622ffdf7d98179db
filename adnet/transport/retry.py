"""When a request is sent again.

Two questions decide: is the error temporary, and is it safe to send again? It is safe when the route is
idempotent, or when the server is known not to have executed the request: no connection was made, or it
refused with 401 or 429. A write whose reply was lost is never sent again; it becomes a LostReplyError.

Waiting times are backoff's exponential series with full jitter. A server's Retry-After is honoured up to a
ceiling; beyond it the error rises at once. One deadline bounds it all, and a budget per host keeps retries a
small share of the requests, so that they cannot multiply the load on a server that is down.
"""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import attrs
import backoff

from adnet.clock import Clock
from adnet.errors import (
    AdnetError,
    ConnectError,
    LostReplyError,
    PayloadError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TokenExpiredError,
    TransportError,
)
from adnet.transport.wire import Request, Response

Send = Callable[[Request], Awaitable[Response]]
OnRetry = Callable[[Request, AdnetError, int, float], None]
_MIN_WAIT: Final = 0.0


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often and how long; a value, shared by all requests of a session."""

    attempts: int = 5
    """Sends in all, the first included."""
    first_s: float = 0.5
    """Upper bound of the first wait; each next bound is twice as long."""
    longest_s: float = 30.0
    """Upper bound of any wait that the server did not ask for."""
    retry_after_ceiling_s: float = 300.0
    """A server that asks for more is not waited for."""
    budget_share: float = 0.2
    """Retries allowed per request sent, over time."""
    budget_reserve: int = 20
    """Retries allowed in a burst."""


class RetryBudget:
    """Allows retries as a share of what was sent; one for each host."""

    __slots__ = ("_policy", "_tokens")

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._tokens = float(policy.budget_reserve)

    def sent(self) -> None:
        """Count a first attempt."""
        self._tokens = min(self._tokens + self._policy.budget_share, float(self._policy.budget_reserve))

    def take(self) -> bool:
        """Take one retry out of the budget; say whether there was one."""
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


def waits(policy: RetryPolicy) -> Iterator[float]:
    """Yield the waiting times before the second, third, … attempt: full jitter over a doubling bound."""
    series = backoff.expo(base=2, factor=policy.first_s, max_value=policy.longest_s)
    next(series)  # backoff primes its generators with an empty first value
    for bound in series:
        yield backoff.full_jitter(bound)


def safe_to_repeat(request: Request, error: AdnetError) -> bool:
    """Whether sending *request* again cannot execute it twice."""
    if request.route.idempotent or isinstance(error, ConnectError | TokenExpiredError):
        return True
    if isinstance(error, RequestTimeoutError) and not error.sent:
        return True
    return isinstance(error, RateLimitError) and error.status is not None


class Retrier:
    """Sends until it works, or until it must not be tried again; the last error rises as it is."""

    __slots__ = ("_budget", "_clock", "_on_retry", "_policy")

    def __init__(self, policy: RetryPolicy, clock: Clock, on_retry: OnRetry | None = None) -> None:
        self._policy = policy
        self._clock = clock
        self._budget = RetryBudget(policy)
        self._on_retry = on_retry

    async def run(self, send: Send, request: Request) -> Response:
        """Return the first good answer to *request*.

        Raises:
            LostReplyError: The reply to a write was lost; it may have been executed.
            AdnetError: The last attempt's error, with the number of attempts and the time waited.
        """
        self._budget.sent()
        try:
            return await send(request)
        except AdnetError as error:
            first = error
        return await self._again(send, request, first)

    async def _again(self, send: Send, request: Request, error: AdnetError) -> Response:
        series = waits(self._policy)
        started, attempt, renewed = self._clock.monotonic(), 1, False
        while True:
            wait = self._wait(request, error, attempt, renewed, series)
            if wait is None:
                raise self._final(request, error, attempt, self._clock.monotonic() - started)
            renewed = renewed or isinstance(error, TokenExpiredError)
            if self._on_retry is not None:
                self._on_retry(request, error, attempt, wait)
            if wait > _MIN_WAIT:
                await self._clock.sleep(wait)
            attempt += 1
            try:
                return await send(request)
            except AdnetError as latest:
                error = latest

    def _wait(
        self,
        request: Request,
        error: AdnetError,
        attempt: int,
        renewed: bool,
        series: Iterator[float],
    ) -> float | None:
        """Return the seconds to wait before the next attempt, or None when there shall be none."""
        if not error.temporary or attempt >= self._policy.attempts or not safe_to_repeat(request, error):
            return None
        if isinstance(error, TokenExpiredError):
            return None if renewed else 0.0
        if isinstance(error, RateLimitError) and error.status is None:
            return None  # our own limiter has refused: waiting is what it is there for
        wait = next(series)
        asked = error.retry_after_s if isinstance(error, RateLimitError | ServerError) else None
        if asked:  # none at all is no advice: all attempts would be over before anything can have changed
            if asked > self._policy.retry_after_ceiling_s:
                return None
            wait = asked
        elif isinstance(error, RateLimitError):
            wait = 0.0  # the limiter has blocked the bucket and knows how long
        if request.deadline is not None and self._clock.monotonic() + wait >= request.deadline:
            return None
        if not self._budget.take():
            error.add_note("not tried again: too many requests to this host have failed already")
            return None
        return wait

    def _final(self, request: Request, error: AdnetError, attempts: int, waited_s: float) -> AdnetError:
        if isinstance(error, TransportError) and not safe_to_repeat(request, error):
            lost = LostReplyError(
                f"the reply was lost ({error.message}); it may have been executed and is not sent again"
            )
            lost.__cause__ = error
            error = lost
        elif isinstance(error, ServerError | PayloadError) and not safe_to_repeat(request, error):
            # A gateway gives up, or an answer is unreadable, when the work may be done: for the caller, too, the
            # same call is none that may simply be repeated.
            error.temporary = False
            error.add_note("it may have been executed, and is not sent again")
        details: dict[str, Any] = {"attempts": attempts, "waited_s": waited_s}
        return error.add_context(**details)
