"""The samples of the network's document, and the awkward answers that it does not show, both ways."""

from pathlib import Path

import pytest

from adnet.connectors.targetcircle.routes import ROUTES
from adnet.testing.samples import Samples

SAMPLES = Samples(Path(__file__).parent / "samples")
TOKEN = "tok-0123456789abcdef"


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
async def test_a_sample_holds_both_ways(sample):
    """The call makes exactly the requests of the sample, and their answers exactly its result."""
    await sample.play("targetcircle", base_url="https://tc.example/api", token=TOKEN)


def test_every_operation_has_a_sample():
    """Each of the eleven operations is shown at least once."""
    assert {route.operation for route in ROUTES} == SAMPLES.operations


def test_no_sample_file_is_unused():
    """A file that no sample reads would rot."""
    assert SAMPLES.unused() == []
