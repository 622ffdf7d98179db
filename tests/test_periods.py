"""Half-open periods and an account's own days."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.periods import ONE_SECOND, Period, instant, utc, zone

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")


def test_an_instant_without_a_zone_is_refused():
    """Guessing a zone would move money between days."""
    with pytest.raises(ValueError, match="no time zone"):
        utc(datetime(2026, 3, 1))  # noqa: DTZ001


def test_instants_become_utc():
    """Whatever the zone, UTC comes out."""
    assert utc(datetime(2026, 3, 1, 15, tzinfo=timezone(timedelta(hours=3)))) == NOON
    assert UTC is utc(datetime(2026, 3, 1, 15, tzinfo=MOSCOW)).tzinfo


def test_a_day_begins_at_midnight_of_the_account():
    """A day of an account in Moscow begins three hours before UTC's."""
    assert datetime(2026, 2, 28, 21, tzinfo=UTC) == instant(date(2026, 3, 1), MOSCOW)
    assert datetime(2026, 3, 1, tzinfo=UTC) == instant(date(2026, 3, 1))


@pytest.mark.parametrize("name", [None, "", "Nowhere/Land", "../etc/passwd", "\x00"])
def test_an_unknown_zone_is_utc(name):
    """An account whose zone nobody knows counts in UTC."""
    assert UTC is zone(name)


def test_zones_are_known_where_the_system_has_none():
    """Slim images have no database of zones; a day that begins elsewhere would move money between days."""
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=())
    try:
        assert ZoneInfo.no_cache("Europe/Kyiv").key == "Europe/Kyiv"
    finally:
        zoneinfo.reset_tzpath(to=before)


def test_a_known_zone_is_itself():
    """IANA names are understood."""
    assert zone("Europe/Moscow") == MOSCOW


@pytest.mark.parametrize("gap", [timedelta(0), timedelta(seconds=1)])
def test_since_comes_before_until(gap):
    """Empty and reversed periods are mistakes."""
    with pytest.raises(ValueError, match="is not before"):
        Period(NOON, NOON - gap)


def test_a_period_holds_its_first_instant_and_not_its_last():
    """Half-open: [since, until)."""
    period = Period(NOON, NOON + ONE_SECOND)
    assert NOON in period
    assert NOON + ONE_SECOND not in period


def test_the_day_on_which_clocks_change_has_another_length():
    """Berlin's 29 March 2026 has 23 hours."""
    assert timedelta(hours=23) == Period.of(date(2026, 3, 29), date(2026, 3, 30), BERLIN).length


def test_the_last_day_of_all_is_a_day():
    """There is none after it to count on to."""
    period = Period.of(date(9999, 12, 30), datetime(9999, 12, 31, 12, tzinfo=UTC))
    assert list(period.days()) == [date(9999, 12, 30), date(9999, 12, 31)]


def test_days_are_the_accounts_own():
    """Every day touched is named once, oldest first."""
    period = Period.of(date(2026, 3, 28), date(2026, 3, 31), BERLIN)
    assert [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)] == list(period.days(BERLIN))
    assert [date(2026, 3, 1)] == list(Period(NOON, NOON + ONE_SECOND).days())


@given(st.integers(1, 10_000_000), st.integers(0, 999_999))
def test_two_halves_cover_exactly_the_whole(seconds, micros):
    """Nothing is lost or doubled at the seam, and both halves are shorter."""
    whole = Period(NOON, NOON + timedelta(seconds=seconds, microseconds=micros))
    halves = whole.split()
    if whole.length <= ONE_SECOND:
        assert halves is None
        return
    first, second = halves
    assert (whole.since, whole.until) == (first.since, second.until)
    assert first.until == second.since
    assert max(first.length, second.length) < whole.length


@given(st.integers(1, 100_000))
def test_splitting_ends_at_single_seconds(seconds):
    """Splitting again and again reaches windows of one second."""
    windows, leaves = [Period(NOON, NOON + timedelta(seconds=seconds))], 0
    while windows and leaves < 64:
        halves = windows.pop().split()
        if halves is None:
            leaves += 1
        else:
            windows.extend(halves)
    assert min(seconds, 64) == leaves


def test_text_is_iso():
    """As the error messages show it."""
    assert str(Period(NOON, NOON + ONE_SECOND)) == "2026-03-01T12:00:00+00:00/2026-03-01T12:00:01+00:00"
