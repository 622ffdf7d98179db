"""``adnet demo``: everything at once."""

import shlex
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from adnet.cli import _sandboxes, demo
from cli.kit import landed


@pytest.mark.parametrize(
    ("today", "since", "until"),
    [
        (date(2026, 3, 1), date(2026, 2, 1), date(2026, 3, 1)),
        (date(2026, 1, 31), date(2025, 12, 1), date(2026, 1, 1)),
        (date(2028, 3, 31), date(2028, 2, 1), date(2028, 3, 1)),
    ],
)
def test_last_full_month(today, since, until):
    """The month that is pulled is the last one that is over."""
    assert (since, until) == demo.last_month(today)


@pytest.fixture
def short(monkeypatch):
    """Let the demonstration be about two days."""
    monkeypatch.setattr(demo, "last_month", lambda _: (date(2026, 10, 1), date(2026, 10, 3)))


class TestDemo:
    def test_every_network_lands(self, adnet, home, short):
        """Everything that is imitated is pulled into one database, and the database is asked."""
        ran = adnet("demo", "--dir", "here", "--json")
        assert (0, str(home / "here")) == (ran.code, ran.json["folder"])
        found = {name for (name,) in landed("SELECT DISTINCT network FROM pulls", "here/ads.duckdb")}
        assert set(_sandboxes.connectable()) == found
        assert {"landed"} == {table["outcome"] for table in ran.json["pull"]["tables"]}
        questions = [answer["question"] for answer in ran.json["answers"]]
        assert [*list(demo.QUESTIONS)[:3], demo.PAID] == questions
        paid = ran.json["answers"][-1]["rows"]
        assert {row["network"] for row in paid} <= {"adskeeper", "mgid"}
        assert all(Decimal(row["profit"]) == Decimal(row["earned"]) - Decimal(row["spend"]) for row in paid)

    def test_again_and_what_it_says(self, adnet, home, short, monkeypatch):
        """A second run changes nothing that has landed, and ends with what may be typed next."""
        monkeypatch.setattr(demo, "connectable", lambda: ["targetcircle"])
        adnet("demo", "--dir", "here")
        ran = adnet("demo", "--dir", "here")
        again = (
            "SELECT sum(new_rows + changed_rows) FROM pulls GROUP BY pull_id ORDER BY max(started_at) DESC"
        )
        assert landed(again, "here/ads.duckdb")[0] == (0,)
        assert "How far have the transactions come?" in ran.out
        assert f" check --config {home / 'here/adnet.toml'}\n" in ran.out

    def test_folder_of_its_own(self, adnet, home, short, monkeypatch):
        """Without --dir, the temporary folder is named."""
        monkeypatch.setattr(demo, "connectable", lambda: ["targetcircle"])
        monkeypatch.setattr(demo.tempfile, "mkdtemp", lambda prefix: str(home / f"{prefix}x"))
        ran = adnet("demo")
        assert f"demonstration in {home / 'adnet-demo-x'}" in ran.err

    def test_without_duckdb(self, adnet, home, monkeypatch):
        """Without DuckDB, what to install is told before anything is started."""
        monkeypatch.setattr(demo, "find_spec", lambda name: None)
        ran = adnet("demo", "--dir", "here")
        assert (ran.code, Path("here").exists()) == (2, False)
        assert 'pip install "adnet[duckdb]"' in ran.line


def test_commands_can_be_typed(adnet, home):
    """The commands that are named parse, in a folder whose name has blanks too."""
    made = demo.Demo(home / "a b", date(2026, 10, 1), date(2026, 10, 3))
    for line in demo.commands(made):
        program, *words = shlex.split(line, comments=True)
        if program != "duckdb":
            assert adnet(*words, "--help").code == 0


def test_program_is_one_that_the_shell_finds(home, monkeypatch):
    """What is to be typed is the name where that is this program, its path where it is not."""
    mine = home / "bin" / "adnet"
    mine.parent.mkdir()
    mine.touch(mode=0o755)
    monkeypatch.setattr(demo.sys, "executable", str(home / "bin" / "python"))
    monkeypatch.setenv("PATH", str(mine.parent))
    assert demo.program() == "adnet"
    monkeypatch.setenv("PATH", str(home))
    assert demo.program() == "bin/adnet"
    monkeypatch.chdir(mine.parent.parent.parent)
    mine.unlink()
    assert demo.program() == f"{home / 'bin' / 'python'} -m adnet"
