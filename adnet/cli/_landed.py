"""What a pull brought, as the command line tells it."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from adnet.cli._call import Call
from adnet.cli._exits import code_of_some, sentence
from adnet.cli.output import Table
from adnet.errors import AdnetError
from adnet.pull import PullResult
from adnet.pull.result import TableResult
from adnet.sinks import STDOUT
from adnet.transport.events import Meter

_SHARES: Final = {
    "limit": "limit_s",
    "retry": "retry_s",
    "token": "token_s",
    "server": "server_s",
    "poll": "poll_s",
    "decode": "decode_s",
    "sink": "sink_s",
}
"""What took time -> the field of a Meter that counts it."""


def report(call: Call, result: PullResult, *, profile: bool = False) -> int:
    """Write what landed and what did not, and return the exit code."""
    blocks = [landed_table(result.tables)]
    if profile:
        blocks.append(profile_table(result.tables))
    # Rows in JSON lines have standard output for themselves.
    call.out.result(result_data(result, profile=profile), *blocks, to_stderr=result.to == STDOUT)
    call.out.problems([*problems(result), *vanished(result.tables)])
    return code_of_some(result.errors, landed=result.landed)


def _account(table: TableResult) -> str:
    return table.account


def landed_table(tables: Iterable[TableResult]) -> Table:
    """Return one row for each account and table."""
    columns = ("account", "table", "outcome", "rows", "new", "changed", "requests", "waited_s")
    rows = [
        (
            t.account,
            t.table,
            t.outcome,
            t.rows,
            t.new_rows,
            t.changed_rows,
            t.meter.requests,
            t.meter.waited_s,
        )
        for t in sorted(tables, key=_account)
    ]
    return Table(columns, rows)


def profile_table(tables: Iterable[TableResult]) -> Table:
    """Return where the time went: seconds, and their share of all that was counted for a table.

    Requests under way at once count each for itself, so that a row may add up to more than has passed.
    """
    rows = [
        (t.account, t.table, *(_share(getattr(t.meter, field), t.meter) for field in _SHARES.values()))
        for t in sorted(tables, key=_account)
        if _counted(t.meter)
    ]
    return Table(("account", "table", *_SHARES), rows, title="seconds, and their share")


def _counted(meter: Meter) -> float:
    return float(sum(getattr(meter, field) for field in _SHARES.values()))


def _share(seconds: float, meter: Meter) -> str:
    return f"{seconds:.2f} ({seconds / _counted(meter):.0%})" if seconds else "-"


def problems(result: PullResult) -> Iterator[str]:
    """Yield a line for each thing that went wrong; what several tables of an account have in common, once."""
    whole = {error for _, error in result.failures}
    for name, error in result.failures:
        yield sentence(error.of_account(name))
    seen: dict[tuple[str, str], list[tuple[str, AdnetError]]] = {}
    for table in result.tables:
        for error in table.errors:
            if error in whole:
                continue
            seen.setdefault((table.account, error.message), []).append((table.table, error))
    for found in seen.values():
        tables = dict.fromkeys(name for name, _ in found)
        yield f"{', '.join(tables)}: {sentence(found[0][1])}"


def vanished(tables: Iterable[TableResult]) -> Iterator[str]:
    """Yield a line for each table some rows of which the network told no more."""
    for table in tables:
        if table.vanished_rows:
            yield (
                f"{table.account}: {table.table}: the network no longer tells {table.vanished_rows} of the rows that"
                " landed before for this period; they stay and count"
            )


def result_data(result: PullResult, *, profile: bool) -> dict[str, Any]:
    """Return the result as JSON values."""
    return {
        "pull_id": result.pull_id,
        "to": result.to,
        "ok": result.ok,
        "rows": result.rows,
        "tables": [_table_data(table, profile=profile) for table in result.tables],
        "failures": [{"account": name, "error": _error_data(error)} for name, error in result.failures],
    }


def _table_data(table: TableResult, *, profile: bool) -> dict[str, Any]:
    data = {name: value for name, value in table.row("").items() if name != "pull_id"}
    data["waited_s"] = round(table.meter.waited_s, 6)
    data["vanished_rows"] = table.vanished_rows
    data["errors"] = [_error_data(error) for error in table.errors]
    if profile:
        data["profile"] = {name: round(getattr(table.meter, field), 6) for name, field in _SHARES.items()}
    return data


def _error_data(error: AdnetError) -> dict[str, Any]:
    return {
        "type": type(error).__name__,
        "message": sentence(error),
        "temporary": error.temporary,
        "status": error.status,
        "code": error.code,
        "request_id": error.request_id,
    }
