"""Small learned things are remembered by scope and name."""

from pathlib import Path

import pytest

from adnet.state import State
from adnet.state.database import Database
from adnet.state.facts import Facts


@pytest.fixture
def facts(database: Database, clock) -> Facts:
    return Facts(database, clock)


def test_a_fact_is_kept_until_it_changes(facts: Facts) -> None:
    """The last value put is the one got; scopes and names are apart."""
    assert facts.get("host", "verb") is None
    facts.put("host", "verb", "PATCH")
    facts.put("host", "verb", "POST")
    facts.put("elsewhere", "verb", "PUT")
    assert facts.get("host", "verb") == "POST"


def test_the_same_value_again_writes_nothing(path: Path, facts: Facts) -> None:
    """Who learns the same on every call does not wear the disk."""
    facts.put("host", "verb", "POST")
    before = path.with_name("state.db-wal").stat()
    facts.put("host", "verb", "POST")
    assert (before.st_size, before.st_mtime_ns) == (
        path.with_name("state.db-wal").stat().st_size,
        path.with_name("state.db-wal").stat().st_mtime_ns,
    )


def test_facts_are_forgotten_by_name_or_by_scope(facts: Facts) -> None:
    """One can be dropped alone, or all of a scope; other scopes stay."""
    for scope, name in (("a", "x"), ("a", "y"), ("a", "z"), ("b", "x")):
        facts.put(scope, name, "1")
    facts.forget("a", "x")
    assert (facts.get("a", "x"), facts.get("a", "y")) == (None, "1")
    facts.forget("a")
    assert (facts.get("a", "y"), facts.get("a", "z"), facts.get("b", "x")) == (None, None, "1")


def test_a_fact_outlives_its_process(path: Path) -> None:
    """What one run learned the next one knows."""
    with State.open(path) as state:
        state.facts.put("host", "verb", "POST")
    with State.open(path) as state:
        assert state.facts.get("host", "verb") == "POST"


def test_of_two_who_swap_the_same_fact_one_wins(facts: Facts) -> None:
    """Whoever comes second finds another value than the one it has seen."""
    assert facts.swap("host", "client", "one", before=None)
    assert not facts.swap("host", "client", "two", before=None)
    assert not facts.swap("host", "client", "two", before="three")
    assert facts.swap("host", "client", "two", before="one")
    assert facts.get("host", "client") == "two"
