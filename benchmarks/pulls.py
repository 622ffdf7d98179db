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
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

import hand
import peers
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


Run = dict[str, float]


def measure(pages: int, rounds: int, ways: Sequence[str] = ("hand", *WAYS)) -> dict[str, Run | None]:
    """Return the median figures of each way, peers among them; None for a peer that could not be run.

    All are against one server and take turns, so that each ratio is of two that ran one after the other.
    """
    runs: dict[str, list[Run | None]] = {way: [] for way in ways}
    with server(pages) as base:
        for _ in range(rounds):
            for way, taken in runs.items():
                taken.append(peers.pulled(way, base) if way in peers.PEERS else _run(way, pages, base))
    return {way: _medians(taken, runs) for way, taken in runs.items()}


def _run(way: str, pages: int, base: str) -> Run:
    command = [sys.executable, __file__, way, str(pages), base]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: Run = json.loads(done.stdout.splitlines()[-1])
    return found


def _medians(taken: Sequence[Run | None], runs: Mapping[str, Sequence[Run | None]]) -> Run | None:
    went = [run for run in taken if run]
    if not went:
        return None
    found = {name: statistics.median(run[name] for run in went) for name in went[0]}
    found["rows_per_s"] = found["rows"] / found["wall_s"]
    for name, key, beside in (
        ("ratio", "cpu_s", "hand"),
        ("wall_share", "wall_s", "parquet"),
        ("cpu_share", "cpu_s", "parquet"),
    ):
        both = [(a, b) for a, b in zip(taken, runs.get(beside, ()), strict=False) if a and b]
        if both:
            found[name] = statistics.median(a[key] / b[key] for a, b in both)
    if "hand" in runs:
        # Noise only ever adds: the least of each is what two runs have most in common.
        least = min(run["cpu_s"] for run in runs["hand"] if run)
        found["least_ratio"] = min(run["cpu_s"] for run in went) / least
    return found


if __name__ == "__main__":
    (HERE / ".venvs").mkdir(exist_ok=True)
    if len(sys.argv) > 3:
        # On the cores that whoever measures has chosen.
        print(json.dumps(inside(sys.argv[1], int(sys.argv[2]), sys.argv[3])))
    else:
        pin_client()
        print(json.dumps(measure(int(sys.argv[2]), 1, tuple(sys.argv[1].split(","))), indent=1))
