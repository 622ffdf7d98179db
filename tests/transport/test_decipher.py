"""From a refused answer to the right error."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.errors import (
    AccessDeniedError,
    ApiError,
    AuthenticationError,
    ConflictError,
    DecodeError,
    InvalidRequestError,
    NotFoundError,
    OriginError,
    QuotaExhaustedError,
    RateLimitError,
    SchemaError,
    ServerError,
    TokenExpiredError,
)
from adnet.redact import Scrubber
from adnet.transport.decipher import Decipherer, Refusal, decode, expired, plain, retry_after
from adnet.transport.wire import Response

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
URL = "https://api.example/v1/x"
SECRET = "s3cret+value/1"


def response(status: int = 200, body: bytes = b"", **headers: str) -> Response:
    """Return an answer; underscores in header names stand for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, url=URL, body=body, headers=named)


def decipherer(**settings) -> Decipherer:
    """Return a decipherer of a network called acme."""
    return Decipherer(network="acme", scrubber=Scrubber([SECRET]), now=lambda: NOW, **settings)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206])
def test_a_good_answer_is_no_error(status):
    """Every 2xx, unless the network says otherwise."""
    assert decipherer().error(response(status)) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidRequestError), (401, AuthenticationError), (403, AccessDeniedError), (404, NotFoundError),
     (408, ServerError), (409, ConflictError), (410, NotFoundError), (418, ApiError), (422, InvalidRequestError),
     (425, RateLimitError), (429, RateLimitError), (500, ServerError), (502, ServerError), (503, ServerError),
     (504, ServerError), (599, ServerError)],
)  # fmt: skip
def test_a_status_says_what_went_wrong(status, kind):
    """Where the vendor's own code says nothing better."""
    error = decipherer().error(response(status, b"no", x_request_id="r-1"))
    assert type(error) is kind
    assert (error.message, error.status, error.network, error.request_id) == ("no", status, "acme", "r-1")


def test_the_vendors_code_counts_more_than_the_status():
    """Exact before broad."""
    codes = {"QUOTA": QuotaExhaustedError}
    error = decipherer(codes=codes, read=lambda _: Refusal(code="QUOTA", message="used up")).error(
        response(400)
    )
    assert (type(error), error.code) == (QuotaExhaustedError, "QUOTA")


def test_the_envelope_may_decide_alone():
    """For networks whose codes mean several things."""
    read = lambda _: Refusal(error=TokenExpiredError, code="x")  # noqa: E731
    error = decipherer(read=read, codes={"x": NotFoundError}).error(response(403))
    assert expired(error)
    assert not expired(NotFoundError("x"))


def test_a_refusal_with_status_200_is_an_error():
    """Some networks hide them there."""
    found = decipherer(accepted=lambda answer: b"ok" in answer.body)
    assert found.error(response(200, b"ok")) is None
    assert type(found.error(response(200, b"no"))) is ApiError


def test_an_html_page_is_told_as_its_words():
    """Without tags, and short."""
    page = b"<html><head><title>502</title></head>\n<body>Bad  <b>gateway</b>" + b" x" * 1000
    error = decipherer().error(response(502, page))
    assert error.message.startswith("502 Bad gateway x x")
    assert len(error.message) <= 300


@pytest.mark.parametrize("part", [b"<a ", b"<p>no</p>", b"\xff"])
def test_a_page_as_large_as_a_ceiling_costs_no_more_memory_than_it_has(part):
    """A few hundred characters of it are told; as words of their own all of them would take thirty times as much."""
    page = response(502, part * (2**24 // len(part)))
    tracemalloc.start()
    try:
        decipherer().error(page)
        with pytest.raises(DecodeError):
            decode(page, scrubber=Scrubber())
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("shown", range(1, len(SECRET)))
def test_no_half_secret_is_told_where_the_reading_of_a_page_ends(shown):
    """Nobody would recognise it."""
    head = b"<p " + b"a" * (65_527 - shown) + b"> for "
    assert decipherer().error(response(502, head + SECRET.encode() + b" x")).message == "for"
    bare = head.replace(b"> for ", b"aaaaa>")
    assert "refused with" in decipherer().error(response(502, bare + SECRET.encode() + b" x")).message


def test_an_empty_body_still_says_something():
    """At least the status."""
    assert decipherer().error(response(500)).message == "refused with HTTP status 500"
    assert plain(response(500)).message is None


def test_no_secret_reaches_an_error():
    """Not through message, fields, codes or request id, not even half of one."""
    echo = f"token {SECRET} is bad"
    told = Refusal(code=SECRET, subcode=SECRET, message="x" * 293 + echo, fields={"token": echo})
    error = decipherer(read=lambda _: told).error(response(400, x_request_id=SECRET))
    assert "s3c" not in repr(vars(error)) + str(error)
    assert error.fields == {"token": "token *** is bad"}


def test_what_a_network_tells_of_a_refusal_is_kept_whatever_its_class():
    """The narrower code and the fields, too."""
    told = Refusal(code="E1", subcode="E1.2", fields={"id": "gone"}, error=NotFoundError)
    error = decipherer(read=lambda _: told).error(response(404))
    assert isinstance(error, ApiError)
    assert (error.code, error.subcode, error.fields) == ("E1", "E1.2", {"id": "gone"})


def test_a_redirect_to_elsewhere_is_an_origin_error():
    """Named, not followed."""
    error = decipherer().error(response(302, location="https://evil.example/x?token=1"))
    assert isinstance(error, OriginError)
    assert (error.origin, error.status, error.network) == ("https://evil.example:443", 302, "acme")


@pytest.mark.parametrize(
    "location", ["//evil.example/", "http://api.example/v1/x", "http://[::1", "https://a:b"]
)
def test_another_scheme_or_a_broken_url_is_elsewhere_too(location):
    """Whatever is not the same origin."""
    assert isinstance(decipherer().error(response(307, location=location)), OriginError)


@pytest.mark.parametrize("location", ["/v2/x", "https://API.example:443/", "", "?page=2"])
def test_a_redirect_on_the_same_origin_is_an_api_error(location):
    """These APIs do not redirect; the base URL may be wrong."""
    error = decipherer().error(response(301, location=location))
    assert (type(error), error.temporary) == (ApiError, False)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120.0), ("0", 0.0), ("1.5", 1.5), ("-5", 0.0), ("", None), ("soon", None), ("nan", None),
     ("Sun, 01 Mar 2026 12:01:00 GMT", 60.0), ("Sun, 01 Mar 2026 15:01:00 +0300", 60.0),
     ("Sun, 01 Mar 2026 12:01:00 -0000", 60.0), ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0), ("1e3", None),
     ("99999999999999999999", 366 * 86400.0), ("9" * 400, 366 * 86400.0), ("Fri, 31 Dec 9999 23:59:59 -9999", None)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(text, seconds):
    """Never negative, never longer than a year; what is neither says nothing."""
    assert retry_after({"retry-after": text}, NOW) == seconds


@pytest.mark.parametrize("skew", [timedelta(), timedelta(hours=3), -timedelta(hours=3), timedelta(days=400)])
def test_a_date_is_read_by_the_clock_of_the_server_that_wrote_it(skew):
    """However wrong that clock, or ours, is: the answer's Date says what time it had."""
    headers = {
        "date": format_datetime(NOW + skew, usegmt=True),
        "retry-after": format_datetime(NOW + skew + timedelta(seconds=7), usegmt=True),
    }
    assert retry_after(headers, NOW) == 7.0


@pytest.mark.parametrize("date", ["", "soon", "Sun, 01 Mar 2026 25:00:00 GMT"])
def test_without_a_date_of_use_our_own_clock_has_to_do(date):
    """A Date that is missing, or none."""
    headers = {"date": date, "retry-after": format_datetime(NOW + timedelta(seconds=7), usegmt=True)}
    assert retry_after(headers, NOW) == 7.0


def test_retry_after_reaches_the_error():
    """For limits and for servers that are down."""
    assert decipherer().error(response(429, retry_after="7")).retry_after_s == 7.0
    assert decipherer().error(response(503, retry_after="7")).retry_after_s == 7.0
    assert decipherer().error(response(429)).retry_after_s is None


@given(st.text())
def test_any_retry_after_is_seconds_or_nothing(text):
    """A server may write what it likes."""
    seconds = retry_after({"retry-after": text}, NOW)
    assert seconds is None or 0 <= seconds <= timedelta(days=366).total_seconds()


class Row(msgspec.Struct):
    """A shape to decode into."""

    saved: int


def test_json_becomes_the_type_asked_for():
    """Or whatever it is."""
    assert decode(response(body=b'[{"saved": 3}]'), list[Row], scrubber=Scrubber()) == [Row(3)]
    assert decode(response(body=b'{"a": [1]}'), scrubber=Scrubber()) == {"a": [1]}
    ready = msgspec.json.Decoder(Row)
    assert decode(response(body=b'{"saved": 1}'), scrubber=Scrubber(), decoder=ready) == Row(1)


def test_another_shape_says_where_in_the_networks_own_keys():
    """And shows how the answer begins, without secrets."""
    body = b'{"data": [{"saved": 1}, {"saved": "s3cret+value/1"}], "token": "abc"}'
    with pytest.raises(SchemaError, match=r"\$\[\.\.\.\]") as caught:
        decode(response(body=body), dict[str, list[Row] | str], scrubber=Scrubber([SECRET]))
    assert len(caught.value.paths) == 1
    assert caught.value.status == 200
    assert "s3cret" not in caught.value.excerpt
    assert "abc" not in caught.value.excerpt


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "the answer is empty"),
        (b" \n", "the answer is empty"),
        (
            b"<!DOCTYPE html><title>Back\nsoon</title> ge-heim",
            "check base_url. The page says: Back soon ***",
        ),
        (b"<br/>", "The page says: nothing"),
        (b"<" * 1_000_000, "The page says: <<<"),
        (b"{", "not JSON: "),
    ],
)
def test_what_is_no_json_is_told_in_words(body, told):
    """A page of a proxy is no malformed JSON to whoever reads the error."""
    with pytest.raises(DecodeError) as caught:
        decode(response(body=body), scrubber=Scrubber(["ge-heim"]))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"a": 1,}', b'{"a": 1', b"\xff\xfe", b'{"a": "\xff"}', b"[" * 100_000, b'{"a": NaN}'],
)  # fmt: skip
def test_what_is_no_json_is_a_decode_error(body):
    """Empty, cut, foreign or too deep."""
    with pytest.raises(DecodeError):
        decode(response(body=body), scrubber=Scrubber())


def test_a_number_too_long_to_be_one_is_another_shape():
    """Five thousand digits are no count."""
    with pytest.raises(SchemaError, match="out of range"):
        decode(response(body=b"1" * 5000), scrubber=Scrubber())
