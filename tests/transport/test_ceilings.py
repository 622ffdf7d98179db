"""What an answer may cost."""

import gzip
import zlib

import pytest

from adnet.errors import DecodeError, IncompleteBodyError, TooLargeError
from adnet.transport.ceilings import BodyReader, Ceilings


def gzipped(data: bytes) -> bytes:
    """Without the present second in it: test workers compare the ids of their tests."""
    return gzip.compress(data, mtime=0)


TEXT = b"the rows of a report, " * 500
SMALL = Ceilings(body_bytes=1000, decompressed_bytes=5000)


def read(encoding: str, data: bytes, *, size: int = 7, ceilings: Ceilings | None = None) -> bytes:
    """Feed *data* in pieces of *size* bytes."""
    reader = BodyReader(encoding, ceilings or Ceilings())
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
    return reader.finish()


def raw_deflate(data: bytes) -> bytes:
    """Return *data* deflated without a header, as some servers do."""
    maker = zlib.compressobj(wbits=-15)
    return maker.compress(data) + maker.flush()


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("encoding", "data"),
    [("", TEXT), ("identity", TEXT), ("gzip", gzipped(TEXT)), (" GZip ", gzipped(TEXT)),
     ("x-gzip", gzipped(TEXT)), ("deflate", zlib.compress(TEXT)), ("deflate", raw_deflate(TEXT)),
     ("gzip", gzipped(TEXT[:100]) + gzipped(TEXT[100:])), ("gzip", gzipped(TEXT) + bytes(50))],
)  # fmt: skip
def test_a_body_is_read_whole(encoding, data, size):
    """Whatever its pieces: plain, gzip (also of several members, or padded), deflate with and without header."""
    assert read(encoding, data, size=size) == TEXT


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
def test_an_empty_body_is_empty(encoding):
    """Also where compression was announced."""
    assert read(encoding, b"") == b""


@pytest.mark.parametrize(
    "data",
    [gzipped(TEXT)[:-1], gzipped(TEXT)[:20], gzipped(TEXT) + gzipped(TEXT)[:9]],
)
def test_a_cut_gzip_is_incomplete(data):
    """Rows that are missing are never taken for the end."""
    with pytest.raises(IncompleteBodyError, match="ended before its end"):
        read("gzip", data)


@pytest.mark.parametrize(
    ("encoding", "data"),
    [("gzip", TEXT), ("gzip", gzipped(TEXT) + b"junk"), ("deflate", b"\xff\xff" + TEXT)],
)
def test_what_is_not_compressed_as_promised_cannot_be_read(encoding, data):
    """One typed error."""
    with pytest.raises((DecodeError, IncompleteBodyError)):
        read(encoding, data)


def test_a_damaged_checksum_is_noticed():
    """A flipped bit is no row."""
    damaged = bytearray(gzipped(TEXT))
    damaged[-6] ^= 1
    with pytest.raises(DecodeError, match="not compressed as it says"):
        read("gzip", bytes(damaged))


def test_an_unknown_encoding_is_refused():
    """It was not asked for."""
    with pytest.raises(DecodeError, match="'br'"):
        BodyReader("br", Ceilings())


def test_an_announced_length_is_refused_before_it_is_read():
    """Two gigabytes are not worth one byte of it."""
    reader = BodyReader("", SMALL)
    reader.expect(None)
    reader.expect(1000)
    with pytest.raises(TooLargeError, match="announces 2147483648 bytes"):
        reader.expect(2**31)


def test_a_body_longer_than_the_ceiling_is_refused():
    """Whether or not its length was announced."""
    assert len(read("", bytes(1000), ceilings=SMALL)) == 1000
    with pytest.raises(TooLargeError, match="longer than the ceiling of 1000"):
        read("", bytes(1001), ceilings=SMALL)


@pytest.mark.parametrize("size", [1, 100_000])
def test_a_body_that_expands_too_far_is_refused_early(size):
    """Memory holds no more than the ceiling, however small the bomb."""
    ceilings = Ceilings(body_bytes=10**6, decompressed_bytes=5000)
    assert len(read("gzip", gzipped(bytes(5000)), size=size, ceilings=ceilings)) == 5000
    for bomb in (gzipped(bytes(10**7)), gzipped(bytes(3000)) * 2):
        with pytest.raises(TooLargeError, match="expands to more than the ceiling of 5000"):
            read("gzip", bomb, size=size, ceilings=ceilings)
