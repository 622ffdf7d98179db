from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from adskeeper_caller import NOW, TODAY, Caller, calling

from adnet.sandbox.adskeeper import AdskeeperSandbox

K, T = 510_022, 9_000_094
"""A campaign with traffic, and its first teaser."""
OF_CAMPAIGN = f"/goodhits/campaigns/{K}"


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with calling() as caller:
        yield caller


async def test_levels_add_up_to_the_last_digit():
    """A campaign's day equals its teasers', its widgets', its sources' and its clicks' sums."""
    sandbox = AdskeeperSandbox(campaigns=60, now=lambda: NOW)
    week = date(2026, 9, 1), date(2026, 9, 8)

    def sums(rows, money="spent", clicks=lambda row: row["clicks"]):
        total = {}
        for row in rows:
            key = row["date"], row["campaignId"]
            spent, count = total.get(key, (Decimal(0), 0))
            total[key] = spent + Decimal(row[money]), count + clicks(row)
        return {key: value for key, value in total.items() if value[1]}

    widgets = sandbox.truth("widget_stats", *week)
    expected = sums(sandbox.truth("stats", *week))
    assert expected == sums(sandbox.truth("teaser_stats", *week))
    assert expected == sums(row for row in widgets if row["sourceId"] is None)
    assert expected == sums(row for row in widgets if row["sourceId"] is not None)
    assert expected == sums(sandbox.truth("clicks", *week), "price", lambda _: 1)


async def test_one_day_of_campaigns_stat_is_the_truth_of_that_day(caller):
    """Asked for one day, campaigns-stat gives that day's rows in the observed words."""
    since = date(2026, 9, 7)
    body = await caller.get(
        "/goodhits/clients/{C}/campaigns-stat",
        dateInterval="interval",
        startDate=str(since),
        endDate=str(since),
    )
    rows = body["campaigns-stat"]
    truth = caller.sandbox.truth("stats", since, since + timedelta(days=1))
    assert {str(row["campaignId"]): Decimal(row["spent"]) for row in truth} == {
        key: row["spent"] for key, row in rows.items()
    }
    assert sum(row["buy"] for row in truth) == sum(row.get("buying", 0) for row in rows.values())


async def test_the_other_dialect_of_campaigns_stat_is_bare():
    """By knob, campaigns-stat is a bare map in the document's words."""
    async with calling(stat_wrapped=False, stat_keys="buy") as caller:
        body = await caller.get("/goodhits/clients/{C}/campaigns-stat", dateInterval="lastSeven")
        assert body[str(K)]["campaign_id"] == K
        assert not any("buying" in row for row in body.values())


async def test_a_time_before_the_account_is_no_data(caller):
    """Before the first day there is nothing, which is told as an error; so is a bad interval."""
    before = str(caller.sandbox.first_day - timedelta(days=1))
    path = "/goodhits/clients/{C}/campaigns-stat"
    none = await caller.get(path, dateInterval="interval", startDate=before, endDate=before)
    bad = await caller.get(path, dateInterval="lastYear")
    assert none == {"errors": ["[THERE_NO_DATA_IN_CHOSEN_PERIOD]"]}
    assert bad == {"errors": ["[INVALID_VALUE_FOR_INTERVAL]"]}


async def test_teaser_days_keep_the_identities_of_the_document(caller):
    """A teaser's cpc is in cents, its ctr in percent, a conversion's cost in currency."""
    body = await caller.get(f"/goodhits/clients/{{C}}/teaser-stat/{T}", dateInterval="last30Days")
    assert (body["timezone"], body["currency"]) == ("America/Los_Angeles", "usd")
    rows = [row for row in body["teaser-stat"].values() if row["clicks"]]
    assert rows
    for row in rows:
        assert round(row["spent"] / row["clicks"] * 100, 5) == round(row["cpc"], 5)
        assert round(Decimal(row["clicks"] * 100) / row["shows"], 5) == round(row["ctr"], 5)


async def test_idle_teasers_differ_from_those_without_any_traffic(caller):
    """A teaser at rest has an empty map, one that never ran is refused for want of data."""
    idle = caller.teaser(lambda row: row.campaign not in caller.sandbox.account.book.profiles)
    path = "/goodhits/clients/{C}/teaser-stat/"
    period = {"dateInterval": "interval", "startDate": "2026-01-01", "endDate": "2026-01-02"}
    assert (await caller.get(f"{path}{T}", **period))["teaser-stat"] == []
    never = await caller.get(f"{path}{idle.id}")
    assert never == {"errors": ["[THERE_NO_DATA_IN_CHOSEN_PERIOD]"]}


async def test_a_widget_is_the_total_of_its_sources(caller):
    """A parent row sums its sources, own traffic being source 0; what did not happen is absent."""
    body = await caller.get(f"{OF_CAMPAIGN}/quality-analysis", dateInterval="all")
    ((period, widgets),) = body[str(K)].items()
    split = [row for row in widgets.values() if row["sources"]]
    assert f"{caller.sandbox.first_day}_{TODAY}" == period
    assert split
    for row in split:
        assert row["clicks"] == sum(part["clicks"] for part in row["sources"].values())
        assert row["spent"] == sum(part.get("spent", 0) for part in row["sources"].values())
    assert all("spent" in row or not row["clicks"] for row in widgets.values())


async def test_quality_analysis_can_be_filtered_and_refuses_nonsense(caller):
    """Filters split the clicks without loss; unknown values and widgets are refused."""
    path = f"{OF_CAMPAIGN}/quality-analysis"
    whole = await caller.get(path)
    countries = caller.sandbox.account.book.profiles[K].countries
    parts = [await caller.get(path, country=code.lower()) for code in countries]

    def clicks(body):
        ((_, widgets),) = body[str(K)].items()
        return sum(row["clicks"] for row in widgets.values())

    assert clicks(whole) == sum(clicks(part) for part in parts)
    devices = caller.sandbox.account.book.profiles[K].devices
    parts = [await caller.get(path, browser=browser, os=system) for browser, system in devices]
    assert clicks(whole) == sum(clicks(part) for part in parts)
    nothing = await caller.get(path, browser="topbuzzapp")
    assert list(nothing[str(K)].values()) == [[]]
    wrong = await caller.get(path, os="beos")
    unknown = await caller.get(f"{path}/77")
    assert wrong == {"errors": ["[ERROR_INVALID_OS_TARGETING]"]}
    assert unknown == {"id": K, "errors": "[WIDGETS_WITH_THESE_IDS_DO_NOT_EXIST]", "data": ["77"]}


async def test_shown_but_never_clicked_campaigns_have_rows_without_spend(caller):
    """A campaign that nobody clicks is in campaigns-stat; its widgets lack the key spent."""
    profiles = caller.sandbox.account.book.profiles.values()
    number = next(profile.campaign for profile in profiles if not profile.clicked)
    stat = await caller.get("/goodhits/clients/{C}/campaigns-stat")
    row = stat["campaigns-stat"][str(number)]
    assert (row["clicks"], row["spent"], row["imps"] > 0) == (0, 0, True)
    body = await caller.get(f"/goodhits/campaigns/{number}/quality-analysis")
    ((_, widgets),) = body[str(number)].items()
    assert not any("spent" in row for row in widgets.values())


async def test_conversions_are_the_same_on_all_levels(caller):
    """A campaign's conversions are its widgets' and its teasers'; without any the keys lack."""
    profiles = caller.sandbox.account.book.profiles
    number, profile = next((k, p) for k, p in profiles.items() if p.clicked and len(p.values) == 3)
    week = {"dateInterval": "lastSeven"}
    stat = await caller.get("/goodhits/clients/{C}/campaigns-stat", **week)
    row = stat["campaigns-stat"][str(number)]
    body = await caller.get(f"/goodhits/campaigns/{number}/quality-analysis", **week)
    ((_, widgets),) = body[str(number)].items()
    paths = [f"/goodhits/clients/{{C}}/teaser-stat/{teaser}" for teaser in profile.teasers]
    teasers = [(await caller.get(path, **week))["teaser-stat"] for path in paths]
    assert row["buying"] == sum(widget.get("buy", 0) for widget in widgets.values()) > 0
    assert row["buying"] == sum(day["buy"] for days in teasers for day in days.values())
    assert row["profit"] == row["revenue"] - row["spent"]
    assert "buying" not in stat["campaigns-stat"][str(K)]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("all", "2026-06-18", "2026-09-15"),
        ("thisWeek", "2026-09-14", "2026-09-15"),
        ("lastWeek", "2026-09-07", "2026-09-13"),
        ("thisMonth", "2026-09-01", "2026-09-15"),
        ("lastMonth", "2026-08-01", "2026-08-31"),
        ("lastSeven", "2026-09-09", "2026-09-15"),
        ("today", "2026-09-15", "2026-09-15"),
        ("yesterday", "2026-09-14", "2026-09-14"),
        ("last30Days", "2026-08-17", "2026-09-15"),
        ("", "2026-08-17", "2026-09-15"),
    ],
)
async def test_named_periods_follow_the_calendar(caller, name, first, last):
    """Weeks start on Monday; all means 90 days for a teaser, no name means 30."""
    body = await caller.get(f"/goodhits/clients/{{C}}/teaser-stat/{T}", dateInterval=name)
    assert body["dateInterval"] == f"{first} - {last}"
    assert all(first <= day <= last for day in body["teaser-stat"] or ())


@pytest.mark.parametrize(
    "period", [{}, {"startDate": "1.9.2026"}, {"startDate": "2026-09-02", "endDate": "2026-09-01"}]
)
async def test_an_interval_needs_two_days_in_order(caller, period):
    """Missing, misspelt or swapped ends of an interval are refused."""
    path = f"/goodhits/clients/{{C}}/teaser-stat/{T}"
    body = await caller.get(path, dateInterval="interval", **period)
    assert body == {"errors": ["[INVALID_VALUE_FOR_INTERVAL]"]}


async def test_a_teaser_can_be_asked_for_one_widget(caller):
    """The uid narrows a teaser's days; over all widgets the clicks are the same."""
    path = f"/goodhits/clients/{{C}}/teaser-stat/{T}"
    uids = {uid for uid, _ in caller.sandbox.account.book.profiles[K].places}
    bodies = [await caller.get(path, uid=uid) for uid in uids]
    parts = [day["clicks"] for body in bodies for day in dict(body["teaser-stat"]).values()]
    whole = (await caller.get(path))["teaser-stat"].values()
    assert sum(parts) == sum(day["clicks"] for day in whole) > 0


async def test_clicks_add_up_and_have_no_id(caller):
    """The prices of accepted clicks add up to the funds; two clicks may agree in every field."""
    path = f"{OF_CAMPAIGN}/statistics"
    bodies = [
        await caller.get(path, type="byClicksDetailed", date=f"2026-09-{day:02d}") for day in range(1, 12)
    ]
    for body in bodies:
        summary, clicks = body["statistics"]["summary"], body["statistics"]["acceptedClicks"]
        assert summary["fundsEarned"] == sum(Decimal(click["price"]) for click in clicks)
        assert summary["numberOfAcceptedClicks"] == len(clicks)
    rows = [tuple(c.items()) for body in bodies for c in body["statistics"]["acceptedClicks"]]
    assert len(set(rows)) < len(rows)
    for query, code in (("byHour", TODAY), "TYPE"), (("byClicksDetailed", "today"), "DATE"):
        bad = await caller.get(path, type=query[0], date=query[1])
        assert bad == {"errors": [f"[ERROR_NOT_VALID_{code}]"]}
    future = await caller.get(path, type="byClicksDetailed", date="2026-09-16")
    assert future["statistics"]["acceptedClicks"] == []


async def test_days_are_the_accounts_own():
    """At six in the evening UTC it is already tomorrow in Auckland."""
    async with calling(timezone="Pacific/Auckland", currency="NZD") as caller:
        body = await caller.get(f"/goodhits/clients/{{C}}/teaser-stat/{T}", dateInterval="yesterday")
        assert body["dateInterval"] == "2026-09-15 - 2026-09-15"
        assert (body["timezone"], body["currency"]) == ("Pacific/Auckland", "nzd")
