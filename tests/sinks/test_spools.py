"""Spools of one sink: what they hold in memory together, and that a row waits where it may but is never lost."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sink_kit import START, stats, transactions

from adnet.errors import SinkError
from adnet.models.tables import TABLES
from adnet.sinks import _spools
from adnet.sinks._arrow import to_batch, written
from adnet.sinks._overflow import Overflow
from adnet.sinks._spool import Spool
from adnet.sinks._spools import Spools
from adnet.sinks._values import Origin

ORIGIN = Origin("net", "acc", START)


def batch_of(count: int, start: int = 0) -> Any:
    return to_batch(TABLES["transactions"], transactions(count, start=start), ORIGIN)


@pytest.fixture
def spool_of(tmp_path: Path) -> Callable[[], Spool]:
    """Return a maker of spools; their files are numbered."""
    names = (tmp_path / f"{number}.parquet" for number in range(1000))
    return lambda: Spool(TABLES["transactions"], names.__next__)


def test_together_they_hold_little(spool_of, tmp_path, monkeypatch):
    """Hundreds of landings are under way at once: the largest wait on the disk, and all keep their rows in order."""
    monkeypatch.setattr(_spools, "HELD_BYTES", 4 * batch_of(100).get_total_buffer_size())
    spools = Spools()
    mine = [spools.add(spool_of()) for _ in range(30)]
    for start in range(0, 500, 100):
        for spool in mine:
            spool.add(batch_of(100, start))
            spools.relieve()
            assert sum(spool.held_bytes for spool in mine) <= _spools.HELD_BYTES
    for spool in mine:
        assert spool.files == []
        assert spool.held().equals(pa.Table.from_batches([batch_of(500)]))
    assert list(tmp_path.iterdir()) != []
    spools.discard_all()
    assert list(tmp_path.iterdir()) == []


def test_row_groups_are_as_large_as_ever(spool_of, monkeypatch):
    """A spool that had to wait on the disk writes the same file."""
    monkeypatch.setattr("adnet.sinks._spool.GROUP_ROWS", 250)
    spool = spool_of()
    for start in range(0, 600, 100):
        spool.add(batch_of(100, start))
        spool.spill()
    spool.settle()
    with pa.parquet.ParquetFile(spool.files[0]) as file:
        groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
        assert groups == [250, 250, 100]
        assert file.read().equals(pa.Table.from_batches([batch_of(600)]))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_no_room_to_wait():
    """The landing that was to give way keeps its rows: it is another one that is told, and the sink's user."""
    spool = Spool(TABLES["transactions"], lambda: Path("/dev/full"))
    spool.add(batch_of(10))
    with pytest.raises(
        SinkError, match="cannot write /dev/full: No space left on device: look after its disk"
    ):
        spool.spill()
    assert spool.held().equals(pa.Table.from_batches([batch_of(10)]))


def test_too_few_files_are_told_with_the_remedy(tmp_path):
    """It is not the disk that is to be looked after."""
    with (
        pytest.raises(SinkError, match="Too many open files: raise the limit of open files"),
        written(tmp_path / "part.parquet"),
    ):
        raise OSError(errno.EMFILE, "Too many open files")


def test_what_a_failure_left_behind_is_written_over(tmp_path):
    """Half a batch at the end of the file belongs to nobody."""
    overflow = Overflow(tmp_path / "overflow", batch_of(1).schema)
    overflow.add([batch_of(5)])
    with (tmp_path / "overflow").open("ab") as file:
        file.write(b"half of a batch")
    overflow.add([batch_of(5, 5)])
    assert pa.Table.from_batches(overflow.batches()).equals(pa.Table.from_batches([batch_of(10)]))


@pytest.mark.parametrize("scheme", ["duckdb", "parquet"])
async def test_rows_that_waited_on_the_disk_land(place_of, monkeypatch, scheme):
    """Of several accounts and tables at the same time, the last of a repeated key too."""
    monkeypatch.setattr(_spools, "HELD_BYTES", 20_000)
    place = place_of(scheme)
    async with place.opened() as sink:
        landings = [sink.landing(network="net", account=f"a{n}", fetched_at=START) for n in range(6)]
        for start in (0, 2048, 2048):
            for number, landing in enumerate(landings):
                await landing.write(
                    "transactions", transactions(2048, start=start, status=f"s{start + number}")
                )
                await landing.write("stats", stats(3, object_id=str(start)))
        for landing in landings:
            landed = await landing.commit()
            assert (landed["transactions"].rows, landed["stats"].rows) == (4096, 6)
    rows = place.rows()
    assert len({(row["account"], row["transaction_id"]) for row in rows}) == len(rows) == 6 * 4096
    assert {row["status"] for row in rows if row["account"] == "a5"} == {"s5", "s2053"}
    assert place.leftovers() == []
