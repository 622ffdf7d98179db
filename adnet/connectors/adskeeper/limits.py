"""Adskeeper's limits. None are published; what stands here is what clients in production live with."""

from typing import Final

from adnet.interface import LimitFact
from adnet.transport.limits import Bucket, Window

WIDTH: Final = 3
"""Requests of one call that are under way at once."""
CAMPAIGNS_PER_PAGE: Final = 500
TEASERS_PER_PAGE: Final = 700

_OBSERVED: Final = "observed in production (2026): six requests at once draw 429; our default stays below"
_OURS: Final = "our own caution; the network publishes no limits"
_DOC: Final = "Adskeeper advertiser API document (documented)"

BUCKETS: Final = (
    Bucket("api", windows=(Window(5, 1.0),), concurrency=WIDTH, adaptive=True, source=_OBSERVED),
    # Of its own: a login happens while the requests that wait for it hold their places in the other.
    Bucket("login", windows=(Window(1, 1.0),), concurrency=1, source=_OURS),
)

FACTS: Final = (
    LimitFact("requests in flight", WIDTH, "requests", _OBSERVED),
    LimitFact("requests", 5, "per second", _OURS),
    LimitFact("campaigns of a page", CAMPAIGNS_PER_PAGE, "rows", _DOC),
    LimitFact(
        "teasers of a page",
        TEASERS_PER_PAGE,
        "rows",
        f"{_DOC}, its example; the network tells its own maximum",
    ),
    LimitFact("length of a campaign's name", 128, "characters", _DOC),
    LimitFact("length of a title", 65, "characters, 90 by the newer edition, 30 for push", _DOC),
    LimitFact("daily clicks", 500, "clicks at least", _DOC),
)
