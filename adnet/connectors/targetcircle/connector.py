"""Target Circle behind the common facets."""

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import attrs

from adnet import money
from adnet.connectors.targetcircle.auth import OPTIONS, signer
from adnet.connectors.targetcircle.errors import decipherer
from adnet.connectors.targetcircle.filters import RowFilter, check_statuses
from adnet.connectors.targetcircle.limits import BUCKETS, FACTS, REPORT_LIMIT
from adnet.connectors.targetcircle.links import list_all_links
from adnet.connectors.targetcircle.native import TargetCircleNative
from adnet.connectors.targetcircle.offers import list_all_offers
from adnet.connectors.targetcircle.reader import ReportReader
from adnet.errors import ConfigurationError, NotFoundError, UnsupportedError
from adnet.interface import (
    Connector,
    MakesLinks,
    QueuesReports,
    ReadsAccounts,
    ReadsAds,
    ReadsClicks,
    ReadsOffers,
    ReadsTrades,
    ReadsTransactions,
    Services,
)
from adnet.models import AccountInfo, Ad, Batch, Link, ModelBatch, Offer, ReportJob, ReportQuery
from adnet.operations.jobs import ReportRunner
from adnet.operations.waiting import JobSettings
from adnet.operations.windows import stream_rows
from adnet.periods import ONE_SECOND, Period
from adnet.redact import keyed_hash
from adnet.transport.limits import Limiter
from adnet.transport.session import Session
from adnet.transport.wire import checked_base_url

#: Our filter names to the network's, by kind of report. What stands under LOCAL is compared here, row by row.
SENT: Final[Mapping[str, Mapping[str, str]]] = {
    "transactions": {"offer": "offer", "source": "adInventory"},
    "clicks": {"offer": "offer", "source": "adInventory"},
    "trades": {
        "offer": "offer",
        "source": "adInventory",
        "provider": "provider",
        "category": "category",
        "conversion_type": "conversionType",
        "engagement_type": "engagementType",
        "vertical": "vertical",
        "ad_type": "adType",
        "target_countries": "targetCountries",
    },
}
LOCAL: Final[Mapping[str, frozenset[str]]] = {
    # The network's statuses and country names hold commas, which its filters read as "or".
    "transactions": frozenset({"status", "country", "reference"}),
    "clicks": frozenset({"country", "reference"}),
    "trades": frozenset({"status"}),
}


class TargetCircle(
    Connector,
    ReadsAccounts,
    ReadsOffers,
    ReadsTrades,
    MakesLinks,
    ReadsAds,
    ReadsTransactions,
    ReadsClicks,
    QueuesReports,
):
    """One publisher account on Target Circle."""

    network = "targetcircle"
    title = "Target Circle"
    options = OPTIONS
    limit_facts = FACTS
    report_kinds: ClassVar[frozenset[str]] = frozenset({"transactions", "clicks", "trades"})

    def __init__(self, services: Services, *, base_url: str | None, options: Mapping[str, Any]) -> None:
        if not base_url:
            raise ConfigurationError(
                f"account {services.account!r}: targetcircle needs base_url (the network publishes none);"
                ' for example base_url = "https://…/api"'
            )
        if options.get("dialect", "g1") != "g1":
            raise ConfigurationError(f"account {services.account!r}: targetcircle speaks only dialect g1")
        nulls = str(options.get("send_nulls") or "false").lower()
        if nulls not in {"true", "false"}:
            raise ConfigurationError(f"account {services.account!r}: send_nulls must be true or false")
        base_url, token = _with_api(base_url), options["token"]
        services.scrubber.learn(token)
        self._currency = self._code(options.get("currency"), services.account)
        self._session = Session(
            network=self.network,
            account=services.account,
            base_url=base_url,
            transport=services.transport,
            limiter=services.limiter(BUCKETS, keyed_hash(b"targetcircle", f"{base_url} {token}")),
            signer=signer(token),
            decipherer=decipherer(services.scrubber),
            clock=services.clock,
            scrubber=services.scrubber,
            policy=services.policy,
            ceilings=services.ceilings,
            listeners=services.listeners,
        )
        # Not keyed by the state: a saved job has to find its account in another process, whatever its state.
        self._key = keyed_hash(b"targetcircle account", f"{base_url} {token}")
        self._native = TargetCircleNative(self._session, send_nulls=nulls == "true")
        self._reader = ReportReader(self._native, self._session, services.state.secret_key)
        self._runner = ReportRunner(
            self,
            account=services.account,
            clock=services.clock,
            state=services.state,
            settings=JobSettings(timeout_s=services.ceilings.report_s),
        )

    @property
    def account_key(self) -> str:
        """Keyed hash of base URL and token."""
        return self._key

    @property
    def native(self) -> TargetCircleNative:
        """The eleven documented operations."""
        return self._native

    @property
    def session(self) -> Session:
        """The account's session."""
        return self._session

    @property
    def runner(self) -> ReportRunner:
        """Runs the account's reports."""
        return self._runner

    @property
    def limiter(self) -> Limiter:
        """The account's limiter."""
        return self._session.limiter

    @property
    def requests(self) -> int:
        """Physical sends so far."""
        return self._session.meter.requests

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    # ------------------------------------------------------------------ direct answers

    async def get_account(self) -> AccountInfo:
        """Return what is known: the network has no call for an account, so one offer is asked for as proof.

        Its id is the account's name in the configuration: the network tells none, and a token may be replaced.
        """
        await self._native.list_offers(limit=1)
        return AccountInfo(account_id=self._session.account, currency=self._currency, time_zone="UTC")

    def list_offers(self, **filters: Any) -> AsyncIterator[Batch]:
        """Yield offers, one for each ad inventory of ours.

        Filters: ``offer_id``, ``offer``, ``source``, ``status``, ``provider``, ``category``, ``advertiser``,
        ``vertical``, ``country``, ``start_from``, ``start_to``, ``end_from``, ``end_to``.

        Raises:
            ConfigurationError: There is no such status.
            InvalidRequestError: A bound is no day.
            TruncatedReportError: The network cuts the list, and it cannot be narrowed further.
        """
        return list_all_offers(self._native, self._session, filters)

    async def get_offer(self, slug: str) -> Offer:
        """Return an offer's details by its slug."""
        return await self._native.get_offer(slug)

    def list_links(
        self,
        *,
        offer_id: str,
        source_id: str,
        deeplink: str | None = None,
        sub_ids: Mapping[str, str] | None = None,
        **filters: Any,
    ) -> AsyncIterator[Link]:
        """Yield the tracking links for an offer and an ad inventory, both by the ids of ``list_offers``.

        Labels: ``idfa``, ``gaid``, ``waid``, ``click_id``, ``source_id``, ``ref1`` to ``ref5``. Filters, as the
        network words them: ``type``, ``maxHeight``, ``minHeight``, ``maxWidth``, ``minWidth``, ``maxSize``,
        ``minSize``.

        Raises:
            UnsupportedError: There is no such label or filter.
            TruncatedReportError: There are as many links as the network gives at most.
        """
        return list_all_links(
            self._native,
            self._session,
            offer_id=offer_id,
            source_id=source_id,
            deeplink=deeplink,
            sub_ids=sub_ids or {},
            filters=filters,
        )

    async def list_ads(
        self, *, campaign_ids: Collection[str] | None = None, status: Collection[str] | None = None
    ) -> AsyncIterator[Batch]:
        """Yield the ads of offers, one offer after another; None means of every offer that we trade.

        Args:
            campaign_ids: Slugs of offers.
            status: Ads have no status here: all of them are ``active``.

        Raises:
            NotFoundError: An offer among *campaign_ids* does not exist.
        """
        if status is not None and "active" not in status:
            return
        for slug in dict.fromkeys(campaign_ids if campaign_ids is not None else await self._traded_slugs()):
            try:
                ads = await self._native.list_offer_ads(slug)
            except NotFoundError:
                if campaign_ids is not None:
                    raise
                continue  # a trade may outlive its offer
            yield ModelBatch(ads)

    async def get_ad(self, ad_id: str) -> Ad:
        """Return an ad by its slug; the network has no call for that, so all offers are looked through."""
        async for batch in self.list_ads():
            for ad in batch.models():
                if ad.ad_id == ad_id:
                    return ad  # type: ignore[no-any-return]
        raise NotFoundError(f"no offer that we trade has an ad {ad_id!r}", network=self.network)

    async def _traded_slugs(self) -> list[str]:
        slugs: dict[str, None] = {}
        async for batch in self.list_trades():
            slugs.update(dict.fromkeys(t.offer_slug for t in batch.models() if t.offer_slug))
        return list(slugs)

    # ------------------------------------------------------------------ reports as lists

    def list_trades(self, **filters: Any) -> AsyncIterator[Batch]:
        """Yield trades. Filters as in SENT and LOCAL."""
        return self._stream("trades", None, filters)

    def list_transactions(
        self, period: Period, *, currency: str | None = None, **filters: Any
    ) -> AsyncIterator[Batch]:
        """Yield transactions by the instant at which they were saved. Filters as in SENT and LOCAL."""
        return self._stream("transactions", period, filters, currency=currency)

    def list_clicks(self, period: Period, **filters: Any) -> AsyncIterator[Batch]:
        """Yield clicks. Filters as in SENT and LOCAL."""
        return self._stream("clicks", period, filters)

    def _stream(
        self, kind: str, period: Period | None, filters: Mapping[str, Any], *, currency: str | None = None
    ) -> AsyncIterator[Batch]:
        query = self.complete_query(
            ReportQuery(kind=kind, period=period, currency=currency, filters=dict(filters))
        )
        self.check_query(query)
        return stream_rows(self._runner, query)

    def complete_query(self, query: ReportQuery) -> ReportQuery:
        """Return *query* in the account's currency where it names none, and without a period where it has no use.

        Raises:
            ConfigurationError: It names what is no currency.
        """
        if query.kind == "trades":
            return attrs.evolve(query, period=None)
        if query.kind != "transactions":
            return query
        code = self._code(query.currency, self._session.account) or self._currency
        return attrs.evolve(query, currency=code)

    @staticmethod
    def _code(text: str | None, account: str) -> str | None:
        """Return a currency's code, of which two spellings would be two reports; None where there is none."""
        try:
            return money.currency_code(text) if text else None
        except ValueError as error:
            raise ConfigurationError(f"account {account!r}: currency: {error}") from None

    def check_query(self, query: ReportQuery) -> None:
        """Refuse what the network cannot report, before any request.

        Raises:
            UnsupportedError: No such report, no such filter, or a currency where there is none to choose.
            ConfigurationError: Transactions without a currency, a report without its period, or a status that there
                is not.
        """
        if query.kind not in self.report_kinds:
            raise self._unsupported(
                f"makes no {query.kind} report; it makes {', '.join(sorted(self.report_kinds))}"
            )
        known = SENT[query.kind].keys() | LOCAL[query.kind]
        if unknown := query.filters.keys() - known:
            raise self._unsupported(
                f"cannot filter {query.kind} by {min(unknown)!r}; it can by {', '.join(sorted(known))}"
            )
        if words := query.filters.get("status"):
            check_statuses(query.kind, words)
        if query.kind != "transactions" and query.currency:
            raise self._unsupported(f"tells {query.kind} in no currency of choice; leave currency out")
        if query.kind == "transactions" and not query.currency:
            raise ConfigurationError(
                f'account {self._session.account!r}: transactions need a currency; set currency = "EUR" in the'
                " account's configuration or pass currency="
            )
        if query.kind != "trades" and query.period is None:
            raise ConfigurationError(f"a {query.kind} report needs since and until")

    def _unsupported(self, what: str) -> UnsupportedError:
        return UnsupportedError(f"targetcircle {what}", network=self.network, account=self._session.account)

    # ------------------------------------------------------------------ reports as jobs

    async def submit_report(self, job: ReportJob) -> ReportJob:
        """Ask for a report of at least the job's period; reading leaves out what is not in it."""
        query = job.query
        self.check_query(query)
        sent = SENT[query.kind]
        filters: dict[str, Any] = {sent[name]: v for name, v in query.filters.items() if name in sent}
        if query.kind == "trades":
            ticket = await self._native.submit_trades(**filters)
        else:
            period = query.period
            assert period is not None
            since, to = period.since, _end_named(period)
            if query.kind == "clicks":
                ticket = await self._native.submit_clicks(from_=since, to=to, **filters)
            else:
                ticket = await self._native.submit_transactions(
                    from_=since, to=to, currency=query.currency or "", **filters
                )
        place = urlsplit(ticket.url)
        # Two slashes would begin a host's name.
        path = f"/.{place.path}" if place.path.startswith("//") else place.path
        return job.changed(
            state="submitted",
            report_id=ticket.report_id,
            location=path + (f"?{place.query}" if place.query else ""),
            row_limit=REPORT_LIMIT,
        )

    async def poll_report(self, job: ReportJob) -> ReportJob:
        """Ask once how far a report is."""
        # Rows that are left out here tell nothing of how many a window has: the network's own are counted.
        return await self._reader.poll(job, counted=bool(job.query.filters.keys() & LOCAL[job.query.kind]))

    def read_report(self, job: ReportJob) -> AsyncIterator[Batch]:
        """Yield a ready report's rows; pages are fetched in parallel and delivered in order."""
        return self._reader.read(job, RowFilter.of(job.query, LOCAL[job.query.kind]))


def _with_api(base_url: str) -> str:
    """Return the base URL with the ``/api`` under which all documented paths stand, in one form."""
    clean = checked_base_url(base_url)
    return clean if urlsplit(clean).path.strip("/") else f"{clean}/api"


def _end_named(period: Period) -> datetime:
    """Return the instant to name as a period's end.

    That the network includes it is inferred from the document's sample alone, which ends at 23:59:59Z; the API after
    this one does not. So the end itself is named, and rows of the second that begins there are left out in reading:
    none of the last second is lost either way. Where one second alone is asked for it is named twice, as the sample
    would: it has been cut down to that, and another second's rows must not fill its report.
    """
    until = period.until
    if until.microsecond:
        until = until.replace(microsecond=0) + ONE_SECOND
    return until if period.length > ONE_SECOND else until - ONE_SECOND
