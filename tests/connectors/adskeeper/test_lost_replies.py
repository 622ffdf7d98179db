"""Writes whose replies are lost: nothing is sent twice, what was made is found, what is not known is said."""

from decimal import Decimal

import attrs
import pytest

from adnet.connectors.adskeeper.limits import BUCKETS
from adnet.errors import (
    ConnectError,
    DecodeError,
    LostReplyError,
    RequestTimeoutError,
    ServerError,
    TransportError,
)
from adnet.models import AdDraft, CampaignDraft, Update
from adnet.testing.fakes import answer
from tests.connectors.adskeeper.kit import SINCE, UNTIL, home, rows, scripted

AD = {"title": "Sleep", "url": "https://shop.example/", "image_url": "https://i.example/1.jpg"}


def posts(it):
    return [request for request in it.writes if request.method == "POST"]


def plain(row):
    return row.type == "product" and not row.by_sources and row.own_status in {6, 7} and not row.blocked


@pytest.mark.parametrize("variant", [{}, {"pagination": "page1"}], ids=str)
async def test_a_campaign_whose_reply_was_lost_is_adopted(variant):
    """It is found by its name, stopped like any other, and was made once."""
    async with home(**variant) as it:
        it.sandbox.faults.once("lost-reply")
        (outcome,) = await it.account.create_campaigns([CampaignDraft(name="Sleep")])
        assert (outcome.status, len(posts(it))) == ("done", 1)
        assert "adopted" in outcome.notes[0]
        made = [row for row in it.sandbox.account.campaigns.values() if row.name == "Sleep"]
        assert [(str(row.id), row.blocked) for row in made] == [(outcome.id, True)]


async def test_a_campaign_that_was_not_made_is_not_made_twice():
    """A connection that broke before the network did anything leaves it unknown, and nothing is sent again."""
    async with home() as it:
        await it.account.open()
        it.sandbox.faults.once("reset")
        (outcome,) = await it.account.create_campaigns([CampaignDraft(name="Sleep")])
        assert (outcome.status, type(outcome.error)) == ("unknown", LostReplyError)
        assert "not found" in outcome.notes[0]
        assert len(posts(it)) == 1


async def test_a_page_in_place_of_an_answer_is_looked_into():
    """HTML with status 200 says nothing about what was done: it is looked for, and not sent again."""
    async with home() as it:
        await it.account.open()
        it.sandbox.faults.once("html")
        (outcome,) = await it.account.create_campaigns([CampaignDraft(name="Sleep")])
        assert (outcome.status, type(outcome.error)) == ("unknown", DecodeError)
        assert len(posts(it)) == 1


async def test_an_answer_cut_short_is_looked_into():
    """A campaign was made, its answer is half: it is adopted."""
    async with home() as it:
        await it.account.open()
        it.sandbox.faults.once("badjson")
        (outcome,) = await it.account.create_campaigns([CampaignDraft(name="Sleep", status="active")])
        assert (outcome.status, len(posts(it))) == ("done", 1)


async def test_a_failure_of_the_server_is_no_success():
    """After a 500 the campaign is looked for; where it is not there, it failed."""
    async with home() as it:
        await it.account.open()
        it.sandbox.faults.once("500")
        (outcome,) = await it.account.create_campaigns([CampaignDraft(name="Sleep")])
        assert (outcome.status, type(outcome.error)) == ("failed", ServerError)
        assert len(posts(it)) == 1


async def test_too_many_requests_is_tried_again():
    """A 429 was not executed, so that even a POST is sent again."""
    async with home() as it:
        await it.account.open()
        it.sandbox.faults.once("429", 2)
        (outcome,) = await it.account.create_campaigns([CampaignDraft(name="Sleep", status="active")])
        assert (outcome.status, len(posts(it))) == ("done", 3)


@pytest.mark.parametrize(
    ("first", "status"), [(RequestTimeoutError, "unknown"), (ConnectError, "failed")], ids=["lost", "down"]
)
async def test_a_change_whose_first_reply_was_lost_is_not_failed_because_the_network_is_down_now(
    first, status
):
    """What came of the first send is not known; that the others found no connection says nothing of it."""
    async with scripted(first("x"), *[ConnectError("refused") for _ in range(9)]) as (account, wire):
        (outcome,) = await account.update_campaigns([Update("5", {"status": "active"})])
    assert (outcome.status, type(outcome.error)) == (status, ConnectError)
    assert len(wire.sent) > 1


async def test_an_older_campaign_of_the_name_is_left_alone():
    """A namesake that is not new is not adopted, nor stopped."""
    async with home() as it:
        await it.account.open()
        old = it.campaign(plain)
        it.sandbox.faults.once("reset")
        (outcome,) = await it.account.create_campaigns([CampaignDraft(name=old.name)])
        assert outcome.status == "unknown"
        assert "left alone" in outcome.notes[0]
        assert not it.sandbox.account.campaigns[old.id].blocked


async def test_the_newest_campaign_is_left_alone_where_it_is_old():
    """That nothing was made after it does not make it the one that was asked for: it runs, and goes on running."""
    old = {"name": "Sleep", "status": {"id": 6}}
    for added, status in (
        ("2026-08-01 10:00:00", "unknown"),
        ("2026-09-15 10:59:00", "done"),
        (None, "done"),
    ):
        found = {"509": {**old, "name": "Other"}, "510": {**old, "whenAdd": added}}
        async with scripted(RequestTimeoutError("slow"), found, [], {"id": 510}) as (account, wire):
            (outcome,) = await account.create_campaigns([CampaignDraft(name="Sleep")])
            assert (added, outcome.status) == (added, status)
            stopped = [request.route.operation for request in wire.sent].count("campaigns.set_blocked")
            assert stopped == (status == "done")


async def test_a_campaign_that_has_ads_is_left_alone_however_new_it_seems():
    """It was made half an hour ago and runs: clocks may be wrong, but nothing is in a campaign just made."""
    found = {"510": {"name": "Sleep", "status": {"id": 6}, "whenAdd": "2026-09-15 10:30:00"}}
    ads = {"9": {"id": 9, "campaignId": 510}}
    async with scripted(RequestTimeoutError("slow"), found, ads) as (account, wire):
        (outcome,) = await account.create_campaigns([CampaignDraft(name="Sleep")])
        assert (outcome.id, outcome.status) == (None, "unknown")
        assert "left alone" in outcome.notes[0]
        assert [request.route.method for request in wire.sent] == ["POST", "GET", "GET"]


async def test_a_look_that_fails_is_said():
    """Where the network cannot be asked, the outcome is unknown and both troubles are told."""
    replies = [RequestTimeoutError("slow"), *[answer(503)] * 5]
    async with scripted(*replies) as (account, wire):
        (outcome,) = await account.create_campaigns([CampaignDraft(name="Sleep")])
        assert (outcome.status, type(outcome.error)) == ("unknown", LostReplyError)
        assert "could not be looked for" in outcome.notes[0]
        assert [request.route.method for request in wire.sent].count("POST") == 1


async def test_a_campaign_that_could_not_be_stopped_is_said_to_run():
    """The second step failed: the campaign exists, and the outcome says so with its id."""
    async with scripted({"id": 510}, *[answer(503)] * 5) as (account, _):
        (outcome,) = await account.create_campaigns([CampaignDraft(name="Sleep")])
        assert (outcome.id, outcome.status) == ("510", "failed")
        assert any("exists" in note for note in outcome.notes)


# ---------------------------------------------------------------------- ads


async def test_an_ad_whose_reply_was_lost_is_adopted():
    """A retried POST would make a second teaser: it is found in its campaign instead, and stopped."""
    async with home() as it:
        campaign = str(it.campaign(plain).id)
        await it.account.open()
        it.sandbox.faults.once("lost-reply")
        draft = AdDraft(campaign_id=campaign, bid=Decimal("0.1"), **AD)
        (outcome,) = await it.account.create_ads([draft])
        assert (outcome.status, len(posts(it))) == ("done", 1)
        made = [row for row in it.sandbox.account.teasers.values() if row.title == "Sleep"]
        assert [(str(row.id), row.blocked) for row in made] == [(outcome.id, True)]


async def test_twins_are_told_apart():
    """Two equal drafts are two ads, also when the second's reply is lost."""
    async with home() as it:
        campaign = str(it.campaign(plain).id)
        draft = AdDraft(campaign_id=campaign, bid=Decimal("0.1"), status="active", **AD)
        (first,) = await it.account.create_ads([draft])
        it.sandbox.approve_teaser(int(first.id))
        it.sandbox.faults.once("lost-reply", 2)
        one, two = await it.account.create_ads([draft, draft])
        assert (one.status, two.status, len(posts(it))) == ("done", "done", 3)
        assert len({first.id, one.id, two.id}) == 3


async def test_what_may_exist_twice_is_said():
    """Several new ads with the same content cannot be told apart: the outcome is unknown and names them."""
    async with home() as it:
        campaign = str(it.campaign(plain).id)
        draft = AdDraft(campaign_id=campaign, bid=Decimal("0.1"), status="active", **AD)
        (first,) = await it.account.create_ads([draft])
        it.sandbox.faults.once("lost-reply")
        (outcome,) = await it.account.create_ads([draft])
        assert outcome.status == "unknown"
        assert "may exist twice" in outcome.notes[0]
        assert first.id in outcome.notes[0]


async def test_an_ad_that_was_not_made_is_not_made_twice():
    """Nothing of that content is in the campaign: unknown, and nothing is sent again; after a 500 it failed."""
    async with home() as it:
        draft = AdDraft(campaign_id=str(it.campaign(plain).id), bid=Decimal("0.1"), **AD)
        draft = attrs.evolve(draft, extra={"campaignType": "product"})
        for fault, status in (("html", "unknown"), ("500", "failed")):
            it.sandbox.faults.once(fault)
            (outcome,) = await it.account.create_ads([draft])
            assert (outcome.status, "not found" in outcome.notes[0]) == (status, True)
        assert len(posts(it)) == 2


async def test_an_ad_that_passed_moderation_at_once_is_not_told_as_failed():
    """It is new and was never shown: it may be the one that a 500 answered, and trying again would make a second."""
    draft = AdDraft(campaign_id="510", bid=Decimal("0.1"), extra={"campaignType": "product"}, **AD)
    made = {"id": 9, "campaignId": 510, "title": "Sleep", "url": AD["url"]}
    for row, status in (
        ({"status": "new"}, "unknown"),
        ({"status": "blocked", "statistics": {"hits": 0}}, "unknown"),
        ({"status": "active", "statistics": {"hits": 12}}, "failed"),
    ):
        async with scripted(answer(500), {"9": made | row}) as (account, _):
            (outcome,) = await account.create_ads([draft])
            assert (outcome.id, outcome.status) == (None, status)
            assert ("never shown: 9" in outcome.notes[0]) == (status == "unknown")


async def test_an_ad_that_cannot_be_looked_for_is_unknown():
    """Both troubles are told, and that trying again may make a second one."""
    draft = AdDraft(campaign_id="510", bid=Decimal("0.1"), extra={"campaignType": "product"}, **AD)
    async with scripted(RequestTimeoutError("slow"), *[answer(503)] * 5) as (account, _):
        (outcome,) = await account.create_ads([draft])
        assert (outcome.status, type(outcome.error)) == ("unknown", LostReplyError)
        assert "second one" in outcome.notes[0]


async def test_an_ad_that_could_not_be_stopped_is_said_to_be_shown():
    """Creating worked, stopping did not: the outcome has the id and the warning."""
    draft = AdDraft(campaign_id="510", bid=Decimal("0.1"), extra={"campaignType": "product"}, **AD)
    async with scripted({"id": "9001"}, {"errors": ["[ERROR_INVALID_PARAMETER]"]}) as (account, _):
        (outcome,) = await account.create_ads([draft])
        assert (outcome.id, outcome.status) == ("9001", "failed")
        assert "was not paused" in outcome.notes[0]


async def test_an_answer_without_an_id_is_looked_into():
    """A campaign may have been made although the answer does not say which."""
    async with scripted({}, {"510": {"id": 510, "name": "Sleep"}}, [], {"id": 510}) as (account, _):
        (outcome,) = await account.create_campaigns([CampaignDraft(name="Sleep")])
        assert (outcome.status, outcome.id) == ("done", "510")


TEASER = {"id": 9, "title": "Old", "url": "https://a.example/", "imageLink": "https://i.example/1.jpg"}
TEASER |= {"campaignId": 510, "category": {"id": 131}}


@pytest.mark.parametrize(
    ("lost", "look", "status"),
    [
        (RequestTimeoutError("slow"), TEASER, "unknown"),
        (answer(500), TEASER, "failed"),
        (answer(500), {**TEASER, "title": "New"}, "done"),
        (RequestTimeoutError("slow"), answer(404), "unknown"),
    ],
)
async def test_a_lost_edit_is_read_back(lost, look, status):
    """What the network holds decides; where it cannot be read, or has the old content, that is said."""
    async with scripted(TEASER, {"id": 510, "campaignType": "product"}, lost, look) as (account, wire):
        (outcome,) = await account.update_ads([Update("9", {"title": "New "})])
        assert outcome.status == status
        assert [request.route.method for request in wire.sent].count("PUT") == 1


async def test_an_ad_with_blanks_around_its_title_is_adopted_and_paused():
    """The network's texts are read without them: the ad must not be missed, and start once moderation passes it."""
    made = {"id": 9, "campaignId": 510, "status": "onModeration", "title": "Sleep", "url": AD["url"]}
    draft = AdDraft(campaign_id="510", bid=Decimal("0.1"), **{**AD, "title": "Sleep "})
    async with scripted({"id": 510}, answer(500), {"9": made}, {"id": 9}) as (account, wire):
        (outcome,) = await account.create_ads([draft])
        assert (outcome.status, outcome.id) == ("done", "9")
        assert wire.sent[-1].body == b"whetherToBlockByClient=1"


async def test_a_campaign_with_blanks_around_its_name_is_adopted_and_stopped():
    """A name out of a spreadsheet ends in a blank, and the network tells it without."""
    made = {"9": {"id": 9, "name": "Sleep", "status": {"id": 6}}}
    async with scripted(answer(500), made, [], {"id": 9}) as (account, wire):
        (outcome,) = await account.create_campaigns([CampaignDraft(name="Sleep ")])
        assert (outcome.status, outcome.id) == ("done", "9")
        assert wire.sent[-1].body == b"whetherToBlockByClient=1"


async def test_an_edit_whose_reply_was_lost_is_looked_up():
    """An edit sends a teaser to moderation, where a second one would be refused: it is read back instead."""
    async with home() as it:
        row = it.teaser(lambda row: row.own_status == "goodPerformance")
        await it.account.open()
        it.sandbox.faults.once("lost-reply")
        (outcome,) = await it.account.update_ads([Update(str(row.id), {"title": "New"})])
        assert outcome.status == "done"
        assert "reply was lost" in outcome.notes[0]
        assert len(it.writes) == 1


async def test_changes_that_set_a_state_are_sent_again():
    """Stopping twice is stopping once, so that a lost reply is no trouble."""
    async with home() as it:
        row = it.campaign(plain)
        await it.account.open()
        it.sandbox.faults.once("lost-reply")
        (outcome,) = await it.account.update_campaigns([Update(str(row.id), {"status": "paused"})])
        assert (outcome.status, len(it.writes)) == ("done", 2)


async def test_an_ad_deleted_by_a_lost_request_is_deleted():
    """The second attempt finds nothing, and that is what was wanted."""
    async with home() as it:
        number = str(it.teaser().id)
        await it.account.open()
        it.sandbox.faults.once("lost-reply")
        (outcome,) = await it.account.delete_ads([number])
        assert (outcome.status, len(it.writes)) == ("done", 2)
        assert int(number) not in it.sandbox.account.teasers


async def test_a_campaign_deleted_by_a_lost_request_is_deleted():
    """So it is with campaigns."""
    async with home() as it:
        number = str(it.campaign(lambda row: row.status in {4, 12} and row.type != "video").id)
        await it.account.open()
        it.sandbox.faults.once("lost-reply")
        (outcome,) = await it.account.delete_campaigns([number])
        assert (outcome.status, len(it.writes)) == ("done", 2)


async def test_what_came_of_a_change_may_stay_unknown():
    """A network that never answers leaves it unknown whether a campaign was stopped."""
    async with scripted(*[RequestTimeoutError("slow")] * 5) as (account, _):
        (outcome,) = await account.update_campaigns([Update("510", {"status": "paused"})])
        assert (outcome.status, isinstance(outcome.error, TransportError)) == ("unknown", True)
        assert outcome.notes == ("may have been saved: status",)


# ---------------------------------------------------------------------- reading


@pytest.mark.parametrize("fault", ["429", "500", "502", "503", "408", "reset", "half", "slow"])
async def test_reading_outlasts_a_fault(fault):
    """Reads are tried again, and the rows are the same as without the fault."""
    async with home(slow_s=0.01) as it:
        expected = await rows(it.account.list_campaigns())
        it.sandbox.faults.once(fault, 2)
        assert await rows(it.account.list_campaigns()) == expected


@pytest.mark.parametrize("fault", ["html", "badjson"])
async def test_reading_something_else_than_json_says_so(fault):
    """What is no JSON is a DecodeError with an excerpt, and no half of a list is taken for the whole."""
    async with home() as it:
        await it.account.open()
        it.sandbox.faults.once(fault)
        with pytest.raises(DecodeError) as caught:
            await rows(it.account.list_campaigns())
        assert (caught.value.operation, caught.value.network) == ("campaigns.list", "adskeeper")
        assert caught.value.excerpt


async def test_no_more_than_three_are_in_flight():
    """By default at most three requests are under way at once, below the five that are allowed."""
    api = attrs.evolve(BUCKETS[0], windows=())
    async with home(options={"limits": {"api": api}}, latency_s=0.005) as it:
        await rows(it.account.list_stats(since=SINCE, until=UNTIL, level="source"))
        assert it.sandbox.max_seen_in_flight == 3


PART = {"id": 77, "errors": ["[LANGUAGES_WITH_THESE_IDS_DO_NOT_EXIST]"], "data": ["9999"]}


@pytest.mark.parametrize("status", ["paused", "active"])
async def test_a_campaign_made_in_part_says_so(status):
    """It exists and has an id, it is stopped like any other, and what it lacks is told."""
    async with scripted(PART, {"id": 77}) as (account, wire):
        (outcome,) = await account.create_campaigns([CampaignDraft(name="Sleep", status=status)])
        assert (outcome.id, outcome.status) == ("77", "failed")
        assert outcome.error.code == "LANGUAGES_WITH_THESE_IDS_DO_NOT_EXIST"
        assert "not saved: 9999" in outcome.notes
        assert len(wire.sent) == (2 if status == "paused" else 1)


@pytest.mark.parametrize("status", ["paused", "active"])
async def test_an_ad_made_in_part_says_so(status):
    """It exists and has an id, and what it lacks is told."""
    campaign = {"12": {"id": 12, "name": "Sleep", "status": {"id": 6}}}
    draft = AdDraft(campaign_id="12", bid=Decimal("0.1"), status=status, **AD)
    async with scripted(campaign, PART, {"id": 77}) as (account, _):
        (outcome,) = await account.create_ads([draft])
        assert (outcome.id, outcome.status) == ("77", "failed")
        assert "not saved: 9999" in outcome.notes
