"""The 41 documented operations of the Adskeeper advertiser API, and the login.

Operations that share a method and a path have a route each, so that errors and logs name what was meant.
Source of every path: Adskeeper advertiser API document (documented); the login is observed. A route is idempotent
when sending it twice does no more than once: filters name the members they include, so these are.
"""

from typing import Final, Literal

import attrs

from adnet.transport.wire import Route

_DOC: Final = "Adskeeper advertiser API document (documented), "
_CAMPAIGNS: Final = "/goodhits/clients/{client}/campaigns"
_OF_CLIENT: Final = _CAMPAIGNS + "/{campaign}"
_CAMPAIGN: Final = "/goodhits/campaigns/{campaign}"
_TEASERS: Final = "/goodhits/clients/{client}/teasers"
_TEASER: Final = _TEASERS + "/{teaser}"

LOGIN: Final = Route(
    operation="auth.token",
    method="POST",
    path="/auth/token",
    idempotent=True,
    buckets=("login",),
    source="observed in six clients; the document only says that a special function exists",
)


def _route(operation: str, method: str, path: str, section: str, *, idempotent: bool = True) -> Route:
    return Route(
        operation=operation, method=method, path=path, idempotent=idempotent, source=f'{_DOC}"{section}"'
    )


CLIENT: Final = _route("client.get", "GET", "/clients/{client}", "Working with clients")

CAMPAIGNS: Final = _route("campaigns.list", "GET", _CAMPAIGNS, "Getting a collection of campaigns")
CAMPAIGN: Final = _route("campaigns.get", "GET", _OF_CLIENT, "Getting a collection of campaigns")
CAMPAIGN_DATE: Final = _route("campaigns.get_created", "GET", _OF_CLIENT, "Getting creation date")
CREATE_CAMPAIGN: Final = _route(
    "campaigns.create", "POST", _CAMPAIGNS, "Creating a new ad campaign (with all settings)", idempotent=False
)
CREATE_BASIC: Final = _route(
    "campaigns.create_basic", "POST", _CAMPAIGNS, "Creating a new ad campaign", idempotent=False
)
UTM: Final = _route("campaigns.set_utm", "PUT", _CAMPAIGN + "/utmtracking/", "UTM markup settings")
LIMITS: Final = _route("campaigns.set_limits", "PATCH", _OF_CLIENT, "Setting limits")
BLOCK_CAMPAIGN: Final = _route("campaigns.set_blocked", "PATCH", _OF_CLIENT, "Block / unblock campaign")
QUALITY_FACTORS: Final = _route(
    "campaigns.set_quality_factors", "PATCH", _OF_CLIENT, "Setting the coefficient of a selective auction"
)
WIDGET_FACTORS: Final = _route(
    "campaigns.set_widget_factors", "PATCH", _OF_CLIENT, "Setting the coefficient to all sub-sources"
)
DELETE_CAMPAIGN: Final = _route("campaigns.delete", "DELETE", _OF_CLIENT, "Removing campaign to trash")
IPS: Final = _route("campaigns.edit_ips", "PATCH", _OF_CLIENT, "Editing advertising campaign IP targeting")
WIDGETS: Final = _route(
    "campaigns.edit_widgets", "PATCH", _OF_CLIENT, "Editing the filter settings on the sites"
)
SOURCES: Final = _route(
    "campaigns.edit_sources", "PATCH", _OF_CLIENT, "Editing the filter settings on the sites"
)

QUALITY: Final = _route(
    "statistics.quality", "GET", _CAMPAIGN + "/quality-analysis", "Getting campaign statistics by site"
)
QUALITY_OF: Final = _route(
    "statistics.quality", "GET", _CAMPAIGN + "/quality-analysis/{uid}", "Getting campaign statistics by site"
)
CLICKS: Final = _route("statistics.clicks", "GET", _CAMPAIGN + "/statistics", "Detailed daily statistics")
CAMPAIGNS_STAT: Final = _route(
    "statistics.campaigns", "GET", "/goodhits/clients/{client}/campaigns-stat", "Campaigns daily statistics"
)
VIDEO_STAT: Final = _route(
    "statistics.videos",
    "GET",
    "/goodhits/clients/{client}/campaigns-video-stat",
    "Statistics for video campaigns",
)
TEASER_STAT: Final = _route(
    "statistics.teaser",
    "GET",
    "/goodhits/clients/{client}/teaser-stat/{teaser}",
    "Teaser detailed statistics",
)

CLIENT_TARGETS: Final = _route(
    "conversions.list_targets", "GET", "/goodhits/clients/{client}/conversionsTargets", "Conversion targets"
)
CONVERSIONS: Final = _route(
    "conversions.list", "GET", _CAMPAIGN + "/conversions", "Retrieving conversion settings"
)
CREATE_CONVERSIONS: Final = _route(
    "conversions.create", "POST", _CAMPAIGN + "/conversions", "Creating conversion targets", idempotent=False
)
EDIT_CONVERSIONS: Final = _route(
    "conversions.edit", "PATCH", _CAMPAIGN + "/conversions", "Editing conversion settings"
)
DELETE_CONVERSIONS: Final = _route(
    "conversions.delete", "DELETE", _CAMPAIGN + "/conversions", "Delete conversion target"
)

Targeting = Literal["browsers", "operatingsystems", "browserslanguage", "phonePriceRange"]
_TARGETINGS: Final[tuple[Targeting, ...]] = (
    "browsers",
    "operatingsystems",
    "browserslanguage",
    "phonePriceRange",
)


def _targeting(kind: str, verb: str, method: str) -> Route:
    return _route(
        f"targetings.{verb}_{kind}", method, f"{_CAMPAIGN}/targetings/{kind}", f"{kind} targeting settings"
    )


GEO: Final = _targeting("geo", "get", "GET")
SET_GEO: Final = _targeting("geo", "set", "PUT")
TARGETINGS: Final[dict[Targeting, Route]] = {kind: _targeting(kind, "get", "GET") for kind in _TARGETINGS}
EDIT_TARGETINGS: Final[dict[Targeting, Route]] = {
    kind: _targeting(kind, "edit", "PUT") for kind in _TARGETINGS
}

COUNTRIES: Final = _route("dictionaries.list_countries", "GET", "/dictionaries/geo", "Available countries")
CITIES: Final = _route("dictionaries.list_cities", "GET", "/dictionaries/geo", "Available regions (cities)")

TEASERS: Final = _route("teasers.list", "GET", _TEASERS, "Getting a list of client teasers")
TEASER: Final = _route("teasers.get", "GET", _TEASER, "Getting a list of client teasers")
CREATE_TEASER: Final = _route("teasers.create", "POST", _TEASERS, "Creating a new teaser", idempotent=False)
# Once edited, a teaser is on moderation and refuses the same edit.
EDIT_TEASER: Final = _route(
    "teasers.edit", "PUT", _TEASER, "Editing ad campaign teaser settings", idempotent=False
)
TEASER_PRICE: Final = _route("teasers.set_price", "PATCH", _TEASER, "Changing teaser's CPC")
BLOCK_TEASER: Final = _route("teasers.set_blocked", "PATCH", _TEASER, "Block / unblock a teaser")
DELETE_TEASER: Final = _route("teasers.delete", "DELETE", _TEASER, "Removing teaser (move to bin)")

UNANSWERED: Final = frozenset({BLOCK_CAMPAIGN, CREATE_CONVERSIONS, DELETE_CONVERSIONS, EDIT_TEASER})
"""Writes whose answer the document does not show; all others answer with an id."""


@attrs.frozen
class Operation:
    """One documented operation: its routes, and the methods of the native client that serve it."""

    number: int
    """In the document's order."""
    methods: tuple[str, ...]
    """``group.method``."""
    routes: tuple[Route, ...]


def _operation(number: int, methods: str, *routes: Route) -> Operation:
    return Operation(number, tuple(methods.split()), routes)


OPERATIONS: Final[dict[int, Operation]] = {
    operation.number: operation
    for operation in (
        _operation(1, "client.get", CLIENT),
        _operation(2, "campaigns.list_page campaigns.get", CAMPAIGNS, CAMPAIGN),
        _operation(3, "statistics.quality", QUALITY, QUALITY_OF),
        _operation(4, "statistics.clicks", CLICKS),
        _operation(5, "statistics.campaigns", CAMPAIGNS_STAT),
        _operation(6, "statistics.videos", VIDEO_STAT),
        _operation(7, "campaigns.create", CREATE_CAMPAIGN),
        _operation(8, "campaigns.create_basic", CREATE_BASIC),
        _operation(9, "campaigns.set_utm", UTM),
        _operation(10, "campaigns.set_limits", LIMITS),
        _operation(11, "campaigns.set_blocked", BLOCK_CAMPAIGN),
        _operation(12, "campaigns.get_created", CAMPAIGN_DATE),
        _operation(13, "campaigns.set_quality_factors campaigns.set_source_factors", QUALITY_FACTORS),
        _operation(14, "campaigns.set_widget_factors", WIDGET_FACTORS),
        _operation(15, "conversions.list_targets", CLIENT_TARGETS),
        _operation(16, "conversions.list_stages", CONVERSIONS),
        _operation(17, "conversions.create", CREATE_CONVERSIONS),
        _operation(18, "conversions.edit", EDIT_CONVERSIONS),
        _operation(19, "conversions.delete", DELETE_CONVERSIONS),
        _operation(20, "campaigns.delete", DELETE_CAMPAIGN),
        _operation(21, "targetings.get_geo", GEO),
        _operation(22, "dictionaries.list_countries", COUNTRIES),
        _operation(23, "dictionaries.list_cities", CITIES),
        _operation(24, "targetings.set_geo", SET_GEO),
        _operation(25, "targetings.edit_browsers", EDIT_TARGETINGS["browsers"]),
        _operation(26, "campaigns.edit_ips", IPS),
        _operation(27, "targetings.edit_operating_systems", EDIT_TARGETINGS["operatingsystems"]),
        _operation(28, "targetings.get_operating_systems", TARGETINGS["operatingsystems"]),
        _operation(29, "campaigns.edit_widgets campaigns.edit_sources", WIDGETS, SOURCES),
        _operation(30, "targetings.edit_browser_languages", EDIT_TARGETINGS["browserslanguage"]),
        _operation(31, "targetings.get_browser_languages", TARGETINGS["browserslanguage"]),
        _operation(32, "targetings.get_browsers", TARGETINGS["browsers"]),
        _operation(33, "targetings.edit_phone_prices", EDIT_TARGETINGS["phonePriceRange"]),
        _operation(34, "targetings.get_phone_prices", TARGETINGS["phonePriceRange"]),
        _operation(35, "teasers.list_page teasers.get", TEASERS, TEASER),
        _operation(36, "statistics.teaser", TEASER_STAT),
        _operation(37, "teasers.create", CREATE_TEASER),
        _operation(38, "teasers.edit", EDIT_TEASER),
        _operation(39, "teasers.set_price", TEASER_PRICE),
        _operation(40, "teasers.set_blocked", BLOCK_TEASER),
        _operation(41, "teasers.delete", DELETE_TEASER),
    )
}
"""Number of a documented operation -> what serves it."""

ROUTES: Final = (
    LOGIN,
    *dict.fromkeys(route for operation in OPERATIONS.values() for route in operation.routes),
)
"""Every route, each once."""
