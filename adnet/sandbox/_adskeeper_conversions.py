"""
Operations 15 to 19 of the Adskeeper imitation: conversions.

Reading and writing use different words for the same things (target_id and id,
type and targetType, conditions and condition, price and cpa), as documented.

Source: Adskeeper advertiser API document, "Retrieving conversion targets for a
client" to "Delete conversion target".
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from adnet.sandbox._adskeeper_call import Call, id_of, refuse
from adnet.sandbox._adskeeper_shapes import conversion_list
from adnet.sandbox._adskeeper_state import Campaign, Condition, Stage, Target
from adnet.sandbox._adskeeper_values import CONVERSION_STAGES

__all__ = [
    "client_targets",
    "create_conversions",
    "delete_conversions",
    "get_conversions",
    "patch_conversions",
]

CATEGORIES = range(1, 10)
TYPES = ("url", "event", "postback")
CONDITIONS = ("starts", "contain", "ends")
INVALID = "ERROR_INVALID_PARAMETER"
"""The document names no refusals for creating and deleting; this is its siblings' word."""


def client_targets(call: Call) -> dict[str, Any]:
    """Operation 15: the client's latest target of each stage; it tells no ids."""
    call.served.append(15)
    stages = {target.stage: _target_shape(target) for target in call.account.targets.values()}
    return {"stages": call.dialect.mapping(stages)}


def _target_shape(target: Target) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "cpa": None if target.cpa is None else float(target.cpa),
        "unique": target.unique,
        "targetType": target.type,
        "categoryId": target.category,
    }
    if target.condition is not None:
        shape["condition"] = {"type": target.condition.type, "value": target.condition.value}
    return shape


def get_conversions(call: Call) -> list[dict[str, Any]]:
    """Operation 16: none to three stages, as a list."""
    campaign = call.campaign(deleted=True)
    call.served.append(16)
    return conversion_list(call, campaign)


def create_conversions(call: Call) -> dict[str, Any]:
    """Operation 17: new targets, put to use at once."""
    campaign = call.campaign()
    made = [_new_target(call, name, order) for name, order in _stages(call).items()]
    for target in made:
        call.account.targets[target.id] = target
        campaign.conversions[target.stage] = Stage(target.id, target.cpa, target.unique)
    call.served.append(17)
    return {"id": campaign.id}


def _new_target(call: Call, stage: str, order: Mapping[str, Any]) -> Target:
    kind, category = order.get("targetType"), order.get("categoryId")
    if kind not in TYPES or not isinstance(category, int) or category not in CATEGORIES:
        raise refuse(INVALID)
    return Target(
        id=call.account.next_id(),
        stage=stage,
        type=kind,
        category=category,
        condition=_condition(kind, order),
        cpa=_cpa(order),
        unique=order.get("unique") is True,
    )


def _condition(kind: str, order: Mapping[str, Any]) -> Condition | None:
    if kind == "event":
        return Condition("contain", str(order.get("identifier") or ""))
    given = order.get("condition")
    if kind == "postback" and not given:
        return None
    if not isinstance(given, dict) or given.get("type") not in CONDITIONS:
        raise refuse(INVALID)
    return Condition(given["type"], str(given.get("value") or ""))


def _cpa(order: Mapping[str, Any]) -> Decimal | None:
    value = order.get("cpa")
    if value is None:
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise refuse(INVALID) from None


def _stages(call: Call) -> dict[str, Mapping[str, Any]]:
    stages = call.params.literal("stages")
    if not isinstance(stages, dict) or not stages or not set(stages) <= set(CONVERSION_STAGES):
        raise refuse(INVALID)
    if not all(isinstance(order, dict) for order in stages.values()):
        raise refuse(INVALID)
    return stages


def patch_conversions(call: Call) -> dict[str, Any]:
    """
    Operation 18: which targets count for which stage, and what one is worth.

    Raises:
        Refusal: One of the six documented reasons.
    """
    campaign = _editable(call)
    stages = {name: _chosen(call, order) for name, order in _stages(call).items()}
    others = {name: stage for name, stage in campaign.conversions.items() if name not in stages}
    targets = [stage.target for stage in (*stages.values(), *others.values())]
    if len(set(targets)) < len(targets):
        raise refuse("CONVERSION_TARGET_UNIQUE_ERROR")
    campaign.conversions.update(stages)
    call.served.append(18)
    return {"id": campaign.id}


def _editable(call: Call) -> Campaign:
    number = call.path["campaign"]
    if not id_of(number):
        raise refuse("ERROR_NOT_VALID_CAMPAIGN_ID")
    campaign = call.campaign()
    if campaign.foreign_conversions:
        raise refuse("ERROR_CAMPAIGN_HAS_ANOTHER_CONVERSIONS_DATA_SOURCE")
    return campaign


def _chosen(call: Call, order: Mapping[str, Any]) -> Stage:
    text = str(order.get("id") or "")
    if not text:
        raise refuse("TARGET_ID_EMPTY")
    target = id_of(text)
    if target not in call.account.targets:
        raise refuse("TARGET_ID_INVALID")
    return Stage(target, _cpa(order), order.get("unique") is True)


def delete_conversions(call: Call) -> dict[str, Any]:
    """Operation 19: a DELETE with a body; stages not configured are passed over."""
    campaign = call.campaign()
    stages = call.params.words("stages")
    if not stages or not set(stages) <= set(CONVERSION_STAGES):
        raise refuse(INVALID)
    for stage in stages:
        campaign.conversions.pop(stage, None)
    call.served.append(19)
    return {"id": campaign.id}
