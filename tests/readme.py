"""The support table in the README: where it stands, and how it is written anew (``make readme``)."""

from pathlib import Path
from typing import Final

from adnet import registry
from adnet.cli.networks import markdown_table

README: Final = Path(__file__).parent.parent / "README.md"
BEGIN: Final = "<!-- networks -->\n"
END: Final = "<!-- /networks -->"


def generated() -> str:
    """Return the table of the connectors that come with adnet, as ``adnet networks --markdown`` writes it."""
    found = [registry.load(network) for network in registry.BUILT_IN]
    return markdown_table(found) + "\n"


def standing() -> str:
    """Return the table that stands in the README."""
    return README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def write() -> None:
    """Put the generated table in place of the one that stands."""
    text = README.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    README.write_text(before + begin + generated() + end + after, encoding="utf-8")


if __name__ == "__main__":
    write()
