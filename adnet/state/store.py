"""The state as users name it: ``[state] url`` in the configuration."""

import secrets
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Final, Self

from adnet.clock import Clock, SystemClock
from adnet.errors import ConfigurationError, StateError
from adnet.places import at_home
from adnet.state.cipher import open_cipher
from adnet.state.database import Database
from adnet.state.facts import Facts
from adnet.state.jobs import JobJournal
from adnet.state.leases import Leases
from adnet.state.ledger import Ledger
from adnet.state.lengths import Lengths
from adnet.state.owners import Owners
from adnet.state.stats import StatsGuard
from adnet.state.tokens import TokenStore

_MEMORY: Final = ":memory:"
_SECRET_KEY: Final = "secret_key"  # noqa: S105 - its name, not its value


class State:
    """Everything that outlives a process, on one file; use it as a context manager or close it.

    Processes that open the same file share its limits, tokens and jobs. Not usable across a fork.
    """

    tokens: TokenStore
    """OAuth tokens and the lease to refresh them."""
    jobs: JobJournal
    """Report jobs, from the intention on."""
    facts: Facts
    """Small things learned about accounts and hosts."""
    leases: Leases
    """Who is alone at something."""
    lengths: Lengths
    """How long reports take."""
    stats: StatsGuard
    """Answers to statistics of closed days."""
    ledger: Ledger
    """One line for every request."""
    database: Database
    """The file itself."""
    owners: Owners
    """Who works on this state."""
    owner: str
    """This process, as ``host:pid:mark``."""
    secret_key: bytes
    """32 random bytes, made once for this state: the key of hashed click addresses."""

    def __init__(
        self, database: Database, owners: Owners, clock: Clock, key: bytes | str | None = None
    ) -> None:
        self.database = database
        self._clock = clock
        self._closed = False
        self.owners = owners
        self.owner = owners.me
        self.tokens = TokenStore(database, clock, owners, open_cipher(database, key))
        self.jobs = JobJournal(database, clock, owners)
        self.facts = Facts(database, clock)
        self.leases = Leases(database, clock, owners)
        self.lengths = Lengths(self.facts)
        self.stats = StatsGuard(database, clock)
        self.ledger = Ledger(database, clock)
        self.secret_key = database.keep_once(_SECRET_KEY, secrets.token_bytes(32))

    @classmethod
    def open(
        cls, url: str | Path | None = None, *, clock: Clock | None = None, key: bytes | str | None = None
    ) -> Self:
        """Open the state at *url*, making it owner-only where missing.

        Args:
            url: ``sqlite:PATH`` or a path, as text too; relative paths are relative to the working folder, and ``~`` is
                the user's own. None and ``:memory:`` are a private state that ends with the process.
            clock: The machine's own by default.
            key: Encrypts token texts at rest; needs the extra ``encryption``.

        Raises:
            ConfigurationError: The url names no known kind of state or home folder, the key is empty, or the library
                for it is missing.
            StateError: The file can be read by others, or is damaged, locked, of a newer format or no state
                file; or the key is not the one it was encrypted with; or nothing can be made or locked beside it.
        """
        with ExitStack() as opened:
            database = opened.enter_context(closing(Database.open(_path(url))))
            owners = Owners(database.path)
            opened.callback(owners.leave)
            state = cls(database, owners, clock or SystemClock(), key)
            opened.pop_all()
        return state

    @property
    def shared(self) -> bool:
        """Whether other processes may be on the same state."""
        return self.database.name != _MEMORY

    def close(self) -> None:
        """Write what is held and close the file; closing twice is fine.

        Raises:
            StateError: What was held could not be written. The file is closed all the same.
        """
        self.owners.leave()
        if self._closed:
            return
        self._closed = True
        try:
            self.ledger.flush()
            with suppress(StateError):  # the next to close it does
                self._tidy()
        finally:
            self.database.close()

    def _tidy(self) -> None:
        """Delete what is too old to be of use, once a day; a state that only this process had needs none."""
        today = self._clock.now().date().isoformat()
        if not self.shared or self.facts.get("state", "tidied") == today:
            return
        for room in (self.jobs, self.leases, self.stats, self.ledger):
            room.prune()
        self.owners.sweep()
        self.facts.put("state", "tidied", today)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"State({self.database.name!r})"


def _path(url: str | Path | None) -> Path | None:
    if isinstance(url, Path):
        return at_home(url)
    scheme, colon, rest = ("sqlite", ":", _MEMORY) if url in {None, _MEMORY} else str(url).partition(":")
    # Only the scheme is ever told: what follows it may hold a password.
    if not colon and scheme:
        return at_home(scheme)
    if not colon:
        scheme = "sqlite"
    if scheme == "redis":
        raise ConfigurationError(
            "a state on redis is not available in this version: write sqlite:PATH, on a disk of this machine"
        )
    if scheme != "sqlite":
        raise ConfigurationError(f"the state url has the unknown scheme {scheme!r}: known is sqlite:PATH")
    if not rest:
        raise ConfigurationError("the state url names no file: write sqlite:PATH")
    return None if rest == _MEMORY else at_home(rest)
