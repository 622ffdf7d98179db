"""Campaigns: drafts and updates as writes, and what came of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from adnet.clock import Clock
from adnet.connectors.adskeeper import shapes
from adnet.connectors.adskeeper.calls import Call
from adnet.connectors.adskeeper.calls import campaigns as calls
from adnet.connectors.adskeeper.changes import factors, limits, targetings
from adnet.connectors.adskeeper.changes.beside import CAMPAIGNS, beside
from adnet.connectors.adskeeper.changes.content import whole
from adnet.connectors.adskeeper.changes.steps import (
    Once,
    Step,
    apply,
    each,
    made_in_part,
    maybe_done,
    translated,
)
from adnet.connectors.adskeeper.changes.values import (
    blocked,
    mapping,
    only,
    only_one_kind,
    places,
    refuse,
    words,
)
from adnet.connectors.adskeeper.codec import Book, campaign_status
from adnet.connectors.adskeeper.core import Core, Saved
from adnet.connectors.adskeeper.native import AdskeeperNative
from adnet.connectors.adskeeper.rows import CampaignRow
from adnet.errors import AdnetError, ConflictError, NotFoundError, ServerError, UnsupportedError
from adnet.models import CampaignDraft, Outcome, PlannedRequest, Update

NEW_ID: Final = "NEW-ID"
"""Stands in planned requests for an id that only the first answer tells."""
_FIELDS: Final = frozenset({
    "status", "daily_budget", "total_budget", "daily_clicks", "total_clicks", "tracking", "targeting", "extra",
})  # fmt: skip
_CREATED_WITH: Final = ("geo", "browsers", "operatingsystems", "browserslanguage")
_DRAFT_EXTRA: Final = {
    "keyword": "keyword",
    "language": "language",
    "campaignType": "campaign_type",
    "advertiserName": "advertiser_name",
    "categoryId": "category_id",
    "category": "category_id",
    "splitDailyLimitEvenly": "split_evenly",
}
"""Keys of a draft's ``extra`` -> settings of a new campaign; all others go along as they are."""
_OF_TABLES: Final = frozenset({"category", "categoryId"})
_NEW: Final = timedelta(hours=1)
_DELETED: Final = 14


@attrs.frozen
class CampaignWriter:
    """Creates, changes and deletes campaigns of one account."""

    core: Core
    native: AdskeeperNative
    book: Book
    clock: Clock

    # ------------------------------------------------------------------ updating

    async def update(self, updates: Sequence[Update]) -> list[Outcome]:
        """Send each update's writes; one outcome for each, in order."""

        async def one(update: Update) -> Outcome:
            async with self.core.alone_with(str(update.id)):
                steps = await self.steps(update.id, update.fields)
                return await apply(self.core, update.id, steps, names=limits.names_of(update.fields))

        return await each(updates, one, key=lambda update: update.id)

    async def steps(self, campaign_id: str, fields: Mapping[str, Any]) -> list[Step]:
        """Return the writes of one update. It stops first and starts last, so that nothing runs half-changed.

        Raises:
            UnsupportedError: The API cannot set a field; a campaign's name and dates are among those.
            InvalidRequestError: A value breaks a documented rule.
        """
        only(fields, _FIELDS, "a campaign")
        row = Once(self.native.campaigns.get, campaign_id)
        extra = dict(mapping("extra", fields.get("extra")))
        stops = "status" in fields and blocked(fields["status"])
        evenly = extra.pop("splitDailyLimitEvenly", None)
        try:
            middle = await limits.steps(self.core, self.book, campaign_id, fields, evenly=evenly, row=row)
        except AdnetError as error:
            raise translated(error, limits.names_of(fields)) from None
        if "tracking" in fields:
            middle += await self._tracking(campaign_id, mapping("tracking", fields["tracking"]), row)
        wished = mapping("targeting", fields.get("targeting"))
        middle += await targetings.steps(self.core, self.native, campaign_id, wished, row)
        only(extra, factors.KNOWN.keys() | {"splitDailyLimitEvenly"}, "a campaign's extra")
        middle += factors.steps(campaign_id, extra)
        if "status" not in fields:
            return middle
        status = Step(what="status", call=calls.set_blocked(campaign_id, blocked=stops))
        return [status, *middle] if stops else [*middle, status]

    async def _tracking(
        self, campaign_id: str, edit: Mapping[str, Any], row: Once[CampaignRow]
    ) -> list[Step]:
        only(edit, calls.UTM_NAMES, "tracking")
        marks = {name: "" if value is None else str(value) for name, value in edit.items()}
        if not marks:
            return []
        # Three of them go together, and whether what is left out is taken away is not documented: without the macro
        # of a click's id no sale would find its click. So the others are sent again as they are.
        three, present = calls.UTM_NAMES[:3], (await row()).utm
        kept = {name: value for name, value in present.items() if name in three or calls.may_be_set(value)}
        empty = dict.fromkeys(three if marks.keys() & set(three) else (), "")
        return [Step(what="tracking", call=calls.set_utm(campaign_id, empty | kept | marks))]

    # ------------------------------------------------------------------ creating

    async def create(self, drafts: Sequence[CampaignDraft]) -> list[Outcome]:
        """Create campaigns one after another; one outcome for each, in order."""
        return await each(drafts, self._create, width=1, key=lambda _: "")

    async def _create(self, draft: CampaignDraft) -> Outcome:
        call = self.new(draft)
        self.later(NEW_ID, draft)  # all of a draft holds the rules before any of it is sent
        started = self.clock.now()
        notes: list[str] = list(call.notes)
        names = limits.names_of(attrs.asdict(draft, recurse=False))
        try:
            saved = await self.core.save(call)
        except AdnetError as error:
            if not (maybe_done(error) or isinstance(error, ServerError)):
                raise translated(error, names) from None
            adopted = await self._adopted(draft.name, error, started)
            if adopted.status != "done" or adopted.id is None:
                return adopted
            saved = Saved(id=adopted.id)
            notes += adopted.notes
        campaign_id = saved.id or ""
        outcome = await apply(self.core, campaign_id, self.later(campaign_id, draft), names={})
        outcome = made_in_part(outcome, saved, names)
        if not outcome.ok:
            notes.append(
                f"the campaign {campaign_id} exists, but not all of it was set: check whether it runs"
            )
        status = "done" if outcome.status == "unchanged" else outcome.status
        return attrs.evolve(outcome, status=status, notes=tuple(dict.fromkeys((*notes, *outcome.notes))))

    def later(self, campaign_id: str, draft: CampaignDraft) -> list[Step]:
        """Return the writes after the creation: stop the campaign, and set what a new one cannot be given.

        It has no ads yet, so that it spends nothing before it is stopped.
        """
        targeting = {name: value for name, value in draft.targeting.items() if name not in _CREATED_WITH}
        found = targetings.fresh(campaign_id, targeting) + factors.steps(campaign_id, draft.extra)
        if draft.status == "active":
            return found
        return [Step(what="status", call=calls.set_blocked(campaign_id, blocked=True)), *found]

    def new(self, draft: CampaignDraft) -> Call:
        """Return the write that creates a campaign.

        Raises:
            UnsupportedError: The draft has what campaigns do not have here.
            InvalidRequestError: A documented rule is broken; ``fields`` names each.
        """
        if draft.bid is not None:
            raise UnsupportedError("here prices belong to ads, not to campaigns: give the bid to the ads")
        if draft.ads:
            raise UnsupportedError("here ads are not created with their campaign: create them after it")
        if draft.status not in {"active", "paused"}:
            raise refuse("status", f"active or paused, not {draft.status!r}")
        only(draft.targeting, targetings.KNOWN, "a campaign's targeting")
        only(draft.tracking, calls.UTM_NAMES, "tracking")
        settings: dict[str, Any] = limits.of_draft(self.book, draft)
        settings |= places(mapping("targeting.geo", draft.targeting.get("geo")))
        only_one_kind(settings.get("countries", ()), settings.get("cities", ()))
        names = (
            ("browsers", "browsers"),
            ("operatingsystems", "operating_systems"),
            ("browserslanguage", "language_targets"),
        )
        for name, setting in names:
            settings[setting] = words(f"targeting.{name}", draft.targeting.get(name))
        settings["language_targets"] = [_language(word) for word in settings["language_targets"]]
        more = {}
        for name, value in draft.extra.items():
            if name in _DRAFT_EXTRA:
                settings[_DRAFT_EXTRA[name]] = whole(name, value) if name in _OF_TABLES else value
            elif name not in factors.KNOWN:
                more[name] = value
        try:
            return calls.create(
                self.core.dialect,
                name=draft.name,
                start_date=draft.starts_on,
                end_date=draft.ends_on,
                utm={name: str(value) for name, value in draft.tracking.items() if value},
                more=beside(more, CAMPAIGNS),
                **settings,
            )
        except AdnetError as error:
            raise translated(error, limits.names_of(attrs.asdict(draft, recurse=False))) from None

    async def _adopted(self, name: str, error: AdnetError, started: datetime) -> Outcome:
        """Look for a campaign whose creation was not answered; names are unique in an account."""
        try:
            rows = [
                row
                async for page in self.native.campaigns.list_all(fields=("id", "name", "status", "whenAdd"))
                for row in page
            ]
            wanted = shapes.text(name)  # names are read without blanks around them
            found = [row for row in rows if row.name == wanted and row.status.id != _DELETED]
            new = bool(found) and await self._is_new(found[-1], rows, started)
        except AdnetError as failure:
            told = (
                f"it could not be looked for: {failure}; it may exist: look for its name before trying again"
            )
            return Outcome(status="unknown", error=error, notes=(told,))
        if not found:
            known = isinstance(error, ServerError)
            told = "looked for by name and not found" + ("" if known else "; it may still appear")
            return Outcome(status="failed" if known else "unknown", error=error, notes=(told,))
        row = found[-1]
        if new:
            note = f"the reply was lost; the campaign was found by its name and adopted as {row.id}"
            return Outcome(id=row.id, status="done", notes=(note,))
        told = f"campaign {row.id} has this name since {row.added}: it is older than this request and was left alone"
        return Outcome(status="unknown", error=error, notes=(told,))

    async def _is_new(self, row: CampaignRow, rows: Sequence[CampaignRow], started: datetime) -> bool:
        """Return whether a campaign among *rows* can have been made since *started*."""
        added = shapes.moment(row.added, self.book.zone)
        newest = max(rows, key=lambda other: (len(other.id), other.id)).id == row.id
        # The newest may be old: only where its age is not told can its place tell anything. Clocks differ, but nothing
        # is in a campaign that has just been made, and one with ads may be running.
        recent = newest if added is None else added > started - _NEW
        return recent and not await self.native.teasers.list_page(campaign_id=row.id, limit=1)

    # ------------------------------------------------------------------ deleting

    async def delete(self, ids: Sequence[str]) -> list[Outcome]:
        """Move campaigns to the bin; a running one is refused before anything is sent."""
        return await each(ids, self._delete, key=str)

    async def _is_there(self, campaign_id: str) -> bool:
        """Return whether there is something to delete; a running campaign is refused."""
        row = await self.native.campaigns.get(campaign_id, fields=("status",))
        if campaign_status(row) == "active":
            raise ConflictError(
                "only stopped campaigns can be deleted, and this one is running: pause it first",
                network=self.core.session.network,
                account=self.core.session.account,
                operation="campaigns.delete",
            )
        return row.status.id != _DELETED

    async def _delete(self, campaign_id: str) -> Outcome:
        if not await self._is_there(campaign_id):
            return Outcome(id=campaign_id, status="unchanged", notes=("it was deleted before",))
        outcome = await apply(
            self.core, campaign_id, [Step(what="deletion", call=calls.delete(campaign_id))], names={}
        )
        if isinstance(outcome.error, NotFoundError) and outcome.error.maybe_executed:
            # It was there a moment ago: an attempt whose reply was lost has deleted it.
            return Outcome(id=campaign_id, status="done", notes=("deleted; the first reply was lost",))
        return outcome

    # ------------------------------------------------------------------ showing

    async def express(self, verb: str, items: Sequence[Any]) -> list[PlannedRequest]:
        """Return the requests of *verb*; the present state is read where it decides about them."""
        planned: list[PlannedRequest] = []
        for item in items:
            if verb == "create":
                planned.append(self.core.planned(self.new(item)))
                for step in self.later(NEW_ID, item):
                    note = f"{step.what}, on the id that the first answer tells"
                    planned.append(self.core.planned(step.call, note))
            elif verb == "update":
                steps = await self.steps(item.id, item.fields)
                planned += [self.core.planned(step.call, step.what, ids=[item.id]) for step in steps]
            elif await self._is_there(str(item)):
                planned.append(self.core.planned(calls.delete(str(item)), ids=[str(item)]))
        return planned


def _language(word: str) -> int:
    number = shapes.number_of(word)
    if number is None:
        raise refuse("targeting.browserslanguage", f"ids of languages, not {word!r}")
    return number
