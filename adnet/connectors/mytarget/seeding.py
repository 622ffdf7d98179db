"""Learning the limits before the first request: from the state, or from ``throttling.json``."""

from typing import Final

from adnet.clock import Clock
from adnet.connectors.mytarget import routes
from adnet.connectors.mytarget.asking import Asking
from adnet.connectors.mytarget.limits import Quotas, server_time
from adnet.errors import ApiError, AuthenticationError, TokenLimitError
from adnet.state.facts import Facts
from adnet.transport.session import Session

RESEED_S: Final = 3600.0
"""For how long what ``throttling.json`` said is taken as the present limits."""
_LIMITS: Final = "throttling"


class Seeder:
    """Sees to it that the limits are known.

    Args:
        session: Asks for them.
        quotas: Takes them in.
        facts: Where they are remembered, so that a short-lived process asks no more often than a long one.
        key: The account's key there.
        clock: Says how old they are.
    """

    def __init__(self, session: Session, quotas: Quotas, facts: Facts, key: str, clock: Clock) -> None:
        self._session = session
        self._quotas = quotas
        self._facts = facts
        self._key = key
        self._clock = clock
        self._asking = Asking(clock, "word of the limits")
        self._seeded_at: float | None = None

    @property
    def fresh(self) -> bool:
        """Whether the limits were learnt lately."""
        return self._seeded_at is not None and self._clock.monotonic() - self._seeded_at <= RESEED_S

    async def learn(self) -> None:
        """Learn the limits, once for all who wait for them."""
        await self._asking.once(self._learn)

    async def close(self) -> None:
        """Cancel a question that is still under way."""
        await self._asking.close()

    def recall(self) -> None:
        """Take in the limits as they are remembered, and what is left of them only where that was told lately."""
        body, age_s = self._remembered()
        self._quotas.seed(body, None, age_s=age_s)

    async def _learn(self) -> None:
        body, age_s = self._remembered() if self._seeded_at is None else (b"", None)
        if age_s is not None:
            self._quotas.seed(body, None, age_s=age_s)
        else:
            await self._ask()
        self._seeded_at = self._clock.monotonic()

    async def _ask(self) -> None:
        """Ask for the limits; where the network does not tell them, go carefully."""
        try:
            response = await self._session.send(self._session.build(routes.THROTTLING, objects=0))
        except (AuthenticationError, TokenLimitError):
            raise
        except ApiError:
            self._quotas.caution()
            return
        if not self._quotas.seed(response.body, server_time(response.headers)):
            self._quotas.caution()
            return
        asked = int(self._clock.now().timestamp())
        self._facts.put(self._key, _LIMITS, f"{asked} {response.text}")

    def _remembered(self) -> tuple[bytes, float | None]:
        """Return what the network said, and how long ago if lately; what was used since is counted in the state."""
        asked, _, body = (self._facts.get(self._key, _LIMITS) or "").partition(" ")
        age_s = self._clock.now().timestamp() - (float(asked) if asked.isdecimal() else 0.0)
        return body.encode(), age_s if body and 0 <= age_s <= RESEED_S else None
