"""
Single clicks of the Adskeeper imitation, drawn to match the day's cells.

The network gives a click no id, and two clicks can agree in every field: so
do some of these. Addresses are from the ranges reserved for documentation.
"""

from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from adnet.sandbox._adskeeper_stats import Book, Cell, money

__all__ = ["accepted_clicks"]

TWIN_ONE_IN = 12


def accepted_clicks(book: Book, campaign: int, day: date) -> list[dict[str, Any]]:
    """Return the accepted clicks of one campaign on one day, by time; prices add up to spent."""
    random = Random(book.digest(campaign, day, "clicks"))
    clicks: list[dict[str, Any]] = []
    for cell in book.cells(campaign, day):
        for number in range(cell.clicks):
            twin = number > 0 and random.randrange(TWIN_ONE_IN) == 0
            clicks.append(dict(clicks[-1]) if twin else _click(random, day, cell))
    return sorted(clicks, key=lambda click: str(click["time"]))


def _click(random: Random, day: date, cell: Cell) -> dict[str, Any]:
    # From four o'clock on: no clock change makes such a time ambiguous or impossible.
    moment = datetime.combine(day, time(4)) + timedelta(seconds=random.randrange(20 * 3600))
    network = random.choice(("192.0.2.", "198.51.100.", "203.0.113."))
    return {
        "time": f"{moment:%Y-%m-%d %H:%M:%S}",
        "ip": f"{network}{random.randrange(1, 255)}",
        "referer": f"https://news{cell.uid[-2:]}.example/",
        "teaserId": str(cell.teaser),
        "sourceId": cell.source,
        "informerUid": cell.uid,
        "country": cell.country,
        "region": f"{cell.country}-{random.randrange(1, 9)}",
        "price": f"{money(cell.price):.4f}",
    }
