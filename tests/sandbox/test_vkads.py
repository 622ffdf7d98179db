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
