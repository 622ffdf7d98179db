"""The table of the 41 documented operations, held against the code and against the sandbox."""

import inspect
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from adnet.connectors.adskeeper.native import AdskeeperNative
from adnet.connectors.adskeeper.routes import LOGIN, OPERATIONS, ROUTES
from tests.connectors.adskeeper.kit import Home, home

DAY = date(2026, 9, 2)
BEYOND = {"campaigns.list_all", "teasers.list_all", "targetings.get"}
"""Methods that serve no operation of their own: all pages at once, and the four alike targetings by name."""


def methods() -> set[str]:
    """Return every public method of the native client as group.method."""
    native: Any = AdskeeperNative(None, None)  # type: ignore[arg-type]
    return {
        f"{group}.{name}"
        for group, value in vars(native).items()
        for name, method in inspect.getmembers(value, callable)
        if not name.startswith("_") and inspect.isroutine(method)
    }


def test_the_operations_are_numbered_as_documented():
    """There are 41, none missing and none invented."""
    assert list(OPERATIONS) == list(range(1, 42))


def test_every_method_serves_an_operation():
    """The native client has the methods of the table and those of BEYOND, and no others."""
    listed = [name for operation in OPERATIONS.values() for name in operation.methods]
    assert len(listed) == len(set(listed))
    assert methods() == set(listed) | BEYOND


def test_every_route_belongs_to_an_operation():
    """All routes but the login, which the document does not show, are those of the table."""
    assert set(ROUTES) - {LOGIN} == {route for row in OPERATIONS.values() for route in row.routes}


def test_creating_is_never_repeated():
    """Only what makes something, and an edit that closes the door behind it, is not idempotent."""
    once = {route.operation for route in ROUTES if not route.idempotent}
    assert once == {
        "campaigns.create",
        "campaigns.create_basic",
        "conversions.create",
        "teasers.create",
        "teasers.edit",
    }


async def _new_teaser(it: Home) -> str:
    campaign = it.campaign(lambda row: row.type == "product" and row.own_status in {6, 7})
    saved = await it.native.teasers.create(
        url="https://shop.example/",
        campaign_id=str(campaign.id),
        title="T",
        image="https://i.example/1.jpg",
        price_cents=Decimal("1.5"),
    )
    it.sandbox.approve_teaser(int(saved.id))
    return str(saved.id)


async def _edit_teaser(it: Home) -> Any:
    number = await _new_teaser(it)
    row = await it.native.teasers.get(number)
    return await it.native.teasers.edit(
        number,
        url="https://shop.example/2",
        campaign_id=row.campaign_id,
        title="U",
        image=row.image,
        category=row.category.id,
    )


async def _target(it: Home) -> Any:
    number = str(it.campaign(lambda row: not row.foreign_conversions).id)
    target = next(row.id for row in it.sandbox.account.targets.values() if row.stage == "buy")
    await it.native.conversions.delete(number, ["decision", "interest", "buy"])
    return await it.native.conversions.edit(number, {"buy": {"id": target, "cpa": Decimal("1.5")}})


def _of(kind: str = "product") -> Callable[[Any], bool]:
    return lambda row: row.type == kind and not row.by_sources and not row.dsp


def _id(it: Home) -> str:
    return str(it.campaign(_of()).id)


Call = Callable[[Home], Awaitable[Any]]
NEW_TARGET: Any = {"targetType": "postback", "categoryId": 6, "cpa": Decimal("2.5"), "unique": True}
UTM = {"utm_source": "a", "utm_campaign": "b", "utm_medium": "c"}
CALLS: dict[int, Call] = {
    1: lambda it: it.native.client.get(),
    2: lambda it: it.native.campaigns.list_page(limit=5),
    3: lambda it: it.native.statistics.quality(str(min(it.sandbox.account.book.profiles)), DAY, DAY),
    4: lambda it: it.native.statistics.clicks(str(min(it.sandbox.account.book.profiles)), DAY),
    5: lambda it: it.native.statistics.campaigns(DAY, DAY),
    6: lambda it: it.native.statistics.videos(DAY, date(2026, 9, 14)),
    7: lambda it: it.native.campaigns.create(name="a", limit_type="clicks_limits", daily_limit=500),
    8: lambda it: it.native.campaigns.create_basic(name="b", countries=["us"]),
    9: lambda it: it.native.campaigns.set_utm(_id(it), UTM),
    10: lambda it: it.native.campaigns.set_limits(_id(it), limit_type="budget_limits", daily=9, overall=""),
    11: lambda it: it.native.campaigns.set_blocked(_id(it), blocked=True),
    12: lambda it: it.native.campaigns.get_created(_id(it)),
    13: lambda it: it.native.campaigns.set_quality_factors(_id(it), {"5600001": Decimal("1.5")}),
    14: lambda it: it.native.campaigns.set_widget_factors(_id(it), {"5600001": 2}),
    15: lambda it: it.native.conversions.list_targets(),
    16: lambda it: it.native.conversions.list_stages(str(it.campaign(lambda row: row.conversions).id)),
    17: lambda it: it.native.conversions.create(_id(it), {"buy": NEW_TARGET}),
    18: _target,
    19: lambda it: it.native.conversions.delete(_id(it), ["buy"]),
    20: lambda it: it.native.campaigns.delete(str(it.campaign(lambda row: row.status in {4, 12}).id)),
    21: lambda it: it.native.targetings.get_geo(_id(it)),
    22: lambda it: it.native.dictionaries.list_countries(),
    23: lambda it: it.native.dictionaries.list_cities(["DE"]),
    24: lambda it: it.native.targetings.set_geo(_id(it), countries=["us"], cities=()),
    25: lambda it: it.native.targetings.edit_browsers(_id(it), ["chrome"]),
    26: lambda it: it.native.campaigns.edit_ips(_id(it), "include", "except", ["192.0.2.0/24"]),
    27: lambda it: it.native.targetings.edit_operating_systems(_id(it), "include", ["ios17mobile"]),
    28: lambda it: it.native.targetings.get_operating_systems(str(it.campaign(lambda row: row.systems).id)),
    29: lambda it: it.native.campaigns.edit_widgets(_id(it), "include", "except", ["5600001"]),
    30: lambda it: it.native.targetings.edit_browser_languages(_id(it), [3, 7]),
    31: lambda it: it.native.targetings.get_browser_languages(str(it.campaign(lambda row: row.languages).id)),
    32: lambda it: it.native.targetings.get_browsers(str(it.campaign(lambda row: row.browsers).id)),
    33: lambda it: it.native.targetings.edit_phone_prices(_id(it), "include", [3, 4]),
    34: lambda it: it.native.targetings.get_phone_prices(str(it.campaign(lambda row: row.prices).id)),
    35: lambda it: it.native.teasers.list_page(limit=5),
    36: lambda it: it.native.statistics.teaser(_busy_teaser(it), DAY, DAY),
    37: _new_teaser,
    38: _edit_teaser,
    39: lambda it: it.native.teasers.set_price(str(it.teaser().id), Decimal("12.5")),
    40: lambda it: it.native.teasers.set_blocked(str(it.teaser().id), blocked=True),
    41: lambda it: it.native.teasers.delete(str(it.teaser().id)),
}


def _busy_teaser(it: Home) -> str:
    return str(it.sandbox.truth("teaser_stats", DAY, date(2026, 9, 3))[0]["teaserId"])


@pytest.mark.parametrize("number", OPERATIONS)
async def test_an_operation_reaches_the_network_and_its_answer_is_read(number):
    """The sandbox serves exactly the operation that was meant, and what it answers is a value."""
    async with home() as it:
        it.sandbox.operations.clear()
        found = await CALLS[number](it)
        assert it.sandbox.operations[number] == 1
        assert found


async def test_optional_ids_have_a_route_of_their_own():
    """Operations 2, 3 and 35 serve one object too, and 13 and 29 sources instead of widgets."""
    async with home() as it:
        it.sandbox.operations.clear()
        busy = str(min(it.sandbox.account.book.profiles))
        assert (await it.native.campaigns.get(busy)).id == busy
        uid = (await it.native.statistics.quality(busy, DAY, DAY))[0].uid
        assert [row.uid for row in await it.native.statistics.quality(busy, DAY, DAY, uid=uid)] == [uid]
        teaser = str(it.teaser().id)
        assert (await it.native.teasers.get(teaser)).id == teaser
        by_sources = str(it.campaign(lambda row: row.by_sources and not row.dsp).id)
        assert (await it.native.campaigns.set_source_factors(by_sources, {"4101": "1.5"})).id == by_sources
        kind = "blocklist"
        assert (
            await it.native.campaigns.edit_sources(by_sources, "include", kind, ["4105"])
        ).id == by_sources
        assert {2: 1, 3: 2, 35: 1, 13: 1, 29: 1}.items() <= dict(it.sandbox.operations).items()


async def test_a_row_keeps_what_the_network_sent():
    """Every value that is read keeps the network's own object, numbers with their digits."""
    async with home() as it:
        (first, *_) = await it.native.statistics.campaigns(DAY, DAY)
        truth = {row["campaignId"]: row for row in it.sandbox.truth("stats", DAY, date(2026, 9, 3))}
        assert str(first.raw["spent"]) == truth[int(first.campaign_id)]["spent"].rstrip("0").rstrip(".")
