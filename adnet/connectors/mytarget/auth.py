"""The four ways to a token of myTarget and VK Ads, and the credentials they need.

Source: myTarget help "API authorization", VK Ads "Authorization" (documented): a token belongs to one account; there
are five per account and application at most, whatever their state; a refresh replaces the access token within its
slot and ends the one before; removing a user's tokens is how a binding is undone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Self
from urllib.parse import quote, urlencode

import attrs

from adnet.connectors.mytarget import routes
from adnet.connectors.mytarget.profile import Profile
from adnet.errors import (
    ApiError,
    AuthenticationError,
    CredentialsError,
    LostReplyError,
    NotFoundError,
    ServerError,
    TokenLimitError,
    TokenRevokedError,
)
from adnet.interface import Option
from adnet.transport.decipher import decode
from adnet.transport.session import Session
from adnet.transport.tokens import Issued
from adnet.transport.wire import Request, Route

GRANTS: Final = ("client_credentials", "agency_client_credentials", "authorization_code")
SCOPES: Final = ("read_ads", "read_payments", "create_ads")
"""What an advertiser's token is good for; agencies add ``read_clients``, ``create_clients``,
``create_agency_payments``, managers ``read_manager_clients``, ``edit_manager_clients``."""

OPTIONS: Final = (
    Option("client_id", "id of the application, from the network's support", required=True),
    Option("client_secret", "the application's secret", required=True, secret=True),
    Option("grant", f"how a token is had: {', '.join(GRANTS)}", default="client_credentials"),
    Option("agency_client_name", "login of an agency's client, e.g. ab12cd34@agency_client"),
    Option("agency_client_id", "user id of an agency's client, instead of its login"),
    Option("agency_access_token", "token of an agency that gave access to this application", secret=True),
    Option("agency_refresh_token", "the same agency's refresh token, instead", secret=True),
    Option("refresh_token", "of an authorization code that was exchanged elsewhere", secret=True),
    Option("user", "tells accounts with a login of their own apart; the account's name by default"),
    Option("scope", f"rights to ask for, separated by commas; {','.join(SCOPES)} by default"),
    Option("update_verb", "verb of partial updates: auto, patch or post", default="auto"),
    Option("restated_days", "closed days that are asked for again once a day", default="7"),
    Option(
        "sharing_price_unit",
        "what prices of sharing keys are in: units (rubles) or minor (kopecks); without it none is sent or told",
        default="unknown",
    ),
)

_KEPT_OUT: Final = frozenset({"invalid_client", "invalid_user"})
"""Refusals of a refresh that say nothing about the refresh token."""
_UNKNOWN: Final = "unknown refresh token"
"""What the network says of one that it does not know (documented); under which status and code is not."""
_MOST_S: Final = 3650 * 86400.0


@attrs.frozen(kw_only=True)
class Credentials:
    """What an account is configured with, checked."""

    account: str
    """Name in the configuration."""
    client_id: str
    client_secret: str = attrs.field(repr=False)
    grant: str = "client_credentials"
    agency_client_name: str | None = None
    agency_client_id: str | None = None
    agency_access_token: str | None = attrs.field(default=None, repr=False)
    agency_refresh_token: str | None = attrs.field(default=None, repr=False)
    refresh_token: str | None = attrs.field(default=None, repr=False)
    user: str | None = None
    scope: str | None = None

    @classmethod
    def checked(cls, account: str, options: Mapping[str, Any]) -> Self:
        """Return the credentials in *options*.

        Raises:
            CredentialsError: The grant is unknown, or something that it needs is missing.
        """
        names = {field.name for field in attrs.fields(cls)} - {"account"}
        given = {name: str(value) for name, value in options.items() if name in names and value is not None}
        found = cls(account=account, **given)
        if problem := found.problem():
            raise CredentialsError(f"account {account!r}: {problem}")
        return found

    def problem(self) -> str | None:
        """Return what is wrong, or None."""
        clients = [n for n in ("agency_client_name", "agency_client_id") if getattr(self, n)]
        agency = [n for n in ("agency_access_token", "agency_refresh_token") if getattr(self, n)]
        if self.grant not in GRANTS:
            return f"there is no grant {self.grant!r}; there are {', '.join(GRANTS)}"
        if self.grant == "agency_client_credentials":
            if len(clients) != 1:
                return "an agency's client is named by agency_client_name or by agency_client_id"
            return "give one of agency_access_token and agency_refresh_token" if len(agency) > 1 else None
        if clients or agency:
            return f'{(clients + agency)[0]} needs grant = "agency_client_credentials"'
        if self.refresh_token and self.grant != "authorization_code":
            return 'refresh_token needs grant = "authorization_code"'
        return None

    @property
    def who(self) -> str:
        """Text that tells the accounts of one application apart; no secret."""
        if self.grant == "agency_client_credentials":
            return f"agency client {self.agency_client_name or self.agency_client_id}"
        return f"user {self.user or self.account}" if self.grant == "authorization_code" else "owner"


def authorize_url(
    profile: Profile,
    base_url: str,
    *,
    client_id: str,
    state: str,
    scopes: Sequence[str] = SCOPES,
    redirect_uri: str | None = None,
) -> str:
    """Return the page on which a user grants access; the browser comes back with ``code`` and *state*.

    The code lives one hour. On a refusal ``error`` comes back instead.

    Args:
        profile: The brand.
        base_url: Its host.
        client_id: Id of the application.
        state: A random text, to be compared with what comes back.
        scopes: Rights to ask for; the network keeps those that fit the account.
        redirect_uri: Where to come back to; sent only where the brand takes one.
    """
    query = {
        **profile.authorize_query,
        "response_type": "code",
        "client_id": client_id,
        "state": state,
        "scope": ",".join(scopes),
    }
    if redirect_uri is not None and profile.sends_redirect:
        query["redirect_uri"] = redirect_uri
    return f"{base_url.rstrip('/')}{profile.authorize_path}?{urlencode(query, quote_via=quote, safe=',')}"


class OAuthEndpoint:
    """The token endpoint, as one application uses it.

    Args:
        session: Unsigned; its decipherer reads ``{"error", "error_description"}``.
        credentials: The application's and the account's.
        learned: Takes small facts, e.g. how many slots are left.
    """

    def __init__(
        self, session: Session, credentials: Credentials, learned: Callable[[str, str], None]
    ) -> None:
        self._session = session
        self.credentials = credentials
        self._learned = learned

    async def issue(self, grant: str, *, deadline: float | None = None, **form: str | None) -> Issued:
        """Return a new token; it takes one of five slots.

        Raises:
            TokenLimitError: All slots are taken; the message says what to do.
            AuthenticationError: The credentials were refused.
            LostReplyError: A slot may have been taken all the same; also where a gateway gave up.
        """
        given = {"grant_type": grant, **self._client, **form}
        try:
            return await self._token(routes.ISSUE, given, deadline)
        except TokenLimitError as error:
            name = self.credentials.account
            message = (
                f"all five live tokens of this account are taken, and the network gives no other: `adnet auth"
                f" revoke {name}` frees them (it also ends what other programs hold for this account), then"
                f" `adnet auth login {name}`"
            )
            error.args = (message,)
            raise
        except ServerError as error:
            raise LostReplyError(f"a token may have been issued that nobody has: {error.message}") from error

    async def refresh(self, refresh_token: str, *, deadline: float | None = None) -> Issued | None:
        """Return the refreshed token; None when the network does not know *refresh_token* any more."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **self._client}
        self._session.scrubber.learn(refresh_token)
        try:
            return await self._token(routes.REFRESH, form, deadline)
        except TokenRevokedError:
            raise
        except ApiError as error:
            refused = isinstance(error, AuthenticationError) and error.code not in _KEPT_OUT
            if not refused and _UNKNOWN not in error.message.lower().replace("_", " "):
                raise
            return None

    async def exchange(self, code: str) -> Issued:
        """Return the token for an authorization code, which is used up by that.

        The documented exchange carries no secret; a network that wants it is given it.
        """
        try:
            return await self.issue("authorization_code", client_secret=None, code=code)
        except AuthenticationError as error:
            if error.code != "invalid_client":
                raise
            return await self.issue("authorization_code", code=code)

    async def code_info(self, code: str) -> Mapping[str, Any] | None:
        """Return the user behind a code, which stays usable; None where the network cannot tell."""
        try:
            response = await self._send(routes.CODE_INFO, {**self._client, "code": code}, None)
        except NotFoundError:
            return None
        found = decode(response, dict[str, Any], scrubber=self._session.scrubber).get("user")
        return found if isinstance(found, dict) else None

    async def delete(self, *, username: str | None = None, user_id: str | None = None) -> None:
        """Remove all tokens of a user for this application; of its owner when none is named."""
        await self._send(routes.REVOKE, {**self._client, "username": username, "user_id": user_id}, None)

    @property
    def _client(self) -> dict[str, str | None]:
        return {"client_id": self.credentials.client_id, "client_secret": self.credentials.client_secret}

    async def _token(self, route: Route, form: Mapping[str, str | None], deadline: float | None) -> Issued:
        response = await self._send(route, form, deadline)
        with self._session.reading(route):
            body = decode(response, dict[str, Any], scrubber=self._session.scrubber)
            issued = read_issued(body)
        left = body.get("tokens_left")
        if isinstance(left, int):
            self._learned("tokens_left", str(left))
        return issued

    async def _send(self, route: Route, form: Mapping[str, str | None], deadline: float | None) -> Any:
        facts = {"grant": form.get("grant_type")}
        request: Request = self._session.build(route, form=form, deadline=deadline, facts=facts)
        return await self._session.send(request)


def read_issued(body: Mapping[str, Any]) -> Issued:
    """Return what a token answer says, whatever types it uses for it.

    Raises:
        SchemaError: There is no access token in it.
    """
    from adnet.errors import SchemaError

    access, refresh, scope = body.get("access_token"), body.get("refresh_token"), body.get("scope")
    if not isinstance(access, str) or not access:
        raise SchemaError("the answer holds no access token", paths=("$.access_token",))
    if isinstance(scope, list):
        scope = ",".join(str(word) for word in scope)
    return Issued(
        access_token=access,
        refresh_token=refresh if isinstance(refresh, str) and refresh else None,
        expires_in_s=seconds(body.get("expires_in")),
        scope=scope if isinstance(scope, str) and scope else None,
    )


def seconds(value: object) -> float | None:
    """Return a lifetime; None for what is none: null, ``"None"``, zero. Numbers come as text, too."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return min(number, _MOST_S) if number > 0 else None
