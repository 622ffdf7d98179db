"""Goal 1: typed rows out of `list_transactions`, beside the same objects built by hand."""

import tempfile
from pathlib import Path

import hand
from common import SINCE, TOKEN, UNTIL, alternate, pin_client, server

import adnet


async def list_rows(base: str, state: Path) -> int:
    """Iterate a report's transactions and return how many there were."""
    rows = 0
    async with adnet.connect("targetcircle", base_url=base, token=TOKEN, state=f"sqlite:{state}") as account:
        # A report that is ready is asked after first 0.2 s later; that waits, and costs no CPU.
        async for _row in account.list_transactions(since=SINCE, until=UNTIL, currency="EUR"):
            rows += 1
    return rows


async def measure(pages: int = 200, rounds: int = 5, *, all_ways: bool = True) -> dict[str, dict[str, float]]:
    """Return CPU seconds a row and ratios; the first is the floor."""
    numbers = iter(range(1000))
    with tempfile.TemporaryDirectory() as folder, server(pages) as base:

        async def by_adnet() -> int:
            return await list_rows(base, Path(folder) / f"{next(numbers)}.db")

        async def by_hand() -> int:
            return await hand.each_row(base, pages, hand.transactions)

        async def by_hand_flat() -> int:
            return await hand.each_row(base, pages, hand.flat)

        async def dropped() -> int:
            return await hand.dropped(base, pages)

        assert await by_adnet() == await by_hand() == pages * 1000
        ways = {"hand": by_hand, "adnet": by_adnet}
        if all_ways:
            ways |= {"hand_flat": by_hand_flat, "dropped": dropped}
        found = await alternate(rounds, **ways)
    for figures in found.values():
        figures["us_per_row"] = figures["cpu_s"] / pages / 1000 * 1e6
        figures["rows_per_cpu_s"] = pages * 1000 / figures["cpu_s"]
    return found


if __name__ == "__main__":
    import asyncio
    import json

    pin_client()
    print(json.dumps(asyncio.run(measure()), indent=1))
