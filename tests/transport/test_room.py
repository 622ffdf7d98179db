"""Connections of all accounts together: bounded, and none serves two accounts."""

import asyncio

import pytest

from adnet.transport.room import Guest, Room


class Somebody:
    """A guest that counts how often it had to leave."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.left = 0
        self.sheds = 0
        self.guest = Guest(lambda: self.leave, lambda: self.shed)

    def shed(self) -> None:
        self.sheds += 1

    async def leave(self) -> None:
        self.left += 1

    async def enter(self, times: int = 1) -> None:
        for _ in range(times):
            await self._room.enter(self.guest, 5)

    def go(self, times: int = 1) -> None:
        for _ in range(times):
            self._room.give_back(self.guest)

    async def once(self) -> None:
        await self.enter()
        self.go()


def guests(room: Room, count: int) -> list[Somebody]:
    return [Somebody(room) for _ in range(count)]


async def test_who_rested_longest_leaves_first():
    """And nobody, as long as there is room."""
    room = Room(3, 3)
    first, second, third, fourth = everyone = guests(room, 4)
    for each in (first, second, third, first):
        await each.once()
    assert [each.left for each in everyone] == [0, 0, 0, 0]
    await fourth.once()
    assert [each.left for each in everyone] == [0, 1, 0, 0]
    await second.once()
    assert [each.left for each in everyone] == [0, 1, 1, 0]


async def test_what_rests_beside_what_is_busy_is_given_up_too():
    """After all that rests altogether; else who is never quite at rest would keep as many as it ever had."""
    room = Room(4, 9)
    first, second, third, fourth = everyone = guests(room, 4)
    await first.enter(3)
    first.go(2)
    await second.once()
    await third.enter()
    assert [(each.left, each.sheds) for each in everyone] == [(0, 0), (1, 0), (0, 0), (0, 0)]
    await third.enter()
    assert [(each.left, each.sheds) for each in everyone] == [(0, 1), (1, 0), (0, 0), (0, 0)]
    await fourth.enter(5)  # there is nothing left that anybody could give up
    assert [(each.left, each.sheds) for each in everyone] == [(0, 1), (1, 0), (0, 0), (0, 0)]


async def test_as_many_leave_as_are_in_the_way():
    """One that was busy with two requests has two connections, so that it makes room for two."""
    room = Room(4, 4)
    first, second, third = guests(room, 3)
    await first.enter(2)
    first.go(2)
    await second.once()
    await third.enter(3)
    assert (first.left, second.left) == (1, 0)
    await first.once()
    assert (first.left, second.left, third.left) == (1, 1, 0)


async def test_a_busy_guest_is_never_sent_away():
    """However long it takes: there are more connections for a moment, not more requests."""
    room = Room(2, 3)
    busy, other, third = guests(room, 3)
    await busy.enter(2)
    busy.go()
    for each in (other, third, other):
        await each.once()
    assert (busy.left, other.left, third.left) == (0, 1, 1)


async def test_who_finds_no_place_waits():
    """Until a request of anybody has ended, in order; who is cancelled takes none."""
    room = Room(1, 1)
    first, second, third = guests(room, 3)
    await first.enter()
    cancelled, waiting = (asyncio.create_task(each.enter()) for each in (second, third))
    await asyncio.sleep(0)
    assert not cancelled.done()
    assert not waiting.done()
    cancelled.cancel()
    first.go()
    await waiting
    assert (cancelled.cancelled(), first.left, second.left) == (True, 1, 0)
    third.go()
    await second.once()
    assert third.left == 1


async def test_who_is_cancelled_while_others_leave_takes_no_place():
    """The one that was asked to leave has left all the same."""
    room = Room(1, 1)
    leaving = asyncio.Event()

    async def leave() -> None:
        leaving.set()
        await asyncio.sleep(3600)

    slow, other = Guest(lambda: leave), Somebody(room)
    await room.enter(slow, 5)
    room.give_back(slow)
    entering = asyncio.create_task(other.enter())
    await leaving.wait()
    entering.cancel()
    await asyncio.gather(entering, return_exceptions=True)
    await asyncio.wait_for(other.once(), 5)
    await room.enter(slow, 5)
    assert other.left == 1


async def test_who_has_gone_makes_room_without_a_word():
    """Whoever could close its connections was collected, and they with it."""
    room = Room(1, 1)
    gone, other = Guest(lambda: None), Somebody(room)
    await room.enter(gone, 5)
    room.give_back(gone)
    await other.once()
    await other.once()
    assert (gone.connections, other.left) == (0, 0)


async def test_a_place_is_waited_for_no_longer_than_allowed():
    """Whose time is up takes none; who gets one learns for how long it has waited."""
    room = Room(1, 1)
    first, second, third = guests(room, 3)
    await first.enter()
    with pytest.raises(TimeoutError):
        await room.enter(second.guest, 0.01)
    waiting = asyncio.create_task(room.enter(third.guest, 5))
    await asyncio.sleep(0.01)
    first.go()
    assert 0 < await waiting < 5
    third.go()
    assert await room.enter(second.guest, 0.01) == 0
