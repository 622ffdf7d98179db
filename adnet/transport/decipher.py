"""Turns a refused answer into the right error, from tables. A pure function of the answer."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urljoin

import attrs
import msgspec

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
    RateLimitError,
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
_TAGS: Final = re.compile(r"<[^>]*>")


@attrs.frozen(kw_only=True)
class Refusal:
    """What a network said about a refused request, read from its own envelope."""

    code: str | None = None
    message: str | None = None
    fields: Mapping[str, str] = attrs.field(factory=dict)
    error: type[AdnetError] | None = None
    """The error class, where the envelope alone decides it."""


Reader = Callable[[Response], Refusal]


def plain(response: Response) -> Refusal:
    """Read a refusal whose body is a sentence, or nothing worth reading (an HTML page)."""
    text = response.text.strip()
    if text[:1] == "<":
        text = " ".join(_TAGS.sub(" ", text).split())
    return Refusal(message=text or None)


@attrs.frozen(kw_only=True)
class Decipherer:
    """Maps refusals to errors: the vendor's exact code first, then the status, then ApiError."""

    network: str
    scrubber: Scrubber
    read: Reader = plain
    codes: Mapping[str, type[AdnetError]] = attrs.field(factory=dict)
    accepted: Callable[[Response], bool] | None = None
    """Whether a 2xx answer is a good one; some networks send their refusals with status 200."""
    now: Callable[[], datetime] = attrs.field(default=lambda: datetime.now(UTC), repr=False)

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
            "code": refusal.code,
            "request_id": response.headers.get("x-request-id"),
        }
        if isinstance(error, InvalidRequestError) and refusal.fields:
            details["fields"] = {k: self.scrubber.text(v) for k, v in refusal.fields.items()}
        if isinstance(error, RateLimitError | ServerError):
            details["retry_after_s"] = retry_after(response.headers, self.now())
        for name, value in details.items():
            if value is not None:
                setattr(error, name, value)
        return error

    def _by_status(self, status: int) -> type[AdnetError]:
        if status in STATUSES:
            return STATUSES[status]
        return ServerError if status >= 500 else ApiError

    def _redirected(self, response: Response) -> AdnetError:
        target = urljoin(response.url, response.headers.get("location", ""))
        if origin(target) != origin(response.url):
            error: AdnetError = OriginError(
                f"the server redirects to {origin(target)}, which is not the configured origin; not followed",
                origin=origin(target),
            )
        else:
            error = ApiError("the server redirects, which this API does not do; check base_url")
        return error.add_context(network=self.network, status=response.status)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that ``Retry-After`` asks for (a number or an HTTP date), or None."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text)) if float(text) == float(text) else None
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def decode(response: Response, type_: Any = Any, *, scrubber: Scrubber, decoder: Any = None) -> Any:
    """Return the answer's JSON as *type_*, or through a ready msgspec *decoder*.

    Raises:
        SchemaError: JSON of another shape; ``paths`` says where, in the network's own keys.
        DecodeError: No JSON at all, or nested too deeply.
    """
    from adnet.errors import SchemaError

    try:
        return (decoder or msgspec.json.Decoder(type_)).decode(response.body)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `")
        found = SchemaError(scrubber.text(f"the answer has another shape than expected: {text}"))
        found.paths = (path.rstrip("`"),) if path else ("$",)
        found.args = (f"{found.message} at {found.paths[0]}",)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        found = DecodeError(scrubber.text(f"the answer is not JSON: {error}"))  # type: ignore[assignment]
    except RecursionError:
        found = DecodeError("the answer's JSON is nested too deeply")  # type: ignore[assignment]
    found.excerpt = scrubber.excerpt(response.text, _EXCERPT)
    raise found.add_context(status=response.status)


def expired(error: AdnetError) -> bool:
    """Whether another token may help."""
    return isinstance(error, TokenExpiredError)
