"""
Site, source and address filters, and quality factors, of the Adskeeper imitation.

The filters are written in comma-joined sentences: a method (include, exclude),
what the list is (except, only, off; blocklist, allowlist, off), the members.
What cannot be understood is told and the rest is saved: a partial success.

Source: Adskeeper advertiser API document, "Editing the filter settings on the
sites", "Editing advertising campaign IP targeting", "Setting the coefficient
of a selective auction".
"""

import ipaddress
import re
from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from typing import Any

from adnet.sandbox._adskeeper_call import Call, Params, Refusal, refuse, whole
from adnet.sandbox._adskeeper_state import Campaign, Filter

__all__ = ["edit_ips", "edit_quality", "edit_sources", "edit_widget_quality", "edit_widgets"]

Partial = dict[str, Any]
"""What is added to the answer when only some of the members were saved; usually empty."""

NO_WIDGETS_OPTIMISATION = (
    "WIDGETS OPTIMIZATION IS NOT AVAILABLE FOR THIS CAMPAIGN. "
    "THIS CAMPAIGN IS ALREADY USING SOURCES OPTIMIZATION"
)

_UID = re.compile(r"(\d+)(?:s(\d+)|\(([\d ]*)\))?")
_FACTOR_KEY = re.compile(r"\d+(s\d+)?")


def _sentence(params: Params, name: str, types: Collection[str]) -> tuple[str, str, list[str]]:
    method, kind, *members = [*params.items(name), "", ""]
    if method not in {"include", "exclude"}:
        raise refuse("ERROR_NOT_VALID_METHOD")
    if kind not in types:
        raise refuse("ERROR_NOT_VALID_FILTER_TYPE")
    return method, kind, [member for member in members if member]


def edit_widgets(call: Call, campaign: Campaign) -> Partial:
    """
    Apply a widgetsFilterUid.

    Turning the filter off needs a member too, which may be anything: an empty
    list is refused. A type other than the present one starts a new list.

    Raises:
        Refusal: The sentence is wrong, or no member exists.
    """
    method, kind, members = _sentence(call.params, "widgetsFilterUid", ("except", "only", "off"))
    if not members:
        raise refuse("WIDGETS_IDS_CANNOT_BE_EMPTY")
    if kind == "off" or kind != campaign.widgets_type:
        campaign.widgets = {}
    campaign.widgets_type = kind
    if kind == "off":
        return {}
    parsed = {member: _place(call, member) for member in members}
    bad = [member for member, place in parsed.items() if place is None]
    if len(bad) == len(parsed):
        raise Refusal({"errors": ["[WIDGETS_WITH_THESE_IDS_DO_NOT_EXIST]"], "data": bad})
    priority = call.params.given("block-widget-priority")
    for place in filter(None, parsed.values()):
        if method == "include":
            _include(campaign, *place, priority=priority)
        else:
            _exclude(campaign, *place)
    # A text here, a list when nothing was saved: the document prints both.
    return {"errors": "[WIDGETS_WITH_THESE_IDS_DO_NOT_EXIST]", "data": bad} if bad else {}


def _place(call: Call, member: str) -> tuple[str, list[str]] | None:
    match = _UID.fullmatch(member)
    if match is None or match[1] not in call.account.widgets:
        return None
    return match[1], [match[2]] if match[2] else (match[3] or "").split()


def _include(campaign: Campaign, uid: str, subs: list[str], *, priority: bool) -> None:
    old = campaign.widgets.get(uid)
    if not subs or old is None:
        campaign.widgets[uid] = subs
    elif old or priority:
        campaign.widgets[uid] = sorted({*old, *subs}, key=int)
    # Else the whole widget is listed already, and its sub-source is ignored.


def _exclude(campaign: Campaign, uid: str, subs: list[str]) -> None:
    old = campaign.widgets.get(uid)
    if old is None or (subs and not old):
        return
    left = [sub for sub in old if sub not in subs] if subs else []
    if left:
        campaign.widgets[uid] = left
    else:
        del campaign.widgets[uid]


def edit_sources(call: Call, campaign: Campaign) -> Partial:
    """
    Apply a sourceFilters; sources go by id or by name.

    Raises:
        Refusal: Other parameters came along (the document forbids it and names
            no code: ERROR_INVALID_PARAMETER), the campaign does not optimise
            by sources, the sentence is wrong, or no source exists.
    """
    if len(call.params.values) > 1:
        raise refuse("ERROR_INVALID_PARAMETER")
    if not campaign.by_sources:
        raise refuse("ERROR_CAMPAIGN_IS_NOT_TRANSPARENCY_CANT_CHANGE_FILTER")
    types = ("blocklist", "allowlist", "off")
    method, kind, members = _sentence(call.params, "sourceFilters", types)
    if not members:
        raise refuse("SOURCES_CANNOT_BE_EMPTY")
    if (campaign.sources.type, kind) == ("blocklist", "allowlist"):
        raise refuse("FILTER_TYPE_CANT_BE_CHANGED")
    if kind == "off":
        campaign.sources = Filter()
        return {}
    found = {member: source_id(call, member) for member in members}
    bad = [member for member, number in found.items() if number is None]
    if len(bad) == len(found):
        raise refuse("SOURCES_DO_NOT_EXIST")
    good = {str(number) for number in found.values() if number is not None}
    _change(campaign.sources, kind, good, include=method == "include")
    return {"errors": ["[SOURCES_DO_NOT_EXIST]"], "data": bad} if bad else {}


def source_id(call: Call, member: str) -> int | None:
    """Return the id of a source given by id or name, or None."""
    by_name = {name: number for number, name in call.account.sources.items()}
    if member in by_name:
        return by_name[member]
    number = whole(member)
    return number if number in call.account.sources else None


def edit_ips(call: Call, campaign: Campaign) -> Partial:
    """
    Apply an ipsFilter.

    Raises:
        Refusal: The sentence is wrong; the document names no codes here, those
            of the other filters are used.
    """
    method, kind, members = _sentence(call.params, "ipsFilter", ("except", "only", "off"))
    if kind == "off":
        campaign.ips = Filter()
        return {}
    if not members or not all(_is_network(member) for member in members):
        raise refuse("ERROR_INVALID_PARAMETER")
    _change(campaign.ips, kind, set(members), include=method == "include")
    return {}


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _change(target: Filter, kind: str, members: set[str], *, include: bool) -> None:
    old = set(target.items) if target.type == kind else set()
    target.type = kind
    target.items = sorted(old | members if include else old - members)


def edit_quality(call: Call, campaign: Campaign) -> Partial:
    """Apply qualityFactor or sourceQualityFactor; these refusals wear no brackets."""
    if campaign.dsp:
        raise _bare("ERROR_CAMPAIGN_IS_DSP_CANT_CHANGE_QF")
    if call.params.given("sourceQualityFactor"):
        return _edit_source_quality(call, campaign)
    if campaign.by_sources:
        raise _bare(NO_WIDGETS_OPTIMISATION)
    factors = _factors(call.params, "qualityFactor", "ERROR_QUALITY_FACTOR_INVALID_FORMAT")
    if not all(_FACTOR_KEY.fullmatch(key) for key in factors):
        raise _bare("ERROR_WIDGETUID_INVALID_FORMAT")
    campaign.quality.update(factors)
    return {}


def _edit_source_quality(call: Call, campaign: Campaign) -> Partial:
    if not campaign.by_sources:
        raise _bare("ERROR_CAMPAIGN_IS_NOT_TRANSPARENCY_CANT_CHANGE_QF")
    factors = _factors(call.params, "sourceQualityFactor", "ERROR_QUALITY_FACTOR_INVALID_FORMAT")
    for name, factor in factors.items():
        number = source_id(call, name)
        if number is None:
            raise _bare("ERROR_SOURCE_INVALID_FORMAT")
        campaign.source_quality[str(number)] = factor
    return {}


def edit_widget_quality(call: Call, campaign: Campaign) -> Partial:
    """Apply widgetQualityFactor: one factor for a widget and all its sub-sources."""
    if campaign.dsp:
        raise _bare("ERROR_CAMPAIGN_IS_DSP_CANT_CHANGE_QF")
    if campaign.by_sources:
        raise _bare(NO_WIDGETS_OPTIMISATION)
    wrong = "ERROR_WIDGET_QUALITY_FACTOR_INVALID_FORMAT"
    for uid, factor in _factors(call.params, "widgetQualityFactor", wrong).items():
        if whole(uid) is None:
            raise _bare("ERROR_WIDGETUID_INVALID_FORMAT")
        campaign.quality[uid] = factor
        for sub in call.account.widgets.get(uid, ()):
            campaign.quality[f"{uid}s{sub}"] = factor
    return {}


def _bare(text: str) -> Refusal:
    return Refusal({"errors": [text]})


def _factors(params: Params, name: str, wrong: str) -> dict[str, Decimal]:
    value = params.literal(name)
    if not isinstance(value, dict) or not value:
        raise _bare(wrong)
    try:
        factors = {str(key).strip(): Decimal(str(factor)) for key, factor in value.items()}
    except InvalidOperation:
        raise _bare(wrong) from None
    if not all(factor.is_finite() and factor > 0 for factor in factors.values()):
        raise _bare(wrong)
    return factors
