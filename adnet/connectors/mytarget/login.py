"""Logging an account in and undoing its binding.

One token is issued per account, when its user first grants access; afterwards it is only refreshed. So a login that
finds a token that works keeps it. That one client has one account is seen to by
:mod:`adnet.connectors.mytarget.identity`. Source: myTarget certification page (documented).
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import attrs

from adnet.connectors.mytarget import codec
from adnet.connectors.mytarget.auth import OAuthEndpoint
from adnet.connectors.mytarget.identity import Identity
from adnet.errors import AuthenticationError, ConfigurationError, NotFoundError, TokenRevokedError
from adnet.state.tokens import Lease, StoredToken
from adnet.transport.tokens import OAuthTokens

REMOVED: Final = "the binding of this account was removed here; a new login is needed: `adnet auth login {}`"


@attrs.frozen(kw_only=True)
class Binding:
    """The binding of one account to this application.

    Args:
        endpoint: The token endpoint.
        tokens: The account's tokens.
        identity: Which client the account is bound to.
        who: Proves the token, binds the account to its client and returns the client's id.
    """

    endpoint: OAuthEndpoint
    tokens: OAuthTokens[StoredToken, Lease]
    identity: Identity
    who: Callable[[], Awaitable[str]]

    async def login(self, code: str | None = None) -> str:
        """Bind the account and return the id of its client.

        Args:
            code: What the browser came back with; for the grant ``authorization_code`` only.

        Raises:
            ConfigurationError: A code is missing or makes no sense, the client is bound to another account, or the
                account to another client.
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
        client = await self._told(code) if code is not None else None
        self.identity.check(client)
        if (served := await self._served(client)) is not None:
            return served
        if code is not None:
            self.tokens.keep(await self.endpoint.exchange(code))
        self.tokens.forgive()  # without a code the token is asked for like any other, by one process for all
        self.identity.certain = False  # whose the new token is, the network has to tell
        return await self.who()

    async def revoke(self) -> None:
        """Remove all tokens of the account's user at the network, then everything that is stored of them here.

        Who works meanwhile is told that its token is none, and must not ask for the next one.

        Raises:
            ConfigurationError: The client is bound to another account, whose tokens these are.
        """
        self.identity.check()
        gone = suppress(NotFoundError, TokenRevokedError)  # the network does not know the binding any more
        named: dict[str, str | None] | None = None
        with gone:
            named = await self._named()
        async with self.tokens.alone():
            if named is not None:
                with gone:
                    await self.endpoint.delete(**named)
            self.identity.forget()
            self.tokens.forget(REMOVED.format(self.endpoint.credentials.account))

    async def _named(self) -> dict[str, str | None]:
        """Return whom to unbind; nobody named means the application's owner."""
        known = self.endpoint.credentials
        if known.grant == "client_credentials":
            return {}
        if known.grant == "agency_client_credentials":
            return {"username": known.agency_client_name, "user_id": known.agency_client_id}
        return {"user_id": self.identity.client or await self.who()}

    async def _told(self, code: str) -> str | None:
        """Return whose code it is, before it takes a token; None where the network cannot tell."""
        info = await self.endpoint.code_info(code)
        return codec.object_id(info) if info is not None else None

    async def _served(self, client: str | None) -> str | None:
        """Return whose token is stored; None unless it works and is the *client*'s, where that is known.

        A network that cannot tell at present raises.
        """
        if self.tokens.stored() is None or isinstance(self.tokens.failure(), TokenRevokedError):
            return None
        if client is not None and self.identity.told not in {None, client}:
            return None
        try:
            served = await self.who()
        except AuthenticationError:
            return None
        self.identity.check(client)
        return served
