"""Connectors whose accounts log in: their tokens are issued and refreshed, not configured."""

from typing import Protocol, cast, runtime_checkable

from adnet import registry
from adnet.client import Account
from adnet.errors import UnsupportedError
from adnet.state import Lease, StoredToken
from adnet.transport.tokens import OAuthTokens


@runtime_checkable
class LogsIn(Protocol):
    """A connector whose accounts have tokens that are issued and refreshed."""

    @property
    def grant(self) -> str:
        """How the account comes to a token."""
        ...

    @property
    def tokens(self) -> OAuthTokens[StoredToken, Lease]:
        """The account's tokens."""
        ...

    def login_url(self, state: str, *, redirect_uri: str | None = None) -> str:
        """Return the page on which a user grants access."""
        ...

    async def login(self, code: str | None = None) -> str:
        """Bind the account and return its user's id."""
        ...


def tokens_of(account: Account) -> LogsIn:
    """Return the account's connector, if its accounts log in.

    Raises:
        UnsupportedError: They do not.
    """
    if not isinstance(account.connector, LogsIn):
        raise no_logins(account.network)
    return cast("LogsIn", account.connector)


def no_logins(network: str) -> UnsupportedError:
    """Return what to raise about a network whose accounts do not log in."""
    able = registry.supporting("revoke")
    return UnsupportedError(
        f"there are no logins at {network}: credentials stand in the configuration; {', '.join(able)} have them",
        instead=able,
    )
