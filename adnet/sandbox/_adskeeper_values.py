"""
The vendor's value tables, as the imitation server checks against them.

Read from a file of this package, not shared with the connector: a server that
shares the tables agrees with their mistakes. Countries and cities are an
invented choice; the document prints none.

Source: Adskeeper advertiser API document, its tables of languages, campaign
statuses, browsers, operating systems, teaser categories, currencies, teaser
statuses and macros.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import attrs
import msgspec

__all__ = [
    "BROWSERS",
    "CAMPAIGN_STATUSES",
    "CATEGORIES",
    "CITIES",
    "CONVERSION_STAGES",
    "COUNTRIES",
    "CREATABLE_TYPES",
    "CURRENCIES",
    "LANGUAGES",
    "OPERATING_SYSTEMS",
    "PHONE_PRICE_RANGES",
    "TEASER_STATUSES",
    "UNLISTED_STATUS",
    "UTM_MACROS",
    "UTM_MACROS_ON_PUT",
    "Category",
    "City",
]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    languages: list[tuple[int, str]]
    browsers: list[str]
    operating_systems: list[tuple[int, str]]
    categories: list[tuple[int, str, list[str]]]
    currencies: list[int]
    campaign_statuses: list[tuple[int, str]]
    teaser_statuses: list[tuple[str, str]]
    utm_macros: list[str]
    utm_macros_on_put: list[str]
    countries: list[tuple[str, str, list[tuple[int, str, str]]]]


@attrs.frozen
class Category:
    """One teaser category; names repeat across ids."""

    name: str
    campaign_types: frozenset[str]


@attrs.frozen
class City:
    """One region or city of the geo dictionary."""

    name: str
    normalized_name: str
    country: str


_FILE = msgspec.json.decode(Path(__file__).with_name("_adskeeper_values.json").read_bytes(), type=_File)

LANGUAGES: Mapping[int, str] = MappingProxyType(dict(_FILE.languages))
"""Language id -> code."""
BROWSERS: tuple[str, ...] = tuple(_FILE.browsers)
OPERATING_SYSTEMS: Mapping[str, int] = MappingProxyType(
    {code: number for number, code in _FILE.operating_systems}
)
"""Operating system code -> id."""
CATEGORIES: Mapping[int, Category] = MappingProxyType(
    {number: Category(name, frozenset(types)) for number, name, types in _FILE.categories}
)
CURRENCIES: frozenset[int] = frozenset(_FILE.currencies)
"""Ids of the currencies in which a product's price can be shown."""
CAMPAIGN_STATUSES: Mapping[int, str] = MappingProxyType(dict(_FILE.campaign_statuses))
"""Campaign status id -> the document's description."""
UNLISTED_STATUS = 17
"""A status id that the document does not list, yet some seeded campaigns have."""
TEASER_STATUSES: Mapping[str, str] = MappingProxyType(dict(_FILE.teaser_statuses))
"""Teaser status code -> description."""
UTM_MACROS: tuple[str, ...] = tuple(_FILE.utm_macros)
UTM_MACROS_ON_PUT: tuple[str, ...] = tuple(_FILE.utm_macros_on_put)
COUNTRIES: Mapping[str, str] = MappingProxyType({code: name for code, name, _ in _FILE.countries})
"""Upper-case country code -> name."""
CITIES: Mapping[int, City] = MappingProxyType(
    {
        number: City(name, normalized, code)
        for code, _, cities in _FILE.countries
        for number, name, normalized in cities
    }
)
PHONE_PRICE_RANGES: range = range(1, 11)
CONVERSION_STAGES: tuple[str, ...] = ("buy", "decision", "interest")
CREATABLE_TYPES: tuple[str, ...] = ("product", "content", "push", "search_feed")
