"""Adskeeper behind the common facets; MGID is the same under another name."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from adnet.connectors.adskeeper import codec, lists
from adnet.connectors.adskeeper.auth import OPTIONS, Credentials, Dialect, LoginToken
from adnet.connectors.adskeeper.changes.ads import AdWriter
from adnet.connectors.adskeeper.changes.campaigns import CampaignWriter
from adnet.connectors.adskeeper.changes.sources import SourceWriter
from adnet.connectors.adskeeper.codec import Book
from adnet.connectors.adskeeper.core import Core
from adnet.connectors.adskeeper.daily import Daily
from adnet.connectors.adskeeper.errors import decipherer
from adnet.connectors.adskeeper.limits import BUCKETS, FACTS
from adnet.connectors.adskeeper.native import AdskeeperNative
from adnet.connectors.adskeeper.paging import Pager
from adnet.connectors.adskeeper.rows import Client
from adnet.errors import UnsupportedError
from adnet.interface import (
    Connector,
    ExpressesChanges,
    ManagesSources,
    ReadsAccounts,
    ReadsAds,
    ReadsCampaigns,
    ReadsClicks,
    ReadsStats,
    Services,
    WritesAds,
    WritesCampaigns,
)
from adnet.models import (
    AccountInfo,
    Ad,
    AdDraft,
    Batch,
    Campaign,
    CampaignDraft,
    Outcome,
    PlannedRequest,
    Update,
)
from adnet.models.words import Level
from adnet.periods import Period, zone
from adnet.redact import keyed_hash
from adnet.transport.limits import Limiter
from adnet.transport.session import Session
from adnet.transport.sign import HeaderSigner, NoSigner, Signer, StaticToken

_VERBS = frozenset({"create", "update", "delete"})


class Adskeeper(
    Connector,
    ReadsAccounts,
    ReadsCampaigns,
    WritesCampaigns,
    ReadsAds,
    WritesAds,
    ExpressesChanges,
    ManagesSources,
    ReadsStats,
    ReadsClicks,
):
    """One client on Adskeeper."""

    network = "adskeeper"
    title = "Adskeeper"
    options = OPTIONS
    limit_facts = FACTS
    levels: ClassVar[tuple[Level, ...]] = ("campaign", "ad", "source")
    default_base_url: ClassVar[str] = "https://api.adskeeper.co.uk/v1"
    """Where the network is; a white label has a host of its own, and refuses tokens of others."""

    def __init__(self, services: Services, *, base_url: str | None, options: Mapping[str, Any]) -> None:
        self._services = services
        credentials = Credentials.of(options, services.account)
        dialect = Dialect.of(options, services.account)
        for secret in (credentials.token, credentials.password):
            services.scrubber.learn(secret)
        self._base_url = (base_url or self.default_base_url).rstrip("/")
        identity = f"{self._base_url} {credentials.identity}"
        self._key = keyed_hash(services.state.secret_key, identity)
        self._limiter = services.limiter(BUCKETS, keyed_hash(self.network.encode(), identity))
        self._login: LoginToken | None = None
        self._login_session: Session | None = None
        self._session = self._made_session(self._signer(credentials), renewable=self._login is not None)
        self._core = Core(self._session, dialect)
        self._core.known_client_id = credentials.client_id
        self._native = AdskeeperNative(self._core, Pager(dialect.paging, services.state.facts, self._key))
        self._book = Book()

    def _signer(self, credentials: Credentials) -> Signer:
        if credentials.token is not None:
            return HeaderSigner(StaticToken(credentials.token))
        self._login_session = self._made_session(NoSigner(), renewable=False)
        self._login = LoginToken(
            self._login_session,
            credentials,
            state=self._services.state,
            clock=self._services.clock,
            key=self._key,
        )
        return HeaderSigner(self._login)

    def _made_session(self, signer: Signer, *, renewable: bool) -> Session:
        services = self._services
        return Session(
            network=self.network,
            account=services.account,
            base_url=self._base_url,
            transport=services.transport,
            limiter=self._limiter,
            signer=signer,
            decipherer=decipherer(self.network, services.scrubber, renewable=renewable),
            clock=services.clock,
            scrubber=services.scrubber,
            policy=services.policy,
            listeners=services.listeners,
        )

    # ------------------------------------------------------------------ identity

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
        """Learn the client's id, time zone and currency: from what is remembered, or with one request."""
        if self._login is not None and self._core.known_client_id is None:
            await self._login.token()
            self._core.known_client_id = self._login.client_id
        facts = self._services.state.facts
        name, currency = (facts.get(self._key, word) for word in ("time_zone", "currency"))
        if name is None or currency is None:
            self._learn(await self._native.client.get())
        else:
            self._know(name, currency)

    def _learn(self, client: Client) -> None:
        facts = self._services.state.facts
        if client.timezone and client.wallet.currency:
            facts.put(self._key, "time_zone", client.timezone)
            facts.put(self._key, "currency", client.wallet.currency)
        self._know(client.timezone, client.wallet.currency)

    def _know(self, name: str | None, currency: str | None) -> None:
        self.time_zone = zone(name)
        self._book = Book(currency=currency, zone=self.time_zone)

    async def close(self) -> None:
        """Close the sessions."""
        if self._login is not None:
            await self._login.close()
        await self._session.close()

    # ------------------------------------------------------------------ reading

    async def get_account(self) -> AccountInfo:
        """Return the client; its balance is what can still be spent, credit included."""
        client = await self._native.client.get()
        self._learn(client)
        return codec.account(client, self._core.dialect.wallet_divisor)

    def list_campaigns(
        self, *, ids: Collection[str] | None = None, status: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        """Yield campaigns, deleted ones too."""
        return lists.list_campaigns(self._native, self._book, ids, status)

    async def get_campaign(self, campaign_id: str) -> Campaign:
        """Return one campaign with all its targetings."""
        return await lists.get_campaign(self._native, self._book, campaign_id)

    def list_ads(
        self, *, campaign_ids: Collection[str] | None = None, status: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        """Yield the current ads; older ones are found only by their ids."""
        return lists.list_ads(self._native, self._book, campaign_ids, status)

    async def get_ad(self, ad_id: str) -> Ad:
        """Return one ad, an older one too."""
        return codec.ad(await self._native.teasers.get(ad_id), self._book)

    @property
    def _daily(self) -> Daily:
        services = self._services
        return Daily(self._native, self._book, services.clock, services.state.secret_key)

    def list_stats(
        self, period: Period, *, level: Level = "campaign", ids: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        """Yield one row per day and object.

        ``campaign`` takes a request a day, ``ad`` one for each ad, ``source`` one for each campaign and day with
        spend. A source is ``campaign:uid`` or ``campaign:uid/sub``; a widget and its sub-sources are never counted
        twice, and impressions of sources are not told.
        """
        read = {"campaign": self._daily.campaigns, "ad": self._daily.ads, "source": self._daily.sources}
        return read[level](period, ids)

    def list_clicks(self, period: Period, **filters: Any) -> AsyncIterator[Batch]:
        """Yield the accepted clicks of a period.

        Filters: ``campaign_ids``.

        Raises:
            UnsupportedError: There is no such filter.
        """
        if unknown := filters.keys() - {"campaign_ids"}:
            raise UnsupportedError(
                f"{self.network} cannot filter clicks by {min(unknown)!r}; it can by campaign_ids",
                network=self.network,
                account=self._services.account,
            )
        return self._daily.clicks(period, filters.get("campaign_ids"))

    # ------------------------------------------------------------------ changing

    @property
    def _campaigns(self) -> CampaignWriter:
        return CampaignWriter(self._core, self._native, self._book, self._services.clock)

    @property
    def _ads(self) -> AdWriter:
        return AdWriter(self._core, self._native, self._book)

    async def create_campaigns(self, drafts: Sequence[CampaignDraft]) -> list[Outcome]:
        """Create campaigns and stop them, unless a draft wants it active; without ads they spend nothing yet."""
        return await self._campaigns.create(drafts)

    async def update_campaigns(self, updates: Sequence[Update]) -> list[Outcome]:
        """Send the writes that each update takes; what was saved before one that failed is told in ``notes``."""
        return await self._campaigns.update(updates)

    async def delete_campaigns(self, ids: Sequence[str]) -> list[Outcome]:
        """Move stopped campaigns to the bin; running ones are refused before anything is sent."""
        return await self._campaigns.delete(ids)

    async def create_ads(self, drafts: Sequence[AdDraft]) -> list[Outcome]:
        """Create ads and stop them, unless a draft wants it active; each is on moderation first."""
        return await self._ads.create(drafts)

    async def update_ads(self, updates: Sequence[Update]) -> list[Outcome]:
        """Send the writes that each update takes; new content sends an ad back to moderation."""
        return await self._ads.update(updates)

    async def delete_ads(self, ids: Sequence[str]) -> list[Outcome]:
        """Move ads to the bin."""
        return await self._ads.delete(ids)

    async def block_sources(self, campaign_id: str, ids: Sequence[str]) -> list[Outcome]:
        """Stop showing a campaign on sources, whether it keeps a list of those to avoid or of those to keep to."""
        return await SourceWriter(self._core, self._native).set("block", str(campaign_id), ids)

    async def allow_sources(self, campaign_id: str, ids: Sequence[str]) -> list[Outcome]:
        """Show a campaign on sources again."""
        return await SourceWriter(self._core, self._native).set("allow", str(campaign_id), ids)

    async def bid_sources(self, campaign_id: str, factors: Mapping[str, Decimal]) -> list[Outcome]:
        """Multiply a campaign's price on sources; ``uid/*`` is a widget with all its sub-sources."""
        return await SourceWriter(self._core, self._native).bid(str(campaign_id), factors)

    async def express(self, kind: str, verb: str, items: Sequence[Any]) -> list[PlannedRequest]:
        """Return the exact requests of a change; what is there is read where it decides about them.

        Raises:
            UnsupportedError: There is no such change.
        """
        if kind == "campaigns" and verb in _VERBS:
            return await self._campaigns.express(verb, items)
        if kind == "ads" and verb in _VERBS:
            return await self._ads.express(verb, items)
        if kind == "sources" and verb in {"block", "allow", "bid"}:
            return await SourceWriter(self._core, self._native).express(verb, items)
        raise UnsupportedError(f"{self.network} cannot {verb} {kind}", network=self.network)
