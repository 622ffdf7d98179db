"""What docs/connectors.md shows is code that is tested, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "connectors.md"
TEXT = PAGE.read_text(encoding="utf-8")
ACME = "\n".join(
    file.read_text(encoding="utf-8")
    for pattern in ("*.py", "*.toml")
    for file in sorted((ROOT / "tests" / "thirdparty" / "acme").rglob(pattern))
)
BLOCKS = re.findall(r"^```(?:python|toml)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_a_block_stands_in_acme_word_for_word(block):
    """Acme passes the whole suite, so what is shown does."""
    assert block in ACME


def test_links_lead_somewhere():
    """To files of this repository."""
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert links
    assert [link for link in links if not (PAGE.parent / link).exists()] == []


def test_modules_hold_what_the_page_says_is_there():
    """The table names the module of everything that a connector is made of."""
    import importlib

    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| `(adnet[\w.]*)` \|", TEXT, re.MULTILINE)
    assert len(rows) > 5
    for names, module in rows:
        home = importlib.import_module(module)
        assert [name for name in re.findall(r"\w+", names) if not hasattr(home, name)] == [], module
