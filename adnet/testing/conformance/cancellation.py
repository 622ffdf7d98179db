"""Stopping and crowding: what is cancelled leaves nothing behind, and many tasks share one account."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

from adnet.client import Account
from adnet.testing.conformance._policy import standard
from adnet.testing.conformance._tools import (
    Listing,
    busy,
    client_tasks,
    collect,
    listings,
    open_account,
    watched_connections,
)
from adnet.testing.harness import Harness

_POINTS: Final = 12
_TASKS: Final = 50
_PATIENCE_MS: Final = 2000


class Cancellation:
    """Cancelling at any moment, and many tasks at once."""

    @standard(listing=listings)
    async def test_cancelling_leaves_nothing(self, harness: Harness, listing: Listing) -> None:
        """A list cancelled at random moments leaves no task, slot or waiter; the account works on.

        If this fails, look at: tasks that nobody awaits, and an ``except`` that swallows CancelledError.
        """
        account = await harness.account()
        await account.open()

        async def work() -> int:
            return len(await collect(listing.of(account, *harness.period)))

        expected = len(harness.truth(listing.table, *harness.period, listing.level))
        await _cancelled_anywhere(account, work, seed=str(listing))
        assert expected == await work()

    @standard(when=lambda capabilities: capabilities.supports("get_account"))
    async def test_cancelling_the_first_call_leaves_nothing(self, harness: Harness) -> None:
        """The very first call, which may log in and learn about the account, can be cancelled as well.

        If this fails, look at: ``open`` of the Connector class, and single flights that die with their caller.
        """
        for seed in range(3):
            account = await harness.account()
            await _cancelled_anywhere(account, account.get_account, seed=str(seed), points=4)
            assert (await account.get_account()).account_id

    @standard(when=lambda capabilities: bool(listings(capabilities)))
    async def test_closing_leaves_no_connection(self, harness: Harness) -> None:
        """After a close no connection is open, whether the work before was finished, cancelled or left.

        If this fails, look at: ``close`` of the Connector class.
        """
        with watched_connections() as connections:
            account = await harness.account()
            listing = listings(account.capabilities)[0]
            task = asyncio.ensure_future(collect(listing.of(account, *harness.period)))
            await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await collect(listing.of(account, *harness.period))  # last, so that its connections are kept
            await account.close()
            await _until(lambda: all(connection.is_closing() for connection in connections))
        assert connections
        assert [connection for connection in connections if not connection.is_closing()] == []

    @standard(when=lambda capabilities: capabilities.supports("get_account"))
    async def test_fifty_tasks_share_one_account(self, harness: Harness) -> None:
        """Fifty tasks on one account all get their answer, and the server sees what the limiter charged.

        If this fails, look at: state of a call that is kept on the connector.
        """
        account, wire = await open_account(harness)
        lists = listings(account.capabilities) * 2  # each beside another one of its kind
        rows = [collect(listing.of(account, *harness.period)) for listing in lists]
        proofs = [account.get_account() for _ in range(_TASKS - len(rows))]
        found: list[Any] = await asyncio.gather(*rows, *proofs)
        truths = [len(harness.truth(listing.table, *harness.period, listing.level)) for listing in lists]
        assert truths == [len(result) for result in found[: len(rows)]]
        assert len({info.account_id for info in found[len(rows) :]}) == 1
        charges, costs = account.connector.limiter.charges, wire.charges()
        assert {bucket: charges[bucket] for bucket in costs} == dict(costs)
        assert busy(account) == {}

    @standard(when=lambda capabilities: capabilities.supports("get_account"))
    async def test_waiters_that_give_up_leave_no_slot(self, harness: Harness) -> None:
        """Of many calls that wait for a limit some are cancelled; the others go, and nothing stays taken.

        If this fails, look at: slots that are not given back in a ``finally``.
        """
        probe, wire = await open_account(harness)
        await probe.get_account()
        limits = {bucket: f"{cost * 2}/s" for bucket, cost in wire.charges().items()}
        account = await harness.account(limits=limits)
        tasks = [asyncio.ensure_future(account.get_account()) for _ in range(8)]
        await asyncio.sleep(0.01)
        for task in tasks[::2]:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [result for result in results[1::2] if isinstance(result, BaseException)] == []
        assert busy(account) == {}


async def _cancelled_anywhere(
    account: Account, work: Callable[[], Awaitable[Any]], *, seed: str, points: int = _POINTS
) -> None:
    """Run *work*, cancel it at random moments, and fail if anything of it stays."""
    chance = random.Random(seed)
    longest = 0.01
    for _ in range(points):
        before = client_tasks()
        task = asyncio.ensure_future(work())
        started = asyncio.get_running_loop().time()
        await asyncio.wait([task], timeout=longest * chance.random())
        stopped = task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        longest = max(longest, 1.5 * (asyncio.get_running_loop().time() - started))
        assert task.cancelled() or task.exception() is None, task.exception()
        assert task.cancelled() or not stopped, "it went on"
        await _until(lambda before=before: client_tasks() <= before and not busy(account))  # type: ignore[misc]
        assert client_tasks() - before == set()
        assert busy(account) == {}


async def _until(true: Callable[[], bool]) -> None:
    """Wait a moment until something is true; what waits for the machine takes its time."""
    for _ in range(_PATIENCE_MS):
        if true():
            return
        await asyncio.sleep(0.001)
