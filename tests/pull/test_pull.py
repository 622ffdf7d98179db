"""What ``adnet.pull`` raises and tells, without processes and kills."""

from datetime import date
from decimal import Decimal

import pytest

import adnet
from adnet.sandbox.adskeeper import AdskeeperSandbox
from adnet.sandbox.mytarget import MytargetSandbox
from adnet.sandbox.targetcircle import TargetCircleSandbox
from adnet.testing import MemorySink

SINCE, UNTIL = date(2026, 1, 1), date(2026, 1, 3)


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
        currency="EUR",
        limits={"api": "500/s"},
        **{**sandbox.credentials, **more},
    )


async def test_what_lands_equals_the_truth(sandbox):
    """Sums too, to the last digit."""
    sink = MemorySink()
    async with connected(sandbox) as account:
        result = await adnet.pull(account, since=SINCE, until=UNTIL, to=sink, tables=["transactions"])
    truth = sandbox.truth("transactions", SINCE, UNTIL)
    landed = sink.rows("transactions")
    assert result.ok
    assert len(landed) == len(truth) == result.rows
    assert sum(row["commission"] for row in landed) == sum(Decimal(str(row["commission"])) for row in truth)


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


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"tables": ["sales"]}, "there is no table 'sales'"),
        ({"levels": ["day"]}, "there is no level 'day'"),
        ({"until": date(2025, 1, 1)}, "is not before until"),
        ({"to": "duckbd:x"}, "duckbd"),
    ],
)
async def test_nonsense_is_refused_before_any_request(sandbox, more, words):
    """It names the thing."""
    async with connected(sandbox) as account:
        with pytest.raises(adnet.ConfigurationError, match=words):
            await adnet.pull(account, **{"since": SINCE, "until": UNTIL, "to": MemorySink(), **more})
    assert not sandbox.log
