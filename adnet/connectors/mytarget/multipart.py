"""Bodies of ``multipart/form-data`` (RFC 7578), streamed: a list of users may be larger than memory."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import BinaryIO, Final

import attrs

from adnet.connectors.mytarget.errors import invalid
from adnet.transport.wire import BodyStream

Content = bytes | Path | Callable[[], AsyncIterator[bytes]]
"""A file's bytes, its path, or a function that gives its bytes anew each time it is called."""

_CHUNK: Final = 256 * 1024


@attrs.frozen(kw_only=True)
class Upload:
    """One file to be sent. *filename* must have an extension: the network goes by it."""

    content: Content = attrs.field(repr=False)
    filename: str
    mime_type: str = "application/octet-stream"


def multipart(fields: Mapping[str, str], upload: Upload, *, name: str = "file") -> tuple[str, BodyStream]:
    """Return the Content-Type and the body of a form with *fields* and one file.

    Raises:
        InvalidRequestError: A field or the file's name cannot be written; nothing was sent.
    """
    boundary = secrets.token_hex(16)
    disposition = f'name="{_quoted(name)}"; filename="{_quoted(upload.filename)}"'
    try:
        head = b"".join(_field(boundary, key, value) for key, value in fields.items())
        head += _part(boundary, disposition, upload.mime_type)
    except UnicodeEncodeError:
        raise invalid("a name or the file's name holds half a character", file="cannot be written") from None
    tail = f"\r\n--{boundary}--\r\n".encode()

    async def body() -> AsyncIterator[bytes]:
        yield head
        async for chunk in _chunks(upload.content):
            yield chunk
        yield tail

    return f"multipart/form-data; boundary={boundary}", body


def json_part(value: Mapping[str, object]) -> str:
    """Return *value* as the text of a part that holds JSON."""
    return json.dumps(value, ensure_ascii=False)


def _field(boundary: str, name: str, value: str) -> bytes:
    return _part(boundary, f'name="{_quoted(name)}"') + value.encode() + b"\r\n"


def _part(boundary: str, disposition: str, mime_type: str | None = None) -> bytes:
    kind = f"Content-Type: {mime_type}\r\n" if mime_type else ""
    return f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{kind}\r\n".encode()


def _quoted(text: str) -> str:
    """Return *text* for a quoted parameter, escaped as browsers do it."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


async def _chunks(content: Content) -> AsyncIterator[bytes]:
    if isinstance(content, bytes):
        yield content
    elif isinstance(content, Path):
        file: BinaryIO = await asyncio.to_thread(content.open, "rb")
        try:
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                yield chunk
        finally:
            file.close()
    else:
        async for chunk in content():
            yield chunk
