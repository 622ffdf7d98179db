"""Users lists of the myTarget imitation: uploads, states, differential lists, deletion."""

import aiohttp
import pytest
from mytarget_caller import Caller, Reply, calling

from adnet.sandbox import _mytarget_lists

LISTS = "remarketing/users_lists.json"
BUYER = 70002


def phones(count: int, start: int = 0) -> bytes:
    return b"\n".join(b"7900%07d" % number for number in range(start, start + count))


async def uploaded(call: Caller, content: bytes = b"", **data) -> Reply:
    asked = {"name": "CRM", "type": "phones", **data}
    return await call.upload(LISTS, content or phones(2000), data=asked)


def users_list(call: Caller, **wanted) -> dict:
    return call.first("users_lists", **wanted)


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
        reply = await call.upload(path, phones(2000), data={"name": "A", "type": "phones"})
        assert (reply.status, reply.fields["name"]["code"]) == (400, "required")
        form = {"file": phones(2000).decode(), "name": "A", "type": "phones"}
        reply = await call.send("POST", path, data=_multipart(form))
        assert (reply.status, reply.json["name"]) == (200, "A")


def _multipart(form: dict[str, str]):
    data = aiohttp.FormData()
    for name, value in form.items():
        data.add_field(name, value, content_type="text/plain", filename=None)
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
        reply = await uploaded(call, b"client_user_id,id\na,79001234567\nb,79001234568\nc\nd,\n")
        assert (reply.json["entries_count"], reply.json["ids_count"]) == (2, 4)
        assert [(error["line_number"], error["error_code"]) for error in reply.json["error"]] == [
            (4, "csv_line_column_index_error"),
            (5, "empty_user_id_with_non_empty_client_user_id"),
        ]
        reply = await uploaded(call, b"client_user_id,phone\na,79001234567\nb,79001234568\n")
        assert reply.fields["file"][0]["code"] == "invalid_csv_header"


async def test_an_id_that_comes_twice_is_told():
    """It counts once among the entries, and as often as it comes in the size of the source."""
    async with calling(list_minimum=2) as call:
        reply = await uploaded(call, b"79001234567\n79001234568\n\n79001234567\n")
        assert (reply.json["entries_count"], reply.json["ids_count"]) == (2, 3)
        assert reply.json["error"] == [
            {"line_number": 4, "line": "79001234567", "error_code": "duplicated_user_id"}
        ]


async def test_a_base_changes_when_its_time_comes():
    """Not when somebody looks: its history tells the moment."""
    async with calling(audience_s=60) as call:
        base = users_list(call)
        await uploaded(call, phones(30), base=base["id"])
        call.hands.move(3600)
        row = users_list(call, id=base["id"])
        assert row["history"][0]["created"] == row["updated"] == "2026-09-15 12:31:00"


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
        assert (await call.get(LISTS, _q="x" * 255)).json == {"items": []}
        assert (await call.get(LISTS, _q="x" * 256)).status == 400


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
