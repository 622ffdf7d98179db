"""What the session tells while it works: the instrumentation seam, its meter, and the one place that logs."""

import contextvars
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

import attrs

from adnet.redact import Scrubber

_LOG = logging.getLogger("adnet")
_LEVELS: Final = {"retried": logging.INFO, "failed": logging.INFO}


@attrs.frozen(kw_only=True)
class Event:
    """Something that happened to a request. Holds no secret: targets are scrubbed."""

    kind: str
    """``sent``, ``answered``, ``waited``, ``retried``, ``failed``."""
    network: str
    account: str
    operation: str
    target: str = ""
    """Path and query."""
    attempt: int = 1
    status: int | None = None
    seconds: float = 0.0
    """Of the answer, or of the wait."""
    error: str | None = None


class Listener(Protocol):
    """Hears every event of a session; must be quick and must not raise."""

    def __call__(self, event: Event) -> None:
        """Take one event."""
        ...


@attrs.define
class Meter:
    """Counts what a stretch of work cost."""

    requests: int = 0
    """Physical sends."""
    bytes: int = 0
    """Of answers, after decompression."""
    limit_s: float = 0.0
    """Waiting for limits."""
    retry_s: float = 0.0
    """Waiting between attempts."""
    token_s: float = 0.0
    """Getting and refreshing tokens."""
    server_s: float = 0.0
    """Between sending and the last byte."""
    poll_s: float = 0.0
    """Waiting for reports."""
    decode_s: float = 0.0
    """Making rows of answers, and columns of rows."""
    sink_s: float = 0.0

    @property
    def waited_s(self) -> float:
        """Seconds spent waiting for limits and between attempts."""
        return self.limit_s + self.retry_s


_METER: contextvars.ContextVar[Meter | None] = contextvars.ContextVar("adnet_meter", default=None)


def current_meter() -> Meter | None:
    """Return the meter of the stretch of work that is under way, if one is kept."""
    return _METER.get()


@contextmanager
def metered(meter: Meter) -> Iterator[Meter]:
    """Count into *meter* whatever this task, and tasks it starts, do inside."""
    token = _METER.set(meter)
    try:
        yield meter
    finally:
        _METER.reset(token)


def is_logged(kind: str) -> bool:
    """Whether a logging listener would do anything with an event of this kind."""
    return _LOG.isEnabledFor(_LEVELS.get(kind, logging.DEBUG))


class LoggingListener:
    """Writes events to the logger ``adnet``, scrubbed; requests at DEBUG, retries at INFO."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber

    def __call__(self, event: Event) -> None:
        """Log one event."""
        level = _LEVELS.get(event.kind, logging.DEBUG)
        if not _LOG.isEnabledFor(level):
            return
        parts = [event.account, event.operation, event.kind, event.target]
        if event.status:
            parts.append(f"HTTP {event.status}")
        if event.seconds:
            parts.append(f"{event.seconds:.3f} s")
        if event.error:
            parts.append(event.error)
        _LOG.log(level, "%s", self._scrubber.text(" ".join(part for part in parts if part)))


def note(text: str) -> None:
    """Log that something odd was put right; *text* must come from us, not from a server."""
    _LOG.info("%s", text)
