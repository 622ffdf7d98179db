"""How many files and connections this process may have open: systems begin with 256 (macOS) or 1,024 (Linux)."""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from typing import Final

if sys.platform != "win32":
    import resource

_ENOUGH: Final = 10_240
"""As many as macOS lets any process have; a thousand accounts take a fifth of them."""
_REFUSALS: Final = (errno.EMFILE, errno.ENFILE)
REMEDY: Final = "raise the limit of open files (`ulimit -n`), or let fewer accounts work at once"


def limit() -> int:
    """Return how many there may be."""
    if sys.platform == "win32":
        return _ENOUGH
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _ENOUGH if soft == resource.RLIM_INFINITY else soft


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Let there be more, as far as the system allows: for whoever owns the process, which a library does not."""
    if sys.platform == "win32":
        yield
        return
    before = soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _ENOUGH if hard == resource.RLIM_INFINITY else min(_ENOUGH, hard)
    if soft == resource.RLIM_INFINITY or soft >= most:
        yield
        return
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


def ran_out(error: object) -> bool:
    """Say whether an error means that no more may be open."""
    return isinstance(error, OSError) and error.errno in _REFUSALS


def none_left() -> bool:
    """Say whether no more can be opened now, where a library does not tell why it could not open one."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return ran_out(error)
    return False
