"""Writes to campaigns: operations 7 to 11 and 20.

Source: Adskeeper advertiser API document (documented).
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal, Required, TypedDict, Unpack

from adnet.connectors.adskeeper import forms, routes, values
from adnet.connectors.adskeeper.auth import Dialect
from adnet.connectors.adskeeper.calls.call import Call
from adnet.connectors.adskeeper.checks import LONGEST_ADVERTISER, LONGEST_NAME, MACRO, Check, known
from adnet.errors import ConfigurationError
from adnet.money import exact

LimitType = Literal["clicks_limits", "budget_limits"]


class BasicSettings(TypedDict, total=False):
    """What both forms of creating a campaign take."""

    name: Required[str]
    """Unique in the account, at most 128 characters."""
    countries: Iterable[str]
    """Two-letter codes; win where cities are given too."""
    cities: Iterable[int | str]
    keyword: str | None
    """Required for search_feed."""
    start_date: date | str | None
    end_date: date | str | None
    """Documented for the basic form only."""
    language: str | None
    """Code of the campaign's language, although reading gives its id."""
    language_targets: Iterable[int]
    """Ids of languages, in spite of the document's description."""
    campaign_type: str | None
    """``product``, which is the network's default, ``content``, ``push`` or ``search_feed``."""
    advertiser_name: str | None
    """1 to 25 characters."""
    category_id: int | None
    more: Mapping[str, object] | None
    """Goes along as it is."""


class CampaignSettings(BasicSettings, total=False):
    """All settings of a new campaign."""

    utm: Mapping[str, str] | None
    limit_type: LimitType | None
    daily_limit: Decimal | int | None
    overall_limit: Decimal | int | None
    split_evenly: bool | None
    browsers: Iterable[str]
    operating_systems: Iterable[str]


UTM_NAMES = ("utm_source", "utm_campaign", "utm_medium", "utm_custom")


def _identity(check: Check, dialect: Dialect, settings: BasicSettings) -> dict[str, object]:
    """Return the fields that both forms of creating share."""
    name, keyword = settings["name"], settings.get("keyword")
    start, kind = settings.get("start_date"), settings.get("campaign_type")
    check.length("name", name, LONGEST_NAME, least=1)
    check.day("startDate", start)
    advertiser = settings.get("advertiser_name")
    if advertiser is not None:
        check.length("advertiserName", str(advertiser), LONGEST_ADVERTISER, least=1)
    if kind is not None and kind not in values.CAMPAIGN_TYPES:
        check.note(f"campaignType: {kind} is not documented for new campaigns; sent as it is")
    check.require(keyword or kind != "search_feed", "keyword", "search_feed campaigns need one")
    countries, cities = list(settings.get("countries", ())), list(settings.get("cities", ()))
    aimed = bool(countries or cities)
    return {
        "name": name,
        "enabledGeoTargetingFlag": forms.switch(aimed),
        "geoTargets": forms.geo(countries, cities, dialect.list_literals) if aimed else None,
        "keyword": keyword,
        "startDate": forms.iso(start),
        "endDate": _ends(check, start, settings.get("end_date")),
        **_tables(check, settings),
        "campaignType": kind,
        "advertiserName": advertiser,
    }


def _tables(check: Check, settings: BasicSettings) -> dict[str, object]:
    """Return the fields whose values stand in the network's tables."""
    language, category = settings.get("language"), settings.get("category_id")
    languages = list(settings.get("language_targets", ()))
    if language and check.require(isinstance(language, str), "language", "the code of a language"):
        check.listed("language", [language], values.LANGUAGES_BY_CODE)
    check.listed("languageTargets", languages, values.LANGUAGES)
    check.listed("categoryId", [] if category is None else [category], values.CATEGORIES)
    return {
        "language": language,
        "languageTargets": forms.sentence(*languages) if languages else None,
        "categoryId": category,
    }


def create(dialect: Dialect, **settings: Unpack[CampaignSettings]) -> Call:
    """Return operation 7: a campaign with all settings."""
    check = Check()
    known(check, settings, CampaignSettings)
    form = _identity(check, dialect, settings)
    utm, kind = settings.get("utm"), settings.get("limit_type")
    if utm:
        check.marks(utm, values.UTM_MACROS)
        form.update(utm)
    daily, overall = settings.get("daily_limit"), settings.get("overall_limit")
    evenly = settings.get("split_evenly")
    if kind is not None:
        form.update(_limits(check, dialect, kind, daily, overall, split_evenly=evenly))
    else:
        check.require(daily is overall is evenly is None, "limitType", "say what the limits are of")
    form.update(_aims(check, settings.get("browsers", ()), settings.get("operating_systems", ())))
    if form["endDate"] is not None and (utm or kind is not None):
        check.note("endDate: documented only for campaigns without limits and marks; check that it was saved")
    form.update(settings.get("more") or {})
    return Call(route=routes.CREATE_CAMPAIGN, form=form, notes=check.notes())


def create_basic(dialect: Dialect, **settings: Unpack[BasicSettings]) -> Call:
    """Return operation 8: a campaign without limits, marks and targets, with an end date."""
    check = Check()
    known(check, settings, BasicSettings)
    form = _identity(check, dialect, settings)
    form.update(settings.get("more") or {})
    return Call(route=routes.CREATE_BASIC, form=form, notes=check.notes())


def _aims(check: Check, browsers: Iterable[str], systems: Iterable[str]) -> dict[str, object]:
    chosen = {"browserTargets": list(browsers), "osTargets": list(systems)}
    check.listed("browserTargets", chosen["browserTargets"], values.BROWSERS)
    check.listed("osTargets", chosen["osTargets"], values.OPERATING_SYSTEMS)
    return {name: forms.sentence(*words) for name, words in chosen.items() if words}


def _ends(check: Check, start: date | str | None, end: date | str | None) -> str | None:
    check.day("endDate", end)
    first, last = forms.iso(start), forms.iso(end)
    if first and last:
        check.require(last >= first, "endDate", "must not be before startDate")
    return last


def may_be_set(mark: str) -> bool:
    """Say whether an existing campaign takes a mark: two macros are for new ones only (documented)."""
    return values.UTM_MACROS_ON_PUT.issuperset(MACRO.findall(mark))


def set_utm(campaign_id: str, marks: Mapping[str, str]) -> Call:
    """Return operation 9. All of source, campaign and medium empty switches marking off."""
    check = Check()
    check.require(marks, "utm_source", "at least one mark is needed")
    for name in marks:
        check.require(name in UTM_NAMES, name, f"a mark is one of {', '.join(UTM_NAMES)}")
    check.marks(marks, values.UTM_MACROS_ON_PUT)
    return Call(route=routes.UTM, path={"campaign": campaign_id}, form=dict(marks), notes=check.notes())


def set_limits(
    dialect: Dialect,
    campaign_id: str,
    *,
    limit_type: LimitType,
    daily: Decimal | int | str | None = None,
    overall: Decimal | int | str | None = None,
    split_evenly: bool | None = None,
) -> Call:
    """Return operation 10. None leaves a limit as it is, ``""`` lifts it."""
    check = Check()
    form = _limits(check, dialect, limit_type, daily, overall, split_evenly=split_evenly)
    return Call(route=routes.LIMITS, path={"campaign": campaign_id}, form=form, notes=check.notes())


def _limits(
    check: Check, dialect: Dialect, kind: str, daily: Any, overall: Any, *, split_evenly: bool | None
) -> dict[str, object]:
    check.limits(kind, daily, overall, evenly=split_evenly)
    return {
        "limitType": kind,
        "dailyLimit": _limit(daily),
        "overallLimit": _limit(overall),
        "splitDailyLimitEvenly": split_flag(dialect, split_evenly),
    }


def _limit(value: Any) -> str | None:
    try:
        return forms.digits(exact(value))
    except ValueError:
        return None if value is None else ""  # empty text; anything else was refused before


def split_flag(dialect: Dialect, value: bool | None) -> str | None:
    """Return splitDailyLimitEvenly, which editions of the document define the other way round.

    Raises:
        ConfigurationError: The account's dialect does not say which edition its network follows.
    """
    if value is None:
        return None
    if dialect.split_daily_limit == "unset":
        raise ConfigurationError(
            "editions of the document contradict each other about splitDailyLimitEvenly: set split_daily_limit to"
            " seed (0 is on) or new (1 is on) in the account's configuration to use it"
        )
    return forms.switch(value == (dialect.split_daily_limit == "new"))


def set_blocked(campaign_id: str, *, blocked: bool) -> Call:
    """Return operation 11: stop or start a campaign."""
    form = {"whetherToBlockByClient": forms.switch(blocked)}
    return Call(route=routes.BLOCK_CAMPAIGN, path={"campaign": campaign_id}, form=form)


def delete(campaign_id: str) -> Call:
    """Return operation 20. Only stopped campaigns can be deleted."""
    return Call(route=routes.DELETE_CAMPAIGN, path={"campaign": campaign_id})
