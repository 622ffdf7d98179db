"""``adnet doctor``: what is wrong, and what to do about it."""

import ssl

import attrs
import pytest

from adnet import config, registry
from adnet.cli import _reach, doctor
from cli.kit import configure


def findings(ran, check):
    return {f["subject"]: f for f in ran.json["findings"] if f["check"] == check}


def test_all_is_well(adnet, partner, home):
    """A sound installation has nothing that failed, and no credential is sent."""
    configure(partner.account())
    before = len(partner.sandbox.log)
    ran = adnet("doctor", "--json")
    assert ran.code == 0
    assert before == len(partner.sandbox.log)
    assert findings(ran, "configuration")[str(home / "adnet.toml")]["verdict"] == "ok"
    assert "not made yet" in findings(ran, "state")[str(home / "state.db")]["detail"]
    assert "on targetcircle" in findings(ran, "account")["partner"]["detail"]
    assert partner.sandbox.origin.removeprefix("http://") == findings(ran, "reach")["partner"]["detail"]


def test_versions(adnet, home):
    """What is installed is told, and how to get what is not."""
    versions = findings(adnet("doctor", "--json"), "version")
    assert versions["aiohttp"]["verdict"] == "ok"
    for name, found in versions.items():
        assert found["verdict"] == "ok" or f"adnet[{doctor._EXTRAS[name]}]" in found["remedy"]


def test_missing_library(adnet, home, monkeypatch):
    """A library that adnet cannot do without fails the check."""
    monkeypatch.setattr(doctor, "_LIBRARIES", ("not-a-library",))
    ran = adnet("doctor", "--json")
    assert (ran.code, findings(ran, "version")["not-a-library"]["verdict"]) == (2, "fail")


def test_without_a_configuration(adnet, home):
    """Having no configuration yet is no failure."""
    ran = adnet("doctor")
    assert ran.code == 0
    assert "try `adnet demo`" in ran.out


def test_broken_configuration(adnet, home):
    """What is wrong with the file is told in its row."""
    configure("[acounts.x]")
    ran = adnet("doctor", "--json")
    assert ran.code == 2
    assert "did you mean 'accounts'?" in findings(ran, "configuration")["adnet.toml"]["detail"]


def test_configuration_that_others_can_read(adnet, partner):
    """A file with secrets should be its owner's alone."""
    file = configure(partner.account())
    file.chmod(0o644)
    (found,) = findings(adnet("doctor", "--json"), "configuration").values()
    assert ("warn", f"chmod 600 {file.absolute()}") == (found["verdict"], found["remedy"])


def test_state_that_others_can_read(adnet, partner, home):
    """A state that every command refuses fails here too."""
    configure(partner.account())
    (home / "state.db").touch(mode=0o644)
    ran = adnet("doctor", "--json")
    assert ran.code == 2
    assert "chmod 600" in findings(ran, "state")[str(home / "state.db")]["detail"]


@pytest.mark.parametrize("place", ["adnet.toml/state.db", "adnet.toml/new/state.db"])
def test_state_that_cannot_be_made(adnet, partner, home, place):
    """A place at which every command would fail fails here too; nothing is left there by looking."""
    file = configure(partner.account())
    file.write_text(file.read_text().replace("sqlite:state.db", f"sqlite:{place}"))
    ran = adnet("doctor", "--json")
    found = findings(ran, "state")[str(home / place)]
    assert (ran.code, found["verdict"], "cannot be made: Not a directory" in found["detail"]) == (
        2,
        "fail",
        True,
    )
    file.write_text(file.read_text().replace(f"sqlite:{place}", "sqlite:new/state.db"))
    ran = adnet("doctor", "--json")
    found = findings(ran, "state")[str(home / "new" / "state.db")]
    assert (ran.code, found["verdict"], [path.name for path in home.iterdir()]) == (0, "ok", ["adnet.toml"])


def test_state_in_use(adnet, partner, home):
    """A state that is there is looked into."""
    configure(partner.account())
    adnet("jobs", "list")
    found = findings(adnet("doctor", "--json"), "state")[str(home / "state.db")]
    assert found["detail"] == "0 unfinished report jobs"


def test_bad_account_harms_no_other(adnet, partner, monkeypatch):
    """Each account is looked at for itself."""
    monkeypatch.delenv("NOT_HERE", raising=False)
    bad = '[accounts.bad]\nnetwork = "targetcircle"\ntoken = { env = "NOT_HERE" }\n'
    configure(bad, '[accounts.odd]\nnetwork = "nowhere"\n', partner.account())
    ran = adnet("doctor", "--json")
    assert ran.code == 2
    accounts = findings(ran, "account")
    assert {n: f["verdict"] for n, f in accounts.items()} == {"bad": "fail", "odd": "fail", "partner": "ok"}
    assert "NOT_HERE is not set" in accounts["bad"]["detail"]


def test_many_accounts_of_one_network(adnet, partner, monkeypatch):
    """The configuration is read some times, not once for each of them, and the network is connected to once."""
    read, reached = [], []
    parsed, reach = config._parsed, doctor.reach

    async def reaches(way):
        reached.append(way)
        return await reach(way)

    monkeypatch.setattr(config, "_parsed", lambda path: read.append(path) or parsed(path))
    monkeypatch.setattr(doctor, "reach", reaches)
    names = [f"partner{number}" for number in range(12)]
    configure(*map(partner.account, names))
    ran = adnet("doctor", "--json")
    assert ran.code == 0
    assert list(findings(ran, "account")) == list(findings(ran, "reach")) == names
    assert (len(reached), len(read) <= 4) == (1, True)


def test_few_open_files(adnet, home, monkeypatch):
    """A limit that many accounts would meet is told with its remedy."""
    monkeypatch.setattr(doctor.open_files, "limit", lambda: 256)
    found = findings(adnet("doctor", "--json"), "limit")["open files"]
    assert (found["verdict"], found["detail"]) == ("warn", "256: few for many accounts at once")
    assert "ulimit -n" in found["remedy"]


@pytest.mark.parametrize(("others", "code"), [((), 5), (("here",), 4)])
def test_unreachable(adnet, partner, others, code):
    """A network that cannot be reached fails its account."""
    configure(partner.account("gone", base_url="http://127.0.0.1:9/api"), *map(partner.account, others))
    ran = adnet("doctor", "--json")
    found = findings(ran, "reach")["gone"]
    assert (code, "fail", "127.0.0.1:9: Connection refused") == (ran.code, found["verdict"], found["detail"])


FAR = 'network = "targetcircle"\nbase_url = "https://network.example/api"\ntoken = "t"\n'


def test_a_proxy_is_tried_in_place_of_the_network(adnet, home, partner):
    """What lies behind it is for `adnet check`; its password is not shown."""
    port = partner.sandbox.origin.rpartition(":")[2]
    section = f'[accounts.far]\n{FAR}proxy = "http://me:hunter2@127.0.0.1:%s"\n'
    configure(section % port)
    ran = adnet("doctor", "--json")
    found = findings(ran, "reach")["far"]
    assert (ran.code, found["verdict"]) == (0, "ok")
    assert found["detail"].startswith(f"the proxy 127.0.0.1:{port}; `adnet check` tells")
    configure(section % 9)
    ran = adnet("doctor", "--json")
    found = findings(ran, "reach")["far"]
    assert (ran.code, found["detail"]) == (5, "the proxy 127.0.0.1:9: Connection refused")
    assert found["remedy"].startswith("check proxy")
    assert "hunter2" not in ran.out


def test_a_proxy_of_the_environment(adnet, home, monkeypatch):
    """Who cannot reach a network learns that it is not used, and how it would be."""

    async def refused(*args, **kwargs):
        raise TimeoutError

    monkeypatch.setattr(_reach.asyncio, "open_connection", refused)
    monkeypatch.setenv("https_proxy", "http://me:hunter2@127.0.0.1:9")
    configure(f"[accounts.far]\n{FAR}")
    ran = adnet("doctor", "--json")
    remedy = findings(ran, "reach")["far"]["remedy"]
    assert "https_proxy of the environment is not used" in remedy
    assert 'proxy = { env = "https_proxy" }' in remedy
    assert "hunter2" not in ran.out


def test_broken_connector(adnet, home, monkeypatch):
    """A connector that cannot be loaded is told with the distribution that brings it."""
    broken = registry.Found("acme", "adnet-acme", None, "it is broken")
    monkeypatch.setattr(registry, "discover", lambda: iter([broken]))
    found = findings(adnet("doctor", "--json"), "connector")["acme"]
    assert (found["detail"], found["remedy"]) == ("it is broken", "reinstall or remove adnet-acme")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "no answer within 5 s"),
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 9)"), "Connection refused"),
        (OSError(-2, "Name or service not known"), "Name or service not known"),
        (OSError("several at once"), "several at once"),
        (ssl.SSLError(1, "x"), "no certificate that can be trusted"),
    ],
)
def test_words_for_what_hinders(error, words):
    """Each way not to reach a network has plain words."""
    assert _reach._why(error).startswith(words)


def test_host_that_cannot_be(adnet, partner):
    """An address whose host no name can be of fails its account; the others are looked at all the same."""
    typo = partner.account("typo", base_url="https://api..example.com/api")
    configure(typo, partner.account("good"))
    ran = adnet("doctor", "--json")
    found = findings(ran, "account")
    assert (ran.code, found["good"]["verdict"], found["typo"]["verdict"]) == (2, "ok", "fail")
    assert "api..example.com/api' is not a URL; check its host" in found["typo"]["detail"]
    assert findings(ran, "reach").keys() == {"good"}


async def test_name_that_cannot_be_looked_up(monkeypatch):
    """As of a connector that makes its addresses itself: it is no host that does not answer."""

    async def asked(host, *args, **kwargs):
        host.encode("idna")  # as every look-up of a name begins

    monkeypatch.setattr(_reach.asyncio, "open_connection", asked)
    found = await _reach.reach(_reach.Way("https://api..example.com/v1"))
    assert found.verdict == "fail"
    assert found.detail == "api..example.com:443: this is no name of a host"
    assert found.remedy == "check base_url"


async def test_certificate(monkeypatch):
    """A certificate that cannot be trusted has a remedy of its own."""

    async def refused(*args, **kwargs):
        raise ssl.SSLCertVerificationError(1, "certificate verify failed")

    monkeypatch.setattr(_reach.asyncio, "open_connection", refused)
    found = await _reach.reach(_reach.Way("https://127.0.0.1/v1"))
    assert (found.verdict, found.detail.partition(": ")[0]) == ("fail", "127.0.0.1:443")
    assert "clock and certificates" in found.remedy


async def test_connector_without_an_address():
    """Where a connector does not tell where its network is, that is said."""
    (found,) = await doctor._reach_all([("shop", _reach.Way(""))])
    assert attrs.astuple(found)[1:3] == ("shop", "warn")


def test_a_password_in_the_state_url_is_not_shown(adnet, home):
    """Only the scheme is told: what follows it may hold a password."""
    file = configure()
    file.write_text(
        '[state]\nurl = "redis://default:hunter2-secret@cache.example:6379/0"\n', encoding="utf-8"
    )
    ran = adnet("doctor", "--json")
    assert ran.code == 2
    assert "hunter2" not in ran.out + ran.err
    (found,) = findings(ran, "state").values()
    assert "not available in this version" in found["detail"]
