"""The rooms put together."""

import asyncio
from collections import Counter
from functools import partial

import pytest

from adnet.errors import (
    AdnetError,
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    DecodeError,
    LostReplyError,
    NotFoundError,
    OriginError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TokenExpiredError,
)
from adnet.redact import Scrubber
from adnet.testing import FakeClock, ScriptTransport, answer
from adnet.transport.deadline import deadline
from adnet.transport.decipher import Decipherer, Refusal
from adnet.transport.events import Meter, metered
from adnet.transport.limits import Bucket, Limiter, Window
from adnet.transport.retry import Retrier, RetryPolicy
from adnet.transport.session import Session
from adnet.transport.sign import HeaderSigner, StaticToken
from adnet.transport.wire import Route, checked_base_url

from .conftest import READ, WRITE

TOKEN = "t0ken+with/odd=signs"
BASE = "https://api.example/v1"


CHANGE = Route(operation="x.set", method="PUT", path="/x", idempotent=True)


class RenewedToken:
    """A token source with a next token each time one is refused."""

    def __init__(self) -> None:
        self.number = 1

    async def token(self, *, deadline: float | None = None) -> str:
        return f"token-{self.number}"

    def refused(self, token: str, code: str | None) -> bool:
        self.number += token == f"token-{self.number}"
        return True


def session(
    script, clock: FakeClock, *, windows=(), source=None, listeners=(), observers=(), **settings
) -> Session:
    """Return a session whose wire follows *script*."""
    scrubber = Scrubber([TOKEN])
    return Session(
        network="acme",
        account="shop",
        base_url=BASE,
        transport=ScriptTransport(script),
        limiter=Limiter([Bucket("api", windows)], clock=clock, **settings),
        signer=HeaderSigner(source or StaticToken(TOKEN)),
        decipherer=Decipherer(network="acme", scrubber=scrubber, codes={}, now=clock.now),
        clock=clock,
        scrubber=scrubber,
        policy=RetryPolicy(attempts=4),
        listeners=listeners,
        observers=observers,
    )


def expired(response):
    """Read a refusal of a network that says when a token has expired."""
    return Refusal(error=TokenExpiredError if response.status == 401 else None)


def note(seen: list):
    """Return an observer that notes the status and the kind of error of each send."""
    return lambda _, response, error: seen.append((response and response.status, type(error)))


def sent(made: Session) -> list:
    """Return what left, as it was signed."""
    return made._transport.sent


async def test_a_good_answer_comes_back(clock):
    """Signed on the way, below the base URL."""
    made = session([answer(200, {"a": 1})], clock)
    response = await made.send(made.build(READ, query={"q": 1}))
    assert response.body == b'{"a":1}'
    assert [request.url for request in sent(made)] == ["https://api.example/v1/x?q=1"]
    assert sent(made)[0].headers["Authorization"] == f"Bearer {TOKEN}"


async def test_the_rooms_stand_in_their_order(clock):
    """Limit, then sign, then send, then decipher; and all of it anew for each attempt."""
    order = []

    class Source(StaticToken):
        async def token(self, *, deadline=None):
            order.append(("sign", clock.monotonic()))
            return "x"

    def wire(_request):
        order.append(("send", clock.monotonic()))
        return answer(503, headers={"Retry-After": "1"}) if len(order) == 2 else answer()

    made = session(wire, clock, windows=[Window(1, 10.0)], source=Source("x"), observers=[note(order)])
    await made.send(made.build(READ))
    moment = pytest.approx(10, abs=0.2)
    assert order == [
        ("sign", 0.0), ("send", 0.0), (503, ServerError), ("sign", moment), ("send", moment), (200, type(None)),
    ]  # fmt: skip


@pytest.mark.parametrize("route", [READ, WRITE])
@pytest.mark.parametrize(
    "replies",
    [[answer()], [answer(429), answer()], [answer(500)] * 4, [ConnectError("x"), answer()], [answer(401)],
     [RequestTimeoutError("x")] * 4, [answer(404)], [answer(429, headers={"Retry-After": "9999"})]],
    ids=repr,
)  # fmt: skip
async def test_physical_sends_are_limiter_charges(clock, route, replies):
    """Whatever happens, each send is charged and nothing else is."""
    made = session(iter(replies), clock)
    try:
        await made.send(made.build(route))
        attempts = None
    except AdnetError as error:
        attempts = error.attempts
    assert made.limiter.charges == Counter(api=len(sent(made)))
    assert made.meter.requests == len(sent(made))
    assert attempts in {None, len(sent(made))}
    assert made.limiter.state()[0].in_flight == 0


async def test_what_never_left_is_not_charged(clock):
    """No token could be had."""

    class Broken(StaticToken):
        async def token(self, *, deadline=None):
            raise AuthenticationError("no token")

    made = session([], clock, source=Broken("x"))
    with pytest.raises(AuthenticationError) as caught:
        await made.send(made.build(READ))
    assert (made.limiter.charges, caught.value.attempts, sent(made)) == (Counter(api=0), 0, [])


@pytest.mark.parametrize("route", [READ, WRITE])
@pytest.mark.parametrize(
    ("trouble", "kind"),
    [(RequestTimeoutError("no answer"), ConnectError), (ServerError("down", status=503), ConnectError),
     (RateLimitError("slower", status=429), ConnectError), (DecodeError("a page"), DecodeError)],
)  # fmt: skip
async def test_a_token_that_does_not_come_is_no_lost_reply_and_not_asked_for_again(
    clock, route, trouble, kind
):
    """The request was never sent, and who asks for tokens has tried again already."""
    asked = []

    class Down(StaticToken):
        async def token(self, *, deadline=None):
            asked.append(clock.monotonic())
            raise trouble

    made = session([], clock, source=Down("x"))
    with pytest.raises(kind, match=trouble.message) as caught:
        await made.send(made.build(route))
    assert (asked, caught.value.attempts, caught.value.account) == ([0.0], 0, "shop")
    assert not any("executed" in text for text in getattr(caught.value, "__notes__", ()))


LOST, UNREACHED = RequestTimeoutError, ConnectError


@pytest.mark.parametrize(
    ("replies", "told"),
    [([answer(404)], False), ([answer(400)], False), ([answer(401)], False), ([LOST] * 4, True),
     ([UNREACHED] * 4, False), ([UNREACHED, answer(404)], False), ([answer(503)] * 4, True),
     ([LOST, *[UNREACHED] * 3], True), ([answer(502), *[UNREACHED] * 3], True), ([LOST, answer(404)], True),
     ([LOST, answer(401)], True), ([LOST, answer(400)], False), ([answer(429), answer(403)], False),
     ([partial(LOST, sent=False)] * 4, False)],
    ids=repr,
)  # fmt: skip
async def test_an_error_tells_whether_any_send_may_have_been_executed(clock, replies, told):
    """Not the last alone: after a lost reply, one that found no connection says nothing of the first."""
    made = session([one("x") if callable(one) else one for one in replies], clock)
    with pytest.raises(AdnetError) as caught:
        await made.send(made.build(CHANGE))
    assert caught.value.maybe_executed is told


@pytest.mark.parametrize("before", [0, 1])
async def test_what_is_wrong_with_a_token_has_nothing_to_do_with_what_was_sent_before(clock, before):
    """A page in place of a token is no answer to the request, which was sent before or was not."""

    class Running(StaticToken):
        async def token(self, *, deadline=None):
            if len(sent(made)) == before:
                raise DecodeError("a page")
            return await super().token(deadline=deadline)

    made = session([LOST("x")], clock, source=Running("x"))
    with pytest.raises(DecodeError) as caught:
        await made.send(made.build(CHANGE))
    assert (caught.value.attempts, caught.value.maybe_executed) == (before, bool(before))


async def test_a_refused_token_is_renewed_once(clock):
    """A hundred tasks with the same old token renew it once and all go on."""
    source = RenewedToken()

    async def wire(request):
        await asyncio.sleep(0)
        good = request.headers["Authorization"] == "Bearer token-2"
        return answer() if good else answer(401)

    made = session(wire, clock, source=source)
    made._decipherer = Decipherer(network="acme", scrubber=made.scrubber, read=expired)
    await asyncio.gather(*(made.send(made.build(WRITE)) for _ in range(100)))
    assert (source.number, len(sent(made))) == (2, 200)


async def test_a_token_that_cannot_be_renewed_is_final(clock):
    """The error is no longer temporary, and one request was sent."""
    made = session([answer(401)], clock)
    made._decipherer = Decipherer(network="acme", scrubber=made.scrubber, read=expired)
    with pytest.raises(TokenExpiredError) as caught:
        await made.send(made.build(READ))
    assert (caught.value.temporary, len(sent(made))) == (False, 1)


@pytest.mark.parametrize(
    "url", ["https://evil.example/v1/x", "http://api.example/v1/x", "https://api.example:8443/x",
            "https://me@api.example/x", "https://api.example.evil/x", "//api.example/x", "http://[::1"],
)  # fmt: skip
async def test_another_origin_gets_nothing(clock, url):
    """No request, no credential, not even a charge."""
    made = session([], clock)
    request = made.build(READ)
    with pytest.raises(OriginError) as caught:
        await made.send(type(request)(route=READ, url=url))
    assert (sent(made), made.limiter.charges, caught.value.attempts) == ([], Counter(api=0), 0)
    assert caught.value.account == "shop"


async def test_the_own_origin_is_told_in_any_spelling(clock):
    """Case and the default port make no difference."""
    made = session([], clock)
    assert made.check_origin("https://API.example:443/v2") == "https://API.example:443/v2"


async def test_errors_say_where_they_come_from(clock):
    """Network, account, operation, status and attempts."""
    made = session([answer(404, body=b"no such thing")], clock)
    with pytest.raises(NotFoundError) as caught:
        await made.send(made.build(READ))
    assert str(caught.value) == "shop x.get: no such thing (HTTP 404)"
    assert (caught.value.network, caught.value.attempts) == ("acme", 1)


async def test_reading_an_answer_names_the_operation_too(clock):
    """Errors that rise after the answer came."""
    made = session([], clock)
    with pytest.raises(NotFoundError, match=r"shop x\.get: no"), made.reading(READ):
        raise NotFoundError("no")


def test_a_clean_answer_repeats_no_secret(clock):
    """Rows and their ``raw`` are made of it; one that tells none is not copied."""
    made = session([], clock)
    told = made.clean(answer(200, body=f'{{"for":"{TOKEN}","n":1.50}}'.encode()))
    assert (told.status, told.body) == (200, b'{"for":"***","n":1.50}')
    quiet = answer(200, body=b'{"n":1.50}')
    assert made.clean(quiet) is quiet


def test_what_cannot_be_cleaned_is_told_as_what_it_is(clock):
    """A page mentions cookies often enough: it is a page all the same, and the remedy is another base_url."""
    with pytest.raises(DecodeError, match="a page, not JSON; check base_url"):
        session([], clock).clean(answer(200, body=b"<html>We like cookies</html>"))


async def test_a_limiters_refusal_is_told_with_no_attempt(clock):
    """Nothing was sent, and nobody waited."""
    made = session([answer()], clock, windows=[Window(1, 3600.0)], max_wait_s=10)
    await made.send(made.build(READ))
    with pytest.raises(RateLimitError) as caught:
        await made.send(made.build(READ))
    assert (caught.value.attempts, caught.value.status, clock.slept) == (0, None, [])
    assert caught.value.free_at is not None


async def test_a_429_closes_the_limiter_for_everybody(clock):
    """The next caller waits as well."""
    made = session([answer(429, headers={"Retry-After": "5"}), answer(), answer()], clock)
    first = asyncio.create_task(made.send(made.build(READ)))
    await asyncio.sleep(0)
    await made.send(made.build(READ))
    await first
    assert clock.monotonic() == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_asks_for_no_wait_at_all_is_given_one(clock, status):
    """Its second has a fraction, which it cuts off: within a moment all attempts would be used up."""

    def wire(_request):
        return answer(status, headers={"Retry-After": "0"}) if clock.monotonic() < 0.2 else answer()

    made = session(wire, clock)
    made._retrier = Retrier(RetryPolicy(first_s=2.0), clock)
    assert (await made.send(made.build(READ))).status == 200
    assert clock.monotonic() > 0.2


async def test_one_deadline_bounds_attempts_and_timeouts(clock):
    """Each attempt gets what is left, and no more."""

    async def wire(_request):
        await clock.sleep(2)
        return answer(503, headers={"Retry-After": "1"})

    made = session(wire, clock)
    with deadline(clock, 10), pytest.raises(ServerError):
        await made.send(made.build(READ))
    assert made._transport.timeouts == [10, 7, 4, 1]
    assert clock.monotonic() <= 11


async def test_nothing_is_sent_when_no_time_is_left(clock):
    """And a write is not called lost."""
    made = session([], clock)

    class Slow(StaticToken):
        async def token(self, *, deadline=None):
            await clock.sleep(5)
            return "x"

    made._signer = HeaderSigner(Slow("x"))
    with deadline(clock, 3), pytest.raises(RequestTimeoutError, match="nothing was sent") as caught:
        await made.send(made.build(WRITE))
    assert (caught.value.attempts, made.limiter.charges) == (0, Counter(api=0))


async def test_cancelling_leaves_no_place_behind(clock):
    """Neither while waiting for the limit nor on the wire."""
    gate = asyncio.Event()

    async def wire(_request):
        await gate.wait()
        return answer()

    made = session(wire, clock, windows=[Window(1, 60.0)])
    tasks = [asyncio.create_task(made.send(made.build(READ))) for _ in range(3)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    state = made.limiter.state()[0]
    assert (state.in_flight, state.queued, made.limiter.charges["api"]) == (0, 0, 1)


async def test_listeners_hear_everything_and_no_secret(clock):
    """Sent, answered, waited, retried, failed; targets and errors scrubbed."""
    events = []
    made = session([answer(503, body=f"{TOKEN} is slow".encode()), answer(400, body=f'"token": "{TOKEN}"'.encode())],
                   clock, listeners=[events.append], windows=[Window(1, 5.0)])  # fmt: skip
    with pytest.raises(AdnetError) as caught:
        await made.send(made.build(READ, query={"token": TOKEN, "q": "1"}))
    assert [event.kind for event in events] == [
        "sent", "answered", "retried", "waited", "sent", "answered", "failed",
    ]  # fmt: skip
    assert {event.target for event in events} == {"/v1/x?token=***&q=1"}
    told = (
        repr(events)
        + str(caught.value)
        + repr(vars(caught.value))
        + repr(getattr(caught.value, "__notes__", ()))
        + repr(made)
    )
    assert "t0ken" not in told


async def test_meters_count_what_it_cost(clock):
    """The session's own, and that of the stretch of work."""

    async def wire(_request):
        await clock.sleep(0.5)
        return answer(200, body=b"12345")

    made, meter = session(wire, clock, windows=[Window(1, 10.0)]), Meter()
    with metered(meter):
        await made.send(made.build(READ))
        await made.send(made.build(READ))
        with made.reading(READ):
            clock.advance(0.25)
    assert (meter.requests, meter.bytes, meter.server_s, meter.decode_s) == (2, 10, 1.0, 0.25)
    assert meter.limit_s == pytest.approx(9.5, abs=0.2)
    assert made.meter == meter


async def test_observers_see_every_physical_send(clock):
    """With its answer, or the error instead of one."""
    seen = []
    made = session([ConnectError("x"), answer(500), answer()], clock, observers=[note(seen)])
    await made.send(made.build(READ))
    assert seen == [(None, ConnectError), (500, ServerError), (200, type(None))]


async def test_observers_see_what_was_cancelled_on_its_way(clock):
    """It has left and counts against the network's limits, whatever came of it."""
    seen, left = [], asyncio.Event()

    async def never(_request):
        left.set()
        await asyncio.Event().wait()

    made = session(never, clock, observers=[note(seen)])
    task = asyncio.create_task(made.send(made.build(WRITE)))
    await left.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == [(None, type(None))]


async def test_a_lost_reply_is_told_as_such(clock):
    """With the operation, and after one send."""
    made = session([RequestTimeoutError("no answer")], clock)
    with pytest.raises(LostReplyError, match=r"shop x\.add: the reply was lost \(no answer\)") as caught:
        await made.send(made.build(WRITE))
    assert caught.value.attempts == 1


async def test_closing_closes_the_wire(clock):
    """The session owns its transport."""
    made = session([], clock)
    await made.close()
    assert made._transport.closed


@pytest.mark.parametrize(
    ("url", "clean"),
    [("https://api.example/v1/", "https://api.example/v1"), ("https://h", "https://h"),
     ("http://localhost:8080/v1", "http://localhost:8080/v1"), ("http://127.0.0.1:1", "http://127.0.0.1:1"),
     ("http://127.9.9.9/", "http://127.9.9.9"), ("http://[::1]:9/v1", "http://[::1]:9/v1")],
)  # fmt: skip
def test_a_base_url_is_https_or_loopback(url, clean):
    """Without a trailing slash."""
    assert checked_base_url(url) == clean


@pytest.mark.parametrize(
    "url", ["", "api.example", "ftp://h/", "https://", "https:///x", "http://api.example", "http://127.evil.example",
            "http://localhost.evil.example", "http://10.0.0.1", "https://h:port/", "https://[::1", "https://h/?q=1",
            "https://h/#f", "https://me:geheim@h/", "https://:geheim@h/", "htp://me:geheim@h", "me:geheim@h",
            "https://me:geheim@h:port", "HTTP://API.example", "https://a..b", "https://" + "x" * 64, None,
            "https://h/v1 ", " https://h/v1", "https://h/v1\n", "https://h/v 1", "https://h/v1/\u200b"],
)  # fmt: skip
def test_another_base_url_is_refused_without_quoting_a_password(url):
    """Credentials never travel in the clear, nor stand in a URL."""
    with pytest.raises(ConfigurationError, match="base_url") as caught:
        checked_base_url(url)
    assert "geheim" not in str(caught.value)


async def test_who_waited_for_a_token_leaves_within_the_limits(clock):
    """Requests are charged when they leave, and not when they began to wait for a token."""
    left = []

    class Slow(StaticToken):
        async def token(self, *, deadline=None):
            await clock.sleep(10 - clock.monotonic())  # issued at 10 s, at once from then on
            return "x"

    def wire(_request):
        left.append(clock.monotonic())
        return answer()

    made = session(wire, clock, windows=[Window(4, 1.0)], source=Slow("x"))
    await asyncio.gather(*(made.send(made.build(READ)) for _ in range(40)))
    assert max(sum(at <= other < at + 1 for other in left) for at in left) <= 4
    assert made.limiter.charges == Counter(api=40)
