"""Sharing keys of the myTarget imitation: who may take what, and what stops when a key goes."""

import pytest
from mytarget_caller import Caller, Reply, calling

LISTS = "remarketing/users_lists.json"
SEGMENTS = "remarketing/segments.json"
BUYER = 70002


def users_list(call: Caller) -> dict:
    return call.first("users_lists")


def relation(source_id: int, **params) -> dict:
    return {
        "object_type": "remarketing_users_list",
        "params": {"source_id": source_id, "type": "positive", **params},
    }


async def shared(call: Caller, **more) -> Reply:
    sources = [
        {"object_type": "users_list", "object_id": users_list(call)["id"]},
        {"object_type": "segment", "object_id": call.first("segments")["id"]},
    ]
    return await call.post("sharing_keys.json", {"sources": sources, **more})


async def test_a_key_is_private_to_the_users_it_names():
    """Others cannot take it; an email goes out only when wanted."""
    async with calling() as call:
        users = [{"username": "buyer@example.test"}]
        key = (await shared(call, users=users * 2, send_email=True)).json
        assert (key["users"], len(call.sandbox.truth("emails"))) == (users, 1)
        assert (key["type"], key["payment_type"], key["price"]) == ("private", "free", "0")
        assert call.sandbox.truth("emails")[0]["to"] == "buyer@example.test"
        path = f"sharing_keys/{key['sharing_key']}.json"
        assert (await call.as_user(80001).post(path)).status == 403
        assert (await call.as_user(BUYER).post(path)).status == 200


async def test_a_public_key_opens_for_any_end_advertiser():
    """But not for an agency, nor for its owner."""
    async with calling() as call:
        key = (await shared(call)).json
        path = f"sharing_keys/{key['sharing_key']}.json"
        assert key["type"] == "public"
        assert (await call.post(path)).code == "is_owner"
        assert (await call.as_user(70100).post(path)).code == "access_denied"
        answer = (await call.as_user(80001).post(path)).json
        assert [row["object_type"] for row in answer["sources"]] == ["users_list", "segment"]
        assert answer["sources"][0]["params"]["entries_count"] == 2500
        listed = (await call.get("sharing_keys.json", _key=key["sharing_key"])).json["items"]
        assert listed[0]["users"] == [{"id": 80001, "username": "ab12cd34@agency_client"}]


async def test_a_consumer_may_take_a_part():
    """Named sources alone are opened; one the key does not open is not found."""
    async with calling() as call:
        key = (await shared(call)).json
        path, buyer = f"sharing_keys/{key['sharing_key']}.json", call.as_user(BUYER)
        assert (await buyer.post(path, {"sources": key["sources"][0]})).status == 200
        names = {item["id"] for item in (await buyer.get(LISTS)).json["items"]}
        assert key["sources"][0]["object_id"] in names
        assert (await buyer.get(SEGMENTS)).json["count"] == 1
        body = {"sources": [{"object_type": "segment", "object_id": 1}]}
        assert ((r := await buyer.post(path, body)).status, r.code) == (404, "source_not_found")
        assert r.json["error"]["message"] == "Object segment with id 1 not found"
        for body in ({"status": "deleted"}, {"colour": "red"}):
            assert (await buyer.post(path, body)).status == 400
        assert (await buyer.post(path, {"status": "active"})).status == 200


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"users": [{"username": "adv@example.test"}]}, "users", "unallowed_value"),
        ({"users": [{"username": "nobody"}]}, "users", "invalid_email"),
        ({"payment_type": "fixed_cpm"}, "price", "required"),
        ({"payment_type": "free", "price": "5"}, "price", "unallowed_value"),
        ({"payment_type": "fixed_cpm", "price": "Infinity"}, "price", "required"),
        ({"payment_type": "gift"}, "payment_type", "unallowed_value"),
        ({"send_email": True}, "send_email", "unallowed_value"),
        ({"sources": []}, "sources", "required"),
    ],
)
async def test_a_wrong_key_is_refused(more, field, code):
    """One example of every rule of sharing."""
    async with calling() as call:
        reply = await shared(call, **more)
        assert (400, code) == (reply.status, reply.fields[field]["code"])


async def test_only_partners_set_a_price():
    """A fixed CPM needs a DMP partner; the price is told back."""
    async with calling() as call:
        reply = await shared(call, payment_type="fixed_cpm", price="12.50")
        assert reply.json["price"] == "12.5"
        buyer = call.as_user(BUYER)
        source = call.sandbox.truth(f"users_lists@{BUYER}")[0]["id"]
        body = {"sources": [{"object_type": "users_list", "object_id": source}]}
        reply = await buyer.post("sharing_keys.json", {**body, "payment_type": "fixed_cpm", "price": 1})
        assert reply.fields["price"]["code"] == "invalid_type"


async def test_foreign_and_borrowed_sources_cannot_be_shared():
    """What is another's is not found; a segment built on it is not shareable."""
    async with calling() as call:
        key, buyer = (await shared(call)).json, call.as_user(BUYER)
        await buyer.post(f"sharing_keys/{key['sharing_key']}.json")
        borrowed = key["sources"][0]["object_id"]
        body = {"name": "S", "pass_condition": 1, "relations": [relation(borrowed)]}
        segment = (await buyer.post(SEGMENTS, body)).json["id"]
        sources = [
            {"object_type": "users_list", "object_id": borrowed},
            {"object_type": "segment", "object_id": segment},
        ]
        leaves = (await buyer.post("sharing_keys.json", {"sources": sources})).fields["sources"]
        messages = [leaf["message"] for leaf in leaves["items"]]
        assert messages == ["Object not found", "Object not shareable"]
        shown = (await buyer.get(SEGMENTS, _id=segment)).json["items"][0]
        assert shown["flags"] == ["sharing_forbidden"]


async def test_removing_a_key_stops_the_consumers_campaigns():
    """Access ends for everybody, campaigns stop with an issue, and they are told."""
    async with calling() as call:
        key, buyer = (await shared(call)).json, call.as_user(BUYER)
        path = f"sharing_keys/{key['sharing_key']}.json"
        await buyer.post(path)
        rows = call.sandbox.truth(f"campaigns@{BUYER}")
        campaign = next(row["id"] for row in rows if row["delivery"] == "delivering")
        segment = key["sources"][1]["object_id"]
        own = f"campaigns/{campaign}.json"
        owners = call.first("campaigns", status="active")["id"]
        await call.post(f"campaigns/{owners}.json", {"targetings": {"segments": [segment]}})
        assert (await buyer.post(own, {"targetings": {"segments": [segment]}})).status == 204
        assert (await buyer.delete(path)).status == 404
        assert (await call.delete(path)).status == 204
        row = (await buyer.get(own, fields="delivery,issues")).json
        assert row["delivery"] == "not_delivering"
        assert "SEGMENT_DELETED" in {issue["code"] for issue in row["issues"]}
        assert (await buyer.get(SEGMENTS)).json["count"] == 1
        assert {"buyer@example.test"} == {mail["to"] for mail in call.sandbox.truth("emails")}


async def test_a_consumer_gives_a_source_back():
    """Deleting a shared list removes it for the consumer alone."""
    async with calling() as call:
        key, buyer = (await shared(call)).json, call.as_user(BUYER)
        await buyer.post(f"sharing_keys/{key['sharing_key']}.json")
        path = f"remarketing/users_lists/{key['sources'][0]['object_id']}.json"
        assert (await buyer.delete(path)).status == 204
        assert (await buyer.get(path)).status == 404
        assert (await call.get(path)).status == 200


async def test_a_consumer_gives_back_what_it_does_not_use():
    """409 while its own segment or campaign uses it; the owner's use is no matter of its."""
    async with calling() as call:
        key, buyer = (await shared(call)).json, call.as_user(BUYER)
        await buyer.post(f"sharing_keys/{key['sharing_key']}.json")
        listed, shown = (source["object_id"] for source in key["sources"])
        body = {"name": "S", "pass_condition": 1, "relations": [relation(listed)]}
        own = (await buyer.post(SEGMENTS, body)).json["id"]
        campaign = f"campaigns/{call.sandbox.truth(f'campaigns@{BUYER}')[0]['id']}.json"
        aimed = {"status": "blocked", "targetings": {"segments": [shown]}}
        assert (await buyer.post(campaign, aimed)).status == 204
        paths = [f"remarketing/users_lists/{listed}.json", f"remarketing/segments/{shown}.json"]
        assert [(await buyer.delete(path)).status for path in paths] == [409, 409]
        await buyer.delete(f"remarketing/segments/{own}.json")
        await buyer.post(campaign, {"targetings": {"segments": []}})
        assert [(await buyer.delete(path)).status for path in paths] == [204, 204]


async def test_what_is_gone_is_nobodys():
    """A source that its owner deleted is as absent for a consumer as for anybody."""
    async with calling(audience_s=2) as call:
        key, buyer = (await shared(call)).json, call.as_user(BUYER)
        await buyer.post(f"sharing_keys/{key['sharing_key']}.json")
        paths = [
            f"remarketing/segments/{key['sources'][1]['object_id']}.json",
            f"remarketing/users_lists/{key['sources'][0]['object_id']}.json",
        ]
        assert [(await call.delete(path)).status for path in paths] == [204, 204]
        call.hands.move(2)
        assert [(await buyer.delete(path)).status for path in paths] == [404, 404]
        assert (await call.delete(f"sharing_keys/{key['sharing_key']}.json")).status == 204
        assert call.sandbox.truth("emails") == []


async def test_accounts_see_nothing_of_each_other():
    """Who else was let in is the owner's to know, and campaigns are their own account's."""
    async with calling() as call:
        counter = call.first("counters")["counter_id"]
        key = (await shared(call)).json
        sources = [{"object_type": "counter", "object_id": counter}]
        other = (await call.post("sharing_keys.json", {"sources": sources})).json
        buyer, client = call.as_user(BUYER), call.as_user(80001)
        for consumer in (buyer, client):
            for made in (key, other):
                await consumer.post(f"sharing_keys/{made['sharing_key']}.json")
        segment = key["sources"][1]["object_id"]
        aimed = {"targetings": {"segments": [segment]}}
        path, query = f"remarketing/segments/{segment}.json", {"fields": "users,campaign_ids"}
        for caller, owner in ((call, ""), (buyer, f"@{BUYER}")):
            campaign = call.sandbox.truth(f"campaigns{owner}")[0]["id"]
            await caller.post(f"campaigns/{campaign}.json", {"status": "blocked", **aimed})
            seen = (await caller.get(path, **query)).json
            assert seen["campaign_ids"] == [campaign]
            assert [user["id"] for user in seen["users"]] == ([] if owner else [BUYER, 80001])
        path, query = f"remarketing/counters/{counter}.json", {"fields": "users,users_count"}
        assert (await buyer.get(path, **query)).json == {"users": [], "users_count": 0}
        assert (await call.get(path, **query)).json["users_count"] == 2


async def test_a_source_stays_open_while_a_key_opens_it():
    """Of two keys that a consumer took, the second one may go."""
    async with calling() as call:
        keys, buyer = [(await shared(call)).json for _ in range(2)], call.as_user(BUYER)
        paths = [f"sharing_keys/{key['sharing_key']}.json" for key in keys]
        for path in paths:
            assert (await buyer.post(path)).status == 200
        segment = f"remarketing/segments/{keys[0]['sources'][1]['object_id']}.json"
        seen = []
        for path in reversed(paths):
            assert (await call.delete(path)).status == 204
            seen.append((await buyer.get(segment)).status)
        assert seen == [200, 404]
        assert len(call.sandbox.truth("emails")) == 2


async def test_the_owner_closes_a_list_for_one_consumer():
    """Others keep theirs."""
    async with calling() as call:
        key = (await shared(call)).json
        buyer, client = call.as_user(BUYER), call.as_user(80001)
        for consumer in (buyer, client):
            await consumer.post(f"sharing_keys/{key['sharing_key']}.json")
        number = key["sources"][0]["object_id"]
        top = f"remarketing/users_lists/{number}"
        assert (await call.delete(f"{top}/users/{BUYER}.json")).status == 204
        assert [(await c.get(f"{top}.json")).status for c in (buyer, client)] == [404, 200]


async def test_what_is_borrowed_stays_borrowed_however_deep():
    """A segment of a segment of a shared list is not shareable either."""
    async with calling() as call:
        key, buyer = (await shared(call)).json, call.as_user(BUYER)
        await buyer.post(f"sharing_keys/{key['sharing_key']}.json")
        inner = {"name": "I", "pass_condition": 1, "relations": [relation(250001)]}
        number = (await buyer.post(SEGMENTS, inner)).json["id"]
        nested = [{"object_type": "segment", "object_id": number}]
        outer = {"name": "O", "pass_condition": 1, "relations": nested}
        number = (await buyer.post(SEGMENTS, outer)).json["id"]
        sources = [{"object_type": "segment", "object_id": number}]
        leaves = (await buyer.post("sharing_keys.json", {"sources": sources})).fields["sources"]
        assert leaves["items"][0]["message"] == "Object not shareable"


async def test_a_counter_is_shared_by_its_counter_id():
    """The consumer sees it as shared, builds on it, and gives it back."""
    async with calling() as call:
        counter, buyer = call.first("counters")["counter_id"], call.as_user(BUYER)
        sources = [{"object_type": "counter", "object_id": counter}]
        key = (await call.post("sharing_keys.json", {"sources": sources})).json["sharing_key"]
        answer = (await buyer.post(f"sharing_keys/{key}.json")).json
        assert answer["sources"][0]["params"] == {"id": counter, "name": "Site"}
        path = "remarketing/counters.json"
        query = {"_counter_id": counter, "fields": "type,users_count"}
        assert (await buyer.get(path, **query)).json["items"] == [{"type": "shared", "users_count": 0}]
        item = {"object_type": "remarketing_counter", "params": {"source_id": counter}}
        body = {"name": "S", "pass_condition": 1, "relations": [item]}
        segment = (await buyer.post(SEGMENTS, body)).json
        assert segment["id"]
        goals = f"remarketing/counters/{counter}/goals.json"
        goal = {"name": "G", "condition": "uss"}
        message = (await buyer.post(goals, goal)).json["error"]["message"]
        assert message == "Can not create goal for shared counter"
        path = f"remarketing/counters/{counter}.json"
        assert (await buyer.delete(path)).status == 409
        await buyer.delete(f"remarketing/segments/{segment['id']}.json")
        assert (await buyer.delete(path)).status == 204
        assert (await buyer.get(goals)).status == 404


async def test_a_counter_is_added_once():
    """By a key or by its number, and not by the other way as well."""
    async with calling() as call:
        counter, path = call.first("counters")["counter_id"], "remarketing/counters.json"
        sources = [{"object_type": "counter", "object_id": counter}]
        key = (await call.post("sharing_keys.json", {"sources": sources})).json["sharing_key"]
        buyer, client = call.as_user(BUYER), call.as_user(80001)
        assert (await client.post(path, {"counter_id": counter})).status == 200
        reply = await client.post(f"sharing_keys/{key}.json")
        arguments = {"source_type": "remarketing_counters", "source_ids": [counter]}
        assert (reply.status, reply.code) == (400, "cannot_add_source")
        assert reply.json["error"]["message"] == f"Counter with counter_id {counter} already exists"
        assert reply.json["error"]["arguments"] == arguments
        assert (await buyer.post(f"sharing_keys/{key}.json")).status == 200
        assert (await buyer.post(path, {"counter_id": counter})).code == "duplicate_error"


async def test_a_counter_that_others_attached_too_is_shared_once():
    """The consumer sees its owner's row alone."""
    async with calling() as call:
        counter, path = call.first("counters")["counter_id"], "remarketing/counters.json"
        assert (await call.as_user(80001).post(path, {"counter_id": counter})).status == 200
        sources = [{"object_type": "counter", "object_id": counter}]
        key = (await call.post("sharing_keys.json", {"sources": sources})).json["sharing_key"]
        buyer = call.as_user(BUYER)
        await buyer.post(f"sharing_keys/{key}.json")
        (item,) = (await buyer.get(path, _counter_id=counter)).json["items"]
        assert item["system_status"] == "active"


async def test_a_shared_segment_is_read_as_it_is_listed():
    """By whoever took its key, and by nobody else."""
    async with calling() as call:
        key, buyer = (await shared(call)).json, call.as_user(BUYER)
        number = key["sources"][1]["object_id"]
        path = f"remarketing/segments/{number}.json"
        assert (await buyer.get(path)).status == 404
        await buyer.post(f"sharing_keys/{key['sharing_key']}.json")
        (listed,) = (await buyer.get(SEGMENTS, _id=number)).json["items"]
        assert (await buyer.get(path)).json == listed
        assert (await buyer.post(path, {"name": "mine"})).status == 404
        assert (await call.as_user(80001).get(path)).status == 404


async def test_losing_a_source_stops_what_was_built_on_it():
    """A consumer's campaign stops when a list within its own segment is closed."""
    async with calling() as call:
        key, buyer = (await shared(call)).json, call.as_user(BUYER)
        path = f"sharing_keys/{key['sharing_key']}.json"
        await buyer.post(path, {"sources": [key["sources"][0]]})
        relations = [relation(key["sources"][0]["object_id"])]
        body = {"name": "S", "pass_condition": 1, "relations": relations}
        segment = (await buyer.post(SEGMENTS, body)).json["id"]
        rows = call.sandbox.truth(f"campaigns@{BUYER}")
        number = next(row["id"] for row in rows if row["delivery"] == "delivering")
        await buyer.post(f"campaigns/{number}.json", {"targetings": {"segments": [segment]}})
        own = call.first("campaigns", status="active")["id"]
        other = {"targetings": {"segments": [key["sources"][1]["object_id"]]}}
        assert (await call.post(f"campaigns/{own}.json", other)).status == 204
        assert (await call.delete(path)).status == 204
        issues = (await buyer.get(f"campaigns/{number}.json", fields="issues")).json["issues"]
        assert "SEGMENT_DELETED" in {issue["code"] for issue in issues}
        issues = (await call.get(f"campaigns/{own}.json", fields="issues")).json["issues"]
        assert "SEGMENT_DELETED" not in {issue["code"] for issue in issues}


async def test_losing_a_source_stops_what_was_built_on_it_however_deep():
    """A segment of a segment of the list that is closed to one consumer stops, and runs again with a new key."""
    async with calling() as call:
        key, buyer = (await shared(call)).json, call.as_user(BUYER)
        path = f"sharing_keys/{key['sharing_key']}.json"
        await buyer.post(path)
        number = key["sources"][0]["object_id"]
        inner = {"name": "I", "pass_condition": 1, "relations": [relation(number)]}
        nested = {"object_type": "segment", "object_id": (await buyer.post(SEGMENTS, inner)).json["id"]}
        outer = {"name": "O", "pass_condition": 1, "relations": [nested]}
        aimed = {"targetings": {"segments": [(await buyer.post(SEGMENTS, outer)).json["id"]]}}
        rows = call.sandbox.truth(f"campaigns@{BUYER}")
        campaign = next(f"campaigns/{row['id']}.json" for row in rows if row["delivery"] == "delivering")
        assert await delivery(call, campaign, aimed) == "delivering"
        told = len(call.sandbox.truth("emails"))
        assert (await call.delete(f"remarketing/users_lists/{number}/users/{BUYER}.json")).status == 204
        assert len(call.sandbox.truth("emails")) == told + 1
        assert await delivery(call, campaign) != "delivering"
        assert (await call.as_user(BUYER).post(path)).status == 200
        assert await delivery(call, campaign) == "delivering"


async def bought(call: Caller) -> tuple[dict, str]:
    """Let the buyer aim a campaign that has figures at both shared sources; return key and campaign's path."""
    key, buyer = (await shared(call)).json, call.as_user(BUYER)
    await buyer.post(f"sharing_keys/{key['sharing_key']}.json")
    relations = [relation(key["sources"][0]["object_id"])]
    body = {"name": "S", "pass_condition": 1, "relations": relations}
    segments = [(await buyer.post(SEGMENTS, body)).json["id"], key["sources"][1]["object_id"]]
    home = {row["id"]: row["campaign_id"] for row in call.sandbox.truth(f"banners@{BUYER}")}
    rows = call.sandbox.truth(f"campaigns@{BUYER}")
    running = {row["id"] for row in rows if row["delivery"] == "delivering"}
    spent = [home[row["banner_id"]] for row in call.sandbox.truth(f"banner_stats@{BUYER}")]
    path = f"campaigns/{next(number for number in spent if number in running)}.json"
    assert (await buyer.post(path, {"targetings": {"segments": segments}})).status == 204
    return key, path


async def delivery(call: Caller, path: str, body: dict | None = None) -> str:
    """Change the buyer's campaign; return whether it delivers then, having asked `issues` for a reason."""
    buyer = call.as_user(BUYER)
    if body is not None:
        assert (await buyer.post(path, body)).status == 204
    row = (await buyer.get(path, fields="delivery,issues")).json
    codes = {issue["code"] for issue in row["issues"]}
    assert (row["delivery"] == "delivering") == ("SEGMENT_DELETED" not in codes)
    # Days pass between two calls, and a user has five tokens.
    await call.oauth("token/delete", user_id=str(BUYER))
    return row["delivery"]


async def test_a_campaign_on_a_lost_source_spends_nothing_until_it_is_freed():
    """Starting it again is not enough: money goes out only after it aims elsewhere."""
    async with calling() as call:
        key, path = await bought(call)
        await call.delete(f"sharing_keys/{key['sharing_key']}.json")
        call.hands.move(2 * 86_400)
        assert await delivery(call, path, {"status": "active", "max_price": "9"}) == "not_delivering"
        call.hands.move(20 * 86_400)
        freed = {"status": "active", "targetings": {"segments": None}}
        assert await delivery(call, path, freed) == "delivering"
        call.hands.move(15 * 86_400)
        number = path.removeprefix("campaigns/").removesuffix(".json")
        for period, spends in ((("2026-09-16", "2026-10-06"), False), (("2026-10-07", "2026-10-21"), True)):
            query = {"id": number, "date_from": period[0], "date_to": period[1]}
            answer = await call.as_user(BUYER).get("statistics/campaigns/day.json", **query)
            assert (answer.json["total"]["base"]["shows"] > 0) is spends


async def test_a_new_key_lets_a_campaign_run_again():
    """As soon as all that it had lost is open once more, unless it was paused meanwhile."""
    async with calling() as call:
        key, path = await bought(call)
        await call.delete(f"sharing_keys/{key['sharing_key']}.json")
        again = f"sharing_keys/{(await shared(call)).json['sharing_key']}.json"
        for source, want in zip(key["sources"], ("not_delivering", "delivering"), strict=True):
            await call.as_user(BUYER).post(again, {"sources": [source]})
            assert await delivery(call, path) == want
        await call.delete(again)
        await call.as_user(BUYER).post(path, {"status": "blocked"})
        again = f"sharing_keys/{(await shared(call)).json['sharing_key']}.json"
        await call.as_user(BUYER).post(again)
        row = (await call.as_user(BUYER).get(path, fields="issues")).json
        assert {issue["code"] for issue in row["issues"]} == {"STOPPED"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"object_type": "pricelist", "object_id": 1}, "Object not found"),
        ({"object_type": "users_list", "object_id": "1"}, "Object not found"),
        ({"object_type": "counter", "object_id": 1}, "Object not found"),
        (5, "Object not found"),
    ],
)
async def test_a_source_that_is_none_is_told(source, message):
    """The leaf repeats what was asked for."""
    async with calling() as call:
        reply = await call.post("sharing_keys.json", {"sources": [source]})
        assert reply.fields["sources"]["items"][0]["message"] == message


async def test_what_is_not_active_cannot_be_shared():
    """A counter that waits for its owner, and a list that is being deleted."""
    async with calling() as call:
        foreign = call.sandbox.truth(f"counters@{BUYER}")[0]["counter_id"]
        await call.post("remarketing/counters.json", {"counter_id": foreign})
        sources = [{"object_type": "counter", "object_id": foreign}]
        leaves = (await call.post("sharing_keys.json", {"sources": sources})).fields["sources"]
        assert leaves["items"][0]["message"] == "Object not active"


async def test_a_deleted_source_cannot_be_taken():
    """The key is there, but what it opens is not."""
    async with calling() as call:
        number = users_list(call)["id"]
        sources = [{"object_type": "users_list", "object_id": number}]
        key = (await call.post("sharing_keys.json", {"sources": sources})).json["sharing_key"]
        await call.delete(f"remarketing/segments/{call.first('segments')['id']}.json")
        await call.delete(f"remarketing/users_lists/{number}.json")
        reply = await call.as_user(BUYER).post(f"sharing_keys/{key}.json")
        arguments = {"source_type": "remarketing_users_lists", "source_ids": [number]}
        assert (reply.code, reply.json["error"]["arguments"]) == ("cannot_add_source", arguments)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"users": ["buyer@example.test"]}, "users"),
        ({"payment_type": "fixed_cpm", "price": "free"}, "price"),
        ({"is_marketplace": True, "users": [{"username": "buyer@example.test"}]}, "is_marketplace"),
        ({"payment_type": ["free"]}, "payment_type"),
        ({"price": [1]}, "price"),
    ],
)
async def test_a_key_of_a_wrong_shape_is_refused(more, field):
    """No shape of JSON makes the server fall over."""
    async with calling() as call:
        assert field in (await shared(call, **more)).fields


@pytest.mark.parametrize(
    ("user", "more", "field", "message"),
    [
        (BUYER, {"is_marketplace": True}, "is_marketplace", "Only DMP can publish to marketplace"),
        (0, {"is_marketplace": True, "users": True}, "is_marketplace", "Cannot be set for private keys"),
        (0, {"payment_type": "fixed_cpm"}, "price", "Price is required for fixed_cpm keys"),
    ],
)
async def test_a_refused_key_has_the_vendors_words(user, more, field, message):
    """Each rule of partners' keys tells itself in the documented message."""
    async with calling() as call:
        if more.get("users"):
            more = {**more, "users": [{"username": "client@example.test"}]}
        caller = call.as_user(user) if user else call
        assert (await shared(caller, **more)).fields[field]["message"] == message


async def test_unknown_fields_and_keys_are_refused():
    """Nothing passes in silence, nor does a filter there is not."""
    async with calling() as call:
        assert "_username" in (await call.get("sharing_keys.json", _username="a@b.test")).fields
        assert (await shared(call, colour="red")).code == "unknown_resource_field"
        assert (await call.post("sharing_keys/nokey.json")).status == 404


async def test_a_marketplace_key_is_public():
    """And can be taken back by its owner alone."""
    async with calling() as call:
        assert (await shared(call, is_marketplace=True)).json["is_marketplace"] is True
        assert len(call.sandbox.truth("sharing_keys")) == 1


async def test_consumers_are_told_to_the_owner():
    """The list, the segment and the report name who holds them."""
    async with calling() as call:
        key, buyer = (await shared(call)).json, call.as_user(BUYER)
        await buyer.post(f"sharing_keys/{key['sharing_key']}.json")
        holder = [{"id": BUYER, "username": "buyer@example.test"}]
        item = (await call.get(LISTS, fields="users,users_count")).json["items"][0]
        assert item == {"users": holder, "users_count": 1}
        assert (await call.get(SEGMENTS, fields="users")).json["items"][0]["users"] == holder
        rows = (await buyer.get(LISTS, fields="users_count")).json["items"]
        assert [row["users_count"] for row in rows] == [0, 0]
        number = key["sources"][1]["object_id"]
        assert (await buyer.delete(f"remarketing/segments/{number}.json")).status == 204
        assert (await buyer.get(SEGMENTS)).json["count"] == 1
        top = f"remarketing/users_lists/{key['sources'][0]['object_id']}"
        assert (await call.delete(f"{top}/users/80001.json")).status == 404


async def test_a_removed_key_never_comes_back():
    """Every key is new, so that whoever was shut out stays shut out, and no other key is overwritten."""
    async with calling() as call:
        first, second = [(await shared(call)).json["sharing_key"] for _ in range(2)]
        await call.delete(f"sharing_keys/{first}.json")
        third = (await shared(call)).json["sharing_key"]
        assert len({first, second, third}) == 3
        assert {row["sharing_key"] for row in call.sandbox.truth("sharing_keys")} == {second, third}
        assert (await call.as_user(BUYER).post(f"sharing_keys/{first}.json")).status == 404
