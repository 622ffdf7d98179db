"""Reports of networks that answer at once."""

import pytest

from adnet.errors import UnsupportedError
from adnet.interface import (
    Connector,
    ReadsAds,
    ReadsCampaigns,
    ReadsClicks,
    ReadsOffers,
    ReadsStats,
    ReadsTrades,
    ReadsTransactions,
)
from adnet.models import ModelBatch, ReportQuery
from adnet.operations.instant import InstantReports

from .conftest import query


class Lists(
    Connector, ReadsAds, ReadsCampaigns, ReadsClicks, ReadsOffers, ReadsStats, ReadsTrades, ReadsTransactions
):
    """Notes what is listed, and lists nothing."""

    network = "memory"
    account_key = "key"

    def __init__(self) -> None:
        self.asked: list[tuple] = []

    async def _list(self, *asked):
        self.asked.append(asked)
        yield ModelBatch([])

    def list_campaigns(self, *, ids=None, status=None):
        return self._list("campaigns", ids, status)

    def list_ads(self, *, campaign_ids=None, status=None):
        return self._list("ads", campaign_ids, status)

    def list_offers(self, **filters):
        return self._list("offers", filters)

    def list_trades(self, **filters):
        return self._list("trades", filters)

    def list_stats(self, period, *, level="campaign", ids=None):
        return self._list("stats", period, level, ids)

    def list_transactions(self, period, *, currency=None, **filters):
        return self._list("transactions", period, currency, filters)

    def list_clicks(self, period, **filters):
        return self._list("clicks", period, filters)

    async def get_campaign(self, campaign_id): ...

    async def get_ad(self, ad_id): ...

    async def get_offer(self, slug): ...


PERIOD = query().period


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        (ReportQuery(kind="campaigns", filters={"ids": "1"}), ("campaigns", ("1",), None)),
        (ReportQuery(kind="ads"), ("ads", None, None)),
        (ReportQuery(kind="offers", filters={"q": "x"}), ("offers", {"q": ("x",)})),
        (ReportQuery(kind="trades"), ("trades", {})),
        (ReportQuery(kind="stats", period=PERIOD, level="ad"), ("stats", PERIOD, "ad", None)),
        (ReportQuery(kind="stats", period=PERIOD), ("stats", PERIOD, "campaign", None)),
        (
            ReportQuery(kind="transactions", period=PERIOD, currency="EUR"),
            ("transactions", PERIOD, "EUR", {}),
        ),
        (query(), ("clicks", PERIOD, {})),
    ],
    ids=lambda value: value.kind if isinstance(value, ReportQuery) else "",
)
async def test_a_report_is_a_list_that_is_read_when_it_is_read(clock, asked, listed):
    """The job is born ready and asks for nothing by itself."""
    lists = Lists()
    reports = InstantReports(lists, account="shop", clock=clock)
    job = reports.submit(asked)
    assert (job.state, job.account, job.account_key, job.ready_at) == ("ready", "shop", "key", clock.now())
    assert lists.asked == []
    assert [len(batch) async for batch in reports.read(job)] == [0]
    assert lists.asked == [listed]


@pytest.mark.parametrize(
    "asked", [ReportQuery(kind="stats"), ReportQuery(kind="weather", period=PERIOD), query()]
)
def test_what_cannot_be_listed_is_refused_before_any_request(clock, asked):
    """An unknown kind, a missing period, a facet that is not there."""
    connector = Lists() if asked.kind != "clicks" else Connector.__new__(Connector)
    with pytest.raises(UnsupportedError, match=f"has no {asked.kind} report"):
        InstantReports(connector, account="shop", clock=clock).submit(asked)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            ReportQuery(kind="campaigns", filters={"state": "active"}),
            "memory cannot filter campaigns by 'state'; it can by ids, status",
        ),
        (
            ReportQuery(kind="stats", period=PERIOD, filters={"level": "ad"}),
            "memory cannot filter stats by 'level'; it can by ids",
        ),
        (
            ReportQuery(kind="transactions", period=PERIOD, filters={"currency": "EUR"}),
            "memory cannot filter transactions by 'currency'",
        ),
        (
            ReportQuery(kind="stats", period=PERIOD, currency="EUR"),
            "memory tells stats in no other currency than its own; leave currency out",
        ),
    ],
)
def test_what_a_list_cannot_take_is_refused_before_any_request(clock, asked, words):
    """A filter that it does not have was a TypeError, and amounts came in another currency than asked for."""
    lists = Lists()
    with pytest.raises(UnsupportedError) as caught:
        InstantReports(lists, account="shop", clock=clock).submit(asked)
    assert caught.value.message == words
    assert lists.asked == []
