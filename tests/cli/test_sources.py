"""``adnet sources``: where a campaign is shown, and at what share of its price."""

from decimal import Decimal

import pytest

from cli.changing_kit import FIRST, Shop


@pytest.fixture
def shop(tmp_path, capsys, monkeypatch):
    with Shop(tmp_path, capsys, monkeypatch) as shop:
        shop.campaign(0, widgets={}, widgets_type="off", quality={})
        yield shop


def outcomes(ran):
    return [(row["id"], row["outcome"]) for row in ran.json["outcomes"]]


def widgets(shop):
    return sorted(shop.sandbox.account.widgets)


def test_sources_are_blocked_and_allowed_again(shop):
    """Blocking twice is blocking once."""
    uid = widgets(shop)[0]
    words = ("shop", FIRST, uid, "--json")
    assert outcomes(shop("sources", "block", *words)) == [(uid, "done")]
    assert shop.sandbox.account.campaigns[FIRST].widgets == {uid: []}
    assert outcomes(shop("sources", "block", *words)) == [(uid, "unchanged")]
    assert outcomes(shop("sources", "allow", *words)) == [(uid, "done")]
    assert shop.sandbox.account.campaigns[FIRST].widgets == {}


def test_outcomes_are_told_for_each_source(shop):
    """Also where some are refused."""
    uid = widgets(shop)[0]
    ran = shop("sources", "block", "shop", FIRST, "nonsense", uid, "--json")
    assert (ran.code, outcomes(ran)) == (4, [("nonsense", "failed"), (uid, "done")])


def test_a_bid_multiplies_the_price_on_a_source(shop):
    """By an exact factor."""
    uid = widgets(shop)[0]
    assert shop("sources", "bid", "shop", FIRST, f"{uid}=0.8").code == 0
    assert shop.sandbox.account.campaigns[FIRST].quality == {uid: Decimal("0.8")}


@pytest.mark.parametrize("verb", ["block", "bid"])
def test_a_dry_run_shows_the_requests(shop, verb):
    """Those that would be sent, without the sources that would be refused; none is sent."""
    one, two = widgets(shop)[:2]
    words = [one, "nonsense", two] if verb == "block" else [f"{one}=2", "nonsense=2", f"{two}=2"]
    ran = shop("sources", verb, "shop", FIRST, *words, "--dry-run", "--json")
    assert outcomes(ran) == [(one, "planned"), ("nonsense", "failed"), (two, "planned")]
    (request,) = ran.json["requests"]
    assert one in request["body"]
    assert two in request["body"]
    assert (ran.code, shop.writes) == (4, [])


def test_a_dry_run_tells_what_is_so_already(shop):
    """Nothing would be sent for it, and nothing is said to be planned."""
    one, two = widgets(shop)[:2]
    shop.campaign(0, widgets={one: []}, widgets_type="except")
    ran = shop("sources", "block", "shop", FIRST, one, two, "--dry-run", "--json")
    assert outcomes(ran) == [(one, "unchanged"), (two, "planned")]
    ran = shop("sources", "block", "shop", FIRST, one, "--dry-run", "--json")
    assert (outcomes(ran), ran.json["requests"], ran.code) == ([(one, "unchanged")], [], 0)


def test_a_price_many_times_as_high_has_to_be_forced(shop):
    """A point that was forgotten pays eighty times the price."""
    one, two = widgets(shop)[:2]
    words = ("shop", FIRST, f"{one}=1.5", f"{two}=80")
    ran = shop("sources", "bid", *words)
    assert (ran.code, shop.writes) == (2, [])
    assert f"80 times the price of the campaign on {two}" in ran.err
    assert "--force" in ran.err
    ran = shop("sources", "bid", *words, "--dry-run", "--json")
    assert (ran.code, shop.writes, "80 times" in ran.json["needs_force"]) == (0, [], True)
    assert shop("sources", "bid", *words, "--force").code == 0
    assert shop.sandbox.account.campaigns[FIRST].quality == {one: Decimal("1.5"), two: Decimal(80)}


def test_a_source_has_one_factor(shop):
    """Two are a mistake, and which of them was meant is not guessed."""
    uid = widgets(shop)[0]
    ran = shop("sources", "bid", "shop", FIRST, f"{uid}=0.8", f"{uid}=1.2")
    assert (ran.code, "two factors, 0.8 and 1.2" in ran.err, shop.writes) == (2, True, [])
    assert shop("sources", "bid", "shop", FIRST, f"{uid}=0.8", f"{uid}=0.80").code == 0


@pytest.mark.parametrize("word", ["5600001", "=2", "5600001=", "5600001=x", "5600001=0", "5600001=-1"])
def test_a_bid_needs_a_factor(shop, word):
    """Above zero."""
    ran = shop("sources", "bid", "shop", FIRST, word)
    assert (ran.code, "is no SOURCE=FACTOR" in ran.err) == (2, True)


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_network_that_manages_no_sources_says_who_does(shop, more):
    """Before any request."""
    shop.config.write_text(
        '[state]\nurl = "sqlite:state.db"\n[accounts.tc]\nnetwork = "targetcircle"\n'
        'base_url = "http://127.0.0.1:9"\ntoken = "x"\n'
    )
    ran = shop("sources", "block", "tc", "1", "2", *more)
    assert (ran.code, "adskeeper, mgid can" in ran.err) == (2, True)


def test_an_unknown_campaign_fails_every_source(shop):
    """Exit code 5: nothing was done."""
    ran = shop("sources", "block", "shop", 7, "5600001", "--json")
    assert (ran.code, outcomes(ran)) == (5, [("5600001", "failed")])
