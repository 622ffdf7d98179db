"""DuckDB: the file, its types, and what may be wrong with it."""

import contextlib
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import attrs
import duckdb
import pytest
from sink_kit import START, Place, stats, transactions

from adnet.errors import SinkError
from adnet.models.tables import TABLES
from adnet.sinks import Landed
from adnet.sinks import _files as files
from adnet.sinks import duckdb as module
from adnet.sinks._files import FolderLock


@pytest.fixture
def file(place_of: Callable[[str], Place]) -> Place:
    return place_of("duckdb")


def query(place: Place, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(place.path)) as connection:
        return connection.execute(sql).fetchall()


async def test_types(file: Place) -> None:
    """Columns have the types that are promised."""
    await file.land(transactions(1))
    types = dict(
        query(file, "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'transactions'")
    )
    expected = {
        "transaction_id": "VARCHAR",
        "occurred_at": "TIMESTAMP",
        "amount": "DECIMAL(18,6)",
        "sub_ids": "VARCHAR[]",
        "fetched_at": "TIMESTAMP",
    }
    assert expected == {name: types[name] for name in expected}
    assert [*TABLES["transactions"].full_columns] == list(types)


async def test_tables_of_others_stay(file: Place) -> None:
    """A file may hold tables that are not ours."""
    file.path.parent.mkdir()
    query(file, "CREATE TABLE mine AS SELECT 42 AS answer")
    await file.land(transactions(1))
    assert query(file, "SELECT * FROM mine") == [(42,)]


def storage_of_raw(place: Place) -> set[object]:
    found = query(
        place, "SELECT compression FROM pragma_storage_info('transactions') WHERE column_name = 'raw'"
    )
    return {compression for (compression,) in found}


async def test_raw_is_packed(file: Place) -> None:
    """The widest column by far is packed by what packs it best."""
    await file.land(transactions(2000))
    assert "ZSTD" in storage_of_raw(file)


async def test_file_of_an_older_format(file: Place) -> None:
    """A file that an older DuckDB made, which cannot pack like that, is as good as any."""
    file.path.parent.mkdir()
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{file.path}' AS old (STORAGE_VERSION 'v1.0.0')")
    await file.land(transactions(2000))
    assert query(file, "SELECT count(*) FROM transactions") == [(2000,)]
    assert "ZSTD" not in storage_of_raw(file)


async def test_older_table_gets_new_columns(file: Place) -> None:
    """A table that lacks a column gets it; one with another type is refused by name."""
    await file.land(transactions(1))
    query(file, "ALTER TABLE transactions DROP COLUMN country")
    assert Landed(1, 0, 1) == await file.land(transactions(1))
    assert file.column("country") == ["DE"]
    query(file, "ALTER TABLE stats ALTER clicks TYPE VARCHAR")
    with pytest.raises(SinkError, match=r"stats\.clicks is VARCHAR and should be BIGINT"):
        await file.land(transactions(1))


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"g"])
async def test_damaged_file(file: Place, content: bytes) -> None:
    """A file that is no database is refused by name, and left alone."""
    file.path.parent.mkdir()
    file.path.write_bytes(content)
    with pytest.raises(SinkError, match=r"ads\.duckdb: is damaged or no DuckDB database: move it away"):
        await file.land(transactions(1))
    assert content == file.path.read_bytes()
    assert file.leftovers() == []


async def test_killed_while_the_file_is_made(file: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB begins with an empty file, which it refuses to open: a process that dies then leaves none of that name."""

    def killed(path: str, **_: object) -> None:
        Path(path).touch()
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(duckdb, "connect", killed)
        with pytest.raises(RuntimeError):
            await file.land(transactions(1))
    assert not file.path.exists()
    assert Landed(1, 1, 0) == await file.land(transactions(1))


async def test_draft_of_a_process_that_was_killed(file: Place) -> None:
    """What it had begun is begun anew."""
    draft = file.path.parent / ".ads.duckdb.adnet" / "new.duckdb"
    draft.parent.mkdir(parents=True)
    draft.touch()
    assert Landed(1, 1, 0) == await file.land(transactions(1))
    assert file.leftovers() == []


@pytest.mark.parametrize("folder", [True, False])
async def test_log_of_a_process_that_was_killed(
    file: Place, monkeypatch: pytest.MonkeyPatch, *, folder: bool
) -> None:
    """It may be larger than the memory allowed: what DuckDB spills as it reads it stays until it has ended."""
    killed = attrs.evolve(file, path=file.path.parent / "killed" / "ads.duckdb")
    async with file.opened() as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        chance = random.Random(0)
        for start in range(0, 6000, 1500):
            rows = transactions(1500, start=start) | {
                "raw": [chance.randbytes(2000).hex() for _ in range(1500)]
            }
            await landing.write("transactions", rows)
        await landing.commit()
        (killed.path.parent / ".ads.duckdb.adnet").mkdir(parents=True)
        for name in ("ads.duckdb", "ads.duckdb.wal"):
            shutil.copy(file.path.with_name(name), killed.path.with_name(name))
    if not folder:
        (killed.path.parent / ".ads.duckdb.adnet").rmdir()
    monkeypatch.setattr(module, "_MEMORY_MB", (16, 64, 256))
    assert Landed(1, 0, 0) == await killed.land(transactions(1))
    assert len(killed.rows()) == 6000
    assert killed.leftovers() == []


async def test_next_one_comes_while_the_place_is_left(file: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is staged by whoever takes the place as soon as it is free is not swept away with what was left there."""
    following = file.sink()
    give_back = FolderLock.give_back

    def give_back_and_follow(lock: FolderLock) -> None:
        give_back(lock)
        monkeypatch.setattr(FolderLock, "give_back", give_back)
        following._open()  # type: ignore[attr-defined]

    async with file.opened():
        monkeypatch.setattr(FolderLock, "give_back", give_back_and_follow)
    landing = following.landing(network="net", account="acc", fetched_at=START)
    await landing.write("transactions", transactions(20_000))
    assert await landing.commit() == {"transactions": Landed(20_000, 20_000, 0)}
    await following.close()
    assert file.leftovers() == []


async def test_lock_that_was_removed_is_not_taken(file: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between opening its file and locking it, whoever had it may have removed it: a third would lock another file."""
    file.path.parent.mkdir()
    taken = file.path.parent / "lock"
    lock = files.lock

    def late(handle: int) -> None:
        taken.unlink()
        lock(handle)

    with monkeypatch.context() as patched:
        patched.setattr(files, "lock", late)
        with pytest.raises(SinkError, match="is in use by another sink"):
            FolderLock(taken, of=file.path).take()
    free = FolderLock(taken, of=file.path)
    free.take()
    free.give_back()


async def test_folder_instead_of_file(file: Place) -> None:
    """A folder of that name is refused by name."""
    file.path.mkdir(parents=True)
    with pytest.raises(SinkError, match=r"ads\.duckdb: "):
        await file.land(transactions(1))


async def test_more_memory_when_it_must_be(file: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A landing that does not fit in the memory allowed at first is done again with more, and counted once."""
    await file.land(transactions(100_000))
    allowed: list[int] = []
    allow = module.DuckDbSink._allow
    monkeypatch.setattr(module, "_MEMORY_MB", (16, 64, 256))
    monkeypatch.setattr(module.DuckDbSink, "_allow", lambda sink, mb: (allowed.append(mb), allow(sink, mb)))
    assert Landed(100_000, 0, 100_000) == await file.land(transactions(100_000, status="paid"))
    assert query(file, "SELECT count(*), count(DISTINCT transaction_id) FROM transactions") == [
        (100_000, 100_000)
    ]
    assert query(file, "SELECT count(*) FROM transactions_history") == [(100_000,)]


async def test_too_little_memory(file: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """When no memory suffices the unit is refused, and what had landed stays."""
    await file.land(transactions(10))
    monkeypatch.setattr(module, "_MEMORY_MB", (6, 6))
    with pytest.raises(SinkError, match="what had landed before stays"):
        await file.land(transactions(100_000, start=10))
    assert len(file.rows()) == 10
    assert file.leftovers() == []


async def test_unit_of_two_tables_is_one(file: Place) -> None:
    """When the second table of a unit cannot land, the first has not."""
    async with file.opened() as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        await landing.write("stats", stats(3))
        await landing.write("transactions", transactions(3))
        sink._connection.execute("DROP TABLE transactions")  # type: ignore[attr-defined]
        with pytest.raises(SinkError):
            await landing.commit()
        await landing.rollback()
        again = sink.landing(network="net", account="acc", fetched_at=START)
        await again.write("stats", stats(1))
        assert {"stats": Landed(1, 1, 0)} == await again.commit()
    assert len(file.rows("stats")) == 1


async def test_a_folder_whose_name_looks_like_a_pattern(file: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits in "night1" beside it lands there, and not in "night*" as well, nor instead in "night[1]"."""
    monkeypatch.setattr("adnet.sinks._spool.GROUP_ROWS", 250)
    places = {
        name: attrs.evolve(file, path=file.path.parent / name / "ads.duckdb")
        for name in ("night1", "night*", "night[1]", "it's")
    }
    async with contextlib.AsyncExitStack() as stack:
        landings = {}
        for number, (name, place) in enumerate(places.items()):
            sink = await stack.enter_async_context(place.opened())
            landings[name] = sink.landing(network="net", account=name, fetched_at=START)
            await landings[name].write("transactions", transactions(3000, start=3000 * number))
        for landing in landings.values():
            assert await landing.commit() == {"transactions": Landed(3000, 3000, 0)}
    for name, place in places.items():
        assert {row["account"] for row in place.rows()} == {name}
