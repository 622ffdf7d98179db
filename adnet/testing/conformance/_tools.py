"""What the standard tests share: lists by capability, comparing rows, a wire that can be watched and changed."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import PurePath
from typing import Any, Final

import attrs
import pytest

from adnet.client import Account
from adnet.interface import Capabilities
from adnet.models.tables import TABLES, ModelBatch
from adnet.models.words import LEVELS, Level
from adnet.testing.harness import Harness, Row
from adnet.transport.aiohttp import AiohttpTransport
from adnet.transport.wire import Request, Response

_UNDATED: Final = ("campaigns", "ads", "offers", "trades", "audiences")
_DATED: Final = ("transactions", "clicks")
_GETTERS: Final = ("get_campaign", "get_ad", "get_offer")
MISSING: Final = "999999937"
"""An id that no server has."""


@attrs.frozen
class Listing:
    """One list of an account: a table, and of statistics the level."""

    table: str
    level: Level | None = None

    @property
    def dated(self) -> bool:
        """Whether it takes a period."""
        return self.table not in _UNDATED

    def __str__(self) -> str:
        return f"{self.table}-{self.level}" if self.level else self.table

    def of(
        self, account: Account, since: date | None = None, until: date | None = None, **filters: Any
    ) -> AsyncGenerator[Any, None]:
        """Return the list as *account* gives it; a period is only for dated lists."""
        if self.level:
            filters["level"] = self.level
        if self.dated:
            filters |= {"since": since, "until": until}
        rows: AsyncGenerator[Any, None] = getattr(account, f"list_{self.table}")(**filters)
        return rows

    def batches(self, account: Account, since: date, until: date) -> AsyncIterator[Any]:
        """Return the list as the connector gives it to a pull."""
        method = getattr(account.connector, f"list_{self.table}")
        if not self.dated:
            found: AsyncIterator[Any] = method()
        elif self.level:
            found = method(account.period(since, until), level=self.level)
        else:
            found = method(account.period(since, until))
        return found


def listings(capabilities: Capabilities) -> list[Listing]:
    """Return every list that a connector can serve; statistics once for each level."""
    tables = [table for table in (*_UNDATED, *_DATED) if capabilities.supports(f"list_{table}")]
    return [
        *map(Listing, tables),
        *(Listing("stats", level) for level in LEVELS if level in capabilities.levels),
    ]


def landed_listings(capabilities: Capabilities) -> list[Listing]:
    """Return those lists whose rows land in a table."""
    return [listing for listing in listings(capabilities) if listing.table in TABLES]


def getters(capabilities: Capabilities) -> list[str]:
    """Return the operations that give one object by its id."""
    return [name for name in _GETTERS if capabilities.supports(name)]


def dated_listings(capabilities: Capabilities) -> list[Listing]:
    """Return the lists that take a period."""
    return [listing for listing in listings(capabilities) if listing.dated]


async def collect(rows: AsyncIterator[Any]) -> list[Any]:
    """Return all rows of a list."""
    return [row async for row in rows]


async def first(rows: AsyncGenerator[Any, None]) -> Any:
    """Return the first row of a list, and stop it there; None if there is none."""
    async with aclosing(rows):
        async for row in rows:
            return row
    return None


# ---------------------------------------------------------------------- rows


def as_rows(models: Sequence[Any], table: str) -> list[Row]:
    """Return models as rows of *table*, ``raw`` as a mapping."""
    if table not in TABLES:
        return [{**attrs.asdict(model, recurse=False), "raw": dict(model.raw)} for model in models]
    columns = dict(ModelBatch(models).columns(table, raw=False))
    del columns["raw"]
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    told = [line for model in models for line in model.payouts] if table == "payouts" else models
    return [{**row, "raw": dict(model.raw)} for row, model in zip(rows, told, strict=True)]


def same_rows(expected: Sequence[Row], found: Sequence[Row], *, without: Sequence[str] = ()) -> None:
    """Fail unless both have the same rows, in whatever order, in the columns that *expected* has.

    Numbers are compared exactly, whatever their type; instants as instants.
    """
    assert expected, "the side door tells no row, so there is nothing to compare with"
    names = [name for name in expected[0] if name not in without]
    right, ours = (
        Counter(tuple(plain(row.get(n)) for n in names) for row in rows) for rows in (expected, found)
    )
    missing, surplus = list((right - ours).elements()), list((ours - right).elements())
    assert (missing, surplus) == ([], []), (
        f"of {len(expected)} rows {len(missing)} are missing and {len(surplus)} surplus; for example\n"
        f"  expected {_shown(names, missing)}\n  found    {_shown(names, surplus)}"
    )


def _shown(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> str:
    return str(dict(zip(names, min(rows, key=str), strict=True))) if rows else "nothing"


def plain(value: Any) -> Any:
    """Return a value that is equal, and has the same hash, for everything that means the same."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return f"{Decimal(str(value)).normalize():f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Mapping):
        return tuple(sorted((str(name), plain(item)) for name, item in value.items()))
    if isinstance(value, list | tuple):
        return tuple(plain(item) for item in value)
    return value if isinstance(value, str) else str(value)


# ---------------------------------------------------------------------- the side door


def held(harness: Harness, what: str, of: str = "") -> list[Row]:
    """Return what the server now holds; skip the test where the harness gives no way to look at it."""
    rows = harness.held(what, of)
    if rows is None:
        pytest.skip(f"unproved: `held` of {type(harness).__name__} does not tell the network's {what}")
    return rows


# ---------------------------------------------------------------------- the wire


class Wire:
    """A transport over aiohttp that remembers what it sent, and may change what comes back.

    Args:
        change: Gets each request and its answer, and returns the answer to give on.
    """

    def __init__(self, change: Callable[[Request, Response], Response] | None = None) -> None:
        self.sent: list[Request] = []
        """Every request, signed, in order."""
        self.changed = 0
        """Answers that *change* has changed."""
        self._change = change
        self._inner = AiohttpTransport()

    async def send(self, request: Request, *, timeout_s: float) -> Response:
        """Send, and return the answer, perhaps changed."""
        self.sent.append(request)
        answer = await self._inner.send(request, timeout_s=timeout_s)
        if self._change is None:
            return answer
        changed = self._change(request, answer)
        self.changed += changed is not answer
        return changed

    async def close(self) -> None:
        """Close every connection."""
        await self._inner.close()

    def charges(self) -> Counter[str]:
        """Return what the requests cost, by bucket."""
        costs: Counter[str] = Counter()
        for request in self.sent:
            for bucket in request.route.buckets:
                costs[bucket] += request.route.cost
        return costs


def rewriting(patterns: Mapping[str, str]) -> Callable[[Request, Response], Response]:
    """Return a change for a Wire that replaces *patterns* in bodies."""
    compiled = [(re.compile(pattern.encode()), text.encode()) for pattern, text in patterns.items()]

    def change(_: Request, answer: Response) -> Response:
        body = answer.body
        for pattern, text in compiled:
            body = pattern.sub(text, body)
        return answer if body == answer.body else attrs.evolve(answer, body=body)

    return change


# ---------------------------------------------------------------------- what must not be left over


def client_tasks() -> set[asyncio.Task[Any]]:
    """Return the tasks that are under way, without the running one and those of servers in this loop."""
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not _serves(task)}


def _serves(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and PurePath(code.co_filename).name.startswith("web")


async def settled(rounds: int = 20) -> None:
    """Give everything that is on its way out a few turns of the event loop."""
    for _ in range(rounds):
        await asyncio.sleep(0)


def busy(account: Account) -> dict[str, tuple[int, int]]:
    """Return the limiter's buckets that are not at rest: requests in flight, and waiting."""
    states = account.connector.limiter.state()
    return {
        state.name: (state.in_flight, state.queued) for state in states if state.in_flight or state.queued
    }


@contextmanager
def watched_connections() -> Iterator[list[asyncio.BaseTransport]]:
    """Collect every connection that is made from this event loop; which of them are open shows ``is_closing``."""
    loop = asyncio.get_running_loop()
    connect = loop.create_connection
    made: list[asyncio.BaseTransport] = []

    async def watching(*args: Any, **kwargs: Any) -> Any:
        transport, protocol = await connect(*args, **kwargs)
        made.append(transport)
        return transport, protocol

    loop.create_connection = watching  # type: ignore[method-assign]
    try:
        yield made
    finally:
        del loop.create_connection


async def open_account(harness: Harness, **options: Any) -> tuple[Account, Wire]:
    """Return an account and the wire that it talks over."""
    wire = options.pop("transport", None) or Wire()
    return await harness.account(transport=wire, **options), wire


async def warm(account: Account) -> None:
    """Let an account do what it does only once: log in, and learn about itself."""
    await account.open()
    if account.capabilities.supports("get_account"):
        await account.get_account()
