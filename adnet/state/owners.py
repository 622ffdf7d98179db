"""Who holds a lease or works on a job, and whether that process still lives.

An owner is the text ``host:pid:start.random``. The start of the process is in it because pids come back: a
container often starts with the same pid every time.
"""

import os
import secrets
import socket
from pathlib import Path
from typing import Final

_RETIRED: Final[set[str]] = set()
"""Owners of this process that work no more."""

_HAS_PROC: Final = Path("/proc/self/stat").exists()


def new_owner() -> str:
    """Return a new owner's text for this process."""
    return f"{_host()}:{os.getpid()}:{_started(os.getpid()) or 0}.{secrets.token_hex(4)}"


def retire(owner: str) -> None:
    """Declare *owner* dead although its process goes on."""
    _RETIRED.add(owner)


def is_alive(owner: str | None) -> bool | None:
    """Say whether the process behind *owner* lives; None when that cannot be known from here.

    It is known for processes of this host only. Nobody (None) is not alive.
    """
    if owner is None:
        return False
    host, _, rest = owner.partition(":")
    pid, _, mark = rest.partition(":")
    if host != _host() or not pid.isdecimal():
        return None
    started, dot, _ = mark.partition(".")
    return owner not in _RETIRED and _lives(int(pid), started if dot else None)


def _host() -> str:
    return socket.gethostname().replace(":", "_")


def _lives(pid: int, started: str | None) -> bool | None:
    if _HAS_PROC:
        now = _started(pid)
        return now is not None and started in {None, now}
    if os.name != "posix":
        return None
    try:
        os.kill(pid, 0)  # asks only, sends nothing
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _started(pid: int) -> str | None:
    """Return when a process started, in ticks since boot; None when it is dead or a zombie."""
    try:
        # The second field is the program's name in brackets, and may itself hold blanks and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else fields[19]
