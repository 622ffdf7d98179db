"""Packages, URLs, uploaded content and dictionaries.

Source: VK Ads documentation of Packages, URLs, Content, Region, Currencies
(documented). The dictionaries are small but have the documented shapes.
"""

import re
from collections.abc import Iterable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from adnet.sandbox import _mytarget_query as query
from adnet.sandbox._mytarget_data import content_row
from adnet.sandbox._mytarget_query import ANY_OF, EQUAL, STATUS, Listing
from adnet.sandbox._mytarget_wire import Action, Call, Endpoint, Row, bad_field, ok, pick, words
from adnet.sandbox._mytarget_world import World
from adnet.sandbox.base import json_reply

_SCHEMES = frozenset({"http", "https", "market", "itms", "itms-apps"})
_EXTENSIONS = {
    "static": frozenset({"jpg", "jpeg", "png", "gif"}),
    "video": frozenset({"mp4", "mov", "avi"}),
    "html5": frozenset({"zip"}),
}
MOST_BYTES = 50 * 2**20
_PACKAGE_FIELDS = (
    "id",
    "name",
    "description",
    "status",
    "objective",
    "price",
    "max_price_per_unit",
    "max_uniq_shows_limit",
    "priced_event_type",
    "paid_event_type",
    "banner_format_id",
    "pads_tree_id",
    "flags",
    "related_package_ids",
    "url_types",
    "package_request",
    "created",
    "updated",
)
_PACKAGES = Listing(
    fields=(*_PACKAGE_FIELDS, "options"),
    default=_PACKAGE_FIELDS,
    filters={"id": ANY_OF, "status": STATUS, "objective": EQUAL},
)
_REGION_FIELDS = ("id", "parent_id", "name", "flags")
_REGIONS = Listing(
    fields=_REGION_FIELDS,
    default=_REGION_FIELDS,
    filters={"id": ANY_OF, "parent_id": ANY_OF, "q": EQUAL, "flags": ANY_OF},
)
REGIONS = (
    (1, -1, "Europe", "Европа"),
    (188, 1, "Russia", "Россия"),
    (70, 188, "Saint Petersburg", "Санкт-Петербург"),
    (77, 188, "Moscow", "Москва"),
    (39, 1, "Germany", "Германия"),
    (2, -1, "Asia", "Азия"),
    (143, 2, "Kazakhstan", "Казахстан"),
)


def list_packages(world: World, call: Call) -> web.Response:
    """GET packages.json: items without a count."""
    fields = query.chosen_fields(call, _PACKAGES)
    rows = query.filtered(call, _PACKAGES, world.packages.values(), query.plain)
    items = [query.project(row, fields, query.plain) for row in rows]
    return ok(query.uncounted(call, items, world.knobs.uncounted_lists))


def create_url(world: World, call: Call) -> web.Response:
    """POST urls.json: queued for a check; until then `url_types` is empty."""
    row = _register(world, call.user_id, call.object().get("url"))
    world.later(world.knobs.url_check_s, lambda _moment: _check(row))
    return json_reply({"id": row["id"]}, status=201)


def _register(world: World, user_id: int, url: Any) -> Row:
    if not isinstance(url, str) or not url:
        raise bad_field("url", "required", "Field is required")
    try:
        pieces = urlsplit(url)
    except ValueError:  # a bracket that is not closed
        raise bad_field("url", "invalid_url", "Invalid URL") from None
    if pieces.scheme not in _SCHEMES:
        raise bad_field("url", "unknown_scheme", "Unknown scheme")
    if not pieces.netloc or re.search(r"\s", url):
        raise bad_field("url", "invalid_url", "Invalid URL")
    return world.objects.urls.add(
        {
            "user_id": user_id,
            "url": url,
            "url_types": [],
            "counters": [],
            "has_goals": False,
            "preview_link": None,
            "url_object_id": pieces.netloc,
        }
    )


def _check(row: Row) -> None:
    external = urlsplit(row["url"]).scheme in {"http", "https"}
    row["url_types"] = ["external" if external else "store"]
    row["counters"] = ["YA_METRICA"] if external else []


def read_urls(world: World, call: Call) -> web.Response:
    """GET urls/<id>.json, or urls/<id>,<id>.json for several."""
    numbers = call.numbers()
    names = ("id", "url", "url_types", "counters", "has_goals", "preview_link")
    rows = [pick(world.objects.urls.get(call.user_id, n), names) for n in numbers]
    return ok({"items": rows} if len(rows) > 1 else rows[0])


def find_url(world: World, call: Call) -> web.Response:
    """GET /api/v1/urls/?url=...: the old way, which registers and checks an address at once."""
    wanted = call.query.get("url", "")
    known = (row for row in world.objects.urls.of(call.user_id) if row["url"] == wanted)
    row = next(known, None) or _register(world, call.user_id, wanted)
    if not row["url_types"]:
        _check(row)
    return ok({k: v for k, v in row.items() if k != "user_id"} | {"has_bad_landing": False})


def upload(kind: str, world: World, call: Call) -> web.Response:
    """POST content/<kind>.json: multipart `file`, and `data` with the size in pixels."""
    part = call.parts.get("file")
    if part is None or not part.content:
        raise bad_field("file", "no_file", "No file")
    extension = (part.filename or "").rpartition(".")[2].lower()
    if extension not in _EXTENSIONS[kind]:
        raise bad_field("file", "format_not_supported", "Format is not supported")
    if len(part.content) > MOST_BYTES:
        raise bad_field("file", "content_too_large", "Content is too large")
    width, height = _pixels(call)
    row = world.objects.contents.add(content_row(call.user_id, kind, width, height, len(part.content)))
    return ok({"id": row["id"], "variants": _variants(kind, row)})


def _pixels(call: Call) -> tuple[int, int]:
    part = call.parts.get("data")
    try:
        data = msgspec.json.decode(part.content if part else b"{}", type=dict[str, int])
    except msgspec.ValidationError:
        raise bad_field("data", "bad_value", "Integers are expected") from None
    except msgspec.DecodeError:
        raise bad_field("data", "invalid_json", 'Invalid JSON in "data" field.') from None
    return data.get("width", 0), data.get("height", 0)


def _variants(kind: str, row: Row) -> Row:
    variants: Row = row["variants"]
    if kind != "html5":
        return variants
    old = variants["original"]
    html = pick(old, ("width", "height"))
    shown = {"url": old["url"], "html_params": html, "size": old["size"]}
    return {"original": shown, "uploaded": shown}


def regions(_world: World, call: Call) -> web.Response:
    """GET regions.json: all of them at once, in the client's language."""
    russian = _prefers_russian(call.language)
    rows = [
        {"id": number, "parent_id": parent, "name": ru if russian else en, "flags": _flags(parent)}
        for number, parent, en, ru in REGIONS
    ]
    fields = query.chosen_fields(call, _REGIONS)
    kept = query.filtered(call, _REGIONS, rows, _read_region)
    items = [query.project(row, fields, query.plain) for row in kept]
    return ok({"count": len(items), "items": items})


def _flags(parent: int) -> list[str]:
    return ["geo_tree", "geo_tree_extended", *(["rb_active"] if parent > 0 else [])]


def _read_region(row: Row, field: str) -> Any:
    return row["name" if field == "q" else field]


def _prefers_russian(header: str) -> bool:
    """Return whether Russian comes before English in an Accept-Language."""
    best: dict[str, float] = {"ru": 0.0, "en": 0.0}
    for choice in words(header):
        name, _, weight = choice.partition(";")
        language = name.strip().lower().partition("-")[0]
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if language in best:
            best[language] = max(best[language], quality)
    return best["ru"] > best["en"]


def targetings_tree(_world: World, call: Call) -> web.Response:
    """GET targetings_tree.json: all trees, or those that `targetings` names."""
    shoes, hotels = _interest(10226, "Shoes"), _interest(10231, "Hotels")
    trees = {
        "interests": [shoes, _interest(10230, "Travel", hotels)],
        "interests_soc_dem": [_interest(7, "Parents")],
        "interests_stable": [shoes],
        "interests_short": [hotels],
    }
    wanted = words(call.query.get("targetings", "")) or trees
    return ok({name: tree for name, tree in trees.items() if name in wanted})


def _interest(number: int, name: str, *children: Row) -> Row:
    return {"id": number, "name": name, "children": list(children) or None}


def pads_trees(_world: World, _call: Call) -> web.Response:
    """GET pads_trees.json."""
    pads = [{"id": 102643, "name": "Feed", "nodes": []}, {"id": 102641, "name": "Side"}]
    return ok({"items": [{"id": 1, "name": "All pads", "nodes": pads}]})


def currencies(world: World, _call: Call) -> web.Response:
    """GET currencies.json: the bounds and steps of prices and budgets."""
    rows = [
        {
            "currency": code,
            "price_step": "0.01",
            "budget_limit_step": world.knobs.budget_limit_step,
            "min_budget_limit": "0",
            "min_price": "0.01",
        }
        for code in ("RUB", "USD", "EUR", "KZT")
    ]
    return ok({"items": rows})


def operators(_world: World, _call: Call) -> web.Response:
    """GET mobile_operators.json."""
    return ok({"items": [{"id": 1, "name": "MTS"}, {"id": 2, "name": "Beeline"}]})


def formats(_world: World, _call: Call) -> web.Response:
    """GET banner_formats.json (myTarget) and banner_patterns.json (VK)."""
    roles = {
        "content": ["image_600x600"],
        "textblocks": ["title_25", "text_90"],
        "urls": ["primary"],
    }
    return ok({"items": [{"id": 11, "name": "Teaser 600x600", **roles}]})


def endpoints() -> Iterable[Endpoint]:
    """Yield the paths of this module."""
    read = partial(Action, operation="READ")
    yield Endpoint(path="packages.json", actions={"GET": read(handler=list_packages, resource="PACKAGE")})
    yield Endpoint(
        path="urls.json",
        actions={"POST": Action(handler=create_url, resource="URL", operation="CREATE")},
    )
    yield Endpoint(
        path=r"urls/{ids:\d+(?:,\d+)*}.json",
        actions={"GET": read(handler=read_urls, resource="URL")},
    )
    yield Endpoint(path="urls/", actions={"GET": read(handler=find_url, resource="URL")}, versions=("v1",))
    for kind in _EXTENSIONS:
        action = Action(handler=partial(upload, kind), resource="CONTENT", operation="CREATE")
        yield Endpoint(path=f"content/{kind}.json", actions={"POST": action})
    for path, handler in {
        "regions.json": regions,
        "targetings_tree.json": targetings_tree,
        "pads_trees.json": pads_trees,
        "currencies.json": currencies,
        "mobile_operators.json": operators,
        "banner_formats.json": formats,
        "banner_patterns.json": formats,
    }.items():
        yield Endpoint(path=path, actions={"GET": read(handler=handler, resource="DICTIONARY")})
