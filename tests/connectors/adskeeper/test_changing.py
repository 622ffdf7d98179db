"""Creating, changing and deleting: exact requests, outcomes for each item, and what the network then holds."""

from datetime import date
from decimal import Decimal
from urllib.parse import parse_qsl

import attrs
import pytest

import adnet
from adnet.connectors.adskeeper.changes.values import amount
from adnet.connectors.adskeeper.codec import Book
from adnet.errors import (
    ConfigurationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    UnsupportedError,
)
from adnet.models import AdDraft, CampaignDraft, Update
from adnet.money import Money
from tests.connectors.adskeeper.kit import home, rows, scripted

VARIANTS = pytest.mark.parametrize(
    "variant", [{}, {"validation_status": 422}, {"pagination": "page1", "unknown_status": 200}], ids=str
)
AD = {"title": "Sleep", "url": "https://shop.example/?a=1&b=2", "image_url": "https://i.example/1.jpg"}


def form(request):
    return dict(parse_qsl(request.body.decode(), keep_blank_values=True))


def plain(row):
    return row.type == "product" and not row.by_sources and not row.dsp and row.own_status in {6, 7}


# ---------------------------------------------------------------------- campaigns


async def test_a_campaign_is_created_stopped():
    """All that a draft has is sent at once, and then the campaign is stopped; it has no ads that could spend."""
    async with home() as it:
        draft = CampaignDraft(
            name="Sleep",
            daily_budget=Money("12.50", "USD"),
            total_budget=Money("100", "USD"),
            starts_on=date(2026, 10, 1),
            targeting={"geo": {"countries": ["us"]}, "browsers": ["chrome"], "browserslanguage": [1]},
            tracking={"utm_source": "a", "utm_medium": "b", "utm_campaign": "c"},
            extra={"campaignType": "push", "language": "de", "advertiserName": "Shop"},
        )
        (outcome,) = await it.account.create_campaigns([draft])
        assert (outcome.status, outcome.notes) == ("done", ())
        create, block = it.writes
        assert form(create)["name"] == "Sleep"
        assert (create.method, block.method, form(block)) == (
            "POST",
            "PATCH",
            {"whetherToBlockByClient": "1"},
        )
        held = it.sandbox.account.campaigns[int(outcome.id)]
        assert (held.blocked, held.type, held.limits.daily) == (True, "push", Decimal("12.5"))
        assert (await it.account.get_campaign(outcome.id)).status == "paused"


async def test_a_campaign_that_shall_run_is_not_stopped():
    """A draft that is active takes one request."""
    async with home() as it:
        (outcome,) = await it.account.create_campaigns([CampaignDraft(name="Sleep", status="active")])
        assert outcome.ok
        assert len(it.writes) == 1


async def test_what_a_new_campaign_cannot_be_given_is_set_after_it():
    """Filters and factors of a draft become further writes."""
    async with home() as it:
        widgets = {"filterType": "except", "widgets": {"5600001": ["12"]}}
        extra = {"qualityFactor": {"5600014": Decimal("1.5")}, "searchFeedProviderId": 7}
        draft = CampaignDraft(name="Sleep", targeting={"widgetsFilterUid": widgets}, extra=extra)
        (outcome,) = await it.account.create_campaigns([draft])
        assert outcome.ok
        assert form(it.writes[0])["searchFeedProviderId"] == "7"
        assert [next(iter(form(request))) for request in it.writes[1:]] == [
            "whetherToBlockByClient",
            "widgetsFilterUid",
            "qualityFactor",
        ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"targeting": {"widgetsFilterUid": {"widgets": {"1": []}, "filterType": "some"}}},
        {"targeting": {"phonePriceRange": ["a,b"]}},
        {"targeting": {"weather": []}},
        {"targeting": {"browserslanguage": ["en"]}},
        {"targeting": {"geo": {"planets": ["Mars"]}}},
        {"targeting": {"geo": {"countries": "US"}}},
        {"extra": {"qualityFactor": {"1": 0}}},
        {"status": "rejected"},
    ],
    ids=str,
)
async def test_a_draft_holds_the_rules_before_any_of_it_is_sent(wrong):
    """What would be set only after the creation is checked before it: no campaign is left half made."""
    async with home() as it:
        (outcome,) = await it.account.create_campaigns([CampaignDraft(name="Sleep", **wrong)])
        assert (outcome.status, outcome.id, it.writes) == ("failed", None, [])


async def test_a_draft_may_have_a_phone_price():
    """A targeting that a new campaign cannot be given follows its creation."""
    async with home() as it:
        draft = CampaignDraft(name="Sleep", status="active", targeting={"phonePriceRange": [3, 4]})
        (outcome,) = await it.account.create_campaigns([draft])
        assert outcome.ok
        assert it.sandbox.account.campaigns[int(outcome.id)].prices == [3, 4]


@VARIANTS
async def test_outcomes_stand_in_the_order_of_the_drafts(variant):
    """A name that is taken and a rule that is broken fail by themselves, and name their fields."""
    async with home(**variant) as it:
        taken = it.campaign(lambda row: row.own_status != 14).name
        drafts = [
            CampaignDraft(name="one"),
            CampaignDraft(name=taken),
            CampaignDraft(name="two", daily_clicks=499),
            CampaignDraft(name="three", bid=Money("1", "USD")),
            CampaignDraft(name="four", ads=(AdDraft(title="t"),)),
            CampaignDraft(name="five", daily_clicks=500, daily_budget=Money("9", "USD")),
            CampaignDraft(name="six", daily_budget=Money("9", "EUR")),
            CampaignDraft(name="seven"),
        ]
        found = await it.account.create_campaigns(drafts)
        kinds = [type(outcome.error) for outcome in found]
        assert kinds == [
            type(None), ConflictError, InvalidRequestError, UnsupportedError, UnsupportedError,
            InvalidRequestError, InvalidRequestError, type(None),
        ]  # fmt: skip
        assert found[2].error.fields.keys() == {"daily_clicks"}
        assert "EUR" in found[6].error.message
        names = {campaign.name for campaign in await rows(it.account.list_campaigns())}
        assert {"one", "seven"} <= names
        assert not {"two", "three", "four", "five", "six"} & names


@VARIANTS
async def test_only_named_fields_are_sent(variant):
    """One field is one write, and nothing else of the campaign changes."""
    async with home(**variant) as it:
        row = it.campaign(lambda row: plain(row) and row.utm and row.limits.type == "budget_limits")
        before = await it.account.get_campaign(row.id)
        await it.account.update_campaigns([Update(row.id, {"total_budget": Money("5000", "USD")})])
        (sent,) = it.writes
        assert form(sent) == {"limitType": "budget_limits", "overallLimit": "5000"}
        after = await it.account.get_campaign(row.id)
        assert attrs.evolve(before, total_budget=Money("5000", "USD")) == after


async def test_a_diff_of_models_is_an_update():
    """Editing a value and sending the difference does what it says; no difference sends nothing."""
    async with home() as it:
        old = await it.account.get_campaign(it.campaign(lambda row: plain(row) and row.utm).id)
        new = attrs.evolve(
            old,
            status="paused",
            tracking={**old.tracking, "utm_source": "new"},
            targeting={
                **old.targeting,
                "geo": {"countries": ["DE", "FR"], "cities": []},
                "operatingsystems": ["ios17mobile", "macos150"],
                "browserslanguage": [3, 7],
                "phonePriceRange": [9, 10],
                "ipsFilter": {"filterType": "only", "ips": ["192.0.2.9"]},
                "widgetsFilterUid": {
                    "filterType": "only",
                    "widgets": {"5600001": [], "5600014": ["9", "10"]},
                },
            },
        )
        (outcome,) = await it.account.update_campaigns([adnet.diff(old, new)])
        assert outcome.ok, outcome
        assert await it.account.get_campaign(old.campaign_id) == attrs.evolve(new, status_raw="4")
        count = len(it.writes)
        (outcome,) = await it.account.update_campaigns([adnet.diff(new, new)])
        assert (outcome.status, len(it.writes)) == ("unchanged", count)


async def test_what_is_so_already_is_not_sent():
    """A targeting that is wished as it is takes no write."""
    async with home() as it:
        row = it.campaign(lambda row: row.systems and row.browsers and row.languages)
        targeting = (await it.account.get_campaign(row.id)).targeting
        (outcome,) = await it.account.update_campaigns([Update(row.id, {"targeting": targeting})])
        assert (outcome.status, it.writes) == ("unchanged", [])


async def test_marks_that_go_together_are_sent_together():
    """Changing one of the three sends the other two as they are; none lifts them all."""
    async with home() as it:
        row = it.campaign(lambda row: plain(row) and row.utm)
        await it.account.update_campaigns([Update(row.id, {"tracking": {"utm_source": "new"}})])
        assert form(it.writes[0]) == {
            "utm_source": "new", "utm_campaign": str(row.id), "utm_medium": "cpc"
        }  # fmt: skip
        await it.account.update_campaigns(
            [Update(row.id, {"tracking": {"utm_source": None, "utm_medium": None, "utm_campaign": None}})]
        )
        assert it.sandbox.account.campaigns[row.id].utm == {}
        await it.account.update_campaigns([Update(row.id, {"tracking": {"utm_custom": "s={widget_id}"}})])
        assert it.sandbox.account.campaigns[row.id].utm == {"utm_custom": "s={widget_id}"}


@pytest.mark.parametrize(
    ("custom", "sent"), [("s={click_id}", {"utm_custom": "s={click_id}"}), ("s={source}", {})], ids=str
)
async def test_marks_that_are_not_named_stay(custom, sent):
    """Whether those left out are taken away is not documented. What only new campaigns take is not sent again."""
    marks = {"utm_source": "a", "utm_campaign": "b", "utm_medium": "c", "utm_custom": custom}
    row = {"id": 5, "trackingOptions": marks}
    async with scripted(row, {"id": 5}, row, {"id": 5}) as (account, wire):
        await account.update_campaigns([Update("5", {"tracking": {"utm_source": "new"}})])
        await account.update_campaigns([Update("5", {"tracking": {"utm_custom": "t=1"}})])
        assert [form(request) for request in wire.sent if request.route.method == "PUT"] == [
            {"utm_source": "new", "utm_campaign": "b", "utm_medium": "c", **sent},
            {"utm_source": "a", "utm_campaign": "b", "utm_medium": "c", "utm_custom": "t=1"},
        ]


async def test_limits_are_lifted_under_their_own_type():
    """None lifts a limit that is there, and sends nothing for one that is not."""
    async with home() as it:
        row = it.campaign(lambda row: plain(row) and row.limits.type == "clicks_limits")
        found = await it.account.update_campaigns([Update(row.id, {"daily_budget": None})])
        assert (found[0].status, it.writes) == ("unchanged", [])
        await it.account.update_campaigns([Update(row.id, {"daily_clicks": None, "daily_budget": None})])
        assert form(it.writes[0]) == {"limitType": "clicks_limits", "dailyLimit": ""}
        assert it.sandbox.account.campaigns[row.id].limits.type is None
        (outcome,) = await it.account.update_campaigns([Update(row.id, {"daily_clicks": None})])
        assert outcome.status == "unchanged"
        await it.account.update_campaigns([Update(row.id, {"daily_budget": Decimal("20.5")})])
        assert it.sandbox.account.campaigns[row.id].limits.daily == Decimal("20.5")


@pytest.mark.parametrize(
    ("kind", "fields", "others"),
    [
        ("budget_limits", {"daily_clicks": 1000}, ("daily_budget", "total_budget")),
        ("clicks_limits", {"total_budget": Money("1000", "USD")}, ("daily_clicks", "total_clicks")),
    ],
)
async def test_a_limit_of_the_other_type_is_not_lifted_unasked(kind, fields, others):
    """A campaign has limits of one type: what caps its spending goes only where None is said to it."""
    async with home() as it:
        row = it.campaign(lambda row: plain(row) and row.limits.type == kind and row.limits.daily)
        (outcome,) = await it.account.update_campaigns([Update(row.id, fields)])
        assert (outcome.status, outcome.error.fields.keys()) == ("failed", {others[0]})
        assert it.writes == []
        (outcome,) = await it.account.update_campaigns([Update(row.id, dict.fromkeys(others) | fields)])
        assert outcome.ok
        assert it.sandbox.account.campaigns[row.id].limits.type != kind


def test_money_needs_an_account_whose_currency_is_known():
    """900000 rupiah are 60 dollars; as plain digits they would be 900000 of whatever the account has."""
    with pytest.raises(InvalidRequestError, match="currency is not known"):
        amount(Book(), "daily_budget", Money("900000", "IDR"))
    assert amount(Book(), "daily_budget", Decimal(9)) == Decimal(9)


async def test_spreading_needs_a_dialect_and_a_daily_limit():
    """With a dialect the present daily limit is sent along; without one nothing is guessed."""
    spread = {"extra": {"splitDailyLimitEvenly": True}}
    async with home(options={"split_daily_limit": "seed"}) as it:
        row = it.campaign(
            lambda row: plain(row) and row.limits.daily and not row.limits.overall and not row.limits.evenly
        )
        (outcome,) = await it.account.update_campaigns([Update(row.id, spread)])
        assert outcome.ok, outcome
        assert it.sandbox.account.campaigns[row.id].limits.evenly
        free = it.campaign(lambda row: plain(row) and row.limits.type is None)
        (outcome,) = await it.account.update_campaigns([Update(free.id, spread)])
        assert outcome.error.fields.keys() == {"extra.splitDailyLimitEvenly"}
    async with home() as it:
        row = it.campaign(lambda row: plain(row) and row.limits.daily and not row.limits.overall)
        (outcome,) = await it.account.update_campaigns([Update(row.id, spread)])
        assert isinstance(outcome.error, ConfigurationError)
        assert it.writes == []


@pytest.mark.parametrize("dialect", ["seed", "new"])
@pytest.mark.parametrize("value", ["False", "no", "1", 1, 0, []])
async def test_spreading_is_a_yes_or_a_no(dialect, value):
    """The command line makes a text of ``False``, and a number means one thing here and another there."""
    extra = {"splitDailyLimitEvenly": value}
    row = {"id": 5, "limitsFilter": {"limitType": "budget_limits", "dailyLimit": "50.00"}}
    draft = CampaignDraft(name="Sleep", daily_budget=Decimal(50), extra=extra)
    async with scripted(row, split_daily_limit=dialect) as (account, wire):
        (edited,) = await account.update_campaigns([Update("5", {"extra": extra})])
        (made,) = await account.create_campaigns([draft])
        assert edited.error.fields.keys() == made.error.fields.keys() == {"extra.splitDailyLimitEvenly"}
        assert [request.route.method for request in wire.sent] == ["GET"]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"name": "new"}, UnsupportedError),
        ({"targeting": {"weather": []}}, UnsupportedError),
        ({"tracking": {"utm_term": "x"}}, UnsupportedError),
        ({"extra": {"colour": "red"}}, UnsupportedError),
        ({"status": "rejected"}, InvalidRequestError),
        ({"daily_clicks": 499}, InvalidRequestError),
        ({"daily_clicks": 500, "daily_budget": 5}, InvalidRequestError),
        ({"daily_clicks": "500"}, InvalidRequestError),
        ({"daily_budget": 9.5}, InvalidRequestError),
        ({"targeting": {"browsers": "chrome"}}, InvalidRequestError),
        ({"targeting": []}, InvalidRequestError),
        ({"targeting": {"ipsFilter": {"filterType": "some"}}}, InvalidRequestError),
        ({"targeting": {"ipsFilter": {"filterType": "off", "ips": ["192.0.2.1"]}}}, InvalidRequestError),
        (
            {"targeting": {"widgetsFilterUid": {"filterType": "off", "widgets": {"1": []}}}},
            InvalidRequestError,
        ),
    ],
    ids=str,
)
async def test_what_cannot_be_said_is_refused_before_anything_is_sent(fields, kind):
    """Fields that the API cannot set, and values of no use, fail without a write and say what is possible."""
    async with home() as it:
        (outcome,) = await it.account.update_campaigns([Update(it.campaign(plain).id, fields)])
        assert (outcome.status, type(outcome.error), it.writes) == ("failed", kind, [])


@pytest.mark.parametrize(
    "fields",
    [
        {"status": ["paused"]},
        {"targeting": {"geo": {1: 2}}},
        {"targeting": {7: []}},
        {"extra": {7: 1}},
        {"extra": {"qualityFactor": {None: 2}}},
    ],
    ids=str,
)
async def test_a_value_of_no_use_does_not_cost_the_outcomes_of_others(fields):
    """What was sent before it would not be known."""
    async with home() as it:
        number = str(it.campaign(plain).id)
        odd = Update(str(it.campaign(lambda row: plain(row) and str(row.id) != number).id), fields)
        one, two = await it.account.update_campaigns([Update(number, {"status": "paused"}), odd])
        assert (one.status, two.status) == ("done", "failed")
        assert len(it.writes) == 1


OWN = [
    ("dailyLimit", "9999"), ("overallLimit", "9999"), ("limitType", "budget_limits"), ("name", "Other"),
    ("whetherToBlockByClient", "0"), ("geoTargets", "{}"), ("startDate", "2026-10-01"), ("utm_source", "a"),
    ("widgetsFilterUid", "include,off,1"), (" dailyLimit", "9999"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), OWN)
async def test_what_has_a_field_of_its_own_is_refused_beside_it(name, value):
    """It would replace the field, e.g. a daily budget of ten, and pass whatever counts what fields move."""
    async with scripted() as (account, wire):
        draft = CampaignDraft(name="Sleep", daily_budget=Decimal(10), extra={name: value})
        (outcome,) = await account.create_campaigns([draft])
        assert outcome.error.fields.keys() == {f"extra.{name.strip()}"}
        draft = CampaignDraft(name="Sleep", daily_budget=Decimal(10), tracking={"dailyLimit": "9999"})
        (outcome,) = await account.create_campaigns([draft])
        assert isinstance(outcome.error, UnsupportedError)
        assert wire.sent == []


async def test_numbers_are_taken_where_the_network_writes_numbers():
    """Uids, names and countries out of a table or of the command line are not always texts."""
    extra = {"qualityFactor": {5600001: 2}, "advertiserName": 5, "categoryId": "131"}
    draft = CampaignDraft(name="Sleep", targeting={"geo": {"countries": ["us"]}}, extra=extra)
    odd = [
        CampaignDraft(name="Other", targeting={"geo": {"countries": [None]}}),
        CampaignDraft(name="Other", extra={"categoryId": [131]}),
        CampaignDraft(name="Other", extra={"language": ["de"]}),
    ]
    async with home() as it:
        made, *others = await it.account.create_campaigns([draft, *odd])
        assert (made.status, made.notes) == ("done", ())
        assert {outcome.status for outcome in others} == {"failed"}
        assert form(it.writes[0])["advertiserName"] == "5"
        assert it.sandbox.account.campaigns[int(made.id)].quality == {"5600001": 2}


async def test_an_edit_says_how_far_it_came():
    """What was saved before a refusal, what failed and what was not sent stand in the notes."""
    async with home() as it:
        row = it.campaign(plain)
        fields = {
            "daily_budget": Money("9", "USD"),
            "targeting": {"geo": {"countries": ["ZZ"]}},
            "status": "active",
        }
        (outcome,) = await it.account.update_campaigns([Update(row.id, fields)])
        assert (outcome.status, type(outcome.error)) == ("failed", InvalidRequestError)
        assert outcome.notes == ("saved before that: limits", "not sent: status")


async def test_members_that_do_not_exist_are_told():
    """A partial success is an outcome: the good ones are saved, the others named."""
    async with home() as it:
        row = it.campaign(plain)
        widgets = {"filterType": "only", "widgets": {"5600001": [], "77": [], "5600014": ["9"]}}
        (outcome,) = await it.account.update_campaigns(
            [Update(row.id, {"targeting": {"widgetsFilterUid": widgets}})]
        )
        assert (outcome.status, type(outcome.error)) == ("failed", NotFoundError)
        assert any("not saved: 77" in note for note in outcome.notes)
        assert it.sandbox.account.campaigns[row.id].widgets == {"5600001": [], "5600014": ["9"]}


async def test_nothing_starts_after_a_part_that_was_not_saved():
    """A campaign is not started when one of its sources was refused; what was not sent is told."""
    async with home() as it:
        row = it.campaign(lambda row: row.status == 4 and plain(row))
        targeting = {"widgetsFilterUid": {"filterType": "only", "widgets": {"5600001": [], "77": []}}}
        fields = {"status": "active", "targeting": targeting}
        (outcome,) = await it.account.update_campaigns([Update(row.id, fields)])
        assert (outcome.status, outcome.notes[-1]) == ("failed", "not sent: status")
        assert it.sandbox.account.campaigns[row.id].blocked


async def test_factors_of_parts_are_set_after_those_of_the_whole():
    """A factor for all sub-sources replaces theirs, in whatever order they are named."""
    extra = {"qualityFactor": {"77s12": Decimal(2)}, "widgetQualityFactor": {"77": Decimal("0.5")}}
    async with scripted({"id": 5}, {"id": 5}) as (account, wire):
        assert (await account.update_campaigns([Update("5", {"extra": extra})])).ok
        assert [list(form(request)) for request in wire.sent] == [["widgetQualityFactor"], ["qualityFactor"]]


async def test_a_widget_leaves_the_list():
    """None takes a widget out; the type of the list stays; off empties it."""
    async with home() as it:
        row = it.campaign(plain)
        held = it.sandbox.account.campaigns[row.id]
        held.widgets_type, held.widgets = "except", {"5600001": ["12"], "5600014": []}
        edit = {"widgetsFilterUid": {"widgets": {"5600001": None, "5600014": ["9"]}}}
        (outcome,) = await it.account.update_campaigns([Update(row.id, {"targeting": edit})])
        assert outcome.ok
        assert it.sandbox.account.campaigns[row.id].widgets == {"5600014": ["9"]}
        for name in ("widgetsFilterUid", "ipsFilter"):
            off = Update(row.id, {"targeting": {name: {"filterType": "off"}}})
            assert (await it.account.update_campaigns([off])).ok
            assert (await it.account.update_campaigns([off]))[0].status == "unchanged"
        assert it.sandbox.account.campaigns[row.id].widgets_type == "off"


OFF = [
    ("widgetsFilterUid", {"filterType": "except", "widgets": {"77": "[12]"}}, "include,off,77s12"),
    ("widgetsFilterUid", {"filterType": "only", "widgets": []}, "include,off,1"),
    ("ipsFilter", {"filterType": "only", "ips": ["192.0.2.7", "192.0.2.8"]}, "include,off,192.0.2.7"),
    ("sourceFilters", {"filterType": "allowlist", "sourcesIds": [4105]}, "include,off,4105"),
]


@pytest.mark.parametrize(("name", "present", "sent"), OFF)
async def test_a_filter_is_switched_off_with_a_member_that_is_there(name, present, sent):
    """No network refuses that one, as it does an empty list and those that do not exist; clients include it."""
    off = Update("5", {"targeting": {name: {"filterType": "off"}}})
    async with scripted({"id": 5, name: present}, {"id": 5}) as (account, wire):
        assert (await account.update_campaigns([off])).ok
        assert form(wire.sent[1]) == {name: sent}


async def test_geo_is_set_and_switched_off():
    """Named parts change and the others stay; nothing at all switches it off; what is so is not sent."""
    async with home() as it:
        row = it.campaign(lambda row: plain(row) and row.geo == {"DE": frozenset({6, 7})})

        async def sent(geo):
            before = len(it.writes)
            (outcome,) = await it.account.update_campaigns([Update(row.id, {"targeting": {"geo": geo}})])
            assert outcome.ok
            return [dict(request.query)["enabledFlag"] for request in it.writes[before:]]

        assert await sent({"cities": [7, "6"]}) == []
        assert await sent({"cities": [6]}) == ["1"]
        assert it.sandbox.account.campaigns[row.id].geo_wanted == {"DE": frozenset({6})}
        assert await sent({}) == ["0"]
        await it.native.targetings.get_geo(str(row.id))  # from here on the change holds
        assert await sent(None) == []


async def test_places_that_are_about_to_be_lifted_are_set_again():
    """Switching off holds only later: until then the places are still told, and would be gone without a word."""
    async with home() as it:
        row = it.campaign(lambda row: plain(row) and row.geo == {"DE": frozenset({6, 7})})
        for geo in ({}, {"cities": [6, 7]}):
            (outcome,) = await it.account.update_campaigns([Update(row.id, {"targeting": {"geo": geo}})])
            assert outcome.status == "done"
        assert it.sandbox.account.campaigns[row.id].geo_wanted == {"DE": frozenset({6, 7})}


async def test_cities_that_the_network_would_not_heed_are_refused():
    """Where it has both it shows in all of the countries: wider than was meant, or no longer in the cities."""
    both = {"geo": {"countries": ["US"], "cities": [6]}}
    async with home() as it:
        (outcome,) = await it.account.create_campaigns([CampaignDraft(name="Sleep", targeting=both)])
        assert outcome.error.fields.keys() == {"targeting.geo"}
        assert it.writes == []
        for geo, more, other in (
            ({"US": frozenset()}, {"cities": [6]}, {"countries": []}),
            ({"DE": frozenset({6, 7})}, {"countries": ["US"]}, {"cities": []}),
        ):
            row = it.campaign(lambda row, geo=geo: plain(row) and row.geo == geo)
            before = len(it.writes)
            (outcome,) = await it.account.update_campaigns([Update(row.id, {"targeting": {"geo": more}})])
            assert outcome.error.fields.keys() == {"targeting.geo"}
            assert len(it.writes) == before
            edit = {"targeting": {"geo": more | other}}
            (outcome,) = await it.account.update_campaigns([Update(row.id, edit)])
            assert outcome.status == "done"


async def test_browsers_are_emptied_before_they_are_set():
    """The network cannot exclude a browser, so that the list is switched off and filled again."""
    async with home() as it:
        row = it.campaign(lambda row: row.browsers == ["chrome", "safari"] and row.own_status != 14)
        (outcome,) = await it.account.update_campaigns(
            [Update(row.id, {"targeting": {"browsers": ["safari"]}})]
        )
        assert outcome.ok
        (outcome,) = await it.account.update_campaigns([Update(row.id, {"targeting": {"browsers": []}})])
        assert it.sandbox.account.campaigns[row.id].browsers == []
        # Off names a member too: one that is wished, so that it would do no harm if it were kept.
        sent = [(dict(request.query)["enabledFlag"], dict(request.query)["targets"]) for request in it.writes]
        assert sent == [("0", "include,safari"), ("1", "include,safari"), ("0", "include,safari")]


async def test_sources_of_optimised_campaigns_are_filtered():
    """``sourceFilters`` are edited by difference, alone in their request; a blocklist stays one."""
    async with home() as it:
        row = it.campaign(
            lambda row: row.by_sources and row.sources.type == "blocklist" and row.own_status != 14
        )
        edit = {"sourceFilters": {"sources": ["4105", "4101"]}}
        (outcome,) = await it.account.update_campaigns([Update(row.id, {"targeting": edit})])
        assert outcome.ok
        assert it.sandbox.account.campaigns[row.id].sources.items == ["4101", "4105"]
        edit = {"sourceFilters": {"filterType": "allowlist"}}
        (outcome,) = await it.account.update_campaigns([Update(row.id, {"targeting": edit})])
        assert isinstance(outcome.error, ConflictError)


@VARIANTS
async def test_a_running_campaign_is_not_deleted(variant):
    """Only stopped campaigns can be deleted: a running one is refused before the request, twice deleted is once."""
    async with home(**variant) as it:
        running = str(it.campaign(lambda row: row.status in {6, 7, 8} and row.type != "video").id)
        stopped = str(it.campaign(lambda row: row.status == 4 and row.type != "video").id)
        found = await it.account.delete_campaigns([running, stopped, "7"])
        assert [outcome.status for outcome in found] == ["failed", "done", "failed"]
        assert [type(outcome.error) for outcome in found] == [ConflictError, type(None), NotFoundError]
        assert [request.method for request in it.writes] == ["DELETE"]
        (again,) = await it.account.delete_campaigns([stopped])
        assert again.status == "unchanged"
        assert (await it.account.get_campaign(stopped)).status == "deleted"


@pytest.mark.parametrize("status", ["active", {"name": "active"}])
async def test_a_campaign_that_is_only_said_to_be_active_is_running(status):
    """Without the number of its status, too, nothing is sent."""
    async with scripted({"id": 5, "status": status}) as (account, wire):
        (outcome,) = await account.delete_campaigns(["5"])
        assert isinstance(outcome.error, ConflictError)
        assert [request.route.method for request in wire.sent] == ["GET"]


async def test_video_campaigns_cannot_be_deleted():
    """The network's own refusal is an outcome."""
    async with home() as it:
        row = it.campaign(lambda row: row.type == "video" and row.own_status != 14)
        row.blocked = True
        (outcome,) = await it.account.delete_campaigns([str(row.id)])
        assert isinstance(outcome.error, InvalidRequestError)


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("ipsFilter", {"filterType": "only", "ips": []}),
        ("widgetsFilterUid", {"filterType": "only", "widgets": {}}),
        ("sourceFilters", {"filterType": "allowlist", "sources": []}),
    ],
)
async def test_an_empty_list_of_what_alone_is_allowed_is_refused(name, edit):
    """The network takes no empty list, and a campaign that goes on everywhere is not what was asked for."""
    async with home() as it:
        row = it.campaign()
        row.widgets, row.widgets_type = {}, "off"
        row.ips, row.sources = type(row.ips)(), type(row.sources)()
        (edited,) = await it.account.update_campaigns([Update(str(row.id), {"targeting": {name: edit}})])
        (made,) = await it.account.create_campaigns([CampaignDraft(name="Sleep", targeting={name: edit})])
        for outcome in (edited, made):
            assert (outcome.status, "cannot be empty" in str(outcome.error)) == ("failed", True)
        assert it.writes == []


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("ipsFilter", {"ips": []}),
        ("widgetsFilterUid", {"widgets": {"5600001": None}}),
        ("sourceFilters", {"sources": []}),
    ],
)
async def test_no_list_of_what_alone_is_allowed_becomes_empty(name, edit):
    """What an empty one means is not documented; it can be made off on purpose."""
    async with home() as it:
        row = it.campaign()
        row.widgets, row.widgets_type = {"5600001": []}, "only"
        row.ips, row.sources = type(row.ips)("only", ["192.0.2.9"]), type(row.sources)("allowlist", ["4105"])
        (outcome,) = await it.account.update_campaigns([Update(str(row.id), {"targeting": {name: edit}})])
        assert "cannot be empty" in str(outcome.error)
        assert it.writes == []
        off = {"targeting": {name: {"filterType": "off"}}}
        (outcome,) = await it.account.update_campaigns([Update(str(row.id), off)])
        assert len(it.writes) == 1
