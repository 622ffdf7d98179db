"""What a session tells, and the one place that logs."""

import asyncio
import logging

from adnet.redact import Scrubber
from adnet.transport.events import Event, LoggingListener, Meter, current_meter, metered

SENT = Event(kind="sent", network="acme", account="shop", operation="x.get", target="/x?token=geheim")


def test_requests_are_logged_at_debug_and_retries_at_info(caplog):
    """Levels by what happened."""
    listener = LoggingListener(Scrubber())
    with caplog.at_level(logging.DEBUG, "adnet"):
        listener(SENT)
        listener(Event(kind="retried", network="acme", account="shop", operation="x.get", status=503,
                       seconds=1.5, error="down"))  # fmt: skip
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", "shop x.get sent /x?token=***"),
        ("INFO", "shop x.get retried HTTP 503 1.500 s down"),
    ]


def test_known_secrets_are_masked_in_logs(caplog):
    """Whatever carried them there."""
    with caplog.at_level(logging.DEBUG, "adnet"):
        LoggingListener(Scrubber(["geheim"]))(Event(kind="failed", network="a", account="b", operation="c",
                                                    error="server said geheim"))  # fmt: skip
    assert "geheim" not in caplog.text
    assert "server said ***" in caplog.text


def test_what_nobody_reads_is_not_written(caplog):
    """Logging costs nothing when it is off."""
    with caplog.at_level(logging.WARNING, "adnet"):
        LoggingListener(None)(SENT)
    assert caplog.records == []


def test_a_meter_counts_for_its_block_only():
    """And blocks may nest."""
    outer, inner = Meter(), Meter(limit_s=1.0, retry_s=2.0)
    assert current_meter() is None
    with metered(outer):
        with metered(inner) as meter:
            assert current_meter() is meter is inner
        assert current_meter() is outer
    assert current_meter() is None
    assert inner.waited_s == 3.0


async def test_tasks_count_into_the_meter_of_who_started_them():
    """Concurrent stretches of work are told apart."""

    async def work(meter: Meter) -> None:
        with metered(meter):
            await asyncio.create_task(count())

    async def count() -> None:
        current_meter().requests += 1

    meters = [Meter(), Meter()]
    await asyncio.gather(*map(work, meters))
    assert [meter.requests for meter in meters] == [1, 1]
