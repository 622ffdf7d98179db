"""Goal 3: 200 pages that take 50 ms each, with default settings; all the rest waits for the network too."""

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

import hand
import peers
from common import pin_client, server
from rows import list_rows

PAGES, DELAY_S, PAGE_ROWS = 200, 0.05, 100


async def measure(rounds: int = 5, peer_rounds: int = 5) -> dict[str, dict[str, float] | None]:
    """Return the wall seconds of each; the first is the floor: 32 in flight, by hand."""
    numbers = iter(range(1000))
    walls: dict[str, list[float]] = {"hand": [], "adnet": []}
    found: dict[str, dict[str, float] | None] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        server(PAGES, "--rows", PAGE_ROWS, "--delay", DELAY_S) as base,
    ):
        for _ in range(rounds):
            started = time.perf_counter()
            await hand.each_report_row(base, PAGES)
            walls["hand"].append(time.perf_counter() - started)
            started = time.perf_counter()
            await list_rows(base, Path(folder) / f"{next(numbers)}.db")
            walls["adnet"].append(time.perf_counter() - started)
        for name in peers.PEERS if peer_rounds else ():
            taken = [await asyncio.to_thread(peers.pulled, name, base, PAGE_ROWS) for _ in range(peer_rounds)]
            walls[name] = [figures["wall_s"] for figures in taken if figures]
    for name, taken in walls.items():
        wall = statistics.median(taken) if taken else None
        found[name] = wall and {"wall_s": wall, "wall_ratio": wall / statistics.median(walls["hand"])}
    return found


if __name__ == "__main__":
    pin_client()
    print(json.dumps(asyncio.run(measure()), indent=1))
