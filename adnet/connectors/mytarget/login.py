"""Logging an account in and undoing its binding.

One token is issued per account, when its user first grants access; afterwards it is only refreshed. So a login that
finds a token that works keeps it. One physical client has one account: a user who is bound to one account of the
configuration is not bound to a second one. Source: myTarget certification page (documented).
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import attrs

from adnet.connectors.mytarget import codec
from adnet.connectors.mytarget.auth import OAuthEndpoint
from adnet.connectors.mytarget.grants import ClientGrant
from adnet.errors import AuthenticationError, ConfigurationError, NotFoundError, TokenRevokedError
from adnet.state.facts import Facts
from adnet.state.tokens import Lease, StoredToken
from adnet.transport.tokens import OAuthTokens

REMOVED: Final = "the binding of this account was removed here; a new login is needed: `adnet auth login {}`"
_USER: Final = "user_id"


@attrs.frozen(kw_only=True)
class Binding:
    """The binding of one account to this application.

    Args:
        endpoint: The token endpoint.
        grant: How the account comes to a token.
        tokens: The account's tokens.
        facts: Where it is remembered who is bound to what.
        key: The account's key there.
        scope: Names the application on its host: users are bound once in it.
        who: Proves the token and returns the account's own id.
    """

    endpoint: OAuthEndpoint
    grant: ClientGrant
    tokens: OAuthTokens[StoredToken, Lease]
    facts: Facts
    key: str
    scope: str
    who: Callable[[], Awaitable[str]]

    async def login(self, code: str | None = None, *, taken: Mapping[str, str] | None = None) -> str:
        """Bind the account and return the id of its user.

        Args:
            code: What the browser came back with; for the grant ``authorization_code`` only.
            taken: User id -> name of the other account that is known to be this user's.

        Raises:
            ConfigurationError: A code is missing or makes no sense, the user is bound to another account, or the
                account to another user.
            TokenLimitError: The network gives no further token.
            AuthenticationError: The code or the credentials were refused.
        """
        by_code = self.endpoint.credentials.grant == "authorization_code"
        if by_code != (code is not None):
            raise ConfigurationError(
                "this account logs in with the code that the browser brings back"
                if by_code
                else f"a login by {self.endpoint.credentials.grant} takes no code"
            )
        if code is not None:
            await self._check_user(code, taken or {})
        if (user_id := await self._served()) is not None:
            return self._bound(user_id)
        if code is not None:
            self.tokens.keep(await self.endpoint.exchange(code))
        else:
            self.tokens.keep(await self.grant.issue(deadline=None))
        user_id = await self.who()
        try:
            self._refuse_second(user_id, taken or {})
        except ConfigurationError:
            self.facts.forget(self.key)
            self.tokens.forget(REMOVED.format(self.endpoint.credentials.account))
            raise
        return self._bound(user_id)

    async def revoke(self) -> None:
        """Remove all tokens of the account's user at the network, then everything that is stored of them here."""
        with suppress(NotFoundError, TokenRevokedError):  # the network does not know the binding any more
            await self.endpoint.delete(**await self._named())
        user_id = self.facts.get(self.key, _USER)
        if user_id is not None:
            self.facts.forget(self.scope, user_id)
        self.facts.forget(self.key)
        self.tokens.forget(REMOVED.format(self.endpoint.credentials.account))

    async def _named(self) -> dict[str, str | None]:
        """Return whom to unbind; nobody named means the application's owner."""
        known = self.endpoint.credentials
        if known.grant == "client_credentials":
            return {}
        if known.grant == "agency_client_credentials":
            return {"username": known.agency_client_name, "user_id": known.agency_client_id}
        return {_USER: self.facts.get(self.key, _USER) or await self.who()}

    async def _check_user(self, code: str, taken: Mapping[str, str]) -> None:
        """Refuse a code of a user who cannot be this account's, before it takes a token."""
        info: Mapping[str, Any] | None = await self.endpoint.code_info(code)
        if info is None:
            return
        user_id = codec.object_id(info)
        self._refuse_second(user_id, taken)
        name, bound = self.endpoint.credentials.account, self.facts.get(self.key, _USER)
        if bound not in {None, user_id}:
            raise ConfigurationError(
                f"account {name!r} is bound to user {bound}, and this code is of user {user_id}; one client has one"
                f" account here: `adnet auth revoke {name}` unbinds the first"
            )

    async def _served(self) -> str | None:
        """Return whose token is stored; None unless it works. A network that cannot tell at present raises."""
        if self.tokens.stored() is None or isinstance(self.tokens.failure(), TokenRevokedError):
            return None
        try:
            return await self.who()
        except AuthenticationError:
            return None

    def _refuse_second(self, user_id: str, taken: Mapping[str, str]) -> None:
        holder, _, name = (self.facts.get(self.scope, user_id) or "").partition(" ")
        if not holder or holder == self.key:
            name = taken.get(user_id, "")
        if name:
            raise ConfigurationError(
                f"user {user_id} is bound to the account {name!r} already, and one client has one account here;"
                f" `adnet auth revoke {name}` unbinds it"
            )

    def _bound(self, user_id: str) -> str:
        self.facts.put(self.scope, user_id, f"{self.key} {self.endpoint.credentials.account}")
        return user_id
