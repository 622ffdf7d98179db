"""Signing, and one call for many callers."""

import asyncio

import pytest

from adnet.errors import ConnectError, RequestTimeoutError, ServerError
from adnet.transport.deadline import current_deadline, deadline
from adnet.transport.sign import HeaderSigner, NoSigner, SingleFlight, StaticToken
from adnet.transport.wire import Request

from .conftest import READ

REQUEST = Request(route=READ, url="https://api.example/x", headers={"Accept": "a"})


async def test_the_token_stands_in_the_header():
    """Beside the headers that were there; the request given is left alone."""
    signed = await HeaderSigner(StaticToken("geheim")).sign(REQUEST)
    assert signed.headers == {"Accept": "a", "Authorization": "Bearer geheim"}
    assert REQUEST.headers == {"Accept": "a"}


async def test_header_and_prefix_are_the_networks():
    """Some want the bare token in a header of their own."""
    signed = await HeaderSigner(StaticToken("geheim"), header="X-Api-Token", prefix="").sign(REQUEST)
    assert signed.headers["X-Api-Token"] == "geheim"


async def test_a_refusal_tells_the_source_which_token():
    """Without the prefix."""
    told = []

    class Source(StaticToken):
        def refused(self, token, code):
            told.append((token, code))
            return True

    signer = HeaderSigner(Source("geheim"))
    assert signer.refused(await signer.sign(REQUEST), "expired")
    assert told == [("geheim", "expired")]


async def test_a_static_token_has_no_successor():
    """And neither has no token."""
    assert not StaticToken("geheim").refused("geheim", None)
    assert await NoSigner().sign(REQUEST) is REQUEST
    assert not NoSigner().refused(REQUEST, None)


def test_no_repr_shows_the_token():
    """Neither the source's nor the signer's."""
    assert "geheim" not in repr(HeaderSigner(StaticToken("geheim")))


async def test_many_callers_share_one_call():
    """And the next caller starts a new one."""
    calls, flight = [], SingleFlight()

    async def call() -> str:
        calls.append(1)
        await asyncio.sleep(0)
        return f"token {len(calls)}"

    assert await asyncio.gather(*(flight.run(call) for _ in range(100))) == ["token 1"] * 100
    assert await flight.run(call) == "token 2"


async def test_a_caller_that_goes_does_not_take_the_call_along():
    """The others still get its result."""
    gate, flight = asyncio.Event(), SingleFlight()

    async def call() -> str:
        await gate.wait()
        return "token"

    first, second = (asyncio.create_task(flight.run(call)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    gate.set()
    assert await second == "token"
    assert first.cancelled()


async def test_each_caller_waits_as_long_as_its_own_deadline(clock):
    """The call has none: neither that of whoever was first, nor that of one who came later."""

    async def call() -> str:
        await clock.sleep(10)
        return f"token, until {current_deadline()}"

    async def ask(seconds: float) -> str:
        with deadline(clock, seconds) as until:
            return await flight.run(call, deadline=until)

    flight = SingleFlight(clock)
    first, patient, last = await asyncio.gather(ask(3), ask(60), ask(5), return_exceptions=True)
    assert patient == "token, until None"
    for error in (first, last):
        assert isinstance(error, RequestTimeoutError)
        assert not error.sent


async def test_each_caller_gets_an_error_of_its_own():
    """Each writes its own context into it, and its own notes."""

    async def call() -> str:
        error = ServerError("down", status=503)
        error.add_note("after 5 attempts")
        raise error

    flight = SingleFlight()
    one, other = await asyncio.gather(flight.run(call), flight.run(call), return_exceptions=True)
    one.add_context(operation="x.get").add_note("mine")
    assert (str(other), other.__notes__) == ("down (HTTP 503)", ["after 5 attempts"])


async def test_every_caller_gets_the_failure_and_the_next_tries_anew():
    """A failure is not remembered."""
    flight, outcomes = SingleFlight(), [OSError("down"), None]

    async def call() -> str:
        await asyncio.sleep(0)
        if error := outcomes.pop(0):
            raise error
        return "token"

    results = await asyncio.gather(*(flight.run(call) for _ in range(3)), return_exceptions=True)
    assert [str(result) for result in results] == ["down"] * 3
    assert await flight.run(call) == "token"


async def test_closing_cancels_a_call_under_way():
    """And leaves no task behind; who waits hears why, and is not cancelled along with it."""
    flight = SingleFlight()
    never = asyncio.Event()
    waiting = [asyncio.create_task(flight.run(never.wait, deadline=until)) for until in (None, 1e9, None)]
    await asyncio.sleep(0)
    waiting[2].cancel()
    await flight.close()
    for one in waiting[:2]:
        with pytest.raises(ConnectError, match="the account is closed"):
            await one
    with pytest.raises(asyncio.CancelledError):
        await waiting[2]
    await SingleFlight().close()
    await asyncio.sleep(0)  # cancelled alarms end
    assert asyncio.all_tasks() == {asyncio.current_task()}
