"""One composition of the rooms: retry > decipher > limits > sign > transport.

The order is fixed here and nowhere else. The limiter stands inside the retry, so that every physical send is
charged; signing stands inside the limiter, so that no token goes stale in the queue; a 401 is never resent by
the signer itself, since that send would escape the limiter.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from adnet.clock import Clock
from adnet.errors import (
    AdnetError,
    DecodeError,
    OriginError,
    RateLimitError,
    RequestTimeoutError,
)
from adnet.redact import Scrubber
from adnet.transport._sends import Sends
from adnet.transport.base import Transport
from adnet.transport.ceilings import Ceilings
from adnet.transport.deadline import current_deadline
from adnet.transport.decipher import Decipherer, decode, expired
from adnet.transport.events import Event, Listener, LoggingListener, Meter, current_meter, is_logged
from adnet.transport.limits import Limiter
from adnet.transport.retry import Retrier, RetryPolicy
from adnet.transport.sign import Signer, UnsignedError, signed_by
from adnet.transport.wire import Request, Response, Route, checked_base_url, origin

_LATE_S: Final = 0.05
"""A request that leaves so much later than it was let in is let in anew."""

Observer = Callable[[Request, Response | None, AdnetError | None], None]
"""Told of every physical send, as it was signed, and what came of it, nothing where it was cancelled: a ledger."""


class _Reading:
    """The block in which an answer is read; a class, since one of a generator takes three times as long."""

    __slots__ = ("_route", "_session", "_started")

    def __init__(self, session: "Session", route: Route) -> None:
        self._session = session
        self._route = route

    def __enter__(self) -> None:
        self._started = self._session.clock.monotonic()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        session = self._session
        spent = session.clock.monotonic() - self._started
        for meter in session.meters():
            meter.decode_s += spent
        if isinstance(error, AdnetError):
            error.add_context(
                network=session.network, account=session.account, operation=self._route.operation
            )


class Session:
    """Sends requests of one account. Safe to use from many tasks at once."""

    def __init__(
        self,
        *,
        network: str,
        account: str,
        base_url: str,
        transport: Transport,
        limiter: Limiter,
        signer: Signer,
        decipherer: Decipherer,
        clock: Clock,
        scrubber: Scrubber,
        policy: RetryPolicy | None = None,
        ceilings: Ceilings | None = None,
        listeners: Sequence[Listener] = (),
        observers: Sequence[Observer] = (),
    ) -> None:
        self.network = network
        self.account = account
        self.base_url = checked_base_url(base_url)
        self.limiter = limiter
        self.clock = clock
        self.scrubber = scrubber
        self.ceilings = ceilings or Ceilings()
        self.meter = Meter()
        self._origin = origin(self.base_url)
        self._root = "{0.scheme}://{0.netloc}/".format(urlsplit(self.base_url))
        self._transport = transport
        self._signer = signer
        self._decipherer = decipherer
        self._listeners = tuple(listeners)
        self._heard = not all(isinstance(listener, LoggingListener) for listener in listeners)
        self._observers = tuple(observers)
        self._policy = policy or RetryPolicy()
        self._retrier = Retrier(self._policy, clock, self._retried)

    def build(self, route: Route, **parts: Any) -> Request:
        """Return ``Request.build`` for *route* below the base URL."""
        return Request.build(route, self.base_url, **parts)

    def check_origin(self, url: str) -> str:
        """Return *url* when it is on the configured origin.

        Raises:
            OriginError: If it is elsewhere; no credential has left.
        """
        # What begins with scheme, host, port and a slash, letter by letter, need not be taken apart.
        if not url.startswith(self._root) and origin(url) != self._origin:
            raise OriginError(
                f"the server named a URL on {origin(url)}, outside the configured origin {self._origin};"
                " it was not requested",
                origin=origin(url),
                network=self.network,
                account=self.account,
            )
        return url

    def check_pages(self, route: Route, count: int) -> None:
        """Refuse an answer to *route* that promises *count* pages, or is the last of so many.

        Raises:
            TooLargeError: If that is above the ceiling.
        """
        with self.reading(route):
            self.ceilings.check_pages(count)

    async def send(self, request: Request) -> Response:
        """Return the first good answer to *request*.

        Raises:
            AdnetError: The right class for what happened, complete with network, account and operation.
        """
        self.check_origin(request.url)
        if request.deadline is None and (until := current_deadline()) is not None:
            request = request.changed(deadline=until)
        sends = Sends()
        try:
            return await self._retrier.run(partial(self._attempt, sends), request)
        except AdnetError as error:
            sends.sum_up(error)
            self._fail(error, request)
            raise
        except UnsignedError as unsigned:
            sends.sum_up(unsigned.error, unsigned=True)
            self._fail(unsigned.error, request)
            raise unsigned.error from unsigned.error.__cause__

    def reading(self, route: Route) -> "_Reading":
        """Let errors that rise while an answer to *route* is read say whose answer it was, and count the time.

        Nothing is awaited inside.
        """
        return _Reading(self, route)

    def clean(self, response: Response) -> Response:
        """Return *response* without secrets that it repeats: rows, and their ``raw``, are made of such ones.

        Raises:
            DecodeError: It may repeat some, and is no JSON.
        """
        try:
            body = self.scrubber.json(response.body)
        except DecodeError:
            decode(response, scrubber=self.scrubber)  # which says what it is instead
            raise
        return response if body is response.body else attrs.evolve(response, body=body)

    async def _attempt(self, sends: Sends, request: Request) -> Response:
        try:
            return await self._once(sends, request)
        except AdnetError as error:
            sends.failed(error)
            raise

    async def _once(self, sends: Sends, request: Request) -> Response:
        done = await self._let_in(sends, request)
        if done is None:  # a token was waited for: the charge was for a moment that has passed
            done = await self._let_in(sends, request, late_s=math.inf)
            assert done is not None
        signed, response, error = done
        if error is None:
            return response
        if expired(error) and not self._signer.refused(signed, error.code):
            error.temporary = False
        raise error

    async def _let_in(
        self, sends: Sends, request: Request, *, late_s: float = _LATE_S
    ) -> tuple[Request, Response, AdnetError | None] | None:
        route = request.route
        with await self.limiter.acquire(
            route.buckets, cost=route.cost, lane=request.lane, deadline=request.deadline
        ) as slot:
            self._count_wait(request, slot.waited_s)
            before, entered = sends.count, self.clock.monotonic()
            try:
                signed = await signed_by(self._signer, request)
                if self.clock.monotonic() - entered > late_s:
                    slot.unsent()
                    return None
                response = await self._physical(sends, request, signed)
            except BaseException:
                if sends.count == before:
                    slot.unsent()  # what never left is not charged
                raise
            error = self._decipherer.error(response)
            self._observe(signed, response, error)
            # Still inside: whoever waits must find the bucket closed before a place becomes free.
            self._tell_limiter(route, error)
        return signed, response, error

    async def _physical(self, sends: Sends, request: Request, signed: Request) -> Response:
        timeout_s = request.route.timeout_s
        if request.deadline is not None:
            timeout_s = min(timeout_s, request.deadline - self.clock.monotonic())
            if timeout_s <= 0:
                raise RequestTimeoutError("no time is left before the deadline; nothing was sent", sent=False)
        sends.count += 1
        self._tell("sent", request)
        started, size = self.clock.monotonic(), 0
        try:
            response = await self._transport.send(signed, timeout_s=timeout_s)
            size = len(response.body)
            self.ceilings.check_depth(response.body)
        except BaseException as error:  # what was cancelled has left all the same
            self._observe(signed, None, error if isinstance(error, AdnetError) else None)
            raise
        finally:
            spent = self.clock.monotonic() - started
            for meter in self.meters():
                meter.requests += 1
                meter.server_s += spent
                meter.bytes += size
        self._tell("answered", request, status=response.status, seconds=response.elapsed_s)
        return response

    def meters(self) -> Sequence[Meter]:
        """Return the account's own meter, and that of the stretch of work that is under way."""
        return [self.meter] if (current := current_meter()) is None else [self.meter, current]

    def _fail(self, error: AdnetError, request: Request) -> None:
        error.add_context(network=self.network, account=self.account, operation=request.route.operation)
        self._tell("failed", request, error=str(error))

    def _observe(self, request: Request, response: Response | None, error: AdnetError | None) -> None:
        for observer in self._observers:
            observer(request, response, error)

    def _count_wait(self, request: Request, seconds: float) -> None:
        if seconds <= 0:
            return
        for meter in self.meters():
            meter.limit_s += seconds
        self._tell("waited", request, seconds=seconds)

    def _retried(self, request: Request, error: AdnetError, attempt: int, wait: float) -> None:
        for meter in self.meters():
            meter.retry_s += wait
        self._tell("retried", request, attempt=attempt, seconds=wait, error=str(error))

    def _tell(self, kind: str, request: Request, **details: Any) -> None:
        if not (self._heard or is_logged(kind)):
            return  # making an event costs more than asking who would hear it
        event = Event(
            kind=kind,
            network=self.network,
            account=self.account,
            operation=request.route.operation,
            target=self.scrubber.text(request.target),
            **details,
        )
        for listener in self._listeners:
            listener(event)

    def _tell_limiter(self, route: Route, error: AdnetError | None) -> None:
        if error is None:
            self.limiter.succeeded(route.buckets)
        elif isinstance(error, RateLimitError):
            asked = error.retry_after_s
            # A server that asks for a week closes the account for as long as anybody would wait, not longer.
            self.limiter.refused(
                route.buckets, retry_after_s=asked and min(asked, self._policy.retry_after_ceiling_s)
            )

    async def close(self) -> None:
        """Give unused quota back, and close the transport."""
        self.limiter.close()
        await self._transport.close()

    def __repr__(self) -> str:
        return f"Session({self.network}, {self.account}, {self._origin})"
