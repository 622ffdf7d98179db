"""
Operations 21 to 25, 27, 28 and 30 to 34 of the Adskeeper imitation: targetings.

Four targetings share one pattern: an on/off flag and a sentence of a method
and values. Switching one off empties it. Geo differs: a change is first only
requested, and holds after it was read once.

Source: Adskeeper advertiser API document, "Advertising campaigns targeting
settings".
"""

from collections.abc import Callable, Collection
from typing import Any

import attrs

from adnet.sandbox._adskeeper_call import Call, refuse
from adnet.sandbox._adskeeper_settings import read_geo
from adnet.sandbox._adskeeper_shapes import geo_shape
from adnet.sandbox._adskeeper_values import (
    BROWSERS,
    CITIES,
    COUNTRIES,
    LANGUAGES,
    OPERATING_SYSTEMS,
    PHONE_PRICE_RANGES,
)

__all__ = ["TARGETINGS", "Targeting", "geo_dictionary", "get_geo", "put_geo"]

NOT_ENOUGH = "ERROR_NO_ENOUGH_PARAMETERS"


@attrs.frozen(kw_only=True)
class Targeting:
    """One of the four alike targetings, as a pair of operations."""

    name: str
    """Last segment of the path."""
    read: int
    write: int
    """Operation numbers."""
    attribute: str
    """Where the campaign keeps it."""
    methods: frozenset[str]
    known: Collection[Any]
    parse: Callable[[str], Any] = str

    def get(self, call: Call) -> dict[str, Any]:
        """Return what is targeted; empty when switched off."""
        values = getattr(call.campaign(deleted=True), self.attribute)
        call.served.append(self.read)
        return {"targets": values}

    def put(self, call: Call) -> dict[str, Any]:
        """
        Include or exclude values.

        Raises:
            Refusal: ERROR_NO_ENOUGH_PARAMETERS for something missing or an
                unknown value, ERROR_INVALID_PARAMETER for an unknown method.
        """
        campaign = call.campaign()
        flag, (method, *words) = call.params.text("enabledFlag"), self._sentence(call)
        if flag not in {"0", "1"} or (flag == "1" and not words):
            raise refuse(NOT_ENOUGH)
        if flag == "1" and method not in self.methods:
            raise refuse("ERROR_INVALID_PARAMETER")
        values = self._values(words) if flag == "1" else []
        old = getattr(campaign, self.attribute)
        setattr(campaign, self.attribute, _changed(old, values, method) if flag == "1" else [])
        call.served.append(self.write)
        return {"id": campaign.id}

    def _sentence(self, call: Call) -> list[str]:
        return call.params.items("targets") or [""]

    def _values(self, words: list[str]) -> list[Any]:
        try:
            values = [self.parse(word) for word in words]
        except ValueError:
            raise refuse(NOT_ENOUGH) from None
        if not set(values) <= set(self.known):
            raise refuse(NOT_ENOUGH)
        return values


def _changed(old: list[Any], values: list[Any], method: str) -> list[Any]:
    if method == "exclude":
        return [value for value in old if value not in values]
    return [*old, *(value for value in dict.fromkeys(values) if value not in old)]


_INCLUDE = frozenset({"include"})
_BOTH = frozenset({"include", "exclude"})

TARGETINGS: tuple[Targeting, ...] = (
    Targeting(
        name="browsers",
        read=32,
        write=25,
        attribute="browsers",
        methods=_INCLUDE,
        known=BROWSERS,
    ),
    Targeting(
        name="operatingsystems",
        read=28,
        write=27,
        attribute="systems",
        methods=_BOTH,
        known=OPERATING_SYSTEMS,
    ),
    Targeting(
        name="browserslanguage",
        read=31,
        write=30,
        attribute="languages",
        methods=_INCLUDE,
        known=LANGUAGES,
        parse=int,
    ),
    Targeting(
        name="phonePriceRange",
        read=34,
        write=33,
        attribute="prices",
        methods=_BOTH,
        known=PHONE_PRICE_RANGES,
        parse=int,
    ),
)


def get_geo(call: Call) -> dict[str, Any]:
    """Operation 21: what holds, and what was asked for last; the latter holds from now on."""
    campaign = call.campaign(deleted=True)
    actual, requested = geo_shape(call, campaign.geo), geo_shape(call, campaign.geo_wanted)
    campaign.geo = campaign.geo_wanted
    call.served.append(21)
    return {"targets": {"actual": actual, "requested": requested}}


def put_geo(call: Call) -> dict[str, Any]:
    """Operation 24: ask for other places; nothing is saved when anything is wrong."""
    campaign = call.campaign()
    flag = call.params.text("enabledFlag")
    geo = read_geo(call.params, "targets")
    if flag not in {"0", "1"} or (flag == "1" and geo is None):
        raise refuse(NOT_ENOUGH)
    campaign.geo_wanted = geo if flag == "1" and geo is not None else {}
    call.served.append(24)
    return {"id": campaign.id}


def geo_dictionary(call: Call) -> list[dict[str, Any]]:
    """Operations 22 (type=countries) and 23 (type=cities, of some countries)."""
    kind = call.params.text("type")
    if kind == "countries":
        call.served.append(22)
        return [{"code": code, "name": name} for code, name in COUNTRIES.items()]
    wanted = {code.upper() for code in call.params.words("countries")}
    if kind != "cities" or not wanted:
        raise refuse(NOT_ENOUGH)
    call.served.append(23)
    return [
        {
            "id": number,
            "name": city.name,
            "normalizedName": city.normalized_name,
            "countryCode": city.country,
        }
        for number, city in CITIES.items()
        if city.country in wanted
    ]
