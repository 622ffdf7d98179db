"""
Limits, marks and geo of a campaign: read, checked, refused as documented.

Creating and changing share these rules.

Source: Adskeeper advertiser API document, "Creating a new ad campaign",
"Setting limits", "UTM markup settings", "Editing geo targeting settings".
"""

import re
from collections.abc import Collection
from decimal import Decimal

from adnet.sandbox._adskeeper_call import Dialect, Params, refuse
from adnet.sandbox._adskeeper_state import Geo, Limits
from adnet.sandbox._adskeeper_values import CITIES, COUNTRIES

__all__ = ["LIMIT_NAMES", "UTM_NAMES", "has_reserved_mark", "read_geo", "read_limits", "read_utm"]

LIMIT_NAMES = ("limitType", "dailyLimit", "overallLimit", "splitDailyLimitEvenly")
UTM_NAMES = ("utm_source", "utm_campaign", "utm_medium", "utm_custom")

MIN_DAILY_CLICKS = 500
MIN_DAILY_BUDGET = 5
"""The document says only that it depends on the currency."""
MAX_DAILY = 1_000_000
"""Invented: the document names the refusal, not the number."""
MAX_UTM = 200
ONE_CENT = Decimal("0.01")

_MARK = re.compile(r"[0-9A-Za-z\-_=+&@/:^.,]*")
_RESERVED = re.compile(r"\badclida?\b")


def has_reserved_mark(text: str) -> bool:
    """Return whether *text* uses adclid or adclida, which belong to the network."""
    return _RESERVED.search(text) is not None


def read_limits(params: Params, old: Limits, dialect: Dialect) -> Limits:
    """
    Return the limits after the change; what was not sent stays as it was.

    Raises:
        Refusal: One of the documented rules is broken.
    """
    kind = params.text("limitType")
    if not kind or not params.given("dailyLimit", "overallLimit"):
        raise refuse("NOT_ENOUGH_PARAMETERS")
    if kind not in {"clicks_limits", "budget_limits"}:
        raise refuse("ERROR_NOT_VALID_TYPE")
    base = old if old.type == kind else Limits(kind)
    daily = _amount(params, "dailyLimit", kind, base.daily)
    overall = _amount(params, "overallLimit", kind, base.overall)
    _check_amounts(kind, daily, overall)
    flag = params.text("splitDailyLimitEvenly")
    if flag not in {"", "0", "1"}:
        raise refuse("ERROR_INVALID_PARAMETER")
    # A spread once chosen ends by itself when it makes no sense any more.
    kept = base.evenly and overall is None and daily is not None
    evenly = dialect.evenly(flag) if flag else kept
    if evenly and (overall is not None or daily is None):
        raise refuse("ERROR_SPLIT_DAILY_LIMIT_EVENLY_IS_AVAILABLE_IF_ONLY_DAILY_LIMIT_SET")
    return Limits(None if daily is overall is None else kind, daily, overall, evenly)


def _amount(params: Params, name: str, kind: str, old: Decimal | None) -> Decimal | None:
    if not params.given(name):
        return old
    if not params.text(name):
        return None
    value = params.decimal(name)
    if value is None or value < 0:
        raise refuse("MINIMAL_DAILY_BUDGET_LIMIT_ERROR")
    step = ONE_CENT if kind == "budget_limits" else Decimal(1)
    if value % step:
        raise refuse("WRONG_USE_FLOATING_LIMIT")
    return value


def _check_amounts(kind: str, daily: Decimal | None, overall: Decimal | None) -> None:
    word = "CLICKS" if kind == "clicks_limits" else "BUDGET"
    least = MIN_DAILY_CLICKS if kind == "clicks_limits" else MIN_DAILY_BUDGET
    if daily is not None and daily < least:
        # The blank before the number is the network's own.
        raise refuse(f"ERROR_MINIMAL_DAILY_{word}_LIMIT_IS_ {least}")
    if daily is not None and daily > MAX_DAILY:
        raise refuse("ERROR_GREATER_THAN_LIMIT_PER_DAY")
    if daily is not None and overall is not None and overall <= daily:
        raise refuse(f"ERROR_OVERALL_{word}_LIMIT_LESS_THAN_DAILY_LIMIT")


def read_utm(params: Params, old: dict[str, str], macros: Collection[str]) -> dict[str, str]:
    """
    Return the marks after the change.

    All three of source, campaign and medium empty switch marking off; some
    of them empty is the error, which is how the document's two sentences agree.

    Raises:
        Refusal: One of the documented rules is broken.
    """
    marks = dict(old)
    three = UTM_NAMES[:3]
    if params.given(*three):
        values = {name: params.text(name) for name in three}
        if 0 < sum(map(bool, values.values())) < len(three):
            raise refuse("UTM_TAGGING_FIELDS_MUST_NOT_BE_EMPTY")
        marks.update(values)
    if params.given("utm_custom"):
        marks["utm_custom"] = params.text("utm_custom")
    for name, value in marks.items():
        _check_mark(name, value, macros)
    return {name: value for name, value in marks.items() if value}


def _check_mark(name: str, value: str, macros: Collection[str]) -> None:
    if has_reserved_mark(value):
        raise refuse("ERROR_MGCLID_MGCLIDA_SYSTEM_PARAMETERS_CANNOT_USE_THEM")
    if len(value) > MAX_UTM:
        raise refuse(f"{name.upper()}_TOO_LONG_STR")
    plain = value
    for macro in macros:
        plain = plain.replace(macro, "")
    if _MARK.fullmatch(plain) is None:
        raise refuse("WRONG_UTM_CUSTOM_FORMAT" if name == "utm_custom" else "ERROR_INVALID_PARAMETER")


def read_geo(params: Params, name: str) -> Geo | None:
    """Return the places of a geo literal, or None when it is none; countries win over cities."""
    value = params.literal(name)
    if not isinstance(value, dict) or value.get("method") != "set":
        return None
    try:
        countries = [str(code).strip().upper() for code in value.get("countries") or []]
        cities = [int(city) for city in value.get("cities") or []]
    except (TypeError, ValueError, OverflowError):
        return None
    if not set(countries) <= set(COUNTRIES) or not set(cities) <= set(CITIES):
        return None
    if countries:
        return {code: frozenset() for code in countries}
    geo: dict[str, frozenset[int]] = {}
    for city in cities:
        code = CITIES[city].country
        geo[code] = geo.get(code, frozenset()) | {city}
    return geo or None
