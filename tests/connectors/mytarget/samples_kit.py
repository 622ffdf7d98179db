"""A state in which everything is known that a sample need not show: a token, limits, currency, the verb of updates."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import adnet
from adnet.state import State
from adnet.state.tokens import StoredToken
from adnet.testing import FakeClock

HOST = "https://mt.example"
GIVEN = {"base_url": HOST, "client_id": "app", "client_secret": "secret-0123456789"}


@contextmanager
def known_state(network: str = "mytarget") -> Iterator[State]:
    """Give a state of the account in GIVEN."""
    now = FakeClock().now()
    with State.open(clock=FakeClock()) as state:
        key = adnet.connect(network, state=state, **GIVEN).account_id
        token = StoredToken(
            access_token="access-0123456789",
            refresh_token="refresh-0123456789",
            issued_at=now,
            expires_at=now + timedelta(days=1),
        )
        state.tokens.save(key, token)
        for name, value in (
            ("throttling", f"{now.timestamp():.0f} {{}}"),
            ("currency", "RUB"),
            ("user_id", "70001"),
            ("user_id told of issue", "0"),
        ):
            state.facts.put(key, name, value)
        state.facts.put(f"{HOST}:443", "update_verb", "post")
        yield state
