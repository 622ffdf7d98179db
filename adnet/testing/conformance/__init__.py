"""The suite that every connector has to pass, whoever wrote it.

```python
from adnet.testing import SandboxHarness, conformance

class Harness(SandboxHarness):
    network = "targetcircle"

class TestTargetCircle(conformance.suite(Harness)):
    '''Target Circle keeps every promise of the interface.'''
```

Tests are chosen by what the connector can do, which is read off its class, and for what it cannot do a test demands
the refusal. None is skipped, but those of effects that the harness gives no way to look at (``Harness.held``). What
a connector cannot pass it declares, and the declaration is a strict xfail that turns red as soon as the test passes:

```python
class TestAcme(conformance.suite(Harness)):
    test_filters_choose = conformance.deviation("notyet", reason="Acme cannot filter", raises=UnsupportedError)
```
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from adnet import registry
from adnet.testing.conformance._policy import ConformanceError, Policed, choose, deviation
from adnet.testing.conformance.audiences import Audiences
from adnet.testing.conformance.binding import Binding
from adnet.testing.conformance.cancellation import Cancellation
from adnet.testing.conformance.errors import Errors
from adnet.testing.conformance.identity import Identity
from adnet.testing.conformance.limits import Limits
from adnet.testing.conformance.links import Links
from adnet.testing.conformance.lists import Lists
from adnet.testing.conformance.periods import Periods
from adnet.testing.conformance.refusal import Refusal
from adnet.testing.conformance.reports import Reports
from adnet.testing.conformance.secrets import Secrets
from adnet.testing.conformance.sources import Sources
from adnet.testing.conformance.writes import Writes
from adnet.testing.harness import Harness
from adnet.testing.plugin import loopback_only

__all__ = ["ConformanceError", "deviation", "suite"]

GROUPS = (
    Identity,
    Lists,
    Periods,
    Reports,
    Writes,
    Sources,
    Links,
    Audiences,
    Binding,
    Errors,
    Limits,
    Secrets,
    Cancellation,
    Refusal,
)
"""The standard tests, group by group."""


def suite(harness: type[Harness]) -> Any:
    """Return the base class for a connector's tests.

    Raises:
        ConfigurationError: The connector is not there, or cannot be loaded.
    """
    connector = registry.load(harness.network)
    chosen = {
        name: test
        for group in GROUPS
        for name, test in choose(group, registry.capabilities(connector)).items()
    }
    tests = {name: test.test() for name, test in chosen.items()}
    body = {
        "__doc__": f"What {connector.title} promises.",
        "__module__": harness.__module__,
        "chosen": chosen,
        "standard": tests,
        "harness": _fixture(harness),
        **tests,
    }
    return type(f"Conformance_{harness.network}", (Policed,), body, suite=True)


def _fixture(made_by: type[Harness]) -> Any:
    # The loop of the test, whatever the third party's settings say of loops.
    @pytest_asyncio.fixture(loop_scope="function")
    async def harness(self: object) -> AsyncIterator[Harness]:  # noqa: ARG001 - of the test class
        """Return a harness of its own for each test."""
        with loopback_only():
            made = made_by()
            try:
                yield made
            finally:
                await made.close()

    return harness
