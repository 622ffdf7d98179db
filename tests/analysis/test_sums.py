"""Every sum of the reports beside a slow and obvious one over the same rows."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

from adnet.analysis import Days, earned_changes, income, matching, open_tables, profit, spend, spend_changes
from adnet.models import StatRow, Transaction
from adnet.money import Money
from analysis.kit import LATER, Land, account, ad, campaign

ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati", "Nowhere/Land")
SPENDERS = (("adskeeper", "native"), ("adskeeper", "second"), ("mytarget", "shop"))
SELLERS = (("targetcircle", "partner"), ("targetcircle", "other"))
CURRENCIES = ("USD", "EUR", None)
AMOUNTS = (None, "0", "0.000001", "-3.25", "19.999999", "999999999999.999999", "7")
STATUSES = ("pending", "approved", "paid", "declined", "unknown")
LABELS = ("1", "2", "4", "a0", "a1", "red", "blue", "a b", " 3 ", "", "nobody", "<b>'")
MARCH_29 = date(2026, 3, 29)
"""Clocks go forward in Berlin."""
DEPTHS = {"campaign": 1, "ad": 2, "source": 3}
LINKS = {"a0": "red", "a1": "a+b", "a2": "blue"}
DAYS = (Days(), Days(MARCH_29, MARCH_29 + timedelta(1)), Days(until=MARCH_29))


class World:
    """Rows at random: as they landed first, and those that landed again later."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        some, pick = self._some, self.random.choice
        keys = (*SPENDERS, *SELLERS)
        self.accounts = {key: some([account(pick(ZONES), pick(("USD", "EUR")))]) for key in keys}
        self.campaigns = {
            key: some(campaign(n, f"It's {n}", currency=pick(CURRENCIES)) for n in "123") for key in SPENDERS
        }
        self.ads = {
            key: some(ad(n, pick("1234"), f"https://x.example/?ref1={LINKS[n]}") for n in LINKS)
            for key in SPENDERS
        }
        self.first: dict[Any, list[Any]] = {key: self._stats() for key in SPENDERS}
        self.first |= {key: [self._sale(number) for number in range(25)] for key in SELLERS}
        self.later = {key: [self._again(row) for row in some(rows)] for key, rows in self.first.items()}

    def _some(self, rows: Iterable[Any]) -> list[Any]:
        return [row for row in rows if self.random.random() < 0.7]

    def _money(self) -> Money | None:
        amount = self.random.choice(AMOUNTS)
        return None if amount is None else Money(Decimal(amount), "USD")

    def _stats(self) -> list[Any]:
        levels = (("campaign", "124"), ("ad", ("a0", "a1")), ("source", "w"))
        days = [MARCH_29 + timedelta(number) for number in range(-2, 2)]
        return [self._stat(level, n, day) for day in days for level, ids in self._some(levels) for n in ids]

    def _stat(self, level: str, object_id: str, day: date) -> Any:
        pick = self.random.choice
        return StatRow(
            date=day,
            level=level,
            object_id=object_id,
            campaign_id=object_id if level == "campaign" else pick(("1", "4", None)),
            currency=pick(CURRENCIES),
            spend=self._money(),
            revenue=self._money(),
            clicks=pick((0, 7)),
            impressions=pick((None, 0, 10**12)),
            conversions=pick((None, 0, 3)),
        )

    def _sale(self, number: int) -> Transaction:
        pick = self.random.choice
        hours = self.random.randrange(72)
        return Transaction(
            transaction_id=f"tx-{number}",
            status=pick(STATUSES),
            occurred_at=datetime(2026, 3, 28, tzinfo=UTC) + timedelta(hours=hours),
            sub_ids=tuple(pick(LABELS) for _ in range(pick((0, 1, 1, 3)))),
            offer_id=pick(("7", None)),
            currency=pick(CURRENCIES),
            commission=self._money(),
        )

    def _again(self, row: Any) -> Any:
        if isinstance(row, Transaction):
            return attrs.evolve(row, status=self.random.choice(STATUSES), commission=self._money())
        return attrs.evolve(row, spend=self._money())

    async def land(self, land: Land) -> str:
        for (network, name), rows in self.first.items():
            key = (network, name)
            about = [*self.accounts[key], *self.campaigns.get(key, ()), *self.ads.get(key, ())]
            await land([*about, *rows], network=network, name=name)
            await land(self.later[key], network=network, name=name, at=LATER)
        return land.uri

    def spent(self, days: Days) -> list[dict[str, Any]]:
        """The coarsest level of each account's day, with the spend that landed last."""
        found = []
        for key in SPENDERS:
            now = {(row.date, row.level, row.object_id): row for row in (*self.first[key], *self.later[key])}
            was = {(row.date, row.level, row.object_id): row for row in self.first[key]}
            for place, row in now.items():
                coarsest = min(DEPTHS[other.level] for other in now.values() if other.date == row.date)
                if DEPTHS[row.level] == coarsest and is_of(days, row.date):
                    found.append(self._spent(key, row, was[place]))
        return found

    def _spent(self, key: tuple[str, str], row: Any, was: Any) -> dict[str, Any]:
        names = {one.campaign_id: one for one in self.campaigns[key]}
        ads = {one.ad_id: one.campaign_id for one in self.ads[key]} if row.level == "ad" else {}
        campaign_id = row.campaign_id or ads.get(row.object_id)
        parent = names.get(campaign_id)
        told = row.currency or (parent.currency if parent else None)
        return {
            "network": key[0], "account": key[1], "campaign_id": campaign_id,
            "campaign_name": parent.name if parent else None, "day": row.date,
            "currency": told or self._currency(key), "spend": amount(row.spend), "clicks": row.clicks,
            "first": amount(was.spend), "row": row,
            "revenue": None if row.revenue is None else row.revenue.amount,
        }  # fmt: skip

    def _currency(self, key: tuple[str, str]) -> str | None:
        return self.accounts[key][0].currency if self.accounts[key] else None

    def sold(self, days: Days) -> list[dict[str, Any]]:
        """Every sale once, under the one campaign that its sub ids lead to."""
        found = []
        for key in SELLERS:
            now = {row.transaction_id: row for row in (*self.first[key], *self.later[key])}
            for was in self.first[key]:
                row = now[was.transaction_id]
                zone = self.accounts[key][0].time_zone if self.accounts[key] else "UTC"
                zone = "UTC" if zone == "Nowhere/Land" else zone
                day = row.occurred_at.astimezone(ZoneInfo(zone)).date()
                if is_of(days, day):
                    how, to = self._led(row.sub_ids)
                    found.append({
                        "seller": key, "day": day, "currency": row.currency or self._currency(key), "how": how,
                        "status": row.status, "commission": amount(row.commission), "offer_id": row.offer_id,
                        "first": amount(was.commission), "first_status": was.status, "spend": Decimal(0),
                        "told": was.currency, **dict(zip(("network", "account", "campaign_id"), to, strict=True)),
                        "campaign_name": self._name(to),
                    })  # fmt: skip
        return found

    def _name(self, to: tuple[Any, Any, Any]) -> str | None:
        rows = self.campaigns.get(to[:2], ())
        return next((row.name for row in rows if row.campaign_id == to[2]), None)

    def _led(self, sub_ids: Iterable[str]) -> tuple[str, tuple[Any, Any, Any]]:
        labels, vague = [label.strip() for label in sub_ids if label.strip()], False
        for how in ("campaign id", "ad id", "link label"):
            for label in labels:
                places = self._places(how, label)
                if len(places) == 1:
                    return how, places.pop()
                vague = vague or bool(places)
        return "several campaigns" if vague else "none", (None, None, None)

    def _places(self, how: str, label: str) -> set[tuple[str, str, str]]:
        found = set()
        for key in SPENDERS:
            ads, stats = self.ads[key], self.first[key]
            spends = stats or self.campaigns[key]
            if how == "campaign id":
                ids = [row.campaign_id for row in (*self.campaigns[key], *stats) if row.campaign_id == label]
            elif how == "ad id":
                ids = [row.campaign_id for row in ads if spends and row.ad_id == label]
                ids += [row.campaign_id for row in stats if (row.level, row.object_id) == ("ad", label)]
            else:
                ids = [
                    row.campaign_id for row in ads if spends and LINKS[row.ad_id].replace("+", " ") == label
                ]
            found |= {(*key, number) for number in ids if number is not None}
        return found


def is_of(days: Days, day: date) -> bool:
    return (days.since is None or day >= days.since) and (days.until is None or day < days.until)


def amount(money: Money | None) -> Decimal:
    return Decimal(0) if money is None else money.amount


def told(values: Iterable[Any]) -> Any:
    """The sum of what is not None; None where nothing is told."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def grouped(
    rows: Iterable[Any], keys: tuple[str, ...], sums: Callable[[list[Any]], tuple[Any, ...]]
) -> dict[Any, Any]:
    """The sums of the rows of each key."""
    groups = defaultdict(list)
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    return {key: sums(group) for key, group in groups.items()}


def shown(rows: Iterable[Any], keys: tuple[str, ...], *names: str) -> dict[Any, Any]:
    """What a report says, each key once."""
    found = [
        (tuple(getattr(row, key) for key in keys), tuple(getattr(row, name) for name in names))
        for row in rows
    ]
    assert len(dict(found)) == len(found)
    return dict(found)


def paid(rows: list[Any], *statuses: str) -> Decimal:
    return sum((row["commission"] for row in rows if row.get("status") in statuses), Decimal(0))


def money_of(rows: list[Any]) -> tuple[Any, ...]:
    """What a row of profit says of *rows* of spend and of income."""
    spent, earned = sum((row["spend"] for row in rows), Decimal(0)), paid(rows, "approved", "paid")
    sales = sum("status" in row for row in rows)
    by_status = [paid(rows, status) for status in STATUSES]
    return sum(row.get("clicks", 0) for row in rows), spent, sales, *by_status, earned - spent


BY = {
    (): ("currency",),
    ("day",): ("day", "currency"),
    ("network",): ("network", "currency"),
    ("account", "day"): ("network", "account", "day", "currency"),
    ("campaign",): ("network", "account", "campaign_id", "campaign_name", "currency"),
}


def check_spend(tables: Any, world: World, days: Days) -> None:
    rows = world.spent(days)
    for by, keys in BY.items():
        assert shown(
            spend(tables, days, by=by), keys, "spend", "clicks", "impressions", "conversions", "revenue"
        ) == grouped(rows, keys, lambda group: (
            sum(one["spend"] for one in group), sum(one["clicks"] for one in group),
            told(one["row"].impressions for one in group), told(one["row"].conversions for one in group),
            told(one["revenue"] for one in group),
        ))  # fmt: skip
    moved = [row for row in rows if row["first"] != row["spend"]]
    moved = [row for row in moved if row["row"].currency in {None, row["currency"]}]
    keys = ("network", "account", "currency")
    assert shown(spend_changes(tables, days), keys, "days", "first", "now") == grouped(
        moved,
        keys,
        lambda group: (len(group), *(sum(one[name] for one in group) for name in ("first", "spend"))),
    )


def check_income(tables: Any, world: World, days: Days) -> None:
    rows = [{**row, "network": row["seller"][0], "account": row["seller"][1]} for row in world.sold(days)]
    offers = ("network", "account", "offer_id", "currency")
    for by, keys in ((("offer",), offers), (("day",), ("day", "currency")), ((), ("currency",))):
        assert shown(income(tables, days, by=by), keys, "transactions", *STATUSES) == grouped(
            rows, keys, lambda group: (len(group), *(paid(group, status) for status in STATUSES))
        )
    keys = ("network", "account", "currency")
    assert shown(earned_changes(tables, days), keys, "transactions", "first", "now") == grouped(
        rows, keys, lambda group: (
            len(group), sum(one["first"] for one in group if one["first_status"] in {"approved", "paid"}),
            paid(group, "approved", "paid"),
        ))  # fmt: skip


def check_profit(tables: Any, world: World, days: Days) -> None:
    sold = world.sold(days)
    for by, keys in BY.items():
        found = grouped([*world.spent(days), *sold], keys, money_of)
        assert shown(
            profit(tables, days, by=by), keys, "clicks", "spend", "transactions", *STATUSES, "profit"
        ) == {key: sums for key, sums in found.items() if any(sums[:3])}
    assert shown(matching(tables, days), ("how", "currency"), "transactions", "earned", "pending") == grouped(
        sold,
        ("how", "currency"),
        lambda group: (len(group), paid(group, "approved", "paid"), paid(group, "pending")),
    )


@pytest.mark.parametrize(("seed", "scheme"), [(1, "duckdb"), (2, "parquet"), (3, "csv"), (4, "jsonl")])
async def test_every_sum_is_the_obvious_one(seed, scheme, tmp_path):
    """Over accounts, currencies, levels, time zones, restated rows and ids that are not unique."""
    world = World(seed)
    with open_tables(await world.land(Land(scheme, tmp_path))) as tables:
        for days in DAYS:
            check_spend(tables, world, days)
            check_income(tables, world, days)
            check_profit(tables, world, days)
