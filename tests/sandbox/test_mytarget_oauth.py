"""OAuth of the myTarget imitation: grants, slots, refresh, revocation, refusals."""

from urllib.parse import parse_qs, urlsplit

import pytest
from mytarget_caller import DRAFT, Caller, Reply, calling

AGENCY, BUYER = 70100, 70002
CABINET = "/hq/settings/access"


def issue(call: Caller, **form):
    return call.oauth(**{"grant_type": "client_credentials", **form})


def refresh(call: Caller, token: str, **form):
    return call.oauth(grant_type="refresh_token", refresh_token=token, **form)


async def consent(call: Caller, path: str = "/oauth2/authorize", **query) -> dict[str, str]:
    """Open the browser's page and return where it leads, as a flat query."""
    asked = {"response_type": "code", "client_id": call.sandbox.credentials["client_id"], **query}
    location = (await call.send("GET", path, params=asked)).headers["Location"]
    return {"to": location.split("?")[0]} | {
        name: values[0] for name, values in parse_qs(urlsplit(location).query).items()
    }


def shown(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json["error"]


async def test_client_credentials_open_ones_own_account():
    """The answer has every documented key, and the token works."""
    async with calling() as call:
        answer = (await issue(call)).json
        assert tuple(answer[k] for k in ("token_type", "expires_in", "tokens_left")) == ("Bearer", 86400, 3)
        assert {"read_ads", "create_ads", "read_clients"} <= set(answer["scope"])
        call.token = answer["access_token"]
        assert (await call.get("user.json")).json["id"] == 70001


async def test_an_agency_client_opens_by_name_or_id():
    """The token belongs to the client, whichever way it is named."""
    async with calling() as call:
        for name, value in (("name", "ab12cd34@agency_client"), ("id", "80001")):
            form = {"grant_type": "agency_client_credentials", f"agency_client_{name}": value}
            call.token = (await call.oauth(**form)).json["access_token"]
            assert (await call.get("user.json")).json["id"] == 80001


async def test_another_agencys_clients_need_its_token():
    """A third-party agency's clients open with the agency's own access token only."""
    async with calling() as call:
        form = {"grant_type": "agency_client_credentials", "agency_client_id": "80101"}
        assert shown(await call.oauth(**form)) == (400, "invalid_grant")
        call.sandbox.login_as(AGENCY)
        code = (await consent(call))["code"]
        agency = (await call.oauth(grant_type="authorization_code", code=code)).json
        reply = await call.oauth(**form, access_token=agency["access_token"])
        call.token = reply.json["access_token"]
        assert (await call.get("user.json")).json["id"] == 80101


async def test_an_agency_token_needs_the_right_scope():
    """Without read_clients an access token opens no clients."""
    async with calling() as call:
        call.sandbox.login_as(BUYER)
        code = (await consent(call, scope="read_ads"))["code"]
        token = (await call.oauth(grant_type="authorization_code", code=code)).json["access_token"]
        form = {"grant_type": "agency_client_credentials", "agency_client_id": "80001"}
        assert shown(await call.oauth(**form, access_token=token)) == (403, "access_denied")


async def test_a_token_that_may_only_read_writes_nothing():
    """Without create_ads campaigns, banners and audiences are shown, but neither made nor changed."""
    async with calling() as call:
        number, segment = call.first("campaigns")["id"], call.first("segments")["id"]
        code = (await consent(call, scope="read_ads"))["code"]
        call.token = (await call.oauth(grant_type="authorization_code", code=code)).json["access_token"]
        assert (await call.get("campaigns.json")).status == 200
        before = call.sandbox.truth("campaigns")
        for reply in (
            await call.post("campaigns.json", DRAFT),
            await call.post(f"campaigns/{number}.json", {"status": "active"}),
            await call.post("campaigns/mass_action.json", [{"id": number, "status": "active"}]),
            await call.delete(f"campaigns/{number}.json"),
            await call.post(f"campaigns/{number}/banners.json", {}),
            await call.delete(f"remarketing/segments/{segment}.json"),
        ):
            assert (reply.status, reply.code) == (403, "access_denied")
        assert call.sandbox.truth("campaigns") == before


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "none"}, 400, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "none"}, 401, "invalid_grant"),
        ({"grant_type": "agency_client_credentials"}, 400, "invalid_request"),
    ],
)
async def test_refusals_of_the_token_endpoint_are_flat(form, status, error):
    """`error` is text and `error_description` explains it, as RFC 6749 has it."""
    async with calling() as call:
        reply = await issue(call, **form)
        assert (status, error) == shown(reply)
        assert reply.json["error_description"]


# The browser's part.


async def test_the_code_grant_leads_back_with_code_and_state():
    """The registered address gets a code for one exchange, without a secret."""
    async with calling() as call:
        back = await consent(call, state="s 1")
        assert (back["to"], back["state"]) == ("http://127.0.0.1:8085/callback", "s 1")
        form = {"grant_type": "authorization_code", "code": back["code"], "client_secret": None}
        assert (await call.oauth(**form)).status == 200
        assert shown(await call.oauth(**form)) == (400, "invalid_grant")


async def test_vk_names_its_redirect_and_the_user():
    """The page of the cabinet takes a loopback redirect and adds the user's id."""
    async with calling(vk=True) as call:
        target = "http://localhost:8400/back"
        back = await consent(call, CABINET, action="oauth2", redirect_uri=target)
        assert (target, "70001") == (back["to"], back["user_id"])


async def test_foreign_redirects_are_not_followed():
    """An address that is neither registered nor loopback gets nothing."""
    async with calling() as call:
        query = {"response_type": "code", **call.sandbox.credentials}
        reply = await call.get("/oauth2/authorize", **query, redirect_uri="https://evil.example/")
        assert reply.status == 400


async def test_refused_consent_comes_back_as_an_error():
    """A user who refuses sends back access_denied and the state."""
    async with calling(consent=False) as call:
        back = await consent(call, state="x")
        assert (back["error"], back["state"], back.get("code")) == ("access_denied", "x", None)


async def test_a_code_lives_one_hour():
    """After that it is as unknown as an invented one."""
    async with calling() as call:
        code = (await consent(call))["code"]
        call.hands.move(3600)
        reply = await call.oauth(grant_type="authorization_code", code=code)
        assert shown(reply) == (400, "invalid_grant")


async def test_code_info_tells_whose_code_it_is():
    """Asking does not use the code up."""
    async with calling() as call:
        call.sandbox.login_as(BUYER)
        code = (await consent(call))["code"]
        info = (await call.oauth("code_info", code=code)).json
        assert info["user"] == {"id": BUYER, "username": "buyer@example.test", "types": ["advert"]}
        reply = await call.oauth(grant_type="authorization_code", code=code)
        assert reply.status == 200


# Slots and refreshes.


async def test_the_sixth_token_is_refused():
    """Five live tokens per client and user; another user's slots are free."""
    async with calling() as call:
        left = [(await issue(call)).json["tokens_left"] for _ in range(4)]
        assert left == [3, 2, 1, 0]
        assert shown(await issue(call)) == (403, "token_limit_exceeded")
        form = {"grant_type": "agency_client_credentials", "agency_client_id": "80001"}
        assert (await call.oauth(**form)).status == 200


async def test_a_refresh_replaces_the_access_token_in_its_slot():
    """The old one is unknown at once, the refresh token stays, no slot is used."""
    async with calling() as call:
        old = (await issue(call)).json
        new = (await refresh(call, old["refresh_token"])).json
        assert (old["refresh_token"], 3) == (new["refresh_token"], new["tokens_left"])
        call.token = old["access_token"]
        assert (await call.get("user.json")).code == "invalid_token"
        call.token = new["access_token"]
        assert (await call.get("user.json")).status == 200


async def test_rotation_makes_the_old_refresh_token_unknown():
    """By the switch, the loser of a race is told so."""
    async with calling(rotate_refresh=True) as call:
        old = (await issue(call)).json["refresh_token"]
        assert old != (await refresh(call, old)).json["refresh_token"]
        reply = await refresh(call, old)
        assert (reply.status, reply.json["error_description"]) == (401, "Unknown refresh token")


async def test_an_expired_token_says_so_until_it_is_refreshed():
    """`expired_token` is not `invalid_token`: the record is still there."""
    async with calling(token_lifetime_s=3) as call:
        token = (await issue(call)).json
        call.token = token["access_token"]
        call.hands.move(2.9)
        assert (await call.get("user.json")).status == 200
        call.hands.move(0.1)
        assert (await call.get("user.json")).code == "expired_token"
        call.token = (await refresh(call, token["refresh_token"])).json["access_token"]
        assert (await call.get("user.json")).status == 200


async def test_a_month_without_use_removes_the_record():
    """Neither token of an idle record is known any more, and its slot is free."""
    async with calling() as call:
        token = (await issue(call)).json
        call.hands.move(31 * 86400)
        call.token = token["access_token"]
        assert (await call.get("user.json")).code == "invalid_token"
        assert shown(await refresh(call, token["refresh_token"])) == (401, "invalid_grant")
        assert (await issue(call)).json["tokens_left"] == 4


@pytest.mark.parametrize(("style", "told"), [("int", 86400), ("text", "86400"), ("null", None)])
async def test_expires_in_comes_in_three_styles(style, told):
    """Number, text or null, as seen in the wild."""
    async with calling(expires_in_style=style) as call:
        assert told == (await issue(call)).json["expires_in"]


async def test_a_permanent_token_never_expires():
    """`permanent=true` gives null, and keeps its word."""
    async with calling(token_lifetime_s=3) as call:
        token = (await issue(call, permanent="true")).json
        assert None is token["expires_in"]
        call.hands.move(20 * 86400)
        call.token = token["access_token"]
        assert (await call.get("user.json")).status == 200


# Ends.


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("nested", '{"error":{"code":"invalid_token","message":"Unknown access token"}}'),
        ("flat", '{"code":"invalid_token","message":"Unknown access token"}'),
        ("header", ""),
    ],
)
async def test_a_401_has_three_shapes(shape, body):
    """The body differs; the header always tells code and message."""
    async with calling(error_shape=shape) as call:
        call.token = "unknown"
        reply = await call.get("campaigns.json")
        assert (401, body) == (reply.status, reply.text)
        assert 'error="invalid_token"' in reply.headers["WWW-Authenticate"]


async def test_deleting_tokens_unbinds_one_user():
    """All records of the named user go, others stay; twice is no error."""
    async with calling() as call:
        client = call.as_user(80001)
        for _ in range(2):
            assert (await call.oauth("token/delete", user_id="80001")).status == 204
        assert (await client.get("user.json")).code == "invalid_token"
        assert (await call.get("user.json")).status == 200
        assert (await call.oauth("token/delete", username="adv@example.test")).status == 204
        assert call.sandbox.report()["live_slots"] == {}


async def test_deleting_tokens_without_a_name_means_the_owner():
    """The account that owns the API client is the default."""
    async with calling() as call:
        call.as_user(80001)
        await call.oauth("token/delete")
        assert call.sandbox.report()["live_slots"] == {"80001": 1}
        assert (await call.oauth("token/delete", username="no@example.test")).status == 404


async def test_a_revoked_user_is_told_so_everywhere():
    """Calls, refreshes and the agency grant fail until the user consents again."""
    async with calling() as call:
        client = call.as_user(80001)
        held = call.sandbox.truth("tokens@80001")[0]["refresh_token"]
        call.sandbox.revoke_user(80001)
        assert (await client.get("user.json")).code == "revoked_token"
        assert shown(await refresh(call, held)) == (401, "revoked_token")
        form = {"grant_type": "agency_client_credentials", "agency_client_id": "80001"}
        assert shown(await call.oauth(**form)) == (401, "revoked_token")
        call.sandbox.login_as(80001)
        code = (await consent(call))["code"]
        assert (await call.oauth(grant_type="authorization_code", code=code)).status == 200


async def test_a_blocked_user_is_told_so():
    """`invalid_user` on calls and on the token endpoint."""
    async with calling() as call:
        call.sandbox.block_user()
        assert (await call.get("user.json")).code == "invalid_user"
        assert shown(await issue(call)) == (401, "invalid_user")


async def test_the_report_counts_grants_and_refreshes():
    """By type and by user, refusals apart, side-door tokens left out."""
    async with calling() as call:
        token = (await issue(call)).json["refresh_token"]
        await refresh(call, token)
        await refresh(call, "unknown")
        report = call.sandbox.report()
        assert report["grants"] == {"client_credentials": 1}
        assert report["grants_by_user"] == {"70001": {"client_credentials": 1}}
        assert (report["refreshes"], report["oauth_errors"]) == (1, {"invalid_grant": 1})


async def test_only_the_code_is_asked_of_the_page():
    """Another response_type comes back as an error; no state, no state."""
    async with calling() as call:
        back = await consent(call, response_type="token")
        assert back["error"] == "unsupported_response_type"
        assert "state" not in back


async def test_an_agencys_token_must_be_good():
    """An unknown, an expired or a revoked one opens no clients."""
    async with calling(token_lifetime_s=10) as call:
        form = {"grant_type": "agency_client_credentials", "agency_client_id": "80101"}
        reply = await call.oauth(**form, access_token="unknown")
        assert shown(reply) == (401, "invalid_token")
        held = call.as_user(AGENCY).token
        call.hands.move(10)
        assert shown(await call.oauth(**form, access_token=held)) == (401, "invalid_token")
        call.sandbox.revoke_user(AGENCY)
        assert shown(await call.oauth(**form, access_token=held)) == (401, "revoked_token")


async def test_a_permanent_token_stays_permanent():
    """A refresh replaces it, and tells no lifetime."""
    async with calling() as call:
        token = (await issue(call, permanent="true")).json
        assert (await refresh(call, token["refresh_token"])).json["expires_in"] is None


async def test_a_blocked_user_refreshes_nothing():
    """Its tokens stay as they are."""
    async with calling() as call:
        token = (await issue(call)).json
        call.sandbox.block_user()
        assert shown(await refresh(call, token["refresh_token"])) == (401, "invalid_user")


async def test_the_side_door_knows_its_users():
    """A stranger is an error, and so is a sixth slot."""
    async with calling() as call:
        for action in (call.sandbox.revoke_user, call.sandbox.block_user, call.sandbox.login_as):
            with pytest.raises(LookupError):
                action(1)
        for _ in range(4):
            call.sandbox.grant()
        with pytest.raises(LookupError, match="slot"):
            call.sandbox.grant()
        assert [row["status"] for row in call.sandbox.agency_clients] == 2 * ["active"] + ["blocked"]
