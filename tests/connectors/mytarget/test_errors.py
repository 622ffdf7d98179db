"""Refused answers to errors: all envelopes, nested fields, pages of HTML, and nothing that makes it fall over."""

import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.connectors.mytarget.errors import CODES, TOKEN_CODES, decipherer
from adnet.errors import (
    AccessDeniedError,
    AdnetError,
    ApiError,
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    QuotaExhaustedError,
    RateLimitError,
    ServerError,
    TokenExpiredError,
    TokenLimitError,
    TokenRevokedError,
)
from adnet.redact import Scrubber
from adnet.testing import FakeClock, answer

from .kit import bench

TABLES = {"api": CODES, "token": TOKEN_CODES}


def error(status, body=None, *, text="", table="api", **headers):
    """Return the error that an answer amounts to."""
    reply = answer(status, body, body=text.encode(), headers=headers)
    found = decipherer("mytarget", Scrubber(["geheim-1234"]), FakeClock(), codes=TABLES[table]).error(reply)
    assert found is not None
    return found


def coded(code, message="m", **more):
    return {"error": {"code": code, "message": message, **more}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, coded("invalid_token"), TokenExpiredError, "invalid_token"),
        (401, {"code": "expired_token", "message": "m"}, TokenExpiredError, "expired_token"),
        (401, coded("revoked_token"), TokenRevokedError, "revoked_token"),
        (401, coded("invalid_user"), AuthenticationError, "invalid_user"),
        (403, coded("access_denied"), AccessDeniedError, "access_denied"),
        (404, coded("not_found"), NotFoundError, "not_found"),
        (404, coded("source_not_found"), NotFoundError, "source_not_found"),
        (409, coded("object_in_use"), ConflictError, "object_in_use"),
        (400, coded("duplicate_error"), ConflictError, "duplicate_error"),
        (400, coded("limit_exceeded"), InvalidRequestError, "limit_exceeded"),
        (400, coded("ERR_WRONG_CAMPAIGNS"), InvalidRequestError, "ERR_WRONG_CAMPAIGNS"),
        (403, coded("ERR_ACCESS_DENIED"), AccessDeniedError, "ERR_ACCESS_DENIED"),
        (404, coded("ERR_WRONG_IDS"), NotFoundError, "ERR_WRONG_IDS"),
        (503, coded("ERR_INTERNAL"), ServerError, "ERR_INTERNAL"),
        (405, coded("method_not_allowed"), ApiError, "method_not_allowed"),
        (413, coded("too_large"), InvalidRequestError, "too_large"),
        (400, {"error": {"message": "Can not create goal for shared counter"}}, InvalidRequestError, None),
    ],
)
def test_codes_and_statuses_become_classes(status, body, kind, code):
    """The code where it is known, else the status."""
    found = error(status, body)
    assert (type(found), found.code, found.status) == (kind, code, status)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "token_limit_exceeded", TokenLimitError),
        (401, "invalid_client", AuthenticationError),
        (401, "invalid_grant", AuthenticationError),
        (400, "invalid_grant", AuthenticationError),
        (401, "revoked_token", TokenRevokedError),
        (400, "unsupported_grant_type", InvalidRequestError),
        (401, "invalid_token", AuthenticationError),
    ],
)
def test_the_token_endpoint_words_it_otherwise(status, code, kind):
    """A flat ``error`` with a description; a token refused there is not one that a refresh would heal."""
    found = error(status, {"error": code, "error_description": "why"}, table="token")
    assert (type(found), found.code, found.message) == (kind, code, "why")


def test_a_401_without_a_body_tells_by_its_header():
    """``WWW-Authenticate`` has code and message."""
    header = 'Bearer realm="api", error="revoked_token", error_description="Access token has been revoked"'
    found = error(401, **{"WWW-Authenticate": header})
    assert (type(found), found.message) == (TokenRevokedError, "Access token has been revoked")


def test_fields_are_named_by_path_however_deep():
    """What would be allowed stands beside what is wrong."""
    leaf = {"code": "required", "message": "Field is required"}
    fields = {
        "name": leaf,
        "price": {"code": "max_value", "message": "Too much", "arguments": {"max_value": "120"}},
        "objective": {"code": "bad_value", "message": "Unknown", "allowed_values": ["traffic", "reach"]},
        "banners": {"items": [{}, {"fields": {"urls": {"fields": {"primary": leaf}}}}]},
    }
    found = error(400, coded("validation_failed", "Validation failed", fields=fields))
    assert found.fields == {
        "name": "Field is required (required)",
        "price": "Too much (max_value) max_value=120",
        "objective": "Unknown (bad_value); allowed: traffic, reach",
        "banners[1].urls.primary": "Field is required (required)",
    }
    assert found.message.startswith("Validation failed: name: Field is required")
    assert (found.code, found.subcode) == ("validation_failed", "required")


def test_a_mass_action_names_the_objects():
    """By their ids, with their fields or with what is wrong with them as a whole."""
    items = [
        {"arguments": {"id": 7}, "code": "validation_failed", "fields": {"price": {"code": "max_value"}}},
        {"arguments": {"id": 8}, "code": "campaign_deleted", "message": "Campaign is deleted", "fields": {}},
    ]
    found = error(400, coded("validation_failed", campaigns=items))
    assert found.fields == {"7.price": "max_value", "8": "Campaign is deleted (campaign_deleted)"}
    assert found.subcode == "max_value"


def test_lines_of_a_users_list_are_counted_but_never_quoted():
    """They are somebody's addresses."""
    leaf = {"line_number": 10, "line": "anna@example.test", "code": "invalid_email"}
    found = error(400, {"error": {"fields": {"file": [leaf]}}})
    assert found.fields == {"file[line 10]": "invalid_email"}
    assert "anna" not in repr(found) + str(found)


def test_version_1_words_it_plainly():
    """A message for each field, or a sentence."""
    assert error(400, {"name": "Too long"}).fields == {"name": "Too long"}
    assert error(400, {"name": "Too long"}).subcode is None
    assert error(400, "Something is wrong").message == "Something is wrong"


def test_a_page_of_html_is_a_failure_of_the_server():
    """Its text without tags is the message."""
    page = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
    found = error(502, text=page)
    assert (type(found), found.message, found.temporary) == (ServerError, "502 Bad Gateway nginx", True)


def test_not_implemented_is_no_failure_to_wait_for():
    """A method that is not there will not be there in a second."""
    found = error(501, coded("not_implemented"))
    assert (type(found), found.temporary) == (ApiError, False)


@pytest.mark.parametrize(
    ("body", "kind", "temporary"),
    [
        ({"remaining": {"1": 0}, "limits": {"1": 5}}, RateLimitError, True),
        ({"remaining": {"1": 0, "60": 0}, "limits": {"1": 0, "60": 0}}, QuotaExhaustedError, False),
        (None, RateLimitError, True),
    ],
)
def test_a_429_has_no_error_key(body, kind, temporary):
    """Limits that are all zero mean that there is no access, now or later."""
    found = error(429, body)
    assert (type(found), found.temporary) == (kind, temporary)


def test_the_request_id_is_kept_and_secrets_are_not():
    """The vendor's support asks for the one."""
    found = error(403, coded("access_denied", "no access for geheim-1234"), **{"X-Request-Id": "r-1"})
    assert (found.request_id, found.message) == ("r-1", "no access for ***")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["error", "code", "message", "fields", "items", "arguments", "id", "limits", "remaining"]
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(JSON, st.sampled_from([400, 401, 403, 404, 409, 418, 429, 500, 503]))
def test_no_shape_makes_it_fall_over(body, status):
    """Every answer is an error of ours, with texts in its fields."""
    found = error(status, text=json.dumps(body))
    assert isinstance(found, AdnetError)
    assert all(isinstance(text, str) for text in getattr(found, "fields", {}).values())


@given(st.binary(max_size=60))
def test_no_bytes_make_it_fall_over(body):
    """Half a JSON, no JSON, no text at all."""
    reply = attrs.evolve(answer(500), body=body)
    assert isinstance(decipherer("mytarget", Scrubber(), FakeClock()).error(reply), ServerError)


# ---------------------------------------------------------------------- over HTTP


async def test_a_bad_gateway_is_tried_again_where_that_is_safe():
    """A read is; the page of HTML is never taken for JSON."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        test.sandbox.faults.once("html502", 2)
        assert (await account.get_account()).currency == "RUB"


async def test_a_bad_gateway_to_a_create_is_told_and_not_tried_again():
    """It may have been executed."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        test.sandbox.faults.once("html502")
        with pytest.raises(ServerError):
            await account.native.segments.create({"name": "S"})


@pytest.mark.parametrize("fault", ["half", "badjson"])
async def test_an_answer_that_is_cut_off_is_no_crash(fault):
    """It is asked for again, or told for what it is."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        test.sandbox.faults.once(fault)
        if fault == "badjson":
            with pytest.raises(AdnetError, match="not JSON"):
                await account.get_account()
        assert (await account.get_account()).currency == "RUB"
