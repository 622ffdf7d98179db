"""The documented rules, held before anything is sent: each error names field and rule."""

from decimal import Decimal

import pytest

from adnet.connectors.adskeeper.auth import Dialect
from adnet.connectors.adskeeper.calls import campaigns, conversions, sources, targetings, teasers
from adnet.errors import ConfigurationError, InvalidRequestError
from tests.connectors.adskeeper.kit import home

PLAIN = Dialect()
TEASER = {
    "url": "https://shop.example/",
    "campaign_id": "510",
    "title": "Sleep",
    "image": "https://i.example/1.jpg",
    "price_cents": Decimal("12.5"),
}
CONTENT = {name: value for name, value in TEASER.items() if name != "price_cents"}
UTM = {"utm_source": "a", "utm_campaign": "b", "utm_medium": "c"}


def new(**settings):
    return campaigns.create(PLAIN, **({"name": "Sleep"} | settings))


def teaser(**content):
    return teasers.create(**(TEASER | content))


def limits(kind, **values):
    return campaigns.set_limits(PLAIN, "510", limit_type=kind, **values)


BROKEN = [
    ("name", lambda: new(name="x" * 129)),
    ("name", lambda: new(name="")),
    ("advertiserName", lambda: new(advertiser_name="")),
    ("advertiserName", lambda: new(advertiser_name="x" * 26)),
    ("startDate", lambda: new(start_date="01.02.2026")),
    ("startDate", lambda: new(start_date="2026-02-30")),
    ("endDate", lambda: new(start_date="2026-02-02", end_date="2026-02-01")),
    ("keyword", lambda: new(campaign_type="search_feed")),
    ("dailyLimit", lambda: new(limit_type="clicks_limits")),
    ("limitType", lambda: new(daily_limit=Decimal(100))),
    ("limitType", lambda: new(overall_limit="")),
    ("limitType", lambda: new(split_evenly=True)),
    ("dailyLimit", lambda: new(dailyLimit=100)),
    ("daily_limit", lambda: campaigns.create_basic(PLAIN, name="Sleep", daily_limit=100)),
    ("utm_campaign", lambda: new(utm={"utm_source": "a", "utm_medium": "c"})),
    ("utm_source", lambda: new(utm={**UTM, "utm_source": "ä"})),
    ("utm_medium", lambda: new(utm={**UTM, "utm_medium": "x" * 201})),
    ("utm_custom", lambda: campaigns.set_utm("510", {"utm_custom": "x" * 201})),
    ("utm_custom", lambda: campaigns.set_utm("510", {"utm_custom": "adclid={click_id}"})),
    ("utm_custom", lambda: campaigns.set_utm("510", {"utm_custom": "a b"})),
    ("utm_term", lambda: campaigns.set_utm("510", {"utm_term": "a"})),
    ("utm_source", lambda: campaigns.set_utm("510", {})),
    ("limitType", lambda: limits("shows_limits", daily=500)),
    ("dailyLimit", lambda: limits("clicks_limits")),
    ("dailyLimit", lambda: limits("clicks_limits", daily=499)),
    ("dailyLimit", lambda: limits("clicks_limits", daily=Decimal("500.5"))),
    ("dailyLimit", lambda: limits("budget_limits", daily=Decimal("9.999"))),
    ("dailyLimit", lambda: limits("budget_limits", daily=9.5)),
    ("dailyLimit", lambda: limits("budget_limits", daily=-1)),
    ("overallLimit", lambda: limits("clicks_limits", daily=500, overall=500)),
    ("overallLimit", lambda: limits("budget_limits", daily=9, overall=Decimal("8.99"))),
    ("title", lambda: teaser(title="x" * 91)),
    ("title", lambda: teaser(title="x" * 31, campaign_type="push", text="t", category=131)),
    ("title", lambda: teaser(title="In {City}", campaign_type="push", text="t", category=131)),
    ("advertText", lambda: teaser(text="{City}", campaign_type="push", category=131)),
    ("advertText", lambda: teaser(text="x" * 91)),
    ("advertText", lambda: teaser(text="x" * 41, campaign_type="push", category=131)),
    ("advertText", lambda: teaser(campaign_type="push", category=131)),
    ("categoryId", lambda: teaser(campaign_type="push", text="t")),
    ("url", lambda: teaser(url="")),
    ("url", lambda: teaser(url="https://shop.example/?adclida=1")),
    ("imageLink", lambda: teaser(image="")),
    ("imageLink", lambda: teaser(image_size=(491, 400))),
    ("imageLink", lambda: teaser(image_size=(600, 327))),
    ("campaignId", lambda: teaser(campaign_id="")),
    ("priceOfClick", lambda: teaser(price_cents=Decimal("12.55"))),
    ("priceOfClick", lambda: teaser(price_cents=Decimal(0))),
    ("priceOfClick", lambda: teasers.set_price("9", "much")),
    ("goodPrice", lambda: teaser(goodPrice=2)),
    ("price", lambda: teasers.edit("9", price=2, category=131, **CONTENT)),
    ("goodPrice", lambda: teaser(good_price={"currency": 5, "goodPrice": -1, "goodOldPrice": 2})),
    ("category", lambda: teasers.edit("9", **CONTENT)),
    ("browsers", lambda: targetings.edit("510", "browsers", "exclude", ["chrome"])),
    ("browsers", lambda: targetings.edit("510", "browsers", "include", [])),
    ("browsers", lambda: targetings.edit("510", "browsers", "include", ["a,b"])),
    ("ipsFilter", lambda: sources.edit_ips("510", "include", "except", ["shop.example"])),
    ("ipsFilter", lambda: sources.edit_ips("510", "include", "except", [])),
    ("widgetsFilterUid", lambda: sources.edit_widgets("510", "include", "except", [])),
    ("sourceFilters", lambda: sources.edit_sources("510", "include", "blocklist", ["a,b"])),
    ("qualityFactor", lambda: sources.set_quality_factors("510", {"5_s_6": 1})),
    ("qualityFactor", lambda: sources.set_quality_factors("510", {"5": 0})),
    ("widgetQualityFactor", lambda: sources.set_widget_factors("510", {})),
    ("stages", lambda: conversions.delete("510", [])),
    ("stages", lambda: conversions.delete("510", ["lead"])),
    ("stages", lambda: conversions.edit("510", {"buy": {"id": 1}, "interest": {"id": 1}})),
    ("price", lambda: conversions.edit("510", {"buy": {"id": 1, "price": 2}})),
    ("buy", lambda: conversions.create("510", {"buy": {"targetType": "visit", "categoryId": 6}})),
    ("buy", lambda: conversions.create("510", {"buy": {"targetType": "url", "categoryId": 6}})),
    ("buy", lambda: conversions.create("510", {"buy": {"targetType": "event", "categoryId": 6}})),
]


@pytest.mark.parametrize(("field", "make"), BROKEN)
def test_a_broken_rule_names_its_field(field, make):
    """What breaks a documented rule is refused without a request, field and rule named."""
    with pytest.raises(InvalidRequestError) as caught:
        make()
    assert field in caught.value.fields
    assert field in caught.value.message
    assert caught.value.attempts == 0


KEPT = [
    lambda: new(name="x" * 128, advertiser_name="x" * 25, start_date="2026-02-28"),
    lambda: new(limit_type="clicks_limits", daily_limit=500, overall_limit=501),
    lambda: new(utm={**UTM, "utm_custom": "sub={widget_id}&u=a-b_c=d+e&f@g/h:i^j.k"}),
    lambda: campaigns.set_utm("510", dict.fromkeys(UTM, "")),
    lambda: limits("budget_limits", daily="", overall=Decimal("10.50")),
    lambda: teaser(title="x" * 65, text="x" * 75, image_size=(600, 382)),
    lambda: teaser(title="x" * 30, text="x" * 40, campaign_type="push", category=131),
    lambda: teaser(url="https://shop.example/?myadclid=1"),
    lambda: sources.edit_ips("510", "exclude", "off"),
]


@pytest.mark.parametrize("make", KEPT)
def test_a_rule_that_is_kept_says_nothing(make):
    """Values at the edge of what is allowed pass without a word."""
    assert make().notes == ()


NOTED = [
    ("campaignType", lambda: new(campaign_type="video")),
    ("language", lambda: new(language="xx")),
    ("languageTargets", lambda: new(language_targets=[999])),
    ("categoryId", lambda: new(category_id=999)),
    ("browserTargets", lambda: new(browsers=["netscape"])),
    ("endDate", lambda: new(end_date="2027-01-01", limit_type="clicks_limits", daily_limit=500)),
    ("utm_custom", lambda: campaigns.set_utm("510", {"utm_custom": "s={source}"})),
    ("title", lambda: teaser(title="In {city}")),
    ("title", lambda: teaser(title="x" * 90)),
    ("advertText", lambda: teaser(text="x" * 76)),
    ("imageLink", lambda: teaser(image="https://i.example/picture")),
    ("imageLink", lambda: teaser(image_size=(500, 330))),
    ("categoryId", lambda: teaser(category=208, campaign_type="product")),
    ("currency", lambda: teaser(good_price={"currency": 99, "goodPrice": 1, "goodOldPrice": 2})),
    ("operatingsystems", lambda: targetings.edit("510", "operatingsystems", "exclude", ["ios26mobile"])),
    ("geo", lambda: targetings.set_geo(PLAIN, "510", countries=["us"], cities=[2])),
]


@pytest.mark.parametrize(("field", "make"), NOTED)
def test_what_may_change_is_only_a_note(field, make):
    """The network's tables and formats are its own business: it is sent, and the user is told."""
    (note,) = make().notes
    assert note.startswith(field)


def test_all_that_is_wrong_is_told_at_once():
    """One error names every field."""
    with pytest.raises(InvalidRequestError) as caught:
        teaser(title="", image="", url="", price_cents=0)
    assert caught.value.fields.keys() == {"title", "imageLink", "url", "priceOfClick"}


def test_spreading_is_never_sent_by_guess():
    """Editions contradict each other about 0 and 1, so that an explicit dialect is needed."""
    with pytest.raises(ConfigurationError, match="split_daily_limit"):
        limits("clicks_limits", daily=500, split_evenly=True)
    assert "splitDailyLimitEvenly" not in {k for k, v in limits("clicks_limits", daily=500).form.items() if v}


@pytest.mark.parametrize(("dialect", "on"), [("seed", "0"), ("new", "1")])
def test_spreading_is_written_as_the_edition_has_it(dialect, on):
    """What means on in one edition means off in the other."""
    spoken = Dialect(split_daily_limit=dialect)
    call = campaigns.set_limits(spoken, "510", limit_type="clicks_limits", daily=500, split_evenly=True)
    assert call.form["splitDailyLimitEvenly"] == on
    off = campaigns.set_limits(spoken, "510", limit_type="clicks_limits", daily=500, split_evenly=False)
    assert off.form["splitDailyLimitEvenly"] != on
    with pytest.raises(InvalidRequestError, match="splitDailyLimitEvenly"):
        campaigns.set_limits(
            spoken, "510", limit_type="clicks_limits", daily=500, overall=900, split_evenly=True
        )


async def test_nothing_is_sent_when_a_rule_is_broken():
    """The network sees no request of a call that breaks a rule."""
    async with home() as it:
        before = len(it.sandbox.log)
        with pytest.raises(InvalidRequestError):
            await it.native.campaigns.create(name="")
        assert len(it.sandbox.log) == before
