"""Creating, changing and deleting ads: prices in cents, content as a whole, moderation."""

from decimal import Decimal
from urllib.parse import parse_qsl

import attrs
import pytest

from adnet.errors import (
    AccessDeniedError,
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    UnsupportedError,
)
from adnet.models import AdDraft, Update
from adnet.money import Money
from adnet.testing.fakes import answer
from tests.connectors.adskeeper.kit import home, scripted

VARIANTS = pytest.mark.parametrize(
    "variant", [{}, {"validation_status": 422}, {"pagination": "page1", "unknown_status": 200}], ids=str
)
AD = {"title": "Sleep", "url": "https://shop.example/?a=1&b=2", "image_url": "https://i.example/1.jpg"}


def form(request):
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def plain(row):
    return row.type == "product" and not row.by_sources and not row.dsp and row.own_status in {6, 7}


async def test_an_ad_is_created_stopped():
    """Its price goes in cents, its address is encoded once, and it is stopped at once."""
    async with home() as it:
        campaign = str(it.campaign(plain).id)
        draft = AdDraft(campaign_id=campaign, bid=Money("0.125", "USD"), text="Well", **AD)
        (outcome,) = await it.account.create_ads([draft])
        assert outcome.ok, outcome
        assert form(it.writes[0])["priceOfClick"] == "12.5"
        held = it.sandbox.account.teasers[int(outcome.id)]
        assert (held.url, held.price, held.blocked) == (AD["url"], Decimal("12.5"), True)
        ad = await it.account.get_ad(outcome.id)
        assert (ad.bid, ad.status, ad.text) == (Money("0.125", "USD"), "paused", "Well")


async def test_the_type_of_its_campaign_decides_about_an_ad():
    """Push titles are at most 30 characters: the campaign is looked up once, and the field named."""
    async with home() as it:
        push = str(it.campaign(lambda row: row.type == "push" and row.own_status != 14).id)
        long = {**AD, "title": "x" * 31}
        drafts = [
            AdDraft(campaign_id=push, bid=Decimal("0.1"), text="t", extra={"category": 131}, **long),
            AdDraft(campaign_id=push, bid=Decimal("0.1"), **AD),
            AdDraft(campaign_id="7", bid=Decimal("0.1"), **AD),
            AdDraft(bid=Decimal("0.1"), **AD),
            AdDraft(campaign_id=push, **AD),
            AdDraft(campaign_id=push, bid=Decimal("0.1234"), text="t", extra={"category": 131}, **AD),
        ]
        found = await it.account.create_ads(drafts)
        assert found[0].error.fields.keys() == {"title"}
        assert found[1].error.fields.keys() == {"text", "extra.category"}
        assert isinstance(found[2].error, NotFoundError)
        assert found[3].error.fields.keys() == {"campaign_id"}
        assert found[4].error.fields.keys() == found[5].error.fields.keys() == {"bid"}
        assert it.writes == []
        assert len(it.sent("GET", f"/campaigns/{push}")) == 1


@VARIANTS
async def test_content_is_replaced_as_a_whole(variant):
    """The network takes all content or none: what is not named is sent as it is, moderation begins again."""
    async with home(**variant) as it:
        row = it.teaser(lambda row: row.own_status == "goodPerformance" and row.good_price)
        before = await it.account.get_ad(str(row.id))
        fields = {"title": "New title", "status": "active", "bid": Money("0.05", "USD")}
        (outcome,) = await it.account.update_ads([Update(str(row.id), fields)])
        assert outcome.ok, outcome
        put, price, status = it.writes
        assert [request.method for request in (put, price, status)] == ["PUT", "PATCH", "PATCH"]
        after = await it.account.get_ad(str(row.id))
        assert after == attrs.evolve(
            before, title="New title", bid=Money("0.05", "USD"), status="pending", status_raw="onModeration"
        )


WHOLE = {
    "id": 9, "campaignId": 510, "title": "t", "advertText": "Well", "url": "https://shop.example/",
    "imageLink": "https://i.example/1.jpg", "category": {"id": "100"}, "goodPrice": None, "currency": None,
}  # fmt: skip
CAMPAIGN = {"id": 510, "campaignType": "product"}


@pytest.mark.parametrize("zero", [0, "0", "0.00", None, ""])
async def test_a_price_of_nothing_is_not_shown_again(zero):
    """Ads without a price of goods tell zero or nothing: their content can be edited all the same."""
    row = {**WHOLE, "goodPrice": zero, "goodOldPrice": zero, "currency": 5}
    async with scripted(row, CAMPAIGN, {"id": 9}) as (account, wire):
        (outcome,) = await account.update_ads([Update("9", {"title": "New"})])
        assert outcome.ok, outcome
        sent = form(wire.sent[-1])
        assert (sent["title"], sent["whetherShowGoodPrice"]) == ("New", "0")
        assert not sent.keys() & {"goodPrice", "goodOldPrice", "currency"}


@pytest.mark.parametrize("nothing", [None, ""])
async def test_a_text_is_taken_away(nothing):
    """A text that is not sent stays, so an empty one is; where there is none already nothing is sent."""
    async with scripted(WHOLE, CAMPAIGN, {"id": 9}) as (account, wire):
        (outcome,) = await account.update_ads([Update("9", {"text": nothing})])
        assert (outcome.status, form(wire.sent[-1])["advertText"]) == ("done", "")
    async with scripted({**WHOLE, "advertText": nothing}) as (account, wire):
        (outcome,) = await account.update_ads([Update("9", {"text": nothing})])
        assert (outcome.status, len(wire.sent)) == ("unchanged", 1)


def priced(*cents):
    """Return an ad whose locations cost so much a click."""
    prices = [{"locationId": str(number), "priceOfClick": price} for number, price in enumerate(cents)]
    return {"id": 9, "campaignId": 510, "title": "t", "priceOfClickByLocations": prices}


@pytest.mark.parametrize(
    ("cents", "bid"), [(("30", "30"), "0.35"), (("30", "2"), "0.02"), (("30", None), "0.35"), ((), "0.35")]
)
async def test_a_bid_is_one_price_for_all_locations(cents, bid):
    """It may raise what costs the same everywhere, and lower all."""
    async with scripted(priced(*cents), {"id": 9}) as (account, wire):
        (outcome,) = await account.update_ads([Update("9", {"bid": Decimal(bid)})])
        assert outcome.ok, outcome
        assert len(wire.sent) == 2


async def test_a_bid_that_is_too_fine_is_told_in_its_unit():
    """Twelve and a bit are cents: who gave a bid in dollars must not take them for dollars."""
    async with scripted(priced("30")) as (account, _):
        (outcome,) = await account.update_ads([Update("9", {"bid": Decimal("0.1255")})])
        assert outcome.error.fields == {"bid": "in cents at most 1 decimals, not 12.55"}


@pytest.mark.parametrize("bid", ["0.25", "0.35", "0.021"])
async def test_a_bid_raises_no_cheaper_location(bid):
    """Who lowers thirty cents to twenty-five means no country that costs two."""
    async with scripted(priced("30", "2")) as (account, wire):
        (outcome,) = await account.update_ads([Update("9", {"bid": Decimal(bid)})])
        assert "they cost 2 to 30 cents a click" in outcome.error.message
        assert outcome.error.fields.keys() == {"bid"}
        assert len(wire.sent) == 1


async def test_many_bids_are_looked_up_together():
    """What each costs now is read in pages; an ad that is no longer listed is read by itself."""
    async with home() as it:
        live = [row for row in it.sandbox.account.teasers.values() if row.own_status == "goodPerformance"]
        updates = [Update(str(row.id), {"bid": Decimal("0.05")}) for row in live[:30]]
        found = await it.account.update_ads([*updates, Update("7", {"bid": Decimal("0.05")})])
        assert [outcome.ok for outcome in found] == [True] * 30 + [False]
        assert len(it.writes) == 30
        assert len([r for r in it.sent("GET") if "/teasers" in r.path]) < 10


async def test_many_bids_that_cannot_be_looked_up_fail_one_by_one():
    """Each has its outcome, and refused credentials are not tried again and again."""
    async with scripted(*[answer(401)] * 5) as (account, wire):
        found = await account.update_ads([Update(str(n), {"bid": Decimal("0.05")}) for n in range(30)])
        assert {type(outcome.error) for outcome in found} == {AuthenticationError}
        assert len(wire.sent) <= 5


async def test_the_same_content_is_not_sent():
    """An edit that changes nothing, or only blanks around a text, does not send an ad back to moderation."""
    async with home() as it:
        row = it.teaser(lambda row: row.own_status == "goodPerformance")
        (outcome,) = await it.account.update_ads([Update(str(row.id), {"title": row.title})])
        assert (outcome.status, it.writes) == ("unchanged", [])
        blanks = {"title": f"{row.title} ", "url": f" {row.url}", "image_url": f"{row.image}\n"}
        (outcome,) = await it.account.update_ads([Update(str(row.id), blanks)])
        assert (outcome.status, it.writes) == ("unchanged", [])


async def test_a_price_shown_in_an_ad_is_set_and_taken_away():
    """``goodPrice`` and its companions go together; None takes the price away."""
    async with home() as it:
        row = it.teaser(lambda row: row.own_status == "goodPerformance" and not row.good_price)
        number = str(row.id)
        half = {"extra": {"goodPrice": Decimal("1.5")}}
        (outcome,) = await it.account.update_ads([Update(number, half)])
        assert outcome.error.fields.keys() == {"extra.currency"}
        good = {"extra": {"goodPrice": "1.5", "goodOldPrice": 2, "currency": 6}}
        assert (await it.account.update_ads([Update(number, good)])).ok
        assert (await it.account.get_ad(number)).extra["goodPrice"] == Decimal("1.5")
        it.sandbox.approve_teaser(row.id)
        assert (await it.account.update_ads([Update(number, {"extra": {"goodPrice": None}})])).ok
        assert "goodPrice" not in (await it.account.get_ad(number)).extra


@VARIANTS
async def test_ads_that_cannot_be_edited_say_why(variant):
    """On moderation, unknown, with text in place of a number: typed errors, nothing half done."""
    async with home(**variant) as it:
        pending = str(it.teaser(lambda row: row.own_status == "onModeration").id)
        rejected = str(it.teaser(lambda row: row.own_status == "rejected").id)
        found = await it.account.update_ads(
            [
                Update(pending, {"title": "New"}),
                Update(rejected, {"title": "New"}),
                Update("7", {"status": "paused"}),
                Update(rejected, {"bid": "cheap"}),
                Update(rejected, {"kind": "video"}),
            ]
        )
        assert [type(outcome.error) for outcome in found] == [
            ConflictError, type(None), NotFoundError, InvalidRequestError, UnsupportedError,
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"bid": None}, "bid"),
        ({"extra": {"category": "Sleep"}}, "extra.category"),
        ({"extra": {"category": True}}, "extra.category"),
        ({"extra": {"goodPrice": "much", "goodOldPrice": 1, "currency": 5}}, "extra.goodPrice"),
        ({"title": "New", "extra": {"image_size": 600}}, "extra.image_size"),
        ({"title": "New", "extra": {"image_size": (100, 100)}}, "image_url"),
        ({"text": "x" * 91}, "text"),
        ({"title": None}, "title"),
    ],
    ids=str,
)
async def test_content_of_no_use_names_its_field(fields, name):
    """Each value is checked before the teaser is touched."""
    async with home() as it:
        row = it.teaser(lambda row: row.own_status == "goodPerformance")
        (outcome,) = await it.account.update_ads([Update(str(row.id), fields)])
        assert outcome.error.fields.keys() == {name}
        assert it.writes == []


async def test_an_ad_takes_what_its_draft_has():
    """Category, a shown price, and what only this network has go along."""
    async with home() as it:
        campaign = it.campaign(plain)
        extra = {"categoryId": campaign.category, "goodPrice": 5, "goodOldPrice": 6, "currency": 5}
        extra |= {"callToAction": "Buy", "image_size": (500, 400)}
        draft = AdDraft(
            campaign_id=str(campaign.id), bid=Money("0.1", "USD"), status="active", extra=extra, **AD
        )
        (outcome,) = await it.account.create_ads([draft])
        assert outcome.ok
        assert "600x382" in outcome.notes[0]
        assert form(it.writes[0])["callToAction"] == "Buy"
        assert "image_size" not in form(it.writes[0])
        (failed,) = await it.account.create_ads([attrs.evolve(draft, status="ended")])
        assert failed.error.fields.keys() == {"status"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("priceOfClick", "500"),
        ("priceOfClickByLocation", "500"),
        ("whetherToBlockByClient", 0),
        ("campaignId", "77"),
        ("title", "Other"),
        ("whetherShowGoodPrice", 1),
    ],
)
async def test_what_has_a_field_of_its_own_is_refused_beside_it(name, value):
    """A price or a start that no plan counts would go along with the content, and might be heeded."""
    extra = {name: value}
    async with scripted(WHOLE) as (account, wire):
        (edited,) = await account.update_ads([Update("9", {"extra": extra})])
        draft = AdDraft(
            campaign_id="510", bid=Decimal("0.1"), extra={**extra, "campaignType": "product"}, **AD
        )
        (made,) = await account.create_ads([draft])
        assert edited.error.fields.keys() == made.error.fields.keys() == {f"extra.{name}"}
        assert [request.route.method for request in wire.sent] == ["GET"]


@VARIANTS
async def test_ads_are_deleted_one_by_one(variant):
    """A teaser that is not there, told as a bare word, fails by itself."""
    async with home(**variant) as it:
        number = str(it.teaser().id)
        found = await it.account.delete_ads([number, "7"])
        assert [type(outcome.error) for outcome in found] == [type(None), NotFoundError]
        assert found.ids == (number, "7")
        assert int(number) not in it.sandbox.account.teasers


async def test_a_dead_token_is_asked_once_for_a_whole_batch():
    """After the first refusal of the credentials nothing further is sent, and every item says so."""
    async with home() as it:
        await it.account.open()
        it.sandbox.revoke_tokens()
        before = len(it.sandbox.log)
        ids = [str(number) for number in it.sandbox.account.teasers]
        found = await it.account.delete_ads(ids)
        assert {type(outcome.error) for outcome in found} == {AuthenticationError}
        assert len(it.sandbox.log) - before <= 3
        assert not isinstance(found[0].error, AccessDeniedError)
