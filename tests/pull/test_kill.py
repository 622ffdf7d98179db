"""A pull that is killed again and again lands what the network has, each row once.

Both sides run as processes of their own, as at a user's: an imitation that refuses and cuts some requests, and
``adnet pull`` under SIGKILL. What the imitation really has is asked at its side door, past the API.
"""

import json
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

KILLS = 10
FAULTS = ("--fault", "429=0.05", "--fault", "reset=0.02")
MICRO = Decimal("0.000001")
pytestmark = pytest.mark.usefixtures("uncovered")


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "adnet", *words]


class Network:
    """An imitation in a process of its own."""

    def __init__(self, first_line: str) -> None:
        self.origin = json.loads(first_line)["targetcircle"].removesuffix("/api")

    def ask(self, path: str) -> object:
        """Return what the side door says."""
        with urllib.request.urlopen(f"{self.origin}/__sandbox/{path}") as answer:  # on loopback
            return json.load(answer, parse_float=Decimal)

    def truth(self, resource: str, since: str, until: str) -> list[dict]:
        return self.ask(f"truth/{resource}?since={since}&until={until}")

    @property
    def requests(self) -> int:
        """How many requests have arrived."""
        return sum(self.ask("log").values())

    @property
    def reports(self) -> int:
        """How many reports were asked for."""
        return sum(count for route, count in self.ask("log").items() if route.startswith("POST"))


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uncovered: None) -> Iterator[Network]:
    """Serve an imitation with faults, and write the configuration that leads to it."""
    monkeypatch.chdir(tmp_path)
    serve = command(
        "sandbox", "serve", "targetcircle", "--seed", "7", *FAULTS, "--write-config", "adnet.toml"
    )
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Network(process.stdout.readline())
        finally:
            process.terminate()


def start(*words: str) -> subprocess.Popen:
    return subprocess.Popen(
        command("pull", *words, "--to", "duckdb:ads.duckdb", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def kill_while_it_works(network: Network, moments: random.Random, *words: str) -> None:
    """Kill pulls at random moments after they began to send, until enough of them have died of it."""
    died = 0
    for _ in range(2 * KILLS):
        before = network.requests
        with start(*words) as pull:
            wait_until(lambda before=before, pull=pull: network.requests > before or pull.poll() is not None)
            time.sleep(moments.uniform(0, 0.6))
            pull.kill()
            pull.communicate()
        died += pull.returncode == -signal.SIGKILL
        if died == KILLS:
            return
    pytest.fail(f"only {died} of {2 * KILLS} pulls could be killed before their end")


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "the pull sends nothing"
        time.sleep(0.01)


def pull_to_the_end(*words: str) -> dict:
    with start(*words) as pull:
        out, err = pull.communicate(timeout=60)
    assert pull.returncode == 0, err
    return json.loads(out)


def landed(query: str) -> list[tuple]:
    with duckdb.connect("ads.duckdb", read_only=True) as connection:
        return connection.execute(query).fetchall()


def transactions_of(truth: list[dict]) -> Counter:
    """Return each transaction as the table shows it, and how often there is one like it."""
    return Counter(
        (
            row.get("trackingId") or None,
            row["saved"].removesuffix("Z").replace("T", " "),
            row["transactionType"],
            row["conversionStatus"],
            row["offerName"],
            Decimal(row["transactionAmount"]).quantize(MICRO),
            Decimal(row["commission"]).quantize(MICRO),
            tuple(row["reference"] or ()),
        )
        for row in truth
    )


def landed_transactions() -> Counter:
    rows = landed(
        "SELECT tracking_id, occurred_at::TEXT, kind, status_raw, offer_name, amount, commission, sub_ids"
        " FROM transactions"
    )
    return Counter((*row[:-1], tuple(row[-1])) for row in rows)


def clicks_of(truth: list[dict]) -> Counter:
    return Counter(
        (
            row["clickDate"].removesuffix("Z").replace("T", " "),
            row["offerName"],
            tuple(row["reference"] or ()),
        )
        for row in truth
    )


def landed_clicks() -> Counter:
    rows = landed("SELECT occurred_at::TEXT, offer_name, sub_ids FROM clicks")
    return Counter((at, offer, tuple(labels)) for at, offer, labels in rows)


def test_killed_ten_times(network):
    """Killed ten times at random moments and then run to its end, a pull has landed every row exactly once."""
    since, until = "2026-10-05", "2026-10-07"
    words = ("--since", since, "--until", until)
    kill_while_it_works(network, random.Random(1), *words)
    result = pull_to_the_end(*words)
    assert {("landed", 0)} == {(table["outcome"], table["vanished_rows"]) for table in result["tables"]}
    assert transactions_of(network.truth("transactions", since, until)) == landed_transactions()
    assert clicks_of(network.truth("clicks", since, until)) == landed_clicks()
    trades = {(str(row["id"]), row["status"]) for row in network.truth("trades", since, until)}
    assert trades == set(landed("SELECT trade_id, status_raw FROM trades"))


def test_killed_in_a_month_that_must_be_split(network):
    """The same holds for a month with more transactions than one report tells."""
    since, until = "2026-10-01", "2026-11-01"
    words = ("--since", since, "--until", until, "--table", "transactions")
    kill_while_it_works(network, random.Random(2), *words)
    (table,) = pull_to_the_end(*words)["tables"]
    assert table["vanished_rows"] == 0
    truth = network.truth("transactions", since, until)
    assert len(truth) > 1000
    assert transactions_of(truth) == landed_transactions()


def test_taken_up_and_not_asked_for_again(network):
    """A report that was under way when the pull died is read by the next run, not asked for anew."""
    words = ("--since", "2026-10-05", "--until", "2026-10-06", "--table", "clicks")
    with start(*words) as pull:
        wait_until(lambda: network.reports > 0)
        time.sleep(0.1)
        pull.kill()
        pull.communicate()
    asked = network.reports
    pull_to_the_end(*words)
    assert network.reports - asked <= 1  # one POST may have been refused, or cut short by the kill
    assert len(network.truth("clicks", "2026-10-05", "2026-10-06")) == sum(landed_clicks().values())
