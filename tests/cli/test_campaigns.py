"""``adnet campaigns``, against an imitation network."""

import signal
import subprocess
import sys
from decimal import Decimal

import pytest

from adnet.sandbox.adskeeper import AdskeeperSandbox
from cli.changing_kit import FIRST, Shop


@pytest.fixture
def shop(tmp_path, capsys, monkeypatch):
    with Shop(tmp_path, capsys, monkeypatch) as shop:
        yield shop


def budget(shop, number, daily):
    """Give a campaign a daily budget."""
    campaign = shop.campaign(number)
    campaign.limits = type(campaign.limits)(type="budget_limits", daily=Decimal(daily))
    return campaign.id


def test_campaigns_are_listed(shop):
    """All of the account, those named, or those of a status."""
    one = shop.campaign(0, name="Größe =1+1 \x1b[31m")
    shop.campaign(1, blocked=True)
    assert len(shop("campaigns", "list", "shop", "--json").json["campaigns"]) == 30
    row = shop("campaigns", "list", "shop", one.id, "--json").json["campaigns"][0]
    assert (row["campaign_id"], row["name"], row["currency"]) == (str(one.id), one.name, "USD")
    paused = shop("campaigns", "list", "shop", one.id, FIRST + 7, "--status", "paused", "--json").json
    assert [row["campaign_id"] for row in paused["campaigns"]] == [str(FIRST + 7)]


def test_a_list_for_people_shows_no_orders_to_a_terminal(shop):
    """Names come from a network."""
    shop.campaign(0, name="a\x1b[31mb\nc")
    ran = shop("campaigns", "list", "shop", FIRST)
    assert "a [31mb c" in ran.out
    assert "\x1b" not in ran.out


def test_one_that_is_not_there_is_told_and_the_others_are_shown(shop):
    """Exit code 4: some, and 5: none."""
    ran = shop("campaigns", "list", "shop", FIRST, 7, "--json")
    assert (ran.code, len(ran.json["campaigns"])) == (4, 1)
    assert "there is no campaign 7" in ran.err
    assert shop("campaigns", "list", "shop", 7).code == 5


@pytest.mark.parametrize(
    "words", [["resume"], ["pause"], ["set", "status=active"], ["delete", "--yes"]], ids=str
)
def test_a_change_of_all_leaves_out_what_is_deleted(shop, words):
    """Only who names a deleted campaign, or asks for that status, means it: changing it may bring it back."""
    gone = str(shop.campaign(0, own_status=14).id)
    verb, *rest = words
    ran = shop("campaigns", verb, "shop", *rest, "--all", "--force", "--dry-run", "--json")
    assert gone not in [row["id"] for row in ran.json["outcomes"]]
    for chosen in ([gone], ["--status", "deleted"]):
        ran = shop("campaigns", verb, "shop", *rest, *chosen, "--force", "--dry-run", "--json")
        assert gone in [row["id"] for row in ran.json["outcomes"]]


def test_pausing_sends_one_field_to_what_runs(shop):
    """Outcomes stand in the order of the ids; what is paused already is left alone."""
    shop.campaign(0)
    shop.campaign(1, blocked=True)
    ran = shop("campaigns", "pause", "shop", FIRST + 7, 7, FIRST, "--json")
    assert [(row["id"], row["outcome"]) for row in ran.json["outcomes"]] == [
        (str(FIRST + 7), "unchanged"),
        ("7", "failed"),
        (str(FIRST), "done"),
    ]
    assert shop.writes == [f"PATCH {FIRST} whetherToBlockByClient=1"]
    assert (ran.code, shop.campaign(0, blocked=True).blocked) == (4, True)


def test_resuming_leaves_alone_what_runs_into_its_limit(shop):
    """It is not paused, so there is nothing to resume."""
    shop.campaign(0, own_status=2)
    shop.campaign(1, blocked=True)
    ran = shop("campaigns", "resume", "shop", FIRST, FIRST + 7, "--json")
    assert [row["outcome"] for row in ran.json["outcomes"]] == ["unchanged", "done"]
    assert shop.writes == [f"PATCH {FIRST + 7} whetherToBlockByClient=0"]


def test_setting_sends_what_differs_and_nothing_else(shop):
    """Twice the same is once."""
    one, two = budget(shop, 0, 50), budget(shop, 1, 60)
    words = ("campaigns", "set", "shop", one, two, "daily_budget=60")
    changes = [row["changes"] for row in shop(*words, "--json").json["outcomes"]]
    assert changes == [{"daily_budget": {"from": "50.00", "to": "60.00"}}, {}]
    assert len(shop.writes) == 1
    assert shop(*words).code == 0
    assert len(shop.writes) == 1


@pytest.mark.parametrize(
    "word", ['targeting.geo.countries=["PL"]', 'targeting={"geo": {"countries": ["PL"]}}']
)
def test_of_a_nested_setting_only_the_part_that_differs_is_changed(shop, word):
    """Named with points, or written as JSON."""
    shop.campaign(0, geo={"US": []}, geo_wanted={"US": []})
    words = ("campaigns", "set", "shop", FIRST, word)
    (row,) = shop(*words, "--json").json["outcomes"]
    assert row["changes"]["targeting"]["to"] == {"geo": {"countries": ["PL"]}}
    assert {write.split()[1] for write in shop.writes} == {"geo"}


def test_a_dry_run_prints_the_exact_requests_and_sends_none(shop):
    """What is sent afterwards is just that."""
    one = budget(shop, 0, 50)
    words = ("campaigns", "set", "shop", one, "daily_budget=60", "status=paused")
    ran = shop(*words, "--dry-run")
    assert (ran.code, shop.writes) == (0, [])
    assert f"PATCH {shop.sandbox.base_url}/goodhits/clients/" in ran.out
    planned = [request["body"] for request in shop(*words, "--dry-run", "--json").json["requests"]]
    assert shop(*words).code == 0
    assert [write.rpartition(" ")[2] for write in shop.writes] == planned
    assert not [secret for secret in shop.secrets if secret in ran.out + ran.err]


def test_a_plan_that_moves_too_much_has_to_be_forced(shop):
    """Nothing is sent before."""
    one = budget(shop, 0, 50)
    words = ("campaigns", "set", "shop", one, "daily_budget=500")
    ran = shop(*words)
    assert (ran.code, ran.out, shop.writes) == (2, "", [])
    assert "raises budgets by 900 % in total (allowed: 50 %)" in ran.err
    dry = shop(*words, "--dry-run", "--json")
    assert (dry.code, "900 %" in dry.json["needs_force"]) == (0, True)
    assert shop(*words, "--force").code == 0
    assert shop.campaign(0).limits.daily == 500


def test_a_price_on_a_source_has_to_be_forced(shop):
    """As it has by `adnet sources bid`."""
    words = ("campaigns", "set", "shop", str(shop.campaign(0).id), "extra.qualityFactor.5600001=9")
    ran = shop(*words)
    assert (ran.code, shop.writes) == (2, [])
    assert "pays 9 times the price on a source (allowed: 1.5)" in ran.err
    assert shop(*words, "--force").code == 0


def test_pausing_everything_has_to_be_said_and_forced(shop):
    """Of thirty campaigns more than twenty run."""
    for number in range(30):
        shop.campaign(number)
    assert "name the campaigns" in shop("campaigns", "pause", "shop").err
    assert "pauses 30 objects" in shop("campaigns", "pause", "shop", "--all").err
    assert shop("campaigns", "pause", "shop", "--all", "--force").code == 0
    assert len(shop.writes) == 30


def test_deleting_asks_first(shop):
    """Anything but yes, also silence, deletes nothing."""
    shop.campaign(0, blocked=True, name="Old", type="product")
    for answer in ("", "n\n", "maybe\n"):
        ran = shop("campaigns", "delete", "shop", FIRST, stdin=answer)
        assert (ran.code, shop.writes) == (2, [])
        assert "delete 1 campaign of shop (Old)? [y/N]" in ran.err
    assert shop("campaigns", "delete", "shop", FIRST, stdin="y\n").code == 0
    assert shop.writes == [f"DELETE {FIRST}"]


def test_what_is_to_be_deleted_is_named_whatever_is_not_there(shop):
    """Up to five of what would go; ids that nothing has take none of their places."""
    for number in range(6):
        shop.campaign(number, blocked=True, name=f"Old {number}", type="product")
    missing, there = range(1, 5), range(FIRST, FIRST + 6 * 7, 7)
    ran = shop("campaigns", "delete", "shop", *missing, *there[:2], stdin="n\n")
    assert "delete 2 campaigns of shop (Old 0, Old 1)? [y/N]" in ran.err
    ran = shop("campaigns", "delete", "shop", *missing, *there, stdin="n\n")
    assert "delete 6 campaigns of shop (Old 0, Old 1, Old 2, Old 3, Old 4 and 1 more)? [y/N]" in ran.err


def test_without_standard_input_nothing_is_deleted(shop):
    """Closed by whoever started it, it is as silence."""
    shop.campaign(0, blocked=True, name="Old", type="product")
    ran = shop("campaigns", "delete", "shop", FIRST, stdin=None)
    assert (ran.code, shop.writes) == (2, [])
    assert "say --yes to delete without being asked" in ran.err


def test_a_running_campaign_is_not_deleted(shop):
    """The reason is told, and the stopped one goes."""
    shop.campaign(0)
    shop.campaign(1, blocked=True, type="product")
    ran = shop("campaigns", "delete", "shop", FIRST, FIRST + 7, "--yes", "--json")
    assert [row["outcome"] for row in ran.json["outcomes"]] == ["failed", "done"]
    assert (ran.code, "pause it first" in ran.err) == (4, True)


def test_a_question_can_be_interrupted(shop):
    """At once, without an answer; nothing was sent before it."""
    words = ("--config", str(shop.config), "campaigns", "delete", "shop", str(shop.campaign(blocked=True).id))
    with subprocess.Popen(
        [sys.executable, "-m", "adnet", *words], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr.readline().endswith("? [y/N]\n")
        running.send_signal(signal.SIGINT)
        assert (running.wait(20), running.stderr.read()) == (130, "adnet: interrupted\n")
    assert shop.writes == []


def test_deleting_in_a_dry_run_asks_and_sends_nothing(shop):
    """The request is shown."""
    ran = shop("campaigns", "delete", "shop", FIRST, "--dry-run")
    assert (ran.code, shop.writes, "[y/N]" in ran.err) == (0, [], False)
    assert ran.out.startswith("DELETE ")


def test_a_reply_that_was_lost_is_told_or_looked_up(shop):
    """The write was done once and is not sent again blindly."""
    shop.campaign(0)
    shop.sandbox.faults.once("lost-reply")
    (row,) = shop("campaigns", "pause", "shop", FIRST, "--json").json["outcomes"]
    assert row["outcome"] in {"done", "unknown"}
    assert shop.campaign(0, blocked=True).blocked


def test_refused_credentials_exit_with_3(shop):
    """Nothing else is tried."""
    shop.configure(client_id=shop.sandbox.credentials["client_id"], token="0" * 32)
    assert shop("campaigns", "list", "shop").code == 3
    assert shop("campaigns", "pause", "shop", FIRST).code == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "shop", FIRST], "say what to set"),
        (["set", "shop", FIRST, "dailybudget=5"], "did you mean 'daily_budget'?"),
        (["set", "shop", FIRST, "colour=5"], "there is no field 'colour'; there are name, status"),
        (["set", "shop", FIRST, "daily_budget=much"], "daily_budget=much: write an amount"),
        (["set", "shop", FIRST, "daily_budget=-5"], "write an amount"),
        (["set", "shop", FIRST, "daily_clicks=1.5"], "write a whole number"),
        (["set", "shop", FIRST, "starts_on=tomorrow"], "write a day like 2026-01-31"),
        (["set", "shop", FIRST, "status=deleted"], "write active or paused"),
        (["set", "shop", FIRST, "daily_budget=5", "daily_budget=50"], "daily_budget is given more than once"),
        (["set", "shop", FIRST, "name.first=x"], "name has no parts"),
        (["set", "shop", FIRST, "targeting=5"], "name a part, targeting.KEY=VALUE"),
        (["set", "shop", FIRST, "targeting.ipsFilter.ips.x=5"], "x is part of something that has no parts"),
        (["set", "shop", "daily_budget=5"], "name the campaigns"),
        (["list", "nowhere"], "there is no account 'nowhere'"),
        (["list", "shop", "--status", "great"], "great"),
        (["remove", "shop"], "there is no command 'remove'"),
    ],
)
def test_a_mistake_is_told_in_one_line(shop, words, said):
    """Exit code 2, and nothing was sent."""
    ran = shop("campaigns", *words)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1
    assert not shop.writes


def test_what_the_api_cannot_set_is_a_mistake_too(shop):
    """Its campaigns cannot be renamed."""
    ran = shop("campaigns", "set", "shop", FIRST, "name=New")
    assert (ran.code, "cannot set name" in ran.err) == (2, True)


def test_a_network_without_campaigns_says_who_has_them(tmp_path, capsys, monkeypatch):
    """Before any request."""
    shop = Shop(tmp_path, capsys, monkeypatch)
    shop.config.write_text(
        '[state]\nurl = "sqlite:state.db"\n[accounts.tc]\nnetwork = "targetcircle"\n'
        'base_url = "http://127.0.0.1:9"\ntoken = "x"\n'
    )
    for verb in ("list", "pause", "delete"):
        ran = shop("campaigns", verb, "tc", "1", *(["--yes"] if verb == "delete" else []))
        assert (ran.code, "adskeeper" in ran.err) == (2, True)


def test_the_sandbox_has_what_these_tests_rely_on():
    """Its first campaigns, and statuses that are active."""
    assert FIRST in AdskeeperSandbox(campaigns=2, days=1).account.campaigns
