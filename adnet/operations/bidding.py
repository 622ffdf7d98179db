"""Bid management: one strategy, target CPA within a budget. Pure: figures and objects in, a plan out.

For every object (a campaign or an ad) that has a bid and runs, the strategy asks what a click was worth and moves
the bid towards that:

1. *Conversion rate.* Conversions per click over the rows given. Few clicks tell little, so the rate of all objects
   together (that tell conversions) stands in for ``prior_clicks`` further clicks.
2. *Wanted bid.* The present bid times target CPA over present CPA (cost per click over that rate). Nothing moves
   within ``tolerance`` of the target or on fewer than ``least_clicks`` clicks.
3. *Careful.* A bid moves by at most ``step`` at once, stays between ``lowest`` and ``highest``, and is cut to a
   whole ``tick``. Where nobody has converted yet, a bid only falls, and only after a whole target was spent.
4. *Budget.* Spend is taken to follow the bid. If the days to come would cost more than ``daily_budget``, raises are
   taken back and bids are lowered by a step, the dearest conversions first, until it fits or nothing is left to
   lower.

Whoever applies the plan repeats this as new figures come in; steps add up.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Final

import attrs

from adnet.errors import ConfigurationError
from adnet.models import Ad, Campaign, Plan, StatRow, Update
from adnet.money import Money
from adnet.operations.plan import count_plan, id_of, kind_of

_RUNNING: Final = frozenset({"active", "limited"})


@attrs.frozen(kw_only=True)
class TargetCpa:
    """What a conversion may cost, and how carefully bids may move towards that. All money is of one currency."""

    target: Money
    """Spend per conversion that is aimed at."""
    lowest: Money
    """No bid goes below."""
    highest: Money
    """No bid goes above."""
    daily_budget: Money | None = None
    """What all objects together may spend a day; None sets no limit."""
    step: Decimal = Decimal("0.2")
    """The largest share by which a bid moves at once."""
    tolerance: Decimal = Decimal("0.1")
    """A CPA that is off the target by less than this share is good."""
    least_clicks: int = 50
    """Fewer clicks tell nothing."""
    prior_clicks: int = 50
    """How many clicks at the rate of all objects are added to those of each."""
    tick: Decimal = Decimal("0.001")
    """Bids are whole multiples of it."""

    def __attrs_post_init__(self) -> None:
        amounts = [self.target, self.lowest, self.highest, *filter(None, [self.daily_budget])]
        if len({money.currency for money in amounts}) > 1:
            raise ConfigurationError("target, bounds and budget must be of one currency")
        if not (self.target.amount > 0 and 0 < self.lowest.amount <= self.highest.amount and self.tick > 0):
            raise ConfigurationError(
                "target, tick and bounds must be above zero, and lowest not above highest"
            )
        if not (0 < self.step < 1 and 0 <= self.tolerance < 1):
            raise ConfigurationError("step and tolerance are shares: 0.2 is a fifth")


@attrs.frozen(kw_only=True)
class BidDecision:
    """What the strategy makes of one object, and why."""

    id: str
    before: Money | None
    after: Money | None
    """The same as *before* where nothing moves."""
    reason: str
    clicks: int = 0
    conversions: int = 0
    spend: Decimal = Decimal(0)
    """Of the rows given, in the strategy's currency."""
    cpa: Decimal | None = None
    """Spend per conversion as the strategy sees it; None where it cannot be told."""

    @property
    def moves(self) -> bool:
        """Whether the bid is to change."""
        return self.before != self.after


def decide_bids(
    strategy: TargetCpa, objects: Sequence[Campaign | Ad], stats: Iterable[StatRow]
) -> list[BidDecision]:
    """Return a decision for each of *objects*, in their order.

    Args:
        strategy: What to aim at.
        objects: Campaigns or ads, with their present bids; not both kinds at once.
        stats: Daily figures of the same objects (level ``campaign`` or ``ad``), over days that have settled.

    Raises:
        ConfigurationError: Campaigns and ads are mixed.
    """
    kinds = {type(thing) for thing in objects}
    if len(kinds) > 1:
        raise ConfigurationError("give campaigns or ads, not both: they have their own levels of statistics")
    level = "ad" if Ad in kinds else "campaign"
    rows = [row for row in stats if row.level == level]
    figures = _figures(rows, strategy.target.currency)
    # Clicks whose conversions are not told would be clicks without one.
    known = [found for thing in objects if (found := figures.get(id_of(thing))) and found.told]
    clicks, conversions = sum(f.clicks for f in known), sum(f.conversions for f in known)
    prior = Decimal(conversions) / clicks if clicks else Decimal(0)
    decisions = [_decide(strategy, thing, figures.get(id_of(thing), _Figures()), prior) for thing in objects]
    return _within_budget(strategy, decisions, len({row.date for row in rows}))


def plan_bids(
    strategy: TargetCpa,
    objects: Sequence[Campaign | Ad],
    stats: Iterable[StatRow],
    *,
    network: str,
    account: str | None = None,
) -> Plan:
    """Return the plan of :func:`decide_bids`: an update for each bid that moves, counted.

    ``account.apply(plan)`` makes it unless it moves too much, ``account.plan(plan.updates)`` shows its requests.
    """
    decisions = decide_bids(strategy, objects, stats)
    return bid_plan(decisions, objects, network=network, account=account)


def bid_plan(
    decisions: Iterable[BidDecision],
    objects: Sequence[Campaign | Ad],
    *,
    network: str,
    account: str | None = None,
) -> Plan:
    """Return the plan of *decisions* about *objects*."""
    kind = kind_of(objects[0]) if objects else None
    updates = tuple(Update(one.id, {"bid": one.after}, kind) for one in decisions if one.moves)
    return Plan(network=network, account=account, updates=updates, counts=count_plan(updates, objects))


@attrs.define
class _Figures:
    """Sums over the days of one object."""

    clicks: int = 0
    conversions: int = 0
    spend: Decimal = Decimal(0)
    foreign: bool = False
    """Whether some of it was spent in another currency."""
    told: bool = False
    """Whether the network tells conversions; some do of few objects only, and not told is not none."""


def _figures(rows: Iterable[StatRow], currency: str) -> dict[str, _Figures]:
    found: dict[str, _Figures] = {}
    for row in rows:
        figures = found.setdefault(row.object_id, _Figures())
        figures.clicks += row.clicks
        if row.conversions is not None:
            figures.conversions += row.conversions
            figures.told = True
        if row.spend is not None and row.spend.currency == currency:
            figures.spend += row.spend.amount
        elif row.spend:
            figures.foreign = True
    return found


def _decide(strategy: TargetCpa, thing: Campaign | Ad, figures: _Figures, prior: Decimal) -> BidDecision:
    found = BidDecision(
        id=id_of(thing),
        before=thing.bid,
        after=thing.bid,
        reason="",
        clicks=figures.clicks,
        conversions=figures.conversions,
        spend=figures.spend,
    )
    if reason := _left_alone(strategy, thing, figures):
        return attrs.evolve(found, reason=reason)
    bid = thing.bid
    assert bid is not None
    # Conversions as if the prior clicks had been made, too; divided once only, so that whole shares stay whole.
    weighed = (figures.conversions + strategy.prior_clicks * prior) * figures.clicks
    clicks = figures.clicks + strategy.prior_clicks
    if not weighed and figures.spend < strategy.target.amount:
        return attrs.evolve(found, reason="no conversions yet")
    if not weighed:
        return attrs.evolve(found, after=_fallen(strategy, bid), reason="no conversions for the price of one")
    cpa = figures.spend * clicks / weighed
    off = strategy.target.amount * weighed / (figures.spend * clicks)
    if abs(1 - off) <= strategy.tolerance:
        return attrs.evolve(found, cpa=cpa, reason="on target")
    after = _moved(strategy, bid, off)
    reason = "cheaper than the target" if off > 1 else "dearer than the target"
    if (off > 1) == (after < bid) and after != bid:
        reason = "above the highest bid" if off > 1 else "below the lowest bid"
    return attrs.evolve(found, cpa=cpa, after=after, reason=reason)


def _left_alone(strategy: TargetCpa, thing: Campaign | Ad, figures: _Figures) -> str:
    if thing.bid is None or not thing.bid:
        return "has no bid"
    if thing.bid.currency != strategy.target.currency or figures.foreign:
        return f"is not in {strategy.target.currency}"
    if thing.status not in _RUNNING:
        return f"is {thing.status}"
    if figures.clicks < strategy.least_clicks:
        return f"has {figures.clicks} clicks, too few to tell"
    if not figures.spend:
        return "has cost nothing"
    return "" if figures.told else "has no conversions told"


def _moved(strategy: TargetCpa, bid: Money, factor: Decimal) -> Money:
    """Return *bid* times *factor*, within the bounds as far as one step leads.

    Ticks are cut towards *bid*, but where it would stay beyond a bound that lies between two of them.
    """
    lowest, highest = strategy.lowest.amount, strategy.highest.amount
    least, most = bid.amount * (1 - strategy.step), bid.amount * (1 + strategy.step)
    held = min(max(min(max(bid.amount * factor, lowest), highest), least), most)
    below, above = (
        (held / strategy.tick).to_integral_value(way) * strategy.tick for way in (ROUND_DOWN, ROUND_UP)
    )
    if held < bid.amount:
        beyond = above > highest and below >= max(lowest, least)
        return Money(below if beyond else min(above, bid.amount), bid.currency)
    if held > bid.amount:
        beyond = below < lowest and above <= min(highest, most)
        return Money(above if beyond else max(below, bid.amount), bid.currency)
    return bid


def _fallen(strategy: TargetCpa, bid: Money) -> Money:
    """Return *bid* a step lower; one at or below the lowest stays."""
    return min(bid, _moved(strategy, bid, Decimal(0)))


def _within_budget(strategy: TargetCpa, decisions: list[BidDecision], days: int) -> list[BidDecision]:
    """Return *decisions* whose spend a day fits the budget, as far as bids can see to that."""
    if strategy.daily_budget is None or not days:
        return decisions
    allowed = strategy.daily_budget.amount * days
    found = {one.id: one for one in decisions}
    dearest = sorted(decisions, key=_dearness, reverse=True)
    for lower in (_without_raise, _lowered):
        for one in dearest:
            if sum(map(_projected, found.values())) <= allowed:
                return list(found.values())
            found[one.id] = lower(strategy, found[one.id])
    return list(found.values())


def _dearness(decision: BidDecision) -> tuple[bool, Decimal]:
    """Return what sorts the dearest conversions last; those that cost money and brought none are dearest."""
    return decision.cpa is None and bool(decision.spend), decision.cpa or Decimal(0)


def _projected(decision: BidDecision) -> Decimal:
    """Return what the same days would cost at the new bid."""
    if not decision.moves or decision.before is None or decision.after is None:
        return decision.spend
    return decision.spend * decision.after.amount / decision.before.amount


def _without_raise(_: TargetCpa, decision: BidDecision) -> BidDecision:
    if decision.before is None or decision.after is None or decision.after <= decision.before:
        return decision
    return attrs.evolve(decision, after=decision.before, reason="a raise would not fit the budget")


def _lowered(strategy: TargetCpa, decision: BidDecision) -> BidDecision:
    can = decision.cpa is not None or decision.reason.startswith("no conversions")
    if not can or decision.moves or decision.before is None:
        return decision
    after = _fallen(strategy, decision.before)
    reason = decision.reason if after == decision.before else "lowered to fit the budget"
    return attrs.evolve(decision, after=after, reason=reason)
