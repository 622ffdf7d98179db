"""Logging accounts in and out from the command line, against an imitation of myTarget over loopback."""

import contextlib
import io
import logging
import os
import pty
import socket
import subprocess
import sys
import webbrowser
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from adnet.cli import auth
from adnet.cli._redirect import HOST, PATH
from adnet.sandbox.mytarget import MytargetSandbox
from adnet.state import StoredToken
from cli.kit import configure
from cli.market_kit import BUYER, OWNER, Browser, Market, keep, stored, visit

PARTNER = (
    '[accounts.partner]\nnetwork = "targetcircle"\nbase_url = "http://127.0.0.1:9/v1"\ntoken = "t-123456"\n'
)


@pytest.fixture
def port() -> int:
    """Return a port that is free."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def market(port):
    """Serve an application that is registered with a loopback address; the buyer sits at the browser."""
    with Market(redirect_uri=f"http://127.0.0.1:{port}/callback") as served:
        served.sandbox.login_as(BUYER)
        yield served


@pytest.fixture
def browser(monkeypatch) -> Browser:
    """Return the browser that opens when adnet opens one."""
    found = Browser()
    monkeypatch.setattr(webbrowser, "open", found)
    return found


@pytest.fixture
def login(adnet, market, port, browser):
    """Return what logs ``shop`` in by the browser."""
    market.configure()
    return lambda *words: adnet("auth", "login", "shop", "--port", port, *words)


# ---------------------------------------------------------------------- by the browser


def test_an_imitation_sends_browsers_to_where_this_listens():
    """Its application is registered with that address, since myTarget is told none; so a login can be rehearsed."""
    assert MytargetSandbox(campaigns=0).world.knobs.redirect_uri == f"http://{HOST}:{auth.PORT}{PATH}"


def test_the_browser_brings_the_code_back(login, market, browser):
    """The token is stored, and proven by a call of its account."""
    ran = login("--json")
    assert ran.code == 0
    assert (ran.json["account_id"], ran.json["token"]) == (str(BUYER), "issued")
    assert market.report["grants"] == {"authorization_code": 1}
    assert stored().access_token == market.sandbox.truth(f"tokens@{BUYER}")[0]["access_token"]
    assert [urlsplit(url).path for url in browser.opened] == ["/oauth2/authorize"]


@pytest.fixture
def _quiet() -> Iterator[None]:
    """Let what is logged go nowhere again."""
    logger = logging.getLogger("adnet")
    handlers, level = logger.handlers[:], logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest.mark.usefixtures("_quiet")
def test_no_secret_is_shown_by_a_login(login, market):
    """Neither token, nor code, nor the application's secret."""
    ran = login("-v")
    (token,) = market.sandbox.truth(f"tokens@{BUYER}")
    secrets = {token["access_token"], token["refresh_token"], market.sandbox.credentials["client_secret"]}
    assert [secret for secret in secrets if secret in ran.out + ran.err] == []
    assert "code=" not in ran.err.replace("response_type=code", "")


def test_every_login_has_a_state_of_its_own(login, browser):
    """Nobody can guess it."""
    assert [login().code, login().code] == [0, 0]
    states = [parse_qs(urlsplit(url).query)["state"][0] for url in browser.opened]
    assert len(set(states)) == 2
    assert min(map(len, states)) >= 32


def test_a_second_login_takes_no_second_slot(login, market):
    """The token that works is kept."""
    assert [login("--json").json["token"], login("--json").json["token"]] == ["issued", "kept"]
    assert market.report["live_slots"] == {str(BUYER): 1}
    assert market.report["grants"] == {"authorization_code": 1}


def test_a_foreign_state_is_refused_and_waited_past(login, browser, port):
    """A page that sends a browser here with a code of somebody else's gets nothing from it."""
    pages = []
    back = f"http://127.0.0.1:{port}/callback"
    browser.before = lambda _: pages.extend(
        visit(f"{back}?{query}") for query in ("code=1&state=2", "code=1", "")
    )
    assert login().code == 0
    assert [page[:3] for page in pages] == ["400", "400", "404"]


def test_an_answer_without_a_code_is_waited_past(login, browser, port):
    """It belongs to this login, and says nothing."""

    def empty(url: str) -> None:
        state = parse_qs(urlsplit(url).query)["state"][0]
        assert visit(f"http://127.0.0.1:{port}/callback?state={state}").startswith("400")

    browser.before = empty
    assert login().code == 0


def test_a_user_who_refuses_is_told_so(adnet, browser, port):
    """Exit code 3, and what the network said."""
    with Market(redirect_uri=f"http://127.0.0.1:{port}/callback", consent=False) as market:
        market.configure()
        ran = adnet("auth", "login", "shop", "--port", port)
        assert (ran.code, ran.out) == (3, "")
        assert "account 'shop': access was not given (access_denied)" in ran.err
        assert market.report["grants"] == {}


def test_vk_ads_is_told_where_to_come_back(adnet, browser):
    """Any free port will do where the address is sent along."""
    with Market(vk=True) as market:
        market.configure()
        assert adnet("auth", "login", "shop", "--port", 0).code == 0
        back = parse_qs(urlsplit(browser.opened[0]).query)["redirect_uri"][0]
        assert back.startswith("http://127.0.0.1:")


def test_without_a_browser_the_address_is_printed(login, browser):
    """Nobody comes back in time here; exit code 5."""
    ran = login("--no-browser", "--timeout", 0.05)
    assert (ran.code, ran.out, browser.opened) == (5, "", [])
    assert "grant access at: http://127.0.0.1:" in ran.err
    assert "nobody came back within 0.05 s" in ran.err


def test_a_browser_that_does_not_open_is_told(login, browser):
    """The address can be opened elsewhere."""
    browser.works = False
    assert "no browser opens here" in login("--timeout", 0.3).err


def test_a_port_that_is_taken_is_named(adnet, market, browser):
    """Another one may be given."""
    market.configure()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = adnet("auth", "login", "shop", "--port", taken.getsockname()[1])
    assert (ran.code, "--port" in ran.line) == (2, True)


# ---------------------------------------------------------------------- by a pasted code


def consented(market, state="st") -> str:
    """Return the address that a browser on another machine ends at."""
    client_id = market.sandbox.credentials["client_id"]
    query = f"response_type=code&client_id={client_id}&state={state}"
    return market.consent(f"{market.sandbox.base_url}/oauth2/authorize?{query}")


@pytest.mark.parametrize("form", ["code", "address", "query", "input"])
def test_a_code_can_be_pasted(adnet, market, monkeypatch, form):
    """Alone, in the whole address, in its query, or at standard input."""
    market.configure()
    address = consented(market)
    code = parse_qs(urlsplit(address).query)["code"][0]
    monkeypatch.setattr(sys, "stdin", io.StringIO(f" {code}\n"))
    words = {"code": code, "address": address, "query": urlsplit(address).query, "input": "-"}
    ran = adnet("auth", "login", "shop", "--code", words[form], "--json")
    assert (ran.code, ran.json["account_id"]) == (0, str(BUYER))


@pytest.mark.parametrize(
    ("pasted", "code", "message"),
    [
        ("http://127.0.0.1/callback?error=access_denied&state=x", 3, "access was not given (access_denied)"),
        ("http://127.0.0.1/callback?state=x", 2, "holds no code"),
        ("", 2, "no code"),
        ("two words", 2, "no code"),
        ("\x1b[31m", 2, "no code"),
        ("made-up==", 3, "`adnet auth login shop` asks for another"),
    ],
)
def test_what_is_no_code_is_refused(adnet, market, pasted, code, message):
    """In one line, without a trace."""
    market.configure()
    ran = adnet("auth", "login", "shop", "--code", pasted)
    assert (ran.code, ran.out, message in ran.line) == (code, "", True)
    assert market.report["grants"] == {}


@contextlib.contextmanager
def at_a_terminal(*words: object) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run the command line with a terminal as its input; yield it, and where to type."""
    typing, terminal = pty.openpty()
    command = [sys.executable, "-m", "adnet", *map(str, words)]
    # Processes that end by themselves leave whole files of coverage behind; others would leave halves.
    with subprocess.Popen(
        command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process, typing
        finally:
            process.kill()
            os.close(terminal)
            os.close(typing)


def test_a_code_can_be_pasted_at_the_prompt(market, home):
    """What belongs to another login, or is no code, is refused; the prompt stays."""
    market.configure()
    words = ("auth", "login", "shop", "--no-browser", "--port", 0, "--json")
    with at_a_terminal(*words) as (process, typing):
        # Until it asks for something: what is read ahead would be lost to those who read on.
        asked = [process.stderr.readline() for _ in range(3)]
        url = asked[0].partition(": ")[2].strip()
        for line in ("http://127.0.0.1/?code=1&state=2", "no code", "", market.consent(url)):
            os.write(typing, f"{line}\n".encode())
        out, err = process.communicate(timeout=30)
    assert (process.returncode, '"token": "issued"' in out) == (0, True)
    assert "or paste the code, or the address that the browser ended at:" in asked[2]
    assert "its state is not the one sent" in err
    assert "this is no code" in err


def test_a_refusal_can_be_pasted_at_the_prompt(market, home):
    """The user said no on another machine."""
    market.configure()
    words = ("auth", "login", "shop", "--no-browser", "--port", 0)
    with at_a_terminal(*words) as (process, typing):
        state = parse_qs(urlsplit(process.stderr.readline().partition(": ")[2].strip()).query)["state"][0]
        os.write(typing, f"http://127.0.0.1/?error=access_denied&state={state}\n".encode())
        _, err = process.communicate(timeout=30)
    assert (process.returncode, "access was not given (access_denied)" in err) == (3, True)


# ---------------------------------------------------------------------- who may be bound


def test_an_account_is_not_bound_to_a_second_client(login, market):
    """It would become two in the rows that land; the first has to be unbound."""
    login()
    market.sandbox.login_as(OWNER)
    ran = login()
    assert (ran.code, ran.out) == (2, "")
    assert f"account 'shop' is bound to client {BUYER}, and this login is of client {OWNER}" in ran.err
    assert market.report["grants"] == {"authorization_code": 1}


def test_a_client_is_not_bound_to_a_second_account(adnet, market, port, browser):
    """Nor to one that never logged in, but is known to be the same client."""
    market.configure(market.account("own", "client_credentials"), market.account())
    assert adnet("check", "own").code == 0
    market.sandbox.login_as(OWNER)
    ran = adnet("auth", "login", "shop", "--port", port)
    assert (ran.code, f"its client {OWNER} is bound to the account 'own' already" in ran.err) == (2, True)
    assert market.report["grants"] == {"client_credentials": 1}


def test_an_account_without_its_secrets_here_is_in_nobodys_way(adnet, market, port, browser):
    """Its client cannot be told, and nobody asks for its secret."""
    other = market.account("other").replace(
        f'"{market.sandbox.credentials["client_secret"]}"', '{ env = "NONE" }'
    )
    market.configure(market.account(), other)
    assert adnet("auth", "login", "shop", "--port", port).code == 0


def test_an_account_on_a_network_that_is_not_installed_is_in_nobodys_way(adnet, market, port, browser):
    """Other accounts of the same file go on."""
    market.configure(market.account(), '[accounts.odd]\nnetwork = "nowhere"\n')
    assert adnet("auth", "login", "shop", "--port", port).code == 0


def test_an_own_account_needs_no_browser(adnet, market, browser):
    """Its credentials are enough; a code makes no sense."""
    market.configure(market.account("own", "client_credentials"))
    assert adnet("auth", "login", "own", "--json").json["account_id"] == str(OWNER)
    ran = adnet("auth", "login", "own", "--code", "c")
    assert (ran.code, "takes no code" in ran.line, browser.opened) == (2, True, [])


@pytest.mark.parametrize("words", [("login", "partner"), ("revoke", "partner"), ("status", "partner")])
def test_a_network_without_logins_is_named(adnet, home, words):
    """And those that have them."""
    configure(PARTNER)
    ran = adnet("auth", *words)
    assert (ran.code, ran.out) == (2, "")
    assert "there are no logins at targetcircle" in ran.line
    assert "mytarget" in ran.line


def test_an_unknown_account_is_named(adnet, market):
    """With the nearest one."""
    market.configure()
    ran = adnet("auth", "login", "shp")
    assert (ran.code, "did you mean 'shop'?" in ran.line) == (2, True)


# ---------------------------------------------------------------------- status


def test_status_shows_tokens_masked(login, adnet, market):
    """Their last four characters, in the table and in JSON."""
    login()
    token = market.sandbox.truth(f"tokens@{BUYER}")[0]["access_token"]
    table, data = adnet("auth", "status"), adnet("auth", "status", "shop", "--json")
    masked = f"***{token[-4:]}"
    assert masked in table.out
    assert not any(word in table.out + data.out for word in (token, token[:8]))
    (row,) = data.json["accounts"]
    assert (row["state"], row["issues"], row["refreshes"], row["generation"]) == ("valid", 1, 0, 1)
    assert row["token"] == masked


def test_status_leaves_out_accounts_without_logins(adnet, market):
    """Unless they are named."""
    market.configure(market.account(), PARTNER)
    (row,) = adnet("auth", "status", "--json").json["accounts"]
    assert (row["account"], row["grant"], row["state"]) == ("shop", "authorization_code", "none")


def test_status_of_accounts_that_cannot_be_opened(adnet, market, monkeypatch):
    """They fail by themselves, as far as they have logins; the tokens of the others are shown."""
    monkeypatch.delenv("NOT_HERE", raising=False)
    keys = 'network = "mytarget"\ngrant = "client_credentials"\nclient_id = "1"\n'
    lost = f'[accounts.lost]\n{keys}client_secret = {{ env = "NOT_HERE" }}\n'
    strange = PARTNER.replace("partner", "strange").partition("token =")[0] + 'token = { env = "NOT_HERE" }\n'
    market.configure(lost, market.account(), strange)
    ran = adnet("auth", "status", "--json")
    told = "client_secret of account 'lost': the environment variable NOT_HERE is not set; set it"
    assert (ran.code, ran.line) == (4, f"adnet: {told}")
    rows = [(row["account"], row["network"], row["state"], row["failure"]) for row in ran.json["accounts"]]
    assert rows == [("lost", "mytarget", "unknown", told), ("shop", "mytarget", "none", None)]
    assert adnet("auth", "status", "shop").code == 0
    ran = adnet("auth", "status", "lost")
    assert (ran.code, ran.line) == (2, f"adnet: {told}")
    assert "there are no logins at targetcircle" in adnet("auth", "status", "strange").line


def test_status_tells_a_refreshed_and_expired_token(adnet, market):
    """Nothing is sent for it."""
    market.configure()
    first, then = (datetime(2026, 1, day, 12, tzinfo=UTC) for day in (28, 31))
    token = StoredToken(access_token="t" * 16, issued_at=then, granted_at=first, expires_at=then, refreshes=3)
    keep(token)
    (row,) = adnet("auth", "status", "--json").json["accounts"]
    assert (row["state"], row["issued_at"], row["refreshes"]) == ("expired", "2026-01-28T12:00:00+00:00", 3)
    assert row["refreshed_at"] == row["expires_at"] == "2026-01-31T12:00:00+00:00"
    assert market.report["requests"] == 0


def test_status_tells_why_an_account_is_stopped(login, adnet):
    """And what to do about it."""
    login()
    adnet("auth", "revoke", "shop", "--yes")
    (row,) = adnet("auth", "status", "--json").json["accounts"]
    assert (row["state"], row["token"]) == ("stopped", None)
    assert row["failure"].endswith("a new login is needed: `adnet auth login shop`")


# ---------------------------------------------------------------------- revoke


def test_revoke_removes_the_binding_and_the_token(login, adnet, market):
    """At the network by its API method, and here; the account then needs a new login."""
    login()
    ran = adnet("auth", "revoke", "shop", "--yes", "--json")
    assert (ran.code, ran.json) == (0, {"account": "shop", "network": "mytarget", "revoked": True})
    assert (market.report["unbound_by_user"], market.report["live_slots"]) == ({str(BUYER): 1}, {})
    assert stored() is None
    refused = adnet("check", "shop")
    assert (refused.code, "`adnet auth login shop`" in refused.err) == (3, True)
    assert login("--json").json["token"] == "issued"
    assert adnet("check", "shop").code == 0


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("n\n", 2, 1), ("", 2, 1)])
def test_revoke_asks_first(login, adnet, market, monkeypatch, answer, code, left):
    """Anything but a yes removes nothing."""
    login()
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    ran = adnet("auth", "revoke", "shop")
    assert (ran.code, len(market.report["live_slots"])) == (code, left)
    assert "remove the binding of 'shop' at mytarget, for all programs that use it? [y/N]" in ran.err


def test_another_client_can_be_bound_after_revoking(login, adnet, market):
    """The name is free again, and so is the client."""
    login()
    adnet("auth", "revoke", "shop", "--yes")
    market.sandbox.login_as(OWNER)
    assert login("--json").json["account_id"] == str(OWNER)
