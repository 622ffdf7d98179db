"""Plans: shown whole, applied by one call, and refused when they move too much."""

from decimal import Decimal

import attrs
import pytest

import adnet
from adnet import Money, PlanLimits, Removal, Update
from adnet.errors import ConfigurationError, UnsafePlanError, UnsupportedError

from .kit import bench


async def dearer(account, factor) -> adnet.Plan:
    """Return a plan that multiplies the bids of three campaigns, counted."""
    found = [row async for row in account.list_campaigns(status="active") if row.bid][:3]
    changes = [
        adnet.diff(row, attrs.evolve(row, bid=Money(row.bid.amount * factor, row.bid.currency)))
        for row in found
    ]
    plan = await account.plan(changes)
    return attrs.evolve(plan, counts=adnet.count_plan(changes, found))


def sent(test) -> int:
    """Return how many requests changed something."""
    return sum(
        request.method in {"PATCH", "POST"} and "oauth2" not in request.path for request in test.sandbox.log
    )


async def test_a_plan_is_applied():
    """Every update has its outcome."""
    async with bench() as test:
        account = test.account()
        plan = await dearer(account, Decimal("1.1"))
        result = await account.apply(plan)
        assert (result.ok, result.ids) == (True, tuple(update.id for update in plan.updates))
        rows = {str(row["id"]): row for row in test.sandbox.truth("campaigns")}
        prices = [Decimal(rows[update.id]["price"]) for update in plan.updates]
        assert prices == [update.fields["bid"].amount for update in plan.updates]


async def test_a_plan_that_moves_too_much_is_refused_unless_forced():
    """By the limits that are given; nothing is sent."""
    async with bench() as test:
        account = test.account()
        plan = await dearer(account, Decimal("1.1"))
        with pytest.raises(UnsafePlanError, match=r"raises bids by 10 % in total \(allowed: 5 %\)") as caught:
            await account.apply(plan, limits=PlanLimits(bid_share=Decimal("0.05")))
        assert (caught.value.account, sent(test)) == ("shop", 0)
        assert (await account.apply(plan, limits=PlanLimits(bid_share=Decimal("0.05")), force=True)).ok


async def test_amounts_that_nobody_measured_are_too_much():
    """Of a plan without counts; what is no amount is counted as it stands."""
    async with bench() as test:
        account, (one, *_) = test.account(), test.sandbox.truth("campaigns")
        bid = await account.plan([Update(one["id"], {"bid": Decimal(3)})])
        with pytest.raises(UnsafePlanError, match="present value is not known"):
            await account.apply(bid)
        pause = await account.plan([Update(one["id"], {"status": "paused"})])
        assert (await account.apply(pause)).ok


async def test_updates_of_both_kinds_are_applied_in_order():
    """Campaigns and ads, and one that changes nothing."""
    async with bench() as test:
        campaign, ad = (test.first(name, status="active")["id"] for name in ("campaigns", "banners"))
        updates = (
            Update(ad, {"status": "paused"}, "ads"),
            Update(campaign, {"status": "paused"}, "campaigns"),
            Update(campaign, {}, "campaigns"),
        )
        result = await test.account().apply(adnet.Plan(network="mytarget", updates=updates))
        assert [outcome.status for outcome in result] == ["done", "done", "unchanged"]


async def test_a_plan_of_another_account_is_refused():
    """Its ids are nobody's here, or somebody else's."""
    async with bench() as test:
        for plan in (adnet.Plan(network="mytarget", account="other"), adnet.Plan(network="vkads")):
            with pytest.raises(ConfigurationError, match="not for 'shop' on mytarget"):
                await test.account().apply(plan)


async def test_what_is_no_update_is_not_left_out_in_silence():
    """Drafts and removals have calls of their own."""
    async with bench() as test:
        account, (one, *_) = test.account(), test.sandbox.truth("campaigns")
        plan = await account.plan([Update(one["id"], {"status": "paused"}), Removal(one["id"])])
        with pytest.raises(ConfigurationError, match="1 of the plan's changes are no updates"):
            await account.apply(plan)


async def test_removals_are_shown():
    """Together where one request takes them."""
    async with bench() as test:
        ids = [str(row["id"]) for row in test.sandbox.truth("campaigns")[:2]]
        account = test.account()
        single, several = [
            await account.plan([Removal(number) for number in some]) for some in (ids[:1], ids)
        ]
        assert [(request.method, request.url.rpartition("/v2/")[2]) for request in single.requests] == [
            ("DELETE", f"campaigns/{ids[0]}.json")
        ]
        assert [request.url.rpartition("/v2/")[2] for request in several.requests] == [
            "campaigns/mass_action.json"
        ]


async def test_what_the_network_cannot_remove_is_refused():
    """Before anything is asked."""
    account = adnet.connect("adskeeper", client_id="1", token="t" * 32)
    with pytest.raises(UnsupportedError, match="cannot serve revoke_shares; mytarget, vkads can"):
        await account.plan([Removal("key", "shares")])
    await account.close()


async def test_a_plan_of_ads_is_applied_to_ads():
    """What was shown is what is done, also where only the call said what the updates are of."""
    async with bench() as test:
        account = test.account()
        campaign, ad = (test.first(name, status="active")["id"] for name in ("campaigns", "banners"))
        plan = await account.plan([Update(ad, {"status": "paused"})], kind="ads")
        assert (await account.apply(plan)).ok
        assert test.first("banners", id=ad)["status"] == "blocked"
        plan = await account.plan([Update(campaign, {"status": "paused"})], kind="ads")
        assert not (await account.apply(plan)).ok
        assert test.first("campaigns", id=campaign)["status"] == "active"


async def test_an_update_that_knows_its_kind_is_made_to_no_other():
    """A campaign of an ad's number may well exist."""
    async with bench() as test:
        account, ad = test.account(), test.first("banners", status="active")["id"]
        with pytest.raises(ConfigurationError, match=r"is one of ads, not of campaigns: use update_ads"):
            await account.update_campaigns(
                [Update("1", {"status": "paused"}), Update(ad, {"status": "paused"}, "ads")]
            )
        assert sent(test) == 0


async def test_updates_that_come_one_by_one_keep_their_outcomes():
    """A generator is gone through once; what failed must not be lost."""
    async with bench() as test:
        account = test.account()
        result = await account.update_campaigns(Update(n, {"status": "paused"}) for n in ("999999",))
        assert ([outcome.status for outcome in result], result.ok) == (["failed"], False)


async def test_one_id_is_one_id():
    """A text is one id where objects are deleted, as it is where they are listed; not the ids of its digits."""
    async with bench() as test:
        account, one = test.account(), str(test.first("campaigns", status="active")["id"])
        assert (await account.delete_campaigns(one)).ids == (one,)
        assert test.first("campaigns", id=int(one))["status"] == "deleted"


async def test_nothing_passes_the_catch_beside_the_fields_that_it_counts():
    """What stands in ``extra`` spends as much as anywhere else."""
    async with bench() as test:
        account = test.account()
        found, *_ = [row async for row in account.list_campaigns(status="paused")]
        before = sent(test)
        plan = await account.plan([Update(found.campaign_id, {"extra": {"max_price": "21"}})])
        with pytest.raises(UnsafePlanError, match="changes 1 amount whose present value is not known"):
            await account.apply(plan)
        started = Update(found.campaign_id, {"extra": {"status": "active", "price": "21"}})
        (outcome,) = await account.update_campaigns([started])
        assert (outcome.status, sent(test)) == ("failed", before)
        assert outcome.error.message == "extra cannot hold price: set bid"
        assert (await account.apply(plan, force=True)).ok
