"""No secret shows anywhere: not when all goes well, not under any fault, not from servers that repeat it."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs
import pytest

import adnet
from adnet.cli import COMMANDS, main
from adnet.errors import AdnetError, ConfigurationError, StateError
from adnet.redact import is_secret_key
from adnet.sandbox import load
from adnet.testing.faults import FAULTS, Answered, FaultSettings

from .networks import Networks, secrets_of
from .scanning import CommandLines, Scanner, logged
from .tally import tally
from .world import NETWORKS, SETTINGS, Network, Operation, World, world
from .zygote import PLAIN

HOSTILE = ("401", "500", "429-seconds", "408", "redirect")
"""Faults whose answers repeat the credentials in every form; 408 comes as a 200 here."""


def known_to(there: World) -> dict[str, str]:
    """Return the secrets that the account itself knows: those it was given, and the tokens that it got."""
    found = {name: str(value) for name, value in there.options.items() if is_secret_key(name)}
    for row in there.account.state.database.rows("SELECT body FROM tokens WHERE body IS NOT NULL"):
        stored = json.loads(row["body"])
        found |= {name: stored[name] for name in ("access_token", "refresh_token") if stored.get(name)}
    return found


def repeating(secrets: dict[str, str]) -> FaultSettings:
    """Return refusals that hold the secrets in the body, in headers and in the URL of a redirect."""
    values = list(secrets.values())
    body = json.dumps({
        "error": {"code": values[0], "message": f"No valid account with token = {values[0]}", "fields": {}},
        "errors": [f"ERROR [{value}]" for value in values],
        "message": " ".join(quote(value, safe="") for value in values),
        "data": [{"token": value, "id": value, "saved": value} for value in values],
    }).encode()  # fmt: skip
    headers = (("Content-Type", "application/json"), ("X-Request-Id", values[0]))
    refusals = {
        "401": Answered(
            status=401, headers=headers, body=f"No valid account with token = {values[-1]}".encode()
        ),
        "500": Answered(status=500, headers=headers, body=body),
        "429-seconds": Answered(status=429, headers=headers, body=body),
        "408": Answered(status=200, headers=headers, body=body),
    }
    away = f"http://127.0.0.2:9/?token={quote(values[0], safe='')}"
    return attrs.evolve(SETTINGS, refusals=refusals, elsewhere=away)


async def struck(there: World, operation: Operation, fault: str, scanner: Scanner) -> None:
    """Let a fault strike an operation, and look at everything that shows afterwards."""
    where = f"{there.account.network} {operation.name} {fault}"
    there.transport.hurried = 2 * fault.startswith("slow")
    there.proxy.strike(fault, where=lambda asked: operation.where(asked.method, asked.target), times=2)
    result: Any = None
    try:
        result = await operation.call(there.account)
    except AdnetError as error:
        result = error
    for name, value in secrets_of(there.server).items():
        scanner.learn(name, value)
    assert there.events
    scanner.check(f"{where}: events", repr(there.events))
    if isinstance(result, AdnetError):
        scanner.check_error(where, result)
    else:
        scanner.check(f"{where}: result", repr(result))
        if (error := getattr(result, "error", None)) is not None:
            scanner.check_error(where, error)


@pytest.mark.parametrize("name", ["targetcircle", "adskeeper", "mytarget"])
async def test_no_fault_brings_a_secret_to_light(name):
    """Every fault in every operation: logs at DEBUG, errors with notes, locals and pickles, every object's repr."""
    network = NETWORKS[name]
    scanner = Scanner(secrets_of(load(name)(**network.knobs)))
    with logged() as lines:
        for operation in network.operations:
            for fault in FAULTS:
                await scanned(network, operation, fault, scanner)
    ours = [line for line in lines if not line.startswith(("aiohttp.server", "aiohttp.access"))]
    assert any(line.startswith("adnet ") for line in ours)
    scanner.check("the log", "\n".join(ours))
    tally("bytes searched for secrets", scanner.looked_at)


async def scanned(network: Network, operation: Operation, fault: str, scanner: Scanner) -> None:
    """Play one fault against an account of its own."""
    async with world(network, operation) as there:
        if fault in HOSTILE:
            there.proxy.settings = repeating(known_to(there))
        await struck(there, operation, fault, scanner)
        if fault == HOSTILE[0]:
            assert scanner.check_objects(f"{network.name} {operation.name} {fault}") > 50


# ---------------------------------------------------------------------- opening


@pytest.mark.parametrize(
    ("network", "keys", "words"),
    [
        ("targetcircle", {"base_url": "ftp://x.example"}, "https://"),
        ("targetcircle", {"base_url": "https://x.example", "limits": {"api": "x"}}, "limit api"),
        ("targetcircle", {"base_url": "https://x.example", "curency": "EUR"}, "currency"),
        ("targetcircle", {"base_url": "https://x.example", "state": "nothing:x"}, "unknown scheme"),
        (
            "targetcircle",
            {"base_url": "https://x.example", "proxy": "me:s3cret-of-the-proxy@h:1"},
            "proxy must",
        ),
        ("adskeeper", {"client_id": "1", "paging": "x"}, "paging"),
        ("mytarget", {"client_id": "1", "grant": "x"}, "grant"),
    ],
)
def test_an_account_that_cannot_be_opened_shows_no_secret(network, keys, words):
    """Reports of errors, as services make them, have the variables of every frame in them."""
    given = {"client_secret" if network == "mytarget" else "token": "s3cret-of-the-account"}
    with pytest.raises(ConfigurationError, match=words) as caught:
        adnet.connect(network, **given, **keys)
    Scanner({**given, "proxy": "s3cret-of-the-proxy"}).check_error("opening", caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kept.db", "bad.db"),
        ("sqlite:", "nothing:"),
        ("https://b.example", "https://"),
        ("4/s", "often"),
        ("FIRST", "BYTES"),
    ],
)
async def test_a_configuration_that_cannot_be_opened_shows_no_secret(old, new, tmp_path, monkeypatch):
    """Neither of the account that is wrong, nor of the others, nor the key of the state."""
    secrets = {"FIRST": "s3cret-of-a", "SECOND": "s3cret-of-b", "KEY": "s3cret-of-the-state"}
    for name, value in {**secrets, "BYTES": os.fsdecode(b"s3cret-of-a\xff")}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "bad.db").write_bytes(b"x" * 5000)
    (tmp_path / "bad.db").chmod(0o600)
    text = f"""
        [state]
        url = "sqlite:{tmp_path}/kept.db"
        key = {{ env = "KEY" }}
        [accounts.a]
        network = "targetcircle"
        base_url = "https://a.example"
        token = {{ env = "FIRST" }}
        [accounts.b]
        network = "targetcircle"
        base_url = "https://b.example"
        token = {{ env = "SECOND" }}
        limits = {{ api = "4/s" }}
    """
    assert old in text
    (tmp_path / "adnet.toml").write_text(text.replace(old, new))
    with pytest.raises(AdnetError) as caught:
        async with adnet.open(tmp_path / "adnet.toml"):
            pass
    Scanner(secrets).check_error("opening", caught.value)


# ---------------------------------------------------------------------- the command line


DAYS = ("--since", "2026-11-10", "--until", "2026-11-12")
COMMAND_LINES: dict[str, tuple[str, ...]] = {
    "demo": ("demo --help",),
    "pull": (
        "pull {days} --to duckdb:ads.duckdb --level ad --level campaign --profile",
        "pull {days} --to csv:csv --no-raw --json",
        "pull {days} --to jsonl:lines",
        "pull {days} --to parquet:parts --debug",
        "pull {days} --to jsonl:-",
        "pull nobody {days} --to jsonl:-",
        "pull {days} --to nothing:x --debug",
    ),
    "check": ("check", "check --json -v", "check partner --debug"),
    "networks": (
        "networks",
        "networks --json",
        "networks mytarget adskeeper targetcircle",
        "networks --markdown",
    ),
    "campaigns": (
        "campaigns list shop --json",
        "campaigns list native",
        "campaigns set shop --all daily_budget=2000 --dry-run",
        "campaigns pause native --all --dry-run --json",
        "campaigns resume shop --all --force -v",
        "campaigns delete shop 999 --yes --debug",
        "campaigns list partner --debug",
    ),
    "ads": (
        "ads list shop",
        "ads list native --json",
        "ads pause shop --all --dry-run",
        "ads set native 1 bid=x",
    ),
    "sources": (
        "sources block native 510001 5600014 --dry-run",
        "sources bid shop 1 2=3",
        "sources allow native 1 x",
    ),
    "auth": ("auth status", "auth status --json", "auth login shop --json", "auth login native --debug"),
    "bids": (
        "bids shop --target 500 --lowest 1 --highest 100 --apply --json",
        "bids native --target 1 --lowest 1 --highest 2 --debug",
    ),
    "shares": ("shares list shop --json", "shares revoke shop nosuchkey --yes --debug"),
    "certify": ("certify shop", "certify shop --json", "certify partner"),
    "jobs": ("jobs list", "jobs list --json", "jobs resume", "jobs cancel nothing --debug"),
    "limits": ("limits", "limits --json"),
    "report": ("report spend --from duckdb:ads.duckdb", "report profit --from duckdb:ads.duckdb --json"),
    "sandbox": ("sandbox --help", "sandbox serve nothing --debug"),
    "doctor": ("doctor", "doctor --json", "doctor --debug -v"),
}
"""Command -> calls of it; `revoke` and what refuses credentials come last, apart."""
LAST = ("auth revoke shop --yes", "auth revoke shop --yes --debug", "auth status")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, away from the files of whoever runs the tests."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.delenv("ADNET_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_no_command_brings_a_secret_to_light(home, monkeypatch, capfd):
    """Every command, well and under hostile answers: output, logs, files that landed, the state, other processes."""
    with Networks() as networks, logged() as lines, CommandLines() as processes:
        for name, value in networks.configure(home).items():
            monkeypatch.setenv(name, value)
        scanner = Scanner(networks.secrets())
        for line in [
            *(call for calls in COMMAND_LINES.values() for call in calls),
            *refusals(networks),
            *LAST,
        ]:
            code = main(line.format(days=" ".join(DAYS)).split())
            assert code != 1, f"`adnet {line}` met a bug: {capfd.readouterr().err}"
            for name, value in networks.secrets().items():
                scanner.learn(name, value)
            out, err = capfd.readouterr()
            scanner.check(f"`adnet {line}` on standard output", out)
            scanner.check(f"`adnet {line}` on standard error", err)
            if "--debug" in line:
                scanner.check_objects(f"`adnet {line}`")
    scanner.check("a log", "\n".join(line for line in lines if not line.startswith(("aiohttp.", "asyncio "))))
    scanner.check("a command line", b"\0".join(processes.seen))
    assert scanner.check_files(home, without=("secret",)) >= 10
    assert any(line.startswith("adnet ") for line in lines)
    tally("bytes searched for secrets", scanner.looked_at)


def refusals(networks: Networks) -> Iterator[str]:
    """Yield calls, each under a server that repeats what it knows."""
    for fault in ("401", "408", "redirect"):
        for name in ("partner", "native", "shop"):
            proxy, known = networks.proxies[name], secrets_of(networks.servers[name])
            proxy.settings = repeating(known)
            networks.call(lambda proxy=proxy, fault=fault: proxy.strike(fault, times=None))
        yield "check --debug -v"
        yield f"pull {' '.join(DAYS)} --to jsonl:hostile --debug -v"
        yield "doctor --debug"
        for proxy in networks.proxies.values():
            networks.call(proxy.calm)


@pytest.mark.soak
def test_the_demo_brings_no_secret_to_light(home, capfd):
    """Its imitations have secrets, too: they stand in its configuration and its state, and nowhere else."""
    assert main(["demo", "--dir", "demo", "--debug", "-v"]) == 0
    out, err = capfd.readouterr()
    accounts = tomllib.loads((home / "demo" / "adnet.toml").read_text(encoding="utf-8"))["accounts"]
    secrets = {
        f"{name} {key}": str(value)
        for name, account in accounts.items()
        for key, value in account.items()
        if is_secret_key(key)
    }
    assert len(secrets) >= 3
    scanner = Scanner(secrets)
    scanner.check("the demo's output", out + err)
    scanner.check_files(home, without=("adnet.toml", "state.db", "state.db-wal", "state.db-shm"))


def test_every_command_is_scanned():
    """A command that is new has to find its place here."""
    assert set(COMMAND_LINES) == set(COMMANDS)


def test_a_pull_shows_no_secret_to_other_processes(home):
    """The command line of a pull as others see it holds no secret, nor do those of its children."""
    with Networks() as networks, CommandLines() as processes:
        environment = {**PLAIN, **networks.configure(home)}
        words = [sys.executable, "-m", "adnet", "pull", *DAYS, "--to", "duckdb:ads.duckdb"]
        ran = subprocess.run(words, env=environment, cwd=home, capture_output=True, timeout=60, check=False)
        scanner = Scanner(networks.secrets())
        assert ran.returncode == 0, ran.stderr
        assert any(b"duckdb:ads.duckdb" in line for line in processes.seen)
        scanner.check("a command line", b"\0".join(processes.seen))
        scanner.check("the output", ran.stdout + ran.stderr)


def test_samples_hold_placeholders_for_secrets():
    """What stands under a secret's name in a sample is the vendor's own example or plainly made up."""
    printed = {
        # As printed in the Target Circle publisher API document (2016).
        "SDhV/+kyKhtuuZAZ+kUuQPFAXRXoD05Q", "S123VDFGFR434Ggse3XoD05Q", "sf3jtsgCUZ123fdg34gfdeCl823f24RFiX",
        "gsdfds4324GWEwE8NjnXDCl8RXriX", "sf3jtsgCUZ123",
    }  # fmt: skip
    made_up = re.compile(r"(Bearer )?(tok|AT|RT|agency)-[\w-]+|Bearer|kept|token_s")
    folder = Path(__file__).parent.parent / "connectors"
    found = set()
    for path in folder.rglob("samples/**/*.json"):
        with contextlib.suppress(ValueError):  # some answers are no JSON on purpose
            found |= set(under_secret_names(json.loads(path.read_text(encoding="utf-8"))))
    assert [value for value in found - printed if not made_up.fullmatch(value)] == []


def under_secret_names(value: Any) -> Iterator[str]:
    """Yield every text that stands under a secret's name."""
    if isinstance(value, dict):
        for name, item in value.items():
            if is_secret_key(name) and isinstance(item, str):
                yield item
            yield from under_secret_names(item)
    elif isinstance(value, list):
        for item in value:
            yield from under_secret_names(item)


@pytest.mark.parametrize("name", ["adskeeper", "mytarget"])
@pytest.mark.parametrize(
    "broken", ["load", "save", "delete", "lease", "begin_refresh", "release", "note_failure"]
)
async def test_a_state_that_fails_around_a_token_does_not_show_it(name, broken, monkeypatch):
    """Locals of the frames in between are told by many tools, so no token stands in one."""
    network = NETWORKS[name]
    read, token = (next(o for o in network.operations if o.name == wanted) for wanted in ("read", "token"))
    expired = Answered(
        status=401,
        headers=(("Content-Type", "application/json"),),
        body=b'{"error":{"code":"expired_token"}}',
    )
    settings = attrs.evolve(SETTINGS, refusals={"401": expired})

    def fail(*_: object, **__: object) -> None:
        raise StateError("state.db is locked by another process")

    async with world(network, attrs.evolve(read, options=token.options), settings) as there:
        monkeypatch.setattr(there.account.state.tokens, broken, fail)
        await struck(there, read, "401", Scanner(secrets_of(there.server)))
