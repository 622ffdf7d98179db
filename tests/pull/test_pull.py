"""What ``adnet.pull`` raises and tells, without processes and kills."""

import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
import pytest

import adnet
from adnet.client import Account
from adnet.interface import Connector, QueuesReports, ReadsStats
from adnet.models import AccountInfo, ModelBatch, ReportQuery, StatRow
from adnet.money import Money
from adnet.operations.jobs import ReportRunner
from adnet.operations.windows import Left
from adnet.periods import Period
from adnet.pull.checkpoint import PullCheckpoint
from adnet.pull.source import Run
from adnet.sandbox.adskeeper import AdskeeperSandbox
from adnet.sandbox.mytarget import MytargetSandbox
from adnet.sandbox.targetcircle import TargetCircleSandbox
from adnet.state import State
from adnet.testing import FakeClock, MemorySink
from adnet.transport.limits import Bucket, Limiter

SINCE, UNTIL = date(2026, 1, 1), date(2026, 1, 3)
BERLIN = ZoneInfo("Europe/Berlin")
HUGE = Money(Decimal("1e12"), "IDR")


class Refusing(MemorySink):
    """A sink that is full."""

    def landing(self, **details):
        """Return a landing whose commit fails."""
        landing = super().landing(**details)

        async def refuse():
            raise adnet.SinkError("the disk is full: make room and run again")

        landing.commit = refuse
        return landing


@pytest.fixture
async def sandbox():
    async with TargetCircleSandbox(seed=7, ready_after_s=0.0) as running:
        yield running


def connected(sandbox, **more):
    return adnet.connect(
        "targetcircle",
        base_url=sandbox.base_url,
        limits={"api": "500/s"},
        **{"currency": "EUR", **sandbox.credentials, **more},
    )


async def test_what_lands_equals_the_truth(sandbox):
    """Sums too, to the last digit."""
    sink = MemorySink()
    async with connected(sandbox) as account:
        result = await adnet.pull(account, since=SINCE, until=UNTIL, to=sink, tables="transactions")
    truth = sandbox.truth("transactions", SINCE, UNTIL)
    landed = sink.rows("transactions")
    assert result.ok
    assert len(landed) == len(truth) == result.rows
    assert sum(row["commission"] for row in landed) == sum(Decimal(str(row["commission"])) for row in truth)


@pytest.mark.parametrize("to", ["memory", "duckdb", "parquet", "csv", "jsonl"])
async def test_rows_that_the_network_tells_no_more_are_counted(sandbox, tmp_path, to):
    """They stay, since they may have been forgotten as well as taken back."""
    sink = MemorySink() if to == "memory" else f"{to}:{tmp_path / 'landed'}"

    async def pull_without(*gone, until=UNTIL):
        async with connected(sandbox) as account:
            read = account.connector.runner.read

            async def some(job):
                async for batch in read(job):
                    yield ModelBatch([row for row in batch.models() if row.transaction_id not in gone])

            account.connector.runner.read = some
            result = await adnet.pull(account, since=SINCE, until=until, to=sink, tables="transactions")
        (table,) = result.tables
        return table

    async with connected(sandbox) as account:
        ids = [tx.transaction_id async for tx in account.list_transactions(since=SINCE, until=UNTIL)]
    first, last = ids[0], ids[-1]
    assert (await pull_without()).vanished_rows == 0
    again = await pull_without(first, last)
    assert (again.rows, again.vanished_rows, again.outcome) == (len(ids) - 2, 2, "landed")
    assert (await pull_without(first, last, until=UNTIL - timedelta(days=1))).vanished_rows == 1
    assert (await pull_without()).vanished_rows == 0


async def test_a_refusing_sink_is_one_plain_error(sandbox):
    """Not a group of them; the remedy is its text."""
    async with connected(sandbox) as account:
        with pytest.raises(adnet.SinkError, match="the disk is full"):
            await adnet.pull(account, since=SINCE, until=UNTIL, to=Refusing())


async def test_one_dead_account_harms_no_other(sandbox):
    """Its tables failed, the other's landed."""
    sink = MemorySink()
    async with (
        connected(sandbox, name="good") as good,
        connected(sandbox, name="bad", token="dead-token-0") as bad,
    ):
        result = await adnet.pull([good, bad], since=SINCE, until=UNTIL, to=sink, tables=["transactions"])
    assert {table.account: table.outcome for table in result.tables} == {"good": "landed", "bad": "failed"}
    assert all(isinstance(error, adnet.AuthenticationError) for error in result.errors)
    assert not result.ok
    assert result.landed


@pytest.mark.parametrize("scheme", ["duckdb", "parquet", "csv"])
async def test_a_value_that_no_column_holds_fails_its_own_table_alone(sandbox, tmp_path, scheme):
    """What one network tells of one offer costs neither its other tables nor any other account."""
    async with connected(sandbox, name="good") as good, connected(sandbox, name="odd") as odd:
        listed = odd.connector.list_offers

        async def list_offers():
            async for batch in listed():
                yield ModelBatch([attrs.evolve(row, highest_payout=HUGE) for row in batch.models()])

        odd.connector.list_offers = list_offers
        result = await adnet.pull(
            [good, odd],
            since=SINCE,
            until=UNTIL,
            to=f"{scheme}:{tmp_path / 'landed'}",
            tables=["offers", "transactions"],
        )
    assert {(table.account, table.table): table.outcome for table in result.tables} == {
        ("good", "offers"): "landed",
        ("good", "transactions"): "landed",
        ("odd", "offers"): "failed",
        ("odd", "transactions"): "landed",
    }
    assert [type(error) for error in result.errors] == [adnet.PayloadError]
    assert "offers.highest_payout: row 0 of this batch does not fit" in str(result.errors[0])


async def test_pulling_twice_changes_nothing(sandbox):
    """Not a row, not a column."""
    sink = MemorySink()
    async with connected(sandbox) as account:
        await adnet.pull(account, since=SINCE, until=UNTIL, to=sink, tables=["transactions", "clicks"])
        before = sink.rows("transactions"), sink.rows("clicks")
        again = await adnet.pull(
            account, since=SINCE, until=UNTIL, to=sink, tables=["transactions", "clicks"]
        )
    assert before == (sink.rows("transactions"), sink.rows("clicks"))
    assert [table.changed_rows + table.new_rows for table in again.tables] == [0, 0]


async def test_a_report_that_was_read_is_not_what_a_later_pull_lands(sandbox):
    """Somebody looked at today; what has come since would else be missing, in what is told as landed now."""
    async with connected(sandbox) as account:
        query = ReportQuery(kind="clicks", period=account.period(SINCE, UNTIL))
        job = await account.submit_report(query)
        while job.state != "ready":
            job = await account.poll_report(job)
        async for _ in account.read_report(job):
            break
        assert [one.job_id for one in account.state.jobs.unfinished()] == [job.job_id]
        rows = [row.click_key async for row in account.read_report(job)]
        assert account.state.jobs.unfinished() == []
        assert [row.click_key async for row in account.read_report(job)] == rows  # once more, as it was
        await adnet.pull(account, since=SINCE, until=UNTIL, to=MemorySink(), tables=["clicks"])
    assert [request.method for request in sandbox.log].count("POST") == 2


async def test_an_account_that_cannot_be_opened_has_failed_in_each_of_its_tables():
    """Adskeeper is asked for the time zone before anything else; ``pulls`` tells that nothing landed, and why."""
    sink, news = MemorySink(), []
    keys = {"client_id": "302702", "token": "0" * 32}
    async with AdskeeperSandbox(seed=7) as running:
        account = adnet.connect("adskeeper", base_url=running.base_url, name="shop", **keys)
        result = await adnet.pull(
            account, since=SINCE, until=UNTIL, to=sink, tables=["campaigns", "stats"], on_progress=news.append
        )
        await account.close()
    assert [(one.account, one.state) for one in news] == [("shop", "ended")] * 2
    assert [(row["account"], row["table"], row["outcome"]) for row in sink.rows("pulls")] == [
        ("shop", "campaigns", "failed"),
        ("shop", "stats", "failed"),
    ]
    assert all(isinstance(error, adnet.AuthenticationError) for error in result.errors)
    assert (len(result.errors), result.landed) == (2, False)


async def test_what_could_not_even_be_asked_has_failed_in_each_of_its_tables(sandbox):
    """No secret, or a day and an instant that are out of order in the account's zone: ``pulls`` tells of it."""
    sink, news, lost = MemorySink(), [], adnet.CredentialsError("no secret")
    async with (
        AdskeeperSandbox(seed=7) as running,
        connected(sandbox, name="good") as good,
        adnet.connect("adskeeper", base_url=running.base_url, name="west", **running.credentials) as west,
    ):
        result = await adnet.pull(
            [good, west],
            since=SINCE,
            until=datetime(2026, 1, 1, 2, tzinfo=UTC),
            to=sink,
            tables=["accounts", "stats", "transactions"],
            unopened={"lost": ("mytarget", lost), "odd": ("nosuch", lost)},
            on_progress=news.append,
        )
    found = {(row["account"], row["table"]): (row["outcome"], row["since"]) for row in sink.rows("pulls")}
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert found == {
        ("good", "accounts"): ("landed", None),
        ("good", "transactions"): ("landed", start),
        ("lost", "accounts"): ("failed", None),
        ("lost", "stats"): ("failed", start),
        ("west", "accounts"): ("failed", None),
        ("west", "stats"): ("failed", start),
    }
    assert {name: str(error) for name, error in result.failures} == {
        "lost": "no secret",
        "odd": "no secret",
        "west": "west: since 2026-01-01T08:00:00+00:00 is not before until 2026-01-01T02:00:00+00:00",
    }
    assert {row["finished_at"] is not None for row in sink.rows("pulls")} == {True}
    assert {(one.account, one.table) for one in news if one.state == "ended"} == set(found)
    assert (result.ok, result.landed, len(result.tables), len(result.errors)) == (False, True, 6, 4)


async def test_each_day_that_instants_touch_lands_whole_in_statistics(sandbox):
    """A network tells them by the day, so that a row of the day cannot be cut; of what has instants one hour lands."""
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    sinks, ends = (MemorySink(), MemorySink()), ((noon, noon + timedelta(hours=1)), (SINCE, date(2026, 1, 2)))
    async with (
        MytargetSandbox(seed=7, campaigns=20, banners=40) as other,
        connected(sandbox, name="shop") as shop,
        adnet.connect("mytarget", base_url=other.base_url, name="ads", **other.credentials) as ads,
    ):
        for sink, (since, until) in zip(sinks, ends, strict=True):
            result = await adnet.pull(
                [shop, ads], since=since, until=until, to=sink, tables=["stats", "transactions"], raw=False
            )
            assert result.ok
    hour, day = (
        {(row["date"], row["object_id"], row["spend"]) for row in sink.rows("stats")} for sink in sinks
    )
    assert hour == day != set()
    assert all(row["occurred_at"].hour == 12 for row in sinks[0].rows("transactions"))


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (date(2026, 3, 1), date(2026, 4, 20)),
        (date(2026, 10, 1), date(2026, 11, 20)),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 31, 12, tzinfo=UTC)),
    ],
)
async def test_no_day_of_statistics_is_asked_for_twice(since, until):
    """Days of 23 and 25 hours and instants in mid day do not move the borders of what lands together."""
    asked = []

    async def list_stats(period, **_):
        asked.append(list(period.days(BERLIN)))
        return
        yield

    async with (
        MytargetSandbox(seed=7, campaigns=2, banners=2) as running,
        adnet.connect("mytarget", base_url=running.base_url, **running.credentials) as account,
    ):
        connector = account.connector
        connector.time_zone, connector.days_at_once, connector.list_stats = BERLIN, 7, list_stats
        await adnet.pull(account, since=since, until=until, to=MemorySink(), tables=["stats"])
    assert [day for days in asked for day in days] == list(Period.of(since, until, BERLIN).days(BERLIN))
    assert {len(days) for days in asked[:-1]} == {7}


async def test_days_that_cannot_be_read_cost_no_others():
    """As a window of a report does not: a week of statistics is missing and told, the others land."""
    async with (
        MytargetSandbox(seed=7, campaigns=20, banners=40) as running,
        adnet.connect("mytarget", base_url=running.base_url, **running.credentials) as account,
    ):
        connector = account.connector
        listed, connector.days_at_once = connector.list_stats, 1

        async def list_stats(period, **options):
            async for batch in listed(period, **options):
                if date(2026, 1, 2) in period.days(connector.time_zone):
                    raise adnet.PayloadError("no number")
                yield batch

        connector.list_stats, sink = list_stats, MemorySink()
        result = await adnet.pull(account, since=SINCE, until=date(2026, 1, 4), to=sink, tables=["stats"])
    assert {row["date"].day for row in sink.rows("stats")} == {1, 3}
    assert [(table.outcome, len(table.errors)) for table in result.tables] == [("partial", 1)]


async def test_a_day_that_has_begun_where_the_account_is_lands(sandbox):
    """At one in the morning in Moscow "today, so far" ends before UTC's today begins: its own accounts land it."""
    sink = MemorySink()
    since, until = SINCE, datetime.combine(SINCE, time.min, UTC) - timedelta(hours=2)
    async with (
        MytargetSandbox(seed=7, campaigns=20, banners=40) as running,
        adnet.connect("mytarget", base_url=running.base_url, **running.credentials) as moscow,
        connected(sandbox) as utc,
    ):
        result = await adnet.pull(
            [moscow, utc], since=since, until=until, to=sink, tables=["stats", "transactions"]
        )
    outcomes = {(table.network, table.table): table.outcome for table in result.tables}
    assert outcomes == {("mytarget", "stats"): "landed", ("targetcircle", "transactions"): "failed"}
    assert {row["date"] for row in sink.rows("stats")} == {since}
    assert [str(error) for error in result.errors] == [
        "targetcircle: since 2026-01-01T00:00:00+00:00 is not before until 2025-12-31T22:00:00+00:00"
    ]


@pytest.mark.parametrize(
    ("zone", "since"),
    [
        (BERLIN, date(2026, 3, 30)),
        (BERLIN, date(2026, 10, 26)),
        (ZoneInfo("Africa/Cairo"), date(2026, 4, 24)),  # begins at one o'clock: its midnight is left out
    ],
)
async def test_a_look_back_is_of_whole_days(zone, since):
    """The day before may have had 23 or 25 hours, and the first may have no midnight."""
    asked = []

    async def list_stats(period, **_):
        asked.append(period.since.astimezone(zone))
        return
        yield

    async with (
        MytargetSandbox(seed=7, campaigns=2, banners=2) as running,
        adnet.connect("mytarget", base_url=running.base_url, **running.credentials) as account,
    ):
        account.connector.time_zone, account.connector.list_stats = zone, list_stats
        until = since + timedelta(days=1)
        await adnet.pull(
            account, since=since, until=until, to=MemorySink(), tables=["stats"], lookback_days=1
        )
    before = since - timedelta(days=1)
    assert asked == [datetime.combine(before, time.min, zone)]


async def test_statistics_by_a_level_that_a_network_lacks_are_left_out():
    """Like any table that it cannot serve: nothing landed, and nothing is told to have landed."""
    sink = MemorySink()
    async with (
        MytargetSandbox(seed=7) as running,
        adnet.connect("mytarget", base_url=running.base_url, **running.credentials) as account,
    ):
        result = await adnet.pull(
            account, since=SINCE, until=UNTIL, to=sink, tables=["accounts", "stats"], levels=["source"]
        )
    assert [(table.table, table.outcome) for table in result.tables] == [("accounts", "landed")]
    assert [row["table"] for row in sink.rows("pulls")] == ["accounts"]


class Queued(Connector, QueuesReports, ReadsStats):
    """Makes its statistics on request, by campaign and by ad."""

    network = "memory"
    account_key = "key"
    report_kinds = frozenset({"stats"})
    levels = ("campaign", "ad")

    limiter = None

    def __init__(self, clock, state):
        self.limiter = Limiter([Bucket("reports", concurrency=10)], clock=clock)
        self.runner = ReportRunner(self, account="shop", clock=clock, state=state)

    async def submit_report(self, job):
        return job.changed(state="ready")

    async def poll_report(self, job): ...

    async def read_report(self, job):
        for day in job.query.period.days():
            yield ModelBatch([StatRow(date=day, level=job.query.level or "campaign", object_id="1")])

    def list_stats(self, period, *, level="campaign", ids=None): ...


@pytest.mark.parametrize("levels", [["ad"], ["campaign", "ad"], ["campaign"]])
async def test_statistics_made_on_request_land_by_each_level(levels):
    """A report is of one level: each that the run asks for is asked for, and nothing lands by another."""
    clock, sink = FakeClock(), MemorySink()
    with State.open(clock=clock) as state:
        account = Account(Queued(clock, state), name="shop", clock=clock, state=state)
        result = await adnet.pull(account, since=SINCE, until=UNTIL, to=sink, levels=levels)
        await account.close()
    assert [(table.table, table.outcome, table.rows) for table in result.tables] == [
        ("stats", "landed", 2 * len(levels))
    ]
    assert {row["level"] for row in sink.rows("stats")} == set(levels)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"tables": ["sales"]}, "there is no table 'sales'"),
        ({"tables": ["campaigns"]}, "none of these accounts can serve any of these tables"),
        ({"accounts": []}, "none of these accounts can serve any of these tables"),
        ({"tables": []}, "no table is named: leave tables out for all of them"),
        ({"levels": ["day"]}, "there is no level 'day'"),
        ({"levels": [5]}, "there is no level '5'"),
        ({"until": date(2025, 1, 1)}, "is not before until"),
        ({"lookback_days": -1}, "lookback_days -1 would leave out days that are asked for"),
        ({"lookback_days": 99_999}, "lookback_days 99999 leads before 1970-01-01"),
        ({"lookback_days": 10**12}, "lookback_days 1000000000000 leads before 1970-01-01"),
        ({"to": "duckbd:x"}, "duckbd"),
    ],
)
async def test_nonsense_is_refused_before_any_request(sandbox, more, words):
    """It names the thing."""
    async with connected(sandbox) as account:
        given = {"accounts": account, "since": SINCE, "until": UNTIL, "to": MemorySink()} | more
        with pytest.raises(adnet.ConfigurationError, match=words):
            await adnet.pull(**given)
    assert not sandbox.log


async def interrupted(account, sink, *, once, **options):
    """Pull, and be cancelled as soon as one of the sources in *once* has come to its state."""

    def hear(news):
        if (news.table, news.state) == once:
            running.cancel()

    running = asyncio.create_task(
        adnet.pull(account, since=SINCE, until=UNTIL, to=sink, on_progress=hear, **options)
    )
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("jobs", [1, 1000])
async def test_two_accounts_of_one_token_land_both(sandbox, tmp_path, jobs):
    """As who wants two currencies has them: what one has landed is nothing that the other has."""
    sink, state = MemorySink(), str(tmp_path / "state.db")
    async with (
        connected(sandbox, state=state, name="eur") as eur,
        connected(sandbox, state=state, name="usd", currency="USD") as usd,
    ):
        result = await adnet.pull(
            [eur, usd], since=SINCE, until=UNTIL, to=sink, tables=["clicks", "trades"], jobs=jobs
        )
    assert result.ok
    for table in ("clicks", "trades"):
        landed = [row["account"] for row in sink.rows(table)]
        assert landed.count("eur") == landed.count("usd") > 0


async def test_an_interrupted_pull_of_fewer_tables_leaves_none_out(sandbox, tmp_path):
    """Trades bring payouts; that they have landed says nothing of payouts that nobody asked for then."""
    sink, state = MemorySink(), str(tmp_path / "state.db")
    async with connected(sandbox, state=state) as account:
        await interrupted(account, sink, once=("trades", "landed"), tables=["trades", "transactions"])
    async with connected(sandbox, state=state) as account:
        result = await adnet.pull(account, since=SINCE, until=UNTIL, to=sink, tables=["trades", "payouts"])
    assert result.ok
    assert {row["parent"] for row in sink.rows("payouts")} == {"offer", "trade"}


async def test_an_interrupted_pull_without_raw_is_not_gone_on_with_by_one_with_it(sandbox, tmp_path):
    """What it has landed lacks what is asked for now."""
    sink, state = MemorySink(), str(tmp_path / "state.db")
    wanted = ["trades", "transactions"]
    async with connected(sandbox, state=state) as account:
        await interrupted(account, sink, once=("trades", "landed"), tables=wanted, raw=False)
    async with connected(sandbox, state=state) as account:
        await adnet.pull(account, since=SINCE, until=UNTIL, to=sink, tables=wanted)
    assert all(row["raw"] for row in sink.rows("trades"))


async def test_a_checkpoint_of_the_future_is_not_gone_on_with():
    """The clock was wrong: how old it is cannot be told."""
    clock, sink, query = FakeClock(), MemorySink(), ReportQuery(kind="clicks")
    await sink.record([{"network": "n", "account": "a", "pull_id": "p", "table": "clicks"}])
    with State.open(clock=clock) as state:
        first, second = (
            PullCheckpoint(
                state.facts, scope="k", query=query, sink=sink, pull_id="p", now=now, lands=["clicks"]
            )
            for now in (clock.now() + timedelta(days=365), clock.now() + timedelta(days=200))
        )
        first.save(Left(()))
        await second.verify()
        assert second.load() is None


async def test_payouts_have_not_landed_before_both_of_their_sources_have(sandbox, tmp_path):
    """An interrupted run tells so: payouts of trades are missing."""
    sink = MemorySink()
    async with connected(sandbox, state=str(tmp_path / "state.db")) as account:
        wanted = ["offers", "trades", "payouts"]
        await interrupted(account, sink, once=("offers", "ended"), tables=wanted)
    outcomes = {row["table"]: row["outcome"] for row in sink.rows("pulls")}
    assert outcomes == {"offers": "landed", "trades": "interrupted", "payouts": "interrupted"}


async def test_accounts_of_one_name_are_refused_before_any_request(sandbox):
    """Their rows would replace each other."""
    async with connected(sandbox) as one, connected(sandbox, token="another-token-1") as two:
        with pytest.raises(adnet.ConfigurationError, match="are called 'targetcircle'"):
            await adnet.pull([one, two], since=SINCE, until=UNTIL, to=MemorySink())
    assert not sandbox.log


async def test_what_landed_before_the_end_of_its_period_is_not_gone_on_with_after_it():
    """A pull of today, interrupted before midnight: the run after midnight asks for all of the day."""
    clock, sink = FakeClock(), MemorySink()
    query = ReportQuery(kind="clicks", period=Period(clock.now(), clock.now() + timedelta(seconds=60)))
    await sink.record([{"network": "n", "account": "a", "pull_id": "p", "table": "clicks"}])
    with State.open(clock=clock) as state:
        first, soon, later = (
            PullCheckpoint(
                state.facts, scope="k", query=query, sink=sink, pull_id="p", now=now, lands=["clicks"]
            )
            for now in (clock.now(), clock.now() + timedelta(seconds=59), clock.now() + timedelta(seconds=60))
        )
        first.save(Left(()))
        await soon.verify()
        await later.verify()
        assert (soon.load(), later.load()) == (Left(()), None)


@pytest.mark.parametrize("places", [2, 100])
async def test_few_reports_are_read_at_once(sandbox, monkeypatch, places):
    """Each holds pages and rows in memory; hundreds of accounts may wait for theirs, and get them at the same time."""
    monkeypatch.setattr(sys.modules[Run.__module__], "READINGS", places)
    reading, most = set(), []

    def hear(news):
        if news.state == "reading":
            reading.add(news.account)
        elif news.state == "landed":
            reading.discard(news.account)
        most.append(len(reading))

    async with AsyncExitStack() as stack:
        accounts = [
            await stack.enter_async_context(connected(sandbox, name=f"a{number}")) for number in range(8)
        ]
        result = await adnet.pull(
            accounts, since=SINCE, until=UNTIL, to=MemorySink(), tables=["transactions"], on_progress=hear
        )
    assert result.ok
    assert len({(table.account, table.rows) for table in result.tables}) == 8
    assert (max(most) == 2) if places == 2 else (max(most) > 2)


@pytest.mark.parametrize(("table", "most"), [("offers", 2), ("ads", 2), ("accounts", 5)])
async def test_few_lists_of_objects_are_read_at_once(sandbox, monkeypatch, table, most):
    """Their pages are large; what proves the credentials waits for none of them."""
    monkeypatch.setattr(sys.modules[Run.__module__], "LISTS", 2)
    under_way, seen = 0, []

    async def slowly():
        nonlocal under_way
        under_way += 1
        seen.append(under_way)
        for _ in range(20):
            await asyncio.sleep(0)
        under_way -= 1

    async def listed():
        await slowly()
        for _ in ():
            yield

    async def told():
        await slowly()
        return AccountInfo(account_id="1")

    async with AsyncExitStack() as stack:
        accounts = [
            await stack.enter_async_context(connected(sandbox, name=f"a{number}")) for number in range(5)
        ]
        for account in accounts:
            account.connector.list_offers = account.connector.list_ads = listed
            account.connector.get_account = told
        result = await adnet.pull(accounts, since=SINCE, until=UNTIL, to=MemorySink(), tables=[table])
    assert result.ok
    assert (len(seen), max(seen)) == (5, most)


async def test_a_network_that_hangs_holds_up_no_other(sandbox, monkeypatch):
    """Its reports take up its own places for reading."""
    monkeypatch.setattr(sys.modules[Run.__module__], "READINGS", 1)
    landed = asyncio.Event()

    async def hanging(job):
        await landed.wait()
        raise adnet.JobFailedError("it never came", network="elsewhere", account="stuck")
        yield job

    def hear(news):
        if (news.account, news.state) == ("good", "landed"):
            landed.set()

    async with connected(sandbox, name="stuck") as stuck, connected(sandbox, name="good") as good:
        stuck.network = stuck.connector.network = "elsewhere"
        stuck.connector.runner.read = hanging
        await good.open()
        good.connector.runner.submit = after(good.connector.runner.submit)
        async with asyncio.timeout(20):
            result = await adnet.pull(
                [stuck, good],
                since=SINCE,
                until=UNTIL,
                to=MemorySink(),
                tables=["transactions"],
                on_progress=hear,
            )
    assert {table.account: table.outcome for table in result.tables} == {"stuck": "failed", "good": "landed"}


def after(call):
    """Return *call* half a second later, so that another account is read first."""

    async def later(*args):
        await asyncio.sleep(0.5)
        return await call(*args)

    return later
