"""Tokens shared by processes: refreshed by one at a time, never lost, never resurrected."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adnet.errors import StateError
from adnet.state import State
from adnet.state.cipher import open_cipher
from adnet.state.database import Database
from adnet.state.owners import Owners
from adnet.state.tokens import Lease, LeaseLostError, StoredToken, TokenStore
from tests.faults.tally import tally

ELSEWHERE = "elsewhere.example:1:5.abcd"


@pytest.fixture
def tokens(database: Database, clock, owners: Owners) -> TokenStore:
    return TokenStore(database, clock, owners)


@pytest.fixture
def token(clock) -> StoredToken:
    return new_token(clock)


def new_token(clock, access: str = "ACCESS-1", **details: Any) -> StoredToken:
    expires_at = clock.now() + timedelta(days=1)
    known = {"refresh_token": "REFRESH-1", "issued_at": clock.now(), "expires_at": expires_at}
    return StoredToken(access_token=access, **known | details)


def leased(tokens: TokenStore, ttl_s: float = 30) -> Lease:
    lease = tokens.lease("key", ELSEWHERE, ttl_s)
    assert lease
    return lease


def test_a_token_comes_back_whole(tokens: TokenStore, clock) -> None:
    """Every field is stored, and each save is one generation further."""
    assert tokens.load("key") is None
    full = new_token(clock, scope="read_ads,create_ads", refreshes=3, issues=1)
    assert tokens.save("key", full).generation == 1
    saved = tokens.save("key", full)
    assert saved.generation == 2
    assert saved == tokens.load("key")
    assert tokens.load("another") is None


def test_a_token_that_does_not_expire_and_has_no_refresh_token(tokens: TokenStore, clock) -> None:
    """What a network does not give is None again."""
    saved = tokens.save("key", StoredToken(access_token="ACCESS-1", issued_at=clock.now()))
    assert saved == tokens.load("key")


def test_no_token_is_in_a_repr(token: StoredToken) -> None:
    """Token texts are left out of every text."""
    assert "ACCESS" not in repr(token)
    assert "REFRESH" not in repr(token)


def test_a_time_without_zone_is_refused(clock) -> None:
    """A token's times are instants."""
    with pytest.raises(ValueError, match="no time zone"):
        new_token(clock, expires_at=clock.now().replace(tzinfo=None))


def test_one_refreshes_at_a_time(tokens: TokenStore) -> None:
    """While a lease holds, nobody gets another, its own owner neither; other keys are free."""
    first = leased(tokens)
    assert tokens.lease("key", ELSEWHERE) is None
    assert tokens.lease("key", "another") is None
    assert tokens.lease("another", "another")
    tokens.release(first)
    assert leased(tokens).fence == first.fence + 1


def test_a_lease_ends_after_its_time(tokens: TokenStore, clock) -> None:
    """A holder that cannot be looked at keeps it for as long as it said."""
    first = leased(tokens, ttl_s=30)
    assert first.expires_at == clock.now() + timedelta(seconds=30)
    clock.advance(29.9)
    assert tokens.lease("key", "another") is None
    clock.advance(0.1)
    second = tokens.lease("key", "another")
    assert second
    assert second.fence > first.fence


def test_the_lease_of_a_dead_process_is_free_at_once(tokens: TokenStore, path: Path) -> None:
    """Nobody waits for a process that has died."""
    owners = Owners(path)
    assert tokens.lease("key", owners.me)
    assert tokens.lease("key", "another") is None
    owners.leave()
    assert tokens.lease("key", "another")


def test_giving_back_a_lost_lease_does_not_free_the_new_one(tokens: TokenStore, clock) -> None:
    """Only the current lease can be given back."""
    first = leased(tokens)
    clock.advance(31)
    leased(tokens)
    tokens.release(first)
    assert tokens.lease("key", "another") is None


def test_a_late_save_does_not_overwrite_a_newer_token(tokens: TokenStore, clock) -> None:
    """The first holder comes back after the second has stored: it is refused, and the newer token stays."""
    first = leased(tokens)
    clock.advance(31)
    second = leased(tokens)
    newer = tokens.save("key", new_token(clock, "ACCESS-2"), fence=second.fence)
    with pytest.raises(
        LeaseLostError, match="the token of key was replaced during the refresh: read it again"
    ):
        tokens.save("key", new_token(clock, "ACCESS-1"), fence=first.fence)
    assert newer == tokens.load("key")


def test_a_late_save_is_taken_while_nothing_newer_is_stored(tokens: TokenStore, clock) -> None:
    """With rotation the first holder has the only pair that works, so a mere newer lease does not void it."""
    first = leased(tokens)
    clock.advance(31)
    second = leased(tokens)
    tokens.begin_refresh("key", second.fence)
    saved = tokens.save("key", new_token(clock, "ACCESS-1"), fence=first.fence)
    assert saved == tokens.load("key")
    assert clock.now() == tokens.pending_refresh("key"), "the second one's request is still under way"


def test_a_login_voids_the_refresh_under_way(tokens: TokenStore, clock) -> None:
    """A token of the old grant does not replace that of the new login."""
    lease = leased(tokens)
    login = tokens.save("key", new_token(clock, "LOGIN-1"))
    with pytest.raises(LeaseLostError):
        tokens.save("key", new_token(clock), fence=lease.fence)
    assert login == tokens.load("key")
    assert tokens.lease("key", "another"), "and nobody waits for it"


def test_a_deleted_token_does_not_come_back(tokens: TokenStore, token: StoredToken) -> None:
    """After a revocation the answer to a refresh under way is refused; a new login goes on counting."""
    tokens.save("key", token)
    lease = leased(tokens)
    tokens.delete("key")
    with pytest.raises(LeaseLostError):
        tokens.save("key", token, fence=lease.fence)
    assert tokens.load("key") is None
    assert tokens.save("key", token).generation == 2


def test_a_fence_nobody_gave_is_refused(tokens: TokenStore, token: StoredToken) -> None:
    """A number from elsewhere, such as another state file, saves nothing."""
    with pytest.raises(LeaseLostError):
        tokens.save("key", token, fence=leased(tokens).fence + 1)


def test_a_refresh_is_noted_before_it_is_sent(tokens: TokenStore, token: StoredToken, clock) -> None:
    """Between sending and saving the mark tells when; saving clears it."""
    assert tokens.pending_refresh("key") is None
    lease = leased(tokens)
    assert tokens.pending_refresh("key") is None
    tokens.begin_refresh("key", lease.fence)
    assert clock.now() == tokens.pending_refresh("key")
    tokens.save("key", token, fence=lease.fence)
    assert tokens.pending_refresh("key") is None


def test_a_refresh_without_the_lease_is_not_begun(tokens: TokenStore, clock) -> None:
    """Who lost the lease learns it before anything is sent."""
    first = leased(tokens)
    clock.advance(31)
    leased(tokens)
    with pytest.raises(LeaseLostError, match="the lease on the token of key was lost: read the token again"):
        tokens.begin_refresh("key", first.fence)


def test_a_refused_refresh_leaves_no_mark(tokens: TokenStore, clock) -> None:
    """Where the network said no, nothing is in doubt; only the one who began it can say so."""
    lease = leased(tokens)
    tokens.begin_refresh("key", lease.fence)
    tokens.end_refresh("key", lease.fence - 1)
    assert clock.now() == tokens.pending_refresh("key")
    tokens.end_refresh("key", lease.fence)
    assert tokens.pending_refresh("key") is None


def test_failures_are_remembered_until_their_time(tokens: TokenStore, clock) -> None:
    """All processes see the failure, without secrets, and no longer than it holds."""
    until = clock.now() + timedelta(seconds=60)
    tokens.note_failure("key", "403 refresh_token=S3CRETS3CRET", until)
    assert tokens.failure("key") == ("403 refresh_token=***", until)
    assert tokens.failure("another") is None
    assert tokens.load("key") is None
    clock.advance(60)
    assert tokens.failure("key") is None


def test_a_new_token_ends_the_failure(tokens: TokenStore, token: StoredToken, clock) -> None:
    """A login after a failure works at once."""
    tokens.note_failure("key", "403", clock.now() + timedelta(seconds=60))
    tokens.save("key", token)
    assert tokens.failure("key") is None


def test_a_damaged_token_is_told_without_its_text(
    database: Database, tokens: TokenStore, token: StoredToken
) -> None:
    """The error names the account and the remedy, and quotes nothing."""
    tokens.save("key", token)
    with database.transaction() as connection:
        connection.execute("UPDATE tokens SET body = replace(body, 'issued_at', 'broken')")
    with pytest.raises(StateError, match="the token of key cannot be read: log in again") as caught:
        tokens.load("key")
    assert "ACCESS" not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)


def files_of(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_with_a_key_no_token_is_in_the_file_in_clear(path: Path, database: Database, clock) -> None:
    """Neither a new token nor one stored before the key was configured can be read from the files."""
    TokenStore(database, clock, Owners(None)).save("key", new_token(clock))
    assert b"ACCESS-1" in files_of(path)
    sealed = TokenStore(database, clock, Owners(None), open_cipher(database, "k"))
    sealed.save("another", new_token(clock, "ACCESS-2"))
    assert b"ACCESS" not in files_of(path)
    assert b"REFRESH" not in files_of(path)
    loaded = sealed.load("key")
    assert loaded
    assert loaded.access_token == "ACCESS-1"


def test_an_encrypted_token_without_the_key_is_told(database: Database, clock, token: StoredToken) -> None:
    """A process that began before the key was configured does not take the sealed text for damage."""
    before = TokenStore(database, clock, Owners(None))
    TokenStore(database, clock, Owners(None), open_cipher(database, "k")).save("key", token)
    with pytest.raises(StateError, match="the token of key is encrypted: configure the state's key"):
        before.load("key")


def test_a_deleted_token_is_gone_from_the_file(path: Path, clock) -> None:
    """After a revocation not even a free page of the file has the token."""
    with State.open(path, clock=clock) as state:
        state.tokens.save("key", new_token(clock))
        state.tokens.delete("key")
    assert b"ACCESS-1" not in files_of(path)


REFRESHER = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from adnet.state import State, StoredToken
state = State.open(Path(sys.argv[1]))
for line in sys.stdin:
    old = state.tokens.load("key")
    lease = state.tokens.lease("key", state.owner)
    if lease is None or state.tokens.load("key") != old:
        if lease:
            state.tokens.release(lease)
        print("no", flush=True)
        continue
    state.tokens.begin_refresh("key", lease.fence)
    if line.strip() == "hang":
        print("hanging", flush=True)
        sys.stdin.readline()
    token = StoredToken(access_token="ACCESS-1", issued_at=datetime.now(UTC))
    state.tokens.save("key", token, fence=lease.fence)
    state.tokens.release(lease)
    print("yes", flush=True)
"""


def test_processes_that_refresh_together_take_turns(path: Path, crew) -> None:
    """However three processes meet, each refresh is one generation, and each round has at least one."""
    refreshers = crew(REFRESHER, 3, path)
    answers = [answer for n in range(20) for answer in refreshers.ask(n)]
    assert {"yes", "no"} >= set(answers)
    with State.open(path) as state:
        token = state.tokens.load("key")
    assert token
    assert answers.count("yes") == token.generation
    assert token.generation >= 20
    tally("tokens refreshed by three on one state", token.generation)


def test_a_kill_between_refresh_and_save_is_told_and_blocks_nobody(path: Path, crew) -> None:
    """The old token is still there, the mark says that a refresh was sent, and the lease is free."""
    with State.open(path) as state:
        old = state.tokens.save(
            "key", StoredToken(access_token="ACCESS-0", issued_at=state.ledger._clock.now())
        )
        refresher = crew(REFRESHER, 1, path)
        assert refresher.ask("hang") == ["hanging"]
        assert state.tokens.lease("key", state.owner) is None
        refresher.kill()
        assert old == state.tokens.load("key")
        assert state.tokens.pending_refresh("key")
        assert state.tokens.lease("key", state.owner)
