"""Nothing that a server says leads a request, let alone a credential, to anywhere but the configured origin."""

import asyncio
import contextlib
import inspect
import json
import re
import ssl
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

import adnet
from adnet import config
from adnet.analysis.metrica import open_metrica
from adnet.clock import SystemClock
from adnet.errors import AdnetError, ApiError, ConfigurationError, OriginError
from adnet.models import ReportJob, ReportQuery
from adnet.redact import Scrubber
from adnet.sandbox import load
from adnet.testing import FakeClock, ScriptTransport, answer
from adnet.transport.aiohttp import AiohttpTransport
from adnet.transport.decipher import Decipherer
from adnet.transport.limits import Limiter
from adnet.transport.session import Session
from adnet.transport.sign import NoSigner
from adnet.transport.wire import Request, Response, checked_base_url, origin

from .authority import Authority
from .replaying import calls, replayed, tape
from .sampled import KITS
from .zygote import PLAIN

ADNET = Path(adnet.__file__).parent
ELSEWHERE = "https://elsewhere.example/api/transactions/1?page=1"
TARGETS = [ELSEWHERE, "//elsewhere.example/x?page=1", "http://127.0.0.1:1/x?page=1", "https://a@127.0.0.1/x?page=1",
           "ftp://elsewhere.example/x", "javascript:alert(1)", "http://[", "\\\\elsewhere.example\\x"]  # fmt: skip
"""Places that are not the configured one, in every spelling that somebody might take for it."""

# ---------------------------------------------------------------------- what a server names


_URL = re.compile(rb"https?:(?:\\?/){2}[^\"\s\\]*")


def led_astray(response: Response, target: str) -> Response:
    """Return an answer in which every URL is *target*: in headers, in the body, and where none was before."""
    names = ("location", "link", "content-location", "refresh", "x-next", "next")
    headers = {**response.headers, **dict.fromkeys(names, target)}
    headers["link"] = f'<{target}>; rel="next", <{target}>; rel="last"'
    body = _URL.sub(target.encode().replace(b"\\", b"/"), response.body)
    with contextlib.suppress(ValueError):
        value = json.loads(body)
        if isinstance(value, dict):
            more = dict.fromkeys(("next", "url", "location", "href", "download_url", "redirect_uri"), target)
            body = json.dumps({**more, **value}).encode()
    return attrs.evolve(response, headers=headers, body=body)


@pytest.mark.parametrize(
    ("network", "name"),
    [(network, name) for network in ("targetcircle", "adskeeper", "mytarget") for name in calls(network)],
)
def test_whatever_a_server_names_every_request_stays_on_its_origin(network, name):
    """All reads and all writes, with every URL in every answer leading elsewhere: next, download, redirect, report."""
    recorded = tape(network, name)
    for target in TARGETS[:4]:
        sent: list[Request] = []
        answers = [led_astray(response, target) for _, response in recorded.answers]
        with contextlib.suppress(AdnetError):
            asyncio.run(replayed(network, name, answers, sent=sent))
        assert {origin(request.url) for request in sent} == {origin(recorded.base_url)}


@pytest.mark.parametrize("target", TARGETS[:6])
@pytest.mark.parametrize("where", ["location", "links", "link", "body"])
async def test_a_report_that_is_said_to_be_elsewhere_is_not_fetched(target, where):
    """Wherever the network says so; the error names that origin, and the journal has no job to poll there."""
    named = {"location": target, "links": f'<{target}>; rel="first"'}
    headers = (
        {"Location": named[where]}
        if where in named
        else {"Link": f"<{target}>; rel=first"}
        if where == "link"
        else {}
    )
    wire = ScriptTransport([answer(202, {"url": target}, headers=headers)])
    kit = KITS["targetcircle"]
    async with adnet.connect("targetcircle", transport=wire, clock=FakeClock(), **kit.given) as account:
        with pytest.raises(
            OriginError, match=r"outside the configured origin https://tc\.example:443"
        ) as found:
            await account.submit_report(ReportQuery(kind="trades"))
        assert found.value.origin == origin(urljoin("https://tc.example", target))
        assert [job.state for job in account.state.jobs.all()] == ["failed"]
    assert len(wire.sent) == 1


@pytest.mark.parametrize("target", TARGETS)
async def test_a_saved_job_leads_nowhere_else(target):
    """A value that somebody kept, or tampered with, is checked like an answer."""
    wire = ScriptTransport(lambda _: answer(404))
    kit = KITS["targetcircle"]
    async with adnet.connect("targetcircle", transport=wire, clock=FakeClock(), **kit.given) as account:
        job = ReportJob(
            network="targetcircle", account="a", account_key=account.account_id, query=ReportQuery(kind="trades"),
            state="submitted", report_id="1", location=target,
        )  # fmt: skip
        kept = ReportJob.from_json(job.to_json())
        with contextlib.suppress(AdnetError):
            await account.poll_report(kept)
        with pytest.raises(AdnetError):
            await anext(account.read_report(attrs.evolve(kept, state="ready")))
    assert [request for request in wire.sent if origin(request.url) != "https://tc.example:443"] == []


# ---------------------------------------------------------------------- redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("network", [*KITS, "login", "metrica"])
async def test_a_redirect_to_elsewhere_is_told_and_not_followed(network, status):
    """With whatever status, from the API or from where tokens come: one request, and it is final."""
    wire = ScriptTransport(lambda _: answer(status, headers={"Location": ELSEWHERE}))
    with pytest.raises(
        OriginError, match=r"redirects to https://elsewhere\.example:443.*not followed"
    ) as found:
        await proven(network, wire)
    assert len(wire.sent) == 1
    assert (found.value.temporary, found.value.status) == (False, status)


@pytest.mark.parametrize("location", ["/elsewhere", "?a=b", "", None])
@pytest.mark.parametrize("network", KITS)
async def test_a_redirect_on_the_origin_is_not_followed_either(network, location):
    """These APIs have none: the base URL is wrong."""
    wire = ScriptTransport(lambda _: answer(302, headers={} if location is None else {"Location": location}))
    with pytest.raises(ApiError, match="check base_url"):
        await proven(network, wire)
    assert len(wire.sent) == 1


async def proven(network: str, wire: ScriptTransport) -> None:
    """Make the cheapest call of a network."""
    if network == "metrica":
        async with open_metrica("1", "token-of-metrica", transport=wire, clock=FakeClock()) as goals:
            await goals.session.send(goals.session.build(adnet.analysis.metrica.REPORT))
    elif network == "login":
        given = {"email": "a@b.example", "password": "a-password"}
        async with adnet.connect("adskeeper", transport=wire, clock=FakeClock(), **given) as account:
            await account.get_account()
    else:
        kit = KITS[network]
        with kit.state() as state:
            account = adnet.connect(network, transport=wire, clock=FakeClock(), state=state, **kit.given)
            async with account:
                await account.get_account()


# ---------------------------------------------------------------------- one reading of a URL

pieces = st.sampled_from(
    ["http://", "https://", "HTTP://", "//", "127.0.0.1", "api.example", "API.example", "localhost", "@", "\\", "/",
     ":", ":443", ":80", ":8080", "?", "#", ".", "%2e", "%40", "[::1]", "[", "]", "\t", "\n", " ", "evil.example", "x",
     "ⓔ", "。", "\x00"]
)  # fmt: skip
urls = st.lists(pieces, min_size=1, max_size=7).map("".join)


def session(base_url: str) -> Session:
    """Return a session that sends nothing."""
    clock = SystemClock()
    return Session(
        network="n", account="a", base_url=base_url, transport=ScriptTransport(), limiter=Limiter(clock=clock),
        signer=NoSigner(), decipherer=Decipherer(network="n", scrubber=Scrubber()), clock=clock, scrubber=Scrubber(),
    )  # fmt: skip


SESSION = session("https://api.example/v1")


def requested(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port that the wire would go to, as the library beneath reads the URL."""
    read = URL(url, encoded=True)
    return read.scheme, read.host, read.port


@given(urls | urls.map("https://api.example".__add__) | urls.map("https://api.example/".__add__))
def test_what_passes_as_the_configured_origin_is_requested_there(url):
    """Our reading of a URL and that of the library that sends it never differ to anybody's gain."""
    try:
        SESSION.check_origin(url)
    except OriginError:
        return
    with contextlib.suppress(ValueError):  # the library refuses it altogether
        assert requested(url) == ("https", "api.example", 443)


@given(urls)
def test_plain_http_is_for_this_machine_only(url):
    """A base URL that passes leads over TLS, or to a loopback address; whatever its spelling."""
    try:
        clean = checked_base_url(url)
    except ConfigurationError:
        return
    with contextlib.suppress(ValueError):
        scheme, host, _ = requested(clean)
        assert scheme == "https" or (scheme, host) in {
            ("http", "localhost"),
            ("http", "127.0.0.1"),
            ("http", "::1"),
        }


PLAIN_HTTP = ["http://api.example", "http://127.0.0.1.evil.example", "http://localhost.evil.example", "http://0.0.0.0",
              "http://192.168.1.1", "http://[::]", "http://2130706433", "http://127.1"]  # fmt: skip


@pytest.mark.parametrize("url", PLAIN_HTTP)
@pytest.mark.parametrize("network", ["targetcircle", "adskeeper", "mgid", "mytarget", "vkads"])
async def test_no_account_goes_over_plain_http(network, url, tmp_path):
    """In code and from a configuration alike: refused before anything is sent, with what to do."""
    given = {**KITS.get(network, KITS["adskeeper"]).given, "base_url": url}
    with pytest.raises(ConfigurationError, match="in the clear; use https"):
        adnet.connect(network, transport=ScriptTransport(), **given)
    path = tmp_path / "adnet.toml"
    lines = [f"{name} = {json.dumps(value)}" for name, value in given.items()]
    path.write_text("\n".join([f'[accounts.a]\nnetwork = "{network}"', *lines]), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="in the clear; use https"):
        async with config.open_accounts(path):
            raise AssertionError


def test_a_base_url_that_is_refused_shows_no_secret():
    """Whatever somebody put into it."""
    for url in ("api.example?token=hunter2hunter2", "https://u:hunter2hunter2@api.example", "ftp://x/#hunter2hunter2",
                "https://api.example/v1?token=hunter2hunter2", "http://[hunter2hunter2@x"):  # fmt: skip
        with pytest.raises(ConfigurationError) as found:
            checked_base_url(url)
        assert "hunter2" not in str(found.value)


# ---------------------------------------------------------------------- TLS


def test_there_is_no_switch_for_verification(tmp_path):
    """Neither the transport nor an account nor a configuration takes one; no line of adnet turns it off."""
    assert set(inspect.signature(AiohttpTransport).parameters) == {"ceilings", "connections", "proxy"}
    for name in ("verify", "ssl", "verify_ssl", "tls", "insecure"):
        with pytest.raises(ConfigurationError, match=f"has no key '{name}'"):
            adnet.connect("targetcircle", **{**KITS["targetcircle"].given, name: False})
        path = tmp_path / "adnet.toml"
        path.write_text(
            f'[accounts.a]\nnetwork = "targetcircle"\nbase_url = "https://x.example"\ntoken = "t"\n{name} = false'
        )
        with pytest.raises(ConfigurationError, match=f"has no key '{name}'"):
            config.load(path)
    switches = re.compile(
        r"CERT_NONE|CERT_OPTIONAL|check_hostname|verify_mode|_create_unverified|trust_env|\bssl\s*=|verify\w*\s*=\s*False"
    )
    found = {
        str(path.relative_to(ADNET)): lines
        for path in ADNET.rglob("*.py")
        if (lines := [line.strip() for line in path.read_text("utf-8").splitlines() if switches.search(line)])
    }
    assert found == {
        "cli/_reach.py": ["parts.hostname, port, ssl=ssl.create_default_context() if secure else None"]
    }


PROVE = """
import asyncio, sys
from adnet.errors import AdnetError
from adnet.transport.aiohttp import AiohttpTransport
from adnet.transport.wire import Request, Route

async def main():
    wire = AiohttpTransport()
    for url in sys.argv[1:]:
        request = Request(route=Route(operation="x", method="GET", path="", idempotent=True), url=url)
        try:
            print((await wire.send(request, timeout_s=10)).status, flush=True)
        except AdnetError as error:
            print(type(error).__name__, error.temporary, "certificate" in str(error), flush=True)
    await wire.close()

asyncio.run(main())
"""
"""A client of its own, since the certificates that a process trusts are read once."""


async def test_a_certificate_has_to_be_trusted_and_for_this_host_and_for_today(tmp_path, authority):
    """Over real TLS: only the right one is talked to, whatever the environment says about leniency."""
    lenient = {"PYTHONHTTPSVERIFY": "0", "NODE_TLS_REJECT_UNAUTHORIZED": "0", "CURL_INSECURE": "1"}
    async with contextlib.AsyncExitStack() as stack:
        urls = [
            await stack.enter_async_context(served(authority.context(tmp_path, host, days=days)))
            for host, days in (("localhost", 1), ("elsewhere.example", 1), ("localhost", -1))
        ]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROVE, *urls, env={**PLAIN, **lenient, "SSL_CERT_FILE": str(authority.path)},
            stdout=subprocess.PIPE,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert out.decode().split("\n") == ["200", *["ConnectError False True"] * 2, ""]


@contextlib.asynccontextmanager
async def served(context: ssl.SSLContext | None, seen: list[bytes] | None = None):
    """Serve empty answers; give the URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if seen is not None:
                seen.append(head)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"https://localhost:{port}/" if context else f"http://127.0.0.1:{port}"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return an authority of this test."""
    return Authority(tmp_path)


async def test_neither_a_proxy_nor_a_netrc_of_the_environment_is_used(tmp_path, monkeypatch):
    """A credential goes where the configuration says, through nobody; and no other one in its place."""
    netrc, seen = tmp_path / "netrc", []
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    async with served(None, seen) as proxy, load("targetcircle")() as server:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy)
            monkeypatch.setenv(name.upper(), proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        async with adnet.connect("targetcircle", base_url=server.base_url, **server.credentials) as account:
            await account.get_account()
        assert len(server.log) > 0
        assert seen == []
