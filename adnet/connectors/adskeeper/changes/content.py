"""What teasers show: read from a teaser, changed by an update, compared with a draft."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from adnet.connectors.adskeeper.calls.teasers import GoodPrice, TeaserContent
from adnet.connectors.adskeeper.changes.values import refuse
from adnet.connectors.adskeeper.rows import TeaserRow
from adnet.connectors.adskeeper.shapes import number_of, text
from adnet.errors import InvalidRequestError
from adnet.models import AdDraft
from adnet.money import exact

_GOOD: Final = ("currency", "goodPrice", "goodOldPrice")
KNOWN_EXTRA: Final = frozenset({"category", "categoryId", "campaignType", "image_size", *_GOOD})
"""Keys of ``extra`` that are understood here; all others go along as they are."""


def content_of(row: TeaserRow) -> TeaserContent:
    """Return what a teaser shows now, as an edit has to send it again."""
    good: GoodPrice | None = None
    if row.good_price and row.currency:  # zero is none, and would be refused
        good = {
            "currency": row.currency,
            "goodPrice": row.good_price,
            "goodOldPrice": row.good_old_price or row.good_price,
        }
    return {
        "url": row.url or "",
        "campaign_id": row.campaign_id or "",
        "title": row.title or "",
        "text": row.text,
        "image": row.image or "",
        "category": row.category.id,
        "good_price": good,
    }


def changed(before: TeaserContent, fields: Mapping[str, Any], extra: Mapping[str, Any]) -> TeaserContent:
    """Return what a teaser shall show: what it shows now, and the named fields anew."""
    after: TeaserContent = {**before}
    after["url"] = _stripped(fields.get("url", before["url"]))
    after["title"] = _stripped(fields.get("title", before["title"]))
    after["image"] = _stripped(fields.get("image_url", before["image"]))
    after["campaign_id"] = _stripped(fields.get("campaign_id", before["campaign_id"]))
    wished = _stripped(fields.get("text", before["text"]))
    if wished != (before["text"] or ""):
        after["text"] = wished  # also an empty one: a text that is not sent stays
    for name in ("category", "categoryId"):
        if name in extra:
            after["category"] = whole("category", extra[name])
    if extra.keys() & set(_GOOD):
        good = before["good_price"]
        after["good_price"] = good_price({**(good or {}), **extra})
    return after


def _stripped(value: Any) -> str:
    """Return a text as the network's are read, so that what is so already is known again."""
    return str(value or "").strip()


def good_price(extra: Mapping[str, Any]) -> GoodPrice | None:
    """Return the price to show; None where it is not given, or taken away with None."""
    if extra.get("goodPrice") is None:
        return None
    missing = [name for name in _GOOD if extra.get(name) is None]
    if missing:
        raise refuse(f"extra.{missing[0]}", "currency, goodPrice and goodOldPrice go together")
    return {
        "currency": whole("currency", extra["currency"]) or 0,
        "goodPrice": _price("goodPrice", extra["goodPrice"]),
        "goodOldPrice": _price("goodOldPrice", extra["goodOldPrice"]),
    }


def _price(name: str, value: Any) -> Decimal:
    try:
        return exact(value)
    except ValueError:
        raise refuse(f"extra.{name}", "an exact number: Decimal, int or digits as text") from None


def whole(name: str, value: Any) -> int | None:
    """Return the id of a table; None stays None."""
    if value is None:
        return None
    number = None if isinstance(value, bool) else number_of(value)
    if number is None:
        raise refuse(f"extra.{name}", "the id of a table, a whole number")
    return number


def size(extra: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return an image's width and height, where they are known."""
    size = extra.get("image_size")
    if size is None:
        return None
    try:
        width, height = size
        return int(width), int(height)
    except (TypeError, ValueError):
        raise InvalidRequestError(
            "nothing was sent: extra.image_size: width and height",
            fields={"extra.image_size": "width and height"},
        ) from None


def is_unseen(row: TeaserRow) -> bool:
    """Whether a teaser was never shown, so that it may have been made just now."""
    return not (row.shows or row.clicks or row.spent)


def is_new(row: TeaserRow) -> bool:
    """Whether a teaser has just been made: on moderation, and never shown."""
    return row.status == "onModeration" and is_unseen(row)


def agrees(row: TeaserRow, draft: AdDraft) -> bool:
    """Whether a teaser is what a draft describes; texts are read without blanks around them, and compared so."""
    # The network may write one of the addresses differently.
    same_address = row.url == text(draft.url) or row.image == text(draft.image_url)
    return row.title == text(draft.title) and same_address
