"""The harness of the conformance kit, and its clock."""

import time
from datetime import UTC, datetime

import pytest

from adnet.errors import ServerError
from adnet.testing import FakeClock, FastClock, SandboxHarness
from adnet.testing import harness as kit
from adnet.testing.harness import START


class Harness(SandboxHarness):
    """Target Circle's."""

    network = "targetcircle"


@pytest.fixture
async def harness():
    """Return a harness that is closed afterwards."""
    made = Harness()
    yield made
    await made.close()


async def test_a_fast_clock_s_seconds_are_short():
    """Forty seconds of it pass in less than one, for waiting, measuring and dating alike."""
    clock, began = FastClock(speed=1000), time.monotonic()
    await clock.sleep(40)
    assert time.monotonic() - began < 1
    assert 40 <= clock.monotonic() < 1000
    assert (clock.now() - START).total_seconds() == pytest.approx(clock.monotonic(), abs=5)
    assert FastClock(start=datetime(2030, 1, 1, tzinfo=UTC)).now().year == 2030


async def test_a_network_of_ours_needs_its_slug_alone(harness):
    """Credentials, truth and period are known; the log grows with what is asked."""
    account = await harness.account()
    assert set(harness.credentials) == {"token", "currency"}
    assert list(harness.requests) == []
    assert (await account.get_account()).currency == "EUR"
    assert [request.path for request in harness.requests] == ["/api/offers"]
    assert len(harness.truth("transactions", *harness.period)) > 10


async def test_options_win_over_what_the_harness_gives(harness):
    """A test can have other credentials, limits or a transport of its own."""
    account = await harness.account(currency="USD", limits={"api": "1/s"})
    assert (await account.get_account()).currency == "USD"
    assert account.connector.limiter.state()[0].windows[0].limit == 1


async def test_limits_are_wide_by_default(harness):
    """No test waits for a limit that it has not asked for; numbers in flight stay as they are."""
    account = await harness.account()
    buckets = {bucket.name: bucket for bucket in account.connector.limiter.state()}
    assert buckets["api"].windows[0].limit == 10_000
    assert buckets["reports"].concurrency == 2


async def test_faults_strike_and_can_be_lifted(harness):
    """The next requests are struck, until no more strikes are left or all are taken back."""
    account = await harness.account()
    harness.fault(*["500"] * 20)
    with pytest.raises(ServerError):
        await account.get_account()
    harness.fault()
    assert (await account.get_account()).account_id


def test_a_fault_that_there_is_not_is_told():
    """A slip in its name does not make a test pass for nothing."""
    with pytest.raises(LookupError, match="no fault '5OO'"):
        Harness().fault("5OO")


def test_a_subclass_can_say_something_else():
    """What a class says itself wins over what is known of the network."""
    other = type(
        "Other", (SandboxHarness,), {"network": "targetcircle", "knobs": {"per_day": 1}, "strange": {}}
    )
    assert (other.knobs, other.strange) == ({"per_day": 1}, {})
    assert Harness.knobs["ready_after_s"] == 0.0


async def test_a_fast_clock_stands_still_with_the_machine(monkeypatch):
    """A token that was asked for would else come after its time; what is waited for takes its time all the same."""
    machine = FakeClock()
    monkeypatch.setattr(kit, "SystemClock", lambda: machine)
    clock = FastClock(50.0)
    machine.advance(0.2)
    assert clock.monotonic() == pytest.approx(10.0)
    machine.advance(30.0)
    assert clock.monotonic() == pytest.approx(30.0)
    began = machine.monotonic()
    await clock.sleep(600.0)
    assert clock.monotonic() == pytest.approx(630.0)
    assert machine.monotonic() - began == pytest.approx(12.0)
