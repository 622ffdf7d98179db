"""The compliance ledger: every line is written, in order, and costs a request next to nothing."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adnet.errors import StateError
from adnet.state import State
from adnet.state.database import Database
from adnet.state.ledger import CEILING, FLUSH_LINES, Ledger, LedgerEntry


@pytest.fixture
def ledger(database: Database, clock) -> Ledger:
    return Ledger(database, clock)


@pytest.fixture
def impatient(path: Path, clock) -> Iterator[Ledger]:
    """A ledger that does not wait for a lock."""
    with closing(Database.open(path, busy_timeout_s=0)) as database:
        yield Ledger(database, clock)


def line(clock, **details: Any) -> LedgerEntry:
    known = {"at": clock.now(), "account": "shop", "network": "mytarget", "operation": "campaigns.list"}
    return LedgerEntry(**known | details)


def written(database: Database) -> int:
    return int(database.rows("SELECT count(*) FROM ledger")[0][0])


def test_lines_come_back_as_they_were_noted(ledger: Ledger, clock) -> None:
    """Every field survives, and the order is that of noting."""
    lines = [
        line(clock),
        line(
            clock, method="POST", status=204, objects=50, period_days=92, event="token.refresh",
            fields=("name", "budget_limit"), headroom="hour 12/3600", request_key="k",
        ),
    ]  # fmt: skip
    for entry in lines:
        ledger.append(entry)
    assert lines == list(ledger.entries())


def test_lines_are_found_by_account_and_time(ledger: Ledger, clock) -> None:
    """*since* is inclusive, and without an account all are told."""
    early = line(clock)
    clock.advance(10)
    late, other = line(clock), line(clock, account="other")
    for entry in (early, late, other):
        ledger.append(entry)
    assert [early, late] == list(ledger.entries("shop"))
    assert [late, other] == list(ledger.entries(since=clock.now()))
    assert [late] == list(ledger.entries("shop", clock.now() - timedelta(seconds=9)))


def test_many_lines_are_told_once_each(ledger: Ledger, clock) -> None:
    """Reading in pieces neither skips nor repeats, also while more is noted."""
    for n in range(1203):
        ledger.append(line(clock, objects=n))
    told = ledger.entries()
    first = next(told)
    ledger.append(line(clock, objects=1203))
    ledger.flush()
    assert list(range(1204)) == [first.objects, *(entry.objects for entry in told)]


def test_lines_are_written_together(database: Database, ledger: Ledger, clock) -> None:
    """Nothing is written before the fiftieth line."""
    for _ in range(FLUSH_LINES - 1):
        ledger.append(line(clock))
    assert written(database) == 0
    ledger.append(line(clock))
    assert written(database) == FLUSH_LINES


def test_lines_do_not_wait_longer_than_a_second_for_the_next(
    database: Database, ledger: Ledger, clock
) -> None:
    """A line noted a second after the first held one takes all along."""
    ledger.append(line(clock))
    clock.advance(0.9)
    ledger.append(line(clock))
    assert written(database) == 0
    clock.advance(0.1)
    ledger.append(line(clock))
    assert written(database) == 3


def test_token_events_are_written_at_once(database: Database, ledger: Ledger, clock) -> None:
    """What certification looks at most closely survives every kill."""
    ledger.append(line(clock))
    ledger.append(line(clock, event="token.issue"))
    assert written(database) == 2


def test_closing_writes_what_is_held(path: Path, clock) -> None:
    """A run that ends in order loses no line."""
    with State.open(path, clock=clock) as state:
        state.ledger.append(line(clock))
    with State.open(path, clock=clock) as state:
        assert [line(clock)] == list(state.ledger.entries())


def test_a_locked_file_fails_no_request(database: Database, impatient: Ledger, clock) -> None:
    """Lines are held while another process writes, and none is lost or doubled."""
    with database.transaction():
        for _ in range(3 * FLUSH_LINES):
            impatient.append(line(clock))
    assert written(database) == 0
    impatient.flush()
    assert written(database) == 3 * FLUSH_LINES


def test_a_locked_file_is_not_waited_for_with_each_line(ledger: Ledger, clock, monkeypatch) -> None:
    """Each wait holds up everything else of the process: in between, the rest has a second."""
    tries = []

    def wait_for_lock() -> None:
        tries.append(clock.monotonic())
        clock.advance(5)
        raise StateError("is locked by another process")

    monkeypatch.setattr(ledger, "flush", wait_for_lock)
    ledger.append(line(clock))
    clock.advance(1)
    for _ in range(20):
        ledger.append(line(clock))
    assert len(tries) == 1
    clock.advance(1)
    ledger.append(line(clock))
    assert len(tries) == 2


def test_a_file_locked_for_good_becomes_an_error(database: Database, impatient: Ledger, clock) -> None:
    """Memory does not grow without end."""
    with database.transaction():
        for _ in range(CEILING - 1):
            impatient.append(line(clock))
        with pytest.raises(StateError, match="is locked by another process"):
            impatient.append(line(clock))


def test_a_line_without_a_zone_is_refused_when_it_is_made(clock) -> None:
    """A bad line fails where it is made, and never stops the others from being written."""
    with pytest.raises(ValueError, match="no time zone"):
        line(clock, at=clock.now().replace(tzinfo=None))


def test_a_damaged_line_is_told(database: Database, ledger: Ledger, clock) -> None:
    """Evidence is not guessed."""
    ledger.append(line(clock, event="token.issue"))
    with database.transaction() as connection:
        connection.execute("UPDATE ledger SET body = x'ff7b'")
    with pytest.raises(StateError, match="a line of the ledger cannot be read"):
        list(ledger.entries())


def test_old_lines_are_pruned(ledger: Ledger, clock) -> None:
    """Lines older than a hundred days are deleted."""
    old = line(clock)
    ledger.append(old)
    clock.advance(101 * 86400)
    new = line(clock)
    ledger.append(new)
    assert ledger.prune() == 1
    assert [new] == list(ledger.entries())


def test_lines_of_a_newer_adnet_are_read(database: Database, ledger: Ledger, clock) -> None:
    """A field that this version does not know is left out."""
    ledger.append(line(clock, event="token.issue"))
    with database.transaction() as connection:
        connection.execute("UPDATE ledger SET body = replace(body, '{', '{\"new\":1,')")
    assert [line(clock, event="token.issue")] == list(ledger.entries())
