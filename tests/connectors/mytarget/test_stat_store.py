"""Days of statistics that are kept in the state."""

from datetime import date

import msgspec

from adnet.connectors.mytarget.stat_store import DayStore, Span
from adnet.state import State
from adnet.testing import FakeClock


def test_what_a_clock_that_was_ahead_called_closed_is_not_believed():
    """The day was still open when it was answered, and would count as final for ever."""
    fast, right, day = FakeClock(), FakeClock(), date(2026, 3, 1)
    fast.advance(10 * 86400)
    row = {day: {"1": msgspec.Raw(b'{"spent":"0.10"}')}}
    with State.open(clock=fast) as state:
        before = DayStore(state, "k", fast, 7)
        before.keep("ads", [(Span(ids=["1"], first=day, last=day), row)], fast.now().date())
        right.advance(2 * 86400)
        assert DayStore(state, "k", right, 7).read("ads", day) == {}
