"""A client of the Adskeeper imitation that knows nothing but HTTP, for the tests beside it."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aiohttp
import attrs

from adnet.sandbox._adskeeper_state import Campaign, Teaser
from adnet.sandbox.adskeeper import AdskeeperSandbox

NOW = datetime(2026, 9, 15, 18, tzinfo=UTC)
TODAY = "2026-09-15"
CAMPAIGNS, TEASERS = "/goodhits/clients/{C}/campaigns", "/goodhits/clients/{C}/teasers"


@attrs.frozen
class Reply:
    status: int
    kind: str
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text, parse_float=Decimal)


@attrs.frozen
class Caller:
    """Speaks to one sandbox; `{C}` in a path is the client's id."""

    sandbox: AdskeeperSandbox
    session: aiohttp.ClientSession

    async def send(self, method: str, path: str, **options: Any) -> Reply:
        url = self.sandbox.base_url + path.replace("{C}", self.sandbox.credentials["client_id"])
        async with self.session.request(method, url, **options) as reply:
            return Reply(reply.status, reply.content_type, await reply.text())

    async def get(self, path: str, **query: Any) -> Any:
        return (await self.send("GET", path, params=query)).json

    async def patch(self, path: str, **form: Any) -> Any:
        return (await self.send("PATCH", path, data=form)).json

    async def put(self, path: str, **query: Any) -> Any:
        return (await self.send("PUT", path, params=query)).json

    async def post(self, path: str, **form: Any) -> Any:
        return (await self.send("POST", path, data=form)).json

    def campaign(self, test: Callable[[Campaign], bool] = lambda _: True) -> Campaign:
        """Return the first seeded campaign of that kind."""
        return next(row for row in self.sandbox.account.campaigns.values() if test(row))

    def teaser(self, test: Callable[[Teaser], bool] = lambda _: True) -> Teaser:
        """Return the first seeded teaser of that kind."""
        return next(row for row in self.sandbox.account.teasers.values() if test(row))


@asynccontextmanager
async def calling(**knobs: Any) -> AsyncIterator[Caller]:
    """Start a sandbox of 120 campaigns, unless *knobs* say otherwise, with a client let in."""
    sandbox = AdskeeperSandbox(**{"campaigns": 120, "days": 95, "now": lambda: NOW, **knobs})
    headers = {"Authorization": f"Bearer {sandbox.credentials['token']}"}
    async with sandbox, aiohttp.ClientSession(headers=headers) as session:
        yield Caller(sandbox, session)


def refusal(*codes: str) -> dict[str, list[str]]:
    """Return the body that refuses with *codes*."""
    return {"errors": [f"[{code}]" for code in codes]}


def path_of(row: Campaign) -> str:
    """Return the path of one campaign."""
    return f"{CAMPAIGNS}/{row.id}"


def plain(caller: Caller) -> Campaign:
    """Return a running campaign by widgets whose filters are off."""
    return caller.campaign(
        lambda row: (
            not (row.by_sources or row.dsp)
            and (row.widgets_type, row.type, row.status) == ("off", "product", 7)
        )
    )
