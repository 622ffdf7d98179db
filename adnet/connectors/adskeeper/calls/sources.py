"""Writes that decide where a campaign is shown and at what price: operations 13, 14, 26 and 29.

Source: Adskeeper advertiser API document (documented).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from adnet.connectors.adskeeper import forms, routes
from adnet.connectors.adskeeper.calls.call import Call
from adnet.connectors.adskeeper.checks import Check, networks
from adnet.connectors.adskeeper.forms import Method

IpFilter = Literal["except", "only", "off"]
SourceFilter = Literal["blocklist", "allowlist", "off"]


def set_quality_factors(campaign_id: str, factors: Mapping[str, Any]) -> Call:
    """Return operation 13 by widget: keys are ``uid`` or ``uid`` + ``s`` + sub-source, values above zero."""
    return _factors(campaign_id, "qualityFactor", factors, uids=True)


def set_source_factors(campaign_id: str, factors: Mapping[str, Any]) -> Call:
    """Return operation 13 by source name or id, for campaigns with the optimisation by sources."""
    return _factors(campaign_id, "sourceQualityFactor", factors, uids=False)


def set_widget_factors(campaign_id: str, factors: Mapping[str, Any]) -> Call:
    """Return operation 14: factors of widgets for all their sub-sources."""
    return _factors(campaign_id, "widgetQualityFactor", factors, uids=True)


def _factors(campaign_id: str, name: str, factors: Mapping[str, Any], *, uids: bool) -> Call:
    check = Check()
    found: dict[str, Any] = dict(check.factors(name, factors, uids=uids))
    if name == "sourceQualityFactor":
        # Bare numbers for widgets, texts for sources: both as the document prints them.
        found = {key: forms.digits(value) for key, value in found.items()}
    notes = check.notes()
    route = routes.WIDGET_FACTORS if name == "widgetQualityFactor" else routes.QUALITY_FACTORS
    return Call(route=route, path={"campaign": campaign_id}, form={name: forms.json_text(found)}, notes=notes)


def edit_ips(campaign_id: str, method: Method, kind: IpFilter, addresses: Iterable[str] = ()) -> Call:
    """Return operation 26: addresses and networks to include in a list, or to exclude from it."""
    check = Check()
    words = list(addresses)
    if kind != "off" or words:
        networks(check, "ipsFilter", words)
    notes = check.notes()
    form = {"ipsFilter": forms.sentence(method, kind, *words)}
    return Call(route=routes.IPS, path={"campaign": campaign_id}, form=form, notes=notes)


def edit_widgets(
    campaign_id: str, method: Method, kind: IpFilter, uids: Iterable[str] = (), *, priority: bool = False
) -> Call:
    """Return operation 29 by widget.

    Args:
        campaign_id: Whose filter.
        method: ``include`` in the list or ``exclude`` from it.
        kind: What the list is: all ``except`` these, ``only`` these, or ``off``.
        uids: ``uid``, or ``uid`` + ``s`` + sub-source. Turning the filter off needs one too: a made-up one is
            sent where none is given, since the network refuses an empty list (observed).
        priority: Take a sub-source although its widget is listed already (``block-widget-priority``).
    """
    check = Check()
    words = list(uids) or (["1"] if kind == "off" else [])
    check.members("widgetsFilterUid", words)
    form: dict[str, object] = {"widgetsFilterUid": forms.sentence(method, kind, *words)}
    if priority:
        form["block-widget-priority"] = ""
    notes = check.notes()
    return Call(route=routes.WIDGETS, path={"campaign": campaign_id}, form=form, notes=notes)


def edit_sources(campaign_id: str, method: Method, kind: SourceFilter, sources: Iterable[str] = ()) -> Call:
    """Return operation 29 by source name or id; it goes alone in its request."""
    check = Check()
    words = list(sources) or (["1"] if kind == "off" else [])
    check.members("sourceFilters", words)
    notes = check.notes()
    form = {"sourceFilters": forms.sentence(method, kind, *words)}
    return Call(route=routes.SOURCES, path={"campaign": campaign_id}, form=form, notes=notes)
