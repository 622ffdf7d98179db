from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest
from adskeeper_caller import CAMPAIGNS, NOW, TEASERS, Caller, calling, path_of, plain, refusal

from adnet.sandbox._adskeeper_values import CATEGORIES

NEW = {"name": "New", "enabledGeoTargetingFlag": "0"}
GEO = {"enabledGeoTargetingFlag": "1", "geoTargets": "{'method':'set','cities':['6'],'countries':[]}"}
CLICKS = {"limitType": "clicks_limits"}
BUDGET = {"limitType": "budget_limits"}
UTM = {"utm_source": "s", "utm_medium": "m", "utm_campaign": "c"}
UID, OTHER = "5600001", "5600014"


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with calling() as caller:
        yield caller


def sourced(caller: Caller):
    return caller.campaign(lambda row: row.by_sources and not row.dsp and row.status != 14)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": ""}, "ERROR_INVALID_PARAMETER"),
        ({"name": 129 * "x"}, "CAMPAIGN_NAME_TOO_LONG"),
        (
            {"enabledGeoTargetingFlag": ""},
            "ERROR_PARAMETER_ENABLED_GEO_TARGETING_FLAG_CAN_NOT_BE_EMPTY",
        ),
        ({"enabledGeoTargetingFlag": "1"}, "ERROR_PARAMETER_GEO_TARGETS_CAN_NOT_BE_EMPTY"),
        (GEO | {"geoTargets": "{'countries': 7}"}, "ERROR_INVALID_PARAMETER"),
        (GEO | {"geoTargets": "{'method':'set','countries':['xx']}"}, "ERROR_INVALID_PARAMETER"),
        (GEO | {"geoTargets": "{'method':'set','countries':7}"}, "ERROR_INVALID_PARAMETER"),
        ({"startDate": "15.09.2026"}, "ERROR_WRONG_DATE_FORMAT"),
        ({"startDate": "2026-09-14"}, "NOT_VALID_WHEN_AUTOSTART"),
        ({"startDate": "2026-09-20", "endDate": "2026-09-19"}, "ERROR_INVALID_PARAMETER"),
        ({"campaignType": "video"}, "ERROR_NOT_VALID_CAMPAIGN_TYPE"),
        ({"campaignType": "search_feed"}, "ERROR_INVALID_PARAMETER"),
        ({"categoryId": "208"}, "ERROR_INVALID_PARAMETER"),
        ({"language": "xx"}, "ERROR_INVALID_PARAMETER"),
        ({"languageTargets": ""}, "ERROR_PARAMETER_LANGUAGE_TARGETS_EMPTY"),
        ({"languageTargets": "1,999"}, "ERROR_PARAMETER_LANGUAGE_TARGETS_VALUE_INVALID"),
        ({"advertiserName": 26 * "x"}, "ERROR_INVALID_PARAMETER"),
        ({"browserTargets": "netscape"}, "ERROR_NO_ENOUGH_PARAMETERS"),
        ({"utm_source": "s"}, "UTM_TAGGING_FIELDS_MUST_NOT_BE_EMPTY"),
        ({"utm_custom": 201 * "x"}, "UTM_CUSTOM_TOO_LONG_STR"),
        (UTM | {"utm_medium": 201 * "x"}, "UTM_MEDIUM_TOO_LONG_STR"),
        (UTM | {"utm_medium": "ü"}, "ERROR_INVALID_PARAMETER"),
        ({"utm_custom": "w={widget}"}, "WRONG_UTM_CUSTOM_FORMAT"),
        (
            {"utm_custom": "adclid={click_id}"},
            "ERROR_MGCLID_MGCLIDA_SYSTEM_PARAMETERS_CANNOT_USE_THEM",
        ),
    ],
)
async def test_refuses_a_wrong_new_campaign(caller, changes, code):
    """Each broken rule has its code, with HTTP status 200 and nothing created."""
    before = len(caller.sandbox.account.campaigns)
    reply = await caller.send("POST", CAMPAIGNS, data=NEW | changes)
    assert (reply.status, reply.json) == (200, refusal(code))
    assert len(caller.sandbox.account.campaigns) == before
    assert not caller.sandbox.operations


async def test_creates_a_campaign_and_keeps_its_name_unique(caller):
    """What was sent in query, form or JSON is all there; the same name is refused."""
    form = NEW | GEO | UTM | BUDGET | {"dailyLimit": "20.50", "language": "de", "osTargets": "macos"}
    number = (await caller.post(CAMPAIGNS + "?languageTargets=1, 4", **form))["id"]
    row = await caller.get(f"{CAMPAIGNS}/{number}")
    assert (row["name"], row["language"], row["campaignType"]) == ("New", 4, "product")
    assert row["limitsFilter"]["dailyLimit"] == Decimal("20.5")
    assert (row["trackingOptions"], row["targets"]) == (UTM, {"9": "macos"})
    assert row["languageTargeting"] == [1, 4]
    geo = (await caller.get(f"/goodhits/campaigns/{number}/targetings/geo"))["targets"]["actual"]
    assert geo["countries"]["DE"]["cities"]["6"]["normalizedName"] == "Munchen"
    again = await caller.send("POST", CAMPAIGNS, json={"name": "New", "enabledGeoTargetingFlag": 0})
    assert again.json == refusal("ADVERTISE_NAME_EXISTS")


async def test_the_status_of_a_refusal_is_a_knob():
    """A refused request can be made to come with 400, for those who look at it."""
    async with calling(validation_status=400) as caller:
        assert (await caller.send("POST", CAMPAIGNS, data={})).status == 400


async def test_broken_json_is_an_invalid_parameter(caller):
    """A body announced as JSON that is none is refused."""
    headers = {"Content-Type": "application/json"}
    reply = await caller.send("POST", CAMPAIGNS, data=b"{", headers=headers)
    assert reply.json == refusal("ERROR_INVALID_PARAMETER")


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("PATCH", f"{CAMPAIGNS}/{{K}}", {"qualityFactor": "{{'5600001': 2}}"}),
        ("POST", "/goodhits/campaigns/{K}/conversions", {"stages": "{{'buy': 1}}"}),
        (
            "PUT",
            "/goodhits/campaigns/{K}/targetings/geo",
            {"enabledFlag": "1", "targets": "{{'method': 'set'}}"},
        ),
    ],
)
async def test_doubled_braces_are_refused(caller, method, path, form):
    """What a forgotten `format` leaves is no literal: Python reads a set that cannot be."""
    path = path.replace("{K}", str(plain(caller).id))
    reply = await caller.send(method, path, data=form)
    assert reply.status == 200
    assert reply.json["errors"]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"dailyLimit": "500"}, "NOT_ENOUGH_PARAMETERS"),
        (CLICKS, "NOT_ENOUGH_PARAMETERS"),
        ({"limitType": "shows", "dailyLimit": "500"}, "ERROR_NOT_VALID_TYPE"),
        (CLICKS | {"dailyLimit": "499"}, "ERROR_MINIMAL_DAILY_CLICKS_LIMIT_IS_ 500"),
        (CLICKS | {"dailyLimit": "500.5"}, "WRONG_USE_FLOATING_LIMIT"),
        (BUDGET | {"dailyLimit": "5.001"}, "WRONG_USE_FLOATING_LIMIT"),
        (BUDGET | {"dailyLimit": "much"}, "MINIMAL_DAILY_BUDGET_LIMIT_ERROR"),
        (BUDGET | {"dailyLimit": "1e999"}, "MINIMAL_DAILY_BUDGET_LIMIT_ERROR"),
        (BUDGET | {"dailyLimit": "4.99"}, "ERROR_MINIMAL_DAILY_BUDGET_LIMIT_IS_ 5"),
        (BUDGET | {"dailyLimit": "1000000.01"}, "ERROR_GREATER_THAN_LIMIT_PER_DAY"),
        (
            BUDGET | {"dailyLimit": "10", "overallLimit": "10"},
            "ERROR_OVERALL_BUDGET_LIMIT_LESS_THAN_DAILY_LIMIT",
        ),
        (
            CLICKS | {"dailyLimit": "600", "overallLimit": "500"},
            "ERROR_OVERALL_CLICKS_LIMIT_LESS_THAN_DAILY_LIMIT",
        ),
        (
            BUDGET | {"dailyLimit": "10", "overallLimit": "20", "splitDailyLimitEvenly": "0"},
            "ERROR_SPLIT_DAILY_LIMIT_EVENLY_IS_AVAILABLE_IF_ONLY_DAILY_LIMIT_SET",
        ),
        (BUDGET | {"dailyLimit": "10", "splitDailyLimitEvenly": "yes"}, "ERROR_INVALID_PARAMETER"),
        ({"whetherToBlockByClient": "2"}, "ERROR_INVALID_PARAMETER"),
        ({"colour": "red"}, "NOT_ENOUGH_PARAMETERS"),
    ],
)
async def test_refuses_wrong_limits(caller, form, code):
    """Each broken rule of limits has its code and the campaign stays as it was."""
    campaign = plain(caller)
    assert await caller.patch(path_of(campaign), **form) == refusal(code)
    assert caller.sandbox.account.campaigns[campaign.id] == campaign


@pytest.mark.parametrize(("dialect", "on"), [("seed", "0"), ("new", "1")])
async def test_sets_limits_and_spreads_them_by_dialect(dialect, on):
    """Empty means no limit; spreading evenly is 0 in one edition and 1 in the other."""
    async with calling(split_flag=dialect) as caller:
        path = path_of(plain(caller))
        form = BUDGET | {"dailyLimit": "10,25", "overallLimit": "", "splitDailyLimitEvenly": on}
        await caller.patch(path, **form)
        limits = (await caller.get(path))["limitsFilter"]
        assert (limits["dailyLimit"], limits["overallLimit"]) == (Decimal("10.25"), None)
        assert str(limits["splitDailyLimitEvenly"]) == on
        await caller.patch(path, **BUDGET, dailyLimit="")
        assert (await caller.get(path))["status"]["id"] == 6


async def test_blocks_a_campaign_and_hides_its_teasers(caller):
    """A blocked campaign has status 4 and its teasers say so; unblocking brings both back."""
    path, teasers = f"{CAMPAIGNS}/510022", {"campaign": 510_022}
    await caller.patch(path, whetherToBlockByClient="1")
    assert (await caller.get(path))["status"]["id"] == 4
    rows = await caller.get(TEASERS, **teasers)
    assert {row["status"]["code"] for row in rows.values()} == {"campaignBlocked"}
    await caller.patch(path, whetherToBlockByClient="0")
    rows = await caller.get(TEASERS, **teasers)
    assert {row["status"]["code"] for row in rows.values()} == {"goodPerformance"}


async def test_deletes_only_stopped_campaigns(caller):
    """A running campaign and a video campaign are refused; a deleted one is in the bin for good."""
    campaign = plain(caller)
    running = await caller.send("DELETE", path_of(campaign))
    assert running.json == refusal("ERROR_CAMPAIGN_MUST_BE_STOPPED")
    video = caller.campaign(lambda row: row.type == "video" and row.status != 14)
    refused = await caller.send("DELETE", path_of(video))
    assert refused.json == refusal("WRONG_CAMPAIGN_ID")
    await caller.patch(path_of(campaign), whetherToBlockByClient="1")
    assert (await caller.send("DELETE", path_of(campaign))).json == {"id": campaign.id}
    assert (await caller.get(path_of(campaign)))["status"]["id"] == 14
    again = await caller.send("DELETE", path_of(campaign))
    assert (again.status, again.json) == (404, refusal("ERROR_CAMPAIGN_DOES_NOT_EXIST"))


async def test_marks_are_all_three_or_none(caller):
    """All three marks empty switch marking off; a missing one is refused; the slash is optional."""
    campaign = caller.campaign(lambda row: row.status != 14)
    path = f"/goodhits/campaigns/{campaign.id}/utmtracking"
    assert await caller.put(f"{path}/", **UTM) == {"id": campaign.id}
    half = await caller.put(path, **UTM | {"utm_source": ""})
    assert half == refusal("UTM_TAGGING_FIELDS_MUST_NOT_BE_EMPTY")
    source = await caller.put(path, utm_custom="{source}")
    assert source == refusal("WRONG_UTM_CUSTOM_FORMAT")
    await caller.put(path, utm_source="", utm_medium="", utm_campaign="")
    assert (await caller.get(path_of(campaign)))["trackingOptions"] == []


async def test_edits_sites_by_sentences(caller):
    """Sites and sub-sources go in and out in both spellings, blanks and all."""
    path = path_of(plain(caller))

    async def widgets(sentence, **more):
        assert "errors" not in await caller.patch(path, widgetsFilterUid=sentence, **more)
        shape = (await caller.get(path))["widgetsFilterUid"]
        return shape["filterType"], shape["widgets"]

    text = f"include, except, {UID}s12, {OTHER}(7 34)"
    assert await widgets(text) == ("except", {UID: "[12]", OTHER: "[7, 34]"})
    assert await widgets(f"include,except,{UID}s7") == ("except", {UID: "[7, 12]", OTHER: "[7, 34]"})
    same = f"exclude,except,{OTHER}s99,5600027,5600027s1"
    assert await widgets(same) == ("except", {UID: "[7, 12]", OTHER: "[7, 34]"})
    assert await widgets(f"exclude,except,{OTHER}s7,{UID}") == ("except", {OTHER: "[34]"})
    assert await widgets(f"include,only,{UID}") == ("only", {UID: "[]"})
    assert await widgets(f"include,only,{UID}s7") == ("only", {UID: "[]"})
    priority = {"block-widget-priority": ""}
    assert await widgets(f"include,only,{UID}s7", **priority) == ("only", {UID: "[7]"})
    assert await widgets("include,off,1") == ("off", [])


async def test_saves_the_good_sites_and_names_the_bad(caller):
    """Some bad sites: id, a text and the bad ones; all bad: a list and no id."""
    campaign = plain(caller)
    path, code = path_of(campaign), "[WIDGETS_WITH_THESE_IDS_DO_NOT_EXIST]"
    some = await caller.patch(path, widgetsFilterUid=f"include,only,ttts1,{UID},eeee")
    assert some == {"id": campaign.id, "errors": code, "data": ["ttts1", "eeee"]}
    assert (await caller.get(path))["widgetsFilterUid"]["widgets"] == {UID: "[]"}
    every = await caller.patch(path, widgetsFilterUid="include,only,77")
    assert every == {"errors": [code], "data": ["77"]}


@pytest.mark.parametrize(
    ("sentence", "code"),
    [
        ("include,only", "WIDGETS_IDS_CANNOT_BE_EMPTY"),
        ("include,blocklist,1", "ERROR_NOT_VALID_FILTER_TYPE"),
        ("add,only,1", "ERROR_NOT_VALID_METHOD"),
        ("", "ERROR_NOT_VALID_METHOD"),
    ],
)
async def test_refuses_a_wrong_sentence(caller, sentence, code):
    """A wrong method, a wrong type and an empty list have a code each."""
    path = path_of(plain(caller))
    assert await caller.patch(path, widgetsFilterUid=sentence) == refusal(code)


async def test_edits_sources_alone(caller):
    """Sources go by name or id, alone in the request, and a blocklist never turns into an allowlist."""
    campaign = sourced(caller)
    path = path_of(campaign)
    await caller.patch(path, sourceFilters="include,off,1")
    some = await caller.patch(path, sourceFilters="include,blocklist,source1.example,4102,nope")
    assert some == {"id": campaign.id, "errors": ["[SOURCES_DO_NOT_EXIST]"], "data": ["nope"]}
    shape = (await caller.get(path))["sourceFilters"]
    assert shape["sourcesIds"] == [4101, 4102]
    assert shape["sources"] == ["source1.example", "source2.example"]
    turned = await caller.patch(path, sourceFilters="include,allowlist,4101")
    assert turned == refusal("FILTER_TYPE_CANT_BE_CHANGED")
    wrong = await caller.patch(path, sourceFilters="include,only,4101")
    assert wrong == refusal("ERROR_NOT_VALID_FILTER_TYPE")
    mixed = await caller.patch(path, sourceFilters="include,blocklist,4103", ipsFilter="include,off")
    assert mixed == refusal("ERROR_INVALID_PARAMETER")
    nobody = await caller.patch(path, sourceFilters="exclude,blocklist,nope")
    assert nobody == refusal("SOURCES_DO_NOT_EXIST")
    empty = await caller.patch(path, sourceFilters="exclude,blocklist,")
    assert empty == refusal("SOURCES_CANNOT_BE_EMPTY")
    other = await caller.patch(path_of(plain(caller)), sourceFilters="include,blocklist,4101")
    assert other == refusal("ERROR_CAMPAIGN_IS_NOT_TRANSPARENCY_CANT_CHANGE_FILTER")


async def test_edits_addresses(caller):
    """Addresses and networks are added, taken away and switched off; words are refused."""
    path = path_of(caller.campaign(lambda row: row.ips.type == "off" and row.status == 7))
    await caller.patch(path, ipsFilter="include, except, 192.0.2.1, 198.51.100.0/24")
    await caller.patch(path, ipsFilter="exclude,except,192.0.2.1")
    shape = (await caller.get(path))["ipsFilter"]
    assert shape == {"filterType": "except", "ips": ["198.51.100.0/24"]}
    wrong = await caller.patch(path, ipsFilter="include,except,here")
    assert wrong == refusal("ERROR_INVALID_PARAMETER")
    await caller.patch(path, ipsFilter="include,off")
    assert (await caller.get(path))["ipsFilter"]["filterType"] == "off"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"qualityFactor": "much"}, "ERROR_QUALITY_FACTOR_INVALID_FORMAT"),
        ({"qualityFactor": '{"5600001": "x"}'}, "ERROR_QUALITY_FACTOR_INVALID_FORMAT"),
        ({"qualityFactor": '{"5600001": -1}'}, "ERROR_QUALITY_FACTOR_INVALID_FORMAT"),
        ({"qualityFactor": '{"site": 1}'}, "ERROR_WIDGETUID_INVALID_FORMAT"),
        ({"widgetQualityFactor": "[]"}, "ERROR_WIDGET_QUALITY_FACTOR_INVALID_FORMAT"),
        ({"widgetQualityFactor": '{"1s2": 1}'}, "ERROR_WIDGETUID_INVALID_FORMAT"),
        (
            {"sourceQualityFactor": '{"4101": "1"}'},
            "ERROR_CAMPAIGN_IS_NOT_TRANSPARENCY_CANT_CHANGE_QF",
        ),
    ],
)
async def test_refuses_wrong_factors_without_brackets(caller, form, code):
    """Refused quality factors are told by bare codes."""
    assert await caller.patch(path_of(plain(caller)), **form) == {"errors": [code]}


async def test_factors_show_in_quality_analysis(caller):
    """A factor set for a widget, all its sub-sources, or one of them is read back."""
    account = caller.sandbox.account
    places = account.book.profiles[510_022].places
    uid, source = next(place for place in places if place[1] != "0")
    account.campaigns[510_022].by_sources = account.campaigns[510_022].dsp = False
    path, report = f"{CAMPAIGNS}/510022", "/goodhits/campaigns/510022/quality-analysis"
    await caller.patch(path, widgetQualityFactor=f'{{"{uid}": 2}}')
    await caller.patch(path, qualityFactor=f'{{"{uid}s{source}": 1.3}}')
    ((_, widgets),) = (await caller.get(f"{report}/{uid}"))["510022"].items()
    assert widgets[uid]["qualityFactor"] == 2
    assert widgets[uid]["sources"][source]["qualityFactor"] == Decimal("1.3")


async def test_factors_depend_on_the_kind_of_campaign(caller):
    """A DSP campaign has none; one that optimises by sources takes them by source only."""
    dsp = caller.campaign(lambda row: row.dsp)
    path = path_of(sourced(caller))
    for name in ("qualityFactor", "widgetQualityFactor"):
        refused = await caller.patch(path_of(dsp), **{name: "{}"})
        assert refused == {"errors": ["ERROR_CAMPAIGN_IS_DSP_CANT_CHANGE_QF"]}
        sentence = (await caller.patch(path, **{name: "{}"}))["errors"][0]
        assert sentence.startswith("WIDGETS OPTIMIZATION IS NOT AVAILABLE")
    saved = await caller.patch(path, sourceQualityFactor='{"source1.example": "1.5"}')
    assert "errors" not in saved
    wrong = await caller.patch(path, sourceQualityFactor='{"nope": "1.5"}')
    assert wrong == {"errors": ["ERROR_SOURCE_INVALID_FORMAT"]}


async def test_json_values_count_like_text(caller):
    """JSON may say true, a number, a list: they mean what their text means."""
    path = path_of(plain(caller))
    await caller.send("PATCH", path, json={"whetherToBlockByClient": True})
    reply = await caller.send("GET", path, json={"fields": ["status"]})
    assert reply.json["status"]["id"] == 4


async def test_the_side_door_shows_changes_and_nothing_unknown(caller):
    """Truth tells the state after a change, in days from and until; unknown words are refused."""
    campaign = plain(caller)
    await caller.put(
        f"/goodhits/campaigns/{campaign.id}/targetings/phonePriceRange",
        enabledFlag="1",
        targets="include,9",
    )
    sandbox = caller.sandbox
    rows = {row["campaignId"]: row for row in sandbox.truth("targetings")}
    assert 9 in rows[campaign.id]["phonePriceRange"]
    assert {row["stage"] for row in sandbox.truth("conversions")} == {"buy", "decision", "interest"}
    assert sandbox.truth("clients")[0]["id"] == sandbox.credentials["client_id"]
    today = NOW.date()
    day = sandbox.truth("stats", today - timedelta(days=1), today)
    assert {row["date"] for row in day} == {"2026-09-14"}
    with pytest.raises(LookupError):
        sandbox.truth("offers")


async def test_nothing_seeded_breaks_the_rules(caller):
    """Seeded campaigns have a category of their type, and limits the network would accept."""
    for row in caller.sandbox.account.campaigns.values():
        assert row.type in CATEGORIES[row.category].campaign_types
        least = 500 if row.limits.type == "clicks_limits" else 5
        assert row.limits.daily is None or row.limits.daily >= least
        assert not (row.limits.evenly and row.limits.overall)
