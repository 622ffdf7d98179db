"""
The account of the Adskeeper imitation before anybody changed it.

Everything follows from the words in *seed* (network and number) and the first
day. Most campaigns never had traffic; those that had are every seventh one.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from adnet.sandbox._adskeeper_state import (
    Account,
    Campaign,
    Condition,
    Filter,
    Geo,
    Limits,
    Stage,
    Target,
    Teaser,
)
from adnet.sandbox._adskeeper_stats import OWN_TRAFFIC, Book, Profile
from adnet.sandbox._adskeeper_values import (
    CAMPAIGN_STATUSES,
    CATEGORIES,
    CONVERSION_STAGES,
    COUNTRIES,
    LANGUAGES,
    TEASER_STATUSES,
    UNLISTED_STATUS,
)
from adnet.sandbox.base import random_of, secret

__all__ = ["account_secrets", "make_account"]

FIRST_CAMPAIGN = 510_001
FIRST_TEASER = 9_000_001
FIRST_CREATED = 20_000_000
WIDGETS = 300
SOURCES = 60
TRAFFIC_EVERY = 7
VIDEO_WITH_TRAFFIC = 10
"""Even a small account has a video campaign with figures."""

_THEMES = (
    "Knee relief",
    "Zahnzusatzversicherung prüfen",
    "Сон без храпа",
    "夏のセール",
    "Señales del corazón",
    "L'été sans fin",
    "Solar für Hausbesitzer",
    "Gry i zabawy — łatwo",
    "Xe máy giá tốt",
    "Crypto 🚀 daily",
)
_TYPES = ("product", "product", "product", "content", "push", "search_feed", "video")
_STATUSES = (6, 7, 8, 7, 6, 4, 7, 9, 12, 11)
_ALL_STATUSES = (*CAMPAIGN_STATUSES, UNLISTED_STATUS)
_DEVICES = (
    ("chrome", "android13mobile"),
    ("chrome", "windowsos10"),
    ("safari", "ios17mobile"),
    ("firefox", "windowsos11"),
    ("mobilesamsungbrowser", "android12mobile"),
)
_GEOS: tuple[Geo, ...] = ({}, {"US": frozenset()}, {"DE": frozenset({6, 7})})
_CATEGORIES_OF = {
    kind: tuple(key for key, value in CATEGORIES.items() if kind in value.campaign_types)
    for kind in set(_TYPES)
}
_VALUES = {"buy": 252_500, "decision": 39_900, "interest": 2_300}


def make_account(
    seed: str, *, campaigns: int, days: int, today: date, timezone: str, currency: str, id_offset: int = 0
) -> Account:
    """
    Return the account as seeded, with statistics from *days* - 1 days before *today* on.

    Money lives in *currency*; days are those of *timezone*. Ids of campaigns and teasers are *id_offset* higher.
    """
    random = random_of(seed, "account")
    widgets = dict(_widgets(random))
    made = [_campaign(seed, number, today, id_offset) for number in range(campaigns)]
    teasers = [list(_teasers(seed, number, campaign, id_offset)) for number, campaign in enumerate(made)]
    targets = {target.id: target for target in _targets()}
    profiles = [_profile(seed, own, widgets) for own in teasers[3::TRAFFIC_EVERY]]
    for campaign in made:
        _settings(random_of(seed, "settings", campaign.id), campaign, tuple(widgets), targets)
    return Account(
        client_id=str(random.randrange(100_000, 999_999)),
        timezone=timezone,
        currency=currency,
        balance_cents=random.randrange(-5_000, 900_000),
        credit_cents=50_000,
        income_cents=random.randrange(12_000_000, 20_000_000),
        campaigns={campaign.id: campaign for campaign in made},
        teasers={teaser.id: teaser for own in teasers for teaser in own},
        widgets=widgets,
        sources={4_100 + number: f"source{number}.example" for number in range(SOURCES)},
        targets=targets,
        book=Book(seed, profiles, today - timedelta(days=days - 1)),
        last_id=FIRST_CREATED,
    )


def _widgets(random: Random) -> Iterator[tuple[str, tuple[str, ...]]]:
    for number in range(WIDGETS):
        uid = str(5_600_001 + number * 13)
        subs = random.sample(range(2, 400), random.choice((0, 0, 1, 2, 3)))
        yield uid, tuple(str(sub) for sub in sorted(subs))


def _campaign(seed: str, number: int, today: date, id_offset: int) -> Campaign:
    random = random_of(seed, "campaign", number)
    trafficked = number % TRAFFIC_EVERY == 3
    every = (*_ALL_STATUSES, *_ALL_STATUSES)
    first = number < len(every) and not trafficked
    status = every[number] if first else random.choice(_STATUSES)
    kind = "video" if number == VIDEO_WITH_TRAFFIC else random.choice(_TYPES)
    added = today - timedelta(days=random.randrange(130, 900))
    return Campaign(
        id=FIRST_CAMPAIGN + id_offset + number * 7,
        name=f"{random.choice(_THEMES)} {random.choice(tuple(COUNTRIES))} #{number:04d}",
        type=kind,
        language=random.choice(tuple(LANGUAGES)),
        category=_category(random, kind),
        own_status=random.choice((6, 7)) if status == 4 else status,
        blocked=status == 4,
        when_add=f"{added.isoformat()} 10:{number % 60:02d}:00",
        advertiser=f"Advertiser {number % 40}",
        keyword="shoes" if kind == "search_feed" else "",
        start=added if number % 3 else None,
        end=today + timedelta(days=400) if number % 11 == 5 else None,
        dsp=number % 97 == 50,
        by_sources=number % 5 == 1,
        foreign_conversions=number % 89 == 40,
    )


def _category(random: Random, kind: str) -> int:
    return random.choice(_CATEGORIES_OF[kind])


def _teasers(seed: str, number: int, campaign: Campaign, id_offset: int) -> Iterator[Teaser]:
    random = random_of(seed, "teasers", number)
    trafficked = number % TRAFFIC_EVERY == 3
    for place in range(2 + (number % 10 == 3) - (number % 10 == 8)):
        status = random.choice(tuple(TEASER_STATUSES))
        if trafficked or status == "campaignBlocked":
            status = "goodPerformance"
        yield Teaser(
            id=FIRST_TEASER + id_offset + number * 31 + place,
            campaign=campaign.id,
            title=f"{campaign.name.split(' #')[0][:40]} — {place + 1}",
            text="" if number % 4 else "Read more & décidez",
            url=f"https://shop.example/item?id={number}&place={place}",
            image=f"https://images.example/600x382/{number}-{place}.jpg",
            category=campaign.category,
            price=Decimal(random.randrange(10, 400)).scaleb(-1),
            own_status="active" if status == "blocked" else status,
            blocked=status == "blocked",
            reason="Misleading image" if status == "rejected" else None,
            good_price="19.90" if number % 6 == 2 else None,
            good_old_price="39.90" if number % 6 == 2 else None,
            currency=5 if number % 6 == 2 else None,
            listed=trafficked or number % 23 != 7,
        )


def _targets() -> Iterator[Target]:
    for number, stage in enumerate(CONVERSION_STAGES):
        yield Target(
            id=59_041 + number,
            stage=stage,
            type="url",
            category=6 - number,
            condition=Condition("contain", f"{stage}.php"),
            cpa=Decimal(_VALUES[stage]).scaleb(-4),
            unique=True,
        )


def _profile(seed: str, teasers: list[Teaser], widgets: dict[str, tuple[str, ...]]) -> Profile:
    campaign = teasers[0].campaign
    random = random_of(seed, "profile", campaign)
    places = [
        (uid, source) for uid in random.sample(sorted(widgets), 4) for source in (OWN_TRAFFIC, *widgets[uid])
    ]
    stages = random.choice(((), ("buy",), ("buy", "decision"), CONVERSION_STAGES))
    return Profile(
        campaign=campaign,
        teasers=tuple(teaser.id for teaser in teasers),
        places=tuple(places),
        countries=tuple(random.sample(sorted(COUNTRIES), 3)),
        devices=tuple(random.sample(_DEVICES, 3)),
        price=random.randrange(120, 2_400),
        clicked=random.random() > 0.06,
        values={stage: _VALUES[stage] for stage in stages},
    )


def _settings(random: Random, campaign: Campaign, uids: tuple[str, ...], targets: dict[int, Target]) -> None:
    """Give some campaigns limits, marks, filters, targetings and conversions."""
    if campaign.own_status != 6:
        campaign.limits = _limits(random)
    if random.random() < 0.5:
        campaign.utm = {"utm_source": "ak", "utm_medium": "cpc", "utm_campaign": str(campaign.id)}
    if random.random() < 0.3:
        campaign.widgets_type = random.choice(("except", "only"))
        chosen = random.sample(uids, random.randrange(1, 5))
        campaign.widgets = {uid: random.choice(([], ["12", "34"])) for uid in chosen}
    if random.random() < 0.2:
        campaign.ips = Filter("except", ["192.0.2.7", "198.51.100.0/24"])
    if campaign.by_sources and random.random() < 0.5:
        campaign.sources = Filter("blocklist", ["4101", "4114"])
    if random.random() < 0.4:
        campaign.browsers = ["chrome", "safari"]
        campaign.systems = ["android13mobile", "ios17mobile"]
    if random.random() < 0.2:
        campaign.languages = [1, 4]
        campaign.prices = [3, 4, 5]
    campaign.geo = random.choice(_GEOS)
    campaign.geo_wanted = campaign.geo
    if random.random() < 0.3 and not campaign.foreign_conversions:
        chosen_targets = random.sample(sorted(targets), random.randrange(1, 4))
        campaign.conversions = {
            targets[key].stage: Stage(key, targets[key].cpa, unique=True) for key in chosen_targets
        }


def _limits(random: Random) -> Limits:
    if random.random() < 0.4:
        return Limits("clicks_limits", Decimal(500 + random.randrange(10) * 100), None)
    daily = Decimal(random.randrange(5_00, 200_00)).scaleb(-2)
    overall = daily * 30 if random.random() < 0.3 else None
    return Limits("budget_limits", daily, overall, evenly=overall is None and random.random() < 0.2)


def account_secrets(seed: str) -> dict[str, str]:
    """Return token, email and password of the account, in the network's shapes."""
    return {
        "token": secret(seed, "token"),
        "email": f"buyer.{secret(seed, 'email', length=6)}@agency.example",
        "password": secret(seed, "password", length=20),
    }
