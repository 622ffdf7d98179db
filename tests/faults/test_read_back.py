"""What we write, we read back as it was: rows in every sink, saved jobs, tokens, checkpoints, configurations."""

import asyncio
import json
import os
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adnet.models import ReportJob, ReportQuery
from adnet.models.tables import TABLES, Columns, Table
from adnet.operations.windows import Left
from adnet.periods import Period
from adnet.pull.checkpoint import PullCheckpoint
from adnet.state import State, StoredToken
from adnet.testing import FakeClock, MemorySink

from .tally import tally

sys.path.append(str(Path(__file__).parent.parent / "sinks"))
from sink_kit import Place, StillClock

EXAMPLES = int(os.environ.get("ADNET_SOAK_EXAMPLES", "0"))
few = settings(
    max_examples=EXAMPLES or 4, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
many = settings(
    max_examples=EXAMPLES or 100, deadline=None, suppress_health_check=list(HealthCheck), database=None
)

texts = st.text(max_size=20)

instants = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
periods = st.tuples(instants, st.timedeltas(timedelta(seconds=1), timedelta(days=400))).map(
    lambda pair: Period(pair[0], pair[0] + pair[1])
)
some_text = st.none() | texts
counts = st.none() | st.integers(0, 2**40)
queries = st.builds(
    ReportQuery,
    kind=texts,
    period=st.none() | periods,
    currency=some_text,
    level=st.sampled_from([None, "campaign", "ad", "source"]),
    filters=st.dictionaries(texts, texts | st.lists(texts, max_size=3), max_size=3),
)
jobs = st.builds(
    ReportJob,
    network=texts,
    account=texts,
    account_key=texts,
    query=queries,
    state=st.sampled_from(["intended", "submitted", "running", "ready", "done", "failed", "cancelled"]),
    report_id=some_text,
    location=some_text,
    pages=counts,
    rows=counts,
    row_limit=counts,
    attempts=st.integers(0, 9),
    created_at=st.none() | instants,
    submitted_at=st.none() | instants,
    owner=some_text,
    error=some_text,
)


@many
@given(jobs)
def test_a_job_is_read_back_as_it_was(job):
    """Every field, and the query's key with it."""
    found = ReportJob.from_json(job.to_json())
    assert found == job
    assert found.query.key == job.query.key


tokens = st.builds(
    StoredToken,
    access_token=st.text(min_size=1),
    refresh_token=st.none() | st.text(min_size=1),
    expires_at=st.none() | instants,
    issued_at=instants,
    scope=some_text,
    refreshes=st.integers(0, 99),
    issues=st.integers(0, 99),
)


@few
@given(tokens, st.none() | st.text(min_size=1))
def test_a_token_is_read_back_as_it_was(token, key):
    """In clear and encrypted; its number grows."""
    with State.open(key=key) as state:
        saved = state.tokens.save("account", token)
        assert saved.generation == 1
        assert state.tokens.load("account") == saved


lefts = st.builds(
    Left,
    windows=st.lists(st.none() | periods, max_size=4).map(tuple),
    rest=st.none() | periods,
    step=st.none() | st.timedeltas(timedelta(seconds=1), timedelta(days=400)),
)


@few
@given(lefts)
def test_a_checkpoint_is_read_back_as_it_was(left):
    """The windows that are left, and how the next is cut."""
    clock, sink = FakeClock(), MemorySink()

    async def stored(state: State) -> Left | None:
        await sink.record([{"network": "n", "account": "a", "pull_id": "p", "table": "clicks"}])
        query = ReportQuery(kind="clicks")
        first, second = (
            PullCheckpoint(
                state.facts, scope="k", query=query, sink=sink, pull_id="p", now=clock.now(), lands=["clicks"]
            )
            for _ in range(2)
        )
        first.save(left)
        await second.verify()
        return second.load()

    with State.open(clock=clock) as state:
        assert asyncio.run(stored(state)) == left


# ---------------------------------------------------------------------- rows

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "",
        "=1+1",
        "-5",
        "@x",
        "+",
        "'",
        '"',
        ",",
        "a\r\nb",
        "\t",
        "NULL",
        "null",
        "0",
        "\x00",
        "\u2028",
        "ﷺ",
        "😀",
        "[]",
        "{}",
    ]
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": words,
    "money": st.decimals(-(10**12) + 1, 10**12 - 1, places=6),
    "instant": st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    "date": st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    "int": st.integers(-(2**63), 2**63 - 1),
    "texts": st.lists(words, max_size=3),
}


@st.composite
def landings(draw: Any) -> tuple[Table, Columns]:
    """Draw some rows of some table, with keys of their own."""
    table = TABLES[draw(st.sampled_from(sorted(TABLES)))]
    count = draw(st.integers(1, 12))
    columns: Columns = {}
    for name, kind in table.columns.items():
        value = VALUES[kind] if name in table.key else st.none() | VALUES[kind]
        columns[name] = draw(st.lists(value, min_size=count, max_size=count))
    first = next(name for name in table.key if table.columns[name] == "text")
    columns[first] = [f"{number} {word}" for number, word in enumerate(columns[first])]
    columns["raw"] = [
        json.dumps({"a": word}) for word in draw(st.lists(words, min_size=count, max_size=count))
    ]
    return table, columns


def in_csv(kind: str, value: Any) -> Any:
    """Return a value as a CSV file can tell it: no text is nothing, and no text begins a formula."""
    if kind == "texts" or value in (None, ""):
        return value or (None if kind != "texts" or value is None else [])
    return f"'{value}" if kind == "text" and value[0] in "=+-@\t\r\n" else value


@pytest.mark.parametrize("scheme", ["duckdb", "parquet", "csv", "jsonl"])
@few
@given(landings())
def test_rows_land_as_they_are(scheme, landing):
    """Every type of column, in every kind of sink, read past the sink's code; landing them again changes nothing."""
    table, columns = landing
    with tempfile.TemporaryDirectory() as folder:
        place = Place(scheme, Path(folder) / ("ads.duckdb" if scheme == "duckdb" else scheme), StillClock())
        first, again = (asyncio.run(place.land(columns, table.name)) for _ in range(2))
        found = place.rows(table.name)
    count = len(columns["raw"])
    assert (first.rows, first.new_rows, again.new_rows, again.changed_rows) == (count, count, 0, 0)
    expected = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    assert len(found) == count
    kept = [{name: row[name] for name in columns} for row in found]
    assert sorted(kept, key=repr) == sorted((told(scheme, table, row) for row in expected), key=repr)
    tally("rows read back", count)


def told(scheme: str, table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as it has to be read back from a sink: instants are in UTC there."""
    kinds = {**table.columns, "raw": "text"}
    plain = {
        name: value.replace(tzinfo=None) if isinstance(value, datetime) else value
        for name, value in row.items()
    }
    return {name: in_csv(kinds[name], value) for name, value in plain.items()} if scheme == "csv" else plain
