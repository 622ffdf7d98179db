"""The main job: every table of every account into a sink, resumable anywhere.

A *source* is one thing that is asked of a network (a report, a list); it feeds one or two tables. Each window
of a source is one landing: staged while it streams in, committed as a whole, and only then marked as done in
the journal. Killed in between, the next run takes the report up again and lands the same rows once more,
which changes nothing.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Any, Final

import attrs

from adnet import registry
from adnet.client import Account
from adnet.clock import Clock, SystemClock
from adnet.errors import (
    AdnetError,
    ConfigurationError,
    JobError,
    JobExpiredError,
    PayloadError,
    SinkError,
    StateError,
)
from adnet.interface import Capabilities
from adnet.models import TABLES, Batch, ModelBatch, ReportJob, ReportQuery
from adnet.models.words import LEVELS, Level
from adnet.operations.jobs import ReportRunner
from adnet.operations.windows import Windows, check_order
from adnet.periods import Moment, Period
from adnet.pull.ahead import WriteBehind
from adnet.pull.checkpoint import PullCheckpoint
from adnet.pull.result import PullResult, TableResult
from adnet.sinks import Sink, open_sink
from adnet.transport.events import metered

SOURCES: Final[dict[str, str]] = {
    "accounts": "get_account",
    "campaigns": "list_campaigns",
    "ads": "list_ads",
    "offers": "list_offers",
    "trades": "list_trades",
    "stats": "list_stats",
    "transactions": "list_transactions",
    "clicks": "list_clicks",
}
"""Source -> the Account operation that serves it. ``payouts`` come with offers and trades."""
DATED: Final = frozenset({"stats", "transactions", "clicks"})


@attrs.frozen(kw_only=True)
class Progress:
    """News of a run, for a progress bar."""

    account: str
    table: str
    state: str
    """``started``, ``queued``, ``running``, ``reading``, ``landed``, ``ended``."""
    rows: int = 0


@attrs.frozen(kw_only=True)
class _Run:
    """What all accounts of a run share."""

    sink: Sink
    since: Moment
    until: Moment
    tables: frozenset[str]
    levels: tuple[Level, ...]
    raw: bool
    lookback: timedelta
    tell: Callable[[Progress], None]
    pull_id: str = attrs.field(factory=lambda: uuid.uuid4().hex)
    ended: list["_Source"] = attrs.field(factory=list)
    """Sources of accounts that have ended."""


@attrs.frozen
class _Unopened:
    """Stands for an account that could not be opened, as far as its tables can be told."""

    network: str
    name: str
    clock: Clock = attrs.field(factory=SystemClock)

    @property
    def capabilities(self) -> Capabilities:
        return registry.load(self.network).capabilities()


def tables_of(capabilities: Capabilities, levels: Collection[Level] = LEVELS) -> tuple[str, ...]:
    """Return the tables that a network can fill, statistics by any of *levels*, in the order of the design."""
    able = {source for source, operation in SOURCES.items() if capabilities.supports(operation)}
    if not set(levels).intersection(capabilities.levels):
        able.discard("stats")
    if {"offers", "trades"} & able:
        able.add("payouts")
    return tuple(name for name in TABLES if name in able)


async def pull(
    accounts: Mapping[str, Account] | Iterable[Account] | Account,
    *,
    since: Moment,
    until: Moment,
    to: str | Sink,
    tables: Collection[str] | None = None,
    levels: Collection[str] = ("campaign",),
    jobs: int = 1000,
    raw: bool = True,
    lookback_days: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
    unopened: Mapping[str, tuple[str, AdnetError]] | None = None,
) -> PullResult:
    """Land the tables of *accounts* for ``[since, until)`` in *to*, and return what came of each.

    What an account cannot serve is left out. A table that could not be had whole is told as ``partial`` or
    ``failed``, the others land. Running it again, after a kill too, changes nothing that has landed already.

    Args:
        accounts: Accounts, e.g. what ``adnet.open`` gives.
        since: First day (of each account's own) or first instant; of statistics each day that is touched lands whole.
        until: End, exclusive.
        to: URI of a sink, e.g. ``"duckdb:ads.duckdb"``, or a Sink that is open.
        tables: Names of tables; None means all that the account can serve.
        levels: Levels of statistics.
        jobs: Accounts under way at once.
        raw: Whether the network's own objects land too.
        lookback_days: Widens transactions and statistics into the past, since they are restated for months.
        on_progress: Hears how far it is; must be quick.
        unopened: Accounts that could not be opened, by name: their network, and why. Their tables are told as failed.

    Raises:
        ConfigurationError: A table, a level, the period or the sink is of no use.
        SinkError: The sink cannot be used; nothing of what had landed is lost.
    """
    chosen = _accounts(accounts)
    _check_apart(chosen)
    check_order(since, until)
    _check_names("table", tables or (), TABLES)
    _check_names("level", levels, LEVELS)
    sink = open_sink(to) if isinstance(to, str) else to
    if isinstance(to, str):
        await sink.open()
    run = _Run(
        sink=sink,
        since=since,
        until=until,
        tables=frozenset(tables or TABLES),
        levels=tuple(level for level in LEVELS if level in levels),
        raw=raw,
        lookback=timedelta(days=lookback_days),
        tell=on_progress or (lambda _: None),
    )
    try:
        result = await _pull_all(run, chosen, jobs, unopened or {})
    finally:
        if isinstance(to, str):
            await sink.close()
    # Only now: a run that dies while others are under way, or while the sink is closed, is gone on with as a whole.
    for source in run.ended:
        source.settle()
    return result


def _accounts(accounts: Mapping[str, Account] | Iterable[Account] | Account) -> list[Account]:
    if isinstance(accounts, Account):
        return [accounts]
    return list(accounts.values() if isinstance(accounts, Mapping) else accounts)


def _check_apart(accounts: Sequence[Account]) -> None:
    """Refuse accounts whose rows would replace each other: what has landed is known by network and name."""
    for (network, name), count in Counter((one.network, one.name) for one in accounts).items():
        if count > 1:
            raise ConfigurationError(
                f"{count} accounts on {network} are called {name!r}, and their rows could not be told apart: give"
                ' each a name of its own, adnet.connect(..., name="...")'
            )


def _check_names(what: str, given: Collection[str], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            raise ConfigurationError(f"there is no {what} {name!r}; there are {', '.join(known)}")


async def _pull_all(
    run: _Run, accounts: Sequence[Account], jobs: int, unopened: Mapping[str, tuple[str, AdnetError]]
) -> PullResult:
    results: list[TableResult] = []
    failures: list[tuple[str, AdnetError]] = []
    places = asyncio.Semaphore(max(1, jobs))

    async def fail(*lost: tuple[Account | _Unopened, AdnetError]) -> None:
        failures.extend((account.name, error) for account, error in lost)
        mine = [table for account, error in lost for table in _failed(run, account, error)]
        results.extend(mine)
        if mine:
            await run.sink.record([result.row(run.pull_id) for result in mine])

    async def one(account: Account) -> None:
        async with places:
            refusal = await _refusal(account)
            try:
                period = account.period(run.since, run.until)
            except ConfigurationError as error:
                return await fail((account, refusal or error))
            mine = _planned(run, account, period)
            results.extend(mine.values())
            await run.sink.record([result.row(run.pull_id) for result in mine.values()])
            try:
                if refusal is None:
                    await _pull_account(run, account, mine)
                else:
                    _fail_all(run, account, mine.values(), refusal)
            finally:
                await asyncio.shield(run.sink.record([result.row(run.pull_id) for result in mine.values()]))

    await fail(*((_Unopened(network, name), why) for name, (network, why) in unopened.items()))
    try:
        async with asyncio.TaskGroup() as group:
            for account in accounts:
                group.create_task(one(account))
    except BaseExceptionGroup as errors:
        # Whatever stops a run stops it for all accounts: one error says what, not one for each of them.
        raise _first(errors) from errors
    return PullResult(pull_id=run.pull_id, to=run.sink.uri, tables=tuple(results), failures=tuple(failures))


async def _refusal(account: Account) -> AdnetError | None:
    """Open an account; return why it cannot be opened, or None."""
    try:
        await account.open()
    except (StateError, SinkError):
        raise
    except AdnetError as error:
        return error.add_context(network=account.network).of_account(account.name)
    return None


def _failed(run: _Run, account: Account | _Unopened, error: AdnetError) -> list[TableResult]:
    """Return the tables of an account of which nothing can be asked; in UTC, since its own days are not known."""
    mine: list[TableResult] = []
    with suppress(ConfigurationError):  # nobody knows the tables of a network whose package is broken
        mine += _planned(run, account, Period.of(run.since, run.until)).values()
    _fail_all(run, account, mine, error)
    return mine


def _fail_all(
    run: _Run, account: Account | _Unopened, results: Iterable[TableResult], error: AdnetError
) -> None:
    for result in results:
        result.errors.append(error)
        result.end(account.clock.now(), landed=False)
        run.tell(Progress(account=account.name, table=result.table, state="ended"))


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that says most: one of ours, or else the first; groups inside groups are opened."""
    leaves = [_first(e) if isinstance(e, BaseExceptionGroup) else e for e in errors.exceptions]
    return next((error for error in leaves if isinstance(error, AdnetError)), leaves[0])


def _planned(run: _Run, account: Account | _Unopened, period: Period) -> dict[str, TableResult]:
    """Return a result to be filled for each table that the account can serve and the run asks for."""
    now = account.clock.now()
    return {
        table: TableResult(
            network=account.network,
            account=account.name,
            table=table,
            period=period if table in DATED else None,
            started_at=now,
        )
        for table in tables_of(account.capabilities, run.levels)
        if table in run.tables
    }


async def _pull_account(run: _Run, account: Account, results: dict[str, TableResult]) -> None:
    sources = []
    async with asyncio.TaskGroup() as group:
        for source in SOURCES:
            feeds = {source, "payouts"} if source in {"offers", "trades"} else {source}
            fed = {table: results[table] for table in results if table in feeds}
            if fed and account.capabilities.supports(SOURCES[source]):
                sources.append(_Source(run, account, source, fed))
                group.create_task(_pull_source(sources[-1]))
    run.ended.extend(sources)


async def _pull_source(source: "_Source") -> None:
    main = next(iter(source.results.values()))
    source.tell("started")
    with metered(main.meter):
        try:
            await source.pull()
        except (StateError, SinkError):
            raise
        except AdnetError as error:
            source.fail(error)
    source.end()


class _Source:
    """One source of one account on its way into its tables."""

    def __init__(self, run: _Run, account: Account, name: str, results: dict[str, TableResult]) -> None:
        self._run = run
        self._account = account
        self._connector: Any = account.connector
        self._name = name
        self.results = results
        for result in results.values():
            result.feeds += 1
        self._units = 0
        self._checkpoint: PullCheckpoint | None = None

    def tell(self, state: str, rows: int = 0) -> None:
        """Report progress."""
        self._run.tell(Progress(account=self._account.name, table=self._name, state=state, rows=rows))

    def fail(self, error: AdnetError) -> None:
        """Note why something is missing, in each table that this source feeds."""
        account = self._account
        error.add_context(network=account.network, account=account.name, operation=SOURCES[self._name])
        for result in self.results.values():
            result.errors.append(error)

    def end(self) -> None:
        """Say how it ended. Payouts end with the later of their two sources."""
        now = self._account.clock.now()
        for result in self.results.values():
            result.end(now, landed=self._units > 0 or result.rows > 0)
        self.tell("ended", sum(result.rows for result in self.results.values()))

    async def pull(self) -> None:
        """Land all windows of the source."""
        runner = getattr(self._connector, "runner", None)
        if runner is not None and self._name in self._account.capabilities.report_kinds:
            await self._pull_report(runner)
        elif self._name == "stats":
            for level in self._run.levels:
                if level in self._account.capabilities.levels:
                    await self._pull_stats(level)
        else:
            await self._land(self._batches())

    def settle(self) -> None:
        """Forget how far the source came, now that the run has ended."""
        if self._checkpoint is not None:
            self._checkpoint.settle()

    @property
    def _period(self) -> Period:
        period = self._account.period(self._run.since, self._run.until)
        return attrs.evolve(period, since=period.since - self._run.lookback)

    # ------------------------------------------------------------------ reports

    async def _pull_report(self, runner: ReportRunner) -> None:
        query = ReportQuery(kind=self._name, period=self._period if self._name in DATED else None)
        query = self._connector.complete_query(query)
        self._checkpoint = checkpoint = PullCheckpoint(
            self._account.state.facts,
            scope=self._connector.account_key,
            query=query,
            sink=self._run.sink,
            pull_id=self._run.pull_id,
            now=self._account.clock.now(),
            lands=(self._account.name, *self.results, "raw" if self._run.raw else "bare"),
        )
        await checkpoint.verify()
        for table, counts in checkpoint.landed.items():
            if table in self.results:
                self.results[table].count(*counts)
                self._units += 1
        windows = Windows(runner, query, checkpoint)
        try:
            while True:
                self.tell("queued")
                try:
                    job = await windows.next()
                    if job is None:
                        return
                    await self._land_report(windows, runner, job)
                except (JobError, PayloadError) as error:
                    # That window is missing and told so; the others may well be had.
                    self.fail(error)
        finally:
            await windows.close()

    async def _land_report(self, windows: Windows, runner: ReportRunner, job: ReportJob) -> None:
        self.tell("reading")
        try:
            rows = await self._land(runner.read(job))
        except JobExpiredError as error:
            windows.again(job, error)
        except AdnetError:
            windows.missed(job.query)
            raise
        else:
            windows.done(job, rows)

    # ------------------------------------------------------------------ lists

    async def _pull_stats(self, level: Level) -> None:
        for unit in _units(self._period, self._connector.days_at_once):
            await self._land(self._connector.list_stats(unit, level=level))

    def _batches(self) -> AsyncIterator[Batch]:
        if self._name == "accounts":
            return self._one_account()
        operation = getattr(self._connector, SOURCES[self._name])
        batches: AsyncIterator[Batch] = operation(self._period) if self._name in DATED else operation()
        return batches

    async def _one_account(self) -> AsyncIterator[Batch]:
        yield ModelBatch([await self._connector.get_account()])

    # ------------------------------------------------------------------ landing

    async def _land(self, batches: AsyncIterator[Batch]) -> int:
        """Land one unit, all of it or nothing, and return how many rows came."""
        rows = 0
        landing = self._run.sink.landing(
            network=self._account.network,
            account=self._account.name,
            fetched_at=self._account.clock.now(),
        )
        meter = next(iter(self.results.values())).meter
        monotonic = self._account.clock.monotonic
        behind = WriteBehind(landing, meter, monotonic)
        try:
            async with aclosing(batches) as stream:  # type: ignore[type-var]
                async for batch in stream:
                    for table in batch.tables():
                        if table in self.results and len(batch):
                            started = monotonic()
                            columns = batch.columns(table, raw=self._run.raw)
                            meter.decode_s += monotonic() - started
                            await behind.write(table, columns)
                            del columns
                    rows += len(batch)
                    self.tell("reading", len(batch))
                    del batch  # so that the next one is decoded in its place
            await behind.settle()
            started = monotonic()
            landed = await landing.commit()
            meter.sink_s += monotonic() - started
        except BaseException:
            await behind.drop()
            await landing.rollback()
            raise
        self._units += 1
        for table, counts in landed.items():
            result = self.results[table]
            result.count(counts.rows, counts.new_rows, counts.changed_rows)
            if self._checkpoint is not None:
                self._checkpoint.count(table, counts)
        self.tell("landed", sum(counts.rows for counts in landed.values()))
        return rows


def _units(period: Period, days: int) -> list[Period]:
    """Return pieces of at most *days* days; all but the last end at the same time of day in UTC."""
    step = timedelta(days=days)
    pieces = []
    since = period.since
    while since < period.until:
        pieces.append(Period(since, min(since + step, period.until)))
        since += step
    return pieces
