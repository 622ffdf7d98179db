"""Lists in pages, whatever the network counts: ``start`` is a row (0, 700, 1400) or the number of a page, from 1.

The document counts rows, and clients of 2019 do; in 2026 production counts pages and refuses 0. Where the user does
not say, it is found out: a refusal of 0 tells, and so does a second page that brings nothing although the first one
was full, when page number 2 brings something. What was found is remembered, for each kind of list by itself: the
document speaks of pages of campaigns and of the position of a teaser. No row is delivered twice.
The largest page is read from the refusal of a larger one, and remembered too.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from itertools import count
from typing import Any, Final, Literal

from adnet.connectors.adskeeper.codes import MAX_LIMIT, MIN_PAGE, folded, number_in
from adnet.connectors.adskeeper.shapes import number_of
from adnet.errors import ApiError, SchemaError
from adnet.operations.ending import ending
from adnet.state import Facts
from adnet.transport.ceilings import Ceilings

Paging = Literal["offset", "page"]
Rows = dict[str, dict[str, Any]]
Fetch = Callable[[Mapping[str, object]], Awaitable[Rows]]
"""Asks for one page: takes ``limit`` and ``start``."""

_FIRST: Final[Mapping[Paging, int]] = {"offset": 0, "page": 1}
_RESTARTS: Final = 4
_ROUND: Final = 50
"""A page of a round number of rows, though more were asked for, may be the most that the network gives at once."""


class Restart(Exception):  # noqa: N818 - never leaves this module
    """The pages have to be asked for anew, counted or cut otherwise."""


class Pager:
    """Reads lists page by page, and learns how one network counts them.

    Args:
        paging: ``offset``, ``page``, or ``auto`` to find out.
        facts: Where what was found is remembered.
        scope: Whose facts these are.
        ceilings: How many pages a list may have.
    """

    def __init__(self, paging: str, facts: Facts, scope: str, ceilings: Ceilings | None = None) -> None:
        self._auto = paging == "auto"
        self._paging: Paging = "page" if paging == "page" else "offset"
        self._facts = facts
        self._scope = scope
        self._ceilings = ceilings or Ceilings()

    def paging(self, kind: str) -> Paging:
        """Return what ``start`` counts in lists of *kind*, as far as is known."""
        if self._auto and self._facts.get(self._scope, f"paging.{kind}") == "page":
            return "page"
        return self._paging

    def size(self, kind: str, most: int) -> int:
        """Return how many rows of *kind* a page has at most: what the network told, or *most*."""
        told = number_of(self._facts.get(self._scope, f"page_size.{kind}"))
        return min(told, most) if told else most

    async def pages(self, kind: str, most: int, fetch: Fetch) -> AsyncIterator[Rows]:
        """Yield the rows of each page that were in none before.

        Args:
            kind: What is listed; pages of different kinds have different largest sizes, and may be counted otherwise.
            most: Rows to ask for at once.
            fetch: Asks for one page.

        Raises:
            AdnetError: A page could not be had.
        """
        seen: set[str] = set()
        restarts = 0
        while True:
            try:
                async with ending(self._run(kind, most, fetch, seen)) as pages:
                    async for rows in pages:
                        yield rows
            except Restart:
                restarts += 1
                if restarts > _RESTARTS:
                    raise _unreadable("they change their size or their counting again and again") from None
                continue
            return

    async def _run(self, kind: str, most: int, fetch: Fetch, seen: set[str]) -> AsyncIterator[Rows]:
        paging, size = self.paging(kind), self.size(kind, most)
        start = _FIRST[paging]
        mine: set[str] = set()  # of this run: rows of an earlier one are known, and yet no repetition
        for page in count(1):
            self._ceilings.check_pages(page)
            rows = await self._page(kind, fetch, start, size)
            fresh = rows.keys() - mine
            if not fresh and mine and await self._miscounted(paging, fetch, size, mine, page):
                self._learn(kind, "page")
                raise Restart
            if self._auto and paging == "page" and (len(rows) - len(fresh)) * 2 > size:
                # Page 2 is page 1 moved by a row: rows are counted after all.
                self._learn(kind, "offset")
                raise Restart
            if not fresh and len(rows) == size:
                raise _unreadable("one full page repeats another, so that rows may be missing")
            mine.update(rows)
            if new := {number: row for number, row in rows.items() if number not in seen}:
                seen.update(new)
                yield new
            if not fresh or (len(rows) < size and len(rows) % _ROUND):
                return
            start += 1 if paging == "page" else len(rows)

    async def _page(self, kind: str, fetch: Fetch, start: int, size: int) -> Rows:
        try:
            return await fetch({"limit": size, "start": start})
        except ApiError as error:
            code, told = folded(error.code or ""), number_in(error.code)
            if code == MAX_LIMIT and told and told < size:
                self._facts.put(self._scope, f"page_size.{kind}", str(told))
                raise Restart from error
            if code == MIN_PAGE and self._auto and start == 0:
                self._learn(kind, "page")
                raise Restart from error
            raise

    async def _miscounted(self, paging: Paging, fetch: Fetch, size: int, mine: set[str], page: int) -> bool:
        """Whether a second page brought nothing only because rows were counted where pages are."""
        if not self._auto or paging == "page" or page != 2:
            return False
        second = await fetch({"limit": size, "start": 2})
        return bool(second) and not second.keys() & mine

    def _learn(self, kind: str, paging: Paging) -> None:
        self._facts.put(self._scope, f"paging.{kind}", paging)


def _unreadable(why: str) -> SchemaError:
    return SchemaError(f"the pages of this list cannot be told apart: {why}; set paging to offset or page")
