"""
Users lists: uploads of ids, their walk to `ready`, differential lists, deletion.

Source: VK Ads "RemarketingUsersList" and its errors (documented); the seconds
between the states are a switch.
"""

import re
from collections.abc import Callable, Container, Iterable
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from aiohttp import web

from adnet.sandbox import _mytarget_query as query
from adnet.sandbox._mytarget_query import ANY_OF, EQUAL, Listing
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
    not_found,
    ok,
    partial_update,
    refused,
    stamp,
)
from adnet.sandbox._mytarget_world import World
from adnet.sandbox.base import json_reply

STATES = ("receiving", "received", "mapping", "mapped", "writing", "ready")
DIFFERENTIAL_MINIMUM = 25
MOST_LINES = 5_000_000
MOST_BYTES = 128 * 2**20
LONGEST_SEARCH = 255
_MOST_ERRORS = 100
_RESOURCE = "REMARKETINGUSERSLIST"
_TYPES = (
    "ok",
    "mm",
    "vk",
    "phones",
    "emails",
    "device_id",
    "android_id",
    "advertising_id",
    "idfa",
    "dmp_id",
    "dmp_top",
    "mac",
    "mparticle",
    "human",
)
_DEFAULT = (
    "id",
    "name",
    "type",
    "base",
    "status",
    "created",
    "entries_count",
    "ids_count",
    "matched_ids_count",
    "has_history",
    "error",
)
_LISTING = Listing(
    fields=(*_DEFAULT, "updated", "history", "users", "users_count"),
    default=_DEFAULT,
    filters={"id": ANY_OF, "q": EQUAL, "name": EQUAL},
)
_MD5 = re.compile(rb"[0-9a-fA-F]{32}\Z")
_LIKE_MD5 = re.compile(rb"[0-9A-Za-z]{32}\Z")
_PHONE = re.compile(rb"\+?[\d\s()-]{10,20}\Z")
_EMAIL = re.compile(rb"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_MAC = re.compile(rb"(?:[0-9A-Fa-f]{2}[:-]?){6}\Z")


def _hashable(pattern: re.Pattern[bytes], code: str) -> Callable[[bytes], str | None]:
    def check(line: bytes) -> str | None:
        if _LIKE_MD5.match(line):
            return None if _MD5.match(line) else "invalid_md5"
        return None if pattern.match(line) else code

    return check


def _uint(line: bytes) -> str | None:
    return None if line.isdigit() else "invalid_uint"


def _anything(_line: bytes) -> str | None:
    return None


_LINE_CHECKS: dict[str, Callable[[bytes], str | None]] = {
    "phones": _hashable(_PHONE, "invalid_phone"),
    "emails": _hashable(_EMAIL, "invalid_email"),
    "mac": lambda line: None if _MAC.match(line) else "invalid_mac",
    "ok": _uint,
    "mm": _uint,
    "vk": _uint,
}


def list_lists(world: World, call: Call) -> web.Response:
    """GET users_lists.json: one's own, and those opened by a key; without a count."""
    fields = query.chosen_fields(call, _LISTING)
    read = _reader(world, call.user_id)
    if len(call.query.get("_q", "")) > LONGEST_SEARCH:
        raise bad_field("_q", "max_length", f"At most {LONGEST_SEARCH} characters are expected")
    kept = query.filtered(call, _LISTING, visible(world, call.user_id), read)
    world.ledger.grouped("users_lists.list", len(kept))
    items = [query.project(row, fields, read) for row in kept]
    return ok(query.uncounted(call, items, world.knobs.uncounted_lists))


def read_list(world: World, call: Call) -> web.Response:
    """GET users_lists/<id>.json."""
    row = world.audiences.users_lists.rows.get(call.number())
    if row is None or row not in visible(world, call.user_id):
        raise not_found()
    fields = query.chosen_fields(call, _LISTING)
    return ok(query.project(row, fields, _reader(world, call.user_id)))


def visible(world: World, user_id: int) -> list[Row]:
    """Return a user's own lists and those shared with it."""
    table = world.audiences.users_lists
    holders = world.audiences.holders
    return [row for row in table if row["user_id"] == user_id or user_id in holders("users_list", row["id"])]


def _reader(world: World, user_id: int) -> query.Read:
    def read(row: Row, field: str) -> Any:
        if field in {"users", "users_count"}:
            shown = world.consumers("users_list", row["id"]) if row["user_id"] == user_id else []
            return shown if field == "users" else len(shown)
        return query.plain(row, "name" if field == "q" else field)

    return read


def create_list(world: World, call: Call) -> web.Response:
    """POST users_lists.json: a new list, or `base` = N to add to list N, -N to take away."""
    name, kind, base = _asked(call)
    part = call.parts.get("file")
    if part is None or not part.content:
        raise refused(400, "required", "File content is required")
    if len(part.content) > MOST_BYTES:
        raise refused(413, "too_large", "Request body is too large")
    target = _base_list(world, call.user_id, base, kind) if base else None
    least = min(DIFFERENTIAL_MINIMUM, world.knobs.list_minimum) if base else None
    entries, errors, size = _entries(part.content, kind, least or world.knobs.list_minimum)
    row = _store(world, call.user_id, name=name, kind=kind, base=base, entries=entries)
    row["ids_count"] = size
    if target is not None:
        world.later(world.knobs.audience_s, partial(_change_base, world, target, row))
    answer = {field: row[field] for field in _DEFAULT}
    answer["error"] = errors or None
    return json_reply(answer, status=201 if call.version == "v2" else 200)


def _asked(call: Call) -> tuple[str, str, int]:
    given: Row = {
        name: part.content.decode("utf-8", "replace")
        for name, part in call.parts.items()
        if name in {"name", "type", "base"}
    }
    if "data" in call.parts and call.version == "v2":
        try:
            given = msgspec.json.decode(call.parts["data"].content, type=dict[str, Any])
        except (msgspec.DecodeError, msgspec.ValidationError):
            raise refused(400, "invalid_json", 'Invalid JSON in "data" field.') from None
    name, kind = given.get("name"), given.get("type")
    try:
        base = int(given.get("base") or 0)
    except (TypeError, ValueError):
        raise _file_error("base", code="unallowed_value", message="An integer is expected") from None
    if not isinstance(name, str) or not name:
        raise bad_field("name", "required", "Field is required")
    if kind not in _TYPES:
        raise bad_field("type", "unallowed_value", "Unknown type", allowed_values=list(_TYPES))
    return name, str(kind), base


def _file_error(name: str, **leaf: Any) -> Refused:
    # This family's envelope has neither code nor message, only fields.
    return Refused(400, {"error": {"fields": {name: [leaf]}}})


def _base_list(world: World, user_id: int, base: int, kind: str) -> Row:
    row = world.audiences.users_lists.rows.get(abs(base))
    if row is None or row["status"] == "pending_delete":
        raise _file_error("base", code="not_found", message="Unknown base list")
    if row["user_id"] != user_id:
        raise denied("Only the owner can change the list")
    if row["base"]:
        raise _file_error("base", code="unallowed_value", message="The list is not a base list")
    if row["type"] != kind:
        raise _file_error("base", code="type_mismatch", message="Types of lists differ")
    return row


def _entries(content: bytes, kind: str, least: int) -> tuple[set[bytes], list[Row], int]:
    """Return the distinct ids of a file, what is wrong with the others, and how many there are of both."""
    lines = content.replace(b"\xef\xbb\xbf", b"", 1).splitlines()
    skipped = 0
    if kind in {"dmp_id", "dmp_top"}:
        if not lines or not lines[0].strip().isalnum():
            raise _file_error("file", line_number=1, line="", code="invalid_file_header")
        lines, skipped = lines[1:], 1
    names = _csv_header(lines[0] if lines else b"", skipped + 1)
    lines, skipped = (lines[1:], skipped + 1) if names else (lines, skipped)
    check = _LINE_CHECKS.get(kind, _anything)
    entries: set[bytes] = set()
    errors: list[Row] = []
    for number, line in enumerate(lines, start=1 + skipped):
        if not line.strip():
            continue
        word, code = _csv_id(line, names) if names else (line.strip().lower(), None)
        code = code or check(word) or ("duplicated_user_id" if word in entries else None)
        if code is None:
            entries.add(word)
        else:
            text = line.strip().decode("utf-8", "replace")
            errors.append({"line_number": number, "line": text, "error_code": code})
    _check_count(len(entries), least, errors)
    return entries, errors[:_MOST_ERRORS], len(entries) + len(errors)


def _csv_header(line: bytes, number: int) -> list[bytes]:
    """Return the names of the columns; none of a file that is a plain list."""
    names = [name.strip().lower() for name in line.split(b",")]
    if b"client_user_id" in names and b"id" not in names:
        text = line.decode("utf-8", "replace")
        raise _file_error("file", line_number=number, line=text, code="invalid_csv_header")
    return names if b"id" in names else []


def _csv_id(line: bytes, names: list[bytes]) -> tuple[bytes, str | None]:
    values = [value.strip() for value in line.split(b",")]
    if len(values) != len(names):
        return b"", "csv_line_column_index_error"
    row = dict(zip(names, values, strict=True))
    if not row[b"id"]:
        return b"", "empty_user_id_with_non_empty_client_user_id"
    return row[b"id"].lower(), None


def _check_count(count: int, least: int, errors: list[Row]) -> None:
    if count > MOST_LINES:
        raise _file_error("file", code="too_many_ids", message=f"More than {MOST_LINES} ids")
    if count >= least:
        return
    if errors:
        leaves = [
            {"line_number": e["line_number"], "line": e["line"], "code": e["error_code"]}
            for e in errors[:_MOST_ERRORS]
        ]
        raise Refused(400, {"error": {"fields": {"file": leaves}}})
    raise _file_error("file", code="not_enough_ids", message=f"Less than {least} ids")


def _store(world: World, user_id: int, *, name: str, kind: str, base: int, entries: set[bytes]) -> Row:
    row = world.audiences.users_lists.add(
        {
            "user_id": user_id,
            "name": name,
            "type": kind,
            "base": base,
            "status": STATES[0],
            "created": world.stamp(),
            "updated": world.stamp(),
            "entries_count": len(entries),
            "ids_count": len(entries),
            "matched_ids_count": 0,
            "has_history": False,
            "history": [],
            "error": None,
        }
    )
    world.audiences.entries[row["id"]] = entries
    for step, state in enumerate(STATES[1:], start=1):
        seconds = world.knobs.audience_s * step / (len(STATES) - 1)
        world.later(seconds, partial(_advance, row, state))
    return row


def _advance(row: Row, state: str, _moment: datetime) -> None:
    if row["status"] not in STATES:
        return
    row["status"] = state
    if state == STATES[-1]:
        row["matched_ids_count"] = row["entries_count"] * 7 // 10


def _change_base(world: World, base: Row, change: Row, moment: datetime) -> None:
    if change["status"] not in STATES:
        return
    entries = world.audiences.entries
    before = len(entries[base["id"]])
    if change["base"] > 0:
        entries[base["id"]] |= entries[change["id"]]
    else:
        entries[base["id"]] -= entries[change["id"]]
    count = len(entries[base["id"]])
    base.update(
        entries_count=count,
        ids_count=count,
        matched_ids_count=count * 7 // 10,
        updated=stamp(moment),
        has_history=True,
    )
    base["history"].append({"created": stamp(moment), "diff": count - before, "status": "ready"})


def rename_list(world: World, call: Call) -> web.Response:
    """POST users_lists/<id>.json: the name, and nothing else."""
    row = world.audiences.users_lists.get(call.user_id, call.number())
    body = call.object()
    name = body.get("name")
    if set(body) != {"name"} or not isinstance(name, str) or not name:
        raise bad_field("name", "required", "Field is required")
    same = ["name"] if row["name"] == name else []
    world.ledger.updated("users_lists", row["id"], call.method, same)
    row.update(name=name, updated=world.stamp())
    return empty()


def delete_list(world: World, call: Call) -> web.Response:
    """DELETE users_lists/<id>.json: by the owner, or by a consumer who gives it back."""
    number = call.number()
    holders = world.audiences.holders("users_list", number)
    consumes = call.user_id in holders
    row = None if consumes else world.audiences.users_lists.get(call.user_id, number)
    if row is not None and row["status"] == "pending_delete":
        raise not_found()
    users = {call.user_id} if consumes else {call.user_id, *holders}
    if used_by_segments(world, "remarketing_users_list", number, users):
        raise conflict("The list is used in a segment")
    if row is None:
        del holders[call.user_id]
        return empty()
    row["status"] = "pending_delete"
    world.later(world.knobs.audience_s, partial(_forget, world, number))
    return empty()


def _forget(world: World, number: int, _moment: datetime) -> None:
    del world.audiences.users_lists.rows[number]
    del world.audiences.entries[number]
    world.audiences.opened.pop(("users_list", number), None)


def used_by_segments(world: World, object_type: str, source_id: int, users: Container[int]) -> bool:
    """Return whether a segment of one of the users is made of a source."""
    segments = world.audiences.segments.rows
    return any(
        relation["object_type"] == object_type
        and segments[relation["segment_id"]]["user_id"] in users
        and source_id in {relation["params"].get("source_id"), relation.get("object_id")}
        for relation in world.audiences.relations
    )


def endpoints() -> Iterable[Endpoint]:
    """Yield the paths of this module."""
    both = ("v2", "v3")
    action = partial(Action, resource=_RESOURCE)
    yield Endpoint(
        path="remarketing/users_lists.json",
        actions={
            "GET": action(handler=list_lists, operation="READ"),
            "POST": action(handler=create_list, operation="CREATE"),
        },
        versions=both,
    )
    yield Endpoint(
        path=r"remarketing/users_lists/{id:\d+}.json",
        actions={
            "GET": action(handler=read_list, operation="READ"),
            **partial_update(rename_list, _RESOURCE),
            "DELETE": action(handler=delete_list, operation="DELETE"),
        },
        versions=both,
    )
