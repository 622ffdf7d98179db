"""Sources: blocking, allowing and bidding, whatever kind of list the campaign keeps.

A campaign keeps a list of widgets it avoids, or one of those it keeps to. Blocking adds to the first and takes out of
the second, allowing the other way round; what is so already is not sent. The list is read first, since an edit of the
wrong kind would replace it. The last member of a list to keep to never leaves it.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, Literal

import attrs

from adnet.connectors.adskeeper import forms
from adnet.connectors.adskeeper.calls import sources as calls
from adnet.connectors.adskeeper.changes.source_edits import (
    ALL_SUBS,
    Decision,
    Edit,
    Source,
    edited,
    members_of,
    unknown_kind,
    whole_listed,
)
from adnet.connectors.adskeeper.changes.steps import maybe_done
from adnet.connectors.adskeeper.changes.values import refuse
from adnet.connectors.adskeeper.core import Core, Saved
from adnet.connectors.adskeeper.native import AdskeeperNative
from adnet.connectors.adskeeper.rows import CampaignRow
from adnet.errors import AdnetError
from adnet.models import Outcome, PlannedRequest
from adnet.models.change import OutcomeStatus

Verb = Literal["block", "allow"]
Method = Literal["include", "exclude"]

FREE: Final = "the campaign avoids no source"
LAST: Final = "it keeps to no other source, and an empty list might mean all: pause the campaign instead"
MOST_MEMBERS: Final = 500
"""Members of one request; our own caution."""
_MAKERS: Final = {
    "widget": calls.set_quality_factors,
    "all": calls.set_widget_factors,
    "named": calls.set_source_factors,
}


@attrs.frozen
class SourceWriter:
    """Blocks, allows and bids on sources of one account's campaigns."""

    core: Core
    native: AdskeeperNative

    async def set(self, verb: Verb, campaign_id: str, ids: Sequence[str]) -> list[Outcome]:
        """Block or allow sources; one outcome for each, in order."""
        try:
            async with self.core.alone_with(campaign_id):
                return await self._send(ids, await self.decide(verb, campaign_id, ids))
        except AdnetError as error:  # nothing was sent: what comes of a write is told in its outcome
            return [Outcome(id=str(given), status="failed", error=error) for given in ids]

    async def bid(self, campaign_id: str, factors: Mapping[str, Any]) -> list[Outcome]:
        """Set factors; one outcome for each source, in order."""
        return await self._send(list(factors), self.bids(campaign_id, factors))

    async def decide(self, verb: Verb, campaign_id: str, ids: Iterable[str]) -> Decision:
        """Return the writes that block or allow sources.

        Raises:
            NotFoundError: There is no such campaign.
        """
        decision = Decision()
        sources = self._read(decision, campaign_id, ids)
        row = await self.native.campaigns.get(campaign_id)
        self._widgets(decision, verb, campaign_id, row, [source for source in sources if source.name is None])
        self._named(
            decision, verb, campaign_id, row, [source for source in sources if source.name is not None]
        )
        return decision

    @staticmethod
    def _read(decision: Decision, campaign_id: str, ids: Iterable[str]) -> list[Source]:
        found = []
        for given in dict.fromkeys(map(str, ids)):
            try:
                found.append(Source.of(given, campaign_id))
            except AdnetError as error:
                decision.settle(given, error)
        return found

    @staticmethod
    def _widgets(
        decision: Decision, verb: Verb, campaign_id: str, row: CampaignRow, sources: Sequence[Source]
    ) -> None:
        found = _list_to_edit(decision, verb, row.widgets.kind, ("except", "only"), sources)
        if found is None:
            return
        kind, add = found
        members: dict[str, list[str]] = {}
        for source in sources:
            wire = edited(row.widgets, source, add=add) if source.sub != ALL_SUBS else None
            if wire is None:
                all_subs = refuse("ids", f"{source.given}: name the widget itself to {verb} all of it")
                error = all_subs if source.sub == ALL_SUBS else whole_listed(source, kind)
                decision.settle(source.given, error)
            elif wire:
                for member in wire:
                    members.setdefault(member, []).append(source.given)
            else:
                decision.settle(source.given, None, "it is so already")
        if kind == "only" and not add and members.keys() >= set(members_of(row.widgets)):
            decision.settle_all(chain(*members.values()), refuse("ids", LAST))
            return
        for part in _chunks(members):
            call = calls.edit_widgets(campaign_id, _method(add), kind, part)  # type: ignore[arg-type]
            decision.edits.append(Edit(call=call, members=part))

    @staticmethod
    def _named(
        decision: Decision, verb: Verb, campaign_id: str, row: CampaignRow, sources: Sequence[Source]
    ) -> None:
        found = _list_to_edit(decision, verb, row.sources.kind, ("blocklist", "allowlist"), sources)
        if found is None:
            return
        kind, add = found
        members: dict[str, list[str]] = {}
        for source in sources:
            members.setdefault(source.name or "", []).append(source.given)
        # A list may be told by ids and its members given by names, so that only their numbers can be compared.
        if kind == "allowlist" and not add and len(members) >= len(row.sources.members):
            decision.settle_all(chain(*members.values()), refuse("ids", LAST))
            return
        for part in _chunks(members):
            call = calls.edit_sources(campaign_id, _method(add), kind, part)  # type: ignore[arg-type]
            decision.edits.append(Edit(call=call, members=part))

    def bids(self, campaign_id: str, factors: Mapping[str, Any]) -> Decision:
        """Return the writes that set factors."""
        decision = Decision()
        factors = {str(given): value for given, value in factors.items()}
        # In the order of `factors.KNOWN`.
        parts: dict[str, dict[str, list[str]]] = {"all": {}, "widget": {}, "named": {}}
        for source in self._read(decision, campaign_id, factors):
            kind = "named" if source.name is not None else "all" if source.sub == ALL_SUBS else "widget"
            wire = {
                "named": source.name or "",
                "all": source.uid,
                "widget": forms.widget(source.uid, source.sub),
            }[kind]
            spellings = parts[kind].setdefault(wire, [])
            if spellings and factors[spellings[0]] != factors[source.given]:
                decision.settle(source.given, refuse("ids", f"{source.given}: named twice, with two factors"))
            else:
                spellings.append(source.given)
        for kind, rows in parts.items():
            for part in _chunks(rows):
                values = {wire: factors[given[0]] for wire, given in part.items()}
                try:
                    decision.edits.append(Edit(call=_MAKERS[kind](campaign_id, values), members=part))
                except AdnetError as error:
                    decision.settle_all(chain(*part.values()), error)
        return decision

    async def _send(self, ids: Sequence[str], decision: Decision) -> list[Outcome]:
        outcomes = dict(decision.settled)
        for edit in decision.edits:
            for given, outcome in (await self._sent(edit)).items():
                before = outcomes.get(given)
                # A widget may have been sent as several sub-sources, in several requests: one failure counts.
                if before is None or before.ok:
                    outcomes[given] = outcome
        return [outcomes[str(given)] for given in ids]

    async def _sent(self, edit: Edit) -> dict[str, Outcome]:
        """Send one write and return what came of each source in it."""
        try:
            saved = await self.core.save(edit.call)
        except AdnetError as error:
            status: OutcomeStatus = "unknown" if maybe_done(error) else "failed"
            every = chain(*edit.members.values())
            return {given: Outcome(id=given, status=status, error=error) for given in every}
        outcomes: dict[str, Outcome] = {}
        for wire, spellings in edit.members.items():
            status = _came_to(wire, edit, saved)
            for given in spellings:
                if status != "done":
                    outcomes[given] = Outcome(id=given, status=status, error=saved.error)
                else:
                    outcomes.setdefault(given, Outcome(id=given, status="done", notes=edit.call.notes))
        return outcomes

    async def express(self, verb: str, items: Sequence[Any]) -> list[PlannedRequest]:
        """Return the requests of *verb* (``block``, ``allow`` or ``bid``) for pairs of a campaign and its sources.

        Raises:
            AdnetError: What would not be sent: the first source that is refused.
        """
        planned: list[PlannedRequest] = []
        for campaign_id, given in items:
            if verb == "bid":
                decision = self.bids(str(campaign_id), given)
            else:
                decision = await self.decide("block" if verb == "block" else "allow", str(campaign_id), given)
            for outcome in decision.settled.values():
                if outcome.error is not None:
                    raise outcome.error
            planned += [
                self.core.planned(edit.call, ids=chain(*edit.members.values())) for edit in decision.edits
            ]
        return planned


def _list_to_edit(
    decision: Decision, verb: Verb, present: str, kinds: tuple[str, str], sources: Sequence[Source]
) -> tuple[str, bool] | None:
    """Return the list that *verb* edits, and whether it adds to it; None where all is settled without an edit.

    Args:
        decision: Takes what is settled.
        verb: Block or allow.
        present: The kind of list that the campaign keeps.
        kinds: That of those to avoid, and that of those to keep to.
        sources: Those that were named.
    """
    avoided, kept_to = kinds
    if present not in {"off", avoided, kept_to}:
        decision.settle_all((source.given for source in sources), unknown_kind(present))
        return None
    if verb == "allow" and present == "off":
        decision.settle_all((source.given for source in sources), None, FREE)
        return None
    kind = kept_to if present == kept_to else avoided
    return kind, (verb == "block") == (kind == avoided)


def _came_to(wire: str, edit: Edit, saved: Saved) -> OutcomeStatus:
    """Return what a member of a write came to that was answered."""
    rejected = {word.casefold() for word in saved.rejected}
    if saved.error is None:
        return "done"
    if not rejected or wire.casefold() in rejected:
        return "failed"
    # A word that is none of those sent stands for one of them, and for which cannot be told.
    return "unknown" if rejected - {member.casefold() for member in edit.members} else "done"


def _method(add: bool) -> Method:
    return "include" if add else "exclude"


def _chunks(members: Mapping[str, Sequence[str]]) -> Iterable[dict[str, Sequence[str]]]:
    rows = list(members.items())
    return (dict(rows[start : start + MOST_MEMBERS]) for start in range(0, len(rows), MOST_MEMBERS))
