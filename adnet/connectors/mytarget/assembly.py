"""Puts the rooms of one account together; nothing is sent."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import attrs

from adnet.connectors.mytarget import errors
from adnet.connectors.mytarget.api import Api
from adnet.connectors.mytarget.audiences import Audiences
from adnet.connectors.mytarget.auth import Credentials, OAuthEndpoint
from adnet.connectors.mytarget.creating import Creator
from adnet.connectors.mytarget.grants import ClientGrant, CodeGrant, grant_for
from adnet.connectors.mytarget.identity import Identity
from adnet.connectors.mytarget.ledger import LedgerObserver
from adnet.connectors.mytarget.limits import BUCKETS, MeteredTransport, Quotas
from adnet.connectors.mytarget.login import Binding
from adnet.connectors.mytarget.native import MyTargetNative
from adnet.connectors.mytarget.profile import Profile
from adnet.connectors.mytarget.reading import Reader
from adnet.connectors.mytarget.seeding import Seeder
from adnet.connectors.mytarget.sharing import PRICE_UNITS, Sharing
from adnet.connectors.mytarget.statistics import StatReader
from adnet.connectors.mytarget.urls import UrlBook
from adnet.connectors.mytarget.writing import Writer
from adnet.errors import AdnetError, ConfigurationError, TokenRevokedError
from adnet.interface import Services
from adnet.redact import keyed_hash
from adnet.state.tokens import Lease, LeaseLostError, StoredToken
from adnet.transport.limits import Limiter
from adnet.transport.session import Observer, Session
from adnet.transport.sign import HeaderSigner, NoSigner, StaticToken
from adnet.transport.tokens import OAuthTokens
from adnet.transport.wire import Request, Response, origin

Tokens = OAuthTokens[StoredToken, Lease]
_SECRETS = ("client_secret", "refresh_token", "agency_access_token", "agency_refresh_token")


@attrs.frozen(kw_only=True)
class Parts:
    """The rooms of one account."""

    key: str
    """Keyed hash of host, application and user."""
    credentials: Credentials
    identity: Identity
    limiter: Limiter
    tokens: Tokens
    agency: Tokens | None
    """Tokens of the agency that gave this application access, where there is one."""
    session: Session
    """Of the API itself."""
    sessions: Sequence[Session]
    """That one, and those of tokens."""
    seeder: Seeder
    api: Api
    native: MyTargetNative
    reader: Reader
    stats: StatReader
    writer: Writer
    creator: Creator
    audiences: Audiences
    sharing: Sharing
    binding: Binding


def assemble(profile: Profile, services: Services, base_url: str | None, options: Mapping[str, Any]) -> Parts:
    """Return the rooms of one account.

    Raises:
        CredentialsError: Something that the grant needs is missing.
        ConfigurationError: A value is of no use.
    """
    credentials = Credentials.checked(services.account, options)
    verb = _choice(services.account, options, "update_verb", ("auto", "patch", "post"))
    restated_days = _whole(services.account, options, "restated_days", 7)
    price_unit = _choice(services.account, options, "sharing_price_unit", PRICE_UNITS)
    house = _House(profile, services, base_url or profile.base_url, credentials)
    endpoint, agency = house.endpoint(house.key), house.agency()
    tokens = house.tokens(house.key, grant_for(endpoint, agency or _static(credentials)))
    quotas = Quotas(house.limiter, services.clock)
    session = house.api_session(tokens, quotas)
    facts, clock = services.state.facts, services.clock
    identity = house.identity(tokens)
    seeder = Seeder(session, quotas, facts, house.key, clock)
    api = Api(session, profile, seeder, identity, facts, key=house.key, clock=clock, verb=verb)
    native = MyTargetNative(api)
    reader = Reader(api, native, facts, house.key)
    urls = UrlBook(native.urls, clock)
    audiences = Audiences(native)
    writer = Writer(api, native, urls, reader.currency)
    return Parts(
        key=house.key,
        credentials=credentials,
        identity=identity,
        limiter=house.limiter,
        tokens=tokens,
        agency=agency,
        session=session,
        sessions=house.sessions,
        seeder=seeder,
        api=api,
        native=native,
        reader=reader,
        stats=StatReader(
            api, native, reader, services.state, house.key, clock=clock, restated_days=restated_days
        ),
        writer=writer,
        creator=Creator(writer, urls, reader.currency, clock, quotas.server_at),
        audiences=audiences,
        sharing=Sharing(native, audiences, reader.currency, writer.planned, price_unit=price_unit),
        binding=Binding(endpoint=endpoint, tokens=tokens, identity=identity, who=partial(_who, reader)),
    )


class _House:
    """What all rooms of one account share."""

    def __init__(self, profile: Profile, services: Services, base_url: str, credentials: Credentials) -> None:
        self._profile = profile
        self._services = services
        self._base_url = base_url
        self._credentials = credentials
        for name in _SECRETS:
            services.scrubber.learn(getattr(credentials, name))
        # Not keyed by the state: a saved job has to find its account in another process, whatever its state.
        self.key = self._hashed(credentials.who, f"{profile.network} account".encode())
        self.sessions: list[Session] = []
        self.limiter = services.limiter(BUCKETS, self.key)
        self._ledger = LedgerObserver(
            ledger=services.state.ledger,
            clock=services.clock,
            network=profile.network,
            account=services.account,
        )

    def _hashed(self, text: str, key: bytes | None = None) -> str:
        words = (self._profile.network, origin(self._base_url), self._credentials.client_id, text)
        return keyed_hash(key or self._services.state.secret_key, " ".join(words))

    def endpoint(self, key: str, *, whose: str | None = None) -> OAuthEndpoint:
        """Return the token endpoint; what it tells is remembered under *key*, its lines in the ledger are *whose*."""
        services = self._services
        decipherer = errors.decipherer(
            self._profile.network, services.scrubber, services.clock, codes=errors.TOKEN_CODES
        )
        session = self._session(
            (attrs.evolve(self._ledger, account=whose or services.account),),
            transport=services.transport,
            signer=NoSigner(),
            decipherer=decipherer,
        )
        return OAuthEndpoint(session, self._credentials, partial(services.state.facts.put, key))

    def tokens(self, key: str, grant: ClientGrant) -> Tokens:
        """Return the tokens stored under *key*."""
        services = self._services
        return OAuthTokens(
            key=key,
            owner=services.state.owner,
            store=services.state.tokens,
            make=StoredToken,
            replaced=LeaseLostError,
            grant=grant,
            clock=services.clock,
            scrubber=services.scrubber,
            credentials=self._hashed(self._credentials.client_secret)[:12],
        )

    def agency(self) -> Tokens | None:
        """Return the tokens of an agency that gave this application access, kept like any others."""
        first = self._credentials.agency_refresh_token
        if first is None:
            return None
        key = self._hashed(f"agency {first}")
        endpoint = self.endpoint(key, whose=f"agency of {self._services.account}")
        return self.tokens(key, CodeGrant(endpoint, first))

    def identity(self, tokens: Tokens) -> Identity:
        """Return whose account it is, as far as the state knows."""
        return Identity(
            facts=self._services.state.facts,
            key=self.key,
            scope=f"clients of {self._profile.network} at {origin(self._base_url)}",
            account=self._services.account,
            named=self._credentials.agency_client_id,
            configured=self._services.configured,
            issue=lambda: token.issues if (token := tokens.stored()) is not None else None,
        )

    def api_session(self, tokens: Tokens, quotas: Quotas) -> Session:
        """Return the session of the API itself."""
        services = self._services
        return self._session(
            (self._ledger, partial(_stop_when_revoked, tokens, services.account)),
            transport=MeteredTransport(services.transport, quotas, services.clock),
            signer=HeaderSigner(tokens),
            decipherer=errors.decipherer(self._profile.network, services.scrubber, services.clock),
        )

    def _session(self, observers: Sequence[Observer], **rooms: Any) -> Session:
        services = self._services
        session = Session(
            network=self._profile.network,
            account=services.account,
            base_url=self._base_url,
            limiter=self.limiter,
            clock=services.clock,
            scrubber=services.scrubber,
            policy=services.policy,
            ceilings=services.ceilings,
            listeners=services.listeners,
            observers=observers,
            **rooms,
        )
        self.sessions.append(session)
        return session


def _stop_when_revoked(
    tokens: Tokens, account: str, request: Request, _response: Response | None, error: AdnetError | None
) -> None:
    """Stop the account when its user took the permission back; an observer of the session."""
    if isinstance(error, TokenRevokedError):
        tokens.revoked(error.message, request.headers.get("Authorization", "").removeprefix("Bearer "))
        error.add_note(f"`adnet auth login {account}` asks for the permission anew")


def _static(credentials: Credentials) -> StaticToken | None:
    return StaticToken(credentials.agency_access_token) if credentials.agency_access_token else None


async def _who(reader: Reader) -> str:
    return (await reader.account()).account_id


def _choice(account: str, options: Mapping[str, Any], name: str, words: Sequence[str]) -> str:
    value = str(options.get(name) or words[0]).lower()
    if value not in words:
        raise ConfigurationError(f"account {account!r}: {name} is one of {', '.join(words)}, not {value!r}")
    return value


def _whole(account: str, options: Mapping[str, Any], name: str, default: int) -> int:
    text = str(options.get(name) if options.get(name) is not None else default)
    if not text.isdecimal():
        raise ConfigurationError(f"account {account!r}: {name} is a number of days, not {text!r}")
    return int(text)
