"""The landed tables, opened for reading."""

import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from adnet.analysis import earned_changes, open_tables, profit, spend
from adnet.errors import ConfigurationError, SinkError
from analysis.kit import LATER, Land, campaign, sale, stat


@pytest.mark.parametrize("scheme", ["duckdb", "parquet", "csv", "jsonl"])
async def test_every_place_gives_the_same_answers(scheme, tmp_path):
    """Amounts exact, days as days, lists as lists, histories too."""
    land = Land(scheme, tmp_path)
    await land([campaign("100", 'He said "no", twice\nhere'), stat("100", "2.000001", impressions=None)])
    await land.income([sale(1, "5.5", "pending", "x", "100"), sale(2, "1", "paid", 'a "b", c')])
    uri = await land.income([sale(1, "5.5", "approved", "x", "100")], at=LATER)
    with open_tables(uri) as tables:
        best, rest = profit(tables, by=["campaign", "day"])
        assert [row.change for row in earned_changes(tables)] == [Decimal("5.5")]
    assert (best.campaign_name, best.profit) == ('He said "no", twice\nhere', Decimal("3.499999"))
    assert (best.day, rest.earned) == (date(2026, 1, 14), 1)


@pytest.mark.parametrize("scheme", ["duckdb", "parquet", "csv", "jsonl"])
async def test_a_star_in_a_folders_name_reads_no_other_folder(scheme, tmp_path):
    """Rows of a neighbour whose name the star would match are not added up."""
    for name, spent in (("a*b", "2"), ("a-b", "3")):
        (tmp_path / name).mkdir()
        await Land(scheme, tmp_path / name)([campaign("100"), stat("100", spent)])
    with open_tables(Land(scheme, tmp_path / "a*b").uri) as tables:
        assert [row.spend for row in spend(tables)] == [2]


@pytest.mark.parametrize("scheme", ["duckdb", "parquet", "csv", "jsonl"])
async def test_nothing_is_written_where_it_is_read(scheme, tmp_path):
    """Not even a file beside it."""
    uri = await Land(scheme, tmp_path)([stat("100", "2")])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with open_tables(uri) as tables:
        assert len(spend(tables)) == 1
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_table_or_column_of_a_newer_adnet_may_be_missing(tmp_path):
    """What is there is told."""
    file = tmp_path / "old.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "CREATE TABLE stats AS SELECT 'n' AS network, 'a' AS account, DATE '2026-01-14' AS date,"
            " 'campaign' AS level, 'c' AS object_id, 3::DECIMAL(18,6) AS spend"
        )
    with open_tables(f"duckdb:{file}") as tables:
        assert [(row.campaign_id, row.spend, row.clicks) for row in spend(tables)] == [("c", 3, 0)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("transactions.csv", "network,account,transaction_id,status,commission\nn,a,1,paid,3\n"),
        (
            "transactions.jsonl",
            '{"network":"n","account":"a","transaction_id":"1","status":"paid","commission":3}\n',
        ),
    ],
)
def test_a_list_that_an_older_adnet_did_not_write_may_be_missing(name, text, tmp_path):
    """As any other column may."""
    (tmp_path / name).write_text(text)
    with open_tables(f"{name.partition('.')[2]}:{tmp_path}") as tables:
        assert [(row.campaign_id, row.earned) for row in profit(tables)] == [(None, 3)]


@pytest.mark.parametrize("uri", ["", "ads.duckdb", "duckdb:", "sqlite:x", "jsonl:-"])
def test_a_place_that_cannot_be_read_is_refused(uri):
    """The message names those that can."""
    with (
        pytest.raises(ConfigurationError, match="can be read from duckdb:PATH, parquet:PATH"),
        open_tables(uri),
    ):
        pytest.fail("it was opened")


@pytest.mark.parametrize(
    ("uri", "told"),
    [("csv:~no-such-user/ads", "no home folder for ~no-such-user"), ("csv:\udcff", "is not text in UTF-8")],
)
def test_a_place_that_cannot_be_is_refused(uri, told):
    """In Python as on the command line."""
    with pytest.raises(ConfigurationError, match=told), open_tables(uri):
        pytest.fail("it was opened")


def test_a_place_that_is_not_there_is_refused(tmp_path):
    """And not made."""
    file = tmp_path / "ads.duckdb"
    with pytest.raises(ConfigurationError, match="nothing at"), open_tables(f"duckdb:{file}"):
        pytest.fail("it was opened")
    assert not file.exists()


@pytest.mark.parametrize("scheme", ["csv", "parquet", "duckdb"])
async def test_a_place_without_landed_tables_is_refused(tmp_path, scheme):
    """As where another kind of sink landed: nothing there is not the same as nothing landed."""
    await Land("jsonl", tmp_path)([campaign("100")])
    place = tmp_path / "jsonl"
    if scheme == "duckdb":
        place = tmp_path / "other.duckdb"
        with duckdb.connect(str(place)) as connection:
            connection.execute("CREATE TABLE strange (x INTEGER)")
    told = re.escape(f"no pull has landed anything at {scheme}:{place}")
    with pytest.raises(ConfigurationError, match=told), open_tables(f"{scheme}:{place}"):
        pytest.fail("it was opened")


def test_a_file_that_is_no_database_is_told(tmp_path):
    """In one line that names it."""
    file = tmp_path / "ads.duckdb"
    file.write_text("no database at all, but long enough to be read as the beginning of one\n" * 100)
    with pytest.raises(SinkError, match=r"ads\.duckdb: is damaged or no DuckDB database"):
        open_and_close(file)


def test_a_part_that_is_no_parquet_is_told(tmp_path):
    """As what cannot be read."""
    (tmp_path / "stats").mkdir()
    (tmp_path / "stats" / "1.parquet").write_text("no parquet")
    with pytest.raises(SinkError, match="cannot be read"), open_tables(f"parquet:{tmp_path}"):
        pytest.fail("it was opened")


def open_and_close(file: Path) -> None:
    """Open a database that should not open."""
    with open_tables(f"duckdb:{file}"):
        pytest.fail("it was opened")


def test_a_database_that_another_process_has_open_is_told(tmp_path):
    """It is read when that has ended."""
    file = tmp_path / "ads.duckdb"
    script = f"import duckdb\nc = duckdb.connect({str(file)!r})\nprint('open', flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "open\n"
        with pytest.raises(SinkError, match="is in use by another process"):
            open_and_close(file)
        other.communicate("\n")


def test_reports_say_which_library_they_need(tmp_path, monkeypatch):
    """In place of a trace."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with (
        pytest.raises(ConfigurationError, match=r"pip install .adnet\[duckdb\]"),
        open_tables(f"csv:{tmp_path}"),
    ):
        pytest.fail("it was opened")
