"""The wire of the myTarget imitation: calls, answers, error envelopes, formats."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import msgspec
from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from aiohttp.base_protocol import BaseProtocol

from adnet.sandbox.base import json_reply

if TYPE_CHECKING:
    from adnet.sandbox._mytarget_tokens import Token
    from adnet.sandbox._mytarget_world import World

Row: TypeAlias = dict[str, Any]
Handler: TypeAlias = "Callable[[World, Call], web.Response]"

# The vendor's instants and calendar windows are Moscow's, which has kept UTC+3 since 2014.
MOSCOW = timezone(timedelta(hours=3), "Europe/Moscow")
STAMP = "%Y-%m-%d %H:%M:%S"


class Refused(Exception):  # noqa: N818 - an answer rather than an error of ours
    """An answer other than success, raised from wherever it is found out."""

    def __init__(self, status: int, body: Any = None, headers: Mapping[str, str] | None = None):
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        """Return what goes over the wire; no body where there is none."""
        if self.body is None:
            return web.Response(status=self.status, headers=self.headers)
        return json_reply(self.body, status=self.status, headers=self.headers)


class BadField(Exception):  # noqa: N818 - becomes a leaf of a validation answer
    """One value that is not allowed; *leaf* is its entry under `fields`."""

    def __init__(self, code: str, message: str, **extra: Any):
        super().__init__(code)
        self.leaf: Row = {"code": code, "message": message, **extra}


@attrs.frozen(kw_only=True)
class Part:
    """One part of a multipart body."""

    filename: str | None
    content: bytes


@attrs.frozen(kw_only=True)
class Action:
    """What one method of a path does, and the bucket it is counted in."""

    handler: Handler
    resource: str = ""
    """Name in `throttling.json`; empty where nothing is ever limited."""
    operation: str = ""
    public: bool = False
    """Needs no access token."""
    partial: bool = False
    """Changes some fields of one object: which verb does so is a switch."""


@attrs.frozen(kw_only=True)
class Endpoint:
    """One path under `/api/<version>/`, with what its methods do."""

    path: str
    actions: Mapping[str, Action]
    versions: tuple[str, ...] = ("v2",)


@attrs.define(kw_only=True)
class Call:
    """One request on its way through a handler."""

    method: str
    version: str
    path: Mapping[str, str]
    """The variable pieces of the path."""
    query: Mapping[str, str]
    lists: Mapping[str, list[str]]
    """Every value of a query name, in the order sent."""
    body: bytes
    parts: Mapping[str, Part]
    language: str = ""
    origin: str = ""
    """Scheme, host and port the client called."""
    token: "Token | None" = None
    bearer: str | None = None
    form: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def user_id(self) -> int:
        """Whose token it is."""
        assert self.token is not None, "public pages have no user"
        return self.token.user_id

    @property
    def client_id(self) -> str:
        """Which API client called; empty on public pages."""
        return self.token.client_id if self.token is not None else ""

    def number(self, name: str = "id") -> int:
        """Return a numeric piece of the path."""
        return _numeral(self.path[name])

    def numbers(self, name: str = "ids") -> list[int]:
        """Return a comma list of the path."""
        return [_numeral(word) for word in self.path[name].split(",") if word]

    def json(self) -> Any:
        """Return the decoded body."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            raise refused(400, "invalid_json", "Invalid JSON") from None

    def object(self) -> Row:
        """Return the decoded body, which must be an object; no body is an empty one."""
        found = self.json() if self.body else {}
        if not isinstance(found, dict):
            raise refused(400, "bad_value", "An object is expected")
        return found


def _numeral(word: str) -> int:
    try:
        return int(word)
    except ValueError:  # more digits than Python reads
        raise not_found() from None


def partial_update(handler: Handler, resource: str = "") -> dict[str, Action]:
    """Return the partial update under both verbs that may be open for it."""
    action = Action(handler=handler, resource=resource, operation="UPDATE", partial=True)
    return {"POST": action, "PATCH": action}


def ok(value: Any) -> web.Response:
    """Answer 200 with JSON."""
    return json_reply(value)


def empty() -> web.Response:
    """Answer 204."""
    return web.Response(status=204)


def refused(status: int, code: str, message: str, **extra: Any) -> Refused:
    """Return the nested envelope `{"error": {"code", "message", ...}}`."""
    return Refused(status, {"error": {"code": code, "message": message, **extra}})


def invalid(fields: Row) -> Refused:
    """Return the validation answer; *fields* holds leaves, nested `fields` or `items`."""
    return refused(400, "validation_failed", "Validation failed", fields=fields)


def bad_field(name: str, code: str, message: str, **extra: Any) -> Refused:
    """Return the validation answer of a single field."""
    return invalid({name: {"code": code, "message": message, **extra}})


def not_found(message: str = "Resource not found") -> Refused:
    return refused(404, "not_found", message)


def denied(message: str = "Access denied") -> Refused:
    return refused(403, "access_denied", message)


def conflict(message: str) -> Refused:
    # The documents give the status and no code.
    return refused(409, "object_in_use", message)


def stamp(moment: datetime) -> str:
    """Return an instant the vendor's way: Moscow time, no offset."""
    return moment.astimezone(MOSCOW).strftime(STAMP)


def moscow_day(moment: datetime) -> date:
    """Return the vendor's day of an instant."""
    return moment.astimezone(MOSCOW).date()


def from_epoch(seconds: float) -> datetime:
    """Return an instant from seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def money(kopecks: int) -> str:
    """Return minor units as the vendor's trimmed decimal string: "64.8", "0"."""
    whole, rest = divmod(abs(kopecks), 100)
    text = f"{whole}.{rest:02}".rstrip("0").rstrip(".")
    return f"-{text}" if kopecks < 0 else text


def decimal_text(value: Decimal) -> str:
    """Return a decimal without trailing zeros or an exponent."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def words(text: str) -> list[str]:
    """Split a comma list; blanks fall out."""
    return [word.strip() for word in text.split(",") if word.strip()]


def integer(text: str, name: str) -> int:
    """Return a whole number of the query."""
    try:
        return int(text)
    except ValueError:
        raise bad_field(name, "bad_value", "An integer is expected") from None


def pick(row: Row, names: Iterable[str]) -> Row:
    """Return some fields of a row, those it has."""
    return {name: row[name] for name in names if name in row}


def none_but(body: Row, known: Iterable[str]) -> Row:
    """Return a body that has no other fields than the known ones."""
    unknown = sorted(set(body) - set(known))
    if unknown:
        raise refused(400, "unknown_resource_field", f"Unknown fields: {', '.join(unknown)}")
    return body


async def read_parts(request: web.Request, body: bytes) -> dict[str, Part]:
    """
    Return the parts of a multipart body by name; nothing for other bodies.

    The server's log has consumed the stream already, hence one of our own.
    """
    if request.content_type != "multipart/form-data":
        return {}
    loop = asyncio.get_running_loop()
    stream = StreamReader(BaseProtocol(loop), limit=len(body) + 1, loop=loop)
    stream.feed_data(body)
    stream.feed_eof()
    parts: dict[str, Part] = {}
    try:
        async for part in MultipartReader(request.headers, stream):
            if isinstance(part, BodyPartReader) and part.name:
                content = bytes(await part.read(decode=True))
                parts[part.name] = Part(filename=part.filename, content=content)
    except (ValueError, AssertionError):
        raise refused(400, "bad_value", "Malformed multipart body") from None
    return parts
