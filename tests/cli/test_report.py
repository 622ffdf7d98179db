"""``adnet report``: what the landed rows say."""

import json
from decimal import Decimal

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from analysis.kit import LATER, Land, ad, campaign, sale, stat

from adnet.analysis import Days, ProfitRow, Report
from adnet.analysis.sections import Column, Section
from adnet.cli import main
from adnet.cli.report import data_of


@pytest.fixture
def report(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(*words):
        code = main(["report", *words])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
async def uri(tmp_path):
    """Land a campaign that spent three dollars, its sales, and a late approval."""
    land = Land("duckdb", tmp_path)
    await land(
        [
            campaign("100", "Größe \x1b[31m"),
            ad("9001", "100"),
            stat("100", "2"),
            stat("100", "1", day=LATER.date()),
        ]
    )
    await land.income(
        [sale(1, "5", "pending", "100"), sale(2, "7", "paid"), sale(3, "1", "declined", "9001")]
    )
    return await land.income([sale(1, "5", "approved", "100")], at=LATER)


async def in_thread(function, *words):
    """Call the command line from a test that has a loop of its own."""
    import asyncio

    return await asyncio.to_thread(function, *words)


async def test_profit_as_json_has_every_section(report, uri):
    """Amounts exact, as text; ratios with six decimals at most."""
    code, out, _ = await in_thread(report, "profit", "--from", uri, "--json")
    data = json.loads(out)
    assert (code, data["report"], data["since"]) == (0, "profit", None)
    assert {row["campaign_id"]: row["profit"] for row in data["campaigns"]} == {
        "100": "2.000000",
        None: "7.000000",
    }
    assert data["campaigns"][1]["roas"] == "1.666667"
    assert [(row["how"], row["transactions"]) for row in data["matching"]] == [
        ("campaign id", 1),
        ("ad id", 1),
        ("none", 1),
    ]
    assert [row["change"] for row in data["earned_changes"]] == ["5.000000"]
    assert [(row["first_status"], row["status"]) for row in data["late_changes"]] == [("pending", "approved")]
    assert [row["offer_name"] for row in data["offers"]] == ["Boots"]


async def test_spend_for_people_is_a_table(report, uri):
    """By campaign unless asked otherwise; nothing in it is an order to a terminal."""
    code, out, err = await in_thread(report, "spend", "--from", uri)
    assert (code, err) == (0, "")
    assert "Spend by campaign\ncampaign  name         currency  spend  clicks   CPC\n" in out
    assert "\x1b" not in out


async def test_rows_are_told_apart_as_asked(report, uri):
    """More than one way at once."""
    _, out, _ = await in_thread(report, "spend", "--from", uri, "--by", "account", "--by", "day", "--json")
    assert [(row["account"], row["day"], row["spend"]) for row in json.loads(out)["rows"]] == [
        ("native", "2026-01-14", "2.000000"),
        ("native", "2026-02-15", "1.000000"),
    ]
    _, out, _ = await in_thread(report, "profit", "--from", uri, "--by", "sub-id", "--sub-id", "1", "--json")
    assert {row["sub_id"]: row["spend"] for row in json.loads(out)["sub_ids"]} == {
        "100": "3.000000",
        "9001": None,
        None: None,
    }


async def test_days_are_half_open(report, uri):
    """Since is included, until is not."""
    words = ("--since", "2026-01-14", "--until", "2026-01-15", "--json")
    _, out, _ = await in_thread(report, "spend", "--from", uri, *words)
    assert json.loads(out)["totals"][0]["spend"] == "2.000000"


async def test_a_page_is_written_beside_the_tables(report, uri, tmp_path):
    """And said so."""
    code, out, err = await in_thread(report, "profit", "--from", uri, "--html", "profit.html", "--json")
    assert (code, "wrote profit.html" in err, json.loads(out)["report"]) == (0, True, "profit")
    assert (tmp_path / "profit.html").read_text("utf-8").startswith("<!doctype html>")


async def test_long_tables_are_cut_for_people_only(report, uri):
    """And say how many rows are left out."""
    _, out, _ = await in_thread(report, "spend", "--from", uri, "--by", "day", "--top", "1")
    assert "Spend by day (the first 1; 1 more with --top, --json or --html)" in out
    _, out, _ = await in_thread(report, "spend", "--from", uri, "--by", "day", "--top", "1", "--json")
    assert len(json.loads(out)["days"]) == 2


async def test_goals_of_a_file_are_joined_to_spend(report, uri, tmp_path):
    """By their labels."""
    (tmp_path / "goals.csv").write_text("Campaign,Event name,Sessions,Key events,Revenue\n100,buy,8,2,9\n")
    words = ("--goals", "goals.csv", "--goals-currency", "USD", "--json")
    _, out, _ = await in_thread(report, "spend", "--from", uri, *words)
    (row,) = json.loads(out)["goals"]
    assert (row["goal"], row["reached"], Decimal(row["cost"]), row["revenue_currency"]) == (
        "buy",
        2,
        Decimal("1.5"),
        "USD",
    )


@pytest.mark.parametrize(
    ("words", "told"), [((), "revenue (?)"), (("--goals-currency", "EUR"), "revenue  in")]
)
async def test_revenue_is_never_without_a_currency(report, uri, tmp_path, words, told):
    """That of spend stands beside it; where it has none of its own, that is said."""
    (tmp_path / "goals.csv").write_text("Campaign,Event name,Sessions,Key events,Revenue\n100,buy,8,2,9\n")
    _, out, err = await in_thread(report, "spend", "--from", uri, "--goals", "goals.csv", *words)
    assert (told in out, "name it with --goals-currency" in err) == (True, not words)
    assert ("revenue (?)" in out) == (not words)
    code, _, _ = await in_thread(
        report, "spend", "--from", uri, "--goals", "goals.csv", *words, "--html", "page.html"
    )
    assert (code, ">revenue (?)<" in (tmp_path / "page.html").read_text("utf-8")) == (0, not words)


async def test_goals_of_metrica_need_a_token(report, uri, monkeypatch):
    """Named in the environment, never on the command line."""
    monkeypatch.delenv("METRICA_TOKEN", raising=False)
    code, _, err = await in_thread(report, "spend", "--from", uri, "--goals", "metrica:4414/7,8")
    assert (code, "set METRICA_TOKEN" in err) == (2, True)


async def test_goals_of_metrica_are_joined_to_spend(report, uri, monkeypatch):
    """Asked for with the token of the environment."""
    asked = []

    async def answer(request):
        asked.append((request.headers["Authorization"], request.query["metrics"]))
        rows = [{"dimensions": [{"name": "100"}, {"name": None}], "metrics": [8.0, 2.0]}]
        return web.json_response({"data": rows, "total_rows": 1, "sampled": False})

    app = web.Application()
    app.router.add_get("/stat/v1/data", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        monkeypatch.setenv("METRICA_TOKEN", "y0_token")
        monkeypatch.setenv("METRICA_BASE_URL", str(server.make_url("")))
        words = ("--since", "2026-01-01", "--until", "2026-02-01", "--goals", "metrica:4414/7", "--json")
        _, out, _ = await in_thread(report, "spend", "--from", uri, *words)
    assert [(row["campaign_id"], row["goal"], row["reached"]) for row in json.loads(out)["goals"]] == [
        ("100", "7", 2)
    ]
    assert asked == [("OAuth y0_token", "ym:s:visits,ym:s:goal7reaches")]


async def test_nothing_landed_is_no_error(report, uri):
    """It is said."""
    code, out, err = await in_thread(report, "profit", "--from", uri, "--since", "2030-01-01")
    assert (code, "(none)" in out, "nothing has landed" in err) == (0, True, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["profit"], "--from"),
        (["profit", "--from", "duckdb:none.duckdb"], "there is nothing at"),
        (["profit", "--from", "sqlite:x"], "rows can be read from duckdb:PATH"),
        (["spend", "--from", "duckdb:x", "--by", "offer"], "offer"),
        (["spend", "--from", "duckdb:x", "--since", "soon"], "'soon' is no day"),
        (["spend", "--from", "duckdb:x", "--goals-currency", "dollar"], "'dollar' is no currency"),
        (["spend", "--from", "csv:~no-such-user/ads"], "there is no home folder for ~no-such-user"),
        (["spend", "--from", "csv:\udcff"], "is not text in UTF-8; name another place"),
        (["spend", "--from", "duckdb:x", "--since", "2026-01-02", "--until", "2026-01-01"], "is not before"),
        (["spend", "--from", "duckdb:x", "--goals", "none.csv"], "none.csv cannot be read"),
        (["spend", "--from", "duckdb:x", "--goals", "metrica:x"], "is no counter"),
        (["sales", "--from", "duckdb:x"], "there is no command 'sales'"),
    ],
)
def test_a_mistake_is_told_in_one_line(report, words, said):
    """Exit code 2."""
    code, out, err = report(*words)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert said in err


@pytest.mark.parametrize(
    ("page", "said"),
    [("no/such/page.html", "there is no folder no/such for --html; make it, or name another file"),
     ("/dev/full", "/dev/full cannot be written: No space left on device; name another file with --html"),
     ("", "--html is empty; name a file")],
)  # fmt: skip
async def test_a_page_that_cannot_be_written_is_told(report, uri, page, said):
    """By its name, with what to do, and before a report is made where that can be known."""
    code, out, err = await in_thread(report, "spend", "--from", uri, "--html", page)
    assert (code, out, err) == (2, "", f"adnet: {said}\n")


def test_a_ratio_of_much_and_next_to_nothing_is_told():
    """Spend of a millionth beside a world of sales is odd, but no reason to end."""
    row = ProfitRow(currency="USD", spend=Decimal("0.000001"), paid=Decimal(2) * 10**16)
    section = Section(key="totals", title="", columns=(Column("roas", "ROAS", "ratio"),), rows=[row])
    told = Report(kind="profit", title="", uri="", days=Days(), sections=(section,))
    assert data_of(told)["totals"] == [{"roas": Decimal(2) * 10**22}]
