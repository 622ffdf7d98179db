"""Every example runs as it says, against imitation networks."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import adnet
from adnet.cli import main

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Serve two networks, and give a folder whose configuration leads to them."""
    folder = tmp_path_factory.mktemp("examples")
    command = [sys.executable, "-m", "adnet", "sandbox", "serve", "targetcircle", "adskeeper"]
    command += ["--write-config", str(folder / "adnet.toml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert "targetcircle" in json.loads(server.stdout.readline())
        yield folder
        server.terminate()


@pytest.fixture
def run(folder: Path):
    """Return a function that runs an example to its end and returns what it prints."""

    def ran(name: str, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, EXAMPLES / name, *words],
            cwd=folder,
            env={**os.environ, "ADNET_CONFIG": "adnet.toml"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return ran


def module(name: str) -> Any:
    """Import an example without running it."""
    spec = importlib.util.spec_from_file_location("example", EXAMPLES / name)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_every_example_is_tested():
    """An example that nobody runs is soon wrong."""
    text = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in EXAMPLES.glob("[0-9]*.py") if f'"{path.name}"' not in text] == []


def test_first_report(run):
    """Commissions add up by status."""
    out = run("01_first_report.py", "targetcircle")
    assert {"approved", "declined", "paid", "pending"} <= {line.split()[0] for line in out.splitlines()}
    assert all(line.endswith(" EUR") for line in out.splitlines())


def test_nightly_pull(run, folder, monkeypatch):
    """Every account lands, and the second night finds what the first has landed."""
    monkeypatch.chdir(folder)
    # A fortnight of clicks is for a real night; here one network and its small tables will do.
    text = (EXAMPLES / "02_nightly_pull.py").read_text(encoding="utf-8")
    short = text.replace("lookback_days=LOOKBACK_DAYS", 'lookback_days=1, tables=["offers", "transactions"]')
    assert short != text
    (folder / "nightly.py").write_text(short, encoding="utf-8")
    first, second = (run(str(folder / "nightly.py"), "duckdb:nightly.duckdb") for _ in range(2))
    assert "transactions   landed" in first
    assert all(" 0 new," in line for line in second.splitlines())


def test_questions(run, folder, monkeypatch):
    """Each question is answered from what has landed."""
    monkeypatch.chdir(folder)
    words = ["--since", "2026-10-01", "--until", "2026-10-02", "--to", "duckdb:ads.duckdb"]
    tables = ("transactions", "clicks", "stats")
    assert main(["pull", "targetcircle", *words, *(w for table in tables for w in ("--table", table))]) == 0
    assert main(["pull", "adskeeper", *words, "--table", "stats"]) == 0
    out = run("03_tables_to_questions.py", "ads.duckdb").splitlines()
    assert [line for line in out if line.endswith("?")] == list(module("03_tables_to_questions.py").QUESTIONS)
    assert sum(line.endswith(" EUR") for line in out) > 2
    assert "   targetcircle transactions landed 1" in out


def test_report_jobs(run):
    """What one process asked for, another one reads."""
    assert run("04_report_jobs.py", "targetcircle", "ask", "job.json") == "clicks: submitted\n"
    out = run("04_report_jobs.py", "targetcircle", "read", "job.json")
    assert "clicks: ready\n" in out
    assert " clicks from " in out


def test_target_cpa(run):
    """Reasons and bids are shown, and moved only when told so, unless they would move too much."""
    shown = run("06_target_cpa.py", "adskeeper", "0.05")
    assert " EUR -> " in shown
    assert "moved" not in shown
    applied = run("06_target_cpa.py", "adskeeper", "0.05", "--apply").splitlines()
    count = sum(" EUR -> " in line for line in applied)
    assert applied[-1] == f"{count} of {count} bids moved"


def test_pause_losers(run):
    """The requests are shown, and sent only when told so."""
    shown = run("05_pause_losers.py", "adskeeper", "1.50")
    assert shown.startswith("PATCH http://127.0.0.1:")
    assert "paused" not in shown
    applied = run("05_pause_losers.py", "adskeeper", "1.50", "--apply")
    count = len(applied.splitlines()) - 1
    assert f"{count} of {count} paused" in applied


async def test_a_campaign_whose_conversions_are_not_told_is_no_loser():
    """Adskeeper tells ``buy`` only of campaigns that have such a target: not told is not none."""

    class Told:
        async def list_stats(self, **_):
            for name, conversions in (("dear", 0), ("unknown", None), ("good", 9)):
                spend = adnet.Money("5.00", "USD")
                yield adnet.StatRow(
                    date=date(2026, 10, 1), level="campaign", object_id=name, campaign_id=name,
                    impressions=1000, clicks=10, spend=spend, conversions=conversions, currency="USD",
                )  # fmt: skip

    assert await module("05_pause_losers.py").losers(Told(), Decimal("1.50")) == ["dear"]
