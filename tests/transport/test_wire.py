"""Requests and responses as values."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.errors import InvalidRequestError
from adnet.transport.wire import Request, Response, Route, origin

GET = Route(operation="x.get", method="GET", path="/x/{x_id}", idempotent=True)
POST = Route(operation="x.add", method="POST", path="/x", idempotent=False)
BASE = "https://api.example/v1"


def test_a_path_is_filled_and_encoded():
    """A value cannot leave its place in the path."""
    assert GET.fill({"x_id": "a/b c?d#e"}) == "/x/a%2Fb%20c%3Fd%23e"


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_value_that_names_another_path_is_refused(value):
    """Deleting the object without an id would be something else."""
    with pytest.raises(InvalidRequestError, match="x_id"):
        GET.fill({"x_id": value})


def test_a_request_is_put_together_below_the_base_url():
    """Absolute, encoded, without values that are not given."""
    request = Request.build(GET, f"{BASE}/", path={"x_id": 7}, query={"a": "b c&d", "none": None, "n": 0})
    assert request.url == "https://api.example/v1/x/7?a=b%20c%26d&n=0"
    assert (request.target, request.query) == ("/v1/x/7?a=b%20c%26d&n=0", {"a": "b c&d", "n": "0"})
    assert (request.body, request.headers) == (None, {"Accept": "application/json"})


def test_a_query_name_may_come_twice():
    """Pairs keep their order."""
    assert Request.build(POST, BASE, query=[("s", 1), ("s", 2)]).url.endswith("?s=1&s=2")


def test_json_keeps_digits():
    """A Decimal is sent as the number it is."""
    request = Request.build(POST, BASE, json={"bid": Decimal("0.10"), "empty": []})
    assert request.body == b'{"bid":0.10,"empty":[]}'
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("json", [[], {}, 0, False, ""])
def test_a_false_value_is_still_a_body(json):
    """Only None means no body."""
    assert Request.build(POST, BASE, json=json).body is not None


@pytest.mark.parametrize(
    "parts",
    [
        {"json": {"name": "half \ud83d"}},
        {"json": [object()]},
        {"query": {"name": "half \ud83d"}},
        {"path": {"x_id": "half \ud83d"}},
        {"form": {"name": "half \ud83d"}},
    ],
)
def test_what_cannot_be_written_is_refused_like_any_other_value(parts):
    """A batch goes on behind an item that is refused; a bare error would end it, with some of it made already."""
    with pytest.raises(InvalidRequestError, match="cannot be written") as caught:
        Request.build(GET, BASE, **{"path": {"x_id": 7}, **parts})
    assert caught.value.operation == "x.get"
    assert "half" not in str(caught.value)


def test_a_mistake_of_the_program_is_no_refused_value():
    """Who builds a request wrongly has to mend it, and not the value."""
    with pytest.raises(TypeError):
        Request.build(POST, BASE, nonsense=1)


def test_a_form_is_encoded():
    """Special characters of secrets included; None is left out."""
    request = Request.build(POST, BASE, form={"secret": "a+b/c=", "none": None})
    assert request.body == b"secret=a%2Bb%2Fc%3D"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_reprs_show_neither_headers_nor_bodies():
    """Credentials live there."""
    request = Request.build(POST, BASE, json={"password": "geheim"}, headers={"Authorization": "geheim"})
    response = Response(status=200, url=BASE, headers={"set-cookie": "geheim"}, body=b"geheim")
    assert "geheim" not in repr(request) + repr(response)


def test_text_of_a_broken_body_is_replaced():
    """An error page in another encoding can still be quoted."""
    assert Response(status=500, url=BASE, body=b"caf\xe9").text == "caf\ufffd"


@pytest.mark.parametrize(
    ("url", "expected"),
    [("https://API.example/x", "https://api.example:443"), ("HTTP://h:80/x", "http://h:80"),
     ("https://h:8443", "https://h:8443"), ("http://[::1]:5/x", "http://::1:5"),
     ("https://me@h/x", "https://***@h:443"), ("https://good\\@evil/x", "https://***@evil:443"),
     ("http://h:99999/", "invalid:"), ("http://[::1", "invalid:"), ("", "://:0")],
)  # fmt: skip
def test_an_origin_is_scheme_host_and_port(url, expected):
    """Odd URLs have an origin that equals no other."""
    assert origin(url) == expected


@given(st.text())
def test_any_text_has_an_origin(text):
    """A server may write what it likes."""
    assert origin(text)
    assert origin("http://" + text)
