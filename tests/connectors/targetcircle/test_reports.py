"""Reports of Target Circle: polled, paged, split and never mixed; nothing is silently cut."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

import adnet
from adnet.errors import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    JobExpiredError,
    JobFailedError,
    JobTimeoutError,
    OriginError,
    SchemaError,
    TruncatedReportError,
    UnsupportedError,
)
from adnet.models import ReportQuery
from adnet.sandbox.targetcircle import TargetCircleSandbox
from adnet.testing import FakeClock, FastClock, answer

from .kit import SINCE, TOKEN, UNTIL, Reports, click, connect, sale, transactions

MANY = [sale(f"2016-01-05T10:{n // 60:02}:{n % 60:02}Z", trackingId=f"t-{n}") for n in range(95)]


async def read(script, **options):
    """Return the transactions of an account that talks to *script*, and the wire."""
    account, wire = connect(script, **options)
    async with account:
        return [tx async for tx in account.list_transactions(since=SINCE, until=UNTIL)], wire


def ids(found):
    """Return the network's words for transactions, in order."""
    return [tx.tracking_id for tx in found]


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


# ---------------------------------------------------------------------- what is cut


@pytest.mark.parametrize("count", [999, 1000, 1001, 2500])
async def test_a_report_at_its_limit_is_split(count):
    """``limit`` caps the whole report: where the rows equal it, the period is split and all rows are there."""
    rows = [sale(f"2016-01-{n % 28 + 1:02}T{n % 24:02}:00:00Z", trackingId=f"t-{n}") for n in range(count)]
    found = await transactions(rows, page_size=500)
    assert {f"t-{n}" for n in range(count)} == set(ids(found))
    assert count == len(found)


async def test_a_second_that_does_not_fit_is_told():
    """Down to one second periods are split; what still meets the limit raises, naming that second."""
    rows = [sale("2016-01-05T10:00:07Z", trackingId=f"t-{n}") for n in range(1000)]
    with pytest.raises(TruncatedReportError, match="rows may be missing") as caught:
        await transactions(rows, page_size=500)
    second = datetime(2016, 1, 5, 10, 0, 7, tzinfo=UTC)
    assert (second, second + timedelta(seconds=1)) == (caught.value.since, caught.value.until)


async def test_trades_that_meet_the_limit_are_told():
    """Trades have no period to split: a thousand of them may be cut."""
    account, _ = connect(Reports([{"id": n} for n in range(1000)], page_size=500))
    async with account:
        with pytest.raises(TruncatedReportError, match="no period to split"):
            [trade async for trade in account.list_trades()]


async def test_a_limit_that_bounds_pages_is_understood_as_well():
    """Should ``limit`` be the size of a page, reports of several pages are whole, and not split without end."""
    sandbox = TargetCircleSandbox(limit_semantics="page", per_day=1200, ready_after_s=0)
    async with sandbox as server, connected(server) as account:
        found = await collect(account.list_transactions(since=DAYS[0], until=DAYS[1]))
        assert len(server.truth("transactions", *DAYS)) == len(found) > 2000


DAYS = (date(2026, 1, 14), date(2026, 1, 16))


def connected(server):
    """Return an account on a running sandbox; its clock is a fast one."""
    options = {
        **server.account_options,
        **server.credentials,
        "clock": FastClock(),
        "limits": {"api": "1000/s"},
    }
    return adnet.connect("targetcircle", base_url=server.base_url, **options)


async def collect(rows):
    """Return all rows of a list."""
    return [row async for row in rows]


# ---------------------------------------------------------------------- secrets and origins


@pytest.mark.parametrize(
    "location",
    ["https://elsewhere.example/api/transactions/1?page=1", "http://tc.example/api/transactions/1",
     "https://tc.example:8443/api/transactions/1", "//elsewhere.example/api/transactions/1",
     "https://tc.example@elsewhere.example/api/transactions/1", "https://user:pw@tc.example/api/transactions/1",
     "https://tc.example.evil.example/api/transactions/1", "ftp://tc.example/api/transactions/1"],
)  # fmt: skip
async def test_a_location_elsewhere_gets_no_token(location):
    """A report that is said to be on another origin is not asked for: nothing goes there."""
    with pytest.raises(OriginError):
        await read([answer(202, headers={"Location": location})])


@pytest.mark.parametrize(
    "echo", [f"No valid account with token = {TOKEN}", f'{{"detail":"{TOKEN}"}}', TOKEN, ""]
)
async def test_a_401_that_echoes_the_token_leaks_nothing(echo, caplog):
    """The refusal's text repeats the secret; neither the error nor a log does."""
    with caplog.at_level("DEBUG"), pytest.raises(AuthenticationError) as caught:
        await read([answer(401, body=echo.encode())])
    error = caught.value
    assert TOKEN not in f"{error} {error!r} {vars(error)} {getattr(error, '__notes__', '')} {caplog.text}"
    assert not error.temporary


async def test_a_401_in_mid_page_ends_it():
    """A token that is withdrawn while pages are read ends in AuthenticationError, and no row is given."""

    def withdrawn(report, page, body):
        return answer(401, body=f"No valid account with token = {TOKEN}".encode()) if page == 3 else body

    with pytest.raises(AuthenticationError):
        await read(Reports(MANY, spoil=withdrawn))


async def test_the_tokens_of_bodies_reach_no_row():
    """The ``token`` of a report's body is a secret, and is read by nobody."""
    found, _ = await read(
        Reports(MANY[:1], spoil=lambda report, page, body: {**body, "token": "sf3jtsgCUZ123"})
    )
    assert "sf3jtsgCUZ123" not in f"{found} {found[0].raw.json()}"


# ---------------------------------------------------------------------- asking


@pytest.mark.parametrize(
    ("filters", "kept"),
    [({"status": "paid"}, {"b"}), ({"status": "approved, paid out"}, {"b"}),
     ({"status": ["pending", "paid"]}, {"a", "b"}), ({"country": "Korea, Republic of"}, {"b"}),
     ({"country": "KR"}, {"b"}), ({"country": ["DE", "KR"]}, {"a", "b", "c"}),
     ({"reference": "two"}, {"b"}), ({"reference": ["one", "two"]}, {"a", "b"}),
     ({"status": "pending", "country": "DE"}, {"a"}), ({"status": "declined"}, set())],
)  # fmt: skip
async def test_what_the_network_would_misread_is_compared_here(filters, kept):
    """Statuses and countries hold commas, which its filters read as "or": they are never sent."""
    rows = [
        sale(trackingId="a", conversionStatus="pending", reference=["one"]),
        sale(
            trackingId="b",
            conversionStatus="approved, paid out",
            country="Korea, Republic of",
            reference=["two"],
        ),
        sale(trackingId="c", conversionStatus="approved, paid in", reference=[]),
    ]
    account, wire = connect(Reports(rows))
    async with account:
        found = [tx async for tx in account.list_transactions(since=SINCE, until=UNTIL, **filters)]
    assert kept == set(ids(found))
    assert {"from", "to", "currency", "limit"} == json.loads(wire.sent[0].body).keys()


async def test_filters_with_several_values_are_one_text():
    """Several offers and sources go as one text with commas, which means any of them."""
    account, wire = connect(Reports([]))
    async with account:
        filters = {"offer": ["3sdfa", "691a1d"], "source": "Media"}
        assert [tx async for tx in account.list_transactions(since=SINCE, until=UNTIL, **filters)] == []
    sent = json.loads(wire.sent[0].body)
    assert (sent["offer"], sent["adInventory"]) == ("3sdfa,691a1d", "Media")


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda account: account.list_transactions(since=SINCE, until=UNTIL, colour="red"),
            UnsupportedError,
            "colour",
        ),
        (
            lambda account: account.list_clicks(since=SINCE, until=UNTIL, status="paid"),
            UnsupportedError,
            "status",
        ),
        (lambda account: account.list_trades(limit=5), UnsupportedError, "limit"),
        (lambda account: account.list_offers(colour="red"), UnsupportedError, "colour"),
        (lambda account: account.list_transactions(since=UNTIL, until=SINCE), ConfigurationError, "before"),
        (
            lambda account: account.run_report(ReportQuery(kind="clicks")),
            ConfigurationError,
            "since and until",
        ),
        (lambda account: account.run_report(ReportQuery(kind="stats")), UnsupportedError, "stats"),
    ],
)
async def test_what_cannot_be_asked_is_refused_before_any_request(call, error, text):
    """An unknown filter, a period that ends before it begins, a report that there is not."""
    account, wire = connect([])
    async with account:
        with pytest.raises(error, match=text) as caught:
            async for _ in call(account):
                pass
    assert wire.sent == []
    assert error is ConfigurationError or caught.value.network == "targetcircle"


async def test_transactions_need_a_currency():
    """Without one the error says where to put it; nothing is sent."""
    account, wire = connect([], currency=None)
    async with account:
        with pytest.raises(ConfigurationError, match='currency = "EUR"'):
            [tx async for tx in account.list_transactions(since=SINCE, until=UNTIL)]
    assert wire.sent == []


async def test_two_currencies_are_two_reports():
    """Who asks for the same period in another currency gets another report."""
    account, wire = connect(Reports(MANY[:3]))
    async with account:
        for currency in ("EUR", "USD", "EUR"):
            [tx async for tx in account.list_transactions(since=SINCE, until=UNTIL, currency=currency)]
    posts = [json.loads(request.body)["currency"] for request in wire.sent if request.route.method == "POST"]
    assert {"EUR", "USD"} == set(posts)


async def test_clicks_and_transactions_of_one_period_do_not_meet():
    """Reports of several kinds run side by side and give each their own rows."""
    sales, seen = (
        Reports(MANY),
        Reports([click(f"2016-01-05T10:00:{n:02}Z") for n in range(25)], key="clickDate"),
    )

    def both(request):
        return (seen if "/clicks" in request.url else sales)(request)

    account, _ = connect(both)
    async with account:
        lists = (account.list_transactions, account.list_clicks)
        found = await asyncio.gather(*(collect(listed(since=SINCE, until=UNTIL)) for listed in lists))
    assert [len(rows) for rows in found] == [95, 25]


@pytest.mark.parametrize("fault", ["failed", "evicted", "shrink", "repeat", "dirty-json", "foreign-location"])
async def test_the_sandbox_s_own_faults(fault):
    """Over HTTP each of the network's own faults ends in the right rows or in the right error."""
    async with TargetCircleSandbox(ready_after_s=0, per_day=20) as server, connected(server) as account:
        server.faults.once(fault)
        listed = account.list_transactions(since=DAYS[0], until=DAYS[1])
        if fault == "foreign-location":
            with pytest.raises(OriginError):
                await collect(listed)
        else:
            assert len(server.truth("transactions", *DAYS)) == len(await collect(listed))
        assert server.faults.struck[fault] == 1
