"""Whether a row is of the types that its table promises: what is merely equal may still be another thing."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from adnet.models.tables import TABLES
from adnet.money import Money

_FITS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "text": lambda value: isinstance(value, str),
    "money": lambda value: isinstance(value, Money),
    "instant": lambda value: isinstance(value, datetime) and value.utcoffset() == timedelta(0),
    "date": lambda value: type(value) is date,
    "int": lambda value: type(value) is int,
    "texts": lambda value: isinstance(value, list | tuple) and all(isinstance(word, str) for word in value),
}


def misfits(row: Any, table: str) -> list[str]:
    """Return what of a model does not fit its *table*: other types, instants not in UTC, and other currencies.

    An amount has to be in the currency that its row names, since the row's is what lands beside it.
    """
    columns = TABLES[table].columns
    known = {name: value for name in columns if (value := getattr(row, name, None)) is not None}
    found = [
        f"{name} is {value!r}: no {columns[name]}"
        for name, value in known.items()
        if not _FITS[columns[name]](value)
    ]
    found += [
        f"{name} is {value}, in a row of {known.get('currency')}"
        for name, value in known.items()
        if isinstance(value, Money) and "currency" in columns and value.currency != known.get("currency")
    ]
    lines = getattr(row, "payouts", ())
    return found + [f"{line!r}: no Decimal" for line in lines if not isinstance(line.amount, Decimal)]
