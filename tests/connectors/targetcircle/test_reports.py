"""Reports of Target Circle: polled, paged, split and never mixed; nothing is silently cut."""

import gc
import json
import weakref
from datetime import date
from itertools import pairwise

import pytest

import adnet
from adnet.connectors.targetcircle import first_pages, reader
from adnet.connectors.targetcircle.batches import TransactionBatch
from adnet.errors import (
    DecodeError,
    InvalidRequestError,
    JobExpiredError,
    JobFailedError,
    JobTimeoutError,
    SchemaError,
    TooLargeError,
    TruncatedReportError,
)
from adnet.models import ReportQuery
from adnet.operations.windows import stream_rows
from adnet.periods import Period
from adnet.testing import FakeClock, MemorySink, answer

from .kit import MANY, SINCE, UNTIL, Reports, connect, ids, read, sale

# ---------------------------------------------------------------------- waiting


class Slow(Reports):
    """Says IN_PROGRESS for *polls* polls, with the links that the document shows and that lead nowhere."""

    def __init__(self, rows, polls, word="IN_PROGRESS"):
        super().__init__(rows, spoil=self.wait)
        self.polls, self.word = polls, word

    def wait(self, report, page, body):
        self.polls -= 1
        if self.polls < 0:
            return body
        links = '</api/transactions/9?page=2>; rel="next", </api/transactions/9?page=10>; rel="last"'
        told = {"data": [], "token": "x", "status": self.word, "pagesNumber": 0}
        return answer(200, told, headers={"Location": links})


@pytest.mark.parametrize("word", ["IN_PROGRESS", "QUEUED", "", None, "in_progress"])
async def test_links_count_only_when_ready(word):
    """Until READY the links are placeholders, and a word nobody knows means to wait."""
    found, wire = await read(Slow(MANY, polls=3, word=word))
    assert len(found) == 95
    assert {"page=1"} == {request.url.partition("?")[2] for request in wire.sent[1:5]}
    assert not [request for request in wire.sent if "/9" in request.url]


async def test_questions_grow_rarer_and_never_come_within_a_fifth_of_a_second():
    """The delay is a share of the time waited so far; nothing polls faster than it may."""
    clock = FakeClock()
    await read(Slow(MANY, polls=30), clock=clock)
    waits = clock.slept[:30]
    assert min(waits) >= 0.18
    assert 60 >= max(waits) > 5
    assert sum(later >= 0.85 * earlier for earlier, later in pairwise(waits)) == 29


async def test_a_report_that_never_gets_ready_times_out():
    """After fifteen minutes JobTimeoutError rises; the job can be resumed."""
    with pytest.raises(JobTimeoutError) as caught:
        await read(Slow(MANY, polls=10_000))
    assert caught.value.temporary
    assert caught.value.report_id == "1"


async def test_a_report_that_is_read_too_soon_is_told():
    """It was never ready, so that it cannot have changed; nor is it asked for anew."""
    account, _ = connect(Slow(MANY, 1))
    async with account:
        job = await account.submit_report(ReportQuery(kind="transactions", period=Period.of(SINCE, UNTIL)))
        with pytest.raises(JobTimeoutError, match="is not ready yet: poll it until it is"):
            [row async for row in account.read_report(job)]
        assert len([row async for row in account.read_report(job)]) == len(MANY)


async def test_what_a_report_took_is_learnt():
    """Of the second report of a kind the first question comes about when it is ready."""
    clock = FakeClock()
    ready_at = {}

    def wait(report, page, body):
        ready_at.setdefault(report, clock.monotonic() + 9.0)
        late = {"data": [], "status": "IN_PROGRESS", "pagesNumber": 0}
        return body if clock.monotonic() >= ready_at[report] else late

    account, wire = connect(Reports(MANY[:5], spoil=wait), clock=clock)
    async with account:
        polls = []
        for day in (1, 2, 3):
            sent = len(wire.sent)
            period = {"since": date(2016, 1, day), "until": date(2016, 1, day + 5)}
            assert [tx async for tx in account.list_transactions(**period)]
            polls.append(len(wire.sent) - sent)
    assert polls[1] < polls[0] / 2
    assert polls[2] < polls[0] / 2


# ---------------------------------------------------------------------- failing


class Failing(Reports):
    """Says FAILED for the first *times* reports."""

    def __init__(self, rows, times):
        super().__init__(rows, spoil=self.fail)
        self.times = times

    def fail(self, report, page, body):
        return {**body, "data": [], "status": "FAILED", "pagesNumber": 0} if report <= self.times else body


async def test_a_failed_report_is_asked_for_twice_more():
    """FAILED twice costs two further POSTs, and the rows are whole."""
    server = Failing(MANY, times=2)
    found, _ = await read(server)
    assert len(found) == 95
    assert list(server.posts.values()) == [3]


async def test_what_fails_three_times_is_told():
    """There is no fourth POST."""
    server = Failing(MANY, times=99)
    with pytest.raises(JobFailedError, match="asked 3 times"):
        await read(server)
    assert list(server.posts.values()) == [3]


# ---------------------------------------------------------------------- pages


async def test_pages_come_in_order_however_they_arrive():
    """Pages that answer in reverse give the same rows, byte for byte, as one page after another."""
    clock = FakeClock()
    server = Reports(MANY)

    async def late(request):
        page = int(request.query.get("page", 0))
        await clock.sleep(max(0, 10 - page))
        return server(request)

    found, _ = await read(late, clock=clock)
    one_by_one, _ = await read(Reports(MANY, page_size=1000))
    assert one_by_one == found
    assert [tx.raw.json() for tx in one_by_one] == [tx.raw.json() for tx in found]


async def test_pages_are_fetched_in_parallel_under_the_limiter():
    """Once their number is known pages are under way together, up to the limit that is set."""
    clock, server = FakeClock(), Reports(MANY, page_size=2)
    under_way = [0, 0]

    async def slow(request):
        under_way[0] += 1
        under_way[1] = max(under_way)
        await clock.sleep(1)
        under_way[0] -= 1
        return server(request)

    found, _ = await read(slow, clock=clock, limits={"pages": 7})
    assert len(found) == 95
    assert under_way[1] == 7


@pytest.mark.parametrize(
    "repeated", [[sale()] * 30, [sale(f"2016-01-05T10:00:0{n % 2}Z") for n in range(2)] * 1]
)
async def test_equal_rows_are_no_repeated_page(repeated):
    """Pages full of one row may be equal: that proves nothing, and no row is lost."""
    found, _ = await read(Reports(repeated, page_size=10))
    assert len(repeated) == len(found)


def evicting(report, page, body):
    """Forget the first report at its fourth page."""
    return answer(404, body=b"Report not found") if (report, page) == (1, 4) else body


def gone(report, page, body):
    """The same with the other status."""
    return answer(410, body=b"gone") if (report, page) == (1, 4) else body


def shrinking(report, page, body):
    """Count one page less at the first report's fourth page."""
    return {**body, "pagesNumber": 9} if (report, page) == (1, 4) else body


def repeating(report, page, body):
    """Show the third page again as the first report's fourth."""
    return {**body, "data": MANY[20:30]} if (report, page) == (1, 4) else body


def unready(report, page, body):
    """Fall back to IN_PROGRESS at the first report's fourth page."""
    return {**body, "status": "IN_PROGRESS", "data": []} if (report, page) == (1, 4) else body


@pytest.mark.parametrize("spoil", [evicting, gone, shrinking, repeating, unready])
async def test_a_report_that_changes_is_asked_for_anew(spoil):
    """Rows of two reports are never mixed: the second report is read from its first page."""

    def marked(report, page, body):
        rows = [{**row, "commissionRep": report} for row in body["data"]]
        return spoil(report, page, {**body, "data": rows} if spoil is not repeating else body)

    server = Reports(MANY, spoil=marked)
    found, _ = await read(server)
    assert [row["trackingId"] for row in MANY] == ids(found)
    assert list(server.posts.values()) == [2]
    if spoil is not repeating:
        assert {2} == {tx.raw["commissionRep"] for tx in found}


async def test_a_report_that_always_changes_is_told():
    """After five losses JobExpiredError rises, which is temporary; no row was given."""

    def always(report, page, body):
        return answer(404, body=b"Report not found") if page == 4 else body

    account, _ = connect(Reports(MANY, spoil=always))
    async with account:
        listed = account.list_transactions(since=SINCE, until=UNTIL)
        with pytest.raises(JobExpiredError, match="page 4 answered 404") as caught:
            await anext(listed)
    assert caught.value.temporary


async def test_a_comma_too_many_is_read():
    """JSON with a comma before a closing bracket, as in the document's samples, is read like any other."""

    def dirty(report, page, body):
        text = json.dumps(body).replace("}],", "},],").replace('"pagesNumber": 10}', '"pagesNumber": 10,}')
        return answer(200, body=text.encode())

    found, _ = await read(Reports(MANY, spoil=dirty))
    assert len(found) == 95


@pytest.mark.parametrize("pages", [0, 1, None])
async def test_null_is_no_row(pages):
    """A report without rows may say null in place of an empty list."""
    found, _ = await read(
        Reports([], spoil=lambda report, page, body: {**body, "data": None, "pagesNumber": pages})
    )
    assert found == []


@pytest.mark.parametrize(
    ("body", "error"),
    [(b"<html>Back soon</html>", DecodeError), (b"", DecodeError), (b'{"data":[', DecodeError),
     (b"[]", SchemaError), (b'{"data":{},"status":"READY","pagesNumber":1}', SchemaError),
     (b'{"data":[{}],"status":"READY","pagesNumber":1}', SchemaError),
     (b'{"data":[],"status":7}', SchemaError), (b'{"data":[],"status":"READY","pagesNumber":"x"}', SchemaError)],
)  # fmt: skip
async def test_a_page_that_cannot_be_read_is_told(body, error):
    """No rows are made up, and the error names the operation."""
    with pytest.raises(error) as caught:
        await read(Reports(MANY, spoil=lambda report, page, _: answer(200, body=body)))
    assert caught.value.operation == "transactions.page"


# ---------------------------------------------------------------------- pages that were not counted


class Linked(Reports):
    """Counts *counted* pages (None: does not say), and leads from each page to the next."""

    def __init__(self, rows, counted, endless=None):
        super().__init__(rows, spoil=self.lead)
        self.counted, self.endless = counted, endless

    def lead(self, report, page, body):
        told = {**body, "pagesNumber": self.counted}
        if not body["data"]:
            return self.endless or answer(404, body=b"Report not found")
        more = self.endless is not None or page < body["pagesNumber"]
        links = {"Location": f'</api/transactions/{report}?page={page + 1}>; rel="next"'} if more else {}
        return answer(200, told, headers=links)


@pytest.mark.parametrize("counted", [None, 0, 5, 9])
async def test_a_link_to_a_page_that_was_not_counted_is_followed(counted):
    """Nothing is cut where ``pagesNumber`` is missing or too small: the last page has no link to a next one."""
    found, _ = await read(Linked(MANY, counted))
    assert [row["trackingId"] for row in MANY] == ids(found)


@pytest.mark.parametrize("counted", [None, 0, 5, 9, 10])
async def test_the_link_to_the_last_page_counts_where_it_tells_of_more(counted):
    """Of ``pagesNumber`` and the link the larger one holds; the last page itself need not have a link."""

    def linked(report, page, body):
        links = {"Location": f'</api/transactions/{report}?page=10>; rel="last"'} if page < 10 else {}
        return answer(200, {**body, "pagesNumber": counted}, headers=links)

    server = Reports(MANY, spoil=linked)
    found, _ = await read(server)
    assert [row["trackingId"] for row in MANY] == ids(found)
    assert list(server.posts.values()) == [1]


async def test_links_are_found_in_the_header_of_that_name():
    """A Location that is a plain URL hides no page: the links may stand in the header Link."""

    def proper(report, page, body):
        place = f"/api/transactions/{report}?page="
        headers = {"Location": f"{place}{page}", "Link": f'<{place}10>; rel="last"'}
        return answer(200, {**body, "pagesNumber": None}, headers=headers)

    found, _ = await read(Reports(MANY, spoil=proper))
    assert [row["trackingId"] for row in MANY] == ids(found)


@pytest.mark.parametrize("end", [answer(404), answer(400), answer(200, {"data": [], "status": "READY"})])
async def test_a_link_that_leads_nowhere_ends_the_report(end):
    """Should the last page have such a link as well, what is behind it is no page."""
    found, _ = await read(Linked(MANY, 10, endless=end))
    assert len(found) == 95


@pytest.mark.parametrize(
    "end",
    [answer(400), answer(404), answer(200, {"data": [], "status": "READY"}),
     answer(200, {"data": [], "status": "READY", "pagesNumber": 0})],
)  # fmt: skip
async def test_a_link_to_a_last_page_that_there_is_not_ends_the_report(end):
    """All pages that were counted are there: a link that promises more of them takes nothing away."""

    def promising(report, page, body):
        links = {"Location": f'</api/transactions/{report}?page=12>; rel="last"'}
        return answer(200, body, headers=links) if page <= 10 else end

    server = Reports(MANY, spoil=promising)
    found, _ = await read(server)
    assert [row["trackingId"] for row in MANY] == ids(found)
    assert list(server.posts.values()) == [1]


@pytest.mark.parametrize(("count", "last"), [(2200, 101), (2200, 150), (950, 100)])
async def test_a_link_to_a_last_page_that_there_is_not_hides_no_limit(count, last):
    """A report is as long as it is counted: at its limit it is split, and below it it is whole."""

    def promising(report, page, body):
        links = {"Location": f'</api/transactions/{report}?page={last}>; rel="last"'}
        return answer(200, body, headers=links) if body["data"] or page == 1 else answer(400)

    rows = [sale(f"2016-01-05T10:{n // 60:02}:{n % 60:02}Z", trackingId=f"t-{n}") for n in range(count)]
    found, _ = await read(Reports(rows, spoil=promising))
    assert [row["trackingId"] for row in rows] == ids(found)


@pytest.mark.parametrize("pages", [0, None])
@pytest.mark.parametrize("end", [answer(400), answer(404), answer(200, {"data": [], "status": "READY"})])
async def test_a_report_without_rows_has_none_whatever_its_links_promise(pages, end):
    """The sample counts no pages and links to ten; should links stay so when it is READY, it has no rows."""

    def placeholders(report, page, body):
        place = f"/api/transactions/{report}?page="
        links = {"Location": f'<{place}2>; rel="next", <{place}1>; rel="first", <{place}10>; rel="last"'}
        return answer(200, {**body, "pagesNumber": pages}, headers=links) if page == 1 else end

    server = Reports([], spoil=placeholders)
    assert (await read(server))[0] == []
    assert list(server.posts.values()) == [1]


@pytest.mark.parametrize(
    "later", [{"status": "IN_PROGRESS"}, {"status": "FAILED"}, {"data": MANY[:10], "pagesNumber": 10}]
)
async def test_a_report_without_rows_that_has_changed_is_not_read_as_empty(later, monkeypatch):
    """Its first page is asked for once more, as by another process, and is another: what it was tells nothing."""
    monkeypatch.setattr(first_pages, "MOST_BYTES", 0)
    empty = {"data": [], "status": "READY", "pagesNumber": 0}
    server = Reports(MANY, spoil=lambda report, page, body: empty)
    account, _ = connect(server)
    job = await account.submit_report(ReportQuery(kind="transactions", period=Period.of(SINCE, UNTIL)))
    job = await account.poll_report(job)
    server.spoil = lambda report, page, body: {**empty, **later}
    with pytest.raises(JobExpiredError, match="had no rows"):
        [row async for row in account.read_report(job)]


async def test_rows_that_are_none_are_told_though_no_page_is_counted():
    """What is no list of rows is not passed over as none."""
    body = b'{"status":"READY","data":"none"}'
    with pytest.raises(SchemaError):
        await read(Reports(MANY, spoil=lambda *_: answer(200, body=body)))


async def test_a_page_that_was_counted_and_is_refused_is_no_end():
    """Only what is beyond the count may be missing."""
    with pytest.raises(InvalidRequestError):
        await read(Reports(MANY, spoil=lambda _, page, body: answer(400) if page == 10 else body))


async def test_a_page_beyond_the_count_that_is_not_ready_is_no_end():
    """Where only links tell of a page, a report that is made up anew there is asked for anew, and none is cut."""

    def remade(report, page, body):
        return (
            {"data": [], "status": "IN_PROGRESS"}
            if (report, page) == (1, 7)
            else server.lead(report, page, body)
        )

    server = Linked(MANY, 5)
    server.spoil = remade
    found, _ = await read(server)
    assert [row["trackingId"] for row in MANY] == ids(found)
    assert list(server.posts.values()) == [2]


async def test_an_empty_page_before_the_last_is_no_end():
    """A page that lost its rows costs a second report; the rows are whole."""

    def emptied(report, page, body):
        return {**body, "data": []} if (report, page) == (1, 4) else body

    server = Reports(MANY, spoil=emptied)
    found, _ = await read(server)
    assert len(found) == 95
    assert list(server.posts.values()) == [2]


@pytest.mark.parametrize(("count", "kind"), [(10**12, TooLargeError), (10**4, JobExpiredError)])
async def test_pages_that_are_counted_without_end_are_told(count, kind):
    """A count that no report can have ends in an error, not in requests for ever."""
    with pytest.raises(kind, match=r"has no rows|more pages than the ceiling"):
        await read(Reports(MANY, spoil=lambda report, page, body: {**body, "pagesNumber": count}))


async def test_a_limit_that_pages_of_odd_sizes_hide_is_told():
    """A short first page makes the count that is worked out beforehand wrong; the rows themselves are counted."""
    rows = [sale(f"2016-01-{n % 28 + 1:02}T{n % 24:02}:00:00Z", trackingId=f"t-{n}") for n in range(1500)]

    def short(report, page, body):
        whole = server.made[report - 1]
        data = whole[:9] if page == 1 else whole[page * 10 - 11 : page * 10 - 1]
        return answer(200, {**body, "data": data, "pagesNumber": 1 - (-(len(whole) - 9) // 10)})

    server = Reports(rows, spoil=short)
    with pytest.raises(TruncatedReportError, match=r"1000 rows.*ask for a shorter period"):
        await read(server)


@pytest.mark.parametrize("way", ["iterated", "pulled"])
async def test_one_page_is_alive_at_a_time(way, monkeypatch):
    """The next page is decoded where the last one was, in a core's cache: whoever passes a batch on lets it go."""
    alive, most = weakref.WeakSet(), []

    class Watched(TransactionBatch):
        def __init__(self, *given):
            super().__init__(*given)
            alive.add(self)
            most.append(len(alive))

    monkeypatch.setattr(reader, "TransactionBatch", Watched)
    monkeypatch.setattr(reader, "_CHUNK_ROWS", 1)
    monkeypatch.setitem(stream_rows.__kwdefaults__, "hold_rows", 0)
    account, _ = connect(Reports(MANY[:40]))
    async with account:
        if way == "pulled":
            await adnet.pull(account, since=SINCE, until=UNTIL, to=MemorySink(), tables=["transactions"])
        else:
            async for _ in account.list_transactions(since=SINCE, until=UNTIL):
                pass
    assert most == [1, 1, 1, 1, 1]  # the last is of the second that the last page ends with


async def test_a_report_that_is_too_long_leaves_no_page_behind():
    """Its halves are asked for, and nobody will ever read it: a process that runs for months would keep the pages."""
    rows = [
        sale(f"2016-01-05T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z", trackingId=f"t-{n}")
        for n in range(1500)
    ]
    account, _ = connect(Reports(rows, page_size=100))
    async with account:
        assert len([tx async for tx in account.list_transactions(since=SINCE, until=UNTIL)]) == 1500
        assert not account.connector._reader._first


async def test_first_pages_of_many_reports_share_a_bound(monkeypatch):
    """A report that is ready before there is room for its first page is asked for it again, and loses no row."""
    held = first_pages._ALL
    before = held.bytes
    worlds = [connect(Reports(MANY)) for _ in range(3)]
    period = Period.of(SINCE, UNTIL)
    jobs = []
    for account, _ in worlds:
        job = await account.submit_report(ReportQuery(kind="transactions", period=period))
        jobs.append(await account.poll_report(job))
        monkeypatch.setattr(first_pages, "MOST_BYTES", held.bytes + 100)  # room for the first one alone
    first = held.bytes - before
    assert first > 100
    for (account, wire), job, asked in zip(worlds, jobs, (1, 2, 2), strict=True):
        assert ids([row async for row in account.read_report(job)]) == ids((await read(Reports(MANY)))[0])
        assert [request.url.partition("?")[2] for request in wire.sent].count("page=1") == asked
        assert held.bytes == before
        await account.close()


async def test_a_first_page_that_is_never_read_makes_room_at_its_accounts_end():
    """However the account ended."""
    before = first_pages._ALL.bytes
    account, _ = connect(Reports(MANY))
    job = await account.submit_report(ReportQuery(kind="transactions", period=Period.of(SINCE, UNTIL)))
    for _ in range(2):  # the second time in place of the first
        job = await account.poll_report(job)
    assert first_pages._ALL.bytes > before
    await account.close()
    del account
    gc.collect()
    assert first_pages._ALL.bytes == before
