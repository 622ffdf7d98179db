"""Old and new models to what exactly changed."""

import attrs
import pytest

from adnet.models import Ad, Campaign, Raw, Update
from adnet.money import Money
from adnet.operations.diff import diff

OLD = Campaign(
    campaign_id="7",
    name="Shoes",
    status="active",
    daily_budget=Money(50, "EUR"),
    targeting={"geo": {"regions": [188], "exclude": False}, "sex": "MF", "age": None},
    extra={"flags": {"autobid": True, "count": 1}},
)


def changed(**fields):
    return diff(OLD, attrs.evolve(OLD, **fields)).fields


def targeted(**targeting):
    return changed(targeting={**OLD.targeting, **targeting})


def test_only_changed_fields_are_named():
    """With the object they belong to."""
    new = attrs.evolve(OLD, name="Boots", status="paused")
    assert diff(OLD, new) == Update("7", {"name": "Boots", "status": "paused"}, "campaigns")


def test_of_nested_values_only_the_changed_keys_are_named():
    """At any depth."""
    assert targeted(geo={"regions": [188, 1], "exclude": False}) == {
        "targeting": {"geo": {"regions": [188, 1]}}
    }


def test_a_key_that_is_gone_is_named_with_none():
    """So that the network can be told to forget it."""
    assert changed(targeting={"geo": OLD.targeting["geo"], "age": None}) == {"targeting": {"sex": None}}


def test_a_new_key_is_named_whole():
    """There is nothing to compare it with."""
    assert targeted(pads=[1, 2]) == {"targeting": {"pads": [1, 2]}}


@pytest.mark.parametrize("value", [False, 0, "", [], None, {}])
def test_empty_values_set_on_purpose_are_changes(value):
    """They are sent like any other."""
    assert targeted(sex=value) == {"targeting": {"sex": value}}


@pytest.mark.parametrize(
    ("key", "value"), [("autobid", 1), ("count", True), ("autobid", 0), ("count", False)]
)
def test_true_is_not_one(key, value):
    """They are two things on the wire."""
    flags = {**OLD.extra["flags"], key: value}
    assert changed(extra={"flags": flags}) == {"extra": {"flags": {key: value}}}


def test_there_and_back_is_no_change():
    """A, B, A sends nothing."""
    there = attrs.evolve(OLD, name="Boots", targeting={})
    back = attrs.evolve(there, name="Shoes", targeting={**OLD.targeting})
    assert not diff(OLD, back)


def test_equal_amounts_are_no_change():
    """However many zeros are written."""
    assert changed(daily_budget=Money("50.00", "EUR")) == {}
    assert changed(daily_budget=Money(50, "USD")) == {"daily_budget": Money(50, "USD")}


@pytest.mark.parametrize("field", ["raw", "status_raw", "created_at", "updated_at"])
def test_what_only_the_network_writes_is_no_change(field):
    """It would be refused, or ignored."""
    assert changed(**{field: Raw({"x": 1})}) == {}


def test_ads_are_compared_too():
    """And say that they are ads."""
    old = Ad(ad_id="1", title="a")
    assert diff(old, attrs.evolve(old, title="b")) == Update("1", {"title": "b"}, "ads")


@pytest.mark.parametrize("other", [attrs.evolve(OLD, campaign_id="8"), Ad(ad_id="7"), "7"])
def test_two_things_are_not_compared(other):
    """One cannot become the other."""
    with pytest.raises(ValueError, match=r"cannot compare|are two different"):
        diff(OLD, other)


def test_what_is_no_object_is_not_compared():
    """Not even with itself."""
    with pytest.raises(ValueError, match="cannot compare str with str"):
        diff("7", "7")


@pytest.mark.parametrize("part", ["targeting", "tracking", "extra"])
def test_an_edit_in_place_is_found(part):
    """A copy of a campaign has its own mappings, at any depth: what is put into them changes the copy alone."""
    old = attrs.evolve(OLD, **{part: {"geo": {"regions": [1]}}})
    new = attrs.evolve(old)
    getattr(new, part)["geo"]["regions"].append(2)
    assert dict(diff(old, new).fields) == {part: {"geo": {"regions": [1, 2]}}}


def test_an_edit_within_a_tuple_is_found():
    """A tuple cannot be changed, but what is in it can."""
    old = attrs.evolve(OLD, extra={"prices": ({"region": 1},)})
    new = attrs.evolve(old)
    new.extra["prices"][0]["region"] = 2
    assert dict(diff(old, new).fields) == {"extra": {"prices": ({"region": 2},)}}


def test_an_edit_in_place_of_an_ad_is_found():
    """As of a campaign."""
    old = Ad(ad_id="1", extra={"locations": [1]})
    new = attrs.evolve(old)
    new.extra["locations"].append(2)
    assert dict(diff(old, new).fields) == {"extra": {"locations": [1, 2]}}
