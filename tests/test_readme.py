"""The README tells the truth: its table is generated, its blocks run, its links lead somewhere."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from readme import README, generated, standing

from adnet import config
from adnet.cli import main

ROOT = README.parent
TEXT = README.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Serve the imitation that the README serves, in an empty folder."""
    (line,) = [line for block in blocks("sh") for line in block.splitlines() if "sandbox serve" in line]
    words = shlex.split(line)[1:-1]
    folder = tmp_path_factory.mktemp("readme")
    command = [sys.executable, "-m", "adnet", *words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder
    ) as server:
        assert json.loads(server.stdout.readline())
        yield folder
        server.terminate()


def test_support_table():
    """The table is what the connectors can do; `make readme` writes it anew."""
    assert standing() == generated()


def test_length():
    """It can be read in one sitting."""
    assert len(TEXT.splitlines()) <= 150


def test_two_commands_come_first():
    """Whoever arrives sees first how to see it work."""
    assert [line.split("#")[0].strip() for line in blocks("sh")[0].splitlines()] == ["make demo", "make test"]


def test_python(folder):
    """The example prints one line for each sale."""
    example, connector = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 50
    exec(connector, names := {})
    assert "list_stats" in names["Acme"].capabilities()


def test_commands(folder, monkeypatch, capsys):
    """Each command does what it should where the imitation is served."""
    monkeypatch.chdir(folder)
    lines = [shlex.split(line, comments=True) for block in blocks("sh") for line in block.splitlines()]
    commands = [words[1:] for words in lines if words[0] == "adnet" and words[1] != "sandbox"]
    assert len(commands) > 3
    for words in commands:
        assert (words, 0) == (words, main(words)), capsys.readouterr().err


def test_configuration(tmp_path):
    """The account in the README is one that adnet takes."""
    (text,) = blocks("toml")
    file = tmp_path / "adnet.toml"
    file.write_text(text, encoding="utf-8")
    assert list(tomllib.loads(text)["accounts"]) == list(config.load(file).accounts)


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "docs/promises.md"]
)
def test_links(page):
    """What a page points at is there."""
    file = ROOT / page
    targets = re.findall(r"\]\(([^)#]+)\)", file.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (file.parent / target).exists()] == []
