"""The samples of every documented operation, played with one answer changed."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import attrs

import adnet
from adnet.client import Account
from adnet.testing import FakeClock, ScriptTransport
from adnet.testing.fakes import answer
from adnet.testing.samples import Sample, Samples
from adnet.transport.wire import Response
from tests.connectors.adskeeper import kit as adskeeper
from tests.connectors.mytarget import samples_kit as mytarget

from .replaying import with_body

FOLDER = Path(__file__).parent.parent / "connectors"
MOST_REQUESTS = 60


@attrs.frozen(kw_only=True)
class Kit:
    """One network: its samples, and what an account needs to play them."""

    samples: Sequence[Sample] = attrs.field(repr=False)
    state: Callable[[], AbstractContextManager[Any]]
    given: Mapping[str, Any] = attrs.field(repr=False)


KITS = {
    "targetcircle": Kit(
        samples=Samples(FOLDER / "targetcircle" / "samples"),
        state=nullcontext,
        given={"base_url": "https://tc.example/api", "token": "tok-0123456789abcdef"},
    ),
    "adskeeper": Kit(
        samples=Samples(FOLDER / "adskeeper" / "samples"), state=adskeeper.known_state, given=adskeeper.GIVEN
    ),
    "mytarget": Kit(
        samples=Samples(FOLDER / "mytarget" / "samples"), state=mytarget.known_state, given=mytarget.GIVEN
    ),
    "vkads": Kit(
        samples=Samples(FOLDER / "vkads" / "samples"),
        state=lambda: mytarget.known_state("vkads"),
        given=mytarget.GIVEN,
    ),
}


async def played(network: str, sample: Sample, place: int, changed: Any) -> None:
    """Play a sample with *changed* as the body of one answer, and look at what it gives."""
    replies = list(sample.responses)
    replies[place] = with_body(replies[place], changed)
    await answered(network, sample, *replies)


async def answered(network: str, sample: Sample, *replies: Response) -> None:
    """Make a sample's call, answered by *replies*, the last of them again and again; look at what it gives."""
    kit = KITS[network]

    def script(_: Any) -> Any:
        number = len(wire.sent)
        return replies[min(number, len(replies)) - 1] if number < MOST_REQUESTS else answer(404)

    with kit.state() as state:
        wire = ScriptTransport(script)
        options = {**kit.given, **sample.options, "state": state}
        account = adnet.connect(network, transport=wire, clock=FakeClock(), **options)
        try:
            repr(await called(account, sample))
        finally:
            await account.close()


async def called(account: Account, sample: Sample) -> Any:
    """Make the call of a sample."""
    method: Any = account
    for name in sample.call.split("."):
        method = getattr(method, name)
    result = method(**sample.arguments)
    return (
        [row async for row in result]
        if hasattr(result, "__aiter__")
        else await result
        if hasattr(result, "__await__")
        else result
    )
