"""The only client-side use of aiohttp: sends one request, maps its errors to ours, bounds the answer."""

import asyncio
import socket
import time
import weakref
from collections import defaultdict
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import attrs
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from adnet import open_files
from adnet.errors import (
    AdnetError,
    ConfigurationError,
    ConnectError,
    IncompleteBodyError,
    RequestTimeoutError,
    TransportError,
)
from adnet.transport.base import SentBody, account_closed, in_words
from adnet.transport.ceilings import BodyReader, Ceilings
from adnet.transport.proxy import Proxy
from adnet.transport.room import Guest, Room
from adnet.transport.wire import Request, Response, origin

USER_AGENT: Final = "adnet"
_NAMES_KEPT_S: Final = 10.0
"""As long as aiohttp keeps them for one pool."""
_FAILURES_KEPT_S: Final = 1.0
_LEAST_S: Final = 0.001
"""aiohttp takes none for time without end."""


class _Connector(aiohttp.TCPConnector):
    """A pool that gives no connection to a new request on which something has come unasked.

    A server that answers twice would otherwise answer the next request with the last one's answer: aiohttp looks
    for surplus bytes when a connection is put back, and not when it is taken out again.
    """

    async def _get(self, key: Any, traces: Any) -> Any:
        found: Any = await super()._get(key, traces)
        while found is not None and found.protocol.should_close:
            found.close()
            found = await super()._get(key, traces)
        return found

    def shed(self) -> None:
        """Close those that wait for a request."""
        for waiting in self._conns.values():
            for protocol, _ in waiting:
                protocol.close()
        self._conns.clear()


class _Names(AbstractResolver):
    """Looks the addresses of a host up once for all accounts.

    A thousand of them would ask a thousand times, a few at a time, before the first could send anything.
    """

    def __init__(self) -> None:
        self._system = aiohttp.ThreadedResolver()
        self._turns: defaultdict[tuple[str, int, int], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._known: dict[tuple[str, int, int], tuple[float, list[ResolveResult] | OSError]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses, each time another one first. Raises OSError."""
        key, now = (host, port, int(family)), asyncio.get_running_loop().time
        async with self._turns[key]:
            until, found = self._known.get(key, (0.0, []))
            if until <= now():
                try:
                    found, kept_s = await self._system.resolve(host, port, family), _NAMES_KEPT_S
                except OSError as error:
                    found, kept_s = error, _FAILURES_KEPT_S
                self._known[key] = now() + kept_s, found
        if isinstance(found, OSError):
            raise type(found)(*found.args)
        found[:] = found[1:] + found[:1]
        return list(found)

    async def close(self) -> None:
        """Nothing is held."""


@attrs.frozen
class _Shared:
    """What all transports on one event loop share."""

    names: _Names = attrs.field(factory=_Names)
    room: Room = attrs.field(factory=lambda: _room(open_files.limit()))


def _room(files: int) -> Room:
    """Return room for connections where *files* may be open: half of them, and never more than leaves files theirs."""
    return Room(max(1, files // 2), max(1, files * 3 // 4))


_of_loops: Final[dict[asyncio.AbstractEventLoop, _Shared]] = {}


def _shared() -> _Shared:
    """Return what the transports on the running event loop share; a loop that has ended keeps nothing."""
    loop = asyncio.get_running_loop()
    if loop not in _of_loops:
        for ended in [one for one in list(_of_loops) if one.is_closed()]:
            _of_loops.pop(ended, None)
        _of_loops[loop] = _Shared()
    return _of_loops[loop]


class AiohttpTransport:
    """A Transport on one aiohttp session, made when it is first used.

    Certificates are always verified; redirects are answers like any other; cookies are not kept. What goes to this
    machine itself goes through no *proxy*.
    """

    def __init__(
        self, *, ceilings: Ceilings | None = None, connections: int = 100, proxy: Proxy | None = None
    ) -> None:
        self._ceilings = ceilings or Ceilings()
        self._connections = connections
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._room: Room | None = None
        self._guest = Guest(weakref.WeakMethod(self._leave), weakref.WeakMethod(self._shed))
        self._closed = False

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise account_closed()
        loop = asyncio.get_running_loop()
        if self._session is not None and self._loop is not loop:
            raise ConfigurationError(
                "the account has been used in another event loop, and nothing was sent: open one within each"
                " asyncio.run"
            )
        if self._session is None:
            self._loop, self._session = loop, _session(self._connections)
        return self._session

    async def send(self, request: Request, *, timeout_s: float) -> Response:
        """Return the whole answer; see :class:`adnet.transport.base.Transport`."""
        if self._room is None:
            self._room = _shared().room
        try:
            waited_s = await self._room.enter(self._guest, timeout_s)
        except TimeoutError:
            raise RequestTimeoutError(
                f"no connection was free within {timeout_s:.0f} s, and nothing was sent; {open_files.REMEDY}",
                sent=False,
            ) from None
        try:
            return await self._send(request, max(timeout_s - waited_s, _LEAST_S))
        finally:
            self._room.give_back(self._guest)

    async def _send(self, request: Request, timeout_s: float) -> Response:
        started = time.perf_counter()
        proxy = self._proxy_to(request.url)
        streamed = SentBody(request.body) if callable(request.body) else None
        try:
            async with self._open().request(
                request.route.method,
                URL(request.url, encoded=True),
                headers=request.headers,
                data=streamed or request.body,
                allow_redirects=False,
                timeout=_timeout(timeout_s),
                proxy=proxy.url if proxy else None,
                proxy_headers=proxy.headers() if proxy else None,
            ) as answer:
                body = await self._read(answer)
                return Response(
                    status=answer.status,
                    url=request.url,
                    headers=_headers(answer),
                    body=body,
                    elapsed_s=time.perf_counter() - started,
                )
        except AdnetError:
            raise
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            if streamed is not None:
                streamed.check()
            raise _translated(error, request, timeout_s, proxy) from None

    def _proxy_to(self, url: str) -> Proxy | None:
        """Return the proxy that a request to *url* goes through."""
        return self._proxy if self._proxy is not None and self._proxy.serves(url) else None

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        reader = BodyReader(answer.headers.get("Content-Encoding", ""), self._ceilings)
        reader.expect(answer.content_length)
        while chunk := await answer.content.readany():
            reader.feed(chunk)
        return reader.finish()

    async def close(self) -> None:
        """Close every connection."""
        self._closed = True
        if self._room is not None:
            self._room.forget(self._guest)
        await self._leave()

    async def _leave(self) -> None:
        """Close every connection; the next request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _shed(self) -> None:
        """Close the connections that nothing is under way on."""
        if self._session is not None and isinstance(pool := self._session.connector, _Connector):
            pool.shed()

    def __repr__(self) -> str:
        state = "closed" if self._closed else "open" if self._session else "unused"
        return f"AiohttpTransport({state})"


@lru_cache
def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, 15.0))


def _session(connections: int) -> aiohttp.ClientSession:
    session = aiohttp.ClientSession(
        connector=_Connector(
            limit=connections, limit_per_host=0, resolver=_shared().names, use_dns_cache=False
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"},
    )
    # aiohttp would resend GET, PUT and DELETE by itself on a connection that went stale. Every physical send has to
    # pass the limiter and the retry rules, so that is ours to decide.
    session._retry_connection = False  # noqa: SLF001
    return session


def _headers(answer: aiohttp.ClientResponse) -> dict[str, str]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if len(headers) == len(answer.headers):
        return headers
    headers = {}
    for name, value in answer.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _translated(error: Exception, request: Request, timeout_s: float, proxy: Proxy | None) -> AdnetError:
    """Return our error for one of aiohttp's; only the origin is named, since a URL may carry a secret."""
    where = origin(request.url)
    # Where there is a proxy, that is what is connected to.
    peer = where if proxy is None else f"the proxy {proxy.address}"
    remedy = "check base_url and the network" if proxy is None else "check proxy"
    if isinstance(error, aiohttp.InvalidURL):
        return ConfigurationError(f"not a URL that can be requested: {where}")
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        # The network shows its own within the tunnel.
        whose = where if error.host == URL(request.url, encoded=True).host else peer
        return ConnectError(
            f"{whose} has no certificate that can be trusted: {error.__class__.__name__}", temporary=False
        )
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return _refused_by_proxy(error, where)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return ConnectError(f"no connection to {peer} in time; {remedy}")
    if isinstance(error, TimeoutError):
        return RequestTimeoutError(f"no answer from {where} within {timeout_s:.0f} s")
    if isinstance(error, aiohttp.ClientConnectorError):
        if open_files.ran_out(error.os_error):
            remedy = open_files.REMEDY
        return ConnectError(f"cannot connect to {peer}: {in_words(error.os_error)}; {remedy}")
    if isinstance(error, aiohttp.ClientPayloadError):
        return IncompleteBodyError(f"the answer from {where} ended before its end")
    return TransportError(f"the connection to {where} broke before an answer: {type(error).__name__}")


def _refused_by_proxy(error: aiohttp.ClientHttpProxyError, where: str) -> ConnectError:
    """Return our error for a proxy that makes no tunnel; what it says in words is of nobody's making here."""
    if error.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return ConnectError("the proxy refuses (407): check the user and password in proxy", temporary=False)
    passes = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return ConnectError(
        f"the proxy makes no connection to {where} ({error.status}); check proxy", temporary=passes
    )
