"""Showing changes before they are sent: the exact requests, and not one write."""

from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from adnet.errors import ConflictError, UnsafePlanError, UnsupportedError
from adnet.models import AdDraft, CampaignDraft, Update
from tests.connectors.adskeeper.kit import home

VARIANTS = pytest.mark.parametrize(
    "variant", [{}, {"validation_status": 422}, {"pagination": "page1", "unknown_status": 200}], ids=str
)
AD = {"title": "Sleep", "url": "https://shop.example/?a=1&b=2", "image_url": "https://i.example/1.jpg"}


def form(request):
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def plain(row):
    return row.type == "product" and not row.by_sources and not row.dsp and row.own_status in {6, 7}


async def test_a_plan_shows_the_exact_requests():
    """What is planned is what is sent: method, address and body, without credentials; and no write is sent."""
    async with home() as it:
        row = it.campaign(lambda row: plain(row) and row.browsers)
        budget = dict.fromkeys(("daily_budget", "total_budget"))
        fields = {"status": "paused", "daily_clicks": 700, "targeting": {"browsers": ["firefox"]}} | budget
        plan = await it.account.plan([Update(str(row.id), fields)], kind="campaigns")
        assert it.writes == []
        token = it.sandbox.credentials["token"]
        assert not any(token in f"{request.url}{request.body}" for request in plan.requests)
        await it.account.update_campaigns([Update(str(row.id), fields)])
        sent = [(request.method, request.path, request.body.decode() or None) for request in it.writes]
        planned = [
            (request.method, request.url.removeprefix(it.sandbox.origin).partition("?")[0], request.body)
            for request in plan.requests
        ]
        assert sent == planned


async def test_a_plan_of_drafts_tells_what_depends_on_the_answer():
    """The second request needs the id that only the first answer tells, and says so."""
    async with home() as it:
        campaign = str(it.campaign(plain).id)
        widgets = {"widgetsFilterUid": {"filterType": "except", "widgets": {"5600001": []}}}
        drafts = [
            CampaignDraft(name="Sleep", targeting=widgets),
            AdDraft(campaign_id=campaign, bid=Decimal("0.1"), **AD),
        ]
        plan = await it.account.plan(drafts)
        assert [request.method for request in plan.requests] == ["POST", "PATCH", "PATCH", "POST", "PATCH"]
        assert all("NEW-ID" in request.url for request in plan.requests if request.method == "PATCH")
        assert plan.requests[2].note == "targeting.widgetsFilterUid, on the id that the first answer tells"
        assert it.writes == []


async def test_deletions_are_shown_too():
    """Each kind and verb can be shown; what is no change is refused."""
    async with home() as it:
        stopped = it.campaign(plain)
        stopped.blocked = True
        (campaign,) = await it.connector.express("campaigns", "delete", [str(stopped.id)])
        (ad,) = await it.connector.express("ads", "delete", ["9001"])
        bid = Update(str(it.teaser().id), {"bid": Decimal("0.1")})
        (edit,) = await it.connector.express("ads", "update", [bid])
        assert [request.method for request in (campaign, ad, edit)] == ["DELETE", "DELETE", "PATCH"]
        with pytest.raises(UnsupportedError):
            await it.connector.express("campaigns", "paint", [])


async def test_a_plan_of_deletions_shows_only_what_would_be_sent():
    """A running campaign is refused there, too, and nothing is to be sent for one in the bin."""
    async with home() as it:
        it.campaign(plain).blocked = False
        running = str(it.campaign(plain).id)
        gone = it.campaign(lambda row: str(row.id) != running)
        gone.own_status = 14
        with pytest.raises(ConflictError, match="pause it first"):
            await it.connector.express("campaigns", "delete", [running])
        assert await it.connector.express("campaigns", "delete", [str(gone.id)]) == []


async def test_a_plan_that_multiplies_a_price_has_to_be_forced():
    """Nine times the price on a source is a bid, whatever field it stands in."""
    async with home() as it:
        row = it.campaign(plain)
        plan = await it.account.plan([Update(str(row.id), {"extra": {"qualityFactor": {"5600001": 9}}})])
        with pytest.raises(UnsafePlanError, match=r"pays 9 times the price on a source \(allowed: 1.5\)"):
            await it.account.apply(plan)
        assert it.writes == []
        outcomes = await it.account.apply(plan, force=True)
        assert [one.status for one in outcomes] == ["done"]
