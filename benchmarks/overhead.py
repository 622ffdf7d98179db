"""Goal 5: what adnet costs around a request, and what it costs to import it."""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
from common import alternate, pin_client, server

import adnet
from adnet.clock import SystemClock
from adnet.connectors.targetcircle import routes
from adnet.connectors.targetcircle.limits import BUCKETS
from adnet.transport.limits import Limiter
from adnet.transport.retry import Retrier, RetryPolicy
from adnet.transport.wire import Request, Response

LOCATION = "/api/transactions/bench?page=1"


async def requests(count: int, rounds: int) -> dict[str, float]:
    """Return the microseconds of CPU that a request takes, bare and through the whole stack."""
    with tempfile.TemporaryDirectory() as folder, server(2, "--rows", 1) as base:
        state = f"sqlite:{Path(folder) / 's.db'}"
        async with (
            aiohttp.ClientSession() as session,
            adnet.connect("targetcircle", base_url=base, token="bench", state=state) as account,
        ):

            async def bare() -> None:
                for _ in range(count):
                    async with session.get(base + LOCATION, headers={"X-Api-Token": "bench"}) as answer:
                        await answer.read()

            async def whole() -> None:
                page = account.native.get_transactions_page
                for _ in range(count):
                    await page(LOCATION)

            await bare()
            await whole()
            found = await alternate(rounds, bare=bare, whole=whole)
    bare_us, whole_us = (found[name]["cpu_s"] / count * 1e6 for name in ("bare", "whole"))
    return {
        "bare_us": bare_us,
        "whole_us": whole_us,
        "over_us": whole_us - bare_us,
        "ratio": found["whole"]["ratio"],
    }


async def layers(count: int = 50_000, rounds: int = 5) -> dict[str, float]:
    """Return the microseconds of an uncontended acquire, and of a retry layer that does nothing."""
    limiter = Limiter(BUCKETS, clock=SystemClock())
    retrier = Retrier(RetryPolicy(), SystemClock())
    request = Request(route=routes.PAGE["transactions"], url="https://bench.example/api")
    response = Response(status=200, url="")

    async def send(_request: Request) -> Response:
        return response

    async def nothing() -> None:
        for _ in range(count):
            await send(request)

    async def acquire() -> None:
        for _ in range(count):
            with await limiter.acquire(("pages",)):
                pass

    async def retry() -> None:
        for _ in range(count):
            await retrier.run(send, request)

    found = await alternate(rounds, nothing=nothing, acquire=acquire, retry=retry)
    micro = {name: figures["cpu_s"] / count * 1e6 for name, figures in found.items()}
    return {"acquire_us": micro["acquire"], "retry_us": micro["retry"] - micro["nothing"]}


def started(*arguments: str) -> float:
    """Return the CPU seconds that Python takes for *arguments*."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def starts(rounds: int) -> dict[str, float]:
    """Return what `import adnet` adds to `import aiohttp`, and what `adnet --help` takes, in seconds of CPU."""
    ways = {
        "aiohttp": ["-c", "import aiohttp"],
        "adnet": ["-c", "import aiohttp, adnet"],
        "help": ["-m", "adnet", "--help"],
    }
    for way in ways.values():
        started(*way)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    walls = []
    for _ in range(rounds):
        for name, way in ways.items():
            before = time.perf_counter()
            taken[name].append(started(*way))
        walls.append(time.perf_counter() - before)
    over = [mine - bare for mine, bare in zip(taken["adnet"], taken["aiohttp"], strict=True)]
    return {
        "aiohttp_s": statistics.median(taken["aiohttp"]),
        "import_over_s": statistics.median(over),
        "help_s": statistics.median(taken["help"]),
        "help_wall_s": statistics.median(walls),
    }


async def measure(count: int = 2000, rounds: int = 5) -> dict[str, float]:
    """Return all of these figures."""
    return {**await requests(count, rounds), **await layers(rounds=rounds), **starts(rounds)}


if __name__ == "__main__":
    pin_client()
    print(json.dumps(asyncio.run(measure()), indent=1))
