"""Adskeeper's refusals, in all their forms.

A list of codes, a plain text, codes by field, a partial success (``id``, ``errors`` and ``data``), a bare text that
is no JSON; validation errors come with status 200 or 4xx. So the status alone never decides, except for
credentials, rate and failures of the server, which it tells in any language.
Source: Adskeeper advertiser API document (documented); dict, bare text and statuses are observed.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

import attrs
import msgspec

from adnet.connectors.adskeeper.codes import Code, meaning_of, told
from adnet.errors import (
    AccessDeniedError,
    AdnetError,
    ApiError,
    AuthenticationError,
    InvalidRequestError,
    TokenExpiredError,
)
from adnet.redact import Scrubber
from adnet.transport.decipher import STATUSES, Decipherer, Reader, Refusal, plain
from adnet.transport.wire import Response

BOM: Final = b"\xef\xbb\xbf"
_DECISIVE: Final = frozenset({401, 403, 408, 425, 429})
_NO_SUCH_ROUTE: Final = frozenset({404, 405, 410})
_LONGEST: Final = 500
_SHOWN: Final = 20

_BRACKETED: Final = re.compile(r"\[([^\[\]]+)\]")
_CODE: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9']+)+_?(?: ?\d*(?:[.,]\d+)?%?)?")
_IMAGE: Final = re.compile(r",\s*(?=Minimum expected)")
_SENTENCES: Final = (
    (re.compile(r"(?i)client id"), Code(AccessDeniedError, "")),
    (re.compile(r"(?i)\btoken|bearer auth"), Code(AuthenticationError, "")),
    (re.compile(r"(?i)price is not valid"), Code(InvalidRequestError, "", "priceOfClick")),
    (re.compile(r"(?i)minimum expected (width|height)"), Code(InvalidRequestError, "", "imageLink")),
    (
        re.compile(r"(?i)widgets? optimization is not available"),
        Code(InvalidRequestError, "", "qualityFactor"),
    ),
    (re.compile(r"(?i)exceeds? \d+ day limit"), Code(InvalidRequestError, "", "dateInterval")),
)


class Envelope(msgspec.Struct):
    """What matters of an answer that has ``errors``."""

    errors: Any = None
    id: Any = None
    data: Any = None


_ENVELOPE: Final = msgspec.json.Decoder(Envelope)


def stripped(body: bytes) -> bytes:
    """Return a body without byte order mark and blanks around it."""
    return body.removeprefix(BOM).strip()


def envelope_of(body: bytes) -> Envelope | None:
    """Return the envelope of an answer that tells errors, or None for any other."""
    body = stripped(body)
    if not body.startswith(b"{") or b'"errors"' not in body:
        return None
    try:
        found = _ENVELOPE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if found.errors else None


def is_partial(response: Response) -> bool:
    """Whether some of what was asked for was saved: the answer has both an id and errors."""
    found = envelope_of(response.body)
    return found is not None and found.id not in (None, "")  # it may be a list, which no set takes


def is_good(response: Response) -> bool:
    """Whether a 2xx answer holds what was asked for, all or in part."""
    body = stripped(response.body)
    if body.startswith(b"{"):
        return envelope_of(body) is None or is_partial(response)
    if not body or body.startswith(b"<"):
        return True  # not a refusal; reading it tells what it is
    value = _json(body)
    if value is None and body != b"null":
        return not _is_bare(body)
    if isinstance(value, list):
        return not (value and all(isinstance(item, str) for item in value))
    return not isinstance(value, str)


def _is_bare(body: bytes) -> bool:
    """Whether a body that is neither JSON nor a page is the network's bare text, and not JSON cut short."""
    if body.startswith(b"["):
        return _BRACKETED.fullmatch(body.decode("utf-8", "replace")) is not None
    return len(body) <= _LONGEST and not body.startswith(b'"')


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def words_of(errors: Any) -> tuple[str, ...]:
    """Return every code or sentence in *errors*, whatever its form; brackets and repetitions dropped."""
    found: dict[str, None] = {}
    for text in _texts(errors):
        inside = _BRACKETED.findall(text) if text.lstrip().startswith("[") else []
        found.update((part.strip(), None) for part in inside or _IMAGE.split(text) if part.strip())
    return tuple(found)


def _texts(errors: Any) -> Iterable[str]:
    if isinstance(errors, dict):
        errors = list(errors.values())
    if isinstance(errors, list):
        for item in errors:
            yield from _texts(item)
    elif errors not in {None, "", False, True}:
        yield str(errors)


def rejected_of(data: Any) -> tuple[str, ...]:
    """Return the members that were not saved, as text."""
    items = data if isinstance(data, list) else list(data.values()) if isinstance(data, dict) else [data]
    return tuple(str(item).strip() for item in items if isinstance(item, str | int))


def _meaning(word: str) -> tuple[str | None, Code | None, str]:
    """Return a word's code, what it means and the sentence to tell."""
    if _CODE.fullmatch(word):
        meaning = meaning_of(word)
        return word, meaning, told(word, meaning) if meaning else word
    return None, next((code for form, code in _SENTENCES if form.search(word)), None), word


def refusal_of(errors: Any, data: Any = None) -> Refusal:
    """Return what a list, text or mapping of errors amounts to.

    The first code with a meaning decides about the class; fields come from all of them.
    """
    fields: dict[str, str] = {}
    if isinstance(errors, dict):
        fields = {str(name): "; ".join(words_of(value)) for name, value in errors.items()}
    read = [_meaning(word) for word in words_of(errors)]
    for _, meaning, sentence in read:
        if meaning is not None and meaning.field:
            before = fields.get(meaning.field)
            fields[meaning.field] = f"{before}; {sentence}" if before else sentence
    known = [meaning.error for _, meaning, _ in read if meaning is not None]
    error = known[0] if known else InvalidRequestError if isinstance(errors, dict) else None
    message = "; ".join(dict.fromkeys(sentence for _, _, sentence in read))
    if bad := rejected_of(data) if data else ():
        message += f": {', '.join(bad[:_SHOWN])}{', …' if len(bad) > _SHOWN else ''}"
    code = next((code for code, _, _ in read if code), None)
    return Refusal(code=code, message=message or None, fields=fields, error=error)


def read_refusal(response: Response) -> Refusal:
    """Return what the network said in a refused answer."""
    body = stripped(response.body)
    found = envelope_of(body)
    if found is not None:
        return refusal_of(found.errors, found.data)
    if not body:
        return plain(response)
    if body.startswith(b"<"):
        # Of a gateway: the network says in its own words that something does not exist.
        return attrs.evolve(plain(response), error=ApiError if response.status in {404, 410} else None)
    value = _json(body)
    if value is None and len(body) <= _LONGEST:
        value = body.decode("utf-8", "replace")
    return refusal_of(value) if isinstance(value, str | list) else plain(response)


@attrs.frozen(kw_only=True)
class AdskeeperDecipherer(Decipherer):
    """Decides by what an answer says; a partial success is a good answer whatever its status."""

    def error(self, response: Response) -> AdnetError | None:
        """Return the error that the answer amounts to, or None for a good or partly good one."""
        if response.status < 500 and response.status not in _DECISIVE and is_partial(response):
            return None
        return super().error(response)


def _reader(*, renewable: bool) -> Reader:
    def read(response: Response) -> Refusal:
        refusal = read_refusal(response)
        if response.status in _DECISIVE or response.status >= 500:
            refusal = attrs.evolve(refusal, error=STATUSES.get(response.status))
        if renewable and refusal.error is AuthenticationError:
            refusal = attrs.evolve(refusal, error=TokenExpiredError)
        return refusal

    return read


def _read_login(response: Response) -> Refusal:
    """Return what a login was refused with: credentials, in words that are not documented.

    It must not say that something does not exist, since who lists objects would take that for theirs.
    """
    refusal = _reader(renewable=False)(response)
    if response.status in _DECISIVE or response.status >= 500:
        return refusal
    said = envelope_of(response.body) is not None or response.status not in _NO_SUCH_ROUTE
    page = stripped(response.body).startswith(b"<")
    return attrs.evolve(refusal, error=AuthenticationError if said and not page else ApiError)


def decipherer(
    network: str, scrubber: Scrubber, *, renewable: bool, login: bool = False
) -> AdskeeperDecipherer:
    """Return the table that turns refused answers into errors.

    Args:
        network: Slug of the profile.
        scrubber: Knows the account's secrets.
        renewable: Whether a refused token can be replaced by logging in again.
        login: Whether the answers are those of the login itself.
    """
    return AdskeeperDecipherer(
        network=network,
        scrubber=scrubber,
        read=_read_login if login else _reader(renewable=renewable),
        accepted=is_good,
    )


def partial_error(response: Response, network: str, scrubber: Scrubber) -> AdnetError:
    """Return the error that stands for what a partial success did not save, without secrets as any refusal."""

    def read(response: Response) -> Refusal:
        refusal = read_refusal(response)
        message = refusal.message or "not everything was saved"
        return attrs.evolve(refusal, message=message, error=refusal.error or InvalidRequestError)

    table = Decipherer(network=network, scrubber=scrubber, read=read, accepted=lambda _: False)
    error = table.error(response)
    assert error is not None
    return error
