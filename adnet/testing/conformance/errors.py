"""What goes wrong becomes the right rows, or the right class with the right ``temporary``; nothing else rises."""

import socket
from collections import Counter
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

import attrs

from adnet.client import Account
from adnet.errors import (
    AdnetError,
    ApiError,
    AuthenticationError,
    ConnectError,
    IncompleteBodyError,
    OriginError,
    PayloadError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TooLargeError,
    TransportError,
)
from adnet.interface import Capabilities
from adnet.testing.conformance._policy import standard
from adnet.testing.conformance._tools import Listing, Wire, collect, listings, open_account, warm
from adnet.testing.harness import FastClock, Harness
from adnet.transport.retry import RetryPolicy
from adnet.transport.wire import Request, Response

_Classes = type[AdnetError] | tuple[type[AdnetError], ...]
FAULTS: Final[Mapping[str, tuple[_Classes, bool]]] = {
    "408": ((ServerError, RequestTimeoutError), True),
    "429": (RateLimitError, True),
    "500": (ServerError, True),
    "502": (ServerError, True),
    "503": (ServerError, True),
    "badjson": (PayloadError, False),
    "half": (IncompleteBodyError, True),
    "reset": (TransportError, True),
}
"""Fault -> what it is when it does not go away, and whether it is temporary."""

_PASSING: Final = (*(name for name, (_, temporary) in FAULTS.items() if temporary), "slow")
_MANY: Final = 30
SHAPES: Final[Mapping[str, bytes]] = {
    "empty": b"",
    "null": b"null",
    "number": b"7",
    "text": b'"x"',
    "list": b"[]",
    "object": b"{}",
    "list of null": b"[null]",
    "list of lists": b"[[]]",
    "list of objects": b"[{}]",
    "data null": b'{"data":null}',
    "data number": b'{"data":7}',
    "items null": b'{"items":[null],"count":1}',
    "deep": b"[" * 5000 + b"]" * 5000,
    "half": b'{"data":[',
    "page": b"<html><body>We will be back</body></html>",
    "no utf-8": b'{"data":"\xff\xfe"}',
    "nul": b"\x00",
}
"""Bodies that no answer should have."""
_NO_LIST: Final = frozenset(
    {"number", "text", "list of null", "list of lists", "deep", "half", "page", "no utf-8", "nul"}
)
"""Those that cannot mean that there is nothing: who gives no rows for them has lost some."""


def _proving(capabilities: Capabilities) -> bool:
    return capabilities.supports("get_account")


def _passing(capabilities: Capabilities) -> tuple[str, ...]:
    return _PASSING if listings(capabilities) else ()


class Errors:
    """Every common fault, and answers of every wrong kind."""

    @standard(fault=_passing)
    async def test_a_fault_that_passes_is_overcome(self, harness: Harness, fault: str) -> None:
        """A fault that strikes once costs time, and no row, in any list.

        If this fails, look at: ``idempotent`` of the route, and the table of errors.
        """
        account = await harness.account()
        await warm(account)
        for listing in listings(account.capabilities):
            expected = harness.truth(listing.table, *harness.period, listing.level)
            harness.fault(fault)
            rows = await collect(listing.of(account, *harness.period))
            assert len(expected) == len(rows), str(listing)

    @standard(when=_proving, fault=lambda _: tuple(FAULTS))
    async def test_a_fault_that_stays_is_told(self, harness: Harness, fault: str) -> None:
        """A fault that does not go away rises as the right class, with network, operation and temporary.

        If this fails, look at: the table of errors of the connector.
        """
        kind, temporary = FAULTS[fault]
        account = await harness.account()
        await account.get_account()
        harness.fault(*[fault] * _MANY)
        error = await raised_by(account)
        assert isinstance(error, kind), repr(error)
        assert temporary is error.temporary
        assert (account.network, account.name) == (error.network, error.account)
        assert error.operation
        if fault.isdigit():
            assert int(fault) == error.status
        harness.fault()
        assert (await account.get_account()).account_id

    @standard(listing=listings)
    async def test_a_list_that_breaks_off_is_told(self, harness: Harness, listing: Listing) -> None:
        """A list whose last answer never comes raises, and tries no request more often than the policy allows.

        If this fails, look at: an ``except`` around pages, and requests that are repeated past the session.
        """
        account, whole = await open_account(harness)
        await warm(account)
        before = len(whole.sent)
        await collect(listing.of(account, *harness.period))
        for good in {0, len(whole.sent) - before - 1}:
            account, wire = await _answering(
                harness, lambda answer: attrs.evolve(answer, status=500), good=good
            )
            error = await _outcome(listing, account, harness)
            assert isinstance(error, AdnetError), f"after {good} good answers: {error!r}"
            sends = Counter((request.route.method, request.url, request.body) for request in wire.sent[good:])
            assert max(sends.values()) <= RetryPolicy().attempts

    @standard(when=_proving)
    async def test_the_request_id_is_kept(self, harness: Harness) -> None:
        """The request id that the network gives with a refusal is in the error.

        If this fails, look at: errors that are made past the decipherer.
        """
        wire = Wire(
            lambda _, answer: attrs.evolve(answer, headers={**answer.headers, "x-request-id": "r-17"})
        )
        account = await harness.account(transport=wire)
        await account.get_account()
        harness.fault(*["500"] * _MANY)
        error = await raised_by(account)
        assert error.request_id == "r-17"
        assert "r-17" in str(error)

    @standard(when=_proving)
    async def test_no_connection_is_told(self, harness: Harness) -> None:
        """A server that is not there gives ConnectError, which is temporary and names the host.

        If this fails, look at: errors that are caught too early.
        """
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        account = await harness.account(base_url=f"http://127.0.0.1:{port}")
        error = await raised_by(account)
        assert isinstance(error, ConnectError), repr(error)
        assert error.temporary
        assert f"127.0.0.1:{port}" in str(error)

    @standard(when=_proving)
    async def test_an_unknown_refusal_is_no_outage(self, harness: Harness) -> None:
        """A status of the 400s that nobody knows is ApiError: not temporary, and not tried again.

        If this fails, look at: a table that takes all refusals for outages.
        """
        account, wire = await _answering(harness, lambda answer: attrs.evolve(answer, status=418, body=b"no"))
        error = await raised_by(account)
        assert isinstance(error, ApiError), repr(error)
        assert not isinstance(error, ServerError)
        assert (error.temporary, error.status) == (False, 418)
        assert len(wire.sent) == 1

    @standard(when=_proving)
    async def test_credentials_that_end_are_told(self, harness: Harness) -> None:
        """A 401 that stays is AuthenticationError, after one new token at most, and not temporary.

        If this fails, look at: loops around the refreshing of tokens.
        """
        account, _ = await _answering(harness, lambda answer: attrs.evolve(answer, status=401, body=b"no"))
        error = await raised_by(account)
        assert isinstance(error, AuthenticationError), repr(error)
        assert not error.temporary

    @standard(when=_proving)
    async def test_ceilings_are_the_users(self, harness: Harness) -> None:
        """What a server may cost is what the account's ``ceilings`` say.

        If this fails, look at: ``services.ceilings``, which the Session has to be given.
        """
        account, _ = await _answering(
            harness,
            lambda answer: attrs.evolve(answer, body=b"[" * 70 + b"]" * 70),
            ceilings={"json_depth": 60},
        )
        error = await raised_by(account)
        assert isinstance(error, TooLargeError), repr(error)

    @standard(when=_proving)
    async def test_a_redirect_elsewhere_is_refused(self, harness: Harness) -> None:
        """A redirect to another origin is OriginError; nothing is sent there.

        If this fails, look at: an HTTP client that follows redirects.
        """
        away = {"location": "http://127.0.0.2:9/x"}
        account, wire = await _answering(
            harness, lambda answer: attrs.evolve(answer, status=302, headers=away, body=b"")
        )
        error = await raised_by(account)
        assert isinstance(error, OriginError), repr(error)
        assert error.origin == "http://127.0.0.2:9"
        assert [request.url for request in wire.sent if "127.0.0.2" in request.url] == []

    @standard(shape=lambda capabilities: tuple(SHAPES) if listings(capabilities) else ())
    async def test_wrong_answers_raise_nothing_else(self, harness: Harness, shape: str) -> None:
        """Whatever stands in an answer, a list gives rows or a typed error, and tells no secret.

        If this fails, look at: the codec's handling of JSON of another shape.
        """
        clock = FastClock()
        account, _ = await _answering(
            harness, lambda answer: attrs.evolve(answer, status=200, body=SHAPES[shape]), clock=clock
        )
        clock.speed = 20_000.0  # networks whose reports are polled wait for their time-out here
        for listing in listings(account.capabilities):
            error = await _outcome(listing, account, harness)
            assert error is None or isinstance(error, AdnetError), f"{listing}: {error!r}"
            assert error is not None or shape not in _NO_LIST, f"{listing}: taken for a list"

    @standard(listing=listings)
    async def test_half_an_answer_is_told(self, harness: Harness, listing: Listing) -> None:
        """JSON that ends too early is PayloadError that names the operation, not a list that is too short.

        If this fails, look at: errors that are swallowed while reading.
        """
        account = await harness.account()
        await warm(account)
        harness.fault(*["badjson"] * _MANY)
        error = await _outcome(listing, account, harness)
        assert isinstance(error, PayloadError), repr(error)
        assert not error.temporary
        assert error.operation


async def _answering(harness: Harness, change: Any, *, good: int = 0, **options: Any) -> tuple[Account, Wire]:
    """Return an account that is open, all of whose further answers but the first *good* go through *change*."""
    opened, answers = False, count()

    def once_open(_: Request, answer: Response) -> Response:
        changed: Response = change(answer) if opened and next(answers) >= good else answer
        return changed

    account, wire = await open_account(harness, transport=Wire(once_open), **options)
    await warm(account)
    opened = True
    wire.sent.clear()
    return account, wire


async def raised_by(account: Account) -> AdnetError:
    """Return what ``get_account`` raises; it has to be one of our errors."""
    try:
        await account.get_account()
    except AdnetError as error:
        return error
    raise AssertionError("get_account raised nothing")


async def _outcome(listing: Listing, account: Account, harness: Harness) -> BaseException | None:
    try:
        await collect(listing.of(account, *harness.period))
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return error
    return None
