"""Turns a refused answer into the right error, from tables. A pure function of the answer."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urljoin

import attrs
import msgspec

from adnet.clock import SystemClock
from adnet.errors import (
    AccessDeniedError,
    AdnetError,
    ApiError,
    AuthenticationError,
    ConflictError,
    DecodeError,
    InvalidRequestError,
    NotFoundError,
    OriginError,
    PayloadError,
    RateLimitError,
    SchemaError,
    ServerError,
    TokenExpiredError,
)
from adnet.redact import Scrubber
from adnet.transport.wire import Response, origin

STATUSES: Final[Mapping[int, type[ApiError]]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: AccessDeniedError,
    404: NotFoundError,
    408: ServerError,
    409: ConflictError,
    410: NotFoundError,
    413: InvalidRequestError,
    422: InvalidRequestError,
    425: RateLimitError,
    429: RateLimitError,
    500: ServerError,
    502: ServerError,
    503: ServerError,
    504: ServerError,
}
"""What a status means where the vendor's own code says nothing better."""

_EXCERPT: Final = 300
_TITLE: Final = 80
_READ: Final = 65_536
_LONG: Final = 4096
_NUMBER: Final = re.compile(r"-?\d+(\.\d*)?", re.ASCII)
_YEAR_S: Final = 366 * 86_400.0
_TAGS: Final = re.compile(r"<[^<>]*>")


@attrs.frozen(kw_only=True)
class Refusal:
    """What a network said about a refused request, read from its own envelope."""

    code: str | None = None
    subcode: str | None = None
    """A narrower code, where the network has two."""
    message: str | None = None
    fields: Mapping[str, str] = attrs.field(factory=dict)
    error: type[AdnetError] | None = None
    """The error class, where the envelope alone decides it."""


Reader = Callable[[Response], Refusal]


def plain(response: Response) -> Refusal:
    """Read a refusal whose body is a sentence, or nothing worth reading (an HTML page)."""
    text = _beginning(response).strip()
    if text[:1] == "<":
        text = " ".join(_TAGS.sub(" ", text).split())
        if len(response.body) > _READ:
            # The page goes on: the last word may be half a secret, which nobody would recognise.
            text = text.rpartition(" ")[0] or text[:-_LONG]
    return Refusal(message=text or None)


def _beginning(response: Response) -> str:
    """Return so much of an answer as a sentence is looked for in; the whole may be as large as a ceiling."""
    return response.body[:_READ].decode("utf-8", "replace")


@attrs.frozen(kw_only=True)
class Decipherer:
    """Maps refusals to errors: the vendor's exact code first, then the status, then ApiError."""

    network: str
    scrubber: Scrubber
    read: Reader = plain
    codes: Mapping[str, type[AdnetError]] = attrs.field(factory=dict)
    accepted: Callable[[Response], bool] | None = None
    """Whether a 2xx answer is a good one; some networks send their refusals with status 200."""
    now: Callable[[], datetime] = attrs.field(default=SystemClock().now, repr=False)

    def error(self, response: Response) -> AdnetError | None:
        """Return the error that the answer amounts to, or None for a good answer."""
        if 200 <= response.status < 300:
            if self.accepted is None or self.accepted(response):
                return None
        elif 300 <= response.status < 400:
            return self._redirected(response)
        refusal = self.read(response)
        kind = refusal.error or self.codes.get(refusal.code or "") or self._by_status(response.status)
        message = refusal.message or f"refused with HTTP status {response.status}"
        error = kind(self.scrubber.excerpt(message, _EXCERPT))
        details: dict[str, Any] = {
            "network": self.network,
            "status": response.status,
            "code": self._clean(refusal.code),
            "request_id": self._clean(response.headers.get("x-request-id")),
        }
        if isinstance(error, ApiError):
            details["subcode"] = self._clean(refusal.subcode)
            details["fields"] = {k: self.scrubber.text(v) for k, v in refusal.fields.items()}
        if isinstance(error, RateLimitError | ServerError):
            details["retry_after_s"] = retry_after(response.headers, self.now())
        for name, value in details.items():
            if value is not None:
                setattr(error, name, value)
        return error

    def _clean(self, text: str | None) -> str | None:
        return self.scrubber.excerpt(text, _EXCERPT) if text else None

    def _by_status(self, status: int) -> type[AdnetError]:
        if status in STATUSES:
            return STATUSES[status]
        return ServerError if status >= 500 else ApiError

    def _redirected(self, response: Response) -> AdnetError:
        try:
            target = urljoin(response.url, response.headers.get("location", ""))
        except ValueError:
            target = ""
        if origin(target) != origin(response.url):
            error: AdnetError = OriginError(
                f"the server redirects to {origin(target)}, which is not the configured origin; not followed",
                origin=origin(target),
            )
        else:
            error = ApiError("the server redirects, which this API does not do; check base_url")
        return error.add_context(network=self.network, status=response.status)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that ``Retry-After`` asks for (a number or an HTTP date), or None.

    A date is the server's: it is weighed against the answer's own ``Date``, and against *now* only where that is
    missing, so that a clock that is wrong on either side neither hurries nor delays us. Never less than zero nor
    more than a year.
    """
    text = headers.get("retry-after", "").strip()
    if _NUMBER.fullmatch(text):
        seconds = float(text)
    elif (moment := _http_date(text)) is not None:
        seconds = (moment - (_http_date(headers.get("date", "")) or now)).total_seconds()
    else:
        return None
    return min(max(0.0, seconds), _YEAR_S)


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def decode(response: Response, type_: Any = Any, *, scrubber: Scrubber, decoder: Any = None) -> Any:
    """Return the answer's JSON as *type_*, or through a ready msgspec *decoder*.

    Raises:
        SchemaError: JSON of another shape; ``paths`` says where, in the network's own keys.
        DecodeError: No JSON at all, or nested too deeply.
    """
    found: PayloadError
    try:
        return (decoder or msgspec.json.Decoder(type_)).decode(response.body)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `")
        where = path.rstrip("`") or "$"
        found = SchemaError(scrubber.text(f"the answer has another shape than expected: {text} at {where}"))
        found.paths = (where,)
    except (msgspec.DecodeError, ValueError) as error:
        found = DecodeError(_no_json(response, scrubber) or scrubber.text(f"the answer is not JSON: {error}"))
    except RecursionError:
        found = DecodeError("the answer's JSON is nested too deeply")
    found.excerpt = scrubber.excerpt(_beginning(response), _EXCERPT)
    raise found.add_context(status=response.status)


def _no_json(response: Response, scrubber: Scrubber) -> str:
    """Return what an answer that is no JSON is, where it is something that people know."""
    begins = response.body[:_READ].strip()
    if not begins and not response.body.strip():
        return "the answer is empty"
    if not begins.startswith(b"<"):
        return ""
    said = scrubber.excerpt(plain(response).message or "", _TITLE)
    return f"the answer is a page, not JSON; check base_url. The page says: {said or 'nothing'}"


def expired(error: AdnetError) -> bool:
    """Whether another token may help."""
    return isinstance(error, TokenExpiredError)
