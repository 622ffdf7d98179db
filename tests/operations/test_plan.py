"""What a plan moves, and the safety catch."""

from decimal import Decimal

import pytest

from adnet.errors import ConfigurationError, UnsafePlanError
from adnet.models import Ad, Campaign, Plan, Update
from adnet.money import Money
from adnet.operations.plan import PlanLimits, check_plan, count_plan


def usd(amount):
    return Money(Decimal(amount), "USD")


def eur(amount):
    return Money(Decimal(amount), "EUR")


def campaign(number, budget=None, **rest):
    return Campaign(
        **{
            "campaign_id": str(number),
            "name": "x",
            "daily_budget": None if budget is None else usd(budget),
            **rest,
        }
    )


def budgets(*pairs):
    """Return the counts of a plan that sets budgets: pairs of before and after, None for no limit."""
    present = [campaign(number, before) for number, (before, _) in enumerate(pairs)]
    updates = [
        Update(str(number), {"daily_budget": None if after is None else usd(after)})
        for number, (_, after) in enumerate(pairs)
    ]
    return count_plan(updates, present)


def check(counts, **limits):
    check_plan(Plan(network="net", counts=counts), PlanLimits(**limits))


@pytest.mark.parametrize(
    "limits", [{"bid_share": Decimal(-1)}, {"budget_share": Decimal("NaN")}, {"resumed": -1}]
)
def test_limits_that_nothing_can_meet_are_refused(limits):
    """A share that is no number compares with none, which would end in a bug's words."""
    with pytest.raises(ConfigurationError, match=f"{next(iter(limits))} is .*zero or more"):
        PlanLimits(**limits)


def test_a_raise_is_a_share_of_the_budgets_that_move():
    """Ten more on twenty is a half."""
    counts = budgets((10, 20), (10, 10))
    assert (counts["budget_up"], counts["budget_down"], counts["budget_change"]) == (1, 0, 1)
    assert budgets((10, 15), (10, 15))["budget_up"] == Decimal("0.5")


def test_several_updates_of_one_object_are_measured_by_what_it_has_in_the_end():
    """Each raise by 30 % on top of the other is more than half, though both are less of the sum counted twice."""
    steps = [Update("1", {"daily_budget": usd(amount)}, "campaigns") for amount in (130, 169)]
    counts = count_plan(steps, [campaign(1, 100)])
    assert (counts["updates"], counts["budget_up"]) == (2, Decimal("0.69"))
    with pytest.raises(UnsafePlanError, match="raises budgets by 69 %"):
        check(counts)
    beside = [
        *steps,
        Update("2", {"daily_budget": usd(100)}, "campaigns"),
        Update("1", {"bid": usd(1)}, "ads"),
    ]
    assert count_plan(beside, [campaign(1, 100), campaign(2, 150), Ad(ad_id="1", bid=usd(2))]) == counts | {
        "updates": 4, "budget_up": Decimal("0.276"), "budget_down": Decimal("0.2"),
        "budget_change": Decimal("0.076"), "bid_down": Decimal("0.5"),
    }  # fmt: skip


def test_raises_and_cuts_are_counted_apart():
    """A budget that moves from one campaign to another changes nothing in the end, yet moves."""
    counts = budgets((100, 150), (100, 50))
    assert (counts["budget_up"], counts["budget_down"]) == (Decimal("0.25"), Decimal("0.25"))
    assert counts["budget_change"] == 0


def test_currencies_are_measured_apart():
    """The one that moves most counts."""
    present = [campaign(1, 1000), campaign(2, daily_budget=eur(10))]
    updates = [Update("1", {"daily_budget": usd(1100)}), Update("2", {"daily_budget": eur(20)})]
    assert count_plan(updates, present)["budget_up"] == 1


def test_bids_of_ads_are_measured():
    """As budgets are."""
    present = [Ad(ad_id="1", bid=usd("0.10")), Ad(ad_id="2", bid=usd("0.30"))]
    counts = count_plan([Update("1", {"bid": usd("0.20")}), Update("2", {"bid": usd("0.20")})], present)
    assert (counts["bid_up"], counts["bid_down"]) == (Decimal("0.25"), Decimal("0.25"))


def test_limits_in_clicks_are_budgets_too():
    """A campaign that may have ten times the clicks may cost ten times as much."""
    present = [campaign(1, None, daily_clicks=500)]
    with pytest.raises(UnsafePlanError, match="raises budgets by 900 % in total"):
        check(count_plan([Update("1", {"daily_clicks": 5000})], present))


def test_objects_are_counted_by_what_happens_to_them():
    """Updates of nothing are none."""
    updates = [Update("1", {"status": "paused"}), Update("2", {"status": "active"}), Update("3", {})]
    counts = count_plan(updates, [], deleted=["4", "5"])
    assert (counts["updates"], counts["paused"], counts["resumed"], counts["deleted"]) == (2, 1, 1, 2)


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ([(100, 151)], "raises budgets by 51 % in total"),
        ([(100, 49)], "lowers budgets by 51 % in total"),
        ([(0, 5)], "raises budgets by more than everything"),
        ([(100, None)], "takes away 1 budget, so that"),
    ],
)
def test_a_plan_that_moves_too_much_is_refused(pairs, reason):
    """The error tells by how much, and keeps counts and limits."""
    with pytest.raises(UnsafePlanError, match=reason) as caught:
        check(budgets(*pairs))
    assert caught.value.limits["budget_share"] == Decimal("0.5")
    assert caught.value.counts["updates"] == 1


@pytest.mark.parametrize("pairs", [[(100, 150)], [(100, 50)], [(None, 50)], [(100, 100)], []])
def test_a_plan_within_the_limits_passes(pairs):
    """The limit itself is allowed; a first limit where there was none is no raise."""
    check(budgets(*pairs))


def test_what_is_not_known_is_not_safe():
    """An object that nobody looked at may have any budget, and one in another currency is no measure."""
    counts = count_plan(
        [Update("1", {"daily_budget": usd(5)}), Update("2", {"bid": eur(1)})], [campaign(2, bid=usd(1))]
    )
    with pytest.raises(UnsafePlanError, match="changes 2 amounts whose present value is not known"):
        check(counts)


@pytest.mark.parametrize(("status", "verb"), [("paused", "pauses"), ("active", "starts")])
def test_pausing_or_starting_many_is_refused(status, verb):
    """Twenty are allowed by default; what is started by mistake spends."""
    updates = [Update(str(number), {"status": status}) for number in range(21)]
    with pytest.raises(UnsafePlanError, match=rf"{verb} 21 objects \(allowed: 20\)"):
        check(count_plan(updates, []))
    check(count_plan(updates[1:], []))


def test_any_deletion_is_refused():
    """Unless the limits allow it."""
    counts = count_plan([], [], deleted=["1"])
    with pytest.raises(UnsafePlanError, match="deletes 1 object "):
        check(counts)
    check(counts, deleted=1)


def test_every_reason_is_told_at_once():
    """Not one after another."""
    counts = {"budget_up": Decimal(2), "bid_down": Decimal("0.9"), "paused": 99}
    with pytest.raises(UnsafePlanError, match=r"budgets by 200 %.*bids by 90 %.*pauses 99"):
        check(counts)


def test_force_lets_everything_pass():
    """It was meant."""
    check_plan(Plan(network="net", counts=budgets((1, 1000))), force=True)


def test_a_status_that_deletes_is_a_deletion():
    """Where deleted is a status, an update deletes as well as a call of its own."""
    counts = count_plan([Update("1", {"status": "deleted"})], [])
    with pytest.raises(UnsafePlanError, match="deletes 1 object "):
        check(counts)
    check(counts, deleted=1)


@pytest.mark.parametrize(("before", "after"), [(None, "1000"), ("5", None)])
def test_a_bid_that_comes_or_goes_cannot_be_measured(before, after):
    """No bid is no limit, and no share of anything."""
    bids = [None if amount is None else usd(amount) for amount in (before, after)]
    counts = count_plan([Update("1", {"bid": bids[1]})], [Campaign(campaign_id="1", name="x", bid=bids[0])])
    with pytest.raises(UnsafePlanError, match="1 amount"):
        check(counts)


@pytest.mark.parametrize("kind", ["campaigns", None])
def test_a_campaign_and_an_ad_of_one_id_are_two_objects(kind):
    """A budget is measured against the campaign's; where either may be meant, it is not known."""
    present = [Campaign(campaign_id="1", name="x", daily_budget=usd(10)), Ad(ad_id="1", bid=usd("0.1"))]
    with pytest.raises(UnsafePlanError):
        check(count_plan([Update("1", {"daily_budget": usd(1000)}, kind)], present))


def test_a_bid_that_stays_away_is_no_change():
    """Nothing moves, so nothing has to be measured."""
    check(count_plan([Update("1", {"bid": None})], [Campaign(campaign_id="1", name="x")]))


def test_a_budget_of_nothing_may_be_no_limit():
    """Among many others it would hardly count as lowered; a limit that was nothing before stays what it is."""
    counts = budgets((10, 0), (1000, 1000))
    assert (counts["unlimited"], counts["budget_down"]) == (1, 0)
    with pytest.raises(UnsafePlanError, match="takes away 1 budget, so that spend has no limit"):
        check(counts)
    assert [budgets(pair)["unlimited"] for pair in ((10, -1), (0, 0), (0, 10))] == [1, 0, 0]


@pytest.mark.parametrize(
    ("factor", "highest"), [("0.5", "1"), (Decimal(2), "2"), (9, "9"), (2.5, "2.5"), ("much", "Infinity")]
)
def test_what_multiplies_a_price_is_counted(factor, highest):
    """The highest factor on a source is what a campaign may come to pay; what is no number may be any."""
    extra = {"factor": {"a": 1, "b": factor}, "other": {"c": 99}}
    counts = count_plan(
        [Update("1", {"extra": extra}), Update("2", {"extra": None})], [], paid_extra=["factor"]
    )
    assert counts["bid_factor"] == Decimal(highest)


@pytest.mark.parametrize("part", ["extra", "tracking"])
def test_an_amount_that_only_one_network_has_is_not_known(part):
    """What it was before is told in no field of ours, so that how far it moves cannot be."""
    counts = count_plan([Update("1", {part: {"max_price": "9", "utm": "x"}})], [], paid_extra=["max_price"])
    assert (counts["unseen"], counts["bid_factor"]) == (1, 0)


def test_a_price_that_is_multiplied_has_to_be_forced():
    """As a raise of the bid by as much."""
    check({"bid_factor": Decimal("1.5")})
    check({"bid_factor": Decimal(3)}, bid_share=Decimal(2))
    with pytest.raises(UnsafePlanError, match=r"pays 1.51 times the price on a source \(allowed: 1.5\)"):
        check({"bid_factor": Decimal("1.51")})


@pytest.mark.parametrize(
    "value", ["", "much", "120 EUR", 1.5, Decimal("NaN"), Decimal("Infinity"), {"amount": 5}]
)
@pytest.mark.parametrize("field", ["daily_budget", "bid"])
def test_what_is_no_amount_is_too_much(field, value):
    """Nobody can tell what it moves; that the network may refuse it is no reason to fall over here."""
    there = Campaign(campaign_id="1", name="x", daily_budget=Money(100, "EUR"), bid=Money(1, "EUR"))
    counts = count_plan([Update("1", {field: value}, "campaigns")], [there])
    assert (counts["unseen"], counts["unlimited"]) == (1, 0)
    with pytest.raises(UnsafePlanError, match="1 amount whose present value is not known"):
        check_plan(Plan(network="x", updates=(Update("1", {field: value}),)))


def test_updates_that_were_not_counted_are_counted():
    """Counts of one plan say nothing of what was added to it from another."""
    there = Campaign(campaign_id="1", name="x", daily_budget=usd(100))
    small = Update("1", {"daily_budget": usd(101)}, "campaigns")
    plan = Plan(network="net", updates=(small,), counts=count_plan([small], [there]))
    check_plan(plan)
    large = Update("2", {"daily_budget": usd(100_000)}, "campaigns")
    merged = Plan(network="net", updates=(small, large), counts=plan.counts)
    with pytest.raises(UnsafePlanError, match="2 amounts whose present value is not known"):
        check_plan(merged)


def test_a_plan_of_fewer_updates_than_were_counted_keeps_its_counts():
    """To leave some out moves no more; an update of nothing was not counted."""
    there = Campaign(campaign_id="1", name="x", daily_budget=usd(100))
    small = Update("1", {"daily_budget": usd(101)}, "campaigns")
    counts = count_plan([small, small], [there])
    check_plan(Plan(network="net", updates=(small, Update("2"), Update("3")), counts=counts))
