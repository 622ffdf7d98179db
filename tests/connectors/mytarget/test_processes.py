"""Several processes on one state, and processes that are killed in the middle: real ones, in real time."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

import adnet
from adnet.sandbox.mytarget import MytargetSandbox

WORKER = Path(__file__).with_name("worker.py")
pytestmark = pytest.mark.usefixtures("uncovered")


async def run(sandbox, mode: str, state: Path, seconds: float, name: str = "shop") -> tuple[int, str]:
    """Run one process to its end; return its exit code and what it said."""
    credentials = sandbox.credentials.values()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(WORKER),
        *(mode, str(state), sandbox.base_url, *credentials, str(seconds), name),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode().strip()


async def test_four_processes_refresh_a_token_once_for_all(tmp_path):
    """With tokens of 3 seconds: one issue, then one refresh per expiry, whoever does it."""
    async with MytargetSandbox(campaigns=1, banners=0, limits="none", token_lifetime_s=3) as sandbox:
        ended = await asyncio.gather(*(run(sandbox, "works", tmp_path / "s.db", 9.2) for _ in range(4)))
        report, log = sandbox.report(), sandbox.log
    assert [code for code, _ in ended] == [0, 0, 0, 0], ended
    assert report["grants"] == {"client_credentials": 1}
    # Each token is used for 2.7 s before the next one is asked for, however long the machine took for all this.
    assert 2 <= report["refreshes"] <= (log[-1].at - log[0].at) / 2.7
    assert (report["oauth_errors"], report["live_slots"]) == ({}, {"70001": 1})


@pytest.mark.parametrize("rotates", [False, True])
async def test_a_kill_between_refresh_and_save_costs_no_login(tmp_path, rotates):
    """The next process finds out by itself what the network did, and needs at most one more slot."""
    state = tmp_path / "s.db"
    async with MytargetSandbox(
        campaigns=1, banners=0, limits="none", token_lifetime_s=1, rotate_refresh=rotates
    ) as sandbox:
        assert await run(sandbox, "works", state, 0.0) == (0, "0")
        account = adnet.connect(
            "mytarget", base_url=sandbox.base_url, state=f"sqlite:{state}", **sandbox.credentials
        )
        async with account:
            await account.get_account()
        await asyncio.sleep(1.1)
        assert await run(sandbox, "killed", state, 1.0) == (-signal.SIGKILL, "")
        code, answers = await run(sandbox, "works", state, 0.1)
        report = sandbox.report()
    assert (code, int(answers) > 0) == (0, True)
    assert report["grants"] == {"client_credentials": 2 if rotates else 1}


async def test_a_kill_between_issue_and_save_costs_one_slot(tmp_path):
    """Nothing is known of the token that was given; the next process asks for its own."""
    state = tmp_path / "s.db"
    async with MytargetSandbox(campaigns=1, banners=0, limits="none") as sandbox:
        assert (await run(sandbox, "killed", state, 1.0))[0] == -signal.SIGKILL
        code, _ = await run(sandbox, "works", state, 0.1)
        report = sandbox.report()
    assert (code, report["grants"]) == (0, {"client_credentials": 2})


async def test_of_two_accounts_of_one_client_one_gets_it_in_all_processes(tmp_path):
    """Whichever comes first; the other does no work in any of them."""
    async with MytargetSandbox(campaigns=1, banners=0, limits="none") as sandbox:
        names = ("one", "two", "one", "two")
        ended = await asyncio.gather(*(run(sandbox, "works", tmp_path / "s.db", 0.5, name) for name in names))
        report = sandbox.report()
    codes = [code for code, _ in ended]
    assert codes in ([0, 1, 0, 1], [1, 0, 1, 0]), ended
    winner = names[codes.index(0)]
    assert all(f"`adnet auth revoke {winner}`" in said for code, said in ended if code)
    assert report["grants"] == {"client_credentials": 1}
