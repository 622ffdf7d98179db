"""What a server may cost is bounded, for every network and by one value; the user sets the bounds, by name."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import adnet
from adnet.client import Account
from adnet.errors import AdnetError, ConfigurationError, JobTimeoutError, RateLimitError, TooLargeError
from adnet.sandbox import load
from adnet.testing import FakeClock, MemorySink, ScriptTransport, answer
from adnet.testing.faults import FaultProxy, FaultSettings
from adnet.transport.wire import Request, Response

from .sampled import KITS
from .world import SINCE, UNTIL, collect

SALE = {
    "conversionStatus": "approved", "slug": "s", "offerName": "O", "mediaName": "M", "productGroupName": "P",
    "transactionType": "sale", "trackingId": "t", "adLinkName": None, "reference": [], "transactionAmount": 1,
    "currency": "EUR", "commission": 1, "country": "Norway", "saved": "2026-02-10T10:00:00Z",
}  # fmt: skip


@contextlib.contextmanager
def scripted(network: str, script: Any, **options: Any) -> Iterator[tuple[Account, ScriptTransport]]:
    """Give an account of which all is known, and whose server is a script."""
    kit, wire = KITS[network], ScriptTransport(script)
    with kit.state() as state:
        given = {**kit.given, "state": state, **options}
        yield adnet.connect(network, transport=wire, clock=FakeClock(), **given), wire


def asked(request: Request, name: str) -> int:
    """Return a number of a request's query; 0 where it is not there."""
    return int(parse_qs(urlsplit(request.url).query).get(name, ["0"])[0])


# ---------------------------------------------------------------------- pages


def report(number: int, **envelope: Any) -> Response:
    """Return a page of a report, with one row that no other page has."""
    body = {"data": [{**SALE, "trackingId": f"t-{number}"}], "status": "READY", **envelope}
    following = f'</api/transactions/1?page={number + 1}>; rel="next"'
    return answer(200, body, headers={"Location": following})


def linked_on(request: Request) -> Response:
    """Answer as Target Circle would, with a link to yet another page on each."""
    if request.route.method == "POST":
        return answer(202, headers={"Location": "/api/transactions/1?page=1"})
    return report(asked(request, "page"), pagesNumber=1)


def counted_up(request: Request) -> Response:
    """Answer as Target Circle would, with more pages than there is time."""
    if request.route.method == "POST":
        return answer(202, headers={"Location": "/api/transactions/1?page=1"})
    return report(asked(request, "page"), pagesNumber=2**70)


def always_full(request: Request) -> Response:
    """Answer as Adskeeper would, with a full page of campaigns that were on none before."""
    first, size = asked(request, "start"), asked(request, "limit")
    return answer(200, {str(first * size + n + 1): {"name": "A"} for n in range(size)})


def endless(**numbers: Any) -> Callable[[Request], Response]:
    """Answer as myTarget would, with objects that were on no page before."""

    def answered(request: Request) -> Response:
        first = asked(request, "offset")
        return answer(
            200, {"items": [{"id": first + n + 1, "status": "active"} for n in range(5)], **numbers}
        )

    return answered


def sales(account: Account) -> Any:
    return account.list_transactions(since=SINCE, until=UNTIL, currency="EUR")


def campaigns(account: Account) -> Any:
    return account.list_campaigns()


def totals(account: Account) -> Any:
    return account.native.statistics.totals("campaigns", date_from=SINCE, date_to=SINCE)


def full_totals(request: Request) -> Response:
    """Answer a page of totals that is always full."""
    return answer(200, {"items": [{"id": n} for n in range(asked(request, "limit"))]})


WITHOUT_END = {
    "links": ("targetcircle", linked_on, sales),
    "a count": ("targetcircle", counted_up, sales),
    "full pages": ("adskeeper", always_full, campaigns),
    "an offset": ("mytarget", endless(), campaigns),
    "a total": ("mytarget", endless(count=10**30), campaigns),
    "totals": ("mytarget", full_totals, totals),
    "ad groups": ("vkads", endless(count=10**30), campaigns),
}


@pytest.mark.parametrize("name", WITHOUT_END)
async def test_pages_without_end_are_ended(name):
    """However a server makes them: by links, by counts, by pages that are always full."""
    network, script, listed = WITHOUT_END[name]
    with scripted(network, script, ceilings={"pages": 4}) as (account, wire):
        async with account:
            with pytest.raises(TooLargeError, match=r"more pages than the ceiling of 4; .* `pages`") as found:
                await collect(listed(account))
    assert len(wire.sent) <= 6
    assert found.value.network == network
    assert found.value.operation
    assert not found.value.temporary


async def test_a_list_that_ignores_its_offset_is_told():
    """The same page again and again is no list: its rows are not delivered twice, and others may be missing."""
    page = answer(200, {"items": [{"id": 1, "status": "active"}]})
    with scripted("mytarget", lambda _: page) as (account, wire):
        async with account:
            with pytest.raises(AdnetError, match="one page repeats another"):
                await collect(account.list_campaigns())
    assert len(wire.sent) == 2


@pytest.mark.parametrize(("most", "ok"), [(3, False), (300, True)])
async def test_a_pull_of_too_many_pages_never_claims_to_have_landed(most, ok):
    """The table is told as failed, and the ceiling can be raised."""
    sink = MemorySink()
    async with load("targetcircle")(per_day=20, ready_after_s=0, page_size=5) as server:
        given = {"base_url": server.base_url, "currency": "EUR", **server.credentials}
        account = adnet.connect(
            "targetcircle", ceilings={"pages": most}, clock=FakeClock(grace_s=0.02), **given
        )
        result = await adnet.pull(account, since=SINCE, until=UNTIL, tables=["transactions"], to=sink)
        await account.close()
    assert result.ok is ok
    assert [row["outcome"] for row in sink.rows("pulls")] == ["landed" if ok else "failed"]


# ---------------------------------------------------------------------- bytes and depth


NETWORKS = ["targetcircle", "adskeeper", "mgid", "mytarget", "vkads"]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("ceiling", ["body_bytes", "decompressed_bytes", "json_depth"])
async def test_a_ceiling_of_the_user_holds_for_every_network(network, ceiling):
    """It reaches the wire; the error says whose answer it was, which ceiling it met, and what to do."""
    settings = FaultSettings(streamed_bytes=4 * 2**20)
    async with load(network)() as server, FaultProxy(server.origin, settings=settings) as proxy:
        if ceiling == "decompressed_bytes":
            proxy.strike("gzip-bomb", times=None)
        account = adnet.connect(
            network, base_url=proxy.url(server.base_url), clock=FakeClock(grace_s=0.02), ceilings={ceiling: 1},
            **server.account_options, **server.credentials,
        )  # fmt: skip
        with pytest.raises(TooLargeError, match=rf"the ceiling of 1; ask for less, .* `{ceiling}`") as found:
            async with account:
                await account.get_account()
    assert found.value.network == network
    assert found.value.operation
    assert not found.value.temporary


@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize("network", KITS)
async def test_json_without_end_is_refused_in_refusals_too(network, status):
    """Nothing looks into it, for whatever reason: an error's code, a partial success, a secret in it."""
    body = b'{"errors":' * 200_000 + b"[]" + b"}" * 200_000
    with scripted(network, lambda _: answer(status, body=body)) as (account, _):
        async with account:
            with pytest.raises(TooLargeError, match="nested deeper than the ceiling of 100") as found:
                await account.get_account()
    assert found.value.network == network


# ---------------------------------------------------------------------- waits


@pytest.mark.parametrize(("most", "ok"), [(39, False), (40, True)])
@pytest.mark.parametrize("network", KITS)
async def test_a_server_is_not_waited_for_longer_than_the_ceiling(network, most, ok):
    """A Retry-After above it rises at once, with what was asked for; one below it is kept to."""
    refusals = [answer(429, headers={"Retry-After": "40"})]
    served = lambda _: refusals.pop() if refusals else answer(400)  # noqa: E731
    with scripted(network, served, ceilings={"retry_after_s": most}) as (account, wire):
        async with account:
            began = account.clock.monotonic()
            with pytest.raises(AdnetError) as found:
                await account.get_account()
            waited = account.clock.monotonic() - began
    if ok:
        assert not isinstance(found.value, RateLimitError)
        assert (len(wire.sent), waited) == (2, pytest.approx(40, abs=1))
    else:
        assert isinstance(found.value, RateLimitError)
        assert (found.value.retry_after_s, len(wire.sent), waited) == (40, 1, 0)


@pytest.mark.parametrize(("most", "ok"), [(10, False), (120, True)])
async def test_room_is_not_waited_for_longer_than_the_ceiling(most, ok):
    """A call that would wait longer is refused at once, and nothing is sent for it."""
    given = {"limits": {"api": "1/min"}, "ceilings": {"wait_s": most}}
    with scripted("targetcircle", lambda _: answer(200, {"data": []}), **given) as (account, wire):
        async with account:
            await collect(account.list_offers())
            with contextlib.nullcontext() if ok else pytest.raises(RateLimitError):
                await collect(account.list_offers())
    assert len(wire.sent) == 1 + ok


@pytest.mark.parametrize("most", [30, 400])
async def test_a_report_is_not_waited_for_longer_than_the_ceiling(most):
    """It stays in the journal, and can be gone on with."""

    def never(request: Request) -> Response:
        if request.route.method == "POST":
            return answer(202, headers={"Location": "/api/transactions/1?page=1"})
        return answer(200, {"status": "IN_PROGRESS"})

    with scripted("targetcircle", never, ceilings={"report_s": most}) as (account, _):
        async with account:
            with pytest.raises(JobTimeoutError, match="run again to go on"):
                await collect(sales(account))
            assert most * 0.9 <= account.clock.monotonic() <= most
            assert len(account.state.jobs.unfinished()) == 1


# ---------------------------------------------------------------------- configuring


async def test_ceilings_stand_in_the_configuration(tmp_path):
    """By account, beside its limits."""
    path = tmp_path / "adnet.toml"
    async with load("targetcircle")(per_day=5, ready_after_s=0, page_size=1) as server:
        path.write_text(
            f"""
            [accounts.partner]
            network = "targetcircle"
            base_url = "{server.base_url}"
            token = "{server.credentials["token"]}"
            currency = "EUR"
            ceilings = {{ pages = 2, report_s = 60 }}
            """
        )
        async with adnet.open(path, clock=FakeClock(grace_s=0.02)) as accounts:
            with pytest.raises(TooLargeError, match=r"partner .*ceiling of 2"):
                await collect(sales(accounts["partner"]))


@pytest.mark.parametrize(
    "given", ["{ page = 2 }", '{ pages = "2" }', "{ pages = 0 }", "{ pages = 1.5 }", "3"]
)
async def test_ceilings_that_are_none_are_refused(tmp_path, given):
    """Before anything is sent, with the account and the name."""
    path = tmp_path / "adnet.toml"
    path.write_text(
        f'[accounts.partner]\nnetwork = "targetcircle"\nbase_url = "https://x.example"\ntoken = "t"\nceilings = {given}'
    )
    with pytest.raises(ConfigurationError, match=r"partner.*ceiling"):
        async with adnet.open(path):
            raise AssertionError
