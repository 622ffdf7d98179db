"""For tests of adnet, of connectors and of applications: fakes in place of time, wire and sinks.

Names are imported when they are first used, so that the pytest plug-in costs nothing where it is not needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from adnet.testing.fakes import FakeClock, ScriptTransport, answer
    from adnet.testing.harness import FastClock, Harness, SandboxHarness
    from adnet.testing.memory import MemorySink

__all__ = [
    "FakeClock",
    "FastClock",
    "Harness",
    "MemorySink",
    "SandboxHarness",
    "ScriptTransport",
    "answer",
]

_HOMES: Final = {
    "FakeClock": "adnet.testing.fakes",
    "FastClock": "adnet.testing.harness",
    "Harness": "adnet.testing.harness",
    "MemorySink": "adnet.testing.memory",
    "SandboxHarness": "adnet.testing.harness",
    "ScriptTransport": "adnet.testing.fakes",
    "answer": "adnet.testing.fakes",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
