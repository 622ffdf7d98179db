"""``adnet bids``: what would move is shown with its reason, and moved only when told so."""

from datetime import timedelta
from decimal import Decimal

import pytest

from cli.kit import landed
from cli.market_kit import Market

AIM = ("--target", "100", "--lowest", "1", "--highest", "900", "--least-clicks", "1")


@pytest.fixture
def bids(adnet, market):
    """Return what manages the bids of ``own``."""
    return lambda *words: adnet("bids", "own", *AIM, *words)


def prices(market) -> dict[str, Decimal]:
    """Return the bids as the network has them."""
    return {
        str(row["id"]): Decimal(row["price"]) for row in market.sandbox.truth("campaigns") if row["price"]
    }


def planned(ran) -> dict[str, Decimal]:
    """Return the bids that a call moves, or would move."""
    rows = [row for row in ran.json["outcomes"] if row["changes"]]
    return {row["id"]: Decimal(row["changes"]["bid"]["to"]) for row in rows}


def test_bids_are_shown_and_not_moved(bids, market):
    """Each with what the strategy saw, and the exact requests; the figures are those of settled days."""
    before = prices(market)
    shown, ran = bids(), bids("--json")
    assert (shown.code, "nothing was sent" in shown.err, prices(market)) == (0, True, before)
    assert (ran.json["dry_run"], len(ran.json["requests"])) == (True, len(planned(ran)))
    notes = {
        row["notes"][0].partition(" (")[0] for row in ran.json["outcomes"] if row["outcome"] == "planned"
    }
    assert notes <= {"cheaper than the target", "dearer than the target"}
    assert "clicks, " in shown.out


def test_what_a_conversion_cost_is_told_beside_what_it_is_judged_by(bids, adnet, market):
    """The CPA is what a report on the same days tells, in its currency; the judged one leans towards that of all."""
    until = market.sandbox.now().date()
    days = ("--since", (until - timedelta(days=5)).isoformat(), "--until", until.isoformat())
    rows = bids(*days, "--json").json["outcomes"]
    told = {row["id"]: row["notes"][0] for row in rows if "judged" in row["notes"][0]}
    assert adnet("pull", "own", *days, "--table", "stats", "--to", "duckdb:ads.duckdb").code == 0
    sums = landed(
        "SELECT object_id, sum(clicks), sum(conversions), round(sum(spend) / nullif(sum(conversions), 0), 2) FROM stats"
        " GROUP BY object_id"
    )
    expected = {
        number: f"({clicks} clicks, {conversions} conversions, "
        + ("" if cpa is None else f"CPA {cpa:.2f} RUB, ")
        for number, clicks, conversions, cpa in sums
    }
    assert told
    assert all(f"{expected[number]}judged as " in note for number, note in told.items()), (told, expected)
    assert all(note.endswith(" RUB)") for note in told.values())


def test_bids_are_moved_when_told_so(bids, market):
    """As shown; another look at the same figures goes on from there."""
    wanted = planned(bids("--json"))
    ran = bids("--apply", "--json")
    assert (ran.code, planned(ran), bool(wanted)) == (0, wanted, True)
    now = prices(market)
    assert {number: now[number] for number in wanted} == wanted
    assert planned(bids("--json")) != wanted


def test_a_plan_that_moves_too_much_is_refused_unless_forced(bids, market):
    """Exit code 2, and nothing is sent; shown, it says that it would have to be forced."""
    before = prices(market)
    shown = bids("--share", "0.01", "--json")
    assert (shown.code, "in total (allowed: 1 %)" in shown.json["needs_force"]) == (0, True)
    ran = bids("--share", "0.01", "--apply")
    assert (ran.code, "in total (allowed: 1 %)" in ran.line, prices(market)) == (2, True, before)
    assert bids("--share", "0.01", "--apply", "--force").code == 0
    assert prices(market) != before


def test_some_campaigns_over_some_days(bids, market):
    """Those named, whatever their status."""
    one, two = sorted(prices(market))[:2]
    days = ("--since", market.sandbox.now().date().isoformat(), "--until", "2099-01-01")
    ran = bids(one, two, *days, "--json")
    assert [row["id"] for row in ran.json["outcomes"]] == [one, two]


def test_a_budget_holds_raises_back(bids):
    """The strategy's own reasons are told."""
    ran = bids("--daily-budget", "1", "--json")
    told = {row["notes"][0].partition(" (")[0] for row in ran.json["outcomes"] if row["notes"]}
    assert told & {"lowered to fit the budget", "a raise would not fit the budget"}


def test_banners_have_no_bid_here(bids):
    """They are looked at, and left alone."""
    ran = bids("--level", "ad", "--json")
    assert {row["notes"][0].partition(" (")[0] for row in ran.json["outcomes"]} == {"has no bid"}
    assert ran.json["requests"] == []


def test_an_account_without_campaigns_has_nothing_to_move(adnet, home):
    """Which is no error."""
    with Market(campaigns=0, banners=0) as market:
        market.configure(market.account("own", "client_credentials"))
        ran = adnet("bids", "own", *AIM, "--json")
    assert (ran.code, ran.json["outcomes"]) == (0, [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--target", "much"), "'much': write an amount like 50 or 12.50"),
        (("--target", "5 EUR"), "of one currency"),
        (("--lowest", "1000"), "lowest not above highest"),
        (("--step", "x"), "'x' is no number; write 0.2"),
        (("--step", "2"), "are shares"),
        (("--share", "-1"), "bid_share is -1"),
        (("--since", "soon"), "'soon' is no day"),
        (("--target", "none"), "target is an amount"),
        (("--since", "2026-01-02", "--until", "2026-01-02"), "before"),
        (("--until", "0001-01-05"), "until 0001-01-05 leaves no 14 days before it; name --since"),
    ],
)
def test_nonsense_is_refused(bids, words, message):
    """In one line, before anything moves."""
    ran = bids(*words)
    assert (ran.code, ran.out, message in ran.line) == (2, "", True)
