"""The samples of the network's documents, and the awkward answers that they mention, both ways."""

from pathlib import Path

import pytest

from adnet.connectors.mytarget.routes import ROUTES
from adnet.testing.samples import Samples

from .samples_kit import GIVEN, known_state

SAMPLES = Samples(Path(__file__).parent / "samples")
STREAMED = {"content.upload", "users_lists.create"}
"""Their bodies are streams, which no JSON can show; they are uploaded in tests over HTTP."""


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
async def test_a_sample_holds_both_ways(sample):
    """The call makes exactly the requests of the sample, and their answers exactly its result."""
    with known_state() as state:
        await sample.play("mytarget", state=state, **GIVEN)


def test_every_operation_has_a_sample():
    """Those that only VK Ads has are shown beside it."""
    operations = {route.operation for route in ROUTES if not route.operation.startswith("ad_plans")}
    assert operations - STREAMED == SAMPLES.operations


def test_no_sample_file_is_unused():
    """A file that no sample reads would rot."""
    assert SAMPLES.unused() == []
