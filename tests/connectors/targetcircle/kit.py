"""A report server in a script: a few rows, any page size, and pages that a test can spoil."""

import json
from collections import Counter
from contextlib import aclosing
from datetime import date
from urllib.parse import parse_qsl, urlsplit

from hypothesis import strategies as st

import adnet
from adnet.testing import FakeClock, ScriptTransport, answer

TOKEN = "tok-0123456789abcdef"
BASE = "https://tc.example/api"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
"""Any JSON value."""
SINCE, UNTIL = date(2016, 1, 1), date(2016, 2, 1)


def sale(saved="2016-01-05T10:00:00Z", **fields):
    """Return a transaction as the network prints it."""
    row = {
        "conversionStatus": "approved",
        "slug": "3sdfa",
        "offerName": "SomeWebsite.com",
        "mediaName": "Media",
        "productGroupName": "Default",
        "transactionType": "sale",
        "trackingId": "t-1",
        "adLinkName": None,
        "reference": ["ref"],
        "transactionAmount": 10.0,
        "currency": "EUR",
        "commission": 1.5,
        "country": "Germany",
        "saved": saved,
    }
    return {**row, **fields}


def click(at="2016-01-05T10:00:00Z", **fields):
    """Return a click as the network prints it."""
    row = {
        "slug": "3cf504",
        "mediaName": "Media",
        "offerName": "A.com",
        "reference": ["r"],
        "country": "Norway",
    }
    return {**row, "ip": "192.0.2.1", "clickDate": at, **fields}


class Reports:
    """Answers for a ScriptTransport: every POST makes a report of the rows in its period, cut at its limit."""

    def __init__(self, rows, *, page_size=10, key="saved", spoil=None):
        self.rows = rows
        self.page_size = page_size
        self.key = key
        self.spoil = spoil or (lambda report, page, body: body)
        self.made = []
        self.posts = Counter()

    def __call__(self, request):
        parts = urlsplit(request.url)
        if request.route.method == "POST":
            return self._submit(parts.path, json.loads(request.body))
        number = int(parts.path.rpartition("/")[2])
        return self._page(number, int(dict(parse_qsl(parts.query))["page"]), parts.path)

    def _submit(self, path, asked):
        self.posts[json.dumps(asked, sort_keys=True)] += 1
        rows = [row for row in self.rows if self._wanted(row, asked)]
        self.made.append(rows[: asked["limit"]])
        return answer(202, headers={"Location": f"{path}/{len(self.made)}?page=1"})

    def _wanted(self, row, asked):
        if "from" not in asked or not str(row[self.key]).endswith("Z"):
            return True
        offers = (asked.get("offer") or "").split(",")
        return asked["from"] <= row[self.key] <= asked["to"] and (offers == [""] or row["slug"] in offers)

    def _page(self, number, page, path):
        rows = self.made[number - 1]
        pages = -(-len(rows) // self.page_size)
        start = (page - 1) * self.page_size
        body = {
            "data": rows[start : start + self.page_size],
            "token": "x",
            "status": "READY",
            "pagesNumber": pages,
        }
        spoilt = self.spoil(number, page, body)
        if not isinstance(spoilt, dict):
            return spoilt
        ends = {"first": 1, "last": max(spoilt.get("pagesNumber") or 0, 1)}
        links = ", ".join(f'<{path}?page={n}>; rel="{rel}"' for rel, n in ends.items())
        return answer(200, spoilt, headers={"Location": links})


def connect(script, **options):
    """Return an account and its wire; the clock is virtual."""
    wire = ScriptTransport(script)
    given = {"base_url": BASE, "token": TOKEN, "currency": "EUR", "clock": FakeClock(), **options}
    return adnet.connect("targetcircle", transport=wire, **given), wire


async def transactions(rows, *, since=SINCE, until=UNTIL, filters=None, **knobs):
    """Return the transactions that an account sees of *rows*."""
    account, _ = connect(Reports(rows, **knobs))
    async with account:
        return [tx async for tx in account.list_transactions(since=since, until=until, **(filters or {}))]


async def clicks(rows, *, since=SINCE, until=UNTIL, filters=None, **knobs):
    """Return the clicks that an account sees of *rows*."""
    account, _ = connect(Reports(rows, key="clickDate", **knobs))
    async with account, aclosing(account.list_clicks(since=since, until=until, **(filters or {}))) as found:
        return [row async for row in found]


MANY = [sale(f"2016-01-05T10:{n // 60:02}:{n % 60:02}Z", trackingId=f"t-{n}") for n in range(95)]
"""Ten pages of transactions, one a second."""


async def read(script, **options):
    """Return the transactions of an account that talks to *script*, and the wire."""
    account, wire = connect(script, **options)
    async with account:
        return [tx async for tx in account.list_transactions(since=SINCE, until=UNTIL)], wire


def ids(found):
    """Return the network's words for transactions, in order."""
    return [tx.tracking_id for tx in found]
