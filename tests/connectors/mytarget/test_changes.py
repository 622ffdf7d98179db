"""Plain words to the network's: exactly what changes, nested values whole, and nothing that cannot be sent."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from adnet.connectors.mytarget.changes import (
    banner_body,
    banner_changes,
    campaign_body,
    campaign_changes,
    completed,
    merged,
    sections_to_read,
    with_text,
)
from adnet.errors import InvalidRequestError
from adnet.models import AdDraft, CampaignDraft, Update
from adnet.money import Money

AGE = {"age_list": [25, 26], "expand": True}


def changes(**fields):
    return campaign_changes(Update("7", fields), "RUB")


def test_money_is_not_sent_to_an_account_whose_currency_nobody_knows():
    """Its number would count as one of whatever the account has; a bare number is the user's own word."""
    with pytest.raises(InvalidRequestError, match="does not name"):
        campaign_changes(Update("7", {"daily_budget": Money("100", "USD")}), None)
    assert campaign_changes(Update("7", {"daily_budget": 100}), None) == {"budget_limit_day": "100"}


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"name": "N"}, {"name": "N"}),
        ({"status": "paused"}, {"status": "blocked"}),
        ({"status": "active"}, {"status": "active"}),
        ({"daily_budget": Money("1500.50", "RUB")}, {"budget_limit_day": "1500.50"}),
        ({"daily_budget": None}, {"budget_limit_day": None}),
        ({"total_budget": Decimal("1E+3")}, {"budget_limit": "1000"}),
        ({"bid": 0}, {"price": "0"}),
        ({"ends_on": date(2026, 3, 1)}, {"date_end": "2026-03-01"}),
        ({"starts_on": None}, {"date_start": None}),
        ({"starts_on": datetime(2026, 2, 28, 22, tzinfo=UTC)}, {"date_start": "2026-03-01"}),
        ({"starts_on": datetime(2026, 2, 28, 22)}, {"date_start": "2026-02-28"}),  # noqa: DTZ001
        ({"targeting": {"sex": ["male"], "pads": None}}, {"targetings": {"sex": ["male"], "pads": None}}),
        ({"targeting": {}}, {}),
        ({"tracking": {"enable_utm": False, "utm": None}}, {"enable_utm": False, "utm": None}),
        ({"extra": {"mixing": "fastest", "audit_pixels": []}}, {"mixing": "fastest", "audit_pixels": []}),
        ({}, {}),
    ],
)
def test_a_campaigns_fields_become_the_networks(fields, sent):
    """False, 0, "", [] and None that were set on purpose are sent."""
    assert changes(**fields) == sent


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"status": "limited"}, "status"),
        ({"daily_budget": 1.5}, "daily_budget"),
        ({"daily_budget": Money(1, "EUR")}, "daily_budget"),
        ({"daily_clicks": 3}, "daily_clicks"),
        ({"starts_on": "soon"}, "starts_on"),
        ({"targeting": ["male"]}, "targeting"),
        ({"extra": None}, "extra"),
        ({"status_raw": "x"}, "status_raw"),
        ({"extra": {"status": "active"}}, "extra.status"),
        ({"extra": {"price": "999"}}, "extra.price"),
        ({"tracking": {"budget_limit_day": "999"}}, "tracking.budget_limit_day"),
    ],
)
def test_what_cannot_be_sent_is_refused_before(fields, named):
    """By the name that the caller used."""
    with pytest.raises(InvalidRequestError) as caught:
        changes(**fields)
    assert set(caught.value.fields) == {named}


def test_a_new_campaign_is_paused():
    """The network's own default would spend at once."""
    body = campaign_body(CampaignDraft(name="N", extra={"package_id": 811}), "RUB")
    assert body == {"name": "N", "status": "blocked", "package_id": 811}


def test_a_new_campaign_has_what_its_draft_has():
    """Money as exact text."""
    draft = CampaignDraft(
        name="N",
        daily_budget=Money("100", "RUB"),
        bid=Money("5.40", "RUB"),
        starts_on=date(2026, 3, 1),
        targeting={"sex": ["male"]},
        tracking={"enable_utm": True},
        status="active",
        extra={"package_id": 811},
    )
    assert campaign_body(draft, "RUB") == {
        "name": "N", "status": "active", "budget_limit_day": "100", "price": "5.40", "date_start": "2026-03-01",
        "targetings": {"sex": ["male"]}, "enable_utm": True, "package_id": 811,
    }  # fmt: skip


def test_clicks_cannot_be_limited():
    """Silence would spend more than was asked for."""
    with pytest.raises(InvalidRequestError) as caught:
        campaign_body(CampaignDraft(name="N", total_clicks=5), "RUB")
    assert set(caught.value.fields) == {"total_clicks"}


def test_a_new_banner_has_its_parts():
    """Paused; its link by the id of a URL object."""
    draft = AdDraft(campaign_id="7", title="Boots", text="Warm", url="https://x/")
    assert banner_body(draft, {"https://x/": 3}) == {
        "status": "blocked", "name": "Boots", "urls": {"primary": {"id": 3}},
        "textblocks": {"title_25": {"text": "Boots"}, "text_90": {"text": "Warm"}},
    }  # fmt: skip


def test_a_draft_that_is_paused_stays_paused():
    """Its status is no matter of what only this network has; a price that it does not name may be."""
    for draft in (
        CampaignDraft(name="N", extra={"status": "active"}),
        CampaignDraft(name="N", tracking={"name": "M"}),
    ):
        with pytest.raises(InvalidRequestError, match=r"cannot hold (status: set status|name: set name)"):
            campaign_body(draft, "RUB")
    with pytest.raises(InvalidRequestError, match="extra cannot hold status"):
        banner_body(AdDraft(campaign_id="7", extra={"status": "active"}), {})
    assert campaign_body(CampaignDraft(name="N", extra={"price": "9"}), "RUB")["price"] == "9"
    with pytest.raises(InvalidRequestError, match="extra cannot hold price: set bid"):
        campaign_body(CampaignDraft(name="N", bid=Money("1", "RUB"), extra={"price": "9"}), "RUB")


def test_what_a_draft_names_itself_is_left_alone():
    """Roles depend on the package."""
    blocks = {"title_40_vkads": {"text": "B"}}
    draft = AdDraft(
        title="B", text="W", url="https://x/", extra={"textblocks": blocks, "urls": {"primary": {"id": 9}}}
    )
    body = banner_body(draft, {})
    assert (body["textblocks"], body["urls"]) == (blocks, {"primary": {"id": 9}})


@pytest.mark.parametrize("field", [{"bid": Decimal(5)}, {"image_url": "https://x/a.jpg"}])
def test_what_no_banner_has_is_refused(field):
    """With what to do instead."""
    with pytest.raises(InvalidRequestError) as caught:
        banner_body(AdDraft(title="B", **field), {})
    assert set(caught.value.fields) == set(field)


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"title": "B2"}, {"name": "B2"}),
        ({"status": "paused"}, {"status": "blocked"}),
        ({"text": "T", "url": "https://x/"}, {"text": "T", "url": "https://x/"}),
        ({"extra": {"textblocks": {"title_25": None}}}, {"textblocks": {"title_25": None}}),
    ],
)
def test_a_banners_fields_become_the_networks(fields, sent):
    """Text and link stay under our names until it is known where they belong."""
    assert banner_changes(Update("7", fields)) == sent


@pytest.mark.parametrize(
    "fields", [{"url": ""}, {"text": 3}, {"campaign_id": "8"}, {"bid": 5}, {"extra": []}]
)
def test_what_no_banner_takes_is_refused(fields):
    """By name."""
    with pytest.raises(InvalidRequestError) as caught:
        banner_changes(Update("7", fields))
    assert set(caught.value.fields) == set(fields)


# ---------------------------------------------------------------------- nested values


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"name": "N", "targetings": {"sex": ["male"], "geo": None}}, set()),
        ({"targetings": {"age": {"expand": False}}}, {"targetings"}),
        ({"priced_goal": {"name": "x"}}, {"priced_goal"}),
        ({"text": "T"}, {"textblocks"}),
        ({"url": "https://x/"}, {"urls"}),
        ({"content": {"icon_256x256": {"id": 4}}}, {"content"}),
    ],
)
def test_what_is_replaced_whole_is_read_before(sent, read):
    """And nothing else."""
    assert sections_to_read(sent) == read


def test_a_nested_change_of_a_targeting_is_completed():
    """Only the targeting that changes is sent, but that one whole."""
    stored = {"targetings": {"age": AGE, "sex": ["male"]}}
    found = completed({"targetings": {"age": {"expand": False}}}, stored)
    assert found == {"targetings": {"age": {"age_list": [25, 26], "expand": False}}}


def test_a_nested_change_of_a_banner_is_completed():
    """As it is written, not as it is read: ids only."""
    stored = {
        "textblocks": {"title_25": {"text": "Boots"}, "text_90": {"text": "Warm"}},
        "urls": {"primary": {"id": 3, "url": "https://x/", "url_types": ["external"]}},
    }
    sent = {"textblocks": {"title_25": {"text": "Shoes"}}, "urls": {"url_slide_1": {"id": 5}}}
    assert completed(sent, stored) == {
        "textblocks": {"title_25": {"text": "Shoes"}, "text_90": {"text": "Warm"}},
        "urls": {"primary": {"id": 3}, "url_slide_1": {"id": 5}},
    }


@pytest.mark.parametrize(
    "sent",
    [
        {"targetings": {"age": {"expand": True}}},
        {"targetings": {"age": AGE}},
        {"targetings": {"pads": None, "age": {}}},
        {"textblocks": {"text_90": {"text": "Warm"}}},
        {"urls": {"primary": {"id": 3}}, "content": {}},
    ],
)
def test_a_nested_change_of_nothing_is_none(sent):
    """Nothing is sent for it; a banner that is sent what it has waits for its moderators."""
    stored = {
        "targetings": {"age": AGE},
        "textblocks": {"text_90": {"text": "Warm", "title": "T"}},
        "urls": {"primary": {"id": 3, "url": "https://x/", "url_types": ["external"]}},
    }
    assert completed(sent, stored) == {}


def test_none_takes_a_key_away():
    """At any depth, as a diff says it."""
    assert merged({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}) == {"a": {"c": 2}}


def test_a_text_goes_where_the_banner_has_its_text():
    """Which role that is depends on its package."""
    stored = {"textblocks": {"title_25": {"text": "Boots"}, "text_220": {"text": "Warm"}}}
    assert with_text({"text": "Cold", "name": "B"}, stored) == {
        "name": "B",
        "textblocks": {"text_220": {"text": "Cold"}},
    }
    with pytest.raises(InvalidRequestError, match="no text block"):
        with_text({"text": "Cold"}, {"textblocks": {"title_25": {"text": "Boots"}}})
