"""
An imitation of the Adskeeper advertiser API, and of MGID, which is the same API.

All 41 documented operations, with the documented refusals and the shapes that
were observed in production; where document and observation differ, knobs
switch. Passwords, tokens and campaigns follow from the seed.

Source: Adskeeper advertiser API document; field reports of several open-source
clients. Codes and texts that are invented say so where they stand.
"""

import asyncio
import hmac
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from aiohttp import web

from adnet.sandbox import _adskeeper_campaigns as campaigns_
from adnet.sandbox import _adskeeper_conversions as conversions
from adnet.sandbox import _adskeeper_reports as reports
from adnet.sandbox import _adskeeper_targetings as targetings
from adnet.sandbox import _adskeeper_teasers as teasers
from adnet.sandbox._adskeeper_call import Call, Dialect, Params, Refusal, read_params
from adnet.sandbox._adskeeper_seed import account_secrets, make_account
from adnet.sandbox._adskeeper_state import Account
from adnet.sandbox._adskeeper_truth import TRUTHS
from adnet.sandbox.base import Sandbox, json_reply, secret
from adnet.sandbox.faults import COMMON_FAULTS

__all__ = ["OPERATIONS", "AdskeeperSandbox", "MgidSandbox"]

OPERATIONS = range(1, 42)
"""Numbers of the documented operations, in the document's order."""

_LOGIN = "/v1/auth/token"
_CLIENT = "/v1/goodhits/clients/{client}"
_CAMPAIGN = "/v1/goodhits/campaigns/{campaign}"
_PAGE = "<html><head><title>Maintenance</title></head><body>We will be back</body></html>"

CallHandler = Callable[[Call], Any]

_ROUTES: tuple[tuple[str, str, CallHandler], ...] = (
    ("GET", "/v1/clients/{client}", campaigns_.get_client),
    ("GET", _CLIENT + "/campaigns", campaigns_.list_campaigns),
    ("POST", _CLIENT + "/campaigns", campaigns_.create_campaign),
    ("GET", _CLIENT + "/campaigns/{campaign}", campaigns_.get_campaign),
    ("PATCH", _CLIENT + "/campaigns/{campaign}", campaigns_.patch_campaign),
    ("DELETE", _CLIENT + "/campaigns/{campaign}", campaigns_.delete_campaign),
    ("PUT", _CAMPAIGN + "/utmtracking/", campaigns_.put_utm),
    ("PUT", _CAMPAIGN + "/utmtracking", campaigns_.put_utm),
    ("GET", _CLIENT + "/campaigns-stat", reports.campaigns_stat),
    ("GET", _CLIENT + "/campaigns-video-stat", reports.video_stat),
    ("GET", _CAMPAIGN + "/quality-analysis", reports.quality_analysis),
    ("GET", _CAMPAIGN + "/quality-analysis/{uid}", reports.quality_analysis),
    ("GET", _CAMPAIGN + "/statistics", reports.click_report),
    ("GET", _CLIENT + "/teaser-stat/{teaser}", reports.teaser_stat),
    # The newer edition of the document spells this path with a hyphen.
    ("GET", _CLIENT + "/conversionsTargets", conversions.client_targets),
    ("GET", _CLIENT + "/conversions-targets", conversions.client_targets),
    ("GET", _CAMPAIGN + "/conversions", conversions.get_conversions),
    ("POST", _CAMPAIGN + "/conversions", conversions.create_conversions),
    ("PATCH", _CAMPAIGN + "/conversions", conversions.patch_conversions),
    ("DELETE", _CAMPAIGN + "/conversions", conversions.delete_conversions),
    ("GET", _CAMPAIGN + "/targetings/geo", targetings.get_geo),
    ("PUT", _CAMPAIGN + "/targetings/geo", targetings.put_geo),
    ("GET", "/v1/dictionaries/geo", targetings.geo_dictionary),
    *(
        route
        for kind in targetings.TARGETINGS
        for route in (
            ("GET", f"{_CAMPAIGN}/targetings/{kind.name}", kind.get),
            ("PUT", f"{_CAMPAIGN}/targetings/{kind.name}", kind.put),
        )
    ),
    ("GET", _CLIENT + "/teasers", teasers.list_teasers),
    ("POST", _CLIENT + "/teasers", teasers.create_teaser),
    ("PUT", _CLIENT + "/teasers", teasers.wrong_method),
    ("PATCH", _CLIENT + "/teasers", teasers.wrong_method),
    ("GET", _CLIENT + "/teasers/{teaser}", teasers.get_teaser),
    ("PUT", _CLIENT + "/teasers/{teaser}", teasers.put_teaser),
    ("PATCH", _CLIENT + "/teasers/{teaser}", teasers.patch_teaser),
    ("DELETE", _CLIENT + "/teasers/{teaser}", teasers.delete_teaser),
)


class AdskeeperSandbox(Sandbox):
    """
    An imitation of the Adskeeper advertiser API.

    Faults beside the common ones: `lost-reply` (a change is made, then the
    connection breaks before the answer) and `html` (a page with status 200
    instead of JSON, nothing done).

    Args:
        campaigns: How many campaigns there are at first; every seventh has traffic.
        days: How many days of statistics there are up to today, today included.
        timezone: The account's IANA time zone: its days, and dates in answers.
        currency: The account's currency.
        pagination: What `start` means: a row (offset) or a page counted from 1 (page1).
        split_flag: splitDailyLimitEvenly on is 0 (seed, as this document says) or 1 (new).
        status_object: A teaser's status is an object with a code, or plain text.
        stat_keys: Rows of campaigns-stat say campaignId and buying, or campaign_id and buy.
        stat_wrapped: campaigns-stat stands within an object of its name, or bare.
        empty_map: What an empty map looks like: a list, or a map.
        query_token: The token is also accepted in the query.
        validation_status: HTTP status of a refused request.
        unknown_status: HTTP status for an id that does not exist.
        token_lifetime_s: How long a token from /auth/token lasts; None for ever.
        latency_s: How long each answer takes at least, in seconds.
        max_in_flight: Requests served at once; one more is answered 429.
        page_max: The largest page of teasers.
    """

    network: ClassVar[str] = "adskeeper"
    fault_names: ClassVar[frozenset[str]] = COMMON_FAULTS | {"html", "lost-reply"}
    base_path: ClassVar[str] = "/v1"
    id_offset: ClassVar[int] = 0

    account: Account
    """What the network knows; tests may look and change."""
    operations: Counter[int]
    """Number of a documented operation -> how often it was served, refusals not counted."""
    max_seen_in_flight: int
    """The most requests ever under way at once, refused ones among them."""

    def __init__(
        self,
        *,
        seed: int = 7,
        faults: Mapping[str, float] | None = None,
        now: Callable[[], datetime] | None = None,
        slow_s: float = 0.3,
        campaigns: int = 1_050,
        days: int = 120,
        timezone: str = "America/Los_Angeles",
        currency: str = "USD",
        pagination: Literal["offset", "page1"] = "offset",
        split_flag: Literal["seed", "new"] = "seed",
        status_object: bool = True,
        stat_keys: Literal["buying", "buy"] = "buying",
        stat_wrapped: bool = True,
        empty_map: Literal["list", "map"] = "list",
        query_token: bool = False,
        validation_status: int = 200,
        unknown_status: int = 404,
        token_lifetime_s: float | None = None,
        latency_s: float = 0.0,
        max_in_flight: int = 5,
        page_max: int = 700,
    ) -> None:
        super().__init__(seed=seed, faults=faults, now=now, slow_s=slow_s)
        self.dialect = Dialect(
            pagination=pagination,
            split_flag=split_flag,
            status_object=status_object,
            stat_keys=stat_keys,
            stat_wrapped=stat_wrapped,
            empty_map=empty_map,
            query_token=query_token,
            validation_status=validation_status,
            unknown_status=unknown_status,
            page_max=page_max,
        )
        self.latency_s = latency_s
        self.max_in_flight = max_in_flight
        self.token_lifetime_s = token_lifetime_s
        words = f"{self.network}:{seed}"
        secrets = account_secrets(words)
        self.email, self.password = secrets["email"], secrets["password"]
        self.account = _account(
            words,
            self.now(),
            campaigns=campaigns,
            days=days,
            timezone=timezone,
            currency=currency,
            id_offset=self.id_offset,
        )
        self.credentials = {"client_id": self.account.client_id, "token": secrets["token"]}
        self.operations = Counter()
        self.max_seen_in_flight = 0
        self._in_flight = 0
        self._issued = 0
        # Token -> when it ends; None is for ever.
        self._tokens: dict[str, datetime | None] = {secrets["token"]: None}

    @property
    def bought(self) -> list[str]:
        """Ids of the campaigns with clicks, on whatever days."""
        return [str(one.campaign) for one in self.account.book.profiles.values() if one.clicked]

    @property
    def first_day(self) -> date:
        """The account's first day with statistics; before it there is no data at all."""
        return self.account.book.first_day

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the login and all documented routes."""
        yield web.post(_LOGIN, self._log_in)
        for method, path, handler in _ROUTES:
            yield web.route(method, path, self._endpoint(handler))

    def truth(
        self, resource: str, since: date | None = None, until: date | None = None
    ) -> list[dict[str, Any]]:
        """
        Return all rows of *resource*: clients, campaigns, teasers, targetings, conversions,
        stats, teaser_stats, widget_stats or clicks.

        *since* is inclusive, *until* exclusive; without them all days up to today.
        Money is text. Rows of widget_stats whose sourceId is None are totals of the others.

        Raises:
            LookupError: There is no such resource.
        """
        call = self._call(read_params([], "", b""), {})
        last = min(until - timedelta(days=1), call.today) if until else call.today
        return list(TRUTHS[resource](call, since or self.first_day, last))

    def revoke_tokens(self) -> None:
        """Make every token given out so far invalid; logging in gives a new one."""
        self._tokens.clear()

    def approve_teaser(self, teaser: int) -> None:
        """
        End the moderation of a teaser, as a moderator would.

        Raises:
            LookupError: There is no such teaser.
        """
        self.account.teasers[teaser].own_status = "new"

    def authorize(self, request: web.Request) -> web.Response | None:
        """Refuse a missing or dead token with 401 and another client's path with 403."""
        if request.path == _LOGIN or not request.path.startswith("/v1/"):
            return None
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" and "token" in request.query:
            if not self.dialect.query_token:
                return json_reply({"errors": "Only Bearer Authentication"}, status=401)
            kind, token = "Bearer", request.query["token"]
        if kind != "Bearer" or not token.strip():
            return json_reply({"errors": "Authentication token is missing"}, status=401)
        if not self._is_valid(token.strip()):
            return json_reply({"errors": "The token is not valid"}, status=401)
        if request.match_info.get("client", self.account.client_id) != self.account.client_id:
            return json_reply({"errors": "Invalid client id"}, status=403)
        return None

    def _is_valid(self, token: str) -> bool:
        if token not in self._tokens:
            return False
        end = self._tokens[token]
        return end is None or self.now() < end

    async def _log_in(self, request: web.Request) -> web.Response:
        try:
            params = await _params(request)
        except Refusal as refusal:
            return self._refused(refusal)
        email, password = params.text("email"), params.text("password")
        known = hmac.compare_digest(password.encode(), self.password.encode())
        if email != self.email or not known:
            # The text is invented: nobody wrote down what a wrong password gets.
            return json_reply({"errors": "Invalid email or password"}, status=401)
        self._issued += 1
        token, refresh = (secret(self.password, word, self._issued) for word in ("token", "again"))
        lifetime = self.token_lifetime_s
        self._tokens[token] = self.now() + timedelta(seconds=lifetime) if lifetime else None
        id_auth = int(self.account.client_id)
        return json_reply({"token": token, "refreshToken": refresh, "idAuth": id_auth})

    def _endpoint(self, handler: CallHandler) -> Callable[[web.Request], Any]:
        async def serve(request: web.Request) -> web.StreamResponse:
            self._in_flight += 1
            self.max_seen_in_flight = max(self.max_seen_in_flight, self._in_flight)
            try:
                if self._in_flight > self.max_in_flight:
                    return json_reply({"errors": "Too many requests"}, status=429)
                await asyncio.sleep(self.latency_s)
                return await self._answer_call(request, handler)
            finally:
                self._in_flight -= 1

        return serve

    async def _answer_call(self, request: web.Request, handler: CallHandler) -> web.StreamResponse:
        if self.faults.strikes("html"):
            return web.Response(text=_PAGE, content_type="text/html")
        try:
            call = self._call(await _params(request), request.match_info)
            answer = handler(call)
        except Refusal as refusal:
            return self._refused(refusal)
        self.operations.update(call.served)
        if request.method != "GET" and self.faults.strikes("lost-reply"):
            return _break(request)
        return json_reply(answer)

    def _call(self, params: Params, path: Mapping[str, str]) -> Call:
        return Call(
            account=self.account,
            dialect=self.dialect,
            params=params,
            path=path,
            now=self.account.local(self.now()),
        )

    def _refused(self, refusal: Refusal) -> web.Response:
        status = refusal.status or self.dialect.validation_status
        if isinstance(refusal.body, str):
            # Announced as JSON and none: the network prints the bare word.
            text = refusal.body
            return web.Response(text=text, status=status, content_type="application/json")
        return json_reply(refusal.body, status=status)


class MgidSandbox(AdskeeperSandbox):
    """The same API under MGID's name, with an account of its own, which shares no id with the other."""

    network: ClassVar[str] = "mgid"
    id_offset: ClassVar[int] = 400_000


def _account(words: str, now: datetime, *, timezone: str, **knobs: Any) -> Account:
    today = now.astimezone(ZoneInfo(timezone)).date()
    return make_account(words, today=today, timezone=timezone, **knobs)


async def _params(request: web.Request) -> Params:
    return read_params(request.query.items(), request.content_type, await request.read())


def _break(request: web.Request) -> web.StreamResponse:
    """Break the connection; what is returned cannot be sent any more."""
    if request.transport is not None:
        request.transport.abort()
    return web.StreamResponse()
