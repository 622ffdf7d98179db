"""Users lists, segments, counters and sharing keys of the myTarget imitation."""

import pytest
from mytarget_caller import Caller, Reply, calling

from adnet.sandbox import _mytarget_lists, _mytarget_segments

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


@pytest.mark.parametrize(
    ("change", "where", "code"),
    [
        ({"relations": [5]}, "relations", "bad_items"),
        ({"relations": [{"object_type": "segment", "object_id": 1}]}, "source_id", "unknown_source"),
        ({"relations": [{"object_type": "remarketing_shoes"}]}, "object_type", "unallowed_value"),
        ({"relations": [{"object_type": ["x"]}]}, "object_type", "unallowed_value"),
        ({"relations": [{"object_type": "remarketing_player", "params": 5}]}, "params", "bad_value"),
        ({"relations": [relation(250001, type="both")]}, "type", "unallowed_value"),
        ({"relations": [relation([1])]}, "source_id", "unknown_source"),
    ],
)
async def test_a_segment_of_a_wrong_shape_is_refused(change, where, code):
    """No shape of JSON makes the server fall over."""
    async with calling() as call:
        body = {"name": "S", "pass_condition": 1, **change}
        reply = await call.post(SEGMENTS, body)
        assert (reply.status, reply.fields[where]["code"]) == (400, code)


async def test_a_segment_is_read_and_renamed():
    """The update answers with the object; unknown and bad fields are refused."""
    async with calling() as call:
        number = call.first("segments")["id"]
        path = f"remarketing/segments/{number}.json"
        assert (await call.post(path, {"name": "New", "pass_condition": 1})).json["name"] == "New"
        assert (await call.post(path, {"name": "Newer"})).json["name"] == "Newer"
        assert (await call.get(path)).json["name"] == "Newer"
        assert (await call.post(path, {"relations": []})).code == "unknown_resource_field"
        assert (await call.post(path, {"name": ""})).fields["name"]["code"] == "required"
        assert (await call.post(path, {"pass_condition": 2})).status == 400
        assert call.sandbox.report()["unchanged_fields_examples"][0]["field"] == "pass_condition"


async def test_there_is_a_greatest_number_of_segments(monkeypatch):
    """Beyond it, segment_limit_exceeded."""
    monkeypatch.setattr(_mytarget_segments, "MOST_SEGMENTS", 1)
    async with calling() as call:
        body = {"name": "S", "pass_condition": 1, "relations": [relation(users_list(call)["id"])]}
        assert (await call.post(SEGMENTS, body)).code == "segment_limit_exceeded"


async def test_other_sources_are_taken_at_their_word():
    """Pricelists, groups and the like are not kept here, and go through."""
    async with calling() as call:
        item = {"object_type": "remarketing_vk_group", "params": {"source_id": 77}}
        body = {"name": "S", "pass_condition": 1, "relations": [item]}
        made = (await call.post(SEGMENTS, body)).json
        nested = {"object_type": "segment", "object_id": made["id"]}
        body = {"name": "T", "pass_condition": 1, "relations": [nested]}
        number = (await call.post(SEGMENTS, body)).json["id"]
        (row,) = (await call.get(SEGMENTS, _id=number, fields="flags,relations")).json["items"]
        assert (row["flags"], row["relations"][0]["object_id"]) == ([], made["id"])
        assert (await call.delete(f"remarketing/segments/{made['id']}.json")).status == 409
        assert len(call.sandbox.truth("relations")) == 5


async def test_relations_need_items_and_a_segment():
    """Nothing to add, and nothing to find."""
    async with calling() as call:
        path = f"remarketing/segments/{call.first('segments')['id']}/relations"
        assert (await call.post(f"{path}.json", {"items": []})).fields["items"]["code"] == "required"
        assert (await call.delete(f"{path}/1.json")).status == 404


async def test_counters_are_renamed_and_deleted():
    """By counter_id; a counter in a segment stays."""
    async with calling() as call:
        number = call.first("counters")["counter_id"]
        path = f"remarketing/counters/{number}.json"
        assert (await call.post(path, {"name": "New", "flags": []})).json["name"] == "New"
        assert (await call.post(path, {"domain": "x"})).code == "unknown_resource_field"
        shown = (await call.get(path, fields="name,type,domain,goals,users")).json
        assert (shown["name"], shown["type"], shown["users"]) == ("New", "own", [])
        item = {"object_type": "remarketing_counter", "params": {"source_id": number}}
        body = {"name": "S", "pass_condition": 1, "relations": [item]}
        segment = (await call.post(SEGMENTS, body)).json["id"]
        assert (await call.delete(path)).status == 409
        await call.delete(f"remarketing/segments/{segment}.json")
        assert (await call.delete(path)).status == 204
        assert (await call.get(path)).status == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [({"counter_id": 1}, 404), ({"name": "N"}, 400), ({"counter_id": []}, 404)],
)
async def test_a_wrong_counter_is_refused(body, status):
    """An unknown one, and a new one without its address."""
    async with calling() as call:
        assert (await call.post("remarketing/counters.json", body)).status == status


async def test_goals_are_changed_and_listed_by_type():
    """`goals.json` names them as statistics do; a change sends some fields."""
    async with calling() as call:
        number, goal = call.first("counters")["counter_id"], call.first("goals")["id"]
        path = f"remarketing/counters/{number}/goals"
        assert (await call.post(f"{path}/{goal}.json", {"value": 5})).json["value"] == 5
        assert (await call.get("goals.json")).json["topmailru"][0]["goal"] == "uss:/order"
        for body, code in (
            ({"substr": "x"}, "unknown_resource_field"),
            ({"goal_type": "gift"}, "validation_failed"),
        ):
            assert (await call.post(f"{path}/{goal}.json", body)).code == code
        for body in ({"name": ""}, {"name": "G", "condition": "x"}):
            assert (await call.post(f"{path}.json", body)).code == "validation_failed"
        body = {"name": "N", "url": "u", "email": "e", "password": "p"}
        other = (await call.post("remarketing/counters.json", body)).json["counter_id"]
        wrong = f"remarketing/counters/{other}/goals/{goal}.json"
        assert (await call.post(wrong, {"value": 6})).status == 404


async def test_lists_have_greatest_sizes(monkeypatch):
    """Too many lines and too many bytes have answers of their own."""
    async with calling() as call:
        monkeypatch.setattr(_mytarget_lists, "MOST_LINES", 1999)
        assert (await uploaded(call)).fields["file"][0]["code"] == "too_many_ids"
        monkeypatch.setattr(_mytarget_lists, "MOST_BYTES", 1999)
        assert (await uploaded(call)).status == 413


async def test_a_differential_list_is_no_base():
    """Nor is a list of an unknown type a list; blank lines are nobody."""
    async with calling() as call:
        base = users_list(call)["id"]
        change = (await uploaded(call, phones(30) + b"\n\n", base=base)).json
        assert change["entries_count"] == 30
        reply = await uploaded(call, phones(30), base=change["id"])
        assert reply.fields["base"][0]["code"] == "unallowed_value"
        assert (await uploaded(call, type="shoes")).fields["type"]["code"] == "unallowed_value"
        devices = await uploaded(call, b"\n".join(b"d%d" % n for n in range(2000)), type="idfa")
        assert devices.status == 201


async def test_a_list_deleted_on_its_way_arrives_nowhere():
    """It stays pending, and changes no base."""
    async with calling(audience_s=2) as call:
        base = users_list(call)
        change = (await uploaded(call, phones(30), base=base["id"])).json["id"]
        path = f"remarketing/users_lists/{change}.json"
        assert (await call.delete(path)).status == 204
        assert (await call.delete(path)).status == 404
        call.hands.move(1.9)
        assert users_list(call, id=change)["status"] == "pending_delete"
        call.hands.move(0.1)
        assert users_list(call, id=base["id"])["entries_count"] == base["entries_count"]


async def test_only_the_name_of_a_list_changes():
    """Other fields, and no name, are refused."""
    async with calling() as call:
        path = f"remarketing/users_lists/{users_list(call)['id']}.json"
        assert (await call.post(path, {"type": "emails"})).fields["name"]["code"] == "required"
        assert (await call.get("remarketing/users_lists/1.json")).status == 404
        kinds = {row["kind"] for row in call.sandbox.truth("audiences")}
        assert kinds == {"users_list", "segment", "counter"}


async def test_segments_are_found_by_the_start_of_their_name():
    """`_name__startswith`, and pages of up to a hundred."""
    async with calling() as call:
        assert (await call.get(SEGMENTS, _name__startswith="CRM", limit=100)).json["limit"] == 100
        assert (await call.get(SEGMENTS, _name__startswith="crm")).json["count"] == 0


async def test_a_partners_list_starts_with_its_code():
    """dmp_id: the first line names the partner, and counts for nobody."""
    async with calling(list_minimum=2) as call:
        reply = await uploaded(call, b"partner7\na\nb\n", type="dmp_id")
        assert reply.json["entries_count"] == 2


async def test_nameless_parts_are_passed_over():
    """Only parts with a name are fields."""
    async with calling(list_minimum=1) as call:
        parts = [
            b"--x\r\nContent-Disposition: form-data\r\n\r\nnobody\r\n",
            b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nA\r\n',
            b'--x\r\nContent-Disposition: form-data; name="type"\r\n\r\nvk\r\n',
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n1\r\n--x--\r\n',
        ]
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        reply = await call.send("POST", LISTS, data=b"".join(parts), headers=headers)
        assert (reply.status, reply.json["name"]) == (201, "A")
