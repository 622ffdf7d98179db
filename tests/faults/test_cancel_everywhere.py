"""Work that is cancelled at any await leaves nothing behind: no slot, lease, task, connection or file."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import adnet
from adnet.client import Account
from adnet.state import State
from adnet.testing import FastClock, MemorySink
from adnet.testing.harness import generous_limits

from .tally import tally
from .world import NETWORKS, SINCE, UNTIL, busy, collect
from .zygote import Stepping

POINTS = int(os.environ.get("ADNET_SOAK_POINTS", "18"))
"""Awaits of one kind of work at which it is cancelled, spread over all of them; ``make soak`` takes more."""
SEED = int(os.environ.get("ADNET_SEED", "20"))
"""Chooses which of them; so a soak comes to every one in time."""


@attrs.frozen(kw_only=True)
class Place:
    """Where an account works: a server, a state in a file, and a folder."""

    server: Any
    state: State
    account: Account
    folder: Path


@contextlib.asynccontextmanager
async def place(network_name: str, folder: Path, **options: Any) -> AsyncIterator[Place]:
    """Give an account with a server and a state of its own; fail unless closing it closes every connection."""
    os.mkdir(folder)  # noqa: PTH102 - in a test, which may block
    network, clock = NETWORKS[network_name], FastClock(50.0)
    async with network.sandbox(clock) as server:
        options = {**server.account_options, **server.credentials, **options}
        options = {name: value for name, value in options.items() if value is not None}
        limits = await generous_limits(network_name, {**options, "base_url": server.base_url})
        with watched() as made, State.open(folder / "state.db", clock=clock) as state:
            account = adnet.connect(
                network_name, base_url=server.base_url, clock=clock, state=state, limits=limits, **options
            )
            try:
                yield Place(server=server, state=state, account=account, folder=folder)
            finally:
                await account.close()
                await until(lambda: all(connection.is_closing() for connection in made))
        assert [connection for connection in made if not connection.is_closing()] == []


@contextlib.contextmanager
def watched() -> Iterator[list[asyncio.BaseTransport]]:
    """Collect every connection that is made from this loop."""
    loop, connect, made = asyncio.get_running_loop(), asyncio.get_running_loop().create_connection, []

    async def watching(*args: Any, **kwargs: Any) -> Any:
        pair = await connect(*args, **kwargs)
        made.append(pair[0])
        return pair

    loop.create_connection = watching
    try:
        yield made
    finally:
        del loop.create_connection


async def until(true: Callable[[], bool]) -> None:
    """Wait a moment until something is true."""
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.001)


def served(coro: Any) -> bool:
    """Say whether a coroutine belongs to a server in this loop."""
    code = getattr(coro, "cr_code", None)
    return code is not None and Path(code.co_filename).name.startswith("web_")


def ours() -> set[asyncio.Task[Any]]:
    """Return the tasks of this loop that are neither the test's own nor a server's."""
    running = {asyncio.current_task()}
    return {task for task in asyncio.all_tasks() - running if not served(task.get_coro())}


def threads() -> set[str]:
    """Return the threads of sinks."""
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("adnet")}


@contextlib.contextmanager
def stepping(stepped: Callable[[], None]) -> Iterator[None]:
    """Have every step of every task that is made inside told to *stepped*."""
    loop = asyncio.get_running_loop()

    def make(
        loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **rest: Any
    ) -> asyncio.Task[Any]:
        return asyncio.Task(coro if served(coro) else Stepping(coro, stepped), loop=loop, **rest)

    loop.set_task_factory(make)
    try:
        yield
    finally:
        loop.set_task_factory(None)


async def cancelled_at(moment: int, work: Callable[[], Awaitable[Any]]) -> bool:
    """Do *work*, cancelled at its *moment*-th step; say whether it had not ended before."""
    steps = 0
    main: asyncio.Task[Any] | None = None

    def stepped() -> None:
        nonlocal steps
        steps += 1
        if steps == moment and main is not None:
            main.cancel()

    with stepping(stepped):
        main = asyncio.get_running_loop().create_task(run(work))
        await asyncio.wait([main])
    assert main.cancelled() or main.exception() is None, main.exception()
    return steps >= moment


async def run(work: Callable[[], Awaitable[Any]]) -> Any:
    """Return what *work* returns."""
    return await work()


async def check(there: Place, before: set[Any]) -> None:
    """Fail unless nothing is left over."""
    await until(lambda: not busy(there.account) and not ours() - before and not threads())
    assert ours() - before == set()
    assert threads() == set()
    assert busy(there.account) == {}
    rows = there.state.database.rows
    assert [row["key"] for row in rows("SELECT key FROM tokens WHERE lease_owner IS NOT NULL")] == []
    assert [row["name"] for row in rows("SELECT name FROM leases")] == []
    assert [tuple(row) for row in rows("SELECT key, held FROM quota_places WHERE held > 0")] == []
    assert [job.owner for job in there.state.jobs.unfinished() if job.state == "intended" and job.owner] == []
    left = sorted(path.name for path in there.folder.rglob("*") if path.is_file())
    own = f"state.db-owner-{there.state.owner.rpartition(':')[2]}"
    assert set(left) <= {"state.db", "state.db-shm", "state.db-wal", own, "ads.duckdb"}


# ---------------------------------------------------------------------- what is cancelled


def by_name(network: str, operation: str) -> Any:
    """Return the call of an operation of the matrix."""
    return next(known for known in NETWORKS[network].operations if known.name == operation)


async def pull_into_memory(there: Place) -> Any:
    """Pull two days."""
    sink = MemorySink()
    result = await adnet.pull(there.account, since=SINCE, until=UNTIL, to=sink)
    return result.ok, {table.table: table.rows for table in result.tables}


async def pull_into_file(there: Place) -> Any:
    """Pull two days into a DuckDB file."""
    result = await adnet.pull(there.account, since=SINCE, until=UNTIL, to=f"duckdb:{there.folder}/ads.duckdb")
    return result.ok, {table.table: table.rows for table in result.tables}


def operation(name: str) -> Callable[[Place], Awaitable[Any]]:
    """Return the work of an operation of the matrix."""

    async def work(there: Place) -> Any:
        return await by_name(there.account.network, name).call(there.account)

    return work


WORK: dict[str, tuple[str, Callable[[Place], Awaitable[Any]]]] = {
    "targetcircle-list": ("targetcircle", operation("page")),
    "adskeeper-login": ("adskeeper", operation("token")),
    "adskeeper-list": ("adskeeper", operation("page")),
    "adskeeper-stats": ("adskeeper", operation("report")),
    "mytarget-token": ("mytarget", operation("token")),
    "mytarget-list": ("mytarget", operation("page")),
    "mytarget-stats": ("mytarget", operation("report")),
    "targetcircle-pull": ("targetcircle", pull_into_memory),
    "adskeeper-pull": ("adskeeper", pull_into_memory),
    "mytarget-pull": ("mytarget", pull_into_memory),
    "targetcircle-file": ("targetcircle", pull_into_file),
    "mytarget-file": ("mytarget", pull_into_file),
}
LONG = ("pull", "file")


def options_of(name: str) -> dict[str, Any]:
    """Return the account's further options."""
    network, _, kind = name.partition("-")
    return dict(by_name(network, "token").options) if kind == "login" else {}


def spread(steps: int, most: int) -> range:
    """Return about *most* of so many steps, an even way from each other."""
    stride = max(1, steps // most)
    return range(1 + SEED % stride, steps + 1, stride)


@pytest.mark.parametrize("name", WORK)
async def test_cancelling_at_any_await_leaves_nothing(name, tmp_path):
    """Nothing is left over, and the account goes on to the right end afterwards."""
    network_name, work = WORK[name]
    options = options_of(name)
    expected, steps = await undisturbed(network_name, tmp_path / "undisturbed", work, options)
    points = spread(steps, POINTS // (1 + name.endswith(LONG)))
    for moment in points:
        async with place(network_name, tmp_path / str(moment), **options) as there:
            before = ours()
            await cancelled_at(moment, lambda: work(there))
            await check(there, before)
            assert await work(there) == expected
    tally("points of cancelling tried", len(points))


async def undisturbed(
    network_name: str, folder: Path, work: Callable[[Place], Awaitable[Any]], options: dict[str, Any]
) -> tuple[Any, int]:
    """Return what the work gives, and how many steps it takes."""
    steps = 0

    def stepped() -> None:
        nonlocal steps
        steps += 1

    async with place(network_name, folder, **options) as there:
        with stepping(stepped):
            expected = await asyncio.get_running_loop().create_task(run(lambda: work(there)))
    return expected, steps


@pytest.mark.parametrize("network_name", ["adskeeper", "mytarget"])
async def test_a_cancelled_write_is_done_once_or_not_at_all(network_name, tmp_path):
    """Whenever it is cancelled, the network has what was to be made once at most, and nothing is left over."""
    network, chosen = NETWORKS[network_name], by_name(network_name, "write")
    for moment in spread(60, POINTS):
        async with place(network_name, tmp_path / str(moment)) as there:
            count, before = network.made(there.server), ours()
            await cancelled_at(moment, lambda: chosen.call(there.account))
            await check(there, before)
            assert network.made(there.server) - count in {0, 1}


async def test_lists_that_nobody_reads_on_leave_nothing(tmp_path):
    """A list that is left in the middle, without being closed, ends when it is forgotten."""
    async with place("targetcircle", tmp_path / "there") as there:
        before = ours()
        async for _ in there.account.list_transactions(since=SINCE, until=UNTIL):
            break
        await check(there, before)
        assert await collect(there.account.list_transactions(since=SINCE, until=UNTIL))
