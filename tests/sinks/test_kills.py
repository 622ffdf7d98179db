"""A process that is killed while it lands loses nothing and doubles nothing."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from landing_child import ROUNDS, restatements, rows_of
from sink_kit import Place

CHILD = Path(__file__).with_name("landing_child.py")
pytestmark = pytest.mark.usefixtures("uncovered")


def start(place: Place, first: int, *extra: str) -> subprocess.Popen[str]:
    """Start a child and wait until its sink is open, or it has ended."""
    child = subprocess.Popen(
        [sys.executable, str(CHILD), place.uri, str(first), *extra],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": str(first)},
    )
    assert child.stdout
    assert child.stdout.readline() in {"open\n", ""} or not extra
    return child


def next_round(first: int, output: str) -> int:
    """Return the round that was not known to be committed."""
    return max([int(line) + 1 for line in output.split() if line.isdigit()], default=first)


def assert_complete(place: Place) -> None:
    """Hold what landed against what the network said."""
    truth = rows_of(ROUNDS - 1)
    assert truth["transaction_id"] == place.column("transaction_id")
    assert truth["status"] == place.column("status")
    assert restatements(ROUNDS) == len(place.rows("transactions_history"))
    assert place.leftovers() == []


def assert_no_row_twice(place: Place) -> None:
    """Read as any reader would, between a kill and the next run."""
    if place.path.exists() and any(place.path.parent.rglob("transactions*/part-*")):
        assert {1} == set(Counter(place.column("transaction_id")).values())


def test_killed_at_random_moments(place: Place) -> None:
    """Killed again and again at any moment and then run to its end, every row is there once, and its history."""
    chance, first = random.Random(place.scheme), 0
    for _ in range(5):
        child = start(place, first)
        time.sleep(chance.uniform(0, 0.12))
        child.kill()
        first = next_round(first, child.communicate()[0])
        assert_no_row_twice(place)
    end = start(place, first)
    assert [str(n) for n in range(first, ROUNDS)] == end.communicate()[0].split()
    assert_complete(place)


@pytest.mark.parametrize("step", [1, 5, 10, 13, 16, 17, 19, 20, 21, 25])
def test_parquet_killed_at_each_step(step: int, place_of) -> None:
    """Killed at any change of the file system, a landing is there as a whole or not at all."""
    place = place_of("parquet")
    killed = start(place, 0, "--die", str(step))
    killed.communicate()
    assert killed.returncode == 9
    assert_no_row_twice(place)
    before = len(place.rows("transactions_history"))
    start(place, ROUNDS).communicate()  # only opens and closes
    after = len(place.rows()), len(place.rows("transactions_history"))
    assert after in {(3_000, restatements(ROUNDS - 1)), (3_500, restatements(ROUNDS))}
    assert before <= after[1]
    start(place, ROUNDS - 1).communicate()
    assert_complete(place)


@pytest.mark.parametrize("step", [9, 22, 31, 39])
def test_parquet_killed_while_several_accounts_land(step: int, place_of) -> None:
    """Each account is there as a whole or not at all, whichever of them share a commit; the next run lands the rest."""
    place = place_of("parquet")
    together = ("--accounts", "3")
    killed = start(place, 0, *together, "--die", str(step))
    killed.communicate()
    assert killed.returncode == 9
    start(place, ROUNDS).communicate()  # only opens and closes
    rows, old = Counter(place.column("account")), Counter(place.column("account", "transactions_history"))
    states = {(rows[name], old[name]) for name in ("acc", "acc1", "acc2")}
    assert states <= {(3_000, restatements(ROUNDS - 1)), (3_500, restatements(ROUNDS))}
    start(place, ROUNDS - 1, *together).communicate()
    truth = rows_of(ROUNDS - 1)
    assert truth["transaction_id"] * 3 == place.column("transaction_id")
    assert truth["status"] * 3 == place.column("status")
    assert len(place.rows("transactions_history")) == 3 * restatements(ROUNDS)
    assert place.leftovers() == []


def test_full_disk(place: Place) -> None:
    """Without room the unit is refused and what had landed stays; with room the same rows land."""
    start(place, ROUNDS - 1).communicate()
    before = place.rows()
    assert len(before) == 3_500
    largest = max(path.stat().st_size for path in place.path.parent.rglob("*") if path.is_file())
    small = start(place, 0, "--fsize", str(min(largest, 20_000)))
    output = small.communicate()[0]
    assert "SinkError" in output
    assert small.returncode == 0
    assert "Traceback" not in output
    assert before == place.rows()
    start(place, 0).communicate()
    assert len(place.rows()) == 3_500
    assert place.leftovers() == []


def test_in_use_by_another_process(place: Place) -> None:
    """A second process is refused by the name of the place; once the first is dead, the place is free."""
    holder = start(place, 0, "--hold")
    try:
        refused = subprocess.run(
            [sys.executable, str(CHILD), place.uri, "0"], check=True, stdout=subprocess.PIPE, text=True
        )
        assert refused.stdout.startswith(f"SinkError: {place.path}")
        assert "is in use by" in refused.stdout
    finally:
        holder.kill()
        holder.communicate()
    assert "3" in start(place, 0).communicate()[0]
    assert len(place.rows()) == 3_500
