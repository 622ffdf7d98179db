"""What a connector can do is read off its class."""

import inspect

import pytest

from adnet.interface import (
    FACETS,
    Connector,
    QueuesReports,
    ReadsAccounts,
    ReadsStats,
    Support,
    WritesAds,
    capabilities_of,
)
from adnet.interface.capabilities import OPERATIONS, operations_of


class Native(Connector, ReadsAccounts, ReadsStats):
    """Serves two facets itself."""

    levels = ("campaign", "ad")

    async def get_account(self): ...

    def list_stats(self, period, *, level="campaign", ids=None): ...


class Emulation:
    """Serves something in terms of something else."""

    emulates = True

    async def get_account(self): ...


class Borrowed(Emulation, Connector, ReadsAccounts):
    """Leaves its one operation to an emulation."""


class Reporting(Connector, QueuesReports):
    """Makes reports on request."""

    report_kinds = frozenset({"clicks"})

    async def submit_report(self, job): ...

    async def poll_report(self, job): ...

    def read_report(self, job): ...


REPORTS = {"submit_report", "poll_report", "read_report", "run_report"}


def supported(connector: type, how: Support) -> set[str]:
    """Return the operations that are served in one way."""
    return {name for name, support in capabilities_of(connector).items() if support is how}


def test_what_a_class_implements_is_native():
    """And reports are emulated wherever there are lists: such a job is ready at once."""
    assert supported(Native, Support.NATIVE) == {"get_account", "list_stats"}
    assert supported(Native, Support.EMULATED) == REPORTS
    assert capabilities_of(Native).levels == ("campaign", "ad")


def test_what_comes_from_an_emulation_is_emulated():
    """Support that costs more is told apart."""
    assert supported(Borrowed, Support.EMULATED) == {"get_account"}
    assert supported(Borrowed, Support.NATIVE) == set()


def test_reports_made_on_request_are_native():
    """With the kinds that the network makes."""
    assert supported(Reporting, Support.NATIVE) == REPORTS
    assert capabilities_of(Reporting).report_kinds == {"clicks"}


def test_a_connector_without_facets_supports_nothing():
    """And says so for every operation there is."""
    capabilities = Connector.capabilities()
    assert set(capabilities) == set(OPERATIONS)
    assert not any(capabilities.supports(name) for name in capabilities)
    assert len(capabilities) == len(OPERATIONS)
    assert (capabilities.report_kinds, capabilities.levels) == (frozenset(), ())


def test_what_nobody_knows_is_not_supported():
    """A mistyped name is no operation."""
    assert not capabilities_of(Native).supports("fly")
    with pytest.raises(KeyError):
        capabilities_of(Native)["fly"]


def test_only_none_is_false():
    """``if capabilities["list_ads"]`` reads well."""
    assert [bool(support) for support in (Support.NATIVE, Support.EMULATED, Support.NONE)] == [
        True,
        True,
        False,
    ]


def test_operations_are_unique_and_each_facet_has_some():
    """One method of the facade belongs to one facet."""
    assert len(OPERATIONS) == len(set(OPERATIONS))
    assert all(operations_of(facet) for facet in FACETS)


def test_an_incomplete_facet_cannot_be_constructed():
    """A missing method is found when the connector is made, not when it is called."""

    class Half(WritesAds):
        async def create_ads(self, drafts): ...

    with pytest.raises(TypeError, match="update_ads"):
        Half()


@pytest.mark.parametrize("facet", FACETS, ids=lambda facet: facet.__name__)
def test_lists_are_plain_functions_and_all_else_is_awaited(facet):
    """A list is iterated, and asks for nothing before that."""
    for name, method in vars(facet).items():
        if getattr(method, "__isabstractmethod__", False):
            iterated = name.startswith("list_") or name == "read_report"
            assert inspect.iscoroutinefunction(method) is not iterated, name
