"""``adnet ads``: what differs from campaigns."""

import pytest

from cli.changing_kit import FIRST, Shop


@pytest.fixture
def shop(tmp_path, capsys, monkeypatch):
    with Shop(tmp_path, capsys, monkeypatch) as shop:
        yield shop


def ads(shop, number=0):
    """Return the ids of a campaign's ads."""
    campaign = str(FIRST + 7 * number)
    rows = shop("ads", "list", "shop", "--campaign", campaign, "--json").json["ads"]
    assert {row["campaign_id"] for row in rows} == {campaign}
    return [row["ad_id"] for row in rows]


def test_ads_are_listed_by_campaign_or_by_id(shop):
    """With bid and currency."""
    first, *_ = ads(shop)
    (row,) = shop("ads", "list", "shop", first, "--json").json["ads"]
    assert (row["ad_id"], row["currency"]) == (first, "USD")
    assert first in shop("ads", "list", "shop", first).out


def test_a_bid_is_money_of_the_account(shop):
    """Sent in the network's unit, cents."""
    first, *_ = ads(shop)
    ran = shop("ads", "set", "shop", first, "bid=0.12", "--force", "--json")
    assert [row["changes"]["bid"]["to"] for row in ran.json["outcomes"]] == ["0.12"]
    assert shop.writes == [f"PATCH {first} priceOfClick=12"]


def test_bids_that_move_a_lot_have_to_be_forced(shop):
    """As budgets do."""
    ran = shop("ads", "set", "shop", *ads(shop), "bid=9")
    assert (ran.code, "raises bids by" in ran.err, shop.writes) == (2, True, [])


def test_a_currency_that_is_not_the_accounts_is_no_measure(shop):
    """It is refused before anything is sent."""
    ran = shop("ads", "set", "shop", *ads(shop), "bid=0.12 EUR")
    assert (ran.code, shop.writes) == (2, [])


def test_ads_of_a_campaign_are_paused_together(shop):
    """Each with its own outcome."""
    ids = ads(shop)
    shop("ads", "resume", "shop", *ids)
    ran = shop("ads", "pause", "shop", "--campaign", FIRST, "--json")
    assert [row["id"] for row in ran.json["outcomes"]] == ids
    assert {row["outcome"] for row in ran.json["outcomes"]} <= {"done", "unchanged"}
    assert ran.code == 0


@pytest.mark.parametrize("verb", ["pause", "list"])
def test_a_campaign_that_is_not_there_has_no_ads_to_pause(shop, verb):
    """Else a slip in its id reads as if all of it stood still; a campaign without ads of a status is no slip."""
    ran = shop("ads", verb, "shop", "--campaign", FIRST, "--campaign", "99", "--campaign", "99")
    assert (ran.code, ran.err.count("there is no campaign 99")) == (4, 1)
    assert shop("ads", verb, "shop", "--campaign", FIRST, "--status", "rejected").code == 0


def test_an_ad_of_a_paused_campaign_is_paused_itself(shop):
    """It only stands still with its campaign, and would run again with it; once paused it is left alone."""
    first, *_ = ads(shop)
    teaser = shop.sandbox.account.teasers[int(first)]
    teaser.own_status, teaser.blocked = "active", False
    shop.sandbox.account.campaigns[teaser.campaign].blocked = True
    for outcome in ("done", "unchanged"):
        ran = shop("ads", "pause", "shop", first, "--json")
        assert [row["outcome"] for row in ran.json["outcomes"]] == [outcome]
    assert shop.writes == [f"PATCH {first} whetherToBlockByClient=1"]
    assert teaser.blocked


def test_an_ad_named_with_a_nought_before_it_is_told_as_changed(shop):
    """The network takes it for the number; what was done is not told as nothing."""
    first, *_ = ads(shop)
    shop("ads", "resume", "shop", first)
    ran = shop("ads", "pause", "shop", f"0{first}", "--json")
    assert [(row["id"], row["outcome"]) for row in ran.json["outcomes"]] == [(first, "done")]


def test_an_ad_that_is_not_there_is_one_outcome(shop):
    """The others are changed."""
    first, *_ = ads(shop)
    ran = shop("ads", "set", "shop", 7, first, "title=Bonjour", "--json")
    assert [row["outcome"] for row in ran.json["outcomes"]] == ["failed", "done"]
    assert ran.code == 4


def test_an_ad_is_deleted_when_the_answer_is_yes(shop):
    """And is gone."""
    first, *_ = ads(shop)
    assert shop("ads", "delete", "shop", first, stdin="yes\n").code == 0
    assert shop.writes == [f"DELETE {first}"]


def test_ads_have_no_budget(shop):
    """Fields are those of ads."""
    ran = shop("ads", "set", "shop", "1", "daily_budget=5")
    assert (ran.code, "there are title, text, status, bid" in ran.err) == (2, True)


def test_refused_credentials_exit_with_3(shop):
    """Though ads are read one by one."""
    first, *_ = ads(shop)
    shop.configure(client_id=shop.sandbox.credentials["client_id"], token="0" * 32)
    assert shop("ads", "pause", "shop", first).code == 3
