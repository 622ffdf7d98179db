"""``adnet doctor``: what is there, what is missing, and what to do about it."""

import asyncio
import os
import platform
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import attrs
import click

import adnet
from adnet import open_files, registry
from adnet.cli._call import Call, Command, run
from adnet.cli._exits import DONE, NOTHING, PARTLY, USAGE
from adnet.cli._reach import Verdict, Way, reach
from adnet.cli.output import Table
from adnet.config import AccountConfig, Config, default_state_url, find_default, load, open_state
from adnet.errors import AdnetError, ConfigurationError
from adnet.state import State
from adnet.transport.proxy import Proxy

_FILES: Final = 1024
"""As many as Linux begins with."""
_LIBRARIES: Final = ("aiohttp", "attrs", "backoff", "cattrs", "click", "msgspec", "platformdirs", "rich")
_EXTRAS: Final = {
    "duckdb": "duckdb",
    "pyarrow": "parquet",
    "cryptography": "encryption",
    "keyring": "keyring",
}
"""Library -> the extra that brings it."""


@attrs.frozen
class Finding:
    """One thing that was looked at."""

    check: str
    subject: str
    verdict: Verdict
    detail: str = ""
    remedy: str = ""


@click.command(cls=Command)
@click.pass_obj
def command(call: Call, /) -> int:
    """Look at versions, connectors, configuration and state, and whether each account's network can be reached.

    No credential is sent. Exit code 0 when nothing failed, 2 when something here is wrong, 4 or 5 when some or all
    networks cannot be reached.
    """
    findings = [*_versions(), *_connectors(), _open_files()]
    config = _configuration(call, findings)
    findings += _state(config)
    accounts = list(_accounts(config, findings)) if config else []
    reached = run(_reach_all(accounts))
    findings += reached
    columns = ("check", "subject", "verdict", "detail", "remedy")
    rows = [attrs.asdict(finding) for finding in findings]
    call.out.result({"findings": rows}, Table(columns, [[row[column] for column in columns] for row in rows]))
    return _code(findings[: len(findings) - len(reached)], reached)


def _code(here: Iterable[Finding], reached: Iterable[Finding]) -> int:
    if any(finding.verdict == "fail" for finding in here):
        return USAGE
    verdicts = {finding.verdict for finding in reached}
    if "fail" not in verdicts:
        return DONE
    return PARTLY if len(verdicts) > 1 else NOTHING


# ------------------------------------------------------------------ this installation


def _versions() -> Iterator[Finding]:
    yield Finding("version", "adnet", "ok", adnet.__version__)
    yield Finding(
        "version", "python", "ok", f"{platform.python_version()} on {platform.platform(terse=True)}"
    )
    for name in _LIBRARIES:
        found = _version(name)
        yield Finding(
            "version", name, "ok" if found else "fail", found or "missing", "" if found else "reinstall adnet"
        )
    for name, extra in _EXTRAS.items():
        found = _version(name)
        remedy = "" if found else f'if you need it: pip install "adnet[{extra}]"'
        yield Finding("version", name, "ok" if found else "warn", found or "not installed", remedy)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _connectors() -> Iterator[Finding]:
    for found in registry.discover():
        if found.problem:
            remedy = f"reinstall or remove {found.source}"
            yield Finding("connector", found.network, "fail", found.problem, remedy)
        else:
            yield Finding("connector", found.network, "ok", f"of {found.source}")


def _open_files() -> Finding:
    """Return how many files and connections a command may have open."""
    with open_files.raised():
        limit = open_files.limit()
    if limit >= _FILES:
        return Finding("limit", "open files", "ok", str(limit))
    return Finding(
        "limit", "open files", "warn", f"{limit}: few for many accounts at once", open_files.REMEDY
    )


# ------------------------------------------------------------------ configuration and state


def _configuration(call: Call, findings: list[Finding]) -> Config | None:
    try:
        if call.config is None and find_default() is None:
            remedy = "write adnet.toml, name one with --config, or try `adnet demo`"
            findings.append(Finding("configuration", "adnet.toml", "warn", "there is none", remedy))
            return None
        config = load(call.config, only=())
    except ConfigurationError as error:
        findings.append(
            Finding("configuration", call.config or "adnet.toml", "fail", error.message, "correct it")
        )
        return None
    findings.append(_permissions(config.path) or Finding("configuration", str(config.path), "ok"))
    return config


def _permissions(path: Path) -> Finding | None:
    """Return a warning when others can read a file that may hold secrets."""
    mode = path.stat().st_mode
    if os.name != "posix" or not mode & (stat.S_IRGRP | stat.S_IROTH):
        return None
    detail = "others can read it, and it may hold secrets"
    return Finding("configuration", str(path), "warn", detail, f"chmod 600 {path}")


def _state(config: Config | None) -> Iterator[Finding]:
    url = config.state_url if config else default_state_url()
    scheme = url.partition(":")[0]
    path = Path(url.removeprefix("sqlite:"))
    # Of another scheme only that is told: what follows it may hold a password.
    place = str(path) if scheme == "sqlite" else f"{scheme}:…"
    if scheme == "sqlite" and not _is_there(path):
        yield _not_made(path)
        return
    try:
        with open_state(config) as state:
            unfinished = len(state.jobs.unfinished())
    except AdnetError as error:
        yield Finding("state", place, "fail", error.message, "as it says")
    else:
        yield Finding("state", place, "ok", f"{unfinished} unfinished report jobs")


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # what opens it says why it cannot be looked at
        return True


def _not_made(path: Path) -> Finding:
    """Say whether a state can be made where there is none; its folders are made with it."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        detail = f"cannot be made: {error.strerror or error}"
        return Finding(
            "state", str(path), "fail", detail, "name another file as state url, or let it be written"
        )
    return Finding("state", str(path), "ok", "not made yet; the first command that needs it makes it")


# ------------------------------------------------------------------ accounts


def _accounts(config: Config, findings: list[Finding]) -> Iterator[tuple[str, Way]]:
    """Yield each account that can be opened, and the way to its network; note those that cannot."""
    known = _together(config)
    for name in config.names:
        try:
            account = known.get(name) or load(config.path, only=[name]).accounts[name]
            yield name, _way(account)
        except AdnetError as error:
            findings.append(
                Finding("account", name, "fail", error.message, "correct it in the configuration")
            )
        else:
            findings.append(Finding("account", name, "ok", f"on {account.network}; its secrets are there"))


def _together(config: Config) -> Mapping[str, AccountConfig]:
    """Return all accounts if all are sound: to read one by itself takes as long as to read all."""
    try:
        return load(config.path).accounts
    except AdnetError:
        return {}


def _way(account: AccountConfig) -> Way:
    """Return the way to the account's network; opening the account checks its keys, and sends nothing."""
    with State.open() as state:
        made = account.connect(state)
    session = getattr(made.connector, "session", None)
    url = str(getattr(session, "base_url", None) or account.base_url or "")
    if account.proxy is None or not Proxy.serves(url):
        return Way(url)
    return Way(url, Proxy.checked(account.proxy.read(), account.name).url)


async def _reach_all(accounts: Iterable[tuple[str, Way]]) -> list[Finding]:
    """Return a finding for each account; where many go one way, that is tried once."""
    accounts = list(accounts)
    ways = list(dict.fromkeys(way for _, way in accounts))
    found = dict(zip(ways, await asyncio.gather(*map(reach, ways)), strict=True))
    return [Finding("reach", name, *attrs.astuple(found[way])) for name, way in accounts]
