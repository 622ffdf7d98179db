"""What an account refuses by itself, it tells with its network, its name and what was wanted."""

from datetime import date, datetime

import attrs
import pytest

import adnet
from adnet.testing import ScriptTransport

NEW, OLD = date(2026, 1, 2), date(2026, 1, 1)
JOB = adnet.ReportJob(network="mgid", account="other", query=adnet.ReportQuery(kind="clicks"))


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("list_stats", lambda account: account.list_stats(since=NEW, until=OLD)),
        ("list_stats", lambda account: account.list_stats(since=datetime(2026, 1, 1), until=NEW)),  # noqa: DTZ001
        ("list_clicks", lambda account: account.list_clicks(since=NEW, until=OLD)),
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
