import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest
from adskeeper_caller import CAMPAIGNS, NOW, TEASERS, TODAY, Caller, calling

from adnet.sandbox.adskeeper import OPERATIONS, AdskeeperSandbox, MgidSandbox

K, T = 510_022, 9_000_094
"""A campaign with traffic, and its first teaser."""
STAGE = {
    "cpa": 3.99,
    "unique": True,
    "targetType": "url",
    "categoryId": 5,
    "condition": {"type": "contain", "value": "thanks"},
}
NEW_CAMPAIGN = {"name": "Neu: für alle", "enabledGeoTargetingFlag": "0"}
NEW_TEASER = {
    "url": "https://shop.example/?a=1&b=2",
    "campaignId": str(K),
    "title": "A new one",
    "imageLink": "https://images.example/600x382/a.png",
    "priceOfClick": "12,5",
    "whetherShowGoodPrice": "0",
}
OF_CAMPAIGN = f"/goodhits/campaigns/{K}"

TABLE = {
    1: ("GET", "/clients/{C}", {}),
    2: ("GET", CAMPAIGNS, {"params": {"limit": 10}}),
    3: ("GET", f"{OF_CAMPAIGN}/quality-analysis/uid", {}),
    4: (
        "GET",
        f"{OF_CAMPAIGN}/statistics",
        {"params": {"type": "byClicksDetailed", "date": TODAY}},
    ),
    5: ("GET", "/goodhits/clients/{C}/campaigns-stat", {}),
    6: ("GET", "/goodhits/clients/{C}/campaigns-video-stat", {}),
    7: ("POST", CAMPAIGNS, {"data": {**NEW_CAMPAIGN, "osTargets": "windowsos, macos"}}),
    8: ("POST", CAMPAIGNS, {"data": NEW_CAMPAIGN}),
    9: ("PUT", f"{OF_CAMPAIGN}/utmtracking/", {"params": {"utm_custom": "w={widget_id}"}}),
    10: (
        "PATCH",
        f"{CAMPAIGNS}/{K}",
        {"data": {"limitType": "budget_limits", "dailyLimit": "20.50", "overallLimit": ""}},
    ),
    11: ("PATCH", f"{CAMPAIGNS}/{K}", {"json": {"whetherToBlockByClient": 1}}),
    12: ("GET", f"{CAMPAIGNS}/{K}", {"params": {"fields": "['whenAdd']"}}),
    13: ("PATCH", f"{CAMPAIGNS}/{K}", {"data": {"qualityFactor": '{"5600001": 1.3}'}}),
    14: ("PATCH", f"{CAMPAIGNS}/{K}", {"data": {"widgetQualityFactor": '{"5600001": 2}'}}),
    15: ("GET", "/goodhits/clients/{C}/conversionsTargets", {}),
    16: ("GET", f"{OF_CAMPAIGN}/conversions", {}),
    17: ("POST", f"{OF_CAMPAIGN}/conversions", {"json": {"stages": {"buy": STAGE}}}),
    18: (
        "PATCH",
        "/goodhits/campaigns/510008/conversions",
        {"json": {"stages": {"buy": {"id": 59041, "cpa": None, "unique": False}}}},
    ),
    19: ("DELETE", f"{OF_CAMPAIGN}/conversions", {"json": {"stages": ["buy"]}}),
    20: ("DELETE", f"{CAMPAIGNS}/510029", {}),
    21: ("GET", f"{OF_CAMPAIGN}/targetings/geo", {}),
    22: ("GET", "/dictionaries/geo", {"params": {"type": "countries"}}),
    23: ("GET", "/dictionaries/geo", {"params": {"type": "cities", "countries": "['de', 'PL']"}}),
    24: (
        "PUT",
        f"{OF_CAMPAIGN}/targetings/geo",
        {"params": {"targets": "{'method':'set','countries':['ua']}", "enabledFlag": "1"}},
    ),
    25: ("PUT", f"{OF_CAMPAIGN}/targetings/browsers", "include,chrome"),
    26: ("PATCH", f"{CAMPAIGNS}/{K}", {"data": {"ipsFilter": "include,except,192.0.2.0/24"}}),
    27: ("PUT", f"{OF_CAMPAIGN}/targetings/operatingsystems", "include, macos"),
    28: ("GET", f"{OF_CAMPAIGN}/targetings/operatingsystems", {}),
    29: ("PATCH", f"{CAMPAIGNS}/{K}", {"data": {"widgetsFilterUid": "include,except,5600001"}}),
    30: ("PUT", f"{OF_CAMPAIGN}/targetings/browserslanguage", "include,3,7"),
    31: ("GET", f"{OF_CAMPAIGN}/targetings/browserslanguage", {}),
    32: ("GET", f"{OF_CAMPAIGN}/targetings/browsers", {}),
    33: ("PUT", f"{OF_CAMPAIGN}/targetings/phonePriceRange", "exclude,3"),
    34: ("GET", f"{OF_CAMPAIGN}/targetings/phonePriceRange", {}),
    35: ("GET", TEASERS, {"params": {"limit": 10, "status": '["active","new"]'}}),
    36: ("GET", f"/goodhits/clients/{{C}}/teaser-stat/{T}", {}),
    37: ("POST", TEASERS, {"data": NEW_TEASER}),
    38: ("PUT", f"{TEASERS}/{T}", {"data": {**NEW_TEASER, "category": "*"}}),
    39: ("PATCH", f"{TEASERS}/{T}", {"data": {"priceOfClick": "12.5"}}),
    40: ("PATCH", f"{TEASERS}/{T}", {"data": {"whetherToBlockByClient": "1"}}),
    41: ("DELETE", f"{TEASERS}/{T}", {}),
}


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with calling() as caller:
        yield caller


def options_of(caller: Caller, options) -> dict:
    if isinstance(options, str):
        return {"params": {"enabledFlag": "1", "targets": options}}
    if options.get("data", {}).get("category") == "*":
        category = str(caller.sandbox.account.campaigns[K].category)
        return {"data": {**options["data"], "category": category}}
    return options


@pytest.mark.parametrize("number", OPERATIONS)
async def test_serves_every_documented_operation(caller, number):
    """Each of the 41 documented operations is answered with JSON and counted as itself."""
    method, path, options = TABLE[number]
    caller.sandbox.account.campaigns[K].by_sources = False
    reply = await caller.send(method, path, **options_of(caller, options))
    assert (reply.status, reply.kind) == (200, "application/json")
    assert "errors" not in reply.json
    assert Counter([number]) == caller.sandbox.operations


async def test_tells_who_may_not_come_in(caller):
    """No token, a wrong one, one in the query, and another client's path are told apart."""
    nobody = {"Authorization": ""}
    stranger = {"Authorization": "Bearer " + 32 * "0"}
    missing = await caller.send("GET", "/clients/{C}", headers=nobody)
    wrong = await caller.send("GET", "/clients/{C}", headers=stranger)
    query = await caller.send("GET", "/clients/{C}?token=x", headers=nobody)
    other = await caller.send("GET", "/clients/1")
    assert (missing.status, missing.json) == (401, {"errors": "Authentication token is missing"})
    assert (wrong.status, wrong.json) == (401, {"errors": "The token is not valid"})
    assert (query.status, query.json) == (401, {"errors": "Only Bearer Authentication"})
    assert other.status == 403


async def test_accepts_a_token_in_the_query_only_in_that_dialect():
    """The old way of passing a token works when the knob says so."""
    async with calling(query_token=True) as caller:
        token = caller.sandbox.credentials["token"]
        path = f"/clients/{{C}}?token={token}"
        assert (await caller.send("GET", path, headers={"Authorization": ""})).status == 200


@pytest.mark.parametrize("body", ["data", "json"])
async def test_gives_a_token_for_email_and_password(caller, body):
    """Logging in by form or JSON gives a token of 32 characters and the client's id."""
    secrets = {"email": caller.sandbox.email, "password": caller.sandbox.password}
    reply = await caller.send("POST", "/auth/token", **{body: secrets})
    assert {"token", "refreshToken", "idAuth"} == set(reply.json)
    assert len(reply.json["token"]) == 32
    assert caller.sandbox.credentials["client_id"] == str(reply.json["idAuth"])
    headers = {"Authorization": f"Bearer {reply.json['token']}"}
    assert (await caller.send("GET", "/clients/{C}", headers=headers)).status == 200


async def test_refuses_a_wrong_password(caller):
    """A wrong password gives 401 and no token; broken JSON is told as such."""
    secrets = {"email": caller.sandbox.email, "password": "guess"}
    assert (await caller.send("POST", "/auth/token", data=secrets)).status == 401
    headers = {"Content-Type": "application/json"}
    reply = await caller.send("POST", "/auth/token", data=b"{", headers=headers)
    assert reply.json == {"errors": ["[ERROR_INVALID_PARAMETER]"]}


async def test_issued_tokens_end_and_revoked_ones_are_dead():
    """A token issued for a while is refused after it; revoking kills all of them."""
    moment = [NOW]
    async with calling(now=lambda: moment[0], token_lifetime_s=60) as caller:
        secrets = {"email": caller.sandbox.email, "password": caller.sandbox.password}
        token = (await caller.post("/auth/token", **secrets))["token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert (await caller.send("GET", "/clients/{C}", headers=headers)).status == 200
        moment[0] += timedelta(seconds=61)
        assert (await caller.send("GET", "/clients/{C}", headers=headers)).status == 401
        caller.sandbox.revoke_tokens()
        assert (await caller.send("GET", "/clients/{C}")).status == 401


async def test_demands_pages_of_a_large_account():
    """Over 500 campaigns need a limit, and a limit over 500 is refused with its number."""
    async with calling(campaigns=1_050) as caller:
        many = await caller.get(CAMPAIGNS)
        large = await caller.get(CAMPAIGNS, limit=501)
        assert many == {"errors": ["[ERROR_TOO_MANY_CAMPAIGNS_USE_PARAMS_LIMIT_AND_START]"]}
        assert large == {"errors": ["[ERROR_MAX_LIMIT_PER_PAGE_500]"]}
        pages = [await caller.get(CAMPAIGNS, limit=500, start=n) for n in (0, 500, 1000, 1500)]
        assert [len(page) for page in pages] == [500, 500, 50, 0]
        assert len({key for page in pages for key in page}) == 1_050
        assert pages[-1] == []


async def test_pages_by_number_in_that_dialect():
    """With pages counted from 1, start=0 is refused and start=2 is the second page."""
    async with calling(pagination="page1", page_max=50) as caller:
        zero = await caller.get(TEASERS, limit=50, start=0)
        large = await caller.get(TEASERS, limit=51)
        first, second = [await caller.get(TEASERS, limit=50, start=n) for n in (1, 2)]
        assert zero == {"errors": ["[ERROR_MIN_PAGE_NUMBER_1]"]}
        assert large == {"errors": ["[ERROR_MAX_LIMIT_PER_PAGE_50]"]}
        assert len({*first, *second}) == 100


async def test_lists_500_campaigns_quickly():
    """A full page of campaigns costs far less than a tenth of a second of work."""
    spent = []
    async with calling(campaigns=600) as caller:
        for _ in range(4):
            start = time.process_time()
            await caller.send("GET", CAMPAIGNS, params={"limit": 500})
            spent.append(time.process_time() - start)
    assert min(spent) < 0.1


async def test_shows_every_status_and_unique_names():
    """All listed status ids and an unlisted one occur; no name occurs twice; some are not ASCII."""
    sandbox = AdskeeperSandbox(now=lambda: NOW)
    rows = sandbox.truth("campaigns")
    assert {*range(1, 16), 17, 19} == {row["status"]["id"] for row in rows}
    assert len({row["name"] for row in rows}) == 1_050
    assert any(not row["name"].isascii() for row in rows)


async def test_one_campaign_comes_unwrapped_and_with_chosen_fields(caller):
    """A single campaign is the object itself; both spellings of a list of fields are read."""
    single = await caller.get(f"{CAMPAIGNS}/{K}", fields="[ 'name', 'status' ]")
    listed = await caller.get(CAMPAIGNS, limit=500, fields='["name"]')
    assert {"id", "name", "status"} == set(single)
    assert {"id": K, "name": single["name"]} == listed[str(K)]


async def test_unknown_ids_are_404_with_the_documented_code(caller):
    """An id that does not exist is a 404 whose body names the code."""
    campaign = await caller.send("GET", f"{CAMPAIGNS}/999")
    teaser = await caller.send("GET", f"{TEASERS}/999")
    targeting = await caller.send("GET", "/goodhits/campaigns/x/targetings/browsers")
    assert (
        campaign.status,
        campaign.json,
    ) == (404, {"errors": ["[ERROR_CAMPAIGN_DOES_NOT_EXIST]"]})
    assert (teaser.status, targeting.status) == (404, 404)


async def test_empty_maps_are_lists_unless_the_dialect_says_otherwise(caller):
    """An empty filter, an idle teaser and no widgets are [] by default and {} by knob."""
    quiet = caller.campaign(lambda row: not row.widgets)
    shape = await caller.get(f"{CAMPAIGNS}/{quiet.id}")
    assert shape["widgetsFilterUid"]["widgets"] == []
    async with calling(empty_map="map") as other:
        shape = await other.get(f"{CAMPAIGNS}/{quiet.id}")
        assert shape["widgetsFilterUid"]["widgets"] == {}


async def test_teaser_status_is_an_object_or_text_by_dialect(caller):
    """A teaser's status is an object with a code; the old dialect has the bare code."""
    assert (await caller.get(f"{TEASERS}/{T}"))["status"]["code"] == "goodPerformance"
    async with calling(status_object=False) as other:
        assert (await other.get(f"{TEASERS}/{T}"))["status"] == "goodPerformance"


async def test_lists_teasers_by_status_and_campaign(caller):
    """The list of teasers can be narrowed to statuses and to a campaign."""
    rows = await caller.get(TEASERS, status="['onModeration', 'rejected']")
    own = await caller.get(TEASERS, campaign=K)
    assert {"onModeration", "rejected"} == {row["status"]["code"] for row in rows.values()}
    assert {K} == {row["campaignId"] for row in own.values()}


async def test_old_teasers_are_not_listed_but_still_answer(caller):
    """The list is a current subset: an older teaser is found only by its id."""
    old = caller.teaser(lambda row: not row.listed)
    assert str(old.id) not in await caller.get(TEASERS)
    assert str(old.id) == (await caller.get(f"{TEASERS}/{old.id}"))["id"]


async def test_two_processes_agree_and_mgid_has_an_account_of_its_own():
    """The same seed gives the same rows; the same seed under the other name gives others."""
    one, two = (AdskeeperSandbox(campaigns=40, now=lambda: NOW) for _ in range(2))
    mgid = MgidSandbox(campaigns=40, now=lambda: NOW)
    assert one.truth("stats") == two.truth("stats")
    assert one.truth("teasers") == two.truth("teasers")
    assert one.credentials == two.credentials
    assert one.credentials["token"] != mgid.credentials["token"]
    assert mgid.network == "mgid"


async def test_a_sixth_request_at_once_is_too_many():
    """Of eight requests at once five are served, the others get 429."""
    async with calling(latency_s=0.05) as caller:
        replies = await asyncio.gather(*(caller.send("GET", "/clients/{C}") for _ in range(8)))
        assert Counter({200: 5, 429: 3}) == Counter(reply.status for reply in replies)
        assert caller.sandbox.max_seen_in_flight == 6


async def test_a_lost_reply_leaves_the_change_behind(caller):
    """The change is made although the answer never arrives."""
    caller.sandbox.faults.once("lost-reply")
    with pytest.raises(aiohttp.ClientError):
        await caller.send("POST", CAMPAIGNS, data=NEW_CAMPAIGN)
    names = [row["name"] for row in caller.sandbox.truth("campaigns")]
    assert names.count(NEW_CAMPAIGN["name"]) == 1


async def test_a_page_may_come_instead_of_json(caller):
    """The fault html answers 200 with a page and changes nothing."""
    caller.sandbox.faults.once("html")
    reply = await caller.send("DELETE", f"{TEASERS}/{T}")
    assert (reply.status, reply.kind) == (200, "text/html")
    assert (await caller.send("GET", f"{TEASERS}/{T}")).status == 200


def test_two_brands_share_no_id():
    """A sub id that is a campaign's leads to one campaign only."""
    made = [kind(campaigns=1_050).account for kind in (AdskeeperSandbox, MgidSandbox)]
    for things in ("campaigns", "teasers"):
        first, second = (set(getattr(account, things)) for account in made)
        assert len(first) > 1_000
        assert first.isdisjoint(second)


def test_campaigns_that_are_clicked_are_known():
    """Those have statistics with clicks."""
    sandbox = AdskeeperSandbox(campaigns=140, days=3)
    day = sandbox.first_day
    clicked = {str(row["campaignId"]) for row in sandbox.truth("clicks", day, day + timedelta(days=3))}
    assert clicked
    assert clicked <= set(sandbox.bought) <= {str(number) for number in sandbox.account.campaigns}
