"""What is asked for comes whole and from nowhere else: splitting, origins, secrets, filters."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta

import pytest

import adnet
from adnet.errors import (
    AuthenticationError,
    ConfigurationError,
    OriginError,
    TruncatedReportError,
    UnsupportedError,
)
from adnet.models import ReportQuery
from adnet.periods import Period
from adnet.sandbox.targetcircle import TargetCircleSandbox
from adnet.testing import FastClock, MemorySink, answer

from .kit import MANY, SINCE, TOKEN, UNTIL, Reports, click, connect, ids, read, sale, transactions

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
    with pytest.raises(TruncatedReportError, match="rows may be missing; narrow it") as caught:
        await transactions(rows, page_size=500)
    second = datetime(2016, 1, 5, 10, 0, 7, tzinfo=UTC)
    assert (second, second + timedelta(seconds=1)) == (caught.value.since, caught.value.until)


async def test_a_pull_that_misses_a_window_is_partial():
    """What fits lands, and the table is never told to have landed; pulling again tells the same."""
    full = [sale("2016-01-05T10:00:07Z", trackingId=f"t-{n}") for n in range(1000)]
    others = [sale(f"2016-01-{day:02}T00:00:00Z", trackingId=f"d-{day}") for day in (1, 5, 6, 31)]
    account, _ = connect(Reports(full + others, page_size=500))
    sink = MemorySink()
    async with account:
        for _ in range(2):
            result = await adnet.pull(account, since=SINCE, until=UNTIL, to=sink, tables=["transactions"])
            assert (result.ok, result.landed) == (False, True)
            assert [type(error) for error in result.errors] == [TruncatedReportError]
    assert {row["trackingId"] for row in others} == {row["tracking_id"] for row in sink.rows("transactions")}
    assert [row["outcome"] for row in sink.rows("pulls")] == ["partial", "partial"]


class Exclusive(Reports):
    """Leaves out the instant at which a period ends, as the network's later API does."""

    def _wanted(self, row, asked):
        return asked["from"] <= row[self.key] < asked["to"]


class Finer(Reports):
    """Keeps parts of seconds that it does not print: each row is half a second later than it says."""

    def _wanted(self, row, asked):
        since, saved, to = asked["from"], row[self.key], asked["to"]
        return since.replace("Z", ".0") <= saved.replace("Z", ".5") <= to.replace("Z", ".0")


@pytest.mark.parametrize("server", [Reports, Exclusive, Finer])
async def test_rows_of_the_last_second_come_whatever_the_end_means(server):
    """Whether ``to`` is included is not documented: neither reading loses a row, nor lets one in."""
    stamps = ["2016-01-01T00:00:00Z", "2016-01-31T23:59:58Z", "2016-01-31T23:59:59Z", "2016-02-01T00:00:00Z"]
    rows = [sale(stamp, trackingId=stamp) for stamp in stamps]
    found, _ = await read(server(rows))
    assert stamps[:3] == ids(found)


@pytest.mark.parametrize("filters", [{"status": "declined"}, {"country": "Norway"}, {"reference": "none"}])
async def test_rows_left_out_here_widen_no_window(filters):
    """The network's limit counts them: windows are cut by what a report has, not by what is kept of it."""
    start = datetime(2016, 1, 1, tzinfo=UTC)
    moments = [start + timedelta(minutes=5 * n) for n in range(8000)]
    rows = [sale(f"{at:%Y-%m-%dT%H:%M:%SZ}", trackingId=f"t-{n}") for n, at in enumerate(moments)]
    cuts = []
    for wanted in ({}, filters):
        server = Reports(rows)
        account, _ = connect(server)
        async with account:
            [tx async for tx in account.list_transactions(since=start, until=moments[-1], **wanted)]
        cuts.append(sum(len(made) == 1000 for made in server.made))
    assert cuts[0] == cuts[1]


async def test_full_seconds_side_by_side_fit():
    """A window of one second asks for no other: two seconds of 600 rows each are had, one after another."""
    rows = [sale(f"2016-01-05T10:00:0{n % 2}Z", trackingId=f"t-{n}") for n in range(1200)]
    found = await transactions(rows, page_size=500)
    assert {row["trackingId"] for row in rows} == set(ids(found))
    assert len(found) == 1200


async def test_trades_that_meet_the_limit_are_told():
    """Trades have no period to split: a thousand of them may be cut."""
    account, _ = connect(Reports([{"id": n} for n in range(1000)], page_size=500))
    async with account:
        with pytest.raises(TruncatedReportError, match="no period to split"):
            [trade async for trade in account.list_trades()]


async def test_trades_have_no_period_to_split():
    """One that a report is asked for with is none of theirs: halving it asks for the same trades again and again."""
    account, wire = connect(Reports([{"id": n} for n in range(1000)], page_size=500))
    async with account:
        query = ReportQuery(kind="trades", period=Period.of(SINCE, UNTIL))
        with pytest.raises(TruncatedReportError, match="which has no period to split"):
            [trade async for trade in account.run_report(query)]
    assert [request.route.method for request in wire.sent].count("POST") == 1


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


async def test_a_location_with_a_slash_too_many_is_on_the_origin():
    """Servers join their own address and a path like that; without its origin it would name another host."""

    class Slashes(Reports):
        def _submit(self, path, asked):
            place = super()._submit(path, asked).headers["location"]
            return answer(202, headers={"Location": f"https://tc.example/{place}"})

    found, wire = await read(Slashes(MANY))
    assert len(found) == len(MANY)
    assert wire.sent[1].url == "https://tc.example//api/transactions/1?page=1"


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
    [({"status": "paid"}, {"b"}), ({"status": "Approved, paid out"}, {"b"}),
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
        (
            lambda account: account.list_transactions(since=SINCE, until=UNTIL, status="aproved"),
            ConfigurationError,
            "transactions have no status 'aproved'; did you mean 'approved'",
        ),
        (
            lambda account: account.list_trades(status=["active", "paid"]),
            ConfigurationError,
            "trades have no status 'paid'",
        ),
        (lambda account: account.list_offers(colour="red"), UnsupportedError, "colour"),
        (
            lambda account: account.list_offers(status="acepted"),
            ConfigurationError,
            "offers have no status 'acepted'; did you mean 'accepted'",
        ),
        (lambda account: account.list_transactions(since=UNTIL, until=SINCE), ConfigurationError, "before"),
        (
            lambda account: account.run_report(ReportQuery(kind="trades", currency="EUR")),
            UnsupportedError,
            "tells trades in no currency of choice; leave currency out",
        ),
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


async def test_a_currency_is_a_code():
    """Otherwise the network would be asked for a report that it cannot make, or for one report twice."""
    with pytest.raises(ConfigurationError, match=r"account 'partner': currency: not an ISO 4217 .* 'EURO'"):
        connect([], currency="EURO", name="partner")
    account, wire = connect(Reports(MANY[:3]), currency="usd")
    async with account:
        for currency in (None, "Usd"):
            [tx async for tx in account.list_transactions(since=SINCE, until=UNTIL, currency=currency)]
        with pytest.raises(ConfigurationError, match="'dollar'"):
            [tx async for tx in account.list_transactions(since=SINCE, until=UNTIL, currency="dollar")]
    posts = [json.loads(request.body)["currency"] for request in wire.sent if request.route.method == "POST"]
    assert set(posts) == {"USD"}


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


@pytest.mark.parametrize("kind", ["transactions", "clicks"])
async def test_a_cut_report_that_is_read_as_a_job_is_told(kind):
    """A job cannot be split, and rows may be missing: not one of them comes as if they were all."""
    rows = [sale(f"2016-01-{n % 28 + 1:02}T{n % 24:02}:00:00Z", trackingId=f"t-{n}") for n in range(2500)]
    if kind == "clicks":
        rows = [click(row["saved"], reference=[row["trackingId"]]) for row in rows]
    account, _ = connect(Reports(rows, page_size=500, key="saved" if kind == "transactions" else "clickDate"))
    asked = adnet.ReportQuery(kind=kind, period=adnet.Period.of(SINCE, UNTIL))
    async with account:
        async for job in account.follow_report(await account.submit_report(asked)):
            assert job.state != "failed"
        found = []
        with pytest.raises(TruncatedReportError, match="1000 rows, which is the network's limit"):
            found += [row async for row in account.read_report(job)]
        assert found == []
        assert len([row async for row in account.run_report(asked)]) == 2500


@pytest.mark.parametrize("name", ["offer", "source", "status", "country", "reference"])
@pytest.mark.parametrize("none", [[], (), set(), ""])
async def test_a_filter_that_names_nothing_leaves_nothing(name, none):
    """As ``ids=[]`` does elsewhere: whoever found no offer of his must not be told the commissions of all."""
    assert await transactions(MANY, filters={name: none}) == []
    assert len(await transactions(MANY, filters={name: None})) == len(MANY)


@pytest.mark.parametrize(
    ("kind", "name"), [("transactions", "offer"), ("trades", "offer"), ("offers", "source")]
)
async def test_a_report_on_nothing_has_no_rows(kind, name):
    """Whichever way it is asked for."""
    account, _ = connect(Reports(MANY))
    period = None if kind in {"trades", "offers"} else adnet.Period.of(SINCE, UNTIL)
    query = ReportQuery(kind=kind, period=period, filters={name: []})
    async with account:
        assert [row async for row in account.run_report(query)] == []
