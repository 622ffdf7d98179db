"""Writes to conversions: operations 17 to 19. They go as JSON, since they are nested; one deletes with a body.

Source: Adskeeper advertiser API document (documented). Reading and writing use different words for the same things;
these are the words of writing.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from adnet.connectors.adskeeper import routes, values
from adnet.connectors.adskeeper.calls.call import Call
from adnet.connectors.adskeeper.checks import Check


@attrs.frozen(kw_only=True)
class NewTarget:
    """A conversion target to be created for one stage."""

    kind: str
    """``url``, ``event`` or ``postback``."""
    category: int
    """Of the table of conversion categories."""
    cpa: Decimal | None = None
    """What one is worth, in the account's currency."""
    unique: bool = False
    condition: tuple[str, str] | None = None
    """How a URL is compared (``starts``, ``contain``, ``ends``) and with what."""
    identifier: str | None = None
    """Name of an event."""


@attrs.frozen(kw_only=True)
class ChosenTarget:
    """An existing conversion target to count for one stage."""

    target_id: str
    cpa: Decimal | None = None
    """None means no price, and is sent."""
    unique: bool = False


def create(campaign_id: str, stages: Mapping[str, NewTarget]) -> Call:
    """Return operation 17: new targets for some of the stages buy, decision and interest."""
    check = _check(stages)
    for stage, target in stages.items():
        check.listed(stage, [target.category], values.CONVERSION_CATEGORIES)
        known = target.kind in {"url", "event", "postback"}
        check.require(known, stage, "targetType is url, event or postback")
        if target.kind == "url":
            check.require(target.condition, stage, "a url target needs a condition")
        if target.kind == "event":
            check.require(target.identifier, stage, "an event target needs an identifier")
        if target.condition is not None and target.condition[0] not in {"starts", "contain", "ends"}:
            check.require(False, stage, "the condition's type is starts, contain or ends")
    body = {"stages": {stage: _new(target) for stage, target in stages.items()}}
    notes = check.notes("the conversions")
    return Call(route=routes.CREATE_CONVERSIONS, path={"campaign": campaign_id}, json=body, notes=notes)


def _new(target: NewTarget) -> dict[str, Any]:
    row: dict[str, Any] = {
        "cpa": target.cpa,
        "unique": target.unique,
        "targetType": target.kind,
        "categoryId": target.category,
    }
    if target.condition is not None:
        row["condition"] = {"type": target.condition[0], "value": target.condition[1]}
    if target.identifier is not None:
        row["identifier"] = target.identifier
    return row


def edit(campaign_id: str, stages: Mapping[str, ChosenTarget]) -> Call:
    """Return operation 18: which existing targets count for which stages, and what they are worth."""
    check = _check(stages)
    ids = [target.target_id for target in stages.values()]
    check.require(all(ids), "stages", "each stage needs the id of its target")
    check.require(len(set(ids)) == len(ids), "stages", "one target cannot count for several stages")
    body = {stage: _chosen(target) for stage, target in stages.items()}
    notes = check.notes("the conversions")
    return Call(
        route=routes.EDIT_CONVERSIONS, path={"campaign": campaign_id}, json={"stages": body}, notes=notes
    )


def _chosen(target: ChosenTarget) -> dict[str, Any]:
    number = int(target.target_id) if target.target_id.isdigit() else target.target_id
    return {"id": number, "cpa": target.cpa, "unique": target.unique}


def delete(campaign_id: str, stages: Iterable[str]) -> Call:
    """Return operation 19: a DELETE with a body, which some proxies drop."""
    names = list(stages)
    notes = _check(names).notes("the conversions")
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
