"""Packages, URLs, uploaded content and dictionaries.

Source: VK Ads documentation of Packages, URLs, Content, Region, Currencies
(documented). The dictionaries are small but have the documented shapes.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from functools import partial
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
    texts=frozenset({"objective"}),
)
REGIONS = (
    (1, 0, "Europe", "Европа"),
    (188, 1, "Russia", "Россия"),
    (70, 188, "Saint Petersburg", "Санкт-Петербург"),
    (77, 188, "Moscow", "Москва"),
    (39, 1, "Germany", "Германия"),
    (2, 0, "Asia", "Азия"),
    (143, 2, "Kazakhstan", "Казахстан"),
)


def list_packages(world: World, call: Call) -> web.Response:
    """GET packages.json: items only, not paged."""
    fields = query.chosen_fields(call, _PACKAGES)
    rows = query.filtered(call, _PACKAGES, world.packages.values(), query.plain)
    return ok({"items": [query.project(row, fields, query.plain) for row in rows]})


def create_url(world: World, call: Call) -> web.Response:
    """POST urls.json: queued for a check; until then `url_types` is empty."""
    url = call.object().get("url")
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
    row = world.objects.urls.add(
        {
            "user_id": call.user_id,
            "url": url,
            "url_types": [],
            "counters": [],
            "has_goals": False,
            "preview_link": None,
            "url_object_id": pieces.netloc,
        }
    )

    def check(_moment: datetime) -> None:
        external = pieces.scheme in {"http", "https"}
        row["url_types"] = ["external" if external else "store"]
        row["counters"] = ["YA_METRICA"] if external else []

    world.later(world.knobs.url_check_s, check)
    return json_reply({"id": row["id"]}, status=201)


def read_urls(world: World, call: Call) -> web.Response:
    """GET urls/<id>.json, or urls/<id>,<id>.json for several."""
    numbers = call.numbers()
    names = ("id", "url", "url_types", "counters", "has_goals", "preview_link")
    rows = [pick(world.objects.urls.get(call.user_id, n), names) for n in numbers]
    return ok({"items": rows} if len(rows) > 1 else rows[0])


def find_url(world: World, call: Call) -> web.Response:
    """GET /api/v1/urls/?url=...: the old lookup, which answers at once."""
    wanted = call.query.get("url", "")
    for row in world.objects.urls.of(call.user_id):
        if row["url"] == wanted:
            return ok({k: v for k, v in row.items() if k != "user_id"} | {"has_bad_landing": False})
    raise bad_field("url", "not_found", "Unknown URL")


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
    """GET regions.json: English, or Russian when the client prefers it."""
    russian = call.language.lower().startswith("ru")
    rows = [
        {"id": number, "parent_id": parent, "name": ru if russian else en, "flags": []}
        for number, parent, en, ru in REGIONS
    ]
    wanted = set(words(call.query.get("_id__in", call.query.get("_id", ""))))
    items = [row for row in rows if not wanted or str(row["id"]) in wanted]
    return ok({"count": len(items), "offset": 0, "items": items})


def targetings_tree(_world: World, _call: Call) -> web.Response:
    """GET targetings_tree.json."""
    interests = [
        {"id": 10226, "name": "Shoes", "nodes": []},
        {"id": 10230, "name": "Travel", "nodes": [{"id": 10231, "name": "Hotels", "nodes": []}]},
    ]
    return ok({"interests": interests, "interests_soc_dem": [{"id": 7, "name": "Parents"}]})


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
