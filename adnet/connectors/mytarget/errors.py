"""The refusals of myTarget and VK Ads: five envelopes, nested fields, and a 429 that is a map of windows.

Shapes (documented, and seen in captures of public clients):

* ``{"error": {"code", "message", "fields": {…}}}``, fields nested to any depth, list members under ``items``;
* the same with a list of objects instead of ``fields``, for mass actions that were refused as a whole;
* ``{"code", "message"}`` and nothing at all with ``WWW-Authenticate``, both for 401;
* ``{"error": "code", "error_description": "…"}`` of the token endpoint;
* ``{"remaining": {"1": 0}, "limits": {"1": 5}}`` for 429; limits that are all zero mean "no access";
* version 1: ``{"field": "message"}``, or a sentence. Failures of the network itself are often HTML pages.

An answer of 2xx that is one of these is taken for a refusal, too, though none was ever seen: what reads it as a success
would say of a campaign that it is paused.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

import msgspec

from adnet.clock import Clock
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
from adnet.transport.decipher import Decipherer, Refusal, plain
from adnet.transport.wire import Response

CODES: Final[Mapping[str, type[AdnetError]]] = {
    "expired_token": TokenExpiredError,
    "invalid_token": TokenExpiredError,  # replaced by a refresh, perhaps: the store knows
    "revoked_token": TokenRevokedError,
    "invalid_client": AuthenticationError,
    "token_limit_exceeded": TokenLimitError,
    "access_denied": AccessDeniedError,
    "not_found": NotFoundError,
    "source_not_found": NotFoundError,
    "duplicate_error": ConflictError,
    "relation_exists": ConflictError,
    "ERR_ACCESS_DENIED": AccessDeniedError,
    "ERR_WRONG_RESOURCE": NotFoundError,
    "ERR_WRONG_IDS": NotFoundError,
    "ERR_INTERNAL": ServerError,
}
"""Source: VK Ads "Authorization" and "Statistics" pages, error tables of the objects (documented). ``invalid_user`` is
left to its status: with 401 the user is blocked, with 400 it is a client who cannot be attached."""

TOKEN_CODES: Final[Mapping[str, type[AdnetError]]] = {
    "token_limit_exceeded": TokenLimitError,
    "revoked_token": TokenRevokedError,
    "invalid_client": AuthenticationError,
    "invalid_user": AuthenticationError,
    "invalid_grant": AuthenticationError,
    "invalid_token": AuthenticationError,
    "expired_token": AuthenticationError,
    "access_denied": AccessDeniedError,
}
"""At the token endpoint a refused token is a credential like any other: nothing renews it by itself."""

Field = tuple[str, tuple[str | None, str]]
"""The path of a field that was refused, the code, and what is wrong with it."""

UNKNOWN_OBJECTS: Final = frozenset(
    f"unknown_{kind}" for kind in ("campaigns", "ad_groups", "ad_plans", "banners")
)
"""Codes of mass actions that name, in their message alone, the objects that are not there.

Source: VK Ads "AdGroup mass action" (documented); ``unknown_campaigns`` is inferred.
"""

_MULTI_STATUS: Final = 207
_NUMBER: Final = re.compile(r"\d+", re.ASCII)
_CHALLENGE: Final = re.compile(r'(error|error_description)="([^"]*)"')
_DEPTH: Final = 12
_MOST_FIELDS: Final = 500
_MOST_DIGITS: Final = 12
"""Of a limit. What is larger limits nothing."""


def decipherer(
    network: str,
    scrubber: Scrubber,
    clock: Clock,
    *,
    codes: Mapping[str, type[AdnetError]] = CODES,
) -> Decipherer:
    """Return the table that turns refused answers into errors."""
    return Decipherer(
        network=network, scrubber=scrubber, read=read_refusal, codes=codes, accepted=is_good, now=clock.now
    )


class _Told(msgspec.Struct):
    """What tells a refusal from an object that speaks of its errors, as uploaded lists do."""

    error: Any = None
    id: Any = None
    items: Any = None


def is_good(response: Response) -> bool:
    """Whether an answer of 2xx says that all was done: neither 207, nor an error and nothing beside it."""
    if response.status == _MULTI_STATUS:
        return False
    if b'"error"' not in response.body:
        return True
    try:
        told = msgspec.json.decode(response.body, type=_Told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return True  # who reads it will say what is wrong with it
    named = isinstance(told.error, str | dict) and bool(told.error)
    return not named or told.id is not None or told.items is not None


def read_refusal(response: Response) -> Refusal:
    """Return what the network said, from whichever envelope it used."""
    body = _json(response)
    if response.status == 429:
        closed = is_closed(body)
        message = (
            "this method is closed to the account: all its limits are zero" if closed else "too many requests"
        )
        return Refusal(message=message, error=QuotaExhaustedError if closed else RateLimitError)
    refusal = _of_body(body, response)
    if response.status == 401 and refusal.code is None:
        challenge = dict(_CHALLENGE.findall(response.headers.get("www-authenticate", "")))
        refusal = Refusal(
            code=challenge.get("error"), message=refusal.message or challenge.get("error_description")
        )
    if response.status == 501:  # says that it never will: no sense in trying again
        return Refusal(code=refusal.code, message=refusal.message, error=ApiError)
    return refusal


def _json(response: Response) -> Any:
    try:
        return msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _of_body(body: Any, response: Response) -> Refusal:
    if isinstance(body, str):
        return Refusal(message=body)
    if not isinstance(body, dict):
        return plain(response) if body is None else Refusal()
    error = body.get("error", body)
    if isinstance(error, str):
        return Refusal(code=error, message=_text(body.get("error_description")) or error)
    if not isinstance(error, dict):
        return Refusal()
    if not {"code", "message", "fields"} & error.keys():
        fields = {str(name): text for name, value in error.items() if (text := _text(value))}
        return Refusal(message=_summary(None, fields), fields=fields)
    named = dict(islice(_fields(error), _MOST_FIELDS))
    fields = {path: text for path, (_, text) in named.items()}
    code, message = _text(error.get("code")), _text(error.get("message"))
    gone = _NUMBER.findall(message or "") if code in UNKNOWN_OBJECTS else ()
    return Refusal(
        code=code,
        subcode=next((code for code, _ in named.values() if code), None),
        message=_summary(message, fields),
        fields=fields | dict.fromkeys(gone, "there is no such object"),
    )


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and value != "" else None


def _summary(message: str | None, fields: Mapping[str, str]) -> str | None:
    """Return *message* with the first fields, since most of what is refused is one field."""
    shown = "; ".join(f"{name}: {text}" for name, text in list(fields.items())[:3])
    return ": ".join(part for part in (message, shown) if part) or None


# ---------------------------------------------------------------------- fields


def _fields(error: Mapping[str, Any]) -> Iterator[Field]:
    """Yield every leaf; paths look like ``banners[0].urls``."""
    found = error.get("fields")
    if isinstance(found, Mapping):
        yield from _of_mapping("", found, 0)
    for name, value in error.items():
        if name != "fields" and isinstance(value, list):
            yield from _of_objects(value)


def _of_mapping(path: str, fields: Mapping[str, Any], depth: int) -> Iterator[Field]:
    for name, value in fields.items():
        yield from _of_value(f"{path}.{name}" if path else str(name), value, depth + 1)


def _of_value(path: str, value: Any, depth: int) -> Iterator[Field]:
    if depth > _DEPTH:
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, Mapping) and "line_number" in item:
                # Not the line itself: it is somebody's address or telephone number.
                yield f"{path}[line {item['line_number']}]", _leaf(item)
            else:
                yield from _of_value(f"{path}[{index}]", item, depth + 1)
    elif isinstance(value, Mapping):
        nested = value.get("fields"), value.get("items")
        if isinstance(nested[0], Mapping):
            yield from _of_mapping(path, nested[0], depth)
        if isinstance(nested[1], list):
            yield from _of_value(path, nested[1], depth)
        if ("code" in value or "message" in value) and not any(nested):
            yield path, _leaf(value)
    elif (text := _text(value)) is not None:
        yield path, (None, text)


def _of_objects(items: list[Any]) -> Iterator[Field]:
    """Yield the refusals of a mass action; paths begin with the object's id."""
    for item in items:
        if not isinstance(item, Mapping):
            continue
        arguments = item.get("arguments")
        number = _text(arguments.get("id")) if isinstance(arguments, Mapping) else None
        if number is None:
            continue
        fields = item.get("fields")
        if isinstance(fields, Mapping) and fields:
            yield from _of_mapping(number, fields, 0)
        else:
            yield number, _leaf({**item, "arguments": None})


def _leaf(value: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return one leaf's code, and the leaf as a sentence: message, code and what would be allowed."""
    code = _text(value.get("code") or value.get("error_code"))
    message = _text(value.get("message"))
    text = f"{message} ({code})" if message and code else message or code or "refused"
    arguments = value.get("arguments")
    if isinstance(arguments, Mapping) and arguments:
        text += " " + ", ".join(f"{name}={item}" for name, item in arguments.items())
    allowed = value.get("allowed_values")
    if isinstance(allowed, list) and allowed:
        text += "; allowed: " + ", ".join(map(str, allowed[:30]))
    return code, text


# ---------------------------------------------------------------------- 429


def windows_of(body: Any) -> dict[int, tuple[int, int]]:
    """Return seconds -> (limit, remaining) of a window map; what is none of its numbers is left out."""
    if not isinstance(body, Mapping):
        return {}
    limits, remaining = body.get("limits"), body.get("remaining")
    limits = limits if isinstance(limits, Mapping) else {}
    remaining = remaining if isinstance(remaining, Mapping) else {}
    found = {}
    for seconds, limit in limits.items():
        left = remaining.get(seconds, limit)
        length = count_in(str(seconds))
        if length and _is_count(limit) and _is_count(left):
            found[length] = (limit, left)
    return found


def count_in(text: str) -> int | None:
    """Return the number that a text is; None for what is none, and for one larger than any limit."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**_MOST_DIGITS


def is_closed(body: Any) -> bool:
    """Whether a window map says "no access": there are limits, and all are zero."""
    windows = windows_of(body)
    return bool(windows) and not any(limit for limit, _ in windows.values())


def invalid(message: str, **fields: str) -> InvalidRequestError:
    """Return the error for a value that the documented rules refuse; nothing was sent."""
    return InvalidRequestError(message, fields=fields)
