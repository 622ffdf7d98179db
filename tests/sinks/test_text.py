"""CSV and JSON lines: what the files look like, and when they are written."""

import csv
import json
import sqlite3
import stat
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sink_kit import LATER, START, Place, stats, transactions

from adnet.errors import SinkError
from adnet.models.tables import TABLES
from adnet.sinks import Landed

DB = ".adnet-landing.db"


@pytest.fixture(params=["csv", "jsonl"])
def text_place(request: pytest.FixtureRequest, place_of: Callable[[str], Place]) -> Place:
    return place_of(request.param)


async def test_csv_to_the_byte(place_of: Callable[[str], Place]) -> None:
    """A CSV file has a header, CRLF, RFC 4180 quotes, empty cells for NULL and ISO 8601 instants with Z."""
    place = place_of("csv")
    columns = transactions(1, start=1, product_group=None, offer_name='a "b", c', occurred_at=LATER)
    await place.land(columns)
    expected = (
        "network,account,transaction_id,tracking_id,status,status_raw,kind,product_group,occurred_at,offer_id,"
        "offer_name,source_name,amount,commission,currency,country,sub_ids,fetched_at,raw\r\n"
        'net,acc,tx-000001,track-1,pending,Pending,sale,,2026-02-03T04:05:06.789000Z,1,"a ""b"", c",Site,0.25,0.01,'
        'EUR,,"[""a1"",""b""]",2026-01-01T00:00:00Z,"{""n"": 1}"\r\n'
    )
    assert expected.encode() == (place.path / "transactions.csv").read_bytes()


async def test_csv_has_a_header_always(place_of: Callable[[str], Place]) -> None:
    """A table without rows is a header."""
    place = place_of("csv")
    async with place.opened():
        pass
    first = (place.path / "clicks.csv").read_text(encoding="utf-8")
    assert ",".join(TABLES["clicks"].full_columns) + "\n" == first


@pytest.mark.parametrize("sign", list("=+-@\t\r\n"))
async def test_formula_is_neutralised(place_of: Callable[[str], Place], sign: str) -> None:
    """A text that a spreadsheet would run gets an apostrophe; an amount below zero is a number and does not."""
    place = place_of("csv")
    await place.land(transactions(1, offer_name=f"{sign}SUM(A1)", status="-", amount=Decimal("-1.5")))
    with (place.path / "transactions.csv").open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    assert (f"'{sign}SUM(A1)", "'-", "-1.5") == (row["offer_name"], row["status"], row["amount"])
    assert (
        await place.land(transactions(1, offer_name=f"{sign}SUM(A1)", status="-", amount=Decimal("-1.5")))
    ).changed_rows == 0


async def test_json_line(place_of: Callable[[str], Place]) -> None:
    """A line of JSON has every column; amounts and instants are texts, lists are lists."""
    place = place_of("jsonl")
    await place.land(stats(1, spend=Decimal("12.50")), "stats")
    assert {
        "network": "net",
        "account": "acc",
        "date": date(2026, 1, 1).isoformat(),
        "level": "campaign",
        "object_id": "c1",
        "campaign_id": "c1",
        "impressions": None,
        "clicks": 0,
        "spend": "12.5",
        "conversions": 0,
        "revenue": None,
        "currency": "USD",
        "fetched_at": "2026-01-01T00:00:00Z",
        "raw": None,
    } == json.loads((place.path / "stats.jsonl").read_text(encoding="utf-8"))


async def test_landing_store_is_private(text_place: Place) -> None:
    """Only the owner reads the store."""
    await text_place.land(transactions(1))
    assert stat.S_IMODE((text_place.path / DB).stat().st_mode) == 0o600


async def test_exports_are_seconds_apart(text_place: Place) -> None:
    """Files follow a commit at once, then at most every few seconds, and at the end."""
    path = text_place.path / f"transactions.{text_place.scheme}"

    def lines() -> int:
        return path.read_bytes().count(b"\n") - (text_place.scheme == "csv")

    async with text_place.opened() as sink:
        for count, seconds in ((1, 0.0), (1, 4.0), (3, 1.0), (3, 1.0)):
            text_place.clock.seconds += seconds
            landing = sink.landing(network="net", account="acc", fetched_at=START)
            await landing.write(
                "transactions", transactions(1, start=10 * int(text_place.clock.seconds) + count)
            )
            await landing.commit()
            assert count == lines()
    assert lines() == 4


async def test_unchanged_file_is_not_written_again(text_place: Place) -> None:
    """A run that changes nothing leaves the files as they are; a file that is gone comes back."""
    await text_place.land(transactions(3))
    path = text_place.path / f"transactions.{text_place.scheme}"
    before = path.stat().st_ino
    await text_place.land(transactions(3))
    assert before == path.stat().st_ino
    path.unlink()
    await text_place.land(transactions(3))
    assert len(text_place.rows()) == 3


async def test_both_formats_of_one_folder(place_of: Callable[[str], Place], tmp_path: Path) -> None:
    """CSV and JSON lines in one folder share what has landed."""
    one, other = place_of("csv"), place_of("jsonl")
    other.path = one.path
    await one.land(transactions(2))
    await other.land(transactions(1, start=2))
    assert (len(one.rows()), len(other.rows())) == (2, 3)
    await one.land(transactions(1, start=2))
    assert one.rows() == other.rows()


async def test_files_of_others_are_not_overwritten(text_place: Place) -> None:
    """A folder with such files but without the store is refused, and they stay."""
    await text_place.land(transactions(2))
    (text_place.path / DB).unlink()
    with pytest.raises(SinkError, match=rf"transactions\.{text_place.scheme}.*move them away"):
        await text_place.land(transactions(1))
    assert len(text_place.rows()) == 2
    assert not (text_place.path / DB).exists()


async def test_damaged_store(text_place: Place) -> None:
    """A store that is no database is refused by name, and left alone."""
    text_place.path.mkdir(parents=True)
    (text_place.path / DB).write_bytes(b"garbage" * 1000)
    with pytest.raises(SinkError, match=rf"{DB}: is damaged: move its folder away"):
        await text_place.land(transactions(1))
    assert (text_place.path / DB).read_bytes() == b"garbage" * 1000


async def test_what_has_landed_is_told_as_landed_though_its_export_fails(text_place: Place) -> None:
    """A commit that raises has landed nothing; a file that cannot be written is told when the sink closes."""
    in_the_way = text_place.path / f"transactions.{text_place.scheme}"
    sink = text_place.sink()
    await sink.open()
    landing = sink.landing(network="net", account="acc", fetched_at=START)
    await landing.write("transactions", transactions(3))
    in_the_way.mkdir()
    assert (await landing.commit())["transactions"] == Landed(3, 3, 0)
    with pytest.raises(SinkError, match=rf"transactions\.{text_place.scheme}: "):
        await sink.close()
    in_the_way.rmdir()
    async with text_place.opened():
        pass
    assert len(text_place.rows()) == 3


async def test_file_of_an_older_version_gets_new_columns(text_place: Place) -> None:
    """At once, and not only when a row of the table changes, which in a history may be never."""
    await text_place.land(transactions(1))
    name = f"transactions.{text_place.scheme}"
    database = sqlite3.connect(text_place.path / DB)
    database.execute("ALTER TABLE transactions DROP COLUMN country")
    database.close()
    (text_place.path / name).write_text("as an older adnet wrote it\n", encoding="utf-8")
    async with text_place.opened():
        pass
    assert text_place.column("country") == [None]
