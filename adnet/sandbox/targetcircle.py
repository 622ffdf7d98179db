"""
An imitation of Target Circle's publisher API, with all its eleven operations.

Made from the Target Circle publisher API gist (2016) alone. Where it is
silent, this server says 400, 404 and text, as its documented errors are text.
The account's rows are chosen in `_targetcircle_account`, the life of a report is in
`_targetcircle_reports`.
"""

import asyncio
import itertools
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Literal

import msgspec
from aiohttp import web

from adnet.sandbox import _targetcircle_filters as filters
from adnet.sandbox import _targetcircle_rows as rows
from adnet.sandbox._targetcircle_account import RESOURCES, Account
from adnet.sandbox._targetcircle_data import Ledger
from adnet.sandbox._targetcircle_reports import (
    IN_PROGRESS,
    READY,
    Report,
    envelope,
    fresh_token,
    links,
)
from adnet.sandbox.base import Sandbox, encode, json_reply, random_of
from adnet.sandbox.faults import COMMON_FAULTS

__all__ = ["TargetCircleSandbox"]

MOST_DIGITS = 9
FOREIGN_ORIGIN = "http://127.0.0.2:9"
_TOKEN_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"  # noqa: S105


class TargetCircleSandbox(Sandbox):
    """
    A Target Circle account of about 60 offers and 40 transactions a day.

    Its own faults: `failed` (the report ends FAILED), `evicted` (a READY
    report is forgotten at page 2 or later), `dirty-json` (a comma behind the
    last row), `foreign-location` (the 202 points at another origin), `shrink`
    (`pagesNumber` is one less on a later page), `repeat` (a later page shows
    the page before it).

    Args:
        seed: Decides every row, the token and every strike.
        faults: Fault name -> rate, 0 to 1.
        now: The present; ages statuses if *restate*.
        slow_s: How long the fault `slow` holds an answer back.
        ready_after_s: When a report becomes READY, in seconds after the POST; or a
            function of its resource and its number, counted from 1.
        polls_until_ready: If given, so many polls say IN_PROGRESS, whatever the time.
        ttl_s: How long after the POST a report is kept, in seconds.
        page_size: Rows a page, with *limit_semantics* "cap".
        limit_semantics: What `limit` bounds: "cap" the whole report, "page" one page.
        typos: Whether `commision`, `commisionType` and `catergory` are spelled so.
        placeholder_links: Whether an IN_PROGRESS reply links to pages that need not exist.
        per_day: Transactions on an ordinary day, on average; the 11th has ten times as many.
        restate: Whether the status of a transaction changes with time.
        order: How a report's transactions and clicks are ordered in time.
        extra_second: An ISO instant and how many more transactions it has.
        sub_ids: If given, most clicks have one of these first, e.g. ids of campaigns elsewhere that they come from.
    """

    network: ClassVar[str] = "targetcircle"
    base_path: ClassVar[str] = "/api"
    fault_names: ClassVar[frozenset[str]] = COMMON_FAULTS | {
        "failed",
        "evicted",
        "dirty-json",
        "foreign-location",
        "shrink",
        "repeat",
    }

    reports: dict[str, Report]
    """The reports kept, by id; tests may look and change."""

    def __init__(
        self,
        *,
        seed: int = 7,
        faults: Mapping[str, float] | None = None,
        now: Callable[[], datetime] | None = None,
        slow_s: float = 0.3,
        ready_after_s: float | Callable[[str, int], float] = 0.05,
        polls_until_ready: int | None = None,
        ttl_s: float = 600,
        page_size: int = 10,
        limit_semantics: Literal["cap", "page"] = "cap",
        typos: bool = True,
        placeholder_links: bool = True,
        per_day: float = 40,
        restate: bool = False,
        order: Literal["asc", "desc", "shuffled"] = "asc",
        extra_second: tuple[str, int] | None = None,
        sub_ids: Sequence[str] = (),
    ) -> None:
        super().__init__(seed=seed, faults=faults, now=now, slow_s=slow_s)
        token = random_of(self.network, seed, "token").choices(_TOKEN_LETTERS, k=32)
        self.credentials = {"token": "".join(token)}
        self.account_options = {"currency": "EUR"}
        self.ready_after_s = ready_after_s
        self.polls_until_ready = polls_until_ready
        self.ttl_s = ttl_s
        self.page_size = page_size
        self.limit_semantics = limit_semantics
        self.placeholder_links = placeholder_links
        self.reports = {}
        self._numbers = itertools.count(1)
        self._account = Account(
            Ledger(seed, per_day, _extra(extra_second), sub_ids),
            now=self.now if restate else None,
            typos=typos,
            order=order,
        )

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the eleven operations, two of them for each of the three reports."""
        name = "{resource:" + "|".join(RESOURCES) + "}"
        return [
            web.post(f"/api/{name}", self._post_report),
            web.get(f"/api/{name}/{{id}}", self._get_page),
            web.get("/api/offers", self._get_offers),
            web.get("/api/offers/{slug}", self._get_offer),
            web.get("/api/offers/{slug}/ads", self._get_ads),
            web.get("/api/codes", self._get_codes),
            web.post("/api/codes/{type}", self._post_codes),
        ]

    def authorize(self, request: web.Request) -> web.Response | None:
        """Return a 401 that echoes the token given, as the real one does."""
        token = request.headers.get("X-Api-Token", "null")
        if token == self.credentials["token"]:
            return None
        # Bytes that are no UTF-8 cannot be told back as text.
        echo = token.encode(errors="replace").decode()
        return web.Response(status=401, text=f"No valid account with token = {echo}")

    def truth(
        self, resource: str, since: date | None = None, until: date | None = None
    ) -> list[dict[str, Any]]:
        """
        Return all rows of `transactions`, `clicks`, `trades` or `offers`.

        Transactions are in the account's currency. The period is needed for
        transactions and clicks, and means nothing for the others.

        Raises:
            LookupError: There is no such resource.
            ValueError: A period is needed and not given.
        """
        return self._account.truth(resource, since, until)

    def evict(self) -> None:
        """Forget every report, as a restarted server does."""
        self.reports.clear()

    # The three reports.

    async def _post_report(self, request: web.Request) -> web.Response:
        resource = request.match_info["resource"]
        payload = await _payload(request)
        filters.check_fields(resource, payload)
        limit, size = filters.limit_of(payload), self.page_size
        if self.limit_semantics == "page":
            limit, size = 0, limit
        # A long period takes a while to make up; other requests go on meanwhile.
        made = await asyncio.to_thread(self._account.report, resource, payload, limit or None)
        report = self._keep(resource, made, size)
        foreign = FOREIGN_ORIGIN if self.faults.strikes("foreign-location") else ""
        return web.Response(status=202, headers={"Location": f"{foreign}{report.path}?page=1"})

    def _keep(self, resource: str, made: list[bytes], size: int) -> Report:
        at = time.monotonic()
        for stale in [report for report in self.reports.values() if report.expires_at <= at]:
            del self.reports[stale.id]
        wait, number = self.ready_after_s, next(self._numbers)
        report = Report(
            id=str(uuid.uuid4()),
            resource=resource,
            rows=made,
            page_size=size,
            ready_at=at + (wait(resource, number) if callable(wait) else wait),
            polls_left=self.polls_until_ready,
            expires_at=at + self.ttl_s,
            fails=self.faults.strikes("failed"),
        )
        self.reports[report.id] = report
        return report

    async def _get_page(self, request: web.Request) -> web.Response:
        report = self.reports.get(request.match_info["id"])
        at = time.monotonic()
        if report is None or report.path != request.path or report.expires_at <= at:
            raise web.HTTPNotFound(text="Report not found")
        page = request.query.get("page", "")
        if not page.isdecimal() or len(page) > MOST_DIGITS:
            raise web.HTTPBadRequest(text="Parameter page is required")
        status = report.poll(at)
        if status == READY:
            return self._ready(report, int(page))
        headers = {}
        if status == IN_PROGRESS and self.placeholder_links:
            headers["Location"] = links(report.path, None, 0)
        return json_reply(envelope((), status, 0), headers=headers)

    def _ready(self, report: Report, page: int) -> web.Response:
        if not 1 <= page <= max(report.pages, 1):
            raise web.HTTPBadRequest(text=f"There is no page {page}")
        later, pages, shown = page > 1, report.pages, page
        if later and self.faults.strikes("evicted"):
            del self.reports[report.id]
            raise web.HTTPNotFound(text="Report not found")
        if later and self.faults.strikes("shrink"):
            pages -= 1
        if later and self.faults.strikes("repeat"):
            shown -= 1
        dirty = bool(report.rows) and self.faults.strikes("dirty-json")
        body = envelope(report.page(shown), READY, pages, dirty=dirty)
        return json_reply(body, headers={"Location": links(report.path, page, pages)})

    # The five direct calls.

    async def _get_offers(self, request: web.Request) -> web.Response:
        filters.check_fields("offers", request.query)
        limit = filters.limit_of(request.query)
        found = self._account.offers(request.query, limit)
        return json_reply({"token": fresh_token(), "data": found})

    async def _get_offer(self, request: web.Request) -> web.Response:
        offer = self._account.offer(request.match_info["slug"])
        return json_reply(self._account.details(offer))

    async def _get_ads(self, request: web.Request) -> web.Response:
        offer = self._account.offer(request.match_info["slug"])
        return json_reply([rows.ad_row(ad) for ad in offer.ads])

    async def _get_codes(self, request: web.Request) -> web.Response:
        query = request.query
        filters.check_fields("codes", query)
        trade = self._account.trade(query["offerId"], query["adInventory"])
        labels = {
            name.removeprefix("parameters[").removesuffix("]"): value
            for name, value in query.items()
            if name.startswith("parameters[") and value
        }
        ads = filters.codes_wanted(query, trade.offer.ads)[: filters.limit_of(query)]
        found = [rows.code_row(trade, ad, labels, query.get("deeplink")) for ad in ads]
        return json_reply({"data": found})

    async def _post_codes(self, request: web.Request) -> web.Response:
        kind = request.match_info["type"].upper()
        if kind not in {"BANNER", "TEXT"}:
            raise web.HTTPBadRequest(text="The type must be banner or text")
        order = _code_order(await _payload(request))
        trade = self._account.trade(order.offer, order.ad_inventory)
        ads = {ad.slug: ad for ad in trade.offer.ads}
        for slug in order.ads:
            if slug not in ads:
                raise web.HTTPNotFound(text=f"Ad {slug} not found")
            if ads[slug].kind != kind:
                raise web.HTTPBadRequest(text=f"Ad {slug} is not of type {kind.lower()}")
        made = [rows.made_code(trade, ads[slug]) for slug in order.ads]
        # The vendor escapes every slash.
        return json_reply(encode(made).replace(b"/", b"\\/"))


class _CodeOrder(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    offer: str
    ad_inventory: str
    ads: list[str]


def _code_order(payload: dict[str, Any]) -> _CodeOrder:
    try:
        return msgspec.convert(payload, _CodeOrder)
    except msgspec.ValidationError as error:
        raise web.HTTPBadRequest(text=str(error)) from None


async def _payload(request: web.Request) -> dict[str, Any]:
    try:
        return msgspec.json.decode(await request.read(), type=dict[str, Any])
    except ValueError:
        raise web.HTTPBadRequest(text="The payload must be a JSON object") from None


def _extra(given: tuple[str, int] | None) -> tuple[datetime, int] | None:
    return None if given is None else (datetime.fromisoformat(given[0]).astimezone(UTC), given[1])
