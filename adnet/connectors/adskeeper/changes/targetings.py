"""Edits of targetings and filters: what is wished and what is there make include and exclude calls.

Lists are wished whole. Of filters only the named parts change, as everywhere in updates: a widget that is named with
None leaves the list, and the list's type is the present one where none is named.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import partial
from ipaddress import ip_network
from typing import Any, Final

from adnet.connectors.adskeeper import codec, forms, readers
from adnet.connectors.adskeeper.calls import Call
from adnet.connectors.adskeeper.calls import sources as calls
from adnet.connectors.adskeeper.calls import targetings as target_calls
from adnet.connectors.adskeeper.changes.source_edits import members_of
from adnet.connectors.adskeeper.changes.steps import Step
from adnet.connectors.adskeeper.changes.values import mapping, only, only_one_kind, places, refuse, words
from adnet.connectors.adskeeper.core import Core
from adnet.connectors.adskeeper.native import AdskeeperNative
from adnet.connectors.adskeeper.routes import Targeting
from adnet.connectors.adskeeper.rows import CampaignRow
from adnet.connectors.adskeeper.shapes import number_of

LISTS: Final[Mapping[str, Targeting]] = {
    "browsers": "browsers",
    "operatingsystems": "operatingsystems",
    "browserslanguage": "browserslanguage",
    "phonePriceRange": "phonePriceRange",
}
FILTERS: Final = ("ipsFilter", "widgetsFilterUid", "sourceFilters")
KNOWN: Final = frozenset({"geo", *LISTS, *FILTERS})

Row = Callable[[], Awaitable[CampaignRow]]


async def steps(
    core: Core, native: AdskeeperNative, campaign_id: str, wished: Mapping[str, Any], row: Row
) -> list[Step]:
    """Return the writes that turn a campaign's targetings into what is *wished*; none where it is so already.

    Args:
        core: Of the account.
        native: Tells what is there.
        campaign_id: Whose targetings.
        wished: Name of a targeting -> value, as ``Campaign.targeting`` has it.
        row: Reads the campaign, once.

    Raises:
        UnsupportedError: There is no such targeting.
        InvalidRequestError: A value is of no use.
    """
    only(wished, KNOWN, "a campaign's targeting")
    found: list[Step] = []
    for name, value in wished.items():
        if name == "geo":
            found += await _geo(core, native, campaign_id, mapping("targeting.geo", value))
        elif name in LISTS:
            present = list(await native.targetings.get(LISTS[name], campaign_id))
            found += listed(campaign_id, LISTS[name], present, words(f"targeting.{name}", value))
        else:
            edit = mapping(f"targeting.{name}", value)
            found += _FILTER[name](campaign_id, await row(), edit)
    return found


def fresh(campaign_id: str, wished: Mapping[str, Any]) -> list[Step]:
    """Return the writes that give a new campaign, which has none yet, its targetings; geo is given with it.

    Raises:
        InvalidRequestError: A value is of no use.
    """
    row = readers.campaign({"id": campaign_id, **dict.fromkeys(FILTERS)})
    found: list[Step] = []
    for name, value in wished.items():
        if name in LISTS:
            found += listed(campaign_id, LISTS[name], [], words(f"targeting.{name}", value))
        else:
            found += _FILTER[name](campaign_id, row, mapping(f"targeting.{name}", value))
    return found


async def _geo(core: Core, native: AdskeeperNative, campaign_id: str, edit: Mapping[str, Any]) -> list[Step]:
    chosen = places(edit)
    found = await native.targetings.get_geo(campaign_id)
    present = codec.geo(found)
    wished = ({**present, **chosen}) if edit else {"countries": [], "cities": []}
    wished["countries"] = [code.upper() for code in wished["countries"]]
    same = all(set(wished[name]) == set(members) for name, members in present.items())
    # Places that nobody asks for any more may be about to be lifted.
    leaving = found.actual.countries and not found.requested.countries
    if same and not leaving:
        return []
    only_one_kind(**wished)
    call = target_calls.set_geo(core.dialect, campaign_id, **wished)
    return [Step(what="targeting.geo", call=call)]


def listed(campaign_id: str, kind: Targeting, present: list[str], wished: list[str]) -> list[Step]:
    """Return the writes that turn one list into another."""
    missing, surplus = _differences(present, wished)
    what = f"targeting.{kind}"
    if not missing and not surplus:
        return []
    off = Step(what=f"{what} off", call=target_calls.switch_off(campaign_id, kind, [*wished, *present][0]))
    if not wished:
        return [off]
    edit = partial(target_calls.edit, campaign_id, kind)
    if surplus and kind in target_calls.INCLUDE_ONLY:
        # Nothing can be taken out of these lists: they are emptied and filled again. What is new enters before that,
        # since a word that the network refuses then would leave the campaign open to all.
        return [
            *_edits(what, missing, [], edit),
            off,
            *_edits(what, wished, [], edit),
        ]
    return _edits(what, missing, surplus, edit)


def _differences(present: Iterable[str], wished: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return what is missing and what is too many."""
    have, want = list(present), list(wished)
    return [item for item in want if item not in have], [item for item in have if item not in want]


def _edits(what: str, missing: list[str], surplus: list[str], make: Callable[..., Call]) -> list[Step]:
    edits = (("include", missing), ("exclude", surplus))
    return [Step(what=what, call=make(method, members)) for method, members in edits if members]


def _kind(name: str, edit: Mapping[str, Any], present: str, kinds: tuple[str, ...]) -> str:
    """Return the type that a list shall have."""
    kind = str(edit.get("filterType") or present)
    if not kind:
        raise refuse(
            f"targeting.{name}.filterType", "the network does not tell what the list is now: name it"
        )
    if kind not in kinds:
        raise refuse(f"targeting.{name}.filterType", f"one of {', '.join(kinds)}, not {kind!r}")
    return kind


def _not_empty(field: str, kind: str, wished: Collection[str]) -> None:
    """Refuse a list of what alone is allowed that holds nothing: all might be allowed then."""
    if kind in {"only", "allowlist"} and not wished:
        raise refuse(field, f"a list of type {kind} cannot be empty: name a member, or make it off")


def _ips(campaign_id: str, row: CampaignRow, edit: Mapping[str, Any]) -> list[Step]:
    only(edit, {"filterType", "ips"}, "ipsFilter")
    if "ips" in edit:
        listed_as = {_network(ip): ip for ip in row.ips.members}
        wished = words("targeting.ipsFilter.ips", edit["ips"])
        edit = {**edit, "ips": [listed_as.get(_network(ip), ip) for ip in wished]}
    return _members(
        campaign_id,
        "ipsFilter",
        edit,
        (row.ips.kind, list(row.ips.members), "ips"),
        ("except", "only", "off"),
        calls.edit_ips,
    )


def _network(word: str) -> str:
    """Return the one spelling of an address or a network: 192.0.2.7 and 192.0.2.7/32 are the same."""
    try:
        return str(ip_network(word, strict=False))
    except ValueError:
        return word


def _sources(campaign_id: str, row: CampaignRow, edit: Mapping[str, Any]) -> list[Step]:
    only(edit, {"filterType", "sources"}, "sourceFilters")
    return _members(
        campaign_id,
        "sourceFilters",
        edit,
        (row.sources.kind, list(row.sources.members), "sources"),
        ("blocklist", "allowlist", "off"),
        calls.edit_sources,
    )


def _members(
    campaign_id: str,
    name: str,
    edit: Mapping[str, Any],
    present: tuple[str, list[str], str],
    kinds: tuple[str, ...],
    make: Callable[..., Call],
) -> list[Step]:
    """Return the writes for a filter whose members are plain."""
    kind_now, members_now, key = present
    kind = _kind(name, edit, kind_now, kinds)
    what = f"targeting.{name}"
    if kind == "off":
        if words(f"{what}.{key}", edit.get(key)):
            raise refuse(f"{what}.filterType", f"say what the list is: {' or '.join(kinds[:-1])}")
        return [] if kind_now == "off" else [_off(what, campaign_id, members_now, make)]
    wished = words(f"{what}.{key}", edit[key]) if key in edit else members_now
    if kind != kind_now or members_now:
        _not_empty(f"{what}.{key}", kind, wished)
    missing, surplus = _differences(members_now if kind == kind_now else [], wished)
    if kind != kind_now:
        # Whether a list of another type begins empty is not documented: what must not be in it is excluded.
        surplus = [member for member in members_now if member not in wished]
    if name == "sourceFilters":
        _same_spelling(f"{what}.{key}", missing, surplus)
    return _edits(what, missing, surplus, lambda method, list_: make(campaign_id, method, kind, list_))


def _off(what: str, campaign_id: str, members: list[str], make: Callable[..., Call]) -> Step:
    """Return the write that switches a filter off; it has to name a member, which clients include (observed)."""
    return Step(what=f"{what} off", call=make(campaign_id, "include", "off", members[:1]))


def _same_spelling(field: str, missing: list[str], surplus: list[str]) -> None:
    """Refuse to add sources by name and take others out by id, or the other way round: they may be the same ones.

    The network takes both, and does not say which id belongs to which name (Adskeeper advertiser API document).
    """
    if missing and surplus and len({number_of(member) is None for member in (*missing, *surplus)}) > 1:
        told = ", ".join(surplus)
        raise refuse(field, f"name all sources as the list does, by id or by name: it also holds {told}")


def _widgets(campaign_id: str, row: CampaignRow, edit: Mapping[str, Any]) -> list[Step]:
    only(edit, {"filterType", "widgets"}, "widgetsFilterUid")
    what = "targeting.widgetsFilterUid"
    present = row.widgets
    kind = _kind("widgetsFilterUid", edit, present.kind, ("except", "only", "off"))
    named = mapping(f"{what}.widgets", edit.get("widgets"))
    if kind == "off":
        if any(subs is not None for subs in named.values()):
            raise refuse(f"{what}.filterType", "say what the list is: except or only")
        there = [*members_of(present)]
        return [] if present.kind == "off" else [_off(what, campaign_id, there, calls.edit_widgets)]
    now = {uid: list(subs) for uid, subs in present.widgets.items()}
    wished = dict(now)
    for uid, subs in named.items():
        if subs is None:
            wished.pop(str(uid), None)
        else:
            wished[str(uid)] = words(f"{what}.widgets.{uid}", subs)
    same = kind == present.kind
    if not same or now:
        _not_empty(f"{what}.widgets", kind, wished)
    first, then, last = widget_edits(now if same else {}, wished)
    if kind == "only" and first and now.keys() <= set(first):
        rule = "a widget leaves before its sub-sources enter, and an empty list might mean all: add another first"
        raise refuse(f"{what}.widgets", rule)
    if not same:
        last = [name for uid, subs in now.items() if uid not in wished for name in _names(uid, subs)]
    rows = (("exclude", first), ("include", then), ("exclude", last))
    return [
        Step(what=what, call=calls.edit_widgets(campaign_id, method, kind, uids))  # type: ignore[arg-type]
        for method, uids in rows
        if uids
    ]


def widget_edits(
    now: Mapping[str, Iterable[str]], wished: Mapping[str, Iterable[str]]
) -> tuple[list[str], list[str], list[str]]:
    """Return what to exclude first, to include then and to exclude last, to turn one list into another.

    A widget that is listed whole has to leave before single sub-sources of it can enter: the network ignores
    them otherwise.
    """
    first, then, last = [], [], []
    for uid, subs in wished.items():
        want = list(subs)
        have = list(now[uid]) if uid in now else None
        if have is None:
            then += _names(uid, want)
        elif want and not have:
            first.append(uid)
            then += _names(uid, want)
        elif have and not want:
            then.append(uid)
        else:
            missing, surplus = _differences(have, want)
            then += [forms.widget(uid, sub) for sub in missing]
            last += [forms.widget(uid, sub) for sub in surplus]
    last += [name for uid, subs in now.items() if uid not in wished for name in _names(uid, list(subs))]
    return first, then, last


def _names(uid: str, subs: list[str]) -> list[str]:
    return [forms.widget(uid, sub) for sub in subs] if subs else [uid]


_FILTER: Final[Mapping[str, Callable[[str, CampaignRow, Mapping[str, Any]], list[Step]]]] = {
    "ipsFilter": _ips,
    "widgetsFilterUid": _widgets,
    "sourceFilters": _sources,
}
