"""Ads: drafts and updates as writes, and what came of them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from adnet.connectors.adskeeper.calls import Call
from adnet.connectors.adskeeper.calls import teasers as calls
from adnet.connectors.adskeeper.calls.teasers import TeaserContent
from adnet.connectors.adskeeper.changes import content
from adnet.connectors.adskeeper.changes.beside import ADS, beside
from adnet.connectors.adskeeper.changes.campaigns import NEW_ID
from adnet.connectors.adskeeper.changes.steps import (
    Once,
    Step,
    apply,
    each,
    made_in_part,
    maybe_done,
    translated,
)
from adnet.connectors.adskeeper.changes.values import blocked, cents, mapping, only, refuse
from adnet.connectors.adskeeper.codec import Book
from adnet.connectors.adskeeper.core import Core, Saved
from adnet.connectors.adskeeper.lists import FEW
from adnet.connectors.adskeeper.native import AdskeeperNative
from adnet.connectors.adskeeper.rows import TeaserRow
from adnet.errors import AdnetError, NotFoundError, ServerError
from adnet.models import AdDraft, Outcome, PlannedRequest, Update

_CONTENT: Final = frozenset({"title", "text", "url", "image_url", "campaign_id", "extra"})
_FIELDS: Final = _CONTENT | {"status", "bid"}


def raises_none(row: TeaserRow, price: Decimal) -> None:
    """Refuse one price for all locations, in cents, where it would raise some that are cheaper than others.

    Raises:
        InvalidRequestError: It would.
    """
    prices = {known.price for known in row.prices if known.price is not None}
    if len(prices) > 1 and price > min(prices):
        raise refuse(
            "bid",
            f"it is one price for all locations, and would raise some: they cost {min(prices)} to {max(prices)}"
            " cents a click; if that is meant, set it with native.teasers.set_price",
        )


@attrs.frozen
class AdWriter:
    """Creates, changes and deletes ads of one account."""

    core: Core
    native: AdskeeperNative
    book: Book
    types: dict[str, str | None] = attrs.field(factory=dict)
    """Campaign id -> its type, which decides about lengths and never changes."""

    async def _type(self, campaign_id: str) -> str | None:
        if campaign_id not in self.types:
            # Whole: this edition of the document does not list the type among the fields that can be chosen.
            row = await self.native.campaigns.get(campaign_id)
            self.types[campaign_id] = row.campaign_type
        return self.types[campaign_id]

    # ------------------------------------------------------------------ updating

    async def update(self, updates: Sequence[Update]) -> list[Outcome]:
        """Send each update's writes; one outcome for each, in order."""
        try:
            known = await self._known(updates)
        except AdnetError:
            known = {}  # whatever it is, each of them will tell it by itself

        async def one(update: Update) -> Outcome:
            steps = await self.steps(update.id, update.fields, known.get(update.id))
            return await apply(self.core, update.id, steps, names={})

        return await each(updates, one, key=lambda update: update.id)

    async def _known(self, updates: Sequence[Update]) -> dict[str, TeaserRow]:
        """Return ads whose bids are to change, read together where they are many; those not listed are left out."""
        wanted = {update.id for update in updates if "bid" in update.fields}
        if len(wanted) <= FEW:
            return {}
        pages = self.native.teasers.list_all()
        return {row.id: row async for page in pages for row in page if row.id in wanted}

    async def steps(
        self, ad_id: str, fields: Mapping[str, Any], known: TeaserRow | None = None
    ) -> list[Step]:
        """Return the writes of one update. Content is replaced as a whole, since the network knows no other way.

        Args:
            ad_id: Whose.
            fields: What is to change.
            known: The ad, where it has been read already.

        Raises:
            UnsupportedError: The API cannot set a field.
            InvalidRequestError: A value breaks a documented rule.
            NotFoundError: There is no such ad.
        """
        only(fields, _FIELDS, "an ad")
        stops = "status" in fields and blocked(fields["status"])
        row = Once(self.native.teasers.get, ad_id, known)
        middle = []
        if fields.keys() & _CONTENT:
            middle += await self._content(ad_id, fields, await row())
        if "bid" in fields:
            price = cents(self.book, "bid", fields["bid"])
            if price is None:
                raise refuse("bid", "a price is needed")
            raises_none(await row(), price)
            middle.append(Step(what="bid", call=calls.set_price(ad_id, price)))
        if "status" not in fields:
            return middle
        status = Step(what="status", call=calls.set_blocked(ad_id, blocked=stops))
        return [status, *middle] if stops else [*middle, status]

    async def _content(self, ad_id: str, fields: Mapping[str, Any], row: TeaserRow) -> list[Step]:
        extra = mapping("extra", fields.get("extra"))
        before = content.content_of(row)
        after = content.changed(before, fields, extra)
        more = _more(extra)
        if after == before and not more:
            return []
        given = extra.get("campaignType")
        kind = str(given) if given else await self._type(after["campaign_id"])
        after["campaign_type"] = kind
        after["image_size"] = content.size(extra)
        after["more"] = more

        async def done() -> bool:
            now = content.content_of(await self.native.teasers.get(ad_id))
            return all(now[name] == after[name] for name in ("title", "url", "image", "campaign_id"))

        return [Step(what="content", call=calls.edit(ad_id, **after), verify=done)]

    # ------------------------------------------------------------------ creating

    async def create(self, drafts: Sequence[AdDraft]) -> list[Outcome]:
        """Create ads one after another; one outcome for each, in order."""
        made: set[str] = set()

        async def one(draft: AdDraft) -> Outcome:
            outcome = await self._create(draft, made)
            if outcome.id:
                made.add(outcome.id)
            return outcome

        return await each(drafts, one, width=1, key=lambda _: "")

    async def _create(self, draft: AdDraft, made: set[str]) -> Outcome:
        call = await self.new(draft)
        notes: list[str] = list(call.notes)
        try:
            saved = await self.core.save(call)
        except AdnetError as error:
            if not (maybe_done(error) or isinstance(error, ServerError)):
                raise translated(error, {}) from None
            adopted = await self._adopted(draft, error, made)
            if adopted.id is None or not adopted.ok:
                return adopted
            saved = Saved(id=adopted.id)
            notes += adopted.notes
        ad_id = saved.id or ""
        if draft.status == "active":
            return made_in_part(Outcome(id=ad_id, status="done", notes=tuple(notes)), saved, {})
        step = Step(what="status", call=calls.set_blocked(ad_id, blocked=True))
        outcome = await apply(self.core, ad_id, [step], names={})
        if not outcome.ok:
            notes.append(
                f"the ad {ad_id} exists and was not paused: it may be shown once moderation has passed it"
            )
        outcome = made_in_part(outcome, saved, {})
        return attrs.evolve(outcome, notes=tuple(dict.fromkeys((*notes, *outcome.notes))))

    async def new(self, draft: AdDraft) -> Call:
        """Return the write that creates an ad; the type of its campaign decides about lengths.

        Raises:
            InvalidRequestError: A documented rule is broken; ``fields`` names each.
            NotFoundError: There is no such campaign.
        """
        if draft.campaign_id is None:
            raise refuse("campaign_id", "an ad needs a campaign that exists")
        if draft.status not in {"active", "paused"}:
            raise refuse("status", f"active or paused, not {draft.status!r}")
        price = cents(self.book, "bid", draft.bid)
        if price is None:
            raise refuse("bid", "a price is needed")
        campaign_id = str(draft.campaign_id)
        kind = draft.extra.get("campaignType") or await self._type(campaign_id)
        shown: TeaserContent = {
            "url": draft.url or "",
            "campaign_id": campaign_id,
            "title": draft.title or "",
            "text": draft.text,
            "image": draft.image_url or "",
            "category": content.whole("category", draft.extra.get("category", draft.extra.get("categoryId"))),
            "good_price": content.good_price(draft.extra),
            "campaign_type": kind,
            "image_size": content.size(draft.extra),
            "more": _more(draft.extra),
        }
        try:
            return calls.create(price_cents=price, **shown)
        except AdnetError as error:
            raise translated(error, {}) from None

    async def _adopted(self, draft: AdDraft, error: AdnetError, made: set[str]) -> Outcome:
        """Look for an ad whose creation was not answered: on moderation, never shown, with the same content."""
        try:
            pages = self.native.teasers.list_all(campaign_id=str(draft.campaign_id))
            rows = [row async for page in pages for row in page if row.id not in made]
        except AdnetError as failure:
            told = (
                f"it could not be looked for: {failure}; it may exist, and trying again may make a second one"
            )
            return Outcome(status="unknown", error=error, notes=(told,))
        alike = [row for row in rows if content.is_unseen(row) and content.agrees(row, draft)]
        found = [row for row in alike if content.is_new(row)]
        if len(found) == 1:
            note = f"the reply was lost; the ad was found in its campaign and adopted as {found[0].id}"
            return Outcome(id=found[0].id, status="done", notes=(note,))
        if found:
            several = ", ".join(row.id for row in found)
            told = f"there are several new ads with this content, it may exist twice: {several}"
            return Outcome(status="unknown", error=error, notes=(told,))
        if alike:
            several = ", ".join(row.id for row in alike)
            told = f"none is on moderation, but it may be one of those that were never shown: {several}"
            return Outcome(status="unknown", error=error, notes=(told,))
        known = isinstance(error, ServerError)
        told = "looked for in its campaign and not found" + ("" if known else "; it may still appear")
        return Outcome(status="failed" if known else "unknown", error=error, notes=(told,))

    # ------------------------------------------------------------------ deleting

    async def delete(self, ids: Sequence[str]) -> list[Outcome]:
        """Move ads to the bin; one outcome for each, in order."""

        async def one(ad_id: str) -> Outcome:
            step = Step(what="deletion", call=calls.delete(ad_id))
            outcome = await apply(self.core, ad_id, [step], names={})
            if isinstance(outcome.error, NotFoundError) and outcome.error.maybe_executed:
                # A first attempt whose reply was lost has deleted it; only the second found nothing.
                return Outcome(id=ad_id, status="done", notes=("deleted; the first reply was lost",))
            return outcome

        return await each(ids, one, key=str)

    # ------------------------------------------------------------------ showing

    async def express(self, verb: str, items: Sequence[Any]) -> list[PlannedRequest]:
        """Return the requests of *verb*; the present state is read where it decides about them."""
        planned: list[PlannedRequest] = []
        known = await self._known(items) if verb == "update" else {}
        for item in items:
            if verb == "create":
                planned.append(self.core.planned(await self.new(item)))
                if item.status != "active":
                    note = "on the id that the first answer tells"
                    planned.append(self.core.planned(calls.set_blocked(NEW_ID, blocked=True), note))
            elif verb == "update":
                steps = await self.steps(item.id, item.fields, known.get(item.id))
                planned += [self.core.planned(step.call, step.what, ids=[item.id]) for step in steps]
            else:
                planned.append(self.core.planned(calls.delete(str(item)), ids=[str(item)]))
        return planned


def _more(extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return what goes along as it is."""
    return beside({name: value for name, value in extra.items() if name not in content.KNOWN_EXTRA}, ADS)
