"""Holding an update against what was read."""

import gc

import pytest

from adnet.connectors.mytarget.seen import _ALL, MOST, Compared, Seen
from adnet.testing import FakeClock


def compared(row, fields) -> Compared:
    """Return what comes of an update of an object that was read as *row*."""
    seen = Seen(FakeClock())
    seen.take([{"id": 1, **row}])
    return seen.compare([("1", fields)])


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ({"price": "5.40"}, {"price": "5.4"}, True),
        ({"price": 5}, {"price": "5.0"}, True),
        ({"price": None}, {"price": "0"}, False),
        ({"budget_limit": "9"}, {"budget_limit": None}, False),
        ({"name": "1"}, {"name": "1.0"}, False),
        ({"pads": [1, 2]}, {"pads": [1, 2]}, True),
        ({"pads": [1, 2]}, {"pads": [2, 1]}, False),
        ({"urls": {"primary": {"id": 3, "url": "https://a"}}}, {"urls": {"primary": {"id": 3}}}, True),
        ({"urls": {"primary": {"id": 3}}}, {"urls": {"primary": {"id": 4}}}, False),
        ({"targetings": {"sex": ["male"]}}, {"targetings": {"sex": ["male"]}}, True),
        ({"targetings": {}}, {"targetings": {"sex": ["male"]}}, False),
        ({"priced_goal": {"source_id": 1}}, {"priced_goal": {"source_id": 1, "name": "x"}}, False),
    ],
)
def test_values_are_compared_as_the_network_means_them(before, after, same):
    """Whatever form they have."""
    found = compared(before, after)
    assert (found.fields, bool(found.unchanged)) == (1, same)


def test_what_was_not_read_is_not_compared():
    """Neither another field, nor another object."""
    assert compared({"name": "A"}, {"status": "active"}) == Compared()
    assert Seen(FakeClock()).compare([("1", {"name": "A"})]) == Compared()


def test_pieces_of_an_object_are_put_together():
    """Each read tells some fields."""
    seen = Seen(FakeClock())
    for row in ({"id": 1, "name": "A"}, {"id": 1, "status": "active"}):
        seen.take([row])
    assert seen.compare([("1", {"name": "A", "status": "active"})]) == Compared(2, ("name", "status"))


def rows(count):
    return [{"id": number, "name": "A"} for number in range(count)]


def known(seen, *numbers):
    """Return how many of these objects are remembered."""
    return sum(seen.compare([(str(number), {"name": "B"})]).fields for number in numbers)


def test_only_the_objects_read_last_are_remembered():
    """Memory does not grow with an account."""
    seen = Seen(FakeClock())
    seen.take(rows(MOST + 1))
    assert [known(seen, number) for number in (0, 1, MOST)] == [0, 1, 1]


def test_all_accounts_share_a_bound():
    """A night reads the objects of hundreds of accounts, each of which takes some kilobytes."""
    first, second = Seen(FakeClock()), Seen(FakeClock())
    first.take(rows(MOST))
    second.take(rows(MOST - 10))
    assert (known(first, *range(MOST)), known(second, *range(MOST))) == (10, MOST - 10)


def test_an_account_that_is_gone_leaves_nothing():
    """What it has read takes no room from others."""
    before = len(_ALL)
    seen = Seen(FakeClock())
    seen.take(rows(10))
    assert len(_ALL) == min(before + 10, MOST)
    del seen
    gc.collect()
    assert not [key for key in _ALL if key[0] not in {one._mark for one in alive()}]


def alive():
    return [one for one in gc.get_objects() if isinstance(one, Seen)]
