"""The samples of the network's document, and the answers of production that differ from it, both ways."""

from pathlib import Path

import pytest

from adnet.connectors.adskeeper.routes import LOGIN, ROUTES
from adnet.testing.samples import Samples
from tests.connectors.adskeeper.kit import GIVEN, known_state

SAMPLES = Samples(Path(__file__).parent / "samples")


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
async def test_a_sample_holds_both_ways(sample):
    """The call makes exactly the requests of the sample, and their answers exactly its result."""
    with known_state() as state:
        await sample.play("adskeeper", state=state, **GIVEN)


def test_every_operation_has_a_sample():
    """Each route of the 41 operations is shown at least once."""
    assert SAMPLES.operations == {route.operation for route in ROUTES} - {LOGIN.operation}


def test_no_sample_file_is_unused():
    """A file that no sample reads would rot."""
    assert SAMPLES.unused() == []
