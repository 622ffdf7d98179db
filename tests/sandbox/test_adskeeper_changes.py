from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest
from adskeeper_caller import NOW, Caller, calling

from adnet.sandbox._adskeeper_values import CATEGORIES

CAMPAIGNS, TEASERS = "/goodhits/clients/{C}/campaigns", "/goodhits/clients/{C}/teasers"
NEW = {"name": "New", "enabledGeoTargetingFlag": "0"}
GEO = {"enabledGeoTargetingFlag": "1", "geoTargets": "{'method':'set','cities':['6'],'countries':[]}"}
TEASER = {
    "url": "https://shop.example/",
    "title": "A new one",
    "imageLink": "https://images.example/a.png",
    "priceOfClick": "12.5",
    "whetherShowGoodPrice": "0",
}
CLICKS = {"limitType": "clicks_limits"}
BUDGET = {"limitType": "budget_limits"}
UTM = {"utm_source": "s", "utm_medium": "m", "utm_campaign": "c"}
UID, OTHER = "5600001", "5600014"


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with calling() as caller:
        yield caller


def refusal(*codes: str) -> dict:
    return {"errors": [f"[{code}]" for code in codes]}


def path_of(row) -> str:
    return f"{CAMPAIGNS}/{row.id}"


def plain(caller: Caller):
    """Return a running campaign by widgets whose filters are off."""
    return caller.campaign(
        lambda row: (
            not (row.by_sources or row.dsp)
            and (row.widgets_type, row.type, row.status) == ("off", "product", 7)
        )
    )


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


@pytest.mark.parametrize(
    ("name", "add", "drop", "left"),
    [
        ("browsers", "include, chrome, edge", None, ["chrome", "edge"]),
        ("operatingsystems", "include,macos,windowsos10", "exclude,macos", ["windowsos10"]),
        ("browserslanguage", "include,3,7", None, [3, 7]),
        ("phonePriceRange", "include,3,4,5", "exclude,4", [3, 5]),
    ],
)
async def test_targetings_are_added_to_taken_from_and_switched_off(caller, name, add, drop, left):
    """Values are included and excluded; switching off empties; wrong words have their codes."""
    number = plain(caller).id
    path = f"/goodhits/campaigns/{number}/targetings/{name}"
    assert await caller.put(path, enabledFlag="0", targets="include,1") == {"id": number}
    await caller.put(path, enabledFlag="1", targets=add)
    if drop:
        await caller.put(path, enabledFlag="1", targets=drop)
    assert await caller.get(path) == {"targets": left}
    for query, code in (
        ({"targets": add}, "ERROR_NO_ENOUGH_PARAMETERS"),
        ({"enabledFlag": "1"}, "ERROR_NO_ENOUGH_PARAMETERS"),
        ({"enabledFlag": "1", "targets": "include,zzz"}, "ERROR_NO_ENOUGH_PARAMETERS"),
        ({"enabledFlag": "1", "targets": add.replace("include", "set")}, "ERROR_INVALID_PARAMETER"),
    ):
        assert await caller.put(path, **query) == refusal(code)
    await caller.put(path, enabledFlag="0")
    assert await caller.get(path) == {"targets": []}


async def test_a_geo_change_is_requested_before_it_holds(caller):
    """A change is first only requested and holds after it was read once; countries beat cities."""
    number = caller.campaign(lambda row: not row.geo and row.status == 7).id
    path = f"/goodhits/campaigns/{number}/targetings/geo"
    wish = "{'method': 'set', 'cities': ['6'], 'countries': ['pl']}"
    assert await caller.put(path, targets=wish, enabledFlag="1") == {"id": number}
    first, second = [(await caller.get(path))["targets"] for _ in range(2)]
    assert first["actual"] == {"countries": []}
    assert first["requested"]["countries"]["PL"]["cities"] == []
    assert second["actual"] == first["requested"]
    wrong = await caller.put(path, targets="{'method':'set','cities':[1e999]}", enabledFlag="1")
    assert wrong == refusal("ERROR_NO_ENOUGH_PARAMETERS")
    await caller.put(path, enabledFlag="0")
    assert (await caller.get(path))["targets"]["requested"] == {"countries": []}


async def test_the_geo_dictionary_needs_a_kind(caller):
    """Cities need countries, and another kind is refused."""
    cities = await caller.get("/dictionaries/geo", type="cities", countries='["de", "JP"]')
    assert {city["countryCode"] for city in cities} == {"DE", "JP"}
    for query in ({"type": "cities"}, {"type": "planets"}):
        refused = await caller.get("/dictionaries/geo", **query)
        assert refused == refusal("ERROR_NO_ENOUGH_PARAMETERS")


async def test_conversions_are_read_in_other_words_than_written(caller):
    """Written as targetType, condition and cpa, read as type, conditions and price; then deleted."""
    number = caller.campaign(lambda row: not row.conversions and row.status == 7).id
    path = f"/goodhits/campaigns/{number}/conversions"
    url = {"cpa": 3.99, "unique": True, "targetType": "url", "categoryId": 5}
    url["condition"] = {"type": "contain", "value": "thanks"}
    event = {"targetType": "event", "identifier": "lead", "categoryId": 2}
    postback = {"targetType": "postback", "categoryId": 9, "cpa": None}
    stages = {"buy": url, "decision": event, "interest": postback}
    assert (await caller.send("POST", path, json={"stages": stages})).json == {"id": number}
    rows = {row["stage"]: row for row in await caller.get(path)}
    assert rows["buy"]["conditions"] == [{"type": "contain", "value": "thanks"}]
    assert (rows["buy"]["type"], rows["buy"]["price"]) == ("url", Decimal("3.99"))
    assert (rows["interest"]["price"], rows["interest"]["conditions"]) == (0, [])
    client = await caller.get("/goodhits/clients/{C}/conversions-targets")
    assert client["stages"]["buy"] == {**url, "cpa": Decimal("3.99")}
    await caller.send("DELETE", path, json={"stages": ["buy", "interest"]})
    assert [row["stage"] for row in await caller.get(path)] == ["decision"]


@pytest.mark.parametrize(
    ("stages", "code"),
    [
        ({"buy": {"unique": True}}, "TARGET_ID_EMPTY"),
        ({"buy": {"id": 77}}, "TARGET_ID_INVALID"),
        ({"buy": {"id": 59041}, "interest": {"id": 59041}}, "CONVERSION_TARGET_UNIQUE_ERROR"),
        ({"sale": {"id": 59041}}, "ERROR_INVALID_PARAMETER"),
        ({"buy": 59041}, "ERROR_INVALID_PARAMETER"),
        ({"buy": {"id": 59041, "cpa": "much"}}, "ERROR_INVALID_PARAMETER"),
    ],
)
async def test_refuses_wrong_conversion_edits(caller, stages, code):
    """Each broken rule of editing conversions has its code."""
    path = f"/goodhits/campaigns/{plain(caller).id}/conversions"
    assert (await caller.send("PATCH", path, json={"stages": stages})).json == refusal(code)


async def test_refuses_conversions_of_the_wrong_campaign(caller):
    """Zero is no campaign id, and an outside counter keeps its own conversions."""
    foreign = caller.campaign(lambda row: row.foreign_conversions)
    for number, code in (
        (0, "ERROR_NOT_VALID_CAMPAIGN_ID"),
        (foreign.id, "ERROR_CAMPAIGN_HAS_ANOTHER_CONVERSIONS_DATA_SOURCE"),
        (77, "ERROR_CAMPAIGN_DOES_NOT_EXIST"),
    ):
        body = {"stages": {"buy": {"id": 59041}}}
        reply = await caller.send("PATCH", f"/goodhits/campaigns/{number}/conversions", json=body)
        assert reply.json == refusal(code)


@pytest.mark.parametrize(
    "order",
    [
        {"targetType": "regexp", "categoryId": 5},
        {"targetType": "url", "categoryId": 10},
        {"targetType": "url", "categoryId": 5},
        {"targetType": ["url"], "categoryId": 5},
    ],
)
async def test_refuses_a_wrong_new_conversion(caller, order):
    """What can be read cannot always be created: regexp, and a category past the ninth."""
    path = f"/goodhits/campaigns/{plain(caller).id}/conversions"
    reply = await caller.send("POST", path, json={"stages": {"buy": order}})
    assert reply.json == refusal("ERROR_INVALID_PARAMETER")
    reply = await caller.send("DELETE", path, json={"stages": ["sale"]})
    assert reply.json == refusal("ERROR_INVALID_PARAMETER")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (
            {"url": "", "title": " "},
            "ERROR_PARAMETER_URL_CAN_NOT_BE_EMPTY ERROR_PARAMETER_TITLE_CAN_NOT_BE_EMPTY",
        ),
        ({"campaignId": ""}, "ERROR_PARAMETER_CAMPAIGNID_CAN_NOT_BE_EMPTY"),
        ({"campaignId": "77"}, "ERROR_CAMPAIGN_DOES_NOT_EXIST"),
        ({"imageLink": ""}, "ERROR_PARAMETER_IMAGELINK_CAN_NOT_BE_EMPTY"),
        ({"imageLink": "https://i.example/a.webp"}, "LS_IMAGE_WRONG_EXTANTION"),
        ({"priceOfClick": ""}, "ERROR_PARAMETER_PRICEOFCLICK_CAN_NOT_BE_EMPTY"),
        ({"priceOfClick": "x"}, "ERROR_PARAMETER_PRICEOFCLICK_CAN_NOT_BE_EMPTY"),
        ({"priceOfClick": "0,4"}, "The price is not valid"),
        (
            {"priceOfClick": "51"},
            "ONE_OR_MORE_REGIONS_HAVE_PRICE_HIGHER_THAN_ACCEPTABLE_PRICE",
        ),
        ({"whetherShowGoodPrice": ""}, "ERROR_PARAMETER_WHETHERSHOWGOODPRICE_CAN_NOT_BE_EMPTY"),
        ({"whetherShowGoodPrice": "1"}, "ERROR_INVALID_PARAMETER"),
        ({"title": 66 * "x"}, "ERROR_TITLE_TOO_LONG"),
        ({"advertText": 76 * "x"}, "ERROR_ADVERT_TEXT_TOO_LONG"),
        (
            {"url": "https://shop.example/?adclid=1"},
            "ERROR_MGCLID_MGCLIDA_SYSTEM_PARAMETERS_CANNOT_USE_THEM",
        ),
        ({"categoryId": "208"}, "ERROR_PARAMETER_CATEGORY_INCORRECT_FOR_THIS_CAMPAIGN_TYPE"),
    ],
)
async def test_refuses_a_wrong_new_teaser(caller, changes, code):
    """Each broken rule of teasers has its code; several missing parameters are told at once."""
    product = caller.campaign(lambda row: row.type == "product" and row.status == 7)
    form = {**TEASER, "campaignId": str(product.id), **changes}
    expected = {"errors": [code]} if code.endswith("valid") else refusal(*code.split())
    assert await caller.post(TEASERS, **form) == expected


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"title": "Hello {City}"}, "VALIDATION_MACRO_WAS_FOUND_TITLE_PUSH"),
        ({"title": 31 * "x"}, "ERROR_TITLE_TOO_LONG"),
        ({"advertText": 41 * "x"}, "ERROR_ADVERT_TEXT_TOO_LONG"),
        ({"advertText": ""}, "ERROR_INVALID_PARAMETER"),
        ({"categoryId": ""}, "ERROR_PARAMETER_CATEGORY_CAN_NOT_BE_EMPTY"),
    ],
)
async def test_push_is_stricter(caller, changes, code):
    """Push teasers are shorter, need a text and a category, and have no macros."""
    push = caller.campaign(lambda row: row.type == "push" and row.status != 14)
    form = {**TEASER, "campaignId": str(push.id), "advertText": "Now", "categoryId": "100"}
    assert await caller.post(TEASERS, **{**form, **changes}) == refusal(code)


async def test_small_images_get_two_sentences_in_one(caller):
    """Width and height are told in one element of the list; one that fits is not told."""
    form = {**TEASER, "campaignId": str(plain(caller).id)}
    both = await caller.post(TEASERS, **form | {"imageLink": "https://i.example/300x200.jpg"})
    low = await caller.post(TEASERS, **form | {"imageLink": "https://i.example/600x200.jpg"})
    assert [text.count("Minimum expected") for text in both["errors"]] == [2]
    assert low["errors"] == ["Minimum expected height for image '' should be '328' but '200' detected"]


async def test_a_teaser_lives_through_moderation(caller):
    """New ones are on moderation and cannot be edited; approved, edited, they are on it again."""
    campaign = plain(caller)
    good = {"whetherShowGoodPrice": "1", "currency": "5", "goodPrice": "9.9", "goodOldPrice": "19"}
    form = {**TEASER, "campaignId": str(campaign.id), **good}
    number = (await caller.post(TEASERS, **form))["id"]
    path = f"{TEASERS}/{number}"
    row = await caller.get(path)
    assert (row["status"]["code"], row["goodPrice"]) == ("onModeration", "9.9")
    edit = {**form, "title": "Better", "category": str(campaign.category), "advertText": "x"}
    refused = await caller.send("PUT", path, data=edit)
    assert refused.json == refusal("ERROR_EDITING_TEASER_ON_MODERATION_NOT_PERMITTED")
    caller.sandbox.approve_teaser(number)
    assert (await caller.send("PUT", path, data=edit)).json == {"id": number}
    row = await caller.get(path, fields="['title','status']")
    assert row == {"id": str(number), "title": "Better", "status": row["status"]}
    assert row["status"]["code"] == "onModeration"


async def test_sent_twice_a_teaser_exists_twice(caller):
    """Nothing protects a repeated POST of a teaser."""
    form = {**TEASER, "campaignId": str(plain(caller).id)}
    first, second = [(await caller.post(TEASERS, **form))["id"] for _ in range(2)]
    assert first != second


async def test_the_collection_of_teasers_takes_only_post(caller):
    """Changing the collection as a whole is refused."""
    for method in ("PUT", "PATCH"):
        reply = await caller.send(method, TEASERS, data=TEASER)
        assert reply.json == refusal("ERROR_PARAMETER_POST_SEND")


@pytest.mark.parametrize(
    ("form", "errors"),
    [
        ({}, ["[EDIT_PRICE_REQUIRED_PRICES]"]),
        ({"priceOfClick": ""}, ["[EDIT_PRICE_REQUIRED_PRICES]"]),
        ({"priceOfClick": "x"}, 2 * ["[VALIDATION_NOT_FLOAT]"]),
        ({"priceOfClick": "0.1"}, ["The price is not valid"]),
        ({"priceOfClick": "51"}, 2 * ["[LS_CAB_'51'_MORE_THAN_'50']"]),
        (
            {"priceOfClickByLocation": "501"},
            ["[ONE_OR_MORE_REGIONS_HAVE_PRICE_HIGHER_THAN_ACCEPTABLE_PRICE]"],
        ),
    ],
)
async def test_refuses_wrong_prices(caller, form, errors):
    """A price is refused once per region, by code or by sentence."""
    assert await caller.patch(f"{TEASERS}/{caller.teaser().id}", **form) == {"errors": errors}


async def test_prices_blocks_and_deletes_a_teaser(caller):
    """The price takes a comma; blocking answers with text ids; deleting twice gets a bare word."""
    teaser = caller.teaser(lambda row: row.own_status == "goodPerformance")
    path = f"{TEASERS}/{teaser.id}"
    assert await caller.patch(path, priceOfClick="12,5") == {"id": teaser.id}
    assert await caller.patch(path, whetherToBlockByClient="1") == {"id": str(teaser.id)}
    row = await caller.get(path)
    assert {price["priceOfClick"] for price in row["priceOfClickByLocations"]} == {"12.5"}
    assert row["status"]["code"] == "blocked"
    assert (await caller.send("DELETE", path)).json == {"id": str(teaser.id)}
    again = await caller.send("DELETE", path)
    assert (again.status, again.text) == (404, "[ERROR_RESOURCE_NOT_FOUND]")
    assert (await caller.send("GET", path)).json == refusal("TEASER_DOES_NOT_EXIST")


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
