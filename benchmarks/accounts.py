"""Goal 6: many accounts in one process, each with one report that is ready after a while."""

import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import hand
from common import CORES, HERE, SINCE, UNTIL, child, pin_client, server

READY_S = 8.0


async def by_adnet(base: str, count: int, folder: Path) -> int:
    """Read one report of each account with adnet, all at once, on one state."""
    import adnet
    from adnet.clock import SystemClock
    from adnet.state import State

    state = State.open(f"sqlite:{folder / 's.db'}", clock=SystemClock())

    async def one(number: int) -> int:
        rows = 0
        account = adnet.connect(
            "targetcircle", base_url=base, token=f"bench-{number:05d}", state=state, name=f"account{number}"
        )
        async with account:
            async for _row in account.list_transactions(since=SINCE, until=UNTIL, currency="EUR"):
                rows += 1
        return rows

    rows = sum(await asyncio.gather(*(one(number) for number in range(count))))
    state.close()
    return rows


async def by_hand(base: str, count: int) -> int:
    """The same in plain asyncio: one session, the same questions at the same times, no journal and no limits."""

    async def one(session: aiohttp.ClientSession) -> int:
        async with session.post(f"{base}/api/transactions", json={"limit": 1000}) as answer:
            place = answer.headers["Location"]
        started = time.monotonic()
        while True:
            elapsed = time.monotonic() - started
            await asyncio.sleep(0.2 if elapsed < 0.2 else max(0.3, 0.2 * elapsed))
            async with session.get(f"{base}{place}") as answer:
                body = await answer.read()
            if b"READY" in body[-100:]:
                break
        rows = 0
        for page in (1, 2):
            if page > 1:
                async with session.get(base + place.replace("page=1", f"page={page}")) as answer:
                    body = await answer.read()
            rows += len(hand.transactions(body))
        return rows

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        return sum(await asyncio.gather(*(one(session) for _ in range(count))))


def inside(way: str, base: str, count: int) -> dict[str, float]:
    """Return the figures of one way in this process."""
    from adnet import registry

    registry.load("targetcircle")  # importing is not what is measured

    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        if way == "seldom":
            gc.set_threshold(20_000)
        work = by_hand(base, count) if way == "hand" else by_adnet(base, count, Path(folder))
        rows = asyncio.run(work)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert rows == count * 20, rows
    return {"wall_s": wall, "cpu_s": cpu}


def measure(
    count: int = 1000, rounds: int = 3, ready_s: float = READY_S, ways: Sequence[str] = ("adnet", "seldom")
) -> dict[str, dict[str, float]]:
    """Return the median figures by hand and of *ways*.

    ``seldom`` is adnet in a process that looks for cycles of objects as seldom as the command ``adnet`` does.
    """
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in ("hand", *ways)}
    with server(2, "--rows", 10, "--ready", ready_s) as base:
        for _ in range(rounds):
            for way, taken in runs.items():
                taken.append(json.loads(child(sys.executable, HERE / "accounts.py", way, base, count)))
    found = {
        way: {name: sorted(run[name] for run in taken)[rounds // 2] for name in taken[0]}
        for way, taken in runs.items()
    }
    for way in ways:
        ratios = sorted(a["cpu_s"] / b["cpu_s"] for a, b in zip(runs[way], runs["hand"], strict=True))
        found[way]["ratio"] = ratios[rounds // 2]
        found[way]["wall_share"] = found[way]["wall_s"] / ready_s
    return found


if __name__ == "__main__":
    pin_client()
    assert CORES
    if len(sys.argv) > 3:
        print(json.dumps(inside(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
    else:
        print(json.dumps(measure(*map(int, sys.argv[1:])), indent=1))
