"""How the world of the myTarget imitation begins, and what of it is true."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from adnet.sandbox import _mytarget_data as data
from adnet.sandbox import _mytarget_statistics as statistics
from adnet.sandbox._mytarget_counters import add_counter
from adnet.sandbox._mytarget_limits import RateBook
from adnet.sandbox._mytarget_tokens import TokenBook
from adnet.sandbox._mytarget_views import PLAN_LISTING, banner_listing, campaign_listing, reader
from adnet.sandbox._mytarget_wire import Row
from adnet.sandbox._mytarget_world import ApiClient, Knobs, Profile, World
from adnet.sandbox.base import secret

_TRUTH_DAYS = 120
_BORN = {"created": "2020-03-01 10:00:00", "updated": "2020-03-01 10:20:00"}


def make_world(
    *, seed: int, profile: Profile, knobs: Knobs, clock: Callable[[], datetime], limits: Any
) -> World:
    """Return the world as it is when the server is first started."""
    world = World(
        seed=seed,
        profile=profile,
        knobs=knobs,
        clock=clock,
        client=ApiClient(
            id=secret(seed, profile.network, "client", length=16),
            secret=secret(seed, profile.network, "client secret", length=64),
            owner_id=data.OWNER_ID,
        ),
        users=data.users(knobs.currency),
        links=data.agency_links(),
        packages=data.packages(),
        objects=data.seeded(seed, campaigns=knobs.campaigns, banners=knobs.banners, plans=profile.vk),
        tokens=TokenBook(
            seed=seed,
            lifetime=timedelta(seconds=knobs.token_lifetime_s),
            rotate_refresh=knobs.rotate_refresh,
        ),
        rates=RateBook(limits),
    )
    for index, user_id in enumerate((data.OWNER_ID, data.BUYER_ID, 80001)):
        _seed_audiences(world, user_id, index)
    return world


def _seed_audiences(world: World, user_id: int, index: int) -> None:
    users_list = _seed_list(world, user_id, index)
    _seed_counter(world, user_id, next(world.audiences.counter_ids))
    segment = world.audiences.segments.add(
        {"user_id": user_id, "name": "CRM in Russia", "pass_condition": 1, **_BORN, "flags": []}
    )
    world.audiences.relations.add(
        {
            "segment_id": segment["id"],
            "object_type": "remarketing_users_list",
            "object_id": users_list["id"],
            "params": {"source_id": users_list["id"], "type": "positive"},
        }
    )


def _seed_list(world: World, user_id: int, index: int) -> Row:
    entries = {b"%d7900%06d" % (index, n) for n in range(2500)}
    row = world.audiences.users_lists.add(
        {
            "user_id": user_id,
            "name": "CRM: покупатели",
            "type": "phones",
            "base": 0,
            "status": "ready",
            **_BORN,
            "entries_count": len(entries),
            "ids_count": len(entries),
            "matched_ids_count": len(entries) * 7 // 10,
            "has_history": False,
            "history": [],
            "error": None,
        }
    )
    world.audiences.entries[row["id"]] = entries
    return row


def _seed_counter(world: World, user_id: int, counter_id: int) -> None:
    add_counter(world, user_id, counter_id, name="Site", domain=f"shop{user_id}.example.test")
    world.audiences.goals.add(
        {
            "user_id": user_id,
            "counter_id": counter_id,
            "name": "Order",
            "condition": "uss",
            "substr": "/order",
            "value": 1490,
            "goal_type": "purchase",
        }
    )


def truth(world: World, resource: str, since: date | None, until: date | None) -> list[Row]:
    """
    Return all rows of a resource; `name@user_id` asks for another account's.

    Figures run over the last 120 days unless a period is given.

    Raises:
        LookupError: There is no such resource or user.
    """
    name, _, number = resource.partition("@")
    user_id = int(number) if number else world.client.owner_id
    if user_id not in world.users:
        raise LookupError(resource)
    levels = {"stats": "campaigns", "banner_stats": "banners"}
    if name in levels:
        until = until or world.today() + timedelta(days=1)
        since = since or until - timedelta(days=_TRUTH_DAYS)
        return statistics.truth(world, user_id, levels[name], since, until)
    if name not in _TRUTHS:
        raise LookupError(resource)
    return _TRUTHS[name](world, user_id)


def _campaigns(world: World, user_id: int) -> list[Row]:
    read = reader(world)
    fields = campaign_listing(vk=world.profile.vk).fields
    return [{f: read(row, f) for f in fields} for row in world.objects.campaigns.of(user_id)]


def _banners(world: World, user_id: int) -> list[Row]:
    read = reader(world)
    fields = banner_listing(vk=world.profile.vk).fields
    return [{f: read(row, f) for f in fields} for row in world.objects.banners.of(user_id)]


def _ad_plans(world: World, user_id: int) -> list[Row]:
    read = reader(world)
    rows = world.objects.ad_plans.of(user_id)
    return [{f: read(row, f) for f in PLAN_LISTING.fields} for row in rows]


def _audiences(world: World, user_id: int) -> list[Row]:
    found = world.audiences
    lists = [
        {"kind": "users_list", **_public(row), "size": row["entries_count"]}
        for row in found.users_lists.of(user_id)
    ]
    segments = [{"kind": "segment", **_public(row)} for row in found.segments.of(user_id)]
    counters = [{"kind": "counter", **_public(row)} for row in found.counters.of(user_id)]
    return lists + segments + counters


def _tokens(world: World, user_id: int) -> list[Row]:
    return [
        {
            "client_id": token.client_id,
            "user_id": token.user_id,
            "grant": token.grant,
            "scope": list(token.scope),
            "access_token": token.access,
            "refresh_token": token.refresh,
            "revoked": token.revoked,
            "refreshes": token.refreshes,
        }
        for token in world.tokens.tokens
        if token.user_id == user_id
    ]


def _users(world: World, _user_id: int) -> list[Row]:
    return [
        {
            "id": user.id,
            "username": user.username,
            "types": list(user.types),
            "status": user.status,
            "balance_kopecks": user.balance,
        }
        for user in world.users.values()
    ]


def _public(row: Row) -> Row:
    return {name: value for name, value in row.items() if not name.startswith("_")}


def _of_table(name: str) -> Callable[[World, int], list[Row]]:
    return lambda world, user_id: [_public(row) for row in getattr(world.audiences, name).of(user_id)]


_TRUTHS: dict[str, Callable[[World, int], list[Row]]] = {
    "campaigns": _campaigns,
    "ad_groups": _campaigns,
    "banners": _banners,
    "ad_plans": _ad_plans,
    "audiences": _audiences,
    "users_lists": _of_table("users_lists"),
    "segments": _of_table("segments"),
    "counters": _of_table("counters"),
    "goals": _of_table("goals"),
    "relations": lambda world, _user_id: [_public(row) for row in world.audiences.relations],
    "sharing_keys": lambda world, user_id: [
        _public(row) for row in world.audiences.keys.values() if row["user_id"] == user_id
    ],
    "urls": lambda world, user_id: [_public(row) for row in world.objects.urls.of(user_id)],
    "packages": lambda world, _user_id: list(world.packages.values()),
    "tokens": _tokens,
    "users": _users,
    "emails": lambda world, _user_id: list(world.emails),
    "transactions": lambda world, user_id: [
        dict(row) for row in world.transactions if row["user_id"] == user_id
    ],
}
