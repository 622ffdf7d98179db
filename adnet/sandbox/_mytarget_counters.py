"""
Counters of Top.Mail.Ru and their goals.

Source: VK Ads "RemarketingCounter" and goals (documented). Paths take the
counter's `counter_id`, not the `id` of its row.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

from aiohttp import web

from adnet.sandbox import _mytarget_query as query
from adnet.sandbox._mytarget_lists import used_by_segments
from adnet.sandbox._mytarget_query import ANY_OF, Listing
from adnet.sandbox._mytarget_wire import (
    Action,
    Call,
    Endpoint,
    Refused,
    Row,
    bad_field,
    conflict,
    denied,
    empty,
    none_but,
    not_found,
    ok,
    partial_update,
    pick,
    refused,
)
from adnet.sandbox._mytarget_world import World

_RESOURCE = "COUNTER"
_DEFAULT = (
    "id",
    "counter_id",
    "name",
    "status",
    "system_status",
    "working",
    "flags",
    "created",
)
_LISTING = Listing(
    fields=(*_DEFAULT, "domain", "goals", "type", "users", "users_count"),
    default=_DEFAULT,
    filters={"counter_id": ANY_OF, "domain": ANY_OF, "id": ANY_OF},
)
_CONDITIONS = ("uss", "rss", "jse", "hd", "ts")
_GOAL_TYPES = (
    "content",
    "search",
    "basket",
    "wishlist",
    "checkout",
    "payment_info",
    "purchase",
    "lead",
    "registration",
    "custom",
)
_GOAL_FIELDS = ("id", "name", "condition", "substr", "value", "goal_type")


def visible(world: World, user_id: int) -> list[Row]:
    """Return a user's own counters and those opened by a key, which are their owners' and not what others attached."""
    holders = world.audiences.holders
    return [
        row
        for row in world.audiences.counters
        if row["user_id"] == user_id
        or (not row["_attached"] and user_id in holders("counter", row["counter_id"]))
    ]


def _find(world: World, user_id: int, counter_id: int) -> Row:
    for row in visible(world, user_id):
        if row["counter_id"] == counter_id:
            return row
    raise not_found()


def _reader(world: World, user_id: int) -> query.Read:
    def read(row: Row, field: str) -> Any:
        if field == "goals":
            return goals_of(world, row["counter_id"])
        if field == "type":
            return "own" if row["user_id"] == user_id and not row["_attached"] else "shared"
        if field in {"users", "users_count"}:
            own = row["user_id"] == user_id and not row["_attached"]
            shown = world.consumers("counter", row["counter_id"]) if own else []
            return shown if field == "users" else len(shown)
        return query.plain(row, field)

    return read


def goals_of(world: World, counter_id: int) -> list[Row]:
    """Return the goals of a counter."""
    return [pick(g, _GOAL_FIELDS) for g in world.audiences.goals if g["counter_id"] == counter_id]


def list_counters(world: World, call: Call) -> web.Response:
    """GET counters.json: items without a count."""
    fields = query.chosen_fields(call, _LISTING)
    read = _reader(world, call.user_id)
    rows = query.filtered(call, _LISTING, visible(world, call.user_id), read)
    items = [query.project(row, fields, read) for row in rows]
    return ok(query.uncounted(call, items, world.knobs.uncounted_lists))


def read_counter(world: World, call: Call) -> web.Response:
    """GET counters/<counter_id>.json."""
    row = _find(world, call.user_id, call.number())
    fields = query.chosen_fields(call, _LISTING)
    return ok(query.project(row, fields, _reader(world, call.user_id)))


def create_counter(world: World, call: Call) -> web.Response:
    """POST counters.json: a new counter, or an existing one by its counter_id."""
    body = call.object()
    if "counter_id" in body:
        _check_writable(none_but(body, {"counter_id", "name", "flags"}))
        return ok(pick(_attach(world, call.user_id, body), _DEFAULT))
    none_but(body, {"name", "url", "email", "password"})
    for name in ("name", "url", "email", "password"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise bad_field(name, "required", "Field is required")
    number = next(world.audiences.counter_ids)
    row = add_counter(world, call.user_id, number, name=body["name"], domain=body["url"])
    return ok(pick(row, _DEFAULT))


def add_counter(
    world: World, user_id: int, counter_id: int, *, name: str, domain: str, attached: bool = False
) -> Row:
    """Store a counter; an attached one waits for its owner's word."""
    return world.audiences.counters.add(
        {
            "user_id": user_id,
            "counter_id": counter_id,
            "name": name,
            "status": "active",
            "system_status": "blocked" if attached else "active",
            "working": not attached,
            "flags": [],
            "created": world.stamp(),
            "domain": domain.removeprefix("https://").removeprefix("http://").partition("/")[0],
            "_attached": attached,
        }
    )


def _attach(world: World, user_id: int, body: Row) -> Row:
    number = body["counter_id"]
    rows = [row for row in world.audiences.counters if row["counter_id"] == number]
    if not rows:
        raise not_found("Unknown counter")
    if any(row["user_id"] == user_id for row in rows) or user_id in world.audiences.holders(
        "counter", number
    ):
        message = f"Counter with counter_id {number} already exists"
        raise refused(400, "duplicate_error", message)
    name = str(body.get("name", rows[0]["name"]))
    row = add_counter(world, user_id, number, name=name, domain=rows[0]["domain"], attached=True)
    row["flags"] = body.get("flags", [])
    return row


def _check_writable(body: Row) -> None:
    if not isinstance(body.get("name", "-"), str) or body.get("name") == "":
        raise bad_field("name", "required", "Field is required")
    flags = body.get("flags", [])
    if not isinstance(flags, list) or not all(isinstance(flag, str) for flag in flags):
        raise bad_field("flags", "bad_value", "A list of words is expected")


def update_counter(world: World, call: Call) -> web.Response:
    """POST counters/<counter_id>.json: name and flags, by the owner; answers with the object."""
    row = _find(world, call.user_id, call.number())
    if row["user_id"] != call.user_id:
        raise denied("Only the owner changes a counter")
    body = none_but(call.object(), {"name", "flags"})
    _check_writable(body)
    same = [name for name, value in body.items() if row[name] == value]
    world.ledger.updated("counters", row["counter_id"], call.method, same)
    row.update(body)
    return ok(pick(row, _DEFAULT))


def delete_counter(world: World, call: Call) -> web.Response:
    """DELETE counters/<counter_id>.json: 409 while a segment uses it."""
    number = call.number()
    holders = world.audiences.holders("counter", number)
    row = _find(world, call.user_id, number)
    owns = row["user_id"] == call.user_id and not row["_attached"]
    users = {call.user_id, *holders} if owns else {call.user_id}
    if used_by_segments(world, "remarketing_counter", number, users):
        raise conflict("The counter is used in a segment")
    if call.user_id in holders:
        del holders[call.user_id]
        return empty()
    del world.audiences.counters.rows[row["id"]]
    if owns:
        world.audiences.opened.pop(("counter", number), None)
    return empty()


# Goals.


def list_goals(world: World, call: Call) -> web.Response:
    """GET counters/<counter_id>/goals.json."""
    row = _find(world, call.user_id, call.number())
    return ok(query.uncounted(call, goals_of(world, row["counter_id"]), world.knobs.uncounted_lists))


def create_goal(world: World, call: Call) -> web.Response:
    """POST counters/<counter_id>/goals.json."""
    row = _find(world, call.user_id, call.number())
    _must_own(call, row, "create")
    body = none_but(call.object(), _GOAL_FIELDS[1:])
    if "name" not in body:
        raise bad_field("name", "required", "Field is required")
    if body.get("condition") not in _CONDITIONS:
        raise bad_field("condition", "bad_value", "Unknown", allowed_values=list(_CONDITIONS))
    _check_goal(body)
    goal = world.audiences.goals.add(
        {
            "user_id": call.user_id,
            "counter_id": row["counter_id"],
            "substr": "",
            "value": None,
            "goal_type": "custom",
            **body,
        }
    )
    return ok(pick(goal, _GOAL_FIELDS))


def _must_own(call: Call, counter: Row, verb: str) -> None:
    if counter["_attached"] and counter["system_status"] == "blocked":
        raise _only_message(f"Can not {verb} goal for unconfirmed counter")
    if counter["user_id"] != call.user_id:
        raise _only_message(f"Can not {verb} goal for shared counter")


def _check_goal(body: Row) -> None:
    for name in ("name", "substr"):
        if not isinstance(body.get(name, ""), str) or (name == "name" and body.get(name) == ""):
            raise bad_field(name, "required", "Field is required")
    value = body.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise bad_field("value", "bad_value", "A number is expected")
    if body.get("goal_type", "custom") not in _GOAL_TYPES:
        raise bad_field("goal_type", "bad_value", "Unknown", allowed_values=list(_GOAL_TYPES))


def _only_message(message: str) -> Refused:
    return Refused(400, {"error": {"message": message}})


def update_goal(world: World, call: Call) -> web.Response:
    """POST counters/<counter_id>/goals/<id>.json: value, name, goal_type."""
    counter = _find(world, call.user_id, call.number())
    _must_own(call, counter, "edit")
    goal = world.audiences.goals.get(call.user_id, call.number("goal_id"))
    if goal["counter_id"] != counter["counter_id"]:
        raise not_found()
    body = none_but(call.object(), {"value", "name", "goal_type"})
    _check_goal(body)
    same = [name for name, value in body.items() if goal[name] == value]
    world.ledger.updated("goals", goal["id"], call.method, same)
    goal.update(body)
    return ok(pick(goal, _GOAL_FIELDS))


def all_goals(world: World, call: Call) -> web.Response:
    """GET goals.json: everything that can be a goal, by type."""
    found = [
        {
            "id": goal["id"],
            "counter_id": row["counter_id"],
            "counter_name": row["name"],
            "goal": f"{goal['condition']}:{goal['substr']}",
            "description": goal["name"],
        }
        for row in visible(world, call.user_id)
        for goal in goals_of(world, row["counter_id"])
    ]
    return ok({"topmailru": found, "mobile_install": [], "ok_game": [], "ok_group": []})


def endpoints() -> Iterable[Endpoint]:
    """Yield the paths of this module."""
    action = partial(Action, resource=_RESOURCE)
    top = "remarketing/counters"
    yield Endpoint(
        path=f"{top}.json",
        actions={
            "GET": action(handler=list_counters, operation="READ"),
            "POST": action(handler=create_counter, operation="CREATE"),
        },
    )
    yield Endpoint(
        path=rf"{top}/{{id:\d+}}.json",
        actions={
            "GET": action(handler=read_counter, operation="READ"),
            **partial_update(update_counter, _RESOURCE),
            "DELETE": action(handler=delete_counter, operation="DELETE"),
        },
    )
    yield Endpoint(
        path=rf"{top}/{{id:\d+}}/goals.json",
        actions={
            "GET": action(handler=list_goals, operation="READ"),
            "POST": action(handler=create_goal, operation="CREATE"),
        },
    )
    yield Endpoint(
        path=rf"{top}/{{id:\d+}}/goals/{{goal_id:\d+}}.json",
        actions=partial_update(update_goal, _RESOURCE),
    )
    yield Endpoint(path="goals.json", actions={"GET": action(handler=all_goals, operation="READ")})
