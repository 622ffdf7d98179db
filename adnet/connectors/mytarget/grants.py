"""How an account comes to a token: by its own application, through an agency, or by a code that its user granted."""

import attrs

from adnet.connectors.mytarget.auth import OAuthEndpoint
from adnet.errors import AuthenticationError
from adnet.transport.sign import TokenSource
from adnet.transport.tokens import Issued


@attrs.frozen
class ClientGrant:
    """A token for the owner of the application."""

    endpoint: OAuthEndpoint

    async def issue(self, *, deadline: float | None) -> Issued:
        """Return a new token."""
        return await self.endpoint.issue(
            "client_credentials", deadline=deadline, scope=self.endpoint.credentials.scope
        )

    async def refresh(self, refresh_token: str, *, deadline: float | None) -> Issued | None:
        """Return the refreshed token."""
        return await self.endpoint.refresh(refresh_token, deadline=deadline)


@attrs.frozen
class AgencyGrant(ClientGrant):
    """A token for a client of an agency: our own, or one that gave this application access."""

    agency: TokenSource | None = None

    async def issue(self, *, deadline: float | None) -> Issued:
        """Return a new token."""
        if self.agency is None:
            return await self._issue(None, deadline)
        token = await self.agency.token(deadline=deadline)
        try:
            return await self._issue(token, deadline)
        except AuthenticationError as error:
            renewable = error.code in {"invalid_token", "expired_token"}
            if not renewable or not self.agency.refused(token, error.code):
                raise
        return await self._issue(await self.agency.token(deadline=deadline), deadline)

    async def _issue(self, access_token: str | None, deadline: float | None) -> Issued:
        known = self.endpoint.credentials
        return await self.endpoint.issue(
            "agency_client_credentials",
            deadline=deadline,
            agency_client_name=known.agency_client_name,
            agency_client_id=known.agency_client_id,
            access_token=access_token,
        )


@attrs.frozen
class CodeGrant(ClientGrant):
    """A token that a user once granted; it is only ever refreshed."""

    first: str | None = attrs.field(default=None, repr=False)
    """A refresh token from elsewhere, to begin with."""

    async def issue(self, *, deadline: float | None) -> Issued:
        """Return the first token, by the refresh token that was configured.

        Raises:
            AuthenticationError: There is none, or the network does not know it: the user has to log in.
        """
        found = None
        if self.first is not None:
            found = await self.endpoint.refresh(self.first, deadline=deadline)
        if found is None:
            name = self.endpoint.credentials.account
            lost = (
                "the network does not know its refresh token"
                if self.first
                else "it holds no login that works"
            )
            raise AuthenticationError(
                f"account {name!r} has to log in: {lost}; run `adnet auth login {name}`",
                code="login_required",
            )
        return attrs.evolve(found, refresh_token=found.refresh_token or self.first)


def grant_for(endpoint: OAuthEndpoint, agency: TokenSource | None) -> ClientGrant:
    """Return the grant that the credentials name."""
    match endpoint.credentials.grant:
        case "agency_client_credentials":
            return AgencyGrant(endpoint, agency)
        case "authorization_code":
            return CodeGrant(endpoint, endpoint.credentials.refresh_token)
    return ClientGrant(endpoint)
