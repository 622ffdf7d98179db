"""Lists and single objects: what the network holds, all of it, once, and exactly."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any, Final

import msgspec

from adnet.errors import InvalidRequestError, NotFoundError, UnsupportedError
from adnet.interface import Capabilities
from adnet.models.tables import TABLES, Columns, ModelBatch
from adnet.models.words import STATUSES, TRANSACTION_STATUSES
from adnet.testing.conformance._policy import standard
from adnet.testing.conformance._tools import (
    Listing,
    Wire,
    as_rows,
    busy,
    client_tasks,
    collect,
    dated_listings,
    first,
    landed_listings,
    listings,
    rewriting,
    same_rows,
)
from adnet.testing.conformance._types import misfits
from adnet.testing.harness import Harness

_TO_COME: Final = (date(2099, 1, 1), date(2099, 1, 3))
_IDS: Final = {"get_campaign": "campaign_id", "get_ad": "ad_id", "get_offer": "slug"}
_WRITES_PAYOUTS: Final = ("offers", "trades")


def _getters(capabilities: Capabilities) -> list[str]:
    return [name for name in _IDS if capabilities.supports(name)]


def _timed(capabilities: Capabilities) -> list[Listing]:
    return [
        listing
        for listing in dated_listings(capabilities)
        if TABLES[listing.table].columns.get(TABLES[listing.table].time or "") == "instant"
    ]


def _filtered(capabilities: Capabilities) -> list[Listing]:
    return [listing for listing in listings(capabilities) if listing.table in {"campaigns", "ads"}]


def _paying(capabilities: Capabilities) -> list[Listing]:
    return [listing for listing in listings(capabilities) if listing.table in _WRITES_PAYOUTS]


class Lists:
    """Every list that the connector can serve, and every ``get``."""

    @standard(listing=listings)
    async def test_a_list_equals_the_truth(self, harness: Harness, listing: Listing) -> None:
        """A list is what the server holds: the same rows, money and days exact, in the network's words too.

        If this fails, look at: the codec's renames, units and time zones; paging that stops early.
        """
        account = await harness.account()
        found = await collect(listing.of(account, *harness.period))
        expected = harness.truth(listing.table, *harness.period, listing.level)
        same_rows(expected, as_rows(found, listing.table))

    @standard(listing=_paying)
    async def test_payouts_equal_the_truth(self, harness: Harness, listing: Listing) -> None:
        """What offers and trades pay is what the server holds, line by line.

        If this fails, look at: the codec's payouts; amounts in per cent or in a currency.
        """
        account = await harness.account()
        parent = listing.table.removesuffix("s")
        expected = [row for row in harness.truth("payouts") if row["parent"] == parent]
        same_rows(expected, as_rows(await collect(listing.of(account)), "payouts"))

    @standard(listing=landed_listings)
    async def test_rows_are_of_their_types(self, harness: Harness, listing: Listing) -> None:
        """Ids are text, amounts Money in the row's currency, instants aware and UTC: not merely equal to that.

        If this fails, look at: the codec; numbers that the network writes without quotes, its time zone.
        """
        account = await harness.account()
        async for row in listing.of(account, *harness.period):
            assert misfits(row, listing.table) == []

    @standard(listing=landed_listings)
    async def test_no_row_comes_twice(self, harness: Harness, listing: Listing) -> None:
        """No two rows of a list have the same key.

        If this fails, look at: paging that repeats a page, and ids derived from too little.
        """
        account = await harness.account()
        rows = as_rows(await collect(listing.of(account, *harness.period)), listing.table)
        keys = [tuple(row[name] for name in TABLES[listing.table].key) for row in rows]
        assert len(keys) == len(set(keys))

    @standard(listing=landed_listings)
    async def test_columns_equal_models(self, harness: Harness, listing: Listing) -> None:
        """What a pull lands as columns is what an application iterates as models.

        If this fails, look at: ``columns`` and ``models`` of the connector's own Batch.
        """
        account = await harness.account()
        await account.open()
        async for batch in listing.batches(account, *harness.period):
            models = ModelBatch(batch.models())
            for table in batch.tables():
                ours, theirs = batch.columns(table, raw=False), models.columns(table, raw=False)
                assert theirs == ours, table
                assert _types(theirs) == _types(ours), table
                assert [None] * len(ours["raw"]) == ours["raw"]

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

    @standard(when=lambda capabilities: capabilities.supports("list_transactions"))
    async def test_a_currency_is_kept_to(self, harness: Harness) -> None:
        """Transactions that are asked for in another currency come in it, or are refused.

        If this fails, look at: a ``currency`` that is taken, and not sent.
        """
        account, listing = await harness.account(), Listing("transactions")
        told = await first(listing.of(account, *harness.period))
        other = next(code for code in ("USD", "EUR") if told.currency != code)
        try:
            rows = await collect(listing.of(account, *harness.period, currency=other))
        except (UnsupportedError, InvalidRequestError):
            return
        assert {row.currency for row in rows} == {other}

    @standard(listing=_filtered)
    async def test_filters_choose(self, harness: Harness, listing: Listing) -> None:
        """``status`` and ids leave exactly the rows that they name.

        If this fails, look at: filters that the network does not have, or understands otherwise.
        """
        account = await harness.account()
        rows = await collect(listing.of(account))
        status = rows[0].status
        expected = _ids(row for row in rows if row.status == status)
        assert expected == _ids(await collect(listing.of(account, status=status)))
        name = "ids" if listing.table == "campaigns" else "campaign_ids"
        chosen: Any = list(dict.fromkeys(row.campaign_id for row in rows))[:2]
        expected = _ids(row for row in rows if row.campaign_id in chosen)
        assert expected == _ids(await collect(listing.of(account, **{name: chosen})))

    @standard(listing=listings)
    async def test_stopping_early_leaves_nothing(self, harness: Harness, listing: Listing) -> None:
        """A list that is left after its first row leaves no task, no request and no waiter behind.

        If this fails, look at: generators inside generators that are not closed with ``aclosing``.
        """
        account = await harness.account()
        before = client_tasks()
        assert await first(listing.of(account, *harness.period)) is not None
        assert set() == client_tasks() - before
        assert busy(account) == {}

    @standard(listing=listings)
    async def test_raw_is_kept_without_secrets(self, harness: Harness, listing: Listing) -> None:
        """Every row keeps the network's own object, read-only, as JSON, and without a secret.

        If this fails, look at: the codec's ``raw=``, and the scrubber for bodies that repeat a token.
        """
        account = await harness.account()
        secrets = [value for value in map(str, harness.credentials.values()) if len(value) > 8]
        async for row in listing.of(account, *harness.period):
            assert row.raw, row
            text = row.raw.json()
            assert dict(row.raw).keys() == msgspec.json.decode(text).keys()
            assert [secret for secret in secrets if secret in text] == []

    @standard(when=lambda capabilities: bool(listings(capabilities)))
    async def test_unknown_words_do_not_raise(self, harness: Harness) -> None:
        """Words that nobody knows become ``unknown`` and stay readable; no row is lost by them.

        If this fails, look at: enumerations in the codec that raise, or that drop what they do not know.
        """
        wire = Wire(rewriting(harness.strange))
        account = await harness.account(transport=wire)
        for listing in listings(account.capabilities):
            rows = await collect(listing.of(account, *harness.period))
            assert len(harness.truth(listing.table, *harness.period, listing.level)) == len(rows)
            assert [row for row in rows if getattr(row, "status", None) not in _known(listing)] == []
            strange = [row for row in rows if "zzz" in (getattr(row, "status_raw", None) or "")]
            assert {"unknown"} >= {row.status for row in strange}
        assert wire.changed > 0, "'strange' of the harness has changed no answer"

    @standard(getter=_getters)
    async def test_one_object_equals_its_row(self, harness: Harness, getter: str) -> None:
        """``get`` of something that is listed finds it.

        If this fails, look at: which of the network's ids the list gives.
        """
        account = await harness.account()
        key = "offer_slug" if getter == "get_offer" else _IDS[getter]
        listed = Listing("trades" if getter == "get_offer" else getter.removeprefix("get_") + "s")
        wanted = getattr(await first(listed.of(account)), key)
        assert wanted == getattr(await getattr(account, getter)(wanted), _IDS[getter])

    @standard(getter=_getters)
    async def test_a_missing_id_is_not_found(self, harness: Harness, getter: str) -> None:
        """``get`` of an id that does not exist raises NotFoundError.

        If this fails, look at: networks that answer 200 and an empty object, or a code of their own.
        """
        account = await harness.account()
        error = None
        try:
            await getattr(account, getter)("999999937")
        except NotFoundError as caught:
            error = caught
        assert error is not None
        assert not error.temporary


def _types(columns: Columns) -> dict[str, list[type]]:
    return {name: [type(value) for value in values] for name, values in columns.items()}


def _ids(rows: Any) -> list[tuple[str, ...]]:
    return sorted((row.campaign_id or "", getattr(row, "ad_id", "")) for row in rows)


def _known(listing: Listing) -> Collection[str | None]:
    if listing.table == "transactions":
        return TRANSACTION_STATUSES
    return {*STATUSES, None} if listing.table != "audiences" else _Anything()


class _Anything(set[Any]):
    def __contains__(self, item: object) -> bool:
        return True
