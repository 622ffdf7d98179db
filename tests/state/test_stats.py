"""Statistics of closed days are answered from the store."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adnet.state.database import Database
from adnet.state.stats import StatsGuard

DAY = date(2026, 2, 3)


@pytest.fixture
def stats(database: Database, clock) -> StatsGuard:
    return StatsGuard(database, clock)


def test_an_answer_is_kept_for_its_account_request_and_day(stats: StatsGuard) -> None:
    """Only the same account, request and day is answered, and the newest answer counts."""
    stats.keep("account", "request", DAY, b"old")
    stats.keep("account", "request", DAY, b"new")
    assert stats.answered("account", "request", DAY) == b"new"
    assert stats.answered("another", "request", DAY) is None
    assert stats.answered("account", "another", DAY) is None
    assert stats.answered("account", "request", DAY + timedelta(1)) is None


def test_a_moment_of_the_day_is_the_day(stats: StatsGuard) -> None:
    """A datetime in place of the date finds the same answer."""
    stats.keep("account", "request", datetime(2026, 2, 3, 4, tzinfo=UTC), b"body")
    assert stats.answered("account", "request", DAY) == b"body"


def test_old_answers_are_pruned(stats: StatsGuard, clock) -> None:
    """What was fetched more than thirty days ago is deleted, however old its day is."""
    stats.keep("account", "old", DAY, b"1", clock.now() - timedelta(days=31))
    stats.keep("account", "new", date(2020, 1, 1), b"2")
    assert stats.prune() == 1
    assert stats.answered("account", "old", DAY) is None
    assert stats.answered("account", "new", date(2020, 1, 1)) == b"2"


def test_a_damaged_answer_is_none(database: Database, stats: StatsGuard) -> None:
    """It is asked for again rather than believed."""
    stats.keep("account", "request", DAY, b"body")
    with database.transaction() as connection:
        connection.execute("UPDATE stats_answers SET body = x'00ff'")
    assert stats.answered("account", "request", DAY) is None


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=2000), st.dates())
def test_bytes_come_back_as_they_were(stats: StatsGuard, body: bytes, day: date) -> None:
    """Keeping changes no byte, of any day."""
    stats.keep("account", "request", day, body)
    assert body == stats.answered("account", "request", day)


def test_repetitive_answers_take_little_room(database: Database, stats: StatsGuard) -> None:
    """The file stays small: an answer is stored compressed."""
    stats.keep("account", "request", DAY, b'{"date": "2026-02-03", "shows": 17}' * 1000)
    assert database.rows("SELECT length(body) FROM stats_answers")[0][0] < 3500
