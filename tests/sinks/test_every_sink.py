"""What every sink does alike."""

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sink_kit import LATER, START, Place, stats, transactions

from adnet.errors import PayloadError, SinkError
from adnet.models.tables import PULLS, TABLES, RawColumn
from adnet.sinks import Landed, Stretch

NAIVE_LATER = LATER.replace(tzinfo=None)
NAIVE_START = START.replace(tzinfo=None)


async def test_first_landing_is_all_new(place: Place) -> None:
    """Every row of a first landing is new and can be read back with every value as it was written."""
    columns = transactions(5)
    assert Landed(5, 5, 0) == await place.land(columns)
    for name, values in columns.items():
        expected = [v.replace(tzinfo=None) for v in values] if name == "occurred_at" else values
        assert expected == place.column(name), name
    assert place.column("network") == ["net"] * 5
    assert place.column("fetched_at") == [NAIVE_START] * 5
    assert [*TABLES["transactions"].full_columns] == list(place.rows()[0])


async def test_landing_twice_changes_nothing(place: Place) -> None:
    """The same rows again leave everything as it was, down to the instant of the first fetch."""
    await place.land(transactions(50))
    before = place.rows()
    assert Landed(50, 0, 0) == await place.land(transactions(50), fetched_at=LATER)
    assert before == place.rows()
    assert place.rows("transactions_history") == []


async def test_changed_row_is_replaced_and_kept(place: Place) -> None:
    """A restated row replaces the old one, which moves to the history with the instant of the landing."""
    await place.land(transactions(4))
    old = place.rows()[2]
    place.clock.instant = LATER
    assert Landed(1, 0, 1) == await place.land(transactions(1, start=2, status="approved"), fetched_at=LATER)
    assert place.column("status") == ["pending", "pending", "approved", "pending"]
    assert place.rows()[2]["fetched_at"] == NAIVE_LATER
    assert [{**old, "replaced_at": NAIVE_LATER}] == place.rows("transactions_history")


@pytest.mark.parametrize("column", TABLES["transactions"].compared)
async def test_every_compared_column_counts(place: Place, column: str) -> None:
    """A value that becomes NULL is a change, whichever column it is in; so is the way back."""
    await place.land(transactions(3, product_group="x", country="DE"))
    assert Landed(3, 0, 3) == await place.land(
        transactions(3, **{"product_group": "x", "country": "DE", column: None})
    )
    assert Landed(3, 0, 3) == await place.land(transactions(3, product_group="x", country="DE"))
    assert len(place.rows("transactions_history")) == 6


async def test_raw_alone_is_replaced_silently(place: Place) -> None:
    """Another raw object alone is no change: it is replaced with its fetch, and no history is written."""
    await place.land(transactions(2))
    assert Landed(2, 0, 0) == await place.land(transactions(2, raw="{}"), fetched_at=LATER)
    assert place.column("raw") == ["{}", "{}"]
    assert place.column("fetched_at") == [NAIVE_LATER] * 2
    assert place.rows("transactions_history") == []


async def test_landing_without_raw_erases_none(place: Place) -> None:
    """A pull that does not keep raw leaves what an earlier one kept."""
    await place.land(transactions(2))
    assert Landed(2, 0, 0) == await place.land(transactions(2, raw=None), fetched_at=LATER)
    assert place.column("raw") == ['{"n": 0}', '{"n": 1}']


async def test_changed_row_without_raw_keeps_none_of_what_it_was(place: Place) -> None:
    """The network's own object told other values than the row does now; the history has it."""
    await place.land(transactions(1))
    assert Landed(1, 0, 1) == await place.land(transactions(1, raw=None, status="paid"), fetched_at=LATER)
    assert (place.column("raw"), place.column("raw", "transactions_history")) == ([None], ['{"n": 0}'])


async def test_rows_of_earlier_landings_stay(place: Place) -> None:
    """New rows, changed rows and rows that are not mentioned live side by side."""
    await place.land(transactions(10))
    mixed = transactions(8, start=5)
    mixed["status"][0] = "paid"
    assert Landed(8, 3, 1) == await place.land(mixed)
    assert [f"tx-{n:06}" for n in range(13)] == place.column("transaction_id")
    assert ["paid" if n == 5 else "pending" for n in range(13)] == place.column("status")


async def test_last_of_a_repeated_key_wins(place: Place) -> None:
    """A key that comes several times in one unit counts once and lands as it came last."""
    async with place.opened() as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        await landing.write("transactions", transactions(3, status="pending"))
        await landing.write("transactions", transactions(3, start=1, status="approved"))
        await landing.write("transactions", transactions(1, start=2, status="paid"))
        assert {"transactions": Landed(4, 4, 0)} == await landing.commit()
    assert place.column("status") == ["pending", "approved", "paid", "approved"]


async def test_repeated_key_beside_landed_rows(place: Place) -> None:
    """Only the last of a repeated key is compared with what has landed, so a detour is no restatement."""
    await place.land(transactions(3))
    async with place.opened() as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=LATER)
        await landing.write("transactions", transactions(3, status="declined"))
        await landing.write("transactions", transactions(2))
        assert {"transactions": Landed(3, 0, 1)} == await landing.commit()
    assert place.column("status") == ["pending", "pending", "declined"]
    assert len(place.rows("transactions_history")) == 1


async def test_one_landing_of_several_tables(place: Place) -> None:
    """One unit may feed several tables, also with no row at all."""
    async with place.opened() as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        await landing.write("stats", stats(3))
        await landing.write("transactions", transactions(2))
        await landing.write("clicks", {name: [] for name in (*TABLES["clicks"].columns, "raw")})
        landed = await landing.commit()
    assert {"stats": Landed(3, 3, 0), "transactions": Landed(2, 2, 0), "clicks": Landed(0, 0, 0)} == landed
    assert [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)] == place.column("date", "stats")
    assert place.column("impressions", "stats") == [None, 2**40 + 1, 2**40 + 2]


async def test_composite_key(place: Place) -> None:
    """Statistics are known by day, level and object together."""
    await place.land(stats(3), "stats")
    assert Landed(3, 3, 0) == await place.land(stats(3, level="ad"), "stats")
    assert Landed(3, 0, 3) == await place.land(stats(3, spend=Decimal(1)), "stats")
    assert [Decimal(1)] * 3 + [Decimal("12.345678")] * 3 == sorted(place.column("spend", "stats"))
    assert [Decimal("12.345678")] * 3 == place.column("spend", "stats_history")


@pytest.mark.parametrize("odd", [b'{"a":1}', '{"é":"😀"}'.encode(), b'{"\xff":3}'])
async def test_raw_lands_as_it_came(place: Place, odd: bytes) -> None:
    """Cut out of a page, in one piece or row by row: the texts are the same."""
    rows = [b'{"n":1}', odd, b"{}"]
    await place.land(transactions(3) | {"raw": RawColumn(rows)})
    assert [row.decode(errors="replace") for row in rows] == place.column("raw")


async def test_keys_are_what_lands(place: Place) -> None:
    """Halves of characters land as question marks: ids that differ in nothing else are one row, now and later."""
    halves = transactions(3) | {"transaction_id": ["a\ud800", "a\ud801", "é"]}
    assert Landed(2, 2, 0) == await place.land(halves)
    assert Landed(2, 0, 0) == await place.land(halves)
    assert sorted(place.column("transaction_id")) == ["a?", "é"]


async def test_table_without_history(place: Place) -> None:
    """A changed campaign replaces the old row and keeps no history."""
    columns: dict[str, list[Any]] = {name: [None] for name in (*TABLES["campaigns"].columns, "raw")}
    columns |= {"campaign_id": ["c1"], "name": ["Old"]}
    await place.land(columns, "campaigns")
    assert Landed(1, 0, 1) == await place.land({**columns, "name": ["New"]}, "campaigns")
    assert place.column("name", "campaigns") == ["New"]


async def test_rollback_leaves_nothing(place: Place) -> None:
    """What was written and rolled back is nowhere, and rolling back again is fine."""
    async with place.opened() as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        await landing.write("transactions", transactions(20_000))
        if place.scheme in {"duckdb", "parquet"}:
            await sink.recorded("any")  # the sink's thread does one thing after the other
            assert place.staged()
        await landing.rollback()
        await landing.rollback()
        assert place.staged() == []
    assert place.rows() == []
    assert place.leftovers() == []


async def test_forgotten_landing_leaves_nothing(place: Place) -> None:
    """A landing that is neither committed nor rolled back leaves no row and no file once the sink is closed."""
    async with place.opened() as sink:
        await sink.landing(network="net", account="acc", fetched_at=START).write(
            "transactions", transactions(20_000)
        )
    assert place.rows() == []
    assert place.leftovers() == []


async def test_accounts_do_not_touch_each_other(place: Place) -> None:
    """The same ids in two accounts are two rows; concurrent landings keep apart."""
    async with place.opened() as sink:

        async def land(account: str, status: str) -> Landed:
            landing = sink.landing(network="net", account=account, fetched_at=START)
            for start in range(0, 30, 10):
                await landing.write("transactions", transactions(10, start=start, status=status))
            return (await landing.commit())["transactions"]

        landed = await asyncio.gather(*(land(f"account {n}", f"s{n}") for n in range(5)))
    assert [Landed(30, 30, 0)] * 5 == landed
    rows = place.rows()
    assert len(rows) == 150
    assert {(f"account {n}", f"s{n}") for n in range(5)} == {(row["account"], row["status"]) for row in rows}


async def test_many_rows_in_small_writes(place: Place) -> None:
    """Rows come in pieces of any size; order of arrival decides only between equal keys."""
    async with place.opened() as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        for start in range(0, 18_000, 750):
            await landing.write("transactions", transactions(750, start=start))
        assert Landed(18_000, 18_000, 0) == (await landing.commit())["transactions"]
        again = sink.landing(network="net", account="acc", fetched_at=LATER)
        await again.write("transactions", transactions(19_000, start=17_000, status="paid"))
        assert Landed(19_000, 18_000, 1_000) == (await again.commit())["transactions"]
    assert len(set(place.column("transaction_id"))) == 36_000
    assert len(place.rows("transactions_history")) == 1_000


async def test_all_null(place: Place) -> None:
    """NULL fits every column that is not of the key, and equals itself."""
    names = TABLES["transactions"].compared
    nothing = transactions(2, **dict.fromkeys(names), raw=None)
    await place.land(nothing)
    assert Landed(2, 0, 0) == await place.land(nothing)
    assert all(row[name] is None for row in place.rows() for name in names)


async def test_empty_list_is_not_null(place: Place) -> None:
    """No countries (rest of world) is something else than unknown countries."""
    await place.land(transactions(1, sub_ids=None))
    assert Landed(1, 0, 1) == await place.land(transactions(1, sub_ids=[]))
    assert place.column("sub_ids") == [[]]


async def test_amounts_are_exact(place: Place) -> None:
    """Up to six fraction digits land as they are; more are rounded half even."""
    amounts = ["0.1", "-0.000001", "999999999999.999999", "1E+3", "2.0000005", "2.0000015", "0", "7"]
    columns = transactions(len(amounts))
    columns["amount"] = [Decimal(amount) for amount in amounts[:-1]] + [7]
    await place.land(columns)
    expected = ["0.1", "-0.000001", "999999999999.999999", "1000", "2", "2.000002", "0", "7"]
    assert [Decimal(amount) for amount in expected] == place.column("amount")
    assert Landed(8, 0, 0) == await place.land(columns)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount", Decimal(1000000000000)),
        ("amount", Decimal("NaN")),
        ("amount", 1.5),
        ("status", 7),
        ("occurred_at", "2026-01-01"),
        ("sub_ids", "abc"),
    ],
)
async def test_value_that_does_not_fit(place: Place, column: str, value: Any) -> None:
    """A value that its column cannot hold is refused by name, and nothing of the unit lands."""
    columns = transactions(3)
    columns[column][1] = value
    async with place.opened() as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        with pytest.raises(PayloadError, match=rf"transactions\.{column}: row 1 "):
            await landing.write("transactions", columns)
        await landing.rollback()
    assert place.rows() == []


@pytest.mark.parametrize("value", [2**63, True, "5"])
async def test_count_that_does_not_fit(place: Place, value: Any) -> None:
    """A count beyond 64 bits, or none at all, is refused by name."""
    with pytest.raises(PayloadError, match=r"stats\.clicks: row 0 "):
        await place.land(stats(1, clicks=value), "stats")


async def test_columns_must_be_the_tables(place: Place) -> None:
    """A missing, an unknown or a short column is refused by name."""
    columns = transactions(3)
    columns["colour"] = columns.pop("kind")
    with pytest.raises(SinkError, match="colour, kind"):
        await place.land(columns)
    short = transactions(3)
    short["raw"].pop()
    with pytest.raises(SinkError, match="lengths"):
        await place.land(short)


async def test_instants_are_utc(place: Place) -> None:
    """An instant of any zone lands as UTC, to the microsecond."""
    local = datetime(2026, 6, 1, 12, 0, 0, 5, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    await place.land(transactions(1, occurred_at=local))
    assert [local.astimezone(UTC).replace(tzinfo=None)] == place.column("occurred_at")


async def test_awkward_text(place: Place) -> None:
    """Quotes, line ends, separators, any script and half a surrogate pair land and come back."""
    texts = [
        'a"b',
        "a,b;c",
        "line\nend\r\n",
        "日本 ü 😀",
        "tab\tin",
        " lead",
        "null",
        "'",
        "x\x00y",
        "half \ud800",
    ]
    columns = transactions(len(texts))
    columns["offer_name"] = texts
    columns["sub_ids"] = [[text] for text in texts]
    await place.land(columns)
    expected = [*texts[:-1], "half ?"]
    assert expected == place.column("offer_name")
    assert [[text] for text in expected] == place.column("sub_ids")
    assert Landed(10, 0, 0) == await place.land(columns)


async def test_account_names_are_data(place: Place) -> None:
    """A quote in an account's name is no SQL."""
    await place.land(transactions(1), account='o\'neil "x" ../..')
    await place.land(transactions(1, status="paid"), account='o\'neil "x" ../..')
    assert [(row["account"], row["status"]) for row in place.rows()] == [('o\'neil "x" ../..', "paid")]


async def test_given_instant_of_replacement(place: Place) -> None:
    """The caller may say when rows were replaced."""
    await place.land(transactions(1))
    async with place.opened() as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START, replaced_at=LATER)
        await landing.write("transactions", transactions(1, kind="lead"))
        await landing.commit()
    assert place.column("replaced_at", "transactions_history") == [NAIVE_LATER]


async def test_a_run_is_known_by_its_id(place: Place) -> None:
    """Another run may go on with it only where this one has left its row, also after closing."""
    async with place.opened() as sink:
        assert not await sink.recorded("p1")
        await sink.record(
            [{"network": "net", "account": "acc", "pull_id": "p1", "table": "stats", "started_at": START}]
        )
        assert await sink.recorded("p1")
        assert not await sink.recorded("p2")
    async with place.opened() as sink:
        assert await sink.recorded("p1")


async def test_pulls_are_recorded(place: Place) -> None:
    """A run's row is inserted when it starts and replaced when it ends."""
    pull = {"network": "net", "account": "acc", "pull_id": "p1", "table": "stats", "started_at": START}
    async with place.opened() as sink:
        await sink.record([pull, {**pull, "table": "clicks"}])
        done = {**pull, "finished_at": LATER, "outcome": "landed", "rows": 3, "waited_s": 1.25}
        await sink.record([done])
        await sink.record([])
    rows = place.rows("pulls")
    assert [row["table"] for row in rows] == ["clicks", "stats"]
    assert ("landed", 3, Decimal("1.25"), NAIVE_LATER) == tuple(
        rows[1][name] for name in ("outcome", "rows", "waited_s", "finished_at")
    )
    assert [*PULLS.full_columns] == list(rows[0])


async def test_key_is_needed(place: Place) -> None:
    """A row without its key is refused by name, in a table and among the pulls."""
    columns = transactions(2)
    columns["transaction_id"][1] = None
    with pytest.raises(PayloadError, match=r"transactions\.transaction_id: row 1 .* no key"):
        await place.land(columns)
    async with place.opened() as sink:
        with pytest.raises(SinkError, match="no account and no pull_id"):
            await sink.record([{"network": "net", "table": "stats"}])


async def test_every_table_is_there_from_the_start(place: Place) -> None:
    """A sink that was only opened can be asked about every table."""
    async with place.opened():
        pass
    tables = [*TABLES, PULLS.name, "transactions_history", "stats_history"]
    assert [[]] * len(tables) == [place.rows(table) for table in tables]


async def test_closed_sink_refuses(place: Place) -> None:
    """After closing, which may be done twice, nothing can be written."""
    sink = place.sink()
    await sink.open()
    landing = sink.landing(network="net", account="acc", fetched_at=START)
    await sink.close()
    await sink.close()
    with pytest.raises(SinkError, match="closed"):
        await landing.write("transactions", transactions(1))


def stretch(
    since: date, until: date, *levels: str, table: str = "transactions", account: str = "acc"
) -> Stretch:
    return Stretch(network="net", account=account, table=table, since=since, until=until, levels=levels)


async def test_rows_of_a_stretch_are_counted(place: Place) -> None:
    """By their time, to the microsecond: of one account and table, whatever else has landed."""
    await place.land(transactions(10))
    await place.land(transactions(3, start=20, occurred_at=START + timedelta(seconds=4.5)))
    await place.land(transactions(5), account="other")
    half = timedelta(seconds=0.5)
    counted = [(0, 10, 13), (4, 5, 4), (4.5, 5, 3), (4, 4.5, 1), (5, 10, 5), (10, 99, 0), (-9, 1, 1)]
    async with place.opened() as sink:
        for since, until, rows in counted:
            ends = (START + timedelta(seconds=since), START + timedelta(seconds=until))
            assert await sink.count(stretch(*ends)) == rows, (since, until)
        assert await sink.count(stretch(START, START + half, account="third")) == 0
        berlin = timezone(timedelta(hours=1))
        assert await sink.count(stretch(START.astimezone(berlin), START + half)) == 1


async def test_days_of_statistics_are_counted_by_level(place: Place) -> None:
    """One level, some, or all of them."""
    await place.land(stats(5), "stats")
    await place.land(stats(3, level="ad"), "stats")
    second, fifth = date(2026, 1, 2), date(2026, 1, 5)
    async with place.opened() as sink:
        for levels, rows in [((), 5), (("campaign",), 3), (("ad", "campaign"), 5), (("source",), 0)]:
            assert await sink.count(stretch(second, fifth, *levels, table="stats")) == rows, levels


async def test_cancelled_commit_is_whole_or_nothing(place: Place) -> None:
    """A commit whose caller is cancelled has happened as a whole or not at all, and the sink stays usable."""
    async with place.opened() as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        await landing.write("transactions", transactions(20_000))
        task = asyncio.ensure_future(landing.commit())
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await landing.rollback()
    assert len(place.rows()) in {0, 20_000}
    assert (await place.land(transactions(20_000))).rows == 20_000
    assert len(place.rows()) == 20_000


async def test_a_place_that_may_not_be_looked_into(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose folder it is may be somebody else: one error of ours that names it, as wherever else it is refused."""

    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(SinkError, match=rf"{place.path.name}.*: Permission denied"):
        async with place.opened():
            pass


async def test_a_place_of_the_wrong_kind_is_told_with_the_remedy(place: Place) -> None:
    """A folder where a file has to be, or the other way round; nothing is made beside it."""
    place.path.parent.mkdir(parents=True)
    if place.scheme == "duckdb":
        place.path.mkdir()
    else:
        place.path.write_text("mine")
    before = sorted(place.path.parent.rglob("*"))
    with pytest.raises(SinkError, match=rf"{place.path.name}.*: name (a file|another)"):
        async with place.opened():
            pass
    assert before == sorted(place.path.parent.rglob("*"))


async def test_uri(place: Place) -> None:
    """A sink says where it is."""
    assert place.uri == place.sink().uri
