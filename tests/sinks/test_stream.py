"""JSON lines on a stream."""

import io
import json
import sys

import pytest
from sink_kit import START, StillClock, stats, transactions

from adnet.errors import SinkError
from adnet.sinks import Landed, open_sink


async def test_rows_come_at_commit() -> None:
    """Nothing shows before the commit; then one object a row, which begins with its table."""
    stream = io.StringIO()
    async with open_sink("jsonl:-", clock=StillClock(), stream=stream) as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        await landing.write("transactions", transactions(2))
        await landing.write("stats", stats(1))
        assert stream.getvalue() == ""
        assert {"transactions": Landed(2, 2, 0), "stats": Landed(1, 1, 0)} == await landing.commit()
    lines = stream.getvalue().splitlines()
    assert [json.loads(line)["table"] for line in lines] == ["transactions", "transactions", "stats"]
    assert lines[0].startswith(
        '{"table": "transactions", "network": "net", "account": "acc", "transaction_id": "tx-0'
    )
    assert [json.loads(lines[1])[name] for name in ("sub_ids", "amount")] == [["a1", "b"], "0.25"]


async def test_rollback_shows_nothing() -> None:
    """What is rolled back or repeated within a unit does not show."""
    stream = io.StringIO()
    async with open_sink("jsonl:-", stream=stream) as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        await landing.write("transactions", transactions(2))
        await landing.rollback()
        await landing.write("transactions", transactions(1))
        await landing.write("transactions", transactions(1, status="paid"))
        assert Landed(1, 1, 0) == (await landing.commit())["transactions"]
        await sink.record([{"network": "net", "account": "acc", "pull_id": "p", "table": "stats"}])
    assert [json.loads(line)["status"] for line in stream.getvalue().splitlines()] == ["paid"]


async def test_standard_output_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Without another stream the rows go to standard output, which stays open."""
    async with open_sink("jsonl:-") as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        await landing.write("stats", stats(1))
        await landing.commit()
    assert json.loads(capsys.readouterr().out)["table"] == "stats"
    assert not sys.stdout.closed


async def test_reader_that_goes_away() -> None:
    """A closed pipe is a sink's error."""

    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError(32, "Broken pipe")

    async with open_sink("jsonl:-", stream=Gone()) as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        await landing.write("stats", stats(1))
        with pytest.raises(SinkError, match="takes no more rows: Broken pipe"):
            await landing.commit()


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
async def test_any_encoding_of_the_stream_takes_any_text(encoding: str) -> None:
    """On Windows a pipe's is not UTF-8; what comes there is JSON all the same, and whole."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    async with open_sink("jsonl:-", clock=StillClock(), stream=stream) as sink:
        landing = sink.landing(network="net", account="acc", fetched_at=START)
        await landing.write("transactions", transactions(3, offer_name="Оффер é"))
        assert Landed(3, 3, 0) == (await landing.commit())["transactions"]
    lines = [json.loads(line) for line in raw.getvalue().decode("utf-8").splitlines()]
    assert [line["offer_name"] for line in lines] == ["Оффер é"] * 3


def test_a_stream_that_is_closed_is_refused(monkeypatch) -> None:
    """Before anything is asked for it; standard output may be closed by whoever starts a program."""
    closed = io.StringIO()
    closed.close()
    with pytest.raises(SinkError, match="the stream is closed"):
        open_sink("jsonl:-", stream=closed)
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SinkError, match="the stream is closed"):
        open_sink("jsonl:-")
