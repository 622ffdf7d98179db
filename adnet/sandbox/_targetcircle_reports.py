"""
The life of a report at an imitation Target Circle, and its bytes.

A report is made at once and shown later: until `ready_at`, or for so many
polls, it is IN_PROGRESS. Its rows are encoded when it is made, so that a page
costs little more than a join. Facts: Target Circle publisher API gist (2016),
section 1, steps A and B.
"""

import base64
import secrets
from collections.abc import Iterable

import attrs

__all__ = ["FAILED", "IN_PROGRESS", "READY", "Report", "envelope", "fresh_token", "links"]

IN_PROGRESS = "IN_PROGRESS"
READY = "READY"
FAILED = "FAILED"

_PLACEHOLDER_PAGES = 10


@attrs.define(kw_only=True)
class Report:
    """One report asked for; tests may change it while it lives."""

    id: str
    resource: str
    """`transactions`, `clicks` or `trades`."""
    rows: list[bytes]
    """JSON objects, in order."""
    page_size: int
    ready_at: float
    """On the monotonic clock, in seconds."""
    polls_left: int | None
    """If a number, that many polls say IN_PROGRESS and the time does not matter."""
    expires_at: float
    """On the monotonic clock, in seconds; nobody knows the report afterwards."""
    fails: bool = False

    @property
    def path(self) -> str:
        """The URL without page, relative as the vendor gives it."""
        return f"/api/{self.resource}/{self.id}"

    @property
    def pages(self) -> int:
        """How many pages it has: 0 if there are no rows."""
        return -(-len(self.rows) // self.page_size)

    def poll(self, at: float) -> str:
        """Return the status at an instant of the monotonic clock; counts as one poll."""
        if self.polls_left:
            self.polls_left -= 1
            return IN_PROGRESS
        if self.polls_left is None and at < self.ready_at:
            return IN_PROGRESS
        return FAILED if self.fails else READY

    def page(self, number: int) -> list[bytes]:
        """Return the rows of a page; the first is 1."""
        start = (number - 1) * self.page_size
        return self.rows[start : start + self.page_size]


def envelope(rows: Iterable[bytes], status: str, pages: int, *, dirty: bool = False) -> bytes:
    """
    Return the body of a reply: rows, status, number of pages and a fresh token.

    *dirty* leaves a comma behind the last row.
    """
    data = b",".join(rows) + (b"," if dirty else b"")
    return b'{"data":[%b],"token":"%b","status":"%b","pagesNumber":%d}' % (
        data,
        fresh_token().encode(),
        status.encode(),
        pages,
    )


def fresh_token() -> str:
    """Return what every body carries: no account's token, but like one and never twice the same."""
    return base64.b64encode(secrets.token_bytes(24)).decode()


def links(path: str, page: int | None, pages: int) -> str:
    """
    Return the link list for *page* of *pages*; the last page has no `next`.

    *page* None gives what the vendor's sample shows while a report is in
    progress: a second page and ten in all, neither of which need exist.
    """
    page, pages = (1, _PLACEHOLDER_PAGES) if page is None else (page, max(pages, 1))
    targets = [("next", page + 1)] if page < pages else []
    targets += [("first", 1), ("last", pages)]
    return ", ".join(f'<{path}?page={number}>; rel="{rel}"' for rel, number in targets)
