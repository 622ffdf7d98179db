"""Limits of campaigns: a budget or a number of clicks, never both."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from adnet.connectors.adskeeper.calls import campaigns as calls
from adnet.connectors.adskeeper.calls.campaigns import LimitType
from adnet.connectors.adskeeper.changes.steps import BUDGET, CLICKS, Step
from adnet.connectors.adskeeper.changes.values import amount, number, refuse
from adnet.connectors.adskeeper.codec import Book
from adnet.connectors.adskeeper.core import Core
from adnet.connectors.adskeeper.rows import CampaignRow
from adnet.models import CampaignDraft

NAMES: Final[Mapping[LimitType, dict[str, str]]] = {"budget_limits": BUDGET, "clicks_limits": CLICKS}
"""Type of limit -> wire name -> what drafts and updates call it."""
FIELDS: Final = frozenset({*BUDGET.values(), *CLICKS.values()})


def read(book: Book, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits among *fields*, exact, in the account's currency or whole.

    Raises:
        InvalidRequestError: An amount is in another currency, or no number.
    """
    return {
        name: amount(book, name, fields[name]) if name in BUDGET.values() else number(name, fields[name])
        for name in sorted(FIELDS & fields.keys())
    }


def kind_of(limits: Mapping[str, Any]) -> LimitType | None:
    """Return the type of the limits that are set; None where there are none, or they are lifted only.

    Raises:
        InvalidRequestError: Both a budget and a number of clicks are set.
    """
    kinds: list[LimitType] = [
        kind for kind, names in NAMES.items() if any(limits.get(name) is not None for name in names.values())
    ]
    if len(kinds) > 1:
        raise refuse("daily_clicks", "a campaign is limited by budget or by clicks, not by both")
    return kinds[0] if kinds else None


def names_of(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return what the limits are called in *fields*, for errors."""
    return BUDGET if any(fields.get(name) is not None for name in BUDGET.values()) else CLICKS


def of_draft(book: Book, draft: CampaignDraft) -> dict[str, Any]:
    """Return a draft's limits as settings of a new campaign."""
    limits = read(book, {name: getattr(draft, name) for name in FIELDS})
    kind = kind_of(limits)
    if kind is None:
        return {}
    names = NAMES[kind]
    return {
        "limit_type": kind,
        "daily_limit": limits[names["dailyLimit"]],
        "overall_limit": limits[names["overallLimit"]],
    }


async def steps(
    core: Core,
    book: Book,
    campaign_id: str,
    fields: Mapping[str, Any],
    *,
    evenly: bool | None,
    row: Callable[[], Awaitable[CampaignRow]],
) -> list[Step]:
    """Return the write that sets the limits among *fields*; none where there is nothing to lift.

    Args:
        core: Of the account.
        book: Its currency.
        campaign_id: Whose limits.
        fields: Of an update; only what is named changes, None lifts a limit.
        evenly: Whether the daily limit is spread over the day; None leaves that as it is.
        row: Reads the campaign: a limit is lifted under the type that the campaign has.

    Raises:
        InvalidRequestError: A value is of no use, or a limit of the other type would be lifted unasked.
    """
    limits = read(book, fields)
    if not limits and evenly is None:
        return []
    kind, daily = kind_of(limits), None
    if kind is None:
        now = (await row()).limits
        kind = next((known for known in NAMES if known == now.kind), None)
        daily = now.daily if evenly is not None else None
        if kind is None and evenly is not None:
            raise refuse("extra.splitDailyLimitEvenly", "needs a daily limit, and the campaign has none")
    else:
        await _lifts_none(limits, kind, row)
    names = NAMES[kind] if kind else {}
    given = {wire: limits[name] for wire, name in names.items() if name in limits}
    if kind is None or (not given and evenly is None):
        return []
    call = calls.set_limits(
        core.dialect,
        campaign_id,
        limit_type=kind,
        daily=_sent(given, "dailyLimit", daily),
        overall=_sent(given, "overallLimit", None),
        split_evenly=evenly,
    )
    return [Step(what="limits", call=call)]


async def _lifts_none(
    limits: Mapping[str, Any], kind: LimitType, row: Callable[[], Awaitable[CampaignRow]]
) -> None:
    """Refuse to set limits of a *kind* where one of the other, which they replace, is there and not named.

    Source: Adskeeper advertiser API document: a campaign's ``limitsFilter`` has one ``limitType`` (documented), so
    that setting another ends the limits of the first (inferred).
    """
    others = {name: wire for other, names in NAMES.items() if other != kind for wire, name in names.items()}
    if others.keys() <= limits.keys():
        return
    now = (await row()).limits
    held = {"dailyLimit": now.daily, "overallLimit": now.overall}
    lost = [name for name, wire in others.items() if name not in limits and held[wire]]
    if now.kind in NAMES and now.kind != kind and lost:
        raise refuse(
            lost[0], "this limit, of the campaign's present type, would be lifted: name it with None"
        )


def _sent(given: Mapping[str, Any], name: str, present: Any) -> Any:
    """Return a limit as the network takes it: None where it stays, empty where it is lifted."""
    if name not in given:
        return present
    return "" if given[name] is None else given[name]
