"""Target Circle's limits. None are published; what stands here is caution, and can be set."""

from typing import Final

from adnet.interface import LimitFact
from adnet.transport.limits import Bucket, Window

REPORT_LIMIT: Final = 1000
"""Rows of one report at most. Documented ("maximum limit value is 1000"); that it caps the whole report and
not a page is inferred from the sample: limit 100, ten rows a page, last page 10."""

_OURS: Final = "our own caution; the network publishes no limits"

BUCKETS: Final = (
    Bucket("api", windows=(Window(4, 1.0),), concurrency=8, adaptive=True, source=_OURS),
    # Pages of a report that is ready come out of the network's memory and cost it little.
    Bucket("pages", concurrency=32, adaptive=True, source=_OURS),
    Bucket("reports", concurrency=2, source=_OURS),
)

FACTS: Final = (
    LimitFact("rows of a report", REPORT_LIMIT, "rows", "Publisher API Documentation (documented)"),
    LimitFact("rows of a page", 10, "rows", "Publisher API Documentation (documented default)"),
    LimitFact("reports under way", 2, "reports", _OURS),
    LimitFact("requests", 4, "per second", _OURS),
    LimitFact("pages in flight", 32, "requests", _OURS),
)
