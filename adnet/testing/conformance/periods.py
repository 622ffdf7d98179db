"""Periods: what lies in them comes, whatever lies beside them does not, and statistics are of whom was asked for."""

from datetime import date, datetime, timedelta
from typing import Final

from adnet.interface import Capabilities
from adnet.models.tables import TABLES
from adnet.testing.conformance._policy import standard
from adnet.testing.conformance._tools import (
    Listing,
    as_rows,
    collect,
    dated_listings,
    listings,
    same_rows,
)
from adnet.testing.harness import Harness

_TO_COME: Final = (date(2099, 1, 1), date(2099, 1, 3))


def _timed(capabilities: Capabilities) -> list[Listing]:
    return [
        listing
        for listing in dated_listings(capabilities)
        if TABLES[listing.table].columns.get(TABLES[listing.table].time or "") == "instant"
    ]


def _leveled(capabilities: Capabilities) -> list[Listing]:
    return [listing for listing in listings(capabilities) if listing.level]


class Periods:
    """Every list that takes a period."""

    @standard(listing=dated_listings)
    async def test_periods_are_half_open(self, harness: Harness, listing: Listing) -> None:
        """Two periods that meet give the rows of both together: none twice, none lost.

        If this fails, look at: how ``until`` is sent to a network that includes it; the account's time zone.
        """
        account = await harness.account()
        since, until = harness.period
        middle = since + timedelta(days=1)
        parts = await collect(listing.of(account, since, middle)) + await collect(
            listing.of(account, middle, until)
        )
        whole = await collect(listing.of(account, since, until))
        same_rows(as_rows(whole, listing.table), as_rows(parts, listing.table))

    @standard(listing=dated_listings)
    async def test_rows_are_of_their_period(self, harness: Harness, listing: Listing) -> None:
        """Every row says a day or an instant of the period, and the level, that were asked for.

        If this fails, look at: days told in another zone; a level that the codec does not write.
        """
        account = await harness.account()
        await account.open()  # which may learn the account's time zone
        since, until = harness.period
        period = account.period(since, until)
        column = TABLES[listing.table].time or ""
        for row in await collect(listing.of(account, since, until)):
            moment = getattr(row, column)
            if isinstance(moment, datetime):
                assert period.since <= moment < period.until
            else:
                assert since <= moment < until
            assert listing.level == getattr(row, "level", None)

    @standard(listing=_leveled)
    async def test_statistics_of_some_are_of_those(self, harness: Harness, listing: Listing) -> None:
        """``ids`` of statistics leave exactly their rows; no ids at all leave none.

        If this fails, look at: an ``ids`` that is taken, and not heeded; ``if ids`` where ``ids is None`` is meant.
        """
        account = await harness.account()
        rows = await collect(listing.of(account, *harness.period))
        key = "campaign_id" if listing.level == "source" else "object_id"
        chosen = list(dict.fromkeys(getattr(row, key) for row in rows))[:2]
        expected = [row for row in rows if getattr(row, key) in chosen]
        found = await collect(listing.of(account, *harness.period, ids=chosen))
        same_rows(as_rows(expected, listing.table), as_rows(found, listing.table))
        assert await collect(listing.of(account, *harness.period, ids=[])) == []

    @standard(listing=_timed)
    async def test_periods_end_at_their_instant(self, harness: Harness, listing: Listing) -> None:
        """A period ends at an instant, not with its day: a row of that very instant is in the next one.

        If this fails, look at: instants that are cut to days, and an ``until`` that the network includes.
        """
        account = await harness.account()
        period = account.period(*harness.period)
        whole = await collect(listing.of(account, period.since, period.until))
        column = TABLES[listing.table].time or ""
        every = sorted({getattr(row, column) for row in whole})
        moments = [moment for moment in every if moment.minute or moment.second] or every  # no end of a day
        middle = moments[len(moments) // 2]
        parts = [
            await collect(listing.of(account, period.since, middle)),
            await collect(listing.of(account, middle, period.until)),
        ]
        assert [row for row in parts[0] if getattr(row, column) >= middle] == []
        assert [row for row in parts[1] if getattr(row, column) < middle] == []
        same_rows(as_rows(whole, listing.table), as_rows([*parts[0], *parts[1]], listing.table))

    @standard(listing=dated_listings)
    async def test_a_period_without_rows_is_empty(self, harness: Harness, listing: Listing) -> None:
        """A period in which nothing can have happened yet gives no row, and no error.

        If this fails, look at: empty answers of another shape; networks that refuse days to come.
        """
        account = await harness.account()
        assert await collect(listing.of(account, *_TO_COME)) == []
