"""Refused tokens, refusals of the endpoint, revoked accounts, and a state that fails: no storm, and no lost token."""

import asyncio
from datetime import timedelta

import pytest

from adnet.errors import (
    AdnetError,
    AuthenticationError,
    ConnectError,
    RequestTimeoutError,
    ServerError,
    StateError,
    TokenLimitError,
    TokenRevokedError,
)
from adnet.redact import Scrubber
from adnet.state import State
from adnet.state.owners import Owners
from adnet.state.tokens import LeaseLostError, StoredToken
from adnet.testing import FakeClock
from adnet.transport.tokens import Issued, OAuthTokens

from .tokens_kit import DAY_S, Endpoint, World, settle


@pytest.fixture
def world():
    made = World()
    yield made
    made.state.close()


# ---------------------------------------------------------------------- refused tokens


async def test_a_refused_token_is_looked_up_in_the_store_first(world):
    """Another process may have replaced it: nothing is asked then."""
    tokens = world.process()
    await tokens.token()
    world.state.tokens.save("shop", StoredToken(access_token="newer", issued_at=world.clock.now()))
    assert tokens.refused("access-1", "invalid_token")
    assert (await tokens.token(), world.endpoint.asked) == ("newer", ["issue"])


@pytest.mark.parametrize("code", ["expired_token", "invalid_token"])
async def test_a_token_that_is_refused_everywhere_is_refreshed_once(world, code):
    """However many requests it has cost."""
    tokens = world.process()
    await tokens.token()
    world.clock.advance(DAY_S / 2)
    assert all(tokens.refused("access-1", code) for _ in range(10))
    found = await asyncio.gather(*(tokens.token() for _ in range(10)))
    assert ({"access-2"}, ["issue", "refresh"]) == (set(found), world.endpoint.asked)


async def test_a_late_refusal_of_an_old_token_asks_for_nothing(world):
    """Its successor is there already."""
    tokens = world.process()
    await tokens.token()
    tokens.refused("access-1", "invalid_token")
    await tokens.token()
    assert tokens.refused("access-1", "invalid_token")
    assert (await tokens.token(), world.endpoint.asked) == ("access-2", ["issue", "refresh"])


async def test_an_unknown_refresh_token_leads_to_a_new_issue(world):
    """As after a month without use, or a kill in the middle of a rotation."""
    tokens = world.process()
    await tokens.token()
    world.endpoint.unknown.add("refresh-1")
    world.clock.advance(DAY_S)
    assert await tokens.token() == "access-3"
    assert (world.endpoint.asked, world.stored.issues) == (["issue", "unknown", "issue"], 2)


async def test_a_network_that_refuses_its_own_new_tokens_is_not_stormed(world):
    """The second refusal in a row of a token just given is final, for a minute."""
    tokens = world.process()
    await tokens.token()
    assert tokens.refused("access-1", "expired_token")
    await tokens.token()
    assert not tokens.refused("access-2", "expired_token")
    for _ in range(5):
        with pytest.raises(AuthenticationError, match="just given"):
            await tokens.token()
    assert world.endpoint.asked == ["issue", "refresh"]
    world.clock.advance(61)
    assert await tokens.token() == "access-3"


async def test_tokens_of_a_clock_that_was_set_back_are_not_taken_for_new(world):
    """They seem to be of tomorrow, and have ended: neither says that the network has gone mad."""
    tokens, tomorrow = world.process(), world.clock.now() + timedelta(days=1)
    end = tomorrow + timedelta(minutes=10)
    for word in ("one", "two"):
        world.state.tokens.save("shop", StoredToken(access_token=word, issued_at=tomorrow, expires_at=end))
        assert await tokens.token() == word
        assert tokens.refused(word, "expired_token")
    assert (await tokens.token(), world.endpoint.asked) == ("access-1", ["issue"])


async def test_a_network_that_gives_a_refused_token_again_is_not_stormed(world):
    """It has one token for as long as that lives, and a gateway of its own refused it once."""

    async def same(what):
        world.endpoint.asked.append(what)
        return Issued(access_token="the-one", refresh_token="for-ever", expires_in_s=DAY_S)

    world.endpoint._answer = same
    tokens = world.process()
    await tokens.token()
    world.clock.advance(DAY_S / 2)
    assert tokens.refused("the-one", "invalid_token")
    assert {await tokens.token() for _ in range(10)} == {"the-one"}
    assert world.endpoint.asked == ["issue", "refresh"]
    assert [tokens.refused("the-one", "invalid_token") and await tokens.token() for _ in range(3)] == [
        "the-one", False, False,
    ]  # fmt: skip
    assert world.endpoint.asked == ["issue", "refresh", "refresh"]


# ---------------------------------------------------------------------- refusals of the endpoint


async def test_full_slots_are_remembered_by_all_processes(world):
    """The endpoint is asked once, not once for every request and program."""
    world.endpoint.fails = [TokenLimitError("all slots are taken")]
    for _ in range(3):
        with pytest.raises(TokenLimitError, match="all slots are taken"):
            await world.process().token()
    assert world.endpoint.asked == ["issue"]
    world.clock.advance(3601)
    assert await world.process().token() == "access-2"


async def test_a_refusal_of_credentials_does_not_hold_for_others(world):
    """A corrected secret works at once."""
    world.endpoint.fails = [AuthenticationError("wrong secret", code="invalid_client")]
    for _ in range(2):
        with pytest.raises(AuthenticationError, match="wrong secret") as caught:
            await world.process(credentials="wrong").token()
    assert (caught.value.code, world.endpoint.asked) == ("invalid_client", ["issue"])
    assert await world.process(credentials="right").token() == "access-2"


async def test_an_endpoint_that_is_down_is_no_lost_reply(world):
    """The request itself was never sent, so that a write may be tried again."""
    world.endpoint.fails = [ServerError("502 Bad Gateway")]
    for _ in range(3):
        with pytest.raises(ConnectError, match="nothing was sent"):
            await world.process().token()
    assert world.endpoint.asked == ["issue"]
    world.clock.advance(6)
    assert await world.process().token() == "access-2"


async def test_errors_of_one_flight_are_each_callers_own(world):
    """Each request writes its own context into its error."""
    world.endpoint.fails = [TokenLimitError("full")]
    tokens = world.process()
    found = await asyncio.gather(*(tokens.token() for _ in range(3)), return_exceptions=True)
    assert len({id(error) for error in found}) == 3


# ---------------------------------------------------------------------- revoked


async def test_a_revoked_account_is_stopped_in_all_processes(world):
    """Until a login; nothing is asked meanwhile, however long it takes."""
    tokens, other = world.process(), world.process()
    await tokens.token()
    tokens.revoked("Access token has been revoked")
    world.clock.advance(90 * DAY_S)
    for source in (tokens, other):
        with pytest.raises(TokenRevokedError, match="has been revoked"):
            await source.token()
    assert world.endpoint.asked == ["issue"]
    other.keep(Issued(access_token="granted", refresh_token="anew", expires_in_s=DAY_S))
    assert (await tokens.token(), await other.token()) == ("granted", "granted")


async def test_an_old_refusal_does_not_stop_a_new_login(world):
    """A reply may be late."""
    tokens, other = world.process(), world.process()
    await tokens.token()
    other.keep(Issued(access_token="granted", expires_in_s=DAY_S))
    tokens.revoked("Access token has been revoked")
    assert await world.process().token() == "granted"


async def test_a_token_that_was_removed_here_does_not_come_back(world):
    """Not by a refresh that is under way, either."""
    tokens = world.process()
    await tokens.token()
    world.endpoint.open.clear()
    world.clock.advance(DAY_S)
    waiting = asyncio.ensure_future(tokens.token())
    await settle()
    world.process().forget("removed here")
    world.endpoint.open.set()
    with pytest.raises((TokenRevokedError, StateError)):
        await waiting
    assert world.stored is None
    with pytest.raises(TokenRevokedError, match="removed here"):
        await world.process().token()


async def test_a_token_that_is_being_removed_is_not_replaced(world):
    """Who finds that it is none waits, and is told why there will be no other."""
    tokens, other = world.process(), world.process()
    held = await other.token()
    async with tokens.alone():
        other.refused(held, "invalid_token")
        waiting = asyncio.ensure_future(other.token())
        await settle()
        tokens.forget("removed here")
    await world.clock.sleep(1)
    with pytest.raises(TokenRevokedError, match="removed here"):
        await waiting
    assert (world.stored, world.endpoint.asked) == (None, ["issue"])


async def test_a_token_that_is_being_issued_is_there_before_one_is_alone(world):
    """Removed in between, it would live on at the network, and nobody would have it."""
    tokens, other = world.process(), world.process()
    world.endpoint.open.clear()
    waiting = asyncio.ensure_future(other.token())
    await settle()

    async def remove():
        async with tokens.alone():
            assert world.stored is not None
            tokens.forget("removed here")

    removing = asyncio.ensure_future(remove())
    await settle()
    assert not removing.done()
    world.endpoint.open.set()
    await waiting
    await world.clock.sleep(1)
    await removing
    assert world.stored is None


# ---------------------------------------------------------------------- trouble on the way


async def test_a_state_that_is_locked_costs_no_token(world, monkeypatch):
    """The new token is the only one there is: it is stored as soon as that is possible."""
    save, locked = world.state.tokens.save, [StateError("locked")] * 3

    def sometimes(*args, **options):
        if locked:
            raise locked.pop()
        return save(*args, **options)

    monkeypatch.setattr(world.state.tokens, "save", sometimes)
    assert await world.process().token() == "access-1"
    assert (world.stored.access_token, world.endpoint.asked) == ("access-1", ["issue"])


def refuse(*args, **options):
    """Store nothing."""
    raise StateError("locked")


async def test_a_token_that_could_not_be_stored_is_stored_later(world, monkeypatch):
    """It is not used before that, and no other is asked for."""
    tokens = world.process()
    save = world.state.tokens.save
    monkeypatch.setattr(world.state.tokens, "save", refuse)
    with pytest.raises(StateError):
        await tokens.token()
    monkeypatch.setattr(world.state.tokens, "save", save)
    assert (await tokens.token(), world.endpoint.asked) == ("access-1", ["issue"])


async def test_a_token_that_could_not_be_stored_is_stored_at_the_end_at_the_latest(world, monkeypatch):
    """Else it lives on at the network, takes one of few slots there, and nobody has it."""
    tokens, save = world.process(), world.state.tokens.save
    monkeypatch.setattr(world.state.tokens, "save", refuse)
    with pytest.raises(StateError):
        await tokens.token()
    await tokens.close()
    monkeypatch.setattr(world.state.tokens, "save", save)
    await tokens.close()
    assert world.stored.access_token == "access-1"
    assert (await world.process().token(), world.endpoint.asked) == ("access-1", ["issue"])


async def login_during_a_refresh(world):
    """Return who waits for a refresh during which a login has stored a token."""
    tokens = world.process()
    await tokens.token()
    world.endpoint.open.clear()
    world.clock.advance(DAY_S)
    waiting = asyncio.ensure_future(tokens.token())
    await settle()
    world.process().keep(Issued(access_token="granted", expires_in_s=DAY_S))
    return waiting


async def test_a_newer_token_wins_over_our_own(world):
    """A login in the middle of a refresh counts."""
    waiting = await login_during_a_refresh(world)
    world.endpoint.open.set()
    assert await waiting == "granted"


async def test_a_caller_who_is_cancelled_cancels_nobodys_refresh(world):
    """The others get their token."""
    tokens = world.process()
    world.endpoint.open.clear()
    first, second = (asyncio.ensure_future(tokens.token()) for _ in range(2))
    await settle()
    first.cancel()
    world.endpoint.open.set()
    assert (await second, world.endpoint.asked) == ("access-1", ["issue"])


async def test_nobody_waits_longer_than_the_deadline(world):
    """And the error says that nothing was sent."""
    world.endpoint.open.clear()
    tokens = world.process()
    with pytest.raises(RequestTimeoutError) as caught:
        await tokens.token(deadline=world.clock.monotonic() + 5)
    assert (caught.value.sent, world.clock.monotonic()) == (False, 5.0)
    world.endpoint.open.set()
    assert await tokens.token(deadline=world.clock.monotonic() + 5) == "access-1"


async def test_closing_lets_a_refresh_come_to_its_end(world):
    """Cancelling it could lose the only refresh token that works."""
    tokens = world.process()
    await tokens.token()
    world.endpoint.open.clear()
    world.clock.advance(DAY_S - 1000)
    await tokens.token()
    closing = asyncio.ensure_future(tokens.close())
    await settle()
    assert not closing.done()
    world.endpoint.open.set()
    await closing
    assert world.stored.access_token == "access-2"


async def test_a_process_whose_token_was_revoked_goes_on_with_the_new_login(world):
    """The login may be another process's: `adnet auth login`, while an application runs."""
    tokens, other = world.process(), world.process()
    await tokens.token()
    other.keep(Issued(access_token="granted", expires_in_s=DAY_S))
    tokens.revoked("Access token has been revoked")
    assert await tokens.token() == "granted"


async def test_a_late_refusal_does_not_stop_a_login_that_is_in_use_already(world):
    """A slow request of before the login is refused after it."""
    tokens, other = world.process(), world.process()
    await tokens.token()
    tokens.revoked("Access token has been revoked", "access-1")
    other.keep(Issued(access_token="granted", expires_in_s=DAY_S))
    assert await tokens.token() == "granted"
    tokens.revoked("Access token has been revoked", "access-1")
    assert (await tokens.token(), await world.process().token()) == ("granted", "granted")


async def test_a_refused_refresh_does_not_stop_a_login_that_was_faster(world):
    """What the old refresh token was refused for says nothing about the new one."""
    waiting = await login_during_a_refresh(world)
    world.endpoint.fails = [TokenRevokedError("Access token has been revoked")]
    world.endpoint.open.set()
    assert (await waiting, await world.process().token()) == ("granted", "granted")


async def test_a_failure_of_a_clock_that_was_set_back_holds_no_longer(tmp_path):
    """A machine that starts without a network has, just then, no right time either."""
    fast, right = FakeClock(), FakeClock()
    fast.advance(3 * 3600)
    endpoint = Endpoint()
    endpoint.fails = [ConnectError("cannot connect")]

    def process(state: State, clock: FakeClock) -> OAuthTokens:
        return OAuthTokens(
            key="shop",
            owner=Owners(None).me,
            store=state.tokens,
            make=StoredToken,
            replaced=LeaseLostError,
            grant=endpoint,
            clock=clock,
            scrubber=Scrubber(),
        )

    with State.open(tmp_path / "state.db", clock=fast) as state, pytest.raises(AdnetError):
        await process(state, fast).token()
    with State.open(tmp_path / "state.db", clock=right) as state:
        assert await process(state, right).token() == "access-2"


async def test_a_token_that_could_not_be_stored_does_not_replace_a_newer_login(world, monkeypatch):
    """It is stored later only if nothing else was stored meanwhile."""
    tokens, save = world.process(), world.state.tokens.save
    monkeypatch.setattr(world.state.tokens, "save", refuse)
    with pytest.raises(StateError):
        await tokens.token()
    monkeypatch.setattr(world.state.tokens, "save", save)
    world.process().keep(Issued(access_token="granted", refresh_token="granted-2", expires_in_s=DAY_S))
    assert await tokens.token() == "granted"
    world.clock.advance(DAY_S - 100)  # within the margin: it is refreshed ahead
    await tokens.token()
    await settle()
    assert world.stored.refresh_token == "granted-2"
