"""A night of all five networks at once, from their imitations: what their lists, figures and clicks cost together.

python benchmarks/mixed.py parquet 20      20 accounts of each network, all tables of a week

The imitations run in a process of their own. They give 500 to 1,000 campaigns and 1,500 to 2,000 ads an account, and
clicks by some dozens; they take more requests a second than the networks do.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from common import HERE, SERVER_CORES, child, memory_mb, pin_client

UNTIL = datetime.now(UTC).date() - timedelta(days=7)
SINCE = UNTIL - timedelta(days=7)


async def serve(count: int, config: Path) -> None:
    """Serve *count* imitations of each network, write the configuration that leads to them, and wait for the end."""
    from adnet.cli._sandboxes import config_text, write_config
    from adnet.sandbox import SANDBOXES, load

    text = '[state]\nurl = "sqlite:state.db"\n'
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with contextlib.AsyncExitStack() as stack:
        for seed in range(count):
            for network in SANDBOXES:
                one = await stack.enter_async_context(load(network)(seed=seed))
                section = config_text([one]).partition(f"[accounts.{network}]")[2]
                text += f"\n[accounts.{network}{seed}]{section}"
        write_config(config, text)
        print("serving", flush=True)
        await ended.wait()


@contextlib.contextmanager
def imitations(count: int, config: Path) -> Iterator[None]:
    """Run the imitations on a core of their own."""
    command = [sys.executable, str(HERE / "mixed.py"), "serve", str(count), str(config)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        os.sched_setaffinity(process.pid, SERVER_CORES)
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.terminate()
        process.wait()


def inside(way: str, folder: Path) -> dict[str, object]:
    """Return the figures of one `adnet pull` in this process."""
    from adnet import cli

    told = folder / "told.json"
    words = ["pull", "--since", SINCE, "--until", UNTIL, "--to", f"{way}:{folder / 'landed'}", "--json"]
    wall, cpu = time.perf_counter(), time.process_time()
    with told.open("w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
        code = cli.main([*map(str, words), "--config", str(folder / "adnet.toml")])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert code == 0, told.read_text(encoding="utf-8")[-2000:]
    rows: Counter[str] = Counter()
    for table in json.loads(told.read_text(encoding="utf-8"))["tables"]:
        rows[table["table"]] += table["rows"]
    return {"rows": dict(rows), "wall_s": wall, "cpu_s": cpu, "peak_mb": memory_mb()}


def measure(way: str, count: int) -> dict[str, object]:
    """Return the figures of a night of *count* accounts of each network."""
    with (
        tempfile.TemporaryDirectory(dir=HERE / ".venvs") as name,
        imitations(count, Path(name) / "adnet.toml"),
    ):
        found: dict[str, object] = json.loads(child(sys.executable, HERE / "mixed.py", "inside", way, name))
        return found


if __name__ == "__main__":
    (HERE / ".venvs").mkdir(exist_ok=True)
    if sys.argv[1] == "serve":
        asyncio.run(serve(int(sys.argv[2]), Path(sys.argv[3])))
    elif sys.argv[1] == "inside":
        print(json.dumps(inside(sys.argv[2], Path(sys.argv[3]))))
    else:
        pin_client()
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2])), indent=1))
