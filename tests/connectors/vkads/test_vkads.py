"""VK Ads is myTarget with other data: its host, its words, its spans."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

import adnet
from adnet import AdDraft, CampaignDraft, Update
from adnet.connectors.mytarget import MyTarget
from adnet.connectors.vkads import VkAds
from adnet.errors import InvalidRequestError
from tests.connectors.mytarget.kit import bench, connector

TODAY = date(2026, 9, 15)


def test_nothing_but_data_is_its_own():
    """No method of the connector is written twice."""
    own = {name: value for name, value in vars(VkAds).items() if not name.startswith("_")}
    assert {"network", "title", "profile"} <= own.keys()
    assert not any(callable(value) for value in own.values())
    assert issubclass(VkAds, MyTarget)


async def test_its_host_is_its_own():
    """Unless another is named."""
    async with adnet.connect("vkads", client_id="c", client_secret="secret-1") as account:
        assert connector(account).session.base_url == "https://ads.vk.com"


async def test_ad_groups_are_campaigns():
    """Read, changed, created and deleted by their own path; a banner names its ad group."""
    async with bench(vk=True) as test:
        account = test.account()
        rows = [row async for row in account.list_campaigns()]
        assert sorted(int(row.campaign_id) for row in rows) == sorted(
            r["id"] for r in test.sandbox.truth("ad_groups")
        )
        assert "ad_plan_id" in rows[0].extra
        ads = [row async for row in account.list_ads(campaign_ids=[rows[0].campaign_id])]
        assert {ad.campaign_id for ad in ads} == {rows[0].campaign_id}
        assert (await account.update_campaigns([Update(rows[0].campaign_id, {"name": "N"})])).ok
        ad = AdDraft(title="T", text="Hello", url="https://new.example.test/")
        made = await account.create_campaigns([CampaignDraft(name="G", ads=(ad,), extra={"package_id": 811})])
        assert made.ok, made[0].error
        assert (await account.delete_campaigns(made.ids)).ok
        paths = {request.path for request in test.sandbox.log if "/api/v2/" in request.path}
        assert any("/ad_groups" in path for path in paths)
        assert not any("/campaigns" in path for path in paths)


async def test_statistics_span_a_year_and_count_conversions_apart():
    """366 days in one request; the top-level goals are zero there."""
    async with bench(vk=True, campaigns=20, banners=20) as test:
        since = TODAY - timedelta(days=365)
        rows = [row async for row in test.account().list_stats(since=since, until=TODAY + timedelta(days=1))]
        truth = {
            (r["date"], r["campaign_id"]): r
            for r in test.sandbox.truth("stats", since, TODAY + timedelta(days=1))
        }
        found = {(row.date.isoformat(), int(row.object_id)): row for row in rows}
        assert found.keys() == truth.keys()
        assert all(found[key].conversions == row["goals"] for key, row in truth.items())
        assert all(found[key].spend.amount == Decimal(row["spent"]) for key, row in truth.items())
        lines = [line for line in test.state.ledger.entries() if line.operation == "statistics.days"]
        assert [line.period_days for line in lines] == [366]


async def test_days_that_the_network_has_forgotten_are_refused():
    """It would look as if nothing had happened on them; what the state has of them is given all the same."""
    async with bench(vk=True, campaigns=20, banners=20) as test:
        account = test.account(restated_days="0")
        first = TODAY - timedelta(days=366)

        async def rows(since, until=TODAY):
            return [row async for row in account.list_stats(since=since, until=until)]

        with pytest.raises(InvalidRequestError, match=f"from {first} on"):
            await rows(first - timedelta(days=1))
        kept = await rows(first)
        test.clock.advance(30 * 24 * 3600)
        assert await rows(first) == kept
        assert [line.operation for line in test.state.ledger.entries()].count("statistics.days") == 1


async def test_ad_plans_stand_above():
    """In the network's own client; with their groups and banners in one request."""
    async with bench(vk=True) as test:
        native = test.account().native
        url = test.sandbox.truth("urls")[0]["id"]
        banner = {"name": "B", "status": "blocked", "urls": {"primary": {"id": url}}}
        group = {"name": "G", "status": "blocked", "package_id": 811, "banners": [banner]}
        made = await native.ad_plans.create({"name": "P", "status": "blocked", "ad_groups": [group]})
        assert len(made["ad_groups"][0]["banners"]) == 1
        await native.ad_plans.update(str(made["id"]), {"status": "active"})
        assert (await native.ad_plans.get(str(made["id"]), fields=["status"]))["status"] == "active"
        assert test.report()["objects_per_request"]["ad_plans.create"] == {"3": 1}


async def test_fast_figures_and_the_account():
    """By the versions that are its own."""
    async with bench(vk=True) as test:
        account = test.account()
        assert (await account.get_account()).currency == "RUB"
        ids = [str(row["id"]) for row in test.sandbox.truth("ad_groups")]
        assert await account.native.statistics.fast("campaigns", ids)
        paths = {request.path for request in test.sandbox.log}
        assert {"/api/v3/user.json", "/api/v3/statistics/faststat/campaigns.json"} <= paths
