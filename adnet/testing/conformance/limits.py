"""Limits are kept: every physical send is charged, a refusal is waited out, a wait too long is refused."""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from adnet.errors import AdnetError, NotFoundError, RateLimitError
from adnet.interface import Capabilities
from adnet.testing.conformance._policy import standard
from adnet.testing.conformance._tools import MISSING, busy, collect, getters, listings, open_account, warm
from adnet.testing.conformance.errors import raised_by
from adnet.testing.harness import Harness

_FAULTS: Final = ("500", "reset", "429", "half", "503")


def _proving(capabilities: Capabilities) -> bool:
    return capabilities.supports("get_account")


class Limits:
    """The limiter stands before every request."""

    @standard(when=_proving)
    async def test_a_429_is_waited_out(self, harness: Harness) -> None:
        """A 429 with Retry-After and one without are waited out, for as long as the server asked at least.

        If this fails, look at: how the connector reads Retry-After, and resending past the limiter.
        """
        account = await harness.account()
        await account.get_account()
        sent, began = len(harness.requests), account.clock.monotonic()
        harness.fault("429", "429")
        assert (await account.get_account()).account_id
        assert account.clock.monotonic() - began >= 2.0
        assert len(harness.requests) - sent >= 3

    @standard()
    async def test_every_send_is_charged(self, harness: Harness) -> None:
        """What the limiter charges is what reaches the server, tries again and refused requests included.

        If this fails, look at: requests that do not go through the session; the routes' buckets and costs.
        """
        account, wire = await open_account(harness)
        await warm(account)
        for listing in listings(account.capabilities):
            harness.fault(*_FAULTS)
            with suppress(AdnetError):
                await collect(listing.of(account, *harness.period))
        harness.fault()
        for getter in getters(account.capabilities):
            with suppress(NotFoundError):
                await getattr(account, getter)(MISSING)
        charges = account.connector.limiter.charges
        costs = wire.charges()
        assert [request.route.operation for request in wire.sent if not request.route.buckets] == []
        assert len(harness.requests) == len(wire.sent)
        assert costs == Counter({bucket: charges[bucket] for bucket in costs})
        assert account.connector.requests == len(wire.sent)
        assert busy(account) == {}

    @standard(when=_proving)
    async def test_processes_on_one_state_share_limits(self, harness: Harness, tmp_path: Path) -> None:
        """What one object has used up is gone for another one on the same state: the network counts them as one.

        If this fails, look at: the key that ``services.limiter`` is given; it is the account's, not the object's.
        """
        state = f"sqlite:{tmp_path / 'state.db'}"
        probe, wire = await open_account(harness)
        await probe.get_account()
        limits: dict[str, Any] = {bucket: f"{cost}/d" for bucket, cost in wire.charges().items()}
        first = await harness.account(limits=limits, state=state)
        await first.get_account()
        second = await harness.account(limits=limits, state=state)
        sent = len(harness.requests)
        assert isinstance(await raised_by(second), RateLimitError)
        assert sent == len(harness.requests)

    @standard(when=_proving)
    async def test_a_wait_too_long_is_refused(self, harness: Harness) -> None:
        """Where the limit leaves no room for hours, RateLimitError rises at once, with the time of room.

        If this fails, look at: routes that name no bucket.
        """
        probe, wire = await open_account(harness)
        await probe.get_account()
        limits: dict[str, Any] = {bucket: f"{cost}/d" for bucket, cost in wire.charges().items()}
        assert limits, "get_account names no bucket"
        account = await harness.account(limits=limits)
        await account.get_account()
        sent, began = len(harness.requests), account.clock.now()
        error = await raised_by(account)
        assert isinstance(error, RateLimitError), repr(error)
        assert error.free_at is not None
        assert error.free_at > began
        assert error.scope
        assert sent == len(harness.requests)
