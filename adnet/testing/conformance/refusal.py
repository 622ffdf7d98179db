"""What a connector cannot do it refuses: at once, with a way out, and without a request."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import attrs

from adnet import registry
from adnet.client import Account
from adnet.errors import UnsupportedError
from adnet.interface import Capabilities
from adnet.interface.capabilities import OPERATIONS
from adnet.models import AdDraft, AudienceDraft, CampaignDraft, ReportJob, ReportQuery, Update
from adnet.models.tables import TABLES
from adnet.models.words import LEVELS, Level
from adnet.periods import Period
from adnet.testing.conformance._policy import standard
from adnet.testing.conformance._tools import Listing, collect, listings
from adnet.testing.harness import Harness

_PERIOD: Final[dict[str, Any]] = {"since": date(2026, 1, 14), "until": date(2026, 1, 15)}
_QUERY: Final = ReportQuery(
    kind="transactions", period=Period(datetime(2026, 1, 14, tzinfo=UTC), datetime(2026, 1, 15, tzinfo=UTC))
)


_TAKE_FILTERS: Final = ("offers", "trades", "transactions", "clicks")


def _job(account: Account) -> ReportJob:
    return ReportJob(
        network=account.network, account=account.name, account_key=account.account_id, query=_QUERY
    )


CALLS: Final[Mapping[str, Callable[[Account], Any]]] = {
    "get_account": lambda account: account.get_account(),
    "list_campaigns": lambda account: account.list_campaigns(),
    "get_campaign": lambda account: account.get_campaign("1"),
    "create_campaigns": lambda account: account.create_campaigns([CampaignDraft(name="n")]),
    "update_campaigns": lambda account: account.update_campaigns([Update("1", {"name": "n"})]),
    "delete_campaigns": lambda account: account.delete_campaigns(["1"]),
    "list_ads": lambda account: account.list_ads(),
    "get_ad": lambda account: account.get_ad("1"),
    "create_ads": lambda account: account.create_ads([AdDraft(campaign_id="1", title="t")]),
    "update_ads": lambda account: account.update_ads([Update("1", {"title": "t"})]),
    "delete_ads": lambda account: account.delete_ads(["1"]),
    "block_sources": lambda account: account.block_sources("1", ["2"]),
    "allow_sources": lambda account: account.allow_sources("1", ["2"]),
    "bid_sources": lambda account: account.bid_sources("1", {"2": Decimal("1.5")}),
    "plan": lambda account: account.plan([Update("1", {"name": "n"})]),
    "list_stats": lambda account: account.list_stats(**_PERIOD),
    "list_offers": lambda account: account.list_offers(),
    "get_offer": lambda account: account.get_offer("1"),
    "list_trades": lambda account: account.list_trades(),
    "list_links": lambda account: account.list_links(offer_id="1", source_id="1"),
    "list_transactions": lambda account: account.list_transactions(**_PERIOD),
    "list_clicks": lambda account: account.list_clicks(**_PERIOD),
    "list_audiences": lambda account: account.list_audiences(),
    "list_shares": lambda account: account.list_shares(),
    "create_audiences": lambda account: account.create_audiences(
        [AudienceDraft(kind="segment", name="n", extra={})]
    ),
    "share_audiences": lambda account: account.share_audiences([]),
    "activate_share": lambda account: account.activate_share("key"),
    "revoke_shares": lambda account: account.revoke_shares(["key"]),
    "submit_report": lambda account: account.submit_report(_QUERY),
    "poll_report": lambda account: account.poll_report(_job(account)),
    "read_report": lambda account: account.read_report(_job(account)),
    "run_report": lambda account: account.run_report(_QUERY),
    "revoke": lambda account: account.revoke(),
}
"""Each operation, called in a way that would be right if the network had it."""


def _unsupported(capabilities: Capabilities) -> list[str]:
    return [operation for operation in OPERATIONS if not capabilities.supports(operation)]


def _missing_levels(capabilities: Capabilities) -> list[Level]:
    return [level for level in LEVELS if capabilities.levels and level not in capabilities.levels]


def _missing_reports(capabilities: Capabilities) -> list[str]:
    if not capabilities.supports("submit_report"):
        return []
    return [kind for kind in TABLES if not capabilities.supports("submit_report", kind=kind)]


def _filterable(capabilities: Capabilities) -> list[Listing]:
    return [listing for listing in listings(capabilities) if listing.table in _TAKE_FILTERS]


class Refusal:
    """Every operation that the connector does not have."""

    @standard(operation=_unsupported)
    async def test_unsupported_is_refused(self, harness: Harness, operation: str) -> None:
        """What the network cannot serve raises UnsupportedError that names who can, and nothing is sent.

        If this fails, look at: ``Account`` and the connector's facets; a method that raises by itself.
        """
        account = await harness.account()
        error = await refused(lambda: CALLS[operation](account))
        assert isinstance(error, UnsupportedError), repr(error)
        assert registry.supporting(operation) == error.instead
        assert account.network not in error.instead
        assert (operation, account.network) == (error.operation, error.network)
        assert list(harness.requests) == []

    @standard(level=_missing_levels)
    async def test_unsupported_levels_are_refused(self, harness: Harness, level: Level) -> None:
        """Statistics at a level that the network does not have are refused, and nothing is sent.

        If this fails, look at: ``levels`` of the Connector class.
        """
        account = await harness.account()
        error = await refused(lambda: account.list_stats(**_PERIOD, level=level))
        assert isinstance(error, UnsupportedError), repr(error)
        assert registry.supporting("list_stats", level=level) == error.instead
        assert all(name in error.message for name in error.instead)
        assert ("list_stats", account.network) == (error.operation, error.network)
        query = attrs.evolve(_QUERY, kind="stats", level=level)
        assert isinstance(await refused(lambda: account.submit_report(query)), UnsupportedError)
        assert list(harness.requests) == []

    @standard(kind=_missing_reports)
    async def test_unsupported_reports_are_refused(self, harness: Harness, kind: str) -> None:
        """A report of what the network does not have is refused, naming who has it, and nothing is sent.

        If this fails, look at: ``report_kinds`` of the Connector class, and its facets.
        """
        account = await harness.account()
        query = attrs.evolve(_QUERY, kind=kind)
        error = await refused(lambda: account.submit_report(query))
        assert isinstance(error, UnsupportedError), repr(error)
        assert registry.supporting("submit_report", kind=kind) == error.instead
        assert account.network not in error.instead
        assert ("submit_report", account.network) == (error.operation, error.network)
        assert list(harness.requests) == []

    @standard(listing=_filterable)
    async def test_an_unknown_filter_is_refused(self, harness: Harness, listing: Listing) -> None:
        """A filter that the network does not have is refused, and nothing is sent: rows that it should have left out
        would pass for those that it lets through.

        If this fails, look at: ``**filters`` of the method; UnsupportedError is what it should raise.
        """
        account = await harness.account()
        await account.open()
        sent = len(harness.requests)
        rows = collect(listing.of(account, *harness.period, zzz="1"))
        error = await refused(lambda: rows)
        assert isinstance(error, UnsupportedError), repr(error)
        assert account.network == error.network
        assert sent == len(harness.requests)


async def refused(call: Callable[[], Any]) -> BaseException | None:
    """Return what *call* raises, at once or when it is awaited."""
    try:
        result = call()
        if isinstance(result, Awaitable):
            await result
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return error
    return None
