"""What VK Ads words otherwise than myTarget, both ways."""

from pathlib import Path

import pytest

from adnet.connectors.mytarget.routes import AD_PLANS, ObjectRoutes
from adnet.testing.samples import Samples
from tests.connectors.mytarget.samples_kit import GIVEN, known_state

SAMPLES = Samples(Path(__file__).parent / "samples")


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
async def test_a_sample_holds_both_ways(sample):
    """The call makes exactly the requests of the sample, and their answers exactly its result."""
    with known_state("vkads") as state:
        await sample.play("vkads", state=state, **GIVEN)


def test_every_operation_of_its_own_has_a_sample():
    """Ad plans stand above what both brands have."""
    assert isinstance(AD_PLANS, ObjectRoutes)
    routes = (AD_PLANS.list, AD_PLANS.get, AD_PLANS.create, AD_PLANS.update, AD_PLANS.mass)
    assert {route.operation for route in routes} <= SAMPLES.operations


def test_no_sample_file_is_unused():
    """A file that no sample reads would rot."""
    assert SAMPLES.unused() == []
