"""``adnet check``: one cheap call for each account."""

import asyncio
from typing import Any, Final

import attrs
import click

from adnet.cli._call import Call, Command, run
from adnet.cli._exits import code_of_some, is_ours, is_refusal, sentence
from adnet.cli.output import Table
from adnet.client import Account
from adnet.config import AccountConfig, Config, load, open_accounts
from adnet.errors import AdnetError
from adnet.models import AccountInfo

_AT_ONCE: Final = 100


@attrs.frozen
class _Check:
    """What came of one account."""

    account: Account | AccountConfig
    """The latter where it could not be opened."""
    info: AccountInfo | None = None
    error: AdnetError | None = None

    @property
    def verdict(self) -> str:
        if self.error is None:
            return "ok"
        return "refused" if is_refusal(self.error) and not is_ours(self.error) else "failed"

    def data(self) -> dict[str, Any]:
        return {
            "account": self.account.name,
            "network": self.account.network,
            "verdict": self.verdict,
            "account_id": self.info.account_id if self.info else None,
            "name": self.info.name if self.info else None,
            "currency": self.info.currency if self.info else None,
            "time_zone": self.info.time_zone if self.info else None,
            "balance": self.info.balance.amount if self.info and self.info.balance else None,
            "error": sentence(self.error) if self.error else None,
        }


@click.command(cls=Command)
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.pass_obj
def command(call: Call, accounts: tuple[str, ...]) -> int:
    """Prove the credentials of each ACCOUNT (all by default) with the cheapest call of its network.

    Exit code 0 when all are good, 4 when some are, 3 when every one was refused, 2 when none could be asked for want of
    a secret, 5 otherwise.
    """
    checks = run(_check_all(load(call.config, only=accounts or None)))
    columns = ("account", "network", "verdict", "account_id", "name", "currency", "time_zone", "balance")
    data = [check.data() for check in checks]
    table = Table(columns, [[row[column] for column in columns] for row in data])
    call.out.result({"accounts": data}, table)
    errors = [check.error for check in checks if check.error]
    call.out.problems(map(sentence, errors))
    return code_of_some(errors, landed=len(errors) < len(checks))


async def _check_all(config: Config) -> list[_Check]:
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(account: Account) -> _Check:
        async with places:
            try:
                return _Check(account, await account.get_account())
            except AdnetError as error:
                return _Check(account, error=error.of_account(account.name))

    unopened: dict[str, AdnetError] = {}
    async with open_accounts(config, unopened=unopened) as accounts:
        found = await asyncio.gather(*map(one, accounts.values()))
    checks = {check.account.name: check for check in found}
    checks |= {name: _Check(config.accounts[name], error=error) for name, error in unopened.items()}
    return [checks[name] for name in config.accounts]
