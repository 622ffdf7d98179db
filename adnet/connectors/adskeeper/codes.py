"""Adskeeper's 75 documented refusals, and two that were observed: what each means here.

Codes come in square brackets or bare, in a list or alone, some with a number at their end or inside; folded they
are keys of ``CODES``. Fields are named as they go over the wire.
Source: Adskeeper advertiser API document (documented); those marked observed come from newer editions and from
clients in production.
"""

import re
from collections.abc import Mapping
from typing import Final

import attrs

from adnet.errors import (
    AdnetError,
    ApiError,
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
)

NO_DATA: Final = "THERE_NO_DATA_IN_CHOSEN_PERIOD"
"""No failure: an empty result."""
NEEDS_PAGES: Final = "ERROR_TOO_MANY_CAMPAIGNS_USE_PARAMS_LIMIT_AND_START"
MAX_LIMIT: Final = "ERROR_MAX_LIMIT_PER_PAGE"
MIN_PAGE: Final = "ERROR_MIN_PAGE_NUMBER"
"""Observed: ``start`` counts pages from 1 and not rows from 0."""
NAME_EXISTS: Final = "ADVERTISE_NAME_EXISTS"


@attrs.frozen
class Code:
    """What one refusal means."""

    error: type[AdnetError]
    meaning: str
    field: str | None = None
    """Wire name of the field that is wrong."""


def _wrong(field: str, meaning: str) -> Code:
    return Code(InvalidRequestError, meaning, field)


def _missing(field: str) -> Code:
    return Code(InvalidRequestError, "must not be empty", field)


_RESERVED: Final = "must not use adclid or adclida, which belong to the network"

CODES: Final[Mapping[str, Code]] = {
    "ADVERTISE_NAME_EXISTS": Code(ConflictError, "a campaign of this name exists already", "name"),
    "CAMPAIGN_NAME_TOO_LONG": _wrong("name", "at most 128 characters"),
    "CONVERSION_TARGET_UNIQUE_ERROR": _wrong("stages", "one target cannot count for several stages"),
    "EDIT_PRICE_REQUIRED_PRICES": _missing("priceOfClick"),
    "ERROR_ADVERT_TEXT_TOO_LONG": _wrong("advertText", "at most 75 characters, 40 for push"),
    "ERROR_CAMPAIGN_DOES_NOT_EXIST": Code(NotFoundError, "no such campaign in this account"),
    "ERROR_CAMPAIGN_HAS_ANOTHER_CONVERSIONS_DATA_SOURCE": Code(
        ConflictError, "the campaign takes its conversions from an outside counter", "stages"
    ),
    "ERROR_CAMPAIGN_IS_DSP_CANT_CHANGE_QF": Code(
        ConflictError, "quality factors of a DSP campaign cannot be changed", "qualityFactor"
    ),
    "ERROR_EDITING_TEASER_ON_MODERATION_NOT_PERMITTED": Code(
        ConflictError, "the teaser is on moderation and cannot be edited until that ends"
    ),
    "ERROR_GREATER_THAN_LIMIT_PER_DAY": _wrong("dailyLimit", "above the network's highest daily limit"),
    "ERROR_INVALID_BROWSER_TARGETING": _wrong("browser", "no browser of the network's table"),
    "ERROR_INVALID_COUNTRY_TARGETING": _wrong("country", "no country of the network's table"),
    "ERROR_INVALID_OS_TARGETING": _wrong("os", "no operating system of the network's table"),
    "ERROR_INVALID_PARAMETER": Code(InvalidRequestError, "a parameter is not valid"),
    MAX_LIMIT: _wrong("limit", "above the network's largest page"),
    "ERROR_MGCLID_MGCLIDA_SYSTEM_PARAMETERS_CANNOT_USE_THEM": _wrong("url", _RESERVED),
    "ERROR_MINIMAL_DAILY_BUDGET_LIMIT_IS": _wrong("dailyLimit", "below the smallest daily budget"),
    "ERROR_MINIMAL_DAILY_CLICKS_LIMIT_IS": _wrong("dailyLimit", "below the smallest daily number of clicks"),
    "ERROR_NOT_VALID_CAMPAIGN_ID": Code(NotFoundError, "not the id of a campaign"),
    "ERROR_NOT_VALID_CAMPAIGN_TYPE": _wrong("campaignType", "not a type that can be created"),
    "ERROR_NOT_VALID_FILTER_TYPE": _wrong("filterType", "not a type of this filter"),
    "ERROR_NOT_VALID_METHOD": _wrong("method", "must be include or exclude"),
    "ERROR_NOT_VALID_PARAMETER_NAME": Code(InvalidRequestError, "a parameter is not valid"),
    "ERROR_NOT_VALID_TYPE": _wrong("type", "not a type that the network knows"),
    "ERROR_NO_ENOUGH_PARAMETERS": Code(
        InvalidRequestError, "a parameter is missing, or one of its values is not known; nothing was saved"
    ),
    "ERROR_OVERALL_BUDGET_LIMIT_LESS_THAN_DAILY_LIMIT": _wrong(
        "overallLimit", "the total budget must be above the daily one"
    ),
    "ERROR_OVERALL_CLICKS_LIMIT_LESS_THAN_DAILY_LIMIT": _wrong(
        "overallLimit", "the total number of clicks must be above the daily one"
    ),
    "ERROR_PARAMETER_CAMPAIGNID_CAN_NOT_BE_EMPTY": _missing("campaignId"),
    "ERROR_PARAMETER_CATEGORY_CAN_NOT_BE_EMPTY": _missing("category"),
    "ERROR_PARAMETER_CATEGORY_INCORRECT_FOR_THIS_CAMPAIGN_TYPE": _wrong(
        "category", "not a category for campaigns of this type"
    ),
    "ERROR_PARAMETER_ENABLED_GEO_TARGETING_FLAG_CAN_NOT_BE_EMPTY": _missing("enabledGeoTargetingFlag"),
    "ERROR_PARAMETER_GEO_TARGETS_CAN_NOT_BE_EMPTY": _missing("geoTargets"),
    "ERROR_PARAMETER_IMAGELINK_CAN_NOT_BE_EMPTY": _missing("imageLink"),
    "ERROR_PARAMETER_LANGUAGE_TARGETS_EMPTY": _missing("languageTargets"),
    "ERROR_PARAMETER_LANGUAGE_TARGETS_VALUE_INVALID": _wrong("languageTargets", "ids of languages"),
    "ERROR_PARAMETER_POST_SEND": Code(ApiError, "the network wants another HTTP method here"),
    "ERROR_PARAMETER_PRICEOFCLICK_CAN_NOT_BE_EMPTY": _missing("priceOfClick"),
    "ERROR_PARAMETER_TITLE_CAN_NOT_BE_EMPTY": _missing("title"),
    "ERROR_PARAMETER_URL_CAN_NOT_BE_EMPTY": _missing("url"),
    "ERROR_PARAMETER_WHETHERSHOWGOODPRICE_CAN_NOT_BE_EMPTY": _missing("whetherShowGoodPrice"),
    "ERROR_QUALITY_FACTOR_INVALID_FORMAT": _wrong("qualityFactor", "a number for each widget"),
    "ERROR_RESOURCE_NOT_FOUND": Code(NotFoundError, "no such teaser, or it is in the bin already"),
    "ERROR_SOURCE_INVALID_FORMAT": _wrong("sourceQualityFactor", "names or ids of sources"),
    "ERROR_SPLIT_DAILY_LIMIT_EVENLY_IS_AVAILABLE_IF_ONLY_DAILY_LIMIT_SET": _wrong(
        "splitDailyLimitEvenly", "only with a daily limit and without a total one"
    ),
    "ERROR_TITLE_TOO_LONG": _wrong("title", "at most 65 characters, 30 for push"),
    NEEDS_PAGES: _wrong("limit", "more than 500 campaigns come only in pages"),
    "ERROR_WIDGETUID_INVALID_FORMAT": _wrong("qualityFactor", "uids of widgets, or uid, s and sub-source"),
    "ERROR_WIDGET_QUALITY_FACTOR_INVALID_FORMAT": _wrong("widgetQualityFactor", "a number for each widget"),
    "ERROR_WRONG_DATE_FORMAT": _wrong("startDate", "a date is written YYYY-MM-DD"),
    "FILTER_TYPE_CANT_BE_CHANGED": Code(
        ConflictError, "a blocklist cannot become an allowlist", "sourceFilters"
    ),
    "INVALID_VALUE_FOR_INTERVAL": _wrong("dateInterval", "not a period that the network knows"),
    "LS_CAB_MORE_THAN": _wrong("priceOfClick", "above the network's highest price"),
    "LS_IMAGE_WRONG_EXTANTION": _wrong("imageLink", "jpg, jpeg, png, gif, mp4 or mov"),
    "MINIMAL_DAILY_BUDGET_LIMIT_ERROR": _wrong("dailyLimit", "not a budget"),
    "NOT_ENOUGH_PARAMETERS": Code(InvalidRequestError, "a parameter is missing"),
    "NOT_VALID_WHEN_AUTOSTART": _wrong("startDate", "must not be before today"),
    "ONE_OR_MORE_REGIONS_HAVE_PRICE_HIGHER_THAN_ACCEPTABLE_PRICE": _wrong(
        "priceOfClick", "above what is accepted in one or more regions"
    ),
    "SOURCES_CANNOT_BE_EMPTY": _missing("sourceFilters"),
    "SOURCES_DO_NOT_EXIST": Code(NotFoundError, "no such source", "sourceFilters"),
    "TARGET_ID_EMPTY": _wrong("stages", "each stage needs the id of its target"),
    "TARGET_ID_INVALID": Code(NotFoundError, "no such conversion target in this account", "stages"),
    "TEASER_DOES_NOT_EXIST": Code(NotFoundError, "no such teaser in this account"),
    NO_DATA: Code(NotFoundError, "there is no data in the chosen period"),
    "UTM_CAMPAIGN_TOO_LONG_STR": _wrong("utm_campaign", "at most 200 characters"),
    "UTM_CUSTOM_TOO_LONG_STR": _wrong("utm_custom", "at most 200 characters"),
    "UTM_MEDIUM_TOO_LONG_STR": _wrong("utm_medium", "at most 200 characters"),
    "UTM_SOURCE_TOO_LONG_STR": _wrong("utm_source", "at most 200 characters"),
    "UTM_TAGGING_FIELDS_MUST_NOT_BE_EMPTY": _wrong(
        "utm_source", "utm_source, utm_campaign and utm_medium go together"
    ),
    "VALIDATION_MACRO_WAS_FOUND_TITLE_PUSH": _wrong("title", "push campaigns allow no macros"),
    "VALIDATION_NOT_FLOAT": _wrong("priceOfClick", "not a number"),
    "WIDGETS_IDS_CANNOT_BE_EMPTY": _missing("widgetsFilterUid"),
    "WIDGETS_WITH_THESE_IDS_DO_NOT_EXIST": Code(NotFoundError, "no such widget", "widgetsFilterUid"),
    "WRONG_CAMPAIGN_ID": Code(InvalidRequestError, "video campaigns cannot be deleted through this API"),
    "WRONG_USE_FLOATING_LIMIT": _wrong("dailyLimit", "clicks are whole, budgets have at most two decimals"),
    "WRONG_UTM_CUSTOM_FORMAT": _wrong("utm_custom", "digits, Latin letters, - _ = + & @ / : ^ . and macros"),
}

OBSERVED: Final[Mapping[str, Code]] = {
    MIN_PAGE: _wrong("start", "pages are counted from 1"),
    "ERROR_CAMPAIGN_IS_NOT_TRANSPARENCY": Code(ConflictError, "the campaign has no optimisation by sources"),
    "ERROR_CAMPAIGN_IS_NOT_TRANSPARENCY_CANT_CHANGE_FILTER": Code(
        ConflictError, "the campaign has no optimisation by sources", "sourceFilters"
    ),
    "ERROR_CAMPAIGN_IS_NOT_TRANSPARENCY_CANT_CHANGE_QF": Code(
        ConflictError, "the campaign has no optimisation by sources", "sourceQualityFactor"
    ),
    "AUTHENTICATION_TOKEN_MISSING": Code(AuthenticationError, "the request carries no token"),
}

_BROAD: Final = (
    (
        re.compile(r"ERROR_PARAMETER_\w+_CAN_NOT_BE_EMPTY"),
        Code(InvalidRequestError, "a parameter is missing"),
    ),
    (
        re.compile(r"ERROR_(NOT_VALID|INVALID|WRONG)_\w+"),
        Code(InvalidRequestError, "a parameter is not valid"),
    ),
    (re.compile(r"\w+_TOO_LONG(_\w+)?"), Code(InvalidRequestError, "a parameter is too long")),
    (re.compile(r"\w+_(DOES|DO)_NOT_EXIST|\w+_NOT_FOUND"), Code(NotFoundError, "no such object")),
    (re.compile(r"\w+_CANT_CHANGE_\w+|\w+_MUST_BE_STOPPED"), Code(ConflictError, "not possible at present")),
)

_QUOTED_NUMBER: Final = re.compile(r"_?'[^']*'")
_TAIL: Final = re.compile(r"_ ?(?:[<%]?(\d+(?:[.,]\d+)?)[>%]?|%)$")
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)?")


def folded(code: str) -> str:
    """Return a code without the numbers that the network puts into it."""
    return _TAIL.sub("", _QUOTED_NUMBER.sub("", code.strip())).rstrip("_ ")


def number_in(code: str | None) -> int | None:
    """Return the whole number at the end of a code such as ``ERROR_MAX_LIMIT_PER_PAGE_700``, or None."""
    found = _TAIL.search((code or "").strip())
    return int(found[1]) if found and found[1] and found[1].isdigit() and len(found[1]) < 10 else None


def meaning_of(code: str) -> Code | None:
    """Return what a code means: exactly, or else by its form; None when nothing is known about it."""
    short = folded(code)
    found = CODES.get(short) or OBSERVED.get(short)
    return found or next((broad for form, broad in _BROAD if form.fullmatch(short)), None)


def told(code: str, meaning: Code) -> str:
    """Return the sentence for a code, with the numbers that came with it."""
    numbers = _NUMBER.findall(code) if folded(code) != code else []
    return f"{meaning.meaning} ({', '.join(numbers)})" if numbers else meaning.meaning
