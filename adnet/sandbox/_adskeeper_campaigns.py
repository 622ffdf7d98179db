"""
Operations 1, 2, 7 to 14, 20, 26 and 29 of the Adskeeper imitation: campaigns.

Several operations share one route; which one a request is, its parameters
tell. A change that is refused leaves the campaign as it was.

Source: Adskeeper advertiser API document.
"""

import copy
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from adnet.sandbox import _adskeeper_filters as filters
from adnet.sandbox._adskeeper_call import Call, day, id_of, refuse
from adnet.sandbox._adskeeper_settings import (
    LIMIT_NAMES,
    UTM_NAMES,
    read_geo,
    read_limits,
    read_utm,
)
from adnet.sandbox._adskeeper_shapes import campaign_shape, client_shape
from adnet.sandbox._adskeeper_state import DELETED, RUNNING, Campaign, Geo
from adnet.sandbox._adskeeper_values import (
    BROWSERS,
    CATEGORIES,
    CREATABLE_TYPES,
    LANGUAGES,
    OPERATING_SYSTEMS,
    UTM_MACROS,
    UTM_MACROS_ON_PUT,
)

__all__ = [
    "create_campaign",
    "delete_campaign",
    "get_campaign",
    "get_client",
    "list_campaigns",
    "page_of",
    "patch_campaign",
    "put_utm",
]

Row = TypeVar("Row")
Edit = Callable[[Call, Campaign], dict[str, Any]]

MAX_CAMPAIGNS = 500
"""Both the largest page and the largest account that needs no pages."""
TARGET_NAMES = ("browserTargets", "osTargets")


def get_client(call: Call) -> dict[str, Any]:
    """Operation 1: money in cents, time zone, currency."""
    call.served.append(1)
    return client_shape(call)


def page_of(call: Call, rows: list[Row], most: int) -> list[Row]:
    """
    Return the page asked for; start is a row or a page number, by dialect.

    Raises:
        Refusal: The limit is above *most*, or a page number below 1.
    """
    limit, start = call.params.number("limit"), call.params.number("start")
    if limit is not None and limit > most:
        raise refuse(f"ERROR_MAX_LIMIT_PER_PAGE_{most}")
    if call.dialect.pagination == "page1":
        page = 1 if start is None else start
        if page < 1:
            raise refuse("ERROR_MIN_PAGE_NUMBER_1")
        first = (page - 1) * (limit or 0)
    else:
        first = max(start or 0, 0)
    return rows[first : first + limit if limit else None]


def list_campaigns(call: Call) -> Any:
    """Operation 2 without an id: a map of campaigns by id."""
    rows = sorted(call.account.campaigns.values(), key=lambda campaign: campaign.id)
    if len(rows) > MAX_CAMPAIGNS and not call.params.number("limit"):
        raise refuse("ERROR_TOO_MANY_CAMPAIGNS_USE_PARAMS_LIMIT_AND_START")
    page = page_of(call, rows, MAX_CAMPAIGNS)
    fields = frozenset(call.params.words("fields"))
    call.served.append(2)
    return call.dialect.mapping({str(row.id): campaign_shape(call, row, fields) for row in page})


def get_campaign(call: Call) -> dict[str, Any]:
    """Operation 2 with an id, or 12 when nothing but whenAdd is asked for: one bare campaign."""
    campaign = call.campaign(deleted=True)
    fields = frozenset(call.params.words("fields"))
    call.served.append(12 if fields - {"id"} == {"whenAdd"} else 2)
    return campaign_shape(call, campaign, fields)


def create_campaign(call: Call) -> dict[str, Any]:
    """Operation 8, or 7 when it brings limits, marks or targets along."""
    params = call.params
    kind = params.text("campaignType") or "product"
    if kind not in CREATABLE_TYPES:
        raise refuse("ERROR_NOT_VALID_CAMPAIGN_TYPE")
    geo = _new_geo(call)
    campaign = Campaign(
        id=0,
        name=_new_name(call),
        type=kind,
        language=_language(call),
        category=_new_category(call, kind),
        own_status=6,
        when_add=f"{call.now:%Y-%m-%d %H:%M:%S}",
        advertiser=params.text("advertiserName"),
        keyword=params.text("keyword"),
        start=_date(call, "startDate"),
        end=_date(call, "endDate"),
        languages=_languages(call),
        geo=geo,
        geo_wanted=geo,
    )
    _check_new(call, campaign)
    full = _apply_sections(call, campaign)
    campaign.id = call.account.next_id()
    call.account.campaigns[campaign.id] = campaign
    call.served.append(7 if full else 8)
    return {"id": campaign.id}


def _new_name(call: Call) -> str:
    name = call.params.text("name")
    if not name:
        raise refuse("ERROR_INVALID_PARAMETER")
    if len(name) > 128:
        raise refuse("CAMPAIGN_NAME_TOO_LONG")
    others = (row for row in call.account.campaigns.values() if row.own_status != DELETED)
    if any(row.name == name for row in others):
        raise refuse("ADVERTISE_NAME_EXISTS")
    return name


def _new_geo(call: Call) -> Geo:
    flag = call.params.text("enabledGeoTargetingFlag")
    if not flag:
        raise refuse("ERROR_PARAMETER_ENABLED_GEO_TARGETING_FLAG_CAN_NOT_BE_EMPTY")
    if flag == "0":
        return {}
    if not call.params.text("geoTargets"):
        raise refuse("ERROR_PARAMETER_GEO_TARGETS_CAN_NOT_BE_EMPTY")
    geo = read_geo(call.params, "geoTargets")
    if flag != "1" or geo is None:
        raise refuse("ERROR_INVALID_PARAMETER")
    return geo


def _language(call: Call) -> int:
    # Creating takes the code, reading gives the number.
    code = call.params.text("language") or "en"
    found = next((number for number, known in LANGUAGES.items() if known == code), None)
    if found is None:
        raise refuse("ERROR_INVALID_PARAMETER")
    return found


def _new_category(call: Call, kind: str) -> int:
    fitting = [key for key, value in CATEGORIES.items() if kind in value.campaign_types]
    number = call.params.number("categoryId") if call.params.text("categoryId") else fitting[0]
    if number not in fitting:
        raise refuse("ERROR_INVALID_PARAMETER")
    return number


def _languages(call: Call) -> list[int]:
    if not call.params.given("languageTargets"):
        return []
    words = call.params.items("languageTargets")
    if not words:
        raise refuse("ERROR_PARAMETER_LANGUAGE_TARGETS_EMPTY")
    languages = [id_of(word) for word in words]
    if not set(languages) <= set(LANGUAGES):
        raise refuse("ERROR_PARAMETER_LANGUAGE_TARGETS_VALUE_INVALID")
    return languages


def _date(call: Call, name: str) -> date | None:
    text = call.params.text(name)
    if not text:
        return None
    found = day(text)
    if found is None:
        raise refuse("ERROR_WRONG_DATE_FORMAT")
    return found


def _check_new(call: Call, campaign: Campaign) -> None:
    if campaign.start is not None and campaign.start < call.today:
        raise refuse("NOT_VALID_WHEN_AUTOSTART")
    if campaign.start and campaign.end and campaign.end < campaign.start:
        raise refuse("ERROR_INVALID_PARAMETER")
    if campaign.type == "search_feed" and not campaign.keyword:
        raise refuse("ERROR_INVALID_PARAMETER")
    if len(campaign.advertiser) > 25:
        raise refuse("ERROR_INVALID_PARAMETER")


def _apply_sections(call: Call, campaign: Campaign) -> bool:
    """Apply the sections that only the full form has; return whether there were any."""
    params = call.params
    if params.given(*UTM_NAMES):
        campaign.utm = read_utm(params, {}, UTM_MACROS)
    if params.given(*LIMIT_NAMES):
        campaign.limits = read_limits(params, campaign.limits, call.dialect)
        campaign.own_status = 7
    campaign.browsers = _targets(call, "browserTargets", BROWSERS)
    campaign.systems = _targets(call, "osTargets", tuple(OPERATING_SYSTEMS))
    return params.given(*UTM_NAMES, *LIMIT_NAMES, *TARGET_NAMES)


def _targets(call: Call, name: str, known: tuple[str, ...]) -> list[str]:
    words = call.params.items(name)
    if (call.params.given(name) and not words) or not set(words) <= set(known):
        raise refuse("ERROR_NO_ENOUGH_PARAMETERS")
    return words


def put_utm(call: Call) -> dict[str, Any]:
    """Operation 9: marks of a campaign's links."""
    campaign = call.campaign()
    campaign.utm = read_utm(call.params, campaign.utm, UTM_MACROS_ON_PUT)
    call.served.append(9)
    return {"id": campaign.id}


def patch_campaign(call: Call) -> dict[str, Any]:
    """
    Operations 10, 11, 13, 14, 26 and 29: whatever the parameters name.

    Raises:
        Refusal: Nothing known was sent (NOT_ENOUGH_PARAMETERS, the document is
            silent), or one of the changes is refused: then none is kept.
    """
    draft = copy.deepcopy(call.campaign())
    chosen = [entry for entry in PATCHES if call.params.given(*entry[1])]
    if not chosen:
        raise refuse("NOT_ENOUGH_PARAMETERS")
    answer: dict[str, Any] = {"id": draft.id}
    for _, _, edit in chosen:
        answer.update(edit(call, draft))
    call.account.campaigns[draft.id] = draft
    call.served += [number for number, _, _ in chosen]
    return answer


def _edit_limits(call: Call, campaign: Campaign) -> dict[str, Any]:
    campaign.limits = read_limits(call.params, campaign.limits, call.dialect)
    if campaign.own_status in {6, 7}:
        campaign.own_status = 6 if campaign.limits.type is None else 7
    return {}


def _edit_block(call: Call, campaign: Campaign) -> dict[str, Any]:
    flag = call.params.text("whetherToBlockByClient")
    if flag not in {"0", "1"}:
        raise refuse("ERROR_INVALID_PARAMETER")
    campaign.blocked = flag == "1"
    return {}


PATCHES: tuple[tuple[int, tuple[str, ...], Edit], ...] = (
    (10, LIMIT_NAMES, _edit_limits),
    (11, ("whetherToBlockByClient",), _edit_block),
    (13, ("qualityFactor", "sourceQualityFactor"), filters.edit_quality),
    (14, ("widgetQualityFactor",), filters.edit_widget_quality),
    (26, ("ipsFilter",), filters.edit_ips),
    (29, ("widgetsFilterUid",), filters.edit_widgets),
    (29, ("sourceFilters",), filters.edit_sources),
)
"""Operation number, the parameters that mean it, and what it does."""


def delete_campaign(call: Call) -> dict[str, Any]:
    """
    Operation 20: into the bin, where status 14 shows it.

    Raises:
        Refusal: It does not exist, is a video campaign, or still runs. The
            document says that only stopped campaigns can be removed and names
            no code for it: ERROR_CAMPAIGN_MUST_BE_STOPPED is invented.
    """
    campaign = call.campaign()
    if campaign.type == "video":
        raise refuse("WRONG_CAMPAIGN_ID")
    if campaign.status in RUNNING:
        raise refuse("ERROR_CAMPAIGN_MUST_BE_STOPPED")
    campaign.own_status = DELETED
    call.served.append(20)
    return {"id": campaign.id}
