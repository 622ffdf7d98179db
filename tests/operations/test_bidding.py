"""Target CPA within a budget."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

import adnet
from adnet.errors import ConfigurationError, UnsafePlanError
from adnet.models import Ad, Campaign, StatRow
from adnet.money import Money
from adnet.operations.bidding import TargetCpa, decide_bids, plan_bids
from adnet.operations.plan import PlanLimits, check_plan
from adnet.sandbox import load

DAY = date(2026, 1, 14)


def usd(amount):
    return Money(Decimal(amount), "USD")


def strategy(**rest):
    return TargetCpa(
        **{"target": usd(10), "lowest": usd("0.02"), "highest": usd(2), "prior_clicks": 0, **rest}
    )


def ad(number, bid="1", **rest):
    return Ad(ad_id=str(number), bid=bid and usd(bid), **{"status": "active", **rest})


def day(number, clicks=100, conversions=10, spend=100, **rest):
    """Return figures whose CPA is *spend* over *conversions*."""
    row = {"date": DAY, "level": "ad", "object_id": str(number), "spend": usd(spend), **rest}
    return StatRow(clicks=clicks, conversions=conversions, **row)


def decide(things, rows, **rest):
    return decide_bids(strategy(**rest), things, rows)


def bids(things, rows, **rest):
    return [one.after and one.after.amount for one in decide(things, rows, **rest)]


@pytest.mark.parametrize(
    ("conversions", "bid", "reason"),
    [(10, "1", "on target"), (11, "1.1", "cheaper than the target"), (9, "0.9", "dearer than the target"),
     (5, "0.8", "dearer than the target"), (40, "1.2", "cheaper than the target")],
)  # fmt: skip
def test_a_bid_moves_towards_the_target_by_a_step_at_most(conversions, bid, reason):
    """Spend over conversions against ten dollars; a fifth at once."""
    (one,) = decide([ad(1)], [day(1, conversions=conversions)], tolerance=Decimal("0.05"))
    assert (one.after, one.reason) == (usd(bid), reason)


@pytest.mark.parametrize(
    ("bid", "conversions", "after", "reason"),
    [("3", 40, "2.4", "above the highest bid"), ("0.01", 5, "0.012", "below the lowest bid")],
)
def test_a_bid_out_of_bounds_moves_towards_them_and_says_so(bid, conversions, after, reason):
    """Whatever its conversions cost."""
    (one,) = decide([ad(1, bid)], [day(1, conversions=conversions)])
    assert (one.after, one.reason) == (usd(after), reason)


@pytest.mark.parametrize(
    ("bid", "conversions", "after"),
    [
        ("1.9", 40, "2"),
        ("2", 40, "2"),
        ("3", 40, "2.4"),
        ("0.021", 1, "0.02"),
        ("0.02", 1, "0.02"),
        ("0.01", 1, "0.012"),
    ],
)
def test_a_bid_stays_within_its_bounds(bid, conversions, after):
    """One that is outside comes back step by step."""
    assert bids([ad(1, bid)], [day(1, conversions=conversions)]) == [Decimal(after)]


def test_a_bid_is_cut_to_ticks_towards_where_it_was():
    """So that a step is never exceeded."""
    assert bids([ad(1, "0.33")], [day(1, conversions=40)], tick=Decimal("0.05")) == [Decimal("0.35")]
    assert bids([ad(1, "0.33")], [day(1, conversions=1)], tick=Decimal("0.05")) == [Decimal("0.30")]
    assert bids([ad(1, "0.33")], [day(1, conversions=1)], tick=Decimal("0.5")) == [Decimal("0.33")]


@pytest.mark.parametrize(
    ("bid", "conversions", "after"),
    [
        ("0.13", 10, "0.13"),
        ("0.13", 40, "0.12"),
        ("0.12", 40, "0.12"),
        ("0.08", 1, "0.09"),
        ("0.09", 1, "0.09"),
        ("0.085", 1, "0.085"),
        ("0.125", 40, "0.125"),
        ("0.02", 1, "0.02"),
    ],
)
def test_a_bound_between_two_ticks_is_kept(bid, conversions, after):
    """A bid does not stay beyond it for the rest of a tick, as far as one step leads."""
    bounds = {"lowest": usd("0.085"), "highest": usd("0.125"), "tick": Decimal("0.01")}
    assert bids([ad(1, bid)], [day(1, conversions=conversions)], **bounds) == [Decimal(after)]


def test_a_cost_near_the_target_is_good():
    """Bids do not flutter."""
    assert bids([ad(1)], [day(1, conversions=11)], tolerance=Decimal("0.1")) == [1]


def test_days_add_up():
    """Two days at half the target each are at half the target."""
    assert bids([ad(1)], [day(1), day(1, conversions=30)]) == [Decimal("1.2")]


@pytest.mark.parametrize(
    ("thing", "reason"),
    [
        (ad(1, None), "has no bid"),
        (ad(1, status="paused"), "is paused"),
        (ad(2), "has 0 clicks, too few to tell"),
        (ad(3), "has cost nothing"),
        (Ad(ad_id="1", status="active", bid=Money(1, "EUR")), "is not in USD"),
    ],
)
def test_what_cannot_be_judged_is_left_alone(thing, reason):
    """And it is said why."""
    (one,) = decide([thing], [day(1, conversions=1), StatRow(date=DAY, level="ad", object_id="3", clicks=99)])
    assert (one.moves, one.reason) == (False, reason)


def test_spend_in_another_currency_is_not_judged():
    """No rate is guessed."""
    (one,) = decide([ad(1)], [day(1), StatRow(date=DAY, level="ad", object_id="1", spend=Money(5, "EUR"))])
    assert one.reason == "is not in USD"


@pytest.mark.parametrize(
    ("spend", "after", "reason"),
    [(9, "1", "no conversions yet"), (10, "0.8", "no conversions for the price of one")],
)
def test_without_any_conversion_a_bid_only_falls(spend, after, reason):
    """After a whole target was spent for nothing."""
    (one,) = decide([ad(1)], [day(1, conversions=0, spend=spend)])
    assert (one.after, one.reason) == (usd(after), reason)


def test_conversions_that_are_not_told_are_not_none():
    """Adskeeper tells them only of campaigns that have such a target; no bid falls for that."""
    (one,) = decide([ad(1)], [day(1, conversions=None, spend=1000)])
    assert (one.moves, one.reason) == (False, "has no conversions told")


def test_few_clicks_are_judged_by_all_objects_together():
    """An ad without a conversion in 50 clicks is not yet a bad one where 2 % convert."""
    rows = [day(1, clicks=5000, conversions=100, spend=1000), day(2, clicks=50, conversions=0, spend=10)]
    (_, fresh) = decide([ad(1), ad(2)], rows, prior_clicks=450)
    assert (round(fresh.cpa, 2), fresh.reason) == (Decimal("11.22"), "dearer than the target")


def test_clicks_whose_conversions_are_not_told_say_nothing_about_the_rate_of_all():
    """A campaign without such a target would make all others look dear."""
    rows = [day(1, clicks=5000, conversions=100, spend=1000), day(2, clicks=50, conversions=0, spend=10)]
    (_, fresh) = decide([ad(1), ad(2)], rows, prior_clicks=450)
    untold = day(3, clicks=90_000, conversions=None)
    (_, beside, _) = decide([ad(1), ad(2), ad(3)], [*rows, untold], prior_clicks=450)
    assert beside == fresh


def test_raises_that_do_not_fit_the_budget_are_taken_back_dearest_first():
    """The best ad keeps its raise."""
    rows = [day(1, conversions=20), day(2, conversions=40)]
    assert bids([ad(1), ad(2)], rows, daily_budget=usd(225)) == [1, Decimal("1.2")]
    assert bids([ad(1), ad(2)], rows, daily_budget=usd(240)) == [Decimal("1.2"), Decimal("1.2")]


def test_bids_are_lowered_when_the_budget_is_exceeded_anyway():
    """By one step each, the dearest first, and no further."""
    rows = [day(1, conversions=10), day(2, conversions=11)]
    assert bids([ad(1), ad(2)], rows, daily_budget=usd(185)) == [Decimal("0.8"), 1]
    assert bids([ad(1), ad(2)], rows, daily_budget=usd(1)) == [Decimal("0.8"), Decimal("0.8")]


def test_a_bid_that_can_fall_no_further_is_not_called_lowered():
    """It would be told beside a bid that stays."""
    rows = [day(1), day(2)]
    found = decide([ad(1, "0.02"), ad(2)], rows, daily_budget=usd(1))
    assert [(one.moves, one.reason) for one in found] == [
        (False, "on target"),
        (True, "lowered to fit the budget"),
    ]


def test_what_cannot_be_judged_is_not_lowered_either():
    """It may still spend; nobody knows whether it should."""
    rows = [day(1), day(2), day(3, spend=0)]
    assert bids([ad(1, None), ad(2, status="paused"), ad(3)], rows, daily_budget=usd(1)) == [None, 1, 1]


def test_a_budget_of_days_is_compared_with_spend_of_days():
    """Two days of a hundred are a hundred a day."""
    rows = [day(1), day(1, date=date(2026, 1, 15))]
    assert bids([ad(1)], rows, daily_budget=usd(100)) == [1]


def test_campaigns_are_judged_by_their_own_level():
    """Rows of ads do not count for them."""
    thing = Campaign(campaign_id="1", name="x", status="limited", bid=usd(1))
    rows = [day(1, conversions=1), day(1, conversions=40, level="campaign")]
    assert bids([thing], rows) == [Decimal("1.2")]
    with pytest.raises(ConfigurationError, match="not both"):
        decide([thing, ad(1)], rows)


def test_a_plan_names_only_bids_that_move():
    """Counted, so that it can be checked."""
    plan = plan_bids(
        strategy(), [ad(1), ad(2)], [day(1), day(2, conversions=5)], network="net", account="shop"
    )
    assert [(update.id, update.kind, dict(update.fields)) for update in plan.updates] == [
        ("2", "ads", {"bid": usd("0.8")})
    ]
    assert (plan.account, plan.counts["bid_down"]) == ("shop", Decimal("0.2"))
    check_plan(plan)
    with pytest.raises(UnsafePlanError, match="lowers bids by 20 %"):
        check_plan(plan, PlanLimits(bid_share=Decimal("0.1")))


def test_a_plan_for_nothing_is_empty():
    """No objects, no figures, no changes."""
    assert plan_bids(strategy(), [], [], network="net").updates == ()


@pytest.mark.parametrize(
    "wrong",
    [{"target": Money(1, "EUR")}, {"target": usd(0)}, {"lowest": usd(3)}, {"tick": Decimal(0)},
     {"step": Decimal(1)}, {"tolerance": Decimal(-1)}, {"daily_budget": Money(1, "EUR")}],
)  # fmt: skip
def test_a_strategy_that_makes_no_sense_is_refused(wrong):
    """When it is made, not when it has spent the money."""
    with pytest.raises(ConfigurationError):
        strategy(**wrong)


@pytest.mark.parametrize(("network", "kind"), [("adskeeper", "ads"), ("mytarget", "campaigns")])
async def test_a_plan_is_made_shown_and_applied_on_a_network(network, kind):
    """What was shown is sent, and a second plan on the same figures goes on from there."""
    sandbox = load(network)(
        **({"campaigns": 8, "days": 4} if kind == "ads" else {"campaigns": 4, "banners": 8})
    )
    limits = {"api": "1000/s"} if kind == "ads" else None
    async with (
        sandbox,
        adnet.connect(
            network,
            base_url=sandbox.base_url,
            limits=limits,
            **sandbox.account_options,
            **sandbox.credentials,
        ) as account,
    ):
        things = [thing async for thing in getattr(account, f"list_{kind}")(status="active")]
        currency = next(thing.bid.currency for thing in things if thing.bid)
        today = sandbox.now().date()
        rows = [
            row
            async for row in account.list_stats(
                since=today - timedelta(days=3), until=today, level=kind.removesuffix("s")
            )
        ]
        aim = TargetCpa(
            target=Money(Decimal("0.000001"), currency),
            lowest=Money(Decimal("0.001"), currency),
            highest=Money(10_000, currency),
            least_clicks=1,
        )
        plan = plan_bids(aim, things, rows, network=network, account=account.name)
        check_plan(plan)
        assert plan.updates
        assert (await account.plan(plan.updates)).requests
        assert (await getattr(account, f"update_{kind}")(plan.updates)).ok
        changed = {update.id: update.fields["bid"] for update in plan.updates}
        key = "ad_id" if kind == "ads" else "campaign_id"
        after = {getattr(thing, key): thing.bid async for thing in getattr(account, f"list_{kind}")()}
    assert {number: after[number] for number in changed} == changed
