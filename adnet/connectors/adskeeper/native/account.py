"""Operations 1, 22 and 23: the client, and the places that can be targeted."""

from collections.abc import Iterable

from adnet.connectors.adskeeper import forms, readers, routes, shapes
from adnet.connectors.adskeeper.core import Core
from adnet.connectors.adskeeper.rows import City, Client, Country


class ClientGroup:
    """Operation 1."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def get(self) -> Client:
        """Return time zone, currency and wallet; money in the network's units, cents by the document."""
        return readers.client(await self._core.read(routes.CLIENT))


class DictionaryGroup:
    """Operations 22 and 23."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def list_countries(self) -> list[Country]:
        """Return the countries that can be targeted."""
        answer = await self._core.read(routes.COUNTRIES, query={"type": "countries"})
        return [readers.country(row, f"$[{i}]") for i, row in enumerate(shapes.items(answer, "$"))]

    async def list_cities(self, countries: Iterable[str]) -> list[City]:
        """Return the regions and cities of *countries* (two-letter codes) that can be targeted."""
        codes = forms.literal(list(countries), self._core.dialect.list_literals)
        answer = await self._core.read(routes.CITIES, query={"type": "cities", "countries": codes})
        return [readers.city(row, f"$[{i}]") for i, row in enumerate(shapes.items(answer, "$"))]
