"""First pages of reports: the network sends one with the news that a report is ready, often long before it is read."""

from typing import Final

import attrs

from adnet.connectors.targetcircle.pages import ReportPage

MOST_BYTES: Final = 16 << 20
"""Of all accounts together. A page beyond is let go, and asked for once more: a thousand reports that are ready and
wait to be read would otherwise keep a page of up to half a megabyte each."""


@attrs.define
class _Held:
    bytes: int = 0


_ALL: Final = _Held()
"""What all accounts of the process hold."""


class FirstPages:
    """First pages of one account's reports, as far as there is room for them."""

    def __init__(self) -> None:
        self._pages: dict[str, ReportPage] = {}

    def __len__(self) -> int:
        """How many are held."""
        return len(self._pages)

    def keep(self, job_id: str, page: ReportPage) -> None:
        """Keep the first page of a report, if there is room for it."""
        self.take(job_id)
        if _ALL.bytes + len(page.data) <= MOST_BYTES:
            self._pages[job_id] = page
            _ALL.bytes += len(page.data)

    def take(self, job_id: str) -> ReportPage | None:
        """Return the first page of a report and forget it; None if it was not kept."""
        page = self._pages.pop(job_id, None)
        if page is not None:
            _ALL.bytes -= len(page.data)
        return page

    def __del__(self) -> None:
        """Make room for others: what an account has not read by its end it never reads."""
        for job_id in list(self._pages):
            self.take(job_id)
