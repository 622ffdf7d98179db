"""The state as users name it."""

import os
import stat
from pathlib import Path

import pytest

from adnet.errors import ConfigurationError, StateError
from adnet.models import ReportJob, ReportQuery
from adnet.state import Database, State, StoredToken
from adnet.testing import FakeClock


@pytest.mark.parametrize("form", [str, lambda path: f"sqlite:{path}", Path])
def test_a_file_is_named_by_url_or_path(path: Path, form) -> None:
    """`sqlite:PATH` and a path, as text too, open the same file."""
    with State.open(form(path)) as state:
        assert path == state.database.path
        assert state.shared
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("url", ["~/state.db", "sqlite:~/state.db", Path("~/state.db")])
def test_a_file_may_be_named_by_the_users_home(url: str | Path, tmp_path: Path, monkeypatch) -> None:
    """Else each working folder had a folder ``~`` with a state of its own, whose limits nobody else keeps."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with State.open(url) as state:
        assert state.database.path == tmp_path / "state.db"


@pytest.mark.parametrize("url", [None, ":memory:", "sqlite::memory:"])
def test_a_state_in_memory_is_private(url: str | None, tmp_path: Path, monkeypatch) -> None:
    """It works like a file, is shared with nobody, and leaves nothing."""
    monkeypatch.chdir(tmp_path)
    with State.open(url) as state, State.open(url) as other:
        state.facts.put("host", "verb", "POST")
        assert (other.facts.get("host", "verb"), other.database.path) == (None, None)
        assert state.secret_key != other.secret_key
        assert not state.shared
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://:S3CRET@host/0", "a state on redis is not available in this version: write sqlite:PATH"),
        ("postgres://me:S3CRET@host/db", "unknown scheme 'postgres': known is sqlite:PATH"),
        ("sqlite:", "names no file: write sqlite:PATH"),
        ("", "names no file: write sqlite:PATH"),
        ("sqlite:~no-such-user/state.db", "there is no home folder for ~no-such-user; write the whole path"),
    ],
)
def test_other_urls_are_refused_without_telling_their_password(url: str, words: str) -> None:
    """The error names the known kinds, and nothing behind the scheme."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        State.open(url)
    assert "S3CRET" not in str(caught.value)


def test_the_secret_key_is_made_once(path: Path) -> None:
    """Hashes of one state file can be compared for ever; those of two files never."""
    with State.open(path) as first, State.open(path) as second, State.open(path.with_name("b.db")) as other:
        assert 32 == len(first.secret_key) == len(other.secret_key)
        assert first.secret_key == second.secret_key != other.secret_key


def test_no_secret_is_in_a_repr(path: Path) -> None:
    """The state tells its file, and nothing that is in it."""
    with State.open(path, key="S3CRETKEY") as state:
        texts = [repr(value) for value in (state, *vars(state).values()) if value is not state.secret_key]
        assert f"State({str(path)!r})" == texts[0]
        assert not [text for text in texts if "S3CRETKEY" in text or repr(state.secret_key) in text]


def test_with_a_key_everything_else_still_works(path: Path, clock) -> None:
    """The key is for token texts; it is asked for at every opening."""
    with State.open(path, clock=clock, key="right") as state:
        state.tokens.save("key", StoredToken(access_token="ACCESS-1", issued_at=clock.now()))
    with State.open(path, clock=clock, key="right") as state:
        token = state.tokens.load("key")
    assert token
    assert token.access_token == "ACCESS-1"
    for wrong in ("wrong", None):
        with pytest.raises(StateError):
            State.open(path, key=wrong)


def test_a_failed_opening_leaves_no_connection(path: Path) -> None:
    """No descriptor of the file stays open when the key does not fit."""
    State.open(path, key="right").close()
    with pytest.raises(StateError):
        State.open(path, key="wrong")
    assert not [link for link in Path("/proc/self/fd").iterdir() if str(path) in os.path.realpath(link)]


def test_a_closed_state_is_dead(path: Path) -> None:
    """Its intentions are taken over in the same process, and closing twice is fine."""
    asked = ReportJob(network="targetcircle", account="a", query=ReportQuery(kind="clicks"))
    state = State.open(path)
    assert state.owner == state.jobs.claim(asked).owner
    assert state.owners.is_alive(state.owner)
    state.close()
    state.close()
    assert not state.owners.is_alive(state.owner)
    with State.open(path) as after:
        assert after.owner == after.jobs.claim(asked).owner


def test_closing_tells_what_could_not_be_written_and_closes(path: Path, clock) -> None:
    """A line that is held and cannot be written is an error at the end, and the file is closed all the same."""
    from adnet.state.ledger import LedgerEntry

    state = State.open(path, clock=clock)
    state.ledger.append(LedgerEntry(at=clock.now(), account="a", network="n", operation="o"))
    state.database.rows("PRAGMA query_only=ON")
    with pytest.raises(StateError, match="cannot be written"):
        state.close()
    with pytest.raises(StateError):
        state.facts.get("a", "b")


def test_what_cannot_be_tidied_is_left_for_the_next_to_close_it(path: Path, database: Database) -> None:
    """No run that has landed everything ends badly because another process writes just then."""
    job = ReportJob(network="acme", account="shop", account_key="k", query=ReportQuery(kind="clicks"))
    clock = FakeClock()
    with State.open(path, clock=clock) as state:
        state.jobs.save(job)
    clock.advance(40 * 86400.0)
    with State.open(path, clock=clock) as state:
        state.database.rows("PRAGMA busy_timeout=0")
        with database.transaction():
            state.close()
    State.open(path, clock=clock).close()
    assert database.rows("SELECT * FROM jobs") == []


def test_importing_the_state_imports_no_optional_library(crew) -> None:
    """The cryptography library is loaded only where a key is configured."""
    script = "import sys, adnet.state; input(); print('cryptography' in sys.modules)"
    assert crew(script, 1).ask("") == ["False"]


def test_what_is_too_old_is_deleted_once_a_day(path: Path) -> None:
    """A state that many processes share does not grow without end."""
    job = ReportJob(network="acme", account="shop", account_key="k", query=ReportQuery(kind="clicks"))
    clock = FakeClock()
    with State.open(path, clock=clock) as state:
        state.jobs.save(job)
    clock.advance(20 * 86400.0)
    with State.open(path, clock=clock) as state:
        assert state.jobs.get(job.job_id) is not None
    clock.advance(20 * 86400.0)
    State.open(path, clock=clock).close()
    with State.open(path, clock=clock) as state:
        assert state.jobs.get(job.job_id) is None
