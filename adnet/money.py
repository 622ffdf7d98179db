"""Amounts: a Decimal and its ISO 4217 code. Floats are refused."""

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final, Self

import attrs

_MOST_DIGITS: Final = 100
"""Before or after the point. Nobody pays such amounts, and writing out ``1e999999999`` takes a gigabyte."""


def exact(value: object) -> Decimal:
    """Return *value* as an exact Decimal.

    Takes Decimal, int and text; a float has already lost digits and is refused, as are NaN and infinity.

    Raises:
        ValueError: If *value* is no finite number in digits.
    """
    if isinstance(value, bool | float) or not isinstance(value, Decimal | int | str):
        raise ValueError(f"an amount is a Decimal, an int or text, not {type(value).__name__}")  # noqa: TRY004
    if isinstance(value, str) and "_" in value:  # Python would read 0_5 as 5
        raise ValueError(f"not a number: {value!r}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"not a number: {value!r}") from None
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value!r}")
    if max(abs(number.adjusted()), abs(int(number.as_tuple().exponent))) > _MOST_DIGITS:
        raise ValueError(f"not an amount: it has more than {_MOST_DIGITS} digits")
    return number


@lru_cache(maxsize=1024)
def currency_or_none(value: str | None) -> str | None:
    """Return an ISO 4217 code in upper case, or None for what cannot be one."""
    code = (value or "").strip().upper()
    return code if len(code) == 3 and code.isascii() and code.isalpha() else None


def currency_code(value: str) -> str:
    """Return an ISO 4217 code in upper case.

    Raises:
        ValueError: It cannot be one.
    """
    code = currency_or_none(str(value))
    if code is None:
        raise ValueError(f"not an ISO 4217 currency code: {value!r}")
    return code


@attrs.frozen(order=False, weakref_slot=False)
class Money:
    """An exact amount of one currency.

    ``str`` gives the digits and the code, e.g. ``"12.50 EUR"``. Only amounts of one currency add up.
    """

    amount: Decimal = attrs.field(converter=exact)
    """In units of the currency (not cents)."""
    currency: str = attrs.field(converter=currency_code)
    """ISO 4217 code, upper case."""

    @classmethod
    def from_minor(cls, value: object, currency: str, *, per_unit: int = 100) -> Self:
        """Return Money from minor units, e.g. cents: *per_unit* of them make one unit."""
        return cls(exact(value) / per_unit, currency)

    def to_minor(self, *, per_unit: int = 100) -> Decimal:
        """Return the amount in minor units."""
        return self.amount * per_unit

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot mix {self.currency} and {other.currency}")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __mul__(self, factor: Decimal | int) -> "Money":
        return Money(self.amount * exact(factor), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: "Money") -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"
