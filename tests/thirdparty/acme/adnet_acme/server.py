"""An imitation of Acme Ads, from its invented document alone."""

from datetime import date
from typing import Any, ClassVar

from aiohttp import web

from adnet.sandbox.base import Sandbox, days, json_reply, random_of, secret

PAGE = 10
CAMPAIGNS = [
    {
        "id": f"c{number}",
        "name": f"Campaign {number}",
        "status": "off" if number % 3 == 0 else "on",
        "cents": number * 1234,
        "since": f"2025-01-{number:02}",
    }
    for number in range(1, 26)
]


def figures(day: date) -> list[dict[str, Any]]:
    """Return what happened on a day to every fifth campaign; nothing before 2020 and after 2030."""
    if not 2020 <= day.year <= 2030:
        return []
    chance = random_of("acme", day)
    return [
        {
            "day": str(day),
            "campaign": row["id"],
            "shows": chance.randint(100, 999),
            "clicks": chance.randint(0, 99),
            "cents": chance.randint(0, 9_999),
        }
        for row in CAMPAIGNS[::5]
    ]


class AcmeServer(Sandbox):
    """Acme Ads with 25 campaigns."""

    network: ClassVar[str] = "acme"
    base_path: ClassVar[str] = "/v1"

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.credentials = {"key": secret("acme", self.seed)}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/me", self._me),
            web.get("/v1/campaigns", self._campaigns),
            web.get("/v1/campaigns/{id}", self._campaign),
            web.get("/v1/stats", self._stats),
        ]

    def truth(
        self, resource: str, since: date | None = None, until: date | None = None
    ) -> list[dict[str, Any]]:
        if resource == "campaigns":
            return CAMPAIGNS
        return [row for day in days(since or date.min, until or date.max) for row in figures(day)]

    def authorize(self, request: web.Request) -> web.Response | None:
        known = request.headers.get("X-Key") == self.credentials["key"]
        return None if known else web.Response(status=401, text=f"unknown key {request.headers.get('X-Key')}")

    async def _me(self, _: web.Request) -> web.Response:
        return json_reply({"id": "a1", "currency": "NOK"})

    async def _campaigns(self, request: web.Request) -> web.Response:
        start = (int(request.query["page"]) - 1) * PAGE
        return json_reply(CAMPAIGNS[start : start + PAGE])

    async def _campaign(self, request: web.Request) -> web.Response:
        for row in CAMPAIGNS:
            if row["id"] == request.match_info["id"]:
                return json_reply(row)
        return web.Response(status=404, text="no such campaign")

    async def _stats(self, request: web.Request) -> web.Response:
        return json_reply(figures(date.fromisoformat(request.query["day"])))
