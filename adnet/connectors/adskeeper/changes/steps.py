"""A change is a row of writes. They are sent one after another, and nothing half-written goes unmentioned."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

import attrs

from adnet.connectors.adskeeper.calls import Call
from adnet.connectors.adskeeper.core import Core, Saved
from adnet.connectors.adskeeper.limits import WIDTH
from adnet.errors import (
    AdnetError,
    ApiError,
    AuthenticationError,
    NotFoundError,
    OriginError,
    ServerError,
)
from adnet.models import Outcome
from adnet.models.change import OutcomeStatus
from adnet.operations.paginate import in_order

T = TypeVar("T")

NAMES: Final = {
    "advertText": "text",
    "advertiserName": "extra.advertiserName",
    "browserTargets": "targeting.browsers",
    "campaignId": "campaign_id",
    "campaignType": "extra.campaignType",
    "category": "extra.category",
    "categoryId": "extra.category",
    "currency": "extra.currency",
    "endDate": "ends_on",
    "geoTargets": "targeting.geo",
    "goodOldPrice": "extra.goodOldPrice",
    "goodPrice": "extra.goodPrice",
    "imageLink": "image_url",
    "ipsFilter": "targeting.ipsFilter",
    "keyword": "extra.keyword",
    "language": "extra.language",
    "languageTargets": "targeting.browserslanguage",
    "osTargets": "targeting.operatingsystems",
    "priceOfClick": "bid",
    "sourceFilters": "targeting.sourceFilters",
    "splitDailyLimitEvenly": "extra.splitDailyLimitEvenly",
    "startDate": "starts_on",
    "utm_campaign": "tracking.utm_campaign",
    "utm_custom": "tracking.utm_custom",
    "utm_medium": "tracking.utm_medium",
    "utm_source": "tracking.utm_source",
    "whetherToBlockByClient": "status",
    "widgetsFilterUid": "targeting.widgetsFilterUid",
}
"""Wire name of a field -> what drafts and updates call it."""

CLICKS: Final = {"dailyLimit": "daily_clicks", "overallLimit": "total_clicks"}
BUDGET: Final = {"dailyLimit": "daily_budget", "overallLimit": "total_budget"}


class Once(Generic[T]):
    """What is there, read when it is first needed and not again; *found* has been read already."""

    def __init__(self, read: Callable[[str], Awaitable[T]], number: str, found: T | None = None) -> None:
        self._read = read
        self._number = number
        self._found = found

    async def __call__(self) -> T:
        """Return it."""
        if self._found is None:
            self._found = await self._read(self._number)
        return self._found


@attrs.frozen(kw_only=True)
class Step:
    """One write of a change."""

    what: str
    """What it sets, in the words of drafts and updates."""
    call: Call
    verify: Callable[[], Awaitable[bool]] | None = None
    """Whether it was done, where its reply was lost; None where that cannot be told."""


def maybe_done(error: AdnetError) -> bool:
    """Whether a write that ended with *error* may have been done all the same.

    What the network says that it failed to do, again and again, it has not done; nor to an object that is not there.
    """
    return error.maybe_executed and not isinstance(error, ServerError | NotFoundError)


def translated(error: AdnetError, names: dict[str, str]) -> AdnetError:
    """Return *error* with the names of fields that drafts and updates use."""
    if isinstance(error, ApiError) and error.fields:
        message = error.message
        known = NAMES | names
        for wire in error.fields:
            message = message.replace(f"{wire}: ", f"{known.get(wire, wire)}: ")
        error.args = (message,)
        error.fields = {known.get(wire, wire): rule for wire, rule in error.fields.items()}
    return error


async def apply(core: Core, number: str | None, steps: Sequence[Step], *, names: dict[str, str]) -> Outcome:
    """Send *steps* in order and return what came of them all; the first one that fails, or in part, ends it."""
    notes: list[str] = []
    for index, step in enumerate(steps):
        try:
            saved = await core.save(step.call)
        except AdnetError as caught:
            status = await _after(step, caught)
            if status == "done":
                notes.append(f"{step.what}: the reply was lost, the network has the new value")
                continue
            notes.extend(_told(steps, index, status))
            return Outcome(id=number, status=status, error=translated(caught, names), notes=tuple(notes))
        notes.extend(saved.notes)
        if saved.error is not None:
            if saved.rejected:
                notes.append(f"{step.what}: not saved: {', '.join(saved.rejected)}")
            notes.extend(_told(steps, index, "failed"))
            error = translated(saved.error, names)
            return Outcome(id=number, status="failed", error=error, notes=tuple(dict.fromkeys(notes)))
    return Outcome(id=number, status="done" if steps else "unchanged", notes=tuple(dict.fromkeys(notes)))


def made_in_part(outcome: Outcome, saved: Saved, names: dict[str, str]) -> Outcome:
    """Return *outcome* as failed, with its id, if what it is about was made without all that it should have."""
    if saved.error is None:
        return outcome
    notes = [*saved.notes, *outcome.notes]
    if saved.rejected:
        notes.append(f"not saved: {', '.join(saved.rejected)}")
    return attrs.evolve(
        outcome,
        status="failed" if outcome.ok else outcome.status,
        error=outcome.error or translated(saved.error, names),
        notes=tuple(dict.fromkeys(notes)),
    )


async def _after(step: Step, error: AdnetError) -> OutcomeStatus:
    """Return what a step that raised has come to, looking it up where that is possible."""
    uncertain = maybe_done(error) or (isinstance(error, ServerError) and not step.call.route.idempotent)
    if not uncertain:
        return "failed"
    if step.verify is not None:
        try:
            if await step.verify():
                return "done"
        except AdnetError:
            return "unknown"
        return "failed" if isinstance(error, ServerError) else "unknown"
    return "unknown" if maybe_done(error) else "failed"


def _told(steps: Sequence[Step], index: int, status: OutcomeStatus) -> list[str]:
    """Return what was saved before a step that failed, and what was not sent after it."""
    notes = []
    if index:
        notes.append(f"saved before that: {', '.join(step.what for step in steps[:index])}")
    if status == "unknown":
        notes.append(f"may have been saved: {steps[index].what}")
    if index + 1 < len(steps):
        notes.append(f"not sent: {', '.join(step.what for step in steps[index + 1 :])}")
    return notes


async def each(
    items: Sequence[T],
    work: Callable[[T], Awaitable[Outcome]],
    *,
    width: int = WIDTH,
    key: Callable[[T], str],
) -> list[Outcome]:
    """Return one outcome for each item, in order; several are under way at once, but never two of one object.

    Once the credentials are refused nothing further is sent: the remaining items fail with that error.
    """
    stopped: list[AdnetError] = []

    async def one(item: T) -> Outcome:
        if stopped:
            return Outcome(id=key(item) or None, status="failed", error=stopped[0], notes=("not sent",))
        try:
            outcome = await work(item)
        except AdnetError as error:
            outcome = Outcome(id=key(item) or None, status="failed", error=translated(error, {}))
        if isinstance(outcome.error, AuthenticationError | OriginError):
            stopped.append(outcome.error)
        return outcome

    names = [key(item) for item in items]
    if len(set(names)) < len(names):
        width = 1
    return [outcome async for outcome in in_order(items, one, width=width)]
