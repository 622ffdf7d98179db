"""Objects of the network to models: exact, whole, and never another error than ours."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adnet.connectors.mytarget import codec
from adnet.connectors.mytarget.profile import MYTARGET, VKADS
from adnet.connectors.mytarget.stat_rows import Day, Figures, VkFigures, happened, read_day
from adnet.connectors.mytarget.statistics import runs
from adnet.errors import SchemaError
from adnet.models import Raw
from adnet.money import Money


def campaign(**row):
    return codec.campaign(Raw({"id": 7, "name": "A", **row}), "RUB")


def banner(profile=MYTARGET, **row):
    return codec.ad(Raw({"id": 7, **row}), "RUB", profile)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("active", "active"),
        ("blocked", "paused"),
        ("deleted", "deleted"),
        ("frozen", "unknown"),
        (None, "unknown"),
    ],
)
def test_the_networks_blocked_is_our_paused(word, status):
    """Words that nobody knows stay readable."""
    found = campaign(status=word)
    assert (found.status, found.status_raw) == (status, word)


@pytest.mark.parametrize(
    ("word", "moderation", "status"),
    [
        ("active", "allowed", "active"),
        ("blocked", "allowed", "paused"),
        ("deleted", "allowed", "deleted"),
        ("active", "pending", "pending"),
        ("blocked", "banned", "rejected"),
        ("active", "changed", "pending"),
        ("active", "whatever", "active"),
        ("active", None, "active"),
        ("odd", "allowed", "unknown"),
    ],
)
def test_moderation_comes_before_the_status_of_an_ad(word, moderation, status):
    """The network's word stays what the user set."""
    found = banner(status=word, moderation_status=moderation)
    assert (found.status, found.status_raw) == (status, word)


@pytest.mark.parametrize(
    ("told", "amount"),
    [("5.40", "5.40"), (5, "5"), (Decimal("0.1"), "0.1"), ("0", "0"), (None, None), ("", None)],
)
def test_money_keeps_the_digits_of_the_wire(told, amount):
    """Text or a JSON number; nothing is no amount."""
    found = campaign(budget_limit_day=told).daily_budget
    assert found == (None if amount is None else Money(amount, "RUB"))


@pytest.mark.parametrize("told", ["many", True, [], {}, "NaN", "1e999"])
def test_money_that_is_none_is_another_shape(told):
    """By the network's own key."""
    with pytest.raises(SchemaError) as caught:
        campaign(price=told)
    assert caught.value.paths == ("$.price",)


def test_no_amount_has_a_currency_that_nobody_knows():
    """It stays readable in ``raw``."""
    found = codec.campaign(Raw({"id": 1, "price": "5"}), None)
    assert (found.bid, found.currency, found.raw["price"]) == (None, None, "5")


def test_instants_are_moscows_and_days_are_days():
    """Instants become UTC; a datetime where a day belongs is cut."""
    found = campaign(created="2026-03-01 02:30:00", date_start="2026-03-01 00:00:00", date_end="someday")
    assert found.created_at == datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
    assert (found.starts_on, found.ends_on) == (date(2026, 3, 1), None)


def test_what_can_be_changed_is_in_targeting_tracking_and_extra():
    """In the network's own words."""
    found = campaign(targetings={"sex": ["male"]}, utm=None, enable_utm=True, package_id=811, max_price="0")
    assert found.targeting == {"sex": ["male"]}
    assert (found.tracking, found.extra) == (
        {"enable_utm": True, "utm": None},
        {"package_id": 811, "max_price": "0"},
    )


def test_a_banner_is_read_from_its_parts():
    """Name, text, link, picture, and whose it is."""
    found = banner(
        name="B1",
        campaign_id=5,
        textblocks={"title_25": {"text": "Boots"}, "text_90": {"text": "Warm"}, "odd": None},
        urls={"url_slide_1": {"id": 2, "url": "https://x/2"}, "primary": {"id": 1, "url": "https://x/1"}},
        content={
            "image_600x600": {
                "id": 3,
                "type": "static",
                "variants": {"original": {"url": "https://cdn/a.jpg"}},
            }
        },
    )
    assert (found.title, found.text, found.campaign_id) == ("B1", "Warm", "5")
    assert (found.url, found.image_url, found.kind) == ("https://x/1", "https://cdn/a.jpg", "banner")
    assert found.extra["urls"] == {"url_slide_1": {"id": 2}, "primary": {"id": 1}}
    assert found.extra["content"] == {"image_600x600": {"id": 3}}


def test_a_banner_without_a_name_is_called_by_its_title():
    """And one without media is a text."""
    found = banner(textblocks={"title_25": {"text": "Boots"}})
    assert (found.title, found.kind) == ("Boots", "text")


def test_vk_ads_calls_the_campaign_an_ad_group():
    """Its id is the same."""
    assert banner(VKADS, ad_group_id=5).campaign_id == "5"


def test_an_account_keeps_no_personal_data():
    """Its login is its name; the rest stays at the network."""
    row = {
        "id": 70001,
        "username": "adv@example.test",
        "email": "anna@example.test",
        "firstname": "Anna",
        "currency": "rub",
        "account": {"balance": "12.5"},
        "additional_info": {"client_name": "Shop", "phone": "+7900", "address": "Street"},
    }
    found = codec.account(Raw(row))
    assert (found.account_id, found.name, found.currency) == ("70001", "Shop", "RUB")
    assert found.balance == Money("12.5", "RUB")
    assert not any(word in found.raw.json() for word in ("anna", "Anna", "7900", "Street"))


@pytest.mark.parametrize(
    "row", [{}, {"id": None}, {"id": ""}, {"id": True}, {"id": [1]}, {"id": 1, "targetings": 3}]
)
def test_what_has_another_shape_is_told_by_its_key(row):
    """Never a KeyError, never a TypeError."""
    with pytest.raises(SchemaError, match=r"\$\.(id|targetings)"):
        codec.campaign(Raw(row), "RUB")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.dictionaries(
    st.sampled_from([*codec.CAMPAIGN_FIELDS, *codec.BANNER_FIELDS, "account", "additional_info"]),
    VALUES,
    max_size=8,
)


@given(ROWS)
def test_no_row_makes_it_fall_over(row):
    """Whatever the network sends is a model or a SchemaError."""
    raw = Raw(json.dumps(row).encode())
    for read in (
        lambda: codec.campaign(raw, "RUB"),
        lambda: codec.ad(raw, "RUB", MYTARGET),
        lambda: codec.account(raw),
    ):
        with suppress(SchemaError):
            assert read() is not None


# ---------------------------------------------------------------------- statistics


@pytest.mark.parametrize(
    ("figures", "something"),
    [
        ({}, False),
        ({"shows": None, "clicks": None, "spent": None}, False),
        ({"shows": 1}, True),
        ({"spent": Decimal("0.01")}, True),
        ({"goals": 1}, True),
        ({"vk": VkFigures(goals=1)}, True),
    ],
)
def test_a_day_on_which_nothing_happened_is_no_row(figures, something):
    """A late conversion is something."""
    base = Figures(**{"shows": 0, "clicks": 0, "spent": Decimal("0.00"), **figures})
    assert happened(Day(date="2026-01-01", base=base)) is something


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b'{"date":1}', b'{"date":"2026-01-01"}', b'{"date":"x","base":{"spent":"many"}}', b"{"],
)
def test_a_row_of_statistics_with_another_shape_is_told(body):
    """As a SchemaError."""
    with pytest.raises(SchemaError):
        read_day(body)


def test_days_are_asked_for_in_runs():
    """Days that follow each other go together, up to what one request takes."""
    days = [date(2026, 1, n) for n in (1, 2, 3, 5, 6, 7, 8, 9)]
    found = [(first.day, last.day) for first, last in runs(days, 4)]
    assert found == [(1, 3), (5, 8), (9, 9)]
