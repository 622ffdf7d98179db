"""What all of Adskeeper's facets stand on: identity, credentials, sessions, and what is known of the account."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, ClassVar

from adnet.connectors.adskeeper.auth import Credentials, Dialect, LoginToken
from adnet.connectors.adskeeper.changes import factors
from adnet.connectors.adskeeper.codec import Book
from adnet.connectors.adskeeper.core import Core
from adnet.connectors.adskeeper.errors import decipherer
from adnet.connectors.adskeeper.limits import BUCKETS
from adnet.connectors.adskeeper.native import AdskeeperNative
from adnet.connectors.adskeeper.paging import Pager
from adnet.connectors.adskeeper.rows import Client
from adnet.interface import Connector, Services
from adnet.models import Batch
from adnet.operations.ending import ending
from adnet.periods import zone
from adnet.redact import keyed_hash
from adnet.transport.deadline import current_deadline
from adnet.transport.limits import Limiter
from adnet.transport.session import Session
from adnet.transport.sign import HeaderSigner, NoSigner, Signer, StaticToken


class AdskeeperBase(Connector):
    """One client of the Adskeeper API, without facets."""

    default_base_url: ClassVar[str] = ""
    """Where the network is; a white label has a host of its own, and refuses tokens of others."""
    paid_extra = factors.KNOWN.keys()

    def __init__(self, services: Services, *, base_url: str | None, options: Mapping[str, Any]) -> None:
        self._services = services
        credentials = Credentials.of(options, services.account)
        dialect = Dialect.of(options, services.account)
        for secret in (credentials.token, credentials.password):
            services.scrubber.learn(secret)
        self._base_url = (base_url or self.default_base_url).rstrip("/")
        identity = f"{self._base_url} {credentials.identity}"
        # Not keyed by the state: a saved job has to find its account in another process, whatever its state.
        self._key = keyed_hash(f"{self.network} account".encode(), identity)
        self._limiter = services.limiter(BUCKETS, keyed_hash(self.network.encode(), identity))
        self._login: LoginToken | None = None
        self._login_session: Session | None = None
        self._session = self._made_session(self._signer(credentials), renewable=self._login is not None)
        self._core = Core(self._session, dialect, services.state.leases)
        self._core.known_client_id = credentials.client_id
        pager = Pager(dialect.paging, services.state.facts, self._key, services.ceilings)
        self._native = AdskeeperNative(self._core, pager)
        self._book = Book()
        self._known = False
        self._opening = asyncio.Lock()

    def _signer(self, credentials: Credentials) -> Signer:
        if credentials.token is not None:
            return HeaderSigner(StaticToken(credentials.token))
        self._login_session = self._made_session(NoSigner(), login=True)
        self._login = LoginToken(
            self._login_session,
            credentials,
            state=self._services.state,
            clock=self._services.clock,
            key=self._key,
        )
        return HeaderSigner(self._login)

    def _made_session(self, signer: Signer, *, renewable: bool = False, login: bool = False) -> Session:
        services = self._services
        return Session(
            network=self.network,
            account=services.account,
            base_url=self._base_url,
            transport=services.transport,
            limiter=self._limiter,
            signer=signer,
            decipherer=decipherer(self.network, services.scrubber, renewable=renewable, login=login),
            clock=services.clock,
            scrubber=services.scrubber,
            policy=services.policy,
            ceilings=services.ceilings,
            listeners=services.listeners,
        )

    @property
    def account_key(self) -> str:
        """Keyed hash of base URL and client id, or of the address to log in with."""
        return self._key

    @property
    def native(self) -> AdskeeperNative:
        """The 41 documented operations."""
        return self._native

    @property
    def session(self) -> Session:
        """The account's session."""
        return self._session

    @property
    def limiter(self) -> Limiter:
        """The account's limiter."""
        return self._limiter

    @property
    def requests(self) -> int:
        """Physical sends so far, logins included."""
        logins = self._login_session.meter.requests if self._login_session else 0
        return self._session.meter.requests + logins

    async def open(self) -> None:
        """Learn the client's id, time zone and currency: from what is remembered, or with one request.

        Every facet begins with it, so that none reads a row before it knows the account; it works once.
        """
        if self._known:
            return
        async with self._opening:
            if not self._known:
                await self._find_out()

    async def _find_out(self) -> None:
        if self._login is not None and self._core.known_client_id is None:
            await self._login.token(deadline=current_deadline())
            self._core.known_client_id = self._login.client_id
        facts = self._services.state.facts
        name, currency = (facts.get(self._key, word) for word in ("time_zone", "currency"))
        if name is None or currency is None:
            self._learn(await self._native.client.get())
        else:
            self._know(name, currency)

    async def _opened(self, make: Callable[[], AsyncIterator[Batch]]) -> AsyncIterator[Batch]:
        """Yield the batches of a list that is made once the account is known."""
        await self.open()
        async with ending(make()) as batches:
            async for batch in batches:
                yield batch

    def _learn(self, client: Client) -> None:
        facts = self._services.state.facts
        told = {"time_zone": client.timezone, "currency": client.wallet.currency}
        for word, value in told.items():
            if value:
                facts.put(self._key, word, value)
        # An answer without one of them is no news: the network writes an empty wallet as a list.
        self._know(*(value or facts.get(self._key, word) for word, value in told.items()))

    def _know(self, name: str | None, currency: str | None) -> None:
        self.time_zone = zone(name)
        self._book = Book(currency=currency, zone=self.time_zone)
        self._known = True

    async def close(self) -> None:
        """Close the sessions."""
        if self._login is not None:
            await self._login.close()
        await self._session.close()
