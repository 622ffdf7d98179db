"""``adnet certify``: the rules of the network's certification, one row each, with what proves or disproves them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from datetime import date
from typing import Any, Final

import click

from adnet.analysis import open_tables
from adnet.analysis.certification import (
    Application,
    Client,
    Finding,
    Quarter,
    financial,
    functional,
    technical,
)
from adnet.analysis.exports import GoalsFile
from adnet.analysis.metrica import MetricaGoals
from adnet.cli import COMMANDS
from adnet.cli._call import Call, Command, run
from adnet.cli._clients import accounts_on, clients_of, customers_of
from adnet.cli._exits import DONE, PARTLY
from adnet.cli._logins import LogsIn
from adnet.cli._params import DayType
from adnet.cli.output import Table
from adnet.client import Account
from adnet.config import Config, load, open_accounts
from adnet.errors import ConfigurationError, UnsupportedError
from adnet.operations import bidding
from adnet.operations.windows import check_order
from adnet.periods import ONE_DAY, instant
from adnet.state import LedgerEntry

NETWORKS: Final = ("mytarget", "vkads")
"""Networks that certify applications."""
_COLUMNS: Final = ("rule", "verdict", "figure", "title", "evidence")


@click.command(cls=Command)
@click.argument("account")
@click.option(
    "--since",
    type=DayType(),
    help="First day that is looked at, of the ledger and of the three months; default: three months ago.",
)
@click.option(
    "--from",
    "uri",
    metavar="URI",
    help="Landed statistics of all customers, e.g. duckdb:ads.duckdb; financial rules.",
)
@click.pass_obj
def command(call: Call, /, account: str, since: date | None, uri: str | None) -> int:
    """Prove the rules by which the network of ACCOUNT certifies applications; nothing is sent.

    Technical rules are proven by the ledger of requests, functional ones by what is installed and configured,
    financial ones by landed statistics. What a program cannot know, or has no evidence of, is unknown.

    Exit code 0: no rule failed; 4: at least one did.
    """
    config = load(call.config, only=[account])
    findings = run(_certify(config, account, since, uri))
    call.out.result({"rules": [_data(one) for one in findings]}, _table(findings))
    return PARTLY if any(one.verdict == "fail" for one in findings) else DONE


def _data(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "title": finding.title,
        "verdict": finding.verdict,
        "figure": finding.figure,
        "evidence": finding.evidence,
    }


def _table(findings: Iterable[Finding]) -> Table:
    return Table(_COLUMNS, [[getattr(one, column) for column in _COLUMNS] for one in findings])


async def _certify(config: Config, name: str, since: date | None, uri: str | None) -> list[Finding]:
    network = config.accounts[name].network
    if network not in NETWORKS:
        raise UnsupportedError(
            f"{network} certifies no applications; {' and '.join(NETWORKS)} do", instead=NETWORKS
        )
    everyone = accounts_on(config, network)
    async with open_accounts(config) as accounts:
        account, used = accounts[name], Counter[str]()
        zone = account.connector.time_zone
        first, quarter = _period(account.clock.now().astimezone(zone).date(), since)
        with open_tables(uri) if uri is not None else nullcontext() as tables:
            turned_over = financial(
                tables,
                network=network,
                quarter=quarter,
                accounts=[one.name for one in everyone],
                customers=customers_of(everyone),
            )
        entries = account.state.ledger.entries(name, instant(first, zone))
        proven = _technical(account, _counted(entries, network, used))
        clients = await clients_of(everyone, account.state)
        return [*turned_over, *functional(_application(account, clients), used), *proven]


def _period(today: date, since: date | None) -> tuple[date, Quarter]:
    """Return the first day to look at, and the three months: the last ones, or those from an earlier *since* on.

    Raises:
        ConfigurationError: *since* is yet to come, or before there was any network.
    """
    first = Quarter.until_day(today).ends[0]
    if since is None or since == first:
        return first, Quarter.until_day(today)
    if since > today:
        raise ConfigurationError(f"--since {since} is yet to come")
    check_order(since, today + ONE_DAY)
    return since, Quarter.until_day(today) if since > first else Quarter.from_day(since)


def _technical(account: Account, entries: Iterable[LedgerEntry]) -> list[Finding]:
    connector = account.connector
    assert isinstance(connector, LogsIn)
    token = connector.tokens.stored()
    lifetime = token.expires_at - token.issued_at if token and token.expires_at else None
    return technical(entries, grant=connector.grant, lifetime=lifetime)


def _counted(entries: Iterable[LedgerEntry], network: str, used: Counter[str]) -> Iterator[LedgerEntry]:
    """Yield the lines about *network*, and count those of which something came."""
    for entry in entries:
        if entry.network == network:
            used[entry.operation] += entry.status is not None and entry.status < 300
            yield entry


def _application(account: Account, clients: Sequence[Client]) -> Application:
    return Application(
        capabilities=account.capabilities,
        native=frozenset(_operations(account.native)),
        commands=frozenset(COMMANDS),
        strategies=(bidding.TargetCpa.__name__,),
        web_analytics=tuple(reader.__name__ for reader in (MetricaGoals, GoalsFile)),
        clients=clients,
    )


def _operations(native: Any) -> Iterator[str]:
    """Yield the operations of a network's own client, e.g. ``statistics.fast``."""
    for name, part in vars(native).items():
        if not name.startswith("_"):
            yield from (f"{name}.{verb}" for verb in dir(part) if not verb.startswith("_"))
