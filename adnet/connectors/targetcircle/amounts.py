"""Amounts that are none: what JSON cannot say, a text or an exponent still can."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import msgspec

from adnet.connectors.targetcircle.rows import TransactionRow
from adnet.errors import SchemaError

_ABOVE: Final = 12
"""The money columns of the tables hold so many digits before the point."""
_BELOW: Final = 30
"""After the point. Writing out ``1e-999999999`` takes a gigabyte."""


def check_amounts(rows: Sequence[Any]) -> None:
    """Refuse numbers that are no amount: a text like "NaN" is read as a Decimal, and 1e999999999 has the
    digits, before the point or after it.

    Raises:
        SchemaError: One of them is beyond what a table holds, or no number.
    """
    if not rows or not has_amounts(rows[0].__class__):
        return
    if isinstance(rows[0], TransactionRow):
        found = [row.amount for row in rows if row.amount is not None]
        found += [row.commission for row in rows if row.commission is not None]
    else:
        found = list(_decimals(rows))
    places = set(map(Decimal.adjusted, found)) or {0}
    if not (min(places) > -_BELOW and max(places) < _ABOVE and all(map(Decimal.is_finite, found))):
        raise SchemaError("an amount is no number, or has more digits than anybody pays")


@lru_cache
def has_amounts(kind: type) -> bool:
    """Say whether a row of this kind has amounts, at any depth; clicks, which come by the thousand, have none."""
    return msgspec.inspect.DecimalType.__name__ in repr(msgspec.inspect.type_info(kind))


def _decimals(value: Any) -> Iterator[Decimal]:
    if isinstance(value, Decimal):
        yield value
    elif isinstance(value, msgspec.Struct):
        yield from _decimals(msgspec.structs.astuple(value))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _decimals(item)
