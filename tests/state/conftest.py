"""What the tests of the state share: a clock they own, a file, and a crew of processes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adnet.state.database import Database
from adnet.state.owners import Owners


class HandClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.present = datetime(2026, 3, 1, 12, tzinfo=UTC)
        self.seconds = 1000.0

    def now(self) -> datetime:
        return self.present

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.present += timedelta(seconds=seconds)
        self.seconds += seconds


class Crew:
    """Processes that run the same script, which answers each line it reads with one line."""

    def __init__(self, stack: ExitStack, script: str, number: int, *arguments: object) -> None:
        command = [sys.executable, "-c", script, *map(str, arguments)]
        # Killed processes would leave halves of coverage files.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        self.members = [
            stack.enter_context(
                subprocess.Popen(
                    [*command, str(n)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env=environment,
                )
            )
            for n in range(number)
        ]
        for member in self.members:
            stack.callback(member.kill)

    def ask(self, line: object) -> list[str]:
        """Give *line* to all at the same moment, and return what each answers."""
        for member in self.members:
            assert member.stdin
            member.stdin.write(f"{line}\n")
            member.stdin.flush()
        return [member.stdout.readline().strip() for member in self.members if member.stdout]

    def kill(self) -> None:
        """Kill all with -9 and wait for their end."""
        for member in self.members:
            member.kill()
            member.wait()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database.open(path)
    yield database
    database.close()


@pytest.fixture
def owners(path: Path) -> Iterator[Owners]:
    """This process on the state's file."""
    owners = Owners(path)
    yield owners
    owners.leave()


@pytest.fixture
def others(path: Path) -> Iterator[Owners]:
    """Another process on the state's file."""
    others = Owners(path)
    yield others
    others.leave()


@pytest.fixture
def crew() -> Iterator[Callable[..., Crew]]:
    with ExitStack() as stack:
        yield lambda script, number, *arguments: Crew(stack, script, number, *arguments)
