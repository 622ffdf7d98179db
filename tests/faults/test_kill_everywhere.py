"""A pull that dies anywhere loses nothing, lands nothing twice, and asks for one report too many at most."""

import asyncio
import os
from collections.abc import Mapping
from datetime import date
from random import Random

import pytest

import adnet
from adnet.sandbox.targetcircle import TargetCircleSandbox
from adnet.state import State
from adnet.testing import FastClock, MemorySink

from .killing import PREY, ROUGH, SINCE, UNTIL, Hunt, Run, Survivor, hunting, same
from .tally import tally
from .truth import same_as_truth

KILLS = int(os.environ.get("ADNET_SOAK_KILLS", "20"))
"""Of one network in one round of ``make soak``."""
SEED = int(os.environ.get("ADNET_SEED", "20"))


def check(usual: Run, survivor: Survivor) -> None:
    """Fail unless the pull is as if it had never been killed."""
    compared = same(usual.rows, survivor.rows)
    # Windows may be cut elsewhere than in a pull that nobody killed; but none is asked for twice without a reason.
    # A run that came to its end is over, even if it died before it could tell its errors: the next begins anew, also
    # with what had landed.
    anew = (survivor.told + survivor.over) * (survivor.posts - survivor.repeated)
    outcomes = [(row["pull_id"], row["table"], row["outcome"]) for row in survivor.pulls]
    assert survivor.repeated <= survivor.kills + survivor.spoiled + anew, sorted(outcomes)
    # The journal names every POST, the last one of a killed process included, which may not have left.
    assert survivor.posts - survivor.spoiled <= survivor.attempts, "\n".join(survivor.story)
    assert survivor.attempts <= survivor.posts + survivor.kills + survivor.told
    assert survivor.open_jobs == 0
    troubled = {"failed", "partial"} if survivor.struck else set()
    assert {row["outcome"] for row in survivor.pulls} <= {"landed", "interrupted"} | troubled
    tally("kills survived", survivor.kills)
    tally("rows compared", compared)


async def hunt(
    there: Hunt, usual: Run, kills: int, scheme: str = "duckdb", rates: Mapping[str, float] | None = None
) -> None:
    """Kill pull after pull, each up to five times, until *kills* processes have died; check what becomes of each."""
    died = number = 0
    while died < kills:
        chance = Random(f"{SEED}:{scheme}:{number}")
        most = min(5, kills - died)
        survivor = await there.killed(f"pull {number}", usual, chance, most, scheme, rates)
        check(usual, survivor)
        died, number = died + survivor.kills, number + 1


@pytest.mark.parametrize(("network", "kills"), [("targetcircle", 10), ("adskeeper", 3), ("mytarget", 3)])
async def test_a_pull_survives_kills(tmp_path, network, kills):
    """Killed at any step and at any moment, then run to its end, it equals the truth; what had landed stays."""
    async with hunting(network, tmp_path) as (there, server):
        usual = await there.undisturbed()
        assert same_as_truth(network, server, SINCE, UNTIL, usual.rows) > 0
        await hunt(there, usual, kills)


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
@pytest.mark.timeout(900)
@pytest.mark.parametrize("network", sorted(PREY))
async def test_a_pull_survives_many_kills_among_faults(tmp_path, network):
    """Five kills a pull, pull after pull, while one request of twenty meets a fault; the seed chooses the sink."""
    chance = Random(f"{SEED}:{network}")
    scheme = chance.choice(["duckdb", "duckdb", "parquet", "csv", "jsonl"])
    async with hunting(network, tmp_path, seed=chance.randint(1, 10**6)) as (there, server):
        usual = await there.undisturbed(scheme)
        if scheme in {"duckdb", "parquet"}:  # which keep types
            tally("rows compared", same_as_truth(network, server, SINCE, UNTIL, usual.rows))
        await hunt(there, usual, KILLS, scheme, ROUGH)
