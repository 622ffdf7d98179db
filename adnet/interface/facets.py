"""The facets: one small abstract class per thing that a network may be able to do.

A connector inherits exactly the facets it can serve, and what it can do is read off that. Lists are plain
methods that return an async iterator of batches; the facade turns batches into rows for applications, and the
pull takes their columns. Ids are text, periods half-open, instants aware UTC, money is Money.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from adnet.models import (
    AccountInfo,
    Ad,
    AdDraft,
    AudienceDraft,
    Batch,
    Campaign,
    CampaignDraft,
    Link,
    Offer,
    Outcome,
    PlannedRequest,
    ReportJob,
    ReportQuery,
    Share,
    Update,
)
from adnet.models.words import Level
from adnet.periods import Period


class Facet(ABC):  # noqa: B024 - the facets below bring the abstract methods
    """Base of all facets. A facet's abstract methods are the operations that it serves."""


class ReadsAccounts(Facet):
    """Knows who the credentials belong to."""

    @abstractmethod
    async def get_account(self) -> AccountInfo:
        """Return the account; the cheapest call that proves the credentials."""


class ReadsCampaigns(Facet):
    """Lists campaigns."""

    @abstractmethod
    def list_campaigns(
        self, *, ids: Collection[str] | None = None, status: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        """Yield campaigns, deleted ones too where the network still tells them; None means all."""

    @abstractmethod
    async def get_campaign(self, campaign_id: str) -> Campaign:
        """Return one campaign, complete. Raises NotFoundError."""


class WritesCampaigns(Facet):
    """Creates, changes and deletes campaigns."""

    @abstractmethod
    async def create_campaigns(self, drafts: Sequence[CampaignDraft]) -> list[Outcome]:
        """Create campaigns; one outcome for each, in order."""

    @abstractmethod
    async def update_campaigns(self, updates: Sequence[Update]) -> list[Outcome]:
        """Send exactly the fields of each update; one outcome for each, in order."""

    @abstractmethod
    async def delete_campaigns(self, ids: Sequence[str]) -> list[Outcome]:
        """Delete campaigns; one outcome for each, in order."""


class ReadsAds(Facet):
    """Lists ads."""

    @abstractmethod
    def list_ads(
        self, *, campaign_ids: Collection[str] | None = None, status: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        """Yield ads; None means all."""

    @abstractmethod
    async def get_ad(self, ad_id: str) -> Ad:
        """Return one ad, complete. Raises NotFoundError."""


class WritesAds(Facet):
    """Creates, changes and deletes ads."""

    held_words: ClassVar[frozenset[str]] = frozenset()
    """The network's words for ads that stand still only as long as their campaign does: paused, and yet to pause."""

    @abstractmethod
    async def create_ads(self, drafts: Sequence[AdDraft]) -> list[Outcome]:
        """Create ads; one outcome for each, in order."""

    @abstractmethod
    async def update_ads(self, updates: Sequence[Update]) -> list[Outcome]:
        """Send exactly the fields of each update; one outcome for each, in order."""

    @abstractmethod
    async def delete_ads(self, ids: Sequence[str]) -> list[Outcome]:
        """Delete ads; one outcome for each, in order."""


class ExpressesChanges(Facet):
    """Shows the requests that changes would take; what ``plan`` and ``--dry-run`` print."""

    @abstractmethod
    async def express(self, kind: str, verb: str, items: Sequence[Any]) -> list[PlannedRequest]:
        """Return the exact requests, without credentials, that *verb* would send; send no write.

        Args:
            kind: ``campaigns`` or ``ads``; ``sources`` where the connector manages them.
            verb: ``create``, ``update`` or ``delete``; ``block``, ``allow`` or ``bid`` of sources.
            items: What the verb's method takes; of sources pairs of a campaign's id and its ids or factors.
        """


class ManagesSources(Facet):
    """Decides on which sources a campaign is shown, and at what price."""

    @abstractmethod
    async def block_sources(self, campaign_id: str, ids: Sequence[str]) -> list[Outcome]:
        """Stop showing a campaign on sources; one outcome for each, in order.

        Sources are named as ``StatRow.object_id`` of level ``source`` names them, with or without the campaign.
        """

    @abstractmethod
    async def allow_sources(self, campaign_id: str, ids: Sequence[str]) -> list[Outcome]:
        """Show a campaign on sources again; one outcome for each, in order."""

    @abstractmethod
    async def bid_sources(self, campaign_id: str, factors: Mapping[str, Decimal]) -> list[Outcome]:
        """Multiply a campaign's price on sources; one outcome for each, in order."""


class ReadsStats(Facet):
    """Tells daily statistics."""

    operations = ("list_stats",)
    levels: ClassVar[tuple[Level, ...]] = ("campaign",)
    """Levels that the network can tell."""
    days_at_once: ClassVar[int] = 7
    """Days that a pull lands together: what a kill loses at most, and what one request may answer."""

    @abstractmethod
    def list_stats(
        self, period: Period, *, level: Level = "campaign", ids: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        """Yield one StatRow per day and object; days on which nothing happened are no rows.

        A day of which figures were told that the network has taken back since is one, of zeros, as far as that is
        known: landing replaces rows and removes none.

        Args:
            period: Whole days of the account's own time zone.
            level: One of ``levels``.
            ids: Ids of the level asked for; campaign ids for ``source``. None means all.
        """


class ReadsOffers(Facet):
    """Lists offers with what they pay."""

    @abstractmethod
    def list_offers(self, **filters: Any) -> AsyncIterator[Batch]:
        """Yield offers, one for each source that it is open to.

        *filters* are the connector's own; here and below one that it does not have raises UnsupportedError before
        anything is sent.
        """

    @abstractmethod
    async def get_offer(self, slug: str) -> Offer:
        """Return one offer, complete. Raises NotFoundError."""


class ReadsTrades(Facet):
    """Lists connections of our sources with offers."""

    @abstractmethod
    def list_trades(self, **filters: Any) -> AsyncIterator[Batch]:
        """Yield trades with their payouts."""


class MakesLinks(Facet):
    """Gives tracking links."""

    @abstractmethod
    def list_links(
        self,
        *,
        offer_id: str,
        source_id: str,
        deeplink: str | None = None,
        sub_ids: Mapping[str, str] | None = None,
        **filters: Any,
    ) -> AsyncIterator[Link]:
        """Yield links for one offer and source that carry *sub_ids*."""


class ReadsTransactions(Facet):
    """Lists sales and leads."""

    @abstractmethod
    def list_transactions(
        self, period: Period, *, currency: str | None = None, **filters: Any
    ) -> AsyncIterator[Batch]:
        """Yield the transactions of a period, by ``occurred_at``: all of them, or an error.

        Args:
            period: Any two instants, not only whole days.
            currency: What their amounts shall be in; None leaves it to the network, or to the account.
            filters: The connector's own.

        Raises:
            UnsupportedError: The network does not have that currency, or such a filter; nothing was sent.
        """


class ReadsClicks(Facet):
    """Lists clicks."""

    @abstractmethod
    def list_clicks(self, period: Period, **filters: Any) -> AsyncIterator[Batch]:
        """Yield the clicks of a period, by ``occurred_at``: all of them, or an error."""


class ReadsAudiences(Facet):
    """Lists audiences and their shares."""

    @abstractmethod
    def list_audiences(self, *, kind: str | None = None) -> AsyncIterator[Batch]:
        """Yield audiences; None means of every kind."""

    @abstractmethod
    def list_shares(self) -> AsyncIterator[Share]:
        """Yield the keys that open our audiences to others."""


class WritesAudiences(Facet):
    """Creates audiences."""

    @abstractmethod
    async def create_audiences(self, drafts: Sequence[AudienceDraft]) -> list[Outcome]:
        """Create audiences; one outcome for each, in order."""


class SharesAudiences(Facet):
    """Opens audiences to other users of the network."""

    @abstractmethod
    async def share_audiences(
        self, audiences: Sequence[Any], *, users: Sequence[str], payment: str, price: Any, notify: bool
    ) -> Share:
        """Make a key; no users means that anyone with the key can use it."""

    @abstractmethod
    async def activate_share(self, key: str, audiences: Sequence[Any] | None = None) -> list[Any]:
        """Add a key's audiences to this account, and return them."""

    @abstractmethod
    async def revoke_shares(self, keys: Sequence[str]) -> list[Outcome]:
        """Remove keys; campaigns of others that use them stop."""


class QueuesReports(Facet):
    """Makes reports on request: asked for, waited for, then read."""

    operations = ("submit_report", "poll_report", "read_report", "run_report")
    report_kinds: ClassVar[frozenset[str]] = frozenset()
    """Kinds of report that the network makes."""
    report_bucket: ClassVar[str] = "reports"
    """The limiter's bucket that bounds how many reports of one account are under way at once."""
    look_ahead: ClassVar[int] = 2
    """Windows of one report that are asked for before the first of them has been read; less than two are one."""

    def complete_query(self, query: ReportQuery) -> ReportQuery:
        """Return *query* with what the account itself knows, e.g. its currency."""
        return query

    @abstractmethod
    async def submit_report(self, job: ReportJob) -> ReportJob:
        """Ask for the report; return the job as submitted, with its location."""

    @abstractmethod
    async def poll_report(self, job: ReportJob) -> ReportJob:
        """Ask once how far it is; return the job as ``running``, ``ready`` (with pages) or ``failed``.

        Raises:
            JobExpiredError: The network does not know the report any more.
        """

    @abstractmethod
    def read_report(self, job: ReportJob) -> AsyncIterator[Batch]:
        """Yield a ready report's rows in order, rows of this one report id only.

        Raises:
            JobExpiredError: The report vanished or changed in mid reading.
        """


class Revokes(Facet):
    """Can undo the binding of an account to this application."""

    @abstractmethod
    async def revoke(self) -> None:
        """Remove the binding at the network and the tokens here."""


FACETS: Final[tuple[type[Facet], ...]] = (
    ReadsAccounts,
    ReadsCampaigns,
    WritesCampaigns,
    ReadsAds,
    WritesAds,
    ExpressesChanges,
    ManagesSources,
    ReadsStats,
    ReadsOffers,
    ReadsTrades,
    MakesLinks,
    ReadsTransactions,
    ReadsClicks,
    ReadsAudiences,
    WritesAudiences,
    SharesAudiences,
    QueuesReports,
    Revokes,
)
"""All facets, in the order of the support table."""
