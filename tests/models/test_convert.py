"""The strict converter."""

from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest

from adnet.errors import SchemaError
from adnet.models.convert import converter, structure


@attrs.frozen(kw_only=True)
class Inner:
    amount: Decimal
    day: date | None = None


@attrs.frozen(kw_only=True)
class Outer:
    id: str
    count: int = 0
    on: bool = False
    at: datetime | None = None
    inner: Inner | None = None


@pytest.mark.parametrize(
    "data",
    [
        {"id": None},
        {"id": 7},
        {"id": "a", "count": "7"},
        {"id": "a", "count": 3.9},
        {"id": "a", "count": True},
        {"id": "a", "on": "false"},
        {"id": "a", "on": 0},
        {"id": "a", "at": "2026-01-01T00:00:00"},
        {"id": "a", "at": 12},
        {"id": "a", "inner": {"amount": 0.1}},
        {"id": "a", "inner": {"amount": "ten"}},
        {"id": "a", "inner": 5},
        {},
        [],
        None,
    ],
)
def test_another_type_is_an_error_and_never_coerced(data):
    """Cattrs' own defaults would take most of these."""
    with pytest.raises(SchemaError):
        structure(data, Outer)


def test_what_is_right_comes_out_typed():
    """Decimals exact, instants in UTC, unknown keys passed over."""
    data = {
        "id": "a",
        "at": "2026-01-01T02:00:00+02:00",
        "inner": {"amount": "0.10", "day": "2026-01-01"},
        "new": 1,
    }
    expected = Outer(
        id="a", at=datetime(2026, 1, 1, tzinfo=UTC), inner=Inner(amount=Decimal("0.10"), day=date(2026, 1, 1))
    )
    assert expected == structure(data, Outer)


def test_an_error_names_the_key_that_the_user_can_find():
    """Not our attribute, where the two differ."""
    with pytest.raises(SchemaError) as caught:
        structure({"id": "a", "inner": {"amount": 0.5}}, Outer, renames={"amount": "transactionAmount"})
    assert caught.value.paths == ("$.inner.transactionAmount",)


def test_values_come_out_as_json():
    """What is stored can be read back."""
    value = Outer(id="a", at=datetime(2026, 1, 1, tzinfo=UTC), inner=Inner(amount=Decimal("0.10")))
    stored = converter().unstructure(value)
    assert stored["inner"]["amount"] == "0.10"
    assert value == structure(stored, Outer)
