"""The account, agency and manager clients, and money in the myTarget imitation."""

import pytest
from mytarget_caller import calling

CLIENTS = "agency/clients.json"


async def test_the_account_tells_who_it_is():
    """Default fields in both versions; the balance is text and has a page of its own."""
    async with calling() as call:
        user = (await call.get("user.json")).json
        assert (user["id"], user["currency"], user["types"]) == (70001, "RUB", ["advert", "agency"])
        assert user == (await call.get("/api/v3/user.json")).json
        assert (await call.get("user/account.json")).json["balance"] == "250000"
        shown = (await call.get("user.json", fields="account")).json
        assert shown["account"]["balance"] == "250000"


async def test_few_settings_of_the_account_can_be_changed():
    """The language, what is said of it and its mailings, but not the name; what is refused changes nothing."""
    async with calling() as call:
        body = {"language": "ru", "additional_info": {"phone": "1"}, "mailings": ["news"]}
        assert (await call.post("user.json", body)).status == 204
        fields = "language,additional_info,mailings"
        before = (await call.get("user.json", fields=fields)).json
        assert (before["language"], before["additional_info"]["phone"]) == ("ru", "1")
        assert before["mailings"] == ["news"]
        for change, field, code in (
            ({"username": "x"}, "username", "read_only_field"),
            ({"additional_info": "x"}, "additional_info", "bad_value"),
            ({"mailings": "x"}, "mailings", "bad_value"),
            ({"status": "deleted"}, "status", "unallowed_value"),
            ({"language": 5}, "language", "bad_value"),
        ):
            reply = await call.post("user.json", {"language": "en", **change})
            assert reply.fields[field]["code"] == code
        assert (await call.get("user.json", fields=fields)).json == before
        by_kind = {"status": "active", "mailings": {"news": {"email": ["adv@example.test"]}}}
        assert (await call.post("user.json", by_kind)).status == 204
        shown = (await call.get("user.json", fields="mailings,available_mailings,branch_username")).json
        assert (shown["mailings"], shown["branch_username"]) == (by_kind["mailings"], None)


async def test_an_agency_lists_its_clients():
    """With filters on the nested user, and a count."""
    async with calling() as call:
        page = (await call.get(CLIENTS)).json
        assert [item["user"]["id"] for item in page["items"]] == [80001, 80002, 80003]
        filtered = (await call.get(CLIENTS, _user__id__in="80002,1")).json
        assert (filtered["count"], filtered["items"][0]["user"]["id"]) == (1, 80002)
        active = (await call.get(CLIENTS, _user__status__ne="blocked")).json
        assert active["count"] == 2
        assert (await call.get(CLIENTS, _q="Зерно")).json["count"] == 1
        assert (await call.get(CLIENTS, _q="зерно")).json["count"] == 1
        assert (await call.get(CLIENTS, fields="agency")).status == 400
        assert (await call.get("agency/clients/count.json")).json == {"count": 3}


async def test_an_advertiser_has_no_clients():
    """Neither the agency's pages nor the manager's are open to it."""
    async with calling() as call:
        buyer = call.as_user(70002)
        for path in (CLIENTS, "/api/v3/manager/clients.json"):
            assert ((r := await buyer.get(path)).status, r.code) == (403, "access_denied")


async def test_a_manager_sees_the_agency_of_its_clients():
    """Items name the agency beside the user."""
    async with calling() as call:
        page = (await call.as_user(70200).get("/api/v3/manager/clients.json")).json
        assert {70100} == {item["agency"]["id"] for item in page["items"]}
        assert [item["user"]["id"] for item in page["items"]] == [80101, 80102]
        few = (await call.as_user(70200).get("/api/v3/manager/clients.json", fields="access_type")).json
        assert few["items"] == [{"access_type": "full_access"}] * 2


async def test_an_agency_makes_a_client():
    """The new user name looks like the vendor's, and a token can be had for it."""
    async with calling() as call:
        body = {"access_type": "full_access", "user": {"additional_info": {"client_name": "Shop"}}}
        made = (await call.post(CLIENTS, body)).json["user"]
        assert made["username"].endswith("@agency_client")
        form = {"grant_type": "agency_client_credentials", "agency_client_id": str(made["id"])}
        assert (await call.oauth(**form)).status == 200


@pytest.mark.parametrize("number", [70100, 70200, 80101, 80001])
async def test_not_everybody_can_be_attached(number):
    """Direct advertisers without an agency alone; the refusal has the documented shape."""
    async with calling() as call:
        reply = await call.post(CLIENTS, {"user": {"id": number}})
        leaf = {"code": "invalid_user", "message": "Cant join agency"}
        assert (reply.status, reply.json) == (400, {"error": {"fields": {"user": leaf}}})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"user": {"username": "nobody@example.test"}}, 404, "not_found"),
        ({"user": {}}, 400, "validation_failed"),
        ({"user": {"additional_info": {"client_name": "N"}, "name": "N"}}, 400, "unknown_resource_field"),
        ({"user": {"id": 70002}, "colour": "red"}, 400, "unknown_resource_field"),
        ({"user": {"id": 70002, "additional_emails": "a@b.test"}}, 400, "validation_failed"),
    ],
)
async def test_a_client_of_a_wrong_shape_is_refused(body, status, code):
    """Strangers, nobody, and what is no field."""
    async with calling() as call:
        reply = await call.post(CLIENTS, body)
        assert (status, code) == (reply.status, reply.code)
        assert (await call.get("agency/clients/count.json")).json == {"count": 3}


async def test_a_direct_advertiser_can_be_attached():
    """By its id; it is listed from then on."""
    async with calling() as call:
        more = {"additional_info": {"client_name": "Buyer"}, "additional_emails": ["b@example.test"]}
        same = {"additional_emails": ["buyer@example.test"]}
        refused = await call.post(CLIENTS, {"user": {"id": 70002, **same}})
        assert refused.fields["additional_emails"]["code"] == "duplicate_value"
        assert (await call.post(CLIENTS, {"user": {"id": 70002, **more}})).status == 200
        (row,) = (await call.get(CLIENTS, _user__id=70002)).json["items"]
        assert row["user"]["additional_info"]["client_name"] == "Buyer"
        assert row["user"]["additional_emails"] == ["b@example.test"]
        mine = (await call.as_user(70002).get("user.json", fields="additional_emails")).json
        assert mine == {"additional_emails": ["b@example.test"]}


async def test_a_client_is_changed_and_let_go():
    """Money must be taken back first; its tokens are revoked afterwards."""
    async with calling() as call:
        path = "agency/clients/80001.json"
        assert (await call.post(path, {"access_type": "readonly"})).status == 204
        reply = await call.delete(path)
        leaf = {"code": "invalid_user", "message": "Can't delete client with amount on hold"}
        assert (reply.status, reply.json) == (400, {"error": {"fields": {"user": leaf}}})
        client = call.as_user(80001)
        amount = {"amount": "3000"}
        assert (await call.post("billing/transactions/from/80001.json", amount)).status == 200
        assert (await call.delete(path)).status == 204
        assert (await client.get("user.json")).code == "revoked_token"
        assert (await call.post(path, {"access_type": "readonly"})).status == 404


async def test_a_client_is_renamed():
    """By its agency, which keeps notes on it, too; but not to nothing."""
    async with calling() as call:
        path = "agency/clients/80001.json"
        body = {"user": {"additional_info": {"client_name": "New", "client_info": "VIP"}}}
        assert (await call.post(path, body)).status == 204
        assert (await call.get(CLIENTS, _q="vip")).json["count"] == 1
        for wrong in ({"acces_type": "readonly"}, {"user": {"client_name": "X"}}):
            assert (await call.post(path, wrong)).code == "unknown_resource_field"
        row = (await call.get(CLIENTS, _user__id=80001)).json["items"][0]
        info = row["user"]["additional_info"]
        assert (info["client_name"], info["client_info"]) == ("New", "VIP")
        reply = await call.post(path, {"user": {"additional_info": {"client_name": ""}}})
        assert reply.fields["client_name"]["code"] == "required"


async def test_a_client_that_comes_back_is_served_again():
    """Meanwhile it has no agency; a new token can be had for it afterwards."""
    async with calling() as call:
        path, grant = "agency/clients/80001.json", {"grant_type": "agency_client_credentials"}
        await call.post("billing/transactions/from/80001.json", {"amount": "3000"})
        assert (await call.delete(path)).status == 204
        alone = await call.as_user(80001).get("user.json", fields="agency_username")
        assert alone.json == {"agency_username": None}
        assert (await call.oauth(**grant, agency_client_id="80001")).status == 400
        assert (await call.post(CLIENTS, {"user": {"id": 80001}})).status == 200
        assert (await call.oauth(**grant, agency_client_id="80001")).status == 200
        back = await call.as_user(80001).get("user.json", fields="agency_username")
        assert back.json == {"agency_username": "adv@example.test"}


async def test_money_moves_between_agency_and_client():
    """Balances on both sides, and a line in the history."""
    async with calling() as call:
        answer = (await call.post("billing/transactions/to/80001.json", {"amount": "10.50"})).json
        assert tuple(answer[k] for k in ("amount", "client_balance", "agency_balance")) == (
            "10.5",
            "3010.5",
            "249989.5",
        )
        await call.post("billing/transactions/from/80001.json", {"amount": "3"})
        history = (await call.get("billing/transaction_groups.json", sorting="-id")).json
        back, there = history["items"]
        assert (history["count"], back["amount"], back["type"]) == (2, "3", "deposit")
        assert (there["amount"], there["type"], there["client_id"]) == ("10.5", "charge", 80001)
        assert there["first_at"] == there["last_at"] == "2026-09-15 12:30:00"
        assert "date" not in there
        months = await call.get("billing/transaction_groups.json", fields="date", _id=there["id"])
        assert months.json["items"] == [{"date": "2026-09-01"}]


@pytest.mark.parametrize(
    ("path", "amount", "status", "code"),
    [
        ("to/80001", "999999999", 400, "transfer_error"),
        ("to/80001", "-1", 400, "failed_amount"),
        ("to/80001", "0.001", 400, "failed_amount"),
        ("to/80001", "NaN", 400, "failed_amount"),
        ("to/80001", "1e30", 400, "failed_amount"),
        ("to/80003", "1", 400, "blocked_user"),
        ("to/80101", "1", 404, "not_found"),
    ],
)
async def test_a_wrong_transfer_moves_nothing(path, amount, status, code):
    """Every refusal has its documented code."""
    async with calling() as call:
        reply = await call.post(f"billing/transactions/{path}.json", {"amount": amount})
        assert (status, code) == (reply.status, reply.code)
        assert call.sandbox.truth("transactions") == []


async def test_access_and_status_have_their_words():
    """Of a new client and of an old one."""
    async with calling() as call:
        for path in (CLIENTS, "agency/clients/80001.json"):
            reply = await call.post(path, {"access_type": ["all"]})
            assert reply.fields["access_type"]["code"] == "bad_value"
        reply = await call.post("agency/clients/80001.json", {"status": "asleep"})
        assert reply.fields["status"]["code"] == "bad_value"


async def test_the_agencys_pages_are_not_the_managers():
    """Each kind of account has pages of its own."""
    async with calling() as call:
        assert (await call.get("/api/v3/manager/clients.json")).status == 403
        assert (await call.as_user(70200).get(CLIENTS)).status == 403


async def test_currencies_must_agree():
    """A client with another currency can neither be attached nor let go."""
    async with calling() as call:
        call.sandbox.world.user(70002).currency = "EUR"
        reply = await call.post(CLIENTS, {"user": {"username": "buyer@example.test"}})
        assert reply.fields["user"]["message"] == "Different currency for agency and client"
        client = call.sandbox.world.user(80001)
        client.currency, client.balance = "EUR", 0
        leaf = (await call.delete("agency/clients/80001.json")).fields["user"]
        assert leaf["message"] == "Can't delete client, money transfer error"


async def test_an_amount_that_is_no_number_moves_nothing():
    """Words and nothing at all."""
    async with calling() as call:
        for amount in ("much", None):
            reply = await call.post("billing/transactions/to/80001.json", {"amount": amount})
            assert reply.code == "failed_amount"


async def test_transactions_are_filtered_by_amount():
    """Amounts compare as numbers, instants as text."""
    async with calling() as call:
        for amount in ("1", "20", "3"):
            await call.post("billing/transactions/to/80001.json", {"amount": amount})
        path = "billing/transaction_groups.json"
        page = (await call.get(path, _amount__gt="2", _first_at__gte="2026-09-15 12:00:00")).json
        assert [item["amount"] for item in page["items"]] == ["20", "3"]
        assert (await call.get(path, _last_at__lt="2026-09-15")).json["count"] == 0
        assert (await call.get(path, _date="2026-09-01", _object_type="none")).json["count"] == 3
        assert len(call.sandbox.truth("transactions")) == 3
        assert call.sandbox.truth("users")[0]["balance_kopecks"] == 250_000_00 - 2400


async def test_transactions_are_sorted_by_amount():
    """As numbers, too: 20 is more than 3."""
    async with calling() as call:
        for amount in ("20", "3", "100"):
            await call.post("billing/transactions/to/80001.json", {"amount": amount})
        page = (await call.get("billing/transaction_groups.json", sorting="-amount")).json
        assert [item["amount"] for item in page["items"]] == ["100", "20", "3"]


async def test_a_bound_that_is_no_number_lets_nothing_through():
    """NaN compares with nothing, and is no reason to fall over."""
    async with calling() as call:
        await call.post("billing/transactions/to/80001.json", {"amount": "20"})
        reply = await call.get("billing/transaction_groups.json", _amount__gt="NaN")
        assert (reply.status, reply.fields["_amount__gt"]["code"]) == (400, "bad_value")
