"""Rows that landed once and that the network tells no more.

Landing replaces rows and removes none, so that a sale that the network has taken out of its reports stays in every
sum. Whether it was taken out, or whether the network has merely forgotten it, only its people can tell: so such rows
are counted and told, and stay.
"""

from collections.abc import Sequence
from typing import Any

from adnet.client import Account
from adnet.models.words import Level
from adnet.periods import ONE_DAY, Period
from adnet.sinks import Sink, Stretch


async def count_vanished(sink: Sink, stretch: Stretch, rows: int) -> int:
    """Return how many rows of *stretch* a pull of all of it did not bring; 0 where the place cannot tell.

    Args:
        sink: Where it has landed.
        stretch: What was asked for.
        rows: How many rows came.

    Raises:
        SinkError: The sink cannot be used.
    """
    count: Any = getattr(sink, "count", None)  # sinks of third parties may not know it
    landed = None if count is None else await count(stretch)
    return 0 if landed is None else max(0, landed - rows)


def stretch_of(account: Account, table: str, period: Period, levels: Sequence[Level | None]) -> Stretch:
    """Return the rows that a pull of *period* is about; of statistics all of each day that it touches."""
    days = list(period.days(account.connector.time_zone)) if table == "stats" else []
    return Stretch(
        network=account.network,
        account=account.name,
        table=table,
        since=days[0] if days else period.since,
        until=days[-1] + ONE_DAY if days else period.until,
        levels=tuple(filter(None, levels)),
    )
