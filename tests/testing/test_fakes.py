"""The fakes themselves, and the guard around all tests."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from adnet.errors import ConnectError, SinkError
from adnet.models import ModelBatch, Raw, Transaction
from adnet.money import Money
from adnet.testing import FakeClock, MemorySink, ScriptTransport, answer
from adnet.testing.plugin import NetworkRefusedError, is_loopback, loopback_only
from adnet.transport.wire import Request, Route

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
REQUEST = Request(
    route=Route(operation="x.get", method="GET", path="/x", idempotent=True), url="https://api.example/x"
)


async def test_a_script_is_followed_in_order():
    """Answers, errors and functions; requests and timeouts are remembered."""

    async def slow(request: Request):
        return answer(201, body=request.url.encode())

    transport = ScriptTransport([answer(200, {"a": 1}, headers={"X-A": "b"}), ConnectError("down"), slow])
    first = await transport.send(REQUEST, timeout_s=3)
    assert (first.body, first.headers, first.url) == (b'{"a":1}', {"x-a": "b"}, REQUEST.url)
    with pytest.raises(ConnectError):
        await transport.send(REQUEST, timeout_s=2)
    assert (await transport.send(REQUEST, timeout_s=1)).body == b"https://api.example/x"
    assert (transport.sent, transport.timeouts) == ([REQUEST] * 3, [3, 2, 1])
    assert repr(transport) == "ScriptTransport(3 sent)"


async def test_a_script_that_has_ended_fails_the_test():
    """A request too many is told with its URL."""
    with pytest.raises(AssertionError, match=r"no reply left for GET https://api\.example/x"):
        await ScriptTransport().send(REQUEST, timeout_s=1)


async def test_a_function_is_a_script():
    """It sees every request."""
    transport = ScriptTransport(lambda request: ConnectError(request.url))
    with pytest.raises(ConnectError, match="api"):
        await transport.send(REQUEST, timeout_s=1)
    await transport.close()
    assert transport.closed


def sale(number: int, commission: str, raw: bytes = b"{}") -> Transaction:
    """Return a transaction."""
    return Transaction(
        transaction_id=f"t{number}", occurred_at=NOON, commission=Money(commission, "EUR"), raw=Raw(raw)
    )


async def land(sink: MemorySink, *sales: Transaction, hour: int = 0, raw: bool = True):
    """Land transactions and return what that did."""
    landing = sink.landing(network="acme", account="shop", fetched_at=NOON + timedelta(hours=hour))
    await landing.write("transactions", ModelBatch(sales).columns("transactions", raw=raw))
    return (await landing.commit())["transactions"]


async def test_a_memory_sink_lands_by_key():
    """New, the same, changed; the changed row's old form goes to the history."""
    async with MemorySink(FakeClock(NOON)) as sink:
        first = await land(sink, sale(1, "1"), sale(2, "2"))
        assert (first.rows, first.new_rows, first.changed_rows) == (2, 2, 0)
        again = await land(sink, sale(1, "1"), sale(2, "2.5"), hour=1)
        assert (again.rows, again.new_rows, again.changed_rows) == (2, 0, 1)
        assert [row["commission"] for row in sink.rows("transactions")] == [Decimal(1), Decimal("2.5")]
        assert [row["fetched_at"].hour for row in sink.rows("transactions")] == [12, 13]
        (gone,) = sink.history("transactions")
        assert (gone["commission"], gone["replaced_at"]) == (Decimal(2), NOON)


async def test_another_raw_is_no_change_and_none_erases_none():
    """Only raw and fetched_at move."""
    sink = MemorySink()
    await land(sink, sale(1, "1"))
    assert (await land(sink, sale(1, "1", b'{"a":1}'), hour=1)).changed_rows == 0
    await land(sink, sale(1, "1"), hour=2, raw=False)
    assert [(row["raw"], row["fetched_at"].hour) for row in sink.rows("transactions")] == [('{"a":1}', 13)]
    assert sink.history("transactions") == []


async def test_a_changed_row_without_raw_keeps_none_of_what_it_was():
    """As in every sink: the network's own object told other values than the row does now."""
    sink = MemorySink()
    await land(sink, sale(1, "1"))
    assert (await land(sink, sale(1, "2"), raw=False)).changed_rows == 1
    assert [row["raw"] for row in sink.rows("transactions")] == [None]
    assert [row["raw"] for row in sink.history("transactions")] == ["{}"]


async def test_nothing_lands_without_a_commit():
    """Rolled back or refused, the tables stay as they were."""
    sink = MemorySink()
    landing = sink.landing(network="acme", account="shop", fetched_at=NOON)
    await landing.write("transactions", ModelBatch([sale(1, "1")]).columns("transactions"))
    sink.refusal = SinkError("disk full")
    with pytest.raises(SinkError):
        await landing.commit()
    await landing.rollback()
    assert await landing.commit() == {}
    assert sink.rows("transactions") == []


async def test_runs_are_recorded_by_their_key():
    """An upsert, column by column."""
    sink = MemorySink()
    pull = {"network": "acme", "account": "shop", "pull_id": "p", "table": "clicks", "outcome": "interrupted"}
    await sink.record([pull])
    await sink.record([{**pull, "outcome": "landed", "rows": 3}])
    assert sink.rows("pulls") == [{**pull, "outcome": "landed", "rows": 3}]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", b"127.0.0.1", "::1%lo"])
def test_this_machine_may_be_reached(host):
    """By name and by address."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "127.0.0.1.evil.example", "example.com", "", "::", "0.0.0.0"])
def test_nothing_else_is_this_machine(host):
    """Not even what sounds like it."""
    assert not is_loopback(host)


def test_tests_reach_no_other_machine():
    """The guard is up in this very session."""
    with socket.socket() as door, pytest.raises(NetworkRefusedError, match=r"192\.0\.2\.1"):
        door.connect(("192.0.2.1", 80))
    with socket.socket() as door, pytest.raises(NetworkRefusedError):
        door.connect_ex(("192.0.2.1", 80))
    with pytest.raises(socket.gaierror, match="look up no names"):
        socket.getaddrinfo("example.com", 80)
    assert socket.getaddrinfo("localhost", 80)


async def test_loopback_works_behind_the_guard():
    """Servers of our own are what tests talk to; the guard goes when its block ends."""
    before = socket.socket.connect
    with loopback_only():
        assert socket.socket.connect is not before
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            assert await reader.read() == b""
            writer.close()
    assert socket.socket.connect is before


def test_the_clock_fixture_is_virtual(adnet_clock):
    """As third parties use it."""
    adnet_clock.advance(60)
    assert adnet_clock.monotonic() == 60.0


pytest_plugins = ["pytester"]


def test_the_guard_can_be_raised_by_an_ini_option(pytester):
    """For suites that are not ours."""
    pytester.makeini("[pytest]\nadnet_loopback_only = true\nasyncio_default_fixture_loop_scope = function")
    pytester.makepyfile(
        """
        import socket, pytest
        from adnet.testing.plugin import NetworkRefusedError

        def test_guarded():
            with socket.socket() as door, pytest.raises(NetworkRefusedError):
                door.connect(("192.0.2.1", 80))
        """
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)
