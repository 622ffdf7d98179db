"""Report pages: the envelope, where a report is, and the checks that pages belong together."""

import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import attrs
import msgspec

from adnet.connectors.targetcircle.codec import tidy_json
from adnet.errors import DecodeError, PayloadError, SchemaError
from adnet.operations.links import parse_links
from adnet.redact import Scrubber
from adnet.transport.decipher import decode
from adnet.transport.events import note
from adnet.transport.wire import Response


class Envelope(msgspec.Struct):
    """A report's answer. Its ``token`` is a secret and is not read at all."""

    data: msgspec.Raw = msgspec.Raw(b"[]")
    status: str | None = None
    pages: int | None = msgspec.field(name="pagesNumber", default=None)


class ListEnvelope(msgspec.Struct):
    """The answer of the offers report and of codes."""

    data: msgspec.Raw = msgspec.Raw(b"[]")


class Located(msgspec.Struct):
    """What some servers say in the body instead of a Location header."""

    url: str | None = None
    location: str | None = None
    id: str | int | None = None


@attrs.frozen(kw_only=True)
class Ticket:
    """Where a submitted report will be."""

    report_id: str
    url: str
    """Absolute, with its query."""


@attrs.frozen(kw_only=True)
class ReportPage:
    """One page of a report, or the news that it is not ready."""

    report_id: str
    page: int
    status: str
    """``IN_PROGRESS``, ``READY``, ``FAILED``, or a word the document does not know."""
    pages: int
    """Pages in all, from ``pagesNumber`` and the link to the last page; 0 until READY."""
    counted: int = 0
    """The network's ``pagesNumber`` alone; 0 until READY, and where it names none."""
    next: int = 0
    """The page that the link to the next one names; 0 on the last page, and until READY."""
    data: bytes = attrs.field(repr=False)
    """The JSON list of rows, as it came."""

    @property
    def ready(self) -> bool:
        """Whether the rows are there."""
        return self.status == _READY

    @property
    def empty(self) -> bool:
        """Whether it has no rows."""
        return _ANYTHING.search(self.data) is None


_READY: Final = "READY"
_ANYTHING: Final = re.compile(rb"[^\[\] \t\r\n]")
_ENVELOPE: Final = msgspec.json.Decoder(Envelope)
_LIST: Final = msgspec.json.Decoder(ListEnvelope)


def read_ticket(response: Response, submit_url: str, scrubber: Scrubber) -> Ticket:
    """Return where the report will be.

    The header ``Location`` holds a plain URL (documented); a list of links, a ``Link`` header and a body that
    names a URL or an id are accepted too.

    Raises:
        SchemaError: The answer names no place.
    """
    target = (
        parse_links(response.headers.get("location"), submit_url).first
        or parse_links(response.headers.get("link"), submit_url).first
        or _located(response, submit_url)
    )
    report_id = _last_segment(target)
    if not target or not report_id:
        error = SchemaError("the report was accepted, but the answer does not say where it will be")
        error.paths = ("Location",)
        error.excerpt = scrubber.excerpt(response.text, 200)
        raise error
    return Ticket(report_id=report_id, url=target)


def _located(response: Response, submit_url: str) -> str | None:
    try:
        body = msgspec.json.decode(response.body, type=Located)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if found := (body.url or body.location):
        return parse_links(found, submit_url).first
    return f"{submit_url.partition('?')[0].rstrip('/')}/{body.id}" if body.id not in {None, ""} else None


def _last_segment(url: str | None) -> str:
    return urlsplit(url or "").path.rstrip("/").rpartition("/")[2]


def read_page(
    response: Response, report_id: str, page: int, scrubber: Scrubber, *, quoted: bool = True
) -> ReportPage:
    """Return a report's answer. Links count only once the report is READY: before that they are placeholders.

    Raises:
        DecodeError, SchemaError: It cannot be read.
    """
    envelope: Envelope = lenient(response, _ENVELOPE, scrubber, quoted=quoted)
    status = (envelope.status or "").strip().upper()
    data = _rows(envelope.data)
    if status != _READY:
        return ReportPage(report_id=report_id, page=page, status=status, pages=0, data=data)
    # Documented is a list in Location; should that be a plain URL, the list is where it belongs.
    listed = (
        parse_links(response.headers.get(name), response.url).relations for name in ("location", "link")
    )
    relations = next(filter(None, listed), {})
    last, following = (_page_number(relations.get(rel)) for rel in ("last", "next"))
    counted = max(envelope.pages or 0, 0)
    return ReportPage(
        report_id=report_id,
        page=page,
        status=status,
        pages=max(counted, last),
        counted=counted,
        next=following,
        data=data,
    )


def _page_number(url: str | None) -> int:
    value = dict(parse_qsl(urlsplit(url or "").query)).get("page", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 9 else 0


def read_list(response: Response, scrubber: Scrubber) -> bytes:
    """Return the JSON list of an offers or codes answer: below ``data``, or bare."""
    if response.body.lstrip()[:1] == b"[":
        return response.body
    return _rows(lenient(response, _LIST, scrubber).data)


def _rows(data: msgspec.Raw) -> bytes:
    """Return the list of rows as it came; null, which some servers write where there are none, is an empty one."""
    found = bytes(data)
    return b"[]" if found == b"null" else found


def lenient(response: Response, decoder: Any, scrubber: Scrubber, *, quoted: bool = True) -> Any:
    """Decode strictly; where that fails, once more without commas that stand before a closing bracket.

    Source: the document's own samples have such commas (documented); nobody is known to have met them live.
    An answer that is not to be *quoted* in an error has personal data, such as addresses.
    """
    try:
        return _lenient(response, decoder, scrubber)
    except PayloadError as error:
        if not quoted:
            error.excerpt = ""
        raise


def _lenient(response: Response, decoder: Any, scrubber: Scrubber) -> Any:
    try:
        return decode(response, scrubber=scrubber, decoder=decoder)
    except DecodeError:
        tidied = attrs.evolve(response, body=tidy_json(response.body))
        value = decode(tidied, scrubber=scrubber, decoder=decoder)
        note("targetcircle: an answer had commas before closing brackets; they were dropped")
        return value


def stamp(moment: datetime) -> str:
    """Return an instant as this API prints it: UTC, whole seconds, with Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
