"""Goal 4: how long after a report is ready its first row comes, and after how many questions."""

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

from common import SINCE, UNTIL, pin_client, server

import adnet
from adnet.testing.fakes import FakeClock
from adnet.transport.wire import Request, Response

DURATIONS_S = tuple(0.2 * 3000 ** (step / 40) for step in range(41))
"""From 0.2 s to 10 min, evenly on a logarithmic scale."""
ROW = b'{"saved":"2026-01-01T00:00:00Z","conversionStatus":"approved","trackingId":"a"}'


class Network:
    """A Transport: a report that is ready after a while on a virtual clock."""

    def __init__(self, clock: FakeClock, ready_s: float) -> None:
        self._clock, self._ready_s = clock, ready_s
        self._asked_at = 0.0
        self.polls = 0

    async def send(self, request: Request, *, timeout_s: float) -> Response:  # noqa: ARG002
        if request.route.method == "POST":
            self._asked_at = self._clock.monotonic()
            return Response(status=202, url=request.url, headers={"location": "/api/transactions/one?page=1"})
        self.polls += 1
        ready = self._clock.monotonic() - self._asked_at >= self._ready_s
        body = b'{"data":[%s],"status":"%s","pagesNumber":%d}'
        parts = (ROW, b"READY", 1) if ready else (b"", b"IN_PROGRESS", 0)
        return Response(status=200, url=request.url, body=body % parts)

    async def close(self) -> None:
        pass


async def virtual(ready_s: float) -> dict[str, float]:
    """Return the first row's instant as a share of the report's, and the questions it took."""
    clock = FakeClock()
    network = Network(clock, ready_s)
    started = clock.monotonic()
    account = adnet.connect(
        "targetcircle", base_url="https://bench.example", token="bench", transport=network, clock=clock
    )
    async with account:
        async for _row in account.list_transactions(since=SINCE, until=UNTIL, currency="EUR"):
            taken = clock.monotonic() - started
    return {"ready_s": ready_s, "first_row_s": taken, "share": taken / ready_s, "polls": network.polls}


async def real(ready_s: float) -> dict[str, float]:
    """Return the same by the machine's own clock."""
    with tempfile.TemporaryDirectory() as folder, server(2, "--rows", 100, "--ready", ready_s) as base:
        started = time.perf_counter()
        account = adnet.connect(
            "targetcircle", base_url=base, token="bench", state=f"sqlite:{Path(folder) / 's.db'}"
        )
        taken = 0.0
        async with account:
            async for _row in account.list_transactions(since=SINCE, until=UNTIL, currency="EUR"):
                taken = taken or time.perf_counter() - started
    return {"ready_s": ready_s, "first_row_s": taken, "share": taken / ready_s}


async def measure(real_s: float = 3.0) -> dict[str, float]:
    """Return the shares over all durations on the virtual clock, and one on the real one."""
    found = [await virtual(seconds) for seconds in DURATIONS_S]
    shares = [one["share"] for one in found]
    return {
        "median_share": statistics.median(shares),
        "worst_share": max(shares),
        "worst_share_from_2_s": max(one["share"] for one in found if one["ready_s"] >= 2),
        "most_polls": max(one["polls"] for one in found),
        "real_share": (await real(real_s))["share"],
    }


if __name__ == "__main__":
    pin_client()
    print(json.dumps(asyncio.run(measure()), indent=1))
