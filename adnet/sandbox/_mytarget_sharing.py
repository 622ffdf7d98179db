"""
Sharing keys: who may use whose sources.

Source: myTarget help "Provide the segment to an advertiser" and VK Ads
"SharingKeys" (documented).
"""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from aiohttp import web

from adnet.sandbox import _mytarget_query as query
from adnet.sandbox._mytarget_closing import close_source, open_source
from adnet.sandbox._mytarget_data import User
from adnet.sandbox._mytarget_query import EQUAL, Listing
from adnet.sandbox._mytarget_segments import foreign_sources
from adnet.sandbox._mytarget_wire import (
    Action,
    Call,
    Endpoint,
    Row,
    bad_field,
    decimal_text,
    denied,
    empty,
    invalid,
    none_but,
    not_found,
    ok,
    pick,
    refused,
)
from adnet.sandbox._mytarget_world import World
from adnet.sandbox.base import secret

_RESOURCE = "SHARINGKEY"
_LIST = "REMARKETINGUSERSLIST"
_SHOWN = (
    "sharing_key",
    "sharing_url",
    "type",
    "payment_type",
    "price",
    "is_marketplace",
    "owner",
    "users",
    "sources",
)
_LISTING = Listing(fields=_SHOWN, default=_SHOWN, filters={"key": EQUAL})
_END_ADVERTISERS = frozenset({"advert", "agency_client"})
_KNOWN = frozenset({"sources", "users", "send_email", "payment_type", "price", "is_marketplace"})


def list_keys(world: World, call: Call) -> web.Response:
    """GET sharing_keys.json: the owner's keys, or the one `_key` names, with the ids of registered users."""
    own = [row for row in world.audiences.keys.values() if row["user_id"] == call.user_id]
    rows = query.filtered(call, _LISTING, own, lambda row, _field: row["sharing_key"])
    numbers = {user.username: user.id for user in world.users.values()}
    items = [pick(row, _SHOWN) for row in rows]
    for item in items:
        known = ((user, numbers.get(user["username"])) for user in item["users"])
        item["users"] = [{"id": number, **user} if number else user for user, number in known]
    return ok(query.uncounted(call, items, world.knobs.uncounted_lists))


def create_key(world: World, call: Call) -> web.Response:
    """POST sharing_keys.json: everything wrong is told at once."""
    body = none_but(call.object(), _KNOWN)
    owner = world.user(call.user_id)
    names, fields = _recipients(owner, body.get("users"))
    fields |= _source_errors(world, owner.id, body.get("sources"))
    fields |= _price_errors(owner, body, public=not names)
    if fields:
        raise invalid(fields)
    key = secret(world.seed, "sharing", next(world.audiences.key_numbers), owner.id, length=16)
    row = {
        "user_id": owner.id,
        "sharing_key": key,
        "sharing_url": f"{call.origin}/audience/sharing/activate?key={key}",
        "type": "private" if names else "public",
        "payment_type": body.get("payment_type", "free"),
        "price": decimal_text(Decimal(str(body.get("price") or 0))),
        "is_marketplace": bool(body.get("is_marketplace")),
        "owner": {"id": owner.id, "username": owner.username},
        "users": [{"username": name} for name in names],
        "sources": [pick(item, ("object_type", "object_id")) for item in body["sources"]],
    }
    world.audiences.keys[key] = row
    if body.get("send_email"):
        world.emails += [{"to": name, "about": f"sharing key {key}"} for name in names]
    world.ledger.grouped("sharing_keys.create", len(row["sources"]))
    return ok(pick(row, _SHOWN))


def _recipients(owner: User, given: Any) -> tuple[list[str], Row]:
    if given is None:
        return [], {}
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        return [], {"users": {"code": "bad_items", "message": "A list of users is expected"}}
    names = list(dict.fromkeys(str(item.get("username", "")) for item in given))
    if owner.username in names:
        message = "Cannot assign key to owner"
        return names, {"users": {"code": "unallowed_value", "message": message}}
    wrong = [name for name in names if "@" not in name.strip("@")]
    if wrong:
        message = "Enter a valid email address or username"
        leaf = {"code": "invalid_email", "message": message, "value": wrong}
        return names, {"users": leaf}
    return names, {}


def _source_errors(world: World, owner_id: int, given: Any) -> Row:
    if not isinstance(given, list) or not given:
        return {"sources": {"code": "required", "message": "Field is required"}}
    found = []
    for item in given:
        kind, number = (item.get("object_type"), item.get("object_id")) if isinstance(item, dict) else ("", 0)
        message = _unshareable(world, owner_id, kind, number)
        if message is not None:
            found.append(
                {
                    "code": "unallowed_value",
                    "message": message,
                    "arguments": {"object_id": number, "object_type": kind},
                }
            )
    return {"sources": {"items": found}} if found else {}


def _unshareable(world: World, owner_id: int, kind: Any, number: Any) -> str | None:
    row = _source(world, kind, number, owner_id)
    if row is None or row["user_id"] != owner_id:
        return "Object not found"
    if row.get("status") == "pending_delete" or row.get("system_status") == "blocked":
        return "Object not active"
    if kind == "segment" and foreign_sources(world, owner_id, int(number)):
        return "Object not shareable"
    return None


def _source(world: World, kind: Any, number: Any, owner_id: int) -> Row | None:
    """Return the row of a source; counters go by their `counter_id`."""
    if not isinstance(number, int):
        return None
    audiences = world.audiences
    if kind == "users_list":
        return audiences.users_lists.rows.get(number)
    if kind == "segment":
        return audiences.segments.rows.get(number)
    if kind == "counter":
        found = [row for row in audiences.counters.of(owner_id) if row["counter_id"] == number]
        return found[0] if found else None
    return None


def _price_errors(owner: User, body: Row, *, public: bool) -> Row:
    fields: Row = {}
    payment, price = str(body.get("payment_type", "free")), body.get("price")
    if payment not in {"free", "fixed_cpm"}:
        fields["payment_type"] = {"code": "unallowed_value", "message": "free or fixed_cpm"}
    elif payment == "free" and price not in (None, 0, "0"):
        message = "Price is only for fixed_cpm keys"
        fields["price"] = {"code": "unallowed_value", "message": message}
    elif payment == "fixed_cpm" and not owner.is_dmp:
        message = "Only DMP partner can create CPM keys"
        fields["price"] = {"code": "invalid_type", "message": message}
    elif payment == "fixed_cpm" and not _positive(price):
        fields["price"] = {"code": "required", "message": "Price is required for fixed_cpm keys"}
    if body.get("is_marketplace") and not (owner.is_dmp and public):
        partner = "Only DMP can publish to marketplace"
        message = "Cannot be set for private keys" if owner.is_dmp else partner
        fields["is_marketplace"] = {"code": "unallowed_value", "message": message}
    if body.get("send_email") and public:
        message = "Only private keys are sent by email"
        fields["send_email"] = {"code": "unallowed_value", "message": message}
    return fields


def _positive(price: Any) -> bool:
    try:
        return price is not None and 0 < Decimal(str(price)) < Decimal("Infinity")
    except InvalidOperation:
        return False


def activate_key(world: World, call: Call) -> web.Response:
    """POST sharing_keys/<key>.json: the consumer takes all sources, or those it names."""
    row = world.audiences.keys.get(call.path["key"])
    if row is None:
        raise not_found()
    user = world.user(call.user_id)
    if row["user_id"] == user.id:
        raise refused(400, "is_owner", "Cannot activate key for owner")
    listed = {"username": user.username} in row["users"]
    if not _END_ADVERTISERS & set(user.types) or not (listed or row["type"] == "public"):
        raise denied("Key not available")
    body = none_but(call.object(), {"sources", "status"})
    if body.get("status", "active") != "active":
        raise bad_field("status", "unallowed_value", "A key can only be made active")
    sources = _wanted(row, body.get("sources"))
    _check_addable(world, row, sources, user.id)
    for source in sources:
        place = (source["object_type"], source["object_id"])
        holders = world.audiences.opened.setdefault(place, {})
        holders.setdefault(user.id, set()).add(row["sharing_key"])
        open_source(world, user.id, place)
    if not listed:
        row["users"].append({"username": user.username})
    shown = [{**s, "params": _params(world, row, s)} for s in sources]
    world.ledger.grouped("sharing_keys.activate", len(sources))
    return ok({"id": user.id, "username": user.username, "sources": shown})


def _wanted(row: Row, given: Any) -> list[Row]:
    if given is None:
        return list(row["sources"])
    # One documented example shows a bare object instead of a list.
    items = [given] if isinstance(given, dict) else given
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise bad_field("sources", "bad_items", "A list of sources is expected")
    for item in items:
        if item not in row["sources"]:
            name = f"Object {item.get('object_type')} with id {item.get('object_id')}"
            raise refused(404, "source_not_found", f"{name} not found")
    return items


def _check_addable(world: World, row: Row, sources: list[Row], user_id: int) -> None:
    for source in sources:
        kind, number = source["object_type"], source["object_id"]
        found, message = _source(world, kind, number, row["user_id"]), ""
        if found is None or found.get("status") == "pending_delete":
            message = "Cannot add source"
        elif kind == "counter" and _source(world, kind, number, user_id) is not None:
            message = f"Counter with counter_id {number} already exists"
        if message:
            arguments = {"source_type": f"remarketing_{kind}s", "source_ids": [number]}
            raise refused(400, "cannot_add_source", message, arguments=arguments)


def _params(world: World, key: Row, source: Row) -> Row:
    """Return what an activation tells of a source, whose id is the one the key names it by."""
    found = _source(world, source["object_type"], source["object_id"], key["user_id"]) or {}
    names = {
        "users_list": ("name", "entries_count", "type"),
        "segment": ("name", "pass_condition"),
        "counter": ("name",),
    }[source["object_type"]]
    return {"id": source["object_id"], **pick(found, names)}


def delete_key(world: World, call: Call) -> web.Response:
    """DELETE sharing_keys/<key>.json: closes the sources; campaigns that use them stop."""
    row = world.audiences.keys.get(call.path["key"])
    if row is None or row["user_id"] != call.user_id:
        raise not_found()
    del world.audiences.keys[row["sharing_key"]]
    for place, holders in world.audiences.opened.items():
        for user_id, keys in list(holders.items()):
            if keys == {row["sharing_key"]}:
                del holders[user_id]
                close_source(world, user_id, place)
            keys.discard(row["sharing_key"])
    return empty()


def close_for_one(world: World, call: Call) -> web.Response:
    """DELETE users_lists/<id>/users/<user>.json: the owner closes it for one consumer.

    The path is known from a client's code only; that campaigns stop as with a key is inferred.
    """
    number, consumer = call.number(), call.number("user_id")
    world.audiences.users_lists.get(call.user_id, number)
    place = ("users_list", number)
    holders = world.audiences.holders(*place)
    if consumer not in holders:
        raise not_found()
    del holders[consumer]
    close_source(world, consumer, place)
    return empty()


def endpoints() -> Iterable[Endpoint]:
    """Yield the paths of this module."""
    action = partial(Action, resource=_RESOURCE)
    yield Endpoint(
        path="sharing_keys.json",
        actions={
            "GET": action(handler=list_keys, operation="READ"),
            "POST": action(handler=create_key, operation="CREATE"),
        },
    )
    yield Endpoint(
        path="sharing_keys/{key:[0-9A-Za-z]+}.json",
        actions={
            "POST": action(handler=activate_key, operation="UPDATE"),
            "DELETE": action(handler=delete_key, operation="DELETE"),
        },
    )
    yield Endpoint(
        path=r"remarketing/users_lists/{id:\d+}/users/{user_id:\d+}.json",
        actions={"DELETE": Action(handler=close_for_one, resource=_LIST, operation="DELETE")},
    )
