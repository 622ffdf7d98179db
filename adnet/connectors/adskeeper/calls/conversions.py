"""Writes to conversions: operations 17 to 19. They go as JSON, since they are nested; one deletes with a body.

Source: Adskeeper advertiser API document (documented). Reading and writing use different words for the same things;
these are the words of writing.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Required, TypedDict

from adnet.connectors.adskeeper import routes, values
from adnet.connectors.adskeeper.calls.call import Call
from adnet.connectors.adskeeper.checks import Check, known
from adnet.connectors.adskeeper.shapes import number_of

Amount = Decimal | int | None
"""In the account's currency."""


class Condition(TypedDict):
    """When a conversion counts."""

    type: str
    """``starts``, ``contain`` or ``ends``."""
    value: str


class NewTarget(TypedDict, total=False):
    """A conversion target to be created for one stage, in the network's words."""

    targetType: Required[str]
    """``url``, ``event`` or ``postback``."""
    categoryId: Required[int]
    """Of the table of conversion categories."""
    cpa: Amount
    """What one is worth."""
    unique: bool
    condition: Condition
    """Of a ``url``."""
    identifier: str
    """Name of an ``event``."""


class ChosenTarget(TypedDict, total=False):
    """An existing conversion target to count for one stage, in the network's words."""

    id: Required[int | str]
    """``target_id`` of a configured stage."""
    cpa: Amount
    """None takes the price away, also where it is left out."""
    unique: bool
    """False where it is left out."""


def create(campaign_id: str, stages: Mapping[str, NewTarget]) -> Call:
    """Return operation 17: new targets for some of the stages buy, decision and interest."""
    check = _check(stages)
    for stage, target in stages.items():
        kind, condition = target["targetType"], target.get("condition")
        check.listed(stage, [target["categoryId"]], values.CONVERSION_CATEGORIES)
        check.require(kind in {"url", "event", "postback"}, stage, "targetType is url, event or postback")
        check.require(kind != "url" or condition, stage, "a url target needs a condition")
        check.require(
            kind != "event" or target.get("identifier"), stage, "an event target needs an identifier"
        )
        if condition is not None:
            known = condition["type"] in {"starts", "contain", "ends"}
            check.require(known, stage, "the condition's type is starts, contain or ends")
    body = {"stages": {stage: {"unique": False, **target} for stage, target in stages.items()}}
    notes = check.notes()
    return Call(route=routes.CREATE_CONVERSIONS, path={"campaign": campaign_id}, json=body, notes=notes)


def edit(campaign_id: str, stages: Mapping[str, ChosenTarget]) -> Call:
    """Return operation 18: which existing targets count for which stages, and what they are worth."""
    check = _check(stages)
    for target in stages.values():
        known(check, target, ChosenTarget)
    ids = [str(target["id"]) for target in stages.values()]
    check.require(all(ids), "stages", "each stage needs the id of its target")
    check.require(len(set(ids)) == len(ids), "stages", "one target cannot count for several stages")
    body = {stage: _chosen(target) for stage, target in stages.items()}
    notes = check.notes()
    return Call(
        route=routes.EDIT_CONVERSIONS, path={"campaign": campaign_id}, json={"stages": body}, notes=notes
    )


def _chosen(target: ChosenTarget) -> dict[str, object]:
    number = number_of(target["id"])
    sent = str(target["id"]) if number is None else number
    return {"id": sent, "cpa": target.get("cpa"), "unique": target.get("unique", False)}


def delete(campaign_id: str, stages: Iterable[str]) -> Call:
    """Return operation 19: a DELETE with a body, which some proxies drop."""
    names = list(stages)
    notes = _check(names).notes()
    return Call(
        route=routes.DELETE_CONVERSIONS, path={"campaign": campaign_id}, json={"stages": names}, notes=notes
    )


def _check(stages: Iterable[str]) -> Check:
    check = Check()
    names = list(stages)
    check.require(names, "stages", "at least one stage is needed")
    bad = [name for name in names if name not in values.CONVERSION_STAGES]
    check.require(not bad, "stages", f"stages are buy, decision and interest, not {', '.join(bad)}")
    return check
