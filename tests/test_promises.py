"""docs/promises.md promises nothing that no test holds."""

import ast
import re
from pathlib import Path

import attrs

from adnet.transport.ceilings import Ceilings

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
SECTIONS = PAGE.split("\n## ")[1:]


def functions_in(name: str) -> set[str]:
    """Return the names of the functions of a file."""
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_test_that_it_names_is_there():
    """By file and by name; and so is every file of a command."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 60
    assert [pair for pair in named if pair[1] not in functions_in(pair[0])] == []
    files = {
        word
        for line in re.findall(r"^    \.venv/bin/pytest (.*)$", PAGE, re.MULTILINE)
        for word in line.split()
    }
    assert [file for file in sorted(files) if not (ROOT / file).exists()] == []


def test_every_promise_is_held_by_a_test_of_its_command():
    """Nine promises and the kit; each row of each names a test that the section's command runs."""
    promises = [section for section in SECTIONS if not section.startswith("What `make soak` did")]
    assert [section[:3] for section in promises[:9]] == [f"{number}. " for number in range(1, 10)]
    assert len(promises) == 10
    for section in promises:
        (command,) = re.findall(r"^    \.venv/bin/pytest (.*)$", section, re.MULTILINE)
        rows = section.partition("| held by |\n|---|---|\n")[2].partition("\n\n")[0].strip().splitlines()
        assert rows
        for row in rows:
            found = re.findall(r"`(tests/[\w/]+\.py)::\w+`", row)
            assert found, row
            assert all(any(file.startswith(place) for place in command.split()) for file in found), row


def test_the_ceilings_are_those_that_there_are():
    """By name and default."""
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+(?: MiB)?) \|", PAGE, re.MULTILINE))
    told = {name: text.replace(",", "").replace(" MiB", " * 1048576") for name, text in rows.items()}
    defaults = attrs.asdict(Ceilings())
    assert defaults == {
        name: int(text.split()[0]) * (2**20 if "*" in text else 1) for name, text in told.items()
    }
