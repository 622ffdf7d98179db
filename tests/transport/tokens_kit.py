"""A token endpoint that counts, and a state with as many processes on it as a test wants."""

import asyncio

from adnet.redact import Scrubber
from adnet.state import State
from adnet.state.owners import Owners
from adnet.state.tokens import LeaseLostError, StoredToken
from adnet.testing import FakeClock
from adnet.transport.tokens import Issued, OAuthTokens

DAY_S = 86400.0


class Endpoint:
    """A token endpoint that counts, answers in order, and can be held up."""

    def __init__(self, *, life_s: float | None = DAY_S, rotates: bool = False) -> None:
        self.life_s = life_s
        self.rotates = rotates
        self.asked: list[str] = []
        self.fails: list[BaseException] = []
        self.unknown: set[str] = set()
        self.open = asyncio.Event()
        self.open.set()

    async def issue(self, *, deadline: float) -> Issued:
        return await self._answer("issue")

    async def refresh(self, refresh_token: str, *, deadline: float) -> Issued | None:
        if refresh_token in self.unknown:
            self.asked.append("unknown")
            return None
        return await self._answer("refresh")

    async def _answer(self, what: str) -> Issued:
        self.asked.append(what)
        await self.open.wait()
        if self.fails:
            raise self.fails.pop(0)
        number = len(self.asked)
        first = what == "issue" or self.rotates
        return Issued(
            access_token=f"access-{number}",
            refresh_token=f"refresh-{number}" if first else None,
            expires_in_s=self.life_s,
            scope="read_ads",
        )


class World:
    """One state, one clock, and as many processes on it as a test wants."""

    def __init__(self, **endpoint) -> None:
        self.clock = FakeClock()
        self.state = State.open(clock=self.clock)
        self.endpoint = Endpoint(**endpoint)
        self.scrubber = Scrubber()

    def process(self, *, credentials: str = "secret-1") -> OAuthTokens:
        return OAuthTokens(
            key="shop",
            owner=Owners(None).me,
            store=self.state.tokens,
            make=StoredToken,
            replaced=LeaseLostError,
            grant=self.endpoint,
            clock=self.clock,
            scrubber=self.scrubber,
            credentials=credentials,
        )

    @property
    def stored(self) -> StoredToken | None:
        return self.state.tokens.load("shop")


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)
