"""The account that users hold. Everything that all networks need is done here, once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from decimal import Decimal
from typing import Any, Self

from adnet import registry
from adnet.clock import Clock
from adnet.errors import AdnetError, ConfigurationError, UnsupportedError
from adnet.interface import Capabilities, Connector, LimitFact
from adnet.models import (
    AccountInfo,
    Ad,
    AdDraft,
    Audience,
    AudienceDraft,
    Batch,
    BatchResult,
    Campaign,
    CampaignDraft,
    Click,
    Link,
    Offer,
    Outcome,
    Plan,
    PlannedRequest,
    ReportJob,
    ReportQuery,
    Share,
    StatRow,
    Trade,
    Transaction,
    Update,
)
from adnet.models.words import Level
from adnet.money import Money
from adnet.operations.changes import (
    Change,
    all_of_kind,
    by_kind,
    check_owner,
    of_kind,
    parts_of,
    plan_of,
)
from adnet.operations.chosen import Words, chosen, statuses, texts
from adnet.operations.grouping import kind_by_kind
from adnet.operations.instant import InstantReports
from adnet.operations.jobs import ReportRunner
from adnet.operations.plan import PlanLimits, check_plan
from adnet.operations.windows import check_order, read_whole, stream_rows
from adnet.periods import Moment, Period
from adnet.state import State


class Account:
    """One account on one network, behind the interface that all networks share.

    ``list_…`` methods are no coroutines: iterate them with ``async for``. What the network cannot serve raises
    UnsupportedError before any request. Safe to use from many tasks at once.
    """

    def __init__(
        self, connector: Connector, *, name: str, clock: Clock, state: State, close_state: bool = False
    ) -> None:
        self.name = name
        self.network = connector.network
        self.state = state
        self.clock = clock
        self._connector: Any = connector
        self._close_state = close_state
        self._opened = False
        self._opening = asyncio.Lock()
        self._instant = InstantReports(connector, account=name, clock=clock)

    # ------------------------------------------------------------------ identity

    @property
    def account_id(self) -> str:
        """Text that is equal for equal accounts and tells no secret."""
        return str(self._connector.account_key)

    @property
    def capabilities(self) -> Capabilities:
        """What the network can serve, derived from its connector."""
        return type(self._connector).capabilities()  # type: ignore[no-any-return]

    @property
    def limits(self) -> tuple[LimitFact, ...]:
        """Numbers about the network, each with its source."""
        return tuple(type(self._connector).limit_facts)

    @property
    def native(self) -> Any:
        """The network's own typed client, one method per documented operation."""
        return self._connector.native

    @property
    def connector(self) -> Connector:
        """The connector itself, for code that drives a whole network (the pull, the certification)."""
        return self._connector  # type: ignore[no-any-return]

    async def __aenter__(self) -> Self:
        try:
            await self.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Prepare the account; done by itself on first use, once, and anew if it failed or was cancelled."""
        if self._opened:
            return
        async with self._opening:
            if not self._opened:
                await self._connector.open()
                self._opened = True

    async def close(self) -> None:
        """Give back connections, and the state where it is the account's own."""
        try:
            await self._connector.close()
        finally:
            if self._close_state:
                self.state.close()

    def __repr__(self) -> str:
        return f"Account({self.name!r} on {self.network})"

    # ------------------------------------------------------------------ reading

    async def get_account(self) -> AccountInfo:
        """Return who the credentials belong to; the cheapest call that proves them."""
        return await self._call("get_account")  # type: ignore[no-any-return]

    def list_campaigns(self, *, ids: Words = None, status: Words = None) -> AsyncIterator[Campaign]:
        """Yield campaigns; None means all. A status is one of ours, not the network's word."""
        self._require("list_campaigns")
        with self._told("list_campaigns"):
            wanted = statuses(status)
        return self._rows(
            "list_campaigns", lambda: self._connector.list_campaigns(ids=chosen(ids), status=wanted)
        )

    async def get_campaign(self, campaign_id: str | int) -> Campaign:
        """Return one campaign, complete. Raises NotFoundError."""
        return await self._call("get_campaign", str(campaign_id))  # type: ignore[no-any-return]

    def list_ads(self, *, campaign_ids: Words = None, status: Words = None) -> AsyncIterator[Ad]:
        """Yield ads; None means all. A status is one of ours, not the network's word."""
        self._require("list_ads")
        with self._told("list_ads"):
            wanted = statuses(status)
        return self._rows(
            "list_ads",
            lambda: self._connector.list_ads(campaign_ids=chosen(campaign_ids), status=wanted),
        )

    async def get_ad(self, ad_id: str | int) -> Ad:
        """Return one ad, complete. Raises NotFoundError."""
        return await self._call("get_ad", str(ad_id))  # type: ignore[no-any-return]

    def list_stats(
        self, *, since: Moment, until: Moment, level: Level = "campaign", ids: Words = None
    ) -> AsyncIterator[StatRow]:
        """Yield one row per day and object of ``[since, until)``, in days of the account."""
        self._require("list_stats", level=level)
        self._check_order("list_stats", since, until)
        return self._rows(
            "list_stats",
            lambda: self._connector.list_stats(self.period(since, until), level=level, ids=chosen(ids)),
        )

    def list_offers(self, **filters: Any) -> AsyncIterator[Offer]:
        """Yield offers with their payouts, one for each source they are open to."""
        self._require("list_offers")
        return self._rows("list_offers", lambda: self._connector.list_offers(**filters))

    async def get_offer(self, slug: str) -> Offer:
        """Return one offer by its slug. Raises NotFoundError."""
        return await self._call("get_offer", slug)  # type: ignore[no-any-return]

    def list_trades(self, **filters: Any) -> AsyncIterator[Trade]:
        """Yield the connections of our sources with offers."""
        self._require("list_trades")
        return self._rows("list_trades", lambda: self._connector.list_trades(**filters))

    def list_links(
        self,
        *,
        offer_id: str | int,
        source_id: str | int,
        deeplink: str | None = None,
        sub_ids: Mapping[str, str] | None = None,
        **filters: Any,
    ) -> AsyncIterator[Link]:
        """Yield tracking links for one offer and source that carry *sub_ids*."""
        self._require("list_links")
        return self._plain(
            "list_links",
            lambda: self._connector.list_links(
                offer_id=str(offer_id),
                source_id=str(source_id),
                deeplink=deeplink,
                sub_ids=sub_ids,
                **filters,
            ),
        )

    def list_transactions(
        self, *, since: Moment, until: Moment, currency: str | None = None, **filters: Any
    ) -> AsyncIterator[Transaction]:
        """Yield the sales and leads of ``[since, until)``.

        Raises:
            TruncatedReportError: The network would not tell all of them.
        """
        self._require("list_transactions")
        self._check_order("list_transactions", since, until)
        return self._rows(
            "list_transactions",
            lambda: self._connector.list_transactions(
                self.period(since, until), currency=currency, **filters
            ),
        )

    def list_clicks(self, *, since: Moment, until: Moment, **filters: Any) -> AsyncIterator[Click]:
        """Yield the clicks of ``[since, until)``; IP addresses only as keyed hashes."""
        self._require("list_clicks")
        self._check_order("list_clicks", since, until)
        return self._rows(
            "list_clicks", lambda: self._connector.list_clicks(self.period(since, until), **filters)
        )

    # ------------------------------------------------------------------ changing

    async def create_campaigns(self, drafts: Sequence[CampaignDraft]) -> BatchResult:
        """Create campaigns, paused where the network allows; one outcome for each, in order."""
        return await self._batch("create_campaigns", list(drafts))

    async def update_campaigns(self, updates: Sequence[Update]) -> BatchResult:
        """Send exactly the named fields; an update of nothing sends nothing."""
        return await self._update("campaigns", updates)

    async def delete_campaigns(self, ids: Sequence[str | int]) -> BatchResult:
        """Delete campaigns; one outcome for each, in order."""
        return await self._batch("delete_campaigns", texts(ids))

    async def create_ads(self, drafts: Sequence[AdDraft]) -> BatchResult:
        """Create ads, paused where the network allows; one outcome for each, in order."""
        return await self._batch("create_ads", list(drafts))

    async def update_ads(self, updates: Sequence[Update]) -> BatchResult:
        """Send exactly the named fields; an update of nothing sends nothing."""
        return await self._update("ads", updates)

    async def delete_ads(self, ids: Sequence[str | int]) -> BatchResult:
        """Delete ads; one outcome for each, in order."""
        return await self._batch("delete_ads", texts(ids))

    async def block_sources(self, campaign_id: str | int, ids: Sequence[str]) -> BatchResult:
        """Stop showing a campaign on sources, named as rows of statistics name them; one outcome for each."""
        return await self._batch("block_sources", str(campaign_id), texts(ids))

    async def allow_sources(self, campaign_id: str | int, ids: Sequence[str]) -> BatchResult:
        """Show a campaign on sources again; one outcome for each, in order."""
        return await self._batch("allow_sources", str(campaign_id), texts(ids))

    async def bid_sources(self, campaign_id: str | int, factors: Mapping[str, Decimal]) -> BatchResult:
        """Multiply a campaign's price on sources (source -> factor); one outcome for each, in order."""
        return await self._batch("bid_sources", str(campaign_id), dict(factors))

    async def _update(self, kind: str, updates: Iterable[Update]) -> BatchResult:
        self._require(operation := f"update_{kind}")
        updates = all_of_kind(updates, kind)
        wanted = [update for update in updates if update]
        outcomes = iter(await self._batch(operation, wanted) if wanted else ())
        return BatchResult(
            [next(outcomes) if update else Outcome(id=update.id, status="unchanged") for update in updates]
        )

    async def plan(self, changes: Sequence[Change], *, kind: str | None = None) -> Plan:
        """Return the exact requests that *changes* would take; none of them is sent.

        Args:
            changes: Updates, drafts and removals; of shares it is told what their removal would stop.
            kind: ``campaigns`` or ``ads``, for updates that do not know it themselves.
        """
        changes = of_kind(changes, kind)
        parts = list(parts_of(changes))
        for operation in ("plan", *(f"{verb}_{what}" for what, verb, _ in parts)):
            self._require(operation)
        requests: list[PlannedRequest] = []
        with self._told("plan"):
            await self.open()
            for what, verb, items in parts:
                requests.extend(await self._connector.express(what, verb, items))
        return plan_of(changes, requests, network=self.network, account=self.name)

    async def apply(
        self, plan: Plan, *, limits: PlanLimits | None = None, force: bool = False
    ) -> BatchResult:
        """Make the updates of *plan*, unless they move more than *limits* allow; one outcome for each, in order.

        Raises:
            UnsafePlanError: They do, or by how much they move cannot be told, and it is not forced; nothing was sent.
            ConfigurationError: It is another account's plan, or has more than updates.
        """
        check_owner(plan, network=self.network, account=self.name)
        check_plan(plan, limits, force=force, paid_extra=self._connector.paid_extra)
        for kind, _ in by_kind(plan.updates):
            self._require(f"update_{kind}")
        return BatchResult(await kind_by_kind(plan.updates, self._update))

    # ------------------------------------------------------------------ audiences

    def list_audiences(self, *, kind: str | None = None) -> AsyncIterator[Audience]:
        """Yield audiences; None means of every kind."""
        self._require("list_audiences")
        return self._rows("list_audiences", lambda: self._connector.list_audiences(kind=kind))

    async def create_audiences(self, drafts: Sequence[AudienceDraft]) -> BatchResult:
        """Create audiences; one outcome for each, in order."""
        return await self._batch("create_audiences", list(drafts))

    async def share_audiences(
        self,
        audiences: Sequence[Audience],
        users: Sequence[str] = (),
        payment: str = "free",
        price: Money | None = None,
        notify: bool = False,  # noqa: FBT002
    ) -> Share:
        """Make a key that opens *audiences* to *users*; no users means to anyone who has the key."""
        return await self._call(  # type: ignore[no-any-return]
            "share_audiences",
            list(audiences),
            users=texts(users),
            payment=payment,
            price=price,
            notify=notify,
        )

    def list_shares(self) -> AsyncIterator[Share]:
        """Yield the keys that open our audiences to others."""
        self._require("list_shares")
        return self._plain("list_shares", self._connector.list_shares)

    async def activate_share(self, key: str, audiences: Sequence[Audience] | None = None) -> list[Audience]:
        """Add a key's audiences to this account, and return them; None means all of them."""
        return await self._call("activate_share", key, audiences)  # type: ignore[no-any-return]

    async def revoke_shares(self, keys: Sequence[str]) -> BatchResult:
        """Remove keys: campaigns of others that use their audiences stop; ``plan`` tells so of Removals beforehand."""
        return await self._batch("revoke_shares", texts(keys))

    # ------------------------------------------------------------------ reports

    async def submit_report(self, query: ReportQuery) -> ReportJob:
        """Ask for a report; store the returned value to go on later, in this process or another."""
        self._require_report("submit_report", query)
        await self._ready("submit_report")
        runner = self._runner(query)
        return await runner.submit(self._completed(query)) if runner else self._instant.submit(query)

    async def poll_report(self, job: ReportJob) -> ReportJob:
        """Ask once how far a report is, not within 0.2 s of the last question; for one that was lost, ask anew."""
        await self._ready("poll_report")
        self._own("poll_report", job)
        runner = self._runner(job.query)
        return await runner.poll(job) if runner else job

    def follow_report(self, job: ReportJob) -> AsyncIterator[ReportJob]:
        """Yield the job at each news of it until it is ready: the progress of a report."""
        self._require("poll_report")
        self._own("poll_report", job)
        runner = self._runner(job.query)
        return self._plain("follow_report", lambda: runner.follow(job) if runner else _once(job))

    def read_report(self, job: ReportJob) -> AsyncIterator[Any]:
        """Yield a ready report's rows."""
        self._require("read_report")
        self._own("read_report", job)
        return self._rows("read_report", lambda: self._read(job))

    def run_report(self, query: ReportQuery) -> AsyncIterator[Any]:
        """Ask for a report, wait for it and yield its rows, complete."""
        self._require_report("run_report", query)
        if runner := self._runner(query):
            return self._rows("run_report", lambda: stream_rows(runner, self._completed(query)))
        return self._rows("run_report", lambda: self._read(self._instant.submit(query)))

    def _runner(self, query: ReportQuery) -> ReportRunner | None:
        """Return what asks for such reports; None where they are lists, ready at once."""
        return self._connector.runner if query.kind in self.capabilities.report_kinds else None

    def _completed(self, query: ReportQuery) -> ReportQuery:
        """Return *query* with what the account itself knows, e.g. its currency."""
        return self._connector.complete_query(query)  # type: ignore[no-any-return]

    def _read(self, job: ReportJob) -> AsyncIterator[Batch]:
        runner = self._runner(job.query)
        return read_whole(runner, job) if runner else self._instant.read(job)

    def _own(self, operation: str, job: ReportJob) -> None:
        if job.network != self.network or job.account_key != self.account_id:
            with self._told(operation):
                raise ConfigurationError(
                    f"the job {job.job_id} belongs to another account ({job.account!r} on {job.network});"
                    " open that one to go on with it"
                )

    # ------------------------------------------------------------------ the rest

    async def revoke(self) -> None:
        """Remove this account's binding at the network, and its tokens here; a new login is needed then."""
        await self._call("revoke")

    def period(self, since: Moment, until: Moment) -> Period:
        """Return ``[since, until)`` in UTC; days are the account's own days.

        Raises:
            ConfigurationError: *since* is not before *until*, or an instant has no time zone.
        """
        try:
            return Period.of(since, until, self._connector.time_zone)
        except ValueError as error:
            raise ConfigurationError(str(error), network=self.network, account=self.name) from None

    def _require(self, operation: str, *, kind: str | None = None, level: str | None = None) -> None:
        if not self.capabilities.supports(operation, kind=kind, level=level):
            able = registry.supporting(operation, kind=kind, level=level)
            what = operation + (f" of {kind}" if kind else "") + (f" by {level}" if level else "")
            raise UnsupportedError(
                f"{self.network} cannot serve {what}" + (f"; {', '.join(able)} can" if able else ""),
                network=self.network,
                account=self.name,
                operation=operation,
                instead=able,
            )

    def _require_report(self, operation: str, query: ReportQuery) -> None:
        self._require(operation, kind=query.kind, level=query.level if query.kind == "stats" else None)

    def _check_order(self, operation: str, since: Moment, until: Moment) -> None:
        with self._told(operation):
            check_order(since, until)

    async def _ready(self, operation: str) -> None:
        self._require(operation)
        with self._told(operation):
            await self.open()

    async def _call(self, operation: str, *args: Any, **options: Any) -> Any:
        await self._ready(operation)
        with self._told(operation):
            return await getattr(self._connector, operation)(*args, **options)

    async def _batch(self, operation: str, *args: Any) -> BatchResult:
        outcomes: list[Outcome] = await self._call(operation, *args)
        for outcome in outcomes:
            if outcome.error is not None:
                outcome.error.add_context(network=self.network, account=self.name, operation=operation)
        return BatchResult(outcomes)

    async def _rows(self, operation: str, batches: Any) -> AsyncGenerator[Any, None]:
        with self._told(operation):
            await self.open()
            async with aclosing(batches()) as source:
                async for batch in source:
                    for row in batch.models():
                        yield row
                    del batch  # so that the next one is decoded in its place

    async def _plain(self, operation: str, rows: Any) -> AsyncGenerator[Any, None]:
        with self._told(operation):
            await self.open()
            async with aclosing(rows()) as source:
                async for row in source:
                    yield row

    @contextmanager
    def _told(self, operation: str) -> Iterator[None]:
        """Let every error say whose it is and what was wanted, where it does not say so itself."""
        try:
            yield
        except AdnetError as error:
            error.add_context(network=self.network, account=self.name, operation=operation)
            raise


async def _once(job: ReportJob) -> AsyncIterator[ReportJob]:
    yield job
