"""The verb of partial updates on one host.

The project's brief has PATCH; the vendor documents POST to the object's URL. So what is tried first is the profile's
verb, a 405 or 501 to PATCH switches the host to POST for good, and an account may fix the verb.
Source: VK Ads API overview (documented).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from adnet.errors import ApiError
from adnet.state.facts import Facts

AUTO: Final = "auto"
_FACT: Final = "update_verb"
_NO_SUCH_VERB: Final = frozenset({405, 501})

Send = Callable[[str], Awaitable[Any]]
"""Sends one update by a verb."""


class UpdateVerb:
    """Finds out the verb once, by whoever updates first, and remembers it.

    Args:
        facts: Where it is remembered, by host.
        host: Scheme, host and port.
        first: The verb to try first: ``patch`` or ``post``.
        wanted: The verb that the user fixed, or ``auto``.
    """

    def __init__(self, facts: Facts, host: str, *, first: str, wanted: str) -> None:
        self._facts = facts
        self._host = host
        self._first = first
        self._fixed = None if wanted == AUTO else wanted
        self._finding = asyncio.Lock()

    @property
    def known(self) -> str | None:
        """``patch`` or ``post`` where it is fixed, or known for this host; None while nobody has tried."""
        return self._fixed or self._facts.get(self._host, _FACT)

    @property
    def expected(self) -> str:
        """The verb that an update would take now."""
        return self.known or self._first

    @property
    def certain(self) -> bool:
        """Whether that is no guess: it is known, or there is no other verb to turn to."""
        return self.known is not None or self._first == "post"

    async def use(self, send: Send) -> Any:
        """Return what *send* returns, by the verb that the host takes."""
        if self.known is None:
            async with self._finding:  # one request finds out, the others wait for what it finds
                if self.known is None:
                    return await self._find(send)
        return await self._by(self.expected, send)

    async def _find(self, send: Send) -> Any:
        answer = await self._by(self._first, send)
        if self.known is None:
            self._facts.put(self._host, _FACT, self._first)
        return answer

    async def _by(self, verb: str, send: Send) -> Any:
        try:
            return await send(verb)
        except ApiError as error:
            if verb != "patch" or self._fixed is not None or error.status not in _NO_SUCH_VERB:
                raise
        answer = await send("post")
        self._facts.put(self._host, _FACT, "post")
        return answer
