"""``adnet limits``: what is left of each account's quotas, over all processes on the same state."""

from typing import Any, Final

import click

from adnet.cli._call import Call, Command, run
from adnet.cli._exits import DONE
from adnet.cli.output import Table
from adnet.client import Account
from adnet.config import Config, load, open_accounts
from adnet.transport.limits import BucketState

_UNITS: Final = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86400.0: "day"}


@click.command(cls=Command)
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.pass_obj
def command(call: Call, accounts: tuple[str, ...]) -> int:
    """Show the quotas left of each ACCOUNT (all by default), and until when; nothing is sent."""
    rows = run(_read(load(call.config, only=accounts or None)))
    columns = (
        "account",
        "limit",
        "allowed",
        "used",
        "left",
        "resets_at",
        "in_flight",
        "blocked_until",
        "source",
    )
    call.out.result({"limits": rows}, Table(columns, [[row[column] for column in columns] for row in rows]))
    return DONE


async def _read(config: Config) -> list[dict[str, Any]]:
    async with open_accounts(config) as accounts:
        for account in accounts.values():
            account.connector.recall_limits()
        return [row for account in accounts.values() for row in _rows(account)]


def _rows(account: Account) -> list[dict[str, Any]]:
    return [
        {"account": account.name, "network": account.network, "limit": bucket.name, **row}
        for bucket in account.connector.limiter.state()
        for row in _windows(bucket)
    ]


def _windows(bucket: BucketState) -> list[dict[str, Any]]:
    """Return a row for each window of a bucket, and one for its requests in flight."""
    common = {"blocked_until": bucket.blocked_until}
    rows: list[dict[str, Any]] = [
        {
            "allowed": f"{window.limit} per {_UNITS.get(window.per_s, f'{window.per_s:g} s')}",
            "used": window.used,
            "left": window.remaining,
            "resets_at": window.resets_at,
            "in_flight": None,
            "source": bucket.source,
            **common,
        }
        for window in bucket.windows
    ]
    if bucket.concurrency is not None:
        allowed = {"allowed": f"{bucket.concurrency} in flight", "in_flight": bucket.in_flight}
        nothing = {"used": None, "left": None, "resets_at": None}
        rows.append({**allowed, **nothing, "source": bucket.in_flight_source, **common})
    return rows
