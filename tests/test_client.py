"""What an account refuses by itself, it tells with its network, its name and what was wanted."""

from datetime import date, datetime

import attrs
import pytest

import adnet
from adnet.client import Account
from adnet.interface import Connector, QueuesReports, WritesAds, WritesCampaigns
from adnet.testing import FakeClock, ScriptTransport

NEW, OLD = date(2026, 1, 2), date(2026, 1, 1)
JOB = adnet.ReportJob(network="mgid", account="other", query=adnet.ReportQuery(kind="clicks"))


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("list_stats", lambda account: account.list_stats(since=NEW, until=OLD)),
        ("list_stats", lambda account: account.list_stats(since=datetime(2026, 1, 1), until=NEW)),  # noqa: DTZ001
        ("list_clicks", lambda account: account.list_clicks(since=NEW, until=OLD)),
        ("list_campaigns", lambda account: account.list_campaigns(status="actve")),
        ("list_ads", lambda account: account.list_ads(status=["active", "campaign active"])),
        ("read_report", lambda account: account.read_report(JOB)),
    ],
)
async def test_a_call_that_is_wrong_is_told_with_whose_it_is(operation, call):
    """At once, before anything is iterated or sent."""
    account = adnet.connect(
        "adskeeper", client_id="1", token="a" * 32, name="shop", transport=ScriptTransport([])
    )
    with pytest.raises(adnet.ConfigurationError) as caught:
        call(account)
    await account.close()
    error = caught.value
    assert (error.network, error.account, error.operation) == ("adskeeper", "shop", operation)


async def test_a_list_that_is_ready_at_once_is_a_report_where_others_are_made_on_request():
    """Target Circle makes transactions on request, and answers at once with offers."""
    wire = ScriptTransport([])
    query = adnet.ReportQuery(kind="offers")
    async with adnet.connect(
        "targetcircle", base_url="https://tc.example/api", token="t" * 32, transport=wire
    ) as account:
        job = await account.submit_report(query)
        assert (job.state, job.query) == ("ready", query)
        assert await account.poll_report(job) == job
        with pytest.raises(adnet.UnsupportedError, match="cannot serve submit_report of stats; adskeeper"):
            await account.submit_report(attrs.evolve(query, kind="stats"))


class Campaigns(Connector, WritesCampaigns):
    """Makes every change of campaigns, and notes whose."""

    network = "memory"

    def __init__(self):
        self.changed = []

    async def open(self): ...

    async def close(self): ...

    async def create_campaigns(self, drafts): ...

    async def update_campaigns(self, updates):
        self.changed += [update.id for update in updates]
        return [adnet.Outcome(id=update.id, status="done") for update in updates]

    async def delete_campaigns(self, ids): ...


class Both(Campaigns, WritesAds):
    """Can change ads too, but not today."""

    async def create_ads(self, drafts): ...

    async def update_ads(self, updates):
        raise adnet.ConnectError("nobody is there")

    async def delete_ads(self, ids): ...


def account_on(connector):
    """Return an account on a connector that needs no state."""
    return Account(connector, name="shop", clock=FakeClock(), state=None)


PAUSED = {"status": "paused"}
CAMPAIGN, AD = adnet.Update("1", PAUSED, "campaigns"), adnet.Update("2", PAUSED, "ads")


async def test_of_a_plan_that_breaks_off_everybody_learns_what_was_done():
    """An error alone would hide that the first part is made; what comes after it is not begun."""
    connector = Both()
    updates = (CAMPAIGN, AD, adnet.Update("3", {"status": "active"}, "campaigns"))
    result = await account_on(connector).apply(adnet.Plan(network="memory", updates=updates))
    assert [(one.id, one.status) for one in result] == [("1", "done"), ("2", "failed"), ("3", "failed")]
    error = result[2].error
    assert (type(error), error.operation, connector.changed) == (adnet.ConnectError, "update_ads", ["1"])


async def test_a_plan_of_which_nothing_was_sent_raises():
    """As each of its calls does by itself."""
    with pytest.raises(adnet.ConnectError, match="nobody is there"):
        await account_on(Both()).apply(adnet.Plan(network="memory", updates=(AD, CAMPAIGN)))


async def test_of_a_plan_that_the_network_cannot_make_whole_nothing_is_sent():
    """Half of it is nothing that anybody has asked for."""
    connector = Campaigns()
    with pytest.raises(adnet.UnsupportedError, match="memory cannot serve update_ads"):
        await account_on(connector).apply(adnet.Plan(network="memory", updates=(CAMPAIGN, AD)))
    assert connector.changed == []


class Follows(Connector, QueuesReports):
    """Has to learn something first, as its interface lets it."""

    network = "memory"
    account_key = "key"
    report_kinds = frozenset({"clicks"})
    runner = None

    def __init__(self):
        self.runner, self.opened = self, False

    async def open(self):
        self.opened = True

    async def close(self): ...

    async def follow(self, job):
        yield job.changed(state="ready" if self.opened else "failed")
        raise adnet.JobFailedError("it is gone")

    async def submit_report(self, job): ...

    async def poll_report(self, job): ...

    def read_report(self, job): ...


async def test_following_a_report_opens_the_account_and_tells_whose_errors_it_has():
    """It may be the first that a process does with a job that another one has stored."""
    account = account_on(Follows())
    job = adnet.ReportJob(
        network="memory", account="shop", account_key="key", query=adnet.ReportQuery(kind="clicks")
    )
    news = account.follow_report(job)
    assert (await anext(news)).state == "ready"
    with pytest.raises(adnet.JobFailedError) as caught:
        await anext(news)
    error = caught.value
    assert (error.network, error.account, error.operation) == ("memory", "shop", "follow_report")
