"""The documented operations of the myTarget and VK Ads API.

``{campaigns}`` stands for the brand's own word, see :mod:`adnet.connectors.mytarget.profile`. A route's buckets are
named as ``throttling.json`` nests them: resource, version (or ``all``), operation (or none, which counts all).

Source of paths and methods: VK Ads API documentation and myTarget help (documented); names of resources that
``throttling.json`` was not seen to list are inferred from their paths.
"""

from typing import Final

import attrs

from adnet.transport.wire import Route

API: Final = "api"
"""Every request of the API, for the number in flight."""
OAUTH: Final = "oauth"
_DOC: Final = "myTarget help and VK Ads API documentation (documented), "


def buckets_of(resource: str, version: str, operation: str) -> tuple[str, ...]:
    """Return the limits that a request counts against, its own version's first."""
    scopes = ((version, operation), (version, ""), ("all", operation), ("all", ""))
    return (*(f"{resource}/{scope}/{word}" for scope, word in scopes), API)


_OPERATIONS: Final = {"GET": "READ", "POST": "CREATE", "PATCH": "UPDATE", "DELETE": "DELETE"}


def _route(
    operation: str,
    target: str,
    resource: str,
    *,
    counts: str | None = None,
    idempotent: bool | None = None,
    source: str = "",
) -> Route:
    """Return a route; *target* is its method and its path below ``/api/``.

    What only reads, deletes or sets absolute values may be sent twice; what creates may not.
    """
    method, _, path = target.partition(" ")
    version = path.partition("/")[0]
    return Route(
        operation=operation,
        method=method,
        path=f"/api/{path}",
        idempotent=method in {"GET", "PATCH", "DELETE"} if idempotent is None else idempotent,
        buckets=buckets_of(resource, version, counts or _OPERATIONS[method]),
        source=_DOC + (source or operation),
    )


def posted(route: Route) -> Route:
    """Return the same partial update by POST, which is how the vendor documents it."""
    return attrs.evolve(route, method="POST")


@attrs.frozen(kw_only=True)
class ObjectRoutes:
    """What can be done with one kind of advertising object."""

    kind: str
    list: Route
    get: Route
    create: Route
    update: Route
    delete: Route | None
    mass: Route


def _objects(kind: str, resource: str, *, word: str, create: str = "", delete: bool = True) -> ObjectRoutes:
    single = f"v2/{word}/{{id}}.json"
    return ObjectRoutes(
        kind=kind,
        list=_route(f"{kind}.list", f"GET v2/{word}.json", resource),
        get=_route(f"{kind}.get", f"GET {single}", resource),
        create=_route(f"{kind}.create", f"POST v2/{create or word}.json", resource),
        update=_route(f"{kind}.update", f"PATCH {single}", resource),
        delete=_route(f"{kind}.delete", f"DELETE {single}", resource) if delete else None,
        mass=_route(
            f"{kind}.mass_action",
            f"POST v2/{word}/mass_action.json",
            resource,
            counts="UPDATE",
            idempotent=True,
            source="mass actions",
        ),
    )


CAMPAIGNS: Final = _objects("campaigns", "CAMPAIGN", word="{campaigns}")
AD_PLANS: Final = _objects("ad_plans", "AD_PLAN", word="ad_plans", delete=False)
BANNERS: Final = _objects("banners", "BANNER", word="banners", create="{campaigns}/{campaign_id}/banners")
OBJECTS: Final = {routes.kind: routes for routes in (CAMPAIGNS, AD_PLANS, BANNERS)}

REMODERATE: Final = _route(
    "banners.remoderate", "POST v2/banners/remoderate.json", "BANNER", counts="UPDATE", idempotent=True
)
MASS_REPLACE: Final = _route(
    # Not to be sent twice: what replaces "Shop" by "My Shop" would do so again.
    "banners.mass_replace",
    "POST v1/banners/mass_replace.json",
    "BANNER",
    counts="UPDATE",
)

# ---------------------------------------------------------------------- tokens


def _oauth(operation: str, path: str, *, idempotent: bool) -> Route:
    return Route(
        operation=operation,
        method="POST",
        path=f"/api/v2/oauth2/{path}.json",
        idempotent=idempotent,
        buckets=(OAUTH,),
        timeout_s=20.0,
        source=_DOC + "authorization",
    )


# Issuing takes one of five slots each time; a refresh takes none, so that it may be asked for again.
ISSUE: Final = _oauth("token.issue", "token", idempotent=False)
REFRESH: Final = _oauth("token.refresh", "token", idempotent=True)
CODE_INFO: Final = _oauth("token.code_info", "code_info", idempotent=True)
REVOKE: Final = _oauth("token.revoke", "token/delete", idempotent=True)

THROTTLING: Final = _route("throttling.get", "GET v2/throttling.json", "THROTTLING", source="limits")

# ---------------------------------------------------------------------- library

PACKAGES: Final = _route("packages.list", "GET v2/packages.json", "PACKAGE")
CREATE_URL: Final = _route("urls.create", "POST v2/urls.json", "URL", idempotent=True)
GET_URLS: Final = _route("urls.get", "GET v2/urls/{ids}.json", "URL")
FIND_URL: Final = _route("urls.find", "GET v1/urls/", "URL")
UPLOAD: Final = _route("content.upload", "POST v2/content/{kind}.json", "CONTENT")
DICTIONARY: Final = _route("dictionaries.get", "GET v2/{name}.json", "DICTIONARY")

# ---------------------------------------------------------------------- statistics

_STAT: Final = "statapid_generic"
STAT_DAYS: Final = _route("statistics.days", "GET v2/statistics/{object}/day.json", _STAT)
STAT_SUMMARY: Final = _route("statistics.summary", "GET v2/statistics/{object}/summary.json", _STAT)
STAT_TOTALS: Final = _route("statistics.totals", "GET v3/statistics/{object}/day.json", _STAT)
STAT_GOALS: Final = _route("statistics.goals", "GET v2/statistics/goals/{object}/day.json", _STAT)
STAT_INAPP: Final = _route("statistics.inapp", "GET v2/statistics/inapp/{object}/day.json", _STAT)
STAT_OFFLINE: Final = _route(
    "statistics.offline", "GET v2/statistics/offline_conversions/{object}/day.json", _STAT
)
FASTSTAT: Final = {
    version: _route("statistics.fast", f"GET {version}/statistics/faststat/{{object}}.json", _STAT)
    for version in ("v2", "v3")
}

# ---------------------------------------------------------------------- audiences

_LISTS: Final = "REMARKETINGUSERSLIST"
LIST_USERS_LISTS: Final = _route("users_lists.list", "GET v3/remarketing/users_lists.json", _LISTS)
GET_USERS_LIST: Final = _route("users_lists.get", "GET v3/remarketing/users_lists/{id}.json", _LISTS)
CREATE_USERS_LIST: Final = _route("users_lists.create", "POST v3/remarketing/users_lists.json", _LISTS)
UPDATE_USERS_LIST: Final = _route("users_lists.update", "PATCH v3/remarketing/users_lists/{id}.json", _LISTS)
DELETE_USERS_LIST: Final = _route("users_lists.delete", "DELETE v3/remarketing/users_lists/{id}.json", _LISTS)
CLOSE_USERS_LIST: Final = _route(
    "users_lists.close", "DELETE v2/remarketing/users_lists/{id}/users/{user_id}.json", _LISTS
)

_SEGMENT: Final = "v2/remarketing/segments"
LIST_SEGMENTS: Final = _route("segments.list", f"GET {_SEGMENT}.json", "SEGMENT")
GET_SEGMENT: Final = _route("segments.get", f"GET {_SEGMENT}/{{id}}.json", "SEGMENT")
CREATE_SEGMENT: Final = _route("segments.create", f"POST {_SEGMENT}.json", "SEGMENT")
UPDATE_SEGMENT: Final = _route("segments.update", f"PATCH {_SEGMENT}/{{id}}.json", "SEGMENT")
DELETE_SEGMENT: Final = _route("segments.delete", f"DELETE {_SEGMENT}/{{id}}.json", "SEGMENT")
LIST_RELATIONS: Final = _route("relations.list", f"GET {_SEGMENT}/{{id}}/relations.json", "SEGMENT")
ADD_RELATIONS: Final = _route("relations.create", f"POST {_SEGMENT}/{{id}}/relations.json", "SEGMENT")
UPDATE_RELATION: Final = _route(
    "relations.update", f"PATCH {_SEGMENT}/{{id}}/relations/{{relation_id}}.json", "SEGMENT"
)
DELETE_RELATIONS: Final = _route(
    "relations.delete", f"DELETE {_SEGMENT}/{{id}}/relations/{{ids}}.json", "SEGMENT"
)

_COUNTER: Final = "v2/remarketing/counters"
LIST_COUNTERS: Final = _route("counters.list", f"GET {_COUNTER}.json", "COUNTER")
GET_COUNTER: Final = _route("counters.get", f"GET {_COUNTER}/{{id}}.json", "COUNTER")
CREATE_COUNTER: Final = _route("counters.create", f"POST {_COUNTER}.json", "COUNTER")
UPDATE_COUNTER: Final = _route("counters.update", f"PATCH {_COUNTER}/{{id}}.json", "COUNTER")
DELETE_COUNTER: Final = _route("counters.delete", f"DELETE {_COUNTER}/{{id}}.json", "COUNTER")
LIST_GOALS: Final = _route("goals.list", f"GET {_COUNTER}/{{id}}/goals.json", "COUNTER")
CREATE_GOAL: Final = _route("goals.create", f"POST {_COUNTER}/{{id}}/goals.json", "COUNTER")
UPDATE_GOAL: Final = _route("goals.update", f"PATCH {_COUNTER}/{{id}}/goals/{{goal_id}}.json", "COUNTER")
ALL_GOALS: Final = _route("goals.all", "GET v2/goals.json", "COUNTER")

LIST_KEYS: Final = _route("sharing_keys.list", "GET v2/sharing_keys.json", "SHARINGKEY")
CREATE_KEY: Final = _route("sharing_keys.create", "POST v2/sharing_keys.json", "SHARINGKEY")
ACTIVATE_KEY: Final = _route(
    "sharing_keys.activate",
    "POST v2/sharing_keys/{key}.json",
    "SHARINGKEY",
    counts="UPDATE",
    idempotent=True,
)
DELETE_KEY: Final = _route("sharing_keys.delete", "DELETE v2/sharing_keys/{key}.json", "SHARINGKEY")

# ---------------------------------------------------------------------- accounts and money

USER: Final = {version: _route("user.get", f"GET {version}/user.json", "USER") for version in ("v2", "v3")}
UPDATE_USER: Final = {
    version: _route("user.update", f"PATCH {version}/user.json", "USER") for version in ("v2", "v3")
}
USER_ACCOUNT: Final = _route("user.account", "GET v2/user/account.json", "USER")


@attrs.frozen(kw_only=True)
class ClientRoutes:
    """The clients of an agency, or those a manager looks after."""

    list: Route
    count: Route
    update: Route
    create: Route | None = None
    delete: Route | None = None


def _clients(kind: str, version: str, *, owns: bool) -> ClientRoutes:
    resource, path = f"{kind.upper()}CLIENT", f"{version}/{kind}/clients"
    return ClientRoutes(
        list=_route(f"{kind}_clients.list", f"GET {path}.json", resource),
        count=_route(f"{kind}_clients.count", f"GET {path}/count.json", resource),
        update=_route(f"{kind}_clients.update", f"PATCH {path}/{{id}}.json", resource),
        create=_route(f"{kind}_clients.create", f"POST {path}.json", resource) if owns else None,
        delete=_route(f"{kind}_clients.delete", f"DELETE {path}/{{id}}.json", resource) if owns else None,
    )


AGENCY_CLIENTS: Final = _clients("agency", "v2", owns=True)
MANAGER_CLIENTS: Final = _clients("manager", "v3", owns=False)

TRANSFER: Final = _route("billing.transfer", "POST v2/billing/transactions/{way}/{id}.json", "BILLING")
TRANSACTIONS: Final = _route("billing.transactions", "GET v2/billing/transaction_groups.json", "BILLING")


def _all_routes() -> tuple[Route, ...]:
    found: dict[tuple[str, str], Route] = {}
    for value in list(globals().values()):
        for item in value.values() if isinstance(value, dict) else (value,):
            parts = (
                attrs.asdict(item, recurse=False).values()
                if isinstance(item, ObjectRoutes | ClientRoutes)
                else (item,)
            )
            found.update({(r.operation, r.path): r for r in parts if isinstance(r, Route)})
    return tuple(found.values())


ROUTES: Final = _all_routes()
"""Every route there is."""
