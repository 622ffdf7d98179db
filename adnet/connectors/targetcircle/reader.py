"""Reading a report: poll, pages in parallel, and the proof that all pages are of one report."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final, Literal, cast

import attrs
import msgspec

from adnet.connectors.targetcircle import codec, routes
from adnet.connectors.targetcircle.batches import (
    TransactionBatch,
    click_batch,
    click_keys,
    trade_batch,
    transaction_ids,
)
from adnet.connectors.targetcircle.filters import RowFilter
from adnet.connectors.targetcircle.first_pages import FirstPages
from adnet.connectors.targetcircle.limits import BUCKETS
from adnet.connectors.targetcircle.native import TargetCircleNative, read_columns
from adnet.connectors.targetcircle.occurrences import Occurrences
from adnet.connectors.targetcircle.pages import ReportPage
from adnet.connectors.targetcircle.rows import ClickRow, TradeRow, TransactionRow
from adnet.errors import (
    DecodeError,
    InvalidRequestError,
    JobExpiredError,
    JobTimeoutError,
    NotFoundError,
    TruncatedReportError,
)
from adnet.models import Batch, ReportJob
from adnet.operations.paginate import in_order
from adnet.redact import keyed_hash
from adnet.transport.session import Session

_CHUNK_ROWS: Final = 1000
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_WIDTH: Final = next(bucket.concurrency for bucket in BUCKETS if bucket.name == "pages") or 1
_ROWS: Final[dict[str, type[Any]]] = {
    "transactions": TransactionRow,
    "clicks": ClickRow,
    "trades": TradeRow,
}
_INSTANT: Final = {"transactions": "saved", "clicks": "clicked"}
Kind = Literal["transactions", "clicks", "trades"]


@attrs.define
class _Waiting:
    """Rows that have come and are in no batch yet.

    Who takes them is the only one to hold them: the next page is decoded where they were, in a core's cache, as
    soon as they are let go. A page that is kept a little longer costs a tenth more for all that follow.
    """

    rows: list[Any] = attrs.field(factory=list)
    raws: list[codec.RawJson] = attrs.field(factory=list)
    count: int = 0
    """Rows that have ever come."""

    def add(self, rows: Sequence[Any], raws: Sequence[codec.RawJson]) -> None:
        """Take the rows of a page."""
        self.rows += rows
        self.raws += raws
        self.count += len(rows)

    def full(self, key: str | None) -> bool:
        """Say whether so many wait that a batch can be made of them; *key* as below."""
        rows = self.rows
        return len(rows) >= _CHUNK_ROWS and not (key and getattr(rows[0], key) == getattr(rows[-1], key))

    def take(self, key: str | None = None) -> tuple[list[Any], list[codec.RawJson]]:
        """Return what waits, and forget it.

        With the *key* of rows' instants, those of the last one go on waiting: more of it may be on the next page,
        and rows that agree are told apart by their content, wherever a batch or a page ends.
        """
        rows, raws = self.rows, self.raws
        end = len(rows) if key is None else _before_the_last(rows, key)
        # No views wait: they would keep their page.
        self.rows, self.raws = rows[end:], list(map(bytes, raws[end:]))
        del rows[end:], raws[end:]
        return rows, raws


class ReportReader:
    """Polls and reads reports of one account."""

    def __init__(self, native: TargetCircleNative, session: Session, hash_key: bytes) -> None:
        self._native = native
        self._session = session
        self._hash_key = hash_key
        self._first = FirstPages()

    # ------------------------------------------------------------------ waiting

    async def poll(self, job: ReportJob, *, counted: bool = False) -> ReportJob:
        """Ask for page 1; return the job as running, ready or failed, with its rows *counted* whatever it costs.

        Raises:
            JobExpiredError: The network has forgotten the report.
        """
        page = await self._page(job, 1)
        if page.status == "FAILED":
            return job.changed(state="failed", error="the network said FAILED")
        if not page.ready:
            return job if job.state == "running" else job.changed(state="running")
        rows: int | None = _count(page)
        # Without rows and without a count, links are the placeholders that they were until now.
        pages = 0 if page.empty and not page.counted else max(page.pages, 1)
        if pages > 1:
            rows = await self._total(job, await self._last(job, page), _count(page), counted=counted)
        job = job.changed(state="ready", pages=pages, rows=rows)
        if not job.truncated:  # such a one is never read
            self._first.keep(job.job_id, page)
        return job

    async def _last(self, job: ReportJob, page: ReportPage) -> int:
        """Return the number of the last page: a link may promise more of them than are counted."""
        if 0 < page.counted < page.pages and await self._beyond(job, page.pages) is None:
            return page.counted
        return page.pages

    async def _total(self, job: ReportJob, pages: int, page_size: int, *, counted: bool) -> int | None:
        """Return the number of rows where it may be the limit, or is wanted: the last page tells; else None."""
        limit = job.row_limit or 0
        if not counted and not (pages - 1) * page_size < limit <= pages * page_size:
            return None
        last = await self._page(job, pages)
        return (pages - 1) * page_size + _count(last)

    async def _page(self, job: ReportJob, number: int) -> ReportPage:
        try:
            return await self._native.get_page(cast("Kind", job.query.kind), job.location or "", number)
        except NotFoundError as error:
            raise self._gone(job, f"page {number} answered {error.status}") from error

    # ------------------------------------------------------------------ reading

    async def read(self, job: ReportJob, row_filter: RowFilter) -> AsyncIterator[Batch]:
        """Yield the rows in order, about a thousand at a time.

        Raises:
            JobExpiredError: The report vanished, shrank, or repeated or emptied a page.
            JobTimeoutError: It is not ready yet.
            TruncatedReportError: It turned out to have as many rows as the network gives at most.
        """
        kind = job.query.kind
        seen = Occurrences()
        waiting, key = _Waiting(), _INSTANT.get(kind)
        async with aclosing(self._pages(job)) as pages:
            async for page in pages:
                with self._session.reading(routes.PAGE[kind]):
                    waiting.add(*read_columns(page.data, _ROWS[kind], self._session))
                if waiting.full(key):
                    yield self._batch(kind, *waiting.take(key), row_filter, seen)
        if waiting.count == job.row_limit:
            # Polling works the number out from two pages; it errs where the pages between are of other sizes.
            raise self._cut(job, waiting.count)
        if waiting.rows:
            yield self._batch(kind, *waiting.take(), row_filter, seen)

    async def _pages(self, job: ReportJob) -> AsyncGenerator[ReportPage, None]:
        """Yield all pages in order, each checked to belong to the same report as the first."""
        first = self._first.take(job.job_id) or await self._page(job, 1)
        pages = job.pages if job.pages is not None else max(first.pages, 1)
        if not pages and (first.counted or not (first.ready and first.empty)):
            raise self._gone(job, "it had no rows, and is another now")
        route = routes.PAGE[cast("Kind", job.query.kind)]
        self._session.check_pages(route, pages)
        marks: dict[int, int] = {}

        async def fetch(number: int) -> ReportPage | None:
            if number == 1:
                return first
            uncounted = 0 < first.counted < number
            return await (self._beyond if uncounted else self._page)(job, number)

        async with aclosing(in_order(range(1, pages + 1), fetch, width=_WIDTH)) as fetched:
            page = first
            async for found in fetched:
                if found is None:
                    return  # the link to the last page promised too much
                page = found
                self._check(job, page, first, marks)
                yield page
        while page.next == page.page + 1:  # more than was counted
            self._session.check_pages(route, page.next)
            following = await self._beyond(job, page.next)
            if following is None:
                return
            page = following
            self._check(job, page, first, marks)
            yield page

    async def _beyond(self, job: ReportJob, number: int) -> ReportPage | None:
        """Return a page that only a link tells of, or None where the link leads nowhere."""
        try:
            page = await self._page(job, number)
        except (JobExpiredError, InvalidRequestError):
            return None
        return None if page.ready and page.empty else page

    def _check(self, job: ReportJob, page: ReportPage, first: ReportPage, marks: dict[int, int]) -> None:
        if not page.ready and page is first and job.pages is None:
            raise JobTimeoutError("the report is not ready yet: poll it until it is", **job.context)
        if not page.ready:
            raise self._gone(job, f"page {page.page} is {page.status or 'without status'} again")
        pages = first.pages if job.pages is None else job.pages
        # Where only links tell of a page, that page itself need not have any.
        unlinked = page is not first and page.pages == page.counted == first.counted
        if max(page.pages, 1) != max(pages, 1) and not unlinked:
            raise self._gone(job, f"page {page.page} counts {page.pages} pages, the first counted {pages}")
        if page.empty and page.page < (page.counted or pages):
            raise self._gone(job, f"page {page.page} of {page.counted or pages} has no rows")
        # Python's own hash of 64 bits: four times as fast as a digest, and as good to tell some thousand pages apart.
        earlier = marks.setdefault(hash(page.data), page.page)
        # One row, or one row many times over, may well fill two pages; several rows do not come twice.
        if earlier != page.page and len({bytes(row) for row in codec.RAWS.decode(page.data)}) > 1:
            raise self._gone(job, f"page {page.page} repeats page {earlier}")

    def _gone(self, job: ReportJob, what: str) -> JobExpiredError:
        return JobExpiredError(
            f"the {job.query.kind} report is not whole any more: {what}",
            **job.context,
        )

    def _cut(self, job: ReportJob, count: int) -> TruncatedReportError:
        period = job.query.period
        return TruncatedReportError(
            f"the {job.query.kind} report has {count} rows, which is the network's limit: rows may be missing;"
            " ask for a shorter period",
            **job.context,
            since=period.since if period else None,
            until=period.until if period else None,
        )

    def _batch(
        self,
        kind: str,
        rows: list[Any],
        raws: list[codec.RawJson],
        row_filter: RowFilter,
        seen: Occurrences,
    ) -> Batch:
        with self._session.reading(routes.PAGE[kind]):
            moments = _moments(kind, rows)
            # Numbered before anything is left out: a row keeps its id whatever else is asked for.
            ids = self._ids(kind, rows, moments, seen)
        kept = row_filter.kept(rows, moments)
        if kept is not None:
            rows, raws = [rows[i] for i in kept], [raws[i] for i in kept]
            ids, moments = [ids[i] for i in kept], [moments[i] for i in kept] if moments else []
        if kind == "transactions":
            return TransactionBatch(rows, raws, moments, ids, row_filter.currency)
        if kind == "trades":
            return trade_batch(rows, list(map(bytes, raws)))
        hashes = [keyed_hash(self._hash_key, row.ip) if row.ip else None for row in rows]
        with self._session.reading(routes.PAGE[kind]):
            shown = [_without_ip(bytes(raw)) for raw in raws]
        return click_batch(rows, shown, moments, ids, hashes)

    def _ids(self, kind: str, rows: list[Any], moments: list[datetime], seen: Occurrences) -> list[str]:
        if kind == "transactions":
            return transaction_ids(rows, moments, seen)
        return click_keys(rows, moments, seen) if kind == "clicks" else [""] * len(rows)


def _before_the_last(rows: Sequence[Any], key: str) -> int:
    """Return how many *rows* come before those of the last instant, which is under *key*."""
    last = getattr(rows[-1], key)
    return next((end for end in range(len(rows), 0, -1) if getattr(rows[end - 1], key) != last), 0)


def _without_ip(raw: bytes) -> bytes:
    """Return a click's JSON without the address; all other values keep their bytes."""
    try:
        row = _OBJECT.decode(raw)
    except UnicodeDecodeError as error:  # of a key: it was cut out of its page, and nobody has looked at it
        raise DecodeError(f"a click cannot be read: {error}") from None
    row.pop("ip", None)
    return msgspec.json.encode(row)


def _moments(kind: str, rows: list[Any]) -> list[datetime]:
    if kind == "trades":
        return []
    if kind == "clicks":
        return codec.moments([row.clicked for row in rows], "clickDate")
    return codec.moments([row.saved for row in rows], "saved")


def _count(page: ReportPage) -> int:
    try:
        return len(codec.RAWS.decode(page.data))
    except (msgspec.DecodeError, RecursionError):
        return 0  # reading the rows will say what is wrong with them
