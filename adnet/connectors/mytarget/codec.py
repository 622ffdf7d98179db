"""Objects of myTarget and VK Ads to models. Nothing else knows what their keys mean on the way up.

Unknown words never raise; what has another shape than documented raises SchemaError, with the network's own key.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from adnet.connectors.mytarget.profile import Profile
from adnet.errors import SchemaError
from adnet.models import AccountInfo, Ad, Campaign, Raw
from adnet.models.words import Status
from adnet.money import Money, currency_or_none, exact
from adnet.periods import utc

MOSCOW: Final = timezone(timedelta(hours=3), "Europe/Moscow")
"""Days, instants and calendar windows of the network. Source: myTarget help (documented)."""

STATUS: Final[Mapping[str, Status]] = {"active": "active", "blocked": "paused", "deleted": "deleted"}
MODERATION: Final[Mapping[str, Status]] = {
    "pending": "pending",
    "banned": "rejected",
    # Version 1 words.
    "new": "pending",
    "changed": "pending",
    "delayed": "pending",
}

CAMPAIGN_FIELDS: Final = (
    "id", "name", "status", "package_id", "objective", "price", "max_price", "autobidding_mode", "mixing",
    "budget_limit", "budget_limit_day", "date_start", "date_end", "age_restrictions", "uniq_shows_limit",
    "uniq_shows_period", "banner_uniq_shows_limit", "enable_utm", "utm", "enable_offline_goals", "priced_goal",
    "pricelist_id", "audit_pixels", "targetings", "created", "updated", "delivery", "issues",
)  # fmt: skip
BANNER_FIELDS: Final = (
    "id", "name", "status", "moderation_status", "moderation_reasons", "content", "textblocks", "urls",
    "delivery", "issues", "created", "updated",
)  # fmt: skip
USER_FIELDS: Final = ("id", "username", "status", "types", "currency", "account", "additional_info")

_CAMPAIGN_EXTRA: Final = (
    "package_id", "objective", "max_price", "autobidding_mode", "mixing", "age_restrictions", "uniq_shows_limit",
    "uniq_shows_period", "banner_uniq_shows_limit", "enable_offline_goals", "priced_goal", "pricelist_id",
    "audit_pixels", "ad_plan_id",
)  # fmt: skip
_TRACKING: Final = ("enable_utm", "utm")
_MOST_DIGITS: Final = 30
"""Of a number that is an id."""
_KINDS: Final = {"static": "banner", "video": "video", "html5": "html5"}
_ACCOUNT_RAW: Final = ("id", "username", "status", "types", "currency", "account")
"""What is kept of an account; names, addresses and telephone numbers are not."""


def campaign_fields(profile: Profile) -> tuple[str, ...]:
    """Return the fields that a Campaign is made of."""
    return (*CAMPAIGN_FIELDS, "ad_plan_id") if profile.plans else CAMPAIGN_FIELDS


def banner_fields(profile: Profile) -> tuple[str, ...]:
    """Return the fields that an Ad is made of."""
    return (*BANNER_FIELDS, profile.campaign_field)


# ---------------------------------------------------------------------- models


def campaign(row: Mapping[str, Any], currency: str | None) -> Campaign:
    """Return a campaign, or an ad group."""
    word = text(row, "status")
    return Campaign(
        campaign_id=object_id(row),
        name=text(row, "name") or "",
        status=STATUS.get(word or "", "unknown"),
        status_raw=word,
        daily_budget=money(row, "budget_limit_day", currency),
        total_budget=money(row, "budget_limit", currency),
        bid=money(row, "price", currency),
        currency=currency,
        starts_on=day(row, "date_start"),
        ends_on=day(row, "date_end"),
        created_at=instant(row, "created"),
        updated_at=instant(row, "updated") or instant(row, "last_updated"),
        targeting=section(row, "targetings"),
        tracking={name: row[name] for name in _TRACKING if name in row},
        extra={name: row[name] for name in _CAMPAIGN_EXTRA if name in row},
        raw=row,
    )


def ad(row: Mapping[str, Any], currency: str | None, profile: Profile) -> Ad:
    """Return a banner. Its title is its name, which is what people see in lists of them."""
    blocks, word = textblocks(row), text(row, "status")
    parent = row.get(profile.campaign_field, row.get("campaign_id"))
    return Ad(
        ad_id=object_id(row),
        campaign_id=None if parent is None else str(parent),
        title=text(row, "name") or _first(blocks, "title"),
        text=_first(blocks, "text"),
        kind=_kind(row),
        status=ad_status(word, text(row, "moderation_status")),
        status_raw=word,
        url=link(row),
        image_url=_image(row),
        currency=currency,
        extra={
            "textblocks": {role: {"text": words} for role, words in blocks.items()},
            "content": ids_of(row, "content"),
            "urls": ids_of(row, "urls"),
        },
        raw=row,
    )


def ad_status(word: str | None, moderation: str | None) -> Status:
    """Return our word: moderation first, then what the user set."""
    return MODERATION.get(moderation or "") or STATUS.get(word or "", "unknown")


def account(row: Mapping[str, Any]) -> AccountInfo:
    """Return the account behind a token; personal data beyond its login is left out."""
    currency = currency_of(row)
    info = section(row, "additional_info")
    return AccountInfo(
        account_id=object_id(row),
        name=text(info, "client_name") or text(row, "username"),
        currency=currency,
        time_zone="Europe/Moscow",
        balance=money(section(row, "account"), "balance", currency),
        raw=Raw({name: row[name] for name in _ACCOUNT_RAW if name in row}),
    )


def currency_of(row: Mapping[str, Any]) -> str | None:
    """Return an account's currency, or None for what is no code."""
    return currency_or_none(text(row, "currency"))


# ---------------------------------------------------------------------- banner parts


def textblocks(row: Mapping[str, Any]) -> dict[str, str]:
    """Return a banner's texts by role."""
    return {
        str(role): words
        for role, block in section(row, "textblocks").items()
        if isinstance(block, Mapping) and (words := text(block, "text")) is not None
    }


def ids_of(row: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """Return what a banner's section refers to, as it is written: role -> ``{"id"}``."""
    return {
        str(role): {"id": part["id"]}
        for role, part in section(row, name).items()
        if isinstance(part, Mapping) and "id" in part
    }


def link(row: Mapping[str, Any]) -> str | None:
    """Return where a banner leads to."""
    links = section(row, "urls")
    chosen = [links.get("primary"), *links.values()]
    found = (text(part, "url") for part in chosen if isinstance(part, Mapping))
    return next((url for url in found if url), None)


def _first(blocks: Mapping[str, str], prefix: str) -> str | None:
    return next((words for role, words in blocks.items() if role.startswith(prefix)), None)


def _kind(row: Mapping[str, Any]) -> str:
    media = (part for part in section(row, "content").values() if isinstance(part, Mapping))
    kinds = {_KINDS.get(text(part, "type") or "", "banner") for part in media}
    return next((kind for kind in ("video", "html5", "banner") if kind in kinds), "text")


def _image(row: Mapping[str, Any]) -> str | None:
    for part in section(row, "content").values():
        variants = part.get("variants") if isinstance(part, Mapping) else None
        for variant in _variants(variants):
            if url := text(variant, "url"):
                return url
    return None


def _variants(variants: Any) -> Iterable[Mapping[str, Any]]:
    if not isinstance(variants, Mapping):
        return ()
    ordered = [variants.get("original"), *variants.values()]
    return (variant for variant in ordered if isinstance(variant, Mapping))


# ---------------------------------------------------------------------- values


def object_id(row: Mapping[str, Any], name: str = "id") -> str:
    """Return an id as text.

    Raises:
        SchemaError: There is none.
    """
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise _unexpected(name, value, "an id")
    return str(value)


def number(row: Mapping[str, Any], name: str = "id") -> int:
    """Return a whole number that is not negative.

    Raises:
        SchemaError: It is none.
    """
    value = object_id(row, name)
    if not value.isascii() or not value.isdecimal() or len(value) > _MOST_DIGITS:
        raise _unexpected(name, row[name], "a number")
    return int(value)


def text(row: Mapping[str, Any], name: str) -> str | None:
    """Return a text; empty is None, numbers are text, too."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, Mapping | list):
        raise _unexpected(name, value, "a text")
    return str(value)


def objects(row: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the objects of a nested list; none is an empty one.

    Raises:
        SchemaError: It is something else.
    """
    value = row.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _unexpected(name, value, "a list")
    return [item for item in value if isinstance(item, Mapping)]


def section(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a nested object; none is an empty one.

    Raises:
        SchemaError: It is something else.
    """
    value = row.get(name)
    if value is None or value == []:  # an empty object comes as a list from some of the network's services
        return {}
    if not isinstance(value, Mapping):
        raise _unexpected(name, value, "an object")
    return value


def money(row: Mapping[str, Any], name: str, currency: str | None) -> Money | None:
    """Return an amount in the account's currency; None where there is none, or no currency is known.

    Raises:
        SchemaError: It is no number.
    """
    value = row.get(name)
    if value is None or value == "" or currency is None:
        return None
    return Money(amount(name, value), currency)


def amount(name: str, value: Any) -> Decimal:
    """Return an exact number; the network writes them as text or as JSON numbers."""
    try:
        return exact(value)
    except ValueError:
        raise _unexpected(name, value, "an amount") from None


def day(row: Mapping[str, Any], name: str) -> date | None:
    """Return a day; a datetime is cut, what is no day is None and stays readable in ``raw``."""
    try:
        return date.fromisoformat(str(row.get(name) or "")[:10])
    except ValueError:
        return None


def instant(row: Mapping[str, Any], name: str) -> datetime | None:
    """Return an instant in UTC from the network's Moscow time; what is none is None."""
    try:
        found = datetime.fromisoformat(str(row.get(name) or ""))
        return utc(found if found.tzinfo else found.replace(tzinfo=MOSCOW))
    except ValueError:
        return None


def _unexpected(name: str, value: Any, wanted: str) -> SchemaError:
    path = f"$.{name}"
    return SchemaError(f"{path} is {type(value).__name__}, not {wanted}", paths=(path,))
