"""Reading Adskeeper's values one by one: what comes in several shapes leaves in one, what has none of them raises.

The network writes an empty map as a list, ids and figures as numbers or text, and leaves out what is zero. Every
function takes where the value stood, for the SchemaError. Numbers with a fraction are exact Decimals.
Source: Adskeeper advertiser API document; shapes of production observed in several clients.
"""

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

import msgspec

from adnet.errors import SchemaError
from adnet.money import exact
from adnet.periods import utc

DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_MOST_DIGITS: Final = 30
_EMPTY: Final = ("", None)


def wrong(where: str, expected: str, value: object) -> SchemaError:
    """Return the error for a value of another shape than expected."""
    shown = type(value).__name__ if isinstance(value, dict | list) else repr(value)[:40]
    error = SchemaError(f"the answer has another shape than expected: {expected}, not {shown}, at {where}")
    error.paths = (where,)
    return error


def mapping(value: Any, where: str) -> dict[str, Any]:
    """Return a map with its keys freed of blanks; nothing, or an empty list, is an empty map."""
    if isinstance(value, dict):
        return {str(key).strip(): item for key, item in value.items()}
    if value is False or value in (None, "", []):
        return {}
    raise wrong(where, "a map", value)


def rows(value: Any, where: str, *, key: str = "id") -> dict[str, dict[str, Any]]:
    """Return a map of objects by id; a list of objects that tell their own *key* is one too.

    Raises:
        SchemaError: One has no id, or two that differ have the same: only one of them would be left.
    """
    if isinstance(value, list):
        found: dict[str, Any] = {}
        for row in value:
            number = identifier(mapping(row, f"{where}[]").get(key), f"{where}[].{key}")
            if found.setdefault(number, row) != row:
                raise wrong(f"{where}[].{key}", "each once", number)
        value = found
    return {number: mapping(row, f"{where}.{number}") for number, row in mapping(value, where).items()}


def numbered(value: Any, where: str, *, key: str = "id") -> dict[str, dict[str, Any]]:
    """Return objects by number.

    Raises:
        SchemaError: A key is none, so that something else came, or what holds the rows.
    """
    found = rows(value, where, key=key)
    for name, row in found.items():
        if number_of(name) is None:
            raise wrong(f"{where}.{name}", "an object under its number", row)
    return found


def part(row: Mapping[str, Any], name: str, where: str) -> Any:
    """Return what stands under a *name* that is there whenever anything is.

    Raises:
        SchemaError: It is not: the answer is about something else.
    """
    if row and name not in row:
        raise wrong(f"{where}.{name}", "what was asked for", None)
    return row.get(name)


def counted(value: Any) -> Any:
    """Return a list as the map that it was: the network writes a map whose keys count from 0 as a list."""
    return {str(place): item for place, item in enumerate(value)} if isinstance(value, list) else value


def items(value: Any, where: str) -> list[Any]:
    """Return a list; a map is the list of its values, nothing is an empty list."""
    if isinstance(value, dict):
        return list(value.values())
    if value is False or value in _EMPTY:
        return []
    if isinstance(value, list):
        return value
    raise wrong(where, "a list", value)


def text(value: Any) -> str | None:
    """Return an id or a word as text; empty is None."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    return str(value).strip() or None


def identifier(value: Any, where: str) -> str:
    """Return an id as text.

    Raises:
        SchemaError: There is none.
    """
    found = text(value)
    if found is None:
        raise wrong(where, "an id", value)
    return found


def number(value: Any, where: str) -> Decimal | None:
    """Return a number from digits of any kind; empty is None."""
    if value in _EMPTY:
        return None
    try:
        found = exact(value.strip() if isinstance(value, str) else value)
    except ValueError:
        raise wrong(where, "a number", value) from None
    if abs(found.adjusted()) > _MOST_DIGITS:
        raise wrong(where, "a number", value)
    return found


def whole(value: Any, where: str) -> int | None:
    """Return a whole number from digits of any kind; empty is None."""
    found = number(value, where)
    if found is None:
        return None
    if found != found.to_integral_value():
        raise wrong(where, "a whole number", value)
    return int(found)


def number_of(word: object) -> int | None:
    """Return the number that a word is; None where it is another one, or longer than any id."""
    text = str(word)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None


def count(value: Any, where: str) -> int:
    """Return how many; what is left out is none."""
    return whole(value, where) or 0


def amount(value: Any, where: str) -> Decimal:
    """Return how much; what is left out is nothing."""
    return number(value, where) or Decimal(0)


def flag(value: Any) -> bool | None:
    """Return a switch, written as a boolean, a number or text; None where it is none of them."""
    words = {"1": True, "true": True, "0": False, "false": False}
    return words.get(str(value).strip().lower())


def day(value: Any) -> date | None:
    """Return a day written YYYY-MM-DD, with or without a time; what is no day (also 0000-00-00) is None."""
    try:
        return date.fromisoformat((text(value) or "")[:10])
    except ValueError:
        return None


def day_of(value: Any, where: str) -> date:
    """Return a day that has to be there."""
    found = day(value)
    if found is None:
        raise wrong(where, "a day", value)
    return found


def moment(value: Any, zone: tzinfo) -> datetime | None:
    """Return an instant in UTC, told on the account's clock; what is none is None."""
    try:
        found = datetime.fromisoformat(text(value) or "")
        return utc(found.replace(tzinfo=zone) if found.tzinfo is None else found)
    except ValueError:
        return None


def inner_list(value: Any, where: str) -> tuple[str, ...]:
    """Return the sub-sources of a widget, which come as text that looks like a list: ``"[12, 34]"``."""
    if isinstance(value, list):
        return tuple(found for item in value if (found := text(item)))
    if value in _EMPTY:
        return ()
    if not isinstance(value, str | int):
        raise wrong(where, "a list of sub-sources", value)
    parts = str(value).strip().removeprefix("[").removesuffix("]").split(",")
    return tuple(part.strip().strip("\"'") for part in parts if part.strip())


def first_of(row: Mapping[str, Any], *names: str) -> Any:
    """Return the value under the first of *names* that the row has, or None."""
    return next((row[name] for name in names if name in row), None)
