"""What the tests of the transport rooms share."""

import pytest

from adnet.testing import FakeClock
from adnet.transport.wire import Route

READ = Route(operation="x.get", method="GET", path="/x", idempotent=True)
WRITE = Route(operation="x.add", method="POST", path="/x", idempotent=False)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
