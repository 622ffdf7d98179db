"""
What happened in an imitation Target Circle account: clicks and transactions, by day.

The rows of a day follow from the seed and the day alone, so any period may be
asked for and two processes agree. Each transaction has a click of the same
day or the day before, and a pricing of that click's offer in that click's
country. Instants are whole Unix seconds, money is exact, in the offer's own
currency; the shapes on the wire are in `_targetcircle_rows`.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random

import attrs

from adnet.sandbox._targetcircle_catalogue import Ad, Catalogue, Offer, Pricing, Trade, catalogue
from adnet.sandbox.base import random_of

__all__ = ["STATUSES", "Click", "Ledger", "Transaction", "status_at", "to_six_places"]

STATUSES: dict[str, int] = {
    "pending": 300,
    "approved": 250,
    "approved, invoiced": 100,
    "approved, paid in": 100,
    "approved, paid out": 150,
    "declined": 90,
    "failed": 5,
    "under review": 5,
}
"""Status -> how often, per thousand. The last one is in no document."""

FIRST_DAY = date(2015, 1, 1)
LAST_DAY = date(2040, 12, 31)
"""The account has rows from the first day to the last."""

SALE_DAY = 11
"""The day of the month that has ten times as many rows."""

_DAY_S = 86_400
_CLICKS_A_TRANSACTION = 10
_SIX_PLACES = Decimal("0.000001")
_LABELS = ("BrandGenerics", "NL_COMP", "newsletter-07", "sub id 3", "Größe/æøå", "=1+1", "a|b;c")
_BOUGHT = 0.8
_METHODS = ("tmt_cookie", "tmt_fingerprint", "tmt_s2s")
# RFC 5737 and RFC 3849: addresses that belong to nobody.
_NETS = ("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8::")


@attrs.frozen(eq=False, kw_only=True)
class Click:
    """Somebody followed an ad."""

    at: int
    trade: Trade
    ad: Ad
    country: str
    reference: tuple[str, ...]
    ip: str
    tracking_id: str


@attrs.frozen(eq=False, kw_only=True)
class Transaction:
    """A click that led to something paid for."""

    saved: int
    click: Click
    pricing: Pricing
    status: str
    """The status of a row that does not change with time."""
    fate: float
    """Decides the course of a status that does; 0 to 1."""
    method: str
    amount: Decimal
    commission: Decimal
    tracking_id: str | None
    """None if the row has no such field at all."""

    @property
    def offer(self) -> Offer:
        """The offer clicked on."""
        return self.click.trade.offer


class Ledger:
    """
    All clicks and transactions of one account; safe to use from several threads.

    Args:
        seed: Decides everything.
        per_day: Transactions on an ordinary day, on average.
        extra: If given, an instant and how many more transactions it has.
        sub_ids: If given, most clicks have one of these first.
    """

    catalogue: Catalogue

    def __init__(
        self,
        seed: int,
        per_day: float,
        extra: tuple[datetime, int] | None = None,
        sub_ids: Sequence[str] = (),
    ) -> None:
        self.catalogue = catalogue(seed)
        self._seed = seed
        self._per_day = per_day
        self._extra = extra
        self._sub_ids = sub_ids
        self._accepted = self.catalogue.accepted
        self._ordinary = lru_cache(maxsize=70)(self._ordinary_clicks)
        self.transactions = lru_cache(maxsize=800)(self._transactions)

    def clicks(self, day: date) -> tuple[Click, ...]:
        """Return the clicks of *day* (UTC), the earliest first."""
        made, extra = self._ordinary(day), self._extra_clicks(day)
        return tuple(sorted([*made, *extra], key=_clicked)) if extra else made

    def _ordinary_clicks(self, day: date) -> tuple[Click, ...]:
        if not FIRST_DAY <= day <= LAST_DAY:
            return ()
        rng = random_of("targetcircle", self._seed, "clicks", day)
        count = _CLICKS_A_TRANSACTION * self._count(rng, day)
        made = [self._click(rng, second) for second in _seconds(rng, day, count)]
        # Impatient people click twice: rows that differ in nothing.
        made += [attrs.evolve(c, tracking_id=_tracking_id(rng)) for c in made[7:-1:211]]
        return tuple(sorted(made, key=_clicked))

    def _transactions(self, day: date) -> tuple[Transaction, ...]:
        """Return the transactions of *day* (UTC), the earliest saved first."""
        if not FIRST_DAY <= day <= LAST_DAY:
            return ()
        rng = random_of("targetcircle", self._seed, "transactions", day)
        seconds = _seconds(rng, day, self._count(rng, day))
        made = [
            _transaction(rng, click, rng.choice(click.trade.offer.prices[click.country]), second)
            for second, click in zip(seconds, self._converting(rng, day, seconds), strict=False)
        ]
        made += _second_conversions(rng, made, day)
        made += self._extra_transactions(day)
        return tuple(sorted(made, key=_saved))

    def _count(self, rng: Random, day: date) -> int:
        return round(self._per_day * rng.uniform(0.8, 1.2) * (10 if day.day == SALE_DAY else 1))

    def _click(self, rng: Random, second: int) -> Click:
        trade = rng.choice(self._accepted)
        return Click(
            at=second,
            trade=trade,
            ad=rng.choice(trade.offer.ads),
            country=rng.choice(list(trade.offer.prices)),
            reference=(*self._bought(rng), *rng.choices(_LABELS, k=rng.randrange(4))),
            ip=f"{rng.choice(_NETS)}{rng.randrange(1, 255)}",
            tracking_id=_tracking_id(rng),
        )

    def _bought(self, rng: Random) -> Sequence[str]:
        return [rng.choice(self._sub_ids)] if self._sub_ids and rng.random() < _BOUGHT else ()

    def _converting(self, rng: Random, day: date, seconds: list[int]) -> Iterator[Click]:
        """Yield a click for each of *seconds*, not after it, none twice in a day."""
        today = self._ordinary(day)
        pool = [*self._ordinary(day - timedelta(days=1)), *today]
        times = [click.at for click in pool]
        used: set[int] = set()
        for second in seconds:
            end = bisect_right(times, second)
            free = [i for i in _picks(rng, max(0, end - len(today)), end) if i not in used]
            if not free:
                return
            used.add(free[0])
            yield pool[free[0]]

    def _extra_clicks(self, day: date) -> list[Click]:
        # The day before the extra transactions, where they fill no single second.
        if self._extra is None or self._extra[0].date() - timedelta(days=1) != day:
            return []
        rng = random_of("targetcircle", self._seed, "extra clicks")
        start = _midnight(day)
        return [self._click(rng, start + rng.randrange(_DAY_S)) for _ in range(self._extra[1])]

    def _extra_transactions(self, day: date) -> list[Transaction]:
        if self._extra is None or self._extra[0].date() != day:
            return []
        rng = random_of("targetcircle", self._seed, "extra transactions")
        second = int(self._extra[0].timestamp())
        return [
            _transaction(rng, click, click.trade.offer.prices[click.country][0], second)
            for click in self._extra_clicks(day - timedelta(days=1))
        ]


def status_at(row: Transaction, now: datetime) -> str:
    """Return what a status that changes has become by *now*."""
    age_days = (now.timestamp() - row.saved) / _DAY_S - 10 - 50 * row.fate
    if age_days < 0:
        return "pending"
    if row.fate * 1000 % 10 < 1:
        return "declined"
    steps = ("approved", "approved, invoiced", "approved, paid in", "approved, paid out")
    return steps[min(int(age_days // 10), 3)]


def to_six_places(value: Decimal) -> Decimal:
    """Return *value* with one to six decimals, none of them an idle zero but the first."""
    short = value.quantize(_SIX_PLACES).normalize()
    exponent = short.as_tuple().exponent
    return short if isinstance(exponent, int) and exponent < -1 else short.quantize(Decimal("0.1"))


def _picks(rng: Random, start: int, end: int) -> list[int]:
    return [rng.randrange(start, end) for _ in range(8)] if start < end else []


def _seconds(rng: Random, day: date, count: int) -> list[int]:
    """Return *count* instants of *day*: both its ends, and some seconds more than once."""
    start = _midnight(day)
    found = [start + min(int(rng.triangular(0, _DAY_S, 68_400)), _DAY_S - 1) for _ in range(count)]
    for index in range(3, count, 20):
        found[index] = found[index - 1]
    found[:2] = [start, start + _DAY_S - 1][:count]
    return sorted(found)


def _second_conversions(rng: Random, made: list[Transaction], day: date) -> list[Transaction]:
    """Return further transactions of clicks that had one: a click may convert twice."""
    last = _midnight(day) + _DAY_S - 1
    found = []
    for row in made[5::80]:
        others = [
            p for p in row.offer.prices[row.click.country] if p.product_group != row.pricing.product_group
        ]
        if others:
            later = min(row.saved + rng.randrange(600), last)
            found.append(_transaction(rng, row.click, others[0], later))
    for row in made[17::160]:
        # True duplicates of every conceivable key: one basket, two lines.
        twin = _transaction(rng, row.click, row.pricing, row.saved)
        found.append(attrs.evolve(twin, tracking_id=row.tracking_id))
    return found


def _transaction(rng: Random, click: Click, pricing: Pricing, second: int) -> Transaction:
    amount = _amount(rng) if pricing.kind == "sale" else Decimal(0)
    commission = pricing.payout if pricing.fixed else amount * pricing.payout / 100
    lost = rng.random()
    return Transaction(
        saved=second,
        click=click,
        pricing=pricing,
        status=rng.choices(list(STATUSES), list(STATUSES.values()))[0],
        fate=rng.random(),
        method=rng.choice(_METHODS),
        amount=amount,
        commission=to_six_places(commission),
        tracking_id=click.tracking_id if lost > 0.01 else None if lost > 0.005 else "",
    )


def _amount(rng: Random) -> Decimal:
    cents = Decimal(rng.randrange(100, 50_000)) / 100
    return Decimal(rng.choice((cents, cents, cents, "0.1", f"{cents}0678", "12.345678")))


def _tracking_id(rng: Random) -> str:
    # Looks like a UUID and is none, as in the vendor's sample.
    text = f"{rng.getrandbits(116):029x}"
    return f"rfh{text[:5]}-{text[5:9]}-{text[9:13]}-{text[13:17]}-{text[17:]}"


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _clicked(click: Click) -> int:
    return click.at


def _saved(row: Transaction) -> int:
    return row.saved
