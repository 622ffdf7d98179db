"""The facets of one account: each method is one call of the room that does it."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, ClassVar

from adnet.connectors.mytarget import auth, codec
from adnet.connectors.mytarget.assembly import Tokens, assemble
from adnet.connectors.mytarget.native import MyTargetNative
from adnet.connectors.mytarget.profile import MYTARGET, Profile
from adnet.interface import (
    Connector,
    ExpressesChanges,
    ReadsAccounts,
    ReadsAds,
    ReadsAudiences,
    ReadsCampaigns,
    ReadsStats,
    Revokes,
    Services,
    SharesAudiences,
    WritesAds,
    WritesAudiences,
    WritesCampaigns,
)
from adnet.models import (
    AccountInfo,
    Ad,
    AdDraft,
    Audience,
    AudienceDraft,
    Batch,
    Campaign,
    CampaignDraft,
    Outcome,
    PlannedRequest,
    Share,
    Update,
)
from adnet.models.words import Level
from adnet.periods import Period
from adnet.transport.limits import Limiter
from adnet.transport.session import Session


class Bound(Connector, ReadsAccounts, Revokes):
    """Who the account is, how it logs in, and how its binding is undone."""

    profile: ClassVar[Profile] = MYTARGET
    """The brand; the only thing that VK Ads has of its own."""

    time_zone = codec.MOSCOW
    paid_extra = ("max_price", "cr_max_price")

    def __init__(self, services: Services, *, base_url: str | None, options: Mapping[str, Any]) -> None:
        self._parts = assemble(self.profile, services, base_url, options)

    # ------------------------------------------------------------------ identity

    @property
    def account_key(self) -> str:
        """Keyed hash of host, application and user."""
        return self._parts.key

    @property
    def native(self) -> MyTargetNative:
        """The network's own client."""
        return self._parts.native

    @property
    def session(self) -> Session:
        """The account's session."""
        return self._parts.session

    @property
    def limiter(self) -> Limiter:
        """The account's limiter."""
        return self._parts.limiter

    def recall_limits(self) -> None:
        """Take in what earlier processes learnt of the account's limits."""
        self._parts.seeder.recall()

    @property
    def requests(self) -> int:
        """Physical sends so far, those for tokens among them."""
        return sum(session.meter.requests for session in self._parts.sessions)

    async def close(self) -> None:
        """Let a token refresh end, then close the session."""
        await self._parts.reader.close()
        await self._parts.api.close()
        await self._parts.tokens.close()
        if self._parts.agency is not None:
            await self._parts.agency.close()
        self._parts.limiter.close()
        await self._parts.session.close()

    # ------------------------------------------------------------------ logging in

    def login_url(self, state: str, *, redirect_uri: str | None = None) -> str:
        """Return the page on which the account's user grants access; see ``auth.authorize_url``."""
        parts = self._parts
        scope = parts.credentials.scope
        return auth.authorize_url(
            self.profile,
            parts.session.base_url,
            client_id=parts.credentials.client_id,
            state=state,
            scopes=scope.split(",") if scope else auth.SCOPES,
            redirect_uri=redirect_uri,
        )

    async def login(self, code: str | None = None) -> str:
        """Bind the account and return its client's id; see :meth:`Binding.login`."""
        return await self._parts.binding.login(code)

    @property
    def grant(self) -> str:
        """How the account comes to a token."""
        return self._parts.credentials.grant

    @property
    def user_id(self) -> str | None:
        """Whom the account belongs to, if the network was ever asked; nothing is sent."""
        return self._parts.identity.client

    @property
    def tokens(self) -> Tokens:
        """The account's tokens, for showing how they are."""
        return self._parts.tokens

    async def revoke(self) -> None:
        """Remove the binding at the network, all programs' tokens with it, and everything stored of it here."""
        await self._parts.binding.revoke()

    async def get_account(self) -> AccountInfo:
        """Return the account: one request."""
        return await self._parts.reader.account()


class Reads(Bound, ReadsCampaigns, ReadsAds, ReadsStats):
    """Campaigns, banners and their statistics."""

    levels: ClassVar[tuple[Level, ...]] = ("campaign", "ad")

    def list_campaigns(
        self, *, ids: Collection[str] | None = None, status: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        """Yield campaigns (VK Ads: ad groups), deleted ones too."""
        return self._parts.reader.campaigns(ids=ids, status=status)

    async def get_campaign(self, campaign_id: str) -> Campaign:
        """Return one campaign; those asked for at the same moment come in one request."""
        return await self._parts.reader.campaign(campaign_id)

    def list_ads(
        self, *, campaign_ids: Collection[str] | None = None, status: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        """Yield banners, deleted ones too."""
        return self._parts.reader.ads(campaign_ids=campaign_ids, status=status)

    async def get_ad(self, ad_id: str) -> Ad:
        """Return one banner; those asked for at the same moment come in one request."""
        return await self._parts.reader.ad(ad_id)

    def list_stats(
        self, period: Period, *, level: Level = "campaign", ids: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        """Yield one row per day and object; closed days come from the state where it has them."""
        return self._parts.stats.rows(period, level=level, ids=ids)


class Writes(Bound, WritesCampaigns, WritesAds, ExpressesChanges):
    """Changes of campaigns and banners."""

    async def create_campaigns(self, drafts: Sequence[CampaignDraft]) -> list[Outcome]:
        """Create campaigns with their ads, paused unless the draft says otherwise."""
        return await self._parts.creator.campaigns(drafts)

    async def update_campaigns(self, updates: Sequence[Update]) -> list[Outcome]:
        """Send exactly what changes; status and budgets of several go out together."""
        return await self._parts.writer.update("campaigns", updates)

    async def delete_campaigns(self, ids: Sequence[str]) -> list[Outcome]:
        """Delete campaigns; they stay readable as deleted."""
        return await self._parts.writer.delete("campaigns", ids)

    async def create_ads(self, drafts: Sequence[AdDraft]) -> list[Outcome]:
        """Create banners, paused unless the draft says otherwise."""
        return await self._parts.creator.ads(drafts)

    async def update_ads(self, updates: Sequence[Update]) -> list[Outcome]:
        """Send exactly what changes; texts, links and media are replaced whole by the network."""
        return await self._parts.writer.update("ads", updates)

    async def delete_ads(self, ids: Sequence[str]) -> list[Outcome]:
        """Delete banners; they stay readable as deleted."""
        return await self._parts.writer.delete("ads", ids)

    async def express(self, kind: str, verb: str, items: Sequence[Any]) -> list[PlannedRequest]:
        """Return the requests that *verb* would send; what has to be known for that is read."""
        if kind == "shares":
            return await self._parts.sharing.express_revoke(items)
        if verb == "create":
            made = (
                self._parts.creator.express_campaigns
                if kind == "campaigns"
                else self._parts.creator.express_ads
            )
            return await made(items)
        if verb == "update":
            return await self._parts.writer.express_update(kind, items)
        return self._parts.writer.express_delete(kind, items)


class Shares(Bound, ReadsAudiences, WritesAudiences, SharesAudiences):
    """Audiences, and the keys that open them to others."""

    def list_audiences(self, *, kind: str | None = None) -> AsyncIterator[Batch]:
        """Yield users lists, segments and counters, own ones and those opened by a key."""
        return self._parts.audiences.read(kind=kind)

    def list_shares(self) -> AsyncIterator[Share]:
        """Yield our sharing keys."""
        return self._parts.sharing.shares()

    async def create_audiences(self, drafts: Sequence[AudienceDraft]) -> list[Outcome]:
        """Create audiences.

        ``extra`` holds what their kind needs: ``file`` (a path, bytes, or a function that gives its bytes anew),
        ``type`` and ``base`` of a users list; ``relations`` and ``pass_condition`` of a segment; ``url``,
        ``email`` and ``password``, or ``counter_id``, of a counter.
        """
        return await self._parts.audiences.create(drafts)

    async def share_audiences(
        self, audiences: Sequence[Any], *, users: Sequence[str], payment: str, price: Any, notify: bool
    ) -> Share:
        """Make a key; *price* is per thousand impressions, on top of what the user pays.

        Its unit is the option ``sharing_price_unit``, without which a price is refused.
        """
        return await self._parts.sharing.share(
            audiences, users=users, payment=payment, price=price, notify=notify
        )

    async def activate_share(self, key: str, audiences: Sequence[Any] | None = None) -> list[Audience]:
        """Add a key's audiences to this account; only end advertisers can."""
        return await self._parts.sharing.activate(key, audiences)

    async def revoke_shares(self, keys: Sequence[str]) -> list[Outcome]:
        """Remove keys; campaigns of others that use what they opened stop."""
        return await self._parts.sharing.revoke(keys)
