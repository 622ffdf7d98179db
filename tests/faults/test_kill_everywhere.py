"""A pull that dies anywhere loses nothing, lands nothing twice, and asks for one report too many at most."""

import asyncio
import os
from datetime import UTC, date
from random import Random

import pytest

import adnet
from adnet.sandbox.targetcircle import TargetCircleSandbox
from adnet.state import State
from adnet.testing import FastClock, MemorySink
from adnet.testing.conformance._tools import same_rows
from adnet.testing.conformance.networks.targetcircle import expected

from .killing import SINCE, UNTIL, Hunt, Run, Survivor, hunting, same
from .tally import tally

KILLS = int(os.environ.get("ADNET_SOAK_KILLS", "100"))
"""Of one network and sink, by ``make soak``."""
SEED = int(os.environ.get("ADNET_SEED", "20"))


def check(usual: Run, survivor: Survivor) -> None:
    """Fail unless the pull is as if it had never been killed."""
    compared = same(usual.rows, survivor.rows)
    assert survivor.posts <= usual.posts + survivor.kills
    # The journal names every POST, the last one of a killed process included, which may not have left.
    assert survivor.posts <= survivor.attempts <= usual.posts + survivor.kills
    assert survivor.open_jobs == 0
    assert {row["outcome"] for row in survivor.pulls} <= {"landed", "interrupted"}
    tally("kills survived", survivor.kills)
    tally("rows compared after kills", compared)


async def hunt(there: Hunt, kills: int, scheme: str = "duckdb") -> Survivor:
    """Kill pull after pull, each up to five times, until *kills* processes have died; check what becomes of each."""
    usual = await there.undisturbed(scheme)
    died = number = 0
    while died < kills:
        chance = Random(f"{SEED}:{scheme}:{number}")
        survivor = await there.killed(f"pull {number}", usual, chance, min(5, kills - died), scheme)
        check(usual, survivor)
        died, number = died + survivor.kills, number + 1
    return survivor


async def test_reports_survive_kills(tmp_path):
    """Killed at any step and at any moment, then run to its end, a pull of reports equals the truth."""
    async with hunting("targetcircle", tmp_path) as (there, server):
        survivor = await hunt(there, 10)
        since, until = date.fromisoformat(SINCE), date.fromisoformat(UNTIL)
        truth = expected(server, "transactions", since, until, None)
        landed = [
            {**row, "occurred_at": row["occurred_at"].replace(tzinfo=UTC)}
            for row in survivor.rows["transactions"]
        ]
        same_rows(truth, landed, without=("raw",))


@pytest.mark.parametrize("network", ["adskeeper", "mytarget"])
async def test_lists_survive_kills(tmp_path, network):
    """So does a pull of lists and statistics; what had landed stays."""
    async with hunting(network, tmp_path) as (there, _):
        await hunt(there, 3)


async def test_what_has_landed_is_not_asked_for_again_when_the_run_dies_elsewhere():
    """An account that was ready when another one's trouble ended the run keeps its place until all have ended."""
    async with TargetCircleSandbox(seed=1, per_day=4) as one, TargetCircleSandbox(seed=2, per_day=4) as two:
        state, sink, clock = State.open(), MemorySink(), FastClock()
        first, second = (
            adnet.connect(
                "targetcircle",
                base_url=s.base_url,
                state=state,
                clock=clock,
                name=name,
                currency="EUR",
                **s.credentials,
            )
            for s, name in ((one, "first"), (two, "second"))
        )
        two.polls_until_ready = 10**9
        days = {"since": date(2026, 1, 1), "until": date(2026, 1, 3), "tables": ["transactions"]}
        run = asyncio.ensure_future(adnet.pull([first, second], to=sink, **days))
        while "landed" not in {row["outcome"] for row in sink.rows("pulls")}:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)  # whatever the first account does after its end
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        two.polls_until_ready = 0
        two.evict()
        asked = len(one.log)
        assert (await adnet.pull([first, second], to=sink, **days)).ok
        assert len(one.log) == asked
        await first.close()
        await second.close()
        state.close()


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("scheme", ["duckdb", "parquet", "csv", "jsonl"])
@pytest.mark.parametrize("network", ["targetcircle", "adskeeper", "mytarget"])
async def test_every_sink_survives_many_kills(tmp_path, network, scheme):
    """Five kills a pull, pull after pull, in every kind of sink."""
    async with hunting(network, tmp_path) as (there, _):
        await hunt(there, KILLS, scheme)
