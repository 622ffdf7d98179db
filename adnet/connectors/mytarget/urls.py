"""URL objects for banners: an address is registered, then checked by the network, and only then of use.

Source: VK Ads "URL" (documented): registering queues a check; ``url_types`` stay empty until it is done.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from adnet.clock import Clock
from adnet.connectors.mytarget import codec
from adnet.connectors.mytarget.limits import URLS_AT_ONCE
from adnet.connectors.mytarget.native.library import Urls
from adnet.errors import AdnetError
from adnet.operations.grouping import cut

_PAUSES_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Between looks; after the last one the network itself says whether the banner may have it."""

Registered = dict[str, int | AdnetError]
"""Address -> id of its URL object, or why there is none."""


class UrlBook:
    """Registers addresses, each once, and waits for their checks together."""

    def __init__(self, urls: Urls, clock: Clock) -> None:
        self._urls = urls
        self._clock = clock
        self._known: dict[str, int] = {}

    async def register(self, addresses: Iterable[str]) -> Registered:
        """Return the ids of *addresses*, checked as far as the network is willing to."""
        wanted = list(dict.fromkeys(addresses))
        fresh = self.fresh(wanted)
        made = dict(zip(fresh, await asyncio.gather(*map(self._make, fresh)), strict=True))
        numbers = {address: number for address, number in made.items() if isinstance(number, int)}
        await self._checked(list(numbers.values()))
        self._known.update(numbers)
        return {address: self._known.get(address) or made[address] for address in wanted}

    def fresh(self, addresses: Iterable[str]) -> list[str]:
        """Return those that would be registered, each once."""
        return [address for address in dict.fromkeys(addresses) if address not in self._known]

    async def _make(self, address: str) -> int | AdnetError:
        try:
            return int(await self._urls.create(address))
        except AdnetError as error:
            return error

    async def _checked(self, numbers: Sequence[int]) -> None:
        """Wait until all are checked, asking for many in one request."""
        waiting = list(numbers)
        for pause_s in (0.0, *_PAUSES_S):
            if not waiting:
                return
            await self._clock.sleep(pause_s)
            waiting = [
                number for part in cut(waiting, URLS_AT_ONCE) for number in await self._unchecked(part)
            ]

    async def _unchecked(self, numbers: Sequence[int]) -> list[int]:
        rows = await self._urls.get([str(number) for number in numbers])
        done = {codec.number(row) for row in rows if row.get("url_types")}
        return [number for number in numbers if number not in done]
