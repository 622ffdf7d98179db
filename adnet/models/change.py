"""Changes as values: what to change, what came of it, and a plan that shows it before it is done."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import attrs

from adnet.errors import AdnetError, BatchError
from adnet.models._base import words_field

OutcomeStatus = Literal["done", "failed", "unchanged", "unknown"]


@attrs.frozen
class Update:
    """New values for some fields of one object; nothing else is sent.

    Field names are those of the tables and take the plain words, e.g. ``{"status": "paused"}``. A value
    that is a mapping changes only the keys it names.
    """

    id: str = attrs.field(converter=str)
    fields: Mapping[str, Any] = words_field()
    kind: str | None = None
    """``campaigns`` or ``ads`` where it is known, as after a diff."""

    def __bool__(self) -> bool:
        return bool(self.fields)


@attrs.frozen
class Removal:
    """The removal of one object, for plans: what it takes and what it stops is told before it is done."""

    id: str = attrs.field(converter=str)
    kind: str = "campaigns"
    """``campaigns``, ``ads`` or ``shares``; a share's id is its key."""


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of one item of a batch."""

    id: str | None = None
    """The object's id; the new one after a create."""
    status: OutcomeStatus
    """``unknown``: the reply was lost and the object could not be looked up; it may have been done."""
    error: AdnetError | None = attrs.field(default=None, eq=False)
    notes: tuple[str, ...] = ()
    """What the user should know, e.g. parts that were not saved."""

    @property
    def ok(self) -> bool:
        """Whether the object is now as asked for."""
        return self.status in {"done", "unchanged"}


def _outcomes(value: Iterable[Outcome]) -> tuple[Outcome, ...]:
    return tuple(value)


@attrs.frozen
class BatchResult(Sequence[Outcome]):
    """One outcome for each item, in the order of the input."""

    outcomes: tuple[Outcome, ...] = attrs.field(converter=_outcomes)

    def __getitem__(self, index: Any) -> Any:
        return self.outcomes[index]

    def __len__(self) -> int:
        return len(self.outcomes)

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self.outcomes)

    @property
    def ok(self) -> bool:
        """Whether every item is now as asked for."""
        return all(outcome.ok for outcome in self.outcomes)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The outcomes that are not as asked for."""
        return tuple(outcome for outcome in self.outcomes if not outcome.ok)

    @property
    def ids(self) -> tuple[str | None, ...]:
        """The ids, in the order of the input."""
        return tuple(outcome.id for outcome in self.outcomes)

    def raise_for_errors(self) -> None:
        """Raise a BatchError with one child for each failed item; do nothing when all went well."""
        errors: list[AdnetError] = []
        for index, outcome in enumerate(self.outcomes):
            if not outcome.ok:
                error = outcome.error or AdnetError(f"item {index} ended {outcome.status}")
                if (note := f"item {index}") not in getattr(error, "__notes__", ()):
                    error.add_note(note)
                errors.append(error)
        if errors:
            raise BatchError(f"{len(errors)} of {len(self.outcomes)} items failed", errors)


@attrs.frozen(kw_only=True)
class PlannedRequest:
    """One request as it would be sent, without credentials."""

    method: str
    url: str
    body: str | None = None
    note: str | None = None
    """Why it would be sent, what depends on the answer, or what it stops."""
    ids: tuple[str, ...] = ()
    """What it changes, as whoever asked for it named that; empty where it is not told."""


@attrs.frozen(kw_only=True)
class Plan:
    """Changes and the exact requests they would take; nothing has been sent."""

    network: str
    account: str | None = None
    updates: tuple[Update, ...] = ()
    requests: tuple[PlannedRequest, ...] = ()
    counts: Mapping[str, Any] = attrs.field(factory=dict)
    """What the plan moves, e.g. ``{"budget_change": Decimal("0.25")}`` as a share of what is there."""
    others: int = 0
    """Drafts and removals among the changes; they are made by calls of their own."""

    def __len__(self) -> int:
        return len(self.updates)
