"""Updates that name exactly what changed."""

import json
from datetime import date

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.models import Ad, Campaign, Raw, StatRow, Update
from adnet.money import Money
from adnet.operations.diff import diff

OLD = Campaign(
    campaign_id="7",
    name="spring",
    status="active",
    daily_budget=Money(10, "EUR"),
    starts_on=date(2026, 3, 1),
    targeting={"geo": {"in": ["DE", "FR"], "out": []}, "age": [18, 30], "mobile": True},
)
SCALARS = st.booleans() | st.integers(0, 2) | st.text("ab", max_size=2)
TREES = st.recursive(
    SCALARS | st.lists(SCALARS, max_size=3),
    lambda inner: st.dictionaries(st.text("abc", min_size=1, max_size=1), inner),
)
MAPPINGS = st.dictionaries(st.text("abc", min_size=1, max_size=1), TREES, max_size=3)


def test_only_changed_fields_are_named():
    """With their new values."""
    new = attrs.evolve(OLD, name="summer", status="paused")
    assert diff(OLD, new) == Update("7", {"name": "summer", "status": "paused"}, "campaigns")


def test_no_change_is_an_empty_update():
    """Also after there and back again, and when only read-only fields differ."""
    back = attrs.evolve(attrs.evolve(OLD, name="summer"), name="spring")
    assert not diff(OLD, back)
    assert not diff(OLD, attrs.evolve(OLD, raw=Raw({"a": 1}), status_raw="8", updated_at=None))


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("daily_clicks", 0), ("daily_budget", None), ("targeting", {})]
)
def test_empty_values_set_on_purpose_are_changes(field, value):
    """Nothing is taken for "not given"."""
    changed = diff(OLD, attrs.evolve(OLD, **{field: value})).fields
    assert list(changed) == [field]


def test_nested_edits_name_only_their_own_keys():
    """At any depth; what is gone is None."""
    targeting = {"geo": {"in": ["DE"], "out": []}, "mobile": False, "os": 0}
    assert diff(OLD, attrs.evolve(OLD, targeting=targeting)).fields == {
        "targeting": {"geo": {"in": ["DE"]}, "mobile": False, "os": 0, "age": None}
    }


@pytest.mark.parametrize(
    ("before", "after"), [(False, 0), (1, True), ([True], [1]), ({"a": [0]}, {"a": [False]})]
)
def test_false_is_not_zero(before, after):
    """Equal in Python, and not on the wire."""
    old = attrs.evolve(OLD, targeting={"x": before})
    assert diff(old, attrs.evolve(OLD, targeting={"x": after})).fields
    assert not diff(old, attrs.evolve(OLD, targeting={"x": before}))


def merged(old: dict, change: dict) -> dict:
    """Apply a nested change as a network would."""
    result = {name: value for name, value in old.items() if name not in change}
    for name, value in change.items():
        if isinstance(value, dict) and isinstance(old.get(name), dict):
            result[name] = merged(old[name], value)
        elif value is not None:
            result[name] = value
    return result


@given(MAPPINGS, MAPPINGS)
def test_a_diff_applied_to_the_old_gives_the_new(before, after):
    """Whatever the two are."""
    change = diff(attrs.evolve(OLD, extra=before), attrs.evolve(OLD, extra=after)).fields.get("extra", {})
    assert json.dumps(merged(before, change), sort_keys=True) == json.dumps(after, sort_keys=True)


def test_two_different_objects_are_not_compared():
    """Neither two campaigns nor a campaign and an ad, nor what cannot be changed."""
    with pytest.raises(ValueError, match="7 and 8 are two different campaigns"):
        diff(OLD, attrs.evolve(OLD, campaign_id="8"))
    with pytest.raises(ValueError, match="cannot compare Campaign with Ad"):
        diff(OLD, Ad(ad_id="7"))
    row = StatRow(date=date(2026, 3, 1), level="ad", object_id="1")
    with pytest.raises(ValueError, match="StatRow"):
        diff(row, row)
