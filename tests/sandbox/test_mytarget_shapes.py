"""Fields of campaigns and banners of the myTarget imitation: what they take, and what they refuse."""

import pytest
from mytarget_caller import DRAFT, banner_draft, calling, ids

FULL = {
    "age_restrictions": "18+",
    "uniq_shows_limit": 3,
    "uniq_shows_period": "week",
    "mixing": "recommended",
    "budget_limit_day": 100,
    "date_start": "2026-09-16 00:00:00",
    "date_end": "2026-10-16",
    "enable_utm": "False",
    "audit_pixels": [],
    "utm": None,
    "targetings": {
        "age": {"age_list": [0, 18, 75]},
        "geo": {"regions": [188, -70]},
        "fulltime": {"mon": list(range(24)), "flags": ["cross_timezone"]},
        "sex": ["female"],
    },
}


async def test_every_writable_kind_of_field_is_kept():
    """Numbers become money text, "False" a boolean, a datetime its day."""
    async with calling() as call:
        number = (await call.post("campaigns.json", {**DRAFT, **FULL})).json["id"]
        row = call.first("campaigns", id=number)
        expected = {**FULL, "budget_limit_day": "100", "date_start": "2026-09-16"}
        expected["enable_utm"] = False
        assert {name: row[name] for name in expected} == expected
        codes = {issue["code"] for issue in row["issues"]}
        assert codes == {"STOPPED", "OUT_OF_DATE_START", "NO_BANNERS_WITH_ACTIVE_STATUS"}


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": 5}, "name", "bad_value"),
        ({"name": None}, "name", "required"),
        ({"name": "x" * 256}, "name", "bad_length"),
        ({"package_id": "811"}, "package_id", "bad_value"),
        ({"price": True}, "price", "bad_value"),
        ({"price": "NaN"}, "price", "bad_value"),
        ({"enable_utm": 1}, "enable_utm", "bad_value"),
        ({"date_end": "soon"}, "date_end", "bad_value"),
        ({"age_restrictions": "18"}, "age_restrictions", "bad_value"),
        ({"targetings": []}, "targetings", "bad_value"),
        ({"banners": {}}, "banners", "bad_items"),
        ({"targetings": {"age": {"age_list": [11]}}}, "targetings", "bad_items"),
        ({"targetings": {"age": {"age_list": [[12]]}}}, "targetings", "bad_items"),
        ({"targetings": {"fulltime": {"mon": 24}}}, "targetings", "min_translation_hours"),
        ({"targetings": {"segments": {"or": 1}}}, "targetings", "bad_items"),
    ],
)
async def test_a_field_of_a_wrong_type_is_refused(change, field, code):
    """No shape of JSON makes the server fall over."""
    async with calling() as call:
        reply = await call.post("campaigns.json", {**DRAFT, **change})
        assert (reply.status, reply.fields[field]["code"]) == (400, code)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"urls": {"primary": 5}}, "urls", "required"),
        ({"urls": {"primary": {"id": 330001, "url": "x"}}}, "urls", "read_only_field"),
        ({"textblocks": {"title_25": "x"}}, "textblocks", "required"),
        ({"content": {"image_600x600": 5}}, "content", "object_required"),
    ],
)
async def test_a_banner_of_a_wrong_shape_is_refused(change, field, code):
    """References are objects with an id."""
    async with calling() as call:
        number = call.first("campaigns", status="active")["id"]
        draft = {**await banner_draft(call), **change}
        reply = await call.post(f"campaigns/{number}/banners.json", draft)
        assert (reply.status, reply.fields[field]["code"]) == (400, code)


async def test_nested_children_of_a_wrong_shape_are_told_by_position():
    """A child that is no object, and one with an unknown field."""
    async with calling() as call:
        body = {**DRAFT, "banners": [5, {"colour": "red"}]}
        first, second = (await call.post("campaigns.json", body)).fields["banners"]["items"]
        assert first["fields"][""]["code"] == "bad_items"
        assert second["code"] == "unknown_resource_field"


@pytest.mark.parametrize("body", [{"id": 1}, [5], "x"])
async def test_a_mass_action_takes_a_list_of_objects(body):
    """Anything else is a bad value; so is an object where a list is due."""
    async with calling() as call:
        reply = await call.post("campaigns/mass_action.json", body)
        assert (reply.status, reply.code) == (400, "bad_value")
        reply = await call.post("banners/remoderate.json", {"banners": body})
        assert (reply.status, reply.code) == (400, "bad_value")
        assert (await call.send("POST", "campaigns.json", json=[1])).code == "bad_value"


async def test_a_wrong_value_in_a_mass_action_is_told_by_field():
    """The entry of the object carries the fields, as a single update would."""
    async with calling() as call:
        number = call.first("campaigns", status="active", package_id=811)["id"]
        items = [{"id": number, "max_price": "121"}]
        reply = await call.post("campaigns/mass_action.json", items)
        (entry,) = reply.json["error"]["campaigns"]
        assert entry["fields"]["max_price"]["arguments"] == {"max_value": "120"}


async def test_a_deleted_campaign_takes_no_banner():
    """What is deleted grows no more."""
    async with calling() as call:
        number = call.first("campaigns", status="deleted")["id"]
        draft = await banner_draft(call)
        assert (await call.post(f"campaigns/{number}/banners.json", draft)).code == "campaign_deleted"


async def test_budgets_go_in_steps():
    """The step stands in currencies.json; it can be set."""
    async with calling(budget_limit_step="10") as call:
        for name in ("budget_limit", "budget_limit_day"):
            reply = await call.post("campaigns.json", {**DRAFT, name: "105"})
            assert reply.fields[name]["code"] == "step"
        assert (await call.post("campaigns.json", {**DRAFT, "budget_limit": "110"})).status == 200


async def test_banners_are_found_by_their_words():
    """`_textblock` and `_url` look for a piece of text, with its case."""
    async with calling() as call:
        number = call.first("campaigns", status="active")["id"]
        made = await call.post(f"campaigns/{number}/banners.json", await banner_draft(call))
        assert ids(await call.get("banners.json", _textblock="Warm bo")) == [made.json["id"]]
        assert ids(await call.get("banners.json", _textblock="warm bo")) == []
        assert (await call.get("banners.json", _url="shop70001")).json["count"] == 181


async def test_parts_of_a_field_can_be_chosen():
    """`a__b` reads b of the object a."""
    async with calling() as call:
        row = call.first("campaigns")
        path = f"campaigns/{row['id']}.json"
        shown = (await call.get(path, fields="targetings__sex,targetings__geo,price")).json
        targetings = {name: row["targetings"][name] for name in ("sex", "geo")}
        assert shown == {"targetings": targetings, "price": row["price"]}
        shown = (await call.get(path, fields="priced_goal,priced_goal__id")).json
        assert shown == {"priced_goal": {"id": None}}


@pytest.mark.parametrize(
    ("path", "field"),
    [("campaigns.json", "id__in"), ("packages.json", "objective__name")],
)
async def test_a_part_of_what_has_none_is_refused(path, field):
    """Texts, numbers and lists of them are read whole."""
    async with calling() as call:
        reply = await call.get(path, fields=field)
        assert (reply.status, reply.fields["fields"]["code"]) == (400, "unknown_resource_fields")


async def test_segments_of_a_campaign_are_a_list():
    """A bare number is refused, lest every account's segments stumble over it."""
    async with calling() as call:
        campaign, segment = call.first("campaigns")["id"], call.first("segments")["id"]
        reply = await call.post(f"campaigns/{campaign}.json", {"targetings": {"segments": segment}})
        assert (reply.status, reply.fields["targetings"]["code"]) == (400, "bad_items")
        path = "remarketing/segments"
        assert (await call.as_user(70002).get(f"{path}.json", fields="campaign_ids")).status == 200
        assert (await call.delete(f"{path}/{segment}.json")).status == 204


async def test_the_objective_is_the_packages_unless_named():
    """A reach package makes a reach campaign."""
    async with calling() as call:
        body = {"name": "R", "package_id": 812, "price": "100", "date_end": "2026-09-14"}
        row = call.first("campaigns", id=(await call.post("campaigns.json", body)).json["id"])
        assert row["objective"] == "reach"
        assert "OUT_OF_DATE_END" in {issue["code"] for issue in row["issues"]}


async def test_a_price_of_an_unknown_package_is_not_judged():
    """Only the package is told to be wrong."""
    async with calling() as call:
        body = {**DRAFT, "package_id": 5, "objective": "reach", "budget_limit": None}
        assert set((await call.post("campaigns.json", body)).fields) == {"package_id"}


async def test_children_are_created_with_their_parent_only():
    """An update takes no banners; a banner takes an image that is there."""
    async with calling() as call:
        row = call.first("campaigns", status="active")
        path = f"campaigns/{row['id']}"
        reply = await call.post(f"{path}.json", {"banners": []})
        assert reply.fields["banners"]["code"] == "read_only_field"
        image = (await call.upload("content/static.json", b"x", "a.png")).json["id"]
        slide = {"primary": {"id": 330001}, "url_slide_1": {"id": 330001}}
        media = {"image_600x600": {"id": image}, "icon_256x256": {"id": image}}
        draft = {**await banner_draft(call), "urls": slide, "content": media}
        assert (await call.post(f"{path}/banners.json", draft)).status == 200
