"""Answers that were recorded from imitations, and played back with one thing in one of them changed."""

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import cache
from typing import Any

import attrs

import adnet
from adnet.client import Account
from adnet.errors import AdnetError
from adnet.sandbox import load
from adnet.testing import FakeClock
from adnet.testing.conformance._tools import Listing, listings
from adnet.testing.fakes import answer
from adnet.testing.harness import START, FastClock, generous_limits
from adnet.transport.aiohttp import AiohttpTransport
from adnet.transport.wire import Request, Response

from .world import SINCE, UNTIL
from .writing import writes

KNOBS: Mapping[str, Mapping[str, Any]] = {
    "targetcircle": {"per_day": 2, "ready_after_s": 0.0, "page_size": 5},
    "adskeeper": {"campaigns": 5, "days": 25},
    "mytarget": {"campaigns": 4, "banners": 6, "limits": "none"},
}
Call = Callable[[Account], Awaitable[Any]]


async def _listed(account: Account, listing: Listing) -> int:
    """Read a list as rows and as columns, as users and pulls do; return how many there were."""
    count = 0
    async for _ in listing.of(account, SINCE, UNTIL):
        count += 1
    with account._told("pull"):  # as a pull tells whose an error is
        async with aclosing(listing.batches(account, SINCE, UNTIL)) as batches:
            async for batch in batches:
                for table in batch.tables():
                    batch.columns(table)
    return count


def _list(listing: Listing) -> Call:
    return lambda account: _listed(account, listing)


async def _links(account: Account) -> Any:
    found = [(offer.offer_id, offer.source_id) async for offer in account.list_offers()]
    return [
        link
        for offer_id, source_id in found[:1]
        async for link in account.list_links(offer_id=offer_id, source_id=source_id, sub_ids={"ref1": "a"})
    ]


async def _one_campaign(account: Account) -> Any:
    found = [campaign.campaign_id async for campaign in account.list_campaigns()]
    return await account.get_campaign(found[0]) if found else None


async def _one_offer(account: Account) -> Any:
    found = [trade.offer_slug async for trade in account.list_trades() if trade.offer_slug]
    return await account.get_offer(found[0]) if found else None


@cache
def calls(network: str) -> dict[str, Call]:
    """Return everything that is done with a network, by name."""
    capabilities = adnet.registry.load(network).capabilities()
    found: dict[str, Call] = {
        str(listing): _list(listing) for listing in listings(capabilities) if listing.table != "audiences"
    }
    found["account"] = lambda account: account.get_account()
    singles = {"get_campaign": _one_campaign, "get_offer": _one_offer, "list_links": _links}
    found |= {name: call for name, call in singles.items() if capabilities.supports(name)}
    return found | writes(network)


class _Recorder(AiohttpTransport):
    """Remembers every answer by what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[tuple[tuple[str, str], Response]] = []

    async def send(self, request: Request, *, timeout_s: float) -> Response:
        """Send once, and remember."""
        response = await super().send(request, timeout_s=timeout_s)
        self.answers.append((_key(request), response))
        return response


def _key(request: Request) -> tuple[str, str]:
    return request.route.method, request.target


@attrs.frozen
class Tape:
    """The answers to one call."""

    base_url: str
    options: Mapping[str, Any] = attrs.field(repr=False)
    answers: tuple[tuple[tuple[str, str], Response], ...] = attrs.field(repr=False)


@cache
def tape(network: str, name: str) -> Tape:
    """Record a call."""
    return asyncio.run(_record(network, name))


async def _record(network: str, name: str) -> Tape:
    clock, recorder = FastClock(100.0), _Recorder()
    async with load(network)(now=clock.now, **KNOBS[network]) as server:
        options = {**server.account_options, **server.credentials}
        options["limits"] = await generous_limits(network, {**options, "base_url": server.base_url})
        account = adnet.connect(network, base_url=server.base_url, clock=clock, transport=recorder, **options)
        try:
            with contextlib.suppress(AdnetError):  # a refusal is an answer, too
                await calls(network)[name](account)
        finally:
            await account.close()
    return Tape(server.base_url, options, tuple(recorder.answers))


class _Player:
    """Gives answers again, in the order of what was asked; what was never asked is not there."""

    def __init__(self, recorded: Tape, answers: Sequence[Response], sent: list[Request]) -> None:
        self._left: dict[tuple[str, str], list[Response]] = {}
        self._sent = sent
        for (key, _), response in zip(recorded.answers, answers, strict=True):
            self._left.setdefault(key, []).append(response)

    async def send(self, request: Request, *, timeout_s: float) -> Response:
        """Return the next answer to this request; the last one again and again."""
        await asyncio.sleep(0)
        self._sent.append(request)
        left = self._left.get(_key(request))
        if not left:
            return attrs.evolve(answer(404, body=b"not recorded"), url=request.url)
        return left.pop(0) if len(left) > 1 else left[0]

    async def close(self) -> None:
        """There is nothing to close."""


async def replay(network: str, name: str, place: int, changed: Response) -> Any:
    """Make a call against its recorded answers, that at *place* changed; return or raise what comes of it."""
    answers = [response for _, response in tape(network, name).answers]
    answers[place] = changed
    return await replayed(network, name, answers)


async def replayed(
    network: str, name: str, answers: Sequence[Response], sent: list[Request] | None = None
) -> Any:
    """Make a call against *answers* in place of the recorded ones; return or raise what comes of it.

    Of changes, what went wrong with one rises as it would for the whole. What is sent is added to *sent*.
    """
    recorded = tape(network, name)
    account = adnet.connect(
        network,
        base_url=recorded.base_url,
        clock=FakeClock(START),
        transport=_Player(recorded, answers, [] if sent is None else sent),
        **recorded.options,
    )
    try:
        result = await calls(network)[name](account)
        for outcome in getattr(result, "outcomes", ()):
            if outcome.error is not None:
                raise outcome.error
        return result
    finally:
        await account.close()


# ---------------------------------------------------------------------- changes


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every node of a JSON value, the whole of it included."""
    found = [at]
    if isinstance(value, dict):
        for name, item in value.items():
            found += paths(item, (*at, name))
    elif isinstance(value, list):
        for index, item in enumerate(value[:3]):
            found += paths(item, (*at, index))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a copy of a JSON value with *new* at *path*; ``...`` takes the node away."""
    if not path:
        return None if new is ... else new
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1 and new is ...:
        del copy[path[0]]
    else:
        copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


_LITERAL = re.compile(r'"⟦(.*?)⟧"')


def literal(text: str) -> str:
    """Return a JSON value that Python cannot hold, or not write: ``with_body`` puts *text* in its place."""
    return f"⟦{text}⟧"


def with_body(response: Response, value: Any) -> Response:
    """Return an answer with another JSON body; numbers that JSON has no word for are written as Python does."""
    text = json.dumps(value, ensure_ascii=False)
    return attrs.evolve(response, body=_LITERAL.sub(r"\1", text).encode("utf-8", "surrogatepass"))
