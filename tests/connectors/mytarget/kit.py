"""A sandbox and accounts on it, in virtual time."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import attrs

import adnet
from adnet.client import Account
from adnet.connectors.mytarget import MyTarget
from adnet.sandbox.mytarget import MytargetSandbox, VkadsSandbox
from adnet.state import State
from adnet.testing import FakeClock

START = datetime(2026, 9, 15, 9, 30, tzinfo=UTC)
SMALL = {"campaigns": 60, "banners": 180, "limits": "none", "url_check_s": 0, "moderation_s": 0}
BUYER = 70002


@attrs.frozen
class Bench:
    """One sandbox, one state, one clock."""

    sandbox: MytargetSandbox
    state: State
    clock: FakeClock
    stack: AsyncExitStack

    def account(self, name: str = "shop", **options: Any) -> Account:
        """Return an account; further ones share the state."""
        given = {
            "base_url": self.sandbox.base_url,
            "state": self.state,
            "clock": self.clock,
            "name": name,
            **self.sandbox.credentials,
            **options,
        }
        account = adnet.connect(self.sandbox.network, **given)
        self.stack.push_async_callback(account.close)
        return account

    def buyer(self) -> Account:
        """Return an account of another user, who has logged in already."""
        token = self.sandbox.grant(BUYER)
        options = {"grant": "authorization_code", "refresh_token": token["refresh_token"]}
        return self.account("buyer", **options)

    def report(self) -> dict[str, Any]:
        """Return what the server saw of its clients."""
        return self.sandbox.report()

    def first(self, resource: str, **wanted: Any) -> dict[str, Any]:
        """Return the first row of the truth that has these values."""
        rows = self.sandbox.truth(resource)
        return next(row for row in rows if all(row[name] == value for name, value in wanted.items()))


def connector(account: Account) -> MyTarget:
    """Return the connector behind an account."""
    found = account.connector
    assert isinstance(found, MyTarget)
    return found


@asynccontextmanager
async def bench(*, vk: bool = False, state: str | None = None, **knobs: Any) -> AsyncIterator[Bench]:
    """Start a small sandbox in virtual time."""
    clock = FakeClock(START)
    made = (VkadsSandbox if vk else MytargetSandbox)(**{**SMALL, "now": clock.now, **knobs})
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(made)
        room = stack.enter_context(State.open(state, clock=clock))
        yield Bench(made, room, clock, stack)
