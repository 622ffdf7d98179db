"""The clock of the machine, and the virtual one that tests own."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from adnet.clock import SystemClock
from adnet.testing import FakeClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_the_system_clock_is_aware_and_never_goes_back():
    """Instants are UTC; yielding takes no time worth speaking of."""
    clock = SystemClock()
    before, instant = clock.monotonic(), clock.now()
    await clock.sleep(-1)
    assert instant.utcoffset() == timedelta(0)
    assert 0 <= clock.monotonic() - before < 1
    assert abs((datetime.now(UTC) - instant).total_seconds()) < 60
    assert repr(clock) == "SystemClock()"


async def test_the_system_clock_waits():
    """A hundredth of a second, at least."""
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0.01)
    assert clock.monotonic() - before >= 0.0099


async def test_virtual_time_jumps_to_the_next_sleeper_when_nobody_works():
    """Sleepers wake in the order of their deadlines, each at its own instant."""
    clock, woken = FakeClock(NOON), []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    await asyncio.gather(*map(sleeper, (86_400, 1, 60)))
    assert woken == [(1, 1.0), (60, 60.0), (86_400, 86_400.0)]
    assert clock.now() == NOON + timedelta(days=1)
    assert clock.slept == [86_400, 1, 60]


async def test_virtual_time_stands_still_while_somebody_works():
    """A task that only yields keeps the clock from jumping."""
    clock = FakeClock()
    sleeper = asyncio.create_task(clock.sleep(5))
    for _ in range(100):
        await asyncio.sleep(0)
    assert (clock.monotonic(), sleeper.done()) == (0.0, False)
    await sleeper
    assert clock.monotonic() == 5.0


async def test_a_clock_moved_by_hand_wakes_whom_it_passes():
    """Without ``auto`` only ``advance`` moves time."""
    clock = FakeClock(auto=False)
    short, long = asyncio.create_task(clock.sleep(1)), asyncio.create_task(clock.sleep(3))
    await asyncio.sleep(0.01)
    assert (clock.monotonic(), clock.sleeping) == (0.0, 2)
    clock.advance(2)
    await short
    assert (clock.sleeping, long.done()) == (1, False)
    clock.advance(1)
    await long


async def test_a_cancelled_sleeper_is_forgotten():
    """Time does not move for somebody who is gone."""
    clock = FakeClock()
    gone = asyncio.create_task(clock.sleep(1000))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    await clock.sleep(1)
    assert (clock.monotonic(), clock.sleeping) == (1.0, 0)


async def test_yielding_is_no_sleep():
    """Zero and less give way to others and leave no trace."""
    clock = FakeClock()
    await clock.sleep(0)
    await clock.sleep(-1)
    assert (clock.slept, clock.monotonic()) == ([], 0.0)


async def test_an_answer_that_is_a_little_late_comes_before_a_long_leap():
    """A deadline of 45 s does not pass while the kernel has an answer in hand."""
    clock, order = FakeClock(), []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        order.append(seconds)

    async def asking() -> None:
        await clock.sleep(1)
        answered = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.0005, answered.set_result, None)
        await answered
        order.append("answer")

    await asyncio.gather(sleeper(45), asking())
    assert order == ["answer", 45]


async def test_grace_lets_threads_finish_before_time_jumps():
    """A thread's work is not seen by the loop; with a grace the clock waits for it."""
    clock = FakeClock(grace_s=0.05)
    order = []

    async def work() -> None:
        await asyncio.to_thread(order.append, "thread")
        await asyncio.to_thread(order.append, "thread again")

    async def sleep() -> None:
        await clock.sleep(60)
        order.append("clock")

    await asyncio.gather(sleep(), work())
    assert order == ["thread", "thread again", "clock"]


def test_one_clock_serves_several_loops():
    """Fixtures may outlive an event loop."""
    clock = FakeClock()
    for _ in range(2):
        asyncio.run(clock.sleep(2))
    assert clock.monotonic() == 4.0


def test_time_has_a_zone_and_a_direction():
    """A naive start and a step back are mistakes."""
    with pytest.raises(ValueError, match="time zone"):
        FakeClock(datetime(2026, 3, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="back"):
        FakeClock().advance(-1)
    assert repr(FakeClock(NOON)) == "FakeClock(2026-03-01T12:00:00+00:00, 0 sleeping)"
