"""What goes over the wire, as frozen values, and where to: routes, requests, responses, origins."""

import ipaddress
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, Final, Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import attrs
import msgspec

from adnet.errors import ConfigurationError, InvalidRequestError
from adnet.transport.deadline import current_deadline

Lane = Literal["interactive", "backfill"]
BodyStream = Callable[[], AsyncIterator[bytes]]
"""Gives the body anew each time it is called, so that a refused request can be sent again."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_BEHIND: Final = re.compile(r"[?#]")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@attrs.frozen(kw_only=True)
class Route:
    """The facts of one documented operation; limits, retry, logs and tests all read this value."""

    operation: str
    """``resource.verb``, e.g. ``"transactions.submit"``."""
    method: str
    path: str
    """Template below the base URL, e.g. ``"/transactions/{report_id}"``."""
    idempotent: bool
    """Whether sending it twice does no more than sending it once."""
    buckets: tuple[str, ...] = ("api",)
    """The limits it counts against."""
    cost: int = 1
    timeout_s: float = 60.0
    """For one attempt, from sending to the last byte."""
    source: str = ""
    """Vendor page or document, and whether documented or observed."""

    def fill(self, values: Mapping[str, object]) -> str:
        """Return the path with its placeholders filled in and percent-encoded.

        Raises:
            InvalidRequestError: A value is empty or only dots, so that the path would name something else.
        """
        return _PLACEHOLDER.sub(lambda found: self._part(found[1], str(values[found[1]])), self.path)

    def _part(self, name: str, value: str) -> str:
        if not value.strip("."):
            raise InvalidRequestError(
                f"{name} must not be {value!r}", operation=self.operation, fields={name: "empty or only dots"}
            )
        return quote(value, safe="")


@attrs.frozen(kw_only=True)
class Request:
    """One request, complete but for its credentials."""

    route: Route
    url: str
    """Absolute, encoded, with its query."""
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes | BodyStream | None = attrs.field(default=None, repr=False)
    lane: Lane = "interactive"
    deadline: float | None = attrs.field(factory=current_deadline)
    """Monotonic instant of the injected clock after which nobody waits for the answer; by default that of the
    block in which the request is made."""
    objects: int = 1
    """How many objects it reads or changes, for the ledger."""
    facts: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    """Further facts for the ledger, e.g. ``period_days`` or the names of changed fields."""

    @classmethod
    def build(
        cls,
        route: Route,
        base_url: str,
        *,
        path: Mapping[str, object] | None = None,
        query: Iterable[tuple[str, object]] | Mapping[str, object] = (),
        json: object = None,
        form: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> "Request":
        """Put a request together; at most one of *json* and *form* becomes the body.

        Raises:
            InvalidRequestError: Something in it cannot be written; nothing was sent.
        """
        try:
            url = base_url.rstrip("/") + route.fill(path or {}) + _query(query)
            body, kind = _body(json, form)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            # Half a character, an object that is no JSON. Not the error's own words: they hold the value.
            text = f"something in it cannot be written ({type(error).__name__}); nothing was sent"
            raise InvalidRequestError(text, operation=route.operation) from None
        send = {"Accept": "application/json", **(headers or {}), **kind}
        return cls(route=route, url=url, headers=send, body=body, **rest)

    def changed(
        self, *, headers: Mapping[str, str] | None = None, deadline: float | None = None
    ) -> "Request":
        """Return a copy with other headers or another deadline, in less time than ``attrs.evolve`` takes."""
        return Request(
            route=self.route,
            url=self.url,
            headers=self.headers if headers is None else headers,
            body=self.body,
            lane=self.lane,
            deadline=self.deadline if deadline is None else deadline,
            objects=self.objects,
            facts=self.facts,
        )

    @property
    def target(self) -> str:
        """Path and query, without the origin."""
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def query(self) -> dict[str, str]:
        """The query as a mapping; of repeated names the last counts."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))


@attrs.frozen(kw_only=True)
class Response:
    """One answer, whole."""

    status: int
    url: str
    """Where it came from."""
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """Names in lower case; of repeated ones all values, joined by ``", "``."""
    body: bytes = attrs.field(default=b"", repr=False)
    elapsed_s: float = 0.0

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")


def _query(query: Iterable[tuple[str, object]] | Mapping[str, object]) -> str:
    pairs = query.items() if isinstance(query, Mapping) else query
    given = [(name, str(value)) for name, value in pairs if value is not None]
    return f"?{urlencode(given, quote_via=quote)}" if given else ""


def _body(json: object, form: Mapping[str, object] | None) -> tuple[bytes | None, dict[str, str]]:
    """Return a body, and the header that says what it is."""
    if json is not None:
        return _ENCODER.encode(json), {"Content-Type": "application/json"}
    if form is None:
        return None, {}
    clean = [(name, str(value)) for name, value in form.items() if value is not None]
    body = urlencode(clean, quote_via=quote).encode()
    return body, {"Content-Type": "application/x-www-form-urlencoded"}


def origin(url: str) -> str:
    """Return scheme, host and port of *url*, the port always written out.

    A URL that cannot be read, or that carries a user's name, has an origin that equals no other.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return "invalid:"
    user = "***@" if "@" in parts.netloc else ""
    return f"{parts.scheme}://{user}{parts.hostname or ''}:{port}"


def checked_base_url(url: str) -> str:
    """Return *url* without a trailing slash.

    Raises:
        ConfigurationError: If it is no absolute http(s) URL, carries credentials, or is plain http to
            anything but this machine.
    """
    # What stands before an @ may be a password, what stands behind a ? a token.
    shown = repr(_BEHIND.split(str(url).rpartition("@")[2])[0][:80])
    try:
        parts = urlsplit(str(url))
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")  # a label that is empty or too long is no name that could be looked up
    except ValueError:
        raise ConfigurationError(f"base_url {shown} is not a URL; check its host and port") from None
    if " " in str(url) or not str(url).isprintable():
        raise ConfigurationError(f"base_url {shown} has white space or a sign that does not show in it")
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigurationError(f"base_url {shown} must start with https:// and name a host")
    if "@" in parts.netloc:
        raise ConfigurationError(
            "base_url must not carry a user name or password; use the credentials' own keys"
        )
    if parts.query or parts.fragment:
        raise ConfigurationError(f"base_url of {host} must end with its path; remove what follows ? or #")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigurationError(f"base_url http://{host} would send credentials in the clear; use https://")
    return str(url).rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine itself."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
