"""Limits that processes share: uses that survive, places that come back, and never more than is allowed."""

from contextlib import closing
from datetime import timedelta

import pytest

from adnet.errors import StateError
from adnet.state.database import Database
from adnet.state.owners import Owners
from adnet.state.quotas import QuotaStore

DAY = 86400.0
FAR = 4e9


@pytest.fixture
def store(database: Database, clock, owners: Owners) -> QuotaStore:
    return QuotaStore(database, owners, clock)


@pytest.fixture
def neighbour(database: Database, clock, others: Owners) -> QuotaStore:
    """The store as another process has it."""
    return QuotaStore(database, others, clock)


def use(
    units: int, at: float = 0.0, *, limit: int = 10, welcome: int = 0, key: str = "k", since: float = -DAY
):
    return key, limit, units, max(units, welcome), at, since, FAR


# -------------------------------------------------------------------------- uses


def test_a_window_is_used_up_by_all_together(store, neighbour):
    """What one process took is gone for the other, who is told which use has to leave first."""
    store.take([use(6, at=1.0)])
    neighbour.take([use(4, at=2.0)])
    assert neighbour.take([use(7, at=3.0)]) == (None, (0, 2.0))
    assert [store.used("k", -DAY), store.used("k", 1.5), store.used("other", -DAY)] == [
        (10, 1.0),
        (4, 2.0),
        (0, None),
    ]


def test_all_windows_are_taken_or_none(store):
    """When the day has room and the hour has none, the day stays as it was."""
    store.take([use(10, key="hour")])
    assert store.take([use(1, key="day"), use(1, key="hour")]) == (None, (1, 0.0))
    assert store.used("day", -DAY) == (0, None)


def test_uses_that_left_their_window_count_no_more(store):
    """The caller says before which instant uses no longer count."""
    store.take([use(10, at=5.0)])
    grants, _ = store.take([use(10, at=20.0, since=6.0)])
    assert (len(grants), store.used("k", -DAY)) == (1, (10, 20.0))


def test_a_block_is_as_large_as_there_is_room(store):
    """Units that are welcome but not needed are granted as far as they go."""
    store.take([use(7)])
    ((_, units),), _ = store.take([use(1, welcome=5)])
    assert units == 3


def test_units_that_come_back_are_free_again(store, neighbour):
    """The rest of a block goes to whoever asks next, also when the same call finds no room elsewhere."""
    ((number, _),), _ = store.take([use(10)])
    store.give_back([(number, 2)])
    assert neighbour.take([use(3, at=1.0)], [(number, 1)])[1] is None
    assert store.used("k", -DAY) == (10, 0.0)
    store.give_back([(number, 7)])
    assert store.used("k", -DAY) == (3, 1.0)


def test_uses_survive_the_process(path, clock):
    """A file that is opened again knows what was used."""
    with closing(Database.open(path)) as database:
        QuotaStore(database, Owners(None), clock).take([use(8)])
    with closing(Database.open(path)) as database:
        assert QuotaStore(database, Owners(None), clock).used("k", -DAY) == (8, 0.0)


def test_a_closed_state_says_so(store, database):
    """A store whose file is closed raises the state's error, not the library's."""
    database.close()
    with pytest.raises(StateError):
        store.take([use(1)])


def test_instants_are_kept_to_the_microsecond(store):
    """An instant of today comes back as it was, so that processes agree where a window ends."""
    now = (timedelta(days=20_000) / timedelta(seconds=1)) + 0.123456
    store.take([use(10, at=now)])
    assert store.take([use(1)]) == (None, (0, now))


# -------------------------------------------------------------------------- places


def test_places_are_never_more_than_the_cap(store, neighbour):
    """Three of five are held here, so two are left there."""
    assert store.hold("k", cap=5, in_use=0, wanted=3)[0] == 3
    assert neighbour.hold("k", cap=5, in_use=0, wanted=4)[0] == 2


def test_places_that_are_given_back_are_free(store, neighbour):
    """Who wants none holds none."""
    store.hold("k", cap=5, in_use=0, wanted=5)
    store.hold("k", cap=5, in_use=0, wanted=0)
    assert neighbour.hold("k", cap=5, in_use=0, wanted=5)[0] == 5


def test_who_holds_more_than_its_share_gives_way(store, neighbour):
    """Places in use are kept until they are free; then the one who waits gets its half."""
    store.hold("k", cap=4, in_use=0, wanted=4)
    assert neighbour.hold("k", cap=4, in_use=0, wanted=4)[0] == 0
    assert store.hold("k", cap=4, in_use=3, wanted=4)[0] == 3
    assert store.hold("k", cap=4, in_use=1, wanted=4)[0] == 2
    assert neighbour.hold("k", cap=4, in_use=0, wanted=4)[0] == 2


def test_one_place_goes_round(store, neighbour):
    """With fewer places than processes, who has had one steps back for who waits."""
    assert store.hold("k", cap=1, in_use=0, wanted=9)[0] == 1
    assert neighbour.hold("k", cap=1, in_use=0, wanted=9)[0] == 0
    assert store.hold("k", cap=1, in_use=0, wanted=9)[0] == 0
    assert neighbour.hold("k", cap=1, in_use=0, wanted=9)[0] == 1


def test_who_waits_no_longer_is_no_rival(store, neighbour, clock):
    """A process that found no place and does not ask again holds nobody up."""
    store.hold("k", cap=2, in_use=0, wanted=2)
    neighbour.hold("k", cap=2, in_use=0, wanted=2)
    clock.advance(1.5)
    assert store.hold("k", cap=2, in_use=0, wanted=2)[0] == 2


def test_places_of_the_dead_are_free_at_once(database, path, store, clock):
    """A process that is gone holds nothing."""
    owners = Owners(path)
    QuotaStore(database, owners, clock).hold("k", cap=3, in_use=0, wanted=3)
    assert store.hold("k", cap=3, in_use=0, wanted=3)[0] == 0
    owners.leave()
    assert store.hold("k", cap=3, in_use=0, wanted=3)[0] == 3


def test_a_process_is_looked_for_once_however_many_accounts_it_has(database, clock, monkeypatch):
    """Hundreds of accounts on one limit ask at the same time; to look for a process takes longer than all the rest."""
    asked = []
    here, there = Owners(None), Owners(None)
    monkeypatch.setattr(here, "is_alive", lambda owner: asked.append(owner) or True)
    accounts = [QuotaStore(database, here, clock) for _ in range(20)]
    for store in (*accounts, *(QuotaStore(database, there, clock) for _ in range(20))):
        store.hold("k", cap=100, in_use=0, wanted=1)
    asked.clear()
    assert accounts[0].hold("k", cap=100, in_use=1, wanted=1) == (1, False)
    assert asked == [there.me]


def test_places_of_who_cannot_be_seen_are_free_when_their_lease_ends(database, store, clock):
    """Whether an older adnet's process lives cannot be seen, so its lease has an end."""
    elsewhere = Owners(None)
    elsewhere.me = "elsewhere.example:1:5.ab"
    QuotaStore(database, elsewhere, clock).hold("k", cap=3, in_use=0, wanted=3)
    clock.advance(3000)
    early, _ = store.hold("k", cap=3, in_use=0, wanted=3)
    clock.advance(601)
    assert (early, store.hold("k", cap=3, in_use=0, wanted=3)[0]) == (0, 3)


def test_bounds_of_a_clock_are_remembered(store, neighbour):
    """What one process learned of the server's clock the next one knows."""
    assert store.skew("acme") is None
    store.remember_skew("acme", (-0.25, 0.75))
    assert neighbour.skew("acme") == (-0.25, 0.75)
