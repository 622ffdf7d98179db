"""The typed public interface, as an application uses it. Never run: mypy reads it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import assert_type

import attrs

import adnet


async def reads() -> None:
    """Lists are async iterators of models, single reads are awaited."""
    async with adnet.connect("targetcircle", base_url="https://api.example", token="t") as account:
        assert_type(account, adnet.Account)
        assert_type(await account.get_account(), adnet.AccountInfo)
        async for tx in account.list_transactions(since=date(2026, 1, 1), until=date(2026, 2, 1)):
            assert_type(tx, adnet.Transaction)
            assert_type(tx.commission, adnet.Money | None)
            assert_type(tx.occurred_at, datetime)
            assert_type(tx.sub_ids, tuple[str, ...])
        async for row in account.list_stats(since=date(2026, 1, 1), until=date(2026, 1, 2), level="ad"):
            assert_type(row.ctr, Decimal | None)
        async for link in account.list_links(offer_id=1, source_id="2", sub_ids={"ref1": "x"}):
            assert_type(link.click_url, str)
        assert_type(await account.get_campaign("1"), adnet.Campaign)


async def changes(account: adnet.Account, campaign: adnet.Campaign) -> None:
    """A change is a diff of two values, or an update written by hand."""
    renamed = attrs.evolve(campaign, name="New name", daily_budget=adnet.Money(Decimal(50), "EUR"))
    result = await account.update_campaigns(
        [adnet.diff(campaign, renamed), adnet.Update("7", {"status": "paused"})]
    )
    assert_type(result, adnet.BatchResult)
    for outcome in result:
        assert_type(outcome, adnet.Outcome)
    created = await account.create_campaigns([adnet.CampaignDraft(name="Draft")])
    assert_type(created.ids, tuple[str | None, ...])
    plan = await account.plan([adnet.Update("7", {"status": "paused"}), adnet.Removal("key", "shares")])
    assert_type(plan, adnet.Plan)
    assert_type(await account.apply(plan, limits=adnet.PlanLimits(paused=1), force=True), adnet.BatchResult)


async def reports(account: adnet.Account) -> None:
    """A job is a value that can be stored."""
    period = adnet.Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    job = await account.submit_report(adnet.ReportQuery(kind="transactions", period=period, currency="EUR"))
    assert_type(job, adnet.ReportJob)
    async for news in account.follow_report(adnet.ReportJob.from_json(job.to_json())):
        assert_type(news.state == "ready", bool)


async def pulls() -> None:
    """The main job."""
    async with adnet.open("adnet.toml") as accounts:
        result = await adnet.pull(
            accounts, since=date(2026, 1, 1), until=date(2026, 2, 1), to="duckdb:ads.duckdb"
        )
    assert_type(result, adnet.PullResult)
    assert_type(result.ok, bool)
