"""``adnet auth``: logging accounts in and out, and how their tokens are."""

import asyncio
import secrets
from typing import Any, Final

import click

from adnet import registry
from adnet.cli._call import Call, Group, confirm, run, typed
from adnet.cli._exits import CREDENTIALS, DONE, code_of_some, sentence
from adnet.cli._logins import LogsIn, no_logins, tokens_of
from adnet.cli._redirect import (
    Listener,
    NotGrantedError,
    code_of,
    listening,
    open_browser,
    pasting,
)
from adnet.cli.output import Table
from adnet.client import Account
from adnet.config import AccountConfig, Config, load, open_accounts
from adnet.errors import (
    AdnetError,
    AuthenticationError,
    ConfigurationError,
    RequestTimeoutError,
)
from adnet.redact import masked
from adnet.state import StoredToken

PORT: Final = 8085
_BY_CODE: Final = "authorization_code"
_STDIN: Final = "-"


@click.group(cls=Group)
def command() -> None:
    """Log accounts in and out, and show how their tokens are."""


# ---------------------------------------------------------------------- login


@command.command("login")
@click.argument("account")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Where to listen for the browser; the application must be registered with http://127.0.0.1:PORT/callback.",
)
@click.option("--no-browser", is_flag=True, help="Print the address of the network's page; open nothing.")
@click.option(
    "--code",
    metavar="CODE",
    help="The code, or the address that the browser ended at; - reads it from input.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    default=300.0,
    show_default=True,
    help="Seconds to wait for the browser.",
)
@click.pass_obj
def login(call: Call, /, account: str, code: str | None, **options: Any) -> int:
    """Bind ACCOUNT to this application, and prove it with one cheap call.

    Where its user has to grant access, the network's page opens in a browser, which comes back here with a code. On a
    machine without a browser, open the page elsewhere, and paste the address at which that browser ends: at the
    prompt, or later with --code. The other grants need nobody. An account that is bound already keeps its token.

    Exit code 0: bound; 2: it is another account's client; 3: access was not given.
    """
    config = load(call.config, only=[account])
    code = typed() if code == _STDIN else code
    work = _login(call, config, account, code, **options)
    try:
        row = run(work, go_on=f"run `adnet auth login {account}` again")
    except NotGrantedError as error:
        call.out.problem(f"account {account!r}: access was not given ({error}); run it again to ask anew")
        return CREDENTIALS
    call.out.result(row, Table(list(row), [list(row.values())]))
    return DONE


async def _login(call: Call, config: Config, name: str, code: str | None, **options: Any) -> dict[str, Any]:
    async with open_accounts(config) as accounts:
        account = accounts[name]
        connector = tokens_of(account)
        before = connector.tokens.stored()
        if connector.grant == _BY_CODE:
            code = code_of(code) if code is not None else await _asked(call, connector, **options)
        try:
            await connector.login(code)
        except AuthenticationError as error:
            raise _explained(error, name) from error
        info = await account.get_account()
        token = connector.tokens.stored()
        kept = before is not None and token is not None and before.issues == token.issues
        return {
            "account": name,
            "network": account.network,
            "account_id": info.account_id,
            "name": info.name,
            "currency": info.currency,
            "token": "kept" if kept else "issued",
            "expires_at": token.expires_at if token else None,
        }


def _explained(error: AuthenticationError, name: str) -> AuthenticationError:
    """Return *error* with a remedy, if it is about the code."""
    if error.code == "invalid_grant":
        what = "the code is used up, older than an hour, or none at all"
        error.args = (f"{what} ({error.message}); `adnet auth login {name}` asks for another",)
    return error


async def _asked(call: Call, connector: LogsIn, *, port: int, no_browser: bool, timeout_s: float) -> str:
    """Send the user to the network's page, and return the code that comes back.

    Raises:
        NotGrantedError: The user, or the network, said no.
        RequestTimeoutError: Nothing came back in time.
    """
    state = secrets.token_urlsafe(32)
    async with listening(port, state) as listener:
        url = connector.login_url(state, redirect_uri=listener.url)
        call.out.note(f"grant access at: {url}")
        call.out.note(f"waiting for the browser at {listener.url}")
        if not no_browser:
            open_browser(url, lambda: call.out.note("no browser opens here: open the address elsewhere"))
        try:
            async with asyncio.timeout(timeout_s):
                return await _back(call, listener, state)
        except TimeoutError:
            raise RequestTimeoutError(
                f"nobody came back within {timeout_s:g} s; paste the address that the browser ended at with --code"
            ) from None


async def _back(call: Call, listener: Listener, state: str) -> str:
    """Return the code that the browser brings, or that is pasted at the terminal, whichever comes first."""

    def take(line: str) -> None:
        try:
            code = code_of(line, state=state)
        except ConfigurationError as error:
            call.out.problem(error.message)
        except NotGrantedError as error:
            if not listener.code.done():
                listener.code.set_exception(error)
        else:
            if not listener.code.done():
                listener.code.set_result(code)

    with pasting(take) as can:
        if can:
            call.out.note("or paste the code, or the address that the browser ended at:")
        return await listener.code


# ---------------------------------------------------------------------- status

_COLUMNS: Final = (
    "account",
    "network",
    "grant",
    "state",
    "token",
    "issued_at",
    "refreshed_at",
    "expires_at",
    "generation",
    "issues",
    "refreshes",
    "failure",
)


@command.command("status")
@click.argument("accounts", nargs=-1, metavar="[ACCOUNT]...")
@click.pass_obj
def status(call: Call, /, accounts: tuple[str, ...]) -> int:
    """Show how the token of each ACCOUNT is (by default all that have logins), masked; nothing is sent."""
    config = load(call.config, only=accounts or None)
    unopened: dict[str, AdnetError] = {}
    rows = run(_status(config, unopened, named=bool(accounts)))
    table = Table(_COLUMNS, [[row[column] for column in _COLUMNS] for row in rows])
    call.out.result({"accounts": rows}, table)
    call.out.problems(map(sentence, unopened.values()))
    return code_of_some(unopened.values(), landed=len(unopened) < len(rows))


def _logs_in(network: str) -> bool:
    return registry.load(network).capabilities().supports("revoke")


async def _status(config: Config, unopened: dict[str, AdnetError], *, named: bool) -> list[dict[str, Any]]:
    """Return a row for each account that has logins; *unopened* takes those of them that cannot be opened."""
    async with open_accounts(config, unopened=unopened) as accounts:
        wanted = {name: a for name, a in accounts.items() if named or isinstance(a.connector, LogsIn)}
        rows = {name: _row(account, tokens_of(account)) for name, account in wanted.items()}
    for name in list(unopened):
        network = config.accounts[name].network
        if _logs_in(network):
            rows[name] = _unknown(config.accounts[name], unopened[name])
        elif named:
            raise no_logins(network)
        else:
            del unopened[name]
    return [rows[name] for name in config.accounts if name in rows]


def _unknown(account: AccountConfig, error: AdnetError) -> dict[str, Any]:
    """Return the row of an account that cannot be opened."""
    row: dict[str, Any] = dict.fromkeys(_COLUMNS)
    return row | {
        "account": account.name,
        "network": account.network,
        "state": "unknown",
        "failure": sentence(error),
    }


def _row(account: Account, connector: LogsIn) -> dict[str, Any]:
    token, failure = connector.tokens.stored(), connector.tokens.failure()
    row: dict[str, Any] = dict.fromkeys(_COLUMNS)
    row |= {"account": account.name, "network": account.network, "grant": connector.grant}
    row |= {"state": _state(account, token, failure), "failure": sentence(failure) if failure else None}
    if token is None:
        return row
    return row | {
        "token": masked(token.access_token),
        "issued_at": token.granted_at,
        "refreshed_at": token.issued_at if token.refreshes else None,
        "expires_at": token.expires_at,
        "generation": token.generation,
        "issues": token.issues,
        "refreshes": token.refreshes,
    }


def _state(account: Account, token: StoredToken | None, failure: AdnetError | None) -> str:
    if failure is not None:
        return "stopped"
    if token is None:
        return "none"
    over = token.expires_at is not None and token.expires_at <= account.clock.now()
    return "expired" if over else "valid"


# ---------------------------------------------------------------------- revoke


@command.command("revoke")
@click.argument("account")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def revoke(call: Call, /, account: str, yes: bool) -> int:
    """Remove the binding of ACCOUNT at the network, and its tokens here; it needs a new login then.

    All tokens of its user end, those of other programs that use the same application among them.
    """
    config = load(call.config, only=[account])
    network = config.accounts[account].network
    if not _logs_in(network):
        raise no_logins(network)
    if not yes:
        confirm(
            call,
            f"remove the binding of {account!r} at {network}, for all programs that use it?",
            "nothing was removed; say --yes to remove it without being asked",
        )
    row = run(_revoke(config, account))
    call.out.result(
        row, f"the binding of {account!r} is removed; `adnet auth login {account}` binds it again"
    )
    return DONE


async def _revoke(config: Config, name: str) -> dict[str, Any]:
    async with open_accounts(config) as accounts:
        await accounts[name].revoke()
        return {"account": name, "network": accounts[name].network, "revoked": True}
