"""
Statistics: days and totals of version 2, pages of version 3, goals, in-app, faststat.

Source: VK Ads "Statistics" pages and captured answers (documented; the error
code for unknown campaigns is inferred from its siblings).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, TypeAlias

import attrs
from aiohttp import web

from adnet.sandbox import _mytarget_figures as figures
from adnet.sandbox._mytarget_figures import Figures, share
from adnet.sandbox._mytarget_wire import (
    Action,
    Call,
    Endpoint,
    Refused,
    Row,
    from_epoch,
    money,
    ok,
    refused,
    stamp,
    words,
)
from adnet.sandbox._mytarget_world import World
from adnet.sandbox.base import days

Banners: TypeAlias = Mapping[int, list[Row]]
"""Object -> the banners whose figures it is the sum of."""

MOST_IDS = 200
_RESOURCE = "statapid_generic"
_WRONG = {
    "banners": "ERR_WRONG_BANNERS",
    "campaigns": "ERR_WRONG_CAMPAIGNS",
    "ad_groups": "ERR_WRONG_ADGROUPS",
    "ad_plans": "ERR_WRONG_ADPLANS",
    "users": "ERR_WRONG_USERS",
}
_CONVERSIONS = ("postclick", "postview", "total")
_LIFETIME = timedelta(days=365)
APP_OBJECTIVE = "appinstalls"


def stat_refused(code: str, message: str, status: int = 400) -> Refused:
    """Return a refusal in the statistics' own upper-case codes."""
    return refused(status, code, message)


@attrs.frozen(kw_only=True)
class Asked:
    """A request for statistics, understood."""

    kind: str
    banners: Banners
    sets: tuple[str, ...]
    since: date
    until: date
    """Inclusive, as the vendor counts."""
    today: date

    def series(self, world: World, banners: list[Row]) -> list[tuple[date, Figures]]:
        """Return every day of the period with what banners did on it together."""
        found = world.series(banners, self.since, self.until, today=self.today)
        return [(self.since + timedelta(days=index), done) for index, done in enumerate(found)]

    def total(self, world: World, banners: list[Row]) -> Figures:
        """Return what banners did in the period."""
        return figures.add(world.series(banners, self.since, self.until, today=self.today))


def owned(world: World, user_id: int, kind: str) -> dict[int, list[Row]]:
    """Return all objects of a kind a user may see, each with its banners."""
    if kind == "banners":
        return {row["id"]: [row] for row in world.objects.banners.of(user_id)}
    if kind == "ad_plans":
        plans = [row["id"] for row in world.objects.ad_plans.of(user_id)]
        groups = world.campaigns_of(plans)
        members = world.banners_of(g["id"] for found in groups.values() for g in found)
        return {
            plan: [banner for group in found for banner in members[group["id"]]]
            for plan, found in groups.items()
        }
    if kind == "users":
        served = [link["user_id"] for link in world.clients_of(user_id)]
        return {number: world.objects.banners.of(number) for number in (user_id, *served)}
    return world.banners_of(row["id"] for row in world.objects.campaigns.of(user_id))


def _understood(
    world: World,
    call: Call,
    kind: str,
    *,
    family: str,
    names: str = "metrics",
    days_needed: bool = True,
) -> Asked:
    today = world.today()
    since, until = today - _LIFETIME, today
    if days_needed:
        since = _day(call, "date_from", None)
        until = _day(call, "date_to", today)
        _check_span(world, since, until)
    asked = Asked(
        kind=kind,
        banners=_chosen(world, call, kind),
        sets=_sets(world, call, names),
        since=since,
        until=until,
        today=today,
    )
    world.ledger.asked(
        user_id=call.user_id,
        kind=f"{family} {kind}",
        metrics=asked.sets,
        ids=asked.banners,
        since=since,
        until=until,
        now=world.now(),
    )
    world.ledger.grouped(f"statistics.{kind}", len(asked.banners))
    return asked


def _check_span(world: World, since: date, until: date) -> None:
    if until < since:
        raise stat_refused("ERR_WRONG_DATE", "date_to is before date_from")
    most = world.knobs.stat_days
    if (until - since).days + 1 > most:
        raise stat_refused("ERR_LIMIT_EXCEEDED", f"The period is longer than {most} days")


def _day(call: Call, name: str, default: date | None) -> date:
    text = call.query.get(name)
    if not text:
        if default is None:
            raise stat_refused("ERR_WRONG_PARAMETER", f"{name} is required")
        return default
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise stat_refused("ERR_WRONG_DATE", f"{name} must be YYYY-MM-DD") from None


def _chosen(world: World, call: Call, kind: str) -> Banners:
    """Return the objects asked for; all of them when no id is given, as clients do."""
    known = owned(world, call.user_id, kind)
    texts = [word for value in call.lists.get("id", ()) for word in words(value)]
    if not texts:
        return known
    if not all(text.isdecimal() for text in texts):
        raise stat_refused("ERR_WRONG_PARAMETER", "id must be a list of integers")
    numbers = list(dict.fromkeys(int(text) for text in texts))
    if len(numbers) > MOST_IDS:
        raise stat_refused("ERR_LIMIT_EXCEEDED", f"More than {MOST_IDS} ids")
    foreign = [str(number) for number in numbers if number not in known]
    if foreign:
        raise stat_refused(_WRONG[kind], f"Entities are not found: {', '.join(foreign)}")
    return {number: known[number] for number in numbers}


def _sets(world: World, call: Call, names: str) -> tuple[str, ...]:
    known = figures.metric_sets(vk=world.profile.vk)
    asked = [word.partition(".")[0] for word in words(call.query.get(names, "base"))]
    if "all" in asked:
        return known
    unknown = [word for word in asked if word not in known]
    if unknown:
        raise stat_refused("ERR_WRONG_PARAMETER", f"Unknown {names}: {', '.join(unknown)}")
    return tuple(dict.fromkeys(asked))


# Version 2.


def by_day(kind: str, world: World, call: Call) -> web.Response:
    """GET statistics/<kind>/day.json: a row for every day of the period, empty ones too."""
    asked = _understood(world, call, kind, family="day")
    vk = world.profile.vk
    items, totals = [], []
    for number, banners in asked.banners.items():
        found = asked.series(world, banners)
        rows = [{"date": day.isoformat(), **figures.shown(row, asked.sets, vk=vk)} for day, row in found]
        total = figures.add(row for _, row in found)
        totals.append(total)
        shown = figures.shown(total, asked.sets, vk=vk)
        items.append({"id": number, "rows": rows, "total": shown})
    return ok({"items": items, "total": figures.shown(figures.add(totals), asked.sets, vk=vk)})


def summary(kind: str, world: World, call: Call) -> web.Response:
    """
    GET statistics/<kind>/summary.json: the whole lifetime; dates are ignored.

    This server remembers 366 days.
    """
    asked = _understood(world, call, kind, family="summary", days_needed=False)
    vk = world.profile.vk
    totals = {number: asked.total(world, banners) for number, banners in asked.banners.items()}
    items = [
        {"id": number, "total": figures.shown(total, asked.sets, vk=vk)} for number, total in totals.items()
    ]
    whole = figures.shown(figures.add(totals.values()), asked.sets, vk=vk)
    return ok({"items": items, "total": whole})


# Version 3.


def totals_page(kind: str, world: World, call: Call) -> web.Response:
    """GET /api/v3/statistics/<kind>/day.json: totals of a period, paged and sorted."""
    asked = _understood(world, call, kind, family="v3", names="fields")
    limit, offset = _page(call)
    found = []
    for number, banners in asked.banners.items():
        kept = [banner for banner in banners if _passes(world, call, banner)]
        if not kept and not _passes_empty(world, call, kind, number, banners):
            continue
        total = asked.total(world, kept)
        shown = figures.shown(total, asked.sets, vk=world.profile.vk)
        found.append((total, {"id": number, "user_id": call.user_id, "total": shown}))
    items = _sorted(call, [item for _, item in found])
    whole = figures.add(total for total, _ in found)
    return ok(
        {
            "items": items[offset : offset + limit],
            "total": figures.shown(whole, asked.sets, vk=world.profile.vk),
            "limit": limit,
            "offset": offset,
            "count": len(items),
        }
    )


def _page(call: Call) -> tuple[int, int]:
    try:
        limit, offset = (int(call.query.get(n, d)) for n, d in (("limit", "20"), ("offset", "0")))
    except ValueError:
        raise stat_refused("ERR_WRONG_PARAMETER", "limit and offset are integers") from None
    if not 1 <= limit <= 250 or offset < 0:
        raise stat_refused("ERR_LIMIT_EXCEEDED", "limit is 1 to 250")
    return limit, offset


def _passes(world: World, call: Call, banner: Row) -> bool:
    campaign = world.objects.campaigns.rows[banner["campaign_id"]]
    return _matches(call, {"banner_status": banner["status"], **_campaign_values(campaign)})


def _passes_empty(world: World, call: Call, kind: str, number: int, banners: list[Row]) -> bool:
    """Return whether an object without any banner belongs to the answer."""
    if banners:
        return False
    if kind in {"campaigns", "ad_groups"}:
        return _matches(call, _campaign_values(world.objects.campaigns.rows[number]))
    return True


def _campaign_values(campaign: Row) -> Row:
    return {
        "campaign_status": campaign["status"],
        "ad_group_status": campaign["status"],
        "campaign_id": str(campaign["id"]),
        "ad_group_id": str(campaign["id"]),
        "package_id": str(campaign["package_id"]),
    }


def _matches(call: Call, values: Row) -> bool:
    for name, value in values.items():
        wanted = words(call.query.get(name, ""))
        if wanted and "all" not in wanted and value not in wanted:
            return False
        if value in words(call.query.get(f"{name}_ne", "")):
            return False
    return True


def _sorted(call: Call, items: list[Row]) -> list[Row]:
    by = call.query.get("sort_by")
    if not by:
        return items
    group, _, field = by.partition(".")

    def key(item: Row) -> float:
        try:
            return float(item["total"][group][field])
        except (KeyError, TypeError, ValueError):
            raise stat_refused("ERR_WRONG_PARAMETER", f"Cannot sort by {by}") from None

    return sorted(items, key=key, reverse=call.query.get("d", "desc") == "desc")


# Conversions.


def goals(kind: str, world: World, call: Call) -> web.Response:
    """GET statistics/goals/<kind>/day.json: what a site's counters saw."""
    named = {"source": "topmail", "goal": "uss:/order", "counter_id": 2_000_001}
    return _conversions(world, call, kind, word="goals", named=named, of_apps=False)


def inapp(kind: str, world: World, call: Call) -> web.Response:
    """GET statistics/inapp/<kind>/day.json: what trackers saw inside applications."""
    named = {"event": "install", "app": 4_400_001, "tracker": 5_500_001}
    return _conversions(world, call, kind, word="inapps", named=named, of_apps=True)


def _conversions(
    world: World, call: Call, kind: str, *, word: str, named: Row, of_apps: bool
) -> web.Response:
    asked = _understood(world, call, kind, family=word)
    types = words(call.query.get("conversion_type", "postclick"))
    if not set(types) <= set(_CONVERSIONS):
        raise stat_refused("ERR_WRONG_PARAMETER", "Unknown conversion_type")

    def listed(row: Figures) -> list[Row]:
        found = (_conversion(row, kind_of, named) for kind_of in types)
        return [line for line in found if line["count"]]

    items, totals = [], []
    for number, banners in asked.banners.items():
        kept = [b for b in banners if _of_app(world, b) == of_apps]
        by = dict(asked.series(world, kept))
        rows = [{"date": day.isoformat(), word: listed(row)} for day, row in by.items()]
        total = figures.add(by.values())
        totals.append(total)
        items.append({"id": number, "rows": rows, "total": {word: listed(total)}})
    return ok({"items": items, "total": {word: listed(figures.add(totals))}})


def _of_app(world: World, banner: Row) -> bool:
    campaign = world.objects.campaigns.rows[banner["campaign_id"]]
    return bool(campaign["objective"] == APP_OBJECTIVE)


def _conversion(row: Figures, kind: str, named: Row) -> Row:
    _, clicks, postclick, spent = row
    # Twice as many see and come back later; linear, so that the days add up.
    count = {"postclick": postclick, "postview": 2 * postclick, "total": 3 * postclick}[kind]
    value = count * 1490_00
    return {
        "conversion_type": kind,
        **named,
        "count": count,
        "cr": share(count, clicks),
        "cpa": figures.per(spent, count),
        "value": money(value),
        "romi": share(value - spent, spent),
        "adv_cost_share": share(spent, value),
    }


# The fast figures.


def faststat(kind: str, world: World, call: Call) -> web.Response:
    """GET statistics/faststat/<kind>.json: shows and clicks of the last 60 minutes."""
    chosen = _chosen(world, call, kind)
    world.ledger.grouped(f"faststat.{kind}", len(chosen))
    now = world.now()
    last = int(now.timestamp()) - 41
    shown = {}
    for number, banners in chosen.items():
        live = [banner for banner in banners if world.delivering(banner)]
        if live:
            shown[str(number)] = {"timestamp": last, "minutely": _minutes(world, live, last)}
    answer: Row = {
        "last_seen_msg_time": {
            "timestamp": last,
            "string": stamp(from_epoch(last)),
            "ago": int(now.timestamp()) - last,
        },
        "banners": {},
        "campaigns": {},
        "advertisers": {},
        "ad_plans": {},
    }
    answer[{"users": "advertisers"}.get(kind, kind)] = shown
    return ok(answer)


def _minutes(world: World, banners: list[Row], last: int) -> Row:
    shows, clicks = [], []
    for minute in range(last // 60 - 59, last // 60 + 1):
        seen = sum((minute * 31 + banner["id"] * 17 + world.seed) % 23 for banner in banners)
        shows.append(seen)
        clicks.append(seen // 20)
    return {"shows": shows, "clicks": clicks}


# Paths.

_DAILY: Mapping[str, Callable[..., web.Response]] = {"": by_day, "goals/": goals, "inapp/": inapp}


def endpoints(*, vk: bool) -> Iterable[Endpoint]:
    """Yield the paths of one brand."""
    kinds = ["campaigns", "banners", "users", *(["ad_groups", "ad_plans"] if vk else [])]
    for kind in kinds:
        for prefix, handler in _DAILY.items():
            yield _get(f"statistics/{prefix}{kind}/day.json", partial(handler, kind))
        yield _get(f"statistics/{kind}/summary.json", partial(summary, kind))
        yield _get(f"statistics/{kind}/day.json", partial(totals_page, kind), "v3")
        if kind != "ad_groups":  # documented as campaigns here, for either brand
            for version in ("v2", "v3"):
                yield _get(f"statistics/faststat/{kind}.json", partial(faststat, kind), version)


def _get(path: str, handler: Any, version: str = "v2") -> Endpoint:
    action = Action(handler=handler, resource=_RESOURCE, operation="READ")
    return Endpoint(path=path, actions={"GET": action}, versions=(version,))


def truth(world: World, user_id: int, kind: str, since: date, until: date) -> list[Row]:
    """Return the figures of campaigns or banners per day, the empty days left out."""
    if until <= since:
        return []
    today, last = world.today(), until - timedelta(days=1)
    name = "campaign_id" if kind == "campaigns" else "banner_id"
    found = []
    for number, banners in owned(world, user_id, kind).items():
        series = world.series(banners, since, last, today=today)
        for day, (shows, clicks, hits, spent) in zip(days(since, until), series, strict=True):
            if shows:
                found.append(
                    {
                        "date": day.isoformat(),
                        name: number,
                        "shows": shows,
                        "clicks": clicks,
                        "goals": hits,
                        "spent": money(spent),
                    }
                )
    return sorted(found, key=lambda row: (row["date"], row[name]))
