"""How campaigns and banners read: their fields, and those that are worked out."""

from collections.abc import Callable, Mapping
from typing import Any

from adnet.sandbox import _mytarget_query as query
from adnet.sandbox._mytarget_data import campaign_defaults
from adnet.sandbox._mytarget_query import ANY_OF, EQUAL, RANGE, STATUS, Listing, Read
from adnet.sandbox._mytarget_wire import Row
from adnet.sandbox._mytarget_world import World

_STAMPS = ("created", "updated")
PLAN_FIELDS = (
    "name",
    "status",
    "vkads_status",
    "objective",
    "autobidding_mode",
    "budget_limit",
    "budget_limit_day",
    "max_price",
    "date_start",
    "date_end",
    "priced_goal",
    "pricelist_id",
    "enable_offline_goals",
    "ad_object_id",
    "ad_object_type",
)
PLAN_LISTING = Listing(
    fields=("id", *PLAN_FIELDS, *_STAMPS, "user_id", "delivery", "issues"),
    default=("id", "name"),
    filters={"id": ANY_OF, "status": STATUS},
)


def campaign_listing(*, vk: bool) -> Listing:
    """Return what may be asked of campaigns, or of ad groups."""
    extra = ("ad_plan_id",) if vk else ()
    return Listing(
        fields=(
            "id",
            "name",
            "package_id",
            "user_id",
            *campaign_defaults(),
            *_STAMPS,
            "last_updated",
            "delivery",
            "issues",
            "package_priced_event_type",
            *extra,
        ),
        default=("id", "name", "package_id", *extra),
        filters={
            "id": ANY_OF,
            "status": STATUS,
            "last_updated": RANGE,
            **({"ad_plan_id": ANY_OF} if vk else {}),
        },
    )


def banner_listing(*, vk: bool) -> Listing:
    """Return what may be asked of banners."""
    parent = "ad_group" if vk else "campaign"
    return Listing(
        fields=(
            "id",
            f"{parent}_id",
            "name",
            "status",
            "content",
            "textblocks",
            "urls",
            "deeplink",
            "call_to_action",
            "products",
            "video_params",
            "moderation_status",
            "moderation_reasons",
            "delivery",
            "issues",
            "user_can_request_remoderation",
            "user_id",
            *(("ord_marker",) if vk else ()),
            *_STAMPS,
        ),
        default=("id", f"{parent}_id", "moderation_status"),
        filters={
            "id": ANY_OF,
            f"{parent}_id": ANY_OF,
            f"{parent}_status": STATUS,
            "status": STATUS,
            "updated": RANGE,
            "url": EQUAL,
            "textblock": EQUAL,
        },
        texts=frozenset({"url", "textblock"}),
    )


def reader(world: World) -> Read:
    """Return a function that reads any field of a campaign, a plan or a banner."""
    banners: dict[int, list[Row]] = {}

    def banners_of(campaign: Row) -> list[Row]:
        if not banners:
            banners.update(world.banners_of(world.objects.campaigns.rows))
        return banners[campaign["id"]]

    def read(row: Row, field: str) -> Any:
        if field == "issues":
            return _issues(world, row, banners_of)
        if field == "delivery":
            return _delivery(row, _issues(world, row, banners_of))
        work = _WORKED_OUT.get(field)
        return work(world, row) if work is not None else query.plain(row, field)

    return read


def _delivery(row: Row, issues: list[Row]) -> str:
    if not issues:
        return "delivering"
    codes = {issue["code"] for issue in issues}
    waiting = row.get("moderation_status") == "pending" and codes == {"BANNER_ON_MODERATION"}
    return "pending" if waiting else "not_delivering"


def _issues(world: World, row: Row, banners_of: Callable[[Row], list[Row]]) -> list[Row]:
    if "moderation_status" in row:
        codes = _banner_issues(world, row)
    elif "package_id" in row:
        codes = _campaign_issues(world, row, banners_of(row))
    else:
        codes = _own_issues(world, row)
    return [{"code": code, "message": code.replace("_", " ").capitalize()} for code in codes]


_STOPPED = {"blocked": ["STOPPED"], "deleted": ["ARCHIVED"]}
_WORST = ("active", "blocked", "deleted")


def _banner_issues(world: World, row: Row) -> list[str]:
    campaign = world.objects.campaigns.rows[row["campaign_id"]]
    codes = [f"BANNER_{code}" for code in _STOPPED.get(row["status"], [])]
    codes += {"banned": ["BANNER_BANNED"], "pending": ["BANNER_ON_MODERATION"]}.get(
        row["moderation_status"], []
    )
    plan = world.plan_of(campaign)
    above = [campaign["status"], *([plan["status"]] if plan else [])]
    # The documents name no code for a plan here; a banner knows one level above it.
    return codes + [f"CAMPAIGN_{code}" for code in _STOPPED.get(max(above, key=_WORST.index), [])]


def _campaign_issues(world: World, row: Row, banners: list[Row]) -> list[str]:
    codes = _own_issues(world, row)
    plan = world.plan_of(row)
    codes += [f"AD_PLAN_{code}" for code in (_own_issues(world, plan) if plan else [])]
    if row.get("_lost"):
        codes.append("SEGMENT_DELETED")
    active = [banner for banner in banners if banner["status"] == "active"]
    if not active:
        codes.append("NO_BANNERS_WITH_ACTIVE_STATUS")
    elif not any(banner["moderation_status"] == "allowed" for banner in active):
        codes.append("NO_ALLOWED_BANNERS")
    return codes


def _own_issues(world: World, row: Row) -> list[str]:
    """Return what a campaign's or a plan's own status and dates say."""
    codes = list(_STOPPED.get(row["status"], []))
    today = world.today().isoformat()
    if row["date_end"] and row["date_end"] < today:
        codes.append("OUT_OF_DATE_END")
    if row["date_start"] and row["date_start"] > today:
        codes.append("OUT_OF_DATE_START")
    return codes


def _plan_status(world: World, row: Row) -> Row:
    return {"status": row["status"], "codes": _own_issues(world, row)}


def _urls(world: World, row: Row) -> Row:
    known = world.objects.urls.rows
    names = ("id", "url", "url_object_id", "url_types")
    return {role: {name: known[link["id"]].get(name) for name in names} for role, link in row["urls"].items()}


def _content(world: World, row: Row) -> Row:
    known = world.objects.contents.rows
    names = ("id", "type", "variants")
    return {
        role: {name: known[media["id"]][name] for name in names} for role, media in row["content"].items()
    }


def _campaign_status(world: World, row: Row) -> str:
    return str(world.objects.campaigns.rows[row["campaign_id"]]["status"])


def _url(world: World, row: Row) -> str:
    return " ".join(link["url"] for link in _urls(world, row).values())


_WORKED_OUT: Mapping[str, Callable[[World, Row], Any]] = {
    "vkads_status": _plan_status,
    "urls": _urls,
    "content": _content,
    "url": _url,
    "textblock": lambda _world, row: " ".join(b["text"] for b in row["textblocks"].values()),
    "ad_group_id": lambda _world, row: row["campaign_id"],
    "campaign_status": _campaign_status,
    "ad_group_status": _campaign_status,
    "user_can_request_remoderation": lambda _world, row: row["moderation_status"] == "banned",
    "package_priced_event_type": lambda world, row: world.packages[row["package_id"]]["priced_event_type"],
}
