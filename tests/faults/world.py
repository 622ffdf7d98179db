"""One network behind a proxy that misbehaves: what the tests of faults share."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import date
from typing import Any

import attrs

import adnet
from adnet.client import Account
from adnet.money import Money
from adnet.sandbox import load
from adnet.sandbox.base import Sandbox
from adnet.testing.faults import FaultProxy, FaultSettings
from adnet.testing.harness import FastClock, generous_limits
from adnet.transport.aiohttp import AiohttpTransport
from adnet.transport.ceilings import Ceilings
from adnet.transport.events import Event
from adnet.transport.wire import Request, Response

SINCE, UNTIL = date(2026, 2, 10), date(2026, 2, 12)
SPEED = 50.0
SETTINGS = FaultSettings(slow_s=0.3, shut_s=0.015, streamed_bytes=32 * 2**20)
CEILINGS = Ceilings(body_bytes=4 * 2**20, decompressed_bytes=4 * 2**20)
IMPATIENT_S = 0.06

Where = Callable[[str, str], bool]
"""Says of a method and a target whether a request is meant."""


async def collect(rows: AsyncIterator[Any]) -> list[Any]:
    """Return all rows."""
    return [row async for row in rows]


@attrs.frozen(kw_only=True)
class Operation:
    """Something an account does, and the request in it that is struck."""

    name: str
    """``read``, ``page``, ``report``, ``write`` or ``token``."""
    call: Callable[[Account], Awaitable[Any]]
    where: Where
    first: bool = True
    """Whether the request that is struck is the first one of the operation."""
    idempotent: bool = True
    options: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    """Of the account."""
    warm: bool = True
    """Whether the account is opened before."""


@attrs.frozen(kw_only=True)
class Network:
    """One connector and what is done with it."""

    name: str
    knobs: Mapping[str, Any]
    operations: tuple[Operation, ...]
    made: Callable[[Any], int] | None = None
    """Counts what ``write`` makes, in the sandbox."""

    def sandbox(self, clock: FastClock) -> Sandbox:
        """Return the imitation server."""
        return load(self.name)(now=clock.now, **self.knobs)


class HurriedTransport(AiohttpTransport):
    """Waits for no answer to the requests that are struck longer than a test can bear."""

    def __init__(self, where: Where) -> None:
        super().__init__(ceilings=CEILINGS)
        self.hurried = 0
        """How many more of them; the rest has the time that a busy machine takes."""
        self.sent: list[Request] = []
        self._where = where

    async def send(self, request: Request, *, timeout_s: float) -> Response:
        """Send once."""
        self.sent.append(request)
        if self.hurried and self._where(request.route.method, request.target):
            self.hurried -= 1
            timeout_s = IMPATIENT_S
        return await super().send(request, timeout_s=timeout_s)


@attrs.frozen(kw_only=True)
class World:
    """A running sandbox, a proxy before it and an account that talks through it."""

    server: Any
    proxy: FaultProxy
    account: Account
    transport: HurriedTransport
    clock: FastClock
    options: Mapping[str, Any] = attrs.field(repr=False)
    """What the account was made with."""
    events: list[Event] = attrs.field(factory=list, repr=False)
    """What its listeners were told."""


@contextlib.asynccontextmanager
async def world(
    network: Network, operation: Operation, settings: FaultSettings = SETTINGS
) -> AsyncIterator[World]:
    """Give the world of one operation; the account is open where the operation wants it so."""
    clock = FastClock(SPEED)
    transport, events = HurriedTransport(operation.where), list[Event]()
    server = network.sandbox(clock)
    async with server, FaultProxy(server.origin, settings=settings) as proxy:
        options = {**server.account_options, **server.credentials, **operation.options}
        options = {name: value for name, value in options.items() if value is not None}
        limits = await generous_limits(network.name, {**options, "base_url": server.base_url})
        account = adnet.connect(
            network.name,
            base_url=proxy.url(server.base_url),
            clock=clock,
            transport=transport,
            limits=limits,
            listeners=(events.append,),
            **options,
        )
        try:
            if operation.warm:
                await account.open()
                await account.get_account()
            yield World(
                server=server,
                proxy=proxy,
                account=account,
                transport=transport,
                clock=clock,
                options=options,
                events=events,
            )
        finally:
            await account.close()


def busy(account: Account) -> dict[str, tuple[int, int]]:
    """Return the buckets in which something is under way or waiting."""
    states = account.connector.limiter.state()
    return {s.name: (s.in_flight, s.queued) for s in states if s.in_flight or s.queued}


def tasks() -> set[asyncio.Task[Any]]:
    """Return the tasks of this loop but the running one."""
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


# ---------------------------------------------------------------------- the networks


def _is(method: str, *parts: str) -> Where:
    return lambda given, target: given == method and all(part in target for part in parts)


async def _proof(account: Account) -> Any:
    return await account.get_account()


async def _transactions(account: Account) -> Any:
    return await collect(account.list_transactions(since=SINCE, until=UNTIL, currency="EUR"))


async def _offers(account: Account) -> Any:
    return await collect(account.list_offers())


async def _campaigns(account: Account) -> Any:
    return await collect(account.list_campaigns())


async def _stats(account: Account) -> Any:
    return await collect(account.list_stats(since=SINCE, until=UNTIL))


TARGET_CIRCLE = Network(
    name="targetcircle",
    knobs={"per_day": 12, "ready_after_s": 0.0},
    operations=(
        Operation(name="read", call=_offers, where=_is("GET", "/api/offers")),
        Operation(name="report", call=_transactions, where=_is("POST", "/api/transactions")),
        Operation(
            name="page", call=_transactions, where=_is("GET", "/api/transactions/", "page=2"), first=False
        ),
    ),
)


async def _ads(account: Account) -> Any:
    return await collect(account.list_ads())


async def _create_adskeeper(account: Account) -> Any:
    extra = {"category": 151, "language": "en", "campaignType": "product"}
    (outcome,) = (await account.create_campaigns([adnet.CampaignDraft(name="Nightly", extra=extra)])).outcomes
    return outcome


def _adskeeper(name: str) -> Network:
    login = load(name)()
    by_login = {"client_id": None, "token": None, "email": login.email, "password": login.password}
    return Network(
        name=name,
        knobs={"campaigns": 20, "days": 25, "page_max": 20},
        operations=(
            Operation(name="read", call=_proof, where=_is("GET", "/clients/")),
            Operation(name="report", call=_stats, where=_is("GET", "/campaigns-stat")),
            Operation(name="page", call=_ads, where=_is("GET", "/teasers", "start=20"), first=False),
            Operation(
                name="write", call=_create_adskeeper, where=_is("POST", "/campaigns"), idempotent=False
            ),
            Operation(
                name="token", call=_proof, where=_is("POST", "/auth/token"), options=by_login, warm=False
            ),
        ),
        made=lambda server: len(server.account.campaigns),
    )


async def _create_mytarget(account: Account) -> Any:
    draft = adnet.CampaignDraft(
        name="Nightly",
        daily_budget=Money("1000", "RUB"),
        extra={"package_id": 811, "objective": "traffic"},
        targeting={"geo": {"regions": [188]}},
    )
    (outcome,) = (await account.create_campaigns([draft])).outcomes
    return outcome


def _mytarget(name: str, campaigns: str) -> Network:
    return Network(
        name=name,
        knobs={"campaigns": 60, "banners": 60, "limits": "none"},
        operations=(
            Operation(name="read", call=_proof, where=_is("GET", "/user.json")),
            Operation(name="report", call=_stats, where=_is("GET", "/statistics/")),
            Operation(
                name="page", call=_campaigns, where=_is("GET", f"/{campaigns}.json", "offset=50"), first=False
            ),
            Operation(
                name="write", call=_create_mytarget, where=_is("POST", f"/{campaigns}.json"), idempotent=False
            ),
            Operation(name="token", call=_proof, where=_is("POST", "/oauth2/token.json"), warm=False),
        ),
        made=lambda server: len(server.truth("campaigns")),
    )


NETWORKS = {
    network.name: network
    for network in (
        TARGET_CIRCLE,
        _adskeeper("adskeeper"),
        _adskeeper("mgid"),
        _mytarget("mytarget", "campaigns"),
        _mytarget("vkads", "ad_groups"),
    )
}
