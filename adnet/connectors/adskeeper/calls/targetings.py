"""Writes to targetings: operations 24, 25, 27, 30 and 33. Parameters go in the query, as the document's samples do."""

from collections.abc import Iterable
from typing import Any, Final

from adnet.connectors.adskeeper import forms, routes, values
from adnet.connectors.adskeeper.auth import Dialect
from adnet.connectors.adskeeper.calls.call import Call
from adnet.connectors.adskeeper.checks import Check
from adnet.connectors.adskeeper.forms import Method
from adnet.connectors.adskeeper.routes import Targeting
from adnet.connectors.adskeeper.shapes import number_of

TABLES: Final[dict[Targeting, values.Table[Any, Any]]] = {
    "browsers": values.BROWSERS,
    "operatingsystems": values.OPERATING_SYSTEMS,
    "browserslanguage": values.LANGUAGES,
    "phonePriceRange": values.PHONE_PRICES,
}
INCLUDE_ONLY: Final[frozenset[Targeting]] = frozenset({"browsers", "browserslanguage"})
"""Targetings from which nothing can be excluded: they are switched off and set anew."""


def set_geo(
    dialect: Dialect, campaign_id: str, *, countries: Iterable[str] = (), cities: Iterable[int | str] = ()
) -> Call:
    """Return operation 24: show only in these places; none at all switches geo targeting off.

    Countries win where cities are given too. A change may hold only from the next day on.
    """
    chosen = list(countries), list(cities)
    query = {
        "enabledFlag": forms.switch(any(chosen)),
        "targets": forms.geo(*chosen, dialect.list_literals),
    }
    notes = ("geo: cities are not heeded where countries are given",) if all(chosen) else ()
    return Call(route=routes.SET_GEO, path={"campaign": campaign_id}, query=query, notes=notes)


def edit(campaign_id: str, kind: Targeting, method: Method, members: Iterable[str | int]) -> Call:
    """Return operation 25, 27, 30 or 33: include members, or exclude them where that is possible."""
    check = Check()
    words = list(members)
    check.members(kind, map(str, words))
    check.require(
        method == "include" or kind not in INCLUDE_ONLY, kind, "members can be included only, not excluded"
    )
    check.listed(kind, _keys(kind, words), TABLES[kind])
    query = {"enabledFlag": "1", "targets": forms.sentence(method, *words)}
    notes = check.notes()
    return Call(route=routes.EDIT_TARGETINGS[kind], path={"campaign": campaign_id}, query=query, notes=notes)


def switch_off(campaign_id: str, kind: Targeting, member: str | None = None) -> Call:
    """Return the same operation, switching the targeting off; it needs some *member* all the same."""
    query = {"enabledFlag": "0", "targets": forms.sentence("include", member or next(iter(TABLES[kind])))}
    return Call(route=routes.EDIT_TARGETINGS[kind], path={"campaign": campaign_id}, query=query)


def _keys(kind: Targeting, words: Iterable[str | int]) -> list[Any]:
    numbered = kind in {"browserslanguage", "phonePriceRange"}
    return [word if not numbered or (n := number_of(word)) is None else n for word in words]
