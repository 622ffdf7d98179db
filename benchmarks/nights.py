"""Many accounts in one `adnet pull`, as at night: what an account costs, and that memory does not grow with them.

python benchmarks/nights.py parquet 200 10         200 accounts, each with a report of 10 pages of 1,000 rows
python benchmarks/nights.py parquet 1000 2 10      1,000 accounts, each with 2 pages of 10 rows

At least two pages: a report of 1,000 rows may have been cut, as they tell, and its halves are asked for.
"""

import json
import statistics
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from common import HERE, child, memory_mb, pin_client, server
from pulls import commanded

READY_S = 2.0


def inside(way: str, accounts: int, base: str) -> dict[str, float]:
    """Return the figures of one pull in this process."""
    from adnet import registry

    registry.load("targetcircle")  # importing is not what is measured
    for module in ("adnet.cli.pull", f"adnet.sinks.{way}"):
        import_module(module)
    with tempfile.TemporaryDirectory(dir=HERE / ".venvs") as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        rows = commanded(way, base, Path(folder), accounts)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"rows": rows, "wall_s": wall, "cpu_s": cpu, "peak_mb": memory_mb()}


def measure(way: str, accounts: int, pages: int, rows: int = 1000, rounds: int = 1) -> dict[str, float]:
    """Return the median figures of pulls of *accounts* accounts, each with *pages* pages, ready after READY_S.

    A page has *rows* rows.
    """
    runs = []
    for _ in range(rounds):
        with server(pages, "--rows", rows, "--ready", READY_S) as base:
            runs.append(json.loads(child(sys.executable, HERE / "nights.py", "inside", way, accounts, base)))
        assert runs[-1]["rows"] == accounts * pages * rows, runs[-1]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


if __name__ == "__main__":
    (HERE / ".venvs").mkdir(exist_ok=True)
    if sys.argv[1] == "inside":
        # On the cores that whoever measures has chosen.
        print(json.dumps(inside(sys.argv[2], int(sys.argv[3]), sys.argv[4])))
    else:
        pin_client()
        print(json.dumps(measure(sys.argv[1], *map(int, sys.argv[2:])), indent=1))
