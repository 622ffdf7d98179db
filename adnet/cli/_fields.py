"""``FIELD=VALUE`` on the command line: which fields there are, and what a value's text means."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

import attrs
import click

from adnet.errors import ConfigurationError
from adnet.hints import hint
from adnet.models import Ad, Campaign
from adnet.money import Money, exact

_PAIR: Final = re.compile(r"([A-Za-z_]\w*(?:\.[\w-]+)*)=(.*)", re.DOTALL)
_MONEY: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]{3})?")
_NOTHING: Final = frozenset({"", "none", "null"})
_ANY_CURRENCY: Final = "XTS"  # ISO 4217's code for tests
_ON: Final = frozenset({"active", "limited"})
"""Statuses of what runs, as far as its owner can see to that."""


@attrs.frozen
class Assignment:
    """One ``FIELD=VALUE``."""

    path: tuple[str, ...]
    """The field, and the keys below it where it is nested."""
    text: str

    @property
    def field(self) -> str:
        """The model's field."""
        return self.path[0]

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}={self.text}"


def split_words(words: Sequence[str]) -> tuple[list[str], list[Assignment]]:
    """Return ids and assignments, which may stand in any order; each id once."""
    ids: dict[str, None] = {}
    pairs = []
    for word in words:
        if found := _PAIR.fullmatch(word):
            pairs.append(Assignment(tuple(found[1].split(".")), found[2]))
        else:
            ids[word] = None
    return list(ids), pairs


def check_assignments(pairs: Sequence[Assignment], known: Mapping[str, "Reader"]) -> None:
    """Refuse what is wrong whatever the object: unknown fields, keys below a plain field, values of no use, two values.

    Raises:
        UsageError: Something is.
    """
    if not pairs:
        raise click.UsageError(f"say what to set: FIELD=VALUE with {', '.join(known)}", _context())
    paths = [pair.path for pair in pairs]
    for pair in pairs:
        if paths.count(pair.path) > 1:
            raise click.UsageError(f"{pair}: {'.'.join(pair.path)} is given more than once", _context())
        if pair.field not in known:
            raise click.UsageError(f"there is no field {pair.field!r}; {hint(pair.field, known)}", _context())
        if len(pair.path) > 1 and known[pair.field] is not nested:
            raise click.UsageError(f"{pair}: {pair.field} has no parts", _context())
        value = _read(pair, known[pair.field], _ANY_CURRENCY)
        if known[pair.field] is nested and len(pair.path) == 1 and not isinstance(value, Mapping):
            raise click.UsageError(
                f'{pair}: name a part, {pair.field}.KEY=VALUE, or write {{"KEY": VALUE}}', _context()
            )


def _context() -> click.Context | None:
    return click.get_current_context(silent=True)


def assigned(
    thing: Campaign | Ad, pairs: Sequence[Assignment], known: Mapping[str, "Reader"], currency: str | None
) -> Campaign | Ad:
    """Return *thing* with the new values.

    Raises:
        ConfigurationError: An amount has no currency, as neither the object nor the account tells one.
    """
    changes: dict[str, Any] = {}
    for pair in pairs:
        value = _read(pair, known[pair.field], currency)
        if known[pair.field] is nested:
            present = changes.get(pair.field, getattr(thing, pair.field))
            value = _placed(present, pair.path[1:], value, pair)
        if pair.field == "status" and value == "active" and thing.status in _ON:
            value = thing.status  # a campaign that has met its limit runs already
        changes[pair.field] = value
    return attrs.evolve(thing, **changes)


def _read(pair: Assignment, reader: "Reader", currency: str | None) -> Any:
    try:
        return reader(pair.text, currency)
    except ConfigurationError:
        raise
    except ValueError as error:
        raise click.UsageError(f"{pair}: {error}", _context()) from None


def _placed(present: Any, path: Sequence[str], value: Any, pair: Assignment) -> Any:
    """Return a copy of *present* with *value* at *path*; of a mapping only the keys that it names change."""
    parts = isinstance(present, Mapping)
    if not path and not (parts and isinstance(value, Mapping)):
        return value
    if present is not None and not parts:
        raise click.UsageError(f"{pair}: {path[0]} is part of something that has no parts", _context())
    copy = dict(present or {})
    for key, inner in [(path[0], value)] if path else value.items():
        copy[key] = _placed(copy.get(key), path[1:], inner, pair)
    return copy


Reader = Callable[[str, str | None], Any]
"""Reads a value from its text and the currency of the object; raises ValueError with what would be right."""


def plain(text: str, _: str | None = None) -> str:
    """Return the text as it is."""
    return text


def word(text: str, _: str | None = None) -> str:
    """Return a status that can be set; deleting has a command of its own, which asks."""
    if text not in {"active", "paused"}:
        raise ValueError("write active or paused")
    return text


def count(text: str, _: str | None = None) -> int | None:
    """Return a whole number; ``none`` takes the limit away."""
    if text.lower() in _NOTHING:
        return None
    if not text.isascii() or not text.isdigit():
        raise ValueError("write a whole number, or none")
    return int(text)


def day(text: str, _: str | None = None) -> date | None:
    """Return a day; ``none`` takes it away."""
    if text.lower() in _NOTHING:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("write a day like 2026-01-31, or none") from None


def money(text: str, currency: str | None) -> Money | None:
    """Return an amount of *currency*, which may be written behind it; ``none`` takes the limit away."""
    if text.strip().lower() in _NOTHING:
        return None
    found = _MONEY.fullmatch(text.strip())
    if found is None:
        raise ValueError("write an amount like 50 or 12.50, or none")
    if found[2] is None and currency is None:
        raise ConfigurationError(f"the currency of the account is not known; write it: {text} USD")
    return Money(exact(found[1]), found[2] or currency or "")


def nested(text: str, _: str | None = None) -> Any:
    """Return a JSON value, its fractions exact; what is no JSON is a text."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_json)
    except ValueError:
        return text
    except RecursionError:
        raise ValueError("write JSON that is not nested so deeply") from None


def _no_json(word: str) -> Any:
    """Refuse ``NaN`` and ``Infinity``, which Python alone takes for numbers: they would be sent as null."""
    raise ValueError(word)


CAMPAIGN_FIELDS: Final[dict[str, Reader]] = {
    "name": plain,
    "status": word,
    "daily_budget": money,
    "total_budget": money,
    "daily_clicks": count,
    "total_clicks": count,
    "bid": money,
    "starts_on": day,
    "ends_on": day,
    "targeting": nested,
    "tracking": nested,
    "extra": nested,
}
AD_FIELDS: Final[dict[str, Reader]] = {
    "title": plain,
    "text": plain,
    "status": word,
    "bid": money,
    "url": plain,
    "image_url": plain,
    "campaign_id": plain,
    "extra": nested,
}
