"""What the myTarget imitation starts with: users, packages, campaigns, banners, URLs."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import attrs

from adnet.sandbox._mytarget_wire import Row, not_found, stamp
from adnet.sandbox.base import random_of

OWNER_ID = 70001
BUYER_ID = 70002
AGENCY_ID = 70100
MANAGER_ID = 70200

_WORDS = ("Boots", "Лето", "Kids' shoes", "Распродажа", "Trail", "Office", "Зима ❄", "Outlet")
_PLACES = ("feed", "search", "видео", "retarget", "look-alike", "brand")
# Older than anything a test asks for: figures depend on seed and day, not on a birthday.
_BORN = datetime(2019, 1, 1, 6, tzinfo=UTC)


@attrs.define(kw_only=True)
class User:
    """An account of the network."""

    id: int
    username: str
    types: tuple[str, ...]
    currency: str = "RUB"
    status: str = "active"
    balance: int = 0
    """Kopecks."""
    client_name: str = ""
    is_dmp: bool = False
    language: str = "en"
    info_currency: str = "RUB"
    additional_info: Row = attrs.field(factory=dict)
    """What was written there, apart from the client's name."""
    additional_emails: list[str] = attrs.field(factory=list)
    mailings: list[Any] | Row = attrs.field(factory=list)
    unbound: bool = False
    """Took its consent back: agency grants for it fail until it consents again."""


@attrs.define
class Life:
    """The days on which an object could deliver, as closed intervals."""

    spans: list[tuple[date, date | None]] = attrs.field(factory=list)
    dates: list[tuple[date, str, str]] = attrs.field(factory=list)
    """Since when it was to run from one date to another."""

    def covers(self, day: date) -> bool:
        lives = any(since <= day and (until is None or day <= until) for since, until in self.spans)
        return lives and (not self.dates or self._within(day))

    def _within(self, day: date) -> bool:
        # On the day of a change both count: what was spent stays spent.
        before = [bounds for bounds in self.dates if bounds[0] < day][-1:] or [(date.min, "", "9999")]
        changed = [bounds for bounds in self.dates if bounds[0] == day]
        return any(start <= day.isoformat() <= end for _, start, end in (*before, *changed))

    def bound(self, day: date, row: Row) -> None:
        """Let a row's own dates count from *day* on."""
        start, end = row.get("date_start") or "", row.get("date_end") or "9999"
        self.dates.append((day, start[:10], end[:10]))

    def start(self, day: date) -> None:
        if not self.spans:
            self.spans.append((day, None))
            return
        since, until = self.spans[-1]
        if until is None:
            return
        if until == day:
            self.spans[-1] = (since, None)
        else:
            self.spans.append((day, None))

    def stop(self, day: date) -> None:
        """End today; what was spent today stays spent."""
        if self.spans and self.spans[-1][1] is None:
            self.spans[-1] = (self.spans[-1][0], day)


class Table:
    """Rows of one kind by id; keys with an underscore never leave the server."""

    def __init__(self, first_id: int) -> None:
        self.rows: dict[int, Row] = {}
        self._next = first_id

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def add(self, row: Row) -> Row:
        """Store a row under the next id, or under its own."""
        number = row.get("id") or self._next
        self._next = max(self._next, number + 1)
        self.rows[number] = {"id": number, **row}
        return self.rows[number]

    def of(self, user_id: int) -> list[Row]:
        """Return the rows of one user."""
        return [row for row in self if row["user_id"] == user_id]

    def get(self, user_id: int, number: Any) -> Row:
        """Return a row of the user; another's row is as absent as a missing one."""
        row = self.rows.get(number) if isinstance(number, int) else None
        if row is None or row["user_id"] != user_id:
            raise not_found()
        return row


def users(currency: str) -> dict[int, User]:
    """Return every account there is at the start, by id."""
    direct = [
        User(
            id=OWNER_ID,
            username="adv@example.test",
            types=("advert", "agency"),
            balance=250_000_00,
            is_dmp=True,
        ),
        User(id=BUYER_ID, username="buyer@example.test", types=("advert",), balance=90_000_00),
        User(id=AGENCY_ID, username="agency@example.test", types=("agency",), balance=1_000_000_00),
        User(id=MANAGER_ID, username="manager@example.test", types=("manager",)),
    ]
    clients = [
        (80001, "ab12cd34@agency_client", "Shoe shop", "active"),
        (80002, "ef56ab78@agency_client", "Кофейня «Зерно»", "active"),
        (80003, "9f00ba11@agency_client", "Closed shop", "blocked"),
        (80101, "77aa88bb@agency_client", "Travel", "active"),
        (80102, "99cc00dd@agency_client", "Gardens", "active"),
    ]
    served = [
        User(
            id=number,
            username=username,
            types=("agency_client",),
            balance=3_000_00,
            client_name=name,
            status=status,
        )
        for number, username, name, status in clients
    ]
    for user in (*direct, *served):
        user.currency = user.info_currency = currency
    return {user.id: user for user in (*direct, *served)}


def agency_links() -> list[Row]:
    """Return who serves whom."""
    pairs = [(OWNER_ID, n) for n in (80001, 80002, 80003)]
    pairs += [(AGENCY_ID, n) for n in (80101, 80102)]
    return [
        {"agency_id": a, "user_id": n, "access_type": "full_access", "status": "active"} for a, n in pairs
    ]


def packages() -> dict[int, Row]:
    """Return the packages a campaign can be bought by."""
    made = [
        _package(811, "Traffic, CPC", ["traffic"], event=1, price="5", top="120", related=[816]),
        _package(812, "Reach, CPM", ["reach"], event=0, price="90", top="2000"),
        _package(813, "App installs", ["appinstalls"], event=7, price="60", top="900"),
        _package(814, "Video views", ["videoviews"], event=1017, price="0.3", top="20"),
        _package(815, "Carousel of 2016", ["traffic"], event=1, price="4", top="90", gone=True),
        _package(
            816,
            "Conversions",
            ["traffic", "storeproductssales"],
            event=7,
            price="90",
            top="2500",
            related=[811],
        ),
    ]
    return {package["id"]: package for package in made}


def _package(
    number: int,
    name: str,
    objective: list[str],
    *,
    event: int,
    price: str,
    top: str,
    related: list[int] | None = None,
    gone: bool = False,
) -> Row:
    return {
        "id": number,
        "name": name,
        "description": f"{name}: all devices",
        "status": "blocked" if gone else "active",
        "objective": objective,
        "price": price,
        "max_price_per_unit": top,
        "max_uniq_shows_limit": 100,
        "priced_event_type": event,
        "paid_event_type": event,
        "banner_format_id": 10 + number % 10,
        "pads_tree_id": 1,
        "flags": [],
        "related_package_ids": related or [],
        "url_types": {"primary": [["external"]]},
        "package_request": "allowed",
        "options": {"targetings": ["age", "sex", "geo", "segments"], "settings": []},
        "created": "2018-03-01 12:00:00",
        "updated": "2021-02-11 09:30:00",
    }


@attrs.define(kw_only=True)
class Seeded:
    """The objects of all users at the start."""

    ad_plans: Table
    campaigns: Table
    banners: Table
    urls: Table
    contents: Table


def seeded(seed: int, *, campaigns: int, banners: int, plans: bool) -> Seeded:
    """
    Return the objects made from *seed*.

    The owner has *campaigns* and *banners*; everybody else who may advertise
    has twelve and thirty-six.
    """
    made = Seeded(
        ad_plans=Table(3_400_001),
        campaigns=Table(8_800_001),
        banners=Table(9_900_001),
        urls=Table(330_001),
        contents=Table(770_001),
    )
    _populate(made, seed, OWNER_ID, campaigns=campaigns, banners=banners, plans=plans)
    for user_id in (BUYER_ID, 80001, 80002, 80003, 80101, 80102):
        _populate(made, seed, user_id, campaigns=12, banners=36, plans=plans)
    return made


def _populate(made: Seeded, seed: int, user_id: int, *, campaigns: int, banners: int, plans: bool) -> None:
    chance = random_of(seed, "mytarget", user_id)
    url = made.urls.add(_url(user_id))
    image = made.contents.add(content_row(user_id, "static", 600, 600, 14_407))
    owned = []
    plan: Row | None = None
    for index in range(campaigns):
        if plans and index % 2 == 0:
            plan = made.ad_plans.add(_plan(chance, user_id, index))
        row = _campaign(chance, user_id, index)
        owned.append(made.campaigns.add(row | ({"ad_plan_id": plan["id"]} if plan else {})))
    for index in range(banners if owned else 0):
        campaign = owned[index] if index < len(owned) else chance.choice(owned)
        made.banners.add(_banner(chance, campaign, index, url["id"], image["id"]))


def _url(user_id: int) -> Row:
    return {
        "user_id": user_id,
        "url": f"https://shop{user_id}.example.test/landing?from=mt",
        "url_types": ["external"],
        "counters": ["YA_METRICA", "TOP_MAIL_RU"],
        "has_goals": True,
        "preview_link": None,
        "url_object_id": f"shop{user_id}.example.test",
    }


def content_row(user_id: int, kind: str, width: int, height: int, size: int) -> Row:
    """Return a piece of uploaded media."""
    variant = {
        "url": f"https://cdn.example.test/{user_id}/{kind}-{width}x{height}",
        "width": width,
        "height": height,
        "size": size,
    }
    return {
        "user_id": user_id,
        "type": kind,
        "variants": {"original": dict(variant), "uploaded": dict(variant)},
    }


def _born(chance: Random) -> Row:
    created = _BORN + timedelta(minutes=chance.randrange(365 * 24 * 60))
    updated = created + timedelta(days=chance.randrange(1, 200), minutes=chance.randrange(1440))
    return {"created": stamp(created), "updated": stamp(updated), "last_updated": stamp(updated)}


def _plan(chance: Random, user_id: int, index: int) -> Row:
    return {
        "user_id": user_id,
        "name": f"{chance.choice(_WORDS)} plan {index + 1}",
        "status": "active",
        "objective": "traffic",
        "autobidding_mode": "max_goals",
        "budget_limit": None,
        "budget_limit_day": str(chance.randrange(5, 200) * 1000),
        "max_price": "0",
        "date_start": None,
        "date_end": None,
        "priced_goal": None,
        "pricelist_id": None,
        "enable_offline_goals": False,
        **_born(chance),
        "_life": _always(),
    }


def _campaign(chance: Random, user_id: int, index: int) -> Row:
    package, objective = chance.choice(
        ((811, "traffic"), (812, "reach"), (813, "appinstalls"), (816, "traffic"))
    )
    price = {811: chance.randrange(100, 9000), 812: chance.randrange(50_00, 900_00)}
    budget = chance.randrange(1, 60) * 500
    return {
        **campaign_defaults(),
        "user_id": user_id,
        "name": f"{chance.choice(_WORDS)} / {chance.choice(_PLACES)} {index + 1}",
        "status": chance.choices(("active", "blocked", "deleted"), (60, 28, 12))[0],
        "package_id": package,
        "objective": objective,
        "price": _rubles(price.get(package, 60_00)),
        "budget_limit_day": chance.choice((None, str(budget), str(budget + 250))),
        "budget_limit": chance.choice((None, str(budget * 30))),
        "date_start": chance.choice((None, "2020-02-01")),
        "enable_utm": chance.random() < 0.8,
        "utm": chance.choice((None, None, "utm_source=mt&utm_campaign={{campaign_id}}")),
        "targetings": {
            "age": {"age_list": list(range(18, chance.randrange(30, 60)))},
            "sex": chance.choice((["male"], ["female"], ["male", "female"])),
            "geo": {"regions": [188, -70]},
        },
        **_born(chance),
        "_life": _always(),
    }


def campaign_defaults() -> Row:
    """Return what a campaign has when nothing else is said; `active` is the network's own."""
    return {
        "status": "active",
        "objective": "traffic",
        "price": "0",
        "max_price": "0",
        "autobidding_mode": "second_price",
        "mixing": "fastest",
        "budget_limit": None,
        "budget_limit_day": None,
        "date_start": None,
        "date_end": None,
        "age_restrictions": "0+",
        "uniq_shows_limit": None,
        "banner_uniq_shows_limit": None,
        "uniq_shows_period": None,
        "shows_limit": None,
        "cr_max_price": None,
        "enable_utm": True,
        "utm": None,
        "enable_offline_goals": False,
        "priced_goal": None,
        "pricelist_id": None,
        "audit_pixels": [],
        "language": "ru",
        "social": False,
        "not_ad": False,
        "read_only": False,
        "targetings": {},
    }


def _banner(chance: Random, campaign: Row, index: int, url: int, image: int) -> Row:
    status = chance.choices(("active", "blocked", "deleted"), (70, 18, 12))[0]
    moderation = chance.choices(("allowed", "banned", "pending"), (85, 7, 8))[0]
    delivering = status == campaign["status"] == "active"
    duty = chance.randrange(150, 650) if delivering else chance.randrange(20, 150)
    return {
        "user_id": campaign["user_id"],
        "campaign_id": campaign["id"],
        "name": f"{chance.choice(_WORDS)} banner {index + 1}",
        "status": status,
        "moderation_status": moderation,
        "moderation_reasons": banned_reasons() if moderation == "banned" else [],
        "urls": {"primary": {"id": url}},
        "content": {"image_600x600": {"id": image}},
        "textblocks": {
            "title_25": {"text": f"{chance.choice(_WORDS)}!"},
            "text_90": {"text": "Free delivery, 14 days to return"},
        },
        **_born(chance),
        "_life": _always() if moderation == "allowed" else Life(),
        "_duty": duty,
    }


def banned_reasons() -> list[dict[str, Any]]:
    """Return what a moderator wrote."""
    return [{"code": "landing_unavailable", "message": "The landing page does not open"}]


def _always() -> Life:
    return Life([(date.min, None)])


def _rubles(kopecks: int) -> str:
    return f"{kopecks // 100}.{kopecks % 100:02}".rstrip("0").rstrip(".")
