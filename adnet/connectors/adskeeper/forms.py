"""Writing Adskeeper's values: sentences joined by commas, lists and maps inside a value, flags, decimals.

Source: Adskeeper advertiser API document (documented); its samples put blanks around commas, which are not sent.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import msgspec

from adnet.connectors.adskeeper.shapes import number_of

Method = Literal["include", "exclude"]

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def sentence(*words: object) -> str:
    """Return words joined by commas: a method, what the list is, its members."""
    return ",".join(map(str, words))


def digits(value: Decimal) -> str:
    """Return a number in plain digits with a dot, without needless zeros."""
    shown = format(value, "f")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def switch(value: bool) -> str:
    """Return a flag as the network writes it."""
    return "1" if value else "0"


def iso(value: date | str | None) -> str | None:
    """Return a day as it is sent; text goes as it is, since it was checked before."""
    return value.isoformat() if isinstance(value, date) else value


def literal(value: Any, style: str) -> str:
    """Return a list or map as it stands inside a value.

    Args:
        value: Maps, lists, texts and numbers.
        style: ``json``, with double quotes (newer edition and clients), or ``single`` (this document's samples).
    """
    return _ENCODER.encode(value).decode() if style == "json" else _single(value)


def _single(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_single(str(key))}:{_single(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"
    if isinstance(value, Sequence):
        return "[" + ",".join(map(_single, value)) + "]"
    return digits(value) if isinstance(value, Decimal) else str(value)


def geo(countries: Iterable[str], cities: Iterable[int | str], style: str) -> str:
    """Return the literal that sets geo targeting; where both are given, the network heeds only countries.

    Cities are sent as numbers and country codes in upper case: the document prints both ways.
    """
    numbers = [city if (number := number_of(city)) is None else number for city in cities]
    return literal(
        {"method": "set", "cities": numbers, "countries": [code.upper() for code in countries]}, style
    )


def json_text(value: Mapping[str, Any]) -> str:
    """Return a map as the JSON text that ``qualityFactor`` and its likes take."""
    return _ENCODER.encode(value).decode()


def widget(uid: str, sub: str | None = None) -> str:
    """Return a widget, or one of its sub-sources, as filters and factors name it."""
    return f"{uid}s{sub}" if sub else uid
