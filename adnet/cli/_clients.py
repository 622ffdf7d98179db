"""Which accounts of the configuration are on a network, and whom they belong to; nothing is sent."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from adnet.analysis.certification import Client
from adnet.config import AccountConfig, Config, load
from adnet.errors import AdnetError, ConfigurationError
from adnet.state import State

_AGENCY: Final = ("client_id", "agency_access_token", "agency_refresh_token")
"""What tells one agency from another; where no token is named, the application's owner is the agency."""


def accounts_on(config: Config, network: str) -> list[AccountConfig]:
    """Return every account of the file on *network*; those that make no sense are left out."""
    return [account for account in _accounts(config) if account.network == network]


def _accounts(config: Config) -> Iterator[AccountConfig]:
    try:
        yield from load(config.path).accounts.values()
    except ConfigurationError:
        for name in config.names:
            try:
                yield from load(config.path, only=[name]).accounts.values()
            except ConfigurationError:
                continue


async def clients_of(accounts: Iterable[AccountConfig], state: State) -> list[Client]:
    """Return whom *accounts* belong to; one whose credentials are not here is known by its name alone."""
    return [await _client(account, state) for account in accounts]


async def _client(account: AccountConfig, state: State) -> Client:
    try:
        made = account.connect(state)
    except AdnetError:
        return Client(account=account.name)
    try:
        user_id = getattr(made.connector, "user_id", None)
        return Client(account=account.name, key=made.account_id, user_id=user_id)
    finally:
        await made.close()


def customers_of(accounts: Iterable[AccountConfig]) -> dict[str, str]:
    """Return account -> customer for the clients of agencies, who are one customer together."""
    agencies: dict[tuple[Any, ...], str] = {}
    found = {}
    for account in accounts:
        options = account.options
        if "agency_client_id" in options or "agency_client_name" in options:
            told = tuple((options[name].source, options[name].value) for name in _AGENCY if name in options)
            found[account.name] = agencies.setdefault(
                (account.base_url, told), f"the agency of {account.name}"
            )
    return found
