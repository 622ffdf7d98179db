"""``adnet limits``: what is left of each account's quotas, over all processes on the same state."""

from typing import Any, Final

import click

from adnet.cli._call import Call, Command, run
from adnet.cli._exits import code_of_some, sentence
from adnet.cli.output import Table
from adnet.client import Account
from adnet.config import Config, load, open_accounts
from adnet.errors import AdnetError
from adnet.transport.limits import BucketState

_UNITS: Final = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86400.0: "day"}


@click.command(cls=Command)
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.pass_obj
def command(call: Call, accounts: tuple[str, ...]) -> int:
    """Show the quotas left of each ACCOUNT (all by default), and until when; nothing is sent."""
    config = load(call.config, only=accounts or None)
    unopened: dict[str, AdnetError] = {}
    rows = run(_read(config, unopened))
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
    told = {name: sentence(error) for name, error in unopened.items()}
    failures = [{"account": name, "error": text} for name, text in told.items()]
    table = Table(columns, [[row[column] for column in columns] for row in rows])
    call.out.result({"limits": rows, "failures": failures}, table)
    call.out.problems(told.values())
    return code_of_some(unopened.values(), landed=len(unopened) < len(config.accounts))


async def _read(config: Config, unopened: dict[str, AdnetError]) -> list[dict[str, Any]]:
    async with open_accounts(config, unopened=unopened) as accounts:
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
