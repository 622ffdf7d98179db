"""
The figures of a banner's day, a pure function of seed, banner and day; their sums.

Money is whole kopecks until it is printed. A campaign is the sum of its
banners, a user the sum of its campaigns, so that totals add up exactly.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from hashlib import blake2b
from typing import Any, TypeAlias

from adnet.sandbox._mytarget_wire import money

Figures: TypeAlias = tuple[int, int, int, int]
"""Shows, clicks, goals, kopecks spent."""

NOTHING: Figures = (0, 0, 0, 0)


def banner_day(seed: int, banner_id: int, ordinal: int, duty: int) -> Figures:
    """
    Return one banner's figures of one day (a proleptic ordinal).

    *duty* is the share of days with any delivery, in thousandths.
    """
    digest = blake2b(b"%d:%d:%d" % (seed, banner_id, ordinal), digest_size=12).digest()
    if int.from_bytes(digest[:2], "big") % 1000 >= duty:
        return NOTHING
    shows = 40 + int.from_bytes(digest[2:4], "big") % 9000
    clicks = shows * (20 + digest[4]) // 10_000
    goals = clicks * digest[5] // 2048
    per_thousand = 2_000 + int.from_bytes(digest[6:8], "big") % 20_000
    return shows, clicks, goals, shows * per_thousand // 1000


def add(rows: Iterable[Figures]) -> Figures:
    """Return the sums."""
    shows = clicks = goals = spent = 0
    for row in rows:
        shows += row[0]
        clicks += row[1]
        goals += row[2]
        spent += row[3]
    return shows, clicks, goals, spent


def share(part: float, whole: float) -> float:
    """Return a percentage; 0 where nothing can be divided."""
    return part * 100 / whole if whole else 0


def per(kopecks: int, count: int, scale: int = 1) -> str:
    """Return the price of one (or of *scale*) as text, rounded to kopecks."""
    return money((kopecks * scale * 2 + count) // (2 * count)) if count else "0"


def _base(figures: Figures) -> dict[str, Any]:
    shows, clicks, goals, spent = figures
    return {
        "shows": shows,
        "clicks": clicks,
        "goals": goals,
        "spent": money(spent),
        "cpm": per(spent, shows, 1000),
        "cpc": per(spent, clicks),
        "cpa": per(spent, goals),
        "ctr": share(clicks, shows),
        "cr": share(goals, clicks),
    }


def _vk_base(figures: Figures) -> dict[str, Any]:
    # There the top-level goals are zero; those that count stand under "vk".
    shows, clicks, goals, spent = figures
    vk = {"goals": goals, "cpa": per(spent, goals), "cr": share(goals, clicks)}
    return {**_base((shows, clicks, 0, spent)), "not_ad_spent": "0", "vk": vk}


def _events(figures: Figures) -> dict[str, Any]:
    # Linear in the figures, like every set but the uniques: floors would not add up.
    _, clicks, goals, _ = figures
    return {
        "opening_app": 0,
        "opening_post": clicks - goals,
        "moving_into_group": 0,
        "clicks_on_external_url": clicks,
        "launching_video": 0,
        "comments": goals,
        "joinings": 2 * goals,
        "likes": 3 * goals,
        "shares": goals,
        "votings": 0,
        "sending_form": 0,
    }


def _uniques(figures: Figures) -> dict[str, Any]:
    # People, not shows: they never add up over days or objects.
    shows = figures[0]
    total = int(shows**0.9)
    return {
        "reach": 0,
        "total": total,
        "increment": total * 2 // 3,
        "initial_total": total // 3,
        "frequency": round(shows / total, 4) if total else 0,
    }


def _video(figures: Figures) -> dict[str, Any]:
    shows, clicks, goals, spent = figures
    started = shows - clicks
    parts = ((25, 2), (50, 4), (75, 8), (100, 16))
    viewed = {f"viewed_{part}_percent": shows - weight * clicks for part, weight in parts}
    rates = {f"{name}_rate": share(count, started) for name, count in viewed.items()}
    return {
        "started": started,
        "first_second": started - goals,
        "paused": goals,
        "resumed_after_pause": goals,
        "sound_turned_off": clicks,
        "sound_turned_on": clicks,
        "viewed_10_seconds": shows - 3 * clicks,
        **viewed,
        **rates,
        "started_cost": per(spent, started),
    }


def _carousel(figures: Figures) -> dict[str, Any]:
    shows, clicks, goals, _ = figures
    row: dict[str, Any] = {}
    for slide in range(1, 7):
        slide_shows = shows - (slide - 1) * clicks
        slide_clicks = {1: clicks - goals, 2: goals}.get(slide, 0)
        row[f"slide_{slide}_shows"] = slide_shows
        row[f"slide_{slide}_clicks"] = slide_clicks
        row[f"slide_{slide}_ctr"] = share(slide_clicks, slide_shows)
    return row


def _tps(figures: Figures) -> dict[str, Any]:
    return {"tps": money(5 * figures[2]), "tpd": "0"}


def _romi(figures: Figures) -> dict[str, Any]:
    value = figures[2] * 1490_00
    return {
        "value": money(value),
        "romi": share(value - figures[3], figures[3]),
        "adv_cost_share": share(figures[3], value),
    }


def _zeros(*names: str) -> Callable[[Figures], dict[str, Any]]:
    return lambda _figures: dict.fromkeys(names, 0)


_SETS: dict[str, Callable[[Figures], dict[str, Any]]] = {
    "base": _base,
    "events": _events,
    "uniques": _uniques,
    "video": _video,
    "carousel": _carousel,
    "tps": _tps,
    "romi": _romi,
    "ad_offers": _zeros("offer_postponed", "upload_receipt", "earn_offer_rewards"),
    "playable": _zeros("playable_game_open", "playable_game_close", "playable_call_to_action"),
}
_VK_SETS = {
    **_SETS,
    "base": _vk_base,
    "social_network": _zeros("vk_subscribe", "vk_join", "ok_join", "dzen_join", "result_join", "vk_message"),
}
_NOTHING_SHOWN: dict[tuple[bool, tuple[str, ...]], dict[str, Any]] = {}


def metric_sets(*, vk: bool) -> tuple[str, ...]:
    """Return the names of the sets of metrics."""
    return tuple(_VK_SETS if vk else _SETS)


def shown(figures: Figures, sets: tuple[str, ...], *, vk: bool) -> dict[str, Any]:
    """Return the chosen sets of metrics as they go over the wire."""
    if figures == NOTHING:
        # Most days are empty, and an empty day is never changed: one object serves all.
        key = (vk, sets)
        if key not in _NOTHING_SHOWN:
            _NOTHING_SHOWN[key] = _shown(NOTHING, sets, vk=vk)
        return _NOTHING_SHOWN[key]
    return _shown(figures, sets, vk=vk)


def _shown(figures: Figures, sets: tuple[str, ...], *, vk: bool) -> dict[str, Any]:
    table = _VK_SETS if vk else _SETS
    return {name: table[name](figures) for name in sets}


def kopecks(text: str) -> int:
    """Return the minor units of a decimal string."""
    return int(Decimal(text) * 100)
