"""
Imitations of the myTarget API (target.my.com) and of VK Ads, its successor.

The same server with two vocabularies: VK Ads adds ad plans on top and calls
campaigns ad groups. Both enforce what the vendor documents: five live tokens,
calendar windows, list and statistics limits, the rules of sharing keys.
`GET /__sandbox/report` tells how its clients behaved.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from email.utils import format_datetime
from functools import partial
from typing import Any, ClassVar, Literal

from aiohttp import web

from adnet.sandbox import (
    _mytarget_accounts,
    _mytarget_counters,
    _mytarget_library,
    _mytarget_lists,
    _mytarget_money,
    _mytarget_oauth,
    _mytarget_objects,
    _mytarget_report,
    _mytarget_segments,
    _mytarget_sharing,
    _mytarget_start,
    _mytarget_statistics,
)
from adnet.sandbox._mytarget_limits import LimitsKnob
from adnet.sandbox._mytarget_server import serve, serve_unknown, throttling, told
from adnet.sandbox._mytarget_wire import Action, Endpoint, Refused
from adnet.sandbox._mytarget_world import Knobs, Profile, World
from adnet.sandbox.base import SIDE_DOOR, Sandbox, json_reply
from adnet.sandbox.faults import COMMON_FAULTS

__all__ = ["MytargetSandbox", "VkadsSandbox"]


class MytargetSandbox(Sandbox):
    """
    An imitation of target.my.com.

    `base_url` is the host alone; paths are `/api/v2/...`. Faults beside the
    common ones: `html502` (an HTML page, nothing done), `lost-reply` (a write
    is done, then the connection drops), `lost-token` (the same for a token
    issue or refresh).

    Args:
        seed: Decides every object, figure and secret.
        faults: Fault name -> rate, 0 to 1.
        now: The present, aware. Everything here happens by it.
        slow_s: How long the fault `slow` holds an answer back, in seconds.
        limits: `{resource: {version: {operation: {seconds: calls}}}}`, in the
            shape of `throttling.json`. A resource named here replaces its
            default entry, None lifts its limits; "none" lifts all there are.
        knobs: `campaigns` 500 and `banners` 1500 of the main account;
            `currency` "RUB";
            `token_lifetime_s` 86400; `expires_in_style` "int", "text" or "null";
            `error_shape` of 401 "nested", "flat" or "header" (no body);
            `rotate_refresh` False; `consent` True (False: the user refuses);
            `redirect_uri` as registered (any loopback address is taken as well);
            `clock_skew_s` 0, of the server's clock and its Date header;
            `over_limit` "clamp" or "error" for a list limit above the maximum;
            `uncounted_lists` "whole" or "paged", of the lists that show no `count`;
            `update_verb` "post", "patch" or "both" (the other one answers 405);
            `moderation_s` 2, `url_check_s` 1, `audience_s` 3: how long these take;
            `stat_days` 92, the longest period of statistics;
            `list_minimum` 2000, the fewest ids of a users list;
            `budget_limit_step` "0.01";
            `growing_today` False (True: today's figures grow with the clock).

    Raises:
        ValueError: An unknown fault, or a rate outside 0 to 1.
        TypeError: An unknown knob.
    """

    network: ClassVar[str] = "mytarget"
    fault_names: ClassVar[frozenset[str]] = COMMON_FAULTS | {"html502", "lost-reply", "lost-token"}
    _vk: ClassVar[bool] = False
    _defaults: ClassVar[Mapping[str, Any]] = {"stat_days": 92}

    def __init__(
        self,
        *,
        seed: int = 7,
        faults: Mapping[str, float] | None = None,
        now: Callable[[], datetime] | None = None,
        slow_s: float = 0.3,
        limits: LimitsKnob | Literal["none"] | None = None,
        **knobs: Any,
    ) -> None:
        super().__init__(seed=seed, faults=faults, now=now, slow_s=slow_s)
        self.world: World = _mytarget_start.make_world(
            seed=seed,
            profile=Profile(network=self.network, vk=self._vk),
            knobs=Knobs(**{**self._defaults, **knobs}),
            clock=self._clock,
            limits=limits,
        )
        self.credentials = {
            "client_id": self.world.client.id,
            "client_secret": self.world.client.secret,
        }
        self.account_options = {"grant": "client_credentials", "sharing_price_unit": "units"}

    # For users.

    @property
    def user_id(self) -> int:
        """The main account: the owner of the API client, an advertiser and an agency."""
        return self.world.client.owner_id

    @property
    def agency_clients(self) -> list[dict[str, Any]]:
        """The main account's clients: id, username, status."""
        users = [self.world.user(row["user_id"]) for row in self.world.clients_of(self.user_id)]
        return [{"id": u.id, "username": u.username, "status": u.status} for u in users]

    def login_as(self, user_id: int) -> None:
        """
        Seat another user at the browser: whoever consents on the OAuth pages.

        Raises:
            LookupError: There is no such user.
        """
        self._known(user_id)
        self.world.browser_user_id = user_id

    def revoke_user(self, user_id: int | None = None) -> None:
        """
        Let a user (the main account if None) take its consent back, as in the cabinet.

        Raises:
            LookupError: There is no such user.
        """
        number = self._known(user_id)
        self.world.tokens.revoke(number)
        self.world.user(number).unbound = True

    def block_user(self, user_id: int | None = None) -> None:
        """
        Let the network block a user (the main account if None).

        Raises:
            LookupError: There is no such user.
        """
        self.world.user(self._known(user_id)).status = "blocked"

    def grant(self, user_id: int | None = None) -> dict[str, str]:
        """
        Issue a token past the API and past the report; takes a slot like any other.

        Returns:
            access_token and refresh_token.

        Raises:
            LookupError: There is no such user, or all its slots are taken.
        """
        number = self._known(user_id)
        try:
            token = self.world.tokens.issue(
                client_id=self.world.client.id,
                user_id=number,
                grant="side door",
                scope=_mytarget_oauth.all_scopes(self.world.user(number)),
                now=self.world.now(),
            )
        except Refused:
            raise LookupError(f"user {number} has no free token slot") from None
        return {"access_token": token.access, "refresh_token": token.refresh}

    def set_limits(self, limits: LimitsKnob | Literal["none"] | None) -> None:
        """Change the limits while running; what was used stays used."""
        self.world.rates.configure(limits)

    def truth(
        self, resource: str, since: date | None = None, until: date | None = None
    ) -> list[dict[str, Any]]:
        """
        Return all rows of a resource of the main account, *until* exclusive.

        `campaigns`, `banners`, `ad_plans` with every field; `stats` and
        `banner_stats` (days on which something happened, the last 120 if no
        period is given); `audiences`, `users_lists`, `segments`, `relations`,
        `counters`, `goals`, `sharing_keys`, `urls`, `packages`, `tokens`,
        `users`, `emails`, `transactions`. `stats@80001` asks for another account.

        Raises:
            LookupError: There is no such resource or user.
        """
        self.world.settle()
        return _mytarget_start.truth(self.world, resource, since, until)

    def report(self) -> dict[str, Any]:
        """Return what the server saw of its clients, as plain JSON values."""
        world = self.world
        slots = {str(user_id): count for _, user_id, count in world.tokens.slots()}
        return {
            "network": self.network,
            **world.ledger.summary(),
            "live_slots": slots,
            "rate_limited": world.rates.refusals,
            "no_access": world.rates.no_access,
            "calls_after_zero": world.rates.after_zero,
            "faults": dict(self.faults.struck),
            "windows": world.rates.usage(),
        }

    def _clock(self) -> datetime:
        # Looked up at every call: a test may put another clock in place.
        return self.now()

    def _known(self, user_id: int | None) -> int:
        number = self.user_id if user_id is None else user_id
        if number not in self.world.users:
            raise LookupError(f"no user {number}")
        return number

    # The server.

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the API, the browser's pages and the report."""
        page = partial(_mytarget_oauth.authorize_page, self.world)
        yield web.get("/oauth2/authorize", page)
        yield web.get("/hq/settings/access", page)
        yield web.get(SIDE_DOOR + "report", self._get_report)
        for endpoint in self._endpoints():
            for version in endpoint.versions:
                handler = partial(serve, self.world, self.faults, endpoint, version)
                yield web.route("*", f"/api/{version}/{endpoint.path}", handler)
        yield web.route("*", "/{path:.*}", serve_unknown)

    def _endpoints(self) -> Iterable[Endpoint]:
        limits = Action(handler=throttling)
        yield Endpoint(path="throttling.json", actions={"GET": limits}, versions=("v2", "v3"))
        yield from _mytarget_oauth.ENDPOINTS
        yield from _mytarget_objects.endpoints(vk=self._vk)
        yield from _mytarget_library.endpoints()
        yield from _mytarget_statistics.endpoints(vk=self._vk)
        yield from _mytarget_lists.endpoints()
        yield from _mytarget_segments.endpoints()
        yield from _mytarget_counters.endpoints()
        yield from _mytarget_sharing.endpoints()
        yield from _mytarget_accounts.endpoints()
        yield from _mytarget_money.endpoints()

    def refusal(self, fault: str, request: web.Request) -> web.Response:
        """Return a fault's answer; 429 in the vendor's form, which has no `error` key."""
        response = super().refusal(fault, request)
        if fault != "429":
            return response
        body = {"remaining": {"1": 0, "3600": 812}, "limits": {"1": 5, "3600": 3600}}
        wait = {k: v for k, v in response.headers.items() if k == "Retry-After"}
        return json_reply(body, status=429, headers=wait)

    async def _send(self, request: web.Request, response: web.Response) -> web.StreamResponse:
        now = self.world.now().astimezone(UTC)
        response.headers["Date"] = format_datetime(now, usegmt=True)
        sent = await super()._send(request, response)
        told(request)
        return sent

    async def _get_report(self, request: web.Request) -> web.StreamResponse:
        report = self.report()
        if _prefers_html(request.headers.get("Accept", "")):
            page = _mytarget_report.page(self.network, report)
            return web.Response(text=page, content_type="text/html")
        return json_reply(report)


class VkadsSandbox(MytargetSandbox):
    """
    An imitation of ads.vk.com: ad plans over ad groups over banners.

    Everything else is `MytargetSandbox`, with statistics of up to 366 days,
    banners that name their `ad_group_id`, and goals under `base.vk`.
    """

    network: ClassVar[str] = "vkads"
    _vk: ClassVar[bool] = True
    _defaults: ClassVar[Mapping[str, Any]] = {"stat_days": 366}


def _prefers_html(accept: str) -> bool:
    kinds = [kind.partition(";")[0].strip() for kind in accept.split(",")]
    if "text/html" not in kinds:
        return False
    return "application/json" not in kinds[: kinds.index("text/html")]
