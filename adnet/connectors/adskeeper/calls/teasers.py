"""Writes to teasers: operations 37 to 41.

Source: Adskeeper advertiser API document (documented). Prices are cents with one decimal, also where its text says
tenths of a cent: clients in production send back what they read there.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from adnet.connectors.adskeeper import forms, routes, values
from adnet.connectors.adskeeper.calls.call import Call
from adnet.connectors.adskeeper.checks import Check


@attrs.frozen(kw_only=True)
class GoodPrice:
    """The price of the advertised product, shown in the teaser."""

    currency: int
    """Id of the table of currencies."""
    price: Decimal
    old_price: Decimal


def create(
    *,
    url: str,
    campaign_id: str,
    title: str,
    image: str,
    price_cents: Decimal,
    text: str | None = None,
    category: int | None = None,
    good_price: GoodPrice | None = None,
    campaign_type: str | None = None,
    image_size: tuple[int, int] | None = None,
    more: Mapping[str, object] | None = None,
) -> Call:
    """Return operation 37. Sent twice it makes two teasers.

    Args:
        url: Where a click leads; encoded once, here.
        campaign_id: Whose teaser.
        title: At most 65 characters, 30 for push.
        image: Address of the image.
        price_cents: Of one click, in cents of the account's currency, with at most one decimal.
        text: At most 75 characters, 40 and required for push.
        category: Only push campaigns need one; others set it themselves.
        good_price: Shown in the teaser.
        campaign_type: Decides about lengths; any but push where it is not known.
        image_size: Width and height, where they are known; not sent.
        more: Goes along as it is.
    """
    check = _content(campaign_type, url, title, text, image, image_size)
    check.require(campaign_id, "campaignId", "must not be empty")
    check.require(category is not None or campaign_type != "push", "categoryId", "push campaigns need one")
    price = check.decimal("priceOfClick", price_cents, 1)
    form = {
        "url": url,
        "campaignId": campaign_id,
        "title": title,
        "advertText": text,
        "imageLink": image,
        "categoryId": _category(check, "categoryId", category, campaign_type),
        "priceOfClick": None if price is None else forms.digits(price),
        **_shown(check, good_price),
        **(more or {}),
    }
    return Call(route=routes.CREATE_TEASER, form=form, notes=check.notes("the teaser"))


def edit(
    teaser_id: str,
    *,
    url: str,
    campaign_id: str,
    title: str,
    image: str,
    category: int | None,
    text: str | None = None,
    good_price: GoodPrice | None = None,
    campaign_type: str | None = None,
    image_size: tuple[int, int] | None = None,
    more: Mapping[str, object] | None = None,
) -> Call:
    """Return operation 38: all content anew, which sends the teaser back to moderation. The price stays."""
    check = _content(campaign_type, url, title, text, image, image_size)
    check.require(campaign_id, "campaignId", "must not be empty")
    check.require(category is not None, "category", "must not be empty")
    form = {
        "url": url,
        "campaignId": campaign_id,
        "title": title,
        "advertText": text,
        "imageLink": image,
        "category": _category(check, "category", category, campaign_type),
        **_shown(check, good_price),
        **(more or {}),
    }
    notes = check.notes("the teaser")
    return Call(route=routes.EDIT_TEASER, path={"teaser": teaser_id}, form=form, notes=notes)


def _content(
    kind: str | None, url: str, title: str, text: str | None, image: str, size: tuple[int, int] | None
) -> Check:
    check = Check()
    check.url("url", url)
    check.teaser(kind, title, text, macros=values.TITLE_MACROS)
    check.image(image, size)
    return check


def _category(check: Check, field: str, category: int | None, kind: str | None) -> int | None:
    if category is not None:
        check.listed(field, [category], values.CATEGORIES)
        types = values.CATEGORIES.of(category).campaign_types
        if kind and types and kind not in types:
            check.note(f"{field}: {category} is documented for {', '.join(types)}, not for {kind}")
    return category


def _shown(check: Check, good: GoodPrice | None) -> dict[str, Any]:
    if good is None:
        return {"whetherShowGoodPrice": "0"}
    check.listed("currency", [good.currency], values.CURRENCIES)
    price, old = (
        check.decimal(name, value, 12)
        for name, value in (("goodPrice", good.price), ("goodOldPrice", good.old_price))
    )
    return {
        "whetherShowGoodPrice": "1",
        "currency": good.currency,
        "goodPrice": None if price is None else forms.digits(price),
        "goodOldPrice": None if old is None else forms.digits(old),
    }


def set_price(teaser_id: str, price_cents: Decimal) -> Call:
    """Return operation 39: the price of a click in all locations, in cents with at most one decimal."""
    check = Check()
    price = check.decimal("priceOfClick", price_cents, 1)
    form = {"priceOfClick": None if price is None else forms.digits(price)}
    notes = check.notes("the price")
    return Call(route=routes.TEASER_PRICE, path={"teaser": teaser_id}, form=form, notes=notes)


def set_blocked(teaser_id: str, *, blocked: bool) -> Call:
    """Return operation 40: stop or start a teaser."""
    form = {"whetherToBlockByClient": forms.switch(blocked)}
    return Call(route=routes.BLOCK_TEASER, path={"teaser": teaser_id}, form=form)


def delete(teaser_id: str) -> Call:
    """Return operation 41: into the bin."""
    return Call(route=routes.DELETE_TEASER, path={"teaser": teaser_id})
