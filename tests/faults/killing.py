"""Pulls that are killed again and again, run to their end, and compared with one that nobody disturbed."""

import asyncio
import csv
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import repeat
from pathlib import Path
from random import Random
from typing import Any

import attrs
import duckdb

from adnet.models import ReportJob
from adnet.models.tables import TABLES
from adnet.sandbox import load
from adnet.sandbox.base import Sandbox
from adnet.state import State
from adnet.testing.faults import FAULTS, FaultProxy, FaultSettings
from adnet.testing.harness import generous_limits

from .tally import tally
from .zygote import Zygote, clock_of

KILLED = -9
TOLD = 1
"""How a pull ends that had one of our errors to tell."""
SINCE, UNTIL = "2026-01-20", "2026-02-20"
REPORTS = tuple(f"/api/{kind}" for kind in ("transactions", "clicks", "trades"))
"""Where reports are asked for, by POST."""
FILES = {"duckdb": "ads.duckdb", "parquet": "ads", "csv": "ads", "jsonl": "ads"}
Row = dict[str, Any]


@attrs.frozen(kw_only=True)
class Prey:
    """A network that is pulled from, and how large it is."""

    network: str
    knobs: Mapping[str, Any]
    tables: tuple[str, ...]


PREY = {
    prey.network: prey
    for prey in (
        Prey(
            network="targetcircle",
            knobs={"per_day": 8, "ready_after_s": 0, "page_size": 100},
            tables=("transactions", "clicks", "trades", "offers", "payouts"),
        ),
        *(
            Prey(
                network=network,
                knobs={"campaigns": 30, "days": 30},
                tables=("accounts", "campaigns", "ads", "stats", "clicks"),
            )
            for network in ("adskeeper", "mgid")
        ),
        *(
            Prey(
                network=network,
                knobs={"campaigns": 60, "banners": 60, "limits": "none"},
                tables=("accounts", "campaigns", "ads", "stats"),
            )
            for network in ("mytarget", "vkads")
        ),
    )
}

FINAL = ("401", "redirect", "empty-200", "bad-json")
UNBEARABLE = ("429-week", "huge-announced", "huge-streamed", "gzip-bomb")
"""Faults that make the next run wait for days, or every run for minutes; the matrix has them."""
ROUGH = {name: 0.0005 if name in FINAL else 0.003 for name in FAULTS if name not in UNBEARABLE}
"""Rates of faults: one request of twenty is struck, one of five hundred ends its run."""
PATIENCE = 30
"""Runs that may end in faults before the faults are called off."""
REST_S = 0.3
"""After such a run: over as many of them, what was refused at the token endpoint is asked for again (300 s later by
the clock of the pulls)."""


@attrs.frozen(kw_only=True)
class Run:
    """What one pull took that was allowed to end."""

    seconds: float
    steps: int
    rows: Mapping[str, list[Row]]


@attrs.frozen(kw_only=True)
class Survivor:
    """A pull that was killed again and again, and then ran to its end."""

    kills: int
    posts: int
    """Reports that the server was asked for, by all runs together."""
    repeated: int
    """Those of them that were asked for before, in the same words."""
    attempts: int
    """Reports that the journal knows of."""
    open_jobs: int
    """Jobs that are unfinished in the journal."""
    spoiled: int
    """Requests for reports that the server executed and a fault struck."""
    struck: int
    """Requests that a fault struck."""
    told: int
    """Runs that ended in an error of ours."""
    over: int
    """Runs before the last that had come to their end, well or not, also those that died before they could say so."""
    rows: Mapping[str, list[Row]]
    pulls: Sequence[Row]
    story: Sequence[str] = attrs.field(repr=False)
    """What the server was asked for, with what struck, and what the journal says; for failures."""


@attrs.frozen
class Doom:
    """When a run dies: at a step, after a while, or not at all."""

    die_at_step: int | None = None
    kill_after_s: float | None = None


def _dooms(usual: Run, chance: Random, kills: int) -> Iterator[Doom]:
    """Yield moments between the beginning and the usual end, and then runs that may come to their end."""
    for number in range(kills):
        if number % 2:
            yield Doom(die_at_step=chance.randint(1, usual.steps))
        else:
            yield Doom(kill_after_s=chance.uniform(0, usual.seconds))
    yield from repeat(Doom(), 2 * PATIENCE)


class Hunt:
    """One server, and processes that pull from it.

    Args:
        prey: What is pulled.
        zygote: Starts processes.
        server: A running sandbox of the network.
        again: Makes another that has the same, for pulls that need one to themselves.
        folder: For states and sinks.
        epoch: See ``zygote.clock_of``.
    """

    def __init__(
        self,
        prey: Prey,
        zygote: Zygote,
        server: Sandbox,
        again: Callable[[], Sandbox],
        folder: Path,
        epoch: float,
    ) -> None:
        self._prey = prey
        self._zygote = zygote
        self._server = server
        self._again = again
        self._folder = folder
        self._epoch = epoch
        self._limits: dict[str, str] = {}

    async def undisturbed(self, scheme: str = "duckdb") -> Run:
        """Pull once, and return what it took."""
        order = await self._order("undisturbed", scheme)
        began = time.monotonic()
        assert await self._zygote.run(order) == 0, self._errors(order)
        return Run(seconds=time.monotonic() - began, steps=self._steps(order), rows=self._rows(order, scheme))

    async def filled(self, scheme: str, most_bytes: int) -> tuple[str, Mapping[str, list[Row]]]:
        """Pull onto a disk that is full, then onto one that is not; return what was said, and what landed."""
        order = await self._order("full", scheme)
        # The state in memory, so that it is the sink's files that meet the end.
        assert await self._zygote.run({**order, "state": None, "most_bytes": most_bytes}) == 1
        said = self._errors(order)
        assert await self._zygote.run(order) == 0, self._errors(order)
        return said, self._rows(order, scheme)

    async def killed(
        self,
        name: str,
        usual: Run,
        chance: Random,
        kills: int,
        scheme: str = "duckdb",
        rates: Mapping[str, float] | None = None,
    ) -> Survivor:
        """Pull, die up to *kills* times at moments that *chance* chooses, and pull to the end.

        All of it goes through a proxy that strikes with the faults of *rates*.
        """
        settings, seed = FaultSettings(slow_s=0.1, shut_s=0.01), chance.getrandbits(32)
        codes: Counter[int] = Counter()
        server = self._again()  # with all its slots for tokens
        async with server, FaultProxy(server.origin, rates=rates, seed=seed, settings=settings) as proxy:
            order = await self._order(name, scheme)
            order["base_url"] = proxy.url(server.base_url)
            for doom in _dooms(usual, chance, kills):
                code = await self._zygote.run({**order, **attrs.asdict(doom)})
                codes[code] += 1
                assert code in {0, KILLED} or (code == TOLD and rates), self._errors(order)
                if self._is_done(order):
                    break  # whoever pulls now begins anew
                if code == TOLD:
                    await asyncio.sleep(REST_S)
                if codes[TOLD] >= PATIENCE:
                    proxy.calm()
        assert self._is_done(order), self._errors(order)
        tally("faults tried", proxy.struck.total())
        tally("requests served", len(server.log))
        return self._survivor(order, scheme, codes, server, proxy)

    def _survivor(
        self, order: Mapping[str, Any], scheme: str, codes: Counter[int], server: Sandbox, proxy: FaultProxy
    ) -> Survivor:
        asked = [(asked.path, asked.body) for asked in server.log if _is_for_report(asked.method, asked.path)]
        struck = [passed for passed in proxy.log if passed.fault is not None and passed.executed]
        jobs = self._journal(order)
        pulls = self._table(order, scheme, "pulls")
        ended = {row["pull_id"] for row in pulls} - {
            row["pull_id"] for row in pulls if row["outcome"] == "interrupted"
        }
        return Survivor(
            kills=codes[KILLED],
            posts=len(asked),
            repeated=len(asked) - len(set(asked)),
            attempts=sum(job.attempts for job in jobs),
            open_jobs=sum(not job.finished for job in jobs),
            spoiled=sum(_is_for_report(passed.asked.method, passed.asked.target) for passed in struck),
            struck=proxy.struck.total(),
            told=codes[TOLD],
            over=len(ended) - 1,
            rows=self._rows(order, scheme),
            pulls=pulls,
            story=[
                *(
                    f"{one.number} {one.asked.method} {one.asked.target} {one.asked.body!r} {one.fault}"
                    for one in proxy.log
                ),
                *(job.to_json() for job in reversed(jobs)),
            ],
        )

    async def _order(self, name: str, scheme: str) -> dict[str, Any]:
        credentials = {**self._server.account_options, **self._server.credentials}
        if not self._limits:
            self._limits = await generous_limits(
                self._prey.network, {**credentials, "base_url": self._server.base_url}
            )
        home = self._folder / f"{name}-{scheme}"
        home.mkdir()
        return {
            "network": self._prey.network,
            "base_url": self._server.base_url,
            "credentials": credentials,
            "limits": self._limits,
            "epoch": self._epoch,
            "state": str(home / "state.db"),
            "to": f"{scheme}:{home / FILES[scheme]}",
            "tables": list(self._prey.tables),
            "since": SINCE,
            "until": UNTIL,
            "steps": str(home / "steps"),
            "errors": str(home / "errors"),
            "done": str(home / "done"),
        }

    @staticmethod
    def _steps(order: Mapping[str, Any]) -> int:
        return int(Path(order["steps"]).read_text(encoding="utf-8"))

    @staticmethod
    def _is_done(order: Mapping[str, Any]) -> bool:
        return Path(order["done"]).exists()

    @staticmethod
    def _errors(order: Mapping[str, Any]) -> str:
        path = Path(order["errors"])
        return path.read_text() if path.exists() else ""

    @staticmethod
    def _journal(order: Mapping[str, Any]) -> list[ReportJob]:
        with State.open(order["state"]) as state:
            return state.jobs.all(limit=10_000)

    def _rows(self, order: Mapping[str, Any], scheme: str) -> dict[str, list[Row]]:
        return {table: self._table(order, scheme, table) for table in self._prey.tables}

    @staticmethod
    def _table(order: Mapping[str, Any], scheme: str, table: str) -> list[Row]:
        rows = read_table(scheme, Path(order["to"].partition(":")[2]), table)
        for row in rows:
            row.pop("fetched_at")
            row.pop("ip_hash", None)  # keyed by each state's own key
        return rows


def _is_for_report(method: str, target: str) -> bool:
    return method == "POST" and target.partition("?")[0] in REPORTS


def read_table(scheme: str, path: Path, table: str) -> list[Row]:
    """Return what landed in a table, past the sinks' code."""
    if scheme == "csv":
        with (path / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    if scheme == "jsonl":
        return [json.loads(line) for line in (path / f"{table}.jsonl").read_text("utf-8").splitlines()]
    relation = f'"{table}"' if scheme == "duckdb" else f"read_parquet('{path}/{table}/*.parquet')"
    with duckdb.connect(str(path) if scheme == "duckdb" else ":memory:") as connection:
        found = connection.execute(f"SELECT * FROM {relation}")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def in_order(table: str, rows: Sequence[Row]) -> list[Row]:
    """Return rows ordered by key; fail if one comes twice."""
    key = TABLES[table].full_key
    found = sorted(rows, key=lambda row: [str(row[name]) for name in key])
    keys = [tuple(str(row[name]) for name in key) for row in found]
    assert len(set(keys)) == len(keys), f"{table} has a row twice"
    return found


def same(expected: Mapping[str, Sequence[Row]], found: Mapping[str, Sequence[Row]]) -> int:
    """Fail unless both have the same rows; return how many were compared."""
    for table, rows in expected.items():
        right, ours = in_order(table, rows), in_order(table, found[table])
        missing, surplus = _apart(right, ours), _apart(ours, right)
        assert (missing, surplus) == ([], []), f"{table}: {len(missing)} missing, {len(surplus)} surplus"
    return sum(map(len, expected.values()))


def _apart(some: Sequence[Row], others: Sequence[Row]) -> list[str]:
    """Return what only *some* have; rows have lists in them, hence the text."""
    return list((Counter(map(str, some)) - Counter(map(str, others))).elements())


@asynccontextmanager
async def hunting(network: str, folder: Path, *, seed: int | None = None) -> AsyncIterator[tuple[Hunt, Any]]:
    """Give a hunt with its server; *seed* decides what the server has."""
    prey, epoch = PREY[network], time.time()
    knobs = prey.knobs if seed is None else {**prey.knobs, "seed": seed}
    again = partial(load(network), now=clock_of(epoch).now, **knobs)
    zygote = await Zygote.start(network)
    try:
        async with again() as server:
            yield Hunt(prey, zygote, server, again, folder, epoch), server
    finally:
        await zygote.close()
        await asyncio.sleep(0)
