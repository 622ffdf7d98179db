"""``adnet sandbox serve``: imitation networks for whoever wants to rehearse."""

import json
import re
import signal
import stat
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adnet.cli import _sandboxes
from adnet.cli._sandboxes import SMALL
from adnet.errors import ConfigurationError
from adnet.sandbox import SANDBOXES
from adnet.sandbox.targetcircle import TargetCircleSandbox


@contextmanager
def serving(*words: str) -> Iterator[tuple[subprocess.Popen, dict[str, str]]]:
    """Run the command in a process of its own, and yield it with its first line."""
    command = [sys.executable, "-m", "adnet", "sandbox", "serve", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=10)


def get(url: str) -> object:
    with urllib.request.urlopen(url) as answer:  # an imitation on loopback
        return json.load(answer)


class TestServe:
    def test_first_line_and_configuration(self, adnet, home):
        """The first line says where each network is; the configuration written leads there, and checks out."""
        with serving("targetcircle", "adskeeper", "--write-config", "made/adnet.toml") as (_, served):
            assert list(served) == ["targetcircle", "adskeeper"]
            file = Path("made/adnet.toml")
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert (
                served["targetcircle"]
                == tomllib.loads(file.read_text())["accounts"]["targetcircle"]["base_url"]
            )
            assert adnet("check", "--config", file).code == 0

    def test_seed_decides(self, home):
        """The same seed serves the same rows, another one others."""
        truths = []
        for seed in ("7", "7", "8"):
            with serving("targetcircle", "--seed", seed) as (_, served):
                origin = served["targetcircle"].removesuffix("/api")
                truths.append(get(f"{origin}/__sandbox/truth/transactions?since=2026-01-01&until=2026-01-03"))
        assert truths[0] == truths[1] != truths[2]

    def test_small_ones_are_those_of_the_demonstration(self, home):
        """So that what has landed there is not changed by pulling from them."""
        with serving("mytarget", "--small") as (_, served):
            found = get(served["mytarget"] + "/__sandbox/truth/campaigns")
        assert len(found) == SMALL["mytarget"]["campaigns"]
        with serving("mytarget") as (_, served):
            assert len(get(served["mytarget"] + "/__sandbox/truth/campaigns")) > len(found)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_stops_when_told(self, home, number):
        """Being stopped is how a server ends: it exits with 0."""
        with serving("targetcircle") as (process, _):
            process.send_signal(number)
            out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err.endswith("stopped\n")) == (0, "", True)

    def test_faults(self, home):
        """A fault strikes at its rate, in those networks that know it; several may stand behind one option."""
        with serving("targetcircle", "--fault", "failed=0.5", "500=1", "adskeeper") as (_, served):
            assert list(served) == ["targetcircle", "adskeeper"]
            with pytest.raises(urllib.error.HTTPError, match="500"):
                get(served["targetcircle"] + "/offers")
            with pytest.raises(urllib.error.HTTPError, match="500"):
                get(served["adskeeper"] + "/clients/1")

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("targetcircle", "--fault", "430=0.5"), r"no fault '430' at targetcircle; there are 408, 429, "),
            (("--fault", "429"), "must be NAME=RATE"),
            (("--fault", "429=2"), "a rate from 0 to 1"),
            (("--fault", "=1"), "must be NAME=RATE"),
            (("targetcircle", "--fault", "429=0", "430=0.5", "--fault", "431=0"), "no fault '431' at"),
            (("--fault", "429=0", "500=2"), "a rate from 0 to 1"),
            (("nowhere",), "'nowhere' is not one of"),
        ],
    )
    def test_bad_words(self, adnet, words, message):
        """What is not known is told with what is."""
        ran = adnet("sandbox", "serve", *words)
        assert ran.code == 2
        assert message in ran.line

    def test_a_home_folder_that_is_not_there_is_refused(self, adnet):
        """In one line that names it."""
        ran = adnet("sandbox", "serve", "targetcircle", "--write-config", "~no-such-user/adnet.toml")
        assert ran.code == 2
        assert "there is no home folder for ~no-such-user" in ran.err

    def test_configuration_of_somebody_else(self, adnet, home):
        """A configuration that adnet did not write is not replaced."""
        Path("adnet.toml").write_text("[accounts.real]\n")
        ran = adnet("sandbox", "serve", "targetcircle", "--write-config", "adnet.toml")
        assert (ran.code, Path("adnet.toml").read_text()) == (2, "[accounts.real]\n")
        assert "is there already and was not made by adnet: name another file" in ran.line


class TestConfiguration:
    def write(self, path="adnet.toml"):
        sandbox = TargetCircleSandbox()
        sandbox._port = 4711
        _sandboxes.write_config(Path(path), _sandboxes.config_text([sandbox]))

    def test_replaced_in_one_step(self, home):
        """Its own file is replaced, keeps its mode, and leaves nothing beside it."""
        self.write()
        self.write()
        assert [path.name for path in home.iterdir()] == ["adnet.toml"]
        assert stat.S_IMODE(Path("adnet.toml").stat().st_mode) == 0o600

    def test_network_without_a_connector(self, monkeypatch):
        """A network that cannot be connected to here is told in a comment, so that the file works."""
        monkeypatch.setattr(_sandboxes, "connectable", list)
        sandbox = TargetCircleSandbox()
        sandbox._port = 4711
        text = _sandboxes.config_text([sandbox])
        assert re.search(
            r"^# targetcircle is served at http://127\.0\.0\.1:4711/api, but", text, re.MULTILINE
        )
        assert {"state"} == tomllib.loads(text).keys()

    def test_place_that_cannot_be_written(self, home):
        """A folder that cannot be made is told with the reason."""
        (home / "file").touch()
        with pytest.raises(ConfigurationError, match=r"adnet\.toml cannot be written: "):
            self.write(home / "file" / "adnet.toml")

    def test_nothing_is_left_of_what_could_not_be_put_in_place(self, home):
        """A draft that cannot take its place is removed."""
        with pytest.raises(IsADirectoryError):
            _sandboxes._replace(home, "text")
        assert list(home.parent.glob(f".{home.name}.*")) == []

    def test_every_imitation_has_its_connector(self):
        """Every network that is imitated can be connected to."""
        assert sorted(SANDBOXES) == _sandboxes.connectable()

    def test_limits_are_known_to_the_connectors(self, adnet, home):
        """The limits that are written for imitations are limits that the connectors have."""
        with serving("--write-config", "adnet.toml"):
            assert adnet("limits").code == 0
