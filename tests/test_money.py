"""Exact amounts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.money import Money, exact

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**12), max_value=10**12)


@pytest.mark.parametrize(
    "value", [1.5, True, None, b"1", "abc", "", "0_5", "NaN", "-Infinity", Decimal("NaN"), [1]]
)
def test_what_is_no_exact_finite_number_is_refused(value):
    """A float has lost digits already; NaN and infinity are no amounts."""
    with pytest.raises(ValueError, match="not"):
        exact(value)


@pytest.mark.parametrize("text", ["1e999999", "1e-999999", "-1e400"])
def test_a_number_that_no_amount_can_be_is_refused(text):
    """Printing such a number would take memory without end."""
    with pytest.raises(ValueError, match="not an amount"):
        exact(text)


def test_digits_are_kept_as_they_are():
    """Text and ints become the Decimal of the same digits."""
    assert str(exact("12.500")) == "12.500"
    assert Decimal(7) == exact(7)


@pytest.mark.parametrize("code", ["", "EU", "EURO", "E1R", "\u0415UR", None, 978])
def test_a_currency_is_three_ascii_letters(code):
    """Anything else is refused."""
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, code)


def test_text_is_digits_and_code():
    """No exponent is shown."""
    assert str(Money("1e-7", " eur ")) == "0.0000001 EUR"


def test_minor_units_and_back():
    """Cents by default; other divisors by keyword."""
    assert Money("12.34", "EUR") == Money.from_minor(1234, "EUR")
    assert Decimal(1234) == Money("12.34", "EUR").to_minor()
    assert Money("1.5", "KWD") == Money.from_minor(1500, "KWD", per_unit=1000)


def test_two_currencies_do_not_mix():
    """Adding, subtracting and comparing need one currency."""
    euro, dollar = Money(1, "EUR"), Money(1, "USD")
    for mix in (lambda: euro + dollar, lambda: euro - dollar, lambda: euro < dollar, lambda: euro <= dollar):
        with pytest.raises(ValueError, match="cannot mix EUR and USD"):
            mix()
    assert euro != dollar


def test_arithmetic_and_truth():
    """Plain arithmetic; only zero is false."""
    assert Money("2.5", "EUR") == Money(1, "EUR") + Money("1.5", "EUR")
    assert Money("-3", "EUR") == -(Money("1", "EUR") * 3)
    assert Money(1, "EUR") < Money(2, "EUR") <= Money(2, "EUR")
    assert not Money("0.00", "EUR")


def test_multiplying_by_a_float_is_refused():
    """A float would smuggle rounding in."""
    with pytest.raises(ValueError, match="float"):
        Money(1, "EUR") * 1.1


@given(AMOUNTS, AMOUNTS)
def test_adding_and_taking_away_gives_the_same(a, b):
    """Exact: (a + b) - b is a."""
    assert Money(a, "EUR") == Money(a, "EUR") + Money(b, "EUR") - Money(b, "EUR")
