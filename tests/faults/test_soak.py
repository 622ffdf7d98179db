"""`make soak` counts what its tests did, ends at the first failure, and leaves nothing behind."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "scripts" / "soak.py"
pytestmark = pytest.mark.usefixtures("uncovered")
TEST = """
import time
from tests.faults.tally import tally

def test_it(tmp_path):
    tally("tests run", 1)
    {then}
"""


@pytest.fixture(scope="module")
def soak():
    spec = importlib.util.spec_from_file_location("soak", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["soak"] = module  # for its dataclasses
    spec.loader.exec_module(module)
    yield module
    del sys.modules["soak"]


@pytest.fixture
def run(soak, tmp_path, monkeypatch):
    """Return a function that soaks tests which end as it is told, and returns exit code and report."""

    def run(*then: str, seconds: float = 100.0):
        legs = {}
        for number, line in enumerate(then):
            path = tmp_path / f"test_leg_{number}.py"
            path.write_text(TEST.format(then=line), encoding="utf-8")
            legs[f"leg {number}"] = (str(path),)
        monkeypatch.setattr(soak, "LEGS", legs)
        monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
        monkeypatch.setattr("tempfile.tempdir", None)
        (tmp_path / "temporary").mkdir()
        report = tmp_path / "report.json"
        code = soak.main(["--seconds", str(seconds), "--seed", "3", "--report", str(report)])
        assert list((tmp_path / "temporary").iterdir()) == []
        return code, json.loads(report.read_text("utf-8"))

    return run


def test_the_first_failure_ends_it_and_can_be_had_again(run, capsys):
    """The round, the leg and the command are told."""
    code, report = run("assert tmp_path is None", "time.sleep(600)")
    told = capsys.readouterr().out
    assert (code, report["outcome"]) == (1, "failed in round 1, leg 0")
    assert "assert tmp_path is None" in told
    assert "round 1, leg 0 of seed 3 failed; again:" in told
    seed = told.partition("--hypothesis-seed=")[2].split()[0]
    assert f"ADNET_SEED={seed} " in told


def test_what_was_done_is_added_up(run):
    """Over legs and rounds, up to the one that fails."""
    path = "Path(__file__).with_suffix('.count')"
    # Two run at a time, so that two have ended before the fourth begins.
    fourth = f"from pathlib import Path; p = {path}; p.open('a').write('x'); assert p.stat().st_size < 4"
    code, report = run(fourth)
    assert code == 1
    assert report["figures"]["tests run"] >= 4
    assert report["rounds"] >= 1


def test_the_end_of_the_time_is_no_failure(run):
    """A leg that runs is interrupted, and what it did by then counts."""
    began = time.monotonic()
    code, report = run("time.sleep(600)", seconds=2.0)
    assert time.monotonic() - began < 60
    assert (code, report["outcome"], report["rounds"]) == (0, "passed", 0)


def test_it_can_be_interrupted(tmp_path):
    """With figures so far, and no process and no file left."""
    temporary, report = tmp_path / "temporary", tmp_path / "report.json"
    temporary.mkdir()
    soaking = subprocess.Popen(
        [sys.executable, str(SCRIPT), "--seed", "3", "--report", str(report)],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with soaking:
        assert soaking.stdout.readline().endswith("for 3600 s, seed 3\n")
        wait_for(lambda: list(temporary.glob("adnet-soak-*/*/output")))
        soaking.send_signal(signal.SIGINT)
        assert "interrupted" in soaking.stdout.read()
    assert soaking.returncode == 130
    assert json.loads(report.read_text("utf-8"))["outcome"] == "interrupted"
    assert list(temporary.iterdir()) == []
    assert using(temporary) == []


def wait_for(true) -> None:
    """Wait a while until something is true."""
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def using(folder: Path) -> list[str]:
    """Return the processes whose temporary files are in *folder*."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = path.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in environment:
            found.append(path.parent.name)
    return found


def test_every_leg_finds_its_tests(soak):
    """Also those with a network's name in brackets."""
    targets = [target for leg in soak.LEGS.values() for target in leg]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "soak or not soak", *targets]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
    assert [target for target in targets if target not in found.stdout] == []
