"""Adskeeper's clicks to models: identities, prices, addresses.

The network gives a click no id, and clicks may agree in all that it tells. So they are numbered among those that
agree in what never changes, by content and not by order; a day always comes whole, so that the numbers hold.
"""

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from adnet.connectors.adskeeper import shapes
from adnet.connectors.adskeeper.codec import CENTS, Book, source_id
from adnet.connectors.adskeeper.figures import ClickReport, ClickRow
from adnet.errors import SchemaError
from adnet.models import Click
from adnet.redact import keyed_hash

_SEPARATOR: Final = "\x1f"
_DRIFT: Final = 5
"""How many times the prices of a day's clicks may add up to more, or less, than what they are said to add up to."""


def clicks(report: ClickReport, book: Book, hash_key: bytes) -> list[Click]:
    """Return a day's clicks in the network's order, each with a key that is the same at every pull.

    Raises:
        SchemaError: A click tells no time.
    """
    unit = _per_unit(report)
    keys = [_click_key(report.campaign_id, row) for row in report.clicks]
    numbers = _numbered(keys, report.clicks)
    return [
        _click(report.campaign_id, row, book, hash_key, per_unit=unit, key=f"{key}{_SEPARATOR}{number}")
        for row, key, number in zip(report.clicks, keys, numbers, strict=True)
    ]


def _per_unit(report: ClickReport) -> int | None:
    """Return how many of what prices of clicks are in make a unit of the currency; None where that cannot be told.

    The document does not say whether they are cents, but the summary tells their sum in the currency. The two need
    not agree: a network takes clicks back.
    """
    total = sum((row.price or Decimal(0) for row in report.clicks), Decimal(0))
    if not total:
        return 1
    times = total / report.spent if report.spent else Decimal("Infinity")
    return next((unit for unit in (1, CENTS) if times < unit * _DRIFT and unit < times * _DRIFT), None)


def _click_key(campaign_id: str, row: ClickRow) -> str:
    """Return what never changes in a click as one text. Stored keys depend on this form."""
    parts = (campaign_id, row.time, row.teaser_id, row.uid, row.sub, row.country)
    return _SEPARATOR.join(part or "" for part in parts)


def _numbered(keys: Sequence[str], rows: Sequence[ClickRow]) -> list[int]:
    places: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        places.setdefault(key, []).append(index)
    numbers = [0] * len(keys)
    for group in places.values():
        group.sort(key=lambda index: (_content(rows[index]), index))
        for number, index in enumerate(group):
            numbers[index] = number
    return numbers


def _content(row: ClickRow) -> tuple[str, ...]:
    return tuple(str(part) for part in (row.region, row.referer, row.price, row.ip))


def _click(
    campaign_id: str, row: ClickRow, book: Book, hash_key: bytes, *, per_unit: int | None, key: str
) -> Click:
    moment = shapes.moment(row.time, book.zone)
    if moment is None:
        raise SchemaError(f"a click's time cannot be read: {row.time[:40]!r}", paths=("$.time",))
    cost = None if row.price is None or per_unit is None else row.price / per_unit
    return Click(
        click_key=hashlib.blake2b(key.encode(), digest_size=16).hexdigest(),
        occurred_at=moment,
        campaign_id=campaign_id,
        ad_id=row.teaser_id,
        source_id=source_id(row.uid, row.sub) if row.uid else None,
        country=row.country,
        ip_hash=keyed_hash(hash_key, row.ip) if row.ip else None,
        cost=book.money(cost),
        currency=book.currency,
        raw=row.raw,
    )
