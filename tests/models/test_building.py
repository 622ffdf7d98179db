"""Fast constructors give the very objects that the classes give."""

import pickle
from datetime import UTC, datetime
from decimal import Decimal

import attrs
import pytest

from adnet.models import Transaction
from adnet.models.building import build_money, positional
from adnet.money import Money


def test_built_money_equals_money():
    """What is built unchecked is equal to, hashes like and pickles like what the class makes."""
    built = build_money(Decimal("12.50"), "EUR")
    assert Money("12.50", "EUR") == built
    assert hash(Money("12.50", "EUR")) == hash(built)
    assert pickle.loads(pickle.dumps(built)) == built
    assert type(built) is Money


def test_built_row_is_frozen():
    """A built row cannot be changed, like any other model."""
    fields = attrs.fields(Transaction)
    values = {field.name: None if field.default is attrs.NOTHING else field.default for field in fields}
    values |= {"transaction_id": "one", "occurred_at": datetime(2026, 1, 1, tzinfo=UTC)}
    built = positional(Transaction)(*values.values())
    assert Transaction(**values) == built
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        built.status = "paid"


def test_class_with_a_slot_for_weak_references_is_refused():
    """The trick needs one layout; a class that has another is named when the program starts."""
    with pytest.raises(TypeError, match="weakref_slot"):
        positional(attrs.frozen(type("Weak", (), {"__annotations__": {"a": int}})))
