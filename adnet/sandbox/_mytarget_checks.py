"""What must hold between the fields of a campaign, its targetings and its banners."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from adnet.sandbox import _mytarget_rules as rules
from adnet.sandbox._mytarget_data import Table
from adnet.sandbox._mytarget_segments import sees
from adnet.sandbox._mytarget_wire import BadField, Refused, Row, invalid
from adnet.sandbox._mytarget_world import World

READ_ONLY_CAMPAIGN = (
    "id",
    "created",
    "updated",
    "last_updated",
    "delivery",
    "issues",
    "package_priced_event_type",
    "user_id",
    "read_only",
)
READ_ONLY_PLAN = ("id", "created", "updated", "vkads_status", "user_id", "delivery", "issues")
READ_ONLY_BANNER = (
    "id",
    "created",
    "updated",
    "campaign_id",
    "ad_group_id",
    "moderation_status",
    "moderation_reasons",
    "delivery",
    "issues",
    "user_can_request_remoderation",
    "ord_marker",
    "user_id",
)
# Enough of the roles to build an ad of every seeded package.
TEXT_ROLES = {
    "title_25": 25,
    "title_40_vkads": 40,
    "text_40": 40,
    "text_90": 90,
    "text_220": 220,
    "text_2000": 2000,
    "text_long": 16_384,
    "about_company_115": 115,
    "cta_sites_full": 64,
    "cta_community_vk": 64,
}
MEDIA_ROLES = frozenset(
    {
        "image_600x600",
        "image_1080x607",
        "image_1200x627",
        "image_607x1080",
        "image_240x400",
        "icon_256x256",
        "icon_300x300",
        "video_landscape_30s",
        "video_portrait_9_16_30s",
        "html5_240x400",
    }
)
URL_ROLES = frozenset({"primary", *(f"url_slide_{n}" for n in range(1, 7))})
_TARGETINGS = frozenset(
    {
        "age",
        "sex",
        "birthday",
        "fulltime",
        "geo",
        "interests",
        "interests_soc_dem",
        "interests_stable",
        "segments",
        "pads",
        "pad_category",
        "mobile_types",
        "mobile_operation_systems",
        "mobile_operators",
        "mobile_vendors",
        "mobile_prefix",
        "mobile_apps",
        "group_members",
        "device_types",
        "browser",
        "mobile_operation_systems_sk_ad_network",
        "split_audience",
    }
)
_AGES = frozenset({0, *range(12, 76)})


def clean_campaign(world: World, user_id: int, body: Row, stored: Row | None = None) -> Row:
    """
    Return the values of a campaign to create, or of a partial update of *stored*.

    Nested banners come back clean, too.

    Raises:
        Refused: 400 in the validation envelope.
    """
    table = rules.GROUP if world.profile.vk else rules.CAMPAIGN
    clean = rules.parsed(body, table, creating=stored is None, readable=READ_ONLY_CAMPAIGN)
    leaves: Row = {}
    merged = {**(stored or {}), **clean}
    for name, check in _CAMPAIGN_CHECKS.items():
        if name in clean:
            try:
                check(world, user_id, merged, stored)
            except BadField as bad:
                leaves[name] = bad.leaf
    if "banners" in clean:
        clean["banners"] = _nested(world, user_id, clean["banners"], leaves)
    if leaves:
        raise invalid(leaves)
    return clean


def clean_banner(world: World, user_id: int, body: Row, stored: Row | None = None) -> Row:
    """Return the values of a banner; refuses like `clean_campaign`."""
    clean = rules.parsed(body, rules.BANNER, creating=stored is None, readable=READ_ONLY_BANNER)
    leaves: Row = {}
    for name, check in _BANNER_CHECKS.items():
        if name in clean:
            try:
                check(world, user_id, clean[name])
            except BadField as bad:
                leaves[name] = bad.leaf
    if leaves:
        raise invalid(leaves)
    return clean


def clean_plan(world: World, user_id: int, body: Row, stored: Row | None = None) -> Row:
    """Return the values of an ad plan; its groups come clean under `campaigns`."""
    clean = rules.parsed(body, rules.AD_PLAN, creating=stored is None, readable=READ_ONLY_PLAN)
    leaves: Row = {}
    for name in ("budget_limit", "budget_limit_day", "max_price"):
        if clean.get(name) is not None:
            _leaf_of_step(world, name, clean[name], leaves)
    if stored is None:
        groups = clean.pop("ad_groups", None) or clean.pop("campaigns", None)
        if not groups:
            raise invalid({"campaigns": {"code": "required", "message": "Field is required"}})
        clean["campaigns"] = _nested(world, user_id, groups, leaves, word="ad_groups")
    if leaves:
        raise invalid(leaves)
    return clean


def _nested(world: World, user_id: int, items: list[Any], leaves: Row, *, word: str = "banners") -> list[Row]:
    """Clean the children of a create; what is wrong stands under `items` by position."""
    check = clean_banner if word == "banners" else clean_campaign
    clean: list[Row] = []
    found: list[Row] = []
    for item in items:
        try:
            if not isinstance(item, dict):
                raise invalid({"": {"code": "bad_items", "message": "An object is expected"}})
            clean.append(check(world, user_id, item))
            found.append({})
        except Refused as refusal:
            error = refusal.body["error"]
            found.append({"fields": error["fields"]} if "fields" in error else error)
    if any(found):
        leaves[word] = {"items": found}
    return clean


def _leaf_of_step(world: World, name: str, value: str, leaves: Row) -> None:
    try:
        _step(world, value)
    except BadField as bad:
        leaves[name] = bad.leaf


def _step(world: World, value: str) -> None:
    step = Decimal(world.knobs.budget_limit_step)
    if Decimal(value) > 0 and Decimal(value) % step:
        raise BadField("step", "Value must be a multiple of step", arguments={"step": str(step)})


def _package(world: World, _user_id: int, merged: Row, stored: Row | None) -> None:
    package = world.packages.get(merged["package_id"])
    if package is None or package["status"] != "active":
        raise BadField("invalid_package", "Unknown or closed package")
    before = stored["package_id"] if stored else package["id"]
    if before != package["id"] and package["id"] not in world.packages[before]["related_package_ids"]:
        raise BadField("can_not_set", "The package cannot be changed to this one")


def _objective(world: World, _user_id: int, merged: Row, _stored: Row | None) -> None:
    package = world.packages.get(merged["package_id"])
    if package is not None and merged["objective"] not in package["objective"]:
        raise BadField(
            "not_allowed_for_package",
            "Objective is not allowed for the package",
            allowed_values=package["objective"],
        )


def _price(name: str) -> Any:
    def check(world: World, _user_id: int, merged: Row, _stored: Row | None) -> None:
        package = world.packages.get(merged["package_id"])
        top = package["max_price_per_unit"] if package else None
        if top is not None and Decimal(merged[name]) > Decimal(top):
            raise BadField(
                "max_value",
                "Value is more than maximum allowed",
                arguments={"max_value": top},
            )

    return check


def _budget(name: str) -> Any:
    def check(world: World, _user_id: int, merged: Row, _stored: Row | None) -> None:
        if merged[name] is not None:
            _step(world, merged[name])

    return check


def _mixing(_world: World, _user_id: int, merged: Row, _stored: Row | None) -> None:
    period = merged.get("budget_limit") and merged.get("date_end")
    if merged["mixing"] == "recommended" and not (merged.get("budget_limit_day") or period):
        raise BadField("recommended_not_available", "Set a daily budget, or a budget and a period")


def _dates(_world: World, _user_id: int, merged: Row, _stored: Row | None) -> None:
    start, end = merged.get("date_start"), merged.get("date_end")
    if start and end and date.fromisoformat(end) < date.fromisoformat(start):
        raise BadField("bad_value", "date_end is before date_start")


def _ad_plan(world: World, user_id: int, merged: Row, _stored: Row | None) -> None:
    plan = world.objects.ad_plans.rows.get(merged["ad_plan_id"] or 0)
    if plan is None or plan["user_id"] != user_id:
        raise BadField("bad_value", "Unknown ad plan")


def _targetings(world: World, user_id: int, merged: Row, _stored: Row | None) -> None:
    given = merged["targetings"]
    unknown = sorted(set(given) - _TARGETINGS)
    if unknown:
        raise BadField("unallowed_field", f"Unknown targetings: {', '.join(unknown)}")
    for name, check in _TARGETING_CHECKS.items():
        if given.get(name) is not None:
            check(world, user_id, given[name])


def _within(values: Any, allowed: frozenset[Any]) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, int | str) and value in allowed for value in values
    )


def _row_of(table: Table, reference: Any, user_id: int) -> Row | None:
    """Return the user's row that `{"id": N}` means; None for anything else."""
    number = reference.get("id") if isinstance(reference, dict) else None
    row = table.rows.get(number) if isinstance(number, int) else None
    return row if row is not None and row["user_id"] == user_id else None


def _age(_world: World, _user_id: int, value: Any) -> None:
    ages = value.get("age_list") if isinstance(value, dict) else None
    if not _within(ages, _AGES):
        raise BadField("bad_items", "age_list takes 0 and 12 to 75")


def _sex(_world: World, _user_id: int, value: Any) -> None:
    if not _within(value, frozenset({"male", "female"})):
        raise BadField("bad_items", "sex takes male and female")


def _geo(_world: World, _user_id: int, value: Any) -> None:
    if not isinstance(value, dict) or ("regions" in value) == ("local_geo" in value):
        raise BadField("unallowed_value", "geo takes either regions or local_geo")


def _fulltime(_world: World, _user_id: int, value: Any) -> None:
    hours = [v for k, v in value.items() if k != "flags"] if isinstance(value, dict) else []
    if sum(len(day) for day in hours if isinstance(day, list)) < 8:
        raise BadField("min_translation_hours", "At least 8 hours a week are needed")


def _segments(world: World, user_id: int, value: Any) -> None:
    known = world.audiences.segments.rows
    if not isinstance(value, list):
        raise BadField("bad_items", "segments takes a list of ids", value=[value])
    for number in value:
        row = known.get(abs(number)) if isinstance(number, int) else None
        if row is None or not sees(world, user_id, row):
            raise BadField("bad_items", f"Unknown segment {number}", value=[number])


_TARGETING_CHECKS = {
    "age": _age,
    "sex": _sex,
    "geo": _geo,
    "fulltime": _fulltime,
    "segments": _segments,
}
_CAMPAIGN_CHECKS: Mapping[str, Any] = {
    "package_id": _package,
    "objective": _objective,
    "price": _price("price"),
    "max_price": _price("max_price"),
    "budget_limit": _budget("budget_limit"),
    "budget_limit_day": _budget("budget_limit_day"),
    "mixing": _mixing,
    "date_start": _dates,
    "date_end": _dates,
    "ad_plan_id": _ad_plan,
    "targetings": _targetings,
}


def _urls(world: World, user_id: int, value: Row) -> None:
    _roles(value, URL_ROLES)
    if "primary" not in value:
        raise BadField("required_value", "The role primary is required")
    for role, link in value.items():
        if not isinstance(link, dict) or "id" not in link:
            raise BadField("required", f"{role} takes the id of a registered URL")
        if "url" in link:
            raise BadField("read_only_field", "url is read only; send the id")
        row = _row_of(world.objects.urls, link, user_id)
        if row is None:
            raise BadField("url_not_valid", f"Unknown URL {link['id']}")
        if not row["url_types"]:
            raise BadField("url_not_checked", "The URL has not been checked yet")


def _content(world: World, user_id: int, value: Row) -> None:
    _roles(value, MEDIA_ROLES)
    for role, media in value.items():
        if _row_of(world.objects.contents, media, user_id) is None:
            raise BadField("object_required", f"Unknown content for {role}")


def _textblocks(_world: World, _user_id: int, value: Row) -> None:
    _roles(value, frozenset(TEXT_ROLES))
    for role, block in value.items():
        words = block.get("text") if isinstance(block, dict) else None
        if not isinstance(words, str) or not words:
            raise BadField("required", f"{role} takes a text")
        if len(words) > TEXT_ROLES[role]:
            raise BadField(
                "bad_length",
                f"{role} is too long",
                arguments={"max_length": TEXT_ROLES[role]},
            )


def _roles(value: Row, known: frozenset[str]) -> None:
    unknown = sorted(set(value) - known)
    if unknown:
        raise BadField("unallowed_field", f"Unknown roles: {', '.join(unknown)}")


_BANNER_CHECKS = {"urls": _urls, "content": _content, "textblocks": _textblocks}
