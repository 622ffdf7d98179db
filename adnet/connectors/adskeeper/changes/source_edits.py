"""One source as it is named, and what is decided about many of them.

A source is named ``uid`` or ``uid/sub``, with or without its campaign (``510001:123/45``), as rows of statistics name
it. ``source:name`` or ``source:id`` is a source in the sense of campaigns with the optimisation by sources. For bids
``uid/*`` is a widget with all its sub-sources.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from adnet.connectors.adskeeper import forms
from adnet.connectors.adskeeper.calls import Call
from adnet.connectors.adskeeper.changes.values import refuse
from adnet.connectors.adskeeper.rows import WidgetFilter
from adnet.errors import AdnetError
from adnet.models import Outcome
from adnet.models.change import OutcomeStatus

ALL_SUBS: Final = "*"
_FORM: Final = re.compile(r"(?:(\d+):)?(\d+)(?:[/s](\d+|\*))?")
_NAMED: Final = "source:"


@attrs.frozen
class Source:
    """One source, as the user named it and as it is understood."""

    given: str
    uid: str = ""
    sub: str | None = None
    name: str | None = None
    """Of a source in the sense of the optimisation by sources."""

    @classmethod
    def of(cls, given: str, campaign_id: str) -> "Source":
        """Return what a user names.

        Raises:
            InvalidRequestError: It names no source, or one of another campaign.
        """
        text = str(given).strip()
        if text.startswith(_NAMED) and text != _NAMED:
            return cls(str(given), name=text.removeprefix(_NAMED))
        found = _FORM.fullmatch(text)
        if found is None:
            raise refuse("ids", f"{text!r} is no source: uid, uid/sub or source:name")
        if found[1] and found[1] != campaign_id:
            raise refuse("ids", f"{text!r} is a source of campaign {found[1]}, not of {campaign_id}")
        return cls(str(given), uid=found[2], sub=found[3])


@attrs.frozen(kw_only=True)
class Edit:
    """One write for many sources."""

    call: Call
    members: Mapping[str, Sequence[str]]
    """Member as it is sent -> what the user named; one source has several spellings."""


@attrs.define
class Decision:
    """What is to be sent, and what is settled without."""

    edits: list[Edit] = attrs.field(factory=list)
    settled: dict[str, Outcome] = attrs.field(factory=dict)

    def settle(self, given: str, error: AdnetError | None = None, *notes: str) -> None:
        """Note a source for which nothing is sent."""
        status: OutcomeStatus = "failed" if error else "unchanged"
        self.settled[given] = Outcome(id=given, status=status, error=error, notes=notes)

    def settle_all(self, names: Iterable[str], error: AdnetError | None = None, *notes: str) -> None:
        """Note sources for which nothing is sent."""
        for given in names:
            self.settle(given, error, *notes)


def whole_listed(source: Source, kind: str) -> AdnetError:
    """Return the error for a sub-source that cannot leave the list by itself."""
    listed = "allowed" if kind == "only" else "blocked"
    return refuse(
        "ids", f"{source.given}: the whole widget is {listed}, so that one sub-source cannot be taken out"
    )


def unknown_kind(kind: str) -> AdnetError:
    """Return the error for a list of which cannot be told whether it is avoided or kept to."""
    told = f"list of type {kind!r}" if kind else "list that the network does not tell the type of"
    return refuse("ids", f"whether a {told} avoids or allows is not known")


def members_of(filter_: WidgetFilter) -> Iterable[str]:
    """Yield the members of a list of widgets, as they are sent."""
    for uid, subs in filter_.widgets.items():
        yield from (forms.widget(uid, sub) for sub in subs or (None,))


def edited(filter_: WidgetFilter, source: Source, *, add: bool) -> list[str] | None:
    """Return the members to add to a list of widgets or to take out of it; None where that is not possible."""
    listed = filter_.widgets.get(source.uid) if filter_.kind != "off" else None
    whole = listed is not None and not listed
    if add:
        known = whole or (source.sub is not None and source.sub in (listed or ()))
        return [] if known else [forms.widget(source.uid, source.sub)]
    if listed is None:
        return []
    if source.sub is None:
        return [forms.widget(source.uid, sub) for sub in listed] or [source.uid]
    if whole:
        return None
    return [forms.widget(source.uid, source.sub)] if source.sub in listed else []
