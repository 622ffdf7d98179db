"""Daily statistics: right to the last kopeck, closed days asked for once, and what else the statistics tell."""

import asyncio
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import attrs
import msgspec
import pytest

from adnet import CampaignDraft
from adnet.errors import InvalidRequestError, NotFoundError, SchemaError, ServerError
from adnet.state import State
from adnet.testing import answer

from .kit import START, bench, connector

TODAY = date(2026, 9, 15)
FIGURES = {"shows": 1, "clicks": 0, "spent": "0"}


def days_ago(number: int) -> date:
    return TODAY - timedelta(days=number)


async def stats(account, since: date, until: date = TODAY + timedelta(days=1), **options) -> list:
    return [row async for row in account.list_stats(since=since, until=until, **options)]


def figures(rows) -> list[tuple]:
    """Return rows as the sandbox's truth has them."""
    return sorted(
        (r.date.isoformat(), int(r.object_id), r.impressions, r.clicks, r.conversions, r.spend.amount)
        for r in rows
    )


def truth(test, level: str, since: date, until: date = TODAY + timedelta(days=1)) -> list[tuple]:
    name, number = {"campaign": ("stats", "campaign_id"), "ad": ("banner_stats", "banner_id")}[level]
    return sorted(
        (r["date"], r[number], r["shows"], r["clicks"], r["goals"], Decimal(r["spent"]))
        for r in test.sandbox.truth(name, since, until)
    )


def asked(test) -> list[tuple[int, int]]:
    """Return days and objects of every statistics request."""
    lines = test.state.ledger.entries()
    return [(line.period_days, line.objects) for line in lines if line.operation == "statistics.days"]


def objects_asked(test, before: int) -> set[str]:
    """Return the objects whose statistics were asked for behind the first *before* requests."""
    log = [request for request in test.sandbox.log[before:] if "/statistics/" in request.path]
    return {number for request in log for number in re.findall(r"\d+", str(request.query))}


@pytest.mark.parametrize("level", ["campaign", "ad"])
async def test_every_figure_is_the_networks(level):
    """Deleted objects and their spend, too; days on which nothing happened are no rows."""
    async with bench() as test:
        rows = await stats(test.account(), days_ago(30), level=level)
        assert figures(rows) == truth(test, level, days_ago(30))
        assert {row.currency for row in rows} == {"RUB"}


async def is_asked_for_once_made(test, later_s):
    """Read today's statistics, make a campaign, read them again later; return whether it is asked for then."""
    account = test.account()
    await stats(account, TODAY)
    package = test.sandbox.truth("campaigns")[0]["package_id"]
    (made,) = await account.create_campaigns(
        [CampaignDraft(name="Neu", status="active", extra={"package_id": package})]
    )
    test.clock.advance(later_s)
    before = len(test.sandbox.log)
    await stats(account, TODAY)
    return made.id in objects_asked(test, before)


async def test_what_was_just_made_has_statistics_at_once():
    """It may spend from its first minute; a list that was made before it does not name it."""
    async with bench() as test:
        assert await is_asked_for_once_made(test, 300)


async def test_a_field_is_asked_for_once():
    """What the network makes of one that is named twice is not documented."""
    async with bench() as test:
        await stats(test.account(), TODAY)
        (fields,) = {
            dict(request.query)["fields"]
            for request in test.sandbox.log
            if request.path.endswith("/campaigns.json")
        }
        assert fields == "id"


async def test_the_list_of_a_day_does_not_serve_for_that_day_once_it_is_over():
    """What was made between its list and midnight would have no row of the day that has closed, for good."""
    async with bench() as test:
        test.clock.advance((datetime(2026, 9, 15, 20, 55, tzinfo=UTC) - START).total_seconds())
        assert await is_asked_for_once_made(test, 480)


async def test_days_that_are_over_need_no_further_list():
    """What is made later did nothing on them."""
    async with bench() as test:
        account = test.account()
        for back in (3, 2):
            await stats(account, days_ago(back), days_ago(back - 1))
        lists = [line for line in test.state.ledger.entries() if line.operation == "campaigns.list"]
        assert len(lists) == 2  # its two pages, once


async def test_an_ads_row_knows_its_campaign():
    """A campaign's row is its own."""
    async with bench() as test:
        parents = {row["id"]: str(row["campaign_id"]) for row in test.sandbox.truth("banners")}
        rows = await stats(test.account(), days_ago(3), level="ad")
        assert all(row.campaign_id == parents[int(row.object_id)] for row in rows)
        campaigns = await stats(test.account(), days_ago(3))
        assert all(row.campaign_id == row.object_id for row in campaigns)


async def test_long_periods_are_split_and_objects_grouped():
    """92 days and 200 objects a request; nothing is asked for twice."""
    async with bench(campaigns=450, banners=450) as test:
        rows = await stats(test.account(), days_ago(119))
        assert figures(rows) == truth(test, "campaign", days_ago(119))
        assert sorted(asked(test)) == sorted([(92, 200), (92, 200), (92, 50), (28, 200), (28, 200), (28, 50)])
        assert test.report()["repeated_statistics"] == 0


async def test_only_the_open_day_is_asked_for_again():
    """Closed ones come from the state, for other processes, too."""
    async with bench(growing_today=True) as test:
        first = await stats(test.account(), days_ago(30))
        before = len(asked(test))
        test.clock.advance(3600)
        again = await stats(test.account(), days_ago(30))
        assert asked(test)[before:] == [(1, 60)]
        assert [row for row in again if row.date < TODAY] == [row for row in first if row.date < TODAY]
        assert figures(again) == truth(test, "campaign", days_ago(30))


async def test_a_period_that_overlaps_asks_for_what_is_missing():
    """At both ends, each in one request."""
    async with bench() as test:
        account = test.account()
        await stats(account, days_ago(20), days_ago(10))
        before = len(asked(test))
        rows = await stats(account, days_ago(25), days_ago(5))
        assert sorted(asked(test)[before:]) == [(5, 60), (5, 60)]
        assert figures(rows) == truth(test, "campaign", days_ago(25), days_ago(5))
        assert test.report()["repeated_statistics"] == 0


async def test_new_objects_ask_for_their_own_days_only():
    """What is known of the others is not asked for again."""
    async with bench() as test:
        account = test.account()
        some = [str(row["id"]) for row in test.sandbox.truth("campaigns")]
        await stats(account, days_ago(20), days_ago(10), ids=some[:50])
        before = len(asked(test))
        rows = await stats(account, days_ago(20), days_ago(10))
        assert asked(test)[before:] == [(10, 10)]
        assert figures(rows) == truth(test, "campaign", days_ago(20), days_ago(10))


async def test_two_who_ask_for_the_same_at_once_ask_once():
    """The second is served from what the first has brought."""
    async with bench() as test:
        account = test.account()
        found = await asyncio.gather(*(stats(account, days_ago(20), days_ago(10)) for _ in range(3)))
        assert found[0] == found[1] == found[2]
        assert asked(test) == [(10, 60)]


async def test_two_processes_that_ask_for_the_same_at_once_ask_once(tmp_path):
    """Likewise: one of them waits and finds it in the state."""
    async with bench(state=f"sqlite:{tmp_path / 's.db'}") as test:
        with State.open(f"sqlite:{tmp_path / 's.db'}", clock=test.clock) as elsewhere:
            accounts = (test.account(), test.account(state=elsewhere))
            for account in accounts:  # so that both know their objects, and meet at the statistics
                await stats(account, TODAY)
            found = await asyncio.gather(*(stats(a, days_ago(20), days_ago(10)) for a in accounts))
            assert found[0] == found[1]
            elsewhere.ledger.flush()
        assert sorted(asked(test)) == [(1, 60), (1, 60), (10, 60)]
        assert test.report()["repeated_statistics"] == 0


async def test_yesterday_is_asked_for_once_more_when_it_has_closed():
    """It was open when it was asked for last."""
    async with bench(growing_today=True) as test:
        account = test.account()
        await stats(account, days_ago(10))
        test.clock.advance(13 * 3600)
        rows = await stats(account, days_ago(10), TODAY + timedelta(days=2))
        assert asked(test)[1:] == [(2, 60)]
        assert figures(rows) == truth(test, "campaign", days_ago(10), TODAY + timedelta(days=2))
        assert test.report()["repeated_statistics"] == 0


async def test_the_last_days_are_asked_for_again_a_day_later():
    """Networks restate them; older ones stay as they are."""
    async with bench() as test:
        account = test.account()
        await stats(account, days_ago(30))
        test.clock.advance(25 * 3600)
        await stats(account, days_ago(30), TODAY + timedelta(days=2))
        assert asked(test)[1:] == [(8, 60)]
        assert test.report()["repeated_statistics"] == 0


async def test_a_day_is_not_final_before_its_restating_is_over():
    """What was kept of it while it was still restated is asked for once more, however much later; then never again."""
    async with bench() as test:
        account = test.account()
        await stats(account, days_ago(30))
        for _ in range(2):
            test.clock.advance(20 * 24 * 3600)
            await stats(account, days_ago(30), TODAY)
        assert asked(test)[1:] == [(6, 60)]
        assert test.report()["repeated_statistics"] == 0


async def test_a_day_that_is_taken_back_is_told_as_nothing():
    """What landed of it before would stay in every sum, if its row were left out as those of idle days are."""
    async with bench(campaigns=3, banners=3) as test:
        account = test.account()
        first = await stats(account, days_ago(3))
        (taken, *_) = (row for row in first if row.date == days_ago(2))
        inner = connector(account).session._transport._inner
        send = inner.send

        async def restated(request, *, timeout_s):
            reply = await send(request, timeout_s=timeout_s)
            if request.route.operation != "statistics.days":
                return reply
            body = msgspec.json.decode(reply.body)
            for item in body["items"]:
                for row in item["rows"]:
                    if (str(item["id"]), row["date"]) == (taken.object_id, str(taken.date)):
                        row["base"] = {**FIGURES, "shows": 0}
            return attrs.evolve(reply, body=msgspec.json.encode(body))

        inner.send = restated
        known = {(row.date, row.object_id) for row in first}
        for _ in range(3):  # what the state keeps of it says so, too, and is not forgotten by the next answer
            test.clock.advance(25 * 3600)
            again = {(row.date, row.object_id): row for row in await stats(account, days_ago(3), TODAY)}
            assert {key for key in known if key[0] < TODAY} == again.keys()
            now = again[taken.date, taken.object_id]
            assert (now.impressions, now.clicks, now.conversions, now.spend.amount) == (0, 0, 0, 0)


async def test_how_many_days_are_restated_can_be_set():
    """With none, a closed day is closed."""
    async with bench() as test:
        account = test.account(restated_days="0")
        await stats(account, days_ago(30))
        test.clock.advance(25 * 3600)
        await stats(account, days_ago(30), TODAY + timedelta(days=2))
        assert asked(test)[1:] == [(2, 60)]


async def test_a_secret_that_is_repeated_is_kept_nowhere(tmp_path):
    """Neither in ``raw`` nor in the state, from which closed days are read for ever."""
    async with bench(state=f"sqlite:{tmp_path / 's.db'}") as test:
        account, told = test.account(), []
        inner = connector(account).session._transport._inner
        send = inner.send

        async def telling(request, *, timeout_s):
            given = await send(request, timeout_s=timeout_s)
            if request.route.operation != "statistics.days":
                return given
            told.extend(
                [request.headers["Authorization"].split()[-1], test.sandbox.credentials["client_secret"]]
            )
            body = given.body.replace(b'"date"', f'"for": "{told[0]}", "by": "{told[1]}", "date"'.encode())
            return attrs.evolve(given, body=body)

        inner.send = telling
        rows = await stats(account, days_ago(3))
        assert figures(rows) == truth(test, "campaign", days_ago(3))
        assert {(row.raw["for"], row.raw["by"]) for row in rows} == {("***", "***")}
        stored = [bytes(row[0]) for row in test.state.database.rows("SELECT body FROM stats_answers")]
        assert stored
        assert [body for body in stored if any(secret.encode() in body for secret in told)] == []


async def test_what_came_before_a_failure_is_kept():
    """It counts as asked for, and is not asked for again."""
    async with bench(campaigns=450, banners=450) as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send, answers = inner.send, []

        async def failing(request, *, timeout_s):
            if request.route.operation == "statistics.days":
                answers.append(request)
                if len(answers) == 3:
                    return answer(400, {"error": {"code": "ERR_WRONG_PARAMETER", "message": "m"}})
            return await send(request, timeout_s=timeout_s)

        inner.send = failing
        with pytest.raises(InvalidRequestError):
            await stats(account, days_ago(10), days_ago(5))
        await stats(account, days_ago(10), days_ago(5))
        assert len(answers) == 4
        assert test.report()["repeated_statistics"] == 0


async def test_days_to_come_are_not_asked_for():
    """Nothing can have happened on them."""
    async with bench() as test:
        account = test.account()
        assert await stats(account, TODAY + timedelta(days=1), TODAY + timedelta(days=9)) == []
        assert asked(test) == []


async def test_days_are_moscows():
    """At 22:30 in UTC the next day has begun there."""
    async with bench() as test:
        test.clock.advance(13 * 3600)
        rows = await stats(test.account(), TODAY + timedelta(days=1), TODAY + timedelta(days=2))
        assert {row.date for row in rows} == {TODAY + timedelta(days=1)}


async def test_foreign_objects_are_told():
    """One of them would fail the whole request."""
    async with bench() as test:
        with pytest.raises(NotFoundError, match="no ad 999"):
            await stats(test.account(), days_ago(3), level="ad", ids=["9900001", "999"])
        with pytest.raises(InvalidRequestError) as caught:
            await stats(test.account(), days_ago(3), ids=["999"])
        assert caught.value.code == "ERR_WRONG_CAMPAIGNS"


async def test_statistics_that_are_down_for_a_moment_are_tried_again():
    """They only read."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        test.sandbox.faults.once("503")
        assert figures(await stats(account, days_ago(3))) == truth(test, "campaign", days_ago(3))


# ---------------------------------------------------------------------- the network's own


async def test_fast_figures_are_of_the_last_hour():
    """Shows and clicks by minute, no money."""
    async with bench() as test:
        native = test.account().native
        ids = [str(row["id"]) for row in test.sandbox.truth("campaigns")][:20]
        found = await native.statistics.fast("campaigns", ids)
        assert found.keys() <= set(ids)
        assert {len(row["minutely"]["shows"]) for row in found.values()} == {60}
        everybody = await native.statistics.fast("users", ["70001"])  # told as "advertisers"
        assert everybody.keys() == {"70001"}


async def test_totals_of_a_period_come_page_by_page():
    """Version 3; they are the sums of the days."""
    async with bench(campaigns=300, banners=300) as test:
        native = test.account().native
        pages = [p async for p in native.statistics.totals("campaigns", date_from=days_ago(9), date_to=TODAY)]
        assert [len(page) for page in pages] == [250, 50]
        shows = sum(row["total"]["base"]["shows"] for page in pages for row in page)
        assert shows == sum(row[2] for row in truth(test, "campaign", days_ago(9)))


async def test_totals_on_smaller_pages_than_asked_for_are_whole():
    """The network may clamp, and tells how many there are."""
    async with bench() as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def clamped(request, *, timeout_s):
            url = request.url.replace("limit=250", "limit=50")
            return await send(attrs.evolve(request, url=url), timeout_s=timeout_s)

        inner.send = clamped
        pages = account.native.statistics.totals("campaigns", date_from=days_ago(3), date_to=TODAY)
        assert len({row["id"] async for page in pages for row in page}) == 60


async def test_totals_whose_count_is_that_of_the_page_are_whole():
    """The documents call it the number returned, clients take it for the number in all."""
    async with bench(campaigns=300, banners=300) as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def counted(request, *, timeout_s):
            reply = await send(request, timeout_s=timeout_s)
            if request.route.operation != "statistics.totals":
                return reply
            body = msgspec.json.decode(reply.body)
            return attrs.evolve(reply, body=msgspec.json.encode(body | {"count": len(body["items"])}))

        inner.send = counted
        pages = account.native.statistics.totals("campaigns", date_from=days_ago(3), date_to=TODAY)
        assert len({row["id"] async for page in pages for row in page}) == 300


@pytest.mark.parametrize("name", ["summary", "goals", "fast"])
async def test_statistics_without_their_list_are_told(name):
    """An answer of another shape is not one without rows."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        statistics = account.native.statistics
        call = {
            "summary": lambda: statistics.summary("campaigns", ["1"]),
            "goals": lambda: statistics.goals("campaigns", ["1"], date_from=TODAY, date_to=TODAY),
            "fast": lambda: statistics.fast("campaigns", ["1"]),
        }[name]

        async def strange(request, *, timeout_s):
            return answer(200, {"data": []})

        connector(account).session._transport._inner.send = strange
        with pytest.raises(SchemaError):
            await call()


async def test_summaries_goals_and_inapp_events():
    """Each in its own words."""
    async with bench() as test:
        statistics = test.account().native.statistics
        ids = [str(row["id"]) for row in test.sandbox.truth("campaigns")]
        span = {"date_from": days_ago(5), "date_to": TODAY}
        assert len(await statistics.summary("campaigns", ids)) == 60
        assert all(
            "rows" in item for item in await statistics.days("campaigns", ids, **span, metrics=["all"])
        )
        goals = await statistics.goals("campaigns", ids, **span, conversion_type=["postclick", "postview"])
        kinds = {g["conversion_type"] for item in goals for row in item["rows"] for g in row["goals"]}
        assert kinds == {"postclick", "postview"}
        inapp = await statistics.inapp("campaigns", ids, **span)
        assert any(row["inapps"] for item in inapp for row in item["rows"])


@pytest.mark.parametrize(
    ("kind", "number", "days"),
    [("campaigns", 201, 1), ("campaigns", 0, 1), ("campaigns", 1, 93), ("widgets", 1, 1)],
)
async def test_what_no_request_takes_is_refused_before(kind, number, days):
    """Too many objects, too many days, no such kind."""
    async with bench() as test:
        statistics = test.account().native.statistics
        ids = [str(n) for n in range(number)]
        with pytest.raises(InvalidRequestError):
            await statistics.days(kind, ids, date_from=days_ago(days - 1), date_to=TODAY)
        assert test.report()["requests"] == 0


async def test_an_answer_of_another_shape_is_told():
    """Never a crash."""
    async with bench() as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def strange(request, *, timeout_s):
            if request.route.operation == "statistics.days":
                return answer(200, {"items": [{"id": 8800001, "rows": [{"date": "soon", "base": FIGURES}]}]})
            return await send(request, timeout_s=timeout_s)

        inner.send = strange
        with pytest.raises(SchemaError, match="no row of 2026-09-14"):
            await stats(account, days_ago(1), ids=["8800001"])


@pytest.mark.parametrize("gone", ["an object", "a day", "the rows", "the figures", "what was spent"])
async def test_an_answer_that_is_not_whole_is_told_and_not_kept(gone):
    """The network has a row for every object and day, empty ones too; what is missing is no day without figures."""
    async with bench(campaigns=3, banners=3) as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def cut(request, *, timeout_s):
            reply = await send(request, timeout_s=timeout_s)
            if request.route.operation != "statistics.days":
                return reply
            body = msgspec.json.decode(reply.body)
            last = body["items"][-1]
            if gone == "an object":
                body["items"].pop()
            elif gone == "a day":
                del last["rows"][0]  # the open one may be missing
            elif gone == "the rows":
                del last["rows"]
            elif gone == "what was spent":
                next(r for r in last["rows"] if r["base"]["shows"])["base"]["spent"] = None
            else:
                del last["rows"][-1]["base"]
            return attrs.evolve(reply, body=msgspec.json.encode(body))

        inner.send = cut
        with pytest.raises(SchemaError):
            await stats(account, days_ago(5))
        inner.send = send
        assert figures(await stats(account, days_ago(5))) == truth(test, "campaign", days_ago(5))


@pytest.mark.parametrize("twice", ["an object", "a day"])
async def test_an_answer_that_tells_something_twice_is_not_believed(twice):
    """Which of the two is true, or whether both are to be added, nobody knows."""
    async with bench(campaigns=3, banners=3) as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def doubled(request, *, timeout_s):
            reply = await send(request, timeout_s=timeout_s)
            if request.route.operation != "statistics.days":
                return reply
            body = msgspec.json.decode(reply.body)
            told = body["items"] if twice == "an object" else body["items"][-1]["rows"]
            told.append(told[0])
            return attrs.evolve(reply, body=msgspec.json.encode(body))

        inner.send = doubled
        with pytest.raises(SchemaError, match="twice"):
            await stats(account, days_ago(5))


async def test_nulls_are_a_day_on_which_nothing_happened():
    """Of an object that was not there yet, perhaps."""
    async with bench() as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send
        base = dict.fromkeys(("shows", "clicks", "spent", "goals"))

        async def empty(request, *, timeout_s):
            if request.route.operation != "statistics.days":
                return await send(request, timeout_s=timeout_s)
            rows = [{"date": str(days_ago(number)), "base": base} for number in (1, 0)]
            return answer(200, {"items": [{"id": 8800001, "rows": rows}]})

        inner.send = empty
        assert await stats(account, days_ago(1), ids=["8800001"]) == []


async def test_what_was_spent_is_not_told_without_a_currency():
    """Rows without what they cost would make every sum too small."""
    async with bench(campaigns=3, banners=3) as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def bare(request, *, timeout_s):
            reply = await send(request, timeout_s=timeout_s)
            return attrs.evolve(reply, body=reply.body.replace(b'"currency":"RUB"', b'"currency":null'))

        inner.send = bare
        with pytest.raises(SchemaError, match="names no currency"):
            await stats(account, days_ago(5))


async def test_a_server_that_stays_down_is_told():
    """After the attempts that are allowed."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        test.sandbox.faults.once("503", 9)
        with pytest.raises(ServerError):
            await stats(account, days_ago(1), ids=["8800001"])
