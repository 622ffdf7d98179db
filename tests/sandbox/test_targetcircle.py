import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import attrs
import pytest

from adnet.sandbox.targetcircle import TargetCircleSandbox

DAY = {"from": "2026-09-01T00:00:00Z", "to": "2026-09-01T23:59:59Z"}
MONTH = {"from": "2026-09-01T00:00:00Z", "to": "2026-09-30T23:59:59Z"}
EUR = {"currency": "EUR"}
START, NEXT = date(2026, 9, 1), date(2026, 9, 2)


@attrs.frozen
class Reply:
    status: int
    text: str
    location: str

    @property
    def json(self) -> Any:
        return json.loads(self.text, parse_float=Decimal)


@attrs.frozen
class Caller:
    """A client that knows nothing but HTTP."""

    sandbox: TargetCircleSandbox
    session: aiohttp.ClientSession

    async def get(self, path: str, **query: Any) -> Reply:
        return await self.send("GET", path, params=query)

    async def post(self, path: str, payload: Any) -> Reply:
        return await self.send("POST", path, json=payload)

    async def send(self, method: str, path: str, **options: Any) -> Reply:
        async with self.session.request(method, path, **options) as reply:
            return Reply(reply.status, await reply.text(), reply.headers.get("Location", ""))

    async def submit(self, resource: str, **filters: Any) -> str:
        """Ask for a report and return its URL without the page."""
        reply = await self.post(f"/api/{resource}", filters)
        assert reply.status == 202, reply.text
        return reply.location.removesuffix("?page=1")

    async def pages(self, resource: str, **filters: Any) -> list[list[dict[str, Any]]]:
        path = await self.submit(resource, **filters)
        first = (await self.get(path, page=1)).json
        more = range(2, first["pagesNumber"] + 1)
        return [first["data"], *[(await self.get(path, page=p)).json["data"] for p in more]]

    async def rows(self, resource: str, **filters: Any) -> list[dict[str, Any]]:
        return [row for page in await self.pages(resource, **filters) for row in page]

    async def codes(self, kind: str, position: int) -> Reply:
        """Order the code of one ad of the first offer that may be promoted."""
        trade = (await self.rows("trades"))[0]
        offer = (await self.get(trade["offer"]["href"])).json
        inventories = {i["name"]: i["slug"] for i in offer["general"]["adInventory"]}
        ads = (await self.get(f"{trade['offer']['href']}/ads")).json
        order = {
            "offer": offer["slug"],
            "adInventory": inventories[trade["adInventory"]],
            "ads": [ads[position]["slug"]],
        }
        return await self.post(f"/api/codes/{kind}", order)


Start = Callable[..., Any]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Return a function that starts a sandbox with the given knobs; ready at once by default."""
    opened: list[Any] = []

    async def make(**knobs: Any) -> Caller:
        sandbox = TargetCircleSandbox(**{"ready_after_s": 0, **knobs})
        await sandbox.start()
        headers = {"X-Api-Token": sandbox.credentials["token"]}
        session = aiohttp.ClientSession(sandbox.origin, headers=headers)
        opened.extend([session, sandbox])
        return Caller(sandbox, session)

    yield make
    for thing in opened:
        await thing.close()


# The lifecycle.


@pytest.mark.parametrize(("headers", "echo"), [({"X-Api-Token": "s3cret"}, "s3cret"), ({}, "null")])
async def test_a_wrong_token_is_echoed(start, headers, echo):
    """The 401 is a text and repeats the secret it was given; without any it says null."""
    caller = await start()
    async with aiohttp.request("GET", f"{caller.sandbox.base_url}/offers", headers=headers) as reply:
        assert (reply.status, await reply.text()) == (401, f"No valid account with token = {echo}")


async def test_a_token_of_other_bytes_is_a_wrong_one(start):
    """Clients that write headers in Latin-1 get a 401, with a mark for what cannot be told back."""
    caller = await start()

    def ask() -> tuple[int, str]:
        with closing(HTTPConnection(urlsplit(caller.sandbox.origin).netloc)) as connection:
            connection.request("GET", "/api/offers", headers={"X-Api-Token": "t\xf6ken"})
            reply = connection.getresponse()
            return reply.status, reply.read().decode()

    assert await asyncio.to_thread(ask) == (401, "No valid account with token = t?ken")


async def test_a_report_is_in_progress_and_then_ready(start):
    """Polls say IN_PROGRESS with no rows and the sample's placeholder links, then READY."""
    caller = await start(polls_until_ready=2)
    path = await caller.submit("transactions", **DAY, **EUR)
    first, second, third = [await caller.get(path, page=1) for _ in range(3)]
    assert (first.json["status"], first.json["data"], first.json["pagesNumber"]) == ("IN_PROGRESS", [], 0)
    assert first.location == (
        f'<{path}?page=2>; rel="next", <{path}?page=1>; rel="first", <{path}?page=10>; rel="last"'
    )
    assert (second.json["status"], third.json["status"]) == ("IN_PROGRESS", "READY")


async def test_the_time_to_ready_can_differ_by_report(start):
    """A function decides how long each report takes."""
    caller = await start(ready_after_s=lambda _resource, number: 60 if number == 1 else 0)
    paths = [await caller.submit("clicks", **DAY) for _ in range(2)]
    replies = [await caller.get(path, page=1) for path in paths]
    assert [reply.json["status"] for reply in replies] == ["IN_PROGRESS", "READY"]


async def test_placeholder_links_can_be_left_out(start):
    """Without placeholders an unready report has no Location."""
    caller = await start(polls_until_ready=1, placeholder_links=False)
    path = await caller.submit("clicks", **DAY)
    assert (await caller.get(path, page=1)).location == ""


async def test_the_202_has_a_plain_relative_location(start):
    """The POST answers a plain relative URL of page 1, the report's id in it a UUID."""
    caller = await start()
    reply = await caller.post("/api/trades", {})
    assert reply.status == 202
    head, _, tail = reply.location.rpartition("/")
    assert (head, len(tail)) == ("/api/trades", 36 + len("?page=1"))


async def test_a_ready_page_links_on_but_for_the_last(start):
    """Links are next, first and last; the last page has no next."""
    caller = await start()
    path = await caller.submit("trades", limit=25)
    middle, last = await caller.get(path, page=2), await caller.get(path, page=3)
    ends = f'<{path}?page=1>; rel="first", <{path}?page=3>; rel="last"'
    assert (middle.location, last.location) == (f'<{path}?page=3>; rel="next", {ends}', ends)


async def test_every_body_carries_another_token(start):
    """The token in a body is 32 characters, new in each, and never the account's."""
    caller = await start()
    path = await caller.submit("trades")
    found = {(await caller.get(path, page=1)).json["token"] for _ in range(3)}
    found.add((await caller.get("/api/offers")).json["token"])
    assert {len(token) for token in found} == {32}
    assert len(found | {caller.sandbox.credentials["token"]}) == 5


@pytest.mark.parametrize("page", ["0", "99", "", "x", "1" * 5000])
async def test_a_page_that_is_not_there_is_refused(start, page):
    """Page 0, a page after the last, and no page are 400."""
    caller = await start()
    path = await caller.submit("trades")
    assert (await caller.get(path, page=page)).status == 400


async def test_an_empty_report_is_one_page_of_nothing(start):
    """A report without rows is READY, has no pages, and still shows page 1."""
    caller = await start()
    path = await caller.submit("trades", offer="nobody")
    reply = (await caller.get(path, page=1)).json
    assert (reply["status"], reply["pagesNumber"], reply["data"]) == ("READY", 0, [])


async def test_a_report_is_forgotten_after_its_time(start):
    """After ttl_s, after evict(), or under another resource's name, nobody knows the report."""
    caller = await start()
    path = await caller.submit("trades")
    assert (await caller.get(path.replace("trades", "clicks"), page=1)).status == 404
    report = caller.sandbox.reports[path.rpartition("/")[2]]
    report.expires_at = 0.0
    reply = await caller.get(path, page=1)
    assert (reply.status, reply.text) == (404, "Report not found")
    await caller.submit("trades")
    assert len(caller.sandbox.reports) == 1
    caller.sandbox.evict()
    assert len(caller.sandbox.reports) == 0


# What is asked for.


@pytest.mark.parametrize(
    "payload",
    [
        EUR,
        {**DAY},
        {**DAY, "currency": "XXX"},
        {**DAY, **EUR, "limit": 0},
        {**DAY, **EUR, "limit": "many"},
        {**DAY, **EUR, "statuss": "pending"},
        {**DAY, **EUR, "status": ["pending"]},
        {**EUR, "from": DAY["to"], "to": DAY["from"]},
        {**EUR, "from": "2026-09-01", "to": "2026-09-02"},
        {**EUR, "from": "soon", "to": "later"},
        ["no object"],
    ],
)
async def test_a_bad_payload_is_refused(start, payload):
    """Required fields that lack, unknown ones and unreadable ones are 400 with a text."""
    caller = await start()
    reply = await caller.post("/api/transactions", payload)
    assert reply.status == 400
    assert reply.text


async def test_nulls_are_no_filters(start):
    """The vendor's sample payload, with its nulls, is the unfiltered report."""
    caller = await start()
    nulls = dict.fromkeys(("status", "offer", "adInventory", "reference", "country", "limit"))
    assert await caller.rows("transactions", **DAY, **EUR, **nulls) == await caller.rows(
        "transactions", **DAY, **EUR
    )


@pytest.mark.parametrize(("limit", "count"), [(None, 100), (25, 25), (1000, 1000), (5000, 1000)])
async def test_the_limit_caps_the_whole_report(start, limit, count):
    """By default `limit` counts rows of the report: 100 unless given, 1000 at most."""
    caller = await start(page_size=100)
    assert len(await caller.rows("transactions", **MONTH, **EUR, limit=limit)) == count


async def test_the_limit_can_be_a_page_size(start):
    """With the other reading of `limit`, every row comes, in pages of that size."""
    caller = await start(limit_semantics="page")
    pages = await caller.pages("transactions", **MONTH, **EUR, limit=1000)
    assert [len(page) for page in pages] == [
        1000,
        len(caller.sandbox.truth("transactions", START, date(2026, 10, 1))) - 1000,
    ]


@pytest.mark.parametrize(
    ("period", "some"),
    [
        ({"from": "2026-09-01T00:00:00Z", "to": "9999-12-31T23:59:59-01:00"}, True),
        ({"from": "0001-01-01T00:00:00+14:00", "to": "2014-12-31T23:59:59Z"}, False),
    ],
)
async def test_a_period_may_reach_out_of_all_years(start, period, some):
    """With an offset, the ends of time lie in years that there are not."""
    caller = await start()
    assert bool(await caller.rows("clicks", **period, limit=10)) is some


async def test_both_ends_of_the_period_belong_to_it(start):
    """`from` and `to` are inclusive to the second, and every day has rows at both its ends."""
    caller = await start()
    midnight = {"from": DAY["from"], "to": DAY["from"]}
    saved = {row["saved"] for row in await caller.rows("transactions", **midnight, **EUR)}
    assert saved == {"2026-09-01T00:00:00Z"}
    last = await caller.rows("clicks", **{"from": DAY["to"], "to": DAY["to"]})
    assert {row["clickDate"] for row in last} == {"2026-09-01T23:59:59Z"}


@pytest.mark.parametrize(
    ("status", "want"),
    [
        ("pending", {"pending"}),
        ("pending,declined", {"pending", "declined"}),
        ("approved, paid out", {"approved, paid out"}),
    ],
)
async def test_a_filter_of_several_values_means_any(start, status, want):
    """Commas separate values, unless the whole is a status that holds one."""
    caller = await start()
    rows = await caller.rows("transactions", **MONTH, **EUR, status=status, limit=200)
    assert {row["conversionStatus"] for row in rows} == want


@pytest.mark.parametrize(
    ("field", "name"), [("offer", "offerName"), ("adInventory", "mediaName"), ("country", "country")]
)
async def test_filters_leave_what_matches(start, field, name):
    """A report filtered by what its rows say holds just those rows, commas in names and all."""
    caller = await start()
    truth = caller.sandbox.truth("clicks", START, NEXT)
    value = min({row[name] for row in truth}, key=lambda text: ("," not in text, text))
    want = [row for row in truth if row[name] == value]
    assert await caller.rows("clicks", **DAY, **{field: value}, limit=1000) == want


async def test_the_reference_filter_looks_into_the_list(start):
    """One label is enough to match."""
    caller = await start()
    rows = await caller.rows("clicks", **DAY, reference="NL_COMP", limit=1000)
    truth = caller.sandbox.truth("clicks", START, NEXT)
    assert rows == [row for row in truth if "NL_COMP" in row["reference"]]


async def test_the_trades_filter_by_country_name(start):
    """Trades are chosen by the countries of their price lists."""
    caller = await start()
    rows = await caller.rows("trades", targetCountries="Norway,Rest of World", limit=1000)
    want = [
        row
        for row in caller.sandbox.truth("trades")
        if {"Norway", "Rest of World"} & {n for p in row["pricings"] for n in p["offerPricingCountries"]}
    ]
    assert 0 < len(rows) < 160
    assert rows == want


async def test_another_currency_converts(start):
    """A report in dollars says dollars, at one fixed rate, to six decimals."""
    caller = await start()
    dollars = await caller.rows("transactions", **DAY, currency="USD", limit=1000)
    euros = caller.sandbox.truth("transactions", START, NEXT)
    assert {row["currency"] for row in dollars} == {"USD"}
    rate = Decimal("0.92")
    assert all(
        abs(d["commission"] * rate - e["commission"]) < Decimal("0.00001")
        for d, e in zip(dollars, euros, strict=True)
    )


# The truth.


@pytest.mark.parametrize("resource", ["transactions", "clicks", "trades"])
async def test_what_is_paged_is_the_truth(start, resource):
    """All pages of a day are, in order and to the digit, the rows behind the API."""
    caller = await start()
    filters = {"transactions": {**DAY, **EUR}, "clicks": DAY, "trades": {}}[resource]
    rows = await caller.rows(resource, **filters, limit=1000)
    assert rows == caller.sandbox.truth(resource, START, NEXT)
    assert len(rows) > 20


@pytest.mark.parametrize("order", ["desc", "shuffled"])
async def test_the_order_can_differ(start, order):
    """In another order the rows are the same."""
    caller = await start(order=order)
    rows = await caller.rows("transactions", **DAY, **EUR, limit=1000)
    truth = caller.sandbox.truth("transactions", START, NEXT)
    assert rows != truth
    assert sorted(map(str, rows)) == sorted(map(str, truth))
    assert order != "desc" or rows == truth[::-1]


async def test_side_door_serves_the_same_truth(start):
    """Over HTTP the truth is the same to the digit."""
    caller = await start()
    reply = await caller.get("/__sandbox/truth/transactions", since="2026-09-01", until="2026-09-02")
    assert reply.json == caller.sandbox.truth("transactions", START, NEXT)


def test_truth_needs_a_period_and_a_name_it_knows():
    """Rows exist for every day, so all of them cannot be asked for."""
    sandbox = TargetCircleSandbox()
    with pytest.raises(ValueError, match="since and until"):
        sandbox.truth("clicks")
    with pytest.raises(LookupError):
        sandbox.truth("campaigns")


def test_another_process_has_the_same_rows():
    """A day depends on the seed alone, not on the process or on the days made before."""
    code = (
        "from datetime import date; from adnet.sandbox.targetcircle import TargetCircleSandbox as S;"
        "print(S(seed=5).truth('transactions', date(2026, 9, 1), date(2026, 9, 2)))"
    )
    env = {**os.environ, "PYTHONHASHSEED": "3"}
    other = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    sandbox = TargetCircleSandbox(seed=5)
    sandbox.truth("clicks", date(2026, 8, 20), date(2026, 8, 25))
    assert other.stdout.strip() == str(sandbox.truth("transactions", START, NEXT))
    assert TargetCircleSandbox(seed=6).truth("transactions", START, NEXT) != sandbox.truth(
        "transactions", START, NEXT
    )


def test_a_month_needs_splitting_and_a_sale_day_stands_out():
    """A month has more than a thousand transactions, its 11th about ten days' worth."""
    sandbox = TargetCircleSandbox()
    per_day = Counter(row["saved"][:10] for row in sandbox.truth("transactions", START, date(2026, 10, 1)))
    assert 1300 < per_day.total() < 2000
    assert per_day.most_common(1)[0][0] == "2026-09-11"
    assert len(sandbox.truth("clicks", START, NEXT)) > 8 * per_day["2026-09-01"]


def test_sub_ids_may_tell_where_clicks_come_from():
    """Most have one of those given first; each transaction has its click's, so that a report can join them."""
    sandbox = TargetCircleSandbox(sub_ids=["910001", "910008"])
    rows = [sandbox.truth(resource, START, NEXT) for resource in ("clicks", "transactions")]
    for found in rows:
        first = Counter(row["reference"][0] if row["reference"] else None for row in found)
        bought = first["910001"] + first["910008"]
        assert 0.6 < bought / first.total() < 0.95
        assert min(first["910001"], first["910008"]) > bought / 4


def test_transactions_follow_from_clicks_and_prices():
    """Each transaction has a click before it and pays what a price of its offer says."""
    sandbox = TargetCircleSandbox()
    prices = _prices(sandbox)
    clicks = {
        (c["slug"], c["mediaName"], c["country"], tuple(c["reference"]))
        for c in sandbox.truth("clicks", date(2026, 8, 31), NEXT)
    }
    for row in sandbox.truth("transactions", START, NEXT):
        place = (row["slug"], row["mediaName"], row["country"], tuple(row["reference"]))
        assert place in clicks
        known = prices[row["slug"], row["transactionType"], row["productGroupName"]]
        assert any(_agrees(row, price) for price in known.get(row["country"], known.get("Rest of World", [])))


def _prices(sandbox: TargetCircleSandbox) -> dict[Any, dict[str, list[tuple[str, Decimal]]]]:
    found: dict[Any, dict[str, list[tuple[str, Decimal]]]] = {}
    for trade in sandbox.truth("trades"):
        slug = trade["offer"]["href"].rpartition("/")[2]
        for price in trade["pricings"]:
            of = found.setdefault((slug, price["conversionType"], price["productGroup"]), {})
            for country in price["offerPricingCountries"]:
                of.setdefault(country, []).append((price["commisionType"], price["commision"]))
    return found


def _agrees(row: dict[str, Any], price: tuple[str, Decimal]) -> bool:
    kind, value = price
    if kind == "Percentage":
        return abs(row["transactionAmount"] * value / 100 - row["commission"]) < Decimal("0.00001")
    rates = (Decimal(1), Decimal("0.92"), Decimal("0.085"))
    return any(abs(value * rate - row["commission"]) < Decimal("0.00001") for rate in rates)


def test_a_month_holds_every_awkward_row():
    """Statuses, lost tracking ids, twins, borders, shared seconds and odd countries are all there."""
    rows = TargetCircleSandbox().truth("transactions", START, date(2026, 10, 1))
    statuses = {row["conversionStatus"] for row in rows}
    assert statuses >= {"pending", "declined", "failed", "approved, paid out", "under review"}
    assert {row.get("trackingId") or row.get("trackingId", None) for row in rows} >= {None, ""}
    keys = Counter(
        (row["trackingId"], row["transactionType"], row["productGroupName"], row["saved"])
        for row in rows
        if row.get("trackingId")
    )
    groups: dict[str, set[str]] = {}
    for row in rows:
        groups.setdefault(row.get("trackingId", ""), set()).add(row["productGroupName"])
    assert max(keys.values()) == 2
    assert any(len(found) > 1 for key, found in groups.items() if key)
    assert max(Counter(row["saved"] for row in rows).values()) > 2
    assert {"Côte d'Ivoire", "Korea, Republic of", "Rest of World"} <= {row["country"] for row in rows}
    assert {len(row["reference"]) for row in rows} == {0, 1, 2, 3}
    assert all(row["commissionRep"] == row["commission"] for row in rows)
    assert max(-row["commission"].as_tuple().exponent for row in rows) == 6


def test_trades_have_empty_verticals_and_null_categories():
    """The oddities of the vendor's own sample are in the trades."""
    rows = TargetCircleSandbox().truth("trades")
    assert [""] in [row["verticals"] for row in rows]
    assert None in [row["category"] for row in rows]
    assert {row["status"] for row in rows} == {"accepted", "pending", "rejected"}


def test_clicks_come_from_addresses_that_belong_to_nobody():
    """Click addresses are of the documentation ranges, of both families."""
    nets = {
        row["ip"].rpartition(":" if ":" in row["ip"] else ".")[0]
        for row in TargetCircleSandbox().truth("clicks", START, NEXT)
    }
    assert nets == {"192.0.2", "198.51.100", "203.0.113", "2001:db8:"}


async def test_one_second_can_be_crowded(start):
    """extra_second adds its rows to that instant and changes no other row."""
    caller = await start(extra_second=("2026-09-01T12:00:00Z", 1100), page_size=500)
    second = {"from": "2026-09-01T12:00:00Z", "to": "2026-09-01T12:00:00Z"}
    assert len(await caller.rows("transactions", **second, **EUR, limit=1000)) == 1000
    plain = TargetCircleSandbox().truth("transactions", START, NEXT)
    crowded = caller.sandbox.truth("transactions", START, NEXT)
    assert len(crowded) == len(plain) + 1100
    noon = "2026-09-01T12:00:00Z"
    assert [r for r in crowded if r["saved"] != noon] == [r for r in plain if r["saved"] != noon]


def test_statuses_change_with_time_if_asked_to():
    """With restate a row begins pending, and after months none is."""
    early, late = (
        TargetCircleSandbox(restate=True, now=lambda at=at: at).truth("transactions", START, NEXT)
        for at in (datetime(2026, 9, 2, tzinfo=UTC), datetime(2027, 9, 2, tzinfo=UTC))
    )
    assert {row["conversionStatus"] for row in early} == {"pending"}
    assert {row["conversionStatus"] for row in late} == {"declined", "approved, paid out"}
    assert [row["saved"] for row in early] == [row["saved"] for row in late]


def test_typing_errors_can_be_corrected():
    """Without typos the fields are spelled as they should be."""
    sandbox = TargetCircleSandbox(typos=False)
    price = sandbox.truth("trades")[0]["pricings"][0]
    assert {"commission", "commissionType"} <= set(price)
    assert "category" in sandbox.truth("offers")[0]["offers"][0]
    assert "catergory" in TargetCircleSandbox().truth("offers")[0]["offers"][0]


# The direct calls.


async def test_offers_are_grouped_by_ad_inventory(start):
    """The offers report is the truth, grouped, and the limit counts offers."""
    caller = await start()
    assert (await caller.get("/api/offers", limit=1000)).json["data"] == caller.sandbox.truth("offers")
    few = (await caller.get("/api/offers", limit=7)).json["data"]
    assert sum(len(group["offers"]) for group in few) == 7


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ({"country": "NO"}, lambda offer: "NO" in offer["targetedCountries"]),
        ({"status": "pending,rejected"}, lambda offer: offer["status"] != "accepted"),
        ({"startDateFrom": "2015-07-01"}, lambda offer: offer["startDate"] >= "2015-07-01"),
        ({"endDateTo": "2035-01-01"}, lambda offer: offer["endDate"] <= "2035-01-01"),
        ({"offerId": "11014"}, lambda offer: offer["id"] == 11014),
        ({"offerName": "Shoes, Bags & More"}, lambda offer: offer["name"] == "Shoes, Bags & More"),
        ({"category": "Games"}, lambda offer: offer["catergory"] == "Games"),
    ],
)
async def test_offers_can_be_narrowed(start, query, holds):
    """An offer is in the answer if and only if the filter holds for it."""
    caller = await start()
    groups = (await caller.get("/api/offers", limit=1000, **query)).json["data"]
    found = [offer for group in groups for offer in group["offers"]]
    everything = [offer for group in caller.sandbox.truth("offers") for offer in group["offers"]]
    assert found == [offer for offer in everything if holds(offer)] != []


async def test_offer_id_is_one_value(start):
    """Of the filters that the document joins by commas it is none."""
    caller = await start()
    assert (await caller.get("/api/offers", limit=1000, offerId="11014,11015")).json["data"] == []


async def test_names_and_codes_of_countries_agree(start):
    """The details say in English what the offers report says in ISO codes."""
    caller = await start()
    group = caller.sandbox.truth("offers")[0]
    names = {}
    for trade in [t for t in caller.sandbox.truth("trades") if t["adInventory"] == group["name"]][:20]:
        details = (await caller.get(trade["offer"]["href"])).json
        codes = next(o for o in group["offers"] if o["name"] == details["name"])["targetedCountries"]
        names.update(zip(details["targetedCountries"], codes, strict=True))
    assert names.items() >= {"Norway": "NO", "Germany": "DE"}.items()


async def test_unknown_slugs_are_404(start):
    """An offer nobody knows is 404 with a text, wherever it is named."""
    caller = await start()
    for path in ("/api/offers/nobody", "/api/offers/nobody/ads", "/api/codes?offerId=nobody&adInventory=122"):
        reply = await caller.get(path)
        assert (reply.status, reply.text) == (404, "Offer not found")


async def test_codes_reflect_labels_and_deeplink(start):
    """Labels and the deeplink are in the click URL; number and slug name the same offer."""
    caller = await start()
    group = caller.sandbox.truth("offers")[0]
    offer = next(offer for offer in group["offers"] if offer["status"] == "accepted")
    query = {
        "offerId": offer["id"],
        "adInventory": group["id"],
        "parameters[ref1]": "a b",
        "deeplink": "http://x.example/",
    }
    codes = (await caller.get("/api/codes", **query)).json["data"]
    assert all(code["clickUrl"].startswith("https://c.trackmytarget.example/") for code in codes)
    assert all(code["clickUrl"].endswith("?ref1=a+b&r=http%3A%2F%2Fx.example%2F") for code in codes)
    assert {code["type"] for code in codes} == {"banner", "text link"}
    banners = (await caller.get("/api/codes", **query, type="banner", minWidth=1, maxSize=90000)).json
    assert banners["data"] == [code for code in codes if code["bannerDetails"]]
    assert len((await caller.get("/api/codes", **query, limit=1)).json["data"]) == 1


@pytest.mark.parametrize(
    "query", [{}, {"offerId": "11014"}, {"offerId": "1", "adInventory": "2", "colour": "red"}]
)
async def test_codes_need_an_offer_and_an_ad_inventory(start, query):
    """Without either, or with an unknown parameter, the codes are refused."""
    caller = await start()
    assert (await caller.get("/api/codes", **query)).status == 400


async def test_ads_are_banners_and_texts(start):
    """Banners have details with a size in kB, texts have none."""
    caller = await start()
    href = caller.sandbox.truth("trades")[0]["offer"]["href"]
    ads = (await caller.get(f"{href}/ads")).json
    assert {(ad["type"], ad["bannerDetails"] is None) for ad in ads} == {("BANNER", False), ("TEXT", True)}


async def test_codes_are_made_on_demand(start):
    """A banner code has a picture and escaped slashes, a text code has no picture."""
    caller = await start()
    banner, text = await caller.codes("banner", 0), await caller.codes("text", 1)
    assert r"image\/" in banner.text
    assert banner.json[0]["imgUrl"] == f"/banners/{banner.json[0]['id']}/img"
    assert "imgUrl" not in text.json[0]
    assert text.json[0]["clickUrl"].startswith("https://c.trackmytarget.example/")


@pytest.mark.parametrize(("kind", "position"), [("banner", 1), ("text", 0), ("video", 0)])
async def test_ads_of_another_kind_are_refused(start, kind, position):
    """All ads must be of the kind in the URL."""
    caller = await start()
    assert (await caller.codes(kind, position)).status == 400


# The faults.


async def test_failed_reports_end_failed(start):
    """A failed report says so for good, without rows."""
    caller = await start(faults={"failed": 1.0})
    path = await caller.submit("trades")
    reply = await caller.get(path, page=1)
    assert (reply.json["status"], reply.json["data"], reply.location) == ("FAILED", [], "")


async def test_evicted_reports_vanish_in_mid_paging(start):
    """Page 1 comes, page 2 does not, and then nothing of the report."""
    caller = await start(faults={"evicted": 1.0})
    path = await caller.submit("trades")
    assert [(await caller.get(path, page=page)).status for page in (1, 1, 2, 1)] == [200, 200, 404, 404]


async def test_dirty_json_has_a_trailing_comma(start):
    """The body is JSON but for a comma behind the last row."""
    caller = await start()
    caller.sandbox.faults.once("dirty-json")
    path = await caller.submit("trades")
    text = (await caller.get(path, page=1)).text
    with pytest.raises(ValueError, match=r"Illegal trailing comma|Expecting value"):
        json.loads(text)
    rows = json.loads(text.replace("},],", "}],"), parse_float=Decimal)["data"]
    assert rows == caller.sandbox.truth("trades")[:10]


async def test_foreign_location_points_elsewhere(start):
    """The report is said to be at another origin."""
    caller = await start(faults={"foreign-location": 1.0})
    reply = await caller.post("/api/trades", {})
    assert reply.location.startswith("http://127.0.0.2:9/api/trades/")


async def test_shrink_takes_a_page_away(start):
    """A later page knows of one page less."""
    caller = await start(faults={"shrink": 1.0})
    path = await caller.submit("trades", limit=50)
    assert [(await caller.get(path, page=page)).json["pagesNumber"] for page in (1, 2)] == [5, 4]


async def test_repeat_shows_the_page_before(start):
    """A later page has the rows of the page before it."""
    caller = await start(faults={"repeat": 1.0})
    first, second, third = await caller.pages("trades", limit=30)
    assert first == second != third


async def test_a_page_is_a_slice_of_encoded_rows(start):
    """A report keeps its rows as bytes and in order, so that a page costs little more than a join."""
    caller = await start()
    path = await caller.submit("transactions", **MONTH, **EUR, limit=1000)
    report = caller.sandbox.reports[path.rpartition("/")[2]]
    assert report.pages == 100
    assert [row for page in range(1, 101) for row in report.page(page)] == report.rows
    assert json.loads(report.rows[0])["saved"] == "2026-09-01T00:00:00Z"
