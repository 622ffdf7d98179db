"""Operations 15 to 19: conversions."""

from collections.abc import Iterable, Mapping

from adnet.connectors.adskeeper import readers, routes, shapes
from adnet.connectors.adskeeper.calls import conversions as calls
from adnet.connectors.adskeeper.calls.conversions import ChosenTarget, NewTarget
from adnet.connectors.adskeeper.core import Core, Saved
from adnet.connectors.adskeeper.rows import Conversion, ConversionTarget


class ConversionGroup:
    """Conversion targets of the client, and which stage of a campaign counts which of them."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def list_targets(self) -> list[ConversionTarget]:
        """Return the client's targets (operation 15); their ids are told by :meth:`list_stages` only."""
        answer = shapes.mapping(await self._core.read(routes.CLIENT_TARGETS), "$")
        stages = shapes.rows(shapes.part(answer, "stages", "$"), "$.stages", key="stage")
        return [readers.conversion_target(name, row, f"$.stages.{name}") for name, row in stages.items()]

    async def list_stages(self, campaign_id: str) -> list[Conversion]:
        """Return a campaign's configured stages (operation 16), none to three."""
        answer = await self._core.read(routes.CONVERSIONS, path={"campaign": campaign_id})
        return [readers.conversion(row, f"$[{i}]") for i, row in enumerate(shapes.items(answer, "$"))]

    async def create(self, campaign_id: str, stages: Mapping[str, NewTarget]) -> Saved:
        """Create targets for some of the stages buy, decision and interest (operation 17).

        Raises:
            LostReplyError: They may have been created; nothing is sent again.
        """
        return await self._core.save(calls.create(campaign_id, stages))

    async def edit(self, campaign_id: str, stages: Mapping[str, ChosenTarget]) -> Saved:
        """Choose existing targets for stages, and what they are worth (operation 18)."""
        return await self._core.save(calls.edit(campaign_id, stages))

    async def delete(self, campaign_id: str, stages: Iterable[str]) -> Saved:
        """Remove the targets of some stages (operation 19)."""
        return await self._core.save(calls.delete(campaign_id, stages))
