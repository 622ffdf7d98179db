"""The myTarget imitation as a whole: limits, clock, verbs, faults, report."""

import asyncio
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from mytarget_caller import NOW, calling

from adnet.sandbox import _mytarget_server, load
from adnet.sandbox.mytarget import MytargetSandbox, VkadsSandbox

TWO = {"CAMPAIGN": {"v2": {"READ": {1: 2, 60: 3, 3600: 100}}}}


def test_the_sandboxes_are_found_by_their_networks():
    """Both brands load by name, and agree with the table."""
    assert load("mytarget") is MytargetSandbox
    assert load("vkads") is VkadsSandbox


def test_equal_seeds_make_equal_worlds():
    """Two sandboxes of one seed agree on every campaign, figure and secret."""
    one, two = (MytargetSandbox(campaigns=9, banners=20, now=lambda: NOW) for _ in "ab")
    assert one.credentials == two.credentials
    assert one.truth("campaigns") == two.truth("campaigns")
    assert one.truth("banner_stats") == two.truth("banner_stats")


def test_an_unknown_knob_is_refused():
    """A misspelt switch does not pass in silence."""
    with pytest.raises(TypeError, match="moderation_seconds"):
        MytargetSandbox(moderation_seconds=1)


def test_the_default_account_is_as_large_as_promised():
    """500 campaigns and 1,500 banners, of every status, deliver on some days only."""
    sandbox = MytargetSandbox(now=lambda: NOW)
    campaigns, banners = sandbox.truth("campaigns"), sandbox.truth("banners")
    assert (len(campaigns), len(banners)) == (500, 1500)
    assert {"active", "blocked", "deleted"} == {row["status"] for row in campaigns}
    assert {"allowed", "banned", "pending"} == {row["moderation_status"] for row in banners}
    days = {row["date"] for row in sandbox.truth("banner_stats")}
    assert len(days) == 120
    assert len(sandbox.truth("banner_stats")) < 1500 * 120 / 2


async def test_a_number_longer_than_any_is_not_found():
    """Alone and in a list; no number makes the server fall over."""
    async with calling() as call:
        long = "9" * 4500
        for path in (f"campaigns/{long}.json", f"urls/1,{long}.json"):
            assert ((r := await call.get(path)).status, r.code) == (404, "not_found")


async def test_unknown_paths_and_methods_answer_in_json():
    """404 and 405 carry the nested envelope."""
    async with calling() as call:
        assert ((r := await call.get("nothing.json")).status, r.code) == (404, "not_found")
        assert (await call.post("banners.json", {})).code == "method_not_allowed"


@pytest.mark.parametrize(
    ("verb", "post", "patch"), [("post", 204, 405), ("patch", 405, 204), ("both", 204, 204)]
)
async def test_the_partial_update_takes_the_verb_of_the_switch(verb, post, patch):
    """POST by default, PATCH by choice; the other one is not allowed."""
    async with calling(update_verb=verb) as call:
        path = f"campaigns/{call.first('campaigns', status='active')['id']}.json"
        assert post == (await call.send("POST", path, json={"name": "a"})).status
        assert patch == (await call.send("PATCH", path, json={"name": "b"})).status


async def test_the_date_header_follows_the_servers_clock():
    """A skewed server says so in its Date header."""
    async with calling(clock_skew_s=90) as call:
        reply = await call.get("user.json")
        assert (parsedate_to_datetime(reply.headers["Date"]) - NOW).total_seconds() == 90


# Limits.


async def test_headers_tell_the_windows_that_are_configured():
    """Limit and remaining calls of every configured window, and of no other."""
    async with calling(limits=TWO) as call:
        headers = (await call.get("campaigns.json")).headers
        assert tuple(headers[f"X-RateLimit-RPS-{w}"] for w in ("Limit", "Remaining")) == ("2", "1")
        assert headers["X-RateLimit-Minutely-Remaining"] == "2"
        assert headers["X-RateLimit-Hourly-Remaining"] == "99"
        assert "X-RateLimit-Daily-Limit" not in headers


async def test_a_call_above_the_limit_answers_the_window_map():
    """429 has no `error` key, only what remains of the bucket that fired."""
    async with calling(limits=TWO) as call:
        replies = [await call.get("campaigns.json") for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 429]
        assert (replies[-1].json) == {
            "remaining": {"1": 0, "60": 1, "3600": 98},
            "limits": {"1": 2, "60": 3, "3600": 100},
        }


async def test_windows_end_with_the_calendar():
    """The next second opens again, until the minute is used up, until the next minute."""
    async with calling(limits=TWO) as call:
        statuses = []
        for seconds in (0.5, 0.4, 0.2, 30, 28):
            statuses.append((await call.get("campaigns.json")).status)
            call.hands.move(seconds)
        assert statuses == [200, 200, 429, 200, 429]
        call.hands.move(1)
        assert (await call.get("campaigns.json")).status == 200


async def test_refused_calls_use_up_nothing():
    """A 429 does not count in any window."""
    async with calling(limits={"CAMPAIGN": {"v2": {"READ": {1: 1, 3600: 2}}}}) as call:
        assert [(await call.get("campaigns.json")).status for _ in range(3)] == [200, 429, 429]
        call.hands.move(1)
        assert (await call.get("campaigns.json")).headers["X-RateLimit-Hourly-Remaining"] == "0"


async def test_all_versions_share_the_bucket_called_all():
    """A call must fit its version's bucket and that of all versions."""
    statistics = {"v2": {"READ": {60: 5}}, "v3": {"": {60: 5}}, "all": {"READ": {60: 1}}}
    async with calling(limits={"statapid_generic": statistics}) as call:
        day = {"date_from": "2026-09-01"}
        assert (await call.get("statistics/users/day.json", **day)).status == 200
        assert (await call.get("/api/v3/statistics/users/day.json", **day)).status == 429


async def test_an_all_zero_bucket_is_no_access():
    """Limits of zero refuse for ever, and are told apart in the report."""
    async with calling(limits={"CAMPAIGN": {"v2": {"READ": {1: 0, 3600: 0}}}}) as call:
        reply = await call.get("campaigns.json")
        assert reply.json == {"remaining": {"1": 0, "3600": 0}, "limits": {"1": 0, "3600": 0}}
        assert call.sandbox.report()["no_access"] == 1


async def test_users_have_windows_of_their_own():
    """What one account uses leaves another's windows untouched."""
    async with calling(limits=TWO) as call:
        other = call.as_user(80001)
        for _ in range(2):
            await call.get("campaigns.json")
        assert [(await c.get("campaigns.json")).status for c in (call, other)] == [429, 200]


async def test_throttling_tells_limits_and_what_remains():
    """`throttling.json` has resource, version, operation, then windows in seconds."""
    async with calling(limits=TWO) as call:
        await call.get("campaigns.json")
        shown = (await call.get("throttling.json")).json
        assert shown["CAMPAIGN"]["v2"]["READ"]["remaining"] == {"1": 1, "60": 2, "3600": 99}
        assert shown["statapid_generic"]["v3"][""]["limits"] == {"1": 3, "3600": 2000, "86400": 48000}


async def test_limits_can_be_changed_while_running():
    """A lowered limit holds at once; what was used stays used."""
    async with calling(limits=TWO) as call:
        await call.get("campaigns.json")
        call.sandbox.set_limits({"CAMPAIGN": {"v2": {"READ": {1: 1}}}})
        assert (await call.get("campaigns.json")).status == 429
        call.sandbox.set_limits("none")
        assert (await call.get("campaigns.json")).status == 200


async def test_calls_after_an_answer_said_zero_are_counted():
    """Calls that were on their way already are 429 but no breach of the headers."""
    async with calling(limits={"CAMPAIGN": {"v2": {"READ": {60: 1}}}}) as call:
        await call.get("campaigns.json")
        await call.get("campaigns.json")
        report = call.sandbox.report()
        assert (report["rate_limited"], report["calls_after_zero"]) == (1, 1)


async def test_the_report_compares_use_with_what_was_allowed():
    """Per window: how many calls, how many would have been allowed in that span."""
    async with calling(limits={"CAMPAIGN": {"v2": {"READ": {1: 4}}}}) as call:
        for _ in range(4):
            await asyncio.gather(*(call.get("campaigns.json") for _ in range(3)))
            call.hands.move(1)
        (row,) = call.sandbox.report()["windows"]
        assert tuple(row[k] for k in ("used", "allowed", "share", "peak")) == (12, 16, 0.75, 3)


# Faults.


async def test_html502_does_nothing_and_answers_html():
    """A gateway's page, before anything is executed."""
    async with calling() as call:
        call.sandbox.faults.once("html502")
        reply = await call.post("campaigns.json", {"name": "a", "package_id": 811})
        assert (reply.status, reply.text.startswith("<html>")) == (502, True)
        assert len(call.sandbox.truth("campaigns")) == 60


async def test_a_lost_reply_leaves_the_write_done():
    """The object exists, but its creator never hears of it; reads are spared."""
    async with calling(faults={"lost-reply": 1.0}) as call:
        with pytest.raises(aiohttp.ClientConnectionError):
            await call.post("campaigns.json", {"name": "ghost", "package_id": 811})
        assert call.first("campaigns", name="ghost")["name"] == "ghost"
        assert (await call.get("campaigns.json")).status == 200


def test_a_connection_that_is_gone_cannot_be_dropped():
    """The client may hang up first."""
    request = make_mocked_request("POST", "/")
    request._protocol = None
    assert not _mytarget_server._drop(request).prepared


async def test_a_lost_token_was_issued():
    """The slot is taken though the answer never came."""
    async with calling() as call:
        call.sandbox.faults.once("lost-token")
        with pytest.raises(aiohttp.ClientConnectionError):
            await call.oauth(grant_type="client_credentials")
        assert call.sandbox.report()["live_slots"] == {"70001": 2}


async def test_the_fault_429_speaks_the_vendors_language():
    """An injected 429 is a window map and does not count as a breach."""
    async with calling() as call:
        call.sandbox.faults.once("429")
        reply = await call.get("campaigns.json")
        assert (429, {"remaining", "limits"}) == (reply.status, set(reply.json))
        assert call.sandbox.report()["rate_limited"] == 0


# The report.


async def test_the_report_counts_objects_per_request():
    """Histograms tell single reads from grouped ones."""
    async with calling() as call:
        ids = [row["id"] for row in call.sandbox.truth("campaigns")][:3]
        await call.get(f"campaigns/{ids[0]}.json")
        await call.get("campaigns.json", _id__in=",".join(map(str, ids)))
        items = [{"id": number, "status": "blocked"} for number in ids]
        await call.post("campaigns/mass_action.json", items)
        shown = call.sandbox.report()["objects_per_request"]
        assert shown["campaigns.get"] == {"1": 1}
        assert {"3": 1} == shown["campaigns.list"] == shown["campaigns.mass_action"]


async def test_the_report_names_unchanged_fields():
    """A field sent with its stored value is counted, nested ones by their path."""
    async with calling() as call:
        row = call.first("campaigns", status="active")
        body = {
            "name": row["name"],
            "price": f"{row['price']}0" if "." in row["price"] else f"{row['price']}.0",
            "targetings": {"sex": row["targetings"]["sex"], "geo": {"regions": [1]}},
            "enable_utm": not row["enable_utm"],
        }
        assert (await call.post(f"campaigns/{row['id']}.json", body)).status == 204
        report = call.sandbox.report()
        named = [example["field"] for example in report["unchanged_fields_examples"]]
        assert named == ["name", "price", "targetings.sex"]
        assert (report["partial_updates"], report["update_verbs"]) == (1, {"POST": 1})


async def test_the_report_finds_long_statistics_asked_twice_a_day():
    """More than one day of the same object within 24 hours is a repeat; the open day is not."""
    async with calling(token_lifetime_s=10**6) as call:
        number = call.first("campaigns")["id"]

        async def ask(since: str, until: str, **more: object) -> None:
            path = "statistics/campaigns/day.json"
            query = {"id": number, "date_from": since, "date_to": until, **more}
            assert (await call.get(path, **query)).status == 200

        await ask("2026-09-01", "2026-09-15")
        await ask("2026-09-15", "2026-09-15")
        await ask("2026-08-01", "2026-09-01")
        await ask("2026-09-01", "2026-09-15", metrics="video")
        assert call.sandbox.report()["repeated_statistics"] == 0
        call.hands.move(23 * 3600)
        await ask("2026-09-10", "2026-09-16")
        assert call.sandbox.report()["repeated_statistics"] == 1
        call.hands.move(25 * 3600)
        await ask("2026-09-10", "2026-09-17")
        assert call.sandbox.report()["repeated_statistics"] == 1


async def test_the_report_is_json_or_a_page():
    """Browsers get HTML, programs JSON; neither needs a token."""
    async with calling() as call:
        call.token = ""
        assert call.sandbox.report() == (await call.get("/__sandbox/report")).json
        accept = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        page = await call.send("GET", "/__sandbox/report", headers=accept)
        assert "unchanged_fields" in page.text
        assert page.headers["Content-Type"].startswith("text/html")


async def test_truth_refuses_unknown_resources():
    """The side door tells a missing resource from an empty one."""
    async with calling() as call:
        assert call.sandbox.truth("sharing_keys") == []
        for name in ("nonsense", "campaigns@1"):
            with pytest.raises(LookupError):
                call.sandbox.truth(name)


async def test_other_common_faults_stay_as_they_are():
    """Only 429 has a form of the vendor's own; a window of no known name has no header."""
    async with calling(limits={"CAMPAIGN": {"v2": {"READ": {600: 9}}}}) as call:
        call.sandbox.faults.once("503")
        assert (await call.get("campaigns.json")).status == 503
        reply = await call.get("campaigns.json")
        assert not [name for name in reply.headers if name.startswith("X-RateLimit")]


async def test_headers_show_the_tightest_bucket():
    """Of a version's bucket and that of all versions, the one with less left."""
    windows = {"v2": {"READ": {1: 9}}, "all": {"READ": {1: 2}}}
    async with calling(limits={"CAMPAIGN": windows}) as call:
        assert (await call.get("campaigns.json")).headers["X-RateLimit-RPS-Remaining"] == "1"
        call.sandbox.set_limits({"CAMPAIGN": {**windows, "all": {"READ": {1: 99}}}})
        assert (await call.get("campaigns.json")).headers["X-RateLimit-RPS-Remaining"] == "7"
