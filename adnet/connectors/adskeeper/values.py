"""Adskeeper's value tables as typed look-ups. What they do not list is accepted: the tables grow without notice.

Generated into ``values.json`` from the Adskeeper advertiser API document (documented); version labels of operating
systems are freed of the Cyrillic letters that stand in some of them. Misspelt codes (``otherdesctop``,
``rocuossmarttv``, ``ios70tablet`` for iOS 10) are the network's own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Generic, TypeVar

import attrs
import msgspec

K = TypeVar("K")
V = TypeVar("V")


class Table(Mapping[K, V], Generic[K, V]):
    """One value table, by the key that goes over the wire."""

    __slots__ = ("_rows", "_unknown", "name")

    def __init__(self, name: str, rows: Iterable[tuple[K, V]], unknown: Callable[[K], V]) -> None:
        self.name = name
        self._rows = dict(rows)
        self._unknown = unknown

    def __getitem__(self, key: K) -> V:
        return self._rows[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def of(self, key: K) -> V:
        """Return the entry of *key*; an unknown one is made up with its key and no name."""
        return self._rows[key] if key in self._rows else self._unknown(key)

    def unlisted(self, keys: Iterable[K]) -> tuple[K, ...]:
        """Return those *keys* that the table does not list, in order."""
        return tuple(key for key in keys if key not in self._rows)

    def __repr__(self) -> str:
        return f"Table({self.name}, {len(self)} rows)"


@attrs.frozen
class Language:
    """A language. Campaigns are read with its id and created with its code."""

    id: int
    code: str = ""
    name: str = ""


@attrs.frozen
class Browser:
    """A browser that can be targeted."""

    value: str
    name: str = ""


@attrs.frozen
class OperatingSystem:
    """An operating system that can be targeted, one for each kind of device."""

    code: str
    id: int | None = None
    label: str = ""

    @property
    def device(self) -> str:
        """``mobile``, ``tablet``, ``smarttv`` or ``desktop``, as the code ends."""
        ends = (kind for kind in ("mobile", "tablet", "smarttv") if self.code.endswith(kind))
        return next(ends, "desktop")


@attrs.frozen
class Category:
    """A category of campaigns and teasers. Names repeat across ids."""

    id: int
    name: str = ""
    campaign_types: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    """Types of campaign that it is valid for; empty where that is not known."""


@attrs.frozen
class Currency:
    """A currency in which the price of an advertised product can be shown."""

    id: int
    code: str = ""
    """ISO 4217. Ids 12 and 46 are both printed as INR; the second is doubtful."""


@attrs.frozen
class CampaignStatus:
    """What a campaign is doing; the document leaves out 16 to 18."""

    id: int
    meaning: str = ""


@attrs.frozen
class TeaserStatus:
    """What a teaser is doing."""

    code: str
    meaning: str = ""


@attrs.frozen
class PriceRange:
    """A range of phone prices, in US dollars."""

    id: int
    usd_from: int | None = None
    usd_to: int | None = None


@attrs.frozen
class ConversionCategory:
    """What a conversion is."""

    id: int
    name: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    languages: list[tuple[int, str, str]]
    browsers: list[tuple[str, str]]
    operating_systems: list[tuple[str, int, str]]
    categories: list[tuple[int, str, list[str]]]
    currencies: list[tuple[int, str]]
    campaign_statuses: list[tuple[int, str]]
    teaser_statuses: list[tuple[str, str]]
    phone_prices: list[tuple[int, int | None, int | None]]
    conversion_categories: list[tuple[int, str]]
    conversion_stages: list[str]
    date_intervals: list[str]
    campaign_types: list[str]
    utm_macros: list[str]
    utm_macros_on_put: list[str]
    title_macros: list[str]


_FILE: Final = msgspec.json.decode(Path(__file__).with_name("values.json").read_bytes(), type=_File)


def _table(name: str, rows: Iterable[tuple[object, ...]], kind: Callable[..., V]) -> Table[K, V]:
    return Table(name, ((row[0], kind(*row)) for row in rows), kind)  # type: ignore[misc]


LANGUAGES: Final[Table[int, Language]] = _table("languages", _FILE.languages, Language)
LANGUAGES_BY_CODE: Final[Table[str, Language]] = Table(
    "language codes",
    ((language.code, language) for language in LANGUAGES.values()),
    lambda code: Language(0, code),
)
BROWSERS: Final[Table[str, Browser]] = _table("browsers", _FILE.browsers, Browser)
OPERATING_SYSTEMS: Final[Table[str, OperatingSystem]] = _table(
    "operating systems", _FILE.operating_systems, OperatingSystem
)
CATEGORIES: Final[Table[int, Category]] = _table("categories", _FILE.categories, Category)
CURRENCIES: Final[Table[int, Currency]] = _table("currencies", _FILE.currencies, Currency)
CAMPAIGN_STATUSES: Final[Table[int, CampaignStatus]] = _table(
    "campaign statuses", _FILE.campaign_statuses, CampaignStatus
)
TEASER_STATUSES: Final[Table[str, TeaserStatus]] = _table(
    "teaser statuses", _FILE.teaser_statuses, TeaserStatus
)
PHONE_PRICES: Final[Table[int, PriceRange]] = _table("phone price ranges", _FILE.phone_prices, PriceRange)
CONVERSION_CATEGORIES: Final[Table[int, ConversionCategory]] = _table(
    "conversion categories", _FILE.conversion_categories, ConversionCategory
)

CONVERSION_STAGES: Final = tuple(_FILE.conversion_stages)
DATE_INTERVALS: Final = tuple(_FILE.date_intervals)
CAMPAIGN_TYPES: Final = tuple(_FILE.campaign_types)
"""Types that can be created; ``video`` and ``offer`` exist too."""
UTM_MACROS: Final = frozenset(_FILE.utm_macros)
UTM_MACROS_ON_PUT: Final = frozenset(_FILE.utm_macros_on_put)
"""Macros for the marks of an existing campaign: two fewer than for a new one."""
TITLE_MACROS: Final = frozenset(_FILE.title_macros)
