"""Campaigns, banners, ad plans, packages, URLs and content of the myTarget imitation."""

from datetime import date

import pytest
from mytarget_caller import Caller, calling

DRAFT = {"name": "Boots", "status": "blocked", "package_id": 811, "price": 5.4}


def ids(reply) -> list[int]:
    return [item["id"] for item in reply.json["items"]]


async def banner_draft(call: Caller) -> dict:
    url = call.first("urls")["id"]
    return {
        "name": "B1",
        "urls": {"primary": {"id": url}},
        "textblocks": {"title_25": {"text": "Warm boots"}},
    }


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


# Moderation, URLs, content.


async def test_moderation_takes_a_while():
    """A new banner is pending, then allowed, or banned for what it says."""
    async with calling(moderation_s=60) as call:
        number = call.first("campaigns", status="active")["id"]
        good = await banner_draft(call)
        bad = {**good, "textblocks": {"title_25": {"text": "Best casino"}}}
        made = [
            (await call.post(f"campaigns/{number}/banners.json", draft)).json["id"] for draft in (good, bad)
        ]

        def states() -> list[str]:
            return [call.first("banners", id=n)["moderation_status"] for n in made]

        assert states() == ["pending", "pending"]
        call.hands.move(60)
        assert states() == ["allowed", "banned"]
        reply = await call.post("banners/remoderate.json", {"banners": [{"id": n} for n in made]})
        assert [item["remoderated"] for item in reply.json["banners"]] == [False, True]
        assert states() == ["allowed", "pending"]


async def test_new_texts_go_before_the_moderators():
    """A new text makes an allowed banner pending, a new name does not."""
    async with calling() as call:
        number = call.first("banners", moderation_status="allowed", status="active")["id"]
        await call.post(f"banners/{number}.json", {"name": "new"})
        assert call.first("banners", id=number)["moderation_status"] == "allowed"
        await call.post(f"banners/{number}.json", {"textblocks": {"title_25": {"text": "new"}}})
        row = call.first("banners", id=number)
        assert (
            row["moderation_status"],
            row["textblocks"],
        ) == ("pending", {"title_25": {"text": "new"}})


async def test_an_active_new_banner_spends_from_its_first_day():
    """Nothing before it was allowed; nothing after it was stopped."""
    async with calling(moderation_s=60, token_lifetime_s=10**7) as call:
        made = (await call.post("campaigns.json", {"name": "a", "package_id": 811})).json
        path = f"campaigns/{made['id']}/banners.json"
        number = (await call.post(path, await banner_draft(call))).json["id"]
        call.hands.move(86400)  # allowed a minute after it was made
        assert (await call.get("user.json")).status == 200
        call.hands.move(9 * 86400)
        await call.post(f"banners/{number}.json", {"status": "blocked"})
        call.hands.move(9 * 86400)
        rows = call.sandbox.truth("banner_stats", date(2026, 8, 1), date(2026, 10, 10))
        days = {row["date"] for row in rows if row["banner_id"] == number}
        assert len(days) > 3
        assert "2026-09-15" <= min(days) <= max(days) <= "2026-09-25"


async def test_a_url_is_checked_before_it_can_be_used():
    """201 with an id, no types until the check, and no banner before that."""
    async with calling(url_check_s=5) as call:
        reply = await call.post("urls.json", {"url": "https://shop.example/p?x=1"})
        number = reply.json["id"]
        assert (
            reply.status,
            (await call.get(f"urls/{number}.json")).json["url_types"],
        ) == (201, [])
        campaign = call.first("campaigns", status="active")["id"]
        draft = {"urls": {"primary": {"id": number}}}
        path = f"campaigns/{campaign}/banners.json"
        assert (await call.post(path, draft)).fields["urls"]["code"] == "url_not_checked"
        call.hands.move(5)
        assert (await call.get(f"urls/{number}.json")).json["url_types"] == ["external"]
        assert (await call.post(path, draft)).status == 200


async def test_urls_are_refused_and_read_in_groups():
    """Unknown schemes and shapes; several ids give items; the old lookup works by URL."""
    async with calling() as call:
        for url, code in (("ftp://x.test", "unknown_scheme"), ("https://", "invalid_url")):
            assert code == (await call.post("urls.json", {"url": url})).fields["url"]["code"]
        number = (await call.post("urls.json", {"url": "https://a.test"})).json["id"]
        first = call.first("urls")
        assert [first["id"], number] == ids(await call.get(f"urls/{first['id']},{number}.json"))
        found = await call.get("/api/v1/urls/", url=first["url"])
        assert first["id"] == found.json["id"]


async def test_content_is_uploaded_as_multipart():
    """The answer names the size that `data` told; bad files have their codes."""
    async with calling() as call:
        size = {"width": 600, "height": 500}
        reply = await call.upload("content/static.json", b"\x89PNG\r\n\x00", "a.png", data=size)
        original = reply.json["variants"]["original"]
        assert tuple(original[k] for k in ("width", "height", "size")) == (600, 500, 7)
        wrong = await call.upload("content/static.json", b"x", "a.bmp")
        assert wrong.fields["file"]["code"] == "format_not_supported"
        none = await call.send("POST", "content/video.json", data={"data": "{}"})
        assert none.fields["file"]["code"] == "no_file"


async def test_dictionaries_answer_in_the_clients_language():
    """Regions are English unless Russian is preferred; packages know their prices."""
    async with calling() as call:
        russian = await call.send("GET", "regions.json", headers={"Accept-Language": "ru-RU"})
        assert "Россия" in {item["name"] for item in russian.json["items"]}
        assert "Russia" in {item["name"] for item in (await call.get("regions.json")).json["items"]}
        packages = (await call.get("packages.json", _id=811, fields="id,max_price_per_unit")).json
        assert packages == {"items": [{"id": 811, "max_price_per_unit": "120"}]}
        assert (await call.get("currencies.json")).json["items"][0]["budget_limit_step"] == "0.01"


# VK Ads.


async def test_vk_has_plans_over_groups_over_banners():
    """Groups are the campaigns of the older name, with equal ids."""
    async with calling(vk=True) as call:
        groups = (await call.get("ad_groups.json")).json["items"]
        assert ids(await call.get("campaigns.json")) == [row["id"] for row in groups]
        plan = groups[0]["ad_plan_id"]
        assert [plan] == ids(await call.get("ad_plans.json", _id=plan))
        assert {plan} == {
            row["ad_plan_id"] for row in (await call.get("ad_groups.json", _ad_plan_id=plan)).json["items"]
        }
        banner = (await call.get("banners.json")).json["items"][0]
        assert {"id", "ad_group_id", "moderation_status"} == set(banner)


async def test_vk_creates_a_plan_with_groups_and_banners():
    """One call for three levels; a plan without groups is refused."""
    async with calling(vk=True) as call:
        group = {**DRAFT, "banners": [await banner_draft(call)]}
        body = {"name": "Plan", "status": "blocked", "ad_groups": [group, DRAFT]}
        made = (await call.post("ad_plans.json", body)).json
        assert (len(made["ad_groups"]), len(made["ad_groups"][0]["banners"])) == (2, 1)
        assert made["id"] == call.first("ad_groups", id=made["ad_groups"][1]["id"])["ad_plan_id"]
        reply = await call.post("ad_plans.json", {"name": "Empty"})
        assert reply.fields["campaigns"]["code"] == "required"


async def test_vk_closes_plans_by_status_only():
    """A plan has no DELETE; its mass action speaks of ad_plans."""
    async with calling(vk=True) as call:
        number = call.first("ad_plans")["id"]
        assert (await call.delete(f"ad_plans/{number}.json")).status == 405
        items = [{"id": number, "status": "deleted"}]
        assert (await call.post("ad_plans/mass_action.json", items)).status == 204
        assert (await call.post("ad_plans/mass_action.json", [{"id": 1}])).code == "unknown_ad_plans"


async def test_mytarget_knows_no_plans():
    """The older brand answers 404 to the newer vocabulary."""
    async with calling() as call:
        assert (await call.get("ad_plans.json")).status == 404
        assert (await call.get("ad_groups.json")).status == 404
