"""What went wrong, and whether it may be tried again.

The class says *what* went wrong, the flag ``temporary`` says whether the same call may succeed later. Nothing
here imports anything of adnet, so that every floor can raise these.

    AdnetError
    |- ConfigurationError (ValueError)
    |  |- UnknownNetworkError (LookupError)
    |  '- CredentialsError
    |- UnsupportedError
    |- UnsafePlanError
    |- OriginError
    |- StateError
    |- SinkError
    |- TransportError
    |  |- ConnectError (ConnectionError)
    |  |- RequestTimeoutError (TimeoutError)
    |  |- IncompleteBodyError
    |  '- LostReplyError
    |- PayloadError
    |  |- DecodeError
    |  |- SchemaError
    |  '- TooLargeError
    |- ApiError
    |  |- AuthenticationError
    |  |  |- TokenExpiredError
    |  |  '- TokenRevokedError
    |  |- TokenLimitError
    |  |- AccessDeniedError
    |  |- NotFoundError
    |  |- ConflictError
    |  |- InvalidRequestError
    |  |- PolicyViolationError
    |  |- RateLimitError
    |  |- QuotaExhaustedError
    |  '- ServerError
    |- JobError
    |  |- JobFailedError
    |  |- JobExpiredError
    |  |- JobTimeoutError
    |  '- TruncatedReportError
    '- BatchError (ExceptionGroup)
"""

import copy
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self


class AdnetError(Exception):
    """Base of every error that adnet raises on purpose.

    The message is the one positional argument; everything else is optional, so that each error pickles. No
    attribute ever holds a secret: texts that come from a server are scrubbed before they reach an error.
    """

    #: Whether the same call may succeed later without any change.
    temporary: bool = False
    #: Whether the network may have executed the call all the same: by the last send, or by one before it.
    maybe_executed: bool = False
    #: The ad or affiliate network, e.g. ``"targetcircle"``.
    network: str | None = None
    #: The account's name in the configuration.
    account: str | None = None
    #: The operation of the route, e.g. ``"transactions.submit"``.
    operation: str | None = None
    #: The HTTP status of the last answer.
    status: int | None = None
    #: The vendor's own error code.
    code: str | None = None
    #: The vendor's request id, which its support asks for.
    request_id: str | None = None
    #: How often the call was sent; 0 when it was refused before any request.
    attempts: int = 0
    #: Seconds spent waiting (limits and retries) before this error.
    waited_s: float = 0.0

    def __init__(self, message: str = "", **details: Any) -> None:
        super().__init__(message)
        for name, value in details.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no attribute {name!r}")
            if value is not None:
                setattr(self, name, value)

    @property
    def message(self) -> str:
        """The sentence alone, without network, operation and codes."""
        return str(self.args[0]) if self.args else ""

    def add_context(self, **details: Any) -> Self:
        """Fill in those *details* that are not known yet, and return the same error."""
        for name, value in details.items():
            if not getattr(self, name, None):
                setattr(self, name, value)
        return self

    def of_account(self, name: str) -> Self:
        """Fill in the account's name, unless the message says it already, and return the same error."""
        return self if repr(name) in self.message else self.add_context(account=name)

    def copied(self) -> Self:
        """Return the same error for another caller: each writes its own context and notes into it."""
        other = copy.copy(self)
        other.__cause__ = self.__cause__
        if hasattr(self, "__notes__"):
            other.__notes__ = list(self.__notes__)
        return other

    def __str__(self) -> str:
        where = " ".join(part for part in (self.account or self.network, self.operation) if part)
        known = [
            f"HTTP {self.status}" if self.status else "",
            f"code {self.code}" if self.code else "",
            f"request {self.request_id}" if self.request_id else "",
            f"{self.attempts} attempts" if self.attempts > 1 else "",
            f"waited {self.waited_s:.1f} s" if self.waited_s >= 0.1 else "",
        ]
        tail = ", ".join(part for part in known if part)
        text = f"{where}: {_one_line(self.message)}" if where else _one_line(self.message)
        return f"{text} ({tail})" if tail else text


def _one_line(text: str) -> str:
    """Return *text* without line ends and control characters: servers write into logs and terminals here."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


class ConfigurationError(AdnetError, ValueError):
    """The configuration or an argument is wrong; nothing was sent."""


class UnknownNetworkError(ConfigurationError, LookupError):
    """No connector has this name; the message lists near names and broken plug-ins."""


class CredentialsError(ConfigurationError):
    """Credentials are missing or malformed; nothing was sent."""


class UnsupportedError(AdnetError):
    """The network cannot serve this call; raised before any request."""

    #: Networks that can serve it.
    instead: tuple[str, ...] = ()


class UnsafePlanError(AdnetError):
    """A plan would change more than the configured share; pass ``force`` to go on."""

    #: What the plan counts, e.g. ``{"budget_change": "0.40"}``.
    counts: Mapping[str, Any] = {}
    #: What is allowed.
    limits: Mapping[str, Any] = {}


class OriginError(AdnetError):
    """A server named a URL on another origin; it was not requested and no credential left."""

    #: The refused origin, e.g. ``"http://elsewhere.example"``.
    origin: str | None = None


class StateError(AdnetError):
    """The state store is locked, corrupt, readable by others, or of a newer format."""


class SinkError(AdnetError):
    """Rows could not be landed; what had landed before stays."""


class TransportError(AdnetError):
    """No usable answer came back."""

    temporary = True
    maybe_executed = True


class ConnectError(TransportError, ConnectionError):
    """No connection could be made; nothing was executed."""

    maybe_executed = False


class RequestTimeoutError(TransportError, TimeoutError):
    """No answer in time; the request may have been executed, unless it was never sent."""

    #: Whether the request left this machine; False when the time was up before.
    sent: bool = True

    def __init__(self, message: str = "", *, sent: bool = True, **details: Any) -> None:
        super().__init__(message, sent=sent, maybe_executed=sent, **details)


class IncompleteBodyError(TransportError):
    """The answer ended before its end."""


class LostReplyError(TransportError):
    """The reply to a write was lost: it may have been executed. It is never sent again by itself."""

    temporary = False


class PayloadError(AdnetError):
    """An answer that cannot be read, or a value of it that no column can hold."""

    maybe_executed = True

    #: The first characters of the answer, scrubbed.
    excerpt: str = ""


class DecodeError(PayloadError):
    """Not JSON, CSV or gzip as promised."""


class SchemaError(PayloadError):
    """JSON of another shape than expected."""

    #: Where, in the network's own key names, e.g. ``"$.data[3].saved"``.
    paths: tuple[str, ...] = ()


class TooLargeError(PayloadError):
    """An answer above a ceiling: bytes, decompressed bytes, depth or number of pages."""


class ApiError(AdnetError):
    """The network understood and refused."""

    #: The vendor's narrower code beside ``code``, e.g. of the first field that it refuses.
    subcode: str | None = None
    #: Field name -> what is wrong with it.
    fields: Mapping[str, str] = {}


class AuthenticationError(ApiError):
    """The credentials were refused."""


class TokenExpiredError(AuthenticationError):
    """The access token is no longer valid; a refreshed one may be tried once."""

    temporary = True


class TokenRevokedError(AuthenticationError):
    """The user took the permission back: the account is stopped until a new login."""


class TokenLimitError(ApiError):
    """The network will issue no further token for this account."""


class AccessDeniedError(ApiError):
    """These credentials may not do this."""


class NotFoundError(ApiError):
    """No such object."""


class ConflictError(ApiError):
    """The object is in use, or exists already."""


class InvalidRequestError(ApiError):
    """A value is not accepted, by the network or by its documented rules before sending."""


class PolicyViolationError(ApiError):
    """An advertising policy forbids it."""


class RateLimitError(ApiError):
    """Too many requests, or a wait that would be longer than allowed."""

    temporary = True
    #: Seconds after which it is worth trying again.
    retry_after_s: float | None = None
    #: The instant at which there is room again.
    free_at: datetime | None = None
    #: The limit that was met, e.g. ``"partner/reports"``.
    scope: str | None = None


class QuotaExhaustedError(ApiError):
    """A long window is used up, or the method is closed to this account; never slept on."""

    #: When the window ends; None when it never will.
    resets_at: datetime | None = None
    #: The limit that was met.
    scope: str | None = None


class ServerError(ApiError):
    """The network failed on its side."""

    temporary = True
    maybe_executed = True
    #: Seconds after which the server said it is worth trying again.
    retry_after_s: float | None = None


class JobError(AdnetError):
    """A report job did not end well."""

    #: The job's id in the journal.
    job_id: str | None = None
    #: The report's id at the network.
    report_id: str | None = None


class JobFailedError(JobError):
    """The network said that there will be no report, also when asked again."""


class JobExpiredError(JobError):
    """The report vanished or changed while it was read; no mixed rows were delivered."""

    temporary = True


class JobTimeoutError(JobError):
    """The report was not ready in time; it can be resumed."""

    temporary = True


class TruncatedReportError(JobError):
    """A report met the network's row limit and its window cannot be split further."""

    #: First instant of the window that does not fit.
    since: datetime | None = None
    #: End of that window, exclusive.
    until: datetime | None = None


class BatchError(ExceptionGroup[AdnetError], AdnetError):
    """Some items of a batch failed; one child for each, its index as a note."""

    def __new__(cls, message: str, exceptions: Sequence[AdnetError]) -> Self:
        """Build the group; plain ``ExceptionGroup`` semantics."""
        return super().__new__(cls, message, exceptions)

    def __init__(self, message: str, exceptions: Sequence[AdnetError]) -> None:
        super().__init__(message, exceptions)

    def derive(self, excs: Sequence[AdnetError]) -> "BatchError":  # type: ignore[override]
        """Return a group of the same kind; used by ``split`` and ``except*``."""
        return BatchError(self.message, excs)

    def __str__(self) -> str:
        return f"{_one_line(self.message)} ({len(self.exceptions)} failed)"
