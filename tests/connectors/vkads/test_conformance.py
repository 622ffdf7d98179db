"""VK Ads keeps every promise of the interface, over HTTP, against its sandbox."""

from adnet.testing import SandboxHarness, conformance


class Harness(SandboxHarness):
    network = "vkads"


class TestVkAds(conformance.suite(Harness)):
    """The whole suite, without a deviation."""
