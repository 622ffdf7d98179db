"""Goals from files that were exported by hand."""

from datetime import date
from decimal import Decimal

import pytest

from adnet.analysis import Days
from adnet.analysis.exports import GoalsFile, number, whole
from adnet.errors import ConfigurationError, DecodeError

GA4 = """\
# ----------------------------------------
# Free form 1
# Start date: 20260101
# End date: 20260131
# ----------------------------------------

Session campaign,Session manual ad content,Event name,Sessions,Key events,Total revenue
100,9001,purchase,"1,200",12,"1,234.50"
(not set),(not set),purchase,5,1,0
,,,1205,13,1234.5,Grand total

Country,Active users
Norway,7
"""
METRICA = """\
"UTM Campaign";"UTM Content";"Визиты";"Достижения цели «Заявка»";"Достижения цели (Оплата)"
"Итого и средние";"";"30";"3";"1"
"100";"9001";"30";"3";"1"
"""


@pytest.fixture
def read(tmp_path):
    async def read(text, days=None, **settings):
        path = tmp_path / "goals.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return await GoalsFile(path=path, **settings).read_goals(days or Days())

    return read


def short(goals):
    return [(goal.utm_campaign, goal.utm_content, goal.goal, goal.visits, goal.reached) for goal in goals]


async def test_an_export_of_google_analytics_is_read(read):
    """Remarks, sums and further tables are passed over; labels that are not set are none."""
    goals = await read(GA4, currency="EUR")
    assert short(goals) == [("100", "9001", "purchase", 1200, 12), (None, None, "purchase", 5, 1)]
    assert (goals[0].revenue, goals[0].currency) == (Decimal("1234.50"), "EUR")


async def test_an_export_of_metrica_is_read(read):
    """Where each goal has a column of its own."""
    assert short(await read(METRICA)) == [("100", "9001", "Заявка", 30, 3), ("100", "9001", "Оплата", 30, 1)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_the_usual_encodings_are_read(read, encoding):
    """As spreadsheets write them."""
    assert len(await read(METRICA.encode(encoding))) == 2


async def test_columns_may_be_named(read):
    """Exports come in every language."""
    text = "Kampagne,Ereignis,Anzahl\n100,Kauf,3\n"
    columns = {"utm_campaign": ["Kampagne"], "goal": ["Ereignis"], "reached": ["Anzahl"]}
    assert short(await read(text, columns=columns)) == [("100", None, "Kauf", None, 3)]


@pytest.mark.parametrize("days", ["20260114", "2026-01-14"])
async def test_rows_with_a_day_are_chosen_by_it(read, days):
    """Those without one all count."""
    text = f"Campaign,Date,Conversions\n100,{days},3\n100,20260115,4\n"
    chosen = Days(date(2026, 1, 14), date(2026, 1, 15))
    assert [goal.reached for goal in await read(text, chosen)] == [3]
    assert [goal.reached for goal in await read(text, Days())] == [3, 4]


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("Country,Users\nNorway,7\n", ConfigurationError, "no table has a column of campaigns"),
        ("", ConfigurationError, "no table has a column of campaigns"),
        ("Campaign,Sessions\n100,7\n", ConfigurationError, "no column tells how often a goal was reached"),
        ("Campaign,Conversions\n100,many\n", DecodeError, "'many' is no value for reached"),
        ("Campaign,Date,Conversions\n100,soon,1\n", DecodeError, "'soon' is no value for date"),
    ],
)
async def test_a_file_that_cannot_be_used_says_why(read, text, error, said):
    """With the file's name and what to do."""
    with pytest.raises(error, match=said):
        await read(text, Days(since=date(2026, 1, 1)))


async def test_a_file_that_is_not_there_is_told(tmp_path):
    """By its name."""
    with pytest.raises(ConfigurationError, match=r"none\.csv cannot be read"):
        await GoalsFile(path=tmp_path / "none.csv").read_goals(Days())


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1200", "1200"), ("1,200", "1200"), ("1 200", "1200"), ("1\u00a0200,50", "1200.50"), ("1,5", "1.5"),
     ("1,200.50", "1200.50"), ("1.200,50", "1200.50"), ("12,5 %", "12.5"), ("-3", "-3")],
)  # fmt: skip
def test_numbers_are_read_as_spreadsheets_write_them(text, expected):
    """Exactly."""
    assert number(text) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "expected"), [("1.204", 1204), ("1.204.000", 1204000), ("1,204", 1204), ("7.0", 7)]
)
async def test_visits_are_whole(read, text, expected):
    """A point in them groups thousands: there is no fifth of a visit."""
    assert whole(text) == expected
    with pytest.raises(DecodeError, match=r"'1\.5' is no value for visits"):
        await read("Campaign,Sessions,Key events\n100,1.5,2\n")


async def test_goals_that_are_shared_out_are_not_cut(read):
    """Attribution gives half a goal to a label; two halves are one."""
    goals = await read("Campaign,Key events\n100,0.5\n100,0.5\n")
    assert [goal.reached for goal in goals] == [Decimal("0.5"), Decimal("0.5")]


async def test_a_short_row_has_no_figures(read):
    """What is missing at its end is nothing."""
    assert short(await read("Campaign,Event name,Conversions\n100\n")) == [
        ("100", None, "all goals", None, 0)
    ]


async def test_labels_that_look_like_remarks_or_sums_count(read):
    """Remarks stand before a table, and a row of sums says so at its beginning or its end."""
    text = (
        "# Free form 1\nCampaign,Ad content,Event name,Conversions\n"
        "100,9001,total,3\n#sale,9001,purchase,7\n101,total,purchase,2\n,,,12,Grand total\n"
    )
    assert [(goal.utm_campaign, goal.reached) for goal in await read(text)] == [
        ("100", 3),
        ("#sale", 7),
        ("101", 2),
    ]


@pytest.mark.parametrize(("text", "expected"), [("0,500", "0.5"), ("-0,125", "-0.125"), ("1,200", "1200")])
def test_a_group_of_thousands_does_not_begin_with_nought(text, expected):
    """There a comma can only be a decimal point."""
    assert number(text) == Decimal(expected)
