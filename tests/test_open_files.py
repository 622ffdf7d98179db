"""How many files a process may have open: raised by the command, told where it is too few."""

import errno
import os
from contextlib import suppress
from pathlib import Path

import pytest

from adnet import open_files
from adnet.cli._call import run
from adnet.errors import StateError
from adnet.state import State

resource = pytest.importorskip("resource")


@pytest.fixture
def few():
    """Let this process have few files open for a while; give that limit and the system's own."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = len(list(Path("/dev/fd").iterdir())) + 100
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    yield soft, before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_is_raised_for_a_while(few):
    """As far as the system allows, and no further than is of use; then it is what it was."""
    soft, hard = few
    assert open_files.limit() == soft
    with open_files.raised():
        assert open_files.limit() == (10_240 if hard == resource.RLIM_INFINITY else min(10_240, hard))
    assert open_files.limit() == soft


def test_every_command_has_it_raised(few):
    """While it works."""

    async def work() -> int:
        return open_files.limit()

    assert run(work()) > few[0]
    assert open_files.limit() == few[0]


def test_a_limit_that_suffices_stays(few):
    """Nobody's limit is lowered."""
    with open_files.raised():
        enough = open_files.limit()
        with open_files.raised():
            assert open_files.limit() == enough
        assert open_files.limit() == enough


def test_a_system_that_refuses_is_left_in_peace(few, monkeypatch):
    """The work goes on with what there is."""

    def refuse(*_: object) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    with open_files.raised():
        assert open_files.limit() == few[0]


def test_without_a_limit_there_are_enough(monkeypatch):
    """What says that there is none is no number."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    assert open_files.limit() == 10_240
    with open_files.raised():
        pass


@pytest.mark.parametrize(("error", "ran_out"), [
    (OSError(errno.EMFILE, "Too many open files"), True),
    (OSError(errno.ENFILE, "Too many open files in system"), True),
    (OSError(errno.ENOSPC, "No space left on device"), False),
    (OSError("without a number"), False),
    (ValueError("of another kind"), False),
])  # fmt: skip
def test_what_it_looks_like_when_there_are_too_few(error, ran_out):
    """By the system's number, whatever it is called."""
    assert open_files.ran_out(error) is ran_out


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_state_for_which_no_file_is_left_says_so(few, tmp_path, known, left):
    """Neither the file nor its folder is to blame; a state needs three or four."""
    if known:
        State.open(tmp_path / "state.db").close()
    taken = []
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(left):
            os.close(taken.pop())
        with pytest.raises(StateError, match=r"Too many open files: raise the limit .*`ulimit -n`"):
            State.open(tmp_path / "state.db")
    finally:
        for handle in taken:
            os.close(handle)
    State.open(tmp_path / "state.db").close()
