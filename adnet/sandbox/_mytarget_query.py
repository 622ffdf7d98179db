"""Lists: fields, filters, sorting and pages of the collections of version 2 and 3.

Source: VK Ads API overview (documented): limit 20, at most 50; `_field` and
`_field__lookup` filters; what is above the maximum is clamped here, or refused
by a switch, because the documents do not say.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from operator import ge, gt, le, lt
from typing import Any, Literal, TypeAlias

import attrs

from adnet.sandbox._mytarget_wire import Call, Row, bad_field, integer, words

Read: TypeAlias = Callable[[Row, str], Any]
OverLimit: TypeAlias = Literal["clamp", "error"]
Uncounted: TypeAlias = Literal["whole", "paged"]

EQUAL = frozenset({""})
ANY_OF = frozenset({"", "in"})
STATUS = frozenset({"", "in", "ne"})
RANGE = frozenset({"lt", "lte", "gt", "gte"})
PREFIX = frozenset({"", "startswith"})
_LOOKUPS = frozenset({"in", "ne", "lt", "lte", "gt", "gte", "startswith"})
_ORDER: dict[str, Callable[[Any, Any], bool]] = {"lt": lt, "lte": le, "gt": gt, "gte": ge}
DEFAULT_LIMIT = 20


@attrs.frozen(kw_only=True)
class Listing:
    """What may be asked of one collection."""

    fields: tuple[str, ...]
    default: tuple[str, ...]
    sorting: tuple[str, ...] = ("id", "name", "status")
    filters: Mapping[str, frozenset[str]] = attrs.field(factory=dict)
    texts: frozenset[str] = frozenset()
    """Filters that look for a piece of text instead of an equal value."""
    numbers: frozenset[str] = frozenset()
    """Fields that are text on the wire and numbers in their order."""
    top: int = 50


def plain(row: Row, field: str) -> Any:
    """Read a stored field."""
    return row.get(field)


def chosen_fields(call: Call, listing: Listing) -> list[str]:
    """Return the fields asked for, else the default ones; `a__b` chooses within a field."""
    asked = words(call.query.get("fields", ""))
    if not asked:
        return list(listing.default)
    unknown = [name for name in asked if name.partition("__")[0] not in listing.fields]
    if unknown:
        raise bad_field(
            "fields",
            "unknown_resource_fields",
            f"Unknown fields: {', '.join(unknown)}",
            allowed_values=sorted(listing.fields),
        )
    return asked


def project(row: Row, fields: Iterable[str], read: Read) -> Row:
    """Return the chosen fields of a row."""
    shown: Row = {}
    for name in fields:
        top, _, inner = name.partition("__")
        value = read(row, top)
        if not inner:
            shown[top] = value
        elif not _has_parts(value):
            raise bad_field("fields", "unknown_resource_fields", f"Unknown fields: {name}")
        elif isinstance(value, list):
            old = shown.get(top) or [{} for _ in value]
            shown[top] = [a | {inner: v.get(inner)} for a, v in zip(old, value, strict=True)]
        else:
            shown[top] = (shown.get(top) or {}) | {inner: (value or {}).get(inner)}
    return shown


def _has_parts(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(member, dict) for member in value)
    return value is None or isinstance(value, dict)


def page(call: Call, *, top: int, over_limit: OverLimit) -> tuple[int, int]:
    """Return limit and offset."""
    limit = integer(call.query.get("limit", str(DEFAULT_LIMIT)), "limit")
    offset = integer(call.query.get("offset", "0"), "offset")
    for name, value, least in (("limit", limit, 1), ("offset", offset, 0)):
        if value < least:
            raise bad_field(name, "min_value", "Value is less than minimum allowed")
    if limit > top and over_limit == "error":
        raise bad_field(
            "limit",
            "max_value",
            "Value is more than maximum allowed",
            arguments={"max_value": str(top)},
        )
    return min(limit, top), offset


def filtered(call: Call, listing: Listing, rows: Iterable[Row], read: Read) -> list[Row]:
    """Return the rows every `_filter` of the query lets through."""
    kept = list(rows)
    for name, text in call.query.items():
        if not name.startswith("_"):
            continue
        field, lookup = _split(name[1:])
        if lookup not in listing.filters.get(field, frozenset()):
            raise bad_field(name, "unallowed_field", "This filter is not supported")
        if lookup in _ORDER and field in listing.numbers and _number(text) is None:
            raise bad_field(name, "bad_value", "A number is expected")
        test = _searches(listing, field, text) or _test(lookup, text)
        kept = [row for row in kept if test(read(row, field))]
    return kept


def ordered(call: Call, listing: Listing, rows: list[Row], read: Read) -> list[Row]:
    """Return the rows sorted as asked; by id otherwise."""
    rows = sorted(rows, key=lambda row: int(row.get("id", 0)))
    for name in reversed(words(call.query.get("sorting", ""))):
        field = name.removeprefix("-")
        if field not in listing.sorting:
            raise bad_field("sorting", "unallowed_value", f"Cannot sort by {field}")
        key = _amount if field in listing.numbers else _key
        rows.sort(key=lambda row: key(read(row, field)), reverse=name.startswith("-"))
    return rows


def collection(
    call: Call, listing: Listing, rows: Iterable[Row], read: Read, *, over_limit: OverLimit
) -> Row:
    """Return `{"count", "offset", "limit", "items"}`."""
    fields = chosen_fields(call, listing)
    limit, offset = page(call, top=listing.top, over_limit=over_limit)
    kept = ordered(call, listing, filtered(call, listing, rows, read), read)
    items = [project(row, fields, read) for row in kept[offset : offset + limit]]
    return {"count": len(kept), "offset": offset, "limit": limit, "items": items}


def uncounted(call: Call, items: list[Row], shown: Uncounted) -> Row:
    """Return `{"items"}` alone: documented so, without a word of whether limit and offset count there too."""
    if shown == "paged":
        limit, offset = page(call, top=50, over_limit="clamp")
        items = items[offset : offset + limit]
    return {"items": items}


def _split(name: str) -> tuple[str, str]:
    field, _, lookup = name.rpartition("__")
    return (field, lookup) if lookup in _LOOKUPS else (name, "")


def _key(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def _amount(value: Any) -> tuple[bool, Any]:
    return _key(_number(str(value)))


def _searches(listing: Listing, field: str, text: str) -> Callable[[Any], bool] | None:
    """Return the search of a filter that looks within a text; `_q` does so in either case."""
    if field == "q":
        return lambda value: text.casefold() in str(value).casefold()
    if field in listing.texts:
        return lambda value: text in str(value)
    return None


def _test(lookup: str, text: str) -> Callable[[Any], bool]:
    """Return the comparison of a filter; a list must hold the word, or all words, as with flags."""
    if lookup == "in":
        wanted = frozenset(words(text))
        return lambda value: wanted <= set(value) if isinstance(value, list) else str(value) in wanted
    if lookup == "ne":
        return lambda value: str(value) != text
    if lookup == "startswith":
        return lambda value: str(value).startswith(text)
    if lookup in _ORDER:
        order = _ORDER[lookup]
        return lambda value: order(*_comparable(str(value), text))
    return lambda value: text in value if isinstance(value, list) else str(value) == text


def _comparable(left: str, right: str) -> tuple[Any, Any]:
    """Return both as numbers if they are; instants sort as text."""
    numbers = (_number(left), _number(right))
    return (left, right) if None in numbers else numbers


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return None if number.is_nan() else number
