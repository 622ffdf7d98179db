import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal

import aiohttp
import pytest
from adskeeper_caller import NOW, TODAY, Caller, calling

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
CAMPAIGNS, TEASERS = "/goodhits/clients/{C}/campaigns", "/goodhits/clients/{C}/teasers"
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
    """A wrong password gives 401 and no token."""
    secrets = {"email": caller.sandbox.email, "password": "guess"}
    assert (await caller.send("POST", "/auth/token", data=secrets)).status == 401


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


async def test_levels_add_up_to_the_last_digit():
    """A campaign's day equals its teasers', its widgets', its sources' and its clicks' sums."""
    sandbox = AdskeeperSandbox(campaigns=60, now=lambda: NOW)
    week = date(2026, 9, 1), date(2026, 9, 8)

    def sums(rows, money="spent", clicks=lambda row: row["clicks"]):
        total = {}
        for row in rows:
            key = row["date"], row["campaignId"]
            spent, count = total.get(key, (Decimal(0), 0))
            total[key] = spent + Decimal(row[money]), count + clicks(row)
        return {key: value for key, value in total.items() if value[1]}

    widgets = sandbox.truth("widget_stats", *week)
    expected = sums(sandbox.truth("stats", *week))
    assert expected == sums(sandbox.truth("teaser_stats", *week))
    assert expected == sums(row for row in widgets if row["sourceId"] is None)
    assert expected == sums(row for row in widgets if row["sourceId"] is not None)
    assert expected == sums(sandbox.truth("clicks", *week), "price", lambda _: 1)


async def test_one_day_of_campaigns_stat_is_the_truth_of_that_day(caller):
    """Asked for one day, campaigns-stat gives that day's rows in the observed words."""
    since = date(2026, 9, 7)
    body = await caller.get(
        "/goodhits/clients/{C}/campaigns-stat",
        dateInterval="interval",
        startDate=str(since),
        endDate=str(since),
    )
    rows = body["campaigns-stat"]
    truth = caller.sandbox.truth("stats", since, since + timedelta(days=1))
    assert {str(row["campaignId"]): Decimal(row["spent"]) for row in truth} == {
        key: row["spent"] for key, row in rows.items()
    }
    assert sum(row["buy"] for row in truth) == sum(row.get("buying", 0) for row in rows.values())


async def test_the_other_dialect_of_campaigns_stat_is_bare():
    """By knob, campaigns-stat is a bare map in the document's words."""
    async with calling(stat_wrapped=False, stat_keys="buy") as caller:
        body = await caller.get("/goodhits/clients/{C}/campaigns-stat", dateInterval="lastSeven")
        assert body[str(K)]["campaign_id"] == K
        assert not any("buying" in row for row in body.values())


async def test_a_time_before_the_account_is_no_data(caller):
    """Before the first day there is nothing, which is told as an error; so is a bad interval."""
    before = str(caller.sandbox.first_day - timedelta(days=1))
    path = "/goodhits/clients/{C}/campaigns-stat"
    none = await caller.get(path, dateInterval="interval", startDate=before, endDate=before)
    bad = await caller.get(path, dateInterval="lastYear")
    assert none == {"errors": ["[THERE_NO_DATA_IN_CHOSEN_PERIOD]"]}
    assert bad == {"errors": ["[INVALID_VALUE_FOR_INTERVAL]"]}


async def test_teaser_days_keep_the_identities_of_the_document(caller):
    """A teaser's cpc is in cents, its ctr in percent, a conversion's cost in currency."""
    body = await caller.get(f"/goodhits/clients/{{C}}/teaser-stat/{T}", dateInterval="last30Days")
    assert (body["timezone"], body["currency"]) == ("America/Los_Angeles", "usd")
    rows = [row for row in body["teaser-stat"].values() if row["clicks"]]
    assert rows
    for row in rows:
        assert round(row["spent"] / row["clicks"] * 100, 5) == round(row["cpc"], 5)
        assert round(Decimal(row["clicks"] * 100) / row["shows"], 5) == round(row["ctr"], 5)


async def test_idle_teasers_differ_from_those_without_any_traffic(caller):
    """A teaser at rest has an empty map, one that never ran is refused for want of data."""
    idle = caller.teaser(lambda row: row.campaign not in caller.sandbox.account.book.profiles)
    path = "/goodhits/clients/{C}/teaser-stat/"
    period = {"dateInterval": "interval", "startDate": "2026-01-01", "endDate": "2026-01-02"}
    assert (await caller.get(f"{path}{T}", **period))["teaser-stat"] == []
    never = await caller.get(f"{path}{idle.id}")
    assert never == {"errors": ["[THERE_NO_DATA_IN_CHOSEN_PERIOD]"]}


async def test_a_widget_is_the_total_of_its_sources(caller):
    """A parent row sums its sources, own traffic being source 0; what did not happen is absent."""
    body = await caller.get(f"{OF_CAMPAIGN}/quality-analysis", dateInterval="all")
    ((period, widgets),) = body[str(K)].items()
    split = [row for row in widgets.values() if row["sources"]]
    assert f"{caller.sandbox.first_day}_{TODAY}" == period
    assert split
    for row in split:
        assert row["clicks"] == sum(part["clicks"] for part in row["sources"].values())
        assert row["spent"] == sum(part.get("spent", 0) for part in row["sources"].values())
    assert all("spent" in row or not row["clicks"] for row in widgets.values())


async def test_quality_analysis_can_be_filtered_and_refuses_nonsense(caller):
    """Filters split the clicks without loss; unknown values and widgets are refused."""
    path = f"{OF_CAMPAIGN}/quality-analysis"
    whole = await caller.get(path)
    countries = caller.sandbox.account.book.profiles[K].countries
    parts = [await caller.get(path, country=code.lower()) for code in countries]

    def clicks(body):
        ((_, widgets),) = body[str(K)].items()
        return sum(row["clicks"] for row in widgets.values())

    assert clicks(whole) == sum(clicks(part) for part in parts)
    devices = caller.sandbox.account.book.profiles[K].devices
    parts = [await caller.get(path, browser=browser, os=system) for browser, system in devices]
    assert clicks(whole) == sum(clicks(part) for part in parts)
    nothing = await caller.get(path, browser="topbuzzapp")
    assert list(nothing[str(K)].values()) == [[]]
    wrong = await caller.get(path, os="beos")
    unknown = await caller.get(f"{path}/77")
    assert wrong == {"errors": ["[ERROR_INVALID_OS_TARGETING]"]}
    assert unknown == {"id": K, "errors": "[WIDGETS_WITH_THESE_IDS_DO_NOT_EXIST]", "data": ["77"]}


async def test_shown_but_never_clicked_campaigns_have_rows_without_spend(caller):
    """A campaign that nobody clicks is in campaigns-stat; its widgets lack the key spent."""
    profiles = caller.sandbox.account.book.profiles.values()
    number = next(profile.campaign for profile in profiles if not profile.clicked)
    stat = await caller.get("/goodhits/clients/{C}/campaigns-stat")
    row = stat["campaigns-stat"][str(number)]
    assert (row["clicks"], row["spent"], row["imps"] > 0) == (0, 0, True)
    body = await caller.get(f"/goodhits/campaigns/{number}/quality-analysis")
    ((_, widgets),) = body[str(number)].items()
    assert not any("spent" in row for row in widgets.values())


async def test_conversions_are_the_same_on_all_levels(caller):
    """A campaign's conversions are its widgets' and its teasers'; without any the keys lack."""
    profiles = caller.sandbox.account.book.profiles
    number, profile = next((k, p) for k, p in profiles.items() if p.clicked and len(p.values) == 3)
    week = {"dateInterval": "lastSeven"}
    stat = await caller.get("/goodhits/clients/{C}/campaigns-stat", **week)
    row = stat["campaigns-stat"][str(number)]
    body = await caller.get(f"/goodhits/campaigns/{number}/quality-analysis", **week)
    ((_, widgets),) = body[str(number)].items()
    paths = [f"/goodhits/clients/{{C}}/teaser-stat/{teaser}" for teaser in profile.teasers]
    teasers = [(await caller.get(path, **week))["teaser-stat"] for path in paths]
    assert row["buying"] == sum(widget.get("buy", 0) for widget in widgets.values()) > 0
    assert row["buying"] == sum(day["buy"] for days in teasers for day in days.values())
    assert row["profit"] == row["revenue"] - row["spent"]
    assert "buying" not in stat["campaigns-stat"][str(K)]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("all", "2026-06-18", "2026-09-15"),
        ("thisWeek", "2026-09-14", "2026-09-15"),
        ("lastWeek", "2026-09-07", "2026-09-13"),
        ("thisMonth", "2026-09-01", "2026-09-15"),
        ("lastMonth", "2026-08-01", "2026-08-31"),
        ("lastSeven", "2026-09-09", "2026-09-15"),
        ("today", "2026-09-15", "2026-09-15"),
        ("yesterday", "2026-09-14", "2026-09-14"),
        ("last30Days", "2026-08-17", "2026-09-15"),
        ("", "2026-08-17", "2026-09-15"),
    ],
)
async def test_named_periods_follow_the_calendar(caller, name, first, last):
    """Weeks start on Monday; all means 90 days for a teaser, no name means 30."""
    body = await caller.get(f"/goodhits/clients/{{C}}/teaser-stat/{T}", dateInterval=name)
    assert body["dateInterval"] == f"{first} - {last}"
    assert all(first <= day <= last for day in body["teaser-stat"] or ())


@pytest.mark.parametrize(
    "period", [{}, {"startDate": "1.9.2026"}, {"startDate": "2026-09-02", "endDate": "2026-09-01"}]
)
async def test_an_interval_needs_two_days_in_order(caller, period):
    """Missing, misspelt or swapped ends of an interval are refused."""
    path = f"/goodhits/clients/{{C}}/teaser-stat/{T}"
    body = await caller.get(path, dateInterval="interval", **period)
    assert body == {"errors": ["[INVALID_VALUE_FOR_INTERVAL]"]}


async def test_a_teaser_can_be_asked_for_one_widget(caller):
    """The uid narrows a teaser's days; over all widgets the clicks are the same."""
    path = f"/goodhits/clients/{{C}}/teaser-stat/{T}"
    uids = {uid for uid, _ in caller.sandbox.account.book.profiles[K].places}
    bodies = [await caller.get(path, uid=uid) for uid in uids]
    parts = [day["clicks"] for body in bodies for day in dict(body["teaser-stat"]).values()]
    whole = (await caller.get(path))["teaser-stat"].values()
    assert sum(parts) == sum(day["clicks"] for day in whole) > 0


async def test_clicks_add_up_and_have_no_id(caller):
    """The prices of accepted clicks add up to the funds; two clicks may agree in every field."""
    path = f"{OF_CAMPAIGN}/statistics"
    bodies = [
        await caller.get(path, type="byClicksDetailed", date=f"2026-09-{day:02d}") for day in range(1, 12)
    ]
    for body in bodies:
        summary, clicks = body["statistics"]["summary"], body["statistics"]["acceptedClicks"]
        assert summary["fundsEarned"] == sum(Decimal(click["price"]) for click in clicks)
        assert summary["numberOfAcceptedClicks"] == len(clicks)
    rows = [tuple(c.items()) for body in bodies for c in body["statistics"]["acceptedClicks"]]
    assert len(set(rows)) < len(rows)
    for query, code in (("byHour", TODAY), "TYPE"), (("byClicksDetailed", "today"), "DATE"):
        bad = await caller.get(path, type=query[0], date=query[1])
        assert bad == {"errors": [f"[ERROR_NOT_VALID_{code}]"]}
    future = await caller.get(path, type="byClicksDetailed", date="2026-09-16")
    assert future["statistics"]["acceptedClicks"] == []


async def test_days_are_the_accounts_own():
    """At six in the evening UTC it is already tomorrow in Auckland."""
    async with calling(timezone="Pacific/Auckland", currency="NZD") as caller:
        body = await caller.get(f"/goodhits/clients/{{C}}/teaser-stat/{T}", dateInterval="yesterday")
        assert body["dateInterval"] == "2026-09-15 - 2026-09-15"
        assert (body["timezone"], body["currency"]) == ("Pacific/Auckland", "nzd")


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
