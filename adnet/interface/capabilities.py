"""What a connector can do, read off its class; only numbers are written down, each with its source."""

import enum
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

import attrs

from adnet.interface.facets import FACETS, Facet, QueuesReports, ReadsStats
from adnet.models.tables import TABLES


class Support(enum.Enum):
    """How an operation is served."""

    NATIVE = "native"
    EMULATED = "emulated"
    """In terms of other operations; costs more requests, or is done here."""
    NONE = "none"

    def __bool__(self) -> bool:
        return self is not Support.NONE


@attrs.frozen
class LimitFact:
    """One number about a network, and where it comes from."""

    name: str
    value: object
    unit: str
    source: str
    """Vendor page or document, and whether documented, observed or our own caution."""


@attrs.frozen
class Capabilities(Mapping[str, Support]):
    """Operation name -> Support, for every operation that adnet knows."""

    operations: Mapping[str, Support]
    report_kinds: frozenset[str] = frozenset()
    """Reports that the network makes on request; ``reports`` has the lists that are ready at once, too."""
    levels: tuple[str, ...] = ()

    def __getitem__(self, operation: str) -> Support:
        return self.operations[operation]

    def __iter__(self) -> Iterator[str]:
        return iter(self.operations)

    def __len__(self) -> int:
        return len(self.operations)

    @property
    def reports(self) -> frozenset[str]:
        """Kinds of report: those made on request, and the lists of tables, which are ready at once."""
        return self.report_kinds.union(name for name in TABLES if self.operations.get(f"list_{name}"))

    def supports(self, operation: str, *, kind: str | None = None, level: str | None = None) -> bool:
        """Whether the operation can be served at all, or for this *kind* of report and *level* of statistics."""
        return (
            bool(self.operations.get(operation, Support.NONE))
            and (kind is None or kind in self.reports)
            and (level is None or level in self.levels)
        )


_NAMED_OTHERWISE: Final = {"express": ("plan",), "read_report": ("read_report", "run_report")}
"""Facet methods that the Account offers under another name, or in more than one form."""


def operations_of(facet: type[Facet]) -> tuple[str, ...]:
    """Return the names of the Account methods that a facet serves: its abstract methods, in order."""
    names = (name for name, value in vars(facet).items() if getattr(value, "__isabstractmethod__", False))
    return tuple(operation for name in names for operation in _NAMED_OTHERWISE.get(name, (name,)))


OPERATIONS: Final[tuple[str, ...]] = tuple(name for facet in FACETS for name in operations_of(facet))
_REPORTS: Final = frozenset(operations_of(QueuesReports))


@lru_cache
def capabilities_of(connector: type) -> Capabilities:
    """Return what a connector class can do.

    An operation is native when the class or a base that is not marked ``emulates`` defines it. Reports are
    emulated wherever lists are served: such a report is a job that is ready at once.
    """
    found = dict.fromkeys(OPERATIONS, Support.NONE)
    for facet in FACETS:
        if issubclass(connector, facet):
            for operation in operations_of(facet):
                found[operation] = _how(connector, operation)
    if not issubclass(connector, QueuesReports) and any(
        found[name] for name in found if name.startswith("list_")
    ):
        found.update(dict.fromkeys(_REPORTS, Support.EMULATED))
    return Capabilities(
        found,
        report_kinds=connector.report_kinds if issubclass(connector, QueuesReports) else frozenset(),
        levels=tuple(connector.levels) if issubclass(connector, ReadsStats) else (),
    )


def _how(connector: type, operation: str) -> Support:
    for owner in connector.__mro__:
        if operation in vars(owner):
            return Support.EMULATED if vars(owner).get("emulates") else Support.NATIVE
    return Support.NATIVE
