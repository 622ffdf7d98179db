"""Goal 2: a whole `adnet pull` into a sink, in a process of its own, with its peak of memory.

python benchmarks/pulls.py parquet 1000        one pull of 1,000 pages of 1,000 rows; prints its figures
"""

import asyncio
import contextlib
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import hand
from common import HERE, SINCE, TOKEN, UNTIL, memory_mb, pin_client, server

WAYS = ("parquet", "duckdb")


_ACCOUNT = """
[accounts.bench{number}]
network = "targetcircle"
base_url = "{base}"
token = "{token}-{number}"
currency = "EUR"
"""


def commanded(way: str, base: str, folder: Path, accounts: int = 1) -> int:
    """Run the command `adnet pull` for some accounts into a sink of *way*, and return the number of rows."""
    from adnet.cli import main

    config = folder / "adnet.toml"
    sections = [_ACCOUNT.format(number=number, base=base, token=TOKEN) for number in range(accounts)]
    config.write_text("".join(['[state]\nurl = "sqlite:state.db"\n', *sections]), encoding="utf-8")
    config.chmod(0o600)  # there are secrets in it
    uri = f"{way}:{folder / ('ads.duckdb' if way == 'duckdb' else 'ads')}"
    period = ("--since", SINCE.isoformat(), "--until", UNTIL.isoformat())
    words = ("--config", str(config), "--json", "pull", *period, "--table", "transactions", "--to", uri)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main(words)
    assert code == 0, out.getvalue()
    return sum(int(table["rows"]) for table in json.loads(out.getvalue())["tables"])


def pulled(way: str, base: str, folder: Path, pages: int) -> int:
    """Pull a report into a sink of *way*, or write it by hand, and return the number of rows."""
    if way == "hand":
        return asyncio.run(hand.to_parquet(base, pages, folder / "rows.parquet"))
    return commanded(way, base, folder)


def inside(way: str, pages: int, base: str) -> dict[str, float]:
    """Return the figures of one pull in this process."""
    # Importing is not what is measured.
    import pyarrow.parquet  # noqa: F401

    if way != "hand":
        from adnet import registry

        registry.load("targetcircle")
        import_module("adnet.cli.pull")
        import_module(f"adnet.sinks.{way}")
    with tempfile.TemporaryDirectory(dir=HERE / ".venvs") as folder:
        before = memory_mb("VmRSS")
        wall, cpu = time.perf_counter(), time.process_time()
        rows = pulled(way, base, Path(folder), pages)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert rows == pages * 1000, rows
    return {"rows": rows, "wall_s": wall, "cpu_s": cpu, "peak_mb": memory_mb(), "idle_mb": before}


def measure(pages: int, rounds: int, ways: tuple[str, ...] = ("hand", *WAYS)) -> dict[str, dict[str, float]]:
    """Return the median figures of each way, all against one server."""
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    with server(pages) as base:
        for _ in range(rounds):
            for way in ways:
                command = [sys.executable, __file__, way, str(pages), base]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                runs[way].append(json.loads(done.stdout.splitlines()[-1]))
    found = {}
    for way, taken in runs.items():
        found[way] = {name: statistics.median(run[name] for run in taken) for name in taken[0]}
        found[way]["ratio"] = statistics.median(
            run["cpu_s"] / base["cpu_s"] for run, base in zip(taken, runs[ways[0]], strict=True)
        )
        # Noise only ever adds: the least of each is what two runs have most in common.
        found[way]["least_ratio"] = min(run["cpu_s"] for run in taken) / min(
            run["cpu_s"] for run in runs[ways[0]]
        )
        found[way]["rows_per_s"] = found[way]["rows"] / found[way]["wall_s"]
    return found


if __name__ == "__main__":
    (HERE / ".venvs").mkdir(exist_ok=True)
    if len(sys.argv) > 3:
        # On the cores that whoever measures has chosen.
        print(json.dumps(inside(sys.argv[1], int(sys.argv[2]), sys.argv[3])))
    else:
        pin_client()
        print(json.dumps(measure(int(sys.argv[2]), 1, tuple(sys.argv[1].split(","))), indent=1))
