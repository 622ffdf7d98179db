"""What these tests share: a sandbox with an account on it, or a script in place of a network."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import attrs

import adnet
from adnet.client import Account
from adnet.connectors.adskeeper.connector import Adskeeper
from adnet.redact import Scrubber
from adnet.sandbox.adskeeper import AdskeeperSandbox, MgidSandbox
from adnet.sandbox.base import LoggedRequest
from adnet.state import State
from adnet.testing.fakes import FakeClock, ScriptTransport, answer
from adnet.transport.wire import Response

NOW = datetime(2026, 9, 15, 18, tzinfo=UTC)
SINCE, UNTIL = date(2026, 9, 1), date(2026, 9, 4)
TOKEN = "tok-0123456789abcdef0123456789ab"
GIVEN = {"client_id": "123", "token": TOKEN}
WIDE = {"api": "10000/s", "login": "10000/s"}


@attrs.frozen
class Home:
    """A sandbox and an account on it."""

    sandbox: AdskeeperSandbox
    account: Account

    @property
    def native(self) -> Any:
        return self.account.native

    @property
    def connector(self) -> Adskeeper:
        found = self.account.connector
        assert isinstance(found, Adskeeper)
        return found

    def sent(self, method: str | None = None, path: str = "") -> list[LoggedRequest]:
        """Return the logged requests of a method whose path ends so."""
        return [r for r in self.sandbox.log if method in {None, r.method} and r.path.endswith(path)]

    @property
    def writes(self) -> list[LoggedRequest]:
        return [request for request in self.sandbox.log if request.method != "GET"]

    def campaign(self, test: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the first seeded campaign of that kind."""
        return next(row for row in self.sandbox.account.campaigns.values() if test(row))

    def teaser(self, test: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the first seeded teaser of that kind."""
        return next(row for row in self.sandbox.account.teasers.values() if test(row))


@asynccontextmanager
async def home(*, options: dict[str, Any] | None = None, **knobs: Any) -> AsyncIterator[Home]:
    """Start a sandbox of 60 campaigns, unless *knobs* say otherwise, with an account on it."""
    made = MgidSandbox if knobs.pop("mgid", False) else AdskeeperSandbox
    sandbox = made(**{"campaigns": 60, "days": 30, "now": lambda: NOW, **knobs})
    async with sandbox:
        given: dict[str, Any] = {"limits": WIDE, "clock": FakeClock(NOW, grace_s=0.02), **sandbox.credentials}
        async with adnet.connect(
            sandbox.network, base_url=sandbox.base_url, **(given | (options or {}))
        ) as account:
            yield Home(sandbox, account)


def known_state(network: str = "adskeeper", *, zone: str = "America/Los_Angeles", **given: Any) -> State:
    """Return a state that knows the account's time zone and currency, so that opening asks nothing."""
    state = State.open(None)
    account = adnet.connect(network, state=state, **(GIVEN | given))
    state.facts.put(account.account_id, "time_zone", zone)
    state.facts.put(account.account_id, "currency", "USD")
    return state


@asynccontextmanager
async def scripted(
    *replies: Any, clock: FakeClock | None = None, **options: Any
) -> AsyncIterator[tuple[Account, ScriptTransport]]:
    """Give an account whose network answers from a script: JSON values, Responses or exceptions."""
    made = [reply if _is_reply(reply) else answer(200, reply) for reply in replies]
    wire = ScriptTransport(made)
    given = {**GIVEN, "clock": clock or FakeClock(NOW), "limits": WIDE, **options}
    with known_state() as state:
        async with adnet.connect("adskeeper", transport=wire, state=state, **given) as account:
            yield account, wire


def _is_reply(value: Any) -> bool:
    return isinstance(value, Response | BaseException) or callable(value)


async def rows(source: Any) -> list[Any]:
    """Return all rows of a list."""
    return [row async for row in source]


def total(found: Iterable[Any], name: str) -> Decimal:
    """Return the sum of one column; money by its amount."""
    values = (getattr(row, name) for row in found)
    return sum((getattr(value, "amount", value) for value in values if value is not None), Decimal(0))


SCRUBBER = Scrubber()
