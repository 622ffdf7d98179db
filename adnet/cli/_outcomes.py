"""What came of a change, object by object, and how it is told."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from adnet.cli._call import Call
from adnet.cli._exits import DONE, code_of_some, sentence
from adnet.cli._objects import shown_value, tidy
from adnet.cli.output import Table
from adnet.errors import AdnetError, LostReplyError
from adnet.models import Outcome, PlannedRequest
from adnet.money import Money


@attrs.frozen(kw_only=True)
class Line:
    """What came of one object, or would come of it."""

    id: str
    name: str | None = None
    outcome: str
    """``done``, ``unchanged``, ``failed``, ``unknown``; ``planned`` when nothing was sent on purpose."""
    changes: Mapping[str, tuple[Any, Any]] = attrs.field(factory=dict)
    """Field -> before and after."""
    notes: tuple[str, ...] = ()
    error: AdnetError | None = None

    def data(self) -> dict[str, Any]:
        """Return it as JSON values."""
        error = self.error
        return {
            "id": self.id,
            "name": self.name,
            "outcome": self.outcome,
            "changes": {
                field: {"from": shown_value(before), "to": shown_value(after)}
                for field, (before, after) in self.changes.items()
            },
            "notes": list(self.notes),
            "error": None
            if error is None
            else {"type": type(error).__name__, "message": sentence(error), "code": error.code}
            | ({"fields": dict(fields)} if (fields := getattr(error, "fields", None)) else {}),
        }


@attrs.frozen(kw_only=True)
class Done:
    """What a command did."""

    lines: Sequence[Line]
    counts: Mapping[str, Any] = attrs.field(factory=dict)
    requests: Sequence[PlannedRequest] | None = None
    """What would be sent; None when it was sent."""
    unsafe: str = ""
    """Why the change would have to be forced."""


def line_of(
    number: str,
    outcome: Outcome,
    *,
    name: str | None = None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    planned: bool = False,
) -> Line:
    """Return the line of one outcome; one that is not known has an error that says so."""
    error = outcome.error
    if error is None and not outcome.ok:
        error = LostReplyError(f"what came of {number} is not known")
    return Line(
        id=number,
        name=name,
        outcome="planned" if planned and outcome.ok else outcome.status,
        changes=changes if changes and outcome.status != "unchanged" else {},
        notes=outcome.notes,
        error=error,
    )


def tell(call: Call, done: Done) -> int:
    """Write what came of a change, and return the exit code."""
    rows = [line.data() for line in done.lines]
    data: dict[str, Any] = {"outcomes": rows, "counts": dict(done.counts)}
    blocks: list[Table | str] = [_table(done.lines)]
    if done.requests is not None:
        data |= {"dry_run": True, "requests": [attrs.asdict(request) for request in done.requests]}
        data["needs_force"] = done.unsafe or None
        blocks.insert(0, _requests(done.requests))
    call.out.result(data, *blocks)
    if done.requests is not None:
        call.out.note("nothing was sent")
        if done.unsafe:
            call.out.problem(f"it would take --force: {done.unsafe.partition(';')[0]}")
    errors = [line.error for line in done.lines if line.error is not None]
    call.out.problems(map(sentence, errors))
    return code_of_some(errors, landed=len(errors) < len(done.lines)) if done.lines else DONE


def _table(lines: Sequence[Line]) -> Table:
    """Return a row for each object; columns in which nothing stands are left out."""
    rows = [
        {
            "id": line.id,
            "name": line.name,
            "outcome": line.outcome,
            "changes": ", ".join(_changed(field, *values) for field, values in line.changes.items()),
            "notes": "; ".join((*line.notes, *([line.error.message] if line.error else []))),
        }
        for line in lines
    ]
    columns = [
        name for name in ("id", "name", "outcome", "changes", "notes") if any(row[name] for row in rows)
    ]
    return Table(columns or ["id", "outcome"], [[row[name] for name in columns] for row in rows])


def _changed(field: str, before: Any, after: Any) -> str:
    if isinstance(after, Mapping):
        inner = before if isinstance(before, Mapping) else {}
        return ", ".join(_changed(f"{field}.{key}", inner.get(key), value) for key, value in after.items())
    return f"{field}: {_worded(before)} -> {_worded(after)}"


def _worded(value: Any) -> str:
    if isinstance(value, Money):
        return f"{tidy(value.amount)} {value.currency}"
    return "none" if value is None else str(value)


def _requests(requests: Sequence[PlannedRequest]) -> str:
    """Return the requests as lines: method and URL, what it is for, and the body."""
    lines = []
    for request in requests:
        lines.append(f"{request.method} {request.url}" + (f"    # {request.note}" if request.note else ""))
        if request.body:
            lines.append(f"    {request.body}")
    return "\n".join(lines) or "(no request)"
