"""A place of every kind of sink."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sink_kit import Place, StillClock

SCHEMES = ["duckdb", "parquet", "csv", "jsonl"]


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def place_of(tmp_path: Path, clock: StillClock) -> Callable[[str], Place]:
    def make(scheme: str) -> Place:
        name = "ads.duckdb" if scheme == "duckdb" else scheme
        return Place(scheme, tmp_path / "deep" / name, clock)

    return make


@pytest.fixture(params=SCHEMES)
def place(request: pytest.FixtureRequest, place_of: Callable[[str], Place]) -> Place:
    """Return a place of every kind in turn: what a test says holds for all sinks."""
    return place_of(request.param)
