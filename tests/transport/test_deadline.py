"""One deadline, however deep the call."""

import asyncio

import pytest

from adnet.transport.deadline import current_deadline, deadline


def test_a_deadline_holds_inside_its_block(clock):
    """And is gone after it."""
    clock.advance(5)
    with deadline(clock, 10) as until:
        assert until == current_deadline() == 15.0
    assert current_deadline() is None


def test_a_farther_deadline_does_not_widen_a_nearer_one(clock):
    """A nearer one narrows, for its own block."""
    with deadline(clock, 10):
        with deadline(clock, 100) as until:
            assert until == 10.0
        with deadline(clock, 1):
            assert current_deadline() == 1.0
        assert current_deadline() == 10.0


async def test_tasks_started_inside_inherit_it(clock):
    """Those started outside do not."""

    async def look() -> float | None:
        return current_deadline()

    outside = asyncio.create_task(look())
    with deadline(clock, 10):
        assert await asyncio.create_task(look()) == 10.0
    assert await outside is None


async def test_it_ends_with_an_error_too(clock):
    """The next call is not bound by it."""
    with pytest.raises(KeyError), deadline(clock, 10):
        raise KeyError
    assert current_deadline() is None
