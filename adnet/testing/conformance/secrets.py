"""No credential shows: not in any repr, log, error, note or traceback, whatever goes wrong."""

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus

import attrs
import msgspec
import pytest

from adnet.client import Account
from adnet.errors import AdnetError, PayloadError
from adnet.testing.conformance._policy import standard
from adnet.testing.conformance._tools import (
    MISSING,
    Wire,
    collect,
    getters,
    landed_listings,
    listings,
    open_account,
)
from adnet.testing.conformance.errors import FAULTS
from adnet.testing.conformance.identity import secrets_of
from adnet.testing.harness import Harness
from adnet.transport.wire import Request, Response


class Secrets:
    """What is shown about an account."""

    @standard()
    async def test_no_repr_shows_a_secret(self, harness: Harness) -> None:
        """``repr`` and ``str`` of the account, its connector and all their parts hold no credential.

        If this fails, look at: attrs classes that keep a secret without ``repr=False``.
        """
        account = await harness.account()
        await account.open()
        shown = {name: f"{part!r} {part}" for name, part in _parts(account)}
        assert {n: f for n, text in shown.items() if (f := leaks(harness, text))} == {}

    @standard()
    async def test_no_log_shows_a_secret(self, harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
        """Logs of every logger at DEBUG hold no credential, whether things go well or not.

        If this fails, look at: URLs with a token in their query, and bodies that are logged.
        """
        with caplog.at_level(logging.DEBUG):
            await _work(harness)
        assert any(record.name == "adnet" for record in caplog.records), "nothing was logged by adnet"
        shown = [f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in caplog.records]
        assert [text for text in shown if leaks(harness, text)] == []

    @standard()
    async def test_no_error_shows_a_secret(self, harness: Harness) -> None:
        """Errors hold no credential: in text, repr, notes, attributes and tracebacks with their locals.

        If this fails, look at: networks that repeat the token in their refusals; locals that hold a bare token.
        """
        errors = await _work(harness)
        assert errors
        for error in errors:
            assert leaks(harness, _everything(error)) == [], type(error).__name__

    @standard()
    async def test_no_row_shows_a_secret_that_is_told(self, harness: Harness) -> None:
        """A network that repeats a credential in its answers does not get it into ``raw``, nor into what lands.

        If this fails, look at: ``session.clean``, and whatever ``raw`` is made of that did not go through it.
        """
        telling = Wire(_telling(max(secrets_of(harness).values(), key=len)))
        account, wire = await open_account(harness, transport=telling)
        await account.open()
        landed = landed_listings(account.capabilities)
        shown: list[str] = []
        if account.capabilities.supports("get_account"):
            with _refusals_into(shown):
                info: Any = await account.get_account()
                shown.append(info.raw.json())
        for listing in listings(account.capabilities):
            with _refusals_into(shown):
                async for batch in listing.batches(account, *harness.period):
                    shown += [row.raw.json() for row in batch.models()]
                    for table in batch.tables() if listing in landed else ():
                        shown += batch.columns(table, raw=True)["raw"]
        assert wire.changed > 0
        assert [text for text in shown if text and leaks(harness, text)] == []


@contextmanager
def _refusals_into(shown: list[str]) -> Iterator[None]:
    """Take in what a connector says that reads no answer with a key that nobody knows."""
    try:
        yield
    except PayloadError as error:
        shown.append(_everything(error))


def _telling(secret: str) -> Callable[[Request, Response], Response]:
    """Return a change for a Wire that tells *secret* in every JSON object with a text."""

    def told(value: Any) -> Any:
        if isinstance(value, list):
            return [told(item) for item in value]
        if not isinstance(value, dict):
            return value
        more = {"zzz": secret} if any(isinstance(item, str) for item in value.values()) else {}
        return {**{name: told(item) for name, item in value.items()}, **more}

    def change(_: Request, answer: Response) -> Response:
        try:
            body = msgspec.json.encode(told(msgspec.json.decode(answer.body)))
        except msgspec.DecodeError:
            return answer
        return attrs.evolve(answer, body=body)

    return change


def leaks(harness: Harness, text: str) -> list[str]:
    """Return the names of the credentials that stand in *text*, in whatever form."""
    return [
        name
        for name, secret in secrets_of(harness).items()
        if any(
            form in text for form in (secret, quote(secret), quote_plus(secret), secret.replace("/", "\\/"))
        )
    ]


def _parts(account: Account) -> Iterator[tuple[str, Any]]:
    connector = account.connector
    yield "account", account
    yield "native", account.native
    yield "limiter", connector.limiter
    yield "state", account.state
    seen: set[int] = set()
    for name, part in vars(connector).items():
        yield from _inside(f"connector.{name}", part, seen, 2)


def _inside(name: str, part: Any, seen: set[int], depth: int) -> Iterator[tuple[str, Any]]:
    """Yield *part* and what it holds; texts are what they are, and no repr."""
    if id(part) in seen or isinstance(part, str | bytes):
        return
    seen.add(id(part))
    yield name, part
    if depth and hasattr(part, "__dict__"):
        for inner, value in vars(part).items():
            yield from _inside(f"{name}.{inner}", value, seen, depth - 1)


async def _work(harness: Harness) -> list[Exception]:
    """Let an account do everything, well and badly; return what was raised."""
    account = await harness.account()
    errors: list[Exception] = []
    for fault in (None, *FAULTS):
        for listing in listings(account.capabilities):
            if fault:
                harness.fault(*[fault] * 12)
            try:
                await collect(listing.of(account, *harness.period))
            except AdnetError as error:
                errors.append(error)
            harness.fault()
            if fault not in {None, "503"}:
                break  # one fault is enough for all but the first list
    for getter in getters(account.capabilities):
        try:
            await getattr(account, getter)(MISSING)
        except AdnetError as error:
            errors.append(error)
    wrong = await harness.account(**{name: value[:-1] + "_" for name, value in secrets_of(harness).items()})
    try:
        await wrong.get_account()
    except AdnetError as error:
        errors.append(error)
    return errors


def _everything(error: BaseException) -> str:
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    attributes = {name: getattr(error, name) for name in dir(type(error)) if not name.startswith("_")}
    notes = getattr(error, "__notes__", ())
    return f"{error} {error!r} {vars(error)!r} {attributes!r} {notes!r} {''.join(told.format())}"
