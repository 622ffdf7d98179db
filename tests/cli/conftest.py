"""What the tests of the command line share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.kit import Adnet, Partner
from cli.market_kit import Market


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, away from the files and the terminal of whoever runs the tests."""
    for name in ("ADNET_CONFIG", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def adnet(home: Path, capsys: Any) -> Adnet:
    """Return the command line."""
    return Adnet(capsys)


@pytest.fixture(scope="session")
def partner() -> Iterator[Partner]:
    """Serve a Target Circle account on which nothing goes wrong."""
    with Partner() as served:
        yield served


@pytest.fixture
def market(home: Path) -> Iterator[Market]:
    """Serve a myTarget network, and configure ``own``, an account of a few campaigns and audiences."""
    with Market() as served:
        served.configure(served.account("own", "client_credentials"))
        yield served
