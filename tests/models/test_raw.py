"""The network's own object behind a model."""

import pickle
from decimal import Decimal

import pytest

from adnet.errors import DecodeError
from adnet.models import UNSET, Campaign, Raw


def test_raw_is_parsed_when_somebody_looks():
    """A row that nobody looks at costs nothing."""
    raw = Raw(b"{not json")
    with pytest.raises(DecodeError, match="cannot be read"):
        raw["a"]


def test_fractions_are_exact():
    """As the network wrote them, in both directions."""
    raw = Raw(b'{"a": 0.10, "b": 3}')
    assert (raw["a"], raw["b"], str(raw["a"])) == (Decimal("0.10"), 3, "0.10")
    assert Raw({"a": Decimal("0.10")}).json() == '{"a":0.10}'


def test_raw_is_a_mapping_and_equals_one():
    """However it was written."""
    raw = Raw(memoryview(b'{"a": {"b": [1, null]}}'))
    assert raw == {"a": {"b": [1, None]}} == dict(raw)
    assert (len(raw), list(raw), repr(raw)) == (1, ["a"], "Raw({'a': {'b': [1, None]}})")
    assert raw != 5


def test_equal_raws_have_equal_hashes():
    """Also when their texts differ."""
    assert len({Raw(b'{"a": 1}'), Raw(b'{"a":1}'), Raw({"a": 1})}) == 1


def test_raw_cannot_be_changed():
    """It has no way to set a key."""
    with pytest.raises(TypeError):
        Raw()["a"] = 1


def test_json_text_is_the_networks_own():
    """Byte for byte where it came as bytes."""
    assert Raw(b'{"a":  1}').json() == '{"a":  1}'


def test_json_text_of_what_is_no_utf_8_shows_where():
    """A row lands, though a byte that nobody else looked at is none that a text can hold."""
    assert Raw(b'{"a": "\xff", "\xed\xa0\x80": 1}').json() == '{"a": "\ufffd", "\ufffd\ufffd\ufffd": 1}'


def test_what_is_no_object_is_kept_under_value():
    """A list where an object was due is still to be seen."""
    assert Raw(b"[1]") == {"value": [1]}


def test_raw_pickles():
    """Models go to other processes with it."""
    assert pickle.loads(pickle.dumps(Raw({"a": 1}))) == {"a": 1}


def test_raw_takes_no_part_in_comparing_and_printing_models():
    """Two campaigns that say the same are the same."""
    one, other = Campaign(campaign_id="1", name="a", raw=Raw({"x": 1})), Campaign(campaign_id="1", name="a")
    assert one == other
    assert "Raw(" not in repr(one)


def test_unset_is_false_and_not_none():
    """None is a value that can be sent."""
    assert not UNSET
    assert UNSET is not None
    assert repr(UNSET) == "UNSET"
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET
