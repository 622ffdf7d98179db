import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import date
from decimal import Decimal

import aiohttp
import pytest
from aiohttp import web

from adnet.sandbox import SANDBOXES, load
from adnet.sandbox.base import Sandbox, days, encode, json_reply, random_of, secret
from adnet.sandbox.faults import Faults


class Kiosk(Sandbox):
    """A network of one page that needs a key."""

    network = "kiosk"
    base_path = "/v9"

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [web.get("/v9/papers/{id}", self.paper), web.post("/v9/papers", self.add)]

    def authorize(self, request: web.Request) -> web.Response | None:
        return web.Response(status=401) if "key" not in request.headers else None

    def truth(self, resource: str, since: date | None = None, until: date | None = None):
        if resource != "papers":
            raise LookupError(resource)
        return [{"since": since, "until": until, "price": Decimal("0.10")}]

    async def paper(self, _request: web.Request) -> web.Response:
        return json_reply({"text": "news " * 400})

    async def add(self, request: web.Request) -> web.Response:
        return web.Response(status=202, text=await request.text())


@pytest.fixture
async def kiosk() -> AsyncIterator[Kiosk]:
    async with Kiosk(slow_s=0.02) as sandbox:
        yield sandbox


@pytest.fixture
async def client(kiosk: Kiosk) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(kiosk.origin, headers={"key": "k"}) as session:
        yield session


async def status_of(client: aiohttp.ClientSession, path: str = "/v9/papers/1", **options) -> int:
    async with client.get(path, **options) as reply:
        await reply.read()
        return reply.status


async def test_serves_on_loopback_below_its_base_path(kiosk, client):
    """A client is pointed at a loopback address that ends with the network's base path."""
    assert kiosk.base_url.startswith("http://127.0.0.1:")
    assert kiosk.base_url.endswith("/v9")
    assert await status_of(client) == 200


@pytest.mark.parametrize("fault", ["408", "429", "500", "502", "503"])
async def test_a_status_fault_strikes_once_and_before_authorization(kiosk, client, fault):
    """A fault ordered once answers its status, even without a key, and then is over."""
    kiosk.faults.once(fault)
    assert await status_of(client, headers={"key": ""}) == int(fault)
    assert await status_of(client) == 200


async def test_the_408_says_what_target_circle_documents(kiosk, client):
    """The text of a 408 is the documented one."""
    kiosk.faults.once("408")
    async with client.get("/v9/papers/1") as reply:
        assert await reply.text() == "Request Time Out"


async def test_half_of_the_429_name_a_time(kiosk, client):
    """Every other 429 carries Retry-After."""
    kiosk.faults.once("429", 4)
    found = []
    for _ in range(4):
        async with client.get("/v9/papers/1") as reply:
            found.append(reply.headers.get("Retry-After"))
    assert found == ["1", None, "1", None]


async def test_reset_cuts_before_any_header(kiosk, client):
    """A reset gives the client no answer, and the log no status."""
    kiosk.faults.once("reset")
    # Not a GET: aiohttp's client sends those again by itself.
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.post("/v9/papers", data=b"paper")
    assert [(entry.body, entry.status) for entry in kiosk.log] == [(b"paper", None)]


async def test_half_cuts_the_body_short_of_its_promise(kiosk, client):
    """A halved answer has its headers and not its body."""
    kiosk.faults.once("half")
    with pytest.raises(aiohttp.ClientPayloadError):
        await status_of(client)
    assert [entry.status for entry in kiosk.log] == [200]


async def test_badjson_is_whole_but_unreadable(kiosk, client):
    """A bad JSON body arrives in full and does not parse."""
    kiosk.faults.once("badjson")
    async with client.get("/v9/papers/1") as reply:
        assert reply.status == 200
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            await reply.json()


async def test_badjson_waits_for_an_answer_that_is_json(kiosk, client):
    """A fault of JSON bodies is not spent on other bodies."""
    kiosk.faults.once("badjson")
    async with client.post("/v9/papers", data=b"paper") as reply:
        assert await reply.text() == "paper"
    assert kiosk.faults.struck["badjson"] == 0


async def test_slow_answers_late(kiosk, client):
    """A slow answer is held back for slow_s, behind one that is not, and is otherwise untouched."""
    kiosk.slow_s = 0.5
    kiosk.faults.once("slow")
    both = [asyncio.create_task(status_of(client)) for _ in range(2)]
    prompt, late = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    assert (len(prompt), len(late), kiosk.faults.struck["slow"]) == (1, 1, 1)
    assert await asyncio.gather(*both) == [200, 200]


@pytest.mark.parametrize(("accepts", "coding"), [("gzip", "gzip"), ("identity", None)])
async def test_gzip_if_the_client_accepts_it(client, accepts, coding):
    """A body over a kilobyte is compressed for those who can read it."""
    async with client.get("/v9/papers/1", headers={"Accept-Encoding": accepts}) as reply:
        assert reply.headers.get("Content-Encoding") == coding
        assert await reply.json() == {"text": "news " * 400}


async def test_log_keeps_requests_as_they_came(kiosk, client):
    """The log has method, path, query in order, lower-case headers, body and status."""
    async with client.post("/v9/papers?b=2&a=1&b=3", data=b"x", headers={"X-Thing": "y"}) as reply:
        await reply.read()
    (entry,) = kiosk.log
    assert (entry.method, entry.path, entry.body, entry.status) == ("POST", "/v9/papers", b"x", 202)
    assert entry.query == (("b", "2"), ("a", "1"), ("b", "3"))
    assert entry.headers["x-thing"] == "y"


async def test_side_door_needs_no_key_and_meets_no_fault(kiosk, client):
    """The side door answers while every other request fails, and is not logged."""
    kiosk.faults.update({"500": 1.0})
    await status_of(client)
    async with client.get("/__sandbox/health") as reply:
        assert (await reply.json())["network"] == "kiosk"
    async with client.get("/__sandbox/log") as reply:
        assert await reply.json() == {"GET /v9/papers/{id}": 1}
    assert len(kiosk.log) == 1


async def test_side_door_tells_the_truth(client):
    """The truth of a period is JSON with money as digits; an unknown resource is 404."""
    url = "/__sandbox/truth/papers?since=2026-01-01&until=2026-02-01"
    async with client.get(url) as reply:
        assert await reply.text() == '[{"since":"2026-01-01","until":"2026-02-01","price":0.10}]'
    assert await status_of(client, "/__sandbox/truth/books") == 404
    assert await status_of(client, "/__sandbox/truth/papers?since=soon") == 400


async def test_side_door_orders_faults(kiosk, client):
    """Faults can be ordered over HTTP; an unknown one is refused by name."""
    order = {"rates": {"429": 0.0}, "once": {"503": 1}}
    async with client.post("/__sandbox/faults", json=order) as reply:
        assert reply.status == 200
    assert await status_of(client) == 503
    async with client.post("/__sandbox/faults", json={"once": {"flood": 1}}) as reply:
        assert (reply.status, "known are: 408" in await reply.text()) == (400, True)


async def test_can_be_closed_twice_and_started_again(kiosk, client):
    """A closed sandbox refuses connections; started again on its port, it serves."""
    port = int(kiosk.origin.rpartition(":")[2])
    await kiosk.close()
    await kiosk.close()
    with pytest.raises(aiohttp.ClientConnectionError):
        await status_of(client)
    await kiosk.start(port)
    assert await status_of(client) == 200


async def test_does_not_start_twice(kiosk):
    """A running sandbox says so instead of starting again."""
    with pytest.raises(RuntimeError, match="running already"):
        await kiosk.start()


def test_origin_is_unknown_before_start():
    """A sandbox that was not started has no address."""
    with pytest.raises(RuntimeError, match="kiosk sandbox has not been started"):
        _ = Kiosk().base_url


@pytest.mark.parametrize("rates", [{"flood": 0.1}, {"429": 1.5}, {"429": -1}])
def test_refuses_unknown_faults_and_impossible_rates(rates):
    """An unknown fault or a rate outside 0 to 1 is a ValueError that names it."""
    with pytest.raises(ValueError, match=next(iter(rates))):
        Kiosk(faults=rates)


def test_faults_replay_from_their_seed():
    """Equal seeds strike alike; another fault's rate does not move the strikes."""
    alone, both, other = (
        Faults({"500": 0.3}, seed=1),
        Faults({"500": 0.3, "reset": 0.5}, seed=1),
        Faults({"500": 0.3}, seed=2),
    )
    struck = [
        [f.strikes("500") for _ in range(200) if f.strikes("reset") in {True, False}] for f in (alone, both)
    ]
    assert struck[0] == struck[1]
    assert struck[0] != [other.strikes("500") for _ in range(200)]


async def test_a_client_that_goes_leaves_no_trace(kiosk, client, caplog):
    """What is told stands for something that is wrong with the imitation itself."""
    port = int(kiosk.origin.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /v9/papers HTTP/1.1\r\nHost: kiosk\r\nkey: k\r\nContent-Length: 99999\r\n\r\n{")
    await writer.drain()
    await asyncio.sleep(0.05)  # so that the server has begun to wait for the rest
    writer.transport.abort()
    await asyncio.sleep(0.05)
    assert await status_of(client) == 200
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_rate_is_kept_to():
    """Over many requests, the share struck is the rate."""
    faults = Faults({"429": 0.05})
    assert sum(faults.strikes("429") for _ in range(10_000)) == pytest.approx(500, abs=80)
    assert faults.struck["429"] == pytest.approx(500, abs=80)


def test_unknown_network_names_the_known_ones():
    """Loading a sandbox that is not there tells which are."""
    with pytest.raises(LookupError, match="adskeeper, mgid, mytarget, targetcircle, vkads"):
        load("billboard")


def test_load_gives_the_class_of_its_network():
    """The table leads to a class that calls itself by the network's name."""
    assert load("targetcircle").network == "targetcircle"
    assert sorted(SANDBOXES) == list(SANDBOXES)


def test_small_tools():
    """Generators and secrets depend on their words alone; days are half-open; money keeps its digits."""
    assert random_of(1, "a").random() == random_of(1, "a").random() != random_of(1, "b").random()
    assert secret(1, length=8) == secret(1, length=32)[:8] != secret(2, length=8)
    assert list(days(date(2026, 2, 27), date(2026, 3, 2)))[-1] == date(2026, 3, 1)
    assert encode({"a": Decimal("12.340000")}) == b'{"a":12.340000}'
