"""
Operations 35 and 37 to 41 of the Adskeeper imitation: teasers.

Source: Adskeeper advertiser API document, "Working with client's teasers".
"""

import re
from decimal import Decimal
from typing import Any, NoReturn

from adnet.sandbox._adskeeper_call import Call, Refusal, id_of, refuse
from adnet.sandbox._adskeeper_campaigns import page_of
from adnet.sandbox._adskeeper_settings import has_reserved_mark
from adnet.sandbox._adskeeper_shapes import LOCATIONS, teaser_shape
from adnet.sandbox._adskeeper_state import DELETED, Campaign, Teaser
from adnet.sandbox._adskeeper_values import CATEGORIES, CURRENCIES

__all__ = [
    "create_teaser",
    "delete_teaser",
    "get_teaser",
    "list_teasers",
    "patch_teaser",
    "put_teaser",
    "wrong_method",
]

MIN_PRICE = Decimal("0.5")
MAX_PRICE = Decimal(50)
ABSURD_PRICE = Decimal(500)
"""Prices in cents, chosen here; above the last one the network speaks of regions instead."""
MIN_WIDTH, MIN_HEIGHT = 492, 328

_KINDS = frozenset({"jpg", "jpeg", "png", "gif", "mp4", "mov"})
_MACRO = re.compile(r"\{[A-Za-z]+\}")
_SIZE = re.compile(r"(\d{2,5})x(\d{2,5})")


def list_teasers(call: Call) -> Any:
    """Operation 35 without an id: a map of the current teasers by id."""
    statuses = set(call.params.words("status"))
    campaign = call.params.text("campaign")
    rows = [
        teaser
        for teaser in call.account.teasers.values()
        if teaser.listed
        and campaign in {"", str(teaser.campaign)}
        and (not statuses or call.account.teaser_status(teaser) in statuses)
    ]
    fields = frozenset(call.params.words("fields"))
    page = page_of(call, rows, call.dialect.page_max)
    call.served.append(35)
    return call.dialect.mapping({str(row.id): teaser_shape(call, row, fields) for row in page})


def get_teaser(call: Call) -> dict[str, Any]:
    """Operation 35 with an id: one bare teaser, older ones too."""
    teaser = call.teaser()
    call.served.append(35)
    return teaser_shape(call, teaser, frozenset(call.params.words("fields")))


def create_teaser(call: Call) -> dict[str, Any]:
    """Operation 37: it starts on moderation; sent twice it exists twice."""
    required = ("url", "campaignId", "title", "imageLink", "priceOfClick", "whetherShowGoodPrice")
    _check_required(call, required)
    campaign = _campaign(call)
    _check_content(call, campaign)
    price = call.params.decimal("priceOfClick")
    if price is None:
        raise refuse("ERROR_PARAMETER_PRICEOFCLICK_CAN_NOT_BE_EMPTY")
    if price < MIN_PRICE:
        raise Refusal({"errors": ["The price is not valid"]})
    if price > MAX_PRICE:
        raise refuse("ONE_OR_MORE_REGIONS_HAVE_PRICE_HIGHER_THAN_ACCEPTABLE_PRICE")
    teaser = Teaser(
        id=call.account.next_id(),
        campaign=campaign.id,
        title=call.params.text("title"),
        text=call.params.text("advertText"),
        url=call.params.text("url"),
        image=call.params.text("imageLink"),
        category=_category(call, campaign, "categoryId", required=campaign.type == "push"),
        price=price,
        own_status="onModeration",
    )
    teaser.good_price, teaser.good_old_price, teaser.currency = _good_price(call)
    call.account.teasers[teaser.id] = teaser
    call.served.append(37)
    return {"id": teaser.id}


def put_teaser(call: Call) -> dict[str, Any]:
    """Operation 38: all content anew, so that moderation starts again; the price stays."""
    teaser = call.teaser()
    if teaser.own_status == "onModeration":
        raise refuse("ERROR_EDITING_TEASER_ON_MODERATION_NOT_PERMITTED")
    required = ("url", "campaignId", "title", "imageLink", "category", "whetherShowGoodPrice")
    _check_required(call, required)
    campaign = _campaign(call)
    _check_content(call, campaign)
    # All is read before any is written: what is refused changes nothing.
    category, good_price = _category(call, campaign, "category", required=True), _good_price(call)
    teaser.category = category
    teaser.campaign = campaign.id
    teaser.title = call.params.text("title")
    teaser.url = call.params.text("url")
    teaser.image = call.params.text("imageLink")
    if call.params.given("advertText"):
        teaser.text = call.params.text("advertText")
    teaser.good_price, teaser.good_old_price, teaser.currency = good_price
    teaser.own_status = "onModeration"
    call.served.append(38)
    return {"id": teaser.id}


def _check_required(call: Call, names: tuple[str, ...]) -> None:
    missing = [name for name in names if not call.params.text(name)]
    if missing:
        raise refuse(*(f"ERROR_PARAMETER_{name.upper()}_CAN_NOT_BE_EMPTY" for name in missing))


def _campaign(call: Call) -> Campaign:
    found = call.account.campaigns.get(call.params.number("campaignId") or 0)
    if found is None or found.own_status == DELETED:
        raise call.unknown("ERROR_CAMPAIGN_DOES_NOT_EXIST")
    return found


def _check_content(call: Call, campaign: Campaign) -> None:
    push = campaign.type == "push"
    title, text = call.params.text("title"), call.params.text("advertText")
    if push and _MACRO.search(title + text):
        raise refuse("VALIDATION_MACRO_WAS_FOUND_TITLE_PUSH")
    if len(title) > (30 if push else 65):
        raise refuse("ERROR_TITLE_TOO_LONG")
    if len(text) > (40 if push else 75):
        raise refuse("ERROR_ADVERT_TEXT_TOO_LONG")
    if push and not text:
        raise refuse("ERROR_INVALID_PARAMETER")
    if has_reserved_mark(call.params.text("url")):
        raise refuse("ERROR_MGCLID_MGCLIDA_SYSTEM_PARAMETERS_CANNOT_USE_THEM")
    _check_image(call.params.text("imageLink"))


def _check_image(link: str) -> None:
    """Refuse a wrong suffix, and a too small size when the address tells one (600x382)."""
    path = link.partition("?")[0]
    if path.rpartition(".")[2].lower() not in _KINDS:
        raise refuse("LS_IMAGE_WRONG_EXTANTION")
    told = _SIZE.search(path)
    if told is None:
        return
    sides = (("width", MIN_WIDTH, int(told[1])), ("height", MIN_HEIGHT, int(told[2])))
    small = [
        f"Minimum expected {side} for image '' should be '{least}' but '{size}' detected"
        for side, least, size in sides
        if size < least
    ]
    if small:
        # Both sentences in one element of the list: that is how the network tells it.
        raise Refusal({"errors": [",".join(small)]})


def _category(call: Call, campaign: Campaign, name: str, *, required: bool) -> int:
    if not call.params.text(name):
        if required:
            raise refuse("ERROR_PARAMETER_CATEGORY_CAN_NOT_BE_EMPTY")
        return campaign.category
    number = call.params.number(name) or 0
    if number not in CATEGORIES or campaign.type not in CATEGORIES[number].campaign_types:
        raise refuse("ERROR_PARAMETER_CATEGORY_INCORRECT_FOR_THIS_CAMPAIGN_TYPE")
    return number


def _good_price(call: Call) -> tuple[str | None, str | None, int | None]:
    """Return price, old price and currency of the goods; none of them when they are not to be shown."""
    params = call.params
    if params.text("whetherShowGoodPrice") != "1":
        return None, None, None
    currency = params.number("currency")
    price, old_price = params.decimal("goodPrice"), params.decimal("goodOldPrice")
    if currency not in CURRENCIES or None in (price, old_price):
        raise refuse("ERROR_INVALID_PARAMETER")
    return str(price), str(old_price), currency


def patch_teaser(call: Call) -> dict[str, Any]:
    """Operations 39 (price) and 40 (block); the latter answers with the id as text."""
    teaser = call.teaser()
    priced = call.params.given("priceOfClick", "priceOfClickByLocation")
    flag = call.params.text("whetherToBlockByClient")
    if not priced and flag not in {"0", "1"}:
        raise refuse("EDIT_PRICE_REQUIRED_PRICES")
    if priced:
        teaser.price = _price(call)
        call.served.append(39)
    if flag in {"0", "1"}:
        teaser.blocked = flag == "1"
        call.served.append(40)
    return {"id": teaser.id if priced else str(teaser.id)}


def _price(call: Call) -> Decimal:
    name = "priceOfClick" if call.params.given("priceOfClick") else "priceOfClickByLocation"
    if not call.params.text(name):
        raise refuse("EDIT_PRICE_REQUIRED_PRICES")
    price = call.params.decimal(name)
    if price is None:
        raise refuse(*["VALIDATION_NOT_FLOAT"] * len(LOCATIONS))
    if price < MIN_PRICE:
        raise Refusal({"errors": ["The price is not valid"]})
    if price > ABSURD_PRICE:
        raise refuse("ONE_OR_MORE_REGIONS_HAVE_PRICE_HIGHER_THAN_ACCEPTABLE_PRICE")
    if price > MAX_PRICE:
        raise refuse(*[f"LS_CAB_'{price}'_MORE_THAN_'{MAX_PRICE}'"] * len(LOCATIONS))
    return price


def delete_teaser(call: Call) -> dict[str, Any]:
    """
    Operation 41: into the bin; the id comes back as text.

    Raises:
        Refusal: It is not there (any more): a bare bracketed word, no JSON.
    """
    teaser = call.account.teasers.pop(id_of(call.path["teaser"]), None)
    if teaser is None:
        raise Refusal("[ERROR_RESOURCE_NOT_FOUND]", status=call.dialect.unknown_status)
    call.served.append(41)
    return {"id": str(teaser.id)}


def wrong_method(_call: Call) -> NoReturn:
    """
    Refuse to change the collection of teasers as a whole.

    Raises:
        Refusal: ERROR_PARAMETER_POST_SEND, always.
    """
    raise refuse("ERROR_PARAMETER_POST_SEND")
