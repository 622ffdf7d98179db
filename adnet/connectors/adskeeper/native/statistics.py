"""Operations 3 to 6 and 36: statistics. Periods are days of the account's time zone, the last one included."""

from datetime import date

from adnet.connectors.adskeeper import figures, routes
from adnet.connectors.adskeeper.codes import NO_DATA
from adnet.connectors.adskeeper.core import Core
from adnet.connectors.adskeeper.figures import (
    CampaignFigures,
    ClickReport,
    PlaceFigures,
    TeaserFigures,
    VideoFigures,
)
from adnet.errors import NotFoundError, PayloadError
from adnet.transport.wire import Route


def _interval(first: date, last: date) -> dict[str, object]:
    # Always a named period: what is left out means 30 days here and 90 there.
    return {"dateInterval": "interval", "startDate": first.isoformat(), "endDate": last.isoformat()}


class StatisticsGroup:
    """Statistics. That there are none is an empty result and no failure."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def quality(
        self,
        campaign_id: str,
        first: date,
        last: date,
        *,
        uid: str | None = None,
        browser: str | None = None,
        os: str | None = None,
        country: str | None = None,
    ) -> tuple[PlaceFigures, ...]:
        """Return a campaign's widgets with their sub-sources over a period (operation 3), impressions excepted.

        A widget's own figures are the total of its sources: never add both.

        Raises:
            NotFoundError: The widget or the campaign does not exist.
        """
        route = routes.QUALITY if uid is None else routes.QUALITY_OF
        query = {**_interval(first, last), "browser": browser, "os": os, "country": country}
        path = {"campaign": campaign_id, "uid": uid}
        try:
            answer = await self._core.read(route, path=path, query=query)
        except NotFoundError as error:
            if error.code == NO_DATA:
                return ()
            raise
        return figures.places(answer, str(campaign_id))

    async def clicks(self, campaign_id: str, day: date) -> ClickReport:
        """Return the accepted clicks of a campaign on one day (operation 4), with their addresses."""
        query = {"type": "byClicksDetailed", "date": day.isoformat()}
        try:
            answer = await self._core.read(routes.CLICKS, path={"campaign": campaign_id}, query=query)
        except PayloadError as error:
            error.excerpt = ""  # it quotes addresses
            raise
        except NotFoundError as error:
            if error.code == NO_DATA:
                answer = {}
            else:
                raise
        return figures.click_report(campaign_id, answer)

    async def campaigns(self, first: date, last: date) -> list[CampaignFigures]:
        """Return one total for the whole period for each campaign with anything in it (operation 5)."""
        rows = await self._totals(routes.CAMPAIGNS_STAT, "campaigns-stat", first, last)
        return [figures.campaign_figures(number, row) for number, row in rows.items()]

    async def videos(self, first: date, last: date) -> list[VideoFigures]:
        """Return one total for the whole period for each video campaign (operation 6)."""
        rows = await self._totals(routes.VIDEO_STAT, "campaigns-video-stat", first, last)
        return [figures.video_figures(number, row) for number, row in rows.items()]

    async def _totals(self, route: Route, name: str, first: date, last: date) -> dict[str, dict[str, object]]:
        try:
            answer = await self._core.read(route, query=_interval(first, last))
        except NotFoundError as error:
            if error.code == NO_DATA:
                return {}
            raise
        return figures.unwrapped(answer, name)

    async def teaser(
        self, teaser_id: str, first: date, last: date, *, uid: str | None = None
    ) -> TeaserFigures:
        """Return a teaser day by day (operation 36); days without anything are left out.

        Raises:
            NotFoundError: There is no such teaser.
        """
        query = {**_interval(first, last), "uid": uid}
        try:
            answer = await self._core.read(routes.TEASER_STAT, path={"teaser": teaser_id}, query=query)
        except NotFoundError as error:
            if error.code == NO_DATA:
                answer = {}
            else:
                raise
        return figures.teaser_figures(teaser_id, answer)
