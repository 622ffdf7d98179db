"""Statistics, in the network's own words.

Version 2 tells days, version 3 totals of a period page by page; goals and in-app events are lists within each day;
the fast figures are the last sixty minutes, unfiltered and without money. At most 200 ids a request.

Source: VK Ads "Statistics" pages (documented); myTarget's 92 days as enforced by clients of its time (observed).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from hashlib import blake2b
from itertools import count as counted
from typing import Any, Final

from adnet.connectors.mytarget import codec, routes
from adnet.connectors.mytarget.api import Api, joined
from adnet.connectors.mytarget.errors import invalid
from adnet.connectors.mytarget.limits import STAT_IDS
from adnet.connectors.mytarget.native.objects import Rows
from adnet.errors import SchemaError
from adnet.transport.wire import Lane, Response, Route

OBJECTS: Final = ("campaigns", "banners", "users", "ad_plans")
_V3_PAGE: Final = 250


class Statistics:
    """What the network's statistics say. Days are Moscow's, both ends of a period included."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def days(
        self,
        kind: str,
        ids: Sequence[str],
        *,
        date_from: date,
        date_to: date,
        metrics: Sequence[str] = ("base",),
        attribution: str | None = None,
    ) -> list[Mapping[str, Any]]:
        """Return one item per object with a row for every day, empty days included.

        Args:
            kind: ``campaigns`` (VK Ads: ad groups), ``banners``, ``users`` or ``ad_plans``.
            ids: At most 200; one that is not this account's fails the whole request.
            date_from: First day.
            date_to: Last day; at most 92 days (VK Ads: 366) with the first.
            metrics: Sets such as ``base``, ``events``, ``uniques``, ``video``, or ``all``.
            attribution: ``conversion`` (the network's default) or ``impression``.
        """
        query = {"metrics": joined(metrics), "attribution": attribution}
        response = await self.send_days(kind, ids, date_from=date_from, date_to=date_to, query=query)
        return self._listed(routes.STAT_DAYS, response)

    async def send_days(
        self,
        kind: str,
        ids: Sequence[str],
        *,
        date_from: date,
        date_to: date,
        query: Mapping[str, object],
        lane: Lane = "interactive",
    ) -> Response:
        """Return the answer to ``days`` as it came, for a reader of its own."""
        return await self._send(
            routes.STAT_DAYS, kind, ids, date_from=date_from, date_to=date_to, query=query, lane=lane
        )

    async def summary(
        self, kind: str, ids: Sequence[str], *, metrics: Sequence[str] = ("base",)
    ) -> list[Mapping[str, Any]]:
        """Return the totals of each object's whole life."""
        query = {"metrics": joined(metrics)}
        request = self._api.build(
            routes.STAT_SUMMARY,
            path=self._path(kind),
            query={"id": self._ids(ids), **query},
            objects=len(ids),
            facts={"request_key": _key(kind, query), "ids": tuple(ids)},
        )
        response = await self._api.send(request)
        return self._listed(routes.STAT_SUMMARY, response)

    async def totals(
        self,
        kind: str,
        *,
        date_from: date,
        date_to: date,
        fields: Sequence[str] = ("base",),
        **filters: str | None,
    ) -> AsyncIterator[Rows]:
        """Yield the totals of a period, a page at a time (version 3).

        Filters, as the network words them: ``id``, ``id_ne``, ``banner_status``, ``campaign_status``,
        ``campaign_id``, ``package_id``, each also with ``_ne``; ``sort_by`` (``base.clicks``), ``d`` (asc, desc).
        """
        asked = {"fields": joined(fields), "date_from": date_from, "date_to": date_to, **filters}
        offset = 0
        for number in counted(1):
            self._api.session.check_pages(routes.STAT_TOTALS, number)
            page, count = await self._api.page(
                routes.STAT_TOTALS,
                offset=offset,
                limit=_V3_PAGE,
                query=asked,
                path=self._path(kind),
                facts=_facts(kind, (), {**asked, "offset": offset}, date_from, date_to),
            )
            if page:
                yield page
            offset += len(page)
            # Whether count is the number in all or on this page is told both ways, and pages may be clamped: more
            # than there was so far is the number in all, and less than a whole page beside no such number is the end.
            if not page or (count is not None and len(page) < count <= offset):
                return
            if len(page) < _V3_PAGE and (count is None or count <= offset):
                return

    async def goals(
        self,
        kind: str,
        ids: Sequence[str],
        *,
        date_from: date,
        date_to: date,
        conversion_type: Sequence[str] = ("postclick",),
        attribution: str | None = None,
    ) -> list[Mapping[str, Any]]:
        """Return conversions by day and goal: ``postclick``, ``postview``, ``total``."""
        return await self._conversions(
            routes.STAT_GOALS, kind, ids, date_from, date_to, conversion_type, attribution
        )

    async def inapp(
        self,
        kind: str,
        ids: Sequence[str],
        *,
        date_from: date,
        date_to: date,
        conversion_type: Sequence[str] = ("postclick",),
        attribution: str | None = None,
    ) -> list[Mapping[str, Any]]:
        """Return in-app events by day, application and tracker."""
        return await self._conversions(
            routes.STAT_INAPP, kind, ids, date_from, date_to, conversion_type, attribution
        )

    async def offline(
        self, kind: str, ids: Sequence[str], *, date_from: date, date_to: date
    ) -> list[Mapping[str, Any]]:
        """Return offline conversions by day of the event."""
        response = await self._send(
            routes.STAT_OFFLINE, kind, ids, date_from=date_from, date_to=date_to, query={}
        )
        return self._listed(routes.STAT_OFFLINE, response)

    async def fast(self, kind: str, ids: Sequence[str]) -> Mapping[str, Any]:
        """Return shows and clicks of the last 60 minutes by object id, newest minute last.

        They are not filtered and differ from the final figures; there is no money in them.
        """
        route = routes.FASTSTAT[self._api.profile.faststat_version]
        # VK Ads, too, says "campaigns" here, in the path and in the answer (documented).
        path, query = {"object": _known(kind)}, {"id": self._ids(ids)}
        answer = await self._api.one(route, path=path, query=query, objects=len(ids))
        with self._api.session.reading(route):
            name = {"users": "advertisers"}.get(kind, kind)
            if name not in answer:
                raise SchemaError(f"$.{name} is missing", paths=(f"$.{name}",))
            return codec.section(answer, name)

    # ------------------------------------------------------------------ private

    async def _conversions(
        self,
        route: Route,
        kind: str,
        ids: Sequence[str],
        date_from: date,
        date_to: date,
        conversion_type: Sequence[str],
        attribution: str | None,
    ) -> list[Mapping[str, Any]]:
        query = {"conversion_type": joined(conversion_type), "attribution": attribution}
        response = await self._send(route, kind, ids, date_from=date_from, date_to=date_to, query=query)
        return self._listed(route, response)

    async def _send(
        self,
        route: Route,
        kind: str,
        ids: Sequence[str],
        *,
        date_from: date,
        date_to: date,
        query: Mapping[str, object],
        lane: Lane = "interactive",
    ) -> Response:
        days = (date_to - date_from).days + 1
        if not 1 <= days <= self._api.profile.stat_days:
            most = self._api.profile.stat_days
            raise invalid(f"a statistics request is for 1 to {most} days, not {days}", date_to="wrong span")
        asked = {"id": self._ids(ids), "date_from": date_from, "date_to": date_to, **query}
        request = self._api.build(
            route,
            path=self._path(kind),
            query=asked,
            lane=lane,
            objects=len(ids),
            facts=_facts(kind, ids, query, date_from, date_to),
        )
        return await self._api.send(request)

    def _ids(self, ids: Sequence[str]) -> str:
        if not 1 <= len(ids) <= STAT_IDS:
            raise invalid(
                f"a statistics request is for 1 to {STAT_IDS} ids, not {len(ids)}", id="wrong number"
            )
        return joined(ids)

    def _path(self, kind: str) -> dict[str, object]:
        return {"object": self._api.profile.campaigns if _known(kind) == "campaigns" else kind}

    def _listed(self, route: Route, response: Response) -> list[Mapping[str, Any]]:
        found = self._api.decoded(route, response)
        items = found.get("items") if isinstance(found, dict) else None
        with self._api.session.reading(route):
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise SchemaError("$.items is no list of objects", paths=("$.items",))
        return items


def _known(kind: str) -> str:
    if kind not in OBJECTS:
        raise invalid(f"there are no statistics of {kind!r}; there are {', '.join(OBJECTS)}", kind=kind)
    return kind


def _facts(
    kind: str, ids: Sequence[str], query: Mapping[str, object], date_from: date, date_to: date
) -> dict[str, Any]:
    """Return what the ledger keeps of a request: its days, its objects, and a key of what else it was about."""
    facts = {"period_days": (date_to - date_from).days + 1, "request_key": _key(kind, query)}
    return facts if date_from == date_to else {**facts, "first_day": date_from, "ids": tuple(ids)}


def _key(kind: str, query: Mapping[str, object]) -> str:
    words = sorted(f"{name}={value}" for name, value in query.items() if value is not None)
    return blake2b(" ".join((kind, *words)).encode(), digest_size=8).hexdigest()
