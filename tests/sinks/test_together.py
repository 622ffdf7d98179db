"""Landings that become ready while the sink is busy: they share a commit, and nothing else."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sink_kit import START, Place, StillClock, transactions

from adnet.errors import SinkError
from adnet.sinks import Landed, _part_rows
from adnet.sinks._spooling import SpoolingSink, SpoolLanding


@pytest.fixture(params=["duckdb", "parquet"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    name = "ads.duckdb" if request.param == "duckdb" else "ads"
    return Place(request.param, tmp_path / name, StillClock())


@asynccontextmanager
async def busy(sink: SpoolingSink) -> AsyncIterator[None]:
    """Keep the sink's thread from landing anything until the block ends and everything else has had its turn."""
    free = threading.Event()
    held = sink.worker.submit(free.wait, 10)
    try:
        yield
        for _ in range(10):
            await asyncio.sleep(0)
    finally:
        free.set()
        await held


async def staged(sink: SpoolingSink, account: str, rows: Any, table: str = "transactions") -> SpoolLanding:
    landing = sink.landing(network="net", account=account, fetched_at=START)
    await landing.write(table, rows)
    while landing._waiting:
        await landing.pass_on(*landing._waiting.popitem())
    await asyncio.gather(*landing._passed_on)
    return landing


async def landed_at_once(sink: SpoolingSink, landings: Iterable[SpoolLanding]) -> list[Any]:
    """Commit *landings* while the sink is busy, and return what came of each."""
    async with busy(sink):
        commits = [asyncio.create_task(landing.commit()) for landing in landings]
    return await asyncio.gather(*commits, return_exceptions=True)


def groups_of(sink: SpoolingSink, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return a list that tells whose units land together."""
    groups: list[list[str]] = []
    land = sink.together._land

    def watched(units: Any) -> None:
        groups.append([unit.origin.account for unit in units])
        land(units)

    monkeypatch.setattr(sink.together, "_land", watched)
    return groups


def accounts_in(place: Place) -> Counter[str]:
    return Counter(row["account"] for row in place.rows())


async def test_landings_of_several_accounts_share_a_commit(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is told its own counts, and all rows are there."""
    await place.land(transactions(3), account="a1")
    async with place.opened() as sink:
        groups = groups_of(sink, monkeypatch)
        landings = [await staged(sink, f"a{n}", transactions(n)) for n in range(1, 6)]
        found = await landed_at_once(sink, landings)
    assert groups == [["a1", "a2", "a3", "a4", "a5"]]
    assert found[0] == {"transactions": Landed(1, 0, 0)}
    assert found[1:] == [{"transactions": Landed(n, n, 0)} for n in range(2, 6)]
    assert accounts_in(place) == {"a1": 3, "a2": 2, "a3": 3, "a4": 4, "a5": 5}


async def test_a_commit_costs_the_disk_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parquet publishes what shares a commit as one change."""
    place = Place("parquet", tmp_path / "ads", StillClock())
    async with place.opened() as sink:
        published = []
        publish = sink._parts.publish
        monkeypatch.setattr(
            sink._parts, "publish", lambda files: (published.append(len(files)), publish(files))
        )
        await landed_at_once(sink, [await staged(sink, f"a{n}", transactions(2)) for n in range(4)])
    assert published == [4]


async def test_one_account_twice_lands_one_after_the_other(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first changes the second has to see: no key comes twice."""
    async with place.opened() as sink:
        groups = groups_of(sink, monkeypatch)
        landings = [
            await staged(sink, "a", transactions(4)),
            await staged(sink, "b", transactions(1)),
            await staged(sink, "a", transactions(4, start=2, kind="lead")),
        ]
        found = await landed_at_once(sink, landings)
    assert groups == [["a", "b"], ["a"]]
    assert [one["transactions"] for one in found] == [Landed(4, 4, 0), Landed(1, 1, 0), Landed(4, 2, 2)]
    assert accounts_in(place) == {"a": 6, "b": 1}
    assert len(place.rows("transactions_history")) == 2


async def test_large_landings_land_by_themselves(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a commit holds is bounded, in rows and in bytes."""
    async with place.opened() as sink:
        groups = groups_of(sink, monkeypatch)
        sizes = [10, 10, 30, 5, 5, 5, 5, 1]
        landings = [await staged(sink, f"a{n}", transactions(size)) for n, size in enumerate(sizes)]
        page = landings[0]._places["transactions"].bytes
        monkeypatch.setattr(_part_rows, "GROUP_ROWS", 20)
        await landed_at_once(sink, landings)
        assert groups == [["a0", "a1"], ["a2"], ["a3", "a4", "a5", "a6"], ["a7"]]
        monkeypatch.setattr(_part_rows, "GROUP_BYTES", 3 * page)
        monkeypatch.setattr(_part_rows, "GROUP_ROWS", 1000)
        groups.clear()
        await landed_at_once(sink, [await staged(sink, f"b{n}", transactions(10)) for n in range(7)])
    assert groups == [["b0", "b1", "b2"], ["b3", "b4", "b5"], ["b6"]]
    assert sum(accounts_in(place).values()) == sum(sizes) + 70


async def test_what_one_fails_at_disturbs_no_other(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others land whole, and that one not at all; it can be landed again."""
    module = __import__(f"adnet.sinks.{place.scheme}", fromlist=["x"])
    name = "merge" if place.scheme == "duckdb" else "group_of"
    original = getattr(module, name)

    def fail(*args: Any, **options: Any) -> Any:
        if any(arg == "a2" or "'a2'" in getattr(arg, "scope", "") for arg in args):
            raise SinkError("no room for a2")
        return original(*args, **options)

    async with place.opened() as sink:
        landings = [await staged(sink, f"a{n}", transactions(2)) for n in range(5)]
        with monkeypatch.context() as patch:
            patch.setattr(module, name, fail)
            found = await landed_at_once(sink, landings)
        assert [str(one) for one in found if isinstance(one, Exception)] == ["no room for a2"]
        assert found[3] == {"transactions": Landed(2, 2, 0)}
        assert await landings[2].commit() == {"transactions": Landed(2, 2, 0)}
    assert accounts_in(place) == {f"a{n}": 2 for n in range(5)}


async def test_a_failed_commit_is_told_to_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told that rows landed which did not."""
    place = Place("parquet", tmp_path / "ads", StillClock())

    def refuse(files: Any) -> None:
        raise SinkError("the disk is full")

    async with place.opened() as sink:
        landings = [await staged(sink, f"a{n}", transactions(2)) for n in range(3)]
        with monkeypatch.context() as patch:
            patch.setattr(sink._parts, "publish", refuse)
            found = await landed_at_once(sink, landings)
        assert [str(one) for one in found] == ["the disk is full"] * 3
        for landing in landings:
            await landing.rollback()
        assert await (await staged(sink, "a1", transactions(2))).commit() == {"transactions": Landed(2, 2, 0)}
    assert accounts_in(place) == {"a1": 2}


async def test_who_is_cancelled_before_its_turn_does_not_land(place: Place) -> None:
    """The others do."""
    async with place.opened() as sink:
        landings = [await staged(sink, f"a{n}", transactions(2)) for n in range(3)]
        async with busy(sink):
            commits = [asyncio.create_task(landing.commit()) for landing in landings]
            for _ in range(10):
                await asyncio.sleep(0)
            commits[0].cancel()
            commits[2].cancel()
        found = await asyncio.gather(*commits, return_exceptions=True)
        for landing in (landings[0], landings[2]):
            await landing.rollback()
    assert found[1] == {"transactions": Landed(2, 2, 0)}
    assert isinstance(found[0], asyncio.CancelledError)
    assert accounts_in(place) == {"a1": 2}
