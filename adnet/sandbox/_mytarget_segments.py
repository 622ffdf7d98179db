"""
Segments and their relations.

Source: VK Ads "RemarketingSegment" and "Relations" (documented): at most
10,000 segments, no cycles, `pass_condition` between 1 and the relations.
"""

from collections.abc import Container, Iterable
from functools import partial
from typing import Any

from aiohttp import web

from adnet.sandbox import _mytarget_query as query
from adnet.sandbox._mytarget_counters import visible as visible_counters
from adnet.sandbox._mytarget_lists import used_by_segments, visible
from adnet.sandbox._mytarget_query import ANY_OF, PREFIX, Listing
from adnet.sandbox._mytarget_wire import (
    Action,
    Call,
    Endpoint,
    Refused,
    Row,
    bad_field,
    conflict,
    empty,
    none_but,
    not_found,
    ok,
    partial_update,
    pick,
    refused,
)
from adnet.sandbox._mytarget_world import World

MOST_SEGMENTS = 10_000
_RESOURCE = "SEGMENT"
_DEFAULT = ("id", "name", "pass_condition", "created", "updated", "flags")
_LISTING = Listing(
    fields=(*_DEFAULT, "relations", "relations_count", "campaign_ids", "users"),
    default=_DEFAULT,
    filters={"id": ANY_OF, "name": PREFIX},
    top=100,
)
_SOURCES = {
    "remarketing_users_list": "users_list",
    "remarketing_counter": "counter",
}
_OTHER_TYPES = frozenset(
    {
        "age",
        "remarketing_pricelist",
        "remarketing_lookalike_audience",
        "remarketing_campaign_list",
        "remarketing_group",
        "remarketing_vk_group",
        "remarketing_vk_app",
        "remarketing_user_geo",
        "remarketing_player",
        "remarketing_payer",
        "remarketing_game_player",
        "remarketing_game_payer",
        "remarketing_inapp_event",
        "remarketing_mobile_app",
        "remarketing_search_phrases",
        "remarketing_local_geo",
        "remarketing_app_category",
        "remarketing_custom_audience",
    }
)


def relations_of(world: World, segment_id: int) -> list[Row]:
    """Return what a segment is made of."""
    return [row for row in world.audiences.relations if row["segment_id"] == segment_id]


def foreign_sources(world: World, user_id: int, segment_id: int) -> bool:
    """Return whether anything in a segment, however deep, belongs to another user."""
    for relation in relations_of(world, segment_id):
        owner, nested = _owner(world, relation)
        if owner not in {None, user_id}:
            return True
        if nested is not None and foreign_sources(world, user_id, nested):
            return True
    return False


def _owner(world: World, relation: Row) -> tuple[int | None, int | None]:
    """Return who owns a relation's source, and the segment it nests."""
    kind = relation["object_type"]
    number = relation["params"].get("source_id")
    if kind == "segment":
        row = world.audiences.segments.rows.get(relation["object_id"])
        return (row["user_id"] if row else None), relation["object_id"]
    if kind == "remarketing_users_list":
        row = world.audiences.users_lists.rows.get(number)
        return (row["user_id"] if row else None), None
    if kind == "remarketing_counter":
        rows = [row for row in world.audiences.counters if row["counter_id"] == number]
        owners = [row["user_id"] for row in rows if not row["_attached"]]
        return next(iter(owners), None), None
    return None, None


def aimed_at(campaign: Row) -> set[int]:
    """Return the segments that a campaign takes or leaves out."""
    return {abs(number) for number in campaign["targetings"].get("segments") or ()}


def campaigns_using(world: World, segment_id: int, users: Container[int]) -> list[Row]:
    """Return the users' campaigns that aim at a segment and are not deleted."""
    return [
        row
        for row in world.objects.campaigns
        if row["user_id"] in users and row["status"] != "deleted" and segment_id in aimed_at(row)
    ]


def _reader(world: World, user_id: int) -> query.Read:
    def read(row: Row, field: str) -> Any:
        if field == "relations":
            names = ("id", "object_type", "object_id", "params")
            return [pick(relation, names) for relation in relations_of(world, row["id"])]
        if field == "relations_count":
            return len(relations_of(world, row["id"]))
        if field == "campaign_ids":
            return [campaign["id"] for campaign in campaigns_using(world, row["id"], {user_id})]
        if field == "users":
            return world.consumers("segment", row["id"]) if row["user_id"] == user_id else []
        if field == "flags":
            foreign = foreign_sources(world, row["user_id"], row["id"])
            return [*row["flags"], *(["sharing_forbidden"] if foreign else [])]
        return query.plain(row, field)

    return read


def list_segments(world: World, call: Call) -> web.Response:
    """GET segments.json: one's own, and those opened by a key."""
    rows = [row for row in world.audiences.segments if sees(world, call.user_id, row)]
    found = query.collection(
        call, _LISTING, rows, _reader(world, call.user_id), over_limit=world.knobs.over_limit
    )
    world.ledger.grouped("segments.list", len(found["items"]))
    return ok(found)


def read_segment(world: World, call: Call) -> web.Response:
    """GET segments/<id>.json: one's own, or opened by a key."""
    row = world.audiences.segments.rows.get(call.number())
    if row is None or not sees(world, call.user_id, row):
        raise not_found()
    return ok(query.project(row, query.chosen_fields(call, _LISTING), _reader(world, call.user_id)))


def sees(world: World, user_id: int, row: Row) -> bool:
    """Return whether a segment is the user's own, or opened to it by a key."""
    return bool(row["user_id"] == user_id or user_id in world.audiences.holders("segment", row["id"]))


def create_segment(world: World, call: Call) -> web.Response:
    """POST segments.json with its relations; `logicType` is the cabinet's word for the condition."""
    body = none_but(call.object(), {"name", "pass_condition", "relations", "logicType"})
    name, relations = body.get("name"), body.get("relations")
    if not isinstance(name, str) or not name:
        raise bad_field("name", "required", "Field is required")
    if not isinstance(relations, list) or not relations:
        raise bad_field("relations", "required", "Field is required")
    if len(world.audiences.segments.of(call.user_id)) >= MOST_SEGMENTS:
        raise refused(400, "segment_limit_exceeded", f"Segment limit {MOST_SEGMENTS} exceeded")
    clean = [_clean_relation(world, call.user_id, item) for item in relations]
    condition = _condition(body.get("pass_condition"), len(clean))
    now = world.stamp()
    row = world.audiences.segments.add(
        {
            "user_id": call.user_id,
            "name": name,
            "pass_condition": condition,
            "created": now,
            "updated": now,
            "flags": [],
        }
    )
    for relation in clean:
        world.audiences.relations.add({**relation, "segment_id": row["id"]})
    return ok(query.project(row, _DEFAULT, _reader(world, call.user_id)))


def _condition(value: Any, relations: int) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 1 <= value <= relations:
        raise bad_field(
            "pass_condition",
            "invalid_condition",
            "Segment pass condition cannot be greater that number of segment relations",
        )
    return int(value)


def _clean_relation(world: World, user_id: int, item: Any, *, within: int | None = None) -> Row:
    if not isinstance(item, dict):
        raise bad_field("relations", "bad_items", "An object is expected")
    kind, params = str(item.get("object_type")), item.get("params", {})
    if kind == "segment":
        return {
            "object_type": kind,
            "object_id": _nested_segment(world, user_id, item.get("object_id"), within),
            "params": {},
        }
    if not isinstance(params, dict):
        raise bad_field("params", "bad_value", "An object is expected")
    if kind not in _SOURCES and kind not in _OTHER_TYPES and not kind.startswith("interest"):
        raise bad_field("object_type", "unallowed_value", f"Unknown type {kind}")
    if str(params.get("type", "positive")) not in {"positive", "negative"}:
        raise bad_field("type", "unallowed_value", "positive or negative is expected")
    _check_interval(params)
    number = params.get("source_id")
    if not isinstance(number, int | None):
        raise _unknown_source(kind, number)
    if kind in _SOURCES and not _has_source(world, user_id, kind, number):
        raise _unknown_source(kind, number)
    return {"object_type": kind, "object_id": number, "params": {"type": "positive", **params}}


def _nested_segment(world: World, user_id: int, number: Any, within: int | None) -> int:
    row = world.audiences.segments.rows.get(number) if isinstance(number, int) else None
    if row is None or not sees(world, user_id, row):
        raise _unknown_source("segment", number)
    if within is not None and _reaches(world, int(row["id"]), within):
        raise refused(400, "validation_failed", "Segments must not form a cycle")
    return int(row["id"])


def _reaches(world: World, start: int, goal: int) -> bool:
    if start == goal:
        return True
    return any(
        relation["object_type"] == "segment" and _reaches(world, relation["object_id"], goal)
        for relation in relations_of(world, start)
    )


def _check_interval(params: Row) -> None:
    left, right = params.get("left"), params.get("right")
    if left is None and right is None:
        return
    if type(left) is not int or type(right) is not int or not 0 <= right < left <= 365:
        raise refused(400, "validation_failed", "Left should be greater than right")


def _has_source(world: World, user_id: int, kind: str, number: Any) -> bool:
    if kind == "remarketing_users_list":
        return any(row["id"] == number for row in visible(world, user_id))
    return any(row["counter_id"] == number for row in visible_counters(world, user_id))


def _unknown_source(kind: str, number: Any) -> Refused:
    leaf = {"code": "unknown_source", "source_id": number, "message": f"Unknown {kind}"}
    return refused(400, "validation_failed", "Validation failed", fields={"source_id": leaf})


def update_segment(world: World, call: Call) -> web.Response:
    """POST segments/<id>.json: name and pass_condition; answers with the object."""
    row = world.audiences.segments.get(call.user_id, call.number())
    body = none_but(call.object(), {"name", "pass_condition"})
    if "name" in body and not (isinstance(body["name"], str) and body["name"]):
        raise bad_field("name", "required", "Field is required")
    if "pass_condition" in body:
        _condition(body["pass_condition"], len(relations_of(world, row["id"])))
    same = [name for name, value in body.items() if row[name] == value]
    world.ledger.updated("segments", row["id"], call.method, same)
    row.update(body, updated=world.stamp())
    return ok(query.project(row, _DEFAULT, _reader(world, call.user_id)))


def delete_segment(world: World, call: Call) -> web.Response:
    """DELETE segments/<id>.json: 409 while a campaign or another segment uses it."""
    number = call.number()
    holders = world.audiences.holders("segment", number)
    consumes = call.user_id in holders
    if not consumes:
        world.audiences.segments.get(call.user_id, number)
    users = {call.user_id} if consumes else {call.user_id, *holders}
    if campaigns_using(world, number, users) or used_by_segments(world, "segment", number, users):
        raise conflict("The segment is in use")
    if consumes:
        del holders[call.user_id]
        return empty()
    for relation in relations_of(world, number):
        del world.audiences.relations.rows[relation["id"]]
    del world.audiences.segments.rows[number]
    world.audiences.opened.pop(("segment", number), None)
    return empty()


# Relations.


def list_relations(world: World, call: Call) -> web.Response:
    """GET segments/<id>/relations.json."""
    world.audiences.segments.get(call.user_id, call.number())
    listing = Listing(
        fields=("id", "object_type", "object_id", "params"),
        default=("id", "object_type", "object_id"),
        filters={"id": ANY_OF},
        sorting=("id",),
    )
    rows = relations_of(world, call.number())
    found = query.collection(call, listing, rows, query.plain, over_limit=world.knobs.over_limit)
    return ok(found)


def add_relations(world: World, call: Call) -> web.Response:
    """POST segments/<id>/relations.json with `items`: all or none."""
    segment = world.audiences.segments.get(call.user_id, call.number())
    items = call.object().get("items")
    if not isinstance(items, list) or not items:
        raise bad_field("items", "required", "Field is required")
    clean = [_clean_relation(world, call.user_id, item, within=segment["id"]) for item in items]
    names = ("object_type", "object_id", "params")
    known = [pick(row, names) for row in relations_of(world, segment["id"])]
    for row in clean:
        if row in known:
            raise refused(400, "relation_exists", "Relation already exists")
        known.append(row)
    made = [world.audiences.relations.add({**r, "segment_id": segment["id"]}) for r in clean]
    world.ledger.grouped("relations.create", len(made))
    return ok({"items": [pick(row, ("id", "object_type", "object_id")) for row in made]})


def _relation(world: World, segment_id: int, number: int) -> Row:
    row = world.audiences.relations.rows.get(number)
    if row is None or row["segment_id"] != segment_id:
        raise not_found()
    return row


def update_relation(world: World, call: Call) -> web.Response:
    """POST segments/<id>/relations/<id>.json: some of its params, and nothing else of it."""
    segment = world.audiences.segments.get(call.user_id, call.number())
    numbers = call.numbers()
    if len(numbers) > 1:  # several can be deleted, but not changed
        raise not_found()
    row = _relation(world, segment["id"], numbers[0])
    params = none_but(call.object(), {"params"}).get("params")
    if not isinstance(params, dict):
        raise bad_field("params", "bad_value", "An object is expected")
    item = {**row, "params": {**row["params"], **params}}
    row.update(_clean_relation(world, call.user_id, item, within=segment["id"]))
    return ok(pick(row, ("id", "object_type", "object_id")))


def delete_relations(world: World, call: Call) -> web.Response:
    """DELETE segments/<id>/relations/<id>[,<id>].json: enough must remain."""
    segment = world.audiences.segments.get(call.user_id, call.number())
    rows = [_relation(world, segment["id"], number) for number in dict.fromkeys(call.numbers())]
    left = len(relations_of(world, segment["id"])) - len(rows)
    if left < segment["pass_condition"]:
        raise bad_field("pass_condition", "invalid_condition", "Too few relations would remain")
    for row in rows:
        del world.audiences.relations.rows[row["id"]]
    return empty()


def endpoints() -> Iterable[Endpoint]:
    """Yield the paths of this module."""
    action = partial(Action, resource=_RESOURCE)
    top = "remarketing/segments"
    yield Endpoint(
        path=f"{top}.json",
        actions={
            "GET": action(handler=list_segments, operation="READ"),
            "POST": action(handler=create_segment, operation="CREATE"),
        },
    )
    yield Endpoint(
        path=rf"{top}/{{id:\d+}}.json",
        actions={
            "GET": action(handler=read_segment, operation="READ"),
            **partial_update(update_segment, _RESOURCE),
            "DELETE": action(handler=delete_segment, operation="DELETE"),
        },
    )
    yield Endpoint(
        path=rf"{top}/{{id:\d+}}/relations.json",
        actions={
            "GET": action(handler=list_relations, operation="READ"),
            "POST": action(handler=add_relations, operation="CREATE"),
        },
    )
    yield Endpoint(
        path=rf"{top}/{{id:\d+}}/relations/{{ids:\d+(?:,\d+)*}}.json",
        actions={
            **partial_update(update_relation, _RESOURCE),
            "DELETE": action(handler=delete_relations, operation="DELETE"),
        },
    )
