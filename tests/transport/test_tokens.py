"""The token of one account: issued once, stored before it is used, refreshed ahead of its end."""

import asyncio
from datetime import timedelta

import pytest

from adnet.errors import ServerError
from adnet.transport.events import Meter, metered
from adnet.transport.tokens import Issued

from .tokens_kit import DAY_S, World, settle


@pytest.fixture
def world():
    made = World()
    yield made
    made.state.close()


# ---------------------------------------------------------------------- the first token


async def test_a_hundred_tasks_lead_to_one_issue(world):
    """And all of them get the same token."""
    tokens = world.process()
    found = await asyncio.gather(*(tokens.token() for _ in range(100)))
    assert ({"access-1"}, ["issue"]) == (set(found), world.endpoint.asked)


async def test_the_token_is_stored_before_it_is_used(world):
    """With what it is good for, and when it was given."""
    assert world.stored is None
    access = await world.process().token()
    stored = world.stored
    assert (access, "refresh-1", "read_ads", 1) == (
        stored.access_token, stored.refresh_token, stored.scope, stored.issues,
    )  # fmt: skip
    assert timedelta(seconds=DAY_S) == stored.expires_at - stored.issued_at


async def test_a_refreshed_token_remembers_when_it_was_issued(world):
    """However often it is refreshed."""
    began = world.clock.now()
    for _ in range(3):
        await world.process().token()
        world.clock.advance(DAY_S)
    stored = world.stored
    assert (began, began + timedelta(seconds=2 * DAY_S), 2) == (
        stored.granted_at, stored.issued_at, stored.refreshes,
    )  # fmt: skip


async def test_a_second_process_takes_what_the_first_has_stored(world):
    """It asks for nothing."""
    await world.process().token()
    assert await world.process().token() == "access-1"
    assert world.endpoint.asked == ["issue"]


async def test_a_process_waits_for_the_one_that_is_issuing(world):
    """Two that start together take one slot."""
    world.endpoint.open.clear()
    first, second = (asyncio.ensure_future(world.process().token()) for _ in range(2))
    await settle()
    world.endpoint.open.set()
    assert (await first, await second) == ("access-1", "access-1")
    assert world.endpoint.asked == ["issue"]


async def test_no_token_is_ever_shown(world):
    """The scrubber knows both, and no repr has them."""
    tokens = world.process()
    await tokens.token()
    assert world.scrubber.text("x access-1 y, x refresh-1 y") == "x *** y, x *** y"
    assert "access-1" not in repr(tokens) + repr(Issued(access_token="access-1"))


async def test_the_time_spent_on_tokens_is_metered(world):
    """So that a slow endpoint can be told from slow limits."""
    meter = Meter()
    world.endpoint.open.clear()
    with metered(meter):
        task = asyncio.ensure_future(world.process().token())
    await settle()
    world.clock.advance(2.0)
    world.endpoint.open.set()
    await task
    assert meter.token_s == pytest.approx(2.0, abs=0.2)


# ---------------------------------------------------------------------- ahead of the end


@pytest.mark.parametrize(("life_s", "margin_s"), [(DAY_S, 1800.0), (600.0, 60.0), (3.0, 0.3)])
async def test_the_margin_shrinks_with_the_lifetime(life_s, margin_s):
    """Half an hour, or the last tenth of a shorter life."""
    world = World(life_s=life_s)
    tokens = world.process()
    await tokens.token()
    world.clock.advance(life_s - margin_s - 0.01)
    await tokens.token()
    await settle()
    assert world.endpoint.asked == ["issue"]
    world.clock.advance(0.02)
    await tokens.token()
    await settle()
    assert world.endpoint.asked == ["issue", "refresh"]
    world.state.close()


async def test_all_go_on_with_the_valid_token_while_it_is_refreshed(world):
    """Nobody waits for an endpoint that takes its time."""
    tokens, other = world.process(), world.process()
    await tokens.token()
    await other.token()
    world.endpoint.open.clear()
    world.clock.advance(DAY_S - 1000)
    found = await asyncio.gather(*(source.token() for source in (tokens, other) for _ in range(20)))
    await settle()
    assert ({"access-1"}, ["issue", "refresh"]) == (set(found), world.endpoint.asked)
    world.endpoint.open.set()
    await tokens.close()
    assert await tokens.token() == "access-2"


async def test_another_process_finds_the_refreshed_token_by_itself(world):
    """It looks into the store before it asks, so that an expiry is one refresh however many there are."""
    processes = [world.process() for _ in range(4)]
    for tokens in processes:
        await tokens.token()
    world.clock.advance(DAY_S - 1000)
    for tokens in processes:
        await tokens.token()
        await tokens.close()
        world.clock.advance(2)
    assert {"access-2"} == {await tokens.token() for tokens in processes}
    assert world.endpoint.asked == ["issue", "refresh"]


async def test_a_refresh_that_fails_ahead_hurts_nobody(world):
    """The token still works; the endpoint is left alone for a moment."""
    tokens = world.process()
    await tokens.token()
    world.endpoint.fails = [ServerError("down")]
    world.clock.advance(DAY_S - 1000)
    for _ in range(5):
        assert await tokens.token() == "access-1"
        await settle()
    world.clock.advance(6)
    await tokens.token()
    await tokens.close()
    assert (await tokens.token(), world.endpoint.asked) == ("access-3", ["issue", "refresh", "refresh"])


async def test_a_token_that_has_ended_is_waited_for(world):
    """It is of no use to anybody."""
    tokens = world.process()
    await tokens.token()
    world.clock.advance(DAY_S)
    assert await tokens.token() == "access-2"


@pytest.mark.parametrize("life_s", [None])
async def test_a_token_whose_end_is_not_known_is_used_until_it_is_refused(life_s):
    """``expires_in`` may be null."""
    world = World(life_s=life_s)
    tokens = world.process()
    await tokens.token()
    world.clock.advance(40 * DAY_S)
    assert await tokens.token() == "access-1"
    assert tokens.refused("access-1", "expired_token")
    assert await tokens.token() == "access-2"
    world.state.close()


async def test_a_refresh_keeps_the_refresh_token_where_the_network_does(world):
    """And counts as a refresh, not as an issue."""
    tokens = world.process()
    await tokens.token()
    world.clock.advance(DAY_S)
    await tokens.token()
    stored = world.stored
    assert (stored.refresh_token, stored.refreshes, stored.issues) == ("refresh-1", 1, 1)


async def test_a_rotated_refresh_token_replaces_the_old_one():
    """What the endpoint gives is what is stored."""
    world = World(rotates=True)
    tokens = world.process()
    await tokens.token()
    world.clock.advance(DAY_S)
    await tokens.token()
    assert world.stored.refresh_token == "refresh-2"
    world.state.close()
