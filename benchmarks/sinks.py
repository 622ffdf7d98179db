"""How fast rows land, and in how much memory, for each sink.

Each sink runs in a process of its own. Rows are made outside the clock; what is measured is `write` and `commit`
(and `close` for the files that are exported then). Three landings follow one another: fresh rows, the same rows
again, and the same rows with one status in a hundred restated.

    python benchmarks/sinks.py --rows 1000000 duckdb parquet csv jsonl
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from adnet.sinks import open_sink

START = datetime(2026, 1, 1, tzinfo=UTC)
RESTATED = ["pending", "approved", "declined"]
PAD = json.dumps({f"field{n}": f"value {n}" for n in range(14)})[1:-1]


class Rows:
    """Batches of synthetic transactions; columns that need not differ from batch to batch are made once."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        places = range(batch)
        self._shared = {
            "status_raw": ["Accepted"] * batch,
            "kind": ["sale"] * batch,
            "product_group": [None] * batch,
            "offer_id": [str(n % 97) for n in places],
            "offer_name": [f"Offer {n % 97}" for n in places],
            "source_name": [f"Site {n % 13}" for n in places],
            "amount": [Decimal(n * 37 % 100_000).scaleb(-2) for n in places],
            "commission": [Decimal(n * 17 % 10_000).scaleb(-2) for n in places],
            "currency": ["EUR"] * batch,
            "country": [("DE", "FR", None)[n % 3] for n in places],
            "sub_ids": [[f"s{n % 1000}", "b"] for n in places],
        }

    def columns(self, start: int, *, restated: bool = False) -> dict:
        numbers = range(start, start + self.batch)
        words = RESTATED[1:] if restated else RESTATED[:2]
        return {
            **self._shared,
            "transaction_id": [f"{n * 2654435761 % 2**61:024x}" for n in numbers],
            "tracking_id": [f"{n:024x}" for n in numbers],
            "status": [words[n % 100 == 0] if restated else "approved" for n in numbers],
            "occurred_at": [START + timedelta(seconds=n) for n in numbers],
            "raw": [f'{{"trackingId": "{n:024x}", "n": {n}, {PAD}}}' for n in numbers],
        }


def memory(field: str) -> int:
    """Return VmHWM or VmRSS in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) // 1024
    raise LookupError(field)


async def land(sink, rows: Rows, count: int, *, restated: bool = False) -> tuple[float, float]:
    """Return the wall and CPU seconds of one landing."""
    wall = cpu = 0.0
    landing = sink.landing(network="bench", account="a", fetched_at=START)
    for start in range(0, count, rows.batch):
        columns = rows.columns(start, restated=restated)
        before = time.perf_counter(), time.process_time()
        await landing.write("transactions", columns)
        wall, cpu = wall + time.perf_counter() - before[0], cpu + time.process_time() - before[1]
    before = time.perf_counter(), time.process_time()
    landed = await landing.commit()
    wall, cpu = wall + time.perf_counter() - before[0], cpu + time.process_time() - before[1]
    print(f"  {landed['transactions']}", file=sys.stderr)
    return wall, cpu


async def measure(scheme: str, count: int, batch: int, folder: Path) -> dict:
    """Return the figures of one sink."""
    rows = Rows(batch)
    rows.columns(0)
    place = folder / ("ads.duckdb" if scheme == "duckdb" else scheme)
    figures: dict = {"sink": scheme, "rows": count}
    for name, restated in (("fresh", False), ("again", False), ("restated", True)):
        async with open_sink(f"{scheme}:{place}") as sink:
            figures.setdefault("idle_mb", memory("VmRSS"))
            wall, cpu = await land(sink, rows, count, restated=restated)
            before = time.perf_counter()
        close = time.perf_counter() - before
        figures[name] = {
            "rows_per_s": round(count / (wall + close)),
            "wall_s": round(wall, 2),
            "close_s": round(close, 2),
            "cpu_s": round(cpu, 2),
            "peak_mb": memory("VmHWM"),
        }
    return figures


def main() -> None:
    """Measure the sinks that are named, one process each, or the one of ``--inside``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sinks", nargs="*", default=["duckdb", "parquet", "csv", "jsonl"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--inside", action="store_true", help="measure in this process")
    given = parser.parse_args()
    if given.inside:
        with tempfile.TemporaryDirectory(prefix="adnet-bench-", dir=Path.cwd()) as folder:
            print(json.dumps(asyncio.run(measure(given.sinks[0], given.rows, given.batch, Path(folder)))))
        return
    for scheme in given.sinks:
        command = [
            sys.executable,
            __file__,
            "--inside",
            scheme,
            "--rows",
            str(given.rows),
            "--batch",
            str(given.batch),
        ]
        print(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


if __name__ == "__main__":
    main()
