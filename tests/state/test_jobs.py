"""The job journal: one report for all who ask the same, and no report lost by a kill."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adnet.errors import StateError
from adnet.models import ReportJob, ReportQuery
from adnet.periods import Period
from adnet.state.database import Database
from adnet.state.jobs import JobJournal
from adnet.state.owners import Owners

PERIOD = Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
QUERY = ReportQuery(kind="transactions", period=PERIOD, currency="EUR")


def new_job(**details: Any) -> ReportJob:
    return ReportJob(
        **{"network": "targetcircle", "account": "a", "account_key": "key", "query": QUERY} | details
    )


@pytest.fixture
def owner(owners: Owners) -> str:
    return owners.me


@pytest.fixture
def journal(database: Database, clock, owners: Owners) -> JobJournal:
    return JobJournal(database, clock, owners)


@pytest.fixture
def neighbour(database: Database, clock, others: Owners) -> JobJournal:
    """The journal as another process sees it."""
    return JobJournal(database, clock, others)


@pytest.fixture
def other(path: Path, clock) -> Iterator[JobJournal]:
    """The journal as an older adnet's process sees it, of which nobody can say whether it lives."""
    elsewhere = Owners(None)
    elsewhere.me = "elsewhere.example:1:5.abcd"
    with closing(Database.open(path)) as database:
        yield JobJournal(database, clock, elsewhere)


def submitted(journal: JobJournal, clock) -> ReportJob:
    job = journal.claim(new_job())
    return journal.save(
        attrs.evolve(job, state="submitted", submitted_at=clock.now(), attempts=1, location="/r/1?page=1")
    )


def test_a_first_claim_is_ones_own(journal: JobJournal, clock, owner: str) -> None:
    """A job nobody asked for is stored as intended, with its owner, its first attempt and times, and returned."""
    asked = new_job(state="ready", owner="somebody")
    claimed = journal.claim(asked)
    assert (asked.job_id, "intended", owner, 1) == (
        claimed.job_id,
        claimed.state,
        claimed.owner,
        claimed.attempts,
    )
    assert clock.now() == claimed.created_at == claimed.updated_at
    assert claimed == journal.get(asked.job_id)


def test_two_callers_share_one_job(journal: JobJournal, neighbour: JobJournal, other: JobJournal) -> None:
    """A second claim, in the same process or elsewhere, gets the first one's job with its owner."""
    first = journal.claim(new_job())
    for claimer in (neighbour, other):
        assert first == claimer.claim(new_job())
    again = journal.claim(new_job())
    assert (first.job_id, 2) == (again.job_id, again.attempts), "who asks again counts again"
    assert [again] == journal.all()


@pytest.mark.parametrize(
    "different",
    [{"account_key": "another"}, {"query": ReportQuery(kind="clicks", period=PERIOD)}],
    ids=["account", "query"],
)
def test_other_accounts_and_queries_are_other_jobs(journal: JobJournal, different: dict[str, Any]) -> None:
    """Only the same account's same query shares."""
    journal.claim(new_job())
    asked = new_job(**different)
    assert asked.job_id == journal.claim(asked).job_id


@pytest.mark.parametrize("state", ["submitted", "running", "ready"])
def test_a_fresh_report_is_gone_on_with(journal: JobJournal, neighbour: JobJournal, clock, state) -> None:
    """A report that was asked for within the hour is taken up, whoever asked for it."""
    job = journal.save(attrs.evolve(submitted(journal, clock), state=state))
    clock.advance(3600)
    assert job == neighbour.claim(new_job())


def test_a_stale_report_is_asked_for_anew(journal: JobJournal, clock) -> None:
    """A report that the network may have dropped is marked as failed, and a new job takes its place."""
    job = submitted(journal, clock)
    clock.advance(61)
    asked = new_job()
    assert asked.job_id == journal.claim(asked, fresh_for_s=60).job_id
    stale = journal.get(job.job_id)
    assert stale
    assert (stale.state, stale.error) == ("failed", "stale")
    assert [asked.job_id] == [job.job_id for job in journal.unfinished("key")]


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_a_finished_job_is_not_shared(journal: JobJournal, clock, state) -> None:
    """Asking again after the end is a new job."""
    journal.save(attrs.evolve(submitted(journal, clock), state=state))
    asked = new_job()
    assert asked.job_id == journal.claim(asked).job_id


def test_the_intention_of_a_dead_process_is_taken_over(
    journal: JobJournal, neighbour: JobJournal, owners: Owners
) -> None:
    """The same job goes on under a new owner, and its attempts still tell what may have been sent."""
    intended = journal.claim(new_job())
    owners.leave()
    claimed = neighbour.claim(new_job())
    assert owners.me != claimed.owner
    assert (intended.job_id, 1, 2) == (claimed.job_id, intended.attempts, claimed.attempts)
    assert [claimed] == journal.all()


def test_the_intention_of_who_cannot_be_seen_is_left_alone_for_two_minutes(
    journal: JobJournal, other: JobJournal, clock, owner: str
) -> None:
    """Where a process cannot be looked at, silence decides."""
    intended = other.claim(new_job())
    clock.advance(119)
    assert intended == journal.claim(new_job())
    clock.advance(1)
    assert owner == journal.claim(new_job()).owner


def test_an_intention_of_a_living_process_is_left_alone_for_an_hour(
    journal: JobJournal, neighbour: JobJournal, clock, owner: str
) -> None:
    """No request takes that long, so its task was cancelled; a short *fresh_for_s* changes nothing."""
    intended = neighbour.claim(new_job())
    clock.advance(3599)
    assert intended == journal.claim(new_job(), fresh_for_s=0)
    clock.advance(1)
    assert owner == journal.claim(new_job()).owner


def test_a_released_intention_is_taken_over_at_once(
    journal: JobJournal, neighbour: JobJournal, owner: str
) -> None:
    """A task that gives up leaves its job to the next, not a wait for a process that lives."""
    first = neighbour.claim(new_job())
    neighbour.release(attrs.evolve(first, owner="somebody else"))
    assert first == journal.claim(new_job()), "only the owner can give it up"
    neighbour.release(first)
    assert (first.job_id, owner) == (journal.claim(new_job()).job_id, journal.get(first.job_id).owner)  # type: ignore[union-attr]


def test_a_cancelled_job_stays_cancelled_unless_it_is_done(journal: JobJournal, clock) -> None:
    """Its runner learns it at the next change, but rows that have landed are a fact."""
    job = submitted(journal, clock)
    assert journal.cancel(job.job_id)
    assert journal.save(attrs.evolve(job, state="running")).state == "cancelled"
    assert not journal.cancel(job.job_id)
    assert not journal.cancel("unknown")
    assert journal.save(attrs.evolve(job, state="done")).state == "done"


def test_lists_of_jobs(journal: JobJournal, clock) -> None:
    """The unfinished come oldest first, of one account or of all; all jobs come newest first."""
    first = submitted(journal, clock)
    clock.advance(1)
    second = journal.claim(new_job(account_key="another"))
    clock.advance(1)
    third = journal.save(new_job(state="done"))
    assert [first, second] == journal.unfinished()
    assert [second] == journal.unfinished("another")
    assert [third, second, first] == journal.all()
    assert [third] == journal.all(limit=1)
    assert journal.get("unknown") is None


def test_another_accounts_job_is_refused(journal: JobJournal, clock) -> None:
    """A saved job is only ever gone on with by the account that made it."""
    job = submitted(journal, clock)
    with pytest.raises(StateError, match=f"job {job.job_id} is another account's: go on with the account"):
        journal.save(attrs.evolve(job, account_key="another"))
    assert job == journal.get(job.job_id)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"version": 99, "query": {"kind": "x"}}', "has format 99.*upgrade adnet"),
        ("{", "not a saved report job"),
    ],
)
def test_a_job_that_cannot_be_read_is_named(
    database: Database, journal: JobJournal, clock, body: str, words: str
) -> None:
    """A newer format or damage is an error with the job's id and a remedy that works; nothing is guessed."""
    job = submitted(journal, clock)
    with database.transaction() as connection:
        connection.execute("UPDATE jobs SET body = ?", (body,))
    for call in (
        lambda: journal.get(job.job_id),
        journal.unfinished,
        journal.all,
        lambda: journal.claim(new_job()),
        lambda: journal.save(job),
    ):
        with pytest.raises(
            StateError, match=rf"job {job.job_id}: .*{words}.*`adnet jobs cancel {job.job_id}`"
        ):
            call()
    assert journal.cancel(job.job_id)
    assert journal.all() == []


def test_an_older_format_still_loads(database: Database, journal: JobJournal, clock) -> None:
    """A job saved before formats were counted, with a field that is gone since, is taken up."""
    job = submitted(journal, clock)
    older = job.to_json().replace('"version":1', '"gone":1')
    with database.transaction() as connection:
        connection.execute("UPDATE jobs SET body = ?", (older,))
    assert job == journal.claim(new_job())


def test_no_secret_is_written(database: Database, journal: JobJournal) -> None:
    """Secrets in an error or in a location's query are masked in the file; the caller's value goes on."""
    job = journal.save(
        new_job(state="failed", error="401 token=S3CRETS3CRET", location="/r?page=2&token=S3CRETS3CRET")
    )
    assert job.location == "/r?page=2&token=S3CRETS3CRET"
    assert "S3CRET" not in database.rows("SELECT body FROM jobs")[0][0]
    stored = journal.get(job.job_id)
    assert stored
    assert stored.location == "/r?page=2&token=%2A%2A%2A"


def test_an_ordinary_location_is_kept_to_the_letter(journal: JobJournal) -> None:
    """Only secret names are touched, so that a report can be taken up where it is."""
    location = "/api/transactions/1b4e?page=2&state=ready&page_token=a%20b&empty="
    job = journal.save(new_job(state="ready", location=location))
    stored = journal.get(job.job_id)
    assert stored
    assert location == stored.location


def test_old_jobs_are_pruned(journal: JobJournal, clock) -> None:
    """Jobs without a change for thirty days are deleted, finished or not."""
    submitted(journal, clock)
    clock.advance(29 * 86400)
    kept = journal.save(new_job(state="done"))
    assert journal.prune() == 0
    clock.advance(2 * 86400)
    assert journal.prune() == 1
    assert [kept] == journal.all()
    assert journal.prune(older_than_s=0) == 1


CLAIMER = """
import sys
from pathlib import Path
from adnet.models import ReportJob, ReportQuery
from adnet.state import State
state = State.open(Path(sys.argv[1]))
for line in sys.stdin:
    query = ReportQuery(kind="clicks", filters={"n": line.strip()})
    asked = ReportJob(network="targetcircle", account="a", account_key="key", query=query)
    job = state.jobs.claim(asked)
    print(job.job_id, int(job.owner == state.owner), flush=True)
"""


def test_of_processes_that_claim_together_one_asks(path: Path, crew) -> None:
    """Three processes that claim the same report at the same moment get one job, and one of them owns it."""
    claimers = crew(CLAIMER, 3, path)
    for n in range(20):
        answers = [answer.split() for answer in claimers.ask(n)]
        assert {answers[0][0]} == {job_id for job_id, _ in answers}
        assert [mine for _, mine in answers].count("1") == 1


def test_a_killed_process_leaves_its_jobs_to_the_next(path: Path, crew) -> None:
    """After a kill -9 the intention is taken over at once, by one process only, and as the same job."""
    first = crew(CLAIMER, 1, path)
    job_id = first.ask("x")[0].split()[0]
    first.kill()
    answers = [answer.split() for answer in crew(CLAIMER, 3, path).ask("x")]
    assert {job_id} == {job for job, _ in answers}
    assert [mine for _, mine in answers].count("1") == 1


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    account=st.text(max_size=20),
    state=st.sampled_from(["intended", "submitted", "running", "ready", "done", "failed"]),
    pages=st.none() | st.integers(0, 10**9),
    moment=st.none() | st.datetimes(timezones=st.just(UTC)),
    filters=st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=5), max_size=3), max_size=3),
)
def test_what_is_saved_comes_back(journal: JobJournal, account, state, pages, moment, filters) -> None:
    """Loading undoes saving."""
    query = ReportQuery(kind="clicks", filters=filters)
    job = new_job(account=account, state=state, pages=pages, rows=pages, submitted_at=moment, query=query)
    saved = journal.save(job)
    assert saved == journal.get(job.job_id)
    assert attrs.evolve(saved, updated_at=None, created_at=None) == job


def test_a_claim_right_after_midnight_of_a_clock_set_back(journal: JobJournal, clock) -> None:
    """A clock that went back makes no report stale."""
    job = submitted(journal, clock)
    clock.present -= timedelta(days=1)
    assert job == journal.claim(new_job())
