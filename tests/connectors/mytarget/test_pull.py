"""The main job: a whole account over 120 days, within the limits, by the server's own report."""

from datetime import date, timedelta
from decimal import Decimal

import adnet
from adnet.testing.memory import MemorySink

from .kit import bench

TODAY = date(2026, 9, 15)
SINCE = TODAY - timedelta(days=119)
UNTIL = TODAY + timedelta(days=1)


async def pulled(account, **options):
    """Pull every table; return the sink and what came of it."""
    sink = MemorySink()
    await sink.open()
    result = await adnet.pull(account, since=SINCE, until=UNTIL, to=sink, **options)
    assert result.ok, result.errors
    return sink


def figures(sink) -> list[dict]:
    """Return the landed statistics without the time at which they came."""
    return [
        {name: value for name, value in row.items() if name != "fetched_at"} for row in sink.rows("stats")
    ]


async def test_500_campaigns_and_1500_banners_over_120_days():
    """Everything lands, exactly; no 429, no long period twice, and every request as large as it may be."""
    async with bench(campaigns=500, banners=1500, limits=None) as test:
        sink = await pulled(test.account(), levels=("campaign", "ad"), raw=False)
        assert [len(sink.rows(name)) for name in ("accounts", "campaigns", "ads")] == [1, 500, 1500]
        for level, name in (("campaign", "stats"), ("ad", "banner_stats")):
            landed = [row for row in sink.rows("stats") if row["level"] == level]
            truth = test.sandbox.truth(name, SINCE, UNTIL)
            assert len(landed) == len(truth)
            assert sum(row["spend"] for row in landed) == sum(Decimal(row["spent"]) for row in truth)
            assert sum(row["clicks"] for row in landed) == sum(row["clicks"] for row in truth)
        report = test.report()
        assert (report["rate_limited"], report["calls_after_zero"], report["repeated_statistics"]) == (
            0,
            0,
            0,
        )
        assert report["grants"] == {"client_credentials": 1}
        sizes = report["objects_per_request"]
        assert set(sizes["campaigns.list"]) == set(sizes["banners.list"]) == {"50"}
        assert set(sizes["statistics.banners"]) == {"100", "200"}


async def test_pulling_again_changes_nothing_and_asks_for_no_long_period(tmp_path):
    """Not on another account object of the same state, either."""
    async with bench(limits=None, state=f"sqlite:{tmp_path / 's.db'}") as test:
        first = await pulled(test.account(), raw=False)
        before = test.report()["long_statistics"]
        again = await pulled(test.account(), raw=False)
        assert figures(first) == figures(again) != []
        assert (test.report()["long_statistics"], test.report()["rate_limited"]) == (before, 0)
