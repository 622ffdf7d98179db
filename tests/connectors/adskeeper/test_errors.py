"""Refusals in all their forms, and the 75 documented codes."""

import pytest

from adnet.connectors.adskeeper.codes import CODES, folded, meaning_of, number_in, told
from adnet.connectors.adskeeper.errors import decipherer, is_good, is_partial, words_of
from adnet.errors import (
    AccessDeniedError,
    ApiError,
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    RateLimitError,
    ServerError,
    TokenExpiredError,
)
from adnet.models import Update
from adnet.redact import Scrubber
from adnet.testing.fakes import answer
from tests.connectors.adskeeper.kit import TOKEN, scripted

TABLE = decipherer("adskeeper", Scrubber(), renewable=False)


def refused(body, status=200, table=TABLE):
    reply = answer(status, body) if isinstance(body, dict | list) else answer(status, body=body.encode())
    error = table.error(reply)
    assert error is not None
    return error


def test_all_codes_are_mapped():
    """75 codes, each with a class, a sentence, and a field where one is wrong."""
    assert len(CODES) == 75
    assert all(issubclass(code.error, ApiError) and code.meaning for code in CODES.values())
    assert all(
        code.error is not ApiError for name, code in CODES.items() if name != "ERROR_PARAMETER_POST_SEND"
    )


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("status", [200, 400, 422])
def test_a_code_decides_whatever_the_status(code, status):
    """A code in brackets raises its class at every status, and names its field."""
    error = refused({"errors": [f"[{code}]"]}, status)
    assert type(error) is CODES[code].error
    assert (error.code, error.status) == (code, status)
    assert CODES[code].meaning in error.message
    if isinstance(error, InvalidRequestError) and CODES[code].field:
        assert CODES[code].field in error.fields


FORMS = [
    {"errors": ["[TEASER_DOES_NOT_EXIST]"]},
    {"errors": ["TEASER_DOES_NOT_EXIST"]},
    {"errors": "[TEASER_DOES_NOT_EXIST]"},
    {"errors": " [ TEASER_DOES_NOT_EXIST ] "},
    {"errors": {"teaser": ["TEASER_DOES_NOT_EXIST"]}},
    ["[TEASER_DOES_NOT_EXIST]"],
    "[TEASER_DOES_NOT_EXIST]",
    "TEASER_DOES_NOT_EXIST",
    '"[TEASER_DOES_NOT_EXIST]"',
    '\ufeff{"errors":["[TEASER_DOES_NOT_EXIST]"]}',
]


@pytest.mark.parametrize("body", FORMS, ids=str)
def test_a_form_does_not_matter(body):
    """A list, a text, a mapping, a bare text with and without brackets: all say the same."""
    error = refused(body)
    assert type(error) is NotFoundError
    assert error.code == "TEASER_DOES_NOT_EXIST"


GOOD = ['{"id":1}', "[]", "{}", '[{"code":"US"}]', '{"510":{"name":"[errors]"}}', '{"errors":[]}', "", "null"]


@pytest.mark.parametrize("body", GOOD)
def test_good_answers_are_no_refusals(body):
    """What was asked for is not mistaken for an error, be it empty."""
    assert is_good(answer(200, body=body.encode()))


@pytest.mark.parametrize("body", ["<html></html>", '{"id":1,{"', '[{"code":"US"},{"', "[[["])
def test_unreadable_answers_are_left_to_reading(body):
    """A page, and JSON that was cut short, are no refusals: reading them raises DecodeError."""
    assert is_good(answer(200, body=body.encode()))


def test_a_partial_success_is_good_whatever_its_status():
    """An id beside errors tells that something was saved."""
    body = {"id": 510, "errors": "[SOURCES_DO_NOT_EXIST]", "data": ["7"]}
    assert is_partial(answer(200, body))
    assert TABLE.error(answer(200, body)) is None
    assert TABLE.error(answer(400, body)) is None
    assert isinstance(TABLE.error(answer(500, body)), ServerError)
    assert isinstance(TABLE.error(answer(429, body)), RateLimitError)


STATUSES = [
    (401, AuthenticationError),
    (403, AccessDeniedError),
    (429, RateLimitError),
    (500, ServerError),
    (503, ServerError),
]


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_a_status_decides_in_every_language(status, kind):
    """Credentials, rate and failures of the server are told by the status, whatever the text."""
    assert type(refused("403 - Доступ запрещен", status)) is kind
    assert type(refused({"errors": ["[ADVERTISE_NAME_EXISTS]"]}, status)) is kind


@pytest.mark.parametrize(
    "text",
    [
        "Authentication token is missing",
        "The token is not valid",
        "Only Bearer Authentication",
        "invalid token",
        "[AUTHENTICATION_TOKEN_MISSING]",
    ],
)
def test_texts_about_the_token_are_about_credentials(text):
    """Where the status is 200, the text decides."""
    assert type(refused({"errors": text})) is AuthenticationError


def test_a_token_that_can_be_replaced_is_expired():
    """With email and password a refused token is tried again once, after another login."""
    table = decipherer("adskeeper", Scrubber(), renewable=True)
    error = refused({"errors": "The token is not valid"}, 401, table)
    assert type(error) is TokenExpiredError
    assert error.temporary


def test_a_client_id_of_somebody_else_is_denied():
    """The dashboard's number is not the API's, and is refused as foreign."""
    assert type(refused({"errors": "Invalid client id"})) is AccessDeniedError


def test_numbers_in_codes_are_read():
    """Limits come inside codes, at their end or quoted, with blanks or without."""
    assert folded("ERROR_MAX_LIMIT_PER_PAGE_700") == "ERROR_MAX_LIMIT_PER_PAGE"
    assert number_in("ERROR_MAX_LIMIT_PER_PAGE_700") == 700
    assert number_in("ERROR_MIN_PAGE_NUMBER_1") == 1
    assert number_in("ADVERTISE_NAME_EXISTS") is None
    code = "ERROR_MINIMAL_DAILY_CLICKS_LIMIT_IS_ 500"
    assert told(code, CODES[folded(code)]).endswith("(500)")
    assert folded("LS_CAB_'51'_MORE_THAN_'50'") == "LS_CAB_MORE_THAN"


@pytest.mark.parametrize("number", ["%", "5%", "5.00", "500"])
def test_a_smallest_limit_is_known_whatever_stands_for_the_number(number):
    """The document prints a percent sign where the number belongs; the beginning tells what is wrong."""
    error = refused({"errors": [f"[ERROR_MINIMAL_DAILY_BUDGET_LIMIT_IS_ {number}]"]})
    assert (type(error), error.fields.keys()) == (InvalidRequestError, {"dailyLimit"})


def test_unknown_codes_are_told_by_their_form():
    """Codes of newer editions find a class by their words; what has none is an ApiError."""
    assert meaning_of("ERROR_PARAMETER_FOO_CAN_NOT_BE_EMPTY").error is InvalidRequestError
    assert meaning_of("ERROR_CAMPAIGN_MUST_BE_STOPPED").error is ConflictError
    assert meaning_of("ERROR_WIDGETS_DO_NOT_EXIST").error is NotFoundError
    assert type(refused({"errors": ["[SOMETHING_ELSE]"]})) is ApiError
    assert type(refused({"errors": ["[SOMETHING_ELSE]"]}, 400)) is InvalidRequestError


def test_fields_of_the_newest_form_are_kept():
    """A mapping of fields becomes the error's fields."""
    error = refused({"errors": {"metrics[0]": ["is unknown"], "title": ["a", "b"]}})
    assert type(error) is InvalidRequestError
    assert error.fields == {"metrics[0]": "is unknown", "title": "a; b"}


def test_two_sentences_in_one_element_are_two():
    """The document joins the sentences about width and height by a comma."""
    one = "Minimum expected width for image '' should be '492' but '100' detected"
    other = "Minimum expected height for image '' should be '328' but '90' detected"
    assert words_of([f"{one},{other}"]) == (one, other)
    assert refused({"errors": [f"{one},{other}"]}).fields == {"imageLink": f"{one}; {other}"}


def test_repeated_codes_are_told_once():
    """The network repeats a code for each region."""
    error = refused({"errors": ["[VALIDATION_NOT_FLOAT]", "[VALIDATION_NOT_FLOAT]"]})
    assert error.message == "not a number"


def test_rejected_members_are_named():
    """What does not exist stands in the message, shortened when it is long."""
    error = refused({"errors": ["[WIDGETS_WITH_THESE_IDS_DO_NOT_EXIST]"], "data": [*map(str, range(30))]})
    assert error.message.startswith("no such widget: 0, 1, 2")
    assert error.message.endswith(", …")


def test_a_secret_in_a_refusal_is_masked():
    """What the network repeats of our credentials does not reach an error."""
    table = decipherer("adskeeper", Scrubber(["sesame-0815"]), renewable=False)
    error = refused({"errors": ["token sesame-0815 is not valid"]}, 401, table)
    assert "sesame" not in f"{error!r}{error}"


async def test_no_secret_stands_in_what_a_partial_refusal_says():
    """An answer with an id and errors goes another way than other refusals, and is scrubbed and cut like them."""
    sentences = [f"not with Authorization: Bearer {TOKEN}", f"nor {TOKEN}", "x" * 100_000]
    part = {"id": 5, "errors": sentences, "data": [TOKEN, "77"]}
    async with scripted(part, {"id": 5}, part, part, {**part, "errors": {"token": TOKEN}}) as (account, _):
        with pytest.raises(InvalidRequestError) as caught:
            await account.native.campaigns.get("5")
        shown = [f"{caught.value} {caught.value!r} {caught.value.fields}"]
        pause = [Update("5", {"status": "paused"})]
        for found in (
            await account.block_sources("5", ["77"]),
            await account.update_campaigns(pause),
            await account.update_campaigns(pause),
        ):
            assert not found[0].ok
            shown.append(f"{found[0]!r} {found[0].error} {found[0].notes} {found[0].error.fields}")
        assert not any(TOKEN in text or len(text) > 5_000 for text in shown)
        assert "not saved: ***, 77" in shown[2]
