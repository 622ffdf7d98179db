"""What all tests share: no network but loopback, and aioresponses made to work with the present aiohttp."""

import os
from unittest.mock import Mock

import aioresponses.core
import coverage
import pytest
from aiohttp import ClientResponse
from hypothesis import settings

# A machine that is busy with other things is no reason to fail.
settings.register_profile("calm", deadline=None)
settings.load_profile("calm")
if examples := os.environ.get("ADNET_SOAK_EXAMPLES"):  # of every property, by `make soak`
    settings.register_profile("soak", max_examples=int(examples), deadline=None)
    settings.load_profile("soak")

for _name in ("ADNET_CONFIG", "METRICA_TOKEN"):  # of whoever runs the tests, and nothing to them
    os.environ.pop(_name, None)


@pytest.fixture(scope="session", autouse=True)
def _loopback_only(adnet_loopback_only: None) -> None:
    """Refuse every connection that leaves this machine."""


def pytest_sessionfinish() -> None:
    """Write what a worker has measured while it is waited for: pytest-xdist kills one that takes 10 s to end."""
    measured = coverage.Coverage.current()
    if measured is not None and "PYTEST_XDIST_WORKER" in os.environ:
        measured.save()


@pytest.fixture
def uncovered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no child measure coverage: what a kill cuts short is lost anyway, and it makes them slow."""
    for name in [name for name in os.environ if name.startswith(("COV_", "COVERAGE_"))]:
        monkeypatch.delenv(name)


class _MockedResponse(ClientResponse):
    """aiohttp 3.14 wants a ``stream_writer`` that aioresponses 0.7.9 does not give yet."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


aioresponses.core.ClientResponse = _MockedResponse
