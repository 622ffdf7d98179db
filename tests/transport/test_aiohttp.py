"""The one transport that uses aiohttp: against a server on loopback, and against aioresponses."""

import asyncio
import errno
import gc
import gzip
import itertools
import socket
import ssl
import warnings
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from aioresponses import aioresponses
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from yarl import URL

from adnet import open_files
from adnet.errors import (
    AdnetError,
    ConfigurationError,
    ConnectError,
    DecodeError,
    IncompleteBodyError,
    InvalidRequestError,
    RequestTimeoutError,
    TooLargeError,
    TransportError,
)
from adnet.transport import aiohttp as module
from adnet.transport.aiohttp import AiohttpTransport
from adnet.transport.ceilings import Ceilings
from adnet.transport.wire import Request, Route

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_KEY = ConnectionKey(
    "api.example", 443, is_ssl=True, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def route(method: str = "GET") -> Route:
    return Route(operation="x.get", method=method, path="/x", idempotent=True)


class Server:
    """A server whose every connection is a script, so that it can misbehave at any byte."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.requests: list[bytes] = []
        self.connections = 0
        self.reached = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/x"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await self._head(reader):
                self.requests.append(head)
                self.reached.set()
                await self._talk(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    @staticmethod
    async def _head(reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""


def says(*parts: bytes, end: bool = False, reset: bool = False) -> Talk:
    """Return a script that writes *parts*, and then closes or resets the connection if told so."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if reset:
            linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        elif end:
            writer.close()

    return talk


@pytest.fixture
async def transports() -> AsyncIterator[list[AiohttpTransport]]:
    """Thirty of them."""
    everyone = [AiohttpTransport() for _ in range(30)]
    yield everyone
    for transport in everyone:
        await transport.close()


@pytest.fixture
async def transport() -> AsyncIterator[AiohttpTransport]:
    made = AiohttpTransport(ceilings=Ceilings(body_bytes=10_000, decompressed_bytes=50_000))
    yield made
    await made.close()


@pytest.fixture
def own_certificate(tmp_path: Path) -> ssl.SSLContext:
    """Return a server's context with a certificate that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key.private_bytes(*plain) + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


async def get(transport: AiohttpTransport, url: str, *, timeout_s: float = 5.0, method: str = "GET", **parts):
    """Send one request."""
    return await transport.send(Request(route=route(method), url=url, **parts), timeout_s=timeout_s)


async def test_an_answer_comes_whole(transport):
    """Status, lower-case headers joined by name, body, time."""
    head = b"HTTP/1.1 404 Nope\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 5\r\n\r\n"
    async with Server(says(head, b"he", b"llo")) as server:
        response = await get(transport, server.url)
    assert (response.status, response.url, response.body) == (404, server.url, b"hello")
    assert response.headers["x-a"] == "1, 2"
    assert 0 < response.elapsed_s < 5


async def test_a_request_goes_out_as_it_was_built(transport):
    """Encoded URL untouched, headers, body; nothing that tells who we are but a name."""
    async with Server(says(OK)) as server:
        url = server.url + "?a=b%2Fc%20d&e=%C3%A9"
        await get(transport, url, method="POST", headers={"Authorization": "Bearer x"}, body=b'{"a":1}')
        head = server.requests[0].decode()
    assert head.startswith("POST /x?a=b%2Fc%20d&e=%C3%A9 HTTP/1.1\r\n")
    assert "Authorization: Bearer x\r\n" in head
    assert "User-Agent: adnet\r\n" in head
    assert "Accept-Encoding: gzip, deflate\r\n" in head
    assert "Content-Length: 7\r\n" in head


async def test_a_body_that_is_streamed_can_be_sent_again(transport):
    """The request keeps a maker of bodies, not a body that is used up."""
    bodies = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bodies.append(await reader.readuntil(b"0\r\n\r\n"))
        writer.write(OK)

    async def parts() -> AsyncIterator[bytes]:
        for part in (b"ab", b"c"):
            yield part

    async with Server(talk) as server:
        for _ in range(2):
            await get(transport, server.url, method="POST", body=parts)
    assert bodies == [b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"] * 2


@pytest.mark.parametrize(
    ("trouble", "told"),
    [(FileNotFoundError(2, "No such file or directory"), r"read to the end \(No such file or directory\)"),
     (LookupError("geheim"), r"read to the end \(LookupError\); it was not sent whole"),
     (InvalidRequestError("no list of users"), "^no list of users$")],
)  # fmt: skip
async def test_a_body_that_cannot_be_read_is_no_trouble_of_the_connection(transport, trouble, told):
    """Nobody has the whole request, so that it is no lost reply; and the next one has a connection of its own."""

    async def body():
        yield b"half"
        raise trouble

    async with Server(says(OK)) as server:
        with pytest.raises(InvalidRequestError, match=told):
            await get(transport, server.url, method="POST", body=body)
        assert (await get(transport, server.url)).body == b"ok"


async def test_connections_are_kept_alive(transport):
    """Three requests, one connection."""
    async with Server(says(OK)) as server:
        for _ in range(3):
            await get(transport, server.url)
        assert (server.connections, len(server.requests)) == (1, 3)


def connections(transport: AiohttpTransport) -> int:
    """Return how many a transport has open, at work or at rest."""
    connector = transport._session and transport._session.connector
    return len(connector._acquired) + sum(map(len, connector._conns.values())) if connector else 0


async def test_all_transports_together_keep_few_connections(monkeypatch, transports):
    """However many there are: those that rest give theirs up; and none ever serves two of them."""
    monkeypatch.setattr(open_files, "limit", lambda: 24)
    asked: dict[asyncio.StreamWriter, set[bytes]] = {}
    most = 0

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal most
        asked.setdefault(writer, set()).add(server.requests[-1].split()[1])
        most = max(most, sum(map(connections, transports)))
        await asyncio.sleep(0.001)
        writer.write(OK)

    async def use(transport: AiohttpTransport) -> None:
        for _ in range(3):
            answers = [get(transport, f"{server.url}?{id(transport)}") for _ in range(3)]
            assert {answer.body for answer in await asyncio.gather(*answers)} == {b"ok"}

    async with Server(talk) as server:
        await asyncio.gather(*map(use, transports))
    assert len(server.requests) == 30 * 9
    assert 10 < most <= 24
    assert all(len(paths) == 1 for paths in asked.values())


async def test_a_transport_that_never_rests_keeps_no_more_than_it_uses(monkeypatch, transports):
    """What it had in a busier moment is closed where others need room, and what is under way goes on."""
    monkeypatch.setattr(open_files, "limit", lambda: 8)
    gate, open_now = asyncio.Event(), []

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.append(writer)
        if b"slow" in server.requests[-1]:
            await gate.wait()
        await asyncio.sleep(0.01)
        writer.write(OK)

    async with Server(talk) as server:
        slow = []
        for transport in transports[:3]:
            slow.append(asyncio.create_task(get(transport, f"{server.url}?slow")))
            await asyncio.gather(*(get(transport, server.url) for _ in range(3)))
        await asyncio.sleep(0.01)
        assert len({one for one in open_now if not one.is_closing()}) <= 6
        gate.set()
        assert [answer.body for answer in await asyncio.gather(*slow)] == [b"ok"] * 3


async def test_a_transport_that_nobody_closed_is_collected():
    """What it shares with others does not keep it, and its connections, alive."""
    async with Server(says(OK)) as server:
        transport = AiohttpTransport()
        await get(transport, server.url)
        alive = weakref.ref(transport)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", ResourceWarning
            )  # aiohttp says that it was not closed, as it should
            del transport
            gc.collect()
        assert alive() is None


async def test_a_wait_for_a_connection_is_part_of_the_time_there_is(monkeypatch, transports):
    """Where nothing is free in time nothing was sent, and the remedy is told; else less is left for the answer."""
    monkeypatch.setattr(open_files, "limit", lambda: 1)
    given: list[float] = []
    monkeypatch.setattr(
        module, "_timeout", lambda seconds: given.append(seconds) or aiohttp.ClientTimeout(seconds)
    )
    goes_on = asyncio.Event()

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await goes_on.wait()
        writer.write(OK)

    async with Server(talk) as server:
        first = asyncio.create_task(get(transports[0], server.url))
        await server.reached.wait()
        with pytest.raises(RequestTimeoutError, match=r"no connection was free .* raise the limit") as caught:
            await get(transports[1], server.url, timeout_s=0.01)
        assert (caught.value.sent, len(server.requests)) == (False, 1)
        second = asyncio.create_task(get(transports[2], server.url))
        await asyncio.sleep(0.01)
        goes_on.set()
        assert (await first).body == (await second).body == b"ok"
    assert given[0] == 5.0
    assert 0 < given[1] < 5.0


async def test_what_transports_share_ends_with_their_loop(monkeypatch):
    """Each loop has its own, and there is always room for one connection."""

    async def shared() -> object:
        return module._shared()

    monkeypatch.setattr(open_files, "limit", lambda: 1)
    mine = await shared()
    assert await shared() is mine
    assert mine.room._most == 1
    theirs = await asyncio.to_thread(asyncio.run, shared())
    assert theirs is not mine
    assert await asyncio.to_thread(asyncio.run, shared()) is not theirs
    assert theirs not in module._of_loops.values()
    assert mine in module._of_loops.values()


class Lookups:
    """Stands for the system's own: 127.0.0.1 for every name."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.asked: list[str] = []
        self.came, self.goes_on = asyncio.Event(), asyncio.Event()
        self.goes_on.set()
        self.error: OSError | None = None
        self.addresses = ["127.0.0.1"]
        loop.getaddrinfo = self.look_up  # type: ignore[method-assign]

    async def look_up(self, host: str, port: int, **_: object) -> list[tuple]:
        self.asked.append(host)
        self.came.set()
        await self.goes_on.wait()
        if self.error is not None:
            raise self.error
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in self.addresses]


async def test_a_name_is_looked_up_once_for_all_transports(monkeypatch, transports):
    """However many begin at once; and again after a while."""
    lookups = Lookups(asyncio.get_running_loop())
    async with Server(says(OK)) as server:
        url = server.url.replace("127.0.0.1", "api.example")
        await asyncio.gather(*(get(transport, url) for transport in transports))
        assert lookups.asked == ["api.example"]
        monkeypatch.setattr(module, "_NAMES_KEPT_S", 0.0)
        module._shared().names._known.clear()
        for transport in transports[:2]:
            await transport._leave()
            await get(transport, url)
        assert lookups.asked == ["api.example"] * 3


async def test_a_name_that_is_not_found_is_told_to_all_at_once(transports):
    """One that takes its time to fail would keep a thousand accounts waiting, one after the other."""
    lookups = Lookups(asyncio.get_running_loop())
    lookups.error = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    tried = [get(transport, "http://nowhere.example/x") for transport in transports]
    errors = await asyncio.gather(*tried, return_exceptions=True)
    assert {str(error) for error in errors} == {
        "cannot connect to http://nowhere.example:80: Name or service not known; check base_url and the network"
    }
    assert len(set(map(id, errors))) == 30
    assert lookups.asked == ["nowhere.example"]


async def test_who_is_cancelled_while_a_name_is_looked_up_takes_nobody_along(transports):
    """The next one asks again."""
    lookups = Lookups(asyncio.get_running_loop())
    lookups.goes_on.clear()
    async with Server(says(OK)) as server:
        url = server.url.replace("127.0.0.1", "api.example")
        first, second = (asyncio.create_task(get(transport, url)) for transport in transports[:2])
        await lookups.came.wait()
        first.cancel()
        lookups.goes_on.set()
        assert (await second).body == b"ok"
        assert first.cancelled()


async def test_addresses_of_a_name_take_turns():
    """As aiohttp lets them within one pool."""
    lookups = Lookups(asyncio.get_running_loop())
    lookups.addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    names = module._shared().names
    asked = [await names.resolve("api.example", 443) for _ in range(4)]
    assert [found[0]["host"][-1] for found in asked] == ["2", "3", "1", "2"]
    assert {len(found) for found in asked} == {3}
    assert lookups.asked == ["api.example"]
    lookups.addresses = []  # of a family that this machine has not
    assert await names.resolve("nothing.example", 443) == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_stale_connection_is_not_resent_by_itself(transport, method):
    """Every physical send is ours to count: the second request is lost, and is sent once."""
    replies = [OK, b""]

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply := replies.pop(0))
        if not reply:
            writer.close()

    async with Server(talk) as server:
        await get(transport, server.url, method=method)
        with pytest.raises(TransportError):
            await get(transport, server.url, method=method)
        assert (server.connections, len(server.requests)) == (1, 2)


@pytest.mark.parametrize("first", ["answers again", "closes", "has rested too long"])
async def test_an_answer_that_nobody_asked_for_answers_nothing(transport, first):
    """Not even where the connection that waited longest in the pool is not used any more."""
    numbers, first_is_back, both_are_back = itertools.count(), asyncio.Event(), asyncio.Event()

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = next(numbers)
        if number == 1:
            await first_is_back.wait()
        writer.write(OK)
        await both_are_back.wait()
        if number == 0 and first == "closes":
            writer.close()
        elif number == 1 or (number == 0 and first == "answers again"):
            writer.write(OK.replace(b"ok", b"no"))

    async with Server(talk) as server:
        sent = [asyncio.create_task(get(transport, server.url)) for _ in range(2)]
        await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
        first_is_back.set()
        await asyncio.wait(sent)
        both_are_back.set()
        await asyncio.sleep(0.01)  # what the server does reaches the pool
        if first == "has rested too long":
            (pool,) = transport._open().connector._conns.values()
            pool[0] = pool[0][0], pool[0][1] - 60
        assert [(await get(transport, server.url)).body for _ in range(2)] == [b"ok", b"ok"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(transport, status):
    """They are answers like any other, so that no token goes anywhere by itself."""
    head = f"HTTP/1.1 {status} Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n".encode()
    async with Server(says(head)) as server:
        response = await get(transport, server.url)
        assert (response.status, response.headers["location"], len(server.requests)) == (
            status,
            "/elsewhere",
            1,
        )


async def test_cookies_are_not_kept(transport):
    """One account's session never reaches another's request."""
    head = b"HTTP/1.1 200 OK\r\nSet-Cookie: sid=1\r\nContent-Length: 0\r\n\r\n"
    async with Server(says(head)) as server:
        await get(transport, server.url)
        await get(transport, server.url)
        assert all(b"cookie" not in request.lower() for request in server.requests)


LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
TEXT = b"row " * 5000


@pytest.mark.parametrize(
    ("talk", "kind"),
    [
        (says(end=True), TransportError),
        (says(reset=True), TransportError),
        (says(b"HTTP/1.1 200 OK\r\nConte", end=True), TransportError),
        (says(b"no http at all\r\n\r\n", end=True), TransportError),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", end=True), TransportError),
        (says(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", end=True), TransportError),
        (says(LENGTH, b"half", end=True), IncompleteBodyError),
        (says(LENGTH, b"half", reset=True), TransportError),
        (says(CHUNKED, b"4\r\nhalf\r\n", end=True), IncompleteBodyError),
        (says(CHUNKED, b"zz\r\nhalf\r\n", end=True), TransportError),
        (says(GZIP, gzip.compress(TEXT, mtime=0)[:20], end=True), IncompleteBodyError),
    ],
    ids=["closed", "reset", "half a header", "no http", "negative length", "huge header", "half a body",
         "reset in the body", "half the chunks", "broken chunks", "cut gzip"],
)  # fmt: skip
async def test_a_broken_connection_is_a_temporary_transport_error(transport, talk, kind):
    """Whatever was cut off; only the origin is named."""
    async with Server(talk) as server:
        with pytest.raises(kind) as caught:
            await get(transport, server.url + "?token=geheim")
        assert caught.value.temporary
        assert "geheim" not in str(caught.value)


async def test_gzip_is_unpacked(transport):
    """And deflate as well."""
    async with Server(says(GZIP, gzip.compress(TEXT, mtime=0), end=True)) as server:
        assert (await get(transport, server.url)).body == TEXT


@pytest.mark.parametrize(
    "talk",
    [
        says(b"HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n", b"x"),
        says(CHUNKED, b"4000\r\n" + bytes(0x4000) + b"\r\n", b"4000\r\n" + bytes(0x4000)),
        says(GZIP, gzip.compress(bytes(10**6), mtime=0), end=True),
    ],
    ids=["announced", "too long", "bomb"],
)  # fmt: skip
async def test_a_ceiling_ends_the_reading(transport, talk):
    """At once, and the connection is not used again."""
    async with Server(talk) as server:
        for _ in range(2):
            with pytest.raises(TooLargeError):
                await get(transport, server.url)
        assert server.connections == 2


@pytest.mark.parametrize("head", [GZIP, b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n"])
async def test_an_unreadable_encoding_is_a_decode_error(transport, head):
    """Not gzip as it says, or an encoding that nobody asked for."""
    async with Server(says(head, b"not gzip", end=True)) as server:
        with pytest.raises(DecodeError):
            await get(transport, server.url)


@pytest.mark.parametrize("parts", [(), (LENGTH,), (LENGTH, b"half")], ids=["headers", "body", "rest"])
async def test_a_slow_answer_times_out(transport, parts):
    """However much of it has come."""
    async with Server(says(*parts)) as server:
        with pytest.raises(RequestTimeoutError, match=r"no answer from http://127\.0\.0\.1") as caught:
            await get(transport, server.url, timeout_s=0.05)
        assert caught.value.sent


async def test_a_refused_connection_is_a_connect_error(transport):
    """Nothing was executed; the message says what to check."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/x?token=geheim"
        with pytest.raises(ConnectError, match="Connection refused; check base_url") as caught:
            await get(transport, url)
    assert caught.value.temporary
    assert "geheim" not in str(caught.value)


async def test_an_unknown_host_is_a_connect_error(transport):
    """As on a machine without a network."""
    with pytest.raises(ConnectError, match=r"cannot connect to https://nowhere\.invalid:443"):
        await get(transport, "https://nowhere.invalid/x")


async def test_a_certificate_that_nobody_signed_is_refused(transport, own_certificate):
    """Certificates are verified; there is no switch, and trying again is of no use."""
    seen = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=own_certificate)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
        with pytest.raises(ConnectError, match="no certificate that can be trusted") as caught:
            await get(transport, url)
    assert (caught.value.temporary, seen) == (False, [])


async def test_a_server_without_tls_is_refused(transport):
    """Nothing is sent in the clear instead."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        with pytest.raises(ConnectError):
            await get(transport, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/x")


async def test_a_cancelled_request_leaves_no_connection(transport):
    """Its connection is closed, not kept for the next."""
    async with Server(says(LENGTH, b"half")) as server:
        task = asyncio.create_task(get(transport, server.url))
        await server.reached.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        connector = transport._open().connector
        assert (len(connector._acquired), sum(map(len, connector._conns.values()))) == (0, 0)


async def test_a_closed_transport_sends_nothing():
    """And closing twice is fine."""
    transport = AiohttpTransport()
    assert repr(transport) == "AiohttpTransport(unused)"
    await transport.close()
    await transport.close()
    with pytest.raises(ConnectError, match="closed, and nothing was sent") as found:
        await get(transport, "http://127.0.0.1:1/x")
    assert not found.value.temporary  # another try would find it closed, too
    assert repr(transport) == "AiohttpTransport(closed)"


def test_a_transport_belongs_to_one_event_loop():
    """What it has open there could be neither used nor closed in another; that is no bug of ours."""
    transport = AiohttpTransport()

    async def ask() -> None:
        async with Server(says(OK)) as server:
            assert (await get(transport, server.url)).body == b"ok"

    asyncio.run(ask())
    with pytest.raises(ConfigurationError, match=r"another event loop.* open one within each asyncio\.run"):
        asyncio.run(ask())
    asyncio.run(transport.close())


@pytest.mark.parametrize("header", [{"X": "a\r\nb: c"}, {"X\n": "a"}])
async def test_a_header_cannot_smuggle_another(transport, header):
    """A line end in a value is refused before anything is sent."""
    async with Server(says(OK)) as server:
        with pytest.raises(AdnetError):
            await get(transport, server.url, headers=header)
        assert server.requests == []


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (aiohttp.ServerDisconnectedError(), TransportError),
        (aiohttp.ClientOSError(104, "Connection reset by peer"), TransportError),
        (aiohttp.ServerTimeoutError(), RequestTimeoutError),
        (aiohttp.ConnectionTimeoutError(), ConnectError),
        (aiohttp.ClientPayloadError(), IncompleteBodyError),
        (aiohttp.InvalidURL("geheim"), ConfigurationError),
        (aiohttp.TooManyRedirects(None, ()), TransportError),
        (TimeoutError(), RequestTimeoutError),
        (OSError(5, "geheim"), TransportError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_each_error_of_aiohttp_has_its_counterpart(transport, theirs, ours):
    """None leaves the room as it is."""
    with aioresponses() as mocked:
        mocked.get("https://api.example/x", exception=theirs)
        with pytest.raises(AdnetError) as caught:
            await get(transport, "https://api.example/x")
    assert type(caught.value) is ours
    assert "geheim" not in str(caught.value)


async def test_too_few_files_are_told_with_the_remedy(transport):
    """It is not the network that is to be looked after."""
    ran_out = OSError(errno.EMFILE, "Too many open files")
    with aioresponses() as mocked:
        mocked.get("https://api.example/x", exception=aiohttp.ClientConnectorError(_KEY, ran_out))
        with pytest.raises(
            ConnectError, match="Too many open files; raise the limit of open files"
        ) as caught:
            await get(transport, "https://api.example/x")
    assert caught.value.temporary


async def test_a_mocked_answer_is_an_answer(transport):
    """For applications that test with aioresponses."""
    with aioresponses() as mocked:
        mocked.post("https://api.example/x", status=201, payload={"a": 1}, headers={"X-Request-Id": "7"})
        response = await get(transport, "https://api.example/x", method="POST", body=b"{}")
        ((_, url),) = mocked.requests
    assert url == URL("https://api.example/x")
    assert (response.status, response.body, response.headers["x-request-id"]) == (201, b'{"a": 1}', "7")
