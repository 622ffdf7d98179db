"""Goals from Yandex Metrica's reporting API, by what its document says and public clients show."""

from datetime import date
from decimal import Decimal

import pytest

from adnet.analysis import Days
from adnet.analysis.metrica import open_metrica
from adnet.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConfigurationError,
    PayloadError,
    RateLimitError,
    SchemaError,
)
from adnet.testing import FakeClock, ScriptTransport, answer

TOKEN = "y0_secret-token"
JANUARY = Days(date(2026, 1, 1), date(2026, 2, 1))


def page(*rows, **rest):
    """Return an answer; a row is two labels and its figures."""
    data = [
        {"dimensions": [{"name": one}, {"name": two}], "metrics": list(figures)}
        for one, two, *figures in rows
    ]
    return answer(json={"data": data, "total_rows": len(rows), "sampled": False, **rest})


async def read(*script, days=JANUARY, **settings):
    """Return the goals, and the queries that were sent."""
    transport = ScriptTransport(script)
    async with open_metrica(4414, TOKEN, transport=transport, clock=FakeClock(), **settings) as metrica:
        goals = await metrica.read_goals(days)
    assert {request.headers["Authorization"] for request in transport.sent} == {f"OAuth {TOKEN}"}
    return goals, [request.query for request in transport.sent]


async def test_goals_are_asked_for_by_labels():
    """Both days of the period are included at the vendor."""
    goals, (query,) = await read(page(("100", "9001", 30.0, 3.0, 1.0)), goals=["7", "8"])
    assert query == {
        "ids": "4414",
        "metrics": "ym:s:visits,ym:s:goal7reaches,ym:s:goal8reaches",
        "dimensions": "ym:s:UTMCampaign,ym:s:UTMContent",
        "date1": "2026-01-01",
        "date2": "2026-01-31",
        "accuracy": "full",
        "sort": "ym:s:UTMCampaign,ym:s:UTMContent",
        "limit": "10000",
        "offset": "1",
    }
    assert [
        (goal.utm_campaign, goal.utm_content, goal.goal, goal.visits, goal.reached) for goal in goals
    ] == [
        ("100", "9001", "7", 30, 3),
        ("100", "9001", "8", 30, 1),
    ]


async def test_without_goals_all_of_them_are_asked_for_together():
    """As one."""
    (goal,), (query,) = await read(page((None, None, 5, 2)))
    assert (goal.goal, goal.reached, goal.utm_campaign) == ("any goal", 2, None)
    assert query["metrics"] == "ym:s:visits,ym:s:sumGoalReachesAny"


async def test_revenue_is_asked_for_in_a_currency():
    """And is exact."""
    (goal,), (query,) = await read(page(("100", None, 5, 2, 10.25)), goals=["7"], currency="RUB")
    assert query["metrics"].endswith(",ym:s:goal7RUBrevenue")
    assert (goal.revenue, goal.currency) == (Decimal("10.25"), "RUB")


async def test_pages_are_asked_for_until_all_rows_are_there():
    """Offsets are counted from one."""
    rows = [(str(number), None, 1, 1) for number in range(5)]
    script = [page(*rows[start : start + 2], total_rows=5) for start in (0, 2, 4)]
    goals, queries = await read(*script, page_size=2)
    assert [goal.utm_campaign for goal in goals] == ["0", "1", "2", "3", "4"]
    assert [query["offset"] for query in queries] == ["1", "3", "5"]


async def test_pages_that_end_before_all_rows_are_there_are_told():
    """Goals that are missing would read as if they had not been reached."""
    with pytest.raises(PayloadError, match="2 of 5 rows"):
        await read(page(("1", None, 1, 1), ("2", None, 1, 1), total_rows=5), page(total_rows=5), page_size=2)


async def test_a_row_without_all_that_was_asked_for_is_told():
    """What it leaves out is no zero."""
    with pytest.raises(SchemaError, match="2 figures instead of 3"):
        await read(page(("100", "9001", 30, 3)), goals=["7", "8"])


async def test_a_page_that_is_not_full_is_the_last_where_the_number_is_not_told():
    """No endless asking."""
    goals, queries = await read(page(("1", None, 1, 1), total_rows=None), page_size=2)
    assert (len(goals), len(queries)) == (1, 1)


async def test_many_goals_take_several_requests():
    """Twenty metrics are the most of one."""
    names = [str(number) for number in range(25)]
    figures = ("100", None, 1, *[1] * 19), ("100", None, 1, *[1] * 6)
    goals, queries = await read(*map(page, figures), goals=names)
    assert [len(query["metrics"].split(",")) for query in queries] == [20, 7]
    assert [goal.goal for goal in goals] == names


async def test_an_estimate_is_refused_unless_it_will_do():
    """A tenth of the visits is no count."""
    rows = page(("100", None, 30, 10), sampled=True, sample_share=0.1)
    with pytest.raises(PayloadError, match="estimate from a sample of 10"):
        await read(rows)
    goals, _ = await read(rows, sampled=True)
    assert len(goals) == 1


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (403, "invalid_token", AuthenticationError),
        (401, None, AuthenticationError),
        (403, "access_denied", AccessDeniedError),
        (400, "invalid_parameter", Exception),
    ],
)
async def test_refusals_are_told_in_the_networks_words(status, kind, expected):
    """Without the token."""
    refused = {"errors": [{"error_type": kind, "message": f"no, {TOKEN}"}], "code": status, "message": "no"}
    with pytest.raises(expected, match=r"counter 4414 metrica\.report: no") as caught:
        await read(answer(status, refused))
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("status", [420, 429])
async def test_quotas_are_waited_for(status):
    """Under either status."""
    goals, queries = await read(answer(status, {"errors": []}), page(("1", None, 1, 1)))
    assert (len(goals), len(queries)) == (1, 2)


async def test_a_quota_that_stays_used_up_is_told():
    """In the end."""
    with pytest.raises(RateLimitError):
        await read(*[answer(420, body=b"<html>slow down</html>") for _ in range(20)])


@pytest.mark.parametrize("days", [Days(), Days(since=date(2026, 1, 1)), Days(until=date(2026, 1, 1))])
async def test_both_ends_of_the_period_are_needed(days):
    """Nothing is asked for without them."""
    transport = ScriptTransport()
    async with open_metrica(4414, TOKEN, transport=transport) as metrica:
        with pytest.raises(ConfigurationError, match="both ends"):
            await metrica.read_goals(days)
    assert transport.sent == []


async def test_an_answer_of_another_shape_is_told():
    """By the place where it differs."""
    with pytest.raises(SchemaError, match="data"):
        await read(answer(json={"rows": []}))
