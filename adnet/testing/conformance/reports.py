"""Report jobs: asked for once, waited for, read whole, gone on with elsewhere, asked for anew when lost."""

import asyncio
from pathlib import Path
from typing import Any, Final

import pytest

from adnet.client import Account
from adnet.errors import ConfigurationError, JobExpiredError, JobFailedError, StateError
from adnet.interface import Capabilities
from adnet.models import ReportJob, ReportQuery
from adnet.testing.conformance._policy import standard
from adnet.testing.conformance._tools import (
    Listing,
    as_rows,
    collect,
    landed_listings,
    open_account,
    same_rows,
)
from adnet.testing.conformance.identity import secrets_of
from adnet.testing.harness import Harness

_MOST_POLLS: Final = 100


def _reported(capabilities: Capabilities) -> list[Listing]:
    if not capabilities.supports("run_report"):
        return []
    return [listing for listing in landed_listings(capabilities) if listing.table in capabilities.reports]


def _queued(capabilities: Capabilities) -> list[str]:
    return sorted(capabilities.report_kinds)


def query_of(account: Account, harness: Harness, listing: Listing) -> ReportQuery:
    """Return the query for the report that equals a list."""
    period = account.period(*harness.period) if listing.dated else None
    return ReportQuery(kind=listing.table, period=period, level=listing.level)


async def made_ready(account: Account, job: ReportJob) -> ReportJob:
    """Poll until *job* is ready."""
    for _ in range(_MOST_POLLS):
        if job.state == "ready":
            return job
        job = await account.poll_report(job)
    raise AssertionError(f"after {_MOST_POLLS} polls the job is {job.state}")


class Reports:
    """Reports on request, and lists in their shape where the network answers at once."""

    @standard(listing=_reported)
    async def test_a_report_equals_its_list(self, harness: Harness, listing: Listing) -> None:
        """``run_report`` gives the rows of the list of the same name.

        If this fails, look at: ``complete_query``, ``submit_report``, ``read_report``.
        """
        account = await harness.account()
        expected = await collect(listing.of(account, *harness.period))
        found = await collect(account.run_report(query_of(account, harness, listing)))
        same_rows(as_rows(expected, listing.table), as_rows(found, listing.table))

    @standard(listing=_reported)
    async def test_submit_poll_read(self, harness: Harness, listing: Listing) -> None:
        """A report can be driven by hand: asked for, polled until it is ready, and read more than once.

        If this fails, look at: the states that ``submit_report`` and ``poll_report`` return.
        """
        account = await harness.account()
        expected = await collect(listing.of(account, *harness.period))
        job = await account.submit_report(query_of(account, harness, listing))
        assert (account.network, account.account_id) == (job.network, job.account_key)
        job = await made_ready(account, job)
        for _ in range(2):
            found = await collect(account.read_report(job))
            same_rows(as_rows(expected, listing.table), as_rows(found, listing.table))

    @standard(listing=_reported)
    async def test_a_saved_job_goes_on_elsewhere(self, harness: Harness, listing: Listing) -> None:
        """A job stored as JSON is polled and read by another object for the account, and not asked for again.

        If this fails, look at: what ``location`` holds, and an ``account_key`` that depends on the process.
        """
        first, wire = await open_account(harness)
        await first.get_account()
        before = len(wire.sent)
        saved = (await first.submit_report(query_of(first, harness, listing))).to_json()
        submitting = {request.route.operation for request in wire.sent[before:]}
        await first.close()
        second, wire = await open_account(harness)
        job = await made_ready(second, ReportJob.from_json(saved))
        found = await collect(second.read_report(job))
        if listing.table in first.capabilities.report_kinds:
            assert submitting
            assert submitting.isdisjoint(request.route.operation for request in wire.sent)
        expected = await collect(listing.of(second, *harness.period))
        same_rows(as_rows(expected, listing.table), as_rows(found, listing.table))

    @standard(listing=_reported)
    async def test_a_saved_job_is_versioned_and_holds_no_secret(
        self, harness: Harness, listing: Listing
    ) -> None:
        """A saved job reads back as it was, a newer format is refused with the remedy, no secret is in it.

        If this fails, look at: locations that carry a token.
        """
        account = await harness.account()
        job = await account.submit_report(query_of(account, harness, listing))
        saved = job.to_json()
        assert job == ReportJob.from_json(saved)
        assert [name for name, secret in secrets_of(harness).items() if secret in saved] == []
        newer = saved.replace('"version":', '"version":9', 1)
        with pytest.raises(StateError, match="upgrade"):
            ReportJob.from_json(newer)

    @standard(listing=_reported)
    async def test_the_job_of_another_account_is_refused(self, harness: Harness, listing: Listing) -> None:
        """A job of another account or network is neither polled nor read, and nothing is sent.

        If this fails, look at: ``account_key`` of the Connector class.
        """
        account = await harness.account()
        job = await account.submit_report(query_of(account, harness, listing))
        sent = len(harness.requests)
        for foreign in (job.changed(account_key="another"), job.changed(network="another")):
            with pytest.raises(ConfigurationError, match="another account"):
                await account.poll_report(foreign)
            with pytest.raises(ConfigurationError, match="another account"):
                account.read_report(foreign)
        assert sent == len(harness.requests)

    @standard(kind=_queued)
    async def test_progress_is_told(self, harness: Harness, kind: str) -> None:
        """``follow_report`` yields the job until it is ready, each time with the same id.

        If this fails, look at: the states that ``poll_report`` returns.
        """
        account = await harness.account()
        job = await account.submit_report(query_of(account, harness, Listing(kind)))
        news = [latest async for latest in account.follow_report(job)]
        assert {job.job_id} == {latest.job_id for latest in news}
        assert news[-1].state == "ready"
        assert news[-1].ready_at is not None

    @standard(kind=_queued)
    async def test_two_callers_share_one_job(self, harness: Harness, kind: str) -> None:
        """Who asks for a report that is under way gets the same job, and nothing is asked for twice.

        If this fails, look at: a connector that runs reports past the ReportRunner.
        """
        one, wire = await open_account(harness)
        query = query_of(one, harness, Listing(kind))
        await one.submit_report(query)
        many, crowded = await open_account(harness)
        jobs = await asyncio.gather(*(many.submit_report(query) for _ in range(5)))
        assert len({job.job_id for job in jobs}) == 1
        assert jobs[0].attempts == 1
        assert len(wire.sent) == len(crowded.sent)

    @standard(kind=_queued)
    async def test_jobs_go_on_after_a_restart(self, harness: Harness, kind: str, tmp_path: Path) -> None:
        """Who asks for the same report in another process takes up what the first one left in the state.

        If this fails, look at: the journal's entry for the job.
        """
        url = f"sqlite:{tmp_path / 'state.db'}"
        first = await harness.account(state=url)
        query = query_of(first, harness, Listing(kind))
        job = await first.submit_report(query)
        await first.close()
        second, wire = await open_account(harness, state=url)
        assert job.job_id == (await second.submit_report(query)).job_id
        assert wire.sent == []

    @standard(kind=_queued)
    async def test_a_failed_report_is_asked_for_again(self, harness: Harness, kind: str) -> None:
        """A report that the network fails is asked for anew, and then complete.

        If this fails, look at: the network's word for failed in ``poll_report``.
        """
        account = await harness.account()
        harness.fault("failed")
        found = await collect(account.run_report(query_of(account, harness, Listing(kind))))
        same_rows(_truth(harness, kind), as_rows(found, kind))

    @standard(kind=_queued)
    async def test_reports_that_always_fail_raise(self, harness: Harness, kind: str) -> None:
        """After three failures JobFailedError rises; it names the job, and is not temporary.

        If this fails, look at: an endless loop around ``submit_report``.
        """
        account = await harness.account()
        harness.fault(*["failed"] * 10)
        error = await _failing(account, query_of(account, harness, Listing(kind)))
        assert isinstance(error, JobFailedError), repr(error)
        assert not error.temporary
        assert error.job_id
        assert account.network == error.network

    @standard(kind=_queued)
    async def test_a_vanished_report_is_asked_for_anew(self, harness: Harness, kind: str) -> None:
        """Rows of a report that vanishes while it is read are never mixed with those of the next one.

        If this fails, look at: how ``read_report`` notices that a page is of another report.
        """
        account = await harness.account()
        harness.fault("evicted", "evicted")
        found = await collect(account.run_report(query_of(account, harness, Listing(kind))))
        same_rows(_truth(harness, kind), as_rows(found, kind))

    @standard(kind=_queued)
    async def test_reports_that_always_vanish_raise(self, harness: Harness, kind: str) -> None:
        """A report that vanishes again and again raises JobExpiredError, which is temporary, and gives no rows.

        If this fails, look at: an endless loop around ``read_report``.
        """
        account = await harness.account()
        harness.fault(*["evicted"] * 1000)
        error = await _failing(account, query_of(account, harness, Listing(kind)))
        assert isinstance(error, JobExpiredError), repr(error)
        assert error.temporary


def _truth(harness: Harness, kind: str) -> list[dict[str, Any]]:
    return harness.truth(kind, *(harness.period if Listing(kind).dated else ()))


async def _failing(account: Account, query: ReportQuery) -> Exception | None:
    rows = []
    try:
        async for row in account.run_report(query):
            rows.append(row)  # noqa: PERF401 - what came before an error counts
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        assert rows == []
        return error
    return None
