"""A connector in a distribution of its own is found by its entry point, and passes the whole suite."""

import os
import re
import subprocess
import sys

import pytest

import adnet
from adnet import registry
from adnet.errors import ConfigurationError, UnknownNetworkError

from .installing import ACME, dist_info, install_acme


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Return a folder on the path, into which distributions are installed."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def run(folder, *words):
    """Run Python with *folder* on its path, from there."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_its_conformance_file_is_short_and_passes(tmp_path):
    """Two dozen lines and a server are all it takes, with settings of pytest of its own."""
    file = ACME / "tests" / "acme_conformance.py"
    assert len(file.read_text().splitlines()) <= 24
    settings = ("-c", str(ACME / "pyproject.toml"), "-p", "no:cacheprovider")
    done = run(install_acme(tmp_path), "-m", "pytest", "-q", *settings, str(file))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    passed, *others = re.findall(r"(\d+) (\w+)", done.stdout.splitlines()[-1])
    assert passed[1] == "passed"
    assert int(passed[0]) > 80
    assert others == []


def test_the_support_table_has_it(tmp_path):
    """``adnet networks`` lists it with what it can do."""
    done = run(install_acme(tmp_path), "-m", "adnet", "networks", "--json")
    assert done.returncode == 0, done.stderr
    assert '"acme"' in done.stdout


def test_it_is_found_among_ours(path):
    """Its capabilities are read off its class like ours, and refusals name it where it can serve."""
    install_acme(path)
    assert "acme" in registry.names()
    assert registry.load("acme").capabilities().supports("list_stats")
    assert "acme" in registry.supporting("list_campaigns")
    assert "acme" not in registry.supporting("list_offers")


async def test_an_account_on_it_is_an_account_like_any_other(path):
    """``adnet.connect`` takes its slug, and its options."""
    install_acme(path)
    async with adnet.connect("acme", base_url="https://acme.example/v1", key="secret-key-1") as account:
        assert account.network == "acme"
        assert "secret-key-1" not in repr(account)
    with pytest.raises(ConfigurationError, match="did you mean 'key'"):
        adnet.connect("acme", base_url="https://acme.example/v1", keys="x")


def test_a_name_that_two_claim_is_refused(path):
    """The error names both distributions; nothing is guessed."""
    dist_info(path, "adnet-one", "1", {"double": "json:loads"})
    dist_info(path, "adnet-two", "1", {"double": "json:dumps"})
    with pytest.raises(ConfigurationError, match="adnet-one and adnet-two"):
        registry.load("double")


def test_a_name_of_ours_cannot_be_taken(path):
    """Who claims one of our networks breaks it loudly, and does not replace it."""
    dist_info(path, "adnet-cuckoo", "1", {"targetcircle": "json:loads"})
    with pytest.raises(ConfigurationError, match="adnet and adnet-cuckoo"):
        registry.load("targetcircle")


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("not_there_at_all:X", "cannot be loaded: ModuleNotFoundError"),
        ("json:not_there", "cannot be loaded: AttributeError"),
        ("json:loads", "no subclass of adnet.interface.Connector"),
        ("adnet.interface:Connector", "class says network ''"),
        ("broken_acme:Raises", "cannot be loaded: RuntimeError: no luck"),
        ("made_acme:Old", "made for interface 0"),
        ("made_acme:Bare", "no facet"),
        ("made_acme:Half", "it lacks list_audiences, list_shares, __init__, account_key"),
        ("made_acme:Most", "it lacks native, limiter, requests"),
        ("leaves_acme:X", "cannot be loaded: SystemExit: 3"),
        ("made_acme:Option1", "its options are no collection of Option; is a comma missing?"),
        ("made_acme:Option2", "its options are no collection of Option"),
        ("made_acme:Facts", "its limit_facts are no collection of LimitFact"),
        ("made_acme:Levels", "its levels are no collection of str"),
        ("made_acme:Paid", "its paid_extra are no collection of str"),
        ("made_acme:Kinds", "its report_kinds are no collection of str"),
    ],
)
def test_a_broken_package_is_told_and_harms_no_other(path, target, problem):
    """Its own network says what is wrong; all others are there as before, and an unknown name lists it."""
    (path / "broken_acme.py").write_text("raise RuntimeError('no luck')\n")
    (path / "leaves_acme.py").write_text("import sys\nsys.exit(3)\n")
    (path / "made_acme.py").write_text(
        "from adnet.interface import Connector, Option, ReadsAccounts, ReadsAudiences\n"
        "class Old(Connector, ReadsAccounts):\n    network, interface_version = 'broken', 0\n"
        "class Bare(Connector):\n    network = 'broken'\n"
        "class Half(Connector, ReadsAudiences):\n    network = 'broken'\n"
        "class Most(Connector, ReadsAccounts):\n    network = 'broken'\n"
        "    def __init__(self, services, *, base_url, options): ...\n"
        "    account_key = 'k'\n    async def get_account(self): ...\n"
        "class Option1(Most):\n    options = (Option('key', 'the key'))\n"
        "class Option2(Most):\n    options = ('key',)\n"
        "class Facts(Most):\n    limit_facts = None\n"
        "class Levels(Most):\n    levels = ('campaign')\n"
        "class Paid(Most):\n    paid_extra = ('max_bid')\n"
        "class Kinds(Most):\n    report_kinds = ('stats')\n"
    )
    dist_info(path, "adnet-broken", "1", {"broken": target})
    with pytest.raises(ConfigurationError, match=re.escape(problem)):
        registry.load("broken")
    assert registry.load("targetcircle").title == "Target Circle"
    found = {found.network: found.problem for found in registry.discover()}
    assert problem in found["broken"]
    assert found["targetcircle"] is None
    with pytest.raises(UnknownNetworkError, match="adnet-broken"):
        registry.load("brokn")


def test_a_damaged_distribution_harms_no_other(path):
    """One that was taken away by half has no name; one with a dash where Python has none names no module."""
    half = dist_info(path, "adnet-half", "1", {"half": "half_acme:X"})
    (half / "adnet_half-1.dist-info" / "METADATA").unlink()
    dist_info(path, "adnet-dash", "1", {"dash": "adnet-dash:X"})
    found = {found.network: found for found in registry.discover()}
    assert "half_acme:X cannot be loaded: ModuleNotFoundError" in found["half"].problem
    assert "adnet-dash cannot be loaded" in found["dash"].problem
    assert found["targetcircle"].problem is None
    assert "adnet-half" not in registry.strangers().values()  # asked for whenever a bug is told


def test_a_bug_of_a_connector_is_told_as_its_own(tmp_path):
    """Whoever made the connector can mend it; adnet is not the place to report it to."""
    folder = install_acme(tmp_path)
    (folder / "acme_bug.py").write_text(
        "from adnet_acme.connector import Acme\n"
        "class Bug(Acme):\n    network = 'buggy'\n"
        "    async def get_account(self):\n        return {}['id']\n"
    )
    dist_info(folder, "adnet-buggy", "1", {"buggy": "acme_bug:Bug"})
    (folder / "adnet.toml").write_text(
        '[accounts.a]\nnetwork = "buggy"\nbase_url = "http://127.0.0.1:9"\nkey = "secret-key-1"\n'
    )
    done = run(folder, "-m", "adnet", "check", "--config", "adnet.toml")
    assert done.returncode == 1
    assert "this is a bug in adnet-buggy: KeyError: 'id'; please report it" in done.stderr
