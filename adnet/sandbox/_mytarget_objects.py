"""Campaigns, ad plans, ad groups and banners: lists, writes, mass actions, moderation.

Source: VK Ads documentation of AdGroups, AdPlans, Banners and their mass
actions (documented), in myTarget's vocabulary and in VK's.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any, TypeAlias, TypeGuard

import attrs
from aiohttp import web

from adnet.sandbox import _mytarget_checks as checks
from adnet.sandbox import _mytarget_query as query
from adnet.sandbox._mytarget_closing import forget_left
from adnet.sandbox._mytarget_data import Life, Table, banned_reasons, campaign_defaults
from adnet.sandbox._mytarget_views import PLAN_FIELDS, PLAN_LISTING, banner_listing, campaign_listing, reader
from adnet.sandbox._mytarget_wire import (
    Action,
    Call,
    Endpoint,
    Refused,
    Row,
    empty,
    moscow_day,
    ok,
    partial_update,
    refused,
)
from adnet.sandbox._mytarget_world import World

Clean: TypeAlias = Callable[[World, int, Row, Row | None], Row]

MASS_LIMIT = 200
BANNED_WORD = "casino"
"""A banner with this in a text is banned by the moderators, any other allowed."""
_CAMPAIGN_MASS = frozenset(
    {
        "status",
        "targetings",
        "budget_limit",
        "budget_limit_day",
        "date_start",
        "date_end",
        "max_price",
        "price",
    }
)
_PLAN_MASS = frozenset({"status", "budget_limit_day", "date_start", "date_end", "max_price"})


@attrs.frozen(kw_only=True)
class Kind:
    """One sort of object under one name."""

    word: str
    """Plural, as in paths and error keys."""
    singular: str
    resource: str
    table: Callable[[World], Table]
    listing: query.Listing
    clean: Clean
    mass: frozenset[str]


def _kinds(*, vk: bool) -> dict[str, Kind]:
    campaigns = partial(
        Kind,
        resource="CAMPAIGN",
        table=lambda world: world.objects.campaigns,
        listing=campaign_listing(vk=vk),
        clean=checks.clean_campaign,
        mass=_CAMPAIGN_MASS,
    )
    banners = Kind(
        word="banners",
        singular="banner",
        resource="BANNER",
        table=lambda world: world.objects.banners,
        listing=banner_listing(vk=vk),
        clean=checks.clean_banner,
        mass=frozenset({"status"}),
    )
    plans = Kind(
        word="ad_plans",
        singular="ad_plan",
        resource="AD_PLAN",
        table=lambda world: world.objects.ad_plans,
        listing=PLAN_LISTING,
        clean=checks.clean_plan,
        mass=_PLAN_MASS,
    )
    found = [campaigns(word="campaigns", singular="campaign"), banners]
    if vk:
        found += [plans, campaigns(word="ad_groups", singular="ad_group")]
    return {kind.word: kind for kind in found}


# Reading.


def list_objects(kind: Kind, world: World, call: Call) -> web.Response:
    """GET /<kind>.json."""
    found = query.collection(
        call,
        kind.listing,
        kind.table(world).of(call.user_id),
        reader(world),
        over_limit=world.knobs.over_limit,
    )
    world.ledger.grouped(f"{kind.word}.list", len(found["items"]))
    return ok(found)


def read_object(kind: Kind, world: World, call: Call) -> web.Response:
    """GET /<kind>/<id>.json."""
    row = kind.table(world).get(call.user_id, call.number())
    fields = query.chosen_fields(call, kind.listing)
    world.ledger.grouped(f"{kind.word}.get", 1)
    return ok(query.project(row, fields, reader(world)))


# Creating.


def create_campaign(kind: Kind, world: World, call: Call) -> web.Response:
    """POST /campaigns.json or /ad_groups.json, with nested banners."""
    clean = checks.clean_campaign(world, call.user_id, call.object())
    answer = _store_campaign(world, call.user_id, clean)
    world.ledger.grouped(f"{kind.word}.create", 1 + len(answer.get("banners", ())))
    return ok(answer)


def create_plan(world: World, call: Call) -> web.Response:
    """POST /ad_plans.json with nested groups, and banners in them."""
    clean = checks.clean_plan(world, call.user_id, call.object())
    groups = clean.pop("campaigns")
    row = world.objects.ad_plans.add(
        {
            **dict.fromkeys(PLAN_FIELDS),
            "status": "active",
            "max_price": "0",
            **clean,
            "user_id": call.user_id,
            **_new(world),
        }
    )
    row["_life"].bound(date.min, row)
    _live(world, row, active=row["status"] == "active")
    made = [_store_campaign(world, call.user_id, g, plan_id=row["id"]) for g in groups]
    count = 1 + len(made) + sum(len(group.get("banners", ())) for group in made)
    world.ledger.grouped("ad_plans.create", count)
    return ok({"id": row["id"], "ad_groups": made})


def create_banner(kind: Kind, world: World, call: Call) -> web.Response:
    """POST /campaigns/<id>/banners.json."""
    campaign = kind.table(world).get(call.user_id, call.number())
    if campaign["status"] == "deleted":
        raise refused(400, f"{kind.singular}_deleted", f"{_title(kind)} is deleted")
    clean = checks.clean_banner(world, call.user_id, call.object())
    world.ledger.grouped("banners.create", 1)
    return ok({"id": _store_banner(world, call.user_id, campaign["id"], clean)})


def _store_campaign(world: World, user_id: int, clean: Row, *, plan_id: int | None = None) -> Row:
    banners = clean.pop("banners", None)
    objective = world.packages[clean["package_id"]]["objective"][0]
    row = world.objects.campaigns.add(
        {**campaign_defaults(), "objective": objective, **clean, "user_id": user_id, **_new(world)}
    )
    if plan_id is not None:
        row["ad_plan_id"] = plan_id
    row["_life"].bound(date.min, row)
    _live(world, row, active=row["status"] == "active")
    answer: Row = {"id": row["id"]}
    if banners is not None:
        made = [{"id": _store_banner(world, user_id, row["id"], item)} for item in banners]
        answer["banners"] = made
    return answer


def _store_banner(world: World, user_id: int, campaign_id: int, clean: Row) -> int:
    row = world.objects.banners.add(
        {
            "name": "",
            "status": "active",
            "content": {},
            "textblocks": {},
            **clean,
            "user_id": user_id,
            "campaign_id": campaign_id,
            **_new(world),
            "_duty": 700,
        }
    )
    _moderate(world, row)
    return int(row["id"])


def _new(world: World) -> Row:
    now = world.stamp()
    return {"created": now, "updated": now, "last_updated": now, "_life": Life()}


def _live(world: World, row: Row, *, active: bool, moment: datetime | None = None) -> None:
    day = moscow_day(moment) if moment is not None else world.today()
    if active:
        row["_life"].start(day)
    else:
        row["_life"].stop(day)


def _moderate(world: World, row: Row) -> None:
    """Put a banner before the moderators, who decide after a while."""
    row["moderation_status"], row["moderation_reasons"] = "pending", []
    row["_asked"] = row.get("_asked", 0) + 1
    row["_life"].stop(world.today())
    turn = row["_asked"]

    def decide(moment: datetime) -> None:
        if row["_asked"] != turn:
            return
        banned = BANNED_WORD in str(row["textblocks"]).lower()
        row["moderation_status"] = "banned" if banned else "allowed"
        row["moderation_reasons"] = banned_reasons() if banned else []
        if not banned and row["status"] == "active":
            _live(world, row, active=True, moment=moment)

    world.later(world.knobs.moderation_s, decide)


# Changing.


def update_object(kind: Kind, world: World, call: Call) -> web.Response:
    """POST (or PATCH, by a switch) /<kind>/<id>.json with the changed fields."""
    row = kind.table(world).get(call.user_id, call.number())
    clean = kind.clean(world, call.user_id, call.object(), row)
    if row["status"] == "deleted" and "status" not in clean:
        raise refused(400, f"{kind.singular}_deleted", f"{_title(kind)} is deleted")
    world.ledger.updated(kind.word, row["id"], call.method, _unchanged(row, clean))
    world.ledger.grouped(f"{kind.word}.update", 1)
    _apply(world, row, clean)
    return empty()


def delete_object(kind: Kind, world: World, call: Call) -> web.Response:
    """DELETE /<kind>/<id>.json: the object stays readable as deleted."""
    row = kind.table(world).get(call.user_id, call.number())
    world.ledger.grouped(f"{kind.word}.delete", 1)
    _apply(world, row, {"status": "deleted"})
    return empty()


def mass_action(kind: Kind, world: World, call: Call) -> web.Response:
    """POST /<kind>/mass_action.json: up to 200 changes, all or none."""
    items = call.json()
    if not _are_objects(items):
        raise refused(400, "bad_value", "A list of objects is expected")
    if len(items) > MASS_LIMIT:
        raise refused(400, "limit_exceeded", f"Too much items. Limit is {MASS_LIMIT}")
    rows = {row["id"]: row for row in kind.table(world).of(call.user_id)}
    unknown = [str(item.get("id")) for item in items if not _is_id(item.get("id"), rows)]
    if unknown:
        message = f"Unknown {kind.word}: {', '.join(unknown)}"
        raise refused(400, f"unknown_{kind.word}", message)
    pairs = [(rows[item["id"]], _mass_item(kind, world, rows[item["id"]], item)) for item in items]
    refusals = [clean for _, clean in pairs if "code" in clean]
    if refusals:
        raise refused(400, "validation_failed", "Validation failed", **{kind.word: refusals})
    world.ledger.grouped(f"{kind.word}.mass_action", len(items))
    for row, clean in pairs:
        world.ledger.updated(kind.word, row["id"], call.method, _unchanged(row, clean))
        _apply(world, row, clean)
    return empty()


def _are_objects(value: Any) -> TypeGuard[list[Row]]:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _is_id(value: Any, rows: Mapping[int, Row]) -> bool:
    return isinstance(value, int) and value in rows


def _mass_item(kind: Kind, world: World, row: Row, item: Row) -> Row:
    """Return the clean changes of one item; an entry with a `code` is its refusal."""
    changes = {name: value for name, value in item.items() if name != "id"}
    refusal: Row = {"arguments": {"id": row["id"]}, "fields": {}}
    forbidden = sorted(set(changes) - kind.mass)
    if forbidden:
        leaf = {"code": "unallowed_field", "message": "Not allowed in a mass action"}
        fields = dict.fromkeys(forbidden, leaf)
        return {**refusal, **_FAILED, "fields": fields}
    if row["status"] == "deleted" and "status" not in changes:
        return {
            **refusal,
            "code": f"{kind.singular}_deleted",
            "message": f"{_title(kind)} is deleted",
        }
    try:
        return kind.clean(world, row["user_id"], changes, row)
    except Refused as failure:
        return {**refusal, **_FAILED, "fields": failure.body["error"].get("fields", {})}


_FAILED = {"code": "validation_failed", "message": "Validation failed"}


def _unchanged(row: Row, clean: Row) -> list[str]:
    """Return the fields sent with the value they had already, nested ones by path."""
    same = []
    for name, value in clean.items():
        if name == "targetings":
            stored = row["targetings"]
            same += [f"targetings.{k}" for k, v in value.items() if k in stored and stored[k] == v]
        elif name in row and row[name] == value:
            same.append(name)
    return same


def _apply(world: World, row: Row, clean: Row) -> None:
    changes = dict(clean)
    if "targetings" in changes:
        merged = {**row["targetings"], **changes["targetings"]}
        changes["targetings"] = {k: v for k, v in merged.items() if v is not None}
    row.update(changes)
    if {"date_start", "date_end"} & set(changes):
        row["_life"].bound(world.today(), row)
    if "targetings" in changes:
        forget_left(row)
    row["updated"] = row["last_updated"] = world.stamp()
    is_banner = "moderation_status" in row
    if is_banner:
        campaign = world.objects.campaigns.rows[row["campaign_id"]]
        campaign["last_updated"] = row["updated"]
    if is_banner and {"urls", "textblocks", "content"} & set(changes):
        _moderate(world, row)
    elif {"status", "targetings"} & set(changes):
        allowed = row["moderation_status"] == "allowed" if is_banner else not row.get("_lost")
        _live(world, row, active=row["status"] == "active" and allowed)


def remoderate(world: World, call: Call) -> web.Response:
    """POST /banners/remoderate.json: ask the moderators once more about banned banners."""
    banners = call.object().get("banners")
    if not _are_objects(banners):
        raise refused(400, "bad_value", "A list of banners is expected")
    table = world.objects.banners
    rows = [table.get(call.user_id, item.get("id")) for item in banners]
    done = []
    for row in rows:
        again = row["moderation_status"] == "banned" and row["status"] != "deleted"
        if again:
            _moderate(world, row)
        done.append({"id": row["id"], "remoderated": again})
    world.ledger.grouped("banners.remoderate", len(rows))
    return ok({"banners": done})


def _title(kind: Kind) -> str:
    return kind.singular.replace("_", " ").capitalize()


# Paths.


def endpoints(*, vk: bool) -> Iterable[Endpoint]:
    """Yield the paths of one brand."""
    kinds = _kinds(vk=vk)
    for kind in kinds.values():
        yield Endpoint(path=f"{kind.word}.json", actions=_collection(kind))
        yield Endpoint(
            path=f"{kind.word}/mass_action.json",
            actions=_one("POST", kind, "UPDATE", partial(mass_action, kind)),
        )
        yield Endpoint(path=rf"{kind.word}/{{id:\d+}}.json", actions=_object(kind))
        if kind.resource == "CAMPAIGN":
            yield Endpoint(
                path=rf"{kind.word}/{{id:\d+}}/banners.json",
                actions=_one("POST", kinds["banners"], "CREATE", partial(create_banner, kind)),
            )
    yield Endpoint(
        path="banners/remoderate.json",
        actions=_one("POST", kinds["banners"], "UPDATE", remoderate),
    )


def _one(method: str, kind: Kind, operation: str, handler: Any) -> Mapping[str, Action]:
    return {method: Action(handler=handler, resource=kind.resource, operation=operation)}


def _collection(kind: Kind) -> dict[str, Action]:
    actions = dict(_one("GET", kind, "READ", partial(list_objects, kind)))
    if kind.resource == "CAMPAIGN":
        actions |= _one("POST", kind, "CREATE", partial(create_campaign, kind))
    if kind.resource == "AD_PLAN":
        actions |= _one("POST", kind, "CREATE", create_plan)
    return actions


def _object(kind: Kind) -> dict[str, Action]:
    actions = dict(_one("GET", kind, "READ", partial(read_object, kind)))
    actions |= partial_update(partial(update_object, kind), kind.resource)
    if kind.resource != "AD_PLAN":  # plans are closed by their status only
        actions |= _one("DELETE", kind, "DELETE", partial(delete_object, kind))
    return actions
