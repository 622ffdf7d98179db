"""A disk that is full, a sink that refuses, a file that somebody else has: one clear error, and nothing is lost."""

import asyncio
import contextlib
import itertools
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import adnet
from adnet.client import Account
from adnet.errors import SinkError, StateError
from adnet.sandbox.targetcircle import TargetCircleSandbox
from adnet.state import State
from adnet.testing import FastClock, MemorySink

from .killing import hunting, same
from .world import busy
from .zygote import PLAIN

DAYS = {"since": date(2026, 1, 1), "until": date(2026, 1, 3), "tables": ["transactions", "offers"]}

HOLDER = """
import sys, {library}
held = {library}.connect(sys.argv[1])
{statement}
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.asynccontextmanager
async def pulling(**options: Any) -> AsyncIterator[tuple[TargetCircleSandbox, Account]]:
    """Give a server and an account on it."""
    async with TargetCircleSandbox(per_day=6) as server:
        account = adnet.connect(
            "targetcircle",
            base_url=server.base_url,
            currency="EUR",
            clock=FastClock(),
            **server.credentials,
            **options,
        )
        try:
            yield server, account
        finally:
            await account.close()


@contextlib.asynccontextmanager
async def holding(library: str, statement: str, path: Path) -> AsyncIterator[None]:
    """Have another process hold a file."""
    script = HOLDER.format(library=library, statement=statement)
    with subprocess.Popen(  # noqa: ASYNC220 - it is told to end by its input
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=PLAIN
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == b"held\n"
        try:
            yield
        finally:
            process.stdin.close()


def posts(server: TargetCircleSandbox) -> int:
    """Return how many reports the server was asked for."""
    return sum(asked.method == "POST" for asked in server.log)


def truth(server: TargetCircleSandbox) -> dict[str, int]:
    """Return how many rows there are to land."""
    rows = server.truth("transactions", DAYS["since"], DAYS["until"])
    return {
        "transactions": len(rows),
        "offers": sum(len(found["offers"]) for found in server.truth("offers")),
    }


def fill(state: State, size: int) -> None:
    """Write values of *size* bytes until the state's disk is full."""
    for number in itertools.count():
        state.facts.put("filler", f"{size} {number}", "x" * size)


async def test_a_sink_that_refuses_ends_the_run_with_its_own_error():
    """It rises as it is, nothing stays under way, and the next run lands all, with one report more at most."""
    sink = MemorySink()
    sink.refusal = SinkError("memory: is full; make room and run again")
    async with pulling() as (server, account):
        with pytest.raises(SinkError, match="make room"):
            await adnet.pull(account, to=sink, **DAYS)
        assert busy(account) == {}
        asked = posts(server)
        result = await adnet.pull(account, to=sink, **DAYS)
        assert {table.table: table.rows for table in result.tables} == truth(server)
        assert result.ok
        assert posts(server) <= asked + 1


@pytest.mark.parametrize("scheme", ["duckdb", "parquet", "csv"])
async def test_a_full_disk_is_told_and_leaves_the_sink_whole(tmp_path, scheme):
    """Whichever file meets the end of its disk: SinkError that names it; with more room, all lands."""
    async with hunting("targetcircle", tmp_path) as (there, _):
        usual = await there.undisturbed(scheme)
        said, rows = await there.filled(scheme, most_bytes=60_000)
    assert re.match(r"SinkError: .*/ads.*cannot be written|SinkError: cannot write .*/ads", said), said
    same(usual.rows, rows)


async def test_a_state_that_another_process_has_locked_is_told(tmp_path):
    """The error names the file and what to do; once it is free, the same call works."""
    path = tmp_path / "state.db"
    with State.open(path) as state:
        async with pulling(state=state) as (_, account):
            state.database.rows("PRAGMA busy_timeout=30")
            async with holding("sqlite3", "held.execute('BEGIN IMMEDIATE')", path):
                with pytest.raises(StateError, match=r"state\.db is locked by another process: wait for it"):
                    await adnet.pull(account, to=MemorySink(), **DAYS)
                assert busy(account) == {}
            assert (await adnet.pull(account, to=MemorySink(), **DAYS)).ok


async def test_a_database_that_another_process_has_open_is_told(tmp_path):
    """The error names the file; nothing was asked of the network for it."""
    place = tmp_path / "ads.duckdb"
    async with pulling() as (server, account):
        async with holding("duckdb", "", place):
            with pytest.raises(SinkError, match=r"ads\.duckdb: is in use by process \d+: close it there"):
                await adnet.pull(account, to=f"duckdb:{place}", **DAYS)
            assert len(server.log) == 0
        assert (await adnet.pull(account, to=f"duckdb:{place}", **DAYS)).ok


async def test_a_state_on_a_full_disk_ends_the_run_with_its_own_error(tmp_path):
    """It rises as StateError with the remedy, and once there is room the same call lands all."""
    with State.open(tmp_path / "state.db") as state:
        async with pulling(state=state) as (server, account):
            state.database.rows("PRAGMA max_page_count=1")  # SQLite takes it for the present size
            for size in (10_000, 500, 20):
                with pytest.raises(StateError, match="the disk is full: free some space and run again"):
                    fill(state, size)
            with pytest.raises(StateError, match="the disk is full"):
                await adnet.pull(account, to=MemorySink(), **DAYS)
            assert busy(account) == {}
            state.database.rows("PRAGMA max_page_count=1000000")
            result = await adnet.pull(account, to=MemorySink(), **DAYS)
            assert {table.table: table.rows for table in result.tables} == truth(server)
