"""The compliance ledger: a line for every request, with what the certification's rules look at."""

import asyncio
from datetime import timedelta

import pytest

from adnet import Update
from adnet.errors import AuthenticationError, QuotaExhaustedError
from adnet.testing import answer

from .kit import START, bench, connector


def lines(test, operation=None) -> list:
    found = test.state.ledger.entries("shop")
    return [line for line in found if operation in {None, line.operation}]


async def test_every_request_leaves_a_line():
    """As many as the server has counted, refused ones included."""
    async with bench() as test:
        account = test.account()
        _ = [row async for row in account.list_campaigns()]
        await account.update_campaigns([Update("8800001", {"name": "N"})])
        assert len(lines(test)) == len(test.sandbox.log)
        assert {line.network for line in lines(test)} == {"mytarget"}
        assert [line.status for line in lines(test, "campaigns.update")] == [405, 204]


async def test_a_token_that_was_refused_is_not_one_that_was_issued():
    """Who counts tokens would count it."""
    async with bench() as test:
        with pytest.raises(AuthenticationError):
            await test.account(client_secret="wrong-0123456789").get_account()
        assert [line.event for line in lines(test)] == ["token.issue refused"]
        await test.account("other").get_account()
        assert [line.event for line in test.state.ledger.entries("other") if line.event] == ["token.issue"]


async def test_a_request_that_was_cancelled_has_its_line():
    """It has left; a token whose answer nobody waited for is not one that was issued."""
    async with bench() as test:
        account, left = test.account(), asyncio.Event()
        inner = connector(account).session._transport._inner

        async def never(_request, *, timeout_s):
            left.set()
            await asyncio.Event().wait()

        inner.send = never
        call = asyncio.create_task(account.get_account())
        await left.wait()
        ended = asyncio.all_tasks() - {asyncio.current_task()}
        for task in ended:  # as at a loop's end
            task.cancel()
        await asyncio.gather(call, *ended, return_exceptions=True)
        found = [(line.operation, line.status, line.event) for line in lines(test)]
        assert found[-1] == ("token.issue", None, "token.issue refused")


async def test_a_method_that_is_closed_is_told_from_a_burst():
    """Both are answered 429; nobody was too fast here."""
    async with bench() as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def closed(request, *, timeout_s):
            if request.route.operation == "campaigns.list":
                return answer(429, {"remaining": {"1": 0}, "limits": {"1": 0}})
            return await send(request, timeout_s=timeout_s)

        inner.send = closed
        with pytest.raises(QuotaExhaustedError):
            _ = [row async for row in account.list_campaigns()]
        assert [(line.status, line.event) for line in lines(test, "campaigns.list")] == [(429, "no access")]


async def test_a_line_names_the_fields_of_an_update_and_no_value():
    """Nested ones by path."""
    async with bench() as test:
        change = {"name": "geheim", "targeting": {"sex": ["male"]}, "extra": {"mixing": "fastest"}}
        await test.account().update_campaigns([Update("8800001", change)])
        line = lines(test, "campaigns.update")[-1]
        assert set(line.fields) == {"name", "targetings.sex", "mixing"}
        assert "geheim" not in repr(lines(test))


async def test_a_line_counts_objects():
    """Of a page, of a mass action, of a statistics request."""
    async with bench() as test:
        account = test.account()
        some = [row.campaign_id async for row in account.list_campaigns(status=["active"])][:7]
        await account.update_campaigns([Update(i, {"daily_budget": 900}) for i in some])
        (line,) = lines(test, "campaigns.mass_action")
        assert (line.objects, line.fields) == (7, ("budget_limit_day",))


async def test_a_line_tells_the_period_of_statistics():
    """And what they were about: the objects, and a key that is equal for equal metrics."""
    async with bench() as test:
        account = test.account()
        today = START.date()
        for since, until in ((5, 0), (9, 5)):
            period = {"since": today - timedelta(since), "until": today - timedelta(until)}
            _ = [row async for row in account.list_stats(**period)]
        found = lines(test, "statistics.days")
        assert [line.period_days for line in found] == [5, 4]
        assert [line.first_day for line in found] == [today - timedelta(5), today - timedelta(9)]
        assert (len({line.request_key for line in found}), {len(line.ids) for line in found}) == (1, {60})


async def test_a_line_tells_what_the_tightest_window_had_left():
    """As the answer's headers say."""
    async with bench(limits={"USER": {"v2": {"READ": {60: 9, 3600: 90}}}}) as test:
        await test.account().get_account()
        (line,) = lines(test, "user.get")
        assert line.headroom == "8 of 9 in 60 s"


async def test_a_line_tells_which_fields_an_update_sent_unchanged():
    """As the server saw it, where the object was read before: amounts in another form, and targetings one by one."""
    async with bench() as test:
        account, row = test.account(update_verb="post"), test.first("campaigns", status="active")
        number = str(row["id"])
        await account.get_campaign(number)
        changes = {
            "name": "Other",
            "status": row["status"],
            "budget_limit_day": f"{float(row['budget_limit_day'] or 0):.4f}",
            "targetings": {**row["targetings"], "sex": ["female"]},
        }
        await account.native.campaigns.update(number, changes)
        (line,) = lines(test, "campaigns.update")
        assert line.compared == 3 + len(changes["targetings"])
        assert set(line.unchanged) >= {"status", "targetings.geo"}
        assert not {"name", "targetings.sex"} & set(line.unchanged)
        assert test.report()["unchanged_fields"] == len(line.unchanged)


async def test_what_was_written_is_known_too():
    """The same again is no change; back again is one."""
    async with bench() as test:
        account, number = (
            test.account(update_verb="post"),
            str(test.first("campaigns", status="active")["id"]),
        )
        await account.get_campaign(number)
        for status in ("paused", "paused", "active"):
            await account.update_campaigns([Update(number, {"status": status})])
        found = lines(test, "campaigns.update")
        assert [line.unchanged for line in found] == [(), ("status",), ()]
        assert test.report()["unchanged_fields"] == 1


async def test_each_object_of_a_mass_action_is_compared():
    """One that is so already names the field."""
    async with bench() as test:
        account = test.account()
        rows = [row async for row in account.list_campaigns()]
        found = [row for status in ("active", "paused") for row in rows if row.status == status][-9:]
        await account.update_campaigns([Update(row.campaign_id, {"status": "paused"}) for row in found])
        (line,) = lines(test, "campaigns.mass_action")
        assert (line.compared, line.unchanged) == (9, ("status",))
        assert test.report()["unchanged_fields"] == sum(row.status == "paused" for row in found) > 0


async def test_what_was_not_read_lately_is_not_compared():
    """Others change objects, too."""
    async with bench() as test:
        account, number = (
            test.account(update_verb="post"),
            str(test.first("campaigns", status="active")["id"]),
        )
        await account.get_campaign(number)
        test.clock.advance(61)
        await account.update_campaigns([Update(number, {"status": "active"})])
        (line,) = lines(test, "campaigns.update")
        assert (line.compared, line.unchanged) == (0, ())
