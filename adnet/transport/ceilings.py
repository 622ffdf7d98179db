"""What a server may cost us: bytes on the wire and after decompression, depth, pages, waits."""

import re
import zlib
from collections.abc import Mapping
from itertools import accumulate
from typing import Any, Final, Self

import attrs

from adnet.errors import ConfigurationError, DecodeError, IncompleteBodyError, TooLargeError
from adnet.hints import hint

_STRING: Final = re.compile(rb'"[^"]*"?')
_FOLDED: Final = bytes.maketrans(b"{}", b"[]")
_STEPS: Final = {ord("["): 1, ord("]"): -1}
_LITTLE: Final = 4096
"""Counting brackets is worth while in so few bytes; in more there are more than the ceiling anyway."""
_USUAL_DEPTH: Final = 8
"""Level by level is the fastest way down to here."""
_UNMARKED: Final = bytes(set(range(256)) - set(b'[]{}"'))
_MANY_QUOTES: Final = b'"' * 16
"""An even number; to take many away at once is five times as fast as pair by pair."""


@attrs.frozen(kw_only=True)
class Ceilings:
    """Bounds that no server may exceed, each a number above zero."""

    body_bytes: int = 64 * 1024 * 1024
    """Of one answer, as it comes over the wire."""
    decompressed_bytes: int = 256 * 1024 * 1024
    """Of one answer, after decompression."""
    json_depth: int = 100
    """How deep the lists and objects of one answer stand in each other."""
    pages: int = 100_000
    """Of one list or report."""
    retry_after_s: int = 300
    """Of the wait that a server asks for; where it asks for more, its refusal rises at once."""
    wait_s: int = 3600
    """Of the wait for room within the limits; a call that would wait longer is refused at once."""
    report_s: int = 900
    """Of the wait for a report, from asking for it to its being ready."""

    @classmethod
    def checked(cls, given: Mapping[str, object], account: str) -> Self:
        """Return the ceilings that a user gave for *account*, the others as they are.

        Raises:
            ConfigurationError: A name is not known, or a value is no whole number above zero.
        """
        known = [field.name for field in attrs.fields(cls)]
        for name, value in given.items():
            if name not in known:
                what = f"account {account!r}: there is no ceiling {name!r}"
                raise ConfigurationError(f"{what}; {hint(name, known)}")
            if type(value) is not int or value < 1:
                raise ConfigurationError(
                    f"account {account!r}: the ceiling {name} must be a whole number above zero"
                )
        return cls(**given)  # type: ignore[arg-type]

    def check_depth(self, body: bytes) -> None:
        """Refuse JSON that is nested too deeply, before anything goes down into it.

        What is no JSON passes: reading it tells what it is.

        Raises:
            TooLargeError: If lists and objects stand deeper in each other than the ceiling.
        """
        if len(body) < _LITTLE and body.count(b"{") + body.count(b"[") <= self.json_depth:
            return
        if b"\\" in body:
            body = body.replace(rb"\\", b"").replace(rb"\"", b"")
        # Quotes that touch are an empty text, or end one and begin the next: without them all else stays as it was.
        marks = body.translate(_FOLDED, _UNMARKED).replace(_MANY_QUOTES, b"").replace(b'""', b"")
        if b'"' in marks:
            marks = _STRING.sub(b"", marks)  # texts with brackets in them
        left = self.json_depth
        while left and left > self.json_depth - _USUAL_DEPTH:
            outer = marks.replace(b"[]", b"")
            if len(outer) == len(marks):
                return
            marks, left = outer, left - 1
        if b"[]" in marks and max(accumulate(map(_STEPS.__getitem__, marks))) > left:
            raise self.above("the answer's JSON is nested deeper than", "json_depth")

    def check_pages(self, count: int) -> None:
        """Refuse a list or report of *count* pages or more.

        Raises:
            TooLargeError: If that is above the ceiling.
        """
        if count > self.pages:
            raise self.above("there are more pages than", "pages")

    def above(self, what: str, name: str) -> TooLargeError:
        """Return the error for *what* is above the ceiling called *name*."""
        most = getattr(self, name)
        return TooLargeError(
            f"{what} the ceiling of {most}; ask for less, or raise the account's ceiling `{name}`"
        )


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
            raise self._ceilings.above(f"the answer announces {length} bytes, above", "body_bytes")

    def feed(self, data: bytes) -> None:
        """Take the next bytes off the wire.

        Raises:
            TooLargeError: If a ceiling is met.
            DecodeError: If the bytes are not compressed as promised.
        """
        self._received += len(data)
        if self._received > self._ceilings.body_bytes:
            raise self._ceilings.above("the answer has more bytes than", "body_bytes")
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
            raise self._ceilings.above("the answer expands to more bytes than", "decompressed_bytes")
        self._chunks.append(part)

    def finish(self) -> bytes:
        """Return the whole body.

        Raises:
            IncompleteBodyError: If a compressed body ended before its end.
        """
        if self._inflater is not None and not self._inflater.eof:
            raise IncompleteBodyError("the compressed answer ended before its end")
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
