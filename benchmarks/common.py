"""What the benchmarks share: a server in a process of its own, cores, clocks, medians."""

import asyncio
import contextlib
import gc
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SINCE, UNTIL = date(2026, 1, 1), date(2026, 12, 31)
TOKEN = "bench-" + "0123456789abcdef" * 2
"""Of nobody, and as long as real ones: every page is searched for it."""
CORES = sorted(os.sched_getaffinity(0))
CLIENT_CORES, SERVER_CORES = {CORES[0]}, {CORES[-1]}


def pin_client() -> None:
    """Keep this process, and those it starts, off the server's core."""
    os.sched_setaffinity(0, CLIENT_CORES)


@contextlib.contextmanager
def every_core() -> Iterator[None]:
    """Let the processes that this one starts use all cores, the server's too."""
    os.sched_setaffinity(0, CORES)
    try:
        yield
    finally:
        pin_client()


@contextlib.contextmanager
def server(pages: int, *options: object) -> Iterator[str]:
    """Run a server of *pages* pages on its own core, and give its base URL."""
    command = [sys.executable, str(HERE / "server.py"), str(pages), *map(str, options)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        os.sched_setaffinity(process.pid, SERVER_CORES)
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def memory_mb(field: str = "VmHWM") -> int:
    """Return VmHWM (the peak) or VmRSS of this process in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) // 1024
    raise LookupError(field)


def cpu_s() -> float:
    """Return the CPU seconds of this process and of the children it has waited for."""
    mine, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + theirs.ru_utime + theirs.ru_stime


async def timed(work: Callable[[], Awaitable[Any]]) -> tuple[float, float, Any]:
    """Return the wall seconds, the CPU seconds and the result of *work*."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    result = await work()
    return time.perf_counter() - wall, time.process_time() - cpu, result


async def alternate(rounds: int, **works: Callable[[], Awaitable[Any]]) -> dict[str, dict[str, float]]:
    """Run all *works* in turn, *rounds* times, and return the medians of each: wall, cpu and ratio.

    ``ratio`` is the median of the ratios, round by round, of its CPU seconds to those of the first work;
    ``wall_ratio`` likewise.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            wall, cpu, _result = await timed(work)
            taken[name].append((wall, cpu))
    floor = taken[next(iter(works))]
    return {
        name: {
            "wall_s": statistics.median(wall for wall, _ in runs),
            "cpu_s": statistics.median(cpu for _, cpu in runs),
            "ratio": statistics.median(
                cpu / max(base, 1e-9) for (_, cpu), (_, base) in zip(runs, floor, strict=True)
            ),
            "wall_ratio": statistics.median(
                wall / base for (wall, _), (base, _) in zip(runs, floor, strict=True)
            ),
        }
        for name, runs in taken.items()
    }


def child(*command: object, env: dict[str, str] | None = None, timeout_s: float = 900) -> str:
    """Run a Python script as a process of its own on the client's core, and return its last line."""
    done = subprocess.run(
        [str(part) for part in command],
        check=True,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env={**os.environ, **(env or {})},
    )
    return done.stdout.strip().splitlines()[-1]


def run(work: Awaitable[Any]) -> Any:
    """Return what *work* returns, on a loop of its own."""

    async def main() -> Any:
        return await work

    return asyncio.run(main())
