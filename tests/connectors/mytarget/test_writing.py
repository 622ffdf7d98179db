"""Changes over HTTP: exactly the changed fields, as few requests as possible, an outcome for each item."""

import asyncio
from datetime import timedelta

import attrs
import msgspec
import pytest

import adnet
from adnet import AdDraft, CampaignDraft, Removal, Update
from adnet.errors import (
    ApiError,
    IncompleteBodyError,
    InvalidRequestError,
    LostReplyError,
    NotFoundError,
    SchemaError,
)
from adnet.money import Money
from adnet.testing import FakeClock, ScriptTransport, answer

from .kit import START, bench, connector
from .samples_kit import GIVEN, known_state


def live(test, number: int) -> list[str]:
    """Return the ids of some campaigns that are not deleted."""
    rows = [row for row in test.sandbox.truth("campaigns") if row["status"] != "deleted"]
    return [str(row["id"]) for row in rows[:number]]


def stored(test, kind: str, number: str) -> dict:
    return test.first(kind, id=int(number))


def statuses(result) -> list[str]:
    return [outcome.status for outcome in result]


# ---------------------------------------------------------------------- updates


async def test_status_and_budgets_of_many_are_one_mass_action():
    """All three changes in one request, an outcome for each."""
    async with bench() as test:
        one, two, three = live(test, 3)
        result = await test.account().update_campaigns([
            Update(one, {"status": "paused"}),
            Update(two, {"daily_budget": Money("5000", "RUB"), "extra": {"max_price": "21"}}),
            Update(three, {"ends_on": None}),
        ])  # fmt: skip
        assert (statuses(result), result.ids) == (["done"] * 3, (one, two, three))
        assert stored(test, "campaigns", one)["status"] == "blocked"
        assert (
            stored(test, "campaigns", two)["budget_limit_day"],
            stored(test, "campaigns", two)["max_price"],
        ) == (
            "5000",
            "21",
        )
        assert test.report()["objects_per_request"]["campaigns.mass_action"] == {"3": 1}


async def test_mass_actions_are_cut_at_200():
    """Outcomes stay in the order of the input."""
    async with bench(campaigns=450, banners=0) as test:
        everything = live(test, 450)
        result = await test.account().update_campaigns(
            [Update(i, {"daily_budget": 1000}) for i in everything]
        )
        assert (result.ok, result.ids) == (True, tuple(everything))
        sizes = test.report()["objects_per_request"]["campaigns.mass_action"]
        assert sum(int(size) * n for size, n in sizes.items()) == len(everything)
        assert max(map(int, sizes)) == 200


async def test_a_rename_goes_to_the_object_itself():
    """With the changed field and nothing else."""
    async with bench() as test:
        (one,) = live(test, 1)
        result = await test.account().update_campaigns([Update(one, {"name": "Neu ❄"})])
        assert (statuses(result), stored(test, "campaigns", one)["name"]) == (["done"], "Neu ❄")
        bodies = [r.body for r in test.sandbox.log if r.method == "POST" and f"/{one}.json" in r.path]
        assert bodies == ['{"name":"Neu ❄"}'.encode()]


async def test_a_nested_change_sends_the_targeting_that_changes():
    """Found at any depth by a diff; what is beside it is left alone."""
    import attrs

    async with bench() as test:
        account = test.account()
        (one,) = live(test, 1)
        old = await account.get_campaign(one)
        age = {**old.targeting["age"], "expand": True}
        new = attrs.evolve(old, targeting={**old.targeting, "age": age})
        result = await account.update_campaigns([adnet.diff(old, new)])
        assert (statuses(result), stored(test, "campaigns", one)["targetings"]) == (["done"], new.targeting)
        assert (await account.get_campaign(one)).targeting == new.targeting
        assert test.report()["unchanged_fields"] == 0


async def test_what_many_changes_complete_is_read_in_groups():
    """Fifty objects in one request; none is told as missing for having been on a later one."""
    async with bench(banners=400) as test:
        account = test.account()
        numbers = [str(row["id"]) for row in test.sandbox.truth("banners") if row["status"] != "deleted"][:60]
        result = await account.update_ads([Update(number, {"text": "Neu"}) for number in numbers])
        assert statuses(result) == ["done"] * 60
        assert test.report()["objects_per_request"]["banners.list"] == {"10": 1, "50": 1}


async def test_a_change_of_nothing_sends_nothing():
    """Not even when it is nested."""
    async with bench() as test:
        account = test.account()
        (one,) = live(test, 1)
        old = await account.get_campaign(one)
        before = test.report()["partial_updates"]
        result = await account.update_campaigns([
            Update(one),
            Update(one, {"targeting": {"age": dict(old.targeting["age"])}}),
        ])  # fmt: skip
        assert (statuses(result), test.report()["partial_updates"] - before) == (["unchanged"] * 2, 0)


@pytest.mark.parametrize(
    ("verb", "sent"), [("post", {"POST": 8}), ("patch", {"PATCH": 8}), ("both", {"PATCH": 8})]
)
async def test_the_verb_of_updates_is_found_out_once(verb, sent):
    """PATCH first; a 405 switches the host to POST, for other processes, too."""
    async with bench(update_verb=verb) as test:
        everything = live(test, 8)
        for some in (everything[:4], everything[4:]):
            account = test.account()
            renames = [Update(i, {"name": f"N{i}"}) for i in some]
            assert (await account.update_campaigns(renames)).ok
        report = test.report()
        assert report["update_verbs"] == sent
        assert report["statuses"].get("405", 0) == (1 if verb == "post" else 0)


async def test_concurrent_first_updates_wait_for_the_one_that_finds_out():
    """However many there are, one 405."""
    async with bench() as test:
        account = test.account()
        calls = (account.update_campaigns([Update(i, {"name": "N"})]) for i in live(test, 10))
        assert all(result.ok for result in await asyncio.gather(*calls))
        assert test.report()["statuses"]["405"] == 1


async def test_a_host_that_changes_its_mind_is_followed():
    """A 405 to what worked yesterday switches it, too."""
    async with bench(update_verb="patch") as test:
        account = test.account()
        one, two = live(test, 2)
        assert (await account.update_campaigns([Update(one, {"name": "N"})])).ok
        import attrs

        test.sandbox.world.knobs = attrs.evolve(test.sandbox.world.knobs, update_verb="post")
        assert (await account.update_campaigns([Update(two, {"name": "N"})])).ok
        assert test.report()["update_verbs"] == {"PATCH": 1, "POST": 1}


@pytest.mark.parametrize("verb", ["post", "patch"])
async def test_the_verb_can_be_fixed(verb):
    """Then nothing else is tried."""
    async with bench(update_verb="post") as test:
        (one,) = live(test, 1)
        result = await test.account(update_verb=verb).update_campaigns([Update(one, {"name": "N"})])
        assert result.ok is (verb == "post")
        assert test.report()["statuses"].get("405", 0) == (verb == "patch")


async def test_a_501_switches_like_a_405():
    """Both say that there is no such verb."""
    async with bench() as test:
        account = test.account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def without_patch(request, *, timeout_s):
            if request.route.method == "PATCH":
                return answer(501, {"error": {"code": "not_implemented", "message": "m"}})
            return await send(request, timeout_s=timeout_s)

        inner.send = without_patch
        (one,) = live(test, 1)
        assert (await account.update_campaigns([Update(one, {"name": "N"})])).ok


async def test_what_a_mass_action_refuses_is_told_and_the_rest_is_done():
    """Each refused item has its own error, with its own fields."""
    async with bench() as test:
        one, two, three = live(test, 3)
        gone = str(test.first("campaigns", status="deleted")["id"])
        result = await test.account().update_campaigns([
            Update(one, {"daily_budget": 1000}),
            Update(two, {"extra": {"max_price": "99999999"}}),
            Update("999", {"daily_budget": 1000}),
            Update(gone, {"daily_budget": 1000}),
            Update("abc", {"daily_budget": 1000}),
            Update(three, {"daily_budget": 2000}),
        ])  # fmt: skip
        assert statuses(result) == ["done", "failed", "failed", "failed", "failed", "done"]
        kinds = [type(outcome.error) for outcome in result.failed]
        assert kinds == [InvalidRequestError, NotFoundError, InvalidRequestError, InvalidRequestError]
        assert set(result[1].error.fields) == {"max_price"}
        assert stored(test, "campaigns", three)["budget_limit_day"] == "2000"


@pytest.mark.parametrize(
    ("code", "message", "gone"),
    [
        ("unknown_campaigns", "Unknown campaigns: " + ", ".join(map(str, range(88001000, 88001060))), 60),
        ("unknown_resource_field", "Unknown fields: 8", 0),
    ],
)
async def test_nobody_is_blamed_for_a_number_that_is_not_its_own(code, message, gone):
    """A message is cut in the middle of an id, or speaks of something else: campaign 8 is there, and is paused."""
    ids = ["8", *map(str, range(88001000, 88001060))]
    sent = []

    def reply(request):
        sent.append(request.body)
        return answer(400, {"error": {"code": code, "message": message}}) if len(sent) == 1 else answer(204)

    with known_state() as state:
        script = {"transport": ScriptTransport(reply), "state": state, "clock": FakeClock()}
        async with adnet.connect("mytarget", **script, **GIVEN) as account:
            result = await account.update_campaigns([Update(i, {"status": "paused"}) for i in ids])
    assert statuses(result) == ["done", *["failed" if gone else "done"] * 60]
    assert len(sent) == (2 if gone else 3)  # nobody was named: halves


async def test_two_changes_of_one_object_are_one():
    """The later one counts where they meet."""
    async with bench() as test:
        (one,) = live(test, 1)
        result = await test.account().update_campaigns([
            Update(one, {"name": "A", "daily_budget": 500}),
            Update(one, {"name": "B"}),
        ])  # fmt: skip
        row = stored(test, "campaigns", one)
        assert (statuses(result), row["name"], row["budget_limit_day"]) == (["done"] * 2, "B", "500")


async def test_text_and_link_of_a_banner_are_changed_whole():
    """The other texts stay; the link is registered and checked first."""
    async with bench() as test:
        account = test.account()
        number = str(test.first("banners", status="active", moderation_status="allowed")["id"])
        before = stored(test, "banners", number)["textblocks"]
        result = await account.update_ads(
            [Update(number, {"text": "Neu", "url": "https://new.example.test/"})]
        )
        row = stored(test, "banners", number)
        assert (statuses(result), row["textblocks"]) == (["done"], {**before, "text_90": {"text": "Neu"}})
        assert row["urls"]["primary"]["url"] == "https://new.example.test/"


async def test_a_link_that_a_banner_has_already_is_not_sent():
    """Registered anew it would be another link to the network, and the banner would wait for its moderators."""
    async with bench(moderation_s=3600) as test:
        account = test.account()
        rows = [row for row in test.sandbox.truth("banners") if row["status"] == "active"][:2]
        one, other = [str(row["id"]) for row in rows]
        link = (await account.get_ad(one)).url
        before = len(test.sandbox.truth("urls"))
        result = await account.update_ads([
            Update(one, {"url": link}), Update(other, {"url": rows[1]["urls"]["primary"]["url"], "title": "B"})
        ])  # fmt: skip
        assert statuses(result) == ["unchanged", "done"]
        assert len(test.sandbox.truth("urls")) == before
        after = [stored(test, "banners", number) for number in (one, other)]
        assert [row["moderation_status"] for row in after] == [row["moderation_status"] for row in rows]
        plan = await account.plan([Update(one, {"url": link}, "ads")])
        assert plan.requests == ()


@pytest.mark.parametrize(
    ("update", "section", "shown"),
    [
        ({"url": "https://new.example.test/"}, "urls", {}),
        ({"extra": {"textblocks": {"title_25": {"text": "Neu"}}}}, "textblocks", {}),
        ({"extra": {"content": {"image_600x600": {"id": 7}}}}, "content", {}),
        (
            {"url": "https://new.example.test/"},
            "urls",
            {"urls": {"header_click": {"url": "https://a.test/"}}},
        ),
    ],
)
async def test_what_would_be_replaced_without_having_been_read_is_left(update, section, shown):
    """The network replaces texts, links and media whole: what it does not show would be gone."""
    async with bench() as test:
        account = test.account()
        number = str(test.first("banners", status="active", moderation_status="allowed")["id"])
        inner = connector(account).session._transport._inner
        send = inner.send

        async def hiding(request, *, timeout_s):
            reply = await send(request, timeout_s=timeout_s)
            if request.route.operation != "banners.list":
                return reply
            body = msgspec.json.decode(reply.body)
            for row in body["items"]:
                del row[section]
                row.update(shown)
            return attrs.evolve(reply, body=msgspec.json.encode(body))

        inner.send = hiding
        before = stored(test, "banners", number)
        result = await account.update_ads([Update(number, update)])
        assert (statuses(result), type(result[0].error)) == (["failed"], SchemaError)
        assert stored(test, "banners", number) == before


async def test_a_targeting_that_was_not_read_is_not_completed():
    """What else it says, the ages for instance, would be gone, and the campaign shown to everybody."""
    async with bench() as test:
        account = test.account()
        (number,) = live(test, 1)
        inner = connector(account).session._transport._inner
        send = inner.send

        async def hiding(request, *, timeout_s):
            reply = await send(request, timeout_s=timeout_s)
            if request.route.operation != "campaigns.list":
                return reply
            body = msgspec.json.decode(reply.body)
            for row in body["items"]:
                del row["targetings"]
            return attrs.evolve(reply, body=msgspec.json.encode(body))

        inner.send = hiding
        before = stored(test, "campaigns", number)
        nested = Update(number, {"targeting": {"age": {"expand": True}}})
        result = await account.update_campaigns([nested])
        assert (statuses(result), type(result[0].error)) == (["failed"], SchemaError)
        assert stored(test, "campaigns", number) == before
        whole = Update(number, {"targeting": {"sex": ["female"]}})
        assert statuses(await account.update_campaigns([whole])) == ["done"]


async def test_a_link_that_is_none_fails_its_banner_only():
    """With the network's own reason."""
    async with bench() as test:
        numbers = [str(row["id"]) for row in test.sandbox.truth("banners") if row["status"] == "active"][:2]
        result = await test.account().update_ads([
            Update(numbers[0], {"url": "ftp://nowhere"}),
            Update(numbers[1], {"title": "B"}),
        ])  # fmt: skip
        assert (statuses(result), set(result[0].error.fields)) == (["failed", "done"], {"url"})


# ---------------------------------------------------------------------- creating and deleting


def draft(name="A", **more) -> CampaignDraft:
    return CampaignDraft(name=name, extra={"package_id": 811, "objective": "traffic"}, **more)


async def test_campaigns_are_created_with_their_ads_in_one_request():
    """Paused, both; a link that several use is registered once."""
    async with bench() as test:
        ads = tuple(AdDraft(title=f"T{n}", text="Hello", url="https://new.example.test/") for n in range(3))
        result = await test.account().create_campaigns([draft("A", ads=ads), draft("B")])
        assert result.ok
        row = stored(test, "campaigns", result[0].id)
        assert (row["name"], row["status"]) == ("A", "blocked")
        made = [b for b in test.sandbox.truth("banners") if str(b["campaign_id"]) == result[0].id]
        assert [(b["name"], b["status"]) for b in made] == [(f"T{n}", "blocked") for n in range(3)]
        assert "its ads are" in result[0].notes[0]
        sizes = test.report()["objects_per_request"]["campaigns.create"]
        assert sizes == {"1": 1, "4": 1}


async def test_a_link_is_waited_for_until_it_is_checked():
    """A banner with an unchecked one would be refused."""
    async with bench(url_check_s=3) as test:
        (one,) = live(test, 1)
        ad = AdDraft(campaign_id=one, title="T", text="Hello", url="https://new.example.test/")
        result = await test.account().create_ads([ad])
        assert result.ok, result[0].error
        assert 3 <= test.clock.monotonic() < 6


async def test_what_is_refused_is_told_with_every_field():
    """Nested ones by path; the other drafts are created."""
    async with bench() as test:
        bad = AdDraft(
            title="T", extra={"urls": {"primary": {"id": 1}}, "textblocks": {"title_25": {"text": "x" * 30}}}
        )
        result = await test.account().create_campaigns([draft(), draft(ads=(bad,)), CampaignDraft(name="P")])
        assert statuses(result) == ["done", "failed", "failed"]
        assert set(result[1].error.fields) == {"banners[0].urls", "banners[0].textblocks"}
        assert set(result[2].error.fields) == {"package_id"}


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "half \ud83d"},
        {"extra": {"utm": object()}},
        {"extra": {"banners": 5, "utm": object()}},
        {"extra": {7: object()}},
        {"status": ["paused"]},
        {"starts_on": object()},
        {"bid": object()},
    ],
)
async def test_a_draft_that_cannot_be_written_is_told_beside_those_that_were_made(bad):
    """What was made spends: nobody may be left without its id because of a neighbour."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        package = test.sandbox.truth("campaigns")[0]["package_id"]
        good = [CampaignDraft(name=f"G{i}", extra={"package_id": package}) for i in range(12)]
        extra = {"package_id": package, **bad.get("extra", {})}
        drafts = [*good[:8], CampaignDraft(**{"name": "N", **bad, "extra": extra}), *good[8:]]
        result = await account.create_campaigns(drafts)
        assert statuses(result) == ["done"] * 8 + ["failed"] + ["done"] * 4
        assert isinstance(result[8].error, InvalidRequestError)


@pytest.mark.parametrize(
    "bad", [{"name": "half \ud83d"}, {"extra": {"max_price": object()}}, {"status": ["paused"]}]
)
async def test_an_update_that_cannot_be_written_is_told_beside_those_that_were_made(bad):
    """On its own, and in a mass action, which is sent again without it."""
    async with bench() as test:
        one, two, three = live(test, 3)
        good = {"name": "A"} if "name" in bad else {"daily_budget": 5000}
        updates = [Update(one, good), Update(two, bad), Update(three, good)]
        assert statuses(await test.account().update_campaigns(updates)) == ["done", "failed", "done"]


async def test_an_ad_needs_a_campaign():
    """Told before anything is sent."""
    async with bench() as test:
        result = await test.account().create_ads([AdDraft(title="T")])
        assert (statuses(result), set(result[0].error.fields)) == (["failed"], {"campaign_id"})


async def test_a_create_whose_reply_is_lost_is_found_and_adopted():
    """It is never sent again, and there is one campaign, not two."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        test.sandbox.faults.once("lost-reply")
        result = await account.create_campaigns([draft("Only one")])
        rows = [row for row in test.sandbox.truth("campaigns") if row["name"] == "Only one"]
        assert (statuses(result), [str(row["id"]) for row in rows]) == (["done"], list(result.ids))
        assert "adopted" in result[0].notes[0]


@pytest.mark.parametrize("lost", [1, 2])
async def test_drafts_of_one_name_are_not_mixed_up(lost):
    """What was answered belongs to others; each lost one gets one of the rest."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        test.sandbox.faults.once("lost-reply", lost)
        result = await account.create_campaigns([draft("Same"), draft("Same"), draft("Same")])
        rows = [str(row["id"]) for row in test.sandbox.truth("campaigns") if row["name"] == "Same"]
        assert (statuses(result), sorted(result.ids)) == (["done"] * 3, sorted(rows))


async def test_an_older_object_of_that_name_is_not_adopted():
    """Not even when it was made a moment ago."""
    async with bench(clock_skew_s=40) as test:
        account = test.account()
        first = await test.account().create_campaigns([draft("A")])
        test.clock.advance(5)
        await account.get_account()
        test.sandbox.faults.once("html502")
        result = await account.create_campaigns([draft("A")])
        assert first.ok
        assert (statuses(result), result.ids) == (["failed"], (None,))


async def test_what_has_no_name_cannot_be_told_to_be_missing():
    """The network may have named it as it likes."""
    async with bench() as test:
        account = test.account()
        (campaign,) = live(test, 1)
        ad = AdDraft(campaign_id=campaign, text="Hello", url=test.sandbox.truth("urls")[0]["url"])
        await account.create_ads([ad])
        test.sandbox.faults.once("html502")
        assert statuses(await account.create_ads([ad])) == ["unknown"]


async def test_a_list_that_is_not_newest_first_does_not_tell_that_something_is_missing():
    """The order of banners is not documented: what was made may stand on another page."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def oldest_first(request, *, timeout_s):
            return await send(
                attrs.evolve(request, url=request.url.replace("sorting=-id", "sorting=id")),
                timeout_s=timeout_s,
            )

        inner.send = oldest_first
        test.sandbox.faults.once("html502")
        result = await account.create_campaigns([draft("A")])
        assert statuses(result) == ["unknown"]


async def test_a_create_that_cannot_be_told_from_others_is_unknown():
    """Two campaigns of that name are there."""
    async with bench() as test:
        account, other = test.account(), test.account()
        await account.get_account()
        await other.create_campaigns([draft("Twin")])
        test.sandbox.faults.once("lost-reply")
        result = await account.create_campaigns([draft("Twin")])
        assert (statuses(result), type(result[0].error)) == (["unknown"], LostReplyError)


@pytest.mark.parametrize(("number", "request_name"), [(1, "campaigns.delete"), (3, "campaigns.mass_action")])
async def test_deleting(number, request_name):
    """One by its own verb, several as one mass action; they stay readable."""
    async with bench() as test:
        account = test.account()
        some = live(test, number)
        result = await account.delete_campaigns(some)
        assert (statuses(result), test.report()["objects_per_request"][request_name]) == (
            ["done"] * number,
            {str(number): 1},
        )
        assert {(await account.get_campaign(i)).status for i in some} == {"deleted"}


@pytest.mark.parametrize("kind", ["campaigns", "ads"])
async def test_a_delete_whose_reply_was_lost_is_done(kind):
    """Sent again, it finds nothing to delete any more: that is no failure."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        inner = connector(account).session._transport._inner
        sent = []

        async def lost(request, *, timeout_s):
            sent.append(request)
            if len(sent) == 1:
                raise IncompleteBodyError("cut")
            return answer(404, {"error": {"code": "not_found", "message": "Resource not found"}})

        inner.send = lost
        delete = account.delete_campaigns if kind == "campaigns" else account.delete_ads
        result = await delete(["88001"])
        assert (statuses(result), result.ids, len(sent)) == (["done"], ("88001",), 2)
        assert "not there any more" in result[0].notes[0]


async def test_a_create_that_a_gateway_gave_up_on_may_still_come():
    """Nobody knows whether what stood behind it went on."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def slow(request, *, timeout_s):
            if request.route.operation == "campaigns.create":
                return answer(504, body=b"<html>Gateway Time-out</html>")
            return await send(request, timeout_s=timeout_s)

        inner.send = slow
        result = await account.create_campaigns([draft("Late")])
        assert statuses(result) == ["unknown"]


async def test_what_was_made_is_looked_for_behind_all_that_was_made_after_it():
    """A page shows the newest fifty; who reads "failed" makes it once more."""
    async with bench() as test:
        account = test.account()
        await account.get_account()
        inner = connector(account).session._transport._inner
        send, made = inner.send, []

        async def lost(request, *, timeout_s):
            reply = await send(request, timeout_s=timeout_s)
            if request.route.operation != "campaigns.create":
                return reply
            made.append(request)
            return attrs.evolve(reply, status=500, body=b"<html>") if len(made) == 1 else reply

        inner.send = lost
        result = await account.create_campaigns([draft(f"N{number}") for number in range(120)])
        rows = {row["name"]: str(row["id"]) for row in test.sandbox.truth("campaigns")}
        assert statuses(result) == ["done"] * 120
        assert list(result.ids) == [rows[f"N{number}"] for number in range(120)]


class Stepped(FakeClock):
    """A clock that somebody sets."""

    by = timedelta(0)

    def now(self):
        return super().now() + self.by


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_is_set_hides_nothing_that_was_made(hours):
    """The network's time is counted on by a clock that nobody sets; else what it just made seems old."""
    async with bench() as test:
        clock = Stepped(START)
        account = test.account(clock=clock)
        await account.get_account()
        inner = connector(account).session._transport._inner
        send = inner.send

        async def lost(request, *, timeout_s):
            reply = await send(request, timeout_s=timeout_s)
            made = request.route.operation == "campaigns.create"
            return attrs.evolve(reply, status=500, body=b"<html>") if made else reply

        inner.send = lost
        clock.by = timedelta(hours=hours)
        package = test.sandbox.truth("campaigns")[0]["package_id"]
        result = await account.create_campaigns([CampaignDraft(name="Neu", extra={"package_id": package})])
        assert statuses(result) == ["done"]


@pytest.mark.parametrize("fault", ["lost-reply", "unavailable"])
async def test_a_wrong_clock_hides_nothing_from_who_has_heard_nothing_yet(fault):
    """A process that knows all it needs from the state creates first, and learns the network's time after."""
    async with bench() as test:
        await test.account().create_campaigns([draft("before")])
        clock = Stepped(test.clock.now())
        clock.by = timedelta(minutes=20)
        account = test.account(clock=clock)
        await account.open()
        inner = connector(account).session._transport._inner
        send, asked = inner.send, []

        async def lost(request, *, timeout_s):
            asked.append(request.route.operation)
            reply = await send(request, timeout_s=timeout_s)
            if request.route.operation != "campaigns.create":
                return reply
            if fault == "lost-reply":
                raise IncompleteBodyError("cut off")
            return attrs.evolve(reply, status=500, body=b"<html>")

        inner.send = lost
        package = test.sandbox.truth("campaigns")[0]["package_id"]
        result = await account.create_campaigns([CampaignDraft(name="Neu", extra={"package_id": package})])
        assert asked[0] == "campaigns.create"
        assert statuses(result) == ["done"]


async def test_deleting_what_is_not_there():
    """An error for it, and nothing happens to the others."""
    async with bench() as test:
        (one,) = live(test, 1)
        result = await test.account().delete_campaigns(["999", "abc", one])
        assert statuses(result) == ["failed", "failed", "done"]


# ---------------------------------------------------------------------- plans


async def test_a_plan_shows_the_exact_requests():
    """Verb, address and body as they would be sent; none of them is."""
    async with bench(update_verb="patch") as test:
        account = test.account()
        one, _ = live(test, 2)
        plan = await account.plan([Update(one, {"name": "N", "status": "paused"})])
        (request,) = plan.requests
        assert (request.method, request.body) == ("PATCH", '{"name":"N","status":"blocked"}')
        assert request.url == f"{test.sandbox.base_url}/api/v2/campaigns/{one}.json"
        assert test.report()["partial_updates"] == 0


@pytest.mark.parametrize(("verb", "then"), [("post", "POST"), ("patch", "PATCH")])
async def test_a_plan_says_that_the_verb_is_not_known_yet(verb, then):
    """Until somebody has updated something on the host, PATCH is a guess; from then on it shows what is sent."""
    async with bench(update_verb=verb) as test:
        account, (one, other) = test.account(), live(test, 2)
        (request,) = (await account.plan([Update(one, {"name": "N"})])).requests
        assert (request.method, request.note) == (
            "PATCH", "or by POST, if the host refuses PATCH: nobody has tried yet"
        )  # fmt: skip
        assert (await account.update_campaigns([Update(other, {"name": "N"})])).ok
        (request,) = (await account.plan([Update(one, {"name": "N"})])).requests
        assert (request.method, request.note) == (then, None)
        fixed = await test.account(update_verb="patch").plan([Update(one, {"name": "N"})])
        assert [(request.method, request.note) for request in fixed.requests] == [("PATCH", None)]


async def test_a_plan_of_new_things_says_what_depends_on_what():
    """A link's id is not known before it is registered."""
    async with bench() as test:
        ads = (AdDraft(title="T", url="https://new.example.test/"),)
        plan = await test.account().plan([draft(ads=ads)])
        first, second = plan.requests
        assert (first.method, first.body) == ("POST", '{"url":"https://new.example.test/"}')
        assert "<id of https://new.example.test/>" in second.body
        assert len(test.sandbox.truth("urls")) == 1


async def test_a_plan_of_another_link_shows_its_registration():
    """It makes something at the network, too: once for each address that is not known there yet."""
    async with bench() as test:
        account, new = test.account(), "https://new.example.test/"
        one, two, three = [ad.ad_id async for ad in account.list_ads()][:3]
        updates = [Update(one, {"url": new}, "ads"), Update(two, {"url": new}, "ads")]
        first, *others = (await account.plan([*updates, Update(three, {"title": "T"}, "ads")])).requests
        assert (first.method, first.url.rpartition("/")[2], first.body, first.ids) == (
            "POST", "urls.json", f'{{"url":"{new}"}}', (one, two)
        )  # fmt: skip
        assert [request.ids for request in others] == [(one,), (two,), (three,)]
        before = len(test.sandbox.truth("urls"))
        assert (await account.update_ads(updates)).ok
        assert len(test.sandbox.truth("urls")) == before + 1
        (again,) = (await account.plan([Update(three, {"url": new}, "ads")])).requests
        assert again.ids == (three,)
        assert len(test.sandbox.truth("urls")) == before + 1


async def test_the_accounts_plan_is_what_is_sent():
    """Two updates and a third of another kind: one mass action, and one request of its own."""
    async with bench() as test:
        one, two = live(test, 2)
        updates = [Update(number, {"status": "paused"}, "campaigns") for number in (one, two)]
        plan = await test.account().plan([*updates, Update("1", {"status": "paused"}, "ads")])
        assert [request.url.rpartition("/")[2] for request in plan.requests] == ["mass_action.json", "1.json"]


async def test_a_plan_of_several_shows_their_mass_action():
    """As it would go out."""
    async with bench() as test:
        account = test.account()
        some = live(test, 2)
        requests = await connector(account).express(
            "campaigns", "update", [Update(i, {"status": "paused"}) for i in some]
        )
        assert [request.url.rpartition("/")[2] for request in requests] == ["mass_action.json"]
        deletions = await connector(account).express("campaigns", "delete", some)
        assert [request.body.count("deleted") for request in deletions] == [2]


async def test_what_is_to_be_deleted_twice_is_planned_as_it_is_deleted():
    """Once, by the same request."""
    async with bench() as test:
        account, (one,) = test.account(), live(test, 1)
        (request,) = (await account.plan([Removal(one), Removal(one)])).requests
        assert (request.method, request.url.rpartition("/")[2]) == ("DELETE", f"{one}.json")
        assert statuses(await account.delete_campaigns([one, one])) == ["done", "done"]
        assert test.report()["objects_per_request"]["campaigns.delete"] == {"1": 1}


async def test_a_plan_of_something_wrong_says_so():
    """Before anything is sent."""
    async with bench() as test:
        with pytest.raises(InvalidRequestError, match="is a number"):
            await test.account().plan([Removal("../user")])
        with pytest.raises(ApiError):
            await test.account().plan([Update("8800001", {"status": "limited"})])
