"""What goes along in ``extra`` as it is, and what must not: plans count what fields move, and a draft that is paused
stays paused.
"""

from collections.abc import Mapping
from typing import Any, Final

from adnet.connectors.adskeeper.changes.values import refuse

_DAILY: Final = "daily_budget or daily_clicks"
_TOTAL: Final = "total_budget or total_clicks"

CAMPAIGNS: Final = {
    "browserTargets": "targeting.browsers",
    "dailyLimit": _DAILY,
    "enabledGeoTargetingFlag": "targeting.geo",
    "endDate": "ends_on",
    "geoTargets": "targeting.geo",
    "ipsFilter": "targeting.ipsFilter",
    "languageTargets": "targeting.browserslanguage",
    "limitType": f"{_DAILY}, {_TOTAL}",
    "name": "name",
    "osTargets": "targeting.operatingsystems",
    "overallLimit": _TOTAL,
    "sourceFilters": "targeting.sourceFilters",
    "startDate": "starts_on",
    "utm_campaign": "tracking.utm_campaign",
    "utm_custom": "tracking.utm_custom",
    "utm_medium": "tracking.utm_medium",
    "utm_source": "tracking.utm_source",
    "whetherToBlockByClient": "status",
    "widgetsFilterUid": "targeting.widgetsFilterUid",
}
"""Wire name of a field of campaigns -> what to set instead."""
ADS: Final = {
    "advertText": "text",
    "campaignId": "campaign_id",
    "imageLink": "image_url",
    "priceOfClick": "bid",
    "priceOfClickByLocation": "bid",
    "title": "title",
    "url": "url",
    "whetherShowGoodPrice": "extra.goodPrice",
    "whetherToBlockByClient": "status",
}
"""Wire name of a field of ads -> what to set instead."""


def beside(more: Mapping[str, Any], own: Mapping[str, str]) -> dict[str, Any]:
    """Return what goes along as it is.

    Raises:
        InvalidRequestError: It holds a field of its own, which it would replace.
    """
    found = {str(name).strip(): value for name, value in more.items()}
    for name, ours in own.items():
        if name in found:
            raise refuse(f"extra.{name}", f"set {ours}")
    return found
