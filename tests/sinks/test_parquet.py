"""Parquet: parts, and that each key lives in one of them."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sink_kit import LATER, START, Place, stats, transactions

from adnet.errors import SinkError
from adnet.sinks import Landed, _keys, _parquet_merge, _part_rows, _parts
from adnet.sinks._keys import Hashes


@pytest.fixture
def folder(place_of: Callable[[str], Place]) -> Place:
    return place_of("parquet")


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let parts be small, so that few rows make many of them."""
    from adnet.sinks import _outlet, _spool, parquet

    for module in (_spool, _outlet, _parts, _parquet_merge):
        monkeypatch.setattr(module, "GROUP_ROWS", 50)
    for module in (_outlet, parquet):
        monkeypatch.setattr(module, "PART_ROWS", 100)
    for module in (_outlet, _parquet_merge):
        monkeypatch.setattr(module, "SMALL_ROWS", 50)


def parts(place: Place, table: str = "transactions") -> list[Path]:
    return sorted((place.path / table).glob("part-*.parquet"))


async def test_schema(folder: Place) -> None:
    """Any reader sees the types that are promised; instants are UTC without a zone."""
    await folder.land(transactions(1))
    schema = pq.read_schema(parts(folder)[0])
    assert pa.decimal128(18, 6) == schema.field("amount").type
    assert pa.timestamp("us") == schema.field("occurred_at").type
    assert pa.list_(pa.string()).equals(schema.field("sub_ids").type)
    assert schema.equals(pq.read_schema(folder.path / "transactions" / "schema.parquet"))


@pytest.mark.usefixtures("small_parts")
async def test_every_key_in_one_part(folder: Place) -> None:
    """However rows come again, changed or not, each key is in exactly one part and none is lost."""
    await folder.land(transactions(430))
    assert len(parts(folder)) == 5
    await folder.land(transactions(300, start=330, kind="lead"))
    await folder.land(transactions(700, start=0, commission=Decimal(5)))
    assert {1} == set(Counter(folder.column("transaction_id")).values())
    assert len(folder.rows()) == 700
    assert len(folder.rows("transactions_history")) == 100 + 630
    assert {Decimal(5)} == set(folder.column("commission"))


@pytest.mark.usefixtures("small_parts")
async def test_rows_in_another_order(folder: Place) -> None:
    """The order in which rows come again does not matter."""
    await folder.land(transactions(430))
    mixed: dict[str, list[Any]] = {name: values[::-1] for name, values in transactions(500).items()}
    mixed["status"][100:200] = ["paid"] * 100
    assert Landed(500, 70, 100) == await folder.land(mixed)
    assert {f"tx-{n:06}" for n in range(300, 400)} == {
        row["transaction_id"] for row in folder.rows() if row["status"] == "paid"
    }


async def test_unchanged_parts_are_not_touched(folder: Place) -> None:
    """Landing the same rows again writes no file."""
    await folder.land(transactions(500))
    before = [path.stat() for path in parts(folder)]
    await folder.land(transactions(500), fetched_at=LATER)
    assert [stat.st_ino for stat in before] == [path.stat().st_ino for path in parts(folder)]


async def test_nights_do_not_become_files(folder: Place) -> None:
    """Small landings of one account share a part, in the table, its history and in pulls."""
    for night in range(10):
        await folder.land(transactions(20, start=10 * night, status=f"night {night}"))
        async with folder.opened() as sink:
            await sink.record([{"network": "net", "account": "acc", "pull_id": str(night), "table": "stats"}])
    tables = ("transactions", "transactions_history", "pulls")
    assert [len(parts(folder, name)) for name in tables] == [1, 1, 1]
    assert [len(folder.rows(name)) for name in tables] == [110, 90, 10]


def row_groups(place: Place, table: str = "transactions") -> list[int]:
    return [pq.ParquetFile(path).metadata.num_row_groups for path in parts(place, table)]


async def test_nights_do_not_become_row_groups(folder: Place) -> None:
    """Nor do accounts, of which each is recorded twice: each group is read by itself, and a thousand take minutes."""
    async with folder.opened() as sink:
        for number in range(10):
            landing = sink.landing(network="net", account="acc", fetched_at=START)
            await landing.write("transactions", transactions(20, start=10 * number, status=f"night {number}"))
            await landing.commit()
            for rows in (0, 20):
                facts = {"network": "net", "account": f"acc{number}", "pull_id": "1", "table": "transactions"}
                await sink.record([{**facts, "rows": rows}])
    for table in ("transactions", "transactions_history", "pulls"):
        assert row_groups(folder, table) == [1], table
    assert [row["rows"] for row in folder.rows("pulls")] == [20] * 10


async def test_a_part_of_many_row_groups_is_joined(folder: Place) -> None:
    """What an earlier version cut up is whole again once something in it changes, and no row is lost."""
    await folder.land(transactions(60))
    (part,) = parts(folder)
    pq.write_table(pq.read_table(part), part, row_group_size=1)
    await folder.land(transactions(1, kind="lead"))
    assert row_groups(folder) == [1]
    assert len(folder.rows()) == 60


async def test_large_rows_stay_in_small_groups(folder: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group is held in memory: of rows with a long `raw` it takes fewer."""
    from adnet.sinks import _spool

    for module in (_spool, _part_rows):
        monkeypatch.setattr(module, "GROUP_BYTES", 100_000)
    for number in range(10):
        await folder.land(transactions(2, start=2 * number, raw=f'"{number}{"x" * 20_000}"'))
    assert row_groups(folder) == [5]
    await folder.land(transactions(1, kind="lead", raw='"y"'))
    assert row_groups(folder) == [5]
    assert len(folder.rows()) == 20


async def test_other_accounts_parts_are_not_read(folder: Place) -> None:
    """A damaged part of one account is named when that account lands, and disturbs no other."""
    await folder.land(transactions(5))
    parts(folder)[0].write_bytes(b"garbage")
    async with folder.opened() as sink:
        other = sink.landing(network="net", account="other", fetched_at=START)
        await other.write("transactions", transactions(1))
        assert {"transactions": Landed(1, 1, 0)} == await other.commit()
        mine = sink.landing(network="net", account="acc", fetched_at=START)
        await mine.write("transactions", transactions(1))
        with pytest.raises(SinkError, match=r"part-.*is damaged or no part.*move it away"):
            await mine.commit()


async def test_days_of_other_parts_are_not_read(folder: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part whose days are all others is known from its footer to hold none of the keys."""
    await folder.land(stats(10), "stats")
    part = _parts.read_part(parts(folder, "stats")[0], ["date", "level", "object_id"])
    days = stats(20)["date"]
    assert part.may_share_keys({"date": (days[9], days[12])})
    assert not part.may_share_keys({"date": (days[10], days[12])})
    assert not part.may_share_keys({"date": (days[0], days[1]), "level": ("ad", "ad")})


async def test_part_of_an_older_version(folder: Place) -> None:
    """A part without a column that is known today is read with NULL there, and rewritten whole."""
    await folder.land(transactions(3))
    path = parts(folder)[0]
    pq.write_table(pq.read_table(path).drop_columns(["country"]), path)
    assert Landed(4, 1, 1) == await folder.land(transactions(4))
    assert folder.column("country") == ["DE", None, None, "DE"]


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.string()])
async def test_part_whose_key_somebody_gave_another_type(folder: Place, kind: Any) -> None:
    """Days that came back from a notebook as instants or texts are still the same days."""
    await folder.land(stats(3), "stats")
    part = parts(folder, "stats")[0]
    rows = pq.read_table(part, partitioning=None)
    pq.write_table(rows.set_column(2, "date", rows["date"].cast(kind)), part)
    assert Landed(3, 0, 0) == await folder.land(stats(3), "stats")
    assert Landed(4, 1, 3) == await folder.land(stats(4, currency="GBP"), "stats")
    assert Counter(folder.column("date", "stats")) == Counter(stats(4)["date"])


async def test_part_without_a_key(folder: Place) -> None:
    """Whose rows it has cannot be told: it is named, and the remedy."""
    await folder.land(transactions(3))
    part = parts(folder)[0]
    pq.write_table(pq.read_table(part, partitioning=None).drop_columns(["transaction_id"]), part)
    with pytest.raises(SinkError, match=f"{part.name}: is damaged .* move it away .* no transaction_id"):
        await folder.land(transactions(3))


async def test_hashes_that_meet(folder: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys decide, not their hashes: rows of one hash are still two rows."""
    monkeypatch.setattr(_parquet_merge, "_FEW_ROWS", 0)
    await folder.land(transactions(1))
    monkeypatch.setattr(_keys, "_hashes", lambda columns: [7] * len(columns[0]))
    assert Landed(1, 1, 0) == await folder.land(transactions(1, start=1))
    assert folder.column("transaction_id") == ["tx-000000", "tx-000001"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_no_room_for_hashes() -> None:
    """They are written before the rows that they are of, so that a full disk is met there first."""
    many = pa.chunked_array([pa.array(range(20_000), pa.int64())])
    with pytest.raises(SinkError, match="cannot write /dev/full: No space left on device: look after"):
        Hashes(Path("/dev/full")).add(many)


@pytest.mark.parametrize("count", [10, 16_384, 16_385, 50_000])
def test_hashes_come_back_as_they_went(tmp_path: Path, count: int) -> None:
    """Few of them wait in memory, many in a file, and nobody can tell."""
    hashes = Hashes(tmp_path / "hashes")
    for start in range(0, count, 10):
        hashes.add(pa.chunked_array([pa.array(range(start, min(start + 10, count)), pa.int64())]))
    hashes.add(pa.chunked_array([pa.array([3, 4, 5], pa.int64()).slice(1, 1)]))
    assert [len(chunk) for chunk in hashes.chunks([4, count - 4, 1])] == [4, count - 4, 1]
    assert pa.concat_arrays(hashes.chunks([count, 1])).to_pylist() == [*range(count), 4]
    assert hashes.repeated().to_pylist() == [4]
    assert (tmp_path / "hashes").exists() is (count >= 16_384)
    hashes.discard()
    assert list(tmp_path.iterdir()) == []


async def test_a_place_without_locks_is_told(folder: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has it in use, so that waiting would not help."""

    def refuse(handle: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("adnet.sinks._files.lock", refuse)
    with pytest.raises(
        SinkError, match="cannot be locked: Operation not supported: name a place on a local disk"
    ):
        async with folder.opened():
            pass


async def test_rename_that_fails_is_done_later(folder: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not get its name for a moment gets it with the next landing or opening; nothing is lost."""
    await folder.land(transactions(3))
    async with folder.opened() as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        await landing.write("transactions", transactions(3, status="paid"))
        real = Path.replace

        def fail(path: Path, target: Path) -> Path:
            if "part-" in str(target):
                raise PermissionError(13, "Permission denied")
            return real(path, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", fail)
            with pytest.raises(SinkError, match="Permission denied"):
                await landing.commit()
            await landing.rollback()
    assert folder.column("status") == ["pending"] * 3
    assert Landed(3, 0, 0) == await folder.land(transactions(3, status="paid"))
    assert folder.column("status") == ["paid"] * 3
    assert len(folder.rows("transactions_history")) == 3
    assert folder.leftovers() == []


async def test_landing_again_after_a_rename_that_failed(
    folder: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same sink, as it says one may: each key still lives in one part."""

    async def land(sink: Any, rows: Any) -> Landed:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        await landing.write("transactions", rows)
        try:
            landed: Landed = (await landing.commit())["transactions"]
            return landed
        finally:
            await landing.rollback()

    real = Path.replace

    def fail(path: Path, target: Path) -> Path:
        if "part-" in str(target):
            raise PermissionError(13, "Permission denied")
        return real(path, target)

    async with folder.opened() as sink:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", fail)
            with pytest.raises(SinkError, match="Permission denied"):
                await land(sink, transactions(3))
        await land(sink, transactions(3))
        assert Landed(3, 0, 3) == await land(sink, transactions(3, status="paid"))
    assert folder.column("transaction_id") == ["tx-000000", "tx-000001", "tx-000002"]
    assert folder.column("status") == ["paid"] * 3
