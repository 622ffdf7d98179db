"""Being alone at something, over all processes on one state."""

import asyncio
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adnet.errors import StateError
from adnet.state.database import Database
from adnet.state.leases import Leases
from adnet.state.owners import Owners
from adnet.testing import FakeClock


@pytest.fixture
def leases(database: Database, owners: Owners) -> Leases:
    return Leases(database, FakeClock(), owners)


async def test_one_after_the_other(leases: Leases) -> None:
    """Tasks that want the same take turns, and those that want something else do not wait."""
    inside, order = 0, []

    async def work(name: str) -> None:
        nonlocal inside
        async with leases.alone(name, most_s=60):
            order.append(name)
            if name == "a":
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
                inside -= 1

    await asyncio.gather(*(work("a") for _ in range(5)), work("b"))
    assert order == ["a", "b", "a", "a", "a", "a"]


async def test_another_process_waits_until_the_block_ends(
    database: Database, path: Path, owners: Owners, others: Owners
) -> None:
    """The file keeps them apart, and nothing is left in it."""
    clock = FakeClock()
    with closing(Database.open(path)) as there:
        elsewhere = Leases(there, clock, others)

        async def work() -> float:
            async with elsewhere.alone("a", most_s=60):
                return clock.monotonic()

        began = clock.monotonic()
        async with Leases(database, clock, owners).alone("a", most_s=60):
            waiting = asyncio.create_task(work())
            await clock.sleep(5)
        assert 5 <= await waiting - began <= 5.2
    assert database.rows("SELECT * FROM leases") == []


async def test_a_block_that_fails_gives_its_lease_back(leases: Leases) -> None:
    """An error inside passes, and the next one enters at once."""
    with pytest.raises(ValueError, match="inside"):
        async with leases.alone("a", most_s=60):
            raise ValueError("inside")
    async with asyncio.timeout(1), leases.alone("a", most_s=60):
        pass


async def test_the_lease_of_the_dead_is_free_at_once(
    database: Database, owners: Owners, others: Owners
) -> None:
    """Nobody waits for a process that died in its block."""
    clock = FakeClock()
    dying = Leases(database, clock, others).alone("a", most_s=60)
    await dying.__aenter__()
    others.leave()
    began = clock.monotonic()
    async with Leases(database, clock, owners).alone("a", most_s=60):
        assert clock.monotonic() == began


async def test_a_block_that_takes_too_long_is_waited_for_no_longer(
    database: Database, owners: Owners, others: Owners
) -> None:
    """And its late end does not take the lease from whoever has it by then."""
    clock = FakeClock()
    slow = Leases(database, clock, others).alone("a", most_s=60)
    await slow.__aenter__()
    began = clock.monotonic()
    async with Leases(database, clock, owners).alone("a", most_s=60):
        assert 60 <= clock.monotonic() - began <= 60.2
        await slow.__aexit__(None, None, None)
        assert len(database.rows("SELECT * FROM leases")) == 1


async def test_no_two_tasks_are_inside_however_long_the_first_takes(leases: Leases) -> None:
    """The end of a lease is for other processes: of its own tasks one that is inside is known to be."""
    clock, inside = leases._clock, []

    async def work(seconds: float) -> None:
        async with leases.alone("a", most_s=60):
            inside.append(seconds)
            await clock.sleep(seconds)
            inside.remove(seconds)
            assert inside == []

    await asyncio.gather(work(500), work(1))


class SetClock(FakeClock):
    """A clock that somebody sets."""

    set_by_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.set_by_s)


@pytest.mark.parametrize("seconds", [-59.0, 30.0])
async def test_a_clock_that_is_set_meanwhile_opens_no_lease_at_once(
    database: Database, owners: Owners, others: Owners, seconds: float
) -> None:
    """As long as it is set by less than a lease is long."""
    clock = SetClock()
    held = Leases(database, clock, others).alone("a", most_s=60)
    await held.__aenter__()
    clock.advance(1)
    clock.set_by_s, began = seconds, clock.monotonic()
    async with Leases(database, clock, owners).alone("a", most_s=60):
        assert clock.monotonic() - began == pytest.approx(59 - seconds, abs=0.3)


async def test_a_lease_of_ours_that_could_not_be_given_back_holds_nobody_up(
    database: Database, leases: Leases
) -> None:
    """A state that was locked just then costs no wait."""
    async with leases.alone("a", most_s=60):
        (held,) = database.rows("SELECT * FROM leases")
    with database.transaction() as connection:
        connection.execute("INSERT INTO leases VALUES (?, ?, ?, ?)", tuple(held))
    began = leases._clock.monotonic()
    async with leases.alone("a", most_s=60):
        assert leases._clock.monotonic() == began


async def test_a_clock_that_was_ahead_holds_nobody_up(
    database: Database, owners: Owners, others: Owners
) -> None:
    """A lease that ends later than one given now was given by a clock that was wrong."""
    fast, right = FakeClock(), FakeClock()
    fast.advance(3 * 3600)
    held = Leases(database, fast, others).alone("a", most_s=60)
    await held.__aenter__()
    began = right.monotonic()
    async with Leases(database, right, owners).alone("a", most_s=60):
        assert right.monotonic() == began


async def test_leases_that_ran_out_are_pruned(database: Database, owners: Owners) -> None:
    """What a killed process left goes in time, and what is held stays."""
    clock = FakeClock()
    leases = Leases(database, clock, owners)
    old, new = (leases.alone(name, most_s=60) for name in ("old", "new"))
    await old.__aenter__()
    clock.advance(60)
    await new.__aenter__()
    leases.prune()
    assert [row["name"] for row in database.rows("SELECT name FROM leases")] == ["new"]


async def test_a_state_that_fails_is_told_before_the_block(database: Database, leases: Leases) -> None:
    """Who cannot know whether it is alone does not go on; at the end of a block nothing hangs on it."""
    async with leases.alone("a", most_s=60):
        database.close()
    with pytest.raises(StateError):
        async with leases.alone("a", most_s=60):
            pytest.fail("entered without a lease")
