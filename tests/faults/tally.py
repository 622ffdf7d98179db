"""Figures of long runs: counted where things happen, added up over processes, told at the end of ``make soak``."""

import json
import os
from pathlib import Path


def tally(what: str, count: int) -> None:
    """Add *count* to what was done, where ``ADNET_TALLY`` names a file to write it to."""
    if path := os.environ.get("ADNET_TALLY"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps({what: count}) + "\n")
