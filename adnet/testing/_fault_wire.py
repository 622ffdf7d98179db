"""HTTP/1.1 as the fault proxy needs it: whole messages in, bytes out, nothing hidden."""

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

import attrs

_MOST_BODY: Final = 64 * 1024 * 1024
_BODYLESS: Final = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
#: Headers that belong to one connection or to the bytes of one body; each side gets its own.
_OWN: Final = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
Headers = tuple[tuple[str, str], ...]


@attrs.frozen(kw_only=True)
class Asked:
    """One request, whole, as it came from the client."""

    method: str
    target: str
    """Path and query, as sent."""
    headers: Headers = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)

    @property
    def path(self) -> str:
        """The path, without the query."""
        return self.target.partition("?")[0]

    def forwarded(self, host: str) -> bytes:
        """Return the bytes for the server at *host*; it is asked for a plain body and one answer."""
        kept = [
            (name, value)
            for name, value in self.headers
            if name.lower() not in _OWN | {"accept-encoding", "host"}
        ]
        own = [("Host", host), ("Connection", "close")]
        if self.body or self.method in {"POST", "PUT", "PATCH"}:
            own.append(("Content-Length", str(len(self.body))))
        return _head(f"{self.method} {self.target} HTTP/1.1", [*own, *kept]) + self.body


@attrs.frozen(kw_only=True)
class Answered:
    """One answer, whole."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def head(self, *, length: int | None, chunked: bool = False, close: bool = False) -> bytes:
        """Return status line and headers; *length* is what they announce."""
        own = [] if length is None else [("Content-Length", str(length))]
        if chunked:
            own.append(("Transfer-Encoding", "chunked"))
        if close:
            own.append(("Connection", "close"))
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = "Unknown"
        return _head(f"HTTP/1.1 {self.status} {phrase}", [*self.headers, *own])

    def with_header(self, name: str, value: str) -> "Answered":
        """Return the answer with one header set, whatever it was before."""
        kept = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        return attrs.evolve(self, headers=(*kept, (name, value)))


def chunk(data: bytes) -> bytes:
    """Return one chunk of a chunked body."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _head(start: str, headers: Sequence[tuple[str, str]]) -> bytes:
    lines = [start, *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def read_asked(reader: asyncio.StreamReader) -> Asked | None:
    """Return the next request of a connection; None when the client has gone."""
    try:
        start, headers = await _read_head(reader)
        method, target, _ = start.split(" ", 2)
        body = await _read_body(reader, dict(_lower(headers)), to_end=False)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
        return None
    return Asked(method=method, target=target, headers=headers, body=body)


async def read_answered(reader: asyncio.StreamReader, method: str) -> Answered:
    """Return the answer to a request of *method*.

    Raises:
        ConnectionError: The server sent less than a whole answer.
    """
    try:
        start, headers = await _read_head(reader)
        status = int(start.split(" ", 2)[1])
        bare = method == "HEAD" or status in _BODYLESS
        body = b"" if bare else await _read_body(reader, dict(_lower(headers)), to_end=True)
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
        raise ConnectionError(f"the server gave no whole answer: {error!r}") from None
    kept = tuple((name, value) for name, value in headers if name.lower() not in _OWN)
    return Answered(status=status, headers=kept, body=body)


async def _read_head(reader: asyncio.StreamReader) -> tuple[str, Headers]:
    text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    start, *lines = text.strip("\r\n").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return start, tuple((name.strip(), value.strip()) for name, _, value in pairs)


def _lower(headers: Headers) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers]


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str], *, to_end: bool) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    if "content-length" in headers:
        length = int(headers["content-length"])
        if length > _MOST_BODY:
            raise ValueError(f"a body of {length} bytes is too long for this proxy")
        return await reader.readexactly(length)
    return await reader.read() if to_end else b""


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
        if len(body) > _MOST_BODY:
            raise ValueError("a chunked body is too long for this proxy")
    while (await reader.readline()).strip():
        pass  # trailers
    return bytes(body)
