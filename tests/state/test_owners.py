"""Whether an owner's process still lives."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adnet.errors import StateError
from adnet.state import State, owners
from adnet.state.owners import Owners

SCRIPT = """
import os, sys
from pathlib import Path
from adnet.state.owners import Owners
owners = Owners(Path(sys.argv[1]))
print(owners.me, flush=True)
input()
"""


FORKER = """
import os, sys, time
from pathlib import Path
from adnet.state.owners import Owners
owners = Owners(Path(sys.argv[1]))
pid = os.fork()
if not pid:
    os.close(1)
    time.sleep(60)
    os._exit(0)
print(owners.me, pid, flush=True)
input()
"""


@contextmanager
def child(path: Path, *before: str, script: str = SCRIPT) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a process that is at work on the state at *path*; yield it and its owner's text."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    command = [*before, sys.executable, "-c", script, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout
        yield process, process.stdout.readline().strip()
        process.kill()


def files(path: Path) -> list[str]:
    return sorted(found.name for found in path.parent.iterdir())


def test_an_owner_is_alive_until_it_leaves(path: Path) -> None:
    """An owner lives with its process, unless it leaves, and then leaves no file."""
    one, another = Owners(path), Owners(path)
    assert (one.is_alive(one.me), another.is_alive(one.me)) == (True, True)
    one.leave()
    one.leave()
    assert (one.is_alive(one.me), another.is_alive(one.me), another.is_alive(another.me)) == (
        False,
        False,
        True,
    )
    another.leave()
    assert files(path) == []


def test_owners_of_one_process_differ(owners: Owners, others: Owners) -> None:
    """Two owners of one process are two, and start alike: host and pid."""
    assert owners.me != others.me
    assert owners.me.startswith(f"{socket.gethostname()}:{os.getpid()}:")


def test_a_child_is_alive_until_it_is_killed_even_before_it_is_waited_for(path: Path, owners: Owners) -> None:
    """A killed process is dead at once, also while its parent has not taken note."""
    with child(path) as (process, owner):
        assert owners.is_alive(owner) is True
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert owners.is_alive(owner) is False
    assert owners.is_alive(owner) is False


def test_a_container_of_the_same_name_is_another_process(path: Path, owners: Owners) -> None:
    """Where pids begin anew and the host's name is the same, the living are not taken for dead."""
    walls = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")
    if (
        not shutil.which("unshare")
        or subprocess.run([*walls, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("this machine makes no namespaces of pids for us")
    with child(path, *walls) as (process, owner):
        assert re.fullmatch(rf"{re.escape(socket.gethostname())}:1:[0-9a-f]+", owner), (
            "it is the first one there"
        )
        assert owners.is_alive(owner) is True
        process.kill()
        process.wait()
        _until(lambda: owners.is_alive(owner) is False)


def _until(holds) -> None:
    for _ in range(1000):
        if holds():
            return
        os.sched_yield()
    pytest.fail("it never did")


def test_the_state_may_be_opened_through_a_link(path: Path, tmp_path: Path) -> None:
    """Owners see each other by whatever name they know the file."""
    path.touch()
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(path)
    one, another = Owners(path), Owners(link)
    assert (one.is_alive(another.me), another.is_alive(one.me)) == (True, True)
    one.leave()
    assert another.is_alive(one.me) is False
    another.leave()


def test_what_cannot_be_known_is_told_as_such(owners: Owners, path: Path) -> None:
    """Owners of an older adnet and other texts are neither alive nor dead; nobody is dead."""
    assert owners.is_alive(f"{socket.gethostname()}:{os.getpid()}:1.abcd") is None
    assert owners.is_alive("free text") is None
    assert owners.is_alive(f"h:1:../{'0' * 16}") is None
    assert owners.is_alive(None) is False
    mark = "0" * 16
    path.with_name(f"{path.name}-owner-{mark}").mkdir()
    assert owners.is_alive(f"h:1:{mark}") is None


def test_files_of_the_dead_are_swept_and_those_of_the_living_stay(path: Path, owners: Owners) -> None:
    """A killed process leaves an empty file; it goes when the state is tidied, and nothing else does."""
    with child(path) as (process, _):
        process.kill()
        process.wait()
    bystander = path.with_name(f"{path.name}-owner-of-the-shop")
    bystander.touch()
    assert len(files(path)) == 3
    owners.sweep()
    assert files(path) == sorted([f"{path.name}-owner-{owners.me.rpartition(':')[2]}", bystander.name])
    assert owners.is_alive(owners.me) is True


def test_a_folder_that_cannot_be_listed_is_left_as_it_is(owners: Owners, monkeypatch) -> None:
    """The end of a run does not hang on tidying up."""

    def refuse(path: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    owners.sweep()
    assert owners.is_alive(owners.me) is True


def test_a_state_sweeps_once_a_day(path: Path, clock) -> None:
    """The file of a killed process does not outlive the next day's run."""
    with child(path):
        pass
    assert len(files(path)) == 1
    State.open(path, clock=clock).close()
    assert files(path) == [path.name]


def test_a_sweep_between_making_and_locking_costs_another_try(path: Path, monkeypatch) -> None:
    """Whoever comes at the moment of a sweep settles with another file."""
    swept: list[Path] = []
    real = owners.lock

    def sweep_before(handle: int) -> None:
        if not swept:
            swept.extend(path.parent.iterdir())
            for found in swept:
                found.unlink()
        real(handle)

    monkeypatch.setattr(owners, "lock", sweep_before)
    one = Owners(path)
    another = Owners(path)
    assert swept
    assert another.is_alive(one.me) is True
    one.leave()
    another.leave()
    assert files(path) == []


def test_a_sweep_that_holds_the_lock_costs_another_try(path: Path, monkeypatch) -> None:
    """The lock of a file that a sweep looks at just then is not waited for."""
    real, tries = owners.lock, []

    def held_once(handle: int) -> None:
        tries.append(handle)
        if len(tries) == 1:
            raise BlockingIOError
        real(handle)

    monkeypatch.setattr(owners, "lock", held_once)
    one = Owners(path)
    assert len(tries) == 2
    assert Owners(None).is_alive(one.me) is True
    one.leave()


def test_a_place_that_cannot_be_locked_is_told(path: Path, monkeypatch) -> None:
    """Some network file systems know no locks; the remedy is told, and nothing is left behind."""

    def refuse(handle: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(owners, "lock", refuse)
    with pytest.raises(
        StateError, match="cannot be locked: Operation not supported: keep the state on a local disk"
    ):
        Owners(path)
    assert files(path) == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """An owner needs a place beside the state."""
    with pytest.raises(StateError, match="check the state's folder"):
        Owners(tmp_path / "nowhere" / "state.db")


def test_after_a_fork_the_parent_stays_alive(path: Path, owners: Owners) -> None:
    """A child that leaves what it has copied does not end its parent's work."""
    pid = os.fork()
    if not pid:
        owners.leave()
        os._exit(0)
    os.waitpid(pid, 0)
    assert Owners(None).is_alive(owners.me)
    other = Owners(path)
    assert other.is_alive(owners.me) is True
    other.leave()


def test_a_forked_process_that_outlives_its_parent_does_not_keep_it_alive(path: Path, owners: Owners) -> None:
    """The workers of a pool may stay behind when whoever made them is killed."""
    with child(path, script=FORKER) as (process, line):
        owner, pid = line.split()
        assert owners.is_alive(owner) is True
        process.kill()
        process.wait()
        try:
            os.kill(int(pid), 0)
            assert owners.is_alive(owner) is False
        finally:
            os.kill(int(pid), signal.SIGKILL)
