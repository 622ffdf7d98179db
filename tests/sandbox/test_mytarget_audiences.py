"""Users lists, segments, counters and sharing keys of the myTarget imitation."""

import pytest
from mytarget_caller import Caller, Reply, calling

LISTS = "remarketing/users_lists.json"
SEGMENTS = "remarketing/segments.json"
BUYER = 70002


def phones(count: int, start: int = 0) -> bytes:
    return b"\n".join(b"7900%07d" % number for number in range(start, start + count))


async def uploaded(call: Caller, content: bytes = b"", **data) -> Reply:
    asked = {"name": "CRM", "type": "phones", **data}
    return await call.upload(LISTS, content or phones(2000), data=asked)


def users_list(call: Caller, **wanted) -> dict:
    return call.first("users_lists", **wanted)


# Users lists.


async def test_an_uploaded_list_walks_to_ready():
    """It takes its documented states one after the other."""
    async with calling(audience_s=5) as call:
        reply = await uploaded(call)
        number = reply.json["id"]
        states = [reply.json["status"]]
        for _ in range(5):
            call.hands.move(1)
            states.append(users_list(call, id=number)["status"])
        assert states == ["receiving", "received", "mapping", "mapped", "writing", "ready"]
        assert (
            reply.status,
            reply.json["entries_count"],
            users_list(call, id=number)["matched_ids_count"],
        ) == (201, 2000, 1400)


async def test_version_three_takes_plain_parts():
    """Name and type are parts of their own, and the answer is 200."""
    async with calling() as call:
        path = f"/api/v3/{LISTS}"
        reply = await call.upload(path, phones(2000), name="l.txt", type="phones")
        assert (reply.status, reply.fields["name"]["code"]) == (400, "required")
        form = {"file": phones(2000).decode(), "name": "A", "type": "phones"}
        reply = await call.send("POST", path, data=_multipart(form))
        assert (reply.status, reply.json["name"]) == (200, "A")


def _multipart(form: dict[str, str]):
    import aiohttp

    data = aiohttp.FormData()
    for name, value in form.items():
        data.add_field(name, value, content_type="text/plain", filename=None)
    data._is_multipart = True
    return data


@pytest.mark.parametrize(("sign", "count"), [(1, 2530), (-1, 2470)])
async def test_a_differential_list_changes_its_base(sign, count):
    """`base` N adds, -N takes away, once the differential list is ready."""
    async with calling(audience_s=1) as call:
        base = users_list(call)
        content = phones(30) if sign > 0 else b"\n".join(b"07900%06d" % n for n in range(30))
        reply = await uploaded(call, content, base=sign * base["id"])
        assert reply.status == 201
        call.hands.move(1)
        row = users_list(call, id=base["id"])
        assert (count, True) == (row["entries_count"], row["has_history"])


@pytest.mark.parametrize(
    ("content", "data", "code"),
    [
        (phones(1999), {}, "not_enough_ids"),
        (phones(24), {"base": 250001}, "not_enough_ids"),
        (b"x@y\n" * 9, {"type": "emails"}, "invalid_email"),
        (b"g" * 32, {}, "invalid_md5"),
        (b"abc", {"type": "vk"}, "invalid_uint"),
        (b"zz", {"type": "mac"}, "invalid_mac"),
        (b"?\n1", {"type": "dmp_id"}, "invalid_file_header"),
    ],
)
async def test_a_bad_file_is_told_by_line(content, data, code):
    """The envelope has only `fields`, with a list of leaves under `file`."""
    async with calling() as call:
        reply = await uploaded(call, content, **data)
        assert (400, code) == (reply.status, reply.fields["file"][0]["code"])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"base": 999}, "not_found"),
        ({"base": 250001, "type": "emails"}, "type_mismatch"),
        ({"base": "x"}, "unallowed_value"),
    ],
)
async def test_a_bad_base_is_told(data, code):
    """A base must exist and have the same type."""
    async with calling() as call:
        reply = await uploaded(call, **data)
        assert (400, code) == (reply.status, reply.fields["base"][0]["code"])


async def test_only_the_owner_changes_a_base_list():
    """Another account's list is not a base for mine."""
    async with calling() as call:
        other = call.as_user(BUYER)
        reply = await uploaded(other, phones(30), base=users_list(call)["id"])
        assert (reply.status, reply.code) == (403, "access_denied")


async def test_bad_lines_among_good_ones_are_a_partial_success():
    """The list is made, and the errors are told by line number."""
    async with calling() as call:
        reply = await uploaded(call, b"oops\n" + phones(2000))
        expected = [{"line_number": 1, "line": "oops", "error_code": "invalid_phone"}]
        assert (201, 2000, expected) == (
            reply.status,
            reply.json["entries_count"],
            reply.json["error"],
        )


async def test_a_csv_header_is_no_entry():
    """The first column counts where the first line says `id`."""
    async with calling(list_minimum=2) as call:
        reply = await uploaded(call, b"id,client_user_id\n79001234567,a\n79001234568,b\n")
        assert reply.json["entries_count"] == 2


async def test_requests_without_file_or_with_bad_data_are_refused():
    """No file, and JSON that is none, have answers of their own."""
    async with calling() as call:
        reply = await call.upload(LISTS, phones(30), data="{")
        assert (reply.status, reply.code) == (400, "invalid_json")
        reply = await call.upload(LISTS, b"", data={"name": "a", "type": "phones"})
        assert reply.json["error"]["message"] == "File content is required"


async def test_a_list_in_use_cannot_be_deleted():
    """409 while a segment names it; afterwards it goes away in its own time."""
    async with calling(audience_s=2) as call:
        path = f"remarketing/users_lists/{users_list(call)['id']}.json"
        assert (await call.delete(path)).status == 409
        segment = call.first("segments")["id"]
        assert (await call.delete(f"remarketing/segments/{segment}.json")).status == 204
        assert (await call.delete(path)).status == 204
        assert users_list(call)["status"] == "pending_delete"
        call.hands.move(2)
        assert call.sandbox.truth("users_lists") == []


async def test_a_list_is_renamed():
    """204, and the list of lists finds it by its name."""
    async with calling() as call:
        number = users_list(call)["id"]
        path = f"remarketing/users_lists/{number}.json"
        assert (await call.post(path, {"name": "Renamed"})).status == 204
        items = (await call.get(LISTS, _q="renam")).json["items"]
        assert [number] == [item["id"] for item in items]


# Segments and counters.


def relation(source_id: int, **params) -> dict:
    return {
        "object_type": "remarketing_users_list",
        "params": {"source_id": source_id, "type": "positive", **params},
    }


async def test_a_segment_is_made_of_relations():
    """It answers its default fields; the relations only when asked for."""
    async with calling() as call:
        source = users_list(call)["id"]
        nested = call.first("segments")["id"]
        items = [relation(source), {"object_type": "segment", "object_id": nested}]
        body = {"name": "S", "pass_condition": 2, "relations": items}
        made = (await call.post(SEGMENTS, body)).json
        assert {"id", "name", "pass_condition", "created", "updated", "flags"} == set(made)
        query = {"_id": made["id"], "fields": "id,relations__object_type,relations_count"}
        (row,) = (await call.get(SEGMENTS, **query)).json["items"]
        types = [{"object_type": "remarketing_users_list"}, {"object_type": "segment"}]
        assert (types, 2) == (row["relations"], row["relations_count"])


@pytest.mark.parametrize(
    ("change", "where", "code"),
    [
        ({"pass_condition": 3}, "pass_condition", "invalid_condition"),
        ({"relations": [relation(1)]}, "source_id", "unknown_source"),
        ({"relations": []}, "relations", "required"),
        ({"name": ""}, "name", "required"),
    ],
)
async def test_a_wrong_segment_is_refused(change, where, code):
    """One example of every rule of segments."""
    async with calling() as call:
        source = users_list(call)["id"]
        body = {"name": "S", "pass_condition": 1, "relations": [relation(source)], **change}
        reply = await call.post(SEGMENTS, body)
        assert (400, code) == (reply.status, reply.fields[where]["code"])


async def test_an_interval_runs_backwards():
    """Left is further in the past than right."""
    async with calling() as call:
        source = users_list(call)["id"]
        relations = [relation(source, left=3, right=5)]
        body = {"name": "S", "pass_condition": 1, "relations": relations}
        message = (await call.post(SEGMENTS, body)).json["error"]["message"]
        assert message == "Left should be greater than right"


async def test_relations_are_added_and_removed():
    """Twice the same is refused, and so is taking away too many."""
    async with calling() as call:
        segment, counter = call.first("segments")["id"], call.first("counters")["counter_id"]
        path = f"remarketing/segments/{segment}/relations"
        item = {"object_type": "remarketing_counter", "params": {"source_id": counter}}
        assert (await call.post(f"{path}.json", {"items": [item]})).status == 200
        assert (await call.post(f"{path}.json", {"items": [item]})).code == "relation_exists"
        numbers = [row["id"] for row in (await call.get(f"{path}.json")).json["items"]]
        assert len(numbers) == 2
        assert (await call.delete(f"{path}/{numbers[0]},{numbers[1]}.json")).status == 400
        changed = {"params": {"source_id": counter, "left": 30, "right": 0}}
        reply = await call.post(f"{path}/{numbers[1]}.json", changed)
        assert reply.json["params"]["left"] == 30
        assert (await call.delete(f"{path}/{numbers[1]}.json")).status == 204


async def test_segments_form_no_cycle():
    """A segment cannot contain itself, however deep."""
    async with calling() as call:
        inner = call.first("segments")["id"]
        items = [{"object_type": "segment", "object_id": inner}]
        body = {"name": "Outer", "pass_condition": 1, "relations": items}
        outer = (await call.post(SEGMENTS, body)).json["id"]
        path = f"remarketing/segments/{inner}/relations.json"
        item = {"object_type": "segment", "object_id": outer}
        assert (await call.post(path, {"items": [item]})).status == 400


async def test_a_segment_in_use_cannot_be_deleted():
    """409 while a campaign aims at it."""
    async with calling() as call:
        segment = call.first("segments")["id"]
        campaign = call.first("campaigns", status="active")["id"]
        body = {"targetings": {"segments": [-segment]}}
        assert (await call.post(f"campaigns/{campaign}.json", body)).status == 204
        assert (await call.delete(f"remarketing/segments/{segment}.json")).status == 409
        shown = (await call.get(SEGMENTS, fields="campaign_ids")).json["items"]
        assert [{"campaign_ids": [campaign]}] == shown


async def test_counters_are_made_attached_and_have_goals():
    """A counter of another account is attached without rights until it is approved."""
    async with calling() as call:
        path = "remarketing/counters.json"
        new = {"name": "N", "url": "https://n.test/x", "email": "a@b.test", "password": "p"}
        made = (await call.post(path, new)).json
        goal = {"name": "Order", "condition": "uss", "substr": "/ok", "goal_type": "purchase"}
        goals = f"remarketing/counters/{made['counter_id']}/goals.json"
        assert (await call.post(goals, goal)).status == 200
        assert [item["name"] for item in (await call.get(goals)).json["items"]] == ["Order"]
        foreign = call.sandbox.truth(f"counters@{BUYER}")[0]["counter_id"]
        attached = (await call.post(path, {"counter_id": foreign})).json
        assert (attached["system_status"], attached["working"]) == ("blocked", False)
        assert (await call.post(path, {"counter_id": foreign})).code == "duplicate_error"
        refused = await call.post(f"remarketing/counters/{foreign}/goals.json", goal)
        expected = {"error": {"message": "Can not create goal for unconfirmed counter"}}
        assert (400, expected) == (refused.status, refused.json)
