"""The VK Ads imitation: ad plans over ad groups over banners."""

from mytarget_caller import DRAFT, banner_draft, calling, ids


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


async def test_vk_adds_a_group_to_a_plan():
    """By its ad_plan_id."""
    async with calling(vk=True) as call:
        plan = call.first("ad_plans")["id"]
        made = (await call.post("ad_groups.json", {**DRAFT, "ad_plan_id": plan})).json["id"]
        assert made in ids(await call.get("ad_groups.json", _ad_plan_id=plan))


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


async def test_a_wrong_plan_is_told_with_its_groups():
    """Errors of groups stand under ad_groups by position, and no budget escapes its step."""
    async with calling(vk=True, budget_limit_step="5") as call:
        groups = [DRAFT, {**DRAFT, "price": "121"}, {**DRAFT, "ad_plan_id": 1}, 7]
        body = {"name": "Plan", "budget_limit": "11", "ad_groups": groups}
        fields = (await call.post("ad_plans.json", body)).fields
        assert fields["budget_limit"]["code"] == "step"
        first, second, third, fourth = fields["ad_groups"]["items"]
        assert first == {}
        assert second["fields"]["price"]["code"] == "max_value"
        assert third["fields"]["ad_plan_id"]["code"] == "bad_value"
        assert fourth["fields"][""]["code"] == "bad_items"


async def test_a_plan_is_changed_by_fields():
    """204, and its groups stop delivering with it."""
    async with calling(vk=True) as call:
        banner = next(r for r in call.sandbox.truth("banners") if r["delivery"] == "delivering")
        group = call.first("ad_groups", id=banner["ad_group_id"])
        path = f"ad_plans/{group['ad_plan_id']}.json"
        query = {"id": banner["id"]}
        before = (await call.get("statistics/faststat/banners.json", **query)).json["banners"]
        assert list(before) == [str(banner["id"])]
        assert (await call.post(path, {"status": "blocked", "budget_limit_day": "-1"})).status == 204
        after = (await call.get("statistics/faststat/banners.json", **query)).json["banners"]
        shown = (await call.get(path, fields="status,budget_limit_day,issues")).json
        assert after == {}
        issue = {"code": "STOPPED", "message": "Stopped"}
        assert shown == {"status": "blocked", "budget_limit_day": "-1", "issues": [issue]}


async def test_the_truth_knows_plans():
    """One plan for two groups, with every field."""
    async with calling(vk=True) as call:
        plans = call.sandbox.truth("ad_plans")
        assert len(plans) == 30
        assert {"budget_limit_day", "delivery", "vkads_status"} <= set(plans[0])


async def test_what_a_stopped_plan_holds_does_not_deliver():
    """The group says that it is the plan, the banner that it is above it; both run again with the plan."""
    async with calling(vk=True) as call:
        banner = next(r for r in call.sandbox.truth("banners") if r["delivery"] == "delivering")
        group = call.first("ad_groups", id=banner["ad_group_id"])
        plan = f"ad_plans/{group['ad_plan_id']}.json"

        async def state(path: str) -> tuple[str, list[str]]:
            row = (await call.get(path, fields="delivery,issues")).json
            return row["delivery"], [issue["code"] for issue in row["issues"]]

        paths = f"ad_groups/{group['id']}.json", f"banners/{banner['id']}.json"
        for status, word in (("blocked", "STOPPED"), ("deleted", "ARCHIVED")):
            assert (await call.post(plan, {"status": status})).status == 204
            assert await state(paths[0]) == ("not_delivering", [f"AD_PLAN_{word}"])
            assert await state(paths[1]) == ("not_delivering", [f"CAMPAIGN_{word}"])
            told = (await call.get(plan, fields="vkads_status")).json["vkads_status"]
            assert told == {"status": status, "codes": [word]}
        for change, code in (
            ({"status": "active", "date_end": "2026-09-14"}, "AD_PLAN_OUT_OF_DATE_END"),
            ({"date_end": None, "date_start": "2026-09-16"}, "AD_PLAN_OUT_OF_DATE_START"),
        ):
            assert (await call.post(plan, change)).status == 204
            assert await state(paths[0]) == ("not_delivering", [code])
        assert (await call.post(plan, {"date_start": "2026-09-15"})).status == 204
        assert [await state(path) for path in paths] == [("delivering", [])] * 2
