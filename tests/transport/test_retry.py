"""When a request is sent again."""

import itertools

import pytest

from adnet.errors import (
    AccessDeniedError,
    AdnetError,
    ConnectError,
    DecodeError,
    IncompleteBodyError,
    LostReplyError,
    NotFoundError,
    QuotaExhaustedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TokenExpiredError,
    TransportError,
)
from adnet.transport.retry import Retrier, RetryPolicy, waits
from adnet.transport.wire import Request, Response

from .conftest import READ, WRITE

GOOD = Response(status=200, url="https://api.example/x")


def refused(**details: object) -> RateLimitError:
    """Return a 429."""
    return RateLimitError("slow down", status=429, **details)


class Line:
    """Something to send on: raises or returns each item in turn, and counts."""

    def __init__(self, *replies: AdnetError | Response) -> None:
        self.replies = itertools.chain(replies, itertools.repeat(replies[-1]))
        self.sent = 0

    async def __call__(self, request: Request) -> Response:
        self.sent += 1
        reply = next(self.replies)
        if isinstance(reply, AdnetError):
            raise reply
        return reply


async def run(
    line: Line, clock, route=READ, *, policy: RetryPolicy | None = None, deadline: float | None = None
):
    """Send one request with retries."""
    request = Request(route=route, url="https://api.example/x", deadline=deadline)
    return await Retrier(policy or RetryPolicy(), clock).run(line, request)


@pytest.mark.parametrize(
    "error", [ConnectError("x"), RequestTimeoutError("x"), IncompleteBodyError("x"), TransportError("x"),
              ServerError("x", status=500), refused(), refused(retry_after_s=3.0)], ids=repr,
)  # fmt: skip
async def test_a_read_is_sent_again_after_a_temporary_error(error, clock):
    """Until it works."""
    line = Line(error, error, GOOD)
    assert await run(line, clock) is GOOD
    assert line.sent == 3


@pytest.mark.parametrize(
    "error", [NotFoundError("x"), AccessDeniedError("x"), QuotaExhaustedError("x"), DecodeError("x"),
              RateLimitError("our own limiter")], ids=repr,
)  # fmt: skip
async def test_what_is_not_temporary_or_is_our_own_refusal_is_not_sent_again(error, clock):
    """The same call would fail the same way."""
    line = Line(error)
    with pytest.raises(type(error)) as caught:
        await run(line, clock)
    assert (caught.value, line.sent, clock.slept) == (error, 1, [])


@pytest.mark.parametrize(
    "error", [RequestTimeoutError("x"), IncompleteBodyError("x"), TransportError("reset")], ids=repr
)
async def test_a_write_whose_reply_was_lost_is_never_sent_again(error, clock):
    """It may have been executed; the error says so and keeps its cause."""
    line = Line(error)
    with pytest.raises(LostReplyError, match="may have been executed") as caught:
        await run(line, clock, WRITE)
    assert (line.sent, caught.value.temporary, caught.value.__cause__) == (1, False, error)


@pytest.mark.parametrize(
    "error", [ConnectError("x"), refused(), refused(retry_after_s=2.0), TokenExpiredError("x", status=401),
              RequestTimeoutError("x", sent=False)], ids=repr,
)  # fmt: skip
async def test_a_write_that_was_not_executed_is_sent_again(error, clock):
    """Nothing was connected, nothing was sent, or the server refused before executing."""
    line = Line(error, GOOD)
    assert await run(line, clock, WRITE) is GOOD


async def test_a_write_is_not_sent_again_after_a_server_error(clock):
    """A 500 may come after the work was done: whoever asks the error is told not to repeat it either."""
    line = Line(ServerError("x", status=500))
    with pytest.raises(ServerError) as caught:
        await run(line, clock, WRITE)
    assert (line.sent, caught.value.temporary) == (1, False)
    assert "it may have been executed, and is not sent again" in caught.value.__notes__


async def test_another_token_is_tried_once_and_at_once(clock):
    """A second 401 is final."""
    line = Line(TokenExpiredError("x", status=401))
    with pytest.raises(TokenExpiredError):
        await run(line, clock)
    assert (line.sent, clock.slept) == (2, [])


async def test_a_new_token_does_not_use_up_other_retries(clock):
    """An expired token in the middle of trouble is one attempt among others."""
    line = Line(ServerError("x"), TokenExpiredError("x"), ServerError("x"), GOOD)
    assert await run(line, clock) is GOOD


async def test_the_same_error_rises_with_what_was_tried(clock):
    """Attempts and seconds; no wrapper hides its class."""
    errors = [ServerError(str(number), status=503) for number in range(3)]
    with pytest.raises(ServerError) as caught:
        await run(Line(*errors), clock, policy=RetryPolicy(attempts=3))
    assert caught.value is errors[2]
    assert (caught.value.attempts, caught.value.waited_s) == (3, pytest.approx(sum(clock.slept)))
    assert str(caught.value) == f"2 (HTTP 503, 3 attempts, waited {sum(clock.slept):.1f} s)"


async def test_the_server_is_given_the_time_it_asks_for(clock):
    """Exactly, instead of our own waiting time."""
    await run(Line(ServerError("x", retry_after_s=7.0), refused(retry_after_s=11.0), GOOD), clock)
    assert clock.slept == [7.0, 11.0]


async def test_a_server_that_asks_for_too_much_is_not_waited_for(clock):
    """Retry-After of a week rises at once and says so."""
    line = Line(refused(retry_after_s=604_800.0))
    with pytest.raises(RateLimitError) as caught:
        await run(line, clock)
    assert (line.sent, clock.slept, caught.value.retry_after_s) == (1, [], 604_800.0)


async def test_nobody_waits_beyond_the_deadline(clock):
    """The error rises while there is still time to tell it."""
    line = Line(ServerError("x", retry_after_s=4.0))
    with pytest.raises(ServerError):
        await run(line, clock, deadline=10.0)
    assert (line.sent, clock.monotonic()) == (3, 8.0)


async def test_retries_are_a_small_share_of_what_is_sent(clock):
    """A host that is down gets the reserve and then a fifth more, however many ask."""
    line = Line(ServerError("down"))
    retrier = Retrier(RetryPolicy(attempts=5, budget_share=0.2, budget_reserve=10), clock)
    request = Request(route=READ, url="https://api.example/x")
    for _ in range(200):
        with pytest.raises(ServerError):
            await retrier.run(line, request)
    assert 200 + 40 <= line.sent <= 200 + 40 + 10
    notes = next(line.replies).__notes__
    assert "not tried again: too many requests to this host have failed already" in notes


@pytest.mark.parametrize(
    ("error", "deadline"), [(refused(retry_after_s=9999.0), None), (ServerError("x", retry_after_s=9.0), 5.0)]
)
async def test_what_is_not_tried_again_uses_up_no_retries(error, deadline, clock):
    """Those are for who may wait."""
    retrier = Retrier(RetryPolicy(budget_share=0.0, budget_reserve=1), clock)
    late = Request(route=READ, url="https://api.example/x", deadline=deadline)
    for _ in range(3):
        with pytest.raises(type(error)):
            await retrier.run(Line(error), late)
    request = Request(route=READ, url="https://api.example/x")
    assert await retrier.run(Line(ServerError("x"), GOOD), request) is GOOD


async def test_every_retry_is_told_before_its_wait(clock):
    """With the number of the attempt that failed and the wait to come."""
    told = []
    retrier = Retrier(
        RetryPolicy(), clock, lambda request, error, attempt, wait: told.append((attempt, wait))
    )
    await retrier.run(Line(ServerError("x"), ServerError("y", retry_after_s=3.0), GOOD),
                      Request(route=READ, url="https://api.example/x"))  # fmt: skip
    assert [attempt for attempt, _ in told] == [1, 2]
    assert [wait for _, wait in told if wait] == clock.slept


def test_waits_are_jittered_below_a_doubling_bound():
    """From the first bound up to the longest."""
    policy = RetryPolicy(first_s=0.5, longest_s=4.0)
    bounds = [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    series = [list(itertools.islice(waits(policy), 6)) for _ in range(200)]
    assert all(0 <= wait <= bound for found in series for wait, bound in zip(found, bounds, strict=True))
    assert [
        max(column) > 0.8 * bound for column, bound in zip(zip(*series, strict=True), bounds, strict=True)
    ] == [True] * 6
    assert len({found[5] for found in series}) > 100
