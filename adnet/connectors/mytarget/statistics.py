"""Daily statistics: what is closed is asked for once, and only the open day again.

The certification forbids to ask for more than a day's statistics more often than once a day. So every closed day
that was answered is kept in the state, object by object, and a request names only the days and objects that are
missing there. Networks restate the numbers of the last days, so those are asked for again, once in 24 hours.

Requests are for 200 objects and for as many days as the network takes. Source: myTarget certification page, VK Ads
"Statistics" (documented).
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from adnet.clock import Clock
from adnet.connectors.mytarget import codec, routes
from adnet.connectors.mytarget.api import EXACT, Api
from adnet.connectors.mytarget.errors import invalid
from adnet.connectors.mytarget.limits import PAGE_SIZE, STAT_IDS
from adnet.connectors.mytarget.native import MyTargetNative
from adnet.connectors.mytarget.reading import Reader
from adnet.connectors.mytarget.stat_rows import (
    ANSWER,
    RAW_ANSWER,
    Answer,
    RawAnswer,
    check_whole,
    conversions,
    day_of,
    happened,
    read_day,
)
from adnet.connectors.mytarget.stat_store import METRICS, DayStore, Found, Span
from adnet.errors import NotFoundError, SchemaError
from adnet.models import Batch, ModelBatch, Raw, StatRow
from adnet.models.words import Level
from adnet.money import Money
from adnet.operations.grouping import cut
from adnet.operations.paginate import in_order
from adnet.periods import ONE_DAY, Period
from adnet.state import State
from adnet.transport.decipher import decode

KINDS: Final[Mapping[Level, str]] = {"campaign": "campaigns", "ad": "banners"}
_GROUP: Final = 1000
"""Objects whose figures are held at once."""
_WIDTH: Final = 4
_LISTED_S: Final = 600.0
"""For how long the list of all objects serves one statistics call after the other, for days that were over then."""


class StatReader:
    """Reads daily statistics of campaigns and banners.

    Args:
        api: Sends.
        native: The network's own client.
        reader: Tells which objects there are.
        state: Where answers are kept.
        key: The account's key there.
        clock: Says which day is open.
        restated_days: Closed days that are asked for again once in 24 hours.
    """

    def __init__(
        self,
        api: Api,
        native: MyTargetNative,
        reader: Reader,
        state: State,
        key: str,
        *,
        clock: Clock,
        restated_days: int,
    ) -> None:
        self._api = api
        self._native = native
        self._reader = reader
        self._store = DayStore(state, key, clock, restated_days)
        self._clock = clock
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._listed: dict[Level, tuple[float, date, dict[str, str | None]]] = {}
        """When all objects were listed, on which day of the network, and what there was."""

    async def rows(
        self, period: Period, *, level: Level, ids: Collection[str] | None
    ) -> AsyncIterator[Batch]:
        """Yield one row per day and object on which something happened: day after day, a thousand objects at a time.

        A day of which the network has taken back all that it told is a row, too, without figures.
        """
        today = self.today()
        days = [day for day in period.days(codec.MOSCOW) if day <= today]
        parents = await self._objects(level, ids, days[-1]) if days else {}
        currency = await self._spent_in() if parents else ""
        for group in cut(list(parents), _GROUP):
            found = await self._figures(KINDS[level], group, days, today)
            for day in days:
                rows = found.get(day, {})
                yield ModelBatch(
                    [self._row(rows[i], level, i, parents[i], currency) for i in group if i in rows]
                )

    async def _spent_in(self) -> str:
        """Return the account's currency. Rows that do not tell what was spent would make every sum too small."""
        if (currency := await self._reader.currency()) is None:
            route = routes.USER[self._api.profile.user_version]
            with self._api.session.reading(route):
                raise SchemaError(
                    "the account names no currency, so that spend has none", paths=("$.currency",)
                )
        return currency

    def today(self) -> date:
        """Return the network's day, which is the open one."""
        return self._clock.now().astimezone(codec.MOSCOW).date()

    # ------------------------------------------------------------------ which objects

    async def _objects(self, level: Level, ids: Collection[str] | None, last: date) -> dict[str, str | None]:
        """Return object -> its campaign, all objects when *ids* is None; deleted ones have spent money, too.

        What is made after a list may spend on the day of that list, so it serves for earlier days only.
        """
        if level == "campaign" and ids is not None:
            return {number: number for number in dict.fromkeys(ids)}
        now, today = self._clock.monotonic(), self.today()
        listed_at, listed_on, known = self._listed.get(level, (0.0, today, {}))
        fresh = bool(known) and now - listed_at <= _LISTED_S
        if ids is None:
            if not fresh or last >= listed_on:
                known = await self._parents(level, None)
                self._listed[level] = (now, today, known)
            return known
        known = dict(known) if fresh else {}
        known |= await self._parents(level, [number for number in ids if number not in known])
        if foreign := [number for number in ids if number not in known]:
            raise NotFoundError(f"there is no {level} {foreign[0]}", network=self._api.profile.network)
        return {number: known[number] for number in dict.fromkeys(ids)}

    async def _parents(self, level: Level, ids: Sequence[str] | None) -> dict[str, str | None]:
        campaigns = level == "campaign"
        objects = self._native.campaigns if campaigns else self._native.banners
        field = "id" if campaigns else self._api.profile.campaign_field
        parts: list[Sequence[str] | None] = [None] if ids is None else list(cut(ids, PAGE_SIZE))
        found: dict[str, str | None] = {}
        for part in parts:
            pages = self._reader.pages(
                objects,
                list(dict.fromkeys(("id", field))),
                filters={"id__in": part},
                sorting="id" if campaigns else None,
                lane="backfill",
            )
            async for page in pages:
                found.update({codec.object_id(row): codec.text(row, field) for row in page})
        return found

    # ------------------------------------------------------------------ figures

    async def _figures(self, kind: str, ids: Sequence[str], days: Sequence[date], today: date) -> Found:
        """Return what *ids* did on *days*, from the state where it is known."""
        async with self._locks[kind]:  # so that two who want the same ask for it once
            found, missing = self._known(kind, ids, days, today)
            if all(len(absent) == 1 for absent in missing.values()):
                return await self._completed(kind, found, missing, today)
            async with self._store.alone(kind):
                found, missing = self._known(kind, ids, days, today)  # another process may have been faster
                return await self._completed(kind, found, missing, today)

    def _known(
        self, kind: str, ids: Sequence[str], days: Sequence[date], today: date
    ) -> tuple[Found, dict[str, list[date]]]:
        """Return what the state has, and the days that each object misses there."""
        found: Found = {}
        missing: dict[str, list[date]] = {}
        for day in days:
            known = self._store.read(kind, day) if day < today else {}
            found[day] = {i: row for i in ids if (row := known.get(i)) is not None}
            for number in ids:
                if number not in known:
                    missing.setdefault(number, []).append(day)
        return found, missing

    async def _completed(
        self, kind: str, found: Found, missing: Mapping[str, Sequence[date]], today: date
    ) -> Found:
        """Fetch what is missing, keep it, and return *found* with it."""
        self._check_history(missing, today)
        spans = list(_spans(missing, self._api.profile.stat_days))

        days = {day for absent in missing.values() for day in absent if day < today}
        told = {day.isoformat(): self._store.told(kind, day) for day in days}

        async def fetch(span: Span) -> Found:
            return await self._fetch(kind, span, today, told)

        fetched: list[tuple[Span, Found]] = []
        try:
            async for rows in in_order(spans, fetch, width=_WIDTH):
                fetched.append((spans[len(fetched)], rows))
        finally:
            # What came counts as asked for, even if what follows fails.
            self._store.keep(kind, fetched, today)
        for _, rows in fetched:
            for day, by_object in rows.items():
                found.setdefault(day, {}).update(by_object)
        return found

    def _check_history(self, missing: Mapping[str, Sequence[date]], today: date) -> None:
        """Refuse days that the network has forgotten: it returns no rows of them, as if nothing had happened."""
        back = self._api.profile.stat_history
        if back is None or not missing:
            return
        first = today - timedelta(days=back)
        if min(days[0] for days in missing.values()) < first:
            told = f"{self._api.profile.title} tells the days of the last {back} days only"
            raise invalid(f"{told}: ask for statistics from {first} on", since="too long ago")

    async def _fetch(self, kind: str, span: Span, today: date, told: Mapping[str, Collection[str]]) -> Found:
        """Return the rows of one request: those on which something happened, or of which something was *told* before.

        Figures that the network has taken back have landed, perhaps; only a row can replace them.
        """
        response = await self._native.statistics.send_days(
            kind,
            span.ids,
            date_from=span.first,
            date_to=span.last,
            query={"metrics": METRICS},
            lane="backfill" if span.last > span.first else "interactive",
        )
        scrubber, found = self._api.session.scrubber, Found()
        with self._api.session.reading(routes.STAT_DAYS):
            # All of it is JSON, what no row needs included.
            decode(response, scrubber=scrubber, decoder=EXACT)
            # Before it is taken apart: rows are kept in the state, and become ``raw``.
            response = self._api.session.clean(response)
            answer: Answer = decode(response, scrubber=scrubber, decoder=ANSWER)
            check_whole(answer, span.ids, span.closed(today))
            written: RawAnswer = decode(response, scrubber=scrubber, decoder=RAW_ANSWER)
            for item, raw in zip(answer.items, written.items, strict=True):
                number = str(item.id)
                for row, text in zip(item.rows, raw.rows, strict=True):
                    if happened(row) or number in told.get(row.date, ()):
                        # A copy, so that the whole answer is not held for one row of it.
                        found.setdefault(day_of(row), {})[number] = text.copy()
        return found

    def _row(self, raw: msgspec.Raw, level: Level, number: str, parent: str | None, currency: str) -> StatRow:
        row = read_day(raw)
        base = row.base
        spent = base.spent if base.spent is not None else Decimal(0)
        return StatRow(
            date=day_of(row),
            level=level,
            object_id=number,
            campaign_id=parent,
            impressions=base.shows or 0,
            clicks=base.clicks or 0,
            spend=Money(spent, currency),
            conversions=conversions(base),
            currency=currency,
            raw=Raw(bytes(raw)),
        )


def _spans(missing: Mapping[str, Sequence[date]], most_days: int) -> Iterable[Span]:
    """Yield the requests for what is missing: objects that miss the same days go together."""
    alike: defaultdict[tuple[date, ...], list[str]] = defaultdict(list)
    for number, days in missing.items():
        alike[tuple(days)].append(number)
    for days, ids in alike.items():
        for first, last in runs(days, most_days):
            for part in cut(ids, STAT_IDS):
                yield Span(ids=part, first=first, last=last)


def runs(days: Sequence[date], most_days: int) -> list[tuple[date, date]]:
    """Return ascending *days* as runs of days that follow each other, at most *most_days* long."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and day - found[-1][1] == ONE_DAY and (day - found[-1][0]).days < most_days:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
