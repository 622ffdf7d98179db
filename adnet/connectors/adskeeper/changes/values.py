"""What drafts and updates give, checked against the account: amounts, numbers, mappings, lists."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from adnet.connectors.adskeeper.codec import CENTS, Book
from adnet.errors import InvalidRequestError, UnsupportedError
from adnet.money import Money, exact


def refuse(field: str, rule: str) -> InvalidRequestError:
    """Return the error for a field that breaks a rule."""
    return InvalidRequestError(f"nothing was sent: {field}: {rule}", fields={field: rule})


def only(given: Iterable[str], allowed: Collection[str], what: str) -> None:
    """Refuse fields that this API cannot set.

    Raises:
        UnsupportedError: There is one.
    """
    if unknown := [name for name in given if name not in allowed]:
        raise UnsupportedError(
            f"this network's API cannot set {', '.join(map(str, unknown))} of {what}; it can set"
            f" {', '.join(sorted(allowed))}"
        )


def only_one_kind(countries: Collection[object], cities: Collection[object]) -> None:
    """Refuse cities beside countries: the network heeds only the countries then (documented).

    Raises:
        InvalidRequestError: There are both.
    """
    if countries and cities:
        raise refuse(
            "targeting.geo",
            "the network heeds no cities where countries are given, and would show everywhere in these: leave one of"
            " them empty",
        )


def places(geo: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the countries and the cities that a geo targeting names.

    Raises:
        UnsupportedError: It names something else.
        InvalidRequestError: They are no lists.
    """
    only(geo, {"countries", "cities"}, "geo targeting")
    return {name: words(f"targeting.geo.{name}", value) for name, value in geo.items()}


def amount(book: Book, field: str, value: Any) -> Decimal | None:
    """Return an amount in the account's currency; None stays None.

    Raises:
        InvalidRequestError: It is in another currency, or in any while the account's is not known, or no number.
    """
    if isinstance(value, Money):
        if book.currency is None:
            raise refuse(field, "the account's currency is not known: give an exact number in it")
        if value.currency != book.currency:
            raise refuse(field, f"must be in {book.currency}, the account's currency, not {value.currency}")
        return value.amount
    try:
        return None if value is None else exact(value)
    except ValueError:
        raise refuse(field, "Money, or an exact number in the account's currency") from None


def cents(book: Book, field: str, value: Any) -> Decimal | None:
    """Return the price of a click in cents of the account's currency, of which the network takes one decimal."""
    found = amount(book, field, value)
    return None if found is None else found * CENTS


def number(field: str, value: Any) -> int | None:
    """Return a whole number; None stays None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise refuse(field, "a whole number")
    return value


def mapping(field: str, value: Any) -> Mapping[str, Any]:
    """Return a mapping; None is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise refuse(field, "a mapping")
    return value


def words(field: str, value: Any) -> list[str]:
    """Return the members of a list as text, each once; None is an empty one."""
    if value is None:
        return []
    if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
        raise refuse(field, "a list")
    return list(dict.fromkeys(str(member).strip() for member in value))


def blocked(value: Any) -> bool:
    """Return whether a status is to stop an object.

    Raises:
        InvalidRequestError: It is neither active nor paused.
    """
    if value not in ("active", "paused"):  # no set: what cannot be hashed is refused as well
        raise refuse("status", f"can be set to active or paused, not to {value!r}")
    return bool(value == "paused")
