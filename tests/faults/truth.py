"""What landed in a sink, against what the imitation really has."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

from adnet.testing.conformance._tools import same_rows
from adnet.testing.harness import HOMES

Row = dict[str, Any]
BLIND = ("accounts",)
"""Tables of which the side doors tell nothing."""


def same_as_truth(
    network: str, server: Any, since: str, until: str, rows: Mapping[str, Sequence[Row]]
) -> int:
    """Fail unless typed rows of a sink are the server's, row by row and sum by sum; return how many there are."""
    expected, compared = import_module(HOMES[network]).FACTS["expected"], 0
    period = date.fromisoformat(since), date.fromisoformat(until)
    for table, landed in rows.items():
        if table in BLIND:
            continue
        for level in sorted({row["level"] for row in landed}) if table == "stats" else [None]:
            ours = [_aware(row) for row in landed if level is None or row["level"] == level]
            truth = expected(server, table, *period, level)
            if truth or ours:
                same_rows(truth, ours, without=("raw",))
                assert _sums(truth, truth) == _sums(truth, ours), table
            compared += len(ours)
    return compared


def _aware(row: Row) -> Row:
    return {
        name: value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
        for name, value in row.items()
    }


def _sums(truth: Sequence[Row], rows: Sequence[Row]) -> dict[str, Decimal]:
    """Return the sum of every column that is a number in *truth*, over *rows*."""
    numbers = {name for row in truth for name, value in row.items() if isinstance(value, int | Decimal)}
    return {name: sum((Decimal(str(row[name] or 0)) for row in rows), Decimal(0)) for name in numbers}
