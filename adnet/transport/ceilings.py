"""What an answer may cost us: bytes on the wire, bytes after decompression."""

import zlib
from typing import Any

import attrs

from adnet.errors import DecodeError, IncompleteBodyError, TooLargeError


@attrs.frozen(kw_only=True)
class Ceilings:
    """Bounds that no server may exceed."""

    body_bytes: int = 64 * 1024 * 1024
    """Of one answer, as it comes over the wire."""
    decompressed_bytes: int = 256 * 1024 * 1024
    """Of one answer, after decompression."""


def _new_inflater(encoding: str, first: int) -> Any:
    wbits = 31 if encoding == "gzip" else 15
    if encoding == "deflate" and first & 15 != 8:
        wbits = -15  # some servers leave out the header that RFC 9110 section 8.4.1.2 asks for
    try:
        from isal import isal_zlib  # a faster zlib, when the user has installed it
    except ImportError:
        return zlib.decompressobj(wbits)
    return isal_zlib.decompressobj(wbits)


def _zlib_errors() -> tuple[Any, ...]:
    try:
        from isal import isal_zlib
    except ImportError:
        return (zlib.error,)
    return (zlib.error, isal_zlib.error)


class BodyReader:
    """Collects one answer's body, decompressing on the way, and refuses what is too large.

    Memory never holds more than the ceiling, however much a small compressed body would expand to.
    """

    __slots__ = ("_ceilings", "_chunks", "_encoding", "_inflater", "_received", "_size")

    def __init__(self, encoding: str, ceilings: Ceilings) -> None:
        encoding = encoding.strip().lower()
        if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise DecodeError(f"the answer has the unknown Content-Encoding {encoding[:40]!r}")
        self._encoding = "" if encoding == "identity" else encoding.removeprefix("x-")
        self._inflater: Any = None
        self._ceilings = ceilings
        self._chunks: list[bytes] = []
        self._received = 0
        self._size = 0

    def expect(self, length: int | None) -> None:
        """Refuse an announced length before any of it is read.

        Raises:
            TooLargeError: If *length* is above the ceiling.
        """
        if length is not None and length > self._ceilings.body_bytes:
            raise TooLargeError(
                f"the answer announces {length} bytes, the ceiling is {self._ceilings.body_bytes}"
            )

    def feed(self, data: bytes) -> None:
        """Take the next bytes off the wire.

        Raises:
            TooLargeError: If a ceiling is met.
            DecodeError: If the bytes are not compressed as promised.
        """
        self._received += len(data)
        if self._received > self._ceilings.body_bytes:
            raise TooLargeError(f"the answer is longer than the ceiling of {self._ceilings.body_bytes} bytes")
        if not self._encoding:
            self._chunks.append(data)
            return
        try:
            while data:
                data = self._inflate(data)
        except _zlib_errors() as error:
            raise DecodeError(f"the answer is not compressed as it says: {error}") from None

    def _inflate(self, data: bytes) -> bytes:
        """Decompress some of *data* and return the rest of it."""
        if self._inflater is None or self._inflater.eof:
            if self._inflater is not None and not data.strip(b"\0"):
                return b""  # padding
            # The first member, or a further one: gzip allows several (RFC 1952 section 2.2). A faster zlib
            # would wait for the rest of a header that is none.
            if self._encoding == "gzip" and data[0] != 0x1F:
                raise DecodeError("the answer is not compressed as it says: it does not begin like gzip")
            self._inflater = _new_inflater(self._encoding, data[0])
        room = self._ceilings.decompressed_bytes - self._size
        self._keep(self._inflater.decompress(data, room + 1))
        rest: bytes = self._inflater.unconsumed_tail or self._inflater.unused_data
        return rest

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._ceilings.decompressed_bytes:
            limit = self._ceilings.decompressed_bytes
            raise TooLargeError(f"the answer expands to more than the ceiling of {limit} bytes")
        self._chunks.append(part)

    def finish(self) -> bytes:
        """Return the whole body.

        Raises:
            IncompleteBodyError: If a compressed body ended before its end.
        """
        if self._inflater is not None and not self._inflater.eof:
            raise IncompleteBodyError("the compressed answer ended before its end")
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
