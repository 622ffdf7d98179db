"""Whether an owner's process still lives."""

import os
import socket
import subprocess
import sys

from adnet.state import owners
from adnet.state.owners import is_alive, new_owner, retire


def test_this_process_is_alive_until_it_retires() -> None:
    """An owner lives with its process, unless it is declared dead."""
    owner = new_owner()
    assert is_alive(owner) is True
    retire(owner)
    assert is_alive(owner) is False


def test_owners_of_one_process_differ() -> None:
    """Two owners of one process are two, and start alike: host and pid."""
    first, second = new_owner(), new_owner()
    assert first != second
    assert first.startswith(f"{socket.gethostname()}:{os.getpid()}:")


def test_a_child_is_alive_until_it_is_killed_even_before_it_is_waited_for() -> None:
    """A killed process is dead at once, also while its parent has not taken note."""
    script = "from adnet.state.owners import new_owner; print(new_owner(), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")},
    ) as child:
        assert child.stdout
        owner = child.stdout.readline().strip()
        assert is_alive(owner) is True
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_alive(owner) is False
    assert is_alive(owner) is False


def test_a_pid_that_came_back_is_another_process() -> None:
    """The start of the process tells it from a later one with the same pid."""
    assert is_alive(f"{socket.gethostname()}:{os.getpid()}:1.abcd") is False
    assert is_alive(f"{socket.gethostname()}:{os.getpid()}:abcd") is True, "no start is told"


def test_what_cannot_be_known_is_told_as_such() -> None:
    """Other hosts and other texts are neither alive nor dead; nobody is dead."""
    assert is_alive("elsewhere.example:1:5.abcd") is None
    assert is_alive("free text") is None
    assert is_alive(None) is False


def test_without_proc_the_pid_alone_decides(monkeypatch) -> None:
    """On systems without /proc a process lives while its pid does."""
    monkeypatch.setattr(owners, "_HAS_PROC", False)
    assert is_alive(new_owner()) is True
    assert is_alive(f"{socket.gethostname()}:{2**22 + 1}:5.abcd") is False
    assert is_alive(f"{socket.gethostname()}:{2**80}:5.abcd") is False


def test_a_process_of_another_user_is_alive(monkeypatch) -> None:
    """Not being allowed to signal a process proves that it is there."""

    def refuse(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(owners, "_HAS_PROC", False)
    monkeypatch.setattr(owners.os, "kill", refuse)
    assert is_alive(f"{socket.gethostname()}:{os.getpid()}:5.abcd") is True


def test_where_processes_cannot_be_asked_nothing_is_known(monkeypatch) -> None:
    """On Windows asking would end the process, so its owner is neither alive nor dead."""
    owner = new_owner()
    with monkeypatch.context() as patch:
        patch.setattr(owners, "_HAS_PROC", False)
        patch.setattr(owners.os, "name", "nt")
        known = is_alive(owner)
    assert known is None
