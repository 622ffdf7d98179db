"""What an answer may cost."""

import gzip
import json
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.errors import ConfigurationError, DecodeError, IncompleteBodyError, TooLargeError
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
    with pytest.raises(TooLargeError, match="more bytes than the ceiling of 1000"):
        read("", bytes(1001), ceilings=SMALL)


@pytest.mark.parametrize("size", [1, 100_000])
def test_a_body_that_expands_too_far_is_refused_early(size):
    """Memory holds no more than the ceiling, however small the bomb."""
    ceilings = Ceilings(body_bytes=10**6, decompressed_bytes=5000)
    assert len(read("gzip", gzipped(bytes(5000)), size=size, ceilings=ceilings)) == 5000
    for bomb in (gzipped(bytes(10**7)), gzipped(bytes(3000)) * 2):
        with pytest.raises(TooLargeError, match="expands to more bytes than the ceiling of 5000"):
            read("gzip", bomb, size=size, ceilings=ceilings)


def test_two_gigabytes_are_never_taken_in():
    """By default 64 MiB are the most that an answer may have on its way, announced or not."""
    with pytest.raises(TooLargeError, match="2147483648 bytes, above the ceiling of 67108864"):
        BodyReader("", Ceilings()).expect(2 * 2**30)
    reader, block = BodyReader("", Ceilings()), bytes(2**20)  # kept by reference: nothing is allocated
    for _ in range(64):
        reader.feed(block)
    with pytest.raises(TooLargeError, match="raise the account's ceiling `body_bytes`"):
        reader.feed(b"x")


def test_a_bomb_of_four_gigabytes_costs_no_more_memory_than_the_ceiling():
    """What it would expand to is never there."""
    packer = zlib.compressobj()
    head = packer.compress(b"")
    block = packer.compress(bytes(2**22)) + packer.flush(zlib.Z_FULL_FLUSH)
    bomb = head + block * 1000
    assert len(bomb) < Ceilings().body_bytes
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError, match="raise the account's ceiling `decompressed_bytes`"):
            read("deflate", bomb, size=2**16, ceilings=Ceilings(decompressed_bytes=2**20))
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


def depth(value) -> int:
    """Return how deep lists and objects stand in each other."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(depth, inner), default=0)
    return 0


awkward = st.text(st.sampled_from('[]{}"\\/,: aé\n'), max_size=8)
nested = st.recursive(
    st.none() | st.integers() | awkward,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(awkward, inner, max_size=3),
    max_leaves=30,
)


@given(nested, st.integers(1, 6), st.booleans(), st.sampled_from([None, 1]))
def test_the_depth_of_json_is_told_exactly(value, most, ascii_only, indent):
    """Whatever stands in its texts: brackets, quotes, backslashes."""
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    ceilings = Ceilings(json_depth=most)
    if depth(value) <= most:
        ceilings.check_depth(body)
    else:
        with pytest.raises(TooLargeError, match=rf"deeper than the ceiling of {most}; .* `json_depth`"):
            ceilings.check_depth(body)


@given(st.binary(max_size=50) | st.text(st.sampled_from('[]{}"\\ab'), max_size=30).map(str.encode))
def test_what_is_no_json_has_no_depth(body):
    """Reading it says what it is; a ceiling that nothing can reach is never met."""
    Ceilings(json_depth=100).check_depth(body)


def test_a_million_brackets_are_refused_at_once():
    """Closed or not, no decoder goes down into them."""
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        with pytest.raises(TooLargeError):
            Ceilings().check_depth((opening * 10**6 + "1" + closing * 10**6).encode())
        Ceilings().check_depth((opening * 10**6).encode())  # no JSON: there is no end to its depth


@pytest.mark.parametrize(
    "given", [{"page": 5}, {"pages": 0}, {"pages": -1}, {"pages": True}, {"pages": "5"}, {"pages": 1.5}]
)
def test_a_ceiling_is_a_known_name_and_a_whole_number_above_zero(given):
    """Anything else is refused with the account, the name and what would be right."""
    with pytest.raises(ConfigurationError, match=r"account 'shop': (there is no|the) ceiling '?page"):
        Ceilings.checked(given, "shop")


def test_ceilings_that_are_not_given_stay():
    """Each has a default of its own."""
    assert Ceilings.checked({"pages": 7}, "shop") == Ceilings(pages=7)
    assert Ceilings.checked({}, "shop") == Ceilings()
