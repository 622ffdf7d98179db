"""A report as one page that needs nothing else."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from adnet.analysis import Days, open_tables
from adnet.analysis.chart import svg
from adnet.analysis.page import page
from adnet.analysis.report import profit_report, spend_report
from adnet.analysis.sections import Bars, Column, Report, Section
from adnet.money import Money
from analysis.kit import campaign, sale, stat

MADE = datetime(2026, 2, 1, 8, 30, tzinfo=UTC)
EVIL = '</title><script>alert("x")</script>\x1b[31m\u202e\ud800&amp;'
VOID = {"meta", "line"}


class Reader(HTMLParser):
    """Reads a page, and refuses one whose elements do not close in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
async def report(land):
    """Return a report about one campaign with an evil name, in two currencies."""
    await land(
        [
            campaign("100", EVIL.replace("\ud800", "?")),
            stat("100", "2000"),
            stat("100", "1", day=date(2026, 1, 17)),
        ]
    )
    uri = await land.income([sale(1, "5", "paid", "100"), sale(2, "7", "paid", currency="EUR")])
    with open_tables(uri) as tables:
        return profit_report(tables)


def test_a_page_is_whole_and_says_what_it_tells(report):
    """Every element closes; days, source and time are told."""
    reader = Reader(page(report, made_at=MADE))
    words = " ".join(reader.words)
    assert "All days that have landed. Told by duckdb:" in words
    assert "made on 2026-02-01 at 08:30 UTC" in words
    assert "2,001.00 USD" in words
    assert reader.all("html") == [{"lang": "en"}]


async def test_no_amount_of_the_cards_is_without_its_currency(land):
    """What a conversion cost is money, too; a return on spend is none."""
    uri = await land([campaign("100"), stat("100", "9", conversions=4, revenue=Money(18, "USD"))])
    with open_tables(uri) as tables:
        spent = Reader(page(spend_report(tables), made_at=MADE)).words
        earned = Reader(page(profit_report(tables), made_at=MADE)).words
    assert [spent[spent.index(label) - 1] for label in ("spend", "CPA")] == ["9.00 USD", "2.25 USD"]
    assert earned[earned.index("ROAS") - 1] == "0.00"


def test_every_text_is_escaped(report):
    """Names come from networks."""
    text = page(report, made_at=MADE)
    reader = Reader(text)
    assert "alert(" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert reader.all("script") == []
    assert any('<script>alert("x")</script>' in word for word in reader.words)


def test_a_page_asks_for_nothing(report):
    """No script, no link, no image, and a policy that would not let a browser."""
    text = page(report, made_at=MADE)
    assert not {"script", "link", "img", "iframe", "object", "form", "a"} & {
        tag for tag, _ in Reader(text).tags
    }
    assert not re.search(r"(?:src=|href=|url\(|@import|https?:)", text)
    (policy,) = [meta["content"] for meta in Reader(text).all("meta") if "http-equiv" in meta]
    assert policy.startswith("default-src 'none'")


def test_tables_can_be_read_without_seeing_them(report):
    """Heads of columns and rows have their scope, and what scrolls can be reached by keyboard."""
    reader = Reader(page(report, made_at=MADE))
    assert {head["scope"] for head in reader.all("th")} == {"col", "row"}
    regions = [tag for tag in reader.all("div") if tag.get("role") == "region"]
    assert {tag["tabindex"] for tag in regions} == {"0"}
    assert {tag["aria-labelledby"] for tag in regions} <= {tag["id"] for tag in reader.all("h2")}


def test_losses_are_marked_by_their_sign_too(report):
    """Not by colour alone."""
    assert '<td class="n bad">-1,996.00</td>' in page(report, made_at=MADE)


async def test_a_page_about_nothing_says_so(land):
    """It is no blank page."""
    uri = await land([stat("100", "2")])
    with open_tables(uri) as tables:
        empty = spend_report(tables, Days(since=date(2030, 1, 1)))
    assert empty.is_empty
    assert "Nothing has landed for these days." in page(empty, made_at=MADE)


def test_a_text_that_is_no_unicode_harms_nobody():
    """Half of a surrogate pair becomes a question mark."""
    section = Section(key="totals", title=EVIL, columns=(Column("day", EVIL),), rows=[], note=EVIL)
    report = Report(kind="spend", title=EVIL, uri=EVIL, days=Days(), sections=(section, section))
    page(report, made_at=MADE).encode("utf-8")


def bars(*amounts, days=None):
    first = date(2026, 1, 1).toordinal()
    rows = [(date.fromordinal(first + n), tuple(map(Decimal, pair))) for n, pair in enumerate(amounts)]
    return Bars(title="Spend", currency="USD", series=("spend", "earned")[: len(amounts[0])], days=rows)


def test_a_chart_tells_in_words_what_it_draws():
    """Its sums as its title, and each bar's day and amount."""
    drawn = svg(bars(("1", "2"), ("3", "4")), number=0)
    assert "Spend, USD: 2 days from 2026-01-01 to 2026-01-02, in all spend 4.00, earned 6.00" in drawn
    assert "<title>2026-01-02: earned 4.00 USD</title>" in drawn
    assert 'role="img" aria-labelledby="chart-0"' in drawn
    Reader(drawn)


@pytest.mark.parametrize(
    ("most", "labels"),
    [("543", ["0", "200", "400", "600"]), ("0.3", ["0.0", "0.1", "0.2", "0.3"]), ("0", ["0", "1"]),
     ("1", ["0.00", "0.25", "0.50", "0.75", "1.00"]), ("-5", ["0", "1"]),
     ("1500000", ["0", "500,000", "1,000,000", "1,500,000"])],
)  # fmt: skip
def test_the_scale_has_round_numbers(most, labels):
    """From nothing to at least the highest bar."""
    drawn = svg(bars((most,)), number=0)
    assert re.findall(r'text-anchor="end">([\d,.]+)</text>', drawn)[: len(labels)] == labels


def test_bars_stay_within_the_chart():
    """However many days there are; a negative amount has no height."""
    drawn = svg(bars(*[("5", "-5")] * 900), number=0)
    found = [
        tuple(map(float, pair)) for pair in re.findall(r'x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawn)
    ]
    assert max(x + width for x, width in found) <= 960.5
    assert 'height="-' not in drawn
    assert len(re.findall(r">\d{4}-\d\d-\d\d</text>", drawn)) <= 8


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9, 15, 16, 900])
def test_a_days_label_stands_under_its_bars(count):
    """Of few days and of many; only where it would leave the chart it is moved, as little as need be."""
    drawn = svg(bars(*[("5",)] * count), number=0)
    middles = [
        float(x) + float(width) / 2
        for x, width in re.findall(r'x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawn)
    ]
    days = [date.fromordinal(date(2026, 1, 1).toordinal() + n).isoformat() for n in range(count)]
    labels = re.findall(r'<text x="([\d.]+)" y="252" text-anchor="middle">([\d-]+)</text>', drawn)
    assert len(labels) == len(re.findall(r">\d{4}-\d\d-\d\d</text>", drawn)) > 0
    for x, day in labels:
        assert float(x) == pytest.approx(min(middles[days.index(day)], 960 - 36), abs=0.1)


async def test_days_without_amounts_are_gaps(report):
    """The bars of the fourteenth and the seventeenth do not stand side by side."""
    (dollars,) = [bars for bars in report.bars if bars.currency == "USD"]
    assert [day.day for day, _ in dollars.days] == [14, 15, 16, 17]
    assert [bool(any(amounts)) for _, amounts in dollars.days] == [True, False, False, True]


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [("2026-01-01", "2026-02-01", "2026-01-01 up to, but without, 2026-02-01."),
     ("2026-01-01", None, "From 2026-01-01 on."), (None, "2026-02-01", "Before 2026-02-01.")],
)  # fmt: skip
def test_a_page_tells_its_days(since, until, said):
    """The end is not among them."""
    days = Days(since and date.fromisoformat(since), until and date.fromisoformat(until))
    empty = Section(key="totals", title="In all", columns=(), rows=[])
    assert said in page(Report(kind="spend", title="x", uri="y", days=days, sections=(empty,)), made_at=MADE)


async def test_a_report_says_what_is_told_apart(land):
    """A campaign that spends in one currency and earns in another has two rows, and sub ids may have no spend."""
    await land([campaign("100"), stat("100", "2")])
    uri = await land.income([sale(1, "5", "paid", "100", currency="EUR")])
    with open_tables(uri) as tables:
        assert "have a row for each" in profit_report(tables).sections[1].note
        assert "that are a campaign's or an ad's id" in profit_report(tables, by=["sub_id"]).sections[1].note


async def test_a_currency_without_amounts_is_not_drawn(land):
    """An empty chart says nothing; a very long one has no gaps."""
    uri = await land(
        [stat("1", "0"), stat("2", "3", currency="EUR"), stat("2", "3", currency="EUR", day=date(2030, 1, 1))]
    )
    with open_tables(uri) as tables:
        (drawn,) = spend_report(tables).bars
    assert (drawn.currency, len(drawn.days)) == ("EUR", 2)
