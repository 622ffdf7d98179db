"""Which values a field takes: parsers, and tables of writable fields.

Source: VK Ads object tables and error codes (documented); the fields of
myTarget's campaigns as its public clients send them.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

import attrs

from adnet.sandbox._mytarget_wire import BadField, Row, decimal_text, invalid, refused

Parse: TypeAlias = Callable[[Any], Any]

STATUSES = ("active", "blocked", "deleted")
MAX_PRICE = Decimal(21474836)


@attrs.frozen(kw_only=True)
class Field:
    """A field that may be sent."""

    parse: Parse
    required: bool = False
    create_only: bool = False
    nullable: bool = False
    money: bool = False


def text(most: int = 255) -> Parse:
    def parse(value: Any) -> str:
        if not isinstance(value, str):
            raise BadField("bad_value", "A string is expected")
        if not value.strip():
            raise BadField("required", "Field is required")
        if len(value) > most:
            raise BadField("bad_length", "Value is too long", arguments={"max_length": most})
        return value

    return parse


def choice(*allowed: str) -> Parse:
    def parse(value: Any) -> str:
        if value not in allowed:
            raise BadField("bad_value", "Unknown value", allowed_values=list(allowed))
        return str(value)

    return parse


def whole(least: int = 0, most: int = 2**31 - 1) -> Parse:
    def parse(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadField("bad_value", "An integer is expected")
        _between(Decimal(value), Decimal(least), Decimal(most))
        return value

    return parse


def amount(least: int = 0, most: Decimal = MAX_PRICE) -> Parse:
    """Money: a string, or a number as some clients send; kept as trimmed text."""

    def parse(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise BadField("bad_value", "A decimal is expected")
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            raise BadField("bad_value", "A decimal is expected") from None
        if not number.is_finite():
            raise BadField("bad_value", "A decimal is expected")
        _between(number, Decimal(least), most)
        return decimal_text(number)

    return parse


def _between(number: Decimal, least: Decimal, most: Decimal) -> None:
    for bad, word, bound in (
        (number > most, "max_value", most),
        (number < least, "min_value", least),
    ):
        if bad:
            more = "more than maximum" if word == "max_value" else "less than minimum"
            raise BadField(word, f"Value is {more} allowed", arguments={word: decimal_text(bound)})


def boolean(value: Any) -> bool:
    # The documents' own examples send these two as strings at times.
    spoken = {"True": True, "False": False}
    found = spoken.get(value, value) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise BadField("bad_value", "A boolean is expected")
    return found


def day(value: Any) -> str:
    """A date; a datetime is accepted and cut."""
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        raise BadField("bad_value", "A date YYYY-MM-DD is expected") from None


def age_limit(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[1-9]?[0-9]\+", value):
        raise BadField("bad_value", "Unknown age restriction")
    return value


def mapping(value: Any) -> Row:
    if not isinstance(value, dict):
        raise BadField("bad_value", "An object is expected")
    return value


def sequence(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise BadField("bad_items", "A list is expected")
    return value


_NAME = Field(parse=text(), required=True)
_STATUS = Field(parse=choice(*STATUSES))
_MONEY = Field(parse=amount(), nullable=True, money=True)
_DAY = Field(parse=day, nullable=True)
_COUNT = Field(parse=whole(1), nullable=True)
_FLAG = Field(parse=boolean)
_ANY = Field(parse=mapping, nullable=True)

OBJECTIVES = (
    "reach",
    "traffic",
    "appinstalls",
    "reengagement",
    "playersengagement",
    "videoviews",
    "storeproductssales",
    "engagement",
    "articleviews",
    "audiolistening",
    "socialengagement",
    "storevisits",
    "premium_reach",
    "special",
)
_BIDDING = ("fixed", "second_price", "second_price_mean", "max_goals")

CAMPAIGN: Mapping[str, Field] = {
    "name": _NAME,
    "status": _STATUS,
    "package_id": Field(parse=whole(1), required=True),
    "objective": Field(parse=choice(*OBJECTIVES)),
    "price": Field(parse=amount(), money=True),
    "max_price": Field(parse=amount(), money=True),
    "cr_max_price": _MONEY,
    "shows_limit": _COUNT,
    "autobidding_mode": Field(parse=choice(*_BIDDING)),
    "mixing": Field(parse=choice("fastest", "recommended"), nullable=True),
    "budget_limit": _MONEY,
    "budget_limit_day": _MONEY,
    "date_start": _DAY,
    "date_end": _DAY,
    "age_restrictions": Field(parse=age_limit, nullable=True),
    "uniq_shows_limit": _COUNT,
    "banner_uniq_shows_limit": _COUNT,
    "uniq_shows_period": Field(parse=choice("day", "week", "month", "eternity"), nullable=True),
    "enable_utm": _FLAG,
    "utm": Field(parse=text(2048), nullable=True),
    "enable_offline_goals": _FLAG,
    "priced_goal": _ANY,
    "pricelist_id": _COUNT,
    "audit_pixels": Field(parse=sequence),
    "targetings": Field(parse=mapping),
    "language": Field(parse=choice("ru", "en")),
    "social": _FLAG,
    "not_ad": _FLAG,
    "banners": Field(parse=sequence, create_only=True),
}
GROUP: Mapping[str, Field] = {**CAMPAIGN, "ad_plan_id": _COUNT}

AD_PLAN: Mapping[str, Field] = {
    "name": _NAME,
    "status": _STATUS,
    "objective": Field(parse=choice(*OBJECTIVES)),
    "autobidding_mode": Field(parse=choice("max_goals", "second_price_mean")),
    "budget_limit": _MONEY,
    "budget_limit_day": Field(parse=amount(-1), nullable=True, money=True),
    "date_start": _DAY,
    "date_end": _DAY,
    "max_price": Field(parse=amount(), money=True),
    "priced_goal": _ANY,
    "pricelist_id": _COUNT,
    "enable_offline_goals": _FLAG,
    "ad_object_id": _COUNT,
    "ad_object_type": Field(parse=choice("url"), nullable=True),
    "ad_groups": Field(parse=sequence, create_only=True),
    "campaigns": Field(parse=sequence, create_only=True),
}

BANNER: Mapping[str, Field] = {
    "name": Field(parse=text()),
    "status": _STATUS,
    "urls": Field(parse=mapping, required=True),
    "textblocks": Field(parse=mapping),
    "content": Field(parse=mapping),
    "deeplink": Field(parse=text(2048), nullable=True),
    "call_to_action": Field(parse=text(64), nullable=True),
    "products": _ANY,
    "video_params": _ANY,
}


def parsed(changes: Row, table: Mapping[str, Field], *, creating: bool, readable: tuple[str, ...]) -> Row:
    """
    Return the clean values of a create or a partial update.

    Raises:
        Refused: 400 with every bad field at once, or with the unknown names.
    """
    unknown = sorted(set(changes) - set(table) - set(readable))
    if unknown:
        names = ", ".join(unknown)
        raise refused(400, "unknown_resource_field", f"Unknown fields: {names}")
    clean: Row = {}
    leaves: Row = {}
    for name, value in changes.items():
        try:
            clean[name] = _one(table.get(name), value, creating=creating)
        except BadField as bad:
            leaves[name] = bad.leaf
    if creating:
        for name, field in table.items():
            if field.required and name not in changes:
                leaves[name] = {"code": "required", "message": "Field is required"}
    if leaves:
        raise invalid(leaves)
    return clean


def _one(field: Field | None, value: Any, *, creating: bool) -> Any:
    if field is None or (field.create_only and not creating):
        raise BadField("read_only_field", "Field is read only")
    if value is None:
        if field.nullable:
            return None
        raise BadField("required", "Field is required")
    return field.parse(value)
