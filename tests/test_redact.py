"""What is secret, and that nothing of it is ever shown."""

import json
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.errors import DecodeError
from adnet.redact import MASK, SECRET_KEYS, Scrubber, is_secret_key, keyed_hash, masked
from adnet.testing import answer
from adnet.transport.decipher import Decipherer

SECRET = "s3cr+t/Tok=en~ü-0123456789"
NAMES = [
    "token", "access_token", "refresh_token", "id_token", "client_secret", "password", "api_key", "api-token",
    "X-Api-Token", "Authorization", "secret",
]  # fmt: skip
FORMS = {
    "json": '{{"a": 1, "{name}": "{secret}", "b": 2}}',
    "compact json": '{{"{name}":"{secret}"}}',
    "json in json": '{{"body": "{{\\"{name}\\":\\"{secret}\\"}}"}}',
    "python": "{{'{name}': '{secret}', 'b': 2}}",
    "query": "/x?a=1&{name}={secret}&b=2",
    "header": "{name}: {secret}",
    "a list": '{{"{name}": ["{secret}", "b"]}}',
    "cut off": '{{"{name}": "{secret}',
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("name", NAMES)
def test_what_stands_under_a_secret_name_is_masked(name, form):
    """Also when nobody knows the value, in every form in which names and values are written."""
    text = form.format(name=name, secret="UNKNOWN-VALUE-1")
    scrubbed = Scrubber().text(text)
    assert "UNKNOWN" not in scrubbed
    assert MASK in scrubbed
    assert ("b=2" in text) == ("b=2" in scrubbed)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Basic", "Token"])
def test_credentials_after_a_scheme_are_masked(scheme):
    """The scheme is no end of the value."""
    assert "UNKNOWN" not in Scrubber().text(f"Authorization: {scheme} UNKNOWN\nAccept: x")
    assert "Accept: x" in Scrubber().text(f"Authorization: {scheme} UNKNOWN\nAccept: x")


def test_bearer_tokens_are_masked_without_a_header_name():
    """As the text of an error may quote them."""
    assert Scrubber().text("got bearer abc.def-ghi here") == "got Bearer *** here"


def test_cookies_are_masked_to_the_end_of_the_line():
    """Every pair of them."""
    assert Scrubber().text("Set-Cookie: sid=abc; csrf=def\nX: 1") == "Set-Cookie: ***\nX: 1"


def test_oauth_codes_and_user_info_in_urls_are_masked():
    """What a redirect or a base URL may carry."""
    text = Scrubber().text("https://me:pw@host/back?code=abc&state=def&x=1")
    assert text == "https://***@host/back?code=***&state=***&x=1"


@pytest.mark.parametrize(
    "written",
    [SECRET, quote(SECRET, safe=""), quote(SECRET), quote_plus(SECRET), json.dumps(SECRET),
     json.dumps(SECRET).replace("/", r"\/"), re.sub("%..", lambda m: m[0].lower(), quote(SECRET, safe=""))],
)  # fmt: skip
def test_a_known_secret_is_masked_wherever_and_however_it_is_written(written):
    """Plain, percent-encoded, as form data and as JSON."""
    scrubber = Scrubber([SECRET])
    assert scrubber.text(f"before {written.strip(chr(34))} after") == "before *** after"


@pytest.mark.parametrize(
    "written",
    [r"s3cr\u002Bt/Tok=en~\u00FC-0123456789", r"s3cr+t/Tok\u003den~ü-0123456789",
     r"s3cr+t\\/Tok=en~\\u00fc-0123456789", "s3cr&#43;t/Tok=en~ü-0123456789",
     "s3cr&#x2B;t/Tok=en~&#xFC;-0123456789", "s3cr+t&#x2f;Tok&#061;en~&uuml;-0123456789",
     "s3cr&amp;#43;t/Tok=en~&amp;uuml;-0123456789", quote(quote(SECRET, safe=""), safe=""),
     "s3cr%2Bt/Tok=en~%C3%BC-0123456789", "s3cr+t%2fTok=en~ü-0123456789"],
)  # fmt: skip
def test_a_known_secret_is_masked_in_the_spellings_of_other_languages(written):
    """JSON of .NET and Java, pages of Go and .NET, one text inside another, and URLs that escape some signs only."""
    assert Scrubber([SECRET]).text(f"before {written} after") == "before *** after"
    assert Scrubber([SECRET, "s3cr"]).text(f"before {written} after") == "before *** after"


@pytest.mark.parametrize(
    ("secret", "written"),
    [("pass word", "pass+word"), ("pass word", "pass%20word"), ("p\U0001f600ss", r"p\ud83d\uDE00ss"),
     ("p\U0001f600ss", "p&#x1F600;ss"), (r"pa\ss", r"pa\\ss"), ('pa"ss', r"pa\\\"ss"), ('pa"ss', "pa&quot;ss")],
)  # fmt: skip
def test_a_sign_has_its_spellings(secret, written):
    """A space, what is beyond the first plane of Unicode, and the signs of JSON itself."""
    assert Scrubber([secret]).text(f"<{written}>") == "<***>"


def test_a_secret_that_contains_another_is_masked_whole():
    """Longest first."""
    assert Scrubber(["abcd", "abcdefgh"]).text("abcdefgh") == "***"


def test_short_values_do_not_shred_texts():
    """A client id of three digits is left to its name."""
    assert Scrubber(["123", "", None]).text("123 of 1234") == "123 of 1234"


def test_an_excerpt_is_scrubbed_before_it_is_cut():
    """Half a secret is still a secret."""
    assert Scrubber(["abcdefgh"]).excerpt("aaaabcdefgh", 6) == "aaa***"


def test_plain_text_stays():
    """Words about tokens are no tokens."""
    text = "the tokens of 12 accounts expired; page=2&limit=10; https://host/path?q=a@b"
    assert text == Scrubber(["another"]).text(text)


def test_a_payload_loses_secret_keys_and_known_values():
    """At any depth, in keys and in values; other values stay what they are."""
    payload = {"token": "x", "a": [{"Access-Token": 1, "n": 1.5, "u": "/?t=abcdefgh"}], "abcdefgh": None}
    expected = {"a": [{"n": 1.5, "u": "/?t=***"}], "***": None}
    assert expected == Scrubber(["abcdefgh"]).payload(payload)


@pytest.mark.parametrize("name", ["TOKEN", "Client-Secret", "set-cookie", "x_api_token"])
def test_secret_names_in_any_case_and_with_either_dash(name):
    """One list decides everywhere."""
    assert is_secret_key(name)


def test_other_names_are_no_secrets():
    """``tracking_id`` and the like stay."""
    assert not any(map(is_secret_key, ["tokens_left", "tracking_id", "code", "name"]))


def test_the_scrubber_shows_no_secret():
    """Its repr counts."""
    assert repr(Scrubber([SECRET, SECRET])) == "Scrubber(1 secrets)"


@pytest.mark.parametrize("name", sorted({*NAMES, *SECRET_KEYS, "set-cookie", "API_KEY", "x-api-token"}))
def test_json_loses_what_a_payload_loses(name):
    """Known values, also escaped ones, and every secret key; numbers keep all of their digits."""
    told = f'{{"{name}":"x","n":1.50,"i":12345678901234567890,"u":"/?t=abc\\u0064efgh","abcdefgh":[]}}'
    cleaned = b'{"n":1.50,"i":12345678901234567890,"u":"/?t=***","***":[]}'
    assert cleaned == Scrubber(["abcdefgh"]).json(told.encode())


def test_json_without_secrets_stays_as_it_is():
    """Most answers tell none: byte for byte, and the cheap way."""
    told = b'{ "n": 1.50, "name": "\xc3\xa9" }'
    assert told is Scrubber(["abcdefgh"]).json(told)


@pytest.mark.parametrize("data", [b'{"token":', b'{"token":"\xff"}'])
def test_json_that_cannot_be_read_is_told(data):
    """It is not given on as it came: who knows what is in it."""
    with pytest.raises(DecodeError):
        Scrubber().json(data)


def test_a_keyed_hash_depends_on_the_key():
    """Equal for equal values under one key, and telling nothing without it."""
    assert keyed_hash(b"k", "192.0.2.1") == keyed_hash(b"k", "192.0.2.1")
    assert keyed_hash(b"k", "192.0.2.1") != keyed_hash(b"l", "192.0.2.1")
    assert re.fullmatch("[0-9a-f]{32}", keyed_hash(b"k", "192.0.2.1"))


def test_masked_shows_the_last_four_of_long_secrets_only():
    """Enough for its owner to tell it from another."""
    assert [masked("abcdefghijk"), masked("xxxxxxxxabcdefgh")] == ["***", "***efgh"]


TEXTS = st.text(alphabet="aZ09/+=%&:\"'\\ é\n", max_size=12)


@given(TEXTS.filter(lambda text: len(text) >= 4), TEXTS, TEXTS)
def test_no_known_secret_survives(secret, before, after):
    """Whatever surrounds it."""
    assert secret not in Scrubber([secret]).text(before + secret + after).replace(MASK, "")


@pytest.mark.parametrize("mark", ["&#x27;", "&#39;", "&#039;"])
def test_a_secret_is_known_as_a_page_writes_it(mark):
    """A gateway that shows what was sent escapes it; PHP and Python write the apostrophe in their own ways."""
    scrubber = Scrubber(["p&ss<w0rd>'1"])
    page = f"<p>Bad request: email=a%40b.c, p&amp;ss&lt;w0rd&gt;{mark}1 refused</p>".encode()
    error = Decipherer(network="acme", scrubber=scrubber).error(answer(400, body=page))
    assert "ss&lt;w0rd" not in str(error)
