"""The main job: every table of every account into a sink, resumable anywhere.

Each table of an account is written down in ``pulls`` before anything is asked, and again with what came of it.
Killed in between, the next run takes up the reports that were under way and lands the same rows once more, which
changes nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

import attrs

from adnet import registry
from adnet.client import Account
from adnet.clock import Clock, SystemClock
from adnet.errors import AdnetError, ConfigurationError, SinkError, StateError
from adnet.hints import hint
from adnet.interface import Capabilities
from adnet.models import TABLES
from adnet.models.words import LEVELS, Level
from adnet.operations.chosen import Words, chosen, texts
from adnet.operations.windows import EARLIEST, check_order
from adnet.periods import Moment, Period, instant
from adnet.pull.result import PullResult, TableResult
from adnet.pull.source import DATED, SOURCES, Progress, Run, Source
from adnet.sinks import Sink, open_sink


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
    tables: Words = None,
    levels: str | Collection[str] = ("campaign",),
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
        tables: Names of tables, one at least; None means all that the account can serve.
        levels: Levels of statistics.
        jobs: Accounts under way at once.
        raw: Whether the network's own objects land too.
        lookback_days: Widens what is dated into the past, since transactions and statistics are restated for months.
        on_progress: Hears how far it is; must be quick.
        unopened: Accounts that could not be opened, by name: their network, and why. Their tables are told as failed.

    Raises:
        ConfigurationError: A table, a level, the period or the sink is of no use, or no account has such tables.
        SinkError: The sink cannot be used; nothing of what had landed is lost.
    """
    pulled = _accounts(accounts)
    _check_apart(pulled)
    check_order(since, until)
    lookback = _lookback(since, lookback_days)
    if tables is not None and not tables:
        raise ConfigurationError("no table is named: leave tables out for all of them")
    tables, levels = chosen(tables), texts(levels)
    _check_names("table", tables or (), TABLES)
    _check_names("level", levels, LEVELS)
    wanted = frozenset(tables or TABLES)
    by_levels = tuple(level for level in LEVELS if level in levels)
    if not unopened and not any(wanted & set(tables_of(one.capabilities, by_levels)) for one in pulled):
        raise ConfigurationError(
            "none of these accounts can serve any of these tables, or not by these levels; see `adnet networks`"
        )
    sink = open_sink(to) if isinstance(to, str) else to
    if isinstance(to, str):
        await sink.open()
    run = Run(
        sink=sink,
        since=since,
        until=until,
        tables=wanted,
        levels=by_levels,
        raw=raw,
        lookback=lookback,
        tell=on_progress or (lambda _: None),
    )
    try:
        result = await _pull_all(run, pulled, jobs, unopened or {})
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


def _lookback(since: Moment, days: int) -> timedelta:
    """Return how far *days* lead back; refuse what leads forward, or to where networks have nothing to report.

    Raises:
        ConfigurationError: It does.
    """
    if days < 0:
        raise ConfigurationError(f"lookback_days {days} would leave out days that are asked for")
    if days > (instant(since) - EARLIEST).days:
        raise ConfigurationError(
            f"lookback_days {days} leads before {EARLIEST:%Y-%m-%d}, when no network had anything to report"
        )
    return timedelta(days=days)


def _check_names(what: str, given: Collection[str], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            raise ConfigurationError(f"there is no {what} {name!r}; {hint(str(name), known)}")


async def _pull_all(
    run: Run, accounts: Sequence[Account], jobs: int, unopened: Mapping[str, tuple[str, AdnetError]]
) -> PullResult:
    results: list[TableResult] = []
    failures: list[tuple[str, AdnetError]] = []
    places = asyncio.Semaphore(max(1, jobs))

    async def fail(*lost: tuple[Account | _Unopened, AdnetError]) -> None:
        failures.extend((account.name, error) for account, error in lost)
        mine = [table for account, error in lost for table in _failed(run, account, error)]
        results.extend(mine)
        await run.recorder.record(mine)

    async def one(account: Account) -> None:
        async with places:
            refusal = await _refusal(account)
            try:
                period = account.period(run.since, run.until)
            except ConfigurationError as error:
                return await fail((account, refusal or error))
            mine = _planned(run, account, period)
            results.extend(mine.values())
            await run.recorder.record(mine.values())
            try:
                if refusal is None:
                    await _pull_account(run, account, mine)
                else:
                    _fail_all(run, account, mine.values(), refusal)
            finally:
                await asyncio.shield(run.recorder.record(mine.values()))

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


def _failed(run: Run, account: Account | _Unopened, error: AdnetError) -> list[TableResult]:
    """Return the tables of an account of which nothing can be asked; in UTC, since its own days are not known."""
    mine: list[TableResult] = []
    with suppress(ConfigurationError):  # nobody knows the tables of a network whose package is broken
        mine += _planned(run, account, _in_utc(run)).values()
    _fail_all(run, account, mine, error)
    return mine


def _in_utc(run: Run) -> Period | None:
    """Return the run's period; None for a day and an instant that only some accounts' zones put in order."""
    try:
        return Period.of(run.since, run.until)
    except ValueError:
        return None


def _fail_all(
    run: Run, account: Account | _Unopened, results: Iterable[TableResult], error: AdnetError
) -> None:
    for result in results:
        result.errors.append(error)
        result.end(account.clock.now(), landed=False)
        run.tell(Progress(account=account.name, table=result.table, state="ended"))


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that says most: one of ours, or else the first; groups inside groups are opened."""
    leaves = [_first(e) if isinstance(e, BaseExceptionGroup) else e for e in errors.exceptions]
    return next((error for error in leaves if isinstance(error, AdnetError)), leaves[0])


def _planned(run: Run, account: Account | _Unopened, period: Period | None) -> dict[str, TableResult]:
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


async def _pull_account(run: Run, account: Account, results: dict[str, TableResult]) -> None:
    sources = []
    async with asyncio.TaskGroup() as group:
        for source in SOURCES:
            feeds = {source, "payouts"} if source in {"offers", "trades"} else {source}
            fed = {table: results[table] for table in results if table in feeds}
            if fed and account.capabilities.supports(SOURCES[source]):
                sources.append(Source(run, account, source, fed))
                group.create_task(sources[-1].run())
    run.ended.extend(sources)
