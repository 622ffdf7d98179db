"""The same row has the same id, however and whenever it is asked for."""

from datetime import UTC, date, datetime, timedelta

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adnet.connectors.targetcircle.occurrences import Occurrences
from adnet.errors import SchemaError

from .kit import SINCE, UNTIL, Reports, click, clicks, connect, sale, transactions

START = datetime(2016, 1, 5, 10, tzinfo=UTC)
SECONDS = st.integers(0, 4)
FEW = settings(max_examples=100, deadline=None)


def stamp(second):
    """Return the instant *second* seconds after the start, as the network prints it."""
    return (START + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")


@st.composite
def sales(draw):
    """Draw rows that agree in much of what ids are made from; each is told apart by a field that is not.

    One tracking id is one click, and so always of one offer.
    """
    clicks_of = {"s1": ["a", "", None, "a\\"], "s2": ["b", "", None, "a|b"]}
    count = draw(st.integers(0, 14))
    slugs = [draw(st.sampled_from(["s1", "s2"])) for _ in range(count)]
    return [
        sale(
            stamp(draw(SECONDS)),
            slug=slug,
            trackingId=draw(st.sampled_from(clicks_of[slug])),
            transactionType=draw(st.sampled_from(["sale", "lead"])),
            conversionStatus=draw(st.sampled_from(["pending", "approved, paid out"])),
            transactionAmount=draw(st.sampled_from([1, 2])),
            offerName=draw(st.sampled_from(["x", "y"])),
            commissionRep=number,
        )
        for number, slug in enumerate(slugs)
    ]


def by_id(found):
    """Return models by their id; no id may come twice."""
    ids = [getattr(row, "transaction_id", None) or row.click_key for row in found]
    assert len(ids) == len(set(ids))
    return dict(zip(ids, found, strict=True))


@FEW
@given(rows=sales(), order=st.randoms(use_true_random=False), page_size=st.integers(1, 6))
async def test_the_order_of_a_report_does_not_matter(rows, order, page_size):
    """However a report is sorted and cut into pages, a row keeps its id."""
    expected = by_id(await transactions(rows))
    shuffled = rows[:]
    order.shuffle(shuffled)
    assert expected == by_id(await transactions(shuffled, page_size=page_size))


@FEW
@given(rows=sales(), second=st.integers(1, 4))
async def test_splitting_a_period_does_not_matter(rows, second):
    """Two halves that meet at a whole second give the same ids as the whole."""
    middle = START + timedelta(seconds=second)
    expected = by_id(await transactions(rows))
    parts = await transactions(rows, until=middle) + await transactions(rows, since=middle)
    assert expected == by_id(parts)


@FEW
@given(rows=sales(), filters=st.sampled_from([{"status": "paid"}, {"offer": "s1"}, {"reference": "ref"}]))
async def test_filters_do_not_matter(rows, filters):
    """A row that a filter leaves has the id that it has without."""
    whole = by_id(await transactions(rows))
    for key, tx in by_id(await transactions(rows, filters=filters)).items():
        assert whole[key] == tx


@FEW
@given(rows=sales(), status=st.sampled_from(["declined", "approved, invoiced"]))
async def test_a_new_status_does_not_matter(rows, status):
    """Statuses change for months; the id does not."""
    changed = [{**row, "conversionStatus": status} for row in rows]
    assert by_id(await transactions(rows)).keys() == by_id(await transactions(changed)).keys()


async def test_one_click_that_converts_twice_is_two_transactions():
    """``trackingId`` is not unique; kind, product group and instant tell the conversions apart."""
    rows = [
        sale(),
        sale(transactionType="lead"),
        sale(productGroupName="Other"),
        sale("2016-01-05T10:00:01Z"),
        sale(),
    ]
    found = await transactions(rows)
    assert len(by_id(found)) == 5
    assert {"t-1"} == {tx.tracking_id for tx in found}


class Long(Reports):
    """Takes ``limit`` for the size of a page, so that reports have as many rows as there are."""

    def _submit(self, path, asked):
        self.page_size = asked["limit"]
        return super()._submit(path, {**asked, "limit": len(self.rows)})


SALES = [sale(stamp(n), trackingId=f"t-{n}") for n in range(2500)]
SALES[997:1002] = [{**SALES[997], "transactionAmount": n} for n in (3, 5, 1, 4, 2)]
CLICKS = [click(stamp(n)) for n in range(2500)]
CLICKS[997:1002] = [{**CLICKS[997], "ip": f"192.0.2.{n}"} for n in (3, 5, 1, 4, 2)]


@pytest.mark.parametrize(
    ("name", "rows", "key"), [("transactions", SALES, "saved"), ("clicks", CLICKS, "clickDate")]
)
async def test_the_end_of_a_page_does_not_matter(name, rows, key):
    """Rows that agree keep their ids, though a page of a thousand ends between them in one report only."""
    account, _ = connect(Long(rows, key=key))
    told = []
    async with account:
        for first in (0, 10, 997):
            since = START + timedelta(seconds=first)
            found = [row async for row in getattr(account, f"list_{name}")(since=since, until=UNTIL)]
            assert len(found) == len(rows) - first
            agree = [row for row in found if row.occurred_at == START + timedelta(seconds=997)]
            told.append({getattr(r, "transaction_id", None) or r.click_key: attrs.asdict(r) for r in agree})
    assert told[0] == told[1] == told[2]
    assert len(told[0]) == 5


async def test_a_second_of_several_pages_is_numbered_as_one():
    """Two thousand rows that agree keep their ids in whatever order they come."""
    rows = [sale(stamp(0), transactionAmount=n) for n in range(2300)]
    told = []
    for order in (rows, rows[::-1]):
        account, _ = connect(Long(order))
        async with account:
            found = [row async for row in account.list_transactions(since=SINCE, until=UNTIL)]
        told.append({row.transaction_id: row.amount for row in found})
    assert told[0] == told[1]
    assert len(told[0]) == 2300


async def test_ids_are_what_they_were():
    """Ids that have landed must be found again by later versions: their form is fixed."""
    (plain, described) = await transactions([sale(), sale(trackingId=None, offerName="a|b", country=None)])
    assert plain.transaction_id == "2016-01-05T10:00:00Z|t-1|sale|Default|0"
    assert described.transaction_id == "2016-01-05T10:00:00Z||sale|Default|a\\pb|3sdfa|Media|None|None|ref|0"
    (clicked,) = await clicks([click()])
    assert clicked.click_key == "2016-01-05T10:00:00Z|3cf504|A.com|Media|Norway|r|0"


@FEW
@given(
    rows=st.lists(
        st.builds(
            lambda second, ip, label: click(stamp(second), ip=ip, reference=[label]),
            SECONDS,
            st.sampled_from(["192.0.2.1", "192.0.2.2", None]),
            st.sampled_from(["a", "b"]),
        ),
        max_size=12,
    ),
    order=st.randoms(use_true_random=False),
    second=st.integers(1, 4),
)
async def test_clicks_keep_their_keys(rows, order, second):
    """The same for clicks: order and splitting do not matter."""
    rows = [{**row, "number": number} for number, row in enumerate(rows)]
    middle = START + timedelta(seconds=second)
    keys = {key: row.ip_hash is None for key, row in by_id(await clicks(rows)).items()}
    order.shuffle(rows)
    parts = await clicks(rows, until=middle) + await clicks(rows, since=middle)
    assert keys == {key: row.ip_hash is None for key, row in by_id(parts).items()}


async def test_only_what_was_asked_for_comes():
    """The network includes both ends, to the second; rows outside the exact period are left out."""
    rows = [
        sale("2015-12-31T23:59:59Z"),
        sale("2016-01-01T00:00:00Z"),
        sale("2016-01-31T23:59:59Z"),
        sale("2016-02-01T00:00:00Z"),
    ]
    found = await transactions(rows)
    assert [f"{tx.occurred_at:%Y-%m-%d}" for tx in found] == ["2016-01-01", "2016-01-31"]
    exact = datetime(2016, 1, 31, 23, 59, 59, 500_000, tzinfo=UTC)
    assert await transactions(rows, since=exact, until=UNTIL) == []
    assert len(await transactions(rows, since=SINCE, until=exact)) == 2
    assert await transactions(rows, since=date(2016, 1, 2), until=date(2016, 1, 3)) == []


def test_a_long_report_in_order_forgets_what_is_past():
    """More keys than the bound are fine where rows come in order of time: the past cannot come again."""
    seen = Occurrences(bound=10)
    moments = [START + timedelta(seconds=number // 2) for number in range(100)]
    keys = [f"{moment:%H:%M:%S}|x" for moment in moments]
    numbers = []
    for start in range(0, 100, 7):
        numbers += seen.number(moments[start : start + 7], keys[start : start + 7], str)
    assert numbers == [0, 1] * 50


@given(
    seconds=st.lists(st.integers(0, 3), max_size=30),
    order=st.sampled_from(["rising", "falling", "none", "late"]),
    size=st.integers(1, 7),
)
def test_keys_count_in_any_order(seconds, order, size):
    """A key that was put aside counts again when the order of time breaks: no number is given twice."""
    if order != "none":
        seconds = sorted(seconds, reverse=order == "falling") + ([0, 1] if order == "late" else [])
    seen = Occurrences()
    keys = [f"{second}|x" for second in seconds]
    moments = [START + timedelta(seconds=second) for second in seconds]
    numbers = []
    for start in range(0, len(keys), size):
        numbers += seen.number(moments[start : start + size], keys[start : start + size], str)
    assert numbers == [keys[:place].count(key) for place, key in enumerate(keys)]


def test_a_long_report_in_no_order_is_refused():
    """Where rows are many and in no order, one number might be given twice; that is told."""
    seen = Occurrences(bound=3)
    moments = [START + timedelta(seconds=second) for second in (1, 2, 3, 4, 5)]
    seen.number(moments, [f"{moment}|x" for moment in moments], str)
    with pytest.raises(SchemaError, match="no order"):
        seen.number([START], [f"{START}|x"], str)
