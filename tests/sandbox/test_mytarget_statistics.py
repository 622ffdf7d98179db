"""Statistics of the myTarget imitation: days, totals, pages, conversions, fast figures."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from mytarget_caller import NOW, TODAY, Caller, calling

from adnet.sandbox import _mytarget_world

WEEK = {"date_from": "2026-09-09", "date_to": TODAY}


async def stats(call: Caller, kind: str = "campaigns", **query):
    return (await call.get(f"statistics/{kind}/day.json", **{**WEEK, **query})).json


def summed(rows) -> tuple[int, int, int, Decimal]:
    bases = [row["base"] for row in rows]
    counts = [sum(base[k] for base in bases) for k in ("shows", "clicks", "goals")]
    return (*counts, sum((Decimal(base["spent"]) for base in bases), Decimal(0)))


async def test_every_day_of_the_period_has_a_row():
    """Days without delivery are rows of zeros; the last day is included."""
    async with calling() as call:
        item = (await stats(call))["items"][0]
        days = [(date(2026, 9, 9) + timedelta(n)).isoformat() for n in range(7)]
        assert days == [row["date"] for row in item["rows"]]
        empty = await stats(call, date_from="2030-01-01", date_to="2030-01-01")
        zero = {"shows": 0, "clicks": 0, "goals": 0, "spent": "0", "cpm": "0", "cpc": "0"}
        assert {**zero, "cpa": "0", "ctr": 0, "cr": 0} == empty["total"]["base"]
        last = (await stats(call, date_from="9999-12-31", date_to="9999-12-31"))["items"][0]["rows"]
        assert [row["date"] for row in last] == ["9999-12-31"]


async def test_totals_add_up():
    """Days make an object's total, objects make the whole."""
    async with calling() as call:
        answer = await stats(call)
        totals = [item["total"] for item in answer["items"]]
        for item in answer["items"]:
            assert summed(item["rows"]) == summed([item["total"]])
        assert summed(totals) == summed([answer["total"]])
        assert summed(totals)[3] > 0


async def test_campaigns_are_sums_of_banners_and_users_of_campaigns():
    """The three levels agree to the kopeck, in every additive set."""
    async with calling() as call:
        of = {kind: await stats(call, kind, metrics="all") for kind in ("campaigns", "banners")}
        user = await stats(call, "users", id="70001", metrics="all")
        assert summed([of["campaigns"]["total"]]) == summed([of["banners"]["total"]])
        assert summed([user["total"]]) == summed([of["banners"]["total"]])
        names = ("started", "viewed_100_percent", "first_second")
        for name in names:
            parts = sum(item["total"]["video"][name] for item in of["banners"]["items"])
            assert parts == user["total"]["video"][name]


async def test_the_answer_agrees_with_the_truth():
    """The side door tells the same figures, empty days left out."""
    async with calling() as call:
        told = {
            (item["id"], row["date"]): row["base"]
            for item in (await stats(call))["items"]
            for row in item["rows"]
            if row["base"]["shows"]
        }
        truth = call.sandbox.truth("stats", date(2026, 9, 9), date(2026, 9, 16))
        assert told.keys() == {(row["campaign_id"], row["date"]) for row in truth}
        for row in truth:
            base = told[row["campaign_id"], row["date"]]
            assert all(base[k] == row[k] for k in ("shows", "clicks", "goals", "spent"))


async def test_prices_and_ratios_follow_from_the_figures():
    """cpm, cpc and cpa are money text; ctr and cr are percentages."""
    async with calling() as call:
        base = (await stats(call))["total"]["base"]
        spent = Decimal(base["spent"])
        assert abs(spent / base["shows"] * 1000 - Decimal(base["cpm"])) <= Decimal("0.005")
        assert abs(spent / base["clicks"] - Decimal(base["cpc"])) <= Decimal("0.005")
        assert base["clicks"] / base["shows"] * 100 == pytest.approx(base["ctr"])


async def test_figures_do_not_depend_on_the_day_they_are_asked_for():
    """A day's figures are the same a month later."""
    async with calling(token_lifetime_s=10**7) as call:
        before = await stats(call, date_to="2026-09-14")
        call.hands.move(30 * 86400 - 3600)
        assert before == await stats(call, date_to="2026-09-14")


async def test_todays_figures_can_grow_with_the_clock():
    """By a switch, the open day is cut to what has passed of it."""
    async with calling(growing_today=True) as call:
        today = {"date_from": TODAY, "metrics": "base"}
        first = summed([(await stats(call, **today))["total"]])
        call.hands.move(3600)
        assert first[0] < summed([(await stats(call, **today))["total"]])[0]


async def test_days_to_come_are_empty():
    """Nothing is known of tomorrow."""
    async with calling() as call:
        rows = call.sandbox.truth("stats", NOW.date() + timedelta(1), NOW.date() + timedelta(9))
        assert rows == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"date_from": "2026-06-15", "date_to": TODAY}, "ERR_LIMIT_EXCEEDED"),
        ({"date_from": "2026-09-20", "date_to": TODAY}, "ERR_WRONG_DATE"),
        ({"date_from": "15.09.2026"}, "ERR_WRONG_DATE"),
        ({"date_from": ""}, "ERR_WRONG_PARAMETER"),
        ({"metrics": "base,nonsense"}, "ERR_WRONG_PARAMETER"),
        ({"id": "a"}, "ERR_WRONG_PARAMETER"),
        ({"id": "1,2"}, "ERR_WRONG_CAMPAIGNS"),
        ({"id": ",".join(map(str, range(201)))}, "ERR_LIMIT_EXCEEDED"),
    ],
)
async def test_refusals_use_the_statistics_own_codes(query, code):
    """Upper-case codes; a foreign id fails the whole request."""
    async with calling() as call:
        reply = await call.get("statistics/campaigns/day.json", **{**WEEK, **query})
        assert (400, code) == (reply.status, reply.code)


async def test_the_longest_period_is_the_brands():
    """92 days at myTarget, 366 at VK Ads."""
    for vk, since in ((False, "2026-06-16"), (True, "2025-09-15")):
        async with calling(vk=vk, campaigns=3, banners=5) as call:
            assert "items" in await stats(call, date_from=since)
            earlier = (date.fromisoformat(since) - timedelta(1)).isoformat()
            assert "error" in await stats(call, date_from=earlier)


async def test_ids_come_as_a_list_or_repeated():
    """Both spellings choose the same objects, in the order asked."""
    async with calling() as call:
        wanted = [row["id"] for row in call.sandbox.truth("banners")][4:1:-1]
        path = "statistics/banners/day.json"
        one = await call.get(path, id=",".join(map(str, wanted)), **WEEK)
        pairs = [("id", str(n)) for n in wanted] + list(WEEK.items())
        two = await call.send("GET", path, params=pairs)
        assert wanted == [item["id"] for item in one.json["items"]]
        assert one.json == two.json


async def test_a_summary_ignores_dates():
    """Items have a total and no rows, whatever period is named."""
    async with calling(campaigns=3, banners=6) as call:
        plain = (await call.get("statistics/campaigns/summary.json")).json
        dated = (await call.get("statistics/campaigns/summary.json", date_from="x")).json
        assert plain == dated
        assert {"id", "total"} == set(plain["items"][0])
        week = summed([(await stats(call))["total"]])
        assert week[0] < plain["total"]["base"]["shows"]


async def test_an_agency_sees_its_clients_totals():
    """`users` takes the ids of clients; a stranger's id fails."""
    async with calling() as call:
        own = await stats(call.as_user(80001), "users", id="80001")
        seen = await stats(call, "users", id="80001")
        assert own["items"] == seen["items"]
        assert (await stats(call, "users", id="80101"))["error"]["code"] == "ERR_WRONG_USERS"


async def test_version_three_gives_pages_of_totals():
    """No daily rows; sorted and filtered by the server."""
    async with calling() as call:
        query = {**WEEK, "sort_by": "base.shows", "d": "desc", "limit": 5, "offset": 1}
        page = (await call.get("/api/v3/statistics/campaigns/day.json", **query)).json
        day = await stats(call)
        shows = sorted((i["total"]["base"]["shows"] for i in day["items"]), reverse=True)
        assert shows[1:6] == [item["total"]["base"]["shows"] for item in page["items"]]
        assert (60, day["total"]) == (page["count"], page["total"])
        query = {**WEEK, "campaign_status": "deleted", "limit": 250}
        page = (await call.get("/api/v3/statistics/campaigns/day.json", **query)).json
        deleted = {r["id"] for r in call.sandbox.truth("campaigns") if r["status"] == "deleted"}
        assert deleted == {item["id"] for item in page["items"]}


async def test_conversions_are_the_goals_of_the_days():
    """Counters saw what is not an app's; both kinds together are all goals."""
    async with calling() as call:
        counts: dict[str, int] = defaultdict(int)
        for family, word in (("goals", "goals"), ("inapp", "inapps")):
            path = f"statistics/{family}/campaigns/day.json"
            answer = (await call.get(path, **WEEK)).json
            for item in answer["items"]:
                for row in item["rows"]:
                    counts[family] += sum(line["count"] for line in row[word])
            assert counts[family] == sum(line["count"] for line in answer["total"][word])
        assert (await stats(call))["total"]["base"]["goals"] == sum(counts.values())
        assert min(counts.values()) > 0


async def test_conversions_of_several_types_can_be_asked_for():
    """`conversion_type` is a comma mix; an unknown one is refused."""
    async with calling() as call:
        path = "statistics/goals/users/day.json"
        answer = (await call.get(path, **WEEK, conversion_type="postclick,postview")).json
        types = [line["conversion_type"] for line in answer["total"]["goals"]]
        assert types == ["postclick", "postview"]
        assert (await call.get(path, **WEEK, conversion_type="x")).status == 400


async def test_faststat_has_sixty_minutes_of_what_runs():
    """Only delivering objects appear; the last number belongs to the timestamp."""
    async with calling() as call:
        answer = (await call.get("statistics/faststat/banners.json")).json
        truth = call.sandbox.truth("banners")
        running = {str(row["id"]) for row in truth if row["delivery"] == "delivering"}
        assert running == set(answer["banners"])
        one = next(iter(answer["banners"].values()))
        assert tuple(len(one["minutely"][k]) for k in ("shows", "clicks")) == (60, 60)
        assert {} == answer["campaigns"] == answer["advertisers"]
        seen = answer["last_seen_msg_time"]
        assert (41, one["timestamp"]) == (seen["ago"], seen["timestamp"])


async def test_vk_counts_goals_in_a_place_of_their_own():
    """`base.vk.goals` counts, the top-level goals are zero."""
    async with calling(vk=True) as call:
        base = (await stats(call, "ad_groups"))["total"]["base"]
        truth = call.sandbox.truth("stats", date(2026, 9, 9), date(2026, 9, 16))
        assert (0, sum(row["goals"] for row in truth)) == (base["goals"], base["vk"]["goals"])
        plans = await stats(call, "ad_plans")
        assert plans["total"] == (await stats(call, "ad_groups"))["total"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": 251}, "ERR_LIMIT_EXCEEDED"),
        ({"limit": "x"}, "ERR_WRONG_PARAMETER"),
        ({"sort_by": "base.beauty"}, "ERR_WRONG_PARAMETER"),
        ({"fields": "beauty"}, "ERR_WRONG_PARAMETER"),
    ],
)
async def test_pages_refuse_what_they_do_not_know(query, code):
    """Limits to 250, known fields to sort by."""
    async with calling() as call:
        reply = await call.get("/api/v3/statistics/banners/day.json", **{**WEEK, **query})
        assert (reply.status, reply.code) == (400, code)


async def test_pages_leave_out_what_is_excluded():
    """`_ne` filters by campaign; objects without banners go by their own values."""
    async with calling(campaigns=4, banners=2) as call:
        path = "/api/v3/statistics/campaigns/day.json"
        ids = [row["id"] for row in call.sandbox.truth("campaigns")]
        page = (await call.get(path, **WEEK)).json
        assert [item["id"] for item in page["items"]] == ids
        page = (await call.get(path, **WEEK, campaign_id_ne=f"{ids[0]},{ids[3]}")).json
        assert [item["id"] for item in page["items"]] == ids[1:3]
        users = (await call.get(path.replace("campaigns", "users"), id="70001", **WEEK)).json
        assert users["items"][0]["user_id"] == 70001


async def test_an_empty_period_has_no_truth():
    """Until is exclusive."""
    async with calling() as call:
        assert call.sandbox.truth("stats", date(2026, 9, 1), date(2026, 9, 1)) == []


async def test_a_small_memory_does_not_change_figures(monkeypatch):
    """What is forgotten is worked out again."""
    async with calling() as call, calling() as small:
        before = call.sandbox.truth("banner_stats")
        monkeypatch.setattr(_mytarget_world, "MOST_CACHED", 100)
        assert small.sandbox.truth("banner_stats") == before


async def test_users_without_banners_have_zeros():
    """A new account has rows like any other, all empty, and objects of zero banners a total."""
    async with calling(campaigns=1, banners=0) as call:
        answer = await stats(call)
        assert [row["base"]["shows"] for row in answer["items"][0]["rows"]] == [0] * 7
        users = (await call.get("/api/v3/statistics/users/day.json", id="70001", **WEEK)).json
        assert users["items"][0]["total"]["base"]["shows"] == 0


async def test_a_campaign_spends_within_its_dates():
    """Nothing after its end, until it has another one; what was spent stays spent."""
    async with calling(token_lifetime_s=10**7) as call:
        number = call.first("campaigns", delivery="delivering")["id"]
        path, query = f"campaigns/{number}.json", {"id": number, "metrics": "base"}

        async def shows(since: str, until: str) -> int:
            days = {"date_from": since, "date_to": until}
            page = (await call.get("statistics/campaigns/day.json", **query, **days)).json
            return page["total"]["base"]["shows"]

        async def fast() -> list[str]:
            return list((await call.get("statistics/faststat/campaigns.json", id=number)).json["campaigns"])

        before = await shows("2026-08-20", "2026-09-15")
        assert await fast() == [str(number)]
        assert (await call.post(path, {"date_end": "2026-09-10"})).status == 204
        assert await shows("2026-08-20", "2026-09-15") == before > 0
        assert await fast() == []
        call.hands.move(20 * 86400)
        assert await shows("2026-09-16", "2026-10-05") == 0
        assert (await call.post(path, {"date_end": "2026-10-20"})).status == 204
        call.hands.move(20 * 86400)
        assert await shows("2026-09-16", "2026-10-04") == 0
        assert await shows("2026-10-05", "2026-10-20") > 0
        assert await shows("2026-10-21", "2026-10-25") == 0
