from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from adskeeper_caller import TEASERS, Caller, calling, plain, refusal

from adnet.sandbox._adskeeper_state import Teaser

TEASER = {
    "url": "https://shop.example/",
    "title": "A new one",
    "imageLink": "https://images.example/a.png",
    "priceOfClick": "12.5",
    "whetherShowGoodPrice": "0",
}


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with calling() as caller:
        yield caller


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
        ({"imageLink": "http://["}, "LS_IMAGE_WRONG_EXTANTION"),
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


def edit_of(teaser: Teaser, **changes: str) -> dict[str, str]:
    """Return the form that edits a teaser into another."""
    numbers = {"campaignId": str(teaser.campaign), "category": str(teaser.category)}
    return {**TEASER, "title": "Another", **numbers, **changes}


async def test_a_refused_edit_of_a_teaser_changes_nothing(caller):
    """A price that is to be shown and not given refuses the whole edit, not half of it."""
    teaser = caller.teaser(lambda row: row.own_status == "goodPerformance")
    path = f"{TEASERS}/{teaser.id}"
    before = await caller.get(path)
    refused = await caller.send("PUT", path, data=edit_of(teaser, whetherShowGoodPrice="1"))
    assert refused.json == refusal("ERROR_INVALID_PARAMETER")
    assert await caller.get(path) == before


async def test_a_teaser_that_moves_keeps_its_figures(caller):
    """So that the teasers still add up to what the campaigns were charged."""
    account = caller.sandbox.account
    clicked = {row["teaserId"] for row in caller.sandbox.truth("teaser_stats") if row["clicks"]}
    teaser = caller.teaser(lambda row: row.id in clicked and row.own_status == "goodPerformance")
    old = account.campaigns[teaser.campaign]
    other = caller.campaign(lambda row: (row.type, row.status) == (old.type, 7) and row.id != old.id)
    path, stat = f"{TEASERS}/{teaser.id}", f"/goodhits/clients/{{C}}/teaser-stat/{teaser.id}"
    before, days = await caller.get(path), (await caller.get(stat))["teaser-stat"]
    edit = edit_of(teaser, campaignId=str(other.id))
    assert (await caller.send("PUT", path, data=edit)).json == {"id": teaser.id}
    after = await caller.get(path)
    assert (before["campaignId"], after["campaignId"]) == (old.id, other.id)
    assert after["statistics"] == before["statistics"]
    assert (await caller.get(stat))["teaser-stat"] == days


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
