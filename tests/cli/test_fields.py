"""``FIELD=VALUE``: what a value's text means."""

from datetime import date
from decimal import Decimal

import click
import pytest

from adnet.cli._fields import AD_FIELDS, CAMPAIGN_FIELDS, Assignment, assigned, split_words
from adnet.cli._outcomes import line_of
from adnet.errors import ConfigurationError
from adnet.models import Ad, Campaign, Outcome
from adnet.money import Money

OLD = Campaign(
    campaign_id="1",
    name="a",
    status="paused",
    bid=Money(1, "EUR"),
    targeting={"geo": {"regions": [1], "x": 1}},
)


def value(word, field=None):
    """Return what a word makes of a field."""
    _, pairs = split_words([word])
    return getattr(assigned(OLD, pairs, CAMPAIGN_FIELDS, "EUR"), field or pairs[0].field)


def test_ids_and_assignments_may_stand_in_any_order():
    """Each id counts once; a value may hold anything, also further signs and lines."""
    ids, pairs = split_words(["7", "name=a=b\nc", "8", "7", "a.b-c.d="])
    assert ids == ["7", "8"]
    assert pairs == [Assignment(("name",), "a=b\nc"), Assignment(("a", "b-c", "d"), "")]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("daily_budget=50", Money(50, "EUR")),
        ("daily_budget=12.50", Money("12.50", "EUR")),
        ("bid=0.12 usd", Money("0.12", "USD")),
        ("total_budget=none", None),
        ("daily_budget=0", Money(0, "EUR")),
        ("daily_clicks=500", 500),
        ("total_clicks=None", None),
        ("starts_on=2026-01-31", date(2026, 1, 31)),
        ("ends_on=none", None),
        ("name=none", "none"),
        ("name=", ""),
        ("status=active", "active"),
    ],
)
def test_a_value_is_read_as_its_field_wants_it(word, expected):
    """``none`` takes limits and days away; of a text it is a text."""
    assert value(word) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("targeting.geo.regions=[1, 2]", {"geo": {"regions": [1, 2], "x": 1}}),
        ("targeting.geo.x=0.1", {"geo": {"regions": [1], "x": Decimal("0.1")}}),
        ("targeting.geo.x=null", {"geo": {"regions": [1], "x": None}}),
        ("targeting.sex=MF", {"geo": {"regions": [1], "x": 1}, "sex": "MF"}),
        ("targeting.age.from=18", {"geo": {"regions": [1], "x": 1}, "age": {"from": 18}}),
        ('targeting={"geo": {"x": false}}', {"geo": {"regions": [1], "x": False}}),
        ('targeting.geo.x={"y": 1}', {"geo": {"regions": [1], "x": {"y": 1}}}),
        ("targeting.geo.x=NaN", {"geo": {"regions": [1], "x": "NaN"}}),
        ("targeting.brand=Infinity", {"geo": {"regions": [1], "x": 1}, "brand": "Infinity"}),
        ("targeting.geo.x=[-Infinity]", {"geo": {"regions": [1], "x": "[-Infinity]"}}),
    ],
)
def test_nested_values_are_json_and_keep_their_neighbours(word, expected):
    """What is no JSON is a text; fractions are exact."""
    assert value(word) == expected
    assert OLD.targeting == {"geo": {"regions": [1], "x": 1}}


def test_json_that_is_nested_too_deeply_is_refused():
    """Its reader would give up at another depth on each machine."""
    with pytest.raises(click.UsageError, match="not nested so deeply"):
        value("targeting.x=" + "[" * 100_000)


def test_several_parts_of_one_field_add_up():
    """The second does not undo the first."""
    _, pairs = split_words(["extra.a=1", "extra.b=2"])
    assert assigned(OLD, pairs, CAMPAIGN_FIELDS, None).extra == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("status", "expected"),
    [("active", "active"), ("limited", "limited"), ("paused", "active"), ("pending", "active")],
)
def test_what_runs_already_is_not_resumed(status, expected):
    """A campaign that has met its limit is not paused."""
    thing = Ad(ad_id="1", status=status)
    assert assigned(thing, [Assignment(("status",), "active")], AD_FIELDS, None).status == expected


def test_an_amount_needs_a_currency():
    """It is not guessed."""
    with pytest.raises(ConfigurationError, match="write it: 5 USD"):
        assigned(OLD, [Assignment(("bid",), "5")], CAMPAIGN_FIELDS, None)


def test_an_outcome_that_is_not_known_has_an_error_that_says_so():
    """So that it counts among those that went wrong."""
    line = line_of("7", Outcome(status="unknown"))
    assert (line.outcome, str(line.error)) == ("unknown", "what came of 7 is not known")
