"""The one list of secret names, and the one scrubber for texts, payloads, logs and errors."""

import hashlib
import hmac
import html
import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from html.entities import codepoint2name
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

from adnet.errors import DecodeError

MASK = "***"

#: Keys whose values are secrets wherever they occur, compared in lower case without ``-`` and ``_``.
SECRET_KEYS = frozenset({
    "accesstoken", "apikey", "apitoken", "authorization", "clientsecret", "cookie", "idtoken",
    "password", "proxyauthorization", "refreshtoken", "secret", "setcookie", "token", "xapitoken",
})  # fmt: skip

_PAIR = re.compile(
    r"""(?ix)
    (\\{0,8}["']?\b(?:x[-_]?api[-_]?token|api[-_]?(?:key|token)|(?:access|refresh|id)[-_]?token|client[-_]?secret
      |authorization|password|secret|token)\b\\{0,8}["']?\s{0,8}[:=]\s{0,8})
    (?: \\{1,8}"[^"]*(?:"|\Z)              # JSON inside a JSON text
      | "(?:[^"\\]|\\.)*(?:"|\Z)       # also a text that was cut off
      | '[^']*(?:'|\Z)
      | \[[^\]]*(?:\]|\Z)
      | (?:(?:bearer|basic|digest|token)\s+)?[^\s"',;&)}\]]+
    )
    """
)
_WORDS = (b"token", b"secret", b"password", b"authorization", b"cookie")
_API_KEY = re.compile(rb"api[-_]*key")
"""Every secret key holds this or one of the words; one expression for all of them takes ten times as long."""
_ESCAPED = re.compile(rb"\\u00[2-7]")
"""A sign that JSON could spell as it is."""
_BEARER = re.compile(r"(?i)\bbearer\s+[^\s\"',;]+")
_COOKIE = re.compile(r"(?i)\b((?:set-)?cookie:\s*)[^\r\n]+")
_CODE_IN_QUERY = re.compile(r"(?i)([?&](?:code|state)=)[^&\s\"']+")
_USER_INFO = re.compile(r"(?<=://)[^/\s@]+@")
_ESCAPE = re.compile(r"%[0-9A-F]{2}")
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
_SPELLED = re.compile(r"[%\\&+]")
"""A sign that some other may be spelled."""
_APOSTROPHES = ("&#x27;", "&#39;", "&#039;")
"""As Python, others and PHP write one in a page."""
_GENEROUS = 65_536
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Hidden(str):
    """A secret on its way through functions: a text like any other, but for its ``repr``.

    Tools that show tracebacks with locals ask for that.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{MASK}'"


def is_secret_key(name: str) -> bool:
    """Say whether a value under this key must never be shown."""
    return name.lower().replace("-", "").replace("_", "") in SECRET_KEYS


class Scrubber:
    """Removes known secret values, and whatever stands under a secret name, from texts and payloads.

    Give it every secret a session knows; values shorter than four characters are left to the names, since
    replacing them would shred ordinary text.
    """

    __slots__ = ("_count", "_known", "_spellings")

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: tuple[str, ...] = ()
        self._spellings: tuple[re.Pattern[str], ...] = ()
        self._count = 0
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str | None) -> None:
        """Remember one more secret value, e.g. a refreshed token, in every form that it takes on the way."""
        if secret and len(secret) >= 4 and secret not in self._known:
            # Longest first, so that a secret that contains another is masked whole.
            self._known = tuple(sorted({*self._known, *_forms(secret)}, key=len, reverse=True))
            if not _PLAIN.fullmatch(secret):
                spelling = re.compile("".join(map(_sign, secret)))
                self._spellings = tuple(sorted({*self._spellings, spelling}, key=_length, reverse=True))
            self._count += 1

    def text(self, text: str) -> str:
        """Return *text* with every secret masked."""
        text = self._without_known(text)
        text = _COOKIE.sub(rf"\1{MASK}", text)
        text = _PAIR.sub(rf"\1{MASK}", text)
        text = _BEARER.sub(f"Bearer {MASK}", text)
        text = _USER_INFO.sub(f"{MASK}@", text)
        return _CODE_IN_QUERY.sub(rf"\1{MASK}", text)

    def excerpt(self, text: str, length: int) -> str:
        """Return the first *length* characters of *text* without secrets.

        Scrubbed before it is cut: half a secret would not be recognised.
        """
        return self.text(text[:_GENEROUS])[:length]

    def payload(self, value: Any) -> Any:
        """Return a copy of a JSON value without secret keys and with known secrets masked in its texts."""
        if isinstance(value, Mapping):
            return {
                self._without_known(str(key)): self.payload(item)
                for key, item in value.items()
                if not is_secret_key(str(key))
            }
        if isinstance(value, list | tuple):
            return [self.payload(item) for item in value]
        return self._without_known(value) if isinstance(value, str) else value

    def json(self, data: bytes) -> bytes:
        """Return JSON as ``payload`` cleans it; numbers keep their digits.

        Most answers tell no secret, and stay as they are.

        Raises:
            DecodeError: It has to be looked at, and cannot be read.
        """
        if not self.suspects(data):
            return data
        try:
            return _ENCODER.encode(self.payload(_DECODER.decode(data)))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problem = self.text(str(error))
        del data  # tracebacks with locals would show it
        raise DecodeError(f"the answer cannot be read: {problem}")

    def suspects(self, data: bytes) -> bool:
        """Say whether JSON may hold a secret, known or under a secret key; most holds none."""
        small = data.lower()
        return (
            any(word in small for word in _WORDS)
            or _API_KEY.search(small) is not None
            or _ESCAPED.search(data) is not None
            or self.knows_bytes(data)
        )

    def _without_known(self, text: str) -> str:
        if self._spellings and _SPELLED.search(text):
            for spelling in self._spellings:
                text = spelling.sub(MASK, text)
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, MASK)
        return text

    def knows_bytes(self, data: bytes) -> bool:
        """Say whether a known secret occurs in *data*."""
        return any(secret.encode() in data for secret in self._known)

    def __repr__(self) -> str:
        return f"Scrubber({self._count} secrets)"


def _forms(secret: str) -> set[str]:
    """Return *secret* as it mostly stands in plain text, in URLs and forms, in JSON, and in pages.

    Large answers are searched for these, which takes a tenth of what an expression for every spelling does.
    """
    if _PLAIN.fullmatch(secret):
        return {secret}
    quoted = {quote(secret, safe=safe) for safe in ("", "/", "/+=~")} | {quote_plus(secret)}
    lower = {_ESCAPE.sub(lambda found: found[0].lower(), form) for form in quoted}
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    escaped |= {form.replace("/", r"\/") for form in escaped}
    paged = {html.escape(secret).replace("&#x27;", mark) for mark in _APOSTROPHES}
    paged.add(html.escape(secret, quote=False))
    return {secret} | quoted | lower | escaped | paged


def _length(spelling: re.Pattern[str]) -> int:
    return len(spelling.pattern)


def _sign(char: str) -> str:
    """Return an expression for one sign of a secret in any text: each sign may be written in a way of its own.

    A URL escapes it once or more often, inside other URLs; JSON and pages have escapes for each, of which every
    language uses some, and a text inside another has more backslashes or ``&amp;``.
    """
    if _PLAIN.fullmatch(char):
        return re.escape(char)
    number, name = ord(char), codepoint2name.get(ord(char))
    units = re.findall("....", char.encode("utf-16-be").hex())
    spelled = [
        "".join(f"%(?:25){{0,3}}(?i:{byte:02x})" for byte in char.encode()),
        "".join(rf"\\{{1,8}}(?i:u{unit})" for unit in units),
        rf"\\{{1,8}}{re.escape(char)}",
        rf"&(?:amp;){{0,3}}#(?i:0{{0,4}}{number}|x0{{0,4}}{number:x});",
        rf"&(?:amp;){{0,3}}{name};" if name else "",
        r"\+" if char == " " else "",
        re.escape(char),
    ]
    return f"(?:{'|'.join(filter(None, spelled))})"


def keyed_hash(key: bytes, value: str) -> str:
    """Return a keyed hash (HMAC-SHA-256, 32 hex digits) of personal data such as a click's IP address."""
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:32]


def masked(secret: str) -> str:
    """Return a secret as it may be shown to its owner: the last four characters at most."""
    return MASK if len(secret) < 12 else f"{MASK}{secret[-4:]}"
