"""Drafts and updates in plain words to what the network takes; pure functions, nothing is sent.

An update names exactly the changed fields. Where the network replaces a nested value whole (a targeting, a banner's
texts, links and media), what is there is completed with what changes, and a completion that changes nothing is left
out. Source: VK Ads "AdGroup" and "Banner" (documented); per-key replacement of targetings is inferred.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from adnet.connectors.mytarget import codec
from adnet.connectors.mytarget.errors import invalid
from adnet.errors import SchemaError
from adnet.models import AdDraft, CampaignDraft, Update
from adnet.money import Money, exact

STATUS: Final = {"active": "active", "paused": "blocked", "deleted": "deleted"}
CAMPAIGN_MASS: Final = frozenset({
    "status", "budget_limit", "budget_limit_day", "date_start", "date_end", "max_price"
})  # fmt: skip
"""Campaign fields that a mass action takes. Source: VK Ads "AdGroup mass action" (documented)."""
BANNER_MASS: Final = frozenset({"status"})

_MONEY: Final = {"daily_budget": "budget_limit_day", "total_budget": "budget_limit", "bid": "price"}
_DAYS: Final = {"starts_on": "date_start", "ends_on": "date_end"}
_CLICKS: Final = frozenset({"daily_clicks", "total_clicks"})
TARGETINGS: Final = "targetings"
_SECTIONS: Final = frozenset({"content", "textblocks", "urls", TARGETINGS})
_CAMPAIGN_FIELDS: Final = {
    **{theirs: ours for ours, theirs in (_MONEY | _DAYS).items()},
    "status": "status",
    "name": "name",
    TARGETINGS: "targeting",
}
_BANNER_FIELDS: Final = {"status": "status", "name": "title"}
"""What the network calls fields that updates and drafts have, and what these call them."""


# ---------------------------------------------------------------------- campaigns


def campaign_changes(update: Update, currency: str | None) -> dict[str, Any]:
    """Return an update of a campaign in the network's words.

    Raises:
        InvalidRequestError: A field or a value that cannot be sent; nothing was.
    """
    changes: dict[str, Any] = {}
    for name, value in update.fields.items():
        if name in _MONEY:
            changes[_MONEY[name]] = amount(name, value, currency)
        elif name in _DAYS:
            changes[_DAYS[name]] = day(name, value)
        elif name == "status":
            changes[name] = status(value)
        elif name == "name":
            changes[name] = value
        elif name == "targeting":
            changes[TARGETINGS] = dict(mapping(name, value))
        elif name in {"tracking", "extra"}:
            changes.update(beside(name, value, _CAMPAIGN_FIELDS))
        else:
            raise unknown(name)
    return {name: value for name, value in changes.items() if name != TARGETINGS or value}


def campaign_body(draft: CampaignDraft, currency: str | None) -> dict[str, Any]:
    """Return a campaign to create, its ads left out. Money goes as text, which is exact."""
    refuse_clicks(draft)
    body: dict[str, Any] = {"name": draft.name, "status": status(draft.status)}
    for ours, theirs in _MONEY.items():
        if (value := getattr(draft, ours)) is not None:
            body[theirs] = amount(ours, value, currency)
    for ours, theirs in _DAYS.items():
        if (value := getattr(draft, ours)) is not None:
            body[theirs] = day(ours, value)
    if draft.targeting:
        body[TARGETINGS] = dict(draft.targeting)
    own = _set(body, _CAMPAIGN_FIELDS)
    return {**body, **beside("tracking", draft.tracking, own), **beside("extra", draft.extra, own)}


def refuse_clicks(draft: CampaignDraft) -> None:
    """Refuse limits of clicks, which this network does not know."""
    for name in sorted(_CLICKS):
        if getattr(draft, name) is not None:
            raise invalid(
                "this network limits money, not clicks", **{name: "not known here; use daily_budget"}
            )


# ---------------------------------------------------------------------- banners


def banner_changes(update: Update) -> dict[str, Any]:
    """Return an update of a banner in the network's words; ``url`` and ``text`` stay under these names.

    Raises:
        InvalidRequestError: A field or a value that cannot be sent; nothing was.
    """
    changes: dict[str, Any] = {}
    for name, value in update.fields.items():
        if name == "title":
            changes["name"] = value
        elif name == "status":
            changes[name] = status(value)
        elif name in {"url", "text"}:
            if not isinstance(value, str) or not value:
                raise invalid(f"{name} is a text that is not empty", **{name: "not a text"})
            changes[name] = value
        elif name == "extra":
            changes.update(beside(name, value, _BANNER_FIELDS))
        else:
            raise unknown(name)
    return changes


def banner_body(draft: AdDraft, urls: Mapping[str, Any]) -> dict[str, Any]:
    """Return a banner to create.

    Title and text go into the text blocks of a teaser (``title_25``, ``text_90``) unless ``extra`` has its own.

    Args:
        draft: The ad.
        urls: Address -> id of its URL object.

    Raises:
        InvalidRequestError: A field that cannot be sent; nothing was.
    """
    # No address is fetched: which role an image fits, and in which size, is for the package's format to say.
    upload = "upload it by native.content.upload, and name it in extra={'content': {role: {'id': …}}}"
    for name, hint in (("bid", "set it on the campaign"), ("image_url", upload)):
        if getattr(draft, name) is not None:
            raise invalid(f"{name} is no property of a banner here: {hint}", **{name: hint})
    body: dict[str, Any] = {"status": status(draft.status)}
    if draft.title is not None:
        body["name"] = draft.title
    blocks = {"title_25": draft.title, "text_90": draft.text}
    if draft.text is not None:
        body["textblocks"] = {role: {"text": words} for role, words in blocks.items() if words}
    if draft.url is not None and "urls" not in draft.extra:
        body["urls"] = {"primary": {"id": urls[draft.url]}}
    return {**body, **beside("extra", draft.extra, _set(body, _BANNER_FIELDS))}


def _set(body: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, str]:
    """Return those of *fields* that a draft has set; its status always is."""
    return {theirs: ours for theirs, ours in fields.items() if theirs in body}


# ---------------------------------------------------------------------- completing


def sections_to_read(changes: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields that have to be read before *changes* can be sent, since they are replaced whole."""
    found = {name for name, value in changes.items() if isinstance(value, Mapping) and name != TARGETINGS}
    targetings = changes.get(TARGETINGS, {})
    if any(isinstance(value, Mapping) for value in targetings.values()):
        found.add(TARGETINGS)
    if "text" in changes:
        found.add("textblocks")
    if "url" in changes:
        found.add("urls")
    return frozenset(found)


def completed(changes: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return *changes* with nested values completed by what is *stored*; what does not change is left out."""
    whole: dict[str, Any] = {}
    for name, value in changes.items():
        if not isinstance(value, Mapping):
            whole[name] = value
            continue
        before = current(stored, name)
        if name == TARGETINGS:
            found = {k: new for k, v in value.items() if (new := merged(before.get(k), v)) != before.get(k)}
            if any(isinstance(part, Mapping) for part in found.values()):
                _check_shown(stored, name, before)
            if found:
                whole[name] = found
        elif (after := merged(before, value)) != before:
            _check_shown(stored, name, before)
            whole[name] = after
    return whole


def _check_shown(stored: Mapping[str, Any], name: str, before: Mapping[str, Any]) -> None:
    """See that *before* is all of a section that the network replaces whole."""
    hidden = {role for role, part in codec.section(stored, name).items() if part and role not in before}
    if name in _SECTIONS and (hidden or name not in stored):
        message = f"the network replaces {name} whole, and does not show all of them"
        raise SchemaError(message, paths=(f"$.{name}",))


def current(stored: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a stored section as it would be written."""
    if name in {"content", "urls"}:
        return codec.ids_of(stored, name)
    if name == "textblocks":
        blocks = codec.section(stored, name).items()
        return {role: dict(block) for role, block in blocks if isinstance(block, Mapping) and block}
    return codec.section(stored, name)


def merged(before: Any, change: Any) -> Any:
    """Return *before* with *change*: mappings by key, None takes a key away, anything else replaces."""
    if not isinstance(change, Mapping):
        return change
    old = before if isinstance(before, Mapping) else {}
    both = {**old, **{name: merged(old.get(name), value) for name, value in change.items()}}
    return {name: value for name, value in both.items() if value is not None or name not in change}


def with_text(changes: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return *changes* with ``text`` in the role in which the banner has its text.

    Raises:
        InvalidRequestError: It has none; which roles there are depends on its package.
    """
    if "text" not in changes:
        return dict(changes)
    role = next((role for role in codec.textblocks(stored) if role.startswith("text")), None)
    if role is None:
        raise invalid(
            "this banner has no text block; name one in extra={'textblocks': {role: {'text': …}}}",
            text="no role for it",
        )
    rest = {name: value for name, value in changes.items() if name != "text"}
    blocks = {**rest.get("textblocks", {}), role: {"text": changes["text"]}}
    return {**rest, "textblocks": blocks}


# ---------------------------------------------------------------------- values


def status(value: Any) -> str:
    """Return the network's word for one of ours."""
    if not isinstance(value, str) or value not in STATUS:
        raise invalid(f"status is one of {', '.join(STATUS)}, not {value!r}", status="unknown word")
    return STATUS[value]


def amount(name: str, value: Any, currency: str | None) -> str | None:
    """Return an amount as exact text; None takes a limit away."""
    if value is None:
        return None
    if isinstance(value, Money):
        if value.currency != currency:
            ours = currency or "a currency that it does not name"
            raise invalid(
                f"{name} is in {value.currency}, this account is in {ours}", **{name: "wrong currency"}
            )
        value = value.amount
    try:
        return format(exact(value), "f")
    except ValueError as error:
        raise invalid(f"{name}: {error}", **{name: str(error)}) from None


def day(name: str, value: Any) -> str | None:
    """Return a day as the network writes it; None takes it away."""
    if value is None:
        return None
    if isinstance(value, datetime):
        value = value.astimezone(codec.MOSCOW).date() if value.tzinfo else value.date()
    if isinstance(value, date):
        return value.isoformat()
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise invalid(f"{name} is a day, not {value!r}", **{name: "not a day"}) from None


def mapping(name: str, value: Any) -> Mapping[str, Any]:
    """Return a nested change, which must be a mapping."""
    if not isinstance(value, Mapping):
        raise invalid(f"{name} takes a mapping of what changes", **{name: "not a mapping"})
    return value


def beside(name: str, value: Any, fields: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what is nested under *name*, without any of *fields*.

    Plans count what fields move, and a draft that is paused stays paused.

    Raises:
        InvalidRequestError: It holds one of them.
    """
    change = mapping(name, value)
    for theirs, ours in fields.items():
        if theirs in change:
            raise invalid(f"{name} cannot hold {theirs}: set {ours}", **{f"{name}.{theirs}": f"set {ours}"})
    return change


def unknown(name: str) -> Exception:
    """Return the error for a field that cannot be changed."""
    hint = "cannot be changed here; what only this network has goes into extra={…}"
    return invalid(f"{name} {hint}", **{name: hint})
