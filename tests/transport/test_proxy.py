"""The proxy that a user names: a tunnel over real TLS, and what is told when there is none."""

import asyncio
import base64
import contextlib
import errno
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from aioresponses import aioresponses

import adnet
from adnet import open_files
from adnet.errors import AdnetError, ConfigurationError, ConnectError
from adnet.testing import ScriptTransport
from adnet.transport.aiohttp import AiohttpTransport
from adnet.transport.proxy import Proxy
from adnet.transport.wire import Request, Response, Route
from tests.faults.authority import Authority

PASSWORD = "p@ss/wörd:1"
WRITTEN = "p%40ss%2Fw%C3%B6rd%3A1"
ROUTE = Route(operation="x.get", method="GET", path="/x", idempotent=True)
_PROXY_KEY = ConnectionKey(
    "127.0.0.1", 9, is_ssl=True, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None
)
TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]


class Place:
    """A server on loopback that remembers the head of each request."""

    def __init__(self, talk: Talk, context: ssl.SSLContext | None = None) -> None:
        self._talk = talk
        self._context = context
        self._tasks: list[asyncio.Task[None] | None] = []
        self.heads: list[bytes] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await asyncio.gather(*filter(None, self._tasks))
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.append(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                await self._talk(reader, writer, self.heads[-1])
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def network(context: ssl.SSLContext | None) -> Place:
    """Serve ``ok`` to every request, on connections that stay."""

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: bytes) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    return Place(talk, context)


def proxy(target: int, says: bytes = TUNNEL) -> Place:
    """Make a tunnel to the port *target* for whatever host is asked for, if that is what it *says*."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _head: bytes) -> None:
        writer.write(says)
        if says is TUNNEL:
            back, there = await asyncio.open_connection("127.0.0.1", target)
            await asyncio.gather(pass_on(reader, there), pass_on(back, writer))

    return Place(talk)


async def ask(url: str, through: str, times: int = 1) -> list[Response]:
    """Send *times* requests, each with a token, one after another."""
    wire = AiohttpTransport(proxy=Proxy.checked(through, "shop"))
    request = Request(route=ROUTE, url=url, headers={"Authorization": "Bearer token-of-the-network"})
    try:
        return [await wire.send(request, timeout_s=10) for _ in range(times)]
    finally:
        await wire.close()


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Return an authority that this process trusts."""
    made = Authority(tmp_path)
    trusting = ssl.create_default_context(cafile=made.path)
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", trusting)
    return made


async def test_requests_go_through_a_tunnel(tmp_path, authority):
    """The proxy gets the host and its own password; the network gets the request, and its own token alone."""
    async with (
        network(authority.context(tmp_path, "api.example", days=1)) as there,
        proxy(there.port) as between,
    ):
        answers = await ask(
            "https://api.example/v1/x?y=1", f"http://me:{WRITTEN}@127.0.0.1:{between.port}", 2
        )
    assert [answer.body for answer in answers] == [b"ok", b"ok"]
    (asked,) = between.heads  # one connection for both
    assert asked.startswith(b"CONNECT api.example:443 HTTP/1.1\r\n")
    assert base64.b64encode(f"me:{PASSWORD}".encode()) in asked
    assert b"token-of-the-network" not in asked
    assert [head.partition(b"\r\n")[0] for head in there.heads] == [b"GET /v1/x?y=1 HTTP/1.1"] * 2
    assert all(b"Bearer token-of-the-network" in head and b"Proxy" not in head for head in there.heads)


async def test_certificates_are_verified_through_a_tunnel(tmp_path, authority):
    """A proxy that leads elsewhere is found out before anything is said."""
    async with (
        network(authority.context(tmp_path, "else.example", days=1)) as there,
        proxy(there.port) as between,
    ):
        with pytest.raises(ConnectError, match="certificate") as found:
            await ask("https://api.example/x", f"http://127.0.0.1:{between.port}")
    assert not found.value.temporary
    assert there.heads == []


@pytest.mark.parametrize(
    ("status", "words", "temporary"),
    [
        (407, "the proxy refuses .407.: check the user and password", False),
        (403, r"the proxy makes no connection to https://api\.example:443 .403.; check proxy", False),
        (502, r"the proxy makes no connection to https://api\.example:443 .502.; check proxy", True),
    ],
)
async def test_a_proxy_that_makes_no_tunnel(status, words, temporary):
    """Nothing was sent to the network; what passes by itself is worth another try."""
    async with proxy(0, b"HTTP/1.1 %d hunter2\r\nContent-Length: 0\r\n\r\n" % status) as between:
        with pytest.raises(ConnectError, match=words) as found:
            await ask("https://api.example/x", f"http://me:{WRITTEN}@127.0.0.1:{between.port}")
    assert found.value.temporary is temporary
    assert "hunter2" not in str(found.value)


async def test_a_proxy_that_is_not_there():
    """The proxy is named, not the network, which nobody has asked."""
    with pytest.raises(ConnectError, match=r"cannot connect to the proxy 127\.0\.0\.1:9: .*; check proxy"):
        await ask("https://api.example/x", "http://127.0.0.1:9")


async def test_a_proxy_whose_name_is_not_known():
    """It is not the network's name that is to be corrected."""
    with pytest.raises(ConnectError, match=r"connect to the proxy no-such-name\.invalid:1: .*; check proxy$"):
        await ask("https://api.example/x", "http://no-such-name.invalid:1")


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        (aiohttp.ConnectionTimeoutError(), "no connection to the proxy 127.0.0.1:9 in time; check proxy"),
        (
            aiohttp.ClientProxyConnectionError(_PROXY_KEY, OSError(errno.EMFILE, "Too many open files")),
            f"cannot connect to the proxy 127.0.0.1:9: Too many open files; {open_files.REMEDY}",
        ),
        (
            aiohttp.ClientConnectorCertificateError(_PROXY_KEY, ssl.SSLError("x")),
            "the proxy 127.0.0.1:9 has no certificate that can be trusted: ClientConnectorCertificateError",
        ),
    ],
    ids=["timeout", "files", "certificate"],
)
async def test_what_hinders_on_the_way_to_a_proxy(theirs, words):
    """The remedy is that of the cause: neither the network nor its certificate has anything to do with it."""
    with aioresponses() as mocked:
        mocked.get("https://api.example/x", exception=theirs)
        with pytest.raises(ConnectError) as found:
            await ask("https://api.example/x", "https://127.0.0.1:9")
    assert found.value.message == words


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_what_is_for_this_machine_goes_through_no_proxy(host):
    """It may be plain http, which nobody else may read."""
    async with network(None) as there, proxy(there.port) as between:
        (answer,) = await ask(f"http://{host}:{there.port}/x", f"http://127.0.0.1:{between.port}")
    assert (answer.body, between.heads) == (b"ok", [])


@pytest.mark.parametrize(
    ("written", "url", "user", "password"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128", None, ""),
        ("http://proxy.example", "http://proxy.example:80", None, ""),
        ("https://Proxy.Example/", "https://proxy.example:443", None, ""),
        ("http://[::1]:8080", "http://[::1]:8080", None, ""),
        (f"http://me:{WRITTEN}@10.0.0.1:8080", "http://10.0.0.1:8080", "me", PASSWORD),
        ("http://me@10.0.0.1:8080", "http://10.0.0.1:8080", "me", ""),
    ],
)
def test_what_names_a_proxy(written, url, user, password):
    """Its user and password stand apart, and are not shown."""
    found = Proxy.checked(written, "shop")
    assert (found.url, found.user, found.password) == (url, user, password)
    assert repr(found) == f"Proxy(url={url!r})"


@pytest.mark.parametrize(
    "written",
    [
        "", "hunter2", "proxy.example:3128", "//hunter2@proxy.example", "ftp://hunter2@proxy.example", "http://",
        "http://me:hunter2/@proxy.example:1", "http://me:hunter2@proxy.example:99999", "http://hunter2.example/path",
        "http://proxy.example?hunter2", "http://proxy.example#hunter2", "http://m%3Ae:hunter2@proxy.example",
        "http://hunter2 .example", "http://[hunter2", "http://proxy.example\r\nX: hunter2",
    ],
)  # fmt: skip
def test_what_names_none(written):
    """The account and the remedy are told, and nothing that may be a password."""
    with pytest.raises(ConfigurationError, match=r"account 'shop': proxy must be http://HOST:PORT") as found:
        Proxy.checked(written, "shop")
    assert "hunter2" not in str(found.value)


def test_socks_is_refused_by_its_name():
    """Who has one learns that another kind is needed."""
    with pytest.raises(ConfigurationError, match="SOCKS") as found:
        Proxy.checked("socks5://me:hunter2@proxy.example:1080", "shop")
    assert "hunter2" not in str(found.value)


async def test_an_account_takes_a_proxy(tmp_path, authority):
    """From `adnet.connect` to the network; the password is one of the secrets that are never shown."""
    async with (
        network(authority.context(tmp_path, "tc.example", days=1)) as there,
        proxy(there.port) as between,
        adnet.connect(
            "targetcircle", base_url="https://tc.example/api", token="token-of-the-network",
            proxy=f"http://me:{WRITTEN}@127.0.0.1:{between.port}",
        ) as account,
    ):  # fmt: skip
        with pytest.raises(AdnetError):  # "ok" is no answer of this network
            await account.get_account()
        assert PASSWORD not in account.connector.session.scrubber.text(f"it said {PASSWORD}")
    assert between.heads[0].startswith(b"CONNECT tc.example:443 ")
    assert b"token-of-the-network" in there.heads[0]


def test_a_transport_of_ones_own_takes_no_proxy():
    """It would be left out without a word."""
    with pytest.raises(ConfigurationError, match="give one of them"):
        adnet.connect(
            "targetcircle", base_url="https://tc.example", token="t",
            transport=ScriptTransport([]), proxy="http://127.0.0.1:9",
        )  # fmt: skip
