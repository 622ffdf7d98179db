"""Adskeeper's credentials: a token in the header, given or got by logging in with email and password.

Source: Adskeeper advertiser API document, "Identification" (documented); ``POST /auth/token`` is observed in six
clients. Routes to refresh or revoke a token are not known, nor how long one lasts: after a 401 a new login is made.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from adnet.clock import Clock
from adnet.connectors.adskeeper.errors import stripped
from adnet.connectors.adskeeper.routes import LOGIN
from adnet.errors import AuthenticationError, ConfigurationError, CredentialsError, SchemaError
from adnet.interface import Option
from adnet.money import exact
from adnet.redact import keyed_hash
from adnet.state import State, StoredToken
from adnet.transport.decipher import decode
from adnet.transport.session import Session
from adnet.transport.sign import SingleFlight
from adnet.transport.token_failures import Failures
from adnet.transport.wire import Response

OPTIONS: Final = (
    Option("client_id", "the client's API id (idAuth), not the number that the dashboard shows"),
    Option("token", "the API token, from the dashboard", secret=True),
    Option("email", "in place of a token: the address to log in with"),
    Option("password", "in place of a token: the password to log in with", secret=True),
    Option(
        "paging", "what start counts: offset (rows), page (from 1) or auto, which finds out", default="auto"
    ),
    Option(
        "split_daily_limit",
        "how splitDailyLimitEvenly is meant: seed (0 is on), new (1 is on) or unset, which never sends it",
        default="unset",
    ),
    Option("wallet_divisor", "what amounts in the wallet are divided by: 100 for cents", default="100"),
    Option("list_literals", "how lists inside a value are written: json or single quotes", default="json"),
)

_FRESH_S: Final = 10.0
"""A token refused so soon after its login will not be replaced by a better one."""


@attrs.frozen(kw_only=True)
class Dialect:
    """What editions of the document tell differently."""

    paging: str = "auto"
    split_daily_limit: str = "unset"
    wallet_divisor: Decimal = Decimal(100)
    list_literals: str = "json"

    @classmethod
    def of(cls, options: Mapping[str, Any], account: str) -> "Dialect":
        """Return the dialect that *options* choose.

        Raises:
            ConfigurationError: An option has a value that it cannot have.
        """
        allowed = {
            "paging": ("auto", "offset", "page"),
            "split_daily_limit": ("unset", "seed", "new"),
            "list_literals": ("json", "single"),
        }
        chosen = {name: str(options.get(name) or words[0]) for name, words in allowed.items()}
        for name, words in allowed.items():
            if chosen[name] not in words:
                raise ConfigurationError(
                    f"account {account!r}: {name} = {chosen[name]!r} must be one of {', '.join(words)}"
                )
        return cls(wallet_divisor=_divisor(options.get("wallet_divisor"), account), **chosen)


def _divisor(value: Any, account: str) -> Decimal:
    try:
        number = exact(str(100 if value is None else value))
    except ValueError:
        number = Decimal(0)
    if number <= 0:
        raise ConfigurationError(f"account {account!r}: wallet_divisor = {value!r} must be a number above 0")
    return number


@attrs.frozen(kw_only=True)
class Credentials:
    """Who speaks: a client id with its token, or email and password."""

    client_id: str | None
    token: str | None = attrs.field(repr=False)
    email: str | None
    password: str | None = attrs.field(repr=False)

    @classmethod
    def of(cls, options: Mapping[str, Any], account: str) -> "Credentials":
        """Return the credentials among *options*.

        Raises:
            CredentialsError: Neither pair is complete.
        """
        names = ("client_id", "token", "email", "password")
        given = {name: str(options[name]).strip() if options.get(name) else None for name in names}
        found = cls(**given)
        if found.token and not found.client_id:
            raise CredentialsError(f"account {account!r}: a token needs the client_id that it was issued for")
        if not found.token and not (found.email and found.password):
            raise CredentialsError(f"account {account!r}: give client_id and token, or email and password")
        if found.client_id and not found.client_id.isascii():
            raise CredentialsError(f"account {account!r}: client_id is a number")
        return found

    @property
    def identity(self) -> str:
        """What tells accounts apart; no secret."""
        return self.client_id or (self.email or "").lower()


@attrs.frozen
class _Answer:
    """What a login was answered, as far as it is of use."""

    token: str | None = attrs.field(repr=False)
    refresh_token: str | None = attrs.field(repr=False)
    client_id: str | None

    @classmethod
    def of(cls, value: Any) -> "_Answer":
        """Read an answer; what is missing or of another type is None."""
        found: dict[str, Any] = value if isinstance(value, dict) else {}
        number = found.get("idAuth")
        known = isinstance(number, int | str) and not isinstance(number, bool) and str(number)
        return cls(
            token=_text(found.get("token")),
            refresh_token=_text(found.get("refreshToken")),
            client_id=str(number) if known else None,
        )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


class LoginToken:
    """A token got by logging in: kept in the state, renewed once for many waiters when it is refused.

    A refusal of these credentials is remembered for minutes, by all processes that share the state: each call would
    try a wrong password anew, and whoever guesses passwords does the same.
    """

    def __init__(
        self, session: Session, credentials: Credentials, *, state: State, clock: Clock, key: str
    ) -> None:
        self.client_id: str | None = credentials.client_id
        """Known from the first login on; remembered."""
        self._session = session
        self._credentials = credentials
        self._state = state
        self._clock = clock
        self._key = key
        self._token: str | None = None
        self._logged_in_at: float | None = None
        self._flight: SingleFlight[str] = SingleFlight(clock)
        words = f"{credentials.email} {credentials.password}"
        self._failures = Failures(
            state.tokens, key, clock, credentials=keyed_hash(state.secret_key, words)[:12]
        )

    async def token(self, *, deadline: float | None = None) -> str:
        """Return the present token, logging in first if need be.

        Raises:
            AuthenticationError: Email and password were refused, now or lately.
            RequestTimeoutError: No token came before *deadline*.
        """
        if self._token is None:
            self._take_stored()
        if self._token is None and (failure := self._failures.recall()) is not None:
            raise failure
        return self._token or await self._flight.run(self._log_in, deadline=deadline)

    def _take_stored(self) -> None:
        stored = self._state.tokens.load(self._key)
        client_id = self.client_id or self._state.facts.get(self._key, "client_id")
        if stored is not None and client_id:
            self._session.scrubber.learn(stored.access_token)
            self._token, self.client_id = stored.access_token, client_id

    def refused(self, token: str, code: str | None) -> bool:  # noqa: ARG002 - codes say nothing more here
        """Forget *token*; say whether another may be had."""
        if token != self._token:
            return True
        fresh = self._logged_in_at is not None and self._clock.monotonic() - self._logged_in_at < _FRESH_S
        self._token = None
        stored = self._state.tokens.load(self._key)
        if stored is not None and stored.access_token == token:
            self._state.tokens.delete(self._key)
        # Another process may have logged in at the same time, which ends our token: its own is there.
        return not fresh or (stored is not None and stored.access_token != token)

    async def _log_in(self) -> str:
        try:
            response = await self._asked()
        except AuthenticationError as error:
            self._failures.remember(error)
            raise
        with self._session.reading(LOGIN):
            whole = attrs.evolve(response, body=stripped(response.body))
            answer = _Answer.of(decode(whole, scrubber=self._session.scrubber))
            self._session.scrubber.learn(answer.token)
            self._session.scrubber.learn(answer.refresh_token)
            if answer.token is None:
                raise SchemaError("the login's answer holds no token", paths=("$.token",))
            self._learn_id(answer)
        self._state.tokens.save(
            self._key, StoredToken(access_token=answer.token, issued_at=self._clock.now())
        )
        self._token, self._logged_in_at = answer.token, self._clock.monotonic()
        return self._token

    async def _asked(self) -> Response:
        # No secret stands in a local of its own here: tracebacks are often shown with their locals.
        return await self._session.send(
            self._session.build(
                LOGIN, form={"email": self._credentials.email, "password": self._credentials.password}
            )
        )

    def _learn_id(self, answer: "_Answer") -> None:
        if answer.client_id is not None:
            self.client_id = self._credentials.client_id or answer.client_id
            self._state.facts.put(self._key, "client_id", self.client_id)
        if self.client_id is None:
            raise SchemaError("the login's answer holds no id", paths=("$.idAuth",))

    async def close(self) -> None:
        """Stop a login that is still under way."""
        await self._flight.close()
