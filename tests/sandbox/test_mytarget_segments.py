"""Segments, relations, counters and goals of the myTarget imitation."""

import pytest
from mytarget_caller import calling

from adnet.sandbox import _mytarget_segments

SEGMENTS = "remarketing/segments.json"
BUYER = 70002


def users_list(call) -> dict:
    return call.first("users_lists")


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
    """Twice the same is refused, and so is taking away too many; one that is named twice goes once."""
    async with calling() as call:
        segment, counter = call.first("segments")["id"], call.first("counters")["counter_id"]
        path = f"remarketing/segments/{segment}/relations"
        item = {"object_type": "remarketing_counter", "params": {"source_id": counter}}
        assert (await call.post(f"{path}.json", {"items": [item, item]})).code == "relation_exists"
        assert (await call.post(f"{path}.json", {"items": [item]})).status == 200
        assert (await call.post(f"{path}.json", {"items": [item]})).code == "relation_exists"
        numbers = [row["id"] for row in (await call.get(f"{path}.json")).json["items"]]
        assert len(numbers) == 2
        assert (await call.delete(f"{path}/{numbers[0]},{numbers[1]}.json")).status == 400
        changed = {"params": {"left": 30, "right": 0, "type": "negative"}}
        reply = await call.post(f"{path}/{numbers[1]}.json", changed)
        shown = {"id": numbers[1], "object_type": item["object_type"], "object_id": counter}
        assert (reply.status, reply.json) == (200, shown)
        row = (await call.get(f"{path}.json", _id=numbers[1], fields="params")).json["items"][0]
        assert row["params"] == {"source_id": counter, **changed["params"]}
        more = {**changed, "object_type": "segment"}
        assert (await call.post(f"{path}/{numbers[1]}.json", more)).code == "unknown_resource_field"
        twice = f"{path}/{numbers[1]},{numbers[1]}.json"
        assert (await call.post(twice, changed)).status == 404
        assert (await call.delete(twice)).status == 204
        assert [row["id"] for row in (await call.get(f"{path}.json")).json["items"]] == numbers[:1]


async def test_a_relation_that_names_another_source_lets_the_first_one_go():
    """What no relation names any more can be deleted."""
    async with calling() as call:
        first, counter = (
            call.first("counters"),
            {"name": "C", "url": "https://c.example", "email": "e", "password": "p"},
        )
        second = (await call.post("remarketing/counters.json", counter)).json["counter_id"]
        item = {"object_type": "remarketing_counter", "params": {"source_id": first["counter_id"]}}
        segment = (await call.post(SEGMENTS, {"name": "S", "pass_condition": 1, "relations": [item]})).json[
            "id"
        ]
        relations = f"remarketing/segments/{segment}/relations"
        (row,) = (await call.get(f"{relations}.json")).json["items"]
        changed = await call.post(f"{relations}/{row['id']}.json", {"params": {"source_id": second}})
        assert changed.json["object_id"] == second
        assert (await call.delete(f"remarketing/counters/{first['counter_id']}.json")).status == 204
        assert (await call.delete(f"remarketing/counters/{second}.json")).status == 409


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
        flags = {"counter_id": foreign, "flags": ["cookie_sync"]}
        attached = (await call.post(path, flags)).json
        assert (attached["system_status"], attached["working"]) == ("blocked", False)
        assert attached["flags"] == ["cookie_sync"]
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


async def test_ages_and_interests_are_sources_too():
    """They have no ids of their own; an interval is of days, not of truths."""
    async with calling() as call:
        relations = [{"object_type": kind, "params": {}} for kind in ("age", "interest", "interest_soc_dem")]
        body = {"name": "S", "pass_condition": 3, "relations": relations}
        assert (await call.post(SEGMENTS, body)).status == 200
        wrong = {"object_type": "remarketing_player", "params": {"left": True, "right": False}}
        reply = await call.post(SEGMENTS, {**body, "pass_condition": 1, "relations": [wrong]})
        assert reply.json["error"]["message"] == "Left should be greater than right"


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
        for wrong in ({"name": ""}, {"name": None}, {"flags": {}}, {"flags": [5]}):
            assert (await call.post(path, wrong)).code == "validation_failed"
        shown = (await call.get(path, fields="name,type,domain,goals,users")).json
        assert (shown["name"], shown["type"], shown["users"]) == ("New", "own", [])
        item = {"object_type": "remarketing_counter", "params": {"source_id": number}}
        body = {"name": "S", "pass_condition": 1, "relations": [item]}
        segment = (await call.post(SEGMENTS, body)).json["id"]
        assert (await call.delete(path)).status == 409
        await call.delete(f"remarketing/segments/{segment}.json")
        assert (await call.delete(path)).status == 204
        assert (await call.get(path)).status == 404


async def test_a_counter_is_neither_changed_nor_passed_on_by_a_consumer():
    """It keeps its owner's name, and a segment made of it is not shareable."""
    async with calling() as call:
        counter, buyer = call.first("counters"), call.as_user(70002)
        number = counter["counter_id"]
        sources = [{"object_type": "counter", "object_id": number}]
        key = (await call.post("sharing_keys.json", {"sources": sources})).json["sharing_key"]
        await buyer.post(f"sharing_keys/{key}.json")
        reply = await buyer.post(f"remarketing/counters/{number}.json", {"name": "Mine"})
        assert (reply.status, reply.code) == (403, "access_denied")
        assert call.first("counters")["name"] == counter["name"]
        item = {"object_type": "remarketing_counter", "params": {"source_id": number}}
        body = {"name": "S", "pass_condition": 1, "relations": [item]}
        made = (await buyer.post(SEGMENTS, body)).json["id"]
        assert (await buyer.get(SEGMENTS, _id=made)).json["items"][0]["flags"] == ["sharing_forbidden"]
        sources = [{"object_type": "segment", "object_id": made}]
        leaves = (await buyer.post("sharing_keys.json", {"sources": sources})).fields["sources"]
        assert leaves["items"][0]["message"] == "Object not shareable"
        own = {**body, "relations": [{**item, "params": {"source_id": number + 1}}]}
        made = (await buyer.post(SEGMENTS, own)).json["id"]
        assert (await buyer.get(SEGMENTS, _id=made)).json["items"][0]["flags"] == []


async def test_the_number_of_a_deleted_counter_is_not_given_again():
    """A new counter has neither the goals nor the consumers of one that is gone."""
    async with calling() as call:
        path, new = "remarketing/counters", {"name": "N", "url": "u", "email": "e", "password": "p"}
        old = (await call.post(f"{path}.json", new)).json["counter_id"]
        await call.post(f"{path}/{old}/goals.json", {"name": "Order", "condition": "uss"})
        sources = [{"object_type": "counter", "object_id": old}]
        key = (await call.post("sharing_keys.json", {"sources": sources})).json["sharing_key"]
        maker, consumer = call.as_user(70002), call.as_user(80001)
        await consumer.post(f"sharing_keys/{key}.json")
        await call.delete(f"{path}/{old}.json")
        made = (await maker.post(f"{path}.json", new)).json["counter_id"]
        assert (await maker.get(f"{path}/{made}/goals.json")).json["items"] == []
        assert (await consumer.get(f"{path}/{made}.json")).status == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"counter_id": 1}, 404),
        ({"name": "N"}, 400),
        ({"counter_id": []}, 404),
        ({"counter_id": 2000002, "flags": "cookie_sync"}, 400),
        ({"counter_id": 2000002, "name": 5}, 400),
        ({"counter_id": 2000002, "domain": "a.test"}, 400),
    ],
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
        wrong = {"name": "G", "condition": "uss", "substring": "/x"}
        assert (await call.post(f"{path}.json", wrong)).code == "unknown_resource_field"
        for body in ({"name": ""}, {"value": "much"}):
            assert (await call.post(f"{path}/{goal}.json", body)).code == "validation_failed"
        body = {"name": "N", "url": "u", "email": "e", "password": "p"}
        other = (await call.post("remarketing/counters.json", body)).json["counter_id"]
        wrong = f"remarketing/counters/{other}/goals/{goal}.json"
        assert (await call.post(wrong, {"value": 6})).status == 404


async def test_segments_are_found_by_the_start_of_their_name():
    """`_name__startswith`, and pages of up to a hundred."""
    async with calling() as call:
        assert (await call.get(SEGMENTS, _name__startswith="CRM", limit=100)).json["limit"] == 100
        assert (await call.get(SEGMENTS, _name__startswith="crm")).json["count"] == 0


async def test_an_attached_counter_is_still_its_owners():
    """What the owner builds on it does not hold it, and what is built on it cannot be passed on."""
    async with calling() as call:
        counter, buyer = call.first("counters")["counter_id"], call.as_user(BUYER)
        item = {"object_type": "remarketing_counter", "params": {"source_id": counter}}
        body = {"name": "S", "pass_condition": 1, "relations": [item]}
        assert (await call.post(SEGMENTS, body)).status == 200
        assert (await buyer.post("remarketing/counters.json", {"counter_id": counter})).status == 200
        made = (await buyer.post(SEGMENTS, body)).json
        assert made["flags"] == ["sharing_forbidden"]
        renamed = (await buyer.post(f"remarketing/segments/{made['id']}.json", {"name": "T"})).json
        assert renamed["flags"] == ["sharing_forbidden"]
        path = f"remarketing/counters/{counter}.json"
        assert (await buyer.delete(path)).status == 409
        await buyer.delete(f"remarketing/segments/{made['id']}.json")
        assert (await buyer.delete(path)).status == 204
        assert (await call.delete(path)).status == 409


async def test_the_domain_of_a_counter_is_its_addresss_host():
    """With whichever scheme, and with none."""
    async with calling() as call:
        path, rest = "remarketing/counters.json", {"name": "N", "email": "e", "password": "p"}
        for url in ("http://a.test/x", "https://b.test", "c.test/y"):
            assert (await call.post(path, {**rest, "url": url})).status == 200
        items = (await call.get(path, _domain__in="a.test,b.test,c.test", fields="domain")).json["items"]
        assert [item["domain"] for item in items] == ["a.test", "b.test", "c.test"]


async def test_goals_of_anothers_counter_cannot_be_changed():
    """Neither of one that waits for its owner, nor of one that a key opened."""
    async with calling() as call:
        counter, goal = call.first("counters")["counter_id"], call.first("goals")["id"]
        sources = [{"object_type": "counter", "object_id": counter}]
        key = (await call.post("sharing_keys.json", {"sources": sources})).json["sharing_key"]
        buyer, client = call.as_user(BUYER), call.as_user(80001)
        await buyer.post(f"sharing_keys/{key}.json")
        await client.post("remarketing/counters.json", {"counter_id": counter})
        path = f"remarketing/counters/{counter}/goals/{goal}.json"
        for caller, word in ((buyer, "shared"), (client, "unconfirmed")):
            reply = await caller.post(path, {"value": 5})
            expected = {"error": {"message": f"Can not edit goal for {word} counter"}}
            assert (reply.status, reply.json) == (400, expected)


async def test_a_segment_takes_the_fields_it_has():
    """Others are told instead of passed over; the cabinet's own word for the condition goes through."""
    async with calling() as call:
        body = {"name": "S", "pass_condition": 1, "relations": [relation(users_list(call)["id"])]}
        assert (await call.post(SEGMENTS, {**body, "flags": []})).code == "unknown_resource_field"
        assert (await call.post(SEGMENTS, {**body, "logicType": "or"})).status == 200
