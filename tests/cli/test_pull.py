"""``adnet pull`` as a user sees it."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime

import click
import duckdb
import pytest

from adnet.cli._landed import profile_table
from adnet.cli._progress import Watch, watching
from adnet.cli.output import Output
from adnet.cli.pull import MomentType
from adnet.pull import Progress
from adnet.pull.result import TableResult
from adnet.transport.events import Meter
from cli.kit import PERIOD, Partner, configure, landed

LAND = (*PERIOD, "--to", "duckdb:ads.duckdb")


class TestLanding:
    def test_everything(self, adnet, partner):
        """All tables of all accounts land, and are told on standard output."""
        configure(partner.account("one"), partner.account("two"))
        ran = adnet("pull", *LAND)
        assert (ran.code, ran.err) == (0, "")
        assert landed("SELECT DISTINCT account FROM transactions ORDER BY 1") == [("one",), ("two",)]
        assert "two      transactions  landed" in ran.out

    def test_one_account_and_one_table(self, adnet, partner):
        """Words choose accounts and tables."""
        configure(partner.account("one"), partner.account("two"))
        ran = adnet("pull", "two", *LAND, "--table", "trades", "--table", "offers", "--json")
        tables = {(table["account"], table["table"]) for table in ran.json["tables"]}
        assert {("two", "offers"), ("two", "trades")} == tables

    def test_numbers_are_those_of_the_database(self, adnet, partner):
        """What is told as rows is what a program finds."""
        configure(partner.account())
        (table,) = adnet("pull", *LAND, "--table", "transactions", "--json").json["tables"]
        assert [(table["rows"],)] == landed("SELECT count(*) FROM transactions")
        assert (table["rows"], 0) == (table["new_rows"], table["changed_rows"])
        assert (table["since"], table["outcome"]) == ("2026-10-01T00:00:00+00:00", "landed")

    def test_again(self, adnet, partner):
        """Pulling the same period twice changes nothing."""
        configure(partner.account())
        adnet("pull", *LAND, "--table", "clicks")
        (table,) = adnet("pull", *LAND, "--table", "clicks", "--json").json["tables"]
        assert table["rows"] > 100
        assert (table["new_rows"], table["changed_rows"]) == (0, 0)

    def test_rows_that_the_network_tells_no_more_are_told(self, adnet, partner):
        """They count in every sum; with --json, too, and once they are told no more there is nothing to tell."""
        configure(partner.account())
        adnet("pull", *LAND, "--table", "clicks")
        with duckdb.connect("ads.duckdb") as landed_before:
            landed_before.execute(
                "UPDATE clicks SET click_key = 'taken back' WHERE click_key IN (SELECT min(click_key) FROM clicks)"
            )
        ran = adnet("pull", *LAND, "--table", "clicks", "--json")
        (table,) = ran.json["tables"]
        assert (ran.code, table["new_rows"], table["vanished_rows"]) == (0, 1, 1)
        told = "partner: clicks: the network no longer tells 1 of the rows that landed before for this period"
        assert ran.line == f"adnet: {told}; they stay and count"

    def test_rows_have_standard_output_for_themselves(self, adnet, partner):
        """With jsonl:- the result goes to standard error."""
        configure(partner.account())
        ran = adnet("pull", *PERIOD, "--to", "jsonl:-", "--table", "transactions")
        assert all(
            "transaction_id" in json.loads(line) for line in ran.out.splitlines() if "tracking_id" in line
        )
        assert "partner  transactions  landed" in ran.err

    def test_without_raw(self, adnet, partner):
        """--no-raw leaves the networks' own objects out."""
        configure(partner.account())
        adnet("pull", *LAND, "--table", "transactions", "--no-raw")
        assert landed("SELECT count(raw) FROM transactions") == [(0,)]

    def test_lookback(self, adnet, partner):
        """--lookback asks for earlier days too."""
        configure(partner.account())
        adnet("pull", *LAND, "--table", "transactions", "--lookback", "1")
        assert [(date(2026, 9, 30),)] == landed("SELECT min(occurred_at)::DATE FROM transactions")

    def test_profile(self, adnet, partner):
        """--profile shows where the time went, for people and for machines."""
        configure(partner.account())
        words = ("pull", *LAND, "--table", "transactions", "--profile")
        assert "account  table         limit  retry  token  server" in adnet(*words).out
        profile = adnet(*words, "--json").json["tables"][0]["profile"]
        assert {"limit", "retry", "token", "server", "poll", "decode", "sink"} == profile.keys()
        assert profile["server"] > 0


class TestFailing:
    def test_refused_credentials(self, adnet, partner):
        """Where every error is about credentials, the code is 3, and one line names account and remedy."""
        configure(partner.account(token="wrong-token-wrong"))
        ran = adnet("pull", *LAND)
        assert ran.code == 3
        assert "partner" in ran.line
        assert "check the account's credentials" in ran.line
        assert "wrong-token" not in ran.out + ran.err

    def test_some_accounts(self, adnet, partner):
        """Where something landed and something did not, the code is 4."""
        configure(partner.account("good"), partner.account("bad", token="wrong-token-wrong"))
        ran = adnet("pull", *LAND, "--table", "offers")
        assert ran.code == 4
        assert landed("SELECT DISTINCT account FROM offers") == [("good",)]
        assert ran.line.startswith("adnet: offers: bad ")

    def test_unreachable(self, adnet, partner):
        """Where no network could be reached, the code is 5."""
        configure(partner.account(base_url="http://127.0.0.1:9/api"))
        ran = adnet("pull", *LAND, "--table", "accounts", "--json")
        assert ran.code == 5
        assert "cannot connect to http://127.0.0.1:9" in ran.line
        assert ran.json["tables"][0]["errors"][0]["type"] == "ConnectError"

    def test_unbelievable(self, adnet, home):
        """A report that is never whole does not land, and the code is 5."""
        with Partner(faults={"foreign-location": 1.0}) as liar:
            configure(liar.account())
            ran = adnet("pull", *LAND, "--table", "clicks")
        assert ran.code == 5
        assert "outside the configured origin" in ran.line
        assert landed("SELECT * FROM clicks") == []

    def test_missing_secret(self, adnet, partner, monkeypatch):
        """The night's pull of all others lands; `pulls` tells what did not, also where no account is left."""
        monkeypatch.delenv("NOT_HERE", raising=False)
        other = '[accounts.other]\nnetwork = "targetcircle"\ntoken = { env = "NOT_HERE" }\n'
        configure(other, partner.account())
        told = "adnet: token of account 'other': the environment variable NOT_HERE is not set; set it"
        ran = adnet("pull", *LAND, "--table", "trades")
        assert (ran.code, ran.line) == (4, told)
        assert landed("SELECT DISTINCT account FROM trades") == [("partner",)]
        outcomes = 'SELECT account, "table", outcome FROM pulls ORDER BY 1'
        assert landed(outcomes) == [("other", "trades", "failed"), ("partner", "trades", "landed")]
        ran = adnet("pull", "other", *PERIOD, "--to", "duckdb:none.duckdb", "--table", "trades", "--json")
        assert (ran.code, ran.line) == (2, told)
        assert [failure["account"] for failure in ran.json["failures"]] == ["other"]
        assert landed(outcomes, "none.duckdb") == [("other", "trades", "failed")]

    def test_missing_setting(self, adnet, partner):
        """What the configuration lacks is told as such: 2 when nothing landed, 4 beside what did."""
        configure(partner.account(currency=None))
        assert adnet("pull", *LAND, "--table", "transactions").code == 2
        ran = adnet("pull", *LAND, "--table", "transactions", "--table", "trades")
        assert ran.code == 4
        assert "transactions need a currency" in ran.line


class TestBadInput:
    def words(self, **changes):
        options = {"since": "2026-10-01", "until": "2026-10-02", "to": "duckdb:ads.duckdb", **changes}
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"until": "2026-10-01"}, "since 2026-10-01 is not before until 2026-10-01"),
            ({"since": "0001-01-01", "until": "9999-12-31"}, "since 0001-01-01 is before 1970-01-01"),
            ({"since": "0001-01-01T00:00:00+03:00"}, "is no instant between the years 1 and 9999"),
            ({"until": "9999-12-31T23:59:59-01:00"}, "is no instant between the years 1 and 9999"),
            ({"since": "2026-10-32"}, "'2026-10-32' is no day; write 2026-01-31"),
            ({"since": "2026-10-01T00:00:00"}, "has no offset; end it with Z"),
            ({"to": "duckb:x"}, "did you mean 'duckdb:'?"),
            ({"to": "duckdb:"}, "names no place"),
            ({"to": "csv:~no-such-user/ads"}, "there is no home folder for ~no-such-user"),
            ({"config": "~no-such-user/adnet.toml"}, "there is no home folder for ~no-such-user"),
            ({"to": "duckdb:\udcff.duckdb"}, "is not text in UTF-8; name another place"),
            ({"table": "campaigns"}, "none of these accounts can serve any of these tables"),
            ({"table": "campains"}, "'campains' is not one of"),
            ({"level": "sauce"}, "'sauce' is not one of"),
            ({"jobs": "0"}, "not in the range"),
            ({"lookback": "-1"}, "not in the range"),
            ({"lookback": "99999999"}, "not in the range"),
        ],
    )
    def test_words(self, adnet, partner, changes, message):
        """What cannot be meant is told in one line, before anything is sent."""
        configure(partner.account())
        sent = len(partner.sandbox.log)
        ran = adnet("pull", *self.words(**changes))
        assert (2, sent) == (ran.code, len(partner.sandbox.log))
        assert message in ran.line

    def test_account(self, adnet, partner):
        """An account that is not in the file is told with the nearest."""
        configure(partner.account())
        ran = adnet("pull", "partnr", *LAND)
        assert ran.code == 2
        assert "did you mean 'partner'?" in ran.line

    def test_state_that_others_can_read(self, adnet, partner, home):
        """A state that others can read is refused with the remedy."""
        configure(partner.account())
        (home / "state.db").touch(mode=0o644)
        ran = adnet("pull", *LAND)
        assert ran.code == 2
        assert f"chmod 600 {home / 'state.db'}" in ran.line

    def test_damaged_state(self, adnet, partner, home):
        """A file that is no state is left as it is."""
        configure(partner.account())
        file = home / "state.db"
        file.write_bytes(b"no database at all " * 100)
        file.chmod(0o600)
        ran = adnet("pull", *LAND)
        assert (ran.code, file.read_bytes()) == (2, b"no database at all " * 100)
        assert "not a state file or damaged: move it away" in ran.line

    def test_damaged_sink(self, adnet, partner, home):
        """A file that is no database is left as it is."""
        configure(partner.account())
        (home / "ads.duckdb").write_bytes(b"no database at all")
        ran = adnet("pull", *LAND)
        assert (ran.code, (home / "ads.duckdb").read_bytes()) == (2, b"no database at all")
        assert "ads.duckdb" in ran.line

    def test_sink_in_use(self, adnet, partner, home):
        """A database that another process has open is told as such."""
        configure(partner.account())
        code = "import duckdb, sys; c = duckdb.connect('ads.duckdb'); print('open', flush=True); sys.stdin.read()"
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout.readline() == b"open\n"
            ran = adnet("pull", *LAND)
            holder.stdin.close()
        assert ran.code == 2
        assert "in use by process" in ran.line


class TestMoment:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2026-01-31", date(2026, 1, 31)),
            ("2026-01-31T06:00:00Z", datetime(2026, 1, 31, 6, tzinfo=UTC)),
            ("2026-01-31T06:00:00+02:00", datetime(2026, 1, 31, 4, tzinfo=UTC)),
        ],
    )
    def test_days_and_instants(self, text, moment):
        """A day stays a day; an instant becomes one in UTC."""
        assert moment == MomentType().convert(text, None, None)

    @pytest.mark.parametrize(
        "text", ["", "yesterday", "2026-1-3", "20260131", "2026-01-31T25:00Z", "1767225600"]
    )
    def test_nonsense(self, text):
        """Anything else is refused."""
        with pytest.raises(click.UsageError):
            MomentType().convert(text, None, None)


class TestProgress:
    def told(self, *news):
        watch = Watch(2)
        for account, table, state, *rows in news:
            watch.tell(Progress(account=account, table=table, state=state, rows=rows[0] if rows else 0))
        return watch

    def test_account_is_done_when_nothing_of_it_is_under_way(self):
        """An account counts as done when its last table has ended."""
        watch = self.told(
            ("a", "x", "started"), ("a", "y", "started"), ("b", "x", "started"), ("a", "x", "ended")
        )
        assert watch.done == 0
        watch.tell(Progress(account="a", table="y", state="ended"))
        assert watch.done == 1

    def test_rows_read_and_rows_landed(self):
        """Rows that are read add up for their table, rows that landed for the run."""
        watch = self.told(("a", "x", "reading", 10), ("a", "x", "reading", 5), ("a", "x", "landed", 15))
        assert (watch.rows, watch.busiest()) == (15, [("a", "x", "reading", 15)])

    def test_nearest_to_its_end_comes_first(self):
        """What is being read stands above what waits, and no more lines than fit."""
        watch = self.told(
            ("a", "x", "queued"), ("a", "y", "reading", 1), *((str(n), "z", "started") for n in range(30))
        )
        assert [line[2] for line in watch.busiest()][:2] == ["reading", "queued"]
        assert len(watch.busiest()) == 12

    def test_nothing_moves_without_a_terminal(self):
        """Where standard error is no terminal, there is no bar."""
        with watching(Output(), 1) as tell:
            assert tell is None

    def test_bar(self, monkeypatch, capsys):
        """On a terminal the bar shows accounts, tables and rows, and goes away in the end."""
        monkeypatch.setattr(Output, "lively", staticmethod(lambda: True))
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
        with watching(Output(), 3) as tell:
            for number in range(20):
                tell(Progress(account=f"a[b]{number}", table="clicks", state="reading", rows=1234))
        shown = capsys.readouterr().err
        assert "0/3" in shown
        assert "a[b]0" in shown
        assert "1,234 rows" in shown
        assert "and 8 more" in shown


def test_profile_leaves_out_what_cost_nothing():
    """A table that came with another one has no line of its own."""
    common = {"network": "n", "account": "a", "period": None, "started_at": datetime(2026, 1, 1, tzinfo=UTC)}
    results = [
        TableResult(table="offers", meter=Meter(server_s=3.0, sink_s=1.0), **common),
        TableResult(table="payouts", **common),
    ]
    assert profile_table(results).rows == [
        ("a", "offers", "-", "-", "-", "3.00 (75%)", "-", "-", "1.00 (25%)")
    ]


def test_landed_file_opens_in_duckdb(adnet, partner):
    """Every table of the design is there, with its history."""
    configure(partner.account())
    adnet("pull", *LAND, "--table", "accounts")
    with duckdb.connect("ads.duckdb", read_only=True) as connection:
        names = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert {"transactions", "transactions_history", "stats", "stats_history", "clicks", "pulls"} <= names


@pytest.mark.parametrize("terminal", [False, True])
def test_rows_stay_on_standard_output_beside_a_bar(adnet, partner, monkeypatch, terminal):
    """The bar is standard error's; rows of jsonl:- go where they were sent, a file or the terminal itself."""
    monkeypatch.setattr(Output, "lively", staticmethod(lambda: True))
    monkeypatch.setattr(Output, "styled", staticmethod(lambda: terminal))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    configure(partner.account())
    ran = adnet("pull", *PERIOD, "--to", "jsonl:-", "--table", "transactions")
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.code, {row["table"] for row in rows}, len(rows) > 10) == (0, {"transactions"}, True)
