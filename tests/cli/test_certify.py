"""The certification's rules on the command line, held against what the imitation itself saw of its client."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

from adnet import Update, diff
from adnet.analysis.certification import RULES
from adnet.client import Account
from adnet.config import open_accounts
from cli.kit import configure
from cli.market_kit import Market

TODAY = datetime.now(ZoneInfo("Europe/Moscow")).date()
LONG_AGO = TODAY - timedelta(days=100)


@pytest.fixture
def market():
    """Serve an account of a few campaigns, within limits; those of statistics are wider than the network's."""
    with Market(limits={"statapid_generic": {"v2": {"READ": {"1": 20, "3600": 2000}}}}) as served:
        yield served


@pytest.fixture
def own(market, home) -> Market:
    """Return the same, with its owner's account in the configuration as ``own``."""
    market.configure(market.account("own", "client_credentials"))
    return market


def used(work: Callable[[Account], Awaitable[Any]]) -> None:
    """Let *work* use the account ``own``, and end the process that did so, as far as accounts go."""

    async def use() -> None:
        async with open_accounts(only=["own"]) as accounts:
            await work(accounts["own"])

    asyncio.run(use())


def verdicts(ran) -> dict[str, str]:
    """Return rule -> verdict of what was printed."""
    return {rule["rule"]: rule["verdict"] for rule in ran.json["rules"]}


def pulled(adnet, *words) -> None:
    """Pull everything of the last months."""
    period = ("--since", LONG_AGO, "--until", TODAY + timedelta(days=1))
    assert adnet("pull", "own", *period, "--to", "duckdb:ads.duckdb", *words).code == 0


# ---------------------------------------------------------------------- form


def test_every_rule_of_the_page_has_a_row(adnet, own):
    """In JSON with exactly these keys; without evidence nothing technical or financial is known."""
    ran = adnet("certify", "own", "--json")
    assert ran.code == 0
    assert list(ran.json) == ["rules"]
    assert [rule["rule"] for rule in ran.json["rules"]] == list(RULES)
    assert {tuple(rule) for rule in ran.json["rules"]} == {("rule", "title", "verdict", "figure", "evidence")}
    known = {rule for rule, verdict in verdicts(ran).items() if verdict != "unknown"}
    assert {rule.partition(".")[0] for rule in known} == {"functional"}


def test_nothing_is_sent(adnet, own):
    """Not even for a token."""
    adnet("certify", "own")
    assert own.report["requests"] == 0


def test_rows_are_shown_to_people(adnet, own):
    """One line a rule, below a head."""
    ran = adnet("certify", "own")
    assert ran.out.splitlines()[0].split() == ["rule", "verdict", "figure", "title", "evidence"]
    assert len(ran.out.splitlines()) == 1 + len(RULES)


# ---------------------------------------------------------------------- what adnet does by itself


def test_normal_work_proves_every_technical_rule(adnet, own):
    """Pulling, pulling again, and changing: as the ledger tells it, and as the server saw it."""

    async def change(account: Account) -> None:
        found = [campaign async for campaign in account.list_campaigns(status="active")][:3]
        renamed = attrs.evolve(found[0], name="Boots")
        await account.update_campaigns([diff(found[0], renamed)])
        await account.update_campaigns([Update(c.campaign_id, {"status": "paused"}) for c in found[1:]])

    pulled(adnet)
    pulled(adnet, "--level", "ad", "--level", "campaign")
    used(change)
    ran = adnet("certify", "own", "--json")
    technical = {rule: verdict for rule, verdict in verdicts(ran).items() if rule.startswith("technical.")}
    assert set(technical.values()) == {"pass"}, ran.out
    seen = own.report
    assert (seen["grants"], seen["rate_limited"], seen["calls_after_zero"]) == (
        {"client_credentials": 1},
        0,
        0,
    )
    assert (seen["repeated_statistics"], seen["unchanged_fields"], seen["partial_updates"]) == (0, 0, 3)
    figures = {rule["rule"]: rule["figure"] for rule in ran.json["rules"]}
    assert figures["technical.tokens"] == "1 issued, 0 refreshed, at most 0 within 24 hours"
    assert figures["technical.statistics"].endswith(
        f" of {seen['long_statistics']} requests over more than a day"
    )
    assert figures["technical.changed_fields"] == "2 fields in 2 updates, at most 1 in one"


# ---------------------------------------------------------------------- what can be done with the native client


def test_statistics_that_are_asked_for_twice_fail(adnet, own):
    """Other objects beside them make no difference."""

    async def ask(account: Account) -> None:
        ids = [campaign.campaign_id async for campaign in account.list_campaigns()]
        for wanted, shift in ((ids[:8], 0), (ids[4:], 1)):
            since = LONG_AGO + timedelta(days=shift)
            await account.native.statistics.days(
                "campaigns", wanted, date_from=since, date_to=since + timedelta(days=9)
            )

    used(ask)
    ran = adnet("certify", "own", "--json")
    assert (ran.code, verdicts(ran)["technical.statistics"]) == (4, "fail")
    assert own.report["repeated_statistics"] == 1


def test_whole_objects_fail(adnet, own):
    """What was read is sent back, changed in one place."""

    async def change(account: Account) -> None:
        fields = ("id", "name", "status", "created")
        async for page in account.native.campaigns.list(fields=fields):
            row = {name: page[0][name] for name in ("name", "status", "created")}
            with pytest.raises(Exception, match="created"):
                await account.native.campaigns.update(str(page[0]["id"]), row)
            break

    used(change)
    ran = adnet("certify", "own", "--json")
    assert (ran.code, verdicts(ran)["technical.changed_fields"]) == (4, "fail")


def test_a_row_of_single_reads_fails(adnet, home):
    """The native client does what it is told."""
    with Market() as market:
        market.configure(market.account("own", "client_credentials"))

        async def read(account: Account) -> None:
            number = (await anext(account.list_campaigns())).campaign_id
            for _ in range(12):
                await account.native.campaigns.get(number)

        used(read)
        assert verdicts(adnet("certify", "own", "--json"))["technical.grouping"] == "fail"
        assert market.report["objects_per_request"]["campaigns.get"] == {"1": 12}


def test_a_429_fails(adnet, own):
    """Also one that was waited for and repeated."""

    async def meet(account: Account) -> None:
        await account.get_account()
        own.sandbox.faults.once("429")
        await account.native.user.get()

    used(meet)
    ran = adnet("certify", "own", "--json")
    assert (ran.code, verdicts(ran)["technical.limits"]) == (4, "fail")


def test_only_what_came_since_counts(adnet, own):
    """A day that is yet to come is refused."""
    used(lambda account: account.get_account())
    ran = adnet("certify", "own", "--since", TODAY + timedelta(days=3))
    assert (ran.code, "is yet to come" in ran.line) == (2, True)
    old = adnet("certify", "own", "--since", LONG_AGO, "--json")
    assert verdicts(old)["technical.limits"] == "pass"


# ---------------------------------------------------------------------- customers


def test_one_customer_is_too_few(adnet, own):
    """Of landed statistics over three months; what failed makes exit code 4."""
    pulled(adnet)
    ran = adnet("certify", "own", "--from", "duckdb:ads.duckdb", "--json")
    financial = [rule for rule in ran.json["rules"] if rule["rule"].startswith("financial.")]
    assert ran.code == 4
    assert {rule["rule"]: rule["verdict"] for rule in financial[1:]} == {
        "financial.customers": "fail",
        "financial.share": "fail",
        "financial.active_clients": "fail",
    }
    assert financial[2]["figure"] == "100.0% by own"
    assert "days landed" in financial[0]["evidence"]


def test_an_account_that_was_never_pulled_is_missed(adnet, market, home):
    """What it spent may be most of the turnover."""
    market.configure(
        market.account("own", "client_credentials"), market.account("other", "agency_client_credentials")
    )
    pulled(adnet)
    ran = adnet("certify", "own", "--from", "duckdb:ads.duckdb", "--json")
    share = next(rule for rule in ran.json["rules"] if rule["rule"] == "financial.share")
    assert (share["verdict"], "none of other" in share["evidence"]) == ("unknown", True)


def test_two_accounts_of_one_client_fail(adnet, own):
    """Equal credentials are known before anything is asked."""
    own.configure(own.account("own", "client_credentials"), own.account("again", "client_credentials"))
    ran = adnet("certify", "own", "--json")
    assert (ran.code, verdicts(ran)["functional.one_account"]) == (4, "fail")


# ---------------------------------------------------------------------- nonsense


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nobody",), "there is no account 'nobody'"),
        (("own", "--since", "yesterday"), "'yesterday' is no day"),
        (("own", "--since", "2026-02-30"), "'2026-02-30' is no day"),
        (("own", "--since", "0001-01-01"), "since 0001-01-01 is "),
        (("own", "--from", "redis:x"), "rows can be read from duckdb:PATH"),
        (("own", "--from", "duckdb:nowhere.duckdb"), "there is nothing at"),
    ],
)
def test_nonsense_is_refused(adnet, own, words, message):
    """In one line, with what would make sense."""
    ran = adnet("certify", *words)
    assert (ran.code, ran.out, message in ran.line) == (2, "", True)


def test_a_network_that_certifies_nothing_is_named(adnet, home):
    """And those that do."""
    configure(
        '[accounts.partner]\nnetwork = "targetcircle"\nbase_url = "http://127.0.0.1:9/v1"\ntoken = "t-123456"\n'
    )
    ran = adnet("certify", "partner")
    assert (ran.code, "mytarget and vkads do" in ran.line) == (2, True)
