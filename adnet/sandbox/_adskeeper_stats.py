"""
Statistics of the Adskeeper imitation: one fine grain, everything else a sum of it.

The grain is the cell: what one teaser got on one day at one place (a widget,
and within it a sub-source). Campaign, teaser, widget and click figures are all
sums over the same cells, so the levels add up exactly. The cells of a day are
a pure function of (seed, campaign, day): the bytes of one digest.

Money is whole ten-thousandths of the account's currency unit: a click costs a
whole number of them, so no sum is ever rounded.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple, TypeVar

import attrs

__all__ = ["OWN_TRAFFIC", "Book", "Cell", "Profile", "Totals", "each_day", "money", "units"]

OWN_TRAFFIC = "0"
"""The source id under which a widget's own traffic stands beside its sub-sources."""

IDLE_BELOW = 38
"""A campaign rests on about 38 of 256 days."""
CELL_BYTES = 7


class Cell(NamedTuple):
    """What one teaser got on one day at one place; spent is clicks times price."""

    teaser: int
    uid: str
    source: str
    country: str
    browser: str
    system: str
    shows: int
    clicks: int
    rejected: int
    price: int
    buy: int
    decision: int
    interest: int


@attrs.frozen(kw_only=True)
class Profile:
    """Where one campaign's traffic comes from."""

    campaign: int
    teasers: tuple[int, ...]
    places: tuple[tuple[str, str], ...]
    """Widget uid and source id, own traffic among them."""
    countries: tuple[str, ...]
    devices: tuple[tuple[str, str], ...]
    """Browser and operating system codes."""
    price: int
    """The cheapest click, in ten-thousandths of a currency unit."""
    clicked: bool
    """False for a campaign that is shown and never clicked."""
    values: Mapping[str, int]
    """Conversion stage -> what one is worth, in ten-thousandths; stages left out never happen."""


@attrs.define
class Totals:
    """Sums over cells."""

    shows: int = 0
    clicks: int = 0
    rejected: int = 0
    spent: int = 0
    """Ten-thousandths of a currency unit."""
    buy: int = 0
    decision: int = 0
    interest: int = 0

    def add(self, cell: Cell) -> None:
        """Count *cell* in."""
        self.shows += cell.shows
        self.clicks += cell.clicks
        self.rejected += cell.rejected
        self.spent += cell.clicks * cell.price
        self.buy += cell.buy
        self.decision += cell.decision
        self.interest += cell.interest

    def merge(self, other: "Totals") -> None:
        """Count all of *other* in."""
        for field in attrs.fields(Totals):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def stage(self, name: str) -> int:
        """Return the conversions of one stage: buy, decision or interest."""
        count: int = getattr(self, name)
        return count

    def cost_per(self, stage: str) -> float:
        """Return spent per conversion of *stage* in currency, six places; 0 without any."""
        return ratio(self.spent, self.stage(stage) * 10_000)

    @property
    def cpc(self) -> float:
        """Cents per click, six places."""
        return ratio(self.spent, self.clicks * 100)

    @property
    def avcpc(self) -> float:
        """Currency per click, six places."""
        return ratio(self.spent, self.clicks * 10_000)

    @property
    def ctr(self) -> float:
        """Percent of shows clicked, six places."""
        return ratio(self.clicks * 100, self.shows)


Key = TypeVar("Key")
Test = Callable[[Cell], bool]


class Book:
    """
    All statistics of one account.

    Args:
        seed: Tells accounts apart.
        profiles: The campaigns with traffic; all others have none.
        first_day: Nothing happened before.
    """

    def __init__(self, seed: str, profiles: Iterable[Profile], first_day: date) -> None:
        self.profiles = {profile.campaign: profile for profile in profiles}
        self.first_day = first_day
        self._seed = seed
        self._cells: dict[tuple[int, date], tuple[Cell, ...]] = {}
        self._lifetimes: dict[int, tuple[date, dict[int, Totals]]] = {}

    def cells(self, campaign: int, day: date) -> tuple[Cell, ...]:
        """Return the cells of one campaign on one day; empty when nothing happened."""
        key = (campaign, day)
        found = self._cells.get(key)
        if found is None:
            profile = self.profiles.get(campaign)
            if profile is None or day < self.first_day:
                return ()
            found = self._cells[key] = tuple(_draw(profile, self.digest(campaign, day)))
        return found

    def digest(self, campaign: int, day: date, purpose: str = "cells") -> bytes:
        """Return 64 bytes that depend on the seed, the campaign, the day and the purpose."""
        words = f"{self._seed}:{purpose}:{campaign}:{day.isoformat()}"
        return hashlib.blake2b(words.encode()).digest()

    def sums(
        self, campaign: int, since: date, until: date, by: Callable[[Cell], Key], *tests: Test
    ) -> dict[Key, Totals]:
        """Return totals of *since* to *until*, both included, by a key of the cell."""
        totals: dict[Key, Totals] = {}
        for day in each_day(max(since, self.first_day), until):
            for cell in self.cells(campaign, day):
                if all(test(cell) for test in tests):
                    totals.setdefault(by(cell), Totals()).add(cell)
        return totals

    def total(self, campaign: int, since: date, until: date) -> Totals | None:
        """Return one campaign's totals, or None when nothing happened."""
        return self.sums(campaign, since, until, lambda _: None).get(None)

    def by_day(self, campaign: int, since: date, until: date, *tests: Test) -> Iterator[tuple[date, Totals]]:
        """Yield the totals of each day from *since* to *until*, both included, that had any."""
        for day in each_day(max(since, self.first_day), until):
            totals = self.sums(campaign, day, day, lambda _: None, *tests).get(None)
            if totals is not None:
                yield day, totals

    def revenue(self, campaign: int, totals: Totals) -> int:
        """Return what the conversions in *totals* were worth, in ten-thousandths."""
        values = self.profiles[campaign].values
        return sum(totals.stage(stage) * value for stage, value in values.items())

    def lifetime(self, campaign: int, teaser: int, today: date) -> Totals:
        """Return what a teaser got since its first day, today included."""
        if campaign not in self.profiles:
            return Totals()
        known = self._lifetimes.get(campaign)
        if known is None or known[0] != today:
            sums = self.sums(campaign, self.first_day, today, lambda cell: cell.teaser)
            known = self._lifetimes[campaign] = (today, sums)
        return known[1].get(teaser) or Totals()


def each_day(since: date, until: date) -> Iterator[date]:
    """Yield the days from *since* to *until*, both included."""
    for offset in range((until - since).days + 1):
        yield since + timedelta(days=offset)


def units(ten_thousandths: int) -> Decimal:
    """Return an amount of money in currency units, exact, for the side door."""
    return Decimal(ten_thousandths).scaleb(-4)


def money(ten_thousandths: int) -> float:
    """Return an amount of money as the network prints it; its shortest digits are exact."""
    return ten_thousandths / 10_000


def ratio(part: int, whole: int) -> float:
    """Return part / whole to six places, as the network prints its ratios; 0 over 0 is 0."""
    # Whole-number rounding, half up: the shortest digits of the result are exact.
    return (2_000_000 * part + whole) // (2 * whole) / 1_000_000 if whole else 0.0


def _draw(profile: Profile, digest: bytes) -> Iterator[Cell]:
    if digest[0] < IDLE_BELOW:
        return
    for number in range(4 + digest[1] % 5):
        a, b, c, d, e, f, g = digest[2 + number * CELL_BYTES : 2 + (number + 1) * CELL_BYTES]
        clicks = max(0, a % 16 - 2) if profile.clicked else 0
        buy, decision, interest = _conversions(profile, clicks, g)
        yield Cell(
            teaser=profile.teasers[b % len(profile.teasers)],
            uid=(place := profile.places[c % len(profile.places)])[0],
            source=place[1],
            country=profile.countries[d % len(profile.countries)],
            browser=(device := profile.devices[e % len(profile.devices)])[0],
            system=device[1],
            shows=(clicks + 1) * (60 + f) + e,
            clicks=clicks,
            rejected=b % 3 if clicks else 0,
            price=profile.price + f % 40,
            buy=buy,
            decision=decision,
            interest=interest,
        )


def _conversions(profile: Profile, clicks: int, byte: int) -> tuple[int, int, int]:
    interest = byte % (clicks + 1)
    decision = byte // 16 % (interest + 1)
    buy = byte // 64 % (decision + 1)
    stages = profile.values
    return (
        buy if "buy" in stages else 0,
        decision if "decision" in stages else 0,
        interest if "interest" in stages else 0,
    )
