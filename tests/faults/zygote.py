"""Processes that pull and are killed: started by the dozen, each in milliseconds.

Run as a script it imports what a pull needs and waits for orders, one JSON object a line on its standard input. For
each it forks; the child pulls, and this process tells how it ended. The children are forks of a process that has
neither threads nor an event loop nor an open state.
"""

import asyncio
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Coroutine, Generator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from adnet.errors import AdnetError

SPEED = 20.0
"""How much faster than the machine's the clock of a pull runs; a report is polled after 0.2 s of it."""
BEGAN = datetime(2026, 3, 2, 12, tzinfo=UTC)

PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "COVERAGE_"))}
"""Coverage of processes that are killed is lost anyway, and would only make them slow."""


def clock_of(epoch: float) -> Any:
    """Return the clock that all processes of one test share; *epoch* is the machine's time at its first instant."""
    from adnet.testing.harness import FastClock

    return FastClock(SPEED, BEGAN + timedelta(seconds=(time.time() - epoch) * SPEED))


class Stepping(Coroutine[Any, Any, Any]):
    """A coroutine that tells each of its steps, which are what lies between two awaits."""

    def __init__(self, inner: Coroutine[Any, Any, Any], stepped: Any) -> None:
        self._inner = inner
        self._stepped = stepped

    def send(self, value: Any) -> Any:
        """Go one step."""
        found = self._inner.send(value)
        self._stepped()
        return found

    def throw(self, *args: Any) -> Any:
        """Go one step with an exception."""
        found = self._inner.throw(*args)
        self._stepped()
        return found

    def close(self) -> None:
        """End it."""
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()

    @property
    def cr_code(self) -> Any:
        """The code that runs."""
        return getattr(self._inner, "cr_code", None)


async def _pull(order: dict[str, Any]) -> None:
    import adnet

    async with adnet.connect(
        order["network"],
        base_url=order["base_url"],
        state=order["state"],
        limits=order["limits"],
        clock=clock_of(order["epoch"]),
        **order["credentials"],
    ) as account:
        result = await adnet.pull(
            account,
            since=date.fromisoformat(order["since"]),
            until=date.fromisoformat(order["until"]),
            tables=order["tables"],
            to=order["to"],
        )
        if not result.ok:
            raise SystemExit(f"not all landed: {[str(error) for error in result.errors]}")
        _write(order["done"], "")


def _write(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8")


def _fill_disk(most_bytes: int) -> None:
    """Let no file of this process grow beyond *most_bytes*, as on a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))


def _work(order: dict[str, Any]) -> int:
    """Pull in this process, and perhaps kill it at a step.

    Return 0 when all has landed, 1 for one of our errors, 2 for any other.
    """
    if most_bytes := order.get("most_bytes"):
        _fill_disk(most_bytes)
    left = order.get("die_at_step")
    steps = 0

    def stepped() -> None:
        nonlocal steps
        steps += 1
        if steps == left:
            os.kill(os.getpid(), signal.SIGKILL)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(
            lambda loop, coro, **rest: asyncio.Task(Stepping(coro, stepped), loop=loop, **rest)
        )
        await loop.create_task(_pull(order))

    try:
        asyncio.run(main())
    except BaseException as error:  # noqa: BLE001 - a fork must not fall through into its parent's loop
        with Path(order["errors"]).open("a", encoding="utf-8") as file:
            file.write(f"{type(error).__name__}: {error}\n")
        return 1 if isinstance(error, AdnetError | SystemExit) else 2
    _write(order["steps"], str(steps))
    return 0


def main() -> None:
    """Serve orders until the input ends."""
    import duckdb  # noqa: F401 - imported once, for all forks
    import pyarrow.parquet  # noqa: F401

    import adnet.registry
    import adnet.sinks.duckdb
    import adnet.sinks.parquet

    adnet.registry.load(sys.argv[1])
    _say("ready")
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(_work(order))
        _say(_end(child, order.get("kill_after_s")))


def _end(child: int, kill_after_s: float | None) -> int:
    """Wait for a child's end, which is to be at most so far away; return its exit code."""
    if kill_after_s is not None:
        ended = os.pidfd_open(child)
        if not select.select([ended], [], [], kill_after_s)[0]:
            os.kill(child, signal.SIGKILL)  # nobody else has its number before it has been waited for
        os.close(ended)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


class Zygote:
    """The process that forks, as its tests see it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, network: str) -> Self:
        """Start it and wait until it has imported everything."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            __file__,
            network,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=PLAIN,
        )
        made = cls(process)
        assert await made._line() == "ready"
        return made

    async def run(self, order: dict[str, Any]) -> int:
        """Have a child pull, and die if the order says so and it is not done before. Return its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return int(await self._line())

    async def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def _line(self) -> str:
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()


if __name__ == "__main__":
    main()
