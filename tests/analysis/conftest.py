"""A place to land rows in."""

from pathlib import Path

import pytest

from analysis.kit import Land


@pytest.fixture
def land(tmp_path: Path) -> Land:
    """Return what lands models in a DuckDB file."""
    return Land("duckdb", tmp_path)
