"""What a plan moves, counted, and the safety catch before it is applied.

A script that is wrong by a factor of a hundred spends a month's budget in an afternoon. So a plan is counted
against what is there, and one that moves too much is refused unless it is forced. Nothing here sends anything.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from math import isnan
from typing import Any, Final

import attrs

from adnet.errors import ConfigurationError, UnsafePlanError
from adnet.models import Ad, Campaign, Plan, Update
from adnet.money import Money, exact

_BUDGETS: Final = ("daily_budget", "total_budget", "daily_clicks", "total_clicks")
_MEASURES: Final[Mapping[str, str]] = {**dict.fromkeys(_BUDGETS, "budget"), "bid": "bid"}
"""Field -> what it is part of. Limits that a network counts in clicks are budgets, too."""

_VERBS: Final = {"paused": "pauses", "resumed": "starts", "deleted": "deletes"}
"""Count -> what a plan does to so many objects."""


@attrs.frozen(kw_only=True)
class PlanLimits:
    """How much a plan may move without being forced."""

    budget_share: Decimal = Decimal("0.5")
    """Of the present sum of the budgets that it touches, raised or lowered."""
    bid_share: Decimal = Decimal("0.5")
    """Of the present sum of the bids that it touches, raised or lowered."""
    paused: int = 20
    """Objects that it pauses."""
    resumed: int = 20
    """Objects that it starts: each of them spends from then on."""
    deleted: int = 0
    """Objects that it deletes."""

    def __attrs_post_init__(self) -> None:
        for name, allowed in attrs.asdict(self).items():
            if isnan(allowed) or allowed < 0:
                raise ConfigurationError(f"{name} is {allowed}: what a plan may move is zero or more")


def count_plan(
    updates: Iterable[Update],
    present: Iterable[Campaign | Ad],
    *,
    deleted: Sequence[str] = (),
    paid_extra: Collection[str] = (),
) -> dict[str, Any]:
    """Return what *updates* and deletions move, measured against the *present* objects.

    *paid_extra* are the keys of ``extra`` that move what is paid; see ``Connector.paid_extra``.

    Each kind of budget and each currency is measured apart, and the largest share counts. A sum is over the objects
    whose value changes, not over the account: doubling one budget of many is a share of 1. Of several updates of one
    object the later ones count, field by field.

    Returns:
        ``updates``, ``paused``, ``resumed`` and ``deleted`` count objects. ``budget_up``, ``budget_down``, ``bid_up``
        and ``bid_down`` are shares of the present sums (0.25 is a quarter; what rises from zero is infinite), and
        ``bid_factor`` is the highest factor on a source, zero where none is set.
        ``budget_change`` is the share by which the sum moves in the end. ``unlimited`` counts budgets that are taken
        away or set to nothing, ``unseen`` budgets and bids that change on objects whose present value is not
        known, bids that come or go, and amounts of *paid_extra*. Where deleted is a status, updates to it count as
        deletions.
    """
    objects = {(kind_of(thing), id_of(thing)): thing for thing in present}
    changed = [update for update in updates if update]
    moves = [move for update in _settled(changed) for move in _moves(update, _present(objects, update))]
    known = [move for move in moves if move.before is not None and move.after is not None]
    paid = [one for update in changed for one in _paid(update, paid_extra)]
    return {
        "updates": len(changed),
        "paused": sum(update.fields.get("status") == "paused" for update in changed),
        "resumed": sum(update.fields.get("status") == "active" for update in changed),
        "deleted": len(deleted) + sum(update.fields.get("status") == "deleted" for update in changed),
        **_shares(known),
        "bid_factor": max(_factors(paid), default=Decimal(0)),
        "unlimited": sum(move.part == "budget" and move.after is None and move.seen for move in moves),
        "unseen": sum(not move.seen for move in moves) + sum(not isinstance(one, Mapping) for one in paid),
    }


def check_plan(
    plan: Plan, limits: PlanLimits | None = None, *, force: bool = False, paid_extra: Collection[str] = ()
) -> None:
    """Refuse a plan that moves too much, by its ``counts``; see :func:`count_plan`.

    Args:
        plan: With counts; without any, or with more updates than they are of, its updates are counted, and amounts
            whose present value is not known count as too much.
        limits: How much is allowed.
        force: Whether to let it pass all the same.
        paid_extra: As for :func:`count_plan`.

    Raises:
        UnsafePlanError: It moves more than *limits* allow; the message names every limit, the error has the counts.
    """
    limits = limits or PlanLimits()
    counts, number = plan.counts, sum(map(bool, plan.updates))
    if not counts or counts.get("updates", number) < number:
        counts = count_plan(plan.updates, (), paid_extra=paid_extra)
    reasons = [] if force else list(_reasons(counts, limits))
    if reasons:
        raise UnsafePlanError(
            f"this plan {', '.join(reasons)}; nothing was sent",
            network=plan.network,
            account=plan.account,
            counts=dict(counts),
            limits=attrs.asdict(limits),
        )


def _reasons(counts: Mapping[str, Any], limits: PlanLimits) -> Iterable[str]:
    shares = {"budget": limits.budget_share, "bid": limits.bid_share}
    for name, allowed in shares.items():
        for way, verb in (("up", "raises"), ("down", "lowers")):
            share = counts.get(f"{name}_{way}", Decimal(0))
            if share > allowed:
                yield f"{verb} {name}s by {_percent(share)} in total (allowed: {_percent(allowed)})"
    if (factor := counts.get("bid_factor", Decimal(0))) > 1 + limits.bid_share:
        yield f"pays {factor:f} times the price on a source (allowed: {1 + limits.bid_share:f})"
    for name, verb in _VERBS.items():
        if (count := counts.get(name, 0)) > (most := getattr(limits, name)):
            yield f"{verb} {_many(count, 'object')} (allowed: {most})"
    if unlimited := counts.get("unlimited", 0):
        yield f"takes away {_many(unlimited, 'budget')}, so that spend has no limit"
    if unseen := counts.get("unseen", 0):
        yield f"changes {_many(unseen, 'amount')} whose present value is not known"


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _percent(share: Decimal) -> str:
    return f"{share * 100:.0f} %" if share.is_finite() else "more than everything"


@attrs.frozen
class _Move:
    """One field of one object, before and after."""

    part: str
    measure: str
    """Amounts of one measure add up: a field and its currency."""
    before: Decimal | None
    after: Decimal | None
    seen: bool
    """Whether the present value is known, in the same currency; no budget is known, too: no limit. Of what is no amount
    nobody knows what it moves, either."""


def _settled(updates: Iterable[Update]) -> Iterable[Update]:
    """Return one update for each object, with what it has in the end: its present value counts once."""
    found: dict[tuple[str | None, str], Update] = {}
    for update in updates:
        before = found.get((update.kind, update.id), update)
        found[update.kind, update.id] = attrs.evolve(update, fields={**before.fields, **update.fields})
    return found.values()


def _moves(update: Update, thing: Campaign | Ad | None) -> Iterable[_Move]:
    for name, part in _MEASURES.items():
        if name not in update.fields:
            continue
        value, old = update.fields[name], getattr(thing, name, None)
        units = {one.currency for one in (value, old) if isinstance(one, Money)}
        # No budget is no limit; but a bid that comes or goes is no share of anything.
        told = part == "budget" or (value is None) == (old is None)
        seen = thing is not None and len(units) < 2 and told and _is_amount(value)
        before, after = (_amount(old), _amount(value)) if seen else (None, None)
        if before != after or not seen:
            # At some networks a limit of nothing is no limit; whoever means to stop, pauses.
            left = None if part == "budget" and after is not None and after <= 0 else after
            yield _Move(part, f"{name} {min(units, default='')}", before, left, seen)


def _paid(update: Update, names: Collection[str]) -> Iterable[Any]:
    """Yield what *update* sets beside the fields that all networks share, and that is paid."""
    for part in ("tracking", "extra"):
        nested = update.fields.get(part)
        yield from (nested[name] for name in names if name in nested) if isinstance(nested, Mapping) else ()


def _factors(paid: Iterable[Any]) -> Iterable[Decimal]:
    """Yield by what prices on sources are multiplied; what is no number is as much as can be."""
    return (_factor(value) for factors in paid if isinstance(factors, Mapping) for value in factors.values())


def _factor(value: Any) -> Decimal:
    try:
        return exact(str(value))
    except ValueError:
        return Decimal("Infinity")


def _shares(moves: Sequence[_Move]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for part in ("budget", "bid"):
        of_part = [move for move in moves if move.part == part]
        measures = {move.measure: [m for m in of_part if m.measure == move.measure] for move in of_part}
        ups = [_share(group, 1) for group in measures.values()]
        downs = [_share(group, -1) for group in measures.values()]
        found[f"{part}_up"] = max(ups, default=Decimal(0))
        found[f"{part}_down"] = max(downs, default=Decimal(0))
        if part == "budget":
            found["budget_change"] = max(
                (u - d for u, d in zip(ups, downs, strict=True)), key=abs, default=Decimal(0)
            )
    return found


def _share(moves: Sequence[_Move], way: int) -> Decimal:
    """Return what *moves* of one measure add up to in one direction, as a share of what is there."""
    there = sum((move.before for move in moves if move.before is not None), Decimal(0))
    differences = (way * ((move.after or 0) - (move.before or 0)) for move in moves)
    moved = sum((max(Decimal(0), Decimal(difference)) for difference in differences), Decimal(0))
    if not moved:
        return Decimal(0)
    return moved / there if there else Decimal("Infinity")


def _amount(value: Any) -> Decimal | None:
    if value is None:
        return None
    return value.amount if isinstance(value, Money) else exact(value)


def _is_amount(value: Any) -> bool:
    """Whether it can be told what *value* moves; the network has yet to refuse what is none."""
    try:
        _amount(value)
    except ValueError:
        return False
    return True


def id_of(thing: Campaign | Ad) -> str:
    """Return an object's id."""
    return thing.campaign_id if isinstance(thing, Campaign) else thing.ad_id


def kind_of(thing: Campaign | Ad) -> str:
    """Return what updates of an object are of."""
    return "campaigns" if isinstance(thing, Campaign) else "ads"


def _present(objects: Mapping[tuple[str, str], Campaign | Ad], update: Update) -> Campaign | Ad | None:
    """Return the object of *update*; None where there is none, or where it may be either of two."""
    kinds = (update.kind,) if update.kind else ("campaigns", "ads")
    found = [objects[kind, update.id] for kind in kinds if (kind, update.id) in objects]
    return found[0] if len(found) == 1 else None
