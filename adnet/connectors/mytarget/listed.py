"""What came of a list, page by page: of one that shifts between its pages nothing is missed, and nothing told twice."""

from collections.abc import Mapping, Sequence
from typing import Any

from adnet.errors import SchemaError
from adnet.models import Raw


class Listed:
    """Takes the objects of one list, each of them once.

    When something is made while a list is read, everything behind it moves on: the last object of a page comes again
    as the first of the next, and where the pages are full, another is on none of them.
    """

    def __init__(self) -> None:
        self._seen: set[object] = set()
        self._last: Sequence[Raw] = ()

    def take(self, page: Sequence[Raw]) -> list[Raw]:
        """Return what is new on a page. Raises SchemaError when it is the one before it."""
        if page and page == self._last:
            raise SchemaError("one page repeats another, so that rows may be missing")
        fresh = {number: row for row in page if (number := _identity(row)) not in self._seen}
        self._seen.update(fresh)
        self._last = page
        return list(fresh.values())

    def __len__(self) -> int:
        """How many different objects have come."""
        return len(self._seen)


def _identity(row: Mapping[str, Any]) -> object:
    """Return what tells an object from the others of its list: its id, or, of clients, their user's.

    One that shows none counts as one of its own.
    """
    user = row.get("user")
    found = row.get("id") or (user.get("id") if isinstance(user, Mapping) else None)
    return found if isinstance(found, int | str) else object()
