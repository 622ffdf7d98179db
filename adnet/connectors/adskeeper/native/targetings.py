"""Operations 21, 24, 25, 27, 28 and 30 to 34: who sees a campaign."""

from collections.abc import Iterable

from adnet.connectors.adskeeper import readers, routes, shapes
from adnet.connectors.adskeeper.calls import targetings as calls
from adnet.connectors.adskeeper.core import Core, Saved
from adnet.connectors.adskeeper.forms import Method
from adnet.connectors.adskeeper.routes import Targeting
from adnet.connectors.adskeeper.rows import Geo


class TargetingGroup:
    """Targetings. An edit without members switches the targeting off."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def get_geo(self, campaign_id: str) -> Geo:
        """Return the places that hold, and those asked for last (operation 21)."""
        return readers.geo(await self._core.read(routes.GEO, path={"campaign": campaign_id}))

    async def set_geo(
        self, campaign_id: str, *, countries: Iterable[str] = (), cities: Iterable[int | str] = ()
    ) -> Saved:
        """Show only in these places (operation 24); it may hold from the next day on."""
        call = calls.set_geo(self._core.dialect, campaign_id, countries=countries, cities=cities)
        return await self._core.save(call)

    async def get_browsers(self, campaign_id: str) -> tuple[str, ...]:
        """Return the targeted browsers (operation 32)."""
        return await self.get("browsers", campaign_id)

    async def get_operating_systems(self, campaign_id: str) -> tuple[str, ...]:
        """Return the codes of the targeted operating systems (operation 28)."""
        return await self.get("operatingsystems", campaign_id)

    async def get_browser_languages(self, campaign_id: str) -> tuple[int, ...]:
        """Return the ids of the targeted browser languages (operation 31)."""
        return _numbers(await self.get("browserslanguage", campaign_id))

    async def get_phone_prices(self, campaign_id: str) -> tuple[int, ...]:
        """Return the ids of the targeted ranges of phone prices (operation 34)."""
        return _numbers(await self.get("phonePriceRange", campaign_id))

    async def edit_browsers(self, campaign_id: str, members: Iterable[str] = ()) -> Saved:
        """Include browsers (operation 25); none can be excluded."""
        return await self._edit(campaign_id, "browsers", "include", members)

    async def edit_operating_systems(
        self, campaign_id: str, method: Method = "include", members: Iterable[str] = ()
    ) -> Saved:
        """Include or exclude operating systems by their codes (operation 27)."""
        return await self._edit(campaign_id, "operatingsystems", method, members)

    async def edit_browser_languages(self, campaign_id: str, members: Iterable[int] = ()) -> Saved:
        """Include browser languages by their ids (operation 30); none can be excluded."""
        return await self._edit(campaign_id, "browserslanguage", "include", members)

    async def edit_phone_prices(
        self, campaign_id: str, method: Method = "include", members: Iterable[int] = ()
    ) -> Saved:
        """Include or exclude ranges of phone prices by their ids (operation 33)."""
        return await self._edit(campaign_id, "phonePriceRange", method, members)

    async def get(self, kind: Targeting, campaign_id: str) -> tuple[str, ...]:
        """Return what one of the four alike targetings aims at, as text."""
        return readers.targets(await self._core.read(routes.TARGETINGS[kind], path={"campaign": campaign_id}))

    async def _edit(
        self, campaign_id: str, kind: Targeting, method: Method, members: Iterable[str | int]
    ) -> Saved:
        words = list(members)
        off = calls.switch_off(campaign_id, kind)
        return await self._core.save(calls.edit(campaign_id, kind, method, words) if words else off)


def _numbers(words: Iterable[str]) -> tuple[int, ...]:
    return tuple(number for word in words if (number := shapes.number_of(word)) is not None)
