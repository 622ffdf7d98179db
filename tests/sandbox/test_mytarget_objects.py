"""Campaigns, banners, ad plans, packages, URLs and content of the myTarget imitation."""

import pytest
from mytarget_caller import DRAFT, banner_draft, calling, ids

# Lists.


async def test_a_list_has_twenty_rows_and_few_fields():
    """Limit 20, the documented default fields, and the count of all rows."""
    async with calling() as call:
        page = (await call.get("campaigns.json")).json
        assert (page["count"], page["offset"], page["limit"], len(page["items"])) == (60, 0, 20, 20)
        assert {"id", "name", "package_id"} == set(page["items"][0])


async def test_limit_and_offset_turn_pages():
    """Pages are disjoint and together complete."""
    async with calling() as call:
        pages = [await call.get("campaigns.json", limit=25, offset=at) for at in (0, 25, 50)]
        found = [number for page in pages for number in ids(page)]
        assert [row["id"] for row in call.sandbox.truth("campaigns")] == found


@pytest.mark.parametrize(("policy", "status"), [("clamp", 200), ("error", 400)])
async def test_a_limit_above_the_maximum_is_clamped_or_refused(policy, status):
    """Which of both the real server does is not known, hence a switch."""
    async with calling(over_limit=policy) as call:
        reply = await call.get("campaigns.json", limit=250)
        assert status == reply.status
        if status == 200:
            assert (reply.json["limit"], len(reply.json["items"])) == (50, 50)
        else:
            assert reply.fields["limit"]["code"] == "max_value"


@pytest.mark.parametrize(
    ("query", "keep"),
    [
        ({"_status": "deleted"}, lambda row: row["status"] == "deleted"),
        ({"_status__ne": "deleted"}, lambda row: row["status"] != "deleted"),
        ({"_status__in": "active,blocked"}, lambda row: row["status"] != "deleted"),
        ({"_id__in": "8800002,8800001,1"}, lambda row: row["id"] <= 8800002),
        (
            {"_last_updated__gte": "2019-06-01 00:00:00", "_last_updated__lt": "2020-01-01"},
            lambda row: "2019-06-01" <= row["last_updated"] < "2020-01-01",
        ),
    ],
)
async def test_filters_keep_what_they_say(query, keep):
    """Equality, __in, __ne and ranges."""
    async with calling() as call:
        expected = [row["id"] for row in call.sandbox.truth("campaigns") if keep(row)]
        reply = await call.get("campaigns.json", limit=50, **query)
        assert (len(expected), expected[:50]) == (reply.json["count"], ids(reply))


async def test_banners_filter_by_their_campaign():
    """By its id, and by its status."""
    async with calling() as call:
        campaign = call.first("campaigns", status="blocked")
        reply = await call.get("banners.json", _campaign_id=campaign["id"], limit=50)
        assert {campaign["id"]} == {item["campaign_id"] for item in reply.json["items"]}
        reply = await call.get("banners.json", _campaign_status="deleted", limit=1)
        rows = {row["id"]: row["status"] for row in call.sandbox.truth("campaigns")}
        assert rows[reply.json["items"][0]["campaign_id"]] == "deleted"


async def test_sorting_takes_several_fields_and_directions():
    """`-status,name` sorts by status downwards, then by name."""
    async with calling() as call:
        query = {"sorting": "-status,name", "fields": "id,status,name", "limit": 50}
        items = (await call.get("campaigns.json", **query)).json["items"]
        rows = sorted(call.sandbox.truth("campaigns"), key=lambda row: row["name"])
        rows.sort(key=lambda row: row["status"], reverse=True)
        assert [row["name"] for row in rows[:50]] == [item["name"] for item in items]


@pytest.mark.parametrize("query", [{"_price": "1"}, {"sorting": "price"}, {"limit": "x"}, {"offset": "-1"}])
async def test_nonsense_in_a_list_query_is_refused(query):
    """Unknown filters and sortings, and numbers that are none."""
    async with calling() as call:
        reply = await call.get("campaigns.json", **query)
        assert (reply.status, reply.code) == (400, "validation_failed")


async def test_an_unknown_field_is_refused_with_the_allowed_ones():
    """The nested children cannot be read."""
    async with calling() as call:
        leaf = (await call.get("campaigns.json", fields="id,banners")).fields["fields"]
        assert leaf["code"] == "unknown_resource_fields"
        assert "budget_limit_day" in leaf["allowed_values"]


async def test_a_banner_reads_its_references_in_full():
    """URLs and content come back with what stands behind their ids."""
    async with calling() as call:
        number = call.first("banners")["id"]
        row = (await call.get(f"banners/{number}.json", fields="urls,content,delivery")).json
        assert row["urls"]["primary"]["url_types"] == ["external"]
        assert row["content"]["image_600x600"]["type"] == "static"


async def test_another_users_object_is_not_found():
    """What belongs to another account does not exist."""
    async with calling() as call:
        other = call.as_user(80001)
        number = call.first("campaigns")["id"]
        assert (await other.get(f"campaigns/{number}.json")).status == 404
        assert (await other.post(f"campaigns/{number}.json", {"name": "x"})).status == 404


# Creating.


async def test_a_campaign_is_created_with_its_banners():
    """The answer has ids in the order sent; money is kept as text."""
    async with calling() as call:
        banner = await banner_draft(call)
        body = {**DRAFT, "banners": [banner, {**banner, "name": "B2"}]}
        made = (await call.post("campaigns.json", body)).json
        row = call.first("campaigns", id=made["id"])
        assert (row["name"], row["price"], row["status"]) == ("Boots", "5.4", "blocked")
        names = [call.first("banners", id=item["id"])["name"] for item in made["banners"]]
        assert names == ["B1", "B2"]


async def test_a_new_campaign_is_active_unless_told_otherwise():
    """The network's own default starts to spend money."""
    async with calling() as call:
        made = (await call.post("campaigns.json", {"name": "a", "package_id": 811})).json
        assert call.first("campaigns", id=made["id"])["status"] == "active"


async def test_every_wrong_field_is_told_at_once():
    """Leaves by field name, nested ones under `items` by position."""
    async with calling() as call:
        good = await banner_draft(call)
        bad = {**good, "urls": {"primary": {"id": 1}}}
        body = {"package_id": 811, "price": "121", "banners": [good, bad], "name": "x"}
        fields = (await call.post("campaigns.json", body)).fields
        assert (
            fields["price"]["code"],
            fields["price"]["arguments"],
        ) == ("max_value", {"max_value": "120"})
        assert fields["banners"]["items"][0] == {}
        assert fields["banners"]["items"][1]["fields"]["urls"]["code"] == "url_not_valid"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": ""}, "name", "required"),
        ({"package_id": 999}, "package_id", "invalid_package"),
        ({"status": "paused"}, "status", "bad_value"),
        ({"price": "-1"}, "price", "min_value"),
        ({"price": "much"}, "price", "bad_value"),
        ({"objective": "reach"}, "objective", "not_allowed_for_package"),
        ({"created": "2026-01-01"}, "created", "read_only_field"),
        ({"mixing": "recommended"}, "mixing", "recommended_not_available"),
        ({"budget_limit": "10.001"}, "budget_limit", "step"),
        ({"date_start": "2026-02-01", "date_end": "2026-01-01"}, "date_end", "bad_value"),
        ({"targetings": {"sex": ["all"]}}, "targetings", "bad_items"),
        ({"targetings": {"geo": {}}}, "targetings", "unallowed_value"),
        ({"targetings": {"segments": [1]}}, "targetings", "bad_items"),
        ({"targetings": {"fulltime": {"mon": [1]}}}, "targetings", "min_translation_hours"),
        ({"targetings": {"shoes": []}}, "targetings", "unallowed_field"),
    ],
)
async def test_a_wrong_field_has_its_documented_code(change, field, code):
    """One example of every rule of campaigns."""
    async with calling() as call:
        reply = await call.post("campaigns.json", {**DRAFT, **change})
        assert (400, code) == (reply.status, reply.fields[field]["code"])


async def test_missing_fields_are_named():
    """A campaign needs a name and a package."""
    async with calling() as call:
        fields = (await call.post("campaigns.json", {})).fields
        assert {name: leaf["code"] for name, leaf in fields.items()} == {
            "name": "required",
            "package_id": "required",
        }


async def test_unknown_fields_of_a_body_are_named():
    """They do not pass in silence."""
    async with calling() as call:
        reply = await call.post("campaigns.json", {**DRAFT, "colour": "red"})
        assert (
            reply.code,
            reply.json["error"]["message"],
        ) == ("unknown_resource_field", "Unknown fields: colour")
        broken = await call.send("POST", "campaigns.json", data=b"{")
        assert broken.code == "invalid_json"


async def test_a_banner_is_added_to_a_campaign():
    """The list of banners takes no POST; its campaign does."""
    async with calling() as call:
        number = call.first("campaigns", status="active")["id"]
        draft = await banner_draft(call)
        made = (await call.post(f"campaigns/{number}/banners.json", draft)).json
        assert number == call.first("banners", id=made["id"])["campaign_id"]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"urls": {}}, "urls", "required_value"),
        ({"urls": {"primary": {"url": "https://x.test"}}}, "urls", "required"),
        ({"textblocks": {"title_25": {"text": "x" * 26}}}, "textblocks", "bad_length"),
        ({"textblocks": {"title_7": {"text": "x"}}}, "textblocks", "unallowed_field"),
        ({"content": {"icon_256x256": {"id": [1]}}}, "content", "object_required"),
        ({"moderation_status": "allowed"}, "moderation_status", "read_only_field"),
    ],
)
async def test_a_wrong_banner_has_its_documented_code(change, field, code):
    """One example of every rule of banners."""
    async with calling() as call:
        number = call.first("campaigns", status="active")["id"]
        draft = {**await banner_draft(call), **change}
        reply = await call.post(f"campaigns/{number}/banners.json", draft)
        assert (400, code) == (reply.status, reply.fields[field]["code"])


# Changing.


async def test_an_update_changes_what_it_names():
    """204, and every other field stays."""
    async with calling() as call:
        before = call.first("campaigns", status="active")
        path = f"campaigns/{before['id']}.json"
        body = {"budget_limit_day": "700.5", "targetings": {"sex": ["male"]}}
        assert ((r := await call.post(path, body)).status, r.text) == (204, "")
        after = call.first("campaigns", id=before["id"])
        changed = {name for name in before if before[name] != after[name]}
        assert {"budget_limit_day", "targetings", "updated", "last_updated"} >= changed
        assert before["targetings"]["age"] == after["targetings"]["age"]
        assert (after["budget_limit_day"], after["targetings"]["sex"]) == ("700.5", ["male"])


async def test_a_package_changes_only_to_a_related_one():
    """811 and 816 are related, 812 is not."""
    async with calling() as call:
        number = call.first("campaigns", package_id=811, status="active")["id"]
        reply = await call.post(f"campaigns/{number}.json", {"package_id": 812})
        assert reply.fields["package_id"]["code"] == "can_not_set"
        assert (await call.post(f"campaigns/{number}.json", {"package_id": 816})).status == 204


async def test_deleting_keeps_the_object_readable():
    """DELETE is a change of status; afterwards only the status can change."""
    async with calling() as call:
        number = call.first("campaigns", status="active")["id"]
        path = f"campaigns/{number}.json"
        assert (await call.delete(path)).status == 204
        assert (await call.get(path, fields="status")).json["status"] == "deleted"
        assert (await call.post(path, {"name": "x"})).code == "campaign_deleted"
        assert (await call.post(path, {"status": "blocked"})).status == 204


async def test_a_mass_action_is_all_or_nothing():
    """One wrong item stops the whole list, and is named with its id."""
    async with calling() as call:
        good = call.first("campaigns", status="active", package_id=811)["id"]
        gone = call.first("campaigns", status="deleted")["id"]
        items = [{"id": good, "status": "blocked"}, {"id": gone, "max_price": "1"}]
        reply = await call.post("campaigns/mass_action.json", items)
        (entry,) = reply.json["error"]["campaigns"]
        assert ("campaign_deleted", {"id": gone}) == (entry["code"], entry["arguments"])
        assert call.first("campaigns", id=good)["status"] == "active"
        items = [items[0], {"id": gone, "status": "blocked", "max_price": "1"}]
        assert (await call.post("campaigns/mass_action.json", items)).status == 204
        assert call.first("campaigns", id=good)["status"] == "blocked"


async def test_a_mass_action_has_its_limits():
    """At most 200 items, known ids, few fields; banners take the status alone."""
    async with calling() as call:
        path = "banners/mass_action.json"
        number = call.first("banners", status="active")["id"]
        many = [{"id": number, "status": "blocked"}] * 201
        assert (await call.post(path, many)).code == "limit_exceeded"
        reply = await call.post(path, [{"id": 7, "status": "active"}])
        assert (
            reply.code,
            reply.json["error"]["message"],
        ) == ("unknown_banners", "Unknown banners: 7")
        reply = await call.post(path, [{"id": number, "name": "x"}])
        assert reply.json["error"]["banners"][0]["fields"]["name"]["code"] == "unallowed_field"
