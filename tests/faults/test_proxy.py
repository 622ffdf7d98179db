"""The proxy of adnet.testing.faults does what its list says, and can be made to do it again."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from adnet.errors import AdnetError, ConnectError, TransportError
from adnet.testing.faults import FAULTS, Answered, FaultProxy, FaultSettings, Schedule
from adnet.transport.aiohttp import AiohttpTransport
from adnet.transport.ceilings import Ceilings
from adnet.transport.wire import Request, Response, Route

GET = Route(operation="things.get", method="GET", path="/things", idempotent=True)
SETTINGS = FaultSettings(slow_s=0.15, shut_s=0.02, streamed_bytes=8 * 2**20, duplicate_s=0.005)


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[tuple[str, list[str]]]:
    """Serve ``{"path": …}`` at every path; give the origin and the paths asked for."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.path_qs)
        return web.json_response({"path": request.path_qs, "body": (await request.read()).decode()})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    finally:
        await runner.cleanup()


class Client:
    """One transport, small ceilings, little patience."""

    def __init__(self, proxy: FaultProxy) -> None:
        self._proxy = proxy
        self.wire = AiohttpTransport(ceilings=Ceilings(body_bytes=2**20, decompressed_bytes=2**20))

    async def get(self, target: str = "/things") -> Response:
        return await self.wire.send(Request(route=GET, url=self._proxy.origin + target), timeout_s=0.1)


@contextlib.asynccontextmanager
async def proxied(**options: object) -> AsyncIterator[tuple[Client, FaultProxy, list[str]]]:
    """Give a client of a proxy before a server, and the paths that the server sees."""
    async with serving() as (origin, seen), FaultProxy(origin, settings=SETTINGS, **options) as proxy:
        client = Client(proxy)
        try:
            yield client, proxy, seen
        finally:
            await client.wire.close()


RIGHT = b'{"path": "/things", "body": ""}'
GONE = {"reset", "reset-body", "slow-headers", "slow-body", "half", "refused", "cut-gzip", "huge-announced",
        "huge-streamed", "gzip-bomb"}  # fmt: skip
STATUSES = {"408": 408, "429": 429, "429-seconds": 429, "429-date": 429, "429-skewed": 429, "429-week": 429,
            "500": 500, "503": 503, "401": 401, "redirect": 302, "html-502": 502}  # fmt: skip


async def test_without_a_fault_it_only_passes_on():
    """What goes in comes out, on one connection after the other, bodies and queries included."""
    async with proxied() as (client, proxy, seen):
        assert (await client.get()).body == RIGHT
        assert b'"/things?a=b%20c"' in (await client.get("/things?a=b%20c")).body
        assert seen == ["/things", "/things?a=b%20c"]
        assert proxy.script == [None, None]


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_strikes_once(fault):
    """The fault does what its sentence says, and the next request is served."""
    async with proxied() as (client, proxy, seen):
        proxy.strike(fault, where=lambda asked: asked.path == "/things")
        with pytest.raises(AdnetError) if fault in GONE else contextlib.nullcontext():
            assert STATUSES.get(fault, 200) == (await client.get()).status
        assert {fault: 1} == dict(proxy.struck)
        await asyncio.sleep(0.03)
        assert (await client.get()).body == RIGHT
        executed = FAULTS[fault].startswith("executed")
        assert executed + 1 == len(seen)


async def test_every_fault_says_whether_the_server_served_it():
    """Each sentence begins with that, but for the request that nobody reads."""
    begins = {name for name, text in FAULTS.items() if text.startswith(("executed;", "not executed;"))}
    assert {"refused"} == set(FAULTS) - begins


async def test_the_door_is_shut_and_opens_again():
    """A connection is refused by the system itself while the door is shut."""
    async with proxied() as (client, proxy, _):
        proxy.strike("refused", times=None)
        with pytest.raises(ConnectError):
            await client.get()
        proxy.calm()
        assert (await client.get()).status == 200
        proxy.strike("refused")
        await asyncio.sleep(0.005)  # the kept connection is gone
        with pytest.raises(ConnectError):
            await client.get()
        await asyncio.sleep(0.03)
        assert (await client.get()).status == 200


async def test_a_shut_door_cuts_idle_connections():
    """A client that kept its connection meets the refusal as well."""
    async with proxied() as (client, proxy, _):
        await client.get()
        proxy.strike("refused", times=None)
        with pytest.raises(TransportError):
            await client.get()


async def test_a_script_of_what_happened_makes_it_happen_again():
    """Chance is replayed from its seed, and a log from its script."""
    rates = {"500": 0.3, "401": 0.2}
    scripts = []
    for options in ({"rates": rates, "seed": 3}, {"rates": rates, "seed": 3}, {"rates": rates, "seed": 4}):
        async with proxied(**options) as (client, proxy, _):
            for _ in range(20):
                await client.get()
            scripts.append(proxy.script)
    assert scripts[0] == scripts[1] != scripts[2]
    assert {None, "500", "401"} == set(scripts[0])
    async with proxied(script=scripts[0]) as (client, proxy, _):
        for _ in range(20):
            await client.get()
        assert scripts[0] == proxy.script


async def test_a_network_may_refuse_in_its_own_words():
    """The bodies of refusals can be given."""
    own = Answered(status=401, headers=(("Content-Type", "application/json"),), body=b'{"error":"expired"}')
    async with (
        serving() as (origin, _),
        FaultProxy(origin, settings=FaultSettings(refusals={"401": own})) as proxy,
    ):
        client = Client(proxy)
        proxy.strike("401")
        assert (await client.get()).body == own.body
        await client.wire.close()


@pytest.mark.parametrize("wrong", [{"rates": {"401": 1.5}}, {"rates": {"oops": 0.1}}, {"script": ["oops"]}])
def test_what_cannot_be_done_is_refused(wrong):
    """Names and rates are checked."""
    with pytest.raises(ValueError, match="fault"):
        Schedule(**wrong)


async def test_closing_leaves_no_task():
    """Held back answers are given up."""
    before = asyncio.all_tasks()
    async with serving() as (origin, _):
        proxy = FaultProxy(origin, settings=FaultSettings(slow_s=30))
        await proxy.start()
        client = Client(proxy)
        proxy.strike("slow-headers")
        with pytest.raises(AdnetError):
            await client.get()
        await client.wire.close()
        await proxy.close()
        await proxy.close()
    assert before == asyncio.all_tasks()


async def test_a_connection_that_nobody_talks_on_yet_is_closed_with_the_rest():
    """It was accepted in the very turn of the loop in which the proxy is closed."""
    async with serving() as (origin, _):
        proxy = FaultProxy(origin)
        await proxy.start()
        place = urlsplit(proxy.url(origin))
        with socket.create_connection((place.hostname, place.port), timeout=5) as client:
            while not proxy._accepted:
                proxy._accept(proxy._door)
            await proxy.close()
            assert client.recv(1) == b""
        assert not proxy._accepted


async def test_what_came_on_a_connection_that_is_cut_is_not_executed():
    """Its answer would go nowhere, with no fault told of it."""
    async with proxied() as (client, proxy, seen):
        place = urlsplit(proxy.origin)
        streams = [await asyncio.open_connection(place.hostname, place.port) for _ in range(2)]
        for reader, writer in streams:  # both are known to the proxy then, and idle
            writer.write(b"GET /before HTTP/1.1\r\nHost: it\r\n\r\n")
            await reader.readuntil(b"/before")
        proxy.strike("refused", where=lambda asked: asked.target == "/struck")
        # Both arrive at once: the first shuts the door before the second is looked at.
        for (_, writer), target in zip(streams, (b"/struck", b"/late"), strict=True):
            writer.write(b"GET " + target + b" HTTP/1.1\r\nHost: it\r\n\r\n")
        for reader, writer in streams:
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
        while "/after" not in seen:
            with contextlib.suppress(TransportError):  # until the door is open again
                await client.get("/after")
        assert seen == ["/before", "/before", "/after"]
