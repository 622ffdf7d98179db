"""Old and new models to updates that name exactly what changed."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from adnet.models import Ad, Campaign, Update

_IDENTITY: Final[dict[type, tuple[str, str]]] = {
    Campaign: ("campaigns", "campaign_id"),
    Ad: ("ads", "ad_id"),
}
_NOT_WRITABLE: Final = frozenset({"raw", "status_raw", "created_at", "updated_at"})


def diff(old: Campaign | Ad, new: Campaign | Ad) -> Update:
    """Return the update that turns *old* into *new*: changed fields only, nested ones too.

    Of a mapping only the changed keys are named; a key that is gone is named with None. No change gives an
    empty update, which sends nothing. ``False``, ``0``, ``""``, ``[]`` and ``None`` set on purpose are changes
    like any other.

    Raises:
        ValueError: If the two are not the same object.
    """
    if type(old) is not type(new) or type(old) not in _IDENTITY:
        raise ValueError(f"cannot compare {type(old).__name__} with {type(new).__name__}")
    kind, key = _IDENTITY[type(old)]
    if getattr(old, key) != getattr(new, key):
        raise ValueError(f"{getattr(old, key)} and {getattr(new, key)} are two different {kind}")
    changed: dict[str, Any] = {}
    for field in attrs.fields(type(old)):
        if field.name in _NOT_WRITABLE or field.name == key:
            continue
        before, after = getattr(old, field.name), getattr(new, field.name)
        if not _same(before, after):
            changed[field.name] = _changed(before, after)
    return Update(getattr(old, key), changed, kind)


def _changed(before: Any, after: Any) -> Any:
    if not (isinstance(before, Mapping) and isinstance(after, Mapping)):
        return after
    nested = {
        name: _changed(before[name], value) if name in before else value
        for name, value in after.items()
        if name not in before or not _same(before[name], value)
    }
    return nested | dict.fromkeys(before.keys() - after.keys())


def _same(before: Any, after: Any) -> bool:
    """Compare at any depth: False == 0 and True == 1 in Python, but not on the wire."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.keys() == after.keys() and all(_same(before[name], after[name]) for name in before)
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        return len(before) == len(after) and all(map(_same, before, after))
    return isinstance(before, bool) == isinstance(after, bool) and bool(before == after)
