"""Everything at once, beside the peers: `make bench`; or quickly, against the stored ratios: `make bench-check`.

python benchmarks/bench.py            all of it, ends with the table of docs/performance.md
python benchmarks/bench.py --full     with five million rows too
python benchmarks/bench.py --check    under a minute; fails on a ratio worse than 1.25 times the stored one
python benchmarks/bench.py --store    what --check measures becomes what is stored
"""

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Callable, Sequence

import accounts
import firstrow
import gzipped
import latency
import nights
import overhead
import peers
import pulls
import rows
from common import CORES, HERE, every_core, pin_client

STORED = HERE / "ratios.json"
TOLERANCE = 1.25
ROUNDS = 5
Line = tuple[str, str, str]
"""What was measured, the figure, what it is held against."""


def quick() -> dict[str, float]:
    """Return the ratios that are stored: ours to a floor within the same run, so that the machine cancels out."""
    found = asyncio.run(rows.measure(40, 5, all_ways=False))
    landed = pulls.measure(40, 3)
    around = asyncio.run(overhead.requests(500, 5))
    many = accounts.measure(200, 3, ready_s=1.0, ways=("adnet",))
    zipped = gzipped.measure(3)
    ratios = {
        "rows / by hand": found["adnet"]["ratio"],
        "parquet / by hand": landed["parquet"]["least_ratio"],
        "duckdb / by hand": landed["duckdb"]["least_ratio"],
        "request / bare aiohttp": around["ratio"],
        "200 accounts / plain asyncio": many["adnet"]["ratio"],
    }
    if zipped["isal"] and zipped["zlib"]:
        ratios["isal / zlib"] = zipped["isal"]["us_per_row"] / zipped["zlib"]["us_per_row"]
    return ratios


def check() -> int:
    """Compare with what is stored, and return the exit code."""
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    now = quick()
    worse = [name for name, ratio in now.items() if ratio > TOLERANCE * stored.get(name, ratio)]
    for name, ratio in now.items():
        mark = "WORSE" if name in worse else "ok"
        print(f"{name:32s} {ratio:7.2f}   stored {stored.get(name, float('nan')):7.2f}   {mark}")
    return 1 if worse else 0


def row_lines() -> list[Line]:
    found = asyncio.run(rows.measure())
    lines = []
    for name, title in (
        ("hand", "rows by hand: the same objects by their own constructors"),
        ("adnet", "rows by `list_transactions`"),
        ("hand_flat", "rows by hand: flat attrs rows without Money, status, id and raw"),
        ("dropped", "pages read and dropped by aiohttp"),
    ):
        one = found[name]
        figure = f"{one['us_per_row']:.2f} µs, {one['rows_per_cpu_s']:,.0f} rows per CPU s"
        lines.append((title, figure, f"{one['ratio']:.2f} times by hand"))
    return lines


def free_lines(pages: int, rounds: int, others: Sequence[str] = ()) -> list[Line]:
    """The same as `pull_lines` when nobody keeps the client to one core."""
    with every_core():
        return [(f"{title}, on every core", *rest) for title, *rest in pull_lines(pages, rounds, others)]


def pull_lines(pages: int, rounds: int, others: Sequence[str] = ()) -> list[Line]:
    """Ours and, in turn with them, those of the peers *others*."""
    lines = []
    for name, one in pulls.measure(pages, rounds, ("hand", *pulls.WAYS, *others)).items():
        title = f"{pages * 1000:,} rows, " + {
            "hand": "Parquet by hand",
            "parquet": "`adnet pull` to Parquet",
            "duckdb": "`adnet pull` to DuckDB",
        }.get(name, name)
        if one is None:
            lines.append((title, "could not be run", ""))
            continue
        figure = f"{one['rows_per_s']:,.0f} rows/s, {one['cpu_s']:.2f} CPU s, peak {one['peak_mb']:.0f} MB"
        against = f"{one['wall_share']:.1f} times our wall, {one['cpu_share']:.1f} times our CPU"
        lines.append((title, figure, against))
    return lines


def latency_lines() -> list[Line]:
    found = asyncio.run(latency.measure())
    return [
        (
            f"200 pages at 50 ms, {'32 in flight by hand' if name == 'hand' else name}",
            f"{one['wall_s']:.2f} s" if one else "could not be run",
            f"{one['wall_ratio']:.2f} times by hand" if one else "",
        )
        for name, one in found.items()
    ]


def first_row_lines() -> list[Line]:
    found = asyncio.run(firstrow.measure())
    return [
        (
            "first row / report ready, 0.2 s to 10 min (virtual)",
            f"median {found['median_share']:.3f}",
            "1.15",
        ),
        ("the worst of them from 2 s on", f"{found['worst_share_from_2_s']:.3f}", "1.15"),
        ("the worst of them, below 2 s", f"{found['worst_share']:.3f}", "1.15"),
        ("most questions for one report", f"{found['most_polls']:.0f}", "40"),
        ("first row / report ready after 3 s (real)", f"{found['real_share']:.3f}", "1.15"),
    ]


def overhead_lines() -> list[Line]:
    found = asyncio.run(overhead.measure())
    return [
        (
            "whole stack over bare aiohttp, a request",
            f"{found['over_us']:.0f} µs over {found['bare_us']:.0f}",
            "60 µs",
        ),
        ("uncontended acquire", f"{found['acquire_us']:.2f} µs", "2 µs"),
        ("retry layer that does nothing", f"{found['retry_us']:.2f} µs", "2 µs"),
        ("`import adnet` over `import aiohttp`, CPU", f"{found['import_over_s']:.2f} s", "0.25 s"),
        ("`adnet --help`, CPU", f"{found['help_s']:.2f} s", "0.4 s"),
    ]


def account_lines() -> list[Line]:
    found = accounts.measure(rounds=ROUNDS)
    ours, seldom, plain = found["adnet"], found["seldom"], found["hand"]
    return [
        (
            "1,000 accounts, a report each after 8 s: wall",
            f"{ours['wall_s']:.1f} s",
            f"plain {plain['wall_s']:.1f} s",
        ),
        (
            "the same: CPU",
            f"{ours['cpu_s']:.2f} s",
            f"{ours['ratio']:.2f} times plain asyncio ({plain['cpu_s']:.2f} s)",
        ),
        (
            "the same, looking for cycles as seldom as the command does",
            f"{seldom['cpu_s']:.2f} s in {seldom['wall_s']:.1f} s",
            f"{seldom['ratio']:.2f} times plain asyncio",
        ),
    ]


def night_lines() -> list[Line]:
    lines = []
    for way, name in (("parquet", "Parquet"), ("duckdb", "DuckDB")):
        for count, page in ((20, 1000), (200, 1000), (1000, 10)):
            one = nights.measure(way, count, 2, page, ROUNDS)
            each = (one["wall_s"] - nights.READY_S) / count
            title = f"{count:,} accounts of {2 * page:,} rows, ready after 2 s, `adnet pull` to {name}"
            figure = f"{one['wall_s']:.1f} s, {one['cpu_s']:.2f} CPU s, peak {one['peak_mb']:.0f} MB"
            lines.append((title, figure, f"{1000 * each:.0f} ms an account"))
    return lines


def gzip_lines() -> list[Line]:
    return [
        (f"gzip, {name}", f"{one['us_per_row']:.2f} µs a row" if one else "could not be installed", "0.5 µs")
        for name, one in gzipped.measure().items()
    ]


def everything(full: bool) -> None:
    """Measure all, telling each part as it comes, and print the table."""
    parts: list[Callable[[], list[Line]]] = [
        row_lines,
        lambda: pull_lines(100, ROUNDS, tuple(peers.PEERS)),
        lambda: pull_lines(1000, ROUNDS, ("dlt, Arrow pages", "dlt, default rows")),
        lambda: free_lines(1000, ROUNDS, ("dlt, Arrow pages",)),
        latency_lines,
        first_row_lines,
        overhead_lines,
        account_lines,
        night_lines,
        gzip_lines,
    ]
    if full:
        parts.append(lambda: pull_lines(5000, 1))
    print("| what | figure | beside |\n|---|---|---|")
    for part in parts:
        for line in part():
            print("| " + " | ".join(line) + " |", flush=True)
    print("\nPeers: " + ", ".join(f"{name} {peers.version_of(name)}" for name in peers.PEERS))
    print(f"Python {sys.version.split()[0]}; client on core {CORES[0]}, server on core {CORES[-1]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("--check", "--store", "--full"):
        parser.add_argument(flag, action="store_true")
    given = parser.parse_args()
    peers.PLACE.mkdir(exist_ok=True)
    pin_client()
    if given.check:
        return check()
    if given.store:
        runs = [quick() for _ in range(3)]
        ratios = {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}
        STORED.write_text(json.dumps(ratios, indent=1) + "\n", encoding="utf-8")
        return 0
    everything(given.full)
    return 0


if __name__ == "__main__":
    sys.exit(main())
