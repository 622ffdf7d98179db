"""Report queries and jobs as stored values."""

import json
from datetime import UTC, datetime, timedelta

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.errors import StateError
from adnet.models import ReportJob, ReportQuery
from adnet.models.report import FORMAT
from adnet.periods import Period

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PERIOD = Period(NOON, NOON + timedelta(hours=1))
QUERY = ReportQuery(kind="transactions", period=PERIOD, currency="EUR", filters={"status": ["a", "b"]})
JOB = ReportJob(
    job_id="j1", network="acme", account="shop", account_key="k", query=QUERY, state="ready", report_id="77",
    location="/reports/77", pages=3, rows=21, row_limit=1000, attempts=2, created_at=NOON, submitted_at=NOON,
    ready_at=NOON, updated_at=NOON, owner="host:1", error="none",
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def stored(**changes: object) -> dict[str, object]:
    """Return JOB as stored, with some keys changed."""
    return {**json.loads(JOB.to_json()), **changes}


def test_a_saved_job_loads_as_it_was():
    """All of it, instants and period included."""
    assert ReportJob.from_json(JOB.to_json()) == JOB


def test_a_job_without_a_period_loads_as_it_was():
    """Some reports have none."""
    job = attrs.evolve(JOB, query=ReportQuery(kind="trades"))
    assert ReportJob.from_json(job.to_json()) == job


def test_an_older_format_loads():
    """It has fewer keys, and the ones that are missing take their defaults."""
    old = {
        "network": "acme",
        "account": "shop",
        "query": {"kind": "clicks"},
        "state": "submitted",
        "job_id": "x",
    }
    expected = ReportJob(
        job_id="x", network="acme", account="shop", query=ReportQuery(kind="clicks"), state="submitted"
    )
    assert ReportJob.from_json(json.dumps(old)) == expected


def test_a_key_that_is_no_longer_known_is_passed_over():
    """An older format may have had more."""
    assert ReportJob.from_json(json.dumps(stored(colour="red"))) == JOB


def test_a_newer_format_is_refused_with_the_remedy():
    """Guessing at it could read the wrong report."""
    with pytest.raises(StateError, match=rf"format {FORMAT + 1}.*upgrade adnet"):
        ReportJob.from_json(json.dumps(stored(version=FORMAT + 1)))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"query": {}}', '{"version": "new"}', b"\xff"]
)
def test_what_is_no_job_is_refused(text):
    """One typed error, whatever it is."""
    with pytest.raises(StateError, match="not a saved report job"):
        ReportJob.from_json(text)


@given(st.sampled_from(sorted(stored())), JSON)
def test_any_json_in_place_of_any_field_gives_a_job_or_a_state_error(name, value):
    """No other exception leaves the reader, and a job that was read can be saved."""
    try:
        job = ReportJob.from_json(json.dumps(stored(**{name: value})))
    except StateError:
        return
    assert ReportJob.from_json(job.to_json()).query.key == job.query.key


def test_a_saved_job_is_one_json_object_with_its_format():
    """Other programs may look."""
    assert msgspec.json.decode(JOB.to_json())["version"] == FORMAT


def test_equal_queries_have_equal_keys():
    """Order of filters, kinds of sequences and missing values make no other report."""
    one = ReportQuery(kind="x", filters={"b": 1, "a": ("p", "q"), "c": None})
    other = ReportQuery(kind="x", filters={"a": ["p", "q"], "b": "1"})
    assert (one, one.key) == (other, other.key)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "clicks"},
        {"period": None},
        {"currency": "USD"},
        {"level": "ad"},
        {"filters": {"status": ["a"]}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_part_of_a_query_tells_it_from_others(change):
    """Two different reports never share a job."""
    assert attrs.evolve(QUERY, **change).key != QUERY.key


@pytest.mark.parametrize(
    ("rows", "limit", "cut"), [(None, 10, False), (9, 10, False), (10, 10, True), (10, None, False)]
)
def test_rows_equal_to_the_limit_may_be_cut(rows, limit, cut):
    """The network does not say so."""
    assert attrs.evolve(JOB, rows=rows, row_limit=limit).truncated is cut


def test_finished_is_done_failed_or_cancelled():
    """Nothing more happens to these."""
    states = ["intended", "submitted", "running", "ready", "done", "failed", "cancelled"]
    finished = [state for state in states if attrs.evolve(JOB, state=state).finished]
    assert finished == ["done", "failed", "cancelled"]


@pytest.mark.parametrize("none", [[], (), set(), ""])
def test_a_filter_that_names_nothing_is_not_one_that_is_missing(none):
    """It leaves nothing, where a missing one leaves all; stored and read back, too."""
    all_of_them, query = ReportQuery(kind="x"), ReportQuery(kind="x", filters={"offer": none})
    assert (query.asks_for_nothing, all_of_them.asks_for_nothing) == (True, False)
    assert query.key != all_of_them.key
    assert ReportQuery.from_dict(query.to_dict()) == query
