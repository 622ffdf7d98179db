"""myTarget keeps every promise of the interface, over HTTP, against its sandbox."""

from adnet.testing import SandboxHarness, conformance


class Harness(SandboxHarness):
    network = "mytarget"


class TestMyTarget(conformance.suite(Harness)):
    """The whole suite, without a deviation."""
