"""A report that was asked for is gone on with: by another process, by a newer adnet, and by nobody else's account."""

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

import adnet
from adnet.client import Account
from adnet.errors import ConfigurationError, StateError
from adnet.models import ReportJob, ReportQuery
from adnet.periods import Period
from adnet.sandbox.targetcircle import TargetCircleSandbox
from adnet.state import State
from adnet.testing import FastClock, MemorySink
from adnet.testing.harness import START

from .world import collect

PERIOD = Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))
QUERY = ReportQuery(kind="transactions", period=PERIOD, currency="EUR")
DAYS = {"since": date(2026, 1, 1), "until": date(2026, 1, 3), "tables": ["transactions"]}

FIRST_FORMAT = """
{"version": 1, "job_id": "5d1c", "network": "targetcircle", "account": "partner", "account_key": "KEY",
 "query": {"kind": "transactions", "since": "2026-01-01T00:00:00+00:00", "until": "2026-01-03T00:00:00+00:00",
           "currency": "EUR", "level": null, "filters": {}},
 "state": "submitted", "report_id": "REPORT", "location": "/api/transactions/REPORT?page=1", "row_limit": 1000,
 "attempts": 1, "created_at": "2026-03-02T12:00:00+00:00", "submitted_at": "2026-03-02T12:00:00+00:00"}
"""
"""A job as the first format stored it; this text never changes."""

BEFORE_VERSIONS = """
{"job_id": "5d1c", "network": "targetcircle", "account": "partner", "account_key": "KEY",
 "query": {"kind": "transactions", "since": "2026-01-01T00:00:00+00:00", "until": "2026-01-03T00:00:00+00:00",
           "currency": "EUR"},
 "state": "submitted", "report_id": "REPORT", "location": "/api/transactions/REPORT?page=1"}
"""
"""A job of before there were versions, with the least that it had."""


@contextlib.asynccontextmanager
async def account_on(server: TargetCircleSandbox, **options: Any) -> AsyncIterator[Account]:
    """Give an account with a state of its own, as another process would have it."""
    account = adnet.connect(
        "targetcircle",
        base_url=server.base_url,
        currency="EUR",
        clock=FastClock(start=START),
        **{**server.credentials, **options},
    )
    try:
        yield account
    finally:
        await account.close()


@pytest.fixture
async def server() -> AsyncIterator[TargetCircleSandbox]:
    """Return a running imitation."""
    async with TargetCircleSandbox(per_day=6, ready_after_s=0) as running:
        yield running


@pytest.mark.parametrize("text", [FIRST_FORMAT, BEFORE_VERSIONS], ids=["format 1", "no format"])
async def test_a_job_that_an_older_adnet_stored_is_gone_on_with(server, text):
    """Its report is polled and read, and not asked for again."""
    async with account_on(server) as account:
        submitted = await account.submit_report(QUERY)
    async with account_on(server) as account:
        stored = text.replace("KEY", account.account_id).replace("REPORT", submitted.report_id)
        job = await account.poll_report(ReportJob.from_json(stored))
        rows = await collect(account.read_report(job))
    assert len(rows) == len(server.truth("transactions", DAYS["since"], DAYS["until"]))
    assert [asked.method for asked in server.log].count("POST") == 1


def test_a_job_of_a_newer_adnet_is_refused_with_the_remedy():
    """What it means is not known here, so it is not guessed at."""
    text = json.dumps({**json.loads(FIRST_FORMAT), "version": 2})
    with pytest.raises(StateError, match="has format 2, this adnet reads up to 1: upgrade adnet"):
        ReportJob.from_json(text)


def test_a_newer_job_in_the_journal_is_refused_with_both_remedies(tmp_path):
    """Upgrade, or give it up; the other jobs are not harmed."""
    with State.open(tmp_path / "state.db") as state:
        job = state.jobs.save(ReportJob(network="targetcircle", account="a", account_key="k", query=QUERY))
        with state.database.transaction() as connection:
            connection.execute("UPDATE jobs SET body = replace(body, '\"version\":1', '\"version\":7')")
        with pytest.raises(
            StateError, match=rf"upgrade adnet, or give it up with `adnet jobs cancel {job.job_id}"
        ):
            state.jobs.unfinished()
        assert state.jobs.cancel(job.job_id)
        assert state.jobs.unfinished() == []


async def test_a_job_survives_being_stored_and_read_by_another_process(server):
    """The value is all it takes: no state, no journal."""
    async with account_on(server) as account:
        text = (await account.submit_report(QUERY)).to_json()
    async with account_on(server) as account:
        job = await account.poll_report(ReportJob.from_json(text))
        assert len(await collect(account.read_report(job))) == len(
            server.truth("transactions", DAYS["since"], DAYS["until"])
        )


@pytest.mark.parametrize("use", ["poll_report", "read_report", "follow_report"])
async def test_a_job_of_another_account_is_refused_before_any_request(server, use):
    """Rows of one account never end up in another's tables."""
    async with TargetCircleSandbox(seed=8) as elsewhere, account_on(elsewhere) as other:
        job = await other.submit_report(QUERY)
    async with account_on(server) as account:
        with pytest.raises(ConfigurationError, match="belongs to another account"):
            await used(account, use, job)
    assert server.log == []


async def used(account: Account, use: str, job: ReportJob) -> Any:
    """Call a method on a job, and read what it gives."""
    result = getattr(account, use)(job)
    return await (result if use == "poll_report" else collect(result))


async def test_a_job_with_another_token_is_another_account(server):
    """The same server with other credentials is somebody else."""
    async with account_on(server) as account:
        job = await account.submit_report(QUERY)
    async with account_on(server, token="another-token-altogether") as account:
        with pytest.raises(ConfigurationError, match="belongs to another account"):
            await account.poll_report(job)


def test_a_job_is_never_stored_under_another_account(tmp_path):
    """The journal refuses an id that is taken by another account."""
    job = ReportJob(network="targetcircle", account="a", account_key="k", query=QUERY)
    with State.open(tmp_path / "state.db") as state:
        state.jobs.save(job)
        with pytest.raises(StateError, match="is another account's"):
            state.jobs.save(
                ReportJob(
                    job_id=job.job_id, network="targetcircle", account="b", account_key="l", query=QUERY
                )
            )


async def test_an_unfinished_job_is_taken_up_by_the_next_pull(server, tmp_path):
    """What a run asked for before it was stopped is read, and not asked for again."""
    with State.open(tmp_path / "state.db", clock=FastClock(start=START)) as state:
        async with account_on(server, state=state) as account:
            await account.submit_report(account.connector.complete_query(QUERY))
    with State.open(tmp_path / "state.db", clock=FastClock(start=START)) as state:
        async with account_on(server, state=state) as account:
            result = await adnet.pull(account, to=MemorySink(), **DAYS)
    assert result.ok
    assert [asked.method for asked in server.log].count("POST") == 1


@pytest.mark.parametrize(
    "kept", ["", "null", "[]", "{}", '{"began": 3}', '{"began": "2026-03-02T12:00:00+00:00"}', "x"]
)
async def test_a_checkpoint_that_cannot_be_read_costs_requests_and_no_rows(server, tmp_path, kept):
    """The source is pulled anew."""
    with State.open(tmp_path / "state.db", clock=FastClock(start=START)) as state:
        async with account_on(server, state=state) as account:
            sink = MemorySink()
            assert (await adnet.pull(account, to=sink, **DAYS)).ok
            query = account.connector.complete_query(
                ReportQuery(kind="transactions", period=account.period(DAYS["since"], DAYS["until"]))
            )
            lands = f'["{account.name}","transactions","raw"]'
            state.facts.put(account.account_id, f"pull.{query.key}.{lands}.{sink.uri}", kept)
            assert (await adnet.pull(account, to=sink, **DAYS)).ok
    assert len(sink.rows("transactions")) == len(server.truth("transactions", DAYS["since"], DAYS["until"]))
