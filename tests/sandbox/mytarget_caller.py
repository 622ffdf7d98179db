"""A client of the myTarget imitation that knows nothing but HTTP, for the tests beside it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import attrs

from adnet.sandbox.mytarget import MytargetSandbox, VkadsSandbox

NOW = datetime(2026, 9, 15, 9, 30, 0, tzinfo=UTC)
TODAY = "2026-09-15"
DRAFT = {"name": "Boots", "status": "blocked", "package_id": 811, "price": 5.4}


@attrs.define
class Hands:
    """A clock that stands still until it is moved."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@attrs.frozen
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The code of the nested envelope."""
        return self.json["error"]["code"]

    @property
    def fields(self) -> dict[str, Any]:
        return self.json["error"]["fields"]


@attrs.define
class Caller:
    """Speaks to one sandbox with the token of one account."""

    sandbox: MytargetSandbox
    session: aiohttp.ClientSession
    hands: Hands
    token: str = ""

    async def send(self, method: str, path: str, **options: Any) -> Reply:
        """Send to a path under /api/v2/, or to an absolute one."""
        url = self.sandbox.base_url + (path if path.startswith("/") else f"/api/v2/{path}")
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        async with self.session.request(
            method, url, headers=headers, allow_redirects=False, **options
        ) as reply:
            return Reply(reply.status, dict(reply.headers), await reply.text())

    async def get(self, path: str, **query: Any) -> Reply:
        return await self.send("GET", path, params=query)

    async def post(self, path: str, body: Any = None) -> Reply:
        return await self.send("POST", path, json=body)

    async def delete(self, path: str) -> Reply:
        return await self.send("DELETE", path)

    async def oauth(self, path: str = "token", **form: Any) -> Reply:
        """Send a form to an OAuth endpoint, with the client's own credentials."""
        filled = {**self.sandbox.credentials, **form}
        data = {name: value for name, value in filled.items() if value is not None}
        return await self.send("POST", f"oauth2/{path}.json", data=data)

    async def upload(self, path: str, content: bytes, name: str = "f.txt", **parts: Any) -> Reply:
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name, content_type="application/octet-stream")
        for part, value in parts.items():
            text = value if isinstance(value, str) else json.dumps(value)
            form.add_field(part, text)
        return await self.send("POST", path, data=form)

    def as_user(self, user_id: int) -> "Caller":
        """Return a caller with a token of another account."""
        token = self.sandbox.grant(user_id)["access_token"]
        return attrs.evolve(self, token=token)

    def first(self, resource: str, **wanted: Any) -> dict[str, Any]:
        """Return the first row of the truth that has these values."""
        rows = self.sandbox.truth(resource)
        return next(row for row in rows if all(row[k] == v for k, v in wanted.items()))


@asynccontextmanager
async def calling(*, vk: bool = False, **knobs: Any) -> AsyncIterator[Caller]:
    """Start a small sandbox on a standing clock, with a token of the main account."""
    hands = Hands()
    small = {"campaigns": 60, "banners": 180, "limits": "none", "now": hands}
    sandbox = (VkadsSandbox if vk else MytargetSandbox)(**{**small, **knobs})
    async with sandbox, aiohttp.ClientSession() as session:
        yield Caller(sandbox, session, hands, sandbox.grant()["access_token"])


def ids(reply) -> list[int]:
    return [item["id"] for item in reply.json["items"]]


async def banner_draft(call: Caller) -> dict:
    url = call.first("urls")["id"]
    return {
        "name": "B1",
        "urls": {"primary": {"id": url}},
        "textblocks": {"title_25": {"text": "Warm boots"}},
    }
