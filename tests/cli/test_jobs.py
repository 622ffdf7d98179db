"""``adnet jobs``: looking at the journal, going on, and giving up."""

import shlex
from datetime import UTC, datetime

import pytest

from adnet import config
from adnet.models import ReportJob, ReportQuery
from adnet.periods import Period
from cli.kit import configure, landed

DAY = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC))


@pytest.fixture
def leave(home):
    """Return a function that leaves a job in the journal, as a killed run does."""

    def left(**details):
        loaded = config.load("adnet.toml", only=())
        query = details.pop("query", ReportQuery(kind="clicks", period=DAY))
        details.setdefault("account", "partner")
        job = ReportJob(network="targetcircle", query=query, **details)
        with config.open_state(loaded) as state:
            return state.jobs.save(job).job_id

    return left


def key_of(adnet, partner):
    """Return the key under which the partner's jobs are kept, as a pull leaves it behind."""
    configure(partner.account())
    adnet("pull", "--since", "2026-09-01", "--until", "2026-09-02", "--table", "clicks", "--to", "jsonl:old")
    with config.open_state(config.load("adnet.toml", only=())) as state:
        return state.jobs.all()[0].account_key


class TestList:
    def test_latest_first(self, adnet, partner, leave):
        """Jobs are listed with what they are about, the latest change first."""
        configure(partner.account())
        leave(state="failed", error="the network said no")
        leave(state="running", report_id="r1")
        first, second = adnet("jobs", "list", "--json").json["jobs"]
        assert [(job["state"], job["report_id"], job["finished"]) for job in (first, second)] == [
            ("running", "r1", False),
            ("failed", None, True),
        ]
        assert (first["kind"], first["since"]) == ("clicks", "2026-10-01T00:00:00+00:00")

    def test_for_people(self, adnet, partner, leave):
        """A line shows the beginning of the id, which is enough to name it."""
        configure(partner.account())
        job = leave(state="failed", error="the network said no")
        out = adnet("jobs", "list").out
        assert job[:12] in out
        assert "the network said no" in out

    def test_unfinished(self, adnet, partner, leave):
        """--unfinished leaves out what has ended, and --limit what is older."""
        configure(partner.account())
        leave(state="done")
        jobs = [leave(state="running"), leave(state="submitted")]
        listed = adnet("jobs", "list", "--unfinished", "--json").json["jobs"]
        assert jobs[::-1] == [job["job"] for job in listed]
        assert len(adnet("jobs", "list", "--limit", "1", "--json").json["jobs"]) == 1
        ran = adnet("jobs", "list", "--limit", 10**20)
        assert (ran.code, "is not in the range" in ran.line) == (2, True)

    def test_without_a_configuration(self, adnet, home):
        """Without any configuration it is the journal in the platform's state folder."""
        assert adnet("jobs", "list", "--json").json == {"jobs": []}


class TestCancel:
    def test_by_the_beginning_of_its_id(self, adnet, partner, leave):
        """A cancelled job is not taken up any more."""
        configure(partner.account())
        job = leave(state="running")
        assert {"jobs": [{"job": job, "cancelled": True}]} == adnet("jobs", "cancel", job[:8], "--json").json
        assert adnet("jobs", "list", "--unfinished", "--json").json["jobs"] == []

    def test_ended_already(self, adnet, partner, leave):
        """One that has ended stays as it is."""
        configure(partner.account())
        assert "had ended" in adnet("jobs", "cancel", leave(state="done")).out

    def test_all(self, adnet, partner, leave):
        """--all gives up whatever is unfinished."""
        configure(partner.account())
        leave(state="running")
        leave(state="submitted")
        assert len(adnet("jobs", "cancel", "--all", "--json").json["jobs"]) == 2

    def test_all_goes_with_no_names(self, adnet, partner, leave):
        """Whoever names a job does not mean the others."""
        configure(partner.account())
        jobs = [leave(state="running"), leave(state="running")]
        ran = adnet("jobs", "cancel", jobs[0], "--all")
        assert (ran.code, "name the jobs to cancel, or say --all" in ran.err) == (2, True)
        assert {job["state"] for job in adnet("jobs", "list", "--json").json["jobs"]} == {"running"}

    def test_nothing_names_no_job(self, adnet, partner, leave):
        """Not even the only one there is: a variable that is not set gives up nothing."""
        configure(partner.account())
        leave(state="running")
        for verb in ("cancel", "resume"):
            ran = adnet("jobs", verb, "")
            assert (ran.code, "no job begins with ''" in ran.line) == (2, True)
        assert [job["state"] for job in adnet("jobs", "list", "--json").json["jobs"]] == ["running"]

    def test_unknown(self, adnet, partner, leave):
        """An id that is none, or could be several, is refused."""
        configure(partner.account())
        leave(state="running", job_id="aa1")
        leave(state="running", job_id="aa2")
        assert "no job begins with 'zz'" in adnet("jobs", "cancel", "zz").line
        ran = adnet("jobs", "cancel", "aa")
        assert ran.code == 2
        assert "several jobs begin with 'aa'" in ran.line


class TestResume:
    def test_ready_then_landed_by_the_pull_it_prints(self, adnet, partner, leave):
        """Resuming makes the report ready; the command that is printed lands that very report."""
        leave(account_key=key_of(adnet, partner))
        resumed = adnet("jobs", "resume", "--json")
        assert (resumed.code, [job["state"] for job in resumed.json["jobs"]]) == (0, ["ready"])
        assert "nothing has landed yet" in resumed.err
        (line,) = resumed.json["pulls"]
        asked = len([entry for entry in partner.sandbox.log if entry.method == "POST"])
        pulled = adnet(*shlex.split(line.replace("URI", "duckdb:ads.duckdb"))[1:])
        assert pulled.code == 0
        assert asked == len([entry for entry in partner.sandbox.log if entry.method == "POST"])
        assert landed("SELECT count(*) > 100 FROM clicks") == [(True,)]

    def test_report_without_a_period(self, adnet, partner, leave):
        """A report of no period is landed by a pull of any."""
        key = key_of(adnet, partner)
        leave(account_key=key, query=ReportQuery(kind="trades"))
        (line,) = adnet("jobs", "resume", "--json").json["pulls"]
        assert "--table trades" in line
        assert adnet(*shlex.split(line.replace("URI", "duckdb:ads.duckdb"))[1:]).code == 0

    def test_only_those_named(self, adnet, partner, leave):
        """A job that is named is resumed, others are left."""
        key = key_of(adnet, partner)
        leave(account_key=key)
        job = leave(account_key=key, query=ReportQuery(kind="trades"))
        assert [job] == [resumed["job"] for resumed in adnet("jobs", "resume", job, "--json").json["jobs"]]

    def test_nothing_to_do(self, adnet, partner):
        """Without unfinished jobs, nothing is sent."""
        configure(partner.account())
        before = len(partner.sandbox.log)
        ran = adnet("jobs", "resume")
        assert (0, "", before) == (ran.code, ran.err, len(partner.sandbox.log))

    def test_account_that_is_gone(self, adnet, partner, leave):
        """A job of an account that is not configured any more is told as such."""
        configure(partner.account("other"))
        leave(state="running")
        ran = adnet("jobs", "resume")
        assert ran.code == 2
        assert "its account is not in the configuration" in ran.out

    def test_account_that_cannot_be_opened(self, adnet, partner, leave, monkeypatch):
        """A job of an account without its secret fails by itself; the others are resumed."""
        monkeypatch.delenv("NOT_HERE", raising=False)
        key = key_of(adnet, partner)
        configure(partner.account(), '[accounts.other]\nnetwork = "mgid"\ntoken = { env = "NOT_HERE" }\n')
        leave(account_key=key)
        leave(account="other", state="running")
        ran = adnet("jobs", "resume", "--json")
        told = {job["account"]: (job["state"], job["error"]) for job in ran.json["jobs"]}
        assert ran.code == 4
        assert told["partner"] == ("ready", None)
        assert "the environment variable NOT_HERE is not set; set it" in told["other"][1]
        assert len(ran.json["pulls"]) == 1

    def test_other_credentials(self, adnet, partner, leave):
        """A job that other credentials asked for is not polled with these."""
        configure(partner.account())
        leave(state="running", account_key="somebody else's")
        ran = adnet("jobs", "resume", "--json")
        assert ran.code == 2
        assert "give it up with `adnet jobs cancel" in ran.json["jobs"][0]["error"]
        assert ran.json["pulls"] == []
