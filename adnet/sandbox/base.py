"""
What all imitation servers share: a loopback server, a log, faults, a side door.

A subclass gives `routes()`, `truth()`, `credentials` and its own faults; it
may also override `authorize`, `refusal` and `eligible`. A request passes

    log > fault before the handler > authorize > handler > fault after it > gzip

`/__sandbox/...` is the side door: no authentication, no faults, no log.
"""

import asyncio
import gzip
import hashlib
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from random import Random
from types import TracebackType
from typing import Any, ClassVar, Self

import attrs
import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from adnet.sandbox.faults import COMMON_FAULTS, Faults

__all__ = ["LoggedRequest", "Sandbox", "days", "encode", "json_reply", "random_of", "secret"]

HOST = "127.0.0.1"
MAX_LOG = 100_000
MAX_BODY_BYTES = 64 * 2**20
GZIP_OVER_BYTES = 1024
SIDE_DOOR = "/__sandbox/"

# Money is kept as Decimal; a JSON number shows its very digits.
_ENCODER = msgspec.json.Encoder(decimal_format="number")

_REFUSALS: dict[str, tuple[int, str, str]] = {
    "408": (408, "text/plain", "Request Time Out"),
    "429": (429, "text/plain", "Too Many Requests"),
    "500": (500, "text/plain", "Internal Server Error"),
    "502": (502, "text/html", "<html><head><title>502 Bad Gateway</title></head></html>"),
    "503": (503, "text/plain", "Service Unavailable"),
}


@attrs.frozen(kw_only=True)
class LoggedRequest:
    """One request that reached a sandbox, as it arrived."""

    method: str
    path: str
    """Decoded, without the query."""
    query: tuple[tuple[str, str], ...]
    """Decoded pairs in the order sent; names may repeat."""
    headers: dict[str, str]
    """Lower-case names. Holds credentials: for assertions, not for printing."""
    body: bytes
    status: int | None = None
    """None while it is being served, and when the connection was cut before any header."""
    at: float
    """Arrival on the monotonic clock, in seconds."""


class Sandbox:
    """
    An imitation of one network's server, on the loopback interface.

    Use as `async with SomeSandbox(seed=7) as sandbox`, or `start` and `close`.
    It may be started again after `close`, with its state kept.

    Args:
        seed: Decides every row, every secret and every strike.
        faults: Fault name -> rate, 0 to 1.
        now: The present, aware; each network tells what it decides. The machine's clock if left out.
        slow_s: How long the fault `slow` holds an answer back, in seconds.

    Raises:
        ValueError: An unknown fault, or a rate outside 0 to 1.
    """

    network: ClassVar[str]
    fault_names: ClassVar[frozenset[str]] = COMMON_FAULTS
    """All faults this sandbox knows: the common ones and its own."""
    base_path: ClassVar[str] = ""
    """What follows the origin in `base_url`."""

    credentials: dict[str, str]
    """Keyword arguments a client needs to be let in; made from the seed."""
    account_options: dict[str, str]
    """Further keys for a configuration file."""
    faults: Faults

    def __init__(
        self,
        *,
        seed: int = 7,
        faults: Mapping[str, float] | None = None,
        now: Callable[[], datetime] | None = None,
        slow_s: float = 0.3,
    ) -> None:
        self.seed = seed
        self.now: Callable[[], datetime] = now or _utc_now
        self.slow_s = slow_s
        self.faults = Faults(faults, seed=seed, known=self.fault_names)
        self.credentials = {}
        self.account_options = {}
        self._log: deque[LoggedRequest] = deque(maxlen=MAX_LOG)
        self._arrived = 0
        self._counts: Counter[str] = Counter()
        self._runner: web.AppRunner | None = None
        self._port = 0

    # For subclasses.

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the network's own routes; called at every start."""
        raise NotImplementedError

    def truth(
        self, resource: str, since: date | None = None, until: date | None = None
    ) -> list[dict[str, Any]]:
        """
        Return all rows of *resource* in the vendor's own words, past any API.

        *since* is inclusive, *until* exclusive.

        Raises:
            LookupError: There is no such resource.
        """
        raise NotImplementedError

    def authorize(self, request: web.Request) -> web.Response | None:  # noqa: ARG002
        """Return the refusal of a request without a valid credential, else None."""
        return None

    def refusal(self, fault: str, request: web.Request) -> web.Response:  # noqa: ARG002
        """Return the answer of a fault that is a status (`408` to `503`), in the vendor's form."""
        status, kind, text = _REFUSALS[fault]
        # The first strike names a time, the second does not, and so on.
        named = fault == "429" and self.faults.struck["429"] % 2 == 1
        headers = {"Retry-After": "1"} if named else {}
        return web.Response(status=status, text=text, content_type=kind, headers=headers)

    def eligible(self, fault: str, request: web.Request) -> bool:  # noqa: ARG002
        """Return whether a common fault may strike this request at all."""
        return True

    # For users.

    @property
    def bought(self) -> list[str]:
        """Ids of the campaigns that are clicked; none where the network sells no clicks."""
        return []

    @property
    def origin(self) -> str:
        """Scheme, host and port; known once started."""
        if not self._port:
            raise RuntimeError(f"the {self.network} sandbox has not been started")
        return f"http://{HOST}:{self._port}"

    @property
    def base_url(self) -> str:
        """What a client is configured with; known once started."""
        return self.origin + self.base_path

    @property
    def log(self) -> list[LoggedRequest]:
        """The latest 100,000 requests in the order they arrived, the side door left out."""
        return list(self._log)

    async def start(self, port: int = 0) -> None:
        """
        Listen on 127.0.0.1; 0 lets the system choose a port.

        Raises:
            RuntimeError: It is running already.
            OSError: The port is taken.
        """
        if self._runner is not None:
            raise RuntimeError(f"the {self.network} sandbox is running already")
        app = web.Application(middlewares=[self._serve], client_max_size=MAX_BODY_BYTES)
        app.add_routes([*self._side_door(), *self.routes()])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, port).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self._port = runner.addresses[0][1]

    async def close(self) -> None:
        """Stop listening and cut what is open; may be called twice."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # The life of a request.

    @web.middleware
    async def _serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await self._logged(request, handler)
        except ConnectionError:
            return web.Response()  # the client has gone, and nobody has to hear of it

    async def _logged(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(SIDE_DOOR):
            return await handler(request)
        number = await self._arrive(request)
        try:
            response = await self._answer(request, handler)
        except web.HTTPException as refusal:
            self._settle(number, refusal.status)
            raise
        self._settle(number, response.status if response.prepared else None)
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = self._fault_before(request)
        if refusal is None and self._struck("reset", request):
            return _cut(request, reset=True)
        if self._struck("slow", request):
            await asyncio.sleep(self.slow_s)
        refusal = refusal or self.authorize(request)
        response = await handler(request) if refusal is None else refusal
        if not isinstance(response, web.Response) or response.prepared:
            return response
        return await self._send(request, response)

    def _fault_before(self, request: web.Request) -> web.Response | None:
        for fault in _REFUSALS:
            if self._struck(fault, request):
                return self.refusal(fault, request)
        return None

    async def _send(self, request: web.Request, response: web.Response) -> web.StreamResponse:
        body = response.body if isinstance(response.body, bytes) else b""
        if response.content_type == "application/json" and self._struck("badjson", request):
            body = response.body = body[: len(body) // 2] + b'{"'
        if _wants_gzip(request, response, body):
            body = response.body = await _compress(body)
            response.headers["Content-Encoding"] = "gzip"
        if len(body) > 1 and self._struck("half", request):
            return await _send_half(request, response, body)
        await response.prepare(request)
        await response.write_eof()
        return response

    def _struck(self, fault: str, request: web.Request) -> bool:
        return self.eligible(fault, request) and self.faults.strikes(fault)

    async def _arrive(self, request: web.Request) -> int:
        at = time.monotonic()
        resource = request.match_info.route.resource
        template = resource.canonical if resource is not None else "(no such route)"
        self._counts[f"{request.method} {template}"] += 1
        entry = LoggedRequest(
            method=request.method,
            path=request.path,
            query=tuple(request.query.items()),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
            at=at,
        )
        self._log.append(entry)
        self._arrived += 1
        return self._arrived - 1

    def _settle(self, number: int, status: int | None) -> None:
        # Entries are frozen; the bounded log may have dropped this one meanwhile.
        index = number - (self._arrived - len(self._log))
        if index >= 0:
            self._log[index] = attrs.evolve(self._log[index], status=status)

    # The side door.

    def _side_door(self) -> list[web.RouteDef]:
        return [
            web.get(SIDE_DOOR + "truth/{resource}", self._get_truth),
            web.get(SIDE_DOOR + "log", self._get_log),
            web.post(SIDE_DOOR + "faults", self._post_faults),
            web.get(SIDE_DOOR + "health", self._get_health),
        ]

    async def _get_truth(self, request: web.Request) -> web.Response:
        try:
            since, until = (_day(request.query.get(name)) for name in ("since", "until"))
            return json_reply(self.truth(request.match_info["resource"], since, until))
        except LookupError as error:
            return web.Response(status=404, text=f"no such resource: {error}")
        except ValueError as error:
            return web.Response(status=400, text=str(error))

    async def _get_log(self, _request: web.Request) -> web.Response:
        return json_reply(dict(sorted(self._counts.items())))

    async def _post_faults(self, request: web.Request) -> web.Response:
        try:
            order = msgspec.json.decode(await request.read(), type=_FaultOrder)
            self.faults.update(order.rates)
            for name, times in order.once.items():
                self.faults.once(name, times)
        except ValueError as error:  # msgspec's errors are among them
            return web.Response(status=400, text=str(error))
        return json_reply({"rates": self.faults.rates, "struck": self.faults.struck})

    async def _get_health(self, _request: web.Request) -> web.Response:
        return json_reply({"network": self.network, "seed": self.seed, "status": "ok"})


class _FaultOrder(msgspec.Struct, forbid_unknown_fields=True):
    rates: dict[str, float] = {}
    once: dict[str, int] = {}


def encode(value: Any) -> bytes:
    """Return *value* as JSON; a Decimal becomes a number with its very digits."""
    return _ENCODER.encode(value)


def json_reply(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a JSON answer; bytes count as JSON already encoded."""
    body = value if isinstance(value, bytes) else encode(value)
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def random_of(*words: object) -> Random:
    """Return a generator that depends on *words* alone, alike in every process."""
    return Random(":".join(map(str, words)))


def secret(*words: object, length: int = 32) -> str:
    """Return a secret-looking hexadecimal string of up to 128 digits that depends on *words*."""
    return hashlib.blake2b(":".join(map(str, words)).encode()).hexdigest()[:length]


def days(since: date, until: date) -> Iterator[date]:
    """Yield every day from *since* up to, not including, *until*."""
    for offset in range((until - since).days):
        yield since + timedelta(days=offset)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _wants_gzip(request: web.Request, response: web.Response, body: bytes) -> bool:
    if len(body) <= GZIP_OVER_BYTES or "Content-Encoding" in response.headers:
        return False
    return "gzip" in request.headers.get("Accept-Encoding", "")


async def _compress(body: bytes) -> bytes:
    if len(body) < 256 * GZIP_OVER_BYTES:
        return gzip.compress(body, 1, mtime=0)
    return await asyncio.to_thread(gzip.compress, body, 1, mtime=0)


def _cut(request: web.Request, *, reset: bool) -> web.StreamResponse:
    """Drop the connection; with *reset* the peer sees a TCP reset, not an orderly end."""
    if request.transport is not None:
        sock = request.transport.get_extra_info("socket")
        if reset and sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()


async def _send_half(request: web.Request, response: web.Response, body: bytes) -> web.StreamResponse:
    headers = response.headers.copy()
    headers["Content-Length"] = str(len(body))
    stream = web.StreamResponse(status=response.status, headers=headers)
    await stream.prepare(request)
    await stream.write(body[: len(body) // 2])
    _cut(request, reset=False)
    return stream
