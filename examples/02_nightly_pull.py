"""Land the last days of every account in one database: what a cron job runs.

It may be killed at any moment and be run again: nothing is lost, and no row is there twice. Numbers are restated for
months in this trade, so each night asks for two weeks again; what has changed moves to the history tables.

    python examples/02_nightly_pull.py duckdb:ads.duckdb
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import adnet

NIGHTS, LOOKBACK_DAYS = 1, 14


async def main(to: str) -> int:
    until = datetime.now(UTC).date()
    async with adnet.open() as accounts:
        result = await adnet.pull(
            accounts,
            since=until - timedelta(days=NIGHTS),
            until=until,
            to=to,
            lookback_days=LOOKBACK_DAYS,
        )
    for table in result.tables:
        counts = f"{table.new_rows} new, {table.changed_rows} changed"
        print(f"{table.account:14} {table.table:14} {table.outcome:8} {counts}")
    for error in result.errors:
        print(error, file=sys.stderr)
    return 0 if result.ok else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
