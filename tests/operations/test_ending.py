"""Iterators inside iterators."""

import asyncio

import pytest

from adnet.operations.ending import ending


async def numbers(ended):
    try:
        for number in range(9):
            yield number
    finally:
        ended.append("inner")


async def twice(ended):
    async with ending(numbers(ended)) as source:
        async for number in source:
            yield 2 * number


async def test_whoever_stops_early_stops_those_inside():
    """At once, and not when they are collected."""
    ended = []
    rows = twice(ended)
    assert [await anext(rows), await anext(rows)] == [0, 2]
    await rows.aclose()
    assert ended == ["inner"]


async def test_what_cannot_be_ended_is_left_alone():
    """An iterator of a third party may be no generator."""

    class Plain:
        def __aiter__(self):
            return self

        async def __anext__(self):
            raise StopAsyncIteration

    async with ending(Plain()) as source:
        assert [row async for row in source] == []


@pytest.mark.filterwarnings("error")
def test_a_list_that_is_held_over_the_end_of_its_loop_prints_nothing(caplog):
    """The loop closes generators in no order."""
    ended, held = [], []

    async def read():
        held.append(rows := twice(ended))
        await anext(rows)

    asyncio.run(read())
    assert (ended, [record.message for record in caplog.records]) == (["inner"], [])
