"""Writes to teasers: operations 37 to 41.

Source: Adskeeper advertiser API document (documented). Prices are cents with one decimal, also where its text says
tenths of a cent: clients in production send back what they read there.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Required, TypedDict, Unpack

from adnet.connectors.adskeeper import forms, routes, values
from adnet.connectors.adskeeper.calls.call import Call
from adnet.connectors.adskeeper.checks import Check, known


class GoodPrice(TypedDict):
    """The price of the advertised product, shown in the teaser, in the network's words."""

    currency: int
    """Id of the table of currencies."""
    goodPrice: Decimal | int
    goodOldPrice: Decimal | int


class TeaserContent(TypedDict, total=False):
    """What a teaser shows and where it leads."""

    url: Required[str]
    """Encoded once, here."""
    campaign_id: Required[str]
    title: Required[str]
    """At most 65 characters, 90 by the newer edition of the document, 30 for push."""
    image: Required[str]
    """Address of the image."""
    text: str | None
    """At most 75 characters, 90 by the newer edition; 40 and required for push."""
    category: int | None
    """For a new teaser only push campaigns need one; for an edit it is required."""
    good_price: GoodPrice | None
    campaign_type: str | None
    """Decides about lengths; any but push where it is not known. Not sent."""
    image_size: tuple[int, int] | None
    """Width and height, where they are known. Not sent."""
    more: Mapping[str, object] | None
    """Goes along as it is."""


def create(*, price_cents: Decimal, **content: Unpack[TeaserContent]) -> Call:
    """Return operation 37. Sent twice it makes two teasers.

    Args:
        price_cents: Of one click, in cents of the account's currency, with at most one decimal.
        content: What it shows.
    """
    check = _content(content)
    kind, category = content.get("campaign_type"), content.get("category")
    check.require(category is not None or kind != "push", "categoryId", "push campaigns need one")
    price = check.decimal("priceOfClick", price_cents, 1, "cents")
    form = {
        **_form(check, content, "categoryId"),
        "priceOfClick": None if price is None else forms.digits(price),
        **(content.get("more") or {}),
    }
    return Call(route=routes.CREATE_TEASER, form=form, notes=check.notes())


def edit(teaser_id: str, **content: Unpack[TeaserContent]) -> Call:
    """Return operation 38: all content anew, which sends the teaser back to moderation. The price stays."""
    check = _content(content)
    check.require(content.get("category") is not None, "category", "must not be empty")
    form = {**_form(check, content, "category"), **(content.get("more") or {})}
    notes = check.notes()
    return Call(route=routes.EDIT_TEASER, path={"teaser": teaser_id}, form=form, notes=notes)


def _form(check: Check, content: TeaserContent, category_field: str) -> dict[str, object]:
    category = content.get("category")
    return {
        "url": content["url"],
        "campaignId": content["campaign_id"],
        "title": content["title"],
        "advertText": content.get("text"),
        "imageLink": content["image"],
        category_field: _category(check, category_field, category, content.get("campaign_type")),
        **_shown(check, content.get("good_price")),
    }


def _content(content: TeaserContent) -> Check:
    check = Check()
    known(check, content, TeaserContent)
    check.url("url", content["url"])
    check.require(content["campaign_id"], "campaignId", "must not be empty")
    text = content.get("text")
    check.teaser(content.get("campaign_type"), content["title"], text, macros=values.TITLE_MACROS)
    check.image(content["image"], content.get("image_size"))
    return check


def _category(check: Check, field: str, category: int | None, kind: str | None) -> int | None:
    if category is not None:
        check.listed(field, [category], values.CATEGORIES)
        types = values.CATEGORIES.of(category).campaign_types
        if kind and types and kind not in types:
            check.note(f"{field}: {category} is documented for {', '.join(types)}, not for {kind}")
    return category


def _shown(check: Check, good: GoodPrice | None) -> dict[str, object]:
    if good is None:
        return {"whetherShowGoodPrice": "0"}
    check.listed("currency", [good["currency"]], values.CURRENCIES)
    prices = {
        "goodPrice": check.decimal("goodPrice", good["goodPrice"], 12),
        "goodOldPrice": check.decimal("goodOldPrice", good["goodOldPrice"], 12),
    }
    shown = {name: None if price is None else forms.digits(price) for name, price in prices.items()}
    return {"whetherShowGoodPrice": "1", "currency": good["currency"], **shown}


def set_price(teaser_id: str, price_cents: Decimal) -> Call:
    """Return operation 39: the price of a click in all locations, in cents with at most one decimal."""
    check = Check()
    price = check.decimal("priceOfClick", price_cents, 1, "cents")
    form = {"priceOfClick": None if price is None else forms.digits(price)}
    notes = check.notes()
    return Call(route=routes.TEASER_PRICE, path={"teaser": teaser_id}, form=form, notes=notes)


def set_blocked(teaser_id: str, *, blocked: bool) -> Call:
    """Return operation 40: stop or start a teaser."""
    form = {"whetherToBlockByClient": forms.switch(blocked)}
    return Call(route=routes.BLOCK_TEASER, path={"teaser": teaser_id}, form=form)


def delete(teaser_id: str) -> Call:
    """Return operation 41: into the bin."""
    return Call(route=routes.DELETE_TEASER, path={"teaser": teaser_id})
