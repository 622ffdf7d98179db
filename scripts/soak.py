#!/usr/bin/env python3
"""Kills, faults and strange input for as long as one likes, with other seeds each round; see `make soak`.

A round is a list of legs; a leg is a run of some of the tests, with a seed of its own and far more examples than
`make test` has. Two legs run at a time. The tests tell what they did by `tests/faults/tally.py`; it is added up here.
The first failure ends the soak and is told with the command that makes it happen again.

Exits with 0 when the time is over, 1 for a failure, and 130 when it is interrupted.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parent.parent
WORKERS = 2
PROGRESS_S = 60.0
GRACE_S = 15.0
"""How long a leg may take to end when it is interrupted."""
SIZES = {
    "ADNET_SOAK_KILLS": "100",
    "ADNET_SOAK_EXAMPLES": "100",
    "ADNET_SOAK_CELLS": "120",
    "ADNET_SOAK_POINTS": "40",
}
"""Of one leg, for the tests."""

KILLS = "tests/faults/test_kill_everywhere.py::test_a_pull_survives_many_kills_among_faults"
LEGS: Mapping[str, tuple[str, ...]] = {
    "kills of targetcircle": (f"{KILLS}[targetcircle]",),
    "faults": ("tests/faults/test_matrix.py::test_a_drawn_cell_ends_as_the_matrix_says",),
    "kills of adskeeper": (f"{KILLS}[adskeeper]",),
    "strange input": (
        "tests/faults/test_fuzz.py",
        "tests/faults/test_read_back.py",
        "tests/operations/test_links.py",
    ),
    "kills of mytarget": (f"{KILLS}[mytarget]",),
    "limits": ("tests/transport/test_limits_properties.py",),
    "kills of mgid": (f"{KILLS}[mgid]",),
    "two processes": ("tests/state/test_quotas_limiters.py", "tests/state/test_tokens.py"),
    "kills of vkads": (f"{KILLS}[vkads]",),
    "cancels": ("tests/faults/test_cancel_everywhere.py",),
}


@dataclass(frozen=True)
class Leg:
    """A run of some tests."""

    soak_seed: int
    round: int
    name: str

    @property
    def seed(self) -> int:
        """Decides all that happens in it, but for the moments of which the machine decides."""
        return Random(f"{self.soak_seed}:{self.round}:{self.name}").getrandbits(31)

    @property
    def environment(self) -> dict[str, str]:
        """What the tests are told."""
        return {**SIZES, "ADNET_SEED": str(self.seed)}

    def command(self) -> list[str]:
        """Return the command without the environment."""
        options = ["-q", "-x", "-m", "soak or not soak", "-p", "no:cacheprovider", "-o", "timeout=900"]
        return ["-m", "pytest", *options, f"--hypothesis-seed={self.seed}", *LEGS[self.name]]

    def again(self) -> str:
        """Return what to type to have it again."""
        words = [f"{name}={value}" for name, value in self.environment.items()]
        return shlex.join([*words, ".venv/bin/python", *self.command()])


class FailedLegError(Exception):
    """A leg ended badly."""

    def __init__(self, leg: Leg, output: str) -> None:
        super().__init__(f"round {leg.round}, {leg.name}")
        self.leg = leg
        self.output = output


def legs(seed: int, first: int) -> Iterator[Leg]:
    """Yield leg after leg, without end, from round *first* on."""
    for number in count(first):
        for name in LEGS:
            yield Leg(seed, number, name)


@dataclass
class Soak:
    """What is done, and what has been done."""

    seed: int
    folder: Path
    todo: Iterator[Leg]
    began: float = field(default_factory=time.monotonic)
    figures: Counter[str] = field(default_factory=Counter)
    ended: Counter[int] = field(default_factory=Counter)
    """Round -> legs of it that are done."""

    async def run(self, seconds: float) -> None:
        """Run legs for so long.

        Raises:
            FailedLegError: The first that ended badly; the other is interrupted.
        """
        try:
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                for _ in range(WORKERS):
                    group.create_task(self._work())
                group.create_task(self._tell())
        except TimeoutError:
            return
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _work(self) -> None:
        for leg in self.todo:
            await self._play(leg)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_S)
            say(f"{time.monotonic() - self.began:6.0f} s, {self.rounds} rounds; {in_line(self.figures)}")

    async def _play(self, leg: Leg) -> None:
        """Run a leg to its end; interrupt it if this is cancelled. What it did by then counts in any case."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            tally, output = Path(folder) / "tally", Path(folder) / "output"
            places = {"TMPDIR": folder, "HYPOTHESIS_STORAGE_DIRECTORY": folder, "ADNET_TALLY": str(tally)}
            with output.open("wb") as told:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *leg.command(),
                    cwd=ROOT,
                    env={**os.environ, **leg.environment, **places},
                    stdin=subprocess.DEVNULL,
                    stdout=told,
                    stderr=told,
                    start_new_session=True,
                )
            try:
                code = await process.wait()
            finally:
                await end(process)
                self._add(tally)
            if code:
                raise FailedLegError(leg, output.read_text("utf-8", "replace"))
            self.ended[leg.round] += 1

    def _add(self, tally: Path) -> None:
        if tally.exists():
            for line in tally.read_text("utf-8").splitlines():
                self.figures.update(json.loads(line))

    @property
    def rounds(self) -> int:
        """How many are complete."""
        return sum(legs == len(LEGS) for legs in self.ended.values())

    def report(self, outcome: str, commit: str) -> dict[str, Any]:
        """Return all figures."""
        return {
            "outcome": outcome,
            "commit": commit,
            "seed": self.seed,
            "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self.began),
            "rounds": self.rounds,
            "seeds": self.ended.total(),
            "figures": dict(sorted(self.figures.items())),
        }


async def end(process: asyncio.subprocess.Process) -> None:
    """Interrupt a leg that is still running, and leave nothing of what it started."""
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def commit() -> str:
    """Return what is checked out, with a plus where files differ from it."""
    found = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--dirty=+"],  # noqa: S607 - whichever git is there
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "unknown"


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def in_line(figures: Mapping[str, int]) -> str:
    """Return figures as one line."""
    return ", ".join(f"{name}: {number:,}" for name, number in sorted(figures.items())) or "nothing done yet"


def show(report: Mapping[str, Any]) -> None:
    """Print the table of a report."""
    rows = {name: report[name] for name in ("outcome", "commit", "seed", "seconds", "rounds", "seeds")}
    rows |= {name: f"{number:,}" for name, number in report["figures"].items()}
    width = max(map(len, rows))
    say("\n".join(f"{name:<{width}}  {value}" for name, value in rows.items()))


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=3600.0, help="how long (default: an hour)")
    parser.add_argument("--seed", type=int, help="of all seeds (default: by chance)")
    parser.add_argument("--round", type=int, default=1, help="the first one (default: 1)")
    parser.add_argument("--report", type=Path, help="a file for the figures, as JSON")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Soak, tell, and return the exit code."""
    asked, outcome, code = arguments(words), "passed", 0
    seed = Random().getrandbits(31) if asked.seed is None else asked.seed
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore it
    signal.signal(signal.SIGTERM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    here = commit()
    say(f"soaking {here} for {asked.seconds:.0f} s, seed {seed}")
    with tempfile.TemporaryDirectory(prefix="adnet-soak-", ignore_cleanup_errors=True) as folder:
        soak = Soak(seed, Path(folder), legs(seed, asked.round))
        try:
            asyncio.run(soak.run(asked.seconds))
        except FailedLegError as failed:
            outcome, code = f"failed in {failed}", 1
            say(f"{failed.output}\n{failed} of seed {seed} failed; again:\n  {failed.leg.again()}\n")
        except KeyboardInterrupt:
            outcome, code = "interrupted", 130
    report = soak.report(outcome, here)
    show(report)
    if asked.report:
        asked.report.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
